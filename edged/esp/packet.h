/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_packet - one ESP packet: its form, its seal, what is inside
 *
 * ESP in UDP, tunnel mode, AES-GCM-16 (RFC 3948, 4303, 4106), 32-bit sequence
 * numbers. On the wire, from the UDP payload on:
 *
 *	SPI 4 | sequence 4 | IV 8 | inner packet | pad 0-3 | pad length 1 |
 *	next header 1 | tag 16
 *
 * SPI and sequence number are the additional data; the IV is the sequence
 * number in 8 bytes, unique under the key since numbers never repeat.
 */
#ifndef ED_EDGED_ESP_PACKET_H
#define ED_EDGED_ESP_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "edged/esp/crypto.h"

enum {
	ESP_AAD_LEN = 8,
	ESP_HEAD_LEN = ESP_AAD_LEN + ESP_IV_LEN, /* before the inner packet */
	ESP_TAIL_MAX = 3 + 2 + ESP_TAG_LEN, /* behind it, at most */
	ESP_UDP_MAX = 65507, /* payload of one IPv4 datagram */
	ESP_INNER_MAX = ESP_UDP_MAX - ESP_HEAD_LEN - ESP_TAIL_MAX,
	ESP_NH_IPV4 = 4,
	ESP_NH_IPV6 = 41,
	ESP_NH_NONE = 59, /* a dummy packet (RFC 4303 section 2.6) */
};

/* What a UDP payload on port 4500 is (RFC 3948 section 2). */
enum esp_kind { ESP_KIND_JUNK = 1, ESP_KIND_KEEPALIVE, ESP_KIND_IKE, ESP_KIND_ESP };

enum esp_kind esp_packet_kind(const uint8_t *p, size_t len);

/* Bytes of the ESP packet around an inner one of inner bytes. */
size_t esp_packet_size(size_t inner);

/*
 * Seal the packet whose inner bytes already lie at p + ESP_HEAD_LEN; p has room
 * for esp_packet_size(inner). next is ESP_NH_*. Returns its length, 0 on failure.
 */
size_t esp_packet_seal(struct esp_aead *a, uint32_t spi, uint32_t seq, uint8_t *p,
		       size_t inner, uint8_t next);

/* SPI and sequence number of what is not yet trusted. 0, or -EBADMSG: too short. */
int esp_packet_peek(const uint8_t *p, size_t len, uint32_t *ret_spi, uint32_t *ret_seq);

/* An inner packet, in place. */
struct esp_inner {
	uint8_t *data;
	size_t len; /* as its own header says: padding behind it is gone */
	bool v6;
	uint8_t tos; /* DSCP and ECN */
};

/*
 * Check an IP packet of len bytes and fill *ret. The version is told by its
 * first nibble. Returns 0 or -EBADMSG.
 */
int esp_inner_parse(uint8_t *data, size_t len, struct esp_inner *ret);

/*
 * Open an ESP packet in place.
 *
 * Returns 0 with *ret inside p, -EKEYREJECTED when the tag is wrong,
 * -ENODATA for a dummy packet, -EBADMSG when what was sealed is no IP packet.
 */
int esp_packet_open(struct esp_aead *a, uint8_t *p, size_t len, struct esp_inner *ret);

/*
 * Merge the outer header's ECN field into the inner packet (RFC 6040 section
 * 4.2). False when the packet must be dropped: congestion was marked on
 * what is not ECN-capable.
 */
bool esp_ecn_decap(struct esp_inner *in, uint8_t outer_tos);

#endif
