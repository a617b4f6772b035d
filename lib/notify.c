/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/notify.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/loop.h"

enum { STATUS_MAX = 256 };

struct notify {
	int sock; /* -1 without a manager */
	struct sockaddr_un to;
	socklen_t to_len;
	int64_t watchdog_us;
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

	if (len < 2 || (path[0] != '/' && path[0] != '@') ||
	    len >= sizeof(n->to.sun_path))
		return;
	n->to.sun_family = AF_UNIX;
	memcpy(n->to.sun_path, path, len);
	if (path[0] == '@')
		n->to.sun_path[0] = '\0';
	n->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	n->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
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

/* What a manager with a full queue does not take now is said again or was old. */
static void tell(const struct notify *n, const char *state)
{
	if (n->sock >= 0)
		(void)sendto(n->sock, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
			     (const struct sockaddr *)&n->to, n->to_len);
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
	/* Waited for: a start whose READY=1 gets lost fails. */
	if (n->sock >= 0)
		(void)sendto(n->sock, "READY=1", strlen("READY=1"), MSG_NOSIGNAL,
			     (const struct sockaddr *)&n->to, n->to_len);
	n->loop = loop;
	if (n->watchdog_us > 0)
		on_watchdog(n, loop_now(loop));
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
