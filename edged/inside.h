/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inside - the inside addresses that peers gave us, kept over restarts
 *
 * A peer that we call hands out the inside pair of a tunnel when it comes up. The
 * leak guard, the BGP session and the interface of a tunnel that is down rest on
 * that pair too, so that a restart must not forget it. STATE/inside is text,
 * `LOCAL PEER TUNNEL` a line, one line for each family. What callers have comes
 * from slots, what the file gives from the configuration.
 */
#ifndef ED_EDGED_INSIDE_H
#define ED_EDGED_INSIDE_H

#include <stdbool.h>

struct inside;
struct tunnel_inside;

/* Read path; a missing or unreadable file is an empty one (with a warning). */
struct inside *inside_open(const char *path);

/* Free; NULL is allowed. The file stays. */
void inside_free(struct inside *in);

/* The pairs of a tunnel, one for each family, in *ret. False when none is known. */
bool inside_find(const struct inside *in, const char *tunnel,
		 struct tunnel_inside *ret);

/*
 * Note the pairs of a tunnel, one for each family, and write the file when that is
 * news. A disk that takes no writes costs a warning: they hold until the restart.
 */
void inside_note(struct inside *in, const char *tunnel,
		 const struct tunnel_inside *pair);

/* The tunnel is gone for good. */
void inside_forget(struct inside *in, const char *tunnel);

#endif
