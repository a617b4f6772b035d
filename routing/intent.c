/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/intent.h"

#include <errno.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/text.h"
#include "routing/owned.h"

enum {
	STALE_S = 60,
	HOLD_S = 120,
	BGP_HOLD_S = 90,
	BGP_CONNECT_S = 5,
	BGP_RESTART_S = 120,
	BGP_PATHS = 16,
	SOCKET_DIR_MAX = 80, /* with the file's name it must fit sun_path */
};

/* --- memory ------------------------------------------------------------------- */

/* Arrays grow to powers of two: full when their number is one. */
static void *grow(void *v, size_t n, size_t size)
{
	if (n && (n & (n - 1)))
		return v;
	return ed_realloc(v, n ? n * 2 : 1, size);
}

#define APPEND(list, count, type)                      \
	((list) = grow((list), (count), sizeof(type)), \
	 memset(&(list)[(count)], 0, sizeof(type)), &(list)[(count)++])

void rt_prefixes_add(struct rt_prefixes *l, const struct prefix *p)
{
	struct prefix *slot = APPEND(l->v, l->n, struct prefix);

	*slot = *p;
}

struct rt_intent *rt_intent_new(const char *socket_dir)
{
	struct rt_intent *i = ed_alloc(sizeof(*i));

	i->socket_dir = ed_strdup(socket_dir);
	i->stale_s = STALE_S;
	i->hold_s = HOLD_S;
	i->bgp.hold_s = BGP_HOLD_S;
	i->bgp.connect_s = BGP_CONNECT_S;
	i->bgp.restart_s = BGP_RESTART_S;
	i->bgp.max_paths = BGP_PATHS;
	return i;
}

static void choice_fini(struct rt_choice *c)
{
	free(c->name);
	free(c->members);
}

void rt_peer_fini(struct rt_peer *p)
{
	for (size_t i = 0; i < p->n_tunnels; i++)
		free(p->tunnels[i].name);
	for (size_t i = 0; i < p->n_choices; i++)
		choice_fini(&p->choices[i]);
	free(p->name);
	free(p->networks.v);
	free(p->tunnels);
	free(p->choices);
	*p = (struct rt_peer){0};
}

static void bgp_fini(struct rt_bgp *b)
{
	for (size_t i = 0; i < b->n_neighbors; i++) {
		free(b->neighbors[i].tunnel);
		free(b->neighbors[i].accept.v);
	}
	free(b->neighbors);
	free(b->announce.v);
	free(b->accept.v);
	free(b->refuse.v);
}

void rt_intent_free(struct rt_intent *i)
{
	if (!i)
		return;
	for (size_t k = 0; k < i->n_classes; k++)
		free(i->classes[k].name);
	for (size_t k = 0; k < i->n_peers; k++)
		rt_peer_fini(&i->peers[k]);
	bgp_fini(&i->bgp);
	free(i->socket_dir);
	free(i->classes);
	free(i->peers);
	free(i);
}

struct rt_class_table *rt_intent_add_class(struct rt_intent *i, const char *name,
					   uint32_t table)
{
	struct rt_class_table *c = APPEND(i->classes, i->n_classes, *c);

	c->name = ed_strdup(name);
	c->table = table;
	return c;
}

struct rt_peer *rt_intent_add_peer(struct rt_intent *i, const char *name)
{
	struct rt_peer *p = APPEND(i->peers, i->n_peers, *p);

	p->name = ed_strdup(name);
	return p;
}

struct rt_tunnel *rt_peer_add_tunnel(struct rt_peer *p, const char *name,
				     const char *ifname)
{
	struct rt_tunnel *t = APPEND(p->tunnels, p->n_tunnels, *t);

	t->name = ed_strdup(name);
	snprintf(t->ifname, sizeof(t->ifname), "%s", ifname);
	return t;
}

struct rt_choice *rt_peer_add_choice(struct rt_peer *p, const char *class_name)
{
	struct rt_choice *c = APPEND(p->choices, p->n_choices, *c);

	c->name = ed_strdup(class_name);
	return c;
}

void rt_choice_add_member(struct rt_choice *c, uint16_t tunnel, uint8_t weight)
{
	struct rt_member *m = APPEND(c->members, c->n_members, *m);

	*m = (struct rt_member){.tunnel = tunnel, .weight = weight};
}

struct rt_neighbor *rt_bgp_add_neighbor(struct rt_bgp *b, const char *tunnel)
{
	struct rt_neighbor *n = APPEND(b->neighbors, b->n_neighbors, *n);

	n->tunnel = ed_strdup(tunnel);
	return n;
}

struct rt_peer *rt_intent_peer(struct rt_intent *i, const char *name)
{
	for (size_t k = 0; k < i->n_peers; k++) {
		if (!strcmp(i->peers[k].name, name))
			return &i->peers[k];
	}
	return NULL;
}

void rt_intent_replace_peer(struct rt_intent *i, struct rt_peer *p)
{
	struct rt_peer *old = rt_intent_peer(i, p->name);

	if (old)
		rt_peer_fini(old);
	else
		old = APPEND(i->peers, i->n_peers, *old);
	*old = *p;
	*p = (struct rt_peer){0};
}

/* --- to JSON ------------------------------------------------------------------ */

static void put_addr(json_t *o, const char *key, const struct addr *a)
{
	char buf[ADDR_STRLEN];

	if (a->family)
		json_object_set_new(o, key, json_string(addr_format(a, buf)));
}

static void put_int(json_t *o, const char *key, json_int_t v)
{
	json_object_set_new(o, key, json_integer(v));
}

static json_t *prefixes_to_json(const struct rt_prefixes *l)
{
	json_t *list = json_array();
	char buf[PREFIX_STRLEN];

	for (size_t i = 0; i < l->n; i++)
		json_array_append_new(list, json_string(prefix_format(&l->v[i], buf)));
	return list;
}

static json_t *tunnel_to_json(const struct rt_tunnel *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "name", json_string(t->name));
	json_object_set_new(o, "ifname", json_string(t->ifname));
	put_addr(o, "local", &t->local);
	put_addr(o, "peer", &t->peer);
	put_addr(o, "local6", &t->local6);
	put_addr(o, "peer6", &t->peer6);
	return o;
}

static json_t *choice_to_json(const struct rt_peer *p, const struct rt_choice *c)
{
	json_t *members = json_array();
	json_t *o = json_object();

	for (size_t i = 0; i < c->n_members; i++) {
		json_t *m = json_object();

		json_object_set_new(m, "tunnel",
				    json_string(p->tunnels[c->members[i].tunnel].name));
		put_int(m, "weight", c->members[i].weight);
		json_array_append_new(members, m);
	}
	json_object_set_new(o, "name", json_string(c->name));
	json_object_set_new(o, "members", members);
	return o;
}

struct json_t *rt_peer_to_json(const struct rt_peer *p)
{
	json_t *tunnels = json_array();
	json_t *choices = json_array();
	json_t *o = json_object();

	for (size_t i = 0; i < p->n_tunnels; i++)
		json_array_append_new(tunnels, tunnel_to_json(&p->tunnels[i]));
	for (size_t i = 0; i < p->n_choices; i++)
		json_array_append_new(choices, choice_to_json(p, &p->choices[i]));
	json_object_set_new(o, "name", json_string(p->name));
	json_object_set_new(o, "networks", prefixes_to_json(&p->networks));
	json_object_set_new(o, "tunnels", tunnels);
	json_object_set_new(o, "classes", choices);
	return o;
}

static json_t *bgp_to_json(const struct rt_bgp *b)
{
	json_t *neighbors = json_array();
	json_t *o = json_object();

	put_int(o, "asn", b->asn);
	put_addr(o, "router_id", &b->router_id);
	json_object_set_new(o, "announce", prefixes_to_json(&b->announce));
	json_object_set_new(o, "accept", prefixes_to_json(&b->accept));
	json_object_set_new(o, "refuse", prefixes_to_json(&b->refuse));
	put_int(o, "hold_s", b->hold_s);
	if (b->keepalive_s)
		put_int(o, "keepalive_s", b->keepalive_s);
	put_int(o, "connect_s", b->connect_s);
	put_int(o, "restart_s", b->restart_s);
	put_int(o, "max_paths", b->max_paths);
	for (size_t i = 0; i < b->n_neighbors; i++) {
		const struct rt_neighbor *n = &b->neighbors[i];
		json_t *js = json_object();

		json_object_set_new(js, "tunnel", json_string(n->tunnel));
		put_addr(js, "peer", &n->peer);
		put_addr(js, "local", &n->local);
		put_int(js, "asn", n->asn);
		json_object_set_new(js, "accept", prefixes_to_json(&n->accept));
		put_int(js, "hold_s", n->hold_s);
		if (n->keepalive_s)
			put_int(js, "keepalive_s", n->keepalive_s);
		json_array_append_new(neighbors, js);
	}
	json_object_set_new(o, "neighbors", neighbors);
	return o;
}

struct json_t *rt_intent_to_json(const struct rt_intent *i)
{
	json_t *frr = json_object();
	json_t *classes = json_array();
	json_t *peers = json_array();
	json_t *o = json_object();

	json_object_set_new(frr, "socket_dir", json_string(i->socket_dir));
	put_int(frr, "stale_s", i->stale_s);
	put_int(frr, "hold_s", i->hold_s);
	for (size_t k = 0; k < i->n_classes; k++) {
		json_t *c = json_object();

		json_object_set_new(c, "name", json_string(i->classes[k].name));
		put_int(c, "table", i->classes[k].table);
		json_array_append_new(classes, c);
	}
	for (size_t k = 0; k < i->n_peers; k++)
		json_array_append_new(peers, rt_peer_to_json(&i->peers[k]));
	json_object_set_new(o, "wait", json_boolean(i->wait));
	json_object_set_new(o, "frr", frr);
	json_object_set_new(o, "classes", classes);
	json_object_set_new(o, "peers", peers);
	json_object_set_new(o, "bgp", bgp_to_json(&i->bgp));
	return o;
}

/* --- from JSON ---------------------------------------------------------------- */

/* The first fault wins: later ones are its consequences. */
struct reader {
	char *why;
	size_t cap;
	bool bad;
};

static void fault(struct reader *r, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void fault(struct reader *r, const char *fmt, ...)
{
	va_list ap;

	if (!r->bad && r->cap) {
		va_start(ap, fmt);
		vsnprintf(r->why, r->cap, fmt, ap);
		va_end(ap);
	}
	r->bad = true;
}

/* A name for people: not empty, not too long, printable, no line breaks. */
static const char *get_name(struct reader *r, const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	size_t len = s ? strlen(s) : 0;

	if (!len || len > RT_INTENT_NAME_MAX) {
		fault(r, "%s: a name is missing or too long", key);
		return NULL;
	}
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f) {
			fault(r, "%s: a name holds a control character", key);
			return NULL;
		}
	}
	return s;
}

/* A number from min to max, or fallback when it is not there. */
static json_int_t get_int(struct reader *r, const json_t *o, const char *key,
			  json_int_t fallback, json_int_t min, json_int_t max)
{
	const json_t *js = json_object_get(o, key);
	json_int_t v = json_integer_value(js);

	if (!js)
		return fallback;
	if (!json_is_integer(js) || v < min || v > max) {
		fault(r, "%s: not a number from %lld to %lld", key, (long long)min,
		      (long long)max);
		return fallback;
	}
	return v;
}

/* An address of the family, or of any (0); none when it is not there. */
static void get_addr(struct reader *r, const json_t *o, const char *key, uint8_t family,
		     struct addr *ret)
{
	const json_t *js = json_object_get(o, key);
	struct addr a;

	*ret = (struct addr){0};
	if (!js)
		return;
	if (!json_is_string(js) || addr_parse(json_string_value(js), &a) < 0 ||
	    (family && a.family != family)) {
		fault(r, "%s: not an address", key);
		return;
	}
	*ret = a;
}

/* The array key, of at most max elements; an empty one when it is not there. */
static size_t get_list(struct reader *r, const json_t *o, const char *key, size_t max,
		       const json_t **ret)
{
	*ret = json_object_get(o, key);
	if (!*ret)
		return 0;
	if (!json_is_array(*ret) || json_array_size(*ret) > max) {
		fault(r, "%s: not a list of at most %zu", key, max);
		return 0;
	}
	return json_array_size(*ret);
}

static void get_prefixes(struct reader *r, const json_t *o, const char *key, size_t max,
			 struct rt_prefixes *ret)
{
	const json_t *list;
	size_t n = get_list(r, o, key, max, &list);

	for (size_t i = 0; i < n && !r->bad; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		struct prefix p;

		if (!text || prefix_parse(text, &p) < 0)
			fault(r, "%s: not a prefix", key);
		else
			rt_prefixes_add(ret, &p);
	}
}

static void get_tunnel(struct reader *r, const json_t *o, struct rt_peer *p)
{
	const char *name = get_name(r, o, "name");
	const char *ifname = get_name(r, o, "ifname");
	struct rt_tunnel *t;

	if (!name || !ifname)
		return;
	if (strlen(ifname) >= IF_NAMESIZE || strpbrk(ifname, " /")) {
		fault(r, "%s: '%s' is no interface name", name, ifname);
		return;
	}
	t = rt_peer_add_tunnel(p, name, ifname);
	get_addr(r, o, "local", AF_INET, &t->local);
	get_addr(r, o, "peer", AF_INET, &t->peer);
	get_addr(r, o, "local6", AF_INET6, &t->local6);
	get_addr(r, o, "peer6", AF_INET6, &t->peer6);
}

static void get_member(struct reader *r, const json_t *o, const struct rt_peer *p,
		       struct rt_choice *c)
{
	const char *name = get_name(r, o, "tunnel");
	uint8_t weight = (uint8_t)get_int(r, o, "weight", 1, 1, RT_WEIGHT_MAX);

	for (size_t i = 0; name && i < p->n_tunnels; i++) {
		if (!strcmp(p->tunnels[i].name, name)) {
			rt_choice_add_member(c, (uint16_t)i, weight);
			return;
		}
	}
	if (name)
		fault(r, "%s: member '%s' is none of its tunnels", p->name, name);
}

static void get_choice(struct reader *r, const json_t *o, struct rt_peer *p)
{
	const char *name = get_name(r, o, "name");
	struct rt_choice *c;
	const json_t *list;
	size_t n;

	if (!name)
		return;
	c = rt_peer_add_choice(p, name);
	n = get_list(r, o, "members", RT_INTENT_TUNNELS_MAX, &list);
	for (size_t i = 0; i < n && !r->bad; i++)
		get_member(r, json_array_get(list, i), p, c);
}

static void get_peer(struct reader *r, const json_t *o, struct rt_peer *p)
{
	const char *name = get_name(r, o, "name");
	const json_t *list;
	size_t n;

	if (!name)
		return;
	p->name = ed_strdup(name);
	get_prefixes(r, o, "networks", RT_INTENT_NETWORKS_MAX, &p->networks);
	n = get_list(r, o, "tunnels", RT_INTENT_TUNNELS_MAX, &list);
	for (size_t i = 0; i < n && !r->bad; i++)
		get_tunnel(r, json_array_get(list, i), p);
	n = get_list(r, o, "classes", RT_CLASSES_MAX, &list);
	for (size_t i = 0; i < n && !r->bad; i++)
		get_choice(r, json_array_get(list, i), p);
}

static void get_neighbor(struct reader *r, const json_t *o, struct rt_bgp *b)
{
	const char *tunnel = get_name(r, o, "tunnel");
	struct rt_neighbor *n;

	if (!tunnel)
		return;
	n = rt_bgp_add_neighbor(b, tunnel);
	get_addr(r, o, "peer", 0, &n->peer);
	get_addr(r, o, "local", 0, &n->local);
	n->asn = (uint32_t)get_int(r, o, "asn", 0, 1, UINT32_MAX);
	get_prefixes(r, o, "accept", RT_INTENT_PREFIXES_MAX, &n->accept);
	n->hold_s = (uint16_t)get_int(r, o, "hold_s", 0, 0, 65535);
	n->keepalive_s = (uint16_t)get_int(r, o, "keepalive_s", 0, 0, 65535);
	if (!n->asn || !n->peer.family || n->peer.family != n->local.family)
		fault(r, "%s: a neighbor needs an asn and addresses of one family",
		      tunnel);
}

static void get_bgp(struct reader *r, const json_t *o, struct rt_bgp *b)
{
	const json_t *list;
	size_t n;

	b->asn = (uint32_t)get_int(r, o, "asn", 0, 0, UINT32_MAX);
	get_addr(r, o, "router_id", AF_INET, &b->router_id);
	get_prefixes(r, o, "announce", RT_INTENT_PREFIXES_MAX, &b->announce);
	get_prefixes(r, o, "accept", RT_INTENT_PREFIXES_MAX, &b->accept);
	get_prefixes(r, o, "refuse", RT_INTENT_PREFIXES_MAX, &b->refuse);
	b->hold_s = (uint16_t)get_int(r, o, "hold_s", b->hold_s, 3, 65535);
	b->keepalive_s = (uint16_t)get_int(r, o, "keepalive_s", 0, 0, 65535);
	b->connect_s = (uint16_t)get_int(r, o, "connect_s", b->connect_s, 1, 65535);
	b->restart_s = (uint16_t)get_int(r, o, "restart_s", b->restart_s, 1, 4095);
	b->max_paths = (uint16_t)get_int(r, o, "max_paths", b->max_paths, 1, 64);
	n = get_list(r, o, "neighbors", RT_INTENT_NEIGHBORS_MAX, &list);
	for (size_t i = 0; i < n && !r->bad; i++)
		get_neighbor(r, json_array_get(list, i), b);
	if (!r->bad && b->asn && !b->router_id.family)
		fault(r, "bgp: a router_id is needed");
}

static void get_classes(struct reader *r, const json_t *js, struct rt_intent *i)
{
	const json_t *list;
	size_t n = get_list(r, js, "classes", RT_CLASSES_MAX, &list);

	for (size_t k = 0; k < n && !r->bad; k++) {
		const json_t *o = json_array_get(list, k);
		const char *name = get_name(r, o, "name");
		json_int_t table = get_int(r, o, "table", 0, RT_TABLE_CLASS,
					   RT_TABLE_CLASS + RT_CLASSES_MAX - 1);

		if (!r->bad && !table)
			fault(r, "classes: %s has no table", name);
		if (!r->bad)
			rt_intent_add_class(i, name, (uint32_t)table);
	}
}

static void get_peers(struct reader *r, const json_t *js, struct rt_intent *i)
{
	const json_t *list;
	size_t n = get_list(r, js, "peers", RT_INTENT_PEERS_MAX, &list);

	for (size_t k = 0; k < n && !r->bad; k++) {
		struct rt_peer *p = APPEND(i->peers, i->n_peers, *p);

		get_peer(r, json_array_get(list, k), p);
	}
}

int rt_intent_from_json(const struct json_t *js, struct rt_intent **ret, char *why,
			size_t cap)
{
	struct reader r = {.why = why, .cap = cap};
	const json_t *frr = json_object_get(js, "frr");
	const char *dir = get_name(&r, frr, "socket_dir");
	struct rt_intent *i = rt_intent_new(dir ? dir : "");

	if (dir && (dir[0] != '/' || strlen(dir) > SOCKET_DIR_MAX))
		fault(&r, "frr: socket_dir is no absolute path, or too long");
	i->wait = json_is_true(json_object_get(js, "wait"));
	i->stale_s = (uint16_t)get_int(&r, frr, "stale_s", i->stale_s, 1, 3600);
	i->hold_s = (uint16_t)get_int(&r, frr, "hold_s", i->hold_s, 0, 3600);
	get_classes(&r, js, i);
	get_peers(&r, js, i);
	get_bgp(&r, json_object_get(js, "bgp"), &i->bgp);
	if (r.bad) {
		rt_intent_free(i);
		return -EINVAL;
	}
	*ret = i;
	return 0;
}

int rt_peer_from_json(const struct json_t *js, struct rt_peer *ret, char *why,
		      size_t cap)
{
	struct reader r = {.why = why, .cap = cap};
	struct rt_peer p = {0};

	get_peer(&r, js, &p);
	if (r.bad) {
		rt_peer_fini(&p);
		return -EINVAL;
	}
	*ret = p;
	return 0;
}
