/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The settings as JSON Schema (2020-12), made from the rows that the parser reads,
 * for editors that complete and check YAML. It says less than "edgectl check": what
 * takes more than one setting to judge is not in it.
 *
 * YAML readers of others make numbers and booleans of 20 and yes, so both forms
 * are allowed where edged reads one text.
 */
#include <string.h>

#include "edged/config/schema.h"
#include "edged/ctl/ctl.h"
#include "lib/alloc.h"
#include "lib/text.h"

enum { TEXT_MAX = 1024 };

static json_t *object_schema(const struct conf_schema *schema);

/* --- one value ---------------------------------------------------------------------- */

static json_t *words_schema(const struct conf_row *row)
{
	json_t *list = json_array();

	for (const struct conf_word *w = row->words; w->word; w++) {
		json_array_append_new(list, json_string(w->word));
		/* What YAML 1.1 makes of the plain word. */
		if (strcmp(w->word, "off") == 0)
			json_array_append_new(list, json_false());
	}
	return json_pack("{s:o}", "enum", list);
}

static json_t *number_schema(const struct conf_row *row)
{
	json_t *forms = json_pack("[{s:s}, {s:s, s:s}]", "type", "integer", "type",
				  "string", "pattern", row->kind->pattern);
	json_t *number = json_array_get(forms, 0);

	if (row->max) {
		json_object_set_new(number, "minimum",
				    json_integer((json_int_t)row->min));
		json_object_set_new(number, "maximum",
				    json_integer((json_int_t)row->max));
	}
	return json_pack("{s:o}", "anyOf", forms);
}

/* The form of a kind: its pattern, as text or as what YAML makes of it. */
static json_t *kind_schema(const struct conf_row *row)
{
	if (row->kind == &conf_kind_word)
		return words_schema(row);
	if (row->kind == &conf_kind_bool)
		return json_pack("{s:[{s:s}, {s:s, s:s}]}", "anyOf", "type", "boolean",
				 "type", "string", "pattern", row->kind->pattern);
	if (row->kind == &conf_kind_uint)
		return number_schema(row);
	if (row->kind->bare)
		return json_pack("{s:[s, s], s:s}", "type", "string", "integer",
				 "pattern", row->kind->pattern);
	return json_pack("{s:s, s:s}", "type", "string", "pattern", row->kind->pattern);
}

static json_t *value_schema(const struct conf_row *row)
{
	json_t *one = kind_schema(row);

	if (!(row->flags & CONF_OFF))
		return one;
	return json_pack("{s:[o, {s:[s, b]}]}", "anyOf", one, "enum", "off", 0);
}

/* --- rows --------------------------------------------------------------------------- */

/* One of a thing, or a list of them. */
static json_t *list_schema(json_t *one, size_t most)
{
	json_t *list = json_pack("{s:s, s:O, s:i}", "type", "array", "items", one,
				 "minItems", 1);

	if (most)
		json_object_set_new(list, "maxItems", json_integer((json_int_t)most));
	return json_pack("{s:[o, o]}", "anyOf", one, list);
}

static json_t *map_schema(const struct conf_row *row)
{
	json_t *map =
		json_pack("{s:s, s:{s:s}, s:o}", "type", "object", "propertyNames",
			  "pattern", "^[A-Za-z0-9][A-Za-z0-9.:_-]{0,62}$",
			  "additionalProperties", object_schema(row->sub));

	if (row->most)
		json_object_set_new(map, "maxProperties",
				    json_integer((json_int_t)row->most));
	return map;
}

static json_t *shape_schema(const struct conf_row *row)
{
	switch (row->shape) {
	case CONF_ONE:
		return value_schema(row);
	case CONF_LIST:
		return list_schema(value_schema(row), row->most);
	case CONF_SECTION:
		return object_schema(row->sub);
	case CONF_MAP:
		return map_schema(row);
	case CONF_ITEMS:
		return list_schema(object_schema(row->sub), row->most);
	}
	return json_object();
}

/* What people read while they type. */
static void describe(json_t *schema, const struct conf_row *row)
{
	char buf[TEXT_MAX];
	struct text t = text_init(buf, sizeof(buf));

	text_add(&t, "%s", row->help);
	if (row->kind)
		text_add(&t, " Write %s.", row->kind->form);
	if (row->fallback)
		text_add(&t, " Default: %s.", row->fallback);
	else if (row->otherwise)
		text_add(&t, " Without it: %s.", row->otherwise);
	json_object_set_new(schema, "description", json_string(buf));
}

static bool shown(const struct conf_row *row)
{
	return !(row->flags & (CONF_INTERNAL | CONF_LATER));
}

static json_t *object_schema(const struct conf_schema *schema)
{
	json_t *properties = json_object();
	json_t *required = json_array();
	json_t *object;

	for (const struct conf_row *row = schema->rows; row->name; row++) {
		json_t *one;

		if (!shown(row))
			continue;
		one = shape_schema(row);
		describe(one, row);
		json_object_set_new(properties, row->name, one);
		if (row->flags & CONF_REQUIRED)
			json_array_append_new(required, json_string(row->name));
	}
	object = json_pack("{s:s, s:b, s:o}", "type", "object", "additionalProperties",
			   0, "properties", properties);
	if (json_array_size(required))
		json_object_set(object, "required", required);
	json_decref(required);
	return object;
}

enum ctl_exit ctl_schema(struct ctl *c, const struct ctl_command *cmd, char **args,
			 int n)
{
	json_t *schema = json_pack("{s:s, s:s, s:s}", "$schema",
				   "https://json-schema.org/draft/2020-12/schema",
				   "title", "edged.yaml", "description",
				   "Configuration of the SD-WAN edge router edged");
	json_t *top = object_schema(&config_schema);

	(void)cmd;
	(void)args;
	(void)n;
	json_object_update(schema, top);
	json_decref(top);
	ctl_print_json(c, schema);
	json_decref(schema);
	return CTL_DONE;
}
