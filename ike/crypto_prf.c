/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/crypto.h"
#include "lib/alloc.h"
#include "lib/secret.h"

/* One row a PRF; proto is a context with the digest set, copied for each use. */
static struct prf {
	uint16_t id;
	const char *digest;
	size_t len;
	EVP_MAC_CTX *proto;
} prfs[] = {
	{IKE_PRF_SHA256, "SHA256", 32, NULL},
	{IKE_PRF_SHA384, "SHA384", 48, NULL},
	{IKE_PRF_SHA512, "SHA512", 64, NULL},
};

static EVP_MD *md_sha1;
static EVP_MD *md_sha256;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void release(void)
{
	for (size_t i = 0; i < ARRAY_LEN(prfs); i++) {
		EVP_MAC_CTX_free(prfs[i].proto);
		prfs[i].proto = NULL;
	}
	EVP_MD_free(md_sha1);
	EVP_MD_free(md_sha256);
	md_sha1 = NULL;
	md_sha256 = NULL;
}

static void fetch(void)
{
	EVP_MAC *hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);

	for (size_t i = 0; hmac && i < ARRAY_LEN(prfs); i++) {
		char digest[8];
		OSSL_PARAM params[2];

		OPENSSL_strlcpy(digest, prfs[i].digest, sizeof(digest));
		params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
							     digest, 0);
		params[1] = OSSL_PARAM_construct_end();
		prfs[i].proto = EVP_MAC_CTX_new(hmac);
		if (prfs[i].proto &&
		    EVP_MAC_CTX_set_params(prfs[i].proto, params) != 1) {
			EVP_MAC_CTX_free(prfs[i].proto);
			prfs[i].proto = NULL;
		}
	}
	EVP_MAC_free(hmac);
	md_sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	md_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	atexit(release);
}

static const struct prf *prf_find(uint16_t id)
{
	pthread_once(&once, fetch);
	for (size_t i = 0; i < ARRAY_LEN(prfs); i++)
		if (prfs[i].id == id)
			return prfs[i].proto ? &prfs[i] : NULL;
	return NULL;
}

size_t ike_crypto_prf_len(uint16_t prf)
{
	const struct prf *p = prf_find(prf);

	return p ? p->len : 0;
}

int ike_crypto_prf(uint16_t prf, const void *key, size_t key_len,
		   const struct ike_bytes *parts, size_t n, uint8_t *out)
{
	static const uint8_t none[1];
	const struct prf *p = prf_find(prf);
	EVP_MAC_CTX *ctx;
	size_t len = 0;
	int err = -EIO;

	if (!p)
		return -ENOTSUP;
	ctx = EVP_MAC_CTX_dup(p->proto);
	if (!ctx || EVP_MAC_init(ctx, key_len ? key : none, key_len, NULL) != 1)
		goto out;
	for (size_t i = 0; i < n; i++)
		if (parts[i].len && EVP_MAC_update(ctx, parts[i].p, parts[i].len) != 1)
			goto out;
	if (EVP_MAC_final(ctx, out, &len, p->len) == 1 && len == p->len)
		err = 0;
out:
	EVP_MAC_CTX_free(ctx);
	return err;
}

int ike_crypto_prf_plus(uint16_t prf, const void *key, size_t key_len,
			const struct ike_bytes *parts, size_t n, uint8_t *out,
			size_t len)
{
	enum { PARTS = 8 };
	struct ike_bytes in[PARTS + 2];
	uint8_t block[IKE_PRF_MAX];
	size_t block_len = 0;
	uint8_t count = 0;
	int err = 0;

	if (n > PARTS)
		return -EMSGSIZE;
	for (size_t i = 0; i < n; i++)
		in[i + 1] = parts[i];
	in[n + 1] = (struct ike_bytes){&count, 1};
	/* Ends: len shrinks by a block; count stops it at 255 of them. */
	while (len) {
		size_t take;

		if (++count == 0) {
			err = -EMSGSIZE;
			break;
		}
		in[0] = (struct ike_bytes){block, block_len};
		err = ike_crypto_prf(prf, key, key_len, in, n + 2, block);
		if (err < 0)
			break;
		block_len = ike_crypto_prf_len(prf);
		take = len < block_len ? len : block_len;
		memcpy(out, block, take);
		out += take;
		len -= take;
	}
	secret_wipe(block, sizeof(block));
	return err;
}

static int hash(const EVP_MD *md, const struct ike_bytes *parts, size_t n, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int err = -EIO;

	if (!ctx || !md || EVP_DigestInit_ex2(ctx, md, NULL) != 1)
		goto out;
	for (size_t i = 0; i < n; i++)
		if (EVP_DigestUpdate(ctx, parts[i].p, parts[i].len) != 1)
			goto out;
	if (EVP_DigestFinal_ex(ctx, out, NULL) == 1)
		err = 0;
out:
	EVP_MD_CTX_free(ctx);
	return err;
}

int ike_crypto_sha1(const struct ike_bytes *parts, size_t n, uint8_t out[20])
{
	pthread_once(&once, fetch);
	return hash(md_sha1, parts, n, out);
}

int ike_crypto_sha256(const void *p, size_t len, uint8_t out[32])
{
	struct ike_bytes part = {p, len};

	pthread_once(&once, fetch);
	return hash(md_sha256, &part, 1, out);
}
