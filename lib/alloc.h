/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alloc - allocation that ends the process when there is none
 *
 * For small objects of ours. A size that a peer chose is compared with a named
 * limit before it comes here, so no peer can reach that end.
 */
#ifndef ED_LIB_ALLOC_H
#define ED_LIB_ALLOC_H

#include <stddef.h>
#include <stdlib.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* size zeroed bytes, the caller's to free(). */
void *ed_alloc(size_t size);

/* n zeroed elements of size bytes; the product is checked. */
void *ed_array(size_t n, size_t size);

/* p grown or shrunk to n elements of size bytes; new bytes are undefined. */
void *ed_realloc(void *p, size_t n, size_t size);

/* A copy of s; NULL stays NULL. */
char *ed_strdup(const char *s);

/* A copy of the first len bytes of s, with a NUL behind. */
char *ed_strndup(const char *s, size_t len);

/* A copy of len bytes; NULL when len is 0. */
void *ed_memdup(const void *p, size_t len);

/* Formatted text in memory of its own. */
char *ed_asprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
