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
