/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rng - random bytes and jitter, injected into every part that needs them
 *
 * The system generator is OpenSSL's. Small numbers (jitter, identifiers) are drawn
 * from a little pool of its bytes, each given out once and wiped: asking for every
 * one alone costs more than sending the packet it is for. A seeded one makes a simulation repeat
 * itself exactly; it is no cryptographic generator and only tests create one.
 */
#ifndef ED_LIB_RNG_H
#define ED_LIB_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RNG_POOL_BYTES = 512 };

struct rng {
	bool seeded;
	uint64_t state;
	uint16_t pool_left; /* bytes at the pool's end that were not given out */
	uint8_t pool[RNG_POOL_BYTES];
};

/* The system's generator. */
struct rng rng_system(void);

/* A repeatable generator for tests. */
struct rng rng_seeded(uint64_t seed);

/*
 * len random bytes into p, never from the pool: for keys and nonces. Ends the
 * process when the system has none.
 */
void rng_bytes(struct rng *r, void *p, size_t len);

uint32_t rng_u32(struct rng *r);
uint64_t rng_u64(struct rng *r);

/* A number from 0 to n - 1 without bias; n is at least 1. */
uint32_t rng_below(struct rng *r, uint32_t n);

/* base_us plus or minus up to percent of it. */
int64_t rng_jitter_us(struct rng *r, int64_t base_us, unsigned int percent);

#endif
