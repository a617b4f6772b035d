/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edge-esp - ESP in user space, where the kernel has none
 *
 *	edged --- esp.sock (proto.h) ---> server --- table (sa) <--- worker
 *	  TUN and UDP descriptors, SAs                         TUN <-> UDP 4500
 *
 * A second "kernel": edged makes TUN interfaces and UDP sockets, which needs
 * privilege, and passes them here; edge-esp has none and sees nothing but SAs
 * and packets. It keeps working while edged is away. What it is told comes
 * over one socket and is checked as if the sender were hostile (server.c); what
 * comes from the network touches only packet.c before its tag is verified.
 *
 * SAs live and die with the process: after a crash edged makes new ones, since
 * a key must never meet sequence number 1 again.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "edged/esp/proto.h"
#include "edged/esp/server.h"
#include "lib/limits.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/notify.h"
#include "lib/rng.h"

enum {
	LISTEN_FD = 3, /* first descriptor of socket activation */
	FILES = ESP_SLOTS_MAX + ESP_SOCKETS_MAX + 64,
};

struct options {
	const char *run_dir;
	const char *user;
	const char *edged_user;
	enum log_level level;
};

static const char usage_text[] =
	"Usage: edge-esp [--run DIR] [--user NAME] [--edged-user NAME] [--debug]\n"
	"ESP in UDP over TUN interfaces, told what to do by edged over DIR/esp.sock.\n"
	"  --run DIR          where esp.sock is made (default " ED_RUNDIR
	"); a socket passed\n"
	"                     by the service manager (LISTEN_FDS) is taken instead\n"
	"  --user NAME        run as NAME when started as root (default edge-esp, else\n"
	"                     nobody)\n"
	"  --edged-user NAME  may connect beside root (default edged)\n"
	"  --debug            say more\n"
	"  --version, --help\n";

static int parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{"run", required_argument, NULL, 'r'},
		{"user", required_argument, NULL, 'u'},
		{"edged-user", required_argument, NULL, 'e'},
		{"debug", no_argument, NULL, 'd'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 'r':
			o->run_dir = optarg;
			break;
		case 'u':
			o->user = optarg;
			break;
		case 'e':
			o->edged_user = optarg;
			break;
		case 'd':
			o->level = LOG_LVL_DEBUG;
			break;
		case 'V':
			printf("edge-esp %s, protocol %d\n", PACKAGE_VERSION,
			       ESP_PROTO_VERSION);
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
	fprintf(stderr, "edge-esp: unexpected argument %s; try --help\n", argv[optind]);
	return -EINVAL;
}

/* The socket of the service manager, -1 when there is none. */
static int inherited_socket(void)
{
	const char *pid = getenv("LISTEN_PID");
	const char *fds = getenv("LISTEN_FDS");
	int type = 0;
	socklen_t len = sizeof(type);

	if (!pid || !fds || strtol(pid, NULL, 10) != getpid() ||
	    strtol(fds, NULL, 10) < 1)
		return -1;
	if (getsockopt(LISTEN_FD, SOL_SOCKET, SO_TYPE, &type, &len) < 0 ||
	    type != SOCK_SEQPACKET)
		return -1;
	if (fcntl(LISTEN_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(LISTEN_FD, F_SETFL, O_NONBLOCK) < 0)
		return -1;
	return LISTEN_FD;
}

static int make_socket(const char *dir, uid_t owner)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};
	int n = snprintf(sun.sun_path, sizeof(sun.sun_path), "%s/esp.sock", dir);
	int err;
	int fd;

	if (n < 0 || (size_t)n >= sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	(void)unlink(sun.sun_path); /* a stale one of ours */
	umask(0177);
	if (bind(fd, (const struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    listen(fd, 4) < 0)
		goto fail;
	if (owner != (uid_t)-1 && geteuid() == 0 &&
	    chown(sun.sun_path, owner, (gid_t)-1) < 0)
		goto fail;
	return fd;

fail:
	err = -errno;
	close(fd);
	return err;
}

/* Keys must not lie in swap. */
static void lock_memory(void)
{
	struct rlimit old;

	if (geteuid() == 0) {
		struct rlimit lock = {RLIM_INFINITY, RLIM_INFINITY};

		(void)setrlimit(RLIMIT_MEMLOCK, &lock);
	}
	if (getrlimit(RLIMIT_MEMLOCK, &old) == 0 && old.rlim_cur == RLIM_INFINITY &&
	    mlockall(MCL_CURRENT | MCL_FUTURE) == 0)
		return;
	ed_info(NULL, "memory is not locked: keys may reach swap");
}

/* No user of root's, no capability, and no way back to either. */
static int drop_privileges(const char *user)
{
	struct __user_cap_header_struct hdr = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}, {0}};
	struct __user_cap_data_struct have[2] = {{0}, {0}};
	const struct passwd *pw;

	if (geteuid() == 0) {
		pw = getpwnam(user ? user : "edge-esp");
		if (!pw && !user)
			pw = getpwnam("nobody");
		if (!pw || pw->pw_uid == 0)
			return -ENOENT;
		if (setgroups(0, NULL) < 0 ||
		    setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
		    setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0)
			return -errno;
	}
	/* With nothing to drop the call is left out: the unit's filter forbids it. */
	if (syscall(SYS_capget, &hdr, have) < 0)
		return -errno;
	if ((have[0].permitted || have[1].permitted || have[0].inheritable ||
	     have[1].inheritable) &&
	    syscall(SYS_capset, &hdr, none) < 0)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
#ifndef ED_SANITIZERS /* LeakSanitizer needs ptrace */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
	return 0;
}

static void on_stop(void *ctx, int signo)
{
	ed_info(NULL, "signal %d: stopping, SAs end", signo);
	loop_stop(ctx);
}

int main(int argc, char **argv)
{
	struct options o = {.run_dir = ED_RUNDIR,
			    .edged_user = "edged",
			    .level = LOG_LVL_INFO};
	struct loop_signal sigterm = {0};
	struct loop_signal sigint = {0};
	struct notify *notify;
	struct esp_server *server;
	const struct passwd *pw;
	struct loop *loop;
	struct rng rng;
	uid_t edged_uid;
	int err;
	int fd;

	if (parse(argc, argv, &o) < 0)
		return 2;
	log_open("edge-esp", o.level);
	notify = notify_new();
	pw = getpwnam(o.edged_user);
	edged_uid = pw ? pw->pw_uid : (uid_t)-1;
	fd = inherited_socket();
	if (fd < 0)
		fd = make_socket(o.run_dir, edged_uid);
	if (fd < 0) {
		ed_error(NULL, "%s/esp.sock: %s", o.run_dir, strerror(-fd));
		return 1;
	}
	limits_open_files(FILES);
	limits_no_core();
	lock_memory();
	err = drop_privileges(o.user);
	if (err < 0) {
		ed_error(NULL, "cannot become user %s: %s",
			 o.user ? o.user : "edge-esp", strerror(-err));
		return 1;
	}
	loop = loop_new();
	rng = rng_system();
	server = loop ? esp_server_new(loop, &rng, fd, edged_uid) : NULL;
	if (!server) {
		ed_error(NULL, "cannot start: %s", strerror(errno));
		return 1;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	loop_signal_start(loop, &sigterm, SIGTERM, on_stop, loop);
	loop_signal_start(loop, &sigint, SIGINT, on_stop, loop);
	ed_info(NULL, "ready, uid %u", getuid());
	notify_ready(notify, loop);
	loop_run(loop);
	notify_stopping(notify);
	loop_signal_stop(&sigterm);
	loop_signal_stop(&sigint);
	esp_server_free(server);
	notify_free(notify);
	loop_free(loop);
	return 0;
}
