/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From libyaml's events to nodes.
 *
 * The tree is built here and not by libyaml's own loader, because that one
 * resolves aliases and forgets tags before anybody could refuse them, and gives
 * no place for a second document.
 *
 * On a syntax error what was read before stays: the schema's walker reports the
 * mistakes in it, then the syntax error ends the list. The last value read is
 * dropped, since it often holds the next line, too (that is what "mapping values
 * are not allowed in this context" is about).
 *
 * translate() says what libyaml means. It looks at the lines themselves, since
 * the usual mistakes (indentation, a missing space, an IPv6 address that ends
 * in ::) are seen there and not in the parser's state.
 */
#include "lib/conf_yaml.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <yaml.h>

#include "lib/alloc.h"
#include "lib/conf_report.h"
#include "lib/secret.h"
#include "lib/text.h"

struct composer {
	struct conf_doc *doc;
	yaml_parser_t parser;
	struct conf_node **last; /* where the last value read hangs */
	unsigned int end_line; /* where the container just left ended */
	bool syntax; /* libyaml gave up */
	bool refused; /* something that YAML has and we do not */
};

/* A name already seen in a mapping. */
struct seen {
	const char *name;
	unsigned int line;
	UT_hash_handle hh;
};

/* --- lines ---------------------------------------------------------------- */

/*
 * Bytes of the line break at s, 0 where there is none: those that libyaml counts,
 * but for Unicode's own, which odd_breaks() refuses, since editors do not count them.
 */
static size_t line_break(const unsigned char *s, size_t len)
{
	if (s[0] == '\n')
		return 1;
	if (s[0] == '\r')
		return len > 1 && s[1] == '\n' ? 2 : 1;
	return 0;
}

static void index_lines(struct conf_doc *doc)
{
	const unsigned char *s = (const unsigned char *)doc->bytes;
	size_t cap = 64;

	doc->lines = ed_array(cap, sizeof(*doc->lines));
	doc->n_lines = 1;
	/* Ends: pos grows by at least 1. */
	for (size_t pos = 0; pos < doc->len;) {
		size_t n = line_break(s + pos, doc->len - pos);

		pos += n ? n : 1;
		if (n == 0)
			continue;
		if (doc->n_lines == cap) {
			cap *= 2;
			doc->lines = ed_realloc(doc->lines, cap, sizeof(*doc->lines));
		}
		doc->lines[doc->n_lines++] = pos;
	}
}

/* The bytes of line (from 1) without its break; NULL past the end. */
static const char *line_at(const struct conf_doc *doc, unsigned int line, size_t *len)
{
	size_t start;
	size_t end;

	*len = 0;
	if (line == 0 || line > doc->n_lines)
		return NULL;
	start = doc->lines[line - 1];
	end = line < doc->n_lines ? doc->lines[line] : doc->len;
	while (end > start) {
		const unsigned char *s = (const unsigned char *)doc->bytes;

		if (s[end - 1] == '\n' || s[end - 1] == '\r')
			end--;
		else
			break;
	}
	*len = end - start;
	return doc->bytes + start;
}

static void __attribute__((format(printf, 5, 0)))
report(const struct conf_doc *doc, bool error, unsigned int line, unsigned int column,
       const char *fmt, va_list ap)
{
	size_t len = 0;
	const char *source = doc->secret ? NULL : line_at(doc, line, &len);
	char text[1024];

	vsnprintf(text, sizeof(text), fmt, ap);
	conf_report_add(doc->report, error, doc->file, line, column, source, len, "%s",
			text);
}

void conf_doc_error(const struct conf_doc *doc, unsigned int line, unsigned int column,
		    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(doc, true, line, column, fmt, ap);
	va_end(ap);
}

void conf_doc_warn(const struct conf_doc *doc, unsigned int line, unsigned int column,
		   const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(doc, false, line, column, fmt, ap);
	va_end(ap);
}

/* --- what libyaml means --------------------------------------------------- */

/* What a line holds, as far as indentation and names go. */
struct line_view {
	unsigned int number;
	const char *s;
	size_t len;
	size_t indent; /* blanks before the first character */
	bool tab; /* one of them is a tab */
	bool blank; /* nothing, or a comment */
	bool value; /* something stands behind the colon */
	char name[64]; /* "cost" of "  cost: 20"; "" when it is no such line */
};

static struct line_view view(const struct conf_doc *doc, unsigned int number)
{
	struct line_view v = {.number = number};
	size_t end;

	v.s = line_at(doc, number, &v.len);
	while (v.indent < v.len && (v.s[v.indent] == ' ' || v.s[v.indent] == '\t'))
		v.tab |= v.s[v.indent++] == '\t';
	v.blank = v.indent == v.len || v.s[v.indent] == '#';
	for (end = v.indent; end < v.len && !doc->secret; end++) {
		if (v.s[end] == ':' && (end + 1 == v.len || v.s[end + 1] == ' '))
			break;
		if (!isalnum((unsigned char)v.s[end]) && !strchr("-_.:/", v.s[end]))
			return v;
	}
	if (end < v.len && !doc->secret && end - v.indent < sizeof(v.name))
		memcpy(v.name, v.s + v.indent, end - v.indent);
	for (end++; end < v.len && v.s[end] == ' ';)
		end++;
	v.value = end < v.len && v.s[end] != '#';
	return v;
}

/* The next line in direction (1 or -1) that is not blank; number 0: none. */
static struct line_view neighbour(const struct conf_doc *doc, unsigned int number,
				  int direction)
{
	/* Ends at either end of the file. */
	for (;;) {
		struct line_view v;

		number += (unsigned int)direction;
		if (number == 0 || number > doc->n_lines)
			return (struct line_view){0};
		v = view(doc, number);
		if (!v.blank)
			return v;
	}
}

/* An address that ends in :: and is not in quotes: the column, or 0. */
static unsigned int bare_colons(const struct line_view *v)
{
	/* Ends: i grows. */
	for (size_t i = v->indent; i + 1 < v->len; i++) {
		size_t start = i;

		if (v->s[i] != ':' || v->s[i + 1] != ':')
			continue;
		if (i + 2 < v->len && !strchr(" \t,]}#", v->s[i + 2]))
			continue;
		while (start > v->indent && (isxdigit((unsigned char)v->s[start - 1]) ||
					     v->s[start - 1] == ':'))
			start--;
		if (start > v->indent && strchr("\"'", v->s[start - 1]))
			continue;
		return (unsigned int)start + 1;
	}
	return 0;
}

/* The word of the line at column, for messages. */
static void word_at(const struct line_view *v, unsigned int column, char *buf,
		    size_t size)
{
	struct text t = text_init(buf, size);
	size_t start = column ? column - 1 : 0;
	size_t end = start;

	while (end < v->len && !strchr(" \t,]}", v->s[end]) && end - start < 40)
		end++;
	if (start < end)
		text_escape(&t, v->s + start, end - start);
}

static bool has(const char *text, const char *part)
{
	return text && strstr(text, part);
}

/* Mistakes that one line alone shows. */
static bool explain_line(const struct conf_doc *doc, unsigned int number)
{
	struct line_view v = view(doc, number);
	unsigned int column = bare_colons(&v);
	char word[64];

	if (!v.number)
		return false;
	if (column) {
		word_at(&v, column, word, sizeof(word));
		conf_doc_error(doc, number, column,
			       "put what ends in '::' in quotes%s%s%s",
			       doc->secret ? "" : ": \"", doc->secret ? "" : word,
			       doc->secret ? "" : "\"");
		return true;
	}
	return false;
}

/* "cost:20", or a line without any colon. */
static void explain_key(const struct conf_doc *doc, unsigned int number,
			unsigned int column)
{
	struct line_view v = view(doc, number);
	struct line_view above = neighbour(doc, number, -1);
	char word[64];
	char *colon;

	word_at(&v, column, word, sizeof(word));
	colon = doc->secret ? NULL : strchr(word, ':');
	if (strncmp(word, "<<<<<<<", 7) == 0 || strncmp(word, "=======", 7) == 0 ||
	    strncmp(word, ">>>>>>>", 7) == 0)
		conf_doc_error(
			doc, number, column,
			"this is left from a merge: decide which lines are right");
	else if (above.number && above.indent == v.indent &&
		 above.s[above.indent] == '-')
		conf_doc_error(
			doc, number, column,
			"this line stands in a list: it needs '- ' before it, or "
			"another indentation");
	else if (colon && colon > word && colon[1])
		conf_doc_error(doc, number, column,
			       "a space is missing after the colon: '%.*s: %s'",
			       (int)(colon - word), word, colon + 1);
	else
		conf_doc_error(
			doc, number, column,
			"this line has no colon: a setting is written 'name: value'");
}

/* Say which of the lines around number stands in the wrong column; false: none. */
static bool explain_indent(const struct conf_doc *doc, unsigned int number)
{
	struct line_view v = view(doc, number);
	struct line_view above = neighbour(doc, number, -1);
	struct line_view below = neighbour(doc, number, 1);
	unsigned int column = (unsigned int)v.indent + 1;

	if (!v.number || v.blank || !above.number)
		return false;
	if (v.tab) {
		conf_doc_error(doc, number, 1,
			       "this line begins with a tab: indent with spaces");
		return true;
	}
	if (v.indent == above.indent && v.name[0] && !above.name[0] &&
	    above.s[above.indent] != '-') {
		explain_key(doc, above.number, (unsigned int)above.indent + 1);
		return true;
	}
	/* Below a line without a value it is right to stand further right. */
	if (!v.name[0] || !above.name[0] || (v.indent > above.indent && !above.value))
		return false;
	if (v.indent > above.indent) {
		/* Two against one: the line above is the odd one. */
		if (below.number && below.name[0] && below.indent == v.indent) {
			conf_doc_error(
				doc, above.number, (unsigned int)above.indent + 1,
				"'%s' stands further left than its neighbours on "
				"line %u and %u",
				above.name, v.number, below.number);
			return true;
		}
		conf_doc_error(
			doc, number, column,
			"'%s' stands further right than its neighbour '%s' on line "
			"%u: give both the same indentation",
			v.name, above.name, above.number);
		return true;
	}
	if (v.indent < above.indent) {
		conf_doc_error(
			doc, number, column,
			"'%s' stands further left than its neighbour '%s' on line "
			"%u, and no block above begins in this column",
			v.name, above.name, above.number);
		return true;
	}
	return false;
}

/* The scanner met something where no value or name can begin. */
static void explain_start(const struct conf_doc *doc, unsigned int number,
			  unsigned int column)
{
	struct line_view v = view(doc, number);
	char c = column && column <= v.len ? v.s[column - 1] : '\0';

	if (c == '\t')
		conf_doc_error(
			doc, number, column,
			"a tab stands here: use spaces to indent and between name "
			"and value");
	else if (c == '%' || c == '@' || c == '`')
		conf_doc_error(doc, number, column,
			       "a value that begins with '%c' must be put in quotes",
			       c);
	else
		conf_doc_error(doc, number, column, "no value can begin here");
}

/* What an unfinished [ or { of context looks like. */
static void explain_flow(const struct conf_doc *doc, const yaml_parser_t *p,
			 unsigned int number, unsigned int column)
{
	unsigned int open = (unsigned int)p->context_mark.line + 1;
	bool list = has(p->problem, "']'");
	struct line_view v = view(doc, number);
	char c = column && column <= v.len ? v.s[column - 1] : '\0';

	if (c == (list ? '}' : ']'))
		conf_doc_error(doc, number, column,
			       "'%c' closes what was opened with '%c' on line %u", c,
			       list ? '[' : '{', open);
	else if (number > open || c == '\0')
		conf_doc_error(
			doc, open, (unsigned int)p->context_mark.column + 1,
			"this '%c' is not closed: '%c' or a comma is missing before "
			"line %u, column %u",
			list ? '[' : '{', list ? ']' : '}', number, column);
	else
		conf_doc_error(doc, number, column,
			       "a comma or '%c' is missing before this",
			       list ? ']' : '}');
}

static void explain_scanner(const struct conf_doc *doc, const yaml_parser_t *p,
			    unsigned int number, unsigned int column)
{
	unsigned int open = (unsigned int)p->context_mark.line + 1;
	unsigned int at = (unsigned int)p->context_mark.column + 1;

	if (has(p->context, "quoted scalar") && has(p->problem, "end of stream"))
		conf_doc_error(doc, open, at, "this quote is never closed");
	else if (has(p->context, "quoted scalar") &&
		 has(p->problem, "document indicator"))
		conf_doc_error(doc, open, at, "this quote is not closed before line %u",
			       number);
	else if (has(p->problem, "escape character") ||
		 has(p->context, "quoted scalar"))
		conf_doc_error(
			doc, number, column,
			"in double quotes a backslash means something else: write it "
			"twice, or use single quotes");
	else if (has(p->problem, "could not find expected ':'"))
		explain_key(doc, open, at);
	else if (has(p->context, "an alias") || has(p->context, "an anchor"))
		conf_doc_error(doc, open, at,
			       "a value that begins with '%c' must be put in quotes",
			       has(p->context, "an alias") ? '*' : '&');
	else if (has(p->context, "a tag"))
		conf_doc_error(doc, open, at,
			       "a value that begins with '!' must be put in quotes");
	else if (has(p->context, "a directive") || has(p->context, "directive"))
		conf_doc_error(doc, open, at,
			       "a line that begins with '%%' means nothing here");
	else if (has(p->problem, "cannot start any token"))
		explain_start(doc, number, column);
	else if (has(p->problem, "tab character"))
		conf_doc_error(doc, number, column,
			       "a tab stands here: indent with spaces");
	else if (has(p->problem, "block sequence entries are not allowed"))
		conf_doc_error(
			doc, number, column,
			"a list begins on a line of its own with '- ', or stands in "
			"[ ]: write [a, b]");
	else if (has(p->problem, "mapping values are not allowed"))
		conf_doc_error(
			doc, number, column,
			"a second ': ' on this line: put the value in quotes, or the "
			"setting on a line of its own");
	else if (has(p->context, "block scalar"))
		conf_doc_error(
			doc, number, column,
			"a value that begins with '|' or '>' must be put in quotes");
	else
		conf_doc_error(doc, number, column, "this cannot be read: %s",
			       p->problem ? p->problem : "unknown reason");
}

static void explain_parser(const struct conf_doc *doc, const yaml_parser_t *p,
			   unsigned int number, unsigned int column)
{
	struct line_view v = view(doc, number);
	char c = column && column <= v.len ? v.s[column - 1] : '\0';

	if (has(p->problem, "',' or"))
		explain_flow(doc, p, number, column);
	else if (has(p->problem, "expected '-' indicator"))
		conf_doc_error(
			doc, number, column,
			"this line stands in a list: it needs '- ' before it, or "
			"another indentation");
	else if (c && strchr("]}", c))
		conf_doc_error(doc, number, column, "'%c' closes nothing that is open",
			       c);
	else if (c == ':')
		conf_doc_error(doc, number, column,
			       "put what begins with ':' in quotes");
	else if (has(p->problem, "node content"))
		conf_doc_error(doc, number, column, "a value is missing here");
	else if (has(p->problem, "document start"))
		conf_doc_error(
			doc, number, column,
			"what stands here does not belong to the settings above: "
			"look at its indentation");
	else if (has(p->problem, "tag handle"))
		conf_doc_error(doc, number, column,
			       "a value that begins with '!' must be put in quotes");
	else
		conf_doc_error(doc, number, column,
			       "a setting 'name: value' is expected here");
}

/* Line and column, from 1, of the byte at offset at. */
static void place_of(const struct conf_doc *doc, size_t at, unsigned int *line,
		     unsigned int *column)
{
	*line = 1;
	*column = 1;
	while (*line < doc->n_lines && doc->lines[*line] <= at)
		(*line)++;
	for (size_t i = doc->lines[*line - 1]; i < at; i++)
		*column += (doc->bytes[i] & 0xc0) != 0x80;
}

/* libyaml may blame the byte behind: back to the one that began the character. */
static size_t begin_of_character(const struct conf_doc *doc, size_t at)
{
	for (size_t back = 1; back <= 3 && back <= at; back++) {
		unsigned char c = (unsigned char)doc->bytes[at - back];

		if (c >= 0xc0)
			return back < (c < 0xe0	  ? 2u
				       : c < 0xf0 ? 3u
						  : 4u)
				       ? at - back
				       : at;
		if (c < 0x80)
			break;
	}
	return at;
}

static void explain_reader(const struct conf_doc *doc, const yaml_parser_t *p)
{
	size_t at = p->problem_offset < doc->len ? p->problem_offset : doc->len;
	unsigned int line;
	unsigned int column;

	if (!has(p->problem, "control characters"))
		at = begin_of_character(doc, at);
	place_of(doc, at, &line, &column);
	if (has(p->problem, "control characters"))
		conf_doc_error(doc, line, column,
			       "a control character (0x%02x) stands here: the file is "
			       "damaged or no text",
			       at < doc->len ? (unsigned char)doc->bytes[at] : 0u);
	else
		conf_doc_error(
			doc, line, column,
			"this is not UTF-8 text (byte 0x%02x): save the file as UTF-8",
			at < doc->len ? (unsigned char)doc->bytes[at] : 0u);
}

static void translate(const struct conf_doc *doc, const yaml_parser_t *p)
{
	unsigned int number = (unsigned int)p->problem_mark.line + 1;
	unsigned int column = (unsigned int)p->problem_mark.column + 1;
	bool indent = has(p->problem, "mapping values are not allowed") ||
		      has(p->problem, "expected key") ||
		      has(p->problem, "document start") ||
		      has(p->problem, "cannot start any token");
	struct line_view v;
	char c;

	if (p->error == YAML_READER_ERROR) {
		explain_reader(doc, p);
		return;
	}
	/* At the end of the file the last line is what one looks at. */
	if (number > 1 && view(doc, number).blank && view(doc, number).len == 0) {
		number = neighbour(doc, number, -1).number;
		if (number == 0)
			number = 1;
		column = (unsigned int)view(doc, number).len + 1;
	}
	if (explain_line(doc, number) ||
	    (p->context_mark.line + 1 != number &&
	     has(p->problem, "could not find expected ':'") &&
	     explain_line(doc, (unsigned int)p->context_mark.line + 1)))
		return;
	v = view(doc, number);
	c = column <= v.len ? v.s[column - 1] : '\0';
	if (has(p->problem, "cannot start any token"))
		indent = v.tab;
	if (indent && (!c || !strchr("]}", c)) && explain_indent(doc, number))
		return;
	if (p->error == YAML_SCANNER_ERROR)
		explain_scanner(doc, p, number, column);
	else
		explain_parser(doc, p, number, column);
}

/* --- nodes ---------------------------------------------------------------- */

static void node_free(struct conf_node *n)
{
	if (!n)
		return;
	for (size_t i = 0; i < n->n; i++)
		node_free(n->child[i]);
	free(n->child);
	if (n->text)
		secret_wipe(n->text, strlen(n->text));
	free(n->text);
	free(n);
}

static struct conf_node *node_new(enum conf_node_kind kind, const yaml_event_t *e)
{
	struct conf_node *n = ed_alloc(sizeof(*n));

	n->kind = kind;
	n->line = (unsigned int)e->start_mark.line + 1;
	n->column = (unsigned int)e->start_mark.column + 1;
	n->end_line = n->line;
	return n;
}

static void node_add(struct conf_node *parent, struct conf_node *child)
{
	/* Doubles at each power of two. */
	if ((parent->n & (parent->n - 1)) == 0)
		parent->child = ed_realloc(parent->child, parent->n ? 2 * parent->n : 1,
					   sizeof(struct conf_node *));
	parent->child[parent->n++] = child;
}

static bool next_event(struct composer *c, yaml_event_t *e)
{
	if (yaml_parser_parse(&c->parser, e))
		return true;
	c->syntax = true;
	return false;
}

static void refuse(struct composer *c, const yaml_event_t *e, const char *what)
{
	conf_doc_error(c->doc, (unsigned int)e->start_mark.line + 1,
		       (unsigned int)e->start_mark.column + 1, "%s", what);
	c->refused = true;
}

/* Anchors and tags are reported and then ignored: the rest is still checked. */
static void refuse_extras(struct composer *c, const yaml_event_t *e,
			  const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		refuse(c, e,
		       "'&' makes an anchor, and anchors are not used here: put a value "
		       "that begins with '&' in quotes");
	if (tag)
		refuse(c, e,
		       "'!' makes a tag, and tags are not used here: put a value that "
		       "begins with '!' in quotes");
}

/* What word processors make of a quote. */
static bool curly_quote(const char *s, size_t len)
{
	static const char *const marks[] = {"\u201c", "\u201d", "\u201e", "\u2018",
					    "\u2019", "\u201a", "\u00ab", "\u00bb"};

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (len >= strlen(marks[i]) &&
		    memcmp(s, marks[i], strlen(marks[i])) == 0)
			return true;
	return false;
}

/* Only for a line with a plain scalar: that one cannot hold what begins a comment. */
static bool comment_behind(const struct conf_doc *doc, unsigned int line)
{
	size_t len;
	const char *s = line_at(doc, line, &len);

	for (size_t i = 1; i < len; i++)
		if (s[i] == '#' && (s[i - 1] == ' ' || s[i - 1] == '\t'))
			return true;
	return false;
}

/* The end mark may stand behind blank lines and at the start of the next one. */
static unsigned int last_line(const struct conf_doc *doc, const struct conf_node *n,
			      const yaml_event_t *e)
{
	unsigned int line =
		(unsigned int)e->end_mark.line + (e->end_mark.column > 0 ? 1 : 0);

	while (line > n->line && view(doc, line).blank)
		line--;
	return line > n->line ? line : n->line;
}

static struct conf_node *compose_scalar(struct composer *c, const yaml_event_t *e)
{
	const char *value = (const char *)e->data.scalar.value;
	size_t len = e->data.scalar.length;
	struct conf_node *n = node_new(CONF_SCALAR, e);

	refuse_extras(c, e, e->data.scalar.anchor, e->data.scalar.tag);
	if (len > CONF_TEXT_MAX) {
		refuse(c, e, "this value is too long");
		len = 0;
	} else if (memchr(value, '\0', len)) {
		refuse(c, e, "this value holds a NUL character");
		len = 0;
	}
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (n->plain && curly_quote(value, len)) {
		refuse(c, e,
		       "this is a typographic quotation mark: put the value in plain "
		       "quotes (\" or ')");
		len = 0;
	}
	n->text = ed_strndup(value, len);
	n->refused = len == 0 && (e->data.scalar.length > 0 || e->data.scalar.tag ||
				  e->data.scalar.anchor);
	n->comment = n->plain && e->end_mark.line == e->start_mark.line &&
		     comment_behind(c->doc, n->line);
	n->end_line = last_line(c->doc, n, e);
	if (n->plain && e->end_mark.line > e->start_mark.line) {
		struct line_view more = neighbour(c->doc, n->line, 1);

		/* The end mark may stand behind blank lines that are no part of it. */
		if (more.number && more.number <= e->end_mark.line + 1 &&
		    more.indent < more.len && strchr(n->text, ' ')) {
			n->more_line = more.number;
			n->more_column = (unsigned int)more.indent + 1;
		}
	}
	return n;
}

static struct conf_node *compose_event(struct composer *c, yaml_event_t *e,
				       unsigned int depth);

/* The next node, NULL at the container's end or when the syntax ended. */
static struct conf_node *compose(struct composer *c, unsigned int depth, bool *end)
{
	struct conf_node *n = NULL;
	yaml_event_t e;

	*end = false;
	if (!next_event(c, &e))
		return NULL;
	if (e.type == YAML_MAPPING_END_EVENT || e.type == YAML_SEQUENCE_END_EVENT)
		*end = true;
	else
		n = compose_event(c, &e, depth);
	if (*end)
		c->end_line = (unsigned int)e.end_mark.line + 1;
	yaml_event_delete(&e);
	return n;
}

/* Report a name that is there already; true: drop this one. */
static bool duplicate(struct composer *c, struct seen **seen,
		      const struct conf_node *key)
{
	struct seen *s;
	char name[80];
	struct text t = text_init(name, sizeof(name));

	if (key->kind != CONF_SCALAR)
		return false;
	HASH_FIND_STR(*seen, key->text, s);
	if (!s) {
		s = ed_alloc(sizeof(*s));
		s->name = key->text;
		s->line = key->line;
		HASH_ADD_KEYPTR(hh, *seen, s->name, strlen(s->name), s);
		return false;
	}
	text_escape(&t, key->text, strlen(key->text));
	if (c->doc->secret)
		conf_doc_error(c->doc, key->line, key->column,
			       "this name has a secret already, on line %u", s->line);
	else
		conf_doc_error(c->doc, key->line, key->column,
			       "'%s' is already set on line %u", name, s->line);
	return true;
}

/* Ends: each round takes an event, and libyaml's events are finite. */
static void compose_children(struct composer *c, struct conf_node *parent,
			     unsigned int depth)
{
	bool map = parent->kind == CONF_MAPPING;
	struct seen *seen = NULL;
	struct seen *s;
	struct seen *tmp;
	bool end = false;

	while (!c->syntax) {
		struct conf_node *name = map ? compose(c, depth, &end) : NULL;
		struct conf_node *value;

		if (map && (end || !name)) {
			node_free(name);
			break;
		}
		value = compose(c, depth, &end);
		if (!value) {
			node_free(name);
			break;
		}
		if (name && duplicate(c, &seen, name)) {
			node_free(name);
			node_free(value);
			continue;
		}
		if (name)
			node_add(parent, name);
		node_add(parent, value);
		if (!c->syntax && value->kind == CONF_SCALAR)
			c->last = &parent->child[parent->n - 1];
	}
	/* A block ends with what stands in it, [ ] and { } with their bracket. */
	for (size_t i = 0; i < parent->n; i++)
		if (parent->child[i]->end_line > parent->end_line)
			parent->end_line = parent->child[i]->end_line;
	if (end && parent->flow)
		parent->end_line = c->end_line;
	HASH_ITER (hh, seen, s, tmp) {
		HASH_DEL(seen, s);
		free(s);
	}
}

static struct conf_node *compose_event(struct composer *c, yaml_event_t *e,
				       unsigned int depth)
{
	struct conf_node *n;

	switch (e->type) {
	case YAML_SCALAR_EVENT:
		return compose_scalar(c, e);
	case YAML_ALIAS_EVENT:
		refuse(c, e,
		       "'*' stands for another part of the file, which is not used here: "
		       "put a value that begins with '*' in quotes");
		n = node_new(CONF_SCALAR, e);
		n->text = ed_strdup("");
		n->refused = true;
		return n;
	case YAML_SEQUENCE_START_EVENT:
		refuse_extras(c, e, e->data.sequence_start.anchor,
			      e->data.sequence_start.tag);
		n = node_new(CONF_SEQUENCE, e);
		n->flow = e->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
		break;
	case YAML_MAPPING_START_EVENT:
		refuse_extras(c, e, e->data.mapping_start.anchor,
			      e->data.mapping_start.tag);
		n = node_new(CONF_MAPPING, e);
		n->flow = e->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
		break;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
	default:
		return NULL;
	}
	if (depth >= CONF_DEPTH_MAX) {
		refuse(c, e, "this is nested too deep");
		c->syntax = true;
		return n;
	}
	compose_children(c, n, depth + 1);
	return n;
}

/* The last value may hold the next line, too: forget it, and its name. */
static void drop_last(struct conf_node *n, struct conf_node **last)
{
	if (!n || n->n == 0)
		return;
	if (&n->child[n->n - 1] == last) {
		node_free(n->child[--n->n]);
		if (n->kind == CONF_MAPPING)
			node_free(n->child[--n->n]);
		return;
	}
	drop_last(n->child[n->n - 1], last);
}

static bool compose_document(struct composer *c, bool *closed)
{
	struct conf_doc *doc = c->doc;
	yaml_event_t e;
	bool more;
	bool end;

	if (!next_event(c, &e))
		return false;
	yaml_event_delete(&e); /* stream start */
	if (!next_event(c, &e))
		return false;
	more = e.type == YAML_DOCUMENT_START_EVENT;
	if (more && (e.data.document_start.version_directive ||
		     e.data.document_start.tag_directives.start !=
			     e.data.document_start.tag_directives.end))
		refuse(c, &e, "a line that begins with '%' means nothing here");
	yaml_event_delete(&e);
	if (!more)
		return true;
	doc->root = compose(c, 0, &end);
	if (c->syntax || !next_event(c, &e))
		return false;
	*closed = !e.data.document_end.implicit;
	yaml_event_delete(&e);
	if (!next_event(c, &e))
		return false;
	if (e.type == YAML_DOCUMENT_START_EVENT)
		refuse(c, &e,
		       "a second document begins here: one file holds one configuration");
	yaml_event_delete(&e);
	return true;
}

/* --- the file as a whole -------------------------------------------------- */

/* True when the file holds nothing but blanks and comments. */
static bool nothing(const struct conf_doc *doc)
{
	for (unsigned int i = 1; i <= doc->n_lines; i++)
		if (!view(doc, i).blank)
			return false;
	return true;
}

/* Blanks that are none, as web pages and word processors make them. */
static bool odd_blanks(const struct conf_doc *doc)
{
	for (unsigned int i = 1; i <= doc->n_lines; i++) {
		struct line_view v = view(doc, i);

		if (v.len - v.indent < 2 ||
		    memcmp(v.s + v.indent, "\u00a0", strlen("\u00a0")) != 0)
			continue;
		conf_doc_error(doc, i, (unsigned int)v.indent + 1,
			       "this blank is a no-break space (U+00A0): indent with "
			       "plain spaces");
		return true;
	}
	return false;
}

/* NEL, LS and PS: libyaml begins a new line at them, no editor does. */
static bool odd_breaks(const struct conf_doc *doc)
{
	static const char *const marks[] = {"\xc2\x85", "\u2028", "\u2029"};
	static const unsigned int numbers[] = {0x85, 0x2028, 0x2029};
	unsigned int line;
	unsigned int column;

	for (size_t at = 0; at < doc->len; at++) {
		for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
			size_t n = strlen(marks[i]);

			if (doc->len - at < n ||
			    memcmp(doc->bytes + at, marks[i], n) != 0)
				continue;
			place_of(doc, at, &line, &column);
			conf_doc_error(doc, line, column,
				       "an invisible line separator (U+%04X) stands "
				       "here: take it out, or break the line",
				       numbers[i]);
			return true;
		}
	}
	return false;
}

static void check_end(struct conf_doc *doc, bool closed)
{
	const struct conf_node *root = doc->root;
	unsigned int last = (unsigned int)doc->n_lines;
	char c = doc->bytes[doc->len - 1];

	if (c == '\n' || c == '\r' || closed || (root && root->flow))
		return;
	conf_doc_error(
		doc, last, (unsigned int)view(doc, last).len + 1,
		"the file ends in the middle of this line, as if it were cut off: if "
		"it is whole, end the line with a line break");
	doc->broken = true;
}

int conf_doc_parse(struct conf_doc *doc, const char *file, const char *bytes,
		   size_t len, bool secret, struct conf_report *report)
{
	struct composer c = {.doc = doc};
	size_t bom = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	bool closed = false;

	*doc = (struct conf_doc){.secret = secret, .report = report};
	doc->file = ed_strdup(file);
	doc->len = len - bom;
	doc->bytes = ed_alloc(doc->len + 1);
	memcpy(doc->bytes, bytes + bom, doc->len);
	index_lines(doc);

	if (doc->len >= 2 && (memcmp(doc->bytes, "\xff\xfe", 2) == 0 ||
			      memcmp(doc->bytes, "\xfe\xff", 2) == 0)) {
		conf_doc_error(doc, 0, 0,
			       "this is UTF-16 text: save the file as UTF-8");
		doc->broken = true;
		return -EINVAL;
	}
	if (nothing(doc)) {
		conf_doc_error(doc, 0, 0, "the file is empty");
		doc->broken = true;
		return -EINVAL;
	}
	if (odd_blanks(doc) || odd_breaks(doc)) {
		doc->broken = true;
		return -EINVAL;
	}
	if (!yaml_parser_initialize(&c.parser))
		abort();
	yaml_parser_set_encoding(&c.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&c.parser, (const unsigned char *)doc->bytes,
				     doc->len);
	if (!compose_document(&c, &closed)) {
		doc->broken = true;
		drop_last(doc->root, c.last);
		if (c.parser.error != YAML_NO_ERROR)
			translate(doc, &c.parser);
	} else {
		check_end(doc, closed);
	}
	yaml_parser_delete(&c.parser);
	return doc->broken || c.refused ? -EINVAL : 0;
}

void conf_doc_fini(struct conf_doc *doc)
{
	node_free(doc->root);
	if (doc->bytes)
		secret_wipe(doc->bytes, doc->len);
	free(doc->bytes);
	free(doc->lines);
	free(doc->file);
	*doc = (struct conf_doc){0};
}
