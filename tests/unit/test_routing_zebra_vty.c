/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon's own socket, played by the test: answers in odd pieces, in no time, too
 * long, broken off. What real bgpd says is proven in tests/lab/test_zebra.py.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/loop.h"
#include "routing/zebra/vty.h"
#include "tests/unit/cm.h"

enum { OUTPUT_MAX = 4096, TIMEOUT_MS = 200, LIMIT_MS = 10000, BIG = 20000 };

struct fixture {
	struct loop *loop;
	struct loop_io listener, peer;
	struct loop_timer limit, more;
	char dir[64];
	char path[80];
	int listen_fd, fd;
	char heard[128]; /* everything that was asked, NULs as bars */
	size_t heard_len;
	/* what is answered to the first and to the second command */
	const char *answer[2];
	size_t answer_len[2];
	size_t piece; /* bytes at a time, the next when the loop came round */
	const char *rest;
	size_t rest_len;
	bool hang_up; /* after the first command */
	int n_commands;
	bool done;
	int status;
	char *text;
	size_t len;
};

static void on_more(void *ctx, struct mono now)
{
	struct fixture *f = ctx;
	size_t n = f->rest_len < f->piece ? f->rest_len : f->piece;

	if (!n || send(f->fd, f->rest, n, MSG_NOSIGNAL) < 0)
		return; /* all said, or the asker has had enough */
	f->rest += n;
	f->rest_len -= n;
	loop_timer_at(f->loop, &f->more, now, on_more, f);
}

static void say(struct fixture *f, const char *bytes, size_t len)
{
	f->rest = bytes;
	f->rest_len = len;
	on_more(f, loop_now(f->loop));
}

static void on_asked(void *ctx, int fd, unsigned int events)
{
	struct fixture *f = ctx;
	char in[128];
	ssize_t n = recv(fd, in, sizeof(in), 0);

	(void)events;
	if (n <= 0) {
		loop_io_stop(&f->peer);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		assert_true(f->heard_len < sizeof(f->heard) - 1);
		f->heard[f->heard_len++] = in[i];
		if (in[i])
			continue;
		f->heard[f->heard_len - 1] = '|';
		assert_true(f->n_commands < 2);
		if (f->hang_up) {
			loop_io_stop(&f->peer);
			close(f->fd);
			f->fd = -1;
			return;
		}
		say(f, f->answer[f->n_commands], f->answer_len[f->n_commands]);
		f->n_commands++;
	}
}

static void on_connect(void *ctx, int fd, unsigned int events)
{
	struct fixture *f = ctx;

	(void)events;
	f->fd = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	assert_true(f->fd >= 0);
	loop_io_start(f->loop, &f->peer, f->fd, LOOP_READ, on_asked, f);
}

static void on_done(void *ctx, int status, const char *output, size_t len)
{
	struct fixture *f = ctx;

	assert_false(f->done);
	f->done = true;
	f->status = status;
	f->text = ed_strdup(output);
	f->len = len;
	loop_stop(f->loop);
}

static void on_limit(void *ctx, struct mono now)
{
	struct fixture *f = ctx;

	(void)now;
	loop_stop(f->loop);
}

static int setup(void **state)
{
	struct fixture *f = ed_alloc(sizeof(*f));
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	f->loop = loop_new();
	f->fd = -1;
	f->piece = OUTPUT_MAX;
	f->answer[0] = "\0\0\0\0";
	f->answer_len[0] = 4;
	snprintf(f->dir, sizeof(f->dir), "/tmp/vty.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/bgpd.vty", f->dir);
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", f->path);
	f->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(f->listen_fd, (const struct sockaddr *)&sun, sizeof(sun)),
			 0);
	assert_int_equal(listen(f->listen_fd, 4), 0);
	loop_io_start(f->loop, &f->listener, f->listen_fd, LOOP_READ, on_connect, f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_io_stop(&f->listener);
	loop_io_stop(&f->peer);
	loop_timer_stop(&f->limit);
	loop_timer_stop(&f->more);
	close(f->listen_fd);
	if (f->fd >= 0)
		close(f->fd);
	unlink(f->path);
	rmdir(f->dir);
	free(f->text);
	loop_free(f->loop);
	free(f);
	return 0;
}

static struct vty *ask(struct fixture *f, const char *path)
{
	struct vty_spec spec = {.path = path,
				.command = "show bgp summary json",
				.timeout_ms = TIMEOUT_MS,
				.output_max = OUTPUT_MAX};
	struct vty *v = vty_ask(f->loop, &spec, on_done, f);

	assert_false(f->done); /* never from within */
	loop_timer_at(f->loop, &f->limit, mono_add_ms(loop_now(f->loop), LIMIT_MS),
		      on_limit, f);
	return v;
}

static void run(struct fixture *f)
{
	(void)ask(f, f->path);
	loop_run(f->loop);
	assert_true(f->done);
}

static void answer(struct fixture *f, const char *bytes, size_t len)
{
	f->answer[1] = bytes;
	f->answer_len[1] = len;
}

static void test_enables_asks_and_gives_the_text(void **state)
{
	static const char bytes[] = "{\"a\":1}\n\0\0\0";
	struct fixture *f = *state;

	answer(f, bytes, sizeof(bytes)); /* its own NUL is the status */
	run(f);
	assert_int_equal(f->status, 0);
	assert_string_equal(f->text, "{\"a\":1}\n");
	assert_int_equal(f->len, 8);
	assert_string_equal(f->heard, "enable|show bgp summary json|");
}

static void test_pieces_of_one_byte(void **state)
{
	static const char bytes[] = "router bgp 1\n\0\0\0";
	struct fixture *f = *state;

	f->piece = 1;
	answer(f, bytes, sizeof(bytes));
	run(f);
	assert_int_equal(f->status, 0);
	assert_string_equal(f->text, "router bgp 1\n");
}

static void test_a_command_that_fails(void **state)
{
	static const char bytes[] = "% Unknown command\n\0\0\0\2";
	struct fixture *f = *state;

	answer(f, bytes, sizeof(bytes) - 1);
	run(f);
	assert_int_equal(f->status, 2);
	assert_string_equal(f->text, "% Unknown command\n");
}

static void test_a_session_that_may_not_enable(void **state)
{
	static const char bytes[] = "no\n\0\0\0\1";
	struct fixture *f = *state;

	f->answer[0] = bytes;
	f->answer_len[0] = sizeof(bytes) - 1;
	run(f);
	assert_int_equal(f->status, 1);
	assert_string_equal(f->heard, "enable|");
}

static void test_more_than_was_asked_for(void **state)
{
	struct fixture *f = *state;
	char *big = ed_alloc(BIG);

	memset(big, 'x', BIG);
	answer(f, big, BIG);
	run(f);
	assert_int_equal(f->status, -EMSGSIZE);
	assert_int_equal(f->len, 0);
	free(big);
}

static void test_a_daemon_that_goes(void **state)
{
	struct fixture *f = *state;

	f->hang_up = true;
	run(f);
	assert_int_equal(f->status, -ECONNRESET);
}

static void test_a_daemon_that_says_nothing(void **state)
{
	struct fixture *f = *state;

	answer(f, "half an answer", 14);
	run(f);
	assert_int_equal(f->status, -ETIMEDOUT);
	assert_string_equal(f->text, "");
}

static void test_no_daemon(void **state)
{
	struct fixture *f = *state;

	(void)ask(f, "/nonexistent/bgpd.vty");
	loop_run(f->loop);
	assert_true(f->done);
	assert_int_equal(f->status, -ENOENT);
}

static void test_forgotten(void **state)
{
	struct fixture *f = *state;
	struct vty *v = ask(f, f->path);

	loop_run_once(f->loop);
	vty_cancel(v);
	vty_cancel(NULL);
	for (int i = 0; i < 8; i++)
		loop_run_once(f->loop);
	assert_false(f->done);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_enables_asks_and_gives_the_text),
		T(test_pieces_of_one_byte),
		T(test_a_command_that_fails),
		T(test_a_session_that_may_not_enable),
		T(test_more_than_was_asked_for),
		T(test_a_daemon_that_goes),
		T(test_a_daemon_that_says_nothing),
		T(test_no_daemon),
		T(test_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
