/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/cookie.h"

#include <errno.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/crypto.h"
#include "ike/limits.h"
#include "lib/secret.h"
#include "lib/wbuf.h"

static void draw(struct ike_cookies *c, struct rng *rng)
{
	c->number++;
	rng_bytes(rng, c->secret[c->number & 1], IKE_COOKIE_SECRET_LEN);
}

/* Replace what is too old: the newer secret, and after a long time both. */
static void renew(struct ike_cookies *c, struct mono now, struct rng *rng)
{
	const int64_t life_us = (int64_t)IKE_COOKIE_SECRET_S * MONO_US_PER_S;

	if (c->drawn && !mono_due(c->renew_at, now))
		return;
	if (!c->drawn || mono_due(mono_add_us(c->renew_at, life_us), now))
		draw(c, rng);
	draw(c, rng);
	c->drawn = true;
	c->renew_at = mono_add_us(now, life_us);
}

static int make(const struct ike_cookies *c, uint8_t number,
		const struct ike_cookie_caller *caller, uint8_t out[IKE_COOKIE_LEN])
{
	uint8_t head[1 + IKE_SPI_LEN + 1 + 16];
	struct wbuf w = wbuf_init(head, sizeof(head));
	struct ike_bytes parts[2];

	wbuf_u8(&w, number);
	wbuf_u64(&w, caller->spi_i);
	wbuf_u8(&w, caller->from.family);
	wbuf_bytes(&w, caller->from.b, addr_size(caller->from.family));
	parts[0] = (struct ike_bytes){head, wbuf_len(&w)};
	parts[1] = (struct ike_bytes){caller->nonce.pos, rbuf_left(&caller->nonce)};
	out[0] = number;
	return ike_crypto_prf(IKE_PRF_SHA256, c->secret[number & 1],
			      IKE_COOKIE_SECRET_LEN, parts, 2, out + 1);
}

int ike_cookie_make(struct ike_cookies *c, struct mono now, struct rng *rng,
		    const struct ike_cookie_caller *caller, uint8_t out[IKE_COOKIE_LEN])
{
	renew(c, now, rng);
	return make(c, c->number, caller, out);
}

bool ike_cookie_check(struct ike_cookies *c, struct mono now, struct rng *rng,
		      const struct ike_cookie_caller *caller, struct rbuf data)
{
	uint8_t want[IKE_COOKIE_LEN];
	const uint8_t *given = rbuf_take(&data, IKE_COOKIE_LEN);
	uint8_t number;

	if (!given || !rbuf_done(&data))
		return false;
	renew(c, now, rng);
	number = given[0];
	if (number != c->number && number != (uint8_t)(c->number - 1))
		return false;
	return make(c, number, caller, want) == 0 &&
	       secret_equal(want, given, IKE_COOKIE_LEN);
}
