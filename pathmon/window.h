/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pm_window - loss, delay, jitter and reordering of one session over its last probes
 *
 * Units: delay and jitter are microseconds, loss is parts per million. Delay is
 * the round trip. Jitter is the mean absolute difference of consecutive delays;
 * lost probes contribute nothing to either. A probe without answer for the loss
 * time-out is lost, and stays lost when an answer comes later.
 *
 * Times are struct mono and come from the caller: this file reads no clock,
 * opens no socket and allocates only in pm_window_new().
 */
#ifndef ED_PATHMON_WINDOW_H
#define ED_PATHMON_WINDOW_H

#include <stdint.h>

#include "lib/mono.h"
#include "pathmon/pathmon.h"

enum pm_window_limits {
	PM_WINDOW_MIN = 16,
	PM_WINDOW_MAX = 4096,
	PM_WINDOW_RECENT_US = 1000000, /* pm_window_measure() looks at least this far */
	PM_WINDOW_JITTER_TIMES = 3, /* and so many times further for jitter */
};

struct pm_window;

/*
 * A window that remembers size probes (brought into PM_WINDOW_MIN to _MAX) and
 * looks back span_us for pm_window_stats(), recent_us (at least
 * PM_WINDOW_RECENT_US) for pm_window_measure(); unanswered for timeout_us is lost.
 * The caller owns it.
 */
struct pm_window *pm_window_new(uint32_t size, int64_t span_us, int64_t recent_us,
				int64_t timeout_us);

/* Free w; NULL is allowed. */
void pm_window_free(struct pm_window *w);

/* Forget everything. */
void pm_window_reset(struct pm_window *w);

/*
 * Note that probe seq left at now. Numbers may skip and wrap but never go back.
 *
 * Returns 0, or -EINVAL when seq is not newer than the last one sent.
 */
int pm_window_sent(struct pm_window *w, uint32_t seq, struct mono now);

/*
 * Note the answer to seq, which took delay_us and arrived at now. Late, unknown
 * and repeated answers change nothing.
 *
 * Returns 0, -ENOENT when seq is not in the window, -EALREADY on a repeat,
 * -ETIME when it counts as lost.
 */
int pm_window_reply(struct pm_window *w, uint32_t seq, uint32_t delay_us,
		    struct mono now);

/* Statistics over the probes of the span that are judged: answered or lost. */
void pm_window_stats(const struct pm_window *w, struct mono now, struct pm_stats *out);

/* Short figures and cumulative counts, see struct pm_measure. Cheap. */
void pm_window_measure(struct pm_window *w, struct mono now, struct pm_measure *out);

#endif
