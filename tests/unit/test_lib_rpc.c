/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/rpc.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/loop.h"
#include "lib/mono.h"
#include "tests/unit/cm.h"

enum { READ_ROLE = 1, WRITE_ROLE = 2, NOBODYS_ROLE = 4, TOPIC = 3, OTHER_UID = 65534 };

/* One server and raw connections to it: bytes in, bytes out. */
struct bench {
	struct loop *loop;
	struct rpc_server *server;
	struct rpc_call *kept;
	unsigned int ran;
	unsigned int left;
};

static void run_echo(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct bench *b = ctx;

	b->ran++;
	rpc_call_reply(call, json_deep_copy(params));
}

/* Takes longer than one connection may take of a window. */
static void run_slow(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct mono end = mono_add_ms(mono_now(), 3);
	struct bench *b = ctx;

	(void)params;
	while (mono_before(mono_now(), end))
		continue;
	b->ran++;
	rpc_call_reply(call, NULL);
}

static void run_cut(void *ctx, struct rpc_call *call, const json_t *params)
{
	(void)ctx;
	(void)params;
	rpc_call_error(call, RPC_EPARAMS, "'%.2s' is not a \xff", "a\u00e9");
}

static void run_keep(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct bench *b = ctx;

	(void)params;
	b->kept = call;
}

static void run_fail(void *ctx, struct rpc_call *call, const json_t *params)
{
	(void)ctx;
	(void)params;
	rpc_call_error_data(call, RPC_EREFUSED, json_pack("[s]", "why"),
			    "line 1\nline %d", 2);
}

static void run_subscribe(void *ctx, struct rpc_call *call, const json_t *params)
{
	(void)ctx;
	(void)params;
	rpc_call_subscribe(call, TOPIC);
	rpc_call_reply(call, NULL);
}

static void run_text(void *ctx, struct rpc_call *call, const json_t *params)
{
	(void)ctx;
	(void)params;
	rpc_call_reply_text(call, "{\"rows\":[1,2]}");
}

static void run_never(void *ctx, struct rpc_call *call, const json_t *params)
{
	(void)ctx;
	(void)params;
	fail_msg("a method without the role ran");
	rpc_call_reply(call, NULL);
}

static void run_typed(void *ctx, struct rpc_call *call, const json_t *params)
{
	const char *name;
	int64_t n;
	bool yes;

	(void)ctx;
	if (!rpc_param_need_str(call, params, "name", &name) ||
	    !rpc_param_int(call, params, "n", 7, 1, 9, &n) ||
	    !rpc_param_bool(call, params, "yes", true, &yes))
		return;
	rpc_call_reply(call, json_pack("{s:s, s:I, s:b}", "name", name, "n",
				       (json_int_t)n, "yes", (int)yes));
}

/* clang-format off */
static const struct rpc_method methods[] = {
	{ "echo",      READ_ROLE,    run_echo },
	{ "keep",      READ_ROLE,    run_keep },
	{ "fail",      READ_ROLE,    run_fail },
	{ "subscribe", READ_ROLE,    run_subscribe },
	{ "text",      READ_ROLE,    run_text },
	{ "typed",     WRITE_ROLE,   run_typed },
	{ "never",     NOBODYS_ROLE, run_never },
	{ "slow",      READ_ROLE,    run_slow },
	{ "cut",       READ_ROLE,    run_cut },
};
/* clang-format on */

static void on_left(void *ctx, unsigned int topic)
{
	struct bench *b = ctx;

	assert_int_equal(topic, TOPIC);
	b->left++;
}

static void bench_init(struct bench *b, const struct rpc_limits *limits)
{
	*b = (struct bench){.loop = loop_new()};
	b->server = rpc_server_new(b->loop, methods, ARRAY_LEN(methods), limits, b);
	rpc_server_grant_uid(b->server, getuid(), READ_ROLE | WRITE_ROLE);
	rpc_server_on_leave(b->server, on_left);
}

static void bench_fini(struct bench *b)
{
	rpc_server_free(b->server);
	loop_free(b->loop);
}

static int bench_connect(struct bench *b)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, fds),
			 0);
	rpc_server_adopt(b->server, fds[1]);
	return fds[0];
}

static void turn(struct bench *b)
{
	for (int i = 0; i < 20; i++)
		loop_run_once(b->loop);
}

/* Send text, let the server work, return what it answered (static). */
static const char *ask(struct bench *b, int fd, const char *text)
{
	static char got[8192];
	ssize_t n;

	if (*text)
		assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
				 strlen(text));
	turn(b);
	n = recv(fd, got, sizeof(got) - 1, 0);
	got[n > 0 ? n : 0] = '\0';
	return n == 0 ? "END" : got;
}

static void has(const char *got, const char *want)
{
	if (!strstr(got, want))
		fail_msg("want %s in: %s", want, got);
}

static void test_bad_lines_are_answered_and_run_nothing(void **state)
{
	/* clang-format off */
	static const struct {
		const char *line;
		const char *want;
	} rows[] = {
		{ "nonsense\n",                                     "-32700" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\n",    "-32700" },
		{ "{\"id\":1,\"id\":2}\n",                          "-32700" },
		{ "{\"a\":\"\xff\"}\n",                             "-32700" },
		{ "{\"a\":\"\\u0000\"}\n",                          "-32700" },
		{ "\n",                                             "-32700" },
		{ "[]\n",                                           "-32600" },
		{ "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}]\n", "-32600" },
		{ "{}\n",                                           "-32600" },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"echo\"}\n",   "-32600" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"echo\"}\n",  "-32600" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"echo\"}\n", "-32600" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}\n",          "-32600" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no\"}\n",     "-32601" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"never\"}\n",  "-32001" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":[]}\n", "-32602" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":7}\n",  "-32602" },
	};
	/* clang-format on */
	struct bench b;
	int fd;

	(void)state;
	bench_init(&b, NULL);
	fd = bench_connect(&b);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		has(ask(&b, fd, rows[i].line), rows[i].want);
	assert_int_equal(b.ran, 0);

	/* The connection lives on, and without an id there is no answer. */
	assert_string_equal(ask(&b, fd, "{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}\n"),
			    "");
	assert_string_equal(
		ask(&b, fd,
		    "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"echo\","
		    "\"params\":{\"a\":1}}\n"),
		"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":{\"a\":1}}\n");
	assert_int_equal(b.ran, 1);
	close(fd);
	bench_fini(&b);
}

static void test_deep_json_is_refused_before_it_is_parsed(void **state)
{
	struct rpc_limits limits = {.depth = 8};
	struct bench b;
	char line[256];
	int fd;

	(void)state;
	bench_init(&b, &limits);
	fd = bench_connect(&b);
	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":"
		 "{\"a\":%.*s1%.*s}}\n",
		 6, "[[[[[[[[", 6, "]]]]]]]]");
	has(ask(&b, fd, line), "\"result\"");
	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":"
		 "{\"a\":%.*s1%.*s}}\n",
		 7, "[[[[[[[[", 7, "]]]]]]]]");
	has(ask(&b, fd, line), "deeper than 8");
	/* Brackets in strings do not count. */
	has(ask(&b, fd,
		"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\","
		"\"params\":{\"a\":\"[[[[[[[[[[\\\"[[[[\"}}\n"),
	    "\"result\"");
	close(fd);
	bench_fini(&b);
}

static void test_a_line_too_long_ends_the_connection(void **state)
{
	struct rpc_limits limits = {.line_bytes = 1000};
	struct bench b;
	char line[1200];
	int fd;

	(void)state;
	bench_init(&b, &limits);
	fd = bench_connect(&b);
	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\0';
	has(ask(&b, fd, line), "too long");
	assert_string_equal(ask(&b, fd, ""), "END");
	assert_int_equal(rpc_server_counters(b.server).clients, 0);
	close(fd);
	bench_fini(&b);
}

static void test_requests_cut_anywhere_are_whole_again(void **state)
{
	const char *line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n";
	struct bench b;
	int fd;

	(void)state;
	bench_init(&b, NULL);
	fd = bench_connect(&b);
	for (size_t cut = 1; cut < strlen(line); cut++) {
		char head[64];

		memcpy(head, line, cut);
		head[cut] = '\0';
		assert_string_equal(ask(&b, fd, head), "");
		has(ask(&b, fd, line + cut), "\"result\":{}");
	}
	close(fd);
	bench_fini(&b);
}

static void test_errors_are_one_line_with_data(void **state)
{
	struct bench b;
	int fd;

	(void)state;
	bench_init(&b, NULL);
	fd = bench_connect(&b);
	assert_string_equal(ask(&b, fd,
				"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"fail\"}\n"),
			    "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32004,"
			    "\"message\":\"line 1 line 2\",\"data\":[\"why\"]}}\n");
	/* What was cut in the middle of a character is told all the same. */
	has(ask(&b, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"cut\"}\n"),
	    "\"message\":\"'a?' is not a ?\"");
	close(fd);
	bench_fini(&b);
}

static void test_parameters_are_checked(void **state)
{
#define TYPED(params) \
	"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"typed\",\"params\":" params "}\n"
	struct bench b;
	int fd;

	(void)state;
	bench_init(&b, NULL);
	fd = bench_connect(&b);
	has(ask(&b, fd, TYPED("{}")), "name is missing");
	has(ask(&b, fd, TYPED("{\"name\":\"\"}")), "name is missing");
	has(ask(&b, fd, TYPED("{\"name\":5}")), "name must be a text");
	has(ask(&b, fd, TYPED("{\"name\":\"a\",\"n\":\"1\"}")), "whole number");
	has(ask(&b, fd, TYPED("{\"name\":\"a\",\"n\":10}")), "from 1 to 9");
	has(ask(&b, fd, TYPED("{\"name\":\"a\",\"yes\":1}")), "true or false");
	has(ask(&b, fd, TYPED("{\"name\":\"a\",\"n\":null}")),
	    "{\"name\":\"a\",\"n\":7,\"yes\":true}");
	close(fd);
	bench_fini(&b);
}

static void test_who_holds_no_role_is_turned_away(void **state)
{
	struct bench b = {.loop = loop_new()};
	char got[256] = "";
	int fd;

	(void)state;
	b.server = rpc_server_new(b.loop, methods, ARRAY_LEN(methods), NULL, &b);
	fd = bench_connect(&b);
	assert_true(recv(fd, got, sizeof(got) - 1, 0) > 0);
	has(got, "-32001");
	has(got, "\"id\":null");
	assert_int_equal(recv(fd, got, sizeof(got), 0), 0);
	assert_int_equal(rpc_server_counters(b.server).refused, 1);
	close(fd);

	/* The same user by a group. */
	rpc_server_grant_gid(b.server, getgid(), READ_ROLE);
	fd = bench_connect(&b);
	has(ask(&b, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n"),
	    "result");
	has(ask(&b, fd, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"typed\"}\n"),
	    "-32001");
	close(fd);
	bench_fini(&b);
}

static void test_clients_and_open_calls_are_bounded(void **state)
{
	struct rpc_limits limits = {.clients = 2, .open_calls = 2};
	struct bench b;
	char got[256] = "";
	int fd[3];

	(void)state;
	bench_init(&b, &limits);
	for (int i = 0; i < 3; i++)
		fd[i] = bench_connect(&b);
	assert_true(recv(fd[2], got, sizeof(got) - 1, 0) > 0);
	has(got, "too many clients");

	for (int i = 0; i < 2; i++) {
		assert_string_equal(
			ask(&b, fd[0],
			    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"keep\"}\n"),
			"");
		/* The test keeps one only: answer the older through its pointer. */
		if (i == 0) {
			rpc_call_reply(b.kept, NULL);
			has(ask(&b, fd[0], ""), "\"result\":{}");
		}
	}
	{
		struct rpc_call *first = b.kept;

		ask(&b, fd[0], "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"keep\"}\n");
		has(ask(&b, fd[0],
			"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"echo\"}\n"),
		    "-32002");
		/* A late answer to a connection that has gone is dropped. */
		close(fd[0]);
		turn(&b);
		assert_true(rpc_call_gone(first) == rpc_call_gone(b.kept));
		rpc_call_reply(first, NULL);
		rpc_call_error(b.kept, RPC_EFAILED, "late");
	}
	turn(&b);
	assert_int_equal(rpc_server_counters(b.server).clients, 1);
	close(fd[1]);
	close(fd[2]);
	bench_fini(&b);
}

/*
 * A connection of somebody who is not root: the kernel remembers who made the pair.
 * Where the tests do not run as root it is whoever runs them.
 */
static int connect_as_other(struct bench *b)
{
	bool root = geteuid() == 0;
	int fd;

	if (root)
		assert_int_equal(seteuid(OTHER_UID), 0);
	fd = bench_connect(b);
	if (root)
		assert_int_equal(seteuid(0), 0);
	return fd;
}

static void expect_turned_away(int fd)
{
	char got[256] = "";

	assert_true(recv(fd, got, sizeof(got) - 1, 0) > 0);
	has(got, "too many clients");
	close(fd);
}

static void test_one_user_does_not_take_all_connections(void **state)
{
	struct rpc_limits limits = {.clients = 16, .user_clients = 3};
	struct bench b;
	int fd[3];

	(void)state;
	bench_init(&b, &limits);
	rpc_server_grant_uid(b.server, OTHER_UID, READ_ROLE);
	for (int i = 0; i < 3; i++)
		fd[i] = connect_as_other(&b);
	expect_turned_away(connect_as_other(&b));
	assert_int_equal(rpc_server_counters(b.server).clients, 3);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
	bench_fini(&b);
}

static void test_some_connections_are_left_for_root(void **state)
{
	struct rpc_limits limits = {.clients = 16};
	struct bench b;
	int fd[16];

	(void)state;
	bench_init(&b, &limits);
	rpc_server_grant_uid(b.server, OTHER_UID, READ_ROLE);
	for (int i = 0; i < 14; i++)
		fd[i] = connect_as_other(&b);
	expect_turned_away(connect_as_other(&b));
	assert_int_equal(rpc_server_counters(b.server).clients, 14);
	/* The last two are root's, and no more. */
	for (int i = 14; i < 16 && geteuid() == 0; i++) {
		fd[i] = bench_connect(&b);
		has(ask(&b, fd[i],
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n"),
		    "result");
	}
	if (geteuid() == 0)
		expect_turned_away(bench_connect(&b));
	for (int i = 0; i < (geteuid() == 0 ? 16 : 14); i++)
		close(fd[i]);
	bench_fini(&b);
}

/* Ten requests of 3 ms each, one in each window of 20 ms. */
static void test_requests_take_a_share_of_the_time(void **state)
{
	const char *line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"slow\"}\n";
	struct mono limit = mono_add_ms(mono_now(), 60000);
	struct mono begun;
	struct bench b;
	int fd;

	(void)state;
	bench_init(&b, NULL);
	rpc_server_grant_uid(b.server, OTHER_UID, READ_ROLE);
	fd = connect_as_other(&b);
	for (int i = 0; i < 10; i++)
		assert_int_equal(send(fd, line, strlen(line), MSG_NOSIGNAL),
				 strlen(line));
	begun = mono_now();
	while (b.ran < 10 && mono_before(mono_now(), limit))
		loop_run_once(b.loop);
	assert_int_equal(b.ran, 10);
	assert_true(mono_diff_ms(mono_now(), begun) >= 9 * 20);
	close(fd);
	bench_fini(&b);
}

/* Twelve connections at once: together they take 10 ms, 4 of these, of each window. */
static void test_all_requests_take_half_of_the_time(void **state)
{
	const char *line = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"slow\"}\n";
	struct mono limit = mono_add_ms(mono_now(), 60000);
	struct mono begun;
	struct bench b;
	int fd[12];

	(void)state;
	bench_init(&b, NULL);
	rpc_server_grant_uid(b.server, OTHER_UID, READ_ROLE);
	for (int i = 0; i < 12; i++) {
		fd[i] = connect_as_other(&b);
		assert_int_equal(send(fd[i], line, strlen(line), MSG_NOSIGNAL),
				 strlen(line));
	}
	begun = mono_now();
	while (b.ran < 12 && mono_before(mono_now(), limit))
		loop_run_once(b.loop);
	assert_int_equal(b.ran, 12);
	assert_true(mono_diff_ms(mono_now(), begun) >= 2 * 20);
	for (int i = 0; i < 12; i++)
		close(fd[i]);
	bench_fini(&b);
}

static void test_text_is_an_answer_like_any_other(void **state)
{
	struct bench b;
	int fd;

	(void)state;
	bench_init(&b, NULL);
	fd = bench_connect(&b);
	assert_string_equal(
		ask(&b, fd,
		    "{\"jsonrpc\":\"2.0\",\"id\":\"a\\n\",\"method\":\"text\"}\n"),
		"{\"jsonrpc\":\"2.0\",\"id\":\"a\\n\",\"result\":{\"rows\":[1,2]}}\n");
	close(fd);
	bench_fini(&b);
}

static void test_who_does_not_read_is_dropped(void **state)
{
	struct rpc_limits limits = {.queue_bytes = 10000};
	struct bench b;
	char text[2000];
	int slow;
	int good;

	(void)state;
	bench_init(&b, &limits);
	slow = bench_connect(&b);
	good = bench_connect(&b);
	has(ask(&b, slow, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}\n"),
	    "result");
	has(ask(&b, good, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}\n"),
	    "result");
	assert_int_equal(rpc_server_subscribers(b.server, TOPIC), 2);
	assert_int_equal(rpc_server_subscribers(b.server, TOPIC + 1), 0);
	memset(text, 'y', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < 1000 && rpc_server_subscribers(b.server, TOPIC) == 2; i++) {
		rpc_server_push(b.server, TOPIC, "news", json_pack("{s:s}", "t", text));
		has(ask(&b, good, ""), "\"method\":\"news\"");
	}
	assert_int_equal(rpc_server_subscribers(b.server, TOPIC), 1);
	assert_int_equal(rpc_server_counters(b.server).dropped_slow, 1);
	turn(&b);
	assert_int_equal(b.left, 1);
	close(good);
	turn(&b);
	assert_int_equal(b.left, 2);
	close(slow);
	bench_fini(&b);
}

/* Requests with big answers, as many as go without one answer being read. */
static void flood(struct bench *b, int fd)
{
	char line[3000];

	snprintf(line, sizeof(line),
		 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\",\"params\":{\"a\":"
		 "\"%02000d\"}}\n",
		 0);
	for (int i = 0; i < 2000; i++) {
		if (send(fd, line, strlen(line), MSG_NOSIGNAL) < 0)
			break;
		loop_run_once(b->loop);
	}
}

static void test_answers_that_nobody_reads_end_the_reading(void **state)
{
	struct rpc_limits limits = {.queue_bytes = 10000, .stall_ms = 600000};
	struct bench b;
	int fd;

	(void)state;
	bench_init(&b, &limits);
	fd = bench_connect(&b);
	flood(&b, fd);
	assert_true(b.ran > 0);
	assert_true(b.ran < 1000); /* what the socket takes, and 10,000 bytes */
	close(fd);
	bench_fini(&b);
}

static void test_who_reads_nothing_at_all_is_dropped_in_time(void **state)
{
	struct rpc_limits limits = {.queue_bytes = 10000, .stall_ms = 50};
	struct mono end = mono_add_ms(mono_now(), 20000);
	struct bench b;
	int fd;

	(void)state;
	bench_init(&b, &limits);
	fd = bench_connect(&b);
	flood(&b, fd);
	while (rpc_server_counters(b.server).clients > 0 &&
	       mono_before(mono_now(), end))
		loop_run_once(b.loop);
	assert_int_equal(rpc_server_counters(b.server).dropped_slow, 1);
	close(fd);
	bench_fini(&b);
}

static void test_many_requests_at_once_are_all_answered(void **state)
{
	struct bench b;
	char got[16384];
	size_t lines = 0;
	ssize_t n;
	int fd;

	(void)state;
	bench_init(&b, NULL);
	fd = bench_connect(&b);
	for (int i = 0; i < 200; i++) {
		const char *line =
			"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"echo\"}\n";

		assert_true(send(fd, line, strlen(line), MSG_NOSIGNAL) > 0);
	}
	/* And nothing more will come: they are answered all the same. */
	shutdown(fd, SHUT_WR);
	for (int i = 0; i < 5; i++) {
		turn(&b);
		while ((n = recv(fd, got, sizeof(got), 0)) > 0)
			for (ssize_t k = 0; k < n; k++)
				lines += got[k] == '\n';
	}
	assert_int_equal(lines, 200);
	assert_int_equal(n, 0);
	close(fd);
	bench_fini(&b);
}

/* --- the client, against the server by a socket file --------------------------- */

struct user {
	struct bench b;
	struct rpc_client *client;
	char path[64];
	unsigned int ups, downs, news, answers;
	int down_err;
	int code;
	char message[128];
	bool free_in_done;
};

static void on_up(void *ctx)
{
	((struct user *)ctx)->ups++;
}

static void on_down(void *ctx, int err)
{
	struct user *u = ctx;

	u->downs++;
	u->down_err = err;
}

static void on_news(void *ctx, const char *method, const json_t *params)
{
	struct user *u = ctx;

	assert_string_equal(method, "news");
	assert_int_equal(json_integer_value(json_object_get(params, "n")), 5);
	u->news++;
}

static void on_answer(void *ctx, const struct rpc_answer *answer)
{
	struct user *u = ctx;

	u->answers++;
	u->code = answer->code;
	snprintf(u->message, sizeof(u->message), "%s", answer->message);
	if (u->free_in_done)
		rpc_client_free(u->client);
}

static const struct rpc_client_ops user_ops = {on_up, on_down, on_news};

static void user_init(struct user *u)
{
	*u = (struct user){0};
	bench_init(&u->b, NULL);
	snprintf(u->path, sizeof(u->path), "/tmp/test-rpc-%d.sock", (int)getpid());
}

/* Give the loop up to a minute until *n reaches want. */
static void until(struct user *u, const unsigned int *n, unsigned int want)
{
	struct mono end = mono_add_ms(mono_now(), 60000);

	while (*n < want && mono_before(mono_now(), end))
		loop_run_once(u->b.loop);
	assert_int_equal(*n, want);
}

static void test_client_calls_subscribes_and_comes_back(void **state)
{
	struct user u;

	(void)state;
	user_init(&u);
	u.client = rpc_client_new(u.b.loop, u.path, 10, &user_ops, &u);
	until(&u, &u.downs, 1);
	assert_int_equal(u.down_err, -ENOENT);
	assert_int_equal(rpc_client_call(u.client, "echo", NULL, on_answer, &u),
			 -ENOTCONN);

	assert_int_equal(rpc_server_listen(u.b.server, u.path), 0);
	until(&u, &u.ups, 1);
	assert_int_equal(rpc_client_call(u.client, "echo", json_pack("{s:i}", "a", 1),
					 on_answer, &u),
			 0);
	until(&u, &u.answers, 1);
	assert_int_equal(u.code, 0);
	rpc_client_call(u.client, "fail", NULL, on_answer, &u);
	until(&u, &u.answers, 2);
	assert_int_equal(u.code, RPC_EREFUSED);
	assert_string_equal(u.message, "line 1 line 2");
	rpc_client_call(u.client, "subscribe", NULL, on_answer, &u);
	until(&u, &u.answers, 3);
	rpc_server_push(u.b.server, TOPIC, "news", json_pack("{s:i}", "n", 5));
	until(&u, &u.news, 1);

	/* The server dies with a call open; a new one takes its place. */
	rpc_client_call(u.client, "keep", NULL, on_answer, &u);
	{
		struct mono end = mono_add_ms(mono_now(), 60000);

		while (!u.b.kept && mono_before(mono_now(), end))
			loop_run_once(u.b.loop);
		assert_non_null(u.b.kept);
	}
	rpc_server_free(u.b.server);
	rpc_call_reply(u.b.kept, NULL);
	assert_int_equal(access(u.path, F_OK), -1);
	until(&u, &u.answers, 4);
	assert_int_equal(u.code, -ECONNRESET);
	u.b.server = rpc_server_new(u.b.loop, methods, ARRAY_LEN(methods), NULL, &u.b);
	rpc_server_grant_all(u.b.server, READ_ROLE);
	assert_int_equal(rpc_server_listen(u.b.server, u.path), 0);
	until(&u, &u.ups, 2);

	u.free_in_done = true;
	rpc_client_call(u.client, "echo", NULL, on_answer, &u);
	until(&u, &u.answers, 5);
	bench_fini(&u.b);
}

static void test_client_says_why_it_was_turned_away(void **state)
{
	struct user u;

	(void)state;
	user_init(&u);
	rpc_server_free(u.b.server);
	u.b.server = rpc_server_new(u.b.loop, methods, ARRAY_LEN(methods), NULL, &u.b);
	assert_int_equal(rpc_server_listen(u.b.server, u.path), 0);
	u.client = rpc_client_new(u.b.loop, u.path, 0, &user_ops, &u);
	until(&u, &u.downs, 1);
	assert_int_equal(u.down_err, -EACCES);
	rpc_client_free(u.client);
	bench_fini(&u.b);
}

static void test_a_socket_in_use_is_not_taken(void **state)
{
	struct user u;
	struct rpc_server *second;
	struct stat st;
	FILE *fp;

	(void)state;
	user_init(&u);
	assert_int_equal(rpc_server_listen(u.b.server, u.path), 0);
	assert_int_equal(stat(u.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0666);
	second = rpc_server_new(u.b.loop, methods, ARRAY_LEN(methods), NULL, &u.b);
	assert_int_equal(rpc_server_listen(second, u.path), -EADDRINUSE);

	/* What is not ours is not removed, neither before nor after. */
	unlink(u.path);
	fp = fopen(u.path, "w");
	assert_non_null(fp);
	fclose(fp);
	assert_int_equal(rpc_server_listen(second, u.path), -EADDRINUSE);
	rpc_server_free(second);
	bench_fini(&u.b);
	assert_int_equal(access(u.path, F_OK), 0);
	unlink(u.path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_lines_are_answered_and_run_nothing),
		cmocka_unit_test(test_deep_json_is_refused_before_it_is_parsed),
		cmocka_unit_test(test_a_line_too_long_ends_the_connection),
		cmocka_unit_test(test_requests_cut_anywhere_are_whole_again),
		cmocka_unit_test(test_errors_are_one_line_with_data),
		cmocka_unit_test(test_parameters_are_checked),
		cmocka_unit_test(test_who_holds_no_role_is_turned_away),
		cmocka_unit_test(test_clients_and_open_calls_are_bounded),
		cmocka_unit_test(test_one_user_does_not_take_all_connections),
		cmocka_unit_test(test_some_connections_are_left_for_root),
		cmocka_unit_test(test_requests_take_a_share_of_the_time),
		cmocka_unit_test(test_all_requests_take_half_of_the_time),
		cmocka_unit_test(test_text_is_an_answer_like_any_other),
		cmocka_unit_test(test_who_does_not_read_is_dropped),
		cmocka_unit_test(test_answers_that_nobody_reads_end_the_reading),
		cmocka_unit_test(test_who_reads_nothing_at_all_is_dropped_in_time),
		cmocka_unit_test(test_many_requests_at_once_are_all_answered),
		cmocka_unit_test(test_client_calls_subscribes_and_comes_back),
		cmocka_unit_test(test_client_says_why_it_was_turned_away),
		cmocka_unit_test(test_a_socket_in_use_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
