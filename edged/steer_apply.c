/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/steer_apply.h"

#include <jansson.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>
#include <utlist.h>

#include "edged/control.h"
#include "edged/edged.h"
#include "edged/events.h"
#include "edged/nft.h"
#include "edged/policy.h"
#include "edged/steer_want.h"
#include "edged/steering.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/rpc.h"
#include "routing/owned.h"

enum {
	WITHDRAW_COME_US = 2 * 1000 * 1000,
	WITHDRAW_DONE_US = 5 * 1000 * 1000,
};

/* What main's routes of a peer went over last: tunnel slots. */
struct former {
	char name[EDGED_NAME_MAX]; /* of the peer */
	unsigned int slots[RT_INTENT_TUNNELS_MAX];
	size_t n;
	UT_hash_handle hh;
};

/* An interface that is set down. */
struct downed {
	int ifindex;
	UT_hash_handle hh;
};

struct steer_apply {
	struct edged *ed;
	struct nft *nft;
	struct loop_timer soon;
	struct former *former; /* uthash by name */
	struct downed *downed; /* uthash by ifindex */
	json_t *table; /* what nft was given last */
	json_t *intent; /* what edge-zebra was given last */
	bool planned; /* the first plan has been seen */
};

/* --- which tunnels carry main's routes -------------------------------------------- */

static struct former *former_of(struct steer_apply *a, const char *peer)
{
	struct former *f;

	HASH_FIND_STR(a->former, peer, f);
	if (!f) {
		f = ed_alloc(sizeof(*f));
		snprintf(f->name, sizeof(f->name), "%s", peer);
		HASH_ADD_STR(a->former, name, f);
	}
	return f;
}

/* The tunnels alive now; when none is, the former ones stay. True: they changed. */
static bool update_former(struct steer_apply *a, const struct peer *p)
{
	struct former now = {.n = 0};
	struct former *f = former_of(a, p->name);
	const struct tunnel *t;

	DL_FOREACH (p->tunnels, t) {
		if (tunnel_alive(t) && now.n < RT_INTENT_TUNNELS_MAX)
			now.slots[now.n++] = t->slot;
	}
	if (!now.n ||
	    (now.n == f->n && !memcmp(f->slots, now.slots, sizeof(now.slots))))
		return false;
	memcpy(f->slots, now.slots, sizeof(f->slots));
	f->n = now.n;
	return true;
}

static bool carries(void *ctx, const struct tunnel *t)
{
	const struct former *f = former_of(ctx, t->peer->name);

	/* Never one alive yet: whoever asks for the peer may try all. */
	if (!f->n)
		return true;
	for (size_t i = 0; i < f->n; i++) {
		if (f->slots[i] == t->slot)
			return true;
	}
	return false;
}

/* Peers that are no longer configured have no former tunnels. */
static void forget_gone(struct steer_apply *a)
{
	struct former *f;
	struct former *next;

	HASH_ITER (hh, a->former, f, next) {
		if (edged_peer(a->ed, f->name))
			continue;
		HASH_DEL(a->former, f);
		free(f);
	}
}

/* --- handing on --------------------------------------------------------------------- */

static void apply_policy(struct steer_apply *a)
{
	struct steer_policy p;

	steer_policy_fill(a->ed, !a->planned, carries, a, &p);
	(void)policy_set(a->ed->policy, &p.want); /* it says itself what is refused */
	steer_policy_fini(&p);
}

/* At a start, before there are objects: the guard first of all. */
static void apply_guard(struct steer_apply *a)
{
	struct steer_policy p;

	steer_policy_fill(a->ed, true, carries, a, &p);
	p.want.keep_all = true;
	(void)policy_set(a->ed->policy, &p.want);
	steer_policy_fini(&p);
}

static void apply_nft(struct steer_apply *a)
{
	json_t *table = steer_nft(a->ed);

	if (a->table && json_equal(a->table, table)) {
		json_decref(table);
		return;
	}
	json_decref(a->table);
	a->table = table;
	nft_apply(a->nft, json_incref(table));
}

static json_t *intent_json(struct steer_apply *a)
{
	struct rt_intent *i = steer_intent(a->ed, !a->planned);
	json_t *js = rt_intent_to_json(i);

	rt_intent_free(i);
	return js;
}

static void apply_intent(struct steer_apply *a)
{
	json_t *js = intent_json(a);

	if (a->intent && json_equal(a->intent, js)) {
		json_decref(js);
		return;
	}
	json_decref(a->intent);
	a->intent = js;
	control_zebra_changed(a->ed->control);
}

static void apply_all(struct steer_apply *a)
{
	for (const struct peer *p = a->ed->peers; p; p = p->hh.next) {
		(void)update_former(a, p);
		a->planned = a->planned || steering_plan(p);
	}
	forget_gone(a);
	apply_policy(a);
	apply_nft(a);
	apply_intent(a);
}

static void on_soon(void *ctx, struct mono now)
{
	(void)now;
	apply_all(ctx);
}

void steer_apply_all(struct edged *ed)
{
	struct steer_apply *a = ed->steer_apply;

	if (a && !loop_timer_active(&a->soon))
		loop_timer_at(ed->loop, &a->soon, loop_now(ed->loop), on_soon, a);
}

/* Put the peer's new part into the intent that was given last. */
static bool remember_peer(struct steer_apply *a, const char *name, json_t *part)
{
	json_t *peers = json_object_get(a->intent, "peers");

	for (size_t i = 0; i < json_array_size(peers); i++) {
		json_t *old = json_array_get(peers, i);
		const char *old_name = json_string_value(json_object_get(old, "name"));

		if (!old_name || strcmp(old_name, name))
			continue;
		if (json_equal(old, part))
			return false;
		json_array_set(peers, i, part);
		return true;
	}
	json_array_append(peers, part);
	return true;
}

static void apply_peer_intent(struct steer_apply *a, const struct peer *p)
{
	struct rt_intent *i = rt_intent_new("");
	json_t *part;

	steer_intent_peer(p, i);
	part = rt_peer_to_json(&i->peers[0]);
	rt_intent_free(i);
	if (remember_peer(a, p->name, part))
		control_zebra_peer(a->ed->control, json_incref(part));
	json_decref(part);
}

void steer_apply_peer(struct edged *ed, struct peer *p)
{
	struct steer_apply *a = ed->steer_apply;

	if (!a)
		return;
	/* The first plan ends the wait: everything is handed on. */
	if (!a->planned || !a->intent) {
		steer_apply_all(ed);
		return;
	}
	(void)update_former(a, p);
	apply_peer_intent(a, p);
	apply_policy(a);
}

void steer_apply_liveness(struct edged *ed, const struct peer *p)
{
	struct steer_apply *a = ed->steer_apply;

	if (a && a->planned && update_former(a, p))
		apply_policy(a);
}

/* --- edge-zebra ------------------------------------------------------------------------ */

static struct json_t *on_intent(void *ctx)
{
	struct steer_apply *a = ctx;

	if (!a->intent)
		a->intent = intent_json(a);
	return json_deep_copy(a->intent);
}

static void on_state(void *ctx, const struct json_t *report)
{
	struct steer_apply *a = ctx;
	const char *error = json_string_value(json_object_get(report, "error"));

	control_changed(a->ed->control);
	if (error && *error)
		ed_debug("edge-zebra", "%s", error);
}

static void on_connected(void *ctx, bool yes)
{
	struct steer_apply *a = ctx;

	event_emit(a->ed, EVENT_DAEMON, "edge-zebra", yes ? "away" : "connected",
		   yes ? "connected" : "away",
		   yes ? "it steers through FRR"
		       : "FRR keeps what it was told last; classes change when it is "
			 "back",
		   NULL);
}

/* --- links --------------------------------------------------------------------------- */

static void put_back(const struct edged *ed, int ifindex)
{
	for (struct tunnel *t = ed->tunnels; t; t = t->hh.next) {
		if (t->ifindex == ifindex)
			tunnel_interface_again(t);
	}
}

/* A tunnel's interface is never set down by us; somebody else may do it. */
static void on_link(void *ctx, int ifindex, bool up)
{
	struct steer_apply *a = ctx;
	struct downed *d;

	HASH_FIND_INT(a->downed, &ifindex, d);
	if (!up && !d) {
		d = ed_alloc(sizeof(*d));
		d->ifindex = ifindex;
		HASH_ADD_INT(a->downed, ifindex, d);
	} else if (up && d) {
		HASH_DEL(a->downed, d);
		free(d);
		put_back(a->ed, ifindex);
	}
}

int steer_apply_new(struct edged *ed, struct steer_apply **ret)
{
	static const struct control_zebra_ops ops = {.intent = on_intent,
						     .state = on_state,
						     .connected = on_connected};
	struct steer_apply *a = ed_alloc(sizeof(*a));

	a->ed = ed;
	a->nft = nft_new(ed->loop, NULL, NULL);
	control_zebra_set(ed->control, &ops, a);
	policy_watch_links(ed->policy, on_link, a);
	apply_guard(a);
	*ret = a;
	return 0;
}

void steer_apply_free(struct steer_apply *a)
{
	struct former *f;
	struct former *next;
	struct downed *d;
	struct downed *next_down;

	if (!a)
		return;
	loop_timer_stop(&a->soon);
	policy_watch_links(a->ed->policy, NULL, NULL);
	HASH_ITER (hh, a->downed, d, next_down) {
		HASH_DEL(a->downed, d);
		free(d);
	}
	control_zebra_set(a->ed->control, &(struct control_zebra_ops){0}, NULL);
	nft_free(a->nft);
	HASH_ITER (hh, a->former, f, next) {
		HASH_DEL(a->former, f);
		free(f);
	}
	json_decref(a->table);
	json_decref(a->intent);
	free(a);
}

/* --- edged --down ------------------------------------------------------------------------ */

/* A control socket with one thing to say. */
struct withdraw {
	struct loop *loop;
	struct loop_timer limit;
	bool came, last, done;
};

static void withdraw_subscribe(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct withdraw *w = ctx;
	struct rt_intent *none = rt_intent_new("/run/frr");
	json_t *js = rt_intent_to_json(none);

	(void)params;
	rt_intent_free(none);
	/* The folder stays the one that the helper knows. */
	json_object_del(js, "frr");
	json_object_set_new(js, "withdraw", json_true());
	w->came = true;
	rpc_call_reply(call, js);
}

static void withdraw_state(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct withdraw *w = ctx;

	rpc_call_reply(call, NULL);
	if (json_is_true(json_object_get(params, "withdrawn"))) {
		w->done = true;
		loop_stop(w->loop);
	}
}

static void on_limit(void *ctx, struct mono now)
{
	struct withdraw *w = ctx;

	if (!w->came || w->last) {
		loop_stop(w->loop);
		return;
	}
	w->last = true;
	loop_timer_at(w->loop, &w->limit, mono_add_us(now, WITHDRAW_DONE_US), on_limit,
		      w);
}

void steer_apply_withdraw(struct loop *loop, const char *run)
{
	static const struct rpc_method methods[] = {
		{"zebra.subscribe", 1, withdraw_subscribe},
		{"zebra.state", 1, withdraw_state},
	};
	struct withdraw w = {.loop = loop};
	struct rpc_server *s =
		rpc_server_new(loop, methods, ARRAY_LEN(methods), NULL, &w);
	const struct passwd *frr = getpwnam("frr");
	char path[108];

	rpc_server_grant_uid(s, 0, 1);
	if (frr)
		rpc_server_grant_uid(s, frr->pw_uid, 1);
	if ((size_t)snprintf(path, sizeof(path), "%s/control.sock", run) <
		    sizeof(path) &&
	    rpc_server_listen(s, path) == 0) {
		loop_timer_at(loop, &w.limit,
			      mono_add_us(loop_now(loop), WITHDRAW_COME_US), on_limit,
			      &w);
		loop_run(loop);
		loop_timer_stop(&w.limit);
		if (w.done)
			ed_info("down", "edge-zebra has taken our part out of FRR");
		else
			ed_warn("down",
				"edge-zebra %s: what it told FRR stays until "
				"it runs, or FRR is restarted",
				w.came ? "is not done" : "did not come");
		(void)unlink(path);
	}
	rpc_server_free(s);
}
