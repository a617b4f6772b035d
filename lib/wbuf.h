/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wbuf - bounded writer into bytes somebody else owns
 *
 * The first write that does not fit marks the writer bad; later ones change
 * nothing. A writer builds a whole structure, then tests wbuf_ok() once.
 * Numbers are big-endian, as on the wire.
 */
#ifndef ED_LIB_WBUF_H
#define ED_LIB_WBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wbuf {
	uint8_t *start;
	uint8_t *pos;
	uint8_t *end;
	bool bad;
};

static inline struct wbuf wbuf_init(void *data, size_t cap)
{
	uint8_t *p = data;

	return (struct wbuf){.start = p, .pos = p, .end = cap ? p + cap : p};
}

/* Bytes written so far. */
static inline size_t wbuf_len(const struct wbuf *w)
{
	return (size_t)(w->pos - w->start);
}

static inline size_t wbuf_left(const struct wbuf *w)
{
	return (size_t)(w->end - w->pos);
}

/* True while every write has fitted. */
static inline bool wbuf_ok(const struct wbuf *w)
{
	return !w->bad;
}

/* Room for len bytes, to be filled by the caller, or NULL. */
static inline uint8_t *wbuf_take(struct wbuf *w, size_t len)
{
	uint8_t *p = w->pos;

	if (w->bad || len > wbuf_left(w)) {
		w->bad = true;
		return NULL;
	}
	if (len)
		w->pos += len;
	return p;
}

static inline void wbuf_bytes(struct wbuf *w, const void *data, size_t len)
{
	uint8_t *p = wbuf_take(w, len);

	if (p && len)
		memcpy(p, data, len);
}

static inline void wbuf_zero(struct wbuf *w, size_t len)
{
	uint8_t *p = wbuf_take(w, len);

	if (p && len)
		memset(p, 0, len);
}

static inline void wbuf_u8(struct wbuf *w, uint8_t v)
{
	uint8_t *p = wbuf_take(w, 1);

	if (p)
		p[0] = v;
}

static inline void wbuf_u16(struct wbuf *w, uint16_t v)
{
	uint8_t *p = wbuf_take(w, 2);

	if (!p)
		return;
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void wbuf_u32(struct wbuf *w, uint32_t v)
{
	uint8_t *p = wbuf_take(w, 4);

	if (!p)
		return;
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

static inline void wbuf_u64(struct wbuf *w, uint64_t v)
{
	uint8_t *p = wbuf_take(w, 8);

	if (!p)
		return;
	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
}

/* Where a 16-bit length goes once the bytes it counts are known. */
struct wbuf_mark {
	size_t start; /* first byte the length counts */
	size_t field; /* where the length itself lies */
};

/*
 * Leave a 16-bit field open here. The length will count from back bytes before
 * the field (0: from the field itself).
 */
static inline struct wbuf_mark wbuf_mark16(struct wbuf *w, size_t back)
{
	struct wbuf_mark mark = {.start = wbuf_len(w), .field = wbuf_len(w)};

	if (back > mark.start)
		w->bad = true;
	else
		mark.start -= back;
	wbuf_u16(w, 0);
	return mark;
}

/* Write the length of [mark.start, now) into the field left for it. */
static inline void wbuf_fix16(struct wbuf *w, struct wbuf_mark mark)
{
	size_t len = wbuf_len(w) - mark.start;

	if (len > UINT16_MAX)
		w->bad = true;
	if (w->bad)
		return;
	w->start[mark.field] = (uint8_t)(len >> 8);
	w->start[mark.field + 1] = (uint8_t)len;
}

#endif
