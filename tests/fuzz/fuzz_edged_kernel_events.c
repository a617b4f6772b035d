/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Links, addresses and routes as netlink tells them: first byte the type. */
#include <linux/rtnetlink.h>
#include <stdint.h>
#include <string.h>

#include "edged/kernel_events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* kernel_events.c hands readings on; here nobody listens. */
void uplink_update(struct uplink *u, const struct uplink_kernel *k, struct mono now)
{
	(void)u;
	(void)k;
	(void)now;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {RTM_NEWLINK, RTM_NEWADDR, RTM_NEWROUTE};
	union {
		struct nlmsghdr hdr;
		uint8_t bytes[4096];
	} msg = {0};
	struct uplink_kernel k = {.ifindex = 7};
	uint32_t nhid;

	if (size < 1 || size > sizeof(msg) - NLMSG_HDRLEN)
		return 0;
	msg.hdr.nlmsg_type = types[data[0] % 3];
	msg.hdr.nlmsg_len = (uint32_t)(NLMSG_HDRLEN + size - 1);
	memcpy(msg.bytes + NLMSG_HDRLEN, data + 1, size - 1);
	(void)kernel_read_link(&msg.hdr, &k);
	k.ifindex = 7;
	(void)kernel_read_addr(&msg.hdr, &k);
	(void)kernel_read_route(&msg.hdr, &k, &nhid);
	return 0;
}
