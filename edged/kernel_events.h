/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel_events - links, addresses and default routes, as the uplinks see them
 *
 * An event that may concern an uplink makes it dirty; shortly after, the kernel
 * is asked for everything about its interface, and uplink_update() gets the
 * whole reading. Events are only hints, because the kernel tells less than it
 * does: IPv4 routes that go with a link or an address go without a word. After
 * an overrun every uplink is dirty.
 *
 * Default routes through next-hop objects are followed to their members. Only
 * the main table counts.
 */
#ifndef ED_EDGED_KERNEL_EVENTS_H
#define ED_EDGED_KERNEL_EVENTS_H

#include <libmnl/libmnl.h>
#include <stdbool.h>

#include "edged/uplink.h"

struct edged;
struct kernel_events;

enum {
	KERNEL_SETTLE_MS = 20, /* events of one change are read together */
	KERNEL_BURST = 64, /* datagrams a round of the loop */
	KERNEL_RCVBUF_BYTES = 1 << 20, /* a BGP table's worth of route events */
	KERNEL_GROUP_MAX = 64, /* members of a next-hop group followed */
};

/*
 * Listen, for as long as ed lives.
 *
 * Returns 0 with *ret, or a negative errno.
 */
int kernel_events_new(struct edged *ed, struct kernel_events **ret);

/* NULL is allowed. */
void kernel_events_free(struct kernel_events *k);

/* Read u's interface now and give the reading to uplink_update(). */
void kernel_events_read(struct kernel_events *k, struct uplink *u);

/*
 * Parts of a reading, from one message each; pure. False when the message is
 * none, or does not concern the interface of *ret (its ifindex must be set, but
 * for the link).
 */
bool kernel_read_link(const struct nlmsghdr *nlh, struct uplink_kernel *ret);
bool kernel_read_addr(const struct nlmsghdr *nlh, struct uplink_kernel *ret);

/*
 * A default route of main; *ret_nhid is the next-hop object that leads to the
 * interface or 0. With an object the gateway is not known yet.
 */
bool kernel_read_route(const struct nlmsghdr *nlh, struct uplink_kernel *ret,
		       uint32_t *ret_nhid);

#endif
