/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * xfrm - the kernel's IPsec (DP_KERNEL): states and policies by netlink
 *
 * Route-based: the interface chooses the SA. With an xfrm interface states and
 * policies carry its if_id, with a VTI its key as mark. Each tunnel has six
 * policies (in, forward, out; both inner families) that match everything, made
 * with its first outbound SA and changed when its outer addresses change. All of
 * ours carry the request id RT_IF_ID_BASE + slot, by which they are known again.
 *
 * The newest state of a request id is the one the kernel sends with, which is
 * what a rekey wants. States are AF_UNSPEC, or one of the two inner families
 * would find none. Outer packets get the uplink's mark; rules do the rest.
 *
 * The kernel cannot change a state's addresses in place: dp_sa_update() reads
 * it, removes it and puts it back with its replay state; outbound numbers
 * skip ahead, so none can be used twice.
 */
#include <errno.h>
#include <linux/netlink.h>
#include <linux/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edged/dataplane/backend.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/nlsock.h"
#include "lib/secret.h"
#include "routing/owned.h"

enum {
	SALT_LEN = 4,
	TAG_BITS = 128,
	ALG_NAME_LEN = 64,
	REPLAY_WORDS = DP_REPLAY_WINDOW / 32,
	PRIORITY = 1000, /* of policies; nothing of ours competes */
	SEQ_SKIP = 1 << 20, /* more packets than leave while a state is replaced */
	IKE_BURST = 32, /* datagrams of one socket in a row */
	IKE_MAX = 65535,
	MARKER_LEN = 4,
	EVENTS_BURST = 64,
	EVENTS_RCVBUF = 2 << 20,
	PROBE_SPI = 0x0ed00001,
};

/* A rekey is asked for in the last quarter of the sequence numbers. */
static const uint64_t soft_packets = UINT64_C(0xc0000000);
static const uint64_t hard_packets = UINT64_C(0xfffffff0);

struct xfrm {
	struct dataplane *dp;
	struct nlsock *nl;
	struct nlsock *events;
	struct loop_io events_io;
	struct loop_timer begin;
	bool recheck; /* states may be gone: read them back */
	bool policies_gone; /* policies may be gone: put them back */
	uint8_t in[IKE_MAX + MARKER_LEN];
};

/* --- building -------------------------------------------------------------- */

static uint32_t reqid_of(const struct dp_tun *t)
{
	return RT_IF_ID_BASE + t->slot;
}

static void put_address(xfrm_address_t *to, const struct addr *a)
{
	memset(to, 0, sizeof(*to));
	memcpy(to, a->b, addr_size(a->family));
}

static struct addr get_address(const xfrm_address_t *from, uint16_t family)
{
	return addr_from_bytes((uint8_t)family, from);
}

/* How the interface and its states find each other. */
static void put_binding(struct nlq *q, const struct dp_tun *t)
{
	struct xfrm_mark mark = {.v = t->cfg.if_id, .m = UINT32_MAX};

	if (t->kind == DP_IF_VTI)
		nlq_put(q, XFRMA_MARK, &mark, sizeof(mark));
	else
		nlq_u32(q, XFRMA_IF_ID, t->cfg.if_id);
}

static void put_alg(struct nlq *q, enum dp_cipher cipher, const uint8_t *key)
{
	size_t len = (cipher == DP_AES128_GCM16 ? 16 : 32) + SALT_LEN;
	union {
		struct xfrm_algo_aead alg;
		uint8_t bytes[sizeof(struct xfrm_algo_aead) + DP_KEY_MAX];
	} u = {.alg = {.alg_key_len = (unsigned int)len * 8, .alg_icv_len = TAG_BITS}};

	snprintf(u.alg.alg_name, ALG_NAME_LEN, "rfc4106(gcm(aes))");
	memcpy(u.bytes + sizeof(u.alg), key, len);
	nlq_put(q, XFRMA_ALG_AEAD, &u, sizeof(u.alg) + len);
	secret_wipe(&u, sizeof(u));
}

static void put_encap(struct nlq *q, uint16_t sport, uint16_t dport)
{
	struct xfrm_encap_tmpl encap = {
		.encap_type = UDP_ENCAP_ESPINUDP,
		.encap_sport = htons(sport),
		.encap_dport = htons(dport),
	};

	nlq_put(q, XFRMA_ENCAP, &encap, sizeof(encap));
}

static void put_replay(struct nlq *q)
{
	union {
		struct xfrm_replay_state_esn esn;
		uint32_t words[sizeof(struct xfrm_replay_state_esn) / 4 + REPLAY_WORDS];
	} u = {.esn = {.bmp_len = REPLAY_WORDS, .replay_window = DP_REPLAY_WINDOW}};

	nlq_put(q, XFRMA_REPLAY_ESN_VAL, &u, sizeof(u));
}

static void no_limits(struct xfrm_lifetime_cfg *lft)
{
	lft->soft_byte_limit = XFRM_INF;
	lft->hard_byte_limit = XFRM_INF;
	lft->soft_packet_limit = XFRM_INF;
	lft->hard_packet_limit = XFRM_INF;
}

/* Who sends it and who gets it, as the wire sees it. */
static void put_ends(struct xfrm_usersa_info *info, const struct dp_sa_info *sa)
{
	bool in = sa->dir == DP_IN;

	put_address(&info->saddr, in ? &sa->remote.addr : &sa->local.addr);
	put_address(&info->id.daddr, in ? &sa->local.addr : &sa->remote.addr);
	info->family = sa->local.addr.family;
}

static void put_mark(struct nlq *q, const struct dp_tun *t, const struct dp_sa *sa)
{
	/* A VTI's own mark must not show outside: all bits are set anew. */
	uint32_t mask = t->kind == DP_IF_VTI ? UINT32_MAX : sa->mark_mask;

	if (sa->dir != DP_OUT || !mask)
		return;
	nlq_u32(q, XFRMA_SET_MARK, sa->mark);
	nlq_u32(q, XFRMA_SET_MARK_MASK, mask);
}

static struct dp_sa_info info_of(const struct dp_sa *sa)
{
	return (struct dp_sa_info){
		.slot = sa->slot,
		.spi = sa->spi,
		.dir = sa->dir,
		.cipher = sa->cipher,
		.encap = sa->encap,
		.local = sa->local,
		.remote = sa->remote,
	};
}

static int add_state(struct nlsock *nl, const struct dp_tun *t, const struct dp_sa *sa)
{
	struct dp_sa_info ends = info_of(sa);
	struct xfrm_usersa_info *info;
	struct nlq q;
	int err;

	info = nlq_init(&q, XFRM_MSG_NEWSA, NLM_F_CREATE | NLM_F_EXCL, sizeof(*info));
	put_ends(info, &ends);
	info->id.spi = htonl(sa->spi);
	info->id.proto = IPPROTO_ESP;
	info->reqid = reqid_of(t);
	info->mode = XFRM_MODE_TUNNEL;
	info->flags = XFRM_STATE_AF_UNSPEC; /* DSCP and ECN: the kernel's defaults */
	no_limits(&info->lft);
	if (sa->dir == DP_OUT) {
		info->lft.soft_packet_limit = soft_packets;
		info->lft.hard_packet_limit = hard_packets;
	} else {
		put_replay(&q);
	}
	put_alg(&q, sa->cipher, sa->key);
	if (sa->encap && sa->dir == DP_IN)
		put_encap(&q, sa->remote.port, sa->local.port);
	else if (sa->encap)
		put_encap(&q, sa->local.port, sa->remote.port);
	put_binding(&q, t);
	put_mark(&q, t, sa);
	err = nlsock_call(nl, &q);
	secret_wipe(q.buf, sizeof(q.buf));
	return err;
}

/* The name of a state: destination, SPI, and mark where it has one. */
static void put_state_id(struct nlq *q, const struct dp_tun *t,
			 const struct dp_sa_info *sa, uint16_t type)
{
	struct xfrm_usersa_id *id = nlq_init(q, type, 0, sizeof(*id));

	put_address(&id->daddr, sa->dir == DP_IN ? &sa->local.addr : &sa->remote.addr);
	id->spi = htonl(sa->spi);
	id->family = sa->local.addr.family;
	id->proto = IPPROTO_ESP;
	if (t->kind == DP_IF_VTI) {
		struct xfrm_mark mark = {.v = t->cfg.if_id, .m = UINT32_MAX};

		nlq_put(q, XFRMA_MARK, &mark, sizeof(mark));
	}
}

static int del_state(struct nlsock *nl, const struct dp_tun *t,
		     const struct dp_sa_info *sa)
{
	struct nlq q;
	int err;

	put_state_id(&q, t, sa, XFRM_MSG_DELSA);
	err = nlsock_call(nl, &q);
	return err == -ESRCH ? -ENOENT : err;
}

/* --- policies -------------------------------------------------------------- */

static int set_policy(struct nlsock *nl, const struct dp_tun *t, uint8_t dir,
		      uint16_t inner, const struct dp_sa_info *out)
{
	struct xfrm_userpolicy_info *pol;
	struct xfrm_user_tmpl tmpl = {
		.id.proto = IPPROTO_ESP,
		.family = out->local.addr.family,
		.reqid = reqid_of(t),
		.mode = XFRM_MODE_TUNNEL,
		.aalgos = UINT32_MAX,
		.ealgos = UINT32_MAX,
		.calgos = UINT32_MAX,
	};
	struct nlq q;

	pol = nlq_init(&q, XFRM_MSG_UPDPOLICY, 0, sizeof(*pol));
	pol->sel.family = inner;
	pol->dir = dir;
	pol->action = XFRM_POLICY_ALLOW;
	pol->priority = PRIORITY;
	no_limits(&pol->lft);
	/* Inbound the request id is enough: addresses may be changing. */
	if (dir == XFRM_POLICY_OUT) {
		put_address(&tmpl.saddr, &out->local.addr);
		put_address(&tmpl.id.daddr, &out->remote.addr);
	}
	nlq_put(&q, XFRMA_TMPL, &tmpl, sizeof(tmpl));
	put_binding(&q, t);
	return nlsock_call(nl, &q);
}

static int set_policies(struct nlsock *nl, const struct dp_tun *t,
			const struct dp_sa_info *out)
{
	static const uint8_t dirs[] = {XFRM_POLICY_OUT, XFRM_POLICY_IN,
				       XFRM_POLICY_FWD};
	static const uint16_t families[] = {AF_INET, AF_INET6};

	for (size_t d = 0; d < ARRAY_LEN(dirs); d++) {
		for (size_t f = 0; f < ARRAY_LEN(families); f++) {
			int err = set_policy(nl, t, dirs[d], families[f], out);

			/* A kernel without IPv6 has no such policies. */
			if (err < 0 &&
			    !(families[f] == AF_INET6 && err == -EAFNOSUPPORT))
				return err;
		}
	}
	return 0;
}

static void del_policies(struct nlsock *nl, const struct dp_tun *t)
{
	static const uint8_t dirs[] = {XFRM_POLICY_OUT, XFRM_POLICY_IN,
				       XFRM_POLICY_FWD};
	static const uint16_t families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < ARRAY_LEN(dirs) * ARRAY_LEN(families); i++) {
		struct xfrm_userpolicy_id *id;
		struct nlq q;

		id = nlq_init(&q, XFRM_MSG_DELPOLICY, 0, sizeof(*id));
		id->sel.family = families[i % ARRAY_LEN(families)];
		id->dir = dirs[i / ARRAY_LEN(families)];
		put_binding(&q, t);
		(void)nlsock_call(nl, &q);
	}
}

/* The SA the kernel sends with: the newest outbound one. */
static const struct dp_rec *newest_out(const struct dp_tun *t)
{
	const struct dp_rec *r = t->sas;

	while (r && r->info.dir != DP_OUT)
		r = r->next;
	return r;
}

static void put_back_policies(struct dataplane *dp)
{
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++) {
		const struct dp_tun *t = dp->tuns[slot];
		const struct dp_rec *r = t && t->set ? newest_out(t) : NULL;
		int err = r ? set_policies(dp->xfrm->nl, t, &r->info) : 0;

		if (err < 0)
			ed_error(t->cfg.name, "IPsec policies: %s", strerror(-err));
	}
}

/* --- reading back ------------------------------------------------------------ */

static int on_state(const struct nlmsghdr *nlh, void *ctx)
{
	const struct xfrm_usersa_info *info = mnl_nlmsg_get_payload(nlh);
	struct dataplane *dp = ctx;
	struct dp_sa_info sa = {.dir = DP_OUT, .cipher = DP_AES256_GCM16};
	uint16_t sport = 0;
	uint16_t dport = 0;
	const struct nlattr *a;
	struct dp_tun *t;
	struct dp_rec *r;
	bool in;

	if (nlh->nlmsg_type != XFRM_MSG_NEWSA || info->reqid < RT_IF_ID_BASE ||
	    info->reqid - RT_IF_ID_BASE >= DP_TUNNELS_MAX ||
	    info->id.proto != IPPROTO_ESP || !info->id.spi)
		return 0;
	nlq_for_each (a, nlh, sizeof(*info)) {
		const void *p = mnl_attr_get_payload(a);

		switch (mnl_attr_get_type(a)) {
		case XFRMA_REPLAY_ESN_VAL: /* ours have it inbound only */
			sa.dir = DP_IN;
			break;
		case XFRMA_ALG_AEAD:
			if (((const struct xfrm_algo_aead *)p)->alg_key_len < 256)
				sa.cipher = DP_AES128_GCM16;
			break;
		case XFRMA_ENCAP:
			sa.encap = true;
			sport = ntohs(((const struct xfrm_encap_tmpl *)p)->encap_sport);
			dport = ntohs(((const struct xfrm_encap_tmpl *)p)->encap_dport);
			break;
		default:
			break;
		}
	}
	in = sa.dir == DP_IN;
	sa.slot = info->reqid - RT_IF_ID_BASE;
	sa.spi = ntohl(info->id.spi);
	sa.local.addr = get_address(in ? &info->id.daddr : &info->saddr, info->family);
	sa.remote.addr = get_address(in ? &info->saddr : &info->id.daddr, info->family);
	sa.local.port = in ? dport : sport;
	sa.remote.port = in ? sport : dport;
	t = dp_tun_get(dp, sa.slot);
	r = dp_rec_find(t, sa.dir, sa.spi);
	if (r)
		r->there = true;
	else
		dp_rec_add(t, &sa);
	return 0;
}

static int dump_states(struct dataplane *dp)
{
	struct nlq q;

	nlq_init(&q, XFRM_MSG_GETSA, NLM_F_DUMP, 0);
	return nlsock_dump(dp->xfrm->nl, &q, on_state, dp);
}

/* Which of our SAs does the kernel still have? */
static void check_states(struct dataplane *dp)
{
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++)
		for (struct dp_rec *r = dp->tuns[slot] ? dp->tuns[slot]->sas : NULL; r;
		     r = r->next)
			r->there = false;
	if (dump_states(dp) < 0)
		return;
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++) {
		struct dp_rec *r = dp->tuns[slot] ? dp->tuns[slot]->sas : NULL;

		/* Ends: each lost one leaves the list before its owner hears of it. */
		while (r) {
			if (r->there) {
				r = r->next;
				continue;
			}
			dp_tell_lost(dp, dp->tuns[slot], r->info.dir, r->info.spi);
			r = dp->tuns[slot] ? dp->tuns[slot]->sas : NULL;
		}
	}
}

static void xfrm_reconcile(struct dataplane *dp)
{
	put_back_policies(dp);
	check_states(dp);
}

/* --- events ---------------------------------------------------------------- */

static struct dp_tun *find_spi(struct dataplane *dp, uint32_t spi,
			       const xfrm_address_t *daddr, uint16_t family,
			       struct dp_rec **ret)
{
	struct addr dst = get_address(daddr, family);

	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++) {
		struct dp_tun *t = dp->tuns[slot];

		for (struct dp_rec *r = t ? t->sas : NULL; r; r = r->next) {
			const struct addr *to = r->info.dir == DP_IN
							? &r->info.local.addr
							: &r->info.remote.addr;

			if (r->info.spi == spi && addr_equal(to, &dst)) {
				*ret = r;
				return t;
			}
		}
	}
	return NULL;
}

static void on_deleted(struct dataplane *dp, const struct xfrm_usersa_id *id)
{
	struct dp_rec *r;
	struct dp_tun *t = find_spi(dp, ntohl(id->spi), &id->daddr, id->family, &r);

	/* An update removes and adds: is it really gone? */
	if (t)
		dp->xfrm->recheck = true;
}

static void on_expired(struct dataplane *dp, const struct xfrm_user_expire *e)
{
	struct dp_rec *r;
	struct dp_tun *t = find_spi(dp, ntohl(e->state.id.spi), &e->state.id.daddr,
				    e->state.family, &r);

	if (t && dp->host->sa_expire)
		dp->host->sa_expire(dp->ctx, t->slot, r->info.dir, r->info.spi,
				    e->hard);
}

static void on_mapping(struct dataplane *dp, const struct xfrm_user_mapping *m)
{
	struct dp_rec *r;
	struct dp_tun *t =
		find_spi(dp, ntohl(m->id.spi), &m->id.daddr, m->id.family, &r);
	struct endpoint remote = {
		.addr = get_address(&m->new_saddr, m->id.family),
		.port = ntohs(m->new_sport),
	};

	if (t && r->info.dir == DP_IN && dp->host->mapping)
		dp->host->mapping(dp->ctx, t->slot, r->info.spi, &remote);
}

static int on_event(const struct nlmsghdr *nlh, void *ctx)
{
	/* clang-format off */
	static const struct {
		uint16_t type;
		size_t len;
	} needs[] = {
		{ XFRM_MSG_DELSA,   sizeof(struct xfrm_usersa_id) },
		{ XFRM_MSG_EXPIRE,  sizeof(struct xfrm_user_expire) },
		{ XFRM_MSG_MAPPING, sizeof(struct xfrm_user_mapping) },
	};
	/* clang-format on */
	const void *body = mnl_nlmsg_get_payload(nlh);
	struct xfrm *x = ctx;

	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (needs[i].type == nlh->nlmsg_type &&
		    mnl_nlmsg_get_payload_len(nlh) < needs[i].len)
			return 0;
	switch (nlh->nlmsg_type) {
	case XFRM_MSG_DELSA:
		on_deleted(x->dp, body);
		break;
	case XFRM_MSG_FLUSHSA:
		x->recheck = true;
		break;
	case XFRM_MSG_DELPOLICY:
	case XFRM_MSG_FLUSHPOLICY:
		x->policies_gone = true;
		break;
	case XFRM_MSG_EXPIRE:
		on_expired(x->dp, body);
		break;
	case XFRM_MSG_MAPPING:
		on_mapping(x->dp, body);
		break;
	default:
		break;
	}
	return 0;
}

static void on_events(void *ctx, int fd, unsigned int events)
{
	struct xfrm *x = ctx;

	(void)fd;
	(void)events;
	if (nlsock_recv(x->events, EVENTS_BURST, on_event, x) == -ENOBUFS)
		x->recheck = x->policies_gone = true;
	if (x->policies_gone)
		put_back_policies(x->dp);
	x->policies_gone = false;
	if (x->recheck)
		check_states(x->dp);
	x->recheck = false;
}

/* --- the 4500 socket --------------------------------------------------------- */

static void on_ike(void *ctx, int fd, unsigned int events)
{
	static const uint8_t marker[MARKER_LEN];
	struct dp_sock *s = ctx;
	struct dataplane *dp = s->dp;
	uint8_t *in = dp->xfrm->in;
	uint32_t id = s->id;

	(void)events;
	for (int i = 0; i < IKE_BURST; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		ssize_t got = recvfrom(fd, in, sizeof(dp->xfrm->in), MSG_DONTWAIT,
				       (struct sockaddr *)&ss, &len);
		struct endpoint remote;

		if (got < 0)
			return;
		if (got <= MARKER_LEN || memcmp(in, marker, MARKER_LEN) != 0 ||
		    endpoint_from_sockaddr(&ss, &remote) < 0 || !dp->host->ike)
			continue;
		dp->host->ike(dp->ctx, id, &s->local, &remote, in + MARKER_LEN,
			      (size_t)got - MARKER_LEN);
		/* The owner may have removed or replaced it. */
		HASH_FIND(hh, dp->socks, &id, sizeof(id), s);
		if (!s || s->fd != fd)
			return;
	}
}

static int xfrm_socket_set(struct dataplane *dp, struct dp_sock *s)
{
	int type = UDP_ENCAP_ESPINUDP;

	if (setsockopt(s->fd, IPPROTO_UDP, UDP_ENCAP, &type, sizeof(type)) < 0)
		return -errno;
	loop_io_start(dp->loop, &s->io, s->fd, LOOP_READ, on_ike, s);
	return 0;
}

static void xfrm_socket_remove(struct dataplane *dp, struct dp_sock *s)
{
	(void)dp;
	loop_io_stop(&s->io);
}

/* --- tunnels ------------------------------------------------------------------ */

/* States and policies of either kind: an earlier run may have had the other. */
static void purge(struct dataplane *dp, const struct dp_tun *t)
{
	static const enum dp_if kinds[] = {DP_IF_VTI, DP_IF_XFRM};
	struct nlsock *nl = dp->xfrm->nl;
	struct dp_tun as = *t;

	as.cfg.if_id = reqid_of(t);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		as.kind = kinds[i];
		for (const struct dp_rec *r = t->sas; r; r = r->next)
			(void)del_state(nl, &as, &r->info);
		del_policies(nl, &as);
	}
}

static int want_link(struct dataplane *dp, struct dp_tun *t, struct dp_link *l)
{
	const struct dp_tunnel *c = &t->cfg;
	bool vti = t->kind == DP_IF_VTI;
	const char *kind = !vti ? "xfrm" : c->local.family == AF_INET6 ? "vti6" : "vti";
	int err = dp_link_get(dp->route, c->ifname, 0, l);

	/* Addresses not known yet: one that an earlier run left serves. */
	if (vti && !c->local.family) {
		bool ours = !err && l->if_id == c->if_id && !strncmp(l->kind, "vti", 3);

		return ours ? 0 : -EDESTADDRREQ;
	}
	if (err == 0 && l->group != DP_LINK_GROUP && l->if_id != c->if_id)
		return -EEXIST;
	/* Ours, but of another kind: it was configured otherwise before. */
	if (err == 0 && (strcmp(l->kind, kind) != 0 || l->if_id != c->if_id)) {
		purge(dp, t);
		dp_rec_clear(t);
		err = dp_link_delete(dp->route, l->ifindex);
		if (err < 0)
			return err;
		err = -ENODEV;
	}
	if (err == 0 && vti &&
	    (!addr_equal(&l->local, &c->local) ||
	     (c->remote.family && !addr_equal(&l->remote, &c->remote))))
		err = dp_vti_set(dp->route, c->ifname, c->if_id, &c->local, &c->remote,
				 false);
	if (err == -ENODEV && vti)
		err = dp_vti_set(dp->route, c->ifname, c->if_id, &c->local, &c->remote,
				 true);
	else if (err == -ENODEV)
		err = dp_xfrmi_create(dp->route, c->ifname, c->if_id);
	return err < 0 ? err : dp_link_get(dp->route, c->ifname, 0, l);
}

static int xfrm_tunnel_set(struct dataplane *dp, struct dp_tun *t)
{
	enum dp_if kind = t->cfg.kind == DP_IF_AUTO ? DP_IF_XFRM : t->cfg.kind;
	const struct dp_rec *r;
	struct dp_link l;
	int err;

	if (kind != DP_IF_XFRM && kind != DP_IF_VTI)
		return -EOPNOTSUPP;
	t->kind = kind;
	err = want_link(dp, t, &l);
	if (!err)
		err = dp_link_setup(dp->route, l.ifindex, t->cfg.name, t->cfg.mtu, 0);
	if (err < 0)
		return err;
	t->ifindex = l.ifindex;
	r = newest_out(t);
	return r ? set_policies(dp->xfrm->nl, t, &r->info) : 0;
}

static void xfrm_tunnel_remove(struct dataplane *dp, struct dp_tun *t)
{
	purge(dp, t);
	if (t->ifindex)
		(void)dp_link_delete(dp->route, t->ifindex);
}

/* --- SAs ----------------------------------------------------------------------- */

static int xfrm_sa_install(struct dataplane *dp, struct dp_tun *t,
			   const struct dp_sa *sa)
{
	struct dp_sa_info out = info_of(sa);
	struct nlsock *nl = dp->xfrm->nl;
	int err = add_state(nl, t, sa);

	if (err < 0) {
		ed_warn(t->cfg.name, "SA %08x: %s: %s", sa->spi, strerror(-err),
			nlsock_error(nl));
		return err;
	}
	if (sa->dir != DP_OUT)
		return 0;
	err = set_policies(nl, t, &out);
	if (err < 0) {
		ed_warn(t->cfg.name, "IPsec policies: %s: %s", strerror(-err),
			nlsock_error(nl));
		(void)del_state(nl, t, &out);
	}
	return err;
}

/* A state as the kernel told it, to be put back with other addresses. */
struct moved {
	const struct dp_sa_info *to;
	struct nlq q;
	struct dp_drops drops; /* its counts begin anew */
	bool found;
	bool numbered; /* its replay state goes along */
	bool exhausted;
};

static void move_replay(struct moved *m, const struct nlattr *a, uint16_t type)
{
	union {
		struct xfrm_replay_state plain;
		struct xfrm_replay_state_esn esn;
		uint8_t bytes[4096];
	} u;
	size_t len = mnl_attr_get_payload_len(a);
	uint32_t *oseq = type == XFRMA_REPLAY_VAL ? &u.plain.oseq : &u.esn.oseq;

	if (len < sizeof(u.plain) || len > sizeof(u))
		return;
	memcpy(&u, mnl_attr_get_payload(a), len);
	if (m->to->dir == DP_OUT) {
		m->exhausted = *oseq > UINT32_MAX - 2 * SEQ_SKIP;
		*oseq += SEQ_SKIP;
	}
	nlq_put(&m->q, type, &u, len);
	m->numbered = true;
}

static void add_drops(struct dp_drops *d, const struct xfrm_usersa_info *info)
{
	d->replay += info->stats.replay_window + info->stats.replay;
	d->auth += info->stats.integrity_failed;
}

static int on_moved(const struct nlmsghdr *nlh, void *ctx)
{
	const struct xfrm_usersa_info *old = mnl_nlmsg_get_payload(nlh);
	struct moved *m = ctx;
	struct xfrm_usersa_info *info;
	const struct nlattr *a;

	if (nlh->nlmsg_type != XFRM_MSG_NEWSA)
		return 0;
	info = nlq_init(&m->q, XFRM_MSG_NEWSA, NLM_F_CREATE | NLM_F_EXCL,
			sizeof(*info));
	*info = *old;
	put_ends(info, m->to);
	nlq_for_each (a, nlh, sizeof(*old)) {
		uint16_t type = mnl_attr_get_type(a);

		switch (type) {
		case XFRMA_ALG_AEAD:
		case XFRMA_IF_ID:
		case XFRMA_MARK:
		case XFRMA_SET_MARK:
		case XFRMA_SET_MARK_MASK:
			nlq_put(&m->q, type, mnl_attr_get_payload(a),
				mnl_attr_get_payload_len(a));
			break;
		case XFRMA_REPLAY_VAL:
		case XFRMA_REPLAY_ESN_VAL:
			move_replay(m, a, type);
			break;
		default:
			break;
		}
	}
	if (m->to->encap && m->to->dir == DP_IN)
		put_encap(&m->q, m->to->remote.port, m->to->local.port);
	else if (m->to->encap)
		put_encap(&m->q, m->to->local.port, m->to->remote.port);
	if (m->to->dir == DP_IN)
		add_drops(&m->drops, old);
	m->found = true;
	return 0;
}

static int xfrm_sa_update(struct dataplane *dp, struct dp_tun *t,
			  const struct dp_rec *rec, const struct dp_sa_info *old,
			  uint32_t socket)
{
	struct nlsock *nl = dp->xfrm->nl;
	struct moved m = {.to = &rec->info};
	struct nlq ask;
	int err;

	(void)socket;
	put_state_id(&ask, t, old, XFRM_MSG_GETSA);
	err = nlsock_dump(nl, &ask, on_moved, &m);
	if (err == -ESRCH || (!err && !m.found))
		err = -ENOENT;
	/* Numbers that began anew would be used twice, or be taken twice. */
	if (!err && (m.exhausted || !m.numbered))
		err = -ERANGE;
	if (!err)
		err = del_state(nl, t, old);
	if (!err) {
		t->gone.replay += m.drops.replay;
		t->gone.auth += m.drops.auth;
		err = nlsock_call(nl, &m.q);
	}
	if (!err && rec->info.dir == DP_OUT && newest_out(t) == rec)
		err = set_policies(nl, t, &rec->info);
	secret_wipe(&m.q, sizeof(m.q));
	return err;
}

static int on_drops(const struct nlmsghdr *nlh, void *ctx)
{
	if (nlh->nlmsg_type == XFRM_MSG_NEWSA)
		add_drops(ctx, mnl_nlmsg_get_payload(nlh));
	return 0;
}

/* Add to *d what an inbound state has dropped. */
static void ask_drops(struct nlsock *nl, const struct dp_tun *t,
		      const struct dp_sa_info *sa, struct dp_drops *d)
{
	struct nlq q;

	if (sa->dir != DP_IN)
		return;
	put_state_id(&q, t, sa, XFRM_MSG_GETSA);
	(void)nlsock_dump(nl, &q, on_drops, d);
}

/* A state that vanished took its counts with it: what was told stays. */
static uint64_t never_less(uint64_t *told, uint64_t *gone, uint64_t now)
{
	if (now < *told)
		*gone += *told - now;
	else
		*told = now;
	return *told;
}

static void xfrm_drops(struct dataplane *dp, struct dp_tun *t, struct dp_counters *c)
{
	struct dp_drops now = t->gone;

	for (const struct dp_rec *r = t->sas; r; r = r->next)
		ask_drops(dp->xfrm->nl, t, &r->info, &now);
	c->rx_replay = never_less(&t->told.replay, &t->gone.replay, now.replay);
	c->rx_auth = never_less(&t->told.auth, &t->gone.auth, now.auth);
}

static int xfrm_sa_remove(struct dataplane *dp, struct dp_tun *t,
			  const struct dp_rec *rec)
{
	struct dp_tun as = *t;

	/* Left by an earlier run, its interface not set yet: of which kind is it? */
	if (!t->set) {
		as.cfg.if_id = reqid_of(t);
		as.kind = DP_IF_VTI;
		if (del_state(dp->xfrm->nl, &as, &rec->info) == 0)
			return 0;
	}
	ask_drops(dp->xfrm->nl, t, &rec->info, &t->gone);
	return del_state(dp->xfrm->nl, t, &rec->info);
}

static int xfrm_counters(struct dataplane *dp, struct dp_tun *t,
			 struct dp_counters *ret)
{
	return dp_link_counters(dp->route, t->ifindex, ret);
}

/* --- start ------------------------------------------------------------------- */

static bool xfrm_ready(const struct dataplane *dp)
{
	(void)dp;
	return true;
}

static void xfrm_free(struct dataplane *dp)
{
	struct xfrm *x = dp->xfrm;

	for (struct dp_sock *s = dp->socks; s; s = s->hh.next)
		loop_io_stop(&s->io);
	loop_timer_stop(&x->begin);
	loop_io_stop(&x->events_io);
	nlsock_free(x->events);
	nlsock_free(x->nl);
	free(x);
	dp->xfrm = NULL;
}

static const struct dp_carrier_ops ops = {
	.free = xfrm_free,
	.ready = xfrm_ready,
	.socket_set = xfrm_socket_set,
	.socket_remove = xfrm_socket_remove,
	.tunnel_set = xfrm_tunnel_set,
	.tunnel_remove = xfrm_tunnel_remove,
	.sa_install = xfrm_sa_install,
	.sa_update = xfrm_sa_update,
	.sa_remove = xfrm_sa_remove,
	.counters = xfrm_counters,
	.drops = xfrm_drops,
	.reconcile = xfrm_reconcile,
};

/*
 * Does the kernel have ESP and xfrm interfaces? Asked by making one of each: an
 * unknown attribute is ignored, not refused, and a module may be missing.
 */
static int probe(struct dataplane *dp, struct nlsock *nl)
{
	struct dp_tun t = {.slot = DP_TUNNELS_MAX, .kind = DP_IF_XFRM};
	struct dp_sa sa = {
		.spi = PROBE_SPI,
		.dir = DP_IN,
		.cipher = DP_AES128_GCM16,
	};
	struct dp_sa_info info;
	struct dp_link l;
	char name[IFNAMSIZ];
	int err;

	snprintf(name, sizeof(name), "edprobe%d", (int)getpid() % 1000000);
	t.cfg.if_id = reqid_of(&t);
	/* Addresses for documentation (RFC 5737): nobody's. */
	(void)addr_parse("192.0.2.1", &sa.local.addr);
	(void)addr_parse("192.0.2.2", &sa.remote.addr);
	info = info_of(&sa);
	err = add_state(nl, &t, &sa);
	if (err == -EEXIST)
		err = 0;
	(void)del_state(nl, &t, &info);
	if (err < 0)
		return err;
	err = dp_xfrmi_create(dp->route, name, t.cfg.if_id);
	if (err < 0)
		return err;
	err = dp_link_get(dp->route, name, 0, &l);
	if (!err)
		err = dp_link_delete(dp->route, l.ifindex);
	return err;
}

static void on_begin(void *ctx, struct mono now)
{
	(void)now;
	dp_tell_ready(ctx, true);
}

int dp_xfrm_new(struct dataplane *dp)
{
	static const unsigned int groups[] = {XFRMNLGRP_EXPIRE, XFRMNLGRP_SA,
					      XFRMNLGRP_POLICY, XFRMNLGRP_MAPPING};
	struct xfrm *x = ed_alloc(sizeof(*x));
	int err;

	x->dp = dp;
	err = nlsock_open(NETLINK_XFRM, &x->nl);
	if (!err)
		err = probe(dp, x->nl);
	if (!err)
		err = nlsock_open_events(NETLINK_XFRM, groups, ARRAY_LEN(groups),
					 EVENTS_RCVBUF, &x->events);
	if (err < 0) {
		ed_info(NULL, "the kernel carries no IPsec here: %s", strerror(-err));
		goto fail;
	}
	dp->xfrm = x;
	dp->ops = &ops;
	err = dump_states(dp); /* what an earlier run left */
	if (err < 0)
		goto fail;
	loop_io_start(dp->loop, &x->events_io, nlsock_fd(x->events), LOOP_READ,
		      on_events, x);
	/* From the loop: the owner is not ready for callbacks yet. */
	loop_timer_at(dp->loop, &x->begin, mono_now(), on_begin, dp);
	return 0;

fail:
	dp->xfrm = NULL;
	nlsock_free(x->events);
	nlsock_free(x->nl);
	free(x);
	return -EOPNOTSUPP;
}
