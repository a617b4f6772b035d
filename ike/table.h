/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_table - uthash with a hash of our own
 *
 * Keys of the engine's tables are names from the configuration, SPIs that we
 * drew at random, and values that were hashed with a random key already: a
 * peer cannot choose them to collide. So the function may be a plain one
 * (FNV-1a).
 */
#ifndef ED_IKE_TABLE_H
#define ED_IKE_TABLE_H

#include <stddef.h>
#include <stdint.h>

static inline unsigned int ike_table_hash(const void *key, size_t len)
{
	const uint8_t *p = key;
	uint32_t h = UINT32_C(2166136261);

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT32_C(16777619);
	return h;
}

#define HASH_FUNCTION(key, len, hash) ((hash) = ike_table_hash(key, len))

#include <uthash.h>

#endif
