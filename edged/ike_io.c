/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/ike_io.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edged/dataplane/dataplane.h"
#include "edged/edged.h"
#include "edged/fdstore.h"
#include "edged/ike_host.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "routing/owned.h"

enum ike_io_port { IO_500, IO_4500, IO_PORTS };

static const uint16_t port_numbers[IO_PORTS] = {IKE_PORT, IKE_NATT_PORT};

struct ike_io {
	struct uplink *u;
	enum edged_family f;
	struct addr local;
	int ifindex;
	int fd[IO_PORTS];
	struct loop_io io; /* of port 500 */
	struct ratelimit complain;
};

uint32_t ike_io_socket(const struct uplink *u, enum edged_family f)
{
	return u->slot * ED_FAMILIES + (uint32_t)f;
}

static void store_name(const struct ike_io *io, enum ike_io_port p, char *buf,
		       size_t cap)
{
	snprintf(buf, cap, "ike-%u-v%d-%u", io->u->slot, io->f == ED_V6 ? 6 : 4,
		 port_numbers[p]);
}

/* ---- opening -------------------------------------------------------------- */

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

/* All that a socket needs and that may be set again on one from the store. */
static int configure(const struct ike_io *io, enum ike_io_port p, int fd)
{
	int err;

	err = set_int(fd, SOL_SOCKET, SO_MARK, (int)rt_uplink_mark(io->u->slot));
	if (err < 0)
		return err;
	if (io->f == ED_V6)
		err = set_int(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
	else
		err = set_int(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
	if (err < 0 || p != IO_4500)
		return err;
	/* Larger buffers are wanted, smaller ones work. */
	(void)set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, IKE_IO_BUFFER_BYTES);
	(void)set_int(fd, SOL_SOCKET, SO_SNDBUFFORCE, IKE_IO_BUFFER_BYTES);
	return 0;
}

static int bind_new(const struct ike_io *io, enum ike_io_port p, int *ret_fd)
{
	struct endpoint at = {.addr = io->local, .port = port_numbers[p]};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&at, &ss);
	const char *device = io->u->ifname;
	int err;
	int fd;

	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
		       (socklen_t)strlen(device)) < 0) {
		err = -errno;
		goto fail;
	}
	if (io->f == ED_V6) {
		err = set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		if (err < 0)
			goto fail;
	}
	err = configure(io, p, fd);
	if (err < 0)
		goto fail;
	if (bind(fd, (const struct sockaddr *)&ss, len) < 0) {
		err = -errno;
		goto fail;
	}
	*ret_fd = fd;
	return 0;

fail:
	close(fd);
	return err;
}

/* Is this the socket that bind_new() would make? */
static bool fits(const struct ike_io *io, enum ike_io_port p, int fd)
{
	struct endpoint want = {.addr = io->local, .port = port_numbers[p]};
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof(ss);
	char device[IFNAMSIZ] = "";
	socklen_t dlen = sizeof(device);
	struct endpoint have;
	int type = 0;
	socklen_t tlen = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &tlen) < 0 || type != SOCK_DGRAM)
		return false;
	if (getsockname(fd, (struct sockaddr *)&ss, &len) < 0 ||
	    endpoint_from_sockaddr(&ss, &have) < 0 || !endpoint_equal(&have, &want))
		return false;
	/* A device that was made anew has another index: the name is not found. */
	return getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device, &dlen) == 0 &&
	       strcmp(device, io->u->ifname) == 0;
}

static int from_store(const struct ike_io *io, enum ike_io_port p, int *ret_fd)
{
	struct fdstore *fs = io->u->ed->fdstore;
	char name[64];
	int fd;

	store_name(io, p, name, sizeof(name));
	fd = fdstore_take(fs, name);
	if (fd < 0)
		return fd;
	if (!fits(io, p, fd) || configure(io, p, fd) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
		fdstore_remove(fs, name);
		close(fd);
		return -ESTALE;
	}
	*ret_fd = fd;
	return 0;
}

static int open_port(struct ike_io *io, enum ike_io_port p)
{
	char name[64];
	int err;

	if (from_store(io, p, &io->fd[p]) == 0)
		return 0;
	err = bind_new(io, p, &io->fd[p]);
	if (err < 0)
		return err;
	store_name(io, p, name, sizeof(name));
	(void)fdstore_put(io->u->ed->fdstore, name, io->fd[p]);
	return 0;
}

/* ---- receiving ------------------------------------------------------------ */

static void on_readable(void *ctx, int fd, unsigned int events)
{
	static uint8_t bytes[IKE_IO_DATAGRAM_MAX];
	struct ike_io *io = ctx;
	struct edged *ed = io->u->ed;
	struct ike_addrs at = {
		.uplink = io->u->slot,
		.local = {.addr = io->local, .port = IKE_PORT},
	};

	(void)events;
	for (int i = 0; i < IKE_IO_BURST; i++) {
		struct sockaddr_storage ss = {0};
		socklen_t len = sizeof(ss);
		ssize_t n = recvfrom(fd, bytes, sizeof(bytes), 0,
				     (struct sockaddr *)&ss, &len);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			ed_warn_limited(&io->complain, loop_now(ed->loop), io->u->name,
					"receive on port %u: %s", IKE_PORT,
					strerror(errno));
		if (n < 0)
			break;
		if (endpoint_from_sockaddr(&ss, &at.remote) < 0)
			continue;
		ike_host_input(ed, &at, bytes, (size_t)n);
		/* The engine may have closed us: an uplink never goes there. */
	}
	ike_host_pump(ed);
}

static struct uplink *uplink_of_socket(struct edged *ed, uint32_t socket)
{
	for (struct uplink *u = ed->uplinks; u; u = u->hh.next)
		if (u->slot == socket / ED_FAMILIES)
			return u;
	return NULL;
}

void ike_io_from_dataplane(struct edged *ed, uint32_t socket,
			   const struct endpoint *local, const struct endpoint *remote,
			   const uint8_t *bytes, size_t len)
{
	const struct uplink *u = uplink_of_socket(ed, socket);
	struct ike_addrs at = {.local = *local, .remote = *remote, .natt = true};

	if (!u)
		return;
	at.uplink = u->slot;
	ike_host_input(ed, &at, bytes, len);
	ike_host_pump(ed);
}

/* ---- following the uplink -------------------------------------------------- */

static int open_pair(struct ike_io *io)
{
	struct edged *ed = io->u->ed;
	struct endpoint natt = {.addr = io->local, .port = IKE_NATT_PORT};
	int err;

	err = open_port(io, IO_500);
	if (!err)
		err = open_port(io, IO_4500);
	if (!err)
		err = dp_socket_set(ed->dataplane, ike_io_socket(io->u, io->f),
				    io->fd[IO_4500], &natt);
	if (err < 0)
		return err;
	loop_io_start(ed->loop, &io->io, io->fd[IO_500], LOOP_READ, on_readable, io);
	return 0;
}

void ike_io_leave(struct ike_io *io)
{
	if (!io)
		return;
	loop_io_stop(&io->io);
	for (int p = 0; p < IO_PORTS; p++)
		if (io->fd[p] >= 0)
			close(io->fd[p]);
	if (io->u->io[io->f] == io)
		io->u->io[io->f] = NULL;
	free(io);
}

void ike_io_close(struct ike_io *io)
{
	char name[64];

	if (!io)
		return;
	(void)dp_socket_remove(io->u->ed->dataplane, ike_io_socket(io->u, io->f));
	for (int p = 0; p < IO_PORTS; p++) {
		if (io->fd[p] < 0)
			continue;
		store_name(io, (enum ike_io_port)p, name, sizeof(name));
		fdstore_remove(io->u->ed->fdstore, name);
	}
	ike_io_leave(io);
}

static void on_retry(void *ctx, struct mono now)
{
	struct uplink *u = ctx;

	(void)now;
	for (int f = 0; f < ED_FAMILIES; f++)
		ike_io_follow(u, (enum edged_family)f);
}

void ike_io_follow(struct uplink *u, enum edged_family f)
{
	const struct addr *local = &u->fam[f].local;
	struct ike_io *io = u->io[f];
	char text[ADDR_STRLEN];
	int err;

	if (io && addr_equal(&io->local, local) && io->ifindex == u->ifindex)
		return;
	ike_io_close(io);
	if (!local->family || !u->ifindex)
		return;
	io = ed_alloc(sizeof(*io));
	io->u = u;
	io->f = f;
	io->local = *local;
	io->ifindex = u->ifindex;
	io->fd[IO_500] = io->fd[IO_4500] = -1;
	io->complain = ratelimit_init(3, 10 * MONO_US_PER_S);
	u->io[f] = io;
	err = open_pair(io);
	if (err == 0) {
		u->io_tries = 0;
		return;
	}
	/* Somebody has the ports still: an uplink of another name, edge-esp for it. */
	loop_timer_at(u->ed->loop, &u->io_retry,
		      mono_add_ms(loop_now(u->ed->loop), IKE_IO_RETRY_MS), on_retry, u);
	if (u->io_tries++ % IKE_IO_TRIES_SAID == 0)
		ed_error(u->name, "no UDP sockets 500 and 4500 on %s (%s): %s",
			 addr_format(local, text), u->ifname, strerror(-err));
	ike_io_close(io);
}

/* ---- sending --------------------------------------------------------------- */

static int send_by(struct edged *ed, const struct ike_addrs *at, struct iovec *iov,
		   size_t count)
{
	struct uplink *u = edged_uplink_by_slot(ed, at->uplink);
	struct ike_io *io = u ? u->io[edged_family(at->remote.addr.family)] : NULL;
	struct sockaddr_storage ss;
	struct msghdr msg = {.msg_name = &ss, .msg_iov = iov, .msg_iovlen = count};
	ssize_t n;

	/* An SA of an address that has gone must not speak from another one. */
	if (!io || (at->local.addr.family && !addr_equal(&io->local, &at->local.addr)))
		return -ENOTCONN;
	msg.msg_namelen = endpoint_to_sockaddr(&at->remote, &ss);
	do {
		n = sendmsg(io->fd[at->natt ? IO_4500 : IO_500], &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

int ike_io_send(struct edged *ed, const struct ike_addrs *at, const void *bytes,
		size_t len)
{
	static uint8_t marker[4]; /* RFC 3948 section 2.2: no ESP SPI is zero */
	union {
		const void *in;
		void *out;
	} base = {.in = bytes};
	struct iovec iov[2] = {
		{.iov_base = marker, .iov_len = sizeof(marker)},
		{.iov_base = base.out, .iov_len = len},
	};

	return at->natt ? send_by(ed, at, iov, 2) : send_by(ed, at, iov + 1, 1);
}

int ike_io_keepalive(struct edged *ed, const struct ike_addrs *at)
{
	uint8_t byte = 0xff; /* RFC 3948 section 2.3 */
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};

	return send_by(ed, at, &iov, 1);
}
