/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CREATE_CHILD_SA for the IKE SA itself: rekey from either side (RFC 7296
 * sections 1.3.2, 2.8, 2.18)
 *
 * The new IKE SA takes the children along. The end that asked deletes the old
 * one. When both ask at once, both new SAs are made; children move to the one
 * whose exchange does not hold the lowest nonce, once an end knows which that
 * is, and the other is deleted by the end that began it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ike/collision.h"
#include "ike/conn.h"
#include "ike/constants.h"
#include "ike/exchange.h"
#include "ike/steps.h"
#include "lib/alloc.h"

enum { GROUP_TRIES = 3 };

static void put_body(struct ike_build *b, const struct ike_suites *suites, uint64_t spi,
		     uint8_t choice, const struct ike_nonce *nonce, uint16_t group,
		     const uint8_t *pub, size_t pub_len)
{
	uint8_t raw[IKE_SPI_LEN];
	struct wbuf w = wbuf_init(raw, sizeof(raw));

	wbuf_u64(&w, spi);
	ike_proposal_put(b, IKE_USE_IKE, suites, raw, sizeof(raw), choice);
	ike_payload_put_nonce(b, nonce->b, nonce->len);
	ike_payload_put_ke(b, group, pub, pub_len);
}

/*
 * The new SA with its keys, established. Returns NULL when the keys could not
 * be computed or its SPI was taken meanwhile.
 */
static struct ike_sa *make(struct ike_sa *old, const struct ike_op *op, bool ours,
			   const struct ike_job *job)
{
	const struct ike_nonce *ni = ours ? &op->nonce : &op->peer_nonce;
	const struct ike_nonce *nr = ours ? &op->peer_nonce : &op->nonce;
	const struct ike_keymat_in in = {
		.ni = {ni->b, ni->len},
		.nr = {nr->b, nr->len},
		.shared = {job->shared, job->shared_len},
		.spi_i = ours ? op->ike_spi : op->choice.spi,
		.spi_r = ours ? op->choice.spi : op->ike_spi,
	};
	struct ike_keys keys;
	struct ike_sa *sa = NULL;

	if (!op->choice.spi || ike_sa_find(old->ike, op->ike_spi) ||
	    ike_keymat_rekey(&old->suite, old->keys.d, &op->choice.suite, &in, &keys) <
		    0)
		goto out;
	sa = ike_sa_new(old->ike, old->tun, ours, &old->at);
	HASH_DEL(old->ike->sas, sa);
	sa->own_spi = op->ike_spi;
	ike_sa_index(sa);
	sa->peer_spi = op->choice.spi;
	sa->suite = op->choice.suite;
	sa->keys = keys;
	sa->keyed = true;
	sa->natd = old->natd;
	sa->encap = old->encap;
	sa->local_id = old->local_id;
	sa->remote_id = old->remote_id;
	sa->peer_rekeyed = old->peer_rekeyed;
	ike_sa_move(sa, IKE_SA_ESTABLISHED);
	ike_sa_start_timers(sa);
out:
	secret_wipe(&keys, sizeof(keys));
	return sa;
}

/* fresh takes over; old waits for its Delete, ours or the peer's. */
static void hand_over(struct ike_sa *old, struct ike_sa *fresh, bool delete_ours)
{
	fresh->undecided = false;
	ike_child_move_all(old, fresh);
	/* What is still wanted is wanted from the new one. */
	fresh->want |= old->want & ~(unsigned int)IKE_WANT_REKEY_IKE;
	old->want = delete_ours ? IKE_WANT_DELETE : 0;
	old->want_from = MONO_ZERO;
	if (old->state == IKE_SA_ESTABLISHED)
		ike_sa_move(old, IKE_SA_REKEYED);
	old->rekey_at = MONO_NEVER;
	old->dpd_at = MONO_NEVER;
	old->keepalive_at = MONO_NEVER;
	old->expire_at = mono_add_ms(old->ike->now, IKE_OLD_IKE_LINGER_MS);
	ike_sa_touch(old);
	ike_sa_save(fresh);
	ike_sa_save(old);
}

static void tell(struct ike_sa *fresh, bool ours, bool collided)
{
	char suite[IKE_SUITE_TEXT_MAX];
	char text[IKE_SENTENCE_MAX];

	fresh->tun->ike_rekeys++;
	ike_suite_format(&fresh->suite, suite, sizeof(suite));
	snprintf(text, sizeof(text), "rekeyed by %s with %s%s",
		 ours ? "us" : "the peer", suite,
		 collided ? ", as the peer did at the same time" : "");
	ike_engine_event(fresh->ike, fresh->tun->name, IKE_EV_IKE_REKEYED,
			 IKE_REASON_NONE, 0, ours, text);
}

/* ---- ours ---------------------------------------------------------------- */

static void begin_with_group(struct ike_sa *sa, uint16_t group)
{
	struct ike_op *op = sa->op;

	op->group = group;
	ike_crypto_dh_private(group, sa->ike->rng, op->priv);
	op->job = ike_job_submit(sa->ike, sa->own_spi, group, op->priv, NULL, 0);
}

void ike_rekey_start(struct ike_sa *sa)
{
	struct ike_op *op = ike_op_new(sa, IKE_OP_IKE_REKEY);

	op->ike_spi = ike_sa_pick_spi(sa->ike);
	ike_nonce_new(&op->nonce, sa->ike->rng);
	/* The group that both ends are known to have */
	begin_with_group(sa, sa->suite.group);
}

/* The suite that is in use first: a rekey should not change it. */
static struct ike_suites offer_for(const struct ike_sa *sa)
{
	const struct ike_suites *all = &sa->tun->conn->ike_suites;
	struct ike_suites offer = {.n = 0};

	if (ike_proposal_has(all, &sa->suite))
		offer.s[offer.n++] = sa->suite;
	for (size_t i = 0; i < all->n; i++)
		if (memcmp(&all->s[i], &sa->suite, sizeof(sa->suite)) != 0)
			offer.s[offer.n++] = all->s[i];
	return offer;
}

static void finish(struct ike_sa *sa, const struct ike_job *job)
{
	struct ike_op *op = sa->op;
	struct ike_sa *theirs =
		op->collided ? ike_sa_find(sa->ike, op->their_ike_spi) : NULL;
	struct ike_sa *ours = make(sa, op, true, job);
	bool collided = op->collided;
	bool ours_goes = theirs && ike_collision_ours_goes(&op->nonce, &op->peer_nonce,
							   &op->their_low);

	if (!ours) {
		ike_op_done(sa);
		ike_sa_close(sa, IKE_REASON_INTERNAL, "the new keys could not be made");
		return;
	}
	ike_op_done(sa);
	if (ours_goes) {
		hand_over(sa, theirs, false);
		/* It never had a child; we began it, so we delete it (2.8.1). */
		ours->want = IKE_WANT_DELETE;
		ike_sa_move(ours, IKE_SA_REKEYED);
		ours->rekey_at = MONO_NEVER;
		ours->dpd_at = MONO_NEVER;
		ours->expire_at = mono_add_ms(sa->ike->now, IKE_OLD_IKE_LINGER_MS);
		tell(theirs, false, true);
		return;
	}
	hand_over(sa, ours, true);
	if (theirs) {
		ike_sa_move(theirs, IKE_SA_REKEYED);
		theirs->rekey_at = MONO_NEVER;
		theirs->dpd_at = MONO_NEVER;
		theirs->expire_at = mono_add_ms(sa->ike->now, IKE_OLD_IKE_LINGER_MS);
	}
	tell(ours, true, collided);
}

void ike_rekey_job(struct ike_sa *sa, struct ike_job *job)
{
	struct ike_op *op = sa->op;
	const struct ike_suites offer = offer_for(sa);
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	op->job = 0;
	if (job->err) {
		ike_op_done(sa);
		ike_sa_close(sa,
			     job->err == -EBADMSG ? IKE_REASON_SYNTAX
						  : IKE_REASON_INTERNAL,
			     "the key exchange of a rekey failed");
		return;
	}
	if (op->answered) {
		finish(sa, job);
		return;
	}
	ike_exchange_begin(sa, &b, buf, IKE_EX_CREATE_CHILD, false);
	put_body(&b, &offer, op->ike_spi, 0, &op->nonce, op->group, job->pub,
		 job->pub_len);
	(void)ike_exchange_request(sa, &b, IKE_EX_CREATE_CHILD);
}

void ike_rekey_abandoned(struct ike_sa *sa)
{
	struct ike_op *op = sa->op;
	struct ike_sa *theirs =
		op && op->collided ? ike_sa_find(sa->ike, op->their_ike_spi) : NULL;

	ike_op_done(sa);
	if (theirs) {
		hand_over(sa, theirs, false);
		tell(theirs, false, false);
	}
}

static void refused(struct ike_sa *sa, const struct ike_notify *n)
{
	struct ike_op *op = sa->op;
	const struct ike_suites offer = offer_for(sa);
	bool collided = op->collided;
	struct rbuf data = n->data;
	uint16_t group = rbuf_u16(&data);
	char text[IKE_SENTENCE_MAX];
	char name[40];

	if (n->type == IKE_N_INVALID_KE_PAYLOAD && rbuf_done(&data) &&
	    ++op->tries < GROUP_TRIES && group != op->group) {
		for (size_t i = 0; i < offer.n; i++) {
			if (offer.s[i].group == group) {
				begin_with_group(sa, group);
				return;
			}
		}
	}
	ike_rekey_abandoned(sa);
	if (collided)
		return;
	ike_op_later(sa, IKE_WANT_REKEY_IKE);
	if (n->type == IKE_N_TEMPORARY_FAILURE)
		return;
	snprintf(text, sizeof(text), "the peer refuses to rekey the IKE SA (%s)",
		 ike_op_notify_text(n->type, name));
	ike_sa_failed(sa, IKE_EV_NOTICE,
		      n->type == IKE_N_NO_PROPOSAL_CHOSEN ? IKE_REASON_PROPOSAL
							  : IKE_REASON_PEER_REFUSED,
		      n->type, false, text);
}

void ike_rekey_response(struct ike_sa *sa, struct ike_chain *chain)
{
	struct ike_op *op = sa->op;
	const struct ike_suites offer = offer_for(sa);
	const struct ike_notify *n = ike_payload_error(chain);

	ike_exchange_answered(sa);
	if (n) {
		refused(sa, n);
		return;
	}
	if (!(chain->seen & IKE_PLD_BIT(IKE_PLD_KE)) ||
	    !ike_nonce_set(&op->peer_nonce, chain->nonce) ||
	    ike_proposal_answer(chain->sa, IKE_USE_IKE, &offer, &op->choice) < 0 ||
	    op->choice.suite.group != op->group || chain->ke_group != op->group ||
	    !op->choice.spi) {
		ike_op_done(sa);
		ike_sa_close(
			sa, IKE_REASON_SYNTAX,
			"the peer's answer to a rekey of the IKE SA fits no offer of "
			"ours");
		return;
	}
	op->answered = true;
	op->job = ike_job_submit(sa->ike, sa->own_spi, op->group, op->priv,
				 chain->ke.pos, rbuf_left(&chain->ke));
}

/* ---- the peer's ---------------------------------------------------------- */

void ike_rekey_request(struct ike_sa *sa, struct ike_chain *chain)
{
	const struct ike_meeting m = {.doing = sa->op ? sa->op->kind : 0,
				      .asked = IKE_ASKED_IKE_REKEY};
	enum ike_verdict verdict = ike_collision_verdict(&m);
	struct ike_choice choice;
	struct ike_op *op;
	uint8_t group[2];
	int err;

	if (sa->state != IKE_SA_ESTABLISHED || verdict == IKE_ANSWER_LATER ||
	    (sa->op && sa->op->collided) ||
	    mono_diff_ms(sa->ike->now, sa->peer_rekeyed) < IKE_REKEY_MIN_MS) {
		(void)ike_exchange_respond_notify(sa, IKE_N_TEMPORARY_FAILURE, NULL, 0);
		return;
	}
	err = ike_proposal_choose(chain->sa, IKE_USE_IKE, &sa->tun->conn->ike_suites, 0,
				  &choice);
	if (err < 0 || !choice.spi || ike_sa_find(sa->ike, choice.spi)) {
		(void)ike_exchange_respond_notify(sa,
						  err == -ENOENT
							  ? IKE_N_NO_PROPOSAL_CHOSEN
							  : IKE_N_INVALID_SYNTAX,
						  NULL, 0);
		return;
	}
	if (!(chain->seen & IKE_PLD_BIT(IKE_PLD_KE)) ||
	    chain->ke_group != choice.suite.group) {
		group[0] = (uint8_t)(choice.suite.group >> 8);
		group[1] = (uint8_t)choice.suite.group;
		(void)ike_exchange_respond_notify(sa, IKE_N_INVALID_KE_PAYLOAD, group,
						  sizeof(group));
		return;
	}
	sa->peer_rekeyed = sa->ike->now;
	op = ike_op_new_peer(sa, IKE_OP_IKE_REKEY);
	op->choice = choice;
	op->group = choice.suite.group;
	op->collided = verdict == IKE_ANSWER_BOTH;
	op->ike_spi = ike_sa_pick_spi(sa->ike);
	ike_nonce_new(&op->nonce, sa->ike->rng);
	(void)ike_nonce_set(&op->peer_nonce, chain->nonce);
	ike_crypto_dh_private(op->group, sa->ike->rng, op->priv);
	op->job = ike_job_submit(sa->ike, sa->own_spi, op->group, op->priv,
				 chain->ke.pos, rbuf_left(&chain->ke));
}

void ike_rekey_peer_job(struct ike_sa *sa, struct ike_job *job)
{
	struct ike_op *op = sa->peer_op;
	const struct ike_suites chosen = {.s = {op->choice.suite}, .n = 1};
	struct ike_sa *fresh = job->err ? NULL : make(sa, op, false, job);
	/* Ours is still open, so which of the two stays is not known yet. */
	bool undecided = op->collided && sa->op && sa->op->kind == IKE_OP_IKE_REKEY;
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	op->job = 0;
	if (!fresh) {
		ike_op_done_peer(sa);
		(void)ike_exchange_respond_notify(sa,
						  job->err == -EBADMSG
							  ? IKE_N_INVALID_SYNTAX
							  : IKE_N_TEMPORARY_FAILURE,
						  NULL, 0);
		return;
	}
	ike_exchange_begin(sa, &b, buf, IKE_EX_CREATE_CHILD, true);
	put_body(&b, &chosen, op->ike_spi, op->choice.number, &op->nonce, op->group,
		 job->pub, job->pub_len);
	if (undecided) {
		sa->op->collided = true;
		sa->op->their_ike_spi = fresh->own_spi;
		fresh->undecided = true;
		sa->op->their_low = ike_collision_lower(&op->nonce, &op->peer_nonce)
					    ? op->nonce
					    : op->peer_nonce;
		ike_sa_save(fresh);
	} else {
		hand_over(sa, fresh, false);
		tell(fresh, false, false);
	}
	ike_op_done_peer(sa);
	(void)ike_exchange_respond(sa, &b);
}
