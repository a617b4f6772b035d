/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * savefile - small state files that are whole or not there
 *
 * A file is written under a temporary name beside it, flushed and renamed, so
 * that a crash or a full disk leaves the former content. Used for slots,
 * overrides and saved IKE SAs.
 */
#ifndef ED_EDGED_SAVEFILE_H
#define ED_EDGED_SAVEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Replace path by len bytes of data, mode as given whatever the umask is.
 * durable flushes to the disk first; not wanted below /run, which is memory.
 *
 * Returns 0 or a negative errno; the former file then stands.
 */
int savefile_write(const char *path, const void *data, size_t len, mode_t mode,
		   bool durable);

/*
 * Read a whole file of at most max bytes into *ret (one NUL byte more than
 * *ret_len, so that text can be used as such; the caller frees it).
 *
 * Returns 0, -EFBIG for a longer one, -EISDIR or another errno of open(2).
 */
int savefile_read(const char *path, size_t max, uint8_t **ret, size_t *ret_len);

#endif
