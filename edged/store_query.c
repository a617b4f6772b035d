/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events asked for; run on the store's thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edged/store_sql.h"
#include "lib/alloc.h"

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

/* True when path is one of names, which are joined by "+". */
static bool has_path(const char *names, const char *path)
{
	size_t len = strlen(path);

	/* Ends: each round goes behind one "+". */
	while (names) {
		if (strncmp(names, path, len) == 0 &&
		    (names[len] == '\0' || names[len] == '+'))
			return true;
		names = strchr(names, '+');
		if (names)
			names++;
	}
	return false;
}

int store_query_moves(struct store_db *db, const struct store_span *span,
		      struct store_history *h)
{
	static const char *const sql =
		"SELECT id, time_us, kind, subject, from_state, to_state, reason, numbers"
		" FROM event WHERE kind = 'steer' AND time_us >= ?1 AND time_us < ?2"
		" AND (instr(from_state, ?3) OR instr(to_state, ?3))"
		" ORDER BY time_us DESC";
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL);

	if (rc != SQLITE_OK)
		return store_sql_error(rc);
	sqlite3_bind_int64(st, 1, h->since_s * 1000000);
	sqlite3_bind_int64(st, 2, h->until_s * 1000000);
	store_sql_text(st, 3, span->path);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (!has_path((const char *)sqlite3_column_text(st, 4), span->path) &&
		    !has_path((const char *)sqlite3_column_text(st, 5), span->path))
			continue;
		if (h->n_moves == STORE_MOVES_MAX) {
			h->moves_left_out++;
			continue;
		}
		if (h->n_moves % 64 == 0)
			h->moves = ed_realloc(h->moves, h->n_moves + 64,
					      sizeof(*h->moves));
		take_event(st, &h->moves[h->n_moves++]);
	}
	sqlite3_finalize(st);
	turn_round(h->moves, h->n_moves);
	return rc == SQLITE_DONE ? 0 : store_sql_error(rc);
}
