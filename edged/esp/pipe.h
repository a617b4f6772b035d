/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_pipe - packets with a descriptor over a SOCK_SEQPACKET socket, both ends
 *
 * A queue of what waits to be sent, and sending and receiving of one packet
 * with at most one descriptor (SCM_RIGHTS). Queued bytes are wiped when they
 * leave: they may be keys.
 */
#ifndef ED_EDGED_ESP_PIPE_H
#define ED_EDGED_ESP_PIPE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct esp_item;

struct esp_queue {
	struct esp_item *head;
	struct esp_item *tail;
	unsigned int n;
	size_t bytes;
};

/*
 * Append a packet made of a and b (b may be empty). fd goes along as a
 * duplicate; -1 for none.
 */
void esp_queue_push(struct esp_queue *q, const void *a, size_t a_len, const void *b,
		    size_t b_len, int fd);

/* Drop the first packet; the queue must not be empty. */
void esp_queue_pop(struct esp_queue *q);

/* Drop all. */
void esp_queue_clear(struct esp_queue *q);

/*
 * Send the first packet of q over sock and drop it.
 *
 * Returns 0, -EAGAIN (full, nothing was dropped), or a negative errno: the
 * connection is of no use any more.
 */
int esp_queue_send(struct esp_queue *q, int sock);

/*
 * Receive a packet into cap bytes at buf. A descriptor that came along goes to
 * *ret_fd (-1 for none), now the caller's; further ones are closed.
 *
 * Returns its length, -EAGAIN when there is none, -ECONNRESET when the other
 * end is gone, -EBADMSG for one longer than cap, or another negative errno.
 */
ssize_t esp_pipe_recv(int sock, void *buf, size_t cap, int *ret_fd);

#endif
