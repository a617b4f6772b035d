# SPDX-License-Identifier: GPL-2.0-or-later
# The page. Charts are Debian's dygraphs: an installation links its file, the
# build tree has a copy beside ours in webui/data, for a server that runs from there.
DYGRAPHS = /usr/share/javascript/dygraphs/dygraph.min.js
webdir = $(pkgdatadir)/web
dist_web_DATA = \
	webui/static/api.js \
	webui/static/app.js \
	webui/static/ask.js \
	webui/static/bar.js \
	webui/static/chart.js \
	webui/static/chartview.js \
	webui/static/dom.js \
	webui/static/events.js \
	webui/static/favicon.svg \
	webui/static/format.js \
	webui/static/history.js \
	webui/static/index.html \
	webui/static/login.js \
	webui/static/overview.js \
	webui/static/parts.js \
	webui/static/state.js \
	webui/static/stream.js \
	webui/static/strip.js \
	webui/static/style.css \
	webui/static/theme.js \
	webui/static/trusted.js \
	webui/static/tunnels.js \
	webui/static/words.js

all-local: webui-data
webui-data:
	@$(MKDIR_P) webui/data
	@for f in $(dist_web_DATA); do \
		cmp -s $(srcdir)/$$f webui/data/$${f##*/} || \
			cp $(srcdir)/$$f webui/data/; \
	done
	@cmp -s $(DYGRAPHS) webui/data/dygraph.min.js || cp $(DYGRAPHS) webui/data/
.PHONY: webui-data

distclean-local: webui-data-clean
webui-data-clean:
	rm -rf webui/data
.PHONY: webui-data-clean

install-data-local: webui-dygraphs
webui-dygraphs:
	$(MKDIR_P) $(DESTDIR)$(webdir)
	$(LN_S) -f $(DYGRAPHS) $(DESTDIR)$(webdir)/dygraph.min.js
.PHONY: webui-dygraphs

uninstall-local: webui-dygraphs-gone
webui-dygraphs-gone:
	rm -f $(DESTDIR)$(webdir)/dygraph.min.js
.PHONY: webui-dygraphs-gone
