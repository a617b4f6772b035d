/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/site.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/promtext.h"
#include "lib/secret.h"
#include "webui/api.h"
#include "webui/auth.h"
#include "webui/files.h"
#include "webui/gate.h"
#include "webui/metrics.h"
#include "webui/server.h"
#include "webui/stream.h"
#include "webui/upstream.h"

struct site {
	struct loop *loop;
	struct site_options options;
	struct server *server;
	struct auth *auth;
	struct upstream *upstream;
	struct streams *streams;
	struct files *files;
	char **names;
	size_t n_names;
	struct metrics_counters counters;
};

/* A request that waits for edged, or for the check of a password. */
struct wait {
	struct site *site;
	struct http_request *request;
	struct who who;
};

/*
 * Nothing but what we serve ourselves, no script or style in a page, no page of
 * others around ours. dygraphs writes innerHTML: the page's one Trusted Types policy
 * named "default" takes the tags out of what it writes.
 */
static const struct http_header every_answer[] = {
	{"Content-Security-Policy",
	 "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	 "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors "
	 "'none'; require-trusted-types-for 'script'; trusted-types default"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
	{"Referrer-Policy", "no-referrer"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
};

/* --- answers -------------------------------------------------------------------- */

static void count(struct site *s, unsigned int status)
{
	if (status / 100 < ARRAY_LEN(s->counters.answers))
		s->counters.answers[status / 100]++;
}

/* text is the answer's, for free(). extra may have a NULL name: none. */
static void reply_text(struct site *s, struct http_request *r, unsigned int status,
		       char *text, struct http_header extra)
{
	struct http_header headers[] = {
		{"Content-Type", "application/json"},
		{"Cache-Control", "no-store"},
		extra,
	};

	count(s, status);
	http_reply(r, status, headers, extra.name ? 3 : 2, text, strlen(text),
		   HTTP_FREE);
}

static void reply_json(struct site *s, struct http_request *r, const json_t *answer)
{
	char *text = json_dumps(answer, JSON_COMPACT | JSON_ENCODE_ANY);

	if (text)
		reply_text(s, r, 200, text, (struct http_header){0});
	else
		reply_text(s, r, 500, api_error("internal", "no answer could be made"),
			   (struct http_header){0});
}

static void refuse(struct site *s, struct http_request *r, unsigned int status,
		   const char *word, const char *message)
{
	reply_text(s, r, status, api_error(word, message), (struct http_header){0});
}

static void refuse_with(struct site *s, struct http_request *r, unsigned int status,
			const char *word, const char *message, const char *header,
			const char *value)
{
	reply_text(s, r, status, api_error(word, message),
		   (struct http_header){header, value});
}

/* --- the gates -------------------------------------------------------------------- */

/* Returns false after answering: the Host is missing or not ours. */
static bool pass_host(struct site *s, struct http_request *r, struct gate_host *host)
{
	const struct http_peer *peer = http_peer(r);
	const char *text;
	unsigned int n = http_header(r, "Host", &text);

	*host = (struct gate_host){0};
	if (n != 1 || gate_host(text, host) < 0) {
		refuse(s, r, 400, "host", "the Host header is missing or malformed");
		return false;
	}
	if (peer->unix_socket ||
	    gate_host_ours(host, &peer->local.addr, (const char *const *)s->names,
			   s->n_names))
		return true;
	refuse(s, r, 403, "host",
	       "this name is not one of this dashboard's: add it to 'hosts' under 'web' "
	       "in edged.yaml");
	return false;
}

/* What a browser says of where a request comes from, if it says it. */
static bool from_elsewhere(const struct http_request *r)
{
	const char *site;

	if (http_header(r, "Sec-Fetch-Site", &site) == 0)
		return false;
	return strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}

/* Returns false after answering. */
static bool pass_origin(struct site *s, struct http_request *r,
			const struct gate_host *host)
{
	const char *value;
	unsigned int n;

	if (from_elsewhere(r)) {
		refuse(s, r, 403, "origin", "another site's page may not ask this");
		return false;
	}
	if (http_method(r) != HTTP_POST)
		return true;
	if (http_header(r, "Content-Type", &value) != 1 || !gate_is_json(value)) {
		refuse(s, r, 415, "type", "a POST has Content-Type: application/json");
		return false;
	}
	n = http_header(r, "Origin", &value);
	if (n == 1 && gate_origin_ours(value, http_peer(r)->tls, host))
		return true;
	/* Scripts have no origin: no browser sends a token or speaks unix by itself. */
	if (n == 0 &&
	    (http_peer(r)->unix_socket || http_header(r, "Authorization", &value) > 0))
		return true;
	refuse(s, r, 403, "origin", "the Origin is not this dashboard's");
	return false;
}

/* Returns false after answering. */
static bool pass_role(struct site *s, struct http_request *r, enum webusers_role role,
		      struct who *who)
{
	if (auth_who(s->auth, r, who) < 0) {
		refuse_with(s, r, 401, "token", "this token is not one of ours",
			    "WWW-Authenticate", "Bearer error=\"invalid_token\"");
		return false;
	}
	if (who->kind != WHO_NOBODY)
		http_trust(r);
	if (who->role >= role)
		return true;
	if (who->role == WEBUSERS_NONE)
		refuse(s, r, 401, "login", "log in first");
	else
		refuse(s, r, 403, "role", "this takes the role operator");
	return false;
}

/* --- files -------------------------------------------------------------------------- */

static void serve_file(struct site *s, struct http_request *r)
{
	const struct file *f = files_find(s->files, http_path(r));
	const char *value;
	bool gzip;
	const char *tag;

	if (http_method(r) != HTTP_GET && http_method(r) != HTTP_HEAD) {
		refuse_with(s, r, 405, "method", "only GET and HEAD here", "Allow",
			    "GET, HEAD");
		return;
	}
	if (!f) {
		refuse(s, r, 404, "not_found", "there is nothing here");
		return;
	}
	gzip = f->gzip && http_header(r, "Accept-Encoding", &value) > 0 &&
	       gate_takes_gzip(value);
	tag = gzip ? f->gzip_tag : f->tag;

	struct http_header headers[] = {
		{"Content-Type", f->type},
		{"Cache-Control", "no-cache"},
		{"ETag", tag},
		{"Vary", "Accept-Encoding"},
		{"Content-Encoding", "gzip"},
	};
	size_t n = gzip ? 5 : 4;

	if (http_header(r, "If-None-Match", &value) == 1 && gate_has_tag(value, tag)) {
		count(s, 304);
		http_reply(r, 304, headers + 1, 3, f->bytes, 0, HTTP_STATIC);
		return;
	}
	count(s, 200);
	http_reply(r, 200, headers, n, gzip ? f->gzip : f->bytes,
		   gzip ? f->gzip_len : f->len, HTTP_STATIC);
}

/* --- edged is asked --------------------------------------------------------------- */

static void refuse_rpc(struct site *s, struct http_request *r, int code,
		       const char *message)
{
	const char *word;
	unsigned int status = api_status(code, &word);

	if (strcmp(word, "edged_away") == 0)
		refuse_with(s, r, status, word, upstream_text(s->upstream),
			    "Retry-After", "2");
	else
		refuse(s, r, status, word, message);
}

static void on_answer(void *ctx, const struct rpc_answer *answer)
{
	struct wait *w = ctx;

	if (answer->code)
		refuse_rpc(w->site, w->request, answer->code, answer->message);
	else
		reply_json(w->site, w->request, answer->result);
	free(w);
}

static struct wait *wait_new(struct site *s, struct http_request *r,
			     const struct who *who)
{
	struct wait *w = ed_alloc(sizeof(*w));

	w->site = s;
	w->request = r;
	w->who = *who;
	return w;
}

/* Takes over the reference of params. */
static void ask(struct site *s, struct http_request *r, const struct who *who,
		const char *method, json_t *params, rpc_done *done)
{
	struct wait *w = wait_new(s, r, who);
	int err = upstream_call(s->upstream, method, params, done, w);

	if (err == 0)
		return;
	free(w);
	refuse_rpc(s, r, err, "too many questions to edged at once");
}

/* The name of who acts, for the event that tells it. */
static const char *name_of(const struct who *who)
{
	return who->name[0] ? who->name : "web";
}

/* --- sessions ----------------------------------------------------------------------- */

static const char *via_of(enum who_kind kind)
{
	switch (kind) {
	case WHO_LOCAL:
		return "local";
	case WHO_PEER:
		return "unix";
	case WHO_SESSION:
		return "session";
	case WHO_TOKEN:
		return "token";
	case WHO_NOBODY:
		break;
	}
	return NULL;
}

static json_t *session_json(struct site *s, const struct who *who)
{
	struct mono ends = auth_ends(s->auth, who);
	int64_t left_s = mono_diff_ms(ends, loop_now(s->loop)) / 1000;
	const char *via = via_of(who->kind);

	return json_pack("{s:o, s:o, s:o, s:o}", "user",
			 who->name[0] ? json_string(who->name) : json_null(), "role",
			 via ? json_string(webusers_role_name(who->role)) : json_null(),
			 "via", via ? json_string(via) : json_null(), "expires",
			 mono_is_never(ends) ? json_null()
					     : json_integer(time(NULL) + left_s));
}

static void on_login(void *ctx, const struct auth_result *result)
{
	struct wait *w = ctx;
	struct site *s = w->site;
	char value[160];
	json_t *answer;

	if (result->status == 200) {
		/* A log-in ends the session it replaces. */
		auth_logout(s->auth, &w->who);
		streams_revise(s->streams);
		http_trust(w->request);
		snprintf(value, sizeof(value),
			 AUTH_COOKIE
			 "=%s; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=%d",
			 result->token, 12 * 3600);
		answer = session_json(s, &result->who);
		reply_text(s, w->request, 200, json_dumps(answer, JSON_COMPACT),
			   (struct http_header){"Set-Cookie", value});
		secret_wipe(value, sizeof(value));
		json_decref(answer);
	} else if (result->status == 429) {
		snprintf(value, sizeof(value), "%u", result->wait_s);
		refuse_with(s, w->request, 429, "wait",
			    "too many failed log-ins from this address: wait",
			    "Retry-After", value);
	} else if (result->status == 503) {
		refuse_with(s, w->request, 503, "busy",
			    "too many log-ins at once: try again", "Retry-After", "2");
	} else {
		refuse(s, w->request, 401, "login", "wrong user or password");
	}
	free(w);
}

static void do_login(struct site *s, struct http_request *r, const struct who *who,
		     const json_t *params)
{
	struct wait *w = wait_new(s, r, who);

	auth_login(s->auth, r, json_string_value(json_object_get(params, "user")),
		   json_string_value(json_object_get(params, "password")), on_login, w);
}

static void do_logout(struct site *s, struct http_request *r, const struct who *who)
{
	auth_logout(s->auth, who);
	streams_revise(s->streams);
	reply_text(s, r, 200, ed_strdup("{}"),
		   (struct http_header){"Set-Cookie",
					AUTH_COOKIE "=; Path=/; Secure; HttpOnly; "
						    "SameSite=Strict; Max-Age=0"});
}

static void do_stream(struct site *s, struct http_request *r, const struct who *who,
		      const json_t *params)
{
	int64_t after = json_integer_value(json_object_get(params, "after"));
	const char *last;

	if (http_method(r) == HTTP_HEAD) {
		reply_text(s, r, 200, ed_strdup(""), (struct http_header){0});
		return;
	}
	if (http_header(r, "Last-Event-ID", &last) == 1 && strlen(last) < 18 &&
	    strspn(last, "0123456789") == strlen(last))
		after = strtoll(last, NULL, 10);
	if (streams_add(s->streams, r, who, after) < 0)
		refuse_with(s, r, 503, "busy", "too many readers at once",
			    "Retry-After", "30");
	else
		count(s, 200);
}

/* --- the table's rows ------------------------------------------------------------------ */

/* The params of a request, or NULL after answering. */
static json_t *params_of(struct site *s, struct http_request *r,
			 const struct api_row *row, const char *name)
{
	json_t *params;
	json_t *body;
	const char *text;
	char why[160];
	size_t len;

	if (row->method == HTTP_GET) {
		params = api_query_params(row, http_query(r), why, sizeof(why));
	} else {
		text = http_body(r, &len);
		body = len ? json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL)
			   : json_object();
		if (!json_is_object(body) || *http_query(r)) {
			json_decref(body);
			refuse(s, r, 400, "params", "the body must be a JSON object");
			return NULL;
		}
		params = api_body_params(row, name, body, why, sizeof(why));
		json_decref(body);
	}
	if (!params)
		refuse(s, r, 400, "params", why);
	return params;
}

static void run_row(struct site *s, struct http_request *r, const struct api_row *row,
		    const struct who *who, json_t *params)
{
	json_t *answer;

	switch (row->does) {
	case API_RPC:
		if (row->method == HTTP_POST)
			json_object_set_new(params, "by", json_string(name_of(who)));
		ask(s, r, who, row->rpc, json_incref(params), on_answer);
		return;
	case API_SESSION:
		answer = session_json(s, who);
		reply_json(s, r, answer);
		json_decref(answer);
		return;
	case API_LOGIN:
		do_login(s, r, who, params);
		return;
	case API_LOGOUT:
		do_logout(s, r, who);
		return;
	case API_STREAM:
		do_stream(s, r, who, params);
		return;
	}
}

static void serve_api(struct site *s, struct http_request *r,
		      const struct gate_host *host)
{
	const struct api_row *row = NULL;
	const char *allow = "";
	char name[GATE_VALUE_MAX];
	struct who who;
	json_t *params;
	int err = api_find(http_method(r), http_path(r) + strlen(API_PREFIX), &row,
			   name, &allow);

	if (!pass_origin(s, r, host))
		return;
	if (err == -ENOENT) {
		refuse(s, r, 404, "not_found", "there is nothing here");
		return;
	}
	if (err < 0) {
		refuse_with(s, r, 405, "method", "not with this method", "Allow",
			    allow);
		return;
	}
	if (!pass_role(s, r, row->role, &who))
		return;
	params = params_of(s, r, row, name);
	if (!params)
		return;
	run_row(s, r, row, &who, params);
	json_decref(params);
}

/* --- metrics -------------------------------------------------------------------------- */

static void reply_metrics(struct site *s, struct http_request *r, const json_t *answer)
{
	static const struct http_header headers[] = {
		{"Content-Type", PROMTEXT_TYPE},
		{"Cache-Control", "no-store"},
	};
	char *text;
	size_t len;

	s->counters.server = server_counters(s->server);
	s->counters.auth = auth_counters(s->auth);
	s->counters.streams = streams_counters(s->streams);
	s->counters.edged_up = answer != NULL;
	text = metrics_text(&s->counters, answer, &len);
	count(s, 200);
	http_reply(r, 200, headers, ARRAY_LEN(headers), text, len, HTTP_FREE);
}

static void on_metrics(void *ctx, const struct rpc_answer *answer)
{
	struct wait *w = ctx;

	reply_metrics(w->site, w->request, answer->code ? NULL : answer->result);
	free(w);
}

static void serve_metrics(struct site *s, struct http_request *r)
{
	struct who who;
	struct wait *w;

	if (http_method(r) != HTTP_GET && http_method(r) != HTTP_HEAD) {
		refuse_with(s, r, 405, "method", "only GET and HEAD here", "Allow",
			    "GET, HEAD");
		return;
	}
	if (from_elsewhere(r)) {
		refuse(s, r, 403, "origin", "another site's page may not ask this");
		return;
	}
	if (!pass_role(s, r, WEBUSERS_VIEWER, &who))
		return;
	w = wait_new(s, r, &who);
	if (upstream_call(s->upstream, "metrics.get", NULL, on_metrics, w) == 0)
		return;
	free(w);
	/* Our own say that edged is away. */
	reply_metrics(s, r, NULL);
}

static void on_request(void *ctx, struct http_request *r)
{
	struct site *s = ctx;
	struct gate_host host;

	if (!pass_host(s, r, &host))
		return;
	if (strncmp(http_path(r), API_PREFIX, strlen(API_PREFIX)) == 0)
		serve_api(s, r, &host);
	else if (strcmp(http_path(r), "/metrics") == 0)
		serve_metrics(s, r);
	else
		serve_file(s, r);
}

/* --- what edged tells ------------------------------------------------------------------- */

static void on_link(void *ctx)
{
	struct site *s = ctx;

	if (s->upstream)
		streams_link(s->streams);
}

static void on_status(void *ctx, const json_t *status)
{
	streams_status(((struct site *)ctx)->streams, status);
}

static void on_event(void *ctx, const json_t *event)
{
	struct site *s = ctx;
	const char *kind = json_string_value(json_object_get(event, "kind"));

	streams_event(s->streams, event);
	if (kind && strcmp(kind, "config") == 0 && s->options.config_changed)
		s->options.config_changed(s->options.ctx);
}

/* --- the whole ---------------------------------------------------------------------------- */

int site_new(struct loop *loop, const struct site_options *o, struct site **ret)
{
	const struct server_ops server_ops = {.request = on_request};
	const struct upstream_ops upstream_ops = {.link = on_link,
						  .status = on_status,
						  .event = on_event};
	struct site *s = ed_alloc(sizeof(*s));
	int err;

	s->loop = loop;
	s->options = *o;
	s->counters.started = time(NULL);
	err = files_new(o->data, &s->files);
	if (err < 0) {
		ed_error("files", "%s: %s", o->data, strerror(-err));
		site_free(s);
		return err;
	}
	s->auth = auth_new(loop, o->users);
	s->server =
		server_new(loop, &server_ops, s, every_answer, ARRAY_LEN(every_answer));
	if (!s->auth || !s->server) {
		ed_error(NULL, "cannot start: %s", strerror(errno));
		site_free(s);
		return -ENOMEM;
	}
	s->streams = streams_new(loop, s->auth);
	s->upstream = upstream_new(loop, o->control, &upstream_ops, s);
	streams_set_upstream(s->streams, s->upstream);
	*ret = s;
	return 0;
}

void site_free(struct site *s)
{
	if (!s)
		return;
	/* Who waits is answered first, then the server takes the answers along. */
	upstream_free(s->upstream);
	if (s->streams)
		streams_set_upstream(s->streams, NULL);
	auth_free(s->auth);
	server_free(s->server);
	streams_free(s->streams);
	files_free(s->files);
	for (size_t i = 0; i < s->n_names; i++)
		free(s->names[i]);
	free(s->names);
	free(s);
}

struct server *site_server(struct site *s)
{
	return s->server;
}

void site_set_names(struct site *s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < s->n_names; i++)
		free(s->names[i]);
	free(s->names);
	s->names = ed_array(n + 1, sizeof(*s->names));
	for (size_t i = 0; i < n; i++)
		s->names[i] = ed_strdup(names[i]);
	s->n_names = n;
}
