/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/esp/sa.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/rng.h"
#include "lib/secret.h"

enum {
	SPI_MIN = 256, /* RFC 4303 section 2.1 */
};

/* A rekey is asked for in the last quarter of the numbers, jittered so that */
/* the tunnels of a box do not ask at once. */
static const uint32_t soft_base = UINT32_C(0xc0000000);
static const uint32_t soft_jitter = UINT32_C(0x08000000);

void esp_table_init(struct esp_table *t, struct esp_counters *counters, struct rng *rng)
{
	memset(t, 0, sizeof(*t));
	t->counters = counters;
	t->rng = rng;
}

static void sa_free(struct esp_table *t, struct esp_sa *sa)
{
	if (sa->dir == ESP_DIR_IN)
		HASH_DELETE(hh, t->inbound, sa);
	esp_aead_free(sa->aead);
	free(sa);
}

void esp_table_tunnel_del(struct esp_table *t, struct esp_tunnel *tunnel)
{
	while (tunnel->sas) {
		struct esp_sa *sa = tunnel->sas;

		tunnel->sas = sa->next;
		sa_free(t, sa);
	}
	t->tunnels[tunnel->slot] = NULL;
	close(tunnel->fd);
	free(tunnel);
}

void esp_table_socket_del(struct esp_table *t, struct esp_socket *s)
{
	HASH_DELETE(hh, t->sockets, s);
	close(s->fd);
	free(s);
}

void esp_table_fini(struct esp_table *t)
{
	struct esp_socket *s;
	struct esp_socket *next;

	for (uint32_t slot = 0; slot < ESP_SLOTS_MAX; slot++)
		if (t->tunnels[slot])
			esp_table_tunnel_del(t, t->tunnels[slot]);
	HASH_ITER (hh, t->sockets, s, next)
		esp_table_socket_del(t, s);
}

struct esp_socket *esp_table_socket(const struct esp_table *t, uint32_t id)
{
	struct esp_socket *s;

	HASH_FIND(hh, t->sockets, &id, sizeof(id), s);
	return s;
}

struct esp_tunnel *esp_table_tunnel(const struct esp_table *t, uint32_t slot)
{
	return slot < ESP_SLOTS_MAX ? t->tunnels[slot] : NULL;
}

struct esp_sa *esp_table_inbound(const struct esp_table *t, uint32_t spi)
{
	struct esp_sa *sa;

	HASH_FIND(hh, t->inbound, &spi, sizeof(spi), sa);
	return sa;
}

void esp_endpoint_put(struct esp_endpoint *to, const struct endpoint *from)
{
	memset(to, 0, sizeof(*to));
	to->family = from->addr.family;
	to->port = from->port;
	memcpy(to->addr, from->addr.b, sizeof(to->addr));
}

int esp_endpoint_get(const struct esp_endpoint *from, struct endpoint *to)
{
	if ((from->family != AF_INET && from->family != AF_INET6) || !from->port)
		return -EINVAL;
	to->addr = addr_from_bytes(from->family, from->addr);
	to->port = from->port;
	return 0;
}

int esp_table_socket_add(struct esp_table *t, const struct esp_msg_socket *msg, int fd,
			 struct esp_socket **ret)
{
	struct endpoint local;
	struct esp_socket *s;

	if (esp_endpoint_get(&msg->local, &local) < 0)
		return -EINVAL;
	if (HASH_COUNT(t->sockets) >= ESP_SOCKETS_MAX)
		return -ENOSPC;
	s = ed_alloc(sizeof(*s));
	s->id = msg->id;
	s->fd = fd;
	s->local = local;
	HASH_ADD(hh, t->sockets, id, sizeof(s->id), s);
	*ret = s;
	return 0;
}

int esp_table_tunnel_add(struct esp_table *t, uint32_t slot, int fd,
			 struct esp_tunnel **ret)
{
	struct esp_tunnel *tunnel;

	if (slot >= ESP_SLOTS_MAX || t->tunnels[slot])
		return -EINVAL;
	tunnel = ed_alloc(sizeof(*tunnel));
	tunnel->slot = slot;
	tunnel->fd = fd;
	tunnel->count = &t->counters[slot];
	memset(tunnel->count, 0, sizeof(*tunnel->count));
	t->tunnels[slot] = tunnel;
	*ret = tunnel;
	return 0;
}

static struct esp_sa **find(struct esp_tunnel *tunnel, uint8_t dir, uint32_t spi)
{
	struct esp_sa **at = &tunnel->sas;

	while (*at && ((*at)->spi != spi || (*at)->dir != dir))
		at = &(*at)->next;
	return at;
}

/* The newest outbound SA is in use. */
static void choose_out(struct esp_tunnel *tunnel)
{
	struct esp_sa *sa = tunnel->sas;

	while (sa && sa->dir != ESP_DIR_OUT)
		sa = sa->next;
	tunnel->out = sa;
}

/* Addresses and socket of a message, checked against each other. */
static int get_path(const struct esp_table *t, const struct esp_msg_sa *msg,
		    struct endpoint *local, struct endpoint *remote)
{
	const struct esp_socket *s = esp_table_socket(t, msg->socket);

	if (!s)
		return -ENOENT;
	if (esp_endpoint_get(&msg->local, local) < 0 ||
	    esp_endpoint_get(&msg->remote, remote) < 0)
		return -EINVAL;
	if (local->addr.family != s->local.addr.family ||
	    remote->addr.family != s->local.addr.family)
		return -EINVAL;
	return 0;
}

static void set_path(struct esp_sa *sa, uint32_t id, const struct endpoint *local,
		     const struct endpoint *remote)
{
	sa->socket = id;
	sa->local = *local;
	sa->remote = *remote;
	sa->to_len = endpoint_to_sockaddr(remote, &sa->to);
	sa->reported = *remote;
}

static unsigned int count_sas(const struct esp_tunnel *tunnel)
{
	unsigned int n = 0;

	for (const struct esp_sa *sa = tunnel->sas; sa; sa = sa->next)
		n++;
	return n;
}

int esp_table_sa_add(struct esp_table *t, const struct esp_msg_sa *msg)
{
	struct esp_tunnel *tunnel = esp_table_tunnel(t, msg->slot);
	struct endpoint local;
	struct endpoint remote;
	struct esp_sa *sa;
	int err;

	if (!tunnel)
		return -ENOENT;
	if ((msg->dir != ESP_DIR_IN && msg->dir != ESP_DIR_OUT) || msg->spi < SPI_MIN)
		return -EINVAL;
	err = get_path(t, msg, &local, &remote);
	if (err < 0)
		return err;
	if (*find(tunnel, msg->dir, msg->spi) ||
	    (msg->dir == ESP_DIR_IN && esp_table_inbound(t, msg->spi)))
		return -EEXIST;
	if (count_sas(tunnel) >= ESP_TUNNEL_SAS_MAX)
		return -ENOSPC;
	sa = ed_alloc(sizeof(*sa));
	sa->aead = esp_aead_new(msg->cipher, msg->key, msg->dir == ESP_DIR_OUT);
	if (!sa->aead) {
		free(sa);
		return -EINVAL;
	}
	sa->spi = msg->spi;
	sa->dir = msg->dir;
	sa->cipher = msg->cipher;
	sa->soft_limit = soft_base + rng_below(t->rng, soft_jitter);
	sa->tunnel = tunnel;
	set_path(sa, msg->socket, &local, &remote);
	sa->next = tunnel->sas;
	tunnel->sas = sa;
	if (sa->dir == ESP_DIR_IN)
		HASH_ADD(hh, t->inbound, spi, sizeof(sa->spi), sa);
	choose_out(tunnel);
	return 0;
}

int esp_table_sa_update(struct esp_table *t, const struct esp_msg_sa *msg)
{
	struct esp_tunnel *tunnel = esp_table_tunnel(t, msg->slot);
	struct endpoint local;
	struct endpoint remote;
	struct esp_sa *sa;
	int err;

	sa = tunnel ? *find(tunnel, msg->dir, msg->spi) : NULL;
	if (!sa)
		return -ENOENT;
	err = get_path(t, msg, &local, &remote);
	if (err < 0)
		return err;
	set_path(sa, msg->socket, &local, &remote);
	return 0;
}

int esp_table_sa_del(struct esp_table *t, const struct esp_msg_sa *msg)
{
	struct esp_tunnel *tunnel = esp_table_tunnel(t, msg->slot);
	struct esp_sa **at;
	struct esp_sa *sa;

	if (!tunnel)
		return -ENOENT;
	at = find(tunnel, msg->dir, msg->spi);
	sa = *at;
	if (!sa)
		return -ENOENT;
	*at = sa->next;
	sa_free(t, sa);
	choose_out(tunnel);
	return 0;
}
