# SPDX-License-Identifier: GPL-2.0-or-later
# Two IKE engines in virtual time; one file a subject.
IKE_SIMS = \
	tests/sim/test_ike_cookie \
	tests/sim/test_ike_establish \
	tests/sim/test_ike_hostile \
	tests/sim/test_ike_rekey \
	tests/sim/test_ike_restart
check_PROGRAMS += $(IKE_SIMS)
TESTS += $(IKE_SIMS)

IKE_WORLD = tests/sim/ike_world.c tests/sim/ike_world.h

tests_sim_test_ike_cookie_SOURCES = tests/sim/test_ike_cookie.c $(IKE_WORLD)
tests_sim_test_ike_cookie_CFLAGS = $(TEST_CFLAGS)
tests_sim_test_ike_cookie_LDADD = $(IKE_LIBS) $(TEST_LIBS)
tests_sim_test_ike_establish_SOURCES = tests/sim/test_ike_establish.c $(IKE_WORLD)
tests_sim_test_ike_establish_CFLAGS = $(TEST_CFLAGS)
tests_sim_test_ike_establish_LDADD = $(IKE_LIBS) $(TEST_LIBS)
tests_sim_test_ike_hostile_SOURCES = tests/sim/test_ike_hostile.c \
	tests/fuzz/ike_live.c tests/fuzz/ike_live.h $(IKE_WORLD)
tests_sim_test_ike_hostile_CFLAGS = $(TEST_CFLAGS)
tests_sim_test_ike_hostile_LDADD = $(IKE_LIBS) $(TEST_LIBS)
tests_sim_test_ike_rekey_SOURCES = tests/sim/test_ike_rekey.c $(IKE_WORLD)
tests_sim_test_ike_rekey_CFLAGS = $(TEST_CFLAGS)
tests_sim_test_ike_rekey_LDADD = $(IKE_LIBS) $(TEST_LIBS)
tests_sim_test_ike_restart_SOURCES = tests/sim/test_ike_restart.c $(IKE_WORLD)
tests_sim_test_ike_restart_CFLAGS = $(TEST_CFLAGS)
tests_sim_test_ike_restart_LDADD = $(IKE_LIBS) $(TEST_LIBS)
