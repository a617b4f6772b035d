/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * session - who is logged in: a cookie's 128 random bits, known here by their hash
 *
 * A session ends 12 hours after its login, whatever is done with it, by log-out,
 * or when its user's line in the users file changed. Sessions live in memory: after
 * a restart of edge-webui people log in again. A login always makes a new one, so
 * that a cookie planted before means nothing.
 *
 * Pure: time and randomness come from the caller.
 */
#ifndef ED_WEBUI_SESSION_H
#define ED_WEBUI_SESSION_H

#include <stdint.h>
#include <time.h>

#include "lib/mono.h"
#include "lib/secret.h"
#include "lib/webusers.h"

struct rng;
struct sessions;

enum session_limits {
	SESSION_MAX = 256,
	SESSION_USER_MAX = 16, /* of one user; the oldest goes */
	SESSION_LIFE_S = 12 * 3600,
	SESSION_TOKEN_BYTES = 16,
	SESSION_TOKEN_MAX = 2 * SESSION_TOKEN_BYTES + 1,
};

struct session {
	uint64_t id; /* never used twice */
	enum webusers_role role;
	char user[WEBUSERS_NAME_MAX];
	struct mono ends;
};

struct sessions *sessions_new(struct rng *rng);
void sessions_free(struct sessions *s);

/*
 * Open one for e; token gets the cookie's value, which is kept nowhere. Borrowed
 * until the next call that takes time or closes one.
 */
const struct session *sessions_open(struct sessions *s, const struct webusers_entry *e,
				    struct mono now, char token[SESSION_TOKEN_MAX]);

/* The session of a cookie, or of an id; NULL when there is none (any more). */
const struct session *sessions_find(struct sessions *s, const char *token,
				    struct mono now);
const struct session *sessions_get(struct sessions *s, uint64_t id, struct mono now);

/* End one; nothing happens when it has ended. */
void sessions_close(struct sessions *s, uint64_t id);

/* End those of users whose line is gone or not what it was at the login. */
void sessions_revise(struct sessions *s, const struct webusers *users);

/* How many there are; those that have ended unnoticed are counted. */
unsigned int sessions_count(const struct sessions *s);

#endif
