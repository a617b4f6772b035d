/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pathmon/sock.h"

#include <errno.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lib/alloc.h"

/* From linux/icmp.h of the raw level; netinet's icmp6.h clashes with linux/. */
enum { ECHO6_REPLY_TYPE = 129 };

struct option {
	int level;
	int name;
};

/* clang-format off */
static const struct option options4[] = {
	{ IPPROTO_IP, IP_PKTINFO },
	{ IPPROTO_IP, IP_RECVTOS },
	{ IPPROTO_IP, IP_RECVTTL },
	{ SOL_SOCKET, SO_TIMESTAMPNS },
};

static const struct option options6[] = {
	{ IPPROTO_IPV6, IPV6_RECVPKTINFO },
	{ IPPROTO_IPV6, IPV6_RECVTCLASS },
	{ IPPROTO_IPV6, IPV6_RECVHOPLIMIT },
	{ SOL_SOCKET, SO_TIMESTAMPNS },
};
/* clang-format on */

static int set_options(int fd, uint8_t family, uint32_t mark)
{
	const struct option *o = family == AF_INET6 ? options6 : options4;
	size_t n = family == AF_INET6 ? ARRAY_LEN(options6) : ARRAY_LEN(options4);
	const int size = PM_SOCK_BUFFER;
	const int on = 1;

	for (size_t i = 0; i < n; i++) {
		if (setsockopt(fd, o[i].level, o[i].name, &on, sizeof(on)) < 0)
			return -errno;
	}
	if (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		return -errno;
	/* Not vital: a small buffer only loses probes under a stall of ours. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return 0;
}

int pm_sock_udp(uint8_t family, uint16_t port, uint32_t mark, int *ret_fd)
{
	struct endpoint any = {.addr = {.family = family}, .port = port};
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to_sockaddr(&any, &ss);
	const int on = 1;
	int err;
	int fd;

	fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0)
		return -errno;
	if (family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0) {
		err = -errno;
		goto fail;
	}
	err = set_options(fd, family, mark);
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

/* Let echo replies through and nothing else: a bit that is set blocks its type. */
static int filter_echo(int fd, uint8_t family)
{
	struct icmp_filter f4 = {.data = ~(1u << ICMP_ECHOREPLY)};
	uint32_t f6[8];

	if (family != AF_INET6)
		return setsockopt(fd, SOL_RAW, ICMP_FILTER, &f4, sizeof(f4));
	memset(f6, 0xff, sizeof(f6));
	f6[ECHO6_REPLY_TYPE / 32] &= ~(1u << (ECHO6_REPLY_TYPE % 32));
	return setsockopt(fd, IPPROTO_ICMPV6, ICMPV6_FILTER, f6, sizeof(f6));
}

int pm_sock_icmp(uint8_t family, uint32_t mark, int *ret_fd)
{
	int proto = family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int err;
	int fd;

	fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, proto);
	if (fd < 0)
		return -errno;
	if (filter_echo(fd, family) < 0) {
		err = -errno;
		goto fail;
	}
	err = set_options(fd, family, mark);
	if (err < 0)
		goto fail;
	*ret_fd = fd;
	return 0;

fail:
	close(fd);
	return err;
}

static void put_cmsg(struct msghdr *m, size_t *used, int level, int type,
		     const void *data, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)(void *)((char *)m->msg_control + *used);

	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	*used += CMSG_SPACE(len);
}

static size_t address_cmsgs(struct msghdr *m, const struct pm_datagram *d)
{
	const int tos = d->tos;
	size_t used = 0;

	if (d->peer.addr.family == AF_INET6) {
		struct in6_pktinfo info = {.ipi6_ifindex = d->ifindex};

		memcpy(&info.ipi6_addr, d->local.b, sizeof(info.ipi6_addr));
		put_cmsg(m, &used, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
		put_cmsg(m, &used, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	} else {
		struct in_pktinfo info = {.ipi_ifindex = (int)d->ifindex};

		memcpy(&info.ipi_spec_dst, d->local.b, sizeof(info.ipi_spec_dst));
		put_cmsg(m, &used, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
		put_cmsg(m, &used, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	}
	return used;
}

int pm_sock_send(int fd, const struct pm_datagram *d, const void *data, size_t len)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
			   CMSG_SPACE(sizeof(int))];
	} control;
	struct sockaddr_storage ss;
	struct iovec iov = {.iov_len = len};
	struct msghdr m = {
		.msg_name = &ss,
		.msg_namelen = endpoint_to_sockaddr(&d->peer, &ss),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
	};

	/* sendmsg() only reads, but its iovec is the one recvmsg() writes to. */
	memcpy(&iov.iov_base, &data, sizeof(iov.iov_base));
	memset(&control, 0, sizeof(control));
	m.msg_controllen = address_cmsgs(&m, d);
	return sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Where the monotonic clock stood when the wall clock showed stamp. */
static struct mono mono_of_wall(const struct timespec *stamp)
{
	struct timespec wall;
	struct mono now = mono_now();
	int64_t ago_us;

	clock_gettime(CLOCK_REALTIME, &wall);
	ago_us = ((int64_t)wall.tv_sec - stamp->tv_sec) * MONO_US_PER_S +
		 (wall.tv_nsec - stamp->tv_nsec) / 1000;
	/* The wall clock was set meanwhile: its stamp tells nothing. */
	if (ago_us < 0 || ago_us > MONO_US_PER_S)
		return now;
	return mono_add_us(now, -ago_us);
}

static int cmsg_int(const struct cmsghdr *c)
{
	int v = 0;
	uint8_t byte;

	/* IP_TOS comes as one byte, the others as int. */
	if (c->cmsg_len >= CMSG_LEN(sizeof(v))) {
		memcpy(&v, CMSG_DATA(c), sizeof(v));
	} else if (c->cmsg_len >= CMSG_LEN(sizeof(byte))) {
		memcpy(&byte, CMSG_DATA(c), sizeof(byte));
		v = byte;
	}
	return v;
}

static void read_cmsg(const struct cmsghdr *c, struct pm_datagram *d,
		      struct timespec *stamp)
{
	struct in_pktinfo i4;
	struct in6_pktinfo i6;

	if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
		memcpy(stamp, CMSG_DATA(c), sizeof(*stamp));
	} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		memcpy(&i4, CMSG_DATA(c), sizeof(i4));
		d->ifindex = (unsigned int)i4.ipi_ifindex;
		d->local = addr_from_bytes(AF_INET, &i4.ipi_addr);
	} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&i6, CMSG_DATA(c), sizeof(i6));
		d->ifindex = i6.ipi6_ifindex;
		d->local = addr_from_bytes(AF_INET6, &i6.ipi6_addr);
	} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) ||
		   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)) {
		d->tos = (uint8_t)cmsg_int(c);
	} else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
		   (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
		d->ttl = (uint8_t)cmsg_int(c);
	}
}

/* --- receiving ------------------------------------------------------------------ */

union control {
	struct cmsghdr align;
	char bytes[256];
};

struct pm_inbox {
	struct mmsghdr msgs[PM_SOCK_BURST];
	struct iovec iov[PM_SOCK_BURST];
	struct sockaddr_storage from[PM_SOCK_BURST];
	union control control[PM_SOCK_BURST];
	int used; /* by the last fill */
	uint8_t bytes[];
};

/* The kernel wrote what it used of each. */
static void make_room(struct pm_inbox *b, int from, int to)
{
	for (int i = from; i < to; i++) {
		struct msghdr *m = &b->msgs[i].msg_hdr;

		m->msg_namelen = sizeof(b->from[i]);
		m->msg_controllen = sizeof(b->control[i]);
		m->msg_flags = 0;
	}
}

struct pm_inbox *pm_inbox_new(size_t cap)
{
	struct pm_inbox *b = ed_alloc(sizeof(*b) + PM_SOCK_BURST * cap);

	for (size_t i = 0; i < PM_SOCK_BURST; i++) {
		struct msghdr *m = &b->msgs[i].msg_hdr;

		b->iov[i] =
			(struct iovec){.iov_base = b->bytes + i * cap, .iov_len = cap};
		m->msg_name = &b->from[i];
		m->msg_iov = &b->iov[i];
		m->msg_iovlen = 1;
		m->msg_control = &b->control[i];
	}
	make_room(b, 0, PM_SOCK_BURST);
	return b;
}

void pm_inbox_free(struct pm_inbox *b)
{
	free(b);
}

int pm_inbox_fill(struct pm_inbox *b, int fd)
{
	int n;

	make_room(b, 0, b->used);
	b->used = 0;
	n = recvmmsg(fd, b->msgs, PM_SOCK_BURST, MSG_DONTWAIT, NULL);
	if (n < 0)
		return -errno;
	b->used = n;
	return n;
}

int pm_inbox_get(struct pm_inbox *b, int i, struct pm_datagram *d,
		 const uint8_t **ret_bytes)
{
	struct msghdr *m = &b->msgs[i].msg_hdr;
	struct timespec stamp = {0};

	*d = (struct pm_datagram){0};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		read_cmsg(c, d, &stamp);
	if (!d->ifindex || endpoint_from_sockaddr(&b->from[i], &d->peer) < 0)
		return -EPROTO;
	if (!stamp.tv_sec)
		clock_gettime(CLOCK_REALTIME, &stamp);
	d->at = mono_of_wall(&stamp);
	d->wall_sec = stamp.tv_sec;
	d->wall_nsec = stamp.tv_nsec;
	*ret_bytes = b->iov[i].iov_base;
	return (int)b->msgs[i].msg_len;
}
