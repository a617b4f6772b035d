/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edged's main(): options, what the process may do, then edged.c
 *
 * edged stays in the foreground; a service manager starts and restarts it
 * (conf/ has the unit). It runs as root or with CAP_NET_ADMIN, CAP_NET_RAW and
 * CAP_NET_BIND_SERVICE and needs nothing else.
 */
#include "config.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/apply.h"
#include "edged/config/config.h"
#include "edged/edged.h"
#include "lib/limits.h"
#include "lib/log.h"

enum {
	EXIT_USAGE = 2,
	FILES_OPEN =
		32768, /* a TUN of each tunnel, and more; edged.service allows them */
};

enum long_option {
	OPT_CONFIG = 256,
	OPT_RUN,
	OPT_STATE,
	OPT_DOWN,
	OPT_CHECK,
	OPT_WITHOUT,
	OPT_DEBUG,
	OPT_VERSION,
	OPT_HELP,
};

static const struct option options[] = {
	{"config", required_argument, NULL, OPT_CONFIG},
	{"run", required_argument, NULL, OPT_RUN},
	{"state", required_argument, NULL, OPT_STATE},
	{"down", no_argument, NULL, OPT_DOWN},
	{"check", no_argument, NULL, OPT_CHECK},
	{"without", required_argument, NULL, OPT_WITHOUT},
	{"debug", no_argument, NULL, OPT_DEBUG},
	{"version", no_argument, NULL, OPT_VERSION},
	{"help", no_argument, NULL, OPT_HELP},
	{0},
};

static const char help[] =
	"edged - route-based IPsec SD-WAN for a branch with several uplinks\n"
	"\n"
	"  --config FILE   the configuration (" ED_SYSCONFDIR "/edged.yaml);\n"
	"                  secrets.yaml lies beside it\n"
	"  --run DIR       sockets and saved SAs (" ED_RUNDIR ")\n"
	"  --state DIR     slots, overrides, database (" ED_STATEDIR ")\n"
	"  --check         read and check the configuration, start nothing\n"
	"  --down          remove every interface, route, rule and SA that is ours\n"
	"  --without PART  trouble-shooting: leave out steering or leak-guard\n"
	"  --debug         log more\n"
	"  --version, --help\n"
	"\n"
	"SIGHUP applies the configuration again; SIGTERM stops and keeps tunnels and\n"
	"routes for the next start. See edged(8), edged.yaml(5), edgectl(1).\n";

struct command {
	struct edged_options opt;
	bool down;
	bool check;
	enum log_level level;
};

static void usage(const char *what, const char *arg)
{
	fprintf(stderr, "edged: %s%s%s; try --help\n", what, arg ? " " : "",
		arg ? arg : "");
	exit(EXIT_USAGE);
}

static void leave_out(struct command *c, const char *part)
{
	if (strcmp(part, "steering") == 0)
		c->opt.without_steering = true;
	else if (strcmp(part, "leak-guard") == 0)
		c->opt.without_leak_guard = true;
	else
		usage("--without knows steering and leak-guard, not", part);
}

static void parse(int argc, char **argv, struct command *c)
{
	int opt;

	while ((opt = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (opt) {
		case OPT_CONFIG:
			c->opt.config = optarg;
			break;
		case OPT_RUN:
			c->opt.run = optarg;
			break;
		case OPT_STATE:
			c->opt.state = optarg;
			break;
		case OPT_DOWN:
			c->down = true;
			break;
		case OPT_CHECK:
			c->check = true;
			break;
		case OPT_WITHOUT:
			leave_out(c, optarg);
			break;
		case OPT_DEBUG:
			c->level = LOG_LVL_DEBUG;
			break;
		case OPT_VERSION:
			puts("edged " PACKAGE_VERSION);
			exit(EXIT_SUCCESS);
		case OPT_HELP:
			fputs(help, stdout);
			exit(EXIT_SUCCESS);
		default:
			exit(EXIT_USAGE); /* getopt has said why */
		}
	}
	if (optind < argc)
		usage("unexpected argument", argv[optind]);
}

/*
 * Files are ours alone unless a mode says otherwise. The process's memory holds
 * keys: no core dump, no ptrace by the same user. LeakSanitizer needs ptrace.
 */
static void confine(void)
{
	umask(0027);
#ifndef ED_SANITIZERS
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN);
}

static int check(const struct edged_options *opt)
{
	struct edged ed = {.opt = *opt};
	struct config *config = NULL;
	char *text = NULL;
	int err = apply_read(&ed, &config, &text);

	if (text)
		fputs(text, stderr);
	if (err == 0)
		printf("%s is good: %zu uplinks, %zu peers\n", opt->config,
		       config->uplinks.n, config->peers.n);
	free(text);
	config_free(config);
	return err < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct command c = {
		.opt = {.config = ED_SYSCONFDIR "/edged.yaml",
			.run = ED_RUNDIR,
			.state = ED_STATEDIR},
		.level = LOG_LVL_INFO,
	};
	struct edged *ed;
	int status;

	parse(argc, argv, &c);
	log_open("edged", c.level);
	confine();
	if (c.check)
		return check(&c.opt);
	if (c.down)
		return edged_down(&c.opt) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	limits_open_files(FILES_OPEN);
	if (edged_new(&c.opt, &ed) < 0)
		return EXIT_FAILURE;
	status = edged_run(ed);
	edged_free(ed);
	return status;
}
