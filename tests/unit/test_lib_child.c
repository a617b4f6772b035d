/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>

#include "lib/child.h"
#include "lib/loop.h"

/* Of what ends by itself, on however slow a machine. */
enum { LIMIT_MS = 60000 };

struct result {
	struct loop *loop;
	int status;
	char output[256];
	int calls;
};

static void on_done(void *ctx, int status, const char *output, size_t len)
{
	struct result *r = ctx;

	r->status = status;
	r->calls++;
	assert_true(len < sizeof(r->output));
	memcpy(r->output, output, len + 1);
	loop_stop(r->loop);
}

static void go(const struct child_spec *spec, struct result *r)
{
	*r = (struct result){.loop = loop_new()};
	assert_non_null(child_run(r->loop, spec, on_done, r));
	loop_run(r->loop);
	loop_free(r->loop);
	assert_int_equal(r->calls, 1);
}

static const char *const cat[] = {"cat", NULL};
static const char *const sleeps[] = {"sleep", "60", NULL};
static const char *const nothing[] = {"no-such-program-here", NULL};
static const char *const fails[] = {"sh", "-c", "echo out; echo err >&2; exit 7", NULL};
static const char *const dies[] = {"sh", "-c", "kill -TERM $$", NULL};

static void test_input_comes_out_again(void **state)
{
	struct child_spec spec = {.argv = cat,
				  .input = "some words",
				  .input_len = 10,
				  .timeout_ms = LIMIT_MS,
				  .output_max = 100};
	struct result r;
	char out[64];

	(void)state;
	go(&spec, &r);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.output, "some words");
	assert_int_equal(child_run_wait(&spec, out, sizeof(out)), 0);
	assert_string_equal(out, "some words");
}

static void test_output_is_bounded(void **state)
{
	struct child_spec spec = {.argv = cat,
				  .input = "some words",
				  .input_len = 10,
				  .timeout_ms = LIMIT_MS,
				  .output_max = 4};
	struct result r;
	char out[5];

	(void)state;
	go(&spec, &r);
	assert_int_equal(r.status, 0);
	assert_string_equal(r.output, "some");
	assert_int_equal(child_run_wait(&spec, out, sizeof(out)), 0);
	assert_string_equal(out, "some");
}

static void test_status_and_both_outputs_are_told(void **state)
{
	struct child_spec spec = {.argv = fails,
				  .timeout_ms = LIMIT_MS,
				  .output_max = 100};
	struct result r;
	char out[64];

	(void)state;
	go(&spec, &r);
	assert_int_equal(r.status, 7);
	assert_string_equal(r.output, "out\nerr\n");
	assert_int_equal(child_run_wait(&spec, out, sizeof(out)), 7);
	spec.argv = dies;
	go(&spec, &r);
	assert_int_equal(r.status, 256 + SIGTERM);
}

static void test_what_hangs_is_killed(void **state)
{
	struct child_spec spec = {.argv = sleeps, .timeout_ms = 50, .output_max = 10};
	struct result r;
	char out[64];

	(void)state;
	go(&spec, &r);
	assert_int_equal(r.status, -ETIMEDOUT);
	assert_int_equal(child_run_wait(&spec, out, sizeof(out)), -ETIMEDOUT);
}

static void test_a_missing_program_is_told_from_the_loop(void **state)
{
	struct child_spec spec = {.argv = nothing,
				  .timeout_ms = LIMIT_MS,
				  .output_max = 9};
	struct result r;
	char out[64];

	(void)state;
	go(&spec, &r);
	assert_int_equal(r.status, -ENOENT);
	assert_int_equal(child_run_wait(&spec, out, sizeof(out)), -ENOENT);
}

static void test_a_cancelled_one_is_silent(void **state)
{
	struct child_spec spec = {.argv = sleeps,
				  .timeout_ms = LIMIT_MS,
				  .output_max = 9};
	struct result r = {.loop = loop_new()};

	(void)state;
	child_cancel(child_run(r.loop, &spec, on_done, &r));
	child_cancel(NULL);
	loop_run_once(r.loop);
	loop_free(r.loop);
	assert_int_equal(r.calls, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_input_comes_out_again),
		cmocka_unit_test(test_output_is_bounded),
		cmocka_unit_test(test_status_and_both_outputs_are_told),
		cmocka_unit_test(test_what_hangs_is_killed),
		cmocka_unit_test(test_a_missing_program_is_told_from_the_loop),
		cmocka_unit_test(test_a_cancelled_one_is_silent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
