/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three groups behind one table. Nothing here keeps an OpenSSL object between
 * calls but the parameters of the groups, which are read only: jobs may run in
 * any thread.
 */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/crypto.h"
#include "lib/alloc.h"
#include "lib/rng.h"
#include "lib/secret.h"

enum {
	MODP2048_LEN = 256,
	ECP256_LEN = 32, /* of one coordinate */
	X25519_LEN = 32,
	PRIVATE_TRIES = 64, /* one draw in 2^32 misses the order of P-256 */
};

/* The order of P-256 (FIPS 186-4 D.1.2.3), big-endian: private values are below. */
static const uint8_t ecp256_order[IKE_DH_PRIVATE_LEN] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
	0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};

struct group {
	uint16_t id;
	size_t public_len;
	int (*public)(const uint8_t *priv, uint8_t *pub);
	int (*shared)(const uint8_t *priv, const uint8_t *peer, uint8_t *out,
		      size_t *len);
};

static bool all_zero(const uint8_t *p, size_t len)
{
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= p[i];
	return !any;
}

/* ---- MODP-2048 (RFC 3526 section 3) ---- */

/* out = base ^ priv mod p; base NULL: the generator 2. */
static int modp_power(const uint8_t *priv, const uint8_t *base, uint8_t *out)
{
	BN_CTX *ctx = BN_CTX_secure_new();
	BIGNUM *p = BN_get_rfc3526_prime_2048(NULL);
	BIGNUM *last = BN_new();
	BIGNUM *x = BN_secure_new();
	BIGNUM *y = BN_new();
	BIGNUM *r = BN_secure_new();
	int err = -EIO;

	if (!ctx || !p || !last || !x || !y || !r)
		goto out;
	if (!BN_bin2bn(priv, IKE_DH_PRIVATE_LEN, x) || !BN_copy(last, p) ||
	    !BN_sub_word(last, 1))
		goto out;
	if (base ? !BN_bin2bn(base, MODP2048_LEN, y) : !BN_set_word(y, 2))
		goto out;
	/* 0, 1, p - 1 and everything above give the secret away. */
	if (BN_is_zero(y) || BN_is_one(y) || BN_cmp(y, last) >= 0) {
		err = -EBADMSG;
		goto out;
	}
	BN_set_flags(x, BN_FLG_CONSTTIME);
	if (BN_mod_exp_mont_consttime(r, y, x, p, ctx, NULL) == 1 &&
	    BN_bn2binpad(r, out, MODP2048_LEN) == MODP2048_LEN)
		err = 0;
out:
	BN_clear_free(r);
	BN_free(y);
	BN_clear_free(x);
	BN_free(last);
	BN_free(p);
	BN_CTX_free(ctx);
	return err;
}

static int modp_public(const uint8_t *priv, uint8_t *pub)
{
	return modp_power(priv, NULL, pub);
}

static int modp_shared(const uint8_t *priv, const uint8_t *peer, uint8_t *out,
		       size_t *len)
{
	*len = MODP2048_LEN;
	return modp_power(priv, peer, out);
}

/* ---- NIST P-256 (RFC 5903) ---- */

/*
 * out = priv * peer, both coordinates; peer NULL: the generator. The library
 * refuses a peer that is no point of the curve.
 */
static int ecp_multiply(const uint8_t *priv, const uint8_t *peer, uint8_t *out)
{
	uint8_t raw[1 + 2 * ECP256_LEN] = {POINT_CONVERSION_UNCOMPRESSED};
	BN_CTX *ctx = BN_CTX_secure_new();
	EC_GROUP *g = EC_GROUP_new_by_curve_name_ex(NULL, NULL, NID_X9_62_prime256v1);
	EC_POINT *q = g ? EC_POINT_new(g) : NULL;
	EC_POINT *r = g ? EC_POINT_new(g) : NULL;
	BIGNUM *x = BN_secure_new();
	int err = -EIO;

	if (!ctx || !q || !r || !x || !BN_bin2bn(priv, IKE_DH_PRIVATE_LEN, x))
		goto out;
	BN_set_flags(x, BN_FLG_CONSTTIME);
	if (peer) {
		memcpy(raw + 1, peer, (size_t)2 * ECP256_LEN);
		if (EC_POINT_oct2point(g, q, raw, sizeof(raw), ctx) != 1 ||
		    EC_POINT_is_on_curve(g, q, ctx) != 1 ||
		    EC_POINT_is_at_infinity(g, q)) {
			err = -EBADMSG;
			goto out;
		}
	}
	if (EC_POINT_mul(g, r, peer ? NULL : x, peer ? q : NULL, peer ? x : NULL,
			 ctx) != 1)
		goto out;
	if (EC_POINT_is_at_infinity(g, r)) {
		err = -EBADMSG;
		goto out;
	}
	if (EC_POINT_point2oct(g, r, POINT_CONVERSION_UNCOMPRESSED, raw, sizeof(raw),
			       ctx) == sizeof(raw)) {
		memcpy(out, raw + 1, (size_t)2 * ECP256_LEN);
		err = 0;
	}
out:
	secret_wipe(raw, sizeof(raw));
	BN_clear_free(x);
	EC_POINT_clear_free(r);
	EC_POINT_free(q);
	EC_GROUP_free(g);
	BN_CTX_free(ctx);
	return err;
}

static int ecp_public(const uint8_t *priv, uint8_t *pub)
{
	return ecp_multiply(priv, NULL, pub);
}

/* RFC 5903 section 7: the secret is the x coordinate alone. */
static int ecp_shared(const uint8_t *priv, const uint8_t *peer, uint8_t *out,
		      size_t *len)
{
	uint8_t point[2 * ECP256_LEN];
	int err = ecp_multiply(priv, peer, point);

	if (!err) {
		memcpy(out, point, ECP256_LEN);
		*len = ECP256_LEN;
	}
	secret_wipe(point, sizeof(point));
	return err;
}

/* ---- X25519 (RFC 8031) ---- */

static int x25519_public(const uint8_t *priv, uint8_t *pub)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, priv,
							IKE_DH_PRIVATE_LEN);
	size_t len = X25519_LEN;
	int err = -EIO;

	if (key && EVP_PKEY_get_raw_public_key(key, pub, &len) == 1 &&
	    len == X25519_LEN)
		err = 0;
	EVP_PKEY_free(key);
	return err;
}

static int x25519_shared(const uint8_t *priv, const uint8_t *peer, uint8_t *out,
			 size_t *len)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key_ex(NULL, "X25519", NULL, priv,
							IKE_DH_PRIVATE_LEN);
	EVP_PKEY *other =
		EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL, peer, X25519_LEN);
	EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
	size_t n = X25519_LEN;
	int err = -EIO;

	if (!ctx || !other || EVP_PKEY_derive_init(ctx) != 1)
		goto out;
	err = -EBADMSG; /* from here on it is the peer's value that fails */
	if (EVP_PKEY_derive_set_peer(ctx, other) == 1 &&
	    EVP_PKEY_derive(ctx, out, &n) == 1 && n == X25519_LEN &&
	    !all_zero(out, n)) {
		*len = n;
		err = 0;
	}
out:
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(other);
	EVP_PKEY_free(key);
	return err;
}

/* clang-format off */
static const struct group groups[] = {
	{ IKE_GROUP_MODP2048, MODP2048_LEN,   modp_public,   modp_shared   },
	{ IKE_GROUP_ECP256,   2 * ECP256_LEN, ecp_public,    ecp_shared    },
	{ IKE_GROUP_X25519,   X25519_LEN,     x25519_public, x25519_shared },
};
/* clang-format on */

static const struct group *group_find(uint16_t id)
{
	for (size_t i = 0; i < ARRAY_LEN(groups); i++)
		if (groups[i].id == id)
			return &groups[i];
	return NULL;
}

size_t ike_crypto_dh_public_len(uint16_t group)
{
	const struct group *g = group_find(group);

	return g ? g->public_len : 0;
}

void ike_crypto_dh_private(uint16_t group, struct rng *rng,
			   uint8_t priv[IKE_DH_PRIVATE_LEN])
{
	for (int i = 0; i < PRIVATE_TRIES; i++) {
		rng_bytes(rng, priv, IKE_DH_PRIVATE_LEN);
		if (group == IKE_GROUP_MODP2048)
			priv[0] |= 0x80; /* full length */
		if (all_zero(priv, IKE_DH_PRIVATE_LEN))
			continue;
		if (group != IKE_GROUP_ECP256 ||
		    memcmp(priv, ecp256_order, IKE_DH_PRIVATE_LEN) < 0)
			return;
	}
}

int ike_crypto_dh_public(uint16_t group, const uint8_t priv[IKE_DH_PRIVATE_LEN],
			 uint8_t pub[IKE_DH_PUBLIC_MAX])
{
	const struct group *g = group_find(group);

	return g ? g->public(priv, pub) : -ENOTSUP;
}

int ike_crypto_dh_shared(uint16_t group, const uint8_t priv[IKE_DH_PRIVATE_LEN],
			 const uint8_t *peer, size_t peer_len,
			 uint8_t shared[IKE_DH_SHARED_MAX], size_t *shared_len)
{
	const struct group *g = group_find(group);

	if (!g)
		return -ENOTSUP;
	if (peer_len != g->public_len)
		return -EBADMSG;
	return g->shared(priv, peer, shared, shared_len);
}
