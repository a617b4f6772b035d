/* SPDX-License-Identifier: GPL-2.0-or-later */
/* api and files: tables that requests are looked up in */
#include "webui/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/rpc.h"
#include "tests/unit/cm.h"
#include "webui/files.h"

static const struct api_row *row_of(enum http_method method, const char *path,
				    char name[GATE_VALUE_MAX])
{
	static const struct api_row nothing = {.rpc = "none"};
	const struct api_row *row = &nothing;
	const char *allow;

	assert_int_equal(api_find(method, path, &row, name, &allow), 0);
	return row;
}

static void test_only_what_the_table_has_exists(void **state)
{
	static const char *const none[] = {
		"",
		"/",
		"status/",
		"Status",
		"statusx",
		"peers/hub",
		"peers//restart",
		"peers/restart",
		"uplinks/",
		"uplinks/a/b",
		"config",
		"config.apply",
		"zebra.state",
		"peers/%2/rekey",
		"../status",
		"peers/a%00/rekey",
	};
	const struct api_row *row;
	char name[GATE_VALUE_MAX];
	const char *allow = "";

	(void)state;
	assert_string_equal(row_of(HTTP_GET, "status", name)->rpc, "status.get");
	assert_string_equal(row_of(HTTP_HEAD, "status", name)->rpc, "status.get");
	assert_string_equal(row_of(HTTP_POST, "peers/hub%2Dx/restart", name)->rpc,
			    "peer.restart");
	assert_string_equal(name, "hub-x");
	assert_int_equal(row_of(HTTP_POST, "uplinks/isp1", name)->role,
			 WEBUSERS_OPERATOR);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		assert_int_equal(api_find(HTTP_GET, none[i], &row, name, &allow),
				 -ENOENT);
		assert_int_equal(api_find(HTTP_POST, none[i], &row, name, &allow),
				 -ENOENT);
	}
	assert_int_equal(api_find(HTTP_POST, "status", &row, name, &allow),
			 -EOPNOTSUPP);
	assert_string_equal(allow, "GET, HEAD");
	assert_int_equal(api_find(HTTP_GET, "login", &row, name, &allow), -EOPNOTSUPP);
	assert_string_equal(allow, "POST");
	assert_int_equal(api_find(HTTP_OTHER, "status", &row, name, &allow),
			 -EOPNOTSUPP);
}

static void test_whatever_changes_something_takes_an_operator(void **state)
{
	static const char *const posts[] = {"uplinks/x", "peers/x/restart",
					    "peers/x/rekey"};
	char name[GATE_VALUE_MAX];

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(row_of(HTTP_POST, posts[i], name)->role,
				 WEBUSERS_OPERATOR);
}

static void test_queries_become_params(void **state)
{
	char name[GATE_VALUE_MAX];
	const struct api_row *row = row_of(HTTP_GET, "events", name);
	char why[160];
	json_t *p = api_query_params(row, "since=12&kind=a%20b", why, sizeof(why));

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(p, "since")), 12);
	assert_string_equal(json_string_value(json_object_get(p, "kind")), "a b");
	assert_int_equal(json_object_size(p), 2);
	json_decref(p);
	assert_null(api_query_params(row, "since=-1", why, sizeof(why)));
	assert_string_equal(why, "since must be a whole number");
	assert_null(
		api_query_params(row, "since=999999999999999999", why, sizeof(why)));
	assert_null(api_query_params(row, "by=x", why, sizeof(why)));
	assert_string_equal(why, "there is no parameter 'by' here");
	assert_null(api_query_params(row, "kind=%00", why, sizeof(why)));
}

/* Ten letters of two bytes: a key of them is cut in the middle of one. */
#define EACUTE "\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9\u00e9"

static void test_bodies_become_params(void **state)
{
	char name[GATE_VALUE_MAX];
	const struct api_row *row = row_of(HTTP_POST, "uplinks/isp1", name);
	json_t *body = json_pack("{s:s}", "state", "down");
	char why[160];
	char *told;
	json_t *p = api_body_params(row, name, body, why, sizeof(why));

	(void)state;
	assert_string_equal(json_string_value(json_object_get(p, "name")), "isp1");
	assert_true(json_is_false(json_object_get(p, "up")));
	assert_int_equal(json_object_size(p), 2);
	json_decref(p);
	json_object_set_new(body, "name", json_string("isp2"));
	assert_null(api_body_params(row, name, body, why, sizeof(why)));
	json_object_clear(body);
	assert_null(api_body_params(row, name, body, why, sizeof(why)));
	assert_string_equal(why, "state is missing");
	json_object_set_new(body, EACUTE "a" EACUTE EACUTE EACUTE EACUTE EACUTE,
			    json_true());
	assert_null(api_body_params(row, name, body, why, sizeof(why)));
	told = api_error("params", why);
	assert_non_null(strstr(told, "\"message\":\"there is no '" EACUTE "a" EACUTE));
	free(told);
	json_object_clear(body);
	json_object_set_new(body, "state", json_true());
	assert_null(api_body_params(row, name, body, why, sizeof(why)));
	json_decref(body);
}

static void test_errors_have_a_status_and_a_word(void **state)
{
	const char *word;
	char *text;

	(void)state;
	assert_int_equal(api_status(RPC_ENOTFOUND, &word), 404);
	assert_string_equal(word, "not_found");
	assert_int_equal(api_status(-ECONNRESET, &word), 503);
	assert_string_equal(word, "edged_away");
	assert_int_equal(api_status(-EPIPE, &word), 503);
	assert_int_equal(api_status(-ETIMEDOUT, &word), 504);
	assert_int_equal(api_status(RPC_EINTERNAL, &word), 500);
	text = api_error("x", "a \"b\"");
	assert_string_equal(text,
			    "{\"error\":{\"code\":\"x\",\"message\":\"a \\\"b\\\"\"}}");
	free(text);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[128];
	FILE *fp;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fp = fopen(path, "w");
	assert_non_null(fp);
	fputs(text, fp);
	assert_int_equal(fclose(fp), 0);
}

static void take(const char *dir, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(unlink(path), 0);
}

static void test_files_are_found_by_name_only(void **state)
{
	static const char *const all[] = {"index.html", "a.js",	 "a.js.gz",
					  "key.pem",	".b.js", "c d.js"};
	char dir[] = "/tmp/files.XXXXXX";
	const struct file *f;
	struct files *files;

	(void)state;
	log_open("test", LOG_LVL_ERROR);
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		put(dir, all[i], all[i]);
	put(dir, "b.js", "the same words, the same words, the same words");
	assert_int_equal(files_new("/none/such", &files), -ENOENT);
	assert_int_equal(files_new(dir, &files), 0);
	f = files_find(files, "/");
	assert_string_equal(f->name, "index.html");
	assert_memory_equal(f->bytes, "index.html", f->len);
	assert_null(f->gzip);
	f = files_find(files, "/b.js");
	assert_int_equal(f->len, 46);
	assert_in_range(f->gzip_len, 20, 45);
	assert_memory_equal(f->gzip, "\x1f\x8b\x08", 3);
	assert_string_not_equal(f->tag, f->gzip_tag);
	assert_non_null(files_find(files, "/a.js"));
	assert_null(files_find(files, "a.js"));
	assert_null(files_find(files, "/a.js.gz"));
	assert_null(files_find(files, "/key.pem"));
	assert_null(files_find(files, "/.b.js"));
	assert_null(files_find(files, "/c d.js"));
	assert_null(files_find(files, "/./a.js"));
	assert_null(files_find(files, "//a.js"));
	assert_null(files_find(files, ""));
	files_free(files);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		take(dir, all[i]);
	take(dir, "b.js");
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_what_the_table_has_exists),
		cmocka_unit_test(test_whatever_changes_something_takes_an_operator),
		cmocka_unit_test(test_queries_become_params),
		cmocka_unit_test(test_bodies_become_params),
		cmocka_unit_test(test_errors_have_a_status_and_a_word),
		cmocka_unit_test(test_files_are_found_by_name_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
