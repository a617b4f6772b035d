/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/slots.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "edged/savefile.h"
#include "lib/alloc.h"
#include "lib/log.h"

enum {
	SLOT_NAME_MAX = 255, /* bytes of a name without its NUL */
	SLOTS_FILE_MAX = 8 * 1024 * 1024, /* more is not a slots file */
};

struct slot {
	unsigned int number;
	char *name;
	UT_hash_handle hh;
};

/* The slots of one kind. */
struct slot_set {
	struct slot *by_name;
	unsigned int lowest_free; /* no free number is below it */
	bool taken[SLOTS_TUNNEL_MAX + 1];
};

struct slots {
	char *path;
	struct slot_set set[SLOT_INSIDE + 1];
	bool dirty; /* changed since the last write */
	bool unsaved; /* the last write failed: said once */
};

static const struct {
	const char *word;
	unsigned int max;
} kinds[] = {
	[SLOT_UPLINK] = {"uplink", SLOTS_UPLINK_MAX},
	[SLOT_TUNNEL] = {"tunnel", SLOTS_TUNNEL_MAX},
	[SLOT_INSIDE] = {"inside", SLOTS_INSIDE_MAX},
};

_Static_assert((int)SLOTS_UPLINK_MAX <= (int)SLOTS_TUNNEL_MAX &&
		       (int)SLOTS_INSIDE_MAX <= (int)SLOTS_TUNNEL_MAX,
	       "slot_set.taken holds the largest kind");

static struct slot *find(const struct slots *s, enum slot_kind kind, const char *name)
{
	struct slot *e;

	HASH_FIND_STR(s->set[kind].by_name, name, e);
	return e;
}

static void add(struct slots *s, enum slot_kind kind, unsigned int number,
		const char *name)
{
	struct slot_set *set = &s->set[kind];
	struct slot *e = ed_alloc(sizeof(*e));

	e->number = number;
	e->name = ed_strdup(name);
	HASH_ADD_KEYPTR(hh, set->by_name, e->name, strlen(e->name), e);
	set->taken[number] = true;
	s->dirty = true;
}

static void drop(struct slots *s, enum slot_kind kind, struct slot *e)
{
	struct slot_set *set = &s->set[kind];

	HASH_DEL(set->by_name, e);
	set->taken[e->number] = false;
	if (e->number < set->lowest_free)
		set->lowest_free = e->number;
	s->dirty = true;
	free(e->name);
	free(e);
}

/* `kind number name`; false when the line is none or contradicts an earlier one. */
static bool load_line(void *ctx, const char *line)
{
	struct slots *s = ctx;
	char word[16];
	unsigned int number;
	int at = 0;

	if (sscanf(line, "%15s %5u %n", word, &number, &at) != 2 || !line[at])
		return false;
	for (enum slot_kind k = SLOT_UPLINK; k <= SLOT_INSIDE; k++) {
		if (strcmp(kinds[k].word, word) != 0)
			continue;
		if (number < 1 || number > kinds[k].max || s->set[k].taken[number] ||
		    strlen(line + at) > SLOT_NAME_MAX || find(s, k, line + at))
			return false;
		add(s, k, number, line + at);
		return true;
	}
	return false;
}

void slots_sync(struct slots *s)
{
	char *text = NULL;
	size_t len = 0;
	FILE *fp;
	int err;

	if (!s->dirty)
		return;
	fp = open_memstream(&text, &len);
	if (!fp)
		return;
	fputs("# Written by edged: numbers of names, kept over restarts.\n", fp);
	for (enum slot_kind k = SLOT_UPLINK; k <= SLOT_INSIDE; k++)
		for (const struct slot *e = s->set[k].by_name; e; e = e->hh.next)
			fprintf(fp, "%s %u %s\n", kinds[k].word, e->number, e->name);
	fputs(SAVEFILE_END, fp);
	err = fclose(fp) ? -errno : savefile_write(s->path, text, len, 0640, true);
	if (err < 0 && !s->unsaved)
		ed_warn("slots",
			"%s not written: %s; a restart may renumber interfaces",
			s->path, strerror(-err));
	s->unsaved = err < 0;
	s->dirty = err < 0;
	free(text);
}

struct slots *slots_open(const char *path)
{
	struct slots *s = ed_alloc(sizeof(*s));
	struct savefile_damage damage;
	char what[96];
	int err;

	s->path = ed_strdup(path);
	for (enum slot_kind k = SLOT_UPLINK; k <= SLOT_INSIDE; k++)
		s->set[k].lowest_free = 1;
	err = savefile_read_lines(path, SLOTS_FILE_MAX, load_line, s, &damage);
	if (err < 0 && err != -ENOENT)
		ed_warn("slots", "%s not read: %s; starting with none", path,
			strerror(-err));
	/* A damaged file is replaced by what was found in it. */
	s->dirty = *savefile_damage_text(&damage, what, sizeof(what)) != '\0';
	if (s->dirty)
		ed_warn("slots", "%s is damaged (%s): interfaces may be renumbered",
			path, what);
	return s;
}

void slots_free(struct slots *s)
{
	struct slot *e;
	struct slot *tmp;

	if (!s)
		return;
	for (enum slot_kind k = SLOT_UPLINK; k <= SLOT_INSIDE; k++)
		HASH_ITER (hh, s->set[k].by_name, e, tmp)
			drop(s, k, e);
	free(s->path);
	free(s);
}

int slots_get(struct slots *s, enum slot_kind kind, const char *name)
{
	const struct slot *have = find(s, kind, name);
	struct slot_set *set = &s->set[kind];
	size_t len = strlen(name);
	unsigned int n;

	if (have)
		return (int)have->number;
	if (len == 0 || len > SLOT_NAME_MAX || strpbrk(name, "\r\n") || name[0] == ' ')
		return -EINVAL;
	for (n = set->lowest_free; n <= kinds[kind].max && set->taken[n]; n++)
		;
	set->lowest_free = n;
	if (n > kinds[kind].max)
		return -ENOSPC;
	add(s, kind, n, name);
	return (int)n;
}

unsigned int slots_find(const struct slots *s, enum slot_kind kind, const char *name)
{
	const struct slot *e = find(s, kind, name);

	return e ? e->number : 0;
}

void slots_release(struct slots *s, enum slot_kind kind, const char *name)
{
	struct slot *e = find(s, kind, name);

	if (e)
		drop(s, kind, e);
}

void slots_prune(struct slots *s, enum slot_kind kind,
		 bool (*in_use)(void *ctx, const char *name), void *ctx)
{
	struct slot *e;
	struct slot *tmp;

	HASH_ITER (hh, s->set[kind].by_name, e, tmp)
		if (!in_use(ctx, e->name))
			drop(s, kind, e);
}

void slots_each(const struct slots *s, enum slot_kind kind,
		void (*fn)(void *ctx, const char *name, unsigned int slot), void *ctx)
{
	for (const struct slot *e = s->set[kind].by_name; e; e = e->hh.next)
		fn(ctx, e->name, e->number);
}
