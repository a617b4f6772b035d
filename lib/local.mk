# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += lib/libed.a
lib_libed_a_SOURCES = \
	lib/mono.h
