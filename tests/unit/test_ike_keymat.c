/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Key derivation against values that an independent implementation computed
 * (HMAC of Python's standard library, straight from RFC 7296).
 */
#include "tests/unit/cm.h"

#include <errno.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/keymat.h"
#include "tests/unit/hex.h"

static const char ike5_d[] =
	"c722ec79f3a6f0fdf87e7d7286473ceedfc74bf31ac7839e19182a1423795f9e";
static const char ike5_ei[] =
	"d5059c6d4aa25e27ad4c0f860b90ccd9ca06fb1931f2b2f36f0b0fa2f5e6374d"
	"9ef86245";
static const char ike5_er[] =
	"814f6807fea335556ec21e4b17b916775a7ae93b8b2b04a0e5d51382010462b0"
	"dd90c5a9";
static const char ike5_pi[] =
	"331cde56e9c2c7bab1558566bee0337afcf43c5d50b22276856b5081172d2935";
static const char ike5_pr[] =
	"4a66752eb21ca7f0661cdc5db04232cff5fc6f18f6542a725ea13121d56eb411";
static const char ike7_d[] =
	"751bfb7cccb4455598c3179b8a9beb4c84b9bfc6c6c6c829601c781deb009423"
	"2811b9c9f76815ac85c24d9b3b5c24be65d5b56f7bccc3845eafdf06b2129c73";
static const char ike7_ei[] = "2d598e5078cdadb023ac2743b9ea3f14f74486c6";
static const char ike7_er[] = "4786eeda8c9c463fac725a490929fe6f2a03a038";
static const char ike7_pi[] =
	"a06e1a9413dfe74653104cc490259a6219d36193caf0bc2cf52fa94d02121940"
	"c77d1176105d2f9c177b7b71130a3201b2f243ad09319bc0b178eeb5781881da";
static const char ike7_pr[] =
	"21aaa06103a9e233e74709957e91c57fdf7da3614eb23fac04239da838c14dd1"
	"39b796369e768c16e93b5f4205c6eb399c4abdf547f4f7fcbbe086694a7c18e0";
static const char rekey_d[] =
	"1dd6228284f0c2c888a0515f7b56105ff5ae9d3790249b156e64d0eb5178389f";
static const char rekey_pr[] =
	"2be5527c2f17e1d5d129e86c7e1cbb04c74a4d53bf3147dda343b461b3b128bf";
static const char child_i2r[] =
	"805d03c6852b82de66e86f2407798f6c03e6364920e12105b1e0bd6f25bd8c0a"
	"76d7646a";
static const char child_r2i[] =
	"381dab8cf3ec2a1ec97174f639109469d17a39b6c8f99eb39aaabf7f12a8648e"
	"c9f39988";
static const char pfs_i2r[] =
	"15cc50d91d39839a17098f7d4d7dd7bf0a07e0962ad469248ceecd33bad73cbd"
	"0a35bfb2";
static const char auth[] =
	"7663dffc111cae0f7b269d0220f7ed9580037078c4ef370403f69fc377c19c7f";

static uint8_t ni[32];
static uint8_t nr[32];
static uint8_t shared[32];

static struct ike_keymat_in input(bool with_shared)
{
	for (uint8_t i = 0; i < 32; i++) {
		ni[i] = (uint8_t)(0x10 + i);
		nr[i] = (uint8_t)(0x40 + i);
		shared[i] = (uint8_t)(0x80 + i);
	}
	return (struct ike_keymat_in){
		.ni = {ni, sizeof(ni)},
		.nr = {nr, sizeof(nr)},
		.shared = {shared, with_shared ? sizeof(shared) : 0},
		.spi_i = 0x0102030405060708,
		.spi_r = 0x1112131415161718,
	};
}

static void is(const uint8_t *got, const char *want)
{
	uint8_t bytes[128];
	size_t len = hex(want, bytes, sizeof(bytes));

	assert_true(len >= 20);
	assert_memory_equal(got, bytes, len);
}

static const struct ike_suite gcm256 = {.encr = IKE_ENCR_AES_GCM_16,
					.key_bits = 256,
					.prf = IKE_PRF_SHA256,
					.group = IKE_GROUP_X25519};
static const struct ike_suite gcm128 = {.encr = IKE_ENCR_AES_GCM_16,
					.key_bits = 128,
					.prf = IKE_PRF_SHA512,
					.group = IKE_GROUP_X25519};

static void test_the_keys_of_an_ike_sa(void **state)
{
	struct ike_keymat_in in = input(true);
	struct ike_keys keys;

	(void)state;
	assert_int_equal(ike_keymat_ike(&gcm256, &in, &keys), 0);
	is(keys.d, ike5_d);
	is(keys.ei, ike5_ei);
	is(keys.er, ike5_er);
	is(keys.pi, ike5_pi);
	is(keys.pr, ike5_pr);
	assert_int_equal(ike_keymat_ike(&gcm128, &in, &keys), 0);
	is(keys.d, ike7_d);
	is(keys.ei, ike7_ei);
	is(keys.er, ike7_er);
	is(keys.pi, ike7_pi);
	is(keys.pr, ike7_pr);
}

static void test_the_keys_of_a_rekeyed_ike_sa_with_another_prf(void **state)
{
	struct ike_keymat_in in = input(true);
	struct ike_keys old;
	struct ike_keys keys;

	(void)state;
	assert_int_equal(ike_keymat_ike(&gcm128, &in, &old), 0);
	assert_int_equal(ike_keymat_rekey(&gcm128, old.d, &gcm256, &in, &keys), 0);
	is(keys.d, rekey_d);
	is(keys.pr, rekey_pr);
}

static void test_the_keys_of_children(void **state)
{
	struct ike_keymat_in in = input(true);
	struct ike_keys keys;
	uint8_t a[36];
	uint8_t b[36];

	(void)state;
	assert_int_equal(ike_keymat_ike(&gcm256, &in, &keys), 0);
	assert_int_equal(ike_keymat_child(gcm256.prf, keys.d, &in, 36, a, b), 0);
	is(a, pfs_i2r);
	in = input(false);
	assert_int_equal(ike_keymat_child(gcm256.prf, keys.d, &in, 36, a, b), 0);
	is(a, child_i2r);
	is(b, child_r2i);
}

static void test_the_auth_value_of_a_secret(void **state)
{
	struct ike_keymat_in in = input(true);
	const struct ike_bytes segments[] = {{"the first message", 17},
					     {nr, sizeof(nr)}};
	const struct ike_bytes id = {"\x02\0\0\0hub.example", 15};
	struct ike_keys keys;
	uint8_t out[IKE_PRF_MAX];

	(void)state;
	assert_int_equal(ike_keymat_ike(&gcm256, &in, &keys), 0);
	assert_int_equal(ike_keymat_auth_psk(gcm256.prf, "secret", 6, segments, 2,
					     keys.pi, id, out),
			 0);
	is(out, auth);
}

static void test_keys_of_length_zero_are_never_made(void **state)
{
	struct ike_keymat_in in = input(false);
	struct ike_suite none = gcm256;
	struct ike_keys keys;
	uint8_t a[36];

	(void)state;
	assert_int_equal(ike_keymat_ike(&gcm256, &in, &keys), -EIO); /* no secret */
	assert_int_equal(ike_keymat_rekey(&gcm256, a, &gcm256, &in, &keys), -EIO);
	in = input(true);
	none.key_bits = 192;
	assert_int_equal(ike_keymat_ike(&none, &in, &keys), -ENOTSUP);
	none = gcm256;
	none.prf = 1;
	assert_int_equal(ike_keymat_ike(&none, &in, &keys), -ENOTSUP);
	assert_int_equal(ike_keymat_child(gcm256.prf, a, &in, 0, a, a), -ENOTSUP);
	assert_int_equal(ike_keymat_child(gcm256.prf, a, &in, 37, a, a), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_keys_of_an_ike_sa),
		cmocka_unit_test(test_the_keys_of_a_rekeyed_ike_sa_with_another_prf),
		cmocka_unit_test(test_the_keys_of_children),
		cmocka_unit_test(test_the_auth_value_of_a_secret),
		cmocka_unit_test(test_keys_of_length_zero_are_never_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
