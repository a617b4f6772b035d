/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The options: one row each, for parsing, help, completion and the test of the
 * manual page.
 */
#include <getopt.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edged/ctl/ctl.h"
#include "lib/alloc.h"
#include "lib/conf.h"
#include "lib/text.h"

enum { WAIT_MAX_S = 86400, PREFIX_MIN = 2, ROWS_MAX = 48, FIRST = 256 };

#define OPT(m) offsetof(struct ctl_options, m)

/* clang-format off */
const struct ctl_option_row ctl_option_rows[] = {
	{ "json", 'j', NULL, 0, OPT(json), NULL, "what the daemon said, for programs" },
	{ "run", 0, "DIR", 0, OPT(run), "@dir", "where the daemon's socket is (" ED_RUNDIR ")" },
	{ "config", 0, "FILE", 0, OPT(config), "@file",
	  "the configuration (" ED_SYSCONFDIR "/edged.yaml)" },
	{ "state", 0, "DIR", 0, OPT(state), "@dir", "as edged's and edge-webui's" },
	{ "wait", 0, "S", 0, OPT(wait), NULL,
	  "wait S seconds for the daemon, and for a restart" },
	{ "utc", 0, NULL, 0, OPT(utc), NULL, "times in UTC" },
	{ "color", 0, "WHEN", 0, OPT(color), "always|never|auto", "always, never or auto" },
	{ "help", 'h', NULL, 0, OPT(help), NULL, "this text, or that of one command" },
	{ "version", 'V', NULL, 0, OPT(version), NULL, "the version" },
	{ "dscp", 0, "CODE", CTL_OPT_DSCP, OPT(dscp),
	  "EF|AF11|AF12|AF13|AF21|AF22|AF23|AF31|AF32|AF33|AF41|AF42|AF43|CS0|CS1|CS2|CS3|"
	  "CS4|CS5|CS6|CS7|VA|LE|BE",
	  "the packet's mark: EF, AF31, 46" },
	{ "since", 0, "WHEN", CTL_OPT_SINCE, OPT(since), "15m|1h|24h|7d|30d",
	  "30m, 24h, 7d, 14:02, \"2026-11-25 14:02\"" },
	{ "follow", 0, NULL, CTL_OPT_FOLLOW, OPT(follow), NULL, "go on with what happens" },
	{ "kind", 0, "KIND", CTL_OPT_KIND, OPT(kind),
	  "daemon|config|uplink|peer|tunnel|ike|path|steer|route|store",
	  "only events of one kind" },
	{ "limit", 0, "N", CTL_OPT_LIMIT, OPT(limit), NULL, "at most N events" },
	{ "name", 0, "NAME", CTL_OPT_NAME, OPT(name), NULL,
	  "what the new peer, or this site, is called" },
	{ "via", 0, "UPLINK", CTL_OPT_VIA, OPT(via), "@uplinks",
	  "the uplink that AWS knows the address of" },
	{ "networks", 0, "LIST", CTL_OPT_NETWORKS, OPT(networks), NULL,
	  "networks behind the peer, with commas" },
	{ "connection", 0, "ID", CTL_OPT_CONNECTION, OPT(connection), NULL,
	  "the VPN connection, where the file has several" },
	{ "write", 0, NULL, CTL_OPT_WRITE, OPT(write), NULL,
	  "add it to the configuration and to secrets.yaml" },
	{ "apply", 0, NULL, CTL_OPT_APPLY, OPT(apply), NULL,
	  "the same, then apply and wait for the tunnels" },
	{ "show-secrets", 0, NULL, CTL_OPT_SHOW_SECRETS, OPT(show_secrets), NULL,
	  "print secrets on a terminal, too" },
	{ "uplinks", 0, "LIST", CTL_OPT_UPLINKS, OPT(uplinks), NULL,
	  "isp1=eth0,lte=wwan0" },
	{ "lan", 0, "LIST", CTL_OPT_LAN, OPT(lan), NULL, "networks behind this box" },
	{ "peer", 0, "NAME[=HOST]", CTL_OPT_PEER, OPT(peer), NULL,
	  "whom to build tunnels to; without a host it calls us" },
	{ "inside", 0, "PREFIX", CTL_OPT_INSIDE, OPT(inside), NULL,
	  "addresses for the tunnels of peers that call us" },
	{ "role", 0, "ROLE", CTL_OPT_ROLE, OPT(role), "viewer|operator",
	  "viewer (looks) or operator (acts)" },
	{ 0 },
};
/* clang-format on */

/* False after saying what is wrong. */
static bool take_wait(struct ctl_options *o)
{
	char *end;
	long s;

	if (!o->wait)
		return true;
	s = strtol(o->wait, &end, 10);
	if (end == o->wait || (*end && strcmp(end, "s") != 0) || s < 1 ||
	    s > WAIT_MAX_S) {
		ctl_error("--wait: '%s' is not a number of seconds from 1 to %d",
			  o->wait, WAIT_MAX_S);
		return false;
	}
	o->wait_given = true;
	o->wait_s = (unsigned int)s;
	return true;
}

/* The table as getopt_long() wants it. */
static void build(struct option *longs, char *shorts)
{
	size_t n = 0;

	for (const struct ctl_option_row *r = ctl_option_rows; r->name; r++) {
		if (r->letter)
			*shorts++ = r->letter;
		longs[n] = (struct option){r->name,
					   r->arg ? required_argument : no_argument,
					   NULL, FIRST + (int)n};
		n++;
	}
	*shorts = '\0';
}

static const struct ctl_option_row *row_of(int opt)
{
	if (opt >= FIRST)
		return &ctl_option_rows[opt - FIRST];
	for (const struct ctl_option_row *r = ctl_option_rows; r->name; r++)
		if (r->letter && r->letter == opt)
			return r;
	return NULL;
}

bool ctl_options_parse(int argc, char **argv, struct ctl_options *ret, int *ret_first)
{
	struct option longs[ROWS_MAX] = {{0}};
	char shorts[ROWS_MAX];
	int opt;

	build(longs, shorts);
	while ((opt = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct ctl_option_row *r = row_of(opt);
		void *to = r ? (char *)ret + r->offset : NULL;

		if (!r)
			return false; /* getopt has said why */
		if (r->arg)
			*(const char **)to = optarg;
		else
			*(bool *)to = true;
		ret->given |= r->bit;
	}
	*ret_first = optind;
	return take_wait(ret);
}

/* The one command that begins with the word, NULL when there are several or none. */
static const struct ctl_command *by_prefix(const char *word)
{
	const struct ctl_command *found = NULL;
	size_t len = strlen(word);

	if (len < PREFIX_MIN || !isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return NULL;
	for (const struct ctl_command *row = ctl_commands; row->name; row++) {
		if (strncmp(row->name, word, len) != 0 || strchr(row->name, ' '))
			continue;
		if (found)
			return NULL;
		found = row;
	}
	return found;
}

const struct ctl_command *ctl_command_find(char *const *words, int n, int *ret_used)
{
	const struct ctl_command *found = NULL;

	*ret_used = 0;
	for (const struct ctl_command *row = ctl_commands; row->name && n > 0; row++) {
		const char *space = strchr(row->name, ' ');
		size_t len = space ? (size_t)(space - row->name) : strlen(row->name);

		if (strncmp(row->name, words[0], len) != 0 || words[0][len])
			continue;
		if (space && (n < 2 || strcmp(space + 1, words[1]) != 0))
			continue;
		if (found && !space)
			continue;
		found = row;
		*ret_used = space ? 2 : 1;
	}
	if (!found && n > 0) {
		found = by_prefix(words[0]);
		*ret_used = found ? 1 : 0;
	}
	return found;
}

bool ctl_command_below(const struct ctl_command *cmd, const char *word)
{
	size_t len = strlen(word);

	return strncmp(cmd->name, word, len) == 0 && cmd->name[len] == ' ';
}

void ctl_command_unknown(char *const *words, int n)
{
	unsigned int least = ~0u;
	const char *near = NULL;
	bool below = false;
	char all[160] = "";
	struct text t = text_init(all, sizeof(all));

	for (const struct ctl_command *r = ctl_commands; r->name; r++) {
		char *first = ed_strndup(r->name, strcspn(r->name, " "));
		unsigned int d = conf_distance(words[0], first);

		free(first);
		if (ctl_command_below(r, words[0])) {
			text_list(&t, ", ", r->name);
			below = true;
		}
		if (d < least) {
			least = d;
			near = r->name;
		}
	}
	if (below)
		ctl_error("there is no command '%s%s%s' (there is %s)", words[0],
			  n > 1 ? " " : "", n > 1 ? words[1] : "", all);
	else if (conf_near(words[0], least))
		ctl_error("there is no command '%s', did you mean '%s'?", words[0],
			  near);
	else
		ctl_error("there is no command '%s'; \"edgectl help\" lists them",
			  words[0]);
}
