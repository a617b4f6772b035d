/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pm_pacer - when the next probe leaves, and of which session
 *
 * A constant mean rate with 10 % jitter, never a burst: a burst measures its own
 * queue, and lock-step with other tunnels or schedulers measures theirs. Each
 * session is probed once an interval, the sessions of a path take turns.
 *
 * A metered uplink has a budget: seldom when idle, faster while traffic flows or
 * a probe was missed lately; its sessions share the one rate. A path that is not
 * proven, and one whose peer has no good path, is probed fast whatever the budget.
 *
 * Probes sent out of suspicion are *extra*: they tell life from death and stay
 * out of the statistics, which the regular rhythm below them feeds.
 */
#ifndef ED_PATHMON_PACER_H
#define ED_PATHMON_PACER_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"
#include "pathmon/pathmon.h"

struct rng;

enum pm_pacer_limits {
	PM_JITTER_PERCENT = 10,
	PM_BUSY_HOLD_US =
		5000000, /* metered: fast for so long after traffic or a miss */
	PM_DEAD_AFTER_US = 60000000, /* metered and down for so long: */
	PM_DEAD_US = 1000000, /* this interval */
};

struct pm_pacer {
	struct mono regular; /* when the next regular probe is due */
	struct mono extra; /* while suspect: the next one at all */
	struct mono busy_until;
	bool urgent;
	uint8_t turn; /* session of the next regular probe */
};

/* What the pacer must know of the path. */
struct pm_pace {
	const struct pm_path_config *cfg;
	enum pm_state state;
	struct mono since; /* of the state */
};

/* Begin: the first probe is due at once. */
void pm_pacer_start(struct pm_pacer *p, struct mono now);

/* Traffic flows, or a probe was missed: a metered path is probed faster. */
void pm_pacer_busy(struct pm_pacer *p, const struct pm_pace *pace, struct mono now);

void pm_pacer_urgent(struct pm_pacer *p, const struct pm_pace *pace, bool urgent,
		     struct mono now);

/* The state changed: nothing waits longer than the new interval. */
void pm_pacer_hasten(struct pm_pacer *p, const struct pm_pace *pace, struct mono now);

/* Between two probes of the path now (all sessions), without jitter. */
int64_t pm_pacer_interval_us(const struct pm_pacer *p, const struct pm_pace *pace,
			     struct mono now);

/* When the next probe is due; MONO_NEVER while off. */
struct mono pm_pacer_next(const struct pm_pacer *p, const struct pm_pace *pace);

/*
 * Take the probe due at now. Returns false when none is. Sets its session and
 * whether it is extra, and the time of the one after it.
 */
bool pm_pacer_take(struct pm_pacer *p, const struct pm_pace *pace, struct rng *rng,
		   struct mono now, uint8_t *ret_session, bool *ret_extra);

#endif
