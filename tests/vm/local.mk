# SPDX-License-Identifier: GPL-2.0-or-later
# The data plane by hand: for the lab and the virtual machine, never installed.
check_PROGRAMS += tests/vm/dpdrive
LAB_TOOLS += tests/vm/dpdrive
tests_vm_dpdrive_SOURCES = tests/vm/dpdrive.c
tests_vm_dpdrive_LDADD = edged/libdataplane.a $(LIB_LIBS)
