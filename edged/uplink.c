/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/uplink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edged/config/config.h"
#include "edged/edged.h"
#include "edged/events.h"
#include "edged/ike_io.h"
#include "edged/policy.h"
#include "edged/slots.h"
#include "edged/steer_apply.h"
#include "edged/supervisor.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/text.h"

const char *uplink_state_name(enum uplink_state state)
{
	switch (state) {
	case UPLINK_ABSENT:
		return "absent";
	case UPLINK_NO_CARRIER:
		return "no-carrier";
	case UPLINK_NO_ADDRESS:
		return "no-address";
	case UPLINK_NO_ROUTE:
		return "no-route";
	case UPLINK_STOPPED:
		return "stopped";
	case UPLINK_UP:
		return "up";
	}
	return "unknown";
}

struct uplink *uplink_new(struct edged *ed, const struct config_uplink *conf)
{
	struct uplink *u = ed_alloc(sizeof(*u));
	int slot = slots_get(ed->slots, SLOT_UPLINK, conf->name);

	if (slot < 0) {
		ed_error(conf->name, "no slot for this uplink: %s", strerror(-slot));
		free(u);
		return NULL;
	}
	u->ed = ed;
	u->conf = conf;
	u->slot = (unsigned int)slot;
	u->since = mono_now();
	snprintf(u->name, sizeof(u->name), "%s", conf->name);
	snprintf(u->ifname, sizeof(u->ifname), "%s", conf->interface);
	HASH_ADD_STR(ed->uplinks, name, u);
	return u;
}

void uplink_free(struct uplink *u)
{
	if (!u)
		return;
	loop_timer_stop(&u->io_retry);
	for (int f = 0; f < ED_FAMILIES; f++)
		ike_io_close(u->io[f]);
	HASH_DEL(u->ed->uplinks, u);
	free(u);
}

static const struct uplink_route *best_route(const struct uplink_kernel *k,
					     uint8_t family)
{
	const struct uplink_route *best = NULL;

	for (unsigned int i = 0; i < k->route_count; i++) {
		const struct uplink_route *r = &k->routes[i];

		if (r->family == family && (!best || r->metric < best->metric))
			best = r;
	}
	return best;
}

/* The configured address of that family, or family 0. */
static struct addr pinned(const struct config_addrs *list, uint8_t family)
{
	for (size_t i = 0; i < list->n; i++)
		if (list->v[i].family == family)
			return list->v[i];
	return (struct addr){0};
}

static const struct uplink_addr *best_addr(const struct uplink_kernel *k,
					   uint8_t family, const struct addr *gateway)
{
	const struct uplink_addr *first = NULL;

	for (unsigned int i = 0; i < k->addr_count; i++) {
		const struct uplink_addr *a = &k->addrs[i];
		struct prefix net = prefix_of(&a->addr, a->plen);

		if (a->addr.family != family || !a->usable)
			continue;
		if (gateway && gateway->family == family &&
		    prefix_contains(&net, gateway))
			return a;
		if (!first)
			first = a;
	}
	return first;
}

/* The address that the file names, if the interface has it. */
static const struct uplink_addr *named_addr(const struct uplink_kernel *k,
					    const struct addr *name)
{
	for (unsigned int i = 0; i < k->addr_count; i++)
		if (addr_equal(&k->addrs[i].addr, name))
			return &k->addrs[i];
	return NULL;
}

static struct uplink_family choose_family(const struct uplink_kernel *k,
					  const struct config_uplink *conf,
					  uint8_t family)
{
	const struct uplink_route *route = best_route(k, family);
	struct addr gateway = route ? route->gateway : (struct addr){0};
	struct uplink_family ret = {0};
	const struct uplink_addr *addr;
	struct addr pin = {0};

	if (conf && pinned(&conf->gateway, family).family)
		gateway = pinned(&conf->gateway, family);
	if (conf)
		pin = pinned(&conf->address, family);
	addr = pin.family ? named_addr(k, &pin) : best_addr(k, family, &gateway);
	if (!addr)
		return ret;
	ret.local = addr->addr;
	ret.plen = addr->plen;
	ret.routed = route || gateway.family;
	ret.gateway = gateway;
	return ret;
}

void uplink_choose(const struct uplink_kernel *k, const struct config_uplink *conf,
		   struct uplink_family fam[ED_FAMILIES])
{
	fam[ED_V4] = choose_family(k, conf, AF_INET);
	fam[ED_V6] = choose_family(k, conf, AF_INET6);
}

enum uplink_state uplink_assess(const struct uplink_kernel *k,
				const struct uplink_family fam[ED_FAMILIES],
				bool stopped)
{
	if (stopped)
		return UPLINK_STOPPED;
	if (!k->ifindex)
		return UPLINK_ABSENT;
	if (!k->up || !k->carrier)
		return UPLINK_NO_CARRIER;
	if (!fam[ED_V4].local.family && !fam[ED_V6].local.family)
		return UPLINK_NO_ADDRESS;
	if (!fam[ED_V4].routed && !fam[ED_V6].routed)
		return UPLINK_NO_ROUTE;
	return UPLINK_UP;
}

void uplink_explain(const struct uplink *u, struct text *t)
{
	char local[ADDR_STRLEN];
	char gw[ADDR_STRLEN];

	switch (u->state) {
	case UPLINK_ABSENT:
		text_add(t, "there is no interface %s", u->ifname);
		return;
	case UPLINK_NO_CARRIER:
		text_add(t, "%s %s", u->ifname,
			 u->kernel.up ? "has no carrier" : "is set down");
		return;
	case UPLINK_NO_ADDRESS:
		text_add(t, "%s has no usable address", u->ifname);
		return;
	case UPLINK_NO_ROUTE:
		text_add(t,
			 "%s has an address but no default route: nobody told the "
			 "kernel where to send",
			 u->ifname);
		return;
	case UPLINK_STOPPED:
		text_add(t, "taken down by the operator");
		return;
	case UPLINK_UP:
		break;
	}
	for (int f = 0; f < ED_FAMILIES; f++) {
		const struct uplink_family *fam = &u->fam[f];

		if (!fam->local.family || !fam->routed)
			continue;
		text_add(t, "%s%s", t->len ? ", " : "",
			 addr_format(&fam->local, local));
		if (fam->gateway.family)
			text_add(t, " by %s", addr_format(&fam->gateway, gw));
		else
			text_add(t, " point to point");
	}
	text_add(t, " on %s", u->ifname);
}

static bool family_equal(const struct uplink_family *a, const struct uplink_family *b)
{
	return addr_equal(&a->local, &b->local) && a->plen == b->plen &&
	       addr_equal(&a->gateway, &b->gateway) && a->routed == b->routed;
}

static void report(struct uplink *u, enum uplink_state from)
{
	char reason[EDGED_SENTENCE_MAX];
	struct text t = text_init(reason, sizeof(reason));

	uplink_explain(u, &t);
	event_emit(u->ed, EVENT_UPLINK, u->name, from ? uplink_state_name(from) : NULL,
		   uplink_state_name(u->state), reason,
		   EVENT_NUMBERS(event_text("interface", u->ifname),
				 event_int("ifindex", u->ifindex),
				 event_int("mtu_bytes", u->kernel.mtu)));
}

/*
 * Order matters: the table and rules must lead the packets of the new address
 * out by this uplink before a socket is opened or a tunnel tries.
 */
static void tell(struct uplink *u)
{
	if (u->ifindex)
		policy_uplink_sysctls(u->ifname);
	steer_apply_all(u->ed);
	for (int f = 0; f < ED_FAMILIES; f++)
		ike_io_follow(u, (enum edged_family)f);
	supervisor_uplink_changed(u);
	edged_status(u->ed);
}

static void judge(struct uplink *u, bool moved, struct mono now)
{
	struct uplink_family fam[ED_FAMILIES];
	enum uplink_state from = u->state;
	enum uplink_state to;
	bool same = !moved;

	uplink_choose(&u->kernel, u->conf, fam);
	to = uplink_assess(&u->kernel, fam, u->stopped);
	for (int f = 0; f < ED_FAMILIES; f++)
		same = same && family_equal(&fam[f], &u->fam[f]);
	if (same && to == from)
		return;
	memcpy(u->fam, fam, sizeof(u->fam));
	u->state = to;
	if (to != from)
		u->since = now;
	report(u, from);
	tell(u);
}

void uplink_update(struct uplink *u, const struct uplink_kernel *k, struct mono now)
{
	bool moved = k->ifindex != u->kernel.ifindex || k->mtu != u->kernel.mtu;
	bool addrs = k->addr_count != u->kernel.addr_count ||
		     memcmp(k->addrs, u->kernel.addrs, sizeof(k->addrs)) != 0;

	u->kernel = *k;
	u->ifindex = k->ifindex;
	judge(u, moved || addrs, now);
}

void uplink_stop(struct uplink *u, bool stopped, struct mono now)
{
	u->stopped = stopped;
	judge(u, false, now);
}

bool uplink_usable(const struct uplink *u, uint8_t family)
{
	const struct uplink_family *fam = &u->fam[edged_family(family)];

	return u->state == UPLINK_UP && fam->local.family == family && fam->routed;
}
