# SPDX-License-Identifier: GPL-2.0-or-later
PATHS_REPLAYS = \
	tests/fuzz/replay_pathmon_icmp \
	tests/fuzz/replay_pathmon_stamp \
	tests/fuzz/replay_steer_memory
check_PROGRAMS += $(PATHS_REPLAYS)
TESTS += $(PATHS_REPLAYS)

tests_fuzz_replay_pathmon_icmp_SOURCES = tests/fuzz/fuzz_pathmon_icmp.c
tests_fuzz_replay_pathmon_icmp_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_pathmon_icmp_LDADD = $(REPLAY_LIBS) $(PATHMON_LIBS)
tests_fuzz_replay_pathmon_stamp_SOURCES = tests/fuzz/fuzz_pathmon_stamp.c
tests_fuzz_replay_pathmon_stamp_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_pathmon_stamp_LDADD = $(REPLAY_LIBS) $(PATHMON_LIBS)
tests_fuzz_replay_steer_memory_SOURCES = tests/fuzz/fuzz_steer_memory.c
tests_fuzz_replay_steer_memory_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_steer_memory_LDADD = $(REPLAY_LIBS) $(STEER_LIBS)
