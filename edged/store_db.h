/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store_db - the database file itself: open, migrate, write, shrink, ask
 *
 * Used by the store's thread only; may wait for the disk as long as that takes.
 * Together store_schema.c, store_history.c and store_query.c are the only files that
 * know SQLite.
 *
 * Every function returns 0 or one of:
 *	-EBADMSG	 the file is damaged
 *	-EPROTONOSUPPORT the file is of a newer schema, or not ours
 *	-ENOSPC -EROFS -EACCES -EBUSY -EIO	as they say
 */
#ifndef ED_EDGED_STORE_DB_H
#define ED_EDGED_STORE_DB_H

#include "edged/store.h"

struct store_db;

/* Open or create path and bring it to our schema; why gets a sentence on failure. */
int store_db_open(const char *path, uint64_t max_bytes, struct store_db **ret,
		  char *why, size_t why_size);
void store_db_close(struct store_db *db);

/* The sentence of the last failure on db. */
void store_db_why(const struct store_db *db, char *why, size_t why_size);

/* A transaction around the writes below; a failed one is rolled back by abort. */
int store_db_begin(struct store_db *db);
int store_db_commit(struct store_db *db);
void store_db_abort(struct store_db *db);

int store_db_write_event(struct store_db *db, const struct store_event *event);

/* The minute's seconds, the minute, and the hours that have ended by it. */
int store_db_write_minute(struct store_db *db, const struct store_minute *minute);

/* Delete a slice of the oldest rows where the file is near max_bytes: before writes. */
int store_db_shrink(struct store_db *db);

/* Empty the WAL as far as readers let us, and give its bytes back. */
void store_db_checkpoint(struct store_db *db);

/* Rows for the caller to free with store_db_events_free. */
int store_db_events(struct store_db *db, const struct store_filter *filter,
		    struct store_event **ret, size_t *ret_n);
void store_db_events_free(struct store_event *rows, size_t n);
int store_db_history(struct store_db *db, const struct store_span *span,
		     struct store_history *ret);
void store_db_history_fini(struct store_history *h);

#endif
