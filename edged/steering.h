/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steering - the host of routing/steer/: looks at each peer's paths, keeps plans
 *
 * Every 250 ms, and at once when a path's liveness changed, the peer's paths are
 * put before steer_peer(); a plan that differs goes to steer_apply, and each
 * decision becomes an event of kind "steer" with its numbers.
 *
 * After a restart the first plan waits until each path with an SA is measured,
 * at most 3 s; until then edge-zebra keeps what the last edged wanted. Penalties
 * and members survive in STATE/steering.
 */
#ifndef ED_EDGED_STEERING_H
#define ED_EDGED_STEERING_H

#include <stdbool.h>

#include "routing/steer/plan.h"

struct edged;
struct peer;
struct steering;
struct tunnel;

/* Read STATE/steering and begin to look. The caller frees it. */
struct steering *steering_new(struct edged *ed);

/* Write STATE/steering and stop. NULL is allowed. */
void steering_free(struct steering *s);

/* Look at the peer again as soon as the loop comes round. */
void steering_touch(struct peer *p);

/* Before the peer is freed. */
void steering_forget(struct peer *p);

/* Classes or uplinks of the configuration changed: look at every peer anew. */
void steering_reload(struct edged *ed);

/* The peer's plan, or NULL while the first one is still awaited. */
const struct steer_plan *steering_plan(const struct peer *p);

/* How often a class of a peer moved for a reason, since the start. */
struct steering_moves {
	char class_name[STEER_NAME_MAX];
	enum steer_reason reason;
	uint64_t count;
};

/* All of the peer's, borrowed until the loop goes on. Returns how many. */
size_t steering_moves(const struct peer *p, const struct steering_moves **ret);

/*
 * How tunnel t stands in a class of the configuration: for paths, classes, why.
 *
 * Returns 0, or -ENOENT when steering never saw it.
 */
int steering_standing(const struct tunnel *t, const char *class_name,
		      struct steer_standing *ret);

#endif
