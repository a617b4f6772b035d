/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A chain of payloads; the first byte is the type of the first one.
 */
#include "tests/fuzz/ike_deep.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_chain chain;
	struct rbuf r;

	if (size == 0)
		return 0;
	r = rbuf_init(data + 1, size - 1);
	if (ike_payload_decode(&r, data[0], &chain) == 0)
		ike_deep_look(&chain);
	return 0;
}
