/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backend - what dataplane.c and its carriers share; nobody else includes it
 *
 * dataplane.c keeps the tables (sockets, tunnels, SAs without keys) and checks
 * arguments; a carrier makes them true. A carrier reports by dp_tell_*().
 */
#ifndef ED_EDGED_DATAPLANE_BACKEND_H
#define ED_EDGED_DATAPLANE_BACKEND_H

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

#include "edged/dataplane/dataplane.h"
#include "lib/loop.h"

struct nlsock;

struct dp_sock {
	uint32_t id;
	int fd; /* our duplicate */
	struct endpoint local;
	struct dataplane *dp;
	struct loop_io io; /* DP_KERNEL reads it */
	UT_hash_handle hh;
};

struct dp_rec {
	struct dp_sa_info info;
	bool there; /* the carrier has it, as far as we know */
	struct dp_rec *next; /* newest first */
};

struct dp_drops {
	uint64_t replay;
	uint64_t auth;
};

struct dp_tun {
	uint32_t slot;
	bool set; /* by dp_tunnel_set(); false: left from an earlier run */
	enum dp_if kind; /* what it is, DP_IF_AUTO never */
	int ifindex;
	int fd; /* the TUN, -1 for none */
	struct dp_tunnel cfg;
	struct dp_rec *sas;
	struct dp_drops gone; /* of SAs that are no more (DP_KERNEL) */
	struct dp_drops told; /* what dp_drops() said last: it never says less */
};

struct dp_carrier_ops {
	void (*free)(struct dataplane *dp);
	bool (*ready)(const struct dataplane *dp);
	int (*socket_set)(struct dataplane *dp, struct dp_sock *s);
	void (*socket_remove)(struct dataplane *dp, struct dp_sock *s);
	/* Make or change the interface and fill kind, ifindex and fd. */
	int (*tunnel_set)(struct dataplane *dp, struct dp_tun *t);
	/* Remove the interface and every SA and policy. */
	void (*tunnel_remove)(struct dataplane *dp, struct dp_tun *t);
	int (*sa_install)(struct dataplane *dp, struct dp_tun *t,
			  const struct dp_sa *sa);
	/* rec holds the new addresses already, old the former ones. */
	int (*sa_update)(struct dataplane *dp, struct dp_tun *t,
			 const struct dp_rec *rec, const struct dp_sa_info *old,
			 uint32_t socket);
	int (*sa_remove)(struct dataplane *dp, struct dp_tun *t,
			 const struct dp_rec *rec);
	int (*counters)(struct dataplane *dp, struct dp_tun *t,
			struct dp_counters *ret);
	/* rx_replay and rx_auth, where counters() does not have them. */
	void (*drops)(struct dataplane *dp, struct dp_tun *t, struct dp_counters *c);
	/* Sockets of an earlier run that were not set again go. */
	void (*sweep)(struct dataplane *dp);
	void (*reconcile)(struct dataplane *dp);
};

struct dataplane {
	struct loop *loop;
	const struct dp_host *host;
	void *ctx;
	enum dp_carrier carrier;
	const struct dp_carrier_ops *ops;
	struct nlsock *route; /* NETLINK_ROUTE, for questions */
	struct dp_sock *socks;
	struct dp_tun *tuns[DP_TUNNELS_MAX];
	struct uesp *uesp; /* DP_USER */
	struct xfrm *xfrm; /* DP_KERNEL */
	struct nlsock *links; /* link events */
	struct loop_io links_io;
};

/* --- carriers -------------------------------------------------------------- */

/* edge-esp's client; run_dir/esp.sock is looked for from now on. */
int dp_uesp_new(struct dataplane *dp, const char *run_dir);

/* The kernel's IPsec. -EOPNOTSUPP when it has none. */
int dp_xfrm_new(struct dataplane *dp);

/* --- tables (dataplane.c) -------------------------------------------------- */

/* The tunnel of a slot, made when there is none; NULL for a slot too high. */
struct dp_tun *dp_tun_get(struct dataplane *dp, uint32_t slot);
struct dp_rec *dp_rec_find(const struct dp_tun *t, enum dp_dir dir, uint32_t spi);
void dp_rec_add(struct dp_tun *t, const struct dp_sa_info *info);
void dp_rec_remove(struct dp_tun *t, enum dp_dir dir, uint32_t spi);
void dp_rec_clear(struct dp_tun *t);

/* Forget the SA and tell the owner. */
void dp_tell_lost(struct dataplane *dp, struct dp_tun *t, enum dp_dir dir,
		  uint32_t spi);
void dp_tell_ready(struct dataplane *dp, bool up);

/* --- reconcile.c ------------------------------------------------------------ */

/* Watch for links that vanish, until stop. */
int dp_reconcile_start(struct dataplane *dp);
void dp_reconcile_stop(struct dataplane *dp);

/* Remove interfaces that carry our group and belong to no tunnel of dp. */
void dp_link_sweep(struct dataplane *dp);

/* --- links (link.c) --------------------------------------------------------- */

enum {
	DP_LINK_GROUP = 0x0ed0, /* interface group: made by us */
	DP_KIND_MAX = 16,
};

struct dp_link {
	int ifindex;
	uint32_t mtu;
	uint32_t group;
	uint32_t if_id; /* xfrm: if_id; vti: key */
	struct addr local; /* vti */
	struct addr remote;
	bool up;
	char kind[DP_KIND_MAX]; /* "xfrm", "vti", "vti6", "tun", ... */
};

/* Ask for an interface by name (or by ifindex when name is NULL). */
int dp_link_get(struct nlsock *nl, const char *name, int ifindex, struct dp_link *ret);

/* Packets and bytes through an interface. */
int dp_link_counters(struct nlsock *nl, int ifindex, struct dp_counters *ret);

/*
 * Set our group, alias, MTU and (when not 0) the largest super-packet; bring it up.
 * An interface that is all of that is only looked at.
 */
int dp_link_setup(struct nlsock *nl, int ifindex, const char *alias, uint32_t mtu,
		  uint32_t gso_max);
int dp_link_delete(struct nlsock *nl, int ifindex);

/* Interface of a kernel's kind; xfrmi.c and vti.c. flags: netlink's. */
int dp_xfrmi_create(struct nlsock *nl, const char *name, uint32_t if_id);
int dp_vti_set(struct nlsock *nl, const char *name, uint32_t key,
	       const struct addr *local, const struct addr *remote, bool create);

/* Open the persistent TUN name, made when it is not there. An fd or -errno. */
int dp_tun_open(const char *name);
/* Make it go: needs its descriptor or, without one, netlink. */
int dp_tun_delete(struct nlsock *nl, int fd, const char *name);

#endif
