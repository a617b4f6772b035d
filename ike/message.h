/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_message - the header of a message, and putting a message together
 *
 * RFC 7296 section 3.1. A decoded header is a value; the builder writes into
 * memory of its owner and remembers an overflow, so that a message reads like
 * its structure and is tested once.
 */
#ifndef ED_IKE_MESSAGE_H
#define ED_IKE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/wbuf.h"

struct ike_hdr {
	uint64_t spi_i;
	uint64_t spi_r;
	uint8_t next; /* type of the first payload */
	uint8_t exchange;
	bool from_initiator; /* of the IKE SA, not of this exchange */
	bool response;
	uint32_t id;
};

/*
 * Read the header of a whole datagram.
 *
 * Returns 0; -EBADMSG when it is no message of the length it says, or its
 * SPIs cannot be; -EPROTONOSUPPORT for another major version.
 */
int ike_message_decode(const void *bytes, size_t len, struct ike_hdr *hdr);

/* A message in the making. */
struct ike_build {
	struct wbuf w;
	size_t next_at; /* where the type of the next payload is noted */
	struct wbuf_mark at; /* of the payload that is open */
};

/* Begin a message with hdr (its next is ignored) in the cap bytes at buf. */
void ike_message_begin(struct ike_build *b, void *buf, size_t cap,
		       const struct ike_hdr *hdr);

/*
 * Note the length in the header.
 *
 * Returns the length of the message, 0 when it did not fit.
 */
size_t ike_message_end(struct ike_build *b);

/* Open a payload of this type; what is written to b->w then is its body. */
void ike_build_begin(struct ike_build *b, uint8_t type);

/* Close it. */
void ike_build_end(struct ike_build *b);

#endif
