/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What should be there is compared with what is: on every interface that the
 * kernel reports gone, after lost events, and when core asks. Interfaces (and,
 * with the kernel's IPsec, policies) are put back. SAs never are.
 */
#include "edged/dataplane/backend.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/log.h"
#include "lib/loop.h"
#include "lib/nlsock.h"

enum { EVENTS_BURST = 32, EVENTS_RCVBUF = 1 << 20, SWEEP_MAX = 4096 };

static void check_link(struct dataplane *dp, struct dp_tun *t)
{
	struct dp_link l;
	int before = t->ifindex;
	int err;

	if (!t->set)
		return;
	if (dp_link_get(dp->route, t->cfg.ifname, 0, &l) == 0 && l.ifindex == before)
		return;
	ed_warn(t->cfg.name, "interface %s vanished: making it again", t->cfg.ifname);
	err = dp->ops->tunnel_set(dp, t);
	if (err < 0) {
		ed_error(t->cfg.name, "interface %s: %s", t->cfg.ifname,
			 strerror(-err));
		return;
	}
	if (dp->host->tunnel_restored)
		dp->host->tunnel_restored(dp->ctx, t->slot, t->ifindex);
}

void dp_reconcile(struct dataplane *dp)
{
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++)
		if (dp->tuns[slot])
			check_link(dp, dp->tuns[slot]);
	if (dp->ops->reconcile)
		dp->ops->reconcile(dp);
}

static int on_event(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct dataplane *dp = ctx;

	if (nlh->nlmsg_type != RTM_DELLINK)
		return 0;
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++) {
		struct dp_tun *t = dp->tuns[slot];

		if (t && t->set && t->ifindex == ifi->ifi_index)
			check_link(dp, t);
	}
	return 0;
}

static void on_links(void *ctx, int fd, unsigned int events)
{
	struct dataplane *dp = ctx;

	(void)fd;
	(void)events;
	if (nlsock_recv(dp->links, EVENTS_BURST, on_event, dp) == -ENOBUFS)
		dp_reconcile(dp);
}

int dp_reconcile_start(struct dataplane *dp)
{
	static const unsigned int groups[] = {RTNLGRP_LINK};
	int err =
		nlsock_open_events(NETLINK_ROUTE, groups, 1, EVENTS_RCVBUF, &dp->links);

	if (err < 0)
		return err;
	loop_io_start(dp->loop, &dp->links_io, nlsock_fd(dp->links), LOOP_READ,
		      on_links, dp);
	return 0;
}

void dp_reconcile_stop(struct dataplane *dp)
{
	loop_io_stop(&dp->links_io);
	nlsock_free(dp->links);
	dp->links = NULL;
}

/* --- sweeping ---------------------------------------------------------------- */

struct sweep {
	const struct dataplane *dp;
	unsigned int n;
	int ifindex[SWEEP_MAX];
};

static int on_ours(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct sweep *sw = ctx;
	const struct nlattr *a;
	uint32_t group = 0;

	if (nlh->nlmsg_type != RTM_NEWLINK)
		return 0;
	nlq_for_each (a, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(a) == IFLA_GROUP)
			group = mnl_attr_get_u32(a);
	}
	if (group != DP_LINK_GROUP || sw->n == SWEEP_MAX)
		return 0;
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++)
		if (sw->dp->tuns[slot] && sw->dp->tuns[slot]->ifindex == ifi->ifi_index)
			return 0;
	sw->ifindex[sw->n++] = ifi->ifi_index;
	return 0;
}

void dp_link_sweep(struct dataplane *dp)
{
	static struct sweep sw;
	struct nlq q;

	sw.dp = dp;
	sw.n = 0;
	nlq_init(&q, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	if (nlsock_dump(dp->route, &q, on_ours, &sw) < 0)
		return;
	for (unsigned int i = 0; i < sw.n; i++)
		(void)dp_link_delete(dp->route, sw.ifindex[i]);
}
