# SPDX-License-Identifier: GPL-2.0-or-later
# Tunnel interfaces and SAs; edge-esp's protocol is shared with edged/esp.
noinst_LIBRARIES += edged/libdataplane.a
edged_libdataplane_a_SOURCES = \
	edged/dataplane/backend.h \
	edged/dataplane/dataplane.c edged/dataplane/dataplane.h \
	edged/dataplane/link.c \
	edged/dataplane/reconcile.c \
	edged/dataplane/tun.c \
	edged/dataplane/uesp.c \
	edged/dataplane/vti.c \
	edged/dataplane/xfrm.c \
	edged/dataplane/xfrmi.c \
	edged/esp/pipe.c edged/esp/pipe.h \
	edged/esp/proto.c edged/esp/proto.h
