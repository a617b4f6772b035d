/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t addr_size(uint8_t family)
{
	if (family == AF_INET)
		return 4;
	return family == AF_INET6 ? 16 : 0;
}

uint8_t addr_bits(uint8_t family)
{
	return (uint8_t)(addr_size(family) * 8);
}

int addr_parse(const char *text, struct addr *ret)
{
	struct addr a = {0};

	if (inet_pton(AF_INET, text, a.b) == 1)
		a.family = AF_INET;
	else if (inet_pton(AF_INET6, text, a.b) == 1)
		a.family = AF_INET6;
	else
		return -EINVAL;
	*ret = a;
	return 0;
}

char *addr_format(const struct addr *a, char *buf)
{
	if (!a->family || !inet_ntop(a->family, a->b, buf, ADDR_STRLEN))
		snprintf(buf, ADDR_STRLEN, "none");
	return buf;
}

struct addr addr_from_bytes(uint8_t family, const void *bytes)
{
	struct addr a = {.family = family};

	memcpy(a.b, bytes, addr_size(family));
	return a;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return memcmp(a->b, b->b, addr_size(a->family));
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return addr_compare(a, b) == 0;
}

bool addr_is_any(const struct addr *a)
{
	static const uint8_t zero[16];

	return memcmp(a->b, zero, addr_size(a->family)) == 0;
}

bool addr_is_loopback(const struct addr *a)
{
	static const struct addr one = {AF_INET6, {[15] = 1}};

	if (a->family == AF_INET)
		return a->b[0] == 127;
	return addr_equal(a, &one);
}

bool addr_is_link_local(const struct addr *a)
{
	if (a->family == AF_INET)
		return a->b[0] == 169 && a->b[1] == 254;
	return a->family == AF_INET6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80;
}

bool addr_is_multicast(const struct addr *a)
{
	if (a->family == AF_INET)
		return (a->b[0] & 0xf0) == 0xe0;
	return a->family == AF_INET6 && a->b[0] == 0xff;
}

bool addr_is_host(const struct addr *a)
{
	if (!a->family || addr_is_any(a) || addr_is_loopback(a) || addr_is_multicast(a))
		return false;
	if (a->family == AF_INET)
		return a->b[0] != 0 && a->b[0] < 240;
	return !addr_is_link_local(a);
}

uint64_t addr_hash(const struct addr *a, uint64_t key)
{
	uint64_t h = key ^ a->family;

	for (size_t i = 0; i < addr_size(a->family); i += 4) {
		uint32_t word;

		memcpy(&word, a->b + i, sizeof(word));
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	return h;
}

struct addr addr_offset(const struct addr *a, uint64_t n)
{
	struct addr sum = *a;

	for (size_t i = addr_size(a->family); i-- > 0 && n;) {
		n += sum.b[i];
		sum.b[i] = (uint8_t)n;
		n >>= 8;
	}
	return sum;
}

bool endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && addr_equal(&a->addr, &b->addr);
}

char *endpoint_format(const struct endpoint *e, char *buf)
{
	char text[ADDR_STRLEN];
	const char *fmt = e->addr.family == AF_INET6 ? "[%s]:%u" : "%s:%u";

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(buf, ENDPOINT_STRLEN, fmt, addr_format(&e->addr, text), e->port);
#pragma GCC diagnostic pop
	return buf;
}

socklen_t endpoint_to_sockaddr(const struct endpoint *e, struct sockaddr_storage *ss)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	if (e->addr.family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons(e->port);
		memcpy(&in->sin_addr, e->addr.b, 4);
		return sizeof(*in);
	}
	if (e->addr.family == AF_INET6) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(e->port);
		memcpy(&in6->sin6_addr, e->addr.b, 16);
		return sizeof(*in6);
	}
	return 0;
}

int endpoint_from_sockaddr(const struct sockaddr_storage *ss, struct endpoint *ret)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

	if (ss->ss_family == AF_INET) {
		ret->addr = addr_from_bytes(AF_INET, &in->sin_addr);
		ret->port = ntohs(in->sin_port);
		return 0;
	}
	if (ss->ss_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		ret->addr = addr_from_bytes(AF_INET, in6->sin6_addr.s6_addr + 12);
	else
		ret->addr = addr_from_bytes(AF_INET6, &in6->sin6_addr);
	ret->port = ntohs(in6->sin6_port);
	return 0;
}

struct prefix prefix_of(const struct addr *a, uint8_t len)
{
	struct prefix p = {.addr = *a, .len = len};
	size_t size = addr_size(a->family);

	if (p.len > size * 8)
		p.len = (uint8_t)(size * 8);
	for (size_t i = 0; i < size; i++) {
		size_t bit = i * 8;

		if (bit >= p.len)
			p.addr.b[i] = 0;
		else if (p.len - bit < 8)
			p.addr.b[i] &= (uint8_t)(0xff << (8 - (p.len - bit)));
	}
	return p;
}

/* A decimal number of at most three digits, nothing around it. */
static int parse_len(const char *text, uint8_t bits, uint8_t *ret)
{
	unsigned int v = 0;
	size_t n = strlen(text);

	if (n < 1 || n > 3 || strspn(text, "0123456789") != n)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		v = v * 10 + (unsigned int)(text[i] - '0');
	if (v > bits || (n > 1 && text[0] == '0'))
		return -EINVAL;
	*ret = (uint8_t)v;
	return 0;
}

int prefix_parse(const char *text, struct prefix *ret)
{
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);
	char head[ADDR_STRLEN];
	struct prefix p = {0};
	struct prefix masked;

	if (n >= sizeof(head))
		return -EINVAL;
	memcpy(head, text, n);
	head[n] = '\0';
	if (addr_parse(head, &p.addr) < 0)
		return -EINVAL;
	p.len = addr_bits(p.addr.family);
	if (slash && parse_len(slash + 1, p.len, &p.len) < 0)
		return -EINVAL;
	masked = prefix_of(&p.addr, p.len);
	*ret = masked;
	return addr_equal(&masked.addr, &p.addr) ? 0 : -ERANGE;
}

char *prefix_format(const struct prefix *p, char *buf)
{
	char text[ADDR_STRLEN];

	snprintf(buf, PREFIX_STRLEN, "%s/%u", addr_format(&p->addr, text), p->len);
	return buf;
}

bool prefix_equal(const struct prefix *a, const struct prefix *b)
{
	return a->len == b->len && addr_equal(&a->addr, &b->addr);
}

bool prefix_contains(const struct prefix *p, const struct addr *a)
{
	struct prefix of;

	if (a->family != p->addr.family)
		return false;
	of = prefix_of(a, p->len);
	return addr_equal(&of.addr, &p->addr);
}

bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
	return inner->len >= outer->len && prefix_contains(outer, &inner->addr);
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}
