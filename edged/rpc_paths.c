/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uplinks and paths: what is measured.
 *
 * A row of paths.list (and of status "paths"):
 *
 *	name peer uplink state since interface classes
 *	measured	 false: nothing was judged in the window: show it grey
 *	delay_ms delay_p95_ms jitter_ms loss_pct mos	 of the window, or null
 *	window_s window_sent window_lost	 the window and what it counted
 *	sent lost lost_out lost_back	 since the path started
 *	mtu	 of the tunnel's interface
 *
 * A row of uplinks.list (and of status "uplinks"), beside what it has:
 *
 *	reason	 a sentence why it is not up, or null
 *	nat	 true, false, or null while no tunnel over it has an SA
 *	down_bps up_bps	 of its interface, or null
 *	month_bytes	 of its interface this month; null where no monthly limit is set
 *
 * paths.history {path, since, until, points} answers
 *
 *	{"schema": 1, "path": "hub/isp1",
 *	 "since": 1764000000, "until": 1764003600,	whole steps, seconds
 *	 "step_s": 5,		seconds of a row; rows start at multiples of it
 *	 "tier_s": 1,		resolution of what was read: 1, 60 or 3600
 *	 "columns": ["t", "p50_ms", "p95_ms", "min_ms", "max_ms", "jitter_ms",
 *		     "jitter_max_ms", "lost", "sent", "up"],
 *	 "rows": [[1764000000, 21.4, 24.0, 20.9, 31.7, 0.8, 2.1, 0, 50, 1.0], ...],
 *	 "limits": {"voice": {"uses": true, "max_delay_ms": 150, "max_jitter_ms": 30,
 *			      "max_loss_pct": 1}, ...},
 *	 "moves": [{"id": 1764000123456789, "time": 1764000123.457, "peer": "hub",
 *		    "class": "voice", "from": "hub/isp1", "to": "hub/isp2",
 *		    "reason": "voice moves ...", "why": "sla"}, ...],
 *	 "moves_left_out": 0}
 *
 * since and until are seconds since the epoch (the last hour without them), points
 * at most 2,000 (1,000): step_s is the smallest round step that needs no more rows.
 * Seconds in which nothing was measured have no row: a gap, not a zero. In a row
 * p50_ms is the median, p95_ms the highest 95th percentile of what it joins, min_ms
 * and max_ms are of the answers themselves, jitter_ms is the mean, lost and sent
 * are counts of probes, up is the share of measured time in which the path carried.
 * Delays are null where every probe was lost. limits has the classes with a member or
 * a limit; "uses" says that the class goes by this path now; a missing limit is null.
 * moves are decisions from or to this path in that time, the newest 500, oldest first;
 * id is the event's (events.list), from and to are paths joined by "+" ("" for none).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "edged/config/config.h"
#include "edged/control.h"
#include "edged/edged.h"
#include "edged/path.h"
#include "edged/rates.h"
#include "edged/rpc_json.h"
#include "edged/steering.h"
#include "edged/store.h"
#include "edged/volumes.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/rpc.h"
#include "lib/text.h"

static bool is_member(const struct steer_class_plan *c, const struct tunnel *t)
{
	for (size_t m = 0; m < c->n_members; m++)
		if (c->members[m].id == t->slot)
			return true;
	return false;
}

/* The classes whose plan has the tunnel as a member. */
static json_t *classes_on(const struct tunnel *t)
{
	const struct steer_plan *plan = steering_plan(t->peer);
	json_t *list = json_array();

	for (size_t i = 0; plan && i < plan->n_classes; i++)
		if (is_member(&plan->classes[i], t))
			json_array_append_new(list,
					      rpc_json_text(plan->classes[i].name));
	return list;
}

static void add_figures(json_t *row, const struct tunnel *t)
{
	struct pm_path *pm = path_pm(t);
	struct pm_stats s = {0};
	struct pm_totals sum = {0};

	if (pm) {
		pm_path_stats(pm, 0, mono_now(), &s);
		pm_path_totals(pm, &sum);
	}
	json_object_set_new(row, "delay_ms",
			    s.valid ? rpc_json_ms(s.delay_us) : json_null());
	json_object_set_new(row, "delay_p95_ms",
			    s.valid ? rpc_json_ms(s.delay_p95_us) : json_null());
	json_object_set_new(row, "jitter_ms",
			    s.valid ? rpc_json_ms(s.jitter_us) : json_null());
	json_object_set_new(row, "loss_pct",
			    s.valid ? rpc_json_pct(s.loss_ppm) : json_null());
	json_object_set_new(row, "mos",
			    s.valid ? json_real(s.mos_x100 / 100.0) : json_null());
	json_object_set_new(row, "measured", json_boolean(s.valid));
	json_object_set_new(row, "window_s",
			    json_integer(t->ed->config->probe.window_us /
					 MONO_US_PER_S));
	json_object_set_new(row, "window_sent", json_integer(s.sent));
	json_object_set_new(row, "window_lost", json_integer(s.lost));
	json_object_set_new(row, "lost", json_integer((json_int_t)sum.lost));
	json_object_set_new(row, "sent", json_integer((json_int_t)sum.sent));
	json_object_set_new(row, "lost_out",
			    sum.per_direction ? json_integer((json_int_t)sum.lost_out)
					      : json_null());
	json_object_set_new(row, "lost_back",
			    sum.per_direction ? json_integer((json_int_t)sum.lost_back)
					      : json_null());
}

static json_t *path_json(const struct tunnel *t)
{
	json_t *row =
		json_pack("{s:o, s:o, s:o, s:s, s:o, s:o}", "name",
			  rpc_json_text(t->name), "peer", rpc_json_text(t->peer->name),
			  "uplink", rpc_json_text(t->label), "state",
			  pm_state_name(path_state(t)), "since",
			  rpc_json_since(path_since(t)), "interface",
			  rpc_json_text(t->ifname));

	json_object_set_new(row, "mtu", json_integer(t->mtu));
	add_figures(row, t);
	json_object_set_new(row, "classes", classes_on(t));
	return row;
}

json_t *rpc_paths(const struct peer *const *peers, size_t n)
{
	json_t *list = json_array();
	const struct tunnel *t;

	for (size_t i = 0; i < n; i++)
		DL_FOREACH (peers[i]->tunnels, t)
			json_array_append_new(list, path_json(t));
	return list;
}

void rpc_paths_list(void *ctx, struct rpc_call *call, const json_t *params)
{
	const struct peer **peers;
	size_t n;

	(void)params;
	peers = rpc_peers_pick(ctx, 0, &n);
	rpc_call_reply(call, rpc_json_answer("paths", rpc_paths(peers, n)));
	free(peers);
}

/* --- history -------------------------------------------------------------------- */

enum {
	POINTS_DEFAULT = 1000,
	SPAN_DEFAULT_S = 3600,
	SPAN_MAX_S = 2 * STORE_HOURS_KEPT_S,
};

/* Delays are null where nothing was answered. */
static json_t *us_json(uint32_t us)
{
	return us == UINT32_MAX ? json_null() : rpc_json_ms(us);
}

static json_t *point_json(const struct store_point *p)
{
	const struct store_figures *f = &p->f;
	json_t *row = json_array();

	json_array_append_new(row, json_integer((json_int_t)p->time_s));
	json_array_append_new(row, us_json(f->delay_us));
	json_array_append_new(row, us_json(f->p95_us));
	json_array_append_new(row, us_json(f->min_us));
	json_array_append_new(row, us_json(f->max_us));
	json_array_append_new(row, us_json(f->jitter_us));
	json_array_append_new(row, us_json(f->jitter_max_us));
	json_array_append_new(row, json_integer(f->lost));
	json_array_append_new(row, json_integer(f->sent));
	json_array_append_new(row, json_real((double)f->up_s / f->seen_s));
	return row;
}

static json_t *move_json(const struct store_event *e)
{
	json_t *numbers = e->numbers ? json_loads(e->numbers, 0, NULL) : NULL;
	json_t *move;

	move = json_pack("{s:I, s:f, s:O?, s:O?, s:o, s:o, s:o, s:O?}", "id",
			 (json_int_t)e->id, "time", (double)e->time_us / 1e6, "peer",
			 json_object_get(numbers, "peer"), "class",
			 json_object_get(numbers, "class"), "from",
			 rpc_json_text(e->from ? e->from : ""), "to",
			 rpc_json_text(e->to ? e->to : ""), "reason",
			 rpc_json_text(e->reason), "why",
			 json_object_get(numbers, "why"));
	json_decref(numbers);
	return move;
}

static bool has_name(const json_t *list, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (strcmp(json_string_value(one), name) == 0)
			return true;
	return false;
}

/* The classes' limits, and which of them go by the tunnel now. */
static json_t *limits_json(const struct edged *ed, const struct tunnel *t)
{
	json_t *on = t ? classes_on(t) : json_array();
	json_t *all = json_object();

	for (size_t i = 0; i < ed->config->classes.n; i++) {
		const struct config_class *c = &ed->config->classes.v[i];
		bool uses = has_name(on, c->name);

		json_object_set_new(
			all, c->name,
			json_pack("{s:b, s:o, s:o, s:o}", "uses", (int)uses,
				  "max_delay_ms",
				  c->max_delay_us ? rpc_json_ms(c->max_delay_us)
						  : json_null(),
				  "max_jitter_ms",
				  c->max_jitter_us ? rpc_json_ms(c->max_jitter_us)
						   : json_null(),
				  "max_loss_pct",
				  c->max_loss_ppm
					  ? rpc_json_pct((uint32_t)c->max_loss_ppm)
					  : json_null()));
	}
	json_decref(on);
	return all;
}

/* A question on its way to the database. */
struct history_call {
	struct edged *ed;
	struct rpc_call *call;
	char path[EDGED_TUNNEL_NAME_MAX];
};

static json_t *columns_json(void)
{
	return json_pack("[s, s, s, s, s, s, s, s, s, s]", "t", "p50_ms", "p95_ms",
			 "min_ms", "max_ms", "jitter_ms", "jitter_max_ms", "lost",
			 "sent", "up");
}

static void history_done(void *ctx, int err, const struct store_history *h)
{
	struct history_call *hc = ctx;
	json_t *rows;
	json_t *moves;

	/* -ECANCELED: everything else of the daemon has gone already. */
	if (err) {
		rpc_call_error(hc->call, RPC_EFAILED, "%s", rpc_store_why(err));
		free(hc);
		return;
	}
	rows = json_array();
	moves = json_array();
	for (size_t i = 0; i < h->n; i++)
		json_array_append_new(rows, point_json(&h->points[i]));
	for (size_t i = 0; i < h->n_moves; i++)
		json_array_append_new(moves, move_json(&h->moves[i]));
	rpc_call_reply(
		hc->call,
		json_pack("{s:i, s:o, s:I, s:I, s:i, s:i, s:o, s:o, s:o, s:o, s:I}",
			  "schema", CONTROL_SCHEMA, "path", rpc_json_text(hc->path),
			  "since", (json_int_t)h->since_s, "until",
			  (json_int_t)h->until_s, "step_s", (int)h->step_s, "tier_s",
			  (int)h->tier_s, "columns", columns_json(), "rows", rows,
			  "limits", limits_json(hc->ed, edged_tunnel(hc->ed, hc->path)),
			  "moves", moves, "moves_left_out",
			  (json_int_t)h->moves_left_out));
	free(hc);
}

/*
 * A path is one of ours, or one that the database may still remember: the name of a
 * tunnel that is no longer configured is asked for as well.
 */
void rpc_paths_history(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	struct store_span span = {.now_s = (int64_t)time(NULL), .moves = true};
	const struct tunnel *t;
	struct history_call *hc;
	int64_t points;

	if (!rpc_param_need_str(call, params, "path", &span.path) ||
	    !rpc_param_int(call, params, "until", span.now_s + 1, 1, UINT32_MAX,
			   &span.until_s) ||
	    !rpc_param_int(call, params, "since",
			   span.until_s > SPAN_DEFAULT_S ? span.until_s - SPAN_DEFAULT_S
							 : 0,
			   0, UINT32_MAX, &span.since_s) ||
	    !rpc_param_int(call, params, "points", POINTS_DEFAULT, 1, STORE_POINTS_MAX,
			   &points))
		return;
	if (span.since_s >= span.until_s || span.until_s - span.since_s > SPAN_MAX_S) {
		rpc_call_error(call, RPC_EPARAMS,
			       "since must be before until, by two years at most");
		return;
	}
	if (strlen(span.path) >= EDGED_TUNNEL_NAME_MAX) {
		rpc_call_error(call, RPC_ENOTFOUND, "there is no such path");
		return;
	}
	span.points = (unsigned int)points;
	t = edged_tunnel(ed, span.path);
	span.live = t ? path_minute(t) : NULL;
	hc = ed_alloc(sizeof(*hc));
	hc->ed = ed;
	hc->call = call;
	snprintf(hc->path, sizeof(hc->path), "%s", span.path);
	if (!ed->store) {
		history_done(hc, -ENODATA, NULL);
	} else if (store_query_history(ed->store, &span, history_done, hc) < 0) {
		rpc_call_error(call, RPC_EBUSY, "too many questions to the database");
		free(hc);
	}
}

enum { NAT_LOOKS = 8 };

/* --- uplinks -------------------------------------------------------------------- */

static json_t *family_json(const struct uplink_family *f)
{
	return json_pack("{s:o, s:o, s:b}", "address", rpc_json_addr(&f->local),
			 "gateway", rpc_json_addr(&f->gateway), "routed",
			 (int)f->routed);
}

static void add_rates(json_t *row, const struct edged *ed, const struct uplink *u)
{
	uint64_t down;
	uint64_t up;
	uint64_t month;
	bool known = rates_uplink(control_rates(ed->control), u->name, &down, &up);

	json_object_set_new(row, "down_bps",
			    known ? json_integer((json_int_t)down) : json_null());
	json_object_set_new(row, "up_bps",
			    known ? json_integer((json_int_t)up) : json_null());
	known = u->conf->monthly_limit_bytes &&
		volumes_month(ed->volumes, u->name, &month);
	json_object_set_new(row, "month_bytes",
			    known ? json_integer((json_int_t)month) : json_null());
}

/* Why the uplink is not up, or null. */
static json_t *reason_json(const struct uplink *u)
{
	char buf[EDGED_SENTENCE_MAX];
	struct text t = text_init(buf, sizeof(buf));

	if (u->state == UPLINK_UP)
		return json_null();
	uplink_explain(u, &t);
	return rpc_json_text(buf);
}

/* What the IKE of its tunnels found out; null while there is none. */
static json_t *nat_json(const struct edged *ed, const struct uplink *u)
{
	unsigned int looked = 0;
	struct ike_status st;

	/* The first that is up tells it, at a hub with thousands of them as well. */
	for (const struct tunnel *t = ed->tunnels; t && looked < NAT_LOOKS;
	     t = t->hh.next) {
		if (t->uplink != u || t->state != TUNNEL_UP)
			continue;
		looked++;
		if (ed->ike && ike_status_get(ed->ike, t->name, &st) == 0 &&
		    st.state != IKE_DOWN)
			return json_boolean(st.nat_local);
	}
	return json_null();
}

static json_t *uplink_json(const struct edged *ed, const struct uplink *u)
{
	const struct uplink_family *first =
		u->fam[ED_V4].local.family ? &u->fam[ED_V4] : &u->fam[ED_V6];
	const struct tunnel *t;
	json_t *row;
	int paths = 0;
	int up = 0;

	for (t = ed->tunnels; t; t = t->hh.next) {
		if (t->uplink != u)
			continue;
		paths++;
		up += tunnel_alive(t);
	}
	row = json_pack(
		"{s:o, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:i, s:i}",
		"name", rpc_json_text(u->name), "state", uplink_state_name(u->state),
		"since", rpc_json_since(u->since), "stopped", (int)u->stopped,
		"interface", rpc_json_text(u->ifname), "address",
		rpc_json_addr(&first->local), "gateway", rpc_json_addr(&first->gateway),
		"ipv4", family_json(&u->fam[ED_V4]), "ipv6",
		family_json(&u->fam[ED_V6]), "cost", (json_int_t)u->conf->cost,
		"monthly_limit_bytes", (json_int_t)u->conf->monthly_limit_bytes,
		"paths", paths, "paths_up", up);
	add_rates(row, ed, u);
	json_object_set_new(row, "reason", reason_json(u));
	json_object_set_new(row, "nat", nat_json(ed, u));
	return row;
}

json_t *rpc_uplinks(struct edged *ed)
{
	json_t *list = json_array();
	const struct uplink *u;

	for (u = ed->uplinks; u; u = u->hh.next)
		json_array_append_new(list, uplink_json(ed, u));
	return list;
}

void rpc_uplinks_list(void *ctx, struct rpc_call *call, const json_t *params)
{
	(void)params;
	rpc_call_reply(call, rpc_json_answer("uplinks", rpc_uplinks(ctx)));
}
