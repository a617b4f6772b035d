# SPDX-License-Identifier: GPL-2.0-or-later
CTL_TESTS = \
	tests/unit/test_lib_promtext \
	tests/unit/test_edged_ctl_splice \
	tests/unit/test_edged_store \
	tests/unit/test_lib_rpc
check_PROGRAMS += $(CTL_TESTS)
TESTS += $(CTL_TESTS)

tests_unit_test_edged_ctl_splice_SOURCES = tests/unit/test_edged_ctl_splice.c
tests_unit_test_edged_ctl_splice_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_ctl_splice_LDADD = $(CTL_LIBS) $(TEST_LIBS)
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
CTL_OUTSIDE = \
	tests/unit/test_edged_ctl.py \
	tests/unit/test_edged_ctl_import.py \
	tests/unit/test_edged_ctl_more.py \
	tests/unit/test_man_pages.py
dist_check_SCRIPTS = $(CTL_OUTSIDE)
TESTS += $(CTL_OUTSIDE)
EXTRA_DIST += tests/golden/aws tests/golden/ctl tests/unit/ctlbench.py
