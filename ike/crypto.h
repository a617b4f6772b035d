/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_crypto - the algorithms, over OpenSSL 3
 *
 * The only door to OpenSSL in this folder. Algorithms are fetched once; every
 * return value of the library is read here and becomes 0 or a negative errno,
 * so that no caller can take a "-1" for success. What this table does not
 * know is never negotiated.
 *
 * Key exchange works on plain bytes, so that private values can be saved,
 * moved between threads and wiped. Peers' public values are checked: length
 * exactly that of the group, 1 < y < p - 1 (MODP), a point of the curve
 * (ECP), a result that is not zero (X25519).
 */
#ifndef ED_IKE_CRYPTO_H
#define ED_IKE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/limits.h"

struct rng;

/* A piece of a message that is hashed. */
struct ike_bytes {
	const void *p;
	size_t len;
};

/* ---- PRF (RFC 4868) ---- */

/* Bytes of output and of preferred key; 0 for a PRF we do not have. */
size_t ike_crypto_prf_len(uint16_t prf);

/* out (ike_crypto_prf_len() bytes) = prf(key, parts in order). 0 or -EIO, -ENOTSUP. */
int ike_crypto_prf(uint16_t prf, const void *key, size_t key_len,
		   const struct ike_bytes *parts, size_t n, uint8_t *out);

/* len bytes of prf+(key, parts), RFC 7296 section 2.13. 0, -EIO, -EMSGSIZE. */
int ike_crypto_prf_plus(uint16_t prf, const void *key, size_t key_len,
			const struct ike_bytes *parts, size_t n, uint8_t *out,
			size_t len);

/* SHA-1, which NAT detection demands (2.23) and nothing else uses. 0 or -EIO. */
int ike_crypto_sha1(const struct ike_bytes *parts, size_t n, uint8_t out[20]);

/* SHA-256, to know a repeated request again. 0 or -EIO. */
int ike_crypto_sha256(const void *p, size_t len, uint8_t out[32]);

/* ---- AEAD (RFC 5282, RFC 4106) ---- */

/* Bytes of key material, salt included; 0 for a cipher we do not have. */
size_t ike_crypto_aead_keymat(uint16_t encr, uint16_t key_bits);

/*
 * Encrypt len bytes at data in place and append the tag behind them; the
 * caller has left IKE_AEAD_TAG_LEN bytes. keymat is key and salt, iv eight
 * bytes never used before with it. 0, -EIO, -ENOTSUP.
 */
int ike_crypto_seal(uint16_t encr, uint16_t key_bits, const uint8_t *keymat,
		    const uint8_t *iv, const void *aad, size_t aad_len, uint8_t *data,
		    size_t len);

/*
 * Decrypt from in to out, len bytes, tag behind them in in. -EBADMSG when it
 * is not authentic; out is then not to be read.
 */
int ike_crypto_open(uint16_t encr, uint16_t key_bits, const uint8_t *keymat,
		    const uint8_t *iv, const void *aad, size_t aad_len,
		    const uint8_t *in, size_t len, uint8_t *out);

/* ---- key exchange (groups 14, 19, 31) ---- */

/* Bytes of a public value; 0 for a group we do not have. */
size_t ike_crypto_dh_public_len(uint16_t group);

/* A private value for the group from rng. */
void ike_crypto_dh_private(uint16_t group, struct rng *rng,
			   uint8_t priv[IKE_DH_PRIVATE_LEN]);

/* The public value that belongs to priv. 0, -EIO, -ENOTSUP. */
int ike_crypto_dh_public(uint16_t group, const uint8_t priv[IKE_DH_PRIVATE_LEN],
			 uint8_t pub[IKE_DH_PUBLIC_MAX]);

/*
 * The shared secret. 0 with *shared_len set; -EBADMSG for a public value that
 * must not be used; -EIO, -ENOTSUP.
 */
int ike_crypto_dh_shared(uint16_t group, const uint8_t priv[IKE_DH_PRIVATE_LEN],
			 const uint8_t *peer, size_t peer_len,
			 uint8_t shared[IKE_DH_SHARED_MAX], size_t *shared_len);

#endif
