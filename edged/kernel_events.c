/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/kernel_events.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "edged/edged.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/nlq.h"
#include "lib/nlsock.h"

struct kernel_events {
	struct edged *ed;
	struct nlsock *calls;
	struct nlsock *events;
	struct loop_io io;
	struct loop_timer settle;
	bool all_dirty;
	bool any_dirty;
};

/* A reading under way: the answer of a dump fills it. */
struct reading {
	struct uplink *u;
	struct uplink_kernel *k;
	uint32_t nhids[UPLINK_ROUTES_MAX]; /* of k->routes, 0 when complete */
};

/* ---- messages ------------------------------------------------------------ */

static struct addr attr_addr(const struct nlattr *attr, uint8_t family)
{
	if (mnl_attr_get_payload_len(attr) < addr_size(family))
		return (struct addr){0};
	return addr_from_bytes(family, mnl_attr_get_payload(attr));
}

static uint32_t attr_u32(const struct nlattr *attr)
{
	return mnl_attr_get_payload_len(attr) >= sizeof(uint32_t)
		       ? mnl_attr_get_u32(attr)
		       : 0;
}

bool kernel_read_link(const struct nlmsghdr *nlh, struct uplink_kernel *ret)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWLINK ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return false;
	ret->ifindex = ifi->ifi_index;
	ret->up = ifi->ifi_flags & IFF_UP;
	ret->carrier = ifi->ifi_flags & IFF_LOWER_UP;
	nlq_for_each (attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_MTU)
			ret->mtu = attr_u32(attr);
	}
	return true;
}

/* IFA_LOCAL is ours and IFA_ADDRESS the far end; IPv6 has mostly the latter. */
bool kernel_read_addr(const struct nlmsghdr *nlh, struct uplink_kernel *ret)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct uplink_addr a = {0};
	struct addr address = {0};
	uint32_t flags;

	if (nlh->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifa) ||
	    ifa->ifa_index != (unsigned int)ret->ifindex ||
	    ret->addr_count >= UPLINK_ADDRS_MAX)
		return false;
	flags = ifa->ifa_flags;
	nlq_for_each (attr, nlh, sizeof(*ifa)) {
		switch (mnl_attr_get_type(attr)) {
		case IFA_LOCAL:
			a.addr = attr_addr(attr, ifa->ifa_family);
			break;
		case IFA_ADDRESS:
			address = attr_addr(attr, ifa->ifa_family);
			break;
		case IFA_FLAGS:
			flags = attr_u32(attr);
			break;
		}
	}
	if (!a.addr.family)
		a.addr = address;
	else if (!addr_equal(&a.addr, &address))
		a.far = address;
	if (!a.addr.family)
		return false;
	a.plen = ifa->ifa_prefixlen;
	a.usable = ifa->ifa_scope == RT_SCOPE_UNIVERSE &&
		   !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_DEPRECATED)) &&
		   !(ifa->ifa_family == AF_INET6 && flags & IFA_F_TEMPORARY);
	ret->addrs[ret->addr_count++] = a;
	return true;
}

/* The member of a multipath route that leaves by the interface. */
static bool multipath_gateway(const struct nlattr *attr, int ifindex, uint8_t family,
			      struct addr *gateway)
{
	const struct rtnexthop *nh = mnl_attr_get_payload(attr);
	int left = mnl_attr_get_payload_len(attr);

	/* Ends: RTNH_OK() wants at least the header, and left shrinks by it. */
	while (RTNH_OK(nh, left)) {
		const char *at = (const char *)nh + sizeof(*nh);
		const char *end = (const char *)nh + nh->rtnh_len;

		if (nh->rtnh_ifindex == ifindex && !(nh->rtnh_flags & RTNH_F_DEAD)) {
			const struct nlattr *a =
				(const struct nlattr *)(const void *)at;

			for (; mnl_attr_ok(a, (int)(end - (const char *)a));
			     a = mnl_attr_next(a))
				if (mnl_attr_get_type(a) == RTA_GATEWAY)
					*gateway = attr_addr(a, family);
			return true;
		}
		left -= (int)RTNH_ALIGN(nh->rtnh_len);
		/* RTNH_NEXT() casts const away. */
		nh = (const void *)((const char *)nh + RTNH_ALIGN(nh->rtnh_len));
	}
	return false;
}

/* An IPv4 route may go through an IPv6 gateway (RTA_VIA): kept as a device route. */
bool kernel_read_route(const struct nlmsghdr *nlh, struct uplink_kernel *ret,
		       uint32_t *ret_nhid)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct uplink_route r = {0};
	uint32_t table;
	bool ours = false;

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm) || rtm->rtm_dst_len != 0 ||
	    rtm->rtm_type != RTN_UNICAST || ret->route_count >= UPLINK_ROUTES_MAX ||
	    rtm->rtm_flags & RTM_F_CLONED)
		return false;
	table = rtm->rtm_table;
	r.family = rtm->rtm_family;
	r.protocol = rtm->rtm_protocol;
	nlq_for_each (attr, nlh, sizeof(*rtm)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_TABLE:
			table = attr_u32(attr);
			break;
		case RTA_PRIORITY:
			r.metric = attr_u32(attr);
			break;
		case RTA_GATEWAY:
			r.gateway = attr_addr(attr, r.family);
			break;
		case RTA_OIF:
			ours = ours || attr_u32(attr) == (uint32_t)ret->ifindex;
			break;
		case RTA_NH_ID:
			r.nhid = attr_u32(attr);
			break;
		case RTA_MULTIPATH:
			ours = ours || multipath_gateway(attr, ret->ifindex, r.family,
							 &r.gateway);
			break;
		}
	}
	if (table != RT_TABLE_MAIN || (!ours && !r.nhid) ||
	    (r.family != AF_INET && r.family != AF_INET6))
		return false;
	*ret_nhid = r.nhid;
	ret->routes[ret->route_count++] = r;
	return true;
}

/* ---- a reading ----------------------------------------------------------- */

static int on_link(const struct nlmsghdr *nlh, void *ctx)
{
	struct reading *r = ctx;

	(void)kernel_read_link(nlh, r->k);
	return 0;
}

static int on_addr(const struct nlmsghdr *nlh, void *ctx)
{
	struct reading *r = ctx;

	(void)kernel_read_addr(nlh, r->k);
	return 0;
}

static int on_route(const struct nlmsghdr *nlh, void *ctx)
{
	struct reading *r = ctx;
	unsigned int at = r->k->route_count;
	uint32_t nhid;

	if (kernel_read_route(nlh, r->k, &nhid))
		r->nhids[at] = nhid;
	return 0;
}

/* One next-hop object: its device and gateway, or the members of a group. */
struct nexthop {
	int ifindex;
	uint8_t family;
	struct addr gateway;
	uint32_t members[KERNEL_GROUP_MAX];
	unsigned int count;
};

static int on_nexthop(const struct nlmsghdr *nlh, void *ctx)
{
	const struct nhmsg *nhm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct nexthop *nh = ctx;

	if (nlh->nlmsg_type != RTM_NEWNEXTHOP ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*nhm))
		return 0;
	nh->family = nhm->nh_family;
	nlq_for_each (attr, nlh, sizeof(*nhm)) {
		const struct nexthop_grp *grp;
		size_t n;

		switch (mnl_attr_get_type(attr)) {
		case NHA_OIF:
			nh->ifindex = (int)attr_u32(attr);
			break;
		case NHA_GATEWAY:
			nh->gateway = attr_addr(attr, nh->family);
			break;
		case NHA_GROUP:
			grp = mnl_attr_get_payload(attr);
			n = mnl_attr_get_payload_len(attr) / sizeof(*grp);
			for (size_t i = 0; i < n && nh->count < KERNEL_GROUP_MAX; i++)
				nh->members[nh->count++] = grp[i].id;
			break;
		}
	}
	return 0;
}

static int nexthop_get(struct kernel_events *k, uint32_t id, struct nexthop *nh)
{
	struct nlq q;

	memset(nh, 0, sizeof(*nh));
	(void)nlq_init(&q, RTM_GETNEXTHOP, 0, sizeof(struct nhmsg));
	nlq_u32(&q, NHA_ID, id);
	return nlsock_dump(k->calls, &q, on_nexthop, nh);
}

/* Does object id lead out by the interface? Groups hold no groups: one level. */
static bool nexthop_leads(struct kernel_events *k, uint32_t id, int ifindex,
			  struct uplink_route *r)
{
	struct nexthop nh;
	struct nexthop member;

	if (nexthop_get(k, id, &nh) < 0)
		return false;
	for (unsigned int i = 0; nh.ifindex != ifindex && i < nh.count; i++)
		if (nexthop_get(k, nh.members[i], &member) == 0 &&
		    member.ifindex == ifindex)
			nh = member;
	if (nh.ifindex != ifindex)
		return false;
	r->gateway = nh.gateway.family == r->family ? nh.gateway : (struct addr){0};
	return true;
}

/* Fill in the gateways of next-hop objects; drop routes that lead elsewhere. */
static void follow_nexthops(struct kernel_events *k, struct reading *r)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < r->k->route_count; i++) {
		struct uplink_route route = r->k->routes[i];

		if (r->nhids[i] &&
		    !nexthop_leads(k, r->nhids[i], r->k->ifindex, &route))
			continue;
		r->k->routes[kept++] = route;
	}
	for (unsigned int i = kept; i < r->k->route_count; i++)
		r->k->routes[i] = (struct uplink_route){0};
	r->k->route_count = kept;
}

/* The kernel could not answer now; other errors mean that there is nothing. */
static bool no_answer(int err)
{
	return err == -ENOMEM || err == -ENOBUFS || err == -ETIMEDOUT || err == -EAGAIN;
}

/* False: not all was told. */
static bool dump_family(struct kernel_events *k, struct reading *r, uint8_t family)
{
	struct nlq q;
	struct ifaddrmsg *ifa;
	struct rtmsg *rtm;

	ifa = nlq_init(&q, RTM_GETADDR, NLM_F_DUMP, sizeof(*ifa));
	ifa->ifa_family = family;
	ifa->ifa_index = (unsigned int)r->k->ifindex;
	if (no_answer(nlsock_dump(k->calls, &q, on_addr, r)))
		return false;

	rtm = nlq_init(&q, RTM_GETROUTE, NLM_F_DUMP, sizeof(*rtm));
	rtm->rtm_family = family;
	rtm->rtm_table = RT_TABLE_MAIN;
	nlq_u32(&q, RTA_TABLE, RT_TABLE_MAIN);
	nlq_u32(&q, RTA_OIF, (uint32_t)r->k->ifindex);
	return !no_answer(nlsock_dump(k->calls, &q, on_route, r));
}

static void settle(struct kernel_events *k);

void kernel_events_read(struct kernel_events *k, struct uplink *u)
{
	struct uplink_kernel now = {0};
	struct reading r = {.u = u, .k = &now};
	struct ifinfomsg *ifi;
	struct nlq q;
	bool whole;

	ifi = nlq_init(&q, RTM_GETLINK, 0, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	nlq_str(&q, IFLA_IFNAME, u->ifname);
	whole = !no_answer(nlsock_dump(k->calls, &q, on_link, &r));
	if (whole && now.ifindex)
		whole = dump_family(k, &r, AF_INET) && dump_family(k, &r, AF_INET6);
	/* Half a reading looks like addresses that went: SAs would end for it. */
	if (!whole) {
		u->dirty = true;
		settle(k);
		return;
	}
	if (now.ifindex)
		follow_nexthops(k, &r);
	uplink_update(u, &now, loop_now(k->ed->loop));
}

/* ---- events -------------------------------------------------------------- */

static void on_settled(void *ctx, struct mono now)
{
	struct kernel_events *k = ctx;
	struct uplink *u;
	struct uplink *tmp;

	(void)now;
	k->any_dirty = false;
	HASH_ITER (hh, k->ed->uplinks, u, tmp) {
		if (!u->dirty && !k->all_dirty)
			continue;
		u->dirty = false;
		kernel_events_read(k, u);
	}
	k->all_dirty = false;
}

static void settle(struct kernel_events *k)
{
	if (k->any_dirty)
		return;
	k->any_dirty = true;
	loop_timer_at(k->ed->loop, &k->settle,
		      mono_add_ms(loop_now(k->ed->loop), KERNEL_SETTLE_MS), on_settled,
		      k);
}

static void dirty_index(struct kernel_events *k, int ifindex)
{
	struct uplink *u;

	for (u = k->ed->uplinks; u; u = u->hh.next) {
		if (u->ifindex != ifindex || !ifindex)
			continue;
		u->dirty = true;
		settle(k);
	}
}

/* A link event names the interface: one that appears has no known index yet. */
static void dirty_name(struct kernel_events *k, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct uplink *u;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return;
	dirty_index(k, ifi->ifi_index);
	nlq_for_each (attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) != IFLA_IFNAME ||
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
			continue;
		for (u = k->ed->uplinks; u; u = u->hh.next) {
			if (strcmp(u->ifname, mnl_attr_get_str(attr)) != 0)
				continue;
			u->dirty = true;
			settle(k);
		}
	}
}

static bool is_main_default(const struct nlmsghdr *nlh)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	return mnl_nlmsg_get_payload_len(nlh) >= sizeof(*rtm) &&
	       rtm->rtm_dst_len == 0 && rtm->rtm_table == RT_TABLE_MAIN &&
	       !(rtm->rtm_flags & RTM_F_CLONED);
}

static bool uses_nexthops(const struct uplink *u)
{
	for (unsigned int i = 0; i < u->kernel.route_count; i++)
		if (u->kernel.routes[i].nhid)
			return true;
	return false;
}

static int on_event(const struct nlmsghdr *nlh, void *ctx)
{
	struct kernel_events *k = ctx;
	const struct ifaddrmsg *ifa;
	struct uplink *u;

	switch (nlh->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		dirty_name(k, nlh);
		break;
	case RTM_NEWADDR:
	case RTM_DELADDR:
		ifa = mnl_nlmsg_get_payload(nlh);
		if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(*ifa))
			dirty_index(k, (int)ifa->ifa_index);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		if (!is_main_default(nlh))
			break;
		k->all_dirty = true;
		settle(k);
		break;
	case RTM_NEWNEXTHOP:
	case RTM_DELNEXTHOP:
		/* FRR makes thousands; only who uses one is asked again. */
		for (u = k->ed->uplinks; u; u = u->hh.next) {
			if (!uses_nexthops(u))
				continue;
			u->dirty = true;
			settle(k);
		}
		break;
	}
	return 0;
}

static void on_readable(void *ctx, int fd, unsigned int events)
{
	struct kernel_events *k = ctx;

	(void)fd;
	(void)events;
	if (nlsock_recv(k->events, KERNEL_BURST, on_event, k) == -ENOBUFS) {
		ed_info("kernel",
			"more events than the buffer holds: reading all again");
		k->all_dirty = true;
		settle(k);
	}
}

int kernel_events_new(struct edged *ed, struct kernel_events **ret)
{
	static const unsigned int groups[] = {
		RTNLGRP_LINK,	    RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE,	 RTNLGRP_NEXTHOP,
	};
	struct kernel_events *k = ed_alloc(sizeof(*k));
	int err;

	k->ed = ed;
	err = nlsock_open(NETLINK_ROUTE, &k->calls);
	if (err < 0)
		goto fail;
	err = nlsock_open_events(NETLINK_ROUTE, groups, ARRAY_LEN(groups),
				 KERNEL_RCVBUF_BYTES, &k->events);
	if (err < 0)
		goto fail;
	loop_io_start(ed->loop, &k->io, nlsock_fd(k->events), LOOP_READ, on_readable,
		      k);
	*ret = k;
	return 0;

fail:
	kernel_events_free(k);
	return err;
}

void kernel_events_free(struct kernel_events *k)
{
	if (!k)
		return;
	loop_io_stop(&k->io);
	loop_timer_stop(&k->settle);
	nlsock_free(k->calls);
	nlsock_free(k->events);
	free(k);
}
