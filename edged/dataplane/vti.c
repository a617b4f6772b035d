/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/dataplane/backend.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include "lib/nlsock.h"

/*
 * The key is the mark of states and policies, not of packets: it chooses among
 * them in both directions. Inbound, the kernel finds the VTI by the pair of
 * outer addresses alone, so two of one pair cannot be.
 */
int dp_vti_set(struct nlsock *nl, const char *name, uint32_t key,
	       const struct addr *local, const struct addr *remote, bool create)
{
	static const uint8_t any[16];
	uint16_t flags = create ? NLM_F_CREATE | NLM_F_EXCL : 0;
	size_t len = addr_size(local->family);
	struct ifinfomsg *ifi;
	struct nlattr *info;
	struct nlattr *data;
	struct nlq q;

	if (!key || !len || (remote->family && remote->family != local->family))
		return -EINVAL;
	ifi = nlq_init(&q, RTM_NEWLINK, flags, sizeof(*ifi));
	ifi->ifi_family = AF_UNSPEC;
	nlq_str(&q, IFLA_IFNAME, name);
	info = nlq_nest(&q, IFLA_LINKINFO);
	nlq_str(&q, IFLA_INFO_KIND, local->family == AF_INET ? "vti" : "vti6");
	data = nlq_nest(&q, IFLA_INFO_DATA);
	nlq_u32(&q, IFLA_VTI_IKEY, htonl(key));
	nlq_u32(&q, IFLA_VTI_OKEY, htonl(key));
	nlq_put(&q, IFLA_VTI_LOCAL, local->b, len);
	nlq_put(&q, IFLA_VTI_REMOTE, remote->family ? remote->b : any, len);
	nlq_nest_end(&q, data);
	nlq_nest_end(&q, info);
	return nlsock_call(nl, &q);
}
