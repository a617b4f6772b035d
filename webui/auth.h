/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auth - who makes a request, and what they may do
 *
 *	bearer token	as the users file says; a wrong one is refused, whatever else
 *			the request carries
 *	cookie		the session's user
 *	unix socket	as on edged's control socket: root and group edged-admin are
 *			operators, group edged are viewers
 *	HTTP (loopback)	viewer without a login, unless a proxy's header (Forwarded,
 *			X-Forwarded-*, Via) says that the request came from elsewhere
 *	HTTPS		nobody
 *
 * The users file is looked at again when it changed, at most once a second.
 */
#ifndef ED_WEBUI_AUTH_H
#define ED_WEBUI_AUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"
#include "lib/secret.h"
#include "lib/webusers.h"
#include "webui/gate.h"

#define AUTH_COOKIE "__Host-edged"

struct auth;
struct http_request;
struct loop;

enum who_kind { WHO_NOBODY = 1, WHO_LOCAL, WHO_PEER, WHO_SESSION, WHO_TOKEN };

struct who {
	enum who_kind kind;
	enum webusers_role role;
	char name[WEBUSERS_NAME_MAX]; /* "" for nobody and WHO_LOCAL */
	uint64_t session; /* of WHO_SESSION */
	uint8_t token[SECRET_DIGEST_LEN]; /* of WHO_TOKEN: its line */
};

/* path is the users file. NULL when there can be no thread for passwords. */
struct auth *auth_new(struct loop *loop, const char *path);
void auth_free(struct auth *a);

/* Who makes r. Returns 0, or -EACCES: it shows a token that is none. */
int auth_who(struct auth *a, const struct http_request *r, struct who *ret);

/* True while who is still what it was: logged in, the token not removed. */
bool auth_still(struct auth *a, const struct who *who);

/* When the session of who ends. */
struct mono auth_ends(struct auth *a, const struct who *who);

/*
 * How a log-in ended. status 200: token is the new session's cookie; 401; 429 with
 * wait_s; 503 when too many are being checked.
 */
struct auth_result {
	unsigned int status;
	const char *token;
	unsigned int wait_s;
	struct who who;
};

typedef void (*auth_done)(void *ctx, const struct auth_result *result);

/* Log in from the request's address; done is called once, now or later. */
void auth_login(struct auth *a, const struct http_request *r, const char *user,
		const char *password, auth_done done, void *ctx);

/* End who's session, if it is one. */
void auth_logout(struct auth *a, const struct who *who);

struct auth_counters {
	uint64_t logins;
	uint64_t failed; /* a wrong user or password */
	uint64_t delayed; /* refused unchecked */
	uint64_t bad_tokens;
	unsigned int sessions;
};

struct auth_counters auth_counters(const struct auth *a);

#endif
