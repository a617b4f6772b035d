/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/exchange.h"

#include <stdlib.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/crypto.h"
#include "ike/protect.h"
#include "lib/alloc.h"

enum {
	WAIT_MAX_MS = 15000, /* between two repetitions */
	JITTER_PCT = 10,
};

void ike_exchange_begin(struct ike_sa *sa, struct ike_build *b,
			uint8_t buf[IKE_MESSAGE_OUT_MAX], uint8_t exchange,
			bool response)
{
	const struct ike_hdr hdr = {
		.spi_i = sa->initiator ? sa->own_spi : sa->peer_spi,
		.spi_r = sa->initiator ? sa->peer_spi : sa->own_spi,
		.exchange = exchange,
		.from_initiator = sa->initiator,
		.response = response,
		.id = response ? sa->recv_id : sa->send_id,
	};

	ike_message_begin(b, buf, IKE_MESSAGE_OUT_MAX, &hdr);
	ike_protect_begin(b, sa->iv++);
}

void ike_exchange_send(struct ike_sa *sa, const struct ike_addrs *at,
		       const uint8_t *msg, size_t len)
{
	struct ike *ike = sa->ike;
	struct ike_action *act =
		ike_out_add(&ike->out, IKE_ACT_SEND, sa->tun ? sa->tun->name : NULL);

	act->sa_id = sa->own_spi;
	act->u.send.at = *at;
	act->u.send.bytes = ike_out_keep(&ike->out, msg, len);
	act->u.send.len = len;
	ike->counters.out++;
}

static struct mono next_repeat(struct ike_sa *sa)
{
	int64_t wait = (int64_t)(sa->tun ? sa->tun->conn->cfg.retransmit_ms
					 : IKE_RETRANSMIT_MS);

	for (uint32_t i = 0; i < sa->tries && wait < WAIT_MAX_MS; i++)
		wait = wait * IKE_RETRANSMIT_PCT / 100;
	if (wait > WAIT_MAX_MS)
		wait = WAIT_MAX_MS;
	return mono_add_us(sa->ike->now,
			   rng_jitter_us(sa->ike->rng, wait * MONO_US_PER_MS,
					 JITTER_PCT));
}

static void in_flight(struct ike_sa *sa, const uint8_t *msg, size_t len,
		      uint8_t exchange)
{
	free(sa->req);
	sa->req = ed_memdup(msg, len);
	sa->req_len = len;
	sa->req_exchange = exchange;
	sa->tries = 0;
	sa->req_at = next_repeat(sa);
	ike_sa_touch(sa);
}

void ike_exchange_request_clear(struct ike_sa *sa, const uint8_t *msg, size_t len)
{
	in_flight(sa, msg, len, IKE_EX_SA_INIT);
	ike_exchange_send(sa, &sa->at, msg, len);
}

bool ike_exchange_request(struct ike_sa *sa, struct ike_build *b, uint8_t exchange)
{
	size_t len = ike_protect_end(b, &sa->suite, ike_sa_key_out(sa));

	if (!len || sa->req) {
		ike_sa_end(sa, IKE_REASON_INTERNAL, 0, true,
			   "a message could not be built");
		return false;
	}
	in_flight(sa, b->w.start, len, exchange);
	ike_sa_save(sa);
	ike_exchange_send(sa, &sa->at, b->w.start, len);
	return true;
}

static void store(struct ike_sa *sa, const uint8_t *msg, size_t len)
{
	free(sa->resp);
	sa->resp = ed_memdup(msg, len);
	sa->resp_len = len;
	sa->answering = false;
	sa->recv_id++;
	ike_sa_touch(sa);
}

void ike_exchange_respond_clear(struct ike_sa *sa, const uint8_t *msg, size_t len)
{
	store(sa, msg, len);
	ike_exchange_send(sa, &sa->at, msg, len);
}

bool ike_exchange_respond(struct ike_sa *sa, struct ike_build *b)
{
	size_t len = ike_protect_end(b, &sa->suite, ike_sa_key_out(sa));

	if (!len || !sa->answering) {
		ike_sa_end(sa, IKE_REASON_INTERNAL, 0, true,
			   "an answer could not be built");
		return false;
	}
	store(sa, b->w.start, len);
	ike_sa_save(sa);
	ike_exchange_send(sa, &sa->at, b->w.start, len);
	return true;
}

bool ike_exchange_respond_notify(struct ike_sa *sa, uint16_t type, const void *data,
				 size_t len)
{
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	ike_exchange_begin(sa, &b, buf, sa->answering_exchange, true);
	ike_payload_put_notify(&b, type, data, len);
	return ike_exchange_respond(sa, &b);
}

enum ike_arrival ike_exchange_arrival(struct ike_sa *sa, const struct ike_hdr *hdr,
				      const struct ike_addrs *at, const uint8_t *msg,
				      size_t len)
{
	struct ike *ike = sa->ike;
	uint8_t hash[32];

	if (hdr->response) {
		/* Only what we asked for, and while we wait for it (C37). */
		if (sa->req && hdr->id == sa->send_id &&
		    hdr->exchange == sa->req_exchange)
			return IKE_ARRIVAL_NEW;
		ike->counters.out_of_window++;
		return IKE_ARRIVAL_STRAY;
	}
	if (hdr->id == sa->recv_id && !sa->answering)
		return IKE_ARRIVAL_NEW;
	/* The last one again, or the present one while we work on it. */
	if (hdr->id + !sa->answering == sa->recv_id &&
	    ike_crypto_sha256(msg, len, hash) == 0 &&
	    memcmp(hash, sa->req_hash, sizeof(hash)) == 0) {
		ike->counters.repeated++;
		if (!sa->answering && sa->resp)
			ike_exchange_send(sa, at, sa->resp, sa->resp_len);
		return IKE_ARRIVAL_REPEATED;
	}
	ike->counters.out_of_window++;
	return IKE_ARRIVAL_STRAY;
}

void ike_exchange_answering(struct ike_sa *sa, const struct ike_hdr *hdr,
			    const uint8_t *msg, size_t len)
{
	sa->answering = true;
	sa->answering_exchange = hdr->exchange;
	if (ike_crypto_sha256(msg, len, sa->req_hash) < 0)
		memset(sa->req_hash, 0, sizeof(sa->req_hash));
}

void ike_exchange_answered(struct ike_sa *sa)
{
	free(sa->req);
	sa->req = NULL;
	sa->req_len = 0;
	sa->req_at = MONO_NEVER;
	sa->tries = 0;
	sa->send_id++;
	ike_sa_touch(sa);
}

bool ike_exchange_repeat(struct ike_sa *sa)
{
	uint32_t most = sa->tun ? sa->tun->conn->cfg.retransmits : IKE_RETRANSMITS;

	if (sa->tries >= most)
		return false;
	sa->tries++;
	sa->req_at = next_repeat(sa);
	sa->ike->counters.retransmitted++;
	ike_exchange_send(sa, &sa->at, sa->req, sa->req_len);
	return true;
}
