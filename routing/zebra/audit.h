/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit - what the kernel really has: links, groups, routes of the class tables
 *
 * Only reads; that needs no capability. Interfaces are told to the mirror as
 * they change; a check dumps groups and routes and lets the mirror compare.
 */
#ifndef ED_ROUTING_ZEBRA_AUDIT_H
#define ED_ROUTING_ZEBRA_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

struct audit;
struct loop;
struct mirror;

/* links is called after interfaces changed; the mirror knows them by then. */
int audit_new(struct loop *loop, void (*links)(void *ctx), void *ctx,
	      struct audit **ret);
void audit_free(struct audit *a);

/* The first group number above all that the kernel has of us; base as zclient.h's. */
uint32_t audit_first_group(struct audit *a, uint32_t base, uint32_t space);

/* Tell m every interface there is, now and as they change. */
void audit_watch(struct audit *a, struct mirror *m);

/*
 * Compare groups (kernel ids from base on, space of them) and routes with m.
 *
 * Returns the number of faults found, or a negative errno.
 */
int audit_check(struct audit *a, struct mirror *m, uint32_t base, uint32_t space);

#endif
