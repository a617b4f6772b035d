/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edged.yaml(5) says what the schema says, the examples in it load, and so do the
 * example file and the sample in the README. ED_GOLDEN=write rewrites the page's
 * settings.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "edged/config/schema.h"
#include "lib/conf_report.h"
#include "tests/unit/cm.h"

static const char begin[] = ".\\\" The settings are made from the schema";
static const char end[] = ".\\\" end of the settings\n";

static char *read_file(const char *name)
{
	const char *top = getenv("ED_TOP_SRCDIR");
	char path[1024];
	char *text = calloc(1, 1 << 20);
	FILE *fp;

	snprintf(path, sizeof(path), "%s/%s", top ? top : ".", name);
	fp = fopen(path, "r");
	if (!fp || !text)
		fail_msg("%s cannot be read", path);
	text[fread(text, 1, (1 << 20) - 1, fp)] = '\0';
	fclose(fp);
	return text;
}

static void write_file(const char *name, const char *a, size_t a_len, const char *b,
		       const char *c)
{
	const char *top = getenv("ED_TOP_SRCDIR");
	char path[1024];
	FILE *fp;

	snprintf(path, sizeof(path), "%s/%s", top ? top : ".", name);
	fp = fopen(path, "w");
	assert_non_null(fp);
	fprintf(fp, "%.*s%s%s", (int)a_len, a, b, c);
	assert_int_equal(fclose(fp), 0);
}

static void test_manual_page_has_every_setting(void **state)
{
	char *page = read_file("edged/edged.yaml.5");
	char *from = strstr(page, begin);
	char *to = strstr(page, end);
	char *text = NULL;
	size_t len;
	FILE *fp = open_memstream(&text, &len);

	(void)state;
	assert_non_null(from);
	assert_non_null(to);
	from = strchr(from, '\n') + 1;
	config_manual(fp);
	fclose(fp);
	if (getenv("ED_GOLDEN")) {
		write_file("edged/edged.yaml.5", page, (size_t)(from - page), text, to);
	} else if ((size_t)(to - from) != len || memcmp(from, text, len) != 0) {
		fail_msg("edged/edged.yaml.5 is not what the schema says: "
			 "ED_GOLDEN=write rewrites it");
	}
	free(text);
	free(page);
}

/* True when text is a good configuration; says why not. */
static bool loads(const char *text, size_t len, const char *secrets)
{
	const char *top = getenv("ED_TOP_SRCDIR");
	char presets[1024];
	char file[64];
	char second[64];
	const struct config_source src = {.path = file,
					  .secrets = second,
					  .presets = presets,
					  .hostname = "branch-042"};
	struct conf_report report;
	struct config *c = NULL;
	int fd = memfd_create("config", MFD_CLOEXEC);
	int sfd = memfd_create("secrets", MFD_CLOEXEC);

	assert_int_equal(write(fd, text, len), (ssize_t)len);
	assert_int_equal(write(sfd, secrets, strlen(secrets)),
			 (ssize_t)strlen(secrets));
	assert_int_equal(fchmod(sfd, 0600), 0);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	snprintf(second, sizeof(second), "/proc/self/fd/%d", sfd);
	snprintf(presets, sizeof(presets), "%s/conf/presets", top ? top : ".");
	conf_report_init(&report);
	(void)config_load(&src, &c, &report);
	if (!c)
		conf_report_print(&report, stderr);
	conf_report_fini(&report);
	close(fd);
	close(sfd);
	config_free(c);
	return c != NULL;
}

static void test_examples_of_the_page_load(void **state)
{
	static const char bd[] = ".Bd -literal -offset indent\n";
	char *page = read_file("edged/edged.yaml.5");
	char *at = strstr(page, ".Sh EXAMPLES");
	unsigned int n = 0;

	(void)state;
	assert_non_null(at);
	while ((at = strstr(at, bd)) != NULL) {
		char *stop = strstr(at, ".Ed\n");

		assert_non_null(stop);
		at += sizeof(bd) - 1;
		assert_true(loads(at, (size_t)(stop - at), "hub: a\nbranch-042: b\n"));
		n++;
	}
	assert_int_equal(n, 2);
	free(page);
}

static void test_example_file_loads(void **state)
{
	char *text = read_file("conf/edged.yaml.example");

	(void)state;
	assert_true(loads(text, strlen(text), "hub: a\naws/a: b\naws/b: c\n"));
	free(text);
}

static void test_samples_of_the_readme_load(void **state)
{
	static const char fence[] = "```yaml\n";
	char *page = read_file("README.md");
	char *at = page;
	unsigned int n = 0;

	(void)state;
	while ((at = strstr(at, fence)) != NULL) {
		char *stop;

		at += sizeof(fence) - 1;
		stop = strstr(at, "```\n");
		assert_non_null(stop);
		assert_true(loads(at, (size_t)(stop - at),
				  "hub: a\nbranch-042: b\naws/a: c\naws/b: d\n"));
		n++;
	}
	assert_true(n >= 2);
	free(page);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manual_page_has_every_setting),
		cmocka_unit_test(test_examples_of_the_page_load),
		cmocka_unit_test(test_example_file_loads),
		cmocka_unit_test(test_samples_of_the_readme_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
