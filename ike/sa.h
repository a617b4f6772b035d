/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_sa - one IKE SA, from its first message to its end
 *
 * States, initiator on the left, responder on the right:
 *
 *	NEW            (own key pair is being made)         CALLED
 *	INIT_SENT      -- SAi1, KEi, Ni -->                 INIT_ANSWERED
 *	INIT_DONE      <-- SAr1, KEr, Nr --  (secret is being computed)
 *	AUTH_SENT      -- SK{IDi, AUTH, SAi2, TSi, TSr} --> AUTH_SEEN
 *	ESTABLISHED    <-- SK{IDr, AUTH, SAr2, TSi, TSr} -- ESTABLISHED
 *
 *	REKEYED   a newer IKE SA has its children; one side deletes it
 *	CLOSING   our last request (a Delete, or why we refuse) is in flight
 *	REFUSED   a caller was sent away; kept to repeat the answer
 *	DEAD      is freed when the present call returns
 *
 * Changes go through ike_sa_move(), which knows which are possible.
 */
#ifndef ED_IKE_SA_H
#define ED_IKE_SA_H

#include <stdbool.h>
#include <stdint.h>

#include "ike/engine.h"
#include "ike/gate.h"
#include "ike/keymat.h"
#include "ike/limits.h"
#include "ike/natd.h"

enum ike_sa_state {
	IKE_SA_NEW = 1,
	IKE_SA_INIT_SENT,
	IKE_SA_INIT_DONE,
	IKE_SA_AUTH_SENT,
	IKE_SA_CALLED,
	IKE_SA_INIT_ANSWERED,
	IKE_SA_AUTH_SEEN,
	IKE_SA_ESTABLISHED,
	IKE_SA_REKEYED,
	IKE_SA_CLOSING,
	IKE_SA_REFUSED,
	IKE_SA_DEAD,
	IKE_SA_STATES,
};

/* A nonce of either side. */
struct ike_nonce {
	uint16_t len;
	uint8_t b[IKE_NONCE_MAX];
};

/* Only while an SA is set up: freed once it is established. */
struct ike_handshake {
	uint8_t *init_req; /* both raw messages: AUTH signs one, and later both */
	size_t init_req_len;
	uint8_t *init_resp;
	size_t init_resp_len;
	struct ike_nonce ni;
	struct ike_nonce nr;
	uint16_t group;
	uint8_t priv[IKE_DH_PRIVATE_LEN];
	uint8_t pub[IKE_DH_PUBLIC_MAX];
	size_t pub_len;
	uint8_t peer_pub[IKE_DH_PUBLIC_MAX];
	size_t peer_pub_len;
	uint64_t job;
	uint8_t choice; /* number of the proposal taken */
	uint8_t cookie[IKE_COOKIE_MAX];
	size_t cookie_len;
	uint8_t cookie_rounds;
	uint32_t groups_tried; /* bits by index into our suites */
	uint16_t said; /* an error notify nobody authenticated */
	struct mono give_up_at; /* ours: the whole attempt */
	uint8_t *parked; /* an AUTH request that waits for the shared secret */
	size_t parked_len;
	struct ike_addrs parked_at;
	/* the child of IKE_AUTH while an inside address is asked for */
	struct ike_choice child;
	bool family4;
	bool family6;
	bool want4;
	bool want6;
	bool initial_contact;
};

/* What a CREATE_CHILD_SA or INFORMATIONAL exchange is about. */
enum ike_op_kind {
	IKE_OP_CHILD_NEW = 1,
	IKE_OP_CHILD_REKEY,
	IKE_OP_IKE_REKEY,
	IKE_OP_CHILD_DELETE,
	IKE_OP_IKE_DELETE,
	IKE_OP_PROBE,
};

/* One operation of ours (sa->op) or of the peer (sa->peer_op). */
struct ike_op {
	enum ike_op_kind kind;
	uint32_t old_spi; /* inbound SPI of the child it rekeys or deletes */
	uint32_t spi; /* inbound SPI of the new child */
	uint64_t ike_spi; /* own SPI of the new IKE SA */
	uint16_t group; /* of the key exchange, 0: none */
	uint8_t tries; /* retries with another group */
	uint64_t job;
	uint8_t priv[IKE_DH_PRIVATE_LEN];
	struct ike_nonce nonce; /* ours */
	struct ike_nonce peer_nonce;
	struct ike_choice choice;
	bool family4;
	bool family6;
	bool answered; /* ours: the response is in, the secret is computed */
	/* a peer's operation of the same target, answered while ours ran */
	bool collided;
	struct ike_nonce their_low; /* the lower of the other exchange's two */
	uint32_t their_spi; /* inbound SPI of the child it made, or */
	uint64_t their_ike_spi; /* own SPI of the IKE SA it made */
};

/* Wishes, fulfilled one after the other. */
enum {
	IKE_WANT_DELETE = 1 << 0, /* end the IKE SA with a Delete */
	IKE_WANT_REKEY_IKE = 1 << 1,
	IKE_WANT_REKEY_CHILD = 1 << 2, /* those whose rekey_now is set */
	IKE_WANT_CHILD = 1 << 3, /* another child */
	IKE_WANT_PROBE = 1 << 4,
};

struct ike_sa {
	struct ike *ike;
	struct ike_tun *tun; /* NULL: a caller not known yet */
	struct ike_sa *prev; /* in tun->sas */
	struct ike_sa *next;
	enum ike_sa_state state;
	bool initiator; /* of this IKE SA */
	uint64_t own_spi; /* also the sa_id of actions */
	uint64_t peer_spi;
	struct ike_addrs at;
	struct ike_natd natd;
	bool encap;
	struct ike_suite suite;
	bool keyed;
	struct ike_keys keys;
	uint64_t iv; /* of the next message we seal */
	struct ike_id local_id;
	struct ike_id remote_id;
	struct ike_handshake *hs;

	/* our request in flight; its bytes are repeated as they are */
	uint32_t send_id; /* of the next request */
	uint8_t *req;
	size_t req_len;
	uint8_t req_exchange;
	uint32_t tries;
	struct mono req_at;

	/* the peer's requests */
	uint32_t recv_id; /* of the next one */
	bool answering;
	uint8_t answering_exchange;
	uint8_t req_hash[32]; /* of the one answered last, or being answered */
	uint8_t *resp;
	size_t resp_len;

	bool saved; /* the host has bytes of it */
	bool undecided; /* made by a rekey of the peer while ours is under way */
	bool unsaved; /* and something changed since */
	unsigned int want;
	struct mono want_from; /* not before, after TEMPORARY_FAILURE */
	struct ike_op *op;
	struct ike_op *peer_op;
	struct ike_child *children;
	uint32_t n_children;

	enum ike_reason closing; /* why it will end, or ends */
	struct mono since; /* established */
	struct mono heard;
	struct mono half_open_at; /* gives up then */
	struct mono rekey_at;
	struct mono expire_at;
	struct mono dpd_at;
	struct mono keepalive_at;
	struct mono peer_rekeyed; /* when the peer last rekeyed the IKE SA */
	struct ike_timer_node timer;
	struct ike_sa *touched_next;
	bool touched;
	uint64_t caller_key;
	UT_hash_handle hh; /* by own_spi */
	UT_hash_handle hh_caller; /* by caller_key */
};

/* A new SA with an own SPI; tun may be NULL for a caller. */
struct ike_sa *ike_sa_new(struct ike *ike, struct ike_tun *tun, bool initiator,
			  const struct ike_addrs *at);

/* A random SPI that no SA of the engine has. */
uint64_t ike_sa_pick_spi(struct ike *ike);

struct ike_sa *ike_sa_find(struct ike *ike, uint64_t own_spi);

/* Add to the hash by own SPI (after ike_sa_new() or a restore changed it). */
void ike_sa_index(struct ike_sa *sa);

/* Put a caller's SA, now known, under its tunnel. */
void ike_sa_adopt(struct ike_sa *sa, struct ike_tun *tun);

/* Change the state. An impossible change ends the SA with IKE_REASON_INTERNAL. */
void ike_sa_move(struct ike_sa *sa, enum ike_sa_state to);

/* Work may be waiting or a time has changed: look at it before the call ends. */
void ike_sa_touch(struct ike_sa *sa);

/* Free memory of the handshake that is not needed any more. */
void ike_sa_drop_handshake(struct ike_sa *sa);

/* It is established: its lifetime and DPD begin. */
void ike_sa_start_timers(struct ike_sa *sa);

/* Up with its first child: tell the host, and settle older SAs of the tunnel. */
void ike_sa_established(struct ike_sa *sa, bool initial_contact);

/* Is it up (established, children or not)? */
bool ike_sa_is_up(const struct ike_sa *sa);

/*
 * The SA ends here and now: children are removed, its tunnel is told. notify
 * is the peer's error notify or 0; ours says which end decided. The sentence
 * becomes the tunnel's last failure unless the reason is a good one.
 */
void ike_sa_end(struct ike_sa *sa, enum ike_reason reason, uint16_t notify, bool ours,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* End it without a word to anybody (a redundant one). */
void ike_sa_end_silently(struct ike_sa *sa);

/*
 * End it and tell the peer: a Delete as soon as the window is free. The host
 * is told at once; children go at once.
 */
void ike_sa_close(struct ike_sa *sa, enum ike_reason reason, const char *sentence);

/* The same for every SA of a tunnel. */
void ike_sa_close_all(struct ike_tun *tun, enum ike_reason reason,
		      const char *sentence);

/*
 * The tunnel is about to be freed: its SAs lose it. With polite a Delete is
 * sent once for each that is up; nothing is repeated.
 */
void ike_sa_drop_all(struct ike_tun *tun, enum ike_reason reason, const char *sentence,
		     bool polite);

/* No SA may refer to conn any more. */
void ike_sa_forget_conn(struct ike *ike, const struct ike_conn *conn);

/* Note a failure of the tunnel (or the template) of sa, and say so. */
void ike_sa_failed(struct ike_sa *sa, enum ike_event event, enum ike_reason reason,
		   uint16_t notify, bool ours, const char *sentence);

/* An IKE SA's time has come. */
void ike_sa_timer(struct ike_sa *sa);

/* Begin the next thing that is wanted, and set the timer. */
void ike_sa_run(struct ike_sa *sa);

/* Free a dead SA. */
void ike_sa_free(struct ike_sa *sa);

/* Emit its bytes for a restart. */
void ike_sa_save(struct ike_sa *sa);

/* How the gate sees it; 0 when nothing may come in. */
enum ike_gate_state ike_sa_gate_state(const struct ike_sa *sa);

/* Key material of the two directions. */
const uint8_t *ike_sa_key_out(const struct ike_sa *sa);
const uint8_t *ike_sa_key_in(const struct ike_sa *sa);

/* Copy a nonce; false when it is too long. */
bool ike_nonce_set(struct ike_nonce *n, struct rbuf from);
void ike_nonce_new(struct ike_nonce *n, struct rng *rng);

#endif
