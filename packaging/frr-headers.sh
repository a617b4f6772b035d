#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The headers of the installed FRR, which Debian 12 and 13 ship in no package.
#
# Takes them from the distribution's source package of the very version that is
# installed, by an apt configuration of its own (the machine's sources with
# Types: deb-src; nothing of the machine's apt is touched), and puts them flat
# into ${XDG_DATA_HOME:-/usr/local/share}/edged-frr-headers/VERSION/, where
# configure looks. FRR's own includes of "lib/x.h" become "x.h": they would find
# this project's lib/ otherwise. Prints the folder. Does nothing when it is there.
set -eu

say() { echo "frr-headers: $*" >&2; }
die() { say "$*"; exit 1; }

version=$(dpkg-query -W -f '${Version}' frr 2>/dev/null) || version=
[ -n "$version" ] || die "frr is not installed: install it first (packaging/install-deps.sh does)"
source=$(dpkg-query -W -f '${source:Package}' frr)
source_version=$(dpkg-query -W -f '${source:Version}' frr)
base=${XDG_DATA_HOME:-/usr/local/share}/edged-frr-headers
dest=$base/$version

if [ -f "$dest/zclient.h" ] && [ -f "$dest/version.h" ]; then
	echo "$dest"
	exit 0
fi
for tool in apt-get dpkg-source perl; do
	command -v "$tool" >/dev/null || die "$tool is missing: install dpkg-dev and perl"
done
mkdir -p "$base" || die "$base cannot be written: run as root, or set XDG_DATA_HOME"

tmp=$(mktemp -d)
new=$base/.new.$$
trap 'rm -rf "$tmp" "$new"' EXIT
trap 'exit 130' INT TERM HUP

# The machine's sources, as sources of source packages only.
mkdir -p "$tmp/parts" "$tmp/lists/partial" "$tmp/cache/archives/partial" "$tmp/src"
for f in /etc/apt/sources.list.d/*.sources; do
	[ -f "$f" ] || continue
	sed 's/^Types:.*/Types: deb-src/' "$f" >"$tmp/parts/${f##*/}"
done
for f in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
	[ -f "$f" ] || continue
	sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$f" >"$tmp/parts/${f##*/}.list"
done
apt() {
	apt-get -qq -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$tmp/parts" \
		-o Dir::State::lists="$tmp/lists" -o Dir::Cache="$tmp/cache" \
		-o APT::Sandbox::User=root -o Acquire::Retries=3 -o Acquire::Languages=none "$@"
}
say "fetching the source package of frr $source_version"
apt update >"$tmp/log" 2>&1 || { cat "$tmp/log" >&2; die "apt-get update of the source lists failed"; }
(cd "$tmp/src" && apt source "$source=$source_version") >"$tmp/log" 2>&1 ||
	{ cat "$tmp/log" >&2; die "the source package of frr $source_version could not be had"; }
set -- "$tmp"/src/*/lib/zclient.h
[ -f "$1" ] || die "the source package of frr $source_version holds no lib/zclient.h"
tree=${1%/lib/zclient.h}

# Flat: lib/ and include/ beside the generated route_types.h and version.h.
mkdir "$new"
cp "$tree"/lib/*.h "$new/"
cp -R "$tree/include/." "$new/"
rm -f "$new/subdir.am"
(cd "$tree" && perl lib/route_types.pl <lib/route_types.txt) >"$new/route_types.h"
upstream=$(sed -n 's/^AC_INIT(\[*frr\]*, *\[*\([0-9][0-9.]*\).*/\1/p' "$tree/configure.ac" | head -n 1)
[ -n "$upstream" ] || die "configure.ac of frr $source_version does not name its version"
cat >"$new/version.h" <<END
/* what configure of FRR would have written */
#define FRR_FULL_NAME "FRRouting"
#define FRR_VERSION "$upstream"
#define FRR_VER_SHORT "$upstream"
#define FRR_BUG_ADDRESS ""
#define FRR_COPYRIGHT ""
END
if [ -f "$tree/lib/mgmt.proto" ]; then
	command -v protoc-c >/dev/null || die "protoc-c is missing: install protobuf-c-compiler libprotobuf-c-dev"
	(cd "$tree" && protoc-c --c_out="$new" lib/mgmt.proto)
	[ ! -d "$new/lib" ] || { mv "$new"/lib/*.h "$new/"; rm -rf "${new:?}/lib"; }
fi
find "$new" -name '*.h' -exec sed -i 's,^\([[:space:]]*#[[:space:]]*include[[:space:]]*"\)lib/,\1,' {} +
rm -rf "$dest"
mv "$new" "$dest"
say "headers of frr $version are in $dest"
echo "$dest"
