# SPDX-License-Identifier: GPL-2.0-or-later
WEB_TESTS = \
	tests/unit/test_lib_webusers
check_PROGRAMS += $(WEB_TESTS)
TESTS += $(WEB_TESTS)

tests_unit_test_lib_webusers_SOURCES = tests/unit/test_lib_webusers.c
tests_unit_test_lib_webusers_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lib_webusers_LDADD = $(LIB_LIBS) $(CRYPT_LIBS) $(TEST_LIBS)
