/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/ctl/files.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/secret.h"

#define SERVICE_USER "edged"

void ctl_file_fini(struct ctl_file *f)
{
	if (f->staged)
		unlink(f->staged);
	if (f->bytes)
		secret_wipe(f->bytes, f->len);
	free(f->staged);
	free(f->bytes);
	free(f->path);
	free(f->real);
	*f = (struct ctl_file){0};
}

static int read_all(int fd, struct ctl_file *f, size_t max)
{
	size_t size = (size_t)f->st.st_size;

	if (size > max)
		return -EFBIG;
	/* One byte more than there should be: whoever writes now is noticed. */
	f->bytes = ed_array(size + 2, 1);
	while (f->len <= size) {
		ssize_t n = read(fd, f->bytes + f->len, size + 1 - f->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		f->len += (size_t)n;
	}
	return f->len == size ? 0 : -ESTALE;
}

int ctl_file_read(struct ctl_file *f, const char *path, size_t max)
{
	char real[PATH_MAX];
	int fd;
	int err;

	*f = (struct ctl_file){.path = ed_strdup(path), .secret = f->secret};
	f->real = ed_strdup(realpath(path, real) ? real : path);
	fd = open(f->real, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fstat(fd, &f->st) < 0)
		err = -errno;
	else if (!S_ISREG(f->st.st_mode))
		err = -EINVAL;
	else
		err = read_all(fd, f, max);
	close(fd);
	f->there = true;
	return err;
}

/* Owner, group and mode of the file that fd is to replace. */
static int take_after(int fd, const struct ctl_file *f)
{
	const struct passwd *pw = getpwnam(SERVICE_USER);
	uid_t uid = geteuid();
	gid_t gid = getegid();
	mode_t mode = 0600;

	if (f->there) {
		uid = f->st.st_uid;
		gid = f->st.st_gid;
		mode = f->st.st_mode & 07777;
	} else if (uid == 0 && pw) {
		uid = f->secret ? pw->pw_uid : 0;
		gid = pw->pw_gid;
		mode = f->secret ? 0600 : 0640;
	}
	if ((uid != geteuid() || gid != getegid()) && fchown(fd, uid, gid) < 0)
		return -errno;
	return fchmod(fd, mode) < 0 ? -errno : 0;
}

static int write_all(int fd, const char *bytes, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(fd, bytes + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		done += (size_t)n;
	}
	return fsync(fd) < 0 ? -errno : 0;
}

int ctl_file_stage(struct ctl_file *f, const char *bytes, size_t len)
{
	int fd;
	int err;

	if (f->staged)
		unlink(f->staged);
	free(f->staged);
	f->staged = ed_asprintf("%s.XXXXXX", f->real);
	fd = mkostemp(f->staged, O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		free(f->staged);
		f->staged = NULL;
		return err;
	}
	err = write_all(fd, bytes, len);
	if (err == 0)
		err = take_after(fd, f);
	close(fd);
	return err;
}

static void sync_folder(const char *path)
{
	char *copy = ed_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0) {
		(void)fsync(fd);
		close(fd);
	}
	free(copy);
}

/* True when the file is still the one that was read. */
static bool unchanged(const struct ctl_file *f)
{
	struct stat st;

	return stat(f->real, &st) == 0 && st.st_dev == f->st.st_dev &&
	       st.st_ino == f->st.st_ino && st.st_size == f->st.st_size &&
	       st.st_mtim.tv_sec == f->st.st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == f->st.st_mtim.tv_nsec;
}

int ctl_file_commit(struct ctl_file *f)
{
	if (f->there && !unchanged(f))
		return -ESTALE;
	/* A new file must not replace one that came meanwhile: link() refuses. */
	if (f->there ? rename(f->staged, f->real) < 0 : link(f->staged, f->real) < 0)
		return -errno;
	if (!f->there)
		unlink(f->staged);
	free(f->staged);
	f->staged = NULL;
	sync_folder(f->real);
	return 0;
}

/* Undo a commit. */
static void restore(struct ctl_file *f)
{
	if (!f->there)
		unlink(f->real);
	else if (ctl_file_stage(f, f->bytes, f->len) == 0 &&
		 rename(f->staged, f->real) == 0)
		*f->staged = '\0';
	sync_folder(f->real);
}

int ctl_file_commit_pair(struct ctl_file *first, struct ctl_file *second,
			 const char **failed)
{
	int err = ctl_file_commit(first);

	*failed = first->path;
	if (err < 0)
		return err;
	err = ctl_file_commit(second);
	if (err < 0) {
		*failed = second->path;
		restore(first);
	}
	return err;
}

const char *ctl_file_error(int err)
{
	switch (err) {
	case -EFBIG:
		return "the file is too large";
	case -EINVAL:
		return "this is not a regular file";
	case -ESTALE:
		return "somebody else has changed it meanwhile: try again";
	}
	return strerror(-err);
}
