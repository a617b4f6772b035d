# SPDX-License-Identifier: GPL-2.0-or-later
ESP_REPLAYS = \
	tests/fuzz/replay_esp_packet \
	tests/fuzz/replay_esp_proto \
	tests/fuzz/replay_esp_segment
check_PROGRAMS += $(ESP_REPLAYS)
TESTS += $(ESP_REPLAYS)
EXTRA_DIST += \
	tests/fuzz/corpus/esp_packet \
	tests/fuzz/corpus/esp_proto \
	tests/fuzz/corpus/esp_segment

tests_fuzz_replay_esp_packet_SOURCES = tests/fuzz/fuzz_esp_packet.c
tests_fuzz_replay_esp_packet_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_esp_packet_LDADD = $(REPLAY_LIBS) edged/esp/libesp.a $(LIB_LIBS)
tests_fuzz_replay_esp_proto_SOURCES = tests/fuzz/fuzz_esp_proto.c
tests_fuzz_replay_esp_proto_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_esp_proto_LDADD = $(REPLAY_LIBS) edged/esp/libesp.a $(LIB_LIBS)
tests_fuzz_replay_esp_segment_SOURCES = tests/fuzz/fuzz_esp_segment.c
tests_fuzz_replay_esp_segment_CFLAGS = $(TEST_CFLAGS)
tests_fuzz_replay_esp_segment_LDADD = $(REPLAY_LIBS) edged/esp/libesp.a $(LIB_LIBS)
