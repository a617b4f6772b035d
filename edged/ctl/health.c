/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "edgectl health": the state as monitoring plug-ins tell it, one line with figures
 * behind a bar, and the exit status 0 (ok), 1 (warning), 2 (critical) or 3
 * (unknown). Nagios, Icinga and others take it as it is, by their rules: a service that
 * does not run or does not answer is critical, and unknown is what could not be asked.
 */
#include <string.h>

#include "edged/ctl/ctl.h"
#include "lib/alloc.h"

enum {
	LINE_MAX_BYTES = 512,
	PATHS_MAX = 16, /* with figures of their own; a hub has thousands */
};

static const char *const words[] = {
	[CTL_OK] = "OK",
	[CTL_WARNING] = "WARNING",
	[CTL_CRITICAL] = "CRITICAL",
	[CTL_UNKNOWN] = "UNKNOWN",
};

/* One line without the bar that begins the figures. */
static void put_text(FILE *fp, const char *text)
{
	char safe[2 * LINE_MAX_BYTES];

	ctl_escape(safe, sizeof(safe), text);
	for (const char *s = safe; *s; s++)
		fputc(*s == '|' ? '/' : *s, fp);
}

static enum ctl_exit tell(struct ctl *c, enum ctl_health health, const char *text,
			  const json_t *status)
{
	json_t *attention = json_object_get(status, "attention");

	if (c->opt.json) {
		json_t *answer = json_pack("{s:i, s:s, s:i, s:s, s:O?}", "schema", 1,
					   "status", words[health], "code", (int)health,
					   "text", text, "attention", attention);

		ctl_print_json(c, answer);
		json_decref(answer);
		return (enum ctl_exit)health;
	}
	fprintf(c->out.fp, "EDGED %s - ", words[health]);
	put_text(c->out.fp, text);
	return (enum ctl_exit)health;
}

/* How many of the list are up, as a figure with its bounds. */
static void put_count(FILE *fp, const char *label, const json_t *list)
{
	const json_t *row;
	size_t up = 0;
	size_t i;

	json_array_foreach (list, i, row) {
		const char *state = json_string_value(json_object_get(row, "state"));

		up += state && strcmp(state, "up") == 0;
	}
	fprintf(fp, " %s=%zu;;;0;%zu", label, up, json_array_size(list));
}

static void put_figure(FILE *fp, const char *path, const char *what, const json_t *v,
		       const char *unit)
{
	if (json_is_number(v))
		fprintf(fp, " '%s %s'=%.4g%s", path, what, json_number_value(v), unit);
}

static void put_figures(FILE *fp, const json_t *status)
{
	const json_t *paths = json_object_get(status, "paths");
	const json_t *row;
	size_t i;

	fputs(" |", fp);
	put_count(fp, "uplinks_up", json_object_get(status, "uplinks"));
	put_count(fp, "paths_up", paths);
	if (json_array_size(paths) > PATHS_MAX)
		return;
	json_array_foreach (paths, i, row) {
		const char *name = json_string_value(json_object_get(row, "name"));

		if (!name)
			continue;
		put_figure(fp, name, "delay", json_object_get(row, "delay_ms"), "ms");
		put_figure(fp, name, "loss", json_object_get(row, "loss_pct"), "%");
	}
}

/* The worst of what the daemon says of itself. */
static enum ctl_health judge(const json_t *status)
{
	const char *state = json_string_value(json_object_get(status, "state"));

	if (!state)
		return CTL_UNKNOWN;
	if (strcmp(state, "down") == 0)
		return CTL_CRITICAL;
	if (strcmp(state, "ok") != 0 ||
	    json_is_false(json_object_get(status, "helper_connected")) ||
	    json_array_size(json_object_get(status, "attention")) > 0)
		return CTL_WARNING;
	return CTL_OK;
}

/* What needs attention first, else the daemon's own sentence. */
static void describe(const json_t *status, char *buf, size_t size)
{
	const json_t *attention = json_object_get(status, "attention");
	const char *first = json_string_value(
		json_object_get(json_array_get(attention, 0), "text"));
	const char *text = json_string_value(json_object_get(status, "text"));
	size_t more = json_array_size(attention);

	if (first && more > 1)
		snprintf(buf, size, "%s: %s (and %zu more)", text ? text : "?", first,
			 more - 1);
	else if (first)
		snprintf(buf, size, "%s: %s", text ? text : "?", first);
	else
		snprintf(buf, size, "%s%s", text ? text : "?",
			 json_is_false(json_object_get(status, "helper_connected"))
				 ? ": edge-zebra is not connected"
				 : "");
}

enum ctl_exit ctl_health(struct ctl *c, const struct ctl_command *cmd, char **args,
			 int n)
{
	char text[LINE_MAX_BYTES] = "";
	enum ctl_exit status;
	enum ctl_exit err;
	json_t *answer;

	(void)cmd;
	(void)args;
	(void)n;
	/* The line on standard output is all that a monitoring system shows. */
	ctl_quiet(text, sizeof(text));
	err = ctl_call(c, "status.get", NULL, &answer);
	if (err != CTL_DONE) {
		status = tell(c, err == CTL_NO_DAEMON ? CTL_CRITICAL : CTL_UNKNOWN,
			      text, NULL);
		fputs(c->opt.json ? "" : "\n", c->out.fp);
		return status;
	}
	describe(answer, text, sizeof(text));
	status = tell(c, judge(answer), text, answer);
	if (!c->opt.json) {
		put_figures(c->out.fp, answer);
		fputc('\n', c->out.fp);
	}
	json_decref(answer);
	return status;
}
