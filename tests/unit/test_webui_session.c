/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session and delay: both pure, both about time */
#include "webui/session.h"

#include <string.h>

#include "lib/rng.h"
#include "tests/unit/cm.h"
#include "webui/delay.h"

static const struct webusers_entry alice = {WEBUSERS_USER, WEBUSERS_OPERATOR, "alice",
					    "$y$hash of alice"};
static const struct webusers_entry bob = {WEBUSERS_USER, WEBUSERS_VIEWER, "bob",
					  "$y$hash of bob"};

static struct mono at(int64_t seconds)
{
	return (struct mono){(1000000 + seconds) * MONO_US_PER_S};
}

static void test_a_session_ends_after_twelve_hours(void **state)
{
	struct rng rng = rng_seeded(1);
	struct sessions *s = sessions_new(&rng);
	char token[SESSION_TOKEN_MAX];
	uint64_t id;

	(void)state;
	id = sessions_open(s, &alice, at(0), token)->id;
	assert_int_equal(strlen(token), 32);
	assert_string_equal(sessions_find(s, token, at(1))->user, "alice");
	assert_int_equal(sessions_find(s, token, at(1))->role, WEBUSERS_OPERATOR);
	/* Being used does not make it longer. */
	assert_non_null(sessions_find(s, token, at(SESSION_LIFE_S - 1)));
	assert_null(sessions_find(s, token, at(SESSION_LIFE_S)));
	assert_null(sessions_get(s, id, at(0)));
	assert_int_equal(sessions_count(s), 0);
	sessions_free(s);
}

static void test_only_the_very_cookie_opens(void **state)
{
	struct rng rng = rng_seeded(2);
	struct sessions *s = sessions_new(&rng);
	char first[SESSION_TOKEN_MAX];
	char second[SESSION_TOKEN_MAX];

	(void)state;
	sessions_open(s, &alice, at(0), first);
	sessions_open(s, &bob, at(0), second);
	assert_string_not_equal(first, second);
	assert_string_equal(sessions_find(s, second, at(0))->user, "bob");
	sessions_close(s, sessions_find(s, second, at(0))->id);
	assert_null(sessions_find(s, second, at(0)));
	for (size_t i = 0; i < 32; i++) {
		char c = first[i];

		first[i] = c == '0' ? '1' : '0';
		assert_null(sessions_find(s, first, at(0)));
		first[i] = c;
	}
	assert_non_null(sessions_find(s, first, at(0)));
	assert_null(sessions_find(s, "", at(0)));
	first[31] = '\0';
	assert_null(sessions_find(s, first, at(0)));
	sessions_free(s);
}

static void test_a_changed_line_ends_sessions(void **state)
{
	struct rng rng = rng_seeded(3);
	struct sessions *s = sessions_new(&rng);
	struct webusers_entry v[2] = {alice, bob};
	struct webusers users = {2, v};
	char token[2][SESSION_TOKEN_MAX];

	(void)state;
	sessions_open(s, &alice, at(0), token[0]);
	sessions_open(s, &bob, at(0), token[1]);
	sessions_revise(s, &users);
	assert_int_equal(sessions_count(s), 2);
	v[1].role = WEBUSERS_OPERATOR;
	sessions_revise(s, &users);
	assert_null(sessions_find(s, token[1], at(0)));
	memcpy(v[0].hash, "$y$HASH", 7);
	sessions_revise(s, &users);
	assert_null(sessions_find(s, token[0], at(0)));
	sessions_open(s, &bob, at(0), token[1]);
	users.n = 1;
	sessions_revise(s, &users);
	assert_int_equal(sessions_count(s), 0);
	sessions_free(s);
}

static void test_a_user_has_a_bounded_number(void **state)
{
	struct rng rng = rng_seeded(4);
	struct sessions *s = sessions_new(&rng);
	char token[SESSION_USER_MAX + 1][SESSION_TOKEN_MAX];
	char other[SESSION_TOKEN_MAX];

	(void)state;
	sessions_open(s, &bob, at(0), other);
	for (int i = 0; i <= SESSION_USER_MAX; i++)
		sessions_open(s, &alice, at(i), token[i]);
	assert_null(sessions_find(s, token[0], at(20)));
	for (int i = 1; i <= SESSION_USER_MAX; i++)
		assert_non_null(sessions_find(s, token[i], at(20)));
	assert_non_null(sessions_find(s, other, at(20)));
	sessions_free(s);
}

static struct addr address(const char *text)
{
	struct addr a = {0};

	assert_int_equal(addr_parse(text, &a), 0);
	return a;
}

static void test_failures_wait_longer_each_time(void **state)
{
	struct delay *d = delay_new();
	struct addr a = address("192.0.2.1");
	struct addr b = address("192.0.2.2");
	int64_t now = 0;
	int64_t want = 1;

	(void)state;
	for (int i = 0; i < DELAY_FREE - 1; i++) {
		delay_failed(d, &a, at(now));
		assert_int_equal(delay_left_ms(d, &a, at(now)), 0);
	}
	for (int i = 0; i < 12; i++) {
		int64_t left;

		delay_failed(d, &a, at(now));
		left = delay_left_ms(d, &a, at(now));
		assert_in_range(left, want * 1000, want * 1000 + 1);
		assert_int_equal(delay_left_ms(d, &b, at(now)), 0);
		now += want;
		assert_int_equal(delay_left_ms(d, &a, at(now)), 0);
		want = want * 2 > DELAY_MAX_S ? DELAY_MAX_S : want * 2;
	}
	assert_int_equal(want, DELAY_MAX_S);
	/* Quiet for long: all is forgotten. */
	now += DELAY_FORGET_S + 1;
	delay_failed(d, &a, at(now));
	assert_int_equal(delay_left_ms(d, &a, at(now)), 0);
	/* So it is after a log-in. */
	for (int i = 0; i < DELAY_FREE; i++)
		delay_failed(d, &a, at(now));
	assert_true(delay_left_ms(d, &a, at(now)) > 0);
	delay_passed(d, &a);
	assert_int_equal(delay_left_ms(d, &a, at(now)), 0);
	delay_free(d);
}

static void test_a_network_of_ipv6_is_one_address(void **state)
{
	struct delay *d = delay_new();
	struct addr a = address("2001:db8:0:1::1");
	struct addr b = address("2001:db8:0:1:ffff::2");
	struct addr c = address("2001:db8:0:2::1");

	(void)state;
	for (int i = 0; i < DELAY_FREE; i++)
		delay_failed(d, i % 2 ? &a : &b, at(0));
	assert_true(delay_left_ms(d, &a, at(0)) > 0);
	assert_true(delay_left_ms(d, &b, at(0)) > 0);
	assert_int_equal(delay_left_ms(d, &c, at(0)), 0);
	assert_true(delay_same(&a, &b));
	assert_false(delay_same(&a, &c));
	a = address("192.0.2.1");
	b = address("192.0.2.2");
	assert_true(delay_same(&a, &a));
	assert_false(delay_same(&a, &b));
	delay_free(d);
}

static void test_a_full_table_forgets_the_oldest(void **state)
{
	struct delay *d = delay_new();
	struct addr first = address("198.51.100.1");
	struct addr base = address("10.0.0.0");

	(void)state;
	for (int i = 0; i < DELAY_FREE; i++)
		delay_failed(d, &first, at(0));
	for (unsigned int i = 0; i < DELAY_ADDRESSES - 1; i++) {
		struct addr a = addr_offset(&base, i);

		delay_failed(d, &a, at(1));
	}
	assert_true(delay_left_ms(d, &first, at(0)) > 0);
	for (unsigned int i = 0; i < 2; i++) {
		struct addr a = addr_offset(&base, 5000 + i);

		delay_failed(d, &a, at(2));
	}
	assert_int_equal(delay_left_ms(d, &first, at(0)), 0);
	delay_free(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_session_ends_after_twelve_hours),
		cmocka_unit_test(test_only_the_very_cookie_opens),
		cmocka_unit_test(test_a_changed_line_ends_sessions),
		cmocka_unit_test(test_a_user_has_a_bounded_number),
		cmocka_unit_test(test_failures_wait_longer_each_time),
		cmocka_unit_test(test_a_network_of_ipv6_is_one_address),
		cmocka_unit_test(test_a_full_table_forgets_the_oldest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
