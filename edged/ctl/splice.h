/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * splice - adds one setting to a YAML file and leaves all the rest as it is
 *
 * Comments, order, quotes and line breaks of the file stay byte for byte: the
 * new lines are put between the old ones. In a block they go to its end, in { }
 * to its beginning.
 */
#ifndef ED_EDGED_CTL_SPLICE_H
#define ED_EDGED_CTL_SPLICE_H

#include <stdbool.h>
#include <stddef.h>

struct conf_report;

/*
 * The setting in both styles. block has one line or more, indented by steps of two
 * from column 0, each with its line break: "aws:\n  preset: aws\n". flow is "aws:
 * {preset: aws}".
 */
struct splice {
	const char *section; /* at the top of the file; NULL: the setting is there */
	const char *block;
	const char *flow;
};

/*
 * Add s to the len bytes of file. A section that is not there is made. A file of
 * blanks and comments is an empty one. secret: no line of the file is ever shown.
 *
 * Returns 0 with *ret for free() and its length, or -EINVAL with the reason in
 * report (what stands there is no block that something can be added to).
 */
int ctl_splice(const char *file, const char *bytes, size_t len, bool secret,
	       const struct splice *s, struct conf_report *report, char **ret,
	       size_t *ret_len);

#endif
