/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lookup - asks the kernel which way a packet would go
 *
 * The truth rather than our own idea of it: rules, class tables, groups, what
 * bgpd wrote, the leak guard.
 */
#ifndef ED_EDGED_LOOKUP_H
#define ED_EDGED_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/addr.h"

struct lookup {
	bool blocked; /* unreachable: the leak guard, or no route */
	bool local; /* an address of this box */
	int ifindex; /* it leaves by */
	struct addr gateway;
	struct prefix prefix; /* of the route that matched; family 0: not told */
	uint32_t table;
	uint8_t protocol; /* rtm_protocol of that route */
};

/*
 * Look up dst for a packet with this firewall mark.
 *
 * Returns 0 (also when blocked), or a negative errno with *ret untouched.
 */
int lookup_route(const struct addr *dst, uint32_t mark, struct lookup *ret);

#endif
