/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/limits.h"

enum { NOBODY = 65534 };

static void set_files(rlim_t soft, rlim_t hard)
{
	const struct rlimit r = {soft, hard};

	if (setrlimit(RLIMIT_NOFILE, &r) < 0)
		_exit(100);
}

static rlim_t files(void)
{
	struct rlimit r;

	return getrlimit(RLIMIT_NOFILE, &r) < 0 ? 0 : r.rlim_cur;
}

/* What fn returns in a process of its own: limits do not come back. */
static int apart(int (*fn)(void))
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0)
		_exit(fn());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int raised(void)
{
	set_files(64, 256);
	limits_open_files(200);
	return files() == 200 ? 0 : 1;
}

static int larger(void)
{
	set_files(128, 256);
	limits_open_files(100);
	return files() == 128 ? 0 : 1;
}

/* More than the hard limit: who may not raise it takes all of it. */
static int more_than_allowed(void)
{
	set_files(64, 200);
	if (geteuid() == 0 && setresuid(NOBODY, NOBODY, NOBODY) < 0)
		return 100;
	limits_open_files(10000);
	return files() == 200 ? 0 : 1;
}

static void test_files_are_raised_never_lowered(void **state)
{
	(void)state;
	assert_int_equal(apart(raised), 0);
	assert_int_equal(apart(larger), 0);
	assert_int_equal(apart(more_than_allowed), 0);
}

static int coreless(void)
{
	struct rlimit r = {1, 1};

	limits_no_core();
	return getrlimit(RLIMIT_CORE, &r) == 0 && r.rlim_cur == 0 && r.rlim_max == 0
		       ? 0
		       : 1;
}

static void test_no_core_is_left(void **state)
{
	(void)state;
	assert_int_equal(apart(coreless), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files_are_raised_never_lowered),
		cmocka_unit_test(test_no_core_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
