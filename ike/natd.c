/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/natd.h"

#include <string.h>

#include "ike/constants.h"
#include "ike/crypto.h"
#include "lib/rng.h"
#include "lib/wbuf.h"

enum { HASH_LEN = 20 };

/* SHA1(SPIi | SPIr | address | port) */
static int natd_hash(uint64_t spi_i, uint64_t spi_r, const struct endpoint *e,
		     uint8_t out[HASH_LEN])
{
	uint8_t in[2 * IKE_SPI_LEN + 16 + 2];
	struct wbuf w = wbuf_init(in, sizeof(in));
	struct ike_bytes part;

	wbuf_u64(&w, spi_i);
	wbuf_u64(&w, spi_r);
	wbuf_bytes(&w, e->addr.b, addr_size(e->addr.family));
	wbuf_u16(&w, e->port);
	part = (struct ike_bytes){in, wbuf_len(&w)};
	return ike_crypto_sha1(&part, 1, out);
}

void ike_natd_put(struct ike_build *b, uint64_t spi_i, uint64_t spi_r,
		  const struct ike_addrs *at, bool lie, struct rng *rng)
{
	uint8_t hash[HASH_LEN];

	if (lie)
		rng_bytes(rng, hash, sizeof(hash));
	else if (natd_hash(spi_i, spi_r, &at->local, hash) < 0)
		return;
	ike_payload_put_notify(b, IKE_N_NAT_DETECTION_SOURCE_IP, hash, sizeof(hash));
	if (natd_hash(spi_i, spi_r, &at->remote, hash) < 0)
		return;
	ike_payload_put_notify(b, IKE_N_NAT_DETECTION_DESTINATION_IP, hash,
			       sizeof(hash));
}

static bool same(const struct ike_notify *n, const uint8_t hash[HASH_LEN])
{
	return rbuf_left(&n->data) == HASH_LEN &&
	       memcmp(n->data.pos, hash, HASH_LEN) == 0;
}

struct ike_natd ike_natd_check(const struct ike_chain *chain, uint64_t spi_i,
			       uint64_t spi_r, const struct ike_addrs *at)
{
	struct ike_natd result = {0};
	uint8_t ours[HASH_LEN];
	uint8_t theirs[HASH_LEN];
	bool source = false;
	bool source_fits = false;
	bool destination = false;
	bool destination_fits = false;

	if (natd_hash(spi_i, spi_r, &at->local, ours) < 0 ||
	    natd_hash(spi_i, spi_r, &at->remote, theirs) < 0)
		return result;
	/* A host with several addresses may send several sources: one must fit. */
	for (size_t i = 0; i < chain->n_notify; i++) {
		const struct ike_notify *n = &chain->notify[i];

		if (n->type == IKE_N_NAT_DETECTION_SOURCE_IP) {
			source = true;
			source_fits |= same(n, theirs);
		} else if (n->type == IKE_N_NAT_DETECTION_DESTINATION_IP) {
			destination = true;
			destination_fits |= same(n, ours);
		}
	}
	result.supported = source && destination;
	if (result.supported) {
		result.local = !destination_fits;
		result.remote = !source_fits;
	}
	return result;
}
