/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Everything of a request that edge-webui reads itself, and the users file. The
 * first byte chooses the parser; a NUL parts its two texts. What a parser accepts
 * must keep its promise.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/webusers.h"
#include "webui/api.h"
#include "webui/gate.h"
#include "webui/listen.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
	if (!good)
		abort();
}

static void hosts(const char *text, const char *more)
{
	const char *const names[] = {"edge.example.net", "10.0.0.9"};
	struct gate_host h;
	struct gate_host again;
	struct addr local;

	must(addr_parse("127.0.0.1", &local) == 0);
	if (gate_host(text, &h) < 0)
		return;
	must(strlen(h.name) > 0 && strlen(h.name) < GATE_HOST_MAX);
	for (const char *s = h.name; *s; s++)
		must(!isupper((unsigned char)*s) && isgraph((unsigned char)*s));
	/* An address in its other form has colons; a name stays what it is. */
	if (h.addr.family != AF_INET6)
		must(gate_host(h.name, &again) == 0 && !strcmp(again.name, h.name));
	(void)gate_host_ours(&h, &local, names, 2);
	if (gate_origin_ours(more, true, &h))
		must(strncasecmp(more, "https://", 8) == 0);
}

static void tokens(const char *text)
{
	char v[GATE_TOKEN_MAX];

	if (gate_cookie(text, "__Host-edged", v) == 0 || gate_bearer(text, v) == 0)
		must(*v &&
		     strspn(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "0123456789-_") == strlen(v));
}

static void queries(const char *text)
{
	struct gate_param p[GATE_PARAMS_MAX];
	int n = gate_query(text, p);

	must(n <= GATE_PARAMS_MAX);
	for (int i = 0; i < n; i++) {
		json_t *s = json_string(p[i].value);

		must(p[i].name[0] && s); /* UTF-8 */
		json_decref(s);
	}
}

static void api(const char *path, const char *query)
{
	const struct api_row *row;
	char name[GATE_VALUE_MAX];
	const char *allow;
	char why[160];

	for (int m = HTTP_GET; m <= HTTP_OTHER; m++) {
		if (api_find(m, path, &row, name, &allow) < 0)
			continue;
		must(row->method == HTTP_GET || m == HTTP_POST);
		json_decref(api_query_params(row, query, why, sizeof(why)));
	}
}

static void bodies(const char *text, size_t len)
{
	json_t *body = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	const struct api_row *row;
	char name[GATE_VALUE_MAX];
	const char *allow;
	char why[160];

	must(api_find(HTTP_POST, "uplinks/isp1", &row, name, &allow) == 0);
	if (json_is_object(body))
		json_decref(api_body_params(row, name, body, why, sizeof(why)));
	json_decref(body);
}

static void users(const char *text, size_t len)
{
	struct webusers u = {0};
	char why[200];

	if (webusers_parse(&u, text, len, why, sizeof(why)) == 0) {
		for (size_t i = 0; i < u.n; i++) {
			must(webusers_name_ok(u.v[i].name, why, sizeof(why)));
			must(webusers_find(&u, u.v[i].name) == &u.v[i]);
			must(u.v[i].role != WEBUSERS_NONE && strlen(u.v[i].hash) >= 20);
		}
		(void)webusers_token(&u, "edw_0");
	}
	webusers_fini(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size > 0 ? size - 1 : 0;
	char *text = calloc(1, len + 2);
	const char *more;
	struct endpoint e;

	must(text != NULL);
	if (len)
		memcpy(text, data + 1, len);
	more = text + strlen(text) + (strlen(text) < len);
	switch (size ? data[0] : 0) {
	case 'H':
		hosts(text, "https://edge.example.net");
		break;
	case 'O':
		hosts(more, text);
		break;
	case 'C':
	case 'B':
		tokens(text);
		break;
	case 'Q':
		queries(text);
		break;
	case 'A':
		api(text, more);
		break;
	case 'E':
		(void)gate_takes_gzip(text);
		(void)gate_is_json(text);
		break;
	case 'T':
		(void)gate_has_tag(text, "\"def\"");
		break;
	case 'U':
		users(text, len);
		break;
	case 'L':
		if (listen_parse(text, &e) == 0)
			must(e.port > 0 && e.addr.family != 0);
		break;
	case 'J':
		bodies(text, len);
		break;
	default:
		break;
	}
	free(text);
	return 0;
}
