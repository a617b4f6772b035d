# SPDX-License-Identifier: GPL-2.0-or-later
CORE_TESTS = \
	tests/unit/test_edged_fdstore \
	tests/unit/test_edged_inside \
	tests/unit/test_edged_kernel_events \
	tests/unit/test_edged_resolve \
	tests/unit/test_edged_slots \
	tests/unit/test_edged_supervisor \
	tests/unit/test_edged_uplink \
	tests/unit/test_edged_volumes
check_PROGRAMS += $(CORE_TESTS)
TESTS += $(CORE_TESTS)

tests_unit_test_edged_fdstore_SOURCES = tests/unit/test_edged_fdstore.c
tests_unit_test_edged_fdstore_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_fdstore_LDADD = edged/libedged.a $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_edged_slots_SOURCES = tests/unit/test_edged_slots.c
tests_unit_test_edged_slots_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_slots_LDADD = edged/libedged.a $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_edged_resolve_SOURCES = tests/unit/test_edged_resolve.c
tests_unit_test_edged_resolve_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_resolve_LDADD = edged/libedged.a $(LIB_LIBS) $(CARES_LIBS) $(TEST_LIBS)
tests_unit_test_edged_kernel_events_SOURCES = tests/unit/test_edged_kernel_events.c \
	tests/unit/netns.h edged/kernel_events.c edged/ifaddr.c
tests_unit_test_edged_kernel_events_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_kernel_events_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_edged_supervisor_SOURCES = tests/unit/test_edged_supervisor.c
tests_unit_test_edged_supervisor_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_supervisor_LDADD = $(EDGED_LIBS) $(TEST_LIBS)
tests_unit_test_edged_uplink_SOURCES = tests/unit/test_edged_uplink.c
tests_unit_test_edged_uplink_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_uplink_LDADD = $(EDGED_LIBS) $(TEST_LIBS)
tests_unit_test_edged_inside_SOURCES = tests/unit/test_edged_inside.c
tests_unit_test_edged_inside_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_inside_LDADD = $(EDGED_LIBS) $(TEST_LIBS)
tests_unit_test_edged_volumes_SOURCES = tests/unit/test_edged_volumes.c
tests_unit_test_edged_volumes_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_volumes_LDADD = edged/libedged.a $(LIB_LIBS) $(TEST_LIBS)
