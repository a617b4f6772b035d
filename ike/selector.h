/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_selector - traffic selectors of a route-based tunnel
 *
 * RFC 7296 section 2.9. Routes decide what enters a tunnel, so its selectors
 * are 0.0.0.0/0 and ::/0 at both ends. A peer may know only one of the two
 * families; anything narrower would drop packets that routes send.
 */
#ifndef ED_IKE_SELECTOR_H
#define ED_IKE_SELECTOR_H

#include <stdbool.h>

#include "ike/payload.h"

/* The list we offer or answer with. */
void ike_selector_all(struct ike_ts_list *list, bool family4, bool family6);

/* Does the list hold the whole of a family, all protocols and ports? */
bool ike_selector_covers(const struct ike_ts_list *list, uint8_t family);

/* Print the list for people, cut to cap. */
void ike_selector_format(const struct ike_ts_list *list, char *buf, size_t cap);

#endif
