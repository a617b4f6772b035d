# SPDX-License-Identifier: GPL-2.0-or-later
ROUTES_REPLAYS = \
	tests/fuzz/replay_routing_bgp_running \
	tests/fuzz/replay_routing_intent
check_PROGRAMS += $(ROUTES_REPLAYS)
TESTS += $(ROUTES_REPLAYS)
EXTRA_DIST += tests/fuzz/corpus/routing_intent \
	tests/fuzz/corpus/routing_bgp_running

tests_fuzz_replay_routing_intent_SOURCES = tests/fuzz/fuzz_routing_intent.c
tests_fuzz_replay_routing_intent_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_routing_intent_LDADD = $(REPLAY_LIBS) $(ROUTING_LIBS) $(LIB_LIBS)
tests_fuzz_replay_routing_bgp_running_SOURCES = tests/fuzz/fuzz_routing_bgp_running.c
tests_fuzz_replay_routing_bgp_running_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_routing_bgp_running_LDADD = $(REPLAY_LIBS) $(ROUTING_LIBS) $(LIB_LIBS)
