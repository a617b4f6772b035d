/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What takes more than one setting to judge: references, overlapping prefixes,
 * contradictions, what is missing for the rest to make sense. Each check names
 * both sides of the matter and says what would be right.
 *
 * Overlaps. Longest match decides, so a prefix within another one is mostly
 * meant: the smallest branch has its LAN within the hub's 10.0.0.0/8, and the
 * hub has its branches' LANs within its own. Refused is what no router can
 * decide: the same prefix in two places, and addresses of tunnels or uplinks
 * that are somebody's network.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "edged/config/config.h"
#include "edged/config/parts.h"
#include "edged/config/schema.h"
#include "lib/addr.h"
#include "lib/alloc.h"
#include "lib/conf.h"
#include "lib/text.h"

/* A prefix or address and whose it is. */
struct owned {
	struct prefix prefix;
	const void *place;
	const char *what; /* "lan", "networks of peer" */
	const char *name; /* of the peer, "" where what says all */
};

struct owned_list {
	struct owned *v;
	size_t n;
	size_t cap;
};

/* Something that only one may have, and the first who has it. */
struct taken {
	char *key;
	const char *name;
	UT_hash_handle hh;
};

struct check {
	struct conf *conf;
	struct config *c;
	bool callers; /* some peer calls us */
	bool callers_known; /* and every such peer lists its uplinks */
};

/* The place of a value, or of the object it is missing in. */
static const void *at(const struct check *k, const void *value, const void *object)
{
	return conf_place(k->conf, value) ? value : object;
}

/* Remember key for name; the name that has it already, or NULL. */
static const char *take(struct taken **list, const char *key, const char *name)
{
	struct taken *t;

	HASH_FIND_STR(*list, key, t);
	if (t)
		return t->name;
	t = ed_alloc(sizeof(*t));
	t->key = ed_strdup(key);
	t->name = name;
	HASH_ADD_KEYPTR(hh, *list, t->key, strlen(t->key), t);
	return NULL;
}

static void taken_free(struct taken **list)
{
	struct taken *t;
	struct taken *tmp;

	HASH_ITER (hh, *list, t, tmp) {
		HASH_DEL(*list, t);
		free(t->key);
		free(t);
	}
}

/* --- references ----------------------------------------------------------- */

static const char *nth_uplink(const void *ctx, size_t i)
{
	const struct config *c = ctx;

	return c->uplinks.v[i].name;
}

static void unknown_uplink(struct check *k, const char *const *name,
			   const char *setting)
{
	const struct config *c = k->c;
	const char *near = config_similar(*name, nth_uplink, c, c->uplinks.n);
	char names[200];
	struct text t = text_init(names, sizeof(names));

	for (size_t i = 0; i < c->uplinks.n; i++)
		text_list(&t, ", ", c->uplinks.v[i].name);
	if (near)
		conf_error(k->conf, name,
			   "%s: there is no uplink '%s', did you mean '%s'?", setting,
			   *name, near);
	else
		conf_error(k->conf, name, "%s: there is no uplink '%s' (there %s %s)",
			   setting, *name, c->uplinks.n == 1 ? "is" : "are", names);
}

static void check_via(struct check *k, const struct config_strings *via)
{
	for (size_t i = 0; i < via->n; i++)
		if (!config_uplink(k->c, via->v[i]))
			unknown_uplink(k, (const char *const *)&via->v[i], "via");
}

static bool caller_has(const struct config *c, const char *uplink)
{
	for (size_t i = 0; i < c->peers.n; i++) {
		const struct config_peer *p = &c->peers.v[i];

		for (size_t u = 0; u < p->uplinks.n; u++)
			if (strcmp(p->uplinks.v[u].name, uplink) == 0)
				return true;
	}
	return false;
}

/* Uplinks of a class: ours, or those of peers that call us. */
static void check_names(struct check *k, const struct config_strings *list,
			const char *setting)
{
	for (size_t i = 0; i < list->n; i++) {
		if (config_uplink(k->c, list->v[i]) || caller_has(k->c, list->v[i]))
			continue;
		if (k->callers && !k->callers_known)
			conf_warn(
				k->conf, &list->v[i],
				"%s: there is no uplink '%s' here; it can only be one of a "
				"peer that calls us (list them in that peer's uplinks)",
				setting, list->v[i]);
		else
			unknown_uplink(k, (const char *const *)&list->v[i], setting);
	}
}

/* --- uplinks -------------------------------------------------------------- */

/* edNNNN are the names of our tunnel interfaces. */
static bool ours(const char *ifname)
{
	return strlen(ifname) == 6 && strncmp(ifname, "ed", 2) == 0 &&
	       strspn(ifname + 2, "0123456789") == 4;
}

static void check_families(struct check *k, const struct config_addrs *list,
			   const char *setting)
{
	if (list->n == 2 && list->v[0].family == list->v[1].family)
		conf_error(
			k->conf, &list->v[1],
			"%s: two %s addresses; one of each of IPv4 and IPv6 is possible",
			setting, list->v[1].family == AF_INET ? "IPv4" : "IPv6");
}

static void check_gateway(struct check *k, const struct config_uplink *u)
{
	for (size_t i = 0; i < u->gateway.n; i++)
		for (size_t m = 0; m < u->address.n; m++)
			if (addr_equal(&u->gateway.v[i], &u->address.v[m]))
				conf_error(k->conf, &u->gateway.v[i],
					   "gateway: this is the uplink's own address");
}

static void check_uplinks(struct check *k)
{
	struct taken *interfaces = NULL;

	for (size_t i = 0; i < k->c->uplinks.n; i++) {
		const struct config_uplink *u = &k->c->uplinks.v[i];
		const char *other;

		if (conf_hollow(k->conf, u))
			continue;
		check_families(k, &u->address, "address");
		check_families(k, &u->gateway, "gateway");
		check_gateway(k, u);
		if (!u->interface)
			continue;
		if (ours(u->interface))
			conf_error(
				k->conf, &u->interface,
				"interface: '%s' is a name that edged gives its tunnels",
				u->interface);
		other = take(&interfaces, u->interface, u->name);
		if (other)
			conf_error(k->conf, &u->interface,
				   "interface: '%s' is that of uplink '%s' already",
				   u->interface, other);
	}
	taken_free(&interfaces);
}

/* --- peers ---------------------------------------------------------------- */

static bool same_as_ours(const struct prefix *inside, const struct addr *peer)
{
	return addr_equal(&inside->addr, peer);
}

/* The first or last address of an IPv4 network that has more than two. */
static bool no_host(const struct prefix *net, const struct addr *a)
{
	int bits = addr_bits(net->addr.family) - net->len;
	struct addr last;

	if (net->addr.family != AF_INET || a->family != AF_INET || bits < 2 ||
	    bits >= 32)
		return false;
	last = addr_offset(&net->addr, (1ull << bits) - 1);
	return addr_equal(&net->addr, a) || addr_equal(&last, a);
}

static void check_inside_pair(struct check *k, const struct config_endpoint *e,
			      const struct addr *peer)
{
	const struct prefix *in = NULL;
	char text[PREFIX_STRLEN];
	struct prefix net;

	for (size_t i = 0; i < e->inside.n; i++)
		if (e->inside.v[i].addr.family == peer->family)
			in = &e->inside.v[i];
	/* One that could not be read has been reported. */
	if (!in && !e->inside.n && conf_place(k->conf, &e->inside))
		return;
	if (!in) {
		conf_error(
			k->conf, peer,
			"bgp-peer: there is no address of ours beside it: add 'inside: "
			"ADDRESS/LENGTH'");
		return;
	}
	net = prefix_of(&in->addr, in->len);
	if (same_as_ours(in, peer))
		conf_error(k->conf, peer,
			   "bgp-peer: this is our own address in the tunnel");
	else if (no_host(&net, peer))
		conf_error(k->conf, peer,
			   "bgp-peer: this is the first or last address of %s, which "
			   "no host has",
			   prefix_format(&net, text));
	else if (!prefix_contains(&net, peer))
		conf_error(k->conf, peer, "bgp-peer: it does not lie in %s",
			   prefix_format(&net, text));
}

static void check_endpoint(struct check *k, const struct config_peer *p,
			   const struct config_endpoint *e)
{
	const void *object = e->name[0] ? (const void *)e : (const void *)p;

	/* The peer's own via is checked once, with the peer. */
	if (!e->via_default &&
	    conf_place(k->conf, &e->via) != conf_place(k->conf, &p->via))
		check_via(k, &e->via);
	check_families(k, &e->bgp_peer, "bgp-peer");
	if (e->inside.n == 2 &&
	    e->inside.v[0].addr.family == e->inside.v[1].addr.family)
		conf_error(
			k->conf, &e->inside.v[1],
			"inside: two addresses of one family; one of each of IPv4 and IPv6 "
			"is possible");
	for (size_t i = 0; i < e->bgp_peer.n; i++)
		if (conf_place(k->conf, &e->bgp_peer.v[i]))
			check_inside_pair(k, e, &e->bgp_peer.v[i]);
	if (e->inside.n && e->via.n > 1)
		conf_error(
			k->conf, at(k, &e->inside, object),
			"inside: one address, but tunnels over %zu uplinks: add 'via: %s' "
			"or another one",
			e->via.n, e->via.v[0]);
	if (p->profile.ids == CONFIG_IDS_ADDRESS && !p->our_id && !e->inside.n &&
	    !conf_place(k->conf, &e->inside) && p->profile.probe == CONFIG_PROBE_ICMP)
		conf_error(
			k->conf, object,
			"peer '%s' has preset '%s', which needs our address in the tunnel: "
			"add 'inside: ADDRESS/LENGTH'",
			p->name, p->preset);
}

static void check_caller(struct check *k, const struct config_peer *p)
{
	static const char wrong[] =
		"peer '%s' has no address, so it calls us, and '%s' says "
		"nothing about it: add 'address: ...', or take this out";

	if (conf_place(k->conf, &p->via))
		conf_error(k->conf, &p->via, wrong, p->name, "via");
	if (conf_place(k->conf, &p->inside))
		conf_error(k->conf, &p->inside, wrong, p->name, "inside");
	if (conf_place(k->conf, &p->bgp_peer))
		conf_error(k->conf, &p->bgp_peer, wrong, p->name, "bgp-peer");
	if (p->profile.ids == CONFIG_IDS_ADDRESS && !p->id)
		conf_error(
			k->conf, at(k, &p->preset, p),
			"peer '%s' has no address, and what it must prove is its address: "
			"add 'address: ...' or 'id: ...'",
			p->name);
	if (k->c->inside.n == 0)
		conf_error(
			k->conf, p,
			"peer '%s' has no address, so it calls us, and gets its address in "
			"the tunnel from a range that is missing: add 'inside: "
			"100.96.0.0/16' at the top, or give the peer its 'address'",
			p->name);
}

static void check_called(struct check *k, const struct config_peer *p)
{
	if (conf_place(k->conf, &p->uplinks))
		conf_error(
			k->conf, &p->uplinks,
			"uplinks: peer '%s' has an address, so we call it, over our own "
			"uplinks (via chooses among them)",
			p->name);
	if (p->id && strncmp(p->id, "*.", 2) == 0)
		conf_warn(
			k->conf, &p->id,
			"id: we call this peer, and anything that ends in '%s' will do",
			p->id + 1);
	if (!conf_place(k->conf, &p->tunnels) || !p->tunnels.n)
		return;
	if (conf_place(k->conf, &p->address))
		conf_error(
			k->conf, &p->address,
			"address: peer '%s' has tunnels with addresses of their own: keep "
			"one of 'address' and 'tunnels'",
			p->name);
	if (conf_place(k->conf, &p->inside))
		conf_error(
			k->conf, &p->inside,
			"inside: peer '%s' has several tunnels: write it in each of them",
			p->name);
	if (conf_place(k->conf, &p->bgp_peer))
		conf_error(
			k->conf, &p->bgp_peer,
			"bgp-peer: peer '%s' has several tunnels: write it in each of them",
			p->name);
}

/* Numbers that RFC 7607, 6793, 7300 take out. */
static bool reserved_asn(uint64_t asn)
{
	return asn == 23456 || asn == 65535;
}

static void check_routes(struct check *k, const struct config_peer *p)
{
	if (!p->asn && !p->networks.n && !conf_place(k->conf, &p->networks) &&
	    !conf_place(k->conf, &p->asn))
		conf_error(
			k->conf, p,
			"peer '%s' has neither 'networks' nor 'asn': nothing would ever be "
			"routed to it",
			p->name);
	if (p->asn && reserved_asn(p->asn))
		conf_error(k->conf, &p->asn, "asn: %llu is reserved",
			   (unsigned long long)p->asn);
	if (p->asn && !k->c->bgp.asn && !conf_place(k->conf, &k->c->bgp.asn))
		conf_error(
			k->conf, &p->asn,
			"asn: peer '%s' speaks BGP, but we have no AS number: add 'bgp: "
			"{asn: ...}'",
			p->name);
	if (p->accept.n && !p->asn)
		conf_error(k->conf, &p->accept,
			   "accept: peer '%s' has no 'asn', so it tells nothing by BGP",
			   p->name);
	if (conf_place(k->conf, &p->profile.hold_time_us) && !p->asn)
		conf_error(
			k->conf, &p->profile.hold_time_us,
			"hold-time: peer '%s' has no 'asn', so there is no BGP with it",
			p->name);
}

static void check_times(struct check *k, const struct config_peer *p)
{
	const struct config_profile *pr = &p->profile;
	int64_t hold = pr->hold_time_us ? pr->hold_time_us : k->c->bgp.hold_time_us;

	if (pr->esp_lifetime_us > pr->ike_lifetime_us && pr->ike_lifetime_us)
		conf_error(k->conf,
			   at(k, &pr->esp_lifetime_us, at(k, &pr->ike_lifetime_us, p)),
			   "esp-lifetime is longer than ike-lifetime of peer '%s'",
			   p->name);
	if (pr->keepalive_us && hold && pr->keepalive_us * 3 > hold)
		conf_error(k->conf,
			   at(k, &pr->keepalive_us, at(k, &pr->hold_time_us, p)),
			   "keepalive is more than a third of hold-time of peer '%s'",
			   p->name);
}

static void check_peer(struct check *k, struct config_peer *p)
{
	if (conf_hollow(k->conf, p))
		return;
	if (config_calls_us(p) && !conf_place(k->conf, &p->address) &&
	    !conf_place(k->conf, &p->tunnels)) {
		check_caller(k, p);
	} else {
		check_called(k, p);
		check_via(k, &p->via);
		for (size_t i = 0; i < p->tunnels.n; i++)
			check_endpoint(k, p, &p->tunnels.v[i]);
	}
	check_routes(k, p);
	check_times(k, p);
}

/* One way to the same address over the same uplink can be no two things. */
static void check_pairs(struct check *k)
{
	struct taken *vtis = NULL;
	struct taken *pairs = NULL;
	struct config_tunnel *v;
	size_t n = config_tunnels(k->c, &v);

	for (size_t i = 0; i < n; i++) {
		const struct config_endpoint *e = v[i].endpoint;
		const void *object =
			e->name[0] ? (const void *)e : (const void *)v[i].peer;

		for (size_t a = 0; a < e->address.n; a++) {
			char *key = ed_asprintf("%s %s", v[i].uplink->name,
						e->address.v[a]);
			char *own = ed_asprintf("%s %s", v[i].peer->name, key);
			const char *twin = take(&pairs, own, v[i].name);
			const char *vti = NULL;

			if (v[i].peer->dataplane == CONFIG_DP_VTI)
				vti = take(&vtis, key, v[i].name);
			if (vti)
				conf_error(
					k->conf, at(k, &e->address.v[a], object),
					"two VTIs of one address pair cannot be: '%s' goes "
					"over %s to %s already; use 'dataplane: xfrm', or "
					"another uplink or address",
					vti, v[i].uplink->name, e->address.v[a]);
			else if (twin)
				conf_error(k->conf, at(k, &e->address.v[a], object),
					   "address: '%s' goes over %s to %s already",
					   twin, v[i].uplink->name, e->address.v[a]);
			free(key);
			free(own);
		}
	}
	free(v);
	taken_free(&vtis);
	taken_free(&pairs);
}

/* Who calls us is told apart by what he proves. */
static void check_caller_ids(struct check *k)
{
	struct taken *ids = NULL;

	for (size_t i = 0; i < k->c->peers.n; i++) {
		const struct config_peer *p = &k->c->peers.v[i];
		struct config_id theirs;
		struct config_id our;
		char text[ADDR_STRLEN];
		const char *other;

		if (!config_calls_us(p) || k->c->uplinks.n == 0 ||
		    conf_hollow(k->conf, p))
			continue;
		config_template(k->c, p, &k->c->uplinks.v[0], &theirs, &our);
		other = take(&ids,
			     theirs.kind == CONFIG_ID_ADDR
				     ? addr_format(&theirs.addr, text)
				     : theirs.name,
			     p->name);
		if (other && theirs.kind != CONFIG_ID_OUTER)
			conf_error(
				k->conf, at(k, &p->id, p),
				"id: peers '%s' and '%s' call us and prove the same: they "
				"cannot be told apart",
				other, p->name);
	}
	taken_free(&ids);
}

static void check_peers(struct check *k)
{
	bool any = false;

	for (size_t i = 0; i < k->c->peers.n; i++)
		check_peer(k, &k->c->peers.v[i]);
	check_pairs(k);
	check_caller_ids(k);
	for (size_t i = 0; i < k->c->peers.n; i++)
		any |= k->c->peers.v[i].asn != 0 ||
		       conf_place(k->conf, &k->c->peers.v[i].asn);
	if (k->c->bgp.asn && !any)
		conf_warn(k->conf, &k->c->bgp.asn,
			  "bgp: no peer has an 'asn', so there is no session");
}

/* --- classes -------------------------------------------------------------- */

static bool in_list(const struct config_strings *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->v[i], name) == 0)
			return true;
	return false;
}

static void check_strategy(struct check *k, const struct config_class *cl)
{
	const struct config_strings *main = cl->prefer.n ? &cl->prefer : &cl->share;

	if (conf_place(k->conf, &cl->prefer) && conf_place(k->conf, &cl->share))
		conf_error(
			k->conf, &cl->share,
			"class '%s' says both 'prefer' and 'share': keep one of them",
			cl->name);
	for (size_t i = 0; i < cl->last_resort.n; i++)
		if (in_list(main, cl->last_resort.v[i]))
			conf_error(
				k->conf, &cl->last_resort.v[i],
				"last-resort: '%s' stands in '%s' of class '%s', too: take "
				"it out of one of them",
				cl->last_resort.v[i], cl->prefer.n ? "prefer" : "share",
				cl->name);
	check_names(k, &cl->prefer, "prefer");
	check_names(k, &cl->share, "share");
	check_names(k, &cl->last_resort, "last-resort");
}

/* share splits by `up`: with some of them missing the split is a guess. */
static void check_share(struct check *k, const struct config_class *cl)
{
	const struct config_uplink *without = NULL;
	bool with = false;

	for (size_t i = 0; i < cl->share.n; i++) {
		const struct config_uplink *u = config_uplink(k->c, cl->share.v[i]);

		if (u && u->up_bps)
			with = true;
		else if (u && !conf_place(k->conf, &u->up_bps))
			without = u;
	}
	if (with && without)
		conf_warn(
			k->conf, &cl->share,
			"share: uplink '%s' has no 'up'; it counts as the smallest of the "
			"others",
			without->name);
}

static void check_match(struct check *k, const struct config_match *m)
{
	/* The block itself, or the value of its first member, which has its address. */
	const struct conf_node *n = conf_place(k->conf, m);
	bool bad_protocol = !m->protocol && conf_place(k->conf, &m->protocol);
	bool ports = m->protocol == 6 || m->protocol == 17 || m->protocol == 132;

	if (n && n->kind == CONF_MAPPING && n->n == 0)
		conf_error(k->conf, m,
			   "match: it says nothing, so every packet would fit: write "
			   "protocol, from, to or a port, or take it out");
	if ((m->from_port[0] || m->to_port[0]) && !ports && !bad_protocol)
		conf_error(k->conf, at(k, &m->to_port, at(k, &m->from_port, m)),
			   "a port needs 'protocol: tcp', 'udp' or 'sctp' beside it");
	if (m->from.addr.family && m->to.addr.family &&
	    m->from.addr.family != m->to.addr.family)
		conf_error(
			k->conf, &m->to,
			"to: 'from' and 'to' are of different families, so nothing can fit");
	if (m->protocol == 58 &&
	    (m->from.addr.family == AF_INET || m->to.addr.family == AF_INET))
		conf_error(k->conf, &m->protocol,
			   "protocol: icmpv6 does not go with an IPv4 prefix");
	if (m->protocol == 1 &&
	    (m->from.addr.family == AF_INET6 || m->to.addr.family == AF_INET6))
		conf_error(
			k->conf, &m->protocol,
			"protocol: icmp does not go with an IPv6 prefix (use icmpv6)");
}

static void check_marks(struct check *k, const struct config_class *cl,
			const char *owner[64])
{
	for (size_t i = 0; i < cl->dscp.n; i++) {
		uint64_t mark = cl->dscp.v[i] & 63;

		if (owner[mark])
			conf_error(k->conf, &cl->dscp.v[i],
				   "dscp: this mark belongs to class '%s' already",
				   owner[mark]);
		else
			owner[mark] = cl->name;
	}
}

/* Two that are not set are the same, too. */
static bool same_prefix(const struct prefix *a, const struct prefix *b)
{
	if (!a->addr.family || !b->addr.family)
		return a->addr.family == b->addr.family;
	return prefix_equal(a, b);
}

static bool same_match(const struct config_match *a, const struct config_match *b)
{
	return a->protocol == b->protocol && same_prefix(&a->from, &b->from) &&
	       same_prefix(&a->to, &b->to) &&
	       memcmp(a->from_port, b->from_port, sizeof(a->from_port)) == 0 &&
	       memcmp(a->to_port, b->to_port, sizeof(a->to_port)) == 0;
}

/* The class that has pattern m of class at before it, or NULL. */
static const char *match_taken(const struct config *c, size_t at, size_t m)
{
	const struct config_match *mine = &c->classes.v[at].match.v[m];

	for (size_t i = 0; i <= at; i++) {
		const struct config_class *cl = &c->classes.v[i];
		size_t n = i == at ? m : cl->match.n;

		for (size_t k = 0; k < n; k++)
			if (same_match(&cl->match.v[k], mine))
				return cl->name;
	}
	return NULL;
}

/* The file says it; the first member's place may be that of the whole block. */
static bool given(const struct check *k, const void *member)
{
	const struct conf_node *n = conf_place(k->conf, member);

	return n && n->kind != CONF_MAPPING;
}

/* Some of it could not be read, so that it seems to stand for more than it says. */
static bool half_read(const struct check *k, const struct config_match *m)
{
	return (!m->protocol && given(k, &m->protocol)) ||
	       (!m->from.addr.family && given(k, &m->from)) ||
	       (!m->to.addr.family && given(k, &m->to)) ||
	       (!m->from_port[0] && given(k, &m->from_port)) ||
	       (!m->to_port[0] && given(k, &m->to_port));
}

/* Of two patterns that are the same the second one never gets a packet. */
static void check_doubles(struct check *k, size_t at)
{
	static const struct config_match nothing;
	const struct config_class *cl = &k->c->classes.v[at];

	for (size_t m = 0; m < cl->match.n; m++) {
		const char *other = match_taken(k->c, at, m);

		if (other && !same_match(&cl->match.v[m], &nothing) &&
		    !half_read(k, &cl->match.v[m]))
			conf_error(k->conf, &cl->match.v[m],
				   "match: class '%s' has the same pattern already",
				   other);
	}
}

static void check_classes(struct check *k)
{
	const char *owner[64] = {NULL};

	for (size_t i = 0; i < k->c->classes.n; i++) {
		const struct config_class *cl = &k->c->classes.v[i];
		bool selects = conf_place(k->conf, &cl->dscp) ||
			       conf_place(k->conf, &cl->match);

		if (conf_hollow(k->conf, cl))
			continue;
		check_strategy(k, cl);
		check_share(k, cl);
		check_marks(k, cl, owner);
		for (size_t m = 0; m < cl->match.n; m++)
			check_match(k, &cl->match.v[m]);
		check_doubles(k, i);
		if (strcmp(cl->name, "default") == 0 && selects)
			conf_error(
				k->conf, at(k, &cl->dscp, cl),
				"class 'default' takes what the others leave: it has "
				"neither 'dscp' nor 'match'");
		else if (strcmp(cl->name, "default") != 0 && !selects)
			conf_error(
				k->conf, cl,
				"class '%s' has neither 'dscp' nor 'match': no packet would "
				"ever belong to it%s",
				cl->name,
				conf_near(cl->name, conf_distance(cl->name, "default"))
					? " (the class for the rest is called 'default')"
					: "");
	}
}

/* --- bgp, probe, steering ------------------------------------------------- */

static void check_bgp(struct check *k)
{
	struct config_bgp *b = &k->c->bgp;

	if (reserved_asn(b->asn))
		conf_error(k->conf, &b->asn, "asn: %llu is reserved",
			   (unsigned long long)b->asn);
	if (!b->keepalive_us)
		b->keepalive_us = b->hold_time_us / 3;
	else if (b->keepalive_us * 3 > b->hold_time_us)
		conf_error(k->conf, &b->keepalive_us,
			   "keepalive is more than a third of hold-time");
	for (size_t i = 0; i < b->announce.n; i++)
		if (config_is_lan(&b->announce.v[i]) && !k->c->lan.n &&
		    !conf_place(k->conf, &k->c->lan))
			conf_error(k->conf, &b->announce.v[i],
				   "announce: there is no 'lan' in the file");
}

static void check_probe(struct check *k)
{
	const struct config_probe *p = &k->c->probe;

	if (p->suspect_interval_us > p->interval_us)
		conf_error(
			k->conf, at(k, &p->suspect_interval_us, &p->interval_us),
			"suspect-interval is longer than interval: a doubtful path is "
			"probed faster, not slower");
	if (p->timeout_us > p->window_us)
		conf_error(
			k->conf, at(k, &p->timeout_us, &p->window_us),
			"timeout is longer than window: no loss could ever be counted");
	if (p->down_silent_us > p->down_no_answer_us)
		conf_error(
			k->conf, at(k, &p->down_silent_us, &p->down_no_answer_us),
			"down-silent is longer than down-no-answer: it would never decide");
	if (p->metered_busy_interval_us > p->metered_interval_us)
		conf_error(k->conf,
			   at(k, &p->metered_busy_interval_us, &p->metered_interval_us),
			   "metered-busy-interval is longer than metered-interval");
	if (k->c->steering.hold_us > k->c->steering.hold_max_us)
		conf_error(k->conf,
			   at(k, &k->c->steering.hold_us, &k->c->steering.hold_max_us),
			   "hold is longer than hold-max");
}

/* --- prefixes ------------------------------------------------------------- */

static void own(struct owned_list *list, const struct prefix *prefix, const void *place,
		const char *what, const char *name)
{
	if (!prefix->addr.family)
		return;
	if (list->n == list->cap) {
		list->cap = list->cap ? 2 * list->cap : 64;
		list->v = ed_realloc(list->v, list->cap, sizeof(*list->v));
	}
	list->v[list->n++] = (struct owned){*prefix, place, what, name};
}

static void own_all(struct owned_list *list, const struct config_prefixes *prefixes,
		    const char *what, const char *name)
{
	for (size_t i = 0; i < prefixes->n; i++)
		own(list, &prefixes->v[i], &prefixes->v[i], what, name);
}

static void own_networks(const struct check *k, struct owned_list *list)
{
	for (size_t i = 0; i < k->c->peers.n; i++) {
		const struct config_peer *p = &k->c->peers.v[i];

		if (!conf_hollow(k->conf, p))
			own_all(list, &p->networks, "networks of peer", p->name);
	}
}

/* Shorter first within a family, so that what covers stands before the covered. */
static int by_prefix(const void *a, const void *b)
{
	const struct owned *x = a;
	const struct owned *y = b;
	int d = addr_compare(&x->prefix.addr, &y->prefix.addr);

	if (d)
		return d;
	if (x->prefix.len != y->prefix.len)
		return x->prefix.len < y->prefix.len ? -1 : 1;
	return 0;
}

static void say_whose(const struct owned *o, char *buf, size_t size)
{
	if (o->name[0])
		snprintf(buf, size, "%s '%s'", o->what, o->name);
	else
		snprintf(buf, size, "%s", o->what);
}

/* Which of two equal owners stands later in the file: the one to complain about. */
static bool later(struct check *k, const struct owned *a, const struct owned *b)
{
	const struct conf_node *x = conf_place(k->conf, a->place);
	const struct conf_node *y = conf_place(k->conf, b->place);

	if (!x || !y)
		return false;
	return x->line > y->line || (x->line == y->line && x->column > y->column);
}

static bool same_owner(const struct owned *a, const struct owned *b)
{
	return strcmp(a->what, b->what) == 0 && strcmp(a->name, b->name) == 0;
}

static void overlap(struct check *k, const struct owned *outer,
		    const struct owned *inner)
{
	char a[PREFIX_STRLEN];
	char b[PREFIX_STRLEN];
	char whose[160];
	bool same = prefix_equal(&outer->prefix, &inner->prefix);

	prefix_format(&inner->prefix, a);
	prefix_format(&outer->prefix, b);
	if (same && later(k, outer, inner)) {
		const struct owned *swap = outer;

		outer = inner;
		inner = swap;
	}
	say_whose(outer, whose, sizeof(whose));
	if (same_owner(outer, inner))
		conf_error(k->conf, inner->place, "%s lies within %s of the same list",
			   a, b);
	else if (same)
		conf_error(k->conf, inner->place, "%s is in %s already", a, whose);
	else if (strcmp(outer->what, "lan") != 0 && strcmp(inner->what, "lan") != 0)
		conf_warn(k->conf, inner->place,
			  "%s overlaps with %s in %s: the longer prefix wins", a, b,
			  whose);
}

/*
 * lan and networks: the same prefix twice is refused, one list twice over is
 * refused, one peer's within another's is worth a warning. After sorting what
 * covers a prefix stands before it; covers are followed through a stack.
 */
static void check_networks(struct check *k)
{
	struct owned_list list = {0};
	struct owned **stack;
	size_t depth = 0;

	own_all(&list, &k->c->lan, "lan", "");
	own_networks(k, &list);
	if (list.n == 0)
		return;
	qsort(list.v, list.n, sizeof(*list.v), by_prefix);
	stack = ed_array(list.n, sizeof(struct owned *));
	for (size_t i = 0; i < list.n; i++) {
		struct owned *o = &list.v[i];

		while (depth && !prefix_covers(&stack[depth - 1]->prefix, &o->prefix))
			depth--;
		/* The nearest cover only, but for covers of the same list. */
		if (depth && stack[depth - 1]->prefix.len)
			overlap(k, stack[depth - 1], o);
		for (size_t d = depth; d-- > 1;)
			if (same_owner(stack[d - 1], o) && stack[d - 1]->prefix.len)
				overlap(k, stack[d - 1], o);
		stack[depth++] = o;
	}
	free(stack);
	free(list.v);
}

/* All that must lie outside of every network: inside ranges and addresses. */
static void check_apart(struct check *k, const struct owned_list *networks,
			const struct owned *o)
{
	char a[PREFIX_STRLEN];
	char b[PREFIX_STRLEN];
	char mine[160];
	char whose[160];

	for (size_t i = 0; i < networks->n; i++) {
		const struct owned *n = &networks->v[i];

		/* A default route is everywhere, and says nothing about anybody. */
		if (n->prefix.len == 0 || !prefix_overlaps(&n->prefix, &o->prefix))
			continue;
		say_whose(n, whose, sizeof(whose));
		say_whose(o, mine, sizeof(mine));
		conf_error(k->conf, o->place, "%s (%s) overlaps with %s (%s)",
			   prefix_format(&o->prefix, a), mine,
			   prefix_format(&n->prefix, b), whose);
		return;
	}
}

static struct prefix host(const struct addr *a)
{
	return prefix_of(a, addr_bits(a->family));
}

/* Addresses in tunnels: within each other, and against all networks. */
static void check_insides(struct check *k, const struct owned_list *networks)
{
	struct owned_list list = {0};

	own_all(&list, &k->c->inside, "inside", "");
	for (size_t i = 0; i < k->c->peers.n; i++) {
		const struct config_peer *p = &k->c->peers.v[i];

		for (size_t t = 0; t < p->tunnels.n; t++) {
			const struct config_endpoint *e = &p->tunnels.v[t];

			for (size_t m = 0; m < e->inside.n; m++) {
				const struct prefix *in = &e->inside.v[m];
				struct prefix net = prefix_of(&in->addr, in->len);

				own(&list, &net, in, "inside of peer", p->name);
			}
		}
	}
	if (k->c->inside.n == 2 &&
	    k->c->inside.v[0].addr.family == k->c->inside.v[1].addr.family)
		conf_error(
			k->conf, &k->c->inside.v[1],
			"inside: two ranges of one family; one of each of IPv4 and IPv6 is "
			"possible");
	for (size_t i = 0; i < list.n; i++) {
		check_apart(k, networks, &list.v[i]);
		if (list.n > 1 && i > 0) {
			struct owned_list before = {.v = list.v, .n = i};

			check_apart(k, &before, &list.v[i]);
		}
	}
	free(list.v);
}

/* A network behind this box that is everything would leave nothing to route. */
static void check_lan(struct check *k)
{
	for (size_t i = 0; i < k->c->lan.n; i++)
		if (k->c->lan.v[i].len == 0)
			conf_error(k->conf, &k->c->lan.v[i],
				   "lan: this is every address there is: write the "
				   "networks behind this box");
}

/* The range must hold a pair for each caller, and be a range at all. */
static void check_range(struct check *k)
{
	size_t callers = 0;

	for (size_t i = 0; i < k->c->peers.n; i++)
		callers += config_calls_us(&k->c->peers.v[i]);
	for (size_t i = 0; i < k->c->inside.n; i++) {
		const struct prefix *p = &k->c->inside.v[i];
		int bits = addr_bits(p->addr.family) - p->len;

		if (bits < 1)
			conf_error(k->conf, p, "inside: a single address is no range");
		else if (bits < 40 && (1ull << (bits - 1)) < callers)
			conf_error(
				k->conf, p,
				"inside: the range holds %llu pairs of addresses, and %zu "
				"peers call us",
				1ull << (bits - 1), callers);
	}
}

static void check_not_ours(struct check *k, const void *place, const struct addr *peer)
{
	for (size_t i = 0; i < k->c->uplinks.n; i++) {
		const struct config_uplink *u = &k->c->uplinks.v[i];

		for (size_t m = 0; m < u->address.n; m++)
			if (addr_equal(&u->address.v[m], peer))
				conf_error(k->conf, place,
					   "address: this is our own address, that of "
					   "uplink '%s'",
					   u->name);
	}
}

static void check_outer(struct check *k, const struct owned_list *networks)
{
	const struct config *c = k->c;
	struct owned_list lan = {0};

	own_all(&lan, &c->lan, "lan", "");
	own_all(&lan, &c->inside, "inside", "");
	for (size_t i = 0; i < c->uplinks.n; i++) {
		const struct config_uplink *u = &c->uplinks.v[i];

		for (size_t m = 0; m < u->address.n; m++) {
			struct owned o = {host(&u->address.v[m]), &u->address.v[m],
					  "address of uplink", u->name};

			check_apart(k, networks, &o);
		}
	}
	for (size_t i = 0; i < c->peers.n; i++) {
		const struct config_peer *p = &c->peers.v[i];

		for (size_t t = 0; t < p->tunnels.n; t++) {
			const struct config_strings *list = &p->tunnels.v[t].address;

			for (size_t m = 0; m < list->n; m++) {
				struct owned o = {.place = &list->v[m],
						  .what = "address of peer",
						  .name = p->name};
				struct addr a;

				if (addr_parse(list->v[m], &a) < 0)
					continue;
				o.prefix = host(&a);
				check_apart(k, &lan, &o);
				check_not_ours(k, &list->v[m], &a);
			}
		}
	}
	free(lan.v);
}

static void check_prefixes(struct check *k)
{
	struct owned_list networks = {0};

	check_lan(k);
	check_networks(k);
	own_all(&networks, &k->c->lan, "lan", "");
	own_networks(k, &networks);
	check_insides(k, &networks);
	check_outer(k, &networks);
	check_range(k);
	free(networks.v);
}

/* --- secrets -------------------------------------------------------------- */

static bool has_secret(const struct config *c, const struct config_peer *p,
		       size_t tunnel)
{
	const struct config_endpoint *e = p->tunnels.n ? &p->tunnels.v[tunnel] : NULL;

	if (config_secret(c, p->name, e ? e->name : "", ""))
		return true;
	/* Each of its tunnels may have one of its own. */
	for (size_t i = 0; e && i < e->via.n; i++)
		if (!config_secret(c, p->name, e->name, e->via.v[i]))
			return false;
	return e && e->via.n;
}

static void check_secrets(struct check *k, enum secrets_state state, const char *path)
{
	for (size_t i = 0; i < k->c->peers.n; i++) {
		const struct config_peer *p = &k->c->peers.v[i];
		size_t n = p->tunnels.n ? p->tunnels.n : 1;

		if (conf_hollow(k->conf, p))
			continue;
		if (state == SECRETS_ABSENT) {
			conf_error(
				k->conf, p,
				"peer '%s' has no secret, and there is no %s: create it with "
				"a line '%s: \"...\"', then chmod 600 %s",
				p->name, path, p->name, path);
			return;
		}
		for (size_t t = 0; state == SECRETS_READ && t < n; t++) {
			const char *e = p->tunnels.n ? p->tunnels.v[t].name : "";

			if (!has_secret(k->c, p, t))
				conf_error(
					k->conf,
					e[0] ? (const void *)&p->tunnels.v[t]
					     : (const void *)p,
					"%s '%s%s%s' has no secret: add a line '%s%s%s: "
					"\"...\"' to %s",
					e[0] ? "tunnel" : "peer", p->name,
					e[0] ? "/" : "", e, p->name, e[0] ? "/" : "", e,
					path);
		}
	}
}

void config_check_web(struct conf *conf, const struct config_web *w)
{
	if (w->certificate && !w->key)
		conf_error(conf, &w->certificate,
			   "certificate needs its private key: add 'key: PATH'");
	if (w->key && !w->certificate)
		conf_error(conf, &w->key,
			   "key needs its certificate: add 'certificate: PATH'");
}

void config_check(struct conf *conf, struct config *c, enum secrets_state secrets,
		  const char *secrets_path)
{
	struct check k = {.conf = conf, .c = c, .callers_known = true};

	for (size_t i = 0; i < c->peers.n; i++) {
		if (!config_calls_us(&c->peers.v[i]))
			continue;
		k.callers = true;
		k.callers_known &= c->peers.v[i].uplinks.n > 0;
	}
	check_uplinks(&k);
	check_peers(&k);
	check_classes(&k);
	check_bgp(&k);
	check_probe(&k);
	check_prefixes(&k);
	check_secrets(&k, secrets, secrets_path);
	config_check_web(conf, &c->web);
}
