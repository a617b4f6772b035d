/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/proposal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/crypto.h"
#include "lib/alloc.h"
#include "lib/text.h"

/* ---- words --------------------------------------------------------------- */

struct word {
	const char *name;
	uint8_t type;
	uint16_t id;
	uint16_t key_bits;
	bool ours; /* may be configured; the others are only for sentences */
};

/* clang-format off */
static const struct word words[] = {
	{ "aes256gcm16",  IKE_T_ENCR,  IKE_ENCR_AES_GCM_16, 256, true },
	{ "aes128gcm16",  IKE_T_ENCR,  IKE_ENCR_AES_GCM_16, 128, true },
	{ "aes192gcm16",  IKE_T_ENCR,  20,                  192, false },
	{ "aes256cbc",    IKE_T_ENCR,  12,                  256, false },
	{ "aes192cbc",    IKE_T_ENCR,  12,                  192, false },
	{ "aes128cbc",    IKE_T_ENCR,  12,                  128, false },
	{ "aes256ctr",    IKE_T_ENCR,  13,                  256, false },
	{ "aes128ctr",    IKE_T_ENCR,  13,                  128, false },
	{ "aes256gcm8",   IKE_T_ENCR,  18,                  256, false },
	{ "aes256gcm12",  IKE_T_ENCR,  19,                  256, false },
	{ "chacha20",     IKE_T_ENCR,  28,                  0,   false },
	{ "chacha20",     IKE_T_ENCR,  28,                  256, false },
	{ "3des",         IKE_T_ENCR,  3,                   0,   false },
	{ "sha256",       IKE_T_PRF,   IKE_PRF_SHA256,      0,   true },
	{ "sha384",       IKE_T_PRF,   IKE_PRF_SHA384,      0,   true },
	{ "sha512",       IKE_T_PRF,   IKE_PRF_SHA512,      0,   true },
	{ "prfsha256",    IKE_T_PRF,   IKE_PRF_SHA256,      0,   true },
	{ "prfsha384",    IKE_T_PRF,   IKE_PRF_SHA384,      0,   true },
	{ "prfsha512",    IKE_T_PRF,   IKE_PRF_SHA512,      0,   true },
	{ "prfmd5",       IKE_T_PRF,   1,                   0,   false },
	{ "prfsha1",      IKE_T_PRF,   2,                   0,   false },
	{ "prfaesxcbc",   IKE_T_PRF,   4,                   0,   false },
	{ "prfaescmac",   IKE_T_PRF,   8,                   0,   false },
	{ "hmacmd5",      IKE_T_INTEG, 1,                   0,   false },
	{ "hmacsha1",     IKE_T_INTEG, 2,                   0,   false },
	{ "hmacsha256",   IKE_T_INTEG, 12,                  0,   false },
	{ "hmacsha384",   IKE_T_INTEG, 13,                  0,   false },
	{ "hmacsha512",   IKE_T_INTEG, 14,                  0,   false },
	{ "x25519",       IKE_T_GROUP, IKE_GROUP_X25519,    0,   true },
	{ "ecp256",       IKE_T_GROUP, IKE_GROUP_ECP256,    0,   true },
	{ "modp2048",     IKE_T_GROUP, IKE_GROUP_MODP2048,  0,   true },
	{ "curve25519",   IKE_T_GROUP, IKE_GROUP_X25519,    0,   true },
	{ "31",           IKE_T_GROUP, IKE_GROUP_X25519,    0,   true },
	{ "19",           IKE_T_GROUP, IKE_GROUP_ECP256,    0,   true },
	{ "14",           IKE_T_GROUP, IKE_GROUP_MODP2048,  0,   true },
	{ "modp768",      IKE_T_GROUP, 1,                   0,   false },
	{ "modp1024",     IKE_T_GROUP, 2,                   0,   false },
	{ "modp1536",     IKE_T_GROUP, 5,                   0,   false },
	{ "modp3072",     IKE_T_GROUP, 15,                  0,   false },
	{ "modp4096",     IKE_T_GROUP, 16,                  0,   false },
	{ "modp8192",     IKE_T_GROUP, 18,                  0,   false },
	{ "ecp384",       IKE_T_GROUP, 20,                  0,   false },
	{ "ecp521",       IKE_T_GROUP, 21,                  0,   false },
	{ "modp2048s256", IKE_T_GROUP, 24,                  0,   false },
	{ "x448",         IKE_T_GROUP, 32,                  0,   false },
	{ "esn",          IKE_T_ESN,   1,                   0,   false },
};

#define GCM(bits) .encr = IKE_ENCR_AES_GCM_16, .key_bits = (bits)

const struct ike_suites ike_proposal_default_ike = {
	.s = {
		{ GCM(256), .prf = IKE_PRF_SHA256, .group = IKE_GROUP_X25519 },
		{ GCM(256), .prf = IKE_PRF_SHA384, .group = IKE_GROUP_X25519 },
		{ GCM(256), .prf = IKE_PRF_SHA256, .group = IKE_GROUP_ECP256 },
		{ GCM(256), .prf = IKE_PRF_SHA384, .group = IKE_GROUP_ECP256 },
		{ GCM(256), .prf = IKE_PRF_SHA256, .group = IKE_GROUP_MODP2048 },
		{ GCM(128), .prf = IKE_PRF_SHA256, .group = IKE_GROUP_X25519 },
		{ GCM(128), .prf = IKE_PRF_SHA256, .group = IKE_GROUP_ECP256 },
		{ GCM(128), .prf = IKE_PRF_SHA256, .group = IKE_GROUP_MODP2048 },
	},
	.n = 8,
};

const struct ike_suites ike_proposal_default_esp = {
	.s = {
		{ GCM(256), .group = IKE_GROUP_X25519 },
		{ GCM(256) },
		{ GCM(128), .group = IKE_GROUP_X25519 },
		{ GCM(128) },
	},
	.n = 4,
};
/* clang-format on */

static const char *word_of(uint8_t type, uint16_t id, uint16_t key_bits)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i].type == type && words[i].id == id &&
		    words[i].key_bits == key_bits)
			return words[i].name;
	return NULL;
}

static int take_word(const char *name, size_t len, bool esp, struct ike_suite *s)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		const struct word *w = &words[i];

		if (!w->ours || strlen(w->name) != len || strncmp(w->name, name, len))
			continue;
		switch (w->type) {
		case IKE_T_ENCR:
			if (s->encr)
				return -EINVAL;
			s->encr = w->id;
			s->key_bits = w->key_bits;
			return 0;
		case IKE_T_PRF:
			if (s->prf || esp)
				return -EINVAL;
			s->prf = w->id;
			return 0;
		default:
			if (s->group)
				return -EINVAL;
			s->group = w->id;
			return 0;
		}
	}
	return -EINVAL;
}

int ike_proposal_check(const struct ike_suite *s, bool esp)
{
	if (!ike_crypto_aead_keymat(s->encr, s->key_bits) || s->integ)
		return -EINVAL;
	if (s->group && !ike_crypto_dh_public_len(s->group))
		return -EINVAL;
	if (esp)
		return s->prf ? -EINVAL : 0;
	return ike_crypto_prf_len(s->prf) && s->group ? 0 : -EINVAL;
}

int ike_suite_parse(const char *text, bool esp, struct ike_suite *suite)
{
	struct ike_suite s = {0};

	/* Ends: each round takes a word and what parts it from the next. */
	for (;;) {
		size_t len = strcspn(text, "-");

		if (take_word(text, len, esp, &s) < 0)
			return -EINVAL;
		text += len;
		if (!*text)
			break;
		text++;
	}
	if (ike_proposal_check(&s, esp) < 0)
		return -EINVAL;
	*suite = s;
	return 0;
}

static void add_word(struct text *t, uint8_t type, uint16_t id, uint16_t key_bits)
{
	static const char *const kinds[IKE_T_MAX] = {
		[IKE_T_ENCR] = "encr",	 [IKE_T_PRF] = "prf", [IKE_T_INTEG] = "integ",
		[IKE_T_GROUP] = "group", [IKE_T_ESN] = "esn",
	};
	const char *word = word_of(type, id, key_bits);

	if (t->len && t->buf[t->len - 1] != ' ')
		text_add(t, "-");
	if (word)
		text_add(t, "%s", word);
	else
		text_add(t, "%s%u", type < IKE_T_MAX && kinds[type] ? kinds[type] : "?",
			 id);
	if (!word && key_bits)
		text_add(t, "/%u", key_bits);
}

static void add_suite(struct text *t, const struct ike_suite *s)
{
	add_word(t, IKE_T_ENCR, s->encr, s->key_bits);
	if (s->prf)
		add_word(t, IKE_T_PRF, s->prf, 0);
	if (s->group)
		add_word(t, IKE_T_GROUP, s->group, 0);
}

void ike_suite_format(const struct ike_suite *suite, char *buf, size_t cap)
{
	struct text t = text_init(buf, cap);

	add_suite(&t, suite);
}

void ike_proposal_format(const struct ike_suites *suites, char *buf, size_t cap)
{
	struct text t = text_init(buf, cap);

	for (size_t i = 0; i < suites->n; i++) {
		if (i && t.len + IKE_SUITE_TEXT_MAX > cap) {
			text_add(&t, " and %zu more", suites->n - i);
			break;
		}
		if (i)
			text_add(&t, ", ");
		add_suite(&t, &suites->s[i]);
	}
}

void ike_proposal_format_offer(struct rbuf sa, char *buf, size_t cap)
{
	struct text t = text_init(buf, cap);
	struct ike_proposal p;
	bool first = true;

	/* Ends: each proposal takes at least eight bytes. */
	while (!t.full && ike_payload_sa_next(&sa, &p) == 1) {
		if (!first)
			text_add(&t, ", ");
		first = false;
		for (size_t i = 0; i < p.n_transforms; i++) {
			const struct ike_transform *tr = &p.transforms[i];

			if (tr->type == IKE_T_ESN && tr->id == IKE_ESN_NO)
				continue;
			add_word(&t, tr->type, tr->id, tr->key_bits);
		}
	}
	if (first)
		text_add(&t, "nothing");
}

void ike_proposal_format_group(uint16_t group, char *buf, size_t cap)
{
	const char *word = word_of(IKE_T_GROUP, group, 0);

	if (word)
		snprintf(buf, cap, "%s", word);
	else
		snprintf(buf, cap, "group %u", group);
}

/* ---- offer --------------------------------------------------------------- */

static void add_transform(struct ike_proposal *p, uint8_t type, uint16_t id,
			  uint16_t key_bits)
{
	p->transforms[p->n_transforms++] =
		(struct ike_transform){.type = type, .id = id, .key_bits = key_bits};
}

static void from_suite(enum ike_use use, const struct ike_suite *s,
		       struct ike_proposal *p)
{
	p->protocol = use == IKE_USE_IKE ? IKE_PROTO_IKE : IKE_PROTO_ESP;
	p->n_transforms = 0;
	add_transform(p, IKE_T_ENCR, s->encr, s->key_bits);
	if (use == IKE_USE_IKE)
		add_transform(p, IKE_T_PRF, s->prf, 0);
	if (s->group && use != IKE_USE_CHILD_AUTH)
		add_transform(p, IKE_T_GROUP, s->group, 0);
	if (use != IKE_USE_IKE)
		add_transform(p, IKE_T_ESN, IKE_ESN_NO, 0);
}

/* Inside IKE_AUTH suites that differ in their group only are one offer. */
static bool said_before(enum ike_use use, const struct ike_suites *suites, size_t i)
{
	if (use != IKE_USE_CHILD_AUTH)
		return false;
	for (size_t j = 0; j < i; j++)
		if (suites->s[j].encr == suites->s[i].encr &&
		    suites->s[j].key_bits == suites->s[i].key_bits)
			return true;
	return false;
}

void ike_proposal_put(struct ike_build *b, enum ike_use use,
		      const struct ike_suites *suites, const void *spi, size_t spi_len,
		      uint8_t choice)
{
	struct ike_proposal p = {0};
	size_t last = 0;
	uint8_t number = 0;

	for (size_t i = 0; i < suites->n; i++)
		if (!said_before(use, suites, i))
			last = i;
	ike_build_begin(b, IKE_PLD_SA);
	for (size_t i = 0; i < suites->n; i++) {
		if (said_before(use, suites, i))
			continue;
		from_suite(use, &suites->s[i], &p);
		p.number = choice ? choice : ++number;
		ike_payload_sa_put(b, &p, spi, spi_len, i != last);
	}
	ike_build_end(b);
}

/* ---- match --------------------------------------------------------------- */

static bool offers(const struct ike_proposal *p, uint8_t type, uint16_t id,
		   uint16_t key_bits)
{
	for (size_t i = 0; i < p->n_transforms; i++) {
		const struct ike_transform *t = &p->transforms[i];

		if (t->type == type && t->id == id && t->key_bits == key_bits &&
		    !t->strange)
			return true;
	}
	return false;
}

static bool offers_any(const struct ike_proposal *p, uint8_t type)
{
	for (size_t i = 0; i < p->n_transforms; i++)
		if (p->transforms[i].type == type)
			return true;
	return false;
}

/* The first group of the proposal that we have, 0 for none. */
static uint16_t first_group(const struct ike_proposal *p)
{
	for (size_t i = 0; i < p->n_transforms; i++) {
		const struct ike_transform *t = &p->transforms[i];

		if (t->type == IKE_T_GROUP && !t->strange &&
		    ike_crypto_dh_public_len(t->id))
			return t->id;
	}
	return 0;
}

/*
 * Which group a child gets out of this proposal. Returns false when it needs
 * one that we do not have.
 */
static bool child_group(const struct ike_proposal *p, uint16_t liked, uint16_t ke_group,
			uint16_t *group)
{
	if (!offers_any(p, IKE_T_GROUP)) {
		*group = 0;
		return true;
	}
	/* What the peer has already computed saves a round trip. */
	if (ke_group && ike_crypto_dh_public_len(ke_group) &&
	    offers(p, IKE_T_GROUP, ke_group, 0))
		*group = ke_group;
	else if (liked && offers(p, IKE_T_GROUP, liked, 0))
		*group = liked;
	else if (offers(p, IKE_T_GROUP, IKE_GROUP_NONE, 0))
		*group = 0;
	else
		*group = first_group(p);
	return *group || offers(p, IKE_T_GROUP, IKE_GROUP_NONE, 0);
}

static bool shape_fits(const struct ike_proposal *p, enum ike_use use)
{
	uint8_t protocol = use == IKE_USE_IKE ? IKE_PROTO_IKE : IKE_PROTO_ESP;

	if (p->protocol != protocol)
		return false;
	/* INIT has no SPI in its proposals, a rekey has one of eight bytes */
	if (use == IKE_USE_IKE)
		return rbuf_left(&p->spi) == 0 || rbuf_left(&p->spi) == IKE_SPI_LEN;
	return rbuf_left(&p->spi) == IKE_ESP_SPI_LEN;
}

/* Does the proposal offer the suite? On success s holds what was agreed. */
static bool suite_fits(const struct ike_proposal *p, enum ike_use use,
		       uint16_t ke_group, struct ike_suite *s)
{
	if (!offers(p, IKE_T_ENCR, s->encr, s->key_bits))
		return false;
	/* RFC 7296 section 3.3: an AEAD comes without INTEG, or with NONE */
	if (offers_any(p, IKE_T_INTEG) && !offers(p, IKE_T_INTEG, 0, 0))
		return false;
	if (use == IKE_USE_IKE)
		return offers(p, IKE_T_PRF, s->prf, 0) &&
		       offers(p, IKE_T_GROUP, s->group, 0) && !offers_any(p, IKE_T_ESN);
	if (offers_any(p, IKE_T_PRF))
		return false;
	/* 3.3.3 makes ESN mandatory; some leave it out and mean "no" */
	if (offers_any(p, IKE_T_ESN) && !offers(p, IKE_T_ESN, IKE_ESN_NO, 0))
		return false;
	if (use == IKE_USE_CHILD_AUTH) {
		s->group = 0;
		return true;
	}
	return child_group(p, s->group, ke_group, &s->group);
}

static uint64_t spi_of(struct rbuf spi)
{
	if (rbuf_left(&spi) == IKE_SPI_LEN)
		return rbuf_u64(&spi);
	if (rbuf_left(&spi) == IKE_ESP_SPI_LEN)
		return rbuf_u32(&spi);
	return 0;
}

/* The first proposal of the payload that offers the suite. */
static int find_proposal(struct rbuf sa, enum ike_use use,
			 const struct ike_suite *suite, uint16_t ke_group,
			 struct ike_choice *choice)
{
	struct ike_proposal p;
	int err;

	/* Ends: each proposal takes at least eight bytes. */
	while ((err = ike_payload_sa_next(&sa, &p)) == 1) {
		struct ike_suite s = *suite;

		if (!shape_fits(&p, use) || !suite_fits(&p, use, ke_group, &s))
			continue;
		choice->suite = s;
		choice->number = p.number;
		choice->spi = spi_of(p.spi);
		return 0;
	}
	return err < 0 ? err : -ENOENT;
}

int ike_proposal_choose(struct rbuf sa, enum ike_use use,
			const struct ike_suites *suites, uint16_t ke_group,
			struct ike_choice *choice)
{
	struct ike_choice c;
	size_t n;
	int err = ike_payload_sa_check(sa, &n);

	if (err < 0)
		return err;
	for (size_t i = 0; i < suites->n; i++) {
		err = find_proposal(sa, use, &suites->s[i], ke_group, &c);
		if (err == -ENOENT)
			continue;
		if (!err)
			*choice = c;
		return err;
	}
	return -ENOENT;
}

/* True when the answer's transforms are those of the suite and no others. */
static bool is_exactly(const struct ike_proposal *p, enum ike_use use,
		       const struct ike_suite *s)
{
	size_t want = 1;
	struct ike_suite got = *s;
	bool group = use != IKE_USE_CHILD_AUTH && s->group;

	if (!suite_fits(p, use, s->group, &got) ||
	    (use != IKE_USE_CHILD_AUTH && got.group != s->group))
		return false;
	want += use == IKE_USE_IKE;
	want += group;
	want += offers(p, IKE_T_ESN, IKE_ESN_NO, 0);
	want += offers(p, IKE_T_INTEG, 0, 0);
	want += !group && offers(p, IKE_T_GROUP, IKE_GROUP_NONE, 0);
	return p->n_transforms == want;
}

int ike_proposal_answer(struct rbuf sa, enum ike_use use,
			const struct ike_suites *offered, struct ike_choice *choice)
{
	struct ike_proposal p;
	size_t n;
	int err = ike_payload_sa_check(sa, &n);

	if (err < 0)
		return err;
	if (n != 1 || ike_payload_sa_next(&sa, &p) != 1)
		return -EBADMSG;
	if (!shape_fits(&p, use))
		return -ENOENT;
	/* The number must be one of ours, but some answer 1 whatever they chose. */
	for (size_t i = 0; i < offered->n; i++) {
		if (!is_exactly(&p, use, &offered->s[i]))
			continue;
		choice->suite = offered->s[i];
		if (use == IKE_USE_CHILD_AUTH)
			choice->suite.group = 0;
		choice->number = p.number;
		choice->spi = spi_of(p.spi);
		return 0;
	}
	return -ENOENT;
}

bool ike_proposal_has(const struct ike_suites *suites, const struct ike_suite *suite)
{
	for (size_t i = 0; i < suites->n; i++)
		if (memcmp(&suites->s[i], suite, sizeof(*suite)) == 0)
			return true;
	return false;
}
