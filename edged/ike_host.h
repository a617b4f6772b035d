/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_host - carries out what the IKE engine wants done, in its order
 *
 * The engine is fed (a datagram, the time, a command) and then pumped: each
 * action is carried out before the next is fetched, because order is meaning:
 * what the peer may have seen is saved before it is sent, and an SA is installed
 * before the message that makes the peer use it. Carrying out an action may
 * feed the engine again (the supervisor's next attempt): the running pump picks
 * that up.
 *
 * IKE SAs are files in RUN/ike (0700), one each, replaced by rename. At start
 * they are taken up again; what the data plane no longer has is then replaced
 * by the engine, never installed twice.
 */
#ifndef ED_EDGED_IKE_HOST_H
#define ED_EDGED_IKE_HOST_H

#include <stddef.h>
#include <stdint.h>

struct edged;
struct ike_addrs;
struct ike_host;

/*
 * Make engine and save folder.
 *
 * Returns 0, or a negative errno after logging why.
 */
int ike_host_new(struct edged *ed, struct ike_host **ret);

/* Stop; the saved SAs stay for the next start. NULL is allowed. */
void ike_host_free(struct ike_host *h);

/* Feed one datagram; the caller pumps after the last of a burst. */
void ike_host_input(struct edged *ed, const struct ike_addrs *at, const void *bytes,
		    size_t len);

/* Carry out what is wanted, and arm the engine's timer. */
void ike_host_pump(struct edged *ed);

/* Take up saved SAs; after all connections were set. Returns how many. */
unsigned int ike_host_restore(struct edged *ed);

#endif
