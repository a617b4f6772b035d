/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/text.h"
#include "routing/steer/memory.h"

static void test_written_lines_read_back(void **state)
{
	char buf[256];
	struct text t = text_init(buf, sizeof(buf));
	const char *pos = buf;
	struct steer_memory m;

	(void)state;
	steer_memory_member(&t, "voice", "hub/isp1", 255);
	steer_memory_penalty(&t, "aws/a/isp1", "default", 1834);
	assert_int_equal(steer_memory_next(&pos, buf + t.len, &m), 1);
	assert_int_equal(m.kind, STEER_MEMORY_MEMBER);
	assert_true(steer_memory_is(m.class_name, m.class_len, "voice"));
	assert_true(steer_memory_is(m.path, m.path_len, "hub/isp1"));
	assert_false(steer_memory_is(m.path, m.path_len, "hub/isp"));
	assert_int_equal(m.number, 255);
	assert_int_equal(steer_memory_next(&pos, buf + t.len, &m), 1);
	assert_int_equal(m.kind, STEER_MEMORY_PENALTY);
	assert_true(steer_memory_is(m.class_name, m.class_len, "default"));
	assert_true(steer_memory_is(m.path, m.path_len, "aws/a/isp1"));
	assert_int_equal(m.number, 1834);
	assert_int_equal(steer_memory_next(&pos, buf + t.len, &m), 0);
}

static void test_bad_lines_are_skipped_one_by_one(void **state)
{
	static const char text[] = "member voice hub/isp1\n"
				   "member voice hub/isp1 0\n"
				   "member voice hub/isp1 256\n"
				   "member voice hub/isp1 1 more\n"
				   "member  hub/isp1 1\n"
				   "penalty hub/isp1 voice -1\n"
				   "penalty hub/isp1 voice 12001\n"
				   "penalty hub/isp1 voice 99999999999\n"
				   "override isp1 down x\n"
				   "\n"
				   "\x01\xff\n"
				   "member voice hub/isp2 7\n"
				   "member voice hub/isp1 1"; /* cut off */
	const char *pos = text;
	const char *end = text + sizeof(text) - 1;
	struct steer_memory m;
	unsigned int good = 0;
	unsigned int bad = 0;
	int got;

	(void)state;
	while ((got = steer_memory_next(&pos, end, &m)) != 0) {
		good += got == 1;
		bad += got == -EBADMSG;
	}
	assert_int_equal(good, 1);
	assert_int_equal(bad, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_written_lines_read_back),
		cmocka_unit_test(test_bad_lines_are_skipped_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
