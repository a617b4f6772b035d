/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edged/config/config.h"
#include "edged/edged.h"
#include "edged/ike_conn.h"
#include "edged/ike_host.h"
#include "edged/slots.h"
#include "edged/steering.h"
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
