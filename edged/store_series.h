/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store_series - rows of path history joined to fewer: a minute out of seconds, an
 * hour out of minutes, a point of a chart out of any
 *
 * Pure. What is joined comes in the order of time. The median of what is joined is
 * its delay, the highest 95th percentile its p95: a peak is never thinned away, and
 * minimum and maximum are those of the answers themselves. Counts are added.
 */
#ifndef ED_EDGED_STORE_SERIES_H
#define ED_EDGED_STORE_SERIES_H

#include <stddef.h>
#include <stdint.h>

#include "edged/store.h"

struct series;

/* Steps that a person reads well: the smallest one with span_s / step <= points. */
unsigned int series_step_s(int64_t span_s, unsigned int points);

/*
 * A series of steps of step_s seconds that start at its multiples. The caller frees
 * it with series_free().
 */
struct series *series_new(unsigned int step_s);
void series_free(struct series *s);

/* Join figures of the time that begins at time_s. Never earlier than the last call. */
void series_add(struct series *s, int64_t time_s, const struct store_figures *f);

/* Join the seconds of m that lie in [since_s, until_s). */
void series_add_minute(struct series *s, const struct store_minute *m, int64_t since_s,
		       int64_t until_s);

/* End; the points become the caller's, for free(). */
size_t series_take(struct series *s, struct store_point **ret);

/* What m says as a whole. */
struct store_figures series_of_minute(const struct store_minute *m);

#endif
