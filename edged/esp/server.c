/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/esp/server.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edged/esp/pipe.h"
#include "edged/esp/proto.h"
#include "edged/esp/sa.h"
#include "edged/esp/worker.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/rng.h"
#include "lib/secret.h"

enum {
	BURST = 64, /* requests, or packets sent, in a row */
	EVENTS_MAX = 512, /* waiting for edged */
	EVENTS_BYTES_MAX = 1 << 20,
	REPLIES_MAX = 256, /* then requests are not read until some left */
};

struct esp_server {
	struct loop *loop;
	uid_t uid;
	int listen_fd;
	int fd; /* of edged, -1 for none */
	int counters_fd;
	uint64_t instance;
	struct loop_io listen_io;
	struct loop_io io;
	unsigned int watching; /* LOOP_READ, LOOP_WRITE */
	struct esp_table table;
	struct esp_worker *worker;
	struct esp_queue replies; /* to this edged, gone with it */
	struct esp_queue events; /* to whichever edged */
	uint64_t events_dropped;

	/* A dump in progress: what comes next. */
	bool dumping;
	uint32_t dump_slot;
	struct ratelimit warn;
	union {
		struct esp_hdr hdr;
		struct esp_msg_socket socket;
		struct esp_msg_tunnel tunnel;
		struct esp_msg_sa sa;
		uint8_t bytes[sizeof(struct esp_msg_sa)];
	} in;
};

static void on_client(void *ctx, int fd, unsigned int events);

/* --- queues -------------------------------------------------------------- */

static struct esp_hdr make_hdr(enum esp_type type, size_t len, uint32_t seq)
{
	return (struct esp_hdr){
		.len = (uint32_t)len,
		.type = (uint16_t)type,
		.version = ESP_PROTO_VERSION,
		.seq = seq,
	};
}

static void drop_client(struct esp_server *s, const char *why)
{
	if (s->fd < 0)
		return;
	ed_info(NULL, "edged is gone: %s; SAs, tunnels and sockets stay", why);
	loop_io_stop(&s->io);
	close(s->fd);
	s->fd = -1;
	s->dumping = false;
	esp_queue_clear(&s->replies);
}

static void dump_more(struct esp_server *s);

/* One who does not read answers is not asked for more requests. */
static void watch(struct esp_server *s, bool more)
{
	unsigned int want = more ? LOOP_WRITE : 0;

	if (s->fd < 0)
		return;
	if (s->replies.n < REPLIES_MAX)
		want |= LOOP_READ;
	if (want == s->watching)
		return;
	s->watching = want;
	loop_io_start(s->loop, &s->io, s->fd, want, on_client, s);
}

/* Send what waits, answers first, until the socket is full or all is sent. */
static void pump(struct esp_server *s)
{
	bool more = true;

	for (int i = 0; i < BURST && more && s->fd >= 0; i++) {
		struct esp_queue *q;
		int err;

		if (!s->replies.head && s->dumping)
			dump_more(s);
		q = s->replies.head ? &s->replies : &s->events;
		if (!q->head) {
			more = false;
			break;
		}
		err = esp_queue_send(q, s->fd);
		if (err == -EAGAIN)
			break;
		if (err < 0) {
			drop_client(s, strerror(-err));
			return;
		}
	}
	watch(s, more);
}

static void reply(struct esp_server *s, const void *msg, size_t len, int fd)
{
	esp_queue_push(&s->replies, msg, len, NULL, 0, fd);
}

static void event(struct esp_server *s, const void *a, size_t a_len, const void *b,
		  size_t b_len)
{
	esp_queue_push(&s->events, a, a_len, b, b_len, -1);
	while (s->events.n > EVENTS_MAX || s->events.bytes > EVENTS_BYTES_MAX) {
		esp_queue_pop(&s->events);
		s->events_dropped++;
	}
	if (s->fd >= 0 && !(s->watching & LOOP_WRITE))
		pump(s);
}

/* --- what the worker tells ----------------------------------------------- */

static void on_ike(void *ctx, uint32_t socket, const struct endpoint *remote,
		   const uint8_t *bytes, size_t len)
{
	struct esp_server *s = ctx;
	struct esp_msg_ike msg = {
		.hdr = make_hdr(ESP_IKE, offsetof(struct esp_msg_ike, bytes) + len, 0),
		.socket = socket,
	};

	/* Anybody may send these: what only we can tell must not make way for them. */
	if (s->events.n >= EVENTS_MAX / 2 || s->events.bytes >= EVENTS_BYTES_MAX / 2) {
		s->events_dropped++;
		return;
	}
	esp_endpoint_put(&msg.remote, remote);
	event(s, &msg, offsetof(struct esp_msg_ike, bytes), bytes, len);
}

static void on_expire(void *ctx, const struct esp_sa *sa, bool hard)
{
	struct esp_server *s = ctx;
	struct esp_msg_expire msg = {
		.hdr = make_hdr(ESP_EXPIRE, sizeof(msg), 0),
		.slot = sa->tunnel->slot,
		.spi = sa->spi,
		.dir = (uint8_t)sa->dir,
		.hard = hard,
	};

	event(s, &msg, sizeof(msg), NULL, 0);
}

static bool on_mapping(void *ctx, const struct esp_sa *sa,
		       const struct endpoint *remote)
{
	struct esp_server *s = ctx;
	struct esp_msg_mapping msg = {
		.hdr = make_hdr(ESP_MAPPING, sizeof(msg), 0),
		.slot = sa->tunnel->slot,
		.spi = sa->spi,
	};

	if (s->events.n >= EVENTS_MAX / 2)
		return false;
	esp_endpoint_put(&msg.remote, remote);
	event(s, &msg, sizeof(msg), NULL, 0);
	return true;
}

static const struct esp_worker_host worker_host = {
	.ike = on_ike,
	.expire = on_expire,
	.mapping = on_mapping,
};

/* --- requests ------------------------------------------------------------ */

static int socket_set(struct esp_server *s, int *fd)
{
	struct esp_socket *old = esp_table_socket(&s->table, s->in.socket.id);
	struct esp_socket *sock;
	int err;

	if (*fd < 0)
		return -EBADF;
	if (old) {
		esp_worker_socket_stop(s->worker, old);
		esp_table_socket_del(&s->table, old);
	}
	err = esp_table_socket_add(&s->table, &s->in.socket, *fd, &sock);
	if (err < 0)
		return err;
	*fd = -1;
	err = esp_worker_socket_start(s->worker, sock);
	if (err < 0)
		esp_table_socket_del(&s->table, sock);
	return err;
}

static int socket_del(struct esp_server *s, int *fd)
{
	struct esp_socket *sock = esp_table_socket(&s->table, s->in.socket.id);

	(void)fd;
	if (!sock)
		return -ENOENT;
	esp_worker_socket_stop(s->worker, sock);
	esp_table_socket_del(&s->table, sock);
	return 0;
}

/* A tunnel that is known keeps its SAs and counters and gets the new TUN. */
static int tunnel_set(struct esp_server *s, int *fd)
{
	struct esp_tunnel *t = esp_table_tunnel(&s->table, s->in.tunnel.slot);
	bool known = t != NULL;
	int err;

	if (*fd < 0)
		return -EBADF;
	if (known) {
		esp_worker_tunnel_stop(s->worker, t);
		close(t->fd);
		t->fd = *fd;
	} else {
		err = esp_table_tunnel_add(&s->table, s->in.tunnel.slot, *fd, &t);
		if (err < 0)
			return err;
	}
	*fd = -1;
	err = esp_worker_tunnel_start(s->worker, t);
	if (err < 0 && !known)
		esp_table_tunnel_del(&s->table, t);
	return err;
}

static int tunnel_del(struct esp_server *s, int *fd)
{
	struct esp_tunnel *t = esp_table_tunnel(&s->table, s->in.tunnel.slot);

	(void)fd;
	if (!t)
		return -ENOENT;
	esp_worker_tunnel_stop(s->worker, t);
	esp_table_tunnel_del(&s->table, t);
	return 0;
}

static int sa_add(struct esp_server *s, int *fd)
{
	(void)fd;
	return esp_table_sa_add(&s->table, &s->in.sa);
}

static int sa_update(struct esp_server *s, int *fd)
{
	(void)fd;
	return esp_table_sa_update(&s->table, &s->in.sa);
}

static int sa_del(struct esp_server *s, int *fd)
{
	(void)fd;
	return esp_table_sa_del(&s->table, &s->in.sa);
}

static int dump(struct esp_server *s, int *fd)
{
	(void)fd;
	s->dumping = true;
	s->dump_slot = 0;
	for (struct esp_socket *sock = s->table.sockets; sock; sock = sock->hh.next) {
		struct esp_msg_socket msg = {
			.hdr = make_hdr(ESP_INFO_SOCKET, sizeof(msg), s->in.hdr.seq),
			.id = sock->id,
		};

		esp_endpoint_put(&msg.local, &sock->local);
		reply(s, &msg, sizeof(msg), -1);
	}
	return 0;
}

static void dump_tunnel(struct esp_server *s, const struct esp_tunnel *t)
{
	struct esp_msg_tunnel msg = {
		.hdr = make_hdr(ESP_INFO_TUNNEL, sizeof(msg), 0),
		.slot = t->slot,
	};

	const struct esp_sa *newest_first[ESP_TUNNEL_SAS_MAX];
	unsigned int n = 0;

	reply(s, &msg, sizeof(msg), t->fd);
	for (const struct esp_sa *sa = t->sas; sa; sa = sa->next)
		newest_first[n++] = sa;
	/* Oldest first: the order in which they were installed. */
	while (n) {
		const struct esp_sa *sa = newest_first[--n];
		struct esp_msg_sa info = {
			.hdr = make_hdr(ESP_INFO_SA, sizeof(info), 0),
			.slot = t->slot,
			.spi = sa->spi,
			.socket = sa->socket,
			.dir = (uint8_t)sa->dir,
			.cipher = (uint8_t)sa->cipher,
		};

		esp_endpoint_put(&info.local, &sa->local);
		esp_endpoint_put(&info.remote, &sa->remote);
		reply(s, &info, sizeof(info), -1);
	}
}

/* One more tunnel, or the end: the queue stays short however many there are. */
static void dump_more(struct esp_server *s)
{
	struct esp_msg_plain end = {.hdr = make_hdr(ESP_DUMP_END, sizeof(end), 0)};

	while (s->dump_slot < ESP_SLOTS_MAX) {
		const struct esp_tunnel *t = s->table.tunnels[s->dump_slot++];

		if (!t)
			continue;
		dump_tunnel(s, t);
		return;
	}
	reply(s, &end, sizeof(end), -1);
	s->dumping = false;
}

static int carry_out(struct esp_server *s, int *fd)
{
	/* clang-format off */
	static const struct {
		uint16_t type;
		int (*run)(struct esp_server *s, int *fd);
	} requests[] = {
		{ ESP_SOCKET_SET, socket_set },
		{ ESP_SOCKET_DEL, socket_del },
		{ ESP_TUNNEL_SET, tunnel_set },
		{ ESP_TUNNEL_DEL, tunnel_del },
		{ ESP_SA_ADD,     sa_add },
		{ ESP_SA_UPDATE,  sa_update },
		{ ESP_SA_DEL,     sa_del },
		{ ESP_DUMP,       dump },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		if (requests[i].type == s->in.hdr.type)
			return requests[i].run(s, fd);
	return -EOPNOTSUPP;
}

static void answer(struct esp_server *s, int error)
{
	struct esp_msg_ack ack = {
		.hdr = make_hdr(ESP_ACK, sizeof(ack), s->in.hdr.seq),
		.error = error,
	};

	if (error)
		ed_debug(NULL, "request %u (type %u): %s", s->in.hdr.seq,
			 s->in.hdr.type, strerror(-error));
	reply(s, &ack, sizeof(ack), -1);
}

/* 1: a request was handled; 0: none is there; negative: drop the client. */
static int take_request(struct esp_server *s)
{
	int fd = -1;
	ssize_t got = esp_pipe_recv(s->fd, s->in.bytes, sizeof(s->in.bytes), &fd);
	int err;

	if (got < 0)
		return got == -EAGAIN ? 0 : (int)got;
	if (esp_proto_check(s->in.bytes, (size_t)got, 1) < 0) {
		if (fd >= 0)
			close(fd);
		return -EBADMSG;
	}
	err = carry_out(s, &fd);
	if (fd >= 0)
		close(fd);
	secret_wipe(s->in.bytes + sizeof(s->in.hdr), sizeof(s->in) - sizeof(s->in.hdr));
	answer(s, err);
	return 1;
}

static void on_client(void *ctx, int fd, unsigned int events)
{
	struct esp_server *s = ctx;

	(void)fd;
	if (events & LOOP_READ) {
		for (int i = 0; i < BURST && s->replies.n < REPLIES_MAX; i++) {
			int got = take_request(s);

			if (!got)
				break;
			if (got < 0) {
				drop_client(s, strerror(-got));
				return;
			}
		}
	}
	pump(s);
}

/* --- connections --------------------------------------------------------- */

static bool may_connect(const struct esp_server *s, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	return cred.uid == 0 || cred.uid == getuid() || cred.uid == s->uid;
}

static void on_connect(void *ctx, int listen_fd, unsigned int events)
{
	struct esp_server *s = ctx;
	struct esp_msg_hello hello = {
		.hdr = make_hdr(ESP_HELLO, sizeof(hello), 0),
		.instance = s->instance,
	};
	int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)events;
	if (fd < 0)
		return;
	if (!may_connect(s, fd)) {
		ed_warn_limited(&s->warn, mono_now(), NULL,
				"refused a connection: not edged");
		close(fd);
		return;
	}
	drop_client(s, "another one connected");
	ed_info(NULL, "edged connected, %u waiting events, %llu dropped", s->events.n,
		(unsigned long long)s->events_dropped);
	s->fd = fd;
	s->watching = 0;
	reply(s, &hello, sizeof(hello), s->counters_fd);
	pump(s);
}

/* Shared memory that can neither shrink nor grow under who has mapped it. */
static struct esp_counters *make_counters(int *ret_fd)
{
	int fd = memfd_create("edge-esp counters", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *p;

	if (fd < 0)
		return NULL;
	if (ftruncate(fd, ESP_COUNTERS_SIZE) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		goto fail;
	p = mmap(NULL, ESP_COUNTERS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		goto fail;
	*ret_fd = fd;
	return p;

fail:
	close(fd);
	return NULL;
}

struct esp_server *esp_server_new(struct loop *loop, struct rng *rng, int fd, uid_t uid)
{
	int counters_fd = -1;
	struct esp_counters *counters = make_counters(&counters_fd);
	struct esp_server *s;

	if (!counters)
		return NULL;
	s = ed_alloc(sizeof(*s));
	s->loop = loop;
	s->uid = uid;
	s->listen_fd = fd;
	s->fd = -1;
	s->counters_fd = counters_fd;
	s->instance = rng_u64(rng);
	s->warn = ratelimit_init(5, MONO_US_PER_S);
	esp_table_init(&s->table, counters, rng);
	s->worker = esp_worker_new(loop, &s->table, &worker_host, s);
	loop_io_start(loop, &s->listen_io, fd, LOOP_READ, on_connect, s);
	return s;
}

void esp_server_free(struct esp_server *s)
{
	struct esp_counters *counters;

	if (!s)
		return;
	drop_client(s, "stopping");
	loop_io_stop(&s->listen_io);
	for (struct esp_socket *sock = s->table.sockets; sock; sock = sock->hh.next)
		esp_worker_socket_stop(s->worker, sock);
	for (uint32_t slot = 0; slot < ESP_SLOTS_MAX; slot++)
		if (s->table.tunnels[slot])
			esp_worker_tunnel_stop(s->worker, s->table.tunnels[slot]);
	counters = s->table.counters;
	esp_table_fini(&s->table);
	esp_worker_free(s->worker);
	munmap(counters, ESP_COUNTERS_SIZE);
	close(s->counters_fd);
	close(s->listen_fd);
	esp_queue_clear(&s->events);
	free(s);
}
