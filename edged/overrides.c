/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/overrides.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "edged/savefile.h"
#include "edged/uplink.h"
#include "lib/alloc.h"
#include "lib/log.h"

enum {
	OVERRIDES_FILE_MAX = 64 * 1024,
	OVERRIDES_MAX = 256, /* uplinks that were ever taken down */
};

struct override {
	char name[EDGED_NAME_MAX];
	UT_hash_handle hh;
};

struct overrides {
	char *path;
	struct override *down; /* uplinks, by name */
};

static void add(struct overrides *o, const char *name, size_t len)
{
	struct override *v;

	if (len == 0 || len >= sizeof(v->name) || HASH_COUNT(o->down) >= OVERRIDES_MAX)
		return;
	HASH_FIND(hh, o->down, name, len, v);
	if (v)
		return;
	v = ed_alloc(sizeof(*v));
	memcpy(v->name, name, len);
	HASH_ADD_KEYPTR(hh, o->down, v->name, len, v);
}

static bool load_line(void *ctx, const char *line)
{
	static const char first[] = "uplink ";
	static const char last[] = " down";
	size_t len = strlen(line);

	if (strncmp(line, first, sizeof(first) - 1) != 0 ||
	    len < sizeof(first) + sizeof(last) - 1 ||
	    strcmp(line + len - (sizeof(last) - 1), last) != 0)
		return false;
	add(ctx, line + sizeof(first) - 1,
	    len - (sizeof(first) - 1) - (sizeof(last) - 1));
	return true;
}

struct overrides *overrides_open(const char *path)
{
	struct overrides *o = ed_alloc(sizeof(*o));
	struct savefile_damage damage;
	char what[96];
	int err;

	o->path = ed_strdup(path);
	err = savefile_read_lines(path, OVERRIDES_FILE_MAX, load_line, o, &damage);
	if (err < 0 && err != -ENOENT)
		ed_warn("overrides",
			"%s not read: %s; orders given by hand are forgotten", path,
			strerror(-err));
	if (*savefile_damage_text(&damage, what, sizeof(what)))
		ed_warn("overrides",
			"%s is damaged (%s): orders given by hand may be lost, give "
			"them again",
			path, what);
	return o;
}

void overrides_free(struct overrides *o)
{
	struct override *v;
	struct override *tmp;

	if (!o)
		return;
	HASH_ITER (hh, o->down, v, tmp) {
		HASH_DEL(o->down, v);
		free(v);
	}
	free(o->path);
	free(o);
}

static struct override *find(const struct overrides *o, const char *name)
{
	struct override *v;

	HASH_FIND_STR(o->down, name, v);
	return v;
}

bool overrides_uplink_down(const struct overrides *o, const char *name)
{
	return find(o, name) != NULL;
}

static int save(const struct overrides *o)
{
	char *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);
	int err;

	if (!fp)
		return -ENOMEM;
	fputs("# Written by edged: what the operator ordered by hand.\n", fp);
	for (const struct override *v = o->down; v; v = v->hh.next)
		fprintf(fp, "uplink %s down\n", v->name);
	fputs(SAVEFILE_END, fp);
	err = fclose(fp) ? -errno : savefile_write(o->path, text, len, 0640, true);
	free(text);
	return err;
}

int overrides_set_uplink(struct overrides *o, const char *name, bool down)
{
	struct override *v = find(o, name);

	if (down) {
		add(o, name, strlen(name));
	} else if (v) {
		HASH_DEL(o->down, v);
		free(v);
	}
	return save(o);
}
