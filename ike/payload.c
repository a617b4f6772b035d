/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The chain and its table: one row a payload. What a payload's body says in
 * detail is decoded by payload_sa.c, payload_ts.c, payload_cp.c and id.c when
 * the exchange that needs it asks.
 */
#include "ike/payload.h"

#include <errno.h>

#include "ike/constants.h"
#include "lib/alloc.h"

struct payload_ops {
	const char *name;
	size_t min_len; /* body bytes, after the generic header */
	int (*decode)(struct rbuf *body, struct ike_chain *chain);
	bool many; /* may come more than once */
};

static struct rbuf rest(struct rbuf *body)
{
	return rbuf_sub(body, rbuf_left(body));
}

static int decode_sa(struct rbuf *body, struct ike_chain *chain)
{
	chain->sa = rest(body);
	return 0;
}

static int decode_ke(struct rbuf *body, struct ike_chain *chain)
{
	chain->ke_group = rbuf_u16(body);
	rbuf_skip(body, 2); /* reserved, ignored on receipt */
	chain->ke = rest(body);
	return 0;
}

static int decode_idi(struct rbuf *body, struct ike_chain *chain)
{
	chain->idi = rest(body);
	return 0;
}

static int decode_idr(struct rbuf *body, struct ike_chain *chain)
{
	chain->idr = rest(body);
	return 0;
}

static int decode_auth(struct rbuf *body, struct ike_chain *chain)
{
	chain->auth_method = rbuf_u8(body);
	rbuf_skip(body, 3);
	chain->auth = rest(body);
	return 0;
}

static int decode_nonce(struct rbuf *body, struct ike_chain *chain)
{
	if (rbuf_left(body) > IKE_NONCE_MAX)
		return -EBADMSG;
	chain->nonce = rest(body);
	return 0;
}

static int decode_notify(struct rbuf *body, struct ike_chain *chain)
{
	struct ike_notify n;
	uint8_t spi_len;

	if (chain->n_notify == IKE_NOTIFIES_MAX)
		return -E2BIG;
	n.protocol = rbuf_u8(body);
	spi_len = rbuf_u8(body);
	n.type = rbuf_u16(body);
	n.spi = rbuf_sub(body, spi_len);
	if (!rbuf_ok(body))
		return -EBADMSG;
	n.data = rest(body);
	chain->notify[chain->n_notify++] = n;
	return 0;
}

static int decode_delete(struct rbuf *body, struct ike_chain *chain)
{
	struct ike_delete d;

	if (chain->n_delete == IKE_DELETES_MAX)
		return -E2BIG;
	d.protocol = rbuf_u8(body);
	d.spi_len = rbuf_u8(body);
	d.n = rbuf_u16(body);
	if (d.n > IKE_DELETE_SPIS_MAX)
		return -E2BIG;
	/* The IKE SA is meant by the message itself, ESP SAs by SPIs. */
	if (d.protocol == IKE_PROTO_IKE ? d.spi_len || d.n
					: d.spi_len != IKE_ESP_SPI_LEN)
		return -EBADMSG;
	d.spis = rbuf_sub(body, (size_t)d.n * d.spi_len);
	chain->delete[chain->n_delete++] = d;
	return 0;
}

static int decode_tsi(struct rbuf *body, struct ike_chain *chain)
{
	chain->tsi = rest(body);
	return 0;
}

static int decode_tsr(struct rbuf *body, struct ike_chain *chain)
{
	chain->tsr = rest(body);
	return 0;
}

static int decode_cp(struct rbuf *body, struct ike_chain *chain)
{
	chain->cp = rest(body);
	return 0;
}

/* Noted as seen; nobody looks into it. */
static int decode_opaque(struct rbuf *body, struct ike_chain *chain)
{
	(void)chain;
	rbuf_skip(body, rbuf_left(body));
	return 0;
}

/* clang-format off */
static const struct payload_ops payload_ops[IKE_PLD_MAX] = {
	[IKE_PLD_SA]      = { "SA",      8,             decode_sa,     false },
	[IKE_PLD_KE]      = { "KE",      4,             decode_ke,     false },
	[IKE_PLD_IDI]     = { "IDi",     4,             decode_idi,    false },
	[IKE_PLD_IDR]     = { "IDr",     4,             decode_idr,    false },
	[IKE_PLD_CERT]    = { "CERT",    1,             decode_opaque, true  },
	[IKE_PLD_CERTREQ] = { "CERTREQ", 1,             decode_opaque, true  },
	[IKE_PLD_AUTH]    = { "AUTH",    4,             decode_auth,   false },
	[IKE_PLD_NONCE]   = { "Nonce",   IKE_NONCE_MIN, decode_nonce,  false },
	[IKE_PLD_NOTIFY]  = { "Notify",  4,             decode_notify, true  },
	[IKE_PLD_DELETE]  = { "Delete",  4,             decode_delete, true  },
	[IKE_PLD_VENDOR]  = { "Vendor",  0,             decode_opaque, true  },
	[IKE_PLD_TSI]     = { "TSi",     4,             decode_tsi,    false },
	[IKE_PLD_TSR]     = { "TSr",     4,             decode_tsr,    false },
	[IKE_PLD_CP]      = { "CP",      4,             decode_cp,     false },
	[IKE_PLD_EAP]     = { "EAP",     4,             decode_opaque, false },
};
/* clang-format on */

static const struct payload_ops *payload_find(uint8_t type)
{
	if (type >= IKE_PLD_MAX || !payload_ops[type].decode)
		return NULL;
	return &payload_ops[type];
}

/* One payload of a known type into the chain. */
static int decode_one(const struct payload_ops *ops, uint8_t type, struct rbuf *body,
		      struct ike_chain *chain)
{
	int err;

	if (rbuf_left(body) < ops->min_len)
		return -EBADMSG;
	if (!ops->many && chain->seen & IKE_PLD_BIT(type))
		return -EEXIST;
	err = ops->decode(body, chain);
	if (err < 0)
		return err;
	if (!rbuf_done(body))
		return -EBADMSG;
	chain->seen |= IKE_PLD_BIT(type);
	return 0;
}

int ike_payload_decode(struct rbuf *r, uint8_t first, struct ike_chain *chain)
{
	uint8_t next = first;
	unsigned int count = 0;

	*chain = (struct ike_chain){0};

	/* Ends: each round takes at least IKE_PLD_HDR_LEN bytes from r. */
	while (next != IKE_PLD_NONE) {
		uint8_t type = next;
		const struct payload_ops *ops = payload_find(type);
		uint8_t flags;
		uint16_t len;
		struct rbuf body;
		int err;

		if (++count > IKE_PAYLOADS_MAX)
			return -E2BIG;
		next = rbuf_u8(r);
		flags = rbuf_u8(r);
		len = rbuf_u16(r);
		if (!rbuf_ok(r) || len < IKE_PLD_HDR_LEN)
			return -EBADMSG;
		body = rbuf_sub(r, len - (size_t)IKE_PLD_HDR_LEN);
		if (!rbuf_ok(r))
			return -EBADMSG;
		/* IKEv1's, or an SK that is not where protect.c takes it off */
		if (type <= IKE_PLD_V1_LAST || type == IKE_PLD_SK)
			return -EBADMSG;
		if (!ops) {
			if (flags & IKE_PLD_CRITICAL) {
				chain->bad_critical = type;
				return -EPROTONOSUPPORT;
			}
			chain->ignored++;
			continue;
		}
		err = decode_one(ops, type, &body, chain);
		if (err < 0)
			return err;
	}
	return rbuf_done(r) ? 0 : -EBADMSG;
}

void ike_payload_put_ke(struct ike_build *b, uint16_t group, const void *pub,
			size_t len)
{
	ike_build_begin(b, IKE_PLD_KE);
	wbuf_u16(&b->w, group);
	wbuf_u16(&b->w, 0);
	wbuf_bytes(&b->w, pub, len);
	ike_build_end(b);
}

void ike_payload_put_nonce(struct ike_build *b, const void *nonce, size_t len)
{
	ike_build_begin(b, IKE_PLD_NONCE);
	wbuf_bytes(&b->w, nonce, len);
	ike_build_end(b);
}

void ike_payload_put_id(struct ike_build *b, uint8_t type, const struct ike_id *id)
{
	ike_build_begin(b, type);
	wbuf_u8(&b->w, id->type);
	wbuf_zero(&b->w, 3);
	wbuf_bytes(&b->w, id->data, id->len);
	ike_build_end(b);
}

void ike_payload_put_auth(struct ike_build *b, uint8_t method, const void *data,
			  size_t len)
{
	ike_build_begin(b, IKE_PLD_AUTH);
	wbuf_u8(&b->w, method);
	wbuf_zero(&b->w, 3);
	wbuf_bytes(&b->w, data, len);
	ike_build_end(b);
}
