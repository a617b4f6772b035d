/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/dataplane/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/nlsock.h"

/*
 * Persistent: it stays when the last descriptor closes, but loses its carrier
 * then and the kernel drops its routes; hence the duplicates everywhere.
 */
int dp_tun_open(const char *name)
{
	struct ifreq ifr = {0};
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	strncpy(ifr.ifr_name, name, IFNAMSIZ - 1);
	ifr.ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, &ifr) < 0 || ioctl(fd, TUNSETPERSIST, 1) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int dp_tun_delete(struct nlsock *nl, int fd, const char *name)
{
	struct dp_link l;
	int err;

	if (fd >= 0)
		(void)ioctl(fd, TUNSETPERSIST, 0);
	err = dp_link_get(nl, name, 0, &l);
	return err < 0 ? err : dp_link_delete(nl, l.ifindex);
}
