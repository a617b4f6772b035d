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
 *  - size: the oldest history goes first, then the oldest events, so that the
 *    file stays below max_bytes.
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
	STORE_BUCKETS = 48, /* of the delay histogram, see store_bucket() */
	STORE_LIMIT_MAX = 10000, /* rows of one answer */
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
	int64_t id; /* grows by one with every event; 0 in an event not stored yet */
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
 * err is 0 or a negative errno: -ENODATA when there is no database at the moment,
 * -ECANCELED, -EIO. The rows are borrowed for the call.
 */
typedef void store_events_done(void *ctx, int err, const struct store_event *rows,
			       size_t n);

/* Ask. Returns 0, or -EBUSY when too many queries wait; done is not called then. */
int store_query_events(struct store *s, const struct store_filter *filter,
		       store_events_done *done, void *ctx);

/* --- path history ---------------------------------------------------------- */

/* What one path did in one second. */
struct store_sample {
	uint32_t delay_us; /* median; UINT32_MAX when nothing was answered */
	uint32_t jitter_us; /* UINT32_MAX when unknown */
	uint16_t sent;
	uint16_t lost;
	uint8_t state; /* as the path monitor numbers it */
};

/* One path and minute. Seconds without a sample have sent = 0. */
struct store_minute {
	const char *path;
	int64_t minute; /* since the epoch */
	struct store_sample sample[STORE_MINUTE_SAMPLES];
	uint32_t histogram[STORE_BUCKETS]; /* answers by delay */
};

/* The histogram's bucket of a delay: four steps for each doubling from 1 ms on. */
unsigned int store_bucket(uint32_t delay_us);

/* Upper end of bucket i in microseconds; UINT32_MAX for the last. */
uint32_t store_bucket_us(unsigned int i);

/* Queue a minute (copied). A second row of one path and minute replaces the first. */
bool store_minute(struct store *s, const struct store_minute *minute);

typedef void store_history_done(void *ctx, int err, const struct store_minute *rows,
				size_t n);

/* The minutes of path in [since, until), at most STORE_LIMIT_MAX, oldest first. */
int store_query_history(struct store *s, const char *path, int64_t since_minute,
			int64_t until_minute, store_history_done *done, void *ctx);

/* --- how it is ------------------------------------------------------------- */

struct store_counters {
	uint64_t written, left_out;
	unsigned int queued;
	bool open; /* rows reach the disk */
	char trouble[160]; /* the sentence when they do not */
};

struct store_counters store_counters(struct store *s);

#endif
