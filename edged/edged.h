/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edged - the daemon's parts and how they hang together
 *
 * One struct edged holds everything; one thread runs its loop. Read this after
 * main.c. The ways through it:
 *
 *   a datagram   ike_io -> ike_input() -> ike_host carries out the actions:
 *                save (RUN/ike), send (ike_io), install (dataplane), tell
 *                supervisor and tunnel
 *   a probe      pathmon -> path -> steer_peer() -> steer_apply -> edge-zebra,
 *                policy (main's routes)
 *   the kernel   kernel_events -> uplink -> ike_io, policy, supervisor
 *   a setting    config_load() -> config_diff() -> edged_apply(), object by object
 *
 * The parts never hold each other's memory: objects are found by name
 * (uplink, peer, tunnel), and pointers into ed->config are renewed by
 * edged_apply() before anything else runs.
 */
#ifndef ED_EDGED_EDGED_H
#define ED_EDGED_EDGED_H

#include <stdbool.h>
#include <stdint.h>

#include "edged/peer.h"
#include "edged/tunnel.h"
#include "edged/uplink.h"
#include "lib/loop.h"
#include "lib/mono.h"

struct config;
struct control;
struct dataplane;
struct fdstore;
struct ike;
struct ike_host;
struct kernel_events;
struct loop;
struct nlsock;
struct notify;
struct inside;
struct overrides;
struct path_monitor;
struct policy;
struct resolver;
struct rng;
struct sa_restored;
struct slots;
struct volumes;
struct steer_apply;
struct steering;
struct store;

struct edged_options {
	const char *config; /* the file; secrets.yaml lies beside it */
	const char *run; /* sockets, saved IKE SAs: gone after a reboot */
	const char *state; /* slots, overrides, volumes, database, configurations */
	bool without_steering; /* trouble-shooting: never move traffic by quality */
	bool without_leak_guard; /* trouble-shooting: no unreachable routes */
};

/* What is counted for people and metrics, since the start. */
struct edged_counts {
	uint64_t links_repaired; /* tunnel interfaces that had vanished */
	uint64_t sas_replaced; /* SAs that the data plane had lost */
	uint64_t callers_refused; /* attempts of callers that became no tunnel ... */
	uint64_t callers_auth; /* ... of these for secret or identity */
	int64_t applied_us; /* since the epoch: the configuration that runs */
	bool refused; /* the file as it was read last */
};

struct edged {
	struct edged_options opt;
	struct loop *loop;
	struct rng *rng;
	struct config *config; /* what runs now; replaced whole by edged_apply() */
	char name[EDGED_NAME_MAX]; /* of this site */
	struct mono started;

	struct uplink *uplinks; /* uthash by name (hh) */
	struct peer *peers; /* uthash by name (hh) */
	struct tunnel *tunnels; /* uthash by name (hh) */
	struct tunnel *tunnels_by_slot; /* uthash by slot (hh_slot) */

	struct nlsock *nl; /* for calls of all parts: addresses, links */
	struct notify *notify; /* the service manager */
	struct fdstore *fdstore;
	struct slots *slots;
	struct inside *inside; /* addresses that peers gave us, in STATE/inside */
	struct overrides *overrides; /* the operator's, in STATE/overrides */
	struct volumes *volumes; /* of metered uplinks, in STATE/volumes */
	struct dataplane *dataplane;
	struct ike *ike;
	struct ike_host *ike_host;
	struct kernel_events *kernel;
	struct resolver *resolver;
	struct path_monitor *paths; /* probes, reflector */
	struct steering *steering; /* plans of all peers */
	struct policy *policy; /* rules, tables, main's routes, leak guard */
	struct steer_apply *steer_apply; /* intent to edge-zebra */
	struct store *store; /* SQLite; NULL when it cannot be opened */
	struct control *control; /* the control socket */
	struct sa_restored *restored_sas; /* sa_host.c's, until the first comparison */
	struct edged_counts counts;
	struct mono dataplane_since; /* dp_ready() changed */
	bool dataplane_seen; /* the data plane has been ready once */
	struct loop_signal on_term, on_int, on_hup;
	bool stopping;
};

/*
 * Build everything from opt and start it. The configuration must be good.
 *
 * Returns 0 with the daemon in *ret, or a negative errno after logging why.
 */
int edged_new(const struct edged_options *opt, struct edged **ret);

/* Run until SIGTERM or SIGINT. Returns the exit status. */
int edged_run(struct edged *ed);

/* Stop, keep tunnels and routes in the kernel for the next start, free. */
void edged_free(struct edged *ed);

/*
 * Read the file again and apply what changed, object by object. A bad, empty
 * or cut-off file changes nothing; *ret_text then holds the messages (malloc'd,
 * the caller frees; NULL when there is nothing to say; ret_text may be NULL).
 *
 * Returns the number of objects changed, or -EINVAL for a refused file.
 */
int edged_apply(struct edged *ed, char **ret_text);

/* Remove everything that is ours from kernel and run folder, nothing else. */
int edged_down(const struct edged_options *opt);

/* Tell the service manager in a line how we are ("2 of 3 uplinks up"). */
void edged_status(struct edged *ed);

/* Find by name; NULL when there is none. */
struct uplink *edged_uplink(const struct edged *ed, const char *name);
struct peer *edged_peer(const struct edged *ed, const char *name);
struct tunnel *edged_tunnel(const struct edged *ed, const char *name);
struct uplink *edged_uplink_by_slot(const struct edged *ed, unsigned int slot);
struct tunnel *edged_tunnel_by_slot(const struct edged *ed, unsigned int slot);

/*
 * Operator's commands (edgectl uplink NAME down|up, peer NAME restart|rekey).
 * Uplink overrides are kept in STATE/overrides and survive restart and reboot;
 * *kept is false where that could not be written.
 *
 * Return 0, -ENOENT when there is no such object, -EALREADY when it is so.
 */
int edged_uplink_set(struct edged *ed, const char *name, bool up, const char *by,
		     bool *kept);
int edged_peer_restart(struct edged *ed, const char *name, const char *by);
int edged_peer_rekey(struct edged *ed, const char *name, const char *by);

#endif
