/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/promtext.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"

static bool name_ok(const char *s, bool colons)
{
	if (!s || !*s || isdigit((unsigned char)*s))
		return false;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '_' && !(colons && *s == ':'))
			return false;
	return true;
}

static bool type_ok(const char *type)
{
	static const char *const types[] = {"gauge", "counter", "histogram"};

	for (size_t i = 0; type && i < ARRAY_LEN(types); i++)
		if (strcmp(types[i], type) == 0)
			return true;
	return false;
}

/* Backslash and line break; in the value of a label the quote, too. */
static void put_escaped(FILE *fp, const char *s, bool quote)
{
	for (; *s; s++) {
		if (*s == '\n')
			fputs("\\n", fp);
		else if (*s == '\\' || (quote && *s == '"'))
			fprintf(fp, "\\%c", *s);
		else
			fputc(*s, fp);
	}
}

/* The shortest text that reads back as the same number. */
static void put_number(FILE *fp, const json_t *v)
{
	double d = json_number_value(v);
	char buf[40];

	if (json_is_integer(v)) {
		fprintf(fp, "%lld", (long long)json_integer_value(v));
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(buf, sizeof(buf), "%.*g", digits, d);
		if (strtod(buf, NULL) == d)
			break;
	}
	fputs(buf, fp);
}

static bool put_labels(FILE *fp, json_t *labels)
{
	const char *sep = "{";
	const char *key;
	const json_t *v;

	if (labels && !json_is_object(labels))
		return false;
	json_object_foreach (labels, key, v) {
		if (!name_ok(key, false) || !json_is_string(v))
			return false;
		fprintf(fp, "%s%s=\"", sep, key);
		put_escaped(fp, json_string_value(v), true);
		fputc('"', fp);
		sep = ",";
	}
	if (*sep == ',')
		fputc('}', fp);
	return true;
}

static bool put_sample(FILE *fp, const char *name, const json_t *sample)
{
	const json_t *suffix = json_object_get(sample, "suffix");
	const json_t *value = json_object_get(sample, "value");
	const char *end = suffix ? json_string_value(suffix) : "";

	if (json_is_null(value))
		return true;
	if (!json_is_number(value) || !end || (*end && !name_ok(end, false)))
		return false;
	fprintf(fp, "%s%s", name, end);
	if (!put_labels(fp, json_object_get(sample, "labels")))
		return false;
	fputc(' ', fp);
	put_number(fp, value);
	fputc('\n', fp);
	return true;
}

static bool measured(const json_t *samples)
{
	const json_t *s;
	size_t i;

	json_array_foreach (samples, i, s)
		if (!json_is_null(json_object_get(s, "value")))
			return true;
	return false;
}

static bool put_family(FILE *fp, const json_t *family)
{
	const char *name = json_string_value(json_object_get(family, "name"));
	const char *type = json_string_value(json_object_get(family, "type"));
	const char *help = json_string_value(json_object_get(family, "help"));
	const json_t *samples = json_object_get(family, "samples");
	const json_t *s;
	size_t i;

	if (!name_ok(name, true) || !type_ok(type) || !help || !json_is_array(samples))
		return false;
	if (!measured(samples))
		return true;
	fprintf(fp, "# HELP %s ", name);
	put_escaped(fp, help, false);
	fprintf(fp, "\n# TYPE %s %s\n", name, type);
	json_array_foreach (samples, i, s)
		if (!put_sample(fp, name, s))
			return false;
	return true;
}

int promtext_render(const json_t *answer, char **ret, size_t *ret_len)
{
	const json_t *families = json_object_get(answer, "families");
	const json_t *family;
	char *text = NULL;
	size_t len = 0;
	bool good = json_is_array(families);
	FILE *fp;
	size_t i;

	fp = open_memstream(&text, &len);
	if (!fp)
		abort();
	json_array_foreach (families, i, family)
		good = good && put_family(fp, family);
	if (fclose(fp) != 0)
		abort();
	if (!good) {
		free(text);
		return -EINVAL;
	}
	*ret = text;
	*ret_len = len;
	return 0;
}
