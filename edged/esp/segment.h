/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_super - cut what TUN hands over into packets that fit the wire
 *
 * With offloads a read from TUN gives a super-packet: one header and up to 64
 * KB of payload of one TCP or UDP flow, cut here into gso_size pieces, each with
 * its own lengths, numbers, flags and full checksums. A plain packet is a
 * super-packet of one, whose checksum may be left to us.
 */
#ifndef ED_EDGED_ESP_SEGMENT_H
#define ED_EDGED_ESP_SEGMENT_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edged/esp/packet.h"

/* Newer than Debian 12's headers. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

struct esp_super {
	struct esp_inner in;
	size_t l4; /* where TCP or UDP begins */
	size_t hdr; /* bytes of all headers */
	size_t pos; /* next payload byte, in.len when done */
	size_t mss; /* payload bytes of a piece */
	uint8_t proto; /* 0: a plain packet */
	uint16_t id; /* IPv4 identification of the next piece */
	uint32_t seq; /* TCP sequence number of the next piece */
};

/*
 * Begin with the packet of len bytes at pkt, which vh describes; pkt may be
 * changed and must stay while pieces are fetched.
 *
 * Returns 0, or -EBADMSG when header and packet do not fit each other or a
 * piece would be longer than ESP_INNER_MAX.
 */
int esp_super_init(struct esp_super *s, const struct virtio_net_hdr *vh, uint8_t *pkt,
		   size_t len);

/* Bytes of the largest piece. */
size_t esp_super_piece_max(const struct esp_super *s);

/*
 * Write the next piece to out (esp_super_piece_max() bytes of room). Returns its
 * length, 0 when there is none left.
 */
size_t esp_super_next(struct esp_super *s, uint8_t *out);

#endif
