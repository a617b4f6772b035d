/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/sa.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "ike/conn.h"
#include "ike/constants.h"
#include "ike/exchange.h"
#include "ike/persist.h"
#include "ike/steps.h"
#include "lib/alloc.h"

#define BIT(state) (1U << (state))

/* To which states one may change from each; DEAD and CLOSING from all. */
static const unsigned int next_states[IKE_SA_STATES] = {
	[IKE_SA_NEW] = BIT(IKE_SA_INIT_SENT) | BIT(IKE_SA_ESTABLISHED),
	[IKE_SA_INIT_SENT] = BIT(IKE_SA_INIT_DONE) | BIT(IKE_SA_NEW),
	[IKE_SA_INIT_DONE] = BIT(IKE_SA_AUTH_SENT),
	[IKE_SA_AUTH_SENT] = BIT(IKE_SA_ESTABLISHED),
	[IKE_SA_CALLED] = BIT(IKE_SA_INIT_ANSWERED) | BIT(IKE_SA_ESTABLISHED),
	[IKE_SA_INIT_ANSWERED] = BIT(IKE_SA_AUTH_SEEN) | BIT(IKE_SA_REFUSED),
	[IKE_SA_AUTH_SEEN] = BIT(IKE_SA_ESTABLISHED) | BIT(IKE_SA_REFUSED),
	[IKE_SA_ESTABLISHED] = BIT(IKE_SA_REKEYED),
	[IKE_SA_REKEYED] = 0,
	[IKE_SA_CLOSING] = 0,
	[IKE_SA_REFUSED] = 0,
	[IKE_SA_DEAD] = 0,
};

void ike_sa_move(struct ike_sa *sa, enum ike_sa_state to)
{
	bool always =
		(to == IKE_SA_DEAD || to == IKE_SA_CLOSING) && sa->state != IKE_SA_DEAD;

	if (!always && !(next_states[sa->state] & BIT(to))) {
		ike_sa_end(sa, IKE_REASON_INTERNAL, 0, true,
			   "impossible change of state %d to %d", sa->state, to);
		return;
	}
	sa->state = to;
	ike_sa_touch(sa);
}

uint64_t ike_sa_pick_spi(struct ike *ike)
{
	uint64_t spi;

	/* Ends: a few thousand of 2^64 are taken. */
	do
		spi = rng_u64(ike->rng);
	while (!spi || ike_sa_find(ike, spi));
	return spi;
}

struct ike_sa *ike_sa_find(struct ike *ike, uint64_t own_spi)
{
	struct ike_sa *sa;

	HASH_FIND(hh, ike->sas, &own_spi, sizeof(own_spi), sa);
	return sa;
}

void ike_sa_index(struct ike_sa *sa)
{
	HASH_ADD(hh, sa->ike->sas, own_spi, sizeof(sa->own_spi), sa);
}

void ike_sa_adopt(struct ike_sa *sa, struct ike_tun *tun)
{
	sa->tun = tun;
	DL_PREPEND(tun->sas, sa);
}

struct ike_sa *ike_sa_new(struct ike *ike, struct ike_tun *tun, bool initiator,
			  const struct ike_addrs *at)
{
	struct ike_sa *sa = ed_alloc(sizeof(*sa));

	sa->ike = ike;
	sa->initiator = initiator;
	sa->state = initiator ? IKE_SA_NEW : IKE_SA_CALLED;
	sa->own_spi = ike_sa_pick_spi(ike);
	sa->at = *at;
	sa->want_from = MONO_ZERO;
	sa->req_at = MONO_NEVER;
	sa->half_open_at = MONO_NEVER;
	sa->rekey_at = MONO_NEVER;
	sa->expire_at = MONO_NEVER;
	sa->dpd_at = MONO_NEVER;
	sa->keepalive_at = MONO_NEVER;
	sa->peer_rekeyed = (struct mono){INT64_MIN / 2};
	sa->heard = ike->now;
	sa->iv = rng_u64(ike->rng) >> 1;
	if (tun)
		ike_sa_adopt(sa, tun);
	ike_sa_index(sa);
	ike_sa_touch(sa);
	return sa;
}

void ike_sa_touch(struct ike_sa *sa)
{
	if (sa->touched)
		return;
	sa->touched = true;
	sa->touched_next = sa->ike->touched;
	sa->ike->touched = sa;
}

void ike_sa_drop_handshake(struct ike_sa *sa)
{
	struct ike_handshake *hs = sa->hs;

	if (!hs)
		return;
	free(hs->init_req);
	free(hs->init_resp);
	free(hs->parked);
	secret_wipe(hs, sizeof(*hs));
	free(hs);
	sa->hs = NULL;
}

static void leave_callers(struct ike_sa *sa)
{
	if (!sa->caller_key)
		return;
	HASH_DELETE(hh_caller, sa->ike->callers, sa);
	sa->caller_key = 0;
	sa->ike->counters.half_open--;
}

void ike_sa_free(struct ike_sa *sa)
{
	sa->touched = true; /* nothing below may put it on the list again */
	while (sa->children)
		ike_child_end(sa->children);
	leave_callers(sa);
	ike_timerq_set(&sa->ike->timers, &sa->timer, MONO_NEVER);
	HASH_DEL(sa->ike->sas, sa);
	if (sa->tun)
		DL_DELETE(sa->tun->sas, sa);
	ike_sa_drop_handshake(sa);
	ike_op_done(sa);
	ike_op_done_peer(sa);
	free(sa->req);
	free(sa->resp);
	secret_wipe(sa, sizeof(*sa));
	free(sa);
}

bool ike_sa_is_up(const struct ike_sa *sa)
{
	return sa->state == IKE_SA_ESTABLISHED;
}

enum ike_gate_state ike_sa_gate_state(const struct ike_sa *sa)
{
	switch (sa->state) {
	case IKE_SA_INIT_SENT:
		return IKE_GATE_INIT_SENT;
	case IKE_SA_INIT_ANSWERED:
		return IKE_GATE_INIT_ANSWERED;
	case IKE_SA_AUTH_SENT:
		return IKE_GATE_AUTH_SENT;
	case IKE_SA_ESTABLISHED:
	case IKE_SA_REKEYED:
	case IKE_SA_CLOSING:
		return IKE_GATE_ESTABLISHED;
	case IKE_SA_NEW:
	case IKE_SA_INIT_DONE:
	case IKE_SA_CALLED:
	case IKE_SA_AUTH_SEEN:
	case IKE_SA_REFUSED:
	case IKE_SA_DEAD:
	case IKE_SA_STATES:
		break;
	}
	return 0;
}

const uint8_t *ike_sa_key_out(const struct ike_sa *sa)
{
	return sa->initiator ? sa->keys.ei : sa->keys.er;
}

const uint8_t *ike_sa_key_in(const struct ike_sa *sa)
{
	return sa->initiator ? sa->keys.er : sa->keys.ei;
}

bool ike_nonce_set(struct ike_nonce *n, struct rbuf from)
{
	size_t len = rbuf_left(&from);

	if (len < IKE_NONCE_MIN || len > sizeof(n->b))
		return false;
	n->len = (uint16_t)len;
	rbuf_bytes(&from, n->b, len);
	return true;
}

void ike_nonce_new(struct ike_nonce *n, struct rng *rng)
{
	n->len = IKE_NONCE_LEN;
	rng_bytes(rng, n->b, IKE_NONCE_LEN);
}

/* ---- up ------------------------------------------------------------------ */

void ike_sa_start_timers(struct ike_sa *sa)
{
	const struct ike_conn_config *c = &sa->tun->conn->cfg;
	struct mono now = sa->ike->now;
	int64_t life = (int64_t)c->ike_life_s * MONO_US_PER_S;
	uint32_t spread = IKE_REKEY_TO_PCT - IKE_REKEY_FROM_PCT;
	int64_t permille =
		IKE_REKEY_FROM_PCT * 10 + rng_below(sa->ike->rng, spread * 10);

	leave_callers(sa);
	sa->since = now;
	sa->heard = now;
	sa->half_open_at = MONO_NEVER;
	sa->rekey_at = mono_add_us(now, life / 1000 * permille);
	sa->expire_at = mono_add_us(now, life);
	sa->dpd_at = mono_add_us(now, (int64_t)c->dpd_s * MONO_US_PER_S);
	sa->keepalive_at =
		sa->natd.local
			? mono_add_us(now, (int64_t)c->keepalive_s * MONO_US_PER_S)
			: MONO_NEVER;
	ike_sa_touch(sa);
}

/*
 * Two SAs of one tunnel. Made close together by both ends at once, both ends
 * keep the one with the greater SPI of its initiator, and the initiator of the
 * other deletes it. Otherwise the newer one replaces the older.
 */
static void settle(struct ike_sa *fresh, struct ike_sa *old, bool initial_contact)
{
	bool tie = mono_diff_ms(fresh->since, old->since) < IKE_TIE_MS &&
		   fresh->initiator != old->initiator;
	uint64_t fresh_spi = fresh->initiator ? fresh->own_spi : fresh->peer_spi;
	uint64_t old_spi = old->initiator ? old->own_spi : old->peer_spi;
	struct ike_sa *loser = tie && fresh_spi < old_spi ? fresh : old;

	if (initial_contact && !tie) {
		/* The peer has forgotten the old one: nobody to tell (2.4). */
		ike_sa_end(old, IKE_REASON_REPLACED, 0, false, "the peer started anew");
		return;
	}
	if (tie && !loser->initiator)
		return;
	/* Not at once: the other end may still wait for the answer that makes it up. */
	loser->closing = IKE_REASON_REPLACED;
	loser->rekey_at = MONO_NEVER;
	loser->expire_at = mono_add_ms(loser->ike->now, IKE_REPLACED_LINGER_MS);
	ike_sa_touch(loser);
}

void ike_sa_established(struct ike_sa *sa, bool initial_contact)
{
	struct ike_tun *tun = sa->tun;
	struct ike_sa *other;
	struct ike_sa *next;
	char text[IKE_SENTENCE_MAX];
	char suite[IKE_SUITE_TEXT_MAX];
	char peer[ENDPOINT_STRLEN];
	bool was_up = tun->up;

	ike_suite_format(&sa->suite, suite, sizeof(suite));
	snprintf(text, sizeof(text), "%s %s with %s", was_up ? "again" : "established",
		 sa->initiator ? "by us" : "by the peer", suite);
	if (sa->encap)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
			 ", ESP in UDP to %s", endpoint_format(&sa->at.remote, peer));
	tun->up = true;
	ike_engine_event(sa->ike, tun->name, was_up ? IKE_EV_NOTICE : IKE_EV_UP,
			 was_up ? IKE_REASON_REPLACED : IKE_REASON_NONE, 0,
			 sa->initiator, text);
	DL_FOREACH_SAFE (tun->sas, other, next)
		if (other != sa && other->state == IKE_SA_ESTABLISHED)
			settle(sa, other, initial_contact);
}

/* ---- the end ------------------------------------------------------------- */

/* A reason that is nobody's fault does not become the last failure. */
static bool is_failure(enum ike_reason reason)
{
	return reason != IKE_REASON_ADMIN && reason != IKE_REASON_CONFIG &&
	       reason != IKE_REASON_REPLACED && reason != IKE_REASON_NONE;
}

static bool tun_has_up(const struct ike_tun *tun)
{
	const struct ike_sa *sa;

	DL_FOREACH (tun->sas, sa)
		if (ike_sa_is_up(sa))
			return true;
	return false;
}

void ike_sa_failed(struct ike_sa *sa, enum ike_event event, enum ike_reason reason,
		   uint16_t notify, bool ours, const char *sentence)
{
	struct ike_tun *tun = sa->tun;

	if (tun && is_failure(reason))
		ike_failure_set(&tun->failure, sa->ike->now, reason, sentence);
	ike_engine_event(sa->ike, tun ? tun->name : NULL, event, reason, notify, ours,
			 sentence);
}

static void forget(struct ike_sa *sa)
{
	struct ike_action *act;

	if (!sa->saved)
		return;
	sa->saved = false;
	act = ike_out_add(&sa->ike->out, IKE_ACT_FORGET,
			  sa->tun ? sa->tun->name : NULL);
	act->sa_id = sa->own_spi;
}

/* Nothing works on it any more; what it had is taken away. */
static void strip(struct ike_sa *sa)
{
	if (sa->op && sa->op->kind == IKE_OP_IKE_REKEY && sa->op->collided)
		ike_rekey_abandoned(sa);
	while (sa->children)
		ike_child_end(sa->children);
	forget(sa);
	leave_callers(sa);
	ike_sa_drop_handshake(sa);
	ike_op_done(sa);
	ike_op_done_peer(sa);
	sa->want = 0;
}

void ike_sa_end_silently(struct ike_sa *sa)
{
	if (sa->state == IKE_SA_DEAD)
		return;
	strip(sa);
	sa->state = IKE_SA_DEAD;
	ike_sa_touch(sa);
}

/* The SA no longer counts (its state is changed already): what does the host hear? */
static void tell_end(struct ike_sa *sa, enum ike_sa_state was, enum ike_reason reason,
		     uint16_t notify, bool ours, const char *sentence)
{
	struct ike_tun *tun = sa->tun;

	if (!tun || was == IKE_SA_CLOSING || was == IKE_SA_REFUSED ||
	    was == IKE_SA_REKEYED || was == IKE_SA_DEAD)
		return;
	if (was == IKE_SA_ESTABLISHED && tun->up && !tun_has_up(tun)) {
		tun->up = false;
		ike_sa_failed(sa, IKE_EV_DOWN, reason, notify, ours, sentence);
	} else if (was != IKE_SA_ESTABLISHED) {
		ike_sa_failed(sa, tun->up ? IKE_EV_NOTICE : IKE_EV_FAILED, reason,
			      notify, ours, sentence);
	}
}

void ike_sa_end(struct ike_sa *sa, enum ike_reason reason, uint16_t notify, bool ours,
		const char *fmt, ...)
{
	enum ike_sa_state was = sa->state;
	char sentence[IKE_SENTENCE_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	ike_sa_end_silently(sa);
	tell_end(sa, was, reason, notify, ours, sentence);
}

void ike_sa_close(struct ike_sa *sa, enum ike_reason reason, const char *sentence)
{
	enum ike_sa_state was = sa->state;

	if (was == IKE_SA_CLOSING || was == IKE_SA_DEAD)
		return;
	if (was != IKE_SA_ESTABLISHED && was != IKE_SA_REKEYED) {
		ike_sa_end(sa, reason, 0, true, "%s", sentence);
		return;
	}
	strip(sa);
	ike_sa_move(sa, IKE_SA_CLOSING);
	sa->closing = reason;
	sa->rekey_at = MONO_NEVER;
	sa->expire_at = MONO_NEVER;
	sa->dpd_at = MONO_NEVER;
	sa->keepalive_at = MONO_NEVER;
	sa->half_open_at = mono_add_us(sa->ike->now, IKE_HALF_OPEN_S * MONO_US_PER_S);
	sa->want = IKE_WANT_DELETE;
	tell_end(sa, was, reason, 0, true, sentence);
}

void ike_sa_close_all(struct ike_tun *tun, enum ike_reason reason, const char *sentence)
{
	struct ike_sa *sa;
	struct ike_sa *next;

	DL_FOREACH_SAFE (tun->sas, sa, next)
		ike_sa_close(sa, reason, sentence);
}

/* A Delete that nobody will repeat. */
static void say_goodbye(struct ike_sa *sa)
{
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	if (!ike_sa_is_up(sa) || sa->req)
		return;
	ike_exchange_begin(sa, &b, buf, IKE_EX_INFORMATIONAL, false);
	ike_payload_put_delete(&b, 0);
	(void)ike_exchange_request(sa, &b, IKE_EX_INFORMATIONAL);
}

void ike_sa_drop_all(struct ike_tun *tun, enum ike_reason reason, const char *sentence,
		     bool polite)
{
	struct ike_sa *sa;
	struct ike_sa *next;

	DL_FOREACH_SAFE (tun->sas, sa, next) {
		if (polite)
			say_goodbye(sa);
		ike_sa_end(sa, reason, 0, true, "%s", sentence);
		DL_DELETE(tun->sas, sa);
		sa->tun = NULL;
	}
}

void ike_sa_forget_conn(struct ike *ike, const struct ike_conn *conn)
{
	struct ike_sa *sa;
	struct ike_sa *next;

	HASH_ITER (hh, ike->sas, sa, next)
		if (sa->tun && sa->tun->conn == conn)
			ike_sa_end_silently(sa);
}

void ike_sa_save(struct ike_sa *sa)
{
	struct ike_action *act;
	uint8_t *bytes;
	size_t len;

	if (sa->state != IKE_SA_ESTABLISHED && sa->state != IKE_SA_REKEYED)
		return;
	bytes = ike_persist_encode(sa, &len);
	sa->saved = true;
	sa->unsaved = false;
	act = ike_out_add(&sa->ike->out, IKE_ACT_SAVE, sa->tun ? sa->tun->name : NULL);
	act->sa_id = sa->own_spi;
	act->u.save.bytes = ike_out_keep(&sa->ike->out, bytes, len);
	act->u.save.len = len;
	secret_wipe(bytes, len);
	free(bytes);
}

/* ---- times --------------------------------------------------------------- */

static const char *waiting_for(const struct ike_sa *sa)
{
	if (sa->state == IKE_SA_INIT_SENT)
		return "our first message";
	if (sa->state == IKE_SA_AUTH_SENT)
		return "our identity (IKE_AUTH)";
	if (sa->req_exchange == IKE_EX_CREATE_CHILD)
		return "a rekey";
	return "a sign-of-life question";
}

static void gave_up(struct ike_sa *sa)
{
	char peer[ENDPOINT_STRLEN];
	char notify[40];
	uint16_t said = sa->hs ? sa->hs->said : 0;

	endpoint_format(&sa->at.remote, peer);
	if (sa->state == IKE_SA_CLOSING || sa->state == IKE_SA_REKEYED) {
		ike_sa_end_silently(sa);
	} else if (said == IKE_N_NO_PROPOSAL_CHOSEN) {
		char offer[IKE_SENTENCE_MAX / 2];

		ike_proposal_format(&sa->tun->conn->ike_suites, offer, sizeof(offer));
		ike_sa_end(sa, IKE_REASON_PROPOSAL, said, false,
			   "%s accepts none of our IKE suites or does not know this "
			   "address (NO_PROPOSAL_CHOSEN); we offered %s",
			   peer, offer);
	} else if (said) {
		ike_sa_end(sa, IKE_REASON_PEER_REFUSED, said, false,
			   "%s refused our first message (%s)", peer,
			   ike_op_notify_text(said, notify));
	} else {
		ike_sa_end(sa, IKE_REASON_TIMEOUT, 0, true,
			   "no answer from %s to %s, sent %u times", peer,
			   waiting_for(sa), sa->tries + 1);
	}
}

static void half_open_end(struct ike_sa *sa)
{
	if (sa->state == IKE_SA_CLOSING || sa->state == IKE_SA_REFUSED || !sa->tun)
		ike_sa_end_silently(sa);
	else if (sa->state == IKE_SA_ESTABLISHED)
		ike_sa_close(sa, IKE_REASON_LOST, "it had no child SA for too long");
	else if (sa->state == IKE_SA_AUTH_SEEN)
		ike_sa_end(sa, IKE_REASON_INSIDE, 0, true,
			   "no inside address was found for the caller in time");
	else
		gave_up(sa);
}

static void due_questions(struct ike_sa *sa)
{
	struct mono now = sa->ike->now;
	const struct ike_conn_config *c = sa->tun ? &sa->tun->conn->cfg : NULL;

	if (mono_due(sa->rekey_at, now)) {
		sa->rekey_at = MONO_NEVER;
		sa->want |= IKE_WANT_REKEY_IKE;
	}
	if (c && mono_due(sa->dpd_at, now)) {
		struct mono at =
			mono_add_us(sa->heard, (int64_t)c->dpd_s * MONO_US_PER_S);

		if (mono_due(at, now)) {
			sa->want |= IKE_WANT_PROBE;
			at = mono_add_us(now, (int64_t)c->dpd_s * MONO_US_PER_S);
		}
		sa->dpd_at = at;
	}
	if (c && mono_due(sa->keepalive_at, now)) {
		struct ike_action *act =
			ike_out_add(&sa->ike->out, IKE_ACT_KEEPALIVE, sa->tun->name);

		act->sa_id = sa->own_spi;
		act->u.send.at = sa->at;
		sa->keepalive_at =
			mono_add_us(now, (int64_t)c->keepalive_s * MONO_US_PER_S);
	}
}

void ike_sa_timer(struct ike_sa *sa)
{
	struct mono now = sa->ike->now;

	ike_sa_touch(sa);
	if (mono_due(sa->half_open_at, now)) {
		half_open_end(sa);
		return;
	}
	if (sa->req && mono_due(sa->req_at, now) && !ike_exchange_repeat(sa)) {
		gave_up(sa);
		return;
	}
	if (mono_due(sa->expire_at, now)) {
		if (sa->state == IKE_SA_REKEYED)
			ike_sa_end_silently(sa);
		else if (sa->closing == IKE_REASON_REPLACED)
			ike_sa_close(sa, IKE_REASON_REPLACED,
				     "a newer one took its place");
		else
			ike_sa_close(sa, IKE_REASON_EXPIRED,
				     "its lifetime ended before a rekey succeeded");
		return;
	}
	due_questions(sa);
	ike_child_timers(sa);
}

/* The child that needs a rekey now, NULL for none. */
static struct ike_child *child_to_rekey(struct ike_sa *sa)
{
	struct ike_child *child;

	DL_FOREACH (sa->children, child)
		if (child->rekey_now && child->state == IKE_CHILD_ALIVE)
			return child;
	return NULL;
}

static struct ike_child *child_to_delete(struct ike_sa *sa)
{
	struct ike_child *child;

	DL_FOREACH (sa->children, child)
		if (child->delete_ours && child->state == IKE_CHILD_REPLACED)
			return child;
	return NULL;
}

static void begin_wanted(struct ike_sa *sa)
{
	struct ike_child *child;

	if (sa->want & IKE_WANT_DELETE) {
		sa->want = 0;
		ike_info_delete_ike(sa);
		return;
	}
	if (sa->state != IKE_SA_ESTABLISHED || sa->undecided)
		return;
	if (!sa->peer_op)
		ike_child_settle(sa);
	child = child_to_delete(sa);
	if (child) {
		ike_info_delete_child(sa, child);
		return;
	}
	if (mono_due(sa->want_from, sa->ike->now)) {
		if (sa->want & IKE_WANT_REKEY_IKE) {
			sa->want &= ~(unsigned int)IKE_WANT_REKEY_IKE;
			ike_rekey_start(sa);
			return;
		}
		if (sa->want & IKE_WANT_REKEY_CHILD) {
			child = child_to_rekey(sa);
			if (child) {
				child->rekey_now = false;
				ike_child_start(sa, child);
				return;
			}
			sa->want &= ~(unsigned int)IKE_WANT_REKEY_CHILD;
		}
		if (sa->want & IKE_WANT_CHILD) {
			sa->want &= ~(unsigned int)IKE_WANT_CHILD;
			if (!ike_child_current(sa)) {
				ike_child_start(sa, NULL);
				return;
			}
		}
	}
	if (sa->want & IKE_WANT_PROBE) {
		sa->want &= ~(unsigned int)IKE_WANT_PROBE;
		ike_info_probe(sa);
	}
}

static struct mono deadline(const struct ike_sa *sa)
{
	struct mono at = mono_min(sa->half_open_at, sa->keepalive_at);

	at = mono_min(at, mono_min(sa->rekey_at, sa->expire_at));
	at = mono_min(at, mono_min(sa->dpd_at, ike_child_deadline(sa)));
	if (sa->req)
		at = mono_min(at, sa->req_at);
	if (sa->want && !sa->op && !sa->req && mono_before(sa->ike->now, sa->want_from))
		at = mono_min(at, sa->want_from);
	return at;
}

void ike_sa_run(struct ike_sa *sa)
{
	if (!sa->op && !sa->req && sa->keyed && sa->send_id < IKE_MESSAGE_ID_MAX &&
	    (sa->state == IKE_SA_ESTABLISHED || sa->state == IKE_SA_CLOSING ||
	     sa->state == IKE_SA_REKEYED))
		begin_wanted(sa);
	if (sa->saved && sa->unsaved)
		ike_sa_save(sa);
	if (sa->state != IKE_SA_DEAD)
		ike_timerq_set(&sa->ike->timers, &sa->timer, deadline(sa));
}
