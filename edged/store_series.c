/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/store_series.h"

#include <stdlib.h>

#include "lib/alloc.h"
#include "pathmon/pathmon.h"

enum {
	SAMPLES_STEP = 256, /* growth of a step's list */
	POINTS_STEP = 256,
};

struct series {
	unsigned int step_s;
	struct store_point *points;
	size_t n;

	/* The step that is being joined. */
	int64_t at_s;
	struct store_figures sum;
	uint64_t jitter_sum;
	uint32_t jitter_n;
	uint32_t *delays;
	size_t n_delays;
};

unsigned int series_step_s(int64_t span_s, unsigned int points)
{
	static const unsigned int round[] = {1,	    2,	   5,	   10,	   15,	  20,
					     30,    60,	   120,	   300,	   600,	  900,
					     1200,  1800,  3600,   7200,   10800, 21600,
					     43200, 86400, 172800, 345600, 604800};

	for (size_t i = 0; i < ARRAY_LEN(round); i++)
		if (span_s <= (int64_t)round[i] * points)
			return round[i];
	/* Longer than anything that is kept, but the answer stays bounded. */
	return (unsigned int)((span_s / points / 86400 + 1) * 86400);
}

static void begin(struct series *s, int64_t at_s)
{
	s->at_s = at_s;
	s->sum = (struct store_figures){
		.delay_us = UINT32_MAX,
		.p95_us = UINT32_MAX,
		.min_us = UINT32_MAX,
		.max_us = UINT32_MAX,
		.jitter_us = UINT32_MAX,
		.jitter_max_us = UINT32_MAX,
	};
	s->jitter_sum = 0;
	s->jitter_n = 0;
	s->n_delays = 0;
}

struct series *series_new(unsigned int step_s)
{
	struct series *s = ed_alloc(sizeof(*s));

	s->step_s = step_s;
	begin(s, 0);
	return s;
}

void series_free(struct series *s)
{
	if (!s)
		return;
	free(s->points);
	free(s->delays);
	free(s);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t median(uint32_t *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	if (n % 2)
		return v[n / 2];
	return (uint32_t)(((uint64_t)v[n / 2 - 1] + v[n / 2]) / 2);
}

/* UINT32_MAX is "not known" and never the higher one. */
static uint32_t higher(uint32_t a, uint32_t b)
{
	if (a == UINT32_MAX || b == UINT32_MAX)
		return a == UINT32_MAX ? b : a;
	return a > b ? a : b;
}

static void end(struct series *s)
{
	struct store_figures *f = &s->sum;

	if (!f->seen_s)
		return;
	if (s->n_delays)
		f->delay_us = median(s->delays, s->n_delays);
	if (s->jitter_n)
		f->jitter_us = (uint32_t)(s->jitter_sum / s->jitter_n);
	if (s->n % POINTS_STEP == 0)
		s->points =
			ed_realloc(s->points, s->n + POINTS_STEP, sizeof(*s->points));
	s->points[s->n++] = (struct store_point){.time_s = s->at_s, .f = *f};
}

static void join(struct series *s, const struct store_figures *f)
{
	struct store_figures *sum = &s->sum;

	if (f->delay_us != UINT32_MAX) {
		if (s->n_delays % SAMPLES_STEP == 0)
			s->delays = ed_realloc(s->delays, s->n_delays + SAMPLES_STEP,
					       sizeof(*s->delays));
		s->delays[s->n_delays++] = f->delay_us;
	}
	if (f->jitter_us != UINT32_MAX) {
		s->jitter_sum += f->jitter_us;
		s->jitter_n++;
	}
	if (f->min_us < sum->min_us)
		sum->min_us = f->min_us;
	sum->max_us = higher(sum->max_us, f->max_us);
	sum->p95_us = higher(sum->p95_us, f->p95_us);
	sum->jitter_max_us = higher(sum->jitter_max_us, f->jitter_max_us);
	sum->sent += f->sent;
	sum->lost += f->lost;
	sum->seen_s += f->seen_s;
	sum->up_s += f->up_s;
}

void series_add(struct series *s, int64_t time_s, const struct store_figures *f)
{
	int64_t at = time_s - time_s % s->step_s;

	if (at != s->at_s) {
		end(s);
		begin(s, at);
	}
	join(s, f);
}

static struct store_figures of_sample(const struct store_sample *m)
{
	return (struct store_figures){
		.delay_us = m->delay_us,
		.p95_us = m->p95_us,
		.min_us = m->min_us,
		.max_us = m->max_us,
		.jitter_us = m->jitter_us,
		.jitter_max_us = m->jitter_us,
		.sent = m->sent,
		.lost = m->lost,
		.seen_s = 1,
		.up_s = m->state == PM_UP || m->state == PM_SUSPECT,
	};
}

void series_add_minute(struct series *s, const struct store_minute *m, int64_t since_s,
		       int64_t until_s)
{
	for (int i = 0; i < STORE_MINUTE_SAMPLES; i++) {
		int64_t at = m->minute * 60 + i;
		struct store_figures f;

		/* State 0 is no state: nobody looked in that second. */
		if (!m->sample[i].state || at < since_s || at >= until_s)
			continue;
		f = of_sample(&m->sample[i]);
		series_add(s, at, &f);
	}
}

size_t series_take(struct series *s, struct store_point **ret)
{
	size_t n;

	end(s);
	begin(s, 0);
	*ret = s->points;
	n = s->n;
	s->points = NULL;
	s->n = 0;
	return n;
}

struct store_figures series_of_minute(const struct store_minute *m)
{
	struct series *s = series_new(60);
	uint32_t p95[STORE_MINUTE_SAMPLES];
	struct store_figures f;
	size_t n = 0;

	series_add_minute(s, m, m->minute * 60, m->minute * 60 + 60);
	end(s);
	f = s->sum;
	series_free(s);
	/* Of a minute it is the 95th percentile still, not the worst second. */
	for (int i = 0; i < STORE_MINUTE_SAMPLES; i++)
		if (m->sample[i].state && m->sample[i].p95_us != UINT32_MAX)
			p95[n++] = m->sample[i].p95_us;
	qsort(p95, n, sizeof(p95[0]), by_value);
	if (n)
		f.p95_us = p95[(n * 95 + 99) / 100 - 1];
	return f;
}
