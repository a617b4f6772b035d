/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is different between two configurations, setting by setting, by walking
 * the schema over both. What config_load() filled in from elsewhere (the uplinks
 * of an end point without `via`, the end point of a peer's own address) is no
 * setting and is passed over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "edged/config/config.h"
#include "edged/config/schema.h"
#include "lib/alloc.h"
#include "lib/conf.h"
#include "lib/secret.h"
#include "lib/text.h"

enum { PATH_LEN = 320, VALUE_LEN = 512 }; /* bytes; longer lists are cut */

struct diff {
	void (*fn)(void *ctx, const struct config_change *change);
	void *ctx;
	size_t calls;
	struct config_change now; /* object, name and setting of where the walk is */
};

/* An object of a map, by name. */
struct named {
	const char *name;
	const char *object;
	UT_hash_handle hh;
};

/* Which object a row of the top level belongs to. */
static const struct {
	const char *row;
	enum config_object object;
} objects[] = {
	{"uplinks", CONFIG_OBJ_UPLINK},	   {"peers", CONFIG_OBJ_PEER},
	{"classes", CONFIG_OBJ_CLASS},	   {"bgp", CONFIG_OBJ_BGP},
	{"frr", CONFIG_OBJ_FRR},	   {"probe", CONFIG_OBJ_PROBE},
	{"steering", CONFIG_OBJ_STEERING}, {"web", CONFIG_OBJ_WEB},
};

static void say(struct diff *d, enum config_change_kind kind, int cost,
		const char *setting, const char *from, const char *to)
{
	d->now.kind = kind;
	d->now.cost = (enum config_cost)cost;
	d->now.setting = setting;
	d->now.from = from;
	d->now.to = to;
	d->calls++;
	if (d->fn)
		d->fn(d->ctx, &d->now);
}

static struct conf_list list_of(const struct conf_row *row, const char *base)
{
	struct conf_list list;

	memcpy(&list, base + row->offset, sizeof(list));
	return list;
}

static const char *name_of(const struct conf_schema *schema, const char *object)
{
	return *(char *const *)(const void *)(object + schema->name_offset);
}

static void walk(struct diff *d, const struct conf_schema *schema, const char *path,
		 const char *a, const char *b);

static void diff_value(struct diff *d, const struct conf_row *row, const char *path,
		       const char *a, const char *b)
{
	char from[VALUE_LEN];
	char to[VALUE_LEN];
	struct text f = text_init(from, sizeof(from));
	struct text t = text_init(to, sizeof(to));

	if (conf_equal(row, a, b))
		return;
	if (row->shape != CONF_ITEMS) {
		conf_format(row, a, &f);
		conf_format(row, b, &t);
	} else {
		text_add(&f, "%zu patterns", list_of(row, a).n);
		text_add(&t, "%zu patterns", list_of(row, b).n);
	}
	say(d, CONFIG_CHANGED, row->cost, path, from, to);
}

static struct named *names_of(const struct conf_schema *schema, struct conf_list list)
{
	struct named *names = NULL;

	for (size_t i = 0; i < list.n; i++) {
		struct named *n = ed_alloc(sizeof(*n));

		n->object = (const char *)list.v + i * schema->size;
		n->name = name_of(schema, n->object);
		HASH_ADD_KEYPTR(hh, names, n->name, strlen(n->name), n);
	}
	return names;
}

static void names_free(struct named *names)
{
	struct named *n;
	struct named *tmp;

	HASH_ITER (hh, names, n, tmp) {
		HASH_DEL(names, n);
		free(n);
	}
}

/* The objects of mine that are not in others, or (changed) that are. */
static void diff_objects(struct diff *d, const struct conf_row *row, const char *path,
			 struct named *mine, struct named *others, bool top,
			 enum config_change_kind kind)
{
	struct named *n;
	struct named *tmp;

	HASH_ITER (hh, mine, n, tmp) {
		char sub[PATH_LEN + CONFIG_NAME_MAX];
		struct named *other;

		HASH_FIND_STR(others, n->name, other);
		/* The one without a name is derived. */
		if (!n->name[0] || (kind == CONFIG_CHANGED) != (other != NULL))
			continue;
		snprintf(sub, sizeof(sub), "%s.%s", path, n->name);
		if (top)
			d->now.name = n->name;
		if (other)
			walk(d, row->sub, sub, other->object, n->object);
		else
			say(d, kind, top ? CONFIG_COST_LIVE : row->cost, sub, "", "");
	}
}

/* Removed objects, then changed ones, then new ones. */
static void diff_map(struct diff *d, const struct conf_row *row, const char *path,
		     const char *a, const char *b, bool top)
{
	struct named *old = names_of(row->sub, list_of(row, a));
	struct named *new = names_of(row->sub, list_of(row, b));

	diff_objects(d, row, path, old, new, top, CONFIG_REMOVED);
	diff_objects(d, row, path, new, old, top, CONFIG_CHANGED);
	diff_objects(d, row, path, new, old, top, CONFIG_ADDED);
	names_free(old);
	names_free(new);
}

/* Order decides which class a packet belongs to. */
static bool same_order(const struct conf_row *row, const char *a, const char *b)
{
	struct conf_list l = list_of(row, a);
	struct conf_list m = list_of(row, b);

	if (l.n != m.n)
		return true; /* told by what was added or removed */
	for (size_t i = 0; i < l.n; i++)
		if (strcmp(name_of(row->sub, (char *)l.v + i * row->sub->size),
			   name_of(row->sub, (char *)m.v + i * row->sub->size)) != 0)
			return false;
	return true;
}

/* Filled in by config_load() on both sides: not what anybody wrote. */
static bool derived(const struct conf_row *row, const struct conf_schema *schema,
		    const char *a, const char *b)
{
	const struct config_endpoint *x = (const void *)a;
	const struct config_endpoint *y = (const void *)b;

	if (row->flags & (CONF_INTERNAL | CONF_LATER))
		return true;
	return x && y && strcmp(schema->what, "tunnel") == 0 &&
	       strcmp(row->name, "via") == 0 && x->via_default && y->via_default;
}

static void diff_row(struct diff *d, const struct conf_schema *schema,
		     const struct conf_row *row, const char *path, const char *a,
		     const char *b)
{
	bool top = schema == &config_schema;
	char sub[PATH_LEN];

	snprintf(sub, sizeof(sub), "%s%s%s", path, *path ? "." : "", row->name);
	if (row->shape == CONF_SECTION)
		walk(d, row->sub, sub, a + row->offset, b + row->offset);
	else if (row->shape == CONF_MAP)
		diff_map(d, row, sub, a, b, top);
	else
		diff_value(d, row, sub, a, b);
	if (top && d->now.object == CONFIG_OBJ_CLASS && !same_order(row, a, b)) {
		d->now.name = "";
		say(d, CONFIG_CHANGED, CONFIG_COST_LIVE, "classes", "one order",
		    "another");
	}
}

static void walk(struct diff *d, const struct conf_schema *schema, const char *path,
		 const char *a, const char *b)
{
	for (const struct conf_row *r = schema->rows; r->name; r++)
		if (!derived(r, schema, a, b))
			diff_row(d, schema, r, path, a, b);
}

static enum config_object object_of(const struct conf_row *row)
{
	for (size_t i = 0; i < ARRAY_LEN(objects); i++)
		if (strcmp(objects[i].row, row->name) == 0)
			return objects[i].object;
	return CONFIG_OBJ_SITE;
}

/* Both lists are in order of names. */
static void diff_secrets(struct diff *d, const struct config_secrets *a,
			 const struct config_secrets *b)
{
	size_t i = 0;
	size_t k = 0;

	d->now.object = CONFIG_OBJ_SECRET;
	/* Ends: each round takes one of either list. */
	while (i < a->n || k < b->n) {
		int order = i == a->n	? 1
			    : k == b->n ? -1
					: strcmp(a->v[i].name, b->v[k].name);
		const struct secret *x = order <= 0 ? a->v[i].value : NULL;
		const struct secret *y = order >= 0 ? b->v[k].value : NULL;
		char path[PATH_LEN];

		d->now.name = order <= 0 ? a->v[i].name : b->v[k].name;
		snprintf(path, sizeof(path), "secrets.%s", d->now.name);
		if (!y)
			say(d, CONFIG_REMOVED, CONFIG_COST_TUNNEL, path, "", "");
		else if (!x)
			say(d, CONFIG_ADDED, CONFIG_COST_TUNNEL, path, "", "");
		else if (x->len != y->len || !secret_equal(x->bytes, y->bytes, x->len))
			say(d, CONFIG_CHANGED, CONFIG_COST_TUNNEL, path, "", "");
		i += order <= 0;
		k += order >= 0;
	}
}

size_t config_diff(const struct config *from, const struct config *to,
		   void (*fn)(void *ctx, const struct config_change *change), void *ctx)
{
	struct diff d = {.fn = fn, .ctx = ctx};

	/* The table's order is that of enum config_object: the site's own rows first. */
	for (const struct conf_row *r = config_schema.rows; r->name; r++) {
		d.now.object = object_of(r);
		d.now.name = "";
		if (!derived(r, &config_schema, NULL, NULL))
			diff_row(&d, &config_schema, r, "", (const char *)from,
				 (const char *)to);
	}
	diff_secrets(&d, &from->secrets, &to->secrets);
	return d.calls;
}

const char *config_cost_name(enum config_cost cost)
{
	switch (cost) {
	case CONFIG_COST_LIVE:
		return "live";
	case CONFIG_COST_PROBE:
		return "starts probing anew";
	case CONFIG_COST_BGP:
		return "restarts BGP sessions";
	case CONFIG_COST_TUNNEL:
		return "restarts tunnels";
	case CONFIG_COST_DAEMON:
		return "needs a restart of edged";
	}
	return "?";
}
