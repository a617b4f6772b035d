/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands: one row each. To add one, add its row and its function, and its
 * entry in edgectl.1 (a test compares the two).
 */
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "edged/config/dryrun.h"
#include "edged/ctl/ctl.h"
#include "lib/alloc.h"
#include "lib/conf_report.h"
#include "lib/promtext.h"

enum {
	POLL_MS = 200,
	EVENTS_DEFAULT = 100,
	FOLLOW_DEFAULT = 10,
	HELP_WIDTH = 32,
	COMPLETE_MAX = 64, /* words of a command line */
};

void ctl_print_json(struct ctl *c, const json_t *v)
{
	json_dumpf(v, c->out.fp, JSON_INDENT(2) | CTL_JSON_FLAGS);
	fputc('\n', c->out.fp);
}

/* --- lists ------------------------------------------------------------------------- */

/* True when the row is called name, or belongs to the peer or uplink name. */
static bool row_matches(const json_t *row, const char *name)
{
	static const char *const keys[] = {"name", "peer", "uplink", "prefix"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *v = json_string_value(json_object_get(row, keys[i]));

		if (v && strcmp(v, name) == 0)
			return true;
	}
	return false;
}

/* Keep the rows that name means. Returns how many are left. */
static size_t keep_rows(json_t *list, const char *name)
{
	for (size_t i = json_array_size(list); i-- > 0;)
		if (!row_matches(json_array_get(list, i), name))
			json_array_remove(list, i);
	return json_array_size(list);
}

static void print_list(struct ctl *c, const struct ctl_command *cmd,
		       const json_t *answer, const json_t *list, const char *name)
{
	if (name && json_array_size(list) == 1 && strcmp(cmd->name, "classes") != 0)
		ctl_print_details(&c->out, json_array_get(list, 0));
	else if (strcmp(cmd->name, "classes") == 0)
		ctl_print_classes(&c->out, answer);
	else if (strcmp(cmd->name, "routes") == 0)
		ctl_print_routes(&c->out, answer);
	else if (strcmp(cmd->name, "ike") == 0)
		ctl_print_ike(&c->out, answer);
	else
		ctl_print_table(&c->out, cmd->name, list);
}

static enum ctl_exit run_list(struct ctl *c, const struct ctl_command *cmd, char **args,
			      int n)
{
	/* "ike" lists tunnels; every other list is called as its command is. */
	const char *key = strcmp(cmd->name, "ike") == 0 ? "tunnels" : cmd->name;
	const char *name = n > 0 ? args[0] : NULL;
	char *method = ed_asprintf("%s.list", cmd->name);
	enum ctl_exit status;
	json_t *answer;
	json_t *list;

	status = ctl_call(c, method, NULL, &answer);
	free(method);
	if (status != CTL_DONE)
		return status;
	list = json_object_get(answer, key);
	if (name && keep_rows(list, name) == 0) {
		ctl_error("there is nothing called '%s' in \"edgectl %s\"", name,
			  cmd->name);
		status = CTL_FAILED;
	} else if (c->opt.json) {
		ctl_print_json(c, answer);
	} else {
		print_list(c, cmd, answer, list, name);
	}
	json_decref(answer);
	return status;
}

static enum ctl_exit run_status(struct ctl *c, const struct ctl_command *cmd,
				char **args, int n)
{
	json_t *answer;
	enum ctl_exit status = ctl_call(c, "status.get", NULL, &answer);

	(void)cmd;
	(void)args;
	(void)n;
	if (status != CTL_DONE)
		return status;
	if (c->opt.json)
		ctl_print_json(c, answer);
	else
		ctl_print_status(&c->out, answer);
	json_decref(answer);
	return CTL_DONE;
}

static enum ctl_exit run_watch(struct ctl *c, const struct ctl_command *cmd,
			       char **args, int n)
{
	(void)cmd;
	(void)args;
	(void)n;
	return ctl_watch(c);
}

/* --- events -------------------------------------------------------------------------- */

int64_t ctl_since_option(const struct ctl *c, const char *fallback)
{
	const char *text = c->opt.since ? c->opt.since : fallback;
	int64_t since = ctl_since(text, (int64_t)time(NULL), c->out.utc);

	if (since < 0)
		ctl_error("--since: '%s' is no time (write 30m, 1h, 2d, or "
			  "\"2026-11-25 14:02\")",
			  text);
	return since;
}

static bool event_params(const struct ctl *c, json_t *params)
{
	int64_t since = 0;
	char *end;
	long limit = c->opt.follow ? FOLLOW_DEFAULT : EVENTS_DEFAULT;

	if (c->opt.since) {
		since = ctl_since_option(c, NULL);
		if (since < 0)
			return false;
		json_object_set_new(params, "since", json_integer(since));
		limit = 10000;
	}
	if (c->opt.limit) {
		limit = strtol(c->opt.limit, &end, 10);
		if (*end || limit < 1 || limit > 10000) {
			ctl_error("--limit: '%s' is not a number from 1 to 10000",
				  c->opt.limit);
			return false;
		}
	}
	json_object_set_new(params, "limit", json_integer(limit));
	if (c->opt.kind)
		json_object_set_new(params, "kind", json_string(c->opt.kind));
	return true;
}

static enum ctl_exit run_events(struct ctl *c, const struct ctl_command *cmd,
				char **args, int n)
{
	json_t *params = json_object();
	enum ctl_exit status;
	json_t *answer;
	const json_t *e;
	size_t i;

	(void)cmd;
	(void)args;
	(void)n;
	if (!event_params(c, params)) {
		json_decref(params);
		return CTL_USAGE;
	}
	if (c->opt.follow)
		return ctl_follow(c, params);
	status = ctl_call(c, "events.list", params, &answer);
	if (status != CTL_DONE)
		return status;
	if (c->opt.json)
		ctl_print_json(c, answer);
	else
		json_array_foreach (json_object_get(answer, "events"), i, e)
			ctl_print_event(&c->out, e);
	json_decref(answer);
	return CTL_DONE;
}

static enum ctl_exit run_why(struct ctl *c, const struct ctl_command *cmd, char **args,
			     int n)
{
	json_t *params = json_pack("{s:s}", "address", args[0]);
	enum ctl_exit status;
	json_t *answer;

	(void)cmd;
	(void)n;
	if (!params) {
		ctl_error("'%s' is not an address", args[0]);
		return CTL_USAGE;
	}
	if (c->opt.dscp)
		json_object_set_new(params, "dscp", json_string(c->opt.dscp));
	status = ctl_call(c, "why", params, &answer);
	if (status != CTL_DONE)
		return status;
	if (c->opt.json)
		ctl_print_json(c, answer);
	else
		ctl_print_why(&c->out, answer);
	json_decref(answer);
	return CTL_DONE;
}

/* --- the configuration ------------------------------------------------------------------ */

static json_t *report_json(const char *file, const struct conf_report *report)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report->n; i++) {
		const struct conf_message *m = &report->v[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s?, s:i, s:i, s:s?}",
						"severity",
						m->error ? "error" : "warning", "file",
						m->file, "line", (int)m->line, "column",
						(int)m->column, "text", m->text));
	}
	return json_pack("{s:i, s:s?, s:b, s:i, s:i, s:o}", "schema", 1, "file", file,
			 "ok", report->errors == 0, "errors", (int)report->errors,
			 "warnings", (int)report->warnings, "messages", list);
}

/* What all mistakes are in: one file, or several. */
static const char *where(const struct conf_report *report, const char *path)
{
	const char *file = NULL;

	for (size_t i = 0; i < report->n; i++) {
		const struct conf_message *m = &report->v[i];

		if (!m->error || !m->file[0])
			continue;
		if (file && strcmp(file, m->file) != 0)
			return "the configuration";
		file = m->file;
	}
	return file ? file : path;
}

/* Root may read everything: whether the service's user may is another question. */
static void check_readable(const char *path, const struct passwd *service,
			   struct conf_report *report)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return;
	if (st.st_uid == service->pw_uid   ? st.st_mode & 0400
	    : st.st_gid == service->pw_gid ? st.st_mode & 0040
					   : st.st_mode & 0004)
		return;
	conf_report_add(
		report, false, path, 0, 0, NULL, 0,
		"edged runs as user %s, who may not read this file; cure: chown "
		"%s %s",
		service->pw_name, service->pw_name, path);
}

/* The folder that was made for the service is its group's. */
static void check_service(const char *path, struct conf_report *report)
{
	const struct passwd *service = geteuid() == 0 ? getpwnam("edged") : NULL;
	const char *slash = strrchr(path, '/');
	char *folder;
	char *secrets;
	struct stat st;

	if (!service || !slash)
		return;
	folder = ed_strndup(path, (size_t)(slash - path) + 1);
	secrets = ed_asprintf("%ssecrets.yaml", folder);
	if (stat(folder, &st) == 0 && st.st_gid == service->pw_gid) {
		check_readable(path, service, report);
		check_readable(secrets, service, report);
	}
	free(folder);
	free(secrets);
}

/* Read and judge a file; what is wrong with it is always said, that it is fine if told. */
static enum ctl_exit check_file(struct ctl *c, const char *path, bool tell)
{
	struct config_source src = {.path = path, .dry_run = config_dryrun};
	struct conf_report report;
	struct config *config = NULL;
	json_t *answer;
	int err;

	conf_report_init(&report);
	err = config_load(&src, &config, &report);
	if (tell)
		check_service(path, &report);
	if (err == 0 && !tell) {
		/* The daemon says it again. */
	} else if (c->opt.json) {
		answer = report_json(src.path, &report);
		ctl_print_json(c, answer);
		json_decref(answer);
	} else {
		/* The mistakes are the answer that was asked for. */
		conf_report_print(&report, c->out.fp);
		if (err < 0)
			fprintf(c->out.fp, "%zu mistake%s in %s\n", report.errors,
				report.errors == 1 ? "" : "s",
				where(&report, src.path));
		else
			fprintf(c->out.fp, "%s is fine.\n", src.path);
	}
	conf_report_fini(&report);
	config_free(config);
	return err < 0 ? CTL_REFUSED : CTL_DONE;
}

static enum ctl_exit run_check(struct ctl *c, const struct ctl_command *cmd,
			       char **args, int n)
{
	(void)cmd;
	return check_file(c, n > 0 ? args[0] : c->opt.config, true);
}

/*
 * True when opt.config must be the file that the daemon reads: both are where
 * they are by default, or the caller names it.
 */
static bool knows_file(const struct ctl *c)
{
	bool default_file = strcmp(c->opt.config, ED_SYSCONFDIR "/edged.yaml") == 0;

	return access(c->opt.config, R_OK) == 0 &&
	       (!default_file || strcmp(c->opt.run, ED_RUNDIR) == 0);
}

/* A file that does not is the daemon's to refuse: it keeps the event. */
static bool loads(const char *path)
{
	const struct config_source src = {.path = path};
	struct conf_report report;
	struct config *config = NULL;
	int err;

	conf_report_init(&report);
	err = config_load(&src, &config, &report);
	conf_report_fini(&report);
	config_free(config);
	return err == 0;
}

enum ctl_exit ctl_apply(struct ctl *c)
{
	enum ctl_exit status;
	json_t *answer;

	/* nft and FRR are asked here: the daemon's loop waits for nobody. */
	if (knows_file(c) && loads(c->opt.config) &&
	    check_file(c, c->opt.config, false) != CTL_DONE) {
		if (!c->opt.json)
			fprintf(c->out.fp, "nothing has changed\n");
		return CTL_REFUSED;
	}
	status = ctl_call(c, "config.apply", NULL, &answer);
	if (status != CTL_DONE)
		return status;
	if (c->opt.json)
		ctl_print_json(c, answer);
	else
		ctl_print_apply(&c->out, answer);
	json_decref(answer);
	return CTL_DONE;
}

static enum ctl_exit run_apply(struct ctl *c, const struct ctl_command *cmd,
			       char **args, int n)
{
	(void)cmd;
	(void)args;
	(void)n;
	return ctl_apply(c);
}

/* --- metrics ---------------------------------------------------------------------------- */

static enum ctl_exit run_metrics(struct ctl *c, const struct ctl_command *cmd,
				 char **args, int n)
{
	enum ctl_exit status;
	json_t *answer;
	char *text;
	size_t len;

	(void)cmd;
	(void)args;
	(void)n;
	status = ctl_call(c, "metrics.get", NULL, &answer);
	if (status != CTL_DONE)
		return status;
	if (c->opt.json) {
		ctl_print_json(c, answer);
	} else if (promtext_render(answer, &text, &len) == 0) {
		fwrite(text, 1, len, c->out.fp);
		free(text);
	} else {
		ctl_error("the daemon's metrics are not understood (is it of the same "
			  "version?)");
		status = CTL_FAILED;
	}
	json_decref(answer);
	return status;
}

/* --- by hand ------------------------------------------------------------------------------ */

static enum ctl_exit tell_done(struct ctl *c, json_t *answer, const char *done,
			       const char *already)
{
	if (c->opt.json)
		ctl_print_json(c, answer);
	else
		fprintf(c->out.fp, "%s\n",
			json_is_false(json_object_get(answer, "changed")) ? already
									  : done);
	json_decref(answer);
	return CTL_DONE;
}

static enum ctl_exit run_uplink(struct ctl *c, const struct ctl_command *cmd,
				char **args, int n)
{
	bool up = strcmp(args[1], "up") == 0;
	enum ctl_exit status;
	json_t *params;
	json_t *answer;

	(void)n;
	if (!up && strcmp(args[1], "down") != 0) {
		ctl_error("%s %s: say down or up, not '%s'", cmd->name, args[0],
			  args[1]);
		return CTL_USAGE;
	}
	params = json_pack("{s:s, s:b}", "name", args[0], "up", up);
	status = ctl_call(c, "uplink.set", params, &answer);
	if (status != CTL_DONE)
		return status;
	if (json_is_false(json_object_get(answer, "kept")))
		return tell_done(
			c, answer,
			up ? "The uplink is used again until the next restart: "
			     "edged cannot write its state folder."
			   : "The uplink carries nothing until the next restart "
			     "only: edged cannot write its state folder.",
			NULL);
	if (up)
		return tell_done(c, answer, "The uplink is used again.",
				 "The uplink was not taken down.");
	return tell_done(
		c, answer,
		"The uplink carries nothing from now on, also after a restart.",
		"The uplink is taken down already.");
}

/* Of the peer's tunnels: how many there are, and how many came up since then. */
static void count_tunnels(const json_t *answer, const char *peer, double since, int *n,
			  int *up, const char **failure)
{
	const json_t *t;
	size_t i;

	*n = 0;
	*up = 0;
	json_array_foreach (json_object_get(answer, "tunnels"), i, t) {
		const char *name = json_string_value(json_object_get(t, "peer"));
		const char *state = json_string_value(json_object_get(t, "state"));
		const char *why = json_string_value(json_object_get(t, "last_failure"));

		if (!name || strcmp(name, peer) != 0)
			continue;
		++*n;
		if (state && strcmp(state, "up") == 0 &&
		    json_number_value(json_object_get(t, "state_since")) >= since)
			++*up;
		else if (why)
			*failure = why;
	}
}

/* Look until the peer's tunnels are up again, as long as --wait allows. */
enum ctl_exit ctl_wait_peer(struct ctl *c, const char *peer, double since)
{
	struct mono end = mono_add_ms(mono_now(), c->opt.wait_s * 1000LL);
	json_t *answer = NULL;
	enum ctl_exit status = CTL_DONE;
	const char *failure;
	int n;
	int up;

	fprintf(stderr, "waiting for the tunnels to %s, at most %u s (--wait)\n", peer,
		c->opt.wait_s);
	do {
		json_decref(answer);
		ctl_pause(c, POLL_MS);
		status = ctl_call(c, "ike.list", NULL, &answer);
		if (status != CTL_DONE)
			return status;
		failure = NULL;
		count_tunnels(answer, peer, since, &n, &up, &failure);
	} while (up < n && mono_before(mono_now(), end));
	if (c->opt.json) {
		json_t *said = json_pack("{s:i, s:s, s:i, s:i}", "schema", 1, "peer",
					 peer, "tunnels", n, "up", up);

		ctl_print_json(c, said);
		json_decref(said);
	} else if (up > 0) {
		fprintf(c->out.fp, "%s: %d of %d tunnels are up\n", peer, up, n);
	}
	if (up == 0) {
		ctl_error("%s: no tunnel is up after %u s%s%s", peer, c->opt.wait_s,
			  failure ? "; last failure: " : "", failure ? failure : "");
		status = CTL_FAILED;
	}
	json_decref(answer);
	return status;
}

static enum ctl_exit run_peer(struct ctl *c, const struct ctl_command *cmd, char **args,
			      int n)
{
	bool restart = strcmp(args[1], "restart") == 0;
	struct timespec now;
	enum ctl_exit status;
	json_t *params;
	json_t *answer;

	(void)n;
	if (!restart && strcmp(args[1], "rekey") != 0) {
		ctl_error("%s %s: say restart or rekey, not '%s'", cmd->name, args[0],
			  args[1]);
		return CTL_USAGE;
	}
	clock_gettime(CLOCK_REALTIME, &now);
	params = json_pack("{s:s}", "name", args[0]);
	status = ctl_call(c, restart ? "peer.restart" : "peer.rekey", params, &answer);
	if (status != CTL_DONE)
		return status;
	if (!restart)
		return tell_done(c, answer, "New keys are being made; traffic goes on.",
				 "Nothing to do.");
	json_decref(answer);
	return ctl_wait_peer(c, args[0],
			     (double)now.tv_sec + (double)now.tv_nsec / 1e9 - 0.1);
}

/* --- help ---------------------------------------------------------------------------------- */

static void print_row(struct ctl *c, const struct ctl_command *cmd)
{
	char what[64];

	snprintf(what, sizeof(what), "%s%s%s", cmd->name, *cmd->args ? " " : "",
		 cmd->args);
	if (strlen(what) > HELP_WIDTH)
		fprintf(c->out.fp, "  %s\n  %-*s %s\n", what, HELP_WIDTH, "",
			cmd->help);
	else
		fprintf(c->out.fp, "  %-*s %s\n", HELP_WIDTH, what, cmd->help);
}

static void print_option(struct ctl *c, const struct ctl_option_row *r)
{
	char what[64];

	snprintf(what, sizeof(what), "%c%c%s --%s%s%s", r->letter ? '-' : ' ',
		 r->letter ? r->letter : ' ', r->letter ? "," : " ", r->name,
		 r->arg ? " " : "", r->arg ? r->arg : "");
	fprintf(c->out.fp, "  %-*s %s\n", HELP_WIDTH, what, r->help);
}

/* The options of a command, or those that every command takes. */
static void print_options(struct ctl *c, unsigned int bits)
{
	bool first = true;

	for (const struct ctl_option_row *r = ctl_option_rows; r->name; r++) {
		if (bits ? !(r->bit & bits) : r->bit != 0)
			continue;
		fputs(first ? "\n" : "", c->out.fp);
		first = false;
		print_option(c, r);
	}
}

static enum ctl_exit run_help(struct ctl *c, const struct ctl_command *cmd, char **args,
			      int n)
{
	const struct ctl_command *below = NULL;
	const struct ctl_command *row;
	unsigned int bits;
	int used;

	(void)cmd;
	if (n == 0) {
		fprintf(c->out.fp,
			"usage: edgectl [OPTION...] [COMMAND [ARGUMENT...]]\n\n");
		for (row = ctl_commands; row->name; row++)
			print_row(c, row);
		print_options(c, 0);
		fputs("\n"
		      "exit status: 0 done, 1 failed, 2 wrong usage, 3 the daemon does not "
		      "answer,\n"
		      "4 the configuration has mistakes. More: edgectl help COMMAND, "
		      "edgectl(1),\n"
		      "edged.yaml(5)\n",
		      c->out.fp);
		return CTL_DONE;
	}
	row = ctl_command_find(args, n, &used);
	if (row && used < n)
		row = NULL;
	if (row)
		print_row(c, row);
	bits = row ? row->options : 0;
	/* "help web" names "web password", too, and import is nothing but "import aws". */
	for (const struct ctl_command *r = ctl_commands; r->name && n == 1; r++) {
		if (!ctl_command_below(r, args[0]))
			continue;
		print_row(c, r);
		if (!row)
			bits |= r->options;
		below = r;
	}
	row = row ? row : below;
	if (!row) {
		ctl_command_unknown(args, n);
		return CTL_USAGE;
	}
	if (bits)
		print_options(c, bits);
	return CTL_DONE;
}

/* clang-format off */
const struct ctl_command ctl_commands[] = {
	{ "status", "", "", 0, 0, 0, run_status,
	  "one screen: uplinks, paths, which class goes where (the default)" },
	{ "watch", "", "", 0, 0, 0, run_watch,
	  "the same, live; with -j one JSON object a line" },
	{ "uplinks", "[NAME]", "@uplinks", 0, 1, 0, run_list, "the internet connections" },
	{ "peers", "[NAME]", "@peers", 0, 1, 0, run_list, "who we have tunnels to" },
	{ "paths", "[NAME]", "@paths|@peers|@uplinks", 0, 1, 0, run_list,
	  "delay, jitter and loss of each tunnel" },
	{ "classes", "[NAME]", "@classes", 0, 1, 0, run_list,
	  "what each class wants, and how each path stands in it" },
	{ "routes", "[PREFIX]", "@routes|@peers", 0, 1, 0, run_list,
	  "the prefixes behind the peers" },
	{ "ike", "[NAME]", "@paths|@peers|@uplinks", 0, 1, 0, run_list,
	  "the IPsec side of each tunnel, and its last failure" },
	{ "events", "[--since WHEN] [--follow]", "", 0, 0,
	  CTL_OPT_SINCE | CTL_OPT_FOLLOW | CTL_OPT_KIND | CTL_OPT_LIMIT, run_events,
	  "what changed and why, also before the last restart" },
	{ "history", "PATH [--since WHEN]", "@paths", 1, 1, CTL_OPT_SINCE, ctl_history,
	  "delay and loss of the last day, or longer, as sparklines" },
	{ "why", "ADDRESS [--dscp CODE]", "", 1, 1, CTL_OPT_DSCP, run_why,
	  "which way a packet would go, and why not the others" },
	{ "health", "", "", 0, 0, 0, ctl_health,
	  "one line and a status 0 to 3, for monitoring systems" },
	{ "metrics", "", "", 0, 0, 0, run_metrics, "the daemon's figures as Prometheus reads them" },
	{ "check", "[FILE]", "@file", 0, 1, 0, run_check,
	  "all mistakes of a configuration; needs no daemon" },
	{ "apply", "", "", 0, 0, 0, run_apply,
	  "make the daemon read its file again; changes only what changed" },
	{ "uplink", "NAME down|up", "@uplinks down|up", 2, 2, 0, run_uplink,
	  "take an uplink out of use, or back" },
	{ "peer", "NAME restart|rekey", "@peers restart|rekey", 2, 2, 0, run_peer,
	  "build its tunnels anew, or only their keys" },
	{ "init", "[--peer NAME=HOST] ...", "", 0, 0,
	  CTL_OPT_NAME | CTL_OPT_UPLINKS | CTL_OPT_LAN | CTL_OPT_PEER | CTL_OPT_NETWORKS |
	  CTL_OPT_INSIDE, ctl_init,
	  "a few questions, and the smallest configuration that works" },
	{ "import aws", "FILE [--write]", "@file", 1, 1,
	  CTL_OPT_NAME | CTL_OPT_VIA | CTL_OPT_NETWORKS | CTL_OPT_CONNECTION | CTL_OPT_WRITE |
	  CTL_OPT_APPLY | CTL_OPT_SHOW_SECRETS, ctl_import_aws,
	  "a peer of the description of an AWS VPN connection" },
	{ "web", "", "", 0, 0, 0, ctl_web,
	  "where the dashboard is, and its certificate's fingerprint" },
	{ "web password", "USER [--role ROLE]", "@users", 1, 1, CTL_OPT_ROLE, ctl_web_password,
	  "give a user of the dashboard a password" },
	{ "web user", "list|remove [USER]", "list|remove @users", 1, 2, 0, ctl_web_user,
	  "who may log in" },
	{ "web token", "add|list|remove [NAME]", "add|list|remove @tokens", 1, 2, CTL_OPT_ROLE,
	  ctl_web_token, "tokens for scripts; a new one is shown once" },
	{ "schema", "", "", 0, 0, 0, ctl_schema, "the settings as JSON Schema, for editors" },
	{ "complete", "WORD ...", "", 0, COMPLETE_MAX, 0, ctl_complete,
	  "what the last word could become, for the shell" },
	{ "help", "[COMMAND]", "@commands", 0, 2, 0, run_help, "this text" },
	{ 0 },
};
/* clang-format on */
