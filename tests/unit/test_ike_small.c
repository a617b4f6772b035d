/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pure small parts: identities and patterns, collisions, the gate, the
 * heap of timers.
 */
#include "tests/unit/cm.h"

#include <errno.h>
#include <string.h>

#include "ike/collision.h"
#include "ike/constants.h"
#include "ike/gate.h"
#include "ike/id.h"
#include "ike/timerq.h"
#include "lib/alloc.h"
#include "lib/rng.h"

static void test_patterns_match_identities(void **state)
{
	static const struct {
		const char *pattern;
		const char *id;
		bool match;
		const char *label;
	} cases[] = {
		{"hub.example", "hub.example", true, ""},
		{"hub.example", "HUB.Example", true, ""},
		{"hub.example", "hub.exampl", false, ""},
		{"hub.example", "hub.example.net", false, ""},
		{"*.branch-042", "isp1.branch-042", true, "isp1"},
		{"*.branch-042", "a.b.branch-042", true, "a.b"},
		{"*.branch-042", ".branch-042", false, ""},
		{"*.branch-042", "branch-042", false, ""},
		{"*.branch-042", "isp1.branch-043", false, ""},
		{"*.branch-042", "isp1/x.branch-042", false, ""},
		{"*.branch-042", "..x.branch-042", false, ""},
		{"isp*.branch", "isp7.branch", true, "7"},
		{"192.0.2.1", "192.0.2.1", true, ""},
		{"192.0.2.1", "192.0.2.2", false, ""},
		{"2001:db8::1", "2001:db8:0:0::1", true, ""},
		{"@192.0.2.1", "192.0.2.1", false, ""},
		{"@hub", "hub", true, ""},
		{"me@example.org", "me@example.org", true, ""},
		{"me@example.org", "@me", false, ""},
		{"*", "192.0.2.1", true, "192.0.2.1"},
		{"*", "isp1.branch", true, "isp1.branch"},
		{"*.0.2.1", "192.0.2.1", false, ""},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char label[IKE_LABEL_MAX + 1] = "?";
		struct ike_id id;

		assert_int_equal(ike_id_parse(cases[i].id, &id), 0);
		if (ike_id_match(cases[i].pattern, &id, label) != cases[i].match)
			fail_msg("%s and %s", cases[i].pattern, cases[i].id);
		if (cases[i].match)
			assert_string_equal(label, cases[i].label);
	}
	assert_true(ike_id_rank("isp1.branch") > ike_id_rank("*.a.very.long.name"));
	assert_true(ike_id_rank("*.branch-042") > ike_id_rank("*"));
	assert_int_equal(ike_id_check_pattern("*.*.x"), -EINVAL);
	assert_int_equal(ike_id_check_pattern(""), -EINVAL);
	assert_int_equal(ike_id_check_pattern("a b"), -EINVAL);
}

static void test_a_label_is_bounded(void **state)
{
	char text[128];
	char label[IKE_LABEL_MAX + 1];
	struct ike_id id;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text + IKE_LABEL_MAX, ".x", 3);
	assert_int_equal(ike_id_parse(text, &id), 0);
	assert_true(ike_id_match("*.x", &id, label));
	assert_int_equal(strlen(label), IKE_LABEL_MAX);
	memset(text, 'a', sizeof(text));
	memcpy(text + IKE_LABEL_MAX + 1, ".x", 3);
	assert_int_equal(ike_id_parse(text, &id), 0);
	assert_false(ike_id_match("*.x", &id, label));
}

/* RFC 7296 section 2.25, row by row */
static void test_every_meeting_has_its_answer(void **state)
{
	/* clang-format off */
	static const struct {
		struct ike_meeting m;
		enum ike_verdict want;
	} cases[] = {
		{ { 0,                   IKE_ASKED_CHILD,       false, false, false }, IKE_ANSWER },
		{ { 0,                   IKE_ASKED_CHILD_REKEY, false, true,  false }, IKE_ANSWER },
		{ { 0,                   IKE_ASKED_CHILD_REKEY, false, false, false }, IKE_ANSWER_UNKNOWN },
		{ { 0,                   IKE_ASKED_IKE_REKEY,   false, false, false }, IKE_ANSWER },
		{ { IKE_OP_PROBE,        IKE_ASKED_CHILD_REKEY, false, true,  false }, IKE_ANSWER },
		{ { IKE_OP_PROBE,        IKE_ASKED_IKE_REKEY,   false, false, false }, IKE_ANSWER },
		{ { IKE_OP_CHILD_REKEY,  IKE_ASKED_CHILD_REKEY, true,  true,  false }, IKE_ANSWER_BOTH },
		{ { IKE_OP_CHILD_REKEY,  IKE_ASKED_CHILD_REKEY, false, true,  false }, IKE_ANSWER },
		{ { IKE_OP_CHILD_REKEY,  IKE_ASKED_CHILD_REKEY, false, false, false }, IKE_ANSWER_LATER },
		{ { IKE_OP_CHILD_NEW,    IKE_ASKED_CHILD_REKEY, false, false, false }, IKE_ANSWER_LATER },
		{ { IKE_OP_CHILD_REKEY,  IKE_ASKED_CHILD,       false, false, false }, IKE_ANSWER },
		{ { IKE_OP_CHILD_REKEY,  IKE_ASKED_IKE_REKEY,   false, false, false }, IKE_ANSWER_LATER },
		{ { IKE_OP_CHILD_NEW,    IKE_ASKED_IKE_REKEY,   false, false, false }, IKE_ANSWER_LATER },
		{ { IKE_OP_CHILD_DELETE, IKE_ASKED_IKE_REKEY,   false, false, false }, IKE_ANSWER_LATER },
		{ { IKE_OP_CHILD_DELETE, IKE_ASKED_CHILD_REKEY, true,  true,  true  }, IKE_ANSWER_LATER },
		{ { IKE_OP_CHILD_DELETE, IKE_ASKED_CHILD_REKEY, false, true,  false }, IKE_ANSWER },
		{ { IKE_OP_CHILD_DELETE, IKE_ASKED_CHILD_REKEY, false, false, false }, IKE_ANSWER_UNKNOWN },
		{ { IKE_OP_IKE_REKEY,    IKE_ASKED_IKE_REKEY,   false, false, false }, IKE_ANSWER_BOTH },
		{ { IKE_OP_IKE_REKEY,    IKE_ASKED_CHILD_REKEY, false, true,  false }, IKE_ANSWER_LATER },
		{ { IKE_OP_IKE_REKEY,    IKE_ASKED_CHILD,       false, false, false }, IKE_ANSWER_LATER },
		{ { IKE_OP_IKE_DELETE,   IKE_ASKED_IKE_REKEY,   false, false, false }, IKE_ANSWER_LATER },
		{ { IKE_OP_IKE_DELETE,   IKE_ASKED_CHILD,       false, false, false }, IKE_ANSWER_LATER },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (ike_collision_verdict(&cases[i].m) != cases[i].want)
			fail_msg("row %zu", i);
}

static struct ike_nonce nonce(const char *text)
{
	struct ike_nonce n = {.len = (uint16_t)strlen(text)};

	memcpy(n.b, text, n.len);
	return n;
}

static void test_the_lowest_nonce_loses(void **state)
{
	struct ike_nonce a = nonce("a");
	struct ike_nonce ab = nonce("ab");
	struct ike_nonce b = nonce("b");
	struct ike_nonce c = nonce("c");

	(void)state;
	assert_true(ike_collision_lower(&a, &ab));
	assert_true(ike_collision_lower(&ab, &b));
	assert_false(ike_collision_lower(&b, &ab));
	assert_false(ike_collision_lower(&a, &a));
	assert_true(ike_collision_ours_goes(&c, &a, &b));
	assert_true(ike_collision_ours_goes(&a, &c, &b));
	assert_false(ike_collision_ours_goes(&c, &b, &a));
}

/*
 * Everything that is not written here is refused: an exchange on an SA that is
 * not ready for it above all (C20, C23, C24).
 */
static void test_the_gate_denies_by_default(void **state)
{
	(void)state;
	for (enum ike_gate_state s = 0; s < IKE_GATE_STATES; s++) {
		for (unsigned int how = 0; how < 1024; how++) {
			uint8_t exchange = (uint8_t)(how >> 2);
			bool response = how & 1;
			bool sealed = how & 2;
			struct ike_chain full = {.seen = UINT32_MAX &
							 ~IKE_PLD_BIT(IKE_PLD_EAP)};
			bool init =
				exchange == IKE_EX_SA_INIT && !sealed &&
				(s == (response ? IKE_GATE_INIT_SENT : IKE_GATE_NO_SA));
			bool auth = exchange == IKE_EX_AUTH && sealed &&
				    s == (response ? IKE_GATE_AUTH_SENT
						   : IKE_GATE_INIT_ANSWERED);
			bool late = s == IKE_GATE_ESTABLISHED && sealed &&
				    (exchange == IKE_EX_CREATE_CHILD ||
				     exchange == IKE_EX_INFORMATIONAL);
			int err;

			if (init)
				full.seen &= ~(IKE_PLD_BIT(IKE_PLD_AUTH) |
					       IKE_PLD_BIT(IKE_PLD_IDI) |
					       IKE_PLD_BIT(IKE_PLD_IDR));
			err = ike_gate_check(s, exchange, response, sealed, &full);
			if ((err == 0) != (init || auth || late))
				fail_msg(
					"state %d exchange %u response %d sealed %d: %d",
					s, exchange, response, sealed, err);
		}
	}
}

static void test_missing_payloads_are_noticed(void **state)
{
	static const struct {
		enum ike_gate_state state;
		uint8_t exchange;
		bool response;
		bool sealed;
		uint32_t must;
	} rows[] = {
		{IKE_GATE_NO_SA, IKE_EX_SA_INIT, false, false,
		 IKE_PLD_BIT(IKE_PLD_SA) | IKE_PLD_BIT(IKE_PLD_KE) |
			 IKE_PLD_BIT(IKE_PLD_NONCE)},
		{IKE_GATE_INIT_ANSWERED, IKE_EX_AUTH, false, true,
		 IKE_PLD_BIT(IKE_PLD_IDI) | IKE_PLD_BIT(IKE_PLD_AUTH) |
			 IKE_PLD_BIT(IKE_PLD_SA) | IKE_PLD_BIT(IKE_PLD_TSI) |
			 IKE_PLD_BIT(IKE_PLD_TSR)},
		{IKE_GATE_AUTH_SENT, IKE_EX_AUTH, true, true,
		 IKE_PLD_BIT(IKE_PLD_IDR) | IKE_PLD_BIT(IKE_PLD_AUTH)},
		{IKE_GATE_ESTABLISHED, IKE_EX_CREATE_CHILD, false, true,
		 IKE_PLD_BIT(IKE_PLD_SA) | IKE_PLD_BIT(IKE_PLD_NONCE)},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (uint32_t bit = 1; bit; bit <<= 1) {
			struct ike_chain chain = {.seen = rows[i].must & ~bit};
			int err = ike_gate_check(rows[i].state, rows[i].exchange,
						 rows[i].response, rows[i].sealed,
						 &chain);

			assert_int_equal(err, rows[i].must & bit ? -EBADMSG : 0);
		}
	}
}

static void test_extras_are_ignored_and_eap_is_not(void **state)
{
	struct ike_chain chain = {.seen = IKE_PLD_BIT(IKE_PLD_SA) |
					  IKE_PLD_BIT(IKE_PLD_NONCE) |
					  IKE_PLD_BIT(IKE_PLD_CP)};

	(void)state;
	assert_int_equal(ike_gate_check(IKE_GATE_ESTABLISHED, IKE_EX_CREATE_CHILD,
					false, true, &chain),
			 0);
	assert_int_equal(chain.ignored, 1);
	assert_false(chain.seen & IKE_PLD_BIT(IKE_PLD_CP));
	chain.seen |= IKE_PLD_BIT(IKE_PLD_EAP);
	assert_int_equal(ike_gate_check(IKE_GATE_ESTABLISHED, IKE_EX_CREATE_CHILD,
					false, true, &chain),
			 -EACCES);
}

static void test_the_earliest_timer_comes_first(void **state)
{
	enum { N = 200 };
	struct ike_timerq q = {0};
	struct ike_timer_node nodes[N] = {0};
	struct rng rng = rng_seeded(5);

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t i = rng_below(&rng, N);
		struct mono at = {rng_below(&rng, 1000)};
		int64_t least = INT64_MAX;

		ike_timerq_set(&q, &nodes[i], rng_below(&rng, 4) ? at : MONO_NEVER);
		for (size_t k = 0; k < N; k++)
			if (nodes[k].place && nodes[k].at.us < least)
				least = nodes[k].at.us;
		if (least == INT64_MAX)
			assert_null(ike_timerq_first(&q));
		else
			assert_int_equal(ike_timerq_first(&q)->at.us, least);
	}
	ike_timerq_fini(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns_match_identities),
		cmocka_unit_test(test_a_label_is_bounded),
		cmocka_unit_test(test_every_meeting_has_its_answer),
		cmocka_unit_test(test_the_lowest_nonce_loses),
		cmocka_unit_test(test_the_gate_denies_by_default),
		cmocka_unit_test(test_missing_payloads_are_noticed),
		cmocka_unit_test(test_extras_are_ignored_and_eap_is_not),
		cmocka_unit_test(test_the_earliest_timer_comes_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
