/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mirror - the class tables as they should be, and the way there; no I/O
 *
 * Two things flow in: the intent (peers, tunnels, members per class, static
 * networks) and what zebra tells (BGP's prefixes, links, what became of what we
 * sent). Out go four kinds of commands: set or delete a group, add or delete a
 * route.
 *
 * A prefix belongs to a set of peers: those with it as static network, else
 * those its BGP next hops lead to. For each set, class and family there is one
 * next-hop group; a prefix has one route in each class table that points at it.
 * So a path change is a few groups, whatever the number of prefixes.
 *
 * What is hard:
 * - A route that names a group unknown to zebra is dropped without a word. So
 *   routes wait until their group is reported installed.
 * - At most one change of a group is under way; the newest wins; no answer in 1 s
 *   sends it again.
 * - The kernel drops a member whose interface goes down, and with the last one
 *   group and routes. FRR 8.4 puts neither back: the group is sent again when the
 *   interface is up; after the last one, routes and group are deleted and made
 *   anew.
 * - zebra gone: nothing stands any more; everything is sent again, learned
 *   prefixes as they were. bgpd gone: its prefixes stay for the hold time.
 * - Of a loss zebra may tell before it tells that bgpd is gone: losses count
 *   after 200 ms.
 */
#ifndef ED_ROUTING_ZEBRA_MIRROR_H
#define ED_ROUTING_ZEBRA_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/mono.h"
#include "routing/intent.h"

struct mirror;

struct mirror_hop {
	struct addr gateway;
	uint32_t ifindex;
	uint8_t weight;
};

enum { MIRROR_HOPS_MAX = 64 };

enum mirror_outcome { MIRROR_INSTALLED = 1, MIRROR_REMOVED, MIRROR_FAILED };

struct mirror_ops {
	void (*group_set)(void *ctx, uint32_t group, const struct mirror_hop *hops,
			  size_t n);
	void (*group_del)(void *ctx, uint32_t group);
	void (*route_add)(void *ctx, uint32_t table, const struct prefix *prefix,
			  uint32_t group);
	void (*route_del)(void *ctx, uint32_t table, const struct prefix *prefix);
};

/*
 * An empty mirror. Groups are numbered from first_group on: above everything an
 * earlier process left, so that its routes are never led elsewhere.
 */
struct mirror *mirror_new(const struct mirror_ops *ops, void *ctx,
			  uint32_t first_group);
void mirror_free(struct mirror *m);

/* --- from edged ----------------------------------------------------------------- */

/* Take over the classes and peers of an intent; it is only read. */
void mirror_intent(struct mirror *m, const struct rt_intent *i);

/* The same for one peer, known or new. */
void mirror_peer(struct mirror *m, const struct rt_peer *p);

/* --- from zebra and the kernel --------------------------------------------------- */

/* An interface has this index (0: it is gone) and is, or is not, usable. */
void mirror_link(struct mirror *m, const char *ifname, uint32_t ifindex, bool up);

/* zebra is there, and knows nothing of us; or it has gone. */
void mirror_connected(struct mirror *m, bool yes);

void mirror_learned(struct mirror *m, const struct prefix *prefix,
		    const struct mirror_hop *hops, size_t n);
void mirror_lost(struct mirror *m, const struct prefix *prefix, struct mono now);
void mirror_group_result(struct mirror *m, uint32_t group, enum mirror_outcome outcome);
void mirror_route_result(struct mirror *m, uint32_t table, const struct prefix *prefix,
			 enum mirror_outcome outcome);

/* Learned prefixes that are not told again until then are dropped then. */
void mirror_hold(struct mirror *m, struct mono until);

/* The hold ends now. */
void mirror_hold_end(struct mirror *m);
bool mirror_holding(const struct mirror *m);

/* --- work -------------------------------------------------------------------------- */

/*
 * Send what is to be sent. Returns when to call again at the latest; call it also
 * after every of the calls above.
 */
struct mono mirror_run(struct mirror *m, struct mono now);

/* True when nothing is under way: what the kernel shows can be judged. */
bool mirror_settled(const struct mirror *m, struct mono now);

/*
 * Compare with the kernel: begin, then tell every route of our protocol in a
 * class table and every group of ours, then end. What is too much is deleted,
 * what is missing or wrong is made anew (by the next mirror_run()). Returns the
 * number of faults found.
 */
void mirror_check_begin(struct mirror *m, struct mono now);
void mirror_check_route(struct mirror *m, uint32_t table, const struct prefix *prefix,
			uint32_t group);
void mirror_check_group(struct mirror *m, uint32_t group, const struct mirror_hop *hops,
			size_t n);
size_t mirror_check_end(struct mirror *m);

/* --- report -------------------------------------------------------------------------- */

struct mirror_counts {
	size_t learned, stale, fixed, routes, groups;
};

struct mirror_counts mirror_count(const struct mirror *m);

/* Learned prefixes that lead to the peer of that name. */
size_t mirror_peer_learned(const struct mirror *m, const char *peer);

/* The tables of the classes, for the reader of the kernel's routes. */
size_t mirror_tables(const struct mirror *m, uint32_t *tables, size_t cap);

struct mirror_group_info {
	const char *peers; /* one a line */
	const char *class_name;
	uint8_t family;
	uint32_t group;
	bool installed;
	size_t n_hops;
	const struct mirror_hop *hops;
};

void mirror_each_group(const struct mirror *m,
		       void (*each)(void *ctx, const struct mirror_group_info *info),
		       void *ctx);

/* Every learned prefix with its peers (one a line; "" when none of ours). */
void mirror_each_prefix(const struct mirror *m,
			void (*each)(void *ctx, const struct prefix *prefix,
				     const char *peers, bool stale),
			void *ctx);

#endif
