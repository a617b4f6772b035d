/* SPDX-License-Identifier: GPL-2.0-or-later */
/* esp_packet: what 4500 carries, seal and open, bad insides, ECN */
#include <errno.h>
#include <string.h>

#include "edged/esp/checksum.h"
#include "edged/esp/packet.h"
#include "lib/alloc.h"
#include "tests/unit/cm.h"

static const uint8_t key[ESP_KEY_MAX] = "0123456789abcdef0123456789abcdefsalt";

static struct esp_aead *sealer;
static struct esp_aead *opener;

static int setup(void **state)
{
	(void)state;
	sealer = esp_aead_new(ESP_AES256_GCM16, key, true);
	opener = esp_aead_new(ESP_AES256_GCM16, key, false);
	return sealer && opener ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	esp_aead_free(sealer);
	esp_aead_free(opener);
	return 0;
}

/* An IPv4 or IPv6 packet of len bytes at p. */
static void fill_inner(uint8_t *p, size_t len, bool v6, uint8_t tos)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)i;
	if (v6) {
		p[0] = (uint8_t)(0x60 | tos >> 4);
		p[1] = (uint8_t)(tos << 4);
		esp_put16(p + 4, (uint16_t)(len - 40));
	} else {
		p[0] = 0x45;
		p[1] = tos;
		esp_put16(p + 2, (uint16_t)len);
		esp_ip4_fix(p, 20);
	}
}

static void test_datagrams_are_told_apart(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint8_t bytes[8];
		size_t len;
		enum esp_kind want;
	} cases[] = {
		{ "empty",               { 0 },                0, ESP_KIND_JUNK },
		{ "keep-alive",          { 0xff },             1, ESP_KIND_KEEPALIVE },
		{ "one other byte",      { 0xfe },             1, ESP_KIND_JUNK },
		{ "two bytes",           { 0xff, 0xff },       2, ESP_KIND_JUNK },
		{ "a marker alone",      { 0, 0, 0, 0 },       4, ESP_KIND_JUNK },
		{ "a marker and a byte", { 0, 0, 0, 0, 1 },    5, ESP_KIND_IKE },
		{ "an SPI",              { 0, 0, 1, 0, 0 },    5, ESP_KIND_ESP },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (esp_packet_kind(cases[i].bytes, cases[i].len) != cases[i].want)
			fail_msg("%s", cases[i].name);
}

static void test_every_length_comes_back(void **state)
{
	static uint8_t p[2048];

	(void)state;
	for (size_t len = 40; len < 1600; len++) {
		struct esp_inner in;
		uint8_t want[1600];
		uint32_t spi;
		uint32_t seq;
		bool v6 = len & 1;
		size_t n;

		fill_inner(p + ESP_HEAD_LEN, len, v6, 0xb8);
		memcpy(want, p + ESP_HEAD_LEN, len);
		n = esp_packet_seal(sealer, 0x01020304, (uint32_t)len, p, len,
				    v6 ? ESP_NH_IPV6 : ESP_NH_IPV4);
		assert_int_equal(n, esp_packet_size(len));
		assert_int_equal(n % 4, 0);
		assert_int_equal(esp_packet_peek(p, n, &spi, &seq), 0);
		assert_int_equal(spi, 0x01020304);
		assert_int_equal(seq, len);
		assert_int_equal(esp_packet_open(opener, p, n, &in), 0);
		assert_int_equal(in.len, len);
		assert_int_equal(in.v6, v6);
		assert_int_equal(in.tos, 0xb8);
		assert_memory_equal(in.data, want, len);
	}
}

static void test_bad_insides_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		uint8_t next;
		size_t len;
		uint8_t bytes[44];
		int want;
	} cases[] = {
		{ "dummy",                  59, 8,  { 0 },              -ENODATA },
		{ "empty dummy",            59, 0,  { 0 },              -ENODATA },
		{ "no such protocol",       6,  20, { 0x45, 0, 0, 20 }, -EBADMSG },
		{ "nothing inside",         4,  0,  { 0 },              -EBADMSG },
		{ "IPv4 cut short",         4,  19, { 0x45, 0, 0, 19 }, -EBADMSG },
		{ "IPv4 header too short",  4,  20, { 0x44, 0, 0, 20 }, -EBADMSG },
		{ "options past the end",   4,  20, { 0x46, 0, 0, 20 }, -EBADMSG },
		{ "longer than what came",  4,  20, { 0x45, 0, 0, 21 }, -EBADMSG },
		{ "IPv6 said to be IPv4",   4,  40, { 0x60 },           -EBADMSG },
		{ "IPv4 said to be IPv6",   41, 20, { 0x45, 0, 0, 20 }, -EBADMSG },
		{ "IPv6 cut short",         41, 39, { 0x60 },           -EBADMSG },
		{ "IPv6 payload missing",   41, 40, { 0x60, 0, 0, 0, 0, 1 }, -EBADMSG },
		{ "IPv4 with padding",      4,  40, { 0x45, 0, 0, 20 }, 0 },
	};
	/* clang-format on */
	uint8_t p[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct esp_inner in = {0};
		size_t n;
		int err;

		memcpy(p + ESP_HEAD_LEN, cases[i].bytes, cases[i].len);
		n = esp_packet_seal(sealer, 256, 1, p, cases[i].len, cases[i].next);
		err = esp_packet_open(opener, p, n, &in);
		if (err != cases[i].want)
			fail_msg("%s: got %d, want %d", cases[i].name, err,
				 cases[i].want);
		if (!err)
			assert_int_equal(in.len, 20);
	}
}

static void test_short_and_tampered_packets_are_refused(void **state)
{
	uint8_t p[256];
	struct esp_inner in;
	uint32_t spi;
	uint32_t seq;
	size_t n;

	(void)state;
	for (size_t len = 0; len < ESP_HEAD_LEN + 2 + ESP_TAG_LEN; len++) {
		assert_int_equal(esp_packet_peek(p, len, &spi, &seq), -EBADMSG);
		assert_int_equal(esp_packet_open(opener, p, len, &in), -EBADMSG);
	}
	fill_inner(p + ESP_HEAD_LEN, 60, false, 0);
	n = esp_packet_seal(sealer, 256, 1, p, 60, ESP_NH_IPV4);
	p[4] ^= 1; /* another sequence number */
	assert_int_equal(esp_packet_open(opener, p, n, &in), -EKEYREJECTED);
}

static void test_pad_longer_than_the_packet_is_refused(void **state)
{
	uint8_t p[64] = {0};
	struct esp_inner in;

	(void)state;
	/* Sealed by hand: two bytes inside, "200 of them are padding". */
	p[3] = 1;
	p[ESP_HEAD_LEN] = 200;
	p[ESP_HEAD_LEN + 1] = ESP_NH_IPV4;
	assert_true(esp_aead_seal(sealer, p + ESP_AAD_LEN, p, ESP_AAD_LEN,
				  p + ESP_HEAD_LEN, 2, p + ESP_HEAD_LEN + 2));
	assert_int_equal(esp_packet_open(opener, p, ESP_HEAD_LEN + 2 + 16, &in),
			 -EBADMSG);
}

/* RFC 6040 figure 4; -1 is "drop". Order: Not-ECT, ECT(1), ECT(0), CE. */
static void test_ecn_is_merged_as_rfc_6040_says(void **state)
{
	/* clang-format off */
	static const int want[4][4] = {
		/* outer:      Not  ECT1 ECT0  CE */
		/* inner Not */ { 0,   0,   0,  -1 },
		/* ECT(1) */    { 1,   1,   1,   3 },
		/* ECT(0) */    { 2,   1,   2,   3 },
		/* CE */        { 3,   3,   3,   3 },
	};
	/* clang-format on */
	uint8_t p[64];

	(void)state;
	for (int v6 = 0; v6 < 2; v6++) {
		for (int i = 0; i < 16; i++) {
			uint8_t inner = (uint8_t)(i / 4);
			uint8_t outer = (uint8_t)(i % 4);
			struct esp_inner in;
			int got;

			fill_inner(p, 60, v6, (uint8_t)(0xb8 | inner));
			assert_int_equal(esp_inner_parse(p, 60, &in), 0);
			got = esp_ecn_decap(&in, (uint8_t)(0x28 | outer)) ? in.tos & 3
									  : -1;
			if (got != want[inner][outer])
				fail_msg("inner %u, outer %u: %d", inner, outer, got);
			/* The packet says the same, its DSCP is its own, its sum right. */
			assert_int_equal(esp_inner_parse(p, 60, &in), 0);
			if (got >= 0)
				assert_int_equal(in.tos, 0xb8 | got);
			if (!v6)
				assert_int_equal(esp_fold(esp_sum(p, 20, 0)), 0xffff);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_datagrams_are_told_apart),
		cmocka_unit_test(test_every_length_comes_back),
		cmocka_unit_test(test_bad_insides_are_refused),
		cmocka_unit_test(test_short_and_tampered_packets_are_refused),
		cmocka_unit_test(test_pad_longer_than_the_packet_is_refused),
		cmocka_unit_test(test_ecn_is_merged_as_rfc_6040_says),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
