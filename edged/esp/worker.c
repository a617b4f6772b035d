/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/esp/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>
#include <utlist.h>

#include "edged/esp/checksum.h"
#include "edged/esp/merge.h"
#include "edged/esp/packet.h"
#include "edged/esp/segment.h"
#include "lib/alloc.h"
#include "lib/log.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#define UDP_GRO 104
#endif
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum {
	VNET_LEN = sizeof(struct virtio_net_hdr),
	TUN_READ_MAX = 65536, /* one super-packet */
	TUN_BURST = 64, /* reads of one TUN in a row */
	TRAINS = 64, /* of one send call */
	TRAIN_SEGMENTS = 64, /* UDP_MAX_SEGMENTS of kernels before 6.9 */
	TX_FLUSH = 64 << 10, /* bytes after which a send is due */
	TX_AREA = TX_FLUSH + (72 << 10),
	RX_AREAS = 4,
	RX_SIZE = 65536,
	RX_BURST = 8, /* recvmmsg() calls of one socket in a row */
	MARKER_LEN = 4,
	OUTSIDE_MAX = 128, /* room for control messages */
};

/* Equal-sized packets, the last may be shorter, of one SA and TOS byte. */
struct train {
	size_t at;
	size_t len;
	size_t piece;
	unsigned int count;
	size_t inner; /* bytes of the inner packets */
	uint8_t tos;
	bool closed;
};

struct control {
	_Alignas(struct cmsghdr) char buf[OUTSIDE_MAX];
};

struct esp_worker {
	struct loop *loop;
	struct esp_table *table;
	const struct esp_worker_host *host;
	void *ctx;
	struct esp_merge *merge;
	struct ratelimit warn;
	struct esp_tunnel *paused; /* list: their socket is full */

	/* outbound: all trains of one flush belong to one SA */
	uint8_t *tun_area;
	uint8_t *tx_area;
	size_t tx_fill;
	unsigned int n_trains;
	struct train trains[TRAINS];
	struct mmsghdr tx_msgs[TRAINS];
	struct iovec tx_iovs[TRAINS];
	struct control tx_control[TRAINS];

	/* inbound */
	uint8_t *rx_area;
	struct mmsghdr rx_msgs[RX_AREAS];
	struct iovec rx_iovs[RX_AREAS];
	struct sockaddr_storage rx_from[RX_AREAS];
	struct control rx_control[RX_AREAS];
};

static void write_tun(void *port, const struct iovec *iov, int n)
{
	struct esp_tunnel *t = port;

	/* EAGAIN: the interface's queue is full; EIO: it is down. Both are drops. */
	if (writev(t->fd, iov, n) < 0)
		t->count->rx_bad++;
}

struct esp_worker *esp_worker_new(struct loop *loop, struct esp_table *table,
				  const struct esp_worker_host *host, void *ctx)
{
	struct esp_worker *w = ed_alloc(sizeof(*w));

	w->loop = loop;
	w->table = table;
	w->host = host;
	w->ctx = ctx;
	w->merge = esp_merge_new(write_tun);
	w->warn = ratelimit_init(10, MONO_US_PER_S);
	w->tun_area = ed_alloc(VNET_LEN + TUN_READ_MAX);
	w->tx_area = ed_alloc(TX_AREA);
	w->rx_area = ed_array(RX_AREAS, RX_SIZE);
	return w;
}

void esp_worker_free(struct esp_worker *w)
{
	if (!w)
		return;
	esp_merge_free(w->merge);
	free(w->tun_area);
	free(w->tx_area);
	free(w->rx_area);
	free(w);
}

/* --- outbound ------------------------------------------------------------ */

static void put_cmsg(struct msghdr *mh, struct control *c, int level, int type,
		     const void *data, size_t len)
{
	struct cmsghdr *cm = (void *)(c->buf + mh->msg_controllen);

	memset(cm, 0, CMSG_SPACE(len));
	cm->cmsg_level = level;
	cm->cmsg_type = type;
	cm->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cm), data, len);
	mh->msg_control = c->buf;
	mh->msg_controllen += CMSG_SPACE(len);
}

static void fill_message(struct esp_worker *w, unsigned int i, struct esp_sa *sa)
{
	const struct train *tr = &w->trains[i];
	struct msghdr *mh = &w->tx_msgs[i].msg_hdr;
	uint16_t piece = (uint16_t)tr->piece;
	int tos = tr->tos;

	w->tx_iovs[i] = (struct iovec){w->tx_area + tr->at, tr->len};
	*mh = (struct msghdr){
		.msg_name = &sa->to,
		.msg_namelen = sa->to_len,
		.msg_iov = &w->tx_iovs[i],
		.msg_iovlen = 1,
	};
	if (sa->to.ss_family == AF_INET)
		put_cmsg(mh, &w->tx_control[i], IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	else
		put_cmsg(mh, &w->tx_control[i], IPPROTO_IPV6, IPV6_TCLASS, &tos,
			 sizeof(tos));
	if (tr->count > 1)
		put_cmsg(mh, &w->tx_control[i], IPPROTO_UDP, UDP_SEGMENT, &piece,
			 sizeof(piece));
}

static void on_socket(void *ctx, int fd, unsigned int events);

/* The socket is full: its tunnels wait until it can take more. */
static void block(struct esp_worker *w, struct esp_socket *s, struct esp_tunnel *t)
{
	if (!t->paused) {
		t->paused = true;
		LL_PREPEND2(w->paused, t, next_paused);
		loop_io_stop(&t->io);
	}
	if (s->blocked)
		return;
	s->blocked = true;
	loop_io_start(w->loop, &s->io, s->fd, LOOP_READ | LOOP_WRITE, on_socket, s);
}

/* A train whose device cannot segment: its packets one by one. */
static bool send_singly(struct esp_worker *w, struct esp_socket *s, unsigned int i)
{
	const struct train *tr = &w->trains[i];
	struct msghdr mh = w->tx_msgs[i].msg_hdr;

	mh.msg_controllen = CMSG_SPACE(sizeof(int)); /* the TOS byte only */
	for (size_t at = 0; at < tr->len; at += tr->piece) {
		size_t n = tr->len - at < tr->piece ? tr->len - at : tr->piece;
		struct iovec iov = {w->tx_area + tr->at + at, n};

		mh.msg_iov = &iov;
		if (sendmsg(s->fd, &mh, MSG_DONTWAIT) < 0)
			return false;
	}
	return true;
}

static void count_sent(struct esp_tunnel *t, const struct train *tr)
{
	t->count->tx_packets += tr->count;
	t->count->tx_bytes += tr->inner;
}

static void flush(struct esp_worker *w, struct esp_tunnel *t, struct esp_sa *sa)
{
	struct esp_socket *s = esp_table_socket(w->table, sa->socket);
	unsigned int i = 0;

	for (unsigned int k = 0; k < w->n_trains; k++)
		fill_message(w, k, sa);
	/* Ends: each round sends or gives up at least one train. */
	while (s && i < w->n_trains) {
		int sent;

		if (s->no_gso && w->trains[i].count > 1) {
			if (send_singly(w, s, i))
				count_sent(t, &w->trains[i]);
			else
				t->count->tx_dropped += w->trains[i].count;
			i++;
			continue;
		}
		sent = sendmmsg(s->fd, w->tx_msgs + i, s->no_gso ? 1 : w->n_trains - i,
				MSG_DONTWAIT);
		for (int k = 0; k < sent; k++)
			count_sent(t, &w->trains[i++]);
		if (sent > 0)
			continue;
		if (errno == EINTR)
			continue;
		if (errno == EAGAIN) {
			block(w, s, t);
			break;
		}
		if ((errno == EIO || errno == EINVAL) && w->trains[i].count > 1) {
			s->no_gso = true;
			continue;
		}
		ed_warn_limited(&w->warn, mono_now(), NULL,
				"socket %u: send of %zu bytes: %s", s->id,
				w->trains[i].piece, strerror(errno));
		t->count->tx_dropped += w->trains[i++].count;
	}
	for (; i < w->n_trains; i++)
		t->count->tx_dropped += w->trains[i].count;
	w->n_trains = 0;
	w->tx_fill = 0;
}

/* Put the sealed packet of len bytes at the end of the send area on a train. */
static void board(struct esp_worker *w, size_t len, size_t inner, uint8_t tos)
{
	struct train *tr = w->n_trains ? &w->trains[w->n_trains - 1] : NULL;

	if (tr && !tr->closed && tr->tos == tos && len <= tr->piece &&
	    tr->count < TRAIN_SEGMENTS && tr->len + len <= ESP_UDP_MAX) {
		tr->closed = len < tr->piece;
	} else {
		tr = &w->trains[w->n_trains++];
		*tr = (struct train){.at = w->tx_fill, .piece = len, .tos = tos};
	}
	tr->len += len;
	tr->inner += inner;
	tr->count++;
	w->tx_fill += len;
}

/* The next sequence number, 0 when there is none left (RFC 4303 section 3.3.3). */
static uint32_t next_seq(struct esp_worker *w, struct esp_sa *sa)
{
	if (sa->seq == UINT32_MAX) {
		if (!sa->hard_told)
			w->host->expire(w->ctx, sa, true);
		sa->hard_told = true;
		return 0;
	}
	sa->seq++;
	if (sa->seq >= sa->soft_limit && !sa->soft_told) {
		sa->soft_told = true;
		w->host->expire(w->ctx, sa, false);
	}
	return sa->seq;
}

static void send_super(struct esp_worker *w, struct esp_tunnel *t, struct esp_sa *sa,
		       struct esp_super *super)
{
	uint8_t next = super->in.v6 ? ESP_NH_IPV6 : ESP_NH_IPV4;
	size_t room = esp_packet_size(esp_super_piece_max(super));

	/* Ends: esp_super_next() moves on until the packet is used up. */
	for (;;) {
		uint8_t *p;
		size_t n;
		uint32_t seq;

		if (w->tx_fill + room > TX_AREA || w->n_trains == TRAINS)
			flush(w, t, sa);
		p = w->tx_area + w->tx_fill;
		n = esp_super_next(super, p + ESP_HEAD_LEN);
		if (!n)
			return;
		seq = next_seq(w, sa);
		if (!seq || !esp_packet_seal(sa->aead, sa->spi, seq, p, n, next)) {
			t->count->tx_dropped++;
			continue;
		}
		board(w, esp_packet_size(n), n, super->in.tos);
	}
}

static void on_tun(void *ctx, int fd, unsigned int events)
{
	struct esp_tunnel *t = ctx;
	struct esp_worker *w = t->worker;
	struct esp_sa *sa = t->out;

	(void)events;
	for (int i = 0; i < TUN_BURST && !t->paused; i++) {
		ssize_t got = read(fd, w->tun_area, VNET_LEN + TUN_READ_MAX);
		struct virtio_net_hdr vh;
		struct esp_super super;

		if (got < 0 && errno != EAGAIN && errno != EINTR) {
			/* The interface is gone; edged brings a new one. */
			ed_warn(NULL, "tunnel %u: read: %s", t->slot, strerror(errno));
			loop_io_stop(&t->io);
		}
		if (got <= VNET_LEN)
			break;
		memcpy(&vh, w->tun_area, VNET_LEN);
		if (!sa || esp_super_init(&super, &vh, w->tun_area + VNET_LEN,
					  (size_t)got - VNET_LEN) < 0) {
			t->count->tx_dropped++;
			continue;
		}
		send_super(w, t, sa, &super);
		if (w->tx_fill >= TX_FLUSH)
			flush(w, t, sa);
	}
	if (w->n_trains)
		flush(w, t, sa);
}

/* --- inbound ------------------------------------------------------------- */

/* What came with a datagram: its segment size, TOS byte and sender. */
struct outside {
	size_t piece;
	uint8_t tos;
	struct endpoint remote;
};

static int read_outside(struct mmsghdr *mm, const struct sockaddr_storage *from,
			struct outside *o)
{
	struct msghdr *mh = &mm->msg_hdr;
	int v;

	*o = (struct outside){.piece = mm->msg_len};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&v, CMSG_DATA(c), sizeof(v));
			if (v > 0)
				o->piece = (size_t)v;
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
			o->tos = *CMSG_DATA(c);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			   c->cmsg_type == IPV6_TCLASS) {
			memcpy(&v, CMSG_DATA(c), sizeof(v));
			o->tos = (uint8_t)v;
		}
	}
	return endpoint_from_sockaddr(from, &o->remote);
}

/* Authenticated and the newest so far: is the peer still where we think? */
static void check_source(struct esp_worker *w, struct esp_sa *sa,
			 const struct endpoint *from)
{
	if (endpoint_equal(from, &sa->reported))
		return;
	if (endpoint_equal(from, &sa->remote) || w->host->mapping(w->ctx, sa, from))
		sa->reported = *from;
}

static void take_esp(struct esp_worker *w, uint8_t *p, size_t len,
		     const struct outside *o)
{
	struct esp_inner in;
	struct esp_counters *n;
	struct esp_sa *sa;
	uint32_t spi;
	uint32_t seq;
	bool newest;
	int err;

	if (esp_packet_peek(p, len, &spi, &seq) < 0)
		return;
	sa = esp_table_inbound(w->table, spi);
	if (!sa)
		return;
	n = sa->tunnel->count;
	if (!esp_replay_fresh(&sa->replay, seq)) {
		n->rx_replay++;
		return;
	}
	err = esp_packet_open(sa->aead, p, len, &in);
	if (err == -EKEYREJECTED) {
		n->rx_auth++;
		return;
	}
	newest = seq > sa->replay.top;
	esp_replay_commit(&sa->replay, seq);
	if (newest) {
		check_source(w, sa, &o->remote);
		if (seq >= sa->soft_limit && !sa->soft_told) {
			sa->soft_told = true;
			w->host->expire(w->ctx, sa, false);
		}
	}
	n->rx_packets++;
	if (err == -ENODATA)
		return;
	if (err < 0 || !esp_ecn_decap(&in, o->tos)) {
		n->rx_bad++;
		return;
	}
	n->rx_bytes += in.len;
	esp_merge_add(w->merge, sa->tunnel, &in, sa->tunnel->udp_super);
}

static void take_datagram(struct esp_worker *w, struct esp_socket *s, uint8_t *p,
			  size_t len, const struct outside *o)
{
	for (size_t at = 0; at < len; at += o->piece) {
		size_t n = len - at < o->piece ? len - at : o->piece;

		switch (esp_packet_kind(p + at, n)) {
		case ESP_KIND_ESP:
			take_esp(w, p + at, n, o);
			break;
		case ESP_KIND_IKE:
			w->host->ike(w->ctx, s->id, &o->remote, p + at + MARKER_LEN,
				     n - MARKER_LEN);
			break;
		case ESP_KIND_KEEPALIVE:
		case ESP_KIND_JUNK:
			break;
		}
	}
}

static int receive(struct esp_worker *w, struct esp_socket *s)
{
	int got;

	for (unsigned int i = 0; i < RX_AREAS; i++) {
		w->rx_iovs[i] =
			(struct iovec){w->rx_area + (size_t)i * RX_SIZE, RX_SIZE};
		w->rx_msgs[i].msg_hdr = (struct msghdr){
			.msg_name = &w->rx_from[i],
			.msg_namelen = sizeof(w->rx_from[i]),
			.msg_iov = &w->rx_iovs[i],
			.msg_iovlen = 1,
			.msg_control = w->rx_control[i].buf,
			.msg_controllen = sizeof(w->rx_control[i].buf),
		};
	}
	got = recvmmsg(s->fd, w->rx_msgs, RX_AREAS, MSG_DONTWAIT, NULL);
	for (int i = 0; i < got; i++) {
		struct outside o;

		if (!w->rx_msgs[i].msg_len ||
		    read_outside(&w->rx_msgs[i], &w->rx_from[i], &o) < 0)
			continue;
		take_datagram(w, s, w->rx_iovs[i].iov_base, w->rx_msgs[i].msg_len, &o);
	}
	esp_merge_flush(w->merge);
	return got;
}

static void unblock(struct esp_worker *w, struct esp_socket *s)
{
	s->blocked = false;
	loop_io_start(w->loop, &s->io, s->fd, LOOP_READ, on_socket, s);
	/* One that sends elsewhere finds out by itself. */
	while (w->paused) {
		struct esp_tunnel *t = w->paused;

		w->paused = t->next_paused;
		t->paused = false;
		loop_io_start(w->loop, &t->io, t->fd, LOOP_READ, on_tun, t);
	}
}

static void on_socket(void *ctx, int fd, unsigned int events)
{
	struct esp_socket *s = ctx;
	struct esp_worker *w = s->worker;

	(void)fd;
	if (events & LOOP_WRITE && s->blocked)
		unblock(w, s);
	if (!(events & LOOP_READ))
		return;
	for (int i = 0; i < RX_BURST; i++)
		if (receive(w, s) < RX_AREAS)
			return;
}

/* --- start and stop ------------------------------------------------------ */

static int check_socket(const struct esp_socket *s)
{
	int type = 0;
	int domain = 0;
	int proto = 0;
	socklen_t len = sizeof(int);

	if (getsockopt(s->fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    getsockopt(s->fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 ||
	    getsockopt(s->fd, SOL_SOCKET, SO_PROTOCOL, &proto, &len) < 0)
		return -EINVAL;
	if (type != SOCK_DGRAM || proto != IPPROTO_UDP ||
	    domain != s->local.addr.family)
		return -EINVAL;
	return 0;
}

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

int esp_worker_socket_start(struct esp_worker *w, struct esp_socket *s)
{
	int err = check_socket(s);

	if (err < 0)
		return err;
	/* PROBE sets DF and ignores what forged ICMP messages say of the path. */
	if (s->local.addr.family == AF_INET) {
		err = set_option(s->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
		if (!err)
			err = set_option(s->fd, IPPROTO_IP, IP_RECVTOS, 1);
	} else {
		err = set_option(s->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
				 IPV6_PMTUDISC_PROBE);
		if (!err)
			err = set_option(s->fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	}
	if (err < 0)
		return err;
	if (set_option(s->fd, IPPROTO_UDP, UDP_GRO, 1) < 0)
		ed_info(NULL, "socket %u: the kernel has no UDP_GRO", s->id);
	if (fcntl(s->fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	s->worker = w;
	s->blocked = false;
	loop_io_start(w->loop, &s->io, s->fd, LOOP_READ, on_socket, s);
	return 0;
}

void esp_worker_socket_stop(struct esp_worker *w, struct esp_socket *s)
{
	if (s->blocked)
		unblock(w, s);
	loop_io_stop(&s->io);
}

int esp_worker_tunnel_start(struct esp_worker *w, struct esp_tunnel *t)
{
	static const unsigned long tso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	struct ifreq ifr = {0};
	int len = VNET_LEN;
	int flags;

	if (ioctl(t->fd, TUNGETIFF, &ifr) < 0)
		return -EINVAL;
	flags = (unsigned short)ifr.ifr_flags;
	if (!(flags & IFF_TUN) || !(flags & IFF_NO_PI) || !(flags & IFF_VNET_HDR))
		return -EINVAL;
	if (ioctl(t->fd, TUNSETVNETHDRSZ, &len) < 0)
		return -errno;
	t->udp_super = !ioctl(t->fd, TUNSETOFFLOAD, tso | TUN_F_USO4 | TUN_F_USO6);
	if (!t->udp_super && ioctl(t->fd, TUNSETOFFLOAD, tso) < 0)
		ed_info(NULL, "tunnel %u: TUN without offloads: %s", t->slot,
			strerror(errno));
	if (fcntl(t->fd, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	t->worker = w;
	t->paused = false;
	loop_io_start(w->loop, &t->io, t->fd, LOOP_READ, on_tun, t);
	return 0;
}

void esp_worker_tunnel_stop(struct esp_worker *w, struct esp_tunnel *t)
{
	if (t->paused)
		LL_DELETE2(w->paused, t, next_paused);
	t->paused = false;
	loop_io_stop(&t->io);
}
