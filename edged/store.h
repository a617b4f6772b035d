/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store - events, decisions and path history in SQLite, on a thread of its own
 *
 * The loop hands rows over and goes on: nothing here waits for a disk. The
 * queue between loop and thread is bounded; when it is full, rows are counted
 * and left out, and the gap becomes one event. Queries run on the same thread
 * and answer on the loop. Nothing that steers is kept only here.
 *
 * Files: PATH, PATH-wal, PATH-shm. Events are committed within 200 ms, history
 * once a minute (flash wear). kill -9 loses at most the last minute of history.
 *
 *  - a damaged file is moved aside once (PATH.damaged), one event says so, and
 *    history begins anew; the next damage replaces the older one aside;
 *  - a file of a newer schema is left untouched and nothing is written;
 *  - full disk, read-only folder, I/O errors: rows wait in memory up to the
 *    queue's bound; one event when it begins, one when it ends; a try each 5 s;
 *  - a reader that never closes keeps the WAL from being reused: above
 *    wal_max_bytes history is left out, above twice that events too, until the
 *    reader has gone;
 *  - size: seconds are kept for an hour, minutes for 30 days, hours for a year,
 *    and of events the newest; where that is more than max_bytes (a hub with very
 *    many paths) the oldest rows go earlier, those of whichever has more than its
 *    share.
 *
 * Never a key, never a secret.
 */
#ifndef ED_EDGED_STORE_H
#define ED_EDGED_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct store;

enum {
	STORE_MINUTE_SAMPLES = 60, /* one a second */
	STORE_LIMIT_MAX = 10000, /* events of one answer */
	STORE_POINTS_MAX = 2000, /* points of one answer */
	STORE_MOVES_MAX = 500, /* moves of one answer */
	STORE_SECONDS_KEPT_S = 3600 + 300, /* a chart of an hour fits, whenever asked */
	STORE_MINUTES_KEPT_S = 31 * 86400,
	STORE_HOURS_KEPT_S = 366 * 86400,
};

/* Something happened to the database itself: becomes an event of kind "store". */
typedef void store_notice(void *ctx, const char *from, const char *to,
			  const char *reason);

struct store_params {
	const char *path; /* the database file; its folder exists */
	uint64_t max_bytes; /* 0: 256 MiB */
	uint64_t wal_max_bytes; /* 0: 16 MiB */
	unsigned int queue_rows; /* 0: 4,096 */
	store_notice *notice; /* called on the loop */
	void *ctx;
};

/*
 * Start the thread. It opens the file by itself: a failure is a notice, not an
 * error here. Ends the process only when there is no memory for a thread.
 */
struct store *store_open(struct loop *loop, const struct store_params *params);

/*
 * Write what is queued and end the thread; waits at most about 2 s for the
 * disk. Queries not answered yet are answered -ECANCELED. NULL is fine.
 */
void store_close(struct store *s);

/* --- events ---------------------------------------------------------------- */

struct store_event {
	int64_t id; /* grows with every event; 0: the database gives the next one */
	int64_t time_us; /* since the epoch */
	const char *kind;
	const char *subject;
	const char *from; /* or NULL */
	const char *to; /* or NULL */
	const char *reason; /* or NULL */
	const char *numbers; /* a JSON object, or NULL */
};

/* Queue an event (copied). False when the queue is full: it is counted then. */
bool store_event(struct store *s, const struct store_event *event);

/* Which events. Zero and NULL mean no limit, but for limit: 0 is 1,000. */
struct store_filter {
	int64_t since_us, until_us;
	int64_t after_id;
	const char *kind;
	const char *subject;
	unsigned int limit; /* the newest so many, oldest first */
};

/*
 * Makes rows into a text (from malloc), on the store's thread: many of them take
 * longer than the loop may.
 */
typedef char *store_render(const struct store_event *rows, size_t n);

/*
 * err is 0 or a negative errno: -ENODATA when there is no database at the moment,
 * -ECANCELED, -EIO. The text is borrowed for the call, NULL with err.
 */
typedef void store_events_done(void *ctx, int err, const char *text);

/* Ask. Returns 0, or -EBUSY when too many queries wait; done is not called then. */
int store_query_events(struct store *s, const struct store_filter *filter,
		       store_render *render, store_events_done *done, void *ctx);

/* --- path history ---------------------------------------------------------- */

/*
 * Delays and jitter in microseconds, UINT32_MAX where nothing was answered.
 */
struct store_sample { /* what one path did in one second */
	uint32_t delay_us; /* median */
	uint32_t p95_us;
	uint32_t min_us;
	uint32_t max_us;
	uint32_t jitter_us;
	uint16_t sent;
	uint16_t lost;
	uint8_t state; /* as the path monitor numbers it; 0: nobody looked */
};

/* One path and minute. */
struct store_minute {
	const char *path;
	int64_t minute; /* since the epoch */
	struct store_sample sample[STORE_MINUTE_SAMPLES];
};

/* What one path did in a longer time; see store_series.h for how it is joined. */
struct store_figures {
	uint32_t delay_us;
	uint32_t p95_us;
	uint32_t min_us;
	uint32_t max_us;
	uint32_t jitter_us;
	uint32_t jitter_max_us;
	uint32_t sent;
	uint32_t lost;
	uint32_t seen_s; /* seconds in which somebody looked, of these ... */
	uint32_t up_s; /* ... those in which the path carried */
};

struct store_point {
	int64_t time_s; /* its begin, since the epoch */
	struct store_figures f;
};

/* Queue a minute (copied). A second row of one path and minute replaces the first. */
bool store_minute(struct store *s, const struct store_minute *minute);

/* What is asked of a path. */
struct store_span {
	const char *path;
	int64_t since_s, until_s; /* since the epoch */
	int64_t now_s; /* what is kept is counted back from here */
	unsigned int points; /* at most, 1 to STORE_POINTS_MAX */
	const struct store_minute *live; /* not queued yet, or NULL; copied */
	bool moves; /* decisions from and to the path, too */
};

/* Borrowed for the call. Times without a measurement have no point. */
struct store_history {
	int64_t since_s, until_s; /* brought to whole steps */
	unsigned int step_s;
	unsigned int tier_s; /* what was read: 1, 60 or 3,600 */
	struct store_point *points;
	size_t n;
	struct store_event *moves; /* the newest STORE_MOVES_MAX, oldest first */
	size_t n_moves;
	uint64_t moves_left_out;
};

/* err as in store_events_done; history is NULL with it. */
typedef void store_history_done(void *ctx, int err,
				const struct store_history *history);

/* Ask. Returns 0 or -EBUSY, as store_query_events(). */
int store_query_history(struct store *s, const struct store_span *span,
			store_history_done *done, void *ctx);

/* --- how it is ------------------------------------------------------------- */

struct store_counters {
	uint64_t written, left_out; /* rows */
	uint64_t commits;
	unsigned int queued;
	bool open; /* rows reach the disk */
	char trouble[160]; /* the sentence when they do not */
};

struct store_counters store_counters(struct store *s);

#endif
