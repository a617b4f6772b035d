/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/steer/damping.h"

/* penalty after us: halved each half-life, linear between (within 6 % of exact). */
static uint32_t decay(uint32_t penalty, int64_t us)
{
	const int64_t half_us = STEER_HALF_LIFE_S * MONO_US_PER_S;
	int64_t halves = us / half_us;

	if (us <= 0)
		return penalty;
	if (halves >= 32)
		return 0;
	penalty >>= halves;
	return penalty - (uint32_t)((int64_t)penalty * (us % half_us) / half_us / 2);
}

uint32_t steer_damping_penalty(const struct steer_damping *d, struct mono now)
{
	return decay(d->penalty, mono_diff_us(now, d->at));
}

void steer_damping_fall(struct steer_damping *d, struct mono now)
{
	uint32_t penalty = steer_damping_penalty(d, now) + STEER_PENALTY;

	d->penalty = penalty < STEER_PENALTY_MAX ? penalty : STEER_PENALTY_MAX;
	d->at = now;
	if (d->penalty > STEER_SUPPRESS_ABOVE)
		d->suppressed = true;
}

bool steer_damping_suppressed(struct steer_damping *d, struct mono now)
{
	if (d->suppressed && steer_damping_penalty(d, now) < STEER_REUSE_BELOW)
		d->suppressed = false;
	return d->suppressed;
}

int64_t steer_damping_hold_us(const struct steer_damping *d, int64_t hold_us,
			      int64_t hold_max_us, struct mono now)
{
	uint32_t penalty = steer_damping_penalty(d, now);

	/* Ends: a thousand less each round. */
	while (penalty > STEER_PENALTY && hold_us < hold_max_us) {
		uint32_t part = penalty - STEER_PENALTY;

		/* Whole thousands double, the rest in proportion. */
		if (part >= STEER_PENALTY)
			hold_us *= 2;
		else
			hold_us += hold_us * part / STEER_PENALTY;
		penalty = part >= STEER_PENALTY ? penalty - STEER_PENALTY : 0;
	}
	return hold_us < hold_max_us ? hold_us : hold_max_us;
}
