/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/unit/cm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/proposal.h"
#include "lib/alloc.h"

/* An SA payload in the making, and its body. */
static uint8_t buf[4096];

static struct rbuf body_of(struct ike_build *b)
{
	assert_true(wbuf_ok(&b->w));
	return rbuf_init(buf + IKE_HDR_LEN + IKE_PLD_HDR_LEN,
			 wbuf_len(&b->w) - IKE_HDR_LEN - IKE_PLD_HDR_LEN);
}

static struct rbuf offer(enum ike_use use, const struct ike_suites *s, uint8_t choice)
{
	const struct ike_hdr hdr = {.spi_i = 1};
	static const uint8_t spi[] = {1, 2, 3, 4};
	struct ike_build b;

	ike_message_begin(&b, buf, sizeof(buf), &hdr);
	ike_proposal_put(&b, use, s, spi, use == IKE_USE_IKE ? 0 : 4, choice);
	return body_of(&b);
}

static struct ike_suites suites(bool esp, const char *a, const char *b)
{
	struct ike_suites s = {.n = 0};

	if (a)
		assert_int_equal(ike_suite_parse(a, esp, &s.s[s.n++]), 0);
	if (b)
		assert_int_equal(ike_suite_parse(b, esp, &s.s[s.n++]), 0);
	return s;
}

static void test_suites_are_read_and_printed(void **state)
{
	static const struct {
		const char *text;
		bool esp;
		int want;
		const char *printed;
	} cases[] = {
		{"aes256gcm16-sha256-x25519", false, 0, "aes256gcm16-sha256-x25519"},
		{"aes128gcm16-prfsha512-14", false, 0, "aes128gcm16-sha512-modp2048"},
		{"ecp256-sha384-aes256gcm16", false, 0, "aes256gcm16-sha384-ecp256"},
		{"aes256gcm16", true, 0, "aes256gcm16"},
		{"aes256gcm16-x25519", true, 0, "aes256gcm16-x25519"},
		{"aes256gcm16-sha256", true, -EINVAL, NULL},
		{"aes256gcm16-sha256", false, -EINVAL, NULL},
		{"aes256gcm16-x25519", false, -EINVAL, NULL},
		{"sha256-x25519", false, -EINVAL, NULL},
		{"aes256gcm16-sha256-x25519-x25519", false, -EINVAL, NULL},
		{"aes256gcm16-aes128gcm16-sha256-x25519", false, -EINVAL, NULL},
		{"aes256cbc-sha256-x25519", false, -EINVAL, NULL},
		{"aes256gcm16-sha1-x25519", false, -EINVAL, NULL},
		{"aes256gcm16-sha256-modp1024", false, -EINVAL, NULL},
		{"aes256gcm16--x25519", true, -EINVAL, NULL},
		{"aes256gcm16-", true, -EINVAL, NULL},
		{"", true, -EINVAL, NULL},
		{"aes256", true, -EINVAL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char text[IKE_SUITE_TEXT_MAX];
		struct ike_suite s;
		int err = ike_suite_parse(cases[i].text, cases[i].esp, &s);

		if (err != cases[i].want)
			fail_msg("%s: %d", cases[i].text, err);
		if (err)
			continue;
		ike_suite_format(&s, text, sizeof(text));
		assert_string_equal(text, cases[i].printed);
	}
}

static void test_our_order_decides(void **state)
{
	struct ike_suites theirs =
		suites(false, "aes128gcm16-sha256-ecp256", "aes256gcm16-sha384-x25519");
	struct ike_suites ours =
		suites(false, "aes256gcm16-sha384-x25519", "aes128gcm16-sha256-ecp256");
	struct ike_choice c;

	(void)state;
	assert_int_equal(ike_proposal_choose(offer(IKE_USE_IKE, &theirs, 0),
					     IKE_USE_IKE, &ours, 0, &c),
			 0);
	assert_memory_equal(&c.suite, &ours.s[0], sizeof(c.suite));
	assert_int_equal(c.number, 2);
	ours = suites(false, "aes256gcm16-sha256-x25519", NULL);
	assert_int_equal(ike_proposal_choose(offer(IKE_USE_IKE, &theirs, 0),
					     IKE_USE_IKE, &ours, 0, &c),
			 -ENOENT);
}

static void test_groups_of_a_child(void **state)
{
	struct ike_suites with = suites(true, "aes256gcm16-x25519", NULL);
	struct ike_suites without = suites(true, "aes256gcm16", NULL);
	struct ike_suites other = suites(true, "aes256gcm16-ecp256", NULL);
	struct ike_choice c;

	(void)state;
	/* none offered, though we would like one: taken (Azure's default) */
	assert_int_equal(ike_proposal_choose(offer(IKE_USE_CHILD, &without, 0),
					     IKE_USE_CHILD, &with, 0, &c),
			 0);
	assert_int_equal(c.suite.group, 0);
	/* one of ours offered that the suite does not name */
	assert_int_equal(ike_proposal_choose(offer(IKE_USE_CHILD, &other, 0),
					     IKE_USE_CHILD, &with, IKE_GROUP_ECP256,
					     &c),
			 0);
	assert_int_equal(c.suite.group, IKE_GROUP_ECP256);
	/* offered, but the key exchange value is of another: that one is asked for */
	assert_int_equal(ike_proposal_choose(offer(IKE_USE_CHILD, &with, 0),
					     IKE_USE_CHILD, &with, IKE_GROUP_MODP2048,
					     &c),
			 0);
	assert_int_equal(c.suite.group, IKE_GROUP_X25519);
	/* inside IKE_AUTH it plays no part */
	assert_int_equal(ike_proposal_choose(offer(IKE_USE_CHILD_AUTH, &with, 0),
					     IKE_USE_CHILD_AUTH, &other, 0, &c),
			 0);
	assert_int_equal(c.suite.group, 0);
	assert_int_equal(c.spi, 0x01020304);
}

static void put(struct ike_build *b, uint8_t protocol, size_t spi_len,
		const struct ike_transform *t, size_t n)
{
	const struct ike_hdr hdr = {.spi_i = 1};
	struct ike_proposal p = {.number = 1, .protocol = protocol, .n_transforms = n};

	memcpy(p.transforms, t, n * sizeof(*t));
	ike_message_begin(b, buf, sizeof(buf), &hdr);
	ike_build_begin(b, IKE_PLD_SA);
	ike_payload_sa_put(b, &p, "\1\2\3\4\5\6\7\10", spi_len, false);
	ike_build_end(b);
}

/* What no proposal may get us to agree to (C66, C67) */
static void test_proposals_that_protect_nothing_are_never_chosen(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		enum ike_use use;
		uint8_t protocol;
		size_t spi_len;
		struct ike_transform t[6];
		size_t n;
		int want;
	} cases[] = {
		{ "good IKE", IKE_USE_IKE, 1, 0,
		  { { 1, 20, 256, false }, { 2, 5, 0, false }, { 4, 31, 0, false } }, 3, 0 },
		{ "IKE with integrity NONE", IKE_USE_IKE, 1, 0,
		  { { 1, 20, 256, false }, { 2, 5, 0, false }, { 4, 31, 0, false }, { 3, 0, 0, false } }, 4, 0 },
		{ "AEAD with an integrity transform", IKE_USE_IKE, 1, 0,
		  { { 1, 20, 256, false }, { 2, 5, 0, false }, { 4, 31, 0, false }, { 3, 12, 0, false } }, 4, -ENOENT },
		{ "IKE without a group", IKE_USE_IKE, 1, 0,
		  { { 1, 20, 256, false }, { 2, 5, 0, false } }, 2, -ENOENT },
		{ "IKE with group NONE", IKE_USE_IKE, 1, 0,
		  { { 1, 20, 256, false }, { 2, 5, 0, false }, { 4, 0, 0, false } }, 3, -ENOENT },
		{ "IKE without a PRF", IKE_USE_IKE, 1, 0,
		  { { 1, 20, 256, false }, { 4, 31, 0, false } }, 2, -ENOENT },
		{ "IKE without encryption", IKE_USE_IKE, 1, 0,
		  { { 2, 5, 0, false }, { 4, 31, 0, false } }, 2, -ENOENT },
		{ "encryption without a key length", IKE_USE_IKE, 1, 0,
		  { { 1, 20, 0, false }, { 2, 5, 0, false }, { 4, 31, 0, false } }, 3, -ENOENT },
		{ "ENCR_NULL", IKE_USE_CHILD, 3, 4, { { 1, 11, 0, false }, { 5, 0, 0, false } }, 2, -ENOENT },
		{ "IKE's SPI of 4 bytes", IKE_USE_IKE, 1, 4,
		  { { 1, 20, 256, false }, { 2, 5, 0, false }, { 4, 31, 0, false } }, 3, -ENOENT },
		{ "good ESP", IKE_USE_CHILD, 3, 4, { { 1, 20, 256, false }, { 5, 0, 0, false } }, 2, 0 },
		{ "ESP without ESN", IKE_USE_CHILD, 3, 4, { { 1, 20, 256, false } }, 1, 0 },
		{ "ESP with ESN only", IKE_USE_CHILD, 3, 4, { { 1, 20, 256, false }, { 5, 1, 0, false } }, 2, -ENOENT },
		{ "ESP with ESN or not", IKE_USE_CHILD, 3, 4,
		  { { 1, 20, 256, false }, { 5, 1, 0, false }, { 5, 0, 0, false } }, 3, 0 },
		{ "ESP with a group we lack", IKE_USE_CHILD, 3, 4,
		  { { 1, 20, 256, false }, { 5, 0, 0, false }, { 4, 2, 0, false } }, 3, -ENOENT },
		{ "ESP with a PRF", IKE_USE_CHILD, 3, 4,
		  { { 1, 20, 256, false }, { 5, 0, 0, false }, { 2, 5, 0, false } }, 3, -ENOENT },
		{ "AH", IKE_USE_CHILD, 2, 4, { { 3, 12, 0, false }, { 5, 0, 0, false } }, 2, -ENOENT },
		{ "ESP without an SPI", IKE_USE_CHILD, 3, 0, { { 1, 20, 256, false }, { 5, 0, 0, false } }, 2, -ENOENT },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct ike_choice c;
		struct ike_build b;
		int err;

		put(&b, cases[i].protocol, cases[i].spi_len, cases[i].t, cases[i].n);
		err = ike_proposal_choose(body_of(&b), cases[i].use,
					  cases[i].use == IKE_USE_IKE
						  ? &ike_proposal_default_ike
						  : &ike_proposal_default_esp,
					  0, &c);
		if (err != cases[i].want)
			fail_msg("%s: %d", cases[i].name, err);
	}
}

static void test_a_strange_attribute_bars_its_transform(void **state)
{
	/* ENCR 20 with key length 256 and attribute 77 */
	static const uint8_t body[] = {0,    0,	 0, 40, 1, 1,  0,    3,	 3, 0,
				       0,    16, 1, 0,	0, 20, 0x80, 14, 1, 0,
				       0x80, 77, 0, 1,	3, 0,  0,    8,	 2, 0,
				       0,    5,	 0, 0,	0, 8,  4,    0,	 0, 31};
	struct ike_choice c;

	(void)state;
	assert_int_equal(ike_proposal_choose(rbuf_init(body, sizeof(body)), IKE_USE_IKE,
					     &ike_proposal_default_ike, 0, &c),
			 -ENOENT);
}

static void test_answers_must_be_what_was_offered(void **state)
{
	struct ike_suites offered =
		suites(false, "aes256gcm16-sha256-x25519", "aes128gcm16-sha256-ecp256");
	struct ike_suites one = suites(false, "aes128gcm16-sha256-ecp256", NULL);
	struct ike_suites mixed = suites(false, "aes128gcm16-sha256-x25519", NULL);
	struct ike_suites esp = suites(true, "aes256gcm16-x25519", NULL);
	struct ike_suites esp_none = suites(true, "aes256gcm16", NULL);
	struct ike_choice c;

	(void)state;
	assert_int_equal(ike_proposal_answer(offer(IKE_USE_IKE, &one, 2), IKE_USE_IKE,
					     &offered, &c),
			 0);
	assert_memory_equal(&c.suite, &offered.s[1], sizeof(c.suite));
	assert_int_equal(ike_proposal_answer(offer(IKE_USE_IKE, &mixed, 1), IKE_USE_IKE,
					     &offered, &c),
			 -ENOENT);
	/* two at once are no answer */
	assert_int_equal(ike_proposal_answer(offer(IKE_USE_IKE, &offered, 0),
					     IKE_USE_IKE, &offered, &c),
			 -EBADMSG);
	/* an answer may not drop the group that was offered */
	assert_int_equal(ike_proposal_answer(offer(IKE_USE_CHILD, &esp_none, 1),
					     IKE_USE_CHILD, &esp, &c),
			 -ENOENT);
	assert_int_equal(ike_proposal_answer(offer(IKE_USE_CHILD_AUTH, &esp_none, 1),
					     IKE_USE_CHILD_AUTH, &esp, &c),
			 0);
}

static void test_offers_are_told_in_words(void **state)
{
	static const struct ike_transform t[] = {{1, 12, 256, false},
						 {3, 12, 0, false},
						 {2, 5, 0, false},
						 {4, 2, 0, false},
						 {4, 999, 0, false}};
	char text[128];
	struct ike_build b;

	(void)state;
	put(&b, 1, 0, t, ARRAY_LEN(t));
	ike_proposal_format_offer(body_of(&b), text, sizeof(text));
	assert_string_equal(text, "aes256cbc-hmacsha256-sha256-modp1024-group999");
	ike_proposal_format(&ike_proposal_default_ike, text, sizeof(text));
	assert_string_equal(text,
			    "aes256gcm16-sha256-x25519, aes256gcm16-sha384-x25519, "
			    "aes256gcm16-sha256-ecp256 and 5 more");
	ike_proposal_format_offer(rbuf_init(NULL, 0), text, sizeof(text));
	assert_string_equal(text, "nothing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suites_are_read_and_printed),
		cmocka_unit_test(test_our_order_decides),
		cmocka_unit_test(test_groups_of_a_child),
		cmocka_unit_test(test_proposals_that_protect_nothing_are_never_chosen),
		cmocka_unit_test(test_a_strange_attribute_bars_its_transform),
		cmocka_unit_test(test_answers_must_be_what_was_offered),
		cmocka_unit_test(test_offers_are_told_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
