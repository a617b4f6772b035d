/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control - the control socket RUN/control.sock and what stands behind it
 *
 * lib/rpc carries the messages; here are the roles, the table of methods (one
 * file a subject: rpc_paths.c, rpc_tunnels.c, rpc_steer.c, rpc_config.c,
 * rpc_events.c, rpc_zebra.c) and what is pushed to subscribers:
 *
 *	status.changed	 the whole status, at most 0.3 s after control_changed(),
 *			 and every second while a subscriber watches figures
 *	event		 each event as it happens
 *	zebra.intent	 the whole intent;  zebra.peer	one peer of it
 *
 * Answers hold raw numbers with their unit in the key, and "schema": 1. New keys
 * may come, old ones stay. Text from elsewhere is valid UTF-8 in an answer; its
 * control characters are escaped where it is shown.
 *
 * Roles: uid 0 and members of group edged-admin are operators (and may do what
 * the others may), members of group edged are viewers, user frr is the helper.
 */
#ifndef ED_EDGED_CONTROL_H
#define ED_EDGED_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

struct control;
struct edged;
struct json_t;

enum {
	CONTROL_SCHEMA = 1,
	CONTROL_VIEWER = 1, /* roles, bits */
	CONTROL_HELPER = 2,
	CONTROL_OPERATOR = 4,
};

/*
 * Listen on ed->opt.run/control.sock and serve.
 *
 * Returns 0 with *ret for control_free(), or a negative errno after logging why
 * (-EADDRINUSE: another edged runs on this run folder).
 */
int control_new(struct edged *ed, struct control **ret);

/* Close all connections and remove the socket. NULL is allowed. */
void control_free(struct control *c);

/*
 * Something that people look at changed (a state, a plan, a configuration). c
 * may be NULL, as everywhere below: early in a start, late in a stop.
 */
void control_changed(struct control *c);

/* Tell followers of events. Takes over the reference. */
void control_event(struct control *c, struct json_t *event);

struct rates;

/* What goes over each uplink (rates.h); NULL while there is no control socket. */
const struct rates *control_rates(const struct control *c);

/* --- edge-zebra ------------------------------------------------------------ */

struct control_zebra_ops {
	/* The whole intent, a new reference: for a helper that subscribes. */
	struct json_t *(*intent)(void *ctx);
	/* What the helper says of itself (zebra.state), borrowed. */
	void (*state)(void *ctx, const struct json_t *report);
	/* The first helper came, or the last one left. */
	void (*connected)(void *ctx, bool yes);
};

/* Who answers for edge-zebra; set once at start. */
void control_zebra_set(struct control *c, const struct control_zebra_ops *ops,
		       void *ctx);

/* The intent as a whole changed: ask ops.intent and push it, if a helper is there. */
void control_zebra_changed(struct control *c);

/* Push one peer's part of the intent. Takes over the reference. */
void control_zebra_peer(struct control *c, struct json_t *peer);

/* True while a helper is subscribed. */
bool control_zebra_connected(const struct control *c);

/* The last report of the helper, borrowed; NULL before the first or without one. */
const struct json_t *control_zebra_report(const struct control *c);

#endif
