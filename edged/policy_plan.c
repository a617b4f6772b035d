/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/policy_plan.h"

#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/text.h"
#include "routing/owned.h"

enum { METRIC_UPLINK = 100 };

static const uint8_t families[] = {AF_INET, AF_INET6};

void policy_state_fini(struct policy_state *s)
{
	free(s->rules);
	free(s->routes);
	*s = (struct policy_state){0};
}

/* Arrays grow to powers of two: full when their number is one. */
static void *grow(void *v, size_t n, size_t size)
{
	if (n && (n & (n - 1)))
		return v;
	return ed_realloc(v, n ? n * 2 : 1, size);
}

void policy_state_add_rule(struct policy_state *s, const struct policy_rule *r)
{
	s->rules = grow(s->rules, s->n_rules, sizeof(*r));
	s->rules[s->n_rules++] = *r;
}

void policy_state_add_route(struct policy_state *s, const struct policy_route *r)
{
	s->routes = grow(s->routes, s->n_routes, sizeof(*r));
	s->routes[s->n_routes++] = *r;
}

/* --- order ------------------------------------------------------------------ */

static int by_number(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int c = addr_compare(&a->addr, &b->addr);

	return c ? c : by_number(a->len, b->len);
}

static int rule_compare(const void *x, const void *y)
{
	const struct policy_rule *a = x;
	const struct policy_rule *b = y;
	int c = by_number(a->priority, b->priority);

	if (!c)
		c = by_number(a->family, b->family);
	if (!c)
		c = by_number(a->mark, b->mark);
	if (!c)
		c = by_number(a->mask, b->mask);
	if (!c)
		c = prefix_compare(&a->from, &b->from);
	if (!c)
		c = prefix_compare(&a->to, &b->to);
	return c ? c : by_number(a->table, b->table);
}

/* What the kernel tells routes apart by; the rest can be replaced in place. */
static int route_key_compare(const void *x, const void *y)
{
	const struct policy_route *a = x;
	const struct policy_route *b = y;
	int c = by_number(a->table, b->table);

	if (!c)
		c = by_number(a->family, b->family);
	if (!c)
		c = prefix_compare(&a->dst, &b->dst);
	return c ? c : by_number(a->metric, b->metric);
}

static int hop_compare(const void *x, const void *y)
{
	const struct policy_hop *a = x;
	const struct policy_hop *b = y;
	int c = by_number((uint64_t)a->ifindex, (uint64_t)b->ifindex);

	if (!c)
		c = addr_compare(&a->gateway, &b->gateway);
	return c ? c : by_number(a->weight, b->weight);
}

static bool route_same(const struct policy_route *a, const struct policy_route *b)
{
	if (a->type != b->type || a->n_hops != b->n_hops ||
	    !addr_equal(&a->source, &b->source))
		return false;
	for (size_t i = 0; i < a->n_hops; i++) {
		if (hop_compare(&a->hops[i], &b->hops[i]))
			return false;
	}
	return true;
}

/* A lone next hop has no weight. */
static void route_canonical(struct policy_route *r)
{
	qsort(r->hops, r->n_hops, sizeof(r->hops[0]), hop_compare);
	if (r->n_hops == 1)
		r->hops[0].weight = 1;
}

/* Two peers may have the same network: it goes over the tunnels of both. */
static void route_merge(struct policy_route *to, const struct policy_route *from)
{
	if (to->type != RTN_UNICAST || from->type != RTN_UNICAST)
		return;
	for (size_t i = 0; i < from->n_hops && to->n_hops < POLICY_HOPS_MAX; i++) {
		bool known = false;

		for (size_t k = 0; k < to->n_hops; k++)
			known = known || !hop_compare(&to->hops[k], &from->hops[i]);
		if (!known)
			to->hops[to->n_hops++] = from->hops[i];
	}
	route_canonical(to);
}

void policy_state_sort(struct policy_state *s)
{
	size_t n = 0;

	if (s->n_rules)
		qsort(s->rules, s->n_rules, sizeof(*s->rules), rule_compare);
	for (size_t i = 0; i < s->n_rules; i++) {
		if (!n || rule_compare(&s->rules[n - 1], &s->rules[i]))
			s->rules[n++] = s->rules[i];
	}
	s->n_rules = n;

	for (size_t i = 0; i < s->n_routes; i++)
		route_canonical(&s->routes[i]);
	if (s->n_routes)
		qsort(s->routes, s->n_routes, sizeof(*s->routes), route_key_compare);
	n = 0;
	for (size_t i = 0; i < s->n_routes; i++) {
		if (!n || route_key_compare(&s->routes[n - 1], &s->routes[i]))
			s->routes[n++] = s->routes[i];
		else
			route_merge(&s->routes[n - 1], &s->routes[i]);
	}
	s->n_routes = n;
}

/* --- plan ------------------------------------------------------------------- */

static struct prefix host_prefix(const struct addr *a)
{
	return (struct prefix){.addr = *a, .len = addr_bits(a->family)};
}

static struct prefix any_prefix(uint8_t family)
{
	return (struct prefix){.addr = {.family = family}};
}

static void add_blocked(struct policy_state *s, uint8_t type, uint32_t table,
			const struct prefix *dst, uint32_t metric)
{
	struct policy_route r = {.family = dst->addr.family,
				 .type = type,
				 .table = table,
				 .dst = *dst,
				 .metric = metric};

	policy_state_add_route(s, &r);
}

/* p itself, or its two halves when it is a default route; returns their number. */
static size_t halves(const struct prefix *p, struct prefix out[2])
{
	out[0] = *p;
	if (p->len)
		return 1;
	out[0].len = 1;
	out[1] = out[0];
	out[1].addr.b[0] = 0x80;
	return 2;
}

static void plan_uplink_default(struct policy_state *s, const struct policy_uplink *u,
				uint8_t family)
{
	const struct addr *gateway = family == AF_INET ? &u->gateway : &u->gateway6;
	bool device = family == AF_INET ? u->device_route : u->device_route6;
	uint32_t table = rt_uplink_table(u->slot);
	struct prefix all = any_prefix(family);
	struct policy_route r = {.family = family,
				 .type = RTN_UNICAST,
				 .table = table,
				 .dst = all,
				 .metric = METRIC_UPLINK,
				 .n_hops = 1};

	add_blocked(s, RTN_UNREACHABLE, table, &all, RT_METRIC_GUARD);
	if (!u->ifindex || (gateway->family != family && !device))
		return;
	r.hops[0] = (struct policy_hop){.ifindex = u->ifindex, .weight = 1};
	if (gateway->family == family)
		r.hops[0].gateway = *gateway;
	policy_state_add_route(s, &r);
}

static void plan_uplink_addr(struct policy_state *s, const struct policy_uplink *u,
			     const struct policy_uplink_addr *a)
{
	uint8_t family = a->addr.family;
	struct prefix self = host_prefix(&a->addr);
	struct policy_route connected = {.family = family,
					 .type = RTN_UNICAST,
					 .table = rt_uplink_table(u->slot),
					 .dst = prefix_of(&a->addr, a->len),
					 .metric = METRIC_UPLINK,
					 .n_hops = 1};
	struct policy_rule from = {.priority = RT_RULE_UPLINK_FROM,
				   .family = family,
				   .from = self,
				   .table = rt_uplink_table(u->slot)};

	connected.hops[0] = (struct policy_hop){.ifindex = u->ifindex, .weight = 1};
	if (u->ifindex && a->len < addr_bits(family))
		policy_state_add_route(s, &connected);
	if (!addr_is_link_local(&a->addr))
		policy_state_add_rule(s, &from);
}

/* Answers from an uplink's address to a host inside go through main. */
static void plan_inside_rules(const struct policy_want *w, struct policy_state *s,
			      const struct policy_uplink_addr *a)
{
	const struct prefix *lists[] = {w->guard, w->local};
	const size_t counts[] = {w->n_guard, w->n_local};
	struct policy_rule r = {.priority = RT_RULE_INSIDE,
				.family = a->addr.family,
				.from = host_prefix(&a->addr),
				.table = RT_TABLE_MAIN};

	if (addr_is_link_local(&a->addr))
		return;
	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		for (size_t i = 0; i < counts[l]; i++) {
			r.to = lists[l][i];
			if (r.to.len && r.to.addr.family == r.family)
				policy_state_add_rule(s, &r);
		}
	}
}

static void plan_uplink(const struct policy_want *w, struct policy_state *s,
			const struct policy_uplink *u)
{
	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		struct policy_rule r = {.priority = RT_RULE_UPLINK_MARK,
					.family = families[f],
					.mark = rt_uplink_mark(u->slot),
					.mask = RT_MARK_UPLINK_MASK,
					.table = rt_uplink_table(u->slot)};

		policy_state_add_rule(s, &r);
		plan_uplink_default(s, u, families[f]);
	}
	for (size_t i = 0; i < u->n_addrs; i++) {
		plan_uplink_addr(s, u, &u->addrs[i]);
		plan_inside_rules(w, s, &u->addrs[i]);
	}
}

static void plan_class(const struct policy_want *w, struct policy_state *s,
		       uint32_t index)
{
	uint32_t table = rt_class_table(index);

	for (size_t f = 0; f < ARRAY_LEN(families); f++) {
		struct policy_rule r = {.priority = RT_RULE_CLASS,
					.family = families[f],
					.mark = rt_class_mark(index),
					.mask = RT_MARK_CLASS_MASK,
					.table = table};

		policy_state_add_rule(s, &r);
	}
	for (size_t i = 0; i < w->n_local; i++)
		add_blocked(s, RTN_THROW, table, &w->local[i], POLICY_METRIC_LOCAL);
	/* In its own length: a throw of the halves would hide a class's default. */
	for (size_t i = 0; i < w->n_guard; i++)
		add_blocked(s, RTN_THROW, table, &w->guard[i], RT_METRIC_GUARD);
}

static void plan_peer_addr(struct policy_state *s, int ifindex, const struct addr *peer,
			   const struct addr *local)
{
	struct policy_route r = {.family = peer->family,
				 .type = RTN_UNICAST,
				 .table = RT_TABLE_MAIN,
				 .metric = RT_METRIC_PEER,
				 .n_hops = 1};

	if (!peer->family || !ifindex)
		return;
	r.dst = host_prefix(peer);
	r.hops[0] = (struct policy_hop){.ifindex = ifindex, .weight = 1};
	if (local->family == peer->family)
		r.source = *local;
	policy_state_add_route(s, &r);
}

static void plan_network(struct policy_state *s, const struct policy_network *n)
{
	struct prefix parts[2];
	size_t n_parts = halves(&n->prefix, parts);
	struct policy_route r = {.family = n->prefix.addr.family,
				 .type = RTN_UNICAST,
				 .table = RT_TABLE_MAIN,
				 .metric = RT_METRIC_PEER};

	for (size_t i = 0; i < n->n_hops && i < POLICY_HOPS_MAX; i++) {
		const struct policy_hop *h = &n->hops[i];

		/* IPv6 spreads over gateways only: of bare devices the first counts. */
		if (r.family == AF_INET6 && r.n_hops &&
		    (!h->gateway.family || !r.hops[0].gateway.family))
			continue;
		r.hops[r.n_hops] = *h;
		if (!r.hops[r.n_hops].weight)
			r.hops[r.n_hops].weight = 1;
		r.n_hops++;
	}
	if (!r.n_hops)
		return;
	for (size_t i = 0; i < n_parts; i++) {
		r.dst = parts[i];
		policy_state_add_route(s, &r);
	}
}

void policy_plan(const struct policy_want *w, struct policy_state *ret)
{
	struct prefix parts[2];

	*ret = (struct policy_state){0};
	for (size_t i = 0; i < w->n_guard; i++) {
		size_t n = halves(&w->guard[i], parts);

		for (size_t k = 0; k < n; k++)
			add_blocked(ret, RTN_UNREACHABLE, RT_TABLE_MAIN, &parts[k],
				    RT_METRIC_GUARD);
	}
	for (uint32_t c = 0; c < w->n_classes && c < RT_CLASSES_MAX; c++)
		plan_class(w, ret, c);
	for (size_t i = 0; i < w->n_uplinks; i++)
		plan_uplink(w, ret, &w->uplinks[i]);
	for (size_t i = 0; i < w->n_tunnels; i++) {
		const struct policy_tunnel *t = &w->tunnels[i];

		plan_peer_addr(ret, t->ifindex, &t->peer, &t->local);
		plan_peer_addr(ret, t->ifindex, &t->peer6, &t->local6);
	}
	for (size_t i = 0; i < w->n_networks; i++)
		plan_network(ret, &w->networks[i]);
	policy_state_sort(ret);
}

/* --- difference --------------------------------------------------------------- */

static bool is_guard(const struct policy_route *r)
{
	return r->type != RTN_UNICAST;
}

static bool is_tunnel_route(const struct policy_route *r)
{
	return r->type == RTN_UNICAST && r->table == RT_TABLE_MAIN;
}

/* When a step is taken, lowest first. */
static int step_rank(const struct policy_step *s)
{
	if (s->op != POLICY_DEL)
		return s->rule ? 2 : is_guard(s->route) ? 0 : 1;
	return s->rule ? 3 : is_guard(s->route) ? 5 : 4;
}

static int step_compare(const void *x, const void *y)
{
	const struct policy_step *a = x;
	const struct policy_step *b = y;
	int c = by_number((uint64_t)step_rank(a), (uint64_t)step_rank(b));

	if (!c && a->rule && b->rule)
		c = rule_compare(a->rule, b->rule);
	else if (!c && a->route && b->route)
		c = route_key_compare(a->route, b->route);
	return c;
}

static void add_step(struct policy_step *steps, size_t *n, enum policy_op op,
		     const struct policy_rule *rule, const struct policy_route *route)
{
	steps[(*n)++] = (struct policy_step){.op = op, .rule = rule, .route = route};
}

static void diff_rules(const struct policy_state *have, const struct policy_state *want,
		       struct policy_step *steps, size_t *n)
{
	size_t h = 0;
	size_t w = 0;

	/* Ends: each round moves h or w on. */
	while (h < have->n_rules || w < want->n_rules) {
		int c = h >= have->n_rules ? 1
			: w >= want->n_rules
				? -1
				: rule_compare(&have->rules[h], &want->rules[w]);

		if (c < 0)
			add_step(steps, n, POLICY_DEL, &have->rules[h], NULL);
		else if (c > 0)
			add_step(steps, n, POLICY_ADD, &want->rules[w], NULL);
		h += c <= 0;
		w += c >= 0;
	}
}

static void diff_routes(const struct policy_state *have,
			const struct policy_state *want, bool keep,
			struct policy_step *steps, size_t *n)
{
	size_t h = 0;
	size_t w = 0;

	/* Ends: each round moves h or w on. */
	while (h < have->n_routes || w < want->n_routes) {
		const struct policy_route *old =
			h < have->n_routes ? &have->routes[h] : NULL;
		const struct policy_route *new =
			w < want->n_routes ? &want->routes[w] : NULL;
		int c = !old ? 1 : !new ? -1 : route_key_compare(old, new);

		if (c < 0 && !(keep && is_tunnel_route(old)))
			add_step(steps, n, POLICY_DEL, NULL, old);
		else if (c > 0)
			add_step(steps, n, POLICY_ADD, NULL, new);
		else if (c == 0 && !route_same(old, new) &&
			 !(keep && is_tunnel_route(old)))
			add_step(steps, n, POLICY_REPLACE, NULL, new);
		h += c <= 0;
		w += c >= 0;
	}
}

size_t policy_diff(const struct policy_state *have, const struct policy_state *want,
		   bool keep_tunnel_routes, struct policy_step **ret)
{
	size_t most = have->n_rules + want->n_rules + have->n_routes + want->n_routes;
	struct policy_step *steps = ed_array(most ? most : 1, sizeof(*steps));
	size_t n = 0;

	diff_rules(have, want, steps, &n);
	diff_routes(have, want, keep_tunnel_routes, steps, &n);
	qsort(steps, n, sizeof(*steps), step_compare);
	*ret = steps;
	return n;
}

/* --- text --------------------------------------------------------------------- */

static const char *type_name(uint8_t type)
{
	return type == RTN_UNICAST	 ? "route"
	       : type == RTN_UNREACHABLE ? "unreachable"
	       : type == RTN_THROW	 ? "throw"
					 : "other";
}

char *policy_route_format(const struct policy_route *r, char *buf, size_t cap)
{
	struct text t = text_init(buf, cap);
	char p[PREFIX_STRLEN];

	text_add(&t, "%s %s table %u metric %u", type_name(r->type),
		 prefix_format(&r->dst, p), r->table, r->metric);
	for (size_t i = 0; i < r->n_hops; i++) {
		text_add(&t, " dev %d", r->hops[i].ifindex);
		if (r->hops[i].gateway.family)
			text_add(&t, " via %s", addr_format(&r->hops[i].gateway, p));
		if (r->n_hops > 1)
			text_add(&t, " weight %u", r->hops[i].weight);
	}
	return buf;
}

char *policy_rule_format(const struct policy_rule *r, char *buf, size_t cap)
{
	struct text t = text_init(buf, cap);
	char p[PREFIX_STRLEN];

	text_add(&t, "rule %u%s", r->priority, r->family == AF_INET6 ? " inet6" : "");
	if (r->mask)
		text_add(&t, " fwmark 0x%x/0x%x", r->mark, r->mask);
	if (r->from.addr.family)
		text_add(&t, " from %s", prefix_format(&r->from, p));
	if (r->to.addr.family)
		text_add(&t, " to %s", prefix_format(&r->to, p));
	text_add(&t, " table %u", r->table);
	return buf;
}
