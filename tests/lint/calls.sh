#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Calls that are never right here.
set -u
found=$(grep -rnwE --include='*.[ch]' '(sprintf|vsprintf|strcpy|strcat|strtok|gets|system|popen|alloca|rand|srand|random|atoi|atol)\(' \
	lib ike pathmon routing edged webui)
if [ -n "$found" ]; then
	echo "use the bounded or checked form instead:"
	echo "$found"
	exit 1
fi
