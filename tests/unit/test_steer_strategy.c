/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "routing/steer/strategy.h"

static const char *const two[] = {"isp1", "isp2"};
static const char *const resort[] = {"lte"};

static const struct steer_class prefer = {
	.name = "p",
	.strategy = STEER_PREFER,
	.uplinks = two,
	.n_uplinks = 2,
	.last_resort = resort,
	.n_last_resort = 1,
};

static void test_tiers_and_ranks_of_a_class(void **state)
{
	struct steer_class c = prefer;
	uint32_t rank;

	(void)state;
	assert_int_equal(steer_class_tier(&c, "isp2", &rank), STEER_TIER_LISTED);
	assert_int_equal(rank, 1);
	assert_int_equal(steer_class_tier(&c, "lte", &rank), STEER_TIER_LAST_RESORT);
	assert_int_equal(steer_class_tier(&c, "isp3", &rank), STEER_TIER_UNLISTED);
	c.strategy = STEER_SHARE;
	assert_int_equal(steer_class_tier(&c, "isp2", &rank), STEER_TIER_LISTED);
	assert_int_equal(rank, 0);
	c.strategy = STEER_CHEAPEST;
	c.n_uplinks = 0;
	assert_int_equal(steer_class_tier(&c, "isp3", &rank), STEER_TIER_LISTED);
	assert_int_equal(steer_class_tier(&c, "lte", &rank), STEER_TIER_LAST_RESORT);
}

static struct steer_candidate cand(enum steer_tier tier, enum steer_grade grade)
{
	return (struct steer_candidate){.tier = tier, .grade = grade};
}

static void test_levels_go_from_good_and_named_to_dead(void **state)
{
	/* clang-format off */
	static const struct { enum steer_tier t; enum steer_grade g; } order[] = {
		{ STEER_TIER_LISTED,      STEER_GRADE_GOOD },
		{ STEER_TIER_LAST_RESORT, STEER_GRADE_GOOD },
		{ STEER_TIER_LISTED,      STEER_GRADE_FAIR },
		{ STEER_TIER_LAST_RESORT, STEER_GRADE_FAIR },
		{ STEER_TIER_LISTED,      STEER_GRADE_BAD },
		{ STEER_TIER_UNLISTED,    STEER_GRADE_GOOD },
		{ STEER_TIER_UNLISTED,    STEER_GRADE_FAIR },
		{ STEER_TIER_UNLISTED,    STEER_GRADE_BAD },
		{ STEER_TIER_LISTED,      STEER_GRADE_PROVING },
		{ STEER_TIER_LAST_RESORT, STEER_GRADE_PROVING },
		{ STEER_TIER_UNLISTED,    STEER_GRADE_PROVING },
		{ STEER_TIER_LISTED,      STEER_GRADE_ORDERED },
	};
	/* clang-format on */
	const size_t n = sizeof(order) / sizeof(order[0]);

	(void)state;
	for (size_t i = 0; i + 1 < n; i++) {
		struct steer_candidate c[2] = {
			cand(order[i + 1].t, order[i + 1].g),
			cand(order[i].t, order[i].g),
		};
		struct steer_choice out[2];
		enum steer_level level;

		assert_int_equal(steer_strategy_choose(STEER_PREFER, c, 2, out, &level),
				 1);
		assert_int_equal(out[0].index, 1);
	}
}

static void test_dead_paths_are_never_chosen(void **state)
{
	struct steer_candidate c[2] = {
		cand(STEER_TIER_LISTED, STEER_GRADE_DEAD),
		cand(STEER_TIER_LAST_RESORT, STEER_GRADE_DEAD),
	};
	struct steer_choice out[2];
	enum steer_level level;

	(void)state;
	assert_int_equal(steer_strategy_choose(STEER_SHARE, c, 2, out, &level), 0);
	assert_int_equal(steer_strategy_choose(STEER_SHARE, c, 0, out, &level), 0);
	assert_int_equal(level, STEER_LEVEL_NONE);
}

static void test_order_is_rank_then_cost_then_place(void **state)
{
	struct steer_candidate c[3] = {
		{STEER_TIER_LISTED, STEER_GRADE_GOOD, .rank = 1, .cost = 0, .place = 0},
		{STEER_TIER_LISTED, STEER_GRADE_GOOD, .rank = 0, .cost = 9, .place = 2},
		{STEER_TIER_LISTED, STEER_GRADE_GOOD, .rank = 0, .cost = 9, .place = 1},
	};
	struct steer_choice out[3];
	enum steer_level level;

	(void)state;
	(void)steer_strategy_choose(STEER_PREFER, c, 3, out, &level);
	assert_int_equal(out[0].index, 2);
	c[1].cost = 8;
	(void)steer_strategy_choose(STEER_PREFER, c, 3, out, &level);
	assert_int_equal(out[0].index, 1);
}

static void test_share_takes_all_good_ones_by_bandwidth(void **state)
{
	struct steer_candidate c[3] = {
		{STEER_TIER_LISTED, STEER_GRADE_GOOD, .place = 1, .rate_bps = 20000000},
		{STEER_TIER_LISTED, STEER_GRADE_GOOD, .place = 0,
		 .rate_bps = 100000000},
		{STEER_TIER_LISTED, STEER_GRADE_BAD, .place = 2, .rate_bps = 1},
	};
	struct steer_choice out[3];
	enum steer_level level;

	(void)state;
	assert_int_equal(steer_strategy_choose(STEER_SHARE, c, 3, out, &level), 2);
	assert_int_equal(out[0].index, 1);
	assert_int_equal(out[0].weight, 5);
	assert_int_equal(out[1].index, 0);
	assert_int_equal(out[1].weight, 1);
	/* 0.01 % of the largest still is one. */
	c[0].rate_bps = 10000;
	(void)steer_strategy_choose(STEER_SHARE, c, 3, out, &level);
	assert_int_equal(out[0].weight, 255);
	assert_int_equal(out[1].weight, 1);
	/* One is not known: equal. */
	c[0].rate_bps = 0;
	(void)steer_strategy_choose(STEER_SHARE, c, 3, out, &level);
	assert_int_equal(out[0].weight, 1);
	assert_int_equal(out[1].weight, 1);
}

static void test_least_bad_is_left_only_for_a_fifth_better(void **state)
{
	struct steer_candidate c[2] = {
		{STEER_TIER_LISTED, STEER_GRADE_BAD, .badness = 1500, .member = true},
		{STEER_TIER_LISTED, STEER_GRADE_BAD, .badness = 1210},
	};
	struct steer_choice out[2];
	enum steer_level level;

	(void)state;
	(void)steer_strategy_choose(STEER_PREFER, c, 2, out, &level);
	assert_int_equal(out[0].index, 0);
	c[1].badness = 1190;
	(void)steer_strategy_choose(STEER_PREFER, c, 2, out, &level);
	assert_int_equal(out[0].index, 1);
	c[0].member = false;
	c[1].badness = 1400;
	(void)steer_strategy_choose(STEER_PREFER, c, 2, out, &level);
	assert_int_equal(out[0].index, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tiers_and_ranks_of_a_class),
		cmocka_unit_test(test_levels_go_from_good_and_named_to_dead),
		cmocka_unit_test(test_dead_paths_are_never_chosen),
		cmocka_unit_test(test_order_is_rank_then_cost_then_place),
		cmocka_unit_test(test_share_takes_all_good_ones_by_bandwidth),
		cmocka_unit_test(test_least_bad_is_left_only_for_a_fifth_better),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
