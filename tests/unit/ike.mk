# SPDX-License-Identifier: GPL-2.0-or-later
IKE_TESTS = \
	tests/unit/test_ike_cookie \
	tests/unit/test_ike_crypto \
	tests/unit/test_ike_keymat \
	tests/unit/test_ike_payload \
	tests/unit/test_ike_proposal \
	tests/unit/test_ike_small
check_PROGRAMS += $(IKE_TESTS)
TESTS += $(IKE_TESTS)

tests_unit_test_ike_cookie_SOURCES = tests/unit/test_ike_cookie.c
tests_unit_test_ike_cookie_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_ike_cookie_LDADD = $(IKE_LIBS) $(TEST_LIBS)
tests_unit_test_ike_crypto_SOURCES = tests/unit/test_ike_crypto.c tests/unit/hex.h
tests_unit_test_ike_crypto_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_ike_crypto_LDADD = $(IKE_LIBS) $(TEST_LIBS)
tests_unit_test_ike_keymat_SOURCES = tests/unit/test_ike_keymat.c tests/unit/hex.h
tests_unit_test_ike_keymat_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_ike_keymat_LDADD = $(IKE_LIBS) $(TEST_LIBS)
tests_unit_test_ike_payload_SOURCES = tests/unit/test_ike_payload.c tests/unit/hex.h
tests_unit_test_ike_payload_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_ike_payload_LDADD = $(IKE_LIBS) $(TEST_LIBS)
tests_unit_test_ike_proposal_SOURCES = tests/unit/test_ike_proposal.c
tests_unit_test_ike_proposal_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_ike_proposal_LDADD = $(IKE_LIBS) $(TEST_LIBS)
tests_unit_test_ike_small_SOURCES = tests/unit/test_ike_small.c
tests_unit_test_ike_small_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_ike_small_LDADD = $(IKE_LIBS) $(TEST_LIBS)
