# SPDX-License-Identifier: GPL-2.0-or-later
# The lab's own programs: built by "make check" and "make lab-tools", never
# installed.
check_PROGRAMS += tests/lab/wanem tests/lab/flow
LAB_TOOLS = tests/lab/wanem tests/lab/flow
tests_lab_wanem_SOURCES = %D%/wanem.c
tests_lab_flow_SOURCES = %D%/flow.c
tests_lab_flow_LDADD = -lpthread

# The store alone, for tests/lab/test_store.py.
check_PROGRAMS += tests/lab/storedrive
LAB_TOOLS += tests/lab/storedrive
tests_lab_storedrive_SOURCES = tests/lab/storedrive.c
tests_lab_storedrive_LDADD = edged/libedged.a $(LIB_LIBS) $(SQLITE_LIBS)
