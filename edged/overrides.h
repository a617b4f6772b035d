/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * overrides - what the operator ordered by hand, kept over restart and reboot
 *
 * STATE/overrides is text, `uplink NAME down` a line. An uplink that is not
 * configured (any more) keeps its line: it may come back with the next file.
 */
#ifndef ED_EDGED_OVERRIDES_H
#define ED_EDGED_OVERRIDES_H

#include <stdbool.h>

struct overrides;

/* Read path; a missing or unreadable file is an empty one (with a warning). */
struct overrides *overrides_open(const char *path);

/* Free; NULL is allowed. The file stays. */
void overrides_free(struct overrides *o);

/* True when the operator took that uplink down. */
bool overrides_uplink_down(const struct overrides *o, const char *name);

/*
 * Note an order and write the file.
 *
 * Returns 0, or a negative errno when it could not be written: the order then
 * holds until the next restart.
 */
int overrides_set_uplink(struct overrides *o, const char *name, bool down);

#endif
