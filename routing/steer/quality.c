/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/steer/quality.h"

#include <stddef.h>

#include "lib/alloc.h"
#include "routing/steer/class.h"

enum {
	COUNT_MAX = 1000, /* more are scaled down: doubles would underflow */
	BADNESS_WINDOW_US = 15000000,
};

/*
 * Gross losses show in the first windows, fine ones in the last. The chance is
 * that of a false "broken" by one look with the loss exactly at the limit: windows
 * that many independent looks fall into must be stricter. Together they are wrong
 * about once in 12 hours at the limit itself and once in 100 at 80 % of it, and
 * miss 9.75 % against 2 % for 45 s in one case of 4,000 (10 probes a second).
 */
/* clang-format off */
static const struct {
	int64_t us;
	double chance;
} loss_windows[] = {
	{ 5000000,  1e-6 },
	{ 10000000, 1e-5 },
	{ 20000000, 1e-5 },
	{ 30000000, 5e-5 },
	{ 40000000, 1e-4 },
	{ 60000000, 1e-4 },
};
/* clang-format on */

/* Newton's square root for 0 to 1; libm would be a dependency for this alone. */
static double root(double v)
{
	double r = 1.0;

	/* 1e-12, the smallest that comes, is exact after 30. */
	for (int i = 0; i < 40; i++)
		r = (r + v / r) / 2.0;
	return r;
}

uint32_t steer_quality_upper_ppm(uint64_t lost, uint64_t n)
{
	double size = (double)n;
	double p;
	double v;

	if (!n)
		return 1000000;
	p = (double)lost / size;
	v = p + 1.0 / (2.0 * size) +
	    root(p * (1.0 - p) / size + 1.0 / (4.0 * size * size));
	v /= 1.0 + 1.0 / size;
	return v < 1.0 ? (uint32_t)(v * 1e6) : 1000000;
}

bool steer_quality_exceeds(uint64_t lost, uint64_t n, uint32_t limit_ppm, double chance)
{
	double p = limit_ppm / 1e6;
	double term = 1.0;
	double below = 0.0;

	if (limit_ppm >= 1000000 || lost * 1000000 <= n * limit_ppm)
		return false;
	if (n > COUNT_MAX) {
		lost = lost * COUNT_MAX / n;
		n = COUNT_MAX;
	}
	/* P(X < lost): from (1 - p)^n on, each term from the one before. */
	for (uint64_t i = 0; i < n; i++)
		term *= 1.0 - p;
	for (uint64_t i = 0; i < lost; i++) {
		below += term;
		term *= (double)(n - i) / (double)(i + 1) * p / (1.0 - p);
	}
	return 1.0 - below < chance;
}

/* --- loss slots ----------------------------------------------------------------- */

static void forget_loss(struct steer_quality *q)
{
	q->used = 0;
	q->head = 0;
}

static void take_slot(struct steer_quality *q, const struct steer_measure *m,
		      struct mono now)
{
	q->head = (uint8_t)((q->head + 1) % STEER_LOSS_SLOTS);
	q->slots[q->head] = (struct steer_loss_slot){m->judged, m->lost};
	q->slot_at = now;
	if (q->used < STEER_LOSS_SLOTS)
		q->used++;
}

static void note_loss(struct steer_quality *q, const struct steer_measure *m,
		      struct mono now)
{
	/* The path monitor began to count anew. */
	if (q->used && (m->judged < q->last.judged || m->lost < q->last.lost))
		forget_loss(q);
	if (!q->used || mono_diff_us(now, q->slot_at) >= STEER_LOSS_SLOT_US)
		take_slot(q, m, now);
	q->last = *m;
}

/* How many slots back a window reaches: 0 is the newest. */
static unsigned int slots_back(const struct steer_quality *q, int64_t window_us)
{
	unsigned int back = (unsigned int)((window_us + STEER_LOSS_SLOT_US - 1) /
					   STEER_LOSS_SLOT_US);

	return back < q->used ? (unsigned int)back : q->used - 1u;
}

uint32_t steer_quality_loss(const struct steer_quality *q, int64_t window_us,
			    uint32_t *ret_lost, uint32_t *ret_judged)
{
	const struct steer_loss_slot *from;
	uint64_t judged;
	uint64_t lost;

	*ret_lost = 0;
	*ret_judged = 0;
	if (!q->used)
		return 0;
	from = &q->slots[(q->head + STEER_LOSS_SLOTS - slots_back(q, window_us)) %
			 STEER_LOSS_SLOTS];
	judged = q->last.judged - from->judged;
	lost = q->last.lost - from->lost;
	if (!judged)
		return 0;
	*ret_judged = (uint32_t)judged;
	*ret_lost = (uint32_t)lost;
	return (uint32_t)(lost * 1000000 / judged);
}

/* --- the verdict ------------------------------------------------------------------ */

static bool has_limits(const struct steer_class *c)
{
	return c->max_delay_us || c->max_jitter_us || c->max_loss_ppm;
}

/* Delay or jitter over percent of its limit, by enough answers to say so. */
static bool is_over(const struct steer_class *c, const struct steer_measure *m,
		    uint32_t percent, struct steer_evidence *e)
{
	if (m->answers < STEER_ANSWERS_MIN)
		return false;
	if (c->max_delay_us &&
	    (uint64_t)m->delay_us * 100 > (uint64_t)c->max_delay_us * percent) {
		*e = (struct steer_evidence){
			.metric = STEER_DELAY,
			.value = m->delay_us,
			.limit = c->max_delay_us,
		};
		return true;
	}
	if (c->max_jitter_us &&
	    (uint64_t)m->jitter_us * 100 > (uint64_t)c->max_jitter_us * percent) {
		*e = (struct steer_evidence){
			.metric = STEER_JITTER,
			.value = m->jitter_us,
			.limit = c->max_jitter_us,
		};
		return true;
	}
	return false;
}

static bool is_lossy(const struct steer_quality *q, const struct steer_class *c,
		     struct steer_evidence *e)
{
	for (size_t i = 0; c->max_loss_ppm && i < ARRAY_LEN(loss_windows); i++) {
		uint32_t lost;
		uint32_t judged;
		uint32_t ppm =
			steer_quality_loss(q, loss_windows[i].us, &lost, &judged);

		if (!steer_quality_exceeds(lost, judged, c->max_loss_ppm,
					   loss_windows[i].chance))
			continue;
		*e = (struct steer_evidence){
			.metric = STEER_LOSS,
			.value = ppm,
			.limit = c->max_loss_ppm,
			.lost = lost,
			.judged = judged,
			.window_us = loss_windows[i].us,
		};
		return true;
	}
	return false;
}

/*
 * The time whose loss speaks for a path: the hold time, or longer until it holds
 * enough probes, for people may want them sent seldom.
 */
static int64_t proof_us(const struct steer_quality *q, int64_t hold_us)
{
	int64_t us = hold_us;

	for (; us < STEER_LOSS_PROOF_US; us += STEER_LOSS_SLOT_US) {
		uint32_t lost;
		uint32_t judged;

		(void)steer_quality_loss(q, us, &lost, &judged);
		if (judged >= STEER_LOSS_PROOF)
			break;
	}
	return us;
}

static bool counted_for(const struct steer_quality *q, int64_t us)
{
	return slots_back(q, us) * (int64_t)STEER_LOSS_SLOT_US >= us;
}

/* Nothing lost over that time, or so little that the limit is probably kept. */
static bool loss_is_proven_small(const struct steer_quality *q,
				 const struct steer_class *c, int64_t window_us)
{
	uint32_t lost;
	uint32_t judged;

	if (!c->max_loss_ppm)
		return true;
	(void)steer_quality_loss(q, window_us, &lost, &judged);
	if (judged < STEER_LOSS_PROOF && !counted_for(q, STEER_LOSS_PROOF_US))
		return false;
	return lost == 0 || steer_quality_upper_ppm(lost, judged) <= c->max_loss_ppm;
}

static void become(struct steer_quality *q, enum steer_verdict v, struct mono now)
{
	q->verdict = v;
	q->since = now;
}

void steer_quality_init(struct steer_quality *q, struct mono now)
{
	*q = (struct steer_quality){
		.over_since = MONO_NEVER,
		.clean_since = MONO_NEVER,
	};
	become(q, STEER_UNKNOWN, now);
}

void steer_quality_reset(struct steer_quality *q, struct mono now, bool held)
{
	forget_loss(q);
	q->last = (struct steer_measure){0};
	q->over_since = MONO_NEVER;
	q->clean_since = held ? now : MONO_NEVER;
	become(q, held ? STEER_HOLDING : STEER_UNKNOWN, now);
}

/* GOOD or UNKNOWN: is the promise broken? */
static void look_for_fault(struct steer_quality *q, const struct steer_class *c,
			   const struct steer_measure *m, struct mono now)
{
	struct steer_evidence e;
	bool broken;

	if (is_over(c, m, 100, &e)) {
		if (mono_is_never(q->over_since))
			q->over_since = now;
		broken = mono_diff_us(now, q->over_since) >= STEER_CONFIRM_US;
	} else {
		q->over_since = MONO_NEVER;
		broken = is_lossy(q, c, &e);
	}
	if (broken) {
		q->broken = e;
		q->clean_since = MONO_NEVER;
		become(q, STEER_BAD, now);
	} else if (q->verdict == STEER_UNKNOWN && mono_is_never(q->over_since) &&
		   (m->answers >= STEER_ANSWERS_MIN ||
		    (m->answers && !has_limits(c)))) {
		become(q, STEER_GOOD, now);
	}
}

/* BAD or HOLDING: has it lasted long enough? */
static void look_for_cure(struct steer_quality *q, const struct steer_class *c,
			  const struct steer_measure *m, int64_t hold_us,
			  struct mono now)
{
	struct steer_evidence e;
	bool lossy = is_lossy(q, c, &e);
	int64_t window_us;
	unsigned int keep;

	if (is_over(c, m, STEER_RECOVER_PERCENT, &e)) {
		q->clean_since = MONO_NEVER;
		/* 80 % holds it back, only the limit itself is a fault to name. */
		if (is_over(c, m, 100, &e))
			q->broken = e;
		if (q->verdict != STEER_BAD)
			become(q, STEER_BAD, now);
		return;
	}
	if (!m->answers && mono_is_never(q->clean_since))
		return;
	if (mono_is_never(q->clean_since))
		q->clean_since = now;
	if (lossy && q->verdict != STEER_BAD) {
		q->broken = e;
		become(q, STEER_BAD, now);
	} else if (!lossy && q->verdict == STEER_BAD) {
		become(q, STEER_HOLDING, now);
	}
	if (mono_diff_us(now, q->clean_since) < hold_us || !m->answers)
		return;
	window_us = proof_us(q, hold_us);
	if (!loss_is_proven_small(q, c, window_us))
		return;
	/* What lies before that time was judged: the windows begin here. */
	keep = slots_back(q, window_us) + 1;
	if (q->used > keep)
		q->used = (uint8_t)keep;
	q->over_since = MONO_NEVER;
	become(q, STEER_GOOD, now);
}

bool steer_quality_look(struct steer_quality *q, const struct steer_class *c,
			const struct steer_measure *m, int64_t hold_us, struct mono now)
{
	enum steer_verdict before = q->verdict;

	note_loss(q, m, now);
	switch (before) {
	case STEER_UNKNOWN:
	case STEER_GOOD:
		look_for_fault(q, c, m, now);
		break;
	case STEER_BAD:
	case STEER_HOLDING:
		look_for_cure(q, c, m, hold_us, now);
		break;
	}
	return q->verdict != before;
}

static uint32_t per_mille(uint32_t value, uint32_t limit)
{
	uint64_t v = limit ? (uint64_t)value * 1000 / limit : 0;

	return v < UINT32_MAX ? (uint32_t)v : UINT32_MAX;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

uint32_t steer_quality_badness(const struct steer_quality *q,
			       const struct steer_class *c)
{
	uint32_t lost;
	uint32_t judged;
	uint32_t loss = steer_quality_loss(q, BADNESS_WINDOW_US, &lost, &judged);
	uint32_t worst = per_mille(loss, c->max_loss_ppm);

	worst = larger(worst, per_mille(q->last.delay_us, c->max_delay_us));
	return larger(worst, per_mille(q->last.jitter_us, c->max_jitter_us));
}

const char *steer_verdict_name(enum steer_verdict v)
{
	switch (v) {
	case STEER_UNKNOWN:
		return "unknown";
	case STEER_GOOD:
		return "good";
	case STEER_BAD:
		return "bad";
	case STEER_HOLDING:
		return "holding";
	}
	return "invalid";
}

const char *steer_metric_name(enum steer_metric m)
{
	switch (m) {
	case STEER_DELAY:
		return "delay";
	case STEER_JITTER:
		return "jitter";
	case STEER_LOSS:
		return "loss";
	}
	return "none";
}
