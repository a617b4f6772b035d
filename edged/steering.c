/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between the tunnels and steer_peer(). A look costs paths x classes of one
 * peer and allocates nothing that outlives it. STATE/steering holds, peer by
 * peer, the lines of steer_state_save() under a line "peer NAME".
 */
#include "edged/steering.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "edged/config/config.h"
#include "edged/edged.h"
#include "edged/events.h"
#include "edged/path.h"
#include "edged/savefile.h"
#include "edged/steer_apply.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/text.h"

enum steering_limits {
	STEERING_FIRST_US = 3000000, /* the first plan waits at most this long */
	STEERING_SAVE_US = 2000000, /* between a change and the file */
	STEERING_FILE_MAX = 16 << 20,
	STEERING_PEER_BYTES = 32 << 10, /* room for one peer's lines */
	STEERING_MOVES_MAX = 256, /* classes times reasons that are counted */
};

struct peer_steer {
	struct steer_state *state;
	bool planned; /* the first plan was made */
	bool urgent; /* the peer has no good path: its probes run fast */
	bool all_silent;
	struct steering_moves *moves;
	size_t n_moves;
	struct loop_timer soon;
};

struct steering {
	struct edged *ed;
	struct mono first_by; /* plans are made from now on, whatever is measured */
	bool begun;
	struct steer_class *classes; /* over ed->config */
	size_t n_classes;
	struct loop_timer look;
	struct loop_timer save;
};

/* --- what steer_peer() wants ----------------------------------------------- */

static void read_classes(struct steering *s)
{
	const struct config *c = s->ed->config;

	free(s->classes);
	s->n_classes = s->ed->opt.without_steering ? 0 : c->classes.n;
	s->classes = ed_array(s->n_classes, sizeof(*s->classes));
	for (size_t i = 0; i < s->n_classes; i++) {
		const struct config_class *from = &c->classes.v[i];
		const struct config_strings *list =
			from->strategy == CONFIG_SHARE ? &from->share : &from->prefer;
		struct steer_class *to = &s->classes[i];

		*to = (struct steer_class){
			.name = from->name,
			.max_delay_us = (uint32_t)from->max_delay_us,
			.max_jitter_us = (uint32_t)from->max_jitter_us,
			.max_loss_ppm = (uint32_t)from->max_loss_ppm,
			.strategy = from->strategy == CONFIG_SHARE    ? STEER_SHARE
				    : from->strategy == CONFIG_PREFER ? STEER_PREFER
								      : STEER_CHEAPEST,
			.uplinks = (const char *const *)list->v,
			.n_uplinks = list->n,
			.last_resort = (const char *const *)from->last_resort.v,
			.n_last_resort = from->last_resort.n,
		};
	}
}

/* A caller's uplink as our configuration of the peer names it, or NULL. */
static const struct config_peer_uplink *caller_uplink(const struct tunnel *t)
{
	const struct config_peer *c = t->peer->conf;

	for (size_t i = 0; i < c->uplinks.n; i++) {
		if (strcmp(c->uplinks.v[i].name, t->label) == 0)
			return &c->uplinks.v[i];
	}
	return NULL;
}

/* Cost, place and rate of a caller's path: our configuration, else its own word. */
static void fill_caller(const struct tunnel *t, struct steer_path *path)
{
	const struct config_peer_uplink *conf = caller_uplink(t);
	struct pm_peer_info info = {0};
	struct pm_path *pm = path_pm(t);

	if (pm)
		pm_path_peer_info(pm, &info);
	path->cost = conf ? (uint32_t)conf->cost : info.cost;
	path->place = info.order;
	path->rate_bps = conf && conf->down_bps ? conf->down_bps
						: (uint64_t)info.down_kbps * 1000;
}

static void fill_own(const struct tunnel *t, struct steer_path *path)
{
	const struct config_uplink *u = t->uplink->conf;

	path->cost = (uint32_t)u->cost;
	path->place = (uint32_t)(u - t->ed->config->uplinks.v);
	path->rate_bps = u->up_bps;
}

static void fill_looks(const struct steering *s, const struct tunnel *t,
		       struct steer_measure *looks, struct mono now)
{
	struct pm_path *pm = path_pm(t);

	for (size_t i = 0; i < s->n_classes; i++) {
		struct pm_measure m = {0};

		if (pm)
			pm_path_measure(pm, path_session(t, (unsigned int)i), now, &m);
		looks[i] = (struct steer_measure){
			.answers = m.answers,
			.delay_us = m.delay_us,
			.jitter_us = m.jitter_us,
			.judged = m.judged,
			.lost = m.lost,
		};
	}
}

/*
 * The peer's paths, in the order of its tunnels. A tunnel whose interface was
 * never made has no id that steering could use and is left out.
 */
static size_t fill_paths(const struct steering *s, const struct peer *p,
			 struct steer_path *paths, struct steer_measure *looks,
			 struct mono now)
{
	size_t n = 0;

	for (const struct tunnel *t = p->tunnels; t && n < STEER_PATHS_MAX;
	     t = t->next) {
		struct steer_path *path = &paths[n];

		if (!t->slot || (!t->uplink && !p->calls_us))
			continue;
		*path = (struct steer_path){
			.id = t->slot,
			.name = t->name,
			.label = t->label,
			.life = path_state(t) == PM_SUSPECT ? STEER_SUSPECT
							    : path_life(t),
			.looks = &looks[n * s->n_classes],
		};
		if (p->calls_us) {
			fill_caller(t, path);
		} else {
			fill_own(t, path);
			if (t->uplink->stopped)
				path->order = STEER_ORDER_DOWN;
		}
		fill_looks(s, t, &looks[n * s->n_classes], now);
		n++;
	}
	return n;
}

/* --- what comes out of it -------------------------------------------------- */

static void tell_decision(const struct peer *p, const struct steer_decision *d)
{
	char subject[2 * EDGED_NAME_MAX + 2];
	char buf[512];
	struct text reason = text_init(buf, sizeof(buf));
	const struct steer_evidence *e = &d->evidence;
	double unit = e->metric == STEER_LOSS ? 1e4 : 1e3;

	snprintf(subject, sizeof(subject), "%s/%s", p->name, d->class_name);
	steer_decision_text(d, &reason);
	event_emit(
		p->ed, EVENT_STEER, subject, d->from, d->to, reason.buf,
		EVENT_NUMBERS(
			event_text("peer", p->name), event_text("class", d->class_name),
			event_text("why", steer_reason_name(d->reason)),
			event_text("path", d->subject),
			event_text("metric",
				   e->metric ? steer_metric_name(e->metric) : ""),
			event_float(e->metric == STEER_LOSS ? "value_pct" : "value_ms",
				    e->value / unit),
			event_float(e->metric == STEER_LOSS ? "limit_pct" : "limit_ms",
				    e->limit / unit),
			event_int("lost", e->lost), event_int("judged", e->judged),
			event_int("penalty", d->penalty)));
}

/* Bounded by the classes and reasons that there are, and were since the start. */
static void count_move(struct peer_steer *ps, const struct steer_decision *d)
{
	struct steering_moves *m;

	for (size_t i = 0; i < ps->n_moves; i++) {
		m = &ps->moves[i];
		if (m->reason == d->reason &&
		    strcmp(m->class_name, d->class_name) == 0) {
			m->count++;
			return;
		}
	}
	if (ps->n_moves == STEERING_MOVES_MAX)
		return;
	ps->moves = ed_realloc(ps->moves, ps->n_moves + 1, sizeof(*ps->moves));
	m = &ps->moves[ps->n_moves++];
	snprintf(m->class_name, sizeof(m->class_name), "%s", d->class_name);
	m->reason = d->reason;
	m->count = 1;
}

size_t steering_moves(const struct peer *p, const struct steering_moves **ret)
{
	if (!p->steer)
		return 0;
	*ret = p->steer->moves;
	return p->steer->n_moves;
}

static void tell_silence(struct peer *p, const struct steer_plan *plan)
{
	struct peer_steer *ps = p->steer;

	if (ps->all_silent == plan->all_silent)
		return;
	ps->all_silent = plan->all_silent;
	event_emit(p->ed, EVENT_PEER, p->name, plan->all_silent ? "up" : "silent",
		   plan->all_silent ? "silent" : "up",
		   plan->all_silent ? "no path answers: forwarding goes on where it was"
				    : "a path answers again",
		   NULL);
}

/* A peer without a good path is probed fast on every path, whatever the budget. */
static void set_urgent(struct peer *p, bool urgent, struct mono now)
{
	if (p->steer->urgent == urgent)
		return;
	p->steer->urgent = urgent;
	for (struct tunnel *t = p->tunnels; t; t = t->next) {
		struct pm_path *pm = path_pm(t);

		if (pm)
			pm_path_urgent(pm, now, urgent);
	}
}

static void on_save(void *ctx, struct mono now);

static void look_at(struct steering *s, struct peer *p, struct mono now)
{
	struct steer_path paths[STEER_PATHS_MAX];
	size_t n_looks = STEER_PATHS_MAX * (s->n_classes ? s->n_classes : 1);
	struct steer_measure *looks = ed_array(n_looks, sizeof(*looks));
	struct steer_settings settings = {
		.hold_us = s->ed->config->steering.hold_us,
		.hold_max_us = s->ed->config->steering.hold_max_us,
	};
	size_t n = fill_paths(s, p, paths, looks, now);
	bool first = !p->steer->planned;
	const struct steer_plan *plan;

	plan = steer_peer(p->steer->state, s->classes, s->n_classes, paths, n,
			  &settings, now);
	p->steer->planned = true;
	for (size_t i = 0; i < plan->n_decisions; i++) {
		count_move(p->steer, &plan->decisions[i]);
		tell_decision(p, &plan->decisions[i]);
	}
	tell_silence(p, plan);
	set_urgent(p, !plan->any_good, now);
	if (plan->changed || first) {
		steer_apply_peer(s->ed, p);
		if (!loop_timer_active(&s->save))
			loop_timer_at(s->ed->loop, &s->save,
				      mono_add_us(now, STEERING_SAVE_US), on_save, s);
	} else {
		steer_apply_liveness(s->ed, p);
	}
	free(looks);
}

/* --- when ------------------------------------------------------------------ */

/* After a start: has every path with an SA been measured? */
static bool all_measured(const struct steering *s)
{
	const struct tunnel *t;
	const struct tunnel *next;
	bool any = false;

	HASH_ITER (hh, s->ed->tunnels, t, next) {
		if (!tunnel_has_sa(t))
			continue;
		any = true;
		if (!path_measured(t))
			return false;
	}
	return any;
}

static bool may_plan(struct steering *s, struct mono now)
{
	if (!s->begun && (mono_due(s->first_by, now) || all_measured(s)))
		s->begun = true;
	return s->begun;
}

static void on_look(void *ctx, struct mono now)
{
	struct steering *s = ctx;
	struct peer *p;
	struct peer *next;
	bool first = !s->begun;

	if (may_plan(s, now)) {
		HASH_ITER (hh, s->ed->peers, p, next) {
			if (p->steer)
				look_at(s, p, now);
		}
		if (first)
			steer_apply_all(s->ed);
	}
	loop_timer_at(s->ed->loop, &s->look, mono_add_us(now, STEER_LOOK_US), on_look,
		      s);
}

static void on_soon(void *ctx, struct mono now)
{
	struct peer *p = ctx;
	struct steering *s = p->ed->steering;

	if (may_plan(s, now))
		look_at(s, p, now);
}

void steering_touch(struct peer *p)
{
	if (!p->ed->steering)
		return;
	if (!p->steer) {
		p->steer = ed_alloc(sizeof(*p->steer));
		p->steer->state = steer_state_new();
	}
	if (!loop_timer_active(&p->steer->soon))
		loop_timer_at(p->ed->loop, &p->steer->soon, mono_now(), on_soon, p);
}

void steering_forget(struct peer *p)
{
	if (!p->steer)
		return;
	loop_timer_stop(&p->steer->soon);
	steer_state_free(p->steer->state);
	free(p->steer->moves);
	free(p->steer);
	p->steer = NULL;
}

void steering_reload(struct edged *ed)
{
	struct peer *p;
	struct peer *next;

	if (!ed->steering)
		return;
	read_classes(ed->steering);
	HASH_ITER (hh, ed->peers, p, next)
		steering_touch(p);
}

const struct steer_plan *steering_plan(const struct peer *p)
{
	if (!p->steer || !p->steer->planned)
		return NULL;
	return steer_last(p->steer->state);
}

int steering_standing(const struct tunnel *t, const char *class_name,
		      struct steer_standing *ret)
{
	struct steer_settings settings = {
		.hold_us = t->ed->config->steering.hold_us,
		.hold_max_us = t->ed->config->steering.hold_max_us,
	};

	if (!t->peer->steer)
		return -ENOENT;
	return steer_standing(t->peer->steer->state, &settings, t->slot, class_name,
			      mono_now(), ret);
}

/* --- STATE/steering -------------------------------------------------------- */

static bool state_path(const struct edged *ed, char *buf, size_t cap)
{
	return (size_t)snprintf(buf, cap, "%s/steering", ed->opt.state) < cap;
}

static void save_state(struct steering *s, struct mono now)
{
	char file[PATH_MAX];
	size_t cap = STEERING_PEER_BYTES;
	struct peer *p;
	struct peer *next;
	struct text out;
	char *buf;
	int err;

	if (!state_path(s->ed, file, sizeof(file)))
		return;
	cap *= 1 + HASH_COUNT(s->ed->peers);
	if (cap > STEERING_FILE_MAX)
		cap = STEERING_FILE_MAX;
	buf = ed_alloc(cap);
	out = text_init(buf, cap);
	HASH_ITER (hh, s->ed->peers, p, next) {
		if (!p->steer)
			continue;
		text_add(&out, "peer %s\n", p->name);
		steer_state_save(p->steer->state, now, &out);
	}
	err = savefile_write(file, buf, out.len, 0600, true);
	if (err < 0)
		ed_warn("steering", "%s: %s; decisions go on, a restart forgets them",
			file, strerror(-err));
	free(buf);
}

static void on_save(void *ctx, struct mono now)
{
	save_state(ctx, now);
}

static size_t load_peer(struct edged *ed, const char *name, const char *lines,
			size_t len, int64_t age_s)
{
	struct peer *p = edged_peer(ed, name);

	if (!p)
		return 0;
	steering_touch(p);
	return steer_state_load(p->steer->state, lines, len, age_s, mono_now());
}

/* Cut the text at its "peer NAME" lines. */
static void load_text(struct edged *ed, char *text, int64_t age_s)
{
	char *at = text;
	size_t skipped = 0;

	/* Ends: each round goes past one "peer" line. */
	while (at && strncmp(at, "peer ", 5) == 0) {
		char *name = at + 5;
		char *lines = strchr(name, '\n');
		char *next;

		if (!lines)
			break;
		*lines++ = '\0';
		next = strncmp(lines, "peer ", 5) == 0 ? lines
						       : strstr(lines, "\npeer ");
		if (next && next != lines)
			next++;
		skipped +=
			load_peer(ed, name, lines,
				  next ? (size_t)(next - lines) : strlen(lines), age_s);
		at = next;
	}
	if (skipped)
		ed_warn("steering", "%zu damaged lines of the state file were skipped",
			skipped);
}

static void load_state(struct edged *ed)
{
	char file[PATH_MAX];
	struct stat st;
	uint8_t *text;
	size_t len;
	int64_t age_s = 0;

	if (!state_path(ed, file, sizeof(file)))
		return;
	if (savefile_read(file, STEERING_FILE_MAX, &text, &len) < 0)
		return;
	if (stat(file, &st) == 0 && time(NULL) > st.st_mtime)
		age_s = time(NULL) - st.st_mtime;
	load_text(ed, (char *)text, age_s);
	free(text);
}

struct steering *steering_new(struct edged *ed)
{
	struct steering *s = ed_alloc(sizeof(*s));
	struct mono now = mono_now();

	s->ed = ed;
	s->first_by = mono_add_us(now, STEERING_FIRST_US);
	read_classes(s);
	ed->steering = s;
	load_state(ed);
	loop_timer_at(ed->loop, &s->look, mono_add_us(now, STEER_LOOK_US), on_look, s);
	return s;
}

void steering_free(struct steering *s)
{
	struct peer *p;
	struct peer *next;

	if (!s)
		return;
	loop_timer_stop(&s->look);
	loop_timer_stop(&s->save);
	save_state(s, mono_now());
	HASH_ITER (hh, s->ed->peers, p, next)
		steering_forget(p);
	s->ed->steering = NULL;
	free(s->classes);
	free(s);
}
