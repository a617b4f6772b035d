/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/ike_host.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/edged.h"
#include "edged/events.h"
#include "edged/ike_io.h"
#include "edged/sa_host.h"
#include "edged/savefile.h"
#include "edged/supervisor.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/rng.h"
#include "lib/secret.h"

enum {
	SAVED_SA_MAX =
		256 * 1024, /* bytes of a saved IKE SA with its stored messages */
	SAVED_NAME_LEN = 16, /* hex digits of its file's name */
};

struct ike_host {
	struct edged *ed;
	char *dir; /* RUN/ike */
	struct loop_timer timer;
	bool pumping;
	struct ratelimit complain_send;
	struct ratelimit complain_save;
	struct ratelimit complain_refused;
};

/* ---- saved SAs ------------------------------------------------------------ */

static void saved_path(const struct ike_host *h, uint64_t id, char *buf, size_t cap)
{
	snprintf(buf, cap, "%s/%016" PRIx64, h->dir, id);
}

static void act_save(struct ike_host *h, const struct ike_action *act)
{
	char path[PATH_MAX];
	int err;

	saved_path(h, act->sa_id, path, sizeof(path));
	/*
	 * The former file must not come to life again: its message IDs are those of
	 * then, and so are its IVs, which GCM must never see twice.
	 */
	err = savefile_write_fresh(path, act->u.save.bytes, act->u.save.len, 0600,
				   false);
	if (err < 0)
		ed_warn_limited(&h->complain_save, loop_now(h->ed->loop), act->tunnel,
				"IKE SA not saved, a restart will negotiate anew: %s",
				strerror(-err));
}

static void act_forget(struct ike_host *h, const struct ike_action *act)
{
	char path[PATH_MAX];

	saved_path(h, act->sa_id, path, sizeof(path));
	if (unlink(path) < 0 && errno != ENOENT)
		ed_warn(act->tunnel, "saved IKE SA not removed: %s", strerror(errno));
}

/* ---- actions -------------------------------------------------------------- */

static void act_send(struct ike_host *h, const struct ike_action *act)
{
	int err =
		ike_io_send(h->ed, &act->u.send.at, act->u.send.bytes, act->u.send.len);
	char to[ENDPOINT_STRLEN];

	/* Lost like any datagram; the engine repeats it. */
	if (err < 0)
		ed_warn_limited(&h->complain_send, loop_now(h->ed->loop), act->tunnel,
				"IKE message to %s not sent: %s",
				endpoint_format(&act->u.send.at.remote, to),
				strerror(-err));
}

static void act_job(struct ike_host *h, const struct ike_action *act)
{
	struct ike_job *job = act->u.job;

	ike_job_run(job);
	ike_job_done(h->ed->ike, loop_now(h->ed->loop), job);
}

/* A caller proved to be one of a peer's tunnels: it gets its interface. */
static void act_caller(struct ike_host *h, const struct ike_action *act)
{
	struct edged *ed = h->ed;
	struct peer *p = edged_peer(ed, act->u.caller.template);
	struct uplink *u = edged_uplink_by_slot(ed, act->u.caller.uplink);
	struct tunnel *t = edged_tunnel(ed, act->tunnel);

	if (!p || !u)
		return;
	if (!t) {
		t = tunnel_new_caller(p, act->tunnel, act->u.caller.label, u);
		/* Made before another goes, so that it has a slot of its own. */
		if (t && !peer_make_room(p, t)) {
			tunnel_free(t, true);
			t = NULL;
		}
	}
	if (!t) {
		(void)ike_down(ed->ike, loop_now(ed->loop), act->tunnel);
		return;
	}
	t->uplink = u;
	t->local = act->u.caller.local;
	t->remote = act->u.caller.remote;
	supervisor_called(t);
}

static void act_inside_wanted(struct ike_host *h, const struct ike_action *act)
{
	struct edged *ed = h->ed;
	struct tunnel *t = edged_tunnel(ed, act->tunnel);
	struct ike_inside inside = {0};
	bool given = t && tunnel_allot_inside(t, act->u.inside_wanted.want4,
					      act->u.inside_wanted.want6);

	if (given) {
		inside.own4 = t->inside[ED_V4].local;
		inside.peer4 = t->inside[ED_V4].peer;
		inside.own6 = t->inside[ED_V6].local;
		inside.peer6 = t->inside[ED_V6].peer;
	}
	ike_inside_answer(ed->ike, loop_now(ed->loop), act->u.inside_wanted.token,
			  given ? &inside : NULL);
}

static void act_inside(struct ike_host *h, const struct ike_action *act)
{
	struct tunnel *t = edged_tunnel(h->ed, act->tunnel);
	const struct ike_inside *i = &act->u.inside;
	struct tunnel_inside inside[ED_FAMILIES] = {
		[ED_V4] = {.local = i->own4, .peer = i->peer4},
		[ED_V6] = {.local = i->own6, .peer = i->peer6},
	};

	if (t)
		tunnel_set_inside(t, inside);
}

static void act_event(struct ike_host *h, const struct ike_action *act)
{
	struct edged *ed = h->ed;
	struct tunnel *t = edged_tunnel(ed, act->tunnel);

	if (t) {
		supervisor_ike_event(t, act);
		return;
	}
	if (act->u.event.event == IKE_EV_FAILED ||
	    act->u.event.event == IKE_EV_REFUSED) {
		bool auth = act->u.event.reason == IKE_REASON_AUTH ||
			    act->u.event.reason == IKE_REASON_IDENTITY;

		ed->counts.callers_refused++;
		ed->counts.callers_auth += auth;
	}
	/* Strangers can cause these at will: the log must not fill with them. */
	if (!ratelimit_take(&h->complain_refused, loop_now(ed->loop)))
		return;
	event_emit(ed, EVENT_IKE, act->tunnel[0] ? act->tunnel : "ike", NULL,
		   ike_event_name(act->u.event.event), act->u.event.sentence,
		   EVENT_NUMBERS(event_text("reason",
					    ike_reason_name(act->u.event.reason)),
				 event_int("notify", act->u.event.notify)));
}

static void carry_out(struct ike_host *h, const struct ike_action *act)
{
	switch (act->kind) {
	case IKE_ACT_SAVE:
		act_save(h, act);
		break;
	case IKE_ACT_FORGET:
		act_forget(h, act);
		break;
	case IKE_ACT_SEND:
		act_send(h, act);
		break;
	case IKE_ACT_KEEPALIVE:
		(void)ike_io_keepalive(h->ed, &act->u.send.at);
		break;
	case IKE_ACT_JOB:
		act_job(h, act);
		break;
	case IKE_ACT_CALLER:
		act_caller(h, act);
		break;
	case IKE_ACT_INSIDE_WANTED:
		act_inside_wanted(h, act);
		break;
	case IKE_ACT_INSIDE:
		act_inside(h, act);
		break;
	case IKE_ACT_SA_INSTALL:
		sa_host_install(h->ed, act->tunnel, &act->u.esp);
		break;
	case IKE_ACT_SA_UPDATE:
		sa_host_update(h->ed, act->tunnel, &act->u.esp);
		break;
	case IKE_ACT_SA_REMOVE:
		sa_host_remove(h->ed, act->tunnel, &act->u.esp);
		break;
	case IKE_ACT_EVENT:
		act_event(h, act);
		break;
	}
}

static void on_timer(void *ctx, struct mono now)
{
	struct ike_host *h = ctx;

	ike_timer(h->ed->ike, now);
	ike_host_pump(h->ed);
}

void ike_host_pump(struct edged *ed)
{
	struct ike_host *h = ed->ike_host;
	const struct ike_action *act;

	if (!h || h->pumping)
		return;
	h->pumping = true;
	/* Ends: an action leads to a bounded number of others (ike/limits.h). */
	while ((act = ike_next_action(ed->ike)) != NULL)
		carry_out(h, act);
	h->pumping = false;
	loop_timer_at(ed->loop, &h->timer, ike_deadline(ed->ike), on_timer, h);
}

void ike_host_input(struct edged *ed, const struct ike_addrs *at, const void *bytes,
		    size_t len)
{
	ike_input(ed->ike, loop_now(ed->loop), at, bytes, len);
}

/* ---- start and restart ------------------------------------------------------ */

int ike_host_new(struct edged *ed, struct ike_host **ret)
{
	struct ike_params params = {.rng = ed->rng};
	struct ike_host *h = ed_alloc(sizeof(*h));

	h->ed = ed;
	h->dir = ed_asprintf("%s/ike", ed->opt.run);
	h->complain_send = ratelimit_init(5, 10 * MONO_US_PER_S);
	h->complain_save = ratelimit_init(1, 60 * MONO_US_PER_S);
	h->complain_refused = ratelimit_init(10, 5 * MONO_US_PER_S);
	if (mkdir(h->dir, 0700) < 0 && errno != EEXIST) {
		int err = -errno;

		ed_error("ike", "%s: %s", h->dir, strerror(errno));
		ike_host_free(h);
		return err;
	}
	ed->ike = ike_new(&params);
	*ret = h;
	return 0;
}

void ike_host_free(struct ike_host *h)
{
	if (!h)
		return;
	loop_timer_stop(&h->timer);
	ike_free(h->ed->ike);
	h->ed->ike = NULL;
	free(h->dir);
	free(h);
}

/* True for a name that saved_path() makes; *ret_id is its number. */
static bool saved_name(const char *name, uint64_t *ret_id)
{
	char *end;

	if (strlen(name) != SAVED_NAME_LEN ||
	    strspn(name, "0123456789abcdef") != SAVED_NAME_LEN)
		return false;
	*ret_id = strtoull(name, &end, 16);
	return true;
}

/* Take one up; what cannot be is of no use to a later start either. */
static bool restore_one(struct ike_host *h, uint64_t id)
{
	char path[PATH_MAX];
	uint8_t *bytes;
	size_t len;
	int err;

	saved_path(h, id, path, sizeof(path));
	err = savefile_read(path, SAVED_SA_MAX, &bytes, &len);
	if (!err) {
		err = ike_restore(h->ed->ike, loop_now(h->ed->loop), bytes, len);
		secret_wipe(bytes, len);
		free(bytes);
	}
	if (err < 0) {
		ed_info("ike", "saved SA %016" PRIx64 " not taken up: %s", id,
			err == -EBADMSG	 ? "its file is damaged"
			: err == -ENOENT ? "it fits no tunnel of today"
					 : strerror(-err));
		(void)unlink(path);
	}
	return err == 0;
}

unsigned int ike_host_restore(struct edged *ed)
{
	struct ike_host *h = ed->ike_host;
	DIR *dir = opendir(h->dir);
	const struct dirent *de;
	uint64_t *ids = NULL;
	size_t count = 0;
	unsigned int taken = 0;

	if (!dir)
		return 0;
	while ((de = readdir(dir)) != NULL) {
		uint64_t id;

		if (!saved_name(de->d_name, &id))
			continue;
		ids = ed_realloc(ids, count + 1, sizeof(*ids));
		ids[count++] = id;
	}
	closedir(dir);
	for (size_t i = 0; i < count; i++)
		taken += restore_one(h, ids[i]);
	ike_host_pump(ed);
	free(ids);
	sa_host_note_restored(ed);
	return taken;
}
