dnl SPDX-License-Identifier: GPL-2.0-or-later
dnl
dnl What is missing is collected and named once, each with the Debian package
dnl that brings it, by the table packaging/deps.

AC_DEFUN([AX_ED_DEPS], [
	m4_ifdef([PKG_PROG_PKG_CONFIG], [PKG_PROG_PKG_CONFIG],
		[m4_fatal([pkg-config's macros are missing: run packaging/install-deps.sh])])
	ed_missing=
])

dnl ED_PACKAGES_OF(FEATURE): the packages column of packaging/deps.
AC_DEFUN([ED_MISSING], [
	ed_pkgs=$(awk -F' *\\| *' '$[1] == "$2" {print $[3]}' "$srcdir/packaging/deps")
	ed_missing="$ed_missing
  $1: install $ed_pkgs"
])

dnl ED_NEED_PKG(VARIABLE, PKG-CONFIG MODULE, FEATURE)
AC_DEFUN([ED_NEED_PKG], [
	PKG_CHECK_MODULES([$1], [$2], [], [ED_MISSING([$2], [$3])])
])

dnl ED_NEED_HEADER(HEADER, FEATURE)
AC_DEFUN([ED_NEED_HEADER], [
	AC_CHECK_HEADER([$1], [], [ED_MISSING([$1], [$2])])
])

AC_DEFUN([ED_NEED_DONE], [
	AS_IF([test -n "$ed_missing"],
		[AC_MSG_ERROR([these are missing:$ed_missing
Or run packaging/install-deps.sh, which installs them all.])])
])

dnl ED_TRY_CFLAGS(FLAGS, [PROGRAM]): keep those of FLAGS that the compiler knows,
dnl and with which PROGRAM gives no warning.
AC_DEFUN([ED_TRY_CFLAGS], [
	for ed_flag in $1; do
		ed_save=$CFLAGS
		CFLAGS="$CFLAGS -Werror $ed_flag"
		AC_COMPILE_IFELSE([m4_default([$2], [AC_LANG_PROGRAM()])], [ED_CFLAGS="$ED_CFLAGS $ed_flag"])
		CFLAGS=$ed_save
	done
])

dnl FRR's headers are in no Debian 12 or 13 package; install-deps.sh takes them
dnl from the source package of the installed version. Their folder says which
dnl release they belong to; edge-zebra checks the running library again.
AC_DEFUN([ED_FRR], [
	AC_MSG_CHECKING([for FRR headers of the installed release])
	FRR_HEADERS=
	FRR_LIB=
	frr_version=$(dpkg-query -W -f '${Version}' frr 2>/dev/null)
	AS_CASE([$with_frr_headers],
		[no], [],
		[check | yes], [
			for ed_dir in "${XDG_DATA_HOME:-/usr/local/share}/edged-frr-headers/$frr_version" /usr/include/frr; do
				AS_IF([test -n "$frr_version" && test -f "$ed_dir/zclient.h"],
					[FRR_HEADERS=$ed_dir; break])
			done],
		[FRR_HEADERS=$with_frr_headers
		AS_IF([test ! -f "$FRR_HEADERS/zclient.h"],
			[AC_MSG_ERROR([$FRR_HEADERS/zclient.h does not exist])])])
	for ed_lib in /usr/lib/*/frr/libfrr.so.0 /usr/lib/frr/libfrr.so.0; do
		AS_IF([test -f "$ed_lib"], [FRR_LIB=$ed_lib; break])
	done
	AS_IF([test -z "$FRR_LIB"], [FRR_HEADERS=])
	AC_MSG_RESULT([${FRR_HEADERS:-none}])
	FRR_CPPFLAGS="-fms-extensions -isystem $FRR_HEADERS -DMULTIPATH_NUM=256 -DHAVE_NETLINK -DGNU_LINUX -DFRR_AUTOCONF_ATOMIC"
	FRR_CPPFLAGS="$FRR_CPPFLAGS -DHAVE_STDATOMIC_H -DHAVE_CLOCK_THREAD_CPUTIME_ID -DHAVE_STRUCT_IN_PKTINFO"
	FRR_CPPFLAGS="$FRR_CPPFLAGS -DHAVE_STRUCT_MMSGHDR_MSG_HDR -DHAVE_SENDMMSG"
	FRR_LIBDIR=$(dirname "${FRR_LIB:-/}")
	AC_SUBST([FRR_HEADERS])
	AC_SUBST([FRR_CPPFLAGS])
	AC_SUBST([FRR_LIB])
	AC_SUBST([FRR_LIBDIR])
])
