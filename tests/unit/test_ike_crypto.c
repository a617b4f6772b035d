/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Algorithms against published vectors, and what must not be accepted.
 */
#include "tests/unit/cm.h"

#include <errno.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/crypto.h"
#include "lib/alloc.h"
#include "lib/rng.h"
#include "tests/unit/hex.h"

static void is_hex(const uint8_t *got, const char *want)
{
	uint8_t bytes[256];
	size_t len = hex(want, bytes, sizeof(bytes));

	assert_true(len > 0);
	assert_memory_equal(got, bytes, len);
}

/* RFC 4231 section 4.3 */
static void test_prfs_give_the_published_values(void **state)
{
	static const char data[] = "what do ya want for nothing?";
	const struct ike_bytes parts[] = {{data, 10}, {data + 10, sizeof(data) - 11}};
	uint8_t out[IKE_PRF_MAX];

	(void)state;
	assert_int_equal(ike_crypto_prf(IKE_PRF_SHA256, "Jefe", 4, parts, 2, out), 0);
	is_hex(out, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	assert_int_equal(ike_crypto_prf(IKE_PRF_SHA384, "Jefe", 4, parts, 2, out), 0);
	is_hex(out, "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
		    "8e2240ca5e69e2c78b3239ecfab21649");
	assert_int_equal(ike_crypto_prf(IKE_PRF_SHA512, "Jefe", 4, parts, 2, out), 0);
	is_hex(out, "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
		    "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
	assert_int_equal(ike_crypto_prf(2, "Jefe", 4, parts, 2, out), -ENOTSUP);
	assert_int_equal(ike_crypto_prf_len(1), 0);
}

/* The Galois/Counter Mode of Operation, test cases 4 and 16 */
static void test_aes_gcm_gives_the_published_values(void **state)
{
	static const struct {
		uint16_t bits;
		const char *key;
		const char *sealed;
	} cases[] = {
		{256,
		 "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308cafebabe",
		 "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		 "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
		 "76fc6ece0f4e1768cddf8853bb2d551b"},
		{128, "feffe9928665731c6d6a8f9467308308cafebabe",
		 "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
		 "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
		 "5bc94fbc3221a5db94fae95ae7121a47"},
	};
	uint8_t aad[20];
	uint8_t iv[8];

	(void)state;
	hex("feedfacedeadbeeffeedfacedeadbeefabaddad2", aad, sizeof(aad));
	hex("facedbaddecaf888", iv, sizeof(iv));
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t key[36];
		uint8_t data[60 + IKE_AEAD_TAG_LEN];
		uint8_t plain[60];
		uint8_t back[60];

		hex(cases[i].key, key, sizeof(key));
		hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		    plain, sizeof(plain));
		memcpy(data, plain, sizeof(plain));
		assert_int_equal(ike_crypto_seal(IKE_ENCR_AES_GCM_16, cases[i].bits,
						 key, iv, aad, sizeof(aad), data,
						 sizeof(plain)),
				 0);
		is_hex(data, cases[i].sealed);
		assert_int_equal(ike_crypto_open(IKE_ENCR_AES_GCM_16, cases[i].bits,
						 key, iv, aad, sizeof(aad), data,
						 sizeof(plain), back),
				 0);
		assert_memory_equal(back, plain, sizeof(plain));
		/* one bit anywhere: not authentic */
		for (size_t bit = 0; bit < sizeof(data) * 8; bit += 7) {
			data[bit / 8] ^= (uint8_t)(1U << bit % 8);
			assert_int_equal(ike_crypto_open(IKE_ENCR_AES_GCM_16,
							 cases[i].bits, key, iv, aad,
							 sizeof(aad), data,
							 sizeof(plain), back),
					 -EBADMSG);
			data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		}
		aad[3] ^= 1;
		assert_int_equal(ike_crypto_open(IKE_ENCR_AES_GCM_16, cases[i].bits,
						 key, iv, aad, sizeof(aad), data,
						 sizeof(plain), back),
				 -EBADMSG);
		aad[3] ^= 1;
	}
	assert_int_equal(ike_crypto_aead_keymat(IKE_ENCR_AES_GCM_16, 192), 0);
	assert_int_equal(ike_crypto_aead_keymat(12, 256), 0);
}

static void check_pair(uint16_t group, const char *priv_text, const char *pub_text,
		       const char *peer_text, const char *shared_text)
{
	uint8_t priv[IKE_DH_PRIVATE_LEN];
	uint8_t pub[IKE_DH_PUBLIC_MAX];
	uint8_t peer[IKE_DH_PUBLIC_MAX];
	uint8_t shared[IKE_DH_SHARED_MAX];
	size_t peer_len = hex(peer_text, peer, sizeof(peer));
	size_t len;

	hex(priv_text, priv, sizeof(priv));
	assert_int_equal(ike_crypto_dh_public(group, priv, pub), 0);
	is_hex(pub, pub_text);
	assert_int_equal(ike_crypto_dh_shared(group, priv, peer, peer_len, shared,
					      &len),
			 0);
	assert_int_equal(len, 32);
	is_hex(shared, shared_text);
}

static void test_key_exchanges_give_the_published_values(void **state)
{
	(void)state;
	/* RFC 7748 section 6.1, Bob */
	check_pair(IKE_GROUP_X25519,
		   "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
		   "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
		   "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
		   "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742");
	/* RFC 5903 section 8.1, both sides */
	check_pair(IKE_GROUP_ECP256,
		   "C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433",
		   "DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180"
		   "5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3",
		   "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
		   "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB",
		   "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE");
	check_pair(IKE_GROUP_ECP256,
		   "C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53",
		   "D12DFB5289C8D4F81208B70270398C342296970A0BCCB74C736FC7554494BF63"
		   "56FBF3CA366CC23E8157854C13C58D6AAC23F046ADA30F8353E74F33039872AB",
		   "DAD0B65394221CF9B051E1FECA5787D098DFE637FC90B9EF945D0C3772581180"
		   "5271A0461CDB8252D61F1C456FA3E59AB1F45B33ACCF5F58389E0577B8990BB3",
		   "D6840F6B42F6EDAFD13116E0E12565202FEF8E9ECE7DCE03812464D04B9442DE");
}

/* Computed by another implementation (Python's integers), compared by hash */
static void test_modp_2048_agrees_with_plain_arithmetic(void **state)
{
	uint8_t x[IKE_DH_PRIVATE_LEN] = {0x80};
	uint8_t y[IKE_DH_PRIVATE_LEN] = {0x90};
	uint8_t pub[IKE_DH_PUBLIC_MAX];
	uint8_t peer[IKE_DH_PUBLIC_MAX];
	uint8_t shared[IKE_DH_SHARED_MAX];
	uint8_t sum[32];
	size_t len;

	(void)state;
	for (uint8_t i = 1; i < 32; i++) {
		x[i] = i;
		y[i] = (uint8_t)(100 + i);
	}
	assert_int_equal(ike_crypto_dh_public(IKE_GROUP_MODP2048, x, pub), 0);
	assert_int_equal(ike_crypto_dh_public(IKE_GROUP_MODP2048, y, peer), 0);
	assert_int_equal(ike_crypto_sha256(pub, 256, sum), 0);
	is_hex(sum, "d14007b52a5854fbcf2786230aa3c8f1b91bb6aff80337f899c3c2049e4e5d85");
	assert_int_equal(ike_crypto_sha256(peer, 256, sum), 0);
	is_hex(sum, "e302250dd29c3815dacf730ecfc01eb145082a879a2525d900004f4aa65f9ed1");
	assert_int_equal(ike_crypto_dh_shared(IKE_GROUP_MODP2048, x, peer, 256, shared,
					      &len),
			 0);
	assert_int_equal(len, 256);
	assert_int_equal(ike_crypto_sha256(shared, 256, sum), 0);
	is_hex(sum, "bb7510c16a3dad92cd9d486b4546855ced0934a61f91e464d70880844b426bc1");
}

/* C50 to C54 of the study of what broke others */
static void test_public_values_that_give_secrets_away_are_refused(void **state)
{
	static const uint16_t groups[] = {IKE_GROUP_MODP2048, IKE_GROUP_ECP256,
					  IKE_GROUP_X25519};
	struct rng rng = rng_seeded(1);
	uint8_t priv[IKE_DH_PRIVATE_LEN];
	uint8_t pub[IKE_DH_PUBLIC_MAX + 1];
	uint8_t shared[IKE_DH_SHARED_MAX];
	size_t len;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		uint16_t g = groups[i];
		size_t n = ike_crypto_dh_public_len(g);

		ike_crypto_dh_private(g, &rng, priv);
		memset(pub, 0, sizeof(pub));
		assert_int_equal(ike_crypto_dh_shared(g, priv, pub, n, shared, &len),
				 -EBADMSG);
		/* one byte too short, too long, none */
		assert_int_equal(ike_crypto_dh_public(g, priv, pub), 0);
		assert_int_equal(ike_crypto_dh_shared(g, priv, pub, n, shared, &len),
				 0);
		assert_int_equal(ike_crypto_dh_shared(g, priv, pub, n - 1, shared,
						      &len),
				 -EBADMSG);
		assert_int_equal(ike_crypto_dh_shared(g, priv, pub, n + 1, shared,
						      &len),
				 -EBADMSG);
		assert_int_equal(ike_crypto_dh_shared(g, priv, pub, 0, shared, &len),
				 -EBADMSG);
		/* all ones is above p, and no point of the curve */
		memset(pub, 0xff, sizeof(pub));
		if (g != IKE_GROUP_X25519)
			assert_int_equal(ike_crypto_dh_shared(g, priv, pub, n, shared,
							      &len),
					 -EBADMSG);
	}
	/* 1 (MODP); low order points (X25519): 1 and p - 1 */
	memset(pub, 0, sizeof(pub));
	pub[255] = 1;
	assert_int_equal(ike_crypto_dh_shared(IKE_GROUP_MODP2048, priv, pub, 256,
					      shared, &len),
			 -EBADMSG);
	memset(pub, 0, sizeof(pub));
	pub[0] = 1;
	assert_int_equal(ike_crypto_dh_shared(IKE_GROUP_X25519, priv, pub, 32, shared,
					      &len),
			 -EBADMSG);
	memset(pub, 0xff, 32);
	pub[0] = 0xec;
	pub[31] = 0x7f;
	assert_int_equal(ike_crypto_dh_shared(IKE_GROUP_X25519, priv, pub, 32, shared,
					      &len),
			 -EBADMSG);
	assert_int_equal(ike_crypto_dh_public_len(2), 0);
	assert_int_equal(ike_crypto_dh_public_len(1025), 0);
	assert_int_equal(ike_crypto_dh_shared(22, priv, pub, 256, shared, &len),
			 -ENOTSUP);
}

static void test_p_minus_one_is_refused(void **state)
{
	uint8_t priv[IKE_DH_PRIVATE_LEN] = {0x80};
	uint8_t pub[IKE_DH_PUBLIC_MAX];
	uint8_t shared[IKE_DH_SHARED_MAX];
	size_t len;

	(void)state;
	assert_int_equal(hex("FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD1"
			     "29024E088A67CC74020BBEA63B139B22514A08798E3404DD"
			     "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245"
			     "E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
			     "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3D"
			     "C2007CB8A163BF0598DA48361C55D39A69163FA8FD24CF5F"
			     "83655D23DCA3AD961C62F356208552BB9ED529077096966D"
			     "670C354E4ABC9804F1746C08CA18217C32905E462E36CE3B"
			     "E39E772C180E86039B2783A2EC07A28FB5C55DF06F4C52C9"
			     "DE2BCBF6955817183995497CEA956AE515D2261898FA0510"
			     "15728E5A8AACAA68FFFFFFFFFFFFFFFE",
			     pub, sizeof(pub)),
			 256);
	assert_int_equal(ike_crypto_dh_shared(IKE_GROUP_MODP2048, priv, pub, 256,
					      shared, &len),
			 -EBADMSG);
	pub[255]++; /* p itself */
	assert_int_equal(ike_crypto_dh_shared(IKE_GROUP_MODP2048, priv, pub, 256,
					      shared, &len),
			 -EBADMSG);
	pub[255] = (uint8_t)(pub[255] - 2); /* p - 2 is a value like others */
	assert_int_equal(ike_crypto_dh_shared(IKE_GROUP_MODP2048, priv, pub, 256,
					      shared, &len),
			 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prfs_give_the_published_values),
		cmocka_unit_test(test_aes_gcm_gives_the_published_values),
		cmocka_unit_test(test_key_exchanges_give_the_published_values),
		cmocka_unit_test(test_modp_2048_agrees_with_plain_arithmetic),
		cmocka_unit_test(test_public_values_that_give_secrets_away_are_refused),
		cmocka_unit_test(test_p_minus_one_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
