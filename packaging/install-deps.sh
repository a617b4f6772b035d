#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Install what edged needs on Debian 12 or later, by the table packaging/deps.
#
#   packaging/install-deps.sh            to build and run edged
#   packaging/install-deps.sh --test     and everything that demo and tests use
#
# Says what it installs, does nothing when all is there. Services that come
# along (frr, strongswan) are not started while this script installs them.
set -eu

say() { echo "install-deps: $*"; }
die() { echo "install-deps: $*" >&2; exit 1; }

here=$(cd "$(dirname "$0")" && pwd)
need='build|run'
case ${1:-} in
--test) need='build|run|test' ;;
'') ;;
*) die "usage: install-deps.sh [--test]" ;;
esac
command -v apt-get >/dev/null || die "this script knows Debian and its relatives only; packaging/deps lists what is needed"

wanted=$(awk -F ' *[|] *' -v need="^($need)\$" '!/^#/ && $4 ~ need {print $3}' "$here/deps")
missing=
for p in $wanted; do
	dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q ' installed$' || missing="$missing $p"
done

if [ -n "$missing" ]; then
	[ "$(id -u)" -eq 0 ] || die "root is needed to install:$missing"
	say "installing:$missing"
	# 101: a package may not start its services now; an existing policy stays.
	policy=/usr/sbin/policy-rc.d
	made=
	if [ ! -e $policy ]; then
		printf '#!/bin/sh\nexit 101\n' >$policy
		chmod 755 $policy
		made=yes
	fi
	trap '[ -z "$made" ] || rm -f $policy' EXIT
	trap 'exit 130' INT TERM HUP
	log=$(mktemp)
	export DEBIAN_FRONTEND=noninteractive
	apt_get() { apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" >"$log" 2>&1; }
	apt_get update || { tail -n 20 "$log" >&2; die "apt-get update failed"; }
	# shellcheck disable=SC2086 # a list of words
	apt_get install -y --no-install-recommends $missing ||
		{ tail -n 20 "$log" >&2; die "apt-get install failed"; }
	rm -f "$log"
fi

if headers=$(sh "$here/frr-headers.sh"); then
	say "all there; FRR's headers: $headers"
else
	die "FRR's headers could not be brought: edge-zebra cannot be built without them"
fi
