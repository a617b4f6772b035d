/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child - runs a program to its end: input, output, time limit
 *
 * For tools that answer in a moment (nft, vtysh). Nothing goes through a shell.
 * The input lies in a memory file that is the program's standard input, so that
 * nobody waits for a pipe; standard output and error are collected together, up
 * to a limit. A program that takes too long is killed with its process group.
 */
#ifndef ED_LIB_CHILD_H
#define ED_LIB_CHILD_H

#include <stddef.h>

struct child;
struct loop;

struct child_spec {
	const char *const *argv; /* searched in PATH, ends with NULL */
	const char *input; /* NULL: empty */
	size_t input_len;
	unsigned int timeout_ms;
	size_t output_max; /* bytes kept of the output */
};

/*
 * How it ended. status: 0 to 255 the exit status, 256 plus the number of the
 * signal that killed it, -ETIMEDOUT, or the negative errno that kept it from
 * starting. output is NUL-terminated and good during the call only.
 */
typedef void (*child_done)(void *ctx, int status, const char *output, size_t len);

/*
 * Start a program; done is called once from the loop, even when it did not
 * start. spec and what it points to may go after the call.
 */
struct child *child_run(struct loop *loop, const struct child_spec *spec,
			child_done done, void *ctx);

/* Kill it and forget about it: done is not called. NULL is allowed. */
void child_cancel(struct child *c);

/*
 * The same without a loop, waiting for the end. out (cap bytes, at least 1) gets
 * the output. Returns the status as above.
 */
int child_run_wait(const struct child_spec *spec, char *out, size_t cap);

#endif
