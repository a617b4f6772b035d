/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/zebra/audit.h"

#include <errno.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/nlsock.h"
#include "routing/owned.h"
#include "routing/zebra/mirror.h"
#include "routing/zebra/zclient.h"

/* linux/if.h has it, but does not go with net/if.h. */
#define LOWER_UP (1U << 16)

enum { EVENT_BURST = 64, EVENT_RCVBUF = 1 << 20 };

struct audit {
	struct loop *loop;
	struct nlsock *nl;
	struct nlsock *events;
	struct loop_io io;
	struct mirror *mirror;
	void (*links)(void *ctx);
	void *ctx;
};

/* --- links ------------------------------------------------------------------------ */

static int on_link(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifinfomsg *m = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	const char *name = NULL;
	bool up = nlh->nlmsg_type == RTM_NEWLINK && (m->ifi_flags & IFF_UP) &&
		  (m->ifi_flags & LOWER_UP);

	if (nlh->nlmsg_type != RTM_NEWLINK && nlh->nlmsg_type != RTM_DELLINK)
		return 0;
	nlq_for_each (attr, nlh, sizeof(*m)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			name = mnl_attr_get_str(attr);
	}
	if (name && strlen(name) < IFNAMSIZ)
		mirror_link(ctx, name,
			    nlh->nlmsg_type == RTM_NEWLINK ? (uint32_t)m->ifi_index : 0,
			    up);
	return 0;
}

static void read_links(struct audit *a)
{
	struct nlq q;
	struct ifinfomsg *m = nlq_init(&q, RTM_GETLINK, NLM_F_DUMP, sizeof(*m));

	m->ifi_family = AF_UNSPEC;
	(void)nlsock_dump(a->nl, &q, on_link, a->mirror);
}

static void on_readable(void *ctx, int fd, unsigned int events)
{
	struct audit *a = ctx;

	(void)fd;
	(void)events;
	if (!a->mirror)
		return;
	if (nlsock_recv(a->events, EVENT_BURST, on_link, a->mirror) < 0)
		read_links(a);
	a->links(a->ctx);
}

void audit_watch(struct audit *a, struct mirror *m)
{
	a->mirror = m;
	read_links(a);
	loop_io_start(a->loop, &a->io, nlsock_fd(a->events), LOOP_READ, on_readable, a);
}

/* --- groups ------------------------------------------------------------------------- */

/* A next-hop object of the kernel: a hop, or a group of hops. */
struct object {
	uint32_t id;
	struct mirror_hop hop;
	struct nexthop_grp *members;
	size_t n_members;
	UT_hash_handle hh;
};

static int on_object(const struct nlmsghdr *nlh, void *ctx)
{
	struct object **all = ctx;
	const struct nhmsg *m = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct object *o;
	struct object *old;

	if (nlh->nlmsg_type != RTM_NEWNEXTHOP)
		return 0;
	o = ed_alloc(sizeof(*o));
	o->hop.weight = 1;
	nlq_for_each (attr, nlh, sizeof(*m)) {
		size_t len = mnl_attr_get_payload_len(attr);

		switch (mnl_attr_get_type(attr)) {
		case NHA_ID:
			o->id = mnl_attr_get_u32(attr);
			break;
		case NHA_OIF:
			o->hop.ifindex = mnl_attr_get_u32(attr);
			break;
		case NHA_GATEWAY:
			if (len == addr_size(m->nh_family))
				o->hop.gateway =
					addr_from_bytes(m->nh_family,
							mnl_attr_get_payload(attr));
			break;
		case NHA_GROUP:
			free(o->members);
			o->n_members = len / sizeof(struct nexthop_grp);
			o->members = ed_memdup(mnl_attr_get_payload(attr),
					       o->n_members * sizeof(*o->members));
			break;
		default:
			break;
		}
	}
	HASH_FIND(hh, *all, &o->id, sizeof(o->id), old);
	if (old) {
		HASH_DEL(*all, old);
		free(old->members);
		free(old);
	}
	HASH_ADD(hh, *all, id, sizeof(o->id), o);
	return 0;
}

static void free_objects(struct object **all)
{
	struct object *o;
	struct object *next;

	HASH_ITER (hh, *all, o, next) {
		HASH_DEL(*all, o);
		free(o->members);
		free(o);
	}
}

static int read_objects(struct audit *a, struct object **all)
{
	struct nlq q;
	struct nhmsg *m = nlq_init(&q, RTM_GETNEXTHOP, NLM_F_DUMP, sizeof(*m));

	m->nh_family = AF_UNSPEC;
	return nlsock_dump(a->nl, &q, on_object, all);
}

uint32_t audit_first_group(struct audit *a, uint32_t base, uint32_t space)
{
	struct object *all = NULL;
	uint32_t first = 1;

	(void)read_objects(a, &all);
	for (const struct object *o = all; o; o = o->hh.next) {
		if (o->id - base < space && o->id - base >= first)
			first = o->id - base + 1;
	}
	free_objects(&all);
	/* Half the space is left for this life; then begin at the start again. */
	return first > space / 2 ? 1 : first;
}

static void check_object(const struct object *all, const struct object *o,
			 struct mirror *m, uint32_t base)
{
	struct mirror_hop hops[MIRROR_HOPS_MAX];
	size_t n = 0;

	if (!o->n_members)
		hops[n++] = o->hop;
	for (size_t i = 0; i < o->n_members && n < MIRROR_HOPS_MAX; i++) {
		const struct object *member;

		HASH_FIND(hh, all, &o->members[i].id, sizeof(o->id), member);
		if (member)
			hops[n] = member->hop;
		else
			hops[n] = (struct mirror_hop){0};
		hops[n++].weight = (uint8_t)(o->members[i].weight + 1);
	}
	mirror_check_group(m, o->id - base, hops, n);
}

/* --- routes --------------------------------------------------------------------------- */

struct route_reader {
	struct mirror *mirror;
	uint32_t table; /* RT_TABLE_UNSPEC: each that may be a class's */
	uint32_t base;
};

static bool is_class_table(uint32_t table)
{
	return table - RT_TABLE_CLASS < RT_CLASSES_MAX;
}

static int on_route(const struct nlmsghdr *nlh, void *ctx)
{
	const struct route_reader *r = ctx;
	const struct rtmsg *m = mnl_nlmsg_get_payload(nlh);
	struct prefix dst = {.addr = {.family = m->rtm_family}, .len = m->rtm_dst_len};
	uint32_t table = m->rtm_table;
	uint32_t object = 0;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWROUTE || m->rtm_protocol != ZC_KERNEL_PROTO ||
	    (m->rtm_flags & RTM_F_CLONED))
		return 0;
	nlq_for_each (attr, nlh, sizeof(*m)) {
		switch (mnl_attr_get_type(attr)) {
		case RTA_TABLE:
			table = mnl_attr_get_u32(attr);
			break;
		case RTA_DST:
			if (mnl_attr_get_payload_len(attr) == addr_size(m->rtm_family))
				dst.addr = addr_from_bytes(m->rtm_family,
							   mnl_attr_get_payload(attr));
			break;
		case RTA_NH_ID:
			object = mnl_attr_get_u32(attr);
			break;
		default:
			break;
		}
	}
	if (r->table == RT_TABLE_UNSPEC ? is_class_table(table) : table == r->table)
		mirror_check_route(r->mirror, table, &dst, object - r->base);
	return 0;
}

static int read_routes(struct audit *a, struct route_reader *r, uint8_t family)
{
	struct nlq q;
	struct rtmsg *m = nlq_init(&q, RTM_GETROUTE, NLM_F_DUMP, sizeof(*m));
	int err;

	m->rtm_family = family;
	m->rtm_protocol = ZC_KERNEL_PROTO;
	if (r->table != RT_TABLE_UNSPEC)
		nlq_u32(&q, RTA_TABLE, r->table);
	err = nlsock_dump(a->nl, &q, on_route, r);
	return err == -ENOENT ? 0 : err; /* a table that nobody wrote to */
}

static int check_routes(struct audit *a, struct mirror *m, uint32_t base)
{
	uint32_t tables[RT_CLASSES_MAX] = {RT_TABLE_UNSPEC};
	size_t n = mirror_tables(m, tables, ARRAY_LEN(tables));
	int err = 0;

	/* Without a class every table of ours shall be empty. */
	if (n == 0)
		n = 1;
	for (size_t i = 0; i < n && !err; i++) {
		struct route_reader r = {.mirror = m, .table = tables[i], .base = base};

		err = read_routes(a, &r, AF_INET);
		if (!err)
			err = read_routes(a, &r, AF_INET6);
	}
	return err;
}

int audit_check(struct audit *a, struct mirror *m, uint32_t base, uint32_t space)
{
	struct object *all = NULL;
	int err = read_objects(a, &all);

	if (!err) {
		mirror_check_begin(m, loop_now(a->loop));
		for (const struct object *o = all; o; o = o->hh.next) {
			if (o->id - base < space)
				check_object(all, o, m, base);
		}
		err = check_routes(a, m, base);
	}
	free_objects(&all);
	if (err) {
		ed_warn("audit", "reading the kernel's routes: %s", strerror(-err));
		return err;
	}
	return (int)mirror_check_end(m);
}

/* --- life ------------------------------------------------------------------------------ */

int audit_new(struct loop *loop, void (*links)(void *ctx), void *ctx,
	      struct audit **ret)
{
	static const unsigned int groups[] = {RTNLGRP_LINK};
	struct audit *a = ed_alloc(sizeof(*a));
	int err;

	a->loop = loop;
	a->links = links;
	a->ctx = ctx;
	err = nlsock_open(NETLINK_ROUTE, &a->nl);
	if (!err)
		err = nlsock_open_events(NETLINK_ROUTE, groups, ARRAY_LEN(groups),
					 EVENT_RCVBUF, &a->events);
	if (err) {
		audit_free(a);
		return err;
	}
	*ret = a;
	return 0;
}

void audit_free(struct audit *a)
{
	if (!a)
		return;
	loop_io_stop(&a->io);
	nlsock_free(a->nl);
	nlsock_free(a->events);
	free(a);
}
