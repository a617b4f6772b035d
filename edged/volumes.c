/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/volumes.h"

#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "edged/savefile.h"
#include "edged/uplink.h"
#include "lib/alloc.h"
#include "lib/log.h"

enum {
	FILE_MAX = 64 * 1024,
	VOLUMES_MAX = 256, /* uplinks that were ever metered */
	BOOT_ID_MAX = 40,
	SAVE_PARTS = 100, /* of the limit */
	SAVE_INTERVAL_MS = 10 * 60 * 1000,
	CLOCK_SET_S = 1704067200, /* 2024: before that the clock is not set */
};

struct volume {
	char uplink[EDGED_NAME_MAX];
	int month; /* 202611; 0: the clock was never set */
	uint64_t bytes;
	uint64_t saved_bytes;
	/* The interface's counter when it was read last, and whose it was. */
	uint64_t counter;
	int ifindex;
	char ifname[IFNAMSIZ];
	char boot_id[BOOT_ID_MAX];
	bool seen; /* by this process */
	UT_hash_handle hh;
};

struct volumes {
	char *path;
	char boot_id[BOOT_ID_MAX];
	struct volume *all; /* by uplink */
	struct mono saved;
	bool failed; /* the last write; said once */
};

static int month_of(int64_t now_s)
{
	time_t t = (time_t)now_s;
	struct tm tm;

	if (now_s < CLOCK_SET_S || !localtime_r(&t, &tm))
		return 0;
	return (tm.tm_year + 1900) * 100 + tm.tm_mon + 1;
}

static struct volume *find(const struct volumes *v, const char *uplink)
{
	struct volume *found;

	HASH_FIND_STR(v->all, uplink, found);
	return found;
}

static struct volume *add(struct volumes *v, const char *uplink)
{
	struct volume *new;
	size_t len = strlen(uplink);

	if (len == 0 || len >= sizeof(new->uplink) || HASH_COUNT(v->all) >= VOLUMES_MAX)
		return NULL;
	new = ed_alloc(sizeof(*new));
	memcpy(new->uplink, uplink, len);
	HASH_ADD_STR(v->all, uplink, new);
	return new;
}

/* --- the file ------------------------------------------------------------------------ */

static bool load_line(void *ctx, const char *line)
{
	struct volumes *v = ctx;
	struct volume got = {0};
	struct volume *new;
	int at = 0;

	if (sscanf(line, "%6d %" SCNu64 " %39s %d %15s %" SCNu64 " %n", &got.month,
		   &got.bytes, got.boot_id, &got.ifindex, got.ifname, &got.counter,
		   &at) != 6 ||
	    at == 0 || find(v, line + at))
		return false;
	new = add(v, line + at);
	if (!new)
		return false;
	new->month = got.month;
	new->bytes = got.bytes;
	new->saved_bytes = got.bytes;
	new->counter = got.counter;
	new->ifindex = got.ifindex;
	memcpy(new->ifname, got.ifname, sizeof(new->ifname));
	memcpy(new->boot_id, got.boot_id, sizeof(new->boot_id));
	return true;
}

struct volumes *volumes_open(const char *path, const char *boot_id)
{
	struct volumes *v = ed_alloc(sizeof(*v));
	struct savefile_damage damage;
	char what[96];
	int err;

	v->path = ed_strdup(path);
	snprintf(v->boot_id, sizeof(v->boot_id), "%s", *boot_id ? boot_id : "-");
	err = savefile_read_lines(path, FILE_MAX, load_line, v, &damage);
	if (err < 0 && err != -ENOENT)
		ed_warn("uplinks", "%s not read: %s; this month counts from now", path,
			strerror(-err));
	if (*savefile_damage_text(&damage, what, sizeof(what)))
		ed_warn("uplinks",
			"%s is damaged (%s): volumes of this month may be too small",
			path, what);
	return v;
}

static void save(struct volumes *v, struct mono now)
{
	char *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);
	int err = -ENOMEM;

	v->saved = now;
	if (fp) {
		fputs("# Written by edged: bytes of metered uplinks this month.\n", fp);
		for (struct volume *e = v->all; e; e = e->hh.next) {
			fprintf(fp, "%d %" PRIu64 " %s %d %s %" PRIu64 " %s\n",
				e->month, e->bytes, e->boot_id, e->ifindex, e->ifname,
				e->counter, e->uplink);
			e->saved_bytes = e->bytes;
		}
		fputs(SAVEFILE_END, fp);
		/* Not flushed: the loop does not wait for a disk. */
		err = fclose(fp) ? -errno
				 : savefile_write(v->path, text, len, 0640, false);
	}
	free(text);
	if (err < 0 && !v->failed)
		ed_warn("uplinks",
			"%s not written: %s; a restart forgets the volume of this month",
			v->path, strerror(-err));
	v->failed = err < 0;
}

void volumes_free(struct volumes *v)
{
	struct volume *e;
	struct volume *tmp;
	bool seen = false;

	if (!v)
		return;
	HASH_ITER (hh, v->all, e, tmp)
		seen |= e->seen;
	if (seen)
		save(v, MONO_ZERO);
	HASH_ITER (hh, v->all, e, tmp) {
		HASH_DEL(v->all, e);
		free(e);
	}
	free(v->path);
	free(v);
}

/* --- counting ------------------------------------------------------------------------ */

/* What went by since the last reading. */
static uint64_t gone_by(const struct volumes *v, const struct volume *e,
			const struct volume_reading *r)
{
	/* Nobody knows how much of another interface's counter is this uplink's. */
	if (strcmp(e->ifname, r->ifname) != 0)
		return 0;
	if (strcmp(e->boot_id, v->boot_id) == 0 && e->ifindex == r->ifindex &&
	    r->bytes >= e->counter)
		return r->bytes - e->counter;
	return r->bytes; /* made anew since then */
}

void volumes_count(struct volumes *v, const struct volume_reading *r, int64_t now_s,
		   struct mono now)
{
	int month = month_of(now_s);
	struct volume *e;
	bool due;

	if (!v)
		return;
	e = find(v, r->uplink);
	due = !e;
	if (!e)
		e = add(v, r->uplink);
	if (!e)
		return;
	e->bytes += gone_by(v, e, r);
	if (month && month != e->month) {
		/* Until the clock was set it was this month as well. */
		if (e->month) {
			e->bytes = 0;
			due = true;
		}
		e->month = month;
	}
	e->counter = r->bytes;
	e->ifindex = r->ifindex;
	snprintf(e->ifname, sizeof(e->ifname), "%s", r->ifname);
	memcpy(e->boot_id, v->boot_id, sizeof(e->boot_id));
	e->seen = true;
	if (e->bytes - e->saved_bytes >= r->limit_bytes / SAVE_PARTS &&
	    mono_due(mono_add_ms(v->saved, SAVE_INTERVAL_MS), now))
		due = true;
	if (due)
		save(v, now);
}

bool volumes_month(const struct volumes *v, const char *uplink, uint64_t *ret)
{
	const struct volume *e = v ? find(v, uplink) : NULL;

	if (!e || !e->seen)
		return false;
	*ret = e->bytes;
	return true;
}
