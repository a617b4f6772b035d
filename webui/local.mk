# SPDX-License-Identifier: GPL-2.0-or-later
# edge-webui: all but main.c is a library, so that tests link its parts.
noinst_LIBRARIES += webui/libwebui.a
webui_libwebui_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(CRYPTO_CFLAGS) $(MHD_CFLAGS) $(ZLIB_CFLAGS)
webui_libwebui_a_SOURCES = \
	webui/api.c webui/api.h \
	webui/auth.c webui/auth.h \
	webui/cert.c webui/cert.h \
	webui/delay.c webui/delay.h \
	webui/files.c webui/files.h \
	webui/gate.c webui/gate.h \
	webui/listen.c webui/listen.h \
	webui/login.c webui/login.h \
	webui/metrics.c webui/metrics.h \
	webui/server.c webui/server.h \
	webui/session.c webui/session.h \
	webui/setup.c webui/setup.h \
	webui/site.c webui/site.h \
	webui/stream.c webui/stream.h \
	webui/upstream.c webui/upstream.h

WEBUI_LIBS = webui/libwebui.a $(CONFIG_LIBS) $(JANSSON_LIBS) $(MHD_LIBS) \
	$(CRYPT_LIBS) $(CRYPTO_LIBS) $(ZLIB_LIBS) -lpthread

sbin_PROGRAMS += edge-webui
edge_webui_SOURCES = webui/main.c
edge_webui_LDADD = $(WEBUI_LIBS)
dist_man_MANS += webui/edge-webui.8

include webui/static/local.mk
