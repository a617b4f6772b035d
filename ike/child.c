/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CREATE_CHILD_SA for children: a new one, and rekeys from either side (RFC
 * 7296 sections 1.3.1, 1.3.3, 2.8)
 *
 * Make before break. The end that answers installs the new inbound half
 * before it answers; the end that asked installs both halves and goes over
 * when the answer is in; then the first goes over. The old child is deleted by
 * the end that asked, and its inbound half lingers at both.
 *
 * When both ends rekey the same child at once, both exchanges are answered.
 * Each end sees the collision while its own request is in flight, and decides
 * when that is answered: the exchange with the lowest nonce loses, its child
 * is deleted by the end that began it, and the winner's initiator deletes the
 * old child (2.8.1). All three work until they are deleted, so nothing is
 * lost.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ike/collision.h"
#include "ike/conn.h"
#include "ike/constants.h"
#include "ike/exchange.h"
#include "ike/selector.h"
#include "ike/steps.h"

enum { GROUP_TRIES = 3 };

int ike_child_families(const struct ike_chain *chain, bool *family4, bool *family6,
		       char *why, size_t cap)
{
	struct ike_ts_list tsi;
	struct ike_ts_list tsr;
	char i[IKE_SENTENCE_MAX / 4];
	char r[IKE_SENTENCE_MAX / 4];

	if (ike_payload_ts_decode(chain->tsi, &tsi) < 0 ||
	    ike_payload_ts_decode(chain->tsr, &tsr) < 0) {
		snprintf(why, cap, "the peer's traffic selectors are damaged");
		return -EBADMSG;
	}
	*family4 = ike_selector_covers(&tsi, AF_INET) &&
		   ike_selector_covers(&tsr, AF_INET);
	*family6 = ike_selector_covers(&tsi, AF_INET6) &&
		   ike_selector_covers(&tsr, AF_INET6);
	if (*family4 || *family6)
		return 0;
	ike_selector_format(&tsi, i, sizeof(i));
	ike_selector_format(&tsr, r, sizeof(r));
	snprintf(
		why, cap,
		"the peer limits the tunnel's traffic to %s and %s; set its selectors to "
		"0.0.0.0/0 at both ends",
		i, r);
	return -ENOENT;
}

static void put_selectors(struct ike_build *b, bool family4, bool family6)
{
	struct ike_ts_list ts;

	ike_selector_all(&ts, family4, family6);
	ike_payload_put_ts(b, IKE_PLD_TSI, &ts);
	ike_payload_put_ts(b, IKE_PLD_TSR, &ts);
}

/* ---- our operation ------------------------------------------------------- */

/* The suite the child has first, then the others: a rekey should not change it. */
static struct ike_suites offer_for(const struct ike_sa *sa, const struct ike_child *old)
{
	const struct ike_suites *all = &sa->tun->conn->esp_suites;
	struct ike_suites offer = {.n = 0};

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < all->n; i++) {
			bool same = !old || (all->s[i].encr == old->suite.encr &&
					     all->s[i].key_bits == old->suite.key_bits);

			if (same == (round == 0))
				offer.s[offer.n++] = all->s[i];
		}
	}
	return offer;
}

static struct ike_child *old_of(const struct ike_sa *sa, const struct ike_op *op)
{
	struct ike_child *old = op->kind == IKE_OP_CHILD_REKEY
					? ike_child_find(sa->ike, op->old_spi)
					: NULL;

	return old && old->sa == sa ? old : NULL;
}

static void send_request(struct ike_sa *sa, const uint8_t *pub, size_t pub_len)
{
	struct ike_op *op = sa->op;
	struct ike_child *old = old_of(sa, op);
	const struct ike_suites offer = offer_for(sa, old);
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	uint8_t spi[IKE_ESP_SPI_LEN];
	struct wbuf w = wbuf_init(spi, sizeof(spi));
	struct ike_build b;

	/* The old child went while the key pair was made: begin anew, if need be */
	if (op->kind == IKE_OP_CHILD_REKEY && (!old || old->state != IKE_CHILD_ALIVE)) {
		ike_op_done(sa);
		if (!ike_child_current(sa))
			sa->want |= IKE_WANT_CHILD;
		return;
	}
	wbuf_u32(&w, op->spi);
	ike_exchange_begin(sa, &b, buf, IKE_EX_CREATE_CHILD, false);
	if (old)
		ike_payload_put_notify_esp(&b, IKE_N_REKEY_SA, old->spi_in);
	ike_proposal_put(&b, IKE_USE_CHILD, &offer, spi, sizeof(spi), 0);
	ike_payload_put_nonce(&b, op->nonce.b, op->nonce.len);
	if (op->group)
		ike_payload_put_ke(&b, op->group, pub, pub_len);
	put_selectors(&b, true, true);
	(void)ike_exchange_request(sa, &b, IKE_EX_CREATE_CHILD);
}

static void begin_with_group(struct ike_sa *sa, uint16_t group)
{
	struct ike_op *op = sa->op;

	op->group = group;
	if (!group) {
		send_request(sa, NULL, 0);
		return;
	}
	ike_crypto_dh_private(group, sa->ike->rng, op->priv);
	op->job = ike_job_submit(sa->ike, sa->own_spi, group, op->priv, NULL, 0);
}

void ike_child_start(struct ike_sa *sa, struct ike_child *old)
{
	const struct ike_suites offer = offer_for(sa, old);
	struct ike_op *op = ike_op_new(sa, old ? IKE_OP_CHILD_REKEY : IKE_OP_CHILD_NEW);

	op->old_spi = old ? old->spi_in : 0;
	op->spi = ike_child_pick_spi(sa->ike);
	ike_nonce_new(&op->nonce, sa->ike->rng);
	begin_with_group(sa, offer.s[0].group);
}

/* Of the two children a collision made, which one stays? */
static void settle_collision(struct ike_sa *sa, const struct ike_op *op,
			     struct ike_child *ours, struct ike_child *old)
{
	struct ike_child *theirs = ike_child_find(sa->ike, op->their_spi);

	if (theirs && theirs->sa != sa)
		theirs = NULL;
	if (theirs && theirs->state == IKE_CHILD_ALIVE &&
	    ike_collision_ours_goes(&op->nonce, &op->peer_nonce, &op->their_low)) {
		/* The peer may send on ours until it hears of the Delete. */
		ike_child_replaced(ours);
		ours->switch_at = MONO_NEVER;
		ours->delete_ours = true;
		ike_child_switch(theirs);
		return;
	}
	ike_child_switch(ours);
	if (theirs) {
		ike_child_replaced(theirs);
		theirs->switch_at = MONO_NEVER;
		theirs->delete_at = mono_add_ms(sa->ike->now, IKE_OLD_CHILD_LINGER_MS);
	}
	if (old) {
		old->delete_ours = true;
		old->delete_at = MONO_NEVER;
	}
}

static void finish(struct ike_sa *sa, struct ike_bytes shared)
{
	struct ike_op *op = sa->op;
	struct ike_child *old = old_of(sa, op);
	const struct ike_child_params p = {
		.spi_in = op->spi,
		.choice = op->choice,
		.family4 = op->family4,
		.family6 = op->family6,
		.initiator = true,
		.ni = {op->nonce.b, op->nonce.len},
		.nr = {op->peer_nonce.b, op->peer_nonce.len},
		.shared = shared,
		.replaces = op->old_spi,
	};
	bool rekey = op->kind == IKE_OP_CHILD_REKEY;
	struct ike_child *child = ike_child_make(sa, &p, !op->collided);
	char suite[IKE_SUITE_TEXT_MAX];
	char text[IKE_SENTENCE_MAX];

	if (!child) {
		ike_op_done(sa);
		ike_sa_close(sa, IKE_REASON_INTERNAL,
			     "a new child SA could not be made");
		return;
	}
	if (old)
		ike_child_replaced(old);
	if (op->collided)
		settle_collision(sa, op, child, old);
	else if (old)
		old->delete_ours = true;
	ike_suite_format(&child->suite, suite, sizeof(suite));
	snprintf(text, sizeof(text), "%s with %s%s",
		 rekey ? "rekeyed by us" : "new child", suite,
		 op->collided ? ", as the peer did at the same time" : "");
	sa->tun->child_rekeys += rekey;
	ike_engine_event(sa->ike, sa->tun->name,
			 rekey ? IKE_EV_CHILD_REKEYED : IKE_EV_CHILD_UP,
			 IKE_REASON_NONE, 0, true, text);
	ike_op_done(sa);
	ike_sa_save(sa);
}

void ike_child_job(struct ike_sa *sa, struct ike_job *job)
{
	struct ike_op *op = sa->op;

	op->job = 0;
	if (job->err == -EIO) {
		ike_op_done(sa);
		ike_sa_close(sa, IKE_REASON_INTERNAL,
			     "a key exchange could not be made");
		return;
	}
	if (!op->answered) {
		send_request(sa, job->pub, job->pub_len);
		return;
	}
	if (job->err) {
		ike_op_done(sa);
		ike_sa_close(sa, IKE_REASON_SYNTAX,
			     "the peer's key exchange value must not be used");
		return;
	}
	finish(sa, (struct ike_bytes){job->shared, job->shared_len});
}

/* Our request was refused. */
static void refused(struct ike_sa *sa, const struct ike_notify *n)
{
	struct ike_op *op = sa->op;
	struct ike_child *old = old_of(sa, op);
	bool theirs_stands = op->collided;
	struct rbuf data = n->data;
	uint16_t group = rbuf_u16(&data);
	char text[IKE_SENTENCE_MAX];
	char name[40];

	if (n->type == IKE_N_INVALID_KE_PAYLOAD && rbuf_done(&data) &&
	    ++op->tries < GROUP_TRIES && group != op->group) {
		const struct ike_suites offer = offer_for(sa, old);

		for (size_t i = 0; i < offer.n; i++) {
			if (offer.s[i].group == group) {
				begin_with_group(sa, group);
				return;
			}
		}
	}
	ike_op_done(sa);
	if (theirs_stands)
		return; /* the peer's rekey of the same child did it */
	if (n->type == IKE_N_CHILD_SA_NOT_FOUND) {
		/* The peer does not have it: neither should we (2.25.1) */
		if (old)
			ike_child_deleted(old);
		if (!ike_child_current(sa))
			sa->want |= IKE_WANT_CHILD;
		ike_sa_touch(sa);
		return;
	}
	if (old)
		old->rekey_now = old->state == IKE_CHILD_ALIVE;
	ike_op_later(sa, old ? IKE_WANT_REKEY_CHILD : IKE_WANT_CHILD);
	if (n->type == IKE_N_TEMPORARY_FAILURE)
		return;
	snprintf(text, sizeof(text), "the peer refuses to %s the child SA (%s)",
		 old ? "rekey" : "make", ike_op_notify_text(n->type, name));
	if (n->type == IKE_N_NO_PROPOSAL_CHOSEN) {
		char offer[IKE_SENTENCE_MAX / 2];

		ike_proposal_format(&sa->tun->conn->esp_suites, offer, sizeof(offer));
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 "; we offered %s", offer);
	}
	ike_sa_failed(sa, IKE_EV_NOTICE,
		      n->type == IKE_N_NO_PROPOSAL_CHOSEN ? IKE_REASON_PROPOSAL
							  : IKE_REASON_PEER_REFUSED,
		      n->type, false, text);
}

void ike_child_response(struct ike_sa *sa, struct ike_chain *chain)
{
	struct ike_op *op = sa->op;
	const struct ike_notify *n = ike_payload_error(chain);
	const struct ike_suites offer = offer_for(sa, old_of(sa, op));
	const uint32_t ts = IKE_PLD_BIT(IKE_PLD_TSI) | IKE_PLD_BIT(IKE_PLD_TSR);
	bool has_ke = chain->seen & IKE_PLD_BIT(IKE_PLD_KE);
	char why[IKE_SENTENCE_MAX];

	ike_exchange_answered(sa);
	if (n) {
		refused(sa, n);
		return;
	}
	if ((chain->seen & ts) != ts || !ike_nonce_set(&op->peer_nonce, chain->nonce) ||
	    ike_proposal_answer(chain->sa, IKE_USE_CHILD, &offer, &op->choice) < 0 ||
	    op->choice.suite.group != (has_ke ? chain->ke_group : 0) ||
	    (has_ke && op->choice.suite.group != op->group) ||
	    ike_child_families(chain, &op->family4, &op->family6, why, sizeof(why)) <
		    0) {
		ike_op_done(sa);
		ike_sa_close(sa, IKE_REASON_SYNTAX,
			     "the peer's answer to a rekey fits no offer of ours");
		return;
	}
	op->answered = true;
	if (!op->choice.suite.group) {
		finish(sa, (struct ike_bytes){0});
		return;
	}
	op->job = ike_job_submit(sa->ike, sa->own_spi, op->group, op->priv,
				 chain->ke.pos, rbuf_left(&chain->ke));
}

/* ---- the peer's operation ------------------------------------------------ */

/* The child a REKEY_SA notify names. Returns 0 without one, or -EBADMSG (C26). */
static int rekeyed_child(struct ike_sa *sa, const struct ike_chain *chain, bool *rekey,
			 struct ike_child **old)
{
	const struct ike_notify *n = ike_payload_notify(chain, IKE_N_REKEY_SA);
	struct rbuf spi;

	*rekey = n != NULL;
	*old = NULL;
	if (!n)
		return 0;
	spi = n->spi;
	if (n->protocol != IKE_PROTO_ESP || rbuf_left(&spi) != IKE_ESP_SPI_LEN)
		return -EBADMSG;
	/* The peer names the SPI it receives on: ours to send on. */
	*old = ike_child_find_out(sa, rbuf_u32(&spi));
	return 0;
}

static void refuse_suite(struct ike_sa *sa, const struct ike_chain *chain)
{
	char theirs[IKE_SENTENCE_MAX / 3];
	char ours[IKE_SENTENCE_MAX / 3];
	char text[IKE_SENTENCE_MAX];

	ike_proposal_format_offer(chain->sa, theirs, sizeof(theirs));
	ike_proposal_format(&sa->tun->conn->esp_suites, ours, sizeof(ours));
	snprintf(text, sizeof(text),
		 "no common ESP suite in a rekey: the peer offers %s; we accept %s",
		 theirs, ours);
	ike_sa_failed(sa, IKE_EV_NOTICE, IKE_REASON_PROPOSAL, 0, true, text);
	(void)ike_exchange_respond_notify(sa, IKE_N_NO_PROPOSAL_CHOSEN, NULL, 0);
}

static void put_answer(struct ike_sa *sa, struct ike_build *b, const uint8_t *pub,
		       size_t pub_len)
{
	const struct ike_op *op = sa->peer_op;
	const struct ike_suites chosen = {.s = {op->choice.suite}, .n = 1};
	uint8_t spi[IKE_ESP_SPI_LEN];
	struct wbuf w = wbuf_init(spi, sizeof(spi));

	wbuf_u32(&w, op->spi);
	ike_proposal_put(b, IKE_USE_CHILD, &chosen, spi, sizeof(spi),
			 op->choice.number);
	ike_payload_put_nonce(b, op->nonce.b, op->nonce.len);
	if (pub_len)
		ike_payload_put_ke(b, op->group, pub, pub_len);
	put_selectors(b, op->family4, op->family6);
}

static void tell_peers_child(struct ike_sa *sa, const struct ike_child *child,
			     bool rekey)
{
	char suite[IKE_SUITE_TEXT_MAX];
	char text[IKE_SENTENCE_MAX];

	ike_suite_format(&child->suite, suite, sizeof(suite));
	snprintf(text, sizeof(text), "%s with %s",
		 rekey ? "rekeyed by the peer" : "new child by the peer", suite);
	sa->tun->child_rekeys += rekey;
	ike_engine_event(sa->ike, sa->tun->name,
			 rekey ? IKE_EV_CHILD_REKEYED : IKE_EV_CHILD_UP,
			 IKE_REASON_NONE, 0, false, text);
}

/* Answer the peer's request with the child it wants. */
static void finish_peer(struct ike_sa *sa, struct ike_bytes shared, const uint8_t *pub,
			size_t pub_len)
{
	struct ike_op *op = sa->peer_op;
	struct ike_child *old = old_of(sa, op);
	const struct ike_child_params p = {
		.spi_in = op->spi,
		.choice = op->choice,
		.family4 = op->family4,
		.family6 = op->family6,
		.ni = {op->peer_nonce.b, op->peer_nonce.len},
		.nr = {op->nonce.b, op->nonce.len},
		.shared = shared,
		.replaces = op->old_spi,
	};
	bool rekey = op->kind == IKE_OP_CHILD_REKEY;
	struct ike_child *child = ike_child_make(sa, &p, !rekey);
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	if (!child) {
		ike_op_done_peer(sa);
		(void)ike_exchange_respond_notify(sa, IKE_N_NO_ADDITIONAL_SAS, NULL, 0);
		return;
	}
	if (op->collided && sa->op) {
		sa->op->collided = true;
		sa->op->their_low = ike_collision_lower(&op->nonce, &op->peer_nonce)
					    ? op->nonce
					    : op->peer_nonce;
		sa->op->their_spi = child->spi_in;
	}
	if (old) {
		ike_child_replaced(old);
		/* The peer deletes it; should it forget, we do. */
		old->delete_at = mono_add_ms(sa->ike->now, IKE_OLD_CHILD_LINGER_MS);
	}
	ike_exchange_begin(sa, &b, buf, IKE_EX_CREATE_CHILD, true);
	put_answer(sa, &b, pub, pub_len);
	tell_peers_child(sa, child, rekey);
	ike_op_done_peer(sa);
	(void)ike_exchange_respond(sa, &b);
}

void ike_child_peer_job(struct ike_sa *sa, struct ike_job *job)
{
	struct ike_op *op = sa->peer_op;

	op->job = 0;
	if (job->err) {
		ike_op_done_peer(sa);
		(void)ike_exchange_respond_notify(sa,
						  job->err == -EBADMSG
							  ? IKE_N_INVALID_SYNTAX
							  : IKE_N_TEMPORARY_FAILURE,
						  NULL, 0);
		return;
	}
	finish_peer(sa, (struct ike_bytes){job->shared, job->shared_len}, job->pub,
		    job->pub_len);
}

/* A suite is chosen and the selectors are good: make it, or compute first. */
static void begin_peer(struct ike_sa *sa, const struct ike_chain *chain,
		       struct ike_child *old, const struct ike_choice *choice,
		       bool collided)
{
	struct ike_op *op =
		ike_op_new_peer(sa, old ? IKE_OP_CHILD_REKEY : IKE_OP_CHILD_NEW);
	char why[IKE_SENTENCE_MAX];

	op->old_spi = old ? old->spi_in : 0;
	op->choice = *choice;
	op->collided = collided;
	op->group = choice->suite.group;
	op->spi = ike_child_pick_spi(sa->ike);
	ike_nonce_new(&op->nonce, sa->ike->rng);
	(void)ike_nonce_set(&op->peer_nonce, chain->nonce);
	(void)ike_child_families(chain, &op->family4, &op->family6, why, sizeof(why));
	if (!op->group) {
		finish_peer(sa, (struct ike_bytes){0}, NULL, 0);
		return;
	}
	ike_crypto_dh_private(op->group, sa->ike->rng, op->priv);
	op->job = ike_job_submit(sa->ike, sa->own_spi, op->group, op->priv,
				 chain->ke.pos, rbuf_left(&chain->ke));
}

/* What can be answered without making anything; 0 when it should be made. */
static uint16_t objection(struct ike_sa *sa, const struct ike_chain *chain,
			  const struct ike_meeting *m, enum ike_verdict *verdict)
{
	*verdict = ike_collision_verdict(m);
	if (sa->state != IKE_SA_ESTABLISHED || *verdict == IKE_ANSWER_LATER)
		return IKE_N_TEMPORARY_FAILURE;
	if (*verdict == IKE_ANSWER_UNKNOWN)
		return IKE_N_CHILD_SA_NOT_FOUND;
	if (sa->n_children >= IKE_CHILDREN_MAX)
		return m->asked == IKE_ASKED_CHILD ? IKE_N_NO_ADDITIONAL_SAS
						   : IKE_N_TEMPORARY_FAILURE;
	(void)chain;
	return 0;
}

/* CHILD_SA_NOT_FOUND names the SPI that the peer asked for. */
static void respond_not_found(struct ike_sa *sa, const struct ike_chain *chain)
{
	struct rbuf spi = ike_payload_notify(chain, IKE_N_REKEY_SA)->spi;
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	ike_exchange_begin(sa, &b, buf, IKE_EX_CREATE_CHILD, true);
	ike_payload_put_notify_esp(&b, IKE_N_CHILD_SA_NOT_FOUND, rbuf_u32(&spi));
	(void)ike_exchange_respond(sa, &b);
}

/* Suite, group and selectors of the peer's request. False: the refusal is on its way. */
static bool agree(struct ike_sa *sa, struct ike_chain *chain, struct ike_choice *choice)
{
	bool has_ke = chain->seen & IKE_PLD_BIT(IKE_PLD_KE);
	char why[IKE_SENTENCE_MAX];
	uint8_t group[2];
	bool f4;
	bool f6;
	int err = ike_proposal_choose(chain->sa, IKE_USE_CHILD,
				      &sa->tun->conn->esp_suites,
				      has_ke ? chain->ke_group : 0, choice);

	if (err == -ENOENT) {
		refuse_suite(sa, chain);
		return false;
	}
	if (err < 0) {
		(void)ike_exchange_respond_notify(sa, IKE_N_INVALID_SYNTAX, NULL, 0);
		return false;
	}
	if (choice->suite.group &&
	    (!has_ke || chain->ke_group != choice->suite.group)) {
		group[0] = (uint8_t)(choice->suite.group >> 8);
		group[1] = (uint8_t)choice->suite.group;
		(void)ike_exchange_respond_notify(sa, IKE_N_INVALID_KE_PAYLOAD, group,
						  sizeof(group));
		return false;
	}
	if (ike_child_families(chain, &f4, &f6, why, sizeof(why)) < 0) {
		ike_sa_failed(sa, IKE_EV_NOTICE, IKE_REASON_SELECTORS, 0, true, why);
		(void)ike_exchange_respond_notify(sa, IKE_N_TS_UNACCEPTABLE, NULL, 0);
		return false;
	}
	return true;
}

static void answer_child(struct ike_sa *sa, struct ike_chain *chain)
{
	const uint32_t ts = IKE_PLD_BIT(IKE_PLD_TSI) | IKE_PLD_BIT(IKE_PLD_TSR);
	struct ike_meeting m = {.doing = sa->op ? sa->op->kind : 0};
	enum ike_verdict verdict;
	struct ike_child *old;
	struct ike_choice choice;
	uint16_t notify;
	bool rekey;

	if ((chain->seen & ts) != ts || rekeyed_child(sa, chain, &rekey, &old) < 0) {
		(void)ike_exchange_respond_notify(sa, IKE_N_INVALID_SYNTAX, NULL, 0);
		return;
	}
	m.asked = rekey ? IKE_ASKED_CHILD_REKEY : IKE_ASKED_CHILD;
	m.child_known = old != NULL;
	m.same_child = old && sa->op && sa->op->old_spi == old->spi_in;
	m.child_deleting =
		old && (old->state == IKE_CHILD_DELETING ||
			(old->state == IKE_CHILD_REPLACED && old->delete_ours));
	notify = objection(sa, chain, &m, &verdict);
	if (notify == IKE_N_CHILD_SA_NOT_FOUND)
		respond_not_found(sa, chain);
	else if (notify)
		(void)ike_exchange_respond_notify(sa, notify, NULL, 0);
	else if (agree(sa, chain, &choice))
		begin_peer(sa, chain, old, &choice, verdict == IKE_ANSWER_BOTH);
}

void ike_child_request(struct ike_sa *sa, struct ike_chain *chain)
{
	struct ike_proposal p;
	struct rbuf body = chain->sa;
	struct ike_nonce nonce;
	size_t n;

	if (ike_payload_sa_check(chain->sa, &n) < 0 ||
	    !ike_nonce_set(&nonce, chain->nonce)) {
		(void)ike_exchange_respond_notify(sa, IKE_N_INVALID_SYNTAX, NULL, 0);
		return;
	}
	if (ike_payload_sa_next(&body, &p) == 1 && p.protocol == IKE_PROTO_IKE)
		ike_rekey_request(sa, chain);
	else
		answer_child(sa, chain);
}
