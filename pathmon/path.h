/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pm_path - one tunnel's path as a pure machine: probes out, answers in
 *
 * The shells (and the simulations) drive it:
 *
 *	while (pm_path_poll(p, now, &probe))	what is due at now
 *		send; pm_path_sent() or pm_path_send_failed();
 *	pm_path_answer(), pm_path_heard()	what arrived
 *	while (pm_path_change(p, &change))	tell the host
 *	pm_path_deadline(p)			when to poll again
 *
 * All sessions of a path share one sequence, so that an answer is known by its
 * number alone, also from reflectors without a session id. A probe is remembered
 * long after it counts as lost, so that late and repeated answers are told from
 * forged ones: an answer must bring back the stamp its probe left with.
 *
 * Figures and hints are in pathmon.h.
 */
#ifndef ED_PATHMON_PATH_H
#define ED_PATHMON_PATH_H

#include "pathmon/pathmon.h"
#include "pathmon/stamp.h"

struct rng;

struct pm_probe {
	uint32_t seq;
	uint8_t session;
	uint8_t dscp;
	bool extra; /* out of suspicion, not in the statistics */
};

struct pm_path_answer {
	uint32_t seq;
	uint64_t stamp;
	int64_t held_us; /* time in the reflector, not part of the delay */
	bool has_reflector_seq; /* STAMP */
	uint32_t reflector_seq;
	const struct pm_report *report; /* NULL: none came along */
};

/* In state PM_OFF. rng stays the caller's. NULL when n_sessions is out of range. */
struct pm_path *pm_path_new(const struct pm_path_config *cfg, struct rng *rng);

/* NULL is allowed. */
void pm_path_free(struct pm_path *p);

/* Begin to probe; counts and windows begin anew. Nothing when it runs already. */
void pm_path_start(struct pm_path *p, struct mono now);

void pm_path_stop(struct pm_path *p, struct mono now);

/*
 * New settings. Windows begin anew when their size or the sessions change.
 * Returns 0, or -EINVAL when n_sessions is out of range (nothing changes then).
 */
int pm_path_configure(struct pm_path *p, const struct pm_path_config *cfg,
		      struct mono now);

/* When to poll again; MONO_NEVER while off. */
struct mono pm_path_deadline(const struct pm_path *p);

/* Let time pass. True when *probe is to be sent now. */
bool pm_path_poll(struct pm_path *p, struct mono now, struct pm_probe *probe);

/* The probe left at now with this stamp. */
void pm_path_sent(struct pm_path *p, const struct pm_probe *probe, struct mono now,
		  uint64_t stamp);

/*
 * The probe could not be sent (negative errno). It counts nowhere; after
 * PM_SEND_FAILURES in a row over PM_SEND_FAILING_US the path is PM_OFF with
 * PM_CAUSE_SEND, tried again each second.
 */
void pm_path_send_failed(struct pm_path *p, int err, struct mono now);

/*
 * An answer arrived at now.
 *
 * Returns 0; -ENOENT when no probe left with this number and stamp, -EALREADY
 * when it was answered before, -ETIME when it counts as lost (a sign of life).
 */
int pm_path_answer(struct pm_path *p, const struct pm_path_answer *a, struct mono now);

/* A probe of the peer arrived, with its report or NULL. */
void pm_path_heard(struct pm_path *p, const struct pm_report *report, struct mono now);

/* What our probes and answers shall tell the peer. */
void pm_path_report(const struct pm_path *p, struct mono now, struct pm_report *out);

/* Take the oldest change of state not yet told. False when there is none. */
bool pm_path_change(struct pm_path *p, struct pm_change *out);

#endif
