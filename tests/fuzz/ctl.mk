# SPDX-License-Identifier: GPL-2.0-or-later
CTL_REPLAYS = \
	tests/fuzz/replay_ctl_aws \
	tests/fuzz/replay_ctl_splice \
	tests/fuzz/replay_lib_rpc
check_PROGRAMS += $(CTL_REPLAYS)
TESTS += $(CTL_REPLAYS)
EXTRA_DIST += tests/fuzz/corpus/ctl_aws tests/fuzz/corpus/ctl_splice tests/fuzz/corpus/lib_rpc

tests_fuzz_replay_lib_rpc_SOURCES = tests/fuzz/fuzz_lib_rpc.c
tests_fuzz_replay_lib_rpc_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_lib_rpc_LDADD = $(REPLAY_LIBS) $(LIB_LIBS) $(JANSSON_LIBS)

tests_fuzz_replay_ctl_aws_SOURCES = tests/fuzz/fuzz_ctl_aws.c
tests_fuzz_replay_ctl_aws_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_ctl_aws_LDADD = $(REPLAY_LIBS) $(CTL_LIBS)
tests_fuzz_replay_ctl_splice_SOURCES = tests/fuzz/fuzz_ctl_splice.c
tests_fuzz_replay_ctl_splice_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_ctl_splice_LDADD = $(REPLAY_LIBS) $(CTL_LIBS)
