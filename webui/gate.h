/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate - what a request says of itself: host, origin, cookie, token, query
 *
 * Pure parsers of text that anybody sends; nothing here decides about rights.
 * Whatever is not clearly right is refused: no guessing, no repair.
 *
 * Host (RFC 9110 section 7.2) against a list stops DNS rebinding: a page from
 * elsewhere whose name points here still says its own name. Origin (RFC 6454)
 * equal to Host stops requests that other pages make in a browser's name.
 */
#ifndef ED_WEBUI_GATE_H
#define ED_WEBUI_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

enum gate_limits {
	GATE_HOST_MAX = 254, /* bytes of a name with its NUL */
	GATE_VALUE_MAX = 512, /* bytes of a parameter's value with its NUL */
	GATE_NAME_MAX = 32, /* bytes of a parameter's name with its NUL */
	GATE_PARAMS_MAX = 16,
	GATE_TOKEN_MAX = 128, /* bytes of a cookie's value or a token with its NUL */
};

struct gate_host {
	char name[GATE_HOST_MAX]; /* lower case, no dot at its end */
	uint16_t port; /* 0: none given */
	struct addr addr; /* of an address, family 0 for a name */
};

/* host, host:port, [v6], [v6]:port. Returns 0 or -EINVAL. */
int gate_host(const char *text, struct gate_host *ret);

/*
 * True when h names us: the address the connection came to, one of the n names
 * (compared without case), or localhost when it came over loopback.
 */
bool gate_host_ours(const struct gate_host *h, const struct addr *local,
		    const char *const *names, size_t n);

/* True when origin is scheme://host of this request. "null" never is. */
bool gate_origin_ours(const char *origin, bool tls, const struct gate_host *host);

/*
 * The value of a cookie in a Cookie header: letters, digits, - and _ only.
 *
 * Returns 0; -ENOENT; -EINVAL when it is there twice or holds something else.
 */
int gate_cookie(const char *header, const char *name, char value[GATE_TOKEN_MAX]);

/* The token of "Bearer TOKEN". Returns 0, or -EINVAL for anything else. */
int gate_bearer(const char *header, char token[GATE_TOKEN_MAX]);

/*
 * True when a header line is one that RFC 9110 section 5 knows: its name is a token
 * (no blank before the colon), its value has no NUL, CR or other control character but
 * tabs. What is not is read differently by different programs.
 */
bool gate_header_clean(const char *name, size_t name_len, const char *value,
		       size_t value_len);

/* True for application/json, with nothing or charset=utf-8 behind it. */
bool gate_is_json(const char *content_type);

/* True when an Accept-Encoding header takes gzip. */
bool gate_takes_gzip(const char *accept_encoding);

/* True when an If-None-Match header holds the tag, or is "*". */
bool gate_has_tag(const char *if_none_match, const char *tag);

/*
 * Decode %XX in len bytes of a path's segment or a query's value (there also +,
 * which is a blank). What results is UTF-8 without control characters.
 *
 * Returns 0, or -EINVAL.
 */
int gate_decode(const char *text, size_t len, bool query, char *buf, size_t size);

struct gate_param {
	char name[GATE_NAME_MAX];
	char value[GATE_VALUE_MAX];
};

/*
 * The parameters of a query, at most GATE_PARAMS_MAX, none twice.
 *
 * Returns how many, or -EINVAL.
 */
int gate_query(const char *query, struct gate_param params[GATE_PARAMS_MAX]);

#endif
