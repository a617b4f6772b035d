/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every limit and time of the IKE engine, with its unit and origin. What a
 * peer can make us keep or do is bounded by a number of this file.
 */
#ifndef ED_IKE_LIMITS_H
#define ED_IKE_LIMITS_H

/* What one message may hold. Real ones stay far below. */
enum {
	IKE_DATAGRAM_MAX = 65535, /* some INITs arrive as IP fragments */
	IKE_MESSAGE_OUT_MAX = 4096, /* bytes; ours are below 1,500 */
	IKE_PAYLOADS_MAX = 64, /* payloads in one chain */
	IKE_NOTIFIES_MAX = 24,
	IKE_DELETES_MAX = 8,
	IKE_DELETE_SPIS_MAX = 32, /* SPIs in one Delete payload */
	IKE_PROPOSALS_MAX = 32,
	IKE_TRANSFORMS_MAX = 48, /* in one proposal */
	IKE_ATTRS_MAX = 4, /* in one transform */
	IKE_TS_MAX = 32, /* selectors in one payload */
	IKE_CP_ATTRS_MAX = 32,
	IKE_ID_MAX = 250, /* bytes of an identity */
	IKE_NONCE_MIN = 16, /* bytes, RFC 7296 section 3.9 */
	IKE_NONCE_MAX = 256,
	IKE_NONCE_LEN = 32, /* ours: half the longest PRF's key */
	IKE_COOKIE_MAX = 64, /* bytes, RFC 7296 section 2.6 */
	IKE_LABEL_MAX = 63, /* bytes of a template tunnel's label */
	IKE_PSK_MAX = 512,
	IKE_PARKED_MAX = 8192, /* bytes of an AUTH request kept for its keys */
};

/* Sizes of the algorithms we have. */
enum {
	IKE_PRF_MAX = 64,
	IKE_DH_PRIVATE_LEN = 32,
	IKE_DH_PUBLIC_MAX = 256,
	IKE_DH_SHARED_MAX = 256,
	IKE_AEAD_IV_LEN = 8,
	IKE_AEAD_SALT_LEN = 4,
	IKE_AEAD_TAG_LEN = 16,
	IKE_SPI_LEN = 8,
	IKE_ESP_SPI_LEN = 4,
};

/* Behaviour. */
enum {
	IKE_HALF_OPEN_MAX = 256,
	IKE_HALF_OPEN_PER_SOURCE = 64,
	IKE_HALF_OPEN_S = 30,
	IKE_COOKIE_FROM = 32, /* half-open callers: more must bring a COOKIE */
	IKE_COOKIE_SECRET_S = 60, /* a cookie lives for one to two of these */
	IKE_ATTEMPT_S = 180, /* an attempt of ours, whatever it waits for */
	IKE_SA_MAX = 20000,
	IKE_CHILDREN_MAX = 8, /* of one IKE SA, in all states */
	IKE_COOKIE_ROUNDS_MAX = 3, /* answers to COOKIE in one attempt */
	IKE_REKEY_MIN_MS = 2000, /* a peer's rekeys of an IKE SA, apart */
	IKE_REKEY_FROM_PCT = 65, /* of the lifetime: rekeys start between, */
	IKE_REKEY_TO_PCT = 80, /* outside the margins that clouds use */
	IKE_RETRY_MIN_MS = 3000, /* after TEMPORARY_FAILURE, with jitter */
	IKE_RETRY_MAX_MS = 10000,
	IKE_OUT_SWITCH_MS = 2000, /* rekey answered: our outbound follows */
	IKE_IN_LINGER_MS = 5000, /* a deleted child's inbound half */
	IKE_CHILD_AGAIN_MS = 1000, /* at most, before a lost child is made again */
	IKE_LOST_YOUNG_MS = 2000, /* a child lost so soon is not replaced at once */
	IKE_CHILDLESS_MS = 30000, /* an IKE SA without a child is of no use */
	IKE_OLD_CHILD_LINGER_MS = 10000, /* for the peer's Delete; then ours */
	/* Longer than a peer repeats a request whose answer got lost. */
	IKE_OLD_IKE_LINGER_MS = 120000,
	IKE_REPLACED_LINGER_MS = 2000, /* an SA that a newer one replaces */
	IKE_TIE_MS = 10000, /* SAs made this close together are a tie */
	IKE_LIFE_S = 14400,
	IKE_CHILD_LIFE_S = 3600,
	IKE_DPD_S = 30,
	IKE_KEEPALIVE_S = 20, /* RFC 3948 section 4 */
	IKE_RETRANSMIT_MS = 1000,
	IKE_RETRANSMITS = 6,
	IKE_RETRANSMIT_PCT = 180, /* each wait of the one before */
	IKE_MAX_TUNNELS = 16,
	IKE_MESSAGE_ID_MAX = 0x7fffffff, /* the SA is replaced long before a wrap */
	IKE_IV_SKIP = 1 << 20, /* on resume, beyond what a crash may hide */
};

#endif
