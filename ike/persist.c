/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/persist.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "ike/child_sa.h"
#include "ike/conn.h"
#include "ike/crypto.h"
#include "ike/steps.h"
#include "lib/alloc.h"
#include "lib/rbuf.h"
#include "lib/secret.h"
#include "lib/wbuf.h"

enum {
	MAGIC = 0x65644b31, /* "edK1" */
	VERSION = 1,
	SUM_LEN = 32,
	/* Everything but the two stored messages and the children is below this. */
	FIXED_MAX = 8192,
	CHILD_MAX = 256,
	MESSAGE_MAX = IKE_MESSAGE_OUT_MAX,
};

/* ---- one codec for both directions --------------------------------------- */

/*
 * A field is written or read by the same line, so that the two cannot differ.
 * After a read past the end everything is zero and io_ok() is false.
 */
struct io {
	bool writing;
	struct wbuf w;
	struct rbuf r;
};

static bool io_ok(const struct io *io)
{
	return io->writing ? wbuf_ok(&io->w) : rbuf_ok(&io->r);
}

static void io_u64(struct io *io, uint64_t *v)
{
	if (io->writing)
		wbuf_u64(&io->w, *v);
	else
		*v = rbuf_u64(&io->r);
}

static void io_u32(struct io *io, uint32_t *v)
{
	if (io->writing)
		wbuf_u32(&io->w, *v);
	else
		*v = rbuf_u32(&io->r);
}

static void io_u16(struct io *io, uint16_t *v)
{
	if (io->writing)
		wbuf_u16(&io->w, *v);
	else
		*v = rbuf_u16(&io->r);
}

static void io_u8(struct io *io, uint8_t *v)
{
	if (io->writing)
		wbuf_u8(&io->w, *v);
	else
		*v = rbuf_u8(&io->r);
}

static void io_bool(struct io *io, bool *v)
{
	uint8_t b = *v;

	io_u8(io, &b);
	*v = b != 0;
}

static void io_bytes(struct io *io, void *p, size_t len)
{
	if (io->writing)
		wbuf_bytes(&io->w, p, len);
	else
		rbuf_bytes(&io->r, p, len);
}

static void io_mono(struct io *io, struct mono *t)
{
	uint64_t v = (uint64_t)t->us;

	io_u64(io, &v);
	t->us = (int64_t)v;
}

/* Text in a fixed array: always ends. */
static void io_text(struct io *io, char *s, size_t cap)
{
	uint16_t len = io->writing ? (uint16_t)strlen(s) : 0;

	io_u16(io, &len);
	if (!io->writing && len >= cap) {
		io->r.bad = true;
		len = 0;
	}
	io_bytes(io, s, len);
	if (!io->writing)
		s[len] = '\0';
}

/* A message in memory of its own, NULL for none. */
static void io_message(struct io *io, uint8_t **p, size_t *len)
{
	uint32_t n = io->writing ? (uint32_t)*len : 0;
	const uint8_t *at;

	if (io->writing && !*p)
		n = 0;
	io_u32(io, &n);
	if (io->writing) {
		wbuf_bytes(&io->w, *p, n);
		return;
	}
	if (n > MESSAGE_MAX)
		io->r.bad = true;
	at = rbuf_take(&io->r, n);
	*p = at && n ? ed_memdup(at, n) : NULL;
	*len = *p ? n : 0;
}

static void io_endpoint(struct io *io, struct endpoint *e)
{
	io_u8(io, &e->addr.family);
	io_bytes(io, e->addr.b, sizeof(e->addr.b));
	io_u16(io, &e->port);
	if (!io->writing && e->addr.family != AF_INET && e->addr.family != AF_INET6)
		io->r.bad = true;
}

static void io_suite(struct io *io, struct ike_suite *s)
{
	io_u16(io, &s->encr);
	io_u16(io, &s->key_bits);
	io_u16(io, &s->integ);
	io_u16(io, &s->prf);
	io_u16(io, &s->group);
}

static void io_id(struct io *io, struct ike_id *id)
{
	io_u8(io, &id->type);
	io_u8(io, &id->len);
	if (!io->writing && id->len > IKE_ID_MAX) {
		io->r.bad = true;
		id->len = 0;
	}
	io_bytes(io, id->data, id->len);
}

static void io_nonce(struct io *io, struct ike_nonce *n)
{
	io_u16(io, &n->len);
	if (!io->writing && n->len > IKE_NONCE_MAX) {
		io->r.bad = true;
		n->len = 0;
	}
	io_bytes(io, n->b, n->len);
}

static void io_op(struct io *io, struct ike_op **opp)
{
	bool there = *opp != NULL;
	struct ike_op *op;
	uint8_t kind;

	io_bool(io, &there);
	if (!there)
		return;
	if (!io->writing)
		*opp = ed_alloc(sizeof(**opp));
	op = *opp;
	kind = (uint8_t)op->kind;
	io_u8(io, &kind);
	if (kind < IKE_OP_CHILD_NEW || kind > IKE_OP_PROBE)
		io->r.bad = true;
	op->kind = kind;
	io_u32(io, &op->old_spi);
	io_u32(io, &op->spi);
	io_u64(io, &op->ike_spi);
	io_u16(io, &op->group);
	io_u8(io, &op->tries);
	io_bytes(io, op->priv, sizeof(op->priv));
	io_nonce(io, &op->nonce);
	io_nonce(io, &op->peer_nonce);
	io_suite(io, &op->choice.suite);
	io_u8(io, &op->choice.number);
	io_u64(io, &op->choice.spi);
	io_bool(io, &op->family4);
	io_bool(io, &op->family6);
	io_bool(io, &op->answered);
	io_bool(io, &op->collided);
	io_nonce(io, &op->their_low);
	io_u32(io, &op->their_spi);
	io_u64(io, &op->their_ike_spi);
}

static void io_child(struct io *io, struct ike_child *c)
{
	uint8_t state = (uint8_t)c->state;

	io_u8(io, &state);
	if (state < IKE_CHILD_ALIVE || state > IKE_CHILD_GONE)
		io->r.bad = true;
	c->state = state;
	io_u32(io, &c->spi_in);
	io_u32(io, &c->spi_out);
	io_suite(io, &c->suite);
	io_bool(io, &c->pfs);
	io_bool(io, &c->family4);
	io_bool(io, &c->family6);
	io_bytes(io, c->key_in, sizeof(c->key_in));
	io_bytes(io, c->key_out, sizeof(c->key_out));
	io_bool(io, &c->in_installed);
	io_bool(io, &c->out_installed);
	io_bool(io, &c->ours);
	io_bool(io, &c->delete_ours);
	io_bool(io, &c->rekey_now);
	io_u32(io, &c->replaces);
	io_mono(io, &c->since);
	io_mono(io, &c->rekey_at);
	io_mono(io, &c->expire_at);
	io_mono(io, &c->switch_at);
	io_mono(io, &c->delete_at);
	io_mono(io, &c->remove_at);
}

static void io_inside(struct io *io, struct ike_inside *in)
{
	struct addr *const all[] = {&in->own4, &in->peer4, &in->own6, &in->peer6};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		io_u8(io, &all[i]->family);
		io_bytes(io, all[i]->b, sizeof(all[i]->b));
	}
}

/* What finds the tunnel again, and what the tunnel knows. */
struct owner {
	char conn[IKE_NAME_MAX];
	char label[IKE_NAME_MAX];
	struct ike_inside inside;
	uint32_t ike_rekeys;
	uint32_t child_rekeys;
};

static void io_owner(struct io *io, struct owner *o)
{
	io_text(io, o->conn, sizeof(o->conn));
	io_text(io, o->label, IKE_LABEL_MAX + 1);
	io_inside(io, &o->inside);
	io_u32(io, &o->ike_rekeys);
	io_u32(io, &o->child_rekeys);
}

static void io_sa(struct io *io, struct ike_sa *sa)
{
	uint8_t state = (uint8_t)sa->state;
	uint32_t want = sa->want;

	io_u8(io, &state);
	if (state != IKE_SA_ESTABLISHED && state != IKE_SA_REKEYED)
		io->r.bad = true;
	sa->state = state;
	io_bool(io, &sa->initiator);
	io_u64(io, &sa->own_spi);
	io_u64(io, &sa->peer_spi);
	io_u32(io, &sa->at.uplink);
	io_endpoint(io, &sa->at.local);
	io_endpoint(io, &sa->at.remote);
	io_bool(io, &sa->at.natt);
	io_bool(io, &sa->natd.supported);
	io_bool(io, &sa->natd.local);
	io_bool(io, &sa->natd.remote);
	io_bool(io, &sa->encap);
	io_suite(io, &sa->suite);
	io_bytes(io, &sa->keys, sizeof(sa->keys));
	io_u64(io, &sa->iv);
	io_id(io, &sa->local_id);
	io_id(io, &sa->remote_id);
	io_u32(io, &sa->send_id);
	io_message(io, &sa->req, &sa->req_len);
	io_u8(io, &sa->req_exchange);
	io_u32(io, &sa->recv_id);
	io_bool(io, &sa->answering);
	io_u8(io, &sa->answering_exchange);
	io_bytes(io, sa->req_hash, sizeof(sa->req_hash));
	io_message(io, &sa->resp, &sa->resp_len);
	io_u32(io, &want);
	sa->want = want;
	io_mono(io, &sa->want_from);
	io_bool(io, &sa->undecided);
	io_op(io, &sa->op);
	io_op(io, &sa->peer_op);
	io_mono(io, &sa->since);
	io_mono(io, &sa->heard);
	io_mono(io, &sa->rekey_at);
	io_mono(io, &sa->expire_at);
	io_mono(io, &sa->dpd_at);
	io_mono(io, &sa->keepalive_at);
	io_mono(io, &sa->peer_rekeyed);
}

/* ---- encode -------------------------------------------------------------- */

uint8_t *ike_persist_encode(const struct ike_sa *sa, size_t *ret_len)
{
	size_t cap = FIXED_MAX + sa->req_len + sa->resp_len +
		     (size_t)sa->n_children * CHILD_MAX;
	uint8_t *bytes = ed_alloc(cap);
	struct io io = {.writing = true, .w = wbuf_init(bytes, cap)};
	/* The codec writes only what it is given; one line serves both ways. */
	struct ike_sa *subject = (struct ike_sa *)(uintptr_t)sa;
	struct owner owner = {.inside = sa->tun->inside,
			      .ike_rekeys = sa->tun->ike_rekeys,
			      .child_rekeys = sa->tun->child_rekeys};
	uint32_t magic = MAGIC;
	uint16_t version = VERSION;
	uint32_t n = sa->n_children;
	struct ike_child *child;
	uint8_t *sum;

	snprintf(owner.conn, sizeof(owner.conn), "%s", sa->tun->conn->cfg.name);
	snprintf(owner.label, sizeof(owner.label), "%s", sa->tun->label);
	io_u32(&io, &magic);
	io_u16(&io, &version);
	io_owner(&io, &owner);
	io_sa(&io, subject);
	io_u32(&io, &n);
	DL_FOREACH (subject->children, child)
		io_child(&io, child);
	sum = wbuf_take(&io.w, SUM_LEN);
	if (sum && ike_crypto_sha256(bytes, wbuf_len(&io.w) - SUM_LEN, sum) < 0)
		io.w.bad = true;
	*ret_len = wbuf_ok(&io.w) ? wbuf_len(&io.w) : 0;
	return bytes;
}

/* ---- decode -------------------------------------------------------------- */

static int check_frame(const uint8_t *bytes, size_t len, struct rbuf *body)
{
	struct rbuf r = rbuf_init(bytes, len);
	uint8_t sum[SUM_LEN];

	if (len < SUM_LEN + 6 || rbuf_u32(&r) != MAGIC)
		return -EBADMSG;
	if (rbuf_u16(&r) != VERSION)
		return -EPROTONOSUPPORT;
	if (ike_crypto_sha256(bytes, len - SUM_LEN, sum) < 0 ||
	    memcmp(sum, bytes + len - SUM_LEN, SUM_LEN) != 0)
		return -EBADMSG;
	*body = rbuf_sub(&r, rbuf_left(&r) - SUM_LEN);
	return 0;
}

static bool suite_is_possible(const struct ike_suite *s, bool esp)
{
	return ike_proposal_check(s, esp) == 0;
}

/* Children into a list; nothing is in the engine's tables yet. */
static int read_children(struct io *io, struct ike_sa *sa, struct ike_child **list)
{
	uint32_t n = 0;

	io_u32(io, &n);
	if (n > IKE_CHILDREN_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < n; i++) {
		struct ike_child *child = ed_alloc(sizeof(*child));

		DL_APPEND(*list, child);
		io_child(io, child);
		if (!io_ok(io) || !child->spi_in ||
		    !suite_is_possible(&child->suite, true))
			return -EBADMSG;
		if (ike_child_find(sa->ike, child->spi_in))
			return -EEXIST;
	}
	return rbuf_done(&io->r) ? 0 : -EBADMSG;
}

static void free_list(struct ike_child *list)
{
	struct ike_child *child;
	struct ike_child *next;

	DL_FOREACH_SAFE (list, child, next) {
		secret_wipe(child, sizeof(*child));
		free(child);
	}
}

/* A job that was running is begun again with the saved private value. */
static void resume_op(struct ike_sa *sa)
{
	struct ike_op *op = sa->op;

	if (!op || sa->req)
		return;
	/*
	 * Nothing is in flight: the request was not sent yet, or its answer
	 * is in and its key exchange value is not kept. Begin anew.
	 */
	if (op->kind == IKE_OP_CHILD_REKEY) {
		struct ike_child *old = ike_child_find(sa->ike, op->old_spi);

		if (old)
			old->rekey_now = true;
		sa->want |= IKE_WANT_REKEY_CHILD;
	} else if (op->kind == IKE_OP_IKE_REKEY) {
		sa->want |= IKE_WANT_REKEY_IKE;
	} else if (op->kind == IKE_OP_CHILD_NEW) {
		sa->want |= IKE_WANT_CHILD;
	}
	ike_op_done(sa);
}

static void resume(struct ike_sa *sa)
{
	sa->keyed = true;
	sa->saved = true;
	/* What was sealed after the last save must not be sealed again (GCM). */
	sa->iv += IKE_IV_SKIP;
	/* The peer repeats a request that we did not get to answer. */
	sa->answering = false;
	ike_op_done_peer(sa);
	sa->tries = 0;
	sa->req_at = sa->req ? sa->ike->now : MONO_NEVER;
	resume_op(sa);
	if (ike_sa_is_up(sa))
		sa->tun->up = true;
	ike_sa_touch(sa);
}

/* Would the SA come out like this with what is configured now? */
static bool still_fits(const struct ike_conn *conn, const struct ike_sa *sa)
{
	struct ike_id local = ike_conn_local_id(conn, &sa->at.local.addr);
	struct ike_addrs at = sa->at;
	char label[IKE_LABEL_MAX + 1];

	/* A peer behind a NAT may have moved. */
	if (sa->natd.remote && conn->cfg.remote.family)
		at.remote.addr = conn->cfg.remote;
	return ike_conn_accepts(conn, &at) && ike_id_equal(&local, &sa->local_id) &&
	       ike_conn_knows(conn, &at.remote.addr, &sa->remote_id, label) &&
	       ike_proposal_has(&conn->ike_suites, &sa->suite);
}

static int take_in(struct ike *ike, struct ike_sa *sa, struct ike_child *list,
		   const struct owner *owner)
{
	struct ike_conn *conn = ike_conn_find(ike, owner->conn);
	struct ike_tun *tun;
	struct ike_child *child;
	struct ike_child *next;

	if (!conn || !still_fits(conn, sa))
		return -ENOENT;
	tun = ike_tun_get(ike, conn, owner->label, NULL);
	if (!tun)
		return -ENOENT;
	tun->inside = owner->inside;
	tun->ike_rekeys = owner->ike_rekeys;
	tun->child_rekeys = owner->child_rekeys;
	ike_sa_index(sa);
	ike_sa_adopt(sa, tun);
	DL_FOREACH_SAFE (list, child, next) {
		DL_DELETE(list, child);
		ike_child_index(sa, child);
	}
	resume(sa);
	return 0;
}

static void discard(struct ike_sa *sa)
{
	ike_op_done(sa);
	ike_op_done_peer(sa);
	free(sa->req);
	free(sa->resp);
	secret_wipe(sa, sizeof(*sa));
	free(sa);
}

int ike_restore(struct ike *ike, struct mono now, const void *bytes, size_t len)
{
	struct io io = {0};
	struct owner owner = {0};
	struct ike_child *list = NULL;
	struct ike_sa *sa;
	int err = check_frame(bytes, len, &io.r);

	if (err < 0)
		return err;
	ike_engine_enter(ike, now);
	sa = ed_alloc(sizeof(*sa));
	sa->ike = ike;
	sa->touched = true; /* not to be visited before it is taken in */
	sa->half_open_at = MONO_NEVER;
	io_owner(&io, &owner);
	io_sa(&io, sa);
	err = read_children(&io, sa, &list);
	if (!err && (!io_ok(&io) || !sa->own_spi || !sa->peer_spi ||
		     !suite_is_possible(&sa->suite, false)))
		err = -EBADMSG;
	if (!err && ike_sa_find(ike, sa->own_spi))
		err = -EEXIST;
	if (!err) {
		sa->touched = false;
		err = take_in(ike, sa, list, &owner);
		if (!err)
			list = NULL;
	}
	if (err < 0) {
		free_list(list);
		sa->touched = true;
		discard(sa);
	}
	ike_engine_leave(ike);
	return err;
}
