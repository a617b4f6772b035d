/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rpc - JSON-RPC 2.0 over a Unix socket, one message a line
 *
 * Server and client for programs of one machine. Both live on the loop and
 * never block: a request is answered now or later, by rpc_call_reply() or
 * rpc_call_error(), exactly once.
 *
 * Who may call what: a connection holds a set of roles, bits that the server's
 * owner gives to users and groups (rpc_server_grant_*); the kernel says who the
 * caller is (SO_PEERCRED, SO_PEERGROUPS), the caller never does. A method row
 * names the role it takes. Who holds no role gets one error line and is closed.
 *
 * What is bounded, all by struct rpc_limits: clients (one in eight is left for
 * root), clients of one user other than root, bytes of a line, depth of its JSON,
 * requests not yet answered, and bytes queued towards a client and towards all. No
 * more is read of a connection than it has requests run. Requests of those who are
 * held back (see quick_roles) take half of the time at most, those of one of them an
 * eighth: the loop has other work, and somebody else asks, too. A client that does not read is dropped, never
 * waited for: at once when a notification does not fit, after stall_ms when
 * nothing at all leaves. Batches are refused, requests without an id ignored.
 *
 * Notifications: a connection subscribes to topics (bits, 0 to 31); a message
 * pushed to a topic is serialised once and queued for each subscriber.
 *
 * A line is a JSON object in UTF-8 without a newline in it. Numbers keep their
 * units in their key's name.
 */
#ifndef ED_LIB_RPC_H
#define ED_LIB_RPC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct loop;
struct rpc_server;
struct rpc_client;
struct rpc_call;

/* Error codes: those of JSON-RPC 2.0, then ours. */
enum rpc_code {
	RPC_EPARSE = -32700, /* the line is no JSON, too deep or too long */
	RPC_EREQUEST = -32600, /* JSON, but no request */
	RPC_EMETHOD = -32601, /* no such method */
	RPC_EPARAMS = -32602, /* parameters missing, of a wrong type or value */
	RPC_EINTERNAL = -32603,
	RPC_EDENIED = -32001, /* the caller's roles do not reach */
	RPC_EBUSY = -32002, /* too many clients or open requests, or a job runs */
	RPC_ENOTFOUND = -32003, /* the named thing does not exist */
	RPC_EREFUSED = -32004, /* the configuration was refused; data lists why */
	RPC_EFAILED = -32005, /* tried, did not work */
	RPC_ELAST_ERRNO = -4096, /* above it: a negative errno */
};

/* Zero in a field takes its default. */
struct rpc_limits {
	unsigned int clients; /* connections at once: 64 */
	unsigned int user_clients; /* of one user that is not root: 24 */
	unsigned int open_calls; /* unanswered requests of a connection: 16 */
	unsigned int depth; /* nesting of arrays and objects: 24 */
	size_t line_bytes; /* longest request: 256 KiB */
	unsigned int quick_roles; /* with one of these (and root) nobody is held back */
	unsigned int big_roles; /* with one of these roles a request may have ... */
	size_t big_line_bytes; /* ... so many bytes: 16 MiB */
	size_t queue_bytes; /* queued to a client before it is dropped: 4 MiB */
	size_t all_queue_bytes; /* to all together, else the fullest goes: 16 MiB */
	unsigned int stall_ms; /* nothing leaves for this long: dropped; 10,000 */
};

/*
 * A method. run() gets the params (an object; an empty one when the request
 * had none), borrowed for the call. It answers the call now or keeps it.
 */
struct rpc_method {
	const char *name;
	unsigned int role; /* bits: who holds one of them may call it */
	void (*run)(void *ctx, struct rpc_call *call, const json_t *params);
};

/* --- server ---------------------------------------------------------------- */

/*
 * A server with the n rows of methods (borrowed, they outlive the server);
 * ctx goes to every run(). limits may be NULL.
 */
struct rpc_server *rpc_server_new(struct loop *loop, const struct rpc_method *methods,
				  size_t n, const struct rpc_limits *limits, void *ctx);

/* Close everything. Calls still open are forgotten by their answer. NULL is fine. */
void rpc_server_free(struct rpc_server *s);

/* Give roles to a user, to the members of a group (primary or not), or to all. */
void rpc_server_grant_uid(struct rpc_server *s, uid_t uid, unsigned int roles);
void rpc_server_grant_gid(struct rpc_server *s, gid_t gid, unsigned int roles);
void rpc_server_grant_all(struct rpc_server *s, unsigned int roles);

/*
 * Listen on a socket file. A file left by a dead server is replaced; it is
 * open to everyone (mode 0666), since roles decide.
 *
 * Returns 0, -EADDRINUSE when another server answers there, -ENAMETOOLONG, or
 * what socket, bind, listen said.
 */
int rpc_server_listen(struct rpc_server *s, const char *path);

/* Listen on a socket that is bound already; the server closes it in the end. */
int rpc_server_listen_fd(struct rpc_server *s, int fd);

/*
 * Serve a connection that somebody else accepted (a stream socket, non-blocking);
 * it belongs to the server from now on, whether its user may come in or not.
 */
void rpc_server_adopt(struct rpc_server *s, int fd);

/* The listening socket, for a service manager's store; -1 when there is none. */
int rpc_server_fd(const struct rpc_server *s);

/*
 * Queue a notification for the subscribers of topic (0 to 31). Takes over the
 * reference of params. A subscriber whose queue is full is dropped.
 */
void rpc_server_push(struct rpc_server *s, unsigned int topic, const char *method,
		     json_t *params);

/* How many connections are subscribed to topic: 0 saves the work of a message. */
unsigned int rpc_server_subscribers(const struct rpc_server *s, unsigned int topic);

/* Called after a subscriber of topic has gone; never from inside a run(). */
void rpc_server_on_leave(struct rpc_server *s,
			 void (*left)(void *ctx, unsigned int topic));

struct rpc_counters {
	uint64_t accepted, refused, requests, bad_requests, denied, dropped_slow;
	unsigned int clients;
};

struct rpc_counters rpc_server_counters(const struct rpc_server *s);

/* --- a request ------------------------------------------------------------- */

/* Answer with result and free the call. Takes over the reference; NULL is {}. */
void rpc_call_reply(struct rpc_call *call, json_t *result);

/*
 * The same with JSON that is text already (of one line), which is copied: for an
 * answer so long that making it takes longer than the loop may.
 */
void rpc_call_reply_text(struct rpc_call *call, const char *result);

/* Answer with an error of one line and free the call. */
void rpc_call_error(struct rpc_call *call, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with data beside the sentence. Takes over the reference of data. */
void rpc_call_error_data(struct rpc_call *call, int code, json_t *data, const char *fmt,
			 ...) __attribute__((format(printf, 4, 5)));

/* Subscribe the caller's connection to topic, or end that. */
void rpc_call_subscribe(struct rpc_call *call, unsigned int topic);
void rpc_call_unsubscribe(struct rpc_call *call, unsigned int topic);

/* Who calls. rpc_call_gone(): the connection has ended, only the answer is due. */
uid_t rpc_call_uid(const struct rpc_call *call);
unsigned int rpc_call_roles(const struct rpc_call *call);
bool rpc_call_gone(const struct rpc_call *call);

/*
 * Parameters by name. Missing or null gives the fallback; a wrong type answers
 * the call with RPC_EPARAMS and returns false: the method then just returns.
 * rpc_param_need_str() answers it when the text is missing or empty too.
 */
bool rpc_param_str(struct rpc_call *call, const json_t *params, const char *name,
		   const char *fallback, const char **ret);
bool rpc_param_need_str(struct rpc_call *call, const json_t *params, const char *name,
			const char **ret);
bool rpc_param_int(struct rpc_call *call, const json_t *params, const char *name,
		   int64_t fallback, int64_t min, int64_t max, int64_t *ret);
bool rpc_param_bool(struct rpc_call *call, const json_t *params, const char *name,
		    bool fallback, bool *ret);

/* --- client ---------------------------------------------------------------- */

/* Called from the loop only. Any may be NULL. */
struct rpc_client_ops {
	void (*up)(void *ctx); /* connected; subscribe here */
	void (*down)(void *ctx, int err); /* no connection (any more): negative errno */
	void (*notify)(void *ctx, const char *method, const json_t *params);
};

/*
 * A client of the socket at path. It connects from the loop; with retry_ms it
 * tries again that long after each failure or end, without (0) it stays down.
 * Lines from the server may have up to 64 MiB.
 */
struct rpc_client *rpc_client_new(struct loop *loop, const char *path,
				  unsigned int retry_ms,
				  const struct rpc_client_ops *ops, void *ctx);
void rpc_client_free(struct rpc_client *c);

/* True between up() and down(). */
bool rpc_client_is_up(const struct rpc_client *c);

/*
 * An answer. code is 0 and result set (borrowed), or code is an error of enum
 * rpc_code with its sentence in message and, perhaps, data; a negative errno as
 * down() gets it (-ECONNRESET; -EACCES, -EUSERS: turned away) when the connection
 * ended first.
 */
struct rpc_answer {
	int code;
	const char *message;
	const json_t *data;
	const json_t *result;
};

typedef void rpc_done(void *ctx, const struct rpc_answer *answer);

/*
 * Send a request; done is called once, from the loop. Takes over the reference
 * of params (NULL: none).
 *
 * Returns 0, -ENOTCONN, or -ENOBUFS when more than 4 MiB wait to leave; done is
 * then not called.
 */
int rpc_client_call(struct rpc_client *c, const char *method, json_t *params,
		    rpc_done *done, void *ctx);

#endif
