/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/gate.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/text.h"

/* --- host and origin -------------------------------------------------------- */

static int read_port(const char *s, uint16_t *ret)
{
	unsigned long v;

	if (!*s || strlen(s) > 5 || strspn(s, "0123456789") != strlen(s))
		return -EINVAL;
	v = strtoul(s, NULL, 10);
	if (v < 1 || v > 65535)
		return -EINVAL;
	*ret = (uint16_t)v;
	return 0;
}

/* Letters, digits, dots and hyphens, no label empty; the dot at the end goes. */
static bool read_name(const char *s, size_t len, char *buf)
{
	if (len > 1 && s[len - 1] == '.')
		len--;
	if (len == 0 || len >= GATE_HOST_MAX || *s == '.' || s[len - 1] == '.')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '.' &&
		    s[i] != '_')
			return false;
		if (s[i] == '.' && i > 0 && s[i - 1] == '.')
			return false;
		buf[i] = (char)tolower((unsigned char)s[i]);
	}
	buf[len] = '\0';
	return true;
}

int gate_host(const char *text, struct gate_host *ret)
{
	struct gate_host h = {.port = 0};
	const char *end;
	char v6[ADDR_STRLEN];
	size_t len;

	if (*text == '[') {
		end = strchr(text, ']');
		len = end ? (size_t)(end - text) - 1 : 0;
		if (!end || len >= sizeof(v6))
			return -EINVAL;
		memcpy(v6, text + 1, len);
		v6[len] = '\0';
		if (addr_parse(v6, &h.addr) < 0 || h.addr.family != AF_INET6)
			return -EINVAL;
		addr_format(&h.addr, h.name);
		end++;
	} else {
		end = text + strcspn(text, ":");
		if (!read_name(text, (size_t)(end - text), h.name))
			return -EINVAL;
		if (addr_parse(h.name, &h.addr) < 0)
			h.addr = (struct addr){0};
	}
	if (*end && (*end != ':' || read_port(end + 1, &h.port) < 0))
		return -EINVAL;
	*ret = h;
	return 0;
}

bool gate_host_ours(const struct gate_host *h, const struct addr *local,
		    const char *const *names, size_t n)
{
	char buf[GATE_HOST_MAX];
	struct addr a;

	if (h->addr.family && addr_equal(&h->addr, local))
		return true;
	if (addr_is_loopback(local) && strcmp(h->name, "localhost") == 0)
		return true;
	for (size_t i = 0; i < n; i++) {
		if (addr_parse(names[i], &a) == 0) {
			if (h->addr.family && addr_equal(&h->addr, &a))
				return true;
		} else if (read_name(names[i], strlen(names[i]), buf) &&
			   strcmp(buf, h->name) == 0) {
			return true;
		}
	}
	return false;
}

bool gate_origin_ours(const char *origin, bool tls, const struct gate_host *host)
{
	const char *scheme = tls ? "https://" : "http://";
	const uint16_t standard = tls ? 443 : 80;
	struct gate_host o;

	if (strncasecmp(origin, scheme, strlen(scheme)) != 0 ||
	    gate_host(origin + strlen(scheme), &o) < 0)
		return false;
	return strcmp(o.name, host->name) == 0 &&
	       (o.port ? o.port : standard) == (host->port ? host->port : standard);
}

/* --- who ---------------------------------------------------------------------- */

static bool is_token(const char *s, size_t len)
{
	if (len == 0 || len >= GATE_TOKEN_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_')
			return false;
	return true;
}

int gate_cookie(const char *header, const char *name, char value[GATE_TOKEN_MAX])
{
	const size_t name_len = strlen(name);
	const char *found = NULL;
	size_t found_len = 0;

	/* Ends: each round goes behind a semicolon, or to the end. */
	for (const char *s = header; *s;) {
		size_t len;

		s += strspn(s, " \t");
		len = strcspn(s, ";");
		if (len > name_len && strncmp(s, name, name_len) == 0 &&
		    s[name_len] == '=') {
			if (found)
				return -EINVAL;
			found = s + name_len + 1;
			found_len = len - name_len - 1;
		}
		s += len + (s[len] == ';');
	}
	if (!found)
		return -ENOENT;
	while (found_len > 0 && strchr(" \t", found[found_len - 1]))
		found_len--;
	if (!is_token(found, found_len))
		return -EINVAL;
	memcpy(value, found, found_len);
	value[found_len] = '\0';
	return 0;
}

int gate_bearer(const char *header, char token[GATE_TOKEN_MAX])
{
	size_t len;

	if (strncasecmp(header, "Bearer ", 7) != 0)
		return -EINVAL;
	header += 7 + strspn(header + 7, " ");
	len = strlen(header);
	if (!is_token(header, len))
		return -EINVAL;
	memcpy(token, header, len + 1);
	return 0;
}

/* --- other headers -------------------------------------------------------------- */

bool gate_header_clean(const char *name, size_t name_len, const char *value,
		       size_t value_len)
{
	if (name_len == 0)
		return false;
	for (size_t i = 0; i < name_len; i++)
		if (!name[i] || (!isalnum((unsigned char)name[i]) &&
				 !strchr("!#$%&'*+-.^_`|~", name[i])))
			return false;
	for (size_t i = 0; i < value_len; i++)
		if (((unsigned char)value[i] < ' ' && value[i] != '\t') ||
		    value[i] == 0x7f)
			return false;
	return true;
}

bool gate_is_json(const char *content_type)
{
	static const char type[] = "application/json";
	const char *s = content_type;

	s += strspn(s, " ");
	if (strncasecmp(s, type, sizeof(type) - 1) != 0)
		return false;
	s += sizeof(type) - 1;
	s += strspn(s, " ");
	if (!*s)
		return true;
	if (*s++ != ';')
		return false;
	s += strspn(s, " ");
	return strcasecmp(s, "charset=utf-8") == 0;
}

bool gate_takes_gzip(const char *accept_encoding)
{
	/* Ends: each round goes behind a comma, or to the end. */
	for (const char *s = accept_encoding; *s;) {
		size_t len;
		size_t word;

		s += strspn(s, " \t,");
		len = strcspn(s, ",");
		word = strcspn(s, " \t,;");
		if (word == 4 && strncasecmp(s, "gzip", 4) == 0) {
			const char *q = s + word + strspn(s + word, " \t");

			/* Only with a quality of its own is it worth reading on. */
			return *q != ';' || !memchr(q, '=', len - (size_t)(q - s)) ||
			       strspn(strchr(q, '=') + 1, "0.") <
				       strcspn(strchr(q, '=') + 1, " \t,");
		}
		s += len;
	}
	return false;
}

bool gate_has_tag(const char *if_none_match, const char *tag)
{
	const size_t tag_len = strlen(tag);

	/* Ends: each round goes behind a comma, or to the end. */
	for (const char *s = if_none_match; *s;) {
		size_t len;

		s += strspn(s, " \t,");
		len = strcspn(s, " \t,");
		if (len == 1 && *s == '*')
			return true;
		if (len > 2 && strncmp(s, "W/", 2) == 0) {
			s += 2;
			len -= 2;
		}
		if (len == tag_len && strncmp(s, tag, len) == 0)
			return true;
		s += len;
	}
	return false;
}

/* --- paths and queries ------------------------------------------------------------ */

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Bytes of the character at s, 0 when it is no UTF-8 or a control. */
static size_t character(const char *s, size_t left)
{
	uint32_t c = 0;
	size_t n = text_utf8(s, left, &c);

	return c < 0x20 || (c >= 0x7f && c < 0xa0) ? 0 : n;
}

int gate_decode(const char *text, size_t len, bool query, char *buf, size_t size)
{
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (c == '%') {
			if (len - i < 3 || hex(text[i + 1]) < 0 || hex(text[i + 2]) < 0)
				return -EINVAL;
			c = (char)(hex(text[i + 1]) << 4 | hex(text[i + 2]));
			i += 2;
		} else if (query && c == '+') {
			c = ' ';
		}
		if (out + 1 >= size)
			return -EINVAL;
		buf[out++] = c;
	}
	buf[out] = '\0';
	/* Ends: each round takes a character. */
	for (size_t i = 0; i < out;) {
		size_t n = character(buf + i, out - i);

		if (n == 0)
			return -EINVAL;
		i += n;
	}
	return 0;
}

static int take_param(const char *s, size_t len, struct gate_param *p)
{
	const char *equal = memchr(s, '=', len);
	size_t name_len = equal ? (size_t)(equal - s) : len;

	if (!equal || name_len == 0 ||
	    gate_decode(s, name_len, true, p->name, sizeof(p->name)) < 0)
		return -EINVAL;
	return gate_decode(equal + 1, len - name_len - 1, true, p->value,
			   sizeof(p->value));
}

int gate_query(const char *query, struct gate_param params[GATE_PARAMS_MAX])
{
	int n = 0;

	/* Ends: each round goes behind an ampersand, or to the end. */
	for (const char *s = query; *s;) {
		size_t len = strcspn(s, "&");

		if (len > 0) {
			if (n == GATE_PARAMS_MAX || take_param(s, len, &params[n]) < 0)
				return -EINVAL;
			for (int i = 0; i < n; i++)
				if (strcmp(params[i].name, params[n].name) == 0)
					return -EINVAL;
			n++;
		}
		s += len + (s[len] == '&');
	}
	return n;
}
