# SPDX-License-Identifier: GPL-2.0-or-later
ESP_TESTS = \
	tests/unit/test_esp_crypto \
	tests/unit/test_esp_merge \
	tests/unit/test_esp_packet \
	tests/unit/test_esp_replay \
	tests/unit/test_esp_sa
check_PROGRAMS += $(ESP_TESTS)
TESTS += $(ESP_TESTS)

tests_unit_test_esp_crypto_SOURCES = tests/unit/test_esp_crypto.c
tests_unit_test_esp_crypto_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_esp_crypto_LDADD = edged/esp/libesp.a $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_esp_merge_SOURCES = tests/unit/test_esp_merge.c
tests_unit_test_esp_merge_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_esp_merge_LDADD = edged/esp/libesp.a $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_esp_packet_SOURCES = tests/unit/test_esp_packet.c
tests_unit_test_esp_packet_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_esp_packet_LDADD = edged/esp/libesp.a $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_esp_replay_SOURCES = tests/unit/test_esp_replay.c
tests_unit_test_esp_replay_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_esp_replay_LDADD = edged/esp/libesp.a $(LIB_LIBS) $(TEST_LIBS)
tests_unit_test_esp_sa_SOURCES = tests/unit/test_esp_sa.c
tests_unit_test_esp_sa_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_esp_sa_LDADD = edged/esp/libesp.a $(LIB_LIBS) $(TEST_LIBS)
