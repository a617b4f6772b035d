/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/gate.h"

#include <errno.h>
#include <string.h>

#include "lib/alloc.h"
#include "tests/unit/cm.h"

static struct addr address(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void test_hosts_are_taken_apart(void **state)
{
	static const char *const bad[] = {
		"",    " ",	 "a b",	    "a..b",	      "a..",	     ".a",
		"a:",  "a:0",	 "a:65536", "a:1x",	      "a:1:2",	     "[::1",
		"[]",  "[::1]x", "[::1]:",  "[10.0.0.1]",     "user@host",   "a/b",
		"a,b", "a\tb",	 "a%20b",   "[fe80::1%eth0]", "[::1]:99999",
	};
	struct gate_host h;

	(void)state;
	assert_int_equal(gate_host("Edge.Example.NET.:8443", &h), 0);
	assert_string_equal(h.name, "edge.example.net");
	assert_int_equal(h.port, 8443);
	assert_int_equal(h.addr.family, 0);
	assert_int_equal(gate_host("[FD00:0::1]:443", &h), 0);
	assert_string_equal(h.name, "fd00::1");
	assert_int_equal(h.addr.family, AF_INET6);
	assert_int_equal(gate_host("10.0.0.1", &h), 0);
	assert_int_equal(h.addr.family, AF_INET);
	assert_int_equal(h.port, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(gate_host(bad[i], &h), -EINVAL);
}

static bool ours(const char *host, const char *local)
{
	static const char *const names[] = {"edge.example.net", "203.0.113.9"};
	struct addr a = address(local);
	struct gate_host h;

	assert_int_equal(gate_host(host, &h), 0);
	return gate_host_ours(&h, &a, names, 2);
}

static void test_only_our_own_hosts_pass(void **state)
{
	(void)state;
	assert_true(ours("10.0.0.1", "10.0.0.1"));
	assert_true(ours("EDGE.example.net:1", "10.0.0.1"));
	assert_true(ours("203.0.113.9", "10.0.0.1"));
	assert_true(ours("localhost", "127.0.0.1"));
	assert_true(ours("[::1]:8080", "::1"));
	assert_false(ours("10.0.0.2", "10.0.0.1"));
	assert_false(ours("localhost", "10.0.0.1"));
	assert_false(ours("127.0.0.1", "10.0.0.1"));
	assert_false(ours("evil.example", "127.0.0.1"));
	assert_false(ours("edge.example.net.evil.example", "10.0.0.1"));
	assert_false(ours("xedge.example.net", "10.0.0.1"));
}

static bool same(const char *origin, bool tls, const char *host)
{
	struct gate_host h;

	assert_int_equal(gate_host(host, &h), 0);
	return gate_origin_ours(origin, tls, &h);
}

static void test_an_origin_is_scheme_host_and_port(void **state)
{
	(void)state;
	assert_true(same("https://a.example:8443", true, "a.example:8443"));
	assert_true(same("https://A.example", true, "a.example:443"));
	assert_true(same("http://127.0.0.1:8080", false, "127.0.0.1:8080"));
	assert_true(same("https://[::1]:8443", true, "[0::1]:8443"));
	assert_false(same("http://a.example", true, "a.example"));
	assert_false(same("https://a.example", false, "a.example"));
	assert_false(same("https://a.example", true, "a.example:8443"));
	assert_false(same("https://a.example:8443", true, "a.example"));
	assert_false(same("https://b.example", true, "a.example"));
	assert_false(same("https://a.example.evil", true, "a.example"));
	assert_false(same("https://a.example/", true, "a.example"));
	assert_false(same("https://a.example@evil", true, "a.example"));
	assert_false(same("null", true, "a.example"));
	assert_false(same("", true, "a.example"));
	assert_false(same("a.example", true, "a.example"));
}

static void test_a_cookie_is_there_once(void **state)
{
	char v[GATE_TOKEN_MAX];

	(void)state;
	assert_int_equal(gate_cookie("__Host-edged=abc", "__Host-edged", v), 0);
	assert_string_equal(v, "abc");
	assert_int_equal(gate_cookie("a=b;  __Host-edged=a-_9 ; c=d", "__Host-edged",
				     v),
			 0);
	assert_string_equal(v, "a-_9");
	assert_int_equal(gate_cookie("x__Host-edged=abc", "__Host-edged", v), -ENOENT);
	assert_int_equal(gate_cookie("__Host-edgedx=abc", "__Host-edged", v), -ENOENT);
	assert_int_equal(gate_cookie("", "__Host-edged", v), -ENOENT);
	assert_int_equal(gate_cookie(";;; ;", "__Host-edged", v), -ENOENT);
	assert_int_equal(gate_cookie("__Host-edged=a; __Host-edged=a", "__Host-edged",
				     v),
			 -EINVAL);
	assert_int_equal(gate_cookie("__Host-edged=", "__Host-edged", v), -EINVAL);
	assert_int_equal(gate_cookie("__Host-edged=\"abc\"", "__Host-edged", v),
			 -EINVAL);
	assert_int_equal(gate_cookie("__Host-edged=a b", "__Host-edged", v), -EINVAL);
}

static void test_a_token_is_one_word(void **state)
{
	char v[GATE_TOKEN_MAX];
	char huge[300];

	(void)state;
	assert_int_equal(gate_bearer("Bearer edw_12", v), 0);
	assert_string_equal(v, "edw_12");
	assert_int_equal(gate_bearer("bearer  x", v), 0);
	memset(huge, 'a', sizeof(huge));
	memcpy(huge, "Bearer ", 7);
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(gate_bearer(huge, v), -EINVAL);
	assert_int_equal(gate_bearer("Bearer", v), -EINVAL);
	assert_int_equal(gate_bearer("Bearer ", v), -EINVAL);
	assert_int_equal(gate_bearer("Bearer a b", v), -EINVAL);
	assert_int_equal(gate_bearer("Basic YTpi", v), -EINVAL);
}

static void test_header_lines_are_clean(void **state)
{
	static const char *const bad_names[] = {"",	"X ",	 " X",	  "X\tY",
						"X:Y",	"X\x01", "X\x7f", "X\xe9",
						"X(Y)", "X\"",	 "X/Y",	  "X\r\n Y"};
	static const char *const bad_values[] = {"a\rb", "a\nb", "\x01", "a\x1b[0m",
						 "\x7f"};

	(void)state;
	assert_true(gate_header_clean("Host", 4, "", 0));
	assert_true(gate_header_clean("x-A9!#$%&'*+-.^_`|~", 19, "a\tb \xc3\xa9\"", 7));
	for (size_t i = 0; i < ARRAY_LEN(bad_names); i++)
		assert_false(
			gate_header_clean(bad_names[i], strlen(bad_names[i]), "", 0));
	for (size_t i = 0; i < ARRAY_LEN(bad_values); i++)
		assert_false(gate_header_clean("X", 1, bad_values[i],
					       strlen(bad_values[i])));
	assert_false(gate_header_clean("X\0Y", 3, "", 0));
	assert_false(gate_header_clean("X", 1, "a\0b", 3));
}

static void test_headers_are_read_as_they_are_meant(void **state)
{
	(void)state;
	assert_true(gate_is_json("application/json"));
	assert_true(gate_is_json("Application/JSON; charset=UTF-8"));
	assert_false(gate_is_json("application/jsonx"));
	assert_false(gate_is_json("text/plain"));
	assert_false(gate_is_json("text/plain, application/json"));
	assert_false(gate_is_json("application/json; boundary=x"));
	assert_true(gate_takes_gzip("gzip"));
	assert_true(gate_takes_gzip("br, gzip;q=0.5, *"));
	assert_false(gate_takes_gzip("gzip;q=0, br"));
	assert_false(gate_takes_gzip("gzip; q=0.000"));
	assert_false(gate_takes_gzip("xgzip, br"));
	assert_false(gate_takes_gzip(""));
	assert_true(gate_has_tag("\"a\"", "\"a\""));
	assert_true(gate_has_tag("\"b\", W/\"a\"", "\"a\""));
	assert_true(gate_has_tag("*", "\"a\""));
	assert_false(gate_has_tag("\"ab\"", "\"a\""));
	assert_false(gate_has_tag("", "\"a\""));
}

static void test_what_is_decoded_is_clean_text(void **state)
{
	static const char *const bad[] = {
		"%",	  "%2",	 "%zz",	   "a%0",	"%00",	     "%0a",
		"%7f",	  "%ff", "%c0%af", "%e0%80%af", "%ed%a0%80", "%f5%80%80%80",
		"%c2%80", "%c3", "\x01",   "\x80",
	};
	char v[GATE_VALUE_MAX];

	(void)state;
	assert_int_equal(gate_decode("hub%2Fisp1", 10, false, v, sizeof(v)), 0);
	assert_string_equal(v, "hub/isp1");
	assert_int_equal(gate_decode("a+b%2B", 6, true, v, sizeof(v)), 0);
	assert_string_equal(v, "a b+");
	assert_int_equal(gate_decode("a+b", 3, false, v, sizeof(v)), 0);
	assert_string_equal(v, "a+b");
	assert_int_equal(gate_decode("%C3%A4", 6, false, v, sizeof(v)), 0);
	assert_string_equal(v, "\xc3\xa4");
	assert_int_equal(gate_decode("abcd", 4, false, v, 4), -EINVAL);
	assert_int_equal(gate_decode("abc", 3, false, v, 4), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(gate_decode(bad[i], strlen(bad[i]), false, v,
					     sizeof(v)),
				 -EINVAL);
}

static void test_queries_are_bounded_and_say_things_once(void **state)
{
	struct gate_param p[GATE_PARAMS_MAX];
	char many[200] = "";

	(void)state;
	assert_int_equal(gate_query("", p), 0);
	assert_int_equal(gate_query("a=1&&b=x%20y&", p), 2);
	assert_string_equal(p[0].name, "a");
	assert_string_equal(p[1].value, "x y");
	assert_int_equal(gate_query("a=1&a=2", p), -EINVAL);
	assert_int_equal(gate_query("a", p), -EINVAL);
	assert_int_equal(gate_query("=1", p), -EINVAL);
	assert_int_equal(gate_query("a=%00", p), -EINVAL);
	assert_int_equal(
		gate_query("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz=1", p),
		-EINVAL);
	for (char c = 'a'; c < 'a' + GATE_PARAMS_MAX + 1; c++) {
		char one[8] = {c, '=', '1', '&', '\0'};

		strncat(many, one, sizeof(many) - strlen(many) - 1);
	}
	assert_int_equal(gate_query(many, p), -EINVAL);
	many[strlen(many) - 4] = '\0';
	assert_int_equal(gate_query(many, p), GATE_PARAMS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts_are_taken_apart),
		cmocka_unit_test(test_only_our_own_hosts_pass),
		cmocka_unit_test(test_an_origin_is_scheme_host_and_port),
		cmocka_unit_test(test_a_cookie_is_there_once),
		cmocka_unit_test(test_a_token_is_one_word),
		cmocka_unit_test(test_header_lines_are_clean),
		cmocka_unit_test(test_headers_are_read_as_they_are_meant),
		cmocka_unit_test(test_what_is_decoded_is_clean_text),
		cmocka_unit_test(test_queries_are_bounded_and_say_things_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
