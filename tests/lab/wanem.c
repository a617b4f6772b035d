/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wanem - WAN emulator between network namespaces
 *
 * A link is two interfaces of this process's namespace, the far ends of which
 * are a customer's uplink ("in") and the provider's router ("out"). Whole
 * Ethernet frames go from one to the other. "up" is in -> out, "down" the way
 * back; each has its own delay, jitter, loss, rate, cut and filter, changed
 * while it runs through a control socket.
 *
 * It is the yardstick of the tests, so three things matter more than speed:
 *
 * - Time. A frame's delay counts from the kernel's receive time stamp, not
 *   from when this process got to read it. What is due is sent within about
 *   0.1 ms; the log says when it really was.
 * - The log. One record for every frame: when it came, when it left or why it
 *   did not, and what can be known of it from outside (addresses, ports, SPI
 *   and sequence number of ESP, DSCP, length). struct record is the format.
 * - Repeatability. Loss and jitter draw from a generator seeded by the link's
 *   name, the direction and --seed; each IP packet draws twice whatever
 *   happens to it, so the n-th packet meets the same fate in every run.
 *
 * ARP and neighbour discovery are passed on at once and never lost: the first
 * hop still answers when a provider's network is cut further on, which is what
 * makes such a cut silent. Only a carrier change is not silent.
 *
 * Packets to or from a watched prefix are counted as leaks: on the outside of
 * a tunnel no such address may ever be seen.
 *
 * Control: SOCK_SEQPACKET, one command a message, answered by "ok T ..." (T is
 * CLOCK_MONOTONIC in nanoseconds when it took effect) or "error ...".
 *
 *   set LINK up|down|both KEY=VALUE...  delay jitter (ms), loss (percent),
 *                   rate (Mbit/s, 0 none), queue (bytes), cut (0|1),
 *                   block (ike|none), reorder (0|1)
 *   carrier LINK in|out up|down
 *   watch PREFIX...
 *   stats           counters of all links as JSON
 *   sync            the log holds everything up to now
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_LINKS = 16,
	MAX_CLIENTS = 8,
	MAX_WATCHED = 32,
	MAX_FRAME = 66000,
	NAME_LEN = 16,
	RECORD_HEADER = 16,
	BURST = 64, /* frames read from one end before others */
	LOG_BYTES = 1 << 20, /* written out when full or after LOG_MS */
	LOG_MS = 50,
	DEFAULT_QUEUE = 256 * 1024, /* bytes waiting for a limited rate */
	NS_PER_S = 1000000000,
	NS_PER_MS = 1000000,
	NS_PER_US = 1000,
	PORT_IKE = 500,
	PORT_NATT = 4500,
};

enum dir { UP, DOWN, DIRS };

enum verdict {
	SENT = 1,
	LOST, /* the dice */
	CUT, /* silent cut */
	BLOCKED, /* filter */
	OVERFLOW, /* queue of a limited rate */
	FAILED, /* no carrier, no buffer */
};

enum {
	FLAG_LEAK = 1,
	FLAG_ESP = 2,
	FLAG_IKE = 4,
	FLAG_SUPER = 8, /* a super-packet: the far end still has offloads */
};

/* One frame. Written in host byte order; addresses as on the wire. */
struct record {
	int64_t in_ns;
	int64_t out_ns; /* 0 when it was not sent */
	uint32_t spi;
	uint32_t seq;
	uint16_t bytes; /* of the IP packet */
	uint16_t sport;
	uint16_t dport;
	uint8_t link;
	uint8_t dir;
	uint8_t verdict;
	uint8_t family; /* 4, 6 or 0 */
	uint8_t proto;
	uint8_t tos;
	uint8_t flags;
	uint8_t zero[3];
	uint8_t src[16];
	uint8_t dst[16];
};

struct settings {
	int64_t delay_ns;
	int64_t jitter_ns;
	double loss; /* probability */
	double rate_bps;
	uint32_t queue_bytes;
	bool cut;
	bool block_ike;
	bool reorder;
};

struct counters {
	uint64_t packets, bytes, sent, lost, cut, blocked, overflow, failed;
	uint64_t leaks;
	char first_leak[160];
};

struct direction {
	struct settings set;
	struct counters n;
	uint64_t random;
	int64_t last_due_ns;
	int64_t busy_until_ns; /* of a limited rate */
	uint8_t number; /* enum dir */
};

struct end {
	char name[IFNAMSIZ];
	int index;
	int fd;
};

struct link {
	char name[NAME_LEN];
	struct end end[2]; /* in, out */
	struct direction dir[DIRS]; /* dir[d] starts at end[d] */
	uint8_t number;
};

struct frame {
	int64_t due_ns;
	uint64_t order; /* keeps equal due times in order */
	struct link *link;
	struct direction *dir;
	struct record rec;
	struct virtio_net_hdr vnet;
	size_t len;
	uint8_t bytes[];
};

struct prefix {
	uint8_t addr[16];
	uint8_t family;
	unsigned len;
};

static struct {
	struct link links[MAX_LINKS];
	unsigned nlinks;
	struct prefix watched[MAX_WATCHED];
	unsigned nwatched;
	struct frame **heap;
	size_t nheap, heap_size;
	uint64_t order;
	int control;
	int clients[MAX_CLIENTS];
	int log_fd;
	uint8_t log[LOG_BYTES];
	size_t log_len;
	int64_t log_since_ns;
	int64_t worst_late_ns;
	uint64_t seed;
} em = {.control = -1, .log_fd = -1};

static volatile sig_atomic_t stop_asked;

static __attribute__((format(printf, 1, 2), noreturn)) void die(const char *fmt, ...)
{
	va_list ap;

	fputs("wanem: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static int64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * (int64_t)NS_PER_S + ts.tv_nsec;
}

static int64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

/* splitmix64 */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}

/* Uniform in [0, 1). */
static double random_unit(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-53;
}

static uint64_t seed_of(const char *name, unsigned dir)
{
	uint64_t h = 0xcbf29ce484222325U ^ em.seed * 0x9e3779b97f4a7c15U;

	for (const char *p = name; *p; p++)
		h = (h ^ (uint8_t)*p) * 0x100000001b3U;
	return h + dir;
}

/* --- log -------------------------------------------------------------- */

static void log_flush(void)
{
	size_t done = 0;

	while (done < em.log_len) {
		ssize_t n = write(em.log_fd, em.log + done, em.log_len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("the log cannot be written: %m");
		done += (size_t)n;
	}
	em.log_len = 0;
}

static void log_record(const struct record *rec)
{
	if (em.log_fd < 0)
		return;
	if (em.log_len + sizeof(*rec) > sizeof(em.log))
		log_flush();
	if (!em.log_len)
		em.log_since_ns = now_ns();
	memcpy(em.log + em.log_len, rec, sizeof(*rec));
	em.log_len += sizeof(*rec);
}

/* "WANEM001", record size, number of links, then each link's name. */
static void log_open(const char *path)
{
	uint8_t head[RECORD_HEADER] = "WANEM001";
	uint32_t size = sizeof(struct record);

	em.log_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (em.log_fd < 0)
		die("%s: %m", path);
	memcpy(head + 8, &size, sizeof(size));
	memcpy(head + 12, &em.nlinks, sizeof(em.nlinks));
	memcpy(em.log, head, sizeof(head));
	em.log_len = sizeof(head);
	for (unsigned i = 0; i < em.nlinks; i++) {
		memcpy(em.log + em.log_len, em.links[i].name, NAME_LEN);
		em.log_len += NAME_LEN;
	}
	log_flush();
}

/* --- what a packet looks like from outside ---------------------------- */

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void look_at_esp(const uint8_t *p, size_t len, struct record *rec)
{
	if (len < 8)
		return;
	rec->flags |= FLAG_ESP;
	rec->spi = get32(p);
	rec->seq = get32(p + 4);
}

static void look_at_transport(const uint8_t *p, size_t len, struct record *rec)
{
	if (rec->proto == IPPROTO_ESP) {
		look_at_esp(p, len, rec);
		return;
	}
	if ((rec->proto != IPPROTO_UDP && rec->proto != IPPROTO_TCP) || len < 8)
		return;
	rec->sport = get16(p);
	rec->dport = get16(p + 2);
	if (rec->proto != IPPROTO_UDP)
		return;
	if (rec->sport == PORT_IKE || rec->dport == PORT_IKE)
		rec->flags |= FLAG_IKE;
	if (rec->sport != PORT_NATT && rec->dport != PORT_NATT)
		return;
	if (len >= 12 && get32(p + 8) != 0)
		look_at_esp(p + 8, len - 8, rec);
	else
		rec->flags |= FLAG_IKE; /* or a keep-alive */
}

/* IPv6 between neighbours: discovery, listener reports, link-local. */
static bool is_first_hop(const uint8_t *ip6, size_t len)
{
	const uint8_t *dst = ip6 + 24;
	uint8_t type = len > 40 ? ip6[40] : 0;

	if ((dst[0] == 0xff && dst[1] == 2) || (dst[0] == 0xfe && dst[1] >> 6 == 2))
		return true;
	return ip6[6] == IPPROTO_ICMPV6 && type >= 133 && type <= 136;
}

/* False for ARP, neighbour discovery and what is not IP at all. */
static bool look_at(const uint8_t *frame, size_t len, struct record *rec)
{
	const uint8_t *p = frame + ETHER_HDR_LEN;
	size_t left = len - ETHER_HDR_LEN;
	uint16_t type = get16(frame + 12);

	if (type == ETHERTYPE_IP && left >= 20) {
		size_t head = (size_t)(p[0] & 15) * 4;

		rec->family = 4;
		rec->tos = p[1];
		rec->bytes = get16(p + 2);
		rec->proto = p[9];
		memcpy(rec->src, p + 12, 4);
		memcpy(rec->dst, p + 16, 4);
		if (!(get16(p + 6) & 0x1fff) && left >= head)
			look_at_transport(p + head, left - head, rec);
		return true;
	}
	if (type == ETHERTYPE_IPV6 && left >= 40) {
		rec->family = 6;
		rec->tos = (uint8_t)(get16(p) >> 4);
		rec->bytes = (uint16_t)(get16(p + 4) + 40);
		rec->proto = p[6];
		memcpy(rec->src, p + 8, 16);
		memcpy(rec->dst, p + 24, 16);
		look_at_transport(p + 40, left - 40, rec);
		return !is_first_hop(p, left);
	}
	rec->bytes = (uint16_t)left;
	return false;
}

static bool prefix_holds(const struct prefix *pf, const uint8_t *addr)
{
	unsigned whole = pf->len / 8;
	unsigned rest = pf->len % 8;

	if (memcmp(pf->addr, addr, whole) != 0)
		return false;
	return !rest || !((pf->addr[whole] ^ addr[whole]) >> (8 - rest));
}

static bool is_leak(const struct record *rec)
{
	for (unsigned i = 0; i < em.nwatched; i++) {
		const struct prefix *pf = &em.watched[i];

		if (pf->family != rec->family)
			continue;
		if (prefix_holds(pf, rec->src) || prefix_holds(pf, rec->dst))
			return true;
	}
	return false;
}

static void count_leak(struct direction *d, struct record *rec)
{
	char src[INET6_ADDRSTRLEN];
	char dst[INET6_ADDRSTRLEN];
	int family = rec->family == 4 ? AF_INET : AF_INET6;

	rec->flags |= FLAG_LEAK;
	if (d->n.leaks++)
		return;
	inet_ntop(family, rec->src, src, sizeof(src));
	inet_ntop(family, rec->dst, dst, sizeof(dst));
	snprintf(d->n.first_leak, sizeof(d->n.first_leak),
		 "%s port %u -> %s port %u, protocol %u, %u bytes", src, rec->sport,
		 dst, rec->dport, rec->proto, rec->bytes);
}

/* --- frames under way: a binary heap by due time ------------------------ */

static bool frame_before(const struct frame *a, const struct frame *b)
{
	if (a->due_ns != b->due_ns)
		return a->due_ns < b->due_ns;
	return a->order < b->order;
}

static void heap_push(struct frame *f)
{
	size_t i;

	if (em.nheap == em.heap_size) {
		em.heap_size = em.heap_size ? em.heap_size * 2 : 1024;
		em.heap = realloc(em.heap, em.heap_size * sizeof(*em.heap));
		if (!em.heap)
			die("no memory");
	}
	for (i = em.nheap++; i && frame_before(f, em.heap[(i - 1) / 2]);
	     i = (i - 1) / 2)
		em.heap[i] = em.heap[(i - 1) / 2];
	em.heap[i] = f;
}

static struct frame *heap_pop(void)
{
	struct frame *top = em.heap[0];
	struct frame *last = em.heap[--em.nheap];
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= em.nheap)
			break;
		if (child + 1 < em.nheap &&
		    frame_before(em.heap[child + 1], em.heap[child]))
			child++;
		if (!frame_before(em.heap[child], last))
			break;
		em.heap[i] = em.heap[child];
		i = child;
	}
	em.heap[i] = last;
	return top;
}

static void frame_done(struct frame *f, enum verdict verdict)
{
	struct counters *n = &f->dir->n;

	switch (verdict) {
	case SENT:
		n->sent++;
		break;
	case LOST:
		n->lost++;
		break;
	case CUT:
		n->cut++;
		break;
	case BLOCKED:
		n->blocked++;
		break;
	case OVERFLOW:
		n->overflow++;
		break;
	case FAILED:
		n->failed++;
		break;
	}
	f->rec.verdict = (uint8_t)verdict;
	log_record(&f->rec);
	free(f);
}

static void frame_send(struct frame *f)
{
	struct iovec iov[2] = {
		{.iov_base = &f->vnet, .iov_len = sizeof(f->vnet)},
		{.iov_base = f->bytes, .iov_len = f->len},
	};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};
	int fd = f->link->end[!f->dir->number].fd;
	int64_t now;

	if (sendmsg(fd, &msg, MSG_DONTWAIT) < 0) {
		frame_done(f, FAILED);
		return;
	}
	now = now_ns();
	if (now - f->due_ns > em.worst_late_ns)
		em.worst_late_ns = now - f->due_ns;
	f->rec.out_ns = now;
	frame_done(f, SENT);
}

static void send_due(void)
{
	while (em.nheap && em.heap[0]->due_ns <= now_ns())
		frame_send(heap_pop());
}

/* When the frame leaves; 0 when the queue of a limited rate is full. */
static int64_t due_time(struct direction *d, int64_t in_ns, size_t len, double dice)
{
	const struct settings *s = &d->set;
	int64_t start = in_ns;
	int64_t due;

	if (s->rate_bps > 0) {
		int64_t wait = d->busy_until_ns > in_ns ? d->busy_until_ns - in_ns : 0;

		if ((double)wait * s->rate_bps / 8e9 > s->queue_bytes)
			return 0;
		start = in_ns + wait + (int64_t)((double)len * 8e9 / s->rate_bps);
		d->busy_until_ns = start;
	}
	due = start + s->delay_ns + (int64_t)((2 * dice - 1) * (double)s->jitter_ns);
	if (due < start)
		due = start;
	if (!s->reorder && due < d->last_due_ns)
		due = d->last_due_ns;
	d->last_due_ns = due;
	return due;
}

/* A frame came: decides what becomes of it. */
static void frame_in(struct frame *f)
{
	struct direction *d = f->dir;
	struct record *rec = &f->rec;
	double loss_dice;
	double jitter_dice;

	if (!look_at(f->bytes, f->len, rec)) {
		f->due_ns = rec->in_ns;
		frame_send(f);
		return;
	}
	d->n.packets++;
	d->n.bytes += rec->bytes;
	loss_dice = random_unit(&d->random);
	jitter_dice = random_unit(&d->random);
	if (f->vnet.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		rec->flags |= FLAG_SUPER;
	if (is_leak(rec))
		count_leak(d, rec);
	if (d->set.cut) {
		frame_done(f, CUT);
	} else if (d->set.block_ike && rec->flags & (FLAG_ESP | FLAG_IKE)) {
		frame_done(f, BLOCKED);
	} else if (loss_dice < d->set.loss) {
		frame_done(f, LOST);
	} else {
		f->due_ns = due_time(d, rec->in_ns, f->len, jitter_dice);
		if (!f->due_ns) {
			frame_done(f, OVERFLOW);
			return;
		}
		f->order = em.order++;
		heap_push(f);
	}
}

/* The kernel's receive time stamp (CLOCK_REALTIME) as monotonic time. */
static int64_t stamp_of(struct msghdr *msg)
{
	int64_t now = now_ns();
	int64_t real = clock_ns(CLOCK_REALTIME);
	struct timespec ts;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int64_t age;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&ts, CMSG_DATA(c), sizeof(ts));
		age = real - (ts.tv_sec * (int64_t)NS_PER_S + ts.tv_nsec);
		/* a step of the wall clock is not an age */
		if (age >= 0 && age < 10 * (int64_t)NS_PER_S)
			return now - age;
	}
	return now;
}

static bool read_frame(struct link *l, unsigned side)
{
	static uint8_t buf[MAX_FRAME];
	struct virtio_net_hdr vnet;
	char control[128];
	struct iovec iov[2] = {
		{.iov_base = &vnet, .iov_len = sizeof(vnet)},
		{.iov_base = buf, .iov_len = sizeof(buf)},
	};
	struct msghdr msg = {.msg_iov = iov,
			     .msg_iovlen = 2,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(l->end[side].fd, &msg, MSG_DONTWAIT);
	struct frame *f;
	size_t len;

	if (got < 0)
		return false;
	if (got < (ssize_t)(sizeof(vnet) + ETHER_HDR_LEN) || msg.msg_flags & MSG_TRUNC)
		return true;
	len = (size_t)got - sizeof(vnet);
	f = calloc(1, sizeof(*f) + len);
	if (!f)
		die("no memory");
	memcpy(f->bytes, buf, len);
	f->vnet = vnet;
	f->len = len;
	f->link = l;
	f->dir = &l->dir[side];
	f->rec.in_ns = stamp_of(&msg);
	f->rec.link = l->number;
	f->rec.dir = f->dir->number;
	frame_in(f);
	return true;
}

/* --- interfaces --------------------------------------------------------- */

static void ioctl_flags(const char *ifname, bool up)
{
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(ifr.ifr_name, ifname, strnlen(ifname, IFNAMSIZ - 1));
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &ifr) < 0)
		die("%s: %m", ifname);
	if (up)
		ifr.ifr_flags |= IFF_UP;
	else
		ifr.ifr_flags = (short)(ifr.ifr_flags & ~IFF_UP);
	if (ioctl(fd, SIOCSIFFLAGS, &ifr) < 0)
		die("%s: %m", ifname);
	close(fd);
}

/*
 * A WAN carries packets, not 64 KB super-packets. Checksum offload stays: the
 * checksum travels in the virtio header and the far end's kernel completes it.
 */
static int offloads_off(const char *ifname)
{
	static const uint32_t commands[] = {ETHTOOL_STSO, ETHTOOL_SGSO, ETHTOOL_SGRO};
	struct ethtool_value value = {0};
	struct ifreq ifr = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	memcpy(ifr.ifr_name, ifname, strnlen(ifname, IFNAMSIZ - 1));
	ifr.ifr_data = (void *)&value;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		value.cmd = commands[i];
		value.data = 0;
		if (ioctl(fd, SIOCETHTOOL, &ifr) < 0) {
			fprintf(stderr, "wanem: %s: offloads: %m\n", ifname);
			err = 1;
		}
	}
	close(fd);
	return err;
}

static void end_open(struct end *e)
{
	struct sockaddr_ll sll = {.sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL)};
	int on = 1;
	int bytes = 8 << 20;

	e->index = (int)if_nametoindex(e->name);
	if (!e->index)
		die("no interface %s", e->name);
	offloads_off(e->name);
	ioctl_flags(e->name, true);
	e->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (e->fd < 0)
		die("packet socket: %m");
	sll.sll_ifindex = e->index;
	if (setsockopt(e->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0 ||
	    setsockopt(e->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) <
		    0 ||
	    setsockopt(e->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) < 0 ||
	    setsockopt(e->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		die("%s: socket options: %m", e->name);
	if (setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		fprintf(stderr, "wanem: %s: receive buffer: %m\n", e->name);
	if (bind(e->fd, (struct sockaddr *)&sll, sizeof(sll)) < 0)
		die("%s: %m", e->name);
}

/* --- control -------------------------------------------------------------- */

static struct link *link_by_name(const char *name)
{
	for (unsigned i = 0; i < em.nlinks; i++)
		if (strcmp(em.links[i].name, name) == 0)
			return &em.links[i];
	return NULL;
}

static bool parse_number(const char *text, double limit, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end != text && !*end && *value >= 0 && *value <= limit;
}

/* One "key=value" into settings; false when it is not understood. */
static bool parse_setting(char *word, struct settings *s)
{
	char *value = strchr(word, '=');
	double n = 0;

	if (!value)
		return false;
	*value++ = 0;
	if (strcmp(word, "block") == 0) {
		s->block_ike = strcmp(value, "ike") == 0;
		return s->block_ike || strcmp(value, "none") == 0;
	}
	if (!parse_number(value, 1e9, &n))
		return false;
	if (strcmp(word, "delay") == 0)
		s->delay_ns = (int64_t)(n * NS_PER_MS);
	else if (strcmp(word, "jitter") == 0)
		s->jitter_ns = (int64_t)(n * NS_PER_MS);
	else if (strcmp(word, "loss") == 0)
		s->loss = n / 100;
	else if (strcmp(word, "rate") == 0)
		s->rate_bps = n * 1e6;
	else if (strcmp(word, "queue") == 0)
		s->queue_bytes = (uint32_t)n;
	else if (strcmp(word, "cut") == 0)
		s->cut = n > 0;
	else if (strcmp(word, "reorder") == 0)
		s->reorder = n > 0;
	else
		return false;
	return true;
}

static const char *command_set(char **save)
{
	const char *name = strtok_r(NULL, " ", save);
	const char *way = strtok_r(NULL, " ", save);
	struct link *l = name ? link_by_name(name) : NULL;
	struct settings next[DIRS];
	bool touch[DIRS];
	char *word;

	if (!l || !way)
		return "no such link";
	touch[UP] = strcmp(way, "down") != 0;
	touch[DOWN] = strcmp(way, "up") != 0;
	next[UP] = l->dir[UP].set;
	next[DOWN] = l->dir[DOWN].set;
	while ((word = strtok_r(NULL, " ", save))) {
		char copy[64];

		snprintf(copy, sizeof(copy), "%s", word);
		if (!parse_setting(word, &next[UP]) ||
		    !parse_setting(copy, &next[DOWN]))
			return "setting not understood";
	}
	for (unsigned d = 0; d < DIRS; d++)
		if (touch[d])
			l->dir[d].set = next[d];
	return NULL;
}

static const char *command_carrier(char **save)
{
	const char *name = strtok_r(NULL, " ", save);
	const char *side = strtok_r(NULL, " ", save);
	const char *state = strtok_r(NULL, " ", save);
	struct link *l = name ? link_by_name(name) : NULL;

	if (!l || !side || !state)
		return "carrier LINK in|out up|down";
	ioctl_flags(l->end[strcmp(side, "out") == 0].name, strcmp(state, "up") == 0);
	return NULL;
}

static const char *command_watch(char **save)
{
	char *word;

	while ((word = strtok_r(NULL, " ", save))) {
		struct prefix pf = {0};
		char *slash = strchr(word, '/');
		bool six = strchr(word, ':') != NULL;

		if (em.nwatched == MAX_WATCHED)
			return "too many prefixes";
		pf.family = six ? 6 : 4;
		pf.len = six ? 128 : 32;
		if (slash) {
			double len;

			*slash = 0;
			if (!parse_number(slash + 1, pf.len, &len))
				return "prefix not understood";
			pf.len = (unsigned)len;
		}
		if (inet_pton(six ? AF_INET6 : AF_INET, word, pf.addr) != 1)
			return "prefix not understood";
		em.watched[em.nwatched++] = pf;
	}
	return NULL;
}

static void print_stats(FILE *out)
{
	static const char *const ways[] = {"up", "down"};

	fprintf(out, "{\"worst_late_us\":%" PRId64 ",\"links\":{",
		em.worst_late_ns / NS_PER_US);
	for (unsigned i = 0; i < em.nlinks; i++) {
		fprintf(out, "%s\"%s\":{", i ? "," : "", em.links[i].name);
		for (unsigned d = 0; d < DIRS; d++) {
			const struct counters *n = &em.links[i].dir[d].n;

			fprintf(out,
				"%s\"%s\":{\"packets\":%" PRIu64 ",\"bytes\":%" PRIu64
				",\"sent\":%" PRIu64 ",\"lost\":%" PRIu64
				",\"cut\":%" PRIu64 ",\"blocked\":%" PRIu64
				",\"overflow\":%" PRIu64 ",\"failed\":%" PRIu64
				",\"leaks\":%" PRIu64 ",\"first_leak\":\"%s\"}",
				d ? "," : "", ways[d], n->packets, n->bytes, n->sent,
				n->lost, n->cut, n->blocked, n->overflow, n->failed,
				n->leaks, n->first_leak);
		}
		fputc('}', out);
	}
	fputs("}}", out);
}

static void command(int fd, char *text)
{
	static char answer[MAX_FRAME];
	FILE *out = fmemopen(answer, sizeof(answer), "w");
	char *save = NULL;
	const char *word = strtok_r(text, " \n", &save);
	const char *wrong = NULL;
	size_t len;

	if (!out)
		die("no memory");
	if (!word)
		wrong = "empty command";
	else if (strcmp(word, "set") == 0)
		wrong = command_set(&save);
	else if (strcmp(word, "carrier") == 0)
		wrong = command_carrier(&save);
	else if (strcmp(word, "watch") == 0)
		wrong = command_watch(&save);
	else if (strcmp(word, "sync") == 0)
		log_flush();
	else if (strcmp(word, "stats") != 0)
		wrong = "unknown command";
	if (wrong)
		fprintf(out, "error %s", wrong);
	else
		fprintf(out, "ok %" PRId64 " ", now_ns());
	if (!wrong && strcmp(word, "stats") == 0)
		print_stats(out);
	len = (size_t)ftell(out);
	fclose(out);
	if (send(fd, answer, len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		fprintf(stderr, "wanem: answer: %m\n");
}

static void control_open(const char *path)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof(sun.sun_path))
		die("%s: too long for a socket", path);
	memcpy(sun.sun_path, path, strlen(path));
	unlink(path);
	em.control = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (em.control < 0 ||
	    bind(em.control, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    listen(em.control, MAX_CLIENTS) < 0)
		die("%s: %m", path);
}

static void control_accept(void)
{
	int fd = accept4(em.control, NULL, NULL, SOCK_CLOEXEC);

	for (unsigned i = 0; fd >= 0 && i < MAX_CLIENTS; i++) {
		if (em.clients[i] < 0) {
			em.clients[i] = fd;
			return;
		}
	}
	if (fd >= 0)
		close(fd);
}

static void control_read(int *client)
{
	char text[2048];
	ssize_t n = recv(*client, text, sizeof(text) - 1, MSG_DONTWAIT);

	if (n > 0) {
		text[n] = 0;
		command(*client, text);
	} else if (n == 0 || errno != EAGAIN) {
		close(*client);
		*client = -1;
	}
}

/* --- main ------------------------------------------------------------------ */

static void on_signal(int number)
{
	(void)number;
	stop_asked = 1;
}

static struct timespec next_wait(void)
{
	int64_t now = now_ns();
	int64_t until = now + NS_PER_S;

	if (em.nheap && em.heap[0]->due_ns < until)
		until = em.heap[0]->due_ns;
	if (em.log_len && em.log_since_ns + LOG_MS * (int64_t)NS_PER_MS < until)
		until = em.log_since_ns + LOG_MS * (int64_t)NS_PER_MS;
	until = until > now ? until - now : 0;
	return (struct timespec){.tv_sec = until / NS_PER_S,
				 .tv_nsec = until % NS_PER_S};
}

static void run(void)
{
	struct pollfd fds[2 * MAX_LINKS + MAX_CLIENTS + 1];
	const nfds_t nends = 2 * em.nlinks;

	for (unsigned i = 0; i < nends; i++)
		fds[i] = (struct pollfd){.fd = em.links[i / 2].end[i % 2].fd,
					 .events = POLLIN};
	fds[nends] = (struct pollfd){.fd = em.control, .events = POLLIN};
	while (!stop_asked) {
		struct timespec wait = next_wait();

		for (unsigned i = 0; i < MAX_CLIENTS; i++)
			fds[nends + 1 + i] =
				(struct pollfd){.fd = em.clients[i], .events = POLLIN};
		if (ppoll(fds, nends + 1 + MAX_CLIENTS, &wait, NULL) < 0) {
			if (errno != EINTR)
				die("ppoll: %m");
			continue;
		}
		send_due();
		for (unsigned i = 0; i < nends; i++) {
			unsigned left = fds[i].revents ? BURST : 0;

			while (left && read_frame(&em.links[i / 2], i % 2))
				left--;
		}
		send_due();
		if (em.log_len &&
		    now_ns() - em.log_since_ns > LOG_MS * (int64_t)NS_PER_MS)
			log_flush();
		for (unsigned i = 0; i < MAX_CLIENTS; i++)
			if (fds[nends + 1 + i].revents && em.clients[i] >= 0)
				control_read(&em.clients[i]);
		if (fds[nends].revents)
			control_accept();
	}
	log_flush();
}

static void link_add(const char *text)
{
	struct link *l = &em.links[em.nlinks];
	char in[IFNAMSIZ];
	char out[IFNAMSIZ];

	if (em.nlinks == MAX_LINKS)
		die("too many links");
	if (sscanf(text, "%15[^=]=%15[^:]:%15s", l->name, in, out) != 3)
		die("--link NAME=IN:OUT, not \"%s\"", text);
	memcpy(l->end[0].name, in, sizeof(in));
	memcpy(l->end[1].name, out, sizeof(out));
	l->number = (uint8_t)em.nlinks++;
}

/* Exact timing: first in line, memory resident, no timer slack. */
static void be_punctual(void)
{
	struct sched_param param = {.sched_priority = 10};

	if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
		fprintf(stderr, "wanem: no real-time priority: %m\n");
	prctl(PR_SET_TIMERSLACK, 1);
}

static int usage(void)
{
	fputs("usage: wanem --control SOCKET [--log FILE] [--seed N]\n"
	      "             --link NAME=IN:OUT...\n"
	      "       wanem --offloads-off INTERFACE...\n",
	      stderr);
	return 2;
}

static int all_offloads_off(char **ifname)
{
	int err = 0;

	for (; *ifname; ifname++)
		err |= offloads_off(*ifname);
	return err;
}

int main(int argc, char **argv)
{
	const char *control = NULL;
	const char *log = NULL;

	if (argc > 1 && strcmp(argv[1], "--offloads-off") == 0)
		return all_offloads_off(argv + 2);
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			return usage();
		if (strcmp(argv[i], "--control") == 0)
			control = argv[i + 1];
		else if (strcmp(argv[i], "--log") == 0)
			log = argv[i + 1];
		else if (strcmp(argv[i], "--seed") == 0)
			em.seed = strtoull(argv[i + 1], NULL, 10);
		else if (strcmp(argv[i], "--link") == 0)
			link_add(argv[i + 1]);
		else
			return usage();
	}
	if (!control || !em.nlinks)
		return usage();
	for (unsigned i = 0; i < MAX_CLIENTS; i++)
		em.clients[i] = -1;
	for (unsigned i = 0; i < em.nlinks; i++) {
		for (uint8_t d = 0; d < DIRS; d++) {
			struct direction *dir = &em.links[i].dir[d];

			dir->number = d;
			dir->random = seed_of(em.links[i].name, d);
			dir->set.queue_bytes = DEFAULT_QUEUE;
			end_open(&em.links[i].end[d]);
		}
	}
	if (log)
		log_open(log);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	signal(SIGPIPE, SIG_IGN);
	be_punctual();
	control_open(control);
	run();
	return 0;
}
