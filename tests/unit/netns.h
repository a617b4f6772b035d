/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netns - for unit tests that need a kernel of their own: a fresh network name
 * space, and the output of a command in it
 */
#ifndef ED_TESTS_UNIT_NETNS_H
#define ED_TESTS_UNIT_NETNS_H

#include <sched.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Go to an empty name space with lo up. False where that is not allowed. */
static inline bool netns_enter(void);

/*
 * Run a command line of words without quotes; standard output and error go to
 * out (cap bytes, NUL-terminated). Returns its exit status, or -1.
 */
static inline int run(const char *line, char *out, size_t cap)
{
	char words[1024];
	char *argv[64];
	size_t argc = 0;
	posix_spawn_file_actions_t fa;
	int fds[2];
	int status = -1;
	size_t len = 0;
	ssize_t n;
	pid_t pid;
	char *save = NULL;

	snprintf(words, sizeof(words), "%s", line);
	for (char *w = strtok_r(words, " ", &save); w && argc < 63;
	     w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	if (!argc || pipe(fds) < 0)
		return -1;
	posix_spawn_file_actions_init(&fa);
	posix_spawn_file_actions_adddup2(&fa, fds[1], 1);
	posix_spawn_file_actions_adddup2(&fa, fds[1], 2);
	posix_spawn_file_actions_addclose(&fa, fds[0]);
	if (posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&fa);
	close(fds[1]);
	while (pid > 0 && len + 1 < cap &&
	       (n = read(fds[0], out + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(fds[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Run commands, one a line; returns false and prints at the first that fails. */
static inline bool run_all(const char *lines)
{
	char line[1024];
	char out[4096];

	while (*lines) {
		size_t len = strcspn(lines, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, lines);
		if (len && run(line, out, sizeof(out)) != 0) {
			fprintf(stderr, "# %s: %s\n", line, out);
			return false;
		}
		lines += len + (lines[len] == '\n');
	}
	return true;
}

static inline bool netns_enter(void)
{
	return unshare(CLONE_NEWNET) == 0 && run_all("ip link set lo up");
}

#endif
