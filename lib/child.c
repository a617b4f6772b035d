/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/loop.h"

extern char **environ;

struct child {
	struct loop *loop;
	struct loop_child watcher;
	struct loop_io io;
	struct loop_timer timer;
	child_done done;
	void *ctx;
	pid_t pid; /* 0: did not start, or has ended */
	int fd; /* our end of its output, -1 when closed */
	int status;
	char *output;
	size_t len;
	size_t max;
};

static int input_file(const struct child_spec *spec)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	size_t done = 0;
	int err;

	if (fd < 0)
		return -errno;
	while (done < spec->input_len) {
		ssize_t n = write(fd, spec->input + done, spec->input_len - done);

		if (n < 0) {
			err = -errno;
			close(fd);
			return err;
		}
		done += (size_t)n;
	}
	(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

static int spawn(const struct child_spec *spec, int in, int out, pid_t *ret)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	sigset_t all;
	char **argv;
	size_t n = 0;
	int err;

	while (spec->argv[n])
		n++;
	argv = ed_array(n + 1, sizeof(*argv));
	for (size_t i = 0; i < n; i++)
		argv[i] = ed_strdup(spec->argv[i]);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&fa, out, STDERR_FILENO);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
						POSIX_SPAWN_SETPGROUP);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setsigdefault(&attr, &all);
	posix_spawnattr_setpgroup(&attr, 0);
	err = -posix_spawnp(ret, argv[0], &fa, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	for (size_t i = 0; i < n; i++)
		free(argv[i]);
	free(argv);
	return err;
}

/* Returns our end of its output with the process in *ret, or -errno. */
static int start(const struct child_spec *spec, pid_t *ret)
{
	int in = input_file(spec);
	int out[2];
	int err;

	if (in < 0)
		return in;
	if (pipe2(out, O_CLOEXEC) < 0) {
		err = -errno;
		close(in);
		return err;
	}
	err = spawn(spec, in, out[1], ret);
	close(in);
	close(out[1]);
	if (err < 0) {
		close(out[0]);
		return err;
	}
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	return out[0];
}

static void kill_group(pid_t pid)
{
	if (kill(-pid, SIGKILL) < 0)
		(void)kill(pid, SIGKILL);
}

static int status_of(int wait_status)
{
	return WIFEXITED(wait_status)	  ? WEXITSTATUS(wait_status)
	       : WIFSIGNALED(wait_status) ? 256 + WTERMSIG(wait_status)
					  : 255;
}

/*
 * Read what is there into buf, which keeps one byte for the NUL; what does not
 * fit is read and dropped. Returns false at the end of the output.
 */
static bool drain(int fd, char *buf, size_t max, size_t *len)
{
	char rest[4096];

	/* Ends: a read gives an error when the pipe is empty, 0 when it is closed. */
	for (;;) {
		size_t room = max > *len ? max - *len : 0;
		ssize_t n = room ? read(fd, buf + *len, room)
				 : read(fd, rest, sizeof(rest));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		if (room)
			*len += (size_t)n;
		buf[*len] = '\0';
	}
}

/* --- on the loop ---------------------------------------------------------------- */

static void release(struct child *c)
{
	loop_io_stop(&c->io);
	loop_timer_stop(&c->timer);
	loop_child_stop(&c->watcher);
	if (c->fd >= 0)
		close(c->fd);
	free(c->output);
	free(c);
}

static void finish(struct child *c)
{
	child_done done = c->done;

	if (c->fd >= 0)
		(void)drain(c->fd, c->output, c->max, &c->len);
	loop_timer_stop(&c->timer);
	done(c->ctx, c->status, c->output, c->len);
	release(c);
}

static void on_end(void *ctx, pid_t pid, int wait_status)
{
	struct child *c = ctx;

	(void)pid;
	c->pid = 0;
	if (c->status != -ETIMEDOUT)
		c->status = status_of(wait_status);
	finish(c);
}

static void on_output(void *ctx, int fd, unsigned int events)
{
	struct child *c = ctx;

	(void)events;
	if (!drain(fd, c->output, c->max, &c->len))
		loop_io_stop(&c->io);
}

static void on_time(void *ctx, struct mono now)
{
	struct child *c = ctx;

	(void)now;
	if (!c->pid) { /* did not start: tell so from the loop */
		finish(c);
		return;
	}
	c->status = -ETIMEDOUT;
	kill_group(c->pid);
}

struct child *child_run(struct loop *loop, const struct child_spec *spec,
			child_done done, void *ctx)
{
	struct child *c = ed_alloc(sizeof(*c));
	struct mono now = loop_now(loop);

	c->loop = loop;
	c->done = done;
	c->ctx = ctx;
	c->max = spec->output_max;
	c->output = ed_alloc(c->max + 1);
	c->fd = start(spec, &c->pid);
	if (c->fd < 0) {
		c->status = c->fd;
		c->fd = -1;
		c->pid = 0;
		loop_timer_at(loop, &c->timer, now, on_time, c);
		return c;
	}
	loop_child_start(loop, &c->watcher, c->pid, on_end, c);
	loop_io_start(loop, &c->io, c->fd, LOOP_READ, on_output, c);
	loop_timer_at(loop, &c->timer, mono_add_us(now, spec->timeout_ms * 1000LL),
		      on_time, c);
	return c;
}

void child_cancel(struct child *c)
{
	if (!c)
		return;
	if (c->pid) {
		kill_group(c->pid);
		(void)waitpid(c->pid, NULL, 0);
	}
	release(c);
}

/* --- without a loop --------------------------------------------------------------- */

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

int child_run_wait(const struct child_spec *spec, char *out, size_t cap)
{
	long long end = now_ms() + spec->timeout_ms;
	bool late = false;
	size_t len = 0;
	int wait_status;
	pid_t pid;
	int fd = start(spec, &pid);

	out[0] = '\0';
	if (fd < 0)
		return fd;
	/* Ends: at the end of the output, or when the time is up. */
	while (drain(fd, out, cap - 1, &len)) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		long long left = end - now_ms();

		if (left <= 0) {
			late = true;
			kill_group(pid);
			break;
		}
		(void)poll(&p, 1, (int)left);
	}
	close(fd);
	while (waitpid(pid, &wait_status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return late ? -ETIMEDOUT : status_of(wait_status);
}
