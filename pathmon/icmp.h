/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pm_icmp - echo probes for peers that speak no STAMP (RFC 792, RFC 4443)
 *
 * The identifier is the target's, the sequence its low 16 bits; the payload holds
 * the full sequence and the stamp, which the answer must bring back unchanged.
 * The checksum of ICMPv6 is the kernel's work (RFC 3542 section 3.1).
 */
#ifndef ED_PATHMON_ICMP_H
#define ED_PATHMON_ICMP_H

#include <stddef.h>
#include <stdint.h>

enum pm_icmp_sizes {
	PM_ICMP_HDR = 8,
	PM_ICMP_PAYLOAD = 16,
	PM_ICMP_LEN = 76, /* the size of a STAMP probe with its UDP header */
};

struct pm_icmp_echo {
	uint16_t id;
	uint32_t seq;
	uint64_t stamp;
};

/* Write an echo request of PM_ICMP_LEN bytes for family. Length or -ENOSPC. */
int pm_icmp_encode(uint8_t family, const struct pm_icmp_echo *e, void *out, size_t cap);

/*
 * Read an echo reply: the ICMP message, without IP header.
 *
 * Returns 0, -EBADMSG when it is short or (IPv4) damaged, -ENOMSG when it is
 * another type of message or no reply to a probe of ours.
 */
int pm_icmp_decode(uint8_t family, const void *in, size_t len,
		   struct pm_icmp_echo *out);

/*
 * The ICMP message in an IPv4 packet, as a raw socket gives it.
 *
 * Returns its offset, or -EBADMSG when the header does not fit len.
 */
int pm_icmp_skip_ipv4(const void *in, size_t len);

#endif
