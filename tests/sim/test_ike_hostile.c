/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a peer, or somebody who only pretends to be one, may send to a live
 * engine. Names in brackets are cases of published faults in other daemons.
 */
#include "tests/unit/cm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <utlist.h>

#include "ike/conn.h"
#include "ike/constants.h"
#include "ike/engine.h"
#include "ike/payload.h"
#include "ike/protect.h"
#include "ike/selector.h"
#include "lib/alloc.h"
#include "tests/fuzz/ike_live.h"

/* What the engine answered last, opened where it was sealed. */
static struct {
	uint8_t bytes[IKE_MESSAGE_OUT_MAX];
	size_t len;
	unsigned int count;
	bool swallow;
} sent[2];

static bool note(struct world *w, int from, const uint8_t *msg, size_t len)
{
	(void)w;
	memcpy(sent[from].bytes, msg, len);
	sent[from].len = len;
	sent[from].count++;
	return !sent[from].swallow;
}

static struct ike_counters counters(struct world *w, int side)
{
	struct ike_counters c;

	ike_counters_get(w->side[side].ike, &c);
	return c;
}

static struct world *pair(uint64_t seed)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w = world_new(seed);

	memset(sent, 0, sizeof(sent));
	w->tap = note;
	world_conn(w, 0, &a);
	world_conn(w, 1, &b);
	return w;
}

static void call(struct world *w)
{
	assert_int_equal(ike_up(w->side[0].ike, w->now, "hub/isp1"), 0);
	world_pump(w, 0);
}

static struct world *up(uint64_t seed)
{
	struct world *w = pair(seed);

	call(w);
	assert_true(world_run_until_up(w, 5000));
	world_run(w, 1000);
	return w;
}

/* The notify in the last answer of side; 0 when there is none. */
static uint16_t answered_notify(struct world *w, int side)
{
	struct ike_sa *sa = ike_live_sa(w, side);
	uint8_t inner[IKE_MESSAGE_OUT_MAX];
	struct ike_chain chain;
	size_t len = sent[side].len - IKE_HDR_LEN;
	uint8_t first = sent[side].bytes[IKE_HDR_NEXT_AT];
	struct rbuf r;

	if (first == IKE_PLD_SK) {
		assert_non_null(sa);
		assert_int_equal(ike_protect_open(sent[side].bytes, sent[side].len,
						  &sa->suite, ike_sa_key_out(sa), inner,
						  &len, &first),
				 0);
	} else {
		memcpy(inner, sent[side].bytes + IKE_HDR_LEN, len);
	}
	r = rbuf_init(inner, len);
	assert_int_equal(ike_payload_decode(&r, first, &chain), 0);
	return chain.n_notify ? chain.notify[0].type : 0;
}

/* Give side a message in clear: notify type with data, as an answer to its INIT. */
static void forge_init_answer(struct world *w, uint16_t type, const void *data,
			      size_t len)
{
	struct ike_sa *sa = ike_live_sa(w, 0);
	const struct ike_hdr hdr = {.spi_i = sa->own_spi,
				    .exchange = IKE_EX_SA_INIT,
				    .response = true};
	struct ike_addrs at = sa->at;
	uint8_t buf[512];
	struct ike_build b;

	ike_message_begin(&b, buf, sizeof(buf), &hdr);
	ike_payload_put_notify(&b, type, data, len);
	ike_input(w->side[0].ike, w->now, &at, buf, ike_message_end(&b));
	world_pump(w, 0);
}

static void stays_up(struct world *w)
{
	world_run(w, 100 * 1000);
	for (int s = 0; s < 2; s++) {
		assert_int_equal(world_status(w, s).state, IKE_UP);
		assert_int_equal(w->side[s].events[IKE_EV_DOWN], 0);
	}
	assert_true(world_sas_match(w));
}

/* (C20, C23, C24) */
static void test_an_exchange_before_its_time_changes_nothing(void **state)
{
	(void)state;
	for (uint8_t ex = IKE_EX_CREATE_CHILD; ex <= IKE_EX_INFORMATIONAL; ex++) {
		int side;
		struct world *w = ike_live_world(IKE_LIVE_INIT_ANSWERED, &side);
		struct ike_sa *sa = ike_live_sa(w, side);
		uint64_t before = counters(w, side).gated;

		assert_int_equal(sa->state, IKE_SA_INIT_ANSWERED);
		ike_live_talk(w, side, sa, ex, false, 0, NULL, 0);
		assert_int_equal(sa->state, IKE_SA_INIT_ANSWERED);
		assert_false(sa->keyed);
		assert_int_equal(counters(w, side).gated, before + 1);
		assert_int_equal(w->side[side].installs, 0);
		world_free(w);
	}
}

/* (C34, C70) */
static void test_a_forged_error_does_not_end_an_attempt(void **state)
{
	static const uint16_t types[] = {IKE_N_NO_PROPOSAL_CHOSEN,
					 IKE_N_AUTHENTICATION_FAILED,
					 IKE_N_INVALID_SYNTAX, IKE_N_INVALID_IKE_SPI,
					 9999};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct world *w = pair(300 + i);

		call(w);
		forge_init_answer(w, types[i], NULL, 0);
		assert_true(world_run_until_up(w, 1000));
		stays_up(w);
		world_free(w);
	}
}

/* (C40) */
static void test_retries_of_the_first_message_are_bounded(void **state)
{
	static const uint8_t not_offered[] = {0, 2};
	static const uint8_t same[] = {0, 31};
	static const uint8_t odd[] = {0, 19, 0};
	static const uint16_t groups[] = {19, 14, 31, 19, 14, 31, 19, 14};
	struct world *w = pair(310);
	unsigned int before;

	(void)state;
	w->cut = true;
	call(w);
	before = sent[0].count;
	forge_init_answer(w, IKE_N_INVALID_KE_PAYLOAD, not_offered, 2);
	forge_init_answer(w, IKE_N_INVALID_KE_PAYLOAD, same, 2);
	forge_init_answer(w, IKE_N_INVALID_KE_PAYLOAD, odd, 3);
	assert_int_equal(sent[0].count, before);
	world_free(w);

	w = pair(311);
	w->cut = true;
	call(w);
	for (int round = 0; round < 10; round++)
		for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
			const uint8_t data[] = {0, (uint8_t)groups[i]};

			forge_init_answer(w, IKE_N_INVALID_KE_PAYLOAD, data, 2);
		}
	assert_true(sent[0].count <= 1 + IKE_SUITES_MAX);
	world_free(w);

	w = pair(312);
	w->cut = true;
	call(w);
	for (int i = 0; i < 50; i++)
		forge_init_answer(w, IKE_N_COOKIE, "a cookie", 8);
	assert_int_equal(sent[0].count, 1 + IKE_COOKIE_ROUNDS_MAX);
	/* the cookie is the first payload of what was sent again */
	assert_int_equal(answered_notify(w, 0), IKE_N_COOKIE);
	forge_init_answer(w, IKE_N_COOKIE, sent, IKE_COOKIE_MAX + 1);
	assert_int_equal(sent[0].count, 1 + IKE_COOKIE_ROUNDS_MAX);
	world_free(w);
}

/* (C69) */
static void test_messages_thrown_back_are_dropped(void **state)
{
	struct world *w = pair(320);

	(void)state;
	call(w);
	for (int i = 0; i < 40; i++) {
		for (int s = 0; s < 2; s++) {
			struct ike_addrs at = {.uplink = 1};

			if (!sent[s].len)
				continue;
			assert_int_equal(addr_parse("198.51.100.1", &at.remote.addr),
					 0);
			assert_int_equal(addr_parse("10.0.0.2", &at.local.addr), 0);
			at.remote.port = at.local.port = 500;
			ike_input(w->side[s].ike, w->now, &at, sent[s].bytes,
				  sent[s].len);
			world_pump(w, s);
		}
		world_run(w, 10);
	}
	assert_true(world_run_until_up(w, 2000));
	stays_up(w);
	assert_int_equal(counters(w, 0).sas, 1);
	world_free(w);
}

/* (C37) */
static void test_answers_to_nothing_are_dropped(void **state)
{
	struct world *w = up(330);

	(void)state;
	for (int s = 0; s < 2; s++) {
		struct ike_sa *sa = ike_live_sa(w, s);
		uint64_t before = counters(w, s).out_of_window;

		for (uint8_t ex = IKE_EX_AUTH; ex <= IKE_EX_INFORMATIONAL; ex++)
			ike_live_talk(w, s, sa, ex, true, 0, NULL, 0);
		assert_int_equal(counters(w, s).out_of_window, before + 3);
	}
	stays_up(w);
	world_free(w);
}

/* A chain of one payload, as ike_live_talk() takes it. */
static size_t one(uint8_t *buf, const char *text_body, size_t body_len)
{
	struct wbuf w = wbuf_init(buf, 512);

	wbuf_u8(&w, 0);
	wbuf_u8(&w, 0);
	wbuf_u16(&w, (uint16_t)(4 + body_len));
	wbuf_bytes(&w, text_body, body_len);
	return wbuf_len(&w);
}

static void test_damaged_requests_are_answered_and_change_nothing(void **state)
{
	struct world *w = up(340);
	struct ike_sa *sa = ike_live_sa(w, 1);
	uint8_t chain[512];
	size_t len;

	(void)state;
	/* a payload that is cut short */
	ike_live_talk(w, 1, sa, IKE_EX_INFORMATIONAL, false, 41,
		      (const uint8_t *)"\0\0", 2);
	assert_int_equal(answered_notify(w, 1), IKE_N_INVALID_SYNTAX);
	/* one nobody knows, and critical */
	len = one(chain, "", 0);
	chain[1] = IKE_PLD_CRITICAL;
	ike_live_talk(w, 1, sa, IKE_EX_INFORMATIONAL, false, 99, chain, len);
	assert_int_equal(answered_notify(w, 1), IKE_N_UNSUPPORTED_CRITICAL);
	/* EAP, and AUTH, where they have no place */
	len = one(chain, "\3\0\0\4", 4);
	ike_live_talk(w, 1, sa, IKE_EX_INFORMATIONAL, false, 48, chain, len);
	assert_int_equal(answered_notify(w, 1), IKE_N_INVALID_SYNTAX);
	ike_live_talk(w, 1, sa, IKE_EX_AUTH, false, 41, chain, len);
	assert_int_equal(answered_notify(w, 1), IKE_N_INVALID_SYNTAX);
	/* unknown status notifies are ignored */
	len = one(chain, "\0\0\x7f\xff", 4);
	ike_live_talk(w, 1, sa, IKE_EX_INFORMATIONAL, false, 41, chain, len);
	assert_int_equal(answered_notify(w, 1), 0);
	assert_int_equal(sa->recv_id, 2 + 5);
	assert_int_equal(world_status(w, 1).state, IKE_UP);
	assert_int_equal(world_count(w, 1, IKE_IN), 1);
	world_free(w);
}

/* (C27) */
static void test_deletes_of_what_is_not_there_change_nothing(void **state)
{
	struct world *w = up(350);
	struct ike_sa *sa = ike_live_sa(w, 1);
	uint8_t chain[512];
	uint8_t body[8] = {IKE_PROTO_ESP, 4, 0, 1, 1, 2, 3, 4};
	size_t len;

	(void)state;
	len = one(chain, (const char *)body, sizeof(body));
	for (int i = 0; i < 3; i++) {
		ike_live_talk(w, 1, sa, IKE_EX_INFORMATIONAL, false, 42, chain, len);
		assert_int_equal(sent[1].count, 3 + (unsigned int)i);
	}
	assert_int_equal(world_count(w, 1, IKE_IN), 1);
	/* AH, and a protocol that does not exist */
	body[0] = IKE_PROTO_AH;
	len = one(chain, (const char *)body, sizeof(body));
	ike_live_talk(w, 1, sa, IKE_EX_INFORMATIONAL, false, 42, chain, len);
	body[0] = 200;
	len = one(chain, (const char *)body, sizeof(body));
	ike_live_talk(w, 1, sa, IKE_EX_INFORMATIONAL, false, 42, chain, len);
	assert_int_equal(world_count(w, 1, IKE_IN), 1);
	assert_int_equal(world_status(w, 1).state, IKE_UP);
	world_free(w);
}

/* A rekey request whose REKEY_SA says what it should not (C26) */
static void test_rekeys_of_what_cannot_be_are_refused(void **state)
{
	static const struct {
		uint8_t notify[12];
		size_t len;
		uint16_t want;
	} cases[] = {
		{{0, 0, 0x40, 9}, 4, IKE_N_INVALID_SYNTAX},
		{{1, 4, 0x40, 9, 1, 2, 3, 4}, 8, IKE_N_INVALID_SYNTAX},
		{{2, 4, 0x40, 9, 1, 2, 3, 4}, 8, IKE_N_INVALID_SYNTAX},
		{{3, 0, 0x40, 9}, 4, IKE_N_INVALID_SYNTAX},
		{{3, 8, 0x40, 9, 1, 2, 3, 4, 5, 6, 7, 8}, 12, IKE_N_INVALID_SYNTAX},
		{{3, 4, 0x40, 9, 1, 2, 3, 4}, 8, IKE_N_CHILD_SA_NOT_FOUND},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct world *w = up(360 + i);
		const struct ike_hdr hdr = {.spi_i = 1};
		uint8_t buf[IKE_MESSAGE_OUT_MAX];
		struct ike_ts_list ts;
		struct ike_build b;

		ike_message_begin(&b, buf, sizeof(buf), &hdr);
		ike_build_begin(&b, IKE_PLD_NOTIFY);
		wbuf_bytes(&b.w, cases[i].notify, cases[i].len);
		ike_build_end(&b);
		ike_proposal_put(&b, IKE_USE_CHILD, &ike_proposal_default_esp,
				 "\1\1\1\1", 4, 0);
		ike_payload_put_nonce(&b, "0123456789abcdef", 16);
		ike_selector_all(&ts, true, false);
		ike_payload_put_ts(&b, IKE_PLD_TSI, &ts);
		ike_payload_put_ts(&b, IKE_PLD_TSR, &ts);
		ike_live_talk(w, 1, ike_live_sa(w, 1), IKE_EX_CREATE_CHILD, false,
			      IKE_PLD_NOTIFY, buf + IKE_HDR_LEN,
			      wbuf_len(&b.w) - IKE_HDR_LEN);
		assert_int_equal(answered_notify(w, 1), cases[i].want);
		assert_int_equal(world_count(w, 1, IKE_IN), 1);
		world_free(w);
	}
}

/* (C33) */
/* What is on the wire of a rekey whose key exchange value is not one. */
static size_t odd_rekey(struct ike_build *b, uint8_t *buf, size_t ke_len)
{
	static const uint8_t ke[400] = {9};
	const struct ike_suites pfs = {
		.s = {{.encr = 20, .key_bits = 256, .group = 31}}, .n = 1};
	const struct ike_hdr hdr = {.spi_i = 1};
	struct ike_ts_list ts;

	ike_message_begin(b, buf, IKE_MESSAGE_OUT_MAX, &hdr);
	ike_proposal_put(b, IKE_USE_CHILD, &pfs, "\1\1\1\1", 4, 0);
	ike_payload_put_nonce(b, "0123456789abcdef", 16);
	ike_payload_put_ke(b, 31, ke, ke_len);
	ike_selector_all(&ts, true, false);
	ike_payload_put_ts(b, IKE_PLD_TSI, &ts);
	ike_payload_put_ts(b, IKE_PLD_TSR, &ts);
	return wbuf_len(&b->w) - IKE_HDR_LEN;
}

/* A key exchange without the peer's half would be PFS in name alone. */
static void test_no_child_comes_of_half_a_key_exchange(void **state)
{
	static const size_t lengths[] = {0, 1, 31, 33, 256, 257, 400};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		struct world *w = up(380 + i);
		uint8_t buf[IKE_MESSAGE_OUT_MAX];
		struct ike_build b;
		size_t len = odd_rekey(&b, buf, lengths[i]);

		ike_live_talk(w, 1, ike_live_sa(w, 1), IKE_EX_CREATE_CHILD, false,
			      IKE_PLD_SA, buf + IKE_HDR_LEN, len);
		assert_int_equal(answered_notify(w, 1), IKE_N_INVALID_SYNTAX);
		assert_int_equal(world_count(w, 1, IKE_IN), 1);
		assert_int_equal(world_status(w, 1).state, IKE_UP);
		world_free(w);
	}
	/* the same in an answer: the two ends differ, and the SA ends */
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		int side;
		struct world *w = ike_live_world(IKE_LIVE_REKEYING_CHILD, &side);
		struct ike_sa *sa = ike_live_sa(w, side);
		uint8_t buf[IKE_MESSAGE_OUT_MAX];
		unsigned int installs = w->side[side].installs;
		struct ike_build b;
		size_t len = odd_rekey(&b, buf, lengths[i]);

		assert_int_equal(sa->op->group, 31);
		ike_live_talk(w, side, sa, IKE_EX_CREATE_CHILD, true, IKE_PLD_SA,
			      buf + IKE_HDR_LEN, len);
		assert_int_equal(w->side[side].installs, installs);
		assert_int_equal(w->side[side].last_reason, IKE_REASON_SYNTAX);
		world_free(w);
	}
}

/* Its own answer to IKE_AUTH is still on the way: it will ask again. */
static void test_a_question_before_the_answer_waits(void **state)
{
	int side;
	struct world *w = ike_live_world(IKE_LIVE_AUTH_SENT, &side);
	struct ike_sa *sa = ike_live_sa(w, side);

	(void)state;
	memset(sent, 0, sizeof(sent));
	w->tap = note;
	assert_int_equal(sa->state, IKE_SA_AUTH_SENT);
	ike_live_talk(w, side, sa, IKE_EX_INFORMATIONAL, false, 0, NULL, 0);
	assert_int_equal(sent[side].count, 0);
	assert_int_equal(sa->recv_id, 0);
	assert_true(world_run_until_up(w, 5000));
	ike_live_talk(w, side, sa, IKE_EX_INFORMATIONAL, false, 0, NULL, 0);
	assert_int_equal(sa->recv_id, 1);
	assert_int_equal(answered_notify(w, side), 0);
	world_free(w);
}

/* RFC 7296 section 2.5 */
static void test_a_callers_unknown_critical_payload_is_named(void **state)
{
	struct world *w = pair(396);
	struct ike_addrs at = {.uplink = 1};
	uint8_t first[IKE_MESSAGE_OUT_MAX];
	struct ike_chain chain;
	struct ike_hdr hdr;
	struct rbuf r;

	(void)state;
	call(w);
	memcpy(first, sent[0].bytes, sent[0].len);
	assert_int_equal(addr_parse("203.0.113.7", &at.remote.addr), 0);
	assert_int_equal(addr_parse("198.51.100.1", &at.local.addr), 0);
	at.remote.port = at.local.port = 500;
	first[IKE_HDR_NEXT_AT] = 99;
	first[IKE_HDR_LEN + 1] |= IKE_PLD_CRITICAL;
	sent[1].len = 0;
	ike_input(w->side[1].ike, w->now, &at, first, sent[0].len);
	world_pump(w, 1);
	assert_int_equal(ike_message_decode(sent[1].bytes, sent[1].len, &hdr), 0);
	assert_true(hdr.response && !hdr.spi_r);
	r = rbuf_init(sent[1].bytes, sent[1].len);
	rbuf_skip(&r, IKE_HDR_LEN);
	assert_int_equal(ike_payload_decode(&r, hdr.next, &chain), 0);
	assert_int_equal(chain.n_notify, 1);
	assert_int_equal(chain.notify[0].type, IKE_N_UNSUPPORTED_CRITICAL);
	assert_int_equal(rbuf_left(&chain.notify[0].data), 1);
	assert_int_equal(chain.notify[0].data.pos[0], 99);
	assert_int_equal(counters(w, 1).half_open, 0);
	world_free(w);
}

/* The first message with a key of another length, whatever the group says; its bytes. */
static size_t with_key_of(const uint8_t *msg, size_t len, size_t key_len, uint8_t *out)
{
	const size_t head = 8; /* of a KE payload */
	struct ike_chain chain;
	struct ike_hdr hdr;
	struct rbuf r = rbuf_init(msg, len);
	size_t at;
	size_t rest;
	size_t all;

	assert_int_equal(ike_message_decode(msg, len, &hdr), 0);
	rbuf_skip(&r, IKE_HDR_LEN);
	assert_int_equal(ike_payload_decode(&r, hdr.next, &chain), 0);
	at = (size_t)(chain.ke.pos - msg);
	rest = at + rbuf_left(&chain.ke);
	all = at + key_len + (len - rest);
	memcpy(out, msg, at);
	memset(out + at, 9, key_len);
	memcpy(out + at + key_len, msg + rest, len - rest);
	out[at - head + 2] = (uint8_t)((head + key_len) >> 8);
	out[at - head + 3] = (uint8_t)(head + key_len);
	out[26] = (uint8_t)(all >> 8);
	out[27] = (uint8_t)all;
	return all;
}

static void test_a_callers_key_has_its_groups_length(void **state)
{
	static const size_t lengths[] = {0, 1, 31, 33, 256, 257, 1000};
	struct ike_addrs at = {.uplink = 1};
	uint8_t msg[2 * IKE_MESSAGE_OUT_MAX];
	struct world *w = pair(397);

	(void)state;
	call(w);
	assert_int_equal(addr_parse("203.0.113.7", &at.remote.addr), 0);
	assert_int_equal(addr_parse("198.51.100.1", &at.local.addr), 0);
	at.remote.port = at.local.port = 500;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		uint64_t before = counters(w, 1).malformed;
		size_t len = with_key_of(sent[0].bytes, sent[0].len, lengths[i], msg);

		sent[1].count = 0;
		ike_input(w->side[1].ike, w->now, &at, msg, len);
		world_pump(w, 1);
		assert_int_equal(counters(w, 1).malformed, before + 1);
		assert_int_equal(counters(w, 1).half_open, 0);
		assert_int_equal(sent[1].count, 0);
	}
	/* and one of the right length is answered */
	ike_input(w->side[1].ike, w->now, &at, msg,
		  with_key_of(sent[0].bytes, sent[0].len, 32, msg));
	world_pump(w, 1);
	assert_int_equal(counters(w, 1).half_open, 1);
	world_free(w);
}

static void test_an_address_is_followed_only_when_authentic_and_new(void **state)
{
	struct world *w = pair(370);
	struct ike_addrs from;
	uint8_t copy[IKE_MESSAGE_OUT_MAX];
	size_t len;

	(void)state;
	w->nat = true;
	call(w);
	assert_true(world_run_until_up(w, 5000));
	world_run(w, 500);
	/* a true request, seen by side 1 already, sent again from elsewhere */
	assert_int_equal(ike_probe(w->side[0].ike, w->now, "hub/isp1"), 0);
	world_pump(w, 0);
	len = sent[0].len;
	memcpy(copy, sent[0].bytes, len);
	world_run(w, 500);
	from = ike_live_sa(w, 1)->at;
	from.remote.port = 6666;
	ike_input(w->side[1].ike, w->now, &from, copy, len);
	world_pump(w, 1);
	assert_int_equal(w->side[1].events[IKE_EV_PEER_MOVED], 0);
	assert_int_not_equal(world_status(w, 1).at.remote.port, 6666);
	/* the next one, but broken */
	copy[len - 1] ^= 1;
	copy[23]++;
	ike_input(w->side[1].ike, w->now, &from, copy, len);
	world_pump(w, 1);
	assert_int_equal(w->side[1].events[IKE_EV_PEER_MOVED], 0);
	assert_int_equal(counters(w, 1).not_authentic, 1);
	stays_up(w);
	world_free(w);
}

static void test_a_repeated_request_gets_the_same_answer(void **state)
{
	struct world *w = up(380);
	uint8_t request[IKE_MESSAGE_OUT_MAX];
	uint8_t answer[IKE_MESSAGE_OUT_MAX];
	struct ike_addrs at = ike_live_sa(w, 1)->at;
	unsigned int installs;
	size_t request_len;
	size_t answer_len;

	(void)state;
	assert_int_equal(ike_rekey_child(w->side[0].ike, w->now, "hub/isp1"), 0);
	world_pump(w, 0);
	request_len = sent[0].len;
	memcpy(request, sent[0].bytes, request_len);
	sent[0].swallow = true; /* our Delete must not come in between */
	world_run(w, 15);
	answer_len = sent[1].len;
	memcpy(answer, sent[1].bytes, answer_len);
	installs = w->side[1].installs;
	for (int i = 0; i < 5; i++) {
		sent[1].len = 0;
		ike_input(w->side[1].ike, w->now, &at, request, request_len);
		world_pump(w, 1);
		assert_int_equal(sent[1].len, answer_len);
		assert_memory_equal(sent[1].bytes, answer, answer_len);
	}
	assert_int_equal(w->side[1].installs, installs);
	/* the same id with other bytes is not the same request */
	sent[1].len = 0;
	request[request_len - 1] ^= 1;
	ike_input(w->side[1].ike, w->now, &at, request, request_len);
	world_pump(w, 1);
	assert_int_equal(sent[1].len, 0);
	sent[0].swallow = false;
	stays_up(w);
	world_free(w);
}

/* (D01, D04) */
static void test_a_flood_of_first_messages_is_bounded(void **state)
{
	struct world *w = up(390);
	struct ike_addrs at = ike_live_sa(w, 1)->at;
	struct ike_counters c;
	uint8_t first[IKE_MESSAGE_OUT_MAX];
	struct world *other = pair(391);
	size_t len;

	(void)state;
	call(other);
	len = sent[0].len;
	memcpy(first, sent[0].bytes, len);
	world_free(other);
	for (unsigned int i = 0; i < 2000; i++) {
		memcpy(first, &i, sizeof(i));
		at.remote.addr.b[0] = 203;
		at.remote.addr.b[3] = (uint8_t)i;
		at.remote.addr.b[2] = (uint8_t)(i / 1000);
		ike_input(w->side[1].ike, w->now, &at, first, len);
		world_pump(w, 1);
	}
	c = counters(w, 1);
	assert_int_equal(c.half_open, IKE_COOKIE_FROM);
	assert_int_equal(c.cookies_asked, 2000 - IKE_COOKIE_FROM);
	stays_up(w); /* longer than a half-open one lives */
	assert_int_equal(counters(w, 1).half_open, 0);
	world_free(w);
}

/* Proposals that nobody takes must not cost a walk through all branches of a hub. */
static void test_a_strangers_offer_is_compared_with_few(void **state)
{
	struct world *w = pair(395);
	struct ike *ike = w->side[1].ike;
	struct ike_conn_config branch = world_answerer();
	struct ike_addrs at = {.uplink = 1};
	uint8_t first[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;
	const struct ike_suites odd = {
		.s = {{.encr = 20, .key_bits = 128, .prf = 7, .group = 14}}, .n = 1};
	struct ike_hdr hdr = {.exchange = IKE_EX_SA_INIT, .from_initiator = true};
	char why[IKE_SENTENCE_MAX] = "";
	struct timespec begun;
	struct timespec end;
	uint8_t zero[256] = {1};
	size_t n;

	(void)state;
	for (int i = 0; i < 3000; i++) {
		snprintf(branch.name, sizeof(branch.name), "branch-%d", i);
		snprintf(branch.remote_id, sizeof(branch.remote_id), "*.branch-%d", i);
		branch.template = true;
		branch.initiate = false;
		branch.ike_suites[0] = (struct ike_suite){.encr = 20,
							  .key_bits = 256,
							  .prf = 5,
							  .group = 31};
		/* one of them wants something of its own */
		branch.ike_suites[0].prf = i == 2000 ? 6 : 5;
		branch.n_ike_suites = 1;
		assert_int_equal(ike_conn_set(ike, w->now, &branch, why), 0);
	}
	assert_int_equal(addr_parse("203.0.113.7", &at.remote.addr), 0);
	assert_int_equal(addr_parse("198.51.100.1", &at.local.addr), 0);
	at.remote.port = at.local.port = 500;
	clock_gettime(CLOCK_MONOTONIC, &begun);
	for (uint64_t i = 1; i <= 300; i++) {
		hdr.spi_i = i << 32 | 7;
		ike_message_begin(&b, first, sizeof(first), &hdr);
		ike_proposal_put(&b, IKE_USE_IKE, &odd, NULL, 0, 0);
		ike_payload_put_ke(&b, 14, zero, sizeof(zero));
		ike_payload_put_nonce(&b, zero, 32);
		ike_input(ike, w->now, &at, first, ike_message_end(&b));
		while (ike_next_action(ike))
			;
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	print_message("# 300 refused offers at a hub of 3,000: %lld us\n",
		      (long long)(end.tv_sec - begun.tv_sec) * 1000000 +
			      (end.tv_nsec - begun.tv_nsec) / 1000);
	assert_int_equal(counters(w, 1).half_open, 0);
	(void)ike_conn_callees(ike, &n);
	assert_int_equal(n, 3); /* the world's own, the branches, the odd one */
	assert_int_equal(ike_conn_remove(ike, w->now, "branch-2000"), 0);
	(void)ike_conn_callees(ike, &n);
	assert_int_equal(n, 2);
	world_free(w);
}

static void test_garbage_before_the_true_auth_does_not_matter(void **state)
{
	int side;
	struct world *w = ike_live_world(IKE_LIVE_INIT_ANSWERED, &side);
	struct ike_sa *sa = ike_live_sa(w, side);
	const struct ike_hdr hdr = {.spi_i = sa->peer_spi,
				    .spi_r = sa->own_spi,
				    .exchange = IKE_EX_AUTH,
				    .from_initiator = true,
				    .id = 1};
	struct ike_addrs at = sa->at;
	uint8_t buf[256];
	struct ike_build b;

	(void)state;
	ike_message_begin(&b, buf, sizeof(buf), &hdr);
	ike_build_begin(&b, IKE_PLD_SK);
	wbuf_zero(&b.w, 100);
	ike_build_end(&b);
	ike_input(w->side[side].ike, w->now, &at, buf, ike_message_end(&b));
	world_pump(w, side);
	assert_int_equal(counters(w, side).not_authentic, 1);
	w->tap = NULL; /* the caller's repetition arrives */
	assert_true(world_run_until_up(w, 5000));
	world_free(w);
}

static void test_every_cut_of_every_message_is_harmless(void **state)
{
	struct world *w = pair(400);

	(void)state;
	call(w);
	for (int i = 0; i < 8; i++) {
		world_run(w, 5);
		for (int s = 0; s < 2; s++) {
			struct ike_addrs at = {.uplink = 1};
			uint8_t copy[IKE_MESSAGE_OUT_MAX];
			size_t len = sent[s].len;

			memcpy(copy, sent[s].bytes, len);
			assert_int_equal(addr_parse("10.0.0.2", &at.remote.addr), 0);
			assert_int_equal(addr_parse("198.51.100.1", &at.local.addr), 0);
			at.remote.port = at.local.port = 500;
			for (size_t cut = 0; cut < len; cut++) {
				if (cut > IKE_HDR_LEN) {
					copy[26] = (uint8_t)(cut >> 8);
					copy[27] = (uint8_t)cut;
				}
				ike_input(w->side[!s].ike, w->now, &at, copy, cut);
				world_pump(w, !s);
			}
		}
	}
	assert_true(world_run_until_up(w, 20000));
	stays_up(w);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_exchange_before_its_time_changes_nothing),
		cmocka_unit_test(test_a_forged_error_does_not_end_an_attempt),
		cmocka_unit_test(test_retries_of_the_first_message_are_bounded),
		cmocka_unit_test(test_messages_thrown_back_are_dropped),
		cmocka_unit_test(test_answers_to_nothing_are_dropped),
		cmocka_unit_test(test_damaged_requests_are_answered_and_change_nothing),
		cmocka_unit_test(test_deletes_of_what_is_not_there_change_nothing),
		cmocka_unit_test(test_rekeys_of_what_cannot_be_are_refused),
		cmocka_unit_test(test_no_child_comes_of_half_a_key_exchange),
		cmocka_unit_test(test_a_question_before_the_answer_waits),
		cmocka_unit_test(test_a_callers_unknown_critical_payload_is_named),
		cmocka_unit_test(test_a_callers_key_has_its_groups_length),
		cmocka_unit_test(
			test_an_address_is_followed_only_when_authentic_and_new),
		cmocka_unit_test(test_a_repeated_request_gets_the_same_answer),
		cmocka_unit_test(test_a_flood_of_first_messages_is_bounded),
		cmocka_unit_test(test_a_strangers_offer_is_compared_with_few),
		cmocka_unit_test(test_garbage_before_the_true_auth_does_not_matter),
		cmocka_unit_test(test_every_cut_of_every_message_is_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
