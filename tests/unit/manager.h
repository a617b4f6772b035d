/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * manager - for unit tests of what is told to the service manager: its end of
 * sd_notify(3), an abstract socket of this process
 */
#ifndef ED_TESTS_UNIT_MANAGER_H
#define ED_TESTS_UNIT_MANAGER_H

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/cm.h"

/* The socket that NOTIFY_SOCKET names from now on; the caller closes it. */
static int manager(void)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	char env[64];
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int n = snprintf(sun.sun_path + 1, sizeof(sun.sun_path) - 1, "edged-test-%d",
			 (int)getpid());

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
					  (size_t)n)),
			 0);
	snprintf(env, sizeof(env), "@edged-test-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", env, 1);
	return fd;
}

#endif
