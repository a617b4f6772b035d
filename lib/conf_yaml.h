/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf_yaml - one YAML file as a tree of nodes, each with its place
 *
 * The only file that knows libyaml. All scalars stay text: `no`, `1e3` and
 * `0x10` mean what the schema makes of them. Refused with a sentence: anchors,
 * aliases, tags, directives, a second document, a name given twice, nesting
 * that no schema of ours needs. libyaml's own messages are translated: they
 * often name the line after the mistake and never say what would be right.
 *
 * A file that ends in the middle of a line is taken as cut off, unless a closing
 * bracket or a line `...` says that it is whole.
 */
#ifndef ED_LIB_CONF_YAML_H
#define ED_LIB_CONF_YAML_H

#include <stdbool.h>
#include <stddef.h>

struct conf_report;

enum conf_yaml_limits {
	CONF_DEPTH_MAX = 24, /* levels of nesting */
	CONF_TEXT_MAX = 4096, /* bytes of one name or value */
};

enum conf_node_kind { CONF_SCALAR = 1, CONF_SEQUENCE, CONF_MAPPING };

struct conf_node {
	enum conf_node_kind kind;
	bool plain; /* a scalar without quotes */
	bool flow; /* in [ ] or { } */
	bool comment; /* a comment stands behind a plain scalar */
	bool refused; /* a mistake that was reported: nothing more to say */
	unsigned int line; /* from 1 */
	unsigned int column; /* from 1, in characters */
	unsigned int
		more_line; /* of a plain scalar: where its second line stands, or 0 */
	unsigned int more_column;
	unsigned int end_line; /* of its last character */
	char *text; /* of a scalar; holds no NUL but the one behind it */
	size_t n; /* children: of a mapping name, value, name, value, ... */
	struct conf_node **child;
};

/* A file's bytes and lines, and what was made of them. */
struct conf_doc {
	char *file; /* as messages name it */
	char *bytes;
	size_t len;
	bool secret; /* never show a line of it */
	size_t *lines; /* where each line begins */
	size_t n_lines;
	struct conf_node *root; /* a mapping, or NULL */
	bool broken; /* root ends where the syntax error is */
	struct conf_report *report;
};

/*
 * Take a copy of len bytes and parse them; messages go to report, which must
 * outlive doc. Free with conf_doc_fini() whatever comes back.
 *
 * Returns 0, or -EINVAL with doc->broken set when the list of mistakes ended
 * with a syntax error; root is then what stands before it, or NULL.
 */
int conf_doc_parse(struct conf_doc *doc, const char *file, const char *bytes,
		   size_t len, bool secret, struct conf_report *report);

/* Free and, since it may hold secrets, wipe. */
void conf_doc_fini(struct conf_doc *doc);

/* Report a mistake (or a warning) at a place of doc. */
void conf_doc_error(const struct conf_doc *doc, unsigned int line, unsigned int column,
		    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void conf_doc_warn(const struct conf_doc *doc, unsigned int line, unsigned int column,
		   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
