/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy - keeps the rules and routes of policy_plan standing in the kernel
 *
 * Everything here carries protocol 171 (routing/owned.h); nothing else is ever
 * changed. policy_set() applies at once and synchronously (netlink answers at
 * once). Afterwards policy reads back: when a link, an address or a rule
 * changes, when a route of ours is deleted by somebody, when the kernel dropped
 * events, and every 15 s; what is missing is put back, what is too much goes.
 *
 * The prefixes connected to this box (the LAN's first of all) are read from
 * the kernel and thrown out of the class tables, so that a class that holds
 * 10.0.0.0/8 never takes the LAN's 10.42.0.0/24 away.
 *
 * Also here: the handful of sysctls that routing needs.
 */
#ifndef ED_EDGED_POLICY_H
#define ED_EDGED_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edged/policy_plan.h"

struct loop;
struct policy;

struct policy_stats {
	size_t rules, routes; /* wanted */
	uint64_t added, replaced, removed; /* steps taken since the start */
	uint64_t healed; /* of those, found missing or wrong at a read-back */
	uint64_t healed_rules; /* of healed */
	uint32_t failing; /* steps of the last round that the kernel refused */
	char error[256]; /* why the last one of them was */
};

/*
 * Open the netlink sockets. Changes nothing yet.
 *
 * Returns 0 with *ret for policy_free(), or a negative errno.
 */
int policy_new(struct loop *loop, struct policy **ret);

/* Stop watching and free; rules and routes stay. NULL is allowed. */
void policy_free(struct policy *p);

/*
 * Have every change of a link told, too: up is whether it is set up. For those
 * who lose with a link what is not policy's (IPv6 addresses).
 */
typedef void (*policy_links)(void *ctx, int ifindex, bool up);
void policy_watch_links(struct policy *p, policy_links links, void *ctx);

/*
 * Make the kernel look like want, which is only read during the call.
 *
 * Returns 0, or a negative errno when something was refused: it is tried again
 * at the next event and audit, and policy_stats() says what.
 */
int policy_set(struct policy *p, const struct policy_want *want);

/* Something happened that may have cost us routes: read back soon. */
void policy_touch(struct policy *p);

const struct policy_stats *policy_get_stats(const struct policy *p);

/* Remove everything of ours, guard last (edged --down). Returns 0 or -errno. */
int policy_remove_all(struct policy *p);

/*
 * The machine's sysctls: forwarding, groups without compatibility mode, flows
 * hashed by ports. Written only where they differ; what cannot be written is a
 * warning with the value to set.
 */
void policy_sysctls(void);

/*
 * Those of a tunnel interface: answers may come in by another tunnel, and IPv6
 * addresses stay when somebody sets it down.
 */
void policy_tunnel_sysctls(const char *ifname);

/*
 * Those of an uplink's interface. A router ignores router advertisements unless
 * told otherwise: an uplink that lived on them keeps doing so.
 */
void policy_uplink_sysctls(const char *ifname);

#endif
