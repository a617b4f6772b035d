# SPDX-License-Identifier: GPL-2.0-or-later
noinst_HEADERS += \
	%D%/owned.h \
	%D%/intent.h

noinst_LIBRARIES += routing/librouting.a
routing_librouting_a_CFLAGS = $(AM_CFLAGS)
routing_librouting_a_SOURCES =

include routing/steer/local.mk
