/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/secret.h"

enum { GZIP_HEADER = 16 }; /* zlib: more than a window's bits */

struct files {
	size_t n;
	struct file v[FILES_MAX];
};

static const struct {
	const char *ending;
	const char *type;
} types[] = {
	{".html", "text/html; charset=utf-8"},
	{".js", "text/javascript; charset=utf-8"},
	{".css", "text/css; charset=utf-8"},
	{".svg", "image/svg+xml"},
	{".png", "image/png"},
	{".ico", "image/x-icon"},
	{".json", "application/json"},
	{".txt", "text/plain; charset=utf-8"},
};

static const char *type_of(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot || name[0] == '.' ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			 "0123456789._-") != strlen(name))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(dot, types[i].ending) == 0)
			return types[i].type;
	return NULL;
}

static int read_file(int folder, const char *name, char **ret, size_t *ret_len)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *bytes;
	size_t len = 0;
	ssize_t n;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EINVAL;
	else if (st.st_size > FILES_BYTES_MAX)
		err = -EFBIG;
	if (err < 0) {
		close(fd);
		return err;
	}
	bytes = ed_alloc((size_t)st.st_size + 1);
	/* Ends: each round reads at least a byte, up to the size it had. */
	while (len < (size_t)st.st_size &&
	       (n = read(fd, bytes + len, (size_t)st.st_size - len)) > 0)
		len += (size_t)n;
	close(fd);
	*ret = bytes;
	*ret_len = len;
	return 0;
}

static void make_tag(const char *bytes, size_t len, const char *kind,
		     char tag[FILES_TAG_MAX])
{
	uint8_t digest[SECRET_DIGEST_LEN];
	char hex[33];

	secret_digest(bytes, len, digest);
	for (size_t i = 0; i < 16; i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
	snprintf(tag, FILES_TAG_MAX, "\"%s%s\"", hex, kind);
}

/* Its packed twin, where that is smaller. */
static void pack(struct file *file)
{
	z_stream z = {.next_in = (Bytef *)file->bytes, .avail_in = (uInt)file->len};
	uLong room;

	if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, MAX_WBITS + GZIP_HEADER,
			 MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return;
	room = deflateBound(&z, (uLong)file->len);
	file->gzip = ed_alloc(room);
	z.next_out = (Bytef *)file->gzip;
	z.avail_out = (uInt)room;
	if (deflate(&z, Z_FINISH) == Z_STREAM_END && z.total_out < file->len) {
		file->gzip_len = z.total_out;
		file->gzip = ed_realloc(file->gzip, file->gzip_len, 1);
		make_tag(file->gzip, file->gzip_len, "-gz", file->gzip_tag);
	} else {
		free(file->gzip);
		file->gzip = NULL;
	}
	deflateEnd(&z);
}

static void add(struct files *f, int folder, const char *name, const char *type)
{
	struct file *file = &f->v[f->n];
	int err = read_file(folder, name, &file->bytes, &file->len);

	if (err < 0) {
		ed_warn("files", "%s is left out: %s", name, strerror(-err));
		return;
	}
	make_tag(file->bytes, file->len, "", file->tag);
	file->name = ed_strdup(name);
	file->type = type;
	pack(file);
	f->n++;
}

int files_new(const char *folder, struct files **ret)
{
	DIR *dir = opendir(folder);
	const struct dirent *e;
	struct files *f;

	if (!dir)
		return -errno;
	f = ed_alloc(sizeof(*f));
	while ((e = readdir(dir))) {
		const char *type = type_of(e->d_name);

		if (!type)
			continue;
		if (f->n == FILES_MAX) {
			ed_warn("files", "%s has more than %d files: %s is left out",
				folder, FILES_MAX, e->d_name);
			continue;
		}
		add(f, dirfd(dir), e->d_name, type);
	}
	closedir(dir);
	*ret = f;
	return 0;
}

void files_free(struct files *f)
{
	for (size_t i = 0; f && i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].bytes);
		free(f->v[i].gzip);
	}
	free(f);
}

const struct file *files_find(const struct files *f, const char *path)
{
	const char *name = strcmp(path, "/") == 0 ? "/index.html" : path;

	for (size_t i = 0; *name == '/' && i < f->n; i++)
		if (strcmp(f->v[i].name, name + 1) == 0)
			return &f->v[i];
	return NULL;
}
