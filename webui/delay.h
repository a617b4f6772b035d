/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * delay - failed logins of an address make it wait, longer each time
 *
 * Five tries are free, then it waits 1 s, 2 s, 4 s ... up to 5 minutes. Quiet for
 * 15 minutes, or a login that worked, and all is forgotten. An address is an IPv4
 * address or an IPv6 /64. The table is bounded; in a full one whoever failed least
 * lately is forgotten first. What all addresses together may cost is login.h's.
 *
 * Pure: time comes from the caller.
 */
#ifndef ED_WEBUI_DELAY_H
#define ED_WEBUI_DELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/mono.h"

enum delay_limits {
	DELAY_ADDRESSES = 1024,
	DELAY_FREE = 5,
	DELAY_MAX_S = 300,
	DELAY_FORGET_S = 15 * 60,
};

struct delay;

struct delay *delay_new(void);
void delay_free(struct delay *d);

/* True when a and b count as one: a network of IPv6 (/64) does. */
bool delay_same(const struct addr *a, const struct addr *b);

/* How long a must still wait; 0: it may try. */
int64_t delay_left_ms(struct delay *d, const struct addr *a, struct mono now);

/* A login from a failed, or worked. */
void delay_failed(struct delay *d, const struct addr *a, struct mono now);
void delay_passed(struct delay *d, const struct addr *a);

#endif
