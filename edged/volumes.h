/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * volumes - what a metered uplink has carried this month
 *
 * Bytes of the uplink's interface, both directions, all traffic, since the first of
 * the month by the machine's local time. STATE/volumes has them over restart and
 * reboot, together with the interface's own counter: after a restart what went by
 * meanwhile is counted, too. It is written at a stop, when a hundredth of the limit
 * was used since, but not more often than every ten minutes: a power cut loses less
 * than that. A clock that is not set yet ends no month.
 */
#ifndef ED_EDGED_VOLUMES_H
#define ED_EDGED_VOLUMES_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"

struct volumes;

/* What the kernel says of an uplink's interface. */
struct volume_reading {
	const char *uplink;
	const char *ifname;
	int ifindex;
	uint64_t bytes; /* since the interface is there */
	uint64_t limit_bytes; /* a month */
};

/*
 * Read path; a missing or unreadable file is an empty one (with a warning).
 * boot_id tells boots apart, "" if unknown; both are copied.
 */
struct volumes *volumes_open(const char *path, const char *boot_id);

/* Write what changed and free; NULL is allowed. */
void volumes_free(struct volumes *v);

/* Count on. now_s is since the epoch, for the month. v may be NULL. */
void volumes_count(struct volumes *v, const struct volume_reading *r, int64_t now_s,
		   struct mono now);

/* Bytes of this month; false for an uplink that was never counted. v may be NULL. */
bool volumes_month(const struct volumes *v, const char *uplink, uint64_t *ret);

#endif
