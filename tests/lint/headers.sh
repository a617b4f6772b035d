#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every header compiles alone, has its guard and the licence line.
set -u
bad=0
flags=(-std=gnu11 -D_GNU_SOURCE -I. -fsyntax-only -Wall -Werror -Wno-unused-function -x c)
mapfile -t headers < <(find lib ike pathmon routing edged webui tests -name '*.h' | sort)
check() {
	local h=$1 guard
	guard=ED_$(echo "${h%.h}" | tr a-z/- A-Z__)_H
	gcc "${@:2}" "$h" || { echo "$h does not compile alone"; return 1; }
	grep -q "^#ifndef $guard\$" "$h" || { echo "$h: its guard is not $guard"; return 1; }
}
export -f check
printf '%s\n' "${headers[@]}" | xargs -P "$(nproc)" -I{} bash -c 'check "$@"' _ {} "${flags[@]}" || bad=1
while read -r f; do
	head -n 3 "$f" | grep -q 'SPDX-License-Identifier: GPL-2.0-or-later' ||
		{ echo "$f: no licence line at its top"; bad=1; }
done < <(find lib ike pathmon routing edged webui packaging tests -name build-aux -prune -o \
	\( -name '*.[ch]' -o -name '*.sh' -o -name '*.py' \) -print)
exit $bad
