/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer_damping - a path that flaps must prove itself longer each time
 *
 * Each fall (promise broken, path down) adds a penalty of 1000, which halves
 * every 5 minutes. The hold time before traffic returns is hold for the first
 * fall and doubles with each further 1000, up to hold_max. Above 3000 the path
 * is not taken back at all until the penalty has fallen below 1000.
 *
 * Pure. The penalty is what survives a restart.
 */
#ifndef ED_ROUTING_STEER_DAMPING_H
#define ED_ROUTING_STEER_DAMPING_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"

enum steer_damping_limits {
	STEER_PENALTY = 1000,
	STEER_PENALTY_MAX = 12000,
	STEER_SUPPRESS_ABOVE = 3000,
	STEER_REUSE_BELOW = 1000,
	STEER_HALF_LIFE_S = 300,
};

struct steer_damping {
	uint32_t penalty; /* as of at */
	struct mono at;
	bool suppressed;
};

/* The path fell. */
void steer_damping_fall(struct steer_damping *d, struct mono now);

/* The penalty at now. */
uint32_t steer_damping_penalty(const struct steer_damping *d, struct mono now);

/* True while the path must not be taken back. */
bool steer_damping_suppressed(struct steer_damping *d, struct mono now);

/* How long it must be good before traffic returns. */
int64_t steer_damping_hold_us(const struct steer_damping *d, int64_t hold_us,
			      int64_t hold_max_us, struct mono now);

#endif
