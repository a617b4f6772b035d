/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The client side of rpc.h. It may be freed from inside any of its callbacks:
 * the memory then goes when the last of them has returned (c->busy).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/alloc.h"
#include "lib/loop.h"
#include "lib/rpc.h"
#include "lib/rpc_line.h"

enum {
	CLIENT_LINE_MAX = 64 * 1024 * 1024, /* a whole table of a big hub */
	CLIENT_DEPTH = 64,
	CLIENT_QUEUE_MAX = 4 * 1024 * 1024,
	CLIENT_LINE_BURST = 256, /* lines of one event */
};

struct waiting {
	json_int_t id;
	rpc_done *done;
	void *ctx;
	struct waiting *prev, *next;
};

struct rpc_client {
	struct loop *loop;
	char *path;
	unsigned int retry_ms;
	struct rpc_client_ops ops;
	void *ctx;
	int fd; /* -1: down */
	unsigned int busy;
	bool freed;
	int turned_away; /* why the server will close, 0 when it did not say */
	json_int_t next_id;
	struct rpc_in in;
	struct rpc_out out;
	struct loop_io io;
	struct loop_timer timer; /* next try, or more lines to look at */
	struct waiting *waiting;
};

static void try_connect(void *ctx, struct mono now);
static void on_io(void *ctx, int fd, unsigned int events);
static void on_more(void *ctx, struct mono now);

static void enter(struct rpc_client *c)
{
	c->busy++;
}

/* Returns false when the client is no more. */
static bool leave(struct rpc_client *c)
{
	if (--c->busy > 0 || !c->freed)
		return !c->freed;
	free(c->path);
	free(c);
	return false;
}

static void rearm(struct rpc_client *c)
{
	if (c->fd < 0)
		return;
	loop_io_start(c->loop, &c->io, c->fd,
		      LOOP_READ | (c->out.bytes > 0 ? (unsigned int)LOOP_WRITE : 0u),
		      on_io, c);
}

static void finish(struct waiting *w, const struct rpc_answer *answer)
{
	w->done(w->ctx, answer);
	free(w);
}

static void close_all(struct rpc_client *c)
{
	loop_io_stop(&c->io);
	loop_timer_stop(&c->timer);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	rpc_in_fini(&c->in);
	rpc_out_fini(&c->out);
}

/* Take every call that waits and answer it: the connection ended. */
static void fail_waiting(struct rpc_client *c, int err)
{
	struct rpc_answer answer = {.code = err, .message = "the connection ended"};
	struct waiting *list = c->waiting;
	struct waiting *w;
	struct waiting *tmp;

	c->waiting = NULL;
	DL_FOREACH_SAFE (list, w, tmp) {
		DL_DELETE(list, w);
		finish(w, &answer);
	}
}

static void go_down(struct rpc_client *c, int err)
{
	if (c->turned_away)
		err = c->turned_away;
	c->turned_away = 0;
	enter(c);
	close_all(c);
	fail_waiting(c, err);
	if (!c->freed && c->ops.down)
		c->ops.down(c->ctx, err);
	if (!leave(c))
		return;
	if (c->retry_ms)
		loop_timer_at(c->loop, &c->timer,
			      mono_add_us(loop_now(c->loop),
					  (int64_t)c->retry_ms * 1000),
			      try_connect, c);
}

static void try_connect(void *ctx, struct mono now)
{
	struct rpc_client *c = ctx;
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	size_t len = strlen(c->path);

	(void)now;
	if (len >= sizeof(sun.sun_path)) {
		go_down(c, -ENAMETOOLONG);
		return;
	}
	memcpy(sun.sun_path, c->path, len);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0) {
		go_down(c, -errno);
		return;
	}
	/* On a Unix socket this is done or refused at once; EAGAIN: full backlog. */
	if (connect(c->fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0) {
		go_down(c, -errno);
		return;
	}
	rearm(c);
	enter(c);
	if (c->ops.up)
		c->ops.up(c->ctx);
	leave(c);
}

static void answer_error(const json_t *error, struct rpc_answer *answer)
{
	const char *text = json_string_value(json_object_get(error, "message"));

	answer->code = (int)json_integer_value(json_object_get(error, "code"));
	if (answer->code == 0)
		answer->code = RPC_EINTERNAL;
	answer->message = text ? text : "failed without a word";
	answer->data = json_object_get(error, "data");
}

static void take_answer(struct rpc_client *c, json_int_t id, const json_t *msg)
{
	const json_t *error = json_object_get(msg, "error");
	struct rpc_answer answer = {.message = ""};
	struct waiting *w;

	DL_FOREACH (c->waiting, w)
		if (w->id == id)
			break;
	if (!w)
		return;
	DL_DELETE(c->waiting, w);
	if (error)
		answer_error(error, &answer);
	else
		answer.result = json_object_get(msg, "result");
	finish(w, &answer);
}

static void take_message(struct rpc_client *c, const json_t *msg)
{
	const json_t *id = json_object_get(msg, "id");
	const char *method = json_string_value(json_object_get(msg, "method"));

	if (method && !id) {
		if (c->ops.notify)
			c->ops.notify(c->ctx, method, json_object_get(msg, "params"));
	} else if (json_is_integer(id)) {
		take_answer(c, json_integer_value(id), msg);
	} else if (json_is_null(id)) {
		struct rpc_answer answer = {0};

		/* Not to one request: the server turns the connection away. */
		answer_error(json_object_get(msg, "error"), &answer);
		c->turned_away = answer.code == RPC_EDENIED ? -EACCES
				 : answer.code == RPC_EBUSY ? -EUSERS
							    : -EPROTO;
	}
}

/* Look at the lines that are there. Returns false when c is gone or down. */
static bool take_lines(struct rpc_client *c)
{
	char why[160];
	int err = 0;

	enter(c);
	for (int i = 0; i < CLIENT_LINE_BURST && !c->freed && c->fd >= 0; i++) {
		size_t len;
		const char *line = rpc_in_line(&c->in, &len);
		json_t *msg;

		if (!line)
			break;
		msg = rpc_line_decode(line, len, CLIENT_DEPTH, why, sizeof(why));
		if (!msg) {
			err = -EPROTO;
			break;
		}
		take_message(c, msg);
		json_decref(msg);
	}
	if (!leave(c))
		return false;
	if (err < 0 && c->fd >= 0)
		go_down(c, err);
	return !err && c->fd >= 0;
}

static void on_more(void *ctx, struct mono now)
{
	struct rpc_client *c = ctx;

	if (!take_lines(c))
		return;
	if (c->in.scanned < c->in.len)
		loop_timer_at(c->loop, &c->timer, now, on_more, c);
	rearm(c);
}

static void on_io(void *ctx, int fd, unsigned int events)
{
	struct rpc_client *c = ctx;
	ssize_t n = -EAGAIN;

	if (events & LOOP_WRITE) {
		ssize_t sent = rpc_out_send(&c->out, fd);

		/* What the server said before it closed is still to be read. */
		if (sent < 0)
			rpc_out_fini(&c->out);
	}
	if (events & LOOP_READ)
		n = rpc_in_read(&c->in, fd);
	if (n > 0) {
		on_more(c, loop_now(c->loop));
		return;
	}
	if (n != -EAGAIN) {
		if (take_lines(c))
			go_down(c, n == 0 ? -ECONNRESET : (int)n);
		return;
	}
	rearm(c);
}

struct rpc_client *rpc_client_new(struct loop *loop, const char *path,
				  unsigned int retry_ms,
				  const struct rpc_client_ops *ops, void *ctx)
{
	struct rpc_client *c = ed_alloc(sizeof(*c));

	c->loop = loop;
	c->path = ed_strdup(path);
	c->retry_ms = retry_ms;
	if (ops)
		c->ops = *ops;
	c->ctx = ctx;
	c->fd = -1;
	c->next_id = 1;
	rpc_in_init(&c->in, CLIENT_LINE_MAX);
	loop_timer_at(loop, &c->timer, loop_now(loop), try_connect, c);
	return c;
}

void rpc_client_free(struct rpc_client *c)
{
	if (!c || c->freed)
		return;
	c->freed = true;
	enter(c);
	close_all(c);
	fail_waiting(c, -ECONNRESET);
	leave(c);
}

bool rpc_client_is_up(const struct rpc_client *c)
{
	return c->fd >= 0;
}

int rpc_client_call(struct rpc_client *c, const char *method, json_t *params,
		    rpc_done *done, void *ctx)
{
	struct rpc_text *t;
	struct waiting *w;
	json_t *msg;

	if (c->fd < 0 || c->freed || c->out.bytes > CLIENT_QUEUE_MAX) {
		json_decref(params);
		return c->fd < 0 || c->freed ? -ENOTCONN : -ENOBUFS;
	}
	msg = json_pack("{s:s, s:I, s:s}", "jsonrpc", "2.0", "id", c->next_id, "method",
			method);
	if (params)
		json_object_set_new(msg, "params", params);
	t = rpc_text_new(msg);
	json_decref(msg);
	rpc_out_add(&c->out, t);
	rpc_text_put(t);
	w = ed_alloc(sizeof(*w));
	w->id = c->next_id++;
	w->done = done;
	w->ctx = ctx;
	DL_APPEND(c->waiting, w);
	rearm(c);
	return 0;
}
