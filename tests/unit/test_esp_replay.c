/* SPDX-License-Identifier: GPL-2.0-or-later */
/* esp_replay against a plain list of every number seen */
#include <string.h>

#include "edged/esp/replay.h"
#include "lib/rng.h"
#include "tests/unit/cm.h"

static void test_a_number_is_fresh_once(void **state)
{
	struct esp_replay r = {0};

	(void)state;
	assert_false(esp_replay_fresh(&r, 0));
	assert_true(esp_replay_fresh(&r, 1));
	esp_replay_commit(&r, 1);
	assert_false(esp_replay_fresh(&r, 1));
	assert_true(esp_replay_fresh(&r, 2));
}

static void test_window_ends_where_it_says(void **state)
{
	struct esp_replay r = {0};

	(void)state;
	esp_replay_commit(&r, 10000);
	assert_true(esp_replay_fresh(&r, 10000 - ESP_REPLAY_WINDOW + 1));
	assert_false(esp_replay_fresh(&r, 10000 - ESP_REPLAY_WINDOW));
	assert_false(esp_replay_fresh(&r, 1));
}

static void test_a_jump_forgets_nothing_it_should_keep(void **state)
{
	struct esp_replay r = {0};

	(void)state;
	for (uint32_t seq = 1; seq <= 5000; seq++)
		esp_replay_commit(&r, seq);
	esp_replay_commit(&r, 5000 + 1000);
	for (uint32_t seq = 6000 - ESP_REPLAY_WINDOW + 1; seq <= 5000; seq++)
		assert_false(esp_replay_fresh(&r, seq));
	for (uint32_t seq = 5001; seq < 6000; seq++)
		assert_true(esp_replay_fresh(&r, seq));
	esp_replay_commit(&r, UINT32_MAX);
	assert_false(esp_replay_fresh(&r, UINT32_MAX));
	assert_true(esp_replay_fresh(&r, UINT32_MAX - 1));
	assert_false(esp_replay_fresh(&r, 6000));
}

/* Random order around a moving front, as queues and loss make it. */
static void test_it_agrees_with_a_plain_list(void **state)
{
	enum { N = 60000 };
	static bool seen[N + 1];
	struct esp_replay r = {0};
	struct rng rng = rng_seeded(20261125);
	uint32_t top = 0;

	(void)state;
	memset(seen, 0, sizeof(seen));
	for (uint32_t i = 1; i < 3 * N; i++) {
		uint32_t front = i / 3 + 1;
		uint32_t spread = rng_below(&rng, 100) ? 300 : 6000;
		int64_t pick = (int64_t)front + rng_below(&rng, spread) - spread / 2;
		bool want;

		if (pick < 1 || pick > N)
			continue;
		want = !seen[pick] && (pick > top || top - pick < ESP_REPLAY_WINDOW);
		assert_int_equal(esp_replay_fresh(&r, (uint32_t)pick), want);
		if (!want)
			continue;
		esp_replay_commit(&r, (uint32_t)pick);
		seen[pick] = true;
		if (pick > top)
			top = (uint32_t)pick;
	}
	assert_int_equal(r.top, top);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_number_is_fresh_once),
		cmocka_unit_test(test_window_ends_where_it_says),
		cmocka_unit_test(test_a_jump_forgets_nothing_it_should_keep),
		cmocka_unit_test(test_it_agrees_with_a_plain_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
