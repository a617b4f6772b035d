/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everyday work and faults that need no other file system; full disk and
 * kill -9 are in tests/lab/test_store.py.
 */
#include "edged/store.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/store_db.h"
#include "lib/alloc.h"
#include "lib/loop.h"
#include "tests/unit/cm.h"

enum { ROWS_MAX = 64, POINTS_MAX = 2001, BOUND = 2 * 1024 * 1024 };

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
	unsigned int step_s, tier_s;
	int64_t since_s, until_s;
	struct store_point points[POINTS_MAX];
	size_t n_moves;
	uint64_t moves_left_out;
	int64_t move_ids[ROWS_MAX];
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

/* On the store's thread: the loop's thread must not have to do it. */
static pthread_t rendered_by;

static char *render_reasons(const struct store_event *rows, size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *fp = open_memstream(&text, &len);

	rendered_by = pthread_self();
	for (size_t i = 0; i < n; i++)
		fprintf(fp, "%s\n", rows[i].reason);
	fclose(fp);
	return text;
}

static void on_events(void *ctx, int err, const char *text)
{
	struct bench *b = ctx;

	b->answered = true;
	b->err = err;
	b->n = 0;
	assert_true(!text == !!err);
	for (const char *s = text ? text : ""; *s; b->n++) {
		size_t len = strcspn(s, "\n");

		if (b->n < ROWS_MAX)
			snprintf(b->reasons[b->n], sizeof(b->reasons[0]), "%.*s",
				 (int)len, s);
		s += len + 1;
	}
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
	assert_int_equal(store_query_events(b->store, filter, render_reasons, on_events,
					    b),
			 0);
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

static void test_many_events_are_made_text_beside_the_loop(void **state)
{
	const struct store_filter filter = {.kind = "path"};
	struct bench b;

	(void)state;
	setup(&b);
	add(&b, 1000, "path", "one");
	add(&b, 2000, "steer", "two");
	add(&b, 3000, "path", "three");
	settle(&b, 3);
	ask(&b, &filter);
	assert_int_equal(b.err, 0);
	assert_int_equal(b.n, 2);
	assert_string_equal(b.reasons[0], "one");
	assert_string_equal(b.reasons[1], "three");
	assert_false(pthread_equal(rendered_by, pthread_self()));
	teardown(&b);
}

static void on_history(void *ctx, int err, const struct store_history *h)
{
	struct bench *b = ctx;

	b->answered = true;
	b->err = err;
	b->n = 0;
	if (err)
		return;
	b->n = h->n;
	b->step_s = h->step_s;
	b->tier_s = h->tier_s;
	b->since_s = h->since_s;
	b->until_s = h->until_s;
	assert_true(h->n <= POINTS_MAX);
	if (h->n)
		memcpy(b->points, h->points, h->n * sizeof(*h->points));
	b->n_moves = h->n_moves;
	b->moves_left_out = h->moves_left_out;
	for (size_t i = 0; i < h->n_moves && i < ROWS_MAX; i++)
		b->move_ids[i] = h->moves[i].id;
}

static void ask_history(struct bench *b, const struct store_span *span)
{
	b->answered = false;
	assert_int_equal(store_query_history(b->store, span, on_history, b), 0);
	wait_answer(b);
	assert_int_equal(b->err, 0);
}

/* A minute of ten probes a second around base_us; one of them was lost. */
static struct store_minute steady(const char *path, int64_t minute, uint32_t base_us)
{
	struct store_minute m = {.path = path, .minute = minute};

	for (uint32_t i = 0; i < STORE_MINUTE_SAMPLES; i++)
		m.sample[i] = (struct store_sample){
			.delay_us = base_us + i,
			.p95_us = base_us + 900,
			.min_us = base_us - 500,
			.max_us = base_us + 1000,
			.jitter_us = 300,
			.sent = 10,
			.lost = i == 7,
			.state = 4,
		};
	return m;
}

static void add_minute(struct bench *b, const struct store_minute *m)
{
	assert_true(store_minute(b->store, m));
}

static void test_seconds_come_back_as_they_were(void **state)
{
	const struct store_span hour = {.path = "hub/isp1",
					.since_s = 6000,
					.until_s = 9600,
					.now_s = 9600,
					.points = 2000};
	struct store_minute m = steady("hub/isp1", 101, 20000);
	struct store_span short_one = hour;
	struct bench b;

	(void)state;
	setup(&b);
	m.sample[1] =
		(struct store_sample){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX,
				      UINT32_MAX, 400,	      300,	  2};
	m.sample[2].state = 0; /* nobody looked */
	add_minute(&b, &m);
	m.sample[0].delay_us = 22000; /* the same minute again replaces */
	add_minute(&b, &m);
	short_one.until_s = 6120;
	ask_history(&b, &short_one);
	assert_int_equal(b.tier_s, 1);
	assert_int_equal(b.step_s, 1);
	assert_int_equal(b.n, 59);
	assert_int_equal(b.points[0].time_s, 6060);
	assert_int_equal(b.points[0].f.delay_us, 22000);
	assert_int_equal(b.points[0].f.p95_us, 20900);
	assert_int_equal(b.points[0].f.min_us, 19500);
	assert_int_equal(b.points[0].f.max_us, 21000);
	assert_int_equal(b.points[0].f.jitter_us, 300);
	assert_int_equal(b.points[0].f.sent, 10);
	assert_int_equal(b.points[0].f.up_s, 1);
	assert_int_equal(b.points[1].f.delay_us, UINT32_MAX);
	assert_int_equal(b.points[1].f.max_us, UINT32_MAX);
	assert_int_equal(b.points[1].f.sent, 255); /* more does not fit */
	assert_int_equal(b.points[1].f.up_s, 0);
	assert_int_equal(b.points[2].time_s, 6063);

	/* What is not written yet is there, in its place. */
	m = steady("hub/isp1", 102, 30000);
	short_one.live = &m;
	ask_history(&b, &short_one);
	assert_int_equal(b.n, 59); /* it begins where the question ends */
	short_one.until_s = 6125;
	ask_history(&b, &short_one);
	assert_int_equal(b.n, 64);
	assert_int_equal(b.points[63].time_s, 6124);
	assert_int_equal(b.points[63].f.delay_us, 30004);

	ask_history(&b, &(struct store_span){.path = "hub/lte",
					     .since_s = 6000,
					     .until_s = 9600,
					     .now_s = 9600,
					     .points = 10});
	assert_int_equal(b.n, 0);
	teardown(&b);
}

static void test_a_chart_is_thinned_and_keeps_its_peaks(void **state)
{
	struct store_span span = {.path = "hub/isp1",
				  .until_s = 7200,
				  .now_s = 7200,
				  .points = 100};
	struct store_minute m;
	struct bench b;
	uint32_t lost = 0;
	bool peak = false;

	(void)state;
	setup(&b);
	for (int64_t i = 60; i < 120; i++) {
		m = steady("hub/isp1", i, 20000);
		if (i == 77) {
			m.sample[13].max_us = 431000;
			m.sample[13].p95_us = 430000;
		}
		add_minute(&b, &m);
	}
	span.since_s = 3600;
	ask_history(&b, &span);
	assert_int_equal(b.tier_s, 60); /* 36 s a point: minutes are as good */
	assert_int_equal(b.step_s, 60);
	assert_int_equal(b.n, 60);
	/* One bad second of a minute: seen in its maximum, not in its percentile. */
	assert_int_equal(b.points[17].f.max_us, 431000);
	assert_int_equal(b.points[17].f.p95_us, 20900);
	span.points = 1000;
	ask_history(&b, &span);
	assert_int_equal(b.tier_s, 1);
	assert_int_equal(b.step_s, 5);
	assert_int_equal(b.n, 720);
	for (size_t i = 0; i < b.n; i++) {
		assert_int_equal(b.points[i].time_s, 3600 + 5 * i);
		assert_int_equal(b.points[i].f.sent, 50);
		assert_int_equal(b.points[i].f.seen_s, 5);
		lost += b.points[i].f.lost;
		if (b.points[i].f.max_us == 431000) {
			assert_int_equal(b.points[i].time_s, 77 * 60 + 10);
			assert_int_equal(b.points[i].f.p95_us, 430000);
			peak = true;
		}
	}
	assert_true(peak);
	assert_int_equal(lost, 60);
	teardown(&b);
}

/* Hours of one path, the last day of them minute by minute, and half an hour more. */
static void fill_history(const char *path, int64_t hours)
{
	struct store_db *db;
	char why[160];

	assert_int_equal(store_db_open(path, 16 << 20, &db, why, sizeof(why)), 0);
	assert_int_equal(store_db_begin(db), 0);
	for (int64_t h = 0; h < hours; h++)
		for (int64_t i = 0; i < (h > hours - 24 ? 60 : 2); i++) {
			struct store_minute m =
				steady("hub/isp1", h * 60 + i, i ? 30000 : 20000);

			assert_int_equal(store_db_write_minute(db, &m), 0);
		}
	for (int64_t i = 0; i < 30; i++) {
		struct store_minute m = steady("hub/isp1", hours * 60 + i, 40000);

		assert_int_equal(store_db_write_minute(db, &m), 0);
	}
	assert_int_equal(store_db_commit(db), 0);
	store_db_close(db);
}

/* Seconds, minutes and hours of one path over 40 days, an hour of it in detail. */
static void test_old_history_becomes_minutes_and_hours(void **state)
{
	const int64_t hours = 40 * 24;
	const int64_t end_s = hours * 3600;
	struct store_span span = {.path = "hub/isp1",
				  .until_s = end_s + 1800,
				  .now_s = end_s + 1800,
				  .points = 1000};
	struct bench b;

	(void)state;
	setup(&b);
	store_close(b.store);
	fill_history(b.path, hours);
	open_store(&b);

	/* The last hour by seconds, the one before it no longer. */
	span.since_s = end_s - 1800;
	ask_history(&b, &span);
	assert_int_equal(b.tier_s, 1);
	assert_int_equal(b.n, 720);
	span.until_s = end_s - 1800;
	span.since_s = end_s - 5400;
	ask_history(&b, &span);
	assert_int_equal(b.tier_s, 60);
	assert_int_equal(b.n, 60);
	assert_int_equal(b.points[59].f.sent, 600);
	assert_int_equal(b.points[59].f.lost, 1);

	/* Forty days by hours; the running hour is joined from its minutes. */
	span.until_s = end_s + 1800;
	span.since_s = 0;
	ask_history(&b, &span);
	assert_int_equal(b.tier_s, 3600);
	assert_int_equal(b.step_s, 3600);
	assert_int_equal(b.n, hours + 1);
	assert_int_equal(b.points[0].f.sent, 1200);
	assert_int_equal(b.points[0].f.seen_s, 120);
	assert_in_range(b.points[0].f.delay_us, 25000, 25059);
	assert_int_equal(b.points[0].f.max_us, 31000);
	assert_int_equal(b.points[0].f.min_us, 19500);
	assert_int_equal(b.points[hours - 1].f.sent, 36000);
	assert_int_equal(b.points[hours].f.sent, 30 * 600);
	assert_in_range(b.points[hours].f.delay_us, 40000, 40059);

	/* Minutes are gone after 31 days, hours stay. */
	span.since_s = 3600;
	span.until_s = 7200;
	span.now_s = 7200; /* as if it were then: what is there is told */
	ask_history(&b, &span);
	assert_int_equal(b.n, 0);
	teardown(&b);
}

static void add_move(struct bench *b, int64_t id, const char *from, const char *to)
{
	const struct store_event e = {.id = id,
				      .time_us = id,
				      .kind = "steer",
				      .subject = "hub/voice",
				      .from = from,
				      .to = to};

	assert_true(store_event(b->store, &e));
}

static void test_moves_are_those_of_the_path_and_the_time(void **state)
{
	struct store_span span = {.path = "hub/isp1",
				  .since_s = 100,
				  .until_s = 200,
				  .now_s = 200,
				  .points = 100,
				  .moves = true};
	struct bench b;

	(void)state;
	setup(&b);
	add_move(&b, 99000000, NULL, "hub/isp1");
	add_move(&b, 110000000, "hub/isp1", "hub/isp2");
	add_move(&b, 120000000, "hub/isp11", "hub/isp2");
	add_move(&b, 130000000, "hub/isp2", "hub/lte+hub/isp1");
	add_move(&b, 200000000, "hub/isp1", "hub/isp2");
	settle(&b, 5);
	ask_history(&b, &span);
	assert_int_equal(b.n_moves, 2);
	assert_int_equal(b.move_ids[0], 110000000);
	assert_int_equal(b.move_ids[1], 130000000);
	for (int64_t i = 0; i < STORE_MOVES_MAX; i++)
		add_move(&b, 140000000 + i, "hub/isp1", "hub/isp2");
	settle(&b, 505);
	ask_history(&b, &span);
	assert_int_equal(b.n_moves, STORE_MOVES_MAX);
	assert_int_equal(b.moves_left_out, 2);
	assert_int_equal(b.move_ids[0], 140000000);
	teardown(&b);
}

static void test_an_event_keeps_its_number(void **state)
{
	struct store_event e = {.time_us = 5, .kind = "path", .subject = "x"};
	struct bench b;

	(void)state;
	setup(&b);
	e.id = 1764000000000000;
	e.reason = "one";
	assert_true(store_event(b.store, &e));
	e.reason = "two"; /* a clock set back: the next number, not the same */
	assert_true(store_event(b.store, &e));
	settle(&b, 2);
	ask(&b, &(struct store_filter){.after_id = e.id});
	assert_int_equal(b.n, 1);
	assert_string_equal(b.reasons[0], "two");
	ask(&b, &(struct store_filter){.after_id = e.id - 1});
	assert_int_equal(b.n, 2);
	teardown(&b);
}

static void test_a_minute_of_all_paths_is_one_write(void **state)
{
	static const char *const paths[] = {"hub/isp1", "hub/isp2", "hub/lte",
					    "aws/isp1", "aws/isp2", "aws/lte"};
	struct mono end = mono_add_ms(mono_now(), 20000);
	struct bench b;

	(void)state;
	setup(&b);
	for (int64_t minute = 0; minute < 5; minute++) {
		for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
			struct store_minute m = steady(paths[i], 58 + minute, 20000);

			add_minute(&b, &m);
		}
		while (store_counters(b.store).written <
			       (uint64_t)(minute + 1) * ARRAY_LEN(paths) &&
		       mono_before(mono_now(), end))
			loop_run_once(b.loop);
		/* The one in which an hour ends, too. */
		assert_int_equal(store_counters(b.store).commits, minute + 1);
	}
	teardown(&b);
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

static void test_a_file_that_was_emptied_is_told(void **state)
{
	struct bench b;

	(void)state;
	setup(&b);
	add(&b, 1000, "path", "old");
	settle(&b, 1);
	assert_int_equal(b.notices, 0); /* a new file is no damage */
	store_close(b.store);
	assert_int_equal(truncate(b.path, 0), 0);
	open_store(&b);
	wait_notice(&b, 1);
	assert_string_equal(b.to, "ok");
	assert_non_null(strstr(b.reason, "was empty"));
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

/*
 * What six paths leave in a year, as the file then is: 31 days of minutes, hours of
 * the other eleven months (of which only the minute that makes them is written
 * here), an hour of seconds. And a month of them is read while a reader waits.
 */
static void test_a_year_of_six_paths_is_small(void **state)
{
	enum { PATHS = 6, DAYS = 366, FINE = 32, BYTES_MAX = 28 << 20 };
	static const char *const paths[PATHS] = {"hub/isp1", "hub/isp2", "hub/lte",
						 "aws/isp1", "aws/isp2", "aws/lte"};
	struct store_span span = {.until_s = DAYS * 86400, .now_s = DAYS * 86400};
	struct mono begun;
	struct store_db *db;
	struct bench b;
	struct stat st;
	char why[160];

	(void)state;
	setup(&b);
	store_close(b.store);
	assert_int_equal(store_db_open(b.path, 256 << 20, &db, why, sizeof(why)), 0);
	for (int64_t day = 0; day < DAYS; day++) {
		assert_int_equal(store_db_shrink(db), 0);
		assert_int_equal(store_db_begin(db), 0);
		for (int64_t i = 0; i < 1440; i += day < DAYS - FINE ? 60 : 1)
			for (int p = 0; p < PATHS; p++) {
				struct store_minute m =
					steady(paths[p], day * 1440 + i,
					       20000 + (uint32_t)(p * 7000 + i * 13));

				assert_int_equal(store_db_write_minute(db, &m), 0);
			}
		assert_int_equal(store_db_commit(db), 0);
	}
	store_db_close(db);
	assert_int_equal(stat(b.path, &st), 0);
	print_message("# a year of six paths: %lld bytes\n", (long long)st.st_size);
	assert_true(st.st_size < BYTES_MAX);
	open_store(&b);
	ask(&b, &(struct store_filter){0}); /* it is open */
	begun = mono_now();
	for (int p = 0; p < PATHS; p++) {
		span.path = paths[p];
		span.since_s = span.until_s - 30 * 86400;
		span.points = 2000; /* 1,440 of half an hour, read from minutes */
		ask_history(&b, &span);
		assert_int_equal(b.tier_s, 60);
		assert_int_equal(b.n, 1440);
	}
	print_message("# a month of them was read in %lld ms\n",
		      (long long)mono_diff_ms(mono_now(), begun));
	span.since_s = 0;
	ask_history(&b, &span);
	assert_int_equal(b.tier_s, 3600);
	assert_int_equal(b.step_s, 7200 * 3);
	assert_int_equal(b.n, DAYS * 4);
	teardown(&b);
}

/* Many paths on a small disk: the oldest rows go, the newest stay, of each kind. */
static void test_the_file_stays_below_its_bound(void **state)
{
	enum { PATHS = 50, MINUTES = 240 };
	struct store_span span = {.path = "hub/isp7",
				  .since_s = 0,
				  .until_s = MINUTES * 60,
				  .now_s = MINUTES * 60,
				  .points = 2000};
	struct store_db *db;
	struct bench b;
	struct stat st;
	char path[32];
	char why[160];

	(void)state;
	setup(&b);
	store_close(b.store);
	assert_int_equal(store_db_open(b.path, BOUND, &db, why, sizeof(why)), 0);
	for (int64_t minute = 0; minute < MINUTES; minute++) {
		assert_int_equal(store_db_shrink(db), 0);
		assert_int_equal(store_db_begin(db), 0);
		for (int i = 0; i < PATHS; i++) {
			struct store_minute m = steady(path, minute, 20000);

			snprintf(path, sizeof(path), "hub/isp%d", i);
			assert_int_equal(store_db_write_minute(db, &m), 0);
		}
		assert_int_equal(store_db_commit(db), 0);
	}
	store_db_close(db);
	assert_int_equal(stat(b.path, &st), 0);
	assert_true(st.st_size <= BOUND + 4096);
	open_store(&b);
	ask_history(&b, &span);
	assert_int_equal(b.tier_s, 60); /* what was kept of four hours */
	assert_true(b.n > 60);
	assert_int_equal(b.points[b.n - 1].time_s, MINUTES * 60 - 60);
	span.since_s = MINUTES * 60 - 300;
	ask_history(&b, &span);
	assert_int_equal(b.tier_s, 1);
	assert_int_equal(b.n, 300);
	teardown(&b);
}

static void test_only_the_newest_events_stay(void **state)
{
	enum { MOST = 4 * 1024 * 1024 / 1280 };
	struct store_filter all = {.limit = STORE_LIMIT_MAX};
	struct store_db *db;
	struct bench b;
	char why[160];

	(void)state;
	setup(&b);
	store_close(b.store);
	assert_int_equal(store_db_open(b.path, 4 << 20, &db, why, sizeof(why)), 0);
	for (int64_t i = 1; i <= 2 * MOST; i++) {
		const struct store_event e = {.id = i * 1000000,
					      .time_us = i,
					      .kind = "path",
					      .subject = "x",
					      .reason = "y"};

		if (i % 100 == 1) {
			assert_int_equal(store_db_shrink(db), 0);
			assert_int_equal(store_db_begin(db), 0);
		}
		assert_int_equal(store_db_write_event(db, &e), 0);
		if (i % 100 == 0 || i == 2 * MOST)
			assert_int_equal(store_db_commit(db), 0);
	}
	store_db_close(db);
	open_store(&b);
	ask(&b, &all);
	assert_in_range(b.n, MOST, MOST + MOST / 25);
	all.after_id = 2 * MOST * 1000000LL - 1;
	ask(&b, &all);
	assert_int_equal(b.n, 1); /* the last one is there */
	teardown(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_come_back_in_order_and_filtered),
		cmocka_unit_test(test_many_events_are_made_text_beside_the_loop),
		cmocka_unit_test(test_seconds_come_back_as_they_were),
		cmocka_unit_test(test_a_chart_is_thinned_and_keeps_its_peaks),
		cmocka_unit_test(test_old_history_becomes_minutes_and_hours),
		cmocka_unit_test(test_moves_are_those_of_the_path_and_the_time),
		cmocka_unit_test(test_an_event_keeps_its_number),
		cmocka_unit_test(test_a_minute_of_all_paths_is_one_write),
		cmocka_unit_test(test_a_year_of_six_paths_is_small),
		cmocka_unit_test(test_a_damaged_file_is_moved_aside_once),
		cmocka_unit_test(test_a_file_that_was_emptied_is_told),
		cmocka_unit_test(test_a_newer_or_foreign_file_is_not_touched),
		cmocka_unit_test(test_the_queue_is_bounded_and_says_what_it_left_out),
		cmocka_unit_test(test_the_file_stays_below_its_bound),
		cmocka_unit_test(test_only_the_newest_events_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
