/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/esp/crypto.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/secret.h"

struct esp_aead {
	EVP_CIPHER_CTX *ctx;
	uint8_t salt[ESP_SALT_LEN];
};

size_t esp_aead_key_len(enum esp_cipher cipher)
{
	switch (cipher) {
	case ESP_AES128_GCM16:
		return 16 + ESP_SALT_LEN;
	case ESP_AES256_GCM16:
		return 32 + ESP_SALT_LEN;
	}
	return 0;
}

/* Fetched once: an implicit fetch costs more than a packet's encryption. */
static const EVP_CIPHER *fetch(enum esp_cipher cipher)
{
	static EVP_CIPHER *aes128;
	static EVP_CIPHER *aes256;

	if (!aes128)
		aes128 = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	if (!aes256)
		aes256 = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	return cipher == ESP_AES128_GCM16 ? aes128 : aes256;
}

struct esp_aead *esp_aead_new(enum esp_cipher cipher, const uint8_t *key, bool seal)
{
	size_t key_len = esp_aead_key_len(cipher);
	const EVP_CIPHER *evp;
	struct esp_aead *a;

	if (!key_len)
		return NULL;
	evp = fetch(cipher);
	if (!evp)
		return NULL;
	a = ed_alloc(sizeof(*a));
	memcpy(a->salt, key + key_len - ESP_SALT_LEN, ESP_SALT_LEN);
	a->ctx = EVP_CIPHER_CTX_new();
	if (!a->ctx || !EVP_CipherInit_ex2(a->ctx, evp, key, NULL, seal, NULL)) {
		esp_aead_free(a);
		return NULL;
	}
	return a;
}

void esp_aead_free(struct esp_aead *a)
{
	if (!a)
		return;
	EVP_CIPHER_CTX_free(a->ctx); /* cleanses the expanded key */
	secret_wipe(a, sizeof(*a));
	free(a);
}

static bool start(struct esp_aead *a, const uint8_t *iv, const uint8_t *aad,
		  size_t aad_len)
{
	uint8_t nonce[ESP_SALT_LEN + ESP_IV_LEN];
	int n;

	memcpy(nonce, a->salt, ESP_SALT_LEN);
	memcpy(nonce + ESP_SALT_LEN, iv, ESP_IV_LEN);
	return EVP_CipherInit_ex2(a->ctx, NULL, NULL, nonce, -1, NULL) &&
	       EVP_CipherUpdate(a->ctx, NULL, &n, aad, (int)aad_len);
}

bool esp_aead_seal(struct esp_aead *a, const uint8_t *iv, const uint8_t *aad,
		   size_t aad_len, uint8_t *data, size_t len, uint8_t *tag)
{
	int n;

	return start(a, iv, aad, aad_len) &&
	       EVP_CipherUpdate(a->ctx, data, &n, data, (int)len) &&
	       EVP_CipherFinal_ex(a->ctx, data + n, &n) &&
	       EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_GET_TAG, ESP_TAG_LEN, tag) > 0;
}

bool esp_aead_open(struct esp_aead *a, const uint8_t *iv, const uint8_t *aad,
		   size_t aad_len, uint8_t *data, size_t len, const uint8_t *tag)
{
	uint8_t want[ESP_TAG_LEN];
	int n;

	memcpy(want, tag, ESP_TAG_LEN); /* OpenSSL wants a pointer to change */
	return start(a, iv, aad, aad_len) &&
	       EVP_CIPHER_CTX_ctrl(a->ctx, EVP_CTRL_AEAD_SET_TAG, ESP_TAG_LEN, want) >
		       0 &&
	       EVP_CipherUpdate(a->ctx, data, &n, data, (int)len) &&
	       EVP_CipherFinal_ex(a->ctx, data + n, &n) > 0;
}
