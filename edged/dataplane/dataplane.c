/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/dataplane/dataplane.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edged/dataplane/backend.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/nlsock.h"

enum {
	IP4_LEN = 20,
	IP6_LEN = 40,
	UDP_LEN = 8,
	ESP_FIXED = 8 + 8 + 2 + 16, /* SPI, sequence, IV, trailer, tag */
	ESP_ALIGN = 4,
	SPI_MIN = 256,
};

static const char fd_prefix[] = "dp-tun-";

int dp_new(const struct dp_params *params, struct dataplane **ret)
{
	static const struct dp_host deaf;
	struct dataplane *dp = ed_alloc(sizeof(*dp));
	int err;

	dp->loop = params->loop;
	dp->host = params->host ? params->host : &deaf;
	dp->ctx = params->ctx;
	err = nlsock_open(NETLINK_ROUTE, &dp->route);
	if (err < 0)
		goto fail;
	dp->carrier = DP_KERNEL;
	err = params->carrier == DP_USER ? -EOPNOTSUPP : dp_xfrm_new(dp);
	if (err < 0 && params->carrier != DP_KERNEL) {
		dp->carrier = DP_USER;
		err = dp_uesp_new(dp, params->run_dir);
	}
	if (err < 0)
		goto fail;
	err = dp_reconcile_start(dp);
	if (err < 0) {
		dp_free(dp);
		return err;
	}
	*ret = dp;
	return 0;

fail:
	nlsock_free(dp->route);
	free(dp);
	return err;
}

void dp_free(struct dataplane *dp)
{
	struct dp_sock *s;
	struct dp_sock *next;

	if (!dp)
		return;
	dp_reconcile_stop(dp);
	dp->ops->free(dp);
	HASH_ITER (hh, dp->socks, s, next) {
		HASH_DELETE(hh, dp->socks, s);
		close(s->fd);
		free(s);
	}
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++) {
		struct dp_tun *t = dp->tuns[slot];

		if (!t)
			continue;
		dp_rec_clear(t);
		if (t->fd >= 0)
			close(t->fd);
		free(t);
	}
	nlsock_free(dp->route);
	free(dp);
}

enum dp_carrier dp_carrier(const struct dataplane *dp)
{
	return dp->carrier;
}

bool dp_ready(const struct dataplane *dp)
{
	return dp->ops->ready(dp);
}

const char *dp_kind(const struct dataplane *dp, uint32_t slot)
{
	const struct dp_tun *t = slot < DP_TUNNELS_MAX ? dp->tuns[slot] : NULL;

	if (!t)
		return "";
	switch (t->kind) {
	case DP_IF_XFRM:
		return "xfrm";
	case DP_IF_VTI:
		return "vti";
	case DP_IF_TUN:
		return "user";
	case DP_IF_AUTO:
		break;
	}
	return "";
}

uint32_t dp_inner_mtu(uint8_t family, bool encap, uint32_t link_mtu)
{
	uint32_t outer = family == AF_INET6 ? IP6_LEN : IP4_LEN;
	uint32_t room;

	outer += (encap ? UDP_LEN : 0) + ESP_FIXED - 2;
	if (link_mtu < outer + ESP_ALIGN)
		return 0;
	/* Inner packet, pad length and next header end on a 4 byte boundary. */
	room = (link_mtu - outer) / ESP_ALIGN * ESP_ALIGN;
	return room - 2;
}

/* --- tables -------------------------------------------------------------- */

struct dp_tun *dp_tun_get(struct dataplane *dp, uint32_t slot)
{
	struct dp_tun *t;

	if (slot >= DP_TUNNELS_MAX)
		return NULL;
	t = dp->tuns[slot];
	if (t)
		return t;
	t = ed_alloc(sizeof(*t));
	t->slot = slot;
	t->kind = DP_IF_AUTO;
	t->fd = -1;
	dp->tuns[slot] = t;
	return t;
}

struct dp_rec *dp_rec_find(const struct dp_tun *t, enum dp_dir dir, uint32_t spi)
{
	struct dp_rec *r = t->sas;

	while (r && (r->info.dir != dir || r->info.spi != spi))
		r = r->next;
	return r;
}

void dp_rec_add(struct dp_tun *t, const struct dp_sa_info *info)
{
	struct dp_rec *r = ed_alloc(sizeof(*r));

	r->info = *info;
	r->there = true;
	r->next = t->sas;
	t->sas = r;
}

void dp_rec_remove(struct dp_tun *t, enum dp_dir dir, uint32_t spi)
{
	struct dp_rec *r = dp_rec_find(t, dir, spi);
	struct dp_rec **at = &t->sas;

	while (*at && *at != r)
		at = &(*at)->next;
	if (r)
		*at = r->next;
	free(r);
}

void dp_rec_clear(struct dp_tun *t)
{
	while (t->sas)
		dp_rec_remove(t, t->sas->info.dir, t->sas->info.spi);
}

void dp_tell_lost(struct dataplane *dp, struct dp_tun *t, enum dp_dir dir, uint32_t spi)
{
	uint32_t slot = t->slot;

	dp_rec_remove(t, dir, spi);
	if (dp->host->sa_lost)
		dp->host->sa_lost(dp->ctx, slot, dir, spi);
}

void dp_tell_ready(struct dataplane *dp, bool up)
{
	if (dp->host->ready)
		dp->host->ready(dp->ctx, up);
}

/* --- sockets ------------------------------------------------------------- */

int dp_socket_set(struct dataplane *dp, uint32_t id, int fd,
		  const struct endpoint *local)
{
	struct dp_sock *s;
	int copy;
	int err;

	if (!addr_size(local->addr.family))
		return -EINVAL;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (copy < 0)
		return -errno;
	(void)dp_socket_remove(dp, id);
	s = ed_alloc(sizeof(*s));
	s->id = id;
	s->fd = copy;
	s->local = *local;
	s->dp = dp;
	HASH_ADD(hh, dp->socks, id, sizeof(s->id), s);
	err = dp->ops->socket_set(dp, s);
	if (err < 0) {
		HASH_DELETE(hh, dp->socks, s);
		close(s->fd);
		free(s);
	}
	return err;
}

int dp_socket_remove(struct dataplane *dp, uint32_t id)
{
	struct dp_sock *s;

	HASH_FIND(hh, dp->socks, &id, sizeof(id), s);
	if (!s)
		return -ENOENT;
	dp->ops->socket_remove(dp, s);
	HASH_DELETE(hh, dp->socks, s);
	close(s->fd);
	free(s);
	return 0;
}

/* --- tunnels ------------------------------------------------------------- */

static bool text_ends(const char *s, size_t cap)
{
	return s[0] && memchr(s, '\0', cap);
}

int dp_tunnel_set(struct dataplane *dp, const struct dp_tunnel *cfg, int *ret_ifindex)
{
	struct dp_tun *t;
	bool fresh;
	int err;

	if (cfg->slot >= DP_TUNNELS_MAX || !cfg->if_id || cfg->mtu < 68 ||
	    !text_ends(cfg->ifname, sizeof(cfg->ifname)) ||
	    !text_ends(cfg->name, sizeof(cfg->name)))
		return -EINVAL;
	fresh = !dp->tuns[cfg->slot];
	t = dp_tun_get(dp, cfg->slot);
	t->cfg = *cfg;
	err = dp->ops->tunnel_set(dp, t);
	if (err < 0) {
		if (err != -EDESTADDRREQ)
			ed_warn(cfg->name, "interface %s: %s%s%s", cfg->ifname,
				strerror(-err), nlsock_error(dp->route)[0] ? ": " : "",
				nlsock_error(dp->route));
		if (fresh) {
			dp->tuns[cfg->slot] = NULL;
			free(t);
		}
		return err;
	}
	t->set = true;
	if (ret_ifindex)
		*ret_ifindex = t->ifindex;
	return 0;
}

int dp_tunnel_remove(struct dataplane *dp, uint32_t slot)
{
	struct dp_tun *t = slot < DP_TUNNELS_MAX ? dp->tuns[slot] : NULL;

	if (!t)
		return -ENOENT;
	/* First from the table: the interface's end must not be mended. */
	dp->tuns[slot] = NULL;
	dp->ops->tunnel_remove(dp, t);
	dp_rec_clear(t);
	if (t->fd >= 0)
		close(t->fd);
	free(t);
	return 0;
}

void dp_sweep(struct dataplane *dp)
{
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++)
		if (dp->tuns[slot] && !dp->tuns[slot]->set)
			(void)dp_tunnel_remove(dp, slot);
	if (dp->ops->sweep)
		dp->ops->sweep(dp);
	dp_link_sweep(dp);
}

/* --- SAs ----------------------------------------------------------------- */

static bool endpoints_fit(const struct endpoint *local, const struct endpoint *remote,
			  bool encap)
{
	if (!addr_size(local->addr.family) || local->addr.family != remote->addr.family)
		return false;
	return !encap || (local->port && remote->port);
}

int dp_sa_install(struct dataplane *dp, const struct dp_sa *sa)
{
	struct dp_tun *t = sa->slot < DP_TUNNELS_MAX ? dp->tuns[sa->slot] : NULL;
	struct dp_sa_info info = {
		.slot = sa->slot,
		.spi = sa->spi,
		.dir = sa->dir,
		.cipher = sa->cipher,
		.encap = sa->encap,
		.local = sa->local,
		.remote = sa->remote,
	};
	int err;

	if (!t || !t->set)
		return -ENOENT;
	if (sa->spi < SPI_MIN || (sa->dir != DP_IN && sa->dir != DP_OUT) ||
	    (sa->cipher != DP_AES128_GCM16 && sa->cipher != DP_AES256_GCM16) ||
	    !endpoints_fit(&sa->local, &sa->remote, sa->encap))
		return -EINVAL;
	if (dp_rec_find(t, sa->dir, sa->spi))
		return -EEXIST;
	err = dp->ops->sa_install(dp, t, sa);
	if (err < 0)
		return err;
	dp_rec_add(t, &info);
	return 0;
}

int dp_sa_update(struct dataplane *dp, uint32_t slot, enum dp_dir dir, uint32_t spi,
		 uint32_t socket, const struct endpoint *local,
		 const struct endpoint *remote)
{
	struct dp_tun *t = slot < DP_TUNNELS_MAX ? dp->tuns[slot] : NULL;
	struct dp_rec *r = t ? dp_rec_find(t, dir, spi) : NULL;
	struct dp_sa_info old;
	int err;

	if (!r)
		return -ENOENT;
	if (!endpoints_fit(local, remote, r->info.encap))
		return -EINVAL;
	old = r->info;
	r->info.local = *local;
	r->info.remote = *remote;
	err = dp->ops->sa_update(dp, t, r, &old, socket);
	if (err < 0)
		r->info = old;
	return err;
}

int dp_sa_remove(struct dataplane *dp, uint32_t slot, enum dp_dir dir, uint32_t spi)
{
	struct dp_tun *t = slot < DP_TUNNELS_MAX ? dp->tuns[slot] : NULL;
	struct dp_rec *r = t ? dp_rec_find(t, dir, spi) : NULL;
	int err;

	if (!r)
		return -ENOENT;
	err = dp->ops->sa_remove(dp, t, r);
	dp_rec_remove(t, dir, spi);
	return err;
}

int dp_dump(struct dataplane *dp, void (*fn)(void *ctx, const struct dp_sa_info *sa),
	    void *ctx)
{
	if (!dp_ready(dp))
		return -ENOTCONN;
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++)
		for (const struct dp_rec *r = dp->tuns[slot] ? dp->tuns[slot]->sas
							     : NULL;
		     r; r = r->next)
			fn(ctx, &r->info);
	return 0;
}

int dp_counters(struct dataplane *dp, uint32_t slot, struct dp_counters *ret)
{
	struct dp_tun *t = slot < DP_TUNNELS_MAX ? dp->tuns[slot] : NULL;

	return t ? dp->ops->counters(dp, t, ret) : -ENOENT;
}

void dp_drops(struct dataplane *dp, uint32_t slot, struct dp_counters *c)
{
	struct dp_tun *t = slot < DP_TUNNELS_MAX ? dp->tuns[slot] : NULL;

	if (t && dp->ops->drops)
		dp->ops->drops(dp, t, c);
}

/* --- descriptors --------------------------------------------------------- */

void dp_fd_name(uint32_t slot, char name[DP_FD_NAME_MAX])
{
	snprintf(name, DP_FD_NAME_MAX, "%s%u", fd_prefix, slot);
}

int dp_fd(const struct dataplane *dp, uint32_t slot)
{
	const struct dp_tun *t = slot < DP_TUNNELS_MAX ? dp->tuns[slot] : NULL;

	return t && t->fd >= 0 ? t->fd : -ENOENT;
}

int dp_fd_restore(struct dataplane *dp, const char *name, int fd)
{
	struct dp_tun *t;
	unsigned long slot;
	char *end;

	if (strncmp(name, fd_prefix, sizeof(fd_prefix) - 1) != 0)
		return -ENOENT;
	slot = strtoul(name + sizeof(fd_prefix) - 1, &end, 10);
	if (*end || end == name + sizeof(fd_prefix) - 1 || slot >= DP_TUNNELS_MAX)
		return -ENOENT;
	t = dp_tun_get(dp, (uint32_t)slot);
	if (t->fd >= 0)
		close(t->fd);
	t->fd = fd;
	return 0;
}
