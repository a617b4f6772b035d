/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/control.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edged/config/config.h"
#include "edged/edged.h"
#include "edged/events.h"
#include "edged/rates.h"
#include "edged/rpc_json.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/rpc.h"

enum {
	TOPIC_STATUS,
	TOPIC_EVENTS,
	TOPIC_INTENT,
	RECENT_MAX = 2048, /* events remembered, one of a kind and subject */
	CHANGED_MS = 300, /* changes within this become one push */
	FIGURES_MS = 1000, /* while somebody watches */
	BIG_BYTES = 1024 * 1024, /* a status this big is pushed less often */
	BIG_MS = 5000,
};

struct control {
	struct edged *ed;
	struct rpc_server *server;
	struct rates *rates;
	struct loop_timer push; /* of the status */
	struct mono push_at;
	struct control_zebra_ops zebra;
	void *zebra_ctx;
	json_t *report;
	json_t *recent; /* "KIND SUBJECT": its last event */
	struct mono zebra_since;
	bool zebra_connected;
};

/* --- the status ------------------------------------------------------------------- */

static void on_push(void *ctx, struct mono now);

static void push_by(struct control *c, struct mono at)
{
	if (!loop_timer_active(&c->push) || mono_before(at, c->push_at)) {
		c->push_at = at;
		loop_timer_at(c->ed->loop, &c->push, at, on_push, c);
	}
}

static void on_push(void *ctx, struct mono now)
{
	struct control *c = ctx;
	json_t *status;
	int64_t next_ms = FIGURES_MS;

	if (rpc_server_subscribers(c->server, TOPIC_STATUS) == 0)
		return;
	status = rpc_status(c->ed);
	if (json_dumpb(status, NULL, 0, JSON_COMPACT) > BIG_BYTES)
		next_ms = BIG_MS;
	rpc_server_push(c->server, TOPIC_STATUS, "status.changed", status);
	push_by(c, mono_add_ms(now, next_ms));
}

void control_changed(struct control *c)
{
	if (c && rpc_server_subscribers(c->server, TOPIC_STATUS) > 0)
		push_by(c, mono_add_ms(loop_now(c->ed->loop), CHANGED_MS));
}

static void status_get(void *ctx, struct rpc_call *call, const json_t *params)
{
	(void)params;
	rpc_call_reply(call, rpc_status(ctx));
}

static void status_watch(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;

	(void)params;
	rpc_call_subscribe(call, TOPIC_STATUS);
	rpc_call_reply(call, rpc_status(ed));
	push_by(ed->control, mono_add_ms(loop_now(ed->loop), FIGURES_MS));
}

const struct rates *control_rates(const struct control *c)
{
	return c ? c->rates : NULL;
}

/* --- events ------------------------------------------------------------------------ */

static void events_follow(void *ctx, struct rpc_call *call, const json_t *params)
{
	(void)ctx;
	(void)params;
	rpc_call_subscribe(call, TOPIC_EVENTS);
	rpc_call_reply(call, json_pack("{s:i}", "schema", CONTROL_SCHEMA));
}

static void remember(struct control *c, json_t *event)
{
	const char *kind = json_string_value(json_object_get(event, "kind"));
	char *key = ed_asprintf("%s %s", kind,
				json_string_value(json_object_get(event, "subject")));

	/* A hub's worth of objects that came and went: begin anew. */
	if (json_object_size(c->recent) >= RECENT_MAX)
		json_object_clear(c->recent);
	json_object_set(c->recent, key, event);
	if (strcmp(kind, EVENT_STEER) == 0)
		json_object_set(c->recent, EVENT_STEER, event);
	free(key);
}

const struct json_t *control_recent(const struct control *c, const char *kind,
				    const char *subject)
{
	const json_t *event;
	char *key;

	if (!c || !subject)
		return c ? json_object_get(c->recent, kind) : NULL;
	key = ed_asprintf("%s %s", kind, subject);
	event = json_object_get(c->recent, key);
	free(key);
	return event;
}

void control_event(struct control *c, struct json_t *event)
{
	if (!c) {
		json_decref(event);
		return;
	}
	remember(c, event);
	rpc_server_push(c->server, TOPIC_EVENTS, "event", event);
	control_changed(c);
}

/* --- edge-zebra ---------------------------------------------------------------------- */

static void zebra_subscribe(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct control *c = ((struct edged *)ctx)->control;
	json_t *intent;

	(void)params;
	if (!c->zebra.intent) {
		rpc_call_error(call, RPC_EBUSY, "edged is starting, ask again");
		return;
	}
	intent = c->zebra.intent(c->zebra_ctx);
	rpc_call_subscribe(call, TOPIC_INTENT);
	rpc_call_reply(call, intent);
	if (!c->zebra_connected) {
		c->zebra_connected = true;
		c->zebra_since = loop_now(c->ed->loop);
		if (c->zebra.connected)
			c->zebra.connected(c->zebra_ctx, true);
		control_changed(c);
	}
}

static void zebra_state(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct control *c = ((struct edged *)ctx)->control;

	json_decref(c->report);
	c->report = json_deep_copy(params);
	rpc_call_reply(call, NULL);
	if (c->zebra.state)
		c->zebra.state(c->zebra_ctx, c->report);
}

static void on_leave(void *ctx, unsigned int topic)
{
	struct control *c = ((struct edged *)ctx)->control;

	if (topic != TOPIC_INTENT || !c->zebra_connected ||
	    rpc_server_subscribers(c->server, TOPIC_INTENT) > 0)
		return;
	c->zebra_connected = false;
	c->zebra_since = loop_now(c->ed->loop);
	json_decref(c->report);
	c->report = NULL;
	if (c->zebra.connected)
		c->zebra.connected(c->zebra_ctx, false);
	control_changed(c);
}

void control_zebra_set(struct control *c, const struct control_zebra_ops *ops,
		       void *ctx)
{
	if (!c)
		return;
	c->zebra = *ops;
	c->zebra_ctx = ctx;
}

void control_zebra_changed(struct control *c)
{
	if (!c || !c->zebra.intent ||
	    rpc_server_subscribers(c->server, TOPIC_INTENT) == 0)
		return;
	rpc_server_push(c->server, TOPIC_INTENT, "zebra.intent",
			c->zebra.intent(c->zebra_ctx));
}

void control_zebra_peer(struct control *c, struct json_t *peer)
{
	if (c)
		rpc_server_push(c->server, TOPIC_INTENT, "zebra.peer", peer);
	else
		json_decref(peer);
}

bool control_zebra_connected(const struct control *c)
{
	return c && c->zebra_connected;
}

bool control_zebra_needed(const struct control *c)
{
	const struct config *conf = c ? c->ed->config : NULL;

	return conf && (conf->bgp.asn || conf->classes.n > 1 || c->zebra_since.us != 0);
}

struct mono control_zebra_since(const struct control *c)
{
	return c ? c->zebra_since : MONO_ZERO;
}

const struct json_t *control_zebra_report(const struct control *c)
{
	return c ? c->report : NULL;
}

/* --- the table of methods -------------------------------------------------------------- */

/* On the machine, or by the page. */
enum { BY_PEOPLE = CONTROL_OPERATOR | CONTROL_WEB };

/* clang-format off */
static const struct rpc_method methods[] = {
	{ "status.get",      CONTROL_VIEWER,   status_get },
	{ "status.watch",    CONTROL_VIEWER,   status_watch },
	{ "uplinks.list",    CONTROL_VIEWER,   rpc_uplinks_list },
	{ "peers.list",      CONTROL_VIEWER,   rpc_peers_list },
	{ "paths.list",      CONTROL_VIEWER,   rpc_paths_list },
	{ "paths.history",   CONTROL_VIEWER,   rpc_paths_history },
	{ "classes.list",    CONTROL_VIEWER,   rpc_classes_list },
	{ "routes.list",     CONTROL_VIEWER,   rpc_routes_list },
	{ "ike.list",        CONTROL_VIEWER,   rpc_ike_list },
	{ "events.list",     CONTROL_VIEWER,   rpc_events_list },
	{ "events.follow",   CONTROL_VIEWER,   events_follow },
	{ "why",             CONTROL_VIEWER,   rpc_why },
	{ "metrics.get",     CONTROL_VIEWER,   rpc_metrics_get },
	{ "config.apply",    CONTROL_OPERATOR, rpc_config_apply },
	{ "uplink.set",      BY_PEOPLE,        rpc_uplink_set },
	{ "peer.restart",    BY_PEOPLE,        rpc_peer_restart },
	{ "peer.rekey",      BY_PEOPLE,        rpc_peer_rekey },
	{ "zebra.subscribe", CONTROL_HELPER,   zebra_subscribe },
	{ "zebra.state",     CONTROL_HELPER,   zebra_state },
};
/* clang-format on */

static void grant_roles(struct rpc_server *s)
{
	const unsigned int all =
		CONTROL_VIEWER | CONTROL_HELPER | CONTROL_OPERATOR | CONTROL_WEB;
	const struct group *g;
	const struct passwd *u;

	rpc_server_grant_uid(s, 0, all);
	g = getgrnam("edged-admin");
	if (g)
		rpc_server_grant_gid(s, g->gr_gid, CONTROL_VIEWER | CONTROL_OPERATOR);
	g = getgrnam("edged");
	if (g)
		rpc_server_grant_gid(s, g->gr_gid, CONTROL_VIEWER);
	u = getpwnam("frr");
	if (u)
		rpc_server_grant_uid(s, u->pw_uid, CONTROL_HELPER);
	u = getpwnam("edged-web");
	if (u)
		rpc_server_grant_uid(s, u->pw_uid, CONTROL_VIEWER | CONTROL_WEB);
}

int control_new(struct edged *ed, struct control **ret)
{
	struct control *c = ed_alloc(sizeof(*c));
	char *path = ed_asprintf("%s/control.sock", ed->opt.run);
	/* A report of edge-zebra names every session of a hub. */
	const struct rpc_limits limits = {
		.big_roles = CONTROL_HELPER,
		.quick_roles = CONTROL_HELPER | CONTROL_OPERATOR | CONTROL_WEB,
	};
	int err;

	c->ed = ed;
	c->recent = json_object();
	c->server = rpc_server_new(ed->loop, methods, ARRAY_LEN(methods), &limits, ed);
	grant_roles(c->server);
	rpc_server_on_leave(c->server, on_leave);
	err = rpc_server_listen(c->server, path);
	if (err == -EADDRINUSE) {
		ed_error("control", "another edged answers on %s", path);
	} else if (err < 0) {
		ed_error("control", "cannot listen on %s: %s", path, strerror(-err));
	}
	free(path);
	if (err < 0) {
		control_free(c);
		return err;
	}
	c->rates = rates_new(ed);
	*ret = c;
	return 0;
}

void control_free(struct control *c)
{
	if (!c)
		return;
	loop_timer_stop(&c->push);
	rpc_server_free(c->server);
	rates_free(c->rates);
	json_decref(c->report);
	json_decref(c->recent);
	free(c);
}
