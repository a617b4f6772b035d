/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_protect - the SK payload: seal and open
 *
 * RFC 7296 section 3.14 with RFC 5282. The IV is a counter that the SA owns
 * and that never repeats under one key. Associated data is everything before
 * the IV: the IKE header and the SK payload's own header.
 */
#ifndef ED_IKE_PROTECT_H
#define ED_IKE_PROTECT_H

#include <stddef.h>
#include <stdint.h>

#include "ike/ike.h"
#include "ike/message.h"

/*
 * Open the SK payload in a message that was begun; payloads built after this
 * are the ones inside.
 */
void ike_protect_begin(struct ike_build *b, uint64_t iv);

/*
 * Close it, note all lengths and encrypt.
 *
 * Returns the length of the message, or 0 when it did not fit or the
 * library failed.
 */
size_t ike_protect_end(struct ike_build *b, const struct ike_suite *suite,
		       const uint8_t *key);

/*
 * Open the message of len bytes whose first payload is SK. The inner chain
 * goes to out (at least len bytes), its length to *out_len and its first
 * payload's type to *first.
 *
 * Returns 0; -EBADMSG when it is not authentic or not well formed. out is
 * then not to be read.
 */
int ike_protect_open(const uint8_t *msg, size_t len, const struct ike_suite *suite,
		     const uint8_t *key, uint8_t *out, size_t *out_len, uint8_t *first);

#endif
