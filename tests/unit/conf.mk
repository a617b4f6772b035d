# SPDX-License-Identifier: GPL-2.0-or-later
CONF_TESTS = \
	tests/unit/test_edged_config \
	tests/unit/test_edged_config_dryrun \
	tests/unit/test_edged_config_golden \
	tests/unit/test_edged_config_manual
check_PROGRAMS += $(CONF_TESTS)
TESTS += $(CONF_TESTS)

tests_unit_test_edged_config_SOURCES = tests/unit/test_edged_config.c
tests_unit_test_edged_config_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_config_LDADD = $(CONFIG_LIBS) $(TEST_LIBS)
tests_unit_test_edged_config_golden_SOURCES = tests/unit/test_edged_config_golden.c \
	tests/unit/golden.h
tests_unit_test_edged_config_golden_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_config_golden_LDADD = $(CONFIG_LIBS)
EXTRA_DIST += tests/golden/config

tests_unit_test_edged_config_manual_SOURCES = tests/unit/test_edged_config_manual.c
tests_unit_test_edged_config_manual_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_config_manual_LDADD = $(CONFIG_LIBS) $(TEST_LIBS)

tests_unit_test_edged_config_dryrun_SOURCES = tests/unit/test_edged_config_dryrun.c
tests_unit_test_edged_config_dryrun_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_config_dryrun_LDADD = $(CONFIG_LIBS) $(TEST_LIBS)
