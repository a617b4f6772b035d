/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection:	accept -> MHD_add_connection() -> on_connection(STARTED) ...
 *			... on_connection(CLOSED): freed
 * A request in it:	on_uri() (request line) -> on_handler() (headers), again per
 *			piece of the body, again at its end: ops.request()
 *			-> answered at once, or suspended until http_reply()
 *			-> on_completed(): freed once it is answered too
 *
 * libmicrohttpd calls only from MHD_run(), which is called only from the loop. A
 * connection that waits (for an answer of ours, for something to stream) is
 * suspended: it then costs nothing, and nothing of it is noticed either, so that
 * whoever suspends has a time limit. What is resumed runs by a timer of ours: with no
 * socket of its own to listen on, libmicrohttpd was seen not to wake its descriptor.
 *
 * Time limits cut the socket under libmicrohttpd (shutdown()), which then finds it
 * closed and cleans up on its own way.
 */
#include "webui/server.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/secret.h"
#include "webui/gate.h"

/* TLS 1.2 and 1.3, forward secrecy, AEAD. */
#define TLS_PRIORITIES                                                             \
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-CIPHER-ALL:" \
	"+AES-256-GCM:+CHACHA20-POLY1305:+AES-128-GCM"

enum {
	ACCEPT_BURST = 32,
	RUNS_AT_ONCE = 12, /* a big answer leaves in as many pieces */
	RUN_DOUBLINGS = 6, /* 64 ms */
	SWEEP_MS = 1000,
	ACCEPT_PAUSE_MS = 200, /* after the kernel had no descriptor for us */
	STREAM_BLOCK = 8 * 1024,
	TCP_PROBE_S = 30,
};

struct engine {
	struct server *server;
	struct MHD_Daemon *mhd;
	struct loop_io io;
	struct loop_timer timer;
	unsigned int
		in_vain; /* runs since the last event that wanted another at once */
};

struct listener {
	struct server *server;
	int fd;
	bool tls;
	struct loop_io io;
	struct listener *prev, *next;
};

struct conn {
	struct server *server;
	struct engine *engine;
	struct MHD_Connection *mhd;
	struct http_peer peer;
	struct prefix key; /* what counts as one address */
	struct mono deadline;
	bool trusted;
	struct http_request *req;
	struct conn *prev, *next;
};

struct http_request {
	struct conn *conn; /* NULL: the client has gone */
	struct http_stream *stream;
	struct MHD_Response *response; /* to be queued */
	unsigned int status;
	enum http_method method;
	bool begun; /* the handler was called for it */
	bool handed; /* ops.request() has it, until it is answered */
	bool running; /* inside of ops.request() */
	bool suspended;
	bool answered; /* nobody holds it any more */
	char *path;
	char *query; /* in path's memory */
	char *body;
	size_t body_len;
	size_t body_cap;
};

struct http_stream {
	struct http_request *req;
	struct http_stream_ops ops;
	void *ctx;
	bool waits;
	bool dropped;
};

struct server {
	struct loop *loop;
	struct server_ops ops;
	void *ctx;
	const struct http_header *headers;
	size_t n_headers;
	struct engine *plain;
	struct engine *tls;
	struct listener *listeners;
	struct conn *conns; /* the oldest first */
	struct conn *accepting;
	struct loop_timer sweep;
	struct loop_timer pause;
	struct ratelimit log_limit;
	struct server_counters counters;
};

/* --- engines -------------------------------------------------------------- */

static void on_engine_timer(void *ctx, struct mono now);

/*
 * When to run again without an event. While a TLS handshake waits for its peer,
 * libmicrohttpd 0.9.75 wants to run at once, for ever: after a few times it waits a
 * little, longer each time. What the peer sends is an event and wakes it at once.
 */
static int64_t next_ms(struct engine *e, int64_t wanted_ms)
{
	unsigned int over;

	if (wanted_ms > 0 || e->in_vain++ < RUNS_AT_ONCE)
		return wanted_ms;
	over = e->in_vain - RUNS_AT_ONCE;
	return over < RUN_DOUBLINGS ? INT64_C(1) << over : INT64_C(1) << RUN_DOUBLINGS;
}

static void engine_run(struct engine *e)
{
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(e->mhd);
	if (MHD_get_timeout(e->mhd, &ms) == MHD_YES)
		loop_timer_at(e->server->loop, &e->timer,
			      mono_add_ms(loop_now(e->server->loop),
					  next_ms(e, (int64_t)ms)),
			      on_engine_timer, e);
	else
		loop_timer_stop(&e->timer);
}

static void on_engine_timer(void *ctx, struct mono now)
{
	(void)now;
	engine_run(ctx);
}

static void on_engine_io(void *ctx, int fd, unsigned int events)
{
	struct engine *e = ctx;

	(void)fd;
	(void)events;
	e->in_vain = 0;
	engine_run(e);
}

static enum MHD_Result on_handler(void *cls, struct MHD_Connection *connection,
				  const char *url, const char *method,
				  const char *version, const char *upload,
				  size_t *upload_size, void **req_cls);
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection);
static void on_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
			 enum MHD_RequestTerminationCode why);
static void on_connection(void *cls, struct MHD_Connection *connection,
			  void **socket_context,
			  enum MHD_ConnectionNotificationCode what);

static void __attribute__((format(printf, 2, 0)))
on_log(void *cls, const char *fmt, va_list ap)
{
	struct server *s = cls;
	char text[256];
	size_t len;

	if (!ratelimit_take(&s->log_limit, loop_now(s->loop)))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	len = strlen(text);
	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	ed_debug("http", "%s", text);
}

/* Paths and queries are decoded by who knows what they mean. */
static size_t keep_escaped(void *cls, struct MHD_Connection *connection, char *s)
{
	(void)cls;
	(void)connection;
	return strlen(s);
}

static struct engine *engine_new(struct server *s, const char *certificate,
				 const char *key)
{
	unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME |
			     MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, s},
		{MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escaped, NULL},
		{MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_uri, s},
		{MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
		{MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, SERVER_HEADER_BYTES, NULL},
		{MHD_OPTION_CONNECTION_LIMIT, 2 * SERVER_CONNECTIONS, NULL},
		{MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
		{MHD_OPTION_END, 0, NULL}, /* room for the three of TLS */
		{MHD_OPTION_END, 0, NULL},
		{MHD_OPTION_END, 0, NULL},
		{MHD_OPTION_END, 0, NULL},
	};
	struct MHD_OptionItem *more = &options[ARRAY_LEN(options) - 4];
	const union MHD_DaemonInfo *info;
	struct engine *e = ed_alloc(sizeof(*e));
	/* libmicrohttpd does not write to them. */
	static char priorities[] = TLS_PRIORITIES;

	e->server = s;
	if (certificate) {
		flags |= MHD_USE_TLS;
		more[0] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0,
						  ed_strdup(certificate)};
		more[1] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0,
						  ed_strdup(key)};
		more[2] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0,
						  priorities};
	}
	e->mhd = MHD_start_daemon(flags, 0, NULL, NULL, on_handler, s, MHD_OPTION_ARRAY,
				  options, MHD_OPTION_END);
	if (certificate) {
		/* Read by GnuTLS at the start; the texts are not kept. */
		secret_wipe(more[1].ptr_value, strlen(more[1].ptr_value));
		free(more[1].ptr_value);
		free(more[0].ptr_value);
	}
	if (!e->mhd) {
		free(e);
		return NULL;
	}
	info = MHD_get_daemon_info(e->mhd, MHD_DAEMON_INFO_EPOLL_FD);
	loop_io_start(s->loop, &e->io, info->epoll_fd, LOOP_READ, on_engine_io, e);
	return e;
}

static void resume(struct http_request *r)
{
	struct engine *e;

	if (!r->suspended || !r->conn)
		return;
	r->suspended = false;
	MHD_resume_connection(r->conn->mhd);
	e = r->conn->engine;
	loop_timer_at(e->server->loop, &e->timer, loop_now(e->server->loop),
		      on_engine_timer, e);
}

static void engine_free(struct engine *e)
{
	struct conn *c;

	if (!e)
		return;
	/* A daemon must not stop with connections suspended. */
	DL_FOREACH (e->server->conns, c)
		if (c->engine == e && c->req)
			resume(c->req);
	loop_io_stop(&e->io);
	loop_timer_stop(&e->timer);
	MHD_stop_daemon(e->mhd);
	free(e);
}

/* --- connections ------------------------------------------------------------ */

static void cut(struct conn *c)
{
	c->deadline = MONO_NEVER;
	(void)shutdown(c->peer.fd, SHUT_RDWR);
	/* Suspended ones learn of it by running again. */
	if (c->req && c->req->stream)
		http_stream_wake(c->req->stream);
}

static void on_sweep(void *ctx, struct mono now)
{
	struct server *s = ctx;
	struct conn *c;

	DL_FOREACH (s->conns, c) {
		if (!mono_due(c->deadline, now))
			continue;
		s->counters.timed_out++;
		cut(c);
	}
	if (s->conns)
		loop_timer_at(s->loop, &s->sweep, mono_add_ms(now, SWEEP_MS), on_sweep,
			      s);
}

static void set_deadline(struct conn *c, int64_t seconds)
{
	c->deadline = mono_add_ms(loop_now(c->server->loop), seconds * 1000);
}

static void on_connection(void *cls, struct MHD_Connection *connection,
			  void **socket_context,
			  enum MHD_ConnectionNotificationCode what)
{
	struct server *s = cls;
	struct conn *c = *socket_context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		*socket_context = s->accepting;
		if (s->accepting)
			s->accepting->mhd = connection;
		return;
	}
	if (!c)
		return;
	DL_DELETE(s->conns, c);
	s->counters.connections--;
	free(c);
}

static struct prefix key_of(const struct http_peer *p)
{
	const struct addr *a = &p->remote.addr;
	struct prefix none = {.len = 0};

	if (p->unix_socket)
		return none;
	return prefix_of(a, a->family == AF_INET6 ? 64 : 32);
}

static bool same_source(const struct conn *a, const struct conn *b)
{
	if (a->peer.unix_socket != b->peer.unix_socket)
		return false;
	return a->peer.unix_socket ? a->peer.uid == b->peer.uid
				   : prefix_equal(&a->key, &b->key);
}

/* True when there is room for c; may cut the oldest connection that nobody knows. */
static bool admit(struct server *s, const struct conn *c)
{
	struct conn *oldest = NULL;
	unsigned int unknown = 0;
	unsigned int same = 0;
	struct conn *o;

	DL_FOREACH (s->conns, o) {
		same += same_source(o, c);
		if (o->trusted || mono_is_never(o->deadline))
			continue;
		unknown++;
		if (!oldest)
			oldest = o;
	}
	if (same >= SERVER_ADDRESS || s->counters.connections >= SERVER_CONNECTIONS)
		return false;
	if (unknown >= SERVER_UNKNOWN && oldest) {
		s->counters.evicted++;
		cut(oldest);
	}
	return true;
}

static void fill_peer(struct http_peer *p, int fd, const struct sockaddr_storage *ss)
{
	struct sockaddr_storage local = {0};
	socklen_t len = sizeof(local);
	struct ucred cred = {.uid = (uid_t)-1};
	socklen_t cred_len = sizeof(cred);
	const int one = 1;
	const int send_bytes = SERVER_SEND_BYTES / 2; /* the kernel doubles it */
	const unsigned int silent_ms = SERVER_SILENT_S * 1000;
	const int probe_s = TCP_PROBE_S;

	p->fd = fd;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &send_bytes, sizeof(send_bytes));
	if (p->unix_socket) {
		(void)getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &cred_len);
		p->uid = cred.uid;
		return;
	}
	(void)endpoint_from_sockaddr(ss, &p->remote);
	if (getsockname(fd, (struct sockaddr *)&local, &len) == 0)
		(void)endpoint_from_sockaddr(&local, &p->local);
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &probe_s, sizeof(probe_s));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silent_ms,
			 sizeof(silent_ms));
}

static void take(struct server *s, struct engine *e, int fd, bool tls,
		 const struct sockaddr_storage *ss, socklen_t len)
{
	struct conn *c = ed_alloc(sizeof(*c));
	enum MHD_Result ok;

	c->server = s;
	c->engine = e;
	c->peer.tls = tls;
	c->peer.unix_socket = ss->ss_family == AF_UNIX;
	fill_peer(&c->peer, fd, ss);
	c->key = key_of(&c->peer);
	if (!e || !admit(s, c)) {
		s->counters.refused++;
		close(fd);
		free(c);
		return;
	}
	s->counters.accepted++;
	s->counters.connections++;
	set_deadline(c, SERVER_FIRST_S);
	DL_APPEND(s->conns, c);
	s->accepting = c;
	ok = MHD_add_connection(e->mhd, fd, (const struct sockaddr *)ss, len);
	s->accepting = NULL;
	if (ok != MHD_YES && !c->mhd) {
		/* It closed the socket and told nobody. */
		DL_DELETE(s->conns, c);
		s->counters.connections--;
		free(c);
		return;
	}
	if (!loop_timer_active(&s->sweep))
		loop_timer_at(s->loop, &s->sweep,
			      mono_add_ms(loop_now(s->loop), SWEEP_MS), on_sweep, s);
}

static void on_accept(void *ctx, int fd, unsigned int events);

static void listeners_start(struct server *s)
{
	struct listener *l;

	DL_FOREACH (s->listeners, l)
		loop_io_start(s->loop, &l->io, l->fd, LOOP_READ, on_accept, l);
}

static void on_pause_over(void *ctx, struct mono now)
{
	(void)now;
	listeners_start(ctx);
}

static void accept_pause(struct server *s)
{
	struct listener *l;

	DL_FOREACH (s->listeners, l)
		loop_io_stop(&l->io);
	loop_timer_at(s->loop, &s->pause,
		      mono_add_ms(loop_now(s->loop), ACCEPT_PAUSE_MS), on_pause_over,
		      s);
}

static void on_accept(void *ctx, int fd, unsigned int events)
{
	struct listener *l = ctx;
	struct server *s = l->server;

	(void)events;
	for (int i = 0; i < ACCEPT_BURST; i++) {
		struct sockaddr_storage ss = {0};
		socklen_t len = sizeof(ss);
		int c = accept4(fd, (struct sockaddr *)&ss, &len,
				SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (c < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
			    errno == ENOBUFS)
				accept_pause(s);
			return;
		}
		/* The engine learns of it at once, and runs it with the others. */
		take(s, l->tls ? s->tls : s->plain, c, l->tls, &ss, len);
	}
}

/* --- requests ---------------------------------------------------------------- */

static void request_free(struct http_request *r)
{
	secret_wipe(r->body, r->body_cap);
	free(r->body);
	free(r->path);
	if (r->response)
		MHD_destroy_response(r->response);
	free(r);
}

static struct conn *conn_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* The request line is there: the request begins. */
static void *on_uri(void *cls, const char *uri, struct MHD_Connection *connection)
{
	struct conn *c = conn_of(connection);
	struct http_request *r;
	char *mark;

	(void)cls;
	if (!c)
		return NULL;
	r = ed_alloc(sizeof(*r));
	r->conn = c;
	r->path = ed_strdup(uri);
	mark = strchr(r->path, '?');
	if (mark)
		*mark = '\0';
	r->query = mark ? mark + 1 : r->path + strlen(r->path);
	c->req = r;
	/* One of several sent at once: no event told of it. */
	c->engine->in_vain = 0;
	set_deadline(c, SERVER_REQUEST_S);
	return r;
}

static enum MHD_Result queue_answer(struct http_request *r)
{
	struct MHD_Response *response = r->response;
	enum MHD_Result ok;

	r->response = NULL;
	if (r->stream)
		r->conn->deadline = MONO_NEVER;
	else
		set_deadline(r->conn, SERVER_ANSWER_S);
	ok = MHD_queue_response(r->conn->mhd, r->status, response);
	MHD_destroy_response(response);
	return ok;
}

static enum http_method method_of(const char *method)
{
	if (strcmp(method, "GET") == 0)
		return HTTP_GET;
	if (strcmp(method, "HEAD") == 0)
		return HTTP_HEAD;
	return strcmp(method, "POST") == 0 ? HTTP_POST : HTTP_OTHER;
}

static struct MHD_Response *empty(void)
{
	static char nothing[1];

	return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
}

static void add_headers(const struct server *s, struct MHD_Response *response,
			const struct http_header *headers, size_t n)
{
	for (size_t i = 0; i < s->n_headers; i++)
		MHD_add_response_header(response, s->headers[i].name,
					s->headers[i].value);
	for (size_t i = 0; i < n; i++)
		MHD_add_response_header(response, headers[i].name, headers[i].value);
}

static enum MHD_Result is_clean(void *cls, enum MHD_ValueKind kind, const char *name,
				size_t name_len, const char *value, size_t value_len)
{
	bool *clean = cls;

	(void)kind;
	*clean = *clean && gate_header_clean(name, name_len, value, value_len);
	return MHD_YES;
}

/* libmicrohttpd lets pass what RFC 9112 section 5 refuses. */
static bool headers_are_clean(const struct http_request *r)
{
	bool clean = true;

	MHD_get_connection_values_n(r->conn->mhd, MHD_HEADER_KIND, is_clean, &clean);
	return clean;
}

/* The headers are there. Whatever is answered here ends the connection. */
static enum MHD_Result begin(struct http_request *r)
{
	const char *length;
	const char *coding;
	unsigned int lengths = http_header(r, "Content-Length", &length);
	unsigned int status = 0;

	r->begun = true;
	if (!headers_are_clean(r))
		status = MHD_HTTP_BAD_REQUEST;
	else if (http_header(r, "Transfer-Encoding", &coding) > 0)
		status = MHD_HTTP_LENGTH_REQUIRED;
	else if (lengths > 1 ||
		 (lengths == 1 &&
		  (strlen(length) > 9 ||
		   strspn(length, "0123456789") != strlen(length) || !*length)))
		status = MHD_HTTP_BAD_REQUEST;
	else if (lengths == 1 && strtoul(length, NULL, 10) > SERVER_BODY_BYTES)
		status = MHD_HTTP_CONTENT_TOO_LARGE;
	if (status == 0)
		return MHD_YES;
	r->answered = true;
	r->status = status;
	r->response = empty();
	add_headers(r->conn->server, r->response, NULL, 0);
	MHD_add_response_header(r->response, "Connection", "close");
	return queue_answer(r);
}

static enum MHD_Result take_body(struct http_request *r, const char *upload, size_t len)
{
	if (len > SERVER_BODY_BYTES - r->body_len)
		return MHD_NO;
	if (!r->body) {
		r->body_cap = SERVER_BODY_BYTES + 1;
		r->body = ed_alloc(r->body_cap);
	}
	memcpy(r->body + r->body_len, upload, len);
	r->body_len += len;
	return MHD_YES;
}

static enum MHD_Result on_handler(void *cls, struct MHD_Connection *connection,
				  const char *url, const char *method,
				  const char *version, const char *upload,
				  size_t *upload_size, void **req_cls)
{
	struct server *s = cls;
	struct http_request *r = *req_cls;

	(void)url;
	(void)version;
	(void)connection;
	if (!r)
		return MHD_NO;
	if (!r->begun) {
		r->method = method_of(method);
		return begin(r);
	}
	if (r->response)
		return queue_answer(r);
	if (*upload_size > 0) {
		enum MHD_Result ok = take_body(r, upload, *upload_size);

		*upload_size = 0;
		return ok;
	}
	s->counters.requests++;
	r->conn->deadline = MONO_NEVER;
	r->handed = true;
	r->running = true;
	s->ops.request(s->ctx, r);
	r->running = false;
	if (r->response)
		return queue_answer(r);
	r->suspended = true;
	MHD_suspend_connection(connection);
	return MHD_YES;
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
			 enum MHD_RequestTerminationCode why)
{
	struct http_request *r = *req_cls;
	struct http_stream *st;

	(void)cls;
	(void)connection;
	(void)why;
	if (!r)
		return;
	*req_cls = NULL;
	if (r->conn) {
		r->conn->req = NULL;
		set_deadline(r->conn, SERVER_IDLE_S);
	}
	r->conn = NULL;
	st = r->stream;
	if (st) {
		st->ops.closed(st->ctx);
		free(st);
	}
	/* Otherwise its answer frees it. */
	if (r->answered || !r->handed)
		request_free(r);
}

static void answer(struct http_request *r, unsigned int status,
		   struct MHD_Response *response)
{
	r->answered = true;
	if (!r->conn) {
		r->response = response;
		request_free(r);
		return;
	}
	r->status = status;
	r->response = response;
	if (!r->running)
		resume(r);
}

void http_reply(struct http_request *r, unsigned int status,
		const struct http_header *headers, size_t n, char *body, size_t len,
		enum http_memory memory)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(len, body,
						memory == HTTP_FREE
							? MHD_RESPMEM_MUST_FREE
							: MHD_RESPMEM_PERSISTENT);

	if (r->conn)
		add_headers(r->conn->server, response, headers, n);
	answer(r, status, response);
}

enum http_method http_method(const struct http_request *r)
{
	return r->method;
}

const char *http_path(const struct http_request *r)
{
	return r->path;
}

const char *http_query(const struct http_request *r)
{
	return r->query;
}

struct lookup {
	const char *name;
	const char *first;
	unsigned int n;
};

static enum MHD_Result each_header(void *cls, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	struct lookup *l = cls;

	(void)kind;
	if (strcasecmp(name, l->name) == 0 && l->n++ == 0)
		l->first = value ? value : "";
	return MHD_YES;
}

unsigned int http_header(const struct http_request *r, const char *name,
			 const char **ret)
{
	struct lookup l = {.name = name};

	if (r->conn)
		MHD_get_connection_values(r->conn->mhd, MHD_HEADER_KIND, each_header,
					  &l);
	*ret = l.first;
	return l.n;
}

const char *http_body(const struct http_request *r, size_t *ret_len)
{
	*ret_len = r->body_len;
	return r->body ? r->body : "";
}

const struct http_peer *http_peer(const struct http_request *r)
{
	static const struct http_peer nobody = {.fd = -1, .uid = (uid_t)-1};

	return r->conn ? &r->conn->peer : &nobody;
}

void http_trust(struct http_request *r)
{
	if (r->conn)
		r->conn->trusted = true;
}

/* --- streams ------------------------------------------------------------------ */

static ssize_t on_stream_read(void *cls, uint64_t pos, char *buf, size_t max)
{
	struct http_stream *st = cls;
	ssize_t n;

	(void)pos;
	if (st->dropped)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	n = st->ops.read(st->ctx, buf, max);
	if (n < 0)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (n == 0) {
		st->waits = true;
		st->req->suspended = true;
		MHD_suspend_connection(st->req->conn->mhd);
	}
	return n;
}

struct http_stream *http_stream(struct http_request *r,
				const struct http_header *headers, size_t n,
				const struct http_stream_ops *ops, void *ctx)
{
	struct http_stream *st = ed_alloc(sizeof(*st));
	struct MHD_Response *response;

	st->req = r;
	st->ops = *ops;
	st->ctx = ctx;
	if (!r->conn) {
		/* Gone before it began. */
		r->answered = true;
		request_free(r);
		ops->closed(ctx);
		free(st);
		return NULL;
	}
	r->stream = st;
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK,
						     on_stream_read, st, NULL);
	add_headers(r->conn->server, response, headers, n);
	answer(r, MHD_HTTP_OK, response);
	return st;
}

void http_stream_wake(struct http_stream *st)
{
	if (!st->waits)
		return;
	st->waits = false;
	resume(st->req);
}

bool http_stream_waits(const struct http_stream *st)
{
	return st->waits;
}

void http_stream_drop(struct http_stream *st)
{
	st->dropped = true;
	if (st->req->conn)
		cut(st->req->conn);
}

/* --- the server ----------------------------------------------------------------- */

struct server *server_new(struct loop *loop, const struct server_ops *ops, void *ctx,
			  const struct http_header *headers, size_t n)
{
	struct server *s = ed_alloc(sizeof(*s));

	s->loop = loop;
	s->ops = *ops;
	s->ctx = ctx;
	s->headers = headers;
	s->n_headers = n;
	s->log_limit = ratelimit_init(10, MONO_US_PER_S);
	s->plain = engine_new(s, NULL, NULL);
	if (!s->plain) {
		free(s);
		return NULL;
	}
	return s;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	server_listen_none(s);
	engine_free(s->plain);
	engine_free(s->tls);
	loop_timer_stop(&s->sweep);
	loop_timer_stop(&s->pause);
	free(s);
}

int server_tls(struct server *s, const char *certificate, const char *key)
{
	struct engine *e = NULL;
	struct engine *old = s->tls;

	if (certificate) {
		e = engine_new(s, certificate, key);
		if (!e)
			return -EINVAL;
	}
	s->tls = e;
	engine_free(old);
	return 0;
}

void server_listen(struct server *s, int fd, bool tls)
{
	struct listener *l = ed_alloc(sizeof(*l));

	l->server = s;
	l->fd = fd;
	l->tls = tls;
	DL_APPEND(s->listeners, l);
	loop_io_start(s->loop, &l->io, fd, LOOP_READ, on_accept, l);
}

void server_listen_none(struct server *s)
{
	struct listener *l;
	struct listener *tmp;

	loop_timer_stop(&s->pause);
	DL_FOREACH_SAFE (s->listeners, l, tmp) {
		DL_DELETE(s->listeners, l);
		loop_io_stop(&l->io);
		close(l->fd);
		free(l);
	}
}

struct server_counters server_counters(const struct server *s)
{
	return s->counters;
}
