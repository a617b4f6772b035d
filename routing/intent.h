/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * intent - what edged wants of FRR, the one thing it tells edge-zebra
 *
 * edged decides, edge-zebra mirrors. The intent names the classes with their
 * tables, the peers with their tunnels (interface, inside addresses), static
 * networks and, class by class, the tunnels that carry the class with their
 * weights; and what bgpd has to be told. Prefixes learned by BGP never appear
 * in it: edge-zebra reads them from zebra itself.
 *
 * Over the control socket it is JSON (zebra.intent, whole, after zebra.subscribe
 * and whenever classes or BGP changed; zebra.peer, one peer, when only that
 * one's members changed). routing/intent.c is the only place that knows the
 * JSON form. A text that breaks a limit or a reference is refused as a whole.
 *
 * "wait": true says that edged has just started and has no plan yet: the former
 * members stand, only FRR's folder and BGP are taken from it.
 *
 *   {"wait": false, "frr": {"socket_dir": "/run/frr", "stale_s": 60, "hold_s": 120},
 *    "classes": [{"name": "voice", "table": 1001}],
 *    "peers": [{"name": "hub", "networks": ["10.0.0.0/8"],
 *       "tunnels": [{"name": "hub/isp1", "ifname": "ed0000",
 *                    "local": "100.96.0.1", "peer": "100.96.0.0",
 *                    "local6": "fd00::1", "peer6": "fd00::"}],
 *       "classes": [{"name": "voice",
 *                    "members": [{"tunnel": "hub/isp1", "weight": 100}]}]}],
 *    "bgp": {"asn": 65042, "router_id": "10.42.0.1", "announce": ["10.42.0.0/24"],
 *            "accept": ["10.0.0.0/8"], "refuse": ["198.51.100.0/24"],
 *            "hold_s": 90, "connect_s": 5, "restart_s": 120, "max_paths": 16,
 *            "neighbors": [{"tunnel": "hub/isp1", "peer": "100.96.0.0",
 *                           "local": "100.96.0.1", "asn": 65000,
 *                           "accept": [], "hold_s": 0}]}}
 *
 * keepalive_s beside a hold_s of BGP is written where it is not 0.
 */
#ifndef ED_ROUTING_INTENT_H
#define ED_ROUTING_INTENT_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

struct json_t;

enum {
	RT_INTENT_PEERS_MAX = 20000,
	RT_INTENT_TUNNELS_MAX = 64, /* of one peer */
	RT_INTENT_NETWORKS_MAX = 256, /* static networks of one peer */
	RT_INTENT_PREFIXES_MAX = 20000, /* announce, accept, refuse, each */
	RT_INTENT_NEIGHBORS_MAX = 20000,
	RT_INTENT_NAME_MAX = 255,
	RT_WEIGHT_MAX = 255, /* FRR 8.4 keeps eight bits of a next hop's weight */
};

struct rt_prefixes {
	struct prefix *v;
	size_t n;
};

struct rt_class_table {
	char *name;
	uint32_t table;
};

/* A tunnel as a next hop. A family without inside addresses has family 0. */
struct rt_tunnel {
	char *name;
	char ifname[IF_NAMESIZE];
	struct addr local, peer; /* IPv4 inside */
	struct addr local6, peer6; /* IPv6 inside */
};

struct rt_member {
	uint16_t tunnel; /* index into the peer's tunnels */
	uint8_t weight; /* 1 to RT_WEIGHT_MAX */
};

/* Who carries one class towards one peer; no members: it falls through to main. */
struct rt_choice {
	char *name; /* of the class */
	struct rt_member *members;
	size_t n_members;
};

struct rt_peer {
	char *name;
	struct rt_prefixes networks;
	struct rt_tunnel *tunnels;
	size_t n_tunnels;
	struct rt_choice *choices;
	size_t n_choices;
};

/* A session; its family is that of its addresses. */
struct rt_neighbor {
	char *tunnel; /* goes into the description */
	struct addr peer, local;
	uint32_t asn;
	struct rt_prefixes accept; /* of this one; n 0: rt_bgp's */
	uint16_t hold_s; /* 0: rt_bgp's */
	uint16_t keepalive_s; /* 0: rt_bgp's, or a third of an own hold_s */
};

struct rt_bgp {
	uint32_t asn; /* 0: no BGP, our lines are taken out */
	struct addr router_id;
	struct rt_prefixes announce;
	struct rt_prefixes accept; /* and longer ones; a 0/0 in it asks for 0/0 */
	struct rt_prefixes refuse; /* never accepted: LAN, uplinks, outer, inside */
	uint16_t hold_s;
	uint16_t keepalive_s; /* 0: a third of hold_s */
	uint16_t connect_s;
	uint16_t restart_s; /* graceful restart time that we announce */
	uint16_t max_paths;
	struct rt_neighbor *neighbors;
	size_t n_neighbors;
};

struct rt_intent {
	bool wait; /* no plan yet: keep the former members */
	char *socket_dir; /* zserv.api and the *.vty sockets are in it */
	uint16_t stale_s; /* how long zebra keeps our routes without us */
	uint16_t hold_s; /* how long mirrored prefixes live without bgpd */
	struct rt_class_table *classes;
	size_t n_classes;
	struct rt_peer *peers;
	size_t n_peers;
	struct rt_bgp bgp;
};

/* An intent with defaults and nothing in it. The caller frees it. */
struct rt_intent *rt_intent_new(const char *socket_dir);

/* Free i with all in it; NULL is allowed. */
void rt_intent_free(struct rt_intent *i);

/*
 * Builders. Each appends one element, copies the strings it is given and returns
 * the new element, which stays valid until the next append to the same list.
 */
struct rt_class_table *rt_intent_add_class(struct rt_intent *i, const char *name,
					   uint32_t table);
struct rt_peer *rt_intent_add_peer(struct rt_intent *i, const char *name);
struct rt_tunnel *rt_peer_add_tunnel(struct rt_peer *p, const char *name,
				     const char *ifname);
struct rt_choice *rt_peer_add_choice(struct rt_peer *p, const char *class_name);
void rt_choice_add_member(struct rt_choice *c, uint16_t tunnel, uint8_t weight);
struct rt_neighbor *rt_bgp_add_neighbor(struct rt_bgp *b, const char *tunnel);
void rt_prefixes_add(struct rt_prefixes *l, const struct prefix *p);

/* The peer of that name, or NULL. */
struct rt_peer *rt_intent_peer(struct rt_intent *i, const char *name);

/* Put p in the place of the peer of its name, or append it; p is emptied. */
void rt_intent_replace_peer(struct rt_intent *i, struct rt_peer *p);

/* Free what is in p and empty it. */
void rt_peer_fini(struct rt_peer *p);

/* The JSON form; new references. */
struct json_t *rt_intent_to_json(const struct rt_intent *i);
struct json_t *rt_peer_to_json(const struct rt_peer *p);

/*
 * Read the JSON form. why (cap bytes) gets one sentence on failure.
 *
 * Returns 0 with the result in *ret, or -EINVAL with *ret untouched.
 */
int rt_intent_from_json(const struct json_t *js, struct rt_intent **ret, char *why,
			size_t cap);
int rt_peer_from_json(const struct json_t *js, struct rt_peer *ret, char *why,
		      size_t cap);

#endif
