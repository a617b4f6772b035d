/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers as tables: a table of columns each, rows as the daemon sent them.
 * The only file that knows libsmartcols.
 */
#include <libsmartcols.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "edged/ctl/ctl.h"
#include "lib/alloc.h"
#include "lib/text.h"

enum {
	CELL_MAX = 512,
	COLUMNS_MAX = 16,
	EPOCH_MIN = 1000000000, /* a bigger number with a fraction is a time */
};

struct column {
	const char *key;
	const char *heading;
	bool right;
	bool brief; /* stands on the status screen, too */
	void (*format)(const struct ctl_out *out, struct text *t, const json_t *v,
		       const json_t *row);
};

struct table {
	const char *name; /* of the command */
	const struct column *columns;
	size_t n;
};

/* --- cells ------------------------------------------------------------------------ */

static void add_escaped(struct text *t, const char *s)
{
	char buf[CELL_MAX];

	ctl_escape(buf, sizeof(buf), s);
	text_add(t, "%s", buf);
}

static void as_text(const struct ctl_out *out, struct text *t, const json_t *v,
		    const json_t *row)
{
	(void)out;
	(void)row;
	if (json_is_string(v) && json_string_length(v))
		add_escaped(t, json_string_value(v));
	else if (json_is_integer(v))
		text_add(t, "%lld", (long long)json_integer_value(v));
	else
		text_add(t, "-");
}

static void as_ms(const struct ctl_out *out, struct text *t, const json_t *v,
		  const json_t *row)
{
	(void)out;
	(void)row;
	if (json_is_number(v))
		text_add(t, "%.1f ms", json_number_value(v));
	else
		text_add(t, "-");
}

static void as_percent(const struct ctl_out *out, struct text *t, const json_t *v,
		       const json_t *row)
{
	(void)out;
	(void)row;
	if (json_is_number(v))
		text_add(t, "%.1f %%", json_number_value(v));
	else
		text_add(t, "-");
}

/* "6 min" since the time in v. */
static void as_since(const struct ctl_out *out, struct text *t, const json_t *v,
		     const json_t *row)
{
	char buf[32];

	(void)out;
	(void)row;
	if (!json_is_number(v)) {
		text_add(t, "-");
		return;
	}
	ctl_span(buf, sizeof(buf), (double)time(NULL) - json_number_value(v));
	text_add(t, "%s", buf);
}

/* "in 52 min". */
static void as_in(const struct ctl_out *out, struct text *t, const json_t *v,
		  const json_t *row)
{
	char buf[32];

	(void)out;
	(void)row;
	if (!json_is_number(v)) {
		text_add(t, "-");
		return;
	}
	ctl_span(buf, sizeof(buf), json_number_value(v));
	text_add(t, "in %s", buf);
}

/* In the largest unit of which there is one. */
static void add_scaled(struct text *t, double n, const char *const *units,
		       size_t n_units)
{
	size_t u = 0;

	while (n >= 1000 && u + 1 < n_units) {
		n /= 1000;
		u++;
	}
	text_add(t, u && n < 10 ? "%.1f %s" : "%.0f %s", n, units[u]);
}

/* "41.2 Mbit/s". */
static void as_rate(const struct ctl_out *out, struct text *t, const json_t *v,
		    const json_t *row)
{
	static const char *const units[] = {"bit/s", "kbit/s", "Mbit/s", "Gbit/s"};

	(void)out;
	(void)row;
	if (json_is_number(v))
		add_scaled(t, json_number_value(v), units, ARRAY_LEN(units));
	else
		text_add(t, "-");
}

/* "1.2 GB of 10 GB"; nothing where no limit is set. */
static void as_month(const struct ctl_out *out, struct text *t, const json_t *v,
		     const json_t *row)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double limit = json_number_value(json_object_get(row, "monthly_limit_bytes"));

	(void)out;
	if (limit <= 0)
		return;
	if (json_is_number(v))
		add_scaled(t, json_number_value(v), units, ARRAY_LEN(units));
	else
		text_add(t, "-");
	text_add(t, " of ");
	add_scaled(t, limit, units, ARRAY_LEN(units));
}

/* Texts of a list, with commas. */
static void as_list(const struct ctl_out *out, struct text *t, const json_t *v,
		    const json_t *row)
{
	const json_t *item;
	size_t i;

	(void)out;
	(void)row;
	if (json_array_size(v) == 0)
		text_add(t, "-");
	json_array_foreach (v, i, item) {
		if (i)
			text_add(t, ", ");
		add_escaped(t, json_string_value(item));
	}
}

/* "2 of 3" from paths_up and paths. */
static void as_paths_up(const struct ctl_out *out, struct text *t, const json_t *v,
			const json_t *row)
{
	(void)out;
	text_add(t, "%lld of %lld", (long long)json_integer_value(v),
		 (long long)json_integer_value(json_object_get(row, "paths")));
}

/* "12 of 34567" lost of sent. */
static void as_lost(const struct ctl_out *out, struct text *t, const json_t *v,
		    const json_t *row)
{
	(void)out;
	text_add(t, "%lld of %lld", (long long)json_integer_value(v),
		 (long long)json_integer_value(json_object_get(row, "sent")));
}

/* The last part of a path's name; a plan's member with its weight. */
static void add_member(struct text *t, const json_t *member, bool weights)
{
	const char *path = json_string_value(json_object_get(member, "path"));
	const char *slash = path ? strrchr(path, '/') : NULL;

	add_escaped(t, slash ? slash + 1 : path ? path : "?");
	if (weights)
		text_add(t, " (%lld)",
			 (long long)json_integer_value(
				 json_object_get(member, "weight")));
}

/* "voice isp1; default isp1 (5), isp2 (1)" of a peer's classes. */
static void as_peer_classes(const struct ctl_out *out, struct text *t, const json_t *v,
			    const json_t *row)
{
	const json_t *class;
	size_t i;

	(void)out;
	(void)row;
	if (json_array_size(v) == 0)
		text_add(t, "-");
	json_array_foreach (v, i, class) {
		const json_t *members = json_object_get(class, "members");
		const json_t *m;
		size_t k;

		text_add(t, "%s", i ? "; " : "");
		add_escaped(t, json_string_value(json_object_get(class, "class")));
		json_array_foreach (members, k, m) {
			text_add(t, "%s", k ? ", " : " ");
			add_member(t, m, json_array_size(members) > 1);
		}
		if (json_array_size(members) == 0)
			text_add(t, " -");
	}
}

static double number(const json_t *row, const char *key)
{
	const json_t *v = json_object_get(row, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

/* "delay 150 ms, loss 1 %" of a class. */
static void as_promise(const struct ctl_out *out, struct text *t, const json_t *v,
		       const json_t *row)
{
	double delay = number(row, "max_delay_ms");
	double jitter = number(row, "max_jitter_ms");
	double loss = number(row, "max_loss_pct");
	const char *sep = "";

	(void)out;
	(void)v;
	if (!isnan(delay)) {
		text_add(t, "delay %.4g ms", delay);
		sep = ", ";
	}
	if (!isnan(jitter)) {
		text_add(t, "%sjitter %.4g ms", sep, jitter);
		sep = ", ";
	}
	if (!isnan(loss)) {
		text_add(t, "%sloss %.4g %%", sep, loss);
		sep = ", ";
	}
	if (!*sep)
		text_add(t, "-");
}

/* "bgp, held": the session is down, the prefix still used. */
static void as_source(const struct ctl_out *out, struct text *t, const json_t *v,
		      const json_t *row)
{
	as_text(out, t, v, row);
	if (json_is_true(json_object_get(row, "held")))
		text_add(t, ", held");
}

/* "prefer isp1, isp2; last isp3". */
static void as_strategy(const struct ctl_out *out, struct text *t, const json_t *v,
			const json_t *row)
{
	const char *name = json_string_value(v);
	const json_t *list = json_object_get(row, name ? name : "");
	const json_t *last = json_object_get(row, "last_resort");

	add_escaped(t, name ? name : "?");
	if (json_array_size(list)) {
		text_add(t, " ");
		as_list(out, t, list, row);
	}
	if (json_array_size(last)) {
		text_add(t, "; last ");
		as_list(out, t, last, row);
	}
}

/* --- columns ------------------------------------------------------------------------ */

/* clang-format off */
static const struct column uplink_columns[] = {
	{ "name",            "UPLINK",      false, true,  as_text },
	{ "state",           "STATE",       false, true,  as_text },
	{ "interface",       "IFACE",       false, true,  as_text },
	{ "address",         "ADDRESS",     false, true,  as_text },
	{ "gateway",         "GATEWAY",     false, false, as_text },
	{ "cost",            "COST",        true,  false, as_text },
	{ "paths_up",        "PATHS",       true,  true,  as_paths_up },
	{ "down_bps",        "DOWN",        true,  true,  as_rate },
	{ "up_bps",          "UP",          true,  true,  as_rate },
	{ "month_bytes",     "MONTH",       true,  true,  as_month },
	{ "since",           "SINCE",       true,  false, as_since },
};

static const struct column peer_columns[] = {
	{ "name",            "PEER",        false, false, as_text },
	{ "state",           "STATE",       false, false, as_text },
	{ "paths_up",        "PATHS",       true,  false, as_paths_up },
	{ "classes",         "CLASSES",     false, false, as_peer_classes },
	{ "learned",         "BY BGP",      true,  false, as_text },
	{ "networks",        "NETWORKS",    false, false, as_list },
};

static const struct column path_columns[] = {
	{ "name",            "PATH",        false, true,  as_text },
	{ "state",           "STATE",       false, true,  as_text },
	{ "delay_ms",        "DELAY",       true,  true,  as_ms },
	{ "delay_p95_ms",    "P95",         true,  false, as_ms },
	{ "jitter_ms",       "JITTER",      true,  true,  as_ms },
	{ "loss_pct",        "LOSS",        true,  true,  as_percent },
	{ "lost",            "LOST",        true,  false, as_lost },
	{ "since",           "SINCE",       true,  true,  as_since },
	{ "classes",         "CLASSES",     false, true,  as_list },
};

static const struct column class_columns[] = {
	{ "name",            "CLASS",       false, false, as_text },
	{ "dscp",            "DSCP",        false, false, as_list },
	{ "name",            "PROMISE",     false, false, as_promise },
	{ "strategy",        "STRATEGY",    false, false, as_strategy },
};

static const struct column standing_columns[] = {
	{ "class",           "CLASS",       false, false, as_text },
	{ "peer",            "PEER",        false, false, as_text },
	{ "path",            "PATH",        false, false, as_text },
	{ "verdict",         "VERDICT",     false, false, as_text },
	{ "reason",          "WHY",         false, false, as_text },
};

static const struct column route_columns[] = {
	{ "prefix",          "PREFIX",      false, false, as_text },
	{ "source",          "SOURCE",      false, false, as_source },
	{ "peer",            "PEER",        false, false, as_text },
	{ "paths",           "PATHS",       false, false, as_list },
};

static const struct column session_columns[] = {
	{ "tunnel",          "BGP SESSION", false, false, as_text },
	{ "peer",            "NEIGHBOUR",   false, false, as_text },
	{ "asn",             "AS",          true,  false, as_text },
	{ "state",           "STATE",       false, false, as_text },
	{ "prefixes_received", "PREFIXES",    true,  false, as_text },
};

static const struct column change_columns[] = {
	{ "setting",         "SETTING",     false, false, as_text },
	{ "from",            "FROM",        false, false, as_text },
	{ "to",              "TO",          false, false, as_text },
	{ "cost",            "EFFECT",      false, false, as_text },
};

static const struct column ike_columns[] = {
	{ "name",            "TUNNEL",      false, false, as_text },
	{ "state",           "STATE",       false, false, as_text },
	{ "local",           "LOCAL",       false, false, as_text },
	{ "remote",          "REMOTE",      false, false, as_text },
	{ "dataplane",       "ESP",         false, false, as_text },
	{ "suite",           "SUITE",       false, false, as_text },
	{ "state_since",     "SINCE",       true,  false, as_since },
	{ "rekey_in_s",      "REKEY",       true,  false, as_in },
};

static const struct column account_columns[] = {
	{ "name",            "NAME",        false, false, as_text },
	{ "role",            "ROLE",        false, false, as_text },
};
/* clang-format on */

#define TABLE(name, columns)                      \
	{                                         \
		name, columns, ARRAY_LEN(columns) \
	}

static const struct table tables[] = {
	TABLE("uplinks", uplink_columns),   TABLE("peers", peer_columns),
	TABLE("paths", path_columns),	    TABLE("classes", class_columns),
	TABLE("routes", route_columns),	    TABLE("ike", ike_columns),
	TABLE("sessions", session_columns), TABLE("standings", standing_columns),
	TABLE("changes", change_columns),   TABLE("users", account_columns),
	TABLE("tokens", account_columns),
};

/* --- printing ----------------------------------------------------------------------- */

static void set_cell(const struct ctl_out *out, struct libscols_line *line, size_t at,
		     const struct column *col, const json_t *row)
{
	const json_t *v = json_object_get(row, col->key);
	char buf[CELL_MAX];
	struct text t = text_init(buf, sizeof(buf));

	col->format(out, &t, v, row);
	scols_line_set_data(line, at, buf);
	if (json_is_string(v) &&
	    (strcmp(col->key, "state") == 0 || strcmp(col->key, "verdict") == 0)) {
		const char *on = ctl_tone_on(out, ctl_tone_of(json_string_value(v)));

		if (*on)
			scols_cell_set_color(scols_line_get_cell(line, at), on);
	}
}

/* Trailing blanks of each line are of no use to anybody. */
static void print_trimmed(FILE *fp, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		size_t keep = len;

		while (keep > 0 && text[keep - 1] == ' ')
			keep--;
		fprintf(fp, "%.*s\n", (int)keep, text);
		text += len + (text[len] == '\n');
	}
}

/* One that has nothing to say of any row is left out. */
static bool says_something(const struct ctl_out *out, const struct column *col,
			   const json_t *list)
{
	const json_t *row;
	size_t i;

	json_array_foreach (list, i, row) {
		char buf[CELL_MAX];
		struct text t = text_init(buf, sizeof(buf));

		col->format(out, &t, json_object_get(row, col->key), row);
		if (buf[0])
			return true;
	}
	return false;
}

/* Of all: only the brief columns. */
static void print_columns(const struct ctl_out *out, const struct column *all,
			  size_t n_all, bool brief, const json_t *list)
{
	const struct column *cols[COLUMNS_MAX];
	struct libscols_table *tb;
	const json_t *row;
	char *text = NULL;
	size_t n = 0;
	size_t i;

	if (json_array_size(list) == 0)
		return;
	for (i = 0; i < n_all && n < COLUMNS_MAX; i++)
		if ((!brief || all[i].brief) && says_something(out, &all[i], list))
			cols[n++] = &all[i];
	scols_init_debug(0);
	tb = scols_new_table();
	if (!tb)
		return;
	scols_table_enable_noencoding(tb, 1); /* ctl_escape() has been there */
	scols_table_enable_colors(tb, out->color);
	scols_table_set_column_separator(tb, "  ");
	/* Nothing is cut: a long reason goes on in the next line of the terminal. */
	scols_table_set_termforce(tb, SCOLS_TERMFORCE_NEVER);
	for (i = 0; i < n; i++)
		scols_table_new_column(tb, cols[i]->heading, 0,
				       cols[i]->right ? SCOLS_FL_RIGHT : 0);
	json_array_foreach (list, i, row) {
		struct libscols_line *line = scols_table_new_line(tb, NULL);

		for (size_t c = 0; line && c < n; c++)
			set_cell(out, line, c, cols[c], row);
	}
	if (scols_print_table_to_string(tb, &text) == 0)
		print_trimmed(out->fp, text);
	free(text);
	scols_unref_table(tb);
}

static void print_table(const struct ctl_out *out, const char *name, bool brief,
			const json_t *list)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (strcmp(tables[i].name, name) == 0)
			print_columns(out, tables[i].columns, tables[i].n, brief, list);
}

void ctl_print_table(const struct ctl_out *out, const char *name, const json_t *list)
{
	print_table(out, name, false, list);
}

static void print_value(const struct ctl_out *out, const char *key, const json_t *v)
{
	char buf[CELL_MAX];
	struct text t = text_init(buf, sizeof(buf));

	if (json_is_string(v))
		add_escaped(&t, json_string_value(v));
	else if (json_is_boolean(v))
		text_add(&t, "%s", json_is_true(v) ? "yes" : "no");
	else if (json_is_integer(v))
		text_add(&t, "%lld", (long long)json_integer_value(v));
	else if (json_is_real(v) && json_real_value(v) > EPOCH_MIN)
		ctl_time(out, buf, sizeof(buf), json_real_value(v));
	else if (json_is_real(v))
		text_add(&t, "%.6g", json_real_value(v));
	else if (json_is_array(v) &&
		 (json_array_size(v) == 0 || json_is_string(json_array_get(v, 0))))
		as_list(out, &t, v, NULL);
	else
		text_add(&t, "-");
	fprintf(out->fp, "%-20s %s\n", key, buf);
}

void ctl_print_details(const struct ctl_out *out, const json_t *row)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)(uintptr_t)row, key, v) {
		if (json_is_object(v)) {
			const char *inner;
			json_t *w;

			json_object_foreach (v, inner, w) {
				char name[64];

				snprintf(name, sizeof(name), "%s.%s", key, inner);
				print_value(out, name, w);
			}
		} else {
			print_value(out, key, v);
		}
	}
}

/* --- status ---------------------------------------------------------------------------- */

/* The uplinks as peers' tunnels name them, in the order they appear. */
static void collect_labels(const json_t *paths, const char **labels, size_t *n,
			   size_t max)
{
	const json_t *p;
	size_t i;

	*n = 0;
	json_array_foreach (paths, i, p) {
		const char *label = json_string_value(json_object_get(p, "uplink"));
		size_t k = 0;

		while (label && k < *n && strcmp(labels[k], label) != 0)
			k++;
		if (label && k == *n && *n < max)
			labels[(*n)++] = label;
	}
}

/* What the peer's paths over an uplink carry, or their state. */
static char *matrix_cell(const json_t *paths, const char *peer, const char *label)
{
	char buf[CELL_MAX] = "";
	struct text t = text_init(buf, sizeof(buf));
	const json_t *p;
	size_t i;

	json_array_foreach (paths, i, p) {
		const json_t *classes = json_object_get(p, "classes");
		const char *state = json_string_value(json_object_get(p, "state"));

		if (strcmp(json_string_value(json_object_get(p, "peer")), peer) != 0 ||
		    strcmp(json_string_value(json_object_get(p, "uplink")), label) != 0)
			continue;
		if (t.len)
			text_add(&t, " + ");
		if (json_array_size(classes) && state && strcmp(state, "up") == 0)
			as_list(NULL, &t, classes, p);
		else if (json_array_size(classes)) {
			as_list(NULL, &t, classes, p);
			text_add(&t, " (%s)", state ? state : "?");
		} else if (state && strcmp(state, "up") == 0)
			text_add(&t, "standby");
		else
			add_escaped(&t, state ? state : "?");
	}
	return ed_strdup(t.len ? buf : "-");
}

/* Peers down, uplinks across: which class goes where. */
static void print_matrix(const struct ctl_out *out, const json_t *status)
{
	const json_t *paths = json_object_get(status, "paths");
	const json_t *peers = json_object_get(status, "peers");
	struct column cols[COLUMNS_MAX] = {{"peer", "PEER", false, false, as_text}};
	const char *labels[COLUMNS_MAX - 1];
	json_t *rows = json_array();
	const json_t *peer;
	size_t n;
	size_t i;

	collect_labels(paths, labels, &n, ARRAY_LEN(labels));
	for (i = 0; i < n; i++)
		cols[i + 1] =
			(struct column){labels[i], labels[i], false, false, as_text};
	json_array_foreach (peers, i, peer) {
		const char *name = json_string_value(json_object_get(peer, "name"));
		json_t *row = json_pack("{s:s}", "peer", name);

		for (size_t k = 0; k < n; k++) {
			char *cell = matrix_cell(paths, name, labels[k]);

			json_object_set_new(row, labels[k], json_string(cell));
			free(cell);
		}
		json_array_append_new(rows, row);
	}
	if (json_array_size(rows))
		fputc('\n', out->fp);
	print_columns(out, cols, n + 1, false, rows);
	json_decref(rows);
}

/* Of a hub's thousands the daemon sends some, the troubled ones first. */
static void print_more(const struct ctl_out *out, const json_t *status)
{
	json_int_t total = json_integer_value(json_object_get(status, "peers_total"));
	json_int_t shown =
		(json_int_t)json_array_size(json_object_get(status, "peers"));

	if (total > shown)
		fprintf(out->fp, "\nand %lld more peers: edgectl peers\n",
			(long long)(total - shown));
}

void ctl_print_status(const struct ctl_out *out, const json_t *status)
{
	const char *state = json_string_value(json_object_get(status, "state"));
	const char *name = json_string_value(json_object_get(status, "name"));
	const json_t *paths = json_object_get(status, "paths");
	const json_t *event = json_object_get(status, "last");
	enum ctl_tone tone = ctl_tone_of(state ? state : "");
	char safe[256];
	char up[32];

	ctl_escape(safe, sizeof(safe), name ? name : "?");
	ctl_span(up, sizeof(up), number(status, "uptime_s"));
	fprintf(out->fp, "%s   %s%s%s: %s   (edged %s, up %s)\n", safe,
		ctl_tone_on(out, tone), state ? state : "?", ctl_tone_off(out, tone),
		json_string_value(json_object_get(status, "text")),
		json_string_value(json_object_get(status, "version")), up);
	if (json_is_false(json_object_get(status, "helper_connected")))
		fprintf(out->fp,
			"%sedge-zebra is not connected: classes follow the main table%s\n",
			ctl_tone_on(out, CTL_WARN), ctl_tone_off(out, CTL_WARN));
	fputc('\n', out->fp);
	print_table(out, "uplinks", true, json_object_get(status, "uplinks"));
	if (json_array_size(paths))
		fputc('\n', out->fp);
	print_table(out, "paths", true, paths);
	print_matrix(out, status);
	print_more(out, status);
	if (json_is_object(event)) {
		fputc('\n', out->fp);
		ctl_print_event(out, event);
	}
}

/* --- classes, routes, ike, why, events --------------------------------------------------- */

void ctl_print_classes(const struct ctl_out *out, const json_t *answer)
{
	const json_t *classes = json_object_get(answer, "classes");
	json_t *rows = json_array();
	const json_t *class;
	size_t i;

	ctl_print_table(out, "classes", classes);
	json_array_foreach (classes, i, class) {
		const json_t *peers = json_object_get(class, "peers");
		const json_t *peer;
		size_t k;

		json_array_foreach (peers, k, peer) {
			const json_t *paths = json_object_get(peer, "paths");
			const json_t *path;
			size_t m;

			json_array_foreach (paths, m, path) {
				json_t *row = json_copy((json_t *)(uintptr_t)path);

				json_object_set(row, "class",
						json_object_get(class, "name"));
				json_object_set(row, "peer",
						json_object_get(peer, "peer"));
				json_array_append_new(rows, row);
			}
		}
	}
	if (json_array_size(rows))
		fputc('\n', out->fp);
	ctl_print_table(out, "standings", rows);
	json_decref(rows);
}

void ctl_print_routes(const struct ctl_out *out, const json_t *answer)
{
	const json_t *kernel = json_object_get(answer, "kernel");
	const char *error = json_string_value(json_object_get(kernel, "error"));
	const json_t *helper = json_object_get(answer, "helper");
	const json_t *sessions = json_object_get(helper, "neighbors");
	const char *refused = json_string_value(json_object_get(helper, "error"));
	char safe[CELL_MAX];

	ctl_print_table(out, "routes", json_object_get(answer, "routes"));
	if (json_array_size(sessions))
		fputc('\n', out->fp);
	ctl_print_table(out, "sessions", sessions);
	if (refused && *refused) {
		ctl_escape(safe, sizeof(safe), refused);
		fprintf(out->fp, "\nFRR: %s\n", safe);
	}
	if (kernel)
		fprintf(out->fp,
			"\n%lld rules and %lld routes of ours stand in the kernel, %lld were "
			"put back\n",
			(long long)json_integer_value(json_object_get(kernel, "rules")),
			(long long)json_integer_value(
				json_object_get(kernel, "routes")),
			(long long)json_integer_value(
				json_object_get(kernel, "healed")));
	if (error && json_integer_value(json_object_get(kernel, "failing"))) {
		ctl_escape(safe, sizeof(safe), error);
		fprintf(out->fp, "the kernel refuses: %s\n", safe);
	}
	if (json_is_false(json_object_get(answer, "helper_connected")))
		fprintf(out->fp, "edge-zebra is not connected: no routes by BGP in the "
				 "class tables\n");
}

void ctl_print_ike(const struct ctl_out *out, const json_t *answer)
{
	const json_t *tunnels = json_object_get(answer, "tunnels");
	const json_t *t;
	size_t i;

	ctl_print_table(out, "ike", tunnels);
	json_array_foreach (tunnels, i, t) {
		const char *failure =
			json_string_value(json_object_get(t, "last_failure"));
		const char *name = json_string_value(json_object_get(t, "name"));
		char safe_name[256];
		char safe[CELL_MAX];

		if (!failure)
			continue;
		ctl_escape(safe_name, sizeof(safe_name), name ? name : "?");
		ctl_escape(safe, sizeof(safe), failure);
		fprintf(out->fp, "\n%s: last failure: %s\n", safe_name, safe);
		if (json_is_integer(json_object_get(t, "retry_in_s")))
			fprintf(out->fp, "  next try in %lld s\n",
				(long long)json_integer_value(
					json_object_get(t, "retry_in_s")));
	}
}

void ctl_print_why(const struct ctl_out *out, const json_t *answer)
{
	const json_t *paths = json_object_get(answer, "paths");
	const char *sentence = json_string_value(json_object_get(answer, "sentence"));
	char safe[CELL_MAX];
	const json_t *p;
	int name_width = 4;
	size_t i;

	ctl_escape(safe, sizeof(safe), sentence ? sentence : "?");
	fprintf(out->fp, "%s\n", safe);
	json_array_foreach (paths, i, p) {
		const char *path = json_string_value(json_object_get(p, "path"));

		if (path && (int)strlen(path) > name_width)
			name_width = (int)strlen(path);
	}
	json_array_foreach (paths, i, p) {
		const char *path = json_string_value(json_object_get(p, "path"));
		const char *verdict = json_string_value(json_object_get(p, "verdict"));
		const char *reason = json_string_value(json_object_get(p, "reason"));
		enum ctl_tone tone = ctl_tone_of(verdict ? verdict : "");
		char name[256];

		ctl_escape(name, sizeof(name), path ? path : "?");
		ctl_escape(safe, sizeof(safe), reason ? reason : "");
		fprintf(out->fp, "  %-*s  %s%-8s%s %s\n", name_width, name,
			ctl_tone_on(out, tone), verdict ? verdict : "?",
			ctl_tone_off(out, tone), safe);
	}
}

void ctl_print_apply(const struct ctl_out *out, const json_t *answer)
{
	const char *file = json_string_value(json_object_get(answer, "file"));
	const char *text = json_string_value(json_object_get(answer, "text"));
	const json_t *changes = json_object_get(answer, "changes");
	char safe[CELL_MAX];

	if (text)
		ctl_print_lines(out->fp, text);
	ctl_escape(safe, sizeof(safe), file ? file : "?");
	fprintf(out->fp, "%s is fine.\n", safe);
	if (json_array_size(changes) == 0) {
		fprintf(out->fp, "Nothing in it has changed.\n");
		return;
	}
	ctl_print_table(out, "changes", changes);
	fprintf(out->fp, "Applied in %.1f s.\n", number(answer, "took_ms") / 1e3);
}

static void add_change(struct text *t, const char *from, const char *to)
{
	if (from && *from && to) {
		add_escaped(t, from);
		text_add(t, " -> ");
		add_escaped(t, to);
	} else if (to) {
		add_escaped(t, to);
	}
}

void ctl_print_event(const struct ctl_out *out, const json_t *event)
{
	const char *kind = json_string_value(json_object_get(event, "kind"));
	const char *subject = json_string_value(json_object_get(event, "subject"));
	const char *reason = json_string_value(json_object_get(event, "reason"));
	char buf[4 * CELL_MAX] = "";
	struct text t = text_init(buf, sizeof(buf));
	char safe[4 * CELL_MAX];
	char when[32];

	ctl_time(out, when, sizeof(when), number(event, "time"));
	/* A decision's sentence says from where to where itself. */
	if (!kind || strcmp(kind, "steer") != 0 || !reason)
		add_change(&t, json_string_value(json_object_get(event, "from")),
			   json_string_value(json_object_get(event, "to")));
	else
		subject = NULL;
	ctl_escape(safe, sizeof(safe), reason ? reason : "");
	fprintf(out->fp, "%s  %-6s  ", when, kind ? kind : "?");
	if (subject && *subject) {
		char name[CELL_MAX];

		ctl_escape(name, sizeof(name), subject);
		fprintf(out->fp, "%s%s", name, t.len || *safe ? ": " : "");
	}
	fprintf(out->fp, "%s%s%s\n", buf, t.len && *safe ? ": " : "", safe);
}
