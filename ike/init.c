/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IKE_SA_INIT, both roles (RFC 7296 section 1.2)
 *
 * Nothing here is authenticated. As initiator an error notify is noted, and
 * the attempt goes on for a moment: who can only guess must not end it (2.21.1,
 * C34). INVALID_KE_PAYLOAD and COOKIE are followed a bounded number of times,
 * and only to what we offered. As responder nothing is kept for a request that
 * is refused, and the shared secret is computed when AUTH arrives, so that a
 * flood of first messages costs key pairs only; and with many callers half
 * open, one from a spoofed address does not get so far (cookie.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/conn.h"
#include "ike/constants.h"
#include "ike/exchange.h"
#include "ike/steps.h"
#include "lib/alloc.h"

enum { SAID_GRACE_MS = 2000 }; /* after an error that nobody authenticated */

static void keep(uint8_t **p, size_t *len, const uint8_t *bytes, size_t n)
{
	free(*p);
	*p = ed_memdup(bytes, n);
	*len = n;
}

/* ---- initiator ----------------------------------------------------------- */

static void submit_key_pair(struct ike_sa *sa, uint16_t group)
{
	struct ike_handshake *hs = sa->hs;

	hs->group = group;
	ike_crypto_dh_private(group, sa->ike->rng, hs->priv);
	hs->job = ike_job_submit(sa->ike, sa->own_spi, group, hs->priv, NULL, 0);
}

void ike_init_start(struct ike *ike, struct ike_tun *tun)
{
	const struct ike_conn_config *c = &tun->conn->cfg;
	const struct ike_addrs at = {
		.uplink = c->uplink,
		.local = {c->local, c->local_port},
		.remote = {c->remote, c->remote_port},
	};
	struct ike_sa *sa = ike_sa_new(ike, tun, true, &at);

	sa->hs = ed_alloc(sizeof(*sa->hs));
	ike_nonce_new(&sa->hs->ni, sa->ike->rng);
	sa->hs->groups_tried = 1;
	sa->hs->give_up_at = mono_add_us(ike->now, IKE_ATTEMPT_S * MONO_US_PER_S);
	sa->half_open_at = sa->hs->give_up_at;
	submit_key_pair(sa, tun->conn->ike_suites.s[0].group);
}

static void send_request(struct ike_sa *sa)
{
	struct ike_handshake *hs = sa->hs;
	const struct ike_hdr hdr = {
		.spi_i = sa->own_spi,
		.exchange = IKE_EX_SA_INIT,
		.from_initiator = true,
	};
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;
	size_t len;

	ike_message_begin(&b, buf, sizeof(buf), &hdr);
	if (hs->cookie_len)
		ike_payload_put_notify(&b, IKE_N_COOKIE, hs->cookie, hs->cookie_len);
	ike_proposal_put(&b, IKE_USE_IKE, &sa->tun->conn->ike_suites, NULL, 0, 0);
	ike_payload_put_ke(&b, hs->group, hs->pub, hs->pub_len);
	ike_payload_put_nonce(&b, hs->ni.b, hs->ni.len);
	ike_natd_put(&b, sa->own_spi, 0, &sa->at, sa->tun->conn->cfg.force_encap,
		     sa->ike->rng);
	len = ike_message_end(&b);
	if (!len) {
		ike_sa_end(sa, IKE_REASON_INTERNAL, 0, true,
			   "the first message could not be built");
		return;
	}
	keep(&hs->init_req, &hs->init_req_len, buf, len);
	ike_exchange_request_clear(sa, buf, len);
}

/* The responder wants another group: one we offered and did not try yet. */
static bool try_group(struct ike_sa *sa, const struct ike_notify *n)
{
	const struct ike_suites *suites = &sa->tun->conn->ike_suites;
	struct rbuf data = n->data;
	uint16_t group = rbuf_u16(&data);

	if (!rbuf_done(&data) || group == sa->hs->group)
		return false;
	for (size_t i = 0; i < suites->n; i++) {
		if (suites->s[i].group != group || sa->hs->groups_tried & 1U << i)
			continue;
		sa->hs->groups_tried |= 1U << i;
		free(sa->req);
		sa->req = NULL;
		ike_sa_move(sa, IKE_SA_NEW);
		submit_key_pair(sa, group);
		return true;
	}
	return false;
}

static bool take_cookie(struct ike_sa *sa, const struct ike_notify *n)
{
	struct ike_handshake *hs = sa->hs;
	size_t len = rbuf_left(&n->data);

	if (!len || len > IKE_COOKIE_MAX || hs->cookie_rounds == IKE_COOKIE_ROUNDS_MAX)
		return false;
	hs->cookie_rounds++;
	hs->cookie_len = len;
	memcpy(hs->cookie, n->data.pos, len);
	send_request(sa);
	return true;
}

/* An answer without the three payloads: what does it say instead? */
static void refused(struct ike_sa *sa, const struct ike_chain *chain)
{
	const struct ike_notify *n = ike_payload_notify(chain, IKE_N_COOKIE);

	if (n) {
		(void)take_cookie(sa, n);
		return;
	}
	n = ike_payload_error(chain);
	if (!n)
		return;
	if (n->type == IKE_N_INVALID_KE_PAYLOAD && try_group(sa, n))
		return;
	if (sa->hs->said)
		return;
	sa->hs->said = n->type;
	sa->half_open_at =
		mono_min(sa->half_open_at, mono_add_ms(sa->ike->now, SAID_GRACE_MS));
	ike_sa_touch(sa);
}

/* Ports and encapsulation follow from NAT detection. False: the SA has ended. */
static bool settle_nat(struct ike_sa *sa, const struct ike_chain *chain)
{
	const struct ike_conn_config *c = &sa->tun->conn->cfg;

	sa->natd = ike_natd_check(chain, sa->own_spi, sa->peer_spi, &sa->at);
	if (c->force_encap && !sa->natd.supported) {
		ike_sa_end(sa, IKE_REASON_NATT, 0, true,
			   "the peer speaks no NAT traversal, and this end has ESP in "
			   "UDP only");
		return false;
	}
	sa->encap = c->force_encap || sa->natd.local || sa->natd.remote;
	if (sa->encap) {
		sa->at.local.port = c->local_natt;
		sa->at.remote.port = c->remote_natt;
		sa->at.natt = true;
	}
	return true;
}

void ike_init_response(struct ike_sa *sa, const struct ike_hdr *hdr,
		       const struct ike_addrs *at, const uint8_t *msg, size_t len)
{
	struct ike_handshake *hs = sa->hs;
	struct rbuf r = rbuf_init(msg, len);
	struct ike_chain chain;
	struct ike_choice choice;

	rbuf_skip(&r, IKE_HDR_LEN);
	if (ike_payload_decode(&r, hdr->next, &chain) < 0) {
		sa->ike->counters.malformed++;
		return;
	}
	if (!endpoint_equal(&at->remote, &sa->at.remote) ||
	    ike_gate_check(IKE_GATE_INIT_SENT, hdr->exchange, true, false, &chain) <
		    0) {
		sa->ike->counters.gated++;
		return;
	}
	sa->ike->counters.ignored_payloads += chain.ignored;
	if (ike_payload_error(&chain) || !(chain.seen & IKE_PLD_BIT(IKE_PLD_SA))) {
		refused(sa, &chain);
		return;
	}
	/* What we did not offer, or cannot use, is somebody else's answer. */
	if (!hdr->spi_r || chain.ke_group != hs->group ||
	    rbuf_left(&chain.ke) != ike_crypto_dh_public_len(hs->group) ||
	    ike_proposal_answer(chain.sa, IKE_USE_IKE, &sa->tun->conn->ike_suites,
				&choice) < 0 ||
	    choice.suite.group != hs->group || !ike_nonce_set(&hs->nr, chain.nonce)) {
		sa->ike->counters.gated++;
		return;
	}
	sa->peer_spi = hdr->spi_r;
	sa->suite = choice.suite;
	hs->peer_pub_len = rbuf_left(&chain.ke);
	memcpy(hs->peer_pub, chain.ke.pos, hs->peer_pub_len);
	keep(&hs->init_resp, &hs->init_resp_len, msg, len);
	sa->half_open_at = hs->give_up_at;
	hs->said = 0;
	ike_exchange_answered(sa);
	if (!settle_nat(sa, &chain))
		return;
	ike_sa_move(sa, IKE_SA_INIT_DONE);
	hs->job = ike_job_submit(sa->ike, sa->own_spi, hs->group, hs->priv,
				 hs->peer_pub, hs->peer_pub_len);
}

/* ---- responder ----------------------------------------------------------- */

/* An answer to a caller of whom nothing is kept (2.6: SPIr is zero). */
static void answer_stateless(struct ike *ike, const struct ike_hdr *request,
			     const struct ike_addrs *at, uint16_t notify,
			     const void *data, size_t data_len)
{
	const struct ike_hdr hdr = {
		.spi_i = request->spi_i,
		.exchange = IKE_EX_SA_INIT,
		.response = true,
	};
	uint8_t buf[128];
	struct ike_build b;
	struct ike_action *act;
	size_t len;

	ike_message_begin(&b, buf, sizeof(buf), &hdr);
	ike_payload_put_notify(&b, notify, data, data_len);
	len = ike_message_end(&b);
	act = ike_out_add(&ike->out, IKE_ACT_SEND, NULL);
	act->u.send.at = *at;
	act->u.send.bytes = ike_out_keep(&ike->out, buf, len);
	act->u.send.len = len;
	ike->counters.out++;
}

static uint64_t caller_key(const struct ike *ike, uint64_t spi_i,
			   const struct endpoint *remote)
{
	uint64_t key = addr_hash(&remote->addr, ike->hash_key ^ spi_i) ^ remote->port;

	return key ? key : 1;
}

static struct ike_sa *find_caller(struct ike *ike, uint64_t spi_i,
				  const struct endpoint *remote)
{
	uint64_t key = caller_key(ike, spi_i, remote);
	struct ike_sa *sa;

	HASH_FIND(hh_caller, ike->callers, &key, sizeof(key), sa);
	if (sa && (sa->peer_spi != spi_i || !endpoint_equal(&sa->at.remote, remote)))
		return NULL;
	return sa;
}

static bool same_source(const struct addr *a, const struct addr *b)
{
	struct prefix p = prefix_of(a, a->family == AF_INET ? 32 : 64);

	return prefix_contains(&p, b);
}

/* May it go on? False: too many are half open, and it is told to show itself. */
static bool shows_itself(struct ike *ike, const struct ike_hdr *hdr,
			 const struct ike_addrs *at, const struct ike_chain *chain)
{
	const struct ike_notify *n = ike_payload_notify(chain, IKE_N_COOKIE);
	const struct ike_cookie_caller caller = {
		.spi_i = hdr->spi_i,
		.from = at->remote.addr,
		.nonce = chain->nonce,
	};
	unsigned int half_open = HASH_CNT(hh_caller, ike->callers);
	uint8_t cookie[IKE_COOKIE_LEN];
	char text[IKE_SENTENCE_MAX];

	if (half_open < ike->params.cookie_from)
		return true;
	if (n && ike_cookie_check(&ike->cookies, ike->now, ike->rng, &caller, n->data))
		return true;
	if (ike_cookie_make(&ike->cookies, ike->now, ike->rng, &caller, cookie) == 0)
		answer_stateless(ike, hdr, at, IKE_N_COOKIE, cookie, sizeof(cookie));
	ike->counters.cookies_asked++;
	if (ratelimit_take(&ike->floods, ike->now)) {
		snprintf(text, sizeof(text),
			 "%u callers have begun and not proved who they are: more must "
			 "show first that our answers reach them (COOKIE)",
			 half_open);
		ike_engine_event(ike, NULL, IKE_EV_NOTICE, IKE_REASON_LIMIT,
				 IKE_N_COOKIE, true, text);
	}
	return false;
}

static bool has_room(struct ike *ike, const struct ike_addrs *at)
{
	uint32_t same = 0;
	struct ike_sa *sa;
	struct ike_sa *next;

	if (HASH_CNT(hh, ike->sas) >= ike->params.sa_max ||
	    HASH_CNT(hh_caller, ike->callers) >= ike->params.half_open_max)
		return false;
	HASH_ITER (hh_caller, ike->callers, sa, next)
		same += same_source(&sa->at.remote.addr, &at->remote.addr);
	return same < ike->params.half_open_per_source;
}

/*
 * The suite for a caller: of the first connection that takes it. Returns 0, a
 * decoder's error, -ENOENT with the connection that came closest in *near, or
 * NULL there when nobody may call from this address.
 */
static int choose(struct ike *ike, const struct ike_addrs *at,
		  const struct ike_chain *chain, struct ike_choice *choice,
		  struct ike_conn **near)
{
	struct ike_conn *const *callees;
	size_t n;

	*near = NULL;
	callees = ike_conn_callees(ike, &n);
	for (size_t i = 0; i < n; i++) {
		struct ike_conn *conn = callees[i];
		int err;

		if (!ike_conn_accepts(conn, at))
			continue;
		err = ike_proposal_choose(chain->sa, IKE_USE_IKE, &conn->ike_suites, 0,
					  choice);
		if (err != -ENOENT)
			return err;
		if (!*near || conn->cfg.remote.family)
			*near = conn;
	}
	return -ENOENT;
}

static void refuse_caller(struct ike *ike, const struct ike_addrs *at,
			  const struct ike_chain *chain, struct ike_conn *near)
{
	char peer[ENDPOINT_STRLEN];
	char theirs[IKE_SENTENCE_MAX / 3];
	char ours[IKE_SENTENCE_MAX / 3];
	char text[IKE_SENTENCE_MAX];

	if (!ratelimit_take(&ike->refusals, ike->now))
		return;
	endpoint_format(&at->remote, peer);
	if (!near) {
		snprintf(text, sizeof(text), "%s calls, but no peer has this address",
			 peer);
		ike_engine_event(ike, NULL, IKE_EV_REFUSED, IKE_REASON_IDENTITY, 0,
				 true, text);
		return;
	}
	ike_proposal_format_offer(chain->sa, theirs, sizeof(theirs));
	ike_proposal_format(&near->ike_suites, ours, sizeof(ours));
	snprintf(text, sizeof(text),
		 "no common IKE suite with %s: it offers %s; we accept %s", peer,
		 theirs, ours);
	ike_failure_set(ike_conn_failure(ike, near), ike->now, IKE_REASON_PROPOSAL,
			text);
	ike_engine_event(ike, near->cfg.name, IKE_EV_REFUSED, IKE_REASON_PROPOSAL, 0,
			 true, text);
}

static void accept_caller(struct ike *ike, const struct ike_hdr *hdr,
			  const struct ike_addrs *at, const struct ike_chain *chain,
			  const struct ike_choice *choice, const uint8_t *msg,
			  size_t len)
{
	struct ike_sa *sa = ike_sa_new(ike, NULL, false, at);
	struct ike_handshake *hs = ed_alloc(sizeof(*hs));

	sa->hs = hs;
	sa->peer_spi = hdr->spi_i;
	sa->suite = choice->suite;
	hs->choice = choice->number;
	sa->caller_key = caller_key(ike, hdr->spi_i, &at->remote);
	HASH_ADD(hh_caller, ike->callers, caller_key, sizeof(sa->caller_key), sa);
	ike->counters.half_open++;
	sa->half_open_at =
		mono_add_us(ike->now, (int64_t)ike->params.half_open_s * MONO_US_PER_S);
	(void)ike_nonce_set(&hs->ni, chain->nonce);
	ike_nonce_new(&hs->nr, ike->rng);
	hs->peer_pub_len = rbuf_left(&chain->ke);
	memcpy(hs->peer_pub, chain->ke.pos, hs->peer_pub_len);
	keep(&hs->init_req, &hs->init_req_len, msg, len);
	/* The caller hashed SPIr as zero: it did not know ours. */
	sa->natd = ike_natd_check(chain, sa->peer_spi, 0, at);
	ike_exchange_answering(sa, hdr, msg, len);
	submit_key_pair(sa, choice->suite.group);
}

/* Decode and judge a first message; false: it was counted, or answered. */
static bool understood(struct ike *ike, const struct ike_hdr *hdr,
		       const struct ike_addrs *at, struct rbuf r,
		       struct ike_chain *chain)
{
	int err;

	rbuf_skip(&r, IKE_HDR_LEN);
	/* Our own first message, thrown back (C69) */
	err = ike_sa_find(ike, hdr->spi_i) ? -EBADMSG
					   : ike_payload_decode(&r, hdr->next, chain);
	if (err < 0) {
		ike->counters.malformed++;
		/* A caller of a later version learns what we lack (2.5). */
		if (err == -EPROTONOSUPPORT)
			answer_stateless(ike, hdr, at, IKE_N_UNSUPPORTED_CRITICAL,
					 &chain->bad_critical, 1);
		return false;
	}
	if (ike_gate_check(IKE_GATE_NO_SA, hdr->exchange, false, false, chain) < 0) {
		ike->counters.gated++;
		return false;
	}
	ike->counters.ignored_payloads += chain->ignored;
	return true;
}

/* Is there a suite for both, with a key of its group? False: it was told, or counted. */
static bool agreed(struct ike *ike, const struct ike_hdr *hdr,
		   const struct ike_addrs *at, const struct ike_chain *chain,
		   struct ike_choice *choice)
{
	struct ike_conn *near;
	int err = choose(ike, at, chain, choice, &near);

	if (err == -ENOENT) {
		refuse_caller(ike, at, chain, near);
		answer_stateless(ike, hdr, at, IKE_N_NO_PROPOSAL_CHOSEN, NULL, 0);
		return false;
	}
	if (err == 0 && choice->suite.group != chain->ke_group) {
		const uint8_t group[2] = {(uint8_t)(choice->suite.group >> 8),
					  (uint8_t)choice->suite.group};

		answer_stateless(ike, hdr, at, IKE_N_INVALID_KE_PAYLOAD, group,
				 sizeof(group));
		return false;
	}
	if (err < 0 ||
	    rbuf_left(&chain->ke) != ike_crypto_dh_public_len(chain->ke_group)) {
		ike->counters.malformed++;
		return false;
	}
	return true;
}

void ike_init_request(struct ike *ike, const struct ike_hdr *hdr,
		      const struct ike_addrs *at, const uint8_t *msg, size_t len)
{
	struct ike_sa *sa = find_caller(ike, hdr->spi_i, &at->remote);
	struct ike_chain chain;
	struct ike_choice choice;

	if (sa) {
		(void)ike_exchange_arrival(sa, hdr, at, msg, len);
		return;
	}
	if (!understood(ike, hdr, at, rbuf_init(msg, len), &chain) ||
	    !shows_itself(ike, hdr, at, &chain))
		return;
	if (!has_room(ike, at)) {
		ike->counters.half_open_refused++;
		return;
	}
	if (agreed(ike, hdr, at, &chain, &choice))
		accept_caller(ike, hdr, at, &chain, &choice, msg, len);
}

/* Do all connections that this caller could mean want encapsulation? */
static bool should_lie(struct ike *ike, const struct ike_addrs *at)
{
	struct ike_conn *const *callees;
	size_t n;

	callees = ike_conn_callees(ike, &n);
	for (size_t i = 0; i < n; i++)
		if (ike_conn_accepts(callees[i], at) && callees[i]->cfg.force_encap)
			return true;
	return false;
}

static void send_response(struct ike_sa *sa)
{
	struct ike_handshake *hs = sa->hs;
	const struct ike_suites chosen = {.s = {sa->suite}, .n = 1};
	const struct ike_hdr hdr = {
		.spi_i = sa->peer_spi,
		.spi_r = sa->own_spi,
		.exchange = IKE_EX_SA_INIT,
		.response = true,
	};
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;
	size_t len;

	ike_message_begin(&b, buf, sizeof(buf), &hdr);
	ike_proposal_put(&b, IKE_USE_IKE, &chosen, NULL, 0, hs->choice);
	ike_payload_put_ke(&b, hs->group, hs->pub, hs->pub_len);
	ike_payload_put_nonce(&b, hs->nr.b, hs->nr.len);
	if (sa->natd.supported)
		ike_natd_put(&b, sa->peer_spi, sa->own_spi, &sa->at,
			     should_lie(sa->ike, &sa->at), sa->ike->rng);
	len = ike_message_end(&b);
	if (!len) {
		ike_sa_end_silently(sa);
		return;
	}
	keep(&hs->init_resp, &hs->init_resp_len, buf, len);
	ike_sa_move(sa, IKE_SA_INIT_ANSWERED);
	ike_exchange_respond_clear(sa, buf, len);
}

void ike_init_park(struct ike_sa *sa, const struct ike_addrs *at, const uint8_t *msg,
		   size_t len)
{
	struct ike_handshake *hs = sa->hs;

	if (!hs || hs->parked || len > IKE_PARKED_MAX)
		return;
	hs->parked_at = *at;
	keep(&hs->parked, &hs->parked_len, msg, len);
	hs->job = ike_job_submit(sa->ike, sa->own_spi, hs->group, hs->priv,
				 hs->peer_pub, hs->peer_pub_len);
}

/* ---- both: a job's result ------------------------------------------------ */

static bool derive(struct ike_sa *sa, const struct ike_job *job)
{
	struct ike_handshake *hs = sa->hs;
	const struct ike_keymat_in in = {
		.ni = {hs->ni.b, hs->ni.len},
		.nr = {hs->nr.b, hs->nr.len},
		.shared = {job->shared, job->shared_len},
		.spi_i = sa->initiator ? sa->own_spi : sa->peer_spi,
		.spi_r = sa->initiator ? sa->peer_spi : sa->own_spi,
	};

	if (job->err || ike_keymat_ike(&sa->suite, &in, &sa->keys) < 0) {
		ike_sa_end(sa,
			   job->err == -EBADMSG ? IKE_REASON_SYNTAX
						: IKE_REASON_INTERNAL,
			   0, true,
			   job->err == -EBADMSG
				   ? "the peer's key exchange value must not be used"
				   : "the keys could not be computed");
		return false;
	}
	secret_wipe(hs->priv, sizeof(hs->priv));
	sa->keyed = true;
	return true;
}

static void look_at_parked(struct ike_sa *sa)
{
	struct ike_handshake *hs = sa->hs;
	uint8_t *msg = hs->parked;
	size_t len = hs->parked_len;
	struct ike_addrs at = hs->parked_at;

	hs->parked = NULL;
	hs->parked_len = 0;
	ike_engine_sealed(sa, &at, msg, len);
	free(msg);
}

static bool take_public(struct ike_sa *sa, const struct ike_job *job)
{
	if (job->err) {
		ike_sa_end(sa, IKE_REASON_INTERNAL, 0, true,
			   "no key pair could be made");
		return false;
	}
	memcpy(sa->hs->pub, job->pub, job->pub_len);
	sa->hs->pub_len = job->pub_len;
	return true;
}

void ike_init_job(struct ike_sa *sa, struct ike_job *job)
{
	sa->hs->job = 0;
	switch (sa->state) {
	case IKE_SA_NEW:
		if (take_public(sa, job)) {
			ike_sa_move(sa, IKE_SA_INIT_SENT);
			send_request(sa);
		}
		break;
	case IKE_SA_INIT_DONE:
		if (derive(sa, job))
			ike_auth_start(sa);
		break;
	case IKE_SA_CALLED:
		if (take_public(sa, job))
			send_response(sa);
		break;
	case IKE_SA_INIT_ANSWERED:
		if (derive(sa, job))
			look_at_parked(sa);
		break;
	case IKE_SA_INIT_SENT:
	case IKE_SA_AUTH_SENT:
	case IKE_SA_AUTH_SEEN:
	case IKE_SA_ESTABLISHED:
	case IKE_SA_REKEYED:
	case IKE_SA_CLOSING:
	case IKE_SA_REFUSED:
	case IKE_SA_DEAD:
	case IKE_SA_STATES:
		break;
	}
}
