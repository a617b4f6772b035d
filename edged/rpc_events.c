/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of the past, from the database: asked by its thread, answered later. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "edged/edged.h"
#include "edged/rpc_json.h"
#include "edged/store.h"
#include "lib/alloc.h"
#include "lib/rpc.h"

/* RFC 3339 in UTC with milliseconds; buf has 40 bytes. */
static const char *time_text(int64_t time_us, char *buf)
{
	time_t s = (time_t)(time_us / 1000000);
	struct tm tm;
	char day[24];

	if (!gmtime_r(&s, &tm) || !strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm))
		day[0] = '\0';
	snprintf(buf, 40, "%s.%03dZ", day, (int)(time_us / 1000 % 1000));
	return buf;
}

json_t *rpc_event_json(const struct store_event *e)
{
	json_t *numbers = e->numbers ? json_loads(e->numbers, 0, NULL) : NULL;
	char when[40];

	return json_pack("{s:f, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "time",
			 (double)e->time_us / 1e6, "time_text",
			 time_text(e->time_us, when), "kind", rpc_json_text(e->kind),
			 "subject", rpc_json_text(e->subject), "from",
			 rpc_json_text(e->from), "to", rpc_json_text(e->to), "reason",
			 rpc_json_text(e->reason), "numbers",
			 numbers ? numbers : json_object());
}

static const char *why_not(int err)
{
	if (err == -ECANCELED)
		return "edged is stopping";
	if (err == -ENODATA)
		return "the database cannot be read at the moment";
	return "the database could not be read";
}

static void events_done(void *ctx, int err, const struct store_event *rows, size_t n)
{
	struct rpc_call *call = ctx;
	json_t *list;

	if (err) {
		rpc_call_error(call, RPC_EFAILED, "%s", why_not(err));
		return;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, rpc_event_json(&rows[i]));
	rpc_call_reply(call, rpc_json_answer("events", list));
}

void rpc_events_list(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	struct store_filter f = {0};
	int64_t since_s;
	int64_t until_s;
	int64_t limit;

	if (!rpc_param_int(call, params, "since", 0, 0, INT32_MAX * 4LL, &since_s) ||
	    !rpc_param_int(call, params, "until", 0, 0, INT32_MAX * 4LL, &until_s) ||
	    !rpc_param_int(call, params, "limit", 0, 1, STORE_LIMIT_MAX, &limit) ||
	    !rpc_param_str(call, params, "kind", NULL, &f.kind) ||
	    !rpc_param_str(call, params, "subject", NULL, &f.subject))
		return;
	f.since_us = since_s * 1000000;
	f.until_us = until_s * 1000000;
	f.limit = (unsigned int)limit;
	if (!ed->store)
		events_done(call, -ENODATA, NULL, 0);
	else if (store_query_events(ed->store, &f, events_done, call) < 0)
		rpc_call_error(call, RPC_EBUSY, "too many questions to the database");
}

static json_t *sample_json(const struct store_sample *s, int second)
{
	return json_pack("{s:i, s:o, s:o, s:i, s:i}", "second", second, "delay_ms",
			 s->delay_us == UINT32_MAX ? json_null()
						   : rpc_json_ms(s->delay_us),
			 "jitter_ms",
			 s->jitter_us == UINT32_MAX ? json_null()
						    : rpc_json_ms(s->jitter_us),
			 "sent", (int)s->sent, "lost", (int)s->lost);
}

static json_t *minute_json(const struct store_minute *m)
{
	json_t *samples = json_array();
	json_t *histogram = json_array();

	for (int i = 0; i < STORE_MINUTE_SAMPLES; i++)
		if (m->sample[i].sent)
			json_array_append_new(samples, sample_json(&m->sample[i], i));
	for (unsigned int i = 0; i < STORE_BUCKETS; i++)
		if (m->histogram[i])
			json_array_append_new(
				histogram,
				json_pack("{s:o, s:i}", "to_ms",
					  store_bucket_us(i) == UINT32_MAX
						  ? json_null()
						  : rpc_json_ms(store_bucket_us(i)),
					  "answers", (int)m->histogram[i]));
	return json_pack("{s:I, s:o, s:o}", "time", (json_int_t)m->minute * 60,
			 "samples", samples, "histogram", histogram);
}

static void history_done(void *ctx, int err, const struct store_minute *rows, size_t n)
{
	struct rpc_call *call = ctx;
	json_t *list;

	if (err) {
		rpc_call_error(call, RPC_EFAILED, "%s", why_not(err));
		return;
	}
	list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, minute_json(&rows[i]));
	rpc_call_reply(call, rpc_json_answer("minutes", list));
}

void rpc_paths_history(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	const char *name;
	int64_t now_s = (int64_t)time(NULL);
	int64_t since_s;
	int64_t until_s;

	if (!rpc_param_need_str(call, params, "name", &name) ||
	    !rpc_param_int(call, params, "since", now_s - 3600, 0, INT32_MAX * 4LL,
			   &since_s) ||
	    !rpc_param_int(call, params, "until", now_s + 60, 0, INT32_MAX * 4LL,
			   &until_s))
		return;
	/* A day of seconds is a big answer: what is longer is asked in parts. */
	if (until_s - since_s > 86400 + 60) {
		rpc_call_error(call, RPC_EPARAMS, "at most a day at a time");
		return;
	}
	if (!ed->store)
		history_done(call, -ENODATA, NULL, 0);
	else if (store_query_history(ed->store, name, since_s / 60, until_s / 60,
				     history_done, call) < 0)
		rpc_call_error(call, RPC_EBUSY, "too many questions to the database");
}
