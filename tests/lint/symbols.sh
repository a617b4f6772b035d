#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# No program exports a symbol: libfrr would call ours in the place of its own.
# Copies of libc's own variables (stdout, optarg) carry libc's version and stay.
set -u
bad=0
while read -r p; do
	found=$(nm -D --defined-only "$p" 2>/dev/null | grep -v '@GLIBC_')
	if [ -n "$found" ]; then
		echo "$p exports:"
		echo "$found"
		bad=1
	fi
done < <(find "${ED_BUILD:-.}" -path '*/src' -prune -o -type f -perm -u+x \
	\( -name edged -o -name edge-esp -o -name edge-zebra -o -name edge-webui -o -name edgectl \) -print)
exit $bad
