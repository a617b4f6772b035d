/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/login.h"

#include <crypt.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/loop.h"
#include "lib/mono.h"
#include "tests/unit/cm.h"

enum { ALL = LOGIN_QUEUE + 1, GIVE_UP_MS = 120000 };

struct bench {
	struct loop *loop;
	struct login *login;
	char hash[CRYPT_OUTPUT_SIZE]; /* of "right", as cheap as they come */
	unsigned int done, right;
};

static void bench_init(struct bench *b)
{
	struct crypt_data data = {.initialized = 0};
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	*b = (struct bench){.loop = loop_new()};
	b->login = login_new(b->loop);
	assert_non_null(b->login);
	assert_non_null(crypt_gensalt_rn("$y$", 1, "0123456789abcdef", 16, setting,
					 sizeof(setting)));
	snprintf(b->hash, sizeof(b->hash), "%s", crypt_r("right", setting, &data));
}

static void bench_fini(struct bench *b)
{
	login_free(b->login);
	loop_free(b->loop);
}

static void on_done(void *ctx, bool ok)
{
	struct bench *b = ctx;

	b->done++;
	b->right += ok;
}

static void wait_for(struct bench *b, unsigned int n)
{
	struct mono limit = mono_add_ms(mono_now(), GIVE_UP_MS);

	while (b->done < n && mono_before(mono_now(), limit))
		loop_run_once(b->loop);
	assert_int_equal(b->done, n);
}

static void test_each_one_gets_the_answer_to_its_own_password(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	assert_int_equal(login_check(b.login, "wrong", b.hash, on_done, &b), 0);
	assert_int_equal(login_check(b.login, "right", NULL, on_done, &b), 0);
	wait_for(&b, 2);
	assert_int_equal(b.right, 0);
	assert_int_equal(login_check(b.login, "right", b.hash, on_done, &b), 0);
	wait_for(&b, 3);
	assert_int_equal(b.right, 1);
	bench_fini(&b);
}

/* One is being checked, LOGIN_QUEUE wait; a flood waits nowhere. */
static void test_few_wait_and_the_others_are_refused(void **state)
{
	struct bench b;

	(void)state;
	bench_init(&b);
	for (int i = 0; i < ALL; i++)
		assert_int_equal(login_check(b.login, "wrong", b.hash, on_done, &b), 0);
	for (int i = 0; i < 100; i++)
		assert_int_equal(login_check(b.login, "right", b.hash, on_done, &b),
				 -EBUSY);
	assert_int_equal(b.done, 0);
	/* What waits is forgotten with it. */
	bench_fini(&b);
	assert_int_equal(b.done, 0);
}

/* After the burst one in LOGIN_RATE_MS, however cheap it is and however many ask. */
static void test_many_take_their_time(void **state)
{
	struct mono begun = mono_now();
	struct bench b;

	(void)state;
	bench_init(&b);
	for (int i = 0; i < ALL; i++)
		assert_int_equal(login_check(b.login, i ? "wrong" : "right", b.hash,
					     on_done, &b),
				 0);
	wait_for(&b, ALL);
	assert_int_equal(b.right, 1);
	assert_true(mono_diff_ms(mono_now(), begun) >=
		    (ALL - LOGIN_BURST - 1) * LOGIN_RATE_MS);
	bench_fini(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_one_gets_the_answer_to_its_own_password),
		cmocka_unit_test(test_few_wait_and_the_others_are_refused),
		cmocka_unit_test(test_many_take_their_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
