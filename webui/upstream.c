/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/upstream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"

/*
 * A question: waits, then is asked, then answered. What was asked is freed by the
 * client's answer, or its end, even when the timer answered before.
 */
struct question {
	struct upstream *upstream;
	struct loop_timer timer;
	rpc_done *done; /* NULL: answered already, by the timer */
	void *ctx;
	const char *method;
	json_t *params; /* while it waits */
	struct question *prev, *next; /* while it waits */
};

struct upstream {
	struct loop *loop;
	char *path;
	struct upstream_ops ops;
	void *ctx;
	struct rpc_client *client;
	struct rpc_client *watcher; /* NULL: nobody looks */
	struct loop_timer silence; /* due: edged is silent */
	struct loop_timer linger; /* due: nobody has looked for a while */
	struct question *waiting;
	unsigned int n_waiting;
	unsigned int asked; /* not answered by edged yet */
	bool up;
	bool silent;
	time_t since;
	char text[320];
};

static void say(struct upstream *u, bool up, const char *why)
{
	if (up)
		snprintf(u->text, sizeof(u->text), "edged answers");
	else if (u->silent)
		snprintf(u->text, sizeof(u->text), "edged has said nothing for %d s",
			 UPSTREAM_SILENT_S);
	else
		snprintf(u->text, sizeof(u->text), "edged does not answer on %s: %s",
			 u->path, why);
}

static void set_up(struct upstream *u, bool up, const char *why)
{
	bool changed = up != u->up || !u->since;

	u->up = up;
	say(u, up, why);
	if (!changed)
		return;
	u->since = time(NULL);
	ed_info("edged", "%s", u->text);
	if (u->ops.link)
		u->ops.link(u->ctx);
}

/* --- questions and events --------------------------------------------------- */

static void on_followed(void *ctx, const struct rpc_answer *answer)
{
	struct upstream *u = ctx;

	if (answer->code)
		ed_warn("edged", "does not tell its events: %s", answer->message);
	else
		set_up(u, !u->silent, "");
}

static void on_up(void *ctx)
{
	struct upstream *u = ctx;

	(void)rpc_client_call(u->client, "events.follow", NULL, on_followed, u);
}

static void on_down(void *ctx, int err)
{
	struct upstream *u = ctx;

	u->silent = false;
	set_up(u, false,
	       err == -ENOENT || err == -ECONNREFUSED ? "it is not running"
	       : err == -ECONNRESET		      ? "it has just ended"
	       : err == -EACCES ? "edge-webui's user may not ask it"
	       : err == -EUSERS ? "it has too many clients"
				: strerror(-err));
}

static void on_notify(void *ctx, const char *method, const json_t *params)
{
	struct upstream *u = ctx;

	if (strcmp(method, "event") == 0 && u->ops.event)
		u->ops.event(u->ctx, params);
}

static void finish(struct question *q, const struct rpc_answer *answer)
{
	rpc_done *done = q->done;

	loop_timer_stop(&q->timer);
	q->done = NULL;
	if (done)
		done(q->ctx, answer);
}

static void forget(struct question *q)
{
	DL_DELETE(q->upstream->waiting, q);
	q->upstream->n_waiting--;
	json_decref(q->params);
	q->params = NULL;
}

static void on_late(void *ctx, struct mono now)
{
	const struct rpc_answer late = {.code = -ETIMEDOUT,
					.message = "edged did not answer in time"};
	struct question *q = ctx;
	bool waits = q->params != NULL;

	(void)now;
	if (waits)
		forget(q);
	finish(q, &late);
	if (waits)
		free(q);
}

static void on_answer(void *ctx, const struct rpc_answer *answer);

/* Ask what waits, as far as edged takes questions of one client. */
static void ask(struct upstream *u)
{
	const struct rpc_answer away = {.code = -ECONNRESET,
					.message = "the connection ended"};

	/* Ends: each round takes one. */
	while (u->waiting && u->asked < UPSTREAM_ASKED) {
		struct question *q = u->waiting;
		json_t *params = json_incref(q->params);

		forget(q);
		if (rpc_client_call(u->client, q->method, params, on_answer, q) == 0) {
			u->asked++;
			continue;
		}
		finish(q, &away);
		free(q);
	}
}

static void on_answer(void *ctx, const struct rpc_answer *answer)
{
	struct question *q = ctx;
	struct upstream *u = q->upstream;

	u->asked--;
	finish(q, answer);
	free(q);
	/* Behind the end of a connection those that wait are told, too. */
	ask(u);
}

int upstream_call(struct upstream *u, const char *method, json_t *params,
		  rpc_done *done, void *ctx)
{
	struct question *q;

	if (!rpc_client_is_up(u->client) || u->n_waiting >= UPSTREAM_WAITING) {
		json_decref(params);
		return rpc_client_is_up(u->client) ? -ENOBUFS : -ENOTCONN;
	}
	q = ed_alloc(sizeof(*q));
	q->upstream = u;
	q->done = done;
	q->ctx = ctx;
	q->method = method;
	q->params = params ? params : json_object();
	loop_timer_at(u->loop, &q->timer,
		      mono_add_ms(loop_now(u->loop), UPSTREAM_ANSWER_MS), on_late, q);
	DL_APPEND(u->waiting, q);
	u->n_waiting++;
	ask(u);
	return 0;
}

/* --- the status ----------------------------------------------------------------- */

static void on_silence(void *ctx, struct mono now)
{
	struct upstream *u = ctx;

	(void)now;
	if (!u->up)
		return;
	u->silent = true;
	set_up(u, false, "");
}

static void heard(struct upstream *u)
{
	loop_timer_at(u->loop, &u->silence,
		      mono_add_ms(loop_now(u->loop), UPSTREAM_SILENT_S * 1000),
		      on_silence, u);
	u->silent = false;
	set_up(u, true, "");
}

static void on_watched(void *ctx, const struct rpc_answer *answer)
{
	struct upstream *u = ctx;

	if (answer->code) {
		if (answer->code != -ECONNRESET)
			ed_warn("edged", "does not show its status: %s",
				answer->message);
		return;
	}
	heard(u);
	if (u->ops.status)
		u->ops.status(u->ctx, answer->result);
}

static void on_watcher_up(void *ctx)
{
	struct upstream *u = ctx;

	(void)rpc_client_call(u->watcher, "status.watch", NULL, on_watched, u);
}

static void on_watcher_notify(void *ctx, const char *method, const json_t *params)
{
	struct upstream *u = ctx;

	if (strcmp(method, "status.changed") != 0)
		return;
	heard(u);
	if (u->ops.status)
		u->ops.status(u->ctx, params);
}

static void on_linger(void *ctx, struct mono now)
{
	struct upstream *u = ctx;

	(void)now;
	rpc_client_free(u->watcher);
	u->watcher = NULL;
	loop_timer_stop(&u->silence);
	if (u->ops.status)
		u->ops.status(u->ctx, NULL);
}

void upstream_watch(struct upstream *u, bool yes)
{
	const struct rpc_client_ops ops = {.up = on_watcher_up,
					   .notify = on_watcher_notify};

	if (!yes) {
		if (u->watcher && !loop_timer_active(&u->linger))
			loop_timer_at(u->loop, &u->linger,
				      mono_add_ms(loop_now(u->loop),
						  UPSTREAM_LINGER_S * 1000),
				      on_linger, u);
		return;
	}
	loop_timer_stop(&u->linger);
	if (!u->watcher)
		u->watcher =
			rpc_client_new(u->loop, u->path, UPSTREAM_RETRY_MS, &ops, u);
}

/* --- the whole --------------------------------------------------------------------- */

struct upstream *upstream_new(struct loop *loop, const char *socket_path,
			      const struct upstream_ops *ops, void *ctx)
{
	const struct rpc_client_ops client_ops = {.up = on_up,
						  .down = on_down,
						  .notify = on_notify};
	struct upstream *u = ed_alloc(sizeof(*u));

	u->loop = loop;
	u->path = ed_strdup(socket_path);
	u->ops = *ops;
	u->ctx = ctx;
	snprintf(u->text, sizeof(u->text), "edged has not been asked yet");
	u->client =
		rpc_client_new(loop, socket_path, UPSTREAM_RETRY_MS, &client_ops, u);
	return u;
}

void upstream_free(struct upstream *u)
{
	const struct rpc_answer gone = {.code = -ECONNRESET,
					.message = "edge-webui is stopping"};

	if (!u)
		return;
	u->ops = (struct upstream_ops){0};
	rpc_client_free(u->watcher);
	rpc_client_free(u->client);
	while (u->waiting) {
		struct question *q = u->waiting;

		forget(q);
		finish(q, &gone);
		free(q);
	}
	loop_timer_stop(&u->silence);
	loop_timer_stop(&u->linger);
	free(u->path);
	free(u);
}

bool upstream_is_up(const struct upstream *u)
{
	return u->up;
}

time_t upstream_since(const struct upstream *u)
{
	return u->since;
}

const char *upstream_text(const struct upstream *u)
{
	return u->text;
}
