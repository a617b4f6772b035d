# SPDX-License-Identifier: GPL-2.0-or-later
PATHS_TESTS = \
	tests/unit/test_pathmon_icmp \
	tests/unit/test_pathmon_liveness \
	tests/unit/test_pathmon_mos \
	tests/unit/test_pathmon_pacer \
	tests/unit/test_pathmon_path \
	tests/unit/test_pathmon_prober \
	tests/unit/test_pathmon_stamp \
	tests/unit/test_pathmon_window \
	tests/unit/test_steer_damping \
	tests/unit/test_steer_memory \
	tests/unit/test_steer_plan \
	tests/unit/test_steer_quality \
	tests/unit/test_steer_strategy
check_PROGRAMS += $(PATHS_TESTS)
TESTS += $(PATHS_TESTS)
PATHMON_LIBS = pathmon/libpathmon.a $(LIB_LIBS)
STEER_LIBS = $(ROUTING_LIBS) $(LIB_LIBS)

tests_unit_test_pathmon_icmp_SOURCES = tests/unit/test_pathmon_icmp.c
tests_unit_test_pathmon_icmp_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_pathmon_icmp_LDADD = $(PATHMON_LIBS) $(TEST_LIBS)
tests_unit_test_pathmon_liveness_SOURCES = tests/unit/test_pathmon_liveness.c
tests_unit_test_pathmon_liveness_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_pathmon_liveness_LDADD = $(PATHMON_LIBS) $(TEST_LIBS)
tests_unit_test_pathmon_mos_SOURCES = tests/unit/test_pathmon_mos.c
tests_unit_test_pathmon_mos_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_pathmon_mos_LDADD = $(PATHMON_LIBS) $(TEST_LIBS)
tests_unit_test_pathmon_pacer_SOURCES = tests/unit/test_pathmon_pacer.c
tests_unit_test_pathmon_pacer_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_pathmon_pacer_LDADD = $(PATHMON_LIBS) $(TEST_LIBS)
tests_unit_test_pathmon_path_SOURCES = tests/unit/test_pathmon_path.c
tests_unit_test_pathmon_path_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_pathmon_path_LDADD = $(PATHMON_LIBS) $(TEST_LIBS)
tests_unit_test_pathmon_prober_SOURCES = tests/unit/test_pathmon_prober.c
tests_unit_test_pathmon_prober_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_pathmon_prober_LDADD = $(PATHMON_LIBS) $(TEST_LIBS)
tests_unit_test_pathmon_stamp_SOURCES = tests/unit/test_pathmon_stamp.c
tests_unit_test_pathmon_stamp_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_pathmon_stamp_LDADD = $(PATHMON_LIBS) $(TEST_LIBS)
tests_unit_test_pathmon_window_SOURCES = tests/unit/test_pathmon_window.c
tests_unit_test_pathmon_window_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_pathmon_window_LDADD = $(PATHMON_LIBS) $(TEST_LIBS)
tests_unit_test_steer_damping_SOURCES = tests/unit/test_steer_damping.c
tests_unit_test_steer_damping_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_steer_damping_LDADD = $(STEER_LIBS) $(TEST_LIBS)
tests_unit_test_steer_memory_SOURCES = tests/unit/test_steer_memory.c
tests_unit_test_steer_memory_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_steer_memory_LDADD = $(STEER_LIBS) $(TEST_LIBS)
tests_unit_test_steer_plan_SOURCES = tests/unit/test_steer_plan.c
tests_unit_test_steer_plan_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_steer_plan_LDADD = $(STEER_LIBS) $(TEST_LIBS)
tests_unit_test_steer_quality_SOURCES = tests/unit/test_steer_quality.c
tests_unit_test_steer_quality_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_steer_quality_LDADD = $(STEER_LIBS) $(TEST_LIBS)
tests_unit_test_steer_strategy_SOURCES = tests/unit/test_steer_strategy.c
tests_unit_test_steer_strategy_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_steer_strategy_LDADD = $(STEER_LIBS) $(TEST_LIBS)
