/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policy on a real kernel, in a name space of its own:
 *
 *    lan0 10.42.0.1/24     isp1 192.0.2.9/24 via 192.0.2.1
 *    ed0000, ed0001        isp2 198.51.100.9/24 via 198.51.100.1
 *    (tunnels)             all of them veths; ppp0 has no gateway
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "edged/policy.h"
#include "lib/loop.h"
#include "routing/owned.h"
#include "tests/unit/netns.h"

#include <net/if.h>

static struct loop *loop;
static struct policy *policy;
static char out[65536];

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

/* The kernel's choice for "ip route get ARGS" holds want. */
static void assert_way(const char *args, const char *want)
{
	char line[256];

	snprintf(line, sizeof(line), "ip route get %s", args);
	(void)run(line, out, sizeof(out));
	if (!strstr(out, want))
		fail_msg("%s: got %s, want %s", line, out, want);
}

static int go_there(void **state)
{
	(void)state;
	if (!netns_enter())
		return -1;
	if (!run_all("ip link add lan0 type veth peer name xlan0\n"
		     "ip link add isp1 type veth peer name xisp1\n"
		     "ip link add isp2 type veth peer name xisp2\n"
		     "ip link add ppp0 type veth peer name xppp0\n"
		     "ip link add ed0000 type veth peer name xed0000\n"
		     "ip link add ed0001 type veth peer name xed0001\n"
		     "ip link set lan0 up\n"
		     "ip link set xlan0 up\n"
		     "ip link set isp1 up\n"
		     "ip link set xisp1 up\n"
		     "ip link set isp2 up\n"
		     "ip link set xisp2 up\n"
		     "ip link set ppp0 up\n"
		     "ip link set xppp0 up\n"
		     "ip link set ed0000 up\n"
		     "ip link set xed0000 up\n"
		     "ip link set ed0001 up\n"
		     "ip link set xed0001 up\n"
		     "ip addr add 10.42.0.1/24 dev lan0\n"
		     "ip addr add fd42::1/64 dev lan0 nodad\n"
		     "ip addr add 192.0.2.9/24 dev isp1\n"
		     "ip addr add 2001:db8:1::9/64 dev isp1 nodad\n"
		     "ip addr add 198.51.100.9/24 dev isp2\n"
		     "ip addr add 100.64.7.7/32 dev ppp0\n"
		     "ip addr add 100.96.0.1/32 dev ed0000\n"
		     "ip addr add 100.96.0.3/32 dev ed0001\n"
		     "ip -6 addr add fd96::1/128 dev ed0000 nodad\n"
		     "ip -6 addr add fd96::3/128 dev ed0001 nodad\n"
		     "ip route add default via 192.0.2.1\n"
		     "ip route add 203.0.113.0/24 via 10.42.0.7"))
		return -1;
	loop = loop_new();
	return policy_new(loop, &policy);
}

static int leave(void **state)
{
	(void)state;
	policy_free(policy);
	loop_free(loop);
	return 0;
}

struct box {
	struct policy_uplink uplinks[3];
	struct policy_tunnel tunnels[2];
	struct policy_network networks[2];
	struct prefix guard[2];
	struct prefix local[1];
	struct policy_want want;
};

static int idx(const char *name)
{
	return (int)if_nametoindex(name);
}

static void box_init(struct box *b)
{
	*b = (struct box){0};
	b->uplinks[0] = (struct policy_uplink){.slot = 0, .ifindex = idx("isp1")};
	b->uplinks[0].gateway = adr("192.0.2.1");
	b->uplinks[0].gateway6 = adr("fe80::1");
	b->uplinks[0].n_addrs = 2;
	b->uplinks[0].addrs[0].addr = adr("192.0.2.9");
	b->uplinks[0].addrs[0].len = 24;
	b->uplinks[0].addrs[1].addr = adr("2001:db8:1::9");
	b->uplinks[0].addrs[1].len = 64;
	b->uplinks[1] = (struct policy_uplink){.slot = 1, .ifindex = idx("isp2")};
	b->uplinks[1].gateway = adr("198.51.100.1");
	b->uplinks[1].n_addrs = 1;
	b->uplinks[1].addrs[0].addr = adr("198.51.100.9");
	b->uplinks[1].addrs[0].len = 24;
	b->uplinks[2] = (struct policy_uplink){.slot = 2,
					       .ifindex = idx("ppp0"),
					       .device_route = true};
	b->uplinks[2].n_addrs = 1;
	b->uplinks[2].addrs[0].addr = adr("100.64.7.7");
	b->uplinks[2].addrs[0].len = 32;
	for (int i = 0; i < 2; i++) {
		b->tunnels[i].ifindex = idx(i ? "ed0001" : "ed0000");
		b->tunnels[i].peer = adr(i ? "100.96.0.2" : "100.96.0.0");
		b->tunnels[i].peer6 = adr(i ? "fd96::2" : "fd96::9");
		b->tunnels[i].local = adr(i ? "100.96.0.3" : "100.96.0.1");
	}
	b->networks[0] = (struct policy_network){.prefix = pfx("10.0.0.0/8")};
	b->networks[1] = (struct policy_network){.prefix = pfx("fd10::/16")};
	for (size_t n = 0; n < 2; n++) {
		b->networks[n].n_hops = 2;
		for (int i = 0; i < 2; i++) {
			b->networks[n].hops[i] =
				(struct policy_hop){.ifindex = b->tunnels[i].ifindex,
						    .weight = 1};
			if (n)
				b->networks[n].hops[i].gateway = b->tunnels[i].peer6;
		}
	}
	b->guard[0] = pfx("10.0.0.0/8");
	b->guard[1] = pfx("fc00::/7");
	b->local[0] = pfx("10.42.0.0/24");
	b->want = (struct policy_want){.uplinks = b->uplinks,
				       .n_uplinks = 3,
				       .tunnels = b->tunnels,
				       .n_tunnels = 2,
				       .networks = b->networks,
				       .n_networks = 2,
				       .guard = b->guard,
				       .n_guard = 2,
				       .local = b->local,
				       .n_local = 1,
				       .n_classes = 2};
}

static void apply(const struct policy_want *w)
{
	int err = policy_set(policy, w);

	if (err)
		fail_msg("policy_set: %s", policy_get_stats(policy)->error);
}

static void test_outer_packets_leave_by_their_own_uplink(void **state)
{
	struct box b;

	(void)state;
	box_init(&b);
	apply(&b.want);
	assert_way("8.8.8.8", "via 192.0.2.1 dev isp1");
	assert_way("8.8.8.8 mark 0x02000000", "via 198.51.100.1 dev isp2");
	/* the peer's address lies in another uplink's prefix */
	assert_way("192.0.2.77 mark 0x02000000", "via 198.51.100.1 dev isp2");
	/* ... or in what goes into a tunnel */
	assert_way("10.9.9.9 mark 0x02000000", "via 198.51.100.1 dev isp2");
	assert_way("8.8.8.8 mark 0x03000000", "dev ppp0");
	assert_way("2001:db8:9::1 mark 0x01000000", "via fe80::1 dev isp1");
	/* bits of others in the mark do not matter */
	assert_way("8.8.8.8 mark 0x02000055", "dev isp2");
	/* own replies */
	assert_way("8.8.8.8 from 198.51.100.9", "dev isp2");
	assert_way("10.9.9.9 from 198.51.100.9", "dev ed000");
	assert_way("10.42.0.7 from 198.51.100.9", "dev lan0");
}

static void test_a_default_in_a_tunnel_spares_outer_packets(void **state)
{
	struct box b;

	(void)state;
	box_init(&b);
	b.networks[0].prefix = pfx("0.0.0.0/0");
	b.guard[0] = pfx("0.0.0.0/0");
	apply(&b.want);
	assert_way("8.8.8.8", "dev ed000");
	assert_way("8.8.8.8 mark 0x02000000", "dev isp2");
	assert_way("8.8.8.8 from 198.51.100.9", "dev isp2");
	assert_way("10.42.0.7", "dev lan0");
	b.want.n_networks = 0;
	apply(&b.want);
	assert_way("8.8.8.8", "No route to host");
}

static void test_a_gone_uplink_lends_its_packets_to_nobody(void **state)
{
	struct box b;

	(void)state;
	box_init(&b);
	b.uplinks[1].ifindex = 0;
	apply(&b.want);
	assert_way("8.8.8.8 mark 0x02000000", "No route to host");
	assert_way("8.8.8.8 mark 0x01000000", "dev isp1");
}

static void test_classes_fall_to_main_and_its_guard(void **state)
{
	struct box b;

	(void)state;
	box_init(&b);
	apply(&b.want);
	assert_way("10.9.9.9 mark 0x00010000", "dev ed000");
	b.want.n_networks = 0;
	apply(&b.want);
	assert_way("10.9.9.9 mark 0x00010000", "No route to host");
	assert_way("fd10::5 mark 0x00010000", "No route to host");
	/* what zebra would write */
	assert_true(run_all("ip route add 10.0.0.0/8 dev ed0001 table 1001 metric 20\n"
			    "ip route add default dev ed0000 table 1002 metric 20"));
	assert_way("10.9.9.9 mark 0x00010000", "dev ed0001");
	/* the LAN is not the class's, and neither is what is guarded but missing */
	assert_way("10.42.0.7 mark 0x00010000", "dev lan0");
	assert_way("10.9.9.9 mark 0x00020000", "No route to host");
	assert_way("8.8.8.8 mark 0x00020000", "dev ed0000");
	assert_true(run_all("ip route del 10.0.0.0/8 table 1001 metric 20\n"
			    "ip route del default table 1002"));
}

static void test_connected_prefixes_are_thrown_by_themselves(void **state)
{
	struct box b;

	(void)state;
	box_init(&b);
	b.want.n_local = 0;
	apply(&b.want);
	assert_true(run_all("ip route add 10.0.0.0/8 dev ed0001 table 1001 metric 20"));
	assert_way("10.42.0.7 mark 0x00010000", "dev lan0");
	assert_true(run_all("ip addr add 10.77.0.1/24 dev lan0"));
	for (int i = 0; i < 3; i++)
		loop_run_once(loop);
	usleep(30000); /* the read-back's own delay */
	loop_run_once(loop);
	assert_way("10.77.0.7 mark 0x00010000", "dev lan0");
	assert_true(run_all("ip route del 10.0.0.0/8 table 1001 metric 20\n"
			    "ip addr del 10.77.0.1/24 dev lan0"));
}

static void read_back(void)
{
	policy_touch(policy);
	usleep(30000);
	loop_run_once(loop);
}

static void test_what_vanished_is_put_back(void **state)
{
	struct box b;
	static char before[65536];

	(void)state;
	box_init(&b);
	apply(&b.want);
	read_back();
	assert_int_equal(run("ip route show table all proto 171", before, 65536), 0);
	assert_true(run_all("ip link set ed0000 down\nip link set ed0000 up\n"
			    "ip route del 10.0.0.0/8 metric 4294967295\n"
			    "ip rule del priority 1000\n"
			    "ip route add 172.20.0.0/16 dev isp1 proto 171"));
	for (int i = 0; i < 5; i++)
		loop_run_once(loop); /* the events alone must do */
	usleep(30000);
	loop_run_once(loop);
	assert_int_equal(run("ip route show table all proto 171", out, sizeof(out)), 0);
	assert_string_equal(out, before);
	assert_int_equal(run("ip rule show priority 1000", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "1001"));
	assert_non_null(strstr(out, "1002"));
	assert_true(policy_get_stats(policy)->healed > 0);
}

static void test_membership_follows(void **state)
{
	struct box b;

	(void)state;
	box_init(&b);
	apply(&b.want);
	assert_int_equal(run("ip -6 route show fd10::/16", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "ed0000"));
	assert_non_null(strstr(out, "ed0001"));
	for (size_t n = 0; n < 2; n++) {
		b.networks[n].hops[0] = b.networks[n].hops[1];
		b.networks[n].n_hops = 1;
	}
	b.tunnels[0] = b.tunnels[1];
	apply(&b.want);
	assert_int_equal(run("ip route show proto 171 10.0.0.0/8", out, sizeof(out)),
			 0);
	assert_null(strstr(out, "ed0000"));
	assert_int_equal(run("ip -6 route show fd10::/16", out, sizeof(out)), 0);
	assert_null(strstr(out, "ed0000"));
	assert_way("100.96.0.0", "dev isp1");
	box_init(&b);
	apply(&b.want);
	assert_int_equal(run("ip -6 route show fd10::/16", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "ed0000"));
	read_back();
	assert_int_equal(policy_get_stats(policy)->failing, 0);
}

static void test_only_ours_is_removed(void **state)
{
	struct box b;

	(void)state;
	box_init(&b);
	assert_true(run_all("ip rule add priority 500 fwmark 0x5 table 77\n"
			    "ip route add 10.3.0.0/16 dev lan0"));
	apply(&b.want);
	assert_int_equal(policy_remove_all(policy), 0);
	assert_int_equal(run("ip route show table all proto 171", out, sizeof(out)), 0);
	assert_string_equal(out, "");
	assert_int_equal(run("ip -6 route show table all proto 171", out, sizeof(out)),
			 0);
	assert_string_equal(out, "");
	assert_int_equal(run("ip rule show", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "fwmark 0x5"));
	assert_null(strstr(out, "1001"));
	assert_int_equal(run("ip route show 10.3.0.0/16", out, sizeof(out)), 0);
	assert_non_null(strstr(out, "lan0"));
	assert_way("8.8.8.8", "dev isp1");
}

static void test_sysctls_are_set(void **state)
{
	(void)state;
	policy_sysctls();
	policy_tunnel_sysctls("ed0000");
	policy_uplink_sysctls("isp1");
	assert_int_equal(run("sysctl -n net.ipv4.ip_forward "
			     "net.ipv4.nexthop_compat_mode "
			     "net.ipv4.fib_multipath_hash_policy "
			     "net.ipv4.conf.ed0000.rp_filter "
			     "net.ipv6.conf.isp1.accept_ra",
			     out, sizeof(out)),
			 0);
	assert_string_equal(out, "1\n0\n1\n0\n2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_outer_packets_leave_by_their_own_uplink),
		cmocka_unit_test(test_a_default_in_a_tunnel_spares_outer_packets),
		cmocka_unit_test(test_a_gone_uplink_lends_its_packets_to_nobody),
		cmocka_unit_test(test_classes_fall_to_main_and_its_guard),
		cmocka_unit_test(test_connected_prefixes_are_thrown_by_themselves),
		cmocka_unit_test(test_what_vanished_is_put_back),
		cmocka_unit_test(test_membership_follows),
		cmocka_unit_test(test_only_ours_is_removed),
		cmocka_unit_test(test_sysctls_are_set),
	};

	return cmocka_run_group_tests(tests, go_there, leave);
}
