/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the engine tells about itself: status, counters, words.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <utlist.h>

#include "ike/child_sa.h"
#include "ike/conn.h"

const char *ike_reason_name(enum ike_reason reason)
{
	static const char *const names[IKE_REASON_COUNT] = {
		[IKE_REASON_NONE] = "none",
		[IKE_REASON_ADMIN] = "admin",
		[IKE_REASON_CONFIG] = "config",
		[IKE_REASON_TIMEOUT] = "timeout",
		[IKE_REASON_PEER_DELETED] = "peer-deleted",
		[IKE_REASON_REPLACED] = "replaced",
		[IKE_REASON_EXPIRED] = "expired",
		[IKE_REASON_ADDRESS] = "address",
		[IKE_REASON_PROPOSAL] = "proposal",
		[IKE_REASON_AUTH] = "auth",
		[IKE_REASON_IDENTITY] = "identity",
		[IKE_REASON_SELECTORS] = "selectors",
		[IKE_REASON_INSIDE] = "inside",
		[IKE_REASON_NATT] = "nat-t",
		[IKE_REASON_SYNTAX] = "syntax",
		[IKE_REASON_LIMIT] = "limit",
		[IKE_REASON_PEER_REFUSED] = "peer-refused",
		[IKE_REASON_LOST] = "lost",
		[IKE_REASON_INTERNAL] = "internal",
	};

	return reason < IKE_REASON_COUNT && names[reason] ? names[reason] : "unknown";
}

const char *ike_event_name(enum ike_event event)
{
	switch (event) {
	case IKE_EV_UP:
		return "up";
	case IKE_EV_DOWN:
		return "down";
	case IKE_EV_FAILED:
		return "failed";
	case IKE_EV_CHILD_UP:
		return "child-up";
	case IKE_EV_CHILD_REKEYED:
		return "child-rekeyed";
	case IKE_EV_CHILD_DOWN:
		return "child-down";
	case IKE_EV_IKE_REKEYED:
		return "ike-rekeyed";
	case IKE_EV_PEER_MOVED:
		return "peer-moved";
	case IKE_EV_REFUSED:
		return "refused";
	case IKE_EV_NOTICE:
		return "notice";
	}
	return "unknown";
}

const char *ike_state_name(enum ike_state state)
{
	switch (state) {
	case IKE_DOWN:
		return "down";
	case IKE_CONNECTING:
		return "connecting";
	case IKE_UP:
		return "up";
	case IKE_CLOSING:
		return "closing";
	}
	return "unknown";
}

static enum ike_state state_of(const struct ike_sa *sa)
{
	if (ike_sa_is_up(sa))
		return IKE_UP;
	if (sa->state < IKE_SA_ESTABLISHED)
		return IKE_CONNECTING;
	return sa->state == IKE_SA_CLOSING ? IKE_CLOSING : IKE_DOWN;
}

/* Of a tunnel's SAs the one that says most: up, else on its way, else ending. */
static const struct ike_sa *best_sa(const struct ike_tun *tun)
{
	const struct ike_sa *best = NULL;
	int best_rank = -1;
	const struct ike_sa *sa;

	DL_FOREACH (tun->sas, sa) {
		enum ike_state state = state_of(sa);
		int rank = state == IKE_UP	     ? 3
			   : state == IKE_CONNECTING ? 2
			   : state == IKE_CLOSING    ? 1
						     : 0;

		if (rank > best_rank) {
			best = sa;
			best_rank = rank;
		}
	}
	return best;
}

static void fill_child(const struct ike_tun *tun, const struct ike_child *child,
		       struct ike_child_status *st)
{
	st->spi_in = child->spi_in;
	st->spi_out = child->spi_out;
	ike_suite_format(&child->suite, st->suite, sizeof(st->suite));
	st->pfs = child->pfs;
	st->family4 = child->family4;
	st->family6 = child->family6;
	st->since = child->since;
	st->rekey_at = child->rekey_at;
	st->rekeys = tun->child_rekeys;
}

static void fill_sa(const struct ike_sa *sa, struct ike_status *st)
{
	const struct ike_child *child = ike_child_current(sa);

	st->state = state_of(sa);
	st->initiator = sa->initiator;
	if (sa->suite.encr)
		ike_suite_format(&sa->suite, st->suite, sizeof(st->suite));
	st->spi_i = sa->initiator ? sa->own_spi : sa->peer_spi;
	st->spi_r = sa->initiator ? sa->peer_spi : sa->own_spi;
	if (sa->local_id.type)
		ike_id_format(&sa->local_id, st->local_id, sizeof(st->local_id));
	if (sa->remote_id.type)
		ike_id_format(&sa->remote_id, st->remote_id, sizeof(st->remote_id));
	st->at = sa->at;
	st->nat_local = sa->natd.local;
	st->nat_remote = sa->natd.remote;
	st->encap = sa->encap;
	st->since = sa->since;
	st->heard = sa->heard;
	st->rekey_at = sa->rekey_at;
	st->retransmits = sa->tries;
	st->has_child = child != NULL;
	if (child)
		fill_child(sa->tun, child, &st->child);
}

static void fill_failure(const struct ike_failure *f, struct ike_status *st)
{
	memcpy(st->failure, f->sentence, sizeof(st->failure));
	st->failure_reason = f->reason;
	st->failure_at = f->at;
}

static void fill_conn(const struct ike_conn *conn, struct ike_status *st)
{
	memset(st, 0, sizeof(*st));
	snprintf(st->tunnel, sizeof(st->tunnel), "%s", conn->cfg.name);
	st->template = conn->cfg.template;
	st->state = IKE_DOWN;
	snprintf(st->local_id, sizeof(st->local_id), "%s", conn->cfg.local_id);
	snprintf(st->remote_id, sizeof(st->remote_id), "%s", conn->cfg.remote_id);
	st->at.uplink = conn->cfg.uplink;
	st->at.local = (struct endpoint){conn->cfg.local, conn->cfg.local_port};
	st->at.remote = (struct endpoint){conn->cfg.remote, conn->cfg.remote_port};
	fill_failure(&conn->failure, st);
}

static void fill_tun(const struct ike_tun *tun, struct ike_status *st)
{
	const struct ike_sa *sa = best_sa(tun);

	fill_conn(tun->conn, st);
	snprintf(st->tunnel, sizeof(st->tunnel), "%s", tun->name);
	st->template = false;
	st->ike_rekeys = tun->ike_rekeys;
	st->inside = tun->inside;
	if (sa)
		fill_sa(sa, st);
	fill_failure(&tun->failure, st);
}

int ike_status_get(const struct ike *ike, const char *name, struct ike_status *st)
{
	const struct ike_tun *tun;
	const struct ike_conn *conn;

	HASH_FIND_STR(ike->tuns, name, tun);
	if (tun) {
		fill_tun(tun, st);
		return 0;
	}
	HASH_FIND_STR(ike->conns, name, conn);
	if (!conn)
		return -ENOENT;
	fill_conn(conn, st);
	return 0;
}

void ike_status_each(const struct ike *ike,
		     void (*fn)(void *ctx, const struct ike_status *st), void *ctx)
{
	struct ike_status st;

	for (const struct ike_conn *c = ike->conns; c; c = c->hh.next) {
		if (!c->cfg.template)
			continue;
		fill_conn(c, &st);
		fn(ctx, &st);
	}
	for (const struct ike_tun *t = ike->tuns; t; t = t->hh.next) {
		fill_tun(t, &st);
		fn(ctx, &st);
	}
}

void ike_each_esp(struct ike *ike,
		  void (*fn)(void *ctx, const char *tunnel, const struct ike_esp *esp),
		  void *ctx)
{
	struct ike_child *child;
	struct ike_child *next;
	struct ike_esp esp;

	HASH_ITER (hh, ike->children, child, next) {
		const char *name = child->sa->tun->name;

		if (child->in_installed) {
			ike_child_esp(child, IKE_IN, &esp);
			fn(ctx, name, &esp);
		}
		if (child->out_installed) {
			ike_child_esp(child, IKE_OUT, &esp);
			fn(ctx, name, &esp);
		}
	}
	secret_wipe(&esp, sizeof(esp));
}

void ike_counters_get(const struct ike *ike, struct ike_counters *out)
{
	*out = ike->counters;
}
