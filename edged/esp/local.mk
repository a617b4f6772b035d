# SPDX-License-Identifier: GPL-2.0-or-later
# edge-esp; its parts but main() are a library, so that tests link them.
noinst_LIBRARIES += edged/esp/libesp.a
edged_esp_libesp_a_SOURCES = \
	edged/esp/checksum.h \
	edged/esp/crypto.c edged/esp/crypto.h \
	edged/esp/merge.c edged/esp/merge.h \
	edged/esp/packet.c edged/esp/packet.h \
	edged/esp/pipe.c edged/esp/pipe.h \
	edged/esp/proto.c edged/esp/proto.h \
	edged/esp/replay.h \
	edged/esp/sa.c edged/esp/sa.h \
	edged/esp/segment.c edged/esp/segment.h \
	edged/esp/server.c edged/esp/server.h \
	edged/esp/worker.c edged/esp/worker.h

sbin_PROGRAMS += edge-esp
edge_esp_SOURCES = edged/esp/main.c
edge_esp_LDADD = edged/esp/libesp.a $(LIB_LIBS)
dist_man_MANS += edged/esp/edge-esp.8
