/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft - the nftables table "inet edged" as JSON for "nft -j -f -"; pure
 *
 * What the table does, chain by chain:
 *
 *   prerouting   A packet that does not come from an uplink gets the mark of its
 *                class. Its flow keeps the class: the first packet's class is
 *                stored in the connection's mark, and both directions follow it.
 *                Answers to what came in by an uplink (a port forwarded into the
 *                LAN) leave by that uplink again.
 *   output       The same for what the box itself sends, but for the outer
 *                packets of tunnels, which carry an uplink's mark.
 *   mss          TCP's segment size is clamped to the tunnel's MTU.
 *   input        From an uplink the ports that are ours are not reachable: BGP,
 *                STAMP, BFD, FRR's consoles, the dashboard. UDP 500 and 4500 are.
 *                Ports that are not ours (the administrator's ssh) are his.
 *   guard,       What peers cover never leaves by an uplink in clear, counted:
 *   guard-own    forwarded packets without exception; the box's own but for
 *                tunnels' outer packets, DHCP, and the uplink's own network.
 *
 * Bits of the mark that are not ours are kept. The whole table is replaced in
 * one transaction, so that no packet meets a half-built one. Nothing in it
 * changes when a path is switched. Names of the file never become nft words:
 * chains are numbered, interface names are quoted by the JSON itself.
 */
#ifndef ED_ROUTING_CLASSIFY_NFT_H
#define ED_ROUTING_CLASSIFY_NFT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

struct json_t;

/* Every part that is set must match: family 0, protocol 0, ports 0 are "any". */
struct rt_flow {
	struct prefix from, to;
	uint8_t protocol; /* IP protocol number; needed for ports */
	uint16_t from_port[2]; /* first and last */
	uint16_t to_port[2];
};

/* A class: packets of one of the code points or matching one of the flows. */
struct rt_nft_class {
	uint32_t index; /* routing/owned.h: mark and table */
	uint64_t dscp; /* bit n: code point n */
	const struct rt_flow *flows;
	size_t n_flows;
};

struct rt_nft_uplink {
	const char *ifname;
	uint32_t slot;
	const struct prefix *connected; /* its own networks */
	size_t n_connected;
};

struct rt_nft_spec {
	const struct rt_nft_class *classes; /* the first match wins */
	size_t n_classes;
	int64_t default_class; /* index of what matches nothing; -1: no mark */
	const struct rt_nft_uplink *uplinks;
	size_t n_uplinks;
	const struct prefix *guard;
	size_t n_guard;
	uint16_t tunnel_mtu; /* the smallest one; 0: answers are not clamped */
	const uint16_t *tcp_ports; /* more of ours that uplinks must not reach */
	size_t n_tcp_ports;
};

/* The batch that puts the table in place of the former one; a new reference. */
struct json_t *rt_nft_table(const struct rt_nft_spec *spec);

/* The batch that removes the table, whether it is there or not. */
struct json_t *rt_nft_remove(void);

#endif
