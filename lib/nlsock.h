/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nlsock - a netlink socket: call, dump, events
 *
 * Calls and dumps wait for the kernel's answer, which it gives at once: they
 * do not wait for anything outside the machine. Events come on a socket of
 * their own, opened with groups, whose descriptor goes into the loop.
 */
#ifndef ED_LIB_NLSOCK_H
#define ED_LIB_NLSOCK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/nlq.h"

struct nlsock;

/* Return 0 to go on; a negative errno ends a dump and becomes its result. */
typedef int (*nlsock_cb)(const struct nlmsghdr *nlh, void *ctx);

/*
 * Open a socket of a netlink protocol (NETLINK_ROUTE, NETLINK_XFRM).
 *
 * Returns 0 with *ret for the caller to nlsock_free(), or a negative errno.
 */
int nlsock_open(int protocol, struct nlsock **ret);

/*
 * The same, non-blocking and joined to n multicast groups (numbers, not bits).
 * rcvbuf_bytes raises the receive buffer where privilege allows.
 */
int nlsock_open_events(int protocol, const unsigned int *groups, size_t n,
		       unsigned int rcvbuf_bytes, struct nlsock **ret);

/* Close and free; NULL is allowed. */
void nlsock_free(struct nlsock *s);

int nlsock_fd(const struct nlsock *s);

/*
 * Send q and wait for its acknowledgement.
 *
 * Returns 0, -EMSGSIZE when q has overflown, or the kernel's negative errno,
 * for which nlsock_error() may have a sentence.
 */
int nlsock_call(struct nlsock *s, struct nlq *q);

/*
 * Send q and give each answer to cb, up to the acknowledgement or the end of
 * the dump. Use NLM_F_DUMP for dumps. A dump that the kernel marks as
 * interrupted is run again, at most three times; cb then sees objects twice.
 *
 * Returns 0 or a negative errno (-EINTR: still interrupted after that).
 */
int nlsock_dump(struct nlsock *s, struct nlq *q, nlsock_cb cb, void *ctx);

/* The kernel's own words about the last failed call (extended ack), or "". */
const char *nlsock_error(const struct nlsock *s);

/*
 * Read the events that are there, at most burst datagrams, and give each
 * message to cb.
 *
 * Returns 0, or -ENOBUFS when the kernel dropped events: read everything back.
 */
int nlsock_recv(struct nlsock *s, unsigned int burst, nlsock_cb cb, void *ctx);

#endif
