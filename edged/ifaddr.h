/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ifaddr - addresses and sysctls of a tunnel interface
 *
 * Tunnel interfaces carry our inside address alone, as /32 or /128: the routes
 * to the other end are policy.c's, so that they can be withdrawn apart.
 */
#ifndef ED_EDGED_IFADDR_H
#define ED_EDGED_IFADDR_H

#include <stddef.h>

#include "lib/addr.h"

struct nlsock;

/*
 * Make want (n of them, family 0 left out) the only addresses with global scope
 * on the interface. What fits is left untouched, so that sockets bound to it
 * and routes through it live on.
 *
 * Returns 0 or the kernel's negative errno.
 */
int ifaddr_set(struct nlsock *nl, int ifindex, const struct addr *want, size_t n);

/*
 * Have the kernel tell its listeners of the addresses once more, without any
 * change. zebra 8.4 reads links and addresses on two sockets and drops an
 * address that overtakes its link.
 *
 * Returns 0 or the kernel's negative errno (-ENODEV: the interface is gone).
 */
int ifaddr_announce(struct nlsock *nl, int ifindex, const struct addr *want, size_t n);

/*
 * Sysctls of a tunnel interface: no reverse path filter (a packet may come back
 * by another tunnel), no router advertisements, no redirects. Failures are logged.
 */
void ifaddr_sysctls(const char *ifname);

#endif
