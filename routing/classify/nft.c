/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/classify/nft.h"

#include <assert.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/alloc.h"
#include "routing/owned.h"

enum {
	PRIO_MANGLE = -150,
	PRIO_BEFORE_FILTER = -10,
	TCP_OVERHEAD4 = 40,
	TCP_OVERHEAD6 = 60,
	CHAIN_NAME_MAX = 32,
};

/* Ports of ours beside the caller's: BGP; FRR's consoles. */
static const uint16_t own_tcp[] = {179, RT_STAMP_PORT};
#define FRR_CONSOLE_FIRST 2600
#define FRR_CONSOLE_LAST 2625
/* STAMP; BFD (RFC 5881, RFC 5883, echo). */
static const uint16_t own_udp[] = {RT_STAMP_PORT, 3784, 3785, 4784};

/* json_pack() of a constant format only fails without memory. */
static json_t *must(json_t *js)
{
	assert(js);
	return js;
}

#define PACK(...) must(json_pack(__VA_ARGS__))

/* --- expressions: each returns a new reference ---------------------------------- */

static json_t *meta(const char *key)
{
	return PACK("{s:{s:s}}", "meta", "key", key);
}

static json_t *ct(const char *key)
{
	return PACK("{s:{s:s}}", "ct", "key", key);
}

static json_t *field(const char *protocol, const char *name)
{
	return PACK("{s:{s:s,s:s}}", "payload", "protocol", protocol, "field", name);
}

static json_t *masked(json_t *left, uint32_t mask)
{
	return PACK("{s:[o,I]}", "&", left, (json_int_t)mask);
}

static json_t *match(const char *op, json_t *left, json_t *right)
{
	return PACK("{s:{s:s,s:o,s:o}}", "match", "op", op, "left", left, "right",
		    right);
}

static json_t *is(json_t *left, const char *right)
{
	return match("==", left, json_string(right));
}

static json_t *verdict(const char *name)
{
	return PACK("{s:n}", name);
}

static json_t *go(const char *how, const char *chain)
{
	return PACK("{s:{s:s}}", how, "target", chain);
}

static json_t *counted(void)
{
	return PACK("{s:n}", "counter");
}

/* key = key & ~mask | value */
static json_t *set_mark(json_t *key, json_t *again, uint32_t mask, uint32_t value)
{
	json_t *v = PACK("{s:[o,I]}", "|", masked(again, ~mask), (json_int_t)value);

	return PACK("{s:{s:o,s:o}}", "mangle", "key", key, "value", v);
}

static json_t *prefix_value(const struct prefix *p)
{
	char buf[ADDR_STRLEN];

	return PACK("{s:{s:s,s:i}}", "prefix", "addr", addr_format(&p->addr, buf),
		    "len", p->len);
}

static json_t *address_is(const char *which, const struct prefix *p)
{
	return match("==", field(p->addr.family == AF_INET ? "ip" : "ip6", which),
		     prefix_value(p));
}

static json_t *set_of_ports(const uint16_t *a, size_t n, const uint16_t *b, size_t m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_integer(a[i]));
	for (size_t i = 0; i < m; i++)
		json_array_append_new(list, json_integer(b[i]));
	return PACK("{s:o}", "set", list);
}

/* --- batch ------------------------------------------------------------------------ */

struct batch {
	json_t *list;
};

static void add(struct batch *b, const char *what, json_t *object)
{
	json_array_append_new(b->list, PACK("{s:{s:o}}", "add", what, object));
}

/* A rule of the expressions in exprs, whose reference is taken. */
static void rule(struct batch *b, const char *chain, json_t *exprs)
{
	add(b, "rule",
	    PACK("{s:s,s:s,s:s,s:o}", "family", "inet", "table", RT_NFT_TABLE, "chain",
		 chain, "expr", exprs));
}

static void chain(struct batch *b, const char *name)
{
	add(b, "chain",
	    PACK("{s:s,s:s,s:s}", "family", "inet", "table", RT_NFT_TABLE, "name",
		 name));
}

static void base_chain(struct batch *b, const char *name, const char *type,
		       const char *hook, int prio)
{
	add(b, "chain",
	    PACK("{s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "family", "inet", "table",
		 RT_NFT_TABLE, "name", name, "type", type, "hook", hook, "prio", prio,
		 "policy", "accept"));
}

static void set(struct batch *b, const char *name, const char *type, bool interval,
		json_t *elems)
{
	json_t *o = PACK("{s:s,s:s,s:s,s:s}", "family", "inet", "table", RT_NFT_TABLE,
			 "name", name, "type", type);

	if (interval)
		json_object_set_new(o, "flags", PACK("[s]", "interval"));
	if (json_array_size(elems))
		json_object_set_new(o, "elem", elems);
	else
		json_decref(elems);
	add(b, "set", o);
}

/* Chains are numbered: no name of the configuration gets into the table. */
static const char *numbered(const char *kind, uint32_t n, char *buf)
{
	snprintf(buf, CHAIN_NAME_MAX, "%s%u", kind, n);
	return buf;
}

/* --- sets -------------------------------------------------------------------------- */

/* True when another guarded prefix covers the i-th: sets take no overlaps. */
static bool guard_covered(const struct rt_nft_spec *s, size_t i, bool whole)
{
	const struct prefix *p = &s->guard[i];

	for (size_t k = 0; k < s->n_guard; k++) {
		const struct prefix *q = &s->guard[k];

		if (k == i || (!q->len && !whole) || !prefix_covers(q, p))
			continue;
		if (!prefix_equal(p, q) || k < i)
			return true;
	}
	return false;
}

/* Guarded prefixes of a family; whole says whether the default belongs in. */
static json_t *guard_elems(const struct rt_nft_spec *s, uint8_t family, bool whole)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_guard; i++) {
		if (s->guard[i].addr.family == family && (s->guard[i].len || whole) &&
		    !guard_covered(s, i, whole))
			json_array_append_new(list, prefix_value(&s->guard[i]));
	}
	return list;
}

static void add_sets(struct batch *b, const struct rt_nft_spec *s)
{
	json_t *uplinks = json_array();
	json_t *tunnels = json_array();
	char name[CHAIN_NAME_MAX];

	for (size_t i = 0; i < s->n_uplinks; i++)
		json_array_append_new(uplinks, json_string(s->uplinks[i].ifname));
	/* RT_IFNAME_FORMAT: the prefix, then a digit. */
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), RT_IFNAME_PREFIX "%d*", i);
		json_array_append_new(tunnels, json_string(name));
	}
	set(b, "uplinks", "ifname", false, uplinks);
	set(b, "tunnels", "ifname", true, tunnels);
	set(b, "guard4", "ipv4_addr", true, guard_elems(s, AF_INET, true));
	set(b, "guard6", "ipv6_addr", true, guard_elems(s, AF_INET6, true));
	set(b, "own4", "ipv4_addr", true, guard_elems(s, AF_INET, false));
	set(b, "own6", "ipv6_addr", true, guard_elems(s, AF_INET6, false));
}

/* --- classes ------------------------------------------------------------------------ */

/* The mark of the connection leads to the chain of its class or uplink. */
static json_t *by_connection(uint32_t mask, json_t *pairs)
{
	return PACK("{s:{s:o,s:{s:o}}}", "vmap", "key", masked(ct("mark"), mask),
		    "data", "set", pairs);
}

static json_t *pair(uint32_t mark, const char *target)
{
	return PACK("[I,o]", (json_int_t)mark, go("goto", target));
}

static void add_class_chain(struct batch *b, uint32_t index)
{
	char name[CHAIN_NAME_MAX];
	uint32_t mark = rt_class_mark(index);

	chain(b, numbered("class", index, name));
	rule(b, name,
	     PACK("[o]",
		  set_mark(meta("mark"), meta("mark"), RT_MARK_CLASS_MASK, mark)));
	rule(b, name,
	     PACK("[o]", set_mark(ct("mark"), ct("mark"), RT_MARK_CLASS_MASK, mark)));
}

static void add_dscp(struct batch *b, const struct rt_nft_class *c, const char *target)
{
	static const char *const protocols[] = {"ip", "ip6"};

	for (size_t p = 0; p < ARRAY_LEN(protocols) && c->dscp; p++) {
		json_t *codes = json_array();

		for (int i = 0; i < 64; i++) {
			if (c->dscp >> i & 1)
				json_array_append_new(codes, json_integer(i));
		}
		rule(b, "classify",
		     PACK("[o,o]",
			  match("==", field(protocols[p], "dscp"),
				PACK("{s:o}", "set", codes)),
			  go("goto", target)));
	}
}

static void add_port(json_t *exprs, const struct rt_flow *f, const char *which,
		     const uint16_t port[2])
{
	if (!port[0] && !port[1])
		return;
	json_array_append_new(
		exprs,
		match("==", field(f->protocol == IPPROTO_TCP ? "tcp" : "udp", which),
		      port[0] == port[1]
			      ? json_integer(port[0])
			      : PACK("{s:[i,i]}", "range", port[0], port[1])));
}

static void add_flow(struct batch *b, const struct rt_flow *f, const char *target)
{
	json_t *exprs = json_array();

	if (f->protocol)
		json_array_append_new(exprs, match("==", meta("l4proto"),
						   json_integer(f->protocol)));
	if (f->from.addr.family)
		json_array_append_new(exprs, address_is("saddr", &f->from));
	if (f->to.addr.family)
		json_array_append_new(exprs, address_is("daddr", &f->to));
	if (f->protocol == IPPROTO_TCP || f->protocol == IPPROTO_UDP) {
		add_port(exprs, f, "sport", f->from_port);
		add_port(exprs, f, "dport", f->to_port);
	}
	json_array_append_new(exprs, go("goto", target));
	rule(b, "classify", exprs);
}

static void add_classes(struct batch *b, const struct rt_nft_spec *s)
{
	json_t *known = json_array();
	char name[CHAIN_NAME_MAX];

	chain(b, "classify");
	for (size_t i = 0; i < s->n_classes; i++) {
		uint32_t index = s->classes[i].index;

		add_class_chain(b, index);
		json_array_append_new(known, pair(rt_class_mark(index),
						  numbered("class", index, name)));
	}
	if (json_array_size(known))
		rule(b, "classify",
		     PACK("[o]", by_connection(RT_MARK_CLASS_MASK, known)));
	else
		json_decref(known);
	for (size_t i = 0; i < s->n_classes; i++) {
		const struct rt_nft_class *c = &s->classes[i];

		numbered("class", c->index, name);
		add_dscp(b, c, name);
		for (size_t f = 0; f < c->n_flows; f++)
			add_flow(b, &c->flows[f], name);
	}
	if (s->default_class >= 0)
		rule(b, "classify",
		     PACK("[o]",
			  go("goto",
			     numbered("class", (uint32_t)s->default_class, name))));
}

/* --- uplinks --------------------------------------------------------------------------- */

static json_t *from_uplink(void)
{
	return is(meta("iifname"), "@uplinks");
}

static json_t *to_uplink(void)
{
	return is(meta("oifname"), "@uplinks");
}

static json_t *to_guarded(const char *protocol, const char *set_name)
{
	return is(field(protocol, "daddr"), set_name);
}

static json_t *state_is(const char *state)
{
	return match("in", ct("state"), json_string(state));
}

static void add_prerouting(struct batch *b, const struct rt_nft_spec *s)
{
	json_t *returns = json_array();
	char name[CHAIN_NAME_MAX];

	for (size_t i = 0; i < s->n_uplinks; i++) {
		uint32_t slot = s->uplinks[i].slot;

		chain(b, numbered("uplink", slot, name));
		rule(b, name,
		     PACK("[o]", set_mark(meta("mark"), meta("mark"),
					  RT_MARK_UPLINK_MASK, rt_uplink_mark(slot))));
		json_array_append_new(returns, pair(rt_uplink_mark(slot), name));
	}
	base_chain(b, "prerouting", "filter", "prerouting", PRIO_MANGLE);
	for (size_t i = 0; i < s->n_uplinks; i++)
		rule(b, "prerouting",
		     PACK("[o,o,o]", is(meta("iifname"), s->uplinks[i].ifname),
			  state_is("new"),
			  set_mark(ct("mark"), ct("mark"), RT_MARK_UPLINK_MASK,
				   rt_uplink_mark(s->uplinks[i].slot))));
	rule(b, "prerouting", PACK("[o,o]", from_uplink(), verdict("return")));
	if (json_array_size(returns))
		rule(b, "prerouting",
		     PACK("[o,o]", is(ct("direction"), "reply"),
			  by_connection(RT_MARK_UPLINK_MASK, returns)));
	else
		json_decref(returns);
	rule(b, "prerouting", PACK("[o]", go("jump", "classify")));
}

static json_t *is_outer(void)
{
	return match("!=", masked(meta("mark"), RT_MARK_UPLINK_MASK), json_integer(0));
}

static void add_output(struct batch *b)
{
	base_chain(b, "output", "route", "output", PRIO_MANGLE);
	rule(b, "output", PACK("[o,o]", is_outer(), verdict("return")));
	rule(b, "output", PACK("[o]", go("jump", "classify")));
}

static json_t *is_syn(void)
{
	return match("==",
		     PACK("{s:[o,[s,s]]}", "&", field("tcp", "flags"), "syn", "rst"),
		     json_string("syn"));
}

static json_t *set_mss(json_t *value)
{
	return PACK("{s:{s:{s:{s:s,s:s}},s:o}}", "mangle", "key", "tcp option", "name",
		    "maxseg", "field", "size", "value", value);
}

static void add_mss(struct batch *b, const struct rt_nft_spec *s)
{
	base_chain(b, "mss", "filter", "forward", PRIO_MANGLE);
	rule(b, "mss",
	     PACK("[o,o,o]", is(meta("oifname"), "@tunnels"), is_syn(),
		  set_mss(PACK("{s:{s:s}}", "rt", "key", "mtu"))));
	if (s->tunnel_mtu <= TCP_OVERHEAD6)
		return;
	/* What a peer that clamps nothing answers; the kernel never raises it. */
	rule(b, "mss",
	     PACK("[o,o,o,o]", is(meta("iifname"), "@tunnels"),
		  is(meta("nfproto"), "ipv4"), is_syn(),
		  set_mss(json_integer(s->tunnel_mtu - TCP_OVERHEAD4))));
	rule(b, "mss",
	     PACK("[o,o,o,o]", is(meta("iifname"), "@tunnels"),
		  is(meta("nfproto"), "ipv6"), is_syn(),
		  set_mss(json_integer(s->tunnel_mtu - TCP_OVERHEAD6))));
}

static void add_input(struct batch *b, const struct rt_nft_spec *s)
{
	base_chain(b, "input", "filter", "input", PRIO_BEFORE_FILTER);
	rule(b, "input",
	     PACK("[o,o]", match("!=", meta("iifname"), json_string("@uplinks")),
		  verdict("return")));
	rule(b, "input", PACK("[o,o]", state_is("established"), verdict("return")));
	rule(b, "input",
	     PACK("[o,o,o]",
		  match("==", field("tcp", "dport"),
			set_of_ports(own_tcp, ARRAY_LEN(own_tcp), s->tcp_ports,
				     s->n_tcp_ports)),
		  counted(), verdict("drop")));
	rule(b, "input",
	     PACK("[o,o,o]",
		  match("==", field("tcp", "dport"),
			PACK("{s:[i,i]}", "range", FRR_CONSOLE_FIRST,
			     FRR_CONSOLE_LAST)),
		  counted(), verdict("drop")));
	rule(b, "input",
	     PACK("[o,o,o]",
		  match("==", field("udp", "dport"),
			set_of_ports(own_udp, ARRAY_LEN(own_udp), NULL, 0)),
		  counted(), verdict("drop")));
}

static void drop_guarded(struct batch *b, const char *where, const char *set4,
			 const char *set6)
{
	rule(b, where,
	     PACK("[o,o,o,o]", to_uplink(), to_guarded("ip", set4), counted(),
		  verdict("drop")));
	rule(b, where,
	     PACK("[o,o,o,o]", to_uplink(), to_guarded("ip6", set6), counted(),
		  verdict("drop")));
}

static void pass_dhcp(struct batch *b, uint16_t client, uint16_t server)
{
	rule(b, "guard-own",
	     PACK("[o,o,o]", match("==", field("udp", "sport"), json_integer(client)),
		  match("==", field("udp", "dport"), json_integer(server)),
		  verdict("return")));
}

static void add_guards(struct batch *b, const struct rt_nft_spec *s)
{
	base_chain(b, "guard", "filter", "forward", PRIO_BEFORE_FILTER);
	drop_guarded(b, "guard", "@guard4", "@guard6");

	base_chain(b, "guard-own", "filter", "output", PRIO_BEFORE_FILTER);
	rule(b, "guard-own", PACK("[o,o]", is_outer(), verdict("return")));
	pass_dhcp(b, 68, 67);
	pass_dhcp(b, 546, 547);
	for (size_t i = 0; i < s->n_uplinks; i++) {
		const struct rt_nft_uplink *u = &s->uplinks[i];

		for (size_t k = 0; k < u->n_connected; k++)
			rule(b, "guard-own",
			     PACK("[o,o,o]", is(meta("oifname"), u->ifname),
				  address_is("daddr", &u->connected[k]),
				  verdict("return")));
	}
	drop_guarded(b, "guard-own", "@own4", "@own6");
}

/* --- whole ------------------------------------------------------------------------------ */

static json_t *table(void)
{
	return PACK("{s:{s:s,s:s}}", "table", "family", "inet", "name", RT_NFT_TABLE);
}

/* Adding first makes the deletion valid where there was no table. */
static json_t *start_anew(void)
{
	return PACK("[{s:o},{s:o}]", "add", table(), "delete", table());
}

struct json_t *rt_nft_table(const struct rt_nft_spec *s)
{
	struct batch b = {.list = start_anew()};

	json_array_append_new(b.list, PACK("{s:o}", "add", table()));
	add_sets(&b, s);
	add_classes(&b, s);
	add_prerouting(&b, s);
	add_output(&b);
	add_mss(&b, s);
	add_input(&b, s);
	add_guards(&b, s);
	return PACK("{s:o}", "nftables", b.list);
}

struct json_t *rt_nft_remove(void)
{
	return PACK("{s:o}", "nftables", start_anew());
}
