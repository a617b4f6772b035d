/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/sa_host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "edged/edged.h"
#include "edged/events.h"
#include "edged/ike_host.h"
#include "edged/ike_io.h"
#include "edged/path.h"
#include "edged/supervisor.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/secret.h"
#include "routing/owned.h"

enum { ENCR_AES_GCM_16 = 20 }; /* IANA, IKEv2 transform type 1 */

/* One direction of a child that a saved SA brought along. */
struct sa_restored {
	struct {
		uint32_t slot;
		uint32_t spi;
		enum dp_dir dir;
	} key;
	uint32_t spi_in; /* by which the engine knows its child */
	bool found;
	UT_hash_handle hh;
};

/* ---- engine to data plane ------------------------------------------------- */

static enum dp_dir dir_of(const struct ike_esp *esp)
{
	return esp->dir == IKE_IN ? DP_IN : DP_OUT;
}

static uint32_t spi_in_of(const struct ike_esp *esp)
{
	return esp->dir == IKE_IN ? esp->spi : esp->spi_pair;
}

static bool to_dp(const struct tunnel *t, const struct uplink *u,
		  const struct ike_esp *esp, struct dp_sa *sa)
{
	*sa = (struct dp_sa){
		.slot = t->slot,
		.spi = esp->spi,
		.dir = dir_of(esp),
		.cipher = esp->key_bits == 128 ? DP_AES128_GCM16 : DP_AES256_GCM16,
		.encap = esp->encap,
		.socket = ike_io_socket(u, edged_family(esp->remote.addr.family)),
		.uplink_ifindex = u->ifindex,
		.mark = rt_uplink_mark(u->slot),
		.mark_mask = RT_MARK_UPLINK_MASK,
		.local = esp->local,
		.remote = esp->remote,
	};
	if (esp->encr != ENCR_AES_GCM_16 || esp->key_len > sizeof(sa->key))
		return false;
	memcpy(sa->key, esp->key, esp->key_len);
	return true;
}

static void install_failed(struct edged *ed, const char *tunnel,
			   const struct ike_esp *esp, int err)
{
	ed_error(tunnel, "%s SA %08" PRIx32 " not installed: %s",
		 esp->dir == IKE_IN ? "inbound" : "outbound", esp->spi, strerror(-err));
	(void)ike_child_lost(ed->ike, loop_now(ed->loop), spi_in_of(esp));
}

void sa_host_install(struct edged *ed, const char *tunnel, const struct ike_esp *esp)
{
	struct tunnel *t = edged_tunnel(ed, tunnel);
	struct uplink *u = edged_uplink_by_slot(ed, esp->uplink);
	struct dp_sa sa;
	int err;

	if (!t || !u) {
		install_failed(ed, tunnel, esp, -ENOENT);
		return;
	}
	err = to_dp(t, u, esp, &sa) ? dp_sa_install(ed->dataplane, &sa) : -EOPNOTSUPP;
	secret_wipe(&sa, sizeof(sa));
	if (err < 0) {
		install_failed(ed, tunnel, esp, err);
		return;
	}
	supervisor_sa_installed(t, esp);
}

void sa_host_update(struct edged *ed, const char *tunnel, const struct ike_esp *esp)
{
	struct tunnel *t = edged_tunnel(ed, tunnel);
	struct uplink *u = edged_uplink_by_slot(ed, esp->uplink);
	int err;

	if (!t || !u)
		return;
	err = dp_sa_update(ed->dataplane, t->slot, dir_of(esp), esp->spi,
			   ike_io_socket(u, edged_family(esp->remote.addr.family)),
			   &esp->local, &esp->remote);
	if (err < 0)
		install_failed(ed, tunnel, esp, err);
	else
		supervisor_sa_installed(t, esp);
}

void sa_host_remove(struct edged *ed, const char *tunnel, const struct ike_esp *esp)
{
	struct tunnel *t = edged_tunnel(ed, tunnel);
	int err;

	if (!t)
		return; /* its interface went, and the SAs with it */
	err = dp_sa_remove(ed->dataplane, t->slot, dir_of(esp), esp->spi);
	if (err < 0 && err != -ENOENT)
		ed_warn(tunnel, "SA %08" PRIx32 " not removed: %s", esp->spi,
			strerror(-err));
}

/* ---- after a restart ------------------------------------------------------- */

static void note_one(void *ctx, const char *tunnel, const struct ike_esp *esp)
{
	struct edged *ed = ctx;
	struct tunnel *t = edged_tunnel(ed, tunnel);
	struct sa_restored *r;

	if (!t)
		return;
	r = ed_alloc(sizeof(*r));
	r->key.slot = t->slot;
	r->key.spi = esp->spi;
	r->key.dir = dir_of(esp);
	r->spi_in = spi_in_of(esp);
	HASH_ADD(hh, ed->restored_sas, key, sizeof(r->key), r);
	supervisor_sa_installed(t, esp);
	supervisor_restored(t);
}

void sa_host_note_restored(struct edged *ed)
{
	ike_each_esp(ed->ike, note_one, ed);
}

void sa_host_fini(struct edged *ed)
{
	struct sa_restored *r;
	struct sa_restored *tmp;

	HASH_ITER (hh, ed->restored_sas, r, tmp) {
		HASH_DEL(ed->restored_sas, r);
		free(r);
	}
}

/* SAs that the data plane has and the engine does not know. */
struct strays {
	struct edged *ed;
	struct dp_sa_info *v;
	size_t n;
};

static void match_one(void *ctx, const struct dp_sa_info *sa)
{
	struct strays *s = ctx;
	struct sa_restored *r;
	struct sa_restored probe = {0};

	probe.key.slot = sa->slot;
	probe.key.spi = sa->spi;
	probe.key.dir = sa->dir;
	HASH_FIND(hh, s->ed->restored_sas, &probe.key, sizeof(probe.key), r);
	if (r) {
		r->found = true;
		return;
	}
	s->v = ed_realloc(s->v, s->n + 1, sizeof(*s->v));
	s->v[s->n++] = *sa;
}

/* Children installed since the start are in the dump too: take them out. */
static void drop_known(void *ctx, const char *tunnel, const struct ike_esp *esp)
{
	struct strays *s = ctx;
	const struct tunnel *t = edged_tunnel(s->ed, tunnel);

	for (size_t i = 0; t && i < s->n; i++) {
		if (s->v[i].slot != t->slot || s->v[i].spi != esp->spi ||
		    s->v[i].dir != dir_of(esp))
			continue;
		s->v[i] = s->v[--s->n];
		return;
	}
}

static void remove_strays(struct strays *s)
{
	if (s->n)
		ike_each_esp(s->ed->ike, drop_known, s);
	for (size_t i = 0; i < s->n; i++)
		(void)dp_sa_remove(s->ed->dataplane, s->v[i].slot, s->v[i].dir,
				   s->v[i].spi);
	if (s->n)
		ed_info("dataplane", "%zu SAs that nobody knows any more removed",
			s->n);
	free(s->v);
}

static void compare_restored(struct edged *ed)
{
	struct strays s = {.ed = ed};
	struct sa_restored *r;
	struct sa_restored *tmp;
	unsigned int lost = 0;

	if (dp_dump(ed->dataplane, match_one, &s) < 0) {
		free(s.v);
		return;
	}
	HASH_ITER (hh, ed->restored_sas, r, tmp) {
		if (!r->found &&
		    ike_child_lost(ed->ike, loop_now(ed->loop), r->spi_in) == 0)
			lost++;
	}
	sa_host_fini(ed);
	if (lost)
		ed_info("dataplane", "%u SAs did not survive: replaced by new ones",
			lost);
	remove_strays(&s);
}

/* ---- data plane to engine --------------------------------------------------- */

static void on_ready(void *ctx, bool up)
{
	struct edged *ed = ctx;

	ed->dataplane_since = loop_now(ed->loop);
	event_emit(ed, EVENT_DAEMON, "dataplane", up ? "away" : "up",
		   up ? "up" : "away",
		   up ? "packets are carried"
		      : "edge-esp is away: packets wait for it to come back",
		   NULL);
	if (up && !ed->dataplane_seen) {
		ed->dataplane_seen = true;
		compare_restored(ed);
	}
	ike_host_pump(ed);
}

static void on_ike(void *ctx, uint32_t socket, const struct endpoint *local,
		   const struct endpoint *remote, const uint8_t *bytes, size_t len)
{
	ike_io_from_dataplane(ctx, socket, local, remote, bytes, len);
}

/* The engine knows a child by its inbound half. */
struct lost_out {
	const char *tunnel;
	uint32_t spi_out;
	uint32_t spi_in;
};

static void find_lost_out(void *ctx, const char *tunnel, const struct ike_esp *esp)
{
	struct lost_out *l = ctx;

	if (esp->dir == IKE_OUT && esp->spi == l->spi_out &&
	    strcmp(tunnel, l->tunnel) == 0)
		l->spi_in = esp->spi_pair;
}

static void on_sa_lost(void *ctx, uint32_t slot, enum dp_dir dir, uint32_t spi)
{
	struct edged *ed = ctx;
	const struct tunnel *t = edged_tunnel_by_slot(ed, slot);
	struct lost_out l = {.spi_out = spi, .spi_in = dir == DP_IN ? spi : 0};

	ed->counts.sas_replaced++;
	ed_info(t ? t->name : "dataplane", "%s SA %08" PRIx32 " is gone: replacing it",
		dir == DP_IN ? "inbound" : "outbound", spi);
	if (dir == DP_OUT && t) {
		l.tunnel = t->name;
		ike_each_esp(ed->ike, find_lost_out, &l);
	}
	if (l.spi_in)
		(void)ike_child_lost(ed->ike, loop_now(ed->loop), l.spi_in);
	ike_host_pump(ed);
}

static void on_sa_expire(void *ctx, uint32_t slot, enum dp_dir dir, uint32_t spi,
			 bool hard)
{
	struct edged *ed = ctx;
	const struct tunnel *t = edged_tunnel_by_slot(ed, slot);

	if (!t)
		return;
	ed_info(t->name, "sequence numbers of %s SA %08" PRIx32 " %s: rekeying",
		dir == DP_IN ? "inbound" : "outbound", spi,
		hard ? "are used up" : "run out");
	(void)ike_rekey_child(ed->ike, loop_now(ed->loop), t->name);
	ike_host_pump(ed);
}

static void on_mapping(void *ctx, uint32_t slot, uint32_t spi,
		       const struct endpoint *remote)
{
	struct edged *ed = ctx;

	(void)slot;
	ike_child_moved(ed->ike, loop_now(ed->loop), spi, remote);
	ike_host_pump(ed);
}

static void on_tunnel_restored(void *ctx, uint32_t slot, int ifindex)
{
	struct edged *ed = ctx;
	struct tunnel *t = edged_tunnel_by_slot(ed, slot);

	ed->counts.links_repaired++;
	if (t)
		tunnel_interface_is(t, ifindex);
}

const struct dp_host sa_host_dp = {
	.ready = on_ready,
	.ike = on_ike,
	.sa_lost = on_sa_lost,
	.sa_expire = on_sa_expire,
	.mapping = on_mapping,
	.tunnel_restored = on_tunnel_restored,
};
