/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server side of rpc.h.
 *
 * A connection reads while its answers leave: once more than queue_bytes wait,
 * nothing further is read from it until half of them are gone, so answers are
 * bounded by one request beyond the limit. Notifications have nobody to hold
 * back: where they do not fit, the connection is dropped.
 *
 * A connection may end while one of its requests runs (a push inside of run()
 * finds its queue full) or waits for a late answer. So conn_drop() only closes
 * and unlinks; the memory goes when nobody is inside of it (conn->busy), and
 * open calls lose their connection and are freed by their answer.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/rpc.h"
#include "lib/rpc_line.h"
#include "lib/text.h"

enum {
	GRANTS = 16,
	ACCEPT_BURST = 16, /* connections of one event */
	LINE_BURST = 32, /* requests of one connection and event */
	WINDOW_US = 20000, /* of each such time requests may ... */
	BUDGET_US = 10000, /* ... take so much; the rest waits for the next one */
	CONN_BUDGET_US = 2500, /* and those of one connection so much */
	TRIM_BYTES =
		4 * 1024 * 1024, /* so much waited once: memory is given back after */
	ROOT_SHARE = 8, /* one in so many clients is root's */
	ACCEPT_PAUSE_MS = 1000, /* after running out of descriptors */
	GROUPS_MAX = 65536, /* NGROUPS_MAX of Linux */
	ERROR_TEXT_MAX = 512,
};

struct grant {
	enum { GRANT_ALL, GRANT_UID, GRANT_GID } kind;
	unsigned int id;
	unsigned int roles;
};

struct conn {
	struct rpc_server *server;
	int fd;
	uid_t uid;
	unsigned int roles;
	uint32_t topics;
	unsigned int open; /* calls not answered */
	bool busy; /* somebody is inside: do not free */
	bool dead; /* closed and unlinked */
	bool closing; /* close once the queue has left */
	bool eof; /* nothing more to read */
	bool quick; /* not held back */
	struct mono window; /* as the server's, of this connection */
	int64_t spent_us;
	struct rpc_in in;
	struct rpc_out out;
	struct mono moved; /* when bytes last left, or the queue began */
	struct loop_io io;
	struct loop_timer again; /* more lines to run, or the stall check */
	struct rpc_call *calls;
	struct conn *prev, *next;
};

struct rpc_call {
	struct rpc_server *server; /* NULL: freed */
	struct conn *conn; /* NULL: gone */
	json_t *id;
	uid_t uid;
	unsigned int roles;
	struct rpc_call *prev, *next;
};

struct rpc_server {
	struct loop *loop;
	const struct rpc_method *methods;
	size_t method_count;
	struct rpc_limits limits;
	void *ctx;
	struct grant grants[GRANTS];
	unsigned int grant_count;
	int fd;
	char *path; /* of the socket file we made; NULL when it is not ours */
	dev_t dev;
	ino_t ino;
	struct loop_io io;
	struct loop_timer resume; /* accept again */
	struct loop_timer leave; /* tell who left */
	bool fat; /* more than TRIM_BYTES waited since memory was given back */
	uint32_t left_topics;
	struct mono window; /* when it began, and ... */
	int64_t spent_us; /* ... what requests took of it */
	void (*left)(void *ctx, unsigned int topic);
	struct conn *conns;
	struct rpc_counters counters;
};

static void conn_run(struct conn *c);
static void conn_rearm(struct conn *c);

/* --- messages ---------------------------------------------------------------- */

static json_t *error_message(json_t *id, int code, const char *text, json_t *data)
{
	char *message = ed_strdup(text);
	json_t *error;

	/* A sentence that is no UTF-8 (a file name, cut) must not cost the answer. */
	text_make_utf8(message);
	error = json_pack("{s:i, s:s}", "code", code, "message", message);
	free(message);
	if (data)
		json_object_set_new(error, "data", data);
	return json_pack("{s:s, s:o, s:o}", "jsonrpc", "2.0", "id",
			 id ? json_incref(id) : json_null(), "error", error);
}

/* Takes over the reference. */
static void conn_queue_text(struct conn *c, struct rpc_text *t)
{
	if (c->out.bytes == 0)
		c->moved = loop_now(c->server->loop);
	rpc_out_add(&c->out, t);
	rpc_text_put(t);
}

static void conn_queue(struct conn *c, const json_t *msg)
{
	conn_queue_text(c, rpc_text_new(msg));
}

/* --- connections --------------------------------------------------------------- */

static void tell_left(void *ctx, struct mono now)
{
	struct rpc_server *s = ctx;
	uint32_t topics = s->left_topics;

	(void)now;
	s->left_topics = 0;
	for (unsigned int t = 0; t < 32; t++)
		if ((topics & 1u << t) && s->left)
			s->left(s->ctx, t);
}

static void note_left(struct rpc_server *s, uint32_t topics)
{
	if (!topics || !s->left)
		return;
	s->left_topics |= topics;
	loop_timer_at(s->loop, &s->leave, loop_now(s->loop), tell_left, s);
}

static void conn_free(struct conn *c)
{
	rpc_in_fini(&c->in);
	rpc_out_fini(&c->out);
	free(c);
}

static size_t all_queued(const struct rpc_server *s, struct conn **ret);

/*
 * What many answers leave behind is memory in pieces, which the allocator keeps. Once
 * they are gone it is given back: a flood must not be what the daemon weighs for ever.
 */
static void give_back(struct rpc_server *s)
{
	struct conn *fullest;

	if (!s->fat || all_queued(s, &fullest) > TRIM_BYTES / 8)
		return;
	s->fat = false;
	malloc_trim(0);
}

/* End the connection. Its memory stays while somebody is inside. */
static void conn_drop(struct conn *c)
{
	struct rpc_server *s = c->server;
	struct rpc_call *call;
	struct rpc_call *tmp;

	if (c->dead)
		return;
	c->dead = true;
	loop_io_stop(&c->io);
	loop_timer_stop(&c->again);
	close(c->fd);
	c->fd = -1;
	DL_FOREACH_SAFE (c->calls, call, tmp) {
		DL_DELETE(c->calls, call);
		call->conn = NULL;
	}
	DL_DELETE(s->conns, c);
	s->counters.clients--;
	note_left(s, c->topics);
	if (!c->busy)
		conn_free(c);
	give_back(s);
}

static void drop_slow(struct conn *c, const char *why)
{
	ed_info("control", "client of uid %u dropped: %s (%zu bytes wait)",
		(unsigned int)c->uid, why, c->out.bytes);
	c->server->counters.dropped_slow++;
	conn_drop(c);
}

/* Leave the connection after work on it: send, free, or wait for the next event. */
static void conn_leave(struct conn *c)
{
	ssize_t n;

	c->busy = false;
	if (c->dead) {
		conn_free(c);
		return;
	}
	n = rpc_out_send(&c->out, c->fd);
	if (n < 0) {
		conn_drop(c);
		return;
	}
	if (n > 0)
		c->moved = loop_now(c->server->loop);
	if (c->out.bytes == 0 &&
	    (c->closing || (c->eof && c->open == 0 && c->in.scanned == c->in.len))) {
		conn_drop(c);
		return;
	}
	conn_rearm(c);
}

static bool may_read(const struct conn *c)
{
	return !c->closing && c->out.bytes <= c->server->limits.queue_bytes;
}

/* Whole lines wait that were not looked at. */
static bool has_lines(const struct conn *c)
{
	return c->in.scanned < c->in.len;
}

static void on_again(void *ctx, struct mono now)
{
	struct conn *c = ctx;
	int64_t stall_us = (int64_t)c->server->limits.stall_ms * 1000;

	if (c->out.bytes > 0 && mono_diff_us(now, c->moved) >= stall_us) {
		drop_slow(c, "does not read");
		return;
	}
	conn_run(c);
}

static void on_conn(void *ctx, int fd, unsigned int events)
{
	struct conn *c = ctx;

	if ((events & LOOP_READ) && may_read(c) && !c->eof) {
		ssize_t n = rpc_in_read(&c->in, fd);

		if (n == 0) {
			c->eof = true;
		} else if (n == -EMSGSIZE) {
			json_t *msg = error_message(NULL, RPC_EPARSE,
						    "the line is too long", NULL);

			c->server->counters.bad_requests++;
			conn_queue(c, msg);
			json_decref(msg);
			c->closing = true;
		} else if (n < 0 && n != -EAGAIN) {
			conn_drop(c);
			return;
		}
	}
	conn_run(c);
}

/* When requests of c may be run again: now, or when the budget is renewed. */
static struct mono next_turn(const struct conn *c, struct mono now)
{
	const struct rpc_server *s = c->server;
	struct mono end = mono_add_us(s->window, WINDOW_US);

	if (c->quick || mono_due(end, now))
		return now;
	if (s->spent_us >= BUDGET_US ||
	    (c->window.us == s->window.us && c->spent_us >= CONN_BUDGET_US))
		return end;
	return now;
}

/* True when requests of c, or of all, took their share of the time. */
static bool spent(struct conn *c)
{
	struct rpc_server *s = c->server;
	struct mono now = mono_now();

	if (c->quick)
		return false;
	if (mono_diff_us(now, s->window) >= WINDOW_US) {
		s->window = now;
		s->spent_us = 0;
	}
	if (c->window.us != s->window.us) {
		c->window = s->window;
		c->spent_us = 0;
	}
	return s->spent_us >= BUDGET_US || c->spent_us >= CONN_BUDGET_US;
}

static void spend(struct conn *c, struct mono begun)
{
	int64_t took = mono_diff_us(mono_now(), begun);

	if (c->quick)
		return;
	c->server->spent_us += took;
	c->spent_us += took;
}

/* Bytes queued towards all; the connection with most of them goes to *ret. */
static size_t all_queued(const struct rpc_server *s, struct conn **ret)
{
	struct conn *c;
	size_t all = 0;

	*ret = NULL;
	DL_FOREACH (s->conns, c) {
		all += c->out.bytes;
		if (!*ret || c->out.bytes > (*ret)->out.bytes)
			*ret = c;
	}
	return all;
}

/* Everybody's answers together are too many: who holds most of them goes. */
static void bound_queues(struct rpc_server *s)
{
	struct conn *fullest;
	size_t all = all_queued(s, &fullest);

	s->fat = s->fat || all > TRIM_BYTES;
	if (all > s->limits.all_queue_bytes)
		drop_slow(fullest, "too much waits for too many");
}

/* Wait for what the connection can do next. */
static void conn_rearm(struct conn *c)
{
	struct loop *loop = c->server->loop;
	struct mono now = loop_now(loop);
	unsigned int want = 0;

	if (may_read(c) && !c->eof && !has_lines(c))
		want |= LOOP_READ;
	if (c->out.bytes > 0)
		want |= LOOP_WRITE;
	loop_io_stop(&c->io);
	if (want)
		loop_io_start(loop, &c->io, c->fd, want, on_conn, c);
	loop_timer_stop(&c->again);
	if (may_read(c) && has_lines(c))
		loop_timer_at(loop, &c->again, next_turn(c, now), on_again, c);
	else if (c->out.bytes > 0)
		loop_timer_at(loop, &c->again,
			      mono_add_us(c->moved,
					  (int64_t)c->server->limits.stall_ms * 1000),
			      on_again, c);
}

/* --- requests ------------------------------------------------------------------ */

static const struct rpc_method *find_method(const struct rpc_server *s,
					    const char *name)
{
	for (size_t i = 0; i < s->method_count; i++)
		if (strcmp(s->methods[i].name, name) == 0)
			return &s->methods[i];
	return NULL;
}

static void refuse(struct conn *c, json_t *id, int code, const char *text)
{
	json_t *msg = error_message(id, code, text, NULL);

	if (code == RPC_EDENIED)
		c->server->counters.denied++;
	else
		c->server->counters.bad_requests++;
	conn_queue(c, msg);
	json_decref(msg);
}

static void run_method(struct conn *c, const struct rpc_method *m, json_t *id,
		       json_t *params)
{
	struct rpc_call *call = ed_alloc(sizeof(*call));

	call->server = c->server;
	call->conn = c;
	call->id = json_incref(id);
	call->uid = c->uid;
	call->roles = c->roles;
	DL_APPEND(c->calls, call);
	c->open++;
	c->server->counters.requests++;
	m->run(c->server->ctx, call, params);
}

/* Look at one message: every way out answers it, or it wants no answer. */
static void run_request(struct conn *c, json_t *msg)
{
	json_t *id = json_object_get(msg, "id");
	const char *version = json_string_value(json_object_get(msg, "jsonrpc"));
	const char *name = json_string_value(json_object_get(msg, "method"));
	json_t *params = json_object_get(msg, "params");
	const struct rpc_method *m;
	json_t *none;

	if (!json_is_object(msg)) {
		refuse(c, NULL, RPC_EREQUEST, "a request is one object");
		return;
	}
	if (id && !json_is_string(id) && !json_is_integer(id)) {
		refuse(c, NULL, RPC_EREQUEST, "id must be a string or an integer");
		return;
	}
	if (!version || strcmp(version, "2.0") != 0 || !name) {
		refuse(c, id, RPC_EREQUEST, "needs \"jsonrpc\": \"2.0\" and a method");
		return;
	}
	if (!id)
		return;
	if (params && !json_is_object(params) && !json_is_null(params)) {
		refuse(c, id, RPC_EPARAMS, "params must be an object");
		return;
	}
	m = find_method(c->server, name);
	if (!m) {
		refuse(c, id, RPC_EMETHOD, "no such method");
		return;
	}
	if (!(c->roles & m->role)) {
		refuse(c, id, RPC_EDENIED, "not permitted for this user");
		return;
	}
	if (c->open >= c->server->limits.open_calls) {
		refuse(c, id, RPC_EBUSY, "too many requests wait for their answer");
		return;
	}
	none = json_object();
	run_method(c, m, id, json_is_object(params) ? params : none);
	json_decref(none);
}

/* Run the lines that are there, as many as one event may. */
static void conn_run(struct conn *c)
{
	struct rpc_server *s = c->server;
	char why[160];

	c->busy = true;
	for (unsigned int i = 0; i < LINE_BURST && !c->dead && may_read(c) && !spent(c);
	     i++) {
		struct mono begun = mono_now();
		size_t len;
		const char *line = rpc_in_line(&c->in, &len);
		json_t *msg;

		if (!line)
			break;
		msg = rpc_line_decode(line, len, c->server->limits.depth, why,
				      sizeof(why));
		if (msg)
			run_request(c, msg);
		else
			refuse(c, NULL, RPC_EPARSE, why);
		json_decref(msg);
		bound_queues(s);
		spend(c, begun);
	}
	conn_leave(c);
}

/* --- who calls ------------------------------------------------------------------ */

static bool in_groups(const gid_t *groups, size_t n, gid_t gid)
{
	for (size_t i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

/* The supplementary groups of the peer; the caller frees. NULL when unknown. */
static gid_t *peer_groups(int fd, size_t *ret_n)
{
	socklen_t len = 64 * sizeof(gid_t);
	gid_t *groups = NULL;

	/* Ends: the kernel says the length that fits, and a list never grows. */
	for (int i = 0; i < 2; i++) {
		groups = ed_realloc(groups, len ? len : 1, 1);
		if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) == 0) {
			*ret_n = len / sizeof(gid_t);
			return groups;
		}
		if (errno != ERANGE || len > GROUPS_MAX * sizeof(gid_t))
			break;
	}
	free(groups);
	*ret_n = 0;
	return NULL;
}

static unsigned int roles_of(const struct rpc_server *s, int fd,
			     const struct ucred *cred)
{
	unsigned int roles = 0;
	size_t n;
	gid_t *groups = peer_groups(fd, &n);

	for (unsigned int i = 0; i < s->grant_count; i++) {
		const struct grant *g = &s->grants[i];

		if (g->kind == GRANT_ALL ||
		    (g->kind == GRANT_UID && g->id == cred->uid) ||
		    (g->kind == GRANT_GID &&
		     (g->id == cred->gid || (groups && in_groups(groups, n, g->id)))))
			roles |= g->roles;
	}
	free(groups);
	return roles;
}

/* One error line and the end. It fits a fresh socket's buffer. */
static void turn_away(struct rpc_server *s, int fd, int code, const char *text)
{
	json_t *msg = error_message(NULL, code, text, NULL);
	struct rpc_text *t = rpc_text_new(msg);
	ssize_t n = send(fd, t->bytes, t->len, MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)n; /* who does not get the line sees the end */
	rpc_text_put(t);
	json_decref(msg);
	s->counters.refused++;
	close(fd);
}

static unsigned int clients_of(const struct rpc_server *s, uid_t uid)
{
	const struct conn *c;
	unsigned int n = 0;

	DL_FOREACH (s->conns, c)
		if (c->uid == uid)
			n++;
	return n;
}

void rpc_server_adopt(struct rpc_server *s, int fd)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);
	unsigned int roles;
	unsigned int most;
	struct conn *c;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0) {
		close(fd);
		return;
	}
	roles = roles_of(s, fd, &cred);
	if (!roles) {
		char text[96];

		snprintf(text, sizeof(text),
			 "user id %u has no right to use this socket",
			 (unsigned int)cred.uid);
		turn_away(s, fd, RPC_EDENIED, text);
		return;
	}
	most = s->limits.clients - (cred.uid ? s->limits.clients / ROOT_SHARE : 0);
	if (s->counters.clients >= most ||
	    (cred.uid != 0 && clients_of(s, cred.uid) >= s->limits.user_clients)) {
		turn_away(s, fd, RPC_EBUSY, "too many clients");
		return;
	}
	c = ed_alloc(sizeof(*c));
	c->server = s;
	c->fd = fd;
	c->uid = cred.uid;
	c->roles = roles;
	c->quick = cred.uid == 0 || (roles & s->limits.quick_roles);
	rpc_in_init(&c->in, roles & s->limits.big_roles ? s->limits.big_line_bytes
							: s->limits.line_bytes);
	DL_APPEND(s->conns, c);
	s->counters.clients++;
	s->counters.accepted++;
	conn_rearm(c);
}

static void on_accept(void *ctx, int fd, unsigned int events);

static void on_resume(void *ctx, struct mono now)
{
	struct rpc_server *s = ctx;

	(void)now;
	loop_io_start(s->loop, &s->io, s->fd, LOOP_READ, on_accept, s);
}

static void on_accept(void *ctx, int listen_fd, unsigned int events)
{
	struct rpc_server *s = ctx;

	(void)events;
	for (int i = 0; i < ACCEPT_BURST; i++) {
		int fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			rpc_server_adopt(s, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		/* No descriptors left: the socket stays readable, so look away. */
		ed_warn("control", "cannot accept a client: %s", strerror(errno));
		loop_io_stop(&s->io);
		loop_timer_at(s->loop, &s->resume,
			      mono_add_us(loop_now(s->loop), ACCEPT_PAUSE_MS * 1000),
			      on_resume, s);
		return;
	}
}

/* --- the server ------------------------------------------------------------------ */

static void set_defaults(struct rpc_limits *l)
{
	if (!l->clients)
		l->clients = 64;
	if (!l->user_clients)
		l->user_clients = 24;
	if (!l->open_calls)
		l->open_calls = 16;
	if (!l->depth)
		l->depth = 24;
	if (!l->line_bytes)
		l->line_bytes = 256 * 1024;
	if (!l->big_line_bytes)
		l->big_line_bytes = 16 * 1024 * 1024;
	if (!l->queue_bytes)
		l->queue_bytes = 4 * 1024 * 1024;
	if (!l->all_queue_bytes)
		l->all_queue_bytes = 16 * 1024 * 1024;
	if (!l->stall_ms)
		l->stall_ms = 10000;
}

struct rpc_server *rpc_server_new(struct loop *loop, const struct rpc_method *methods,
				  size_t n, const struct rpc_limits *limits, void *ctx)
{
	struct rpc_server *s = ed_alloc(sizeof(*s));

	s->loop = loop;
	s->methods = methods;
	s->method_count = n;
	if (limits)
		s->limits = *limits;
	set_defaults(&s->limits);
	s->ctx = ctx;
	s->fd = -1;
	return s;
}

/* Remove the socket file, but only the one we made. */
static void remove_file(struct rpc_server *s)
{
	struct stat st;

	if (s->path && stat(s->path, &st) == 0 && st.st_dev == s->dev &&
	    st.st_ino == s->ino)
		unlink(s->path);
	free(s->path);
	s->path = NULL;
}

void rpc_server_free(struct rpc_server *s)
{
	struct conn *c;
	struct conn *tmp;

	if (!s)
		return;
	s->left = NULL;
	DL_FOREACH_SAFE (s->conns, c, tmp) {
		(void)rpc_out_send(&c->out, c->fd);
		conn_drop(c);
	}
	loop_io_stop(&s->io);
	loop_timer_stop(&s->resume);
	loop_timer_stop(&s->leave);
	if (s->fd >= 0)
		close(s->fd);
	remove_file(s);
	free(s);
}

static void add_grant(struct rpc_server *s, struct grant g)
{
	if (s->grant_count == GRANTS) {
		ed_error("control", "more than %d rows of rights", GRANTS);
		return;
	}
	s->grants[s->grant_count++] = g;
}

void rpc_server_grant_uid(struct rpc_server *s, uid_t uid, unsigned int roles)
{
	add_grant(s, (struct grant){.kind = GRANT_UID, .id = uid, .roles = roles});
}

void rpc_server_grant_gid(struct rpc_server *s, gid_t gid, unsigned int roles)
{
	add_grant(s, (struct grant){.kind = GRANT_GID, .id = gid, .roles = roles});
}

void rpc_server_grant_all(struct rpc_server *s, unsigned int roles)
{
	add_grant(s, (struct grant){.kind = GRANT_ALL, .roles = roles});
}

static int fill_sockaddr(const char *path, struct sockaddr_un *sun)
{
	size_t len = strlen(path);

	*sun = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (len == 0 || len >= sizeof(sun->sun_path))
		return -ENAMETOOLONG;
	memcpy(sun->sun_path, path, len);
	return 0;
}

/* True when a server accepts at sun now. */
static bool somebody_answers(const struct sockaddr_un *sun)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool yes = false;

	if (fd < 0)
		return false;
	if (connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) == 0 ||
	    errno == EAGAIN)
		yes = true;
	close(fd);
	return yes;
}

int rpc_server_listen_fd(struct rpc_server *s, int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	if (listen(fd, 64) < 0)
		return -errno;
	s->fd = fd;
	loop_io_start(s->loop, &s->io, s->fd, LOOP_READ, on_accept, s);
	return 0;
}

int rpc_server_listen(struct rpc_server *s, const char *path)
{
	struct sockaddr_un sun;
	struct stat st;
	int err = fill_sockaddr(path, &sun);
	int fd;

	if (err < 0)
		return err;
	if (somebody_answers(&sun))
		return -EADDRINUSE;
	if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0)
		goto fail;
	/* Nobody can connect before listen(). */
	if (chmod(path, 0666) < 0 || stat(path, &st) < 0)
		goto fail;
	err = rpc_server_listen_fd(s, fd);
	if (err < 0) {
		close(fd);
		return err;
	}
	s->path = ed_strdup(path);
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	return 0;

fail:
	err = -errno;
	close(fd);
	return err;
}

int rpc_server_fd(const struct rpc_server *s)
{
	return s->fd;
}

void rpc_server_push(struct rpc_server *s, unsigned int topic, const char *method,
		     json_t *params)
{
	struct rpc_text *t = NULL;
	struct conn *c;
	struct conn *tmp;

	DL_FOREACH_SAFE (s->conns, c, tmp) {
		if (!(c->topics & 1u << topic))
			continue;
		if (!t) {
			json_t *msg = json_pack("{s:s, s:s, s:O}", "jsonrpc", "2.0",
						"method", method, "params", params);

			t = rpc_text_new(msg);
			json_decref(msg);
		}
		if (c->out.bytes > 0 && c->out.bytes + t->len > s->limits.queue_bytes) {
			drop_slow(c, "does not read what it subscribed to");
			continue;
		}
		if (c->out.bytes == 0)
			c->moved = loop_now(s->loop);
		rpc_out_add(&c->out, t);
		if (!c->busy) {
			c->busy = true;
			conn_leave(c);
		}
	}
	rpc_text_put(t);
	json_decref(params);
}

unsigned int rpc_server_subscribers(const struct rpc_server *s, unsigned int topic)
{
	const struct conn *c;
	unsigned int n = 0;

	DL_FOREACH (s->conns, c)
		if (c->topics & 1u << topic)
			n++;
	return n;
}

void rpc_server_on_leave(struct rpc_server *s,
			 void (*left)(void *ctx, unsigned int topic))
{
	s->left = left;
}

struct rpc_counters rpc_server_counters(const struct rpc_server *s)
{
	return s->counters;
}

/* --- calls ------------------------------------------------------------------------ */

/* Send it as the call's answer, if somebody waits for it, and free the call. */
static void call_finish_text(struct rpc_call *call, struct rpc_text *answer)
{
	struct conn *c = call->conn;

	if (c) {
		DL_DELETE(c->calls, call);
		c->open--;
		conn_queue_text(c, answer);
		/* From inside of conn_run() it leaves with the others. */
		if (!c->busy) {
			c->busy = true;
			bound_queues(c->server);
			conn_leave(c);
		}
	}
	json_decref(call->id);
	free(call);
}

static void call_finish(struct rpc_call *call, json_t *msg)
{
	call_finish_text(call, call->conn ? rpc_text_new(msg) : NULL);
	json_decref(msg);
}

void rpc_call_reply_text(struct rpc_call *call, const char *result)
{
	call_finish_text(call,
			 call->conn ? rpc_text_of_result(call->id, result) : NULL);
}

void rpc_call_reply(struct rpc_call *call, json_t *result)
{
	call_finish(call, json_pack("{s:s, s:O, s:o}", "jsonrpc", "2.0", "id", call->id,
				    "result", result ? result : json_object()));
}

static void __attribute__((format(printf, 4, 0)))
call_verror(struct rpc_call *call, int code, json_t *data, const char *fmt, va_list ap)
{
	char text[ERROR_TEXT_MAX];

	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *p = text; *p; p++)
		if (*p == '\n')
			*p = ' ';
	call_finish(call, error_message(call->id, code, text, data));
}

void rpc_call_error(struct rpc_call *call, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	call_verror(call, code, NULL, fmt, ap);
	va_end(ap);
}

void rpc_call_error_data(struct rpc_call *call, int code, json_t *data, const char *fmt,
			 ...)
{
	va_list ap;

	va_start(ap, fmt);
	call_verror(call, code, data, fmt, ap);
	va_end(ap);
}

void rpc_call_subscribe(struct rpc_call *call, unsigned int topic)
{
	if (call->conn)
		call->conn->topics |= 1u << topic;
}

void rpc_call_unsubscribe(struct rpc_call *call, unsigned int topic)
{
	if (call->conn)
		call->conn->topics &= ~(1u << topic);
}

uid_t rpc_call_uid(const struct rpc_call *call)
{
	return call->uid;
}

unsigned int rpc_call_roles(const struct rpc_call *call)
{
	return call->roles;
}

bool rpc_call_gone(const struct rpc_call *call)
{
	return !call->conn;
}

/* --- parameters -------------------------------------------------------------------- */

static const json_t *param(const json_t *params, const char *name)
{
	const json_t *v = json_object_get(params, name);

	return json_is_null(v) ? NULL : v;
}

bool rpc_param_str(struct rpc_call *call, const json_t *params, const char *name,
		   const char *fallback, const char **ret)
{
	const json_t *v = param(params, name);

	if (v && !json_is_string(v)) {
		rpc_call_error(call, RPC_EPARAMS, "%s must be a text", name);
		return false;
	}
	*ret = v ? json_string_value(v) : fallback;
	return true;
}

bool rpc_param_need_str(struct rpc_call *call, const json_t *params, const char *name,
			const char **ret)
{
	const char *text;

	if (!rpc_param_str(call, params, name, NULL, &text))
		return false;
	if (!text || !*text) {
		rpc_call_error(call, RPC_EPARAMS, "%s is missing", name);
		return false;
	}
	*ret = text;
	return true;
}

bool rpc_param_int(struct rpc_call *call, const json_t *params, const char *name,
		   int64_t fallback, int64_t min, int64_t max, int64_t *ret)
{
	const json_t *v = param(params, name);
	int64_t n = v ? json_integer_value(v) : fallback;

	if (v && !json_is_integer(v)) {
		rpc_call_error(call, RPC_EPARAMS, "%s must be a whole number", name);
		return false;
	}
	if (v && (n < min || n > max)) {
		rpc_call_error(call, RPC_EPARAMS, "%s must be from %lld to %lld", name,
			       (long long)min, (long long)max);
		return false;
	}
	*ret = n;
	return true;
}

bool rpc_param_bool(struct rpc_call *call, const json_t *params, const char *name,
		    bool fallback, bool *ret)
{
	const json_t *v = param(params, name);

	if (v && !json_is_boolean(v)) {
		rpc_call_error(call, RPC_EPARAMS, "%s must be true or false", name);
		return false;
	}
	*ret = v ? json_is_true(v) : fallback;
	return true;
}
