/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/savefile.h"
#include "edged/tunnel.h"
#include "edged/uplink.h"
#include "tests/unit/cm.h"

static char dir[] = "/tmp/edged-inside-XXXXXX";
static char path[64];

static int make_dir(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/inside", dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(dir);
}

static struct tunnel_inside pair_of(const char *local, const char *peer)
{
	struct tunnel_inside p = {0};

	assert_int_equal(addr_parse(local, &p.local), 0);
	assert_int_equal(addr_parse(peer, &p.peer), 0);
	return p;
}

static void expect(const struct inside *in, const char *tunnel, enum edged_family f,
		   const char *local, const char *peer)
{
	struct tunnel_inside got[ED_FAMILIES];
	struct tunnel_inside want = pair_of(local, peer);

	assert_true(inside_find(in, tunnel, got));
	assert_memory_equal(&got[f], &want, sizeof(want));
}

static void test_pairs_survive_a_restart(void **state)
{
	const struct tunnel_inside both[ED_FAMILIES] = {
		[ED_V4] = pair_of("100.96.0.3", "100.96.0.2"),
		[ED_V6] = pair_of("fd42:96::3", "fd42:96::2")};
	const struct tunnel_inside one[ED_FAMILIES] = {
		[ED_V6] = pair_of("fd42:96::5", "fd42:96::4")};
	struct tunnel_inside none[ED_FAMILIES];
	struct inside *in = inside_open(path);

	(void)state;
	assert_false(inside_find(in, "hub/isp1", none));
	inside_note(in, "hub/isp1", both);
	inside_note(in, "hub/a.name:with 3 words", one);
	inside_note(in, "hub/lte", both);
	inside_forget(in, "hub/lte");
	inside_free(in);

	in = inside_open(path);
	expect(in, "hub/isp1", ED_V4, "100.96.0.3", "100.96.0.2");
	expect(in, "hub/isp1", ED_V6, "fd42:96::3", "fd42:96::2");
	expect(in, "hub/a.name:with 3 words", ED_V6, "fd42:96::5", "fd42:96::4");
	assert_false(inside_find(in, "hub/lte", none));
	assert_false(inside_find(in, "hub", none));
	inside_free(in);
}

static void test_what_is_no_news_is_not_written(void **state)
{
	const struct tunnel_inside pair[ED_FAMILIES] = {
		[ED_V4] = pair_of("100.96.0.9", "100.96.0.8")};
	struct inside *in = inside_open(path);

	(void)state;
	inside_note(in, "hub/isp2", pair);
	assert_int_equal(unlink(path), 0);
	inside_note(in, "hub/isp2", pair);
	assert_int_equal(access(path, F_OK), -1);
	inside_free(in);
}

static void test_a_damaged_line_costs_that_line(void **state)
{
	static const char text[] = "# Written\n100.96.0.3 100.96.0.2 a\n"
				   "100.96.0.3 nonsense b\n100.96.0.3 fd42::1 c\n"
				   "100.96.0.3 100.96.0.2 \n\nx\n"
				   "fd42:96::7 fd42:96::6 d";
	struct tunnel_inside none[ED_FAMILIES];
	struct inside *in;

	(void)state;
	assert_int_equal(savefile_write(path, text, sizeof(text) - 1, 0600, false), 0);
	in = inside_open(path);
	expect(in, "a", ED_V4, "100.96.0.3", "100.96.0.2");
	expect(in, "d", ED_V6, "fd42:96::7", "fd42:96::6");
	assert_false(inside_find(in, "b", none));
	assert_false(inside_find(in, "c", none));
	assert_false(inside_find(in, "", none));
	assert_false(inside_find(in, "x", none));
	inside_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs_survive_a_restart),
		cmocka_unit_test(test_what_is_no_news_is_not_written),
		cmocka_unit_test(test_a_damaged_line_costs_that_line),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
