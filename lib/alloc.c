/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/alloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static void *check(void *p)
{
	if (p)
		return p;
	fputs("<2>out of memory\n", stderr);
	abort();
}

void *ed_alloc(size_t size)
{
	return check(calloc(1, size ? size : 1));
}

void *ed_array(size_t n, size_t size)
{
	return check(calloc(n ? n : 1, size ? size : 1));
}

void *ed_realloc(void *p, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		return check(NULL);
	return check(realloc(p, bytes ? bytes : 1));
}

char *ed_strdup(const char *s)
{
	return s ? check(strdup(s)) : NULL;
}

char *ed_strndup(const char *s, size_t len)
{
	return check(strndup(s, len));
}

void *ed_memdup(const void *p, size_t len)
{
	return len ? memcpy(check(malloc(len)), p, len) : NULL;
}

char *ed_asprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return n < 0 ? check(NULL) : s;
}
