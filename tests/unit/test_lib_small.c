/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text, rng, ratelimit, secret, mono and nlq: small files, one test program */
#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/mono.h"
#include "lib/nlq.h"
#include "lib/nlsock.h"
#include "lib/ratelimit.h"
#include "lib/rng.h"
#include "lib/secret.h"
#include "lib/text.h"
#include "tests/unit/cm.h"

static void test_text_is_cut_never_overrun(void **state)
{
	char buf[8];
	struct text t = text_init(buf, sizeof(buf));

	(void)state;
	text_add(&t, "%s", "abc");
	assert_false(t.full);
	text_list(&t, ", ", "defgh");
	assert_true(t.full);
	assert_string_equal(buf, "abc, de");
}

static void test_foreign_bytes_are_escaped(void **state)
{
	char buf[64];
	struct text t = text_init(buf, sizeof(buf));

	(void)state;
	text_escape(&t, "a\n\x1b[31m\\\xff", 9);
	assert_string_equal(buf, "a\\x0a\\x1b[31m\\\\\\xff");
}

static void test_what_is_no_utf8_becomes_question_marks(void **state)
{
	static const struct {
		const char *text;
		const char *want;
	} rows[] = {
		{"", ""},
		{"a\n\x7f", "a\n\x7f"},
		{"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
		 "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
		{"cut \xc3", "cut ?"},
		{"cut \xe2\x82' here", "cut ?"
				       "?' here"},
		{"\xf0\x9f\x98", "???"},
		{"\xc0\xaf", "??"},
		{"\xe0\x80\xaf", "???"},
		{"\xed\xa0\x80", "???"},
		{"\xf4\x90\x80\x80", "????"},
		{"\xf8\x90\x80\x80", "????"},
		{"\xff\x80x", "??x"},
	};
	char buf[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		snprintf(buf, sizeof(buf), "%s", rows[i].text);
		text_make_utf8(buf);
		assert_string_equal(buf, rows[i].want);
	}
}

static void test_distance_counts_letters(void **state)
{
	(void)state;
	assert_int_equal(text_distance("interface", "intreface"), 2);
	assert_int_equal(text_distance("cost", "cost"), 0);
	assert_int_equal(text_distance("", "abc"), 3);
	assert_int_equal(text_distance("a", "0123456789012345678901234567890123456789"
					    "0123456789012345678901234567890123456789"),
			 UINT_MAX);
}

static void test_seeded_numbers_repeat(void **state)
{
	struct rng a = rng_seeded(7);
	struct rng b = rng_seeded(7);
	struct rng c = rng_seeded(8);

	(void)state;
	assert_true(rng_u64(&a) == rng_u64(&b));
	assert_true(rng_u64(&a) != rng_u64(&c));
	for (int i = 0; i < 1000; i++) {
		int64_t us = rng_jitter_us(&a, 1000000, 20);

		assert_in_range(us, 800000, 1200000);
		assert_in_range(rng_below(&b, 3), 0, 2);
		us = rng_jitter_us(&a, INT64_C(14400) * 1000000, 10);
		assert_in_range(us, INT64_C(12960) * 1000000, INT64_C(15840) * 1000000);
	}
}

static void test_the_bucket_refills_over_time(void **state)
{
	struct ratelimit l = ratelimit_init(2, 1000);
	struct mono now = {5000000};

	(void)state;
	assert_true(ratelimit_take(&l, now));
	assert_true(ratelimit_take(&l, now));
	assert_false(ratelimit_take(&l, now));
	now = mono_add_us(now, 999);
	assert_false(ratelimit_take(&l, now));
	now = mono_add_us(now, 1);
	assert_true(ratelimit_take(&l, now));
	assert_int_equal(l.refused, 2);
	now = mono_add_us(now, 3600 * MONO_US_PER_S);
	assert_true(ratelimit_take(&l, now));
	assert_true(ratelimit_take(&l, now));
	assert_false(ratelimit_take(&l, now));
}

static void test_never_stays_never(void **state)
{
	struct mono late = {INT64_MAX - 5};

	(void)state;
	assert_true(mono_is_never(mono_add_us(MONO_NEVER, -7)));
	assert_true(mono_is_never(mono_add_us(late, 10)));
	assert_true(mono_before(late, MONO_NEVER));
}

static void test_secrets_compare_and_copy(void **state)
{
	struct secret *a = secret_new("abcd", 4);
	struct secret *b = secret_dup(a);

	(void)state;
	assert_true(secret_equal(a->bytes, b->bytes, 4));
	b->bytes[3] ^= 1;
	assert_false(secret_equal(a->bytes, b->bytes, 4));
	secret_free(a);
	secret_free(b);
	secret_free(NULL);
}

static int count(const struct nlmsghdr *nlh, void *ctx)
{
	int *n = ctx;

	(void)nlh;
	(*n)++;
	return 0;
}

static void test_netlink_dumps_and_refuses(void **state)
{
	struct nlsock *s;
	struct nlq q;
	struct ifinfomsg *ifi;
	uint8_t big[NLQ_SIZE] = {0};
	int n = 0;

	(void)state;
	assert_int_equal(nlsock_open(NETLINK_ROUTE, &s), 0);
	nlq_init(&q, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	assert_int_equal(nlsock_dump(s, &q, count, &n), 0);
	assert_true(n >= 1);

	ifi = nlq_init(&q, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	ifi->ifi_index = INT_MAX;
	assert_int_equal(nlsock_call(s, &q), -ENODEV);

	nlq_init(&q, RTM_GETLINK, 0, sizeof(struct ifinfomsg));
	nlq_put(&q, 1, big, sizeof(big));
	nlq_u32(&q, 2, 1);
	assert_int_equal(nlsock_call(s, &q), -EMSGSIZE);
	nlsock_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_is_cut_never_overrun),
		cmocka_unit_test(test_what_is_no_utf8_becomes_question_marks),
		cmocka_unit_test(test_foreign_bytes_are_escaped),
		cmocka_unit_test(test_distance_counts_letters),
		cmocka_unit_test(test_seeded_numbers_repeat),
		cmocka_unit_test(test_the_bucket_refills_over_time),
		cmocka_unit_test(test_never_stays_never),
		cmocka_unit_test(test_secrets_compare_and_copy),
		cmocka_unit_test(test_netlink_dumps_and_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
