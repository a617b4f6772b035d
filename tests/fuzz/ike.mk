# SPDX-License-Identifier: GPL-2.0-or-later
IKE_REPLAYS = \
	tests/fuzz/replay_ike_engine \
	tests/fuzz/replay_ike_message \
	tests/fuzz/replay_ike_payload \
	tests/fuzz/replay_ike_persist
check_PROGRAMS += $(IKE_REPLAYS)
TESTS += $(IKE_REPLAYS)

tests_fuzz_replay_ike_engine_SOURCES = tests/fuzz/fuzz_ike_engine.c \
	tests/fuzz/ike_live.c tests/fuzz/ike_live.h $(IKE_WORLD)
tests_fuzz_replay_ike_engine_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_ike_engine_LDADD = $(REPLAY_LIBS) $(IKE_LIBS)
tests_fuzz_replay_ike_message_SOURCES = tests/fuzz/fuzz_ike_message.c \
	tests/fuzz/ike_deep.h
tests_fuzz_replay_ike_message_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_ike_message_LDADD = $(REPLAY_LIBS) $(IKE_LIBS)
tests_fuzz_replay_ike_payload_SOURCES = tests/fuzz/fuzz_ike_payload.c \
	tests/fuzz/ike_deep.h
tests_fuzz_replay_ike_payload_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_ike_payload_LDADD = $(REPLAY_LIBS) $(IKE_LIBS)
tests_fuzz_replay_ike_persist_SOURCES = tests/fuzz/fuzz_ike_persist.c $(IKE_WORLD)
tests_fuzz_replay_ike_persist_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_ike_persist_LDADD = $(REPLAY_LIBS) $(IKE_LIBS)
