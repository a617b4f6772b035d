/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_steps - the exchanges, both roles, one file each
 *
 * init.c: IKE_SA_INIT; auth.c: IKE_AUTH; child.c: CREATE_CHILD_SA for
 * children; rekey.c: CREATE_CHILD_SA for the IKE SA; info.c: INFORMATIONAL.
 *
 * Requests and responses come here open, authentic where they are sealed,
 * through the gate, and in the window. A request is answered by
 * ike_exchange_respond() in the same call, or later when a job or the host
 * has to answer first; until then sa->answering stays set.
 */
#ifndef ED_IKE_STEPS_H
#define ED_IKE_STEPS_H

#include "ike/child_sa.h"
#include "ike/job.h"
#include "ike/payload.h"
#include "ike/sa.h"

/* ---- IKE_SA_INIT (1.2) ---- */

/* Begin an attempt for the tunnel. */
void ike_init_start(struct ike *ike, struct ike_tun *tun);

/* A datagram that looks like a caller's first message. */
void ike_init_request(struct ike *ike, const struct ike_hdr *hdr,
		      const struct ike_addrs *at, const uint8_t *msg, size_t len);

/* The answer to ours. */
void ike_init_response(struct ike_sa *sa, const struct ike_hdr *hdr,
		       const struct ike_addrs *at, const uint8_t *msg, size_t len);

/* A sealed message came before its keys: compute them, then look at it. */
void ike_init_park(struct ike_sa *sa, const struct ike_addrs *at, const uint8_t *msg,
		   size_t len);

/* The result of a job of the handshake. */
void ike_init_job(struct ike_sa *sa, struct ike_job *job);

/* ---- IKE_AUTH (1.2) ---- */

void ike_auth_start(struct ike_sa *sa);
void ike_auth_request(struct ike_sa *sa, const struct ike_addrs *at,
		      struct ike_chain *chain);
void ike_auth_response(struct ike_sa *sa, struct ike_chain *chain);

/* The host's inside address for a caller; NULL refuses. */
void ike_auth_inside(struct ike_sa *sa, const struct ike_inside *inside);

/* ---- CREATE_CHILD_SA (1.3) ---- */

/* Begin: another child (old NULL), or the rekey of old. */
void ike_child_start(struct ike_sa *sa, struct ike_child *old);
void ike_child_request(struct ike_sa *sa, struct ike_chain *chain);
void ike_child_response(struct ike_sa *sa, struct ike_chain *chain);

/* A job of our operation, or of the one we answer. */
void ike_child_job(struct ike_sa *sa, struct ike_job *job);
void ike_child_peer_job(struct ike_sa *sa, struct ike_job *job);

/* Which families two lists of selectors cover at both ends; 0 or an error. */
int ike_child_families(const struct ike_chain *chain, bool *family4, bool *family6,
		       char *why, size_t cap);

/* ---- rekey of the IKE SA (1.3.2) ---- */

void ike_rekey_start(struct ike_sa *sa);
void ike_rekey_request(struct ike_sa *sa, struct ike_chain *chain);
void ike_rekey_response(struct ike_sa *sa, struct ike_chain *chain);
void ike_rekey_job(struct ike_sa *sa, struct ike_job *job);
void ike_rekey_peer_job(struct ike_sa *sa, struct ike_job *job);

/* Our rekey came to nothing: take what a colliding one of the peer made. */
void ike_rekey_abandoned(struct ike_sa *sa);

/* ---- INFORMATIONAL (1.4) ---- */

void ike_info_probe(struct ike_sa *sa);
void ike_info_delete_ike(struct ike_sa *sa);
void ike_info_delete_child(struct ike_sa *sa, struct ike_child *child);
void ike_info_request(struct ike_sa *sa, struct ike_chain *chain);
void ike_info_response(struct ike_sa *sa, struct ike_chain *chain);

/* Send one error notify as a request of ours and close (2.21.2). */
void ike_info_refuse(struct ike_sa *sa, uint16_t notify);

/* ---- operations ---- */

/* Begin an operation of ours; ike_op_done() ends it. */
struct ike_op *ike_op_new(struct ike_sa *sa, enum ike_op_kind kind);
void ike_op_done(struct ike_sa *sa);
struct ike_op *ike_op_new_peer(struct ike_sa *sa, enum ike_op_kind kind);
void ike_op_done_peer(struct ike_sa *sa);

/* TEMPORARY_FAILURE and the like: not again before a random while. */
void ike_op_later(struct ike_sa *sa, unsigned int want);

/* "NO_PROPOSAL_CHOSEN" or "notify 99": for sentences. buf has 40 bytes. */
const char *ike_op_notify_text(uint16_t type, char *buf);

#endif
