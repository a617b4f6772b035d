/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vtysh - our BGP lines in bgpd, and what its sessions do
 *
 * Reads bgpd's running configuration (routing/zebra/vty.h), renders what is missing
 * or too much (routing/bgp/render.h) and hands it over by vtysh, which alone knows
 * how to write; nothing is ever written to FRR's files. bgpd's socket tells by its birth when there is a new bgpd: then the
 * lines are sent again. Every 30 s they are looked at anyway.
 */
#ifndef ED_ROUTING_ZEBRA_VTYSH_H
#define ED_ROUTING_ZEBRA_VTYSH_H

#include <stdbool.h>

#include "routing/intent.h"

struct json_t;
struct loop;
struct vtysh;

struct vtysh_ops {
	void (*changed)(void *ctx); /* lines, an error or a session changed */
	void (*bgpd_new)(void *ctx); /* a bgpd that was not there before */
};

struct vtysh *vtysh_new(struct loop *loop, const struct vtysh_ops *ops, void *ctx);
void vtysh_free(struct vtysh *v);

/* FRR's folder; another one than before begins anew. */
void vtysh_set_dir(struct vtysh *v, const char *dir);

/*
 * What bgpd shall be told; b is borrowed until the next call. same: as before,
 * only in another place.
 */
void vtysh_set_bgp(struct vtysh *v, const struct rt_bgp *b, bool same);

/* Settings that old zebras need (zclient.h, zc_needs_hygiene()). */
void vtysh_zebra_hygiene(struct vtysh *v);

/* True when bgpd stands as wanted: also when nothing is wanted and it is away. */
bool vtysh_settled(const struct vtysh *v);

/* Why the lines do not stand, "" when they do. */
const char *vtysh_error(const struct vtysh *v);

/*
 * The sessions: a new list of {"tunnel", "peer", "state", "prefixes_received",
 * "prefixes_sent", "uptime_s", "error"}.
 */
struct json_t *vtysh_sessions(const struct vtysh *v);

/* bgpd or zebra has gone: what the sessions were says nothing any more. */
void vtysh_forget_sessions(struct vtysh *v);

/* True when every neighbour is established. */
bool vtysh_all_established(const struct vtysh *v);

#endif
