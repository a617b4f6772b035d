# SPDX-License-Identifier: GPL-2.0-or-later
WEB_FUZZ = \
	tests/fuzz/replay_webui_gate
check_PROGRAMS += $(WEB_FUZZ)
TESTS += $(WEB_FUZZ)

tests_fuzz_replay_webui_gate_SOURCES = tests/fuzz/fuzz_webui_gate.c
tests_fuzz_replay_webui_gate_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_fuzz_replay_webui_gate_LDADD = $(REPLAY_LIBS) $(WEBUI_LIBS)
