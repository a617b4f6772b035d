/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A ring of the last probes in the order they left. A sequence number is found
 * by bisection, as numbers only grow along the ring. Two readers: people, who
 * get exact percentiles of the whole span (a sort, on demand), and steering,
 * several times a second, which gets what the last second or three hold.
 *
 * Loss is judged strictly in the order of sending (`settled`): an answered
 * probe behind one that still waits is not counted yet. Counting answers at
 * once but losses only after the time-out would flatter the path.
 */
#include "pathmon/window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "pathmon/mos.h"

/* Longest delay that is kept: more than any time-out. */
#define DELAY_MAX_US ((1u << 30) - 1)

struct entry {
	int64_t sent_us;
	uint32_t seq;
	uint32_t delay_us : 30;
	uint32_t answered : 1;
	uint32_t reordered : 1;
};

struct pm_window {
	uint32_t size;
	uint32_t used;
	uint32_t head; /* where the next entry goes */
	uint32_t settled; /* entries from the oldest on that are counted */
	uint32_t top_answered; /* newest sequence number answered */
	bool any_answered;
	uint64_t judged;
	uint64_t lost;
	int64_t span_us;
	int64_t recent_us;
	int64_t timeout_us;
	uint32_t *scratch; /* size delays, to sort */
	struct entry e[];
};

static bool seq_after(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) > 0;
}

/* The entry that is age places older than the newest one (age 0). */
static struct entry *nth_newest(struct pm_window *w, uint32_t age)
{
	return &w->e[(w->head + w->size - 1 - age) % w->size];
}

static const struct entry *nth_newest_const(const struct pm_window *w, uint32_t age)
{
	return &w->e[(w->head + w->size - 1 - age) % w->size];
}

struct pm_window *pm_window_new(uint32_t size, int64_t span_us, int64_t recent_us,
				int64_t timeout_us)
{
	struct pm_window *w;

	if (size < PM_WINDOW_MIN)
		size = PM_WINDOW_MIN;
	if (size > PM_WINDOW_MAX)
		size = PM_WINDOW_MAX;
	w = ed_alloc(sizeof(*w) + size * sizeof(w->e[0]));
	w->scratch = ed_array(size, sizeof(*w->scratch));
	w->size = size;
	w->span_us = span_us;
	w->recent_us =
		recent_us > PM_WINDOW_RECENT_US ? recent_us : PM_WINDOW_RECENT_US;
	w->timeout_us = timeout_us;
	return w;
}

void pm_window_free(struct pm_window *w)
{
	if (!w)
		return;
	free(w->scratch);
	free(w);
}

void pm_window_reset(struct pm_window *w)
{
	w->used = 0;
	w->head = 0;
	w->settled = 0;
	w->any_answered = false;
	w->judged = 0;
	w->lost = 0;
}

static bool is_lost(const struct pm_window *w, const struct entry *e, struct mono now)
{
	return !e->answered && now.us - e->sent_us >= w->timeout_us;
}

/* Count, in order of sending, what is answered or lost by now. */
static void settle(struct pm_window *w, struct mono now)
{
	/* Ends: settled grows to used at most. */
	while (w->settled < w->used) {
		const struct entry *e = nth_newest(w, w->used - 1 - w->settled);

		if (!e->answered && !is_lost(w, e, now))
			return;
		w->judged++;
		if (!e->answered)
			w->lost++;
		w->settled++;
	}
}

int pm_window_sent(struct pm_window *w, uint32_t seq, struct mono now)
{
	if (w->used && !seq_after(seq, nth_newest(w, 0)->seq))
		return -EINVAL;
	if (w->used == w->size) {
		settle(w, now);
		/* The ring is smaller than the time-out: the oldest is given up. */
		if (!w->settled) {
			w->judged++;
			w->lost += !nth_newest(w, w->used - 1)->answered;
		} else {
			w->settled--;
		}
		w->used--;
	}
	w->e[w->head] = (struct entry){.sent_us = now.us, .seq = seq};
	w->head = (w->head + 1) % w->size;
	w->used++;
	return 0;
}

static struct entry *find(struct pm_window *w, uint32_t seq)
{
	uint32_t lo = 0;
	uint32_t hi = w->used; /* ages [lo, hi) may hold it */

	/* Ends: the interval at least halves. */
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		struct entry *e = nth_newest(w, mid);

		if (e->seq == seq)
			return e;
		if (seq_after(e->seq, seq))
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

int pm_window_reply(struct pm_window *w, uint32_t seq, uint32_t delay_us,
		    struct mono now)
{
	struct entry *e = find(w, seq);

	if (!e)
		return -ENOENT;
	if (e->answered)
		return -EALREADY;
	if (is_lost(w, e, now))
		return -ETIME;
	e->answered = 1;
	e->delay_us =
		(delay_us < DELAY_MAX_US ? delay_us : DELAY_MAX_US) & DELAY_MAX_US;
	if (w->any_answered && seq_after(w->top_answered, seq)) {
		e->reordered = 1;
	} else {
		w->top_answered = seq;
		w->any_answered = true;
	}
	return 0;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Nearest rank; n is at least 1. */
static uint32_t percentile(const uint32_t *sorted, uint32_t n, uint32_t percent)
{
	uint32_t rank = (n * percent + 99) / 100;

	return sorted[rank ? rank - 1 : 0];
}

static uint32_t median(uint32_t *v, uint32_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	if (n % 2)
		return v[n / 2];
	return (uint32_t)(((uint64_t)v[n / 2 - 1] + v[n / 2]) / 2);
}

static uint32_t absdiff(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

void pm_window_stats(const struct pm_window *w, struct mono now, struct pm_stats *out)
{
	uint32_t *delays = w->scratch;
	uint64_t jitter_sum = 0;
	uint32_t runs = 0;
	uint32_t n = 0;
	bool in_run = false;

	*out = (struct pm_stats){0};
	/* Oldest first, so that consecutive delays meet in order of sending. */
	for (uint32_t i = w->used; i-- > 0;) {
		const struct entry *e = nth_newest_const(w, i);

		if (now.us - e->sent_us > w->span_us)
			continue;
		if (e->answered) {
			if (n)
				jitter_sum += absdiff(e->delay_us, delays[n - 1]);
			delays[n++] = e->delay_us;
			out->reordered += e->reordered;
			in_run = false;
		} else if (is_lost(w, e, now)) {
			out->lost++;
			runs += !in_run;
			in_run = true;
		}
	}
	out->sent = n + out->lost;
	if (!out->sent)
		return;
	out->valid = true;
	out->loss_ppm = (uint32_t)((uint64_t)out->lost * 1000000 / out->sent);
	if (n > 1)
		out->jitter_us = (uint32_t)(jitter_sum / (n - 1));
	if (n) {
		out->delay_us = median(delays, n);
		out->delay_p95_us = percentile(delays, n, 95);
		out->delay_min_us = delays[0];
	}
	out->mos_x100 = pm_mos_x100(&(struct pm_mos_input){
		.one_way_us = out->delay_us / 2,
		.spread_us = out->delay_p95_us - out->delay_min_us,
		.loss_ppm = n ? out->loss_ppm : 1000000,
		.run_x100 = runs ? out->lost * 100 / runs : 100,
		.codec = PM_CODEC_G711_PLC,
	});
}

void pm_window_measure(struct pm_window *w, struct mono now, struct pm_measure *out)
{
	int64_t jitter_us = w->recent_us * PM_WINDOW_JITTER_TIMES;
	int64_t oldest = now.us - jitter_us - w->timeout_us;
	uint64_t jitter_sum = 0;
	uint32_t jitter_n = 0;
	uint32_t newer = 0;
	uint32_t n = 0;
	bool have_newer = false;

	*out = (struct pm_measure){0};
	for (uint32_t i = 0; i < w->used; i++) {
		const struct entry *e = nth_newest(w, i);
		int64_t age;

		if (e->sent_us < oldest)
			break;
		if (!e->answered)
			continue;
		age = now.us - (e->sent_us + e->delay_us);
		if (age >= jitter_us)
			continue;
		if (age < w->recent_us)
			w->scratch[n++] = e->delay_us;
		if (have_newer) {
			jitter_sum += absdiff(e->delay_us, newer);
			jitter_n++;
		}
		newer = e->delay_us;
		have_newer = true;
	}
	out->answers = n;
	if (n) {
		out->delay_us = median(w->scratch, n);
		out->delay_p95_us = percentile(w->scratch, n, 95);
		out->delay_min_us = w->scratch[0];
		out->delay_max_us = w->scratch[n - 1];
	}
	if (jitter_n >= 2)
		out->jitter_us = (uint32_t)(jitter_sum / jitter_n);
	settle(w, now);
	out->judged = w->judged;
	out->lost = w->lost;
}
