/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine may be freed and taken up from its saved bytes after any message.
 */
#include "tests/unit/cm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/sa.h"
#include "lib/alloc.h"
#include "tests/sim/ike_world.h"

static struct world *begin(uint64_t seed)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w = world_new(seed);

	a.want_inside4 = true;
	a.retransmits = b.retransmits = 10;
	world_conn(w, 0, &a);
	world_conn(w, 1, &b);
	w->side[0].retry = true;
	assert_int_equal(ike_up(w->side[0].ike, w->now, "hub/isp1"), 0);
	world_pump(w, 0);
	return w;
}

static void check(struct world *w, const char *what, unsigned int n)
{
	for (int s = 0; s < 2; s++)
		if (world_status(w, s).state != IKE_UP ||
		    world_count(w, s, IKE_OUT) != 1)
			fail_msg("%s %u: side %d is %s with %u in %u out: %s", what, n,
				 s, ike_state_name(world_status(w, s).state),
				 world_count(w, s, IKE_IN), world_count(w, s, IKE_OUT),
				 w->side[s].last_sentence);
	if (!world_sas_match(w))
		fail_msg("%s %u: SAs do not match", what, n);
}

static void test_a_restart_after_any_message_is_survived(void **state)
{
	(void)state;
	for (unsigned int n = 1; n <= 12; n++) {
		for (int side = 0; side < 2; side++) {
			struct world *w = begin(3000 + n * 2 + (unsigned int)side);

			w->side[side].restart_at = n;
			world_run(w, 30 * 1000);
			/* a rekey of the child, then of the IKE SA, by each side */
			for (int i = 0; i < 4; i++) {
				int by = i & 1;

				(void)(i & 2 ? ike_rekey_ike
					     : ike_rekey_child)(w->side[by].ike, w->now,
								world_tunnel(w, by));
				world_pump(w, by);
				world_run(w, 60 * 1000);
			}
			check(w, "restart after message", n);
			world_free(w);
		}
	}
}

static void test_a_restart_in_the_middle_of_a_rekey_loses_nothing(void **state)
{
	(void)state;
	for (unsigned int n = 1; n <= 6; n++) {
		for (int variant = 0; variant < 8; variant++) {
			struct world *w = begin(4000 + n * 8 + (unsigned int)variant);
			int side = variant & 1;
			int by = variant >> 1 & 1;

			world_run(w, 2000);
			w->esp = true;
			w->next_esp = w->now;
			w->side[side].restart_at = w->side[side].messages_in + n;
			(void)(variant & 4 ? ike_rekey_ike
					   : ike_rekey_child)(w->side[by].ike, w->now,
							      world_tunnel(w, by));
			world_pump(w, by);
			world_run(w, 120 * 1000);
			check(w, "variant", (unsigned int)variant);
			if (w->side[0].events[IKE_EV_DOWN] || w->side[0].esp_lost ||
			    w->side[1].esp_lost)
				fail_msg("n %u variant %d: down %u, lost %llu and %llu",
					 n, variant, w->side[0].events[IKE_EV_DOWN],
					 (unsigned long long)w->side[0].esp_lost,
					 (unsigned long long)w->side[1].esp_lost);
			world_free(w);
		}
	}
}

static void test_restarts_with_loss_and_crossing_rekeys_end_well(void **state)
{
	(void)state;
	for (unsigned int seed = 0; seed < 150; seed++) {
		struct world *w = begin(5000 + seed);
		struct rng rng = rng_seeded(seed);

		w->loss_pct = 20;
		w->dup_pct = 20;
		w->jitter = true;
		w->delay_ms = 80;
		for (int round = 0; round < 6; round++) {
			int side = (int)rng_below(&rng, 2);

			world_run(w, rng_below(&rng, 3000));
			(void)(rng_below(&rng, 3) ? ike_rekey_child : ike_rekey_ike)(
				w->side[side].ike, w->now, world_tunnel(w, side));
			world_pump(w, side);
			world_run(w, rng_below(&rng, 300));
			world_restart(w, (int)rng_below(&rng, 2));
		}
		w->loss_pct = 0;
		world_run(w, 200 * 1000);
		check(w, "seed", 5000 + seed);
		world_free(w);
	}
}

static void test_what_was_restored_goes_on_as_before(void **state)
{
	struct world *w = begin(6000);
	struct ike_status before[2];
	struct ike_status after[2];
	uint64_t iv;

	(void)state;
	world_run(w, 2000);
	for (int s = 0; s < 2; s++) {
		before[s] = world_status(w, s);
		iv = w->side[s].ike->sas->iv;
		world_restart(w, s);
		/* no counter is used twice, whatever was sealed after the save */
		assert_true(w->side[s].ike->sas->iv >= iv + 1000);
		after[s] = world_status(w, s);
		assert_int_equal(after[s].state, IKE_UP);
		assert_int_equal(before[s].spi_i, after[s].spi_i);
		assert_int_equal(before[s].spi_r, after[s].spi_r);
		assert_int_equal(before[s].rekey_at.us, after[s].rekey_at.us);
		assert_int_equal(before[s].child.spi_in, after[s].child.spi_in);
		assert_int_equal(before[s].child.rekey_at.us,
				 after[s].child.rekey_at.us);
		assert_string_equal(before[s].suite, after[s].suite);
		assert_string_equal(before[s].local_id, after[s].local_id);
		assert_string_equal(before[s].remote_id, after[s].remote_id);
		assert_true(addr_equal(&before[s].inside.own4, &after[s].inside.own4));
		assert_true(endpoint_equal(&before[s].at.remote, &after[s].at.remote));
	}
	assert_int_equal(ike_up(w->side[0].ike, w->now, "hub/isp1"), -EALREADY);
	/* DPD still works after it, in both directions */
	world_run(w, 100 * 1000);
	check(w, "restored", 0);
	world_free(w);
}

static void test_damaged_bytes_are_refused(void **state)
{
	struct world *w = begin(7000);
	struct world_saved *v = &w->side[0].saved[0];
	const struct ike_params params = {.rng = &w->side[0].rng};
	struct ike_conn_config other = world_caller();
	struct ike *ike;
	uint8_t *copy;

	(void)state;
	world_run(w, 2000);
	assert_non_null(v->bytes);
	ike = ike_new(&params);
	assert_int_equal(ike_restore(ike, w->now, v->bytes, v->len), -ENOENT);
	strcpy(other.name, "hub/isp2");
	assert_int_equal(ike_conn_set(ike, w->now, &other, NULL), 0);
	assert_int_equal(ike_restore(ike, w->now, v->bytes, v->len), -ENOENT);
	/* the same name, but the SA would not come out of it any more */
	other = world_caller();
	strcpy(other.remote_id, "hub2.example");
	assert_int_equal(ike_conn_set(ike, w->now, &other, NULL), 0);
	assert_int_equal(ike_restore(ike, w->now, v->bytes, v->len), -ENOENT);
	other = world_caller();
	other.remote.b[3]++;
	assert_int_equal(ike_conn_set(ike, w->now, &other, NULL), 0);
	assert_int_equal(ike_restore(ike, w->now, v->bytes, v->len), -ENOENT);
	assert_int_equal(ike_conn_set(ike, w->now, &w->side[0].conns[0], NULL), 0);
	for (size_t len = 0; len < v->len; len++) {
		copy = ed_memdup(v->bytes, len);
		assert_int_equal(ike_restore(ike, w->now, copy, len), -EBADMSG);
		free(copy);
	}
	for (size_t i = 0; i < v->len; i++) {
		int err;

		copy = ed_memdup(v->bytes, v->len);
		copy[i] ^= 0x40;
		err = ike_restore(ike, w->now, copy, v->len);
		assert_true(err == -EBADMSG || err == -EPROTONOSUPPORT);
		free(copy);
	}
	assert_int_equal(ike_restore(ike, w->now, v->bytes, v->len), 0);
	assert_int_equal(ike_restore(ike, w->now, v->bytes, v->len), -EEXIST);
	ike_free(ike);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_restart_after_any_message_is_survived),
		cmocka_unit_test(test_a_restart_in_the_middle_of_a_rekey_loses_nothing),
		cmocka_unit_test(test_restarts_with_loss_and_crossing_rekeys_end_well),
		cmocka_unit_test(test_what_was_restored_goes_on_as_before),
		cmocka_unit_test(test_damaged_bytes_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
