/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * peer - who we build tunnels to
 *
 * A peer owns its tunnels and its steering state. Peers with an address are
 * called by us: a tunnel for each of their end points and each uplink of
 * `via`. Peers without one call us: their tunnels appear when a caller proves
 * an identity that the peer accepts, and stay (down) when it goes, so that
 * interface, routes and addresses survive; beyond PEER_TUNNELS_MAX the one that
 * has been down longest goes.
 */
#ifndef ED_EDGED_PEER_H
#define ED_EDGED_PEER_H

#include <stdbool.h>
#include <uthash.h>

#include "edged/uplink.h"

enum {
	PEER_TUNNELS_MAX = 16, /* of a peer that calls us: it chooses their names */
};

struct config_peer;
struct tunnel;
struct edged;
struct peer_steer;

struct peer {
	struct edged *ed;
	const struct config_peer *conf; /* of ed->config, renewed by each apply */
	char name[EDGED_NAME_MAX];
	bool calls_us; /* no address: a hub's branch */
	struct tunnel *tunnels; /* utlist by ->next, in file order or of appearance */
	unsigned int tunnel_count;
	struct peer_steer *steer; /* steering.c's: state of steer_peer(), last plan */
	UT_hash_handle hh; /* in ed->peers, by name, in file order */
};

/* Make the peer of conf, in ed, without tunnels. */
struct peer *peer_new(struct edged *ed, const struct config_peer *conf);

/*
 * Free p with its tunnels. gone: it is no longer configured, everything of its
 * tunnels goes; otherwise all of it stays for the next start.
 */
void peer_free(struct peer *p, bool gone);

/* A peer that calls us: tell the engine whom to answer; again after a change. */
void peer_answer(struct peer *p);

/*
 * A caller's tunnel fresh was made: remove others that are down until no more
 * than PEER_TUNNELS_MAX are left. Returns false when too many are in use.
 */
bool peer_make_room(struct peer *p, const struct tunnel *fresh);

/*
 * Make the tunnels of callers that an earlier process knew (by their slots), so
 * that their SAs can be taken up. Once, after all peers were made.
 */
void peers_revive(struct edged *ed);

#endif
