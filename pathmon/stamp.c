/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layouts (RFC 8762 section 4.2.1 and 4.3.1, session id of RFC 8972 section 3):
 *
 *   request  seq 4 | time 8 | error 2 | ssid 2 | zero 28 | TLVs
 *   answer   seq 4 | time 8 | error 2 | ssid 2 | received 8 | sender's seq 4 |
 *            sender's time 8 | sender's error 2 | zero 2 | TTL 1 | zero 3 | TLVs
 *
 * What follows the first 44 bytes may be TLVs or a base sender's padding, and
 * nothing says which. Bytes are reflected either way; only the flags of what
 * reads as a chain of TLVs are touched. A header of zeros begins padding.
 */
#include "pathmon/stamp.h"

#include <errno.h>
#include <string.h>

#include "lib/rbuf.h"
#include "lib/wbuf.h"

/* From 1900, where NTP begins, to 1970. */
#define NTP_EPOCH_S INT64_C(2208988800)

enum {
	REPORT_MAGIC = 0x6564, /* "ed" */
	REPORT_VERSION = 1,
	REPORT_METERED = 0x01,
	FLAGS_OFFSET = 0,
};

uint64_t pm_stamp_ntp(int64_t sec, int64_t nsec)
{
	uint64_t frac = ((uint64_t)nsec << 32) / 1000000000u;

	return ((uint64_t)(sec + NTP_EPOCH_S) << 32) | (frac & UINT32_MAX);
}

static void write_report(struct wbuf *w, const struct pm_report *p)
{
	wbuf_u16(w, REPORT_MAGIC);
	wbuf_u8(w, REPORT_VERSION);
	wbuf_u8(w, p->metered ? REPORT_METERED : 0);
	wbuf_u32(w, p->heard);
	/* 24 bits of milliseconds are 4.6 hours, and all ones is "never". */
	wbuf_u32(w,
		 (p->quiet_ms > 0xffffff ? 0xffffff00u : p->quiet_ms << 8) | p->order);
	wbuf_u32(w, p->cost);
	wbuf_u32(w, p->down_kbps);
}

static bool read_report(struct rbuf v, struct pm_report *p)
{
	uint32_t packed;
	uint8_t flags;

	if (rbuf_u16(&v) != REPORT_MAGIC || rbuf_u8(&v) != REPORT_VERSION)
		return false;
	flags = rbuf_u8(&v);
	p->metered = flags & REPORT_METERED;
	p->heard = rbuf_u32(&v);
	packed = rbuf_u32(&v);
	p->quiet_ms = packed >> 8 == 0xffffff ? UINT32_MAX : packed >> 8;
	p->order = (uint8_t)packed;
	p->cost = rbuf_u32(&v);
	p->down_kbps = rbuf_u32(&v);
	return rbuf_ok(&v);
}

struct tlv {
	uint8_t flags;
	uint8_t type;
	struct rbuf value;
};

/* The next TLV of r. False at its end, at padding, and where it is cut short. */
static bool next_tlv(struct rbuf *r, struct tlv *t, bool *ret_cut)
{
	uint16_t len;

	*ret_cut = false;
	if (rbuf_left(r) == 0)
		return false;
	t->flags = rbuf_u8(r);
	t->type = rbuf_u8(r);
	len = rbuf_u16(r);
	if (rbuf_ok(r) && !t->flags && !t->type && !len)
		return false;
	t->value = rbuf_sub(r, len);
	*ret_cut = !rbuf_ok(r);
	return !*ret_cut;
}

/*
 * A report in what follows the base packet. In an answer, one still marked as
 * unrecognized is our own words that came back.
 */
static bool find_report(struct rbuf r, bool answer, struct pm_report *report)
{
	struct tlv t;
	bool cut;

	/* Ends: each round takes at least a header's four bytes. */
	while (next_tlv(&r, &t, &cut)) {
		if (t.type == PM_TLV_REPORT)
			return !(answer && t.flags & PM_TLV_UNRECOGNIZED) &&
			       read_report(t.value, report);
	}
	return false;
}

int pm_stamp_encode(const struct pm_stamp_request *q, void *out, size_t cap)
{
	struct wbuf w = wbuf_init(out, cap);

	wbuf_u32(&w, q->seq);
	wbuf_u64(&w, q->stamp);
	wbuf_u16(&w, q->error);
	wbuf_u16(&w, q->ssid);
	wbuf_zero(&w, 28);
	/* RFC 8972 section 4: a sender sets U, who understands clears it. */
	wbuf_u8(&w, PM_TLV_UNRECOGNIZED);
	wbuf_u8(&w, PM_TLV_REPORT);
	wbuf_u16(&w, PM_STAMP_REPORT_LEN);
	write_report(&w, &q->report);
	return wbuf_ok(&w) ? (int)wbuf_len(&w) : -ENOSPC;
}

int pm_stamp_decode(const void *in, size_t len, struct pm_stamp_request *out)
{
	struct rbuf r = rbuf_init(in, len);
	struct pm_stamp_request q = {0};

	if (len < PM_STAMP_REQUEST_MIN)
		return -EBADMSG;
	q.seq = rbuf_u32(&r);
	q.stamp = rbuf_u64(&r);
	q.error = rbuf_u16(&r);
	if (rbuf_left(&r) >= 2)
		q.ssid = rbuf_u16(&r);
	if (len >= PM_STAMP_BASE_LEN) {
		(void)rbuf_take(&r, 28);
		q.has_report = find_report(r, false, &q.report);
	}
	*out = q;
	return 0;
}

/* Set the flags of the TLVs in out, a copy of what came, as a reflector must. */
static void reflect_tlvs(uint8_t *out, size_t len, const struct pm_report *report)
{
	struct rbuf r = rbuf_init(out, len);
	struct pm_report theirs;
	struct tlv t;
	bool cut;

	/* Ends: each round takes at least a header's four bytes. */
	for (;;) {
		uint8_t *at = out + (len - rbuf_left(&r));

		if (!next_tlv(&r, &t, &cut)) {
			/* RFC 8972 section 4: too long for the packet is malformed. */
			if (cut)
				at[FLAGS_OFFSET] |= PM_TLV_MALFORMED;
			return;
		}
		at[FLAGS_OFFSET] |= PM_TLV_UNRECOGNIZED;
		if (t.type == PM_TLV_PADDING) {
			at[FLAGS_OFFSET] &= (uint8_t)~PM_TLV_UNRECOGNIZED;
		} else if (t.type == PM_TLV_REPORT && report &&
			   rbuf_left(&t.value) == PM_STAMP_REPORT_LEN &&
			   read_report(t.value, &theirs)) {
			struct wbuf w =
				wbuf_init(at + PM_STAMP_TLV_HDR, PM_STAMP_REPORT_LEN);

			at[FLAGS_OFFSET] &= (uint8_t)~PM_TLV_UNRECOGNIZED;
			write_report(&w, report);
		}
	}
}

int pm_stamp_reflect(const void *in, size_t len, const struct pm_stamp_reflection *r,
		     void *out, size_t cap)
{
	struct pm_stamp_request q;
	struct wbuf w = wbuf_init(out, cap);
	const uint8_t *bytes = in;
	size_t extra = len > PM_STAMP_BASE_LEN ? len - PM_STAMP_BASE_LEN : 0;

	if (len > PM_STAMP_MAX || pm_stamp_decode(in, len, &q) < 0)
		return -EMSGSIZE;
	wbuf_u32(&w, r->seq);
	wbuf_u64(&w, r->sent);
	wbuf_u16(&w, PM_STAMP_ERROR);
	wbuf_u16(&w, q.ssid);
	wbuf_u64(&w, r->received);
	wbuf_u32(&w, q.seq);
	wbuf_u64(&w, q.stamp);
	wbuf_u16(&w, q.error);
	wbuf_u16(&w, 0);
	wbuf_u8(&w, r->ttl);
	wbuf_zero(&w, 3);
	wbuf_bytes(&w, bytes + len - extra, extra);
	if (!wbuf_ok(&w))
		return -EMSGSIZE;
	if (extra)
		reflect_tlvs((uint8_t *)out + PM_STAMP_BASE_LEN, extra, r->report);
	return (int)wbuf_len(&w);
}

/* Microseconds from a to b, both of one clock; PTP's truncated form has nanoseconds. */
static int64_t span_us(uint64_t a, uint64_t b, bool ptp)
{
	int64_t sec = (int64_t)(int32_t)((uint32_t)(b >> 32) - (uint32_t)(a >> 32));
	int64_t fa = (int64_t)(uint32_t)a;
	int64_t fb = (int64_t)(uint32_t)b;

	if (ptp)
		return sec * 1000000 + (fb - fa) / 1000;
	return sec * 1000000 + (fb - fa) * 1000000 / ((int64_t)1 << 32);
}

int pm_stamp_decode_answer(const void *in, size_t len, struct pm_stamp_answer *out)
{
	struct rbuf r = rbuf_init(in, len);
	struct pm_stamp_answer a = {0};
	uint64_t received;
	uint64_t sent;
	uint16_t error;

	if (len < PM_STAMP_ANSWER_MIN)
		return -EBADMSG;
	a.reflector_seq = rbuf_u32(&r);
	sent = rbuf_u64(&r);
	error = rbuf_u16(&r);
	a.ssid = rbuf_u16(&r);
	received = rbuf_u64(&r);
	a.seq = rbuf_u32(&r);
	a.stamp = rbuf_u64(&r);
	if (received && sent)
		a.held_us = span_us(received, sent, error & PM_STAMP_ERROR_PTP);
	if (a.held_us < 0)
		a.held_us = 0;
	if (len > PM_STAMP_BASE_LEN) {
		r = rbuf_init((const uint8_t *)in + PM_STAMP_BASE_LEN,
			      len - PM_STAMP_BASE_LEN);
		a.has_report = find_report(r, true, &a.report);
	}
	*out = a;
	return 0;
}
