/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_aead - AES-GCM with a 16 byte tag, in place (RFC 4106)
 *
 * One object is one key and one direction; it keeps the expanded key, so that a
 * packet costs no set-up but its nonce. The nonce is the salt of the key
 * material and the 8 byte IV of the packet. Not for use by two threads at once.
 */
#ifndef ED_EDGED_ESP_CRYPTO_H
#define ED_EDGED_ESP_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edged/esp/proto.h"

enum { ESP_TAG_LEN = 16, ESP_IV_LEN = 8, ESP_SALT_LEN = 4 };

struct esp_aead;

/* Bytes of key material (key and salt) of a cipher; 0 for an unknown one. */
size_t esp_aead_key_len(enum esp_cipher cipher);

/*
 * Make one from esp_aead_key_len() bytes; seal: it encrypts, else it decrypts.
 * The bytes are copied into it and wiped by esp_aead_free().
 *
 * Returns NULL for an unknown cipher or when OpenSSL refuses.
 */
struct esp_aead *esp_aead_new(enum esp_cipher cipher, const uint8_t *key, bool seal);

/* Wipe and free a; NULL is allowed. */
void esp_aead_free(struct esp_aead *a);

/* Encrypt len bytes at data in place and write the tag; false on failure. */
bool esp_aead_seal(struct esp_aead *a, const uint8_t *iv, const uint8_t *aad,
		   size_t aad_len, uint8_t *data, size_t len, uint8_t *tag);

/*
 * Decrypt len bytes at data in place. False when the tag is wrong; data is then
 * undefined and must not be used.
 */
bool esp_aead_open(struct esp_aead *a, const uint8_t *iv, const uint8_t *aad,
		   size_t aad_len, uint8_t *data, size_t len, const uint8_t *tag);

#endif
