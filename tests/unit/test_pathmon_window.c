/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pathmon/window.h"

#define MS 1000
#define S 1000000

static struct mono at(int64_t us)
{
	return (struct mono){us};
}

static struct pm_window *window(void)
{
	return pm_window_new(700, 60 * (int64_t)S, 0, 2 * (int64_t)S);
}

static void test_figures_of_a_known_series(void **state)
{
	static const uint32_t delays[] = {10, 20, 15, 15, 30}; /* ms */
	struct pm_window *w = window();
	struct pm_stats st;

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		assert_int_equal(pm_window_sent(w, i, at(i * 100 * MS)), 0);
		assert_int_equal(pm_window_reply(w, i, delays[i] * MS,
						 at((i * 100 + delays[i]) * MS)),
				 0);
	}
	pm_window_stats(w, at(500 * MS), &st);
	assert_true(st.valid);
	assert_int_equal(st.sent, 5);
	assert_int_equal(st.lost, 0);
	assert_int_equal(st.delay_us, 15 * MS);
	assert_int_equal(st.delay_p95_us, 30 * MS);
	assert_int_equal(st.delay_min_us, 10 * MS);
	/* (10 + 5 + 0 + 15) / 4 */
	assert_int_equal(st.jitter_us, 7500);
	assert_in_range(st.mos_x100, 430, 440);
	pm_window_free(w);
}

static void test_lost_probes_do_not_touch_delay_and_jitter(void **state)
{
	struct pm_window *w = window();
	struct pm_stats st;

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		(void)pm_window_sent(w, i, at(i * 100 * MS));
		if (i % 5 != 0)
			(void)pm_window_reply(w, i, 20 * MS, at((i * 100 + 20) * MS));
	}
	pm_window_stats(w, at(4 * S), &st);
	assert_int_equal(st.sent, 10);
	assert_int_equal(st.lost, 2);
	assert_int_equal(st.loss_ppm, 200000);
	assert_int_equal(st.delay_us, 20 * MS);
	assert_int_equal(st.jitter_us, 0);
	pm_window_free(w);
}

static void test_late_answer_stays_lost(void **state)
{
	struct pm_window *w = window();
	struct pm_stats st;

	(void)state;
	(void)pm_window_sent(w, 1, at(0));
	pm_window_stats(w, at(2 * S - 1), &st);
	assert_false(st.valid);
	assert_int_equal(pm_window_reply(w, 1, 2 * S, at(2 * S)), -ETIME);
	pm_window_stats(w, at(2 * S), &st);
	assert_int_equal(st.sent, 1);
	assert_int_equal(st.lost, 1);
	assert_int_equal(st.delay_us, 0);
	pm_window_free(w);
}

static void test_unknown_and_repeated_answers_change_nothing(void **state)
{
	struct pm_window *w = window();
	struct pm_stats st;

	(void)state;
	(void)pm_window_sent(w, 5, at(0));
	(void)pm_window_sent(w, 9, at(100 * MS));
	assert_int_equal(pm_window_reply(w, 7, MS, at(101 * MS)), -ENOENT);
	assert_int_equal(pm_window_reply(w, 4, MS, at(101 * MS)), -ENOENT);
	assert_int_equal(pm_window_reply(w, 10, MS, at(101 * MS)), -ENOENT);
	assert_int_equal(pm_window_reply(w, 9, MS, at(101 * MS)), 0);
	assert_int_equal(pm_window_reply(w, 9, MS, at(102 * MS)), -EALREADY);
	assert_int_equal(pm_window_sent(w, 9, at(200 * MS)), -EINVAL);
	pm_window_stats(w, at(200 * MS), &st);
	assert_int_equal(st.sent, 1);
	pm_window_free(w);
}

static void test_numbers_may_wrap(void **state)
{
	struct pm_window *w = window();
	struct pm_stats st;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(pm_window_sent(w, UINT32_MAX - 50 + i, at(i * MS)), 0);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(pm_window_reply(w, UINT32_MAX - 50 + i, MS,
						 at(200 * MS)),
				 0);
	pm_window_stats(w, at(200 * MS), &st);
	assert_int_equal(st.sent, 100);
	pm_window_free(w);
}

static void test_overtaken_answers_are_counted(void **state)
{
	struct pm_window *w = window();
	struct pm_stats st;

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		(void)pm_window_sent(w, i, at(i * MS));
	(void)pm_window_reply(w, 0, MS, at(10 * MS));
	(void)pm_window_reply(w, 3, MS, at(11 * MS));
	(void)pm_window_reply(w, 1, MS, at(12 * MS));
	(void)pm_window_reply(w, 2, MS, at(13 * MS));
	pm_window_stats(w, at(20 * MS), &st);
	assert_int_equal(st.reordered, 2);
	pm_window_free(w);
}

static void test_what_is_older_than_the_span_is_forgotten(void **state)
{
	struct pm_window *w = pm_window_new(100, 5 * (int64_t)S, 0, 2 * (int64_t)S);
	struct pm_stats st;
	uint32_t i;

	(void)state;
	for (i = 0; i < 40; i++)
		(void)pm_window_sent(w, i, at(i * 100 * MS)); /* all lost */
	for (; i < 140; i++) {
		(void)pm_window_sent(w, i, at(i * 100 * MS));
		(void)pm_window_reply(w, i, MS, at(i * 100 * MS + MS));
	}
	pm_window_stats(w, at(14 * S), &st);
	assert_int_equal(st.lost, 0);
	assert_in_range(st.sent, 49, 51);
	pm_window_free(w);
}

static void test_measure_counts_in_order_and_looks_back_a_second(void **state)
{
	struct pm_window *w = window();
	struct pm_measure m;

	(void)state;
	for (uint32_t i = 0; i < 50; i++) {
		(void)pm_window_sent(w, i, at(i * 100 * MS));
		if (i != 40)
			(void)pm_window_reply(w, i, (i < 45 ? 20 : 220) * MS,
					      at((i * 100 + (i < 45 ? 20 : 220)) * MS));
	}
	/* 40 waits still: what is behind it is not judged. */
	pm_window_measure(w, at(5200 * MS), &m);
	assert_int_equal(m.judged, 40);
	assert_int_equal(m.lost, 0);
	pm_window_measure(w, at(6000 * MS), &m);
	assert_int_equal(m.judged, 50);
	assert_int_equal(m.lost, 1);
	/* Answers that arrived within the last second: 48 (5.02) and 49 (5.12). */
	assert_int_equal(m.answers, 2);
	assert_int_equal(m.delay_us, 220 * MS);
	assert_int_equal(m.delay_min_us, 220 * MS);
	assert_int_equal(m.delay_p95_us, 220 * MS);
	assert_int_equal(m.delay_max_us, 220 * MS);
	assert_true(m.jitter_us > 0);
	pm_window_measure(w, at(9 * S), &m);
	assert_int_equal(m.answers, 0);
	pm_window_free(w);
}

static void test_rare_probes_are_measured_over_longer(void **state)
{
	struct pm_window *w = pm_window_new(70, 60 * (int64_t)S, 4 * S, 2 * (int64_t)S);
	struct pm_measure m;

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		(void)pm_window_sent(w, i, at(i * (int64_t)S));
		(void)pm_window_reply(w, i, 20 * MS, at(i * (int64_t)S + 20 * MS));
	}
	pm_window_measure(w, at(19 * (int64_t)S + 500 * MS), &m);
	assert_int_equal(m.answers, 4);
	pm_window_free(w);
}

static void test_a_small_ring_still_counts_everything(void **state)
{
	struct pm_window *w = pm_window_new(16, 60 * (int64_t)S, 0, 2 * (int64_t)S);
	struct pm_measure m;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		(void)pm_window_sent(w, i, at(i * 100 * MS));
		if (i % 10)
			(void)pm_window_reply(w, i, MS, at(i * 100 * MS + MS));
	}
	pm_window_measure(w, at(200 * S), &m);
	assert_int_equal(m.judged, 1000);
	assert_int_equal(m.lost, 100);
	pm_window_reset(w);
	pm_window_measure(w, at(200 * S), &m);
	assert_int_equal(m.judged, 0);
	pm_window_free(w);
	pm_window_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures_of_a_known_series),
		cmocka_unit_test(test_lost_probes_do_not_touch_delay_and_jitter),
		cmocka_unit_test(test_late_answer_stays_lost),
		cmocka_unit_test(test_unknown_and_repeated_answers_change_nothing),
		cmocka_unit_test(test_numbers_may_wrap),
		cmocka_unit_test(test_overtaken_answers_are_counted),
		cmocka_unit_test(test_what_is_older_than_the_span_is_forgotten),
		cmocka_unit_test(test_measure_counts_in_order_and_looks_back_a_second),
		cmocka_unit_test(test_rare_probes_are_measured_over_longer),
		cmocka_unit_test(test_a_small_ring_still_counts_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
