/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/rng.h"

struct slot {
	struct session session; /* id 0: free */
	uint8_t digest[SECRET_DIGEST_LEN]; /* of the cookie */
	uint8_t line[SECRET_DIGEST_LEN]; /* of the user's entry at the login */
};

struct sessions {
	struct rng *rng;
	uint64_t next_id;
	struct slot slots[SESSION_MAX];
};

struct sessions *sessions_new(struct rng *rng)
{
	struct sessions *s = ed_alloc(sizeof(*s));

	s->rng = rng;
	s->next_id = 1;
	return s;
}

void sessions_free(struct sessions *s)
{
	if (s)
		secret_wipe(s, sizeof(*s));
	free(s);
}

static void line_digest(const struct webusers_entry *e,
			uint8_t digest[SECRET_DIGEST_LEN])
{
	char line[WEBUSERS_NAME_MAX + WEBUSERS_HASH_MAX + 16];
	int len = snprintf(line, sizeof(line), "%s:%s:%d", e->name, e->hash,
			   (int)e->role);

	secret_digest(line, (size_t)len, digest);
	secret_wipe(line, sizeof(line));
}

static void close_slot(struct slot *slot)
{
	secret_wipe(slot, sizeof(*slot));
}

/* A free slot; of too many of a user, and of all, the oldest goes. */
static struct slot *room(struct sessions *s, const char *user, struct mono now)
{
	struct slot *empty = NULL;
	struct slot *oldest = NULL;
	struct slot *his = NULL;
	unsigned int n = 0;

	for (size_t i = 0; i < SESSION_MAX; i++) {
		struct slot *slot = &s->slots[i];

		if (slot->session.id && mono_due(slot->session.ends, now))
			close_slot(slot);
		if (!slot->session.id) {
			empty = slot;
			continue;
		}
		if (!oldest || slot->session.id < oldest->session.id)
			oldest = slot;
		if (strcmp(slot->session.user, user) != 0)
			continue;
		n++;
		if (!his || slot->session.id < his->session.id)
			his = slot;
	}
	if (n >= SESSION_USER_MAX)
		empty = his;
	if (!empty)
		empty = oldest;
	close_slot(empty);
	return empty;
}

const struct session *sessions_open(struct sessions *s, const struct webusers_entry *e,
				    struct mono now, char token[SESSION_TOKEN_MAX])
{
	struct slot *slot = room(s, e->name, now);
	uint8_t bytes[SESSION_TOKEN_BYTES];

	rng_bytes(s->rng, bytes, sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(token + 2 * i, 3, "%02x", bytes[i]);
	secret_wipe(bytes, sizeof(bytes));
	secret_digest(token, SESSION_TOKEN_MAX - 1, slot->digest);
	line_digest(e, slot->line);
	slot->session.id = s->next_id++;
	slot->session.role = e->role;
	snprintf(slot->session.user, sizeof(slot->session.user), "%s", e->name);
	slot->session.ends = mono_add_ms(now, SESSION_LIFE_S * INT64_C(1000));
	return &slot->session;
}

static const struct session *alive(struct slot *slot, struct mono now)
{
	if (!slot || !slot->session.id)
		return NULL;
	if (mono_due(slot->session.ends, now)) {
		close_slot(slot);
		return NULL;
	}
	return &slot->session;
}

const struct session *sessions_find(struct sessions *s, const char *token,
				    struct mono now)
{
	uint8_t digest[SECRET_DIGEST_LEN];
	struct slot *found = NULL;

	if (strlen(token) != SESSION_TOKEN_MAX - 1)
		return NULL;
	secret_digest(token, SESSION_TOKEN_MAX - 1, digest);
	for (size_t i = 0; i < SESSION_MAX; i++)
		if (s->slots[i].session.id &&
		    secret_equal(s->slots[i].digest, digest, sizeof(digest)))
			found = &s->slots[i];
	return alive(found, now);
}

static struct slot *by_id(struct sessions *s, uint64_t id)
{
	for (size_t i = 0; id && i < SESSION_MAX; i++)
		if (s->slots[i].session.id == id)
			return &s->slots[i];
	return NULL;
}

const struct session *sessions_get(struct sessions *s, uint64_t id, struct mono now)
{
	return alive(by_id(s, id), now);
}

void sessions_close(struct sessions *s, uint64_t id)
{
	struct slot *slot = by_id(s, id);

	if (slot)
		close_slot(slot);
}

void sessions_revise(struct sessions *s, const struct webusers *users)
{
	for (size_t i = 0; i < SESSION_MAX; i++) {
		struct slot *slot = &s->slots[i];
		const struct webusers_entry *e;
		uint8_t line[SECRET_DIGEST_LEN];

		if (!slot->session.id)
			continue;
		e = webusers_find(users, slot->session.user);
		if (e)
			line_digest(e, line);
		if (!e || !secret_equal(line, slot->line, sizeof(line)))
			close_slot(slot);
	}
}

unsigned int sessions_count(const struct sessions *s)
{
	unsigned int n = 0;

	for (size_t i = 0; i < SESSION_MAX; i++)
		n += s->slots[i].session.id != 0;
	return n;
}
