/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pm_liveness - down, proving, up, suspect: late and lossy is not dead
 *
 * "Three lost in a row" at 10 probes a second and 5 % loss each way is 30 false
 * alarms an hour. So: one overdue answer makes a path suspect, which costs some
 * faster probes and nothing else. It is down only when
 *
 *  - at least down_missed probes are overdue since the last answer, and nothing
 *    at all (answers, the peer's probes, data) arrived for down_quiet, or
 *  - as many are, and no answer came for down_no_answer (one direction dead), or
 *  - the peer says that it hears nothing, while several probes left (caller).
 *
 * Two deadlines: an answer is *late enough to be suspicious* soon (round trip
 * plus four deviations, at least PM_SUSPECT_MARGIN_US), but *missed* only after
 * PM_MISSED_MARGIN_US more than the usual round trip: a path whose delay jumps
 * by 200 ms goes silent for that long, and is not dead.
 *
 * Up again after up_answers answers over the proving time. Whether a path keeps
 * a class's promise is another question, answered by steering.
 */
#ifndef ED_PATHMON_LIVENESS_H
#define ED_PATHMON_LIVENESS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"
#include "pathmon/pathmon.h"

enum pm_liveness_limits {
	PM_SUSPECT_MARGIN_US = 25000,
	PM_MISSED_MARGIN_US = 250000,
	PM_MISSED_UNKNOWN_US = 500000,
	PM_CREDIT_MAX_US = 200000, /* see no_answer_us() */
	/* So many in a row and for so long: probing counts as not running. A link
	 * that flaps for less than that is none of our business. */
	PM_SEND_FAILURES = 5,
	PM_SEND_FAILING_US = 1000000,
	PM_SEND_RETRY_US = 1000000, /* from then on */
};

struct pm_liveness {
	enum pm_state state;
	struct mono since; /* of the state */
	struct mono proving; /* first answer of the proving time */
	struct mono last_answer; /* or the start */
	struct mono last_arrival; /* of anything, or the start */
	uint32_t answers; /* while proving */
	bool new_path; /* was never up since the start */
	/* Smoothed round trip and its mean deviation (RFC 6298), 0: none yet. */
	int64_t srtt_us;
	int64_t rttvar_us;
};

/* What is unanswered since the last answer. */
struct pm_overdue {
	struct mono waiting; /* when the first of them left; MONO_NEVER: none */
	uint32_t missed; /* how many are past pm_liveness_missed_us() */
};

/* PM_OFF, nothing known. */
void pm_liveness_init(struct pm_liveness *l);

/* Probing begins: PM_PROVING. Fills change. */
void pm_liveness_start(struct pm_liveness *l, struct mono now,
		       struct pm_change *change);

/* Probing ends or cannot run: PM_OFF. True, and change filled, unless it was off. */
bool pm_liveness_stop(struct pm_liveness *l, enum pm_cause cause, int err,
		      struct mono now, struct pm_change *change);

/* An answer that took rtt_us came. True and change filled when the state changed. */
bool pm_liveness_answer(struct pm_liveness *l, const struct pm_path_config *cfg,
			int64_t rtt_us, struct mono now, struct pm_change *change);

/* Something else came over the tunnel: the peer's probe, data. */
void pm_liveness_arrived(struct pm_liveness *l, struct mono now);

/* Time has passed. True and change filled when the state changed. */
bool pm_liveness_check(struct pm_liveness *l, const struct pm_path_config *cfg,
		       const struct pm_overdue *o, struct mono now,
		       struct pm_change *change);

/* The peer hears nothing of us. True and change filled when the state changed. */
bool pm_liveness_deaf(struct pm_liveness *l, const struct pm_overdue *o,
		      struct mono now, struct pm_change *change);

/* How long after sending an answer makes suspicious, and counts as missed. */
int64_t pm_liveness_suspect_us(const struct pm_liveness *l);
int64_t pm_liveness_missed_us(const struct pm_liveness *l);

#endif
