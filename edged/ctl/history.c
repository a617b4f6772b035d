/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "edgectl history": what a path was like, a character a step of time. Where nothing
 * was measured there is a gap, not a zero.
 */
#include <langinfo.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "edged/ctl/ctl.h"
#include "lib/alloc.h"

enum {
	WIDTH_MIN = 20,
	WIDTH_MAX = 200,
	WIDTH_PIPE = 60, /* where no terminal says otherwise */
	MARGIN = 30, /* before a sparkline */
	LEVELS = 8,
};

#define LOSS_SCALE_MIN 1.0 /* percent; less than this is not drawn as a disaster */

/* One quantity over time, NAN where there is none. */
struct series {
	double *v;
	size_t n;
	double min;
	double max;
};

static void series_init(struct series *s, size_t n)
{
	s->v = ed_array(n + 1, sizeof(*s->v));
	s->n = n;
	s->min = NAN;
	s->max = NAN;
	for (size_t i = 0; i < n; i++)
		s->v[i] = NAN;
}

static void series_set(struct series *s, size_t i, double v)
{
	s->v[i] = v;
	s->min = fmin(s->min, v);
	s->max = fmax(s->max, v);
}

/* The column called name, -1 when the answer has none. */
static int column(const json_t *answer, const char *name)
{
	const json_t *list = json_object_get(answer, "columns");
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (json_is_string(one) && strcmp(json_string_value(one), name) == 0)
			return (int)i;
	return -1;
}

static double cell(const json_t *row, int at)
{
	const json_t *v = at < 0 ? NULL : json_array_get(row, (size_t)at);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

static double field(const json_t *answer, const char *key)
{
	const json_t *v = json_object_get(answer, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

struct past {
	struct series p50;
	struct series p95;
	struct series loss; /* percent */
	double sent;
	double lost;
	double since;
	double until;
	double step_s;
};

/* False when the answer is not what it should be. */
static bool read_past(const json_t *answer, struct past *p)
{
	int t = column(answer, "t");
	int p50 = column(answer, "p50_ms");
	int p95 = column(answer, "p95_ms");
	int sent = column(answer, "sent");
	int lost = column(answer, "lost");
	const json_t *row;
	double n;
	size_t i;

	*p = (struct past){.since = field(answer, "since"),
			   .until = field(answer, "until"),
			   .step_s = field(answer, "step_s")};
	n = (p->until - p->since) / p->step_s;
	/* Also false for what is no number. */
	if (!(p->step_s > 0) || !(n >= 0 && n < 10000) || t < 0)
		return false;
	series_init(&p->p50, (size_t)ceil(n));
	series_init(&p->p95, (size_t)ceil(n));
	series_init(&p->loss, (size_t)ceil(n));
	json_array_foreach (json_object_get(answer, "rows"), i, row) {
		double at = floor((cell(row, t) - p->since) / p->step_s);
		double s = cell(row, sent);

		if (!(at >= 0 && at < (double)p->p50.n))
			continue;
		series_set(&p->p50, (size_t)at, cell(row, p50));
		series_set(&p->p95, (size_t)at, cell(row, p95));
		if (!(s > 0))
			continue;
		series_set(&p->loss, (size_t)at, 100 * cell(row, lost) / s);
		p->sent += s;
		p->lost += cell(row, lost);
	}
	return true;
}

static void past_fini(struct past *p)
{
	free(p->p50.v);
	free(p->p95.v);
	free(p->loss.v);
}

/* --- drawing ------------------------------------------------------------------------- */

static void put_sparkline(FILE *fp, const struct series *s, double low, double high)
{
	static const char *const blocks[LEVELS] = {"\u2581", "\u2582", "\u2583",
						   "\u2584", "\u2585", "\u2586",
						   "\u2587", "\u2588"};
	static const char *const plain[LEVELS] = {"_", ".", "-", "=",
						  "+", "*", "#", "@"};
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	size_t end = s->n;

	while (end > 0 && isnan(s->v[end - 1]))
		end--;
	for (size_t i = 0; i < end; i++) {
		double part = high > low ? (s->v[i] - low) / (high - low) : 0;
		int level = (int)floor(fmin(fmax(part, 0), 0.9999) * LEVELS);

		fputs(isnan(s->v[i]) ? " " : utf8 ? blocks[level] : plain[level], fp);
	}
	fputc('\n', fp);
}

static void put_delay(FILE *fp, const char *name, const struct series *s, double low,
		      double high)
{
	char range[40] = "not measured";

	if (!isnan(s->max))
		snprintf(range, sizeof(range), "%.1f to %.1f ms", s->min, s->max);
	fprintf(fp, "%-5s %-*s ", name, MARGIN - 7, range);
	put_sparkline(fp, s, low, high);
}

static void put_loss(FILE *fp, const struct past *p)
{
	char range[40] = "not measured";

	if (p->sent > 0)
		snprintf(range, sizeof(range), "%.2g %% (%.0f of %.0f)",
			 100 * p->lost / p->sent, p->lost, p->sent);
	fprintf(fp, "%-5s %-*s ", "loss", MARGIN - 7, range);
	put_sparkline(fp, &p->loss, 0, fmax(p->loss.max, LOSS_SCALE_MIN));
}

static void put_moves(const struct ctl_out *out, const json_t *answer)
{
	const json_t *move;
	size_t i;

	json_array_foreach (json_object_get(answer, "moves"), i, move) {
		const char *reason = json_string_value(json_object_get(move, "reason"));
		char safe[512];
		char when[32];

		ctl_time(out, when, sizeof(when), field(move, "time"));
		ctl_escape(safe, sizeof(safe), reason ? reason : "?");
		fprintf(out->fp, "%s%s  %s\n", i ? "" : "\n", when, safe);
	}
}

/* Whether the daemon has a path of this name now; a question that fails is no "no". */
static bool is_known(struct ctl *c, const char *path)
{
	bool found = false;
	const json_t *row;
	json_t *answer;
	size_t i;

	if (ctl_call(c, "paths.list", NULL, &answer) != CTL_DONE)
		return true;
	json_array_foreach (json_object_get(answer, "paths"), i, row) {
		const char *name = json_string_value(json_object_get(row, "name"));

		found = found || (name && strcmp(name, path) == 0);
	}
	json_decref(answer);
	return found;
}

static bool is_empty(const json_t *answer)
{
	return json_array_size(json_object_get(answer, "rows")) == 0 &&
	       json_array_size(json_object_get(answer, "moves")) == 0;
}

static void print_past(const struct ctl_out *out, const json_t *answer, struct past *p)
{
	const char *path = json_string_value(json_object_get(answer, "path"));
	double low = fmin(p->p50.min, p->p95.min);
	double high = fmax(p->p50.max, p->p95.max);
	char from[32];
	char to[32];
	char step[32];
	char safe[256];

	ctl_escape(safe, sizeof(safe), path ? path : "?");
	ctl_time(out, from, sizeof(from), p->since);
	ctl_time(out, to, sizeof(to), p->until);
	ctl_span(step, sizeof(step), p->step_s);
	fprintf(out->fp, "%s from %s to %s, %s each\n", safe, from, to, step);
	put_delay(out->fp, "p50", &p->p50, low, high);
	put_delay(out->fp, "p95", &p->p95, low, high);
	put_loss(out->fp, p);
	put_moves(out, answer);
}

enum ctl_exit ctl_history(struct ctl *c, const struct ctl_command *cmd, char **args,
			  int n)
{
	int64_t since = ctl_since_option(c, "24h");
	unsigned int width = c->out.width > MARGIN ? c->out.width - MARGIN : WIDTH_MIN;
	enum ctl_exit status;
	struct past past;
	json_t *answer;
	json_t *params;

	(void)cmd;
	(void)n;
	if (since < 0)
		return CTL_USAGE;
	if (c->out.width == 0)
		width = WIDTH_PIPE;
	width = width < WIDTH_MIN ? WIDTH_MIN : width > WIDTH_MAX ? WIDTH_MAX : width;
	params = json_pack("{s:s, s:I, s:I}", "path", args[0], "since",
			   (json_int_t)since, "until", (json_int_t)time(NULL));
	if (!params) {
		ctl_error("'%s' is not the name of a path", args[0]);
		return CTL_USAGE;
	}
	/* For people a step a column; programs get as much as there is by default. */
	if (!c->opt.json)
		json_object_set_new(params, "points", json_integer(width));
	status = ctl_call(c, "paths.history", params, &answer);
	if (status != CTL_DONE)
		return status;
	if (is_empty(answer) && !is_known(c, args[0])) {
		ctl_error("there is no path '%s', and nothing is remembered of one "
			  "(\"edgectl paths\" lists them)",
			  args[0]);
		status = CTL_FAILED;
	} else if (c->opt.json) {
		ctl_print_json(c, answer);
	} else if (read_past(answer, &past)) {
		print_past(&c->out, answer, &past);
		past_fini(&past);
	} else {
		ctl_error("the daemon's history is not understood (is it of the same "
			  "version?)");
		status = CTL_FAILED;
	}
	json_decref(answer);
	return status;
}
