#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Print the version: from a released tarball's file, else from git, else 0.1.0.
set -eu
dir=$(dirname "$0")/..
if [ -f "$dir/.tarball-version" ]; then
	tr -d '\n' <"$dir/.tarball-version"
elif v=$(git -C "$dir" describe --tags --match 'v[0-9]*' --abbrev=7 2>/dev/null); then
	printf %s "${v#v}"
else
	printf 0.1.0
fi
