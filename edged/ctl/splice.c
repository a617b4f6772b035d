/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a block ends: behind the last line of what stands in it, and behind
 * comments that follow at once and stand at least as far right as its names.
 */
#include "edged/ctl/splice.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/conf_report.h"
#include "lib/conf_yaml.h"
#include "lib/secret.h"

enum { STEP = 2 };

/* The text that is put in, and where. */
struct cut {
	size_t at;
	char *text;
};

/* --- lines -------------------------------------------------------------------------- */

static const char *line_of(const struct conf_doc *doc, unsigned int line, size_t *len)
{
	size_t start = doc->lines[line - 1];
	size_t end = line < doc->n_lines ? doc->lines[line] : doc->len;

	*len = end - start;
	return doc->bytes + start;
}

/* Where the line behind this one begins. */
static size_t behind(const struct conf_doc *doc, unsigned int line)
{
	return line < doc->n_lines ? doc->lines[line] : doc->len;
}

/* Its indentation when it holds a comment and nothing else, else -1. */
static int comment_indent(const struct conf_doc *doc, unsigned int line)
{
	size_t len;
	const char *s = line_of(doc, line, &len);
	size_t i = 0;

	while (i < len && s[i] == ' ')
		i++;
	return i < len && s[i] == '#' ? (int)i : -1;
}

/* The byte of a place; columns count characters. */
static size_t byte_at(const struct conf_doc *doc, unsigned int line,
		      unsigned int column)
{
	size_t at = doc->lines[line - 1];

	/* Ends: at the end of the file at the latest. */
	while (column > 1 && at < doc->len) {
		at++;
		while (at < doc->len && (doc->bytes[at] & 0xc0) == 0x80)
			at++;
		column--;
	}
	return at;
}

static const char *line_break(const struct conf_doc *doc)
{
	const char *nl = memchr(doc->bytes, '\n', doc->len);

	return nl && nl > doc->bytes && nl[-1] == '\r' ? "\r\n" : "\n";
}

/* Each line of text with indent blanks before it and the file's line break. */
static void put_indented(FILE *fp, const char *text, size_t indent, const char *nl)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		fprintf(fp, "%*s%.*s%s", (int)indent, "", (int)len, text, nl);
		text += len + (text[len] == '\n');
	}
}

/* The lines for a block in this column, with a section of its own around them or not. */
static char *indented(const struct conf_doc *doc, const char *section, const char *text,
		      size_t indent)
{
	const char *nl = line_break(doc);
	char *buf = NULL;
	size_t len;
	FILE *fp = open_memstream(&buf, &len);

	if (!fp)
		abort();
	if (section)
		fprintf(fp, "%s%*s%s:%s", nl, (int)indent, "", section, nl);
	put_indented(fp, text, section ? indent + STEP : indent, nl);
	if (fclose(fp) != 0)
		abort();
	return buf;
}

/* --- places ------------------------------------------------------------------------- */

/* The last line that belongs to a block whose names stand in column. */
static unsigned int block_end(const struct conf_doc *doc, const struct conf_node *block,
			      unsigned int column)
{
	unsigned int line = block->end_line;

	while (line < doc->n_lines && column > 1 &&
	       comment_indent(doc, line + 1) >= (int)column - 1)
		line++;
	return line;
}

/* Behind the opening bracket of { }. */
static struct cut cut_flow(const struct conf_doc *doc, const struct conf_node *map,
			   const char *section, const char *flow)
{
	const char *comma = map->n ? ", " : "";

	return (struct cut){.at = byte_at(doc, map->line, map->column) + 1,
			    .text = section ? ed_asprintf("%s: {%s}%s", section, flow,
							  comma)
					    : ed_asprintf("%s%s", flow, comma)};
}

static struct cut cut_block(const struct conf_doc *doc, const struct conf_node *map,
			    const struct splice *s)
{
	unsigned int column = map->n ? map->child[0]->column : 1;

	return (struct cut){.at = behind(doc, block_end(doc, map, column)),
			    .text = indented(doc, NULL, s->block, column - 1)};
}

/* A section of its own behind everything that is there. */
static struct cut cut_new_section(const struct conf_doc *doc, const struct splice *s)
{
	const struct conf_node *root = doc->root;
	/* The top of a file may stand further right, too. */
	unsigned int column = root->n ? root->child[0]->column : 1;

	return (struct cut){.at = behind(doc, block_end(doc, root, column)),
			    .text = indented(doc, s->section, s->block, column - 1)};
}

static int cannot(const struct conf_doc *doc, const struct conf_node *n,
		  const char *what)
{
	conf_doc_error(doc, n->line, n->column, "%s is no block that can be added to",
		       what);
	return -EINVAL;
}

static int cut_section(const struct conf_doc *doc, const struct splice *s,
		       const struct conf_node *key, const struct conf_node *value,
		       struct cut *ret)
{
	if (value->kind == CONF_MAPPING && value->flow)
		*ret = cut_flow(doc, value, NULL, s->flow);
	else if (value->kind == CONF_MAPPING)
		*ret = cut_block(doc, value, s);
	else if (value->kind == CONF_SCALAR && value->plain && !*value->text)
		/* A name and nothing behind it: its block begins here. */
		*ret = (struct cut){.at = behind(doc, key->line),
				    .text = indented(doc, NULL, s->block,
						     key->column - 1 + STEP)};
	else
		return cannot(doc, value, s->section);
	return 0;
}

static int find_cut(const struct conf_doc *doc, const struct splice *s, struct cut *ret)
{
	const struct conf_node *root = doc->root;

	if (root->kind != CONF_MAPPING)
		return cannot(doc, root, "this");
	for (size_t i = 0; s->section && i + 1 < root->n; i += 2)
		if (root->child[i]->kind == CONF_SCALAR &&
		    strcmp(root->child[i]->text, s->section) == 0)
			return cut_section(doc, s, root->child[i], root->child[i + 1],
					   ret);
	if (root->flow)
		*ret = cut_flow(doc, root, s->section, s->flow);
	else if (s->section)
		*ret = cut_new_section(doc, s);
	else
		*ret = cut_block(doc, root, s);
	return 0;
}

/* --- all together ------------------------------------------------------------------- */

/* True when there is nothing but blanks and comments. */
static bool empty(const char *bytes, size_t len)
{
	bool comment = false;

	for (size_t i = 0; i < len; i++) {
		if (bytes[i] == '\n')
			comment = false;
		else if (bytes[i] == '#')
			comment = true;
		else if (!comment && !strchr(" \t\r", bytes[i]))
			return false;
	}
	return true;
}

/* A file without any setting: the lines come behind its comments. */
static char *begin(const char *bytes, size_t len, const struct splice *s,
		   size_t *ret_len)
{
	bool open = len > 0 && bytes[len - 1] != '\n';
	char *lines = NULL;
	FILE *fp = open_memstream(&lines, ret_len);

	if (!fp)
		abort();
	fwrite(bytes, 1, len, fp);
	fprintf(fp, "%s", open ? "\n" : "");
	if (s->section)
		fprintf(fp, "%s:\n", s->section);
	put_indented(fp, s->block, s->section ? STEP : 0, "\n");
	if (fclose(fp) != 0)
		abort();
	return lines;
}

static const struct conf_node *member(const struct conf_node *map, const char *name,
				      size_t len)
{
	for (size_t i = 0; map && map->kind == CONF_MAPPING && i + 1 < map->n; i += 2) {
		const struct conf_node *key = map->child[i];

		if (key->kind == CONF_SCALAR && strlen(key->text) == len &&
		    memcmp(key->text, name, len) == 0)
			return map->child[i + 1];
	}
	return NULL;
}

/* True when the setting stands where it should. */
static bool is_there(const struct conf_doc *doc, const struct splice *s)
{
	const struct conf_node *map = doc->root;

	if (s->section)
		map = member(map, s->section, strlen(s->section));
	return member(map, s->flow, (size_t)(strstr(s->flow, ": ") - s->flow)) != NULL;
}

/* YAML has ways to write a block that the cuts do not know: what came of them is read. */
static int judge(const char *file, const char *bytes, size_t len, bool secret,
		 const struct splice *s)
{
	struct conf_report unseen;
	struct conf_doc doc;
	int err;

	/* Places in the result mean nothing to anybody. */
	conf_report_init(&unseen);
	err = conf_doc_parse(&doc, file, bytes, len, secret, &unseen);
	if (err == 0 && !is_there(&doc, s))
		err = -EINVAL;
	conf_doc_fini(&doc);
	conf_report_fini(&unseen);
	return err;
}

static void paste(const char *bytes, size_t len, size_t skip, const struct cut *cut,
		  char **ret, size_t *ret_len)
{
	size_t n = strlen(cut->text);
	size_t at = skip + cut->at;

	*ret = ed_array(len + n + 1, 1);
	memcpy(*ret, bytes, at);
	memcpy(*ret + at, cut->text, n);
	memcpy(*ret + at + n, bytes + at, len - at);
	*ret_len = len + n;
}

/* The old bytes with the new ones between them. */
static int insert(const char *file, const char *bytes, size_t len, bool secret,
		  const struct splice *s, struct conf_report *report, char **ret,
		  size_t *ret_len)
{
	struct conf_doc doc;
	struct cut cut;
	int err = conf_doc_parse(&doc, file, bytes, len, secret, report);

	if (err < 0 || !doc.root || doc.broken)
		err = -EINVAL;
	else
		err = find_cut(&doc, s, &cut);
	if (err == 0) {
		/* A byte order mark is no part of the document. */
		paste(bytes, len, len - doc.len, &cut, ret, ret_len);
		secret_wipe(cut.text, strlen(cut.text));
		free(cut.text);
	}
	conf_doc_fini(&doc);
	return err;
}

int ctl_splice(const char *file, const char *bytes, size_t len, bool secret,
	       const struct splice *s, struct conf_report *report, char **ret,
	       size_t *ret_len)
{
	size_t errors = report->errors;
	char *text = NULL;
	size_t n = 0;
	int err = 0;

	if (empty(bytes, len))
		text = begin(bytes, len, s, &n);
	else
		err = insert(file, bytes, len, secret, s, report, &text, &n);
	if (err == 0)
		err = judge(file, text, n, secret, s);
	if (err < 0) {
		if (report->errors == errors)
			conf_report_add(report, true, file, 0, 0, NULL, 0,
					"the way this file is written, nothing can be "
					"added to it");
		if (text)
			secret_wipe(text, n);
		free(text);
		return err;
	}
	*ret = text;
	*ret_len = n;
	return 0;
}
