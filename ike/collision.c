/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/collision.h"

#include <string.h>

static enum ike_verdict asked_ike_rekey(enum ike_op_kind doing)
{
	switch (doing) {
	case IKE_OP_IKE_REKEY:
		return IKE_ANSWER_BOTH;
	case IKE_OP_CHILD_NEW:
	case IKE_OP_CHILD_REKEY:
	case IKE_OP_CHILD_DELETE:
	case IKE_OP_IKE_DELETE:
		return IKE_ANSWER_LATER;
	case IKE_OP_PROBE:
		return IKE_ANSWER;
	}
	return IKE_ANSWER; /* we do nothing */
}

enum ike_verdict ike_collision_verdict(const struct ike_meeting *m)
{
	if (m->asked == IKE_ASKED_IKE_REKEY)
		return asked_ike_rekey(m->doing);
	if (m->doing == IKE_OP_IKE_REKEY || m->doing == IKE_OP_IKE_DELETE)
		return IKE_ANSWER_LATER;
	if (m->asked == IKE_ASKED_CHILD)
		return IKE_ANSWER;
	/* It may be the one that the answer to our request brings. */
	if (!m->child_known &&
	    (m->doing == IKE_OP_CHILD_NEW || m->doing == IKE_OP_CHILD_REKEY))
		return IKE_ANSWER_LATER;
	if (!m->child_known)
		return IKE_ANSWER_UNKNOWN;
	if (m->child_deleting)
		return IKE_ANSWER_LATER;
	if (m->doing == IKE_OP_CHILD_REKEY && m->same_child)
		return IKE_ANSWER_BOTH;
	return IKE_ANSWER;
}

bool ike_collision_lower(const struct ike_nonce *a, const struct ike_nonce *b)
{
	size_t len = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->b, b->b, len);

	return order ? order < 0 : a->len < b->len;
}

bool ike_collision_ours_goes(const struct ike_nonce *ours_i,
			     const struct ike_nonce *ours_r,
			     const struct ike_nonce *their_low)
{
	const struct ike_nonce *low =
		ike_collision_lower(ours_i, ours_r) ? ours_i : ours_r;

	return ike_collision_lower(low, their_low);
}
