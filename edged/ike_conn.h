/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_conn - what the configuration says of a tunnel, in the engine's words
 */
#ifndef ED_EDGED_IKE_CONN_H
#define ED_EDGED_IKE_CONN_H

#include <stddef.h>

struct edged;
struct peer;
struct tunnel;

/*
 * Tell the engine about a tunnel that we call, with the outer addresses that its
 * uplink and t->remote have now.
 *
 * Returns 0; with a sentence in why (cap bytes): -EADDRNOTAVAIL without
 * addresses, -ENOKEY without a secret, -EINVAL when the engine refuses.
 */
int ike_conn_set_tunnel(struct tunnel *t, char *why, size_t cap);

/*
 * The same before saved SAs are taken up: whatever outer address they have fits,
 * and no attempt is made.
 */
int ike_conn_expect(struct tunnel *t, char *why, size_t cap);

/* The same for a peer that calls us: a template, named as the peer. */
int ike_conn_set_peer(struct peer *p, char *why, size_t cap);

/* Forget a connection (tunnel or peer); its SAs are ended with a Delete. */
void ike_conn_forget(struct edged *ed, const char *name);

#endif
