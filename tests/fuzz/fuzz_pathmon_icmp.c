/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First byte: the family. The rest: an ICMP message, for IPv4 with its IP header. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "pathmon/icmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pm_icmp_echo e;
	int skip = 0;

	if (size == 0)
		return 0;
	if (data[0] & 1) {
		(void)pm_icmp_decode(AF_INET6, data + 1, size - 1, &e);
		return 0;
	}
	skip = pm_icmp_skip_ipv4(data + 1, size - 1);
	if (skip < 0)
		return 0;
	assert((size_t)skip <= size - 1);
	(void)pm_icmp_decode(AF_INET, data + 1 + skip, size - 1 - (size_t)skip, &e);
	return 0;
}
