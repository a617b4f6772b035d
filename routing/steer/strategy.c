/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/steer/strategy.h"

enum { WEIGHT_MAX = 255 };

/* clang-format off */
static const uint8_t levels[][STEER_TIER_UNLISTED + 1] = {
	/*                         listed                      last resort                 not named */
	[STEER_GRADE_GOOD]    = {0, STEER_LEVEL_LISTED_GOOD,    STEER_LEVEL_RESORT_GOOD,    STEER_LEVEL_UNLISTED_GOOD},
	[STEER_GRADE_FAIR]    = {0, STEER_LEVEL_LISTED_FAIR,    STEER_LEVEL_RESORT_FAIR,    STEER_LEVEL_UNLISTED_FAIR},
	[STEER_GRADE_BAD]     = {0, STEER_LEVEL_NAMED_BAD,      STEER_LEVEL_NAMED_BAD,      STEER_LEVEL_UNLISTED_BAD},
	[STEER_GRADE_PROVING] = {0, STEER_LEVEL_LISTED_PROVING, STEER_LEVEL_RESORT_PROVING, STEER_LEVEL_UNLISTED_PROVING},
	[STEER_GRADE_ORDERED] = {0, STEER_LEVEL_ORDERED,        STEER_LEVEL_ORDERED,        STEER_LEVEL_ORDERED},
	[STEER_GRADE_DEAD]    = {0, STEER_LEVEL_NONE,           STEER_LEVEL_NONE,           STEER_LEVEL_NONE},
};
/* clang-format on */

enum steer_level steer_strategy_level(const struct steer_candidate *c)
{
	return (enum steer_level)levels[c->grade][c->tier];
}

/* True when a goes before b: rank, cost, place, then the order given. */
static bool before(const struct steer_candidate *a, const struct steer_candidate *b)
{
	if (a->rank != b->rank)
		return a->rank < b->rank;
	if (a->cost != b->cost)
		return a->cost < b->cost;
	return a->place < b->place;
}

static size_t first_of(const struct steer_candidate *c, size_t n,
		       enum steer_level level)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++) {
		if (steer_strategy_level(&c[i]) == level &&
		    (best == n || before(&c[i], &c[best])))
			best = i;
	}
	return best;
}

static size_t least_bad(const struct steer_candidate *c, size_t n,
			enum steer_level level)
{
	size_t present = n;
	size_t best = n;

	for (size_t i = 0; i < n; i++) {
		if (steer_strategy_level(&c[i]) != level)
			continue;
		if (c[i].member && (present == n || c[i].badness < c[present].badness))
			present = i;
		if (best == n || c[i].badness < c[best].badness ||
		    (c[i].badness == c[best].badness && before(&c[i], &c[best])))
			best = i;
	}
	if (present < n && c[best].badness * UINT64_C(100) >=
				   c[present].badness * (uint64_t)STEER_BETTER_PERCENT)
		return present;
	return best;
}

static uint64_t gcd(uint64_t a, uint64_t b)
{
	/* Ends: b shrinks each round. */
	while (b) {
		uint64_t t = a % b;

		a = b;
		b = t;
	}
	return a;
}

/* By bandwidth; equal as soon as one is not known. */
static void set_weights(const struct steer_candidate *c, struct steer_choice *out,
			size_t n)
{
	uint64_t max = 0;
	uint64_t common = 0;

	for (size_t i = 0; i < n; i++) {
		out[i].weight = 1;
		if (!c[out[i].index].rate_bps)
			max = UINT64_MAX;
		else if (c[out[i].index].rate_bps > max)
			max = c[out[i].index].rate_bps;
	}
	if (n < 2 || max == UINT64_MAX)
		return;
	for (size_t i = 0; i < n; i++) {
		double share = (double)c[out[i].index].rate_bps / (double)max;
		uint64_t w = (uint64_t)(share * WEIGHT_MAX + 0.5);

		out[i].weight = w ? (uint8_t)w : 1;
		common = gcd(out[i].weight, common);
	}
	for (size_t i = 0; i < n; i++)
		out[i].weight = (uint8_t)(out[i].weight / common);
}

/* All of the level, in their order. */
static size_t spread(const struct steer_candidate *c, size_t n, enum steer_level level,
		     struct steer_choice *out)
{
	size_t chosen = 0;

	for (size_t i = 0; i < n; i++) {
		size_t at = chosen;

		if (steer_strategy_level(&c[i]) != level)
			continue;
		/* Insertion: a peer has a handful of paths. */
		for (; at > 0 && before(&c[i], &c[out[at - 1].index]); at--)
			out[at] = out[at - 1];
		out[at].index = i;
		chosen++;
	}
	set_weights(c, out, chosen);
	return chosen;
}

size_t steer_strategy_choose(enum steer_strategy s, const struct steer_candidate *c,
			     size_t n, struct steer_choice *out,
			     enum steer_level *ret_level)
{
	enum steer_level level = STEER_LEVEL_NONE;

	for (size_t i = 0; i < n; i++) {
		if (steer_strategy_level(&c[i]) < level)
			level = steer_strategy_level(&c[i]);
	}
	*ret_level = level;
	if (level == STEER_LEVEL_NONE)
		return 0;
	if (s == STEER_SHARE &&
	    (level == STEER_LEVEL_LISTED_GOOD || level == STEER_LEVEL_LISTED_FAIR))
		return spread(c, n, level, out);
	out[0].weight = 1;
	if (level == STEER_LEVEL_NAMED_BAD || level == STEER_LEVEL_UNLISTED_BAD)
		out[0].index = least_bad(c, n, level);
	else
		out[0].index = first_of(c, n, level);
	return 1;
}
