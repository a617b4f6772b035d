# SPDX-License-Identifier: GPL-2.0-or-later
# Is a path good? Pure statistics and liveness; prober and reflector do the I/O.
noinst_LIBRARIES += pathmon/libpathmon.a
pathmon_libpathmon_a_CFLAGS = $(AM_CFLAGS)
pathmon_libpathmon_a_SOURCES = \
	pathmon/icmp.c pathmon/icmp.h \
	pathmon/liveness.c pathmon/liveness.h \
	pathmon/mos.c pathmon/mos.h \
	pathmon/names.c \
	pathmon/pacer.c pathmon/pacer.h \
	pathmon/path.c pathmon/path.h \
	pathmon/pathmon.h \
	pathmon/prober.c pathmon/prober.h \
	pathmon/reflector.c \
	pathmon/sock.c pathmon/sock.h \
	pathmon/stamp.c pathmon/stamp.h \
	pathmon/window.c pathmon/window.h
