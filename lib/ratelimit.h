/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ratelimit - token bucket: so many at once, so many a second over time
 */
#ifndef ED_LIB_RATELIMIT_H
#define ED_LIB_RATELIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"

struct ratelimit {
	uint32_t burst; /* tokens at most */
	int64_t refill_us; /* time for one token */
	int64_t credit_us; /* time saved up, at most burst * refill_us */
	struct mono last;
	uint64_t refused; /* how often the answer was no */
};

/* burst at once, and one more every refill_us. Starts full. */
struct ratelimit ratelimit_init(uint32_t burst, int64_t refill_us);

/* Take a token. False when there is none now; that is counted in refused. */
bool ratelimit_take(struct ratelimit *l, struct mono now);

#endif
