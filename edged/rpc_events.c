/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Events of the past, from the database: asked by its thread, answered later. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "edged/control.h"
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

	return json_pack("{s:I, s:f, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "id",
			 (json_int_t)e->id, "time", (double)e->time_us / 1e6,
			 "time_text", time_text(e->time_us, when), "kind",
			 rpc_json_text(e->kind), "subject", rpc_json_text(e->subject),
			 "from", rpc_json_text(e->from), "to", rpc_json_text(e->to),
			 "reason", rpc_json_text(e->reason), "numbers",
			 numbers ? numbers : json_object());
}

const char *rpc_store_why(int err)
{
	if (err == -ECANCELED)
		return "edged is stopping";
	if (err == -ENODATA)
		return "the database cannot be read at the moment";
	return "the database could not be read";
}

/* The answer as text: on the store's thread, where it may take its time. */
static char *render(const struct store_event *rows, size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *fp = open_memstream(&text, &len);

	if (!fp)
		abort();
	fprintf(fp, "{\"schema\":%d,\"events\":[", CONTROL_SCHEMA);
	for (size_t i = 0; i < n; i++) {
		json_t *row = rpc_event_json(&rows[i]);

		if (i)
			fputc(',', fp);
		json_dumpf(row, fp, JSON_COMPACT);
		json_decref(row);
	}
	fputs("]}", fp);
	if (fclose(fp) != 0)
		abort();
	return text;
}

static void events_done(void *ctx, int err, const char *text)
{
	struct rpc_call *call = ctx;

	if (err)
		rpc_call_error(call, RPC_EFAILED, "%s", rpc_store_why(err));
	else
		rpc_call_reply_text(call, text);
}

void rpc_events_list(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	struct store_filter f = {0};
	int64_t since_s;
	int64_t until_s;
	int64_t limit;

	if (!rpc_param_int(call, params, "after", 0, 0, INT64_MAX, &f.after_id) ||
	    !rpc_param_int(call, params, "since", 0, 0, INT32_MAX * 4LL, &since_s) ||
	    !rpc_param_int(call, params, "until", 0, 0, INT32_MAX * 4LL, &until_s) ||
	    !rpc_param_int(call, params, "limit", 0, 1, STORE_LIMIT_MAX, &limit) ||
	    !rpc_param_str(call, params, "kind", NULL, &f.kind) ||
	    !rpc_param_str(call, params, "subject", NULL, &f.subject))
		return;
	f.since_us = since_s * 1000000;
	f.until_us = until_s * 1000000;
	f.limit = (unsigned int)limit;
	if (!ed->store)
		events_done(call, -ENODATA, NULL);
	else if (store_query_events(ed->store, &f, render, events_done, call) < 0)
		rpc_call_error(call, RPC_EBUSY, "too many questions to the database");
}
