#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Shell by shellcheck, Python by pyflakes, man pages by mandoc.
set -u
bad=0
mapfile -t shell < <(grep -rlE '^#!/bin/(ba)?sh' packaging tests .ci --exclude-dir=build-aux --exclude-dir=golden; ls packaging/completion/*)
shellcheck -S warning "${shell[@]}" || bad=1
mapfile -t python < <(grep -rlE '^#!/usr/bin/python3' tests; find tests -name '*.py')
pyflakes3 "${python[@]}" || bad=1
mapfile -t man < <(find edged webui routing -name "*.[158].in" -o -name "*.[158]")
for m in "${man[@]}"; do
	mandoc -Tlint -Wwarning "$m" || { echo "$m"; bad=1; }
done
exit $bad
