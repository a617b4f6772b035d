/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/loop.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/cm.h"

struct seen {
	struct loop *loop;
	struct loop_io io;
	struct loop_timer timer;
	struct loop_child child;
	struct loop_signal signal;
	int order[8];
	int n;
};

static void on_read(void *ctx, int fd, unsigned int events)
{
	struct seen *s = ctx;
	char c;

	assert_int_equal(events, LOOP_READ);
	assert_int_equal(read(fd, &c, 1), 1);
	s->order[s->n++] = c;
	loop_io_stop(&s->io);
}

static void on_timer(void *ctx, struct mono now);

/* A timer that cannot fire before what is there has been read. */
static void on_read_first(void *ctx, int fd, unsigned int events)
{
	struct seen *s = ctx;

	on_read(ctx, fd, events);
	loop_timer_at(s->loop, &s->timer, mono_add_ms(mono_now(), 20), on_timer, s);
}

static void on_timer(void *ctx, struct mono now)
{
	struct seen *s = ctx;

	(void)now;
	assert_false(loop_timer_active(&s->timer));
	s->order[s->n++] = 't';
	loop_stop(s->loop);
}

static void test_io_and_timers_fire_and_stop(void **state)
{
	struct seen s = {.loop = loop_new()};
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "ab", 2), 2);
	loop_io_start(s.loop, &s.io, fds[0], LOOP_READ, on_read_first, &s);
	loop_run(s.loop);
	assert_int_equal(s.n, 2);
	assert_int_equal(s.order[0], 'a');
	assert_int_equal(s.order[1], 't');
	assert_false(loop_io_active(&s.io));

	/* A time in the past fires at once; never does not start. */
	loop_timer_at(s.loop, &s.timer, MONO_ZERO, on_timer, &s);
	loop_run(s.loop);
	assert_int_equal(s.n, 3);
	loop_timer_at(s.loop, &s.timer, MONO_NEVER, on_timer, &s);
	assert_false(loop_timer_active(&s.timer));
	close(fds[0]);
	close(fds[1]);
	loop_free(s.loop);
}

/* A handler that takes 40 ms of the loop, beside a timer of 5 ms. */
static void on_read_slowly(void *ctx, int fd, unsigned int events)
{
	struct mono now = mono_now();
	struct mono end = mono_add_ms(now, 40);
	struct seen *s = ctx;

	on_read(ctx, fd, events);
	loop_timer_at(s->loop, &s->timer, mono_add_ms(now, 5), on_timer, s);
	while (!mono_due(end, mono_now()))
		;
}

static void test_late_timers_are_counted(void **state)
{
	struct seen s = {.loop = loop_new()};
	struct loop_lag lag = loop_lag(s.loop);
	uint64_t soon = 0;
	uint64_t all = 0;
	int fds[2];

	(void)state;
	assert_int_equal(lag.sum_us, 0);
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "a", 1), 1);
	loop_io_start(s.loop, &s.io, fds[0], LOOP_READ, on_read_slowly, &s);
	loop_run(s.loop);
	lag = loop_lag(s.loop);
	for (int b = 0; b < LOOP_LAG_BUCKETS; b++) {
		all += lag.timers[b];
		soon += b < 5 ? lag.timers[b] : 0; /* at most 16 ms late */
	}
	assert_int_equal(all, 1);
	assert_int_equal(soon, 0);
	assert_true(lag.sum_us >= 34000);

	/* What was due before it was asked for is not late. */
	loop_timer_at(s.loop, &s.timer, MONO_ZERO, on_timer, &s);
	loop_run(s.loop);
	assert_true(loop_lag(s.loop).sum_us - lag.sum_us < 10000000);
	close(fds[0]);
	close(fds[1]);
	loop_free(s.loop);
}

static void on_child(void *ctx, pid_t pid, int status)
{
	struct seen *s = ctx;

	(void)pid;
	s->order[s->n++] = WEXITSTATUS(status);
	loop_stop(s->loop);
}

static void on_signal(void *ctx, int signo)
{
	struct seen *s = ctx;

	s->order[s->n++] = signo;
	loop_stop(s->loop);
}

static void test_children_and_signals_are_seen(void **state)
{
	struct seen s = {.loop = loop_new()};
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(7);
	loop_child_start(s.loop, &s.child, pid, on_child, &s);
	loop_run(s.loop);
	assert_int_equal(s.order[0], 7);
	loop_signal_start(s.loop, &s.signal, SIGUSR1, on_signal, &s);
	raise(SIGUSR1);
	loop_run(s.loop);
	assert_int_equal(s.order[1], SIGUSR1);
	loop_signal_stop(&s.signal);
	loop_free(s.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_io_and_timers_fire_and_stop),
		cmocka_unit_test(test_late_timers_are_counted),
		cmocka_unit_test(test_children_and_signals_are_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
