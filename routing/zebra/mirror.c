/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/zebra/mirror.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/alloc.h"
#include "lib/log.h"

enum {
	ANSWER_US = 1000 * 1000, /* a group's answer is due */
	LOSS_US = 200 * 1000, /* until a loss counts */
	GONE_US = 3 * 1000 * 1000, /* a deleted group may be seen for so long */
	SETTLE_US = 300 * 1000, /* after the last command */
	FAMILIES = 2,
};

struct mclass {
	char *name;
	uint32_t table;
};

/* An interface: what the kernel says of it, and whose tunnel it is. */
struct mlink {
	char ifname[IF_NAMESIZE];
	uint32_t ifindex;
	bool up;
	struct mpeer *peer; /* NULL: nobody's */
	UT_hash_handle hh;
};

struct mpeer {
	char *name;
	struct rt_peer conf;
	bool seen; /* in the intent that is being read */
	UT_hash_handle hh;
};

/* Which peer a gateway is the inside address of. */
struct mgateway {
	struct addr addr;
	struct mpeer *peer;
	UT_hash_handle hh;
};

struct mgroup {
	uint32_t id;
	struct mset *set;
	size_t class_index;
	uint8_t family;
	struct mirror_hop hops[MIRROR_HOPS_MAX]; /* as sent last */
	size_t n_hops; /* 0: not in zebra */
	bool installed; /* reported so, and not lost since */
	bool waiting; /* for an answer, since sent_at */
	bool dirty; /* compare members, send when they differ */
	bool again; /* send even when they do not */
	bool killed; /* all members were gone: make routes anew */
	bool present, checked; /* in the kernel; with the right members */
	struct mono sent_at;
	UT_hash_handle hh;
};

/*
 * A group on its way out. Deleted before zebra has answered that it is installed
 * FRR 8.4 forgets it and leaves it in the kernel; deleted after that it stays
 * there for a second (zebra nexthop-group keep 1).
 */
struct doomed {
	uint32_t id;
	bool awaiting; /* the answer; then it is deleted */
	bool seen; /* in the kernel, by the check under way */
	struct mono at; /* of the last command */
	UT_hash_handle hh;
};

/* A set of peers that some prefix leads to. */
struct mset {
	char *key; /* their names, one a line, sorted */
	struct mpeer **peers;
	size_t n_peers;
	size_t refs; /* prefixes */
	struct mgroup **groups; /* [class * FAMILIES + family], NULL: not yet needed */
	UT_hash_handle hh;
};

struct mroute {
	uint32_t group; /* id it was sent with; valid when sent */
	bool sent;
	bool failed; /* send again */
	bool checked;
};

struct mprefix {
	struct prefix prefix;
	struct mirror_hop *hops; /* of BGP, as learned */
	size_t n_hops;
	bool learned;
	bool stale; /* not told again since a hold began */
	bool losing; /* lost at lost_at */
	bool is_static;
	struct mono lost_at;
	struct mset *set;
	struct mroute *routes; /* by class */
	bool dirty;
	UT_hash_handle hh;
};

struct mirror {
	struct mirror_ops ops;
	void *ctx;
	uint32_t next_group;
	bool have_intent;
	bool connected;
	bool dirty; /* some prefix is */
	bool holding;
	size_t n_stale;
	struct mono hold_until;
	struct mono now; /* of the last run or check */
	struct mono last_command;
	struct mclass *classes;
	size_t n_classes;
	struct mpeer *peers;
	struct mgateway *gateways;
	struct mlink *links;
	struct mset *sets;
	struct mgroup *groups;
	struct doomed *doomed;
	struct mprefix *prefixes;
	size_t faults; /* of the check under way */
};

static int family_index(uint8_t family)
{
	return family == AF_INET6;
}

static void set_stale(struct mirror *m, struct mprefix *p, bool stale)
{
	m->n_stale += stale && !p->stale;
	m->n_stale -= !stale && p->stale;
	p->stale = stale;
}

static void touch(struct mirror *m, struct mprefix *p)
{
	p->dirty = true;
	m->dirty = true;
}

/* --- links ---------------------------------------------------------------------- */

static struct mlink *link_of(struct mirror *m, const char *ifname)
{
	struct mlink *l;

	HASH_FIND_STR(m->links, ifname, l);
	if (!l) {
		l = ed_alloc(sizeof(*l));
		snprintf(l->ifname, sizeof(l->ifname), "%s", ifname);
		HASH_ADD_STR(m->links, ifname, l);
	}
	return l;
}

static bool peer_in(const struct mset *s, const struct mpeer *p)
{
	for (size_t i = 0; i < s->n_peers; i++) {
		if (s->peers[i] == p)
			return true;
	}
	return false;
}

/* Whether any hop of g, as sent, has an interface that can be used. */
static bool any_hop_up(const struct mirror *m, const struct mgroup *g)
{
	for (size_t i = 0; i < g->n_hops; i++) {
		for (const struct mlink *l = m->links; l; l = l->hh.next) {
			if (l->up && l->ifindex == g->hops[i].ifindex)
				return true;
		}
	}
	return false;
}

/* Whether g, as sent, has a member of this interface. */
static bool uses(const struct mgroup *g, uint32_t ifindex)
{
	for (size_t i = 0; i < g->n_hops; i++) {
		if (g->hops[i].ifindex == ifindex)
			return true;
	}
	return false;
}

void mirror_link(struct mirror *m, const char *ifname, uint32_t ifindex, bool up)
{
	struct mlink *l = link_of(m, ifname);
	bool came = up && (!l->up || l->ifindex != ifindex);
	bool went = l->up && (!up || l->ifindex != ifindex);
	struct mgroup *g;
	struct mgroup *next;

	l->up = up && ifindex;
	l->ifindex = ifindex;
	if (went) {
		HASH_ITER (hh, m->groups, g, next) {
			if (g->n_hops && !any_hop_up(m, g))
				g->killed = true;
		}
	}
	if (!l->peer || (!came && !went))
		return;
	HASH_ITER (hh, m->groups, g, next) {
		if (!peer_in(g->set, l->peer))
			continue;
		g->dirty = true;
		g->again = g->again || (came && uses(g, ifindex));
	}
}

/* --- sets and groups ---------------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	const struct mpeer *const *x = a;
	const struct mpeer *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* The set of these peers (sorted and made unique here), with one more user. */
static struct mset *set_get(struct mirror *m, struct mpeer **peers, size_t n)
{
	struct mset *s;
	size_t len = 1;
	size_t unique = 0;
	char *key;
	char *at;

	qsort(peers, n, sizeof(struct mpeer *), by_name);
	for (size_t i = 0; i < n; i++) {
		if (!unique || peers[unique - 1] != peers[i])
			peers[unique++] = peers[i];
	}
	for (size_t i = 0; i < unique; i++)
		len += strlen(peers[i]->name) + 1;
	key = ed_alloc(len);
	at = key;
	for (size_t i = 0; i < unique; i++)
		at += snprintf(at, len - (size_t)(at - key), "%s%s", i ? "\n" : "",
			       peers[i]->name);
	HASH_FIND_STR(m->sets, key, s);
	if (s) {
		free(key);
	} else {
		s = ed_alloc(sizeof(*s));
		s->key = key;
		s->peers = ed_memdup(peers, unique * sizeof(struct mpeer *));
		s->n_peers = unique;
		s->groups =
			ed_array(m->n_classes * FAMILIES + 1, sizeof(struct mgroup *));
		HASH_ADD_KEYPTR(hh, m->sets, s->key, strlen(s->key), s);
	}
	s->refs++;
	return s;
}

static struct mgroup *group_get(struct mirror *m, struct mset *s, size_t class_index,
				uint8_t family)
{
	size_t at = class_index * FAMILIES + (size_t)family_index(family);
	struct mgroup *g = s->groups[at];

	if (g)
		return g;
	g = ed_alloc(sizeof(*g));
	g->id = m->next_group++;
	g->set = s;
	g->class_index = class_index;
	g->family = family;
	g->dirty = true;
	s->groups[at] = g;
	HASH_ADD(hh, m->groups, id, sizeof(g->id), g);
	return g;
}

static struct doomed *doomed_find(const struct mirror *m, uint32_t id)
{
	struct doomed *d;

	HASH_FIND(hh, m->doomed, &id, sizeof(id), d);
	return d;
}

static void doom(struct mirror *m, uint32_t id, bool awaiting)
{
	struct doomed *d = ed_alloc(sizeof(*d));

	d->id = id;
	d->awaiting = awaiting;
	d->at = m->now;
	HASH_ADD(hh, m->doomed, id, sizeof(d->id), d);
}

/* Its answer is there: now it can go. */
static void doomed_answered(struct mirror *m, struct doomed *d)
{
	m->ops.group_del(m->ctx, d->id);
	d->awaiting = false;
	d->at = m->now;
}

static void doomed_clear(struct mirror *m)
{
	struct doomed *d;
	struct doomed *next;

	HASH_ITER (hh, m->doomed, d, next) {
		HASH_DEL(m->doomed, d);
		free(d);
	}
}

/* Take g out of zebra. */
static void group_drop(struct mirror *m, const struct mgroup *g)
{
	if (!g->n_hops || !m->connected)
		return;
	if (g->waiting)
		doom(m, g->id, true);
	else
		m->ops.group_del(m->ctx, g->id);
}

static void group_free(struct mirror *m, struct mgroup *g)
{
	size_t at = g->class_index * FAMILIES + (size_t)family_index(g->family);

	group_drop(m, g);
	g->set->groups[at] = NULL;
	HASH_DEL(m->groups, g);
	free(g);
}

static void set_free(struct mirror *m, struct mset *s)
{
	for (size_t i = 0; i < m->n_classes * FAMILIES; i++) {
		if (s->groups[i])
			group_free(m, s->groups[i]);
	}
	HASH_DEL(m->sets, s);
	free(s->groups);
	free(s->peers);
	free(s->key);
	free(s);
}

static void add_members(const struct mirror *m, const struct mpeer *p, const char *name,
			uint8_t family, struct mirror_hop *hops, size_t *n)
{
	for (size_t i = 0; i < p->conf.n_choices; i++) {
		const struct rt_choice *c = &p->conf.choices[i];

		if (strcmp(c->name, name) != 0)
			continue;
		for (size_t k = 0; k < c->n_members && *n < MIRROR_HOPS_MAX; k++) {
			const struct rt_tunnel *t =
				&p->conf.tunnels[c->members[k].tunnel];
			const struct addr *gateway =
				family == AF_INET6 ? &t->peer6 : &t->peer;
			struct mlink *l;

			HASH_FIND_STR(m->links, t->ifname, l);
			if (!gateway->family || !l || !l->up)
				continue;
			hops[(*n)++] =
				(struct mirror_hop){.gateway = *gateway,
						    .ifindex = l->ifindex,
						    .weight = c->members[k].weight};
		}
	}
}

static size_t group_members(const struct mirror *m, const struct mgroup *g,
			    struct mirror_hop *hops)
{
	const char *name = m->classes[g->class_index].name;
	size_t n = 0;

	for (size_t i = 0; i < g->set->n_peers; i++)
		add_members(m, g->set->peers[i], name, g->family, hops, &n);
	return n;
}

static bool hop_same(const struct mirror_hop *a, const struct mirror_hop *b)
{
	return a->ifindex == b->ifindex && a->weight == b->weight &&
	       addr_equal(&a->gateway, &b->gateway);
}

static bool hops_same(const struct mirror_hop *a, size_t n, const struct mirror_hop *b,
		      size_t m)
{
	if (n != m)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!hop_same(&a[i], &b[i]))
			return false;
	}
	return true;
}

/* --- which set a prefix belongs to -------------------------------------------------- */

static bool has_network(const struct mpeer *p, const struct prefix *prefix)
{
	for (size_t i = 0; i < p->conf.networks.n; i++) {
		if (prefix_equal(&p->conf.networks.v[i], prefix))
			return true;
	}
	return false;
}

static struct mpeer *peer_of_hop(const struct mirror *m, const struct mirror_hop *h)
{
	struct mgateway *g = NULL;

	if (h->gateway.family)
		HASH_FIND(hh, m->gateways, &h->gateway, sizeof(h->gateway), g);
	if (g)
		return g->peer;
	/* A link-local next hop says nothing; its interface does. */
	for (const struct mlink *l = m->links; h->ifindex && l; l = l->hh.next) {
		if (l->ifindex == h->ifindex)
			return l->peer;
	}
	return NULL;
}

static struct mset *find_set(struct mirror *m, struct mprefix *p)
{
	struct mpeer *peers[MIRROR_HOPS_MAX];
	size_t n = 0;

	p->is_static = false;
	for (struct mpeer *q = m->peers; q && n < MIRROR_HOPS_MAX; q = q->hh.next) {
		if (has_network(q, &p->prefix))
			peers[n++] = q;
	}
	p->is_static = n > 0;
	for (size_t i = 0; !p->is_static && p->learned && i < p->n_hops; i++) {
		peers[n] = peer_of_hop(m, &p->hops[i]);
		n += peers[n] != NULL;
	}
	return n ? set_get(m, peers, n) : NULL;
}

static void prefix_resolve(struct mirror *m, struct mprefix *p)
{
	struct mset *old = p->set;

	p->set = find_set(m, p);
	if (old)
		old->refs--;
	touch(m, p);
}

static struct mprefix *prefix_get(struct mirror *m, const struct prefix *prefix)
{
	struct mprefix *p;

	HASH_FIND(hh, m->prefixes, prefix, sizeof(*prefix), p);
	if (p)
		return p;
	p = ed_alloc(sizeof(*p));
	p->prefix = *prefix;
	p->routes = ed_array(m->n_classes + 1, sizeof(*p->routes));
	HASH_ADD(hh, m->prefixes, prefix, sizeof(p->prefix), p);
	return p;
}

static void prefix_free(struct mirror *m, struct mprefix *p)
{
	if (p->set)
		p->set->refs--;
	HASH_DEL(m->prefixes, p);
	free(p->hops);
	free(p->routes);
	free(p);
}

/* --- intent -------------------------------------------------------------------------- */

static void copy_prefixes(const struct rt_prefixes *from, struct rt_prefixes *to)
{
	*to = (struct rt_prefixes){0};
	for (size_t i = 0; i < from->n; i++)
		rt_prefixes_add(to, &from->v[i]);
}

static void copy_peer(const struct rt_peer *from, struct rt_peer *to)
{
	*to = (struct rt_peer){.name = ed_strdup(from->name)};
	copy_prefixes(&from->networks, &to->networks);
	for (size_t i = 0; i < from->n_tunnels; i++) {
		const struct rt_tunnel *t = &from->tunnels[i];
		struct rt_tunnel *new = rt_peer_add_tunnel(to, t->name, t->ifname);

		new->local = t->local;
		new->peer = t->peer;
		new->local6 = t->local6;
		new->peer6 = t->peer6;
	}
	for (size_t i = 0; i < from->n_choices; i++) {
		const struct rt_choice *c = &from->choices[i];
		struct rt_choice *new = rt_peer_add_choice(to, c->name);

		for (size_t k = 0; k < c->n_members; k++)
			rt_choice_add_member(new, c->members[k].tunnel,
					     c->members[k].weight);
	}
}

/* True when prefixes may lead elsewhere: other tunnels, addresses or networks. */
static bool peer_moved(const struct rt_peer *a, const struct rt_peer *b)
{
	if (a->n_tunnels != b->n_tunnels || a->networks.n != b->networks.n)
		return true;
	for (size_t i = 0; i < a->n_tunnels; i++) {
		const struct rt_tunnel *x = &a->tunnels[i];
		const struct rt_tunnel *y = &b->tunnels[i];

		if (strcmp(x->ifname, y->ifname) != 0 ||
		    !addr_equal(&x->peer, &y->peer) ||
		    !addr_equal(&x->peer6, &y->peer6))
			return true;
	}
	for (size_t i = 0; i < a->networks.n; i++) {
		if (!prefix_equal(&a->networks.v[i], &b->networks.v[i]))
			return true;
	}
	return false;
}

static void index_gateway(struct mirror *m, const struct addr *a, struct mpeer *p)
{
	struct mgateway *g;

	if (!a->family)
		return;
	HASH_FIND(hh, m->gateways, a, sizeof(*a), g);
	if (!g) {
		g = ed_alloc(sizeof(*g));
		g->addr = *a;
		HASH_ADD(hh, m->gateways, addr, sizeof(g->addr), g);
	}
	g->peer = p;
}

static void clear_gateways(struct mirror *m)
{
	struct mgateway *g;
	struct mgateway *next;

	HASH_ITER (hh, m->gateways, g, next) {
		HASH_DEL(m->gateways, g);
		free(g);
	}
}

/* Addresses and interfaces anew, and every prefix to where it leads now. */
static void reindex(struct mirror *m)
{
	struct mprefix *x;
	struct mprefix *next;

	clear_gateways(m);
	for (struct mlink *l = m->links; l; l = l->hh.next)
		l->peer = NULL;
	for (struct mpeer *p = m->peers; p; p = p->hh.next) {
		for (size_t i = 0; i < p->conf.n_tunnels; i++) {
			index_gateway(m, &p->conf.tunnels[i].peer, p);
			index_gateway(m, &p->conf.tunnels[i].peer6, p);
			link_of(m, p->conf.tunnels[i].ifname)->peer = p;
		}
		for (size_t i = 0; i < p->conf.networks.n; i++)
			(void)prefix_get(m, &p->conf.networks.v[i]);
	}
	HASH_ITER (hh, m->prefixes, x, next)
		prefix_resolve(m, x);
}

static void touch_groups(struct mirror *m)
{
	for (struct mgroup *g = m->groups; g; g = g->hh.next)
		g->dirty = true;
}

/* Returns true when prefixes have to be led anew. */
static bool take_peer(struct mirror *m, const struct rt_peer *from)
{
	struct mpeer *p;
	bool moved;

	HASH_FIND_STR(m->peers, from->name, p);
	if (!p) {
		p = ed_alloc(sizeof(*p));
		p->name = ed_strdup(from->name);
		copy_peer(from, &p->conf);
		HASH_ADD_KEYPTR(hh, m->peers, p->name, strlen(p->name), p);
		p->seen = true;
		return true;
	}
	moved = peer_moved(&p->conf, from);
	rt_peer_fini(&p->conf);
	copy_peer(from, &p->conf);
	p->seen = true;
	return moved;
}

void mirror_peer(struct mirror *m, const struct rt_peer *p)
{
	if (take_peer(m, p))
		reindex(m);
	touch_groups(m);
}

static void free_classes(struct mclass *classes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(classes[i].name);
	free(classes);
}

/* Where the class of i stood before, or -1. */
static long former_class(const struct mirror *m, const struct rt_class_table *c)
{
	for (size_t k = 0; k < m->n_classes; k++) {
		if (m->classes[k].table == c->table &&
		    !strcmp(m->classes[k].name, c->name))
			return (long)k;
	}
	return -1;
}

static bool classes_same(const struct mirror *m, const struct rt_intent *i)
{
	if (m->n_classes != i->n_classes)
		return false;
	for (size_t k = 0; k < i->n_classes; k++) {
		if (former_class(m, &i->classes[k]) != (long)k)
			return false;
	}
	return true;
}

/* Routes of a class that is no more go at once. */
static void move_routes(struct mirror *m, struct mprefix *p, const long *from, size_t n)
{
	struct mroute *routes = ed_array(n + 1, sizeof(*routes));

	for (size_t k = 0; k < n; k++) {
		if (from[k] < 0)
			continue;
		routes[k] = p->routes[from[k]];
		p->routes[from[k]].sent = false;
	}
	for (size_t k = 0; k < m->n_classes; k++) {
		if (p->routes[k].sent && m->connected)
			m->ops.route_del(m->ctx, m->classes[k].table, &p->prefix);
	}
	free(p->routes);
	p->routes = routes;
	touch(m, p);
}

static void move_groups(struct mirror *m, struct mset *s, const long *from, size_t n)
{
	struct mgroup **groups = ed_array(n * FAMILIES + 1, sizeof(struct mgroup *));

	for (size_t k = 0; k < n * FAMILIES; k++) {
		long old = from[k / FAMILIES];
		size_t at = old < 0 ? 0 : (size_t)old * FAMILIES + k % FAMILIES;

		if (old < 0 || !s->groups[at])
			continue;
		groups[k] = s->groups[at];
		groups[k]->class_index = k / FAMILIES;
		s->groups[at] = NULL;
	}
	for (size_t k = 0; k < m->n_classes * FAMILIES; k++) {
		if (s->groups[k])
			group_free(m, s->groups[k]);
	}
	free(s->groups);
	s->groups = groups;
}

static void take_classes(struct mirror *m, const struct rt_intent *i)
{
	size_t n = i->n_classes;
	struct mclass *classes = ed_array(n + 1, sizeof(*classes));
	long *from = ed_array(n + 1, sizeof(*from));

	for (size_t k = 0; k < n; k++) {
		from[k] = former_class(m, &i->classes[k]);
		classes[k].name = ed_strdup(i->classes[k].name);
		classes[k].table = i->classes[k].table;
	}
	for (struct mprefix *p = m->prefixes; p; p = p->hh.next)
		move_routes(m, p, from, n);
	for (struct mset *s = m->sets; s; s = s->hh.next)
		move_groups(m, s, from, n);
	free_classes(m->classes, m->n_classes);
	m->classes = classes;
	m->n_classes = n;
	free(from);
}

/* Peers that the intent no longer names: their sets go with them. */
static bool drop_unseen(struct mirror *m, struct mpeer **ret_gone)
{
	struct mpeer *p;
	struct mpeer *next;
	bool any = false;

	HASH_ITER (hh, m->peers, p, next) {
		if (p->seen)
			continue;
		HASH_DEL(m->peers, p);
		HASH_ADD_KEYPTR(hh, *ret_gone, p->name, strlen(p->name), p);
		any = true;
	}
	return any;
}

static void free_peers(struct mpeer **peers)
{
	struct mpeer *p;
	struct mpeer *next;

	HASH_ITER (hh, *peers, p, next) {
		HASH_DEL(*peers, p);
		rt_peer_fini(&p->conf);
		free(p->name);
		free(p);
	}
}

static void run_prefixes(struct mirror *m);
static void free_unused(struct mirror *m);

void mirror_intent(struct mirror *m, const struct rt_intent *i)
{
	struct mpeer *gone = NULL;
	bool moved = false;

	for (struct mpeer *p = m->peers; p; p = p->hh.next)
		p->seen = false;
	if (!classes_same(m, i))
		take_classes(m, i);
	for (size_t k = 0; k < i->n_peers; k++)
		moved = take_peer(m, &i->peers[k]) || moved;
	moved = drop_unseen(m, &gone) || moved;
	if (moved)
		reindex(m);
	if (gone) {
		/* No set may point at them any longer. */
		run_prefixes(m);
		free_unused(m);
		free_peers(&gone);
	}
	touch_groups(m);
	m->have_intent = true;
}

/* --- zebra ------------------------------------------------------------------------------ */

void mirror_connected(struct mirror *m, bool yes)
{
	m->connected = yes;
	doomed_clear(m);
	for (struct mgroup *g = m->groups; g; g = g->hh.next) {
		g->installed = false;
		g->waiting = false;
		g->killed = false;
		g->n_hops = 0;
		g->dirty = true;
	}
	for (struct mprefix *p = m->prefixes; p; p = p->hh.next) {
		for (size_t k = 0; k < m->n_classes; k++)
			p->routes[k] = (struct mroute){0};
		touch(m, p);
	}
}

void mirror_learned(struct mirror *m, const struct prefix *prefix,
		    const struct mirror_hop *hops, size_t n)
{
	struct mprefix *p = prefix_get(m, prefix);

	free(p->hops);
	p->hops = ed_memdup(hops, n * sizeof(*hops));
	p->n_hops = n;
	p->learned = true;
	set_stale(m, p, false);
	p->losing = false;
	prefix_resolve(m, p);
}

void mirror_lost(struct mirror *m, const struct prefix *prefix, struct mono now)
{
	struct mprefix *p;

	HASH_FIND(hh, m->prefixes, prefix, sizeof(*prefix), p);
	if (!p || !p->learned)
		return;
	if (m->holding) {
		set_stale(m, p, true);
		return;
	}
	p->losing = true;
	p->lost_at = now;
	touch(m, p);
}

void mirror_hold(struct mirror *m, struct mono until)
{
	m->holding = true;
	m->hold_until = until;
	for (struct mprefix *p = m->prefixes; p; p = p->hh.next) {
		if (!p->learned)
			continue;
		set_stale(m, p, true);
		p->losing = false;
	}
}

static void unlearn(struct mirror *m, struct mprefix *p)
{
	p->learned = false;
	set_stale(m, p, false);
	p->losing = false;
	p->n_hops = 0;
	prefix_resolve(m, p);
}

void mirror_hold_end(struct mirror *m)
{
	m->holding = false;
	for (struct mprefix *p = m->prefixes; p; p = p->hh.next) {
		if (p->learned && p->stale)
			unlearn(m, p);
	}
}

bool mirror_holding(const struct mirror *m)
{
	return m->holding;
}

static void touch_set(struct mirror *m, const struct mset *s)
{
	for (struct mprefix *p = m->prefixes; p; p = p->hh.next) {
		if (p->set == s)
			touch(m, p);
	}
}

static struct mgroup *group_find(const struct mirror *m, uint32_t id)
{
	struct mgroup *g;

	HASH_FIND(hh, m->groups, &id, sizeof(id), g);
	return g;
}

void mirror_group_result(struct mirror *m, uint32_t group, enum mirror_outcome outcome)
{
	struct mgroup *g = group_find(m, group);
	struct doomed *d = doomed_find(m, group);

	if (d && d->awaiting && outcome != MIRROR_REMOVED)
		doomed_answered(m, d);
	if (!g)
		return;
	switch (outcome) {
	case MIRROR_INSTALLED:
		g->waiting = false;
		if (!g->installed && g->n_hops) {
			g->installed = true;
			touch_set(m, g->set);
		}
		break;
	case MIRROR_FAILED:
		/* The wait for its answer goes on: it is sent again after it. */
		ed_debug("mirror", "group %u was refused", group);
		break;
	case MIRROR_REMOVED:
		break;
	}
}

void mirror_route_result(struct mirror *m, uint32_t table, const struct prefix *prefix,
			 enum mirror_outcome outcome)
{
	struct mprefix *p;

	HASH_FIND(hh, m->prefixes, prefix, sizeof(*prefix), p);
	for (size_t k = 0; p && outcome == MIRROR_FAILED && k < m->n_classes; k++) {
		if (m->classes[k].table == table && p->routes[k].sent)
			p->routes[k].failed = true; /* the check puts it right */
	}
}

/* --- work --------------------------------------------------------------------------------- */

/* All members of g were gone: zebra and kernel no longer agree on its routes. */
static void kill_routes(struct mirror *m, struct mgroup *g)
{
	size_t k = g->class_index;

	for (struct mprefix *p = m->prefixes; p; p = p->hh.next) {
		struct mroute *r = &p->routes[k];

		if (!r->sent || r->group != g->id)
			continue;
		m->ops.route_del(m->ctx, m->classes[k].table, &p->prefix);
		r->sent = false;
		touch(m, p);
	}
	group_drop(m, g);
	/* Under a number of its own: the old one may live on until its routes left. */
	HASH_DEL(m->groups, g);
	g->id = m->next_group++;
	HASH_ADD(hh, m->groups, id, sizeof(g->id), g);
	g->n_hops = 0;
	g->installed = false;
	g->waiting = false;
	g->killed = false;
	g->dirty = true;
}

static void send_group(struct mirror *m, struct mgroup *g,
		       const struct mirror_hop *hops, size_t n, struct mono now)
{
	m->ops.group_set(m->ctx, g->id, hops, n);
	memcpy(g->hops, hops, n * sizeof(*hops));
	g->n_hops = n;
	g->waiting = true;
	g->sent_at = now;
	g->again = false;
	m->last_command = now;
}

static void run_group(struct mirror *m, struct mgroup *g, struct mono now)
{
	struct mirror_hop hops[MIRROR_HOPS_MAX];
	bool late = g->waiting && mono_diff_us(now, g->sent_at) >= ANSWER_US;
	size_t n;

	if (!g->dirty && !g->again && !g->killed && !late)
		return;
	if (g->killed)
		kill_routes(m, g);
	n = group_members(m, g, hops);
	if (!n) {
		/* zebra takes no empty group: without members nobody uses it. */
		if (g->n_hops)
			kill_routes(m, g);
		g->dirty = false;
		g->again = false;
		return;
	}
	if (g->waiting && !late)
		return; /* the newest members go when the answer is there */
	g->dirty = false;
	if (late || g->again || !hops_same(hops, n, g->hops, g->n_hops))
		send_group(m, g, hops, n, now);
}

static void run_groups(struct mirror *m, struct mono now)
{
	struct mgroup *g;
	struct mgroup *next;

	HASH_ITER (hh, m->groups, g, next)
		run_group(m, g, now);
}

/* The group that p's route of class k shall use, or NULL when none. */
static struct mgroup *wanted_group(struct mirror *m, struct mprefix *p, size_t k)
{
	return p->set ? group_get(m, p->set, k, p->prefix.addr.family) : NULL;
}

static void run_prefix(struct mirror *m, struct mprefix *p)
{
	for (size_t k = 0; k < m->n_classes; k++) {
		struct mgroup *g = wanted_group(m, p, k);
		struct mroute *r = &p->routes[k];
		uint32_t table = m->classes[k].table;

		if (g && g->installed && (!r->sent || r->group != g->id)) {
			m->ops.route_add(m->ctx, table, &p->prefix, g->id);
			*r = (struct mroute){.group = g->id, .sent = true};
		} else if (!g && r->sent) {
			m->ops.route_del(m->ctx, table, &p->prefix);
			*r = (struct mroute){0};
		}
	}
}

static void run_prefixes(struct mirror *m)
{
	struct mprefix *p;
	struct mprefix *next;

	if (!m->dirty)
		return;
	m->dirty = false;
	HASH_ITER (hh, m->prefixes, p, next) {
		if (!p->dirty)
			continue;
		p->dirty = false;
		if (m->connected)
			run_prefix(m, p);
		if (!p->learned && !p->set)
			prefix_free(m, p);
	}
}

static void free_unused(struct mirror *m)
{
	struct mset *s;
	struct mset *next;

	HASH_ITER (hh, m->sets, s, next) {
		if (!s->refs)
			set_free(m, s);
	}
}

/* Losses whose time has come; *next is when the next one's does. */
static void run_losses(struct mirror *m, struct mono now, struct mono *next)
{
	for (struct mprefix *p = m->prefixes; p; p = p->hh.next) {
		struct mono due = mono_add_us(p->lost_at, LOSS_US);

		if (!p->losing)
			continue;
		if (mono_before(now, due))
			*next = mono_min(*next, due);
		else
			unlearn(m, p);
	}
}

struct mono mirror_run(struct mirror *m, struct mono now)
{
	struct mono next = MONO_NEVER;
	bool any_losing = false;

	m->now = now;
	if (m->holding && (!m->n_stale || !mono_before(now, m->hold_until)))
		mirror_hold_end(m);
	if (m->holding)
		next = m->hold_until;
	if (!m->have_intent)
		return next;
	for (struct mprefix *p = m->prefixes; m->dirty && p && !any_losing;
	     p = p->hh.next)
		any_losing = p->losing;
	if (any_losing)
		run_losses(m, now, &next);
	if (m->connected) {
		/* Twice: prefixes make the groups they need, groups free routes. */
		run_groups(m, now);
		if (m->dirty)
			m->last_command = now;
		run_prefixes(m);
		run_groups(m, now);
	} else {
		run_prefixes(m);
	}
	free_unused(m);
	if (mono_before(next, MONO_NEVER) && any_losing)
		m->dirty = true; /* look at the losses again */
	for (struct mgroup *g = m->groups; m->connected && g; g = g->hh.next) {
		if (g->waiting)
			next = mono_min(next, mono_add_us(g->sent_at, ANSWER_US));
	}
	return next;
}

bool mirror_settled(const struct mirror *m, struct mono now)
{
	if (!m->connected || !m->have_intent || m->dirty ||
	    mono_diff_us(now, m->last_command) < SETTLE_US)
		return false;
	for (const struct mgroup *g = m->groups; g; g = g->hh.next) {
		if (g->waiting)
			return false;
	}
	return true;
}

/* --- check against the kernel --------------------------------------------------------------- */

void mirror_check_begin(struct mirror *m, struct mono now)
{
	m->now = now;
	m->faults = 0;
	for (struct doomed *d = m->doomed; d; d = d->hh.next)
		d->seen = false;
	for (struct mgroup *g = m->groups; g; g = g->hh.next)
		g->present = g->checked = false;
	for (struct mprefix *p = m->prefixes; p; p = p->hh.next) {
		for (size_t k = 0; k < m->n_classes; k++)
			p->routes[k].checked = false;
	}
}

/* A route of an earlier life that zebra may not know of: make it ours, delete it. */
static void drop_route(struct mirror *m, uint32_t table, const struct prefix *prefix)
{
	for (struct mgroup *g = m->groups; g; g = g->hh.next) {
		if (!g->installed || g->family != prefix->addr.family)
			continue;
		m->ops.route_add(m->ctx, table, prefix, g->id);
		break;
	}
	m->ops.route_del(m->ctx, table, prefix);
	m->faults++;
}

void mirror_check_route(struct mirror *m, uint32_t table, const struct prefix *prefix,
			uint32_t group)
{
	struct mprefix *p;

	HASH_FIND(hh, m->prefixes, prefix, sizeof(*prefix), p);
	for (size_t k = 0; p && k < m->n_classes; k++) {
		struct mroute *r = &p->routes[k];

		if (m->classes[k].table != table || !r->sent)
			continue;
		r->checked = r->group == group && !r->failed;
		return;
	}
	drop_route(m, table, prefix);
}

/* The kernel keeps its own order, and newer FRR scales weights: members count. */
static bool members_same(const struct mgroup *g, const struct mirror_hop *hops,
			 size_t n)
{
	size_t found = 0;

	if (n != g->n_hops)
		return false;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < n; k++) {
			if (hops[i].ifindex == g->hops[k].ifindex &&
			    addr_equal(&hops[i].gateway, &g->hops[k].gateway)) {
				found++;
				break;
			}
		}
	}
	return found == n;
}

/* The same for a group: what zebra does not know it cannot delete. */
static void drop_group(struct mirror *m, uint32_t group, const struct mirror_hop *hops,
		       size_t n)
{
	struct doomed *d = doomed_find(m, group);

	if (!d) {
		m->ops.group_del(m->ctx, group);
		doom(m, group, false);
		d = doomed_find(m, group);
	}
	if (!d)
		return;
	d->seen = true;
	if (mono_diff_us(m->now, d->at) < GONE_US)
		return;
	m->faults++;
	m->ops.group_set(m->ctx, group, hops, n);
	d->awaiting = true;
	d->at = m->now;
}

void mirror_check_group(struct mirror *m, uint32_t group, const struct mirror_hop *hops,
			size_t n)
{
	struct mgroup *g = group_find(m, group);

	if (!g || !g->n_hops) {
		drop_group(m, group, hops, n);
		return;
	}
	g->present = true;
	g->checked = members_same(g, hops, n);
}

static void check_prefix(struct mirror *m, struct mprefix *p)
{
	for (size_t k = 0; k < m->n_classes; k++) {
		struct mroute *r = &p->routes[k];

		if (!r->sent || r->checked)
			continue;
		m->ops.route_del(m->ctx, m->classes[k].table, &p->prefix);
		*r = (struct mroute){0};
		m->faults++;
		touch(m, p);
	}
}

/* Those that the kernel no longer has are gone at last. */
static void forget_gone_groups(struct mirror *m)
{
	struct doomed *d;
	struct doomed *next;

	HASH_ITER (hh, m->doomed, d, next) {
		if (d->seen || (d->awaiting && mono_diff_us(m->now, d->at) < GONE_US))
			continue;
		HASH_DEL(m->doomed, d);
		free(d);
	}
}

size_t mirror_check_end(struct mirror *m)
{
	forget_gone_groups(m);
	for (struct mgroup *g = m->groups; g; g = g->hh.next) {
		if (!g->n_hops || g->checked)
			continue;
		g->again = true;
		g->killed = !g->present;
		m->faults++;
	}
	for (struct mprefix *p = m->prefixes; p; p = p->hh.next)
		check_prefix(m, p);
	return m->faults;
}

/* --- report ------------------------------------------------------------------------------------ */

struct mirror_counts mirror_count(const struct mirror *m)
{
	struct mirror_counts c = {.groups = HASH_COUNT(m->groups)};

	for (const struct mprefix *p = m->prefixes; p; p = p->hh.next) {
		c.learned += p->learned;
		c.stale += p->stale;
		c.fixed += p->is_static;
		for (size_t k = 0; k < m->n_classes; k++)
			c.routes += p->routes[k].sent;
	}
	return c;
}

size_t mirror_peer_learned(const struct mirror *m, const char *peer)
{
	const struct mpeer *q;
	size_t n = 0;

	HASH_FIND_STR(m->peers, peer, q);
	for (const struct mprefix *p = m->prefixes; q && p; p = p->hh.next)
		n += p->learned && p->set && peer_in(p->set, q);
	return n;
}

size_t mirror_tables(const struct mirror *m, uint32_t *tables, size_t cap)
{
	size_t n = 0;

	for (; n < m->n_classes && n < cap; n++)
		tables[n] = m->classes[n].table;
	return n;
}

void mirror_each_group(const struct mirror *m,
		       void (*each)(void *ctx, const struct mirror_group_info *info),
		       void *ctx)
{
	for (const struct mgroup *g = m->groups; g; g = g->hh.next) {
		struct mirror_group_info info = {
			.peers = g->set->key,
			.class_name = m->classes[g->class_index].name,
			.family = g->family,
			.group = g->id,
			.installed = g->installed,
			.n_hops = g->n_hops,
			.hops = g->hops};

		each(ctx, &info);
	}
}

void mirror_each_prefix(const struct mirror *m,
			void (*each)(void *ctx, const struct prefix *prefix,
				     const char *peers, bool stale),
			void *ctx)
{
	for (const struct mprefix *p = m->prefixes; p; p = p->hh.next) {
		if (p->learned)
			each(ctx, &p->prefix, p->set ? p->set->key : "", p->stale);
	}
}

/* --- life ---------------------------------------------------------------------------------------- */

struct mirror *mirror_new(const struct mirror_ops *ops, void *ctx, uint32_t first_group)
{
	struct mirror *m = ed_alloc(sizeof(*m));

	m->ops = *ops;
	m->ctx = ctx;
	m->next_group = first_group;
	return m;
}

void mirror_free(struct mirror *m)
{
	struct mprefix *p;
	struct mprefix *next;
	struct mlink *l;
	struct mlink *next_link;

	if (!m)
		return;
	m->connected = false; /* what stands in zebra stays there */
	HASH_ITER (hh, m->prefixes, p, next)
		prefix_free(m, p);
	free_unused(m);
	clear_gateways(m);
	doomed_clear(m);
	HASH_ITER (hh, m->links, l, next_link) {
		HASH_DEL(m->links, l);
		free(l);
	}
	free_peers(&m->peers);
	free_classes(m->classes, m->n_classes);
	free(m);
}
