/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_natd - NAT detection (RFC 7296 section 2.23)
 *
 * Each side sends hashes of the addresses as it knows them. A hash that does
 * not fit what the other side sees means a translator in between.
 */
#ifndef ED_IKE_NATD_H
#define ED_IKE_NATD_H

#include <stdbool.h>

#include "ike/ike.h"
#include "ike/payload.h"

struct rng;

/*
 * Append both notifies. With lie the source hash is random: the peer then
 * sees a NAT and encapsulates, which is how ESP in UDP is enforced.
 */
void ike_natd_put(struct ike_build *b, uint64_t spi_i, uint64_t spi_r,
		  const struct ike_addrs *at, bool lie, struct rng *rng);

struct ike_natd {
	bool supported; /* the peer sent both */
	bool local; /* we are behind a NAT */
	bool remote; /* the peer is, or says so */
};

/* What the notifies of a received message say. */
struct ike_natd ike_natd_check(const struct ike_chain *chain, uint64_t spi_i,
			       uint64_t spi_r, const struct ike_addrs *at);

#endif
