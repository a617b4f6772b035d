/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to the database; run on the store's thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edged/store_sql.h"
#include "lib/alloc.h"
#include "lib/rbuf.h"

enum { LIMIT_DEFAULT = 1000 };

static char *column(sqlite3_stmt *st, int at)
{
	return ed_strdup((const char *)sqlite3_column_text(st, at));
}

void store_db_events_free(struct store_event *rows, size_t n)
{
	for (size_t i = 0; rows && i < n; i++) {
		free((char *)(uintptr_t)rows[i].kind);
		free((char *)(uintptr_t)rows[i].subject);
		free((char *)(uintptr_t)rows[i].from);
		free((char *)(uintptr_t)rows[i].to);
		free((char *)(uintptr_t)rows[i].reason);
		free((char *)(uintptr_t)rows[i].numbers);
	}
	free(rows);
}

static void take_event(sqlite3_stmt *st, struct store_event *e)
{
	*e = (struct store_event){
		.id = sqlite3_column_int64(st, 0),
		.time_us = sqlite3_column_int64(st, 1),
		.kind = column(st, 2),
		.subject = column(st, 3),
		.from = column(st, 4),
		.to = column(st, 5),
		.reason = column(st, 6),
		.numbers = column(st, 7),
	};
}

/* The newest first, as the limit wants; the caller gets them the other way round. */
static void turn_round(struct store_event *rows, size_t n)
{
	for (size_t i = 0; i < n / 2; i++) {
		struct store_event e = rows[i];

		rows[i] = rows[n - 1 - i];
		rows[n - 1 - i] = e;
	}
}

int store_db_events(struct store_db *db, const struct store_filter *filter,
		    struct store_event **ret, size_t *ret_n)
{
	static const char *const sql =
		"SELECT id, time_us, kind, subject, from_state, to_state, reason, numbers"
		" FROM event WHERE (?1 = 0 OR time_us >= ?1) AND (?2 = 0 OR time_us < ?2)"
		" AND id > ?3 AND (?4 IS NULL OR kind = ?4)"
		" AND (?5 IS NULL OR subject = ?5) ORDER BY id DESC LIMIT ?6";
	unsigned int limit = filter->limit ? filter->limit : LIMIT_DEFAULT;
	struct store_event *rows = NULL;
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	int rc;

	if (limit > STORE_LIMIT_MAX)
		limit = STORE_LIMIT_MAX;
	rc = sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL);
	if (rc != SQLITE_OK)
		return store_sql_error(rc);
	sqlite3_bind_int64(st, 1, filter->since_us);
	sqlite3_bind_int64(st, 2, filter->until_us);
	sqlite3_bind_int64(st, 3, filter->after_id);
	store_sql_text(st, 4, filter->kind);
	store_sql_text(st, 5, filter->subject);
	sqlite3_bind_int64(st, 6, limit);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (n % 64 == 0)
			rows = ed_realloc(rows, n + 64, sizeof(*rows));
		take_event(st, &rows[n++]);
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE) {
		store_db_events_free(rows, n);
		return store_sql_error(rc);
	}
	turn_round(rows, n);
	*ret = rows;
	*ret_n = n;
	return 0;
}

void store_db_minutes_free(struct store_minute *rows, size_t n)
{
	for (size_t i = 0; rows && i < n; i++)
		free((char *)(uintptr_t)rows[i].path);
	free(rows);
}

/* False when the packed bytes are not ours. */
static bool unpack_minute(struct store_minute *m, struct rbuf samples,
			  struct rbuf histogram)
{
	for (int i = 0; i < STORE_MINUTE_SAMPLES; i++) {
		struct store_sample *s = &m->sample[i];

		s->delay_us = rbuf_u32(&samples);
		s->jitter_us = (uint32_t)rbuf_u8(&samples) << 16;
		s->jitter_us |= rbuf_u16(&samples);
		if (s->jitter_us == 0xffffff)
			s->jitter_us = UINT32_MAX;
		s->sent = rbuf_u8(&samples);
		s->lost = rbuf_u8(&samples);
		s->state = rbuf_u8(&samples);
	}
	for (int i = 0; i < STORE_BUCKETS; i++)
		m->histogram[i] = rbuf_u16(&histogram);
	return rbuf_done(&samples) && rbuf_done(&histogram);
}

static bool take_minute(sqlite3_stmt *st, const char *path, struct store_minute *m)
{
	*m = (struct store_minute){.minute = sqlite3_column_int64(st, 0)};
	if (!unpack_minute(m,
			   rbuf_init(sqlite3_column_blob(st, 1),
				     (size_t)sqlite3_column_bytes(st, 1)),
			   rbuf_init(sqlite3_column_blob(st, 2),
				     (size_t)sqlite3_column_bytes(st, 2))))
		return false;
	m->path = ed_strdup(path);
	return true;
}

int store_db_history(struct store_db *db, const char *path, int64_t since,
		     int64_t until, struct store_minute **ret, size_t *ret_n)
{
	static const char *const sql =
		"SELECT minute, samples, histogram FROM history"
		" WHERE path = (SELECT id FROM path WHERE name = ?1)"
		" AND minute >= ?2 AND minute < ?3 ORDER BY minute LIMIT ?4";
	struct store_minute *rows = NULL;
	sqlite3_stmt *st = NULL;
	size_t n = 0;
	int rc;

	rc = sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL);
	if (rc != SQLITE_OK)
		return store_sql_error(rc);
	store_sql_text(st, 1, path);
	sqlite3_bind_int64(st, 2, since);
	sqlite3_bind_int64(st, 3, until);
	sqlite3_bind_int64(st, 4, STORE_LIMIT_MAX);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (n % 64 == 0)
			rows = ed_realloc(rows, n + 64, sizeof(*rows));
		if (take_minute(st, path, &rows[n]))
			n++;
	}
	sqlite3_finalize(st);
	if (rc != SQLITE_DONE) {
		store_db_minutes_free(rows, n);
		return store_sql_error(rc);
	}
	*ret = rows;
	*ret_n = n;
	return 0;
}
