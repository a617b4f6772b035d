/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/tunnel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "edged/dataplane/dataplane.h"
#include "edged/edged.h"
#include "edged/fdstore.h"
#include "edged/ifaddr.h"
#include "edged/inside.h"
#include "edged/path.h"
#include "edged/policy.h"
#include "edged/slots.h"
#include "edged/steer_apply.h"
#include "edged/supervisor.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/text.h"
#include "routing/owned.h"

enum {
	UPLINK_MTU_DEFAULT = 1500, /* while the uplink's interface is absent */
	ANNOUNCE_MS = 1000, /* after the addresses were set, then ever later */
	ANNOUNCE_TIMES = 3,
	TUNNEL_MTU_MIN = 1280, /* RFC 8200 section 5: IPv6 must fit */
};

const char *tunnel_state_name(enum tunnel_state state)
{
	switch (state) {
	case TUNNEL_IDLE:
		return "idle";
	case TUNNEL_CONNECTING:
		return "connecting";
	case TUNNEL_WAITING:
		return "waiting";
	case TUNNEL_UP:
		return "up";
	case TUNNEL_STOPPED:
		return "stopped";
	}
	return "unknown";
}

const char *tunnel_failure_name(enum tunnel_failure failure)
{
	switch (failure) {
	case TUNNEL_AUTH:
		return "auth";
	case TUNNEL_REFUSED:
		return "refused";
	case TUNNEL_UNREACHED:
	case TUNNEL_FAILURES:
		break;
	}
	return "unreached";
}

bool tunnel_has_sa(const struct tunnel *t)
{
	return t->state == TUNNEL_UP;
}

bool tunnel_alive(const struct tunnel *t)
{
	return tunnel_has_sa(t) && path_life(t) == STEER_ALIVE;
}

/* ---- inside addresses ------------------------------------------------------ */

bool tunnel_inside_pair(const struct prefix *range, unsigned int index,
			struct tunnel_inside *ret)
{
	uint8_t bits = addr_bits(range->addr.family);
	uint64_t ours = (uint64_t)index * 2;

	if (!bits || !index || range->len >= bits)
		return false;
	ret->local = addr_offset(&range->addr, ours);
	ret->peer = addr_offset(&range->addr, ours + 1);
	/* Pair 0 is left out: an address that ends in .0 looks like a network. */
	return bits - range->len >= 64 || ours + 1 < UINT64_C(1) << (bits - range->len);
}

/* The pairs of that number from each range. False when there is none. */
static bool allot(const struct tunnel *t, unsigned int slot, bool want4, bool want6,
		  struct tunnel_inside ret[ED_FAMILIES])
{
	const struct config_prefixes *ranges = &t->ed->config->inside;
	const bool want[ED_FAMILIES] = {[ED_V4] = want4, [ED_V6] = want6};
	bool any = false;

	for (size_t i = 0; i < ranges->n; i++) {
		enum edged_family f = edged_family(ranges->v[i].addr.family);

		if (!want[f])
			continue;
		if (!tunnel_inside_pair(&ranges->v[i], slot, &ret[f])) {
			char text[PREFIX_STRLEN];

			ed_error(t->name, "inside range %s has no pair number %u",
				 prefix_format(&ranges->v[i], text), slot);
			ret[f] = (struct tunnel_inside){0};
			continue;
		}
		any = true;
	}
	return any;
}

bool tunnel_allot_inside(struct tunnel *t, bool want4, bool want6)
{
	struct tunnel_inside inside[ED_FAMILIES] = {0};
	int slot = slots_get(t->ed->slots, SLOT_INSIDE, t->name);

	if (slot < 0) {
		ed_error(t->name, "no inside address: %s", strerror(-slot));
		return false;
	}
	slots_sync(t->ed->slots);
	if (!allot(t, (unsigned int)slot, want4, want6, inside))
		return false;
	tunnel_set_inside(t, inside);
	return true;
}

/*
 * bgpd opens no IPv6 session over an interface without a link-local address. It
 * gets one made of the inside address, which is the tunnel's alone.
 */
static struct addr link_local_of(const struct addr *inside)
{
	struct addr a = *inside;

	if (a.family != AF_INET6)
		return (struct addr){0};
	memset(a.b, 0, 8);
	a.b[0] = 0xfe;
	a.b[1] = 0x80;
	return a;
}

static void inside_wanted(const struct tunnel *t, struct addr want[ED_FAMILIES + 1])
{
	want[ED_V4] = t->inside[ED_V4].local;
	want[ED_V6] = t->inside[ED_V6].local;
	want[ED_FAMILIES] = link_local_of(&t->inside[ED_V6].local);
}

static void announce_in(struct tunnel *t, int64_t ms);

static void on_announce(void *ctx, struct mono now)
{
	struct tunnel *t = ctx;
	struct addr want[ED_FAMILIES + 1];

	(void)now;
	if (!t->ifindex)
		return;
	inside_wanted(t, want);
	(void)ifaddr_announce(t->ed->nl, t->ifindex, want, ED_FAMILIES + 1);
	if (++t->announced < ANNOUNCE_TIMES)
		announce_in(t, (int64_t)ANNOUNCE_MS << (2 * t->announced));
}

static void announce_in(struct tunnel *t, int64_t ms)
{
	loop_timer_at(t->ed->loop, &t->announce, mono_add_ms(loop_now(t->ed->loop), ms),
		      on_announce, t);
}

static void put_addresses(struct tunnel *t)
{
	struct addr want[ED_FAMILIES + 1];
	int err;

	inside_wanted(t, want);
	if (!t->ifindex || (!want[ED_V4].family && !want[ED_V6].family))
		return;
	err = ifaddr_set(t->ed->nl, t->ifindex, want, ED_FAMILIES + 1);
	if (err < 0)
		ed_error(t->name, "inside address not set on %s: %s", t->ifname,
			 strerror(-err));
	t->announced = 0;
	announce_in(t, ANNOUNCE_MS);
}

void tunnel_set_inside(struct tunnel *t, const struct tunnel_inside inside[ED_FAMILIES])
{
	char buf[256];
	struct text text = text_init(buf, sizeof(buf));
	char a[ADDR_STRLEN];
	char b[ADDR_STRLEN];

	if (memcmp(t->inside, inside, sizeof(t->inside)) == 0)
		return;
	memcpy(t->inside, inside, sizeof(t->inside));
	for (int f = 0; f < ED_FAMILIES; f++)
		if (inside[f].local.family)
			text_add(&text, "%s%s to %s", text.len ? ", " : "",
				 addr_format(&inside[f].local, a),
				 addr_format(&inside[f].peer, b));
	ed_info(t->name, "inside %s on %s", buf, t->ifname);
	if (!t->peer->calls_us)
		inside_note(t->ed->inside, t->name, inside);
	put_addresses(t);
	path_update(t);
	steer_apply_all(t->ed);
}

/* What the file gives; nothing when it is asked for. */
static void inside_of_conf(const struct config_endpoint *conf,
			   struct tunnel_inside inside[ED_FAMILIES])
{
	memset(inside, 0, sizeof(struct tunnel_inside) * ED_FAMILIES);
	for (size_t i = 0; conf && i < conf->inside.n; i++) {
		const struct addr *a = &conf->inside.v[i].addr;

		inside[edged_family(a->family)].local = *a;
	}
	for (size_t i = 0; conf && i < conf->bgp_peer.n; i++) {
		const struct addr *a = &conf->bgp_peer.v[i];

		inside[edged_family(a->family)].peer = *a;
	}
}

/* ---- interface --------------------------------------------------------------- */

static enum dp_if kind_of(const struct tunnel *t)
{
	switch ((enum config_dataplane)t->peer->conf->dataplane) {
	case CONFIG_DP_XFRM:
		return DP_IF_XFRM;
	case CONFIG_DP_VTI:
		return DP_IF_VTI;
	case CONFIG_DP_USER:
		return DP_IF_TUN;
	case CONFIG_DP_AUTO:
		break;
	}
	return DP_IF_AUTO;
}

/* The file's MTU, unless the uplink's does not carry it. */
static uint32_t mtu_of(const struct tunnel *t)
{
	uint8_t family = t->remote.addr.family ? t->remote.addr.family : AF_INET;
	uint32_t link =
		t->uplink->kernel.mtu ? t->uplink->kernel.mtu : UPLINK_MTU_DEFAULT;
	uint32_t room = dp_inner_mtu(family, true, link);
	uint32_t want = (uint32_t)t->peer->conf->profile.mtu;

	if (want > room)
		want = room;
	return want < TUNNEL_MTU_MIN ? TUNNEL_MTU_MIN : want;
}

static void keep_fd(const struct tunnel *t)
{
	int fd = dp_fd(t->ed->dataplane, t->slot);
	char name[DP_FD_NAME_MAX];

	if (fd < 0)
		return;
	dp_fd_name(t->slot, name);
	(void)fdstore_put(t->ed->fdstore, name, fd);
}

void tunnel_interface_update(struct tunnel *t)
{
	struct dp_tunnel d = {
		.slot = t->slot,
		.if_id = t->if_id,
		.kind = kind_of(t),
		.mtu = mtu_of(t),
		.uplink_ifindex = t->uplink->ifindex,
		.local = t->local.addr,
		.remote = t->remote.addr,
	};
	int ifindex;
	int err;

	snprintf(d.ifname, sizeof(d.ifname), "%s", t->ifname);
	snprintf(d.name, sizeof(d.name), "%s", t->name);
	if (!d.local.family && d.remote.family)
		d.local = t->uplink->fam[edged_family(d.remote.family)].local;
	/* Half an address pair makes no VTI; one of an earlier run serves meanwhile. */
	if (d.kind == DP_IF_VTI && !d.remote.family)
		d.local = (struct addr){0};
	t->mtu = d.mtu;
	err = dp_tunnel_set(t->ed->dataplane, &d, &ifindex);
	if (err == -EDESTADDRREQ)
		return; /* a VTI is made with its addresses: it has to wait for them */
	if (err < 0) {
		ed_error(t->name, "no interface %s: %s", t->ifname,
			 err == -EEXIST ? "a foreign one has that name"
					: strerror(-err));
		return;
	}
	if (ifindex == t->ifindex)
		return;
	keep_fd(t);
	tunnel_interface_is(t, ifindex);
}

void tunnel_interface_is(struct tunnel *t, int ifindex)
{
	t->ifindex = ifindex;
	policy_tunnel_sysctls(t->ifname);
	put_addresses(t);
	path_update(t);
	steer_apply_all(t->ed);
}

void tunnel_interface_again(struct tunnel *t)
{
	put_addresses(t);
}

/* ---- life -------------------------------------------------------------------- */

static struct tunnel *make(struct peer *p, const char *name, struct uplink *u)
{
	struct edged *ed = p->ed;
	struct tunnel *t;
	int slot = slots_get(ed->slots, SLOT_TUNNEL, name);

	if (slot < 0) {
		ed_error(name, "no slot for this tunnel: %s", strerror(-slot));
		return NULL;
	}
	t = ed_alloc(sizeof(*t));
	t->ed = ed;
	t->peer = p;
	t->uplink = u;
	t->slot = (unsigned int)slot;
	t->if_id = RT_IF_ID_BASE + t->slot;
	t->state = TUNNEL_IDLE;
	t->since = loop_now(ed->loop);
	snprintf(t->name, sizeof(t->name), "%s", name);
	snprintf(t->ifname, sizeof(t->ifname), RT_IFNAME_FORMAT, t->slot);
	DL_APPEND(p->tunnels, t);
	p->tunnel_count++;
	HASH_ADD_STR(ed->tunnels, name, t);
	HASH_ADD(hh_slot, ed->tunnels_by_slot, slot, sizeof(t->slot), t);
	return t;
}

struct tunnel *tunnel_new(struct peer *p, const struct config_tunnel *ct)
{
	struct uplink *u = edged_uplink(p->ed, ct->uplink->name);
	struct tunnel *t = u ? make(p, ct->name, u) : NULL;

	if (!t)
		return NULL;
	snprintf(t->label, sizeof(t->label), "%s", ct->uplink->name);
	snprintf(t->endpoint, sizeof(t->endpoint), "%s", ct->endpoint->name);
	t->conf = ct->endpoint;
	t->our_id = ct->our_id;
	t->peer_id = ct->peer_id;
	inside_of_conf(t->conf, t->inside);
	if (!t->inside[ED_V4].local.family && !t->inside[ED_V6].local.family)
		(void)inside_find(p->ed->inside, t->name, t->inside);
	tunnel_interface_update(t);
	return t;
}

struct tunnel *tunnel_new_caller(struct peer *p, const char *name, const char *label,
				 struct uplink *u)
{
	struct tunnel *t = make(p, name, u);
	unsigned int slot;

	if (!t)
		return NULL;
	slots_sync(p->ed->slots);
	snprintf(t->label, sizeof(t->label), "%s", label);
	slot = slots_find(p->ed->slots, SLOT_INSIDE, name);
	if (slot)
		(void)allot(t, slot, true, true, t->inside);
	tunnel_interface_update(t);
	return t;
}

void tunnel_free(struct tunnel *t, bool gone)
{
	struct edged *ed = t->ed;

	loop_timer_stop(&t->announce);
	supervisor_forget(t, gone);
	path_free(t);
	DL_DELETE(t->peer->tunnels, t);
	t->peer->tunnel_count--;
	HASH_DEL(ed->tunnels, t);
	HASH_DELETE(hh_slot, ed->tunnels_by_slot, t);
	if (gone) {
		char name[DP_FD_NAME_MAX];

		(void)dp_tunnel_remove(ed->dataplane, t->slot);
		dp_fd_name(t->slot, name);
		fdstore_remove(ed->fdstore, name);
		slots_release(ed->slots, SLOT_TUNNEL, t->name);
		slots_release(ed->slots, SLOT_INSIDE, t->name);
		inside_forget(ed->inside, t->name);
	}
	free(t);
}

bool tunnel_reconfigure(struct tunnel *t, const struct config_tunnel *ct)
{
	struct tunnel_inside inside[ED_FAMILIES];
	struct tunnel_inside before[ED_FAMILIES];
	bool anew;

	inside_of_conf(t->conf, before);
	t->conf = ct->endpoint;
	inside_of_conf(t->conf, inside);
	anew = memcmp(inside, before, sizeof(inside)) != 0;
	t->our_id = ct->our_id;
	t->peer_id = ct->peer_id;
	if (anew && (inside[ED_V4].local.family || inside[ED_V6].local.family))
		tunnel_set_inside(t, inside);
	tunnel_interface_update(t);
	return anew;
}
