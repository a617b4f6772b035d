/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * secret - key material: wiped when freed, compared in constant time
 *
 * Nothing prints a secret: there is no format function here on purpose.
 */
#ifndef ED_LIB_SECRET_H
#define ED_LIB_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Key bytes of one owner. Locked into memory where the limits allow it. */
struct secret {
	size_t len;
	uint8_t bytes[];
};

/* Overwrite len bytes at p in a way that the compiler may not drop. */
void secret_wipe(void *p, size_t len);

/* True when the len bytes are equal; takes the same time whatever they are. */
bool secret_equal(const void *a, const void *b, size_t len);

enum { SECRET_DIGEST_LEN = 32 };

/* SHA-256: what may be kept of something that must not be. */
void secret_digest(const void *p, size_t len, uint8_t digest[SECRET_DIGEST_LEN]);

/* A secret holding a copy of the len bytes at p. The caller frees it. */
struct secret *secret_new(const void *p, size_t len);

/* A copy of s, NULL for NULL. */
struct secret *secret_dup(const struct secret *s);

/* Wipe and free s; NULL is allowed. */
void secret_free(struct secret *s);

#endif
