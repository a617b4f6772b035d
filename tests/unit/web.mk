# SPDX-License-Identifier: GPL-2.0-or-later
WEB_TESTS = \
	tests/unit/test_lib_webusers \
	tests/unit/test_webui_api \
	tests/unit/test_webui_gate \
	tests/unit/test_webui_login \
	tests/unit/test_webui_session
check_PROGRAMS += $(WEB_TESTS)
TESTS += $(WEB_TESTS)

tests_unit_test_lib_webusers_SOURCES = tests/unit/test_lib_webusers.c
tests_unit_test_lib_webusers_CFLAGS = $(TEST_CFLAGS)
tests_unit_test_lib_webusers_LDADD = $(LIB_LIBS) $(CRYPT_LIBS) $(TEST_LIBS)
tests_unit_test_webui_api_SOURCES = tests/unit/test_webui_api.c
tests_unit_test_webui_api_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_webui_api_LDADD = $(WEBUI_LIBS) $(TEST_LIBS)
tests_unit_test_webui_gate_SOURCES = tests/unit/test_webui_gate.c
tests_unit_test_webui_gate_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_webui_gate_LDADD = $(WEBUI_LIBS) $(TEST_LIBS)
tests_unit_test_webui_login_SOURCES = tests/unit/test_webui_login.c
tests_unit_test_webui_login_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_webui_login_LDADD = $(WEBUI_LIBS) $(CRYPT_LIBS) $(TEST_LIBS)
tests_unit_test_webui_session_SOURCES = tests/unit/test_webui_session.c
tests_unit_test_webui_session_CFLAGS = $(TEST_CFLAGS) $(JANSSON_CFLAGS)
tests_unit_test_webui_session_LDADD = $(WEBUI_LIBS) $(TEST_LIBS)
