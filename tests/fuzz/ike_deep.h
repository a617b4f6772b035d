/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_deep - look at every payload of a decoded chain, as the exchanges do
 */
#ifndef ED_TESTS_FUZZ_IKE_DEEP_H
#define ED_TESTS_FUZZ_IKE_DEEP_H

#include "ike/child_sa.h"
#include "ike/constants.h"
#include "ike/gate.h"
#include "ike/natd.h"
#include "ike/payload.h"
#include "ike/proposal.h"
#include "ike/selector.h"
#include "ike/steps.h"

static inline void ike_deep_look(const struct ike_chain *chain)
{
	const struct ike_addrs at = {
		.local = {{.family = AF_INET}, 500},
		.remote = {{.family = AF_INET6}, 500},
	};
	char text[IKE_SENTENCE_MAX];
	char label[IKE_LABEL_MAX + 1];
	struct ike_choice choice;
	struct ike_ts_list ts;
	struct ike_id id;
	struct ike_cp cp;
	bool f4;
	bool f6;
	size_t n;

	(void)ike_payload_sa_check(chain->sa, &n);
	for (enum ike_use use = IKE_USE_IKE; use <= IKE_USE_CHILD; use++) {
		const struct ike_suites *s = use == IKE_USE_IKE
						     ? &ike_proposal_default_ike
						     : &ike_proposal_default_esp;

		(void)ike_proposal_choose(chain->sa, use, s, chain->ke_group, &choice);
		(void)ike_proposal_answer(chain->sa, use, s, &choice);
	}
	ike_proposal_format_offer(chain->sa, text, sizeof(text));
	if (ike_payload_ts_decode(chain->tsi, &ts) == 0)
		ike_selector_format(&ts, text, sizeof(text));
	(void)ike_child_families(chain, &f4, &f6, text, sizeof(text));
	(void)ike_payload_cp_decode(chain->cp, &cp);
	if (ike_id_decode(chain->idi, &id) == 0) {
		ike_id_format(&id, text, sizeof(text));
		(void)ike_id_match("*.branch-042", &id, label);
		(void)ike_id_match("*", &id, label);
	}
	(void)ike_id_decode(chain->idr, &id);
	(void)ike_natd_check(chain, 1, 2, &at);
	(void)ike_payload_error(chain);
	for (enum ike_gate_state state = IKE_GATE_NO_SA; state < IKE_GATE_STATES;
	     state++)
		for (uint8_t i = 0; i < 16; i++) {
			struct ike_chain copy = *chain;

			(void)ike_gate_check(state, (uint8_t)(IKE_EX_SA_INIT + i / 4),
					     i & 1, i & 2, &copy);
		}
}

#endif
