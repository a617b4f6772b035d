/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/rates.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uthash.h>

#include "edged/edged.h"
#include "edged/volumes.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/nlq.h"
#include "lib/nlsock.h"

enum { INTERVAL_MS = 2000 };

struct rate {
	char name[EDGED_NAME_MAX];
	int ifindex; /* the counters are of this interface */
	uint64_t rx_bytes, tx_bytes;
	struct mono at; /* of the counters */
	uint64_t down_bps, up_bps;
	bool known;
	UT_hash_handle hh;
};

struct rates {
	struct edged *ed;
	struct nlsock *nl;
	struct loop_timer timer;
	struct rate *all; /* by name */
};

static int take_attr(const struct nlattr *attr, void *ctx)
{
	struct rtnl_link_stats64 *stats = ctx;

	if (mnl_attr_get_type(attr) == IFLA_STATS64 &&
	    mnl_attr_get_payload_len(attr) >= sizeof(*stats))
		memcpy(stats, mnl_attr_get_payload(attr), sizeof(*stats));
	return MNL_CB_OK;
}

static int take_link(const struct nlmsghdr *nlh, void *ctx)
{
	if (nlh->nlmsg_type == RTM_NEWLINK)
		mnl_attr_parse(nlh, sizeof(struct ifinfomsg), take_attr, ctx);
	return 0;
}

static int read_counters(struct rates *r, int ifindex, uint64_t *rx, uint64_t *tx)
{
	struct rtnl_link_stats64 stats = {0};
	struct ifinfomsg *ifi;
	struct nlq q;
	int err;

	ifi = nlq_init(&q, RTM_GETLINK, 0, sizeof(*ifi));
	ifi->ifi_index = ifindex;
	err = nlsock_dump(r->nl, &q, take_link, &stats);
	*rx = stats.rx_bytes;
	*tx = stats.tx_bytes;
	return err;
}

static uint64_t bps(uint64_t now_bytes, uint64_t then_bytes, int64_t us)
{
	/* Counters that went back belong to an interface made anew. */
	if (now_bytes < then_bytes || us <= 0)
		return 0;
	return (uint64_t)((double)(now_bytes - then_bytes) * 8e6 / (double)us);
}

static void measure(struct rates *r, const struct uplink *u, struct mono now)
{
	struct rate *rate;
	uint64_t rx;
	uint64_t tx;

	HASH_FIND_STR(r->all, u->name, rate);
	if (!rate) {
		rate = ed_alloc(sizeof(*rate));
		snprintf(rate->name, sizeof(rate->name), "%s", u->name);
		HASH_ADD_STR(r->all, name, rate);
	}
	if (!r->nl || !u->ifindex || read_counters(r, u->ifindex, &rx, &tx) < 0) {
		rate->known = false;
		rate->ifindex = 0;
		return;
	}
	rate->known = rate->ifindex == u->ifindex;
	if (rate->known) {
		rate->down_bps = bps(rx, rate->rx_bytes, mono_diff_us(now, rate->at));
		rate->up_bps = bps(tx, rate->tx_bytes, mono_diff_us(now, rate->at));
	}
	rate->ifindex = u->ifindex;
	rate->rx_bytes = rx;
	rate->tx_bytes = tx;
	rate->at = now;
	if (u->conf->monthly_limit_bytes) {
		struct volume_reading reading = {
			.uplink = u->name,
			.ifname = u->ifname,
			.ifindex = u->ifindex,
			.bytes = rx + tx,
			.limit_bytes = u->conf->monthly_limit_bytes,
		};

		volumes_count(r->ed->volumes, &reading, time(NULL), now);
	}
}

/* What is no uplink any more is forgotten. */
static void sweep(struct rates *r)
{
	struct rate *rate;
	struct rate *tmp;

	HASH_ITER (hh, r->all, rate, tmp) {
		if (edged_uplink(r->ed, rate->name))
			continue;
		HASH_DEL(r->all, rate);
		free(rate);
	}
}

static void on_timer(void *ctx, struct mono now)
{
	struct rates *r = ctx;

	for (const struct uplink *u = r->ed->uplinks; u; u = u->hh.next)
		measure(r, u, now);
	sweep(r);
	loop_timer_at(r->ed->loop, &r->timer, mono_add_ms(now, INTERVAL_MS), on_timer,
		      r);
}

struct rates *rates_new(struct edged *ed)
{
	struct rates *r = ed_alloc(sizeof(*r));
	int err = nlsock_open(NETLINK_ROUTE, &r->nl);

	if (err < 0)
		ed_warn("control",
			"uplinks' traffic is not counted: no netlink socket: %s",
			strerror(-err));
	r->ed = ed;
	loop_timer_at(ed->loop, &r->timer, loop_now(ed->loop), on_timer, r);
	return r;
}

void rates_free(struct rates *r)
{
	struct rate *rate;
	struct rate *tmp;

	if (!r)
		return;
	loop_timer_stop(&r->timer);
	HASH_ITER (hh, r->all, rate, tmp) {
		HASH_DEL(r->all, rate);
		free(rate);
	}
	nlsock_free(r->nl);
	free(r);
}

bool rates_bytes(const struct rates *r, const char *name, uint64_t *ret_rx_bytes,
		 uint64_t *ret_tx_bytes)
{
	const struct rate *rate;

	if (!r)
		return false;
	HASH_FIND_STR(r->all, name, rate);
	if (!rate || !rate->ifindex)
		return false;
	*ret_rx_bytes = rate->rx_bytes;
	*ret_tx_bytes = rate->tx_bytes;
	return true;
}

bool rates_uplink(const struct rates *r, const char *name, uint64_t *ret_down_bps,
		  uint64_t *ret_up_bps)
{
	const struct rate *rate;

	if (!r)
		return false;
	HASH_FIND_STR(r->all, name, rate);
	if (!rate || !rate->known)
		return false;
	*ret_down_bps = rate->down_bps;
	*ret_up_bps = rate->up_bps;
	return true;
}
