/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow - request and reply flows whose losses are known for each direction
 *
 *   flow serve LOG ADDRESS PORT
 *   flow send LOG NAME,ADDRESS,PORT,DSCP,PPS,BYTES[,SOURCE-PORT]...
 *   flow witness LOG
 *
 * "send" sends numbered requests at a steady rate, "serve" answers each with
 * the request's own DSCP and size. Both write what they saw with
 * CLOCK_MONOTONIC, which all namespaces of a machine share: a request that
 * "serve" never saw was lost on the way there, a reply that "send" never saw
 * although "serve" sent it, on the way back. BYTES is the size of the inner IP
 * packet, by which the emulator's log knows the flow although it is encrypted.
 *
 * A flow that cannot send (no route, unreachable) still counts its number:
 * traffic that does not leave is lost for its user.
 *
 * "witness" runs a 10 ms heartbeat on every CPU and writes each beat that came
 * more than 2 ms late. Machines stop for seconds now and then; without such a
 * witness the tested program would be blamed.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_FLOWS = 512,
	MAX_BYTES = 1400,
	MIN_BYTES = 76, /* IPv6 and UDP headers and ours */
	NAME_LEN = 16,
	BATCH_MS = 50,
	BEAT_NS = 10000000,
	LATE_NS = 2000000,
	LINGER_NS = 800000000,
	NS_PER_S = 1000000000,
};

enum kind {
	REQUEST_SENT = 1,
	REQUEST_SEEN,
	REPLY_SEEN,
	SEND_FAILED,
	STALL, /* seq: microseconds late, flow: CPU */
};

/* One event; the log is a row of these. */
struct event {
	int64_t ns;
	uint32_t seq;
	uint16_t flow;
	uint8_t kind;
	uint8_t tos;
};

/* What a datagram begins with. */
struct head {
	uint32_t magic;
	uint32_t seq;
	uint16_t flow;
	uint16_t zero;
	int64_t ns;
};

#define MAGIC 0x65644c46U

struct flow {
	char name[NAME_LEN];
	int fd;
	uint32_t seq;
	size_t payload;
	int64_t interval_ns;
	int64_t next_ns;
};

static struct event events[4096];
static size_t nevents;
static int log_fd = -1;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static volatile sig_atomic_t stop_asked;

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * (int64_t)NS_PER_S + ts.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void flush_events(void)
{
	const char *p = (const char *)events;
	size_t left = nevents * sizeof(events[0]);

	while (left) {
		ssize_t n = write(log_fd, p, left);

		if (n < 0)
			die("log");
		p += n;
		left -= (size_t)n;
	}
	nevents = 0;
}

static void note(int64_t ns, enum kind kind, uint16_t flow, uint32_t seq, uint8_t tos)
{
	if (nevents == sizeof(events) / sizeof(events[0]))
		flush_events();
	events[nevents++] = (struct event){ns, seq, flow, (uint8_t)kind, tos};
}

static void on_signal(int number)
{
	(void)number;
	stop_asked = 1;
}

static socklen_t parse_address(const char *text, const char *port,
			       struct sockaddr_storage *ss)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;
	uint16_t number = htons((uint16_t)atoi(port));

	memset(ss, 0, sizeof(*ss));
	if (inet_pton(AF_INET, text, &sin->sin_addr) == 1) {
		sin->sin_family = AF_INET;
		sin->sin_port = number;
		return sizeof(*sin);
	}
	if (inet_pton(AF_INET6, text, &sin6->sin6_addr) == 1) {
		sin6->sin6_family = AF_INET6;
		sin6->sin6_port = number;
		return sizeof(*sin6);
	}
	fprintf(stderr, "flow: not an address: %s\n", text);
	exit(2);
}

/* The kernel's time of arrival as monotonic time, and the TOS byte. */
static int64_t arrival(struct msghdr *msg, uint8_t *tos)
{
	int64_t now = now_ns();
	int64_t ns = now;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		int value = 0;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
			*tos = *CMSG_DATA(c);
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			   c->cmsg_type == IPV6_TCLASS) {
			memcpy(&value, CMSG_DATA(c), sizeof(value));
			*tos = (uint8_t)value;
		} else if (c->cmsg_level == SOL_SOCKET &&
			   c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec ts;
			struct timespec wall;
			int64_t age;

			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			clock_gettime(CLOCK_REALTIME, &wall);
			age = (wall.tv_sec - ts.tv_sec) * (int64_t)NS_PER_S +
			      wall.tv_nsec - ts.tv_nsec;
			if (age >= 0 && age < 10 * (int64_t)NS_PER_S)
				ns = now - age;
		}
	}
	return ns;
}

static int open_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on, sizeof(on));
	return fd;
}

static void set_tos(int fd, int family, int tos)
{
	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

/* Receives one datagram of ours; false when there is none left. */
static bool receive(int fd, struct msghdr *msg, uint8_t *buf, struct head *head,
		    ssize_t *len, int64_t *ns, uint8_t *tos)
{
	for (;;) {
		ssize_t n = recvmsg(fd, msg, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		/* an ICMP error of an earlier datagram: the number is lost */
		if (n < 0)
			continue;
		if (n < (ssize_t)sizeof(*head))
			continue;
		memcpy(head, buf, sizeof(*head));
		if (head->magic != MAGIC)
			continue;
		*len = n;
		*tos = 0;
		*ns = arrival(msg, tos);
		return true;
	}
}

static void serve_one(int fd, int family)
{
	uint8_t buf[2048];
	char control[256];
	struct sockaddr_storage from;
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {.msg_name = &from,
			     .msg_namelen = sizeof(from),
			     .msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct head head;
	ssize_t len;
	int64_t ns;
	uint8_t tos;

	while (receive(fd, &msg, buf, &head, &len, &ns, &tos)) {
		note(ns, REQUEST_SEEN, head.flow, head.seq, tos);
		set_tos(fd, family, tos);
		if (sendto(fd, buf, (size_t)len, 0, (struct sockaddr *)&from,
			   msg.msg_namelen) < 0)
			note(now_ns(), SEND_FAILED, head.flow, head.seq, tos);
		msg.msg_namelen = sizeof(from);
		msg.msg_controllen = sizeof(control);
	}
}

static int serve(const char *address, const char *port)
{
	struct sockaddr_storage ss;
	socklen_t len = parse_address(address, port, &ss);
	int fd = open_socket(ss.ss_family);
	struct pollfd p = {.fd = fd, .events = POLLIN};

	if (bind(fd, (struct sockaddr *)&ss, len) < 0)
		die("bind");
	while (!stop_asked) {
		if (poll(&p, 1, BATCH_MS) > 0)
			serve_one(fd, ss.ss_family);
		flush_events();
	}
	return 0;
}

static void flow_open(struct flow *f, char *text)
{
	char *save = NULL;
	char *word[7] = {NULL};
	struct sockaddr_storage ss;
	socklen_t len;
	size_t overhead;

	for (unsigned i = 0; i < 7; i++)
		word[i] = strtok_r(i ? NULL : text, ",", &save);
	if (!word[5]) {
		fprintf(stderr,
			"flow: NAME,ADDRESS,PORT,DSCP,PPS,BYTES[,SOURCE-PORT]\n");
		exit(2);
	}
	snprintf(f->name, sizeof(f->name), "%s", word[0]);
	len = parse_address(word[1], word[2], &ss);
	overhead = ss.ss_family == AF_INET ? 28 : 48;
	f->payload = (size_t)atoi(word[5]);
	if (f->payload < MIN_BYTES || f->payload > MAX_BYTES || atoi(word[4]) < 1) {
		fprintf(stderr, "flow: %s: %d to %d bytes\n", f->name, MIN_BYTES,
			MAX_BYTES);
		exit(2);
	}
	f->payload -= overhead;
	f->interval_ns = NS_PER_S / atoi(word[4]);
	f->fd = open_socket(ss.ss_family);
	set_tos(f->fd, ss.ss_family, atoi(word[3]) << 2);
	if (word[6]) {
		struct sockaddr_in6 any = {.sin6_family = ss.ss_family};

		/* the port lies at the same place in both families */
		any.sin6_port = htons((uint16_t)atoi(word[6]));
		if (bind(f->fd, (struct sockaddr *)&any, len) < 0)
			die("bind");
	}
	if (connect(f->fd, (struct sockaddr *)&ss, len) < 0)
		die("connect");
}

static void flow_send(struct flow *f, uint16_t number)
{
	uint8_t buf[MAX_BYTES] = {0};
	struct head head = {.magic = MAGIC,
			    .seq = f->seq,
			    .flow = number,
			    .ns = now_ns()};

	memcpy(buf, &head, sizeof(head));
	note(head.ns, REQUEST_SENT, number, f->seq, 0);
	/* the first error may be an ICMP answer to an earlier datagram */
	if (send(f->fd, buf, f->payload, 0) < 0 && send(f->fd, buf, f->payload, 0) < 0)
		note(now_ns(), SEND_FAILED, number, f->seq, 0);
	f->seq++;
	f->next_ns += f->interval_ns;
	/* after a stall go on from now: no burst that no user would send */
	if (f->next_ns < head.ns)
		f->next_ns = head.ns + f->interval_ns;
}

static void flow_receive(struct flow *f)
{
	uint8_t buf[2048];
	char control[256];
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control,
			     .msg_controllen = sizeof(control)};
	struct head head;
	ssize_t len;
	int64_t ns;
	uint8_t tos;

	while (receive(f->fd, &msg, buf, &head, &len, &ns, &tos)) {
		note(ns, REPLY_SEEN, head.flow, head.seq, tos);
		msg.msg_controllen = sizeof(control);
	}
}

static int send_flows(char **texts, int n)
{
	static struct flow flows[MAX_FLOWS];
	static struct pollfd fds[MAX_FLOWS];
	int64_t flushed = now_ns();
	int64_t end = 0;

	if (n > MAX_FLOWS) {
		fprintf(stderr, "flow: at most %d flows\n", MAX_FLOWS);
		return 2;
	}
	for (int i = 0; i < n; i++) {
		flow_open(&flows[i], texts[i]);
		/* spread, so that not all leave in the same moment */
		flows[i].next_ns = now_ns() + flows[i].interval_ns * i / n;
		fds[i] = (struct pollfd){.fd = flows[i].fd, .events = POLLIN};
	}
	/* asked to stop it sends no more, but hears what is still under way */
	while (!end || now_ns() < end) {
		int64_t now = now_ns();
		int64_t next = now + BATCH_MS * 1000000LL;
		struct timespec wait;

		if (stop_asked && !end)
			end = now + LINGER_NS;
		for (int i = 0; i < n && !end; i++) {
			if (flows[i].next_ns <= now)
				flow_send(&flows[i], (uint16_t)i);
			if (flows[i].next_ns < next)
				next = flows[i].next_ns;
		}
		if (now - flushed > BATCH_MS * 1000000LL) {
			flush_events();
			flushed = now;
		}
		now = now_ns();
		next = next > now ? next - now : 0;
		wait = (struct timespec){next / NS_PER_S, next % NS_PER_S};
		if (ppoll(fds, (nfds_t)n, &wait, NULL) <= 0)
			continue;
		for (int i = 0; i < n; i++)
			if (fds[i].revents)
				flow_receive(&flows[i]);
	}
	return 0;
}

static void *beat(void *arg)
{
	unsigned cpu = (unsigned)(uintptr_t)arg;
	cpu_set_t set;
	int64_t due = now_ns();

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
	prctl(PR_SET_TIMERSLACK, 1);
	while (!stop_asked) {
		struct timespec ts;
		int64_t late;

		due += BEAT_NS;
		ts = (struct timespec){due / NS_PER_S, due % NS_PER_S};
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
		late = now_ns() - due;
		if (late < LATE_NS)
			continue;
		pthread_mutex_lock(&log_lock);
		note(due, STALL, (uint16_t)cpu, (uint32_t)(late / 1000), 0);
		flush_events();
		pthread_mutex_unlock(&log_lock);
		due += late;
	}
	return NULL;
}

static int witness(void)
{
	cpu_set_t all;
	pthread_t threads[CPU_SETSIZE];
	unsigned n = 0;

	sched_getaffinity(0, sizeof(all), &all);
	for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &all) &&
		    pthread_create(&threads[n++], NULL, beat, (void *)(uintptr_t)cpu))
			die("thread");
	while (n)
		pthread_join(threads[--n], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	int rc = 2;

	if (argc < 3) {
		fprintf(stderr, "usage: flow serve LOG ADDRESS PORT\n"
				"       flow send LOG NAME,ADDRESS,PORT,DSCP,PPS,BYTES"
				"[,SOURCE-PORT]...\n"
				"       flow witness LOG\n");
		return 2;
	}
	log_fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (log_fd < 0)
		die(argv[2]);
	signal(SIGTERM, on_signal);
	signal(SIGINT, on_signal);
	if (strcmp(argv[1], "serve") == 0 && argc == 5)
		rc = serve(argv[3], argv[4]);
	else if (strcmp(argv[1], "send") == 0 && argc > 3)
		rc = send_flows(argv + 3, argc - 3);
	else if (strcmp(argv[1], "witness") == 0)
		rc = witness();
	flush_events();
	return rc;
}
