/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_table - what edge-esp knows: sockets, tunnels, SAs
 *
 * Changed by edged's requests only; read for every packet. A tunnel has a slot,
 * a TUN and up to ESP_TUNNEL_SAS_MAX SAs. Its newest outbound SA is the one in
 * use. Inbound SAs are found by SPI alone: edged draws them for the whole
 * box. Keys are inside the SAs only, wiped when they end.
 *
 * No I/O: descriptors are kept here and used by the worker.
 */
#ifndef ED_EDGED_ESP_SA_H
#define ED_EDGED_ESP_SA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <uthash.h>

#include "edged/esp/crypto.h"
#include "edged/esp/proto.h"
#include "edged/esp/replay.h"
#include "lib/addr.h"
#include "lib/loop.h"

struct rng;

struct esp_socket {
	uint32_t id;
	int fd;
	bool no_gso; /* the device refused UDP_SEGMENT */
	bool blocked; /* full: tunnels that send through it pause */
	struct endpoint local;
	struct esp_worker *worker;
	struct loop_io io;
	UT_hash_handle hh;
};

struct esp_tunnel;

struct esp_sa {
	uint32_t spi;
	enum esp_dir dir;
	enum esp_cipher cipher;
	uint32_t socket;
	struct endpoint local;
	struct endpoint remote;
	struct sockaddr_storage to; /* remote, ready to send */
	socklen_t to_len;
	struct esp_aead *aead;
	uint32_t seq; /* outbound: last number used */
	uint32_t soft_limit; /* number from which a rekey is asked for */
	bool soft_told;
	bool hard_told;
	struct esp_replay replay;
	struct endpoint reported; /* inbound: other source told to edged */
	struct esp_tunnel *tunnel;
	struct esp_sa *next; /* of the tunnel, newest first */
	UT_hash_handle hh; /* inbound, by SPI */
};

struct esp_tunnel {
	uint32_t slot;
	int fd;
	bool udp_super; /* TUN takes UDP super-packets */
	bool paused; /* its socket is full */
	struct esp_tunnel *next_paused;
	struct esp_sa *sas;
	struct esp_sa *out; /* the one in use, NULL for none */
	struct esp_counters *count;
	struct esp_worker *worker;
	struct loop_io io;
};

struct esp_table {
	struct esp_socket *sockets;
	struct esp_tunnel *tunnels[ESP_SLOTS_MAX];
	struct esp_sa *inbound;
	struct esp_counters *counters; /* ESP_SLOTS_MAX of them */
	struct rng *rng;
};

/* counters are the caller's and must live as long as the table. */
void esp_table_init(struct esp_table *t, struct esp_counters *counters,
		    struct rng *rng);

/* Free everything and close the descriptors; watchers must be stopped. */
void esp_table_fini(struct esp_table *t);

struct esp_socket *esp_table_socket(const struct esp_table *t, uint32_t id);
struct esp_tunnel *esp_table_tunnel(const struct esp_table *t, uint32_t slot);

/* The inbound SA of an SPI, or NULL. */
struct esp_sa *esp_table_inbound(const struct esp_table *t, uint32_t spi);

/*
 * Add a socket or tunnel under a new id; the table owns fd when 0 is returned.
 * -EINVAL (address, slot), -ENOSPC (too many).
 */
int esp_table_socket_add(struct esp_table *t, const struct esp_msg_socket *msg, int fd,
			 struct esp_socket **ret);
int esp_table_tunnel_add(struct esp_table *t, uint32_t slot, int fd,
			 struct esp_tunnel **ret);

/* Remove it and close its descriptor; the watcher must be stopped. */
void esp_table_socket_del(struct esp_table *t, struct esp_socket *s);
void esp_table_tunnel_del(struct esp_table *t, struct esp_tunnel *tunnel);

/*
 * Add, change, remove an SA as the message says.
 *
 * 0; -ENOENT (no such tunnel, socket or SA), -EEXIST (SPI in use), -ENOSPC,
 * -EINVAL (direction, cipher, SPI below 256, addresses of two families).
 */
int esp_table_sa_add(struct esp_table *t, const struct esp_msg_sa *msg);
int esp_table_sa_update(struct esp_table *t, const struct esp_msg_sa *msg);
int esp_table_sa_del(struct esp_table *t, const struct esp_msg_sa *msg);

/* Fill a message's address from ours and back; -EINVAL for no address or port 0. */
void esp_endpoint_put(struct esp_endpoint *to, const struct endpoint *from);
int esp_endpoint_get(const struct esp_endpoint *from, struct endpoint *to);

#endif
