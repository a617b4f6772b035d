# SPDX-License-Identifier: GPL-2.0-or-later
ROUTES_TESTS = \
	tests/unit/test_edged_policy \
	tests/unit/test_edged_policy_plan \
	tests/unit/test_edged_steer_want \
	tests/unit/test_lib_child \
	tests/unit/test_routing_bgp_render \
	tests/unit/test_routing_classify_nft \
	tests/unit/test_routing_intent \
	tests/unit/test_routing_zebra_mirror \
	tests/unit/test_routing_zebra_vty
check_PROGRAMS += $(ROUTES_TESTS)
TESTS += $(ROUTES_TESTS)
EXTRA_DIST += tests/golden/nft/table.json tests/golden/bgp/running.in \
	tests/golden/bgp/lines.ok tests/golden/bgp/change.ok

tests_unit_test_edged_policy_SOURCES = tests/unit/test_edged_policy.c \
	tests/unit/netns.h edged/policy.c edged/policy_plan.c
tests_unit_test_edged_policy_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_policy_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_edged_policy_plan_SOURCES = tests/unit/test_edged_policy_plan.c \
	edged/policy_plan.c
tests_unit_test_edged_policy_plan_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_policy_plan_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_lib_child_SOURCES = tests/unit/test_lib_child.c
tests_unit_test_lib_child_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lib_child_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_routing_classify_nft_SOURCES = tests/unit/test_routing_classify_nft.c \
	tests/unit/golden.h tests/unit/netns.h edged/nft.c
tests_unit_test_routing_classify_nft_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_routing_classify_nft_LDADD = $(ROUTING_LIBS) $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_routing_intent_SOURCES = tests/unit/test_routing_intent.c
tests_unit_test_routing_intent_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_routing_intent_LDADD = $(ROUTING_LIBS) $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_routing_bgp_render_SOURCES = tests/unit/test_routing_bgp_render.c \
	tests/unit/golden.h
tests_unit_test_routing_bgp_render_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_routing_bgp_render_LDADD = $(ROUTING_LIBS) $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_routing_zebra_mirror_SOURCES = tests/unit/test_routing_zebra_mirror.c \
	routing/zebra/mirror.c
tests_unit_test_routing_zebra_mirror_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_routing_zebra_mirror_LDADD = $(ROUTING_LIBS) $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_routing_zebra_vty_SOURCES = tests/unit/test_routing_zebra_vty.c \
	routing/zebra/vty.c
tests_unit_test_routing_zebra_vty_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_routing_zebra_vty_LDADD = $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_edged_steer_want_SOURCES = tests/unit/test_edged_steer_want.c \
	edged/steer_want.c
tests_unit_test_edged_steer_want_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_edged_steer_want_LDADD = $(CONFIG_LIBS) $(ROUTING_LIBS) $(LIB_LIBS) $(TEST_LIBS)
