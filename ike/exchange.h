/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_exchange - message ids, the window, retransmission, stored responses
 *
 * RFC 7296 sections 2.1 to 2.3. One request is in flight in each direction. A
 * request is repeated byte for byte until its response arrives; a repeated
 * request of the peer, byte for byte the same, is answered from the stored
 * response without touching any state.
 */
#ifndef ED_IKE_EXCHANGE_H
#define ED_IKE_EXCHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/message.h"
#include "ike/sa.h"

/* Begin a message with an SK payload; requests get our next message id. */
void ike_exchange_begin(struct ike_sa *sa, struct ike_build *b,
			uint8_t buf[IKE_MESSAGE_OUT_MAX], uint8_t exchange,
			bool response);

/* Seal and send it as our request in flight. False: the SA has ended. */
bool ike_exchange_request(struct ike_sa *sa, struct ike_build *b, uint8_t exchange);

/* Seal, store and send it as the answer to the request being answered. */
bool ike_exchange_respond(struct ike_sa *sa, struct ike_build *b);

/* Answer with one notify and nothing else. */
bool ike_exchange_respond_notify(struct ike_sa *sa, uint16_t type, const void *data,
				 size_t len);

/* The same two for messages in clear (IKE_SA_INIT), complete as they are. */
void ike_exchange_request_clear(struct ike_sa *sa, const uint8_t *msg, size_t len);
void ike_exchange_respond_clear(struct ike_sa *sa, const uint8_t *msg, size_t len);

/* Send bytes once, to where the SA's peer is. */
void ike_exchange_send(struct ike_sa *sa, const struct ike_addrs *at,
		       const uint8_t *msg, size_t len);

enum ike_arrival {
	IKE_ARRIVAL_NEW = 1, /* to be opened and processed */
	IKE_ARRIVAL_REPEATED, /* answered from the stored response, or being answered */
	IKE_ARRIVAL_STRAY, /* outside the window */
};

/* What a message with this header and these bytes is. */
enum ike_arrival ike_exchange_arrival(struct ike_sa *sa, const struct ike_hdr *hdr,
				      const struct ike_addrs *at, const uint8_t *msg,
				      size_t len);

/* The peer's request is authentic: it is being answered from now on. */
void ike_exchange_answering(struct ike_sa *sa, const struct ike_hdr *hdr,
			    const uint8_t *msg, size_t len);

/* The response to our request is authentic: nothing is in flight any more. */
void ike_exchange_answered(struct ike_sa *sa);

/* The time for a repetition has come. False: it was the last one. */
bool ike_exchange_repeat(struct ike_sa *sa);

#endif
