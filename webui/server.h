/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server - HTTP and HTTPS on the loop: the only file that knows libmicrohttpd
 *
 * Whoever uses it makes listening sockets and hands them over; each connection is
 * accepted here, counted, and given to one of two daemons (TLS or not), whose epoll
 * descriptors are watched by the loop. There is no thread.
 *
 * A request comes as a whole (its body too) to ops.request(), which answers now or
 * later by http_reply(), or begins a stream by http_stream(), exactly once. A client
 * that goes away in between is no matter: the answer is then dropped.
 *
 * What slow and hostile clients cost is bounded here (enum server_limits): number of
 * connections, of one address (IPv6: of one /64), of those that nobody has logged in
 * on (the oldest goes when there are too many), bytes of headers and bodies. Times
 * are absolute, not since the last byte: a request must be whole in time, an answer
 * must be taken in time. Streams are watched by their owner.
 */
#ifndef ED_WEBUI_SERVER_H
#define ED_WEBUI_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/addr.h"

struct loop;
struct server;
struct http_request;
struct http_stream;

enum server_limits {
	SERVER_CONNECTIONS = 512,
	SERVER_UNKNOWN = 256, /* of them without a login */
	SERVER_ADDRESS = 128, /* of one address, or of one user of the unix socket */
	SERVER_HEADER_BYTES = 16 * 1024, /* request line and headers */
	SERVER_BODY_BYTES = 8 * 1024,
	SERVER_SEND_BYTES = 64 * 1024, /* the kernel keeps for a client */
	SERVER_FIRST_S = 10, /* from accept to the first request line, TLS included */
	SERVER_REQUEST_S = 10, /* from the request line to the end of the body */
	SERVER_IDLE_S = 30, /* between two requests of a connection */
	SERVER_ANSWER_S = 60, /* until an answer is taken */
	SERVER_SILENT_S = 20, /* sent bytes that nobody acknowledges */
};

enum http_method { HTTP_GET = 1, HTTP_HEAD, HTTP_POST, HTTP_OTHER };

/* Who is at the other end. */
struct http_peer {
	bool tls;
	bool unix_socket;
	uid_t uid; /* of a unix socket's peer */
	int fd; /* to ask the kernel more about that peer */
	struct endpoint remote; /* none for a unix socket */
	struct endpoint local;
};

struct http_header {
	const char *name;
	const char *value;
};

struct server_ops {
	void (*request)(void *ctx, struct http_request *r);
};

struct server_counters {
	uint64_t accepted;
	uint64_t refused; /* over a limit of connections */
	uint64_t evicted; /* made room */
	uint64_t timed_out;
	uint64_t requests;
	unsigned int connections;
};

/*
 * A server without a socket. headers (n, borrowed for its life) are put on every
 * answer of ours. NULL when libmicrohttpd does not start.
 */
struct server *server_new(struct loop *loop, const struct server_ops *ops, void *ctx,
			  const struct http_header *headers, size_t n);

/* Close everything. Requests not answered yet are answered into nothing. */
void server_free(struct server *s);

/*
 * Speak TLS with this certificate and key (PEM texts) from now on; the connections
 * of the one before end. NULL, NULL: no TLS any more.
 *
 * Returns 0, or -EINVAL: GnuTLS does not take them; what was before stays.
 */
int server_tls(struct server *s, const char *certificate, const char *key);

/* Accept on fd, which is the server's from now on. tls needs server_tls() before. */
void server_listen(struct server *s, int fd, bool tls);

/* Stop accepting and close the sockets; connections stay. */
void server_listen_none(struct server *s);

struct server_counters server_counters(const struct server *s);

/* --- a request: what it returns is good until it is answered ---------------- */

enum http_method http_method(const struct http_request *r);

/* As sent, not decoded: before the `?`, and behind it ("" when there is none). */
const char *http_path(const struct http_request *r);
const char *http_query(const struct http_request *r);

/* How often the header is there; *ret is the first one's value, NULL for none. */
unsigned int http_header(const struct http_request *r, const char *name,
			 const char **ret);

/* The body; never NULL, a NUL stands behind it. It is wiped with the request. */
const char *http_body(const struct http_request *r, size_t *ret_len);

const struct http_peer *http_peer(const struct http_request *r);

/* The connection is one of somebody who is logged in. */
void http_trust(struct http_request *r);

enum http_memory { HTTP_STATIC = 1, HTTP_FREE };

/* Answer. body is copied nowhere: it stays (HTTP_STATIC), or is freed (HTTP_FREE). */
void http_reply(struct http_request *r, unsigned int status,
		const struct http_header *headers, size_t n, char *body, size_t len,
		enum http_memory memory);

/* --- a stream --------------------------------------------------------------- */

struct http_stream_ops {
	/*
	 * Up to max bytes into buf: how many; 0 for "nothing now" (http_stream_wake()
	 * when there is); negative for the end.
	 */
	ssize_t (*read)(void *ctx, char *buf, size_t max);
	/* The stream is over, for whatever reason; it is freed behind this call. */
	void (*closed)(void *ctx);
};

/* Answer r with a stream. */
struct http_stream *http_stream(struct http_request *r,
				const struct http_header *headers, size_t n,
				const struct http_stream_ops *ops, void *ctx);

/* There is something to read. */
void http_stream_wake(struct http_stream *st);

/* True while it waits for http_stream_wake(): all it was given has been taken. */
bool http_stream_waits(const struct http_stream *st);

/* Cut the connection; closed() is called soon, from the loop. */
void http_stream_drop(struct http_stream *st);

#endif
