/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/dataplane/backend.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/nlsock.h"

#ifndef IFLA_XFRM_IF_ID
#define IFLA_XFRM_LINK 1
#define IFLA_XFRM_IF_ID 2
#endif

static void get_addr(const struct nlattr *attr, struct addr *ret)
{
	size_t len = mnl_attr_get_payload_len(attr);

	if (len == 4 || len == 16)
		*ret = addr_from_bytes(len == 4 ? AF_INET : AF_INET6,
				       mnl_attr_get_payload(attr));
}

static void get_data(const struct nlattr *data, struct dp_link *l)
{
	const struct nlattr *a;
	bool xfrm = !strcmp(l->kind, "xfrm");

	nlq_for_each_nested (a, data) {
		uint16_t type = mnl_attr_get_type(a);

		if (xfrm && type == IFLA_XFRM_IF_ID)
			l->if_id = mnl_attr_get_u32(a);
		if (xfrm || strncmp(l->kind, "vti", 3) != 0)
			continue;
		if (type == IFLA_VTI_OKEY)
			l->if_id = ntohl(mnl_attr_get_u32(a));
		else if (type == IFLA_VTI_LOCAL)
			get_addr(a, &l->local);
		else if (type == IFLA_VTI_REMOTE)
			get_addr(a, &l->remote);
	}
}

static void get_info(const struct nlattr *info, struct dp_link *l)
{
	const struct nlattr *a;

	/* The kind comes before its data. */
	nlq_for_each_nested (a, info) {
		if (mnl_attr_get_type(a) == IFLA_INFO_KIND)
			strncpy(l->kind, mnl_attr_get_str(a), sizeof(l->kind) - 1);
		else if (mnl_attr_get_type(a) == IFLA_INFO_DATA)
			get_data(a, l);
	}
}

static void get_stats(const struct nlattr *attr, struct dp_counters *c)
{
	struct rtnl_link_stats64 st = {0};
	size_t len = mnl_attr_get_payload_len(attr);

	memcpy(&st, mnl_attr_get_payload(attr), len < sizeof(st) ? len : sizeof(st));
	c->rx_packets = st.rx_packets;
	c->rx_bytes = st.rx_bytes;
	c->tx_packets = st.tx_packets;
	c->tx_bytes = st.tx_bytes;
	c->rx_bad = st.rx_errors + st.rx_dropped;
	c->tx_dropped = st.tx_errors + st.tx_dropped;
}

static int on_link(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct dp_link *l = ctx;
	const struct nlattr *a;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	l->ifindex = ifi->ifi_index;
	l->up = ifi->ifi_flags & IFF_UP;
	nlq_for_each (a, nlh, sizeof(*ifi)) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_MTU:
			l->mtu = mnl_attr_get_u32(a);
			break;
		case IFLA_GROUP:
			l->group = mnl_attr_get_u32(a);
			break;
		case IFLA_LINKINFO:
			get_info(a, l);
			break;
		default:
			break;
		}
	}
	return 0;
}

int dp_link_get(struct nlsock *nl, const char *name, int ifindex, struct dp_link *ret)
{
	struct dp_link l = {0};
	struct ifinfomsg *ifi;
	struct nlq q;
	int err;

	ifi = nlq_init(&q, RTM_GETLINK, 0, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	if (name)
		nlq_str(&q, IFLA_IFNAME, name);
	err = nlsock_dump(nl, &q, on_link, &l);
	if (err < 0)
		return err;
	if (!l.ifindex)
		return -ENODEV;
	*ret = l;
	return 0;
}

static int on_stats(const struct nlmsghdr *nlh, void *ctx)
{
	struct dp_counters *c = ctx;
	const struct nlattr *a;

	if (nlh->nlmsg_type != RTM_NEWSTATS)
		return 0;
	nlq_for_each (a, nlh, sizeof(struct if_stats_msg)) {
		if (mnl_attr_get_type(a) == IFLA_STATS_LINK_64)
			get_stats(a, c);
	}
	return 0;
}

int dp_link_counters(struct nlsock *nl, int ifindex, struct dp_counters *ret)
{
	struct dp_counters c = {0};
	struct if_stats_msg *ifs;
	struct nlq q;
	int err;

	/* The whole link with all its attributes would cost many times as much. */
	ifs = nlq_init(&q, RTM_GETSTATS, 0, sizeof(*ifs));
	ifs->ifindex = (uint32_t)ifindex;
	ifs->filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64);
	err = nlsock_dump(nl, &q, on_stats, &c);
	if (!err)
		*ret = c;
	return err;
}

/* No link-local address of its own: nothing but our traffic goes through. */
static void set_addrgen_none(struct nlsock *nl, int ifindex)
{
	struct ifinfomsg *ifi;
	struct nlattr *spec;
	struct nlattr *inet6;
	struct nlq q;

	ifi = nlq_init(&q, RTM_NEWLINK, 0, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	spec = nlq_nest(&q, IFLA_AF_SPEC);
	inet6 = nlq_nest(&q, AF_INET6);
	nlq_u8(&q, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	nlq_nest_end(&q, inet6);
	nlq_nest_end(&q, spec);
	(void)nlsock_call(nl, &q); /* a host without IPv6 refuses */
}

/* What dp_link_setup() is to find, and whether it did. */
struct as_wanted {
	const char *alias;
	uint32_t mtu;
	uint32_t gso_max; /* 0: as it is */
	bool yes;
};

static bool no_addrgen(const struct nlattr *spec)
{
	const struct nlattr *family;
	const struct nlattr *a;
	bool none = true; /* a host without IPv6 has no such part */

	nlq_for_each_nested (family, spec) {
		if (mnl_attr_get_type(family) != AF_INET6)
			continue;
		nlq_for_each_nested (a, family)
			if (mnl_attr_get_type(a) == IFLA_INET6_ADDR_GEN_MODE)
				none = mnl_attr_get_u8(a) == IN6_ADDR_GEN_MODE_NONE;
	}
	return none;
}

static int compare(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	struct as_wanted *w = ctx;
	bool alias = false;
	bool group = false;
	bool mtu = false;
	bool gso = !w->gso_max;
	bool quiet = true;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	nlq_for_each (a, nlh, sizeof(*ifi)) {
		switch (mnl_attr_get_type(a)) {
		case IFLA_MTU:
			mtu = mnl_attr_get_u32(a) == w->mtu;
			break;
		case IFLA_GROUP:
			group = mnl_attr_get_u32(a) == DP_LINK_GROUP;
			break;
		case IFLA_IFALIAS:
			alias = strcmp(mnl_attr_get_str(a), w->alias) == 0;
			break;
		case IFLA_GSO_MAX_SIZE:
			gso = gso || mnl_attr_get_u32(a) == w->gso_max;
			break;
		case IFLA_AF_SPEC:
			quiet = no_addrgen(a);
			break;
		default:
			break;
		}
	}
	w->yes = (ifi->ifi_flags & IFF_UP) && alias && group && mtu && gso && quiet;
	return 0;
}

/*
 * The kernel walks all its IPv6 routes for each message that sets something of an
 * interface that is up, even to what it is: after a restart that would be walks by
 * the number of tunnels, each longer by the same number.
 */
static bool is_set_up(struct nlsock *nl, int ifindex, const char *alias, uint32_t mtu,
		      uint32_t gso_max)
{
	struct as_wanted w = {.alias = alias, .mtu = mtu, .gso_max = gso_max};
	struct ifinfomsg *ifi;
	struct nlq q;

	ifi = nlq_init(&q, RTM_GETLINK, 0, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	return nlsock_dump(nl, &q, compare, &w) == 0 && w.yes;
}

int dp_link_setup(struct nlsock *nl, int ifindex, const char *alias, uint32_t mtu,
		  uint32_t gso_max)
{
	struct ifinfomsg *ifi;
	struct nlq q;
	int err;

	if (is_set_up(nl, ifindex, alias, mtu, gso_max))
		return 0;
	set_addrgen_none(nl, ifindex);
	if (gso_max) {
		/* Old kernels lack it: super-packets then need a second train. */
		ifi = nlq_init(&q, RTM_NEWLINK, 0, sizeof(*ifi));
		ifi->ifi_index = ifindex;
		nlq_u32(&q, IFLA_GSO_MAX_SIZE, gso_max);
		(void)nlsock_call(nl, &q);
	}
	ifi = nlq_init(&q, RTM_NEWLINK, 0, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	nlq_u32(&q, IFLA_MTU, mtu);
	nlq_u32(&q, IFLA_GROUP, DP_LINK_GROUP);
	nlq_put(&q, IFLA_IFALIAS, alias, strlen(alias));
	err = nlsock_call(nl, &q);
	if (err < 0)
		return err;
	ifi = nlq_init(&q, RTM_NEWLINK, 0, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	return nlsock_call(nl, &q);
}

int dp_link_delete(struct nlsock *nl, int ifindex)
{
	struct ifinfomsg *ifi;
	struct nlq q;

	ifi = nlq_init(&q, RTM_DELLINK, 0, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	return nlsock_call(nl, &q);
}
