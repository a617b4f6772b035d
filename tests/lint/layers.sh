#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The arrows between folders point one way.
set -u
knows() {
	case $1 in
	lib) echo lib ;;
	ike | pathmon | routing) echo "$1|lib" ;;
	webui) echo "webui|edged/config|lib" ;;
	edged) echo "edged|ike|pathmon|routing|lib" ;;
	edged/esp) echo "edged/esp|lib" ;;
	edged/ctl) echo "edged/ctl|edged/config|routing|lib" ;;
	edged/config) echo "edged/config|routing|lib" ;;
	edged/dataplane) echo "edged/dataplane|edged/esp|routing|lib" ;;
	esac
}

bad=0
for dir in lib ike pathmon routing webui edged/esp edged/ctl edged/config edged/dataplane edged; do
	[ -d "$dir" ] || continue
	found=$(grep -rnE --include='*.[ch]' '^#[[:space:]]*include "' "$dir" |
		grep -vE '^routing/zebra/zclient\.c:' |
		grep -vE "include \"(config\.h\"|($(knows $dir))/)")
	if [ -n "$found" ]; then
		echo "$dir/ may include headers of $(knows $dir) only:"
		echo "$found"
		bad=1
	fi
done

# A foreign library lives behind one fence.
fence() { # HEADER-PATTERN ALLOWED-FILES
	local found
	found=$(grep -rnE --include='*.[ch]' "^#[[:space:]]*include <($1)>" lib ike pathmon routing edged webui 2>/dev/null |
		grep -vE "^($2):")
	if [ -n "$found" ]; then
		echo "only $2 may include $1:"
		echo "$found"
		bad=1
	fi
}
fence 'ev\.h' 'lib/loop\.c'
fence 'sqlite3\.h' 'edged/store[a-z_]*\.[ch]'
fence 'yaml\.h' 'lib/conf[a-z_]*\.c'
fence 'openssl/.*' 'ike/(crypto[a-z_]*|cert)\.[ch]|edged/esp/crypto\.[ch]|lib/(rng|secret)\.c|webui/cert\.c'
fence 'ares\.h' 'edged/resolve\.c'
fence 'microhttpd\.h' 'webui/server\.c'
fence 'zlib\.h' 'webui/files\.c'
# The pure parts read no clock and open no socket.
pure=$(grep -nE '\b(mono_now|clock_gettime|time|socket|send|recv|open|fopen|getenv)\(' \
	ike/*.c routing/steer/*.c pathmon/{window,liveness,pacer,stamp,icmp,mos,session}.c 2>/dev/null |
	grep -vE '^\S+:[[:space:]]*(\*|/\*)')
if [ -n "$pure" ]; then
	echo "the pure parts get time and bytes from their caller:"
	echo "$pure"
	bad=1
fi
exit $bad
