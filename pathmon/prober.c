/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One socket per family and kind carries the probes of all targets. Each packet
 * names its tunnel interface, and an answer counts only when it came in by that
 * interface, from the peer's inside address, with our session and our stamp: a
 * tunnel is never proven by another one's answers, nor by a stranger's.
 *
 * Each target has one timer. It is moved forward only when it must ring earlier
 * than set; ringing too early costs one look.
 */
#include "pathmon/prober.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <uthash.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/rng.h"
#include "pathmon/icmp.h"
#include "pathmon/path.h"
#include "pathmon/sock.h"

enum {
	ANSWER_MAX = 512, /* bytes of an answer that are looked at */
	TARGETS_MAX = 65534,
	FAMILIES = 2,
	KINDS = 2,
	COMPLAIN_US = 10000000,
};

struct probe_socket {
	struct loop_io io;
	struct pm_prober *pr;
	int fd; /* -1: not open */
	uint8_t family;
	enum pm_kind kind;
};

struct pm_prober {
	struct loop *loop;
	struct rng *rng;
	const struct pm_prober_ops *ops;
	struct probe_socket sockets[FAMILIES][KINDS];
	struct pm_target *targets; /* list of all */
	struct pm_target *by_ifindex; /* those that run */
	struct ratelimit complain;
	struct pm_inbox *inbox;
	uint16_t next_id;
	uint32_t n_targets;
	uint64_t strays;
};

struct pm_target {
	struct pm_prober *pr;
	struct pm_target *next;
	struct pm_target *prev;
	UT_hash_handle hh;
	struct pm_path *path;
	void *ctx;
	struct loop_timer timer;
	struct mono armed;
	struct pm_place place;
	unsigned int ifindex; /* key while it runs, 0 else */
	uint16_t id; /* session id of STAMP, identifier of ICMP */
	enum pm_kind kind;
};

static struct probe_socket *socket_of(struct pm_prober *pr, uint8_t family,
				      enum pm_kind kind)
{
	return &pr->sockets[family == AF_INET6][kind == PM_ICMP];
}

/* --- one target ------------------------------------------------------------- */

static void target_ring(void *ctx, struct mono now);

static void arm(struct pm_target *t)
{
	struct mono at = pm_path_deadline(t->path);

	if (loop_timer_active(&t->timer) && !mono_before(at, t->armed))
		return;
	t->armed = at;
	loop_timer_at(t->pr->loop, &t->timer, at, target_ring, t);
}

static void tell(struct pm_target *t)
{
	struct pm_change c;

	/* Ends: telling produces no change by itself. */
	while (pm_path_change(t->path, &c))
		t->pr->ops->changed(t->ctx, &c);
}

static int send_stamp(struct pm_target *t, const struct pm_probe *probe, uint64_t stamp,
		      const struct pm_datagram *d)
{
	struct pm_stamp_request q = {
		.seq = probe->seq,
		.stamp = stamp,
		.error = PM_STAMP_ERROR,
		.ssid = t->id,
	};
	uint8_t out[PM_STAMP_LEN];
	int len;

	pm_path_report(t->path, mono_now(), &q.report);
	len = pm_stamp_encode(&q, out, sizeof(out));
	if (len < 0)
		return len;
	return pm_sock_send(socket_of(t->pr, d->peer.addr.family, PM_STAMP)->fd, d, out,
			    (size_t)len);
}

static int send_icmp(struct pm_target *t, const struct pm_probe *probe, uint64_t stamp,
		     const struct pm_datagram *d)
{
	struct pm_icmp_echo e = {.id = t->id, .seq = probe->seq, .stamp = stamp};
	uint8_t family = d->peer.addr.family;
	uint8_t out[PM_ICMP_LEN];
	int len = pm_icmp_encode(family, &e, out, sizeof(out));

	if (len < 0)
		return len;
	return pm_sock_send(socket_of(t->pr, family, PM_ICMP)->fd, d, out, (size_t)len);
}

static void send_probe(struct pm_target *t, const struct pm_probe *probe)
{
	struct pm_datagram d = {
		.peer = {.addr = t->place.peer},
		.local = t->place.local,
		.ifindex = t->place.ifindex,
		.tos = (uint8_t)(probe->dscp << 2),
	};
	struct timespec wall;
	struct mono now;
	uint64_t stamp;
	int err;

	clock_gettime(CLOCK_REALTIME, &wall);
	stamp = pm_stamp_ntp(wall.tv_sec, wall.tv_nsec);
	now = mono_now();
	if (t->kind == PM_STAMP) {
		d.peer.port = PM_STAMP_PORT;
		err = send_stamp(t, probe, stamp, &d);
	} else {
		err = send_icmp(t, probe, stamp, &d);
	}
	if (err < 0)
		pm_path_send_failed(t->path, err, now);
	else
		pm_path_sent(t->path, probe, now, stamp);
}

static void target_ring(void *ctx, struct mono now)
{
	struct pm_target *t = ctx;
	struct pm_probe probe;
	uint64_t count;

	if (pm_path_state(t->path) == PM_SUSPECT && t->pr->ops->rx_packets &&
	    t->pr->ops->rx_packets(t->ctx, &count))
		pm_path_rx_packets(t->path, now, count);
	/* One probe a ring: never a burst. */
	if (pm_path_poll(t->path, now, &probe))
		send_probe(t, &probe);
	arm(t);
	tell(t);
}

/* --- answers -------------------------------------------------------------------- */

static struct pm_target *target_by_ifindex(struct pm_prober *pr, unsigned int ifindex)
{
	struct pm_target *t;

	HASH_FIND(hh, pr->by_ifindex, &ifindex, sizeof(ifindex), t);
	return t;
}

static void take_answer(struct pm_target *t, const struct pm_path_answer *a,
			struct mono at)
{
	if (pm_path_answer(t->path, a, at) != -ENOENT)
		arm(t);
	tell(t);
}

static bool stamp_answer(struct pm_target *t, const struct pm_datagram *d,
			 const void *bytes, size_t len)
{
	struct pm_stamp_answer s;

	if (d->peer.port != PM_STAMP_PORT || pm_stamp_decode_answer(bytes, len, &s) < 0)
		return false;
	/* 0: a reflector without session ids (RFC 8762). */
	if (s.ssid && s.ssid != t->id)
		return false;
	take_answer(t,
		    &(struct pm_path_answer){
			    .seq = s.seq,
			    .stamp = s.stamp,
			    .held_us = s.held_us,
			    .has_reflector_seq = true,
			    .reflector_seq = s.reflector_seq,
			    .report = s.has_report ? &s.report : NULL,
		    },
		    d->at);
	return true;
}

static bool icmp_answer(struct pm_target *t, const struct pm_datagram *d,
			const uint8_t *bytes, size_t len)
{
	uint8_t family = d->peer.addr.family;
	struct pm_icmp_echo e;
	int skip = family == AF_INET ? pm_icmp_skip_ipv4(bytes, len) : 0;

	if (skip < 0 ||
	    pm_icmp_decode(family, bytes + skip, len - (size_t)skip, &e) < 0)
		return false;
	if (e.id != t->id)
		return false;
	take_answer(t, &(struct pm_path_answer){.seq = e.seq, .stamp = e.stamp}, d->at);
	return true;
}

static bool handle(struct probe_socket *s, const struct pm_datagram *d,
		   const uint8_t *bytes, size_t len)
{
	struct pm_target *t = target_by_ifindex(s->pr, d->ifindex);

	if (!t || t->kind != s->kind || !addr_equal(&d->peer.addr, &t->place.peer))
		return false;
	return s->kind == PM_STAMP ? stamp_answer(t, d, bytes, len)
				   : icmp_answer(t, d, bytes, len);
}

static void readable(void *ctx, int fd, unsigned int events)
{
	struct probe_socket *s = ctx;
	int n = pm_inbox_fill(s->pr->inbox, fd);

	(void)events;
	if (n < 0 && n != -EAGAIN && n != -EINTR) {
		/* A port or host unreachable of an earlier probe. */
		ed_warn_limited(&s->pr->complain, mono_now(), "prober",
				"receive: errno %d", -n);
	}
	for (int i = 0; i < n; i++) {
		const uint8_t *bytes;
		struct pm_datagram d;
		int len = pm_inbox_get(s->pr->inbox, i, &d, &bytes);

		if (len < 0 || !handle(s, &d, bytes, (size_t)len))
			s->pr->strays++;
	}
}

static int open_socket(struct probe_socket *s)
{
	int err;

	if (s->fd >= 0)
		return 0;
	err = s->kind == PM_STAMP ? pm_sock_udp(s->family, 0, s->pr->ops->mark, &s->fd)
				  : pm_sock_icmp(s->family, s->pr->ops->mark, &s->fd);
	if (err < 0)
		return err;
	loop_io_start(s->pr->loop, &s->io, s->fd, LOOP_READ, readable, s);
	return 0;
}

/* --- interface ------------------------------------------------------------------- */

struct pm_prober *pm_prober_new(struct loop *loop, struct rng *rng,
				const struct pm_prober_ops *ops)
{
	struct pm_prober *pr = ed_alloc(sizeof(*pr));

	pr->loop = loop;
	pr->rng = rng;
	pr->ops = ops;
	/* A run after a restart is another session to a reflector. */
	pr->next_id = (uint16_t)rng_u32(rng);
	pr->complain = ratelimit_init(1, COMPLAIN_US);
	pr->inbox = pm_inbox_new(ANSWER_MAX);
	for (int f = 0; f < FAMILIES; f++) {
		for (int k = 0; k < KINDS; k++) {
			pr->sockets[f][k] = (struct probe_socket){
				.pr = pr,
				.fd = -1,
				.family = f ? AF_INET6 : AF_INET,
				.kind = k ? PM_ICMP : PM_STAMP,
			};
		}
	}
	return pr;
}

void pm_prober_free(struct pm_prober *pr)
{
	struct pm_target *next;

	if (!pr)
		return;
	for (struct pm_target *t = pr->targets; t; t = next) {
		next = t->next;
		pm_prober_remove(t);
	}
	for (int f = 0; f < FAMILIES; f++) {
		for (int k = 0; k < KINDS; k++) {
			loop_io_stop(&pr->sockets[f][k].io);
			if (pr->sockets[f][k].fd >= 0)
				close(pr->sockets[f][k].fd);
		}
	}
	pm_inbox_free(pr->inbox);
	free(pr);
}

struct pm_target *pm_prober_add(struct pm_prober *pr, const struct pm_path_config *cfg,
				void *ctx)
{
	struct pm_target *t;

	if (pr->n_targets >= TARGETS_MAX)
		return NULL;
	t = ed_alloc(sizeof(*t));
	t->path = pm_path_new(cfg, pr->rng);
	if (!t->path) {
		free(t);
		return NULL;
	}
	t->pr = pr;
	t->ctx = ctx;
	t->kind = cfg->kind;
	/* Need not be unique, a target is known by its interface; 0 means none. */
	if (++pr->next_id == 0)
		pr->next_id = 1;
	t->id = pr->next_id;
	t->next = pr->targets;
	if (t->next)
		t->next->prev = t;
	pr->targets = t;
	pr->n_targets++;
	return t;
}

static void unkey(struct pm_target *t)
{
	if (t->ifindex)
		HASH_DEL(t->pr->by_ifindex, t);
	t->ifindex = 0;
}

void pm_prober_remove(struct pm_target *t)
{
	if (!t)
		return;
	loop_timer_stop(&t->timer);
	unkey(t);
	if (t->prev)
		t->prev->next = t->next;
	else
		t->pr->targets = t->next;
	if (t->next)
		t->next->prev = t->prev;
	t->pr->n_targets--;
	pm_path_free(t->path);
	free(t);
}

int pm_prober_start(struct pm_target *t, const struct pm_place *place)
{
	struct pm_target *other = target_by_ifindex(t->pr, place->ifindex);
	int err;

	if (!place->ifindex || place->local.family != place->peer.family ||
	    !addr_size(place->peer.family))
		return -EINVAL;
	if (other && other != t)
		return -EEXIST;
	err = open_socket(socket_of(t->pr, place->peer.family, t->kind));
	if (err < 0)
		return err;
	unkey(t);
	t->place = *place;
	t->ifindex = place->ifindex;
	HASH_ADD(hh, t->pr->by_ifindex, ifindex, sizeof(t->ifindex), t);
	pm_path_start(t->path, mono_now());
	arm(t);
	tell(t);
	return 0;
}

void pm_prober_stop(struct pm_target *t)
{
	loop_timer_stop(&t->timer);
	unkey(t);
	pm_path_stop(t->path, mono_now());
	tell(t);
}

int pm_prober_configure(struct pm_target *t, const struct pm_path_config *cfg)
{
	int err;

	if (t->ifindex && cfg->kind != t->kind) {
		err = open_socket(socket_of(t->pr, t->place.peer.family, cfg->kind));
		if (err < 0)
			return err;
	}
	err = pm_path_configure(t->path, cfg, mono_now());
	if (err < 0)
		return err;
	t->kind = cfg->kind;
	if (t->ifindex)
		arm(t);
	return 0;
}

struct pm_path *pm_target_path(struct pm_target *t)
{
	return t->path;
}

void pm_target_heard(struct pm_target *t, const struct pm_report *report,
		     struct mono now)
{
	pm_path_heard(t->path, report, now);
	if (t->ifindex)
		arm(t);
	tell(t);
}

uint64_t pm_prober_strays(const struct pm_prober *pr)
{
	return pr->strays;
}
