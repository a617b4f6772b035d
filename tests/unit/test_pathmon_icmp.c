/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "pathmon/icmp.h"

static const struct pm_icmp_echo echo = {
	.id = 0x1234,
	.seq = 0x00fffffe,
	.stamp = 0xa1b2c3d4e5f60718,
};

/* What a host makes of a request: another type, and the sum less 8 << 8. */
static void answer4(uint8_t *pkt)
{
	uint32_t sum = (uint32_t)(pkt[2] << 8 | pkt[3]) + 0x0800;

	pkt[0] = 0;
	sum = (sum & 0xffff) + (sum >> 16);
	pkt[2] = (uint8_t)(sum >> 8);
	pkt[3] = (uint8_t)sum;
}

static void test_reply_to_our_request_is_read(void **state)
{
	uint8_t pkt[PM_ICMP_LEN];
	struct pm_icmp_echo e;

	(void)state;
	assert_int_equal(pm_icmp_encode(AF_INET, &echo, pkt, sizeof(pkt)), PM_ICMP_LEN);
	assert_int_equal(pm_icmp_decode(AF_INET, pkt, sizeof(pkt), &e), -ENOMSG);
	answer4(pkt);
	assert_int_equal(pm_icmp_decode(AF_INET, pkt, sizeof(pkt), &e), 0);
	assert_int_equal(e.id, echo.id);
	assert_int_equal(e.seq, echo.seq);
	assert_int_equal(e.stamp, echo.stamp);

	assert_int_equal(pm_icmp_encode(AF_INET6, &echo, pkt, sizeof(pkt)),
			 PM_ICMP_LEN);
	assert_int_equal(pkt[0], 128);
	pkt[0] = 129;
	assert_int_equal(pm_icmp_decode(AF_INET6, pkt, sizeof(pkt), &e), 0);
	assert_int_equal(pm_icmp_encode(AF_INET, &echo, pkt, 75), -ENOSPC);
}

static void test_strange_replies_are_refused(void **state)
{
	uint8_t pkt[PM_ICMP_LEN];
	struct pm_icmp_echo e;

	(void)state;
	(void)pm_icmp_encode(AF_INET, &echo, pkt, sizeof(pkt));
	answer4(pkt);
	for (size_t len = 0; len < 8; len++)
		assert_int_equal(pm_icmp_decode(AF_INET, pkt, len, &e), -EBADMSG);
	pkt[20] ^= 1;
	assert_int_equal(pm_icmp_decode(AF_INET, pkt, sizeof(pkt), &e), -EBADMSG);

	(void)pm_icmp_encode(AF_INET6, &echo, pkt, sizeof(pkt));
	pkt[0] = 129;
	for (size_t len = 8; len < 24; len++)
		assert_int_equal(pm_icmp_decode(AF_INET6, pkt, len, &e), -ENOMSG);
	pkt[1] = 1;
	assert_int_equal(pm_icmp_decode(AF_INET6, pkt, sizeof(pkt), &e), -ENOMSG);
	pkt[1] = 0;
	pkt[7] ^= 1; /* sequence of the header and of the payload differ */
	assert_int_equal(pm_icmp_decode(AF_INET6, pkt, sizeof(pkt), &e), -ENOMSG);
	pkt[7] ^= 1;
	pkt[8] ^= 1; /* somebody else's ping */
	assert_int_equal(pm_icmp_decode(AF_INET6, pkt, sizeof(pkt), &e), -ENOMSG);
}

static void test_ip_header_is_skipped(void **state)
{
	uint8_t pkt[60] = {0x45};

	(void)state;
	assert_int_equal(pm_icmp_skip_ipv4(pkt, 20), 20);
	assert_int_equal(pm_icmp_skip_ipv4(pkt, 19), -EBADMSG);
	assert_int_equal(pm_icmp_skip_ipv4(pkt, 0), -EBADMSG);
	pkt[0] = 0x4f;
	assert_int_equal(pm_icmp_skip_ipv4(pkt, 60), 60);
	pkt[0] = 0x44;
	assert_int_equal(pm_icmp_skip_ipv4(pkt, 60), -EBADMSG);
	pkt[0] = 0x65;
	assert_int_equal(pm_icmp_skip_ipv4(pkt, 60), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reply_to_our_request_is_read),
		cmocka_unit_test(test_strange_replies_are_refused),
		cmocka_unit_test(test_ip_header_is_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
