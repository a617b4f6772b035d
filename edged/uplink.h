/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uplink - one internet connection: an interface, its addresses, its gateway
 *
 * An uplink exists because the configuration names it, whether its interface
 * is there or not. kernel_events.c reads what the kernel knows of the interface
 * into a struct uplink_kernel; uplink_update() chooses addresses and gateway,
 * judges, and is the only place that changes the state and tells the others:
 * the IKE sockets, the uplink's routing table and rules, the tunnels.
 *
 * The gateway is the one of the interface's default route in the main table
 * with the lowest metric, whatever other uplinks' metrics are: DHCP clients
 * give each default route its own. A default route without gateway (PPP, LTE)
 * is a device route and just as good. An interface with an address and no
 * default route is a state of its own, with its own sentence.
 */
#ifndef ED_EDGED_UPLINK_H
#define ED_EDGED_UPLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "lib/addr.h"
#include "lib/loop.h"
#include "lib/mono.h"

struct edged;
struct config_uplink;
struct ike_io;

struct loop;

/* Longest name of an uplink, peer, end point or class, with its NUL: config.h's. */
#define EDGED_NAME_MAX 64

/* Index of an address family in every per-family array. */
enum edged_family { ED_V4, ED_V6, ED_FAMILIES };

/* Zero is no state: an uplink that nobody judged yet is a bug. */
enum uplink_state {
	UPLINK_ABSENT = 1, /* no interface of that name */
	UPLINK_NO_CARRIER, /* interface set down or without carrier */
	UPLINK_NO_ADDRESS, /* no usable address of either family */
	UPLINK_NO_ROUTE, /* an address, but no default route on it */
	UPLINK_STOPPED, /* taken down by the operator (edgectl uplink NAME down) */
	UPLINK_UP,
};

/* Limits of what is remembered of one interface; more is ignored with a warning. */
enum {
	UPLINK_ADDRS_MAX = 16,
	UPLINK_ROUTES_MAX = 16,
};

struct uplink_addr {
	struct addr addr;
	uint8_t plen; /* of its on-link prefix */
	struct addr far; /* the far end of a point-to-point address, or family 0 */
	bool usable; /* global, not tentative, not deprecated */
};

/* One default route of the main table that leaves by the interface. */
struct uplink_route {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint32_t metric;
	uint32_t nhid; /* next-hop object, 0 when none */
	uint8_t protocol; /* rtnetlink's: who made it */
	struct addr gateway; /* family 0: a device route */
};

/* What the kernel knows of the interface: one reading of it. */
struct uplink_kernel {
	int ifindex; /* 0 while the interface is absent */
	bool up; /* set up by the administrator */
	bool carrier; /* and the link below works */
	uint32_t mtu;
	unsigned int addr_count;
	unsigned int route_count;
	struct uplink_addr addrs[UPLINK_ADDRS_MAX];
	struct uplink_route routes[UPLINK_ROUTES_MAX];
};

/* What is in use of one family; local.family is 0 where the uplink has none. */
struct uplink_family {
	struct addr local; /* source of the outer packets */
	uint8_t plen; /* its on-link prefix length */
	struct addr gateway; /* family 0: a device route */
	bool routed; /* there is a default route on the interface */
};

struct uplink {
	struct edged *ed;
	const struct config_uplink *conf; /* of ed->config, renewed by each apply */
	char name[EDGED_NAME_MAX];
	unsigned int slot; /* kept over restarts; table and mark (routing/owned.h) */

	char ifname[IFNAMSIZ];
	int ifindex; /* of the last reading; 0 while the interface is absent */
	struct uplink_kernel kernel;

	enum uplink_state state;
	bool dirty; /* kernel_events.c will read it again */
	bool stopped; /* by the operator; kept in the overrides file */
	struct mono since; /* when state last changed */
	struct uplink_family fam[ED_FAMILIES]; /* by enum edged_family */

	struct ike_io *io[ED_FAMILIES]; /* its sockets, NULL while it has no address */
	struct loop_timer io_retry; /* sockets that could not be opened */
	unsigned int io_tries; /* that failed in a row */
	UT_hash_handle hh; /* in ed->uplinks, by name, in file order */
};

/* Make the uplink of conf, in ed->uplinks, with its slot; not judged yet. */
struct uplink *uplink_new(struct edged *ed, const struct config_uplink *conf);

/* Close its sockets, take away its table and rules, and free it. */
void uplink_free(struct uplink *u);

/*
 * Choose source address and gateway of each family from a reading. Pure.
 *
 * The route of the lowest metric wins; the address is the first usable one in
 * whose on-link prefix the gateway lies, else the first usable one. What conf
 * gives (address:, gateway:) stands above the kernel's; conf may be NULL.
 */
void uplink_choose(const struct uplink_kernel *k, const struct config_uplink *conf,
		   struct uplink_family fam[ED_FAMILIES]);

/* The state that follows from a reading and a choice. Pure. */
enum uplink_state uplink_assess(const struct uplink_kernel *k,
				const struct uplink_family fam[ED_FAMILIES],
				bool stopped);

/* Take over a new reading and tell everybody whom the difference concerns. */
void uplink_update(struct uplink *u, const struct uplink_kernel *k, struct mono now);

/* The operator's override; see edged_uplink_set(). */
void uplink_stop(struct uplink *u, bool stopped, struct mono now);

/* True when tunnels may use u now, in family (AF_INET or AF_INET6). */
bool uplink_usable(const struct uplink *u, uint8_t family);

/* "up", "no-carrier", ... for logs, events and JSON. */
const char *uplink_state_name(enum uplink_state state);

/* What a person needs to know about the state, in one sentence. */
struct text;
void uplink_explain(const struct uplink *u, struct text *t);

/* ED_V4 or ED_V6 of AF_INET or AF_INET6. */
static inline enum edged_family edged_family(uint8_t af)
{
	return af == AF_INET6 ? ED_V6 : ED_V4;
}

#endif
