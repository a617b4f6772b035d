/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/control.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
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
	STATUS_PEERS_MAX = 200, /* rows; those that are not up come first */
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
	json_t *last_steer; /* the last decision, as an event */
	bool zebra_connected;
};

/* --- the status ------------------------------------------------------------------- */

/* "2 of 3 uplinks up, 1 of 1 peers up", and how bad that is in a word. */
static const char *judge(const struct edged *ed, char *text, size_t size)
{
	unsigned int n_uplinks = HASH_COUNT(ed->uplinks);
	unsigned int n_peers = HASH_COUNT(ed->peers);
	unsigned int uplinks = 0;
	unsigned int peers = 0;

	for (const struct uplink *u = ed->uplinks; u; u = u->hh.next)
		uplinks += u->state == UPLINK_UP;
	for (const struct peer *p = ed->peers; p; p = p->hh.next)
		peers += strcmp(rpc_peer_state(p), "up") == 0;
	snprintf(text, size, "%u of %u uplinks up, %u of %u peers up", uplinks,
		 n_uplinks, peers, n_peers);
	if (uplinks == 0 && n_uplinks > 0)
		return "down";
	return uplinks < n_uplinks || peers < n_peers ? "degraded" : "ok";
}

static json_t *status_json(struct edged *ed)
{
	json_t *last = ed->control ? ed->control->last_steer : NULL;
	const struct peer **peers;
	const char *state;
	char text[128];
	json_t *status;
	size_t n;

	state = judge(ed, text, sizeof(text));
	peers = rpc_peers_pick(ed, STATUS_PEERS_MAX, &n);
	status = json_pack(
		"{s:i, s:o, s:s, s:s, s:s, s:I, s:b, s:o, s:i, s:o, s:o, s:o}",
		"schema", CONTROL_SCHEMA, "name", rpc_json_text(ed->name), "state",
		state, "text", text, "version", PACKAGE_VERSION, "uptime_s",
		(json_int_t)(mono_diff_us(mono_now(), ed->started) / MONO_US_PER_S),
		"helper_connected", (int)control_zebra_connected(ed->control),
		"uplinks", rpc_uplinks(ed), "peers_total", (int)HASH_COUNT(ed->peers),
		"peers", rpc_peers(peers, n), "paths", rpc_paths(peers, n), "last",
		last ? json_incref(last) : json_null());
	free(peers);
	return status;
}

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
	status = status_json(c->ed);
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
	rpc_call_reply(call, status_json(ctx));
}

static void status_watch(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;

	(void)params;
	rpc_call_subscribe(call, TOPIC_STATUS);
	rpc_call_reply(call, status_json(ed));
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

void control_event(struct control *c, struct json_t *event)
{
	if (!c) {
		json_decref(event);
		return;
	}
	if (strcmp(json_string_value(json_object_get(event, "kind")), EVENT_STEER) ==
	    0) {
		json_decref(c->last_steer);
		c->last_steer = json_incref(event);
	}
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

const struct json_t *control_zebra_report(const struct control *c)
{
	return c ? c->report : NULL;
}

/* --- the table of methods -------------------------------------------------------------- */

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
	{ "config.apply",    CONTROL_OPERATOR, rpc_config_apply },
	{ "uplink.set",      CONTROL_OPERATOR, rpc_uplink_set },
	{ "peer.restart",    CONTROL_OPERATOR, rpc_peer_restart },
	{ "peer.rekey",      CONTROL_OPERATOR, rpc_peer_rekey },
	{ "zebra.subscribe", CONTROL_HELPER,   zebra_subscribe },
	{ "zebra.state",     CONTROL_HELPER,   zebra_state },
};
/* clang-format on */

static void grant_roles(struct rpc_server *s)
{
	const unsigned int all = CONTROL_VIEWER | CONTROL_HELPER | CONTROL_OPERATOR;
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
}

int control_new(struct edged *ed, struct control **ret)
{
	struct control *c = ed_alloc(sizeof(*c));
	char *path = ed_asprintf("%s/control.sock", ed->opt.run);
	/* A report of edge-zebra names every session of a hub. */
	const struct rpc_limits limits = {.big_roles = CONTROL_HELPER};
	int err;

	c->ed = ed;
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
	json_decref(c->last_steer);
	free(c);
}
