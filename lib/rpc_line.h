/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rpc_line - lines in, lines out, JSON between: what both ends of lib/rpc share
 *
 * Nothing here knows the loop, a request or a role. Input is bounded by the
 * longest line, output by its owner, who looks at rpc_out.bytes.
 */
#ifndef ED_LIB_RPC_LINE_H
#define ED_LIB_RPC_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Bytes received, cut into lines. */
struct rpc_in {
	char *buf;
	size_t head; /* first byte not handed out */
	size_t len; /* bytes in buf */
	size_t cap; /* allocated */
	size_t scanned; /* no newline before this one */
	size_t max; /* longest line */
};

void rpc_in_init(struct rpc_in *in, size_t max_line);
void rpc_in_fini(struct rpc_in *in);

/* Append bytes. Returns 0, or -EMSGSIZE when the open line is too long. */
int rpc_in_bytes(struct rpc_in *in, const void *bytes, size_t len);

/*
 * One read from fd. Returns the bytes read, 0 at the end, -EAGAIN, -EMSGSIZE,
 * or what recv() said.
 */
ssize_t rpc_in_read(struct rpc_in *in, int fd);

/* The next whole line without its newline, valid until the next call; or NULL. */
const char *rpc_in_line(struct rpc_in *in, size_t *ret_len);

/*
 * The JSON object or array of a line, or NULL with a sentence in error: no JSON,
 * not UTF-8, a key twice, or nested deeper than depth.
 */
json_t *rpc_line_decode(const char *line, size_t len, unsigned int depth, char *error,
			size_t error_size);

/* A line to send, shared by the queues it stands in. */
struct rpc_text {
	unsigned int refs;
	size_t len;
	char *bytes;
};

/* Serialise with a newline; one reference for the caller. */
struct rpc_text *rpc_text_new(const json_t *msg);
/* {"jsonrpc": "2.0", "id": id, "result": result}, of a result that is text already. */
struct rpc_text *rpc_text_of_result(const json_t *id, const char *result);
void rpc_text_put(struct rpc_text *t);

struct rpc_out_item;

/* Lines waiting to leave. */
struct rpc_out {
	struct rpc_out_item *first;
	struct rpc_out_item *last;
	size_t sent; /* bytes of first that have left */
	size_t bytes;
};

void rpc_out_fini(struct rpc_out *out);

/* Queue t; takes a reference of its own. */
void rpc_out_add(struct rpc_out *out, struct rpc_text *t);

/*
 * Send what fits. Returns the bytes sent (0 when nothing fits or waits), or a
 * negative errno: the connection is over.
 */
ssize_t rpc_out_send(struct rpc_out *out, int fd);

#endif
