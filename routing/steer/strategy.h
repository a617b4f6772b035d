/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer_strategy - of the candidates of one class, who shall carry it now
 *
 * Pure over arrays; knows neither time nor former decisions but who is a member
 * now (the least bad one is left only for one that is 20 % better). Candidates
 * are put on levels; the best level that is not empty decides, and within it the
 * strategy: all of it (share), or the first by rank, cost, place.
 */
#ifndef ED_ROUTING_STEER_STRATEGY_H
#define ED_ROUTING_STEER_STRATEGY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "routing/steer/class.h"

/* How well a path does for the class, best first. */
enum steer_grade {
	STEER_GRADE_GOOD = 1, /* lives and keeps the promise */
	STEER_GRADE_FAIR, /* lives, held back or not measured yet */
	STEER_GRADE_BAD, /* lives, breaks the promise */
	STEER_GRADE_PROVING, /* gives signs of life */
	STEER_GRADE_ORDERED, /* lives, but the operator took it out */
	STEER_GRADE_DEAD,
};

/* Levels, best first; STEER_LEVEL_NONE is never chosen. */
enum steer_level {
	STEER_LEVEL_LISTED_GOOD = 1,
	STEER_LEVEL_RESORT_GOOD,
	STEER_LEVEL_LISTED_FAIR,
	STEER_LEVEL_RESORT_FAIR,
	STEER_LEVEL_NAMED_BAD,
	STEER_LEVEL_UNLISTED_GOOD,
	STEER_LEVEL_UNLISTED_FAIR,
	STEER_LEVEL_UNLISTED_BAD,
	STEER_LEVEL_LISTED_PROVING,
	STEER_LEVEL_RESORT_PROVING,
	STEER_LEVEL_UNLISTED_PROVING,
	STEER_LEVEL_ORDERED,
	STEER_LEVEL_NONE,
};

enum { STEER_BETTER_PERCENT = 80 };

struct steer_candidate {
	enum steer_tier tier;
	enum steer_grade grade;
	uint32_t rank;
	uint32_t cost;
	uint32_t place;
	uint32_t badness; /* steer_quality_badness() */
	uint64_t rate_bps;
	bool member; /* carries the class now */
};

struct steer_choice {
	size_t index; /* of the candidate */
	uint8_t weight;
};

enum steer_level steer_strategy_level(const struct steer_candidate *c);

/*
 * Choose among n candidates. out has room for n. Returns how many were chosen,
 * the first is the one that matters most; 0 when all are dead. *ret_level is
 * the level they stand on.
 */
size_t steer_strategy_choose(enum steer_strategy s, const struct steer_candidate *c,
			     size_t n, struct steer_choice *out,
			     enum steer_level *ret_level);

#endif
