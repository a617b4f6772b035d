/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pathmon/liveness.h"

#include <assert.h>

enum event {
	EV_START = 1,
	EV_STOP,
	EV_ANSWER,
	EV_OVERDUE,
	EV_PROVEN,
	EV_DEAD,
	EVENTS,
};

/* Zero is no state at all: an empty cell means "stay". */
/* clang-format off */
static const uint8_t next_state[PM_STATES][EVENTS] = {
	/*                START                      STOP                ANSWER                    */
	[PM_OFF]     = { [EV_START] = PM_PROVING },
	[PM_DOWN]    = { [EV_START] = PM_PROVING, [EV_STOP] = PM_OFF, [EV_ANSWER] = PM_PROVING },
	[PM_PROVING] = { [EV_STOP] = PM_OFF, [EV_PROVEN] = PM_UP, [EV_DEAD] = PM_DOWN },
	[PM_UP]      = { [EV_STOP] = PM_OFF, [EV_OVERDUE] = PM_SUSPECT, [EV_DEAD] = PM_DOWN },
	[PM_SUSPECT] = { [EV_STOP] = PM_OFF, [EV_ANSWER] = PM_UP, [EV_DEAD] = PM_DOWN },
};
/* clang-format on */

static bool step(struct pm_liveness *l, enum event ev, enum pm_cause cause,
		 uint32_t missed, struct mono now, struct pm_change *change)
{
	uint8_t to = next_state[l->state][ev];

	assert(l->state != 0);
	if (!to)
		return false;
	*change = (struct pm_change){
		.from = l->state,
		.to = (enum pm_state)to,
		.cause = cause,
		.missed = missed,
		.quiet_us = mono_diff_us(now, l->last_arrival),
		.no_answer_us = mono_diff_us(now, l->last_answer),
	};
	l->state = (enum pm_state)to;
	l->since = now;
	if (to == PM_UP)
		l->new_path = false;
	return true;
}

void pm_liveness_init(struct pm_liveness *l)
{
	*l = (struct pm_liveness){.state = PM_OFF};
}

void pm_liveness_start(struct pm_liveness *l, struct mono now, struct pm_change *change)
{
	l->last_answer = now;
	l->last_arrival = now;
	l->answers = 0;
	l->new_path = true;
	l->srtt_us = 0;
	l->rttvar_us = 0;
	(void)step(l, EV_START, PM_CAUSE_STARTED, 0, now, change);
}

bool pm_liveness_stop(struct pm_liveness *l, enum pm_cause cause, int err,
		      struct mono now, struct pm_change *change)
{
	if (!step(l, EV_STOP, cause, 0, now, change))
		return false;
	change->err = err;
	return true;
}

/* RFC 6298 section 2. */
static void note_rtt(struct pm_liveness *l, int64_t rtt_us)
{
	int64_t err;

	if (rtt_us < 1)
		rtt_us = 1;
	if (!l->srtt_us) {
		l->srtt_us = rtt_us;
		l->rttvar_us = rtt_us / 2;
		return;
	}
	err = rtt_us - l->srtt_us;
	l->rttvar_us += ((err < 0 ? -err : err) - l->rttvar_us) / 4;
	l->srtt_us += err / 8;
}

static bool proven(const struct pm_liveness *l, const struct pm_path_config *cfg,
		   struct mono now)
{
	int64_t need = l->new_path ? cfg->up_first_us : cfg->up_proving_us;

	return l->state == PM_PROVING && l->answers >= cfg->up_answers &&
	       mono_diff_us(now, l->proving) >= need;
}

bool pm_liveness_answer(struct pm_liveness *l, const struct pm_path_config *cfg,
			int64_t rtt_us, struct mono now, struct pm_change *change)
{
	bool changed;

	if (l->state == PM_OFF)
		return false;
	note_rtt(l, rtt_us);
	if (l->state == PM_DOWN)
		l->answers = 0;
	changed = step(l, EV_ANSWER, PM_CAUSE_ANSWER, 0, now, change);
	l->last_answer = mono_max(l->last_answer, now);
	l->last_arrival = mono_max(l->last_arrival, now);
	if (l->state == PM_PROVING && l->answers++ == 0)
		l->proving = now;
	if (!changed && proven(l, cfg, now))
		changed = step(l, EV_PROVEN, PM_CAUSE_PROVEN, 0, now, change);
	return changed;
}

void pm_liveness_arrived(struct pm_liveness *l, struct mono now)
{
	l->last_arrival = mono_max(l->last_arrival, now);
}

static int64_t between(int64_t v, int64_t min, int64_t max)
{
	if (v < min)
		return min;
	return v < max ? v : max;
}

/*
 * How long no answer came although one was due. A path probed rarely is not
 * silent between its probes, hence from the first probe that waits; one regular
 * interval before it, so that at the default rate it is the last answer's time.
 */
static int64_t no_answer_us(const struct pm_liveness *l,
			    const struct pm_path_config *cfg,
			    const struct pm_overdue *o, struct mono now)
{
	struct mono from;

	if (mono_is_never(o->waiting))
		return 0;
	from = mono_max(l->last_answer,
			mono_add_us(o->waiting,
				    -between(cfg->interval_us, 0, PM_CREDIT_MAX_US)));
	return mono_diff_us(now, from);
}

/* A round trip of seconds (satellite, full buffers) is slow, not dead. */
static int64_t no_answer_limit_us(const struct pm_liveness *l,
				  const struct pm_path_config *cfg)
{
	int64_t limit = l->srtt_us * 2;

	return limit > cfg->down_no_answer_us ? limit : cfg->down_no_answer_us;
}

bool pm_liveness_check(struct pm_liveness *l, const struct pm_path_config *cfg,
		       const struct pm_overdue *o, struct mono now,
		       struct pm_change *change)
{
	if (l->state == PM_OFF || l->state == PM_DOWN)
		return false;
	if (o->missed >= cfg->down_missed &&
	    mono_diff_us(now, l->last_arrival) >= cfg->down_quiet_us)
		return step(l, EV_DEAD, PM_CAUSE_SILENT, o->missed, now, change);
	if (o->missed >= cfg->down_missed &&
	    no_answer_us(l, cfg, o, now) >= no_answer_limit_us(l, cfg))
		return step(l, EV_DEAD, PM_CAUSE_NO_ANSWER, o->missed, now, change);
	if (proven(l, cfg, now))
		return step(l, EV_PROVEN, PM_CAUSE_PROVEN, 0, now, change);
	if (!mono_is_never(o->waiting) &&
	    mono_diff_us(now, o->waiting) >= pm_liveness_suspect_us(l))
		return step(l, EV_OVERDUE, PM_CAUSE_MISSED, o->missed, now, change);
	return false;
}

bool pm_liveness_deaf(struct pm_liveness *l, const struct pm_overdue *o,
		      struct mono now, struct pm_change *change)
{
	return step(l, EV_DEAD, PM_CAUSE_DEAF, o->missed, now, change);
}

int64_t pm_liveness_suspect_us(const struct pm_liveness *l)
{
	return l->srtt_us +
	       between(4 * l->rttvar_us, PM_SUSPECT_MARGIN_US, PM_MISSED_MARGIN_US);
}

int64_t pm_liveness_missed_us(const struct pm_liveness *l)
{
	/* Nothing known of the path yet: it may be a satellite. */
	if (!l->srtt_us)
		return PM_MISSED_UNKNOWN_US;
	return l->srtt_us + between(4 * l->rttvar_us, PM_MISSED_MARGIN_US, INT64_MAX);
}
