/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/cm.h"

#include <string.h>

#include "ike/cookie.h"
#include "ike/limits.h"

static const uint8_t ni[32] = "a nonce of the caller, 32 bytes";

static struct ike_cookie_caller caller(const char *from)
{
	struct ike_cookie_caller c = {.spi_i = 0x1122334455667788,
				      .nonce = rbuf_init(ni, sizeof(ni))};

	assert_int_equal(addr_parse(from, &c.from), 0);
	return c;
}

static struct mono at(int64_t s)
{
	return (struct mono){s * MONO_US_PER_S};
}

struct fixture {
	struct ike_cookies c;
	struct rng rng;
	uint8_t cookie[IKE_COOKIE_LEN];
};

static struct fixture given(int64_t s)
{
	const struct ike_cookie_caller who = caller("192.0.2.1");
	struct fixture f = {.rng = rng_seeded(7)};

	assert_int_equal(ike_cookie_make(&f.c, at(s), &f.rng, &who, f.cookie), 0);
	return f;
}

static bool taken(struct fixture *f, int64_t s, const struct ike_cookie_caller *who)
{
	return ike_cookie_check(&f->c, at(s), &f->rng, who,
				rbuf_init(f->cookie, sizeof(f->cookie)));
}

static void test_a_cookie_is_good_for_its_caller_alone(void **state)
{
	struct fixture f = given(1000);
	struct ike_cookie_caller who = caller("192.0.2.1");
	struct ike_cookie_caller other = caller("192.0.2.2");
	uint8_t other_ni[32] = "another nonce";

	(void)state;
	assert_true(taken(&f, 1000, &who));
	assert_true(taken(&f, 1000, &who));
	assert_false(taken(&f, 1000, &other));
	other = caller("::192.0.2.1");
	assert_false(taken(&f, 1000, &other));
	other = who;
	other.spi_i ^= 1;
	assert_false(taken(&f, 1000, &other));
	other = who;
	other.nonce = rbuf_init(other_ni, sizeof(other_ni));
	assert_false(taken(&f, 1000, &other));
	other.nonce = rbuf_init(ni, sizeof(ni) - 1);
	assert_false(taken(&f, 1000, &other));
}

static void test_a_changed_cookie_is_refused(void **state)
{
	struct fixture f = given(1000);
	struct ike_cookie_caller who = caller("192.0.2.1");
	uint8_t more[IKE_COOKIE_LEN + 1] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(f.cookie); i++) {
		f.cookie[i] ^= 0x40;
		assert_false(taken(&f, 1000, &who));
		f.cookie[i] ^= 0x40;
	}
	for (size_t len = 0; len < sizeof(f.cookie); len++)
		assert_false(ike_cookie_check(&f.c, at(1000), &f.rng, &who,
					      rbuf_init(f.cookie, len)));
	memcpy(more, f.cookie, sizeof(f.cookie));
	assert_false(ike_cookie_check(&f.c, at(1000), &f.rng, &who,
				      rbuf_init(more, sizeof(more))));
	assert_true(taken(&f, 1000, &who));
}

static void test_a_cookie_lives_for_one_to_two_secrets(void **state)
{
	struct ike_cookie_caller who = caller("192.0.2.1");
	struct fixture f = given(1000);

	(void)state;
	assert_true(taken(&f, 1000 + IKE_COOKIE_SECRET_S - 1, &who));
	assert_true(taken(&f, 1000 + IKE_COOKIE_SECRET_S, &who));
	assert_true(taken(&f, 1000 + 2 * IKE_COOKIE_SECRET_S - 1, &who));
	assert_false(taken(&f, 1000 + 2 * IKE_COOKIE_SECRET_S, &who));
	/* nobody called for a long time: both secrets are too old */
	f = given(1000);
	assert_false(taken(&f, 1000 + 2 * IKE_COOKIE_SECRET_S, &who));
}

/* Before the first cookie there is no secret that anybody could know. */
static void test_no_cookie_is_good_before_the_first_was_given(void **state)
{
	struct ike_cookie_caller who = caller("192.0.2.1");

	(void)state;
	for (unsigned int number = 0; number < 256; number++) {
		/* the engine's beginning: all zero, and what it knows of it */
		struct fixture zero = {.rng = rng_seeded(8)};
		struct fixture f = {.rng = rng_seeded(9)};

		zero.c.drawn = true;
		zero.c.renew_at = MONO_NEVER;
		zero.c.number = (uint8_t)number;
		assert_int_equal(ike_cookie_make(&zero.c, at(1), &zero.rng, &who,
						 f.cookie),
				 0);
		assert_false(taken(&f, 1, &who));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cookie_is_good_for_its_caller_alone),
		cmocka_unit_test(test_a_changed_cookie_is_refused),
		cmocka_unit_test(test_a_cookie_lives_for_one_to_two_secrets),
		cmocka_unit_test(test_no_cookie_is_good_before_the_first_was_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
