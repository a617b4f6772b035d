# SPDX-License-Identifier: GPL-2.0-or-later
# Data files of the installation. Presets are read at run time: from the installed
# folder, or from conf/presets of the tree that a program runs in, so that a
# build elsewhere gets a copy.
presetsdir = $(pkgdatadir)/presets
dist_presets_DATA = \
	conf/presets/aws.yaml \
	conf/presets/edged.yaml

examplesdir = $(docdir)
dist_examples_DATA = conf/edged.yaml.example

# The settings for editors. "edgectl schema" prints them; a test compares.
schemadir = $(pkgdatadir)
dist_schema_DATA = conf/edged.schema.json

all-local: conf-presets
conf-presets:
	@$(MKDIR_P) conf/presets
	@for f in $(dist_presets_DATA); do \
		test -f $$f && cmp -s $(srcdir)/$$f $$f || cp $(srcdir)/$$f $$f; \
	done
.PHONY: conf-presets

distclean-local: conf-presets-clean
conf-presets-clean:
	@test $(srcdir) = . || rm -rf conf/presets
.PHONY: conf-presets-clean

# The service manager's files. They are harmless where there is no systemd.
# $(systemdunitdir) is configure's.
nodist_systemdunit_DATA = \
	conf/systemd/edge-esp.service \
	conf/systemd/edge-esp.socket \
	conf/systemd/edge-webui.service \
	conf/systemd/edged.service
if ZEBRA
nodist_systemdunit_DATA += conf/systemd/edge-zebra.service
endif
CONF_GENERATED = \
	conf/systemd/edge-esp.service \
	conf/systemd/edge-esp.socket \
	conf/systemd/edge-webui.service \
	conf/systemd/edge-zebra.service \
	conf/systemd/edged.service \
	conf/systemd/tmpfiles.conf
CONF_PLAIN = \
	conf/systemd/modules-load.conf \
	conf/systemd/networkd.conf \
	conf/systemd/sysctl.conf \
	conf/systemd/sysusers.conf \
	conf/systemd/sysusers-webui.conf
EXTRA_DIST += $(CONF_GENERATED:=.in) $(CONF_PLAIN)
CLEANFILES += $(CONF_GENERATED)

CONF_SUBST = $(AM_V_GEN)$(MKDIR_P) conf/systemd && sed \
	-e 's|[@]sbindir[@]|$(sbindir)|g' -e 's|[@]sysconfdir[@]|$(sysconfdir)/edged|g'
conf/systemd/edged.service: conf/systemd/edged.service.in Makefile
	$(CONF_SUBST) $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
conf/systemd/edge-esp.service: conf/systemd/edge-esp.service.in Makefile
	$(CONF_SUBST) $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
conf/systemd/edge-esp.socket: conf/systemd/edge-esp.socket.in Makefile
	$(CONF_SUBST) $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
conf/systemd/edge-webui.service: conf/systemd/edge-webui.service.in Makefile
	$(CONF_SUBST) $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
conf/systemd/edge-zebra.service: conf/systemd/edge-zebra.service.in Makefile
	$(CONF_SUBST) $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
conf/systemd/tmpfiles.conf: conf/systemd/tmpfiles.conf.in Makefile
	$(CONF_SUBST) $(srcdir)/$@.in >$@.tmp && mv $@.tmp $@

all-local: $(CONF_GENERATED)

# Each goes where its reader looks, under a name of ours. The configuration's folder
# is made by tmpfiles.d, with its owner.
CONF_LIB = $(DESTDIR)$(prefix)/lib
install-data-local: $(CONF_GENERATED)
	$(MKDIR_P) $(CONF_LIB)/sysusers.d $(CONF_LIB)/tmpfiles.d \
		$(CONF_LIB)/modules-load.d $(CONF_LIB)/sysctl.d \
		$(CONF_LIB)/systemd/networkd.conf.d
	$(INSTALL_DATA) $(srcdir)/conf/systemd/sysusers.conf $(CONF_LIB)/sysusers.d/edged.conf
	$(INSTALL_DATA) $(srcdir)/conf/systemd/sysusers-webui.conf \
		$(CONF_LIB)/sysusers.d/edged-webui.conf
	$(INSTALL_DATA) conf/systemd/tmpfiles.conf $(CONF_LIB)/tmpfiles.d/edged.conf
	$(INSTALL_DATA) $(srcdir)/conf/systemd/modules-load.conf \
		$(CONF_LIB)/modules-load.d/edged.conf
	$(INSTALL_DATA) $(srcdir)/conf/systemd/sysctl.conf $(CONF_LIB)/sysctl.d/50-edged.conf
	$(INSTALL_DATA) $(srcdir)/conf/systemd/networkd.conf \
		$(CONF_LIB)/systemd/networkd.conf.d/10-edged.conf

uninstall-local:
	rm -f $(CONF_LIB)/sysusers.d/edged.conf $(CONF_LIB)/sysusers.d/edged-webui.conf \
		$(CONF_LIB)/tmpfiles.d/edged.conf $(CONF_LIB)/modules-load.d/edged.conf \
		$(CONF_LIB)/sysctl.d/50-edged.conf \
		$(CONF_LIB)/systemd/networkd.conf.d/10-edged.conf

# For Prometheus and Grafana, and what /api/v1/ answers.
prometheusdir = $(pkgdatadir)/prometheus
dist_prometheus_DATA = conf/prometheus/edged.rules.yml
grafanadir = $(pkgdatadir)/grafana
dist_grafana_DATA = conf/grafana/edged.json
openapidir = $(pkgdatadir)
dist_openapi_DATA = webui/openapi.yaml
EXTRA_DIST += tests/web/rules.test.yml
