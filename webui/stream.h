/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stream - server-sent events: what edged does, as it happens
 *
 *	event: link	{"edged": true, "since": SECONDS, "text": "..."}: first, and
 *			whenever edged comes or goes
 *	event: status	the whole status, at most once a second; a reader that is slow
 *			gets the newest one only
 *	event: event	an event, with its number as id:; after a reconnect those
 *			behind Last-Event-ID come first (an event may come twice)
 *	event: gap	{}: there were too many to send them: read the lists again
 *	event: bye	{}: the log-in has ended
 *
 * and a comment each 15 s. A text is made once and shared by all readers; a reader
 * owns a queue of events only. Who does not read is cut: when STREAM_QUEUE events
 * wait, or when nothing was taken for STREAM_STALL_S.
 */
#ifndef ED_WEBUI_STREAM_H
#define ED_WEBUI_STREAM_H

#include <jansson.h>
#include <stdint.h>

struct auth;
struct http_request;
struct loop;
struct streams;
struct upstream;
struct who;

enum stream_limits {
	STREAM_READERS = 256,
	STREAM_QUEUE = 256, /* events that wait for one reader */
	STREAM_QUEUE_BYTES = 512 * 1024,
	STREAM_RESUME = 500, /* events sent after a reconnect */
	STREAM_STALL_S = 20,
	STREAM_TICK_MS = 5000,
	STREAM_BEAT_TICKS = 3,
};

struct stream_counters {
	unsigned int readers;
	uint64_t dropped; /* did not read */
	uint64_t ended; /* log-in over */
};

struct streams *streams_new(struct loop *loop, struct auth *auth);
void streams_free(struct streams *s);

/* Where status and events come from, set before the first reader; NULL at the end. */
void streams_set_upstream(struct streams *s, struct upstream *u);

/*
 * Answer r with a stream for who. after: send events behind this number first;
 * 0: none.
 *
 * Returns 0, or -EBUSY: too many readers; r is then not answered.
 */
int streams_add(struct streams *s, struct http_request *r, const struct who *who,
		int64_t after);

/* End the streams of those whose log-in has ended. */
void streams_revise(struct streams *s);

/* What upstream tells. */
void streams_link(struct streams *s);
void streams_status(struct streams *s, const json_t *status);
void streams_event(struct streams *s, const json_t *event);

struct stream_counters streams_counters(const struct streams *s);

#endif
