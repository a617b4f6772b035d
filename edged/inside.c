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

/* Cut the next word off *at; "" at the end. */
static char *word(char **at)
{
	char *w = *at;

	*at += strcspn(w, " ");
	if (**at)
		*(*at)++ = '\0';
	return w;
}

static void load_line(struct inside *in, char *line, unsigned int number)
{
	struct tunnel_inside pair = {0};
	char *rest = line;
	const char *local = word(&rest);
	const char *peer = word(&rest);
	struct entry *e;

	if (line[0] == '\0' || line[0] == '#')
		return;
	e = addr_parse(local, &pair.local) == 0 && addr_parse(peer, &pair.peer) == 0 &&
			    pair.local.family == pair.peer.family
		    ? get(in, rest)
		    : NULL;
	if (e)
		e->pair[edged_family(pair.local.family)] = pair;
	else
		ed_warn("inside", "%s:%u: no pair of inside addresses, ignored",
			in->path, number);
}

struct inside *inside_open(const char *path)
{
	struct inside *in = ed_alloc(sizeof(*in));
	uint8_t *text = NULL;
	unsigned int number = 0;
	size_t len;
	int err;

	in->path = ed_strdup(path);
	err = savefile_read(path, INSIDE_FILE_MAX, &text, &len);
	if (err < 0 && err != -ENOENT)
		ed_warn("inside", "%s not read: %s", path, strerror(-err));
	if (err < 0)
		return in;
	/* Ends: each round cuts off at least one byte. */
	for (char *at = (char *)text, *line; (line = strsep(&at, "\n"));)
		load_line(in, line, ++number);
	free(text);
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
