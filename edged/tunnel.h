/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel - peer x end point x uplink, the thing that owns an interface
 *
 * Named `hub/isp1`, or `aws/a/isp1` where the peer has named end points; at a
 * hub `branch-042/isp1`, where isp1 is the caller's uplink. The name is the key
 * everywhere: IKE engine, control socket, database, interface alias.
 *
 * The tunnel owns interface, inside addresses, slot and intent; an IKE SA or
 * a child SA never does: SAs come and go below it. Its interface is made when
 * the tunnel is, never set down, and removed only when the configuration (or
 * --down) removes the tunnel.
 */
#ifndef ED_EDGED_TUNNEL_H
#define ED_EDGED_TUNNEL_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "edged/uplink.h"
#include "lib/addr.h"
#include "lib/loop.h"
#include "lib/mono.h"

struct config_endpoint;
struct path;
struct peer;

/* Longest name of a tunnel with its NUL: peer/end point/uplink. */
#define EDGED_TUNNEL_NAME_MAX (3 * EDGED_NAME_MAX)

/* Longest sentence of a failure, with its NUL. */
#define EDGED_SENTENCE_MAX 256

enum tunnel_state {
	TUNNEL_IDLE = 1, /* its uplink cannot be used, or the caller has not called */
	TUNNEL_CONNECTING, /* the engine is at it */
	TUNNEL_WAITING, /* failed; the next attempt is at retry_at */
	TUNNEL_UP, /* a child SA is installed */
	TUNNEL_STOPPED, /* by the operator */
};

/* The inside pair of one family; local.family is 0 where there is none. */
struct tunnel_inside {
	struct addr local;
	struct addr peer;
};

struct tunnel {
	struct edged *ed;
	struct peer *peer;
	struct uplink *uplink; /* ours; for a caller the one it came in by last */
	const struct config_endpoint *conf; /* NULL at a caller's tunnel */
	char name[EDGED_TUNNEL_NAME_MAX];
	char label[EDGED_NAME_MAX]; /* uplink's name as steering's `prefer` says it */
	char endpoint[EDGED_NAME_MAX]; /* the end point's name, "" where it has none */

	unsigned int slot; /* kept over restarts: interface name, if_id */
	uint32_t if_id;
	char ifname[IFNAMSIZ];
	int ifindex; /* 0 until the data plane made it */
	uint32_t mtu;

	struct tunnel_inside inside[ED_FAMILIES];
	struct endpoint local; /* outer, of the SA in use; family 0 when none */
	struct endpoint remote; /* outer: resolved, or where the caller calls from */
	bool encap; /* ESP in UDP */

	/* supervisor.c's */
	enum tunnel_state state;
	struct mono since; /* when state last changed */
	struct mono retry_at;
	unsigned int failures; /* in a row */
	char last_failure[EDGED_SENTENCE_MAX]; /* one sentence, "" when none yet */
	struct loop_timer retry;
	unsigned int esp_dead; /* rekeys tried for "IKE alive, ESP dead" */
	struct mono esp_dead_since;
	bool template_sent; /* the engine has the connection */

	struct path
		*path; /* its probe session, NULL until inside addresses are known */

	struct tunnel *prev, *next; /* in peer->tunnels */
	UT_hash_handle hh; /* in ed->tunnels, by name */
	UT_hash_handle hh_slot; /* in ed->tunnels_by_slot */
};

/* "up", "connecting", ... for logs, events and JSON. */
const char *tunnel_state_name(enum tunnel_state state);

/* True when a packet sent into the interface now would leave as ESP. */
bool tunnel_has_sa(const struct tunnel *t);

/*
 * True when steering and main's static routes may use t: it has an SA and its
 * probes come back. False also while that is not known.
 */
bool tunnel_alive(const struct tunnel *t);

#endif
