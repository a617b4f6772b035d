/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The schema, and what writes into it.
 *
 * PRAGMA user_version counts schemas: migration[i] brings a file from version i
 * to i + 1, each in a transaction of its own. A file with a higher number was
 * written by a newer edged and is left as it is.
 *
 * WAL with synchronous=NORMAL: a commit is not lost when the process is killed;
 * after a power cut the last commits may be missing, the file is whole.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edged/store_sql.h"
#include "lib/alloc.h"

enum {
	APPLICATION_ID = 0x45444744, /* "EDGD" */
	PAGE_BYTES = 4096,
	BUSY_MS = 200, /* for another program's lock */
	BYTES_PER_EVENT = 1280, /* of max_bytes: how many events are kept */
	SHRINK_PERCENT = 90, /* of max_bytes in use: the oldest rows go */
	EVENT_PARTS = 50, /* events are deleted so many at a time: one part */
};

static const char *const migration[] = {
	"CREATE TABLE event("
	" id INTEGER PRIMARY KEY, time_us INTEGER NOT NULL, kind TEXT NOT NULL,"
	" subject TEXT NOT NULL, from_state TEXT, to_state TEXT, reason TEXT,"
	" numbers TEXT);"
	"CREATE INDEX event_time ON event(time_us);"
	"CREATE VIEW decision AS SELECT id, time_us,"
	" json_extract(numbers, '$.peer') AS peer,"
	" json_extract(numbers, '$.class') AS class,"
	" from_state, to_state, reason, numbers FROM event WHERE kind = 'steer';"
	"CREATE TABLE path(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
	"CREATE TABLE history(path INTEGER NOT NULL REFERENCES path(id),"
	" minute INTEGER NOT NULL, samples BLOB NOT NULL, histogram BLOB NOT NULL,"
	" PRIMARY KEY(path, minute)) WITHOUT ROWID;",

	/*
	 * Three tables of history: id is path << 32 | minute (hour: | hour) since the
	 * epoch. Seconds are packed, as store_history.c says.
	 */
	"DROP TABLE history;"
	"CREATE INDEX event_kind ON event(kind, time_us);"
	"CREATE TABLE second(id INTEGER PRIMARY KEY, samples BLOB NOT NULL);"
	"CREATE TABLE minute(id INTEGER PRIMARY KEY, p50_us INTEGER, p95_us INTEGER,"
	" min_us INTEGER, max_us INTEGER, jitter_us INTEGER, jitter_max_us INTEGER,"
	" sent INTEGER, lost INTEGER, seen_s INTEGER, up_s INTEGER);"
	"CREATE TABLE hour(id INTEGER PRIMARY KEY, p50_us INTEGER, p95_us INTEGER,"
	" min_us INTEGER, max_us INTEGER, jitter_us INTEGER, jitter_max_us INTEGER,"
	" sent INTEGER, lost INTEGER, seen_s INTEGER, up_s INTEGER);",
};

int store_sql_error(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	}
	return -EIO;
}

int store_sql_text(sqlite3_stmt *st, int at, const char *text)
{
	if (!text)
		return sqlite3_bind_null(st, at);
	return sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

void store_db_why(const struct store_db *db, char *why, size_t why_size)
{
	snprintf(why, why_size, "%s", sqlite3_errmsg(db->sql));
}

int store_sql_run(struct store_db *db, const char *sql)
{
	return store_sql_error(sqlite3_exec(db->sql, sql, NULL, NULL, NULL));
}

int store_sql_number(struct store_db *db, const char *sql, int64_t *ret)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->sql, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*ret = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? -EIO : store_sql_error(rc);
}

/* Damage is found now rather than by the row that happens to meet it. */
static int check_whole(struct store_db *db, char *why, size_t why_size)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db->sql, "PRAGMA quick_check(1)", -1, &st, NULL);
	int err;

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	err = store_sql_error(rc);
	if (rc == SQLITE_ROW) {
		const char *said = (const char *)sqlite3_column_text(st, 0);

		if (!said || strcmp(said, "ok") != 0) {
			snprintf(why, why_size, "%.100s", said ? said : "unreadable");
			for (char *p = why; *p; p++)
				if (*p == '\n')
					*p = ' ';
			err = -EBADMSG;
		}
	} else if (err < 0) {
		store_db_why(db, why, why_size);
	}
	sqlite3_finalize(st);
	return err;
}

static int migrate(struct store_db *db, char *why, size_t why_size)
{
	const int ours = (int)(sizeof(migration) / sizeof(migration[0]));
	int64_t version;
	int64_t app;
	int64_t tables;
	int err;

	err = store_sql_number(db, "PRAGMA user_version", &version);
	if (!err)
		err = store_sql_number(db, "PRAGMA application_id", &app);
	if (!err)
		err = store_sql_number(db, "SELECT count(*) FROM sqlite_schema",
				       &tables);
	if (err)
		goto fail;
	if (app != APPLICATION_ID && (tables > 0 || app != 0)) {
		snprintf(why, why_size, "the file is the database of another program");
		return -EPROTONOSUPPORT;
	}
	if (version > ours) {
		snprintf(
			why, why_size,
			"the file was written by a newer edged (schema %lld, ours is %d)",
			(long long)version, ours);
		return -EPROTONOSUPPORT;
	}
	for (int v = (int)version; !err && v < ours; v++) {
		char *sql =
			ed_asprintf("BEGIN IMMEDIATE; %s PRAGMA application_id = %d;"
				    "PRAGMA user_version = %d; COMMIT",
				    migration[v], APPLICATION_ID, v + 1);

		err = store_sql_run(db, sql);
		free(sql);
	}
	if (!err)
		return 0;
fail:
	store_db_why(db, why, why_size);
	store_db_abort(db);
	return err;
}

static int prepare(struct store_db *db)
{
	/* An id that is there already (a clock set back) becomes the next one. */
	static const char *const sql =
		"INSERT INTO event(id, time_us, kind, subject, from_state, to_state,"
		" reason, numbers) VALUES(nullif(?1, (SELECT id FROM event WHERE id = ?1)),"
		" ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
	int rc = sqlite3_prepare_v3(db->sql, sql, -1, SQLITE_PREPARE_PERSISTENT,
				    &db->add_event, NULL);

	if (rc != SQLITE_OK)
		return store_sql_error(rc);
	return store_history_open(db);
}

/* The file is made by us, so that its mode is ours; -wal and -shm copy it. */
static int make_file(const char *path, char *why, size_t why_size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (fd < 0) {
		int err = -errno;

		snprintf(why, why_size, "%s: %s", path, strerror(-err));
		return err == -EROFS || err == -ENOSPC ? err : -EACCES;
	}
	close(fd);
	return 0;
}

int store_db_open(const char *path, uint64_t max_bytes, struct store_db **ret,
		  char *why, size_t why_size)
{
	struct store_db *db;
	char sql[256];
	int err = make_file(path, why, why_size);
	int rc;

	if (err)
		return err;
	db = ed_alloc(sizeof(*db));
	db->max_bytes = max_bytes;
	db->events = -1;
	rc = sqlite3_open_v2(path, &db->sql,
			     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		err = store_sql_error(rc);
		goto fail_why;
	}
	sqlite3_busy_timeout(db->sql, BUSY_MS);
	sqlite3_extended_result_codes(db->sql, 1);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	err = check_whole(db, why, why_size);
	if (err)
		goto fail;
	err = migrate(db, why, why_size);
	if (err)
		goto fail;
	snprintf(sql, sizeof(sql),
		 "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		 "PRAGMA cache_size = -1024; PRAGMA temp_store = MEMORY;"
		 "PRAGMA journal_size_limit = 1048576; PRAGMA max_page_count = %llu",
		 (unsigned long long)(max_bytes / PAGE_BYTES + 1));
	err = store_sql_run(db, sql);
	if (!err)
		err = prepare(db);
	if (err)
		goto fail_why;
	*ret = db;
	return 0;

fail_why:
	if (db->sql)
		store_db_why(db, why, why_size);
fail:
	store_db_close(db);
	return err;
}

void store_db_close(struct store_db *db)
{
	if (!db)
		return;
	sqlite3_finalize(db->add_event);
	store_history_close(db);
	sqlite3_close(db->sql);
	free(db);
}

int store_db_begin(struct store_db *db)
{
	return store_sql_run(db, "BEGIN IMMEDIATE");
}

int store_db_commit(struct store_db *db)
{
	return store_sql_run(db, "COMMIT");
}

void store_db_abort(struct store_db *db)
{
	if (!sqlite3_get_autocommit(db->sql))
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	store_history_abort(db);
	db->events = -1;
}

int store_sql_finish(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return store_sql_error(rc);
}

int store_db_write_event(struct store_db *db, const struct store_event *event)
{
	sqlite3_stmt *st = db->add_event;

	if (event->id)
		sqlite3_bind_int64(st, 1, event->id);
	sqlite3_bind_int64(st, 2, event->time_us);
	store_sql_text(st, 3, event->kind);
	store_sql_text(st, 4, event->subject);
	store_sql_text(st, 5, event->from);
	store_sql_text(st, 6, event->to);
	store_sql_text(st, 7, event->reason);
	store_sql_text(st, 8, event->numbers);
	if (db->events >= 0)
		db->events++;
	return store_sql_finish(st);
}

/* Of the events the newest stay; counting them is left to when it matters. */
static int shrink_events(struct store_db *db)
{
	int64_t most = (int64_t)(db->max_bytes / BYTES_PER_EVENT);
	char sql[200];
	int err = 0;

	if (db->events < 0)
		err = store_sql_number(db, "SELECT count(*) FROM event", &db->events);
	if (err || db->events <= most + most / EVENT_PARTS)
		return err;
	snprintf(sql, sizeof(sql),
		 "DELETE FROM event WHERE id <= (SELECT id FROM event ORDER BY id"
		 " LIMIT 1 OFFSET %lld)",
		 (long long)(db->events - most - 1));
	err = store_sql_run(db, sql);
	db->events = -1;
	return err;
}

int store_db_shrink(struct store_db *db)
{
	int64_t pages;
	int64_t spare;
	int err;

	err = shrink_events(db);
	if (!err)
		err = store_sql_number(db, "PRAGMA page_count", &pages);
	if (!err)
		err = store_sql_number(db, "PRAGMA freelist_count", &spare);
	if (err || (uint64_t)(pages - spare) * PAGE_BYTES <
			   db->max_bytes / 100 * SHRINK_PERCENT)
		return err;
	return store_history_shrink(db);
}

void store_db_checkpoint(struct store_db *db)
{
	sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL,
				  NULL);
}
