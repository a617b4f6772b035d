/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From netlink messages, as the kernel writes them, to the choice of address and
 * gateway and the state that follows: kernel_events.c's readers and uplink.c's
 * judgement together.
 */
#include "edged/uplink.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "edged/config/config.h"
#include "edged/kernel_events.h"
#include "lib/nlq.h"
#include "tests/unit/cm.h"

enum { OURS = 7, OTHER = 8 };

static struct addr addr(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void put_addr(struct nlq *q, uint16_t attr, const char *text)
{
	struct addr a = addr(text);

	nlq_put(q, attr, a.b, addr_size(a.family));
}

/* ---- what the kernel says ------------------------------------------------- */

static struct uplink_kernel link_up(void)
{
	struct uplink_kernel k = {0};
	struct ifinfomsg *ifi;
	struct nlq q;

	ifi = nlq_init(&q, RTM_NEWLINK, 0, sizeof(*ifi));
	ifi->ifi_index = OURS;
	ifi->ifi_flags = IFF_UP | IFF_LOWER_UP;
	nlq_u32(&q, IFLA_MTU, 1500);
	assert_true(kernel_read_link(q.nlh, &k));
	return k;
}

static bool give_addr(struct uplink_kernel *k, int ifindex, const char *local,
		      const char *address, uint8_t plen, uint32_t flags, uint8_t scope)
{
	struct addr a = addr(local ? local : address);
	struct ifaddrmsg *ifa;
	struct nlq q;

	ifa = nlq_init(&q, RTM_NEWADDR, 0, sizeof(*ifa));
	ifa->ifa_family = a.family;
	ifa->ifa_prefixlen = plen;
	ifa->ifa_scope = scope;
	ifa->ifa_index = (unsigned int)ifindex;
	if (local)
		put_addr(&q, IFA_LOCAL, local);
	put_addr(&q, IFA_ADDRESS, address);
	nlq_u32(&q, IFA_FLAGS, flags);
	return kernel_read_addr(q.nlh, k);
}

/* A default route; gateway NULL: by the device alone; nhid: by an object. */
static bool give_route(struct uplink_kernel *k, uint8_t family, int oif,
		       const char *gateway, uint32_t metric, uint32_t table,
		       uint32_t nhid)
{
	struct rtmsg *rtm;
	struct nlq q;
	uint32_t found = 0;
	bool taken;

	rtm = nlq_init(&q, RTM_NEWROUTE, 0, sizeof(*rtm));
	rtm->rtm_family = family;
	rtm->rtm_table = RT_TABLE_COMPAT;
	rtm->rtm_type = RTN_UNICAST;
	nlq_u32(&q, RTA_TABLE, table);
	if (metric)
		nlq_u32(&q, RTA_PRIORITY, metric);
	if (gateway)
		put_addr(&q, RTA_GATEWAY, gateway);
	if (oif)
		nlq_u32(&q, RTA_OIF, (uint32_t)oif);
	if (nhid)
		nlq_u32(&q, RTA_NH_ID, nhid);
	taken = kernel_read_route(q.nlh, k, &found);
	if (taken)
		assert_int_equal(found, nhid);
	return taken;
}

/* ---- what follows ---------------------------------------------------------- */

static enum uplink_state judge(const struct uplink_kernel *k,
			       const struct config_uplink *conf,
			       struct uplink_family fam[ED_FAMILIES])
{
	uplink_choose(k, conf, fam);
	return uplink_assess(k, fam, false);
}

static void test_dhcp_gives_address_and_gateway(void **state)
{
	struct uplink_kernel k = link_up();
	struct uplink_family fam[ED_FAMILIES];
	struct addr want = addr("192.0.2.10");
	struct addr gw = addr("192.0.2.1");

	(void)state;
	assert_true(give_addr(&k, OURS, "192.0.2.10", "192.0.2.10", 24, 0, 0));
	assert_true(give_route(&k, AF_INET, OURS, "192.0.2.1", 100, RT_TABLE_MAIN, 0));
	assert_int_equal(judge(&k, NULL, fam), UPLINK_UP);
	assert_true(addr_equal(&fam[ED_V4].local, &want));
	assert_true(addr_equal(&fam[ED_V4].gateway, &gw));
	assert_int_equal(fam[ED_V4].plen, 24);
	assert_false(fam[ED_V6].routed);
}

static void test_the_lowest_metric_wins_among_its_own_routes(void **state)
{
	struct uplink_kernel k = link_up();
	struct uplink_family fam[ED_FAMILIES];
	struct addr gw = addr("192.0.2.254");

	(void)state;
	assert_true(give_addr(&k, OURS, "192.0.2.10", "192.0.2.10", 24, 0, 0));
	assert_true(give_route(&k, AF_INET, OURS, "192.0.2.1", 600, RT_TABLE_MAIN, 0));
	assert_true(
		give_route(&k, AF_INET, OURS, "192.0.2.254", 100, RT_TABLE_MAIN, 0));
	assert_false(give_route(&k, AF_INET, OTHER, "10.0.0.1", 0, RT_TABLE_MAIN, 0));
	assert_false(give_route(&k, AF_INET, OURS, "192.0.2.9", 1, 500, 0));
	assert_int_equal(judge(&k, NULL, fam), UPLINK_UP);
	assert_true(addr_equal(&fam[ED_V4].gateway, &gw));
}

static void test_point_to_point_needs_no_gateway(void **state)
{
	struct uplink_kernel k = link_up();
	struct uplink_family fam[ED_FAMILIES];
	struct addr want = addr("192.0.2.10");
	struct addr far = addr("198.51.100.1");

	(void)state;
	assert_true(give_addr(&k, OURS, "192.0.2.10", "198.51.100.1", 32, 0, 0));
	assert_true(addr_equal(&k.addrs[0].far, &far));
	assert_true(give_route(&k, AF_INET, OURS, NULL, 0, RT_TABLE_MAIN, 0));
	assert_int_equal(judge(&k, NULL, fam), UPLINK_UP);
	assert_true(addr_equal(&fam[ED_V4].local, &want));
	assert_int_equal(fam[ED_V4].gateway.family, 0);
}

static void test_an_address_without_default_route_is_not_enough(void **state)
{
	struct uplink_kernel k = link_up();
	struct uplink_family fam[ED_FAMILIES];

	(void)state;
	assert_true(give_addr(&k, OURS, "192.0.0.2", "192.0.0.2", 27, 0, 0));
	assert_int_equal(judge(&k, NULL, fam), UPLINK_NO_ROUTE);
	assert_true(give_route(&k, AF_INET, OURS, NULL, 0, RT_TABLE_MAIN, 0));
	assert_int_equal(judge(&k, NULL, fam), UPLINK_UP);
}

static void test_a_gateway_outside_the_prefix_is_fine(void **state)
{
	struct uplink_kernel k = link_up();
	struct uplink_family fam[ED_FAMILIES];

	(void)state;
	assert_true(give_addr(&k, OURS, "192.0.0.2", "192.0.0.2", 27, 0, 0));
	assert_true(give_route(&k, AF_INET, OURS, "203.0.113.1", 0, RT_TABLE_MAIN, 0));
	assert_int_equal(judge(&k, NULL, fam), UPLINK_UP);
}

static void test_the_address_beside_the_gateway_is_taken(void **state)
{
	struct uplink_kernel k = link_up();
	struct uplink_family fam[ED_FAMILIES];
	struct addr want = addr("203.0.113.9");

	(void)state;
	assert_true(give_addr(&k, OURS, "192.0.2.10", "192.0.2.10", 24, 0, 0));
	assert_true(give_addr(&k, OURS, "203.0.113.9", "203.0.113.9", 28, 0, 0));
	assert_true(give_route(&k, AF_INET, OURS, "203.0.113.1", 0, RT_TABLE_MAIN, 0));
	assert_int_equal(judge(&k, NULL, fam), UPLINK_UP);
	assert_true(addr_equal(&fam[ED_V4].local, &want));
}

static void test_addresses_not_ready_for_use_are_passed_over(void **state)
{
	struct uplink_kernel k = link_up();
	struct uplink_family fam[ED_FAMILIES];
	struct addr want = addr("2001:db8::10");

	(void)state;
	assert_true(give_addr(&k, OURS, NULL, "fe80::1", 64, 0, RT_SCOPE_LINK));
	assert_true(give_addr(&k, OURS, NULL, "2001:db8::1", 64, IFA_F_TENTATIVE, 0));
	assert_true(give_addr(&k, OURS, NULL, "2001:db8::2", 64, IFA_F_DADFAILED, 0));
	assert_true(give_addr(&k, OURS, NULL, "2001:db8::3", 64, IFA_F_DEPRECATED, 0));
	assert_true(give_addr(&k, OURS, NULL, "2001:db8::4", 64, IFA_F_TEMPORARY, 0));
	assert_true(give_route(&k, AF_INET6, OURS, "fe80::99", 1024, RT_TABLE_MAIN, 0));
	assert_int_equal(judge(&k, NULL, fam), UPLINK_NO_ADDRESS);
	assert_true(give_addr(&k, OURS, NULL, "2001:db8::10", 64, 0, 0));
	assert_int_equal(judge(&k, NULL, fam), UPLINK_UP);
	assert_true(addr_equal(&fam[ED_V6].local, &want));
}

static void test_routes_by_next_hop_objects_are_remembered_for_a_look(void **state)
{
	struct uplink_kernel k = link_up();

	(void)state;
	assert_true(give_route(&k, AF_INET, 0, NULL, 20, RT_TABLE_MAIN, 342));
	assert_int_equal(k.routes[0].nhid, 342);
	assert_false(give_route(&k, AF_INET, 0, NULL, 20, RT_TABLE_MAIN, 0));
}

static void test_the_file_stands_above_the_kernel(void **state)
{
	struct uplink_kernel k = link_up();
	struct uplink_family fam[ED_FAMILIES];
	struct addr address = addr("192.0.2.77");
	struct addr gateway = addr("192.0.2.3");
	struct config_uplink conf = {
		.address = {.v = &address, .n = 1},
		.gateway = {.v = &gateway, .n = 1},
	};

	(void)state;
	assert_true(give_addr(&k, OURS, "192.0.2.10", "192.0.2.10", 24, 0, 0));
	assert_int_equal(judge(&k, &conf, fam), UPLINK_NO_ADDRESS);
	assert_true(give_addr(&k, OURS, "192.0.2.77", "192.0.2.77", 24, 0, 0));
	assert_int_equal(judge(&k, &conf, fam), UPLINK_UP);
	assert_true(addr_equal(&fam[ED_V4].local, &address));
	assert_true(addr_equal(&fam[ED_V4].gateway, &gateway));
}

static void test_each_missing_thing_has_its_own_state(void **state)
{
	struct uplink_kernel k = link_up();
	struct uplink_kernel none = {0};
	struct uplink_family fam[ED_FAMILIES];

	(void)state;
	assert_int_equal(judge(&none, NULL, fam), UPLINK_ABSENT);
	assert_int_equal(judge(&k, NULL, fam), UPLINK_NO_ADDRESS);
	k.carrier = false;
	assert_int_equal(judge(&k, NULL, fam), UPLINK_NO_CARRIER);
	k.carrier = true;
	k.up = false;
	assert_int_equal(judge(&k, NULL, fam), UPLINK_NO_CARRIER);
	assert_int_equal(uplink_assess(&k, fam, true), UPLINK_STOPPED);
}

static void test_more_than_there_is_room_for_is_left_out(void **state)
{
	struct uplink_kernel k = link_up();

	(void)state;
	for (int i = 0; i < UPLINK_ADDRS_MAX; i++)
		assert_true(give_addr(&k, OURS, "192.0.2.10", "192.0.2.10", 24, 0, 0));
	assert_false(give_addr(&k, OURS, "192.0.2.10", "192.0.2.10", 24, 0, 0));
	for (int i = 0; i < UPLINK_ROUTES_MAX; i++)
		assert_true(give_route(&k, AF_INET, OURS, NULL, 0, RT_TABLE_MAIN, 0));
	assert_false(give_route(&k, AF_INET, OURS, NULL, 0, RT_TABLE_MAIN, 0));
	assert_false(give_addr(&k, OTHER, "192.0.2.10", "192.0.2.10", 24, 0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dhcp_gives_address_and_gateway),
		cmocka_unit_test(test_the_lowest_metric_wins_among_its_own_routes),
		cmocka_unit_test(test_point_to_point_needs_no_gateway),
		cmocka_unit_test(test_an_address_without_default_route_is_not_enough),
		cmocka_unit_test(test_a_gateway_outside_the_prefix_is_fine),
		cmocka_unit_test(test_the_address_beside_the_gateway_is_taken),
		cmocka_unit_test(test_addresses_not_ready_for_use_are_passed_over),
		cmocka_unit_test(
			test_routes_by_next_hop_objects_are_remembered_for_a_look),
		cmocka_unit_test(test_the_file_stands_above_the_kernel),
		cmocka_unit_test(test_each_missing_thing_has_its_own_state),
		cmocka_unit_test(test_more_than_there_is_room_for_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
