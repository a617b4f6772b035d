/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/policy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/nlsock.h"
#include "routing/owned.h"

enum {
	READ_BACK_US = 20 * 1000, /* events come in bunches */
	RETRY_US = 1000 * 1000, /* after a refused step */
	AUDIT_US = 15 * 1000 * 1000,
	EVENT_BURST = 64,
	EVENT_RCVBUF = 1 << 20,
};

struct policy {
	struct loop *loop;
	struct nlsock *nl;
	struct nlsock *events;
	struct loop_io io;
	struct loop_timer timer;
	struct policy_state want; /* what was asked for */
	struct policy_state have; /* what stands, as far as known */
	bool have_valid;
	bool set; /* policy_set() was called */
	bool keep;
	bool keep_all;
	uint32_t n_classes;
	struct policy_stats stats;
	bool touched; /* by the events being read */
	policy_links links; /* NULL: nobody listens */
	void *links_ctx;
};

/* --- reading the kernel ------------------------------------------------------- */

static struct addr attr_addr(uint8_t family, const struct nlattr *a)
{
	if (mnl_attr_get_payload_len(a) < addr_size(family))
		return (struct addr){0};
	return addr_from_bytes(family, mnl_attr_get_payload(a));
}

static void read_multipath(struct policy_route *r, const struct nlattr *a)
{
	const char *pos = mnl_attr_get_payload(a);
	size_t left = mnl_attr_get_payload_len(a);

	/* Ends: each round takes at least a struct rtnexthop. */
	while (left >= sizeof(struct rtnexthop) && r->n_hops < POLICY_HOPS_MAX) {
		const struct rtnexthop *nh = (const void *)pos;
		struct policy_hop *h = &r->hops[r->n_hops];
		size_t len = nh->rtnh_len;
		const char *sub = pos + sizeof(*nh);

		if (len < sizeof(*nh) || len > left)
			return;
		*h = (struct policy_hop){.ifindex = nh->rtnh_ifindex,
					 .weight = (uint16_t)(nh->rtnh_hops + 1)};
		/* Ends: mnl_attr_ok() wants the header and the length in bounds. */
		for (const struct nlattr *n = (const void *)sub;
		     mnl_attr_ok(n, (int)(pos + len - (const char *)n));
		     n = mnl_attr_next(n)) {
			if (mnl_attr_get_type(n) == RTA_GATEWAY)
				h->gateway = attr_addr(r->family, n);
		}
		r->n_hops++;
		len = RTNH_ALIGN(len);
		if (len >= left)
			return;
		pos += len;
		left -= len;
	}
}

/* Fill r from a route message. Returns false for what is no route of a table. */
static bool read_route(const struct nlmsghdr *nlh, struct policy_route *r)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	struct policy_hop single = {.weight = 1};

	if (nlh->nlmsg_type != RTM_NEWROUTE || (m->rtm_flags & RTM_F_CLONED) ||
	    !addr_size(m->rtm_family))
		return false;
	*r = (struct policy_route){.family = m->rtm_family,
				   .type = m->rtm_type,
				   .table = m->rtm_table,
				   .dst = {.addr = {.family = m->rtm_family},
					   .len = m->rtm_dst_len}};
	nlq_for_each (a, nlh, sizeof(*m)) {
		switch (mnl_attr_get_type(a)) {
		case RTA_TABLE:
			r->table = mnl_attr_get_u32(a);
			break;
		case RTA_DST:
			r->dst.addr = attr_addr(r->family, a);
			break;
		case RTA_PRIORITY:
			r->metric = mnl_attr_get_u32(a);
			break;
		case RTA_PREFSRC:
			r->source = attr_addr(r->family, a);
			break;
		case RTA_OIF:
			single.ifindex = (int)mnl_attr_get_u32(a);
			break;
		case RTA_GATEWAY:
			single.gateway = attr_addr(r->family, a);
			break;
		case RTA_MULTIPATH:
			read_multipath(r, a);
			break;
		default:
			break;
		}
	}
	if (r->type != RTN_UNICAST)
		r->n_hops = 0;
	else if (!r->n_hops && single.ifindex)
		r->hops[r->n_hops++] = single;
	return true;
}

static int on_own_route(const struct nlmsghdr *nlh, void *ctx)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);
	struct policy_route r;

	if (m->rtm_protocol == RT_PROTO && read_route(nlh, &r))
		policy_state_add_route(ctx, &r);
	return 0;
}

static int on_rule(const struct nlmsghdr *nlh, void *ctx)
{
	const struct fib_rule_hdr *m = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a;
	uint8_t protocol = 0;
	struct policy_rule r = {.family = m->family, .table = m->table};

	if (nlh->nlmsg_type != RTM_NEWRULE || !addr_size(m->family))
		return 0;
	nlq_for_each (a, nlh, sizeof(*m)) {
		switch (mnl_attr_get_type(a)) {
		case FRA_PRIORITY:
			r.priority = mnl_attr_get_u32(a);
			break;
		case FRA_FWMARK:
			r.mark = mnl_attr_get_u32(a);
			break;
		case FRA_FWMASK:
			r.mask = mnl_attr_get_u32(a);
			break;
		case FRA_TABLE:
			r.table = mnl_attr_get_u32(a);
			break;
		case FRA_SRC:
			r.from = (struct prefix){attr_addr(m->family, a), m->src_len};
			break;
		case FRA_DST:
			r.to = (struct prefix){attr_addr(m->family, a), m->dst_len};
			break;
		case FRA_PROTOCOL:
			protocol = mnl_attr_get_u8(a);
			break;
		default:
			break;
		}
	}
	if (protocol == RT_PROTO)
		policy_state_add_rule(ctx, &r);
	return 0;
}

/* Routes of one family and protocol; the kernel filters where it can. */
static int dump_routes(struct policy *p, uint8_t family, uint8_t protocol,
		       uint32_t table, nlsock_cb cb, void *ctx)
{
	struct nlq q;
	struct rtmsg *m = nlq_init(&q, RTM_GETROUTE, NLM_F_DUMP, sizeof(*m));
	int err;

	m->rtm_family = family;
	m->rtm_protocol = protocol;
	if (table)
		nlq_u32(&q, RTA_TABLE, table);
	err = nlsock_dump(p->nl, &q, cb, ctx);
	return err == -ENOENT ? 0 : err; /* a table that nobody wrote to */
}

static int read_kernel(struct policy *p, struct policy_state *ret)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	int err = 0;

	*ret = (struct policy_state){0};
	for (size_t i = 0; i < ARRAY_LEN(families) && !err; i++) {
		struct nlq q;
		struct fib_rule_hdr *m =
			nlq_init(&q, RTM_GETRULE, NLM_F_DUMP, sizeof(*m));

		m->family = families[i];
		err = nlsock_dump(p->nl, &q, on_rule, ret);
		if (!err)
			err = dump_routes(p, families[i], RT_PROTO, 0, on_own_route,
					  ret);
	}
	policy_state_sort(ret);
	return err;
}

struct connected {
	struct policy_state *state;
	uint32_t n_classes;
};

/* A connected prefix: throw it out of every class table. */
static int on_connected(const struct nlmsghdr *nlh, void *ctx)
{
	const struct connected *c = ctx;
	const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);
	struct policy_route r;

	if (m->rtm_protocol != RTPROT_KERNEL || !read_route(nlh, &r) ||
	    r.table != RT_TABLE_MAIN || r.type != RTN_UNICAST || !r.dst.len ||
	    r.dst.len >= addr_bits(r.family) || addr_is_link_local(&r.dst.addr) ||
	    addr_is_multicast(&r.dst.addr))
		return 0;
	for (uint32_t i = 0; i < c->n_classes; i++) {
		struct policy_route t = {.family = r.family,
					 .type = RTN_THROW,
					 .table = rt_class_table(i),
					 .dst = r.dst,
					 .metric = POLICY_METRIC_LOCAL};

		policy_state_add_route(c->state, &t);
	}
	return 0;
}

/* What was asked for and the throws of what is connected now. */
static int full_want(struct policy *p, struct policy_state *ret)
{
	struct connected c = {.state = ret, .n_classes = p->n_classes};
	int err;

	*ret = (struct policy_state){0};
	for (size_t i = 0; i < p->want.n_rules; i++)
		policy_state_add_rule(ret, &p->want.rules[i]);
	for (size_t i = 0; i < p->want.n_routes; i++)
		policy_state_add_route(ret, &p->want.routes[i]);
	err = dump_routes(p, AF_INET, RTPROT_KERNEL, RT_TABLE_MAIN, on_connected, &c);
	if (!err)
		err = dump_routes(p, AF_INET6, RTPROT_KERNEL, RT_TABLE_MAIN,
				  on_connected, &c);
	policy_state_sort(ret);
	return err;
}

/* --- writing the kernel ------------------------------------------------------- */

static void put_addr(struct nlq *q, uint16_t attr, const struct addr *a)
{
	nlq_put(q, attr, a->b, addr_size(a->family));
}

static uint16_t op_flags(enum policy_op op)
{
	switch (op) {
	case POLICY_ADD:
		return NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	case POLICY_REPLACE:
		return NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
	case POLICY_DEL:
		break;
	}
	return NLM_F_ACK;
}

static void put_hops(struct nlq *q, const struct policy_route *r)
{
	struct nlattr *nest;

	if (r->n_hops == 1) {
		nlq_u32(q, RTA_OIF, (uint32_t)r->hops[0].ifindex);
		if (r->hops[0].gateway.family)
			put_addr(q, RTA_GATEWAY, &r->hops[0].gateway);
		return;
	}
	nest = nlq_nest(q, RTA_MULTIPATH);
	for (size_t i = 0; i < r->n_hops && nest && !q->overflow; i++) {
		const struct policy_hop *h = &r->hops[i];
		struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(q->nlh);
		size_t room = NLQ_SIZE - q->nlh->nlmsg_len;

		if (room < sizeof(*nh)) {
			q->overflow = true;
			return;
		}
		*nh = (struct rtnexthop){.rtnh_ifindex = h->ifindex,
					 .rtnh_hops = (uint8_t)(h->weight - 1)};
		if (h->gateway.family)
			nh->rtnh_flags = RTNH_F_ONLINK;
		q->nlh->nlmsg_len += (uint32_t)sizeof(*nh);
		if (h->gateway.family)
			put_addr(q, RTA_GATEWAY, &h->gateway);
		nh->rtnh_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(q->nlh) -
					  (char *)nh);
	}
	nlq_nest_end(q, nest);
}

static int write_route(struct policy *p, enum policy_op op,
		       const struct policy_route *r)
{
	struct nlq q;
	struct rtmsg *m = nlq_init(&q, op == POLICY_DEL ? RTM_DELROUTE : RTM_NEWROUTE,
				   op_flags(op), sizeof(*m));
	bool gateway = r->n_hops && r->hops[0].gateway.family;

	m->rtm_family = r->family;
	m->rtm_dst_len = r->dst.len;
	m->rtm_protocol = RT_PROTO;
	m->rtm_type = r->type;
	m->rtm_table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC;
	m->rtm_scope = RT_SCOPE_UNIVERSE;
	if (op == POLICY_DEL)
		m->rtm_scope = RT_SCOPE_NOWHERE;
	else if (r->type == RTN_UNICAST && !gateway && r->family == AF_INET)
		m->rtm_scope = RT_SCOPE_LINK;
	if (r->n_hops == 1 && gateway)
		m->rtm_flags = RTNH_F_ONLINK;
	nlq_u32(&q, RTA_TABLE, r->table);
	nlq_u32(&q, RTA_PRIORITY, r->metric);
	if (r->dst.len)
		put_addr(&q, RTA_DST, &r->dst.addr);
	if (op != POLICY_DEL) {
		if (r->source.family)
			put_addr(&q, RTA_PREFSRC, &r->source);
		if (r->n_hops)
			put_hops(&q, r);
	}
	return nlsock_call(p->nl, &q);
}

static int write_rule(struct policy *p, enum policy_op op, const struct policy_rule *r)
{
	struct nlq q;
	struct fib_rule_hdr *m =
		nlq_init(&q, op == POLICY_DEL ? RTM_DELRULE : RTM_NEWRULE, op_flags(op),
			 sizeof(*m));

	m->family = r->family;
	m->action = FR_ACT_TO_TBL;
	m->table = r->table < 256 ? (uint8_t)r->table : RT_TABLE_UNSPEC;
	nlq_u32(&q, FRA_TABLE, r->table);
	nlq_u32(&q, FRA_PRIORITY, r->priority);
	nlq_u8(&q, FRA_PROTOCOL, RT_PROTO);
	if (r->mask) {
		nlq_u32(&q, FRA_FWMARK, r->mark);
		nlq_u32(&q, FRA_FWMASK, r->mask);
	}
	if (r->from.addr.family) {
		m->src_len = r->from.len;
		put_addr(&q, FRA_SRC, &r->from.addr);
	}
	if (r->to.addr.family) {
		m->dst_len = r->to.len;
		put_addr(&q, FRA_DST, &r->to.addr);
	}
	return nlsock_call(p->nl, &q);
}

static const char *step_format(const struct policy_step *s, char *buf, size_t cap)
{
	return s->rule ? policy_rule_format(s->rule, buf, cap)
		       : policy_route_format(s->route, buf, cap);
}

/*
 * A removal of what is gone already and an interface that is down just now are
 * no faults; the kernel's own notification brings us back.
 */
static bool step_harmless(const struct policy_step *s, int err)
{
	if (s->op == POLICY_DEL)
		return err == -ESRCH || err == -ENOENT || err == -ENODEV;
	return s->route && s->route->type == RTN_UNICAST &&
	       (err == -ENETDOWN || err == -ENODEV);
}

static int take_step(struct policy *p, const struct policy_step *s)
{
	int err = s->rule ? write_rule(p, s->op, s->rule)
			  : write_route(p, s->op, s->route);
	char what[512];

	if (!err) {
		p->stats.added += s->op == POLICY_ADD;
		p->stats.replaced += s->op == POLICY_REPLACE;
		p->stats.removed += s->op == POLICY_DEL;
		return 0;
	}
	p->have_valid = false;
	if (step_harmless(s, err))
		return 0;
	snprintf(p->stats.error, sizeof(p->stats.error), "%s: %s%s%s",
		 step_format(s, what, sizeof(what)), strerror(-err),
		 *nlsock_error(p->nl) ? ": " : "", nlsock_error(p->nl));
	p->stats.failing++;
	return err;
}

/* One round: read what is not known, take the steps. */
static int reconcile(struct policy *p, bool heal)
{
	struct policy_state want;
	struct policy_step *steps;
	uint32_t failed_before = p->stats.failing;
	int result = full_want(p, &want);
	size_t n;
	int err;

	if (!result && !p->have_valid) {
		policy_state_fini(&p->have);
		result = read_kernel(p, &p->have);
	}
	if (result) {
		policy_state_fini(&want);
		p->have_valid = false;
		ed_warn("policy", "reading the kernel's routes: %s", strerror(-result));
		return result;
	}
	p->have_valid = true;
	p->stats.failing = 0;
	p->stats.rules = want.n_rules;
	p->stats.routes = want.n_routes;
	n = policy_diff(&p->have, &want, p->keep, &steps);
	for (size_t i = 0; i < n; i++) {
		if (p->keep_all && steps[i].op == POLICY_DEL)
			continue;
		err = take_step(p, &steps[i]);
		result = result ? result : err;
	}
	if (heal && n) {
		char what[512];

		p->stats.healed += n;
		for (size_t i = 0; i < n; i++)
			p->stats.healed_rules += steps[i].rule != NULL;
		ed_info("policy", "put %zu rules or routes right, first %s", n,
			step_format(&steps[0], what, sizeof(what)));
	}
	if (p->stats.failing && p->stats.failing != failed_before)
		ed_warn("policy", "%u rules or routes were refused: %s",
			p->stats.failing, p->stats.error);
	free(steps);
	policy_state_fini(&p->have);
	p->have = want;
	if (p->keep || p->keep_all)
		p->have_valid = false;
	return result;
}

/* --- events ------------------------------------------------------------------- */

static void on_timer(void *ctx, struct mono now);

static void schedule(struct policy *p, int64_t us)
{
	loop_timer_at(p->loop, &p->timer, mono_add_us(loop_now(p->loop), us), on_timer,
		      p);
}

static void on_timer(void *ctx, struct mono now)
{
	struct policy *p = ctx;

	(void)now;
	if (!p->set)
		return;
	p->have_valid = false;
	schedule(p, reconcile(p, true) ? RETRY_US : AUDIT_US);
}

void policy_watch_links(struct policy *p, policy_links links, void *ctx)
{
	p->links = links;
	p->links_ctx = ctx;
}

void policy_touch(struct policy *p)
{
	p->have_valid = false;
	if (p->set)
		schedule(p, READ_BACK_US);
}

static int on_event(const struct nlmsghdr *nlh, void *ctx)
{
	struct policy *p = ctx;
	const struct ifinfomsg *link = mnl_nlmsg_get_payload(nlh);

	p->touched = true;
	if (nlh->nlmsg_type == RTM_NEWLINK && p->links)
		p->links(p->links_ctx, link->ifi_index, link->ifi_flags & IFF_UP);
	return 0;
}

static void on_readable(void *ctx, int fd, unsigned int events)
{
	struct policy *p = ctx;

	(void)fd;
	(void)events;
	p->touched = false;
	if (nlsock_recv(p->events, EVENT_BURST, on_event, p) < 0)
		p->touched = true;
	if (p->touched)
		policy_touch(p);
}

/*
 * Of route messages only the deletion of one of ours is of interest: with a
 * full BGP table the others would be a flood. Netlink numbers are in host order,
 * which a filter's loads turn around.
 */
static int filter_routes(int fd)
{
	/* clang-format off */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_NEWROUTE), 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 3),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			 NLMSG_HDRLEN + offsetof(struct rtmsg, rtm_protocol)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RT_PROTO, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	/* clang-format on */
	struct sock_fprog prog = {.len = ARRAY_LEN(code), .filter = code};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0
		       ? -errno
		       : 0;
}

int policy_new(struct loop *loop, struct policy **ret)
{
	static const unsigned int groups[] = {RTNLGRP_LINK,	   RTNLGRP_IPV4_IFADDR,
					      RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_RULE,
					      RTNLGRP_IPV6_RULE,   RTNLGRP_IPV4_ROUTE,
					      RTNLGRP_IPV6_ROUTE};
	struct policy *p = ed_alloc(sizeof(*p));
	int err;

	p->loop = loop;
	err = nlsock_open(NETLINK_ROUTE, &p->nl);
	if (!err)
		err = nlsock_open_events(NETLINK_ROUTE, groups, ARRAY_LEN(groups),
					 EVENT_RCVBUF, &p->events);
	if (!err)
		err = filter_routes(nlsock_fd(p->events));
	if (err) {
		policy_free(p);
		return err;
	}
	loop_io_start(loop, &p->io, nlsock_fd(p->events), LOOP_READ, on_readable, p);
	*ret = p;
	return 0;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	loop_io_stop(&p->io);
	loop_timer_stop(&p->timer);
	nlsock_free(p->events);
	nlsock_free(p->nl);
	policy_state_fini(&p->want);
	policy_state_fini(&p->have);
	free(p);
}

int policy_set(struct policy *p, const struct policy_want *want)
{
	int err;

	policy_state_fini(&p->want);
	policy_plan(want, &p->want);
	p->n_classes =
		want->n_classes < RT_CLASSES_MAX ? want->n_classes : RT_CLASSES_MAX;
	p->keep = want->keep_tunnel_routes;
	p->keep_all = want->keep_all;
	p->set = true;
	err = reconcile(p, false);
	schedule(p, err ? RETRY_US : AUDIT_US);
	return err;
}

const struct policy_stats *policy_get_stats(const struct policy *p)
{
	return &p->stats;
}

int policy_remove_all(struct policy *p)
{
	int err;

	policy_state_fini(&p->want);
	p->n_classes = 0;
	p->keep = false;
	p->keep_all = false;
	p->have_valid = false;
	loop_timer_stop(&p->timer);
	err = reconcile(p, false);
	p->set = false;
	return err;
}

/* --- sysctls ------------------------------------------------------------------ */

/* Returns the number of bytes, or -errno. */
static ssize_t sysctl_read(const char *path, char *buf, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, cap - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	buf[n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return n;
}

static void sysctl_write(const char *path, const char *value)
{
	char now[32];
	int fd;

	if (sysctl_read(path, now, sizeof(now)) < 0 || !strcmp(now, value))
		return; /* not in this kernel, or right already */
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		ed_warn("policy", "%s is %s and cannot be set: it should be %s", path,
			now, value);
	if (fd >= 0)
		close(fd);
}

void policy_sysctls(void)
{
	/* clang-format off */
	static const struct {
		const char *path, *value;
	} wanted[] = {
		{ "/proc/sys/net/ipv4/ip_forward", "1" },
		{ "/proc/sys/net/ipv6/conf/all/forwarding", "1" },
		/* A changed group then re-announces no route that uses it. */
		{ "/proc/sys/net/ipv4/nexthop_compat_mode", "0" },
		{ "/proc/sys/net/ipv4/fib_multipath_hash_policy", "1" },
		{ "/proc/sys/net/ipv6/fib_multipath_hash_policy", "1" },
		/* Next hops whose tunnel lost its carrier are passed over. */
		{ "/proc/sys/net/ipv4/conf/all/ignore_routes_with_linkdown", "1" },
		{ "/proc/sys/net/ipv6/conf/all/ignore_routes_with_linkdown", "1" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		sysctl_write(wanted[i].path, wanted[i].value);
}

void policy_tunnel_sysctls(const char *ifname)
{
	char path[128];
	char all[32];

	/* The kernel takes the larger of "all" and the interface's own. */
	if (sysctl_read("/proc/sys/net/ipv4/conf/all/rp_filter", all, sizeof(all)) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/rp_filter", ifname);
	sysctl_write(path, strcmp(all, "1") ? "0" : "2");
	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/keep_addr_on_down",
		 ifname);
	sysctl_write(path, "1");
}

void policy_uplink_sysctls(const char *ifname)
{
	char path[128];
	char ra[32];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_ra", ifname);
	if (sysctl_read(path, ra, sizeof(ra)) > 0 && !strcmp(ra, "1"))
		sysctl_write(path, "2");
}
