/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small site made by hand: two uplinks, a hub by two tunnels. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>
#include <utlist.h>

#include "edged/config/config.h"
#include "edged/edged.h"
#include "edged/steer_want.h"
#include "edged/steering.h"
#include "lib/alloc.h"
#include "routing/owned.h"

static struct steer_plan *plan; /* what steering_plan() gives */

const struct steer_plan *steering_plan(const struct peer *p)
{
	(void)p;
	return plan;
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

struct site {
	struct edged ed;
	struct config config;
	struct config_peer peer_conf;
	struct config_class classes[2];
	uint64_t ef;
	struct prefix lan, network, accept, inside_range;
	struct uplink uplinks[2];
	struct peer peer;
	struct tunnel tunnels[2];
};

static void add_uplink(struct site *s, int n, const char *name, const char *addr,
		       const char *gateway)
{
	struct uplink *u = &s->uplinks[n];

	u->slot = (unsigned int)n + 1;
	u->ifindex = 10 + n;
	u->kernel.up = true;
	u->kernel.addrs[0].addr = adr(addr);
	u->kernel.addrs[0].plen = 24;
	u->kernel.addr_count = 1;
	u->fam[ED_V4].local = adr(addr);
	u->fam[ED_V4].routed = true;
	if (gateway)
		u->fam[ED_V4].gateway = adr(gateway);
	snprintf(u->name, sizeof(u->name), "%s", name);
	snprintf(u->ifname, sizeof(u->ifname), "%s", name);
	HASH_ADD_STR(s->ed.uplinks, name, u);
}

static void add_tunnel(struct site *s, int n, const char *name)
{
	struct tunnel *t = &s->tunnels[n];

	t->ed = &s->ed;
	t->peer = &s->peer;
	t->uplink = &s->uplinks[n];
	t->slot = (unsigned int)n + 1;
	t->ifindex = 20 + n;
	t->mtu = 1400;
	snprintf(t->name, sizeof(t->name), "%s", name);
	snprintf(t->ifname, sizeof(t->ifname), "ed%04d", n + 1);
	t->inside[ED_V4].local = adr(n ? "100.96.0.3" : "100.96.0.1");
	t->inside[ED_V4].peer = adr(n ? "100.96.0.2" : "100.96.0.0");
	t->remote.addr = adr("203.0.113.1");
	DL_APPEND(s->peer.tunnels, t);
	HASH_ADD_STR(s->ed.tunnels, name, t);
}

static int setup(void **state)
{
	struct site *s = ed_alloc(sizeof(*s));

	s->lan = pfx("10.42.0.0/24");
	s->network = pfx("10.1.0.0/16");
	s->accept = pfx("10.0.0.0/8");
	s->inside_range = pfx("100.96.0.0/16");
	s->ef = 46;
	s->config.name = ed_strdup("branch");
	s->config.lan.v = &s->lan;
	s->config.lan.n = 1;
	s->config.inside.v = &s->inside_range;
	s->config.inside.n = 1;
	s->config.peers.v = &s->peer_conf;
	s->config.peers.n = 1;
	s->classes[0].name = ed_strdup("voice");
	s->classes[0].dscp.v = &s->ef;
	s->classes[0].dscp.n = 1;
	s->classes[1].name = ed_strdup("default");
	s->config.classes.v = s->classes;
	s->config.classes.n = 2;
	s->config.bgp.asn = 65042;
	s->config.bgp.accept.v = &s->accept;
	s->config.bgp.accept.n = 1;
	s->config.bgp.announce.v = &s->lan;
	s->config.bgp.announce.n = 1;
	s->config.bgp.hold_time_us = 9000000;
	s->peer_conf.name = ed_strdup("hub");
	s->peer_conf.asn = 65000;
	s->peer_conf.networks.v = &s->network;
	s->peer_conf.networks.n = 1;
	s->ed.config = &s->config;
	add_uplink(s, 0, "isp1", "192.168.1.2", "192.168.1.1");
	add_uplink(s, 1, "ppp0", "198.51.100.2", NULL);
	snprintf(s->peer.name, sizeof(s->peer.name), "hub");
	s->peer.ed = &s->ed;
	s->peer.conf = &s->peer_conf;
	HASH_ADD_STR(s->ed.peers, name, (&s->peer));
	add_tunnel(s, 0, "hub/isp1");
	add_tunnel(s, 1, "hub/ppp0");
	plan = NULL;
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct site *s = *state;

	HASH_CLEAR(hh, s->ed.uplinks);
	HASH_CLEAR(hh, s->ed.peers);
	HASH_CLEAR(hh, s->ed.tunnels);
	free(s->config.name);
	free(s->classes[0].name);
	free(s->classes[1].name);
	free(s->peer_conf.name);
	free(s);
	return 0;
}

static bool has(const struct rt_prefixes *l, const char *text)
{
	struct prefix p = pfx(text);

	for (size_t i = 0; i < l->n; i++) {
		if (prefix_equal(&l->v[i], &p))
			return true;
	}
	return false;
}

static bool only_first(void *ctx, const struct tunnel *t)
{
	(void)ctx;
	return t->slot == 1;
}

static bool all(void *ctx, const struct tunnel *t)
{
	(void)ctx;
	(void)t;
	return true;
}

static void test_policy_holds_uplinks_and_living_tunnels(void **state)
{
	struct site *s = *state;
	struct steer_policy p;

	steer_policy_fill(&s->ed, true, only_first, NULL, &p);
	assert_int_equal(p.want.n_uplinks, 2);
	assert_true(
		addr_equal(&p.uplinks[0].gateway, &s->uplinks[0].fam[ED_V4].gateway));
	assert_false(p.uplinks[0].device_route);
	assert_true(p.uplinks[1].device_route);
	assert_int_equal(p.want.n_tunnels, 1);
	assert_int_equal(p.want.n_networks, 1);
	assert_int_equal(p.networks[0].n_hops, 1);
	assert_int_equal(p.networks[0].hops[0].ifindex, 20);
	assert_true(has(&p.guard, "10.1.0.0/16"));
	assert_true(has(&p.guard, "10.0.0.0/8"));
	assert_true(has(&p.local, "10.42.0.0/24"));
	assert_true(has(&p.local, "100.96.0.0/16"));
	assert_int_equal(p.want.n_classes, 2);
	assert_true(p.want.keep_tunnel_routes);
	steer_policy_fini(&p);

	s->uplinks[0].kernel.up = false;
	s->ed.opt.without_leak_guard = true;
	steer_policy_fill(&s->ed, false, all, NULL, &p);
	assert_int_equal(p.uplinks[0].ifindex, 0);
	assert_int_equal(p.networks[0].n_hops, 2);
	assert_int_equal(p.want.n_guard, 0);
	steer_policy_fini(&p);
}

static void test_without_accept_private_addresses_are_guarded(void **state)
{
	struct site *s = *state;
	struct steer_policy p;

	s->config.bgp.accept.n = 0;
	steer_policy_fill(&s->ed, false, all, NULL, &p);
	assert_true(has(&p.guard, "192.168.0.0/16"));
	assert_true(has(&p.guard, "fc00::/7"));
	steer_policy_fini(&p);
}

static void test_intent_names_members_by_tunnel(void **state)
{
	struct site *s = *state;
	struct steer_member m = {.id = 2, .weight = 7, .name = "hub/ppp0"};
	struct steer_class_plan c = {.name = "voice", .members = &m, .n_members = 1};
	struct steer_plan made = {.classes = &c, .n_classes = 1};
	struct rt_intent *i;
	json_t *js;
	struct rt_intent *back;
	char why[256] = "";

	plan = &made;
	i = steer_intent(&s->ed, false);
	assert_int_equal(i->n_classes, 2);
	assert_int_equal(i->classes[1].table, 1002);
	assert_int_equal(i->peers[0].n_tunnels, 2);
	assert_int_equal(i->peers[0].choices[0].members[0].tunnel, 1);
	assert_int_equal(i->peers[0].choices[0].members[0].weight, 7);
	js = rt_intent_to_json(i);
	if (rt_intent_from_json(js, &back, why, sizeof(why)) < 0)
		fail_msg("edge-zebra would refuse it: %s", why);
	else
		rt_intent_free(back);
	json_decref(js);
	rt_intent_free(i);
}

static void test_bgp_refuses_what_is_ours_and_outside(void **state)
{
	struct site *s = *state;
	struct rt_intent *i = steer_intent(&s->ed, true);
	const struct rt_bgp *b = &i->bgp;
	char buf[ADDR_STRLEN];

	assert_true(i->wait);
	assert_int_equal(b->asn, 65042);
	assert_string_equal(addr_format(&b->router_id, buf), "10.42.0.1");
	assert_true(has(&b->announce, "10.42.0.0/24"));
	assert_true(has(&b->refuse, "10.42.0.0/24")); /* the LAN */
	assert_true(has(&b->refuse, "192.168.1.0/24")); /* an uplink's network */
	assert_true(has(&b->refuse, "203.0.113.1/32")); /* the hub's outer address */
	assert_true(has(&b->refuse, "100.96.0.0/16")); /* inside addresses */
	assert_int_equal(b->hold_s, 9);
	assert_int_equal(b->n_neighbors, 2);
	assert_string_equal(b->neighbors[1].tunnel, "hub/ppp0");
	assert_string_equal(addr_format(&b->neighbors[1].peer, buf), "100.96.0.2");
	assert_true(has(&b->neighbors[0].accept, "10.1.0.0/16"));
	rt_intent_free(i);

	s->config.bgp.asn = 0;
	i = steer_intent(&s->ed, false);
	assert_int_equal(i->bgp.asn, 0);
	assert_int_equal(i->bgp.n_neighbors, 0);
	rt_intent_free(i);
}

static void test_a_site_without_ipv4_lan_has_a_router_id_too(void **state)
{
	struct site *s = *state;
	struct rt_intent *a;
	struct rt_intent *b;

	s->lan = pfx("fd42::/64");
	a = steer_intent(&s->ed, false);
	b = steer_intent(&s->ed, false);
	assert_int_equal(a->bgp.router_id.family, AF_INET);
	assert_true(addr_equal(&a->bgp.router_id, &b->bgp.router_id));
	rt_intent_free(a);
	rt_intent_free(b);
}

static void test_nft_knows_uplinks_and_classes(void **state)
{
	struct site *s = *state;
	json_t *js = steer_nft(&s->ed);
	char *text = json_dumps(js, 0);

	assert_non_null(strstr(text, "\"isp1\""));
	assert_non_null(strstr(text, "192.168.1.0"));
	assert_non_null(strstr(text, "class1"));
	assert_non_null(strstr(text, "1360")); /* the clamp of MTU 1400 */
	free(text);
	json_decref(js);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_policy_holds_uplinks_and_living_tunnels),
		TEST(test_without_accept_private_addresses_are_guarded),
		TEST(test_intent_names_members_by_tunnel),
		TEST(test_bgp_refuses_what_is_ours_and_outside),
		TEST(test_a_site_without_ipv4_lan_has_a_router_id_too),
		TEST(test_nft_knows_uplinks_and_classes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
