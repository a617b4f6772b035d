/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * INFORMATIONAL: Delete, sign of life, refusals; and the small change of
 * operations (RFC 7296 sections 1.4, 1.4.1, 2.4, 2.21.2)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "ike/constants.h"
#include "ike/exchange.h"
#include "ike/steps.h"
#include "lib/alloc.h"

/* ---- operations ---------------------------------------------------------- */

static struct ike_op *op_new(enum ike_op_kind kind)
{
	struct ike_op *op = ed_alloc(sizeof(*op));

	op->kind = kind;
	return op;
}

static void op_free(struct ike_op **op)
{
	if (!*op)
		return;
	secret_wipe(*op, sizeof(**op));
	free(*op);
	*op = NULL;
}

struct ike_op *ike_op_new(struct ike_sa *sa, enum ike_op_kind kind)
{
	op_free(&sa->op);
	sa->op = op_new(kind);
	ike_sa_touch(sa);
	return sa->op;
}

void ike_op_done(struct ike_sa *sa)
{
	op_free(&sa->op);
	ike_sa_touch(sa);
}

struct ike_op *ike_op_new_peer(struct ike_sa *sa, enum ike_op_kind kind)
{
	op_free(&sa->peer_op);
	sa->peer_op = op_new(kind);
	return sa->peer_op;
}

void ike_op_done_peer(struct ike_sa *sa)
{
	op_free(&sa->peer_op);
}

void ike_op_later(struct ike_sa *sa, unsigned int want)
{
	uint32_t spread = IKE_RETRY_MAX_MS - IKE_RETRY_MIN_MS;

	sa->want |= want;
	sa->want_from = mono_add_ms(sa->ike->now,
				    IKE_RETRY_MIN_MS + rng_below(sa->ike->rng, spread));
	ike_sa_touch(sa);
}

const char *ike_op_notify_text(uint16_t type, char *buf)
{
	const char *name = ike_payload_notify_name(type);

	if (name)
		snprintf(buf, 40, "%s", name);
	else
		snprintf(buf, 40, "notify %u", type);
	return buf;
}

/* ---- ours ---------------------------------------------------------------- */

void ike_info_probe(struct ike_sa *sa)
{
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	ike_op_new(sa, IKE_OP_PROBE);
	ike_exchange_begin(sa, &b, buf, IKE_EX_INFORMATIONAL, false);
	(void)ike_exchange_request(sa, &b, IKE_EX_INFORMATIONAL);
}

void ike_info_delete_ike(struct ike_sa *sa)
{
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	ike_op_new(sa, IKE_OP_IKE_DELETE);
	ike_exchange_begin(sa, &b, buf, IKE_EX_INFORMATIONAL, false);
	ike_payload_put_delete(&b, 0);
	(void)ike_exchange_request(sa, &b, IKE_EX_INFORMATIONAL);
}

void ike_info_delete_child(struct ike_sa *sa, struct ike_child *child)
{
	struct ike_op *op = ike_op_new(sa, IKE_OP_CHILD_DELETE);
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	op->old_spi = child->spi_in;
	child->state = IKE_CHILD_DELETING;
	ike_exchange_begin(sa, &b, buf, IKE_EX_INFORMATIONAL, false);
	ike_payload_put_delete(&b, child->spi_in);
	(void)ike_exchange_request(sa, &b, IKE_EX_INFORMATIONAL);
}

void ike_info_refuse(struct ike_sa *sa, uint16_t notify)
{
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	ike_sa_move(sa, IKE_SA_CLOSING);
	ike_sa_drop_handshake(sa);
	sa->half_open_at = mono_add_us(sa->ike->now, IKE_HALF_OPEN_S * MONO_US_PER_S);
	if (!notify) {
		ike_info_delete_ike(sa);
		return;
	}
	ike_op_new(sa, IKE_OP_IKE_DELETE);
	ike_exchange_begin(sa, &b, buf, IKE_EX_INFORMATIONAL, false);
	ike_payload_put_notify(&b, notify, NULL, 0);
	(void)ike_exchange_request(sa, &b, IKE_EX_INFORMATIONAL);
}

/* A tunnel whose last child went: say so; ike_child_settle() cares for another. */
static void child_is_missing(struct ike_sa *sa, enum ike_reason reason,
			     const char *sentence)
{
	if (!ike_sa_is_up(sa) || ike_child_current(sa) ||
	    (sa->op &&
	     (sa->op->kind == IKE_OP_CHILD_REKEY || sa->op->kind == IKE_OP_CHILD_NEW)))
		return;
	ike_engine_event(sa->ike, sa->tun->name, IKE_EV_CHILD_DOWN, reason, 0, false,
			 sentence);
}

static void answered_delete_child(struct ike_sa *sa, uint32_t spi_in)
{
	struct ike_child *child = ike_child_find(sa->ike, spi_in);

	if (child && child->sa == sa && child->state != IKE_CHILD_GONE) {
		ike_child_deleted(child);
		child_is_missing(sa, IKE_REASON_EXPIRED,
				 "the child SA's lifetime ended without a rekey");
	}
	ike_sa_save(sa);
}

void ike_info_response(struct ike_sa *sa, struct ike_chain *chain)
{
	enum ike_op_kind kind = sa->op ? sa->op->kind : IKE_OP_PROBE;
	uint32_t old_spi = sa->op ? sa->op->old_spi : 0;

	(void)chain;
	ike_exchange_answered(sa);
	ike_op_done(sa);
	switch (kind) {
	case IKE_OP_IKE_DELETE:
		ike_sa_end_silently(sa);
		break;
	case IKE_OP_CHILD_DELETE:
		answered_delete_child(sa, old_spi);
		break;
	case IKE_OP_PROBE:
	case IKE_OP_CHILD_NEW:
	case IKE_OP_CHILD_REKEY:
	case IKE_OP_IKE_REKEY:
		ike_sa_save(sa);
		break;
	}
}

/* ---- the peer's ---------------------------------------------------------- */

/* The successor of a child that the peer deletes may send from now on. */
static void successor_switches(struct ike_sa *sa, uint32_t spi_in)
{
	struct ike_child *child;

	DL_FOREACH (sa->children, child)
		if (child->replaces == spi_in && child->state == IKE_CHILD_ALIVE &&
		    !child->out_installed && !mono_is_never(child->switch_at))
			ike_child_switch(child);
}

static void delete_child(struct ike_sa *sa, uint32_t spi_out, struct ike_build *b)
{
	struct ike_child *child = ike_child_find_out(sa, spi_out);
	bool alive;

	if (!child)
		return;
	/* While we delete it too, neither answer names it (1.4.1). */
	if (child->state != IKE_CHILD_DELETING)
		ike_payload_put_delete(b, child->spi_in);
	alive = child->state == IKE_CHILD_ALIVE;
	successor_switches(sa, child->spi_in);
	ike_child_deleted(child);
	if (alive)
		child_is_missing(sa, IKE_REASON_PEER_DELETED,
				 "the peer deleted the child SA");
}

static void delete_children(struct ike_sa *sa, const struct ike_chain *chain,
			    struct ike_build *b)
{
	for (size_t i = 0; i < chain->n_delete; i++) {
		struct rbuf spis = chain->delete[i].spis;

		if (chain->delete[i].protocol != IKE_PROTO_ESP)
			continue;
		for (uint16_t j = 0; j < chain->delete[i].n; j++)
			delete_child(sa, rbuf_u32(&spis), b);
	}
}

static bool deletes_ike(const struct ike_chain *chain)
{
	for (size_t i = 0; i < chain->n_delete; i++)
		if (chain->delete[i].protocol == IKE_PROTO_IKE)
			return true;
	return false;
}

/* The peer ends the IKE SA; the answer is sent before. */
static void peer_ends(struct ike_sa *sa, const struct ike_notify *n)
{
	char id[IKE_ID_TEXT_MAX];
	char name[40];

	if (sa->op && sa->op->kind == IKE_OP_IKE_REKEY && sa->op->collided)
		ike_rekey_abandoned(sa);
	if (!n) {
		ike_sa_end(sa, IKE_REASON_PEER_DELETED, 0, false,
			   "the peer deleted the IKE SA");
		return;
	}
	ike_id_format(&sa->local_id, id, sizeof(id));
	ike_sa_end(sa,
		   n->type == IKE_N_AUTHENTICATION_FAILED ? IKE_REASON_AUTH
							  : IKE_REASON_PEER_REFUSED,
		   n->type, false,
		   "the peer does not accept us as '%.160s' (%s): it expects another "
		   "identity, or the secrets differ",
		   id, ike_op_notify_text(n->type, name));
}

static bool ends_sa(uint16_t notify)
{
	return notify == IKE_N_AUTHENTICATION_FAILED ||
	       notify == IKE_N_INVALID_SYNTAX || notify == IKE_N_UNSUPPORTED_CRITICAL;
}

void ike_info_request(struct ike_sa *sa, struct ike_chain *chain)
{
	const struct ike_notify *n = ike_payload_error(chain);
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	bool end = deletes_ike(chain);
	struct ike_build b;

	ike_exchange_begin(sa, &b, buf, IKE_EX_INFORMATIONAL, true);
	if (!end)
		delete_children(sa, chain, &b);
	if (!ike_exchange_respond(sa, &b))
		return;
	if (end)
		peer_ends(sa, NULL);
	else if (n && ends_sa(n->type))
		peer_ends(sa, n);
	else
		sa->ike->counters.ignored_notifies += chain->n_notify;
}
