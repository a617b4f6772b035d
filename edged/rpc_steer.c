/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Classes, where each stands with each peer, and "why": which way a packet
 * would go, and why not the others.
 *
 * In classes.list a class's row for a peer has, beside state, since and paths,
 *
 *	moved	 the last decision: {"id", "time", "from", "to", "reason"}, or null
 *	kernel	 {"prefix": "10.0.0.0/8", "path": "hub/isp1", "agrees": true}: where the
 *		 kernel sends a packet of the class to that prefix of the peer; null
 *		 where there is no prefix to ask for
 *
 * and a path of it "lost", "judged" and "window_s": what its loss is made of.
 *
 * The way is asked of the kernel (lookup.h), the reasons of steering. Where the
 * two differ (zebra is away, a static route of the administrator) the answer
 * says what the kernel does.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "edged/config/config.h"
#include "edged/control.h"
#include "edged/edged.h"
#include "edged/events.h"
#include "edged/lookup.h"
#include "edged/path.h"
#include "edged/policy.h"
#include "edged/rpc_json.h"
#include "edged/steering.h"
#include "lib/alloc.h"
#include "lib/rpc.h"
#include "lib/text.h"
#include "routing/classify/dscp.h"
#include "routing/owned.h"

enum {
	REASON_MAX = 256,
	LOSS_WINDOW_S = 60, /* of a standing: plan.h */
	TRUTH_PEERS_MAX = 16, /* the kernel is asked about: one question a class */
	CLASS_PEERS_MAX = 200, /* of a hub's thousands; "why" answers for any */
};

/* --- how a path stands in a class ---------------------------------------------------- */

static const struct steer_class_plan *plan_of(const struct peer *p,
					      const char *class_name)
{
	const struct steer_plan *plan = steering_plan(p);

	for (size_t i = 0; plan && i < plan->n_classes; i++)
		if (strcmp(plan->classes[i].name, class_name) == 0)
			return &plan->classes[i];
	return NULL;
}

static void add_time(struct text *t, struct mono since)
{
	time_t at = time(NULL) - mono_diff_us(mono_now(), since) / MONO_US_PER_S;
	struct tm tm;
	char buf[16];

	if (since.us == 0 || !localtime_r(&at, &tm))
		return;
	strftime(buf, sizeof(buf), "%H:%M:%S", &tm);
	text_add(t, " since %s", buf);
}

static const char *ordinal(unsigned int n)
{
	static const char *const words[] = {"first",  "second", "third",
					    "fourth", "fifth",	"sixth"};

	return n < ARRAY_LEN(words) ? words[n] : "late";
}

void rpc_broken_text(struct text *t, const struct steer_evidence *e)
{
	switch (e->metric) {
	case STEER_DELAY:
		text_add(t, "delay %.0f ms is over %.0f ms", e->value / 1e3,
			 e->limit / 1e3);
		return;
	case STEER_JITTER:
		text_add(t, "jitter %.1f ms is over %.0f ms", e->value / 1e3,
			 e->limit / 1e3);
		return;
	case STEER_LOSS:
		text_add(t, "loss %.1f %% is over %.4g %%", e->value / 1e4,
			 e->limit / 1e4);
		return;
	}
	text_add(t, "over its limits");
}

/* "delay 18 of 150 ms, jitter 0.8 of 30 ms, loss 0.0 of 1 %". */
static void add_figures(struct text *t, const struct tunnel *tun,
			const struct config_class *c, unsigned int class_index,
			const struct steer_standing *st)
{
	struct pm_path *pm = path_pm(tun);
	struct pm_measure m = {0};

	if (pm)
		pm_path_measure(pm, path_session(tun, class_index), mono_now(), &m);
	if (!m.answers) {
		text_add(t, "not measured yet");
		return;
	}
	text_add(t, "delay %.0f", m.delay_us / 1e3);
	if (c->max_delay_us)
		text_add(t, " of %.0f", (double)c->max_delay_us / 1e3);
	text_add(t, " ms, jitter %.1f", m.jitter_us / 1e3);
	if (c->max_jitter_us)
		text_add(t, " of %.0f", (double)c->max_jitter_us / 1e3);
	text_add(t, " ms, loss %.1f", st->loss_ppm / 1e4);
	if (c->max_loss_ppm)
		text_add(t, " of %.4g", (double)c->max_loss_ppm / 1e4);
	text_add(t, " %%");
}

/* Why a good path is not the one taken. */
static void add_waiting(struct text *t, const struct config_class *c,
			const struct steer_standing *st)
{
	text_add(t, "good, but ");
	if (st->suppressed)
		text_add(t, "it flapped too often (penalty %u)", st->penalty);
	else if (st->tier == STEER_TIER_LAST_RESORT)
		text_add(t, "it is last resort");
	else if (st->tier == STEER_TIER_UNLISTED)
		text_add(t, "the class does not name it");
	else if (c->strategy == CONFIG_PREFER)
		text_add(t, "stands %s in \"prefer\"", ordinal(st->rank));
	else
		text_add(t, "costs more");
}

/* The verdict on a path as a word, and the reason in reason. */
static const char *judge(const struct tunnel *t, const struct config_class *c,
			 unsigned int class_index, struct steer_standing *st,
			 struct text *reason)
{
	*st = (struct steer_standing){0};
	if (path_state(t) == PM_OFF) {
		text_add(reason, "%s",
			 t->last_failure[0] ? t->last_failure
					    : tunnel_state_name(t->state));
		steering_standing(t, c->name, st);
		return st->member ? "kept" : "down";
	}
	if (steering_standing(t, c->name, st) < 0) {
		text_add(reason, "not judged yet");
		return "unknown";
	}
	if (path_life(t) == STEER_SILENT) {
		text_add(reason, "no answer");
		add_time(reason, path_since(t));
		return st->member ? "kept" : "down";
	}
	if (st->member) {
		add_figures(reason, t, c, class_index, st);
		return "chosen";
	}
	if (t->uplink && t->uplink->stopped) {
		text_add(reason, "uplink %s was taken down by hand", t->uplink->name);
		return "stopped";
	}
	if (path_life(t) == STEER_PROVING) {
		text_add(reason, "answers again, has to show that it lasts");
		return "proving";
	}
	switch (st->verdict) {
	case STEER_BAD:
		rpc_broken_text(reason, &st->broken);
		add_time(reason, st->since);
		return "refused";
	case STEER_HOLDING:
		text_add(reason, "good again, for %lld s more",
			 (long long)((st->hold_left_us + 999999) / 1000000));
		return "holding";
	case STEER_GOOD:
		add_waiting(reason, c, st);
		return "waiting";
	case STEER_UNKNOWN:
		break;
	}
	text_add(reason, "not measured yet");
	return "unknown";
}

json_t *rpc_evidence(const struct steer_evidence *e)
{
	switch (e->metric) {
	case STEER_DELAY:
		return json_pack("{s:s, s:o, s:o}", "metric", "delay", "value_ms",
				 rpc_json_ms(e->value), "limit_ms",
				 rpc_json_ms(e->limit));
	case STEER_JITTER:
		return json_pack("{s:s, s:o, s:o}", "metric", "jitter", "value_ms",
				 rpc_json_ms(e->value), "limit_ms",
				 rpc_json_ms(e->limit));
	case STEER_LOSS:
		return json_pack("{s:s, s:o, s:o, s:i, s:i}", "metric", "loss",
				 "value_pct", rpc_json_pct(e->value), "limit_pct",
				 rpc_json_pct(e->limit), "lost", (int)e->lost, "of",
				 (int)e->judged);
	}
	return json_null();
}

static json_t *standing_json(const struct tunnel *t, const struct config_class *c,
			     unsigned int class_index)
{
	char buf[REASON_MAX];
	struct text reason = text_init(buf, sizeof(buf));
	struct steer_standing st;
	const char *verdict = judge(t, c, class_index, &st, &reason);

	return json_pack("{s:o, s:o, s:s, s:o, s:b, s:o, s:i, s:i, s:i, s:i, s:o}",
			 "path", rpc_json_text(t->name), "uplink",
			 rpc_json_text(t->label), "verdict", verdict, "reason",
			 rpc_json_text(buf), "member", (int)st.member, "since",
			 rpc_json_since(st.since), "lost", (int)st.lost, "judged",
			 (int)st.judged, "window_s", LOSS_WINDOW_S, "penalty",
			 (int)st.penalty, "broken", rpc_evidence(&st.broken));
}

/* Members first, then the others, each in the peer's order. */
static json_t *standings(const struct peer *p, const struct config_class *c,
			 unsigned int class_index)
{
	json_t *members = json_array();
	json_t *others = json_array();
	const struct tunnel *t;

	DL_FOREACH (p->tunnels, t) {
		json_t *row = standing_json(t, c, class_index);

		json_array_append_new(json_is_true(json_object_get(row, "member"))
					      ? members
					      : others,
				      row);
	}
	json_array_extend(members, others);
	json_decref(others);
	return members;
}

/* --- classes --------------------------------------------------------------------------- */

static json_t *names_json(const struct config_strings *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n; i++)
		json_array_append_new(list, rpc_json_text(s->v[i]));
	return list;
}

static json_t *dscp_json(const struct config_class *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->dscp.n; i++) {
		const char *name = rt_dscp_name((uint8_t)c->dscp.v[i]);
		char buf[8];

		snprintf(buf, sizeof(buf), "%u", (unsigned int)c->dscp.v[i]);
		json_array_append_new(list, json_string(name ? name : buf));
	}
	return list;
}

static const char *strategy_name(uint64_t strategy)
{
	switch ((enum config_strategy)strategy) {
	case CONFIG_CHEAPEST:
		break;
	case CONFIG_PREFER:
		return "prefer";
	case CONFIG_SHARE:
		return "share";
	}
	return "cheapest";
}

static json_t *limit_ms(int64_t us)
{
	return us ? rpc_json_ms(us) : json_null();
}

static const struct tunnel *tunnel_by_ifindex(const struct edged *ed, int ifindex)
{
	const struct tunnel *t;

	for (t = ed->tunnels; t; t = t->hh.next)
		if (ifindex && t->ifindex == ifindex)
			return t;
	return NULL;
}

/* A prefix of the peer that a packet could be sent to: ours to know, or BGP's. */
static bool reachable_prefix(const struct peer *p, struct prefix *ret)
{
	const json_t *row;
	size_t i;

	if (p->conf->networks.n) {
		*ret = p->conf->networks.v[0];
		return true;
	}
	json_array_foreach (json_object_get(control_zebra_report(p->ed->control),
					    "prefixes"),
			    i, row) {
		const json_t *first = json_array_get(json_object_get(row, "peers"), 0);
		const char *name = json_string_value(first);
		const char *text = json_string_value(json_object_get(row, "prefix"));

		if (name && text && strcmp(name, p->name) == 0 &&
		    prefix_parse(text, ret) == 0)
			return true;
	}
	return false;
}

/* Where the kernel sends a packet of the class to a prefix of the peer. */
static json_t *truth_json(const struct peer *p, const struct steer_class_plan *plan,
			  unsigned int index)
{
	const struct tunnel *t = NULL;
	struct prefix prefix;
	struct lookup way;
	bool agrees = false;

	if (!plan || !reachable_prefix(p, &prefix) ||
	    lookup_route(&prefix.addr, rt_class_mark(index), &way) < 0)
		return json_null();
	if (!way.blocked && !way.local)
		t = tunnel_by_ifindex(p->ed, way.ifindex);
	for (size_t i = 0; t && i < plan->n_members; i++)
		agrees = agrees || plan->members[i].id == t->slot;
	return json_pack("{s:o, s:o, s:b}", "prefix", rpc_json_prefix(&prefix), "path",
			 t ? rpc_json_text(t->name) : json_null(), "agrees",
			 (int)(agrees || (!t && !plan->n_members)));
}

/* The last decision about the class, as this process made it. */
static json_t *moved_json(const struct peer *p, const char *class_name)
{
	static const char *const keys[] = {"id", "time", "from", "to", "reason"};
	char subject[2 * EDGED_NAME_MAX + 2];
	const json_t *event;
	json_t *moved;

	snprintf(subject, sizeof(subject), "%s/%s", p->name, class_name);
	event = control_recent(p->ed->control, EVENT_STEER, subject);
	if (!event)
		return json_null();
	moved = json_object();
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		json_object_set(moved, keys[i], json_object_get(event, keys[i]));
	return moved;
}

static json_t *class_peer_json(const struct peer *p, const struct config_class *c,
			       unsigned int index, bool asked)
{
	const struct steer_class_plan *plan = plan_of(p, c->name);

	return json_pack("{s:o, s:s, s:o, s:o, s:o, s:o}", "peer",
			 rpc_json_text(p->name), "state",
			 !plan		   ? "unplanned"
			 : plan->kept	   ? "kept"
			 : plan->keeps	   ? "good"
			 : plan->n_members ? "bad"
					   : "none",
			 "since", plan ? rpc_json_since(plan->since) : json_null(),
			 "moved", moved_json(p, c->name), "kernel",
			 asked ? truth_json(p, plan, index) : json_null(), "paths",
			 standings(p, c, index));
}

static json_t *class_json(const struct edged *ed, unsigned int index,
			  const struct peer *const *v, size_t n)
{
	const struct config_class *c = &ed->config->classes.v[index];
	json_t *peers = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(peers, class_peer_json(v[i], c, index,
							     i < TRUTH_PEERS_MAX));
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:i, s:o}",
			 "name", rpc_json_text(c->name), "dscp", dscp_json(c),
			 "max_delay_ms", limit_ms(c->max_delay_us), "max_jitter_ms",
			 limit_ms(c->max_jitter_us), "max_loss_pct",
			 c->max_loss_ppm ? rpc_json_pct((uint32_t)c->max_loss_ppm)
					 : json_null(),
			 "strategy", strategy_name(c->strategy), "prefer",
			 names_json(&c->prefer), "share", names_json(&c->share),
			 "last_resort", names_json(&c->last_resort), "table",
			 (int)rt_class_table(index), "peers", peers);
}

void rpc_classes_list(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	json_t *list = json_array();
	const struct peer **v;
	json_t *answer;
	size_t n;

	(void)params;
	v = rpc_peers_pick(ed, CLASS_PEERS_MAX, &n);
	for (size_t i = 0; i < ed->config->classes.n; i++)
		json_array_append_new(list, class_json(ed, (unsigned int)i, v, n));
	free(v);
	answer = rpc_json_answer("classes", list);
	json_object_set_new(answer, "peers_total",
			    json_integer((json_int_t)HASH_COUNT(ed->peers)));
	rpc_call_reply(call, answer);
}

/* --- routes ------------------------------------------------------------------------------ */

/* The tunnels of the peer that carry something now. */
static json_t *paths_alive(const struct peer *p)
{
	json_t *paths = json_array();
	const struct tunnel *t;

	DL_FOREACH (p->tunnels, t)
		if (tunnel_alive(t))
			json_array_append_new(paths, rpc_json_text(t->name));
	return paths;
}

static void add_static(struct edged *ed, json_t *list)
{
	const struct peer *p;

	for (p = ed->peers; p; p = p->hh.next)
		for (size_t i = 0; i < p->conf->networks.n; i++)
			json_array_append_new(
				list,
				json_pack("{s:o, s:o, s:s, s:b, s:o}", "prefix",
					  rpc_json_prefix(&p->conf->networks.v[i]),
					  "peer", rpc_json_text(p->name), "source",
					  "networks", "held", 0, "paths",
					  paths_alive(p)));
}

/* A prefix that the helper has learned, once for each peer that says it. */
static void add_learned(struct edged *ed, const json_t *learned, json_t *list)
{
	const json_t *names = json_object_get(learned, "peers");
	const json_t *name;
	size_t i;

	json_array_foreach (names, i, name) {
		const char *text = json_string_value(name);
		const struct peer *p = text ? edged_peer(ed, text) : NULL;
		json_t *prefix = json_object_get(learned, "prefix");
		json_t *held = json_object_get(learned, "held");

		json_array_append_new(list,
				      json_pack("{s:O, s:o, s:s, s:b, s:o}", "prefix",
						prefix, "peer", rpc_json_text(text),
						"source", "bgp", "held",
						(int)json_is_true(held), "paths",
						p ? paths_alive(p) : json_array()));
	}
}

json_t *rpc_kernel(const struct edged *ed)
{
	const struct policy_stats *s = ed->policy ? policy_get_stats(ed->policy) : NULL;

	if (!s)
		return json_null();
	return json_pack("{s:i, s:i, s:I, s:i, s:o, s:{s:I, s:I, s:I, s:I}}", "rules",
			 (int)s->rules, "routes", (int)s->routes, "healed",
			 (json_int_t)s->healed, "failing", (int)s->failing, "error",
			 s->error[0] ? rpc_json_text(s->error) : json_null(),
			 "repaired", "rules", (json_int_t)s->healed_rules, "routes",
			 (json_int_t)(s->healed - s->healed_rules), "links",
			 (json_int_t)ed->counts.links_repaired, "sas",
			 (json_int_t)ed->counts.sas_replaced);
}

void rpc_routes_list(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	const json_t *report = control_zebra_report(ed->control);
	json_t *list = json_array();
	const json_t *learned;
	json_t *answer;
	size_t i;

	(void)params;
	add_static(ed, list);
	json_array_foreach (json_object_get(report, "prefixes"), i, learned)
		add_learned(ed, learned, list);
	answer = rpc_json_answer("routes", list);
	json_object_set_new(answer, "kernel", rpc_kernel(ed));
	json_object_set_new(answer, "helper",
			    report ? json_deep_copy(report) : json_null());
	json_object_set_new(answer, "helper_connected",
			    json_boolean(control_zebra_connected(ed->control)));
	rpc_call_reply(call, answer);
}

/* --- why ----------------------------------------------------------------------------------- */

static bool matches(const struct config_class *c, const struct addr *dst, uint8_t dscp)
{
	for (size_t i = 0; i < c->dscp.n; i++)
		if (c->dscp.v[i] == dscp)
			return true;
	/* Of the patterns only those can be judged that ask for nothing else. */
	for (size_t i = 0; i < c->match.n; i++) {
		const struct config_match *m = &c->match.v[i];

		if (m->to.addr.family && prefix_contains(&m->to, dst) &&
		    !m->from.addr.family && !m->protocol && !m->from_port[1] &&
		    !m->to_port[1])
			return true;
	}
	return false;
}

static unsigned int class_of(const struct config *c, const struct addr *dst,
			     uint8_t dscp)
{
	for (size_t i = 0; i + 1 < c->classes.n; i++)
		if (matches(&c->classes.v[i], dst, dscp))
			return (unsigned int)i;
	return (unsigned int)(c->classes.n - 1);
}

static const struct uplink *uplink_by_ifindex(const struct edged *ed, int ifindex)
{
	const struct uplink *u;

	for (u = ed->uplinks; u; u = u->hh.next)
		if (ifindex && u->ifindex == ifindex)
			return u;
	return NULL;
}

/* The peer whose networks say they cover dst, where no route says so. */
static const struct peer *peer_of(const struct edged *ed, const struct addr *dst,
				  struct prefix *ret)
{
	const struct peer *best = NULL;
	const struct peer *p;
	int len = -1;

	for (p = ed->peers; p; p = p->hh.next) {
		for (size_t i = 0; i < p->conf->networks.n; i++) {
			const struct prefix *n = &p->conf->networks.v[i];

			if (!prefix_contains(n, dst) || n->len <= len)
				continue;
			best = p;
			len = n->len;
			*ret = *n;
		}
	}
	return best;
}

/* True when edge-zebra says that it has the prefix from bgpd. */
static bool by_bgp(const struct edged *ed, const struct prefix *p)
{
	const json_t *report = control_zebra_report(ed->control);
	const json_t *row;
	char text[PREFIX_STRLEN];
	size_t i;

	prefix_format(p, text);
	json_array_foreach (json_object_get(report, "prefixes"), i, row) {
		const char *other = json_string_value(json_object_get(row, "prefix"));

		if (other && strcmp(other, text) == 0)
			return true;
	}
	return false;
}

/* "10.20.0.0/16, learned by BGP from AS 65000". */
static void add_source(const struct edged *ed, struct text *s, const struct lookup *way,
		       const struct peer *p)
{
	bool ours = way->table >= RT_TABLE_CLASS &&
		    way->table < RT_TABLE_CLASS + RT_CLASSES_MAX;
	bool bgp = way->protocol == RTPROT_BGP || (ours && by_bgp(ed, &way->prefix));
	char prefix[PREFIX_STRLEN];

	text_add(s, "%s, ", prefix_format(&way->prefix, prefix));
	if (bgp && p && p->conf->asn)
		text_add(s, "learned by BGP from AS %llu",
			 (unsigned long long)p->conf->asn);
	else if (bgp)
		text_add(s, "learned by BGP");
	else if (way->protocol == RT_PROTO || ours)
		text_add(s, "by networks");
	else if (way->protocol == RTPROT_KERNEL)
		text_add(s, "connected");
	else
		text_add(s, "a route of this machine");
}

static json_t *way_json(const struct edged *ed, const struct lookup *way)
{
	const struct tunnel *t = tunnel_by_ifindex(ed, way->ifindex);
	const struct uplink *u = uplink_by_ifindex(ed, way->ifindex);

	return json_pack("{s:b, s:b, s:i, s:o, s:o, s:i, s:i, s:o, s:o}", "blocked",
			 (int)way->blocked, "local", (int)way->local, "ifindex",
			 way->ifindex, "gateway", rpc_json_addr(&way->gateway),
			 "prefix", rpc_json_prefix(&way->prefix), "table",
			 (int)way->table, "protocol", (int)way->protocol, "path",
			 t ? rpc_json_text(t->name) : json_null(), "uplink",
			 u ? rpc_json_text(u->name) : json_null());
}

static void say_peer(const struct edged *ed, struct text *s, const struct lookup *way,
		     const struct peer *p)
{
	text_add(s, "goes to peer %s (", p->name);
	add_source(ed, s, way, p);
	text_add(s, ")");
	if (way->table == RT_TABLE_MAIN && !control_zebra_connected(ed->control))
		text_add(s, " by the main table, whatever the class: edge-zebra is not "
			    "connected");
}

/* The one sentence. */
static void say(const struct edged *ed, struct text *s, const char *dst,
		const char *marked, const struct config_class *c, const struct peer *p,
		const struct lookup *way)
{
	const struct tunnel *t = tunnel_by_ifindex(ed, way->ifindex);
	const struct uplink *u = uplink_by_ifindex(ed, way->ifindex);

	text_add(s, "%s %sis class %s and ", dst, marked, c->name);
	if (way->local) {
		text_add(s, "is an address of this box");
	} else if (t) {
		say_peer(ed, s, way, t->peer);
	} else if (way->blocked && p) {
		text_add(s,
			 "goes nowhere: peer %s has no way and the leak guard keeps it "
			 "from leaving in clear",
			 p->name);
	} else if (way->blocked) {
		text_add(s, "goes nowhere: no route, or the leak guard");
	} else if (u) {
		text_add(s, "goes out by uplink %s in clear: no peer covers it",
			 u->name);
	} else {
		text_add(s, "stays on this side (");
		add_source(ed, s, way, NULL);
		text_add(s, ")");
	}
}

static bool why_params(struct rpc_call *call, const json_t *params, struct addr *dst,
		       const char **dst_text, int *dscp)
{
	const char *text;

	if (!rpc_param_need_str(call, params, "address", dst_text) ||
	    !rpc_param_str(call, params, "dscp", NULL, &text))
		return false;
	if (addr_parse(*dst_text, dst) < 0) {
		rpc_call_error(call, RPC_EPARAMS, "'%.60s' is not an address",
			       *dst_text);
		return false;
	}
	*dscp = text ? rt_dscp_parse(text) : 0;
	if (*dscp < 0) {
		rpc_call_error(
			call, RPC_EPARAMS,
			"'%.20s' is not a DSCP (write EF, AF31, CS5, or 0 to 63)",
			text);
		return false;
	}
	return true;
}

void rpc_why(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	char sentence[512];
	struct text s = text_init(sentence, sizeof(sentence));
	const struct config_class *c;
	const struct tunnel *t;
	const struct peer *p;
	struct prefix covered;
	struct lookup way;
	struct addr dst;
	const char *dst_text;
	const char *name;
	char marked[32] = "";
	char canon[ADDR_STRLEN];
	unsigned int index;
	int dscp;
	int err;

	if (!why_params(call, params, &dst, &dst_text, &dscp))
		return;
	index = class_of(ed->config, &dst, (uint8_t)dscp);
	c = &ed->config->classes.v[index];
	err = lookup_route(&dst, rt_class_mark(index), &way);
	if (err < 0) {
		rpc_call_error(call, RPC_EFAILED, "the kernel was asked and says: %s",
			       strerror(-err));
		return;
	}
	name = rt_dscp_name((uint8_t)dscp);
	if (dscp && name)
		snprintf(marked, sizeof(marked), "marked %s ", name);
	else if (dscp)
		snprintf(marked, sizeof(marked), "marked %d ", dscp);
	t = tunnel_by_ifindex(ed, way.ifindex);
	p = t ? t->peer : peer_of(ed, &dst, &covered);
	say(ed, &s, addr_format(&dst, canon), marked, c, p, &way);
	rpc_call_reply(call,
		       json_pack("{s:i, s:s, s:i, s:o, s:o, s:o, s:o, s:o}", "schema",
				 CONTROL_SCHEMA, "address", canon, "dscp", dscp,
				 "class", rpc_json_text(c->name), "peer",
				 p ? rpc_json_text(p->name) : json_null(), "sentence",
				 rpc_json_text(sentence), "way", way_json(ed, &way),
				 "paths", p ? standings(p, c, index) : json_array()));
}
