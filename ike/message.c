/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/message.h"

#include <errno.h>

#include "ike/constants.h"
#include "lib/rbuf.h"

int ike_message_decode(const void *bytes, size_t len, struct ike_hdr *hdr)
{
	struct rbuf r = rbuf_init(bytes, len);
	struct ike_hdr h;
	uint8_t version;
	uint8_t flags;
	uint32_t length;

	h.spi_i = rbuf_u64(&r);
	h.spi_r = rbuf_u64(&r);
	h.next = rbuf_u8(&r);
	version = rbuf_u8(&r);
	h.exchange = rbuf_u8(&r);
	flags = rbuf_u8(&r);
	h.id = rbuf_u32(&r);
	length = rbuf_u32(&r);
	if (!rbuf_ok(&r))
		return -EBADMSG;
	if (version >> 4 != IKE_VERSION_MAJOR)
		return -EPROTONOSUPPORT;
	if (length != len || !h.spi_i || h.spi_i == h.spi_r)
		return -EBADMSG;
	/* The version flag and reserved bits are ignored on receipt. */
	h.from_initiator = flags & IKE_FLAG_INITIATOR;
	h.response = flags & IKE_FLAG_RESPONSE;
	*hdr = h;
	return 0;
}

void ike_message_begin(struct ike_build *b, void *buf, size_t cap,
		       const struct ike_hdr *hdr)
{
	b->w = wbuf_init(buf, cap);
	b->next_at = IKE_HDR_NEXT_AT;
	b->at = (struct wbuf_mark){0};
	wbuf_u64(&b->w, hdr->spi_i);
	wbuf_u64(&b->w, hdr->spi_r);
	wbuf_u8(&b->w, IKE_PLD_NONE);
	wbuf_u8(&b->w, IKE_VERSION_MAJOR << 4);
	wbuf_u8(&b->w, hdr->exchange);
	wbuf_u8(&b->w, (uint8_t)((hdr->from_initiator ? IKE_FLAG_INITIATOR : 0) |
				 (hdr->response ? IKE_FLAG_RESPONSE : 0)));
	wbuf_u32(&b->w, hdr->id);
	wbuf_u32(&b->w, 0);
}

size_t ike_message_end(struct ike_build *b)
{
	size_t len = wbuf_len(&b->w);
	struct wbuf field;

	if (!wbuf_ok(&b->w) || len < IKE_HDR_LEN)
		return 0;
	field = wbuf_init(b->w.start + IKE_HDR_LENGTH_AT, 4);
	wbuf_u32(&field, (uint32_t)len);
	return len;
}

void ike_build_begin(struct ike_build *b, uint8_t type)
{
	if (wbuf_ok(&b->w))
		b->w.start[b->next_at] = type;
	b->next_at = wbuf_len(&b->w);
	wbuf_u8(&b->w, IKE_PLD_NONE);
	wbuf_u8(&b->w, 0);
	b->at = wbuf_mark16(&b->w, 2);
}

void ike_build_end(struct ike_build *b)
{
	wbuf_fix16(&b->w, b->at);
}
