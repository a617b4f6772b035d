# SPDX-License-Identifier: GPL-2.0-or-later
# Which path for which traffic, told to FRR and the kernel.
noinst_LIBRARIES += routing/librouting.a
routing_librouting_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
routing_librouting_a_SOURCES = \
	routing/owned.h \
	routing/intent.c routing/intent.h \
	routing/classify/dscp.c routing/classify/dscp.h \
	routing/classify/nft.c routing/classify/nft.h
ROUTING_LIBS = routing/librouting.a $(JANSSON_LIBS)

include routing/steer/local.mk
