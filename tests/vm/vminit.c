/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vminit - process 1 of a vmrun guest
 *
 *	modules -> root image below a memory overlay -> shares -> COMMAND -> status
 *
 * In the control share lie conf (what to mount, where to start), cmd (a shell
 * script) and, written here, start and rc. The machine is left through QEMU's
 * debug port as soon as the command has ended, whatever else still runs.
 *
 * "vminit tsckhz", on the host, prints the rate of the time stamp counter.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define P9 "trans=virtio,version=9p2000.L,msize=524288,cache="
#define DEBUG_PORT 0xf4
#define POLL_US 5000
#define POLLS 400 /* 2 s: devices may come late */

struct conf {
	bool tty;
	char cwd[1024];
};

static void leave(void)
{
	sync();
	if (ioperm(DEBUG_PORT, 4, 1) == 0)
		outl(0, DEBUG_PORT);
	reboot(RB_AUTOBOOT); /* -no-reboot makes it an exit */
	for (;;)
		pause();
}

static void die(const char *what)
{
	fprintf(stderr, "vminit: %s: %s\n", what, strerror(errno));
	leave();
}

static double uptime(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void make_path(const char *path)
{
	char copy[1200];

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *s = copy + 1; *s; s++) {
		if (*s != '/')
			continue;
		*s = '\0';
		mkdir(copy, 0755);
		*s = '/';
	}
	mkdir(copy, 0755);
}

static int put(const char *what, const char *where, const char *type,
	       unsigned long flags, const char *options)
{
	make_path(where);
	return mount(what, where, type, flags, options);
}

/* The modules that a list in the initramfs names, in its order. */
static void load_modules(const char *list)
{
	char name[128];
	char path[160];
	FILE *f = fopen(list, "r");

	while (f && fgets(name, sizeof(name), f)) {
		int fd;

		name[strcspn(name, "\n")] = '\0';
		snprintf(path, sizeof(path), "/mods/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			fprintf(stderr, "vminit: %s: %s\n", path, strerror(errno));
		close(fd);
	}
	if (f)
		fclose(f);
}

static int find_output(void)
{
	DIR *d = opendir("/sys/class/virtio-ports");
	struct dirent *e;
	int fd = -1;

	while (d && fd < 0 && (e = readdir(d))) {
		char path[512];
		char name[32] = "";
		FILE *f;

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name",
			 e->d_name);
		f = fopen(path, "r");
		if (!f)
			continue;
		if (fgets(name, sizeof(name), f) && !strncmp(name, "vmrun.out", 9)) {
			snprintf(path, sizeof(path), "/dev/%s", e->d_name);
			fd = open(path, O_WRONLY | O_CLOEXEC);
		}
		fclose(f);
	}
	if (d)
		closedir(d);
	return fd;
}

/* The median of a few short measurements against the raw clock. */
static int print_tsc_khz(void)
{
	enum { TRIES = 5 };
	double khz[TRIES];

	for (int i = 0; i < TRIES; i++) {
		struct timespec a;
		struct timespec b;
		unsigned long long x;
		unsigned long long y;
		double took;

		clock_gettime(CLOCK_MONOTONIC_RAW, &a);
		x = __builtin_ia32_rdtsc();
		usleep(20000);
		clock_gettime(CLOCK_MONOTONIC_RAW, &b);
		y = __builtin_ia32_rdtsc();
		took = (double)(b.tv_sec - a.tv_sec) +
		       (double)(b.tv_nsec - a.tv_nsec) / 1e9;
		khz[i] = (double)(y - x) / took / 1000;
		for (int k = i; k > 0 && khz[k] < khz[k - 1]; k--) {
			double swap = khz[k];

			khz[k] = khz[k - 1];
			khz[k - 1] = swap;
		}
	}
	printf("%.0f\n", khz[TRIES / 2]);
	return 0;
}

static void mount_root(void)
{
	for (int i = 0; i < POLLS && access("/dev/vda", F_OK); i++)
		usleep(POLL_US);
	if (put("/dev/vda", "/ro", "ext4", MS_RDONLY, NULL))
		die("root image");
	if (put("rw", "/rw", "tmpfs", 0, "size=80%"))
		die("tmpfs");
	make_path("/rw/upper");
	make_path("/rw/work");
	if (put("root", "/new", "overlay", 0,
		"lowerdir=/ro,upperdir=/rw/upper,workdir=/rw/work"))
		die("overlay");
}

static void mount_system(void)
{
	static const char *const links[][2] = {{"/proc/self/fd", "/new/dev/fd"},
					       {"/proc/self/fd/0", "/new/dev/stdin"},
					       {"/proc/self/fd/1", "/new/dev/stdout"},
					       {"/proc/self/fd/2", "/new/dev/stderr"}};
	struct utsname u;
	char dir[256];

	uname(&u);
	snprintf(dir, sizeof(dir), "/new/usr/lib/modules/%s", u.release);
	if (put("modules", dir, "9p", MS_RDONLY, P9 "loose"))
		die("modules");
	put("proc", "/new/proc", "proc", 0, NULL);
	put("sys", "/new/sys", "sysfs", 0, NULL);
	put("dev", "/new/dev", "devtmpfs", 0, NULL);
	put("pts", "/new/dev/pts", "devpts", 0, "mode=620,ptmxmode=666");
	put("shm", "/new/dev/shm", "tmpfs", 0, NULL);
	put("tmp", "/new/tmp", "tmpfs", 0, "mode=1777");
	put("run", "/new/run", "tmpfs", 0, "mode=755");
	put("cgroup", "/new/sys/fs/cgroup", "cgroup2", 0, NULL);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		if (symlink(links[i][0], links[i][1]))
			fprintf(stderr, "vminit: %s: %s\n", links[i][1],
				strerror(errno));
	make_path("/new/run/lock");
	make_path("/new/run/vmrun");
}

/* A word and its arguments a line; folders are shared when the root is there. */
static void read_conf(const char *path, struct conf *c)
{
	char line[1200];
	FILE *f = fopen(path, "r");

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		char tag[32];
		char mode[8];
		char dir[1024];
		char where[1100];
		bool ro;

		line[strcspn(line, "\n")] = '\0';
		if (!strcmp(line, "tty"))
			c->tty = true;
		else if (!strncmp(line, "cwd ", 4))
			snprintf(c->cwd, sizeof(c->cwd), "%s", line + 4);
		else if (sscanf(line, "share %31s %7s %1023[^\n]", tag, mode, dir) ==
			 3) {
			ro = !strcmp(mode, "ro");
			snprintf(where, sizeof(where), "/new%s", dir);
			if (put(tag, where, "9p", ro ? MS_RDONLY : 0,
				ro ? P9 "loose" : P9 "mmap"))
				fprintf(stderr, "vminit: share %s: %s\n", dir,
					strerror(errno));
		}
	}
	fclose(f);
}

static void run_command(const struct conf *c, int out)
{
	int in = open(c->tty ? "/dev/ttyS0" : "/dev/null", O_RDWR);

	setsid();
	dup2(in, 0);
	if (c->tty) {
		dup2(0, 1);
		dup2(0, 2);
		ioctl(0, TIOCSCTTY, 0);
	} else if (out >= 0) {
		dup2(out, 1);
		dup2(out, 2);
	}
	closefrom(3);
	if (chdir(c->cwd))
		errno = 0; /* not shared: it starts in / */
	execl("/bin/bash", "bash", "/run/vmrun/cmd", (char *)NULL);
	perror("vminit: bash");
	_exit(127);
}

/* Written whole under another name: the host may look at any time. */
static void store(const char *path, const char *fmt, ...)
{
	char tmp[64];
	va_list ap;
	FILE *f;

	snprintf(tmp, sizeof(tmp), "%s.new", path);
	f = fopen(tmp, "w");
	if (!f)
		return;
	va_start(ap, fmt);
	vfprintf(f, fmt, ap);
	va_end(ap);
	fflush(f);
	fsync(fileno(f));
	fclose(f);
	rename(tmp, path);
}

static void enter_root(void)
{
	if (mount("/ctl", "/new/run/vmrun", NULL, MS_MOVE, NULL))
		die("control share");
	if (sethostname("vm", 2) || chdir("/new") ||
	    mount(".", "/", NULL, MS_MOVE, NULL) || chroot(".") || chdir("/"))
		die("root");
}

int main(int argc, char **argv)
{
	struct conf c = {.cwd = "/"};
	int status = 0;
	int rc = 126;
	int out = -1;
	int err = -1;
	int con;
	pid_t pid;
	pid_t ended;

	if (argc > 1 && !strcmp(argv[1], "tsckhz"))
		return print_tsc_khz();
	put("proc", "/proc", "proc", 0, NULL);
	put("sys", "/sys", "sysfs", 0, NULL);
	put("dev", "/dev", "devtmpfs", 0, NULL);
	con = open("/dev/console", O_RDWR);
	for (int fd = 0; con >= 0 && fd < 3; fd++)
		dup2(con, fd);
	load_modules("/mods/boot");
	if (fork() == 0) { /* while the mounts go on; nothing loads it by itself */
		load_modules("/mods/late");
		_exit(0);
	}
	for (int i = 0; i < POLLS && err; i++) {
		err = put("ctl", "/ctl", "9p", 0, P9 "none");
		if (err)
			usleep(POLL_US);
	}
	if (err)
		die("control share");
	for (int i = 0; i < POLLS && out < 0; i++) {
		out = find_output();
		if (out < 0)
			usleep(POLL_US);
	}
	mount_root();
	mount_system();
	read_conf("/ctl/conf", &c);
	enter_root();
	store("/run/vmrun/start", "%.3f\n", uptime());

	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		run_command(&c, out);
	do /* orphans come here, too */
		ended = wait(&status);
	while (ended != pid && (ended >= 0 || errno == EINTR));
	if (ended == pid)
		rc = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	store("/run/vmrun/rc", "%d %.3f\n", rc, uptime());
	leave();
}
