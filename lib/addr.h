/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addr - IP address, endpoint (address and port), prefix
 *
 * Plain values: copied, compared and printed here only. family is AF_INET,
 * AF_INET6, or 0 for "none". Bytes are in network order; an IPv4 address
 * uses the first four and leaves the others zero.
 */
#ifndef ED_LIB_ADDR_H
#define ED_LIB_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct addr {
	uint8_t family;
	uint8_t b[16];
};

struct endpoint {
	struct addr addr;
	uint16_t port; /* host order */
};

struct prefix {
	struct addr addr; /* host bits are zero after prefix_mask() */
	uint8_t len;
};

#define ADDR_STRLEN 46
#define ENDPOINT_STRLEN (ADDR_STRLEN + 8)
#define PREFIX_STRLEN (ADDR_STRLEN + 4)

/* Bytes (4, 16, or 0) and bits of an address of this family. */
size_t addr_size(uint8_t family);
uint8_t addr_bits(uint8_t family);

/*
 * Read an address without zone, port or prefix length.
 *
 * Returns 0, or -EINVAL with *ret untouched.
 */
int addr_parse(const char *text, struct addr *ret);

/* Print a to buf (at least ADDR_STRLEN bytes) and return buf; "none" for no address. */
char *addr_format(const struct addr *a, char *buf);

/* From raw bytes in network order: 4 or 16 of them, by family. */
struct addr addr_from_bytes(uint8_t family, const void *bytes);

bool addr_equal(const struct addr *a, const struct addr *b);

/* Total order: by family, then bytes. */
int addr_compare(const struct addr *a, const struct addr *b);

/* 0.0.0.0, :: or none. */
bool addr_is_any(const struct addr *a);
bool addr_is_loopback(const struct addr *a);
bool addr_is_link_local(const struct addr *a);
bool addr_is_multicast(const struct addr *a);

/*
 * Can it be another host's, as it stands? Not any, loopback, multicast, IPv4's
 * 0.0.0.0/8 and 240.0.0.0/4, nor IPv6 link-local ones, which need a zone.
 */
bool addr_is_host(const struct addr *a);

/* Hash under key; use a random key where a peer chooses the address. */
uint64_t addr_hash(const struct addr *a, uint64_t key);

/* The address n above a; wraps at the end of the family's space. */
struct addr addr_offset(const struct addr *a, uint64_t n);

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

/* "192.0.2.1:500", "[2001:db8::1]:500"; buf has ENDPOINT_STRLEN bytes. Returns buf. */
char *endpoint_format(const struct endpoint *e, char *buf);

/* Fill *ss and return its length; 0 when e has no address. */
socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss);

/*
 * From what the kernel gave. An IPv4-mapped address becomes IPv4.
 *
 * Returns 0, or -EAFNOSUPPORT with *ret untouched.
 */
int endpoint_from_sockaddr(const struct sockaddr_storage *ss, struct endpoint *ret);

/*
 * Read "10.0.0.0/8", or an address alone (then its full length).
 *
 * Returns 0, -EINVAL when it is no prefix, -ERANGE when bits behind the length
 * are set (10.1.0.0/8); *ret is set in the latter case, with the bits cleared.
 */
int prefix_parse(const char *text, struct prefix *ret);

/* buf has PREFIX_STRLEN bytes. Returns buf. */
char *prefix_format(const struct prefix *p, char *buf);

/* The prefix of len bits that a lies in. */
struct prefix prefix_of(const struct addr *a, uint8_t len);

bool prefix_equal(const struct prefix *a, const struct prefix *b);
bool prefix_contains(const struct prefix *p, const struct addr *a);

/* True when inner lies wholly within outer. */
bool prefix_covers(const struct prefix *outer, const struct prefix *inner);
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

#endif
