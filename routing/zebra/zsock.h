/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zsock - the connection to zebra: bytes in and out, for ever
 *
 * Connects to zebra's socket, again and again (after 0.2 s, rising to 2 s), cuts
 * what comes into messages and gives each to libfrr's decoder (zclient.h). What
 * the encoders compose is queued and written as the socket takes it.
 */
#ifndef ED_ROUTING_ZEBRA_ZSOCK_H
#define ED_ROUTING_ZEBRA_ZSOCK_H

#include <stdbool.h>
#include <stddef.h>

#include "routing/zebra/zclient.h"

struct loop;
struct zsock;

struct zsock_ops {
	void (*up)(void *ctx); /* connected: say hello */
	void (*down)(void *ctx); /* zebra has gone; after an up() only */
	void (*event)(void *ctx, const struct zc_event *event);
};

/* Not connected and without a path yet. */
struct zsock *zsock_new(struct loop *loop, const struct zsock_ops *ops, void *ctx);
void zsock_free(struct zsock *z);

/* Connect to this socket from now on; another one than before ends that. */
void zsock_set_path(struct zsock *z, const char *path);

bool zsock_is_up(const struct zsock *z);

/* Queue bytes; dropped when there is no connection. A zc_write. */
void zsock_write(void *z, const void *bytes, size_t len);

#endif
