/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_live - engines in every state, with fixed keys, for a fuzzer to talk to
 */
#ifndef ED_TESTS_FUZZ_IKE_LIVE_H
#define ED_TESTS_FUZZ_IKE_LIVE_H

#include "ike/sa.h"
#include "tests/sim/ike_world.h"

/* How far the handshake has come when the fuzzer's message arrives. */
enum ike_live_stage {
	IKE_LIVE_INIT_SENT,
	IKE_LIVE_INIT_ANSWERED,
	IKE_LIVE_AUTH_SENT,
	IKE_LIVE_UP_CALLER,
	IKE_LIVE_UP_ANSWERER,
	IKE_LIVE_REKEYING_CHILD,
	IKE_LIVE_REKEYING_IKE,
	IKE_LIVE_STAGES,
};

/* A world at that stage, and in *side the end the fuzzer talks to. */
struct world *ike_live_world(enum ike_live_stage stage, int *side);

/* The SA of that end. */
struct ike_sa *ike_live_sa(struct world *w, int side);

/*
 * Seal the chain (first payload type first) with the keys of sa's peer and
 * give it to the engine of side, which then does all it wants.
 */
void ike_live_talk(struct world *w, int side, struct ike_sa *sa, uint8_t exchange,
		   bool response, uint8_t first, const uint8_t *chain, size_t len);

#endif
