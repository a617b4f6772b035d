# SPDX-License-Identifier: GPL-2.0-or-later
# Programs of the lab: built with everything else, never installed.
noinst_PROGRAMS = tests/lab/wanem tests/lab/flow
tests_lab_wanem_SOURCES = %D%/wanem.c
tests_lab_flow_SOURCES = %D%/flow.c
tests_lab_flow_LDADD = -lpthread
