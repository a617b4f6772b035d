/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The mirror against a zebra that is a list of commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/alloc.h"
#include "lib/text.h"
#include "routing/zebra/mirror.h"

static char said_buf[8192];
static struct text said;
static struct mirror *m;
static struct mono now;
static uint32_t last_group;

static void group_set(void *ctx, uint32_t group, const struct mirror_hop *hops,
		      size_t n)
{
	(void)ctx;
	last_group = group;
	text_add(&said, "set %u:", group);
	for (size_t i = 0; i < n; i++)
		text_add(&said, " %u*%u", hops[i].ifindex, hops[i].weight);
	text_add(&said, "\n");
}

static void group_del(void *ctx, uint32_t group)
{
	(void)ctx;
	text_add(&said, "unset %u\n", group);
}

static void route_add(void *ctx, uint32_t table, const struct prefix *prefix,
		      uint32_t group)
{
	char buf[PREFIX_STRLEN];

	(void)ctx;
	text_add(&said, "add %u %s %u\n", table, prefix_format(prefix, buf), group);
}

static void route_del(void *ctx, uint32_t table, const struct prefix *prefix)
{
	char buf[PREFIX_STRLEN];

	(void)ctx;
	text_add(&said, "del %u %s\n", table, prefix_format(prefix, buf));
}

static struct prefix pfx(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static struct addr adr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

/* Run, and compare with what was said since the last time. */
static void expect(const char *want)
{
	(void)mirror_run(m, now);
	assert_string_equal(said.buf, want);
	said = text_init(said_buf, sizeof(said_buf));
}

static void installed(uint32_t group)
{
	mirror_group_result(m, group, MIRROR_INSTALLED);
}

/* Two peers; hub with two tunnels, aws with one; voice and default. */
static struct rt_intent *orders(void)
{
	struct rt_intent *i = rt_intent_new("/x");
	struct rt_peer *p = rt_intent_add_peer(i, "hub");
	struct rt_tunnel *t;
	struct rt_choice *c;

	rt_intent_add_class(i, "voice", 1001);
	rt_intent_add_class(i, "default", 1002);
	t = rt_peer_add_tunnel(p, "hub/isp1", "ed0001");
	t->peer = adr("100.96.0.0");
	t->peer6 = adr("fd96::");
	t = rt_peer_add_tunnel(p, "hub/isp2", "ed0002");
	t->peer = adr("100.96.0.2");
	c = rt_peer_add_choice(p, "voice");
	rt_choice_add_member(c, 0, 1);
	c = rt_peer_add_choice(p, "default");
	rt_choice_add_member(c, 0, 100);
	rt_choice_add_member(c, 1, 20);
	p = rt_intent_add_peer(i, "aws");
	t = rt_peer_add_tunnel(p, "aws/isp1", "ed0003");
	t->peer = adr("169.254.10.1");
	c = rt_peer_add_choice(p, "voice");
	rt_choice_add_member(c, 0, 1);
	return i;
}

static void learn(const char *prefix, const char *gateway)
{
	struct prefix p = pfx(prefix);
	struct mirror_hop h = {.gateway = adr(gateway), .weight = 1};

	mirror_learned(m, &p, &h, 1);
}

static void lose(const char *prefix)
{
	struct prefix p = pfx(prefix);

	mirror_lost(m, &p, now);
}

static int setup(void **state)
{
	static const struct mirror_ops ops = {.group_set = group_set,
					      .group_del = group_del,
					      .route_add = route_add,
					      .route_del = route_del};
	struct rt_intent *i = orders();

	(void)state;
	said = text_init(said_buf, sizeof(said_buf));
	now = mono_from_ms(1000);
	m = mirror_new(&ops, NULL, 7);
	mirror_link(m, "ed0001", 11, true);
	mirror_link(m, "ed0002", 12, true);
	mirror_link(m, "ed0003", 13, true);
	mirror_intent(m, i);
	rt_intent_free(i);
	mirror_connected(m, true);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	mirror_free(m);
	return 0;
}

/* One prefix of the hub in both classes: groups 7 and 8. */
static void with_prefix(void)
{
	learn("10.1.0.0/24", "100.96.0.0");
	expect("set 7: 11*1\nset 8: 11*100 12*20\n");
	installed(7);
	installed(8);
	expect("add 1001 10.1.0.0/24 7\nadd 1002 10.1.0.0/24 8\n");
}

static void test_routes_wait_for_their_group(void **state)
{
	(void)state;
	learn("10.1.0.0/24", "100.96.0.0");
	expect("set 7: 11*1\nset 8: 11*100 12*20\n");
	expect("");
	installed(8);
	expect("add 1002 10.1.0.0/24 8\n");
	installed(7);
	expect("add 1001 10.1.0.0/24 7\n");
	learn("10.1.1.0/24", "100.96.0.2");
	expect("add 1001 10.1.1.0/24 7\nadd 1002 10.1.1.0/24 8\n");
	learn("10.1.1.0/24", "100.96.0.0"); /* told again: nothing new */
	expect("");
}

static void test_an_unanswered_group_is_sent_again(void **state)
{
	(void)state;
	learn("10.1.0.0/24", "100.96.0.0");
	expect("set 7: 11*1\nset 8: 11*100 12*20\n");
	mirror_group_result(m, 7, MIRROR_FAILED);
	installed(8);
	now = mono_add_us(now, 500000);
	expect("add 1002 10.1.0.0/24 8\n");
	now = mono_add_us(now, 600000);
	expect("set 7: 11*1\n");
}

static void test_a_plan_changes_one_group(void **state)
{
	struct rt_intent *i = orders();

	(void)state;
	with_prefix();
	i->peers[0].choices[0].members[0].tunnel = 1;
	mirror_peer(m, &i->peers[0]);
	expect("set 7: 12*1\n");
	/* A newer plan waits for the answer, the newest wins. */
	i->peers[0].choices[0].members[0].weight = 5;
	mirror_peer(m, &i->peers[0]);
	expect("");
	i->peers[0].choices[0].members[0].weight = 9;
	mirror_peer(m, &i->peers[0]);
	expect("");
	installed(7);
	expect("set 7: 12*9\n");
	rt_intent_free(i);
}

static void test_a_class_without_members_falls_through(void **state)
{
	struct rt_intent *i = orders();

	(void)state;
	with_prefix();
	i->peers[0].choices[0].n_members = 0;
	mirror_peer(m, &i->peers[0]);
	expect("del 1001 10.1.0.0/24\nunset 7\n");
	i->peers[0].choices[0].n_members = 1;
	mirror_peer(m, &i->peers[0]);
	expect("set 9: 11*1\n");
	installed(9);
	expect("add 1001 10.1.0.0/24 9\n");
	rt_intent_free(i);
}

static void test_a_prefix_of_two_peers_has_a_group_of_both(void **state)
{
	struct prefix p = pfx("10.5.0.0/16");
	struct mirror_hop hops[] = {{.gateway = adr("100.96.0.2")},
				    {.gateway = adr("169.254.10.1")}};

	(void)state;
	mirror_learned(m, &p, hops, 2);
	expect("set 7: 13*1 11*1\nset 8: 11*100 12*20\n");
	installed(7);
	installed(8);
	expect("add 1001 10.5.0.0/16 7\nadd 1002 10.5.0.0/16 8\n");
	mirror_learned(m, &p, hops, 1); /* aws no longer has it */
	(void)mirror_run(m, now);
	assert_non_null(strstr(said.buf, "set 9: 11*1\n"));
}

static void test_ipv6_needs_an_ipv6_gateway(void **state)
{
	(void)state;
	learn("fd10::/48", "fd96::");
	expect("set 7: 11*1\nset 8: 11*100\n");
}

static void test_prefixes_of_others_are_left_alone(void **state)
{
	(void)state;
	learn("10.1.0.0/24", "192.0.2.1");
	expect("");
}

static void test_a_loss_counts_after_a_moment(void **state)
{
	(void)state;
	with_prefix();
	lose("10.1.0.0/24");
	expect("");
	now = mono_add_us(now, 100000);
	learn("10.1.0.0/24", "100.96.0.0"); /* it was a change only */
	expect("");
	lose("10.1.0.0/24");
	expect("");
	now = mono_add_us(now, 250000);
	expect("del 1001 10.1.0.0/24\ndel 1002 10.1.0.0/24\nunset 7\nunset 8\n");
}

static void test_bgpd_away_holds_its_prefixes(void **state)
{
	(void)state;
	with_prefix();
	lose("10.1.0.0/24"); /* told before the end of bgpd is */
	mirror_hold(m, mono_add_us(now, 120000000));
	now = mono_add_us(now, 100000000);
	lose("10.1.0.0/24");
	expect("");
	assert_true(mirror_holding(m));
	learn("10.1.0.0/24", "100.96.0.0");
	expect("");
	assert_false(mirror_holding(m)); /* all of them are back */

	mirror_hold(m, mono_add_us(now, 120000000));
	now = mono_add_us(now, 121000000);
	(void)mirror_run(m, now);
	assert_non_null(strstr(said.buf, "del 1001 10.1.0.0/24\n"));
}

static void test_zebra_back_gets_everything_again(void **state)
{
	(void)state;
	with_prefix();
	mirror_hold(m, mono_add_us(now, 120000000));
	mirror_connected(m, false);
	expect("");
	mirror_connected(m, true);
	expect("set 7: 11*1\nset 8: 11*100 12*20\n");
	installed(7);
	installed(8);
	expect("add 1001 10.1.0.0/24 7\nadd 1002 10.1.0.0/24 8\n");
}

static void test_a_link_that_flaps_is_put_back(void **state)
{
	(void)state;
	with_prefix();
	mirror_link(m, "ed0002", 12, false);
	expect("set 8: 11*100\n");
	installed(8);
	mirror_link(m, "ed0002", 12, true);
	expect("set 8: 11*100 12*20\n");
	installed(8);
	/* Down and up before anything ran: the group is sent all the same. */
	mirror_link(m, "ed0002", 12, false);
	mirror_link(m, "ed0002", 12, true);
	expect("set 8: 11*100 12*20\n");
}

static void test_after_the_last_member_routes_are_made_anew(void **state)
{
	(void)state;
	with_prefix();
	mirror_link(m, "ed0001", 11, false);
	mirror_link(m, "ed0001", 11, true);
	expect("del 1001 10.1.0.0/24\nunset 7\nset 9: 11*1\nset 8: 11*100 12*20\n");
	installed(8);
	installed(9);
	expect("add 1001 10.1.0.0/24 9\n");
}

static void test_static_networks_need_no_bgp(void **state)
{
	struct rt_intent *i = orders();
	struct prefix p = pfx("10.0.0.0/8");

	(void)state;
	rt_prefixes_add(&i->peers[0].networks, &p);
	mirror_intent(m, i);
	expect("set 7: 11*1\nset 8: 11*100 12*20\n");
	installed(7);
	installed(8);
	expect("add 1001 10.0.0.0/8 7\nadd 1002 10.0.0.0/8 8\n");
	i->peers[0].networks.n = 0;
	mirror_intent(m, i);
	expect("del 1001 10.0.0.0/8\ndel 1002 10.0.0.0/8\nunset 7\nunset 8\n");
	rt_intent_free(i);
}

static void test_a_gone_peer_and_a_gone_class_leave_nothing(void **state)
{
	struct rt_intent *i = orders();

	(void)state;
	with_prefix();
	free(i->classes[0].name);
	i->classes[0] = i->classes[1];
	i->n_classes = 1;
	mirror_intent(m, i);
	expect("del 1001 10.1.0.0/24\nunset 7\n");
	rt_peer_fini(&i->peers[0]);
	i->peers[0] = i->peers[1];
	i->n_peers = 1;
	mirror_intent(m, i);
	expect("del 1002 10.1.0.0/24\nunset 8\n");
	rt_intent_free(i);
}

static void test_a_check_puts_right_what_differs(void **state)
{
	struct prefix good = pfx("10.1.0.0/24");
	struct prefix old = pfx("10.66.0.0/16");
	struct mirror_hop both[] = {{.gateway = adr("100.96.0.0"), .ifindex = 11},
				    {.gateway = adr("100.96.0.2"), .ifindex = 12}};

	(void)state;
	with_prefix();
	now = mono_add_us(now, 400000);
	assert_true(mirror_settled(m, now));
	mirror_check_begin(m, now);
	mirror_check_group(m, 7, both, 1);
	mirror_check_group(m, 8, both, 2);
	mirror_check_route(m, 1001, &good, 7);
	mirror_check_route(m, 1002, &good, 8);
	assert_int_equal(mirror_check_end(m), 0);
	expect("");

	/* A member is missing, a route is, one is too much, so is a group. */
	mirror_check_begin(m, now);
	mirror_check_group(m, 7, both, 1);
	mirror_check_group(m, 8, both, 1);
	mirror_check_group(m, 3, both, 1);
	mirror_check_route(m, 1001, &old, 3);
	mirror_check_route(m, 1002, &good, 8);
	assert_int_equal(mirror_check_end(m), 3);
	expect("unset 3\nadd 1001 10.66.0.0/16 7\ndel 1001 10.66.0.0/16\n"
	       "del 1001 10.1.0.0/24\nset 8: 11*100 12*20\nadd 1001 10.1.0.0/24 7\n");
}

/* zebra keeps a deleted group for a second; one that it forgot is adopted first. */
static void test_a_group_that_stays_is_adopted_to_be_deleted(void **state)
{
	struct mirror_hop hop = {.gateway = adr("100.96.0.0"), .ifindex = 11};

	(void)state;
	for (int i = 0; i < 4; i++, now = mono_add_us(now, 900000)) {
		mirror_check_begin(m, now);
		mirror_check_group(m, 3, &hop, 1);
		assert_int_equal(mirror_check_end(m), 0);
	}
	expect("unset 3\n");
	mirror_check_begin(m, now);
	mirror_check_group(m, 3, &hop, 1);
	assert_int_equal(mirror_check_end(m), 1);
	expect("set 3: 11*0\n");
	installed(3);
	expect("unset 3\n");
	mirror_check_begin(m, now);
	assert_int_equal(mirror_check_end(m), 0);
	expect("");
}

static void test_a_group_is_deleted_after_its_answer_only(void **state)
{
	(void)state;
	learn("10.1.0.0/24", "100.96.0.0");
	expect("set 7: 11*1\nset 8: 11*100 12*20\n");
	mirror_link(m, "ed0001", 11, false);
	mirror_link(m, "ed0001", 11, true);
	expect("set 9: 11*1\n"); /* 7 is not answered yet */
	installed(7);
	expect("unset 7\n");
	installed(7);
	expect("");
}

static void test_nothing_is_done_before_the_first_intent(void **state)
{
	static const struct mirror_ops ops = {.group_set = group_set,
					      .group_del = group_del,
					      .route_add = route_add,
					      .route_del = route_del};

	(void)state;
	mirror_free(m);
	m = mirror_new(&ops, NULL, 1);
	mirror_connected(m, true);
	learn("10.1.0.0/24", "100.96.0.0");
	expect("");
	assert_false(mirror_settled(m, mono_add_us(now, 10000000)));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_routes_wait_for_their_group),
		TEST(test_an_unanswered_group_is_sent_again),
		TEST(test_a_plan_changes_one_group),
		TEST(test_a_class_without_members_falls_through),
		TEST(test_a_prefix_of_two_peers_has_a_group_of_both),
		TEST(test_ipv6_needs_an_ipv6_gateway),
		TEST(test_prefixes_of_others_are_left_alone),
		TEST(test_a_loss_counts_after_a_moment),
		TEST(test_bgpd_away_holds_its_prefixes),
		TEST(test_zebra_back_gets_everything_again),
		TEST(test_a_link_that_flaps_is_put_back),
		TEST(test_after_the_last_member_routes_are_made_anew),
		TEST(test_static_networks_need_no_bgp),
		TEST(test_a_gone_peer_and_a_gone_class_leave_nothing),
		TEST(test_a_check_puts_right_what_differs),
		TEST(test_a_group_that_stays_is_adopted_to_be_deleted),
		TEST(test_a_group_is_deleted_after_its_answer_only),
		TEST(test_nothing_is_done_before_the_first_intent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
