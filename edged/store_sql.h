/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_sql - what store_schema.c, store_history.c and store_query.c share */
#ifndef ED_EDGED_STORE_SQL_H
#define ED_EDGED_STORE_SQL_H

#include <sqlite3.h>

#include "edged/store_db.h"

struct store_history_db;

struct store_db {
	sqlite3 *sql;
	uint64_t max_bytes;
	sqlite3_stmt *add_event;
	int64_t events; /* rows, or a few more than there are; -1: not counted */
	struct store_history_db *history; /* store_history.c's */
};

/* Open and close what store_history.c needs; forget what a lost transaction said. */
int store_history_open(struct store_db *db);
void store_history_close(struct store_db *db);
void store_history_abort(struct store_db *db);

/* Delete a slice of the oldest history. */
int store_history_shrink(struct store_db *db);

/* The moves of span between h's times, into h. */
int store_query_moves(struct store_db *db, const struct store_span *span,
		      struct store_history *h);

/* Run sql; the first number that it gives. */
int store_sql_run(struct store_db *db, const char *sql);
int store_sql_number(struct store_db *db, const char *sql, int64_t *ret);

/* Run a prepared statement to its end and make it ready for the next row. */
int store_sql_finish(sqlite3_stmt *st);

/* What SQLite said, as a negative errno of store_db.h. */
int store_sql_error(int rc);

/* Bind text, or NULL when it is NULL. */
int store_sql_text(sqlite3_stmt *st, int at, const char *text);

#endif
