/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_sql - what store_schema.c and store_query.c share of SQLite */
#ifndef ED_EDGED_STORE_SQL_H
#define ED_EDGED_STORE_SQL_H

#include <sqlite3.h>

#include "edged/store_db.h"

enum {
	STORE_SAMPLE_BYTES = 10, /* delay u32, jitter u24, sent u8, lost u8, state u8 */
	STORE_SAMPLES_BYTES = STORE_MINUTE_SAMPLES * STORE_SAMPLE_BYTES,
	STORE_HISTOGRAM_BYTES = STORE_BUCKETS * 2, /* u16 each */
};

struct store_db {
	sqlite3 *sql;
	uint64_t max_bytes;
	uint64_t page_bytes;
	sqlite3_stmt *add_event;
	sqlite3_stmt *add_path;
	sqlite3_stmt *add_minute;
};

/* What SQLite said, as a negative errno of store_db.h. */
int store_sql_error(int rc);

/* Bind text, or NULL when it is NULL. */
int store_sql_text(sqlite3_stmt *st, int at, const char *text);

#endif
