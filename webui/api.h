/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api - /api/v1/: the control socket's methods, by one table
 *
 * A row says which HTTP method and path is which method of edged, which parameters
 * it takes and who may. Answers are the control socket's, unchanged. Errors are
 * {"error": {"code", "message"}}, with edged's own sentence where it said one.
 * What is not in the table does not exist: nothing else reaches the socket.
 */
#ifndef ED_WEBUI_API_H
#define ED_WEBUI_API_H

#include <jansson.h>
#include <stddef.h>

#include "lib/webusers.h"
#include "webui/gate.h"
#include "webui/server.h"

#define API_PREFIX "/api/v1/"

enum api_does {
	API_RPC = 1, /* asks edged */
	API_SESSION,
	API_LOGIN,
	API_LOGOUT,
	API_STREAM,
};

enum api_limits { API_PARAMS_MAX = 8 };

enum api_type { API_TEXT = 1, API_NUMBER, API_STATE };

struct api_param {
	const char *name; /* in the query, or in the body of a POST */
	enum api_type type;
	const char *rpc_name; /* as edged calls it; NULL: the same */
};

struct api_row {
	enum http_method method;
	const char *path; /* behind API_PREFIX; `*` stands for a name */
	enum api_does does;
	const char *rpc; /* of API_RPC */
	enum webusers_role role; /* WEBUSERS_NONE: anybody */
	struct api_param params[API_PARAMS_MAX];
};

/*
 * The row of a path (behind API_PREFIX, as sent). name gets what stands for `*`.
 *
 * Returns 0; -ENOENT: no such path; -EOPNOTSUPP: not with this method (HEAD goes
 * where GET goes), allow then gets the ones that are.
 */
int api_find(enum http_method method, const char *path, const struct api_row **ret,
	     char name[GATE_VALUE_MAX], const char **allow);

/*
 * The params of a row's method: from the query (GET), or from the body of a POST (a
 * JSON object; body NULL for none).
 *
 * Returns a new reference, or NULL with a sentence in why.
 */
json_t *api_query_params(const struct api_row *row, const char *query, char *why,
			 size_t size);
json_t *api_body_params(const struct api_row *row, const char *name, const json_t *body,
			char *why, size_t size);

/* An error of the control socket as one of HTTP: the status, and a word for it. */
unsigned int api_status(int rpc_code, const char **ret_word);

/* {"error": {"code", "message"}} as text for free(). */
char *api_error(const char *word, const char *message);

#endif
