/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine: where calls come in, and which SA a datagram belongs to.
 *
 * A datagram goes: header -> SA by our own SPI -> role and window
 * (exchange.c) -> SK opened (protect.c) -> chain decoded (payload.c) -> gate
 * (gate.c) -> the exchange's file. Only behind the gate does anything of an SA
 * change, with two exceptions that are authenticated as well: when we heard of
 * the peer, and its address where it is behind a NAT (2.23).
 *
 * Hard cases and where they are handled:
 * - the peer's request while ours is in flight: collision.c, child.c, rekey.c
 * - a message before its keys: init.c, ike_init_park()
 * - the same request again: exchange.c
 * - two SAs of one tunnel: sa.c, settle()
 * - a restart at any point: persist.c
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "ike/conn.h"
#include "ike/constants.h"
#include "ike/exchange.h"
#include "ike/protect.h"
#include "ike/steps.h"
#include "lib/alloc.h"

enum {
	REFUSALS_BURST = 10, /* events about callers, then one a second */
	FLOODS_S = 60, /* between two events about a flood */
};

struct ike *ike_new(const struct ike_params *params)
{
	struct ike *ike = ed_alloc(sizeof(*ike));
	struct ike_params *p = &ike->params;

	*p = *params;
	if (!p->half_open_max)
		p->half_open_max = IKE_HALF_OPEN_MAX;
	if (!p->half_open_per_source)
		p->half_open_per_source = IKE_HALF_OPEN_PER_SOURCE;
	if (!p->half_open_s)
		p->half_open_s = IKE_HALF_OPEN_S;
	if (!p->cookie_from)
		p->cookie_from = IKE_COOKIE_FROM;
	if (!p->sa_max)
		p->sa_max = IKE_SA_MAX;
	ike->rng = p->rng;
	ike->refusals = ratelimit_init(REFUSALS_BURST, MONO_US_PER_S);
	ike->floods = ratelimit_init(1, FLOODS_S * MONO_US_PER_S);
	ike->hash_key = rng_u64(ike->rng);
	return ike;
}

void ike_free(struct ike *ike)
{
	struct ike_sa *sa;
	struct ike_sa *next;

	if (!ike)
		return;
	HASH_ITER (hh, ike->sas, sa, next)
		ike_sa_free(sa);
	ike_conn_fini(ike);
	ike_out_fini(&ike->out);
	ike_timerq_fini(&ike->timers);
	free(ike->home);
	secret_wipe(&ike->cookies, sizeof(ike->cookies));
	free(ike);
}

void ike_engine_enter(struct ike *ike, struct mono now)
{
	ike->now = now;
}

void ike_engine_leave(struct ike *ike)
{
	/* Ends: running an SA touches it again only when it has begun something. */
	while (ike->touched) {
		struct ike_sa *sa = ike->touched;

		ike->touched = sa->touched_next;
		sa->touched = false;
		sa->touched_next = NULL;
		if (sa->state != IKE_SA_DEAD)
			ike_sa_run(sa);
		if (sa->state == IKE_SA_DEAD && !sa->touched)
			ike_sa_free(sa);
	}
	ike->counters.sas = HASH_CNT(hh, ike->sas);
}

void ike_failure_set(struct ike_failure *f, struct mono now, enum ike_reason reason,
		     const char *sentence)
{
	f->reason = reason;
	f->at = now;
	snprintf(f->sentence, sizeof(f->sentence), "%s", sentence);
}

void ike_engine_event(struct ike *ike, const char *tunnel, enum ike_event event,
		      enum ike_reason reason, uint16_t notify, bool ours,
		      const char *sentence)
{
	struct ike_action *act = ike_out_add(&ike->out, IKE_ACT_EVENT, tunnel);

	act->u.event.event = event;
	act->u.event.reason = reason;
	act->u.event.notify = notify;
	act->u.event.ours = ours;
	act->u.event.sentence = ike_out_keep(&ike->out, sentence, strlen(sentence) + 1);
}

const struct ike_action *ike_next_action(struct ike *ike)
{
	return ike_out_next(&ike->out);
}

/* ---- datagrams ----------------------------------------------------------- */

/* The peer is behind a NAT and its authenticated message came from elsewhere. */
static void follow_address(struct ike_sa *sa, const struct ike_addrs *at)
{
	char from[ENDPOINT_STRLEN];
	char to[ENDPOINT_STRLEN];
	char text[IKE_SENTENCE_MAX];

	/* Where both ends are behind one, only the end that was called follows. */
	if (!sa->natd.remote || (sa->natd.local && sa->initiator) || !sa->tun ||
	    endpoint_equal(&sa->at.remote, &at->remote))
		return;
	snprintf(text, sizeof(text), "the peer moved from %s to %s",
		 endpoint_format(&sa->at.remote, from),
		 endpoint_format(&at->remote, to));
	sa->at = *at;
	ike_child_update_addrs(sa);
	ike_engine_event(sa->ike, sa->tun->name, IKE_EV_PEER_MOVED, IKE_REASON_NONE, 0,
			 false, text);
}

static void dispatch(struct ike_sa *sa, const struct ike_hdr *hdr,
		     const struct ike_addrs *at, struct ike_chain *chain)
{
	switch (hdr->exchange) {
	case IKE_EX_AUTH:
		if (hdr->response)
			ike_auth_response(sa, chain);
		else
			ike_auth_request(sa, at, chain);
		break;
	case IKE_EX_CREATE_CHILD:
		if (!hdr->response)
			ike_child_request(sa, chain);
		else if (sa->op && sa->op->kind == IKE_OP_IKE_REKEY)
			ike_rekey_response(sa, chain);
		else if (sa->op)
			ike_child_response(sa, chain);
		break;
	case IKE_EX_INFORMATIONAL:
		if (hdr->response)
			ike_info_response(sa, chain);
		else
			ike_info_request(sa, chain);
		break;
	default: /* the gate has no row for others */
		break;
	}
}

/* An authentic request that is no good: say so; a handshake ends with it. */
static void bad_request(struct ike_sa *sa, int err, const struct ike_chain *chain)
{
	uint16_t notify = err == -EPROTONOSUPPORT ? IKE_N_UNSUPPORTED_CRITICAL
						  : IKE_N_INVALID_SYNTAX;

	if (sa->state == IKE_SA_INIT_ANSWERED)
		ike_sa_move(sa, IKE_SA_REFUSED);
	(void)ike_exchange_respond_notify(sa, notify, &chain->bad_critical,
					  err == -EPROTONOSUPPORT);
}

/* An authentic answer that is no good ends the SA: the two ends differ. */
static void bad_response(struct ike_sa *sa)
{
	ike_exchange_answered(sa);
	if (sa->state == IKE_SA_CLOSING || sa->state == IKE_SA_REKEYED)
		ike_sa_end_silently(sa);
	else if (sa->state == IKE_SA_AUTH_SENT)
		ike_sa_end(sa, IKE_REASON_SYNTAX, 0, true,
			   "the peer's answer to IKE_AUTH is damaged");
	else
		ike_sa_close(sa, IKE_REASON_SYNTAX, "an answer of the peer is damaged");
}

static void process(struct ike_sa *sa, const struct ike_hdr *hdr,
		    const struct ike_addrs *at, uint8_t first, const uint8_t *inner,
		    size_t len)
{
	struct ike_counters *n = &sa->ike->counters;
	struct rbuf r = rbuf_init(inner, len);
	struct ike_chain chain;
	int err = ike_payload_decode(&r, first, &chain);

	if (err < 0) {
		n->malformed++;
	} else {
		err = ike_gate_check(ike_sa_gate_state(sa), hdr->exchange,
				     hdr->response, true, &chain);
		n->ignored_payloads += chain.ignored;
		n->gated += err < 0;
	}
	if (!err)
		dispatch(sa, hdr, at, &chain);
	else if (hdr->response)
		bad_response(sa);
	else
		bad_request(sa, err, &chain);
}

void ike_engine_sealed(struct ike_sa *sa, const struct ike_addrs *at,
		       const uint8_t *bytes, size_t len)
{
	struct ike_hdr hdr;
	uint8_t *inner;
	size_t inner_len;
	uint8_t first;

	/*
	 * A responder may ask as soon as it has answered IKE_AUTH, and be
	 * overtaken by itself: it asks again once we know who it is.
	 */
	if (ike_message_decode(bytes, len, &hdr) < 0 || hdr.next != IKE_PLD_SK ||
	    !ike_sa_gate_state(sa) ||
	    (sa->state == IKE_SA_AUTH_SENT && !hdr.response)) {
		sa->ike->counters.gated++;
		return;
	}
	if (ike_exchange_arrival(sa, &hdr, at, bytes, len) != IKE_ARRIVAL_NEW)
		return;
	inner = ed_alloc(len);
	if (ike_protect_open(bytes, len, &sa->suite, ike_sa_key_in(sa), inner,
			     &inner_len, &first) < 0) {
		sa->ike->counters.not_authentic++;
	} else {
		sa->heard = sa->ike->now;
		ike_sa_touch(sa);
		if (!hdr.response)
			ike_exchange_answering(sa, &hdr, bytes, len);
		if (sa->state == IKE_SA_ESTABLISHED)
			follow_address(sa, at);
		process(sa, &hdr, at, first, inner, inner_len);
	}
	secret_wipe(inner, len);
	free(inner);
}

static void to_sa(struct ike_sa *sa, const struct ike_hdr *hdr,
		  const struct ike_addrs *at, const uint8_t *bytes, size_t len)
{
	struct ike_counters *n = &sa->ike->counters;

	/* The peer's SPI is not known before its first answer. */
	bool peer_fits = (sa->initiator ? hdr->spi_r : hdr->spi_i) == sa->peer_spi ||
			 (sa->state == IKE_SA_INIT_SENT && hdr->response);

	if (hdr->from_initiator == sa->initiator || !peer_fits ||
	    at->uplink != sa->at.uplink) {
		n->unknown_spi++;
		return;
	}
	if (hdr->exchange == IKE_EX_SA_INIT) {
		if (sa->state == IKE_SA_INIT_SENT && hdr->response && hdr->id == 0)
			ike_init_response(sa, hdr, at, bytes, len);
		else
			n->gated++;
		return;
	}
	if (sa->keyed)
		ike_engine_sealed(sa, at, bytes, len);
	else if (sa->state == IKE_SA_INIT_ANSWERED && hdr->exchange == IKE_EX_AUTH &&
		 !hdr->response && hdr->id == 1 && hdr->next == IKE_PLD_SK)
		ike_init_park(sa, at, bytes, len);
	else
		n->gated++;
}

void ike_input(struct ike *ike, struct mono now, const struct ike_addrs *at,
	       const void *bytes, size_t len)
{
	struct ike_hdr hdr;
	struct ike_sa *sa;

	ike_engine_enter(ike, now);
	ike->counters.in++;
	if (ike_message_decode(bytes, len, &hdr) < 0) {
		ike->counters.malformed++;
		return;
	}
	if (hdr.exchange == IKE_EX_SA_INIT && hdr.from_initiator && !hdr.response &&
	    hdr.id == 0 && !hdr.spi_r) {
		ike_init_request(ike, &hdr, at, bytes, len);
	} else {
		sa = ike_sa_find(ike, hdr.from_initiator ? hdr.spi_r : hdr.spi_i);
		if (sa && sa->state != IKE_SA_DEAD)
			to_sa(sa, &hdr, at, bytes, len);
		else
			ike->counters.unknown_spi++;
	}
	ike_engine_leave(ike);
}

/* ---- time ---------------------------------------------------------------- */

void ike_timer(struct ike *ike, struct mono now)
{
	struct ike_timer_node *node;

	ike_engine_enter(ike, now);
	/* Ends: a node that is due is set to a later time, or taken out. */
	while ((node = ike_timerq_first(&ike->timers)) && mono_due(node->at, now)) {
		struct ike_sa *sa = container_of(node, struct ike_sa, timer);

		ike_timerq_set(&ike->timers, node, MONO_NEVER);
		ike_sa_timer(sa);
	}
	ike_engine_leave(ike);
}

struct mono ike_deadline(const struct ike *ike)
{
	const struct ike_timer_node *node = ike_timerq_first(&ike->timers);

	return node ? node->at : MONO_NEVER;
}

/* ---- jobs and answers of the host ---------------------------------------- */

void ike_job_done(struct ike *ike, struct mono now, struct ike_job *job)
{
	struct ike_sa *sa;

	ike_engine_enter(ike, now);
	sa = ike_sa_find(ike, job->sa_id);
	if (!sa || sa->state == IKE_SA_DEAD)
		;
	else if (sa->hs && sa->hs->job == job->id)
		ike_init_job(sa, job);
	else if (sa->op && sa->op->job == job->id && sa->op->kind == IKE_OP_IKE_REKEY)
		ike_rekey_job(sa, job);
	else if (sa->op && sa->op->job == job->id)
		ike_child_job(sa, job);
	else if (sa->peer_op && sa->peer_op->job == job->id &&
		 sa->peer_op->kind == IKE_OP_IKE_REKEY)
		ike_rekey_peer_job(sa, job);
	else if (sa->peer_op && sa->peer_op->job == job->id)
		ike_child_peer_job(sa, job);
	ike_job_free(job);
	ike_engine_leave(ike);
}

void ike_home_set(struct ike *ike, const struct prefix *v, size_t n)
{
	free(ike->home);
	ike->home = n ? ed_memdup(v, n * sizeof(*v)) : NULL;
	ike->n_home = n;
}

void ike_inside_answer(struct ike *ike, struct mono now, uint64_t token,
		       const struct ike_inside *inside)
{
	struct ike_sa *sa = ike_sa_find(ike, token);

	ike_engine_enter(ike, now);
	if (sa && sa->state == IKE_SA_AUTH_SEEN && sa->hs)
		ike_auth_inside(sa, inside);
	ike_engine_leave(ike);
}

/* ---- commands ------------------------------------------------------------ */

static struct ike_sa *up_sa(const struct ike_tun *tun)
{
	struct ike_sa *sa;

	DL_FOREACH (tun->sas, sa)
		if (ike_sa_is_up(sa))
			return sa;
	return NULL;
}

/* Up, or on its way there. */
static bool in_use(const struct ike_tun *tun)
{
	const struct ike_sa *sa;

	DL_FOREACH (tun->sas, sa)
		if (sa->state <= IKE_SA_ESTABLISHED)
			return true;
	return false;
}

int ike_up(struct ike *ike, struct mono now, const char *name)
{
	struct ike_tun *tun = ike_tun_find(ike, name);

	if (!tun)
		return -ENOENT;
	if (!tun->conn->cfg.initiate)
		return -EOPNOTSUPP;
	if (in_use(tun))
		return -EALREADY;
	ike_engine_enter(ike, now);
	ike_init_start(ike, tun);
	ike_engine_leave(ike);
	return 0;
}

int ike_down(struct ike *ike, struct mono now, const char *name)
{
	struct ike_tun *tun = ike_tun_find(ike, name);

	if (!tun)
		return -ENOENT;
	ike_engine_enter(ike, now);
	ike_sa_close_all(tun, IKE_REASON_ADMIN, "ended by command");
	ike_engine_leave(ike);
	return 0;
}

int ike_abandon(struct ike *ike, struct mono now, const char *name)
{
	struct ike_tun *tun = ike_tun_find(ike, name);
	struct ike_sa *sa;
	struct ike_sa *next;

	if (!tun)
		return -ENOENT;
	ike_engine_enter(ike, now);
	DL_FOREACH_SAFE (tun->sas, sa, next)
		ike_sa_end(sa, IKE_REASON_ADDRESS, 0, true,
			   "the address of this end went away");
	ike_engine_leave(ike);
	return 0;
}

/* Wish something of the tunnel's SA. */
static int wish(struct ike *ike, struct mono now, const char *name, unsigned int want)
{
	struct ike_tun *tun = ike_tun_find(ike, name);
	struct ike_sa *sa = tun ? up_sa(tun) : NULL;
	struct ike_child *child;

	if (!tun)
		return -ENOENT;
	if (!sa)
		return -ENOTCONN;
	ike_engine_enter(ike, now);
	child = ike_child_current(sa);
	if (want == IKE_WANT_REKEY_CHILD && child)
		child->rekey_now = true;
	else if (want == IKE_WANT_REKEY_CHILD)
		want = IKE_WANT_CHILD;
	sa->want |= want;
	sa->want_from = MONO_ZERO;
	ike_sa_touch(sa);
	ike_engine_leave(ike);
	return 0;
}

int ike_rekey_child(struct ike *ike, struct mono now, const char *tunnel)
{
	return wish(ike, now, tunnel, IKE_WANT_REKEY_CHILD);
}

int ike_rekey_ike(struct ike *ike, struct mono now, const char *tunnel)
{
	return wish(ike, now, tunnel, IKE_WANT_REKEY_IKE);
}

int ike_probe(struct ike *ike, struct mono now, const char *tunnel)
{
	return wish(ike, now, tunnel, IKE_WANT_PROBE);
}

int ike_child_lost(struct ike *ike, struct mono now, uint32_t spi_in)
{
	struct ike_child *child = ike_child_find(ike, spi_in);
	struct ike_sa *sa;

	if (!child)
		return -ENOENT;
	ike_engine_enter(ike, now);
	sa = child->sa;
	if (child->state == IKE_CHILD_ALIVE && !child->rekey_now) {
		child->rekey_now = true;
		/* One that went as soon as it came would only go again. */
		if (mono_diff_ms(now, child->since) < IKE_LOST_YOUNG_MS) {
			ike_op_later(sa, IKE_WANT_REKEY_CHILD);
		} else {
			sa->want |= IKE_WANT_REKEY_CHILD;
			sa->want_from = MONO_ZERO;
		}
		ike_engine_event(ike, sa->tun->name, IKE_EV_NOTICE, IKE_REASON_LOST, 0,
				 true, "the data plane lost the SA: it is replaced");
		ike_sa_touch(sa);
	}
	ike_engine_leave(ike);
	return 0;
}

void ike_child_used(struct ike *ike, struct mono now, uint32_t spi_in)
{
	struct ike_child *child = ike_child_find(ike, spi_in);

	if (!child || mono_is_never(child->switch_at))
		return;
	ike_engine_enter(ike, now);
	ike_child_switch(child);
	ike_engine_leave(ike);
}

void ike_child_moved(struct ike *ike, struct mono now, uint32_t spi_in,
		     const struct endpoint *remote)
{
	struct ike_child *child = ike_child_find(ike, spi_in);
	struct ike_addrs at;

	if (!child || !child->sa->encap)
		return;
	ike_engine_enter(ike, now);
	at = child->sa->at;
	at.remote = *remote;
	follow_address(child->sa, &at);
	ike_engine_leave(ike);
}

void ike_heard(struct ike *ike, struct mono now, const char *tunnel)
{
	struct ike_tun *tun = ike_tun_find(ike, tunnel);
	struct ike_sa *sa = tun ? up_sa(tun) : NULL;

	if (sa)
		sa->heard = now;
}
