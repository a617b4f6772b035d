/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What probing costs on a metered uplink, both ends' probes and answers counted:
 * a packet is 136 bytes on the wire (STAMP in ESP in UDP) and some more for our
 * TLV.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/sim/paths_world.h"

enum { WIRE_BYTES = 160 };

static uint64_t packets(const struct world *w)
{
	uint64_t n = 0;

	for (int e = 0; e < ENDS; e++)
		n += w->ends[e].paths[0].probes_sent + w->ends[e].paths[0].answers_sent;
	return n;
}

static void start(struct world *w, uint32_t loss_ppm)
{
	struct pm_path_config cfg = pm_path_config_default();

	world_init(w, 5, 1, &cfg, 1);
	world_wire(w, 0, 30 * W_MS, 10 * W_MS, loss_ppm);
	world_start(w, 0);
	world_run(w, 10 * W_S);
	assert_int_equal(pm_path_state(w->ends[0].paths[0].pm), PM_UP);
}

static void test_idle_month_stays_below_200_megabytes(void **state)
{
	struct world w;
	uint64_t before;

	(void)state;
	start(&w, 1000);
	before = packets(&w);
	world_run(&w, 24 * 3600 * W_S);
	assert_true((packets(&w) - before) * WIRE_BYTES * 30 < 200000000);
	world_fini(&w);
}

static void test_traffic_is_measured_five_times_a_second(void **state)
{
	struct world w;
	uint64_t before;

	(void)state;
	start(&w, 0);
	before = w.ends[BRANCH].paths[0].probes_sent;
	for (int i = 0; i < 600; i++) {
		pm_path_traffic(w.ends[BRANCH].paths[0].pm, w.now);
		world_run(&w, 100 * W_MS);
	}
	assert_in_range(w.ends[BRANCH].paths[0].probes_sent - before, 290, 310);
	world_fini(&w);
}

static void test_idle_path_that_dies_is_found_within_its_interval(void **state)
{
	struct world w;

	(void)state;
	start(&w, 0);
	world_run(&w, 60 * W_S);
	world_cut(&w, 0, BRANCH, true);
	world_cut(&w, 0, HUB, true);
	world_run(&w, 12 * W_S);
	for (int e = 0; e < ENDS; e++)
		assert_int_equal(w.ends[e].paths[0].downs, 1);
	world_fini(&w);
}

static void test_unproven_path_is_probed_fast(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct world w;

	(void)state;
	world_init(&w, 6, 1, &cfg, 1);
	world_wire(&w, 0, 30 * W_MS, 0, 0);
	world_start(&w, 0);
	world_run(&w, W_S);
	assert_in_range(w.ends[BRANCH].paths[0].probes_sent, 9, 12);
	world_fini(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_idle_month_stays_below_200_megabytes),
		cmocka_unit_test(test_traffic_is_measured_five_times_a_second),
		cmocka_unit_test(test_idle_path_that_dies_is_found_within_its_interval),
		cmocka_unit_test(test_unproven_path_is_probed_fast),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
