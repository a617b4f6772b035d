/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/fdstore.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"

/* One descriptor that came with the start. */
struct kept {
	char name[FDSTORE_NAME_MAX + 1];
	int fd;
	struct kept *next;
};

struct fdstore {
	int sock; /* to the manager, -1 without one */
	struct sockaddr_un to;
	socklen_t to_len;
	int64_t watchdog_us;
	bool stuck; /* the manager did not read in time: not waited for again */
	struct kept *kept; /* a list: names may repeat */
};

/* A decimal number of the environment, or -1. */
static long env_number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long value;

	if (!text || !isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	value = strtol(text, &end, 10);
	if (errno || *end)
		return -1;
	return value;
}

/* FDNAME= may hold no control character and no colon (sd_notify(3)). */
static bool name_fits(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len > FDSTORE_NAME_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)name[i]) || name[i] == ':')
			return false;
	return true;
}

static void keep(struct fdstore *fs, const char *name, size_t len, int fd)
{
	struct kept *k = ed_alloc(sizeof(*k));

	if (len > FDSTORE_NAME_MAX)
		len = FDSTORE_NAME_MAX;
	memcpy(k->name, name, len);
	k->fd = fd;
	k->next = fs->kept;
	fs->kept = k;
}

/* LISTEN_FDS descriptors from 3 on, named by LISTEN_FDNAMES (colon-separated). */
static void take_in(struct fdstore *fs)
{
	long count = env_number("LISTEN_FDS");
	const char *names = getenv("LISTEN_FDNAMES");

	if (env_number("LISTEN_PID") != (long)getpid() || count <= 0)
		return;
	if (count > FDSTORE_MAX) {
		ed_warn("fdstore", "%ld descriptors passed, taking the first %d", count,
			FDSTORE_MAX);
		count = FDSTORE_MAX;
	}
	for (int fd = FDSTORE_FIRST_FD; fd < FDSTORE_FIRST_FD + (int)count; fd++) {
		size_t len = names ? strcspn(names, ":") : 0;
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0) {
			(void)fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
			keep(fs, names ? names : "", len, fd);
		}
		if (names)
			names = names[len] ? names + len + 1 : NULL;
	}
}

/* A path, or with a leading @ a name in the abstract space. */
static void connect_manager(struct fdstore *fs)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	struct timeval wait = {.tv_usec = FDSTORE_WAIT_MS * 1000};

	if (len < 2 || (path[0] != '/' && path[0] != '@') ||
	    len >= sizeof(fs->to.sun_path))
		return;
	fs->to.sun_family = AF_UNIX;
	memcpy(fs->to.sun_path, path, len);
	if (path[0] == '@')
		fs->to.sun_path[0] = '\0';
	fs->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	fs->sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Its queue holds ten messages; a start has more to say at once. */
	if (fs->sock >= 0)
		(void)setsockopt(fs->sock, SOL_SOCKET, SO_SNDTIMEO, &wait,
				 sizeof(wait));
	else
		ed_warn("fdstore", "no socket to the service manager: %s",
			strerror(errno));
}

struct fdstore *fdstore_new(void)
{
	struct fdstore *fs = ed_alloc(sizeof(*fs));
	long pid = env_number("WATCHDOG_PID");
	long usec = env_number("WATCHDOG_USEC");

	fs->sock = -1;
	take_in(fs);
	connect_manager(fs);
	if (usec > 0 && (pid < 0 || pid == (long)getpid()))
		fs->watchdog_us = usec;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	return fs;
}

void fdstore_free(struct fdstore *fs)
{
	struct kept *k;

	if (!fs)
		return;
	while ((k = fs->kept) != NULL) {
		fs->kept = k->next;
		close(k->fd);
		free(k);
	}
	if (fs->sock >= 0)
		close(fs->sock);
	free(fs);
}

int fdstore_take(struct fdstore *fs, const char *name)
{
	for (struct kept **at = &fs->kept; *at; at = &(*at)->next) {
		struct kept *k = *at;
		int fd;

		if (strcmp(k->name, name) != 0)
			continue;
		fd = k->fd;
		*at = k->next;
		free(k);
		return fd;
	}
	return -ENOENT;
}

void fdstore_take_each(struct fdstore *fs, const char *prefix,
		       bool (*take)(void *ctx, const char *name, int fd), void *ctx)
{
	struct kept **at = &fs->kept;

	/* Ends: each round removes the element or moves to the next. */
	while (*at) {
		struct kept *k = *at;

		if (strncmp(k->name, prefix, strlen(prefix)) != 0 ||
		    !take(ctx, k->name, k->fd)) {
			at = &k->next;
			continue;
		}
		*at = k->next;
		free(k);
	}
}

/* One datagram to the manager, with fd as SCM_RIGHTS unless it is -1. */
static int notify(struct fdstore *fs, const char *text, int fd)
{
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	union {
		const char *in;
		void *out;
	} base = {.in = text};
	struct iovec iov = {.iov_base = base.out, .iov_len = strlen(text)};
	struct msghdr msg = {
		.msg_name = &fs->to,
		.msg_namelen = fs->to_len,
		.msg_iov = &iov,
		.msg_iovlen = 1,
	};
	ssize_t n;

	if (fs->sock < 0)
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
		n = sendmsg(fs->sock, &msg,
			    MSG_NOSIGNAL | (fs->stuck ? MSG_DONTWAIT : 0));
	} while (n < 0 && errno == EINTR);
	fs->stuck = n < 0 && errno == EAGAIN;
	return n < 0 ? -errno : 0;
}

static void tell(struct fdstore *fs, const char *text)
{
	int err = notify(fs, text, -1);

	if (err < 0 && err != -ENOTCONN)
		ed_warn("fdstore", "service manager not told \"%.*s\": %s",
			(int)strcspn(text, "\n"), text, strerror(-err));
}

int fdstore_put(struct fdstore *fs, const char *name, int fd)
{
	char text[FDSTORE_NAME_MAX + 64];
	int err;

	if (!name_fits(name) || fd < 0)
		return -EINVAL;
	if (fs->sock < 0)
		return -ENOTCONN;
	/* FDPOLL=0: a TUN or a socket with a pending error is still worth keeping. */
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	err = notify(fs, text, fd);
	if (err < 0)
		ed_warn("fdstore", "%s is not kept over a restart: %s", name,
			strerror(-err));
	return err;
}

void fdstore_remove(struct fdstore *fs, const char *name)
{
	char text[FDSTORE_NAME_MAX + 64];

	if (!name_fits(name))
		return;
	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	tell(fs, text);
}

unsigned int fdstore_drop_unclaimed(struct fdstore *fs)
{
	unsigned int n = 0;
	struct kept *k;

	while ((k = fs->kept) != NULL) {
		ed_info("fdstore", "%s was kept for a use that is gone: closed",
			name_fits(k->name) ? k->name : "a descriptor");
		fdstore_remove(fs, k->name);
		fs->kept = k->next;
		close(k->fd);
		free(k);
		n++;
	}
	return n;
}

void fdstore_ready(struct fdstore *fs)
{
	tell(fs, "READY=1");
}

void fdstore_reloading(struct fdstore *fs)
{
	char text[96];
	struct timespec ts;

	/* systemd 253 and later want the time with it (Type=notify-reload). */
	clock_gettime(CLOCK_MONOTONIC, &ts);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld",
		 (long long)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
	tell(fs, text);
}

void fdstore_stopping(struct fdstore *fs)
{
	tell(fs, "STOPPING=1");
}

void fdstore_status(struct fdstore *fs, const char *fmt, ...)
{
	char text[256] = "STATUS=";
	size_t at = strlen(text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text + at, sizeof(text) - at, fmt, ap);
	va_end(ap);
	tell(fs, text);
}

void fdstore_watchdog(struct fdstore *fs)
{
	tell(fs, "WATCHDOG=1");
}

int64_t fdstore_watchdog_us(const struct fdstore *fs)
{
	return fs->watchdog_us;
}
