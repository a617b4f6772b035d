/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "routing/steer/damping.h"

#define S INT64_C(1000000)
#define HOLD (15 * S)
#define HOLD_MAX (600 * S)

static struct mono at(int64_t s)
{
	return (struct mono){s * S};
}

static void test_penalty_halves_each_five_minutes(void **state)
{
	struct steer_damping d = {0};

	(void)state;
	assert_int_equal(steer_damping_penalty(&d, at(1000)), 0);
	steer_damping_fall(&d, at(0));
	assert_int_equal(steer_damping_penalty(&d, at(0)), 1000);
	assert_in_range(steer_damping_penalty(&d, at(150)), 700, 760);
	assert_int_equal(steer_damping_penalty(&d, at(300)), 500);
	assert_int_equal(steer_damping_penalty(&d, at(600)), 250);
	assert_int_equal(steer_damping_penalty(&d, at(300 * 40)), 0);
}

static void test_hold_time_doubles_with_each_fall(void **state)
{
	struct steer_damping d = {0};

	(void)state;
	assert_int_equal(steer_damping_hold_us(&d, HOLD, HOLD_MAX, at(0)), HOLD);
	steer_damping_fall(&d, at(0));
	assert_int_equal(steer_damping_hold_us(&d, HOLD, HOLD_MAX, at(0)), HOLD);
	steer_damping_fall(&d, at(0));
	assert_int_equal(steer_damping_hold_us(&d, HOLD, HOLD_MAX, at(0)), 2 * HOLD);
	steer_damping_fall(&d, at(0));
	assert_int_equal(steer_damping_hold_us(&d, HOLD, HOLD_MAX, at(0)), 4 * HOLD);
	/* A minute later it is less, but more than the first time. */
	assert_in_range(steer_damping_hold_us(&d, HOLD, HOLD_MAX, at(60)), 2 * HOLD,
			4 * HOLD);
	for (int i = 0; i < 20; i++)
		steer_damping_fall(&d, at(0));
	assert_int_equal(steer_damping_hold_us(&d, HOLD, HOLD_MAX, at(0)), HOLD_MAX);
	assert_true(steer_damping_penalty(&d, at(0)) <= STEER_PENALTY_MAX);
}

static void test_four_falls_suppress_until_the_penalty_is_low(void **state)
{
	struct steer_damping d = {0};

	(void)state;
	for (int i = 0; i < 3; i++) {
		steer_damping_fall(&d, at(i));
		assert_false(steer_damping_suppressed(&d, at(i)));
	}
	steer_damping_fall(&d, at(3));
	assert_true(steer_damping_suppressed(&d, at(3)));
	/* Below 3000 but not below 1000: still. */
	assert_true(steer_damping_suppressed(&d, at(400)));
	assert_false(steer_damping_suppressed(&d, at(610)));
	assert_false(steer_damping_suppressed(&d, at(3)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_penalty_halves_each_five_minutes),
		cmocka_unit_test(test_hold_time_doubles_with_each_fall),
		cmocka_unit_test(test_four_falls_suppress_until_the_penalty_is_low),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
