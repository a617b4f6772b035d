/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rates - how much goes over each uplink now
 *
 * Reads the byte counters of the uplinks' interfaces every two seconds: all
 * traffic of the interface, tunnels and local breakout alike. Those of metered uplinks
 * go on to the volume of the month (volumes.h).
 */
#ifndef ED_EDGED_RATES_H
#define ED_EDGED_RATES_H

#include <stdbool.h>
#include <stdint.h>

struct edged;
struct rates;

/* The caller frees it. Without a netlink socket nothing is ever known. */
struct rates *rates_new(struct edged *ed);
void rates_free(struct rates *r);

/*
 * Bits a second into (down) and out of (up) the uplink of that name, over the last
 * two seconds. False when not known: it is not there, or was not a moment ago.
 */
bool rates_uplink(const struct rates *r, const char *name, uint64_t *ret_down_bps,
		  uint64_t *ret_up_bps);

/*
 * All bytes that came in by and left by its interface, as the kernel counted two
 * seconds ago or less. False as above.
 */
bool rates_bytes(const struct rates *r, const char *name, uint64_t *ret_rx_bytes,
		 uint64_t *ret_tx_bytes);

#endif
