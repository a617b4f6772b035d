/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edge-zebra - everything that touches FRR, and nothing else
 *
 * The parts: the control socket (lib/rpc.h) brings the intent from edged; mirror.c
 * knows what class tables shall look like; zsock.c and zclient.c talk to zebra;
 * audit.c reads the kernel; vtysh.c keeps our lines in bgpd. This file ties them.
 *
 * Each may go and come back alone. edged away: the last intent stands. zebra
 * away: everything is sent again when it is back, learned prefixes are held.
 * bgpd away: its prefixes are held, our lines are sent to the next bgpd. We
 * ourselves away: zebra keeps what we told it (graceful restart), and the next
 * life takes over under new group numbers and sweeps what is left of this one.
 *
 * No capability is needed, only the user that FRR runs as.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/notify.h"
#include "lib/rpc.h"
#include "routing/intent.h"
#include "routing/zebra/audit.h"
#include "routing/zebra/mirror.h"
#include "routing/zebra/vtysh.h"
#include "routing/zebra/zclient.h"
#include "routing/zebra/zsock.h"

enum {
	EXIT_USAGE = 2,
	EXIT_LIBRARY = 3, /* libfrr is not the one we were built for */
	RPC_RETRY_MS = 300,
	SUBSCRIBE_RETRY_US = 500 * 1000,
	REPORT_US = 200 * 1000, /* changes are told together */
	CHECK_SOON_US = 150 * 1000, /* after a link or a zebra came */
	CHECK_AGAIN_US = 300 * 1000, /* after a fault */
	CHECK_IDLE_US = 10 * 1000 * 1000,
	CHECKS_FAST = 20, /* in a row after an event */
	DOWN_LOOK_US = 200 * 1000,
	DOWN_CLEAN_US = 3500 * 1000, /* a deleted group is seen for 3 s */
	DOWN_LIMIT_US = 15 * 1000 * 1000, /* of --down */
	ESTABLISHED_US = 10 * 1000 * 1000, /* all sessions up this long end a hold */
};

struct ez {
	struct loop *loop;
	struct notify *notify;
	struct rpc_client *rpc;
	struct mirror *mirror;
	struct zsock *zsock;
	struct audit *audit;
	struct vtysh *vtysh;
	struct rt_intent *intent; /* the last one; NULL before the first */
	struct loop_timer work, report, check, subscribe, down;
	struct loop_signal on_term, on_int;
	bool only_down; /* --down: nobody is asked, nothing shall outlive us */
	bool withdraw; /* told to take everything out */
	struct mono down_until; /* --down gives up */
	struct mono clean_since; /* --down has found nothing of ours */
	bool is_clean;
	bool dumped; /* zebra has told all prefixes it has */
	bool complete; /* and was told that we are done */
	unsigned int checks; /* fast ones left */
	uint64_t faults;
	struct mono established_at; /* MONO_NEVER: not all sessions are */
	json_t *told; /* last report */
	const char *frr_dir; /* where FRR is as long as nobody says otherwise */
};

static void schedule_report(struct ez *e);
static void schedule_work(struct ez *e);

/* --- mirror -> zebra -------------------------------------------------------------- */

static struct zc_prefix zc_prefix_of(const struct prefix *p)
{
	struct zc_prefix z = {.addr = {.family = p->addr.family}, .len = p->len};

	memcpy(z.addr.b, p->addr.b, sizeof(z.addr.b));
	return z;
}

static struct prefix prefix_from(const struct zc_prefix *z)
{
	struct prefix p = {.addr = {.family = z->addr.family}, .len = z->len};

	memcpy(p.addr.b, z->addr.b, sizeof(p.addr.b));
	return p;
}

static void group_set(void *ctx, uint32_t group, const struct mirror_hop *hops,
		      size_t n)
{
	struct zc_hop out[ZC_HOPS_MAX];

	(void)ctx;
	for (size_t i = 0; i < n && i < ZC_HOPS_MAX; i++) {
		out[i] = (struct zc_hop){.gateway = {.family = hops[i].gateway.family},
					 .ifindex = hops[i].ifindex,
					 .weight = hops[i].weight};
		memcpy(out[i].gateway.b, hops[i].gateway.b, sizeof(out[i].gateway.b));
	}
	zc_group_set(group, out, n < ZC_HOPS_MAX ? n : ZC_HOPS_MAX);
}

static void group_del(void *ctx, uint32_t group)
{
	(void)ctx;
	zc_group_del(group);
}

static void route_add(void *ctx, uint32_t table, const struct prefix *prefix,
		      uint32_t group)
{
	struct zc_prefix z = zc_prefix_of(prefix);

	(void)ctx;
	zc_route_add(table, &z, group);
}

static void route_del(void *ctx, uint32_t table, const struct prefix *prefix)
{
	struct zc_prefix z = zc_prefix_of(prefix);

	(void)ctx;
	zc_route_del(table, &z);
}

/* --- work and checks ---------------------------------------------------------------- */

static void run(struct ez *e);

static void on_work(void *ctx, struct mono now)
{
	(void)now;
	run(ctx);
}

static void schedule_work(struct ez *e)
{
	loop_timer_at(e->loop, &e->work, loop_now(e->loop), on_work, e);
}

static void run(struct ez *e)
{
	struct mono next = mirror_run(e->mirror, loop_now(e->loop));

	if (mono_is_never(next))
		loop_timer_stop(&e->work);
	else
		loop_timer_at(e->loop, &e->work, next, on_work, e);
	schedule_report(e);
}

static void on_check(void *ctx, struct mono now);

static void schedule_check(struct ez *e, int64_t us)
{
	loop_timer_at(e->loop, &e->check, mono_add_us(loop_now(e->loop), us), on_check,
		      e);
}

/* Something happened that the kernel or zebra may have answered badly. */
static void check_soon(struct ez *e)
{
	e->checks = CHECKS_FAST;
	schedule_check(e, CHECK_SOON_US);
}

/* All prefixes told, all sent: zebra may forget what was not sent again. */
static void say_complete(struct ez *e)
{
	if (e->complete || !e->dumped)
		return;
	e->complete = true;
	zc_update_complete();
}

static void check(struct ez *e)
{
	int faults =
		audit_check(e->audit, e->mirror, zc_group_base(), zc_group_space());

	if (faults <= 0)
		return;
	e->faults += (uint64_t)faults;
	ed_info("audit", "%d routes or groups were not as they should be: put right",
		faults);
	run(e);
}

static void on_check(void *ctx, struct mono now)
{
	struct ez *e = ctx;
	bool settled =
		zsock_is_up(e->zsock) && e->dumped && mirror_settled(e->mirror, now);

	if (mirror_holding(e->mirror) && !mono_is_never(e->established_at) &&
	    mono_diff_us(now, e->established_at) >= ESTABLISHED_US) {
		mirror_hold_end(e->mirror);
		run(e);
	} else if (settled) {
		say_complete(e);
		check(e);
	}
	if (e->checks)
		e->checks--;
	schedule_check(e, e->checks ? CHECK_AGAIN_US : CHECK_IDLE_US);
}

static void on_links(void *ctx)
{
	struct ez *e = ctx;

	run(e);
	check_soon(e);
}

/* --- zebra ------------------------------------------------------------------------------ */

/* Keep what was learned; sessions of before say nothing about what comes. */
static void hold(struct ez *e)
{
	uint32_t hold_s = e->intent ? e->intent->hold_s : 0;

	e->established_at = MONO_NEVER;
	vtysh_forget_sessions(e->vtysh);

	mirror_hold(e->mirror, mono_add_us(loop_now(e->loop), hold_s * MONO_US_PER_S));
}

static void on_zebra_up(void *ctx)
{
	struct ez *e = ctx;

	e->dumped = false;
	e->complete = false;
	zc_hello();
	if (!e->only_down)
		zc_graceful(e->intent ? e->intent->stale_s : 60);
	zc_redistribute(true, AF_INET);
	zc_redistribute(true, AF_INET6);
	zc_fence();
	mirror_connected(e->mirror, true);
	if (zc_needs_hygiene())
		vtysh_zebra_hygiene(e->vtysh);
	run(e);
	check_soon(e);
}

static void on_zebra_down(void *ctx)
{
	struct ez *e = ctx;

	hold(e);
	mirror_connected(e->mirror, false);
	run(e);
}

static void on_learned(struct ez *e, const struct zc_event *z)
{
	struct mirror_hop hops[ZC_HOPS_MAX];
	struct prefix p = prefix_from(&z->prefix);

	for (size_t i = 0; i < z->n_hops; i++) {
		hops[i] = (struct mirror_hop){
			.gateway = {.family = z->hops[i].gateway.family},
			.ifindex = z->hops[i].ifindex,
			.weight = z->hops[i].weight};
		memcpy(hops[i].gateway.b, z->hops[i].gateway.b,
		       sizeof(hops[i].gateway.b));
	}
	mirror_learned(e->mirror, &p, hops, z->n_hops);
}

static enum mirror_outcome outcome_of(enum zc_outcome o)
{
	switch (o) {
	case ZC_INSTALLED:
		return MIRROR_INSTALLED;
	case ZC_REMOVED:
		return MIRROR_REMOVED;
	case ZC_FAILED:
		break;
	}
	return MIRROR_FAILED;
}

static void on_zebra_event(void *ctx, const struct zc_event *z)
{
	struct ez *e = ctx;
	struct prefix p = prefix_from(&z->prefix);

	switch (z->type) {
	case ZC_OTHER:
		return;
	case ZC_ROUTE:
		mirror_route_result(e->mirror, z->table, &p, outcome_of(z->outcome));
		if (z->outcome == ZC_FAILED)
			check_soon(e);
		return;
	case ZC_GROUP:
		mirror_group_result(e->mirror, z->group, outcome_of(z->outcome));
		break;
	case ZC_LEARNED:
		on_learned(e, z);
		break;
	case ZC_LOST:
		mirror_lost(e->mirror, &p, loop_now(e->loop));
		break;
	case ZC_FENCE:
		e->dumped = true;
		break;
	case ZC_BGPD_GONE:
		ed_warn("bgp", "bgpd has gone: its prefixes are held for %u s",
			e->intent ? e->intent->hold_s : 0);
		hold(e);
		break;
	}
	schedule_work(e);
}

/* --- bgpd --------------------------------------------------------------------------------- */

static void on_bgp_changed(void *ctx)
{
	struct ez *e = ctx;

	if (!vtysh_all_established(e->vtysh))
		e->established_at = MONO_NEVER;
	else if (mono_is_never(e->established_at))
		e->established_at = loop_now(e->loop);
	schedule_report(e);
}

static void on_bgpd_new(void *ctx)
{
	struct ez *e = ctx;

	e->established_at = MONO_NEVER;
}

/* --- intent ---------------------------------------------------------------------------------- */

static bool bgp_same(const struct rt_intent *a, const struct rt_intent *b)
{
	json_t *x = a ? rt_intent_to_json(a) : NULL;
	json_t *y = rt_intent_to_json(b);
	bool same =
		x && json_equal(json_object_get(x, "bgp"), json_object_get(y, "bgp"));

	json_decref(x);
	json_decref(y);
	return same;
}

/* Take over i; the mirror keeps what it has while edged has no plan yet. */
static void take_intent(struct ez *e, struct rt_intent *i)
{
	char path[160];
	bool same_bgp = bgp_same(e->intent, i);
	struct rt_intent *old = e->intent;

	e->intent = i;
	if (!i->wait)
		mirror_intent(e->mirror, i);
	vtysh_set_dir(e->vtysh, i->socket_dir);
	vtysh_set_bgp(e->vtysh, &i->bgp, same_bgp);
	rt_intent_free(old);
	snprintf(path, sizeof(path), "%s/zserv.api", i->socket_dir);
	zsock_set_path(e->zsock, path);
	run(e);
	check_soon(e);
}

/*
 * An empty intent: by edged --down, or by our own. FRR's folder is the one we
 * know; a life that was told nothing yet looks where FRR usually is, since zebra
 * may keep what an earlier life told it.
 */
static void take_withdraw(struct ez *e)
{
	e->withdraw = true;
	take_intent(e, rt_intent_new(e->intent ? e->intent->socket_dir : e->frr_dir));
}

static void read_intent(struct ez *e, const json_t *js)
{
	struct rt_intent *i;
	char why[256];

	if (json_is_true(json_object_get(js, "withdraw"))) {
		take_withdraw(e);
		return;
	}
	if (rt_intent_from_json(js, &i, why, sizeof(why)) < 0) {
		ed_error("intent", "refused: %s", why);
		return;
	}
	e->withdraw = false;
	take_intent(e, i);
}

static void read_peer(struct ez *e, const json_t *js)
{
	struct rt_peer p;
	char why[256];

	if (!e->intent)
		return;
	if (rt_peer_from_json(js, &p, why, sizeof(why)) < 0) {
		ed_error("intent", "a peer was refused: %s", why);
		return;
	}
	if (!e->intent->wait)
		mirror_peer(e->mirror, &p);
	rt_intent_replace_peer(e->intent, &p);
	run(e);
}

/* --- edged ------------------------------------------------------------------------------------- */

static void subscribe(struct ez *e);

static void on_subscribe_again(void *ctx, struct mono now)
{
	(void)now;
	subscribe(ctx);
}

static void on_subscribed(void *ctx, const struct rpc_answer *answer)
{
	struct ez *e = ctx;

	if (answer->code == -ECONNRESET)
		return;
	if (answer->code) {
		ed_warn("edged", "it gives no intent: %s", answer->message);
		loop_timer_at(e->loop, &e->subscribe,
			      mono_add_us(loop_now(e->loop), SUBSCRIBE_RETRY_US),
			      on_subscribe_again, e);
		return;
	}
	read_intent(e, answer->result);
	json_decref(e->told);
	e->told = NULL;
	schedule_report(e);
}

static void subscribe(struct ez *e)
{
	if (rpc_client_is_up(e->rpc))
		(void)rpc_client_call(e->rpc, "zebra.subscribe", NULL, on_subscribed,
				      e);
}

static void on_rpc_up(void *ctx)
{
	ed_info("edged", "connected");
	subscribe(ctx);
}

static void on_rpc_down(void *ctx, int err)
{
	struct ez *e = ctx;

	(void)err;
	loop_timer_stop(&e->subscribe);
	if (e->intent && e->told)
		ed_warn("edged", "gone: its last intent stands");
	json_decref(e->told);
	e->told = NULL;
}

static void on_rpc_notify(void *ctx, const char *method, const json_t *params)
{
	struct ez *e = ctx;

	if (!strcmp(method, "zebra.intent"))
		read_intent(e, params);
	else if (!strcmp(method, "zebra.peer"))
		read_peer(e, params);
}

/* --- report -------------------------------------------------------------------------------------- */

static json_t *names(const char *lines)
{
	json_t *list = json_array();

	while (*lines) {
		size_t len = strcspn(lines, "\n");

		json_array_append_new(list, json_stringn(lines, len));
		lines += len + (lines[len] == '\n');
	}
	return list;
}

static void report_group(void *ctx, const struct mirror_group_info *info)
{
	json_t *list = ctx;
	json_t *members = json_array();
	json_t *o = json_object();
	char buf[ADDR_STRLEN];

	for (size_t i = 0; i < info->n_hops; i++) {
		json_t *m = json_object();

		json_object_set_new(m, "gateway",
				    json_string(
					    addr_format(&info->hops[i].gateway, buf)));
		json_object_set_new(m, "ifindex", json_integer(info->hops[i].ifindex));
		json_object_set_new(m, "weight", json_integer(info->hops[i].weight));
		json_array_append_new(members, m);
	}
	json_object_set_new(o, "peers", names(info->peers));
	json_object_set_new(o, "class", json_string(info->class_name));
	json_object_set_new(o, "family",
			    json_string(info->family == AF_INET ? "ipv4" : "ipv6"));
	json_object_set_new(o, "id", json_integer(zc_group_base() + info->group));
	json_object_set_new(o, "installed", json_boolean(info->installed));
	json_object_set_new(o, "members", members);
	json_array_append_new(list, o);
}

enum { REPORT_PREFIXES_MAX = 1000, REPORT_GROUPS_MAX = 1000 };

static void report_prefix(void *ctx, const struct prefix *prefix, const char *peers,
			  bool stale)
{
	json_t *list = ctx;
	json_t *o;
	char buf[PREFIX_STRLEN];

	if (json_array_size(list) >= REPORT_PREFIXES_MAX)
		return;
	o = json_object();
	json_object_set_new(o, "prefix", json_string(prefix_format(prefix, buf)));
	json_object_set_new(o, "peers", names(peers));
	json_object_set_new(o, "held", json_boolean(stale));
	json_array_append_new(list, o);
}

static json_t *report_peers(const struct ez *e)
{
	json_t *list = json_array();

	for (size_t i = 0; e->intent && i < e->intent->n_peers; i++) {
		json_t *o = json_object();
		const char *name = e->intent->peers[i].name;

		if (i >= REPORT_PREFIXES_MAX)
			break;
		json_object_set_new(o, "name", json_string(name));
		json_object_set_new(
			o, "prefixes",
			json_integer((json_int_t)mirror_peer_learned(e->mirror, name)));
		json_array_append_new(list, o);
	}
	return list;
}

static bool withdrawn(const struct ez *e)
{
	struct mirror_counts c = mirror_count(e->mirror);

	return e->withdraw && e->complete && !c.routes && !c.groups &&
	       vtysh_settled(e->vtysh);
}

static json_t *make_report(const struct ez *e)
{
	struct mirror_counts c = mirror_count(e->mirror);
	json_t *groups = json_array();
	json_t *prefixes = json_array();
	json_t *o = json_object();

	mirror_each_group(e->mirror, report_group, groups);
	mirror_each_prefix(e->mirror, report_prefix, prefixes);
	json_object_set_new(o, "frr", json_string(zc_version()));
	json_object_set_new(o, "zebra",
			    json_string(zsock_is_up(e->zsock) ? "up" : "down"));
	json_object_set_new(o, "error", json_string(vtysh_error(e->vtysh)));
	json_object_set_new(o, "learned", json_integer((json_int_t)c.learned));
	json_object_set_new(o, "held", json_integer((json_int_t)c.stale));
	json_object_set_new(o, "static", json_integer((json_int_t)c.fixed));
	json_object_set_new(o, "routes", json_integer((json_int_t)c.routes));
	json_object_set_new(o, "faults", json_integer((json_int_t)e->faults));
	json_object_set_new(o, "withdrawn", json_boolean(withdrawn(e)));
	json_object_set_new(o, "peers", report_peers(e));
	json_object_set_new(o, "neighbors", vtysh_sessions(e->vtysh));
	json_object_set_new(o, "groups", groups);
	json_object_set_new(o, "prefixes", prefixes);
	return o;
}

static void on_reported(void *ctx, const struct rpc_answer *answer)
{
	(void)ctx;
	(void)answer;
}

static void on_report(void *ctx, struct mono now)
{
	struct ez *e = ctx;
	json_t *report;

	(void)now;
	if (!e->rpc || !rpc_client_is_up(e->rpc))
		return;
	report = make_report(e);
	if (e->told && json_equal(e->told, report)) {
		json_decref(report);
		return;
	}
	json_decref(e->told);
	e->told = report;
	(void)rpc_client_call(e->rpc, "zebra.state", json_incref(report), on_reported,
			      e);
}

static void schedule_report(struct ez *e)
{
	if (!loop_timer_active(&e->report))
		loop_timer_at(e->loop, &e->report,
			      mono_add_us(loop_now(e->loop), REPORT_US), on_report, e);
}

/* --- edge-zebra --down --------------------------------------------------------------------------- */

/*
 * What a life before us told zebra is nothing that we know: the comparison with
 * the kernel finds it and has zebra remove it. Done is when two comparisons, more
 * than a group's last second apart, find nothing.
 */
static void on_down_look(void *ctx, struct mono now)
{
	struct ez *e = ctx;

	if (!withdrawn(e))
		e->clean_since = MONO_NEVER;
	else if (audit_check(e->audit, e->mirror, zc_group_base(), zc_group_space()) !=
		 0)
		e->clean_since = MONO_NEVER;
	else if (mono_is_never(e->clean_since))
		e->clean_since = now;
	else if (mono_diff_us(now, e->clean_since) >= DOWN_CLEAN_US)
		e->is_clean = true;
	if (e->is_clean || mono_before(e->down_until, now))
		loop_stop(e->loop);
	else
		loop_timer_at(e->loop, &e->down, mono_add_us(now, DOWN_LOOK_US),
			      on_down_look, e);
}

static int down(struct ez *e)
{
	struct mono now = loop_now(e->loop);

	e->clean_since = MONO_NEVER;
	e->down_until = mono_add_us(now, DOWN_LIMIT_US);
	take_withdraw(e);
	on_down_look(e, now);
	loop_run(e->loop);
	loop_timer_stop(&e->down);
	if (e->is_clean) {
		ed_info("down", "our part is out of FRR");
		return EXIT_SUCCESS;
	}
	ed_error("down", "%s: what we told FRR stays until it is restarted",
		 zsock_is_up(e->zsock) ? "not done in time" : "zebra does not answer");
	return EXIT_FAILURE;
}

/* --- start --------------------------------------------------------------------------------------- */

static void on_stop(void *ctx, int signo)
{
	struct ez *e = ctx;

	(void)signo;
	loop_stop(e->loop);
}

/* run_dir: where edged is asked, NULL when it is not. */
static int start(struct ez *e, const char *run_dir)
{
	static const struct mirror_ops mirror_ops = {.group_set = group_set,
						     .group_del = group_del,
						     .route_add = route_add,
						     .route_del = route_del};
	static const struct zsock_ops zsock_ops = {.up = on_zebra_up,
						   .down = on_zebra_down,
						   .event = on_zebra_event};
	static const struct vtysh_ops vtysh_ops = {.changed = on_bgp_changed,
						   .bgpd_new = on_bgpd_new};
	static const struct rpc_client_ops rpc_ops = {.up = on_rpc_up,
						      .down = on_rpc_down,
						      .notify = on_rpc_notify};
	char why[256];
	char *path;
	int err;

	e->loop = loop_new();
	e->established_at = MONO_NEVER;
	e->zsock = zsock_new(e->loop, &zsock_ops, e);
	err = zc_init(zsock_write, e->zsock, why, sizeof(why));
	if (err < 0) {
		ed_error("libfrr", "%s", why);
		return EXIT_LIBRARY;
	}
	err = audit_new(e->loop, on_links, e, &e->audit);
	if (err < 0) {
		ed_error("audit", "no netlink socket: %s", strerror(-err));
		return EXIT_FAILURE;
	}
	e->mirror = mirror_new(&mirror_ops, e,
			       audit_first_group(e->audit, zc_group_base(),
						 zc_group_space()));
	e->vtysh = vtysh_new(e->loop, &vtysh_ops, e);
	audit_watch(e->audit, e->mirror);
	if (run_dir) {
		path = ed_asprintf("%s/control.sock", run_dir);
		e->rpc = rpc_client_new(e->loop, path, RPC_RETRY_MS, &rpc_ops, e);
		free(path);
	}
	loop_signal_start(e->loop, &e->on_term, SIGTERM, on_stop, e);
	loop_signal_start(e->loop, &e->on_int, SIGINT, on_stop, e);
	ed_info(NULL, "built for FRR %s", zc_version());
	return 0;
}

static void stop(struct ez *e)
{
	rpc_client_free(e->rpc);
	vtysh_free(e->vtysh);
	mirror_free(e->mirror);
	zsock_free(e->zsock);
	audit_free(e->audit);
	zc_fini();
	rt_intent_free(e->intent);
	json_decref(e->told);
	loop_timer_stop(&e->work);
	loop_timer_stop(&e->report);
	loop_timer_stop(&e->check);
	loop_timer_stop(&e->subscribe);
	loop_timer_stop(&e->down);
	notify_free(e->notify);
	loop_signal_stop(&e->on_term);
	loop_signal_stop(&e->on_int);
	loop_free(e->loop);
}

static void usage(FILE *f)
{
	fputs("usage: edge-zebra [--run DIR] [--down [--frr DIR]] [--debug]\n"
	      "  --run DIR  edged's folder with control.sock (" ED_RUNDIR ")\n"
	      "  --down     take out of FRR what we told it, and leave\n"
	      "  --frr DIR  FRR's folder with its sockets, for --down (/run/frr)\n"
	      "  --debug    log everything\n"
	      "  --version  print the release of FRR it was built for\n"
	      "  --help     print this\n",
	      f);
}

struct options {
	const char *run;
	enum log_level level;
};

/* Returns 0 or -EINVAL after a message; --version and --help end the program. */
static int parse(int argc, char **argv, struct options *o, struct ez *e)
{
	static const struct option longs[] = {
		{"run", required_argument, NULL, 'r'},
		{"down", no_argument, NULL, 'w'},
		{"frr", required_argument, NULL, 'f'},
		{"debug", no_argument, NULL, 'd'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "r:d", longs, NULL)) != -1) {
		switch (c) {
		case 'r':
			o->run = optarg;
			break;
		case 'f':
			e->frr_dir = optarg;
			break;
		case 'w':
			e->only_down = true;
			break;
		case 'd':
			o->level = LOG_LVL_DEBUG;
			break;
		case 'v':
			printf("edge-zebra for FRR %s\n", zc_version());
			exit(EXIT_SUCCESS);
		case 'h':
			usage(stdout);
			exit(EXIT_SUCCESS);
		default:
			usage(stderr);
			return -EINVAL;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "edge-zebra: unexpected argument %s; try --help\n",
		argv[optind]);
	return -EINVAL;
}

int main(int argc, char **argv)
{
	struct options o = {.run = ED_RUNDIR, .level = LOG_LVL_INFO};
	struct ez e = {.frr_dir = "/run/frr"};
	int status;

	if (parse(argc, argv, &o, &e) < 0)
		return EXIT_USAGE;
	log_open("edge-zebra", o.level);
	e.notify = notify_new();
	status = start(&e, e.only_down ? NULL : o.run);
	if (!status && e.only_down) {
		status = down(&e);
	} else if (!status) {
		notify_ready(e.notify, e.loop);
		loop_run(e.loop);
		notify_stopping(e.notify);
	}
	stop(&e);
	return status;
}
