/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "edged/policy_plan.h"
#include "lib/alloc.h"
#include "routing/owned.h"

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

static const struct policy_route *find(const struct policy_state *s, uint32_t table,
				       const char *dst, uint8_t type)
{
	struct prefix p = pfx(dst);

	for (size_t i = 0; i < s->n_routes; i++) {
		if (s->routes[i].table == table && s->routes[i].type == type &&
		    prefix_equal(&s->routes[i].dst, &p))
			return &s->routes[i];
	}
	return NULL;
}

/* The same where its absence is the fault. */
static const struct policy_route *need(const struct policy_state *s, uint32_t table,
				       const char *dst, uint8_t type)
{
	static const struct policy_route none;
	const struct policy_route *r = find(s, table, dst, type);

	if (!r)
		fail_msg("no %s of type %u in table %u", dst, type, table);
	return r ? r : &none;
}

static const struct policy_rule *need_rule(const struct policy_state *s,
					   uint32_t priority, uint32_t table)
{
	static const struct policy_rule none;

	for (size_t i = 0; i < s->n_rules; i++) {
		if (s->rules[i].priority == priority && s->rules[i].table == table)
			return &s->rules[i];
	}
	fail_msg("no rule %u to table %u", priority, table);
	return &none;
}

static void test_an_uplink_has_its_table_rules_and_end(void **state)
{
	struct policy_uplink u = {.slot = 2, .ifindex = 7, .n_addrs = 1};
	struct policy_want w = {.uplinks = &u, .n_uplinks = 1};
	struct policy_state s;
	const struct policy_route *r;

	(void)state;
	u.gateway = adr("192.0.2.1");
	u.addrs[0].addr = adr("192.0.2.9");
	u.addrs[0].len = 24;
	policy_plan(&w, &s);
	r = need(&s, 502, "0.0.0.0/0", RTN_UNICAST);
	assert_int_equal(r->hops[0].ifindex, 7);
	assert_true(addr_equal(&r->hops[0].gateway, &u.gateway));
	r = need(&s, 502, "0.0.0.0/0", RTN_UNREACHABLE);
	assert_int_equal(r->metric, RT_METRIC_GUARD);
	(void)need(&s, 502, "192.0.2.0/24", RTN_UNICAST);
	(void)need(&s, 502, "::/0", RTN_UNREACHABLE);
	assert_null(find(&s, 502, "::/0", RTN_UNICAST));
	assert_int_equal(need_rule(&s, 500, 502)->mark, 0x03000000);
	assert_int_equal(need_rule(&s, 500, 502)->mask, 0xff000000);
	assert_int_equal(need_rule(&s, 510, 502)->from.len, 32);
	policy_state_fini(&s);
}

static void test_an_uplink_without_interface_lends_nothing(void **state)
{
	struct policy_uplink u = {.slot = 0, .n_addrs = 1};
	struct policy_want w = {.uplinks = &u, .n_uplinks = 1};
	struct policy_state s;

	(void)state;
	u.gateway = adr("192.0.2.1");
	u.addrs[0].addr = adr("192.0.2.9");
	u.addrs[0].len = 24;
	policy_plan(&w, &s);
	assert_null(find(&s, 500, "0.0.0.0/0", RTN_UNICAST));
	assert_null(find(&s, 500, "192.0.2.0/24", RTN_UNICAST));
	(void)need(&s, 500, "0.0.0.0/0", RTN_UNREACHABLE);
	(void)need_rule(&s, 500, 500);
	policy_state_fini(&s);
}

static void test_a_point_to_point_uplink_needs_no_gateway(void **state)
{
	struct policy_uplink u = {.slot = 1, .ifindex = 4, .device_route = true};
	struct policy_want w = {.uplinks = &u, .n_uplinks = 1};
	struct policy_state s;
	const struct policy_route *r;

	(void)state;
	policy_plan(&w, &s);
	r = need(&s, 501, "0.0.0.0/0", RTN_UNICAST);
	assert_int_equal(r->hops[0].gateway.family, 0);
	assert_int_equal(r->hops[0].ifindex, 4);
	policy_state_fini(&s);
}

static void test_the_guard_stands_in_main_and_is_thrown_in_classes(void **state)
{
	struct prefix guard[] = {pfx("10.0.0.0/8"), pfx("fc00::/7")};
	struct prefix local[] = {pfx("10.42.0.0/24")};
	struct policy_want w = {.guard = guard,
				.n_guard = 2,
				.local = local,
				.n_local = 1,
				.n_classes = 2};
	struct policy_state s;

	(void)state;
	policy_plan(&w, &s);
	assert_int_equal(need(&s, 254, "10.0.0.0/8", RTN_UNREACHABLE)->metric,
			 RT_METRIC_GUARD);
	(void)need(&s, 254, "fc00::/7", RTN_UNREACHABLE);
	for (uint32_t t = 1001; t <= 1002; t++) {
		assert_int_equal(need(&s, t, "10.0.0.0/8", RTN_THROW)->metric,
				 RT_METRIC_GUARD);
		(void)need(&s, t, "fc00::/7", RTN_THROW);
		assert_int_equal(need(&s, t, "10.42.0.0/24", RTN_THROW)->metric, 1);
		assert_null(find(&s, t, "10.0.0.0/8", RTN_UNREACHABLE));
	}
	assert_null(find(&s, 254, "10.42.0.0/24", RTN_THROW));
	assert_int_equal(need_rule(&s, 1000, 1002)->mark, 0x00020000);
	policy_state_fini(&s);
}

static void test_a_default_to_a_peer_is_two_halves_in_main_only(void **state)
{
	struct prefix guard[] = {pfx("0.0.0.0/0")};
	struct policy_network net = {.prefix = pfx("0.0.0.0/0"), .n_hops = 1};
	struct policy_want w = {.guard = guard,
				.n_guard = 1,
				.networks = &net,
				.n_networks = 1,
				.n_classes = 1};
	struct policy_state s;

	(void)state;
	net.hops[0] = (struct policy_hop){.ifindex = 9, .weight = 1};
	policy_plan(&w, &s);
	assert_null(find(&s, 254, "0.0.0.0/0", RTN_UNICAST));
	assert_null(find(&s, 254, "0.0.0.0/0", RTN_UNREACHABLE));
	(void)need(&s, 254, "0.0.0.0/1", RTN_UNICAST);
	(void)need(&s, 254, "128.0.0.0/1", RTN_UNICAST);
	(void)need(&s, 254, "128.0.0.0/1", RTN_UNREACHABLE);
	(void)need(&s, 1001, "0.0.0.0/0", RTN_THROW);
	policy_state_fini(&s);
}

static void test_answers_from_uplinks_to_inside_go_through_main(void **state)
{
	struct prefix guard[] = {pfx("10.0.0.0/8"), pfx("0.0.0.0/0")};
	struct policy_uplink u = {.slot = 0, .ifindex = 7, .n_addrs = 1};
	struct policy_want w = {.uplinks = &u,
				.n_uplinks = 1,
				.guard = guard,
				.n_guard = 2};
	struct policy_state s;
	size_t n = 0;

	(void)state;
	u.addrs[0].addr = adr("192.0.2.9");
	u.addrs[0].len = 24;
	policy_plan(&w, &s);
	for (size_t i = 0; i < s.n_rules; i++)
		n += s.rules[i].priority == RT_RULE_INSIDE;
	assert_int_equal(n, 1); /* not for 0/0: it would take every answer away */
	assert_int_equal(need_rule(&s, 505, 254)->to.len, 8);
	policy_state_fini(&s);
}

static void test_two_peers_with_one_network_share_it(void **state)
{
	struct policy_network net[2] = {{.prefix = pfx("10.0.0.0/8"), .n_hops = 1},
					{.prefix = pfx("10.0.0.0/8"), .n_hops = 2}};
	struct policy_want w = {.networks = net, .n_networks = 2};
	struct policy_state s;

	(void)state;
	net[0].hops[0] = (struct policy_hop){.ifindex = 9, .weight = 1};
	net[1].hops[0] = (struct policy_hop){.ifindex = 4, .weight = 1};
	net[1].hops[1] = (struct policy_hop){.ifindex = 5, .weight = 1};
	policy_plan(&w, &s);
	assert_int_equal(s.n_routes, 1);
	assert_int_equal(s.routes[0].n_hops, 3);
	assert_int_equal(s.routes[0].hops[0].ifindex, 4);
	policy_state_fini(&s);
}

static void test_a_network_without_tunnels_leaves_the_guard(void **state)
{
	struct prefix guard[] = {pfx("10.0.0.0/8")};
	struct policy_network net = {.prefix = pfx("10.0.0.0/8")};
	struct policy_want w = {.networks = &net,
				.n_networks = 1,
				.guard = guard,
				.n_guard = 1};
	struct policy_state s;

	(void)state;
	policy_plan(&w, &s);
	assert_int_equal(s.n_routes, 1);
	assert_int_equal(s.routes[0].type, RTN_UNREACHABLE);
	policy_state_fini(&s);
}

static size_t count(const struct policy_step *steps, size_t n, enum policy_op op)
{
	size_t k = 0;

	for (size_t i = 0; i < n; i++)
		k += steps[i].op == op;
	return k;
}

/* A state with one thing of each kind. */
static void sample(struct policy_state *s, int ifindex)
{
	struct prefix guard[] = {pfx("10.0.0.0/8")};
	struct policy_network net = {.prefix = pfx("10.0.0.0/8"), .n_hops = 1};
	struct policy_want w = {.networks = &net,
				.n_networks = 1,
				.guard = guard,
				.n_guard = 1,
				.n_classes = 1};

	net.hops[0] = (struct policy_hop){.ifindex = ifindex, .weight = 1};
	policy_plan(&w, s);
}

static void test_guards_come_first_and_go_last(void **state)
{
	struct policy_state none = {0};
	struct policy_state s;
	struct policy_step *steps;
	size_t n;

	(void)state;
	sample(&s, 3);
	n = policy_diff(&none, &s, false, &steps);
	assert_int_equal(n, count(steps, n, POLICY_ADD));
	assert_int_equal(n, s.n_rules + s.n_routes);
	assert_int_equal(steps[0].route->type, RTN_UNREACHABLE);
	assert_non_null(steps[n - 1].rule);
	free(steps);

	n = policy_diff(&s, &none, false, &steps);
	assert_int_equal(n, count(steps, n, POLICY_DEL));
	assert_non_null(steps[0].rule);
	assert_int_not_equal(steps[n - 1].route->type, RTN_UNICAST);
	free(steps);
	policy_state_fini(&s);
}

static void test_a_moved_route_is_replaced_in_place(void **state)
{
	struct policy_state a;
	struct policy_state b;
	struct policy_step *steps;
	size_t n;

	(void)state;
	sample(&a, 3);
	sample(&b, 4);
	n = policy_diff(&a, &b, false, &steps);
	assert_int_equal(n, 1);
	assert_int_equal(steps[0].op, POLICY_REPLACE);
	assert_int_equal(steps[0].route->hops[0].ifindex, 4);
	free(steps);
	n = policy_diff(&a, &a, false, &steps);
	assert_int_equal(n, 0);
	free(steps);
	policy_state_fini(&a);
	policy_state_fini(&b);
}

static void test_before_the_first_plan_tunnel_routes_stay(void **state)
{
	struct policy_state a;
	struct policy_state b;
	struct policy_state none = {0};
	struct policy_step *steps;
	size_t n;

	(void)state;
	sample(&a, 3);
	sample(&b, 4);
	n = policy_diff(&a, &b, true, &steps);
	assert_int_equal(n, 0);
	free(steps);
	n = policy_diff(&a, &none, true, &steps);
	for (size_t i = 0; i < n; i++)
		assert_true(steps[i].rule || steps[i].route->type != RTN_UNICAST);
	free(steps);
	policy_state_fini(&a);
	policy_state_fini(&b);
}

static void test_ipv6_spreads_over_gateways_only(void **state)
{
	struct policy_network net = {.prefix = pfx("fd10::/16"), .n_hops = 3};
	struct policy_want w = {.networks = &net, .n_networks = 1};
	struct policy_state s;

	(void)state;
	for (int i = 0; i < 3; i++)
		net.hops[i] = (struct policy_hop){.ifindex = 3 + i, .weight = 1};
	policy_plan(&w, &s);
	assert_int_equal(s.routes[0].n_hops, 1);
	policy_state_fini(&s);
	for (int i = 0; i < 3; i++)
		net.hops[i].gateway = adr("fd00::1");
	policy_plan(&w, &s);
	assert_int_equal(s.routes[0].n_hops, 3);
	policy_state_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_uplink_has_its_table_rules_and_end),
		cmocka_unit_test(test_an_uplink_without_interface_lends_nothing),
		cmocka_unit_test(test_a_point_to_point_uplink_needs_no_gateway),
		cmocka_unit_test(
			test_the_guard_stands_in_main_and_is_thrown_in_classes),
		cmocka_unit_test(test_a_default_to_a_peer_is_two_halves_in_main_only),
		cmocka_unit_test(test_answers_from_uplinks_to_inside_go_through_main),
		cmocka_unit_test(test_two_peers_with_one_network_share_it),
		cmocka_unit_test(test_a_network_without_tunnels_leaves_the_guard),
		cmocka_unit_test(test_guards_come_first_and_go_last),
		cmocka_unit_test(test_a_moved_route_is_replaced_in_place),
		cmocka_unit_test(test_before_the_first_plan_tunnel_routes_stay),
		cmocka_unit_test(test_ipv6_spreads_over_gateways_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
