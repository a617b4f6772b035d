/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "lib/alloc.h"
#include "routing/bgp/render.h"
#include "tests/unit/golden.h"

static void add(struct rt_prefixes *l, const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	rt_prefixes_add(l, &p);
}

static void neighbor(struct rt_bgp *b, const char *tunnel, const char *peer,
		     const char *local)
{
	struct rt_neighbor *n = rt_bgp_add_neighbor(b, tunnel);

	assert_int_equal(addr_parse(peer, &n->peer), 0);
	assert_int_equal(addr_parse(local, &n->local), 0);
	n->asn = 65000;
}

static struct rt_intent *sample(void)
{
	struct rt_intent *i = rt_intent_new("/run/frr");
	struct rt_bgp *b = &i->bgp;

	b->asn = 65042;
	assert_int_equal(addr_parse("10.42.0.1", &b->router_id), 0);
	b->hold_s = 9;
	b->restart_s = 10;
	add(&b->announce, "10.42.0.0/24");
	add(&b->announce, "fd42::/48");
	add(&b->accept, "10.0.0.0/8");
	add(&b->accept, "fc00::/7");
	add(&b->refuse, "10.42.0.0/24");
	add(&b->refuse, "198.51.100.1/32");
	add(&b->refuse, "100.96.0.0/16");
	neighbor(b, "hub/isp1", "100.96.0.0", "100.96.0.1");
	neighbor(b, "a/b\n router bgp 1; x", "100.96.0.2", "100.96.0.3");
	b->neighbors[1].hold_s = 30;
	add(&b->neighbors[1].accept, "10.42.0.128/25"); /* within our LAN, on purpose */
	neighbor(b, "hub/isp1", "fd96::", "fd96::1");
	return i;
}

static char *render(const struct rt_bgp *b, const char *running)
{
	struct rt_running *r =
		running ? rt_running_parse(running, strlen(running)) : NULL;
	char why[512] = "";
	char *text = NULL;

	if (rt_bgp_render(b, r, &text, why, sizeof(why)) < 0)
		fail_msg("%s", why);
	rt_running_free(r);
	return text;
}

/* bgpd's own words after it was given the golden lines. */
static char *running_text(void)
{
	const char *top = getenv("ED_TOP_SRCDIR");
	char *path = ed_asprintf("%s/tests/golden/bgp/running.in", top ? top : ".");
	FILE *f = fopen(path, "r");
	char *text = ed_alloc(1 << 16);

	if (!f) {
		fail_msg("%s is missing", path);
		return text;
	}
	text[fread(text, 1, (1 << 16) - 1, f)] = '\0';
	fclose(f);
	free(path);
	return text;
}

static void test_the_lines_are_the_golden_ones(void **state)
{
	struct rt_intent *i = sample();
	char *text = render(&i->bgp, NULL);

	(void)state;
	assert_true(golden_same("bgp/lines.ok", text));
	assert_null(strstr(text, "router bgp 1"));
	free(text);
	rt_intent_free(i);
}

static void test_a_keepalive_that_is_asked_for_is_written(void **state)
{
	struct rt_intent *i = sample();
	char *text;

	(void)state;
	i->bgp.keepalive_s = 2;
	i->bgp.neighbors[0].keepalive_s = 1;
	text = render(&i->bgp, NULL);
	assert_non_null(strstr(text, "neighbor EDGED4 timers 2 9\n"));
	assert_non_null(strstr(text, "neighbor 100.96.0.0 timers 1 9\n"));
	assert_non_null(strstr(text, "neighbor 100.96.0.2 timers 10 30\n"));
	free(text);
	rt_intent_free(i);
}

static void test_what_stands_is_not_written_again(void **state)
{
	struct rt_intent *i = sample();
	char *running = running_text();
	char *text = render(&i->bgp, running);

	(void)state;
	assert_string_equal(text, "");
	free(text);
	free(running);
	rt_intent_free(i);
}

static void test_a_change_writes_the_difference(void **state)
{
	struct rt_intent *i = sample();
	char *running = running_text();
	char *text;

	(void)state;
	i->bgp.n_neighbors = 1; /* the other two are gone */
	free(i->bgp.neighbors[1].tunnel);
	free(i->bgp.neighbors[1].accept.v);
	free(i->bgp.neighbors[2].tunnel);
	i->bgp.announce.n = 1;
	i->bgp.hold_s = 30;
	add(&i->bgp.refuse, "10.9.0.0/16");
	text = render(&i->bgp, running);
	assert_true(golden_same("bgp/change.ok", text));
	free(text);
	free(running);
	rt_intent_free(i);
}

static void test_taking_all_out_spares_the_administrators(void **state)
{
	struct rt_intent *none = rt_intent_new("/run/frr");
	char *running = running_text();
	char *mixed;
	char *text = render(&none->bgp, running);
	char *at;

	(void)state;
	assert_non_null(strstr(text, "no router bgp 65042\n"));
	assert_non_null(strstr(text, "no route-map EDGED-NET permit 10\n"));
	free(text);

	at = strstr(running, " bgp router-id");
	assert_non_null(at);
	mixed = ed_asprintf("%.*s neighbor 192.0.2.7 remote-as 65099\n%s",
			    (int)(at - running), running, at);
	text = render(&none->bgp, mixed);
	assert_null(strstr(text, "no router bgp"));
	assert_null(strstr(text, "192.0.2.7"));
	assert_non_null(strstr(text, " no neighbor 100.96.0.0\n"));
	assert_non_null(strstr(text, " no neighbor EDGED4 peer-group\n"));
	assert_non_null(strstr(text, "no network 10.42.0.0/24 route-map EDGED-NET\n"));
	free(text);
	free(mixed);
	free(running);
	rt_intent_free(none);
}

static void test_a_foreign_as_is_refused_ours_is_replaced(void **state)
{
	static const char foreign[] =
		"router bgp 65010\n neighbor 192.0.2.7 remote-as 1\nexit\n";
	static const char vrf[] =
		"router bgp 65010 vrf red\n neighbor 192.0.2.7 remote-as 1\nexit\n";
	struct rt_intent *i = sample();
	struct rt_running *r = rt_running_parse(foreign, strlen(foreign));
	char *running = running_text();
	char why[512] = "";
	char *text = NULL;

	(void)state;
	assert_int_equal(rt_bgp_render(&i->bgp, r, &text, why, sizeof(why)), -EEXIST);
	assert_null(text);
	assert_non_null(strstr(why, "set bgp.asn to 65010"));
	rt_running_free(r);

	text = render(&i->bgp, vrf); /* a VRF of another AS is no matter */
	assert_non_null(strstr(text, "router bgp 65042\n"));
	free(text);

	i->bgp.asn = 65043; /* all that runs is ours: it makes room */
	text = render(&i->bgp, running);
	assert_int_equal(strncmp(text, "no router bgp 65042\n", 20), 0);
	assert_non_null(strstr(text, "router bgp 65043\n"));
	free(text);
	free(running);
	rt_intent_free(i);
}

/* The delay that holds a new session back is ours, unless the owner has set it. */
static void test_the_owners_filter_delay_stays(void **state)
{
	static const char ours[] = "bgp route-map delay-timer 1\n";
	static const char theirs[] = "bgp route-map delay-timer 10\n";
	struct rt_intent *i = sample();
	struct rt_intent *none = rt_intent_new("/run/frr");
	char *text = render(&i->bgp, theirs);

	(void)state;
	assert_null(strstr(text, "delay-timer"));
	free(text);
	text = render(&none->bgp, theirs);
	assert_string_equal(text, "");
	free(text);
	text = render(&none->bgp, ours);
	assert_string_equal(text, "no bgp route-map delay-timer 1\n");
	free(text);
	rt_intent_free(none);
	rt_intent_free(i);
}

static void test_odd_configurations_are_survived(void **state)
{
	static const char *const odd[] = {
		"",
		"\n\n",
		"router bgp",
		"router bgp x",
		"router bgp 99999999999999999999",
		"route-map EDGED-IN4",
		" exit-address-family\n exit-address-family\n",
		"router bgp 1\n address-family l2vpn evpn\n  advertise-all-vni\nexit",
		"ip prefix-list EDGED-OUT4 seq",
		"router bgp 1\n neighbor  peer-group EDGED4",
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(odd); k++) {
		struct rt_running *r = rt_running_parse(odd[k], strlen(odd[k]));
		struct rt_intent *i = rt_intent_new("/x");
		char why[512];
		char *text = NULL;

		if (!rt_bgp_render(&i->bgp, r, &text, why, sizeof(why)))
			free(text);
		rt_intent_free(i);
		rt_running_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_lines_are_the_golden_ones),
		cmocka_unit_test(test_a_keepalive_that_is_asked_for_is_written),
		cmocka_unit_test(test_what_stands_is_not_written_again),
		cmocka_unit_test(test_a_change_writes_the_difference),
		cmocka_unit_test(test_taking_all_out_spares_the_administrators),
		cmocka_unit_test(test_a_foreign_as_is_refused_ours_is_replaced),
		cmocka_unit_test(test_the_owners_filter_delay_stays),
		cmocka_unit_test(test_odd_configurations_are_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
