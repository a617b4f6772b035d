#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Nothing unfinished, no path of somebody's machine, spelled right.
set -u
bad=0
found=$(grep -rnE '\b(TODO|FIXME|XXX|HACK)\b|not implemented' --include='*.[ch]' --include='*.sh' --include='*.py' \
	lib ike pathmon routing edged webui conf packaging tests --exclude-dir=lint --exclude-dir=build-aux)
if [ -n "$found" ]; then
	echo "unfinished:"
	echo "$found"
	bad=1
fi
mapfile -t text < <(find lib ike pathmon routing edged webui conf packaging tests/lab tests/lint README.md HACKING.md \
	\( -name corpus -o -name build-aux \) -prune -o -type f \
	\( -name '*.[ch]' -o -name '*.md' -o -name '*.in' -o -name '*.sh' -o -name '*.py' -o -name '*.yaml' \) -print 2>/dev/null)
codespell -L 'keep-alives,te,nd,fo,ser,clen,ans,ot,mot,sur,iif,ths,hel,doas,ect' "${text[@]}" || bad=1
exit $bad
