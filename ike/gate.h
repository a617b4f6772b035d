/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_gate - what may be processed when
 *
 * One table: state x exchange x request or response -> payloads that must be
 * there, may be there, or must not. Whatever has no row is refused; so an
 * exchange can never run on an SA that is not ready for it. A harmless extra
 * payload in a row is left out and counted, because real peers send CP in a
 * rekey and vendor ids anywhere.
 */
#ifndef ED_IKE_GATE_H
#define ED_IKE_GATE_H

#include <stdbool.h>

#include "ike/payload.h"

/* What an IKE SA waits for, as far as the gate is concerned. */
enum ike_gate_state {
	IKE_GATE_NO_SA = 1, /* a caller's first message */
	IKE_GATE_INIT_SENT, /* initiator, waiting for the INIT answer */
	IKE_GATE_INIT_ANSWERED, /* responder, waiting for AUTH */
	IKE_GATE_AUTH_SENT, /* initiator, waiting for the AUTH answer */
	IKE_GATE_ESTABLISHED,
	IKE_GATE_STATES,
};

/*
 * May the message be processed? Payloads that are allowed nowhere in its row
 * are taken out of chain->seen and counted in chain->ignored.
 *
 * Returns 0; -EACCES when the exchange has no place in this state, or a
 * payload is there that must not be; -EBADMSG when one is missing. An answer
 * with an error notify needs no other payload.
 */
int ike_gate_check(enum ike_gate_state state, uint8_t exchange, bool response,
		   bool protected, struct ike_chain *chain);

#endif
