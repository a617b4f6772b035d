/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/notify.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"

enum { STATUS_MAX = 256 };

struct notify {
	int sock; /* -1 without a manager */
	struct sockaddr_un to;
	socklen_t to_len;
	int64_t watchdog_us;
	bool stuck; /* the manager did not read in time: not waited for again */
	struct loop *loop;
	struct loop_timer timer;
};

static int64_t env_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long long value;

	if (!text || !isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	value = strtoll(text, &end, 10);
	return errno || *end ? -1 : value;
}

/* A path, or with a leading @ a name in the abstract space. */
static void find_manager(struct notify *n)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	struct timeval wait = {.tv_usec = NOTIFY_WAIT_MS * 1000};

	if (len < 2 || (path[0] != '/' && path[0] != '@') ||
	    len >= sizeof(n->to.sun_path))
		return;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, path, len);
	if (path[0] == '@')
		n->to.sun_path[0] = '\0';
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	n->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Its queue holds ten messages; a start may have more to say at once. */
	if (n->sock >= 0)
		(void)setsockopt(n->sock, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	else
		ed_warn("notify", "no socket to the service manager: %s",
			strerror(errno));
}

struct notify *notify_new(void)
{
	struct notify *n = ed_alloc(sizeof(*n));
	int64_t pid = env_number("WATCHDOG_PID");
	int64_t us = env_number("WATCHDOG_USEC");

	n->sock = -1;
	find_manager(n);
	if (n->sock >= 0 && us > 0 && (pid < 0 || pid == getpid()))
		n->watchdog_us = us;
	(void)unsetenv("NOTIFY_SOCKET");
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
	return n;
}

void notify_free(struct notify *n)
{
	if (!n)
		return;
	loop_timer_stop(&n->timer);
	if (n->sock >= 0)
		close(n->sock);
	free(n);
}

int notify_send(struct notify *n, const char *state, int fd)
{
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	union {
		const char *in;
		void *out;
	} base = {.in = state};
	struct iovec iov = {.iov_base = base.out, .iov_len = strlen(state)};
	struct msghdr msg = {
		.msg_name = &n->to,
		.msg_namelen = n->to_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t sent;

	if (n->sock < 0)
		return -ENOTCONN;
	if (fd >= 0) {
		struct cmsghdr *c;

		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do {
		sent = sendmsg(n->sock, &msg,
			       MSG_NOSIGNAL | (n->stuck ? MSG_DONTWAIT : 0));
	} while (sent < 0 && errno == EINTR);
	n->stuck = sent < 0 && errno == EAGAIN;
	return sent < 0 ? -errno : 0;
}

static void tell(struct notify *n, const char *state)
{
	int err = notify_send(n, state, -1);

	if (err < 0 && err != -ENOTCONN)
		ed_warn("notify", "service manager not told \"%.*s\": %s",
			(int)strcspn(state, "\n"), state, strerror(-err));
}

static void on_watchdog(void *ctx, struct mono now)
{
	struct notify *n = ctx;

	tell(n, "WATCHDOG=1");
	loop_timer_at(n->loop, &n->timer, mono_add_us(now, n->watchdog_us / 3),
		      on_watchdog, n);
}

void notify_ready(struct notify *n, struct loop *loop)
{
	int tries = NOTIFY_READY_TRIES;

	while (notify_send(n, "READY=1", -1) == -EAGAIN && --tries > 0)
		n->stuck = false;
	n->loop = loop;
	if (n->watchdog_us > 0)
		on_watchdog(n, loop_now(loop));
}

void notify_reloading(struct notify *n)
{
	char text[96];

	/* systemd 253 and later want the time with it (Type=notify-reload). */
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)mono_now().us);
	tell(n, text);
}

void notify_reloaded(struct notify *n)
{
	tell(n, "READY=1");
}

void notify_stopping(struct notify *n)
{
	tell(n, "STOPPING=1");
}

void notify_status(struct notify *n, const char *fmt, ...)
{
	char text[STATUS_MAX] = "STATUS=";
	size_t used = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text + used, sizeof(text) - used, fmt, ap);
	va_end(ap);
	tell(n, text);
}

int64_t notify_watchdog_us(const struct notify *n)
{
	return n->watchdog_us;
}
