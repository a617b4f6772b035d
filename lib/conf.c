/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk: a tree of nodes on one side, a schema on the other.
 *
 * It follows the schema, never the file, so a file cannot make it recurse
 * deeper than the schema does. Lists and maps are allocated once, at the size
 * the file has, so that the address of a value names it for good: that is how
 * later checks find its place.
 */
#include "lib/conf.h"

#include <assert.h>
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uthash.h>

#include "lib/alloc.h"
#include "lib/conf_report.h"
#include "lib/text.h"

enum { QUOTE_MAX = 60, VALUE_MAX = 64, SECRET_COLUMN_MAX = 1000 };

/* The place of a value, by its address. */
struct place {
	const void *value;
	const struct conf_node *node;
	bool hollow; /* an object whose settings could not be read */
	UT_hash_handle hh;
};

struct conf {
	struct conf_doc *doc;
	const struct conf_schema *top;
	struct place *places;
};

/* Where the walk is, for messages: "uplink 'isp2'". */
struct at {
	const struct at *up;
	const char *what;
	const char *name; /* NULL in a section */
};

static void walk_block(struct conf *c, const struct conf_schema *schema,
		       const struct conf_node *node, const struct conf_node *named,
		       void *base, const struct at *at);

/* --- places and messages -------------------------------------------------- */

struct conf *conf_new(struct conf_doc *doc)
{
	struct conf *c = ed_alloc(sizeof(*c));

	c->doc = doc;
	return c;
}

void conf_free(struct conf *c)
{
	struct place *p;
	struct place *tmp;

	if (!c)
		return;
	HASH_ITER (hh, c->places, p, tmp) {
		HASH_DEL(c->places, p);
		free(p);
	}
	free(c);
}

bool conf_whole(const struct conf *c)
{
	return !c->doc->broken;
}

const struct conf_node *conf_place(const struct conf *c, const void *value)
{
	struct place *p;

	HASH_FIND_PTR(c->places, &value, p);
	return p ? p->node : NULL;
}

static void remember(struct conf *c, const void *value, const struct conf_node *node)
{
	struct place *p;

	HASH_FIND_PTR(c->places, &value, p);
	if (!p) {
		p = ed_alloc(sizeof(*p));
		p->value = value;
		HASH_ADD_PTR(c->places, value, p);
	}
	p->node = node;
}

/* Nothing more can be said about this object: later checks pass it over. */
static void mark_hollow(struct conf *c, const void *object)
{
	struct place *p;

	HASH_FIND_PTR(c->places, &object, p);
	if (p)
		p->hollow = true;
}

void conf_place_copy(struct conf *c, const void *to, const void *from)
{
	const struct conf_node *node = conf_place(c, from);

	if (node)
		remember(c, to, node);
}

void conf_place_move(struct conf *c, const void *to, const void *from)
{
	struct place *p;

	conf_place_copy(c, to, from);
	HASH_FIND_PTR(c->places, &from, p);
	if (!p)
		return;
	HASH_DEL(c->places, p);
	free(p);
}

void conf_error(struct conf *c, const void *value, const char *fmt, ...)
{
	const struct conf_node *n = conf_place(c, value);
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_doc_error(c->doc, n ? n->line : 0, n ? n->column : 0, "%s", text);
}

void conf_warn(struct conf *c, const void *value, const char *fmt, ...)
{
	const struct conf_node *n = conf_place(c, value);
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_doc_warn(c->doc, n ? n->line : 0, n ? n->column : 0, "%s", text);
}

char *conf_quote(const char *text, char *buf, size_t size)
{
	struct text t = text_init(buf, size < QUOTE_MAX ? size : QUOTE_MAX);
	size_t len = strlen(text);

	/* Ends: each round takes at least one byte. */
	for (size_t i = 0; i < len && !t.full;) {
		size_t n = conf_report_char(text + i, len - i);

		if (n > 1)
			text_add(&t, "%.*s", (int)n, text + i);
		else
			text_escape(&t, text + i, 1);
		i += n ? n : 1;
	}
	if (t.full && t.cap > 4)
		memcpy(buf + t.cap - 4, "...", 4);
	return buf;
}

/* " in uplink 'isp2'", or nothing at the top. */
static void put_at(struct text *t, const struct at *at)
{
	char name[QUOTE_MAX];

	if (!at || !at->what[0])
		return;
	text_add(t, " in %s", at->what);
	if (at->name)
		text_add(t, " '%s'", conf_quote(at->name, name, sizeof(name)));
}

static void node_error(struct conf *c, const struct conf_node *n, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void node_error(struct conf *c, const struct conf_node *n, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	conf_doc_error(c->doc, n->line, n->column, "%s", text);
}

/* --- names that are not known --------------------------------------------- */

const struct conf_row *conf_row(const struct conf_schema *schema, const char *name)
{
	for (const struct conf_row *r = schema->rows; r->name; r++)
		if (!(r->flags & CONF_INTERNAL) && strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

/* max_delay and Max-Delay are the usual ways to miss max-delay. */
static void plain_name(const char *name, char *buf, size_t size)
{
	size_t n = 0;

	for (; name[n] && n + 1 < size; n++)
		buf[n] = name[n] == '_' ? '-' : (char)tolower((unsigned char)name[n]);
	buf[n] = '\0';
}

static bool in_words(const char *words, const char *word)
{
	size_t len = strlen(word);
	const char *s = words;

	/* Ends: each round takes one word. */
	while (s && *s) {
		size_t n = strcspn(s, " ");

		if (n == len && memcmp(s, word, n) == 0)
			return true;
		s += n + strspn(s + n, " ");
	}
	return false;
}

unsigned int conf_distance(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] && a[i] == b[i])
		i++;
	if (a[i] && a[i + 1] && b[i] && a[i] == b[i + 1] && a[i + 1] == b[i] &&
	    strcmp(a + i + 2, b + i + 2) == 0)
		return 1;
	return text_distance(a, b);
}

bool conf_near(const char *name, unsigned int distance)
{
	return distance <= (strlen(name) + 1) / 3;
}

static const struct conf_row *similar(const struct conf_schema *schema,
				      const char *name)
{
	const struct conf_row *best = NULL;
	unsigned int least = ~0u;
	char plain[64];

	plain_name(name, plain, sizeof(plain));
	for (const struct conf_row *r = schema->rows; r->name; r++) {
		unsigned int d = conf_distance(plain, r->name);

		if (r->flags & (CONF_INTERNAL | CONF_LATER))
			continue;
		if (in_words(r->alias, plain))
			return r;
		if (d < least) {
			least = d;
			best = r;
		}
	}
	return conf_near(plain, least) ? best : NULL;
}

static const char *article(const char *noun)
{
	return strchr("aeiou", noun[0]) ? "an " : "a ";
}

/* "cost:20" or "cost 20" in braces: the setting that is meant, and its value. */
static const struct conf_row *glued(const struct conf_schema *schema, const char *text,
				    char *value, size_t size)
{
	size_t len = strcspn(text, ": ");
	char name[64];

	if (!text[len] || !text[len + 1] || len >= sizeof(name))
		return NULL;
	memcpy(name, text, len);
	name[len] = '\0';
	if (conf_row(schema, name))
		conf_quote(text + len + 1, value, size);
	return conf_row(schema, name);
}

/* Where else a setting of this name is known: " in a peer, bgp". */
static void elsewhere(const struct conf_schema *schema, const char *name,
		      struct text *t, unsigned int depth)
{
	if (depth > 4)
		return;
	for (const struct conf_row *r = schema->rows; r->name; r++) {
		if (r->flags & (CONF_INTERNAL | CONF_LATER))
			continue;
		if (strcmp(r->name, name) == 0) {
			char where[64];

			snprintf(where, sizeof(where), "%s%s",
				 schema->size ? article(schema->what) : "",
				 schema->what);
			text_list(t, ", ", schema->what[0] ? where : "the top level");
		}
		if (r->sub)
			elsewhere(r->sub, name, t, depth + 1);
	}
}

static void unknown(struct conf *c, const struct conf_schema *schema,
		    const struct conf_node *key, void *base, const struct at *at)
{
	const struct conf_row *near;
	char name[QUOTE_MAX];
	char buf[512];
	char others[160] = "";
	char value[QUOTE_MAX] = "";
	struct text t = text_init(buf, sizeof(buf));
	struct text o = text_init(others, sizeof(others));

	near = glued(schema, key->text, value, sizeof(value));
	if (near) {
		conf_report_odd(key->text, false, &o);
		node_error(c, key, "%s is missing: '%s: %s'%s",
			   strchr(key->text, ':') ? "a space behind the colon"
						  : "a colon",
			   near->name, value, others);
		remember(c, (char *)base + near->offset, key);
		return;
	}
	near = similar(schema, key->text);
	text_add(&t, "unknown setting '%s'", conf_quote(key->text, name, sizeof(name)));
	put_at(&t, at);
	if (near) {
		text_add(&t, ", did you mean '%s'?", near->name);
		/* It is meant to be there: nobody complains that it is missing. */
		if (near->shape != CONF_SECTION)
			remember(c, (char *)base + near->offset, key);
	} else {
		elsewhere(c->top, key->text, &o, 0);
		if (o.len)
			text_add(&t, " (it is a setting of %s)", others);
	}
	conf_report_odd(key->text, !near, &t);
	node_error(c, key, "%s", buf);
}

/* --- values --------------------------------------------------------------- */

static bool no_value(const struct conf_node *n)
{
	return n->kind == CONF_SCALAR && n->plain && !n->text[0];
}

/* "- 2001:db8::" reads as a block with the name "2001:db8:". */
static bool bare_address(const struct conf_node *n)
{
	const char *s;
	size_t len;

	if (n->kind != CONF_MAPPING || n->n < 2 || n->child[0]->kind != CONF_SCALAR ||
	    !n->child[0]->plain)
		return false;
	s = n->child[0]->text;
	len = strlen(s);
	return len > 1 && s[len - 1] == ':' &&
	       strspn(s, "0123456789abcdefABCDEF:") == len;
}

/* A node of the wrong kind where one value belongs. */
static void not_a_value(struct conf *c, const struct conf_row *row,
			const struct conf_node *n)
{
	if (bare_address(n))
		node_error(c, n,
			   "put the address in quotes, since it ends in '::': \"%s:\"",
			   c->doc->secret ? "..." : n->child[0]->text);
	else if (n->kind == CONF_SEQUENCE)
		node_error(c, n, "%s takes one value, not a list", row->name);
	else
		node_error(c, n, "%s takes %s, not a block of settings", row->name,
			   row->kind->form);
}

static bool within(const struct conf_row *row, const void *value)
{
	uint64_t v;

	memcpy(&v, value, sizeof(v));
	if (!row->kind->number || (row->min == 0 && row->max == 0))
		return true;
	if (v == 0 && (row->flags & CONF_OFF))
		return true;
	return v >= row->min && v <= row->max;
}

static void put_limits(const struct conf_row *row, struct text *t)
{
	struct conf_row plain = *row;

	plain.flags = 0;
	row->kind->format(&plain, &row->min, t);
	text_add(t, " to ");
	row->kind->format(&plain, &row->max, t);
	if (row->flags & CONF_OFF)
		text_add(t, ", or off");
}

/* Why a value is not what it looks like. */
static void put_hint(const struct conf_node *n, struct text *why)
{
	size_t len = strlen(n->text);

	if (n->plain && strchr(n->text, '#'))
		text_add(why, "; a comment needs a space before its '#'");
	else if (!n->plain && len && n->text[len - 1] == '\n')
		text_add(why, "; '|' and '>' make a block of text: write the value "
			      "behind the colon");
	else
		conf_report_odd(n->text, false, why);
}

/* One scalar into dest; false after a message. */
static bool walk_scalar(struct conf *c, const struct conf_row *row,
			const struct conf_node *n, void *dest)
{
	char value[QUOTE_MAX];
	char buf[512];
	struct text why = text_init(buf, sizeof(buf));

	if (n->refused)
		return false;
	if (n->kind != CONF_SCALAR) {
		not_a_value(c, row, n);
		return false;
	}
	conf_quote(n->text, value, sizeof(value));
	if (!n->text[0]) {
		node_error(c, n, "%s has no value: it takes %s", row->name,
			   row->kind->form);
		return false;
	}
	if (!row->kind->parse(row, n->text, dest, &why)) {
		if (n->more_line) {
			conf_doc_error(
				c->doc, n->more_line, n->more_column,
				"this line is read as a part of the value of '%s' on "
				"line %u: look at its indentation",
				row->name, n->line);
			return false;
		}
		put_hint(n, &why);
		if (row->shape == CONF_LIST && strchr(n->text, ',') && n->plain)
			node_error(c, n, "%s: a list stands in brackets: [%s]",
				   row->name, value);
		else
			node_error(c, n, "%s: '%s' %s", row->name, value, buf);
		return false;
	}
	if (within(row, dest))
		return true;
	put_limits(row, &why);
	node_error(c, n, "%s: %s is out of range (%s)", row->name, value, buf);
	return false;
}

/* True when two parsed values of a kind are the same. */
static bool same(const struct conf_kind *kind, const void *a, const void *b)
{
	if (kind->string) {
		const char *x = *(char *const *)a;
		const char *y = *(char *const *)b;

		return x == y || (x && y && strcmp(x, y) == 0);
	}
	return memcmp(a, b, kind->size) == 0;
}

static void free_scalar(const struct conf_kind *kind, void *v)
{
	if (kind->string)
		free(*(char **)v);
	memset(v, 0, kind->size);
}

/* Write a list's header into the struct. */
static void set_list(void *dest, void *v, size_t n)
{
	struct conf_list list = {.v = n ? v : NULL, .n = n};

	if (n == 0)
		free(v);
	memcpy(dest, &list, sizeof(list));
}

static struct conf_list get_list(const void *src)
{
	struct conf_list list;

	memcpy(&list, src, sizeof(list));
	return list;
}

static void walk_list(struct conf *c, const struct conf_row *row,
		      const struct conf_node *n, void *dest)
{
	size_t size = row->kind->size;
	size_t count = n->kind == CONF_SEQUENCE ? n->n : 1;
	size_t used = 0;
	char *v;

	if (n->refused || (count == 0 && !conf_whole(c)))
		return;
	if (n->kind == CONF_MAPPING || no_value(n)) {
		if (no_value(n))
			node_error(c, n,
				   "%s has no value: it takes %s, or a list [a, b]",
				   row->name, row->kind->form);
		else
			not_a_value(c, row, n);
		return;
	}
	if (count == 0) {
		node_error(c, n, "%s is an empty list: take the line out, or fill it",
			   row->name);
		return;
	}
	if (row->most && count > row->most) {
		node_error(c, n, "%s holds %zu values, at most %zu are possible",
			   row->name, count, row->most);
		return;
	}
	v = ed_array(count, size);
	for (size_t i = 0; i < count; i++) {
		const struct conf_node *item =
			n->kind == CONF_SEQUENCE ? n->child[i] : n;
		void *slot = v + used * size;
		bool twice = false;
		char value[QUOTE_MAX];

		if (!walk_scalar(c, row, item, slot)) {
			memset(slot, 0, size);
			continue;
		}
		for (size_t k = 0; k < used && !twice; k++)
			twice = same(row->kind, v + k * size, slot);
		if (twice) {
			node_error(c, item, "%s: '%s' stands in the list twice",
				   row->name,
				   conf_quote(item->text, value, sizeof(value)));
			free_scalar(row->kind, slot);
			continue;
		}
		remember(c, slot, item);
		used++;
	}
	set_list(dest, v, used);
}

/* What a map or section is given instead of a block. */
static void not_a_block(struct conf *c, const char *name, const struct conf_node *n,
			const char *form)
{
	char value[QUOTE_MAX];

	if (n->refused || (!conf_whole(c) && n->n == 0 && n->kind != CONF_SCALAR))
		return;
	if (no_value(n))
		node_error(c, n, "%s holds nothing: it takes %s", name, form);
	else if (n->kind == CONF_SCALAR)
		node_error(c, n, "%s takes %s, not the single value '%s'", name, form,
			   conf_quote(n->text, value, sizeof(value)));
	else
		node_error(c, n, "%s takes %s, not a list", name, form);
}

static void walk_map(struct conf *c, const struct conf_row *row,
		     const struct conf_node *n, void *dest, const struct at *at)
{
	const struct conf_schema *sub = row->sub;
	char form[160];
	size_t used = 0;
	char *v;

	snprintf(form, sizeof(form), "a name for each %s, and its settings in it%s%s%s",
		 sub->what, row->example ? " (" : "", row->example ? row->example : "",
		 row->example ? ")" : "");
	if (n->kind != CONF_MAPPING || n->n == 0) {
		if (n->kind == CONF_MAPPING && !conf_whole(c))
			return;
		if (n->kind == CONF_MAPPING)
			node_error(c, n, "%s is empty: it takes %s", row->name, form);
		else
			not_a_block(c, row->name, n, form);
		return;
	}
	if (row->most && n->n / 2 > row->most) {
		node_error(c, n, "%s holds %zu names, at most %zu are possible",
			   row->name, n->n / 2, row->most);
		return;
	}
	v = ed_array(n->n / 2, sub->size);
	for (size_t i = 0; i + 1 < n->n; i += 2) {
		const struct conf_node *key = n->child[i];
		char *object = v + used * sub->size;
		char why[160] = "";
		char name[QUOTE_MAX];
		struct at here = {.up = at, .what = sub->what, .name = key->text};
		bool bad;

		if (key->kind != CONF_SCALAR) {
			node_error(c, key, "the name of %s%s must be one word",
				   article(sub->what), sub->what);
			continue;
		}
		bad = !sub->name_ok(key->text, why, sizeof(why));
		if (bad) {
			struct text t =
				text_init(why + strlen(why), sizeof(why) - strlen(why));

			conf_report_odd(key->text, false, &t);
			node_error(c, key, "'%s' cannot be the name of %s%s: %s",
				   conf_quote(key->text, name, sizeof(name)),
				   article(sub->what), sub->what, why);
		}
		*(char **)(void *)(object + sub->name_offset) = ed_strdup(key->text);
		remember(c, object, key);
		walk_block(c, sub, n->child[i + 1], key, object, &here);
		if (bad)
			mark_hollow(c, object);
		used++;
	}
	set_list(dest, v, used);
}

static void walk_items(struct conf *c, const struct conf_row *row,
		       const struct conf_node *n, void *dest, const struct at *at)
{
	size_t count = n->kind == CONF_SEQUENCE ? n->n : 1;
	struct at here = {.up = at, .what = row->sub->what};
	char *v;

	if (n->kind == CONF_SCALAR || count == 0) {
		char form[160];

		snprintf(form, sizeof(form),
			 "a block of settings or a list of them%s%s",
			 row->example ? ", as in " : "",
			 row->example ? row->example : "");
		if (n->kind == CONF_SCALAR)
			not_a_block(c, row->name, n, form);
		else
			node_error(c, n,
				   "%s is an empty list: take the line out, or fill it",
				   row->name);
		return;
	}
	if (row->most && count > row->most) {
		node_error(c, n, "%s holds %zu blocks, at most %zu are possible",
			   row->name, count, row->most);
		return;
	}
	v = ed_array(count, row->sub->size);
	for (size_t i = 0; i < count; i++) {
		const struct conf_node *item =
			n->kind == CONF_SEQUENCE ? n->child[i] : n;
		void *object = v + i * row->sub->size;

		remember(c, object, item);
		walk_block(c, row->sub, item, item, object, &here);
	}
	set_list(dest, v, count);
}

static void walk_row(struct conf *c, const struct conf_row *row,
		     const struct conf_node *key, const struct conf_node *n, void *base,
		     const struct at *at)
{
	void *dest = (char *)base + row->offset;
	struct at here = {.up = at, .what = row->name};

	switch (row->shape) {
	case CONF_ONE:
		remember(c, dest, n);
		if (walk_scalar(c, row, n, dest))
			break;
		/* The default keeps later checks from stumbling over it. */
		memset(dest, 0, row->kind->size);
		if (row->fallback)
			conf_default(row, base);
		break;
	case CONF_LIST:
		remember(c, dest, n);
		walk_list(c, row, n, dest);
		break;
	case CONF_SECTION:
		walk_block(c, row->sub, n, key, dest, &here);
		break;
	case CONF_MAP:
		remember(c, dest, key);
		walk_map(c, row, n, dest, at);
		break;
	case CONF_ITEMS:
		remember(c, dest, n);
		walk_items(c, row, n, dest, at);
		break;
	}
}

/* --- blocks --------------------------------------------------------------- */

static bool in_block(const struct conf_node *block, const char *name)
{
	for (size_t i = 0; block && block->kind == CONF_MAPPING && i < block->n; i += 2)
		if (block->child[i]->kind == CONF_SCALAR &&
		    strcmp(block->child[i]->text, name) == 0)
			return true;
	return false;
}

/* What the file does not say: defaults, and complaints about what it must say. */
static void fill_rest(struct conf *c, const struct conf_schema *schema,
		      const struct conf_node *block, const struct conf_node *named,
		      void *base, const struct at *at)
{
	for (const struct conf_row *r = schema->rows; r->name; r++) {
		char buf[256];
		struct text t = text_init(buf, sizeof(buf));

		if (in_block(block, r->name))
			continue;
		if ((r->flags & CONF_REQUIRED) &&
		    conf_place(c, (char *)base + r->offset))
			continue;
		if (r->shape == CONF_SECTION)
			fill_rest(c, r->sub, NULL, NULL, (char *)base + r->offset, at);
		else if (r->fallback)
			conf_default(r, base);
		else if ((r->flags & CONF_REQUIRED) && named && conf_whole(c)) {
			if (at && at->name)
				text_add(&t, "%s '%s' has no '%s'", at->what, at->name,
					 r->name);
			else if (at)
				text_add(&t, "%s has no '%s'", at->what, r->name);
			else
				text_add(&t, "'%s' is missing", r->name);
			if (r->shape == CONF_MAP)
				node_error(c, named, "%s: add '%s: {%s}'", buf, r->name,
					   r->example);
			else
				node_error(c, named, "%s: add '%s: %s'", buf, r->name,
					   r->example ? r->example : "...");
		}
	}
}

bool conf_hollow(const struct conf *c, const void *object)
{
	struct place *p;

	HASH_FIND_PTR(c->places, &object, p);
	return p && p->hollow;
}

/* Shown without the line, which holds the secret: the name alone, at its place. */
static void secret_here(struct conf *c, const struct conf_row *row,
			const struct conf_node *key)
{
	unsigned int column = key->column < SECRET_COLUMN_MAX ? key->column : 1;
	char *shown = ed_asprintf("%*s%s: ...", (int)column - 1, "", row->name);

	conf_report_add(c->doc->report, true, c->doc->file, key->line, key->column,
			column == key->column ? shown : NULL, strlen(shown), "%s",
			row->help);
	free(shown);
}

static void walk_entry(struct conf *c, const struct conf_schema *schema,
		       const struct conf_node *key, const struct conf_node *value,
		       void *base, const struct at *at)
{
	const struct conf_row *row;

	if (key->kind != CONF_SCALAR) {
		node_error(c, key, "the name of a setting must be one word");
		return;
	}
	row = conf_row(schema, key->text);
	if (!row) {
		unknown(c, schema, key, base, at);
		return;
	}
	if (row->flags & CONF_SECRET) {
		secret_here(c, row, key);
		return;
	}
	if (row->flags & CONF_LATER) {
		node_error(c, key, "%s", row->help);
		return;
	}
	if (row->flags & CONF_IDLE)
		conf_doc_warn(c->doc, key->line, key->column,
			      "'%s' has no effect yet in this version", row->name);
	walk_row(c, row, key, value, base, at);
}

/* The entry at i is unknown, and the block before it is empty: it belongs there. */
static bool at_margin(const struct conf_schema *schema, const struct conf_node *node,
		      size_t i)
{
	const struct conf_node *key = node->child[i];
	const struct conf_node *before = node->child[i - 2];
	const struct conf_row *row;

	if (node->flow || key->kind != CONF_SCALAR || before->kind != CONF_SCALAR ||
	    !no_value(node->child[i - 1]) || conf_row(schema, key->text))
		return false;
	row = conf_row(schema, before->text);
	return row && (row->shape == CONF_MAP || row->shape == CONF_SECTION);
}

static void walk_block(struct conf *c, const struct conf_schema *schema,
		       const struct conf_node *node, const struct conf_node *named,
		       void *base, const struct at *at)
{
	char name[QUOTE_MAX];

	if (node->kind != CONF_MAPPING) {
		char title[QUOTE_MAX + 32];
		char quoted[QUOTE_MAX];

		snprintf(title, sizeof(title), "%s%s%s%s", at ? at->what : "the file",
			 at && at->name ? " '" : "",
			 at && at->name ? conf_quote(at->name, quoted, sizeof(quoted))
					: "",
			 at && at->name ? "'" : "");
		/* What broke the file made one text of all lines before it. */
		if (at || conf_whole(c))
			not_a_block(c, title, node, "settings, written 'name: value'");
		mark_hollow(c, base);
		fill_rest(c, schema, NULL, NULL, base, at);
		return;
	}
	for (size_t i = 0; i + 1 < node->n; i += 2) {
		if (i && at_margin(schema, node, i))
			node_error(c, node->child[i],
				   "'%s' stands no further right than '%s' above: what "
				   "belongs into it must be indented",
				   conf_quote(node->child[i]->text, name, sizeof(name)),
				   node->child[i - 2]->text);
		else
			walk_entry(c, schema, node->child[i], node->child[i + 1], base,
				   at);
	}
	fill_rest(c, schema, node, named, base, at);
}

void conf_walk(struct conf *c, const struct conf_schema *schema, void *dest)
{
	const struct conf_node *root = c->doc->root;

	c->top = schema;
	if (root)
		walk_block(c, schema, root, root, dest, NULL);
	else
		fill_rest(c, schema, NULL, NULL, dest, NULL);
}

/* --- values without a file ------------------------------------------------ */

void conf_default(const struct conf_row *row, void *base)
{
	void *dest = (char *)base + row->offset;
	char buf[256];
	struct text why = text_init(buf, sizeof(buf));
	const char *s = row->fallback;
	size_t size = row->kind->size;
	size_t n = 0;
	char *v;

	if (row->shape == CONF_ONE) {
		bool ok = row->kind->parse(row, s, dest, &why);

		assert(ok);
		(void)ok;
		return;
	}
	v = ed_array(strlen(s) + 1, size);
	/* Ends: each round takes one word of the default. */
	while (*s) {
		size_t len = strcspn(s, ", ");
		char *word = ed_strndup(s, len);
		bool ok = row->kind->parse(row, word, v + n * size, &why);

		assert(ok);
		(void)ok;
		free(word);
		n++;
		s += len + strspn(s + len, ", ");
	}
	set_list(dest, v, n);
}

static void free_row(const struct conf_row *row, void *base)
{
	char *dest = (char *)base + row->offset;
	struct conf_list list;

	switch (row->shape) {
	case CONF_ONE:
		free_scalar(row->kind, dest);
		return;
	case CONF_SECTION:
		conf_free_value(row->sub, dest);
		return;
	case CONF_LIST:
		list = get_list(dest);
		for (size_t i = 0; i < list.n; i++)
			free_scalar(row->kind, (char *)list.v + i * row->kind->size);
		break;
	case CONF_MAP:
	case CONF_ITEMS:
		list = get_list(dest);
		for (size_t i = 0; i < list.n; i++) {
			char *object = (char *)list.v + i * row->sub->size;

			if (row->shape == CONF_MAP)
				free(*(char **)(void *)(object +
							row->sub->name_offset));
			conf_free_value(row->sub, object);
		}
		break;
	}
	free(list.v);
	set_list(dest, NULL, 0);
}

void conf_free_value(const struct conf_schema *schema, void *base)
{
	for (const struct conf_row *r = schema->rows; r->name; r++)
		free_row(r, base);
}

static void copy_scalar(const struct conf_kind *kind, void *to, const void *from)
{
	if (kind->string)
		*(char **)to = ed_strdup(*(char *const *)from);
	else
		memcpy(to, from, kind->size);
}

void conf_copy(const struct conf_row *row, void *to, const void *from)
{
	char *dest = (char *)to + row->offset;
	const char *src = (const char *)from + row->offset;
	struct conf_list list;
	char *v;

	assert(row->shape == CONF_ONE || row->shape == CONF_LIST);
	free_row(row, to);
	if (row->shape == CONF_ONE) {
		copy_scalar(row->kind, dest, src);
		return;
	}
	list = get_list(src);
	v = ed_array(list.n ? list.n : 1, row->kind->size);
	for (size_t i = 0; i < list.n; i++)
		copy_scalar(row->kind, v + i * row->kind->size,
			    (char *)list.v + i * row->kind->size);
	set_list(dest, v, list.n);
}

static bool equal_objects(const struct conf_schema *schema, const void *a,
			  const void *b)
{
	for (const struct conf_row *r = schema->rows; r->name; r++)
		if (!conf_equal(r, a, b))
			return false;
	return true;
}

static const void *object_named(const struct conf_schema *schema, struct conf_list list,
				size_t hint, const char *name)
{
	/* Mostly both files have the same order: look there first. */
	for (size_t i = 0; i < list.n; i++) {
		const char *object =
			(const char *)list.v + (hint + i) % list.n * schema->size;

		if (strcmp(*(char *const *)(const void *)(object + schema->name_offset),
			   name) == 0)
			return object;
	}
	return NULL;
}

bool conf_equal(const struct conf_row *row, const void *a, const void *b)
{
	const char *x = (const char *)a + row->offset;
	const char *y = (const char *)b + row->offset;
	struct conf_list l;
	struct conf_list m;

	if (row->shape == CONF_ONE)
		return same(row->kind, x, y);
	if (row->shape == CONF_SECTION)
		return equal_objects(row->sub, x, y);
	l = get_list(x);
	m = get_list(y);
	if (l.n != m.n)
		return false;
	for (size_t i = 0; i < l.n; i++) {
		const char *object;
		const void *other;

		if (row->shape == CONF_LIST) {
			size_t size = row->kind->size;

			if (!same(row->kind, (char *)l.v + i * size,
				  (char *)m.v + i * size))
				return false;
			continue;
		}
		object = (const char *)l.v + i * row->sub->size;
		other = (const char *)m.v + i * row->sub->size;
		if (row->shape == CONF_MAP)
			other = object_named(
				row->sub, m, i,
				*(char *const *)(const void *)(object +
							       row->sub->name_offset));
		if (!other || !equal_objects(row->sub, object, other))
			return false;
	}
	return true;
}

void conf_format(const struct conf_row *row, const void *base, struct text *t)
{
	const char *src = (const char *)base + row->offset;
	char buf[VALUE_MAX * 4];
	struct conf_list list;

	if (row->shape == CONF_ONE) {
		row->kind->format(row, src, t);
		return;
	}
	list = get_list(src);
	if (list.n > 1)
		text_add(t, "[");
	for (size_t i = 0; i < list.n; i++) {
		struct text one = text_init(buf, sizeof(buf));

		row->kind->format(row, (char *)list.v + i * row->kind->size, &one);
		text_add(t, "%s%s", i ? ", " : "", buf);
	}
	if (list.n > 1)
		text_add(t, "]");
}
