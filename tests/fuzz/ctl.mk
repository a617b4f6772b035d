# SPDX-License-Identifier: GPL-2.0-or-later
CTL_REPLAYS = \
	tests/fuzz/replay_lib_rpc
check_PROGRAMS += $(CTL_REPLAYS)
TESTS += $(CTL_REPLAYS)
EXTRA_DIST += tests/fuzz/corpus/lib_rpc

tests_fuzz_replay_lib_rpc_SOURCES = tests/fuzz/fuzz_lib_rpc.c
tests_fuzz_replay_lib_rpc_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_lib_rpc_LDADD = $(REPLAY_LIBS) $(LIB_LIBS) $(JANSSON_LIBS)
