/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * savefile - small state files that are whole or not there
 *
 * A file is written under a temporary name beside it, flushed and renamed, so
 * that a crash or a full disk leaves the former content. Used for slots,
 * overrides, inside addresses and saved IKE SAs.
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
 * The same for what must not come back older than it is: on an error the former
 * file is removed, too.
 */
int savefile_write_fresh(const char *path, const void *data, size_t len, mode_t mode,
			 bool durable);

/*
 * Read a whole file of at most max bytes into *ret (one NUL byte more than
 * *ret_len, so that text can be used as such; the caller frees it).
 *
 * Returns 0, -EFBIG for a longer one, -EISDIR or another errno of open(2).
 */
int savefile_read(const char *path, size_t max, uint8_t **ret, size_t *ret_len);

/* The last line of a file of lines: without it something is missing. */
#define SAVEFILE_END "# end\n"

/* What is wrong with a file of lines. */
struct savefile_damage {
	unsigned int bad; /* lines that were not taken */
	unsigned int first; /* the first of them, from 1 */
	bool cut; /* its end is missing */
};

/*
 * Read a file of lines of at most max bytes: each that is neither empty nor a
 * comment goes to take(), which says whether it is a good one. What is wrong is
 * left in *damage; one sentence about it is the caller's to log.
 *
 * Returns as savefile_read(); the lines of a damaged file were taken all the same.
 */
int savefile_read_lines(const char *path, size_t max,
			bool (*take)(void *ctx, const char *line), void *ctx,
			struct savefile_damage *damage);

/* "line 3 and 12 more make no sense, its end is missing" into buf; "" for none. */
const char *savefile_damage_text(const struct savefile_damage *d, char *buf,
				 size_t size);

#endif
