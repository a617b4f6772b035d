/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_cookie - COOKIE against floods of first messages (RFC 7296 section 2.6)
 *
 * A cookie shows that a caller receives what is sent to its address, and costs
 * us no memory: it is a MAC over what the caller must repeat unchanged (SPIi,
 * Ni) and the address it came from, by a secret that is replaced every
 * IKE_COOKIE_SECRET_S. The secret before is still good, so a cookie lives for
 * one to two of these times.
 *
 * Wire form: the secret's number, one byte, then the MAC. The port is not in
 * it: behind a NAT it may change between two messages.
 */
#ifndef ED_IKE_COOKIE_H
#define ED_IKE_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/mono.h"
#include "lib/rbuf.h"
#include "lib/rng.h"

enum {
	IKE_COOKIE_SECRET_LEN = 32,
	IKE_COOKIE_LEN = 1 + 32,
};

/* The secrets. All zero is a good beginning. */
struct ike_cookies {
	uint8_t secret[2][IKE_COOKIE_SECRET_LEN]; /* [number & 1] */
	uint8_t number; /* of the newer one */
	bool drawn;
	struct mono renew_at;
};

/* What a cookie is bound to. */
struct ike_cookie_caller {
	uint64_t spi_i;
	struct addr from;
	struct rbuf nonce;
};

/*
 * The cookie for a caller.
 *
 * Returns 0; -EIO when the library fails, *out is then undefined.
 */
int ike_cookie_make(struct ike_cookies *c, struct mono now, struct rng *rng,
		    const struct ike_cookie_caller *caller,
		    uint8_t out[IKE_COOKIE_LEN]);

/* Is data a cookie that this caller got from us, not too long ago? */
bool ike_cookie_check(struct ike_cookies *c, struct mono now, struct rng *rng,
		      const struct ike_cookie_caller *caller, struct rbuf data);

#endif
