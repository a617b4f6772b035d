/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "pathmon/stamp.h"

static const struct pm_report ours = {
	.heard = 7,
	.quiet_ms = 1234,
	.cost = 100,
	.down_kbps = 100000,
	.order = 2,
	.metered = true,
};

static const struct pm_report theirs = {
	.heard = 99,
	.quiet_ms = UINT32_MAX,
	.cost = 20,
	.down_kbps = 0,
	.order = 1,
};

static int request(uint8_t *out, size_t cap)
{
	return pm_stamp_encode(
		&(struct pm_stamp_request){
			.seq = 0x01020304,
			.stamp = 0x1122334455667788,
			.error = PM_STAMP_ERROR,
			.ssid = 0xbeef,
			.report = ours,
		},
		out, cap);
}

static struct pm_stamp_reflection reflection(const struct pm_report *report)
{
	return (struct pm_stamp_reflection){
		.seq = 41,
		.received = pm_stamp_ntp(1000, 0),
		.sent = pm_stamp_ntp(1000, 250000),
		.ttl = 64,
		.report = report,
	};
}

static void test_request_reads_back(void **state)
{
	uint8_t pkt[PM_STAMP_LEN];
	struct pm_stamp_request q;

	(void)state;
	assert_int_equal(request(pkt, sizeof(pkt)), PM_STAMP_LEN);
	assert_int_equal(request(pkt, sizeof(pkt) - 1), -ENOSPC);
	assert_int_equal(pm_stamp_decode(pkt, sizeof(pkt), &q), 0);
	assert_int_equal(q.seq, 0x01020304);
	assert_int_equal(q.stamp, 0x1122334455667788);
	assert_int_equal(q.ssid, 0xbeef);
	assert_true(q.has_report);
	assert_memory_equal(&q.report, &ours, sizeof(ours));
}

static void test_answer_carries_both_sequences_and_the_peers_report(void **state)
{
	uint8_t pkt[PM_STAMP_LEN];
	uint8_t back[PM_STAMP_LEN];
	struct pm_stamp_reflection r = reflection(&theirs);
	struct pm_stamp_answer a;

	(void)state;
	(void)request(pkt, sizeof(pkt));
	assert_int_equal(pm_stamp_reflect(pkt, sizeof(pkt), &r, back, sizeof(back)),
			 PM_STAMP_LEN);
	assert_int_equal(pm_stamp_decode_answer(back, sizeof(back), &a), 0);
	assert_int_equal(a.seq, 0x01020304);
	assert_int_equal(a.stamp, 0x1122334455667788);
	assert_int_equal(a.ssid, 0xbeef);
	assert_int_equal(a.reflector_seq, 41);
	assert_in_range(a.held_us, 249, 250);
	assert_true(a.has_report);
	assert_int_equal(a.report.heard, 99);
	assert_int_equal(a.report.quiet_ms, UINT32_MAX);
	assert_int_equal(a.report.cost, 20);
	assert_int_equal(back[40], 64);
}

static void test_reflector_without_our_tlv_tells_nothing(void **state)
{
	uint8_t pkt[PM_STAMP_LEN];
	uint8_t back[PM_STAMP_LEN];
	struct pm_stamp_reflection r = reflection(NULL);
	struct pm_stamp_answer a;

	(void)state;
	(void)request(pkt, sizeof(pkt));
	(void)pm_stamp_reflect(pkt, sizeof(pkt), &r, back, sizeof(back));
	assert_int_equal(back[44], PM_TLV_UNRECOGNIZED);
	assert_int_equal(pm_stamp_decode_answer(back, sizeof(back), &a), 0);
	assert_false(a.has_report);
}

/* RFC 8762 section 4.3 and RFC 5357 appendix I: sizes of the world. */
static void test_answers_have_the_size_of_the_request(void **state)
{
	static uint8_t in[PM_STAMP_MAX + 1];
	static uint8_t out[PM_STAMP_MAX + 1];
	struct pm_stamp_reflection r = reflection(NULL);
	/* clang-format off */
	static const struct { size_t len; int want; } sizes[] = {
		{ 0, -EMSGSIZE }, { 13, -EMSGSIZE }, { 14, 44 }, { 41, 44 }, { 44, 44 },
		{ 45, 45 }, { 1400, 1400 }, { PM_STAMP_MAX, PM_STAMP_MAX },
		{ PM_STAMP_MAX + 1, -EMSGSIZE },
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		assert_int_equal(pm_stamp_reflect(in, sizes[i].len, &r, out,
						  sizeof(out)),
				 sizes[i].want);
	assert_int_equal(pm_stamp_reflect(in, 100, &r, out, 99), -EMSGSIZE);
}

static void test_padding_comes_back_as_it_came(void **state)
{
	uint8_t in[200];
	uint8_t out[200];
	struct pm_stamp_reflection r = reflection(&theirs);

	(void)state;
	memset(in, 0, sizeof(in));
	in[150] = 0x55;
	assert_int_equal(pm_stamp_reflect(in, sizeof(in), &r, out, sizeof(out)), 200);
	assert_memory_equal(in + 44, out + 44, sizeof(in) - 44);
}

static void test_tlvs_are_marked_as_rfc_8972_says(void **state)
{
	/* clang-format off */
	uint8_t in[44 + 8 + 6 + 4] = {
		[44] = 0x80, 4, 0, 4, 1, 2, 3, 4, /* Class of Service: not understood */
		[52] = 0x80, 1, 0, 2, 0, 0,	  /* Extra Padding: understood */
		[58] = 0x00, 9, 0, 1,		  /* longer than the packet */
	};
	/* clang-format on */
	uint8_t out[sizeof(in)];
	struct pm_stamp_reflection r = reflection(&theirs);

	(void)state;
	assert_int_equal(pm_stamp_reflect(in, sizeof(in), &r, out, sizeof(out)),
			 sizeof(in));
	assert_int_equal(out[44], PM_TLV_UNRECOGNIZED);
	assert_memory_equal(in + 45, out + 45, 7);
	assert_int_equal(out[52], 0);
	assert_true(out[58] & PM_TLV_MALFORMED);
}

static void test_short_and_strange_answers(void **state)
{
	uint8_t pkt[PM_STAMP_LEN];
	uint8_t back[PM_STAMP_LEN];
	struct pm_stamp_reflection r = reflection(&theirs);
	struct pm_stamp_answer a;

	(void)state;
	(void)request(pkt, sizeof(pkt));
	(void)pm_stamp_reflect(pkt, sizeof(pkt), &r, back, sizeof(back));
	assert_int_equal(pm_stamp_decode_answer(back, 37, &a), -EBADMSG);
	assert_int_equal(pm_stamp_decode_answer(back, 38, &a), 0);
	assert_int_equal(a.seq, 0x01020304);
	assert_int_equal(pm_stamp_decode_answer(back, 41, &a), 0);
	assert_int_equal(pm_stamp_decode_answer(back, 67, &a), 0);
	assert_false(a.has_report);

	/* Sent before it was received: no time in the reflector. */
	r.sent = pm_stamp_ntp(999, 0);
	(void)pm_stamp_reflect(pkt, sizeof(pkt), &r, back, sizeof(back));
	assert_int_equal(pm_stamp_decode_answer(back, sizeof(back), &a), 0);
	assert_int_equal(a.held_us, 0);

	/* A reflector whose times are zero. */
	r.sent = 0;
	r.received = 0;
	(void)pm_stamp_reflect(pkt, sizeof(pkt), &r, back, sizeof(back));
	assert_int_equal(pm_stamp_decode_answer(back, sizeof(back), &a), 0);
	assert_int_equal(a.held_us, 0);
}

static void test_ptp_times_are_understood(void **state)
{
	uint8_t pkt[PM_STAMP_LEN];
	uint8_t back[PM_STAMP_LEN];
	struct pm_stamp_reflection r = {
		.received = ((uint64_t)5 << 32) | 999000000,
		.sent = ((uint64_t)6 << 32) | 1000000,
	};
	struct pm_stamp_answer a;

	(void)state;
	(void)request(pkt, sizeof(pkt));
	(void)pm_stamp_reflect(pkt, sizeof(pkt), &r, back, sizeof(back));
	back[12] |= PM_STAMP_ERROR_PTP >> 8;
	assert_int_equal(pm_stamp_decode_answer(back, sizeof(back), &a), 0);
	assert_int_equal(a.held_us, 2000);
}

static void test_ntp_time_of_1970(void **state)
{
	(void)state;
	assert_int_equal(pm_stamp_ntp(0, 500000000), 0x83aa7e8080000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request_reads_back),
		cmocka_unit_test(
			test_answer_carries_both_sequences_and_the_peers_report),
		cmocka_unit_test(test_reflector_without_our_tlv_tells_nothing),
		cmocka_unit_test(test_answers_have_the_size_of_the_request),
		cmocka_unit_test(test_padding_comes_back_as_it_came),
		cmocka_unit_test(test_tlvs_are_marked_as_rfc_8972_says),
		cmocka_unit_test(test_short_and_strange_answers),
		cmocka_unit_test(test_ptp_times_are_understood),
		cmocka_unit_test(test_ntp_time_of_1970),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
