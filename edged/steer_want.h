/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer_want - the daemon's objects as policy, nftables table and intent
 *
 * Reads struct edged, its uplinks, peers and tunnels, the configuration and the
 * peers' plans; changes nothing. What it returns holds copies only.
 */
#ifndef ED_EDGED_STEER_WANT_H
#define ED_EDGED_STEER_WANT_H

#include <stdbool.h>
#include <stddef.h>

#include "edged/policy_plan.h"
#include "routing/intent.h"

struct edged;
struct json_t;
struct peer;
struct tunnel;

/* True when main's routes of t's peer go over t, now. */
typedef bool (*steer_carries)(void *ctx, const struct tunnel *t);

/* A policy with everything its pointers point to. */
struct steer_policy {
	struct policy_want want;
	struct policy_uplink *uplinks;
	struct policy_tunnel *tunnels;
	struct policy_network *networks;
	struct rt_prefixes guard;
	struct rt_prefixes local;
};

/* keep as policy_want.keep_tunnel_routes. */
void steer_policy_fill(const struct edged *ed, bool keep, steer_carries carries,
		       void *ctx, struct steer_policy *ret);
void steer_policy_fini(struct steer_policy *p);

/* The batch for nft; a new reference. */
struct json_t *steer_nft(const struct edged *ed);

/* The whole intent; the caller frees it. */
struct rt_intent *steer_intent(const struct edged *ed, bool wait);

/* One peer of it, appended to i. */
void steer_intent_peer(const struct peer *p, struct rt_intent *i);

#endif
