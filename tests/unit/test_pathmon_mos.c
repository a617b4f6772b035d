/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pathmon/mos.h"

/* one-way and spread in ms, loss in tenths of a percent */
/* clang-format off */
static const struct {
	uint32_t one_way, spread, loss;
	enum pm_codec codec;
	uint32_t want;
} vectors[] = {
	{ 50,  10, 0,  PM_CODEC_G711_PLC, 437 },
	{ 50,  10, 0,  PM_CODEC_G729A,    402 },
	{ 50,  10, 10, PM_CODEC_G711_PLC, 428 },
	{ 50,  10, 10, PM_CODEC_G729A,    385 },
	{ 150, 30, 10, PM_CODEC_G711_PLC, 411 },
	{ 150, 30, 10, PM_CODEC_G729A,    354 },
	{ 200, 40, 20, PM_CODEC_G711_PLC, 364 },
	{ 200, 40, 20, PM_CODEC_G729A,    294 },
	{ 50,  10, 1000, PM_CODEC_G711_PLC, 113 },
};
/* clang-format on */

static void test_known_calls_have_their_known_score(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		uint32_t got = pm_mos_x100(&(struct pm_mos_input){
			.one_way_us = vectors[i].one_way * 1000,
			.spread_us = vectors[i].spread * 1000,
			.loss_ppm = vectors[i].loss * 1000,
			.run_x100 = 100,
			.codec = vectors[i].codec,
		});

		if (got + 1 < vectors[i].want || got > vectors[i].want + 1)
			fail_msg("vector %zu: %u, want %u", i, got, vectors[i].want);
	}
}

static void test_losses_in_runs_hurt_more(void **state)
{
	struct pm_mos_input in = {
		.one_way_us = 50000,
		.loss_ppm = 30000,
		.run_x100 = 100,
		.codec = PM_CODEC_G711_PLC,
	};
	uint32_t single = pm_mos_x100(&in);

	(void)state;
	in.run_x100 = 400;
	assert_true(pm_mos_x100(&in) <= single);
	assert_in_range(pm_mos_x100(&in), 100, 450);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_calls_have_their_known_score),
		cmocka_unit_test(test_losses_in_runs_hurt_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
