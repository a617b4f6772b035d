/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * render - what a configuration becomes for nftables and FRR, as far as it alone
 * says; pure
 *
 * The daemon adds what only it knows (addresses, interfaces, members); a check
 * has it judged as it is (dryrun.h).
 */
#ifndef ED_EDGED_CONFIG_RENDER_H
#define ED_EDGED_CONFIG_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "routing/intent.h"

struct config;
struct config_peer;
struct config_prefixes;
struct json_t;
struct rt_nft_uplink;

/* Append all of from. */
void config_add_prefixes(struct rt_prefixes *to, const struct config_prefixes *from);

/* The networks inside addresses come from: ranges, and those of end points. */
void config_add_inside(const struct config *c, struct rt_prefixes *to);

/*
 * What the leak guard covers: networks; what BGP may bring where there is BGP;
 * private addresses where nothing is said at all.
 */
void config_add_guard(const struct config *c, struct rt_prefixes *to);

/*
 * What p may tell us by BGP: its own list, else everybody's; and its static
 * networks besides, so that they may lie within our LAN's range (a hub's
 * 10.0.0.0/8). Nothing where the file says nothing of p.
 */
void config_add_peer_accept(const struct config *c, const struct config_peer *p,
			    struct rt_prefixes *to);

/* Whole seconds for FRR; fallback for 0. */
uint16_t config_seconds(int64_t us, uint16_t fallback);

/*
 * The table of nftables with these uplinks, whose memory stays the caller's; a
 * new reference. mtu 0: not known.
 */
struct json_t *config_nft(const struct config *c, const struct rt_nft_uplink *uplinks,
			  size_t n_uplinks, bool guarded, uint16_t mtu);

/* The same with the uplinks as the file names them. */
struct json_t *config_nft_alone(const struct config *c);

/* Classes, FRR's folder and BGP without neighbours; the caller frees it. */
struct rt_intent *config_intent(const struct config *c);

/* The same with a neighbour for each peer, of addresses that nobody has. */
struct rt_intent *config_intent_alone(const struct config *c);

#endif
