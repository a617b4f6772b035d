/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/addr.h"

#include <errno.h>
#include <string.h>

#include "lib/alloc.h"
#include "tests/unit/cm.h"

/* clang-format off */
static const struct {
	const char *text;
	int want;
	const char *printed;
} prefixes[] = {
	{ "10.0.0.0/8",       0,       "10.0.0.0/8" },
	{ "10.1.2.3",         0,       "10.1.2.3/32" },
	{ "0.0.0.0/0",        0,       "0.0.0.0/0" },
	{ "2001:db8::/32",    0,       "2001:db8::/32" },
	{ "::/0",             0,       "::/0" },
	{ "fd00::1",          0,       "fd00::1/128" },
	{ "10.1.0.0/8",       -ERANGE, "10.0.0.0/8" },
	{ "2001:db8::1/64",   -ERANGE, "2001:db8::/64" },
	{ "10.0.0.0/33",      -EINVAL, NULL },
	{ "10.0.0.0/",        -EINVAL, NULL },
	{ "10.0.0.0/08",      -EINVAL, NULL },
	{ "10.0.0.0/+8",      -EINVAL, NULL },
	{ "10.0.0.0/ 8",      -EINVAL, NULL },
	{ "10.0.0/8",         -EINVAL, NULL },
	{ "10.0.0.0/8/8",     -EINVAL, NULL },
	{ "fe80::1%eth0",     -EINVAL, NULL },
	{ "",                 -EINVAL, NULL },
	{ "/8",               -EINVAL, NULL },
	{ "2001:db8::/129",   -EINVAL, NULL },
};
/* clang-format on */

static void test_prefixes_are_read_as_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++) {
		struct prefix p = {0};
		char buf[PREFIX_STRLEN];
		int err = prefix_parse(prefixes[i].text, &p);

		if (err != prefixes[i].want)
			fail_msg("%s: got %d, want %d", prefixes[i].text, err,
				 prefixes[i].want);
		if (prefixes[i].printed)
			assert_string_equal(prefix_format(&p, buf),
					    prefixes[i].printed);
	}
}

static struct prefix pfx(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), 0);
	return p;
}

static void test_prefixes_know_what_they_cover(void **state)
{
	struct prefix ten = pfx("10.0.0.0/8");
	struct prefix lan = pfx("10.42.0.0/24");
	struct prefix other = pfx("192.0.2.0/24");
	struct prefix all = pfx("0.0.0.0/0");
	struct prefix all6 = pfx("::/0");
	struct prefix last = pfx("10.42.0.255");
	struct prefix next = pfx("10.42.1.0");

	(void)state;
	assert_true(prefix_covers(&ten, &lan));
	assert_false(prefix_covers(&lan, &ten));
	assert_true(prefix_overlaps(&lan, &ten));
	assert_false(prefix_overlaps(&lan, &other));
	assert_true(prefix_covers(&all, &other));
	assert_false(prefix_covers(&all6, &other));
	assert_true(prefix_contains(&lan, &last.addr));
	assert_false(prefix_contains(&lan, &next.addr));
}

static void test_offset_carries_over_bytes(void **state)
{
	struct addr a = pfx("10.0.0.255").addr;
	struct addr b = addr_offset(&a, 1);
	char buf[ADDR_STRLEN];

	(void)state;
	assert_string_equal(addr_format(&b, buf), "10.0.1.0");
	a = pfx("fd00::ffff:ffff").addr;
	b = addr_offset(&a, 2);
	assert_string_equal(addr_format(&b, buf), "fd00::1:0:1");
}

static void test_endpoints_survive_sockaddr(void **state)
{
	struct endpoint e = {.addr = pfx("2001:db8::7").addr, .port = 4500};
	struct endpoint back;
	struct sockaddr_storage ss;
	char buf[ENDPOINT_STRLEN];

	(void)state;
	assert_int_equal(endpoint_to_sockaddr(&e, &ss), sizeof(struct sockaddr_in6));
	assert_int_equal(endpoint_from_sockaddr(&ss, &back), 0);
	assert_true(endpoint_equal(&e, &back));
	assert_string_equal(endpoint_format(&back, buf), "[2001:db8::7]:4500");

	e.addr = pfx("::ffff:192.0.2.1").addr;
	endpoint_to_sockaddr(&e, &ss);
	assert_int_equal(endpoint_from_sockaddr(&ss, &back), 0);
	assert_string_equal(endpoint_format(&back, buf), "192.0.2.1:4500");

	e.addr.family = 0;
	assert_int_equal(endpoint_to_sockaddr(&e, &ss), 0);
}

static void test_what_can_be_another_hosts_address(void **state)
{
	static const struct {
		const char *text;
		bool host;
	} cases[] = {
		{"192.0.2.1", true},
		{"1.0.0.0", true},
		{"169.254.1.1", true}, /* clouds use them inside tunnels */
		{"223.255.255.255", true},
		{"2001:db8::1", true},
		{"fd00::1", true},
		{"0.0.0.0", false},
		{"0.1.2.3", false},
		{"127.0.0.1", false},
		{"127.255.0.9", false},
		{"224.0.0.1", false},
		{"239.1.1.1", false},
		{"240.0.0.1", false},
		{"255.255.255.255", false},
		{"::", false},
		{"::1", false},
		{"ff02::1", false},
		{"fe80::1", false},
	};
	struct addr none = {0};

	(void)state;
	assert_false(addr_is_host(&none));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr a;

		assert_int_equal(addr_parse(cases[i].text, &a), 0);
		if (addr_is_host(&a) != cases[i].host)
			fail_msg("%s", cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes_are_read_as_written),
		cmocka_unit_test(test_prefixes_know_what_they_cover),
		cmocka_unit_test(test_offset_carries_over_bytes),
		cmocka_unit_test(test_endpoints_survive_sockaddr),
		cmocka_unit_test(test_what_can_be_another_hosts_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
