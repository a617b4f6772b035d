/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/ifaddr.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/nlq.h"
#include "lib/nlsock.h"

enum { IFADDR_MAX = 16 }; /* addresses of one interface that are looked at */

/* What the interface has: the answer of a dump. */
struct present {
	int ifindex;
	struct prefix v[IFADDR_MAX];
	size_t n;
};

static int on_addr(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct present *have = ctx;
	const struct nlattr *attr;
	struct prefix p = {0};

	if (nlh->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) ||
	    ifa->ifa_index != (unsigned int)have->ifindex ||
	    ifa->ifa_scope != RT_SCOPE_UNIVERSE || have->n >= IFADDR_MAX)
		return 0;
	nlq_for_each (attr, nlh, sizeof(*ifa)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (mnl_attr_get_payload_len(attr) < addr_size(ifa->ifa_family))
			continue;
		if (type == IFA_LOCAL || (type == IFA_ADDRESS && !p.addr.family))
			p.addr = addr_from_bytes(ifa->ifa_family,
						 mnl_attr_get_payload(attr));
	}
	p.len = ifa->ifa_prefixlen;
	if (p.addr.family)
		have->v[have->n++] = p;
	return 0;
}

static int change(struct nlsock *nl, uint16_t type, uint16_t flags, int ifindex,
		  const struct prefix *p)
{
	struct nlq q;
	struct ifaddrmsg *ifa = nlq_init(&q, type, flags, sizeof(*ifa));

	ifa->ifa_family = p->addr.family;
	ifa->ifa_prefixlen = p->len;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	ifa->ifa_index = (unsigned int)ifindex;
	/* No duplicate detection: nobody else is on the link, and it takes a second. */
	ifa->ifa_flags = p->addr.family == AF_INET6 ? IFA_F_NODAD : 0;
	nlq_put(&q, IFA_LOCAL, p->addr.b, addr_size(p->addr.family));
	nlq_put(&q, IFA_ADDRESS, p->addr.b, addr_size(p->addr.family));
	return nlsock_call(nl, &q);
}

static bool wanted(const struct prefix *p, const struct addr *want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (addr_equal(&want[i], &p->addr) &&
		    p->len == addr_bits(want[i].family))
			return true;
	return false;
}

static bool has(const struct present *have, const struct addr *a)
{
	for (size_t i = 0; i < have->n; i++)
		if (addr_equal(&have->v[i].addr, a) &&
		    have->v[i].len == addr_bits(a->family))
			return true;
	return false;
}

int ifaddr_set(struct nlsock *nl, int ifindex, const struct addr *want, size_t n)
{
	struct present have = {.ifindex = ifindex};
	struct nlq q;
	struct ifaddrmsg *ifa = nlq_init(&q, RTM_GETADDR, NLM_F_DUMP, sizeof(*ifa));
	int first = 0;
	int err;

	ifa->ifa_index = (unsigned int)ifindex;
	err = nlsock_dump(nl, &q, on_addr, &have);
	if (err < 0)
		return err;
	/* New before old: an interface is at no moment without an address. */
	for (size_t i = 0; i < n; i++) {
		struct prefix p = {.addr = want[i], .len = addr_bits(want[i].family)};

		if (!want[i].family || has(&have, &want[i]))
			continue;
		err = change(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex,
			     &p);
		if (err < 0 && !first)
			first = err;
	}
	for (size_t i = 0; i < have.n; i++) {
		if (wanted(&have.v[i], want, n))
			continue;
		err = change(nl, RTM_DELADDR, 0, ifindex, &have.v[i]);
		if (err < 0 && err != -EADDRNOTAVAIL && !first)
			first = err;
	}
	return first;
}

static void sysctl_write(const char *family, const char *ifname, const char *key,
			 const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, ifname,
		 key);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	/* A kernel without IPv6 has no such folder. */
	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		ed_warn(ifname, "%s not set to %s: %s", path, value, strerror(errno));
	if (fd >= 0)
		close(fd);
}

void ifaddr_sysctls(const char *ifname)
{
	sysctl_write("ipv4", ifname, "rp_filter", "0");
	sysctl_write("ipv4", ifname, "accept_redirects", "0");
	sysctl_write("ipv4", ifname, "send_redirects", "0");
	sysctl_write("ipv4", ifname, "forwarding", "1");
	sysctl_write("ipv6", ifname, "accept_ra", "0");
	sysctl_write("ipv6", ifname, "accept_redirects", "0");
}
