/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pathmon/liveness.h"

#define MS INT64_C(1000)
#define S INT64_C(1000000)

static struct mono at(int64_t us)
{
	return (struct mono){us};
}

static const struct pm_overdue nothing = {.waiting = {INT64_MAX}};

/* A path that is up, with an answer at 10 s that took 20 ms. */
static struct pm_liveness up(const struct pm_path_config *cfg)
{
	struct pm_liveness l;
	struct pm_change c;

	pm_liveness_init(&l);
	pm_liveness_start(&l, at(0), &c);
	for (int64_t t = 100; t <= 10000; t += 100)
		(void)pm_liveness_answer(&l, cfg, 20 * MS, at(t * MS), &c);
	assert_int_equal(l.state, PM_UP);
	return l;
}

static void test_up_after_three_answers_and_the_proving_time(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_liveness l;
	struct pm_change c;

	(void)state;
	pm_liveness_init(&l);
	assert_int_equal(l.state, PM_OFF);
	pm_liveness_start(&l, at(0), &c);
	assert_int_equal(c.to, PM_PROVING);
	assert_false(pm_liveness_answer(&l, &cfg, MS, at(100 * MS), &c));
	assert_false(pm_liveness_check(&l, &cfg, &nothing, at(1100 * MS), &c));
	assert_false(pm_liveness_answer(&l, &cfg, MS, at(1200 * MS), &c));
	assert_true(pm_liveness_answer(&l, &cfg, MS, at(1300 * MS), &c));
	assert_int_equal(c.to, PM_UP);
	assert_int_equal(c.cause, PM_CAUSE_PROVEN);
}

static void test_after_down_the_longer_proving_time_counts(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_liveness l = up(&cfg);
	struct pm_overdue o = {.waiting = at(10 * S), .missed = 5};
	struct pm_change c;

	(void)state;
	assert_true(pm_liveness_check(&l, &cfg, &o, at(11 * S), &c));
	assert_int_equal(c.to, PM_DOWN);
	assert_true(pm_liveness_answer(&l, &cfg, MS, at(20 * S), &c));
	assert_int_equal(c.to, PM_PROVING);
	for (int64_t t = 20100; t < 25000; t += 100)
		assert_false(pm_liveness_answer(&l, &cfg, MS, at(t * MS), &c));
	assert_true(pm_liveness_answer(&l, &cfg, MS, at(25 * S), &c));
	assert_int_equal(c.to, PM_UP);
}

static void test_one_overdue_answer_only_makes_suspect(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_liveness l = up(&cfg);
	struct pm_overdue o = {.waiting = at(10 * S), .missed = 0};
	struct pm_change c;

	(void)state;
	assert_false(pm_liveness_check(&l, &cfg, &o, at(10 * S + 44 * MS), &c));
	assert_true(pm_liveness_check(&l, &cfg, &o, at(10 * S + 46 * MS), &c));
	assert_int_equal(c.to, PM_SUSPECT);
	assert_int_equal(c.cause, PM_CAUSE_MISSED);
	assert_true(pm_liveness_answer(&l, &cfg, 20 * MS, at(10 * S + 60 * MS), &c));
	assert_int_equal(c.to, PM_UP);
}

static void test_down_needs_missed_probes_and_silence(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_liveness l = up(&cfg);
	struct pm_overdue o = {.waiting = at(10 * S), .missed = 5};
	struct pm_change c;

	(void)state;
	(void)pm_liveness_check(&l, &cfg, &o, at(10 * S + 100 * MS), &c);
	/* Missed, but something else came 200 ms ago. */
	pm_liveness_arrived(&l, at(10 * S + 300 * MS));
	assert_false(pm_liveness_check(&l, &cfg, &o, at(10 * S + 500 * MS), &c));
	/* Silent, but four missed only. */
	o.missed = 4;
	assert_false(pm_liveness_check(&l, &cfg, &o, at(10 * S + 700 * MS), &c));
	o.missed = 5;
	assert_true(pm_liveness_check(&l, &cfg, &o, at(10 * S + 700 * MS), &c));
	assert_int_equal(c.to, PM_DOWN);
	assert_int_equal(c.cause, PM_CAUSE_SILENT);
	assert_int_equal(c.quiet_us, 400 * MS);
	assert_int_equal(c.missed, 5);
}

static void test_down_after_a_second_without_answer_whatever_else_comes(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_liveness l = up(&cfg);
	struct pm_overdue o = {.waiting = at(10 * S + 80 * MS), .missed = 20};
	struct pm_change c;

	(void)state;
	(void)pm_liveness_check(&l, &cfg, &o, at(10 * S + 200 * MS), &c);
	for (int64_t t = 200; t < 1000; t += 25) {
		pm_liveness_arrived(&l, at(10 * S + t * MS));
		assert_false(pm_liveness_check(&l, &cfg, &o, at(10 * S + t * MS), &c));
	}
	pm_liveness_arrived(&l, at(11 * S));
	assert_true(pm_liveness_check(&l, &cfg, &o, at(11 * S), &c));
	assert_int_equal(c.cause, PM_CAUSE_NO_ANSWER);
}

static void test_rarely_probed_is_not_silent_between_probes(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_liveness l = up(&cfg);
	struct pm_change c;

	(void)state;
	assert_false(pm_liveness_check(&l, &cfg, &nothing, at(19 * S), &c));
	assert_false(pm_liveness_check(&l, &cfg,
				       &(struct pm_overdue){.waiting = at(20 * S)},
				       at(20 * S + 40 * MS), &c));
	/* One probe of an idle path is overdue, for long: not enough to say. */
	l.rttvar_us = 300 * MS;
	(void)pm_liveness_check(&l, &cfg,
				&(struct pm_overdue){.waiting = at(20 * S),
						     .missed = 1},
				at(22 * S), &c);
	assert_int_equal(l.state, PM_SUSPECT);
}

static void test_new_path_without_answer_is_down_after_a_second(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_overdue o = {.waiting = at(0), .missed = 4};
	struct pm_liveness l;
	struct pm_change c;

	(void)state;
	pm_liveness_init(&l);
	pm_liveness_start(&l, at(0), &c);
	assert_false(pm_liveness_check(&l, &cfg, &o, at(899 * MS), &c));
	o.missed = 5;
	assert_true(pm_liveness_check(&l, &cfg, &o, at(900 * MS), &c));
	assert_int_equal(c.to, PM_DOWN);
}

static void test_stopped_is_a_state_of_its_own(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_liveness l = up(&cfg);
	struct pm_change c;

	(void)state;
	assert_true(pm_liveness_stop(&l, PM_CAUSE_SEND, -1, at(11 * S), &c));
	assert_int_equal(c.to, PM_OFF);
	assert_int_equal(c.err, -1);
	assert_false(pm_liveness_stop(&l, PM_CAUSE_STOPPED, 0, at(11 * S), &c));
	assert_false(pm_liveness_answer(&l, &cfg, MS, at(11 * S), &c));
	assert_false(pm_liveness_deaf(&l, &nothing, at(11 * S), &c));
	assert_int_equal(l.state, PM_OFF);
}

static void test_peer_that_hears_nothing_ends_the_path(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_liveness l = up(&cfg);
	struct pm_change c;

	(void)state;
	assert_true(pm_liveness_deaf(&l, &nothing, at(11 * S), &c));
	assert_int_equal(c.to, PM_DOWN);
	assert_int_equal(c.cause, PM_CAUSE_DEAF);
}

static void test_names_of_states_and_causes(void **state)
{
	(void)state;
	for (int i = PM_OFF; i < PM_STATES; i++)
		assert_string_not_equal(pm_state_name((enum pm_state)i), "invalid");
	for (int i = 1; i < PM_CAUSES; i++)
		assert_string_not_equal(pm_cause_name((enum pm_cause)i), "invalid");
	assert_string_equal(pm_state_name((enum pm_state)0), "invalid");
	assert_string_equal(pm_cause_name((enum pm_cause)99), "invalid");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_up_after_three_answers_and_the_proving_time),
		cmocka_unit_test(test_after_down_the_longer_proving_time_counts),
		cmocka_unit_test(test_one_overdue_answer_only_makes_suspect),
		cmocka_unit_test(test_down_needs_missed_probes_and_silence),
		cmocka_unit_test(
			test_down_after_a_second_without_answer_whatever_else_comes),
		cmocka_unit_test(test_rarely_probed_is_not_silent_between_probes),
		cmocka_unit_test(test_new_path_without_answer_is_down_after_a_second),
		cmocka_unit_test(test_stopped_is_a_state_of_its_own),
		cmocka_unit_test(test_peer_that_hears_nothing_ends_the_path),
		cmocka_unit_test(test_names_of_states_and_causes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
