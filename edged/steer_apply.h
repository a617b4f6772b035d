/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer_apply - plans, uplinks and tunnels become rules, routes and intent
 *
 * The one place that knows how what edged knows becomes what others carry out:
 * struct policy_want for policy.c (uplink tables, rules, main's static routes,
 * the leak guard), the nftables table (classes, clamping, guard), and the intent
 * for edge-zebra. Plans come from steering_plan(); while a peer's is NULL the
 * former membership stands.
 */
#ifndef ED_EDGED_STEER_APPLY_H
#define ED_EDGED_STEER_APPLY_H

struct edged;
struct peer;
struct steer_apply;

/*
 * Make it; the leak guard, from ed->config, stands when this returns.
 *
 * Returns 0 with *ret for steer_apply_free(), or a negative errno.
 */
int steer_apply_new(struct edged *ed, struct steer_apply **ret);

/* Rules, routes and marks stay. NULL is allowed. */
void steer_apply_free(struct steer_apply *s);

/* A peer's plan, or its tunnels' state, changed. */
void steer_apply_peer(struct edged *ed, struct peer *p);

/*
 * Uplinks, tunnels or the configuration changed. Cheap to call often: what has
 * to be written is written once, when the loop comes round. Does nothing before
 * ed->steer_apply is set.
 */
void steer_apply_all(struct edged *ed);

#endif
