/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/dataplane/backend.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/nlsock.h"

#ifndef IFLA_XFRM_IF_ID
#define IFLA_XFRM_LINK 1
#define IFLA_XFRM_IF_ID 2
#endif

/*
 * The interface is not bound to its uplink: it would vanish with the device and
 * could not follow to another. Mark and rules choose the uplink.
 */
int dp_xfrmi_create(struct nlsock *nl, const char *name, uint32_t if_id)
{
	struct ifinfomsg *ifi;
	struct nlattr *info;
	struct nlattr *data;
	struct nlq q;

	if (!if_id || !name[0] || strlen(name) >= IFNAMSIZ)
		return -EINVAL;
	ifi = nlq_init(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	nlq_str(&q, IFLA_IFNAME, name);
	info = nlq_nest(&q, IFLA_LINKINFO);
	nlq_str(&q, IFLA_INFO_KIND, "xfrm");
	data = nlq_nest(&q, IFLA_INFO_DATA);
	nlq_u32(&q, IFLA_XFRM_IF_ID, if_id);
	nlq_nest_end(&q, data);
	nlq_nest_end(&q, info);
	return nlsock_call(nl, &q);
}
