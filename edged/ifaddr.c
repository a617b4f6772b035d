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

/* One address of an interface; far differs from local where it has a peer. */
struct held {
	struct addr local;
	struct addr far;
	uint8_t len;
};

/* What the interface has: the answer of a dump. */
struct present {
	int ifindex;
	struct held v[IFADDR_MAX];
	size_t n;
};

static int on_addr(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct present *have = ctx;
	const struct nlattr *attr;
	struct held a = {0};

	if (nlh->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) ||
	    ifa->ifa_index != (unsigned int)have->ifindex ||
	    ifa->ifa_scope != RT_SCOPE_UNIVERSE || have->n >= IFADDR_MAX)
		return 0;
	nlq_for_each (attr, nlh, sizeof(*ifa)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (mnl_attr_get_payload_len(attr) < addr_size(ifa->ifa_family))
			continue;
		if (type == IFA_LOCAL)
			a.local = addr_from_bytes(ifa->ifa_family,
						  mnl_attr_get_payload(attr));
		if (type == IFA_ADDRESS)
			a.far = addr_from_bytes(ifa->ifa_family,
						mnl_attr_get_payload(attr));
	}
	if (!a.local.family)
		a.local = a.far;
	a.len = ifa->ifa_prefixlen;
	if (a.local.family)
		have->v[have->n++] = a;
	return 0;
}

static int change(struct nlsock *nl, uint16_t type, uint16_t flags, int ifindex,
		  const struct held *a)
{
	struct nlq q;
	struct ifaddrmsg *ifa = nlq_init(&q, type, flags, sizeof(*ifa));

	ifa->ifa_family = a->local.family;
	ifa->ifa_prefixlen = a->len;
	ifa->ifa_scope = RT_SCOPE_UNIVERSE;
	ifa->ifa_index = (unsigned int)ifindex;
	/* No duplicate detection: nobody else is on the link, and it takes a second. */
	ifa->ifa_flags = a->local.family == AF_INET6 ? IFA_F_NODAD : 0;
	nlq_put(&q, IFA_LOCAL, a->local.b, addr_size(a->local.family));
	nlq_put(&q, IFA_ADDRESS, a->far.b, addr_size(a->local.family));
	return nlsock_call(nl, &q);
}

static struct held alone(const struct addr *a)
{
	return (struct held){.local = *a, .far = *a, .len = addr_bits(a->family)};
}

static bool same(const struct held *a, const struct held *b)
{
	return addr_equal(&a->local, &b->local) && addr_equal(&a->far, &b->far) &&
	       a->len == b->len;
}

static bool wanted(const struct held *a, const struct addr *want, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct held w = alone(&want[i]);

		if (same(&w, a))
			return true;
	}
	return false;
}

static bool has(const struct present *have, const struct held *a)
{
	for (size_t i = 0; i < have->n; i++)
		if (same(&have->v[i], a))
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
		struct held a = alone(&want[i]);

		if (!want[i].family || has(&have, &a))
			continue;
		err = change(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, ifindex,
			     &a);
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

int ifaddr_announce(struct nlsock *nl, int ifindex, const struct addr *want, size_t n)
{
	int first = 0;

	for (size_t i = 0; i < n; i++) {
		struct held a = alone(&want[i]);
		int err;

		if (!want[i].family)
			continue;
		err = change(nl, RTM_NEWADDR, NLM_F_REPLACE, ifindex, &a);
		if (err < 0 && !first)
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
