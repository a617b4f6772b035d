/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer_apply - from what edged knows to what kernel and FRR must hold
 *
 * Puts together uplinks, tunnels, configuration and the peers' plans, and hands
 * them on, each only when it differs from what was handed on before:
 *
 *   policy   rules, uplink tables, main's static routes, the leak guard
 *   nft      marks by class, MSS, what uplinks may not reach
 *   intent   tunnels, static networks, members per class, BGP: to edge-zebra
 *
 * Main's routes follow liveness only: a network goes over the peer's tunnels
 * that are alive. When none is, the ones that were so last stay (all silent at
 * once is the peer's matter). Until the first plan after a start the routes and
 * members of the former process stand.
 */
#ifndef ED_EDGED_STEER_APPLY_H
#define ED_EDGED_STEER_APPLY_H

struct edged;
struct loop;
struct peer;
struct steer_apply;

/*
 * Take the control socket's edge-zebra side and start. ed->policy must be there.
 * The leak guard of ed->config stands when this returns; what a former process
 * left stands, too, until steer_apply_all() has been called.
 *
 * Returns 0 with *ret for steer_apply_free(), or a negative errno.
 */
int steer_apply_new(struct edged *ed, struct steer_apply **ret);

/* Stop; everything stays in kernel and FRR. NULL is allowed. */
void steer_apply_free(struct steer_apply *a);

/*
 * Anything may have changed: an uplink, a tunnel, the configuration. Looked at
 * as soon as the loop comes round, once for many calls. Before steer_apply_new()
 * this does nothing.
 */
void steer_apply_all(struct edged *ed);

/* The plan of one peer, or a tunnel of it, changed: apply it at once. */
void steer_apply_peer(struct edged *ed, struct peer *p);

/*
 * The peer's plan stands, but a tunnel may have died or come to life: main's
 * routes follow, whether a class moved or not.
 */
void steer_apply_liveness(struct edged *ed, const struct peer *p);

/*
 * For edged --down, with no daemon running on the folder run: serve edge-zebra,
 * if one comes within 2 s, an empty intent and wait for at most 5 s until it has
 * taken everything out of FRR.
 */
void steer_apply_withdraw(struct loop *loop, const char *run);

#endif
