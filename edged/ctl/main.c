/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edgectl - asks edged, and tells it what to do
 *
 * See ctl.h for the parts. A closed pipe is no error; a full disk is.
 */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "edged/ctl/ctl.h"
#include "lib/alloc.h"
#include "lib/limits.h"
#include "lib/log.h"

static const struct ctl_command *named(const char *name)
{
	char *words[] = {(char *)(uintptr_t)name};
	int used;

	return ctl_command_find(words, 1, &used);
}

static void say_usage(const struct ctl_command *cmd)
{
	ctl_error("usage: edgectl %s%s%s", cmd->name, *cmd->args ? " " : "", cmd->args);
}

static bool fits(const struct ctl *c, const struct ctl_command *cmd, int n)
{
	unsigned int odd = c->opt.given & ~cmd->options;

	for (const struct ctl_option_row *r = ctl_option_rows; r->name && odd; r++) {
		if (!(r->bit & odd))
			continue;
		ctl_error("\"%s\" takes no --%s; usage: edgectl %s%s%s", cmd->name,
			  r->name, cmd->name, *cmd->args ? " " : "", cmd->args);
		return false;
	}
	if (n < cmd->min_args || n > cmd->max_args) {
		say_usage(cmd);
		return false;
	}
	return true;
}

static enum ctl_exit run(struct ctl *c, char **args, int n)
{
	const struct ctl_command *cmd = named("status");
	const struct ctl_command *help = named("help");
	int used = 0;

	if (c->opt.version) {
		fprintf(c->out.fp, "edgectl %s\n", PACKAGE_VERSION);
		return CTL_DONE;
	}
	if (n > 0) {
		cmd = ctl_command_find(args, n, &used);
		if (!cmd && c->opt.help)
			return help->run(c, help, NULL, 0);
		if (!cmd) {
			ctl_command_unknown(args, n);
			return CTL_USAGE;
		}
	}
	if (c->opt.help)
		return help->run(c, help, args, n > 1 ? 2 : n);
	if (!fits(c, cmd, n - used))
		return CTL_USAGE;
	return cmd->run(c, cmd, args + used, n - used);
}

int main(int argc, char **argv)
{
	struct ctl c = {.opt = {.run = ED_RUNDIR,
				.config = ED_SYSCONFDIR "/edged.yaml",
				.color = "auto",
				.wait_s = CTL_WAIT_S}};
	enum ctl_exit status = CTL_USAGE;
	int first;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	limits_no_core();
	log_open("edgectl", LOG_LVL_WARN);
	c.out.fp = stdout;
	if (ctl_options_parse(argc, argv, &c.opt, &first)) {
		c.out.utc = c.opt.utc;
		if (ctl_out_init(&c.out, stdout, c.opt.color))
			status = run(&c, argv + first, argc - first);
		else
			ctl_error("--color: say always, never or auto");
	}
	ctl_close(&c);
	return (int)ctl_out_finish(&c.out, status);
}
