/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/api.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/rpc.h"
#include "lib/text.h"

enum { NUMBER_DIGITS = 17 }; /* below 2^63, and exact as a number of JavaScript */

#define VIEWER WEBUSERS_VIEWER
#define OPERATOR WEBUSERS_OPERATOR

/* clang-format off */
static const struct api_row rows[] = {
	{ HTTP_GET, "status", API_RPC, "status.get", VIEWER, {{0}} },
	{ HTTP_GET, "uplinks", API_RPC, "uplinks.list", VIEWER, {{0}} },
	{ HTTP_GET, "peers", API_RPC, "peers.list", VIEWER, {{0}} },
	{ HTTP_GET, "paths", API_RPC, "paths.list", VIEWER, {{0}} },
	{ HTTP_GET, "classes", API_RPC, "classes.list", VIEWER, {{0}} },
	{ HTTP_GET, "routes", API_RPC, "routes.list", VIEWER, {{0}} },
	{ HTTP_GET, "ike", API_RPC, "ike.list", VIEWER, {{0}} },
	{ HTTP_GET, "events", API_RPC, "events.list", VIEWER,
	  { { "since", API_NUMBER, NULL }, { "until", API_NUMBER, NULL },
	    { "after", API_NUMBER, NULL }, { "limit", API_NUMBER, NULL },
	    { "kind", API_TEXT, NULL }, { "subject", API_TEXT, NULL } } },
	{ HTTP_GET, "history", API_RPC, "paths.history", VIEWER,
	  { { "path", API_TEXT, NULL }, { "since", API_NUMBER, NULL },
	    { "until", API_NUMBER, NULL }, { "points", API_NUMBER, NULL } } },
	{ HTTP_GET, "why", API_RPC, "why", VIEWER,
	  { { "address", API_TEXT, NULL }, { "dscp", API_TEXT, NULL } } },
	{ HTTP_GET, "stream", API_STREAM, NULL, VIEWER,
	  { { "after", API_NUMBER, NULL } } },
	{ HTTP_GET, "session", API_SESSION, NULL, WEBUSERS_NONE, {{0}} },
	{ HTTP_POST, "login", API_LOGIN, NULL, WEBUSERS_NONE,
	  { { "user", API_TEXT, NULL }, { "password", API_TEXT, NULL } } },
	{ HTTP_POST, "logout", API_LOGOUT, NULL, WEBUSERS_NONE, {{0}} },
	{ HTTP_POST, "uplinks/*", API_RPC, "uplink.set", OPERATOR,
	  { { "state", API_STATE, "up" } } },
	{ HTTP_POST, "peers/*/restart", API_RPC, "peer.restart", OPERATOR, {{0}} },
	{ HTTP_POST, "peers/*/rekey", API_RPC, "peer.rekey", OPERATOR, {{0}} },
};
/* clang-format on */

/* True when path is pattern, with a segment in the place of `*`. */
static bool fits(const char *pattern, const char *path, char name[GATE_VALUE_MAX])
{
	const char *star = strchr(pattern, '*');
	size_t head = star ? (size_t)(star - pattern) : 0;
	size_t len;

	if (!star)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, head) != 0)
		return false;
	len = strcspn(path + head, "/");
	return len > 0 && strcmp(path + head + len, star + 1) == 0 &&
	       gate_decode(path + head, len, false, name, GATE_VALUE_MAX) == 0;
}

int api_find(enum http_method method, const char *path, const struct api_row **ret,
	     char name[GATE_VALUE_MAX], const char **allow)
{
	enum http_method like = method == HTTP_HEAD ? HTTP_GET : method;
	bool get = false;
	bool post = false;

	name[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!fits(rows[i].path, path, name))
			continue;
		if (rows[i].method == like) {
			*ret = &rows[i];
			return 0;
		}
		get |= rows[i].method == HTTP_GET;
		post |= rows[i].method == HTTP_POST;
	}
	if (!get && !post)
		return -ENOENT;
	*allow = get && post ? "GET, HEAD, POST" : get ? "GET, HEAD" : "POST";
	return -EOPNOTSUPP;
}

static const struct api_param *param_of(const struct api_row *row, const char *name)
{
	for (size_t i = 0; i < API_PARAMS_MAX && row->params[i].name; i++)
		if (strcmp(row->params[i].name, name) == 0)
			return &row->params[i];
	return NULL;
}

static json_t *number(const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > NUMBER_DIGITS || strspn(text, "0123456789") != len)
		return NULL;
	return json_integer(strtoll(text, NULL, 10));
}

json_t *api_query_params(const struct api_row *row, const char *query, char *why,
			 size_t size)
{
	struct gate_param *v = ed_array(GATE_PARAMS_MAX, sizeof(*v));
	json_t *params = json_object();
	int n = gate_query(query, v);

	why[0] = '\0';
	if (n < 0)
		snprintf(why, size, "the query is not understood");
	for (int i = 0; i < n && !*why; i++) {
		const struct api_param *p = param_of(row, v[i].name);
		json_t *value = NULL;

		if (!p)
			snprintf(why, size, "there is no parameter '%s' here",
				 v[i].name);
		else if (p->type == API_NUMBER)
			value = number(v[i].value);
		else
			value = json_string(v[i].value);
		if (p && !value)
			snprintf(why, size, "%s must be a whole number", v[i].name);
		if (value)
			json_object_set_new(params, p->rpc_name ? p->rpc_name : p->name,
					    value);
	}
	free(v);
	if (!*why)
		return params;
	json_decref(params);
	return NULL;
}

/* The value that edged gets for one of a body; NULL: it is not one. */
static json_t *body_value(const struct api_param *p, const json_t *v)
{
	const char *text = json_string_value(v);

	switch (p->type) {
	case API_TEXT:
		return text && strlen(text) < GATE_VALUE_MAX ? json_string(text) : NULL;
	case API_NUMBER:
		return json_is_integer(v) ? json_integer(json_integer_value(v)) : NULL;
	case API_STATE:
		if (text && strcmp(text, "up") == 0)
			return json_true();
		return text && strcmp(text, "down") == 0 ? json_false() : NULL;
	}
	return NULL;
}

static const char *form_of(enum api_type type)
{
	switch (type) {
	case API_TEXT:
		return "a text";
	case API_NUMBER:
		return "a whole number";
	case API_STATE:
		return "\"up\" or \"down\"";
	}
	return "something else";
}

json_t *api_body_params(const struct api_row *row, const char *name, const json_t *body,
			char *why, size_t size)
{
	json_t *params = json_object();
	const struct api_param *p;
	const char *key;
	json_t *value;

	why[0] = '\0';
	json_object_foreach ((json_t *)(uintptr_t)body, key, value) {
		json_t *v;

		p = param_of(row, key);
		if (!p) {
			snprintf(why, size, "there is no '%.60s' here", key);
			break;
		}
		v = body_value(p, value);
		if (!v) {
			snprintf(why, size, "%s must be %s", key, form_of(p->type));
			break;
		}
		json_object_set_new(params, p->rpc_name ? p->rpc_name : p->name, v);
	}
	/* All that a POST takes it needs. */
	for (p = row->params; !*why && p < row->params + API_PARAMS_MAX && p->name; p++)
		if (!json_object_get(params, p->rpc_name ? p->rpc_name : p->name))
			snprintf(why, size, "%s is missing", p->name);
	if (*name)
		json_object_set_new(params, "name", json_string(name));
	if (!*why)
		return params;
	json_decref(params);
	return NULL;
}

unsigned int api_status(int rpc_code, const char **ret_word)
{
	static const struct {
		int code;
		unsigned int status;
		const char *word;
	} map[] = {
		{RPC_EPARAMS, 400, "params"},	{RPC_ENOTFOUND, 404, "not_found"},
		{RPC_EDENIED, 403, "denied"},	{RPC_EBUSY, 503, "busy"},
		{RPC_EREFUSED, 409, "refused"}, {RPC_EFAILED, 500, "failed"},
		{RPC_EMETHOD, 501, "unknown"},	{-ETIMEDOUT, 504, "timeout"},
		{-ENOTCONN, 503, "edged_away"}, {-ECONNRESET, 503, "edged_away"},
		{-EACCES, 503, "edged_away"},	{-EUSERS, 503, "edged_away"},
		{-ENOBUFS, 503, "busy"},
	};

	for (size_t i = 0; i < ARRAY_LEN(map); i++) {
		if (map[i].code != rpc_code)
			continue;
		*ret_word = map[i].word;
		return map[i].status;
	}
	*ret_word = rpc_code > RPC_ELAST_ERRNO ? "edged_away" : "internal";
	return rpc_code > RPC_ELAST_ERRNO ? 503 : 500;
}

char *api_error(const char *word, const char *message)
{
	char *sentence = ed_strdup(message ? message : word);
	json_t *e;
	char *text;

	text_make_utf8(sentence);
	e = json_pack("{s:{s:s, s:s}}", "error", "code", word, "message", sentence);
	text = json_dumps(e, JSON_COMPACT);
	json_decref(e);
	free(sentence);
	return text;
}
