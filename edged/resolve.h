/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * resolve - names of peers to addresses, over the uplink that will use them
 *
 * c-ares on the loop: nothing blocks. Each uplink's interface has a channel of
 * its own, bound to the device, so that a dead uplink's resolver never delays
 * another one's tunnels and answers fit the place they are asked from.
 *
 * The caller asks again when the TTL is over and when a tunnel failed; nothing
 * is cached here.
 */
#ifndef ED_EDGED_RESOLVE_H
#define ED_EDGED_RESOLVE_H

#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

struct loop;
struct resolver;
struct resolve_query;

enum resolve_limits {
	RESOLVE_ADDRS_MAX = 8, /* of one answer; more are left out */
	RESOLVE_TTL_MIN_S = 30,
	RESOLVE_TTL_MAX_S = 3600,
};

struct resolve_answer {
	int err; /* 0; -ENOENT: no such name or no address of the family; -ETIMEDOUT;
		    -EIO with the resolver's words in why */
	const char *why;
	const struct addr *addrs;
	size_t n;
	uint32_t ttl_s; /* the shortest of the answer, within the limits above */
};

typedef void (*resolve_cb)(void *ctx, const struct resolve_answer *answer);

/* The caller frees it. NULL when c-ares cannot start. */
struct resolver *resolver_new(struct loop *loop);

/* Forget every question without an answer; NULL is allowed. */
void resolver_free(struct resolver *r);

/*
 * Ask for name over device (NULL: any), family AF_INET, AF_INET6 or 0 for both.
 * An IP address as name answers as such. cb is called once, from the loop,
 * unless the question is cancelled before; answer is borrowed for the call.
 */
struct resolve_query *resolver_ask(struct resolver *r, const char *name,
				   const char *device, uint8_t family, resolve_cb cb,
				   void *ctx);

/* cb will not be called any more. NULL is allowed. */
void resolver_cancel(struct resolve_query *q);

#endif
