/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/apply.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "edged/config/config.h"
#include "edged/control.h"
#include "edged/edged.h"
#include "edged/events.h"
#include "edged/ike_host.h"
#include "edged/kernel_events.h"
#include "edged/overrides.h"
#include "edged/path.h"
#include "edged/savefile.h"
#include "edged/slots.h"
#include "edged/steer_apply.h"
#include "edged/steering.h"
#include "edged/supervisor.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/conf_report.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/notify.h"

/* A name whose objects begin anew, from the differences. */
struct anew {
	char name[EDGED_NAME_MAX];
	bool peer; /* else an uplink */
	struct anew *next;
};

/* What the differences come to. */
struct changes {
	struct anew *anew;
	bool everything; /* a setting of the site that every tunnel depends on */
	unsigned int count;
	unsigned int later; /* take effect when edged is started again */
};

/* ---- reading -------------------------------------------------------------- */

/* STATE/applied.yaml: the text of the configuration that was good last. */
static void saved_path(const struct edged *ed, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/applied.yaml", ed->opt.state);
}

static int load(struct config_source *src, struct config **ret, char **ret_text)
{
	struct conf_report report;
	int err;

	conf_report_init(&report);
	err = config_load(src, ret, &report);
	*ret_text = report.n ? conf_report_text(&report) : NULL;
	conf_report_fini(&report);
	return err;
}

int apply_read(const struct edged *ed, struct config **ret, char **ret_text)
{
	struct config_source src = {.path = ed->opt.config, .serves = true};
	char path[PATH_MAX];
	uint8_t *saved = NULL;
	size_t len = 0;
	int err;

	/* A file that is only the beginning of what runs was cut off. */
	saved_path(ed, path);
	if (ed->config) {
		src.applied = ed->config->text;
		src.applied_len = ed->config->text_len;
	} else if (savefile_read(path, CONFIG_FILE_MAX, &saved, &len) == 0) {
		src.applied = (const char *)saved;
		src.applied_len = len;
	}
	err = load(&src, ret, ret_text);
	free(saved);
	return err;
}

int apply_read_saved(const struct edged *ed, struct config **ret, char **ret_text)
{
	char *copy = ed_strdup(ed->opt.config);
	char path[PATH_MAX];
	char secrets[PATH_MAX];
	struct config_source src = {.path = path, .secrets = secrets, .serves = true};

	saved_path(ed, path);
	snprintf(secrets, sizeof(secrets), "%s/secrets.yaml", dirname(copy));
	free(copy);
	*ret_text = NULL;
	if (access(path, R_OK) < 0)
		return -errno;
	return load(&src, ret, ret_text);
}

void apply_save(const struct edged *ed)
{
	char path[PATH_MAX];
	int err;

	saved_path(ed, path);
	err = savefile_write(path, ed->config->text, ed->config->text_len, 0640, true);
	if (err < 0)
		ed_warn("edged", "%s: %s; a cut-off file will not be noticed", path,
			strerror(-err));
}

/* ---- uplinks ---------------------------------------------------------------- */

void apply_uplinks(struct edged *ed)
{
	const struct config *c = ed->config;

	for (size_t i = 0; i < c->uplinks.n; i++) {
		const struct config_uplink *conf = &c->uplinks.v[i];
		struct uplink *u = edged_uplink(ed, conf->name);

		if (!u)
			u = uplink_new(ed, conf);
		if (!u)
			continue;
		u->conf = conf;
		u->stopped = overrides_uplink_down(ed->overrides, u->name);
		snprintf(u->ifname, sizeof(u->ifname), "%s", conf->interface);
		kernel_events_read(ed->kernel, u);
	}
	slots_sync(ed->slots);
}

/* Callers came in by it: they have to call again, by another one. */
static void leave_uplink(struct uplink *u, struct uplink *other)
{
	struct edged *ed = u->ed;
	struct tunnel *t;
	struct tunnel *tmp;

	HASH_ITER (hh, ed->tunnels, t, tmp) {
		if (t->uplink != u)
			continue;
		t->uplink = other;
		(void)ike_abandon(ed->ike, loop_now(ed->loop), t->name);
	}
	ike_host_pump(ed);
}

static struct uplink *any_other(const struct uplink *u)
{
	for (struct uplink *o = u->ed->uplinks; o; o = o->hh.next)
		if (o != u && config_uplink(u->ed->config, o->name))
			return o;
	return NULL;
}

/* After the tunnels over them went, and the new ones were made. */
static void remove_uplinks(struct edged *ed)
{
	struct uplink *u;
	struct uplink *tmp;

	HASH_ITER (hh, ed->uplinks, u, tmp) {
		if (config_uplink(ed->config, u->name))
			continue;
		event_emit(ed, EVENT_UPLINK, u->name, uplink_state_name(u->state),
			   "removed", "no longer configured", NULL);
		leave_uplink(u, any_other(u));
		slots_release(ed->slots, SLOT_UPLINK, u->name);
		uplink_free(u);
	}
}

/* ---- peers and tunnels -------------------------------------------------------- */

void apply_peers(struct edged *ed)
{
	const struct config *c = ed->config;
	struct config_tunnel *tunnels;
	size_t n = config_tunnels(c, &tunnels);

	for (size_t i = 0; i < c->peers.n; i++) {
		struct peer *p = edged_peer(ed, c->peers.v[i].name);

		if (!p)
			p = peer_new(ed, &c->peers.v[i]);
		p->conf = &c->peers.v[i];
	}
	for (size_t i = 0; i < n; i++)
		if (!edged_tunnel(ed, tunnels[i].name))
			(void)tunnel_new(edged_peer(ed, tunnels[i].peer->name),
					 &tunnels[i]);
	free(tunnels);
	slots_sync(ed->slots);
}

void apply_start(struct edged *ed)
{
	struct peer *p;
	struct tunnel *t;
	struct tunnel *tmp;

	HASH_ITER (hh, ed->tunnels, t, tmp)
		supervisor_start(t, false);
	for (p = ed->peers; p; p = p->hh.next)
		steering_touch(p);
}

static const struct config_tunnel *find_tunnel(const struct config_tunnel *v, size_t n,
					       const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i].name, name) == 0)
			return &v[i];
	return NULL;
}

/* Tunnels that nobody configures any more, and peers without any of them. */
static void remove_peers(struct edged *ed, const struct config *next,
			 const struct config_tunnel *v, size_t n)
{
	struct peer *p;
	struct peer *next_p;
	struct tunnel *t;
	struct tunnel *next_t;

	HASH_ITER (hh, ed->tunnels, t, next_t) {
		if (!t->conf || find_tunnel(v, n, t->name))
			continue;
		event_emit(ed, EVENT_TUNNEL, t->name, tunnel_state_name(t->state),
			   "removed", "no longer configured", NULL);
		tunnel_free(t, true);
	}
	HASH_ITER (hh, ed->peers, p, next_p) {
		const struct config_peer *conf = config_peer(next, p->name);

		if (!conf || config_calls_us(conf) != p->calls_us)
			peer_free(p, true);
	}
}

/* ---- differences ---------------------------------------------------------------- */

static void add_anew(struct changes *ch, const char *name, bool peer)
{
	struct anew *a = ed_alloc(sizeof(*a));

	snprintf(a->name, sizeof(a->name), "%s", name);
	a->peer = peer;
	a->next = ch->anew;
	ch->anew = a;
}

static void on_change(void *ctx, const struct config_change *change)
{
	struct changes *ch = ctx;

	ch->count++;
	if (change->object == CONFIG_OBJ_SECRET)
		ed_info("config", "%s changed", change->setting);
	else
		ed_info("config", "%s: %s -> %s (%s)", change->setting,
			change->from[0] ? change->from : "not set",
			change->to[0] ? change->to : "not set",
			config_cost_name(change->cost));
	if (change->cost == CONFIG_COST_DAEMON)
		ch->later++;
	if (change->cost != CONFIG_COST_TUNNEL || change->kind != CONFIG_CHANGED)
		return;
	if (change->object == CONFIG_OBJ_PEER || change->object == CONFIG_OBJ_UPLINK)
		add_anew(ch, change->name, change->object == CONFIG_OBJ_PEER);
	else if (change->object == CONFIG_OBJ_SITE)
		ch->everything = true;
}

static bool begins_anew(const struct changes *ch, const struct tunnel *t)
{
	for (const struct anew *a = ch->anew; a; a = a->next)
		if (strcmp(a->name, a->peer ? t->peer->name : t->uplink->name) == 0)
			return true;
	return ch->everything;
}

static void free_changes(struct changes *ch)
{
	struct anew *a;

	while ((a = ch->anew) != NULL) {
		ch->anew = a->next;
		free(a);
	}
}

/* ---- apply ---------------------------------------------------------------------- */

/* Give tunnels that stay their part of the file; callers' peers answer anew. */
static void renew(struct edged *ed, const struct changes *ch)
{
	struct config_tunnel *v;
	size_t n = config_tunnels(ed->config, &v);
	struct peer *p;
	struct tunnel *t;
	struct tunnel *tmp;

	for (p = ed->peers; p; p = p->hh.next)
		if (p->calls_us)
			peer_answer(p);
	HASH_ITER (hh, ed->tunnels, t, tmp) {
		const struct config_tunnel *ct = find_tunnel(v, n, t->name);
		bool anew = begins_anew(ch, t);

		if (ct && tunnel_reconfigure(t, ct))
			anew = true;
		supervisor_start(t, anew);
		path_update(t);
	}
	free(v);
}

/*
 * The order: what goes, goes by the old configuration's pointers; then all
 * pointers are renewed before anything else runs; then what is new is made.
 */
static void swap(struct edged *ed, struct config *next, const struct changes *ch)
{
	struct config *old = ed->config;
	struct config_tunnel *v;
	size_t n = config_tunnels(next, &v);

	remove_peers(ed, next, v, n);
	free(v);
	ed->config = next;
	snprintf(ed->name, sizeof(ed->name), "%s", next->name);
	ike_home_set(ed->ike, next->lan.v, next->lan.n);
	apply_uplinks(ed);
	remove_uplinks(ed);
	apply_peers(ed);
	renew(ed, ch);
	steering_reload(ed);
	steer_apply_all(ed);
	for (struct peer *p = ed->peers; p; p = p->hh.next)
		steering_touch(p);
	slots_sync(ed->slots);
	config_free(old);
}

/* No setting differs, but what will be compared with is the new text. */
static void keep_text(struct edged *ed, struct config *next)
{
	char *text = ed->config->text;

	ed->config->text = next->text;
	ed->config->text_len = next->text_len;
	next->text = text;
	config_free(next);
}

void apply_note(struct edged *ed)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	ed->counts.applied_us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int edged_apply(struct edged *ed, char **ret_text)
{
	struct changes ch = {0};
	struct config *next;
	char *text;
	int err;

	notify_reloading(ed->notify);
	err = apply_read(ed, &next, &text);
	ed->counts.refused = err < 0;
	if (err < 0) {
		event_emit(ed, EVENT_CONFIG, ed->opt.config, NULL, "refused",
			   text ? text : "the file is not good", NULL);
	} else {
		(void)config_diff(ed->config, next, on_change, &ch);
		if (ch.count)
			swap(ed, next, &ch);
		else
			keep_text(ed, next);
		apply_save(ed);
		apply_note(ed);
		event_emit(ed, EVENT_CONFIG, ed->opt.config, NULL, "applied",
			   ch.count ? "changes are in effect" : "nothing changed",
			   EVENT_NUMBERS(event_int("changes", ch.count),
					 event_int("after_restart", ch.later)));
	}
	free_changes(&ch);
	notify_reloaded(ed->notify);
	control_changed(ed->control);
	if (ret_text)
		*ret_text = text;
	else
		free(text);
	return err < 0 ? -EINVAL : (int)ch.count;
}
