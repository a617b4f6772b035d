/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each tests/golden/config/NAME.in is a configuration, NAME.ok what config_load()
 * says about it. ED_GOLDEN=write rewrites the .ok files.
 *
 * An .in file is edged.yaml; secrets.yaml then holds a secret for `hub`. Lines
 * "=== FILE MODE" divide it into several files (secrets.yaml, another preset);
 * bin/nft and bin/vtysh are programs that agree with everything, unless it brings
 * its own. "=== FILE MODE cut" drops that file's last line break, "=== FILE none" removes it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "edged/config/dryrun.h"
#include "lib/conf_report.h"
#include "tests/unit/golden.h"

static const char default_secrets[] = "hub: \"correct horse battery staple\"\n";

/* nft and vtysh of the tests: what they refuse is the file's to say. */
static const char agrees[] = "#!/bin/sh\nexit 0\n";

static void write_file(const char *name, const char *bytes, size_t len, mode_t mode)
{
	int fd;

	(void)unlink(name);
	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || fchmod(fd, mode) < 0)
		abort();
	close(fd);
}

/* Write the files of an .in to the working directory. */
static void unpack(char *text)
{
	char name[64] = "edged.yaml";
	char how[64] = "";
	unsigned int mode = 0644;
	char *start = text;

	write_file("secrets.yaml", default_secrets, sizeof(default_secrets) - 1, 0600);
	write_file("bin/nft", agrees, sizeof(agrees) - 1, 0755);
	write_file("bin/vtysh", agrees, sizeof(agrees) - 1, 0755);
	/* Ends: each round takes a section. */
	for (;;) {
		char *end = strncmp(start, "=== ", 4) == 0 ? start
							   : strstr(start, "\n=== ");
		size_t len =
			end ? (size_t)(end - start) + (end != start) : strlen(start);

		if (len && strcmp(how, "cut") == 0 && start[len - 1] == '\n')
			len--;
		if (strcmp(how, "none") == 0)
			unlink(name);
		else if (start != text || !end || end != start)
			write_file(name, start, len, mode);
		if (!end)
			return;
		start = end + (*end == '\n');
		how[0] = '\0';
		if (sscanf(start, "=== %63s none", name) == 1 &&
		    strncmp(strchr(start + 4, ' ') + 1, "none", 4) == 0)
			strcpy(how, "none");
		else if (sscanf(start, "=== %63s %o %63s", name, &mode, how) < 2)
			abort();
		if (strcmp(how, "cut") != 0 && strcmp(how, "none") != 0)
			how[0] = '\0';
		start = strchr(start, '\n') + 1;
	}
}

static char *read_text(const char *path)
{
	FILE *fp = fopen(path, "r");
	char *text = calloc(1, 1 << 16);

	if (!fp || !text)
		abort();
	if (fread(text, 1, (1 << 16) - 1, fp) == 0)
		text[0] = '\0';
	fclose(fp);
	return text;
}

/* What config_load() says about the file, and a last line with the outcome. */
static char *load(void)
{
	const struct config_source src = {.path = "edged.yaml",
					  .presets = "presets",
					  .hostname = "golden-host",
					  .dry_run = config_dryrun};
	struct conf_report report;
	struct config *c = NULL;
	char *text;
	char *all;
	int err;

	conf_report_init(&report);
	err = config_load(&src, &c, &report);
	text = conf_report_text(&report);
	if (asprintf(&all, "%s%s\n", text, err ? "refused" : "good") < 0)
		abort();
	free(text);
	config_free(c);
	conf_report_fini(&report);
	return all;
}

static int show(const char *path)
{
	char *text = read_text(path);
	char *all;

	unpack(text);
	all = load();
	fputs(all, stdout);
	free(all);
	free(text);
	return 0;
}

static int is_input(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && strcmp(dot, ".in") == 0;
}

static int drop(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st;
	(void)kind;
	(void)ftw;
	return remove(path);
}

/* From now on we are in dir, which looks like an /etc/edged with nothing in it. */
static bool enter(const char *dir, const char *top)
{
	char presets[1024];
	char path_env[4096];

	snprintf(presets, sizeof(presets), "%s/conf/presets", top);
	snprintf(path_env, sizeof(path_env), "%s/bin:%s", dir, getenv("PATH"));
	setenv("PATH", path_env, 1);
	return chdir(dir) == 0 && symlink(presets, "presets") == 0 &&
	       mkdir("bin", 0700) == 0;
}

/* One case, by its file's name, which loses its end. */
static bool same_as_golden(const char *folder, char *name)
{
	char path[2048];
	char ok[300];
	char *text;
	char *all;
	bool same;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	text = read_text(path);
	unpack(text);
	all = load();
	*strrchr(name, '.') = '\0';
	snprintf(ok, sizeof(ok), "config/%s.ok", name);
	same = golden_same(ok, all);
	free(all);
	free(text);
	return same;
}

/* All of them, as TAP; true when none is red. */
static bool compare_all(const char *top)
{
	char folder[1024];
	struct dirent **list;
	bool good = true;
	int n;

	snprintf(folder, sizeof(folder), "%s/tests/golden/config", top);
	n = scandir(folder, &list, is_input, alphasort);
	if (n <= 0) {
		printf("1..1\nnot ok 1 - there are golden files\n");
		return false;
	}
	printf("1..%d\n", n);
	for (int i = 0; i < n; i++) {
		bool same = same_as_golden(folder, list[i]->d_name);

		printf("%sok %d - %s\n", same ? "" : "not ", i + 1, list[i]->d_name);
		good = good && same;
		free(list[i]);
	}
	free(list);
	return good;
}

int main(int argc, char **argv)
{
	const char *top = getenv("ED_TOP_SRCDIR");
	char *one = argc > 1 ? realpath(argv[1], NULL) : NULL;
	char dir[] = "/tmp/edged-golden-XXXXXX";
	bool good = true;

	if (!top || (argc > 1 && !one) || !mkdtemp(dir) || chmod(dir, 0700) < 0 ||
	    !enter(dir, top))
		return 1;
	if (one)
		show(one);
	else
		good = compare_all(top);
	free(one);
	if (chdir("/") < 0 || nftw(dir, drop, 8, FTW_DEPTH | FTW_PHYS) < 0)
		return 1;
	return good ? 0 : 1;
}
