/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mono - monotonic time in microseconds as a type of its own
 *
 * Pure parts get it from their caller; only the I/O shell calls mono_now().
 * MONO_NEVER is later than every real time: "no deadline".
 */
#ifndef ED_LIB_MONO_H
#define ED_LIB_MONO_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct mono {
	int64_t us;
};

#define MONO_ZERO ((struct mono){0})
#define MONO_NEVER ((struct mono){INT64_MAX})

#define MONO_US_PER_MS INT64_C(1000)
#define MONO_US_PER_S INT64_C(1000000)

/* CLOCK_BOOTTIME: goes on while the machine sleeps, never jumps. */
static inline struct mono mono_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (struct mono){(int64_t)ts.tv_sec * MONO_US_PER_S + ts.tv_nsec / 1000};
}

static inline struct mono mono_from_ms(int64_t ms)
{
	return (struct mono){ms * MONO_US_PER_MS};
}

static inline bool mono_is_never(struct mono t)
{
	return t.us == INT64_MAX;
}

/* t + us; never stays never, and the sum does not wrap. */
static inline struct mono mono_add_us(struct mono t, int64_t us)
{
	int64_t sum;

	if (mono_is_never(t) || __builtin_add_overflow(t.us, us, &sum))
		return MONO_NEVER;
	return (struct mono){sum};
}

static inline struct mono mono_add_ms(struct mono t, int64_t ms)
{
	return mono_add_us(t, ms * MONO_US_PER_MS);
}

/* a - b in microseconds. */
static inline int64_t mono_diff_us(struct mono a, struct mono b)
{
	return a.us - b.us;
}

/* a - b in milliseconds, rounded towards zero. */
static inline int64_t mono_diff_ms(struct mono a, struct mono b)
{
	return mono_diff_us(a, b) / MONO_US_PER_MS;
}

/* True when a is earlier than b. */
static inline bool mono_before(struct mono a, struct mono b)
{
	return a.us < b.us;
}

/* True when t has come at now. */
static inline bool mono_due(struct mono t, struct mono now)
{
	return t.us <= now.us;
}

static inline struct mono mono_min(struct mono a, struct mono b)
{
	return a.us < b.us ? a : b;
}

static inline struct mono mono_max(struct mono a, struct mono b)
{
	return a.us > b.us ? a : b;
}

#endif
