/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>

#include "lib/alloc.h"
#include "routing/intent.h"

static const char good[] =
	"{\"wait\": true, \"frr\": {\"socket_dir\": \"/run/frr\", \"stale_s\": 60, \"hold_s\": 120},"
	" \"classes\": [{\"name\": \"voice\", \"table\": 1001}],"
	" \"peers\": [{\"name\": \"hub\", \"networks\": [\"10.0.0.0/8\"],"
	"  \"tunnels\": [{\"name\": \"hub/isp1\", \"ifname\": \"ed0000\","
	"   \"local\": \"100.96.0.1\", \"peer\": \"100.96.0.0\","
	"   \"local6\": \"fd00::1\", \"peer6\": \"fd00::\"}],"
	"  \"classes\": [{\"name\": \"voice\","
	"   \"members\": [{\"tunnel\": \"hub/isp1\", \"weight\": 100}]}]}],"
	" \"bgp\": {\"asn\": 65042, \"router_id\": \"10.42.0.1\","
	"  \"announce\": [\"10.42.0.0/24\"], \"accept\": [\"10.0.0.0/8\"],"
	"  \"refuse\": [\"198.51.100.0/24\"], \"hold_s\": 90, \"connect_s\": 5,"
	"  \"restart_s\": 120, \"max_paths\": 16,"
	"  \"neighbors\": [{\"tunnel\": \"hub/isp1\", \"peer\": \"100.96.0.0\","
	"   \"local\": \"100.96.0.1\", \"asn\": 65000,"
	"   \"accept\": [\"172.16.0.0/12\"], \"hold_s\": 9}]}}";

static struct rt_intent *read_text(const char *text, char *why, size_t cap)
{
	json_t *js = json_loads(text, 0, NULL);
	struct rt_intent *i = NULL;

	assert_non_null(js);
	(void)rt_intent_from_json(js, &i, why, cap);
	json_decref(js);
	return i;
}

static void test_the_json_form_reads_back(void **state)
{
	char why[256] = "";
	struct rt_intent *i = read_text(good, why, sizeof(why));
	json_t *before = json_loads(good, 0, NULL);
	json_t *after;

	(void)state;
	if (!i) {
		fail_msg("%s", why);
		return;
	}
	after = rt_intent_to_json(i);
	assert_true(json_equal(before, after));
	json_decref(before);
	json_decref(after);
	rt_intent_free(i);
}

/* Each replaces one piece of the good text. */
/* clang-format off */
static const struct {
	const char *from, *to, *why;
} bad[] = {
	{ "\"/run/frr\"",     "\"run/frr\"",        "socket_dir" },
	{ "\"/run/frr\"",     "7",                  "socket_dir" },
	{ "1001}",            "254}",               "table" },
	{ "1001}",            "\"main\"}",          "table" },
	{ "\"voice\", \"tab", "\"a\\nb\", \"tab",   "control character" },
	{ "\"voice\", \"tab", "\"\", \"tab",        "name" },
	{ "\"10.0.0.0/8\"],  \"tun", "\"10/x\"],  \"tun", "networks" },
	{ "\"ed0000\"",       "\"ed0000 up\"",      "interface name" },
	{ "\"ed0000\"",       "\"a-very-long-name\"", "interface name" },
	{ "\"100.96.0.1\", \"peer\"", "\"fd00::1\", \"peer\"", "local" },
	{ "\"weight\": 100",  "\"weight\": 0",      "weight" },
	{ "\"weight\": 100",  "\"weight\": 256",    "weight" },
	{ "[{\"tunnel\": \"hub/isp1\", \"weight", "[{\"tunnel\": \"hub/isp2\", \"weight", "none of its tunnels" },
	{ "\"asn\": 65000",   "\"asn\": 0",         "asn" },
	{ "\"asn\": 65042",   "\"asn\": -1",        "asn" },
	{ "\"router_id\": \"10.42.0.1\",", "",      "router_id" },
	{ "\"local\": \"100.96.0.1\", \"asn\"", "\"local\": \"fd00::1\", \"asn\"", "one family" },
	{ "\"announce\": [\"10.42.0.0/24\"]", "\"announce\": [1]", "announce" },
	{ "\"announce\": [\"10.42.0.0/24\"]", "\"announce\": {}", "announce" },
};
/* clang-format on */

static char *swap(const char *from, const char *to)
{
	const char *at = strstr(good, from);

	if (!at) {
		fail_msg("'%s' is not in the good text", from);
		return NULL;
	}
	return ed_asprintf("%.*s%s%s", (int)(at - good), good, to, at + strlen(from));
}

static void test_bad_intents_are_refused_with_a_reason(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
		char why[256] = "";
		char *text = swap(bad[k].from, bad[k].to);
		struct rt_intent *i = read_text(text, why, sizeof(why));

		if (i || !strstr(why, bad[k].why))
			fail_msg("%s: '%s', want '%s'", bad[k].to, why, bad[k].why);
		free(text);
	}
}

static void test_what_is_left_out_has_defaults(void **state)
{
	char why[256] = "";
	struct rt_intent *i =
		read_text("{\"frr\":{\"socket_dir\":\"/x\"}}", why, sizeof(why));

	(void)state;
	if (!i) {
		fail_msg("%s", why);
		return;
	}
	assert_int_equal(i->stale_s, 60);
	assert_int_equal(i->hold_s, 120);
	assert_int_equal(i->bgp.asn, 0);
	assert_int_equal(i->n_peers, 0);
	rt_intent_free(i);
}

static void test_a_peer_is_replaced_or_added(void **state)
{
	struct rt_intent *i = rt_intent_new("/run/frr");
	struct rt_peer p = {0};
	struct rt_peer *got;

	(void)state;
	rt_intent_add_peer(i, "aws");
	rt_intent_add_peer(i, "hub");
	p.name = ed_strdup("hub");
	rt_peer_add_tunnel(&p, "hub/isp1", "ed0000");
	rt_choice_add_member(rt_peer_add_choice(&p, "voice"), 0, 7);
	rt_intent_replace_peer(i, &p);
	assert_null(p.name);
	assert_int_equal(i->n_peers, 2);
	got = rt_intent_peer(i, "hub");
	assert_non_null(got);
	assert_int_equal(got->choices[0].members[0].weight, 7);
	p.name = ed_strdup("gcp");
	rt_intent_replace_peer(i, &p);
	assert_int_equal(i->n_peers, 3);
	assert_null(rt_intent_peer(i, "azure"));
	rt_intent_free(i);
	rt_intent_free(NULL);
}

static void test_a_peer_alone_reads_back(void **state)
{
	char why[256] = "";
	struct rt_intent *i = read_text(good, why, sizeof(why));
	struct rt_peer p;
	json_t *js;
	json_t *again;

	(void)state;
	if (!i) {
		fail_msg("%s", why);
		return;
	}
	js = rt_peer_to_json(&i->peers[0]);
	assert_int_equal(rt_peer_from_json(js, &p, why, sizeof(why)), 0);
	again = rt_peer_to_json(&p);
	assert_true(json_equal(js, again));
	json_object_del(js, "name");
	rt_peer_fini(&p);
	assert_int_equal(rt_peer_from_json(js, &p, why, sizeof(why)), -EINVAL);
	json_decref(js);
	json_decref(again);
	rt_intent_free(i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_json_form_reads_back),
		cmocka_unit_test(test_bad_intents_are_refused_with_a_reason),
		cmocka_unit_test(test_what_is_left_out_has_defaults),
		cmocka_unit_test(test_a_peer_is_replaced_or_added),
		cmocka_unit_test(test_a_peer_alone_reads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
