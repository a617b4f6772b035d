/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prober and reflector over the loopback of a network namespace of the test's
 * own: both ends of a "tunnel" are 127.0.0.1 on lo.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/loop.h"
#include "lib/rng.h"
#include "pathmon/pathmon.h"
#include "pathmon/stamp.h"

#define MS INT64_C(1000)
#define S INT64_C(1000000)

enum { ROUNDS_MAX = 500 }; /* of 20 ms, until what must come has come */

struct seen {
	unsigned int n;
	struct pm_change last;
};

static struct loop *loop;
static struct rng rng;

static void changed(void *ctx, const struct pm_change *c)
{
	struct seen *s = ctx;

	s->n++;
	s->last = *c;
}

static const struct pm_prober_ops ops = {.changed = changed};

static void stop_loop(void *ctx, struct mono now)
{
	(void)ctx;
	(void)now;
	loop_stop(loop);
}

static void run_for(int64_t us)
{
	struct loop_timer t = {0};

	loop_timer_at(loop, &t, mono_add_us(mono_now(), us), stop_loop, NULL);
	loop_run(loop);
}

static struct pm_place place(const char *text)
{
	struct pm_place p = {.ifindex = if_nametoindex("lo")};

	(void)addr_parse(text, &p.local);
	p.peer = p.local;
	return p;
}

/*
 * A target on lo with fast times, and a reflector that knows the place or not: half a
 * second of them, and after a pause of the machine as much more as they need.
 */
static void echo(const struct pm_path_config *cfg, const char *addr, bool known,
		 struct pm_totals *totals, enum pm_state *state, uint64_t *strays)
{
	struct pm_prober *pr = pm_prober_new(loop, &rng, &ops);
	struct pm_reflector *rf = pm_reflector_new(loop, PM_STAMP_PORT, 0);
	struct pm_place where = place(addr);
	struct seen seen = {0};
	struct pm_target *t = pm_prober_add(pr, cfg, &seen);
	struct mono limit;

	assert_non_null(rf);
	assert_non_null(t);
	if (known) {
		assert_int_equal(pm_reflector_add(rf, t, &where), 0);
		assert_int_equal(pm_reflector_add(rf, t, &where), -EEXIST);
	}
	assert_int_equal(pm_prober_start(t, &where), 0);
	limit = mono_add_us(mono_now(), 20 * S);
	run_for(500 * MS);
	do {
		run_for(10 * MS);
		pm_path_totals(pm_target_path(t), totals);
		*state = pm_path_state(pm_target_path(t));
		*strays = pm_reflector_strays(rf) + pm_prober_strays(pr);
	} while ((totals->sent <= 5 || (known ? *state != PM_UP : *strays <= 5)) &&
		 mono_before(mono_now(), limit));
	assert_int_equal(seen.last.to, *state);
	pm_prober_stop(t);
	assert_int_equal(seen.last.to, PM_OFF);
	pm_reflector_remove(rf, &where);
	pm_prober_free(pr);
	pm_reflector_free(rf);
}

static struct pm_path_config fast(enum pm_kind kind)
{
	struct pm_path_config cfg = pm_path_config_default();

	cfg.kind = kind;
	cfg.interval_us = 10 * MS;
	cfg.up_first_us = 50 * MS;
	cfg.dscp[0] = 46;
	return cfg;
}

static void test_stamp_over_both_families(void **state)
{
	struct pm_path_config cfg = fast(PM_STAMP);
	static const char *const addrs[] = {"127.0.0.1", "::1"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct pm_totals t;
		enum pm_state st;
		uint64_t strays;

		echo(&cfg, addrs[i], true, &t, &st, &strays);
		assert_int_equal(st, PM_UP);
		assert_true(t.sent > 5);
		assert_int_equal(t.lost, 0);
		assert_int_equal(t.forged, 0);
		assert_true(t.per_direction);
		assert_int_equal(t.lost_out, 0);
		assert_int_equal(strays, 0);
	}
}

static void test_icmp_over_both_families(void **state)
{
	struct pm_path_config cfg = fast(PM_ICMP);
	static const char *const addrs[] = {"127.0.0.1", "::1"};

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct pm_totals t;
		enum pm_state st;
		uint64_t strays;

		echo(&cfg, addrs[i], true, &t, &st, &strays);
		assert_int_equal(st, PM_UP);
		assert_true(t.sent > 5);
		assert_int_equal(t.lost, 0);
		assert_false(t.per_direction);
	}
}

static void test_unknown_places_get_no_answer(void **state)
{
	struct pm_path_config cfg = fast(PM_STAMP);
	struct pm_totals t;
	enum pm_state st;
	uint64_t strays;

	(void)state;
	echo(&cfg, "127.0.0.1", false, &t, &st, &strays);
	assert_int_equal(st, PM_PROVING);
	assert_true(strays > 5);
}

/* Answers from another address, another port, or with another number. */
static void test_forged_answers_prove_nothing(void **state)
{
	struct pm_path_config cfg = fast(PM_STAMP);
	struct pm_prober *pr = pm_prober_new(loop, &rng, &ops);
	struct pm_place where = place("127.0.0.1");
	struct seen seen = {0};
	struct pm_target *t = pm_prober_add(pr, &cfg, &seen);
	struct sockaddr_in reflector = {
		.sin_family = AF_INET,
		.sin_port = htons(PM_STAMP_PORT),
		.sin_addr = {htonl(INADDR_LOOPBACK)},
	};
	struct sockaddr_in other = {
		.sin_family = AF_INET,
		.sin_port = htons(PM_STAMP_PORT),
		.sin_addr = {htonl(INADDR_LOOPBACK + 1)},
	};
	struct pm_totals totals;
	int right = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int wrong = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned int probes = 0;

	(void)state;
	assert_int_equal(bind(right, (struct sockaddr *)&reflector, sizeof(reflector)),
			 0);
	assert_int_equal(bind(wrong, (struct sockaddr *)&other, sizeof(other)), 0);
	assert_int_equal(pm_prober_start(t, &where), 0);
	for (int i = 0; i < 20; i++) {
		struct pm_stamp_reflection r = {.seq = 1};
		uint8_t in[128];
		uint8_t out[128];
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		ssize_t n;
		int m;

		run_for(20 * MS);
		n = recvfrom(right, in, sizeof(in), 0, (struct sockaddr *)&from, &len);
		if (n < 0)
			continue;
		probes++;
		m = pm_stamp_reflect(in, (size_t)n, &r, out, sizeof(out));
		/* Everything right, but from another address. */
		(void)sendto(wrong, out, (size_t)m, 0, (struct sockaddr *)&from, len);
		/* From the right place, but a number that was never sent. */
		out[24] ^= 0x40;
		(void)sendto(right, out, (size_t)m, 0, (struct sockaddr *)&from, len);
		/* And one whose stamp is not the probe's. */
		out[24] ^= 0x40;
		out[35] ^= 1;
		(void)sendto(right, out, (size_t)m, 0, (struct sockaddr *)&from, len);
	}
	/* After a pause of the machine what was sent last is still to be read. */
	for (int i = 0; i < ROUNDS_MAX; i++) {
		run_for(20 * MS);
		pm_path_totals(pm_target_path(t), &totals);
		if (pm_prober_strays(pr) >= probes && totals.forged >= 2 * probes)
			break;
	}
	assert_true(probes > 3);
	assert_int_equal(pm_prober_strays(pr), probes);
	assert_int_equal(totals.forged, 2 * probes);
	assert_int_not_equal(pm_path_state(pm_target_path(t)), PM_UP);
	pm_prober_free(pr);
	close(right);
	close(wrong);
}

/* The reflector answers the peer's address alone, in the size and with the DSCP. */
static void test_reflector_answers_the_peer_alone(void **state)
{
	struct pm_reflector *rf = pm_reflector_new(loop, PM_STAMP_PORT, 0);
	struct pm_place where = place("127.0.0.1");
	const int ef = 46 << 2 | 1;
	const int on = 1;

	(void)state;
	assert_int_equal(pm_reflector_add(rf, NULL, &where), 0);
	for (uint32_t i = 0; i < 3; i++) {
		struct sockaddr_in from = {
			.sin_family = AF_INET,
			.sin_addr = {htonl(INADDR_LOOPBACK + (i == 1))},
		};
		struct sockaddr_in to = {
			.sin_family = AF_INET,
			.sin_port = htons(PM_STAMP_PORT),
			.sin_addr = {htonl(INADDR_LOOPBACK + (i == 2))},
		};
		uint8_t buf[1400] = {0};
		char control[64];
		struct iovec iov = {.iov_base = buf, .iov_len = sizeof(buf)};
		struct msghdr m = {
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		struct cmsghdr *c;
		ssize_t n = -1;
		int fd = socket(AF_INET, SOCK_DGRAM, 0);

		assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof(from)), 0);
		(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &ef, sizeof(ef));
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
		(void)sendto(fd, buf, sizeof(buf), 0, (struct sockaddr *)&to,
			     sizeof(to));
		for (int k = 0;
		     k < ROUNDS_MAX && n < 0 && pm_reflector_strays(rf) < (i ? i : 1);
		     k++) {
			run_for(20 * MS);
			n = recvmsg(fd, &m, MSG_DONTWAIT);
		}
		if (i == 0) {
			assert_int_equal(n, sizeof(buf));
			/* DSCP as it came, ECN is not ours to set. */
			c = CMSG_FIRSTHDR(&m);
			assert_int_equal(c ? *CMSG_DATA(c) : 0, 46 << 2);
		} else {
			assert_int_equal(n, -1);
		}
		close(fd);
	}
	assert_int_equal(pm_reflector_strays(rf), 2);
	pm_reflector_free(rf);
}

static void test_one_target_an_interface(void **state)
{
	struct pm_path_config cfg = fast(PM_STAMP);
	struct pm_prober *pr = pm_prober_new(loop, &rng, &ops);
	struct pm_place where = place("127.0.0.1");
	struct seen seen = {0};
	struct pm_target *a = pm_prober_add(pr, &cfg, &seen);
	struct pm_target *b = pm_prober_add(pr, &cfg, &seen);

	(void)state;
	assert_int_equal(pm_prober_start(a, &where), 0);
	assert_int_equal(pm_prober_start(b, &where), -EEXIST);
	assert_int_equal(pm_prober_start(a, &where), 0);
	pm_prober_stop(a);
	assert_int_equal(pm_prober_start(b, &where), 0);
	where.ifindex = 0;
	assert_int_equal(pm_prober_start(b, &where), -EINVAL);
	pm_prober_remove(a);
	pm_prober_remove(NULL);
	cfg.n_sessions = 5;
	assert_null(pm_prober_add(pr, &cfg, &seen));
	pm_prober_free(pr);
	pm_prober_free(NULL);
}

static int own_namespace(void **state)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	int fd;

	(void)state;
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo) < 0)
		return -1;
	close(fd);
	loop = loop_new();
	rng = rng_seeded(7);
	return 0;
}

static int leave(void **state)
{
	(void)state;
	loop_free(loop);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stamp_over_both_families),
		cmocka_unit_test(test_icmp_over_both_families),
		cmocka_unit_test(test_unknown_places_get_no_answer),
		cmocka_unit_test(test_forged_answers_prove_nothing),
		cmocka_unit_test(test_reflector_answers_the_peer_alone),
		cmocka_unit_test(test_one_target_an_interface),
	};

	return cmocka_run_group_tests(tests, own_namespace, leave);
}
