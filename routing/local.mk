# SPDX-License-Identifier: GPL-2.0-or-later
# Which path for which traffic, told to FRR and the kernel.
noinst_LIBRARIES += routing/librouting.a
routing_librouting_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
routing_librouting_a_SOURCES = \
	routing/owned.h \
	routing/intent.c routing/intent.h \
	routing/bgp/render.c routing/bgp/render.h \
	routing/classify/dscp.c routing/classify/dscp.h \
	routing/classify/nft.c routing/classify/nft.h
ROUTING_LIBS = routing/librouting.a $(JANSSON_LIBS)

include routing/steer/local.mk

# edge-zebra: one program for each release of FRR, linked with its libfrr.
EXTRA_DIST += routing/zebra/edge-zebra.8.in
if ZEBRA
sbin_PROGRAMS += edge-zebra
edge_zebra_SOURCES = \
	routing/zebra/audit.c routing/zebra/audit.h \
	routing/zebra/main.c \
	routing/zebra/mirror.c routing/zebra/mirror.h \
	routing/zebra/vty.c routing/zebra/vty.h \
	routing/zebra/vtysh.c routing/zebra/vtysh.h \
	routing/zebra/zclient.h \
	routing/zebra/zsock.c routing/zebra/zsock.h
edge_zebra_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
edge_zebra_LDFLAGS = $(AM_LDFLAGS) -Wl,-rpath,$(FRR_LIBDIR)
edge_zebra_LDADD = routing/zebra/libzclient.a $(ROUTING_LIBS) $(LIB_LIBS) $(FRR_LIB)
noinst_LIBRARIES += routing/zebra/libzclient.a
routing_zebra_libzclient_a_SOURCES = routing/zebra/zclient.c routing/zebra/zclient.h
routing_zebra_libzclient_a_CFLAGS = $(AM_CFLAGS) $(FRR_CPPFLAGS)
man_MANS += routing/zebra/edge-zebra.8
CLEANFILES += routing/zebra/edge-zebra.8
routing/zebra/edge-zebra.8: routing/zebra/edge-zebra.8.in Makefile
	$(AM_V_GEN)$(MKDIR_P) routing/zebra && sed -e 's|@rundir@|/run/edged|g' \
		$(srcdir)/routing/zebra/edge-zebra.8.in >$@.tmp && mv $@.tmp $@
endif
