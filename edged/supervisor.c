/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "edged/config/config.h"
#include "edged/edged.h"
#include "edged/events.h"
#include "edged/ike_conn.h"
#include "edged/ike_host.h"
#include "edged/path.h"
#include "edged/resolve.h"
#include "edged/steer_apply.h"
#include "edged/steering.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/rng.h"

static void connect_now(struct tunnel *t);
static void on_retry(void *ctx, struct mono now);

/* ---- pauses --------------------------------------------------------------- */

int64_t supervisor_pause_us(unsigned int failures, bool refused, struct rng *rng)
{
	int64_t least = refused ? SUPERVISOR_REFUSED_MIN_MS : SUPERVISOR_PAUSE_MS;
	int64_t most = refused ? SUPERVISOR_REFUSED_MAX_MS : SUPERVISOR_PAUSE_MAX_MS;
	int64_t ms = failures ? least : SUPERVISOR_FIRST_MS;

	for (unsigned int i = 1; i < failures && ms < most; i++)
		ms *= 2;
	if (ms > most)
		ms = most;
	return rng_jitter_us(rng, ms * MONO_US_PER_MS, SUPERVISOR_JITTER_PERCENT);
}

/* ---- states ---------------------------------------------------------------- */

/* The only place where a tunnel's state changes. */
static void enter(struct tunnel *t, enum tunnel_state to, const char *reason)
{
	enum tunnel_state from = t->state;

	if (from == to)
		return;
	t->state = to;
	t->since = loop_now(t->ed->loop);
	if (to == TUNNEL_UP || from == TUNNEL_UP || to == TUNNEL_STOPPED)
		event_emit(t->ed, EVENT_TUNNEL, t->name, tunnel_state_name(from),
			   tunnel_state_name(to), reason,
			   EVENT_NUMBERS(event_text("peer", t->peer->name),
					 event_text("uplink", t->uplink->name)));
	else
		ed_debug(t->name, "%s: %s", tunnel_state_name(to), reason);
	if (to == TUNNEL_UP || from == TUNNEL_UP) {
		path_update(t);
		steer_apply_all(t->ed);
	}
}

static void note_failure(struct tunnel *t, const char *sentence)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	snprintf(t->last_failure, sizeof(t->last_failure), "%s", sentence);
	t->last_failure_time_us =
		(int64_t)ts.tv_sec * MONO_US_PER_S + ts.tv_nsec / 1000;
}

static void wait_then_retry(struct tunnel *t, bool refused, const char *sentence)
{
	struct edged *ed = t->ed;
	int64_t pause = supervisor_pause_us(t->failures, refused, ed->rng);

	t->retry_at = mono_add_us(loop_now(ed->loop), pause);
	enter(t, TUNNEL_WAITING, sentence);
	loop_timer_at(ed->loop, &t->timer, t->retry_at, on_retry, t);
}

static void failed(struct tunnel *t, enum tunnel_failure kind, const char *sentence)
{
	/* The first of a row, and then each time it reads differently. */
	if (!t->failures || strcmp(t->last_failure, sentence) != 0)
		event_emit(t->ed, EVENT_TUNNEL, t->name, tunnel_state_name(t->state),
			   "failed", sentence,
			   EVENT_NUMBERS(event_int("attempt", t->failures + 1)));
	note_failure(t, sentence);
	t->failed[kind]++;
	t->failures++;
	t->turn++;
	wait_then_retry(t, kind != TUNNEL_UNREACHED, sentence);
}

/* ---- an attempt ------------------------------------------------------------ */

static bool wanted(const struct tunnel *t)
{
	return t->conf && t->uplink->state != UPLINK_STOPPED && !t->ed->stopping;
}

static bool uplink_can(const struct tunnel *t)
{
	return uplink_usable(t->uplink, AF_INET) || uplink_usable(t->uplink, AF_INET6);
}

static void on_attempt_over(void *ctx, struct mono now)
{
	struct tunnel *t = ctx;
	char sentence[EDGED_SENTENCE_MAX];
	char to[ADDR_STRLEN];

	if (t->resolving) {
		resolver_cancel(t->resolving);
		t->resolving = NULL;
		failed(t, TUNNEL_UNREACHED, "no answer from the name servers");
		return;
	}
	snprintf(sentence, sizeof(sentence), "no answer from %s over %s in %d s",
		 addr_format(&t->remote.addr, to), t->uplink->name,
		 SUPERVISOR_ATTEMPT_MS / 1000);
	(void)ike_abandon(t->ed->ike, now, t->name);
	failed(t, TUNNEL_UNREACHED, sentence);
	ike_host_pump(t->ed);
}

static void bound_attempt(struct tunnel *t)
{
	loop_timer_at(t->ed->loop, &t->timer,
		      mono_add_ms(loop_now(t->ed->loop), SUPERVISOR_ATTEMPT_MS),
		      on_attempt_over, t);
}

static void begin_ike(struct tunnel *t, const struct addr *remote)
{
	struct edged *ed = t->ed;
	char why[EDGED_SENTENCE_MAX] = "";
	bool moved = !addr_equal(&t->remote.addr, remote);
	int err;

	t->remote = (struct endpoint){.addr = *remote, .port = IKE_PORT};
	if (moved)
		tunnel_interface_update(t);
	err = ike_conn_set_tunnel(t, why, sizeof(why));
	if (!err)
		err = ike_up(ed->ike, loop_now(ed->loop), t->name);
	if (err < 0 && err != -EALREADY) {
		failed(t,
		       err == -ENOKEY || err == -EINVAL ? TUNNEL_REFUSED
							: TUNNEL_UNREACHED,
		       why[0] ? why : strerror(-err));
		return;
	}
	bound_attempt(t);
	ike_host_pump(ed);
}

static bool is_own(const struct edged *ed, const struct addr *a)
{
	for (const struct uplink *u = ed->uplinks; u; u = u->hh.next)
		for (int f = 0; f < ED_FAMILIES; f++)
			if (addr_equal(&u->fam[f].local, a))
				return true;
	return false;
}

/*
 * The next address of a name that can be the peer's and whose family the uplink
 * has, beginning with this turn's. False, with the sentence: there is none.
 */
static bool pick(const struct tunnel *t, const struct addr *addrs, size_t n,
		 struct addr *ret, char *why, size_t cap)
{
	char text[ADDR_STRLEN];

	snprintf(why, cap, "the peer has no address of a family that the uplink has");
	for (size_t i = 0; i < n; i++) {
		const struct addr *a = &addrs[(t->turn + i) % n];

		if (!addr_is_host(a) || is_own(t->ed, a)) {
			snprintf(why, cap, "its name leads to %s, which is %s",
				 addr_format(a, text),
				 addr_is_host(a) ? "this box's own address"
						 : "no host's address");
			continue;
		}
		if (!uplink_usable(t->uplink, a->family))
			continue;
		*ret = *a;
		return true;
	}
	return false;
}

static void on_resolved(void *ctx, const struct resolve_answer *answer)
{
	struct tunnel *t = ctx;
	char why[EDGED_SENTENCE_MAX];
	struct addr remote;

	t->resolving = NULL;
	if (t->state != TUNNEL_CONNECTING)
		return;
	if (answer->err < 0)
		failed(t, TUNNEL_UNREACHED, answer->why);
	else if (!pick(t, answer->addrs, answer->n, &remote, why, sizeof(why)))
		failed(t, TUNNEL_UNREACHED, why);
	else
		begin_ike(t, &remote);
}

/*
 * The file's addresses in turn, one an attempt. An IP address of a family that
 * the uplink lacks is passed over.
 */
static void connect_now(struct tunnel *t)
{
	const struct config_strings *list = &t->conf->address;
	struct addr literal;

	loop_timer_stop(&t->timer);
	if (t->resolving)
		return;
	enter(t, TUNNEL_CONNECTING, "trying");
	for (size_t i = 0; i < list->n; i++) {
		const char *text = list->v[(t->turn + i) % list->n];

		if (addr_parse(text, &literal) < 0) {
			bound_attempt(t);
			t->resolving =
				resolver_ask(t->ed->resolver, text, t->uplink->ifname,
					     0, on_resolved, t);
			return;
		}
		if (uplink_usable(t->uplink, literal.family)) {
			begin_ike(t, &literal);
			return;
		}
	}
	failed(t, TUNNEL_UNREACHED,
	       "the peer has no address of a family that the uplink has");
}

static void on_retry(void *ctx, struct mono now)
{
	struct tunnel *t = ctx;

	(void)now;
	if (wanted(t) && uplink_can(t))
		connect_now(t);
	else
		enter(t, TUNNEL_IDLE, "its uplink cannot be used");
}

static void cancel(struct tunnel *t)
{
	loop_timer_stop(&t->timer);
	resolver_cancel(t->resolving);
	t->resolving = NULL;
}

/* ---- intent ---------------------------------------------------------------- */

static void stop(struct tunnel *t, const char *why)
{
	cancel(t);
	loop_timer_stop(&t->watch);
	(void)ike_down(t->ed->ike, loop_now(t->ed->loop), t->name);
	enter(t, TUNNEL_STOPPED, why);
	ike_host_pump(t->ed);
}

/* An SA whose own address went away: no message can be sent for it any more. */
static bool address_gone(const struct tunnel *t)
{
	const struct uplink_family *fam;

	if (!t->local.addr.family)
		return false;
	fam = &t->uplink->fam[edged_family(t->local.addr.family)];
	return fam->local.family && !addr_equal(&fam->local, &t->local.addr);
}

/* The peer is no longer to be called where the SA goes. Names may lead anywhere. */
static bool remote_gone(const struct tunnel *t)
{
	const struct config_strings *list = &t->conf->address;
	struct addr a;

	if (!t->local.addr.family)
		return false;
	for (size_t i = 0; i < list->n; i++)
		if (addr_parse(list->v[i], &a) < 0 || addr_equal(&a, &t->remote.addr))
			return false;
	return true;
}

static void begin_anew(struct tunnel *t, const char *why)
{
	cancel(t);
	(void)ike_abandon(t->ed->ike, loop_now(t->ed->loop), t->name);
	ike_host_pump(t->ed);
	t->local = (struct endpoint){0};
	enter(t, TUNNEL_IDLE, why);
	t->failures = 0;
	connect_now(t);
}

static void consider(struct tunnel *t)
{
	if (!t->conf)
		return;
	if (t->uplink->state == UPLINK_STOPPED) {
		if (t->state != TUNNEL_STOPPED)
			stop(t, "its uplink was taken down by the operator");
		return;
	}
	if (!uplink_can(t)) {
		/* What is up stays up: the uplink may be back in a moment. */
		if (t->state == TUNNEL_UP || t->state == TUNNEL_IDLE)
			return;
		cancel(t);
		(void)ike_abandon(t->ed->ike, loop_now(t->ed->loop), t->name);
		enter(t, TUNNEL_IDLE, "its uplink cannot be used");
		ike_host_pump(t->ed);
		return;
	}
	if (address_gone(t)) {
		begin_anew(t, "the uplink's address changed");
		return;
	}
	if (remote_gone(t)) {
		begin_anew(t, "the peer's address changed");
		return;
	}
	if (t->state == TUNNEL_IDLE || t->state == TUNNEL_STOPPED ||
	    t->state == TUNNEL_WAITING) {
		t->failures = 0;
		connect_now(t);
	}
}

void supervisor_start(struct tunnel *t, bool anew)
{
	char why[EDGED_SENTENCE_MAX] = "";

	if (t->conf && t->state == TUNNEL_UP && !anew) {
		/* Lifetimes and the like; the engine ends what no longer fits. */
		if (ike_conn_set_tunnel(t, why, sizeof(why)) < 0)
			ed_warn(t->name, "%s", why);
		ike_host_pump(t->ed);
	}
	if (anew && t->conf && t->state != TUNNEL_STOPPED) {
		cancel(t);
		(void)ike_down(t->ed->ike, loop_now(t->ed->loop), t->name);
		ike_host_pump(t->ed);
		enter(t, TUNNEL_IDLE, "its configuration changed");
	}
	consider(t);
}

/* Ending the SAs is told as an event, which may arm a timer: cancel comes last. */
void supervisor_forget(struct tunnel *t, bool gone)
{
	if (gone && t->conf)
		ike_conn_forget(t->ed, t->name);
	else if (gone) {
		(void)ike_down(t->ed->ike, loop_now(t->ed->loop), t->name);
		ike_host_pump(t->ed);
	}
	cancel(t);
	loop_timer_stop(&t->watch);
}

void supervisor_uplink_changed(struct uplink *u)
{
	struct tunnel *t;
	struct tunnel *tmp;

	HASH_ITER (hh, u->ed->tunnels, t, tmp) {
		if (t->uplink != u)
			continue;
		tunnel_interface_update(t);
		consider(t);
	}
}

/* ---- what the engine reports -------------------------------------------------- */

/* What the peer answered and will not do, a person must mend. */
static enum tunnel_failure failure_of(enum ike_reason reason)
{
	if (reason == IKE_REASON_AUTH || reason == IKE_REASON_IDENTITY)
		return TUNNEL_AUTH;
	if (reason == IKE_REASON_PROPOSAL || reason == IKE_REASON_SELECTORS ||
	    reason == IKE_REASON_INSIDE)
		return TUNNEL_REFUSED;
	return TUNNEL_UNREACHED;
}

static void on_up(struct tunnel *t, const char *sentence)
{
	loop_timer_stop(&t->timer);
	t->failures = 0;
	enter(t, TUNNEL_UP, sentence);
}

static void on_down(struct tunnel *t, enum ike_reason reason, const char *sentence)
{
	bool was_up = t->state == TUNNEL_UP;

	loop_timer_stop(&t->watch);
	t->local = (struct endpoint){0};
	if (was_up)
		note_failure(t, sentence);
	else if (t->state != TUNNEL_CONNECTING)
		return;
	if (!wanted(t) || !uplink_can(t)) {
		enter(t, TUNNEL_IDLE, sentence);
		return;
	}
	t->failures = 0;
	wait_then_retry(t, failure_of(reason) != TUNNEL_UNREACHED, sentence);
}

static void note_caller_failure(struct tunnel *t, enum tunnel_failure kind,
				const char *sentence)
{
	note_failure(t, sentence);
	t->failed[kind]++;
}

void supervisor_ike_event(struct tunnel *t, const struct ike_action *act)
{
	const char *sentence = act->u.event.sentence;
	enum ike_reason reason = act->u.event.reason;

	switch (act->u.event.event) {
	case IKE_EV_UP:
	case IKE_EV_CHILD_UP:
		on_up(t, sentence);
		return;
	case IKE_EV_DOWN:
		on_down(t, reason, sentence);
		return;
	case IKE_EV_FAILED:
		if (t->state == TUNNEL_CONNECTING)
			failed(t, failure_of(reason), sentence);
		else if (!t->conf)
			note_caller_failure(t, failure_of(reason), sentence);
		return;
	case IKE_EV_CHILD_DOWN:
		enter(t, t->conf ? TUNNEL_CONNECTING : TUNNEL_IDLE, sentence);
		if (!t->conf)
			return;
		/* The IKE SA lives and could make a child, but why it lost the
		 * last one is not known: a whole new start is the sure way. */
		(void)ike_down(t->ed->ike, loop_now(t->ed->loop), t->name);
		wait_then_retry(t, false, sentence);
		return;
	case IKE_EV_CHILD_REKEYED:
		t->rekeyed_child++;
		break;
	case IKE_EV_IKE_REKEYED:
		t->rekeyed_ike++;
		break;
	case IKE_EV_PEER_MOVED:
	case IKE_EV_REFUSED:
	case IKE_EV_NOTICE:
		break;
	}
	event_emit(t->ed, EVENT_IKE, t->name, NULL, ike_event_name(act->u.event.event),
		   sentence,
		   EVENT_NUMBERS(event_text("reason", ike_reason_name(reason))));
}

void supervisor_sa_installed(struct tunnel *t, const struct ike_esp *esp)
{
	t->local = esp->local;
	t->remote = esp->remote;
	t->encap = esp->encap;
}

void supervisor_restored(struct tunnel *t)
{
	struct ike_status st;

	if (ike_status_get(t->ed->ike, t->name, &st) == 0 &&
	    (st.inside.own4.family || st.inside.own6.family)) {
		struct tunnel_inside inside[ED_FAMILIES] = {
			[ED_V4] = {.local = st.inside.own4, .peer = st.inside.peer4},
			[ED_V6] = {.local = st.inside.own6, .peer = st.inside.peer6},
		};

		tunnel_set_inside(t, inside);
	}
	on_up(t, "its SA was taken over from before the restart");
}

void supervisor_called(struct tunnel *t)
{
	tunnel_interface_update(t);
}

/* ---- IKE alive, ESP dead --------------------------------------------------------- */

static void on_watch(void *ctx, struct mono now);

static void watch_in(struct tunnel *t, int64_t ms)
{
	loop_timer_at(t->ed->loop, &t->watch, mono_add_ms(loop_now(t->ed->loop), ms),
		      on_watch, t);
}

static void act_against_dead_esp(struct tunnel *t, struct mono now)
{
	int64_t pause = SUPERVISOR_DEAD_STEP_MS;
	bool child = t->esp_dead % 2 == 0;

	event_emit(t->ed, EVENT_TUNNEL, t->name, "up", "esp-dead",
		   child ? "IKE is answered but no probe is: rekeying the child SA"
			 : "IKE is answered but no probe is: making the IKE SA anew",
		   EVENT_NUMBERS(event_int("step", t->esp_dead + 1)));
	for (unsigned int i = 0; i < t->esp_dead && pause < SUPERVISOR_DEAD_STEP_MAX_MS;
	     i++)
		pause *= 2;
	t->esp_dead++;
	t->esp_asked = MONO_ZERO;
	if (child) {
		(void)ike_rekey_child(t->ed->ike, now, t->name);
		watch_in(t, pause);
		ike_host_pump(t->ed);
		return;
	}
	(void)ike_down(t->ed->ike, now, t->name);
	ike_host_pump(t->ed);
}

/* Path down for a while: ask by IKE, then look whether it answered. */
static void on_watch(void *ctx, struct mono now)
{
	struct tunnel *t = ctx;
	struct ike_status st;

	if (t->state != TUNNEL_UP || path_life(t) != STEER_SILENT)
		return;
	if (t->esp_asked.us == 0) {
		t->esp_asked = now;
		(void)ike_probe(t->ed->ike, now, t->name);
		watch_in(t, SUPERVISOR_DEAD_ANSWER_MS);
		ike_host_pump(t->ed);
		return;
	}
	if (ike_status_get(t->ed->ike, t->name, &st) == 0 &&
	    mono_before(t->esp_asked, st.heard)) {
		act_against_dead_esp(t, now);
		return;
	}
	/* IKE is silent too: the engine is asking already and ends it in time. */
	t->esp_asked = MONO_ZERO;
	watch_in(t, SUPERVISOR_DEAD_STEP_MS);
}

void supervisor_path_changed(struct tunnel *t)
{
	enum steer_life life = path_life(t);

	if (life == STEER_ALIVE) {
		t->esp_dead = 0;
		loop_timer_stop(&t->watch);
		return;
	}
	if (!t->conf || t->state != TUNNEL_UP || life != STEER_SILENT ||
	    loop_timer_active(&t->watch))
		return;
	t->esp_asked = MONO_ZERO;
	watch_in(t, SUPERVISOR_DEAD_ASK_MS);
}

/* ---- the operator ------------------------------------------------------------------ */

void supervisor_restart(struct peer *p)
{
	struct tunnel *t;
	struct tunnel *tmp;

	DL_FOREACH_SAFE (p->tunnels, t, tmp) {
		if (t->state == TUNNEL_STOPPED)
			continue;
		cancel(t);
		(void)ike_down(p->ed->ike, loop_now(p->ed->loop), t->name);
		ike_host_pump(p->ed);
		cancel(t);
		enter(t, TUNNEL_IDLE, "restarted by the operator");
		consider(t);
	}
}

void supervisor_rekey(struct peer *p)
{
	struct tunnel *t;

	DL_FOREACH (p->tunnels, t) {
		(void)ike_rekey_ike(p->ed->ike, loop_now(p->ed->loop), t->name);
		(void)ike_rekey_child(p->ed->ike, loop_now(p->ed->loop), t->name);
	}
	ike_host_pump(p->ed);
}
