/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everyday work and faults that need no other file system; full disk and
 * kill -9 are in tests/lab/test_store.py.
 */
#include "edged/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/loop.h"
#include "tests/unit/cm.h"

enum { ROWS_MAX = 64, BOUND = 512 * 1024 };

struct bench {
	struct loop *loop;
	struct store *store;
	char dir[64];
	char path[96];
	unsigned int notices;
	char to[16];
	char reason[240];
	bool answered;
	int err;
	size_t n;
	char reasons[ROWS_MAX][64];
	struct store_minute minute;
};

static void on_notice(void *ctx, const char *from, const char *to, const char *reason)
{
	struct bench *b = ctx;

	(void)from;
	b->notices++;
	snprintf(b->to, sizeof(b->to), "%s", to ? to : "");
	snprintf(b->reason, sizeof(b->reason), "%s", reason);
}

static void open_store(struct bench *b)
{
	const struct store_params params = {.path = b->path,
					    .max_bytes = 4 << 20,
					    .notice = on_notice,
					    .ctx = b};

	b->store = store_open(b->loop, &params);
}

static void setup(struct bench *b)
{
	*b = (struct bench){.loop = loop_new()};
	snprintf(b->dir, sizeof(b->dir), "/tmp/test-store-XXXXXX");
	assert_non_null(mkdtemp(b->dir));
	snprintf(b->path, sizeof(b->path), "%s/edged.db", b->dir);
	open_store(b);
}

static void teardown(struct bench *b)
{
	static const char *const names[] = {"edged.db", "edged.db-wal", "edged.db-shm",
					    "edged.db.damaged", "edged.db.damaged-wal"};
	char path[128];

	store_close(b->store);
	loop_free(b->loop);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", b->dir, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(b->dir), 0);
}

static void on_events(void *ctx, int err, const struct store_event *rows, size_t n)
{
	struct bench *b = ctx;

	b->answered = true;
	b->err = err;
	b->n = n;
	for (size_t i = 0; i < n && i < ROWS_MAX; i++)
		snprintf(b->reasons[i], sizeof(b->reasons[i]), "%s", rows[i].reason);
}

static void wait_answer(struct bench *b)
{
	struct mono end = mono_add_ms(mono_now(), 20000);

	while (!b->answered && mono_before(mono_now(), end))
		loop_run_once(b->loop);
	assert_true(b->answered);
}

static void ask(struct bench *b, const struct store_filter *filter)
{
	b->answered = false;
	assert_int_equal(store_query_events(b->store, filter, on_events, b), 0);
	wait_answer(b);
}

static void wait_notice(struct bench *b, unsigned int n)
{
	struct mono end = mono_add_ms(mono_now(), 20000);

	while (b->notices < n && mono_before(mono_now(), end))
		loop_run_once(b->loop);
	assert_int_equal(b->notices, n);
}

static void add(struct bench *b, int64_t time_us, const char *kind, const char *reason)
{
	const struct store_event e = {.time_us = time_us,
				      .kind = kind,
				      .subject = "hub/isp1",
				      .to = "down",
				      .reason = reason,
				      .numbers =
					      "{\"peer\":\"hub\",\"class\":\"voice\"}"};

	assert_true(store_event(b->store, &e));
}

/* What is queued is written before the next answer that sees it. */
static void settle(struct bench *b, size_t want)
{
	struct mono end = mono_add_ms(mono_now(), 20000);
	const struct store_filter all = {0};

	do {
		ask(b, &all);
	} while ((b->err || b->n < want) && mono_before(mono_now(), end));
	assert_int_equal(b->err, 0);
	assert_int_equal(b->n, want);
}

static void test_events_come_back_in_order_and_filtered(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	add(&b, 1000, "path", "one");
	add(&b, 2000, "steer", "two");
	add(&b, 3000, "path", "three's \"quote\"");
	settle(&b, 3);
	assert_string_equal(b.reasons[0], "one");
	assert_string_equal(b.reasons[2], "three's \"quote\"");
	ask(&b, &(struct store_filter){.since_us = 2000});
	assert_int_equal(b.n, 2);
	ask(&b, &(struct store_filter){.until_us = 2000});
	assert_int_equal(b.n, 1);
	ask(&b, &(struct store_filter){.kind = "steer"});
	assert_int_equal(b.n, 1);
	assert_string_equal(b.reasons[0], "two");
	ask(&b, &(struct store_filter){.subject = "hub/isp2"});
	assert_int_equal(b.n, 0);
	ask(&b, &(struct store_filter){.limit = 2});
	assert_int_equal(b.n, 2);
	assert_string_equal(b.reasons[0], "two");
	ask(&b, &(struct store_filter){.after_id = 2});
	assert_int_equal(b.n, 1);

	/* A second life finds them; the decision is one for SQL, too. */
	store_close(b.store);
	open_store(&b);
	ask(&b, &(struct store_filter){0});
	assert_int_equal(b.n, 3);
	assert_int_equal(b.notices, 0);
	{
		sqlite3 *sql;
		sqlite3_stmt *st;

		assert_int_equal(sqlite3_open(b.path, &sql), SQLITE_OK);
		assert_int_equal(
			sqlite3_prepare_v2(sql, "SELECT peer || class FROM decision",
					   -1, &st, NULL),
			SQLITE_OK);
		assert_int_equal(sqlite3_step(st), SQLITE_ROW);
		assert_string_equal((const char *)sqlite3_column_text(st, 0),
				    "hubvoice");
		sqlite3_finalize(st);
		sqlite3_close(sql);
	}
	teardown(&b);
}

static void on_history(void *ctx, int err, const struct store_minute *rows, size_t n)
{
	struct bench *b = ctx;

	b->answered = true;
	b->err = err;
	b->n = n;
	if (n)
		b->minute = rows[n - 1];
}

static void test_history_keeps_samples_and_histogram(void **state)
{
	struct store_minute m = {.path = "hub/isp1", .minute = 100};
	struct mono end = mono_add_ms(mono_now(), 20000);
	struct bench b;

	(void)state;
	setup(&b);
	m.sample[0] = (struct store_sample){21000, 900, 10, 1, 4};
	m.sample[59] = (struct store_sample){UINT32_MAX, UINT32_MAX, 400, 300, 2};
	m.histogram[3] = 600;
	m.histogram[STORE_BUCKETS - 1] = 70000;
	assert_true(store_minute(b.store, &m));
	m.minute = 101;
	assert_true(store_minute(b.store, &m));
	m.sample[0].delay_us = 22000; /* the same minute again replaces */
	assert_true(store_minute(b.store, &m));
	b.n = 0;
	while (b.n < 2 && mono_before(mono_now(), end)) {
		b.answered = false;
		store_query_history(b.store, "hub/isp1", 100, 102, on_history, &b);
		wait_answer(&b);
	}
	assert_int_equal(b.n, 2);
	assert_int_equal(b.minute.sample[0].delay_us, 22000);
	assert_int_equal(b.minute.sample[0].jitter_us, 900);
	assert_int_equal(b.minute.sample[0].lost, 1);
	assert_int_equal(b.minute.sample[59].delay_us, UINT32_MAX);
	assert_int_equal(b.minute.sample[59].jitter_us, UINT32_MAX);
	assert_int_equal(b.minute.sample[59].sent, 255);
	assert_int_equal(b.minute.sample[1].sent, 0);
	assert_int_equal(b.minute.histogram[3], 600);
	assert_int_equal(b.minute.histogram[STORE_BUCKETS - 1], 65535);
	b.answered = false;
	store_query_history(b.store, "hub/lte", 0, 1000, on_history, &b);
	wait_answer(&b);
	assert_int_equal(b.n, 0);
	teardown(&b);
}

static void test_buckets_grow_and_hold_their_delays(void **state)
{
	(void)state;
	assert_int_equal(store_bucket(0), 0);
	assert_int_equal(store_bucket(1000), 0);
	assert_int_equal(store_bucket(1001), 1);
	assert_int_equal(store_bucket(UINT32_MAX), STORE_BUCKETS - 1);
	for (unsigned int i = 0; i + 1 < STORE_BUCKETS; i++) {
		assert_true(store_bucket_us(i) < store_bucket_us(i + 1));
		assert_int_equal(store_bucket(store_bucket_us(i)), i);
		assert_int_equal(store_bucket(store_bucket_us(i) + 1), i + 1);
	}
}

static void spoil(const char *path, off_t at, const void *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0640);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
	close(fd);
}

static void test_a_damaged_file_is_moved_aside_once(void **state)
{
	char aside[128];
	char junk[8192];
	struct bench b;

	(void)state;
	setup(&b);
	for (int i = 0; i < 40; i++)
		add(&b, 1000 + i, "path", "old");
	settle(&b, 40);
	store_close(b.store);
	memset(junk, 0x5a, sizeof(junk));
	spoil(b.path, 4096, junk, sizeof(junk));
	open_store(&b);
	wait_notice(&b, 1);
	assert_string_equal(b.to, "ok");
	assert_non_null(strstr(b.reason, "damaged"));
	snprintf(aside, sizeof(aside), "%s.damaged", b.path);
	assert_int_equal(access(aside, F_OK), 0);
	add(&b, 5000, "path", "new");
	settle(&b, 1);
	assert_int_equal(b.notices, 1);
	teardown(&b);
}

static void test_a_newer_or_foreign_file_is_not_touched(void **state)
{
	static const char *const sql[] = {
		"PRAGMA application_id = 1162102596; PRAGMA user_version = 99;"
		"CREATE TABLE t(x)",
		"CREATE TABLE someone_elses(x)",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(sql); i++) {
		struct stat before;
		struct stat after;
		struct bench b;
		sqlite3 *db;

		setup(&b);
		store_close(b.store);
		unlink(b.path);
		assert_int_equal(sqlite3_open(b.path, &db), SQLITE_OK);
		assert_int_equal(sqlite3_exec(db, sql[i], NULL, NULL, NULL), SQLITE_OK);
		sqlite3_close(db);
		assert_int_equal(stat(b.path, &before), 0);
		open_store(&b);
		wait_notice(&b, 1);
		assert_string_equal(b.to, "failing");
		assert_non_null(
			strstr(b.reason, i == 0 ? "newer edged" : "another program"));
		add(&b, 1, "path", "lost");
		ask(&b, &(struct store_filter){0});
		assert_int_equal(b.err, -ENODATA);
		assert_int_equal(stat(b.path, &after), 0);
		assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
		assert_int_equal(before.st_size, after.st_size);
		assert_int_equal(b.notices, 1);
		teardown(&b);
	}
}

static void test_the_queue_is_bounded_and_says_what_it_left_out(void **state)
{
	struct bench b = {.loop = loop_new()};
	const struct store_params params = {.path = "/nonexistent/folder/edged.db",
					    .queue_rows = 8,
					    .notice = on_notice,
					    .ctx = &b};
	struct store_event e = {.time_us = 1, .kind = "path", .subject = "x"};
	struct store_minute m = {.path = "x"};
	struct store_counters c;

	(void)state;
	b.store = store_open(b.loop, &params);
	wait_notice(&b, 1);
	assert_string_equal(b.to, "failing");
	assert_non_null(strstr(b.reason, "/nonexistent/folder"));
	for (int i = 0; i < 6; i++)
		assert_true(store_minute(b.store, &m));
	assert_false(store_minute(b.store, &m)); /* the rest is for events */
	assert_true(store_event(b.store, &e));
	assert_true(store_event(b.store, &e));
	assert_false(store_event(b.store, &e));
	c = store_counters(b.store);
	assert_int_equal(c.left_out, 2);
	assert_int_equal(c.queued, 8);
	assert_false(c.open);
	assert_true(c.trouble[0]);
	store_close(b.store);
	loop_free(b.loop);
}

static void test_the_file_stays_below_its_bound(void **state)
{
	struct store_minute m = {.path = "hub/isp1"};
	struct bench b = {.loop = loop_new()};
	struct store_params params = {.path = b.path,
				      .max_bytes = BOUND,
				      .notice = on_notice,
				      .ctx = &b};
	struct mono end = mono_add_ms(mono_now(), 30000);
	struct stat st;

	(void)state;
	snprintf(b.dir, sizeof(b.dir), "/tmp/test-store-XXXXXX");
	assert_non_null(mkdtemp(b.dir));
	snprintf(b.path, sizeof(b.path), "%s/edged.db", b.dir);
	b.store = store_open(b.loop, &params);
	/* Twice the bound, in batches smaller than the slice that makes room. */
	for (int batch = 1; batch <= 45; batch++) {
		for (int i = 0; i < 30; i++, m.minute++)
			assert_true(store_minute(b.store, &m));
		while (store_counters(b.store).written < (uint64_t)batch * 30 &&
		       mono_before(mono_now(), end))
			loop_run_once(b.loop);
	}
	store_close(b.store);
	assert_int_equal(b.notices, 0);
	assert_int_equal(stat(b.path, &st), 0);
	assert_true(st.st_size <= BOUND + 4096);
	params.max_bytes = 4 << 20;
	b.store = store_open(b.loop, &params);
	b.answered = false;
	store_query_history(b.store, "hub/isp1", 0, m.minute, on_history, &b);
	wait_answer(&b);
	assert_true(b.n > 300);
	assert_int_equal(b.minute.minute, m.minute - 1);
	teardown(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_come_back_in_order_and_filtered),
		cmocka_unit_test(test_history_keeps_samples_and_histogram),
		cmocka_unit_test(test_buckets_grow_and_hold_their_delays),
		cmocka_unit_test(test_a_damaged_file_is_moved_aside_once),
		cmocka_unit_test(test_a_newer_or_foreign_file_is_not_touched),
		cmocka_unit_test(test_the_queue_is_bounded_and_says_what_it_left_out),
		cmocka_unit_test(test_the_file_stays_below_its_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
