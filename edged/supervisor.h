/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * supervisor - keeps each tunnel up: owns the intent, tries again, never gives up
 *
 * The IKE engine makes one attempt when told to and reports how it ended; the
 * data plane and the path monitor report what they see. From that the
 * supervisor decides what is tried next, for tunnels that we call:
 *
 *   idle        the uplink cannot be used; it comes back without back-off
 *   connecting  resolving the name, then the engine's attempt, bounded in time
 *   waiting     failed: the next attempt after a jittered, growing pause; each
 *               attempt takes the next of the end point's addresses
 *   up          an SA is there. It stays while its uplink is away for a moment:
 *               no Delete, nothing to build when it returns
 *   stopped     by the operator
 *
 * "IKE alive, ESP dead": probes fail while the peer answers in IKE. Then the
 * child is rekeyed, after that the IKE SA made anew, and so on with growing
 * pauses; each step says so.
 *
 * A caller's tunnel is up or idle: it is the caller who tries.
 */
#ifndef ED_EDGED_SUPERVISOR_H
#define ED_EDGED_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "edged/tunnel.h"

struct edged;
struct ike_action;
struct ike_esp;
struct peer;
struct rng;
struct uplink;

enum {
	SUPERVISOR_ATTEMPT_MS = 12000, /* an attempt that takes longer is ended */
	SUPERVISOR_FIRST_MS = 200, /* pause after a loss of what was up */
	SUPERVISOR_PAUSE_MS = 1000, /* pause after the first failure, then doubled */
	SUPERVISOR_PAUSE_MAX_MS = 15000,
	SUPERVISOR_REFUSED_MIN_MS = 5000, /* when a person must mend something */
	SUPERVISOR_REFUSED_MAX_MS = 60000,
	SUPERVISOR_JITTER_PERCENT = 25,
	SUPERVISOR_DEAD_ASK_MS =
		2000, /* path down for this long: ask the peer by IKE */
	SUPERVISOR_DEAD_ANSWER_MS = 3000, /* and it has this long to answer */
	SUPERVISOR_DEAD_STEP_MS = 10000, /* between two steps, then doubled */
	SUPERVISOR_DEAD_STEP_MAX_MS = 300000,
};

/*
 * The pause before attempt number failures + 1, jittered. refused: the peer
 * answered and will not (secret, identity, proposal); trying often helps nobody.
 * Pure.
 */
int64_t supervisor_pause_us(unsigned int failures, bool refused, struct rng *rng);

/* t was made or its configuration changed: begin, or begin anew when anew is set. */
void supervisor_start(struct tunnel *t, bool anew);

/* t is about to be freed; gone: it is no longer configured. */
void supervisor_forget(struct tunnel *t, bool gone);

/* The uplink's state, addresses or gateway changed. */
void supervisor_uplink_changed(struct uplink *u);

/* t's path went down, or came back; called by the path monitor's changes. */
void supervisor_path_changed(struct tunnel *t);

/* An event of the engine about t (kind IKE_ACT_EVENT). */
void supervisor_ike_event(struct tunnel *t, const struct ike_action *act);

/* A direction of a child is installed (or moved): its outer addresses are known. */
void supervisor_sa_installed(struct tunnel *t, const struct ike_esp *esp);

/* An SA of an earlier process was taken up for t. */
void supervisor_restored(struct tunnel *t);

/* A caller proved to be t. */
void supervisor_called(struct tunnel *t);

/* The operator's commands, for all tunnels of p. */
void supervisor_restart(struct peer *p);
void supervisor_rekey(struct peer *p);

#endif
