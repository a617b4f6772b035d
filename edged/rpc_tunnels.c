/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Peers, and the IPsec side of their tunnels.
 *
 * A row of ike.list has, beside what it names itself,
 *
 *	last_failure failed_at		 a sentence and when, or null
 *	failures failures_total		 attempts that failed: in a row, since the start
 *	rekeys_total			 of IKE and child SAs, since the start
 *	child.age_s			 of the keys in use
 *	kernel	 {"sa_in": 1, "sa_out": 1, "wanted_in": 1, "wanted_out": 1}: the SAs
 *		 that whoever carries the packets has now, beside what the IKE side
 *		 believes; null while it cannot be asked
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edged/config/config.h"
#include "edged/control.h"
#include "edged/dataplane/dataplane.h"
#include "edged/edged.h"
#include "edged/path.h"
#include "edged/rpc_json.h"
#include "edged/steering.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/rpc.h"

/* --- peers ----------------------------------------------------------------------- */

/* For each class the uplinks it goes by. */
static json_t *peer_classes(const struct peer *p)
{
	const struct steer_plan *plan = steering_plan(p);
	json_t *list = json_array();

	for (size_t i = 0; plan && i < plan->n_classes; i++) {
		const struct steer_class_plan *c = &plan->classes[i];
		json_t *members = json_array();

		for (size_t m = 0; m < c->n_members; m++)
			json_array_append_new(
				members,
				json_pack("{s:o, s:i}", "path",
					  rpc_json_text(c->members[m].name), "weight",
					  (int)c->members[m].weight));
		json_array_append_new(list,
				      json_pack("{s:o, s:o, s:b, s:b, s:o}", "class",
						rpc_json_text(c->name), "members",
						members, "keeps", (int)c->keeps, "kept",
						(int)c->kept, "since",
						rpc_json_since(c->since)));
	}
	return list;
}

static void count_paths(const struct peer *p, int *paths, int *up)
{
	const struct tunnel *t;

	*paths = 0;
	*up = 0;
	DL_FOREACH (p->tunnels, t) {
		++*paths;
		*up += tunnel_alive(t);
	}
}

const char *rpc_peer_state(const struct peer *p)
{
	int paths;
	int up;

	count_paths(p, &paths, &up);
	if (up == 0)
		return "down";
	return up < paths ? "degraded" : "up";
}

static bool is_up(const struct peer *p)
{
	return strcmp(rpc_peer_state(p), "up") == 0;
}

const struct peer **rpc_peers_pick(const struct edged *ed, size_t max, size_t *ret_n)
{
	size_t all = HASH_COUNT(ed->peers);
	const struct peer **v = ed_array(all + 1, sizeof(*v));
	bool part = max && all > max;
	size_t n = 0;

	for (const struct peer *p = ed->peers; p; p = p->hh.next)
		if (!part || (n < max && !is_up(p)))
			v[n++] = p;
	for (const struct peer *p = ed->peers; part && p && n < max; p = p->hh.next)
		if (is_up(p))
			v[n++] = p;
	*ret_n = n;
	return v;
}

/* Prefixes of the peer that edge-zebra has learned by BGP. */
static json_int_t learned(const struct peer *p)
{
	const json_t *report = control_zebra_report(p->ed->control);
	const json_t *row;
	size_t i;

	json_array_foreach (json_object_get(report, "peers"), i, row) {
		const char *name = json_string_value(json_object_get(row, "name"));

		if (name && strcmp(name, p->name) == 0)
			return json_integer_value(json_object_get(row, "prefixes"));
	}
	return 0;
}

static json_t *peer_json(const struct peer *p)
{
	json_t *networks = json_array();
	json_t *names = json_array();
	const struct tunnel *t;
	int paths;
	int up;

	count_paths(p, &paths, &up);
	DL_FOREACH (p->tunnels, t)
		json_array_append_new(names, rpc_json_text(t->name));
	for (size_t i = 0; i < p->conf->networks.n; i++)
		json_array_append_new(networks,
				      rpc_json_prefix(&p->conf->networks.v[i]));
	return json_pack("{s:o, s:s, s:b, s:i, s:i, s:o, s:o, s:I, s:I, s:o}", "name",
			 rpc_json_text(p->name), "state", rpc_peer_state(p), "calls_us",
			 (int)p->calls_us, "paths", paths, "paths_up", up, "tunnels",
			 names, "networks", networks, "asn", (json_int_t)p->conf->asn,
			 "learned", learned(p), "classes", peer_classes(p));
}

json_t *rpc_peers(const struct peer *const *peers, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, peer_json(peers[i]));
	return list;
}

void rpc_peers_list(void *ctx, struct rpc_call *call, const json_t *params)
{
	const struct peer **peers;
	size_t n;

	(void)params;
	peers = rpc_peers_pick(ctx, 0, &n);
	rpc_call_reply(call, rpc_json_answer("peers", rpc_peers(peers, n)));
	free(peers);
}

/* --- ike -------------------------------------------------------------------------- */

static json_t *spi_text(uint64_t spi, int digits)
{
	char buf[24];

	snprintf(buf, sizeof(buf), "%0*llx", digits, (unsigned long long)spi);
	return json_string(buf);
}

/* Seconds until t; null when there is no such time. */
static json_t *until_s(struct mono t)
{
	if (t.us == 0 || mono_is_never(t))
		return json_null();
	return json_integer(mono_diff_us(t, mono_now()) / MONO_US_PER_S);
}

/* SAs of a tunnel: those that the carrier has, and those that IKE believes in. */
struct sa_count {
	uint32_t slot;
	int in, out;
	int wanted_in, wanted_out;
	UT_hash_handle hh;
};

struct sa_counts {
	struct edged *ed;
	struct sa_count *all;
	bool known; /* the carrier could be asked */
};

static struct sa_count *sa_count(struct sa_counts *c, uint32_t slot)
{
	struct sa_count *n;

	HASH_FIND(hh, c->all, &slot, sizeof(slot), n);
	if (n)
		return n;
	n = ed_alloc(sizeof(*n));
	n->slot = slot;
	HASH_ADD(hh, c->all, slot, sizeof(n->slot), n);
	return n;
}

static void count_carried(void *ctx, const struct dp_sa_info *sa)
{
	struct sa_count *n = sa_count(ctx, sa->slot);

	if (sa->dir == DP_IN)
		n->in++;
	else
		n->out++;
}

static void count_wanted(void *ctx, const char *tunnel, const struct ike_esp *esp)
{
	struct sa_counts *c = ctx;
	const struct tunnel *t = edged_tunnel(c->ed, tunnel);
	struct sa_count *n;

	if (!t)
		return;
	n = sa_count(c, t->slot);
	if (esp->dir == IKE_IN)
		n->wanted_in++;
	else
		n->wanted_out++;
}

static void count_sas(struct sa_counts *c)
{
	c->known = c->ed->dataplane && dp_ready(c->ed->dataplane) &&
		   dp_dump(c->ed->dataplane, count_carried, c) == 0;
	if (c->known && c->ed->ike)
		ike_each_esp(c->ed->ike, count_wanted, c);
}

static void sa_counts_free(struct sa_counts *c)
{
	struct sa_count *n;
	struct sa_count *tmp;

	HASH_ITER (hh, c->all, n, tmp) {
		HASH_DEL(c->all, n);
		free(n);
	}
}

static json_t *kernel_json(const struct sa_counts *c, uint32_t slot)
{
	const struct sa_count none = {0};
	const struct sa_count *n;

	if (!c->known)
		return json_null();
	HASH_FIND(hh, c->all, &slot, sizeof(slot), n);
	if (!n)
		n = &none;
	return json_pack("{s:i, s:i, s:i, s:i}", "sa_in", n->in, "sa_out", n->out,
			 "wanted_in", n->wanted_in, "wanted_out", n->wanted_out);
}

static json_t *child_json(const struct ike_child_status *c)
{
	return json_pack("{s:o, s:o, s:s, s:b, s:o, s:I, s:o, s:i}", "spi_in",
			 spi_text(c->spi_in, 8), "spi_out", spi_text(c->spi_out, 8),
			 "suite", c->suite, "pfs", (int)c->pfs, "since",
			 rpc_json_since(c->since), "age_s",
			 (json_int_t)(mono_diff_us(mono_now(), c->since) /
				      MONO_US_PER_S),
			 "rekey_in_s", until_s(c->rekey_at), "rekeys", (int)c->rekeys);
}

static void add_sa(json_t *row, const struct ike_status *st)
{
	json_object_set_new(row, "initiator", json_boolean(st->initiator));
	json_object_set_new(row, "local_id", rpc_json_text(st->local_id));
	json_object_set_new(row, "remote_id", rpc_json_text(st->remote_id));
	json_object_set_new(row, "spi_i", spi_text(st->spi_i, 16));
	json_object_set_new(row, "spi_r", spi_text(st->spi_r, 16));
	json_object_set_new(row, "suite", json_string(st->suite));
	json_object_set_new(row, "nat_local", json_boolean(st->nat_local));
	json_object_set_new(row, "nat_remote", json_boolean(st->nat_remote));
	json_object_set_new(row, "since", rpc_json_since(st->since));
	json_object_set_new(row, "heard", rpc_json_since(st->heard));
	json_object_set_new(row, "rekey_in_s", until_s(st->rekey_at));
	json_object_set_new(row, "rekeys", json_integer(st->ike_rekeys));
	json_object_set_new(row, "retransmits", json_integer(st->retransmits));
	json_object_set_new(row, "child",
			    st->has_child ? child_json(&st->child) : json_null());
}

static void add_traffic(json_t *row, struct dataplane *dp, unsigned int slot)
{
	struct dp_counters n;

	if (!dp || dp_counters(dp, slot, &n) < 0)
		return;
	dp_drops(dp, slot, &n);
	json_object_set_new(row, "dataplane", json_string(dp_kind(dp, slot)));
	json_object_set_new(row, "rx_packets", json_integer((json_int_t)n.rx_packets));
	json_object_set_new(row, "rx_bytes", json_integer((json_int_t)n.rx_bytes));
	json_object_set_new(row, "tx_packets", json_integer((json_int_t)n.tx_packets));
	json_object_set_new(row, "tx_bytes", json_integer((json_int_t)n.tx_bytes));
	json_object_set_new(row, "rx_replay", json_integer((json_int_t)n.rx_replay));
	json_object_set_new(row, "rx_auth", json_integer((json_int_t)n.rx_auth));
	json_object_set_new(row, "rx_bad", json_integer((json_int_t)n.rx_bad));
	json_object_set_new(row, "tx_dropped", json_integer((json_int_t)n.tx_dropped));
}

/* The last failure, of the supervisor or of the engine, whichever is known. */
static json_t *failure_json(const struct tunnel *t, const struct ike_status *st)
{
	if (t->last_failure[0])
		return rpc_json_text(t->last_failure);
	return st && st->failure[0] ? rpc_json_text(st->failure) : json_null();
}

static void add_failures(json_t *row, const struct tunnel *t,
			 const struct ike_status *st)
{
	uint64_t all = 0;
	json_t *at = json_null();

	for (enum tunnel_failure f = 0; f < TUNNEL_FAILURES; f++)
		all += t->failed[f];
	if (t->last_failure[0])
		at = json_real((double)t->last_failure_time_us / 1e6);
	else if (st && st->failure[0])
		at = rpc_json_since(st->failure_at);
	json_object_set_new(row, "failed_at", at);
	json_object_set_new(row, "failures_total", json_integer((json_int_t)all));
	json_object_set_new(row, "rekeys_total",
			    json_integer(
				    (json_int_t)(t->rekeyed_ike + t->rekeyed_child)));
}

static json_t *ike_json(struct edged *ed, const struct tunnel *t,
			const struct sa_counts *sas)
{
	struct ike_status st;
	bool known = ed->ike && ike_status_get(ed->ike, t->name, &st) == 0;
	json_t *row = json_pack(
		"{s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:b, s:o, s:i, s:o}",
		"name", rpc_json_text(t->name), "peer", rpc_json_text(t->peer->name),
		"uplink", rpc_json_text(t->label), "state", tunnel_state_name(t->state),
		"state_since", rpc_json_since(t->since), "local",
		rpc_json_endpoint(&t->local), "remote", rpc_json_endpoint(&t->remote),
		"inside_local", rpc_json_addr(&t->inside[ED_V4].local), "inside_peer",
		rpc_json_addr(&t->inside[ED_V4].peer), "interface", t->ifname, "encap",
		(int)t->encap, "last_failure", failure_json(t, known ? &st : NULL),
		"failures", (int)t->failures, "retry_in_s",
		t->state == TUNNEL_WAITING ? until_s(t->retry_at) : json_null());

	json_object_set_new(row, "inside_local6",
			    rpc_json_addr(&t->inside[ED_V6].local));
	json_object_set_new(row, "inside_peer6", rpc_json_addr(&t->inside[ED_V6].peer));
	json_object_set_new(row, "mtu", json_integer(t->mtu));
	json_object_set_new(row, "ike",
			    json_string(known ? ike_state_name(st.state) : "down"));
	if (known && st.state != IKE_DOWN)
		add_sa(row, &st);
	add_failures(row, t, known ? &st : NULL);
	json_object_set_new(row, "kernel", kernel_json(sas, t->slot));
	add_traffic(row, ed->dataplane, t->slot);
	return row;
}

void rpc_ike_list(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	struct sa_counts sas = {.ed = ed};
	json_t *list = json_array();
	const struct peer *p;
	const struct tunnel *t;

	(void)params;
	count_sas(&sas);
	for (p = ed->peers; p; p = p->hh.next)
		DL_FOREACH (p->tunnels, t)
			json_array_append_new(list, ike_json(ed, t, &sas));
	sa_counts_free(&sas);
	rpc_call_reply(call, rpc_json_answer("tunnels", list));
}
