/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adding to a YAML file: where it goes, and that nothing else changes. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "edged/ctl/splice.h"
#include "lib/conf_report.h"
#include "tests/unit/cm.h"

static const struct splice peer = {.section = "peers",
				   .block = "aws:\n  via: isp1\n",
				   .flow = "aws: {via: isp1}"};
static const struct splice secret = {.block = "aws/a: \"x\"\n", .flow = "aws/a: \"x\""};

/* What s makes of text, or NULL when it is refused. */
static char *add(const char *text, const struct splice *s)
{
	struct conf_report report;
	char *ret = NULL;
	size_t len = 0;
	int err;

	conf_report_init(&report);
	err = ctl_splice("f.yaml", text, strlen(text), false, s, &report, &ret, &len);
	assert_int_equal(err == 0, report.errors == 0);
	if (err == 0)
		assert_int_equal(strlen(ret), len);
	conf_report_fini(&report);
	return ret;
}

static void test_new_lines_stand_where_they_belong(void **state)
{
	static const struct {
		const struct splice *s;
		const char *in;
		const char *out;
	} rows[] = {
		/* behind the last peer, before what comes next */
		{&peer, "peers:\n  hub: {a: b}\nbgp:\n  asn: 1\n",
		 "peers:\n  hub: {a: b}\n  aws:\n    via: isp1\nbgp:\n  asn: 1\n"},
		/* with the indentation that is there */
		{&peer, "peers:\n      hub:\n        a: b\n",
		 "peers:\n      hub:\n        a: b\n      aws:\n        via: isp1\n"},
		/* its comments stay with it, others stay before what they speak of */
		{&peer,
		 "peers:  # all\n  # one\n  hub: {a: b}\n  # more\n\n# bgp\nbgp: {asn: 1}\n",
		 "peers:  # all\n  # one\n  hub: {a: b}\n  # more\n  aws:\n    via: isp1\n"
		 "\n# bgp\nbgp: {asn: 1}\n"},
		/* brackets over several lines, and text over several lines */
		{&peer, "peers:\n  hub: {a: b,\n    c: d\n  }\nx: y\n",
		 "peers:\n  hub: {a: b,\n    c: d\n  }\n  aws:\n    via: isp1\nx: y\n"},
		{&peer, "peers:\n  hub:\n    a: one\n      two\n\nx: y\n",
		 "peers:\n  hub:\n    a: one\n      two\n  aws:\n    via: isp1\n\nx: y\n"},
		{&peer, "peers:\n  hub:\n    a: \"one\n      two\"\nx: y\n",
		 "peers:\n  hub:\n    a: \"one\n      two\"\n  aws:\n    via: isp1\nx: y\n"},
		/* in brackets: at their beginning */
		{&peer, "peers: {hub: {a: b}}\n",
		 "peers: {aws: {via: isp1}, hub: {a: b}}\n"},
		{&peer, "peers: {}\n", "peers: {aws: {via: isp1}}\n"},
		{&peer, "peers:\n  {\n  hub: {a: b}}\n",
		 "peers:\n  {aws: {via: isp1}, \n  hub: {a: b}}\n"},
		{&peer, "# \xc3\xa4\n{\"\xc3\xb6\": 1, \"peers\": {\"hub\": {}}}",
		 "# \xc3\xa4\n{\"\xc3\xb6\": 1, \"peers\": {aws: {via: isp1}, \"hub\": {}}}"},
		/* a section that is not there, or is empty */
		{&peer, "lan: 10.0.0.0/8\n",
		 "lan: 10.0.0.0/8\n\npeers:\n  aws:\n    via: isp1\n"},
		{&peer, "lan: 10.0.0.0/8\n...\n",
		 "lan: 10.0.0.0/8\n\npeers:\n  aws:\n    via: isp1\n...\n"},
		{&peer, "{lan: 10.0.0.0/8}\n",
		 "{peers: {aws: {via: isp1}}, lan: 10.0.0.0/8}\n"},
		{&peer, "peers:\nlan: 10.0.0.0/8\n",
		 "peers:\n  aws:\n    via: isp1\nlan: 10.0.0.0/8\n"},
		{&peer, "# nothing yet\n",
		 "# nothing yet\npeers:\n  aws:\n    via: isp1\n"},
		{&peer, "", "peers:\n  aws:\n    via: isp1\n"},
		/* other line breaks, a byte order mark */
		{&peer, "peers:\r\n  hub: {a: b}\r\n",
		 "peers:\r\n  hub: {a: b}\r\n  aws:\r\n    via: isp1\r\n"},
		{&peer, "\xef\xbb\xbfpeers: {hub: {a: b}}\n",
		 "\xef\xbb\xbfpeers: {aws: {via: isp1}, hub: {a: b}}\n"},
		/* at the top of the file */
		{&secret, "hub: x\n", "hub: x\naws/a: \"x\"\n"},
		{&secret, "hub: x\n\n# the end\n",
		 "hub: x\naws/a: \"x\"\n\n# the end\n"},
		{&secret, "{hub: x}\n", "{aws/a: \"x\", hub: x}\n"},
		{&secret, "# none", "# none\naws/a: \"x\"\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *out = add(rows[i].in, rows[i].s);

		assert_non_null(out);
		assert_string_equal(out, rows[i].out);
		free(out);
	}
}

static void test_what_is_no_block_is_refused(void **state)
{
	static const char *const rows[] = {
		"peers: hub\n",	    "peers: [hub]\n", "- a\n- b\n",  "peers: {\n",
		"peers:\n\thub:\n", "peers: \"\"\n",  "just text\n", "a: b\nlan: 1",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_null(add(rows[i], &peer));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_new_lines_stand_where_they_belong),
		cmocka_unit_test(test_what_is_no_block_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
