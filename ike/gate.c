/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/gate.h"

#include <errno.h>

#include "ike/constants.h"
#include "lib/alloc.h"

struct rule {
	enum ike_gate_state state;
	uint8_t exchange;
	bool response;
	bool protected;
	uint32_t must;
	uint32_t may;
	uint32_t deny;
};

#define P(name) IKE_PLD_BIT(IKE_PLD_##name)
#define REQ false
#define RESP true
#define CLEAR false
#define SEALED true

/* Never ours to skip: EAP would be another way to authenticate. */
#define DENY P(EAP)
#define CREDENTIALS (P(AUTH) | P(IDI) | P(IDR) | P(EAP))
#define SIDE (P(NOTIFY) | P(VENDOR))
#define CHILD_BODY (P(SA) | P(NONCE) | P(KE) | P(TSI) | P(TSR) | SIDE)
#define INFO_BODY (P(DELETE) | SIDE)

/* clang-format off */
static const struct rule rules[] = {
	/* an attempt's first message and its answer; credentials in clear never */
	{ IKE_GATE_NO_SA,         IKE_EX_SA_INIT,       REQ,  CLEAR,
	  P(SA) | P(KE) | P(NONCE),                     SIDE,                  CREDENTIALS },
	{ IKE_GATE_INIT_SENT,     IKE_EX_SA_INIT,       RESP, CLEAR,
	  P(SA) | P(KE) | P(NONCE),                     SIDE,                  CREDENTIALS },

	/* proving who one is, with the first child */
	{ IKE_GATE_INIT_ANSWERED, IKE_EX_AUTH,          REQ,  SEALED,
	  P(IDI) | P(AUTH) | P(SA) | P(TSI) | P(TSR),   P(IDR) | P(CP) | SIDE, DENY },
	{ IKE_GATE_AUTH_SENT,     IKE_EX_AUTH,          RESP, SEALED,
	  P(IDR) | P(AUTH),         P(SA) | P(TSI) | P(TSR) | P(CP) | SIDE,    DENY },

	/* what an authenticated peer may ask, and answer */
	{ IKE_GATE_ESTABLISHED,   IKE_EX_CREATE_CHILD,  REQ,  SEALED,
	  P(SA) | P(NONCE),                             CHILD_BODY,            DENY },
	{ IKE_GATE_ESTABLISHED,   IKE_EX_CREATE_CHILD,  RESP, SEALED,
	  P(SA) | P(NONCE),                             CHILD_BODY,            DENY },
	{ IKE_GATE_ESTABLISHED,   IKE_EX_INFORMATIONAL, REQ,  SEALED,
	  0,                                            INFO_BODY,             DENY },
	{ IKE_GATE_ESTABLISHED,   IKE_EX_INFORMATIONAL, RESP, SEALED,
	  0,                                            INFO_BODY,             DENY },
};
/* clang-format on */

/* Answers that carry a notify alone: errors, and COOKIE (2.6). */
static bool notify_is_all(const struct ike_chain *chain)
{
	return ike_payload_error(chain) || ike_payload_notify(chain, IKE_N_COOKIE);
}

int ike_gate_check(enum ike_gate_state state, uint8_t exchange, bool response,
		   bool protected, struct ike_chain *chain)
{
	for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
		const struct rule *r = &rules[i];
		uint32_t extra;

		if (r->state != state || r->exchange != exchange ||
		    r->response != response || r->protected != protected)
			continue;
		if (chain->seen & r->deny)
			return -EACCES;
		if ((chain->seen & r->must) != r->must &&
		    !(response && notify_is_all(chain)))
			return -EBADMSG;
		extra = chain->seen & ~(r->must | r->may);
		chain->seen &= ~extra;
		chain->ignored += (unsigned int)__builtin_popcount(extra);
		return 0;
	}
	return -EACCES;
}
