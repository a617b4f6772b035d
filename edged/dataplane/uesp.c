/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * uesp - edged's side of edge-esp (DP_USER)
 *
 *	AWAY --connect--> DUMPING --DUMP_END--> READY --closed--> AWAY
 *
 * AWAY looks for the socket every RETRY_MS. On connect edge-esp is asked for a
 * dump and given every socket and tunnel anew (it keeps the SAs of those it
 * knows). Whatever SA of ours is not in the dump is lost: a new edge-esp has
 * none, and one that was installed while it was away never reached it.
 * Requests wait in a queue, never in the loop.
 *
 * What edge-esp says is not trusted with more than it is about: slots and SPIs
 * are looked up, addresses checked, lengths bounded.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include "edged/dataplane/backend.h"
#include "edged/esp/pipe.h"
#include "edged/esp/proto.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/nlsock.h"
#include "lib/secret.h"

_Static_assert((int)DP_IN == (int)ESP_DIR_IN && (int)DP_OUT == (int)ESP_DIR_OUT, "dir");
_Static_assert((int)DP_AES128_GCM16 == (int)ESP_AES128_GCM16 &&
		       (int)DP_AES256_GCM16 == (int)ESP_AES256_GCM16,
	       "cipher");
_Static_assert((int)DP_KEY_MAX == (int)ESP_KEY_MAX, "key");
_Static_assert((int)DP_TUNNELS_MAX == (int)ESP_SLOTS_MAX, "slots");

enum {
	RETRY_MS = 100,
	BURST = 64, /* messages in a row */
	QUEUE_BYTES_MAX = 8 << 20, /* for an edge-esp that does not read */
	GSO_MAX = 61300, /* such a super-packet fits one train of 1472 byte packets */
};

enum state { AWAY = 1, DUMPING, READY };

/* A request whose answer is awaited; answers come in order. */
struct request {
	struct request *next;
	struct esp_hdr hdr;
	uint32_t slot;
	uint32_t spi;
	enum dp_dir dir;
};

struct uesp {
	struct dataplane *dp;
	enum state state;
	int fd;
	struct sockaddr_un addr;
	struct loop_io io;
	struct loop_timer retry;
	unsigned int watching;
	uint32_t seq;
	struct esp_queue out;
	struct request *first;
	struct request *last;
	const struct esp_counters *counters;
	uint32_t old_socks[ESP_SOCKETS_MAX]; /* ids in the dump */
	unsigned int n_old_socks;
	struct ratelimit warn;
	union {
		struct esp_hdr hdr;
		struct esp_msg_hello hello;
		struct esp_msg_ack ack;
		struct esp_msg_socket socket;
		struct esp_msg_tunnel tunnel;
		struct esp_msg_sa sa;
		struct esp_msg_ike ike;
		struct esp_msg_expire expire;
		struct esp_msg_mapping mapping;
		uint8_t bytes[sizeof(struct esp_msg_ike) + ESP_IKE_MAX];
	} in;
};

static void on_io(void *ctx, int fd, unsigned int events);
static void on_retry(void *ctx, struct mono now);

/* --- sending --------------------------------------------------------------- */

static void watch(struct uesp *u)
{
	unsigned int want = LOOP_READ | (u->out.head ? LOOP_WRITE : 0);

	if (u->fd < 0 || want == u->watching)
		return;
	u->watching = want;
	loop_io_start(u->dp->loop, &u->io, u->fd, want, on_io, u);
}

static void forget_requests(struct uesp *u)
{
	while (u->first) {
		struct request *r = u->first;

		u->first = r->next;
		free(r);
	}
	u->last = NULL;
}

static void retry_soon(struct uesp *u)
{
	loop_timer_at(u->dp->loop, &u->retry, mono_add_ms(mono_now(), RETRY_MS),
		      on_retry, u);
}

static void drop(struct uesp *u, const char *why)
{
	bool was_ready = u->state == READY;

	if (u->fd < 0)
		return;
	loop_io_stop(&u->io);
	close(u->fd);
	u->fd = -1;
	u->watching = 0;
	u->state = AWAY;
	esp_queue_clear(&u->out);
	forget_requests(u);
	retry_soon(u);
	if (!was_ready)
		return;
	ed_warn(NULL, "edge-esp is gone: %s", why);
	dp_tell_ready(u->dp, false);
}

static void pump(struct uesp *u)
{
	for (int i = 0; i < BURST && u->out.head; i++) {
		int err = esp_queue_send(&u->out, u->fd);

		if (err == -EAGAIN)
			break;
		if (err < 0) {
			/* The loop will see the same; callers must not be called back. */
			esp_queue_clear(&u->out);
			shutdown(u->fd, SHUT_RDWR);
			break;
		}
	}
	watch(u);
}

/*
 * Queue a request. msg begins with a header of which type and length count;
 * nothing happens while edge-esp is away.
 */
static void request(struct uesp *u, void *msg, enum esp_type type, size_t len, int fd,
		    uint32_t slot, uint32_t spi, enum dp_dir dir)
{
	struct esp_hdr hdr = {
		.len = (uint32_t)len,
		.type = (uint16_t)type,
		.version = ESP_PROTO_VERSION,
		.seq = ++u->seq,
	};
	struct request *r;

	if (u->state == AWAY)
		return;
	r = ed_alloc(sizeof(*r));
	r->hdr = hdr;
	r->slot = slot;
	r->spi = spi;
	r->dir = dir;
	if (u->last)
		u->last->next = r;
	else
		u->first = r;
	u->last = r;
	memcpy(msg, &hdr, sizeof(hdr));
	esp_queue_push(&u->out, msg, len, NULL, 0, fd);
	if (u->out.bytes > QUEUE_BYTES_MAX)
		shutdown(u->fd, SHUT_RDWR); /* ends in drop() by the loop */
	pump(u);
}

static void put_endpoint(struct esp_endpoint *to, const struct endpoint *from)
{
	memset(to, 0, sizeof(*to));
	to->family = from->addr.family;
	to->port = from->port;
	memcpy(to->addr, from->addr.b, sizeof(to->addr));
}

static bool get_endpoint(const struct esp_endpoint *from, struct endpoint *to)
{
	if (!addr_size(from->family))
		return false;
	to->addr = addr_from_bytes(from->family, from->addr);
	to->port = from->port;
	return true;
}

static void send_socket(struct uesp *u, const struct dp_sock *s)
{
	struct esp_msg_socket msg = {.id = s->id};

	put_endpoint(&msg.local, &s->local);
	request(u, &msg, ESP_SOCKET_SET, sizeof(msg), s->fd, 0, 0, 0);
}

static void send_tunnel(struct uesp *u, const struct dp_tun *t)
{
	struct esp_msg_tunnel msg = {.slot = t->slot};

	if (t->fd >= 0)
		request(u, &msg, ESP_TUNNEL_SET, sizeof(msg), t->fd, t->slot, 0, 0);
}

static void send_sa(struct uesp *u, enum esp_type type, const struct dp_sa_info *info,
		    uint32_t socket, const uint8_t *key)
{
	struct esp_msg_sa msg = {
		.slot = info->slot,
		.spi = info->spi,
		.socket = socket,
		.dir = (uint8_t)info->dir,
		.cipher = (uint8_t)info->cipher,
	};

	put_endpoint(&msg.local, &info->local);
	put_endpoint(&msg.remote, &info->remote);
	if (key)
		memcpy(msg.key, key, sizeof(msg.key));
	request(u, &msg, type, sizeof(msg), -1, info->slot, info->spi, info->dir);
	secret_wipe(&msg, sizeof(msg));
}

/* --- what comes ------------------------------------------------------------ */

static int take_hello(struct uesp *u, int *fd)
{
	static const int need = F_SEAL_SHRINK | F_SEAL_GROW;
	struct stat st;
	void *p;

	/* Sealed, or it could be cut off under our feet. */
	if (*fd < 0 || (fcntl(*fd, F_GET_SEALS) & need) != need ||
	    fstat(*fd, &st) < 0 || st.st_size != (off_t)ESP_COUNTERS_SIZE)
		return -EBADMSG;
	p = mmap(NULL, ESP_COUNTERS_SIZE, PROT_READ, MAP_SHARED, *fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	if (u->counters)
		munmap((void *)(uintptr_t)u->counters, ESP_COUNTERS_SIZE);
	u->counters = p;
	ed_info(NULL, "edge-esp is there, instance %016llx",
		(unsigned long long)u->in.hello.instance);
	return 0;
}

static void failed(struct uesp *u, const struct request *r, int error)
{
	struct dp_tun *t = r->slot < DP_TUNNELS_MAX ? u->dp->tuns[r->slot] : NULL;
	const char *subject = t && t->cfg.name[0] ? t->cfg.name : NULL;

	/* Removing what is not there is no failure. */
	if (error == -ENOENT &&
	    (r->hdr.type == ESP_SA_DEL || r->hdr.type == ESP_TUNNEL_DEL ||
	     r->hdr.type == ESP_SOCKET_DEL))
		return;
	ed_warn(subject, "edge-esp refused request %u (SPI %08x): %s", r->hdr.type,
		r->spi, strerror(-error));
	if (r->hdr.type == ESP_SA_ADD && t && dp_rec_find(t, r->dir, r->spi))
		dp_tell_lost(u->dp, t, r->dir, r->spi);
}

static int take_ack(struct uesp *u)
{
	struct request *r = u->first;

	if (!r || r->hdr.seq != u->in.hdr.seq || u->in.ack.error > 0)
		return -EBADMSG;
	u->first = r->next;
	if (!u->first)
		u->last = NULL;
	if (u->in.ack.error)
		failed(u, r, u->in.ack.error);
	free(r);
	return 0;
}

static int take_info_socket(struct uesp *u)
{
	if (u->n_old_socks < ESP_SOCKETS_MAX)
		u->old_socks[u->n_old_socks++] = u->in.socket.id;
	return 0;
}

/* A tunnel of an earlier run: its TUN comes back if we have none. */
static int take_info_tunnel(struct uesp *u, int *fd)
{
	struct dp_tun *t = dp_tun_get(u->dp, u->in.tunnel.slot);

	if (!t)
		return -EBADMSG;
	if (t->fd < 0) {
		t->fd = *fd;
		*fd = -1;
	}
	return 0;
}

static int take_info_sa(struct uesp *u)
{
	const struct esp_msg_sa *m = &u->in.sa;
	struct dp_tun *t = dp_tun_get(u->dp, m->slot);
	struct dp_sa_info info = {
		.slot = m->slot,
		.spi = m->spi,
		.dir = m->dir,
		.cipher = m->cipher,
		.encap = true,
	};
	struct dp_rec *r;

	if (!t || (m->dir != ESP_DIR_IN && m->dir != ESP_DIR_OUT) ||
	    !get_endpoint(&m->local, &info.local) ||
	    !get_endpoint(&m->remote, &info.remote))
		return -EBADMSG;
	r = dp_rec_find(t, info.dir, info.spi);
	if (!r)
		dp_rec_add(t, &info);
	else
		r->there = true;
	return 0;
}

static struct dp_rec *find_absent(const struct dp_tun *t)
{
	struct dp_rec *r = t ? t->sas : NULL;

	while (r && r->there)
		r = r->next;
	return r;
}

static int take_dump_end(struct uesp *u)
{
	struct dataplane *dp = u->dp;

	if (u->state != DUMPING)
		return -EBADMSG;
	u->state = READY;
	dp_tell_ready(dp, true);
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++) {
		struct dp_rec *r;

		/* Ends: each round removes one; those added meanwhile are there. */
		while ((r = find_absent(dp->tuns[slot])))
			dp_tell_lost(dp, dp->tuns[slot], r->info.dir, r->info.spi);
	}
	return 0;
}

static int take_ike(struct uesp *u, size_t len)
{
	size_t fixed = offsetof(struct esp_msg_ike, bytes);
	const struct dp_host *host = u->dp->host;
	struct endpoint remote;
	struct dp_sock *s;

	HASH_FIND(hh, u->dp->socks, &u->in.ike.socket, sizeof(u->in.ike.socket), s);
	if (!get_endpoint(&u->in.ike.remote, &remote))
		return -EBADMSG;
	if (s && host->ike)
		host->ike(u->dp->ctx, s->id, &s->local, &remote, u->in.bytes + fixed,
			  len - fixed);
	return 0;
}

static int take_expire(struct uesp *u)
{
	const struct esp_msg_expire *m = &u->in.expire;
	struct dp_tun *t = m->slot < DP_TUNNELS_MAX ? u->dp->tuns[m->slot] : NULL;

	if (t && dp_rec_find(t, m->dir, m->spi) && u->dp->host->sa_expire)
		u->dp->host->sa_expire(u->dp->ctx, m->slot, m->dir, m->spi, m->hard);
	return 0;
}

static int take_mapping(struct uesp *u)
{
	const struct esp_msg_mapping *m = &u->in.mapping;
	struct dp_tun *t = m->slot < DP_TUNNELS_MAX ? u->dp->tuns[m->slot] : NULL;
	struct endpoint remote;

	if (!get_endpoint(&m->remote, &remote))
		return -EBADMSG;
	if (t && dp_rec_find(t, DP_IN, m->spi) && u->dp->host->mapping)
		u->dp->host->mapping(u->dp->ctx, m->slot, m->spi, &remote);
	return 0;
}

static int take(struct uesp *u, size_t len, int *fd)
{
	if (esp_proto_check(u->in.bytes, len, 0) < 0)
		return -EBADMSG;
	switch (u->in.hdr.type) {
	case ESP_HELLO:
		return take_hello(u, fd);
	case ESP_ACK:
		return take_ack(u);
	case ESP_INFO_SOCKET:
		return take_info_socket(u);
	case ESP_INFO_TUNNEL:
		return take_info_tunnel(u, fd);
	case ESP_INFO_SA:
		return take_info_sa(u);
	case ESP_DUMP_END:
		return take_dump_end(u);
	case ESP_IKE:
		return take_ike(u, len);
	case ESP_EXPIRE:
		return take_expire(u);
	case ESP_MAPPING:
		return take_mapping(u);
	default:
		return -EBADMSG;
	}
}

static void on_io(void *ctx, int fd, unsigned int events)
{
	struct uesp *u = ctx;

	(void)fd;
	for (int i = 0; i < BURST && events & LOOP_READ; i++) {
		int came = -1;
		ssize_t got =
			esp_pipe_recv(u->fd, u->in.bytes, sizeof(u->in.bytes), &came);

		if (got == -EAGAIN)
			break;
		if (got >= 0)
			got = take(u, (size_t)got, &came);
		if (came >= 0)
			close(came);
		if (got < 0) {
			drop(u, strerror((int)-got));
			return;
		}
	}
	pump(u);
}

/* --- connecting ------------------------------------------------------------ */

static void begin(struct uesp *u)
{
	struct dataplane *dp = u->dp;
	struct esp_msg_plain ask = {{0}};

	u->state = DUMPING;
	u->n_old_socks = 0;
	request(u, &ask, ESP_DUMP, sizeof(ask), -1, 0, 0, 0);
	for (const struct dp_sock *s = dp->socks; s; s = s->hh.next)
		send_socket(u, s);
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++) {
		const struct dp_tun *t = dp->tuns[slot];

		for (struct dp_rec *r = t ? t->sas : NULL; r; r = r->next)
			r->there = false;
		if (t && t->set)
			send_tunnel(u, t);
	}
}

static void on_retry(void *ctx, struct mono now)
{
	struct uesp *u = ctx;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	(void)now;
	if (fd >= 0 && connect(fd, (struct sockaddr *)&u->addr, sizeof(u->addr)) == 0) {
		u->fd = fd;
		begin(u);
		watch(u);
		return;
	}
	if (fd >= 0)
		close(fd);
	retry_soon(u);
}

static void uesp_free(struct dataplane *dp)
{
	struct uesp *u = dp->uesp;

	loop_io_stop(&u->io);
	loop_timer_stop(&u->retry);
	if (u->fd >= 0)
		close(u->fd);
	esp_queue_clear(&u->out);
	forget_requests(u);
	if (u->counters)
		munmap((void *)(uintptr_t)u->counters, ESP_COUNTERS_SIZE);
	free(u);
	dp->uesp = NULL;
}

/* --- the carrier's calls ----------------------------------------------------- */

static bool uesp_ready(const struct dataplane *dp)
{
	return dp->uesp->state == READY;
}

static int uesp_socket_set(struct dataplane *dp, struct dp_sock *s)
{
	send_socket(dp->uesp, s);
	return 0;
}

static void uesp_socket_remove(struct dataplane *dp, struct dp_sock *s)
{
	struct esp_msg_socket msg = {.id = s->id};

	request(dp->uesp, &msg, ESP_SOCKET_DEL, sizeof(msg), -1, 0, 0, 0);
}

/* Is the descriptor we have (store, dump) really that interface? */
static bool tun_is(int fd, const char *name)
{
	struct ifreq ifr = {0};

	return fd >= 0 && ioctl(fd, TUNGETIFF, &ifr) == 0 &&
	       !strncmp(ifr.ifr_name, name, IFNAMSIZ);
}

static int attach_tun(struct dataplane *dp, struct dp_tun *t)
{
	struct dp_link l;
	int fd;

	if (tun_is(t->fd, t->cfg.ifname))
		return 0;
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	if (dp_link_get(dp->route, t->cfg.ifname, 0, &l) == 0 &&
	    strcmp(l.kind, "tun") != 0)
		return -EEXIST;
	fd = dp_tun_open(t->cfg.ifname);
	if (fd == -EBUSY && dp->uesp->state != READY)
		return 0; /* edge-esp holds it, and gives it with its dump */
	if (fd < 0)
		return fd == -EBUSY ? -EEXIST : fd;
	t->fd = fd;
	return 0;
}

static int uesp_tunnel_set(struct dataplane *dp, struct dp_tun *t)
{
	struct dp_link l;
	int err;

	if (t->cfg.kind != DP_IF_AUTO && t->cfg.kind != DP_IF_TUN)
		return -EOPNOTSUPP;
	err = attach_tun(dp, t);
	if (!err)
		err = dp_link_get(dp->route, t->cfg.ifname, 0, &l);
	if (!err)
		err = dp_link_setup(dp->route, l.ifindex, t->cfg.name, t->cfg.mtu,
				    GSO_MAX);
	if (err < 0)
		return err;
	t->kind = DP_IF_TUN;
	t->ifindex = l.ifindex;
	send_tunnel(dp->uesp, t);
	return 0;
}

static void uesp_tunnel_remove(struct dataplane *dp, struct dp_tun *t)
{
	struct esp_msg_tunnel msg = {.slot = t->slot};
	struct ifreq ifr = {0};

	request(dp->uesp, &msg, ESP_TUNNEL_DEL, sizeof(msg), -1, t->slot, 0, 0);
	if (t->cfg.ifname[0])
		(void)dp_tun_delete(dp->route, t->fd, t->cfg.ifname);
	else if (t->fd >= 0 && ioctl(t->fd, TUNGETIFF, &ifr) == 0)
		(void)dp_tun_delete(dp->route, t->fd, ifr.ifr_name);
}

static int uesp_sa_install(struct dataplane *dp, struct dp_tun *t,
			   const struct dp_sa *sa)
{
	struct dp_sa_info info = {
		.slot = sa->slot,
		.spi = sa->spi,
		.dir = sa->dir,
		.cipher = sa->cipher,
		.local = sa->local,
		.remote = sa->remote,
	};

	(void)t;
	if (!sa->encap)
		return -EOPNOTSUPP;
	send_sa(dp->uesp, ESP_SA_ADD, &info, sa->socket, sa->key);
	return 0;
}

static int uesp_sa_update(struct dataplane *dp, struct dp_tun *t,
			  const struct dp_rec *rec, const struct dp_sa_info *old,
			  uint32_t socket)
{
	(void)t;
	(void)old;
	send_sa(dp->uesp, ESP_SA_UPDATE, &rec->info, socket, NULL);
	return 0;
}

static int uesp_sa_remove(struct dataplane *dp, struct dp_tun *t,
			  const struct dp_rec *rec)
{
	(void)t;
	send_sa(dp->uesp, ESP_SA_DEL, &rec->info, 0, NULL);
	return 0;
}

static int uesp_counters(struct dataplane *dp, struct dp_tun *t,
			 struct dp_counters *ret)
{
	const struct esp_counters *c;

	if (!dp->uesp->counters) {
		*ret = (struct dp_counters){0};
		return 0;
	}
	c = &dp->uesp->counters[t->slot];
	*ret = (struct dp_counters){
		.rx_packets = c->rx_packets,
		.rx_bytes = c->rx_bytes,
		.tx_packets = c->tx_packets,
		.tx_bytes = c->tx_bytes,
		.rx_replay = c->rx_replay,
		.rx_auth = c->rx_auth,
		.rx_bad = c->rx_bad,
		.tx_dropped = c->tx_dropped,
	};
	return 0;
}

static void uesp_sweep(struct dataplane *dp)
{
	struct uesp *u = dp->uesp;

	for (unsigned int i = 0; i < u->n_old_socks; i++) {
		struct esp_msg_socket msg = {.id = u->old_socks[i]};
		const struct dp_sock *s;

		HASH_FIND(hh, dp->socks, &msg.id, sizeof(msg.id), s);
		if (!s)
			request(u, &msg, ESP_SOCKET_DEL, sizeof(msg), -1, 0, 0, 0);
	}
	u->n_old_socks = 0;
}

static const struct dp_carrier_ops ops = {
	.free = uesp_free,
	.ready = uesp_ready,
	.socket_set = uesp_socket_set,
	.socket_remove = uesp_socket_remove,
	.tunnel_set = uesp_tunnel_set,
	.tunnel_remove = uesp_tunnel_remove,
	.sa_install = uesp_sa_install,
	.sa_update = uesp_sa_update,
	.sa_remove = uesp_sa_remove,
	.counters = uesp_counters,
	.sweep = uesp_sweep,
};

int dp_uesp_new(struct dataplane *dp, const char *run_dir)
{
	struct uesp *u = ed_alloc(sizeof(*u));
	int n;

	u->dp = dp;
	u->state = AWAY;
	u->fd = -1;
	u->warn = ratelimit_init(5, MONO_US_PER_S);
	u->addr.sun_family = AF_UNIX;
	n = snprintf(u->addr.sun_path, sizeof(u->addr.sun_path), "%s/esp.sock",
		     run_dir);
	if (n < 0 || (size_t)n >= sizeof(u->addr.sun_path)) {
		free(u);
		return -ENAMETOOLONG;
	}
	dp->uesp = u;
	dp->ops = &ops;
	/* From the loop: the owner is not ready for callbacks yet. */
	loop_timer_at(dp->loop, &u->retry, mono_now(), on_retry, u);
	return 0;
}
