# SPDX-License-Identifier: GPL-2.0-or-later
# What everything stands on; it knows nothing above it.
noinst_LIBRARIES += lib/libed.a
lib_libed_a_CFLAGS = $(AM_CFLAGS) $(MNL_CFLAGS) $(CRYPTO_CFLAGS) $(YAML_CFLAGS) $(JANSSON_CFLAGS) $(CRYPT_CFLAGS)
lib_libed_a_SOURCES = \
	lib/addr.c lib/addr.h \
	lib/alloc.c lib/alloc.h \
	lib/child.c lib/child.h \
	lib/conf.c lib/conf.h lib/conf_kind.c lib/conf_report.c lib/conf_report.h \
	lib/conf_yaml.c lib/conf_yaml.h \
	lib/limits.c lib/limits.h \
	lib/log.c lib/log.h \
	lib/loop.c lib/loop.h \
	lib/mono.h \
	lib/nlq.h lib/nlsock.c lib/nlsock.h \
	lib/notify.c lib/notify.h \
	lib/promtext.c lib/promtext.h \
	lib/ratelimit.c lib/ratelimit.h \
	lib/rbuf.h lib/wbuf.h \
	lib/rng.c lib/rng.h \
	lib/rpc.h lib/rpc_line.c lib/rpc_line.h lib/rpc_server.c lib/rpc_client.c \
	lib/secret.c lib/secret.h \
	lib/text.c lib/text.h \
	lib/webusers.c lib/webusers.h
