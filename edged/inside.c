/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/inside.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "edged/savefile.h"
#include "edged/tunnel.h"
#include "edged/uplink.h"
#include "lib/alloc.h"
#include "lib/log.h"

enum {
	INSIDE_FILE_MAX = 4 * 1024 * 1024,
	INSIDE_MAX = 10000, /* as many as there are tunnels */
};

struct entry {
	char name[EDGED_TUNNEL_NAME_MAX];
	struct tunnel_inside pair[ED_FAMILIES];
	UT_hash_handle hh;
};

struct inside {
	char *path;
	struct entry *entries; /* by tunnel */
};

static struct entry *find(const struct inside *in, const char *tunnel)
{
	struct entry *e;

	HASH_FIND_STR(in->entries, tunnel, e);
	return e;
}

static struct entry *get(struct inside *in, const char *tunnel)
{
	struct entry *e = find(in, tunnel);

	if (e)
		return e;
	if (!tunnel[0] || strlen(tunnel) >= sizeof(e->name) ||
	    HASH_COUNT(in->entries) >= INSIDE_MAX)
		return NULL;
	e = ed_alloc(sizeof(*e));
	snprintf(e->name, sizeof(e->name), "%s", tunnel);
	HASH_ADD_STR(in->entries, name, e);
	return e;
}

/* `local peer tunnel`; false when the line is none. */
static bool load_line(void *ctx, const char *line)
{
	struct tunnel_inside pair = {0};
	char local[ADDR_STRLEN];
	char peer[ADDR_STRLEN];
	struct entry *e;
	int at = 0;

	_Static_assert(ADDR_STRLEN >= 46, "the words of the format fit");
	if (sscanf(line, "%45s %45s %n", local, peer, &at) != 2 ||
	    addr_parse(local, &pair.local) < 0 || addr_parse(peer, &pair.peer) < 0 ||
	    pair.local.family != pair.peer.family)
		return false;
	e = get(ctx, line + at);
	if (e)
		e->pair[edged_family(pair.local.family)] = pair;
	return e;
}

struct inside *inside_open(const char *path)
{
	struct inside *in = ed_alloc(sizeof(*in));
	struct savefile_damage damage;
	char what[96];
	int err;

	in->path = ed_strdup(path);
	err = savefile_read_lines(path, INSIDE_FILE_MAX, load_line, in, &damage);
	if (err < 0 && err != -ENOENT)
		ed_warn("inside", "%s not read: %s", path, strerror(-err));
	if (*savefile_damage_text(&damage, what, sizeof(what)))
		ed_warn("inside",
			"%s is damaged (%s): a tunnel gets its addresses when it is up",
			path, what);
	return in;
}

void inside_free(struct inside *in)
{
	struct entry *e;
	struct entry *tmp;

	if (!in)
		return;
	HASH_ITER (hh, in->entries, e, tmp) {
		HASH_DEL(in->entries, e);
		free(e);
	}
	free(in->path);
	free(in);
}

static void save(const struct inside *in)
{
	char local[ADDR_STRLEN];
	char peer[ADDR_STRLEN];
	char *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);
	int err;

	if (!fp)
		return;
	fputs("# Written by edged: inside addresses that peers gave us.\n", fp);
	for (const struct entry *e = in->entries; e; e = e->hh.next)
		for (int f = 0; f < ED_FAMILIES; f++)
			if (e->pair[f].local.family && e->pair[f].peer.family)
				fprintf(fp, "%s %s %s\n",
					addr_format(&e->pair[f].local, local),
					addr_format(&e->pair[f].peer, peer), e->name);
	fputs(SAVEFILE_END, fp);
	err = fclose(fp) ? -errno : savefile_write(in->path, text, len, 0640, true);
	if (err < 0)
		ed_warn("inside", "%s not written: %s", in->path, strerror(-err));
	free(text);
}

bool inside_find(const struct inside *in, const char *tunnel, struct tunnel_inside *ret)
{
	const struct entry *e = find(in, tunnel);

	if (!e)
		return false;
	memcpy(ret, e->pair, sizeof(e->pair));
	return true;
}

void inside_note(struct inside *in, const char *tunnel,
		 const struct tunnel_inside *pair)
{
	struct entry *e = get(in, tunnel);

	if (!e || memcmp(e->pair, pair, sizeof(e->pair)) == 0)
		return;
	memcpy(e->pair, pair, sizeof(e->pair));
	save(in);
}

void inside_forget(struct inside *in, const char *tunnel)
{
	struct entry *e = find(in, tunnel);

	if (!e)
		return;
	HASH_DEL(in->entries, e);
	free(e);
	save(in);
}
