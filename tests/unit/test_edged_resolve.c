/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/resolve.h"

#include <errno.h>
#include <stdbool.h>

#include "lib/loop.h"
#include "tests/unit/cm.h"

struct seen {
	struct loop *loop;
	unsigned int calls;
	unsigned int stop_after;
	int err;
	struct addr first;
	size_t n;
	uint32_t ttl_s;
};

static void on_answer(void *ctx, const struct resolve_answer *a)
{
	struct seen *s = ctx;

	s->calls++;
	s->err = a->err;
	s->n = a->n;
	s->ttl_s = a->ttl_s;
	if (a->n)
		s->first = a->addrs[0];
	if (s->calls == s->stop_after)
		loop_stop(s->loop);
}

static void test_an_address_answers_as_itself_from_the_loop(void **state)
{
	struct seen s = {.loop = loop_new(), .stop_after = 1};
	struct resolver *r = resolver_new(s.loop);
	char buf[ADDR_STRLEN];

	(void)state;
	assert_non_null(resolver_ask(r, "2001:db8::5", NULL, 0, on_answer, &s));
	assert_int_equal(s.calls, 0); /* never from inside resolver_ask() */
	loop_run(s.loop);
	assert_int_equal(s.err, 0);
	assert_int_equal(s.n, 1);
	assert_string_equal(addr_format(&s.first, buf), "2001:db8::5");
	assert_in_range(s.ttl_s, RESOLVE_TTL_MIN_S, RESOLVE_TTL_MAX_S);
	resolver_free(r);
	loop_free(s.loop);
}

static void test_hosts_are_known_by_family(void **state)
{
	struct seen s = {.loop = loop_new(), .stop_after = 1};
	struct resolver *r = resolver_new(s.loop);

	(void)state;
	assert_non_null(resolver_ask(r, "localhost", "lo", AF_INET, on_answer, &s));
	loop_run(s.loop);
	assert_int_equal(s.err, 0);
	assert_true(addr_is_loopback(&s.first));
	assert_int_equal(s.first.family, AF_INET);
	resolver_free(r);
	loop_free(s.loop);
}

static void test_a_cancelled_question_stays_silent(void **state)
{
	struct seen s = {.loop = loop_new(), .stop_after = 1};
	struct seen never = {.loop = s.loop};
	struct resolver *r = resolver_new(s.loop);

	(void)state;
	resolver_cancel(resolver_ask(r, "192.0.2.1", NULL, 0, on_answer, &never));
	resolver_cancel(NULL);
	assert_non_null(resolver_ask(r, "192.0.2.2", NULL, 0, on_answer, &s));
	loop_run(s.loop);
	assert_int_equal(never.calls, 0);
	assert_int_equal(s.calls, 1);
	/* One that is still open when the resolver goes is forgotten too. */
	assert_non_null(resolver_ask(r, "192.0.2.3", NULL, 0, on_answer, &never));
	resolver_free(r);
	loop_run_once(s.loop);
	assert_int_equal(never.calls, 0);
	loop_free(s.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_address_answers_as_itself_from_the_loop),
		cmocka_unit_test(test_hosts_are_known_by_family),
		cmocka_unit_test(test_a_cancelled_question_stays_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
