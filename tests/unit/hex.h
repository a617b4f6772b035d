/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hex - bytes from hexadecimal text, for known answers */
#ifndef ED_TESTS_UNIT_HEX_H
#define ED_TESTS_UNIT_HEX_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Returns the number of bytes; blanks between them are left out. */
static inline size_t hex(const char *text, uint8_t *out, size_t cap)
{
	size_t n = 0;
	unsigned int v;
	int used;

	while (n < cap && sscanf(text, " %2x%n", &v, &used) == 1) {
		out[n++] = (uint8_t)v;
		text += used;
	}
	return n;
}

#endif
