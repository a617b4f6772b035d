/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/rng.h"
#include "pathmon/liveness.h"
#include "pathmon/path.h"

#define MS INT64_C(1000)
#define S INT64_C(1000000)

static struct rng rng;

static struct mono at(int64_t us)
{
	return (struct mono){us};
}

static int start(void **state)
{
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_path *p;

	rng = rng_seeded(42);
	p = pm_path_new(&cfg, &rng);
	pm_path_start(p, at(0));
	*state = p;
	return 0;
}

static int stop(void **state)
{
	pm_path_free(*state);
	return 0;
}

/* Poll at the path's deadlines up to end; answer after rtt_us, or never (-1). */
static void run(struct pm_path *p, struct mono *now, struct mono end, int64_t rtt_us)
{
	struct pm_probe probe;
	struct pm_path_answer waiting[256];
	struct mono when[256];
	unsigned int first = 0;
	unsigned int n = 0;

	for (;;) {
		struct mono next = pm_path_deadline(p);

		if (first < n)
			next = mono_min(next, when[first % 256]);
		if (!mono_before(next, end))
			break;
		*now = mono_max(*now, next);
		if (first < n && mono_due(when[first % 256], *now)) {
			assert_int_equal(pm_path_answer(p, &waiting[first % 256], *now),
					 0);
			first++;
			continue;
		}
		if (!pm_path_poll(p, *now, &probe))
			continue;
		pm_path_sent(p, &probe, *now, probe.seq * 3);
		if (rtt_us < 0)
			continue;
		when[n % 256] = mono_add_us(*now, rtt_us);
		waiting[n++ % 256] = (struct pm_path_answer){
			.seq = probe.seq,
			.stamp = probe.seq * 3,
		};
	}
	for (; first < n; first++)
		(void)pm_path_answer(p, &waiting[first % 256], when[first % 256]);
	*now = end;
}

/* Send one probe by hand and return it. */
static struct pm_probe send_one(struct pm_path *p, struct mono *now)
{
	struct pm_probe probe;

	do {
		*now = mono_max(*now, pm_path_deadline(p));
	} while (!pm_path_poll(p, *now, &probe));
	pm_path_sent(p, &probe, *now, 77);
	return probe;
}

static struct pm_change last_change(struct pm_path *p)
{
	struct pm_change c = {0};

	while (pm_path_change(p, &c))
		;
	return c;
}

static void test_answered_path_is_up_and_measured(void **state)
{
	struct pm_path *p = *state;
	struct mono now = at(0);
	struct pm_totals t;
	struct pm_stats st;

	run(p, &now, at(10 * S), 20 * MS);
	assert_int_equal(pm_path_state(p), PM_UP);
	pm_path_totals(p, &t);
	assert_in_range(t.sent, 98, 102);
	assert_int_equal(t.lost, 0);
	assert_int_equal(t.in_flight, 0);
	/* 20 ms is above 16 and within 32: the sixth bucket. */
	assert_int_equal(t.answers[5], t.sent);
	assert_int_equal(t.delay_sum_us, t.sent * 20 * MS);
	pm_path_stats(p, 0, now, &st);
	assert_int_equal(st.delay_us, 20 * MS);
	pm_path_stats(p, 1, now, &st);
	assert_false(st.valid);
}

static void test_silent_path_is_down_within_600_ms(void **state)
{
	struct pm_path *p = *state;
	struct mono now = at(0);
	struct pm_change c;

	run(p, &now, at(10 * S), 20 * MS);
	(void)last_change(p);
	run(p, &now, at(10 * S + 600 * MS), -1);
	assert_int_equal(pm_path_state(p), PM_DOWN);
	c = last_change(p);
	assert_int_equal(c.cause, PM_CAUSE_SILENT);
	assert_true(c.missed >= 5);
	assert_true(c.quiet_us >= 300 * MS);
}

static void test_sent_equals_lost_after_the_timeout(void **state)
{
	struct pm_path *p = *state;
	struct mono now = at(0);
	struct pm_probe probe;
	struct pm_totals t;

	run(p, &now, at(5 * S), -1);
	now = at(60 * S);
	(void)pm_path_poll(p, now, &probe);
	pm_path_totals(p, &t);
	assert_true(t.sent > 40);
	assert_int_equal(t.lost, t.sent);
	assert_int_equal(t.in_flight, 0);
}

static void test_forged_repeated_and_late_answers_count_for_nothing(void **state)
{
	struct pm_path *p = *state;
	struct mono now = at(0);
	struct pm_probe probe = send_one(p, &now);
	struct pm_path_answer a = {.seq = probe.seq, .stamp = 76};
	struct pm_totals t;

	/* Wrong stamp, a number not sent yet, an old one never sent. */
	assert_int_equal(pm_path_answer(p, &a, at(MS)), -ENOENT);
	a.stamp = 77;
	a.seq = probe.seq + 1;
	assert_int_equal(pm_path_answer(p, &a, at(MS)), -ENOENT);
	a.seq = probe.seq - 1;
	assert_int_equal(pm_path_answer(p, &a, at(MS)), -ENOENT);
	/* The right one, once. */
	a.seq = probe.seq;
	assert_int_equal(pm_path_answer(p, &a, at(MS)), 0);
	assert_int_equal(pm_path_answer(p, &a, at(2 * MS)), -EALREADY);
	/* Ten seconds late. */
	probe = send_one(p, &now);
	a.seq = probe.seq;
	assert_int_equal(pm_path_answer(p, &a, mono_add_us(now, 10 * S)), -ETIME);
	assert_int_equal(pm_path_answer(p, &a, mono_add_us(now, 11 * S)), -EALREADY);
	pm_path_totals(p, &t);
	assert_int_equal(t.sent, 2);
	assert_int_equal(t.lost, 1);
	assert_int_equal(t.forged, 3);
	assert_int_equal(t.repeated, 2);
	assert_int_equal(t.late, 1);
	assert_int_equal(t.in_flight, 0);
}

static void test_time_in_the_reflector_is_not_delay(void **state)
{
	struct pm_path *p = *state;
	struct mono now = at(0);
	struct pm_probe probe = send_one(p, &now);
	struct pm_stats st;

	assert_int_equal(pm_path_answer(p,
					&(struct pm_path_answer){
						.seq = probe.seq,
						.stamp = 77,
						.held_us = 5 * MS,
					},
					mono_add_us(now, 25 * MS)),
			 0);
	pm_path_stats(p, 0, at(S), &st);
	assert_int_equal(st.delay_us, 20 * MS);
	/* More than the whole round trip makes no sense. */
	probe = send_one(p, &now);
	(void)pm_path_answer(p,
			     &(struct pm_path_answer){.seq = probe.seq,
						      .stamp = 77,
						      .held_us = S},
			     mono_add_us(now, 20 * MS));
	pm_path_stats(p, 0, at(S), &st);
	assert_int_equal(st.delay_p95_us, 20 * MS);
}

static void test_loss_is_told_apart_by_direction(void **state)
{
	struct pm_path *p = *state;
	struct mono now = at(0);
	struct pm_totals t;
	uint32_t reflector = 1000;

	for (int i = 0; i < 100; i++) {
		struct pm_probe probe = send_one(p, &now);
		bool out_lost = i % 10 == 4;
		bool back_lost = i % 20 == 9;

		if (out_lost)
			continue;
		reflector++;
		if (i == 52)
			reflector = 5; /* the peer's reflector started anew */
		if (back_lost)
			continue;
		(void)pm_path_answer(p,
				     &(struct pm_path_answer){
					     .seq = probe.seq,
					     .stamp = 77,
					     .has_reflector_seq = true,
					     .reflector_seq = reflector,
				     },
				     mono_add_us(now, MS));
	}
	pm_path_totals(p, &t);
	assert_true(t.per_direction);
	assert_int_equal(t.lost_out, 10);
	assert_int_equal(t.lost_back, 5);
}

static void test_peer_that_hears_nothing_is_believed_when_we_sent(void **state)
{
	struct pm_path *p = *state;
	struct pm_report deaf = {.quiet_ms = 700};
	struct mono now = at(0);

	run(p, &now, at(10 * S), 20 * MS);
	deaf.quiet_ms = 300;
	pm_path_heard(p, &deaf, now);
	assert_int_equal(pm_path_state(p), PM_UP);
	deaf.quiet_ms = UINT32_MAX;
	pm_path_heard(p, &deaf, now);
	assert_int_equal(pm_path_state(p), PM_UP);
	deaf.quiet_ms = 900;
	pm_path_heard(p, &deaf, now);
	assert_int_equal(pm_path_state(p), PM_DOWN);
	assert_int_equal(last_change(p).cause, PM_CAUSE_DEAF);
}

static void test_idle_metered_path_is_not_called_deaf(void **state)
{
	struct pm_path *p = *state;
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_report quiet = {.quiet_ms = 9000, .cost = 5, .metered = true};
	struct pm_peer_info info;
	struct mono now = at(0);

	cfg.metered = true;
	assert_int_equal(pm_path_configure(p, &cfg, now), 0);
	run(p, &now, at(60 * S), 20 * MS);
	assert_int_equal(pm_path_state(p), PM_UP);
	pm_path_heard(p, &quiet, now);
	assert_int_equal(pm_path_state(p), PM_UP);
	pm_path_peer_info(p, &info);
	assert_true(info.valid);
	assert_true(info.metered);
	assert_int_equal(info.cost, 5);
}

/* What the peer heard before it became quiet was all we sent, then we were idle. */
static void test_report_of_an_idle_time_is_no_fault(void **state)
{
	struct pm_path *p = *state;
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_report quiet = {.quiet_ms = 9900};
	struct mono now = at(0);

	run(p, &now, at(10 * S), 20 * MS);
	cfg.metered = true;
	assert_int_equal(pm_path_configure(p, &cfg, now), 0);
	run(p, &now, at(19 * S + 900 * MS), 20 * MS);
	pm_path_heard(p, &quiet, now);
	assert_int_equal(pm_path_state(p), PM_UP);
}

static void test_received_packets_are_signs_of_life(void **state)
{
	struct pm_path *p = *state;
	struct pm_report r;
	struct mono now = at(0);

	run(p, &now, at(10 * S), 20 * MS);
	pm_path_rx_packets(p, now, 5000);
	pm_path_report(p, at(10 * S + 200 * MS), &r);
	assert_in_range(r.quiet_ms, 200, 300);
	pm_path_rx_packets(p, at(10 * S + 100 * MS), 5000);
	pm_path_report(p, at(10 * S + 200 * MS), &r);
	assert_in_range(r.quiet_ms, 200, 300);
	pm_path_rx_packets(p, at(10 * S + 150 * MS), 5001);
	pm_path_report(p, at(10 * S + 200 * MS), &r);
	assert_int_equal(r.quiet_ms, 50);
	/* Data keeps coming: one direction, hence only after a second. */
	for (int i = 1; i < 10; i++) {
		pm_path_rx_packets(p, mono_add_us(now, 80 * MS), 5001 + (uint64_t)i);
		run(p, &now, mono_add_us(now, 80 * MS), -1);
	}
	assert_int_equal(pm_path_state(p), PM_SUSPECT);
	run(p, &now, at(11 * S + 50 * MS), -1);
	assert_int_equal(pm_path_state(p), PM_DOWN);
}

static void test_nothing_can_be_sent_is_off_and_heals(void **state)
{
	struct pm_path *p = *state;
	struct pm_probe probe;
	struct pm_change c;
	struct pm_totals t;
	struct mono now = at(0);

	run(p, &now, at(5 * S), 20 * MS);
	(void)last_change(p);
	/* A link that flaps for less than a second changes nothing. */
	while (mono_before(pm_path_deadline(p), at(5 * S + 900 * MS))) {
		now = pm_path_deadline(p);
		if (pm_path_poll(p, now, &probe))
			pm_path_send_failed(p, -ENETDOWN, now);
	}
	assert_int_equal(pm_path_state(p), PM_UP);
	run(p, &now, at(8 * S), 20 * MS);
	while (pm_path_state(p) != PM_OFF) {
		do {
			now = pm_path_deadline(p);
		} while (!pm_path_poll(p, now, &probe));
		pm_path_send_failed(p, -ENETDOWN, now);
	}
	c = last_change(p);
	assert_int_equal(c.to, PM_OFF);
	assert_int_equal(c.cause, PM_CAUSE_SEND);
	assert_int_equal(c.err, -ENETDOWN);
	pm_path_totals(p, &t);
	assert_int_equal(t.lost, 0);
	/* Tried each second, without telling each time. */
	for (int i = 0; i < 10; i++) {
		now = pm_path_deadline(p);
		assert_true(pm_path_poll(p, now, &probe));
		pm_path_send_failed(p, -ENETDOWN, now);
	}
	assert_in_range(now.us, 18 * S, 21 * S);
	assert_false(pm_path_change(p, &c));
	run(p, &now, mono_add_us(now, 4 * S), 20 * MS);
	assert_int_equal(pm_path_state(p), PM_UP);
}

static void test_stopped_path_is_silent(void **state)
{
	struct pm_path *p = *state;
	struct pm_probe probe;
	struct mono now = at(0);

	run(p, &now, at(5 * S), 20 * MS);
	pm_path_stop(p, now);
	assert_int_equal(pm_path_state(p), PM_OFF);
	assert_true(mono_is_never(pm_path_deadline(p)));
	assert_false(pm_path_poll(p, at(6 * S), &probe));
	pm_path_heard(p, NULL, at(6 * S));
	pm_path_traffic(p, at(6 * S));
	assert_int_equal(pm_path_state(p), PM_OFF);
}

static void test_settings_change_in_place(void **state)
{
	struct pm_path *p = *state;
	struct pm_path_config cfg = pm_path_config_default();
	struct pm_totals t;
	struct pm_stats st;
	struct mono now = at(0);

	run(p, &now, at(5 * S), 20 * MS);
	cfg.n_sessions = 0;
	assert_int_equal(pm_path_configure(p, &cfg, now), -EINVAL);
	cfg.n_sessions = 2;
	cfg.dscp[1] = 46;
	(void)send_one(p, &now);
	assert_int_equal(pm_path_configure(p, &cfg, now), 0);
	assert_int_equal(pm_path_state(p), PM_UP);
	pm_path_totals(p, &t);
	assert_int_equal(t.in_flight, 0);
	run(p, &now, at(15 * S), 30 * MS);
	pm_path_stats(p, 1, now, &st);
	assert_in_range(st.sent, 98, 102);
	pm_path_totals(p, &t);
	assert_int_equal(t.lost, 0);
}

#define path_test(f) cmocka_unit_test_setup_teardown(f, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		path_test(test_answered_path_is_up_and_measured),
		path_test(test_silent_path_is_down_within_600_ms),
		path_test(test_sent_equals_lost_after_the_timeout),
		path_test(test_forged_repeated_and_late_answers_count_for_nothing),
		path_test(test_time_in_the_reflector_is_not_delay),
		path_test(test_loss_is_told_apart_by_direction),
		path_test(test_peer_that_hears_nothing_is_believed_when_we_sent),
		path_test(test_idle_metered_path_is_not_called_deaf),
		path_test(test_report_of_an_idle_time_is_no_fault),
		path_test(test_received_packets_are_signs_of_life),
		path_test(test_nothing_can_be_sent_is_off_and_heals),
		path_test(test_stopped_path_is_silent),
		path_test(test_settings_change_in_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
