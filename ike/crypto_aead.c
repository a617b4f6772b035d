/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/crypto.h"
#include "lib/alloc.h"

static struct aead {
	uint16_t encr;
	uint16_t key_bits;
	const char *name;
	EVP_CIPHER *cipher;
} aeads[] = {
	{IKE_ENCR_AES_GCM_16, 128, "AES-128-GCM", NULL},
	{IKE_ENCR_AES_GCM_16, 256, "AES-256-GCM", NULL},
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void release(void)
{
	for (size_t i = 0; i < ARRAY_LEN(aeads); i++) {
		EVP_CIPHER_free(aeads[i].cipher);
		aeads[i].cipher = NULL;
	}
}

static void fetch(void)
{
	for (size_t i = 0; i < ARRAY_LEN(aeads); i++)
		aeads[i].cipher = EVP_CIPHER_fetch(NULL, aeads[i].name, NULL);
	atexit(release);
}

static const struct aead *aead_find(uint16_t encr, uint16_t key_bits)
{
	pthread_once(&once, fetch);
	for (size_t i = 0; i < ARRAY_LEN(aeads); i++)
		if (aeads[i].encr == encr && aeads[i].key_bits == key_bits)
			return aeads[i].cipher ? &aeads[i] : NULL;
	return NULL;
}

size_t ike_crypto_aead_keymat(uint16_t encr, uint16_t key_bits)
{
	return aead_find(encr, key_bits) ? key_bits / 8U + IKE_AEAD_SALT_LEN : 0;
}

/* RFC 5282 section 4, RFC 4106 section 4: the nonce is salt, then IV. */
static EVP_CIPHER_CTX *begin(const struct aead *a, const uint8_t *keymat,
			     const uint8_t *iv, const void *aad, size_t aad_len,
			     bool seal)
{
	uint8_t nonce[IKE_AEAD_SALT_LEN + IKE_AEAD_IV_LEN];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int out;

	if (!ctx)
		return NULL;
	memcpy(nonce, keymat + a->key_bits / 8U, IKE_AEAD_SALT_LEN);
	memcpy(nonce + IKE_AEAD_SALT_LEN, iv, IKE_AEAD_IV_LEN);
	if (EVP_CipherInit_ex2(ctx, a->cipher, keymat, nonce, seal, NULL) == 1 &&
	    EVP_CipherUpdate(ctx, NULL, &out, aad, (int)aad_len) == 1)
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	return NULL;
}

int ike_crypto_seal(uint16_t encr, uint16_t key_bits, const uint8_t *keymat,
		    const uint8_t *iv, const void *aad, size_t aad_len, uint8_t *data,
		    size_t len)
{
	const struct aead *a = aead_find(encr, key_bits);
	EVP_CIPHER_CTX *ctx;
	int out = 0;
	int err = -EIO;

	if (!a || len > INT_MAX || aad_len > INT_MAX)
		return -ENOTSUP;
	ctx = begin(a, keymat, iv, aad, aad_len, true);
	if (ctx && EVP_CipherUpdate(ctx, data, &out, data, (int)len) == 1 &&
	    EVP_CipherFinal_ex(ctx, data + len, &out) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, IKE_AEAD_TAG_LEN,
				data + len) == 1)
		err = 0;
	EVP_CIPHER_CTX_free(ctx);
	return err;
}

int ike_crypto_open(uint16_t encr, uint16_t key_bits, const uint8_t *keymat,
		    const uint8_t *iv, const void *aad, size_t aad_len,
		    const uint8_t *in, size_t len, uint8_t *out)
{
	const struct aead *a = aead_find(encr, key_bits);
	uint8_t tag[IKE_AEAD_TAG_LEN];
	EVP_CIPHER_CTX *ctx;
	int n = 0;
	int err = -EIO;

	if (!a || len > INT_MAX || aad_len > INT_MAX)
		return -ENOTSUP;
	memcpy(tag, in + len, sizeof(tag));
	ctx = begin(a, keymat, iv, aad, aad_len, false);
	if (ctx && EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1)
		err = EVP_CipherFinal_ex(ctx, out + len, &n) == 1 ? 0 : -EBADMSG;
	EVP_CIPHER_CTX_free(ctx);
	return err;
}
