/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dpdrive - the data plane by hand: tunnels and SAs with fixed keys, no IKE
 *
 *	dpdrive --carrier auto|kernel|user --run DIR
 *
 * Commands come line by line on standard input, answers and events go to
 * standard output. Each command is answered by a line "ok ..." or
 * "error NUMBER TEXT"; a line "event ..." may come at any time.
 *
 *	socket ID ADDR PORT [DEVICE MARK]       bind it and hand it over
 *	tunnel SLOT NAME auto|xfrm|vti|tun MTU LOCAL REMOTE
 *	sa SLOT in|out SPI 128|256 SEED ID LOCAL PORT REMOTE PORT encap|plain [MARK MASK]
 *	update SLOT in|out SPI ID LOCAL PORT REMOTE PORT
 *	del SLOT in|out SPI
 *	remove SLOT
 *	ike ID REMOTE PORT HEX                  send it, marker before it
 *	dump | counters SLOT | kind SLOT | fds | sweep | reconcile | quit
 *
 * The key of a SEED is the same on every machine: for tests only.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "edged/dataplane/dataplane.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/rng.h"
#include "routing/owned.h"

enum { WORDS_MAX = 16, LINE_MAX_BYTES = 4096, SOCKETS_MAX = 16, IKE_MAX = 1500 };

struct drive {
	struct loop *loop;
	struct loop_io input;
	struct dataplane *dp;
	int sockets[SOCKETS_MAX];
	char line[LINE_MAX_BYTES];
	size_t fill;
};

/* --- events ------------------------------------------------------------------ */

static void on_ready(void *ctx, bool up)
{
	(void)ctx;
	printf("event ready %s\n", up ? "up" : "down");
}

static void on_ike(void *ctx, uint32_t id, const struct endpoint *local,
		   const struct endpoint *remote, const uint8_t *bytes, size_t len)
{
	char text[ENDPOINT_STRLEN];

	(void)ctx;
	(void)local;
	printf("event ike %u %s ", id, endpoint_format(remote, text));
	for (size_t i = 0; i < len; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

static const char *dir_name(enum dp_dir dir)
{
	return dir == DP_IN ? "in" : "out";
}

static void on_lost(void *ctx, uint32_t slot, enum dp_dir dir, uint32_t spi)
{
	(void)ctx;
	printf("event lost %u %s %u\n", slot, dir_name(dir), spi);
}

static void on_expire(void *ctx, uint32_t slot, enum dp_dir dir, uint32_t spi,
		      bool hard)
{
	(void)ctx;
	printf("event expire %u %s %u %s\n", slot, dir_name(dir), spi,
	       hard ? "hard" : "soft");
}

static void on_mapping(void *ctx, uint32_t slot, uint32_t spi,
		       const struct endpoint *remote)
{
	char text[ENDPOINT_STRLEN];

	(void)ctx;
	printf("event mapping %u %u %s\n", slot, spi, endpoint_format(remote, text));
}

static void on_restored(void *ctx, uint32_t slot, int ifindex)
{
	(void)ctx;
	printf("event restored %u %d\n", slot, ifindex);
}

static const struct dp_host host = {
	.ready = on_ready,
	.ike = on_ike,
	.sa_lost = on_lost,
	.sa_expire = on_expire,
	.mapping = on_mapping,
	.tunnel_restored = on_restored,
};

/* --- commands ---------------------------------------------------------------- */

struct words {
	int n;
	char *w[WORDS_MAX];
};

/* Word i, "" when there is none. */
static const char *word(const struct words *a, int i)
{
	return i < a->n ? a->w[i] : "";
}

static uint32_t number(const struct words *a, int i)
{
	return (uint32_t)strtoul(word(a, i), NULL, 0);
}

static int get_endpoint(const struct words *a, int i, struct endpoint *e)
{
	*e = (struct endpoint){.port = (uint16_t)number(a, i + 1)};
	return addr_parse(word(a, i), &e->addr);
}

static enum dp_dir get_dir(const struct words *a, int i)
{
	return strcmp(word(a, i), "in") ? DP_OUT : DP_IN;
}

static int cmd_socket(struct drive *d, const struct words *a)
{
	struct sockaddr_storage ss;
	struct endpoint local;
	uint32_t id = number(a, 1);
	uint32_t mark = number(a, 5);
	int one = 1;
	int big = 4 << 20;
	socklen_t len;
	int err;
	int fd;

	if (id >= SOCKETS_MAX || get_endpoint(a, 2, &local) < 0)
		return -EINVAL;
	len = endpoint_to_sockaddr(&local, &ss);
	fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (ss.ss_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	if ((a->n > 4 && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, word(a, 4),
				    (socklen_t)strlen(word(a, 4))) < 0) ||
	    (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0) ||
	    bind(fd, (const struct sockaddr *)&ss, len) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	if (d->sockets[id])
		close(d->sockets[id]);
	d->sockets[id] = fd;
	return dp_socket_set(d->dp, id, fd, &local);
}

static int cmd_tunnel(struct drive *d, const struct words *a)
{
	static const char *const kinds[] = {"", "auto", "xfrm", "vti", "tun"};
	struct dp_tunnel t = {.slot = number(a, 1), .mtu = number(a, 4)};
	int ifindex = 0;
	int err;

	for (unsigned int k = 1; k < ARRAY_LEN(kinds); k++)
		if (!strcmp(word(a, 3), kinds[k]))
			t.kind = (enum dp_if)k;
	t.if_id = RT_IF_ID_BASE + t.slot;
	snprintf(t.ifname, sizeof(t.ifname), RT_IFNAME_FORMAT, t.slot);
	snprintf(t.name, sizeof(t.name), "%s", word(a, 2));
	(void)addr_parse(word(a, 5), &t.local);
	(void)addr_parse(word(a, 6), &t.remote);
	err = dp_tunnel_set(d->dp, &t, &ifindex);
	if (!err)
		printf("ok %s %d\n", t.ifname, ifindex);
	return err ? err : 1;
}

static int cmd_sa(struct drive *d, const struct words *a)
{
	struct dp_sa sa = {
		.slot = number(a, 1),
		.dir = get_dir(a, 2),
		.spi = number(a, 3),
		.cipher = number(a, 4) == 128 ? DP_AES128_GCM16 : DP_AES256_GCM16,
		.socket = number(a, 6),
		.encap = !strcmp(word(a, 11), "encap"),
		.mark = number(a, 12),
		.mark_mask = number(a, 13),
	};
	struct rng rng = rng_seeded(number(a, 5));

	rng_bytes(&rng, sa.key, sizeof(sa.key));
	if (get_endpoint(a, 7, &sa.local) < 0 || get_endpoint(a, 9, &sa.remote) < 0)
		return -EINVAL;
	return dp_sa_install(d->dp, &sa);
}

static int cmd_update(struct drive *d, const struct words *a)
{
	struct endpoint local;
	struct endpoint remote;

	if (get_endpoint(a, 5, &local) < 0 || get_endpoint(a, 7, &remote) < 0)
		return -EINVAL;
	return dp_sa_update(d->dp, number(a, 1), get_dir(a, 2), number(a, 3),
			    number(a, 4), &local, &remote);
}

static int cmd_del(struct drive *d, const struct words *a)
{
	return dp_sa_remove(d->dp, number(a, 1), get_dir(a, 2), number(a, 3));
}

static int cmd_remove(struct drive *d, const struct words *a)
{
	return dp_tunnel_remove(d->dp, number(a, 1));
}

static int cmd_ike(struct drive *d, const struct words *a)
{
	uint8_t bytes[4 + IKE_MAX] = {0};
	const char *hex = word(a, 4);
	struct sockaddr_storage ss;
	struct endpoint remote;
	socklen_t slen;
	size_t n = 4;
	uint32_t id = number(a, 1);

	if (id >= SOCKETS_MAX || !d->sockets[id] || get_endpoint(a, 2, &remote) < 0)
		return -EINVAL;
	for (; hex[0] && hex[1] && n < sizeof(bytes); hex += 2) {
		char two[3] = {hex[0], hex[1], 0};

		bytes[n++] = (uint8_t)strtoul(two, NULL, 16);
	}
	slen = endpoint_to_sockaddr(&remote, &ss);
	if (sendto(d->sockets[id], bytes, n, 0, (const struct sockaddr *)&ss, slen) < 0)
		return -errno;
	return 0;
}

static void print_sa(void *ctx, const struct dp_sa_info *sa)
{
	char local[ENDPOINT_STRLEN];
	char remote[ENDPOINT_STRLEN];

	(void)ctx;
	printf("sa %u %s %u %s %s %s\n", sa->slot, dir_name(sa->dir), sa->spi,
	       sa->encap ? "encap" : "plain", endpoint_format(&sa->local, local),
	       endpoint_format(&sa->remote, remote));
}

static int cmd_dump(struct drive *d, const struct words *a)
{
	(void)a;
	return dp_dump(d->dp, print_sa, NULL);
}

static int cmd_counters(struct drive *d, const struct words *a)
{
	struct dp_counters c;
	int err = dp_counters(d->dp, number(a, 1), &c);

	if (!err)
		dp_drops(d->dp, number(a, 1), &c);
	if (!err)
		printf("ok %llu %llu %llu %llu replay %llu auth %llu bad %llu dropped %llu\n",
		       (unsigned long long)c.rx_packets, (unsigned long long)c.rx_bytes,
		       (unsigned long long)c.tx_packets, (unsigned long long)c.tx_bytes,
		       (unsigned long long)c.rx_replay, (unsigned long long)c.rx_auth,
		       (unsigned long long)c.rx_bad, (unsigned long long)c.tx_dropped);
	return err ? err : 1;
}

static int cmd_kind(struct drive *d, const struct words *a)
{
	printf("ok %s\n", dp_kind(d->dp, number(a, 1)));
	return 1;
}

static int cmd_fds(struct drive *d, const struct words *a)
{
	(void)a;
	for (uint32_t slot = 0; slot < DP_TUNNELS_MAX; slot++) {
		int fd = dp_fd(d->dp, slot);
		char name[DP_FD_NAME_MAX];

		if (fd < 0)
			continue;
		dp_fd_name(slot, name);
		printf("fd %s %d\n", name, fd);
	}
	return 0;
}

static int cmd_sweep(struct drive *d, const struct words *a)
{
	(void)a;
	dp_sweep(d->dp);
	return 0;
}

static int cmd_reconcile(struct drive *d, const struct words *a)
{
	(void)a;
	dp_reconcile(d->dp);
	return 0;
}

static int cmd_quit(struct drive *d, const struct words *a)
{
	(void)a;
	loop_stop(d->loop);
	return 0;
}

/* clang-format off */
static const struct {
	const char *name;
	int (*run)(struct drive *d, const struct words *a); /* 1: has answered */
} commands[] = {
	{ "socket", cmd_socket },     { "tunnel", cmd_tunnel },
	{ "sa", cmd_sa },             { "update", cmd_update },
	{ "del", cmd_del },           { "remove", cmd_remove },
	{ "ike", cmd_ike },           { "dump", cmd_dump },
	{ "counters", cmd_counters }, { "kind", cmd_kind },
	{ "fds", cmd_fds },           { "sweep", cmd_sweep },
	{ "reconcile", cmd_reconcile }, { "quit", cmd_quit },
};
/* clang-format on */

static void run_line(struct drive *d, char *line)
{
	struct words a = {0};
	char *save = NULL;
	int err = -ENOSYS;

	for (char *w = strtok_r(line, " ", &save); w && a.n < WORDS_MAX;
	     w = strtok_r(NULL, " ", &save))
		a.w[a.n++] = w;
	if (!a.n)
		return;
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (!strcmp(a.w[0], commands[i].name))
			err = commands[i].run(d, &a);
	if (err < 0)
		printf("error %d %s\n", -err, strerror(-err));
	else if (err == 0)
		printf("ok\n");
}

static void on_input(void *ctx, int fd, unsigned int events)
{
	struct drive *d = ctx;
	ssize_t got = read(fd, d->line + d->fill, sizeof(d->line) - 1 - d->fill);
	char *end;

	(void)events;
	if (got <= 0) {
		loop_stop(d->loop);
		return;
	}
	d->fill += (size_t)got;
	d->line[d->fill] = '\0';
	while ((end = strchr(d->line, '\n'))) {
		size_t used = (size_t)(end - d->line) + 1;

		*end = '\0';
		run_line(d, d->line);
		memmove(d->line, d->line + used, d->fill - used + 1);
		d->fill -= used;
	}
}

int main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"carrier", required_argument, NULL, 'c'},
		{"run", required_argument, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	struct drive d = {0};
	struct dp_params params = {.carrier = DP_AUTO, .run_dir = ".", .host = &host};
	int c;
	int err;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'c')
			params.carrier = !strcmp(optarg, "kernel") ? DP_KERNEL
					 : !strcmp(optarg, "user") ? DP_USER
								   : DP_AUTO;
		else if (c == 'r')
			params.run_dir = optarg;
		else
			return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	log_open("dpdrive", LOG_LVL_DEBUG);
	d.loop = loop_new();
	params.loop = d.loop;
	params.ctx = &d;
	err = dp_new(&params, &d.dp);
	if (err < 0) {
		printf("error %d %s\n", -err, strerror(-err));
		return 1;
	}
	printf("ok %s\n", dp_carrier(d.dp) == DP_KERNEL ? "kernel" : "user");
	loop_io_start(d.loop, &d.input, STDIN_FILENO, LOOP_READ, on_input, &d);
	loop_run(d.loop);
	loop_io_stop(&d.input);
	dp_free(d.dp);
	loop_free(d.loop);
	return 0;
}
