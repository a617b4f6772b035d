/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed messages into a live engine.
 *
 * Each record of the input is: stage (first record only), exchange and
 * direction, type of the first payload, length (two bytes), the inner chain.
 * It is sealed with the right keys and the expected message id, so that the
 * fuzzer gets past the SK payload into the exchanges.
 */
#include <string.h>

#include "ike/constants.h"
#include "lib/rbuf.h"
#include "tests/fuzz/ike_live.h"

enum { RECORDS_MAX = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rbuf r = rbuf_init(data, size);
	enum ike_live_stage stage = rbuf_u8(&r) % IKE_LIVE_STAGES;
	struct world *w;
	int side;

	if (!rbuf_left(&r))
		return 0;
	w = ike_live_world(stage, &side);
	for (int i = 0; i < RECORDS_MAX && rbuf_left(&r); i++) {
		uint8_t how = rbuf_u8(&r);
		uint8_t first = rbuf_u8(&r);
		size_t len = rbuf_u16(&r);
		struct ike_sa *sa = ike_live_sa(w, side);
		const uint8_t *chain;

		if (len > rbuf_left(&r))
			len = rbuf_left(&r);
		chain = rbuf_take(&r, len);
		if (!sa || !rbuf_ok(&r))
			break;
		ike_live_talk(w, side, sa, (uint8_t)(IKE_EX_SA_INIT + (how & 3)),
			      how & 4, first, chain, len);
		world_run(w, 50);
	}
	world_run(w, 100 * 1000);
	world_free(w);
	return 0;
}
