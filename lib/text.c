/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/text.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

struct text text_init(char *buf, size_t cap)
{
	assert(cap >= 1);
	buf[0] = '\0';
	return (struct text){.buf = buf, .cap = cap};
}

void text_add(struct text *t, const char *fmt, ...)
{
	size_t left = t->cap - t->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(t->buf + t->len, left, fmt, ap);
	va_end(ap);
	if (n < 0) {
		t->full = true;
	} else if ((size_t)n >= left) {
		t->full = true;
		t->len = t->cap - 1;
	} else {
		t->len += (size_t)n;
	}
}

void text_list(struct text *t, const char *sep, const char *item)
{
	text_add(t, "%s%s", t->len ? sep : "", item);
}

void text_escape(struct text *t, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	for (size_t i = 0; i < len && !t->full; i++) {
		if (p[i] == '\\')
			text_add(t, "\\\\");
		else if (p[i] >= 0x20 && p[i] < 0x7f)
			text_add(t, "%c", p[i]);
		else
			text_add(t, "\\x%02x", p[i]);
	}
}

size_t text_utf8(const char *text, size_t len, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *s = (const unsigned char *)text;
	size_t n = len == 0	 ? 0
		   : s[0] < 0x80 ? 1
		   : s[0] < 0xc0 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
				 : 4;
	uint32_t c = n == 1 ? s[0] : n ? s[0] & (0x7fu >> n) : 0;

	if (n == 0 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	/* From 0xf8 on a byte begins nothing. */
	if (s[0] >= 0xf8 || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return n;
}

void text_make_utf8(char *s)
{
	size_t len = strlen(s);
	uint32_t c;

	/* Ends: each round takes at least one byte. */
	for (size_t i = 0; i < len;) {
		size_t n = text_utf8(s + i, len - i, &c);

		if (n == 0)
			s[i] = '?';
		i += n ? n : 1;
	}
}

void text_us(struct text *t, long long us)
{
	if (us < 1000)
		text_add(t, "%lld us", us);
	else if (us < 1000000)
		text_add(t, "%.1f ms", (double)us / 1e3);
	else
		text_add(t, "%.1f s", (double)us / 1e6);
}

#define WORD_MAX 64

unsigned int text_distance(const char *a, const char *b)
{
	size_t n = strlen(a);
	size_t m = strlen(b);
	unsigned int row[WORD_MAX];

	if (n >= WORD_MAX || m >= WORD_MAX)
		return UINT_MAX;
	for (size_t j = 0; j <= m; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[m];
}
