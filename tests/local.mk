# SPDX-License-Identifier: GPL-2.0-or-later
# Unit tests, simulations and fuzz replays are programs that speak TAP, one
# line a test. Stages beyond them are run by tests/run.
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/packaging/build-aux/tap-driver.sh
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	ED_TOP_SRCDIR='$(abs_top_srcdir)'; export ED_TOP_SRCDIR; \
	ED_TOP_BUILDDIR='$(abs_top_builddir)'; export ED_TOP_BUILDDIR; \
	ASAN_OPTIONS='abort_on_error=0:detect_leaks=1'; export ASAN_OPTIONS; \
	UBSAN_OPTIONS='print_stacktrace=1'; export UBSAN_OPTIONS;

TEST_CFLAGS = $(AM_CFLAGS) -Wno-missing-prototypes
TEST_LIBS = $(CMOCKA_LIBS)

# A harness is one file with LLVMFuzzerTestOneInput(); replay.c gives it a
# main() that runs the files and folders it is given. Without an argument it
# runs tests/fuzz/corpus/<name>, which is how "make check" calls it.
check_LIBRARIES += tests/fuzz/libreplay.a
tests_fuzz_libreplay_a_SOURCES = tests/fuzz/replay.c
tests_fuzz_libreplay_a_CFLAGS = $(TEST_CFLAGS)
REPLAY_LIBS = tests/fuzz/libreplay.a

include tests/unit/lib.mk
include tests/unit/ike.mk
include tests/unit/esp.mk
include tests/unit/paths.mk
include tests/unit/routes.mk
include tests/unit/conf.mk
include tests/unit/core.mk
include tests/unit/ctl.mk
include tests/unit/web.mk
include tests/sim/ike.mk
include tests/sim/paths.mk
include tests/fuzz/lib.mk
include tests/fuzz/ike.mk
include tests/fuzz/esp.mk
include tests/fuzz/paths.mk
include tests/fuzz/routes.mk
include tests/fuzz/conf.mk
include tests/fuzz/core.mk
include tests/fuzz/ctl.mk
include tests/fuzz/web.mk
include tests/lab/local.mk
include tests/vm/local.mk

# What tests/run asks for.
print-tests:
	@printf '%s\n' $(TESTS)
.PHONY: print-tests
