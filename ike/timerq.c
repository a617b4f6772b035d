/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/timerq.h"

#include <stdlib.h>

#include "lib/alloc.h"

static void put(struct ike_timerq *q, size_t i, struct ike_timer_node *node)
{
	q->heap[i] = node;
	node->place = i;
}

static void up(struct ike_timerq *q, size_t i)
{
	struct ike_timer_node *node = q->heap[i];

	/* Ends: i halves. */
	while (i > 1 && mono_before(node->at, q->heap[i / 2]->at)) {
		put(q, i, q->heap[i / 2]);
		i /= 2;
	}
	put(q, i, node);
}

static void down(struct ike_timerq *q, size_t i)
{
	struct ike_timer_node *node = q->heap[i];

	/* Ends: i at least doubles. */
	while (2 * i <= q->n) {
		size_t child = 2 * i;

		if (child < q->n &&
		    mono_before(q->heap[child + 1]->at, q->heap[child]->at))
			child++;
		if (!mono_before(q->heap[child]->at, node->at))
			break;
		put(q, i, q->heap[child]);
		i = child;
	}
	put(q, i, node);
}

static void take_out(struct ike_timerq *q, struct ike_timer_node *node)
{
	size_t i = node->place;
	struct ike_timer_node *last = q->heap[q->n--];

	node->place = 0;
	if (last == node)
		return;
	put(q, i, last);
	up(q, i);
	down(q, last->place);
}

void ike_timerq_set(struct ike_timerq *q, struct ike_timer_node *node, struct mono at)
{
	if (node->place)
		take_out(q, node);
	node->at = at;
	if (mono_is_never(at))
		return;
	if (q->n + 1 >= q->cap) {
		q->cap = q->cap ? 2 * q->cap : 16;
		q->heap = ed_realloc(q->heap, q->cap, sizeof(q->heap[0]));
	}
	put(q, ++q->n, node);
	up(q, q->n);
}

struct ike_timer_node *ike_timerq_first(const struct ike_timerq *q)
{
	return q->n ? q->heap[1] : NULL;
}

void ike_timerq_fini(struct ike_timerq *q)
{
	free(q->heap);
	*q = (struct ike_timerq){0};
}
