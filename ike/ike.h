/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike - IKEv2 (RFC 7296) as a pure engine
 *
 * This header is the whole interface of the folder. The engine opens no
 * socket, reads no clock, draws no random byte that the host did not inject,
 * blocks never and calls nobody back. What happened goes in: datagrams, time,
 * commands, results of jobs. What is to be done comes out as one ordered list
 * of actions. The host loop is:
 *
 *	ike_input(...) or ike_timer(...) or a command;
 *	while ((act = ike_next_action(ike)))
 *		carry act out, in this order; answers may be given at once;
 *	arm a timer for ike_deadline(ike);
 *
 * Words. A connection is what the configuration says about one tunnel, or,
 * as a template, about all tunnels of a peer that calls us. A tunnel is named
 * "hub/isp1"; that name is the key of every call and action. An IKE SA is one
 * negotiated association, a child SA the ESP pair under it. A tunnel may for
 * moments have two of each: while they are rekeyed and while a new one
 * replaces an old one.
 *
 * Intent stays outside. The engine makes one attempt per ike_up(), with its
 * retransmissions, and reports how it ended; the host decides when to try
 * again. The end of an SA ends nothing else.
 *
 * Times are monotonic (struct mono); given lifetimes are seconds. Secrets are
 * wiped as soon as they are not needed, never logged, never in a sentence.
 * Everything that a peer can make us keep is bounded by ike/limits.h.
 */
#ifndef ED_IKE_IKE_H
#define ED_IKE_IKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/mono.h"

struct ike;
struct rng;

enum {
	IKE_NAME_MAX = 192, /* bytes of a tunnel name with its end */
	IKE_ID_TEXT_MAX = 256, /* bytes of an identity as text with its end */
	IKE_SENTENCE_MAX = 512, /* bytes of a sentence with its end */
	IKE_SUITE_TEXT_MAX = 64,
	IKE_SUITES_MAX = 18, /* suites for the IKE SA, and for ESP: all there are */
	IKE_KEYMAT_MAX = 36, /* AES-256 key and salt */
	IKE_PORT = 500,
	IKE_NATT_PORT = 4500,
};

/* ---- suites ------------------------------------------------------------ */

/*
 * One complete choice of algorithms, IANA numbers ("Transform Type Values").
 * ESP suites have no prf; their group is the one of a rekey with PFS, 0 for
 * none.
 */
struct ike_suite {
	uint16_t encr;
	uint16_t key_bits;
	uint16_t integ; /* 0 with an AEAD */
	uint16_t prf;
	uint16_t group;
};

/*
 * Read a suite: "aes256gcm16-sha256-x25519" for the IKE SA, "aes256gcm16" or,
 * with PFS, "aes256gcm16-x25519" for ESP. Encryption aes128gcm16 aes256gcm16;
 * PRF sha256 sha384 sha512 (also prfsha256 ...); group modp2048 ecp256 x25519
 * (also 14, 19, 31).
 *
 * Returns 0; -EINVAL when a word is unknown, missing or too many.
 */
int ike_suite_parse(const char *text, bool esp, struct ike_suite *suite);

/* Write the suite as ike_suite_parse() reads it. */
void ike_suite_format(const struct ike_suite *suite, char *buf, size_t cap);

/* ---- the engine -------------------------------------------------------- */

/* A zero means the default that stands beside the field. */
struct ike_params {
	struct rng *rng; /* borrowed for the engine's life */
	uint32_t half_open_max; /* callers not authenticated yet: 256 */
	uint32_t half_open_per_source; /* the same per /32 or /64: 64 */
	uint32_t half_open_s; /* how long one may take: 30 */
	uint32_t cookie_from; /* half-open callers from which on COOKIE is asked: 32 */
	uint32_t sa_max; /* IKE SAs in all: 20000 */
};

/* A new engine without connections. The caller frees it. */
struct ike *ike_new(const struct ike_params *params);

/*
 * Free the engine and wipe every key; no message is sent, no action emitted.
 * Actions not fetched are lost. NULL is allowed.
 */
void ike_free(struct ike *ike);

/* ---- connections ------------------------------------------------------- */

struct ike_conn_config {
	/* The tunnel's name, or with template set the peer's. */
	char name[IKE_NAME_MAX];
	/*
	 * A template answers callers only. Its tunnels are named
	 * "<name>/<label>", label being what the '*' of remote_id matched:
	 * peer branch-042 accepts "*.branch-042", and "isp1.branch-042"
	 * becomes tunnel branch-042/isp1.
	 */
	bool template;
	bool initiate; /* ike_up() is allowed */

	/*
	 * Where packets leave and arrive: the host's number of the uplink.
	 * Templates take callers on every uplink.
	 */
	uint32_t uplink;
	struct addr local; /* family 0: any (templates) */
	struct addr remote; /* family 0: any, then initiate is refused */
	uint16_t local_port; /* 0: 500 */
	uint16_t local_natt; /* 0: 4500 */
	uint16_t remote_port; /* 0: 500 */
	uint16_t remote_natt; /* 0: 4500 */

	/*
	 * Identities as text. An IP address, "user@domain", else a domain
	 * name; a leading '@' forces a domain name. Empty: the address of
	 * that end. remote_id may hold one '*', which matches one or more
	 * characters of a domain name; "*" alone matches every identity.
	 */
	char local_id[IKE_ID_TEXT_MAX];
	char remote_id[IKE_ID_TEXT_MAX];
	const uint8_t *psk; /* copied */
	size_t psk_len;

	struct ike_suite ike_suites[IKE_SUITES_MAX]; /* in order of liking */
	size_t n_ike_suites; /* 0: the defaults */
	struct ike_suite esp_suites[IKE_SUITES_MAX];
	size_t n_esp_suites; /* 0: the defaults */

	bool force_encap; /* ESP in UDP whatever NAT detection says */
	bool want_inside4; /* ask the peer for inside addresses */
	bool want_inside6;
	bool give_inside; /* answer such a question (IKE_ACT_INSIDE_WANTED) */

	/* Seconds; 0 means the default beside it. */
	uint32_t ike_life_s; /* 14400 */
	uint32_t child_life_s; /* 3600 */
	uint32_t dpd_s; /* 30: silence after which the peer is asked */
	uint32_t keepalive_s; /* 20: behind a NAT */
	uint32_t retransmit_ms; /* 1000: wait before the first repetition */
	uint32_t retransmits; /* 6 repetitions, each 1.8 times later */
	uint32_t max_tunnels; /* 16: tunnels of one template */
};

/*
 * Add a connection or replace the one of that name. What an existing SA
 * already uses is not taken away: an SA that the new configuration would not
 * have negotiated (identities, secret, suites, own or peer's address) is
 * ended with a Delete and the event IKE_REASON_CONFIG; lifetimes and DPD
 * apply at once.
 *
 * Returns 0, or -EINVAL with a sentence in *why (IKE_SENTENCE_MAX bytes; NULL
 * is allowed) and nothing changed.
 */
int ike_conn_set(struct ike *ike, struct mono now, const struct ike_conn_config *config,
		 char *why);

/*
 * Remove a connection; its SAs are ended with a Delete.
 *
 * Returns 0 or -ENOENT.
 */
int ike_conn_remove(struct ike *ike, struct mono now, const char *name);

/* ---- what happens ------------------------------------------------------ */

struct ike_addrs {
	uint32_t uplink;
	struct endpoint local;
	struct endpoint remote;
	/*
	 * From or to the port for NAT traversal, where IKE follows a marker
	 * of four zero bytes. The host takes the marker off and puts it on.
	 */
	bool natt;
};

/*
 * One datagram. Invalid ones change nothing but counters. The bytes are
 * borrowed for the call.
 */
void ike_input(struct ike *ike, struct mono now, const struct ike_addrs *at,
	       const void *bytes, size_t len);

/* Do what is due at now. Early calls are harmless. */
void ike_timer(struct ike *ike, struct mono now);

/* When ike_timer() wants to be called next; MONO_NEVER when nothing waits. */
struct mono ike_deadline(const struct ike *ike);

/*
 * Commands name a tunnel (or a connection that is no template). They return 0
 * when begun, -ENOENT for an unknown name, and
 *
 * ike_up: -EALREADY when the tunnel is up or on its way, -EOPNOTSUPP when it
 * may not initiate. ike_down ends every SA of the tunnel with a Delete.
 * ike_rekey_child, ike_rekey_ike, ike_probe (ask the peer for a sign of life
 * now): -ENOTCONN without an established SA.
 */
int ike_up(struct ike *ike, struct mono now, const char *tunnel);
int ike_down(struct ike *ike, struct mono now, const char *tunnel);
int ike_rekey_child(struct ike *ike, struct mono now, const char *tunnel);
int ike_rekey_ike(struct ike *ike, struct mono now, const char *tunnel);
int ike_probe(struct ike *ike, struct mono now, const char *tunnel);

/*
 * Forget every SA of the tunnel without a word to the peer (its uplink lost
 * its address; a message could not leave any more).
 *
 * Returns 0, -ENOENT.
 */
int ike_abandon(struct ike *ike, struct mono now, const char *tunnel);

/*
 * The data plane lost the SA with this inbound SPI: it is replaced by a new
 * child at once, never installed again with its old keys.
 *
 * Returns 0, -ENOENT when no child has that SPI.
 */
int ike_child_lost(struct ike *ike, struct mono now, uint32_t spi_in);

/*
 * The first packet arrived on the SA with this inbound SPI: its peer sends on
 * it, so that our outbound half may follow. A hint; without it the engine
 * waits for the peer's Delete of the old SA or a short time.
 */
void ike_child_used(struct ike *ike, struct mono now, uint32_t spi_in);

/*
 * The peer's ESP packets, authenticated, come from another address or port.
 * Obeyed only where the peer is behind a NAT.
 */
void ike_child_moved(struct ike *ike, struct mono now, uint32_t spi_in,
		     const struct endpoint *remote);

/* Authenticated packets arrived in the tunnel: no DPD question needed yet. */
void ike_heard(struct ike *ike, struct mono now, const char *tunnel);

/* ---- jobs: public-key work --------------------------------------------- */

struct ike_job;

/*
 * Do the work of a job. Pure: it may run in any thread, touches no engine
 * and takes up to a millisecond.
 */
void ike_job_run(struct ike_job *job);

/* Hand a job back after ike_job_run(). The engine takes ownership. */
void ike_job_done(struct ike *ike, struct mono now, struct ike_job *job);

/* Drop a job that will not be handed back (its engine was freed). */
void ike_job_free(struct ike_job *job);

/* ---- inside addresses -------------------------------------------------- */

/*
 * The pair of addresses at the two ends of a tunnel; family 0 where there is
 * none. Handed out as /31 and /127, so that each end knows the other's half;
 * a peer that gives a plain host address leaves peer4 or peer6 empty.
 */
struct ike_inside {
	struct addr own4;
	struct addr peer4;
	struct addr own6;
	struct addr peer6;
};

/*
 * Answer IKE_ACT_INSIDE_WANTED: inside->own* is ours, inside->peer* what the
 * caller gets. NULL refuses: the tunnel then fails with INTERNAL_ADDRESS_FAILURE.
 * An answer nobody waits for is ignored.
 */
void ike_inside_answer(struct ike *ike, struct mono now, uint64_t token,
		       const struct ike_inside *inside);

/*
 * The networks behind this end, n prefixes, copied. A peer that hands out an
 * inside address within them is refused: it would be a host of ours.
 */
void ike_home_set(struct ike *ike, const struct prefix *v, size_t n);

/* ---- what is to be done ------------------------------------------------ */

enum ike_act {
	IKE_ACT_SAVE = 1, /* write sa_id's bytes where a restart finds them */
	IKE_ACT_FORGET, /* sa_id is gone: remove its bytes */
	IKE_ACT_SEND, /* a message; always after the SAVE it depends on */
	IKE_ACT_KEEPALIVE, /* one byte 0xff, without marker, to u.send.at */
	IKE_ACT_JOB, /* ike_job_run(), then ike_job_done() */
	IKE_ACT_CALLER, /* a template's new tunnel: make its interface */
	IKE_ACT_INSIDE_WANTED, /* call ike_inside_answer() */
	IKE_ACT_INSIDE, /* the tunnel's inside addresses are these */
	IKE_ACT_SA_INSTALL, /* one direction of a child */
	IKE_ACT_SA_UPDATE, /* its outer addresses changed */
	IKE_ACT_SA_REMOVE, /* end of one direction */
	IKE_ACT_EVENT, /* something a person may want to know */
};

enum ike_dir { IKE_IN = 1, IKE_OUT };

/* One direction of a child SA, as the data plane needs it. */
struct ike_esp {
	enum ike_dir dir;
	uint32_t spi; /* of this direction, host byte order */
	uint32_t spi_pair; /* of the other direction */
	uint16_t encr; /* IANA ENCR number: 20 is AES-GCM-16 */
	uint16_t key_bits;
	uint8_t key[IKE_KEYMAT_MAX]; /* key, then the 4 bytes of salt */
	size_t key_len;
	bool encap; /* ESP in UDP between the ports of local and remote */
	uint32_t uplink;
	struct endpoint local; /* ports are 0 without encap */
	struct endpoint remote;
	bool family4; /* selectors cover 0.0.0.0/0 both ways */
	bool family6; /* selectors cover ::/0 both ways */
	bool rekey; /* takes over from a child that still runs */
};

enum ike_event {
	IKE_EV_UP = 1, /* IKE SA and first child established */
	IKE_EV_DOWN, /* the tunnel's last IKE SA ended */
	IKE_EV_FAILED, /* an attempt ended without a tunnel */
	IKE_EV_CHILD_UP, /* another child, not by rekey */
	IKE_EV_CHILD_REKEYED,
	IKE_EV_CHILD_DOWN, /* the last child ended, the IKE SA lives */
	IKE_EV_IKE_REKEYED,
	IKE_EV_PEER_MOVED, /* new outer address of the peer */
	IKE_EV_REFUSED, /* a caller was sent away, no tunnel known */
	IKE_EV_NOTICE, /* worth a line, nothing changed */
};

enum ike_reason {
	IKE_REASON_NONE = 0,
	IKE_REASON_ADMIN, /* a command or the configuration of this end */
	IKE_REASON_CONFIG, /* a changed configuration */
	IKE_REASON_TIMEOUT, /* no answer */
	IKE_REASON_PEER_DELETED, /* the peer said so */
	IKE_REASON_REPLACED, /* by a newer SA of the same tunnel */
	IKE_REASON_EXPIRED, /* not rekeyed in its lifetime */
	IKE_REASON_ADDRESS, /* an outer address went away */
	IKE_REASON_PROPOSAL, /* no common suite */
	IKE_REASON_AUTH, /* secret or AUTH payload wrong */
	IKE_REASON_IDENTITY, /* nobody by that name, or not who we expect */
	IKE_REASON_SELECTORS, /* no common traffic selectors */
	IKE_REASON_INSIDE, /* no inside address to give, or none given */
	IKE_REASON_NATT, /* encapsulation needed and not possible */
	IKE_REASON_SYNTAX, /* a message that must not be */
	IKE_REASON_LIMIT, /* too many */
	IKE_REASON_PEER_REFUSED, /* an error notify without a better code */
	IKE_REASON_LOST, /* the data plane lost an SA */
	IKE_REASON_INTERNAL, /* our bug; the SA was ended, not the process */
	IKE_REASON_COUNT,
};

/* A short word for a reason ("timeout", "auth"), stable for programs. */
const char *ike_reason_name(enum ike_reason reason);

/* A short word for an event ("up", "child-rekeyed"), stable for programs. */
const char *ike_event_name(enum ike_event event);

/* Pointers live until the next ike_next_action() or ike_free(). */
struct ike_action {
	enum ike_act kind;
	char tunnel[IKE_NAME_MAX]; /* empty where none is known */
	uint64_t sa_id; /* SAVE, FORGET, and for reference the others */
	union {
		struct {
			const uint8_t *bytes;
			size_t len;
		} save;
		struct {
			struct ike_addrs at;
			const uint8_t *bytes;
			size_t len;
		} send;
		struct ike_job *job; /* now the host's */
		struct {
			const char *template;
			const char *label;
			uint32_t uplink;
			struct endpoint local;
			struct endpoint remote;
		} caller;
		struct {
			uint64_t token;
			bool want4;
			bool want6;
		} inside_wanted;
		struct ike_inside inside;
		struct ike_esp esp;
		struct {
			enum ike_event event;
			enum ike_reason reason;
			uint16_t notify; /* the peer's error notify or 0 */
			bool ours; /* begun by this end */
			const char *sentence;
		} event;
	} u;
};

/*
 * The next thing to do, or NULL. What was returned before is freed and its
 * keys are wiped.
 */
const struct ike_action *ike_next_action(struct ike *ike);

/* ---- restart ----------------------------------------------------------- */

/*
 * Take up an IKE SA with its children from the bytes of its last
 * IKE_ACT_SAVE, after the connections were set. Nothing is installed: the
 * data plane kept the children, and whatever it lost is reported by
 * ike_child_lost(). Counters of IVs skip ahead. Monotonic time must be of the
 * same boot.
 *
 * Returns 0; -EBADMSG for damaged bytes, -EPROTONOSUPPORT for another
 * version, -ENOENT when no connection fits any more, -EEXIST.
 */
int ike_restore(struct ike *ike, struct mono now, const void *bytes, size_t len);

/*
 * Call fn for every child direction that should be installed now, as it would
 * be installed (keys included): to compare with what the data plane has after
 * a restart.
 */
void ike_each_esp(struct ike *ike,
		  void (*fn)(void *ctx, const char *tunnel, const struct ike_esp *esp),
		  void *ctx);

/* ---- status ------------------------------------------------------------ */

enum ike_state {
	IKE_DOWN = 1,
	IKE_CONNECTING,
	IKE_UP,
	IKE_CLOSING,
};

const char *ike_state_name(enum ike_state state);

struct ike_child_status {
	uint32_t spi_in;
	uint32_t spi_out;
	char suite[IKE_SUITE_TEXT_MAX];
	bool pfs; /* its keys come from an own key exchange */
	bool family4;
	bool family6;
	struct mono since;
	struct mono rekey_at;
	uint32_t rekeys; /* since the tunnel came up */
};

/* One tunnel, or one template (its failures with callers). */
struct ike_status {
	char tunnel[IKE_NAME_MAX];
	bool template;
	enum ike_state state;
	bool initiator;
	char suite[IKE_SUITE_TEXT_MAX];
	uint64_t spi_i;
	uint64_t spi_r;
	char local_id[IKE_ID_TEXT_MAX];
	char remote_id[IKE_ID_TEXT_MAX];
	struct ike_addrs at;
	bool nat_local; /* this end is behind a NAT */
	bool nat_remote; /* the other end is */
	bool encap;
	struct mono since; /* established */
	struct mono heard; /* last authenticated message */
	struct mono rekey_at;
	uint32_t ike_rekeys;
	uint32_t retransmits; /* of the request in flight */
	bool has_child;
	struct ike_child_status child; /* the one that sends */
	struct ike_inside inside;
	char failure[IKE_SENTENCE_MAX]; /* the last one, empty when none */
	enum ike_reason failure_reason;
	struct mono failure_at;
};

/*
 * The status of one tunnel or template.
 *
 * Returns 0 or -ENOENT.
 */
int ike_status_get(const struct ike *ike, const char *tunnel, struct ike_status *st);

/* All of them, in no order that means anything. */
void ike_status_each(const struct ike *ike,
		     void (*fn)(void *ctx, const struct ike_status *st), void *ctx);

/* What was seen since the engine was made. */
struct ike_counters {
	uint64_t in;
	uint64_t out;
	uint64_t retransmitted;
	uint64_t malformed; /* not a message, or broken payloads */
	uint64_t unknown_spi; /* of no SA of ours */
	uint64_t not_authentic; /* SK did not open */
	uint64_t out_of_window; /* message ID neither expected nor repeated */
	uint64_t repeated; /* answered from the stored response */
	uint64_t gated; /* not allowed in this state */
	uint64_t ignored_payloads; /* harmless extras, unknown ones included */
	uint64_t ignored_notifies;
	uint64_t half_open_refused;
	uint64_t cookies_asked; /* callers told to come back with a COOKIE */
	uint64_t half_open; /* now */
	uint64_t sas; /* now */
};

void ike_counters_get(const struct ike *ike, struct ike_counters *out);

#endif
