/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readings of a real kernel, in a name space of its own: what is asked for is
 * answered, and events lead to a new reading.
 */
#include "edged/kernel_events.h"

#include <string.h>

#include "edged/edged.h"
#include "edged/ifaddr.h"
#include "lib/loop.h"
#include "lib/nlsock.h"
#include "tests/unit/cm.h"
#include "tests/unit/netns.h"

static struct edged ed;
static struct uplink isp1 = {.ed = &ed, .name = "isp1", .ifname = "isp1"};
static struct uplink lte = {.ed = &ed, .name = "lte", .ifname = "lte"};
static unsigned int readings;

/* kernel_events.c hands its readings to uplink.c; here the test takes them. */
void uplink_update(struct uplink *u, const struct uplink_kernel *k, struct mono now)
{
	(void)now;
	u->kernel = *k;
	u->ifindex = k->ifindex;
	readings++;
}

static void must(const char *lines)
{
	assert_true(run_all(lines));
}

/* Let the loop run until there was a reading (or enough rounds without one). */
static void settle(void)
{
	unsigned int before = readings;

	for (int i = 0; i < 200 && readings == before; i++) {
		loop_run_once(ed.loop);
		usleep(2000);
	}
	assert_true(readings > before);
}

static int begin(void **state)
{
	(void)state;
	if (!netns_enter())
		return -1;
	ed.loop = loop_new();
	HASH_ADD_STR(ed.uplinks, name, (&isp1));
	HASH_ADD_STR(ed.uplinks, name, (&lte));
	return kernel_events_new(&ed, &ed.kernel);
}

static int end(void **state)
{
	(void)state;
	kernel_events_free(ed.kernel);
	HASH_CLEAR(hh, ed.uplinks);
	loop_free(ed.loop);
	return 0;
}

static void expect_addr(const struct addr *a, const char *want)
{
	char text[ADDR_STRLEN];

	assert_string_equal(addr_format(a, text), want);
}

static void test_an_interface_appears_with_address_and_route(void **state)
{
	(void)state;
	kernel_events_read(ed.kernel, &isp1);
	assert_int_equal(isp1.ifindex, 0);
	must("ip link add isp1 mtu 1480 type veth peer name xisp1");
	settle();
	assert_true(isp1.ifindex > 0);
	assert_false(isp1.kernel.up);
	must("ip link set xisp1 up\n"
	     "ip link set isp1 up\n"
	     "ip addr add 192.0.2.10/24 dev isp1\n"
	     "ip route add default via 192.0.2.1 dev isp1 metric 100");
	settle();
	assert_true(isp1.kernel.up && isp1.kernel.carrier);
	assert_int_equal(isp1.kernel.mtu, 1480);
	assert_int_equal(isp1.kernel.route_count, 1);
	expect_addr(&isp1.kernel.routes[0].gateway, "192.0.2.1");
	assert_int_equal(isp1.kernel.routes[0].metric, 100);
}

static void test_a_default_by_a_next_hop_object_is_followed(void **state)
{
	(void)state;
	must("ip link add lte type veth peer name xlte\n"
	     "ip link set xlte up\n"
	     "ip link set lte up\n"
	     "ip addr add 198.51.100.9/24 dev lte\n"
	     "sysctl -qw net.ipv4.nexthop_compat_mode=0\n"
	     "ip nexthop add id 342 via 198.51.100.1 dev lte\n"
	     "ip nexthop add id 343 via 192.0.2.1 dev isp1\n"
	     "ip nexthop add id 344 group 342/343\n"
	     "ip route add default nhid 342 metric 20\n"
	     "ip route add default nhid 344 metric 30");
	settle();
	kernel_events_read(ed.kernel, &lte);
	assert_int_equal(lte.kernel.route_count, 2);
	assert_int_equal(lte.kernel.routes[0].nhid, 342);
	expect_addr(&lte.kernel.routes[0].gateway, "198.51.100.1");
	expect_addr(&lte.kernel.routes[1].gateway, "198.51.100.1");
	kernel_events_read(ed.kernel, &isp1);
	assert_int_equal(isp1.kernel.route_count, 2);
	expect_addr(&isp1.kernel.routes[0].gateway, "192.0.2.1");
	assert_int_equal(isp1.kernel.routes[0].metric, 30);
}

static void test_a_default_of_several_hops_gives_each_uplink_its_own(void **state)
{
	(void)state;
	must("ip route del default metric 30\n"
	     "ip route del default metric 20\n"
	     "ip route del default metric 100\n"
	     "ip route add default metric 7 nexthop via 192.0.2.1 dev isp1 "
	     "nexthop via 198.51.100.1 dev lte");
	settle();
	kernel_events_read(ed.kernel, &lte);
	kernel_events_read(ed.kernel, &isp1);
	assert_int_equal(isp1.kernel.route_count, 1);
	assert_int_equal(lte.kernel.route_count, 1);
	expect_addr(&isp1.kernel.routes[0].gateway, "192.0.2.1");
	expect_addr(&lte.kernel.routes[0].gateway, "198.51.100.1");
}

static void test_point_to_point_and_ipv6_are_read(void **state)
{
	(void)state;
	must("ip addr flush dev lte\n"
	     "ip addr add 192.0.2.200 peer 203.0.113.1 dev lte\n"
	     "ip route add default dev lte metric 3\n"
	     "ip addr add 2001:db8::9/64 dev lte nodad\n"
	     "ip -6 route add default via fe80::1 dev lte metric 5");
	settle();
	kernel_events_read(ed.kernel, &lte);
	assert_int_equal(lte.kernel.route_count, 3);
	assert_int_equal(lte.kernel.routes[0].metric, 3);
	assert_int_equal(lte.kernel.routes[0].gateway.family, 0);
	expect_addr(&lte.kernel.routes[2].gateway, "fe80::1");
	expect_addr(&lte.kernel.addrs[0].addr, "192.0.2.200");
	expect_addr(&lte.kernel.addrs[0].far, "203.0.113.1");
}

/* IPv4 routes go with the link without a word of their own. */
static void test_routes_that_went_silently_are_noticed(void **state)
{
	(void)state;
	must("ip link set isp1 down");
	settle();
	kernel_events_read(ed.kernel, &isp1);
	assert_int_equal(isp1.kernel.route_count, 0);
	assert_false(isp1.kernel.up);
	must("ip link del isp1");
	settle();
	assert_int_equal(isp1.ifindex, 0);
}

static void expect_on_lte(const char *word, bool there)
{
	char out[4096];

	assert_int_equal(run("ip addr show dev lte", out, sizeof(out)), 0);
	if ((strstr(out, word) != NULL) != there)
		fail_msg("%s %s in: %s", word, there ? "missing" : "left", out);
}

static void test_inside_addresses_are_the_only_ones(void **state)
{
	struct addr want[2] = {0};
	struct nlsock *nl;

	(void)state;
	assert_int_equal(nlsock_open(NETLINK_ROUTE, &nl), 0);
	assert_int_equal(addr_parse("100.96.0.3", &want[0]), 0);
	assert_int_equal(addr_parse("fd42::3", &want[1]), 0);
	assert_int_equal(ifaddr_set(nl, lte.ifindex, want, 2), 0);
	expect_on_lte("100.96.0.3/32", true);
	expect_on_lte("fd42::3/128", true);
	expect_on_lte("192.0.2.200", false);
	expect_on_lte("2001:db8::9", false);
	expect_on_lte("tentative", false);
	assert_int_equal(ifaddr_set(nl, lte.ifindex, want, 2), 0);
	want[0] = (struct addr){0};
	assert_int_equal(ifaddr_set(nl, lte.ifindex, want, 2), 0);
	expect_on_lte("100.96.0.3/32", false);
	expect_on_lte("fd42::3/128", true);
	nlsock_free(nl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_interface_appears_with_address_and_route),
		cmocka_unit_test(test_a_default_by_a_next_hop_object_is_followed),
		cmocka_unit_test(
			test_a_default_of_several_hops_gives_each_uplink_its_own),
		cmocka_unit_test(test_point_to_point_and_ipv6_are_read),
		cmocka_unit_test(test_routes_that_went_silently_are_noticed),
		cmocka_unit_test(test_inside_addresses_are_the_only_ones),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
