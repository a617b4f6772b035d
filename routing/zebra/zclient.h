/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zclient - zebra's protocol, encoded and decoded by the installed libfrr
 *
 * The only file that sees FRR's headers; this interface has none of its types,
 * and none of ours either, because both sides have a struct prefix. libfrr is a
 * codec here and nothing else: no socket, no loop, no signal handler of its own.
 * zsock.c moves the bytes.
 *
 * The protocol changes between FRR's releases under the same version byte, so
 * zc_init() proves before the first byte that the library in this process is of
 * the release whose headers we were built with.
 *
 * We are a client of type "sharp" (Debian ships no sharpd), instance 0: zebra's
 * graceful restart loses routes of other instances.
 */
#ifndef ED_ROUTING_ZEBRA_ZCLIENT_H
#define ED_ROUTING_ZEBRA_ZCLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ZC_HOPS_MAX = 64, /* of a group, and remembered of a learned prefix */
	ZC_KERNEL_PROTO = 194, /* rtm_protocol of what zebra writes for us */
};

/* Family AF_INET or AF_INET6, or 0 for none; bytes in network order. */
struct zc_addr {
	uint8_t family;
	uint8_t b[16];
};

struct zc_prefix {
	struct zc_addr addr;
	uint8_t len;
};

struct zc_hop {
	struct zc_addr gateway; /* family 0: by device alone, or blackhole */
	uint32_t ifindex; /* 0: zebra did not say */
	uint8_t weight;
};

enum zc_event_type {
	ZC_OTHER = 1, /* nothing of interest */
	ZC_ROUTE, /* what became of a route of ours */
	ZC_GROUP, /* what became of a group of ours */
	ZC_LEARNED, /* a BGP prefix, new or changed */
	ZC_LOST, /* a BGP prefix is gone */
	ZC_FENCE, /* everything asked for before zc_fence() was told */
	ZC_BGPD_GONE, /* bgpd's connection to zebra ended */
};

enum zc_outcome { ZC_INSTALLED = 1, ZC_REMOVED, ZC_FAILED };

struct zc_event {
	enum zc_event_type type;
	enum zc_outcome outcome; /* ZC_ROUTE, ZC_GROUP */
	uint32_t group; /* ZC_GROUP: our id, from 0 */
	uint32_t table; /* ZC_ROUTE */
	struct zc_prefix prefix; /* ZC_ROUTE, ZC_LEARNED, ZC_LOST */
	struct zc_hop hops[ZC_HOPS_MAX]; /* ZC_LEARNED */
	size_t n_hops;
};

typedef void (*zc_write)(void *ctx, const void *bytes, size_t len);

/*
 * Make the codec and test it; every encoder below then gives its bytes to write.
 *
 * Returns 0, or -ELIBACC with a sentence in why: libfrr is of another release
 * than the headers, or of another layout.
 */
int zc_init(zc_write write, void *ctx, char *why, size_t cap);

void zc_fini(void);

/* The FRR release that the program was built for: "8.4.4". */
const char *zc_version(void);

/*
 * True for releases that lose a member of a group after a short link flap: they
 * need "zebra nexthop proto only" and "zebra nexthop-group keep 1".
 */
bool zc_needs_hygiene(void);

/* The kernel's id of our group 0; ours are counted up from it. */
uint32_t zc_group_base(void);

/* How many ids are ours above it. */
uint32_t zc_group_space(void);

/* First message: who we are. */
void zc_hello(void);

/* Keep our routes for stale_s seconds when we go away. */
void zc_graceful(uint32_t stale_s);

/* All routes were sent again: what was not is old. */
void zc_update_complete(void);

/* Ask for (or no longer for) BGP's prefixes of a family. */
void zc_redistribute(bool on, uint8_t family);

/* Ask for a ZC_FENCE; again works, too. */
void zc_fence(void);

/* Make or replace a group; hops need a gateway and an interface each. */
void zc_group_set(uint32_t group, const struct zc_hop *hops, size_t n);
void zc_group_del(uint32_t group);

/* A route that points at a group, in a table of ours. */
void zc_route_add(uint32_t table, const struct zc_prefix *prefix, uint32_t group);
void zc_route_del(uint32_t table, const struct zc_prefix *prefix);

/*
 * The length of the message that begins at bytes.
 *
 * Returns it, 0 when more bytes are needed to know, or -EPROTO.
 */
int zc_frame(const uint8_t *bytes, size_t have);

/* Decode one message of len bytes. Returns 0, or -EPROTO. */
int zc_decode(const uint8_t *bytes, size_t len, struct zc_event *ret);

#endif
