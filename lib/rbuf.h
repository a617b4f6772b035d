/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rbuf - bounded reader over bytes somebody else owns
 *
 * Every getter checks the space left. The first short read marks the cursor
 * bad and moves it to its end: every later getter returns zero and rbuf_ok()
 * stays false. A decoder reads one whole structure, tests once, then acts.
 *
 * The cursor never owns memory. It must not outlive the datagram under it.
 * Numbers are big-endian, as on the wire.
 */
#ifndef ED_LIB_RBUF_H
#define ED_LIB_RBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rbuf {
	const uint8_t *pos;
	const uint8_t *end;
	bool bad;
};

static inline struct rbuf rbuf_init(const void *data, size_t len)
{
	const uint8_t *p = data;

	return (struct rbuf){.pos = p, .end = len ? p + len : p};
}

/* How many bytes were not read yet. */
static inline size_t rbuf_left(const struct rbuf *r)
{
	return (size_t)(r->end - r->pos);
}

/* True while no read has run past the end. */
static inline bool rbuf_ok(const struct rbuf *r)
{
	return !r->bad;
}

/* True when everything was read and nothing was missing. */
static inline bool rbuf_done(const struct rbuf *r)
{
	return !r->bad && r->pos == r->end;
}

/* The next len bytes in place, or NULL when fewer are left. */
static inline const uint8_t *rbuf_take(struct rbuf *r, size_t len)
{
	const uint8_t *p = r->pos;

	if (r->bad || len > rbuf_left(r)) {
		r->bad = true;
		r->pos = r->end;
		return NULL;
	}
	if (len)
		r->pos += len;
	return p;
}

/* Step over len bytes. */
static inline void rbuf_skip(struct rbuf *r, size_t len)
{
	(void)rbuf_take(r, len);
}

static inline uint8_t rbuf_u8(struct rbuf *r)
{
	const uint8_t *p = rbuf_take(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t rbuf_u16(struct rbuf *r)
{
	const uint8_t *p = rbuf_take(r, 2);

	if (!p)
		return 0;
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t rbuf_u32(struct rbuf *r)
{
	const uint8_t *p = rbuf_take(r, 4);

	if (!p)
		return 0;
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t rbuf_u64(struct rbuf *r)
{
	uint64_t hi = rbuf_u32(r);
	uint64_t lo = rbuf_u32(r);

	return r->bad ? 0 : hi << 32 | lo;
}

/* Copy the next len bytes to dst; dst is zeroed when fewer are left. */
static inline void rbuf_bytes(struct rbuf *r, void *dst, size_t len)
{
	const uint8_t *p = rbuf_take(r, len);

	if (!len)
		return;
	if (p)
		memcpy(dst, p, len);
	else
		memset(dst, 0, len);
}

/* A cursor over the next len bytes only; the parent moves past them. */
static inline struct rbuf rbuf_sub(struct rbuf *r, size_t len)
{
	const uint8_t *p = rbuf_take(r, len);

	if (r->bad)
		return (struct rbuf){.pos = r->end, .end = r->end, .bad = true};
	return rbuf_init(p, len);
}

#endif
