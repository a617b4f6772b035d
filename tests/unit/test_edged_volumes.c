/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/volumes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/savefile.h"
#include "tests/unit/cm.h"

#define NOV_S INT64_C(1794700800) /* 2026-11-15 */
#define DEC_S INT64_C(1797292800) /* 2026-12-15 */
#define LIMIT UINT64_C(10000)

static char dir[] = "/tmp/edged-volumes-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/volumes", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static int remove_file(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

static uint64_t month(const struct volumes *v)
{
	uint64_t bytes = UINT64_MAX;

	assert_true(volumes_month(v, "lte", &bytes));
	return bytes;
}

/* One reading of the LTE stick, at a minute since the start. */
static void count(struct volumes *v, const char *ifname, int ifindex, uint64_t bytes,
		  int64_t now_s, int minute)
{
	struct volume_reading r = {
		.uplink = "lte",
		.ifname = ifname,
		.ifindex = ifindex,
		.bytes = bytes,
		.limit_bytes = LIMIT,
	};

	volumes_count(v, &r, now_s, mono_from_ms((int64_t)(minute + 1) * 60000));
}

static void test_only_what_was_seen_counts(void **state)
{
	struct volumes *v = volumes_open(path, "boot1");
	uint64_t bytes;

	(void)state;
	assert_false(volumes_month(v, "lte", &bytes));
	count(v, "wwan0", 7, 5000, NOV_S, 0);
	assert_int_equal(month(v), 0);
	count(v, "wwan0", 7, 5300, NOV_S, 0);
	assert_int_equal(month(v), 300);
	/* Unplugged and plugged in: all that the new one has is this uplink's. */
	count(v, "wwan0", 9, 40, NOV_S, 0);
	assert_int_equal(month(v), 340);
	/* Counters that begin anew do not run backwards. */
	count(v, "wwan0", 9, 10, NOV_S, 0);
	assert_int_equal(month(v), 350);
	/* Another interface had its own life before. */
	count(v, "wwan1", 3, 90000, NOV_S, 0);
	count(v, "wwan1", 3, 90001, NOV_S, 0);
	assert_int_equal(month(v), 351);
	volumes_free(v);
}

static void test_a_restart_forgets_nothing_and_counts_what_went_by(void **state)
{
	struct volumes *v = volumes_open(path, "boot1");
	uint64_t bytes;

	(void)state;
	count(v, "wwan0", 7, 1000, NOV_S, 0);
	count(v, "wwan0", 7, 1700, NOV_S, 1);
	volumes_free(v);
	v = volumes_open(path, "boot1");
	assert_false(volumes_month(v, "lte", &bytes)); /* not seen yet */
	count(v, "wwan0", 7, 1900, NOV_S, 0);
	assert_int_equal(month(v), 900);
	volumes_free(v);

	/* After a reboot the counter is new, however big it is by now. */
	v = volumes_open(path, "boot2");
	count(v, "wwan0", 7, 2500, NOV_S, 0);
	assert_int_equal(month(v), 900 + 2500);
	volumes_free(v);
}

static void test_killed_it_knows_what_the_interface_has_counted(void **state)
{
	struct volumes *v = volumes_open(path, "boot1");
	struct volumes *next;

	(void)state;
	count(v, "wwan0", 7, 1000, NOV_S, 0);
	count(v, "wwan0", 7, 1099, NOV_S, 1);
	next = volumes_open(path, "boot1"); /* v never wrote again */
	count(next, "wwan0", 7, 1200, NOV_S, 0);
	assert_int_equal(month(next), 200);
	volumes_free(next);
	volumes_free(v);
}

static void test_a_month_begins_with_nothing(void **state)
{
	struct volumes *v = volumes_open(path, "boot1");

	(void)state;
	count(v, "wwan0", 7, 0, NOV_S, 0);
	count(v, "wwan0", 7, 700, NOV_S, 1);
	/* A clock that is not set (1970, at a boot) ends no month. */
	count(v, "wwan0", 7, 800, 4000, 2);
	assert_int_equal(month(v), 800);
	count(v, "wwan0", 7, 900, NOV_S, 3);
	assert_int_equal(month(v), 900);
	count(v, "wwan0", 7, 1000, DEC_S, 4);
	assert_int_equal(month(v), 0);
	count(v, "wwan0", 7, 1011, DEC_S, 5);
	assert_int_equal(month(v), 11);
	volumes_free(v);
	v = volumes_open(path, "boot1");
	count(v, "wwan0", 7, 1011, DEC_S, 0);
	assert_int_equal(month(v), 11);
	volumes_free(v);
}

static void test_before_the_clock_is_set_it_is_this_month(void **state)
{
	struct volumes *v = volumes_open(path, "boot1");

	(void)state;
	count(v, "wwan0", 7, 0, 4000, 0);
	count(v, "wwan0", 7, 50, 4001, 0);
	count(v, "wwan0", 7, 60, NOV_S, 1);
	assert_int_equal(month(v), 60);
	volumes_free(v);
}

static ino_t file_now(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_ino;
}

/* Each write is a new file: how often flash is written. */
static void test_the_file_is_written_seldom(void **state)
{
	struct volumes *v = volumes_open(path, "boot1");
	uint64_t bytes = 0;
	unsigned int writes = 0;
	ino_t last;

	(void)state;
	count(v, "wwan0", 7, bytes, NOV_S, 0);
	last = file_now();
	for (int minute = 1; minute <= 60; minute++) {
		FILE *fp = fopen(path, "re"); /* or its inode is used again */

		assert_non_null(fp);
		bytes += LIMIT / 100;
		count(v, "wwan0", 7, bytes, NOV_S, minute);
		writes += file_now() != last;
		last = file_now();
		fclose(fp);
	}
	assert_int_equal(writes, 6); /* an hour of heavy use */
	for (int minute = 61; minute <= 120; minute++) {
		count(v, "wwan0", 7, ++bytes, NOV_S, minute);
		assert_int_equal(file_now(), last); /* 60 bytes are nothing */
	}
	volumes_free(v);
}

static void test_a_damaged_file_costs_what_is_damaged(void **state)
{
	static const char text[] = "202611 400 boot1 7 wwan0 1000 lte\n"
				   "202611 lots boot1 7 eth0 1000 isp1\n"
				   "202611 9 boot1 7 wwan0 1000 lte\n";
	struct volumes *v;
	uint64_t bytes;

	(void)state;
	assert_int_equal(savefile_write(path, text, strlen(text), 0600, false), 0);
	v = volumes_open(path, "boot1");
	count(v, "wwan0", 7, 1001, NOV_S, 0);
	assert_int_equal(month(v), 401);
	assert_false(volumes_month(v, "isp1", &bytes));
	volumes_free(v);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, remove_file)
	const struct CMUnitTest tests[] = {
		TEST(test_only_what_was_seen_counts),
		TEST(test_a_restart_forgets_nothing_and_counts_what_went_by),
		TEST(test_killed_it_knows_what_the_interface_has_counted),
		TEST(test_a_month_begins_with_nothing),
		TEST(test_before_the_clock_is_set_it_is_this_month),
		TEST(test_the_file_is_written_seldom),
		TEST(test_a_damaged_file_costs_what_is_damaged),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
