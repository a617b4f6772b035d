/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/rpc_line.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/alloc.h"

enum {
	READ_BYTES = 64 * 1024, /* of one recv(): the burst of one event */
	SPARE_BYTES = 256 * 1024, /* kept by an empty buffer */
	SEND_LINES = 64, /* lines of one rpc_out_send() */
};

void rpc_in_init(struct rpc_in *in, size_t max_line)
{
	*in = (struct rpc_in){.max = max_line};
}

void rpc_in_fini(struct rpc_in *in)
{
	free(in->buf);
	*in = (struct rpc_in){.max = in->max};
}

/* Room for more bytes behind len; what was handed out makes room first. */
static void make_room(struct rpc_in *in, size_t more)
{
	size_t cap;

	/* A long line is over: give its memory back. */
	if (in->head == in->len && in->cap > SPARE_BYTES)
		rpc_in_fini(in);
	cap = in->cap ? in->cap : 4096;
	if (in->head > 0) {
		memmove(in->buf, in->buf + in->head, in->len - in->head);
		in->len -= in->head;
		in->scanned -= in->head;
		in->head = 0;
	}
	while (cap < in->len + more)
		cap *= 2;
	if (cap != in->cap) {
		in->buf = ed_realloc(in->buf, cap, 1);
		in->cap = cap;
	}
}

/* Look for a newline in what is new; without one the open line must fit. */
static int check_line(struct rpc_in *in)
{
	if (in->len - in->head <= in->max)
		return 0;
	if (memchr(in->buf + in->scanned, '\n', in->len - in->scanned))
		return 0;
	return -EMSGSIZE;
}

int rpc_in_bytes(struct rpc_in *in, const void *bytes, size_t len)
{
	if (len == 0)
		return 0;
	make_room(in, len);
	memcpy(in->buf + in->len, bytes, len);
	in->len += len;
	return check_line(in);
}

ssize_t rpc_in_read(struct rpc_in *in, int fd)
{
	ssize_t n;
	int err;

	make_room(in, READ_BYTES);
	do {
		n = recv(fd, in->buf + in->len, READ_BYTES, MSG_DONTWAIT);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EWOULDBLOCK ? -EAGAIN : -errno;
	in->len += (size_t)n;
	err = check_line(in);
	return err < 0 ? err : n;
}

const char *rpc_in_line(struct rpc_in *in, size_t *ret_len)
{
	const char *line;
	char *nl = NULL;

	if (in->len > in->scanned)
		nl = memchr(in->buf + in->scanned, '\n', in->len - in->scanned);
	if (!nl) {
		in->scanned = in->len;
		return NULL;
	}
	line = in->buf + in->head;
	*ret_len = (size_t)(nl - line);
	in->head = (size_t)(nl - in->buf) + 1;
	in->scanned = in->head;
	return line;
}

/* How deep arrays and objects nest, not looking into strings. */
static bool too_deep(const char *line, size_t len, unsigned int depth)
{
	bool in_string = false;
	unsigned int at = 0;

	for (size_t i = 0; i < len; i++) {
		char c = line[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '[' || c == '{') {
			if (++at > depth)
				return true;
		} else if ((c == ']' || c == '}') && at > 0) {
			at--;
		}
	}
	return false;
}

json_t *rpc_line_decode(const char *line, size_t len, unsigned int depth, char *error,
			size_t error_size)
{
	json_error_t why;
	json_t *msg;

	if (too_deep(line, len, depth)) {
		snprintf(error, error_size, "nested deeper than %u", depth);
		return NULL;
	}
	msg = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (!msg)
		snprintf(error, error_size, "no JSON: %s (column %d)", why.text,
			 why.column);
	return msg;
}

struct rpc_text *rpc_text_new(const json_t *msg)
{
	struct rpc_text *t = ed_alloc(sizeof(*t));
	size_t len = json_dumpb(msg, NULL, 0, JSON_COMPACT);

	t->bytes = ed_alloc(len + 1);
	t->len = len + 1;
	t->refs = 1;
	/* What we built ourselves always serialises; an empty object if not. */
	if (len == 0 || json_dumpb(msg, t->bytes, len, JSON_COMPACT) != len) {
		free(t->bytes);
		t->bytes = ed_strdup("{}\n");
		t->len = 3;
		return t;
	}
	t->bytes[len] = '\n';
	return t;
}

struct rpc_text *rpc_text_of_result(const json_t *id, const char *result)
{
	struct rpc_text *t = ed_alloc(sizeof(*t));
	char *name = json_dumps(id, JSON_COMPACT | JSON_ENCODE_ANY);

	t->refs = 1;
	t->bytes = ed_asprintf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":%s}\n",
			       name ? name : "null", result);
	t->len = strlen(t->bytes);
	free(name);
	return t;
}

void rpc_text_put(struct rpc_text *t)
{
	if (!t || --t->refs > 0)
		return;
	free(t->bytes);
	free(t);
}

struct rpc_out_item {
	struct rpc_text *text;
	struct rpc_out_item *next;
};

static void drop_first(struct rpc_out *out)
{
	struct rpc_out_item *item = out->first;

	out->first = item->next;
	if (!out->first)
		out->last = NULL;
	out->bytes -= item->text->len - out->sent;
	out->sent = 0;
	rpc_text_put(item->text);
	free(item);
}

void rpc_out_fini(struct rpc_out *out)
{
	while (out->first)
		drop_first(out);
}

void rpc_out_add(struct rpc_out *out, struct rpc_text *t)
{
	struct rpc_out_item *item = ed_alloc(sizeof(*item));

	item->text = t;
	t->refs++;
	if (out->last)
		out->last->next = item;
	else
		out->first = item;
	out->last = item;
	out->bytes += t->len;
}

ssize_t rpc_out_send(struct rpc_out *out, int fd)
{
	ssize_t total = 0;

	/* Ends: each round sends a line whole, or returns. */
	for (unsigned int i = 0; out->first && i < SEND_LINES; i++) {
		const struct rpc_text *t = out->first->text;
		ssize_t n = send(fd, t->bytes + out->sent, t->len - out->sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 &&
		    (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return total;
		if (n < 0)
			return -errno;
		total += n;
		if ((size_t)n < t->len - out->sent) {
			out->sent += (size_t)n;
			out->bytes -= (size_t)n;
			return total;
		}
		drop_first(out);
	}
	return total;
}
