/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_collision - both ends want something at once (RFC 7296 section 2.25)
 *
 * Pure: what we are doing and what the peer asks decide the answer.
 */
#ifndef ED_IKE_COLLISION_H
#define ED_IKE_COLLISION_H

#include <stdbool.h>

#include "ike/sa.h"

/* What the peer asks for in a CREATE_CHILD_SA request. */
enum ike_asked {
	IKE_ASKED_CHILD = 1,
	IKE_ASKED_CHILD_REKEY,
	IKE_ASKED_IKE_REKEY,
};

struct ike_meeting {
	enum ike_op_kind doing; /* 0: nothing */
	enum ike_asked asked;
	bool same_child; /* our operation is about the child it names */
	bool child_known; /* the child it names is there */
	bool child_deleting; /* and our Delete of it is due or in flight */
};

enum ike_verdict {
	IKE_ANSWER = 1,
	IKE_ANSWER_BOTH, /* answer; when ours is answered too, one is redundant */
	IKE_ANSWER_LATER, /* TEMPORARY_FAILURE */
	IKE_ANSWER_UNKNOWN, /* CHILD_SA_NOT_FOUND */
};

enum ike_verdict ike_collision_verdict(const struct ike_meeting *m);

/*
 * Octet by octet, and the shorter one when it ends first (2.8.1): is a lower
 * than b?
 */
bool ike_collision_lower(const struct ike_nonce *a, const struct ike_nonce *b);

/*
 * Of two exchanges that made the same thing twice: is ours the one whose
 * result goes? It is when the lowest of the four nonces is in it.
 */
bool ike_collision_ours_goes(const struct ike_nonce *ours_i,
			     const struct ike_nonce *ours_r,
			     const struct ike_nonce *their_low);

#endif
