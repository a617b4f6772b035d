/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A branch with three uplinks and one hub, looked at four times a second. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/text.h"
#include "routing/steer/plan.h"

#define MS INT64_C(1000)
#define S INT64_C(1000000)

enum { VOICE, BUSINESS, DEFAULT, SHARED, CLASSES };
enum { ISP1, ISP2, LTE, PATHS };

static const char *const all[] = {"isp1", "isp2", "lte"};
static const char *const two[] = {"isp1", "isp2"};
static const char *const lte[] = {"lte"};

static const struct steer_class classes[CLASSES] = {
	{
		.name = "voice",
		.max_delay_us = 150000,
		.max_loss_ppm = 10000,
		.strategy = STEER_PREFER,
		.uplinks = all,
		.n_uplinks = 3,
	},
	{
		.name = "business",
		.max_loss_ppm = 20000,
		.strategy = STEER_PREFER,
		.uplinks = two,
		.n_uplinks = 2,
		.last_resort = lte,
		.n_last_resort = 1,
	},
	{.name = "default", .strategy = STEER_CHEAPEST},
	{
		.name = "shared",
		.strategy = STEER_SHARE,
		.uplinks = two,
		.n_uplinks = 2,
		.last_resort = lte,
		.n_last_resort = 1,
	},
};

struct bench {
	struct steer_state *st;
	struct steer_settings set;
	struct steer_path paths[PATHS];
	struct steer_measure looks[PATHS][CLASSES];
	size_t n_paths;
	size_t n_classes;
	struct mono now;
	unsigned int decisions;
	struct steer_decision last;
	const struct steer_plan *plan;
};

static int setup(void **state)
{
	static struct bench b;
	static const char *const names[] = {"hub/isp1", "hub/isp2", "hub/lte"};

	b = (struct bench){.now = {1000 * S}, .n_paths = PATHS, .n_classes = CLASSES};
	b.st = steer_state_new();
	b.set = steer_settings_default();
	for (uint32_t i = 0; i < PATHS; i++) {
		b.paths[i] = (struct steer_path){
			.id = i + 1,
			.name = names[i],
			.label = all[i],
			.life = STEER_ALIVE,
			.cost = i == LTE ? 100 : 0,
			.place = i,
			.rate_bps = i == ISP1 ? 100000000 : 20000000,
			.looks = b.looks[i],
		};
		for (int c = 0; c < CLASSES; c++)
			b.looks[i][c] = (struct steer_measure){
				.answers = 10,
				.delay_us = 20000,
			};
	}
	*state = &b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	steer_state_free(b->st);
	return 0;
}

static void look(struct bench *b)
{
	b->plan = steer_peer(b->st, classes, b->n_classes, b->paths, b->n_paths,
			     &b->set, b->now);
	b->decisions += (unsigned int)b->plan->n_decisions;
	if (b->plan->n_decisions)
		b->last = b->plan->decisions[b->plan->n_decisions - 1];
}

static void run(struct bench *b, int64_t us)
{
	struct mono end = mono_add_us(b->now, us);

	while (mono_before(b->now, end)) {
		b->now = mono_add_us(b->now, STEER_LOOK_US);
		for (int p = 0; p < PATHS; p++) {
			for (int c = 0; c < CLASSES; c++)
				b->looks[p][c].judged += 3;
		}
		look(b);
	}
}

static void delay(struct bench *b, int path, uint32_t us)
{
	for (int c = 0; c < CLASSES; c++)
		b->looks[path][c].delay_us = us;
}

static const char *on(const struct bench *b, int class)
{
	const struct steer_class_plan *p = &b->plan->classes[class];

	return p->n_members ? p->members[0].name : "";
}

static struct steer_decision decision(const struct bench *b, const char *class)
{
	for (size_t i = 0; i < b->plan->n_decisions; i++) {
		if (strcmp(b->plan->decisions[i].class_name, class) == 0)
			return b->plan->decisions[i];
	}
	return (struct steer_decision){0};
}

static void test_first_plan_takes_the_first_and_cheapest(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	assert_string_equal(on(b, VOICE), "hub/isp1");
	assert_string_equal(on(b, BUSINESS), "hub/isp1");
	assert_string_equal(on(b, DEFAULT), "hub/isp1");
	assert_int_equal(b->plan->classes[SHARED].n_members, 2);
	assert_int_equal(b->plan->classes[SHARED].members[0].weight, 5);
	assert_int_equal(b->plan->classes[SHARED].members[1].weight, 1);
	assert_true(b->plan->classes[VOICE].keeps);
	assert_true(b->plan->any_good);
	assert_int_equal(b->decisions, CLASSES);
	assert_int_equal(b->last.reason, STEER_WHY_FIRST);
}

static void test_broken_promise_moves_only_its_class(void **state)
{
	struct bench *b = *state;
	char buf[256];
	struct text t = text_init(buf, sizeof(buf));

	run(b, 5 * S);
	delay(b, ISP1, 220000);
	b->decisions = 0;
	while (b->decisions == 0)
		run(b, 250 * MS);
	assert_string_equal(on(b, VOICE), "hub/isp2");
	assert_string_equal(on(b, BUSINESS), "hub/isp1");
	assert_string_equal(on(b, DEFAULT), "hub/isp1");
	assert_int_equal(b->last.reason, STEER_WHY_SLA);
	assert_int_equal(b->last.evidence.metric, STEER_DELAY);
	assert_int_equal(b->last.evidence.value, 220000);
	assert_int_equal(b->last.penalty, 1000);
	steer_decision_text(&b->last, &t);
	assert_string_equal(buf, "voice moves from hub/isp1 to hub/isp2: delay of "
				 "hub/isp1 220.0 ms, limit 150.0 ms");
	run(b, 60 * S);
	assert_int_equal(b->decisions, 1);
}

static void test_back_once_after_healing(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	delay(b, ISP1, 220000);
	run(b, 30 * S);
	delay(b, ISP1, 20000);
	b->decisions = 0;
	run(b, 14 * S);
	assert_string_equal(on(b, VOICE), "hub/isp2");
	run(b, 4 * S);
	assert_string_equal(on(b, VOICE), "hub/isp1");
	assert_int_equal(b->last.reason, STEER_WHY_BACK);
	run(b, 300 * S);
	assert_int_equal(b->decisions, 1);
}

static void test_blackout_moves_everything_at_once(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	b->paths[ISP1].life = STEER_SILENT;
	b->decisions = 0;
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp2");
	assert_string_equal(on(b, BUSINESS), "hub/isp2");
	assert_string_equal(on(b, DEFAULT), "hub/isp2");
	assert_int_equal(b->plan->classes[SHARED].n_members, 1);
	assert_int_equal(b->decisions, CLASSES);
	assert_int_equal(b->last.reason, STEER_WHY_DOWN);
	assert_string_equal(b->last.subject, "hub/isp1");
}

static void test_blackout_waits_for_no_hold_time(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	/* Both were held back already, and still each swap is followed at once. */
	for (int i = 0; i < 6; i++) {
		b->paths[ISP1].life = i % 2 ? STEER_ALIVE : STEER_SILENT;
		b->paths[ISP2].life = i % 2 ? STEER_SILENT : STEER_ALIVE;
		b->paths[LTE].life = STEER_SILENT;
		look(b);
		assert_string_equal(on(b, VOICE), i % 2 ? "hub/isp1" : "hub/isp2");
		run(b, S);
	}
}

static void test_last_resort_only_when_nothing_listed_keeps_the_promise(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	b->paths[ISP1].life = STEER_SILENT;
	b->paths[ISP2].life = STEER_SILENT;
	run(b, 250 * MS);
	assert_string_equal(on(b, BUSINESS), "hub/lte");
	assert_string_equal(on(b, SHARED), "hub/lte");
	b->paths[ISP2].life = STEER_ALIVE;
	run(b, 60 * S);
	assert_string_equal(on(b, BUSINESS), "hub/isp2");
}

static void test_last_path_is_never_taken_away(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	for (int i = 0; i < PATHS; i++) {
		b->paths[i].life = STEER_SILENT;
		run(b, S);
	}
	assert_string_equal(on(b, VOICE), "hub/lte");
	assert_true(b->plan->classes[VOICE].kept);
	assert_true(b->plan->all_silent);
	assert_false(b->plan->any_good);
	for (int i = 0; i < PATHS; i++)
		b->paths[i].life = STEER_NOT_RUNNING;
	run(b, 60 * S);
	assert_string_equal(on(b, VOICE), "hub/lte");
}

static void test_all_silent_at_once_keeps_forwarding(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	b->decisions = 0;
	for (int i = 0; i < PATHS; i++)
		b->paths[i].life = STEER_SILENT;
	run(b, 60 * S);
	assert_int_equal(b->decisions, 0);
	assert_string_equal(on(b, VOICE), "hub/isp1");
	/* A sign of life on another one: there. */
	b->paths[ISP2].life = STEER_PROVING;
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp2");
	assert_int_equal(b->last.reason, STEER_WHY_SIGN);
	/* The former first choice proves itself too: no reason to move yet. */
	b->paths[ISP1].life = STEER_PROVING;
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp2");
}

static void test_death_while_all_others_are_suspect_waits_a_moment(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	b->decisions = 0;
	b->paths[ISP1].life = STEER_SILENT;
	b->paths[ISP2].life = STEER_SUSPECT;
	b->paths[LTE].life = STEER_SUSPECT;
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp1");
	assert_string_equal(on(b, DEFAULT), "hub/isp1");
	/* Who has another member drops the dead one. */
	assert_int_equal(b->decisions, 1);
	assert_string_equal(on(b, SHARED), "hub/isp2");
	/* One of them lives after all. */
	b->paths[LTE].life = STEER_ALIVE;
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp2");

	/* Or nobody knows: a quarter of a second, no more. */
	b->paths[ISP2].life = STEER_SILENT;
	b->paths[LTE].life = STEER_SUSPECT;
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp2");
	run(b, 250 * MS);
	assert_string_equal(on(b, VOICE), "hub/lte");
}

static void test_least_bad_when_none_keeps_the_promise(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	delay(b, ISP1, 400000);
	delay(b, ISP2, 300000);
	delay(b, LTE, 200000);
	run(b, 20 * S);
	assert_string_equal(on(b, VOICE), "hub/lte");
	assert_false(b->plan->classes[VOICE].keeps);
	/* A little better elsewhere is no reason. */
	delay(b, ISP1, 180000);
	run(b, 20 * S);
	assert_string_equal(on(b, VOICE), "hub/lte");
	delay(b, ISP1, 155000);
	run(b, 20 * S);
	assert_string_equal(on(b, VOICE), "hub/isp1");
	assert_int_equal(b->last.reason, STEER_WHY_LEAST_BAD);
}

static void test_dead_path_is_worse_than_a_bad_one(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	delay(b, ISP2, 300000);
	delay(b, LTE, 300000);
	run(b, 5 * S);
	b->paths[ISP1].life = STEER_SILENT;
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp2");
	assert_int_equal(decision(b, "voice").reason, STEER_WHY_DOWN);
}

static void test_operator_stands_above_quality(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	b->paths[ISP1].order = STEER_ORDER_DOWN;
	look(b);
	assert_string_equal(on(b, DEFAULT), "hub/isp2");
	assert_int_equal(b->last.reason, STEER_WHY_OPERATOR);
	/* But not above the last path. */
	b->paths[ISP2].life = STEER_SILENT;
	b->paths[LTE].life = STEER_SILENT;
	look(b);
	assert_string_equal(on(b, DEFAULT), "hub/isp1");
	b->paths[ISP1].order = STEER_ORDER_NONE;
	b->paths[ISP2].life = STEER_ALIVE;
	b->paths[LTE].life = STEER_ALIVE;
	run(b, 60 * S);
	delay(b, ISP1, 300000);
	run(b, 5 * S);
	assert_string_equal(on(b, VOICE), "hub/isp2");
	b->paths[ISP1].order = STEER_ORDER_UP;
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp1");
}

static void test_path_that_is_gone_is_left(void **state)
{
	struct bench *b = *state;

	run(b, 5 * S);
	b->paths[0] = b->paths[2];
	b->n_paths = 2;
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp2");
	assert_int_equal(decision(b, "voice").reason, STEER_WHY_DOWN);
	assert_string_equal(decision(b, "voice").subject, "hub/isp1");
}

static void test_classes_may_come_and_go(void **state)
{
	struct bench *b = *state;

	b->n_classes = 1;
	run(b, 5 * S);
	delay(b, ISP1, 300000);
	run(b, 5 * S);
	b->n_classes = CLASSES;
	run(b, 5 * S);
	assert_string_equal(on(b, VOICE), "hub/isp2");
	assert_string_equal(on(b, DEFAULT), "hub/isp1");
	b->n_classes = 0;
	look(b);
	assert_int_equal(b->plan->n_classes, 0);
}

static void test_flapping_path_is_kept_out_longer_each_time(void **state)
{
	struct bench *b = *state;
	int64_t took[4] = {0};
	struct steer_standing s;

	run(b, 5 * S);
	for (int i = 0; i < 3; i++) {
		struct mono from;

		b->paths[ISP1].life = STEER_SILENT;
		run(b, S);
		b->paths[ISP1].life = STEER_ALIVE;
		from = b->now;
		while (strcmp(on(b, DEFAULT), "hub/isp1") != 0)
			run(b, 250 * MS);
		took[i] = mono_diff_us(b->now, from);
	}
	assert_in_range(took[0], 14 * S, 16 * S);
	assert_true(took[1] > took[0]);
	assert_true(took[2] > took[1]);
	assert_in_range(took[2], 30 * S, 60 * S);
	b->paths[ISP1].life = STEER_SILENT;
	run(b, S);
	b->paths[ISP1].life = STEER_ALIVE;
	run(b, 120 * S);
	assert_int_equal(steer_standing(b->st, &b->set, 1, "default", b->now, &s), 0);
	assert_true(s.suppressed);
	assert_int_equal(s.verdict, STEER_HOLDING);
	assert_false(s.member);
	run(b, 600 * S);
	assert_string_equal(on(b, DEFAULT), "hub/isp1");
}

static void test_standing_tells_what_why_needs(void **state)
{
	struct bench *b = *state;
	struct steer_standing s;

	run(b, 5 * S);
	delay(b, ISP1, 220000);
	run(b, 5 * S);
	assert_int_equal(steer_standing(b->st, &b->set, 1, "voice", b->now, &s), 0);
	assert_int_equal(s.verdict, STEER_BAD);
	assert_int_equal(s.broken.value, 220000);
	assert_int_equal(s.tier, STEER_TIER_LISTED);
	assert_false(s.member);
	delay(b, ISP1, 20000);
	run(b, 5 * S);
	(void)steer_standing(b->st, &b->set, 1, "voice", b->now, &s);
	assert_int_equal(s.verdict, STEER_HOLDING);
	assert_in_range(s.hold_left_us, 9 * S, 11 * S);
	assert_int_equal(steer_standing(b->st, &b->set, 3, "business", b->now, &s), 0);
	assert_int_equal(s.tier, STEER_TIER_LAST_RESORT);
	assert_int_equal(steer_standing(b->st, &b->set, 9, "voice", b->now, &s),
			 -ENOENT);
	assert_int_equal(steer_standing(b->st, &b->set, 1, "x", b->now, &s), -ENOENT);
}

static void test_members_and_penalties_survive_a_restart(void **state)
{
	struct bench *b = *state;
	char buf[4096];
	struct text t = text_init(buf, sizeof(buf));
	struct steer_standing s;

	run(b, 5 * S);
	delay(b, ISP1, 220000);
	run(b, 5 * S);
	steer_state_save(b->st, b->now, &t);
	steer_state_free(b->st);

	b->st = steer_state_new();
	assert_int_equal(steer_state_load(b->st, buf, t.len, 300, b->now), 0);
	b->decisions = 0;
	/* Nobody has answered yet: as it was. */
	for (int i = 0; i < PATHS; i++)
		b->paths[i].life = STEER_PROVING;
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp2");
	assert_string_equal(on(b, BUSINESS), "hub/isp1");
	assert_int_equal(b->plan->classes[SHARED].members[0].weight, 5);
	assert_int_equal(b->decisions, 0);
	assert_int_equal(steer_standing(b->st, &b->set, 1, "voice", b->now, &s), 0);
	assert_in_range(s.penalty, 450, 500);
	assert_true(s.penalty > 0);

	/* Nonsense is counted and costs nothing. */
	steer_state_free(b->st);
	b->st = steer_state_new();
	assert_int_equal(steer_state_load(b->st, "x\ny z\n", 6, 0, b->now), 2);
	assert_int_equal(steer_state_load(b->st, "", 0, 0, b->now), 0);
	look(b);
	assert_string_equal(on(b, VOICE), "hub/isp1");
}

static void test_names_of_reasons(void **state)
{
	(void)state;
	for (int r = STEER_WHY_FIRST; r <= STEER_WHY_SIGN; r++)
		assert_string_not_equal(steer_reason_name((enum steer_reason)r),
					"invalid");
	for (int v = STEER_UNKNOWN; v <= STEER_HOLDING; v++)
		assert_string_not_equal(steer_verdict_name((enum steer_verdict)v),
					"invalid");
}

#define plan_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		plan_test(test_first_plan_takes_the_first_and_cheapest),
		plan_test(test_broken_promise_moves_only_its_class),
		plan_test(test_back_once_after_healing),
		plan_test(test_blackout_moves_everything_at_once),
		plan_test(test_blackout_waits_for_no_hold_time),
		plan_test(test_last_resort_only_when_nothing_listed_keeps_the_promise),
		plan_test(test_last_path_is_never_taken_away),
		plan_test(test_all_silent_at_once_keeps_forwarding),
		plan_test(test_death_while_all_others_are_suspect_waits_a_moment),
		plan_test(test_least_bad_when_none_keeps_the_promise),
		plan_test(test_dead_path_is_worse_than_a_bad_one),
		plan_test(test_operator_stands_above_quality),
		plan_test(test_path_that_is_gone_is_left),
		plan_test(test_classes_may_come_and_go),
		plan_test(test_flapping_path_is_kept_out_longer_each_time),
		plan_test(test_standing_tells_what_why_needs),
		plan_test(test_members_and_penalties_survive_a_restart),
		plan_test(test_names_of_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
