/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole message whose payloads are in clear (or decrypted already): the
 * header of 28 bytes, then the chain.
 */
#include "ike/message.h"
#include "tests/fuzz/ike_deep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf r = rbuf_init(data, size);
	struct ike_chain chain;
	struct ike_hdr hdr;

	if (ike_message_decode(data, size, &hdr) < 0) {
		/* The length in the header is easily wrong: look all the same. */
		if (size < IKE_HDR_LEN)
			return 0;
		hdr.next = data[IKE_HDR_NEXT_AT];
	}
	rbuf_skip(&r, IKE_HDR_LEN);
	if (ike_payload_decode(&r, hdr.next, &chain) == 0)
		ike_deep_look(&chain);
	return 0;
}
