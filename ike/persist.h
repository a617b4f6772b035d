/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_persist - an IKE SA to bytes and back, for a restart without loss
 *
 * Everything an established SA needs to go on: keys, counters, message ids,
 * the request in flight, the stored response, operations under way with their
 * private values, children. Times are monotonic and of the same boot. The
 * bytes end with a checksum over them, so that a file cut short is told from
 * a whole one; who may write the file is the host's business.
 */
#ifndef ED_IKE_PERSIST_H
#define ED_IKE_PERSIST_H

#include <stddef.h>
#include <stdint.h>

struct ike_sa;

/* Bytes of the SA, the caller's to wipe and free. */
uint8_t *ike_persist_encode(const struct ike_sa *sa, size_t *len);

#endif
