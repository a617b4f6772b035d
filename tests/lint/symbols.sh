#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# No program exports a symbol: libfrr would call ours in the place of its own.
set -u
bad=0
for p in edged edge-esp edge-zebra edge-webui edgectl; do
	[ -x "${ED_BUILD:-.}/$p" ] || continue
	found=$(nm -D --defined-only "${ED_BUILD:-.}/$p" 2>/dev/null)
	if [ -n "$found" ]; then
		echo "$p exports:"
		echo "$found"
		bad=1
	fi
done
exit $bad
