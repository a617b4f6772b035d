/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/rng.h"
#include "pathmon/pacer.h"

#define MS INT64_C(1000)
#define S INT64_C(1000000)

static struct mono at(int64_t us)
{
	return (struct mono){us};
}

struct counts {
	unsigned int regular;
	unsigned int extra;
	unsigned int of_session[PM_SESSIONS_MAX];
	int64_t shortest_us;
};

/* Run the pacer from *now for us, polled each time it asks for. */
static struct counts run(struct pm_pacer *p, const struct pm_pace *pace,
			 struct rng *rng, struct mono *now, int64_t us)
{
	struct counts c = {.shortest_us = INT64_MAX};
	struct mono end = mono_add_us(*now, us);
	struct mono last = at(INT64_MIN / 2);

	while (mono_before(pm_pacer_next(p, pace), end)) {
		uint8_t session;
		bool extra;

		*now = mono_max(*now, pm_pacer_next(p, pace));
		assert_true(pm_pacer_take(p, pace, rng, *now, &session, &extra));
		if (mono_diff_us(*now, last) < c.shortest_us)
			c.shortest_us = mono_diff_us(*now, last);
		last = *now;
		c.extra += extra;
		c.regular += !extra;
		c.of_session[session]++;
	}
	*now = end;
	return c;
}

static void test_rate_of_each_state(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_pace pace = {.cfg = &cfg, .state = PM_UP};
	struct rng rng = rng_seeded(1);
	struct pm_pacer p = {0};
	struct mono now = at(0);
	struct counts c;

	(void)state;
	pm_pacer_start(&p, now);
	c = run(&p, &pace, &rng, &now, 100 * S);
	assert_in_range(c.regular, 995, 1006);
	assert_int_equal(c.extra, 0);
	assert_in_range(c.shortest_us, 89 * MS, 100 * MS);

	pace.state = PM_SUSPECT;
	pm_pacer_hasten(&p, &pace, now);
	c = run(&p, &pace, &rng, &now, 10 * S);
	assert_in_range(c.regular, 98, 102);
	assert_in_range(c.regular + c.extra, 400, 510);

	pace.state = PM_OFF;
	assert_true(mono_is_never(pm_pacer_next(&p, &pace)));
}

static void test_sessions_take_turns(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_pace pace = {.cfg = &cfg, .state = PM_UP};
	struct rng rng = rng_seeded(2);
	struct pm_pacer p = {0};
	struct mono now = at(0);
	struct counts c;

	(void)state;
	cfg.n_sessions = 3;
	pm_pacer_start(&p, now);
	c = run(&p, &pace, &rng, &now, 30 * S);
	for (int i = 0; i < 3; i++)
		assert_in_range(c.of_session[i], 298, 302);
}

static void test_metered_uplink_keeps_its_budget(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_pace pace = {.cfg = &cfg, .state = PM_UP};
	struct rng rng = rng_seeded(3);
	struct pm_pacer p = {0};
	struct mono now = at(0);

	(void)state;
	cfg.metered = true;
	cfg.n_sessions = 2;
	pm_pacer_start(&p, now);
	assert_in_range(run(&p, &pace, &rng, &now, 1000 * S).regular, 99, 102);

	pm_pacer_busy(&p, &pace, now);
	assert_in_range(run(&p, &pace, &rng, &now, 5 * S).regular, 24, 27);
	assert_in_range(run(&p, &pace, &rng, &now, 100 * S).regular, 9, 12);

	/* The peer has no good path: whatever the budget. */
	pm_pacer_urgent(&p, &pace, true, now);
	assert_in_range(run(&p, &pace, &rng, &now, 10 * S).regular, 195, 205);
	pm_pacer_urgent(&p, &pace, false, now);
	assert_in_range(run(&p, &pace, &rng, &now, 100 * S).regular, 9, 12);
}

static void test_unproven_is_fast_and_long_dead_is_not(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_pace pace = {.cfg = &cfg, .state = PM_PROVING};
	struct rng rng = rng_seeded(4);
	struct pm_pacer p = {0};
	struct mono now = at(0);

	(void)state;
	cfg.metered = true;
	pm_pacer_start(&p, now);
	assert_in_range(run(&p, &pace, &rng, &now, 10 * S).regular, 98, 102);
	pace.state = PM_DOWN;
	pace.since = now;
	assert_in_range(run(&p, &pace, &rng, &now, 60 * S).regular, 590, 610);
	assert_in_range(run(&p, &pace, &rng, &now, 60 * S).regular, 58, 62);
	pm_pacer_urgent(&p, &pace, true, now);
	assert_in_range(run(&p, &pace, &rng, &now, 60 * S).regular, 590, 610);
}

static void test_a_stall_is_not_made_up_for(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_pace pace = {.cfg = &cfg, .state = PM_UP};
	struct rng rng = rng_seeded(5);
	struct pm_pacer p = {0};
	uint8_t session;
	bool extra;

	(void)state;
	pm_pacer_start(&p, at(0));
	assert_true(pm_pacer_take(&p, &pace, &rng, at(0), &session, &extra));
	assert_false(pm_pacer_take(&p, &pace, &rng, at(50 * MS), &session, &extra));
	assert_true(pm_pacer_take(&p, &pace, &rng, at(9 * S), &session, &extra));
	assert_false(
		pm_pacer_take(&p, &pace, &rng, at(9 * S + 50 * MS), &session, &extra));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rate_of_each_state),
		cmocka_unit_test(test_sessions_take_turns),
		cmocka_unit_test(test_metered_uplink_keeps_its_budget),
		cmocka_unit_test(test_unproven_is_fast_and_long_dead_is_not),
		cmocka_unit_test(test_a_stall_is_not_made_up_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
