/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/auth.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/rng.h"
#include "webui/delay.h"
#include "webui/login.h"
#include "webui/server.h"
#include "webui/session.h"

enum { LOOK_MS = 1000, GROUPS_MAX = 64, PENDING_MAX = LOGIN_QUEUE + 1 };

/* A log-in whose password is being checked. */
struct pending {
	struct auth *auth;
	struct addr from;
	bool used;
	char user[WEBUSERS_NAME_MAX];
	auth_done done;
	void *ctx;
};

struct auth {
	struct loop *loop;
	char *path;
	struct rng rng;
	struct webusers users;
	struct stat seen; /* of the file that users is */
	bool loaded;
	struct mono look_at;
	struct sessions *sessions;
	struct delay *delay;
	struct login *login;
	struct pending pending[PENDING_MAX];
	struct ratelimit log_limit;
	struct auth_counters counters;
};

struct auth *auth_new(struct loop *loop, const char *path)
{
	struct auth *a = ed_alloc(sizeof(*a));

	a->loop = loop;
	a->path = ed_strdup(path);
	a->rng = rng_system();
	a->login = login_new(loop);
	a->sessions = sessions_new(&a->rng);
	a->delay = delay_new();
	a->log_limit = ratelimit_init(10, 5 * MONO_US_PER_S);
	if (!a->login) {
		auth_free(a);
		return NULL;
	}
	return a;
}

void auth_free(struct auth *a)
{
	const struct auth_result stopping = {.status = 503};

	if (!a)
		return;
	login_free(a->login);
	for (size_t i = 0; i < PENDING_MAX; i++)
		if (a->pending[i].used)
			a->pending[i].done(a->pending[i].ctx, &stopping);
	sessions_free(a->sessions);
	delay_free(a->delay);
	webusers_fini(&a->users);
	free(a->path);
	free(a);
}

/* --- the users file ---------------------------------------------------------- */

static bool same_file(const struct stat *x, const struct stat *y)
{
	return x->st_ino == y->st_ino && x->st_dev == y->st_dev &&
	       x->st_size == y->st_size && x->st_mode == y->st_mode &&
	       x->st_mtim.tv_sec == y->st_mtim.tv_sec &&
	       x->st_mtim.tv_nsec == y->st_mtim.tv_nsec &&
	       x->st_ctim.tv_sec == y->st_ctim.tv_sec &&
	       x->st_ctim.tv_nsec == y->st_ctim.tv_nsec;
}

/*
 * Read the file when it is not the one we know. One that cannot be used has no
 * users: who could log in no longer can, which is the safe side.
 */
static void refresh(struct auth *a)
{
	struct mono now = loop_now(a->loop);
	struct stat st = {0};
	char why[256];

	if (!mono_due(a->look_at, now))
		return;
	a->look_at = mono_add_ms(now, LOOK_MS);
	(void)stat(a->path, &st); /* zeros when there is none */
	if (a->loaded && same_file(&st, &a->seen))
		return;
	a->seen = st;
	a->loaded = true;
	webusers_fini(&a->users);
	if (webusers_load(&a->users, a->path, why, sizeof(why)) < 0)
		ed_error("users", "nobody can log in: %s", why);
	else
		ed_info("users", "%zu users and tokens", a->users.n);
	sessions_revise(a->sessions, &a->users);
}

/* --- who --------------------------------------------------------------------- */

static void line_digest(const struct webusers_entry *e,
			uint8_t digest[SECRET_DIGEST_LEN])
{
	char line[WEBUSERS_NAME_MAX + WEBUSERS_HASH_MAX + 16];
	int len = snprintf(line, sizeof(line), "%s:%s:%d", e->name, e->hash,
			   (int)e->role);

	secret_digest(line, (size_t)len, digest);
}

static int who_token(struct auth *a, const char *header, struct who *w)
{
	const struct webusers_entry *e = NULL;
	char token[GATE_TOKEN_MAX];

	if (gate_bearer(header, token) == 0)
		e = webusers_token(&a->users, token);
	secret_wipe(token, sizeof(token));
	if (!e) {
		a->counters.bad_tokens++;
		return -EACCES;
	}
	w->kind = WHO_TOKEN;
	w->role = e->role;
	memcpy(w->name, e->name, sizeof(w->name));
	line_digest(e, w->token);
	return 0;
}

static bool who_session(struct auth *a, const char *header, struct who *w)
{
	const struct session *s = NULL;
	char token[GATE_TOKEN_MAX];

	if (gate_cookie(header, AUTH_COOKIE, token) == 0)
		s = sessions_find(a->sessions, token, loop_now(a->loop));
	secret_wipe(token, sizeof(token));
	if (!s)
		return false;
	w->kind = WHO_SESSION;
	w->role = s->role;
	w->session = s->id;
	memcpy(w->name, s->user, sizeof(w->name));
	return true;
}

static bool in_group(const char *name, const struct ucred *cred, const gid_t *groups,
		     size_t n)
{
	const struct group *g = getgrnam(name);

	if (!g)
		return false;
	if (cred->gid == g->gr_gid)
		return true;
	for (size_t i = 0; i < n; i++)
		if (groups[i] == g->gr_gid)
			return true;
	return false;
}

/* The peer of a unix socket, as the kernel knows it. */
static bool who_peer(const struct http_peer *peer, struct who *w)
{
	struct ucred cred = {.uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t len = sizeof(cred);
	gid_t groups[GROUPS_MAX];
	socklen_t groups_len = sizeof(groups);
	const struct passwd *pw;
	size_t n;

	if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) < 0)
		return false;
	if (getsockopt(peer->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &groups_len) < 0)
		groups_len = 0;
	n = groups_len / sizeof(groups[0]);
	if (cred.uid == 0 || in_group("edged-admin", &cred, groups, n))
		w->role = WEBUSERS_OPERATOR;
	else if (in_group("edged", &cred, groups, n))
		w->role = WEBUSERS_VIEWER;
	else
		return false;
	w->kind = WHO_PEER;
	pw = getpwuid(cred.uid);
	if (pw && strlen(pw->pw_name) < sizeof(w->name))
		snprintf(w->name, sizeof(w->name), "%s", pw->pw_name);
	else
		snprintf(w->name, sizeof(w->name), "uid%u", cred.uid);
	return true;
}

static bool came_through_a_proxy(const struct http_request *r)
{
	static const char *const marks[] = {"Forwarded", "X-Forwarded-For",
					    "X-Forwarded-Host", "X-Real-IP", "Via"};
	const char *value;

	for (size_t i = 0; i < ARRAY_LEN(marks); i++)
		if (http_header(r, marks[i], &value) > 0)
			return true;
	return false;
}

static bool is_local(const struct http_request *r)
{
	const struct http_peer *peer = http_peer(r);

	return !peer->tls && addr_is_loopback(&peer->local.addr) &&
	       addr_is_loopback(&peer->remote.addr) && !came_through_a_proxy(r);
}

int auth_who(struct auth *a, const struct http_request *r, struct who *ret)
{
	struct who w = {.kind = WHO_NOBODY, .role = WEBUSERS_NONE};
	const char *header;
	unsigned int n;

	refresh(a);
	n = http_header(r, "Authorization", &header);
	if (n > 0) {
		if (n > 1 || who_token(a, header, &w) < 0)
			return -EACCES;
		*ret = w;
		return 0;
	}
	if (http_header(r, "Cookie", &header) == 1 && who_session(a, header, &w)) {
		*ret = w;
		return 0;
	}
	if (http_peer(r)->unix_socket) {
		(void)who_peer(http_peer(r), &w);
	} else if (is_local(r)) {
		w.kind = WHO_LOCAL;
		w.role = WEBUSERS_VIEWER;
	}
	*ret = w;
	return 0;
}

bool auth_still(struct auth *a, const struct who *who)
{
	const struct webusers_entry *e;
	uint8_t line[SECRET_DIGEST_LEN];

	refresh(a);
	switch (who->kind) {
	case WHO_SESSION:
		return sessions_get(a->sessions, who->session, loop_now(a->loop));
	case WHO_TOKEN:
		e = webusers_find(&a->users, who->name);
		if (!e)
			return false;
		line_digest(e, line);
		return secret_equal(line, who->token, sizeof(line));
	case WHO_LOCAL:
	case WHO_PEER:
		return true;
	case WHO_NOBODY:
		break;
	}
	return false;
}

struct mono auth_ends(struct auth *a, const struct who *who)
{
	const struct session *s =
		sessions_get(a->sessions, who->session, loop_now(a->loop));

	return s ? s->ends : MONO_NEVER;
}

/* --- logging in ------------------------------------------------------------------ */

static void finish(struct pending *p, bool ok)
{
	struct auth *a = p->auth;
	struct auth_result result = {.status = 401};
	char token[SESSION_TOKEN_MAX] = "";
	const struct webusers_entry *e;
	const struct session *s;
	auth_done done = p->done;
	char from[ADDR_STRLEN];

	p->used = false;
	refresh(a);
	e = webusers_find(&a->users, p->user);
	if (ok && e) {
		s = sessions_open(a->sessions, e, loop_now(a->loop), token);
		result.status = 200;
		result.token = token;
		result.who.kind = WHO_SESSION;
		result.who.role = s->role;
		result.who.session = s->id;
		memcpy(result.who.name, s->user, sizeof(s->user));
		a->counters.logins++;
		delay_passed(a->delay, &p->from);
		ed_info("login", "%s from %s", p->user, addr_format(&p->from, from));
	} else {
		a->counters.failed++;
		delay_failed(a->delay, &p->from, loop_now(a->loop));
		/* The name may be a password typed into the wrong field: not logged. */
		ed_warn_limited(&a->log_limit, loop_now(a->loop), "login",
				"wrong user or password from %s",
				addr_format(&p->from, from));
	}
	done(p->ctx, &result);
	secret_wipe(token, sizeof(token));
}

static void on_checked(void *ctx, bool ok)
{
	finish(ctx, ok);
}

/*
 * A free entry for a log-in from an address. *ret_status is why there is none: 429
 * where this address has one in work already, 503 where too many have.
 */
static struct pending *pend(struct auth *a, const struct addr *from,
			    unsigned int *ret_status)
{
	struct pending *room = NULL;

	*ret_status = 503;
	for (size_t i = 0; i < PENDING_MAX; i++) {
		if (!a->pending[i].used) {
			room = &a->pending[i];
		} else if (delay_same(&a->pending[i].from, from)) {
			*ret_status = 429;
			return NULL;
		}
	}
	return room;
}

void auth_login(struct auth *a, const struct http_request *r, const char *user,
		const char *password, auth_done done, void *ctx)
{
	const struct addr *from = &http_peer(r)->remote.addr;
	int64_t wait_ms = delay_left_ms(a->delay, from, loop_now(a->loop));
	struct auth_result result = {.status = 429};
	const struct webusers_entry *e;
	char hash[WEBUSERS_HASH_MAX] = "";
	struct pending *p;

	refresh(a);
	p = wait_ms > 0 ? NULL : pend(a, from, &result.status);
	if (!p) {
		a->counters.delayed++;
		result.wait_s =
			wait_ms > 0 ? (unsigned int)((wait_ms + 999) / 1000) : 1;
		done(ctx, &result);
		return;
	}
	e = webusers_find(&a->users, user);
	if (e && e->kind != WEBUSERS_USER)
		e = NULL;
	*p = (struct pending){
		.auth = a, .from = *from, .used = true, .done = done, .ctx = ctx};
	snprintf(p->user, sizeof(p->user), "%s", e ? e->name : "");
	if (e)
		memcpy(hash, e->hash, sizeof(hash));
	if (login_check(a->login, password, e ? hash : NULL, on_checked, p) < 0) {
		p->used = false;
		result.status = 503;
		done(ctx, &result);
	}
	secret_wipe(hash, sizeof(hash));
}

void auth_logout(struct auth *a, const struct who *who)
{
	if (who->kind == WHO_SESSION)
		sessions_close(a->sessions, who->session);
}

struct auth_counters auth_counters(const struct auth *a)
{
	struct auth_counters c = a->counters;

	c.sessions = sessions_count(a->sessions);
	return c;
}
