/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/protect.h"

#include <errno.h>

#include "ike/constants.h"
#include "ike/crypto.h"
#include "lib/rbuf.h"

/* Bytes before the IV: associated data. */
enum { AAD_LEN = IKE_HDR_LEN + IKE_PLD_HDR_LEN };

void ike_protect_begin(struct ike_build *b, uint64_t iv)
{
	ike_build_begin(b, IKE_PLD_SK);
	wbuf_u64(&b->w, iv);
	/* The type of the first payload inside stands in SK's own header. */
}

size_t ike_protect_end(struct ike_build *b, const struct ike_suite *suite,
		       const uint8_t *key)
{
	/* SK is the first payload, so its header lies behind the message's. */
	struct wbuf_mark at = {.start = IKE_HDR_LEN, .field = IKE_HDR_LEN + 2};
	uint8_t *data = b->w.start + AAD_LEN + IKE_AEAD_IV_LEN;
	size_t len;
	size_t total;

	wbuf_u8(&b->w, 0); /* pad length: an AEAD needs no padding */
	len = wbuf_len(&b->w) - AAD_LEN - IKE_AEAD_IV_LEN;
	wbuf_zero(&b->w, IKE_AEAD_TAG_LEN);
	wbuf_fix16(&b->w, at);
	total = ike_message_end(b);
	if (!total ||
	    ike_crypto_seal(suite->encr, suite->key_bits, key, b->w.start + AAD_LEN,
			    b->w.start, AAD_LEN, data, len) < 0)
		return 0;
	return total;
}

int ike_protect_open(const uint8_t *msg, size_t len, const struct ike_suite *suite,
		     const uint8_t *key, uint8_t *out, size_t *out_len, uint8_t *first)
{
	struct rbuf r = rbuf_init(msg, len);
	const uint8_t *iv;
	const uint8_t *data;
	uint8_t next;
	uint16_t sk_len;
	size_t n;
	uint8_t pad;
	int err;

	rbuf_skip(&r, IKE_HDR_LEN);
	next = rbuf_u8(&r);
	rbuf_skip(&r, 1);
	sk_len = rbuf_u16(&r);
	/* SK is the last payload: it ends where the message ends. */
	if (!rbuf_ok(&r) || sk_len != len - IKE_HDR_LEN)
		return -EBADMSG;
	iv = rbuf_take(&r, IKE_AEAD_IV_LEN);
	if (!iv || rbuf_left(&r) < IKE_AEAD_TAG_LEN + 1)
		return -EBADMSG;
	n = rbuf_left(&r) - IKE_AEAD_TAG_LEN;
	data = rbuf_take(&r, n);
	err = ike_crypto_open(suite->encr, suite->key_bits, key, iv, msg, AAD_LEN, data,
			      n, out);
	if (err < 0)
		return -EBADMSG;
	pad = out[n - 1];
	if (pad >= n)
		return -EBADMSG;
	*out_len = n - 1 - pad;
	*first = next;
	return 0;
}
