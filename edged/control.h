/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control - the control socket RUN/control.sock and what stands behind it
 *
 * lib/rpc carries the messages; here are the roles, the table of methods (one
 * file a subject: rpc_paths.c, rpc_tunnels.c, rpc_steer.c, rpc_config.c,
 * rpc_events.c, rpc_operator.c, rpc_metrics.c) and what is pushed to subscribers:
 *
 *	status.changed	 the whole status, at most 0.3 s after control_changed(),
 *			 and every second while a subscriber watches figures
 *	event		 each event as it happens
 *	zebra.intent	 the whole intent;  zebra.peer	one peer of it
 *
 * status.get, and what is pushed of it, has beside uplinks, peers, paths and last
 *
 *	started	  seconds since the epoch
 *	sentence  "2 of 3 uplinks are up. voice goes by isp1, bulk by isp2."
 *	attention [{"kind": "class", "subject": "hub/voice", "severity": "error",
 *		   "since": SECONDS, "text": "sentence with number and limit",
 *		   "did": "what edged did about it" or null, "event": ID or null}]
 *	helpers	  [{"name": "edge-zebra", "up": true, "since": SECONDS}]: those needed
 *	store	  {"writable": true, "trouble": null, "written": 1, "left_out": 0,
 *		   "queued": 0, "commits": 1}
 *	kernel	  {"rules": 9, "routes": 20, "failing": 0, "error": null,
 *		   "repaired": {"rules": 0, "routes": 0, "links": 0, "sas": 0}}: what is
 *		  wanted, what the kernel refuses now, what was found missing or wrong
 *		  and put right since the start
 *
 * An event has an "id": a whole number that grows with every event, over restarts
 * and over a database made anew. events.list takes it as "after".
 *
 * metrics.get answers {"schema": 1, "families": [{"name", "type", "help", "samples":
 * [{"labels": {"tunnel": "hub/isp1"}, "value": 1.0, "suffix": "_bucket"}]}]}; suffix
 * is there in histograms only (rpc_metrics.c).
 *
 * Answers hold raw numbers with their unit in the key, and "schema": 1. New keys
 * may come, old ones stay. Text from elsewhere is valid UTF-8 in an answer; its
 * control characters are escaped where it is shown.
 *
 * Roles: uid 0 and members of group edged-admin are operators (and may do what
 * the others may), members of group edged are viewers, user frr is the helper. User
 * edged-web, which is edge-webui, is a viewer and may do what an operator of the page
 * may, as long as it says who that is.
 */
#ifndef ED_EDGED_CONTROL_H
#define ED_EDGED_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"

struct control;
struct edged;
struct json_t;

enum {
	CONTROL_SCHEMA = 1,
	CONTROL_VIEWER = 1, /* roles, bits */
	CONTROL_HELPER = 2,
	CONTROL_OPERATOR = 4,
	CONTROL_WEB = 8,
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

/*
 * The last event of this kind about subject that this process saw, borrowed; NULL
 * when there was none.
 */
const struct json_t *control_recent(const struct control *c, const char *kind,
				    const char *subject);

/*
 * True when the site needs edge-zebra: it has BGP or classes, or it had a helper. With
 * static networks and no classes main's routes are all there is.
 */
bool control_zebra_needed(const struct control *c);

/* When edge-zebra came, or went; MONO_ZERO while it never was there. */
struct mono control_zebra_since(const struct control *c);

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
