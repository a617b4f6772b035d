/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/ratelimit.h"

struct ratelimit ratelimit_init(uint32_t burst, int64_t refill_us)
{
	return (struct ratelimit){
		.burst = burst,
		.refill_us = refill_us,
		.credit_us = (int64_t)burst * refill_us,
	};
}

bool ratelimit_take(struct ratelimit *l, struct mono now)
{
	int64_t full = (int64_t)l->burst * l->refill_us;
	int64_t passed = mono_diff_us(now, l->last);

	if (passed > 0) {
		l->credit_us = passed > full ? full : l->credit_us + passed;
		if (l->credit_us > full)
			l->credit_us = full;
		l->last = now;
	}
	if (l->credit_us < l->refill_us) {
		l->refused++;
		return false;
	}
	l->credit_us -= l->refill_us;
	return true;
}
