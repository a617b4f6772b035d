/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edged/config/config.h"
#include "edged/edged.h"
#include "edged/events.h"
#include "edged/ike_conn.h"
#include "edged/ike_host.h"
#include "edged/slots.h"
#include "edged/steering.h"
#include "edged/tunnel.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/log.h"

struct peer *peer_new(struct edged *ed, const struct config_peer *conf)
{
	struct peer *p = ed_alloc(sizeof(*p));

	p->ed = ed;
	p->conf = conf;
	p->calls_us = config_calls_us(conf);
	snprintf(p->name, sizeof(p->name), "%s", conf->name);
	HASH_ADD_STR(ed->peers, name, p);
	return p;
}

void peer_free(struct peer *p, bool gone)
{
	struct tunnel *t;
	struct tunnel *tmp;

	if (gone && p->calls_us)
		ike_conn_forget(p->ed, p->name);
	DL_FOREACH_SAFE (p->tunnels, t, tmp)
		tunnel_free(t, gone);
	steering_forget(p);
	HASH_DEL(p->ed->peers, p);
	free(p);
}

void peer_answer(struct peer *p)
{
	char why[EDGED_SENTENCE_MAX] = "";

	if (ike_conn_set_peer(p, why, sizeof(why)) < 0)
		ed_error(p->name, "calls are not answered: %s", why);
	ike_host_pump(p->ed);
}

static bool in_use(const struct tunnel *t)
{
	struct ike_status st;

	return tunnel_has_sa(t) ||
	       (ike_status_get(t->ed->ike, t->name, &st) == 0 && st.state != IKE_DOWN);
}

bool peer_make_room(struct peer *p, const struct tunnel *fresh)
{
	struct tunnel *oldest;
	struct tunnel *t;

	/* Ends: each round takes one out of the list. */
	while (p->tunnel_count > PEER_TUNNELS_MAX) {
		oldest = NULL;
		DL_FOREACH (p->tunnels, t)
			if (t != fresh && !in_use(t) &&
			    (!oldest || mono_before(t->since, oldest->since)))
				oldest = t;
		if (!oldest)
			return false;
		event_emit(p->ed, EVENT_TUNNEL, oldest->name,
			   tunnel_state_name(oldest->state), "removed",
			   "the peer calls by more names than it may have tunnels, and "
			   "this one has been down longest",
			   EVENT_NUMBERS(event_int("most", PEER_TUNNELS_MAX)));
		tunnel_free(oldest, true);
	}
	return true;
}

/* One slot of an earlier process: is it a caller's tunnel? */
static void revive(void *ctx, const char *name, unsigned int slot)
{
	struct edged *ed = ctx;
	const char *label = strchr(name, '/');
	char peer[EDGED_NAME_MAX];
	struct peer *p;

	(void)slot;
	if (!label || !label[1] || strlen(label + 1) >= EDGED_NAME_MAX ||
	    (size_t)(label - name) >= sizeof(peer))
		return;
	snprintf(peer, sizeof(peer), "%.*s", (int)(label - name), name);
	p = edged_peer(ed, peer);
	/* By which uplink it calls is known when it does. */
	if (p && p->calls_us && !edged_tunnel(ed, name))
		(void)tunnel_new_caller(p, name, label + 1, ed->uplinks);
}

void peers_revive(struct edged *ed)
{
	if (ed->uplinks)
		slots_each(ed->slots, SLOT_TUNNEL, revive, ed);
}
