/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/steer_want.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edged/config/config.h"
#include "edged/config/render.h"
#include "edged/edged.h"
#include "edged/steering.h"
#include "lib/alloc.h"
#include "routing/classify/nft.h"
#include "routing/owned.h"

/* --- prefixes ----------------------------------------------------------------- */

enum {
	INSIDE_LEN4 = 24,
	INSIDE_LEN6 = 64,
};

static void add_host(struct rt_prefixes *to, const struct addr *a)
{
	struct prefix p = {.addr = *a, .len = addr_bits(a->family)};

	if (a->family)
		rt_prefixes_add(to, &p);
}

/*
 * Inside addresses are guarded too: while a path is down its peer's /32 is
 * withdrawn, and bgpd's packets to it must not take the default route. Ours are
 * given by a range; those of peers that we call are few.
 */
static void add_inside_guard(const struct edged *ed, struct rt_prefixes *to)
{
	const struct tunnel *t;

	config_add_inside(ed->config, to);
	for (const struct peer *p = ed->peers; p; p = p->hh.next) {
		if (p->calls_us)
			continue;
		DL_FOREACH (p->tunnels, t) {
			add_host(to, &t->inside[ED_V4].peer);
			add_host(to, &t->inside[ED_V6].peer);
		}
	}
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
	if (!ed->opt.without_leak_guard) {
		config_add_guard(ed->config, &ret->guard);
		add_inside_guard(ed, &ret->guard);
	}
	config_add_prefixes(&ret->local, &ed->config->lan);
	config_add_inside(ed->config, &ret->local);
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

static uint16_t smallest_mtu(const struct edged *ed)
{
	uint32_t mtu = 0;

	for (const struct tunnel *t = ed->tunnels; t; t = t->hh.next) {
		if (t->mtu && (!mtu || t->mtu < mtu))
			mtu = t->mtu;
	}
	return mtu > UINT16_MAX ? UINT16_MAX : (uint16_t)mtu;
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
	js = config_nft(ed->config, uplinks, n, !ed->opt.without_leak_guard,
			smallest_mtu(ed));
	for (size_t i = 0; i < n; i++)
		free(connected[i].v);
	free(connected);
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
	n->hold_s = config_seconds(p->profile.hold_time_us, 0);
	n->keepalive_s = config_seconds(p->profile.keepalive_us, 0);
	config_add_peer_accept(c, p, &n->accept);
}

/*
 * The network a tunnel's inside addresses are from. Whom we call gave us the
 * addresses without saying its range: the usual size of one is refused.
 */
static void add_inside_net(const struct tunnel *t, struct rt_prefixes *to)
{
	static const uint8_t lens[ED_FAMILIES] = {
		[ED_V4] = INSIDE_LEN4, [ED_V6] = INSIDE_LEN6};

	for (int f = 0; f < ED_FAMILIES; f++) {
		struct prefix net;

		if (!t->inside[f].local.family)
			continue;
		net = prefix_of(&t->inside[f].local, lens[f]);
		rt_prefixes_add(to, &net);
	}
}

struct rt_intent *steer_intent(const struct edged *ed, bool wait)
{
	const struct config *c = ed->config;
	struct rt_intent *i = config_intent(c);

	i->wait = wait;
	for (const struct peer *p = ed->peers; p; p = p->hh.next)
		steer_intent_peer(p, i);
	if (!i->bgp.asn)
		return i;
	for (const struct uplink *u = ed->uplinks; u; u = u->hh.next)
		add_connected(u, &i->bgp.refuse);
	for (const struct tunnel *t = ed->tunnels; t; t = t->hh.next) {
		add_host(&i->bgp.refuse, &t->remote.addr);
		if (!t->peer->calls_us)
			add_inside_net(t, &i->bgp.refuse);
		if (!t->peer->conf->asn || !t->ifindex)
			continue;
		for (int f = 0; f < ED_FAMILIES; f++)
			add_neighbor(c, t, f, &i->bgp);
	}
	return i;
}
