/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flood of callers that never prove who they are, and one that means it: with
 * COOKIE (RFC 7296 section 2.6) the flood from spoofed addresses takes no place.
 */
#include "tests/unit/cm.h"

#include <errno.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/limits.h"
#include "ike/message.h"
#include "ike/payload.h"
#include "ike/proposal.h"
#include "tests/sim/ike_world.h"

enum { HUB = 1 };

/* What the hub sent last in clear, and how often it asked for a cookie. */
static struct {
	uint8_t cookie[IKE_COOKIE_MAX];
	size_t len;
	uint64_t asked;
	size_t answer_max; /* bytes of the longest such answer */
} hub;

static bool tap(struct world *w, int from, const uint8_t *msg, size_t len)
{
	struct rbuf r = rbuf_init(msg, len);
	const struct ike_notify *n;
	struct ike_chain chain;
	struct ike_hdr hdr;

	(void)w;
	if (from != HUB || ike_message_decode(msg, len, &hdr) < 0 ||
	    hdr.exchange != IKE_EX_SA_INIT)
		return true;
	rbuf_skip(&r, IKE_HDR_LEN);
	assert_int_equal(ike_payload_decode(&r, hdr.next, &chain), 0);
	n = ike_payload_notify(&chain, IKE_N_COOKIE);
	if (!n)
		return true;
	/* nothing is kept for the caller: SPIr is zero */
	assert_int_equal(hdr.spi_r, 0);
	hub.len = rbuf_left(&n->data);
	assert_in_range(hub.len, 1, IKE_COOKIE_MAX);
	memcpy(hub.cookie, n->data.pos, hub.len);
	hub.asked++;
	if (len > hub.answer_max)
		hub.answer_max = len;
	return true;
}

static struct world *pair(uint64_t seed)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w = world_new(seed);

	memset(&hub, 0, sizeof(hub));
	w->tap = tap;
	world_conn(w, 0, &a);
	world_conn(w, HUB, &b);
	return w;
}

static struct ike_counters counters(struct world *w)
{
	struct ike_counters c;

	ike_counters_get(w->side[HUB].ike, &c);
	return c;
}

/* A first message from 203.x; returns its length. */
static size_t stranger(struct world *w, unsigned int number, unsigned int from,
		       const void *cookie, size_t cookie_len)
{
	const struct ike_hdr hdr = {.spi_i = UINT64_C(0xbad) << 32 | number,
				    .exchange = IKE_EX_SA_INIT,
				    .from_initiator = true};
	const struct ike_suites suites = {
		.s = {{.encr = 20, .key_bits = 256, .prf = 5, .group = 31}}, .n = 1};
	struct ike_addrs at = {.uplink = 1};
	uint8_t pub[32] = {9};
	uint8_t buf[512];
	struct ike_build b;
	size_t len;

	assert_int_equal(addr_parse("203.0.0.0", &at.remote.addr), 0);
	assert_int_equal(addr_parse("198.51.100.1", &at.local.addr), 0);
	at.remote.addr.b[2] = (uint8_t)(from >> 8);
	at.remote.addr.b[3] = (uint8_t)from;
	at.remote.port = at.local.port = 500;
	ike_message_begin(&b, buf, sizeof(buf), &hdr);
	if (cookie_len)
		ike_payload_put_notify(&b, IKE_N_COOKIE, cookie, cookie_len);
	ike_proposal_put(&b, IKE_USE_IKE, &suites, NULL, 0, 0);
	ike_payload_put_ke(&b, 31, pub, sizeof(pub));
	ike_payload_put_nonce(&b, pub, sizeof(pub));
	len = ike_message_end(&b);
	ike_input(w->side[HUB].ike, w->now, &at, buf, len);
	world_pump(w, HUB);
	return len;
}

static void call(struct world *w)
{
	assert_int_equal(ike_up(w->side[0].ike, w->now, "hub/isp1"), 0);
	world_pump(w, 0);
}

static void test_a_quiet_hub_asks_for_no_cookie(void **state)
{
	struct world *w = pair(1);

	(void)state;
	for (unsigned int i = 0; i + 1 < IKE_COOKIE_FROM; i++)
		stranger(w, i, i, NULL, 0);
	call(w);
	assert_true(world_run_until_up(w, 5000));
	assert_int_equal(hub.asked, 0);
	assert_int_equal(w->side[HUB].events[IKE_EV_NOTICE], 0);
	world_free(w);
}

static void test_a_caller_comes_through_a_flood(void **state)
{
	struct world *w = pair(2);
	size_t longest = 0;

	(void)state;
	for (unsigned int i = 0; i < 5000; i++) {
		size_t len = stranger(w, i, i, NULL, 0);

		longest = len > longest ? len : longest;
	}
	assert_int_equal(counters(w).half_open, IKE_COOKIE_FROM);
	assert_int_equal(counters(w).half_open_refused, 0);
	assert_int_equal(hub.asked, 5000 - IKE_COOKIE_FROM);
	assert_int_equal(counters(w).cookies_asked, hub.asked);
	assert_true(hub.answer_max < longest); /* no amplifier */
	/* people hear of it once */
	assert_int_equal(w->side[HUB].events[IKE_EV_NOTICE], 1);
	assert_int_equal(w->side[HUB].last_reason, IKE_REASON_LIMIT);
	assert_non_null(strstr(w->side[HUB].last_sentence, "COOKIE"));
	call(w);
	assert_true(world_run_until_up(w, 2000));
	assert_int_equal(hub.asked, 5000 - IKE_COOKIE_FROM + 1);
	world_free(w);
}

/* 2.6.1: cookie, then another group, and the cookie goes along. */
static void test_a_cookie_and_another_group_go_together(void **state)
{
	struct ike_conn_config c = world_caller();
	struct ike_conn_config h = world_answerer();
	struct world *w = pair(3);

	(void)state;
	c.ike_suites[0] =
		(struct ike_suite){.encr = 20, .key_bits = 256, .prf = 5, .group = 14};
	c.ike_suites[1] =
		(struct ike_suite){.encr = 20, .key_bits = 256, .prf = 5, .group = 31};
	c.n_ike_suites = 2;
	h.ike_suites[0] = c.ike_suites[1];
	h.n_ike_suites = 1;
	world_conn(w, 0, &c);
	world_conn(w, HUB, &h);
	for (unsigned int i = 0; i < 100; i++)
		stranger(w, i, i, NULL, 0);
	hub.asked = 0;
	call(w);
	assert_true(world_run_until_up(w, 2000));
	assert_int_equal(hub.asked, 1);
	world_free(w);
}

/* Loss of any message between the two is nothing new. */
static void test_cookies_get_over_loss(void **state)
{
	(void)state;
	for (uint64_t seed = 100; seed < 130; seed++) {
		struct world *w = pair(seed);

		for (unsigned int i = 0; i < 100; i++)
			stranger(w, i, i, NULL, 0);
		w->loss_pct = 20;
		w->dup_pct = 20;
		w->jitter = true;
		w->nat = seed & 1;
		call(w);
		if (!world_run_until_up(w, 25000))
			fail_msg("seed %llu", (unsigned long long)seed);
		world_free(w);
	}
}

static void test_who_has_a_cookie_is_bounded_as_well(void **state)
{
	struct world *w = pair(4);

	(void)state;
	for (unsigned int i = 0; i < IKE_COOKIE_FROM; i++)
		stranger(w, i, 0, NULL, 0);
	/* a cookie of another caller does not help */
	stranger(w, 1000, 1, NULL, 0);
	stranger(w, 1001, 1, hub.cookie, hub.len);
	stranger(w, 1000, 2, hub.cookie, hub.len);
	assert_int_equal(counters(w).half_open, IKE_COOKIE_FROM);
	/* one's own does, up to the limits of a source and of all */
	for (unsigned int i = 0; i < 100; i++) {
		stranger(w, 2000 + i, 3, NULL, 0);
		stranger(w, 2000 + i, 3, hub.cookie, hub.len);
	}
	assert_int_equal(counters(w).half_open,
			 IKE_COOKIE_FROM + IKE_HALF_OPEN_PER_SOURCE);
	for (unsigned int i = 0; i < 1000; i++) {
		stranger(w, 3000 + i, 100 + i, NULL, 0);
		stranger(w, 3000 + i, 100 + i, hub.cookie, hub.len);
	}
	assert_int_equal(counters(w).half_open, IKE_HALF_OPEN_MAX);
	world_run(w, (int64_t)(IKE_HALF_OPEN_S + 1) * 1000);
	assert_int_equal(counters(w).half_open, 0);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_quiet_hub_asks_for_no_cookie),
		cmocka_unit_test(test_a_caller_comes_through_a_flood),
		cmocka_unit_test(test_a_cookie_and_another_group_go_together),
		cmocka_unit_test(test_cookies_get_over_loss),
		cmocka_unit_test(test_who_has_a_cookie_is_bounded_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
