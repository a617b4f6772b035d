/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "ike/constants.h"
#include "ike/payload.h"

enum {
	PROPOSAL_LAST = 0,
	PROPOSAL_MORE = 2,
	TRANSFORM_LAST = 0,
	TRANSFORM_MORE = 3,
};

static int decode_attributes(struct rbuf *r, struct ike_transform *t)
{
	unsigned int count = 0;

	/* Ends: each round takes at least four bytes. */
	while (rbuf_left(r)) {
		uint16_t type = rbuf_u16(r);
		uint16_t value = rbuf_u16(r);

		if (++count > IKE_ATTRS_MAX)
			return -E2BIG;
		if (type == (IKE_ATTR_SHORT | IKE_ATTR_KEY_LENGTH)) {
			if (t->key_bits || !value)
				return -EBADMSG;
			t->key_bits = value;
			continue;
		}
		/* RFC 7296 section 3.3.6: a transform we do not understand is refused */
		t->strange = true;
		if (!(type & IKE_ATTR_SHORT))
			rbuf_skip(r, value);
	}
	return rbuf_ok(r) ? 0 : -EBADMSG;
}

/* Returns 1 when another transform must follow, 0 after the last. */
static int decode_transform(struct rbuf *r, struct ike_transform *t)
{
	struct rbuf body;
	uint8_t more = rbuf_u8(r);
	uint16_t len;
	int err;

	rbuf_skip(r, 1);
	len = rbuf_u16(r);
	if (!rbuf_ok(r) || len < 8 ||
	    (more != TRANSFORM_LAST && more != TRANSFORM_MORE))
		return -EBADMSG;
	body = rbuf_sub(r, len - (size_t)4);
	*t = (struct ike_transform){0};
	t->type = rbuf_u8(&body);
	rbuf_skip(&body, 1);
	t->id = rbuf_u16(&body);
	if (!rbuf_ok(&body))
		return -EBADMSG;
	err = decode_attributes(&body, t);
	if (err < 0)
		return err;
	return more == TRANSFORM_MORE;
}

int ike_payload_sa_next(struct rbuf *body, struct ike_proposal *p)
{
	struct rbuf in;
	uint8_t more;
	uint8_t spi_len;
	uint8_t n;
	uint16_t len;

	if (!rbuf_left(body))
		return rbuf_ok(body) ? 0 : -EBADMSG;
	more = rbuf_u8(body);
	rbuf_skip(body, 1);
	len = rbuf_u16(body);
	if (!rbuf_ok(body) || len < 8 ||
	    (more != PROPOSAL_LAST && more != PROPOSAL_MORE))
		return -EBADMSG;
	in = rbuf_sub(body, len - (size_t)4);
	p->number = rbuf_u8(&in);
	p->protocol = rbuf_u8(&in);
	spi_len = rbuf_u8(&in);
	n = rbuf_u8(&in);
	p->spi = rbuf_sub(&in, spi_len);
	if (!rbuf_ok(&in))
		return -EBADMSG;
	/* The chain ends where the payload ends, not before and not behind. */
	if ((more == PROPOSAL_MORE) != (rbuf_left(body) != 0))
		return -EBADMSG;
	if (n > IKE_TRANSFORMS_MAX)
		return -E2BIG;
	p->n_transforms = 0;
	/* Ends: counts up to n. */
	while (p->n_transforms < n) {
		int err = decode_transform(&in, &p->transforms[p->n_transforms]);

		if (err < 0)
			return err;
		p->n_transforms++;
		if ((err == 1) != (p->n_transforms < n))
			return -EBADMSG;
	}
	return rbuf_done(&in) ? 1 : -EBADMSG;
}

int ike_payload_sa_check(struct rbuf body, size_t *n)
{
	struct ike_proposal p;
	size_t count = 0;
	int err;

	/* Ends: each proposal takes at least eight bytes. */
	while ((err = ike_payload_sa_next(&body, &p)) == 1)
		if (++count > IKE_PROPOSALS_MAX)
			return -E2BIG;
	if (err < 0)
		return err;
	if (!count)
		return -EBADMSG;
	*n = count;
	return 0;
}

static void put_transform(struct ike_build *b, const struct ike_transform *t, bool more)
{
	struct wbuf_mark at;

	wbuf_u8(&b->w, more ? TRANSFORM_MORE : TRANSFORM_LAST);
	wbuf_u8(&b->w, 0);
	at = wbuf_mark16(&b->w, 2);
	wbuf_u8(&b->w, t->type);
	wbuf_u8(&b->w, 0);
	wbuf_u16(&b->w, t->id);
	if (t->key_bits) {
		wbuf_u16(&b->w, IKE_ATTR_SHORT | IKE_ATTR_KEY_LENGTH);
		wbuf_u16(&b->w, t->key_bits);
	}
	wbuf_fix16(&b->w, at);
}

void ike_payload_sa_put(struct ike_build *b, const struct ike_proposal *p,
			const void *spi, size_t spi_len, bool more)
{
	struct wbuf_mark at;

	wbuf_u8(&b->w, more ? PROPOSAL_MORE : PROPOSAL_LAST);
	wbuf_u8(&b->w, 0);
	at = wbuf_mark16(&b->w, 2);
	wbuf_u8(&b->w, p->number);
	wbuf_u8(&b->w, p->protocol);
	wbuf_u8(&b->w, (uint8_t)spi_len);
	wbuf_u8(&b->w, (uint8_t)p->n_transforms);
	wbuf_bytes(&b->w, spi, spi_len);
	for (size_t i = 0; i < p->n_transforms; i++)
		put_transform(b, &p->transforms[i], i + 1 < p->n_transforms);
	wbuf_fix16(&b->w, at);
}
