/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pathmon/icmp.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/rbuf.h"
#include "lib/wbuf.h"

enum {
	ECHO4_REQUEST = 8, /* RFC 792 */
	ECHO4_REPLY = 0,
	ECHO6_REQUEST = 128, /* RFC 4443 section 4 */
	ECHO6_REPLY = 129,
	PAYLOAD_MAGIC = 0x65646764,
	CHECKSUM_OFFSET = 2,
	IPV4_HDR_MIN = 20,
};

/* RFC 1071; 0xffff (or 0) over a message that holds its own checksum. */
static uint16_t checksum(const void *data, size_t len)
{
	struct rbuf r = rbuf_init(data, len);
	uint32_t sum = 0;

	/* Ends: two bytes are taken each round. */
	while (rbuf_left(&r) >= 2)
		sum += rbuf_u16(&r);
	if (rbuf_left(&r))
		sum += (uint32_t)rbuf_u8(&r) << 8;
	sum = (sum >> 16) + (sum & 0xffff);
	sum += sum >> 16;
	return (uint16_t)~sum;
}

int pm_icmp_encode(uint8_t family, const struct pm_icmp_echo *e, void *out, size_t cap)
{
	struct wbuf w = wbuf_init(out, cap);
	uint16_t sum;

	wbuf_u8(&w, family == AF_INET6 ? ECHO6_REQUEST : ECHO4_REQUEST);
	wbuf_u8(&w, 0);
	wbuf_u16(&w, 0);
	wbuf_u16(&w, e->id);
	wbuf_u16(&w, (uint16_t)e->seq);
	wbuf_u32(&w, PAYLOAD_MAGIC);
	wbuf_u32(&w, e->seq);
	wbuf_u64(&w, e->stamp);
	wbuf_zero(&w, PM_ICMP_LEN - PM_ICMP_HDR - PM_ICMP_PAYLOAD);
	if (!wbuf_ok(&w))
		return -ENOSPC;
	if (family != AF_INET6) {
		sum = checksum(out, PM_ICMP_LEN);
		w.start[CHECKSUM_OFFSET] = (uint8_t)(sum >> 8);
		w.start[CHECKSUM_OFFSET + 1] = (uint8_t)sum;
	}
	return PM_ICMP_LEN;
}

int pm_icmp_decode(uint8_t family, const void *in, size_t len, struct pm_icmp_echo *out)
{
	struct rbuf r = rbuf_init(in, len);
	struct pm_icmp_echo e;
	uint16_t low;
	uint8_t type = rbuf_u8(&r);
	uint8_t code = rbuf_u8(&r);

	(void)rbuf_u16(&r);
	e.id = rbuf_u16(&r);
	low = rbuf_u16(&r);
	if (!rbuf_ok(&r))
		return -EBADMSG;
	if (type != (family == AF_INET6 ? ECHO6_REPLY : ECHO4_REPLY) || code != 0)
		return -ENOMSG;
	if (family != AF_INET6 && checksum(in, len) != 0)
		return -EBADMSG;
	if (rbuf_u32(&r) != PAYLOAD_MAGIC)
		return -ENOMSG;
	e.seq = rbuf_u32(&r);
	e.stamp = rbuf_u64(&r);
	if (!rbuf_ok(&r) || low != (uint16_t)e.seq)
		return -ENOMSG;
	*out = e;
	return 0;
}

int pm_icmp_skip_ipv4(const void *in, size_t len)
{
	struct rbuf r = rbuf_init(in, len);
	uint8_t first = rbuf_u8(&r);
	size_t hdr = (size_t)(first & 0x0f) * 4;

	if (first >> 4 != 4 || hdr < IPV4_HDR_MIN || hdr > len)
		return -EBADMSG;
	return (int)hdr;
}
