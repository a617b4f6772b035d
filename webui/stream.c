/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/alloc.h"
#include "lib/loop.h"
#include "lib/mono.h"
#include "webui/auth.h"
#include "webui/server.h"
#include "webui/upstream.h"

/* A text on its way, shared. */
struct text_ref {
	unsigned int refs;
	size_t len;
	char bytes[];
};

struct item {
	struct text_ref *text;
	struct item *prev, *next;
};

/* Events of the past that a reader asked for, or all when edged came back. */
struct resume {
	struct streams *streams;
	struct reader *reader; /* NULL: gone, or for all */
	bool for_all;
	int64_t after;
	struct resume *prev, *next;
};

struct reader {
	struct streams *streams;
	struct http_stream *stream;
	struct who who;
	struct text_ref *now; /* being sent */
	size_t sent; /* of it */
	struct mono moved; /* when something was taken last */
	struct item *queue;
	unsigned int queued;
	size_t queued_bytes;
	unsigned int link_seen;
	unsigned int status_seen;
	unsigned int beat_seen;
	bool ending; /* bye, and nothing more */
	bool bye;
	struct reader *prev, *next;
};

struct streams {
	struct loop *loop;
	struct auth *auth;
	struct upstream *upstream;
	struct reader *readers;
	struct text_ref *link;
	struct text_ref *status; /* NULL: not known */
	struct text_ref *beat;
	struct text_ref *bye;
	struct text_ref *gap;
	unsigned int link_seq;
	unsigned int status_seq;
	unsigned int beat_seq;
	unsigned int ticks;
	int64_t last_id; /* of the events sent */
	struct resume *resumes;
	struct loop_timer tick;
	struct stream_counters counters;
};

/* --- texts -------------------------------------------------------------------- */

static struct text_ref *text_new(const char *bytes, size_t len)
{
	struct text_ref *t = ed_alloc(sizeof(*t) + len);

	t->refs = 1;
	t->len = len;
	memcpy(t->bytes, bytes, len);
	return t;
}

static struct text_ref *text_get(struct text_ref *t)
{
	t->refs++;
	return t;
}

static void text_put(struct text_ref *t)
{
	if (t && --t->refs == 0)
		free(t);
}

/* "id: 7\nevent: name\ndata: {...}\n\n"; JSON has no line break in it. */
static struct text_ref *message(const char *name, int64_t id, const json_t *data)
{
	char *json = json_dumps(data, JSON_COMPACT);
	char head[96] = "";
	struct text_ref *t;
	char *all;

	if (id > 0)
		snprintf(head, sizeof(head), "id: %lld\n", (long long)id);
	all = ed_asprintf("%sevent: %s\ndata: %s\n\n", head, name, json ? json : "{}");
	t = text_new(all, strlen(all));
	free(all);
	free(json);
	return t;
}

static struct text_ref *bare_message(const char *name)
{
	json_t *nothing = json_object();
	struct text_ref *t = message(name, 0, nothing);

	json_decref(nothing);
	return t;
}

/* --- a reader ------------------------------------------------------------------- */

static void queue_clear(struct reader *r)
{
	struct item *i;
	struct item *tmp;

	DL_FOREACH_SAFE (r->queue, i, tmp) {
		DL_DELETE(r->queue, i);
		text_put(i->text);
		free(i);
	}
	r->queued = 0;
	r->queued_bytes = 0;
}

/* What is to be sent next, a reference; NULL when there is nothing. */
static struct text_ref *pick(struct reader *r)
{
	struct streams *s = r->streams;
	struct text_ref *t;

	if (r->ending) {
		if (r->bye)
			return NULL;
		r->bye = true;
		return text_get(s->bye);
	}
	if (r->link_seen != s->link_seq) {
		r->link_seen = s->link_seq;
		return text_get(s->link);
	}
	if (r->queue) {
		struct item *i = r->queue;

		DL_DELETE(r->queue, i);
		t = i->text;
		r->queued--;
		r->queued_bytes -= t->len;
		free(i);
		return t;
	}
	if (s->status && r->status_seen != s->status_seq) {
		r->status_seen = s->status_seq;
		r->beat_seen = s->beat_seq;
		return text_get(s->status);
	}
	if (r->beat_seen != s->beat_seq) {
		r->beat_seen = s->beat_seq;
		return text_get(s->beat);
	}
	return NULL;
}

static ssize_t on_read(void *ctx, char *buf, size_t max)
{
	struct reader *r = ctx;
	size_t n = 0;

	r->moved = loop_now(r->streams->loop);
	/* Ends: each round fills the buffer or takes a text. */
	while (n < max) {
		size_t left;

		if (!r->now) {
			r->now = pick(r);
			r->sent = 0;
		}
		if (!r->now)
			break;
		left = r->now->len - r->sent;
		if (left > max - n)
			left = max - n;
		memcpy(buf + n, r->now->bytes + r->sent, left);
		n += left;
		r->sent += left;
		if (r->sent == r->now->len) {
			text_put(r->now);
			r->now = NULL;
		}
	}
	if (n == 0 && r->ending)
		return -1;
	return (ssize_t)n;
}

static void on_closed(void *ctx)
{
	struct reader *r = ctx;
	struct streams *s = r->streams;
	struct resume *p;

	DL_FOREACH (s->resumes, p)
		if (p->reader == r)
			p->reader = NULL;
	DL_DELETE(s->readers, r);
	s->counters.readers--;
	queue_clear(r);
	text_put(r->now);
	free(r);
	if (s->readers)
		return;
	loop_timer_stop(&s->tick);
	if (s->upstream)
		upstream_watch(s->upstream, false);
}

static void drop(struct reader *r)
{
	r->streams->counters.dropped++;
	queue_clear(r);
	r->ending = true;
	r->bye = true;
	http_stream_drop(r->stream);
}

static void enqueue(struct reader *r, struct text_ref *t)
{
	struct item *i;

	if (r->ending)
		return;
	if (r->queued >= STREAM_QUEUE ||
	    r->queued_bytes + t->len > STREAM_QUEUE_BYTES) {
		drop(r);
		return;
	}
	i = ed_alloc(sizeof(*i));
	i->text = text_get(t);
	DL_APPEND(r->queue, i);
	r->queued++;
	r->queued_bytes += t->len;
	http_stream_wake(r->stream);
}

static void ask_past(struct streams *s, struct reader *r, int64_t after);

/* --- all readers ------------------------------------------------------------------- */

static void wake_all(struct streams *s)
{
	struct reader *r;

	DL_FOREACH (s->readers, r)
		http_stream_wake(r->stream);
}

void streams_revise(struct streams *s)
{
	struct reader *r;

	DL_FOREACH (s->readers, r) {
		if (r->ending || auth_still(s->auth, &r->who))
			continue;
		s->counters.ended++;
		queue_clear(r);
		r->ending = true;
		/* Who is in the middle of something gets no more of it. */
		if (http_stream_waits(r->stream))
			http_stream_wake(r->stream);
		else
			http_stream_drop(r->stream);
	}
}

static void on_tick(void *ctx, struct mono now)
{
	struct streams *s = ctx;
	struct reader *r;

	DL_FOREACH (s->readers, r) {
		if (http_stream_waits(r->stream) || r->bye ||
		    mono_diff_ms(now, r->moved) < STREAM_STALL_S * 1000)
			continue;
		drop(r);
	}
	streams_revise(s);
	if (++s->ticks % STREAM_BEAT_TICKS == 0) {
		s->beat_seq++;
		wake_all(s);
	}
	loop_timer_at(s->loop, &s->tick, mono_add_ms(now, STREAM_TICK_MS), on_tick, s);
}

void streams_link(struct streams *s)
{
	json_t *data =
		json_pack("{s:b, s:I, s:s}", "edged", (int)upstream_is_up(s->upstream),
			  "since", (json_int_t)upstream_since(s->upstream), "text",
			  upstream_text(s->upstream));

	text_put(s->link);
	s->link = message("link", 0, data);
	s->link_seq++;
	json_decref(data);
	if (!upstream_is_up(s->upstream)) {
		text_put(s->status);
		s->status = NULL;
	} else if (s->last_id > 0 && s->readers) {
		/* What happened before edged was heard again. */
		ask_past(s, NULL, s->last_id);
	}
	wake_all(s);
}

void streams_status(struct streams *s, const json_t *status)
{
	struct text_ref *t;

	if (!status) {
		text_put(s->status);
		s->status = NULL;
		return;
	}
	t = message("status", 0, status);
	if (s->status && s->status->len == t->len &&
	    strncmp(s->status->bytes, t->bytes, t->len) == 0) {
		text_put(t);
		return;
	}
	text_put(s->status);
	s->status = t;
	s->status_seq++;
	wake_all(s);
}

static int64_t id_of(const json_t *event)
{
	return json_integer_value(json_object_get(event, "id"));
}

void streams_event(struct streams *s, const json_t *event)
{
	struct text_ref *t;
	struct reader *r;

	if (id_of(event) > s->last_id)
		s->last_id = id_of(event);
	if (!s->readers)
		return;
	t = message("event", id_of(event), event);
	DL_FOREACH (s->readers, r)
		enqueue(r, t);
	text_put(t);
}

/* --- events of the past --------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
	int64_t x = id_of(*(json_t *const *)a);
	int64_t y = id_of(*(json_t *const *)b);

	return x < y ? -1 : x > y;
}

static void send_one(struct resume *p, struct text_ref *t)
{
	struct reader *r;

	if (!p->for_all) {
		if (p->reader)
			enqueue(p->reader, t);
		return;
	}
	DL_FOREACH (p->streams->readers, r)
		enqueue(r, t);
}

/* In the order of their numbers, whatever order they came in. */
static void send_rows(struct resume *p, const json_t *rows)
{
	size_t n = json_array_size(rows);
	json_t **v = ed_array(n + 1, sizeof(json_t *));

	for (size_t i = 0; i < n; i++)
		v[i] = json_array_get(rows, i);
	qsort(v, n, sizeof(json_t *), by_id);
	for (size_t i = 0; i < n; i++) {
		int64_t id = id_of(v[i]);
		struct text_ref *t;

		if (id <= p->after)
			continue;
		if (id > p->streams->last_id)
			p->streams->last_id = id;
		t = message("event", id, v[i]);
		send_one(p, t);
		text_put(t);
	}
	free(v);
}

static void on_past(void *ctx, const struct rpc_answer *answer)
{
	struct resume *p = ctx;
	const json_t *rows = json_object_get(answer->result, "events");

	/* A full answer may lack some; an error lacks all. */
	if (answer->code || json_array_size(rows) >= STREAM_RESUME)
		send_one(p, p->streams->gap);
	else
		send_rows(p, rows);
	DL_DELETE(p->streams->resumes, p);
	free(p);
}

static void ask_past(struct streams *s, struct reader *r, int64_t after)
{
	struct resume *p = ed_alloc(sizeof(*p));

	p->streams = s;
	p->reader = r;
	p->for_all = !r;
	p->after = after;
	DL_APPEND(s->resumes, p);
	if (upstream_call(s->upstream, "events.list",
			  json_pack("{s:I, s:i}", "after", (json_int_t)after, "limit",
				    STREAM_RESUME),
			  on_past, p) < 0) {
		send_one(p, s->gap);
		DL_DELETE(s->resumes, p);
		free(p);
	}
}

/* --- the whole ---------------------------------------------------------------------------- */

int streams_add(struct streams *s, struct http_request *request, const struct who *who,
		int64_t after)
{
	static const struct http_stream_ops ops = {.read = on_read,
						   .closed = on_closed};
	static const struct http_header headers[] = {
		{"Content-Type", "text/event-stream"},
		{"Cache-Control", "no-store"},
		{"X-Accel-Buffering", "no"},
		{"Connection", "close"},
	};
	static const char hello[] = "retry: 3000\n\n";
	struct reader *r;

	if (s->counters.readers >= STREAM_READERS)
		return -EBUSY;
	r = ed_alloc(sizeof(*r));
	r->streams = s;
	r->who = *who;
	r->moved = loop_now(s->loop);
	r->now = text_new(hello, sizeof(hello) - 1);
	r->link_seen = s->link_seq - 1;
	r->status_seen = s->status_seq - 1;
	r->beat_seen = s->beat_seq;
	DL_APPEND(s->readers, r);
	s->counters.readers++;
	r->stream = http_stream(request, headers, ARRAY_LEN(headers), &ops, r);
	if (!r->stream)
		return 0;
	upstream_watch(s->upstream, true);
	if (!loop_timer_active(&s->tick))
		loop_timer_at(s->loop, &s->tick,
			      mono_add_ms(loop_now(s->loop), STREAM_TICK_MS), on_tick,
			      s);
	if (after > 0)
		ask_past(s, r, after);
	return 0;
}

struct streams *streams_new(struct loop *loop, struct auth *auth)
{
	struct streams *s = ed_alloc(sizeof(*s));

	s->loop = loop;
	s->auth = auth;
	s->beat = text_new(":\n\n", 3);
	s->bye = bare_message("bye");
	s->gap = bare_message("gap");
	return s;
}

void streams_set_upstream(struct streams *s, struct upstream *u)
{
	s->upstream = u;
	if (u)
		streams_link(s);
}

void streams_free(struct streams *s)
{
	if (!s)
		return;
	loop_timer_stop(&s->tick);
	text_put(s->link);
	text_put(s->status);
	text_put(s->beat);
	text_put(s->bye);
	text_put(s->gap);
	free(s);
}

struct stream_counters streams_counters(const struct streams *s)
{
	return s->counters;
}
