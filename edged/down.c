/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edged --down: what is ours goes, and nothing else. Ours is what carries our
 * numbers (routing/owned.h): rules and routes of our protocol, the nftables
 * table, the interfaces of our slots whose alias is the slot's name, their SAs,
 * and the files of RUN/ike. The configuration is not needed: it may be broken,
 * which can be the reason for the call. What came from us into FRR is taken out
 * by edge-zebra, which is told an empty intent.
 */
#include "edged/edged.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "edged/dataplane/dataplane.h"
#include "edged/nft.h"
#include "edged/policy.h"
#include "edged/slots.h"
#include "edged/steer_apply.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/nlq.h"
#include "lib/nlsock.h"
#include "routing/classify/nft.h"
#include "routing/owned.h"

/* What one sweep needs, and what it has removed. */
struct sweep {
	struct nlsock *nl;
	struct dataplane *dp;
	unsigned int links;
	int err; /* the first failure */
};

static void note(struct sweep *s, const char *what, int err)
{
	if (err >= 0)
		return;
	ed_error("down", "%s: %s", what, strerror(-err));
	if (!s->err)
		s->err = err;
}

static bool edged_runs(const struct edged_options *opt)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	bool yes;
	int fd;

	if ((size_t)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/control.sock",
			     opt->run) >= sizeof(sun.sun_path))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	yes = connect(fd, (const struct sockaddr *)&sun, sizeof(sun)) == 0;
	close(fd);
	return yes;
}

/* ---- interfaces --------------------------------------------------------------- */

/* The alias of a link: how we know that it is ours. */
struct link_seen {
	int ifindex;
	char alias[256];
};

static int on_link(const struct nlmsghdr *nlh, void *ctx)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct link_seen *seen = ctx;
	const struct nlattr *attr;

	if (nlh->nlmsg_type != RTM_NEWLINK ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*ifi))
		return 0;
	seen->ifindex = ifi->ifi_index;
	nlq_for_each (attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_IFALIAS)
			snprintf(seen->alias, sizeof(seen->alias), "%.*s",
				 (int)mnl_attr_get_payload_len(attr),
				 mnl_attr_get_str(attr));
	}
	return 0;
}

static void remove_link(struct sweep *s, const char *ifname, const char *name)
{
	struct link_seen seen = {0};
	struct ifinfomsg *ifi;
	struct nlq q;
	int err;

	ifi = nlq_init(&q, RTM_GETLINK, 0, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	nlq_str(&q, IFLA_IFNAME, ifname);
	if (nlsock_dump(s->nl, &q, on_link, &seen) < 0 || !seen.ifindex)
		return;
	if (strcmp(seen.alias, name) != 0) {
		ed_warn("down", "%s is left alone: its alias is \"%s\", not \"%s\"",
			ifname, seen.alias, name);
		return;
	}
	ifi = nlq_init(&q, RTM_DELLINK, 0, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = seen.ifindex;
	err = nlsock_call(s->nl, &q);
	if (err == -ENODEV)
		return;
	note(s, ifname, err);
	s->links += err == 0;
}

/* In the kernel SAs and policies go by the data plane, which takes them over. */
static void remove_tunnel(void *ctx, const char *name, unsigned int slot)
{
	struct sweep *s = ctx;
	struct dp_tunnel t = {
		.slot = slot,
		.if_id = RT_IF_ID_BASE + slot,
		.kind = DP_IF_AUTO,
		.mtu = 1280,
	};
	int ifindex;

	snprintf(t.ifname, sizeof(t.ifname), RT_IFNAME_FORMAT, slot);
	snprintf(t.name, sizeof(t.name), "%s", name);
	if (s->dp && dp_carrier(s->dp) == DP_KERNEL &&
	    dp_tunnel_set(s->dp, &t, &ifindex) == 0) {
		note(s, name, dp_tunnel_remove(s->dp, slot));
		s->links++;
	}
	remove_link(s, t.ifname, name);
}

static void remove_tunnels(const struct edged_options *opt, struct loop *loop,
			   struct sweep *s)
{
	struct dp_params params = {
		.loop = loop,
		.carrier = DP_AUTO,
		.run_dir = opt->run,
	};
	char path[PATH_MAX];
	struct slots *slots;

	note(s, "netlink", nlsock_open(NETLINK_ROUTE, &s->nl));
	if (!s->nl)
		return;
	if (dp_new(&params, &s->dp) < 0)
		s->dp = NULL;
	snprintf(path, sizeof(path), "%s/slots", opt->state);
	slots = slots_open(path);
	slots_each(slots, SLOT_TUNNEL, remove_tunnel, s);
	slots_free(slots);
	dp_free(s->dp);
	nlsock_free(s->nl);
}

/* ---- the rest -------------------------------------------------------------------- */

static void remove_saved(const struct edged_options *opt)
{
	char folder[PATH_MAX];
	const struct dirent *de;
	DIR *dir;

	snprintf(folder, sizeof(folder), "%s/ike", opt->run);
	dir = opendir(folder);
	if (!dir)
		return;
	while ((de = readdir(dir)) != NULL)
		if (de->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), de->d_name, 0);
	closedir(dir);
	(void)rmdir(folder);
}

static void remove_rules(struct loop *loop, struct sweep *s)
{
	struct policy *policy;
	int err = policy_new(loop, &policy);

	if (!err) {
		err = policy_remove_all(policy);
		policy_free(policy);
	}
	note(s, "rules and routes", err);
}

static void remove_marks(struct sweep *s)
{
	char why[256] = "";
	int err = nft_run_wait(rt_nft_remove(), false, why, sizeof(why));

	if (err < 0 && err != -ENOENT)
		ed_error("down", "nftables: %s", why[0] ? why : strerror(-err));
	if (err < 0 && err != -ENOENT && !s->err)
		s->err = err;
}

int edged_down(const struct edged_options *opt)
{
	struct sweep s = {0};
	struct loop *loop;

	if (edged_runs(opt)) {
		ed_error("down", "edged is running on %s: stop it first", opt->run);
		return -EBUSY;
	}
	loop = loop_new();
	steer_apply_withdraw(loop, opt->run);
	remove_tunnels(opt, loop, &s);
	remove_marks(&s);
	remove_rules(loop, &s);
	remove_saved(opt);
	loop_free(loop);
	ed_info("down", "removed: %u interfaces, rules, routes, marks and saved SAs",
		s.links);
	return s.err;
}
