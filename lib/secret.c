/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "lib/alloc.h"

void secret_wipe(void *p, size_t len)
{
	if (p && len)
		OPENSSL_cleanse(p, len);
}

bool secret_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void secret_digest(const void *p, size_t len, uint8_t digest[SECRET_DIGEST_LEN])
{
	unsigned int got = 0;

	if (!EVP_Digest(p, len, digest, &got, EVP_sha256(), NULL) ||
	    got != SECRET_DIGEST_LEN)
		abort();
}

struct secret *secret_new(const void *p, size_t len)
{
	struct secret *s = ed_alloc(sizeof(*s) + len);

	/* Best effort: RLIMIT_MEMLOCK may be small, and swap is the rare case. */
	(void)mlock(s, sizeof(*s) + len);
	s->len = len;
	if (len)
		memcpy(s->bytes, p, len);
	return s;
}

struct secret *secret_dup(const struct secret *s)
{
	return s ? secret_new(s->bytes, s->len) : NULL;
}

void secret_free(struct secret *s)
{
	if (!s)
		return;
	secret_wipe(s->bytes, s->len);
	free(s);
}
