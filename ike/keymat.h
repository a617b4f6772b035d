/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_keymat - SKEYSEED, the keys of an IKE SA and of its children
 *
 * RFC 7296 sections 2.14, 2.17 and 2.18. All return 0, -EIO or -ENOTSUP, and
 * wipe what they had in between.
 */
#ifndef ED_IKE_KEYMAT_H
#define ED_IKE_KEYMAT_H

#include <stddef.h>
#include <stdint.h>

#include "ike/crypto.h"
#include "ike/ike.h"
#include "ike/limits.h"

/* The keys of one IKE SA; lengths follow from its suite. */
struct ike_keys {
	uint8_t d[IKE_PRF_MAX];
	uint8_t ei[IKE_KEYMAT_MAX];
	uint8_t er[IKE_KEYMAT_MAX];
	uint8_t pi[IKE_PRF_MAX];
	uint8_t pr[IKE_PRF_MAX];
};

/* What both derivations take. */
struct ike_keymat_in {
	struct ike_bytes ni;
	struct ike_bytes nr;
	struct ike_bytes shared; /* empty: no key exchange (child only) */
	uint64_t spi_i;
	uint64_t spi_r;
};

/* Keys of a first IKE SA. */
int ike_keymat_ike(const struct ike_suite *suite, const struct ike_keymat_in *in,
		   struct ike_keys *keys);

/* Keys of an IKE SA that takes over from one with old suite and keys. */
int ike_keymat_rekey(const struct ike_suite *old, const uint8_t *old_d,
		     const struct ike_suite *suite, const struct ike_keymat_in *in,
		     struct ike_keys *keys);

/* Keys of a child: from the exchange's initiator to its responder, and back. */
int ike_keymat_child(uint16_t prf, const uint8_t *sk_d, const struct ike_keymat_in *in,
		     size_t key_len, uint8_t *i2r, uint8_t *r2i);

/*
 * The AUTH value of a pre-shared key (2.15): prf(prf(psk, "Key Pad for
 * IKEv2"), segments | prf(SK_p, id body)). segments are the signer's first
 * message, then the other side's nonce; later exchanges add theirs.
 */
int ike_keymat_auth_psk(uint16_t prf, const void *psk, size_t psk_len,
			const struct ike_bytes *segments, size_t n, const uint8_t *sk_p,
			struct ike_bytes id_body, uint8_t *out);

#endif
