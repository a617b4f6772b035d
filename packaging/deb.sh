#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Build the Debian packages of this tree.
#
#   packaging/deb.sh [--no-zebra] [OUTDIR]
#
# A released tree (make distdir) with packaging/debian as its debian/ is built by
# dpkg-buildpackage in build/deb; the packages go to OUTDIR (build/deb). Without
# FRR's headers --no-zebra leaves out edged-zebra. Prints the packages' names.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)
profiles='' out=$top/build/deb
while [ $# -gt 0 ]; do
	case $1 in
	--no-zebra) profiles=pkg.edged.nozebra ;;
	-*) sed -n '5,9s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
	*) out=$(mkdir -p "$1" && cd "$1" && pwd) ;;
	esac
	shift
done
work=$top/build/deb
log=$work/build.log
mkdir -p "$work" "$out"
die() {
	tail -n 25 "$log" >&2
	echo "packaging/deb.sh: $1; its log is $log" >&2
	exit 1
}
: >"$log"
for tool in dpkg-buildpackage dh fakeroot; do
	command -v "$tool" >/dev/null || die "$tool is missing: packaging/install-deps.sh --test brings it"
done

# The released tree.
build=${ED_TOP_BUILDDIR:-$(bash "$top/tests/build.sh" gcc)}
make -s -C "$build" distdir >>"$log" 2>&1 || die "make distdir failed"
dist=$(find "$build" -maxdepth 1 -type d -name 'edged-[0-9]*' -printf '%f\n')
tree=$work/$dist
rm -rf "$tree" "$work"/*.deb "$work"/*.buildinfo "$work"/*.changes
mv "$build/$dist" "$tree"
cp -r "$tree/packaging/debian" "$tree/debian"
# A version of git's has dashes, which part Debian's revision.
version=${dist#edged-}
sed -i "1s/([^)]*)/(${version//-/+}-1)/" "$tree/debian/changelog"

if command -v ccache >/dev/null && [ -d /usr/lib/ccache ]; then
	export PATH=/usr/lib/ccache:$PATH CCACHE_NOHASHDIR=1 CCACHE_BASEDIR=$tree
	export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-/var/cache}/edged-tests/ccache}
fi
jobs=$(nproc)
export DEB_BUILD_OPTIONS="nocheck noautodbgsym parallel=$jobs ${DEB_BUILD_OPTIONS:-}"
export DEB_BUILD_PROFILES="$profiles ${DEB_BUILD_PROFILES:-}"
(cd "$tree" && dpkg-buildpackage -us -uc -b) >>"$log" 2>&1 || die "dpkg-buildpackage failed"
rm -rf "$tree"
if [ "$out" != "$work" ]; then
	mv "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out/"
fi
ls "$out"/*.deb
