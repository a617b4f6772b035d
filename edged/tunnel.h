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

#include "edged/config/config.h"
#include "edged/uplink.h"
#include "lib/addr.h"
#include "lib/loop.h"
#include "lib/mono.h"

struct path;
struct peer;
struct resolve_query;

/* Longest name of a tunnel with its NUL: peer/end point/uplink. */
#define EDGED_TUNNEL_NAME_MAX (3 * EDGED_NAME_MAX)

/* Longest sentence of a failure, with its NUL. */
#define EDGED_SENTENCE_MAX 512

enum tunnel_state {
	TUNNEL_IDLE = 1, /* its uplink cannot be used, or the caller has not called */
	TUNNEL_CONNECTING, /* the engine, or the resolver, is at it */
	TUNNEL_WAITING, /* failed; the next attempt is at retry_at */
	TUNNEL_UP, /* a child SA is installed */
	TUNNEL_STOPPED, /* by the operator */
};

/* How an attempt failed. */
enum tunnel_failure {
	TUNNEL_UNREACHED, /* no answer, no address, or it could not be sent */
	TUNNEL_REFUSED, /* the peer answered and will not: proposal, selectors */
	TUNNEL_AUTH, /* secret or identity: one end does not believe the other */
	TUNNEL_FAILURES,
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
	struct config_id our_id; /* what we prove, and ... */
	struct config_id peer_id; /* ... what it must prove; not of a caller */

	unsigned int slot; /* kept over restarts: interface name, if_id */
	uint32_t if_id;
	char ifname[IFNAMSIZ];
	int ifindex; /* 0 until the data plane made it */
	uint32_t mtu;

	struct tunnel_inside inside[ED_FAMILIES];
	struct endpoint local; /* outer, of the SA in use; family 0 when none */
	struct endpoint remote; /* outer: resolved, or where the caller calls from */
	bool encap; /* ESP in UDP */
	struct loop_timer announce; /* inside addresses once more, for zebra */
	unsigned int announced; /* how often since they were set */

	/* supervisor.c's */
	enum tunnel_state state;
	struct mono since; /* when state last changed */
	struct mono retry_at; /* of TUNNEL_WAITING */
	unsigned int failures; /* in a row */
	unsigned int turn; /* which of the end point's addresses is tried */
	char last_failure[EDGED_SENTENCE_MAX]; /* one sentence, "" when none yet */
	int64_t last_failure_time_us; /* since the epoch */
	uint64_t failed[TUNNEL_FAILURES]; /* attempts since it was made */
	uint64_t rekeyed_ike; /* times, since it was made */
	uint64_t rekeyed_child;
	struct loop_timer timer; /* next attempt, end of an attempt */
	struct loop_timer watch; /* "IKE alive, ESP dead" */
	unsigned int esp_dead; /* steps taken against it, in a row */
	struct mono esp_asked; /* when the peer was asked for a sign of life */
	struct resolve_query *resolving; /* a question under way, or NULL */

	struct path
		*path; /* its probe session, NULL until inside addresses are known */

	struct tunnel *prev, *next; /* in peer->tunnels */
	UT_hash_handle hh; /* in ed->tunnels, by name */
	UT_hash_handle hh_slot; /* in ed->tunnels_by_slot */
};

/* "up", "connecting", ... for logs, events and JSON. */
const char *tunnel_state_name(enum tunnel_state state);

/* "unreached", "refused", "auth": stable for programs. */
const char *tunnel_failure_name(enum tunnel_failure failure);

/* True when a packet sent into the interface now would leave as ESP. */
bool tunnel_has_sa(const struct tunnel *t);

/*
 * True when steering and main's static routes may use t: it has an SA and its
 * probes come back. False also while that is not known.
 */
bool tunnel_alive(const struct tunnel *t);

/*
 * Make the tunnel that ct describes, with slot, interface and the inside
 * addresses that the file gives, in ed and peer. The supervisor is not told yet.
 *
 * Returns it, or NULL after logging why.
 */
struct tunnel *tunnel_new(struct peer *p, const struct config_tunnel *ct);

/* The same for a caller of p that proved to come by its uplink label. */
struct tunnel *tunnel_new_caller(struct peer *p, const char *name, const char *label,
				 struct uplink *u);

/*
 * Free t; the interface and its SAs stay for the next start. With gone set the
 * tunnel is no longer configured: interface, slot and SAs go too.
 */
void tunnel_free(struct tunnel *t, bool gone);

/* Renew the pointers into a new configuration; true when t must be made anew. */
bool tunnel_reconfigure(struct tunnel *t, const struct config_tunnel *ct);

/* The inside addresses are these now (configuration, or the peer's answer). */
void tunnel_set_inside(struct tunnel *t,
		       const struct tunnel_inside inside[ED_FAMILIES]);

/*
 * Give a caller's tunnel its pair of each wanted family, by its slot: sticky
 * over restarts of both ends. False when `inside:` has no range or no room.
 */
bool tunnel_allot_inside(struct tunnel *t, bool want4, bool want6);

/*
 * The pair number index (from 1) of a range: a /31 or /127 each, ours the even
 * one. Pure. False when the range has no such pair.
 */
bool tunnel_inside_pair(const struct prefix *range, unsigned int index,
			struct tunnel_inside *ret);

/* The uplink's interface or MTU changed: tell the data plane. */
void tunnel_interface_update(struct tunnel *t);

/* The interface is there under this index (made anew): addresses, routes, probes. */
void tunnel_interface_is(struct tunnel *t, int ifindex);

/* The interface was set down and is up again: put back what went with that. */
void tunnel_interface_again(struct tunnel *t);

#endif
