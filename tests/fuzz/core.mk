# SPDX-License-Identifier: GPL-2.0-or-later
CORE_FUZZ = \
	tests/fuzz/replay_edged_kernel_events \
	tests/fuzz/replay_edged_slots
check_PROGRAMS += $(CORE_FUZZ)
TESTS += $(CORE_FUZZ)

tests_fuzz_replay_edged_kernel_events_SOURCES = \
	tests/fuzz/fuzz_edged_kernel_events.c edged/kernel_events.c
tests_fuzz_replay_edged_kernel_events_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_edged_kernel_events_LDADD = $(REPLAY_LIBS) $(LIB_LIBS)
tests_fuzz_replay_edged_slots_SOURCES = tests/fuzz/fuzz_edged_slots.c \
	edged/slots.c edged/overrides.c edged/inside.c edged/savefile.c
tests_fuzz_replay_edged_slots_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_edged_slots_LDADD = $(REPLAY_LIBS) $(LIB_LIBS)
EXTRA_DIST += tests/fuzz/corpus/edged_kernel_events tests/fuzz/corpus/edged_slots
