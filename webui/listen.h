/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listen - the sockets of edge-webui
 */
#ifndef ED_WEBUI_LISTEN_H
#define ED_WEBUI_LISTEN_H

#include "lib/addr.h"

/* "10.0.0.1:8443", "[fd00::1]:8443". Returns 0 or -EINVAL. */
int listen_parse(const char *text, struct endpoint *ret);

/*
 * A listening TCP socket; the address need not be there yet.
 *
 * Returns the descriptor, or what socket, bind, listen said.
 */
int listen_tcp(const struct endpoint *e);

/*
 * A listening unix socket; a file left by a dead server is replaced. It is open to
 * everyone (mode 0666): who connects is asked of the kernel.
 *
 * Returns the descriptor; -EADDRINUSE when somebody answers there; -ENAMETOOLONG;
 * or what socket, bind, listen said.
 */
int listen_unix(const char *path);

#endif
