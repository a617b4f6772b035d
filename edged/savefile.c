/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/savefile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"

static int write_all(int fd, const uint8_t *data, size_t len)
{
	/* Ends: each round writes at least one byte or returns. */
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

int savefile_write(const char *path, const void *data, size_t len, mode_t mode,
		   bool durable)
{
	char tmp[PATH_MAX];
	int err;
	int fd;

	if ((size_t)snprintf(tmp, sizeof(tmp), "%s.new", path) >= sizeof(tmp))
		return -ENAMETOOLONG;
	/* A left-over of a crash may be in the way, or a trap: never follow it. */
	if (unlink(tmp) < 0 && errno != ENOENT)
		return -errno;
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	err = fchmod(fd, mode) < 0 ? -errno : 0;
	if (!err)
		err = write_all(fd, data, len);
	if (!err && durable && fsync(fd) < 0)
		err = -errno;
	if (close(fd) < 0 && !err)
		err = -errno;
	if (!err && rename(tmp, path) < 0)
		err = -errno;
	if (err)
		(void)unlink(tmp);
	return err;
}

int savefile_write_fresh(const char *path, const void *data, size_t len, mode_t mode,
			 bool durable)
{
	int err = savefile_write(path, data, len, mode, durable);

	if (err < 0)
		(void)unlink(path);
	return err;
}

int savefile_read(const char *path, size_t max, uint8_t **ret, size_t *ret_len)
{
	struct stat st;
	uint8_t *buf = NULL;
	size_t len = 0;
	int err = 0;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0) {
		err = -errno;
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err = S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
		goto out;
	}
	if (st.st_size < 0 || (uintmax_t)st.st_size > max) {
		err = -EFBIG;
		goto out;
	}
	buf = ed_alloc((size_t)st.st_size + 1);
	/* Ends: len grows each round up to the size allocated. */
	while (len < (size_t)st.st_size) {
		ssize_t n = read(fd, buf + len, (size_t)st.st_size - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = -errno;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (err)
		goto out;
	*ret = buf;
	*ret_len = len;
	buf = NULL;
out:
	free(buf);
	close(fd);
	return err;
}

int savefile_read_lines(const char *path, size_t max,
			bool (*take)(void *ctx, const char *line), void *ctx,
			struct savefile_damage *damage)
{
	static const char end[] = SAVEFILE_END;
	uint8_t *bytes = NULL;
	unsigned int line = 0;
	size_t len = 0;
	int err = savefile_read(path, max, &bytes, &len);
	char *text = (char *)bytes;

	*damage = (struct savefile_damage){0};
	if (err < 0)
		return err;
	damage->cut = len < strlen(end) ||
		      memcmp(bytes + len - strlen(end), end, strlen(end)) != 0;
	/* Ends: at grows by at least 1. A NUL inside ends its line's text. */
	for (size_t at = 0; at < len;) {
		char *stop = memchr(text + at, '\n', len - at);
		size_t n = stop ? (size_t)(stop - (text + at)) : len - at;

		text[at + n] = '\0';
		line++;
		if (n && text[at] != '#' &&
		    (strlen(text + at) != n || !take(ctx, text + at)) &&
		    damage->bad++ == 0)
			damage->first = line;
		at += n + 1;
	}
	free(bytes);
	return 0;
}

const char *savefile_damage_text(const struct savefile_damage *d, char *buf,
				 size_t size)
{
	char others[40] = "";

	if (d->bad > 1)
		snprintf(others, sizeof(others), " and %u more make", d->bad - 1);
	buf[0] = '\0';
	if (d->bad)
		snprintf(buf, size, "line %u%s no sense%s", d->first,
			 d->bad > 1 ? others : " makes",
			 d->cut ? ", its end is missing" : "");
	else if (d->cut)
		snprintf(buf, size, "its end is missing");
	return buf;
}
