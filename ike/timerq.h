/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_timerq - who is due next: a binary heap of nodes inside their owners
 *
 * Setting, moving and removing cost O(log n), the earliest time O(1): a hub
 * with ten thousand SAs asks for it after every message.
 */
#ifndef ED_IKE_TIMERQ_H
#define ED_IKE_TIMERQ_H

#include <stddef.h>

#include "lib/mono.h"

struct ike_timer_node {
	struct mono at;
	size_t place; /* in the heap, from 1; 0: not in it */
};

struct ike_timerq {
	struct ike_timer_node **heap; /* from 1 */
	size_t n;
	size_t cap;
};

/* Note that node is due at; MONO_NEVER takes it out. */
void ike_timerq_set(struct ike_timerq *q, struct ike_timer_node *node, struct mono at);

/* The earliest node, NULL when there is none. */
struct ike_timer_node *ike_timerq_first(const struct ike_timerq *q);

void ike_timerq_fini(struct ike_timerq *q);

#endif
