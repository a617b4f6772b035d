/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stateful (RFC 8762 section 4.3): each session's answers carry a sequence of
 * their own, so that the sender can tell loss on the way out from loss on the
 * way back. A session is a place and, there, the sender's port and session id; a
 * sender that started anew begins a new one. One session a place is kept: a
 * tunnel has one sender.
 *
 * An answer goes back by the interface the probe came by, with its DSCP.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/alloc.h"
#include "lib/loop.h"
#include "pathmon/path.h"
#include "pathmon/prober.h"
#include "pathmon/sock.h"

enum { ECN_BITS = 3 };

struct key {
	unsigned int ifindex;
	unsigned int family;
};

struct place {
	UT_hash_handle hh;
	struct key key;
	struct pm_place where;
	struct pm_target *target;
	uint16_t port;
	uint16_t ssid;
	uint32_t seq; /* of the next answer */
};

struct family_socket {
	struct loop_io io;
	struct pm_reflector *rf;
	int fd;
};

struct pm_reflector {
	struct family_socket sockets[2];
	struct place *places;
	uint64_t strays;
	struct pm_inbox *inbox;
	uint8_t out[PM_STAMP_MAX + 1];
};

static struct key key_of(unsigned int ifindex, uint8_t family)
{
	return (struct key){.ifindex = ifindex, .family = family};
}

static struct place *find(struct pm_reflector *rf, unsigned int ifindex, uint8_t family)
{
	struct key key = key_of(ifindex, family);
	struct place *p;

	HASH_FIND(hh, rf->places, &key, sizeof(key), p);
	return p;
}

static void answer(struct family_socket *s, struct place *p,
		   const struct pm_datagram *came, const uint8_t *in, size_t len)
{
	struct pm_reflector *rf = s->rf;
	struct pm_stamp_reflection r = {
		.seq = p->seq,
		.received = pm_stamp_ntp(came->wall_sec, came->wall_nsec),
		.ttl = came->ttl,
	};
	struct pm_datagram back = {
		.peer = came->peer,
		.local = came->local,
		.ifindex = came->ifindex,
		.tos = (uint8_t)(came->tos & ~ECN_BITS),
	};
	struct pm_report report;
	struct timespec wall;
	int n;

	if (p->target) {
		pm_path_report(pm_target_path(p->target), came->at, &report);
		/* Not told to the path yet, but heard: it is being answered. */
		report.quiet_ms = 0;
		r.report = &report;
	}
	clock_gettime(CLOCK_REALTIME, &wall);
	r.sent = pm_stamp_ntp(wall.tv_sec, wall.tv_nsec);
	n = pm_stamp_reflect(in, len, &r, rf->out, sizeof(rf->out));
	if (n < 0)
		return;
	p->seq++;
	/* An answer that cannot leave is one that got lost. */
	(void)pm_sock_send(s->fd, &back, rf->out, (size_t)n);
}

static bool handle(struct family_socket *s, const struct pm_datagram *d,
		   const uint8_t *in, size_t len)
{
	struct place *p = find(s->rf, d->ifindex, d->peer.addr.family);
	struct pm_stamp_request q;
	struct pm_target *target;

	if (!p || !addr_equal(&d->peer.addr, &p->where.peer) ||
	    !addr_equal(&d->local, &p->where.local))
		return false;
	if (len > PM_STAMP_MAX || pm_stamp_decode(in, len, &q) < 0)
		return false;
	if (p->port != d->peer.port || p->ssid != q.ssid) {
		p->port = d->peer.port;
		p->ssid = q.ssid;
		p->seq = 0;
	}
	target = p->target;
	answer(s, p, d, in, len);
	/* Last: what the host does about it may remove the place. */
	if (target)
		pm_target_heard(target, q.has_report ? &q.report : NULL, d->at);
	return true;
}

static void readable(void *ctx, int fd, unsigned int events)
{
	struct family_socket *s = ctx;
	/* An error is of an answer sent earlier (unreachable), or nothing waits. */
	int n = pm_inbox_fill(s->rf->inbox, fd);

	(void)events;
	for (int i = 0; i < n; i++) {
		const uint8_t *in;
		struct pm_datagram d;
		int len = pm_inbox_get(s->rf->inbox, i, &d, &in);

		if (len < 0 || !handle(s, &d, in, (size_t)len))
			s->rf->strays++;
	}
}

struct pm_reflector *pm_reflector_new(struct loop *loop, uint16_t port, uint32_t mark)
{
	static const uint8_t families[] = {AF_INET, AF_INET6};
	struct pm_reflector *rf = ed_alloc(sizeof(*rf));
	int first_err = 0;
	int open = 0;

	rf->inbox = pm_inbox_new(PM_STAMP_MAX + 1);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		struct family_socket *s = &rf->sockets[i];
		int err;

		s->rf = rf;
		s->fd = -1;
		err = pm_sock_udp(families[i], port, mark, &s->fd);
		if (err < 0) {
			first_err = first_err ? first_err : err;
			continue;
		}
		loop_io_start(loop, &s->io, s->fd, LOOP_READ, readable, s);
		open++;
	}
	if (!open) {
		pm_inbox_free(rf->inbox);
		free(rf);
		errno = -first_err;
		return NULL;
	}
	return rf;
}

void pm_reflector_free(struct pm_reflector *rf)
{
	struct place *p;
	struct place *next;

	if (!rf)
		return;
	HASH_ITER (hh, rf->places, p, next) {
		HASH_DEL(rf->places, p);
		free(p);
	}
	for (size_t i = 0; i < ARRAY_LEN(rf->sockets); i++) {
		loop_io_stop(&rf->sockets[i].io);
		if (rf->sockets[i].fd >= 0)
			close(rf->sockets[i].fd);
	}
	pm_inbox_free(rf->inbox);
	free(rf);
}

int pm_reflector_add(struct pm_reflector *rf, struct pm_target *t,
		     const struct pm_place *where)
{
	struct place *p = find(rf, where->ifindex, where->local.family);

	if (p)
		return -EEXIST;
	p = ed_alloc(sizeof(*p));
	p->key = key_of(where->ifindex, where->local.family);
	p->where = *where;
	p->target = t;
	HASH_ADD(hh, rf->places, key, sizeof(p->key), p);
	return 0;
}

void pm_reflector_remove(struct pm_reflector *rf, const struct pm_place *where)
{
	struct place *p = find(rf, where->ifindex, where->local.family);

	if (!p)
		return;
	HASH_DEL(rf->places, p);
	free(p);
}

uint64_t pm_reflector_strays(const struct pm_reflector *rf)
{
	return rf->strays;
}
