/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of supervisor and tunnel is arithmetic; their wiring is proven in the lab. */
#include "edged/supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "edged/overrides.h"
#include "edged/tunnel.h"
#include "lib/rng.h"
#include "tests/unit/cm.h"

static void expect_pause(unsigned int failures, bool refused, int64_t ms)
{
	for (uint64_t seed = 1; seed <= 50; seed++) {
		struct rng rng = rng_seeded(seed);
		int64_t us = supervisor_pause_us(failures, refused, &rng);

		assert_in_range(us, ms * 750, ms * 1250);
	}
}

static void test_pauses_grow_to_a_limit_and_are_jittered(void **state)
{
	struct rng a = rng_seeded(1);
	struct rng b = rng_seeded(2);

	(void)state;
	expect_pause(0, false, SUPERVISOR_FIRST_MS);
	expect_pause(1, false, 1000);
	expect_pause(2, false, 2000);
	expect_pause(4, false, 8000);
	expect_pause(5, false, SUPERVISOR_PAUSE_MAX_MS);
	expect_pause(1000000, false, SUPERVISOR_PAUSE_MAX_MS);
	assert_true(supervisor_pause_us(3, false, &a) !=
		    supervisor_pause_us(3, false, &b));
}

static void test_a_refusal_is_not_hammered(void **state)
{
	(void)state;
	expect_pause(1, true, SUPERVISOR_REFUSED_MIN_MS);
	expect_pause(2, true, 10000);
	expect_pause(50, true, SUPERVISOR_REFUSED_MAX_MS);
}

static void expect_pair(const char *range, unsigned int index, const char *ours,
			const char *theirs)
{
	struct prefix p;
	struct tunnel_inside pair;
	char text[ADDR_STRLEN];

	assert_int_equal(prefix_parse(range, &p), 0);
	if (!ours) {
		assert_false(tunnel_inside_pair(&p, index, &pair));
		return;
	}
	assert_true(tunnel_inside_pair(&p, index, &pair));
	assert_string_equal(addr_format(&pair.local, text), ours);
	assert_string_equal(addr_format(&pair.peer, text), theirs);
}

static void test_a_caller_gets_a_pair_of_its_own(void **state)
{
	(void)state;
	expect_pair("100.96.0.0/16", 1, "100.96.0.2", "100.96.0.3");
	expect_pair("100.96.0.0/16", 128, "100.96.1.0", "100.96.1.1");
	expect_pair("100.96.0.0/16", 32767, "100.96.255.254", "100.96.255.255");
	expect_pair("100.96.0.0/16", 32768, NULL, NULL);
	expect_pair("100.96.0.0/30", 1, "100.96.0.2", "100.96.0.3");
	expect_pair("100.96.0.0/30", 2, NULL, NULL);
	expect_pair("100.96.0.0/31", 1, NULL, NULL);
	expect_pair("100.96.0.0/32", 1, NULL, NULL);
	expect_pair("100.96.0.0/16", 0, NULL, NULL);
	expect_pair("fd00:ed::/64", 1, "fd00:ed::2", "fd00:ed::3");
	expect_pair("fd00:ed::/64", 9999, "fd00:ed::4e1e", "fd00:ed::4e1f");
	expect_pair("fd00:ed::/126", 2, NULL, NULL);
}

static void test_orders_survive_a_restart(void **state)
{
	char dir[] = "/tmp/edged-overrides-XXXXXX";
	char path[64];
	struct overrides *o;
	FILE *fp;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/overrides", dir);
	o = overrides_open(path);
	assert_false(overrides_uplink_down(o, "isp1"));
	assert_int_equal(overrides_set_uplink(o, "isp1", true), 0);
	assert_int_equal(overrides_set_uplink(o, "isp1", true), 0);
	assert_int_equal(overrides_set_uplink(o, "isp1.2", true), 0);
	overrides_free(o);

	o = overrides_open(path);
	assert_true(overrides_uplink_down(o, "isp1"));
	assert_true(overrides_uplink_down(o, "isp1.2"));
	assert_int_equal(overrides_set_uplink(o, "isp1", false), 0);
	overrides_free(o);

	fp = fopen(path, "a");
	assert_non_null(fp);
	fputs("uplink  down\nuplink x up\nnonsense\nuplink lte down", fp);
	assert_int_equal(fclose(fp), 0);
	o = overrides_open(path);
	assert_false(overrides_uplink_down(o, "isp1"));
	assert_true(overrides_uplink_down(o, "isp1.2"));
	assert_true(overrides_uplink_down(o, "lte"));
	assert_false(overrides_uplink_down(o, "x"));
	overrides_free(o);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pauses_grow_to_a_limit_and_are_jittered),
		cmocka_unit_test(test_a_refusal_is_not_hammered),
		cmocka_unit_test(test_a_caller_gets_a_pair_of_its_own),
		cmocka_unit_test(test_orders_survive_a_restart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
