/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * policy_plan - which rules and routes must stand in the kernel; pure
 *
 * From what edged knows (uplinks, tunnels, networks, classes) to the exact set
 * of rules and routes, and from that set and the one read back to the steps in
 * between. No I/O here: edged/policy.c reads and writes the kernel.
 *
 * The look-up of a packet, by priority:
 *
 *     0  local         the box's own addresses (the kernel's)
 *   500  fwmark uplink -> table 500+slot. Outer packets of a tunnel, whatever
 *        main says. The table ends in an unreachable default: an uplink that is
 *        gone never lends its packets to another.
 *   505  from an uplink's address to an inside prefix -> main. An answer from
 *        isp1's address to a host behind a peer goes through the tunnel.
 *   510  from an uplink's address -> table 500+slot. The box's own replies.
 *  1000  fwmark class -> table 1001+index. zebra holds its routes there; ours in
 *        it are throws: local prefixes (the class must not carry LAN traffic
 *        away) and, of the worst metric, guarded prefixes (a miss falls to main).
 * 32766  main          connected routes, then what peers announce, then the
 *        guard: unreachable, of the worst metric.
 *
 * A default route towards a peer is written as two halves in main, so that it
 * beats the uplink's own default, which stays where it is.
 */
#ifndef ED_EDGED_POLICY_PLAN_H
#define ED_EDGED_POLICY_PLAN_H

#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

enum {
	POLICY_HOPS_MAX = 16,
	POLICY_UPLINK_ADDRS_MAX = 16,
	POLICY_METRIC_LOCAL = 1, /* throws of local prefixes in class tables */
};

/* --- what is wanted -------------------------------------------------------- */

/* An uplink. Without ifindex its rules stand and lead to "unreachable". */
struct policy_uplink {
	uint32_t slot;
	int ifindex; /* 0: no interface now, or it is down */
	struct addr gateway, gateway6; /* family 0: none, or point-to-point */
	bool device_route, device_route6; /* default by the device alone */
	struct policy_uplink_addr {
		struct addr addr;
		uint8_t len; /* of its connected prefix */
	} addrs[POLICY_UPLINK_ADDRS_MAX];
	size_t n_addrs;
};

/* The peer's inside addresses behind a tunnel that may carry traffic. */
struct policy_tunnel {
	int ifindex;
	struct addr peer, peer6;
	struct addr local,
		local6; /* preferred sources; family 0: the kernel's choice */
};

/* One way of a static network. */
struct policy_hop {
	int ifindex;
	struct addr gateway; /* family 0: by the device alone */
	uint16_t weight; /* 1 to 256 */
};

/* A static network and the tunnels that carry it. No hops: only the guard. */
struct policy_network {
	struct prefix prefix;
	struct policy_hop hops[POLICY_HOPS_MAX];
	size_t n_hops;
};

/* All of it. The lists belong to the caller. */
struct policy_want {
	const struct policy_uplink *uplinks;
	size_t n_uplinks;
	const struct policy_tunnel *tunnels;
	size_t n_tunnels;
	const struct policy_network *networks;
	size_t n_networks;
	const struct prefix *guard; /* what must never leave in clear */
	size_t n_guard;
	const struct prefix *local; /* LAN, inside ranges, connected prefixes */
	size_t n_local;
	uint32_t n_classes;
	/*
	 * True until the first plan after a start: routes over tunnels that an
	 * earlier edged left stay as they are, neither changed nor removed.
	 */
	bool keep_tunnel_routes;
	/* True while a start has not made its objects yet: nothing is removed. */
	bool keep_all;
};

/* --- what stands in the kernel --------------------------------------------- */

struct policy_rule {
	uint32_t priority;
	uint8_t family;
	uint32_t mark, mask; /* mask 0: no mark */
	struct prefix from, to; /* family 0: any */
	uint32_t table;
};

struct policy_route {
	uint8_t family;
	uint8_t type; /* RTN_UNICAST, RTN_UNREACHABLE, RTN_THROW */
	uint32_t table;
	struct prefix dst;
	uint32_t metric;
	struct addr source; /* RTA_PREFSRC, family 0: none */
	uint16_t n_hops;
	struct policy_hop hops[POLICY_HOPS_MAX]; /* sorted */
};

struct policy_state {
	struct policy_rule *rules;
	size_t n_rules;
	struct policy_route *routes;
	size_t n_routes;
};

void policy_state_fini(struct policy_state *s);
void policy_state_add_rule(struct policy_state *s, const struct policy_rule *r);
void policy_state_add_route(struct policy_state *s, const struct policy_route *r);

/* Bring s into canonical order, without duplicates. */
void policy_state_sort(struct policy_state *s);

/* The canonical state that want asks for; *ret is filled, the caller's to fini. */
void policy_plan(const struct policy_want *want, struct policy_state *ret);

/* --- the way from one to the other ------------------------------------------ */

enum policy_op { POLICY_ADD = 1, POLICY_REPLACE, POLICY_DEL };

struct policy_step {
	enum policy_op op;
	const struct policy_rule *rule; /* exactly one of the two */
	const struct policy_route *route;
};

/*
 * The steps from have to want, both canonical, in an order in which nothing
 * leaks between two of them: guards and throws first, then routes, rules; then
 * removals of rules, of routes, and of guards at last. The steps point into the
 * two states. keep_tunnel_routes as in struct policy_want.
 *
 * Returns their number with the array in *ret, the caller's to free().
 */
size_t policy_diff(const struct policy_state *have, const struct policy_state *want,
		   bool keep_tunnel_routes, struct policy_step **ret);

/* For logs: "main 10.0.0.0/8 unreachable"; buf has cap bytes. Returns buf. */
char *policy_route_format(const struct policy_route *r, char *buf, size_t cap);
char *policy_rule_format(const struct policy_rule *r, char *buf, size_t cap);

#endif
