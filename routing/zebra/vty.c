/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/zebra/vty.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/loop.h"

enum {
	END_LEN = 4, /* three NULs and the status */
	READ_LEN = 16384,
	READ_BURST = 16,
};

/* "enable" comes first: a session begins where little may be seen. */
enum step { STEP_ENABLE = 1, STEP_COMMAND };

struct vty {
	struct loop *loop;
	struct loop_io io;
	struct loop_timer timer;
	vty_done done;
	void *ctx;
	char *command;
	size_t max;
	enum step step;
	int fd;
	int failed; /* told from the loop: 0, or why it was not even asked */
	char *in;
	size_t len;
	size_t cap;
};

void vty_cancel(struct vty *v)
{
	if (!v)
		return;
	loop_io_stop(&v->io);
	loop_timer_stop(&v->timer);
	if (v->fd >= 0)
		close(v->fd);
	free(v->command);
	free(v->in);
	free(v);
}

static void finish(struct vty *v, int status)
{
	vty_done done = v->done;
	void *ctx = v->ctx;
	char *text = v->in;
	size_t len = v->len;

	v->in = NULL;
	vty_cancel(v);
	if (!text)
		text = ed_strdup("");
	text[len] = '\0';
	done(ctx, status, text, len);
	free(text);
}

static int say(struct vty *v, const char *line)
{
	size_t len = strlen(line) + 1;
	ssize_t n = send(v->fd, line, len, MSG_NOSIGNAL);

	/* A socket just opened takes a line whole, or something is very wrong. */
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* Where the answer's text ends; NULL while its end has not come whole. */
static const char *end_of(const struct vty *v)
{
	const char *end = memchr(v->in, '\0', v->len);

	return end && (size_t)(end - v->in) + END_LEN <= v->len ? end : NULL;
}

/* True when the object is gone. */
static bool take(struct vty *v)
{
	const char *end = end_of(v);
	int status;
	int err;

	if (!end) {
		if (v->len <= v->max)
			return false;
		v->len = 0;
		finish(v, -EMSGSIZE);
		return true;
	}
	status = (uint8_t)end[END_LEN - 1];
	v->len = (size_t)(end - v->in);
	if (v->step == STEP_COMMAND || status) {
		finish(v, status);
		return true;
	}
	v->step = STEP_COMMAND;
	v->len = 0;
	err = say(v, v->command);
	if (err)
		finish(v, err);
	return err != 0;
}

static void on_readable(void *ctx, int fd, unsigned int events)
{
	struct vty *v = ctx;

	(void)events;
	for (int i = 0; i < READ_BURST; i++) {
		ssize_t n;

		/* One byte more than is read: finish() ends the text. */
		if (v->cap < v->len + READ_LEN + 1) {
			v->cap = v->cap * 2 + READ_LEN + 1;
			v->in = ed_realloc(v->in, v->cap, 1);
		}
		n = recv(fd, v->in + v->len, READ_LEN, 0);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			int err = n ? -errno : -ECONNRESET;

			v->len = 0;
			finish(v, err);
			return;
		}
		v->len += (size_t)n;
		if (take(v))
			return;
	}
}

static void on_timer(void *ctx, struct mono now)
{
	struct vty *v = ctx;

	(void)now;
	v->len = 0;
	finish(v, v->failed ? v->failed : -ETIMEDOUT);
}

static int begin(struct vty *v, const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	v->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (v->fd < 0 || connect(v->fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		return -errno;
	return say(v, "enable");
}

struct vty *vty_ask(struct loop *loop, const struct vty_spec *spec, vty_done done,
		    void *ctx)
{
	struct vty *v = ed_alloc(sizeof(*v));
	struct mono at = loop_now(loop);

	v->loop = loop;
	v->done = done;
	v->ctx = ctx;
	v->max = spec->output_max;
	v->step = STEP_ENABLE;
	v->fd = -1;
	v->command = ed_strdup(spec->command);
	v->failed = begin(v, spec->path);
	if (!v->failed) {
		loop_io_start(loop, &v->io, v->fd, LOOP_READ, on_readable, v);
		at = mono_add_ms(at, spec->timeout_ms);
	}
	loop_timer_at(loop, &v->timer, at, on_timer, v);
	return v;
}
