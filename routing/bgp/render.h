/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render - the lines that bgpd has to be told; pure
 *
 * All of ours hangs on names that begin with EDGED: the peer groups EDGED4 and
 * EDGED6 that our neighbours belong to, prefix-lists and route-maps. What else
 * stands in bgpd belongs to the administrator and is not touched; of his running
 * configuration only what is ours is read, to take out what is no longer wanted.
 *
 * Filters, per neighbour, both ways and from the first second (the group has
 * them before a neighbour joins it):
 *   out  what is announced, nothing else;
 *   in   first what is accepted and lies within something refused on purpose (a
 *        branch's network within the hub's LAN); then what is refused, and
 *        longer ones, goes; then what is accepted, and longer ones, comes; the
 *        rest goes. The next hop is the neighbour itself, whatever it says.
 *
 * Only numbers, addresses and prefixes are written; the tunnel's name goes into
 * the description with everything but letters, digits and ._:/- replaced. So no
 * text can become another line.
 */
#ifndef ED_ROUTING_BGP_RENDER_H
#define ED_ROUTING_BGP_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "routing/intent.h"

enum {
	RT_RUNNING_MAX = 8 << 20, /* bytes of a running configuration that are read */
};

/*
 * bgpd's running configuration, as far as it matters here. Lines are kept whole
 * behind a letter for where they stand: T top, B router bgp, 4 and 6 its address
 * families, M in a route-map (behind its first line and a bar).
 */
struct rt_running {
	uint32_t asn; /* of "router bgp" without a VRF, 0: there is none */
	bool foreign; /* something in it is not ours */
	bool foreign_delay; /* "bgp route-map delay-timer" has the owner's value */
	char **lines; /* sorted */
	size_t n_lines;
	struct addr *neighbors; /* members of our groups, sorted */
	size_t n_neighbors;
};

/* Read "show running-config" (len bytes); what is not understood is not ours. */
struct rt_running *rt_running_parse(const char *text, size_t len);
void rt_running_free(struct rt_running *r);

/*
 * The lines that lead from running (NULL: nothing known) to b; what stands is
 * not written again. asn 0 in b takes everything of ours out.
 *
 * Returns 0 with the text in *ret (the caller frees it; empty when there is
 * nothing to do), or -EEXIST with a sentence in why when an administrator's
 * "router bgp" of another AS is in the way.
 */
int rt_bgp_render(const struct rt_bgp *b, const struct rt_running *running, char **ret,
		  char *why, size_t cap);

#endif
