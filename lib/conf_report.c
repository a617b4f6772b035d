/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/conf_report.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/text.h"

enum {
	SHOWN_MAX = 120, /* characters of a line shown */
	SHOWN_BEFORE = 80, /* of them before the caret, where the line is longer */
	TEXT_MAX = 1024, /* bytes of a message */
};

/* Characters that change what a terminal or a reader's eye does. */
static bool unsafe(uint32_t c)
{
	return (c < 0x20 && c != '\t') || (c >= 0x7f && c < 0xa0) ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0xad || c >= 0xe0000;
}

size_t conf_report_char(const char *s, size_t len)
{
	uint32_t c = 0;
	size_t n = text_utf8(s, len, &c);

	return n && !unsafe(c) ? n : 0;
}

/* Blanks beside the plain one, as Unicode has them. */
static bool odd_blank(uint32_t c)
{
	return c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

void conf_report_odd(const char *text, bool letters, struct text *t)
{
	const char *letter = NULL;
	size_t len = strlen(text);

	/* Ends: each round takes at least one byte. */
	for (size_t i = 0; i < len;) {
		uint32_t c = 0;
		size_t n = text_utf8(text + i, len - i, &c);

		if (n > 1 && (odd_blank(c) || unsafe(c))) {
			text_add(t, " (it holds %s, U+%04X)",
				 odd_blank(c) ? "a blank that is no plain space"
					      : "an invisible character",
				 c);
			return;
		}
		if (n > 1 && !letter)
			letter = text + i;
		i += n ? n : 1;
	}
	if (letter && letters) {
		uint32_t c = 0;
		size_t n = text_utf8(letter, strlen(letter), &c);

		text_add(t, " ('%.*s' in it is U+%04X, no plain character)", (int)n,
			 letter, c);
	}
}

/* The same text with every other character as '?'. */
static char *safe_text(const char *text)
{
	char *out = ed_strdup(text);
	size_t len = strlen(out);

	/* Ends: each round takes at least one byte. */
	for (size_t i = 0; i < len;) {
		size_t n = conf_report_char(out + i, len - i);

		if (n == 0)
			out[i] = '?';
		i += n ? n : 1;
	}
	return out;
}

/*
 * A copy of the line that any terminal may show, one character for one, cut to
 * a window around column. *caret becomes the characters before the caret.
 */
static char *safe_line(const char *line, size_t len, unsigned int column,
		       unsigned int *caret)
{
	const char *s = line;
	size_t skip = column > SHOWN_MAX ? column - SHOWN_BEFORE : 0;
	char *out = ed_alloc(4 * (size_t)SHOWN_MAX + 16);
	size_t pos = 0;
	size_t at = 0;

	if (skip) {
		memcpy(out, "...", 3);
		pos = 3;
	}
	*caret = (unsigned int)(column ? column - 1 - skip + pos : 0);
	/* Ends: each round takes at least one byte. */
	while (len > 0 && at < skip + SHOWN_MAX) {
		uint32_t c = 0;
		size_t n = text_utf8(s, len, &c);

		if (at >= skip) {
			if (n == 0 || unsafe(c)) {
				out[pos++] = '?';
			} else {
				memcpy(out + pos, s, n);
				pos += n;
			}
		}
		n = n ? n : 1;
		s += n;
		len -= n;
		at++;
	}
	if (len > 0) {
		memcpy(out + pos, "...", 3);
		pos += 3;
	}
	while (pos > 0 && (out[pos - 1] == ' ' || out[pos - 1] == '\t'))
		pos--;
	out[pos] = '\0';
	return out;
}

void conf_report_init(struct conf_report *r)
{
	*r = (struct conf_report){0};
}

void conf_report_fini(struct conf_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].file);
		free(r->v[i].text);
		free(r->v[i].source);
	}
	free(r->v);
	conf_report_init(r);
}

void conf_report_add(struct conf_report *r, bool error, const char *file,
		     unsigned int line, unsigned int column, const char *source,
		     size_t len, const char *fmt, ...)
{
	char text[TEXT_MAX];
	struct conf_message *m;
	va_list ap;

	if (error)
		r->errors++;
	else
		r->warnings++;
	if (r->n >= CONF_REPORT_MAX)
		return;
	if (r->n == r->cap) {
		r->cap = r->cap ? 2 * r->cap : 16;
		r->v = ed_realloc(r->v, r->cap, sizeof(*r->v));
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	m = &r->v[r->n++];
	*m = (struct conf_message){.error = error, .line = line, .column = column};
	m->file = safe_text(file ? file : "");
	m->text = safe_text(text);
	if (source && line)
		m->source = safe_line(source, len, column, &m->caret);
}

static int by_place(const void *a, const void *b)
{
	const struct conf_message *x = a;
	const struct conf_message *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return 0;
}

/* Insertion keeps equal places in the order in which they were found. */
static void sort_run(struct conf_message *v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct conf_message m = v[i];
		size_t k = i;

		for (; k > 0 && by_place(&v[k - 1], &m) > 0; k--)
			v[k] = v[k - 1];
		v[k] = m;
	}
}

/* Bring the messages of file to start, the others keep their order; their end. */
static size_t gather(struct conf_report *r, size_t start, const char *file)
{
	size_t end = start;

	for (size_t i = start; i < r->n; i++) {
		struct conf_message m = r->v[i];

		/* file may be a message's own text: it moves, and stays as it is. */
		if (strcmp(m.file, file) != 0)
			continue;
		memmove(&r->v[end + 1], &r->v[end], (i - end) * sizeof(m));
		r->v[end++] = m;
	}
	return end;
}

void conf_report_sort(struct conf_report *r, const char *first)
{
	size_t start = gather(r, 0, first);

	sort_run(r->v, start);
	/* Ends: each round takes at least the message at start. */
	while (start < r->n) {
		size_t end = gather(r, start, r->v[start].file);

		sort_run(r->v + start, end - start);
		start = end;
	}
}

static void print_caret(const struct conf_message *m, FILE *fp)
{
	const char *s = m->source;

	/* Tabs stay tabs, so that the caret stands under what it means. */
	for (unsigned int i = 0; i < m->caret; i++) {
		fputc(*s == '\t' ? '\t' : ' ', fp);
		if (!*s)
			continue;
		for (s++; (*s & 0xc0) == 0x80;)
			s++;
	}
	fputs("^\n", fp);
}

void conf_report_print(const struct conf_report *r, FILE *fp)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct conf_message *m = &r->v[i];

		if (m->line)
			fprintf(fp, "%s:%u:%u: ", m->file, m->line, m->column);
		else if (m->file[0])
			fprintf(fp, "%s: ", m->file);
		fprintf(fp, "%s: %s\n", m->error ? "error" : "warning", m->text);
		if (m->source) {
			fprintf(fp, "    %s\n    ", m->source);
			print_caret(m, fp);
		}
	}
	if (r->errors + r->warnings > r->n)
		fprintf(fp, "and %zu more\n", r->errors + r->warnings - r->n);
}

char *conf_report_text(const struct conf_report *r)
{
	char *text = NULL;
	size_t len = 0;
	FILE *fp = open_memstream(&text, &len);

	if (!fp)
		return ed_strdup("");
	conf_report_print(r, fp);
	fclose(fp);
	return text;
}
