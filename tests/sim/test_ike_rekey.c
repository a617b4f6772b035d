/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rekeys from either side, both at once, and what they cost: nothing.
 *
 * A packet leaves each side every 20 ms all the time. In the order of the
 * network (no loss, no reordering) not one of them may meet a side without the
 * inbound SA for it.
 */
#include "tests/unit/cm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/sim/ike_world.h"

static struct world *up(uint64_t seed, const struct ike_conn_config *a,
			const struct ike_conn_config *b)
{
	struct world *w = world_new(seed);

	world_conn(w, 0, a);
	world_conn(w, 1, b);
	assert_int_equal(ike_up(w->side[0].ike, w->now, a->name), 0);
	world_pump(w, 0);
	if (!world_run_until_up(w, 5000))
		fail_msg("seed %llu: not up", (unsigned long long)seed);
	/* Let the first packets not meet the installation of the first SAs. */
	world_run(w, 200);
	w->esp = true;
	w->next_esp = w->now;
	return w;
}

static void no_packet_lost(struct world *w, uint64_t seed)
{
	for (int s = 0; s < 2; s++)
		if (w->side[s].esp_lost)
			fail_msg("seed %llu: side %d lost %llu of %llu packets",
				 (unsigned long long)seed, s,
				 (unsigned long long)w->side[s].esp_lost,
				 (unsigned long long)w->side[s].esp_sent);
}

static void one_sa_each(struct world *w, uint64_t seed)
{
	for (int s = 0; s < 2; s++)
		if (world_count(w, s, IKE_IN) != 1 || world_count(w, s, IKE_OUT) != 1 ||
		    world_status(w, s).state != IKE_UP ||
		    w->side[s].events[IKE_EV_DOWN])
			fail_msg(
				"seed %llu: side %d has %u in, %u out, %s, down %u: %s",
				(unsigned long long)seed, s, world_count(w, s, IKE_IN),
				world_count(w, s, IKE_OUT),
				ike_state_name(world_status(w, s).state),
				w->side[s].events[IKE_EV_DOWN],
				w->side[s].last_sentence);
	if (!world_sas_match(w))
		fail_msg("seed %llu: SAs do not match", (unsigned long long)seed);
}

static void rekey(struct world *w, int side, bool ike)
{
	const char *name = world_tunnel(w, side);
	int err = ike ? ike_rekey_ike(w->side[side].ike, w->now, name)
		      : ike_rekey_child(w->side[side].ike, w->now, name);

	assert_int_equal(err, 0);
	world_pump(w, side);
}

static void test_a_rekey_by_either_side_loses_nothing(void **state)
{
	(void)state;
	for (int variant = 0; variant < 8; variant++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		int by = variant & 1;
		bool ike = variant & 2;
		bool pfs = variant & 4;
		struct ike_status before;
		struct ike_status after;
		struct world *w;

		a.n_esp_suites = b.n_esp_suites = 1;
		assert_int_equal(ike_suite_parse(pfs ? "aes256gcm16-ecp256"
						     : "aes256gcm16",
						 true, &a.esp_suites[0]),
				 0);
		b.esp_suites[0] = a.esp_suites[0];
		w = up(200 + (uint64_t)variant, &a, &b);
		before = world_status(w, 0);
		rekey(w, by, ike);
		world_run(w, 30 * 1000);
		after = world_status(w, 0);
		no_packet_lost(w, (uint64_t)variant);
		one_sa_each(w, (uint64_t)variant);
		assert_int_equal(before.spi_i != after.spi_i, ike);
		assert_int_equal(before.child.spi_in != after.child.spi_in, !ike);
		if (!ike) {
			assert_int_equal(after.child.pfs, pfs);
			assert_int_equal(after.child.rekeys, 1);
		} else {
			assert_int_equal(after.ike_rekeys, 1);
			assert_int_equal(after.initiator, by == 0);
		}
		world_free(w);
	}
}

static void test_a_peer_without_pfs_is_rekeyed_too(void **state)
{
	(void)state;
	/* Who asks offers none (Azure's default), or takes none. */
	for (int by = 0; by < 2; by++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		struct world *w;

		b.n_esp_suites = 1;
		assert_int_equal(ike_suite_parse("aes256gcm16", true, &b.esp_suites[0]),
				 0);
		w = up(220 + (uint64_t)by, &a, &b);
		rekey(w, by, false);
		world_run(w, 30 * 1000);
		no_packet_lost(w, (uint64_t)by);
		one_sa_each(w, (uint64_t)by);
		assert_int_equal(world_status(w, 0).child.rekeys, 1);
		world_free(w);
	}
}

static void test_another_group_is_asked_for_in_a_rekey(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w;

	(void)state;
	a.n_esp_suites = 2;
	b.n_esp_suites = 1;
	assert_int_equal(ike_suite_parse("aes256gcm16-x25519", true, &a.esp_suites[0]),
			 0);
	assert_int_equal(ike_suite_parse("aes128gcm16-modp2048", true,
					 &a.esp_suites[1]),
			 0);
	b.esp_suites[0] = a.esp_suites[1];
	w = up(230, &a, &b);
	rekey(w, 0, false);
	world_run(w, 30 * 1000);
	no_packet_lost(w, 230);
	one_sa_each(w, 230);
	assert_true(world_status(w, 0).child.pfs);
	assert_int_equal(world_status(w, 0).child.rekeys, 1);
	world_free(w);
}

static void test_hours_of_rekeys_lose_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 3; seed++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		struct world *w;

		a.child_life_s = b.child_life_s = 600;
		a.ike_life_s = b.ike_life_s = 1800;
		w = up(240 + seed, &a, &b);
		world_run(w, 2 * 3600 * 1000);
		no_packet_lost(w, 240 + seed);
		assert_true(world_status(w, 0).child.rekeys >= 10);
		assert_true(world_status(w, 0).ike_rekeys >= 4);
		assert_true(world_count(w, 0, IKE_IN) <= 2);
		world_free(w);
	}
}

/*
 * Both sides at once: every pairing of what they rekey, with any offset that
 * lets the messages cross.
 */
static void test_rekeys_that_cross_lose_nothing(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 400; seed++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		struct world *w;
		struct rng rng = rng_seeded(seed);

		w = up(10000 + seed, &a, &b);
		/* in half of the cases packets wait in queues that messages pass */
		w->esp_late_ms = seed & 4 ? 1000 : 0;
		rekey(w, 0, seed & 1);
		world_run(w, rng_below(&rng, 45));
		rekey(w, 1, seed & 2);
		world_run(w, 25 * 1000);
		no_packet_lost(w, 10000 + seed);
		one_sa_each(w, 10000 + seed);
		world_free(w);
	}
}

static void test_crossing_rekeys_survive_loss_and_reordering(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 300; seed++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		struct rng rng = rng_seeded(seed);
		struct world *w;

		a.retransmits = b.retransmits = 12;
		w = up(20000 + seed, &a, &b);
		w->esp = false;
		w->jitter = true;
		w->delay_ms = 100;
		w->dup_pct = 20;
		w->loss_pct = 25;
		for (int round = 0; round < 3; round++) {
			rekey(w, 0, rng_below(&rng, 2));
			world_run(w, rng_below(&rng, 400));
			if (ike_rekey_child(w->side[1].ike, w->now,
					    world_tunnel(w, 1)) == 0)
				world_pump(w, 1);
			world_run(w, 20 * 1000);
		}
		w->loss_pct = 0;
		world_run(w, 120 * 1000);
		one_sa_each(w, 20000 + seed);
		world_free(w);
	}
}

static void test_a_lost_sa_is_replaced_and_never_installed_again(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		struct world *w = up(250 + (uint64_t)side, &a, &b);
		uint32_t spi = world_status(w, side).child.spi_in;
		unsigned int installs;

		world_run(w, 3000);
		assert_int_equal(ike_child_lost(w->side[side].ike, w->now, spi), 0);
		world_pump(w, side);
		world_run(w, 1000);
		assert_int_not_equal(world_status(w, side).child.spi_in, spi);
		/* where each is lost at once, they do not follow as fast as they can */
		installs = w->side[side].installs;
		for (int i = 0; i < 1000; i++) {
			(void)ike_child_lost(w->side[side].ike, w->now,
					     world_status(w, side).child.spi_in);
			world_pump(w, side);
			world_run(w, 10);
		}
		assert_true(w->side[side].installs - installs <= 10);
		world_run(w, 30 * 1000);
		one_sa_each(w, 250);
		assert_int_equal(ike_child_lost(w->side[side].ike, w->now, spi),
				 -ENOENT);
		world_free(w);
	}
}

static void test_an_sa_that_cannot_be_rekeyed_expires_at_both_ends(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w;

	(void)state;
	a.ike_life_s = 100;
	a.dpd_s = b.dpd_s = 1000;
	w = up(260, &a, &b);
	w->esp = false;
	w->cut = true;
	world_run(w, 300 * 1000);
	assert_int_equal(world_status(w, 0).state, IKE_DOWN);
	assert_int_equal(world_count(w, 0, IKE_IN) + world_count(w, 0, IKE_OUT), 0);
	assert_int_equal(w->side[0].events[IKE_EV_DOWN], 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_rekey_by_either_side_loses_nothing),
		cmocka_unit_test(test_a_peer_without_pfs_is_rekeyed_too),
		cmocka_unit_test(test_another_group_is_asked_for_in_a_rekey),
		cmocka_unit_test(test_hours_of_rekeys_lose_nothing),
		cmocka_unit_test(test_rekeys_that_cross_lose_nothing),
		cmocka_unit_test(test_crossing_rekeys_survive_loss_and_reordering),
		cmocka_unit_test(test_a_lost_sa_is_replaced_and_never_installed_again),
		cmocka_unit_test(
			test_an_sa_that_cannot_be_rekeyed_expires_at_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
