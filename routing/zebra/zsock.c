/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/zebra/zsock.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"

enum {
	IN_SIZE = 1 << 18, /* more than the longest message */
	OUT_MAX = 1 << 28, /* a zebra that reads nothing is given up */
	RETRY_MIN_US = 200 * 1000,
	RETRY_MAX_US = 2 * 1000 * 1000,
	READ_BURST = 16,
};

struct zsock {
	struct loop *loop;
	struct zsock_ops ops;
	void *ctx;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	int fd;
	struct loop_io reader;
	struct loop_io writer;
	struct loop_timer retry;
	int64_t retry_us;
	uint8_t in[IN_SIZE];
	size_t in_len;
	uint8_t *out;
	size_t out_len, out_done, out_cap;
	bool told; /* that there is no zebra */
};

static void try_connect(struct zsock *z);

static void on_retry(void *ctx, struct mono now)
{
	(void)now;
	try_connect(ctx);
}

static void retry_later(struct zsock *z)
{
	loop_timer_at(z->loop, &z->retry, mono_add_us(loop_now(z->loop), z->retry_us),
		      on_retry, z);
	z->retry_us = z->retry_us * 2 > RETRY_MAX_US ? RETRY_MAX_US : z->retry_us * 2;
}

static void close_fd(struct zsock *z)
{
	loop_io_stop(&z->reader);
	loop_io_stop(&z->writer);
	if (z->fd >= 0)
		close(z->fd);
	z->fd = -1;
	z->in_len = 0;
	z->out_len = z->out_done = 0;
}

static void lose(struct zsock *z, const char *why)
{
	if (z->fd < 0)
		return;
	close_fd(z);
	ed_warn("zebra", "the connection ended: %s", why);
	z->retry_us = RETRY_MIN_US;
	retry_later(z);
	z->ops.down(z->ctx);
}

static void flush(struct zsock *z);

static void on_writable(void *ctx, int fd, unsigned int events)
{
	(void)fd;
	(void)events;
	flush(ctx);
}

static void flush(struct zsock *z)
{
	while (z->fd >= 0 && z->out_done < z->out_len) {
		ssize_t n = send(z->fd, z->out + z->out_done, z->out_len - z->out_done,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN) {
			if (!loop_io_active(&z->writer))
				loop_io_start(z->loop, &z->writer, z->fd, LOOP_WRITE,
					      on_writable, z);
			return;
		}
		if (n < 0)
			return; /* the reader will see the end */
		z->out_done += (size_t)n;
	}
	z->out_len = z->out_done = 0;
	loop_io_stop(&z->writer);
}

void zsock_write(void *ctx, const void *bytes, size_t len)
{
	struct zsock *z = ctx;

	if (z->fd < 0)
		return;
	if (z->out_len + len > OUT_MAX) {
		(void)shutdown(z->fd, SHUT_RDWR);
		return;
	}
	if (z->out_len + len > z->out_cap) {
		z->out_cap = (z->out_len + len) * 2;
		z->out = ed_realloc(z->out, z->out_cap, 1);
	}
	memcpy(z->out + z->out_len, bytes, len);
	z->out_len += len;
	/* Written when the loop comes round: one write for many messages. */
	if (!loop_io_active(&z->writer))
		loop_io_start(z->loop, &z->writer, z->fd, LOOP_WRITE, on_writable, z);
}

/* Returns false when the stream makes no sense. */
static bool take_messages(struct zsock *z)
{
	static struct zc_event event;
	size_t done = 0;
	int len;

	/* Ends: each round takes a whole message. */
	while ((len = zc_frame(z->in + done, z->in_len - done)) > 0 &&
	       (size_t)len <= z->in_len - done) {
		if (zc_decode(z->in + done, (size_t)len, &event) < 0)
			return false;
		done += (size_t)len;
		if (event.type != ZC_OTHER)
			z->ops.event(z->ctx, &event);
		if (z->fd < 0)
			return true;
	}
	memmove(z->in, z->in + done, z->in_len - done);
	z->in_len -= done;
	return len >= 0;
}

static void on_readable(void *ctx, int fd, unsigned int events)
{
	struct zsock *z = ctx;

	(void)events;
	for (int i = 0; i < READ_BURST && z->fd >= 0; i++) {
		ssize_t n = recv(fd, z->in + z->in_len, sizeof(z->in) - z->in_len, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			lose(z, n ? strerror(errno) : "zebra closed it");
			return;
		}
		z->in_len += (size_t)n;
		if (!take_messages(z)) {
			lose(z, "it sent what libfrr cannot read");
			return;
		}
	}
}

static void try_connect(struct zsock *z)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	if (!z->path[0])
		return;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", z->path);
	z->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (z->fd < 0 ||
	    connect(z->fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0) {
		if (!z->told)
			ed_warn("zebra", "%s: %s; trying again", z->path,
				strerror(errno));
		z->told = true;
		close_fd(z);
		retry_later(z);
		return;
	}
	z->told = false;
	z->retry_us = RETRY_MIN_US;
	loop_io_start(z->loop, &z->reader, z->fd, LOOP_READ, on_readable, z);
	ed_info("zebra", "connected to %s", z->path);
	z->ops.up(z->ctx);
}

struct zsock *zsock_new(struct loop *loop, const struct zsock_ops *ops, void *ctx)
{
	struct zsock *z = ed_alloc(sizeof(*z));

	z->loop = loop;
	z->ops = *ops;
	z->ctx = ctx;
	z->fd = -1;
	z->retry_us = RETRY_MIN_US;
	return z;
}

void zsock_free(struct zsock *z)
{
	if (!z)
		return;
	loop_timer_stop(&z->retry);
	close_fd(z);
	free(z->out);
	free(z);
}

void zsock_set_path(struct zsock *z, const char *path)
{
	if (!strcmp(z->path, path))
		return;
	lose(z, "FRR's folder changed");
	loop_timer_stop(&z->retry);
	snprintf(z->path, sizeof(z->path), "%s", path);
	z->retry_us = RETRY_MIN_US;
	try_connect(z);
}

bool zsock_is_up(const struct zsock *z)
{
	return z->fd >= 0;
}
