/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/steer/class.h"

#include <string.h>

static bool names(const char *const *list, size_t n, const char *label, size_t *ret_at)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i], label) == 0) {
			*ret_at = i;
			return true;
		}
	}
	return false;
}

enum steer_tier steer_class_tier(const struct steer_class *c, const char *label,
				 uint32_t *ret_rank)
{
	size_t at;

	*ret_rank = 0;
	if (c->strategy != STEER_CHEAPEST &&
	    names(c->uplinks, c->n_uplinks, label, &at)) {
		if (c->strategy == STEER_PREFER)
			*ret_rank = (uint32_t)at;
		return STEER_TIER_LISTED;
	}
	if (names(c->last_resort, c->n_last_resort, label, &at)) {
		*ret_rank = (uint32_t)at;
		return STEER_TIER_LAST_RESORT;
	}
	return c->strategy == STEER_CHEAPEST ? STEER_TIER_LISTED : STEER_TIER_UNLISTED;
}
