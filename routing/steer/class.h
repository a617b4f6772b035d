/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer_class - traffic with a promise, as steering sees it
 *
 * A class limits delay (round trip, median), jitter and loss (of round trips);
 * 0 means no limit. It names uplinks by their label: the last part of a tunnel
 * name (isp1 of hub/isp1); at a hub that is the caller's uplink.
 *
 * Strategies: STEER_PREFER takes the first listed uplink that keeps the promise,
 * STEER_SHARE spreads over all listed ones that do, by weight, STEER_CHEAPEST
 * takes the lowest cost that does, equal costs in the order of configuration.
 * Uplinks in last_resort are used when no other keeps the promise; uplinks that
 * a prefer or share class does not name at all only when nothing named lives.
 *
 * Plain values over memory of the host, good during one steer_peer() call.
 */
#ifndef ED_ROUTING_STEER_CLASS_H
#define ED_ROUTING_STEER_CLASS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum steer_class_limits {
	STEER_NAME_MAX = 64, /* bytes of a class name with its NUL */
	STEER_CLASSES_MAX = 64,
};

enum steer_strategy {
	STEER_CHEAPEST = 1,
	STEER_PREFER,
	STEER_SHARE,
};

struct steer_class {
	const char *name;
	uint32_t max_delay_us; /* 0: no limit */
	uint32_t max_jitter_us; /* 0: no limit */
	uint32_t max_loss_ppm; /* 0: no limit */
	enum steer_strategy strategy;
	const char *const *uplinks; /* of prefer or share, in order */
	size_t n_uplinks;
	const char *const *last_resort;
	size_t n_last_resort;
};

/* Where an uplink stands in a class, best first. */
enum steer_tier {
	STEER_TIER_LISTED = 1, /* named, or a cheapest class without last resort */
	STEER_TIER_LAST_RESORT,
	STEER_TIER_UNLISTED,
};

/*
 * Tier of the uplink label in class c; *ret_rank is its place among the listed
 * ones (0 for all of a cheapest or share class).
 */
enum steer_tier steer_class_tier(const struct steer_class *c, const char *label,
				 uint32_t *ret_rank);

#endif
