# SPDX-License-Identifier: GPL-2.0-or-later
CTL_TESTS = \
	tests/unit/test_lib_promtext \
	tests/unit/test_edged_store \
	tests/unit/test_lib_rpc
check_PROGRAMS += $(CTL_TESTS)
TESTS += $(CTL_TESTS)

tests_unit_test_lib_rpc_SOURCES = tests/unit/test_lib_rpc.c
tests_unit_test_lib_rpc_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_lib_rpc_LDADD = $(LIB_LIBS) $(JANSSON_LIBS) $(TEST_LIBS)
tests_unit_test_lib_promtext_SOURCES = tests/unit/test_lib_promtext.c
tests_unit_test_lib_promtext_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_lib_promtext_LDADD = $(LIB_LIBS) $(JANSSON_LIBS) $(TEST_LIBS)
tests_unit_test_edged_store_SOURCES = tests/unit/test_edged_store.c
tests_unit_test_edged_store_CFLAGS = $(TEST_CFLAGS) $(SQLITE_CFLAGS)
tests_unit_test_edged_store_LDADD = edged/libedged.a $(LIB_LIBS) $(SQLITE_LIBS) $(TEST_LIBS)

# edgectl as a program, against a daemon of canned answers.
dist_check_SCRIPTS = tests/unit/test_edged_ctl.py
TESTS += tests/unit/test_edged_ctl.py
EXTRA_DIST += tests/golden/ctl
