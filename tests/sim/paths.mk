# SPDX-License-Identifier: GPL-2.0-or-later
# Paths and steering of both ends in virtual time.
PATHS_SIMS = \
	tests/sim/sim_paths_budget \
	tests/sim/sim_paths_quiet \
	tests/sim/sim_paths_story
check_PROGRAMS += $(PATHS_SIMS)
TESTS += $(PATHS_SIMS)
PATHS_WORLD = tests/sim/paths_world.c tests/sim/paths_world.h

tests_sim_sim_paths_budget_SOURCES = tests/sim/sim_paths_budget.c $(PATHS_WORLD)
tests_sim_sim_paths_budget_CFLAGS = $(TEST_CFLAGS)
tests_sim_sim_paths_budget_LDADD = pathmon/libpathmon.a $(ROUTING_LIBS) $(LIB_LIBS) $(TEST_LIBS)
tests_sim_sim_paths_quiet_SOURCES = tests/sim/sim_paths_quiet.c $(PATHS_WORLD)
tests_sim_sim_paths_quiet_CFLAGS = $(TEST_CFLAGS)
tests_sim_sim_paths_quiet_LDADD = pathmon/libpathmon.a $(ROUTING_LIBS) $(LIB_LIBS) $(TEST_LIBS)
tests_sim_sim_paths_story_SOURCES = tests/sim/sim_paths_story.c $(PATHS_WORLD)
tests_sim_sim_paths_story_CFLAGS = $(TEST_CFLAGS)
tests_sim_sim_paths_story_LDADD = pathmon/libpathmon.a $(ROUTING_LIBS) $(LIB_LIBS) $(TEST_LIBS)
