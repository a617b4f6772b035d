/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edge-webui - the dashboard: HTTPS, API, live events, metrics
 *
 *	browser --- server ---- site ---- api ---- upstream --- control.sock --- edged
 *	            (TLS, HTTP) gates,    table    (lib/rpc)
 *	                        auth     stream ---'
 *
 * The parser of the outside world: it has a user of its own, no capability, sees
 * no key of a tunnel, and may do at edged only what its table says. Everything in
 * it runs on one loop but the slow check of a password, which has a thread.
 *
 * The hard cases, and where they are: clients that are slow or hostile (server.h),
 * readers of events that do not read (stream.c), edged away or silent (upstream.c),
 * pages of others in a browser that is logged in here (gate.h, site.c), floods of
 * log-ins (delay.h, login.h), users and certificates that change (auth.c, setup.c).
 */
#include <errno.h>
#include <getopt.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "lib/alloc.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/notify.h"
#include "webui/server.h"
#include "webui/setup.h"
#include "webui/site.h"

enum { FILES_OPEN = 2 * SERVER_CONNECTIONS + 128 };

#define DEFAULT_USER "edged-web"
#define DEFAULT_STATE "/var/lib/edged-web"
#define DEFAULT_SOCKET "/run/edged-web/webui.sock"

struct options {
	const char *run;
	const char *data;
	const char *user;
	struct setup_options setup;
	enum log_level level;
};

/* What lives as long as the program. */
struct program {
	struct loop *loop;
	struct notify *notify;
	struct site *site;
	struct setup *setup;
	struct loop_timer reload;
};

static const char usage_text[] =
	"Usage: edge-webui [--config FILE] [--run DIR] [--state DIR] [--socket PATH]\n"
	"                  [--data DIR] [--user NAME] [--debug]\n"
	"The dashboard of edged: HTTPS where 'web' in edged.yaml says so, and a unix "
	"socket.\n"
	"  --config FILE  edged.yaml (default " ED_SYSCONFDIR "/edged.yaml)\n"
	"  --run DIR      where edged's control.sock is (default " ED_RUNDIR ")\n"
	"  --state DIR    users and certificate (default " DEFAULT_STATE ")\n"
	"  --socket PATH  the unix socket (default " DEFAULT_SOCKET ")\n"
	"  --data DIR     the page's files (default " ED_DATADIR "/web)\n"
	"  --user NAME    run as NAME when started as root (default " DEFAULT_USER
	");\n"
	"                 root stays root, for tests\n"
	"  --debug        say more\n";

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"run", required_argument, NULL, 'r'},
		{"state", required_argument, NULL, 's'},
		{"socket", required_argument, NULL, 'S'},
		{"data", required_argument, NULL, 'D'},
		{"user", required_argument, NULL, 'u'},
		{"debug", no_argument, NULL, 'd'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->setup.config = optarg;
			break;
		case 'r':
			o->run = optarg;
			break;
		case 's':
			o->setup.state = optarg;
			break;
		case 'S':
			o->setup.socket = optarg;
			break;
		case 'D':
			o->data = optarg;
			break;
		case 'u':
			o->user = optarg;
			break;
		case 'd':
			o->level = LOG_LVL_DEBUG;
			break;
		case 'V':
			puts("edge-webui " PACKAGE_VERSION);
			exit(0);
		case 'h':
			fputs(usage_text, stdout);
			exit(0);
		default:
			fputs(usage_text, stderr);
			return -EINVAL;
		}
	}
	if (optind == argc)
		return 0;
	fprintf(stderr, "edge-webui: unexpected argument %s; try --help\n",
		argv[optind]);
	return -EINVAL;
}

/* --user, as far as we are root; returns 0 or a negative errno. */
static int become(const char *user)
{
	const struct passwd *pw;

	if (geteuid() != 0)
		return 0;
	pw = getpwnam(user);
	if (!pw)
		return -ENOENT;
	if (pw->pw_uid == 0)
		return 0;
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 ||
	    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
		return -errno;
	return 0;
}

/* No capability, and no way to one. */
static int drop_privileges(const char *user)
{
	struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};
	struct __user_cap_data_struct have[2] = {{0}, {0}};
	int err = become(user);

	if (err < 0)
		return err;
	if (geteuid() != 0) {
		if (syscall(SYS_capget, &hdr, have) < 0)
			return -errno;
		/* With nothing to drop the call is left out: a filter may forbid it. */
		if ((have[0].permitted || have[1].permitted || have[0].inheritable ||
		     have[1].inheritable) &&
		    syscall(SYS_capset, &hdr, none) < 0)
			return -errno;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
#ifndef ED_SANITIZERS /* LeakSanitizer needs ptrace */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	return 0;
}

static void on_stop(void *ctx, int signo)
{
	ed_info(NULL, "signal %d: stopping", signo);
	loop_stop(ctx);
}

static void on_reload(void *ctx, struct mono now)
{
	struct program *p = ctx;

	(void)now;
	setup_reload(p->setup);
}

static void on_hup(void *ctx, int signo)
{
	(void)signo;
	on_reload(ctx, MONO_ZERO);
}

/* Not from inside the server's own calls: from the loop. */
static void on_config_changed(void *ctx)
{
	struct program *p = ctx;

	if (p->setup)
		loop_timer_at(p->loop, &p->reload, loop_now(p->loop), on_reload, p);
}

static int run(struct program *p, const struct options *o)
{
	char *control = ed_asprintf("%s/control.sock", o->run);
	char *users = ed_asprintf("%s/users", o->setup.state);
	const struct site_options site_options = {.control = control,
						  .users = users,
						  .data = o->data,
						  .config_changed = on_config_changed,
						  .ctx = p};
	struct loop_signal sigterm = {0};
	struct loop_signal sigint = {0};
	struct loop_signal sighup = {0};
	int err;

	err = site_new(p->loop, &site_options, &p->site);
	if (err == 0)
		err = setup_new(&o->setup, p->site, &p->setup);
	if (err == 0) {
		loop_signal_start(p->loop, &sigterm, SIGTERM, on_stop, p->loop);
		loop_signal_start(p->loop, &sigint, SIGINT, on_stop, p->loop);
		loop_signal_start(p->loop, &sighup, SIGHUP, on_hup, p);
		ed_info(NULL, "ready, uid %u", getuid());
		notify_ready(p->notify, p->loop);
		loop_run(p->loop);
		notify_stopping(p->notify);
	}
	loop_signal_stop(&sigterm);
	loop_signal_stop(&sigint);
	loop_signal_stop(&sighup);
	loop_timer_stop(&p->reload);
	setup_free(p->setup);
	site_free(p->site);
	free(users);
	free(control);
	return err < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct options o = {.run = ED_RUNDIR,
			    .data = ED_DATADIR "/web",
			    .user = DEFAULT_USER,
			    .setup = {.config = ED_SYSCONFDIR "/edged.yaml",
				      .state = DEFAULT_STATE,
				      .socket = DEFAULT_SOCKET},
			    .level = LOG_LVL_INFO};
	struct program p = {0};
	int err;

	if (parse(argc, argv, &o) < 0)
		return 2;
	log_open("edge-webui", o.level);
	p.notify = notify_new();
	umask(0077);
	limits_open_files(FILES_OPEN);
	limits_no_core();
	err = drop_privileges(o.user);
	if (err < 0) {
		ed_error(NULL, "cannot become user %s: %s", o.user,
			 err == -ENOENT ? "there is no such user" : strerror(-err));
		return 1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	p.loop = loop_new();
	if (!p.loop) {
		ed_error(NULL, "cannot start: %s", strerror(errno));
		return 1;
	}
	err = run(&p, &o);
	notify_free(p.notify);
	loop_free(p.loop);
	return err;
}
