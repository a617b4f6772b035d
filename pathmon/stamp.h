/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pm_stamp - STAMP test packets: RFC 8762, with session id and TLVs of RFC 8972
 *
 * Unauthenticated form: the tunnel authenticates. All sizes of the world are
 * met: a TWAMP Light sender's 14 bytes, 1,400 bytes of padding, reflectors that
 * answer with 41 or 38 bytes whatever came in. A request is answered in its own
 * size, at least PM_STAMP_BASE_LEN.
 *
 * Our probes carry one TLV of the private range: what this end receives and what
 * its uplink costs. A reflector that does not know it sends it back marked so,
 * and nothing else changes. Unknown TLVs and padding are reflected as they came.
 *
 * Nothing here keeps state or reads a clock; encoders write into the caller's
 * memory, decoders only read.
 */
#ifndef ED_PATHMON_STAMP_H
#define ED_PATHMON_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pm_stamp_sizes {
	PM_STAMP_REQUEST_MIN = 14, /* sequence, time, error: RFC 5357 section 4.1.2 */
	PM_STAMP_ANSWER_MIN = 38, /* up to the sender's error estimate */
	PM_STAMP_BASE_LEN = 44, /* RFC 8762 section 4.2.1 */
	PM_STAMP_TLV_HDR = 4, /* RFC 8972 section 4 */
	PM_STAMP_REPORT_LEN = 20, /* value of our TLV */
	PM_STAMP_LEN = 68, /* of our probes and the answers to them */
	PM_STAMP_MAX = 9216, /* longest packet answered */
};

/* Flags of a TLV, RFC 8972 section 4. */
enum pm_stamp_tlv_flags {
	PM_TLV_UNRECOGNIZED = 0x80,
	PM_TLV_MALFORMED = 0x40,
	PM_TLV_INTEGRITY = 0x20,
};

enum pm_stamp_tlv_types {
	PM_TLV_PADDING = 1, /* Extra Padding */
	PM_TLV_REPORT = 252, /* 252 to 254: private use */
};

/* Error estimate: clock not synchronised, NTP format, multiplier 1 (RFC 4656 4.1.2). */
enum { PM_STAMP_ERROR = 0x0001, PM_STAMP_ERROR_PTP = 0x4000 };

/* What one end tells the other about itself. */
struct pm_report {
	uint32_t heard; /* packets received on the tunnel, any kind we know of */
	uint32_t quiet_ms; /* since the last one; UINT32_MAX: none yet */
	uint32_t cost; /* of the uplink */
	uint32_t down_kbps; /* of the uplink, 0: not known */
	uint8_t order; /* of the uplink in the configuration */
	bool metered;
};

struct pm_stamp_request {
	uint32_t seq;
	uint64_t stamp; /* when it left, as the sender writes it */
	uint16_t error;
	uint16_t ssid; /* 0: the sender has no session id */
	bool has_report;
	struct pm_report report;
};

/* What a reflector adds. */
struct pm_stamp_reflection {
	uint32_t seq; /* of the reflector's own for this session */
	uint64_t received;
	uint64_t sent;
	uint8_t ttl; /* of the request as it arrived */
	const struct pm_report *report; /* NULL: leave ours as it came */
};

struct pm_stamp_answer {
	uint32_t seq; /* the sender's, reflected */
	uint64_t stamp;
	uint16_t ssid;
	uint32_t reflector_seq;
	int64_t held_us; /* in the reflector; 0 where its times make no sense */
	bool has_report;
	struct pm_report report;
};

/* Write a request of PM_STAMP_LEN bytes. Returns the length, or -ENOSPC. */
int pm_stamp_encode(const struct pm_stamp_request *q, void *out, size_t cap);

/*
 * Read a request. Returns 0, or -EBADMSG when it is shorter than
 * PM_STAMP_REQUEST_MIN; padding or TLVs that make no sense refuse nothing.
 */
int pm_stamp_decode(const void *in, size_t len, struct pm_stamp_request *out);

/*
 * Write the answer to the request in (decoded without error, len bytes) to out.
 * Returns its length, or -EMSGSIZE when len is over PM_STAMP_MAX or it does not
 * fit into cap.
 */
int pm_stamp_reflect(const void *in, size_t len, const struct pm_stamp_reflection *r,
		     void *out, size_t cap);

/* Read an answer. Returns 0, or -EBADMSG when shorter than PM_STAMP_ANSWER_MIN. */
int pm_stamp_decode_answer(const void *in, size_t len, struct pm_stamp_answer *out);

/* A wall clock time (seconds and nanoseconds since 1970) in NTP format. */
uint64_t pm_stamp_ntp(int64_t sec, int64_t nsec);

#endif
