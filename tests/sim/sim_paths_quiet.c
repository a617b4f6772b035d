/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Late and lossy is not dead. Two ends probe each other over one path that loses
 * 5 % each way; now and then the delay jumps by 200 ms, in one direction or in
 * both halves, and back. No end may ever call the path down. No data flows: its
 * packets would only help.
 *
 * ED_SIM_SEEDS and ED_SIM_HOURS ask for more, ED_SIM_FIRST for other seeds
 * (tests/soak/run does).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/alloc.h"
#include "tests/sim/paths_world.h"

enum { STEP_US = 200000, LOSS_PPM = 50000 };

struct kind {
	const char *name;
	int64_t delay_us;
	int64_t jitter_us;
	unsigned int metered;
	uint8_t sessions;
};

static unsigned long number(const char *env, unsigned long otherwise)
{
	const char *v = getenv(env);

	return v ? strtoul(v, NULL, 10) : otherwise;
}

/* A jump of 200 ms of the round trip, or back to none. */
static void jump(struct world *w, const struct kind *k)
{
	int64_t extra[ENDS] = {0};

	switch (rng_below(&w->rng, 4)) {
	case 0:
		extra[BRANCH] = STEP_US;
		break;
	case 1:
		extra[HUB] = STEP_US;
		break;
	case 2:
		extra[BRANCH] = STEP_US / 2;
		extra[HUB] = STEP_US / 2;
		break;
	default:
		break;
	}
	for (int end = 0; end < ENDS; end++)
		w->wire[0][end].delay_us = k->delay_us + extra[end];
}

static void blame(const struct world *w, const struct kind *k, uint64_t seed, int end)
{
	const struct world_end_path *p = &w->ends[end].paths[0];

	fail_msg(
		"%s, seed %lu: end %d calls the path down after %ld ms: %s, %u missed, "
		"quiet %ld ms, no answer for %ld ms",
		k->name, (unsigned long)seed, end, (long)(p->down_at.us / 1000),
		pm_cause_name(p->down.cause), p->down.missed,
		(long)(p->down.quiet_us / 1000), (long)(p->down.no_answer_us / 1000));
}

static void live_through(const struct kind *k, uint64_t seed, unsigned long hours)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct world w;
	struct mono end;

	cfg.n_sessions = k->sessions;
	world_init(&w, seed, 1, &cfg, k->metered);
	world_wire(&w, 0, k->delay_us, k->jitter_us, LOSS_PPM);
	world_start(&w, 0);
	world_run(&w, 10 * W_S);
	end = mono_add_us(w.now, (int64_t)hours * 3600 * W_S);
	while (mono_before(w.now, end)) {
		jump(&w, k);
		world_run(&w, (20 + rng_below(&w.rng, 100)) * W_S);
		for (int e = 0; e < ENDS; e++) {
			if (w.ends[e].paths[0].downs)
				blame(&w, k, seed, e);
		}
	}
	assert_true(pm_path_state(w.ends[BRANCH].paths[0].pm) == PM_UP ||
		    pm_path_state(w.ends[BRANCH].paths[0].pm) == PM_SUSPECT);
	world_fini(&w);
}

static const struct kind kinds[] = {
	{"near", 10 * W_MS, 1 * W_MS, 0, 1},
	{"far", 110 * W_MS, 20 * W_MS, 0, 1},
	{"metered", 30 * W_MS, 10 * W_MS, 1, 1},
	{"near, three sessions", 10 * W_MS, 1 * W_MS, 0, 3},
	{"metered, two sessions", 30 * W_MS, 10 * W_MS, 1, 2},
};

static void test_late_and_lossy_path_is_never_called_down(void **state)
{
	unsigned long seeds = number("ED_SIM_SEEDS", 100);
	unsigned long hours = number("ED_SIM_HOURS", 2);
	unsigned long first = number("ED_SIM_FIRST", 1);

	(void)state;
	for (unsigned long seed = first; seed < first + seeds; seed++)
		live_through(&kinds[seed % ARRAY_LEN(kinds)], seed, hours);
	print_message("# %lu seeds of %lu simulated hours\n", seeds, hours);
}

/* The same rules must still find a dead path. */
static void test_dead_path_is_called_down_in_the_same_weather(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 100; seed++) {
		const struct kind *k = &kinds[seed % 2];
		struct pm_path_config cfg = pm_path_config_default();
		struct world w;

		world_init(&w, seed, 1, &cfg, 0);
		world_wire(&w, 0, k->delay_us, k->jitter_us, LOSS_PPM);
		world_start(&w, 0);
		world_run(&w, (20 + rng_below(&w.rng, 100)) * W_S + 123456);
		world_cut(&w, 0, BRANCH, true);
		world_cut(&w, 0, HUB, true);
		world_run(&w, W_S);
		for (int e = 0; e < ENDS; e++) {
			if (w.ends[e].paths[0].downs != 1)
				fail_msg("%s, seed %lu: end %d has not noticed",
					 k->name, (unsigned long)seed, e);
		}
		world_fini(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_late_and_lossy_path_is_never_called_down),
		cmocka_unit_test(test_dead_path_is_called_down_in_the_same_weather),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
