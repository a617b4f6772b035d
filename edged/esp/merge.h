/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_merge - join decrypted packets of one flow into super-packets for TUN
 *
 * The reverse of esp_super, as a network card's GRO does: consecutive TCP
 * segments or equal-sized UDP datagrams of one flow become one write. A packet
 * is joined only when its own checksum is right and everything but length,
 * number and checksum is equal; PSH or a shorter piece ends the join. A held
 * super-packet is always written before a packet of its flow that cannot be
 * joined, so a flow's order never changes.
 *
 * Nothing is copied: the pieces stay where they were decrypted, which must
 * therefore live until esp_merge_flush().
 */
#ifndef ED_EDGED_ESP_MERGE_H
#define ED_EDGED_ESP_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "edged/esp/packet.h"

struct esp_merge;

/*
 * Writes one (super-)packet: iov[0] is its struct virtio_net_hdr, the rest the
 * packet. port is what esp_merge_add() was given.
 */
typedef void (*esp_merge_write)(void *port, const struct iovec *iov, int n);

/* Make one; write is called from within add and flush. */
struct esp_merge *esp_merge_new(esp_merge_write write);
void esp_merge_free(struct esp_merge *m);

/* Take a packet for port; udp: its TUN understands UDP super-packets. */
void esp_merge_add(struct esp_merge *m, void *port, const struct esp_inner *in,
		   bool udp);

/* Write all that is held. */
void esp_merge_flush(struct esp_merge *m);

#endif
