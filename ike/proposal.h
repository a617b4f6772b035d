/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_proposal - suites: offer, match, names
 *
 * RFC 7296 section 2.7 and 3.3. Each suite is offered as a proposal of its
 * own: gateways that pick "the lowest number of each" then cannot mix. Of what
 * a peer offers, our own order decides. Only what ike/crypto.h can do is ever
 * chosen; a suite without a group never protects an IKE SA, and an AEAD never
 * comes with an integrity transform.
 */
#ifndef ED_IKE_PROPOSAL_H
#define ED_IKE_PROPOSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/ike.h"
#include "ike/payload.h"

/* What a proposal is for; it decides which transforms belong into it. */
enum ike_use {
	IKE_USE_IKE = 1, /* an IKE SA */
	IKE_USE_CHILD_AUTH, /* the child inside IKE_AUTH: groups play no part */
	IKE_USE_CHILD, /* CREATE_CHILD_SA */
};

/* Suites in order of liking. */
struct ike_suites {
	struct ike_suite s[IKE_SUITES_MAX];
	size_t n;
};

/* What edged offers when nothing is configured. */
extern const struct ike_suites ike_proposal_default_ike;
extern const struct ike_suites ike_proposal_default_esp;

/*
 * Append an SA payload that offers the suites. spi is that of the proposed SA
 * (spi_len bytes, 0 for none). With choice not 0 it is an answer: the one
 * suite, numbered choice.
 */
void ike_proposal_put(struct ike_build *b, enum ike_use use,
		      const struct ike_suites *suites, const void *spi, size_t spi_len,
		      uint8_t choice);

struct ike_choice {
	struct ike_suite suite;
	uint8_t number; /* of the proposal it came from */
	uint64_t spi; /* the peer's; 0 without one */
};

/*
 * As responder: the best of our suites that the SA payload offers. For a
 * child outside IKE_AUTH the group is ke_group where that is offered (0: no
 * key exchange), else any other that is offered: the caller then asks for a
 * retry. A peer may rekey without PFS although we would not (Azure's default),
 * or with a group of ours that the suite does not name.
 *
 * Returns 0; -ENOENT when nothing fits; or a decoder's error.
 */
int ike_proposal_choose(struct rbuf sa, enum ike_use use,
			const struct ike_suites *suites, uint16_t ke_group,
			struct ike_choice *choice);

/*
 * As initiator: check the answer to what we offered.
 *
 * Returns 0; -ENOENT when it is nothing we offered; or a decoder's error.
 */
int ike_proposal_answer(struct rbuf sa, enum ike_use use,
			const struct ike_suites *offered, struct ike_choice *choice);

/* "aes256gcm16-sha256-x25519, ... and 12 more": for sentences. */
void ike_proposal_format(const struct ike_suites *suites, char *buf, size_t cap);

/* What the SA payload offers, in the same words, cut to cap. */
void ike_proposal_format_offer(struct rbuf sa, char *buf, size_t cap);

/* A group's word, "x25519"; "group 99" for one we have no word for. */
void ike_proposal_format_group(uint16_t group, char *buf, size_t cap);

/* Is suite one of suites? */
bool ike_proposal_has(const struct ike_suites *suites, const struct ike_suite *suite);

/* Returns 0; -EINVAL for a suite that could not protect anything. */
int ike_proposal_check(const struct ike_suite *suite, bool esp);

#endif
