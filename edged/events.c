/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/events.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edged/control.h"
#include "edged/edged.h"
#include "edged/rpc_json.h"
#include "edged/store.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/text.h"

/*
 * Wall time in microseconds, always later than that of the event before: it is the
 * event's number, too, which grows over restarts and over a database made anew.
 * (The clock may be set back: then it creeps.)
 */
static int64_t next_time_us(void)
{
	static int64_t last;
	struct timespec ts;
	int64_t now;

	clock_gettime(CLOCK_REALTIME, &ts);
	now = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	last = now > last ? now : last + 1;
	return last;
}

static json_t *number_json(const struct event_number *n)
{
	switch (n->type) {
	case EVENT_INT:
		return json_integer(n->i);
	case EVENT_FLOAT:
		return rpc_json_number(n->f);
	case EVENT_TEXT:
		return rpc_json_text(n->s);
	case EVENT_BOOL:
		return json_boolean(n->i);
	case EVENT_END:
		break;
	}
	return json_null();
}

static char *numbers_text(const struct event_number *numbers)
{
	json_t *all = json_object();
	char *text;

	for (int i = 0; numbers && numbers[i].type != EVENT_END; i++) {
		if (i == EVENT_NUMBERS_MAX)
			break;
		json_object_set_new(all, numbers[i].key, number_json(&numbers[i]));
	}
	text = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(16));
	json_decref(all);
	return text;
}

static void write_log(const struct store_event *e)
{
	char buf[EVENT_TEXT_MAX + 200];
	struct text t = text_init(buf, sizeof(buf));
	enum log_level level = LOG_LVL_INFO;

	text_add(&t, "%s", e->kind);
	if (e->from && e->to)
		text_add(&t, " %s -> %s", e->from, e->to);
	else if (e->to)
		text_add(&t, " %s", e->to);
	if (e->reason)
		text_add(&t, ": %s", e->reason);
	if (strcmp(e->kind, EVENT_STORE) == 0)
		level = LOG_LVL_WARN;
	log_write(level, e->subject, "%s", buf);
}

/* A copy that fits a row and is whole UTF-8; NULL for nothing to say. */
static char *clean(const char *text)
{
	json_t *js;
	char *copy;

	if (!text || !*text)
		return NULL;
	js = rpc_json_text(text);
	copy = ed_strdup(json_string_value(js));
	json_decref(js);
	return copy;
}

void event_emit(struct edged *ed, const char *kind, const char *subject,
		const char *from, const char *to, const char *reason,
		const struct event_number *numbers)
{
	char *texts[5] = {clean(subject ? subject : kind), clean(from), clean(to),
			  clean(reason), numbers_text(numbers)};
	int64_t now_us = next_time_us();
	const struct store_event e = {
		.id = now_us,
		.time_us = now_us,
		.kind = kind,
		.subject = texts[0] ? texts[0] : kind,
		.from = texts[1],
		.to = texts[2],
		.reason = texts[3],
		.numbers = texts[4],
	};

	write_log(&e);
	if (ed->store)
		store_event(ed->store, &e);
	if (ed->control)
		control_event(ed->control, rpc_event_json(&e));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(texts[i]);
}
