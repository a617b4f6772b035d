/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop - readable, writable, timer, signal, child: the only file that knows libev
 *
 * One thread runs a loop. Watchers are embedded in the objects that own them
 * and must be stopped before that memory goes. Starting a running watcher
 * restarts it with the new arguments; stopping a stopped one does nothing;
 * a zeroed watcher is a stopped one. Callbacks may stop and free anything,
 * their own watcher included. Handlers are short and never block.
 */
#ifndef ED_LIB_LOOP_H
#define ED_LIB_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/mono.h"

struct loop;

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Room for libev's watcher; loop.c asserts that it is enough. */
#define LOOP_WATCHER_WORDS 10

typedef void (*loop_io_cb)(void *ctx, int fd, unsigned int events);
typedef void (*loop_timer_cb)(void *ctx, struct mono now);
typedef void (*loop_signal_cb)(void *ctx, int signo);
/* status is what waitpid() gave. */
typedef void (*loop_child_cb)(void *ctx, pid_t pid, int status);

struct loop_io {
	void *watcher[LOOP_WATCHER_WORDS];
	struct loop *loop;
	loop_io_cb cb;
	void *ctx;
};

struct loop_timer {
	void *watcher[LOOP_WATCHER_WORDS];
	struct mono due;
	struct loop *loop;
	loop_timer_cb cb;
	void *ctx;
};

struct loop_signal {
	void *watcher[LOOP_WATCHER_WORDS];
	struct loop *loop;
	loop_signal_cb cb;
	void *ctx;
};

struct loop_child {
	void *watcher[LOOP_WATCHER_WORDS];
	struct loop *loop;
	loop_child_cb cb;
	void *ctx;
};

/*
 * The process's loop: the first one made is libev's default loop, which alone
 * can watch signals and children. Further ones (threads) watch the rest.
 */
struct loop *loop_new(void);

/* All watchers must be stopped. NULL is allowed. */
void loop_free(struct loop *l);

/* Run until loop_stop(), or until no watcher is left. */
void loop_run(struct loop *l);

/* Run what is due now, wait for nothing: for tests. */
void loop_run_once(struct loop *l);

/* Make loop_run() return after the present callback. */
void loop_stop(struct loop *l);

/* The clock of timers, read anew. */
struct mono loop_now(const struct loop *l);

/*
 * How late timers were called, since the loop was made: what a handler that takes
 * long, or a processor that is busy elsewhere, does to all others. Bucket b counts
 * those that were at most 2^b ms late, the last one the rest.
 */
enum { LOOP_LAG_BUCKETS = 12 };
struct loop_lag {
	uint64_t timers[LOOP_LAG_BUCKETS];
	uint64_t sum_us;
};
struct loop_lag loop_lag(const struct loop *l);

/* Call cb whenever fd is readable and/or writable (LOOP_READ | LOOP_WRITE). */
void loop_io_start(struct loop *l, struct loop_io *io, int fd, unsigned int events,
		   loop_io_cb cb, void *ctx);
void loop_io_stop(struct loop_io *io);
bool loop_io_active(const struct loop_io *io);

/* Call cb once at the time at; MONO_NEVER stops the timer. */
void loop_timer_at(struct loop *l, struct loop_timer *t, struct mono at,
		   loop_timer_cb cb, void *ctx);
void loop_timer_stop(struct loop_timer *t);
bool loop_timer_active(const struct loop_timer *t);

void loop_signal_start(struct loop *l, struct loop_signal *s, int signo,
		       loop_signal_cb cb, void *ctx);
void loop_signal_stop(struct loop_signal *s);

/* Call cb when the child process pid has ended (it is reaped by then). */
void loop_child_start(struct loop *l, struct loop_child *c, pid_t pid, loop_child_cb cb,
		      void *ctx);
void loop_child_stop(struct loop_child *c);

#endif
