/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vty - one question to a daemon of FRR's, over its own socket
 *
 * What vtysh says behind its prompt, without vtysh: that program first builds the
 * commands of all daemons, which takes a small box a good part of a second and is
 * too much for something that is asked again and again.
 *
 * A command ends with a NUL. Its answer is text, then three NULs and a byte of
 * status (FRR's lib/vty.c, vtysh_read()); this has been so in every release.
 */
#ifndef ED_ROUTING_ZEBRA_VTY_H
#define ED_ROUTING_ZEBRA_VTY_H

#include <stddef.h>

struct loop;
struct vty;

/*
 * The answer, with a NUL behind it. status: 0 it was given; more than 0 FRR's code
 * of a command that failed; -ETIMEDOUT, -EMSGSIZE (longer than asked for),
 * -ECONNRESET (the daemon went), or why its socket could not be reached.
 */
typedef void (*vty_done)(void *ctx, int status, const char *output, size_t len);

struct vty_spec {
	const char *path; /* the daemon's socket, e.g. .../bgpd.vty */
	const char *command; /* of the enable node, in words that need no terminal */
	int timeout_ms;
	size_t output_max;
};

/*
 * Ask; done is called once, never from within, unless vty_cancel() is called
 * before. The object frees itself after it.
 */
struct vty *vty_ask(struct loop *loop, const struct vty_spec *spec, vty_done done,
		    void *ctx);

/* Forget the question; NULL is fine. */
void vty_cancel(struct vty *v);

#endif
