/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings as mdoc(7): a subsection for each block, an item for each setting,
 * one new sentence on a line.
 */
#include <stdio.h>
#include <string.h>

#include "edged/config/schema.h"
#include "lib/alloc.h"
#include "lib/conf.h"
#include "lib/text.h"

enum { BLOCK_LEN = 128, LINE_LEN = 78 };

/* Text for mdoc: sentences begin lines, lines are short, no word is a macro. */
static void put_text(FILE *fp, const char *text)
{
	size_t column = 0;

	/* Ends: each round takes a word and the blanks behind it. */
	for (const char *s = text; *s;) {
		size_t len = strcspn(s, " ");

		if (column && (s[-2] == '.' || column + 1 + len > LINE_LEN)) {
			fputc('\n', fp);
			column = 0;
		}
		if (column)
			fputc(' ', fp);
		else if (*s == '.' || *s == '\'')
			fputs("\\&", fp);
		fprintf(fp, "%.*s", (int)len, s);
		column += len + 1;
		s += len;
		s += strspn(s, " ");
	}
	fputc('\n', fp);
}

static void put_sentence(FILE *fp, const char *begin, const char *rest)
{
	char buf[512];

	snprintf(buf, sizeof(buf), "%s %s.", begin, rest);
	put_text(fp, buf);
}

static const char *cost_text(int cost)
{
	switch ((enum config_cost)cost) {
	case CONFIG_COST_LIVE:
		return NULL;
	case CONFIG_COST_PROBE:
		return "A change starts probing anew.";
	case CONFIG_COST_BGP:
		return "A change restarts BGP sessions.";
	case CONFIG_COST_TUNNEL:
		return "A change restarts the tunnels that it concerns.";
	case CONFIG_COST_DAEMON:
		return "A change needs a restart of edged.";
	}
	return NULL;
}

static void put_limits(FILE *fp, const struct conf_row *r)
{
	struct conf_row plain = *r;
	char buf[128];
	struct text t = text_init(buf, sizeof(buf));

	if (!r->kind->number || (r->min == 0 && r->max == 0))
		return;
	plain.flags = 0;
	r->kind->format(&plain, &r->min, &t);
	text_add(&t, " to ");
	r->kind->format(&plain, &r->max, &t);
	fprintf(fp, "%s%s.\n", buf, r->flags & CONF_OFF ? ", or off" : "");
}

static void put_words(FILE *fp, const struct conf_row *r)
{
	if (!r->words)
		return;
	fputs("One of", fp);
	for (const struct conf_word *w = r->words; w->word; w++)
		fprintf(fp, "%s%s",
			w == r->words ? " "
			: w[1].word   ? ", "
				      : " or ",
			w->word);
	fputs(".\n", fp);
}

static void put_default(FILE *fp, const struct conf_row *r, const char *from)
{
	if (r->flags & CONF_REQUIRED)
		fputs("It must be there.\n", fp);
	else if (r->fallback)
		put_sentence(fp, "Default:", r->fallback);
	else if (r->otherwise)
		put_sentence(fp, "Without it:", r->otherwise);
	else if (from)
		put_sentence(fp, "Without it:", from);
}

static void put_row(FILE *fp, const struct conf_row *r, const char *from)
{
	const char *cost = cost_text(r->cost);

	fprintf(fp, ".It Cm %s : ", r->name);
	if (r->shape == CONF_LIST)
		fprintf(fp, "Ar %s , No or a list of them\n", r->kind->form);
	else if (r->shape == CONF_ONE)
		fprintf(fp, "Ar %s\n", r->kind->form);
	else if (r->shape == CONF_MAP)
		fprintf(fp, "Ar a block for each %s\n", r->sub->what);
	else if (r->shape == CONF_ITEMS)
		fprintf(fp, "Ar a block , No or a list of them\n");
	else
		fprintf(fp, "Ar a block\n");
	put_text(fp, r->help);
	if (r->kind) {
		put_words(fp, r);
		put_limits(fp, r);
	}
	put_default(fp, r, from);
	if (r->flags & CONF_IDLE)
		fputs("It has no effect yet.\n", fp);
	else if (cost)
		fprintf(fp, "%s\n", cost);
	if (r->example && r->kind)
		fprintf(fp, "Example:\n.Ql %s : %s\n", r->name, r->example);
}

static bool shown(const struct conf_row *r)
{
	return !(r->flags & (CONF_INTERNAL | CONF_LATER));
}

/* What a preset says, too, comes last: few need it. */
static bool in_preset(const struct conf_row *r)
{
	return conf_row(&config_preset_schema, r->name) != NULL;
}

/* The rows of one block, then those of the blocks within it. */
static void put_block(FILE *fp, const struct conf_schema *schema, const char *block)
{
	bool peer = schema == &config_peer_schema;

	fprintf(fp, ".Ss %s\n", *block ? block : "Top level");
	if (schema->help)
		put_text(fp, schema->help);
	fputs(".Bl -tag -width Ds\n", fp);
	for (const struct conf_row *r = schema->rows; r->name; r++)
		if (shown(r) && !(peer && in_preset(r)))
			put_row(fp, r, NULL);
	for (const struct conf_row *r = schema->rows; peer && in_preset(r); r++)
		put_row(fp, r, "that of the preset");
	fputs(".El\n", fp);
	for (const struct conf_row *r = schema->rows; r->name; r++) {
		char sub[BLOCK_LEN];

		if (!shown(r) || !r->sub)
			continue;
		snprintf(sub, sizeof(sub), "%s%s%s%s", block, *block ? "." : "",
			 r->name, r->shape == CONF_MAP ? ".NAME" : "");
		put_block(fp, r->sub, sub);
	}
}

void config_manual(FILE *fp)
{
	put_block(fp, &config_schema, "");
}
