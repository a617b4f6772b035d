/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>

#include "edged/nft.h"
#include "lib/alloc.h"
#include "lib/loop.h"
#include "routing/classify/dscp.h"
#include "routing/classify/nft.h"
#include "tests/unit/golden.h"
#include "tests/unit/netns.h"

static struct prefix pfx(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

struct sample {
	struct prefix guard[4];
	struct prefix connected[1];
	struct rt_flow flows[3];
	struct rt_nft_class classes[3];
	struct rt_nft_uplink uplinks[2];
	uint16_t web[1];
	struct rt_nft_spec spec;
};

static void sample_init(struct sample *s)
{
	*s = (struct sample){0};
	s->guard[0] = pfx("10.0.0.0/8");
	s->guard[1] = pfx("10.1.0.0/16"); /* covered: sets take no overlaps */
	s->guard[2] = pfx("10.0.0.0/8");
	s->guard[3] = pfx("fc00::/7");
	s->connected[0] = pfx("192.168.1.0/24");
	s->flows[0] = (struct rt_flow){.protocol = IPPROTO_UDP,
				       .from = pfx("10.42.0.0/24"),
				       .to_port = {5000, 6000}};
	s->flows[1] = (struct rt_flow){.protocol = IPPROTO_TCP, .to_port = {443, 443}};
	s->flows[2] = (struct rt_flow){.to = pfx("fd10::/16")};
	s->classes[0] =
		(struct rt_nft_class){.index = 0,
				      .dscp = UINT64_C(1) << 46 | UINT64_C(1) << 34};
	s->classes[1] =
		(struct rt_nft_class){.index = 1, .flows = s->flows, .n_flows = 3};
	s->classes[2] = (struct rt_nft_class){.index = 7};
	s->uplinks[0] = (struct rt_nft_uplink){.ifname = "isp1",
					       .connected = s->connected,
					       .n_connected = 1};
	s->uplinks[1] = (struct rt_nft_uplink){.ifname = "wwan0", .slot = 4};
	s->web[0] = 8443;
	s->spec = (struct rt_nft_spec){.classes = s->classes,
				       .n_classes = 3,
				       .default_class = 7,
				       .uplinks = s->uplinks,
				       .n_uplinks = 2,
				       .guard = s->guard,
				       .n_guard = 4,
				       .tunnel_mtu = 1400,
				       .tcp_ports = s->web,
				       .n_tcp_ports = 1};
}

static void test_the_table_is_the_golden_one(void **state)
{
	struct sample s;
	json_t *js;
	char *text;
	char *all;

	(void)state;
	sample_init(&s);
	js = rt_nft_table(&s.spec);
	text = json_dumps(js, JSON_INDENT(1));
	all = ed_asprintf("%s\n", text);
	assert_true(golden_same("nft/table.json", all));
	free(all);
	free(text);
	json_decref(js);
}

static void test_nft_takes_it_twice_and_removes_it(void **state)
{
	struct sample s;
	char why[4096];
	static char out[65536];
	static char again[65536];

	(void)state;
	sample_init(&s);
	for (int i = 0; i < 2; i++) {
		if (nft_run_wait(rt_nft_table(&s.spec), false, why, sizeof(why)))
			fail_msg("%s", why);
		assert_int_equal(run("nft -s list ruleset", i ? again : out, 65536), 0);
	}
	assert_string_equal(out, again);
	assert_non_null(strstr(out, "goto class7"));
	for (int i = 0; i < 2; i++)
		assert_int_equal(nft_run_wait(rt_nft_remove(), false, why, sizeof(why)),
				 0);
	assert_int_equal(run("nft list ruleset", out, sizeof(out)), 0);
	assert_string_equal(out, "");
}

static void test_an_empty_box_has_a_table_too(void **state)
{
	struct rt_nft_spec spec = {.default_class = -1};
	struct prefix all[] = {pfx("0.0.0.0/0"), pfx("::/0"), pfx("10.0.0.0/8")};
	char why[4096];

	(void)state;
	if (nft_run_wait(rt_nft_table(&spec), true, why, sizeof(why)))
		fail_msg("%s", why);
	spec.guard = all;
	spec.n_guard = 3;
	if (nft_run_wait(rt_nft_table(&spec), true, why, sizeof(why)))
		fail_msg("%s", why);
}

static void test_a_check_changes_nothing(void **state)
{
	struct sample s;
	char why[4096];
	char out[4096];

	(void)state;
	sample_init(&s);
	assert_int_equal(nft_run_wait(rt_nft_table(&s.spec), true, why, sizeof(why)),
			 0);
	assert_int_equal(run("nft list ruleset", out, sizeof(out)), 0);
	assert_string_equal(out, "");
}

static void test_names_cannot_become_rules(void **state)
{
	struct sample s;
	char why[4096];

	(void)state;
	sample_init(&s);
	s.uplinks[0].ifname = "x\" accept;\n";
	assert_int_equal(nft_run_wait(rt_nft_table(&s.spec), false, why, sizeof(why)),
			 0);
	assert_int_equal(nft_run_wait(rt_nft_remove(), false, why, sizeof(why)), 0);
	s.uplinks[0].ifname = "a-name-longer-than-ifnamsiz";
	assert_int_equal(nft_run_wait(rt_nft_table(&s.spec), true, why, sizeof(why)),
			 -EINVAL);
	assert_true(why[0]);
}

struct seen {
	struct loop *loop;
	int calls, errors, want;
};

static void on_done(void *ctx, int err, const char *why)
{
	struct seen *s = ctx;

	(void)why;
	s->errors += err != 0;
	if (++s->calls == s->want)
		loop_stop(s->loop);
}

static void test_of_many_batches_the_newest_is_applied(void **state)
{
	struct seen seen = {.loop = loop_new(), .want = 2};
	struct nft *n = nft_new(seen.loop, on_done, &seen);
	struct sample s;
	static char out[65536];

	(void)state;
	sample_init(&s);
	for (int i = 0; i < 5; i++) {
		s.spec.default_class = i == 4 ? 1 : 0;
		nft_apply(n, rt_nft_table(&s.spec));
		assert_false(nft_settled(n));
	}
	loop_run(seen.loop);
	assert_int_equal(seen.errors, 0);
	assert_true(nft_settled(n));
	assert_int_equal(run("nft list chain inet edged classify", out, sizeof(out)),
			 0);
	assert_non_null(strstr(out, "\t\tgoto class1\n"));

	/* A refused one leaves the table as it is. */
	s.uplinks[0].ifname = "a-name-longer-than-ifnamsiz";
	seen.want = 3;
	nft_apply(n, rt_nft_table(&s.spec));
	loop_run(seen.loop);
	assert_int_equal(seen.errors, 1);
	assert_false(nft_settled(n));
	assert_int_equal(run("nft list chain inet edged classify", out, sizeof(out)),
			 0);
	nft_free(n);
	nft_free(NULL);
	loop_free(seen.loop);
}

static void test_dscp_has_names(void **state)
{
	(void)state;
	assert_int_equal(rt_dscp_parse("EF"), 46);
	assert_int_equal(rt_dscp_parse("af31"), 26);
	assert_int_equal(rt_dscp_parse("CS7"), 56);
	assert_int_equal(rt_dscp_parse("0"), 0);
	assert_int_equal(rt_dscp_parse("63"), 63);
	assert_string_equal(rt_dscp_name(46), "EF");
	assert_null(rt_dscp_name(63));
	assert_null(rt_dscp_name(200));
	assert_int_equal(rt_dscp_parse("64"), -EINVAL);
	assert_int_equal(rt_dscp_parse("-1"), -EINVAL);
	assert_int_equal(rt_dscp_parse("+1"), -EINVAL);
	assert_int_equal(rt_dscp_parse(""), -EINVAL);
	assert_int_equal(rt_dscp_parse("AF44"), -EINVAL);
	assert_int_equal(rt_dscp_parse("46x"), -EINVAL);
}

static int go_there(void **state)
{
	(void)state;
	return netns_enter() ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_table_is_the_golden_one),
		cmocka_unit_test(test_nft_takes_it_twice_and_removes_it),
		cmocka_unit_test(test_an_empty_box_has_a_table_too),
		cmocka_unit_test(test_a_check_changes_nothing),
		cmocka_unit_test(test_names_cannot_become_rules),
		cmocka_unit_test(test_of_many_batches_the_newest_is_applied),
		cmocka_unit_test(test_dscp_has_names),
	};

	return cmocka_run_group_tests(tests, go_there, NULL);
}
