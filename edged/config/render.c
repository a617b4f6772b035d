/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/config/render.h"

#include <stdlib.h>
#include <string.h>

#include "edged/config/config.h"
#include "lib/alloc.h"
#include "routing/classify/nft.h"
#include "routing/owned.h"

enum { US_PER_S = 1000000 };

/* --- prefixes ----------------------------------------------------------------- */

void config_add_prefixes(struct rt_prefixes *to, const struct config_prefixes *from)
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
		config_add_prefixes(to, &c->bgp.accept);
	else
		add_private(to);
}

void config_add_inside(const struct config *c, struct rt_prefixes *to)
{
	config_add_prefixes(to, &c->inside);
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

void config_add_guard(const struct config *c, struct rt_prefixes *to)
{
	for (size_t i = 0; i < c->peers.n; i++) {
		config_add_prefixes(to, &c->peers.v[i].networks);
		config_add_prefixes(to, &c->peers.v[i].accept);
	}
	if (c->bgp.asn || !to->n)
		add_accept(c, to);
}

/* --- nftables -------------------------------------------------------------------- */

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

struct json_t *config_nft(const struct config *c, const struct rt_nft_uplink *uplinks,
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
	struct json_t *js;

	if (guarded)
		config_add_guard(c, &guard);
	spec.guard = guard.v;
	spec.n_guard = guard.n;
	js = rt_nft_table(&spec);
	for (size_t i = 0; i < c->classes.n; i++)
		free((void *)(uintptr_t)classes[i].flows);
	free(classes);
	free(guard.v);
	return js;
}

struct json_t *config_nft_alone(const struct config *c)
{
	struct rt_nft_uplink *uplinks = ed_array(c->uplinks.n + 1, sizeof(*uplinks));
	struct json_t *js;

	for (size_t i = 0; i < c->uplinks.n; i++)
		uplinks[i] = (struct rt_nft_uplink){.ifname = c->uplinks.v[i].interface,
						    .slot = (uint32_t)i};
	js = config_nft(c, uplinks, c->uplinks.n, true, 0);
	free(uplinks);
	return js;
}

/* --- intent ---------------------------------------------------------------------- */

uint16_t config_seconds(int64_t us, uint16_t fallback)
{
	int64_t s = us / US_PER_S;

	return s <= 0 ? fallback : s > UINT16_MAX ? UINT16_MAX : (uint16_t)s;
}

void config_add_peer_accept(const struct config *c, const struct config_peer *p,
			    struct rt_prefixes *to)
{
	if (!p->accept.n && !p->networks.n)
		return;
	if (p->accept.n)
		config_add_prefixes(to, &p->accept);
	else
		add_accept(c, to);
	config_add_prefixes(to, &p->networks);
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
	b->hold_s = config_seconds(c->bgp.hold_time_us, b->hold_s);
	b->keepalive_s = config_seconds(c->bgp.keepalive_us, 0);
	b->connect_s = config_seconds(c->bgp.connect_retry_us, b->connect_s);
	b->restart_s = config_seconds(c->bgp.restart_time_us, b->restart_s);
	config_add_prefixes(&b->announce, &c->bgp.announce);
	add_accept(c, &b->accept);
	config_add_prefixes(&b->refuse, &c->lan);
	config_add_inside(c, &b->refuse);
}

struct rt_intent *config_intent(const struct config *c)
{
	struct rt_intent *i =
		rt_intent_new(c->frr.socket_dir ? c->frr.socket_dir : "/run/frr");

	for (size_t k = 0; k < c->classes.n; k++)
		rt_intent_add_class(i, c->classes.v[k].name,
				    rt_class_table((uint32_t)k));
	fill_bgp(c, &i->bgp);
	return i;
}

struct rt_intent *config_intent_alone(const struct config *c)
{
	struct rt_intent *i = config_intent(c);

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
		n->hold_s = config_seconds(p->profile.hold_time_us, 0);
		n->keepalive_s = config_seconds(p->profile.keepalive_us, 0);
		config_add_peer_accept(c, p, &n->accept);
	}
	return i;
}
