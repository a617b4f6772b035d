/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "routing/steer/class.h"
#include "routing/steer/quality.h"

#define MS INT64_C(1000)
#define S INT64_C(1000000)
#define HOLD (15 * S)

static const struct steer_class voice = {
	.name = "voice",
	.max_delay_us = 150000,
	.max_jitter_us = 30000,
	.max_loss_ppm = 10000,
	.strategy = STEER_CHEAPEST,
};

static const struct steer_class any = {.name = "default", .strategy = STEER_CHEAPEST};

/* A path that is looked at four times a second and probed ten times, or less often. */
struct bench {
	int64_t every_us; /* 0: ten times a second */
	struct mono probe_at;
	struct steer_quality q;
	struct steer_measure m;
	struct mono now;
	uint64_t lose_every; /* 0: nothing */
	unsigned int changes;
};

static struct bench bench(void)
{
	struct bench b = {
		.now = {100 * S},
		.m = {.answers = 9, .delay_us = 20000, .jitter_us = 500},
	};

	steer_quality_init(&b.q, b.now);
	return b;
}

static void run(struct bench *b, const struct steer_class *c, int64_t us)
{
	struct mono end = mono_add_us(b->now, us);

	while (mono_before(b->now, end)) {
		b->now = mono_add_us(b->now, 250 * MS);
		if (b->every_us && mono_before(b->probe_at, b->now)) {
			b->probe_at = mono_add_us(b->now, b->every_us - 250 * MS);
			b->m.judged++;
			b->m.lost += b->lose_every && b->m.judged % b->lose_every == 0;
		}
		for (int i = 0; i < 5 && !b->every_us; i++) {
			/* 2.5 probes a look, on average */
			if (i >= 2 && (i > 2 || (b->now.us / (250 * MS)) % 2))
				continue;
			b->m.judged++;
			if (b->lose_every && b->m.judged % b->lose_every == 0)
				b->m.lost++;
		}
		b->changes += steer_quality_look(&b->q, c, &b->m, HOLD, b->now);
	}
}

static void test_nothing_is_good_before_it_was_measured(void **state)
{
	struct bench b = bench();

	(void)state;
	b.m.answers = 2;
	run(&b, &voice, S);
	assert_int_equal(b.q.verdict, STEER_UNKNOWN);
	b.m.answers = 3;
	run(&b, &voice, S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
	/* No limits: any answer will do. */
	b = bench();
	b.m.answers = 0;
	run(&b, &any, S);
	assert_int_equal(b.q.verdict, STEER_UNKNOWN);
	b.m.answers = 1;
	run(&b, &any, S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
}

static void test_delay_over_its_limit_is_bad_once_confirmed(void **state)
{
	struct bench b = bench();

	(void)state;
	run(&b, &voice, 5 * S);
	b.m.delay_us = 151000;
	run(&b, &voice, 250 * MS);
	assert_int_equal(b.q.verdict, STEER_GOOD);
	run(&b, &voice, 500 * MS);
	assert_int_equal(b.q.verdict, STEER_BAD);
	assert_int_equal(b.q.broken.metric, STEER_DELAY);
	assert_int_equal(b.q.broken.value, 151000);
	assert_int_equal(b.q.broken.limit, 150000);
}

static void test_one_odd_look_is_not_enough(void **state)
{
	struct bench b = bench();

	(void)state;
	run(&b, &voice, 5 * S);
	for (int i = 0; i < 20; i++) {
		b.m.delay_us = i % 2 ? 20000 : 500000;
		run(&b, &voice, 250 * MS);
	}
	assert_int_equal(b.q.verdict, STEER_GOOD);
	/* Nor are answers too few to judge by. */
	b.m.delay_us = 500000;
	b.m.answers = 2;
	run(&b, &voice, 10 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
}

static void test_jitter_over_its_limit_is_bad(void **state)
{
	struct bench b = bench();

	(void)state;
	run(&b, &voice, 5 * S);
	b.m.jitter_us = 31000;
	run(&b, &voice, S);
	assert_int_equal(b.q.verdict, STEER_BAD);
	assert_int_equal(b.q.broken.metric, STEER_JITTER);
}

static void test_loss_is_judged_by_its_chance(void **state)
{
	struct bench b = bench();

	(void)state;
	/* At its limit for ten minutes: nothing is proven. */
	b.lose_every = 100;
	run(&b, &voice, 600 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
	/* Ten times over: proven within seconds. */
	b.lose_every = 10;
	run(&b, &voice, 10 * S);
	assert_int_equal(b.q.verdict, STEER_BAD);
	assert_int_equal(b.q.broken.metric, STEER_LOSS);
	assert_true(b.q.broken.lost > 0);
	assert_true(b.q.broken.judged >= b.q.broken.lost);
}

static void test_total_loss_is_seen_within_two_seconds(void **state)
{
	struct bench b = bench();

	(void)state;
	run(&b, &voice, 100 * S);
	b.lose_every = 1;
	b.m.answers = 0;
	run(&b, &voice, 2 * S);
	assert_int_equal(b.q.verdict, STEER_BAD);
}

static void test_back_after_the_hold_time_and_not_before(void **state)
{
	struct bench b = bench();

	(void)state;
	run(&b, &voice, 5 * S);
	b.m.delay_us = 220000;
	run(&b, &voice, 30 * S);
	assert_int_equal(b.q.verdict, STEER_BAD);
	b.m.delay_us = 20000;
	run(&b, &voice, 14 * S);
	assert_int_equal(b.q.verdict, STEER_HOLDING);
	run(&b, &voice, 2 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
	/* UNKNOWN, GOOD, BAD, HOLDING, GOOD */
	assert_int_equal(b.changes, 4);
}

static void test_just_under_the_limit_is_not_back(void **state)
{
	struct bench b = bench();

	(void)state;
	run(&b, &voice, 5 * S);
	b.m.delay_us = 220000;
	run(&b, &voice, 5 * S);
	b.m.delay_us = 130000; /* over 80 % of 150 ms */
	run(&b, &voice, 300 * S);
	assert_int_equal(b.q.verdict, STEER_BAD);
	b.m.delay_us = 119000;
	run(&b, &voice, 17 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
}

static void test_after_loss_the_window_must_be_clean(void **state)
{
	struct bench b = bench();

	(void)state;
	run(&b, &voice, 5 * S);
	b.lose_every = 10;
	run(&b, &voice, 60 * S);
	assert_int_equal(b.q.verdict, STEER_BAD);
	b.lose_every = 0;
	run(&b, &voice, 13 * S);
	assert_int_not_equal(b.q.verdict, STEER_GOOD);
	run(&b, &voice, 8 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
	/* What was judged before does not count again. */
	run(&b, &voice, 120 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
}

static void test_probes_sent_seldom_prove_it_later(void **state)
{
	struct bench b = bench();

	(void)state;
	b.every_us = 500 * MS;
	run(&b, &voice, 5 * S);
	b.lose_every = 4;
	run(&b, &voice, 60 * S);
	assert_int_equal(b.q.verdict, STEER_BAD);
	b.lose_every = 0;
	/* 50 of them take 25 s. */
	run(&b, &voice, 22 * S);
	assert_int_not_equal(b.q.verdict, STEER_GOOD);
	run(&b, &voice, 8 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
	/* A minute is enough for fewer, when none is lost. */
	b.lose_every = 2;
	run(&b, &voice, 60 * S);
	assert_int_equal(b.q.verdict, STEER_BAD);
	b.every_us = 5 * S;
	b.lose_every = 0;
	run(&b, &voice, 50 * S);
	assert_int_not_equal(b.q.verdict, STEER_GOOD);
	run(&b, &voice, 20 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
	/* Nor is a minute over before it has passed. */
	steer_quality_reset(&b.q, b.now, true);
	run(&b, &voice, 50 * S);
	assert_int_equal(b.q.verdict, STEER_HOLDING);
	run(&b, &voice, 20 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
}

static void test_a_path_that_died_is_held_when_it_lives_again(void **state)
{
	struct bench b = bench();

	(void)state;
	run(&b, &any, 5 * S);
	steer_quality_reset(&b.q, b.now, true);
	assert_int_equal(b.q.verdict, STEER_HOLDING);
	run(&b, &any, 14 * S);
	assert_int_equal(b.q.verdict, STEER_HOLDING);
	run(&b, &any, 2 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
	steer_quality_reset(&b.q, b.now, false);
	assert_int_equal(b.q.verdict, STEER_UNKNOWN);
}

static void test_counts_that_begin_anew_are_no_loss(void **state)
{
	struct bench b = bench();

	(void)state;
	b.lose_every = 200;
	run(&b, &voice, 60 * S);
	b.m.judged = 0;
	b.m.lost = 0;
	run(&b, &voice, 60 * S);
	assert_int_equal(b.q.verdict, STEER_GOOD);
}

static void test_chances_of_known_counts(void **state)
{
	(void)state;
	assert_false(steer_quality_exceeds(0, 0, 10000, 1e-5));
	assert_false(steer_quality_exceeds(0, 1000, 0, 1e-5));
	assert_true(steer_quality_exceeds(1, 1000, 0, 1e-5));
	assert_true(steer_quality_exceeds(3, 3, 20000, 1e-5));
	assert_false(steer_quality_exceeds(2, 2, 20000, 1e-5));
	/* 1 %: P(X >= 6 of 50) = 1.3e-5, of 7: 1.1e-6. */
	assert_false(steer_quality_exceeds(6, 50, 10000, 1e-5));
	assert_true(steer_quality_exceeds(7, 50, 10000, 1e-5));
	/* 2 %: P(X >= 13 of 150) = 1.2e-5, of 14: 2.2e-6. */
	assert_false(steer_quality_exceeds(13, 150, 20000, 1e-5));
	assert_true(steer_quality_exceeds(14, 150, 20000, 1e-5));
	/* Large counts are scaled, not lost. */
	assert_true(steer_quality_exceeds(50000, 100000, 300000, 1e-5));
	assert_false(steer_quality_exceeds(30000, 100000, 300000, 1e-5));
	assert_false(steer_quality_exceeds(10, 10, 1000000, 1e-5));
	assert_int_equal(steer_quality_upper_ppm(0, 0), 1000000);
	/* z = 1, none of 99: 1 %. */
	assert_in_range(steer_quality_upper_ppm(0, 99), 9990, 10010);
	assert_true(steer_quality_upper_ppm(10, 10) <= 1000000);
}

static void test_badness_is_the_worst_of_the_three(void **state)
{
	struct bench b = bench();

	(void)state;
	run(&b, &voice, 5 * S);
	assert_in_range(steer_quality_badness(&b.q, &voice), 130, 135);
	b.m.jitter_us = 60000;
	run(&b, &voice, S);
	assert_int_equal(steer_quality_badness(&b.q, &voice), 2000);
	b.lose_every = 10;
	run(&b, &voice, 30 * S);
	assert_in_range(steer_quality_badness(&b.q, &voice), 9000, 11000);
	assert_int_equal(steer_quality_badness(&b.q, &any), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_good_before_it_was_measured),
		cmocka_unit_test(test_delay_over_its_limit_is_bad_once_confirmed),
		cmocka_unit_test(test_one_odd_look_is_not_enough),
		cmocka_unit_test(test_jitter_over_its_limit_is_bad),
		cmocka_unit_test(test_loss_is_judged_by_its_chance),
		cmocka_unit_test(test_total_loss_is_seen_within_two_seconds),
		cmocka_unit_test(test_back_after_the_hold_time_and_not_before),
		cmocka_unit_test(test_just_under_the_limit_is_not_back),
		cmocka_unit_test(test_after_loss_the_window_must_be_clean),
		cmocka_unit_test(test_probes_sent_seldom_prove_it_later),
		cmocka_unit_test(test_a_path_that_died_is_held_when_it_lives_again),
		cmocka_unit_test(test_counts_that_begin_anew_are_no_loss),
		cmocka_unit_test(test_chances_of_known_counts),
		cmocka_unit_test(test_badness_is_the_worst_of_the_three),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
