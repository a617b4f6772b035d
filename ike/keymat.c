/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/keymat.h"

#include <errno.h>
#include <string.h>

#include "lib/rbuf.h"
#include "lib/secret.h"
#include "lib/wbuf.h"

enum { AUTH_SEGMENTS = 6 };

/* prf+(SKEYSEED, Ni | Nr | SPIi | SPIr) cut into the keys, in the RFC's order. */
static int expand(const struct ike_suite *suite, struct ike_bytes skeyseed,
		  const struct ike_keymat_in *in, struct ike_keys *keys)
{
	uint8_t out[3 * IKE_PRF_MAX + 2 * IKE_KEYMAT_MAX];
	size_t prf_len = ike_crypto_prf_len(suite->prf);
	size_t e_len = ike_crypto_aead_keymat(suite->encr, suite->key_bits);
	uint8_t spis[2 * IKE_SPI_LEN];
	struct wbuf w = wbuf_init(spis, sizeof(spis));
	const struct ike_bytes seed[] = {in->ni, in->nr, {spis, sizeof(spis)}};
	struct rbuf r;
	int err;

	if (!prf_len || !e_len)
		return -ENOTSUP;
	wbuf_u64(&w, in->spi_i);
	wbuf_u64(&w, in->spi_r);
	err = ike_crypto_prf_plus(suite->prf, skeyseed.p, skeyseed.len, seed, 3, out,
				  3 * prf_len + 2 * e_len);
	if (!err) {
		memset(keys, 0, sizeof(*keys));
		r = rbuf_init(out, 3 * prf_len + 2 * e_len);
		rbuf_bytes(&r, keys->d, prf_len);
		/* SK_ai and SK_ar are empty with an AEAD */
		rbuf_bytes(&r, keys->ei, e_len);
		rbuf_bytes(&r, keys->er, e_len);
		rbuf_bytes(&r, keys->pi, prf_len);
		rbuf_bytes(&r, keys->pr, prf_len);
	}
	secret_wipe(out, sizeof(out));
	return err;
}

int ike_keymat_ike(const struct ike_suite *suite, const struct ike_keymat_in *in,
		   struct ike_keys *keys)
{
	uint8_t key[2 * IKE_NONCE_MAX];
	struct wbuf w = wbuf_init(key, sizeof(key));
	uint8_t skeyseed[IKE_PRF_MAX];
	int err;

	/* SKEYSEED = prf(Ni | Nr, g^ir) */
	wbuf_bytes(&w, in->ni.p, in->ni.len);
	wbuf_bytes(&w, in->nr.p, in->nr.len);
	if (!wbuf_ok(&w) || !in->shared.len)
		return -EIO;
	err = ike_crypto_prf(suite->prf, key, wbuf_len(&w), &in->shared, 1, skeyseed);
	if (!err)
		err = expand(suite,
			     (struct ike_bytes){skeyseed,
						ike_crypto_prf_len(suite->prf)},
			     in, keys);
	secret_wipe(skeyseed, sizeof(skeyseed));
	return err;
}

int ike_keymat_rekey(const struct ike_suite *old, const uint8_t *old_d,
		     const struct ike_suite *suite, const struct ike_keymat_in *in,
		     struct ike_keys *keys)
{
	const struct ike_bytes parts[] = {in->shared, in->ni, in->nr};
	uint8_t skeyseed[IKE_PRF_MAX];
	size_t old_len = ike_crypto_prf_len(old->prf);
	int err;

	/*
	 * SKEYSEED = prf(SK_d (old), g^ir (new) | Ni | Nr), with the PRF of
	 * the old SA; prf+ then runs with that of the new one, and HMAC takes
	 * a key of any length.
	 */
	if (!in->shared.len)
		return -EIO;
	err = ike_crypto_prf(old->prf, old_d, old_len, parts, 3, skeyseed);
	if (!err)
		err = expand(suite, (struct ike_bytes){skeyseed, old_len}, in, keys);
	secret_wipe(skeyseed, sizeof(skeyseed));
	return err;
}

int ike_keymat_child(uint16_t prf, const uint8_t *sk_d, const struct ike_keymat_in *in,
		     size_t key_len, uint8_t *i2r, uint8_t *r2i)
{
	const struct ike_bytes seed[] = {in->shared, in->ni, in->nr};
	uint8_t out[2 * IKE_KEYMAT_MAX];
	int err;

	if (!key_len || key_len > IKE_KEYMAT_MAX)
		return -ENOTSUP;
	err = ike_crypto_prf_plus(prf, sk_d, ike_crypto_prf_len(prf), seed, 3, out,
				  2 * key_len);
	if (!err) {
		memcpy(i2r, out, key_len);
		memcpy(r2i, out + key_len, key_len);
	}
	secret_wipe(out, sizeof(out));
	return err;
}

int ike_keymat_auth_psk(uint16_t prf, const void *psk, size_t psk_len,
			const struct ike_bytes *segments, size_t n, const uint8_t *sk_p,
			struct ike_bytes id_body, uint8_t *out)
{
	static const char pad[] = "Key Pad for IKEv2";
	const struct ike_bytes pad_part = {pad, sizeof(pad) - 1};
	size_t prf_len = ike_crypto_prf_len(prf);
	struct ike_bytes parts[AUTH_SEGMENTS + 1];
	uint8_t key[IKE_PRF_MAX];
	uint8_t maced_id[IKE_PRF_MAX];
	int err;

	if (n > AUTH_SEGMENTS)
		return -EIO;
	err = ike_crypto_prf(prf, psk, psk_len, &pad_part, 1, key);
	if (!err)
		err = ike_crypto_prf(prf, sk_p, prf_len, &id_body, 1, maced_id);
	if (!err) {
		for (size_t i = 0; i < n; i++)
			parts[i] = segments[i];
		parts[n] = (struct ike_bytes){maced_id, prf_len};
		err = ike_crypto_prf(prf, key, prf_len, parts, n + 1, out);
	}
	secret_wipe(key, sizeof(key));
	secret_wipe(maced_id, sizeof(maced_id));
	return err;
}
