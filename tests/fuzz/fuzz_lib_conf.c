/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A configuration file by a schema with one row of each shape and kind. */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/addr.h"
#include "lib/conf.h"
#include "lib/conf_report.h"
#include "lib/text.h"

struct object {
	char *name;
	uint64_t number;
	int64_t time;
	bool yes;
	struct conf_list hosts;
};

struct file {
	struct conf_list objects;
	struct conf_list items;
	struct conf_list prefixes;
	struct conf_list ifaddrs;
	struct addr addr;
	char *text;
	char *path;
	char *ifname;
	char *listen;
	uint64_t rate;
	uint64_t bytes;
	uint64_t percent;
	uint64_t word;
	struct object section;
};

static bool any_name(const char *name, char *why, size_t size)
{
	(void)why;
	(void)size;
	return strlen(name) < 32;
}

/* clang-format off */
static const struct conf_word words[] = { { "one", 1 }, { "two", 2 }, { NULL, 0 } };

#define OBJECT(m) offsetof(struct object, m)
static const struct conf_row object_rows[] = {
	{ "number", CONF_ONE, &conf_kind_uint, .offset = OBJECT(number), .min = 1, .max = 99,
	  .flags = CONF_REQUIRED, .example = "3" },
	{ "time", CONF_ONE, &conf_kind_duration, .offset = OBJECT(time), .fallback = "3s",
	  .flags = CONF_OFF, .min = 1, .max = 1000000000 },
	{ "yes", CONF_ONE, &conf_kind_bool, .offset = OBJECT(yes), .flags = CONF_IDLE },
	{ "hosts", CONF_LIST, &conf_kind_host, .offset = OBJECT(hosts), .most = 4,
	  .alias = "address peers" },
	{ "later", CONF_ONE, &conf_kind_bool, .offset = OBJECT(yes), .flags = CONF_LATER,
	  .help = "comes later" },
	{ .name = NULL } };
static const struct conf_schema object_schema = {
	.what = "object", .rows = object_rows, .size = sizeof(struct object),
	.name_offset = OBJECT(name), .name_ok = any_name };

#define FILE_(m) offsetof(struct file, m)
static const struct conf_row file_rows[] = {
	{ "objects", CONF_MAP, .sub = &object_schema, .offset = FILE_(objects), .most = 8 },
	{ "items", CONF_ITEMS, .sub = &object_schema, .offset = FILE_(items), .most = 8 },
	{ "section", CONF_SECTION, .sub = &object_schema, .offset = FILE_(section) },
	{ "prefixes", CONF_LIST, &conf_kind_prefix, .offset = FILE_(prefixes),
	  .fallback = "10.0.0.0/8, fc00::/7" },
	{ "ifaddrs", CONF_LIST, &conf_kind_ifaddr, .offset = FILE_(ifaddrs) },
	{ "addr", CONF_ONE, &conf_kind_addr, .offset = FILE_(addr) },
	{ "text", CONF_ONE, &conf_kind_text, .offset = FILE_(text) },
	{ "path", CONF_ONE, &conf_kind_path, .offset = FILE_(path) },
	{ "ifname", CONF_ONE, &conf_kind_ifname, .offset = FILE_(ifname) },
	{ "listen", CONF_ONE, &conf_kind_listen, .offset = FILE_(listen) },
	{ "rate", CONF_ONE, &conf_kind_rate, .offset = FILE_(rate) },
	{ "bytes", CONF_ONE, &conf_kind_bytes, .offset = FILE_(bytes) },
	{ "percent", CONF_ONE, &conf_kind_percent, .offset = FILE_(percent) },
	{ "word", CONF_ONE, &conf_kind_word, .offset = FILE_(word), .words = words },
	{ .name = NULL } };
static const struct conf_schema file_schema = {
	.what = "", .rows = file_rows, .size = sizeof(struct file) };
/* clang-format on */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_report report;
	struct conf_doc doc;
	struct file a = {0};
	struct file b = {0};
	struct conf *c;
	char *text;
	int err;

	if (size > 1 << 16)
		return 0;
	conf_report_init(&report);
	err = conf_doc_parse(&doc, "fuzz.yaml", (const char *)data, size, size & 1,
			     &report);
	assert((err == 0) || report.errors > 0);
	c = conf_new(&doc);
	conf_walk(c, &file_schema, &a);
	for (const struct conf_row *r = file_rows; r->name; r++) {
		char buf[512];
		struct text t = text_init(buf, sizeof(buf));

		if (r->shape != CONF_ONE && r->shape != CONF_LIST)
			continue;
		conf_copy(r, &b, &a);
		assert(conf_equal(r, &a, &b));
		conf_format(r, &a, &t);
	}
	conf_report_sort(&report, "fuzz.yaml");
	text = conf_report_text(&report);
	/* Nothing that a terminal would act on comes out. */
	for (const char *s = text; *s; s++)
		assert((unsigned char)*s >= ' ' || *s == '\n' || *s == '\t');
	free(text);
	conf_free_value(&file_schema, &a);
	conf_free_value(&file_schema, &b);
	conf_free(c);
	conf_doc_fini(&doc);
	conf_report_fini(&report);
	return 0;
}
