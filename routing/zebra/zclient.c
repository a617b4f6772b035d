/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * With the client's socket left at -1, libfrr's zclient_*_send() compose their
 * message into the output stream and return before they touch a socket; the
 * bytes are taken from there. Decoders get one message in a stream.
 *
 * struct zapi_route has 89 KB and more: there is one of each, static.
 */
#include "routing/zebra/zclient.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Before zebra.h: it defines kernel names that a header did not bring. */
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <zebra.h>

#include <defaults.h>
#include <nexthop.h>
#include <prefix.h>
#include <stream.h>
#include <version.h>
#include <vrf.h>
#include <zclient.h>

/* FRR 9 renamed threads to events, and much beside. */
#if __has_include(<frrevent.h>)
#define FRR_EVENTS 1
#else
#define FRR_EVENTS 0
#endif

#define PROTO ZEBRA_ROUTE_SHARP
/* An address nobody routes (RFC 5737): its tracking answers after the dump. */
#define FENCE_ADDRESS UINT32_C(0xc00002ff)

static struct zclient *zc;
static struct stream *input;
static zc_write write_out;
static void *write_ctx;
static struct zapi_route route;
static struct zapi_nhg group_msg;
static bool fence_up;

/* --- what libfrr composed goes out ------------------------------------------------ */

static void take(void)
{
	size_t n = stream_get_endp(zc->obuf);

	if (n)
		write_out(write_ctx, STREAM_DATA(zc->obuf), n);
	stream_reset(zc->obuf);
}

static void to_prefix(const struct zc_prefix *from, struct prefix *to)
{
	memset(to, 0, sizeof(*to));
	to->family = from->addr.family;
	to->prefixlen = from->len;
	memcpy(&to->u.prefix, from->addr.b, from->addr.family == AF_INET ? 4 : 16);
}

static void from_prefix(const struct prefix *from, struct zc_prefix *to)
{
	memset(to, 0, sizeof(*to));
	to->addr.family = from->family;
	to->len = (uint8_t)from->prefixlen;
	memcpy(to->addr.b, &from->u.prefix, from->family == AF_INET ? 4 : 16);
}

static void to_hop(const struct zc_hop *from, struct zapi_nexthop *to)
{
	memset(to, 0, sizeof(*to));
	to->vrf_id = VRF_DEFAULT;
	to->ifindex = (ifindex_t)from->ifindex;
	to->weight = from->weight;
	/* The tunnel is point-to-point: nobody has to answer for the gateway. */
	SET_FLAG(to->flags, ZAPI_NEXTHOP_FLAG_ONLINK);
	if (from->gateway.family == AF_INET) {
		to->type = NEXTHOP_TYPE_IPV4_IFINDEX;
		memcpy(&to->gate.ipv4, from->gateway.b, 4);
	} else {
		to->type = NEXTHOP_TYPE_IPV6_IFINDEX;
		memcpy(&to->gate.ipv6, from->gateway.b, 16);
	}
}

static void from_hop(const struct zapi_nexthop *from, struct zc_hop *to)
{
	memset(to, 0, sizeof(*to));
	to->ifindex = (uint32_t)from->ifindex;
	to->weight = (uint8_t)(from->weight ? from->weight : 1);
	switch (from->type) {
	case NEXTHOP_TYPE_IPV4:
	case NEXTHOP_TYPE_IPV4_IFINDEX:
		to->gateway.family = AF_INET;
		memcpy(to->gateway.b, &from->gate.ipv4, 4);
		break;
	case NEXTHOP_TYPE_IPV6:
	case NEXTHOP_TYPE_IPV6_IFINDEX:
		to->gateway.family = AF_INET6;
		memcpy(to->gateway.b, &from->gate.ipv6, 16);
		break;
	case NEXTHOP_TYPE_IFINDEX:
	case NEXTHOP_TYPE_BLACKHOLE:
		break;
	}
}

/* --- start ---------------------------------------------------------------------------- */

static void make_client(void)
{
	struct zclient_options opt = {0};

#if !FRR_EVENTS
	opt.receive_notify = true;
#endif
	zc = zclient_new(NULL, &opt, NULL, 0);
	zc->sock = -1;
	zc->redist_default = PROTO;
	zc->instance = 0;
	zc->session_id = 0;
}

/* A route written and read back: the layouts of library and headers agree. */
static bool round_trip(void)
{
	static struct zapi_route back;
	struct zc_prefix p = {.addr = {.family = AF_INET, .b = {198, 51, 100, 0}},
			      .len = 24};
	struct zc_hop hops[2] = {
		{.gateway = {.family = AF_INET, .b = {192, 0, 2, 1}},
		 .ifindex = 7,
		 .weight = 3},
		{.gateway = {.family = AF_INET, .b = {192, 0, 2, 2}},
		 .ifindex = 8,
		 .weight = 200},
	};
	struct zmsghdr hdr;

	memset(&route, 0, sizeof(route));
	memset(&back, 0, sizeof(back));
	route.type = PROTO;
	route.safi = SAFI_UNICAST;
	route.vrf_id = VRF_DEFAULT;
	route.metric = 77;
	route.tableid = 1001;
	route.nexthop_num = 2;
	to_prefix(&p, &route.prefix);
	to_hop(&hops[0], &route.nexthops[0]);
	to_hop(&hops[1], &route.nexthops[1]);
	SET_FLAG(route.message, ZAPI_MESSAGE_NEXTHOP);
	SET_FLAG(route.message, ZAPI_MESSAGE_METRIC);
	SET_FLAG(route.message, ZAPI_MESSAGE_TABLEID);
	stream_reset(input);
	if (zapi_route_encode(ZEBRA_ROUTE_ADD, input, &route) < 0 ||
	    !zapi_parse_header(input, &hdr) || hdr.command != ZEBRA_ROUTE_ADD ||
	    zapi_route_decode(input, &back) < 0)
		return false;
	return back.metric == 77 && back.tableid == 1001 && back.nexthop_num == 2 &&
	       back.nexthops[0].ifindex == 7 && back.nexthops[1].weight == 200 &&
	       !memcmp(&back.nexthops[1].gate.ipv4, hops[1].gateway.b, 4) &&
	       back.prefix.prefixlen == 24;
}

int zc_init(zc_write write, void *ctx, char *why, size_t cap)
{
	size_t need = MAX((size_t)ZEBRA_MAX_PACKET_SIZ, sizeof(struct zapi_route));

	write_out = write;
	write_ctx = ctx;
	if (strcmp(frr_defaults_version(), FRR_VER_SHORT) != 0) {
		snprintf(why, cap, "built for FRR %s, found %s: build edge-zebra anew",
			 FRR_VER_SHORT, frr_defaults_version());
		return -ELIBACC;
	}
	make_client();
	/* The library sizes this buffer by its own idea of the structure. */
	if (STREAM_SIZE(zc->ibuf) != need) {
		snprintf(why, cap,
			 "libfrr %s has another layout than its headers "
			 "(%zu bytes a route, not %zu)",
			 FRR_VER_SHORT, (size_t)STREAM_SIZE(zc->ibuf), need);
		return -ELIBACC;
	}
	input = stream_new(need);
	if (!round_trip()) {
		snprintf(why, cap, "libfrr %s does not read back what it writes",
			 FRR_VER_SHORT);
		return -ELIBACC;
	}
	return 0;
}

void zc_fini(void)
{
	if (input)
		stream_free(input);
	if (zc)
		zclient_free(zc);
	input = NULL;
	zc = NULL;
}

const char *zc_version(void)
{
	return FRR_VER_SHORT;
}

bool zc_needs_hygiene(void)
{
	return !FRR_EVENTS;
}

uint32_t zc_group_base(void)
{
	return zclient_get_nhg_start(PROTO);
}

uint32_t zc_group_space(void)
{
	return zclient_get_nhg_start(PROTO + 1) - zclient_get_nhg_start(PROTO);
}

/* --- encode ------------------------------------------------------------------------------- */

void zc_hello(void)
{
	fence_up = false;
	(void)zclient_send_hello(zc);
	take();
#if FRR_EVENTS
	(void)zebra_route_notify_send(ZEBRA_ROUTE_NOTIFY_REQUEST, zc, true);
	take();
#endif
}

void zc_graceful(uint32_t stale_s)
{
	struct zapi_cap cap = {.cap = ZEBRA_CLIENT_GR_CAPABILITIES,
			       .stale_removal_time = stale_s,
			       .vrf_id = VRF_DEFAULT};

	(void)zclient_capabilities_send(ZEBRA_CLIENT_CAPABILITIES, zc, &cap);
	take();
}

void zc_update_complete(void)
{
	static const afi_t afis[] = {AFI_IP, AFI_IP6};

	for (size_t i = 0; i < sizeof(afis) / sizeof(afis[0]); i++) {
		struct zapi_cap cap = {.cap = ZEBRA_CLIENT_ROUTE_UPDATE_COMPLETE,
				       .afi = afis[i],
				       .safi = SAFI_UNICAST,
				       .vrf_id = VRF_DEFAULT};

		(void)zclient_capabilities_send(ZEBRA_CLIENT_CAPABILITIES, zc, &cap);
		take();
	}
}

void zc_redistribute(bool on, uint8_t family)
{
	(void)zebra_redistribute_send(on ? ZEBRA_REDISTRIBUTE_ADD
					 : ZEBRA_REDISTRIBUTE_DELETE,
				      zc, family == AF_INET ? AFI_IP : AFI_IP6,
				      ZEBRA_ROUTE_BGP, 0, VRF_DEFAULT);
	take();
}

static void track_fence(int command)
{
	struct prefix p;

	memset(&p, 0, sizeof(p));
	p.family = AF_INET;
	p.prefixlen = 32;
	p.u.prefix4.s_addr = htonl(FENCE_ADDRESS);
	(void)zclient_send_rnh(zc, command, &p, SAFI_UNICAST, false, false,
			       VRF_DEFAULT);
	take();
}

void zc_fence(void)
{
	if (fence_up)
		track_fence(ZEBRA_NEXTHOP_UNREGISTER);
	track_fence(ZEBRA_NEXTHOP_REGISTER);
	fence_up = true;
}

static void send_group(int command, uint32_t group, const struct zc_hop *hops, size_t n)
{
	memset(&group_msg, 0, sizeof(group_msg));
	group_msg.proto = PROTO;
	group_msg.id = zc_group_base() + group;
	for (size_t i = 0; i < n && i < ZC_HOPS_MAX && i < MULTIPATH_NUM; i++)
		to_hop(&hops[i], &group_msg.nexthops[group_msg.nexthop_num++]);
	(void)zclient_nhg_send(zc, command, &group_msg);
	take();
}

void zc_group_set(uint32_t group, const struct zc_hop *hops, size_t n)
{
	send_group(ZEBRA_NHG_ADD, group, hops, n);
}

void zc_group_del(uint32_t group)
{
	send_group(ZEBRA_NHG_DEL, group, NULL, 0);
}

static void start_route(uint32_t table, const struct zc_prefix *prefix)
{
	memset(&route, 0, sizeof(route));
	route.type = PROTO;
	route.safi = SAFI_UNICAST;
	route.vrf_id = VRF_DEFAULT;
	route.tableid = table;
	SET_FLAG(route.message, ZAPI_MESSAGE_TABLEID);
	to_prefix(prefix, &route.prefix);
}

void zc_route_add(uint32_t table, const struct zc_prefix *prefix, uint32_t group)
{
	start_route(table, prefix);
	route.nhgid = zc_group_base() + group;
	SET_FLAG(route.message, ZAPI_MESSAGE_NHG);
	(void)zclient_route_send(ZEBRA_ROUTE_ADD, zc, &route);
	take();
}

void zc_route_del(uint32_t table, const struct zc_prefix *prefix)
{
	start_route(table, prefix);
	(void)zclient_route_send(ZEBRA_ROUTE_DELETE, zc, &route);
	take();
}

/* --- decode -------------------------------------------------------------------------------- */

int zc_frame(const uint8_t *bytes, size_t have)
{
	int len;

	if (have < ZEBRA_HEADER_SIZE)
		return 0;
	len = bytes[0] << 8 | bytes[1];
	if (len < ZEBRA_HEADER_SIZE || bytes[2] != ZEBRA_HEADER_MARKER ||
	    bytes[3] != ZSERV_VERSION || (size_t)len > STREAM_SIZE(input))
		return -EPROTO;
	return len;
}

static int decode_route(struct zc_event *e)
{
	enum zapi_route_notify_owner note;
	struct prefix p;
	safi_t safi;
	afi_t afi;

	memset(&p, 0, sizeof(p));
	if (!zapi_route_notify_decode(input, &p, &e->table, &note, &afi, &safi))
		return -EPROTO;
	from_prefix(&p, &e->prefix);
	switch (note) {
	case ZAPI_ROUTE_INSTALLED:
		e->outcome = ZC_INSTALLED;
		break;
	case ZAPI_ROUTE_REMOVED:
		e->outcome = ZC_REMOVED;
		break;
	case ZAPI_ROUTE_FAIL_INSTALL:
	case ZAPI_ROUTE_BETTER_ADMIN_WON:
	case ZAPI_ROUTE_REMOVE_FAIL:
		e->outcome = ZC_FAILED;
		break;
	}
	e->type = ZC_ROUTE;
	return 0;
}

static int decode_group(struct zc_event *e)
{
	enum zapi_nhg_notify_owner note;
	uint32_t id;

	if (!zapi_nhg_notify_decode(input, &id, &note))
		return -EPROTO;
	e->group = id - zc_group_base();
	switch (note) {
	case ZAPI_NHG_INSTALLED:
		e->outcome = ZC_INSTALLED;
		break;
	case ZAPI_NHG_REMOVED:
		e->outcome = ZC_REMOVED;
		break;
	case ZAPI_NHG_FAIL_INSTALL:
	case ZAPI_NHG_REMOVE_FAIL:
		e->outcome = ZC_FAILED;
		break;
	}
	e->type = ZC_GROUP;
	return 0;
}

static int decode_learned(struct zc_event *e, bool add)
{
	if (zapi_route_decode(input, &route) < 0)
		return -EPROTO;
	if (route.type != ZEBRA_ROUTE_BGP ||
	    (route.prefix.family != AF_INET && route.prefix.family != AF_INET6))
		return 0;
	from_prefix(&route.prefix, &e->prefix);
	for (int i = 0; add && i < route.nexthop_num && e->n_hops < ZC_HOPS_MAX; i++)
		from_hop(&route.nexthops[i], &e->hops[e->n_hops++]);
	e->type = add ? ZC_LEARNED : ZC_LOST;
	return 0;
}

/* The first fields of a next-hop update: which address it is about. */
static int decode_tracking(struct zc_event *e)
{
	uint32_t message;
	uint16_t safi;
	uint16_t family;
	uint8_t len;
	uint32_t addr;

	STREAM_GETL(input, message);
	STREAM_GETW(input, safi);
	STREAM_GETW(input, family);
	STREAM_GETC(input, len);
	(void)message;
	(void)safi;
	if (family != AF_INET || len != 32)
		return 0;
	STREAM_GETL(input, addr);
	if (addr == FENCE_ADDRESS)
		e->type = ZC_FENCE;
	return 0;

stream_failure:
	return -EPROTO;
}

static int decode_closed(struct zc_event *e)
{
	uint8_t proto;

	STREAM_GETC(input, proto);
	if (proto == ZEBRA_ROUTE_BGP)
		e->type = ZC_BGPD_GONE;
	return 0;

stream_failure:
	return -EPROTO;
}

int zc_decode(const uint8_t *bytes, size_t len, struct zc_event *ret)
{
	struct zmsghdr hdr;

	memset(ret, 0, sizeof(*ret));
	ret->type = ZC_OTHER;
	stream_reset(input);
	stream_put(input, bytes, len);
	if (!zapi_parse_header(input, &hdr))
		return -EPROTO;
	switch (hdr.command) {
	case ZEBRA_ROUTE_NOTIFY_OWNER:
		return decode_route(ret);
	case ZEBRA_NHG_NOTIFY_OWNER:
		return decode_group(ret);
	case ZEBRA_REDISTRIBUTE_ROUTE_ADD:
		return decode_learned(ret, true);
	case ZEBRA_REDISTRIBUTE_ROUTE_DEL:
		return decode_learned(ret, false);
	case ZEBRA_NEXTHOP_UPDATE:
		return decode_tracking(ret);
	case ZEBRA_CLIENT_CLOSE_NOTIFY:
		return decode_closed(ret);
	default:
		return 0;
	}
}
