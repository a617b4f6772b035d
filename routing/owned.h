/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owned - every number in the kernel and in FRR that is ours
 *
 * What carries one of these numbers was made by us and is the only thing we
 * ever change or remove. Whoever shares the machine (the administrator, other
 * daemons) keeps off them; HACKING.md prints this list as a table.
 *
 * The firewall mark is split: the low 16 bits are never touched, the class of a
 * packet stands in bits 16 to 23 and the uplink of a tunnel's outer packet in
 * bits 24 to 31. Zero in a field means "none": index and slot are stored plus
 * one.
 */
#ifndef ED_ROUTING_OWNED_H
#define ED_ROUTING_OWNED_H

#include <stdint.h>

enum {
	/* rtm_protocol of routes and FRA_PROTOCOL of rules that edged writes. */
	RT_PROTO = 171,

	/* Routing tables. */
	RT_TABLE_UPLINK = 500, /* plus uplink slot: its own way out */
	RT_TABLE_CLASS = 1001, /* plus class index: what the class refines */

	/* Priorities of rules; the kernel's local table stands at 0. */
	RT_RULE_UPLINK_MARK = 500, /* outer packets of a tunnel, by mark */
	RT_RULE_INSIDE = 505, /* from an uplink's address to inside prefixes */
	RT_RULE_UPLINK_FROM = 510, /* the box's own replies, by source address */
	RT_RULE_CLASS = 1000, /* traffic of a class, by mark */

	/* Metrics in main: ours lose to connected routes, the guard to everything. */
	RT_METRIC_PEER = 1000,

	RT_UPLINKS_MAX = 250, /* slots 0 to 249 */
	RT_CLASSES_MAX = 250, /* indexes 0 to 249 */
	RT_TUNNELS_MAX = 65536,

	/* STAMP's port (RFC 8762), on inside addresses only. */
	RT_STAMP_PORT = 862,
};

/* The leak guard's routes: the worst metric there is. */
#define RT_METRIC_GUARD UINT32_C(4294967295)

#define RT_MARK_CLASS_SHIFT 16
#define RT_MARK_CLASS_MASK UINT32_C(0x00ff0000)
#define RT_MARK_UPLINK_SHIFT 24
#define RT_MARK_UPLINK_MASK UINT32_C(0xff000000)
/*
 * Packets of our own whose way is chosen already (probes): the bits of an uplink
 * that does not exist, so that no rule matches, no class is given, and the
 * packet is not routed anew.
 */
#define RT_MARK_CHOSEN UINT32_C(0xff000000)

/* if_id of xfrm interfaces and key of VTIs: the base plus tunnel slot. */
#define RT_IF_ID_BASE UINT32_C(0x0ed00000)
/* Name of a tunnel's interface, by tunnel slot; the alias is the tunnel's name. */
#define RT_IFNAME_FORMAT "ed%04u"
/* Name prefix that no other interface of the machine uses. */
#define RT_IFNAME_PREFIX "ed"

/* The nftables table, family inet. */
#define RT_NFT_TABLE "edged"

/* Mark of outer packets that must leave by the uplink of this slot. */
static inline uint32_t rt_uplink_mark(uint32_t slot)
{
	return (slot + 1) << RT_MARK_UPLINK_SHIFT;
}

/* Mark of packets of the class with this index. */
static inline uint32_t rt_class_mark(uint32_t index)
{
	return (index + 1) << RT_MARK_CLASS_SHIFT;
}

/* Table of the uplink of this slot. */
static inline uint32_t rt_uplink_table(uint32_t slot)
{
	return RT_TABLE_UPLINK + slot;
}

/* Table of the class with this index. */
static inline uint32_t rt_class_table(uint32_t index)
{
	return RT_TABLE_CLASS + index;
}

#endif
