/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text - bounded string building, and escaping of what came from elsewhere
 *
 * The text is always NUL-terminated. What does not fit is cut, and full says so.
 */
#ifndef ED_LIB_TEXT_H
#define ED_LIB_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text {
	char *buf;
	size_t cap; /* at least 1 */
	size_t len;
	bool full;
};

/* Build into buf, which has cap bytes (at least 1). */
struct text text_init(char *buf, size_t cap);

/* Append formatted text. */
void text_add(struct text *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Append item, with sep before it unless the text is empty. */
void text_list(struct text *t, const char *sep, const char *item);

/*
 * Append len bytes from a peer or a file: printable ASCII as it is, backslash
 * doubled, everything else as \xNN, so that no terminal or log is fooled.
 */
void text_escape(struct text *t, const void *bytes, size_t len);

/*
 * Bytes of the UTF-8 character (RFC 3629) at s, of which len bytes are left; its number
 * in *ret. 0: there is none, or it is overlong, a surrogate or above U+10FFFF.
 */
size_t text_utf8(const char *s, size_t len, uint32_t *ret);

/*
 * Make s UTF-8: each byte that belongs to no character becomes '?', so that
 * a text cut in the middle of one, or the name of a file, can be told as JSON.
 */
void text_make_utf8(char *s);

/* Append a number of microseconds for people: "850 us", "12.3 ms", "4.5 s". */
void text_us(struct text *t, long long us);

/*
 * How alike two words are: single-letter changes needed to make b of a, for
 * "did you mean". Words of more than 63 letters are as different as can be.
 */
unsigned int text_distance(const char *a, const char *b);

#endif
