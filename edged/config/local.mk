# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration: schema, loading, checks, differences.
noinst_LIBRARIES += edged/libconfig.a
edged_libconfig_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
edged_libconfig_a_SOURCES = \
	edged/config/check.c \
	edged/config/config.h \
	edged/config/diff.c \
	edged/config/dryrun.c edged/config/dryrun.h \
	edged/config/find.c \
	edged/config/load.c \
	edged/config/manual.c \
	edged/config/parts.h \
	edged/config/render.c edged/config/render.h \
	edged/config/schema.c edged/config/schema.h \
	edged/config/secrets.c
dist_man_MANS += edged/edged.yaml.5

# What a program links that reads the configuration.
CONFIG_LIBS = edged/libconfig.a $(ROUTING_LIBS) $(LIB_LIBS) $(YAML_LIBS)
