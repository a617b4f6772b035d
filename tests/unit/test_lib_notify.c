/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/notify.h"

#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/loop.h"
#include "tests/unit/cm.h"
#include "tests/unit/manager.h"

static void recv_text(int fd, char *text, size_t size)
{
	ssize_t n = recv(fd, text, size - 1, MSG_DONTWAIT);

	assert_true(n >= 0);
	text[n] = '\0';
}

static void expect(int fd, const char *want)
{
	char text[512];

	recv_text(fd, text, sizeof(text));
	assert_string_equal(text, want);
}

static void expect_silence(int fd)
{
	char text[8];

	assert_int_equal(recv(fd, text, sizeof(text), MSG_DONTWAIT), -1);
}

static void test_states_are_told_in_the_managers_words(void **state)
{
	int fd = manager();
	struct loop *loop = loop_new();
	struct notify *n = notify_new();
	char text[512];

	(void)state;
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_ready(n, loop);
	expect(fd, "READY=1");
	expect_silence(fd);
	notify_status(n, "%d readers", 3);
	expect(fd, "STATUS=3 readers");
	notify_reloading(n);
	recv_text(fd, text, sizeof(text));
	assert_int_equal(strncmp(text, "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
	notify_reloaded(n);
	expect(fd, "READY=1");
	notify_stopping(n);
	expect(fd, "STOPPING=1");
	notify_free(n);
	loop_free(loop);
	close(fd);
}

static void test_the_watchdog_is_answered_from_the_loop(void **state)
{
	int fd = manager();
	struct loop *loop = loop_new();
	struct pollfd p = {.fd = fd, .events = POLLIN};
	struct notify *n;

	(void)state;
	setenv("WATCHDOG_USEC", "60000", 1);
	n = notify_new();
	assert_null(getenv("WATCHDOG_USEC"));
	assert_int_equal(notify_watchdog_us(n), 60000);
	notify_ready(n, loop);
	expect(fd, "READY=1");
	expect(fd, "WATCHDOG=1");
	/* Nobody turns the loop: nobody answers. */
	assert_int_equal(poll(&p, 1, 100), 0);
	loop_run_once(loop);
	expect(fd, "WATCHDOG=1");
	notify_free(n);
	loop_free(loop);
	close(fd);
}

/* Its queue is full and stays so: that costs one short wait, not one each. */
static void test_a_manager_that_does_not_read_is_waited_for_once(void **state)
{
	int fd = manager();
	struct notify *n = notify_new();
	struct mono from = mono_now();

	(void)state;
	for (int i = 0; i < 500; i++)
		notify_status(n, "%d", i);
	assert_in_range(mono_diff_ms(mono_now(), from), NOTIFY_WAIT_MS - 50,
			100 * NOTIFY_WAIT_MS);
	notify_free(n);
	close(fd);
}

/* Reads late, and then all there is, until it is told that the start is done. */
static void *read_late(void *arg)
{
	int fd = *(int *)arg;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char text[512];

	poll(NULL, 0, 2 * NOTIFY_WAIT_MS);
	while (poll(&p, 1, 20 * NOTIFY_WAIT_MS) == 1) {
		recv_text(fd, text, sizeof(text));
		if (strcmp(text, "READY=1") == 0)
			return arg;
	}
	return NULL;
}

static void test_a_manager_that_is_late_hears_that_the_start_is_done(void **state)
{
	int fd = manager();
	struct loop *loop = loop_new();
	struct notify *n = notify_new();
	pthread_t reader;
	void *heard;

	(void)state;
	for (int i = 0; i < 500; i++)
		notify_status(n, "%d", i);
	assert_int_equal(pthread_create(&reader, NULL, read_late, &fd), 0);
	notify_ready(n, loop);
	assert_int_equal(pthread_join(reader, &heard), 0);
	assert_non_null(heard);
	notify_free(n);
	loop_free(loop);
	close(fd);
}

static void test_another_process_watchdog_is_not_ours(void **state)
{
	int fd = manager();
	struct notify *n;

	(void)state;
	setenv("WATCHDOG_USEC", "60000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	n = notify_new();
	assert_int_equal(notify_watchdog_us(n), 0);
	notify_free(n);
	unsetenv("WATCHDOG_PID");
	setenv("WATCHDOG_USEC", "12x", 1);
	n = notify_new();
	assert_int_equal(notify_watchdog_us(n), 0);
	notify_free(n);
	close(fd);
}

static void test_without_a_manager_every_call_is_quiet(void **state)
{
	struct loop *loop = loop_new();
	struct notify *n;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "1000", 1);
	n = notify_new();
	assert_int_equal(notify_watchdog_us(n), 0);
	notify_ready(n, loop);
	notify_status(n, "nobody hears");
	notify_stopping(n);
	notify_free(n);
	notify_free(NULL);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_states_are_told_in_the_managers_words),
		cmocka_unit_test(test_the_watchdog_is_answered_from_the_loop),
		cmocka_unit_test(test_a_manager_that_does_not_read_is_waited_for_once),
		cmocka_unit_test(
			test_a_manager_that_is_late_hears_that_the_start_is_done),
		cmocka_unit_test(test_another_process_watchdog_is_not_ours),
		cmocka_unit_test(test_without_a_manager_every_call_is_quiet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
