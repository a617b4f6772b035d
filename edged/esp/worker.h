/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_worker - moves packets: TUN -> ESP -> UDP and back, a train at a time
 *
 * Outbound, a readable TUN is drained: each super-packet is cut (esp_super),
 * sealed in place in the send area, and equal-sized ESP packets for one address
 * and TOS byte form a train that leaves by one UDP_SEGMENT send. What is there
 * is sent at once; nothing waits for more.
 *
 * Inbound, recvmmsg() takes up to RX_AREAS trains that UDP_GRO put together. Each
 * segment is looked at by itself, since an IKE message or a keep-alive may ride
 * as the tail of a train; packets are opened in place, joined (esp_merge) and
 * written to their TUN before the areas are used again.
 *
 * One worker, one thread, no queue between the two sides. A full socket pauses the
 * tunnels that send through it until it is writable.
 */
#ifndef ED_EDGED_ESP_WORKER_H
#define ED_EDGED_ESP_WORKER_H

#include <stddef.h>
#include <stdint.h>

#include "edged/esp/sa.h"

struct esp_worker;
struct loop;

/* What the worker tells its owner; called while packets are handled. */
struct esp_worker_host {
	void (*ike)(void *ctx, uint32_t socket, const struct endpoint *remote,
		    const uint8_t *bytes, size_t len);
	void (*expire)(void *ctx, const struct esp_sa *sa, bool hard);
	/* False when it could not be passed on: it is told again. */
	bool (*mapping)(void *ctx, const struct esp_sa *sa,
			const struct endpoint *remote);
};

struct esp_worker *esp_worker_new(struct loop *loop, struct esp_table *table,
				  const struct esp_worker_host *host, void *ctx);
void esp_worker_free(struct esp_worker *w);

/*
 * Begin with a socket or tunnel of the table: check the descriptor, set options
 * and offloads, watch it.
 *
 * Returns 0, -EINVAL when fd is no UDP socket of that family or no TUN with
 * IFF_TUN, IFF_NO_PI and IFF_VNET_HDR, or another negative errno.
 */
int esp_worker_socket_start(struct esp_worker *w, struct esp_socket *s);
int esp_worker_tunnel_start(struct esp_worker *w, struct esp_tunnel *t);

/* Stop watching; the table may then remove it. */
void esp_worker_socket_stop(struct esp_worker *w, struct esp_socket *s);
void esp_worker_tunnel_stop(struct esp_worker *w, struct esp_tunnel *t);

#endif
