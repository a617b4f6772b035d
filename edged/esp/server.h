/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_server - edged's end of edge-esp: requests, answers, events
 *
 * Listens on the control socket and serves one edged at a time, the newest. What
 * it says is checked (proto.h) and carried out on table and worker. While
 * nobody is connected, IKE datagrams and events wait in a bounded queue, oldest
 * dropped first: a peer retransmits, and a full queue must not cost memory.
 */
#ifndef ED_EDGED_ESP_SERVER_H
#define ED_EDGED_ESP_SERVER_H

#include <sys/types.h>

struct esp_server;
struct loop;
struct rng;

/*
 * Serve on the listening SOCK_SEQPACKET socket fd, now the server's. Only uid 0,
 * this process's own uid and uid may connect ((uid_t)-1: nobody else).
 *
 * Returns NULL with errno set when the counters' memory cannot be had.
 */
struct esp_server *esp_server_new(struct loop *loop, struct rng *rng, int fd,
				  uid_t uid);

/* Stop and free everything: SAs are wiped, descriptors closed. */
void esp_server_free(struct esp_server *s);

#endif
