/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store's queue and thread.
 *
 * Loop and thread share struct store under one mutex: rows and questions go
 * one way, answers and notices the other, with an eventfd that wakes the loop.
 * Rows stay in the queue until their transaction has been committed, so what a
 * failed one held is written by the next. The thread alone has the database.
 *
 * Trouble is a state: entering it is one notice, leaving it another, however
 * often a try in between fails. Damage is cured by moving the file aside, but
 * not twice within DAMAGE_PAUSE_S: a disk that spoils each new file is trouble.
 */
#include "edged/store.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "edged/store_db.h"
#include "lib/alloc.h"
#include "lib/loop.h"
#include "lib/mono.h"

enum {
	MAX_BYTES_DEFAULT = 256 * 1024 * 1024,
	WAL_BYTES_DEFAULT = 16 * 1024 * 1024,
	QUEUE_ROWS_DEFAULT = 4096,
	QUERIES_MAX = 32, /* questions that wait, and answers nobody took yet */
	BATCH_ROWS = 512, /* rows of one transaction */
	BATCH_MS = 100, /* an event waits so long for others */
	RETRY_MS = 5000, /* between tries while there is trouble */
	DAMAGE_PAUSE_S = 3600,
	CLOSE_MS = 2000,
};

/* A row that waits; exactly one of event and minute is used. */
struct row {
	bool is_event;
	struct store_event event;
	struct store_minute *minute;
	struct row *prev, *next;
};

/* A question, and then its answer. */
struct query {
	struct store_filter filter;
	char *kind;
	char *subject;
	struct store_span span; /* its path is subject */
	struct store_minute *live;
	store_render *render; /* of events; NULL: it asks for history */
	store_events_done *events_done;
	store_history_done *history_done;
	void *ctx;
	int err;
	char *text;
	struct store_history history;
	struct query *prev, *next;
};

struct notice {
	const char *from;
	const char *to;
	char reason[240];
	struct notice *prev, *next;
};

struct store {
	struct loop *loop;
	struct loop_io wake;
	int wake_fd;
	char *path;
	uint64_t max_bytes;
	uint64_t wal_max_bytes;
	unsigned int queue_rows;
	store_notice *notice;
	void *ctx;
	pthread_t thread;

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t work;
	bool stop;
	struct row *rows;
	unsigned int row_count;
	struct query *queries;
	unsigned int query_count;
	struct query *answers;
	struct notice *notices;
	struct store_counters counters;
	uint64_t left_out_told;

	/* The thread's own. */
	struct store_db *db;
	bool newer; /* not our file: never touched */
	struct mono retry_at; /* of a try while there is trouble */
	struct mono moved_aside; /* MONO_ZERO: never */
	bool wal_full; /* minutes are left out, see wal_has_room() */
	uint64_t wal_left_out;
};

/* --- memory ------------------------------------------------------------------- */

static void row_free(struct row *r)
{
	free((char *)(uintptr_t)r->event.kind);
	free((char *)(uintptr_t)r->event.subject);
	free((char *)(uintptr_t)r->event.from);
	free((char *)(uintptr_t)r->event.to);
	free((char *)(uintptr_t)r->event.reason);
	free((char *)(uintptr_t)r->event.numbers);
	if (r->minute)
		free((char *)(uintptr_t)r->minute->path);
	free(r->minute);
	free(r);
}

static void query_free(struct query *q)
{
	store_db_history_fini(&q->history);
	free(q->text);
	free(q->live);
	free(q->kind);
	free(q->subject);
	free(q);
}

/* --- towards the loop ------------------------------------------------------------ */

static void wake_loop(struct store *s)
{
	uint64_t one = 1;
	ssize_t n = write(s->wake_fd, &one, sizeof(one));

	(void)n; /* a counter that is full wakes as well */
}

/* Called with the lock held. */
static void add_notice(struct store *s, const char *from, const char *to,
		       const char *reason)
{
	struct notice *n = ed_alloc(sizeof(*n));

	n->from = from;
	n->to = to;
	snprintf(n->reason, sizeof(n->reason), "%s", reason);
	DL_APPEND(s->notices, n);
	wake_loop(s);
}

static void tell_notices(struct store *s, struct notice *list)
{
	struct notice *n;
	struct notice *tmp;

	DL_FOREACH_SAFE (list, n, tmp) {
		DL_DELETE(list, n);
		if (s->notice)
			s->notice(s->ctx, n->from, n->to, n->reason);
		free(n);
	}
}

static void tell_answer(struct query *q)
{
	if (q->render)
		q->events_done(q->ctx, q->err, q->text);
	else
		q->history_done(q->ctx, q->err, q->err ? NULL : &q->history);
	query_free(q);
}

/* One answer at a time: each may be long, and the loop has other work between. */
static bool deliver(struct store *s)
{
	struct query *q;
	struct notice *notices;
	bool more;

	pthread_mutex_lock(&s->lock);
	q = s->answers;
	if (q) {
		DL_DELETE(s->answers, q);
		s->query_count--;
		pthread_cond_signal(&s->work);
	}
	more = s->answers != NULL;
	notices = s->notices;
	s->notices = NULL;
	pthread_mutex_unlock(&s->lock);
	tell_notices(s, notices);
	if (q)
		tell_answer(q);
	return more;
}

static void on_wake(void *ctx, int fd, unsigned int events)
{
	uint64_t n;

	(void)events;
	if (read(fd, &n, sizeof(n)) == sizeof(n) && deliver(ctx))
		wake_loop(ctx);
}

/* --- trouble --------------------------------------------------------------------- */

static void enter_trouble(struct store *s, const char *why)
{
	char reason[240];

	snprintf(reason, sizeof(reason), "history is not written: %.180s", why);
	s->retry_at = mono_add_ms(mono_now(), RETRY_MS);
	pthread_mutex_lock(&s->lock);
	s->counters.open = false;
	if (!s->counters.trouble[0])
		add_notice(s, "ok", "failing", reason);
	snprintf(s->counters.trouble, sizeof(s->counters.trouble), "%s", why);
	pthread_mutex_unlock(&s->lock);
}

/* A commit went through. */
static void leave_trouble(struct store *s)
{
	uint64_t left_out;
	char reason[160];

	s->retry_at = MONO_ZERO;
	pthread_mutex_lock(&s->lock);
	left_out = s->counters.left_out - s->left_out_told;
	s->left_out_told = s->counters.left_out;
	s->counters.open = true;
	if (s->counters.trouble[0]) {
		snprintf(reason, sizeof(reason),
			 "history is written again, %llu rows were left out",
			 (unsigned long long)left_out);
		s->counters.trouble[0] = '\0';
		add_notice(s, "failing", "ok", reason);
	} else if (left_out) {
		snprintf(reason, sizeof(reason),
			 "%llu rows were left out: the database was behind",
			 (unsigned long long)left_out);
		add_notice(s, NULL, NULL, reason);
	}
	pthread_mutex_unlock(&s->lock);
}

static void rename_beside(const char *path, const char *suffix)
{
	char *from = ed_asprintf("%s%s", path, suffix);
	char *to = ed_asprintf("%s.damaged%s", path, suffix);

	if (rename(from, to) < 0)
		unlink(to); /* an older one's would not belong to this file */
	free(from);
	free(to);
}

/* Returns false when it was done too short ago, or cannot be done. */
static bool move_aside(struct store *s, const char *why)
{
	struct mono now = mono_now();
	char *to = ed_asprintf("%s.damaged", s->path);
	char *shm = ed_asprintf("%s-shm", s->path);
	char reason[240];
	bool done = false;

	if (s->moved_aside.us == 0 ||
	    mono_diff_us(now, s->moved_aside) > DAMAGE_PAUSE_S * MONO_US_PER_S)
		done = rename(s->path, to) == 0;
	if (done) {
		rename_beside(s->path, "-wal");
		unlink(shm);
		s->moved_aside = now;
		snprintf(reason, sizeof(reason),
			 "the database was damaged (%.60s) and is now %.100s; "
			 "history begins anew",
			 why, to);
		pthread_mutex_lock(&s->lock);
		add_notice(s, "damaged", "ok", reason);
		pthread_mutex_unlock(&s->lock);
	}
	free(to);
	free(shm);
	return done;
}

static void close_db(struct store *s)
{
	store_db_close(s->db);
	s->db = NULL;
}

/* A file that lost all it held looks like a new one: the difference is told. */
static bool was_emptied(const struct store *s)
{
	struct stat st;

	return stat(s->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0;
}

/* Open the file if it is not; trouble is told. */
static void open_db(struct store *s)
{
	char why[160] = "";
	bool emptied;
	int err;

	if (s->db || s->newer)
		return;
	emptied = was_emptied(s);
	err = store_db_open(s->path, s->max_bytes, &s->db, why, sizeof(why));
	if (err == -EBADMSG && move_aside(s, why))
		err = store_db_open(s->path, s->max_bytes, &s->db, why, sizeof(why));
	if (err == -EPROTONOSUPPORT)
		s->newer = true;
	if (err) {
		enter_trouble(s, why);
		return;
	}
	pthread_mutex_lock(&s->lock);
	s->counters.open = !s->counters.trouble[0];
	if (emptied)
		add_notice(s, "damaged", "ok",
			   "the database was empty: edged.db begins anew");
	pthread_mutex_unlock(&s->lock);
}

/* An operation on the open database failed with err. */
static void db_failed(struct store *s, int err)
{
	char why[160];

	store_db_why(s->db, why, sizeof(why));
	store_db_abort(s->db);
	if (err == -EBADMSG) {
		close_db(s);
		if (move_aside(s, why)) {
			open_db(s);
			return;
		}
	} else if (err != -ENOSPC && err != -EBUSY) {
		close_db(s);
	}
	enter_trouble(s, why);
}

/* --- writing ---------------------------------------------------------------------- */

static uint64_t wal_bytes(const struct store *s)
{
	char *path = ed_asprintf("%s-wal", s->path);
	struct stat st;
	uint64_t size = 0;

	if (stat(path, &st) == 0)
		size = (uint64_t)st.st_size;
	free(path);
	return size;
}

/* Write the first n rows in one transaction. They are not touched by the loop. */
static int write_rows(struct store *s, struct row *first, unsigned int n)
{
	int err = store_db_begin(s->db);
	struct row *r = first;

	while (!err && n > 0) {
		if (r->is_event)
			err = store_db_write_event(s->db, &r->event);
		else if (!s->wal_full)
			err = store_db_write_minute(s->db, r->minute);
		/* The last one's next is the loop's to change. */
		if (--n > 0)
			r = r->next;
	}
	return err ? err : store_db_commit(s->db);
}

static void drop_rows(struct store *s, unsigned int n)
{
	struct row *done = NULL;
	struct row *r;
	struct row *tmp;

	pthread_mutex_lock(&s->lock);
	for (unsigned int i = 0; i < n; i++) {
		r = s->rows;
		DL_DELETE(s->rows, r);
		DL_APPEND(done, r);
		if (r->is_event || !s->wal_full)
			s->counters.written++;
		else
			s->wal_left_out++;
	}
	s->counters.commits++;
	s->row_count -= n;
	s->counters.queued = s->row_count;
	pthread_mutex_unlock(&s->lock);
	DL_FOREACH_SAFE (done, r, tmp) {
		DL_DELETE(done, r);
		row_free(r);
	}
}

/* History is left out from now on, or is not any more. */
static void set_wal_full(struct store *s, bool full)
{
	char reason[200];

	if (full == s->wal_full)
		return;
	s->wal_full = full;
	snprintf(reason, sizeof(reason),
		 "path history is written again, %llu minutes of paths were left out",
		 (unsigned long long)s->wal_left_out);
	pthread_mutex_lock(&s->lock);
	if (full)
		add_notice(
			s, "ok", "behind",
			"another program reads the database and keeps its log from being emptied: "
			"path history is left out until it closes");
	else
		add_notice(s, "behind", "ok", reason);
	pthread_mutex_unlock(&s->lock);
	s->wal_left_out = 0;
}

/* The WAL grows while a reader keeps it: history first, then everything waits. */
static bool wal_has_room(struct store *s)
{
	uint64_t size = wal_bytes(s);

	if (size > s->wal_max_bytes) {
		store_db_checkpoint(s->db);
		size = wal_bytes(s);
	}
	set_wal_full(s, size > s->wal_max_bytes);
	if (size <= 2 * s->wal_max_bytes)
		return true;
	enter_trouble(
		s,
		"another program reads the database and keeps its log from being emptied");
	return false;
}

/* Write what waits. Returns false when that did not work now. */
static bool write_batch(struct store *s)
{
	struct row *first;
	unsigned int n;
	int err;

	pthread_mutex_lock(&s->lock);
	first = s->rows;
	n = s->row_count < BATCH_ROWS ? s->row_count : BATCH_ROWS;
	pthread_mutex_unlock(&s->lock);
	if (!n)
		return true;
	open_db(s);
	if (!s->db || !wal_has_room(s))
		return false;
	err = store_db_shrink(s->db);
	if (!err)
		err = write_rows(s, first, n);
	if (err) {
		db_failed(s, err);
		return false;
	}
	drop_rows(s, n);
	leave_trouble(s);
	return true;
}

static int answer_events(struct store *s, struct query *q)
{
	struct store_event *rows;
	size_t n;
	int err;

	q->filter.kind = q->kind;
	q->filter.subject = q->subject;
	err = store_db_events(s->db, &q->filter, &rows, &n);
	if (err)
		return err;
	q->text = q->render(rows, n);
	store_db_events_free(rows, n);
	return 0;
}

static void answer_query(struct store *s, struct query *q)
{
	if (!s->db) {
		q->err = -ENODATA;
		return;
	}
	q->err = q->render ? answer_events(s, q)
			   : store_db_history(s->db, &q->span, &q->history);
	if (q->err == -EBADMSG)
		db_failed(s, q->err);
}

/* --- the thread ---------------------------------------------------------------------- */

static void add_ms(struct timespec *ts, int64_t ms)
{
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += ms % 1000 * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_sec++;
		ts->tv_nsec -= 1000000000;
	}
}

/* Wait with the lock held; ms < 0: until there is work. */
static void wait_ms(struct store *s, int64_t ms)
{
	struct timespec until;

	if (ms < 0) {
		pthread_cond_wait(&s->work, &s->lock);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	add_ms(&until, ms);
	pthread_cond_timedwait(&s->work, &s->lock, &until);
}

/* A question is taken when the loop has taken the answer before it: they may be big. */
static bool may_answer(const struct store *s)
{
	return s->queries && !s->answers;
}

/* Sleep until there is something to do; returns the question to answer, or NULL. */
static struct query *next_work(struct store *s, bool *stop)
{
	struct mono batch_at = MONO_NEVER;
	struct query *q;

	pthread_mutex_lock(&s->lock);
	/* Ends: with work, with stop, or when a batch has waited long enough. */
	while (!s->stop && !may_answer(s)) {
		struct mono now = mono_now();

		if (s->retry_at.us != 0) {
			if (mono_due(s->retry_at, now))
				break;
			wait_ms(s, mono_diff_ms(s->retry_at, now) + 1);
			continue;
		}
		if (!s->row_count) {
			wait_ms(s, -1);
			continue;
		}
		if (mono_is_never(batch_at))
			batch_at = mono_add_ms(now, BATCH_MS);
		if (mono_due(batch_at, now) || s->row_count >= BATCH_ROWS)
			break;
		wait_ms(s, mono_diff_ms(batch_at, now) + 1);
	}
	q = may_answer(s) ? s->queries : NULL;
	if (q)
		DL_DELETE(s->queries, q);
	*stop = s->stop;
	pthread_mutex_unlock(&s->lock);
	return q;
}

static void give_answer(struct store *s, struct query *q)
{
	pthread_mutex_lock(&s->lock);
	DL_APPEND(s->answers, q);
	pthread_mutex_unlock(&s->lock);
	wake_loop(s);
}

static bool rows_left(struct store *s, unsigned int least)
{
	bool left;

	pthread_mutex_lock(&s->lock);
	left = s->row_count >= least;
	pthread_mutex_unlock(&s->lock);
	return left;
}

static bool due(const struct store *s)
{
	return s->retry_at.us == 0 || mono_due(s->retry_at, mono_now());
}

static void *thread_main(void *arg)
{
	struct store *s = arg;
	bool stop = false;

	open_db(s);
	while (!stop) {
		struct query *q = next_work(s, &stop);

		if (stop || due(s)) {
			/* Without rows a try to write is a try to open. */
			if (s->retry_at.us != 0 && !rows_left(s, 1))
				open_db(s);
			if (s->retry_at.us != 0)
				s->retry_at = mono_add_ms(mono_now(), RETRY_MS);
			/* What is less than a batch then waits for its time again. */
			while (write_batch(s) && rows_left(s, stop ? 1 : BATCH_ROWS))
				;
		}
		if (q) {
			answer_query(s, q);
			give_answer(s, q);
		}
	}
	close_db(s);
	return NULL;
}

/* --- the loop's side ---------------------------------------------------------------- */

static void start_thread(struct store *s)
{
	sigset_t all;
	sigset_t before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&s->thread, NULL, thread_main, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (err) {
		fprintf(stderr, "store: no thread: %s\n", strerror(err));
		abort();
	}
}

struct store *store_open(struct loop *loop, const struct store_params *params)
{
	struct store *s = ed_alloc(sizeof(*s));
	pthread_condattr_t attr;

	s->loop = loop;
	s->path = ed_strdup(params->path);
	s->max_bytes = params->max_bytes ? params->max_bytes : MAX_BYTES_DEFAULT;
	s->wal_max_bytes =
		params->wal_max_bytes ? params->wal_max_bytes : WAL_BYTES_DEFAULT;
	s->queue_rows = params->queue_rows ? params->queue_rows : QUEUE_ROWS_DEFAULT;
	s->notice = params->notice;
	s->ctx = params->ctx;
	s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (s->wake_fd < 0) {
		fprintf(stderr, "store: no eventfd: %s\n", strerror(errno));
		abort();
	}
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &attr);
	pthread_condattr_destroy(&attr);
	loop_io_start(loop, &s->wake, s->wake_fd, LOOP_READ, on_wake, s);
	start_thread(s);
	return s;
}

void store_close(struct store *s)
{
	struct timespec until;
	struct query *q;
	struct query *tmp;
	struct row *r;
	struct row *next;

	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	add_ms(&until, CLOSE_MS);
	loop_io_stop(&s->wake);
	if (pthread_timedjoin_np(s->thread, NULL, &until) != 0) {
		/* The disk hangs: leave thread and memory to the process's end. */
		while (deliver(s))
			;
		pthread_detach(s->thread);
		return;
	}
	DL_FOREACH_SAFE (s->queries, q, tmp) {
		DL_DELETE(s->queries, q);
		q->err = -ECANCELED;
		DL_APPEND(s->answers, q);
	}
	while (deliver(s))
		;
	DL_FOREACH_SAFE (s->rows, r, next) {
		DL_DELETE(s->rows, r);
		row_free(r);
	}
	close(s->wake_fd);
	pthread_cond_destroy(&s->work);
	pthread_mutex_destroy(&s->lock);
	free(s->path);
	free(s);
}

/* Queue a row unless limit rows wait already. */
static bool add_row(struct store *s, struct row *r, unsigned int limit)
{
	bool room;

	pthread_mutex_lock(&s->lock);
	room = s->row_count < limit;
	if (room) {
		DL_APPEND(s->rows, r);
		s->row_count++;
		s->counters.queued = s->row_count;
		pthread_cond_signal(&s->work);
	} else {
		s->counters.left_out++;
	}
	pthread_mutex_unlock(&s->lock);
	if (!room)
		row_free(r);
	return room;
}

bool store_event(struct store *s, const struct store_event *event)
{
	struct row *r = ed_alloc(sizeof(*r));

	r->is_event = true;
	r->event = (struct store_event){
		.id = event->id,
		.time_us = event->time_us,
		.kind = ed_strdup(event->kind),
		.subject = ed_strdup(event->subject),
		.from = ed_strdup(event->from),
		.to = ed_strdup(event->to),
		.reason = ed_strdup(event->reason),
		.numbers = ed_strdup(event->numbers),
	};
	return add_row(s, r, s->queue_rows);
}

bool store_minute(struct store *s, const struct store_minute *minute)
{
	struct row *r = ed_alloc(sizeof(*r));

	r->minute = ed_memdup(minute, sizeof(*minute));
	r->minute->path = ed_strdup(minute->path);
	/* The last quarter of the queue is for events. */
	return add_row(s, r, s->queue_rows / 4 * 3);
}

static int ask(struct store *s, struct query *q)
{
	int err = 0;

	pthread_mutex_lock(&s->lock);
	if (s->query_count >= QUERIES_MAX) {
		err = -EBUSY;
	} else {
		DL_APPEND(s->queries, q);
		s->query_count++;
		pthread_cond_signal(&s->work);
	}
	pthread_mutex_unlock(&s->lock);
	if (err)
		query_free(q);
	return err;
}

int store_query_events(struct store *s, const struct store_filter *filter,
		       store_render *render, store_events_done *done, void *ctx)
{
	struct query *q = ed_alloc(sizeof(*q));

	q->filter = *filter;
	q->kind = ed_strdup(filter->kind);
	q->subject = ed_strdup(filter->subject);
	q->render = render;
	q->events_done = done;
	q->ctx = ctx;
	return ask(s, q);
}

int store_query_history(struct store *s, const struct store_span *span,
			store_history_done *done, void *ctx)
{
	struct query *q = ed_alloc(sizeof(*q));

	q->subject = ed_strdup(span->path);
	q->span = *span;
	q->span.path = q->subject;
	if (span->live) {
		q->live = ed_memdup(span->live, sizeof(*q->live));
		q->live->path = q->subject;
		q->span.live = q->live;
	}
	q->history_done = done;
	q->ctx = ctx;
	return ask(s, q);
}

struct store_counters store_counters(struct store *s)
{
	struct store_counters c;

	pthread_mutex_lock(&s->lock);
	c = s->counters;
	pthread_mutex_unlock(&s->lock);
	return c;
}
