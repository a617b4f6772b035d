/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edgectl - asks edged, and tells it what to do
 *
 * See ctl.h for the parts. A closed pipe is no error; a full disk is.
 */
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "edged/ctl/ctl.h"
#include "lib/alloc.h"
#include "lib/log.h"

enum { WAIT_MAX_S = 86400, PREFIX_MIN = 2 };

enum {
	OPT_RUN = 256,
	OPT_CONFIG,
	OPT_STATE,
	OPT_WAIT,
	OPT_UTC,
	OPT_COLOR,
	OPT_DSCP,
	OPT_SINCE,
	OPT_FOLLOW,
	OPT_KIND,
	OPT_LIMIT,
};

static const struct option options[] = {
	{"json", no_argument, NULL, 'j'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{"run", required_argument, NULL, OPT_RUN},
	{"config", required_argument, NULL, OPT_CONFIG},
	{"state", required_argument, NULL, OPT_STATE},
	{"wait", required_argument, NULL, OPT_WAIT},
	{"utc", no_argument, NULL, OPT_UTC},
	{"color", required_argument, NULL, OPT_COLOR},
	{"dscp", required_argument, NULL, OPT_DSCP},
	{"since", required_argument, NULL, OPT_SINCE},
	{"follow", no_argument, NULL, OPT_FOLLOW},
	{"kind", required_argument, NULL, OPT_KIND},
	{"limit", required_argument, NULL, OPT_LIMIT},
	{0},
};

struct line {
	const char *color;
	bool help;
	bool version;
};

/* What only some commands take; the command's row is asked later. */
static bool take_special(struct ctl_options *o, int opt)
{
	switch (opt) {
	case OPT_DSCP:
		o->dscp = optarg;
		o->given |= CTL_OPT_DSCP;
		return true;
	case OPT_SINCE:
		o->since = optarg;
		o->given |= CTL_OPT_SINCE;
		return true;
	case OPT_FOLLOW:
		o->follow = true;
		o->given |= CTL_OPT_FOLLOW;
		return true;
	case OPT_KIND:
		o->kind = optarg;
		o->given |= CTL_OPT_KIND;
		return true;
	case OPT_LIMIT:
		o->limit = optarg;
		o->given |= CTL_OPT_LIMIT;
		return true;
	}
	return false;
}

static bool take_wait(struct ctl_options *o)
{
	char *end;
	long s = strtol(optarg, &end, 10);

	if (end == optarg || (*end && strcmp(end, "s") != 0) || s < 1 ||
	    s > WAIT_MAX_S) {
		ctl_error("--wait: '%s' is not a number of seconds from 1 to %d",
			  optarg, WAIT_MAX_S);
		return false;
	}
	o->wait_given = true;
	o->wait_s = (unsigned int)s;
	return true;
}

/* False after saying what is wrong. */
static bool parse(int argc, char **argv, struct ctl *c, struct line *line)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "jhV", options, NULL)) != -1) {
		switch (opt) {
		case 'j':
			c->opt.json = true;
			break;
		case 'h':
			line->help = true;
			break;
		case 'V':
			line->version = true;
			break;
		case OPT_RUN:
			c->opt.run = optarg;
			break;
		case OPT_CONFIG:
			c->opt.config = optarg;
			break;
		case OPT_STATE:
			c->opt.state = optarg;
			break;
		case OPT_WAIT:
			if (!take_wait(&c->opt))
				return false;
			break;
		case OPT_UTC:
			c->out.utc = true;
			break;
		case OPT_COLOR:
			line->color = optarg;
			break;
		default:
			if (!take_special(&c->opt, opt))
				return false; /* getopt has said why */
		}
	}
	return true;
}

/* The command called name; a beginning that fits one only is enough on a terminal. */
static const struct ctl_command *find(const char *name)
{
	const struct ctl_command *found = NULL;
	size_t len = strlen(name);
	int n = 0;

	for (const struct ctl_command *row = ctl_commands; row->name; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
		if (strncmp(row->name, name, len) == 0) {
			found = row;
			n++;
		}
	}
	return n == 1 && len >= PREFIX_MIN && isatty(STDIN_FILENO) &&
			       isatty(STDOUT_FILENO)
		       ? found
		       : NULL;
}

static bool fits(const struct ctl *c, const struct ctl_command *cmd, int n)
{
	if (c->opt.given & ~cmd->options) {
		ctl_error("\"%s\" does not take that option; usage: edgectl %s %s",
			  cmd->name, cmd->name, cmd->args);
		return false;
	}
	if (n < cmd->min_args || n > cmd->max_args) {
		ctl_error("usage: edgectl %s %s", cmd->name, cmd->args);
		return false;
	}
	return true;
}

static enum ctl_exit run(struct ctl *c, const struct line *line, char **args, int n)
{
	const struct ctl_command *cmd = find("status");

	if (line->version) {
		fprintf(c->out.fp, "edgectl %s\n", PACKAGE_VERSION);
		return CTL_DONE;
	}
	if (n > 0) {
		cmd = find(args[0]);
		if (!cmd) {
			ctl_error(
				"there is no command '%s'; \"edgectl help\" lists them",
				args[0]);
			return CTL_USAGE;
		}
		args++;
		n--;
	}
	if (line->help)
		return find("help")->run(c, cmd, NULL, 0);
	if (!fits(c, cmd, n))
		return CTL_USAGE;
	return cmd->run(c, cmd, args, n);
}

int main(int argc, char **argv)
{
	struct ctl c = {.opt = {.run = ED_RUNDIR,
				.config = ED_SYSCONFDIR "/edged.yaml",
				.state = ED_STATEDIR,
				.wait_s = CTL_WAIT_S}};
	struct line line = {.color = "auto"};
	enum ctl_exit status = CTL_USAGE;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	log_open("edgectl", LOG_LVL_WARN);
	c.out.fp = stdout;
	if (parse(argc, argv, &c, &line)) {
		if (ctl_out_init(&c.out, stdout, line.color))
			status = run(&c, &line, argv + optind, argc - optind);
		else
			ctl_error("--color: say always, never or auto");
	}
	ctl_close(&c);
	return (int)ctl_out_finish(&c.out, status);
}
