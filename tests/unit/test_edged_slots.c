/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/slots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/savefile.h"
#include "tests/unit/cm.h"

static char dir[] = "/tmp/edged-slots-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/slots", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static void write_file(const char *text)
{
	assert_int_equal(savefile_write(path, text, strlen(text), 0600, false), 0);
}

static void test_numbers_survive_a_restart(void **state)
{
	struct slots *s;

	(void)state;
	(void)unlink(path);
	s = slots_open(path);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "hub/isp1"), 1);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "aws/a/isp1"), 2);
	assert_int_equal(slots_get(s, SLOT_UPLINK, "isp1"), 1);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "hub/isp1"), 1);
	slots_sync(s);
	slots_free(s);

	s = slots_open(path);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "new/isp1"), 3);
	assert_int_equal(slots_find(s, SLOT_TUNNEL, "aws/a/isp1"), 2);
	assert_int_equal(slots_find(s, SLOT_UPLINK, "isp1"), 1);
	assert_int_equal(slots_find(s, SLOT_UPLINK, "isp2"), 0);
	slots_free(s);
}

static void test_a_released_number_is_used_again_first(void **state)
{
	struct slots *s;

	(void)state;
	(void)unlink(path);
	s = slots_open(path);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "a"), 1);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "b"), 2);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "c"), 3);
	slots_release(s, SLOT_TUNNEL, "b");
	slots_release(s, SLOT_TUNNEL, "never there");
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "d"), 2);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "e"), 4);
	slots_free(s);
}

static bool only_keep(void *ctx, const char *name)
{
	return strcmp(name, ctx) == 0;
}

static void test_prune_keeps_what_is_in_use(void **state)
{
	char kept[] = "b";
	struct slots *s;

	(void)state;
	(void)unlink(path);
	s = slots_open(path);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "a"), 1);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "b"), 2);
	assert_int_equal(slots_get(s, SLOT_UPLINK, "a"), 1);
	slots_prune(s, SLOT_TUNNEL, only_keep, kept);
	assert_int_equal(slots_find(s, SLOT_TUNNEL, "a"), 0);
	assert_int_equal(slots_find(s, SLOT_TUNNEL, "b"), 2);
	assert_int_equal(slots_find(s, SLOT_UPLINK, "a"), 1);
	slots_free(s);
}

static void test_a_damaged_line_costs_that_line(void **state)
{
	struct slots *s;

	(void)state;
	write_file("# comment\n"
		   "tunnel 7 hub/isp1\n"
		   "tunnel 7 same number\n"
		   "tunnel 8 hub/isp1\n"
		   "tunnel 0 zero\n"
		   "tunnel 10000 too large\n"
		   "tunnel 12345678901234 huge\n"
		   "tunnel -3 negative\n"
		   "weird 1 kind\n"
		   "tunnel 9\n"
		   "\n"
		   "inside 3 branch-042/isp1\n"
		   "tunnel 11 cut off");
	s = slots_open(path);
	assert_int_equal(slots_find(s, SLOT_TUNNEL, "hub/isp1"), 7);
	assert_int_equal(slots_find(s, SLOT_TUNNEL, "same number"), 0);
	assert_int_equal(slots_find(s, SLOT_TUNNEL, "zero"), 0);
	assert_int_equal(slots_find(s, SLOT_TUNNEL, "too large"), 0);
	assert_int_equal(slots_find(s, SLOT_TUNNEL, "huge"), 0);
	assert_int_equal(slots_find(s, SLOT_TUNNEL, "negative"), 0);
	assert_int_equal(slots_find(s, SLOT_INSIDE, "branch-042/isp1"), 3);
	assert_int_equal(slots_find(s, SLOT_TUNNEL, "cut off"), 11);
	slots_free(s);
}

static bool take_good(void *ctx, const char *line)
{
	(void)ctx;
	return strncmp(line, "good", 4) == 0;
}

static void test_what_is_wrong_with_a_file_is_one_sentence(void **state)
{
	static const struct {
		const char *text;
		const char *damage;
	} files[] = {
		{"# head\ngood 1\ngood 2\n# end\n", ""},
		{"", "its end is missing"},
		{"# head\n", "its end is missing"},
		{"good 1\ngood 2\n# en", "its end is missing"},
		{"bad\ngood 2\n# end\n", "line 1 makes no sense"},
		{"good\nbad\nbad\nbad\n# end\n", "line 2 and 2 more make no sense"},
		{"\n\nbad\n", "line 3 makes no sense, its end is missing"},
	};
	struct savefile_damage damage;
	char text[96];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		write_file(files[i].text);
		assert_int_equal(savefile_read_lines(path, 4096, take_good, NULL,
						     &damage),
				 0);
		assert_string_equal(savefile_damage_text(&damage, text, sizeof(text)),
				    files[i].damage);
	}
	/* zeros instead of text */
	assert_int_equal(savefile_write(path, (char[64]){0}, 64, 0600, false), 0);
	assert_int_equal(savefile_read_lines(path, 4096, take_good, NULL, &damage), 0);
	assert_string_equal(savefile_damage_text(&damage, text, sizeof(text)),
			    "line 1 makes no sense, its end is missing");
	(void)unlink(path);
	assert_int_equal(savefile_read_lines(path, 4096, take_good, NULL, &damage),
			 -ENOENT);
	assert_string_equal(savefile_damage_text(&damage, text, sizeof(text)), "");
}

static void test_what_must_be_fresh_is_fresh_or_gone(void **state)
{
	char in_the_way[sizeof(path) + 8];
	uint8_t *text;
	size_t len;

	(void)state;
	snprintf(in_the_way, sizeof(in_the_way), "%s.new", path);
	assert_int_equal(savefile_write(path, "old", 3, 0600, false), 0);
	assert_int_equal(mkdir(in_the_way, 0700), 0);
	assert_true(savefile_write(path, "new", 3, 0600, false) < 0);
	assert_int_equal(savefile_read(path, 16, &text, &len), 0);
	assert_string_equal((char *)text, "old");
	free(text);
	assert_true(savefile_write_fresh(path, "new", 3, 0600, false) < 0);
	assert_int_equal(savefile_read(path, 16, &text, &len), -ENOENT);
	assert_int_equal(rmdir(in_the_way), 0);
	assert_int_equal(savefile_write_fresh(path, "new", 3, 0600, false), 0);
	assert_int_equal(unlink(path), 0);
}

static void test_names_that_break_the_file_are_refused(void **state)
{
	char longest[300];
	struct slots *s;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	(void)unlink(path);
	s = slots_open(path);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "a\nb"), -EINVAL);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, ""), -EINVAL);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, " a"), -EINVAL);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, longest), -EINVAL);
	slots_free(s);
}

static void test_when_all_are_taken_it_says_so(void **state)
{
	struct slots *s;
	char name[16];

	(void)state;
	(void)unlink(path);
	s = slots_open(path);
	for (int i = 1; i <= SLOTS_UPLINK_MAX; i++) {
		snprintf(name, sizeof(name), "u%d", i);
		assert_int_equal(slots_get(s, SLOT_UPLINK, name), i);
	}
	assert_int_equal(slots_get(s, SLOT_UPLINK, "more"), -ENOSPC);
	slots_release(s, SLOT_UPLINK, "u17");
	assert_int_equal(slots_get(s, SLOT_UPLINK, "more"), 17);
	slots_free(s);
}

static void test_a_folder_that_takes_no_file_costs_nothing_else(void **state)
{
	struct slots *s = slots_open("/proc/self/no/such/slots");

	(void)state;
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "a"), 1);
	slots_sync(s);
	assert_int_equal(slots_get(s, SLOT_TUNNEL, "b"), 2);
	slots_free(s);
}

static void test_a_saved_file_has_its_mode_and_follows_no_link(void **state)
{
	struct stat st;
	uint8_t *text;
	size_t len;

	(void)state;
	(void)unlink(path);
	assert_int_equal(savefile_write(path, "x", 1, 0600, true), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(savefile_read(path, 1, &text, &len), 0);
	assert_string_equal((char *)text, "x");
	assert_int_equal(len, 1);
	free(text);
	assert_int_equal(savefile_read(path, 0, &text, &len), -EFBIG);
	assert_int_equal(savefile_read(dir, 10, &text, &len), -EISDIR);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(savefile_read(path, 1000000, &text, &len), -ELOOP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_survive_a_restart),
		cmocka_unit_test(test_a_released_number_is_used_again_first),
		cmocka_unit_test(test_prune_keeps_what_is_in_use),
		cmocka_unit_test(test_a_damaged_line_costs_that_line),
		cmocka_unit_test(test_what_is_wrong_with_a_file_is_one_sentence),
		cmocka_unit_test(test_what_must_be_fresh_is_fresh_or_gone),
		cmocka_unit_test(test_names_that_break_the_file_are_refused),
		cmocka_unit_test(test_when_all_are_taken_it_says_so),
		cmocka_unit_test(test_a_folder_that_takes_no_file_costs_nothing_else),
		cmocka_unit_test(test_a_saved_file_has_its_mode_and_follows_no_link),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
