/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two engines come together, or say why not.
 */
#include "tests/unit/cm.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "lib/alloc.h"
#include "tests/sim/ike_world.h"

static struct world *pair(uint64_t seed, const struct ike_conn_config *a,
			  const struct ike_conn_config *b)
{
	struct world *w = world_new(seed);

	world_conn(w, 0, a);
	world_conn(w, 1, b);
	return w;
}

static void up(struct world *w)
{
	assert_int_equal(ike_up(w->side[0].ike, w->now, "hub/isp1"), 0);
	world_pump(w, 0);
}

static void test_a_tunnel_comes_up_in_four_messages(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w = pair(1, &a, &b);
	struct ike_status st;

	(void)state;
	up(w);
	assert_int_equal(world_status(w, 0).state, IKE_CONNECTING);
	world_run(w, 1000);
	assert_int_equal(w->delivered, 4);
	st = world_status(w, 0);
	assert_int_equal(st.state, IKE_UP);
	assert_true(st.initiator);
	assert_string_equal(st.suite, "aes256gcm16-sha256-x25519");
	assert_string_equal(st.child.suite, "aes256gcm16");
	assert_string_equal(st.local_id, "isp1.branch-042");
	assert_string_equal(st.remote_id, "hub.example");
	assert_false(st.encap);
	assert_string_equal(world_tunnel(w, 1), "branch-042/isp1");
	st = world_status(w, 1);
	assert_int_equal(st.state, IKE_UP);
	assert_string_equal(st.remote_id, "isp1.branch-042");
	assert_true(st.child.family4 && st.child.family6);
	assert_true(world_sas_match(w));
	assert_int_equal(w->side[0].events[IKE_EV_UP], 1);
	assert_int_equal(w->side[1].events[IKE_EV_UP], 1);
	assert_int_equal(w->side[1].callers, 1);
	assert_int_equal(ike_up(w->side[0].ike, w->now, "hub/isp1"), -EALREADY);
	world_free(w);
}

static void test_every_group_prf_and_cipher_works(void **state)
{
	static const char *const groups[] = {"x25519", "ecp256", "modp2048"};
	static const char *const prfs[] = {"sha256", "sha384", "sha512"};
	static const char *const ciphers[] = {"aes256gcm16", "aes128gcm16"};

	(void)state;
	for (size_t i = 0; i < 18; i++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		char text[IKE_SUITE_TEXT_MAX];
		struct world *w;

		snprintf(text, sizeof(text), "%s-%s-%s", ciphers[i % 2],
			 prfs[i / 2 % 3], groups[i / 6]);
		a.n_ike_suites = 1;
		assert_int_equal(ike_suite_parse(text, false, &a.ike_suites[0]), 0);
		a.n_esp_suites = 1;
		assert_int_equal(ike_suite_parse(ciphers[i % 2], true,
						 &a.esp_suites[0]),
				 0);
		memcpy(b.ike_suites, a.ike_suites, sizeof(a.ike_suites));
		b.n_ike_suites = 1;
		w = pair(i, &a, &b);
		up(w);
		assert_true(world_run_until_up(w, 2000));
		assert_string_equal(world_status(w, 0).suite, text);
		assert_string_equal(world_status(w, 1).child.suite, ciphers[i % 2]);
		world_free(w);
	}
}

static void test_another_group_is_retried(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w;

	(void)state;
	b.n_ike_suites = 1;
	assert_int_equal(ike_suite_parse("aes128gcm16-sha256-modp2048", false,
					 &b.ike_suites[0]),
			 0);
	w = pair(3, &a, &b);
	up(w);
	world_run(w, 1000);
	assert_int_equal(w->delivered, 6);
	assert_string_equal(world_status(w, 0).suite, "aes128gcm16-sha256-modp2048");
	assert_true(world_sas_match(w));
	world_free(w);
}

static void test_encapsulation_is_found_or_forced(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		struct world *w;
		struct ike_status st;

		a.force_encap = i == 1;
		b.force_encap = i == 2;
		w = pair(10 + (uint64_t)i, &a, &b);
		w->nat = i == 3;
		up(w);
		assert_true(world_run_until_up(w, 2000));
		for (int s = 0; s < 2; s++) {
			st = world_status(w, s);
			assert_int_equal(st.encap, i != 0);
			assert_int_equal(st.at.natt, i != 0);
		}
		st = world_status(w, 0);
		assert_int_equal(st.at.local.port, i ? 4500 : 500);
		assert_int_equal(st.nat_local, i == 3);
		world_run(w, 100 * 1000);
		/* Only who is behind a NAT keeps its mapping alive. */
		assert_int_equal(w->side[0].keepalives != 0, i == 3);
		assert_int_equal(w->side[1].keepalives, 0);
		world_free(w);
	}
}

static void test_inside_addresses_are_handed_out(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	char text[ADDR_STRLEN];
	struct world *w;

	(void)state;
	a.want_inside4 = true;
	a.want_inside6 = true;
	w = pair(20, &a, &b);
	up(w);
	assert_true(world_run_until_up(w, 2000));
	assert_string_equal(addr_format(&w->side[0].inside.own4, text), "100.96.0.1");
	assert_string_equal(addr_format(&w->side[0].inside.peer4, text), "100.96.0.0");
	assert_string_equal(addr_format(&w->side[0].inside.own6, text), "fd00:96::1");
	assert_string_equal(addr_format(&w->side[0].inside.peer6, text), "fd00:96::");
	assert_string_equal(addr_format(&w->side[1].inside.own4, text), "100.96.0.0");
	assert_string_equal(addr_format(&w->side[1].inside.peer6, text), "fd00:96::1");
	world_free(w);

	w = pair(21, &a, &b);
	w->side[1].refuse_inside = true;
	up(w);
	assert_false(world_run_until_up(w, 5000));
	assert_int_equal(w->side[0].events[IKE_EV_FAILED], 1);
	assert_int_equal(w->side[1].events[IKE_EV_FAILED], 1);
	assert_non_null(strstr(world_status(w, 0).failure, "INTERNAL_ADDRESS_FAILURE"));
	assert_int_equal(world_status(w, 1).failure_reason, IKE_REASON_INSIDE);
	assert_int_equal(world_count(w, 0, IKE_IN) + world_count(w, 1, IKE_IN), 0);
	world_free(w);
}

static void test_a_peer_cannot_hand_out_every_address(void **state)
{
	static const struct {
		const char *inside; /* what the peer gives */
		const char *why; /* NULL: it is taken */
	} gifts[] = {
		{"169.254.7.3", NULL},
		{"0.0.0.0", "no host can have it"},
		{"127.0.0.1", "no host can have it"},
		{"0.1.2.3", "no host can have it"},
		{"224.0.0.5", "no host can have it"},
		{"255.255.255.254", "no host can have it"},
		{"::1", "no host can have it"},
		{"ff02::1", "no host can have it"},
		{"fe80::1", "no host can have it"},
		{"198.51.100.1", "it is an outer address of the tunnel"},
		{"10.42.0.10", "it lies in a network behind this end"},
		{"fd42::10", "it lies in a network behind this end"},
	};
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct prefix home[2];

	(void)state;
	a.want_inside4 = true;
	a.want_inside6 = true;
	assert_int_equal(prefix_parse("10.42.0.0/24", &home[0]), 0);
	assert_int_equal(prefix_parse("fd42::/64", &home[1]), 0);
	for (size_t i = 0; i < ARRAY_LEN(gifts); i++) {
		struct world *w = pair(30 + i, &a, &b);
		struct addr gift;

		ike_home_set(w->side[0].ike, home, 2);
		assert_int_equal(addr_parse(gifts[i].inside, &gift), 0);
		if (gift.family == AF_INET)
			w->side[1].give.peer4 = gift;
		else
			w->side[1].give.peer6 = gift;
		up(w);
		assert_int_equal(world_run_until_up(w, 5000), !gifts[i].why);
		if (gifts[i].why) {
			assert_non_null(
				strstr(world_status(w, 0).failure, gifts[i].why));
			assert_int_equal(world_status(w, 0).failure_reason,
					 IKE_REASON_INSIDE);
			assert_int_equal(w->side[0].inside.own4.family, 0);
			assert_int_equal(world_count(w, 0, IKE_IN), 0);
		}
		world_free(w);
	}
}

/* The sentence of a side's tunnel, or of its template. */
static const char *failure(struct world *w, int side)
{
	static struct ike_status st;

	if (ike_status_get(w->side[side].ike, w->side[side].conns[0].name, &st) < 0)
		return "";
	return st.failure;
}

static void test_a_wrong_secret_is_told_at_both_ends(void **state)
{
	static const char other[] = "another secret";
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w;

	(void)state;
	b.psk = (const uint8_t *)other;
	b.psk_len = sizeof(other) - 1;
	w = pair(30, &a, &b);
	up(w);
	world_run(w, 5000);
	assert_int_equal(w->side[0].events[IKE_EV_FAILED], 1);
	assert_int_equal(w->side[1].events[IKE_EV_REFUSED], 1);
	assert_non_null(strstr(failure(w, 0), "AUTHENTICATION_FAILED"));
	assert_non_null(strstr(failure(w, 1), "secrets of the two ends differ"));
	assert_null(strstr(failure(w, 1), other));
	assert_int_equal(w->n_installed, 0);
	world_free(w);
}

static void test_a_wrong_identity_is_told_at_both_ends(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w;

	(void)state;
	/* nobody by the caller's name */
	strcpy(a.local_id, "isp1.branch-043");
	w = pair(40, &a, &b);
	up(w);
	world_run(w, 5000);
	assert_int_equal(w->side[1].last_reason, IKE_REASON_IDENTITY);
	assert_non_null(strstr(w->side[1].last_sentence, "isp1.branch-043"));
	assert_non_null(strstr(failure(w, 0), "isp1.branch-043"));
	world_free(w);

	/* the caller asks for another */
	a = world_caller();
	strcpy(a.remote_id, "hub2.example");
	w = pair(41, &a, &b);
	up(w);
	world_run(w, 5000);
	assert_non_null(strstr(failure(w, 1), "hub2.example"));
	assert_non_null(strstr(failure(w, 0), "AUTHENTICATION_FAILED"));
	world_free(w);

	/* the caller expects a pattern that the answerer does not meet */
	strcpy(a.remote_id, "*.example.net");
	w = pair(42, &a, &b);
	up(w);
	world_run(w, 5000);
	assert_non_null(strstr(failure(w, 0), "hub.example"));
	assert_non_null(strstr(failure(w, 0), "*.example.net"));
	assert_int_equal(w->side[1].events[IKE_EV_DOWN], 1);
	assert_non_null(strstr(w->side[1].last_sentence, "hub.example"));
	assert_int_equal(world_count(w, 1, IKE_IN), 0);
	world_free(w);
}

static void test_no_common_suite_is_told_at_both_ends(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w;

	(void)state;
	a.n_ike_suites = b.n_ike_suites = 1;
	assert_int_equal(ike_suite_parse("aes128gcm16-sha256-x25519", false,
					 &a.ike_suites[0]),
			 0);
	assert_int_equal(ike_suite_parse("aes256gcm16-sha384-ecp256", false,
					 &b.ike_suites[0]),
			 0);
	w = pair(50, &a, &b);
	up(w);
	world_run(w, 10 * 1000);
	assert_non_null(strstr(failure(w, 0), "we offered aes128gcm16-sha256-x25519"));
	assert_non_null(strstr(failure(w, 1), "it offers aes128gcm16-sha256-x25519"));
	assert_non_null(strstr(failure(w, 1), "we accept aes256gcm16-sha384-ecp256"));
	world_free(w);

	a = world_caller();
	b = world_answerer();
	a.n_esp_suites = b.n_esp_suites = 1;
	assert_int_equal(ike_suite_parse("aes128gcm16", true, &a.esp_suites[0]), 0);
	assert_int_equal(ike_suite_parse("aes256gcm16-x25519", true, &b.esp_suites[0]),
			 0);
	w = pair(51, &a, &b);
	up(w);
	world_run(w, 10 * 1000);
	assert_non_null(strstr(failure(w, 0), "we offered aes128gcm16"));
	assert_non_null(
		strstr(world_status(w, 1).failure, "the peer offers aes128gcm16"));
	assert_int_equal(world_count(w, 0, IKE_IN) + world_count(w, 1, IKE_IN), 0);
	world_free(w);
}

static void test_silence_ends_an_attempt_with_a_sentence(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w = pair(60, &a, &b);

	(void)state;
	w->cut = true;
	up(w);
	world_run(w, 120 * 1000);
	assert_int_equal(w->side[0].events[IKE_EV_FAILED], 1);
	assert_string_equal(
		failure(w, 0),
		"no answer from 198.51.100.1:500 to our first message, sent 7 times");
	assert_true(mono_is_never(ike_deadline(w->side[0].ike)));
	world_free(w);
}

static void test_a_dead_peer_is_noticed(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w;

	(void)state;
	a.dpd_s = 10;
	a.retransmits = 3;
	w = pair(70, &a, &b);
	up(w);
	assert_true(world_run_until_up(w, 2000));
	world_run(w, 60 * 1000);
	assert_int_equal(world_status(w, 0).state, IKE_UP);
	w->cut = true;
	world_run(w, 30 * 1000);
	assert_int_equal(w->side[0].events[IKE_EV_DOWN], 1);
	assert_int_equal(world_status(w, 0).failure_reason, IKE_REASON_TIMEOUT);
	assert_int_equal(world_count(w, 0, IKE_IN) + world_count(w, 0, IKE_OUT), 0);
	world_free(w);
}

static void test_a_delete_ends_both_ends(void **state)
{
	(void)state;
	for (int by = 0; by < 2; by++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		struct world *w = pair(80 + (uint64_t)by, &a, &b);

		up(w);
		assert_true(world_run_until_up(w, 2000));
		assert_int_equal(ike_down(w->side[by].ike, w->now, world_tunnel(w, by)),
				 0);
		world_pump(w, by);
		world_run(w, 10 * 1000);
		for (int s = 0; s < 2; s++) {
			assert_int_equal(w->side[s].events[IKE_EV_DOWN], 1);
			assert_int_equal(world_status(w, s).state, IKE_DOWN);
			assert_int_equal(world_count(w, s, IKE_IN), 0);
			assert_int_equal(world_count(w, s, IKE_OUT), 0);
			assert_true(mono_is_never(ike_deadline(w->side[s].ike)));
		}
		assert_int_equal(w->side[!by].last_reason, IKE_REASON_PEER_DELETED);
		world_free(w);
	}
}

static void test_a_caller_that_starts_anew_replaces_its_tunnel(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w = pair(90, &a, &b);

	(void)state;
	up(w);
	assert_true(world_run_until_up(w, 2000));
	world_run(w, 20 * 1000);
	/* It lost its memory, saved bytes too. */
	assert_int_equal(ike_abandon(w->side[0].ike, w->now, "hub/isp1"), 0);
	world_pump(w, 0);
	up(w);
	world_run(w, 2000);
	assert_int_equal(world_status(w, 0).state, IKE_UP);
	assert_int_equal(world_status(w, 1).state, IKE_UP);
	assert_true(world_sas_match(w));
	assert_int_equal(world_count(w, 1, IKE_OUT), 1);
	assert_int_equal(w->side[1].events[IKE_EV_DOWN], 0);
	world_free(w);
}

static void test_both_call_at_once_and_one_tunnel_stays(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_caller();
		struct world *w;

		strcpy(b.name, "branch/isp1");
		b.local = a.remote;
		b.remote = a.local;
		strcpy(b.local_id, a.remote_id);
		strcpy(b.remote_id, a.local_id);
		w = pair(100 + seed, &a, &b);
		w->jitter = true;
		w->esp = true;
		up(w);
		assert_int_equal(ike_up(w->side[1].ike, w->now, "branch/isp1"), 0);
		world_pump(w, 1);
		world_run(w, 30 * 1000);
		for (int s = 0; s < 2; s++) {
			assert_int_equal(world_status(w, s).state, IKE_UP);
			assert_int_equal(world_count(w, s, IKE_OUT), 1);
			assert_int_equal(w->side[s].events[IKE_EV_DOWN], 0);
		}
		assert_true(world_sas_match(w));
		world_free(w);
	}
}

static void test_loss_duplicates_and_reordering_do_no_harm(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 60; seed++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		struct world *w;

		a.want_inside4 = true;
		a.retransmits = 12;
		w = pair(1000 + seed, &a, &b);
		w->loss_pct = 30;
		w->dup_pct = 20;
		w->jitter = true;
		w->delay_ms = 300;
		w->nat = seed % 2;
		w->side[0].retry = true;
		up(w);
		if (!world_run_until_up(w, 600 * 1000))
			fail_msg("seed %u: not up", (unsigned int)(1000 + seed));
		w->loss_pct = 0;
		world_run(w, 60 * 1000);
		if (world_count(w, 0, IKE_OUT) != 1 || world_count(w, 1, IKE_OUT) != 1)
			fail_msg("seed %u: %u and %u SAs", (unsigned int)(1000 + seed),
				 world_count(w, 0, IKE_OUT),
				 world_count(w, 1, IKE_OUT));
		world_free(w);
	}
}

static void test_the_peer_moves_behind_its_nat(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w;

	(void)state;
	a.dpd_s = 5;
	w = pair(110, &a, &b);
	w->nat = true;
	up(w);
	assert_true(world_run_until_up(w, 2000));
	w->nat_port = 41000;
	world_run(w, 30 * 1000);
	assert_int_equal(w->side[1].events[IKE_EV_PEER_MOVED], 1);
	assert_int_equal(world_status(w, 1).at.remote.port, 41001);
	for (size_t i = 0; i < WORLD_SAS; i++)
		if (w->side[1].sas[i].used)
			assert_int_equal(w->side[1].sas[i].esp.remote.port, 41001);
	assert_int_equal(world_status(w, 0).state, IKE_UP);
	world_free(w);
}

static void test_what_a_new_configuration_would_not_make_ends(void **state)
{
	static const struct {
		const char *what;
		bool ends;
	} cases[] = {
		{"nothing", false},
		{"lifetimes", false},
		{"own address unknown", false},
		{"own address", true},
		{"peer's address", true},
		{"secret", true},
		{"identity", true},
		{"suites", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ike_conn_config a = world_caller();
		struct ike_conn_config b = world_answerer();
		struct world *w = pair(120 + i, &a, &b);

		up(w);
		assert_true(world_run_until_up(w, 2000));
		if (i == 1)
			a.child_life_s = a.ike_life_s = a.dpd_s = 500;
		if (i == 2)
			a.local.family = 0, a.initiate = false;
		if (i == 3)
			a.local.b[3]++;
		if (i == 4)
			a.remote.b[3]++;
		if (i == 5)
			a.psk_len--;
		if (i == 6)
			strcpy(a.local_id, "isp2.branch-042");
		if (i == 7) {
			a.n_ike_suites = 1;
			assert_int_equal(ike_suite_parse("aes128gcm16-sha256-x25519",
							 false, &a.ike_suites[0]),
					 0);
		}
		world_conn(w, 0, &a);
		world_run(w, 5000);
		if (w->side[0].events[IKE_EV_DOWN] != cases[i].ends)
			fail_msg("%s: %u", cases[i].what,
				 w->side[0].events[IKE_EV_DOWN]);
		assert_int_equal(w->side[1].events[IKE_EV_DOWN], cases[i].ends);
		/* the address that was unknown comes back as another */
		if (i == 2) {
			a = world_caller();
			a.local.b[3]++;
			world_conn(w, 0, &a);
			world_run(w, 5000);
			assert_int_equal(w->side[0].events[IKE_EV_DOWN], 1);
		}
		world_free(w);
	}
}

static void test_a_removed_connection_says_goodbye(void **state)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w;

	(void)state;
	for (int side = 0; side < 2; side++) {
		w = pair(140, &a, &b);
		up(w);
		assert_true(world_run_until_up(w, 2000));
		assert_int_equal(ike_conn_remove(w->side[side].ike, w->now,
						 side ? b.name : a.name),
				 0);
		world_pump(w, side);
		world_run(w, 2000);
		for (int s = 0; s < 2; s++) {
			assert_int_equal(w->side[s].events[IKE_EV_DOWN], 1);
			assert_int_equal(world_count(w, s, IKE_IN), 0);
			for (size_t i = 0; i < WORLD_SAVED; i++)
				assert_null(w->side[s].saved[i].bytes);
		}
		assert_int_equal(ike_conn_remove(w->side[side].ike, w->now, "nobody"),
				 -ENOENT);
		world_free(w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_tunnel_comes_up_in_four_messages),
		cmocka_unit_test(test_every_group_prf_and_cipher_works),
		cmocka_unit_test(test_another_group_is_retried),
		cmocka_unit_test(test_encapsulation_is_found_or_forced),
		cmocka_unit_test(test_inside_addresses_are_handed_out),
		cmocka_unit_test(test_a_peer_cannot_hand_out_every_address),
		cmocka_unit_test(test_a_wrong_secret_is_told_at_both_ends),
		cmocka_unit_test(test_a_wrong_identity_is_told_at_both_ends),
		cmocka_unit_test(test_no_common_suite_is_told_at_both_ends),
		cmocka_unit_test(test_silence_ends_an_attempt_with_a_sentence),
		cmocka_unit_test(test_a_dead_peer_is_noticed),
		cmocka_unit_test(test_a_delete_ends_both_ends),
		cmocka_unit_test(test_a_caller_that_starts_anew_replaces_its_tunnel),
		cmocka_unit_test(test_both_call_at_once_and_one_tunnel_stays),
		cmocka_unit_test(test_loss_duplicates_and_reordering_do_no_harm),
		cmocka_unit_test(test_the_peer_moves_behind_its_nat),
		cmocka_unit_test(test_what_a_new_configuration_would_not_make_ends),
		cmocka_unit_test(test_a_removed_connection_says_goodbye),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
