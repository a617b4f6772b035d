#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Build the tree for demo and tests, and print the folder of the build.
#
#   tests/build.sh [gcc|asan] [--werror]
#
# A tree that was configured and built in place is used as it is (after make).
# Otherwise the sources are copied to build/src and built in build/gcc or
# build/asan (clang, ASan + UBSan), so that the tree stays as it was cloned.
set -euo pipefail

top=$(cd "$(dirname "$0")/.." && pwd)
kind=gcc werror=
for arg; do
	case $arg in
	gcc | asan) kind=$arg ;;
	--werror) werror=--enable-werror ;;
	*) echo "usage: tests/build.sh [gcc|asan] [--werror]" >&2; exit 2 ;;
	esac
done
jobs=$(nproc)
out=$top/build
mkdir -p "$out"
log=$out/$kind.log
exec 8>"$out/.lock"
flock 8

fail() {
	grep -E 'error:|warning:|undefined reference|No rule|Error [0-9]' "$log" | head -n 20 >&2 || true
	echo "tests/build.sh: the $kind build failed; its log is $log" >&2
	exit 1
}

# One after the other: "all" starts a make of its own, and two at once would
# write the same objects.
make_all() {
	make -j"$jobs" "$@" all && make -j"$jobs" "$@" lab-tools
}

if [ "$kind" = gcc ] && [ -f "$top/config.status" ]; then
	make_all -C "$top" >"$log" 2>&1 || fail
	echo "$top"
	exit 0
fi

# Copy what git knows or would add; a tarball without git is copied whole.
list=$out/list.new
if git -C "$top" rev-parse --is-inside-work-tree >/dev/null 2>&1; then
	(cd "$top" && git ls-files -z -co --exclude-standard --deduplicate) >"$list.all"
	(cd "$top" && xargs -0 -a "$list.all" sh -c 'for f; do [ ! -e "$f" ] || printf "%s\0" "$f"; done' sh) >"$list"
else
	(cd "$top" && find . -path ./build -prune -o -type f ! -name '*.o' ! -name '*.a' -print0) >"$list"
fi
mkdir -p "$out/src"
if [ -f "$out/list" ]; then # what left the tree leaves the copy
	comm -z -13 <(sort -z "$list") <(sort -z "$out/list") | (cd "$out/src" && xargs -0 rm -f --)
fi
tar -C "$top" --null -T "$list" -c | tar -C "$out/src" -x
mv "$list" "$out/list"

: >"$log"
if [ ! -x "$out/src/configure" ] || [ "$out/src/configure.ac" -nt "$out/src/configure" ]; then
	(cd "$out/src" && autoreconf -fi) >>"$log" 2>&1 || fail
fi
ccache=
command -v ccache >/dev/null && ccache="ccache "
export CCACHE_DIR=${CCACHE_DIR:-${XDG_CACHE_HOME:-/var/cache}/edged-tests/ccache}
# Two clones of one tree share what they compile: paths are relative to the build.
export CCACHE_NOHASHDIR=1
mkdir -p "$out/$kind"
cd "$out/$kind"
if [ ! -f config.status ]; then
	case $kind in
	gcc) CC="${ccache}gcc" ../src/configure $werror >>"$log" 2>&1 || fail ;;
	asan)
		CC="${ccache}clang" CFLAGS="-O1 -g" ../src/configure $werror \
			--enable-sanitizers >>"$log" 2>&1 || fail
		;;
	esac
fi
make_all >>"$log" 2>&1 || fail
echo "$out/$kind"
