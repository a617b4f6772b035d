/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/conn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "ike/limits.h"
#include "ike/sa.h"
#include "lib/alloc.h"

struct ike_conn *ike_conn_find(struct ike *ike, const char *name)
{
	struct ike_conn *conn;

	HASH_FIND_STR(ike->conns, name, conn);
	return conn;
}

struct ike_tun *ike_tun_find(struct ike *ike, const char *name)
{
	struct ike_tun *tun;

	HASH_FIND_STR(ike->tuns, name, tun);
	return tun;
}

/* ---- configuration ------------------------------------------------------- */

static int refuse(char *why, const char *what)
{
	if (why)
		snprintf(why, IKE_SENTENCE_MAX, "%s", what);
	return -EINVAL;
}

static bool terminated(const char *s, size_t cap)
{
	return memchr(s, '\0', cap) != NULL;
}

static int check_suites(const struct ike_suite *s, size_t n, bool esp)
{
	if (n > IKE_SUITES_MAX)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (ike_proposal_check(&s[i], esp) < 0)
			return -EINVAL;
	return 0;
}

static int check_config(const struct ike_conn_config *c, char *why)
{
	struct ike_id id;

	if (!terminated(c->name, sizeof(c->name)) || !c->name[0])
		return refuse(why, "a connection needs a name");
	if (c->template && strlen(c->name) + 1 + IKE_LABEL_MAX >= IKE_NAME_MAX)
		return refuse(why, "the name of the peer is too long");
	if (!terminated(c->local_id, sizeof(c->local_id)) ||
	    (c->local_id[0] && ike_id_parse(c->local_id, &id) < 0))
		return refuse(why, "the local identity is neither address nor name");
	if (!terminated(c->remote_id, sizeof(c->remote_id)) ||
	    (c->remote_id[0] && ike_id_check_pattern(c->remote_id) < 0))
		return refuse(why, "the peer's identity is neither address nor name");
	if (c->template && !c->remote_id[0])
		return refuse(why, "a peer that calls needs an identity");
	if (!c->psk || !c->psk_len || c->psk_len > IKE_PSK_MAX)
		return refuse(why, "there is no secret, or it is too long");
	if (check_suites(c->ike_suites, c->n_ike_suites, false) < 0)
		return refuse(why, "an IKE suite is not complete");
	if (check_suites(c->esp_suites, c->n_esp_suites, true) < 0)
		return refuse(why, "an ESP suite is not possible");
	if (c->template && c->initiate)
		return refuse(why, "a template cannot call");
	if (c->initiate && (!c->local.family || c->local.family != c->remote.family))
		return refuse(why, "calling needs two addresses of one family");
	return 0;
}

static void defaults(struct ike_conn_config *c)
{
	/* clang-format off */
	const struct { uint32_t *field; uint32_t value; } wide[] = {
		{ &c->ike_life_s,    IKE_LIFE_S },
		{ &c->child_life_s,  IKE_CHILD_LIFE_S },
		{ &c->dpd_s,         IKE_DPD_S },
		{ &c->keepalive_s,   IKE_KEEPALIVE_S },
		{ &c->retransmit_ms, IKE_RETRANSMIT_MS },
		{ &c->retransmits,   IKE_RETRANSMITS },
		{ &c->max_tunnels,   IKE_MAX_TUNNELS },
	};
	const struct { uint16_t *field; uint16_t value; } ports[] = {
		{ &c->local_port,  IKE_PORT }, { &c->local_natt,  IKE_NATT_PORT },
		{ &c->remote_port, IKE_PORT }, { &c->remote_natt, IKE_NATT_PORT },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(wide); i++)
		if (!*wide[i].field)
			*wide[i].field = wide[i].value;
	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		if (!*ports[i].field)
			*ports[i].field = ports[i].value;
}

static void suites_from(struct ike_suites *out, const struct ike_suite *s, size_t n,
			const struct ike_suites *fallback)
{
	*out = *fallback;
	if (!n)
		return;
	memset(out, 0, sizeof(*out));
	memcpy(out->s, s, n * sizeof(*s));
	out->n = n;
}

static void conn_fill(struct ike_conn *conn, const struct ike_conn_config *config)
{
	conn->cfg = *config;
	conn->cfg.psk = NULL;
	defaults(&conn->cfg);
	secret_free(conn->psk);
	conn->psk = secret_new(config->psk, config->psk_len);
	conn->local_id = (struct ike_id){0};
	if (config->local_id[0])
		(void)ike_id_parse(config->local_id, &conn->local_id);
	suites_from(&conn->ike_suites, config->ike_suites, config->n_ike_suites,
		    &ike_proposal_default_ike);
	suites_from(&conn->esp_suites, config->esp_suites, config->n_esp_suites,
		    &ike_proposal_default_esp);
}

/* "Any" fits whatever an SA has: it says nothing against it. */
static bool addr_differs(const struct addr *a, const struct addr *b)
{
	return a->family && b->family && !addr_equal(a, b);
}

/* Would an SA of the old configuration have come out otherwise? */
static bool differs(const struct ike_conn *a, const struct ike_conn *b)
{
	return a->cfg.template != b->cfg.template || a->cfg.uplink != b->cfg.uplink ||
	       addr_differs(&a->cfg.local, &b->cfg.local) ||
	       addr_differs(&a->cfg.remote, &b->cfg.remote) ||
	       strcmp(a->cfg.local_id, b->cfg.local_id) != 0 ||
	       strcmp(a->cfg.remote_id, b->cfg.remote_id) != 0 ||
	       a->psk->len != b->psk->len ||
	       !secret_equal(a->psk->bytes, b->psk->bytes, a->psk->len) ||
	       memcmp(&a->ike_suites, &b->ike_suites, sizeof(a->ike_suites)) != 0 ||
	       memcmp(&a->esp_suites, &b->esp_suites, sizeof(a->esp_suites)) != 0 ||
	       a->cfg.force_encap != b->cfg.force_encap ||
	       a->cfg.want_inside4 != b->cfg.want_inside4 ||
	       a->cfg.want_inside6 != b->cfg.want_inside6;
}

static void end_tunnels(struct ike *ike, struct ike_conn *conn, enum ike_reason reason,
			const char *sentence)
{
	struct ike_tun *tun;
	struct ike_tun *next;

	HASH_ITER (hh, ike->tuns, tun, next)
		if (tun->conn == conn)
			ike_sa_close_all(tun, reason, sentence);
}

/* SAs that leave from, or go to, an address that the connection no longer has. */
static void end_misfits_of(struct ike_tun *tun, const struct ike_conn *conn)
{
	struct ike_sa *sa;
	struct ike_sa *next;

	DL_FOREACH_SAFE (tun->sas, sa, next) {
		struct ike_addrs at = sa->at;

		/* A peer behind a NAT may have moved. */
		if (sa->natd.remote && conn->cfg.remote.family)
			at.remote.addr = conn->cfg.remote;
		if (!ike_conn_accepts(conn, &at))
			ike_sa_close(sa, IKE_REASON_ADDRESS,
				     "an outer address changed");
	}
}

/* A start sets each connection twice: one that calls has one tunnel, of its name. */
static void end_misfits(struct ike *ike, const struct ike_conn *conn)
{
	struct ike_tun *tun;
	struct ike_tun *next;

	if (!conn->cfg.template) {
		tun = ike_tun_find(ike, conn->cfg.name);
		if (tun && tun->conn == conn)
			end_misfits_of(tun, conn);
		return;
	}
	HASH_ITER (hh, ike->tuns, tun, next)
		if (tun->conn == conn)
			end_misfits_of(tun, conn);
}

int ike_conn_set(struct ike *ike, struct mono now, const struct ike_conn_config *config,
		 char *why)
{
	struct ike_conn *conn;
	struct ike_conn *fresh;
	int err = check_config(config, why);

	if (err < 0)
		return err;
	ike_engine_enter(ike, now);
	ike->callees_stale = true;
	fresh = ed_alloc(sizeof(*fresh));
	conn_fill(fresh, config);
	conn = ike_conn_find(ike, config->name);
	if (!conn) {
		HASH_ADD_STR(ike->conns, cfg.name, fresh);
		if (!config->template)
			(void)ike_tun_get(ike, fresh, "", NULL);
	} else {
		if (differs(conn, fresh))
			end_tunnels(ike, conn, IKE_REASON_CONFIG,
				    "its configuration changed");
		conn_fill(conn, config);
		end_misfits(ike, conn);
		secret_free(fresh->psk);
		free(fresh);
		if (!config->template)
			(void)ike_tun_get(ike, conn, "", NULL);
	}
	ike_engine_leave(ike);
	return 0;
}

static void tun_free(struct ike *ike, struct ike_tun *tun)
{
	HASH_DEL(ike->tuns, tun);
	tun->conn->tunnels--;
	free(tun);
}

static void conn_free(struct ike *ike, struct ike_conn *conn)
{
	HASH_DEL(ike->conns, conn);
	ike->callees_stale = true;
	secret_free(conn->psk);
	free(conn);
}

int ike_conn_remove(struct ike *ike, struct mono now, const char *name)
{
	struct ike_conn *conn = ike_conn_find(ike, name);
	struct ike_tun *tun;
	struct ike_tun *next;

	if (!conn)
		return -ENOENT;
	ike_engine_enter(ike, now);
	HASH_ITER (hh, ike->tuns, tun, next) {
		if (tun->conn != conn)
			continue;
		ike_sa_drop_all(tun, IKE_REASON_CONFIG,
				"it is no longer in the configuration", true);
		tun_free(ike, tun);
	}
	ike_sa_forget_conn(ike, conn);
	conn_free(ike, conn);
	ike_engine_leave(ike);
	return 0;
}

void ike_conn_fini(struct ike *ike)
{
	struct ike_tun *tun;
	struct ike_tun *next_tun;
	struct ike_conn *conn;
	struct ike_conn *next_conn;

	HASH_ITER (hh, ike->tuns, tun, next_tun)
		tun_free(ike, tun);
	HASH_ITER (hh, ike->conns, conn, next_conn)
		conn_free(ike, conn);
	free(ike->callees);
}

/* ---- callers ------------------------------------------------------------- */

bool ike_conn_accepts(const struct ike_conn *conn, const struct ike_addrs *at)
{
	const struct ike_conn_config *c = &conn->cfg;

	if (!c->template && c->uplink != at->uplink)
		return false;
	if (c->local.family && !addr_equal(&c->local, &at->local.addr))
		return false;
	return !c->remote.family || addr_equal(&c->remote, &at->remote.addr);
}

/* Any caller's, at whatever uplink and address it arrives. */
static bool takes_anybody(const struct ike_conn *conn)
{
	return conn->cfg.template && !conn->cfg.local.family &&
	       !conn->cfg.remote.family;
}

static bool has_like(const struct ike *ike, const struct ike_conn *conn)
{
	for (size_t i = 0; i < ike->n_callees; i++) {
		const struct ike_conn *c = ike->callees[i];

		if (takes_anybody(c) && c->cfg.force_encap == conn->cfg.force_encap &&
		    memcmp(&c->ike_suites, &conn->ike_suites, sizeof(c->ike_suites)) ==
			    0)
			return true;
	}
	return false;
}

struct ike_conn *const *ike_conn_callees(struct ike *ike, size_t *n)
{
	struct ike_conn *conn;
	struct ike_conn *next;

	if (ike->callees_stale) {
		free(ike->callees);
		ike->callees =
			ed_array(HASH_CNT(hh, ike->conns) + 1, sizeof(*ike->callees));
		ike->n_callees = 0;
		HASH_ITER (hh, ike->conns, conn, next)
			if (!takes_anybody(conn) || !has_like(ike, conn))
				ike->callees[ike->n_callees++] = conn;
		ike->callees_stale = false;
	}
	*n = ike->n_callees;
	return ike->callees;
}

struct ike_id ike_conn_local_id(const struct ike_conn *conn, const struct addr *local)
{
	return conn->local_id.type ? conn->local_id : ike_id_from_addr(local);
}

bool ike_conn_knows(const struct ike_conn *conn, const struct addr *remote,
		    const struct ike_id *id, char label[IKE_LABEL_MAX + 1])
{
	struct ike_id want;

	if (conn->cfg.remote_id[0])
		return ike_id_match(conn->cfg.remote_id, id, label);
	label[0] = '\0';
	want = ike_id_from_addr(conn->cfg.remote.family ? &conn->cfg.remote : remote);
	return ike_id_equal(&want, id);
}

struct ike_conn *ike_conn_for_caller(struct ike *ike, const struct ike_addrs *at,
				     const struct ike_id *idi, const struct ike_id *idr,
				     char label[IKE_LABEL_MAX + 1],
				     enum ike_conn_miss *miss, struct ike_conn **near)
{
	struct ike_conn *best = NULL;
	unsigned int best_rank = 0;
	struct ike_conn *conn;
	struct ike_conn *next;

	*miss = IKE_MISS_CALLER;
	*near = NULL;
	HASH_ITER (hh, ike->conns, conn, next) {
		char l[IKE_LABEL_MAX + 1];
		struct ike_id local;
		unsigned int rank;

		if (!ike_conn_accepts(conn, at))
			continue;
		if (!ike_conn_knows(conn, &at->remote.addr, idi, l)) {
			if (*miss == IKE_MISS_CALLER && !conn->cfg.template)
				*near = conn;
			continue;
		}
		local = ike_conn_local_id(conn, &at->local.addr);
		if (idr->type && !ike_id_equal(&local, idr)) {
			*miss = IKE_MISS_CALLED;
			*near = conn;
			continue;
		}
		/* An address beats none, then the more exact name. */
		rank = (conn->cfg.remote.family ? 1000000 : 0) +
		       ike_id_rank(conn->cfg.remote_id);
		if (best && rank <= best_rank)
			continue;
		best = conn;
		best_rank = rank;
		memcpy(label, l, sizeof(l));
	}
	if (best)
		*miss = IKE_MISS_NONE;
	return best;
}

struct ike_failure *ike_conn_failure(struct ike *ike, struct ike_conn *conn)
{
	struct ike_tun *tun =
		conn->cfg.template ? NULL : ike_tun_find(ike, conn->cfg.name);

	return tun ? &tun->failure : &conn->failure;
}

bool ike_conn_is_alone(struct ike *ike, const struct ike_conn *conn)
{
	struct ike_conn *other;
	struct ike_conn *next;

	HASH_ITER (hh, ike->conns, other, next) {
		bool same_local;
		bool same_remote;

		if (other == conn)
			continue;
		same_local = conn->local_id.type
				     ? ike_id_equal(&conn->local_id, &other->local_id)
				     : !other->local_id.type &&
					       addr_equal(&conn->cfg.local,
							  &other->cfg.local);
		same_remote = strcmp(conn->cfg.remote_id, other->cfg.remote_id) == 0 &&
			      (conn->cfg.remote_id[0] ||
			       addr_equal(&conn->cfg.remote, &other->cfg.remote));
		if (same_local && same_remote)
			return false;
	}
	return true;
}

/* A template is full: give up a tunnel of it that has nothing. */
static bool make_room(struct ike *ike, struct ike_conn *conn)
{
	struct ike_tun *tun;
	struct ike_tun *next;

	HASH_ITER (hh, ike->tuns, tun, next) {
		if (tun->conn == conn && !tun->sas) {
			tun_free(ike, tun);
			return true;
		}
	}
	return false;
}

struct ike_tun *ike_tun_get(struct ike *ike, struct ike_conn *conn, const char *label,
			    bool *made)
{
	char name[IKE_NAME_MAX];
	struct ike_tun *tun;

	if (conn->cfg.template && label[0])
		snprintf(name, sizeof(name), "%.*s/%s",
			 IKE_NAME_MAX - IKE_LABEL_MAX - 3, conn->cfg.name, label);
	else
		snprintf(name, sizeof(name), "%s", conn->cfg.name);
	if (made)
		*made = false;
	tun = ike_tun_find(ike, name);
	if (tun)
		return tun->conn == conn ? tun : NULL;
	if (conn->tunnels >= conn->cfg.max_tunnels && !make_room(ike, conn))
		return NULL;
	tun = ed_alloc(sizeof(*tun));
	snprintf(tun->name, sizeof(tun->name), "%s", name);
	snprintf(tun->label, sizeof(tun->label), "%s", label);
	tun->conn = conn;
	conn->tunnels++;
	HASH_ADD_STR(ike->tuns, name, tun);
	if (made)
		*made = true;
	return tun;
}
