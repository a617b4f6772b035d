/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checksum - the Internet checksum (RFC 1071) over whole packets
 *
 * Sums are kept in host byte order of the 16-bit words as they lie in memory:
 * the one's complement sum does not care, and the result is stored as it is.
 */
#ifndef ED_EDGED_ESP_CHECKSUM_H
#define ED_EDGED_ESP_CHECKSUM_H

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Add n bytes at p to sum; only the last piece may have an odd length. */
static inline uint64_t esp_sum(const uint8_t *p, size_t n, uint64_t sum)
{
	size_t whole = n & ~(size_t)63;

	/* The compiler makes vectors of this. */
	for (size_t i = 0; i < whole; i += 4) {
		uint32_t w;

		memcpy(&w, p + i, 4);
		sum += w;
	}
	p += whole;
	n -= whole;
	for (; n >= 2; n -= 2, p += 2) {
		uint16_t w;

		memcpy(&w, p, 2);
		sum += w;
	}
	if (n) {
		uint16_t w = 0;

		memcpy(&w, p, 1);
		sum += w;
	}
	return sum;
}

static inline uint16_t esp_fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Sum of the pseudo header of an IPv4 (v6 false) or IPv6 packet. */
static inline uint64_t esp_pseudo(const uint8_t *ip, int v6, uint8_t proto,
				  size_t l4_len)
{
	uint64_t sum = v6 ? esp_sum(ip + 8, 32, 0) : esp_sum(ip + 12, 8, 0);

	return sum + htons(proto) + htons((uint16_t)l4_len);
}

/* 16 bits in network order at p. */
static inline void esp_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline uint16_t esp_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline void esp_put32(uint8_t *p, uint32_t v)
{
	esp_put16(p, (uint16_t)(v >> 16));
	esp_put16(p + 2, (uint16_t)v);
}

static inline uint32_t esp_get32(const uint8_t *p)
{
	return (uint32_t)esp_get16(p) << 16 | esp_get16(p + 2);
}

/* Make an IPv4 header's own checksum right. */
static inline void esp_ip4_fix(uint8_t *ip, size_t ihl)
{
	uint16_t sum;

	ip[10] = ip[11] = 0;
	sum = (uint16_t)~esp_fold(esp_sum(ip, ihl, 0));
	memcpy(ip + 10, &sum, 2);
}

#endif
