/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pm_sock - datagrams with their control data: interface, addresses, TOS, stamps
 *
 * What prober and reflector share. Sending names interface, source address and
 * TOS per packet; receiving tells interface, addresses, TOS, TTL and when the
 * kernel received the packet. Not for other folders.
 */
#ifndef ED_PATHMON_SOCK_H
#define ED_PATHMON_SOCK_H

#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/mono.h"

enum pm_sock_limits {
	PM_SOCK_BURST = 16, /* datagrams received, and handled, at once */
	PM_SOCK_BUFFER = 1024 * 1024, /* receive buffer asked for, bytes */
};

struct pm_inbox;

/* A datagram as it came, or as it is to leave. */
struct pm_datagram {
	struct endpoint peer; /* port 0 for ICMP */
	struct addr local;
	unsigned int ifindex;
	uint8_t tos;
	/* Received only: */
	uint8_t ttl;
	struct mono at; /* when the kernel got it */
	int64_t wall_sec; /* the same by the wall clock */
	int64_t wall_nsec;
};

/*
 * A non-blocking UDP socket on port of every address of family (0: any port).
 * Its packets carry mark, unless that is 0.
 *
 * Returns 0 with the descriptor, the caller's, or a negative errno.
 */
int pm_sock_udp(uint8_t family, uint16_t port, uint32_t mark, int *ret_fd);

/* The same for ICMP echo replies; needs CAP_NET_RAW. */
int pm_sock_icmp(uint8_t family, uint32_t mark, int *ret_fd);

/* Send. Returns 0 or a negative errno. */
int pm_sock_send(int fd, const struct pm_datagram *d, const void *data, size_t len);

/* Room for a burst of received datagrams, each cut off at cap bytes. */
struct pm_inbox *pm_inbox_new(size_t cap);
void pm_inbox_free(struct pm_inbox *b);

/*
 * Receive what waits, by one system call. Returns how many datagrams (at most
 * PM_SOCK_BURST: the socket stays readable when there are more), or a negative
 * errno; -EAGAIN when none waits.
 */
int pm_inbox_fill(struct pm_inbox *b, int fd);

/*
 * The datagram i of the last fill. Returns its length, with its bytes, which are
 * valid until the next fill, or -EPROTO when it came without the control data
 * needed.
 */
int pm_inbox_get(struct pm_inbox *b, int i, struct pm_datagram *d,
		 const uint8_t **ret_bytes);

#endif
