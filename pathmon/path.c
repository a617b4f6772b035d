/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Parts: pacer (when), ring of probes in flight (which), windows (how good),
 * liveness (alive?). This file moves facts between them.
 *
 * Hard cases:
 *  - Late is not lost twice: the ring settles in order of sending; a probe is
 *    counted lost once, at its time-out, and an answer after that is "late".
 *  - Out-of-order answers: "since the last answer" means the newest probe that
 *    was answered; an answer to an older one is a sign of life all the same.
 *  - Loss per direction: the reflector's own sequence counts what reached it.
 *    It begins anew when the peer restarts; the sums go on.
 */
#include "pathmon/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/rng.h"
#include "pathmon/liveness.h"
#include "pathmon/pacer.h"
#include "pathmon/window.h"

enum {
	RING_MIN = 64,
	RING_MAX = 8192,
	CHANGES_MAX = 8,
	RECENT_ANSWERS = 4,
	/* The peer hears nothing: for so long, while so many probes left. */
	DEAF_QUIET_MS = 600,
	/* A reflector's sequence further off than this began anew. */
	DIRECTION_JUMP = 4096,
};

enum in_flight_state { WAITING = 1, ANSWERED, LOST };

struct in_flight {
	struct mono sent;
	uint64_t stamp;
	uint32_t seq;
	uint8_t session;
	uint8_t state; /* enum in_flight_state, 0: never used */
	bool extra;
};

/* What reached the reflector, by its own sequence. */
struct direction {
	bool known; /* a base was taken */
	bool stateful; /* the reflector's number differed from ours, or it reported */
	uint32_t base_seq;
	uint32_t base_reflector;
	uint32_t top_seq;
	uint32_t top_reflector;
	uint32_t answers; /* since the base, up to top_seq */
	uint64_t past_out; /* sums of earlier bases */
	uint64_t past_back;
};

struct pm_path {
	struct pm_path_config cfg;
	struct rng *rng;
	struct pm_liveness life;
	struct pm_pacer pacer;
	struct pm_window *windows[PM_SESSIONS_MAX];
	struct pm_totals totals;
	struct direction dir;
	struct pm_peer_info peer;
	uint32_t heard; /* packets of any kind that we know of */
	bool rx_known;
	uint64_t rx_packets;
	int send_failures;
	struct mono failing; /* first of these */
	bool send_off; /* off because nothing can be sent */
	struct mono retry;
	uint32_t next_seq;
	uint32_t open_seq; /* oldest one not settled */
	uint32_t last_answered; /* newest one answered, or next_seq - 1 at start */
	struct pm_change changes[CHANGES_MAX];
	unsigned int n_changes;
	uint32_t ring_mask;
	struct in_flight *ring;
};

struct pm_path_config pm_path_config_default(void)
{
	return (struct pm_path_config){
		.kind = PM_STAMP,
		.n_sessions = 1,
		.interval_us = 100000,
		.timeout_us = 2000000,
		.window_us = 60000000,
		.metered_idle_us = 10000000,
		.metered_busy_us = 200000,
		.suspect_us = 25000,
		.down_missed = 5,
		.down_quiet_us = 300000,
		.down_no_answer_us = 1000000,
		.up_answers = 3,
		.up_proving_us = 5000000,
		.up_first_us = 1000000,
	};
}

/* --- construction ----------------------------------------------------------- */

/* Room for all that may be in flight, twice, so that late answers are known. */
static uint32_t ring_size(const struct pm_path_config *cfg)
{
	int64_t regular = cfg->timeout_us / cfg->interval_us * cfg->n_sessions;
	int64_t need = 2 * (regular + cfg->timeout_us / cfg->suspect_us);
	uint32_t size = RING_MIN;

	/* Ends: size doubles up to RING_MAX. */
	while (size < RING_MAX && size < need)
		size *= 2;
	return size;
}

static uint32_t window_size(const struct pm_path_config *cfg)
{
	int64_t n = (cfg->window_us + cfg->timeout_us) / cfg->interval_us;

	/* Jitter may send a little more. */
	n += n / 8;
	return n > PM_WINDOW_MAX ? PM_WINDOW_MAX : (uint32_t)n;
}

/* Steering judges delay by a handful of answers, however slowly they are asked for. */
static int64_t recent_us(const struct pm_path_config *cfg)
{
	if (cfg->metered && cfg->metered_busy_us * cfg->n_sessions > cfg->interval_us)
		return RECENT_ANSWERS * cfg->metered_busy_us * cfg->n_sessions;
	return RECENT_ANSWERS * cfg->interval_us;
}

static void build(struct pm_path *p, const struct pm_path_config *cfg)
{
	uint32_t size = ring_size(cfg);

	p->cfg = *cfg;
	p->ring_mask = size - 1;
	p->ring = ed_array(size, sizeof(*p->ring));
	for (unsigned int i = 0; i < cfg->n_sessions; i++)
		p->windows[i] = pm_window_new(window_size(cfg), cfg->window_us,
					      recent_us(cfg), cfg->timeout_us);
}

static void dismantle(struct pm_path *p)
{
	free(p->ring);
	p->ring = NULL;
	for (unsigned int i = 0; i < PM_SESSIONS_MAX; i++) {
		pm_window_free(p->windows[i]);
		p->windows[i] = NULL;
	}
}

static bool config_ok(const struct pm_path_config *cfg)
{
	return cfg->n_sessions >= 1 && cfg->n_sessions <= PM_SESSIONS_MAX &&
	       cfg->interval_us > 0 && cfg->timeout_us > 0 && cfg->suspect_us > 0;
}

struct pm_path *pm_path_new(const struct pm_path_config *cfg, struct rng *rng)
{
	struct pm_path *p;

	if (!config_ok(cfg))
		return NULL;
	p = ed_alloc(sizeof(*p));
	p->rng = rng;
	p->next_seq = rng_u32(rng);
	p->open_seq = p->next_seq;
	pm_liveness_init(&p->life);
	build(p, cfg);
	return p;
}

void pm_path_free(struct pm_path *p)
{
	if (!p)
		return;
	dismantle(p);
	free(p);
}

/* --- small steps -------------------------------------------------------------- */

static struct pm_pace pace(const struct pm_path *p)
{
	return (struct pm_pace){
		.cfg = &p->cfg,
		.state = p->life.state,
		.since = p->life.since,
	};
}

static struct in_flight *slot(const struct pm_path *p, uint32_t seq)
{
	return &p->ring[seq & p->ring_mask];
}

static void note_change(struct pm_path *p, const struct pm_change *c)
{
	/* More than a host takes between two calls cannot happen; keep the newest. */
	if (p->n_changes == CHANGES_MAX) {
		p->n_changes--;
		memmove(p->changes, p->changes + 1,
			p->n_changes * sizeof(p->changes[0]));
	}
	p->changes[p->n_changes++] = *c;
}

static void changed(struct pm_path *p, const struct pm_change *c, struct mono now)
{
	struct pm_pace pc = pace(p);

	note_change(p, c);
	if (c->to == PM_SUSPECT)
		pm_pacer_busy(&p->pacer, &pc, now);
	else
		pm_pacer_hasten(&p->pacer, &pc, now);
}

bool pm_path_change(struct pm_path *p, struct pm_change *out)
{
	if (!p->n_changes)
		return false;
	*out = p->changes[0];
	p->n_changes--;
	memmove(p->changes, p->changes + 1, p->n_changes * sizeof(p->changes[0]));
	return true;
}

/* The first bucket whose upper end, 1 ms << i, is not below delay. */
static unsigned int delay_bucket(int64_t delay_us)
{
	unsigned int i = 0;

	while (i < PM_DELAY_BUCKETS - 1 && delay_us > (int64_t)1000 << i)
		i++;
	return i;
}

static void lose(struct pm_path *p, struct in_flight *f)
{
	f->state = LOST;
	p->totals.lost++;
	p->totals.in_flight--;
}

static void settle(struct pm_path *p, struct mono now)
{
	/* Ends: open_seq grows to next_seq at most. */
	while (p->open_seq != p->next_seq) {
		struct in_flight *f = slot(p, p->open_seq);

		if (f->state == WAITING && f->seq == p->open_seq) {
			if (mono_diff_us(now, f->sent) < p->cfg.timeout_us)
				return;
			lose(p, f);
		}
		p->open_seq++;
	}
}

/* What waits since the last answer: at most what fits the ring. */
static struct pm_overdue overdue(const struct pm_path *p, struct mono now)
{
	struct pm_overdue o = {.waiting = MONO_NEVER};
	int64_t limit = pm_liveness_missed_us(&p->life);
	uint32_t seq = p->last_answered + 1;

	if (p->next_seq - seq > p->ring_mask)
		seq = p->next_seq - p->ring_mask;
	/* Ends: seq grows to next_seq. */
	for (; seq != p->next_seq; seq++) {
		const struct in_flight *f = slot(p, seq);

		if (f->seq != seq || f->state == ANSWERED || f->state == 0)
			continue;
		if (mono_is_never(o.waiting))
			o.waiting = f->sent;
		if (mono_diff_us(now, f->sent) < limit)
			break;
		o.missed++;
	}
	return o;
}

/* --- start, stop, settings ------------------------------------------------------ */

static void begin(struct pm_path *p, struct mono now)
{
	struct pm_change c;

	p->send_off = false;
	p->send_failures = 0;
	p->last_answered = p->next_seq - 1;
	pm_pacer_start(&p->pacer, now);
	pm_liveness_start(&p->life, now, &c);
	note_change(p, &c);
}

void pm_path_start(struct pm_path *p, struct mono now)
{
	if (p->life.state != PM_OFF || p->send_off)
		return;
	p->totals = (struct pm_totals){0};
	p->dir = (struct direction){0};
	p->peer = (struct pm_peer_info){0};
	p->open_seq = p->next_seq;
	p->heard = 0;
	p->rx_known = false;
	memset(p->ring, 0, (p->ring_mask + 1) * sizeof(*p->ring));
	for (unsigned int i = 0; i < p->cfg.n_sessions; i++)
		pm_window_reset(p->windows[i]);
	begin(p, now);
}

void pm_path_stop(struct pm_path *p, struct mono now)
{
	struct pm_change c;

	p->send_off = false;
	if (pm_liveness_stop(&p->life, PM_CAUSE_STOPPED, 0, now, &c))
		note_change(p, &c);
}

static bool same_shape(const struct pm_path_config *a, const struct pm_path_config *b)
{
	return a->n_sessions == b->n_sessions && a->interval_us == b->interval_us &&
	       a->timeout_us == b->timeout_us && a->window_us == b->window_us &&
	       a->suspect_us == b->suspect_us && recent_us(a) == recent_us(b) &&
	       memcmp(a->dscp, b->dscp, a->n_sessions) == 0;
}

int pm_path_configure(struct pm_path *p, const struct pm_path_config *cfg,
		      struct mono now)
{
	struct pm_pace pc;

	if (!config_ok(cfg))
		return -EINVAL;
	if (same_shape(&p->cfg, cfg)) {
		p->cfg = *cfg;
	} else {
		/* What is in flight is forgotten: neither lost nor answered. */
		p->totals.sent -= p->totals.in_flight;
		p->totals.in_flight = 0;
		dismantle(p);
		build(p, cfg);
		p->open_seq = p->next_seq;
		p->last_answered = p->next_seq - 1;
	}
	pc = pace(p);
	if (p->life.state != PM_OFF)
		pm_pacer_hasten(&p->pacer, &pc, now);
	return 0;
}

/* --- time ----------------------------------------------------------------------- */

struct mono pm_path_deadline(const struct pm_path *p)
{
	struct pm_pace pc = pace(p);
	struct mono next = pm_pacer_next(&p->pacer, &pc);
	uint32_t seq = p->last_answered + 1;

	if (p->life.state == PM_OFF)
		return p->send_off ? p->retry : MONO_NEVER;
	/* Between two probes only one thing cannot wait: the first overdue answer. */
	if (p->life.state == PM_UP && seq != p->next_seq) {
		const struct in_flight *f = slot(p, seq);

		if (f->seq == seq && f->state == WAITING)
			next = mono_min(next,
					mono_add_us(f->sent,
						    pm_liveness_suspect_us(&p->life)));
	}
	return next;
}

bool pm_path_poll(struct pm_path *p, struct mono now, struct pm_probe *probe)
{
	struct pm_overdue o;
	struct pm_change c;
	struct pm_pace pc;

	settle(p, now);
	if (p->life.state == PM_OFF) {
		/* See whether a probe can be sent again; pm_path_sent() then begins. */
		if (!p->send_off || !mono_due(p->retry, now))
			return false;
		p->retry = mono_add_us(now, PM_SEND_RETRY_US);
		*probe = (struct pm_probe){.seq = p->next_seq, .dscp = p->cfg.dscp[0]};
		return true;
	}
	o = overdue(p, now);
	if (pm_liveness_check(&p->life, &p->cfg, &o, now, &c))
		changed(p, &c, now);
	pc = pace(p);
	if (!pm_pacer_take(&p->pacer, &pc, p->rng, now, &probe->session, &probe->extra))
		return false;
	probe->seq = p->next_seq;
	probe->dscp = p->cfg.dscp[probe->session];
	return true;
}

void pm_path_sent(struct pm_path *p, const struct pm_probe *probe, struct mono now,
		  uint64_t stamp)
{
	struct in_flight *f = slot(p, probe->seq);

	if (p->send_off) {
		struct pm_pace pc;
		uint8_t session;
		bool extra;

		begin(p, now);
		pc = pace(p);
		(void)pm_pacer_take(&p->pacer, &pc, p->rng, now, &session, &extra);
	}
	/* The ring is too small for the time-out: what it overwrites is lost. */
	if (f->state == WAITING)
		lose(p, f);
	if (p->next_seq - p->open_seq > p->ring_mask)
		p->open_seq = p->next_seq - p->ring_mask;
	*f = (struct in_flight){
		.sent = now,
		.stamp = stamp,
		.seq = probe->seq,
		.session = probe->session,
		.state = WAITING,
		.extra = probe->extra,
	};
	p->next_seq = probe->seq + 1;
	p->totals.sent++;
	p->totals.in_flight++;
	p->send_failures = 0;
	if (!probe->extra)
		(void)pm_window_sent(p->windows[probe->session], probe->seq, now);
}

void pm_path_send_failed(struct pm_path *p, int err, struct mono now)
{
	struct pm_change c;

	if (p->send_failures++ == 0)
		p->failing = now;
	if (p->send_failures < PM_SEND_FAILURES ||
	    mono_diff_us(now, p->failing) < PM_SEND_FAILING_US)
		return;
	if (pm_liveness_stop(&p->life, PM_CAUSE_SEND, err, now, &c))
		note_change(p, &c);
	p->send_off = true;
	p->retry = mono_add_us(now, PM_SEND_RETRY_US);
}

/* --- what arrives ------------------------------------------------------------------ */

static uint64_t dir_out(const struct direction *d)
{
	uint32_t left = d->top_seq - d->base_seq;
	uint32_t reached = d->top_reflector - d->base_reflector;

	return d->past_out + (left > reached ? left - reached : 0);
}

static uint64_t dir_back(const struct direction *d)
{
	uint32_t reached = d->top_reflector - d->base_reflector;

	return d->past_back + (reached + 1 > d->answers ? reached + 1 - d->answers : 0);
}

static void dir_answer(struct direction *d, uint32_t seq, uint32_t reflector)
{
	int32_t left = (int32_t)(seq - d->top_seq);
	int32_t reached = (int32_t)(reflector - d->top_reflector);

	if (reflector != seq)
		d->stateful = true;
	if (d->known && left <= 0) {
		d->answers++; /* overtaken by a newer one */
		return;
	}
	/* It cannot have answered more than left since; else it began anew. */
	if (d->known && (reached <= 0 || reached > left || reached > DIRECTION_JUMP)) {
		d->past_out = dir_out(d);
		d->past_back = dir_back(d);
		d->known = false;
	}
	if (!d->known) {
		d->known = true;
		d->base_seq = seq;
		d->base_reflector = reflector;
		d->answers = 0;
	}
	d->top_seq = seq;
	d->top_reflector = reflector;
	d->answers++;
}

static void arrived(struct pm_path *p, struct mono now)
{
	p->heard++;
	pm_liveness_arrived(&p->life, now);
}

/* Probes that left after from and not after until. */
static uint32_t left_within(const struct pm_path *p, struct mono from,
			    struct mono until)
{
	uint32_t n = 0;

	/* Ends: at most the ring, newest first. */
	for (uint32_t i = 1; i <= p->ring_mask; i++) {
		const struct in_flight *f = slot(p, p->next_seq - i);

		if (f->seq != p->next_seq - i || f->state == 0)
			break;
		if (!mono_before(from, f->sent))
			break;
		n += !mono_before(until, f->sent);
	}
	return n;
}

static void peer_said(struct pm_path *p, const struct pm_report *r, struct mono now)
{
	struct pm_change c;
	struct pm_overdue o;
	/* What left before may have been heard; what left later may be under way
	 * still, also when the delay has jumped. */
	struct mono from = mono_add_us(now, -(int64_t)r->quiet_ms * MONO_US_PER_MS);
	struct mono until = mono_add_us(now, -pm_liveness_missed_us(&p->life));

	p->peer = (struct pm_peer_info){
		.valid = true,
		.metered = r->metered,
		.cost = r->cost,
		.order = r->order,
		.down_kbps = r->down_kbps,
	};
	p->dir.stateful = true;
	if (p->life.state != PM_UP && p->life.state != PM_SUSPECT)
		return;
	if (r->quiet_ms < DEAF_QUIET_MS || r->quiet_ms == UINT32_MAX)
		return;
	/* Silent because we sent nothing (metered, idle) is no fault. */
	if (left_within(p, from, until) < p->cfg.down_missed)
		return;
	o = overdue(p, now);
	if (pm_liveness_deaf(&p->life, &o, now, &c))
		changed(p, &c, now);
}

void pm_path_heard(struct pm_path *p, const struct pm_report *report, struct mono now)
{
	if (p->life.state == PM_OFF)
		return;
	arrived(p, now);
	if (report)
		peer_said(p, report, now);
}

int pm_path_answer(struct pm_path *p, const struct pm_path_answer *a, struct mono now)
{
	struct in_flight *f = slot(p, a->seq);
	struct pm_change c;
	int64_t took;
	int64_t delay;

	if (p->life.state == PM_OFF)
		return -ENOENT;
	if (f->state == 0 || f->seq != a->seq || f->stamp != a->stamp) {
		p->totals.forged++;
		return -ENOENT;
	}
	settle(p, now);
	if (f->state == ANSWERED) {
		p->totals.repeated++;
		return -EALREADY;
	}
	if (f->state == LOST) {
		f->state = ANSWERED;
		p->totals.late++;
		arrived(p, now);
		return -ETIME;
	}
	took = mono_diff_us(now, f->sent);
	if (took < 0)
		took = 0;
	delay = a->held_us > 0 && a->held_us <= took ? took - a->held_us : took;
	f->state = ANSWERED;
	p->totals.in_flight--;
	p->totals.answers[delay_bucket(delay)]++;
	p->totals.delay_sum_us += (uint64_t)delay;
	p->heard++;
	if ((int32_t)(a->seq - p->last_answered) > 0)
		p->last_answered = a->seq;
	if (!f->extra)
		(void)pm_window_reply(p->windows[f->session], a->seq, (uint32_t)delay,
				      now);
	if (a->has_reflector_seq)
		dir_answer(&p->dir, a->seq, a->reflector_seq);
	if (pm_liveness_answer(&p->life, &p->cfg, delay, now, &c))
		changed(p, &c, now);
	if (a->report)
		peer_said(p, a->report, now);
	return 0;
}

/* --- hints ------------------------------------------------------------------------- */

void pm_path_rx_packets(struct pm_path *p, struct mono now, uint64_t count)
{
	bool moved = p->rx_known && count != p->rx_packets;

	p->rx_known = true;
	p->rx_packets = count;
	if (moved && p->life.state != PM_OFF)
		arrived(p, now);
}

void pm_path_traffic(struct pm_path *p, struct mono now)
{
	struct pm_pace pc = pace(p);

	if (p->life.state != PM_OFF)
		pm_pacer_busy(&p->pacer, &pc, now);
}

void pm_path_urgent(struct pm_path *p, struct mono now, bool urgent)
{
	struct pm_pace pc = pace(p);

	if (p->pacer.urgent != urgent)
		pm_pacer_urgent(&p->pacer, &pc, urgent, now);
}

/* --- figures ------------------------------------------------------------------------ */

enum pm_state pm_path_state(const struct pm_path *p)
{
	return p->life.state;
}

void pm_path_stats(struct pm_path *p, unsigned int i, struct mono now,
		   struct pm_stats *out)
{
	*out = (struct pm_stats){0};
	if (i < p->cfg.n_sessions)
		pm_window_stats(p->windows[i], now, out);
}

void pm_path_measure(struct pm_path *p, unsigned int i, struct mono now,
		     struct pm_measure *out)
{
	*out = (struct pm_measure){0};
	if (i < p->cfg.n_sessions)
		pm_window_measure(p->windows[i], now, out);
}

void pm_path_totals(const struct pm_path *p, struct pm_totals *out)
{
	*out = p->totals;
	out->per_direction = p->dir.known && p->dir.stateful;
	if (out->per_direction) {
		out->lost_out = dir_out(&p->dir);
		out->lost_back = dir_back(&p->dir);
	}
}

void pm_path_peer_info(const struct pm_path *p, struct pm_peer_info *out)
{
	*out = p->peer;
}

void pm_path_report(const struct pm_path *p, struct mono now, struct pm_report *out)
{
	int64_t quiet_ms = mono_diff_ms(now, p->life.last_arrival);

	*out = (struct pm_report){
		.heard = p->heard,
		.quiet_ms = UINT32_MAX,
		.cost = p->cfg.cost,
		.down_kbps = p->cfg.down_kbps,
		.order = p->cfg.order,
		.metered = p->cfg.metered,
	};
	if (p->life.state != PM_OFF && p->heard)
		out->quiet_ms = quiet_ms > 0 ? (uint32_t)quiet_ms : 0;
}
