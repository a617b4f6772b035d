/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * files - the page's files, read into memory once at the start
 *
 * The folder is flat. A request is looked up in the table by its name; no path that
 * somebody sent ever reaches the file system. Only names of a-z A-Z 0-9 . _ - with
 * a known ending are taken. Each has a packed twin, for uplinks that are slow.
 */
#ifndef ED_WEBUI_FILES_H
#define ED_WEBUI_FILES_H

#include <stddef.h>

enum files_limits {
	FILES_MAX = 64,
	FILES_BYTES_MAX = 4 * 1024 * 1024, /* of one file */
	FILES_TAG_MAX = 40,
};

struct files;

struct file {
	char *name; /* "app.js" */
	const char *type; /* of its content */
	char tag[FILES_TAG_MAX]; /* ETag, in its quotes */
	char *bytes;
	size_t len;
	char gzip_tag[FILES_TAG_MAX];
	char *gzip; /* NULL: it would not be smaller */
	size_t gzip_len;
};

/*
 * Read a folder. What cannot be taken is left out with a line in the log.
 *
 * Returns 0 with *ret for files_free(), or what opening the folder said.
 */
int files_new(const char *folder, struct files **ret);
void files_free(struct files *f);

/* The file of a path: "/" is index.html, "/NAME" is NAME. NULL: there is none. */
const struct file *files_find(const struct files *f, const char *path);

#endif
