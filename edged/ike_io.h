/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_io - the UDP sockets of the uplinks, ports 500 and 4500
 *
 * One pair for each uplink and address family, bound to the device and to the
 * source address in use, so that a packet leaves by its own uplink whatever the
 * main table says (the mark chooses the uplink's table). Don't-fragment is set
 * and the kernel's path MTU cache, which forged ICMP can fill, is not asked.
 *
 * A socket comes from the service manager's store when it is the right one,
 * and is bound anew otherwise. Port 4500 is read by the data plane, which hands
 * IKE up (dp_host.ike); port 500 is read here. Both are sent on here.
 */
#ifndef ED_EDGED_IKE_IO_H
#define ED_EDGED_IKE_IO_H

#include <stddef.h>
#include <stdint.h>

#include "edged/uplink.h"
#include "lib/addr.h"

struct edged;
struct ike_addrs;
struct ike_io;

enum {
	IKE_IO_BURST = 32, /* datagrams read in one round of the loop */
	IKE_IO_DATAGRAM_MAX = 65535, /* larger ones do not exist */
	IKE_IO_BUFFER_BYTES = 4 << 20, /* of port 4500: trains of ESP packets */
	IKE_IO_RETRY_MS = 500, /* until ports that are in use are tried again */
	IKE_IO_TRIES_SAID = 120, /* one failure in so many is said */
};

/*
 * Open, keep or close u's sockets of one family, so that they fit what
 * u->fam[f] says. Called after each change of the uplink.
 */
void ike_io_follow(struct uplink *u, enum edged_family f);

/* Close the pair, here, in the data plane and in the store; NULL is allowed. */
void ike_io_close(struct ike_io *io);

/*
 * The end of this process, not of the sockets: close, and leave them in the
 * store and with edge-esp.
 */
void ike_io_leave(struct ike_io *io);

/* The number by which the data plane knows u's port 4500 of that family. */
uint32_t ike_io_socket(const struct uplink *u, enum edged_family f);

/*
 * Send an IKE message as at says (with the marker in front when at->natt), or
 * a keep-alive.
 *
 * Returns 0, -ENOTCONN when that uplink has no socket for it now, or what
 * sendmsg(2) says.
 */
int ike_io_send(struct edged *ed, const struct ike_addrs *at, const void *bytes,
		size_t len);
int ike_io_keepalive(struct edged *ed, const struct ike_addrs *at);

/* An IKE message that came in on the data plane's socket: to the engine. */
void ike_io_from_dataplane(struct edged *ed, uint32_t socket,
			   const struct endpoint *local, const struct endpoint *remote,
			   const uint8_t *bytes, size_t len);

#endif
