/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Path history in the database: seconds for an hour, minutes for 30 days, hours for
 * a year, each a table whose id is path << 32 | number of the minute or hour.
 *
 * A minute arrives whole: its seconds become one packed row, its figures one row of
 * `minute`. The first minute of a new hour joins the hours before it. What is too
 * old goes with the same write, a few rows at a time: a clock that jumps ahead for a
 * moment costs minutes of history, not all of it.
 *
 * Packed seconds: 60 times delay, p95, minimum, maximum, jitter (24 bits each,
 * 0xffffff unknown), sent, lost, state (8 bits each).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "edged/store_series.h"
#include "edged/store_sql.h"
#include "lib/alloc.h"
#include "lib/rbuf.h"
#include "lib/wbuf.h"

enum {
	SAMPLE_BYTES = 5 * 3 + 3,
	SECONDS_BYTES = STORE_MINUTE_SAMPLES * SAMPLE_BYTES,
	U24_MAX = 0xffffff,
	PRUNE_UNITS = 8, /* minutes or hours of a path that one write may delete */
	SHRINK_PARTS = 20, /* of what a table holds, one goes at a time */
	FIGURES = 10, /* columns of minute and hour behind id */
};

#define COLUMNS                                                                 \
	"p50_us, p95_us, min_us, max_us, jitter_us, jitter_max_us, sent, lost," \
	" seen_s, up_s"

enum tier { TIER_SECOND, TIER_MINUTE, TIER_HOUR, TIERS };

/* share: of the room in per cent, where not everything fits. */
static const struct {
	const char *table;
	int unit_s; /* what the low half of an id counts */
	int kept_s;
	int row_bytes; /* about, with what the tree costs */
	int share;
} tiers[TIERS] = {
	{"second", 60, STORE_SECONDS_KEPT_S, 1400, 40},
	{"minute", 60, STORE_MINUTES_KEPT_S, 60, 40},
	{"hour", 3600, STORE_HOURS_KEPT_S, 60, 20},
};

struct path_id {
	int64_t id;
	UT_hash_handle hh;
	char name[];
};

struct store_history_db {
	sqlite3_stmt *add_path;
	sqlite3_stmt *find_path;
	sqlite3_stmt *add[TIERS];
	sqlite3_stmt *prune[TIERS];
	sqlite3_stmt *read[TIERS];
	sqlite3_stmt *first[TIERS]; /* and ... */
	sqlite3_stmt *last[TIERS]; /* ... last number of a path */
	struct path_id *paths;
	int64_t joined; /* hours before this one are joined; 0: not known */
};

static int64_t id_of(int64_t path, int64_t number)
{
	return path << 32 | (number & UINT32_MAX);
}

/* --- open and close ------------------------------------------------------------- */

static int prepare(struct store_db *db, sqlite3_stmt **st, const char *fmt,
		   const char *table)
{
	char *sql = sqlite3_mprintf(fmt, table, table);
	int rc = sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT, st,
				    NULL);

	sqlite3_free(sql);
	return store_sql_error(rc);
}

static int prepare_tier(struct store_db *db, enum tier i)
{
	struct store_history_db *h = db->history;
	const char *table = tiers[i].table;
	int err;

	err = prepare(db, &h->add[i],
		      i == TIER_SECOND
			      ? "INSERT OR REPLACE INTO %s(id, samples) VALUES(?, ?)"
			      : "INSERT OR REPLACE INTO %s(id, " COLUMNS
				") VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		      table);
	/* ?1 is the path's first id, ?2 the first one to keep. */
	if (!err)
		err = prepare(db, &h->prune[i],
			      "DELETE FROM %s WHERE id >= ?1 AND id < min(?2,"
			      " (SELECT min(id) + ?3 FROM %s WHERE id >= ?1))",
			      table);
	if (!err)
		err = prepare(db, &h->read[i],
			      i == TIER_SECOND
				      ? "SELECT id, samples FROM %s"
					" WHERE id >= ? AND id < ? ORDER BY id"
				      : "SELECT id, " COLUMNS " FROM %s"
					" WHERE id >= ? AND id < ? ORDER BY id",
			      table);
	if (!err)
		err = prepare(db, &h->first[i],
			      "SELECT id & 0xffffffff FROM %s WHERE id >= ?1 AND"
			      " id < ?2 ORDER BY id LIMIT 1",
			      table);
	if (!err)
		err = prepare(db, &h->last[i],
			      "SELECT id & 0xffffffff FROM %s WHERE id >= ?1 AND"
			      " id < ?2 ORDER BY id DESC LIMIT 1",
			      table);
	return err;
}

int store_history_open(struct store_db *db)
{
	int err;

	db->history = ed_alloc(sizeof(*db->history));
	err = prepare(db, &db->history->add_path,
		      "INSERT INTO path(name) VALUES(?) ON CONFLICT DO NOTHING", "");
	if (!err)
		err = prepare(db, &db->history->find_path,
			      "SELECT id FROM path WHERE name = ?", "");
	for (enum tier i = 0; !err && i < TIERS; i++)
		err = prepare_tier(db, i);
	return err;
}

static void forget_paths(struct store_history_db *h)
{
	struct path_id *p;
	struct path_id *tmp;

	HASH_ITER (hh, h->paths, p, tmp) {
		HASH_DEL(h->paths, p);
		free(p);
	}
}

void store_history_close(struct store_db *db)
{
	struct store_history_db *h = db->history;

	if (!h)
		return;
	sqlite3_finalize(h->add_path);
	sqlite3_finalize(h->find_path);
	for (enum tier i = 0; i < TIERS; i++) {
		sqlite3_finalize(h->add[i]);
		sqlite3_finalize(h->prune[i]);
		sqlite3_finalize(h->read[i]);
		sqlite3_finalize(h->first[i]);
		sqlite3_finalize(h->last[i]);
	}
	forget_paths(h);
	free(h);
	db->history = NULL;
}

void store_history_abort(struct store_db *db)
{
	if (!db->history)
		return;
	forget_paths(db->history);
	db->history->joined = 0;
}

/* --- paths ------------------------------------------------------------------------ */

/* A number that st gives; -ENOENT where it gives none. */
static int take_number(sqlite3_stmt *st, int64_t *ret)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW && sqlite3_column_type(st, 0) != SQLITE_NULL)
		*ret = sqlite3_column_int64(st, 0);
	else if (rc == SQLITE_ROW)
		rc = SQLITE_DONE;
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return rc == SQLITE_DONE ? -ENOENT : store_sql_error(rc);
}

/* The number of the path called name, or -ENOENT. */
static int find_path(struct store_db *db, const char *name, int64_t *ret)
{
	store_sql_text(db->history->find_path, 1, name);
	return take_number(db->history->find_path, ret);
}

static int path_of(struct store_db *db, const char *name, int64_t *ret)
{
	struct store_history_db *h = db->history;
	struct path_id *p;
	int err;

	HASH_FIND_STR(h->paths, name, p);
	if (p) {
		*ret = p->id;
		return 0;
	}
	store_sql_text(h->add_path, 1, name);
	err = store_sql_finish(h->add_path);
	if (!err)
		err = find_path(db, name, ret);
	if (err)
		return err;
	p = ed_alloc(sizeof(*p) + strlen(name) + 1);
	memcpy(p->name, name, strlen(name) + 1);
	p->id = *ret;
	HASH_ADD_STR(h->paths, name, p);
	return 0;
}

/* --- rows --------------------------------------------------------------------------- */

static uint32_t capped(uint32_t v, uint32_t max)
{
	return v < max ? v : max;
}

static void put_u24(struct wbuf *w, uint32_t v)
{
	v = capped(v, U24_MAX);
	wbuf_u8(w, (uint8_t)(v >> 16));
	wbuf_u16(w, (uint16_t)v);
}

static uint32_t get_u24(struct rbuf *r)
{
	uint32_t v = (uint32_t)rbuf_u8(r) << 16;

	v |= rbuf_u16(r);
	return v == U24_MAX ? UINT32_MAX : v;
}

static void pack(const struct store_minute *m, uint8_t *bytes)
{
	struct wbuf w = wbuf_init(bytes, SECONDS_BYTES);

	for (int i = 0; i < STORE_MINUTE_SAMPLES; i++) {
		const struct store_sample *s = &m->sample[i];

		put_u24(&w, s->delay_us);
		put_u24(&w, s->p95_us);
		put_u24(&w, s->min_us);
		put_u24(&w, s->max_us);
		put_u24(&w, s->jitter_us);
		wbuf_u8(&w, (uint8_t)capped(s->sent, UINT8_MAX));
		wbuf_u8(&w, (uint8_t)capped(s->lost, UINT8_MAX));
		wbuf_u8(&w, s->state);
	}
}

/* False when the packed bytes are not ours. */
static bool unpack(struct rbuf r, struct store_minute *m)
{
	for (int i = 0; i < STORE_MINUTE_SAMPLES; i++) {
		struct store_sample *s = &m->sample[i];

		s->delay_us = get_u24(&r);
		s->p95_us = get_u24(&r);
		s->min_us = get_u24(&r);
		s->max_us = get_u24(&r);
		s->jitter_us = get_u24(&r);
		s->sent = rbuf_u8(&r);
		s->lost = rbuf_u8(&r);
		s->state = rbuf_u8(&r);
	}
	return rbuf_done(&r);
}

static void bind_us(sqlite3_stmt *st, int at, uint32_t v)
{
	if (v != UINT32_MAX)
		sqlite3_bind_int64(st, at, v);
}

static int write_figures(sqlite3_stmt *st, int64_t id, const struct store_figures *f)
{
	sqlite3_bind_int64(st, 1, id);
	bind_us(st, 2, f->delay_us);
	bind_us(st, 3, f->p95_us);
	bind_us(st, 4, f->min_us);
	bind_us(st, 5, f->max_us);
	bind_us(st, 6, f->jitter_us);
	bind_us(st, 7, f->jitter_max_us);
	sqlite3_bind_int64(st, 8, f->sent);
	sqlite3_bind_int64(st, 9, f->lost);
	sqlite3_bind_int64(st, 10, f->seen_s);
	sqlite3_bind_int64(st, 11, f->up_s);
	return store_sql_finish(st);
}

static uint32_t column_us(sqlite3_stmt *st, int at)
{
	if (sqlite3_column_type(st, at) == SQLITE_NULL)
		return UINT32_MAX;
	return (uint32_t)sqlite3_column_int64(st, at);
}

static struct store_figures take_figures(sqlite3_stmt *st)
{
	return (struct store_figures){
		.delay_us = column_us(st, 1),
		.p95_us = column_us(st, 2),
		.min_us = column_us(st, 3),
		.max_us = column_us(st, 4),
		.jitter_us = column_us(st, 5),
		.jitter_max_us = column_us(st, 6),
		.sent = (uint32_t)sqlite3_column_int64(st, 7),
		.lost = (uint32_t)sqlite3_column_int64(st, 8),
		.seen_s = (uint32_t)sqlite3_column_int64(st, 9),
		.up_s = (uint32_t)sqlite3_column_int64(st, 10),
	};
}

/* Join the rows of a path whose numbers are in [since, until) to series. */
static int read_figures(struct store_db *db, enum tier i, int64_t path, int64_t since,
			int64_t until, struct series *to)
{
	sqlite3_stmt *st = db->history->read[i];
	int rc;

	sqlite3_bind_int64(st, 1, id_of(path, since));
	sqlite3_bind_int64(st, 2, id_of(path, until));
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_figures f = take_figures(st);
		int64_t number = sqlite3_column_int64(st, 0) & UINT32_MAX;

		series_add(to, number * tiers[i].unit_s, &f);
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return store_sql_error(rc);
}

/* --- writing -------------------------------------------------------------------------- */

static int prune(struct store_db *db, enum tier i, int64_t path, int64_t now_s)
{
	sqlite3_stmt *st = db->history->prune[i];
	int64_t keep = (now_s - tiers[i].kept_s) / tiers[i].unit_s;

	if (keep <= 0)
		return 0;
	sqlite3_bind_int64(st, 1, id_of(path, 0));
	sqlite3_bind_int64(st, 2, id_of(path, keep));
	sqlite3_bind_int64(st, 3, PRUNE_UNITS);
	return store_sql_finish(st);
}

/* First or last number of the path in a table; -ENOENT where it has none. */
static int edge(sqlite3_stmt *st, int64_t path, int64_t *ret)
{
	sqlite3_bind_int64(st, 1, id_of(path, 0));
	sqlite3_bind_int64(st, 2, id_of(path + 1, 0));
	return take_number(st, ret);
}

/* The path's hours that have ended before hour and are not rows yet. */
static int join_path(struct store_db *db, int64_t path, int64_t hour)
{
	struct store_history_db *h = db->history;
	struct store_point *points = NULL;
	struct series *hours;
	int64_t since = -1;
	int err;
	size_t n;

	err = edge(h->last[TIER_HOUR], path, &since);
	if (err && err != -ENOENT)
		return err;
	hours = series_new(3600);
	err = read_figures(db, TIER_MINUTE, path, (since + 1) * 60, hour * 60, hours);
	n = series_take(hours, &points);
	series_free(hours);
	for (size_t i = 0; !err && i < n; i++)
		err = write_figures(h->add[TIER_HOUR],
				    id_of(path, points[i].time_s / 3600), &points[i].f);
	free(points);
	return err;
}

/* All paths of the database, for free(). */
static int all_paths(struct store_db *db, int64_t **ret, size_t *ret_n)
{
	sqlite3_stmt *st = NULL;
	int64_t *ids = NULL;
	size_t n = 0;
	int rc = sqlite3_prepare_v2(db->sql, "SELECT id FROM path", -1, &st, NULL);

	if (rc != SQLITE_OK)
		return store_sql_error(rc);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (n % 64 == 0)
			ids = ed_realloc(ids, n + 64, sizeof(*ids));
		ids[n++] = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE) {
		free(ids);
		return store_sql_error(rc);
	}
	*ret = ids;
	*ret_n = n;
	return 0;
}

/* Once an hour: those of all paths, and what is too old of paths that are gone. */
static int join_hours(struct store_db *db, int64_t hour)
{
	int64_t *ids = NULL;
	size_t n = 0;
	int err = all_paths(db, &ids, &n);

	for (size_t i = 0; !err && i < n; i++) {
		err = join_path(db, ids[i], hour);
		for (enum tier t = 0; !err && t < TIERS; t++)
			err = prune(db, t, ids[i], hour * 3600);
	}
	free(ids);
	if (!err)
		db->history->joined = hour;
	return err;
}

int store_db_write_minute(struct store_db *db, const struct store_minute *minute)
{
	struct store_history_db *h = db->history;
	struct store_figures f = series_of_minute(minute);
	uint8_t samples[SECONDS_BYTES];
	int64_t path;
	int64_t id;
	int err;

	if (minute->minute / 60 > h->joined) {
		err = join_hours(db, minute->minute / 60);
		if (err)
			return err;
	}
	err = path_of(db, minute->path, &path);
	if (err)
		return err;
	id = id_of(path, minute->minute);
	pack(minute, samples);
	sqlite3_bind_int64(h->add[TIER_SECOND], 1, id);
	sqlite3_bind_blob(h->add[TIER_SECOND], 2, samples, sizeof(samples),
			  SQLITE_STATIC);
	err = store_sql_finish(h->add[TIER_SECOND]);
	if (!err && f.seen_s)
		err = write_figures(h->add[TIER_MINUTE], id, &f);
	for (enum tier t = 0; !err && t < TIERS; t++)
		err = prune(db, t, path, minute->minute * 60);
	return err;
}

/* --- room ------------------------------------------------------------------------------- */

struct extent {
	int64_t first, last; /* numbers, over all paths */
	int64_t bytes; /* about */
};

static int measure(struct store_db *db, enum tier i, const int64_t *ids, size_t n,
		   struct extent *x)
{
	*x = (struct extent){.first = INT64_MAX};
	for (size_t p = 0; p < n; p++) {
		int64_t first;
		int64_t last;
		int err = edge(db->history->first[i], ids[p], &first);

		if (!err)
			err = edge(db->history->last[i], ids[p], &last);
		if (err == -ENOENT)
			continue;
		if (err)
			return err;
		x->bytes += (last - first + 1) * tiers[i].row_bytes;
		x->first = first < x->first ? first : x->first;
		x->last = last > x->last ? last : x->last;
	}
	return 0;
}

static int delete_before(struct store_db *db, enum tier i, const int64_t *ids, size_t n,
			 int64_t keep)
{
	char sql[120];
	int err = 0;

	for (size_t p = 0; !err && p < n; p++) {
		snprintf(sql, sizeof(sql),
			 "DELETE FROM %s WHERE id >= %lld AND id < %lld",
			 tiers[i].table, (long long)id_of(ids[p], 0),
			 (long long)id_of(ids[p], keep));
		err = store_sql_run(db, sql);
	}
	return err;
}

int store_history_shrink(struct store_db *db)
{
	struct extent x[TIERS];
	enum tier most = TIER_SECOND;
	int64_t *ids = NULL;
	size_t n = 0;
	int err = all_paths(db, &ids, &n);

	for (enum tier i = 0; !err && i < TIERS; i++) {
		err = measure(db, i, ids, n, &x[i]);
		if (!err &&
		    x[i].bytes * tiers[most].share > x[most].bytes * tiers[i].share)
			most = i;
	}
	if (!err && x[most].bytes)
		err = delete_before(db, most, ids, n,
				    x[most].first +
					    (x[most].last - x[most].first) /
						    SHRINK_PARTS +
					    1);
	free(ids);
	return err;
}

/* --- asking ------------------------------------------------------------------------------ */

/* The finest tier that reaches back so far and is not finer than the steps. */
static enum tier tier_of(const struct store_span *span, unsigned int *step_s)
{
	int64_t age = span->now_s - span->since_s;

	*step_s = series_step_s(span->until_s - span->since_s, span->points);
	if (*step_s < 60 && age <= STORE_SECONDS_KEPT_S)
		return TIER_SECOND;
	if (*step_s < 60)
		*step_s = 60;
	if (*step_s < 3600 && age <= STORE_MINUTES_KEPT_S)
		return TIER_MINUTE;
	if (*step_s < 3600)
		*step_s = 3600;
	return TIER_HOUR;
}

static int read_seconds(struct store_db *db, int64_t path,
			const struct store_history *h, struct series *to)
{
	sqlite3_stmt *st = db->history->read[TIER_SECOND];
	int rc;

	sqlite3_bind_int64(st, 1, id_of(path, h->since_s / 60));
	sqlite3_bind_int64(st, 2, id_of(path, h->until_s / 60 + 1));
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		struct store_minute m = {
			.minute = sqlite3_column_int64(st, 0) & UINT32_MAX,
		};

		if (unpack(rbuf_init(sqlite3_column_blob(st, 1),
				     (size_t)sqlite3_column_bytes(st, 1)),
			   &m))
			series_add_minute(to, &m, h->since_s, h->until_s);
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return store_sql_error(rc);
}

/* Hours, and then the minutes of those that are not joined yet. */
static int read_hours(struct store_db *db, int64_t path, const struct store_history *h,
		      struct series *to)
{
	int64_t since = h->since_s / 3600;
	int64_t last;
	int err = read_figures(db, TIER_HOUR, path, since, h->until_s / 3600, to);

	if (err)
		return err;
	err = edge(db->history->last[TIER_HOUR], path, &last);
	if (err && err != -ENOENT)
		return err;
	if (!err && last + 1 > since)
		since = last + 1;
	return read_figures(db, TIER_MINUTE, path, since * 60, h->until_s / 60, to);
}

static int read_points(struct store_db *db, const struct store_span *span,
		       enum tier tier, struct store_history *h)
{
	struct series *s = series_new(h->step_s);
	int64_t path;
	int err = find_path(db, span->path, &path);

	if (!err && tier == TIER_SECOND)
		err = read_seconds(db, path, h, s);
	else if (!err && tier == TIER_MINUTE)
		err = read_figures(db, tier, path, h->since_s / 60, h->until_s / 60, s);
	else if (!err)
		err = read_hours(db, path, h, s);
	if (err == -ENOENT)
		err = 0; /* a path of which nothing was written yet */
	if (!err && span->live)
		series_add_minute(s, span->live, h->since_s, h->until_s);
	h->n = series_take(s, &h->points);
	series_free(s);
	return err;
}

int store_db_history(struct store_db *db, const struct store_span *span,
		     struct store_history *ret)
{
	static const unsigned int tier_s[TIERS] = {1, 60, 3600};
	struct store_history h = {0};
	enum tier tier = tier_of(span, &h.step_s);
	int err;

	h.tier_s = tier_s[tier];
	h.since_s = span->since_s - span->since_s % h.step_s;
	h.until_s = (span->until_s + h.step_s - 1) / h.step_s * h.step_s;
	err = read_points(db, span, tier, &h);
	if (!err && span->moves)
		err = store_query_moves(db, span, &h);
	if (err)
		store_db_history_fini(&h);
	else
		*ret = h;
	return err;
}

void store_db_history_fini(struct store_history *h)
{
	free(h->points);
	store_db_events_free(h->moves, h->n_moves);
	h->points = NULL;
	h->moves = NULL;
	h->n = 0;
	h->n_moves = 0;
}
