# SPDX-License-Identifier: GPL-2.0-or-later
LIB_TESTS = \
	tests/unit/test_lib_addr \
	tests/unit/test_lib_buf \
	tests/unit/test_lib_limits \
	tests/unit/test_lib_loop \
	tests/unit/test_lib_notify \
	tests/unit/test_lib_small
check_PROGRAMS += $(LIB_TESTS)
TESTS += $(LIB_TESTS)

tests_unit_test_lib_addr_SOURCES = tests/unit/test_lib_addr.c
tests_unit_test_lib_addr_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lib_addr_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_lib_buf_SOURCES = tests/unit/test_lib_buf.c
tests_unit_test_lib_buf_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lib_buf_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_lib_limits_SOURCES = tests/unit/test_lib_limits.c
tests_unit_test_lib_limits_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lib_limits_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_lib_loop_SOURCES = tests/unit/test_lib_loop.c
tests_unit_test_lib_loop_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lib_loop_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_lib_small_SOURCES = tests/unit/test_lib_small.c
tests_unit_test_lib_small_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lib_small_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_lib_notify_SOURCES = tests/unit/test_lib_notify.c
tests_unit_test_lib_notify_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lib_notify_LDADD = $(LIB_LIBS) $(TEST_LIBS)
