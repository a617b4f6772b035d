/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * c-ares tells which sockets it waits for (sock_state_cb) and for how long
 * (ares_timeout); both are mirrored into the loop. Answers may come while a
 * question is still being asked (IP addresses, /etc/hosts): they are put off to
 * the loop, so that cb never runs inside resolver_ask().
 */
#include "edged/resolve.h"

#include <ares.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <utlist.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"

enum {
	CHANNEL_SOCKETS_MAX = 16, /* ARES_GETSOCK_MAXNUM */
	QUERY_TIMEOUT_MS = 2000, /* of one try at one server */
	QUERY_TRIES = 3,
};

struct channel_socket {
	struct loop_io io;
	int fd;
};

struct channel {
	struct resolver *r;
	char device[IFNAMSIZ]; /* "" for any */
	ares_channel ares;
	struct loop_timer timer;
	struct channel_socket sockets[CHANNEL_SOCKETS_MAX];
	struct channel *next;
};

struct resolve_query {
	struct resolver *r;
	resolve_cb cb; /* NULL once cancelled: c-ares still holds the pointer */
	void *ctx;
	bool answered; /* c-ares is done with it; the loop delivers */
	int err;
	char why[128];
	struct addr addrs[RESOLVE_ADDRS_MAX];
	size_t n;
	uint32_t ttl_s;
	struct loop_timer deliver;
	struct resolve_query *prev, *next;
};

struct resolver {
	struct loop *loop;
	struct channel *channels;
	struct resolve_query *queries;
};

/* --- c-ares's sockets and timers in the loop ------------------------------- */

static void on_timer(void *ctx, struct mono now);

static void arm(struct channel *c)
{
	struct timeval tv;
	const struct timeval *next = ares_timeout(c->ares, NULL, &tv);

	if (!next) {
		loop_timer_stop(&c->timer);
		return;
	}
	loop_timer_at(c->r->loop, &c->timer,
		      mono_add_us(mono_now(), (int64_t)next->tv_sec * MONO_US_PER_S +
						      next->tv_usec),
		      on_timer, c);
}

static void on_timer(void *ctx, struct mono now)
{
	struct channel *c = ctx;

	(void)now;
	ares_process_fd(c->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm(c);
}

static void on_io(void *ctx, int fd, unsigned int events)
{
	struct channel *c = ctx;

	ares_process_fd(c->ares, events & LOOP_READ ? fd : ARES_SOCKET_BAD,
			events & LOOP_WRITE ? fd : ARES_SOCKET_BAD);
	arm(c);
}

static void on_socket_state(void *ctx, ares_socket_t fd, int readable, int writable)
{
	struct channel *c = ctx;
	struct channel_socket *found = NULL;
	struct channel_socket *spare = NULL;
	unsigned int events =
		(readable ? LOOP_READ : 0u) | (writable ? LOOP_WRITE : 0u);

	for (size_t i = 0; i < CHANNEL_SOCKETS_MAX; i++) {
		if (!loop_io_active(&c->sockets[i].io))
			spare = &c->sockets[i];
		else if (c->sockets[i].fd == fd)
			found = &c->sockets[i];
	}
	if (found && !events) {
		loop_io_stop(&found->io);
		return;
	}
	if (!found)
		found = spare;
	if (!found || !events)
		return; /* more sockets than c-ares uses: its time-out decides */
	found->fd = fd;
	loop_io_start(c->r->loop, &found->io, fd, events, on_io, c);
}

static struct channel *channel_get(struct resolver *r, const char *device)
{
	struct ares_options opt = {
		.timeout = QUERY_TIMEOUT_MS,
		.tries = QUERY_TRIES,
		.sock_state_cb = on_socket_state,
	};
	struct channel *c;

	LL_FOREACH (r->channels, c) {
		if (strcmp(c->device, device ? device : "") == 0)
			return c;
	}
	c = ed_alloc(sizeof(*c));
	c->r = r;
	opt.sock_state_cb_data = c;
	if (ares_init_options(&c->ares, &opt,
			      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
				      ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS) {
		free(c);
		return NULL;
	}
	if (device) {
		strncpy(c->device, device, sizeof(c->device) - 1);
		ares_set_local_dev(c->ares, c->device);
	}
	LL_PREPEND(r->channels, c);
	return c;
}

/* --- answers --------------------------------------------------------------- */

static void query_free(struct resolve_query *q)
{
	loop_timer_stop(&q->deliver);
	DL_DELETE(q->r->queries, q);
	free(q);
}

static void on_deliver(void *ctx, struct mono now)
{
	struct resolve_query *q = ctx;
	struct resolve_answer answer = {
		.err = q->err,
		.why = q->why,
		.addrs = q->addrs,
		.n = q->n,
		.ttl_s = q->ttl_s,
	};
	resolve_cb cb = q->cb;

	(void)now;
	q->cb = NULL; /* a cancel from within cb has nothing left to do */
	if (cb)
		cb(q->ctx, &answer);
	query_free(q);
}

static void finish(struct resolve_query *q)
{
	q->answered = true;
	if (!q->cb)
		query_free(q);
	else
		loop_timer_at(q->r->loop, &q->deliver, mono_now(), on_deliver, q);
}

static int error_of(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
		return -ENOENT;
	case ARES_ETIMEOUT:
		return -ETIMEDOUT;
	default:
		return -EIO;
	}
}

static void take_node(struct resolve_query *q, const struct ares_addrinfo_node *node)
{
	struct sockaddr_storage ss = {0};
	struct endpoint e;
	uint32_t ttl = node->ai_ttl > 0 ? (uint32_t)node->ai_ttl : 0;

	if (q->n == RESOLVE_ADDRS_MAX || node->ai_addrlen > sizeof(ss))
		return;
	memcpy(&ss, node->ai_addr, node->ai_addrlen);
	if (endpoint_from_sockaddr(&ss, &e) < 0)
		return;
	q->addrs[q->n++] = e.addr;
	if (ttl < q->ttl_s)
		q->ttl_s = ttl;
}

static void on_answer(void *ctx, int status, int timeouts, struct ares_addrinfo *info)
{
	struct resolve_query *q = ctx;

	(void)timeouts;
	q->ttl_s = RESOLVE_TTL_MAX_S;
	if (status == ARES_SUCCESS && info) {
		for (const struct ares_addrinfo_node *n = info->nodes; n;
		     n = n->ai_next)
			take_node(q, n);
	}
	if (q->ttl_s < RESOLVE_TTL_MIN_S)
		q->ttl_s = RESOLVE_TTL_MIN_S;
	if (info)
		ares_freeaddrinfo(info);
	if (q->n == 0) {
		q->err = status == ARES_SUCCESS ? -ENOENT : error_of(status);
		snprintf(q->why, sizeof(q->why), "%s", ares_strerror(status));
	}
	finish(q);
}

struct resolve_query *resolver_ask(struct resolver *r, const char *name,
				   const char *device, uint8_t family, resolve_cb cb,
				   void *ctx)
{
	struct ares_addrinfo_hints hints = {
		.ai_family = family ? family : AF_UNSPEC,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = ARES_AI_NOSORT,
	};
	struct channel *c = channel_get(r, device);
	struct resolve_query *q = ed_alloc(sizeof(*q));

	q->r = r;
	q->cb = cb;
	q->ctx = ctx;
	DL_APPEND(r->queries, q);
	if (!c) {
		q->err = -EIO;
		snprintf(q->why, sizeof(q->why), "the resolver cannot start");
		finish(q);
		return q;
	}
	/* on_answer() may run before this returns; delivery waits for the loop. */
	ares_getaddrinfo(c->ares, name, NULL, &hints, on_answer, q);
	arm(c);
	return q;
}

void resolver_cancel(struct resolve_query *q)
{
	if (!q)
		return;
	q->cb = NULL;
	if (q->answered && loop_timer_active(&q->deliver))
		query_free(q);
}

struct resolver *resolver_new(struct loop *loop)
{
	struct resolver *r;
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	if (status != ARES_SUCCESS) {
		ed_error("resolve", "c-ares: %s", ares_strerror(status));
		return NULL;
	}
	r = ed_alloc(sizeof(*r));
	r->loop = loop;
	return r;
}

void resolver_free(struct resolver *r)
{
	struct resolve_query *q;
	struct channel *c;

	if (!r)
		return;
	DL_FOREACH (r->queries, q)
		q->cb = NULL;
	while ((c = r->channels) != NULL) {
		LL_DELETE(r->channels, c);
		ares_destroy(c->ares); /* answers everything with EDESTRUCTION */
		for (size_t i = 0; i < CHANNEL_SOCKETS_MAX; i++)
			loop_io_stop(&c->sockets[i].io);
		loop_timer_stop(&c->timer);
		free(c);
	}
	while (r->queries) /* those answered and not yet delivered */
		query_free(r->queries);
	ares_library_cleanup();
	free(r);
}
