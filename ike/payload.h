/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_payload - the payload chain of a message and what the payloads say
 *
 * RFC 7296 sections 3.2 to 3.16. A decoded chain is a set of views into the
 * message: it must not outlive its bytes. Decoding has no effect on anything
 * but its result; whether a payload may be there is the gate's question
 * (ike/gate.h).
 *
 * All decoders return 0; -EBADMSG for a structure that does not add up;
 * -EEXIST for a payload that may come once and came twice; -E2BIG for more
 * than ike/limits.h allows. Results are written only on success.
 */
#ifndef ED_IKE_PAYLOAD_H
#define ED_IKE_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/id.h"
#include "ike/ike.h"
#include "ike/limits.h"
#include "ike/message.h"
#include "lib/addr.h"
#include "lib/rbuf.h"

struct ike_notify {
	uint8_t protocol;
	uint16_t type;
	struct rbuf spi;
	struct rbuf data;
};

struct ike_delete {
	uint8_t protocol;
	uint8_t spi_len;
	uint16_t n;
	struct rbuf spis;
};

/* One chain. A payload that is not there has no bit in seen. */
struct ike_chain {
	uint32_t seen; /* IKE_PLD_BIT() */
	struct rbuf sa;
	uint16_t ke_group;
	struct rbuf ke;
	struct rbuf nonce;
	struct rbuf idi; /* bodies, as the AUTH payload signs them */
	struct rbuf idr;
	uint8_t auth_method;
	struct rbuf auth;
	struct rbuf tsi;
	struct rbuf tsr;
	struct rbuf cp;
	struct ike_notify notify[IKE_NOTIFIES_MAX];
	size_t n_notify;
	struct ike_delete delete[IKE_DELETES_MAX];
	size_t n_delete;
	uint8_t bad_critical; /* set with -EPROTONOSUPPORT */
	unsigned int ignored; /* unknown payloads that were not critical */
};

/*
 * Decode the chain in r, whose first payload has type first.
 *
 * Also returns -EPROTONOSUPPORT for a payload unknown and critical, its type
 * in chain->bad_critical, which alone is then valid.
 */
int ike_payload_decode(struct rbuf *r, uint8_t first, struct ike_chain *chain);

/* The first notify of this type, or NULL. */
const struct ike_notify *ike_payload_notify(const struct ike_chain *chain,
					    uint16_t type);

/* The first error notify, or NULL. */
const struct ike_notify *ike_payload_error(const struct ike_chain *chain);

/* A name for people: "NO_PROPOSAL_CHOSEN"; NULL for one we do not know. */
const char *ike_payload_notify_name(uint16_t type);

/* ---- SA (3.3) ---- */

struct ike_transform {
	uint8_t type;
	uint16_t id;
	uint16_t key_bits; /* 0 without the attribute */
	bool strange; /* has an attribute we do not know: never chosen */
};

struct ike_proposal {
	uint8_t number;
	uint8_t protocol;
	struct rbuf spi;
	struct ike_transform transforms[IKE_TRANSFORMS_MAX];
	size_t n_transforms;
};

/*
 * Take the next proposal off the SA payload's body.
 *
 * Returns 1 with *p filled, 0 at the end, or an error as above.
 */
int ike_payload_sa_next(struct rbuf *body, struct ike_proposal *p);

/* Check every proposal of the body and count them into *n. */
int ike_payload_sa_check(struct rbuf body, size_t *n);

/* Append one proposal to an open SA payload; more says that another follows. */
void ike_payload_sa_put(struct ike_build *b, const struct ike_proposal *p,
			const void *spi, size_t spi_len, bool more);

/* ---- KE, nonce, ID, AUTH (3.4, 3.9, 3.5, 3.8) ---- */

void ike_payload_put_ke(struct ike_build *b, uint16_t group, const void *pub,
			size_t len);
void ike_payload_put_nonce(struct ike_build *b, const void *nonce, size_t len);
void ike_payload_put_id(struct ike_build *b, uint8_t type, const struct ike_id *id);
void ike_payload_put_auth(struct ike_build *b, uint8_t method, const void *data,
			  size_t len);

/* ---- notify and Delete (3.10, 3.11) ---- */

void ike_payload_put_notify(struct ike_build *b, uint16_t type, const void *data,
			    size_t len);

/* A notify about an ESP SA. */
void ike_payload_put_notify_esp(struct ike_build *b, uint16_t type, uint32_t spi);

/* Delete one ESP SA, or with spi 0 the IKE SA itself. */
void ike_payload_put_delete(struct ike_build *b, uint32_t spi);

/* ---- traffic selectors (3.13) ---- */

struct ike_ts {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t protocol;
	uint16_t port_lo;
	uint16_t port_hi;
	struct addr lo;
	struct addr hi;
};

struct ike_ts_list {
	struct ike_ts ts[IKE_TS_MAX];
	size_t n;
};

/* Selectors of unknown type are left out, as RFC 7296 section 2.9 wants. */
int ike_payload_ts_decode(struct rbuf body, struct ike_ts_list *list);

/* type is IKE_PLD_TSI or IKE_PLD_TSR. */
void ike_payload_put_ts(struct ike_build *b, uint8_t type,
			const struct ike_ts_list *list);

/* ---- configuration (3.15) ---- */

struct ike_cp {
	uint8_t type; /* IKE_CFG_REQUEST ... */
	bool ip4; /* the attribute was there, perhaps empty */
	bool ip6;
	struct addr addr4; /* family 0: empty */
	struct addr addr6;
	uint8_t len4; /* from the netmask; 32 without one */
	uint8_t len6;
};

int ike_payload_cp_decode(struct rbuf body, struct ike_cp *cp);
void ike_payload_put_cp(struct ike_build *b, const struct ike_cp *cp);

#endif
