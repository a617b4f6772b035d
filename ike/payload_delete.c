/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/constants.h"
#include "ike/payload.h"

void ike_payload_put_delete(struct ike_build *b, uint32_t spi)
{
	ike_build_begin(b, IKE_PLD_DELETE);
	if (spi) {
		wbuf_u8(&b->w, IKE_PROTO_ESP);
		wbuf_u8(&b->w, IKE_ESP_SPI_LEN);
		wbuf_u16(&b->w, 1);
		wbuf_u32(&b->w, spi);
	} else {
		wbuf_u8(&b->w, IKE_PROTO_IKE);
		wbuf_u8(&b->w, 0);
		wbuf_u16(&b->w, 0);
	}
	ike_build_end(b);
}
