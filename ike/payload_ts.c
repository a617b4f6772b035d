/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "ike/constants.h"
#include "ike/payload.h"

enum { TS_HDR_LEN = 8 };

/* Returns 1 when *ts is one we understand, 0 when it is to be left out. */
static int decode_selector(struct rbuf *r, struct ike_ts *ts)
{
	struct rbuf body;
	uint8_t type = rbuf_u8(r);
	uint16_t len;
	size_t size;

	ts->protocol = rbuf_u8(r);
	len = rbuf_u16(r);
	if (!rbuf_ok(r) || len < 4)
		return -EBADMSG;
	body = rbuf_sub(r, len - (size_t)4);
	if (!rbuf_ok(r))
		return -EBADMSG;
	if (type != IKE_TS_IPV4 && type != IKE_TS_IPV6)
		return 0;
	ts->family = type == IKE_TS_IPV4 ? AF_INET : AF_INET6;
	size = addr_size(ts->family);
	if (len != TS_HDR_LEN + 2 * size)
		return -EBADMSG;
	ts->port_lo = rbuf_u16(&body);
	ts->port_hi = rbuf_u16(&body);
	ts->lo = (struct addr){.family = ts->family};
	ts->hi = (struct addr){.family = ts->family};
	rbuf_bytes(&body, ts->lo.b, size);
	rbuf_bytes(&body, ts->hi.b, size);
	return rbuf_done(&body) ? 1 : -EBADMSG;
}

int ike_payload_ts_decode(struct rbuf body, struct ike_ts_list *list)
{
	uint8_t n = rbuf_u8(&body);
	size_t count = 0;

	rbuf_skip(&body, 3);
	if (!rbuf_ok(&body) || !n)
		return -EBADMSG;
	if (n > IKE_TS_MAX)
		return -E2BIG;
	for (uint8_t i = 0; i < n; i++) {
		struct ike_ts ts;
		int err = decode_selector(&body, &ts);

		if (err < 0)
			return err;
		if (err)
			list->ts[count++] = ts;
	}
	if (!rbuf_done(&body))
		return -EBADMSG;
	list->n = count;
	return 0;
}

void ike_payload_put_ts(struct ike_build *b, uint8_t type,
			const struct ike_ts_list *list)
{
	ike_build_begin(b, type);
	wbuf_u8(&b->w, (uint8_t)list->n);
	wbuf_zero(&b->w, 3);
	for (size_t i = 0; i < list->n; i++) {
		const struct ike_ts *ts = &list->ts[i];
		size_t size = addr_size(ts->family);

		wbuf_u8(&b->w, ts->family == AF_INET ? IKE_TS_IPV4 : IKE_TS_IPV6);
		wbuf_u8(&b->w, ts->protocol);
		wbuf_u16(&b->w, (uint16_t)(TS_HDR_LEN + 2 * size));
		wbuf_u16(&b->w, ts->port_lo);
		wbuf_u16(&b->w, ts->port_hi);
		wbuf_bytes(&b->w, ts->lo.b, size);
		wbuf_bytes(&b->w, ts->hi.b, size);
	}
	ike_build_end(b);
}
