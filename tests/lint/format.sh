#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# clang-format 14 judges; another version says so and passes.
set -u
if ! command -v clang-format-14 >/dev/null; then
	echo "clang-format-14 is not here: not judged"
	exit 0
fi
find lib ike pathmon routing edged webui tests -name '*.[ch]' -print0 |
	xargs -0 clang-format-14 --dry-run -Werror
