# SPDX-License-Identifier: GPL-2.0-or-later
# What a released tree holds besides what is compiled and installed: all that
# tests/run and tests/lab/demo need.
EXTRA_DIST += \
	.ci/run .clang-format .editorconfig \
	HACKING.md NEWS SECURITY.md webui/doc \
	packaging/debian packaging/deb.sh \
	tests/bare tests/bench tests/browser tests/interop tests/lab tests/lint tests/mutants tests/package \
	tests/soak tests/vm tests/web \
	tests/build.sh tests/run \
	tests/fuzz/corpus \
	tests/unit/cm.h tests/unit/golden.h tests/unit/manager.h tests/unit/netns.h

# Folders are copied whole: take out what running them left.
dist-hook:
	echo $(VERSION) >$(distdir)/.tarball-version
	find $(distdir)/tests -name __pycache__ -prune -exec rm -rf {} +
	find $(distdir)/tests '(' -name '*.o' -o -name '*.log' -o -name '*.trs' -o \
		-name '.deps' -o -name '.dirstamp' ')' -prune -exec rm -rf {} +

# Where bash-completion looks for the command's name.
completiondir = $(datadir)/bash-completion/completions
dist_completion_DATA = packaging/completion/edgectl
