/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/fdstore.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/notify.h"
#include "tests/unit/cm.h"
#include "tests/unit/manager.h"

/* The next message, and the descriptor with it or -1. */
static void heard(int fd, char *text, size_t cap, int *ret_fd)
{
	char control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = {.iov_base = text, .iov_len = cap - 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);
	struct cmsghdr *c;

	assert_true(n >= 0);
	text[n] = '\0';
	*ret_fd = -1;
	c = CMSG_FIRSTHDR(&msg);
	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
}

static void expect(int fd, const char *want)
{
	char text[512];
	int passed;

	heard(fd, text, sizeof(text), &passed);
	assert_string_equal(text, want);
	assert_int_equal(passed, -1);
}

static void test_a_descriptor_goes_to_the_store_by_name(void **state)
{
	int fd = manager();
	struct notify *notify = notify_new();
	struct fdstore *fs = fdstore_new(notify);
	char text[512];
	int passed;
	int p[2];
	char c;

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_equal(fdstore_put(fs, "ike-1-v4-500", p[0]), 0);
	heard(fd, text, sizeof(text), &passed);
	assert_string_equal(text, "FDSTORE=1\nFDNAME=ike-1-v4-500\nFDPOLL=0");
	assert_true(passed >= 0);
	assert_int_equal(write(p[1], "x", 1), 1);
	assert_int_equal(read(passed, &c, 1), 1);
	assert_int_equal(fdstore_put(fs, "with:colon", p[0]), -EINVAL);
	assert_int_equal(fdstore_put(fs, "", p[0]), -EINVAL);
	assert_int_equal(fdstore_put(fs, "two\nlines", p[0]), -EINVAL);
	fdstore_remove(fs, "ike-1-v4-500");
	expect(fd, "FDSTOREREMOVE=1\nFDNAME=ike-1-v4-500");
	close(passed);
	close(p[0]);
	close(p[1]);
	fdstore_free(fs);
	notify_free(notify);
	close(fd);
}

static void test_a_full_store_is_not_overfilled(void **state)
{
	int fd = manager();
	struct notify *notify = notify_new();
	struct fdstore *fs;
	char text[512];
	int passed;

	(void)state;
	setenv("FDSTORE", "2", 1);
	fs = fdstore_new(notify);
	assert_null(getenv("FDSTORE"));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fdstore_put(fs, i ? "one" : "two", 0), 0);
		heard(fd, text, sizeof(text), &passed);
		close(passed);
	}
	/* What is there may be given again; a third would be closed unseen. */
	assert_int_equal(fdstore_put(fs, "three", 0), -ENOSPC);
	assert_int_equal(fdstore_put(fs, "one", 0), 0);
	heard(fd, text, sizeof(text), &passed);
	close(passed);
	fdstore_remove(fs, "two");
	expect(fd, "FDSTOREREMOVE=1\nFDNAME=two");
	assert_int_equal(fdstore_put(fs, "three", 0), 0);
	heard(fd, text, sizeof(text), &passed);
	assert_string_equal(text, "FDSTORE=1\nFDNAME=three\nFDPOLL=0");
	close(passed);
	assert_int_equal(fdstore_put(fs, "four", 0), -ENOSPC);
	fdstore_free(fs);
	notify_free(notify);
	close(fd);
}

static void test_without_a_manager_nothing_happens(void **state)
{
	struct notify *notify;
	struct fdstore *fs;

	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify = notify_new();
	fs = fdstore_new(notify);
	assert_int_equal(fdstore_put(fs, "x", 0), -ENOTCONN);
	assert_int_equal(fdstore_take(fs, "x"), -ENOENT);
	fdstore_free(fs);
	notify_free(notify);
}

/* In a child: descriptors 3 and up are not ours to overwrite here. */
static int take_in_child(void)
{
	struct notify *notify;
	char pid[16];
	struct fdstore *fs;
	int fd;

	for (fd = FDSTORE_FIRST_FD; fd < FDSTORE_FIRST_FD + 3; fd++)
		if (dup2(open("/dev/null", O_RDONLY), fd) != fd)
			return 1;
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "3", 1);
	setenv("LISTEN_FDNAMES", "ike-1-v4-500:dp-tun-7:gone", 1);
	setenv("FDSTORE", "3", 1);
	notify = notify_new();
	fs = fdstore_new(notify);
	if (getenv("LISTEN_FDS"))
		return 2;
	/* What came out of the store is in it still. */
	if (fdstore_put(fs, "one-more", 0) != -ENOSPC)
		return 8;
	if (fdstore_take(fs, "dp-tun-7") != FDSTORE_FIRST_FD + 1)
		return 3;
	if (fdstore_take(fs, "dp-tun-7") != -ENOENT)
		return 4;
	if (!(fcntl(FDSTORE_FIRST_FD, F_GETFD) & FD_CLOEXEC))
		return 5;
	if (fdstore_take(fs, "ike-1-v4-500") != FDSTORE_FIRST_FD)
		return 6;
	if (fdstore_drop_unclaimed(fs) != 1 ||
	    fcntl(FDSTORE_FIRST_FD + 2, F_GETFD) >= 0)
		return 7;
	fdstore_free(fs);
	notify_free(notify);
	return fcntl(FDSTORE_FIRST_FD, F_GETFD) >= 0 ? 0 : 8;
}

static int ignore_in_child(void)
{
	struct notify *notify = notify_new();
	struct fdstore *fs;

	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	fs = fdstore_new(notify);
	if (fdstore_take(fs, "") != -ENOENT)
		return 1;
	fdstore_free(fs);
	notify_free(notify);
	return 0;
}

static void run_in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_kept_descriptors_come_back_by_name(void **state)
{
	(void)state;
	run_in_child(take_in_child);
}

static void test_descriptors_for_another_process_are_left_alone(void **state)
{
	(void)state;
	run_in_child(ignore_in_child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_descriptor_goes_to_the_store_by_name),
		cmocka_unit_test(test_a_full_store_is_not_overfilled),
		cmocka_unit_test(test_without_a_manager_nothing_happens),
		cmocka_unit_test(test_kept_descriptors_come_back_by_name),
		cmocka_unit_test(test_descriptors_for_another_process_are_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
