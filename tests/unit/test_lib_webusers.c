/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/webusers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/cm.h"

static const char good[] =
	"# comment\n"
	"\n"
	"alice:operator:$y$j9T$abcdefghijklmnopqrstuv$hashhashhashhash\n"
	"prom:viewer:sha256="
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n";

static void test_a_file_is_read(void **state)
{
	struct webusers u = {0};
	char why[160] = "";

	(void)state;
	assert_int_equal(webusers_parse(&u, good, strlen(good), why, sizeof(why)), 0);
	assert_int_equal(u.n, 2);
	assert_int_equal(webusers_find(&u, "alice")->kind, WEBUSERS_USER);
	assert_int_equal(webusers_find(&u, "alice")->role, WEBUSERS_OPERATOR);
	assert_int_equal(webusers_find(&u, "prom")->kind, WEBUSERS_TOKEN);
	assert_int_equal(strlen(webusers_find(&u, "prom")->hash), 64);
	assert_null(webusers_find(&u, "bob"));
	webusers_fini(&u);
}

static void test_damaged_lines_are_refused(void **state)
{
	static const char *const bad[] = {
		"alice\n",
		"alice:operator\n",
		"alice:operator:\n",
		":operator:$y$j9T$abcdefghijklmnopqrstuv$hash\n",
		"al ice:operator:$y$j9T$abcdefghijklmnopqrstuv$hash\n",
		".alice:operator:$y$j9T$abcdefghijklmnopqrstuv$hash\n",
		"alice:root:$y$j9T$abcdefghijklmnopqrstuv$hash\n",
		"alice:none:$y$j9T$abcdefghijklmnopqrstuv$hash\n",
		"alice:operator:plaintextpassword\n",
		"alice:operator:$y$j9T$abcdefghijklmnopqrstuv$ha sh\n",
		"alice:operator:$y$j9T$abcdefghijklmnopqrstuv$ha:sh\n",
		"alice:operator:*\n",
		"prom:viewer:sha256=0123\n",
		"prom:viewer:sha256="
		"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\n",
		"a:viewer:$y$j9T$abcdefghijklmnopqrstuv$hash", /* cut off */
		"a:viewer:$y$j9T$abcdefghijklmnopqrstuv$hash\n"
		"a:operator:$y$j9T$abcdefghijklmnopqrstuv$hash\n",
		"averyveryverylongnamethatnobodyhas:viewer:$y$j9T$abcdefghijklmnop$h\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct webusers u = {0};
		char why[160] = "";

		assert_int_equal(webusers_parse(&u, bad[i], strlen(bad[i]), why,
						sizeof(why)),
				 -EINVAL);
		assert_int_equal(strncmp(why, "line ", 5), 0);
		assert_null(strstr(why, "hash\n"));
		assert_null(strstr(why, "$y$"));
		webusers_fini(&u);
	}
}

static void test_a_password_fits_its_hash_only(void **state)
{
	struct webusers u = {0};
	const char *first;
	char old[WEBUSERS_HASH_MAX];
	char why[160] = "";

	(void)state;
	assert_int_equal(webusers_set_password(&u, "alice", WEBUSERS_NONE,
					       "correct horse", why, sizeof(why)),
			 0);
	first = webusers_find(&u, "alice")->hash;
	assert_int_equal(strncmp(first, "$y$", 3), 0);
	assert_null(strstr(first, "correct"));
	assert_int_equal(webusers_find(&u, "alice")->role, WEBUSERS_OPERATOR);
	assert_true(webusers_verify("correct horse", first));
	assert_false(webusers_verify("correct horsf", first));
	assert_false(webusers_verify("", first));
	assert_false(webusers_verify("correct horse", NULL));
	memcpy(old, first, sizeof(old));
	/* A salt of its own each time; the role stays unless one is given. */
	assert_int_equal(webusers_set_password(&u, "alice", WEBUSERS_VIEWER,
					       "correct horse", why, sizeof(why)),
			 0);
	assert_string_not_equal(old, webusers_find(&u, "alice")->hash);
	assert_int_equal(webusers_find(&u, "alice")->role, WEBUSERS_VIEWER);
	assert_int_equal(webusers_set_password(&u, "alice", WEBUSERS_NONE, "short", why,
					       sizeof(why)),
			 -EINVAL);
	assert_int_equal(webusers_set_password(&u, "a:b", WEBUSERS_NONE, "long enough",
					       why, sizeof(why)),
			 -EINVAL);
	webusers_fini(&u);
}

static double cpu_of(const char *hash)
{
	struct timespec a;
	struct timespec b;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
	assert_false(webusers_verify("not the password", hash));
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
	return (double)(b.tv_sec - a.tv_sec) + (double)(b.tv_nsec - a.tv_nsec) / 1e9;
}

static void test_an_unknown_user_costs_as_much(void **state)
{
	char hash[WEBUSERS_HASH_MAX];
	double known = 0;
	double unknown = 0;

	(void)state;
	assert_int_equal(webusers_hash("some password", hash), 0);
	for (int i = 0; i < 3; i++) {
		known += cpu_of(hash);
		unknown += cpu_of(NULL);
	}
	assert_true(unknown > known / 2);
	assert_true(known > 3 * 0.002);
}

static void test_tokens_are_known_by_their_hash(void **state)
{
	struct webusers u = {0};
	char token[WEBUSERS_TOKEN_MAX];
	char second[WEBUSERS_TOKEN_MAX];
	char why[160] = "";

	(void)state;
	assert_int_equal(webusers_add_token(&u, "prom", WEBUSERS_VIEWER, token, why,
					    sizeof(why)),
			 0);
	assert_int_equal(webusers_add_token(&u, "ops", WEBUSERS_OPERATOR, second, why,
					    sizeof(why)),
			 0);
	assert_int_equal(strlen(token), 4 + 64);
	assert_string_equal(webusers_token(&u, token)->name, "prom");
	assert_string_equal(webusers_token(&u, second)->name, "ops");
	token[10] = token[10] == '0' ? '1' : '0';
	assert_null(webusers_token(&u, token));
	assert_null(webusers_token(&u, ""));
	/* The hash itself opens nothing. */
	assert_null(webusers_token(&u, webusers_find(&u, "prom")->hash));
	assert_int_equal(webusers_add_token(&u, "prom", WEBUSERS_VIEWER, token, why,
					    sizeof(why)),
			 -EEXIST);
	assert_int_equal(webusers_set_password(&u, "prom", WEBUSERS_NONE, "long enough",
					       why, sizeof(why)),
			 -EEXIST);
	assert_int_equal(webusers_set_role(&u, "prom", WEBUSERS_OPERATOR), 0);
	assert_int_equal(webusers_set_role(&u, "nobody", WEBUSERS_OPERATOR), -ENOENT);
	assert_int_equal(webusers_remove(&u, "prom"), 0);
	assert_int_equal(webusers_remove(&u, "prom"), -ENOENT);
	assert_string_equal(webusers_token(&u, second)->name, "ops");
	webusers_fini(&u);
}

static int add_alice(void *ctx, struct webusers *u)
{
	char why[80];

	(void)ctx;
	return webusers_set_password(u, "alice", WEBUSERS_NONE, "correct horse", why,
				     sizeof(why));
}

static int add_token(void *ctx, struct webusers *u)
{
	char why[80];

	return webusers_add_token(u, "prom", WEBUSERS_VIEWER, ctx, why, sizeof(why));
}

static int refuse(void *ctx, struct webusers *u)
{
	(void)ctx;
	webusers_remove(u, "alice");
	return -ENOENT;
}

static void test_a_file_is_written_whole_and_for_its_owner_only(void **state)
{
	char dir[] = "/tmp/webusers.XXXXXX";
	char token[WEBUSERS_TOKEN_MAX];
	char path[64];
	char why[160] = "";
	struct webusers u;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/users", dir);
	assert_int_equal(webusers_load(&u, path, why, sizeof(why)), 0);
	assert_int_equal(u.n, 0);
	umask(0);
	assert_int_equal(webusers_update(path, add_alice, NULL, why, sizeof(why)), 0);
	assert_int_equal(webusers_update(path, add_token, token, why, sizeof(why)), 0);
	/* A change that was refused changes nothing. */
	assert_int_equal(webusers_update(path, refuse, NULL, why, sizeof(why)),
			 -ENOENT);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(webusers_load(&u, path, why, sizeof(why)), 0);
	assert_int_equal(u.n, 2);
	assert_true(webusers_verify("correct horse", webusers_find(&u, "alice")->hash));
	assert_string_equal(webusers_token(&u, token)->name, "prom");
	webusers_fini(&u);
	/* Readable by others: not used, and the sentence says the cure. */
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(webusers_load(&u, path, why, sizeof(why)), -EPERM);
	assert_non_null(strstr(why, "chmod 600"));
	assert_int_equal(unlink(path), 0);
	/* A link in its place is not followed. */
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(webusers_load(&u, path, why, sizeof(why)), -ELOOP);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_file_is_read),
		cmocka_unit_test(test_damaged_lines_are_refused),
		cmocka_unit_test(test_a_password_fits_its_hash_only),
		cmocka_unit_test(test_an_unknown_user_costs_as_much),
		cmocka_unit_test(test_tokens_are_known_by_their_hash),
		cmocka_unit_test(test_a_file_is_written_whole_and_for_its_owner_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
