/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/child_sa.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "ike/constants.h"
#include "lib/alloc.h"

enum { SPI_RESERVED = 256 }; /* RFC 4303 section 2.1: 1 to 255 are IANA's */

uint32_t ike_child_pick_spi(struct ike *ike)
{
	uint32_t spi;

	/* Ends: a table of a few thousand among 2^32. */
	do
		spi = rng_u32(ike->rng);
	while (spi < SPI_RESERVED || ike_child_find(ike, spi));
	return spi;
}

struct ike_child *ike_child_find(struct ike *ike, uint32_t spi_in)
{
	struct ike_child *child;

	HASH_FIND(hh, ike->children, &spi_in, sizeof(spi_in), child);
	return child;
}

struct ike_child *ike_child_find_out(struct ike_sa *sa, uint32_t spi_out)
{
	struct ike_child *child;

	DL_FOREACH (sa->children, child)
		if (child->spi_out == spi_out && child->state != IKE_CHILD_GONE)
			return child;
	return NULL;
}

struct ike_child *ike_child_current(const struct ike_sa *sa)
{
	struct ike_child *found = NULL;
	struct ike_child *child;

	DL_FOREACH (sa->children, child)
		if (child->state == IKE_CHILD_ALIVE)
			found = child;
	return found;
}

void ike_child_esp(const struct ike_child *child, enum ike_dir dir, struct ike_esp *esp)
{
	const struct ike_sa *sa = child->sa;

	memset(esp, 0, sizeof(*esp));
	esp->dir = dir;
	esp->spi = dir == IKE_IN ? child->spi_in : child->spi_out;
	esp->spi_pair = dir == IKE_IN ? child->spi_out : child->spi_in;
	esp->encr = child->suite.encr;
	esp->key_bits = child->suite.key_bits;
	esp->key_len = ike_crypto_aead_keymat(child->suite.encr, child->suite.key_bits);
	memcpy(esp->key, dir == IKE_IN ? child->key_in : child->key_out, esp->key_len);
	esp->encap = sa->encap;
	esp->uplink = sa->at.uplink;
	esp->local = sa->at.local;
	esp->remote = sa->at.remote;
	if (!sa->encap) {
		esp->local.port = 0;
		esp->remote.port = 0;
	}
	esp->family4 = child->family4;
	esp->family6 = child->family6;
	esp->rekey = child->replaces != 0;
}

static void emit(const struct ike_child *child, enum ike_act kind, enum ike_dir dir)
{
	struct ike_sa *sa = child->sa;
	struct ike_action *act;

	/*
	 * First what a restart must know: an SA is installed once in its life,
	 * so one that may be installed is never taken for one that is not.
	 */
	if (kind == IKE_ACT_SA_INSTALL && sa->saved)
		ike_sa_save(sa);
	act = ike_out_add(&sa->ike->out, kind, sa->tun ? sa->tun->name : NULL);
	sa->unsaved = true;
	act->sa_id = sa->own_spi;
	ike_child_esp(child, dir, &act->u.esp);
	if (kind != IKE_ACT_SA_INSTALL)
		secret_wipe(act->u.esp.key, sizeof(act->u.esp.key));
}

static void remove_half(struct ike_child *child, enum ike_dir dir)
{
	bool *installed = dir == IKE_IN ? &child->in_installed : &child->out_installed;

	if (!*installed)
		return;
	*installed = false;
	emit(child, IKE_ACT_SA_REMOVE, dir);
}

void ike_child_index(struct ike_sa *sa, struct ike_child *child)
{
	child->sa = sa;
	DL_APPEND(sa->children, child);
	sa->n_children++;
	sa->half_open_at = MONO_NEVER;
	HASH_ADD(hh, sa->ike->children, spi_in, sizeof(child->spi_in), child);
}

static void start_times(struct ike_child *child)
{
	struct ike_sa *sa = child->sa;
	struct mono now = sa->ike->now;
	int64_t life = (int64_t)sa->tun->conn->cfg.child_life_s * MONO_US_PER_S;
	uint32_t spread = IKE_REKEY_TO_PCT - IKE_REKEY_FROM_PCT;
	int64_t permille =
		IKE_REKEY_FROM_PCT * 10 + rng_below(sa->ike->rng, spread * 10);

	child->since = now;
	child->rekey_at = mono_add_us(now, life / 1000 * permille);
	child->expire_at = mono_add_us(now, life);
	child->switch_at = MONO_NEVER;
	child->delete_at = MONO_NEVER;
	child->remove_at = MONO_NEVER;
}

struct ike_child *ike_child_make(struct ike_sa *sa, const struct ike_child_params *p,
				 bool out_now)
{
	const struct ike_suite *suite = &p->choice.suite;
	const struct ike_keymat_in in = {.ni = p->ni, .nr = p->nr, .shared = p->shared};
	struct ike_child *child;
	int err;

	if (sa->n_children >= IKE_CHILDREN_MAX || ike_child_find(sa->ike, p->spi_in))
		return NULL;
	child = ed_alloc(sizeof(*child));
	/* Keys are taken in the direction of the exchange (2.17). */
	err = ike_keymat_child(sa->suite.prf, sa->keys.d, &in,
			       ike_crypto_aead_keymat(suite->encr, suite->key_bits),
			       p->initiator ? child->key_out : child->key_in,
			       p->initiator ? child->key_in : child->key_out);
	if (err < 0) {
		free(child);
		return NULL;
	}
	child->state = IKE_CHILD_ALIVE;
	child->spi_in = p->spi_in;
	child->spi_out = (uint32_t)p->choice.spi;
	child->suite = *suite;
	child->pfs = p->shared.len != 0;
	child->family4 = p->family4;
	child->family6 = p->family6;
	child->replaces = p->replaces;
	child->ours = p->initiator;
	ike_child_index(sa, child);
	start_times(child);
	child->in_installed = true;
	emit(child, IKE_ACT_SA_INSTALL, IKE_IN);
	if (out_now)
		ike_child_switch(child);
	else
		child->switch_at = mono_add_ms(sa->ike->now, IKE_OUT_SWITCH_MS);
	ike_sa_touch(sa);
	return child;
}

void ike_child_switch(struct ike_child *child)
{
	struct ike_child *old;

	child->switch_at = MONO_NEVER;
	if (!child->out_installed) {
		child->out_installed = true;
		emit(child, IKE_ACT_SA_INSTALL, IKE_OUT);
	}
	old = child->replaces ? ike_child_find(child->sa->ike, child->replaces) : NULL;
	if (old && old->sa == child->sa)
		remove_half(old, IKE_OUT);
	ike_sa_touch(child->sa);
}

void ike_child_replaced(struct ike_child *child)
{
	if (child->state == IKE_CHILD_ALIVE)
		child->state = IKE_CHILD_REPLACED;
	child->rekey_now = false;
	child->rekey_at = MONO_NEVER;
}

/* Both ends order the children of an IKE SA in the same way by this. */
static uint32_t rank(const struct ike_child *child)
{
	return child->spi_in < child->spi_out ? child->spi_in : child->spi_out;
}

/* Nothing to send with: make another where we may, and do not wait for ever. */
static void childless(struct ike_sa *sa)
{
	struct ike *ike = sa->ike;

	if (mono_is_never(sa->half_open_at))
		sa->half_open_at = mono_add_ms(ike->now, IKE_CHILDLESS_MS);
	if (!sa->tun->conn->cfg.initiate || sa->want & IKE_WANT_CHILD)
		return;
	sa->want |= IKE_WANT_CHILD;
	sa->want_from = mono_max(sa->want_from,
				 mono_add_ms(ike->now,
					     rng_below(ike->rng, IKE_CHILD_AGAIN_MS)));
}

void ike_child_settle(struct ike_sa *sa)
{
	struct ike_child *best = NULL;
	struct ike_child *child;
	bool several = false;

	DL_FOREACH (sa->children, child) {
		if (child->state != IKE_CHILD_ALIVE)
			continue;
		several = several || best;
		if (!best || rank(child) > rank(best))
			best = child;
	}
	if (!best) {
		childless(sa);
		return;
	}
	sa->half_open_at = MONO_NEVER;
	if (!several)
		return;
	ike_child_switch(best);
	DL_FOREACH (sa->children, child) {
		if (child == best || child->state != IKE_CHILD_ALIVE)
			continue;
		ike_child_replaced(child);
		child->delete_ours = child->ours;
		if (!child->ours)
			child->delete_at =
				mono_add_ms(sa->ike->now, IKE_OLD_CHILD_LINGER_MS);
	}
}

void ike_child_deleted(struct ike_child *child)
{
	child->state = IKE_CHILD_GONE;
	remove_half(child, IKE_OUT);
	child->rekey_now = false;
	child->rekey_at = MONO_NEVER;
	child->expire_at = MONO_NEVER;
	child->switch_at = MONO_NEVER;
	child->delete_at = MONO_NEVER;
	child->remove_at = mono_add_ms(child->sa->ike->now, IKE_IN_LINGER_MS);
	ike_sa_touch(child->sa);
}

void ike_child_end(struct ike_child *child)
{
	struct ike_sa *sa = child->sa;

	remove_half(child, IKE_OUT);
	remove_half(child, IKE_IN);
	DL_DELETE(sa->children, child);
	sa->n_children--;
	HASH_DEL(sa->ike->children, child);
	secret_wipe(child, sizeof(*child));
	free(child);
}

void ike_child_move_all(struct ike_sa *from, struct ike_sa *to)
{
	struct ike_child *child;
	struct ike_child *next;

	DL_FOREACH_SAFE (from->children, child, next) {
		DL_DELETE(from->children, child);
		from->n_children--;
		child->sa = to;
		DL_APPEND(to->children, child);
		to->n_children++;
	}
	ike_sa_touch(to);
}

void ike_child_update_addrs(struct ike_sa *sa)
{
	struct ike_child *child;

	DL_FOREACH (sa->children, child) {
		if (child->in_installed)
			emit(child, IKE_ACT_SA_UPDATE, IKE_IN);
		if (child->out_installed)
			emit(child, IKE_ACT_SA_UPDATE, IKE_OUT);
	}
}

void ike_child_timers(struct ike_sa *sa)
{
	struct mono now = sa->ike->now;
	struct ike_child *child;
	struct ike_child *next;

	DL_FOREACH_SAFE (sa->children, child, next) {
		if (mono_due(child->remove_at, now)) {
			ike_child_end(child);
			continue;
		}
		if (mono_due(child->switch_at, now))
			ike_child_switch(child);
		if (mono_due(child->rekey_at, now)) {
			child->rekey_at = MONO_NEVER;
			child->rekey_now = true;
			sa->want |= IKE_WANT_REKEY_CHILD;
		}
		if (mono_due(child->delete_at, now) ||
		    mono_due(child->expire_at, now)) {
			child->delete_at = MONO_NEVER;
			child->expire_at = MONO_NEVER;
			child->delete_ours = true;
			ike_child_replaced(child);
		}
	}
}

struct mono ike_child_deadline(const struct ike_sa *sa)
{
	struct mono at = MONO_NEVER;
	const struct ike_child *child;

	DL_FOREACH (sa->children, child) {
		at = mono_min(at, mono_min(child->rekey_at, child->expire_at));
		at = mono_min(at, mono_min(child->switch_at, child->delete_at));
		at = mono_min(at, child->remove_at);
	}
	return at;
}
