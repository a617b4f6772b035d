/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * files - changing configuration files so that nothing is ever half done
 *
 * A file is read, its successor is written beside it under a name of its own
 * (staged), judged there, and then takes the place of the old one in one step.
 * Owner, group and mode stay. A link is followed: what it leads to is replaced.
 * A file that somebody else changed in the meantime is not.
 */
#ifndef ED_EDGED_CTL_FILES_H
#define ED_EDGED_CTL_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

struct ctl_file {
	char *path; /* as it was named */
	char *real; /* without links */
	bool secret; /* a new one is nobody else's to read */
	bool there;
	struct stat st; /* as it was read */
	char *bytes; /* NULL when it is not there */
	size_t len;
	char *staged; /* the successor's name, NULL: none */
};

/* A file with secrets is wiped from memory by ctl_file_fini(). */
void ctl_file_fini(struct ctl_file *f);

/*
 * Read path, at most max bytes. A file that is not there is read, too: there false.
 *
 * Returns 0, or a negative errno (-EFBIG: too large; -EINVAL: no regular file).
 */
int ctl_file_read(struct ctl_file *f, const char *path, size_t max);

/*
 * Write the successor. A file that was there keeps owner, group and mode. A new one,
 * where we are root and there is a user edged, is root:edged 0640, or edged:edged 0600
 * with secrets in it (group edged are those who may look); elsewhere ours alone.
 *
 * Returns 0, or a negative errno.
 */
int ctl_file_stage(struct ctl_file *f, const char *bytes, size_t len);

/*
 * Put the successor in its place.
 *
 * Returns 0, -EEXIST when a new file is there by now, -ESTALE when the old one was
 * changed meanwhile, or another negative errno. The old file is untouched then.
 */
int ctl_file_commit(struct ctl_file *f);

/*
 * Commit both or none: when the second fails, the first becomes what it was.
 *
 * Returns 0, or a negative errno with *failed the path of the one that failed.
 */
int ctl_file_commit_pair(struct ctl_file *first, struct ctl_file *second,
			 const char **failed);

/* What a negative errno of these calls means, for a message. */
const char *ctl_file_error(int err);

#endif
