/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf_report - the mistakes of configuration files, each with its place
 *
 *	edged.yaml:5:31: error: up: '100mb' is not a rate (write ... 100mbit ...)
 *	      isp1: {interface: eth0, up: 100mb}
 *	                                  ^
 *
 * Lines and columns count from 1, columns in characters. What is shown is safe
 * for a terminal, whatever bytes the file holds.
 */
#ifndef ED_LIB_CONF_REPORT_H
#define ED_LIB_CONF_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct text;

/* More messages than this are counted but not kept. */
#define CONF_REPORT_MAX 1000

struct conf_message {
	bool error; /* else a warning */
	char *file; /* "" when the mistake is in no file */
	unsigned int line; /* 0: the file as a whole */
	unsigned int column; /* 0 with line 0 */
	char *text;
	char *source; /* the line as shown, or NULL */
	unsigned int caret; /* characters before the caret in source */
};

struct conf_report {
	struct conf_message *v;
	size_t n;
	size_t cap;
	size_t errors; /* of all, kept or not */
	size_t warnings;
};

/* An empty report. */
void conf_report_init(struct conf_report *r);

/* Free what r holds and make it empty. */
void conf_report_fini(struct conf_report *r);

/*
 * Add a message about place line:column of file (line 0: the file as a whole;
 * file NULL: none). source are the len bytes of that line, or NULL to show none.
 */
void conf_report_add(struct conf_report *r, bool error, const char *file,
		     unsigned int line, unsigned int column, const char *source,
		     size_t len, const char *fmt, ...)
	__attribute__((format(printf, 8, 9)));

/*
 * Bytes of the UTF-8 character at s (len bytes are left) that any terminal may
 * show, 0 when there is none.
 */
size_t conf_report_char(const char *s, size_t len);

/*
 * Append what the eye does not see in text, or takes for something else: the
 * first invisible character or odd blank, else (with letters) the first character
 * that is not ASCII: " (it holds an invisible character, U+200B)". Nothing else.
 */
void conf_report_odd(const char *text, bool letters, struct text *t);

/* Order by place; the file `first`, then others in the order of their first message. */
void conf_report_sort(struct conf_report *r, const char *first);

/* Write all messages as above. */
void conf_report_print(const struct conf_report *r, FILE *fp);

/* The same as text, the caller's to free(). */
char *conf_report_text(const struct conf_report *r);

#endif
