/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * upstream - edged, as seen over its control socket
 *
 * Connects by itself, again and again while edged is away. Two connections: one for
 * questions and events, and one that watches the status, which is there only while
 * somebody looks (upstream_watch()), since edged then works each second.
 *
 * An edged that is there but says nothing for UPSTREAM_SILENT_S while its status is
 * watched counts as away.
 */
#ifndef ED_WEBUI_UPSTREAM_H
#define ED_WEBUI_UPSTREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <time.h>

#include "lib/rpc.h"

struct loop;
struct upstream;

enum upstream_limits {
	UPSTREAM_RETRY_MS = 500,
	UPSTREAM_ANSWER_MS = 10000,
	UPSTREAM_SILENT_S = 15,
	UPSTREAM_ASKED = 12, /* questions at once: edged takes 16 of a client */
	UPSTREAM_WAITING = 512,
	UPSTREAM_LINGER_S = 5, /* the status is watched on behind the last reader */
};

struct upstream_ops {
	/* edged came or went, or fell silent while it is watched. */
	void (*link)(void *ctx);
	/* A new status, borrowed; NULL: it is watched no longer. */
	void (*status)(void *ctx, const json_t *status);
	/* An event; borrowed. */
	void (*event)(void *ctx, const json_t *event);
};

struct upstream *upstream_new(struct loop *loop, const char *socket_path,
			      const struct upstream_ops *ops, void *ctx);
void upstream_free(struct upstream *u);

/* Is edged there, since when (0: not known yet), and a sentence about it. */
bool upstream_is_up(const struct upstream *u);
time_t upstream_since(const struct upstream *u);
const char *upstream_text(const struct upstream *u);

/* Watch the status, or (after a while) no longer. */
void upstream_watch(struct upstream *u, bool yes);

/*
 * Ask. Takes over the reference of params; method (borrowed) lives on. done is called once, from the loop, at
 * the latest after UPSTREAM_ANSWER_MS (code -ETIMEDOUT).
 *
 * Returns 0, or -ENOTCONN or -ENOBUFS: done is then not called.
 */
int upstream_call(struct upstream *u, const char *method, json_t *params,
		  rpc_done *done, void *ctx);

#endif
