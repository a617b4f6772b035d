/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/loop.h"

#include <assert.h>
#include <ev.h>
#include <string.h>

#include "lib/alloc.h"

struct loop {
	struct ev_loop *ev;
	bool is_default;
	struct loop_lag lag;
};

#define FITS(type)                                                        \
	static_assert(sizeof(type) <= sizeof(void *[LOOP_WATCHER_WORDS]), \
		      #type " does not fit")
FITS(ev_io);
FITS(ev_timer);
FITS(ev_signal);
FITS(ev_child);

static bool default_taken;

struct loop *loop_new(void)
{
	struct loop *l = ed_alloc(sizeof(*l));

	l->is_default = !default_taken;
	l->ev = l->is_default ? ev_default_loop(EVFLAG_AUTO | EVFLAG_NOENV)
			      : ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (!l->ev) {
		free(l);
		return NULL;
	}
	default_taken = true;
	return l;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	if (l->is_default)
		default_taken = false;
	ev_loop_destroy(l->ev);
	free(l);
}

void loop_run(struct loop *l)
{
	ev_run(l->ev, 0);
}

void loop_run_once(struct loop *l)
{
	ev_run(l->ev, EVRUN_NOWAIT);
}

void loop_stop(struct loop *l)
{
	ev_break(l->ev, EVBREAK_ALL);
}

struct mono loop_now(const struct loop *l)
{
	(void)l;
	return mono_now();
}

/* libev's own macros cast between watcher types on purpose. */
#pragma GCC diagnostic ignored "-Wcast-qual"

#define EV(type, w) ((type *)(void *)(w)->watcher)

static void on_io(struct ev_loop *ev, ev_io *w, int revents)
{
	struct loop_io *io = w->data;
	unsigned int events = 0;

	(void)ev;
	if (revents & EV_READ)
		events |= LOOP_READ;
	if (revents & EV_WRITE)
		events |= LOOP_WRITE;
	io->cb(io->ctx, w->fd, events);
}

void loop_io_start(struct loop *l, struct loop_io *io, int fd, unsigned int events,
		   loop_io_cb cb, void *ctx)
{
	int flags = 0;

	loop_io_stop(io);
	if (events & LOOP_READ)
		flags |= EV_READ;
	if (events & LOOP_WRITE)
		flags |= EV_WRITE;
	io->loop = l;
	io->cb = cb;
	io->ctx = ctx;
	ev_io_init(EV(ev_io, io), on_io, fd, flags);
	EV(ev_io, io)->data = io;
	ev_io_start(l->ev, EV(ev_io, io));
}

void loop_io_stop(struct loop_io *io)
{
	if (!io->loop)
		return;
	ev_io_stop(io->loop->ev, EV(ev_io, io));
	io->loop = NULL;
}

bool loop_io_active(const struct loop_io *io)
{
	return io->loop != NULL;
}

static void count_lag(struct loop_lag *lag, int64_t us)
{
	unsigned int b = 0;

	if (us < 0)
		us = 0;
	while (b + 1 < LOOP_LAG_BUCKETS && us > INT64_C(1000) << b)
		b++;
	lag->timers[b]++;
	lag->sum_us += (uint64_t)us;
}

struct loop_lag loop_lag(const struct loop *l)
{
	return l->lag;
}

static void on_timer(struct ev_loop *ev, ev_timer *w, int revents)
{
	struct loop_timer *t = w->data;
	struct mono now = mono_now();

	(void)ev;
	(void)revents;
	count_lag(&t->loop->lag, mono_diff_us(now, t->due));
	t->loop = NULL;
	t->cb(t->ctx, now);
}

void loop_timer_at(struct loop *l, struct loop_timer *t, struct mono at,
		   loop_timer_cb cb, void *ctx)
{
	struct mono now;
	double after;

	loop_timer_stop(t);
	if (mono_is_never(at))
		return;
	/* libev counts from its cached idea of now, which may be a burst old. */
	ev_now_update(l->ev);
	now = mono_now();
	after = (double)mono_diff_us(at, now) / 1e6;
	t->due = after > 0 ? at : now;
	t->loop = l;
	t->cb = cb;
	t->ctx = ctx;
	ev_timer_init(EV(ev_timer, t), on_timer, after > 0 ? after : 0., 0.);
	EV(ev_timer, t)->data = t;
	ev_timer_start(l->ev, EV(ev_timer, t));
}

void loop_timer_stop(struct loop_timer *t)
{
	if (!t->loop)
		return;
	ev_timer_stop(t->loop->ev, EV(ev_timer, t));
	t->loop = NULL;
}

bool loop_timer_active(const struct loop_timer *t)
{
	return t->loop != NULL;
}

static void on_signal(struct ev_loop *ev, ev_signal *w, int revents)
{
	struct loop_signal *s = w->data;

	(void)ev;
	(void)revents;
	s->cb(s->ctx, w->signum);
}

void loop_signal_start(struct loop *l, struct loop_signal *s, int signo,
		       loop_signal_cb cb, void *ctx)
{
	loop_signal_stop(s);
	s->loop = l;
	s->cb = cb;
	s->ctx = ctx;
	ev_signal_init(EV(ev_signal, s), on_signal, signo);
	EV(ev_signal, s)->data = s;
	ev_signal_start(l->ev, EV(ev_signal, s));
}

void loop_signal_stop(struct loop_signal *s)
{
	if (!s->loop)
		return;
	ev_signal_stop(s->loop->ev, EV(ev_signal, s));
	s->loop = NULL;
}

static void on_child(struct ev_loop *ev, ev_child *w, int revents)
{
	struct loop_child *c = w->data;

	(void)ev;
	(void)revents;
	loop_child_stop(c);
	c->cb(c->ctx, w->rpid, w->rstatus);
}

void loop_child_start(struct loop *l, struct loop_child *c, pid_t pid, loop_child_cb cb,
		      void *ctx)
{
	assert(l->is_default);
	loop_child_stop(c);
	c->loop = l;
	c->cb = cb;
	c->ctx = ctx;
	ev_child_init(EV(ev_child, c), on_child, pid, 0);
	EV(ev_child, c)->data = c;
	ev_child_start(l->ev, EV(ev_child, c));
}

void loop_child_stop(struct loop_child *c)
{
	if (!c->loop)
		return;
	ev_child_stop(c->loop->ev, EV(ev_child, c));
	c->loop = NULL;
}
