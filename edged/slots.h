/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slots - a small number for each name, kept over restarts
 *
 * Interface names, if_ids, routing tables, marks and inside addresses come
 * from these numbers (routing/owned.h), so that a restarted daemon finds its
 * interfaces and a caller gets its address again. STATE/slots is text, one
 * `kind number name` a line, replaced atomically. A damaged line costs that
 * line; a disk that takes no writes costs a warning, never a tunnel.
 */
#ifndef ED_EDGED_SLOTS_H
#define ED_EDGED_SLOTS_H

#include <stdbool.h>

struct slots;

enum slot_kind {
	SLOT_UPLINK = 1, /* routing table, mark */
	SLOT_TUNNEL, /* interface, if_id */
	SLOT_INSIDE, /* a caller's pair of inside addresses */
};

enum {
	SLOTS_UPLINK_MAX = 249, /* routing/owned.h: RT_UPLINKS_MAX */
	SLOTS_TUNNEL_MAX = 9999, /* ed%04u */
	SLOTS_INSIDE_MAX = 9999, /* callers have a tunnel each */
};

/* Read path; a missing or unreadable file is an empty one (with a warning). */
struct slots *slots_open(const char *path);

/* Free; NULL is allowed. The file stays. */
void slots_free(struct slots *s);

/*
 * The number of name, the lowest free one when it has none yet. It is in the
 * file after slots_sync(), which the caller owes before anybody relies on it;
 * so a hub with thousands of tunnels writes the file once.
 *
 * Returns 1 or more, or -ENOSPC when all are taken, -EINVAL for a name with a
 * line break in it or longer than the file's format takes.
 */
int slots_get(struct slots *s, enum slot_kind kind, const char *name);

/* Write the file when something changed since the last time. */
void slots_sync(struct slots *s);

/* The number of name, or 0. */
unsigned int slots_find(const struct slots *s, enum slot_kind kind, const char *name);

/* Give the number of name back. */
void slots_release(struct slots *s, enum slot_kind kind, const char *name);

/* Release each slot of kind that in_use() does not want. */
void slots_prune(struct slots *s, enum slot_kind kind,
		 bool (*in_use)(void *ctx, const char *name), void *ctx);

/* Call fn for each slot of kind. */
void slots_each(const struct slots *s, enum slot_kind kind,
		void (*fn)(void *ctx, const char *name, unsigned int slot), void *ctx);

#endif
