/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics as text: what Prometheus reads, and nothing else. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/promtext.h"
#include "tests/unit/cm.h"

/* The text of one family, or NULL when it is refused. */
static char *render(const char *family)
{
	char json[1024];
	char *text = NULL;
	size_t len = 0;
	json_t *answer;
	int err;

	snprintf(json, sizeof(json), "{\"families\": [%s]}", family);
	answer = json_loads(json, 0, NULL);
	assert_non_null(answer);
	err = promtext_render(answer, &text, &len);
	json_decref(answer);
	assert_true(err == 0 || err == -EINVAL);
	if (err == 0)
		assert_int_equal(strlen(text), len);
	return text;
}

static void test_values_keep_every_digit_that_counts(void **state)
{
	static const struct {
		const char *value;
		const char *line;
	} rows[] = {
		{"0.1", "m 0.1\n"},
		{"1.5", "m 1.5\n"},
		{"9007199254740993", "m 9007199254740993\n"},
		{"-3", "m -3\n"},
		{"1764079331.123456", "m 1764079331.123456\n"},
		{"0.30000000000000004", "m 0.30000000000000004\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char family[256];
		char *text;

		snprintf(family, sizeof(family),
			 "{\"name\": \"m\", \"type\": \"gauge\", \"help\": \"h\", "
			 "\"samples\": [{\"value\": %s}]}",
			 rows[i].value);
		text = render(family);
		assert_non_null(text);
		assert_string_equal(strstr(text, "\nm ") + 1, rows[i].line);
		free(text);
	}
}

static void test_texts_are_escaped(void **state)
{
	char *text = render(
		"{\"name\": \"m\", \"type\": \"counter\", \"help\": \"a\\nb \\\"c\\\" \\\\\", "
		"\"samples\": [{\"labels\": {\"l\": \"x\\\"y\\\\z\\n\"}, \"value\": 1}]}");

	(void)state;
	assert_string_equal(text, "# HELP m a\\nb \"c\" \\\\\n# TYPE m counter\n"
				  "m{l=\"x\\\"y\\\\z\\n\"} 1\n");
	free(text);
}

static void test_a_histogram_has_its_lines(void **state)
{
	char *text = render(
		"{\"name\": \"rtt_seconds\", \"type\": \"histogram\", \"help\": \"h\", "
		"\"samples\": ["
		"{\"suffix\": \"_bucket\", \"labels\": {\"peer\": \"hub\", \"le\": \"0.001\"}, "
		"\"value\": 2},"
		"{\"suffix\": \"_bucket\", \"labels\": {\"peer\": \"hub\", \"le\": \"+Inf\"}, "
		"\"value\": 3},"
		"{\"suffix\": \"_sum\", \"labels\": {\"peer\": \"hub\"}, \"value\": 0.25},"
		"{\"suffix\": \"_count\", \"labels\": {\"peer\": \"hub\"}, \"value\": 3}]}");

	(void)state;
	assert_string_equal(text, "# HELP rtt_seconds h\n# TYPE rtt_seconds histogram\n"
				  "rtt_seconds_bucket{peer=\"hub\",le=\"0.001\"} 2\n"
				  "rtt_seconds_bucket{peer=\"hub\",le=\"+Inf\"} 3\n"
				  "rtt_seconds_sum{peer=\"hub\"} 0.25\n"
				  "rtt_seconds_count{peer=\"hub\"} 3\n");
	free(text);
}

static void test_what_nothing_measured_has_no_line(void **state)
{
	char *text = render("{\"name\": \"m\", \"type\": \"gauge\", \"help\": \"h\", "
			    "\"samples\": [{\"value\": null}]}");

	(void)state;
	assert_string_equal(text, "");
	free(text);
	text = render("{\"name\": \"m\", \"type\": \"gauge\", \"help\": \"h\", "
		      "\"samples\": [{\"value\": null}, {\"value\": 2}]}");
	assert_string_equal(text, "# HELP m h\n# TYPE m gauge\nm 2\n");
	free(text);
}

static void test_what_is_no_metric_is_refused(void **state)
{
	static const char *const bad[] = {
		"{\"name\": \"1m\", \"type\": \"gauge\", \"help\": \"\", \"samples\": []}",
		"{\"name\": \"m m\", \"type\": \"gauge\", \"help\": \"\", \"samples\": []}",
		"{\"name\": \"m\", \"type\": \"odd\", \"help\": \"\", \"samples\": []}",
		"{\"name\": \"m\", \"type\": \"gauge\", \"samples\": []}",
		"{\"name\": \"m\", \"type\": \"gauge\", \"help\": \"\"}",
		"{\"name\": \"m\", \"type\": \"gauge\", \"help\": \"\", "
		"\"samples\": [{\"value\": \"1\"}]}",
		"{\"name\": \"m\", \"type\": \"gauge\", \"help\": \"\", "
		"\"samples\": [{}]}",
		"{\"name\": \"m\", \"type\": \"gauge\", \"help\": \"\", "
		"\"samples\": [{\"labels\": {\"a-b\": \"x\"}, \"value\": 1}]}",
		"{\"name\": \"m\", \"type\": \"gauge\", \"help\": \"\", "
		"\"samples\": [{\"labels\": {\"a\": 1}, \"value\": 1}]}",
		"{\"name\": \"m\", \"type\": \"gauge\", \"help\": \"\", "
		"\"samples\": [{\"labels\": [], \"value\": 1}]}",
		"{\"name\": \"m\", \"type\": \"gauge\", \"help\": \"\", "
		"\"samples\": [{\"suffix\": \" x\", \"value\": 1}]}",
		"7",
	};
	json_t *none = json_object();
	size_t len;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(render(bad[i]));
	assert_int_equal(promtext_render(none, &text, &len), -EINVAL);
	json_decref(none);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values_keep_every_digit_that_counts),
		cmocka_unit_test(test_texts_are_escaped),
		cmocka_unit_test(test_a_histogram_has_its_lines),
		cmocka_unit_test(test_what_nothing_measured_has_no_line),
		cmocka_unit_test(test_what_is_no_metric_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
