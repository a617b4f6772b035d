/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_out - the ordered list of actions
 */
#ifndef ED_IKE_OUT_H
#define ED_IKE_OUT_H

#include <stddef.h>
#include <stdint.h>

#include "ike/ike.h"

struct ike_out_node;

struct ike_out {
	struct ike_out_node *first;
	struct ike_out_node *last;
	struct ike_out_node *handed; /* what the host looks at now */
};

/* Append an action about the tunnel (NULL: none) for the caller to fill. */
struct ike_action *ike_out_add(struct ike_out *out, enum ike_act kind,
			       const char *tunnel);

/* A copy of len bytes that lives as long as the action added last. */
const void *ike_out_keep(struct ike_out *out, const void *bytes, size_t len);

/* Hand out the next action. */
const struct ike_action *ike_out_next(struct ike_out *out);

/* Drop and wipe everything. */
void ike_out_fini(struct ike_out *out);

#endif
