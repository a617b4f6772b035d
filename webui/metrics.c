/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/promtext.h"

/* A family with one sample and no label. */
static void add(json_t *families, const char *name, const char *type, const char *help,
		double value)
{
	json_array_append_new(families,
			      json_pack("{s:s, s:s, s:s, s:[{s:{}, s:f}]}", "name",
					name, "type", type, "help", help, "samples",
					"labels", "value", value));
}

static json_t *family(json_t *families, const char *name, const char *type,
		      const char *help)
{
	json_t *samples = json_array();

	json_array_append_new(families,
			      json_pack("{s:s, s:s, s:s, s:o}", "name", name, "type",
					type, "help", help, "samples", samples));
	return samples;
}

static void sample(json_t *samples, const char *label, const char *word, uint64_t value)
{
	json_array_append_new(samples, json_pack("{s:{s:s}, s:f}", "labels", label,
						 word, "value", (double)value));
}

static double resident_bytes(void)
{
	long pages = 0;
	FILE *fp = fopen("/proc/self/statm", "re");

	if (!fp)
		return 0;
	if (fscanf(fp, "%*s %ld", &pages) != 1)
		pages = 0;
	fclose(fp);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static double open_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	double n = -3; /* ".", "..", and the one that reads */

	if (!dir)
		return 0;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static double cpu_seconds(void)
{
	struct rusage u;

	if (getrusage(RUSAGE_SELF, &u) < 0)
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void add_process(json_t *f, const struct metrics_counters *c)
{
	add(f, "edged_web_process_cpu_seconds_total", "counter",
	    "Processor time edge-webui has used.", cpu_seconds());
	add(f, "edged_web_process_resident_memory_bytes", "gauge",
	    "Memory edge-webui has in RAM.", resident_bytes());
	add(f, "edged_web_process_open_fds", "gauge",
	    "Descriptors edge-webui has open.", open_descriptors());
	add(f, "edged_web_process_start_time_seconds", "gauge",
	    "When edge-webui was started.", (double)c->started);
}

static json_t *own_families(const struct metrics_counters *c)
{
	static const char *const classes[] = {NULL, "1xx", "2xx", "3xx", "4xx", "5xx"};
	json_t *f = json_array();
	json_t *s;

	add(f, "edged_up", "gauge", "1 while edged answers edge-webui.", c->edged_up);
	add(f, "edged_web_connections", "gauge", "Open connections.",
	    c->server.connections);
	add(f, "edged_web_readers", "gauge", "Open event streams.", c->streams.readers);
	add(f, "edged_web_sessions", "gauge", "People logged in.", c->auth.sessions);
	s = family(f, "edged_web_requests_total", "counter",
		   "Requests answered, by their status.");
	for (size_t i = 2; i < ARRAY_LEN(classes); i++)
		sample(s, "status", classes[i], c->answers[i]);
	s = family(f, "edged_web_logins_total", "counter", "Log-ins tried.");
	sample(s, "result", "ok", c->auth.logins);
	sample(s, "result", "wrong", c->auth.failed);
	sample(s, "result", "delayed", c->auth.delayed);
	sample(s, "result", "bad_token", c->auth.bad_tokens);
	s = family(f, "edged_web_cut_total", "counter",
		   "Connections ended by a limit of ours.");
	sample(s, "reason", "refused", c->server.refused);
	sample(s, "reason", "evicted", c->server.evicted);
	sample(s, "reason", "slow", c->server.timed_out);
	sample(s, "reason", "reader", c->streams.dropped);
	sample(s, "reason", "logout", c->streams.ended);
	add_process(f, c);
	return f;
}

char *metrics_text(const struct metrics_counters *c, const json_t *answer,
		   size_t *ret_len)
{
	struct metrics_counters counters = *c;
	char *theirs = NULL;
	char *ours = NULL;
	size_t their_len = 0;
	size_t our_len = 0;
	json_t *own;
	char *all;

	if (!answer || promtext_render(answer, &theirs, &their_len) < 0)
		counters.edged_up = false;
	own = json_pack("{s:o}", "families", own_families(&counters));
	if (promtext_render(own, &ours, &our_len) < 0)
		our_len = 0;
	json_decref(own);
	all = ed_alloc(their_len + our_len + 1);
	if (their_len)
		memcpy(all, theirs, their_len);
	if (our_len)
		memcpy(all + their_len, ours, our_len);
	free(theirs);
	free(ours);
	*ret_len = their_len + our_len;
	return all;
}
