/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "ike/constants.h"
#include "ike/payload.h"

enum { IP6_ATTR_LEN = 17 };

/* The length of a contiguous netmask, or -EBADMSG. */
static int mask_len(uint32_t mask)
{
	int len = 0;

	while (len < 32 && mask & UINT32_C(1) << (31 - len))
		len++;
	return len == 32 || !(mask << len) ? len : -EBADMSG;
}

static int decode_attribute(uint16_t type, struct rbuf *v, struct ike_cp *cp)
{
	size_t len = rbuf_left(v);
	int bits;

	switch (type) {
	case IKE_CFG_IP4_ADDRESS:
		cp->ip4 = true;
		if (!len)
			return 0;
		cp->addr4.family = AF_INET;
		rbuf_bytes(v, cp->addr4.b, 4);
		break;
	case IKE_CFG_IP4_NETMASK:
		if (!len)
			return 0;
		bits = mask_len(rbuf_u32(v));
		if (bits < 0)
			return bits;
		cp->len4 = (uint8_t)bits;
		break;
	case IKE_CFG_IP6_ADDRESS:
		cp->ip6 = true;
		if (!len)
			return 0;
		cp->addr6.family = AF_INET6;
		rbuf_bytes(v, cp->addr6.b, 16);
		cp->len6 = rbuf_u8(v);
		if (cp->len6 > 128)
			return -EBADMSG;
		break;
	default: /* name servers and the like: not ours to use */
		rbuf_skip(v, len);
		break;
	}
	return rbuf_done(v) ? 0 : -EBADMSG;
}

int ike_payload_cp_decode(struct rbuf body, struct ike_cp *ret)
{
	struct ike_cp cp = {.len4 = 32, .len6 = 128};
	unsigned int count = 0;

	cp.type = rbuf_u8(&body);
	rbuf_skip(&body, 3);
	/* Ends: each round takes at least four bytes. */
	while (rbuf_left(&body)) {
		uint16_t type = rbuf_u16(&body) & IKE_CFG_TYPE_MASK;
		uint16_t len = rbuf_u16(&body);
		struct rbuf value = rbuf_sub(&body, len);
		int err;

		if (!rbuf_ok(&body))
			return -EBADMSG;
		if (++count > IKE_CP_ATTRS_MAX)
			return -E2BIG;
		err = decode_attribute(type, &value, &cp);
		if (err < 0)
			return err;
	}
	if (!rbuf_ok(&body))
		return -EBADMSG;
	*ret = cp;
	return 0;
}

static void put_ip4(struct ike_build *b, const struct ike_cp *cp)
{
	wbuf_u16(&b->w, IKE_CFG_IP4_ADDRESS);
	if (!cp->addr4.family) {
		wbuf_u16(&b->w, 0);
		return;
	}
	wbuf_u16(&b->w, 4);
	wbuf_bytes(&b->w, cp->addr4.b, 4);
	if (cp->len4 < 32) {
		wbuf_u16(&b->w, IKE_CFG_IP4_NETMASK);
		wbuf_u16(&b->w, 4);
		wbuf_u32(&b->w, cp->len4 ? UINT32_MAX << (32 - cp->len4) : 0);
	}
}

static void put_ip6(struct ike_build *b, const struct ike_cp *cp)
{
	wbuf_u16(&b->w, IKE_CFG_IP6_ADDRESS);
	if (!cp->addr6.family) {
		wbuf_u16(&b->w, 0);
		return;
	}
	wbuf_u16(&b->w, IP6_ATTR_LEN);
	wbuf_bytes(&b->w, cp->addr6.b, 16);
	wbuf_u8(&b->w, cp->len6);
}

void ike_payload_put_cp(struct ike_build *b, const struct ike_cp *cp)
{
	ike_build_begin(b, IKE_PLD_CP);
	wbuf_u8(&b->w, cp->type);
	wbuf_zero(&b->w, 3);
	if (cp->ip4)
		put_ip4(b, cp);
	if (cp->ip6)
		put_ip6(b, cp);
	ike_build_end(b);
}
