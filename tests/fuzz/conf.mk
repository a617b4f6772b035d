# SPDX-License-Identifier: GPL-2.0-or-later
CONF_REPLAYS = tests/fuzz/replay_lib_conf tests/fuzz/replay_edged_config
check_PROGRAMS += $(CONF_REPLAYS)
TESTS += $(CONF_REPLAYS)
EXTRA_DIST += tests/fuzz/corpus/lib_conf tests/fuzz/corpus/edged_config

tests_fuzz_replay_lib_conf_SOURCES = tests/fuzz/fuzz_lib_conf.c
tests_fuzz_replay_lib_conf_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_lib_conf_LDADD = $(REPLAY_LIBS) $(CONFIG_LIBS)
tests_fuzz_replay_edged_config_SOURCES = tests/fuzz/fuzz_edged_config.c
tests_fuzz_replay_edged_config_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_edged_config_LDADD = $(REPLAY_LIBS) $(CONFIG_LIBS)
