# SPDX-License-Identifier: GPL-2.0-or-later
# edgectl: all but main.c is a library, so that tests link it.
noinst_LIBRARIES += edged/ctl/libctl.a
edged_ctl_libctl_a_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(SMARTCOLS_CFLAGS) \
	$(EXPAT_CFLAGS)
edged_ctl_libctl_a_SOURCES = \
	edged/ctl/answer.c \
	edged/ctl/aws.c edged/ctl/aws.h \
	edged/ctl/client.c \
	edged/ctl/columns.c \
	edged/ctl/commands.c \
	edged/ctl/complete.c \
	edged/ctl/ctl.h \
	edged/ctl/files.c edged/ctl/files.h \
	edged/ctl/health.c \
	edged/ctl/history.c \
	edged/ctl/import.c \
	edged/ctl/init.c \
	edged/ctl/jsonschema.c \
	edged/ctl/options.c \
	edged/ctl/show.c \
	edged/ctl/splice.c edged/ctl/splice.h \
	edged/ctl/watch.c \
	edged/ctl/web.c

bin_PROGRAMS += edgectl
edgectl_SOURCES = edged/ctl/main.c
# What a program links that uses parts of edgectl.
CTL_LIBS = edged/ctl/libctl.a $(CONFIG_LIBS) $(JANSSON_LIBS) $(SMARTCOLS_LIBS) $(EXPAT_LIBS) \
	$(CRYPT_LIBS) -lm
edgectl_LDADD = $(CTL_LIBS)

man_MANS += edged/edgectl.1
EXTRA_DIST += edged/edgectl.1.in
CLEANFILES += edged/edgectl.1
edged/edgectl.1: edged/edgectl.1.in Makefile
	$(AM_V_GEN)$(MKDIR_P) edged && sed -e 's|[@]sysconfdir[@]|$(sysconfdir)/edged|g' \
		-e 's|[@]datadir[@]|$(pkgdatadir)|g' -e 's|[@]rundir[@]|/run/edged|g' -e 's|[@]statedir[@]|/var/lib/edged|g' \
		$(srcdir)/edged/edgectl.1.in >$@.tmp && mv $@.tmp $@
