/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_engine - what the parts of the engine share
 *
 * Who owns what: the engine owns connections, tunnels and IKE SAs; an IKE SA
 * owns its children. Nothing of this is visible outside the folder.
 *
 * An SA that ends is marked dead and freed when the present call returns
 * (ike_engine_leave()), so that code in the middle of a message may go on
 * looking at it. Whatever changes an SA calls ike_sa_touch(): on leaving, each
 * touched SA begins its next request and sets its timer.
 */
#ifndef ED_IKE_ENGINE_H
#define ED_IKE_ENGINE_H

#include <stdbool.h>
#include <stdint.h>

#include "ike/table.h"

#include "ike/cookie.h"
#include "ike/id.h"
#include "ike/ike.h"
#include "ike/out.h"
#include "ike/proposal.h"
#include "ike/timerq.h"
#include "lib/ratelimit.h"
#include "lib/rng.h"
#include "lib/secret.h"

struct ike_sa;
struct ike_child;

/* The last failure, for people. */
struct ike_failure {
	enum ike_reason reason;
	struct mono at;
	char sentence[IKE_SENTENCE_MAX];
};

/* A connection: its configuration with everything parsed. */
struct ike_conn {
	struct ike_conn_config cfg; /* psk in it is NULL */
	struct secret *psk;
	struct ike_id local_id; /* type 0: the address */
	struct ike_suites ike_suites;
	struct ike_suites esp_suites;
	struct ike_failure failure; /* of callers of a template */
	uint32_t tunnels; /* that it has */
	UT_hash_handle hh; /* by cfg.name */
};

/* A tunnel and the SAs it has at the moment, newest first. */
struct ike_tun {
	char name[IKE_NAME_MAX];
	char label[IKE_LABEL_MAX + 1];
	struct ike_conn *conn;
	struct ike_sa *sas;
	bool up; /* the host was told so */
	struct ike_failure failure;
	struct ike_inside inside;
	uint32_t ike_rekeys;
	uint32_t child_rekeys;
	UT_hash_handle hh; /* by name */
};

struct ike {
	struct ike_params params;
	struct rng *rng;
	struct mono now; /* of the call being carried out */
	struct ike_conn *conns;
	struct ike_tun *tuns;
	struct ike_sa *sas; /* by own SPI */
	struct ike_sa *callers; /* half open, by keyed hash of SPIi and address */
	struct ike_child *children; /* by inbound SPI */
	struct ike_sa *touched;
	struct ike_timerq timers;
	struct ike_out out;
	struct ike_counters counters;
	struct ratelimit refusals; /* events about callers nobody knows */
	struct ratelimit floods; /* events that COOKIE is asked */
	struct ike_cookies cookies;
	uint64_t hash_key;
	struct ike_conn **callees; /* see ike_conn_callees() */
	size_t n_callees;
	bool callees_stale;
	struct prefix *home; /* networks behind this end */
	size_t n_home;
	uint64_t next_job;
};

/* Every call of the interface begins and ends with these. */
void ike_engine_enter(struct ike *ike, struct mono now);
void ike_engine_leave(struct ike *ike);

/* A message of an SA whose keys are there, as ike_input() found it. */
void ike_engine_sealed(struct ike_sa *sa, const struct ike_addrs *at,
		       const uint8_t *bytes, size_t len);

/* Emit an event. tunnel may be NULL. */
void ike_engine_event(struct ike *ike, const char *tunnel, enum ike_event event,
		      enum ike_reason reason, uint16_t notify, bool ours,
		      const char *sentence);

/* Note a failure, sentence escaped already. */
void ike_failure_set(struct ike_failure *f, struct mono now, enum ike_reason reason,
		     const char *sentence);

#endif
