/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_world - two IKE engines, a network between them, and virtual time
 *
 *	side 0 (10.0.0.2) --[NAT 192.0.2.1, if wanted]-- network -- side 1 (198.51.100.1)
 *
 * The world carries out every action as a host would: it keeps saved bytes,
 * runs jobs, installs ESP SAs, moves datagrams with delay, loss, duplicates
 * and reordering. All chance comes from one seed. Over the SAs it sends a
 * packet each way every 20 ms, with the newest outbound SA at that moment, and
 * counts those that meet no inbound SA when they arrive: what a rekey costs.
 */
#ifndef ED_TESTS_SIM_IKE_WORLD_H
#define ED_TESTS_SIM_IKE_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "ike/ike.h"
#include "lib/rng.h"

enum {
	WORLD_SAS = 256,
	WORLD_SAVED = 64,
	WORLD_EVENTS = 32,
	WORLD_CONNS = 4,
};

struct world_esp {
	bool used;
	struct ike_esp esp;
	uint64_t order; /* of installation */
};

struct world_saved {
	uint64_t id;
	uint8_t *bytes;
	size_t len;
};

struct world_side {
	struct ike *ike;
	struct rng rng;
	struct ike_conn_config conns[WORLD_CONNS];
	size_t n_conns;
	struct world_esp sas[WORLD_SAS];
	struct world_saved saved[WORLD_SAVED];
	/* what the host was told */
	unsigned int events[WORLD_EVENTS];
	enum ike_reason last_reason;
	char last_sentence[IKE_SENTENCE_MAX];
	char last_tunnel[IKE_NAME_MAX];
	struct ike_inside inside;
	unsigned int callers;
	unsigned int messages_in;
	unsigned int restarts;
	unsigned int keepalives;
	unsigned int installs;
	uint64_t esp_sent;
	uint64_t esp_lost; /* arrived at the other side without an SA for it */
	bool refuse_inside;
	struct ike_inside give; /* instead of the usual addresses, where set */
	/* restart this side after so many messages received; 0: never */
	unsigned int restart_at;
	bool retry; /* call ike_up() again 1 s after a failure or an end */
	struct mono retry_at;
};

struct world_packet;

struct world {
	struct world_side side[2];
	struct rng rng;
	struct mono now;
	struct world_packet *packets;
	unsigned int loss_pct;
	unsigned int dup_pct;
	uint32_t delay_ms; /* and up to as much again */
	bool jitter;
	bool nat; /* side 0 is behind one */
	uint16_t nat_port; /* its mapping; change it to move */
	bool cut; /* nothing arrives */
	bool esp; /* send ESP packets */
	uint32_t esp_late_ms; /* they take up to so much longer than messages */
	struct mono next_esp;
	uint64_t install_order;
	unsigned int delivered;
	/* Called for each IKE datagram before it is sent; false drops it. */
	bool (*tap)(struct world *w, int from, const uint8_t *msg, size_t len);
	void *tap_ctx;
	/* (SPI, key) pairs seen, to prove that none is installed twice. */
	struct {
		int side;
		uint32_t spi;
		uint8_t key[IKE_KEYMAT_MAX];
	} installed[4096];
	size_t n_installed;
};

/* A world with engines and no connections. */
struct world *world_new(uint64_t seed);
void world_free(struct world *w);

/* The usual pair: "hub/isp1" on side 0 calls, "branch/isp1" on side 1 waits. */
struct ike_conn_config world_caller(void);
struct ike_conn_config world_answerer(void);

/* Give a side a connection (kept for its restarts). */
void world_conn(struct world *w, int side, const struct ike_conn_config *c);

/* Let ms of virtual time pass. */
void world_run(struct world *w, int64_t ms);

/* Let time pass until both sides' tunnels are up, at most ms. */
bool world_run_until_up(struct world *w, int64_t ms);

/* The engine's name for the tunnel of a side. */
const char *world_tunnel(const struct world *w, int side);

struct ike_status world_status(const struct world *w, int side);

/* Carry out what the engine of a side wants; after a command. */
void world_pump(struct world *w, int side);

/* Free the engine and take it up from its saved bytes. */
void world_restart(struct world *w, int side);

/* SAs a side has now, in one direction. */
unsigned int world_count(const struct world *w, int side, enum ike_dir dir);

/* The newest SAs of the two sides fit together, keys included. */
bool world_sas_match(const struct world *w);

#endif
