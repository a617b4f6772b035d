# SPDX-License-Identifier: GPL-2.0-or-later
# Is a path good? Pure statistics and liveness; prober and reflector do the I/O.
noinst_LIBRARIES += pathmon/libpathmon.a
pathmon_libpathmon_a_CFLAGS = $(AM_CFLAGS)
pathmon_libpathmon_a_SOURCES = \
	pathmon/pathmon.h \
	pathmon/names.c
