/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/rng.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct rng rng_system(void)
{
	return (struct rng){.seeded = false};
}

struct rng rng_seeded(uint64_t seed)
{
	return (struct rng){.seeded = true, .state = seed};
}

/* splitmix64: every seed gives a full-period, well mixed sequence. */
static uint64_t seeded_next(struct rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

void rng_bytes(struct rng *r, void *p, size_t len)
{
	uint8_t *dst = p;

	if (!r->seeded) {
		if (len > INT32_MAX || RAND_bytes(dst, (int)len) != 1) {
			fputs("<2>no random numbers from the system\n", stderr);
			abort();
		}
		return;
	}
	/* Ends: each round writes at least one byte. */
	while (len) {
		uint64_t v = seeded_next(r);
		size_t n = len < sizeof(v) ? len : sizeof(v);

		memcpy(dst, &v, n);
		dst += n;
		len -= n;
	}
}

static void small_number(struct rng *r, void *p, size_t len)
{
	uint8_t *from;

	if (r->seeded) {
		rng_bytes(r, p, len);
		return;
	}
	if (r->pool_left < len) {
		rng_bytes(r, r->pool, sizeof(r->pool));
		r->pool_left = sizeof(r->pool);
	}
	from = r->pool + sizeof(r->pool) - r->pool_left;
	memcpy(p, from, len);
	OPENSSL_cleanse(from, len);
	r->pool_left -= (uint16_t)len;
}

uint32_t rng_u32(struct rng *r)
{
	uint32_t v;

	small_number(r, &v, sizeof(v));
	return v;
}

uint64_t rng_u64(struct rng *r)
{
	uint64_t v;

	small_number(r, &v, sizeof(v));
	return v;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	uint32_t limit;
	uint32_t v;

	if (n < 2)
		return 0;
	limit = UINT32_MAX - UINT32_MAX % n;
	/* Ends: a draw is refused with a chance below one half. */
	do {
		v = rng_u32(r);
	} while (v >= limit);
	return v % n;
}

int64_t rng_jitter_us(struct rng *r, int64_t base_us, unsigned int percent)
{
	int64_t span = base_us / 100 * (int64_t)percent;

	if (span <= 0 || span > INT32_MAX / 2)
		return span <= 0 ? base_us
				 : base_us - span +
					   (int64_t)(rng_u64(r) %
						     (uint64_t)(2 * span + 1));
	return base_us - span + (int64_t)rng_below(r, (uint32_t)(2 * span + 1));
}
