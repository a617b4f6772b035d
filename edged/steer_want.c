/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/steer_want.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edged/config/config.h"
#include "edged/edged.h"
#include "edged/steering.h"
#include "lib/alloc.h"
#include "routing/classify/nft.h"
#include "routing/owned.h"

enum { US_PER_S = 1000000 };

/* --- prefixes ----------------------------------------------------------------- */

static void add_all(struct rt_prefixes *to, const struct config_prefixes *from)
{
	for (size_t i = 0; i < from->n; i++)
		rt_prefixes_add(to, &from->v[i]);
}

static void add_text(struct rt_prefixes *to, const char *text)
{
	struct prefix p;

	if (!prefix_parse(text, &p))
		rt_prefixes_add(to, &p);
}

/* What is taken by BGP when the file does not say. */
static void add_private(struct rt_prefixes *to)
{
	add_text(to, "10.0.0.0/8");
	add_text(to, "172.16.0.0/12");
	add_text(to, "192.168.0.0/16");
	add_text(to, "fc00::/7");
}

static void add_accept(const struct config *c, struct rt_prefixes *to)
{
	if (c->bgp.accept.n)
		add_all(to, &c->bgp.accept);
	else
		add_private(to);
}

static void add_host(struct rt_prefixes *to, const struct addr *a)
{
	struct prefix p = {.addr = *a, .len = addr_bits(a->family)};

	if (a->family)
		rt_prefixes_add(to, &p);
}

/* The networks inside addresses come from: ranges, and those of end points. */
static void add_inside(const struct config *c, struct rt_prefixes *to)
{
	add_all(to, &c->inside);
	for (size_t i = 0; i < c->peers.n; i++) {
		const struct config_peer *p = &c->peers.v[i];

		for (size_t t = 0; t < p->tunnels.n; t++) {
			const struct config_prefixes *in = &p->tunnels.v[t].inside;

			for (size_t k = 0; k < in->n; k++) {
				struct prefix net =
					prefix_of(&in->v[k].addr, in->v[k].len);

				rt_prefixes_add(to, &net);
			}
		}
	}
}

/*
 * What the leak guard covers: networks; what BGP may bring where there is BGP;
 * private addresses where nothing is said at all.
 */
static void add_guard(const struct config *c, struct rt_prefixes *to)
{
	for (size_t i = 0; i < c->peers.n; i++) {
		add_all(to, &c->peers.v[i].networks);
		add_all(to, &c->peers.v[i].accept);
	}
	if (c->bgp.asn || !to->n)
		add_accept(c, to);
}

static void add_connected(const struct uplink *u, struct rt_prefixes *to)
{
	for (unsigned int i = 0; i < u->kernel.addr_count; i++) {
		const struct uplink_addr *a = &u->kernel.addrs[i];
		struct prefix p = prefix_of(&a->addr, a->plen);

		if (a->plen < addr_bits(a->addr.family) &&
		    !addr_is_link_local(&a->addr))
			rt_prefixes_add(to, &p);
	}
}

/* --- policy --------------------------------------------------------------------- */

static void fill_uplink(const struct uplink *u, struct policy_uplink *to)
{
	const struct uplink_family *v4 = &u->fam[ED_V4];
	const struct uplink_family *v6 = &u->fam[ED_V6];

	*to = (struct policy_uplink){
		.slot = u->slot,
		.ifindex = u->kernel.up ? u->ifindex : 0,
		.gateway = v4->gateway,
		.gateway6 = v6->gateway,
		.device_route = v4->routed && !v4->gateway.family,
		.device_route6 = v6->routed && !v6->gateway.family,
	};
	for (unsigned int i = 0;
	     i < u->kernel.addr_count && to->n_addrs < POLICY_UPLINK_ADDRS_MAX; i++) {
		to->addrs[to->n_addrs].addr = u->kernel.addrs[i].addr;
		to->addrs[to->n_addrs++].len = u->kernel.addrs[i].plen;
	}
}

static void fill_network(const struct peer *p, const struct prefix *prefix,
			 steer_carries carries, void *ctx, struct policy_network *to)
{
	enum edged_family f = edged_family(prefix->addr.family);
	const struct tunnel *t;

	*to = (struct policy_network){.prefix = *prefix};
	DL_FOREACH (p->tunnels, t) {
		struct policy_hop *h = &to->hops[to->n_hops];

		if (to->n_hops == POLICY_HOPS_MAX || !t->ifindex || !carries(ctx, t))
			continue;
		*h = (struct policy_hop){.ifindex = t->ifindex, .weight = 1};
		if (f == ED_V6)
			h->gateway = t->inside[ED_V6].peer;
		to->n_hops++;
	}
}

static void fill_peer(const struct peer *p, steer_carries carries, void *ctx,
		      struct steer_policy *to)
{
	const struct tunnel *t;

	DL_FOREACH (p->tunnels, t) {
		if (!t->ifindex || !carries(ctx, t))
			continue;
		to->tunnels[to->want.n_tunnels++] = (struct policy_tunnel){
			.ifindex = t->ifindex,
			.peer = t->inside[ED_V4].peer,
			.peer6 = t->inside[ED_V6].peer,
			.local = t->inside[ED_V4].local,
			.local6 = t->inside[ED_V6].local,
		};
	}
	for (size_t i = 0; i < p->conf->networks.n; i++)
		fill_network(p, &p->conf->networks.v[i], carries, ctx,
			     &to->networks[to->want.n_networks++]);
}

void steer_policy_fill(const struct edged *ed, bool keep, steer_carries carries,
		       void *ctx, struct steer_policy *ret)
{
	size_t n_networks = 0;

	*ret = (struct steer_policy){0};
	for (const struct peer *p = ed->peers; p; p = p->hh.next)
		n_networks += p->conf->networks.n;
	ret->uplinks = ed_array(HASH_COUNT(ed->uplinks) + 1, sizeof(*ret->uplinks));
	ret->tunnels = ed_array(HASH_COUNT(ed->tunnels) + 1, sizeof(*ret->tunnels));
	ret->networks = ed_array(n_networks + 1, sizeof(*ret->networks));
	for (const struct uplink *u = ed->uplinks; u; u = u->hh.next)
		fill_uplink(u, &ret->uplinks[ret->want.n_uplinks++]);
	for (const struct peer *p = ed->peers; p; p = p->hh.next)
		fill_peer(p, carries, ctx, ret);
	if (!ed->opt.without_leak_guard)
		add_guard(ed->config, &ret->guard);
	add_all(&ret->local, &ed->config->lan);
	add_inside(ed->config, &ret->local);
	ret->want.uplinks = ret->uplinks;
	ret->want.tunnels = ret->tunnels;
	ret->want.networks = ret->networks;
	ret->want.guard = ret->guard.v;
	ret->want.n_guard = ret->guard.n;
	ret->want.local = ret->local.v;
	ret->want.n_local = ret->local.n;
	ret->want.n_classes = (uint32_t)ed->config->classes.n;
	ret->want.keep_tunnel_routes = keep;
}

void steer_policy_fini(struct steer_policy *p)
{
	free(p->uplinks);
	free(p->tunnels);
	free(p->networks);
	free(p->guard.v);
	free(p->local.v);
	*p = (struct steer_policy){0};
}

/* --- nftables ---------------------------------------------------------------------- */

static struct rt_flow *flows_of(const struct config_class *c)
{
	struct rt_flow *flows = ed_array(c->match.n + 1, sizeof(*flows));

	for (size_t i = 0; i < c->match.n; i++) {
		const struct config_match *m = &c->match.v[i];

		flows[i] = (struct rt_flow){
			.from = m->from,
			.to = m->to,
			.protocol = (uint8_t)m->protocol,
			.from_port = {(uint16_t)m->from_port[0],
				      (uint16_t)m->from_port[1]},
			.to_port = {(uint16_t)m->to_port[0], (uint16_t)m->to_port[1]},
		};
	}
	return flows;
}

static struct rt_nft_class *nft_classes(const struct config *c)
{
	struct rt_nft_class *classes = ed_array(c->classes.n + 1, sizeof(*classes));

	for (size_t i = 0; i < c->classes.n; i++) {
		const struct config_class *from = &c->classes.v[i];

		classes[i] = (struct rt_nft_class){.index = (uint32_t)i,
						   .flows = flows_of(from),
						   .n_flows = from->match.n};
		for (size_t d = 0; d < from->dscp.n; d++)
			classes[i].dscp |= UINT64_C(1) << (from->dscp.v[d] & 63);
	}
	return classes;
}

static uint16_t smallest_mtu(const struct edged *ed)
{
	uint32_t mtu = 0;

	for (const struct tunnel *t = ed->tunnels; t; t = t->hh.next) {
		if (t->mtu && (!mtu || t->mtu < mtu))
			mtu = t->mtu;
	}
	return mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
}

/* The table of c with these uplinks, whose memory stays the caller's. */
static json_t *nft_of(const struct config *c, const struct rt_nft_uplink *uplinks,
		      size_t n_uplinks, bool guarded, uint16_t mtu)
{
	struct rt_nft_class *classes = nft_classes(c);
	struct rt_prefixes guard = {0};
	struct rt_nft_spec spec = {.classes = classes,
				   .n_classes = c->classes.n,
				   .default_class = (int64_t)c->classes.n - 1,
				   .uplinks = uplinks,
				   .n_uplinks = n_uplinks,
				   .tunnel_mtu = mtu};
	json_t *js;

	if (guarded)
		add_guard(c, &guard);
	spec.guard = guard.v;
	spec.n_guard = guard.n;
	js = rt_nft_table(&spec);
	for (size_t i = 0; i < c->classes.n; i++)
		free((void *)(uintptr_t)classes[i].flows);
	free(classes);
	free(guard.v);
	return js;
}

struct json_t *steer_nft(const struct edged *ed)
{
	size_t most = HASH_COUNT(ed->uplinks) + 1;
	struct rt_nft_uplink *uplinks = ed_array(most, sizeof(*uplinks));
	struct rt_prefixes *connected = ed_array(most, sizeof(*connected));
	size_t n = 0;
	json_t *js;

	for (const struct uplink *u = ed->uplinks; u; u = u->hh.next, n++) {
		add_connected(u, &connected[n]);
		uplinks[n] = (struct rt_nft_uplink){.ifname = u->ifname,
						    .slot = u->slot,
						    .connected = connected[n].v,
						    .n_connected = connected[n].n};
	}
	js = nft_of(ed->config, uplinks, n, !ed->opt.without_leak_guard,
		    smallest_mtu(ed));
	for (size_t i = 0; i < n; i++)
		free(connected[i].v);
	free(connected);
	free(uplinks);
	return js;
}

struct json_t *steer_nft_of_config(const struct config *c)
{
	struct rt_nft_uplink *uplinks = ed_array(c->uplinks.n + 1, sizeof(*uplinks));
	json_t *js;

	for (size_t i = 0; i < c->uplinks.n; i++)
		uplinks[i] = (struct rt_nft_uplink){.ifname = c->uplinks.v[i].interface,
						    .slot = (uint32_t)i};
	js = nft_of(c, uplinks, c->uplinks.n, true, 0);
	free(uplinks);
	return js;
}

/* --- intent --------------------------------------------------------------------------- */

/* Index of the tunnel of that name among rt's, or -1. */
static int tunnel_index(const struct rt_peer *rt, const char *name)
{
	for (size_t i = 0; i < rt->n_tunnels; i++) {
		if (!strcmp(rt->tunnels[i].name, name))
			return (int)i;
	}
	return -1;
}

static void add_choice(struct rt_peer *rt, const struct steer_class_plan *plan)
{
	struct rt_choice *c = rt_peer_add_choice(rt, plan->name);

	for (size_t i = 0; i < plan->n_members; i++) {
		const struct steer_member *m = &plan->members[i];
		int index = tunnel_index(rt, m->name);

		if (index >= 0)
			rt_choice_add_member(c, (uint16_t)index,
					     m->weight ? m->weight : 1);
	}
}

void steer_intent_peer(const struct peer *p, struct rt_intent *i)
{
	struct rt_peer *rt = rt_intent_add_peer(i, p->name);
	const struct steer_plan *plan = steering_plan(p);
	const struct tunnel *t;

	for (size_t k = 0; k < p->conf->networks.n; k++)
		rt_prefixes_add(&rt->networks, &p->conf->networks.v[k]);
	DL_FOREACH (p->tunnels, t) {
		struct rt_tunnel *to;

		if (!t->ifindex || rt->n_tunnels == RT_INTENT_TUNNELS_MAX ||
		    (!t->inside[ED_V4].peer.family && !t->inside[ED_V6].peer.family))
			continue;
		to = rt_peer_add_tunnel(rt, t->name, t->ifname);
		to->local = t->inside[ED_V4].local;
		to->peer = t->inside[ED_V4].peer;
		to->local6 = t->inside[ED_V6].local;
		to->peer6 = t->inside[ED_V6].peer;
	}
	for (size_t k = 0; plan && k < plan->n_classes; k++)
		add_choice(rt, &plan->classes[k]);
}

static uint16_t seconds(int64_t us, uint16_t fallback)
{
	int64_t s = us / US_PER_S;

	return s <= 0 ? fallback : s > UINT16_MAX ? UINT16_MAX : (uint16_t)s;
}

/*
 * What p may tell us: its own list, else everybody's; and its static networks
 * besides, so that they may lie within our LAN's range (a hub's 10.0.0.0/8).
 */
static void add_peer_accept(const struct config *c, const struct config_peer *p,
			    struct rt_prefixes *to)
{
	if (!p->accept.n && !p->networks.n)
		return;
	if (p->accept.n)
		add_all(to, &p->accept);
	else
		add_accept(c, to);
	add_all(to, &p->networks);
}

static void add_neighbor(const struct config *c, const struct tunnel *t, int family,
			 struct rt_bgp *b)
{
	const struct config_peer *p = t->peer->conf;
	const struct tunnel_inside *in = &t->inside[family];
	struct rt_neighbor *n;

	if (!in->peer.family || !in->local.family)
		return;
	n = rt_bgp_add_neighbor(b, t->name);
	n->peer = in->peer;
	n->local = in->local;
	n->asn = (uint32_t)p->asn;
	n->hold_s = seconds(p->profile.hold_time_us, 0);
	add_peer_accept(c, p, &n->accept);
}

/*
 * A router id that stays when addresses come and go: the first host of the first
 * IPv4 LAN, else one made of the site's name.
 */
static struct addr choose_router_id(const struct config *c)
{
	struct addr id = c->bgp.router_id;
	uint32_t hash = 2166136261U;

	for (size_t i = 0; !id.family && i < c->lan.n; i++) {
		if (c->lan.v[i].addr.family == AF_INET)
			id = addr_offset(&c->lan.v[i].addr, 1);
	}
	if (id.family)
		return id;
	for (const char *s = c->name ? c->name : ""; *s; s++)
		hash = (hash ^ (uint8_t)*s) * 16777619U;
	id.family = AF_INET;
	id.b[0] = 10;
	id.b[1] = (uint8_t)(hash >> 16);
	id.b[2] = (uint8_t)(hash >> 8);
	id.b[3] = (uint8_t)(hash | 1);
	return id;
}

static void fill_bgp(const struct config *c, struct rt_bgp *b)
{
	b->asn = (uint32_t)c->bgp.asn;
	if (!b->asn)
		return;
	b->router_id = choose_router_id(c);
	b->hold_s = seconds(c->bgp.hold_time_us, b->hold_s);
	b->connect_s = seconds(c->bgp.connect_retry_us, b->connect_s);
	b->restart_s = seconds(c->bgp.restart_time_us, b->restart_s);
	add_all(&b->announce, &c->bgp.announce);
	add_accept(c, &b->accept);
	add_all(&b->refuse, &c->lan);
	add_inside(c, &b->refuse);
}

static struct rt_intent *new_intent(const struct config *c, bool wait)
{
	struct rt_intent *i =
		rt_intent_new(c->frr.socket_dir ? c->frr.socket_dir : "/run/frr");

	i->wait = wait;
	for (size_t k = 0; k < c->classes.n; k++)
		rt_intent_add_class(i, c->classes.v[k].name,
				    rt_class_table((uint32_t)k));
	fill_bgp(c, &i->bgp);
	return i;
}

struct rt_intent *steer_intent(const struct edged *ed, bool wait)
{
	const struct config *c = ed->config;
	struct rt_intent *i = new_intent(c, wait);

	for (const struct peer *p = ed->peers; p; p = p->hh.next)
		steer_intent_peer(p, i);
	if (!i->bgp.asn)
		return i;
	for (const struct uplink *u = ed->uplinks; u; u = u->hh.next)
		add_connected(u, &i->bgp.refuse);
	for (const struct tunnel *t = ed->tunnels; t; t = t->hh.next) {
		add_host(&i->bgp.refuse, &t->remote.addr);
		if (!t->peer->conf->asn || !t->ifindex)
			continue;
		for (int f = 0; f < ED_FAMILIES; f++)
			add_neighbor(c, t, f, &i->bgp);
	}
	return i;
}

struct rt_intent *steer_intent_of_config(const struct config *c)
{
	struct rt_intent *i = new_intent(c, false);

	/* Addresses that only a running daemon knows are of no matter to a check. */
	for (size_t k = 0; i->bgp.asn && k < c->peers.n; k++) {
		const struct config_peer *p = &c->peers.v[k];
		struct rt_neighbor *n;

		if (!p->asn)
			continue;
		n = rt_bgp_add_neighbor(&i->bgp, p->name);
		n->peer = (struct addr){.family = AF_INET,
					.b = {192, 0, (uint8_t)(k >> 8), (uint8_t)k}};
		n->local = (struct addr){.family = AF_INET, .b = {192, 1, 0, 1}};
		n->asn = (uint32_t)p->asn;
		n->hold_s = seconds(p->profile.hold_time_us, 0);
		add_peer_accept(c, p, &n->accept);
	}
	return i;
}
