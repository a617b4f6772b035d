/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dataplane - tunnel interfaces and the SAs under them, whoever carries packets
 *
 * Two carriers stand behind one interface and nothing above it knows which
 * one works: the kernel (an xfrm interface or a VTI per tunnel, states and
 * policies by netlink) and edge-esp (a persistent TUN per tunnel, ESP in UDP
 * in user space). dp_new() chooses once, for the life of the process.
 *
 *	core                    dataplane                kernel | edge-esp
 *	 |-- dp_socket_set ------->|  UDP 4500 of an uplink and family
 *	 |-- dp_tunnel_set ------->|  interface (created, alias, MTU, up)
 *	 |-- dp_sa_install in,out->|  newest outbound SA of a tunnel is used
 *	 |<- host->ike ------------|  every IKE datagram of the 4500 sockets
 *	 |<- host->sa_lost --------|  replace it by CREATE_CHILD_SA at once
 *
 * Rules:
 *  - A tunnel is known by its slot. It outlives its SAs: removing an SA leaves
 *    the interface, its addresses and its routes alone.
 *  - An SA is installed once in its life. One that vanished (flush, edge-esp
 *    died) is reported by sa_lost and never put back with its old keys, since
 *    that would repeat nonces. Interfaces and policies are put back.
 *  - Every SA is ESP, tunnel mode, selectors 0.0.0.0/0 and ::/0, AES-GCM with a
 *    16 byte tag, replay window DP_REPLAY_WINDOW, DF set, DSCP copied out, ECN
 *    by RFC 6040.
 *  - Port 4500 is read by the dataplane with either carrier: IKE arrives by
 *    host->ike without its non-ESP marker, keep-alives are dropped. Core sends
 *    on its own descriptor (marker and keep-alive are core's to write).
 *  - Calls never block on edge-esp. Callbacks come from the loop, and also from
 *    within dp_reconcile(); never from within another call.
 *  - Interface addresses and routes are core's.
 */
#ifndef ED_EDGED_DATAPLANE_DATAPLANE_H
#define ED_EDGED_DATAPLANE_DATAPLANE_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

struct loop;
struct dataplane;

enum {
	DP_REPLAY_WINDOW = 4096,
	DP_KEY_MAX = 36, /* AES-256 key and the 4 byte salt (RFC 4106) */
	DP_NAME_MAX = 192, /* a tunnel's name, with its end */
	DP_TUNNELS_MAX = 10000 /* slots are 0 to 9999 */
};

/* Who carries packets. */
enum dp_carrier { DP_AUTO = 1, DP_KERNEL, DP_USER };

/* Kind of a tunnel's interface; DP_IF_AUTO takes the carrier's own. */
enum dp_if { DP_IF_AUTO = 1, DP_IF_XFRM, DP_IF_VTI, DP_IF_TUN };

enum dp_dir { DP_IN = 1, DP_OUT };

enum dp_cipher { DP_AES128_GCM16 = 1, DP_AES256_GCM16 };

struct dp_tunnel {
	uint32_t slot;
	uint32_t if_id; /* xfrm if_id; the VTI's key and mark */
	enum dp_if kind;
	uint32_t mtu;
	int uplink_ifindex; /* outer device, 0 if unknown */
	struct addr local; /* outer addresses: a VTI is made with them, */
	struct addr remote; /* an unset remote means any; else unused */
	char ifname[IFNAMSIZ]; /* "ed0007" */
	char name[DP_NAME_MAX]; /* interface alias: "hub/isp1" */
};

struct dp_sa {
	uint32_t slot; /* the tunnel it belongs to */
	uint32_t spi; /* host order */
	enum dp_dir dir;
	enum dp_cipher cipher;
	bool encap; /* ESP in UDP; edge-esp takes nothing else */
	uint32_t socket; /* id of the 4500 socket it goes through (DP_USER) */
	int uplink_ifindex;
	uint32_t mark; /* output mark of the outer packets and */
	uint32_t mark_mask; /* its mask, 0 for none (DP_KERNEL) */
	struct endpoint local;
	struct endpoint remote; /* ports count with encap only */
	uint8_t key[DP_KEY_MAX]; /* key, then salt: 20 or 36 bytes */
};

/* A line of dp_dump(): never key material. */
struct dp_sa_info {
	uint32_t slot;
	uint32_t spi;
	enum dp_dir dir;
	enum dp_cipher cipher;
	bool encap;
	struct endpoint local;
	struct endpoint remote;
};

/* Since the tunnel's interface was made (kernel) or edge-esp learned it. */
struct dp_counters {
	uint64_t rx_packets; /* authenticated packets that came in */
	uint64_t rx_bytes; /* their inner bytes */
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t rx_replay; /* too old or seen (DP_KERNEL: by dp_drops() only) */
	uint64_t rx_auth; /* tag was wrong (the same) */
	uint64_t rx_bad; /* malformed after decryption, or no room */
	uint64_t tx_dropped; /* no SA, or the send queue was full */
};

/*
 * What the dataplane tells its owner. All are called from the loop (and from
 * dp_reconcile()); any may be NULL.
 */
struct dp_host {
	/*
	 * The carrier is there (dp_dump() is complete: SAs of an earlier run are
	 * in it until they are removed) or went away.
	 */
	void (*ready)(void *ctx, bool up);
	/* An IKE message came on socket; bytes are valid during the call. */
	void (*ike)(void *ctx, uint32_t socket, const struct endpoint *local,
		    const struct endpoint *remote, const uint8_t *bytes, size_t len);
	/* The SA is no more though nobody removed it: replace it at once. */
	void (*sa_lost)(void *ctx, uint32_t slot, enum dp_dir dir, uint32_t spi);
	/* Sequence numbers run out: rekey; hard: it carries nothing any more. */
	void (*sa_expire)(void *ctx, uint32_t slot, enum dp_dir dir, uint32_t spi,
			  bool hard);
	/*
	 * An authenticated packet of an inbound SA came from another address
	 * (NAT mapping changed); nothing was changed: dp_sa_update() decides.
	 */
	void (*mapping)(void *ctx, uint32_t slot, uint32_t spi,
			const struct endpoint *remote);
	/* The interface vanished and was made again: set addresses and routes. */
	void (*tunnel_restored)(void *ctx, uint32_t slot, int ifindex);
};

struct dp_params {
	struct loop *loop;
	enum dp_carrier carrier; /* DP_AUTO: kernel if it has ESP and xfrm links */
	const char *run_dir; /* edge-esp's socket is run_dir/esp.sock */
	const struct dp_host *host; /* NULL: nobody is told */
	void *ctx;
};

/*
 * Open the data plane. With DP_AUTO the kernel is asked by making and removing
 * an xfrm interface and a state. With DP_USER edge-esp may come later; it is
 * looked for until dp_free().
 *
 * Returns 0 with *ret owned by the caller, or a negative errno (DP_KERNEL:
 * -EOPNOTSUPP when the kernel lacks ESP).
 */
int dp_new(const struct dp_params *params, struct dataplane **ret);

/*
 * Close dp; NULL is allowed. Interfaces, SAs and policies stay as they are:
 * what a restart finds again. dp_tunnel_remove() takes them away.
 */
void dp_free(struct dataplane *dp);

/* DP_KERNEL or DP_USER. With DP_USER IKE must force UDP encapsulation. */
enum dp_carrier dp_carrier(const struct dataplane *dp);

/* "xfrm", "vti" or "user": the kind of a tunnel, for people; "" if unknown. */
const char *dp_kind(const struct dataplane *dp, uint32_t slot);

/* True while the carrier works (always with DP_KERNEL). */
bool dp_ready(const struct dataplane *dp);

/*
 * Largest inner packet for an outer link of link_mtu bytes: 1438 for 1500 over
 * UDP and IPv4, 1418 over IPv6.
 */
uint32_t dp_inner_mtu(uint8_t family, bool encap, uint32_t link_mtu);

/*
 * Hand over UDP port 4500 of an uplink and family: id is core's number for it,
 * fd bound to local and to the uplink's device, mark, buffer sizes and
 * O_NONBLOCK already set. The dataplane works on a duplicate; core keeps
 * and sends on fd. Repeating an id replaces it.
 *
 * Returns 0 or a negative errno.
 */
int dp_socket_set(struct dataplane *dp, uint32_t id, int fd,
		  const struct endpoint *local);

/* Stop reading socket id. Returns 0 or -ENOENT. */
int dp_socket_remove(struct dataplane *dp, uint32_t id);

/*
 * Make the tunnel's interface, or change it to what t says; set its alias
 * and MTU and bring it up. One that is there already (a restart) is taken over
 * with its addresses, SAs and routes. The ifindex goes to *ret_ifindex.
 *
 * A VTI without a local address is taken over if it is there.
 *
 * Returns 0, -EEXIST when a foreign interface has that name, -EINVAL,
 * -EDESTADDRREQ (a VTI has to be made and its addresses are not known),
 * -EOPNOTSUPP (kind not to be had) or another negative errno.
 */
int dp_tunnel_set(struct dataplane *dp, const struct dp_tunnel *t, int *ret_ifindex);

/* Remove the tunnel with its SAs, policies and interface. 0 or -ENOENT. */
int dp_tunnel_remove(struct dataplane *dp, uint32_t slot);

/*
 * Install an SA; its key is copied and wiped with the SA. An outbound SA is
 * used from now on instead of its predecessor, which lives until it is removed.
 * While edge-esp is away this succeeds and the SA is reported lost as soon as
 * edge-esp is back.
 *
 * Returns 0, -ENOENT (no such tunnel), -EEXIST (SPI in use), -EINVAL,
 * -EOPNOTSUPP (DP_USER without encap) or another negative errno.
 */
int dp_sa_install(struct dataplane *dp, const struct dp_sa *sa);

/*
 * Give an SA new outer addresses, in place: sequence numbers and replay window
 * go on. Returns 0, -ENOENT or another negative errno.
 */
int dp_sa_update(struct dataplane *dp, uint32_t slot, enum dp_dir dir, uint32_t spi,
		 uint32_t socket, const struct endpoint *local,
		 const struct endpoint *remote);

/* Remove an SA. If it was the outbound one in use, the newest left is. */
int dp_sa_remove(struct dataplane *dp, uint32_t slot, enum dp_dir dir, uint32_t spi);

/* Call fn for every SA of ours that the carrier has. 0 or a negative errno. */
int dp_dump(struct dataplane *dp, void (*fn)(void *ctx, const struct dp_sa_info *sa),
	    void *ctx);

/*
 * The tunnel's counters; cheap enough for every probe (edge-esp: shared
 * memory, kernel: one netlink question). Returns 0 or -ENOENT.
 */
int dp_counters(struct dataplane *dp, uint32_t slot, struct dp_counters *ret);

/*
 * Complete c, which dp_counters() filled, by what the tunnel's inbound SAs dropped:
 * the kernel is asked SA by SA. Counts of SAs that are no more are in it.
 */
void dp_drops(struct dataplane *dp, uint32_t slot, struct dp_counters *c);

/*
 * Compare with what should be: put back interfaces and policies, report SAs
 * that vanished. Called by the dataplane itself on kernel events; core calls it
 * when it knows better (netlink overrun, after suspend).
 */
void dp_reconcile(struct dataplane *dp);

/*
 * Remove what an earlier run left and this one did not set again: tunnels with
 * their SAs, interfaces of ours, sockets. To be called once every tunnel of the
 * configuration was set; called before any was set it removes everything.
 */
void dp_sweep(struct dataplane *dp);

enum { DP_FD_NAME_MAX = sizeof("dp-tun-4294967295") };

/* The name under which the service manager's store keeps the TUN of a slot. */
void dp_fd_name(uint32_t slot, char name[DP_FD_NAME_MAX]);

/*
 * The descriptor to keep under that name: host asks after each dp_tunnel_set().
 *
 * Returns a descriptor that stays dp's, or -ENOENT where the slot has no TUN.
 */
int dp_fd(const struct dataplane *dp, uint32_t slot);

/*
 * Give back a descriptor of the store at start, before the first dp_tunnel_set().
 * The dataplane owns fd when 0 is returned; -ENOENT: the name is not its own.
 */
int dp_fd_restore(struct dataplane *dp, const char *name, int fd);

#endif
