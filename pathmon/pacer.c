/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pathmon/pacer.h"

#include "lib/rng.h"

void pm_pacer_start(struct pm_pacer *p, struct mono now)
{
	p->regular = now;
	p->extra = now;
	p->busy_until = MONO_ZERO;
	p->turn = 0;
}

static bool within_budget_is_slow(const struct pm_pacer *p, const struct pm_pace *pace)
{
	return pace->cfg->metered && !p->urgent;
}

int64_t pm_pacer_interval_us(const struct pm_pacer *p, const struct pm_pace *pace,
			     struct mono now)
{
	const struct pm_path_config *cfg = pace->cfg;
	int64_t fast = cfg->interval_us / cfg->n_sessions;

	if (!within_budget_is_slow(p, pace) || pace->state == PM_PROVING)
		return fast;
	if (pace->state == PM_DOWN)
		return mono_diff_us(now, pace->since) > PM_DEAD_AFTER_US ? PM_DEAD_US
									 : fast;
	return mono_before(now, p->busy_until) ? cfg->metered_busy_us
					       : cfg->metered_idle_us;
}

void pm_pacer_hasten(struct pm_pacer *p, const struct pm_pace *pace, struct mono now)
{
	p->regular = mono_min(p->regular,
			      mono_add_us(now, pm_pacer_interval_us(p, pace, now)));
	if (pace->state == PM_SUSPECT)
		p->extra = now;
}

void pm_pacer_busy(struct pm_pacer *p, const struct pm_pace *pace, struct mono now)
{
	p->busy_until = mono_add_us(now, PM_BUSY_HOLD_US);
	pm_pacer_hasten(p, pace, now);
}

void pm_pacer_urgent(struct pm_pacer *p, const struct pm_pace *pace, bool urgent,
		     struct mono now)
{
	p->urgent = urgent;
	pm_pacer_hasten(p, pace, now);
}

struct mono pm_pacer_next(const struct pm_pacer *p, const struct pm_pace *pace)
{
	if (pace->state == PM_OFF)
		return MONO_NEVER;
	if (pace->state == PM_SUSPECT)
		return mono_min(p->regular, p->extra);
	return p->regular;
}

bool pm_pacer_take(struct pm_pacer *p, const struct pm_pace *pace, struct rng *rng,
		   struct mono now, uint8_t *ret_session, bool *ret_extra)
{
	int64_t interval;

	if (!mono_due(pm_pacer_next(p, pace), now))
		return false;
	if (p->turn >= pace->cfg->n_sessions)
		p->turn = 0;
	*ret_session = p->turn;
	*ret_extra = !mono_due(p->regular, now);
	p->extra = mono_add_us(now, pace->cfg->suspect_us);
	if (*ret_extra)
		return true;
	p->turn = (uint8_t)((p->turn + 1) % pace->cfg->n_sessions);
	interval = pm_pacer_interval_us(p, pace, now);
	p->regular = mono_add_us(p->regular,
				 rng_jitter_us(rng, interval, PM_JITTER_PERCENT));
	/* After a stall of ours: go on from here, do not catch up in a burst. */
	if (mono_due(p->regular, now))
		p->regular = mono_add_us(now, interval);
	return true;
}
