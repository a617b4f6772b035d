/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "edged/ctl/ctl.h"
#include "lib/alloc.h"
#include "lib/loop.h"
#include "lib/rpc.h"

enum {
	RETRY_MS = 200, /* while --wait lets us */
};

/* One question under way. */
struct asking {
	struct ctl *c;
	struct loop_timer limit;
	bool done;
	bool late;
	int down_err; /* why there is no connection, 0 while unknown */
	enum ctl_exit status;
	json_t *result;
};

/* The question under way, for the connection's callbacks; there is only one. */
static struct asking *current;

/* Where messages go instead of stderr. */
static struct {
	bool on;
	char *buf;
	size_t size;
} quiet;

void ctl_quiet(char *ret, size_t size)
{
	quiet.on = true;
	quiet.buf = ret;
	quiet.size = size;
}

void ctl_error(const char *fmt, ...)
{
	char text[1024];
	char safe[2048];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ctl_escape(safe, sizeof(safe), text);
	if (!quiet.on)
		fprintf(stderr, "edgectl: %s\n", safe);
	else if (quiet.buf)
		snprintf(quiet.buf, quiet.size, "%s", safe);
}

static void on_up(void *ctx)
{
	struct ctl *c = ctx;

	c->lost = false;
	loop_stop(c->loop);
}

static void on_down(void *ctx, int err)
{
	struct ctl *c = ctx;

	c->lost = true;
	if (current)
		current->down_err = err;
	/* A daemon that is not there yet is waited for, one that left is not. */
	if (!current || !c->opt.wait_given || (err != -ENOENT && err != -ECONNREFUSED))
		loop_stop(c->loop);
}

static void on_notify(void *ctx, const char *method, const json_t *params)
{
	struct ctl *c = ctx;

	if (c->notify)
		c->notify(c, method, params);
}

static const struct rpc_client_ops client_ops = {on_up, on_down, on_notify};

static void on_limit(void *ctx, struct mono now)
{
	struct asking *a = ctx;

	(void)now;
	a->late = true;
	loop_stop(a->c->loop);
}

static enum ctl_exit say_no_daemon(const struct ctl *c, const struct asking *a)
{
	if (a->down_err == -EACCES) {
		ctl_error(
			"not permitted: be root, or a member of group edged (to look) or "
			"edged-admin (to change)");
		return CTL_FAILED;
	}
	if (a->down_err == -EUSERS) {
		ctl_error("edged has too many clients at the moment");
		return CTL_FAILED;
	}
	if (a->down_err)
		ctl_error("edged does not answer on %s/control.sock: %s", c->opt.run,
			  a->down_err == -ENOENT	 ? "it does not run"
			  : a->down_err == -ECONNREFUSED ? "it does not run (any more)"
			  : a->down_err == -ECONNRESET	 ? "the connection ended"
							 : strerror(-a->down_err));
	else
		ctl_error("edged does not answer on %s/control.sock within %u s",
			  c->opt.run, c->opt.wait_s);
	return CTL_NO_DAEMON;
}

static enum ctl_exit status_of(int code)
{
	switch (code) {
	case RPC_EPARAMS:
		return CTL_USAGE;
	case RPC_EREFUSED:
		return CTL_REFUSED;
	}
	return CTL_FAILED;
}

static void print_data(const json_t *data)
{
	const char *text = json_string_value(json_object_get(data, "text"));

	if (text)
		ctl_print_lines(stderr, text);
}

static void on_answer(void *ctx, const struct rpc_answer *answer)
{
	struct asking *a = ctx;

	if (a->late)
		return; /* given up */
	a->done = true;
	if (answer->code == 0) {
		a->status = CTL_DONE;
		a->result = json_deep_copy(answer->result);
	} else if (answer->code < 0 && answer->code > RPC_ELAST_ERRNO) {
		a->down_err = answer->code;
		a->status = say_no_daemon(a->c, a);
	} else {
		a->status = status_of(answer->code);
		print_data(answer->data);
		ctl_error("%s%s", answer->message,
			  answer->code == RPC_EDENIED
				  ? ": be root, or a member of group edged-admin"
				  : "");
	}
	loop_stop(a->c->loop);
}

static void connect_first(struct ctl *c)
{
	char *path;

	if (c->client)
		return;
	c->loop = loop_new();
	path = ed_asprintf("%s/control.sock", c->opt.run);
	c->client = rpc_client_new(c->loop, path, c->opt.wait_given ? RETRY_MS : 0,
				   &client_ops, c);
	free(path);
}

enum ctl_exit ctl_call(struct ctl *c, const char *method, json_t *params, json_t **ret)
{
	struct asking a = {.c = c, .status = CTL_NO_DAEMON};
	int64_t limit_ms = c->opt.wait_s * 1000LL;

	current = &a;
	connect_first(c);
	loop_timer_at(c->loop, &a.limit, mono_add_ms(mono_now(), limit_ms), on_limit,
		      &a);
	if (!rpc_client_is_up(c->client))
		loop_run(c->loop);
	if (rpc_client_call(c->client, method, params, on_answer, &a) < 0) {
		a.status = say_no_daemon(c, &a);
	} else {
		while (!a.done && !a.late)
			loop_run(c->loop);
		if (!a.done)
			a.status = say_no_daemon(c, &a);
	}
	/* A later answer must not find our stack. */
	if (a.late && !a.done)
		ctl_close(c);
	loop_timer_stop(&a.limit);
	current = NULL;
	if (a.status == CTL_DONE)
		*ret = a.result;
	else
		json_decref(a.result);
	return a.status;
}

void ctl_run(struct ctl *c)
{
	if (c->client && !c->lost)
		loop_run(c->loop);
}

void ctl_stop(struct ctl *c)
{
	loop_stop(c->loop);
}

static void on_pause(void *ctx, struct mono now)
{
	(void)now;
	loop_stop(((struct ctl *)ctx)->loop);
}

void ctl_pause(struct ctl *c, unsigned int ms)
{
	struct loop_timer t = {0};

	loop_timer_at(c->loop, &t, mono_add_ms(mono_now(), ms), on_pause, c);
	loop_run(c->loop);
	loop_timer_stop(&t);
}

void ctl_close(struct ctl *c)
{
	rpc_client_free(c->client);
	c->client = NULL;
	loop_free(c->loop);
	c->loop = NULL;
}
