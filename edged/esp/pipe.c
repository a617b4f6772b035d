/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/esp/pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/secret.h"

enum { FDS_MAX = 8 }; /* of one packet: all but the first are closed */

struct esp_item {
	struct esp_item *next;
	int fd; /* its own, -1 for none */
	size_t len;
	uint8_t bytes[];
};

void esp_queue_push(struct esp_queue *q, const void *a, size_t a_len, const void *b,
		    size_t b_len, int fd)
{
	struct esp_item *it = ed_alloc(sizeof(*it) + a_len + b_len);

	it->fd = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 3);
	it->len = a_len + b_len;
	memcpy(it->bytes, a, a_len);
	if (b_len)
		memcpy(it->bytes + a_len, b, b_len);
	if (q->tail)
		q->tail->next = it;
	else
		q->head = it;
	q->tail = it;
	q->n++;
	q->bytes += it->len;
}

void esp_queue_pop(struct esp_queue *q)
{
	struct esp_item *it = q->head;

	q->head = it->next;
	if (!q->head)
		q->tail = NULL;
	q->n--;
	q->bytes -= it->len;
	if (it->fd >= 0)
		close(it->fd);
	secret_wipe(it->bytes, it->len);
	free(it);
}

void esp_queue_clear(struct esp_queue *q)
{
	while (q->head)
		esp_queue_pop(q);
}

int esp_queue_send(struct esp_queue *q, int sock)
{
	const struct esp_item *it = q->head;
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {.buf = {0}};
	struct iovec iov = {(void *)(uintptr_t)it->bytes, it->len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};

	if (it->fd >= 0) {
		mh.msg_control = control.buf;
		mh.msg_controllen = sizeof(control.buf);
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		control.hdr.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.hdr), &it->fd, sizeof(int));
	}
	if (sendmsg(sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	esp_queue_pop(q);
	return 0;
}

static int take_fd(struct msghdr *mh)
{
	int kept = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (kept < 0)
				kept = fd;
			else
				close(fd);
		}
	}
	return kept;
}

ssize_t esp_pipe_recv(int sock, void *buf, size_t cap, int *ret_fd)
{
	union {
		struct cmsghdr hdr;
		char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {buf, cap};
	struct msghdr mh = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t got = recvmsg(sock, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	int fd;

	if (got < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	fd = take_fd(&mh);
	if (got > 0 && !(mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		*ret_fd = fd;
		return got;
	}
	if (fd >= 0)
		close(fd);
	return got ? -EBADMSG : -ECONNRESET;
}
