/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/lookup.h"

#include <errno.h>
#include <linux/rtnetlink.h>

#include "lib/nlq.h"
#include "lib/nlsock.h"

struct parsing {
	struct lookup *to;
	const struct rtmsg *rtm;
};

static int take_attr(const struct nlattr *attr, void *ctx)
{
	const struct parsing *p = ctx;
	const struct rtmsg *rtm = p->rtm;
	const void *v = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);
	bool is_addr = len > 0 && len == addr_size(rtm->rtm_family);
	bool is_u32 = len == sizeof(uint32_t);

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		if (is_addr)
			p->to->prefix =
				(struct prefix){addr_from_bytes(rtm->rtm_family, v),
						rtm->rtm_dst_len};
		break;
	case RTA_GATEWAY:
		if (is_addr)
			p->to->gateway = addr_from_bytes(rtm->rtm_family, v);
		break;
	case RTA_OIF:
		if (is_u32)
			p->to->ifindex = (int)mnl_attr_get_u32(attr);
		break;
	case RTA_TABLE:
		if (is_u32)
			p->to->table = mnl_attr_get_u32(attr);
		break;
	}
	return MNL_CB_OK;
}

static int take_route(const struct nlmsghdr *nlh, void *ctx)
{
	struct lookup *l = ctx;
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct parsing p = {.to = l, .rtm = rtm};

	if (nlh->nlmsg_type != RTM_NEWROUTE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*rtm))
		return 0;
	l->local = rtm->rtm_type == RTN_LOCAL;
	l->protocol = rtm->rtm_protocol;
	l->table = rtm->rtm_table;
	mnl_attr_parse(nlh, sizeof(*rtm), take_attr, &p);
	return 0;
}

static int ask(struct nlsock *s, const struct addr *dst, uint32_t mark,
	       unsigned int flags, struct lookup *ret)
{
	struct rtmsg *rtm;
	struct nlq q;

	rtm = nlq_init(&q, RTM_GETROUTE, 0, sizeof(*rtm));
	rtm->rtm_family = dst->family;
	rtm->rtm_dst_len = addr_bits(dst->family);
	rtm->rtm_flags = flags;
	nlq_put(&q, RTA_DST, dst->b, addr_size(dst->family));
	if (mark)
		nlq_u32(&q, RTA_MARK, mark);
	return nlsock_dump(s, &q, take_route, ret);
}

static bool no_way(int err)
{
	return err == -ENETUNREACH || err == -EHOSTUNREACH || err == -EACCES ||
	       err == -EINVAL;
}

int lookup_route(const struct addr *dst, uint32_t mark, struct lookup *ret)
{
	struct lookup way = {0};
	struct lookup match = {0};
	struct nlsock *s;
	int err = nlsock_open(NETLINK_ROUTE, &s);

	if (err < 0)
		return err;
	/* Which next hop is taken, and then which route that came from. */
	err = ask(s, dst, mark, 0, &way);
	if (no_way(err)) {
		way = (struct lookup){.blocked = true};
		err = 0;
	} else if (err == 0 && ask(s, dst, mark, RTM_F_FIB_MATCH, &match) == 0) {
		way.prefix = match.prefix;
		/* A default route has no RTA_DST. */
		if (!way.prefix.addr.family)
			way.prefix = prefix_of(dst, 0);
		way.table = match.table;
		way.protocol = match.protocol;
	}
	nlsock_free(s);
	if (err == 0)
		*ret = way;
	return err;
}
