/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer_quality - does a path keep a class's promise?
 *
 * One object per (path, class). Large violations are noticed quickly, small
 * ones only when the counts prove them:
 *
 * Delay and jitter: over the limit in two looks in a row with new answers, at
 * least 400 ms apart (a look takes the answers of the last second).
 * Loss: counts of the last 5, 10, 20, 30, 40 and 60 s; the promise is broken when in
 * one of them so many could hardly be lost if the loss were just at its limit (one
 * look in 10,000 to 1,000,000, by window). Four lost of fifty prove nothing against
 * 1 %, seven do; four of four do at once.
 *
 * Back: delay and jitter must stay under 80 % of their limits for the hold time
 * that damping gives, and over that time (at most 60 s; longer than the hold time
 * until it holds STEER_LOSS_PROOF probes, where they are sent seldom) nothing was
 * lost, or so little that the upper bound of the interval (z = 1) is within the
 * limit. After that the windows begin there, so that what
 * was judged once is not judged again.
 *
 * Pure: no clock, no allocation. Numbers of the decision stay readable.
 */
#ifndef ED_ROUTING_STEER_QUALITY_H
#define ED_ROUTING_STEER_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"

struct steer_class;

enum steer_quality_limits {
	STEER_LOSS_SLOTS = 32, /* of 2 s: a window of 60 s */
	STEER_LOSS_SLOT_US = 2000000,
	STEER_CONFIRM_US = 400000, /* between two looks that confirm each other */
	STEER_ANSWERS_MIN = 3, /* answers that a delay is judged by */
	STEER_RECOVER_PERCENT = 80,
	STEER_LOSS_PROOF = 50, /* probes counted before a lossy path is taken back */
	STEER_LOSS_PROOF_US = 60000000, /* so much time is enough for fewer */
};

/* One look at a path's session, as the path monitor measured it. */
struct steer_measure {
	uint32_t answers; /* within the last second, 0: nothing to judge by delay */
	uint32_t delay_us; /* median of these */
	uint32_t jitter_us;
	uint64_t judged; /* probes answered or lost so far */
	uint64_t lost; /* of these */
};

/* Zero is no verdict at all. */
enum steer_verdict {
	STEER_UNKNOWN = 1, /* nothing measured yet */
	STEER_GOOD,
	STEER_BAD,
	STEER_HOLDING, /* back under its limits, held until it has lasted */
};

enum steer_metric { STEER_DELAY = 1, STEER_JITTER, STEER_LOSS };

/* What decided: value against limit; for loss also the counts behind it. */
struct steer_evidence {
	enum steer_metric metric; /* 0: none */
	uint32_t value; /* us or ppm */
	uint32_t limit;
	uint32_t lost; /* loss only: lost of judged in window_us */
	uint32_t judged;
	int64_t window_us;
};

struct steer_loss_slot {
	uint64_t judged;
	uint64_t lost;
};

struct steer_quality {
	enum steer_verdict verdict;
	struct mono since; /* of the verdict */
	struct steer_evidence broken; /* why it is, or was last, BAD */
	struct steer_measure last;
	struct mono over_since; /* delay or jitter over its limit, or never */
	struct mono clean_since; /* not GOOD: delay and jitter under 80 %, or never */
	struct steer_loss_slot slots[STEER_LOSS_SLOTS]; /* cumulative, newest at head */
	struct mono slot_at; /* when the newest one was taken */
	uint8_t head;
	uint8_t used;
};

/* Begin with STEER_UNKNOWN. */
void steer_quality_init(struct steer_quality *q, struct mono now);

/*
 * The path died: what was measured counts no more. It comes back by HOLDING
 * when held is true, else by UNKNOWN.
 */
void steer_quality_reset(struct steer_quality *q, struct mono now, bool held);

/*
 * Look at m. hold_us is how long a path must be good before it is GOOD again.
 * Returns true when the verdict changed.
 */
bool steer_quality_look(struct steer_quality *q, const struct steer_class *c,
			const struct steer_measure *m, int64_t hold_us,
			struct mono now);

/*
 * How bad the path is for the class, in thousandths of its limits: the largest
 * of delay, jitter and loss (window of 15 s) over its limit. 0 without limits.
 */
uint32_t steer_quality_badness(const struct steer_quality *q,
			       const struct steer_class *c);

/* Loss of the last window_us (at most 60 s) in ppm, with its counts. */
uint32_t steer_quality_loss(const struct steer_quality *q, int64_t window_us,
			    uint32_t *ret_lost, uint32_t *ret_judged);

/*
 * True when, with a loss of limit_ppm, the probability that lost or more of n are
 * lost is below chance: by the binomial distribution, exactly.
 */
bool steer_quality_exceeds(uint64_t lost, uint64_t n, uint32_t limit_ppm,
			   double chance);

/* Upper end of Wilson's interval (z = 1) for lost of n, in ppm; 1000000 when n is 0. */
uint32_t steer_quality_upper_ppm(uint64_t lost, uint64_t n);

/* "good", "bad", "holding", "unknown"; never NULL. */
const char *steer_verdict_name(enum steer_verdict v);

/* "delay", "jitter", "loss"; never NULL. */
const char *steer_metric_name(enum steer_metric m);

#endif
