/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages and payloads: what a hostile or sloppy peer may send, then what
 * comes back as it was written.
 */
#include "tests/unit/cm.h"

#include <errno.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/message.h"
#include "ike/payload.h"
#include "ike/protect.h"
#include "ike/selector.h"
#include "lib/alloc.h"
#include "tests/unit/hex.h"

#define SPIS "0102030405060708 0000000000000000 "

/* clang-format off */
static const struct {
	const char *name;
	const char *bytes;
	int want;
} headers[] = {
	{ "nothing",                    "", -EBADMSG },
	{ "one byte (a keep-alive)",    "ff", -EBADMSG },
	{ "the marker alone",           "00000000", -EBADMSG },
	{ "27 bytes",                   SPIS "22 20 22 08 00000000 000000", -EBADMSG },
	{ "a bare header",              SPIS "00 20 22 08 00000000 0000001c", 0 },
	{ "length below the datagram",  SPIS "00 20 22 08 00000000 0000001b", -EBADMSG },
	{ "length above the datagram",  SPIS "00 20 22 08 00000000 0000001d", -EBADMSG },
	{ "length of 4 GiB",            SPIS "00 20 22 08 00000000 ffffffff", -EBADMSG },
	{ "bytes behind the end",       SPIS "00 20 22 08 00000000 0000001c 00", -EBADMSG },
	{ "IKEv1",                      SPIS "00 10 22 08 00000000 0000001c", -EPROTONOSUPPORT },
	{ "IKEv3",                      SPIS "00 30 22 08 00000000 0000001c", -EPROTONOSUPPORT },
	{ "a newer minor version",      SPIS "00 2f 22 08 00000000 0000001c", 0 },
	{ "reserved flags",             SPIS "00 20 22 cf 00000000 0000001c", 0 },
	{ "initiator's SPI zero",       "0000000000000000 0102030405060708"
					"00 20 22 08 00000000 0000001c", -EBADMSG },
	{ "both SPIs the same",         "0102030405060708 0102030405060708"
					"00 20 22 08 00000000 0000001c", -EBADMSG },
};

static const struct {
	const char *name;
	uint8_t first;
	const char *bytes;
	int want;
} chains[] = {
	{ "nothing, and nothing announced", 0, "", 0 },
	{ "nothing, but a KE announced", 34, "", -EBADMSG },
	{ "bytes, but none announced",   0, "00", -EBADMSG },
	{ "header cut short",            34, "000000", -EBADMSG },
	{ "length 0: an endless chain",  34, "22000000", -EBADMSG },
	{ "length below the header",     34, "00000003", -EBADMSG },
	{ "length past the end",         34, "0000 0009 000e 0000", -EBADMSG },
	{ "KE body too short",           34, "0000 0006 000e", -EBADMSG },
	{ "KE without a value",          34, "0000 0008 000e 0000", 0 },
	{ "bytes behind the last one",   34, "0000 0008 000e 0000 07", -EBADMSG },
	{ "KE twice",                    34, "2200 0008 000e 0000 0000 0008 000e 0000", -EEXIST },
	{ "KE in a private group",       34, "0000 000a 0401 0000 1234", 0 },
	{ "unknown and critical",        60, "0080 0004", -EPROTONOSUPPORT },
	{ "unknown and not critical",    60, "0000 0004", 0 },
	{ "unknown, then cut short",     60, "2200 0004", -EBADMSG },
	{ "a payload of IKEv1",          4,  "0000 0008 000e 0000", -EBADMSG },
	{ "payload type 1",              1,  "0000 0008 000e 0000", -EBADMSG },
	{ "SK inside",                   46, "0000 0008 000e 0000", -EBADMSG },
	{ "nonce of 15 bytes",           40, "0000 0013 000102030405060708090a0b0c0d0e", -EBADMSG },
	{ "nonce of 16 bytes",           40, "0000 0014 000102030405060708090a0b0c0d0e0f", 0 },
	{ "notify SPI past the end",     41, "0000 0008 0304 4009", -EBADMSG },
	{ "notify without data",         41, "0000 0008 0000 4009", 0 },
	{ "notify of 3 bytes",           41, "0000 0007 0000 40", -EBADMSG },
	{ "Delete of the IKE SA",        42, "0000 0008 0100 0000", 0 },
	{ "Delete of the IKE SA, count", 42, "0000 0008 0100 0001", -EBADMSG },
	{ "Delete ESP, count too large", 42, "0000 000c 0304 0002 01020304", -EBADMSG },
	{ "Delete ESP, count too small", 42, "0000 0010 0304 0001 01020304 05060708", -EBADMSG },
	{ "Delete ESP, SPI of 8 bytes",  42, "0000 0010 0308 0001 0102030405060708", -EBADMSG },
	{ "Delete ESP, SPI of 0 bytes",  42, "0000 0008 0300 ffff", -E2BIG },
	{ "Delete of 65,535 SPIs",       42, "0000 000c 0304 ffff 01020304", -E2BIG },
	{ "AUTH of 3 bytes",             39, "0000 0007 020000", -EBADMSG },
	{ "AUTH twice",                  39, "2700 0008 0200 0000 0000 0008 0200 0000", -EEXIST },
	{ "ID of 3 bytes",               35, "0000 0007 020000", -EBADMSG },
	{ "EAP",                         48, "0000 0008 0300 0004", 0 },
};

/* The body of an SA payload */
static const struct {
	const char *name;
	const char *bytes;
	int want;
} proposals[] = {
	{ "nothing",                   "", -EBADMSG },
	{ "one, of one transform",     "0000 0010 0101 0001 0000 0008 0400 001f", 0 },
	{ "no transform",              "0000 0008 0101 0000", 0 },
	{ "more announced, none there", "0200 0010 0101 0001 0000 0008 0400 001f", -EBADMSG },
	{ "last, but more behind",     "0000 0008 0101 0000 0000 0008 0101 0000", -EBADMSG },
	{ "unknown 'more'",            "0100 0008 0101 0000", -EBADMSG },
	{ "length 0",                  "0000 0000 0101 0000", -EBADMSG },
	{ "length 7",                  "0000 0007 0101 0000", -EBADMSG },
	{ "length past the end",       "0000 0012 0101 0001 0000 0008 0400 001f", -EBADMSG },
	{ "SPI past the end",          "0000 0008 0103 0400", -EBADMSG },
	{ "SPI of 255 bytes",          "0000 0010 0103 ff00 0000 0008 0400 001f", -EBADMSG },
	{ "transform count too large", "0000 0010 0101 0002 0000 0008 0400 001f", -EBADMSG },
	{ "transform count 255",       "0000 0010 0101 00ff 0000 0008 0400 001f", -E2BIG },
	{ "transform 'more' at last",  "0000 0010 0101 0001 0300 0008 0400 001f", -EBADMSG },
	{ "transform length 0",        "0000 0010 0101 0001 0000 0000 0400 001f", -EBADMSG },
	{ "transform length 7",        "0000 0010 0101 0001 0000 0007 0400 001f", -EBADMSG },
	{ "attribute cut short",       "0000 0012 0101 0001 0000 000a 0100 0014 800e", -EBADMSG },
	{ "key length",                "0000 0014 0101 0001 0000 000c 0100 0014 800e 0100", 0 },
	{ "key length 0",              "0000 0014 0101 0001 0000 000c 0100 0014 800e 0000", -EBADMSG },
	{ "key length twice",          "0000 0018 0101 0001 0000 0010 0100 0014 800e 0100 800e 0100", -EBADMSG },
	{ "long attribute past the end", "0000 0014 0101 0001 0000 000c 0100 0014 000e ffff", -EBADMSG },
	{ "five attributes",           "0000 0024 0101 0001 0000 001c 0100 0014"
				       "8001 0001 8001 0001 8001 0001 8001 0001 8001 0001", -E2BIG },
};

/* The body of a TS payload */
static const struct {
	const char *name;
	const char *bytes;
	int want;
} selectors[] = {
	{ "nothing",                 "", -EBADMSG },
	{ "count 0",                 "00000000", -EBADMSG },
	{ "count without selectors", "01000000", -EBADMSG },
	{ "0.0.0.0/0",               "01000000 0700 0010 0000 ffff 00000000 ffffffff", 0 },
	{ "count too large",         "02000000 0700 0010 0000 ffff 00000000 ffffffff", -EBADMSG },
	{ "count too small",         "01000000 0700 0010 0000 ffff 00000000 ffffffff"
				     "0700 0010 0000 ffff 00000000 ffffffff", -EBADMSG },
	{ "length 0",                "01000000 0700 0000 0000 ffff 00000000 ffffffff", -EBADMSG },
	{ "length 3",                "01000000 0700 0003", -EBADMSG },
	{ "IPv6 in IPv4's length",   "01000000 0800 0010 0000 ffff 00000000 ffffffff", -EBADMSG },
	{ "of unknown type",         "01000000 0900 0008 0000 ffff", 0 },
	{ "255 of them",             "ff000000 0700 0010 0000 ffff 00000000 ffffffff", -E2BIG },
};

/* The body of a CP payload */
static const struct {
	const char *name;
	const char *bytes;
	int want;
} configurations[] = {
	{ "nothing",                    "", -EBADMSG },
	{ "type alone",                 "01000000", 0 },
	{ "empty questions",            "01000000 00010000 00080000", 0 },
	{ "an IPv4 address",            "02000000 0001 0004 64600001", 0 },
	{ "an IPv4 address of 3 bytes", "02000000 0001 0003 646000", -EBADMSG },
	{ "an IPv4 address of 5 bytes", "02000000 0001 0005 6460000100", -EBADMSG },
	{ "a mask with holes",          "02000000 0002 0004 ff00ff00", -EBADMSG },
	{ "mask of 0 bits",             "02000000 0002 0004 00000000", 0 },
	{ "an IPv6 address",            "02000000 0008 0011 fd000096000000000000000000000001 7f", 0 },
	{ "an IPv6 address, 129 bits",  "02000000 0008 0011 fd000096000000000000000000000001 81", -EBADMSG },
	{ "length past the end",        "02000000 0001 ffff 64600001", -EBADMSG },
	{ "header cut short",           "02000000 0001 00", -EBADMSG },
	{ "an unknown attribute",       "02000000 7777 0003 010203", 0 },
};
/* clang-format on */

static void test_bad_headers_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
		uint8_t bytes[64];
		size_t len = hex(headers[i].bytes, bytes, sizeof(bytes));
		struct ike_hdr hdr;
		int err = ike_message_decode(bytes, len, &hdr);

		if (err != headers[i].want)
			fail_msg("%s: got %d, want %d", headers[i].name, err,
				 headers[i].want);
	}
}

static void test_bad_chains_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(chains); i++) {
		uint8_t bytes[128];
		size_t len = hex(chains[i].bytes, bytes, sizeof(bytes));
		struct rbuf r = rbuf_init(bytes, len);
		struct ike_chain chain;
		int err = ike_payload_decode(&r, chains[i].first, &chain);

		if (err != chains[i].want)
			fail_msg("%s: got %d, want %d", chains[i].name, err,
				 chains[i].want);
		if (err == -EPROTONOSUPPORT)
			assert_int_equal(chain.bad_critical, chains[i].first);
	}
}

static void test_bad_proposals_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(proposals); i++) {
		uint8_t bytes[128];
		size_t len = hex(proposals[i].bytes, bytes, sizeof(bytes));
		size_t n;
		int err = ike_payload_sa_check(rbuf_init(bytes, len), &n);

		if (err != proposals[i].want)
			fail_msg("%s: got %d, want %d", proposals[i].name, err,
				 proposals[i].want);
	}
}

static void test_bad_selectors_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
		uint8_t bytes[128];
		size_t len = hex(selectors[i].bytes, bytes, sizeof(bytes));
		struct ike_ts_list list;
		int err = ike_payload_ts_decode(rbuf_init(bytes, len), &list);

		if (err != selectors[i].want)
			fail_msg("%s: got %d, want %d", selectors[i].name, err,
				 selectors[i].want);
	}
}

static void test_bad_configurations_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(configurations); i++) {
		uint8_t bytes[128];
		size_t len = hex(configurations[i].bytes, bytes, sizeof(bytes));
		struct ike_cp cp;
		int err = ike_payload_cp_decode(rbuf_init(bytes, len), &cp);

		if (err != configurations[i].want)
			fail_msg("%s: got %d, want %d", configurations[i].name, err,
				 configurations[i].want);
	}
}

/* Each limit: what is exactly allowed, and one more. */
static void test_counts_have_their_limits(void **state)
{
	static const struct {
		uint8_t type;
		const char *body;
		size_t most;
	} kinds[] = {
		{60, "", IKE_PAYLOADS_MAX},
		{IKE_PLD_VENDOR, "", IKE_PAYLOADS_MAX},
		{IKE_PLD_NOTIFY, "00004009", IKE_NOTIFIES_MAX},
		{IKE_PLD_DELETE, "01000000", IKE_DELETES_MAX},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		for (size_t n = kinds[i].most - 1; n <= kinds[i].most + 3; n++) {
			const struct ike_hdr hdr = {.spi_i = 1};
			uint8_t bytes[2048];
			uint8_t body[8];
			size_t len = hex(kinds[i].body, body, sizeof(body));
			struct ike_chain chain;
			struct ike_build b;
			struct rbuf r;

			ike_message_begin(&b, bytes, sizeof(bytes), &hdr);
			for (size_t k = 0; k < n; k++) {
				ike_build_begin(&b, kinds[i].type);
				wbuf_bytes(&b.w, body, len);
				ike_build_end(&b);
			}
			r = rbuf_init(bytes, wbuf_len(&b.w));
			rbuf_skip(&r, IKE_HDR_LEN);
			assert_int_equal(ike_payload_decode(&r, kinds[i].type, &chain),
					 n <= kinds[i].most ? 0 : -E2BIG);
		}
	}
}

static void test_identities_are_bounded_and_printed_safely(void **state)
{
	uint8_t body[4 + 1024] = {IKE_ID_FQDN};
	char text[64];
	struct ike_id id;

	(void)state;
	memset(body + 4, '\n', sizeof(body) - 4);
	assert_int_equal(ike_id_decode(rbuf_init(body, 4), &id), -EBADMSG);
	assert_int_equal(ike_id_decode(rbuf_init(body, 4 + IKE_ID_MAX + 1), &id),
			 -E2BIG);
	assert_int_equal(ike_id_decode(rbuf_init(body, sizeof(body)), &id), -E2BIG);
	assert_int_equal(ike_id_decode(rbuf_init(body, 4 + IKE_ID_MAX), &id), 0);
	ike_id_format(&id, text, sizeof(text));
	assert_null(strchr(text, '\n'));
	assert_true(strlen(text) < sizeof(text));
	body[0] = IKE_ID_IPV4;
	assert_int_equal(ike_id_decode(rbuf_init(body, 4 + 5), &id), -EBADMSG);
	body[0] = IKE_ID_IPV6;
	assert_int_equal(ike_id_decode(rbuf_init(body, 4 + 4), &id), -EBADMSG);
	body[0] = 0;
	assert_int_equal(ike_id_decode(rbuf_init(body, 4 + 4), &id), -EBADMSG);
}

static void test_a_message_reads_back_as_it_was_written(void **state)
{
	const struct ike_hdr hdr = {.spi_i = 1,
				    .spi_r = 2,
				    .exchange = IKE_EX_AUTH,
				    .from_initiator = true,
				    .id = 7};
	const struct ike_suite suite = {.encr = IKE_ENCR_AES_GCM_16, .key_bits = 256};
	const struct ike_cp cp = {.type = IKE_CFG_REPLY,
				  .ip4 = true,
				  .ip6 = true,
				  .addr4 = {AF_INET, {100, 96, 0, 1}},
				  .addr6 = {AF_INET6, {0xfd}},
				  .len4 = 31,
				  .len6 = 127};
	static const uint8_t key[36] = {1, 2, 3};
	uint8_t buf[1024];
	uint8_t inner[1024];
	struct ike_build b;
	struct ike_chain chain;
	struct ike_ts_list ts;
	struct ike_hdr got;
	struct ike_cp cp_got;
	struct ike_id id;
	struct rbuf r;
	uint8_t first;
	size_t len;

	(void)state;
	ike_message_begin(&b, buf, sizeof(buf), &hdr);
	ike_protect_begin(&b, 99);
	assert_int_equal(ike_id_parse("isp1.branch-042", &id), 0);
	ike_payload_put_id(&b, IKE_PLD_IDI, &id);
	ike_payload_put_ke(&b, 31, "key", 3);
	ike_payload_put_nonce(&b, "0123456789abcdef", 16);
	ike_payload_put_notify(&b, IKE_N_COOKIE, "abc", 3);
	ike_payload_put_notify_esp(&b, IKE_N_REKEY_SA, 0x01020304);
	ike_payload_put_delete(&b, 0x05060708);
	ike_payload_put_delete(&b, 0);
	ike_payload_put_cp(&b, &cp);
	ike_selector_all(&ts, true, true);
	ike_payload_put_ts(&b, IKE_PLD_TSI, &ts);
	len = ike_protect_end(&b, &suite, key);
	assert_true(len > 0);

	assert_int_equal(ike_message_decode(buf, len, &got), 0);
	assert_int_equal(got.spi_r, 2);
	assert_int_equal(got.id, 7);
	assert_true(got.from_initiator);
	assert_false(got.response);
	assert_int_equal(got.next, IKE_PLD_SK);
	assert_int_equal(ike_protect_open(buf, len, &suite, key, inner, &len, &first),
			 0);
	r = rbuf_init(inner, len);
	assert_int_equal(ike_payload_decode(&r, first, &chain), 0);
	assert_int_equal(ike_id_decode(chain.idi, &id), 0);
	assert_memory_equal(id.data, "isp1.branch-042", 15);
	assert_int_equal(chain.ke_group, 31);
	assert_int_equal(rbuf_left(&chain.ke), 3);
	assert_int_equal(rbuf_left(&chain.nonce), 16);
	assert_non_null(ike_payload_notify(&chain, IKE_N_COOKIE));
	r = ike_payload_notify(&chain, IKE_N_REKEY_SA)->spi;
	assert_int_equal(rbuf_u32(&r), 0x01020304);
	assert_int_equal(chain.n_delete, 2);
	r = chain.delete[0].spis;
	assert_int_equal(rbuf_u32(&r), 0x05060708);
	assert_int_equal(chain.delete[1].protocol, IKE_PROTO_IKE);
	assert_int_equal(ike_payload_cp_decode(chain.cp, &cp_got), 0);
	assert_memory_equal(&cp_got, &cp, sizeof(cp));
	assert_int_equal(ike_payload_ts_decode(chain.tsi, &ts), 0);
	assert_int_equal(ts.n, 2);
	assert_true(ike_selector_covers(&ts, AF_INET));
	assert_true(ike_selector_covers(&ts, AF_INET6));
}

static void test_sealed_messages_that_were_touched_do_not_open(void **state)
{
	const struct ike_hdr hdr = {.spi_i = 1, .spi_r = 2, .exchange = IKE_EX_AUTH};
	const struct ike_suite suite = {.encr = IKE_ENCR_AES_GCM_16, .key_bits = 128};
	static const uint8_t key[20] = {1, 2, 3};
	uint8_t buf[256];
	uint8_t inner[256];
	struct ike_build b;
	uint8_t first;
	size_t inner_len;
	size_t len;

	(void)state;
	ike_message_begin(&b, buf, sizeof(buf), &hdr);
	ike_protect_begin(&b, 5);
	ike_payload_put_delete(&b, 0);
	len = ike_protect_end(&b, &suite, key);
	for (size_t i = 0; i < len; i++) {
		buf[i] ^= 0x10;
		assert_int_equal(ike_protect_open(buf, len, &suite, key, inner,
						  &inner_len, &first),
				 -EBADMSG);
		buf[i] ^= 0x10;
	}
	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(ike_protect_open(buf, cut, &suite, key, inner,
						  &inner_len, &first),
				 -EBADMSG);
	assert_int_equal(ike_protect_open(buf, len, &suite, key, inner, &inner_len,
					  &first),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_headers_are_refused),
		cmocka_unit_test(test_bad_chains_are_refused),
		cmocka_unit_test(test_bad_proposals_are_refused),
		cmocka_unit_test(test_bad_selectors_are_refused),
		cmocka_unit_test(test_bad_configurations_are_refused),
		cmocka_unit_test(test_counts_have_their_limits),
		cmocka_unit_test(test_identities_are_bounded_and_printed_safely),
		cmocka_unit_test(test_a_message_reads_back_as_it_was_written),
		cmocka_unit_test(test_sealed_messages_that_were_touched_do_not_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
