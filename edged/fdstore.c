/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/fdstore.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/notify.h"

/* One descriptor that came with the start. */
struct kept {
	char name[FDSTORE_NAME_MAX + 1];
	int fd;
	struct kept *next;
};

/* A name under which the manager should have something. */
struct held {
	char name[FDSTORE_NAME_MAX + 1];
	UT_hash_handle hh;
};

struct fdstore {
	struct notify *notify; /* how the manager is told */
	struct held *held;
	long max; /* of what the manager keeps; -1: it does not say */
	bool full; /* said once, until there is room again */
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

static void note_held(struct fdstore *fs, const char *name)
{
	struct held *h;

	HASH_FIND_STR(fs->held, name, h);
	if (h)
		return;
	h = ed_alloc(sizeof(*h));
	snprintf(h->name, sizeof(h->name), "%s", name);
	HASH_ADD_STR(fs->held, name, h);
}

static void note_removed(struct fdstore *fs, const char *name)
{
	struct held *h;

	HASH_FIND_STR(fs->held, name, h);
	if (!h)
		return;
	HASH_DEL(fs->held, h);
	free(h);
	fs->full = false;
}

/* One more than the manager takes would be closed by it without a word to us. */
static bool has_room(struct fdstore *fs, const char *name)
{
	struct held *h;

	HASH_FIND_STR(fs->held, name, h);
	if (h || fs->max < 0 || HASH_COUNT(fs->held) < (unsigned long)fs->max)
		return true;
	if (!fs->full)
		ed_warn("fdstore",
			"the service manager keeps %ld descriptors and no more: %s and "
			"what comes after it is made anew in a restart of edged "
			"(FileDescriptorStoreMax= of its unit)",
			fs->max, name);
	fs->full = true;
	return false;
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
	note_held(fs, k->name);
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

struct fdstore *fdstore_new(struct notify *notify)
{
	struct fdstore *fs = ed_alloc(sizeof(*fs));

	fs->notify = notify;
	fs->max = env_number("FDSTORE");
	take_in(fs);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	unsetenv("FDSTORE");
	return fs;
}

void fdstore_free(struct fdstore *fs)
{
	struct kept *k;
	struct held *h;
	struct held *next;

	if (!fs)
		return;
	HASH_ITER (hh, fs->held, h, next) {
		HASH_DEL(fs->held, h);
		free(h);
	}
	while ((k = fs->kept) != NULL) {
		fs->kept = k->next;
		close(k->fd);
		free(k);
	}
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

int fdstore_put(struct fdstore *fs, const char *name, int fd)
{
	char text[FDSTORE_NAME_MAX + 64];
	int err;

	if (!name_fits(name) || fd < 0)
		return -EINVAL;
	if (!has_room(fs, name))
		return -ENOSPC;
	/* FDPOLL=0: a TUN or a socket with a pending error is still worth keeping. */
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	err = notify_send(fs->notify, text, fd);
	if (err < 0 && err != -ENOTCONN)
		ed_warn("fdstore", "%s is not kept over a restart: %s", name,
			strerror(-err));
	if (!err)
		note_held(fs, name);
	return err;
}

void fdstore_remove(struct fdstore *fs, const char *name)
{
	char text[FDSTORE_NAME_MAX + 64];
	int err;

	if (!name_fits(name))
		return;
	note_removed(fs, name);
	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	err = notify_send(fs->notify, text, -1);
	if (err < 0 && err != -ENOTCONN)
		ed_warn("fdstore", "%s stays in the service manager's store: %s", name,
			strerror(-err));
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
