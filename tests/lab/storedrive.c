/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storedrive - the daemon's store alone, driven by lines, for tests of its faults
 *
 *	storedrive FILE [WAL-BYTES]
 *
 * In:	event TEXT	queue an event with this reason
 *	events N	queue N of them, "n 0" to "n N-1"
 *	minutes N	queue N minutes of path history
 *	list		ask for all events
 *	count		ask how the store is
 * Out: "notice FROM TO REASON", "event REASON", "end N", "error N",
 *	"queued TOOK_US" after each command that queues: the loop never waits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edged/store.h"
#include "lib/loop.h"
#include "lib/mono.h"

struct drive {
	struct loop *loop;
	struct store *store;
	struct loop_io in;
	int64_t time_us;
	int64_t minute;
	char line[4096];
	size_t len;
};

static void on_notice(void *ctx, const char *from, const char *to, const char *reason)
{
	(void)ctx;
	printf("notice %s %s %s\n", from ? from : "-", to ? to : "-", reason);
}

static char *render(const struct store_event *rows, size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *fp = open_memstream(&text, &len);

	for (size_t i = 0; i < n; i++)
		fprintf(fp, "event %s\n", rows[i].reason);
	fprintf(fp, "end %zu\n", n);
	fclose(fp);
	return text;
}

static void on_events(void *ctx, int err, const char *text)
{
	(void)ctx;
	if (err)
		printf("error %d\n", -err);
	else
		fputs(text, stdout);
}

static void add_event(struct drive *d, const char *reason)
{
	const struct store_event e = {.time_us = ++d->time_us,
				      .kind = "path",
				      .subject = "hub/isp1",
				      .reason = reason};

	store_event(d->store, &e);
}

static void add_events(struct drive *d, long n)
{
	char reason[32];

	for (long i = 0; i < n; i++) {
		snprintf(reason, sizeof(reason), "n %ld", i);
		add_event(d, reason);
	}
}

static void add_minutes(struct drive *d, long n)
{
	struct store_minute m = {.path = "hub/isp1"};

	for (long i = 0; i < n; i++) {
		for (int k = 0; k < STORE_MINUTE_SAMPLES; k++)
			m.sample[k] = (struct store_sample){.sent = 10, .state = 4};
		m.minute = d->minute++;
		store_minute(d->store, &m);
	}
}

static void count(struct drive *d)
{
	struct store_counters c = store_counters(d->store);

	printf("count written %llu left_out %llu queued %u open %d\n",
	       (unsigned long long)c.written, (unsigned long long)c.left_out, c.queued,
	       (int)c.open);
}

static void run_line(struct drive *d, const char *line)
{
	const struct store_filter all = {.limit = STORE_LIMIT_MAX};
	struct mono begun = mono_now();

	if (strncmp(line, "event ", 6) == 0)
		add_event(d, line + 6);
	else if (strncmp(line, "events ", 7) == 0)
		add_events(d, strtol(line + 7, NULL, 10));
	else if (strncmp(line, "minutes ", 8) == 0)
		add_minutes(d, strtol(line + 8, NULL, 10));
	else if (strcmp(line, "list") == 0)
		store_query_events(d->store, &all, render, on_events, d);
	else if (strcmp(line, "count") == 0)
		count(d);
	if (strncmp(line, "event", 5) == 0 || strncmp(line, "minute", 6) == 0)
		printf("queued %lld\n", (long long)mono_diff_us(mono_now(), begun));
}

static void on_input(void *ctx, int fd, unsigned int events)
{
	struct drive *d = ctx;
	ssize_t n = read(fd, d->line + d->len, sizeof(d->line) - 1 - d->len);
	char *nl;

	(void)events;
	if (n <= 0) {
		loop_stop(d->loop);
		return;
	}
	d->len += (size_t)n;
	d->line[d->len] = '\0';
	while ((nl = strchr(d->line, '\n')) != NULL) {
		*nl++ = '\0';
		run_line(d, d->line);
		d->len -= (size_t)(nl - d->line);
		memmove(d->line, nl, d->len + 1);
	}
}

int main(int argc, char **argv)
{
	struct drive d = {.time_us = 1000000};
	struct store_params params = {.notice = on_notice};

	if (argc < 2)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	params.path = argv[1];
	if (argc > 2)
		params.wal_max_bytes = strtoull(argv[2], NULL, 10);
	d.loop = loop_new();
	d.store = store_open(d.loop, &params);
	loop_io_start(d.loop, &d.in, STDIN_FILENO, LOOP_READ, on_input, &d);
	loop_run(d.loop);
	loop_io_stop(&d.in);
	store_close(d.store);
	loop_free(d.loop);
	return 0;
}
