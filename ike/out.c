/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/secret.h"

enum { KEEP_MAX = 2 };

struct ike_out_node {
	struct ike_out_node *next;
	struct ike_action act;
	struct {
		void *p;
		size_t len;
	} kept[KEEP_MAX];
	size_t n_kept;
};

struct ike_action *ike_out_add(struct ike_out *out, enum ike_act kind,
			       const char *tunnel)
{
	struct ike_out_node *n = ed_alloc(sizeof(*n));

	n->act.kind = kind;
	if (tunnel)
		snprintf(n->act.tunnel, sizeof(n->act.tunnel), "%s", tunnel);
	if (out->last)
		out->last->next = n;
	else
		out->first = n;
	out->last = n;
	return &n->act;
}

const void *ike_out_keep(struct ike_out *out, const void *bytes, size_t len)
{
	struct ike_out_node *n = out->last;

	if (!n || n->n_kept == KEEP_MAX || !len)
		return NULL;
	n->kept[n->n_kept].p = ed_memdup(bytes, len);
	n->kept[n->n_kept].len = len;
	return n->kept[n->n_kept++].p;
}

/* taken: a job in it belongs to the host. */
static void node_free(struct ike_out_node *n, bool taken)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n_kept; i++) {
		secret_wipe(n->kept[i].p, n->kept[i].len);
		free(n->kept[i].p);
	}
	if (!taken && n->act.kind == IKE_ACT_JOB)
		ike_job_free(n->act.u.job);
	secret_wipe(n, sizeof(*n));
	free(n);
}

const struct ike_action *ike_out_next(struct ike_out *out)
{
	node_free(out->handed, true);
	out->handed = out->first;
	if (!out->handed)
		return NULL;
	out->first = out->handed->next;
	if (!out->first)
		out->last = NULL;
	return &out->handed->act;
}

void ike_out_fini(struct ike_out *out)
{
	node_free(out->handed, true);
	while (out->first) {
		struct ike_out_node *n = out->first;

		out->first = n->next;
		node_free(n, false);
	}
	*out = (struct ike_out){0};
}
