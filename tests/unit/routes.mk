# SPDX-License-Identifier: GPL-2.0-or-later
ROUTES_TESTS = \
	tests/unit/test_edged_policy \
	tests/unit/test_edged_policy_plan
check_PROGRAMS += $(ROUTES_TESTS)
TESTS += $(ROUTES_TESTS)

tests_unit_test_edged_policy_SOURCES = tests/unit/test_edged_policy.c \
	tests/unit/netns.h edged/policy.c edged/policy_plan.c
tests_unit_test_edged_policy_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_policy_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_edged_policy_plan_SOURCES = tests/unit/test_edged_policy_plan.c \
	edged/policy_plan.c
tests_unit_test_edged_policy_plan_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_policy_plan_LDADD = $(LIB_LIBS) $(TEST_LIBS)
