/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A STAMP packet as request, as its reflection, and as an answer. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "pathmon/stamp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t out[PM_STAMP_MAX];
	const struct pm_report report = {.heard = 1, .quiet_ms = 2};
	struct pm_stamp_reflection r = {.seq = 3, .report = size % 2 ? &report : NULL};
	struct pm_stamp_request q;
	struct pm_stamp_answer a;
	int len;

	(void)pm_stamp_decode_answer(data, size, &a);
	if (pm_stamp_decode(data, size, &q) < 0)
		return 0;
	len = pm_stamp_reflect(data, size, &r, out, sizeof(out));
	if (len < 0)
		return 0;
	/* RFC 8762 section 4.3: in the request's size, and our own probe in it. */
	assert((size_t)len == (size > PM_STAMP_BASE_LEN ? size : PM_STAMP_BASE_LEN));
	assert(pm_stamp_decode_answer(out, (size_t)len, &a) == 0);
	assert(a.seq == q.seq && a.stamp == q.stamp && a.ssid == q.ssid);
	return 0;
}
