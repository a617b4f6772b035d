/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Three steps. parse_xml() notes the texts of the elements we know, with their
 * places, and judges nothing but the shape. decode_tunnel() makes addresses and
 * numbers of them. judge() compares the two tunnels. For JSON the XML is taken
 * out first, and places in it are turned into places of the file.
 */
#include "edged/ctl/aws.h"

#include <ctype.h>
#include <errno.h>
#include <expat.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/secret.h"
#include "lib/text.h"

enum { PATH_LEN = 512, TUNNELS_SEEN_MAX = 16, HOLD_MIN_S = 3, HOLD_MAX_S = 65535 };

#define ASN_MAX 4294967294ull

enum field {
	F_OUR_OUTSIDE,
	F_OUR_INSIDE,
	F_OUR_MASK,
	F_OUR_CIDR,
	F_OUR_ASN,
	F_OUR_HOLD,
	F_OUTSIDE,
	F_INSIDE,
	F_MASK,
	F_CIDR,
	F_ASN,
	F_HOLD,
	F_SECRET,
	F_IPSEC_MODE,
	F_N,
};

/* clang-format off */
static const struct {
	const char *path; /* within ipsec_tunnel */
	bool needed;
} fields[F_N] = {
	[F_OUR_OUTSIDE] = { "customer_gateway/tunnel_outside_address/ip_address", true },
	[F_OUR_INSIDE] = { "customer_gateway/tunnel_inside_address/ip_address", true },
	[F_OUR_MASK] = { "customer_gateway/tunnel_inside_address/network_mask", false },
	[F_OUR_CIDR] = { "customer_gateway/tunnel_inside_address/network_cidr", true },
	[F_OUR_ASN] = { "customer_gateway/bgp/asn", false },
	[F_OUR_HOLD] = { "customer_gateway/bgp/hold_time", false },
	[F_OUTSIDE] = { "vpn_gateway/tunnel_outside_address/ip_address", true },
	[F_INSIDE] = { "vpn_gateway/tunnel_inside_address/ip_address", true },
	[F_MASK] = { "vpn_gateway/tunnel_inside_address/network_mask", false },
	[F_CIDR] = { "vpn_gateway/tunnel_inside_address/network_cidr", true },
	[F_ASN] = { "vpn_gateway/bgp/asn", false },
	[F_HOLD] = { "vpn_gateway/bgp/hold_time", false },
	[F_SECRET] = { "ike/pre_shared_key", true },
	[F_IPSEC_MODE] = { "ipsec/mode", false },
};
/* clang-format on */

struct place {
	unsigned int line;
	unsigned int column;
	long byte; /* in the XML, -1: not known */
};

/* The texts of one tunnel. */
struct found {
	struct place at;
	struct {
		char *text; /* NULL: not there */
		struct place at;
	} v[F_N];
};

struct reader {
	XML_Parser parser;
	struct aws_error *err;
	bool failed;
	struct place fault;
	char path[PATH_LEN]; /* of the element we are in: "/vpn_connection/..." */
	size_t path_len;
	struct place starts[AWS_DEPTH_MAX];
	unsigned int depth;
	char text[AWS_VALUE_MAX];
	size_t text_len;
	char id[AWS_VALUE_MAX];
	bool no_bgp;
	struct place end; /* of vpn_connection */
	struct found tunnels[AWS_TUNNELS];
	unsigned int n; /* of them, counted beyond what is kept */
};

/* --- refusing ---------------------------------------------------------------------- */

/* The first fault is the one that is told. */
static void fault(struct reader *r, struct place at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void fault(struct reader *r, struct place at, const char *fmt, ...)
{
	va_list ap;

	if (r->failed)
		return;
	va_start(ap, fmt);
	vsnprintf(r->err->text, sizeof(r->err->text), fmt, ap);
	va_end(ap);
	r->failed = true;
	r->fault = at;
	if (r->parser)
		XML_StopParser(r->parser, XML_FALSE);
}

/* A value for a message: safe, and cut where it is long. */
static const char *shown(const char *text, char *buf, size_t size)
{
	struct text t = text_init(buf, size);

	text_escape(&t, text, strlen(text));
	return buf;
}

/* --- XML ---------------------------------------------------------------------------- */

static struct place here(const struct reader *r)
{
	return (struct place){(unsigned int)XML_GetCurrentLineNumber(r->parser),
			      (unsigned int)XML_GetCurrentColumnNumber(r->parser) + 1,
			      (long)XML_GetCurrentByteIndex(r->parser)};
}

static void on_doctype(void *ctx, const XML_Char *name, const XML_Char *sysid,
		       const XML_Char *pubid, int has_internal)
{
	struct reader *r = ctx;

	(void)name;
	(void)sysid;
	(void)pubid;
	(void)has_internal;
	fault(r, here(r),
	      "a document type (DOCTYPE) has no place in the description of a VPN "
	      "connection");
}

static const char *attribute(const XML_Char **atts, const char *name)
{
	/* Ends: expat closes the list. */
	for (; *atts; atts += 2)
		if (strcmp(atts[0], name) == 0)
			return atts[1];
	return NULL;
}

/* Names as AWS gives them: letters, digits and dashes; they go into a comment. */
static bool id_ok(const char *id)
{
	size_t len = strlen(id);

	for (const char *s = id; *s; s++)
		if (!isalnum((unsigned char)*s) && *s != '-')
			return false;
	return len > 0 && len <= 64;
}

static void on_root(struct reader *r, const XML_Char *name, const XML_Char **atts)
{
	const char *id = attribute(atts, "id");
	char buf[80];

	if (strcmp(name, "vpn_connection") != 0)
		fault(r, here(r),
		      "this begins with <%s>, and the description of a VPN connection with "
		      "<vpn_connection>",
		      shown(name, buf, sizeof(buf)));
	else if (!id || !id_ok(id))
		fault(r, here(r),
		      "vpn_connection has no id such as vpn-0123456789abcdef0");
	else
		snprintf(r->id, sizeof(r->id), "%s", id);
}

static void on_start(void *ctx, const XML_Char *name, const XML_Char **atts)
{
	struct reader *r = ctx;
	size_t len = strlen(name);

	if (r->failed)
		return;
	if (r->depth == AWS_DEPTH_MAX || r->path_len + len + 2 > sizeof(r->path)) {
		fault(r, here(r), "elements are nested too deep");
		return;
	}
	r->starts[r->depth++] = here(r);
	r->path[r->path_len++] = '/';
	memcpy(r->path + r->path_len, name, len + 1);
	r->path_len += len;
	r->text_len = 0;
	if (r->depth == 1)
		on_root(r, name, atts);
	if (r->failed || strcmp(r->path, "/vpn_connection/ipsec_tunnel") != 0)
		return;
	if (r->n < AWS_TUNNELS)
		r->tunnels[r->n].at = here(r);
	r->n++;
}

static void on_text(void *ctx, const XML_Char *s, int len)
{
	struct reader *r = ctx;

	if (r->failed || r->depth == 0)
		return;
	/* White space around elements is no value. */
	for (; r->text_len == 0 && len > 0 && isspace((unsigned char)*s); s++)
		len--;
	if (r->text_len + (size_t)len >= sizeof(r->text)) {
		fault(r, here(r), "this value is longer than %d characters",
		      AWS_VALUE_MAX - 1);
		return;
	}
	memcpy(r->text + r->text_len, s, (size_t)len);
	r->text_len += (size_t)len;
}

/* Note the value of a known element of the tunnel. */
static void take_value(struct reader *r, const char *path)
{
	struct place at = r->starts[r->depth - 1];
	struct found *t;

	if (r->n == 0 || r->n > AWS_TUNNELS)
		return;
	t = &r->tunnels[r->n - 1];
	for (size_t i = 0; i < F_N; i++) {
		if (strcmp(fields[i].path, path) != 0)
			continue;
		if (t->v[i].text)
			fault(r, at, "%s stands twice in this tunnel", path);
		else if (r->text_len == 0)
			fault(r, at, "%s is empty", path);
		else
			t->v[i].text = ed_strndup(r->text, r->text_len);
		t->v[i].at = at;
		return;
	}
}

static void on_end(void *ctx, const XML_Char *name)
{
	static const char inside[] = "/vpn_connection/ipsec_tunnel/";
	struct reader *r = ctx;
	char buf[80];

	if (r->failed)
		return;
	while (r->text_len > 0 && isspace((unsigned char)r->text[r->text_len - 1]))
		r->text_len--;
	r->text[r->text_len] = '\0';
	if (strncmp(r->path, inside, sizeof(inside) - 1) == 0)
		take_value(r, r->path + sizeof(inside) - 1);
	else if (strcmp(r->path, "/vpn_connection/vpn_connection_attributes") == 0)
		r->no_bgp |= strcmp(r->text, "NoBGPVPNConnection") == 0;
	else if (strcmp(r->path, "/vpn_connection/vpn_connection_type") == 0 &&
		 strcmp(r->text, "ipsec.1") != 0)
		fault(r, r->starts[r->depth - 1],
		      "this connection is of type '%s', and only ipsec.1 is known",
		      shown(r->text, buf, sizeof(buf)));
	else if (r->depth == 1)
		r->end = here(r);
	secret_wipe(r->text, sizeof(r->text));
	r->text_len = 0;
	r->path_len -= strlen(name) + 1;
	r->path[r->path_len] = '\0';
	r->depth--;
}

/* What expat found wrong, in words that help. */
static void syntax_fault(struct reader *r)
{
	enum XML_Error code = XML_GetErrorCode(r->parser);
	struct place at = here(r);
	const char *open = strrchr(r->path, '/');

	switch ((int)code) {
	case XML_ERROR_NO_ELEMENTS:
	case XML_ERROR_UNCLOSED_TOKEN:
	case XML_ERROR_PARTIAL_CHAR:
	case XML_ERROR_UNCLOSED_CDATA_SECTION:
		if (r->depth)
			fault(r, at,
			      "the file ends here, within <%s> of line %u: it was cut off",
			      open + 1, r->starts[r->depth - 1].line);
		else
			fault(r, at, "the file ends here: it was cut off");
		return;
	case XML_ERROR_TAG_MISMATCH:
		fault(r, at, "this closes another element than <%s> of line %u",
		      r->depth ? open + 1 : "?",
		      r->depth ? r->starts[r->depth - 1].line : 0);
		return;
	case XML_ERROR_JUNK_AFTER_DOC_ELEMENT:
		fault(r, at, "something stands behind the end of the description");
		return;
	default:
		fault(r, at, "this is no XML: %s", XML_ErrorString(code));
	}
}

static void parse_xml(struct reader *r, const char *bytes, size_t len)
{
	r->parser = XML_ParserCreate(NULL);
	if (!r->parser)
		abort();
	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	if (XML_Parse(r->parser, bytes, (int)len, 1) == XML_STATUS_ERROR)
		syntax_fault(r);
	XML_ParserFree(r->parser);
	r->parser = NULL;
}

/* --- values ------------------------------------------------------------------------- */

/* The last part of a field's path, as the file has it. */
static const char *leaf(enum field f)
{
	return strrchr(fields[f].path, '/') + 1;
}

static void get_addr(struct reader *r, const struct found *t, enum field f,
		     struct addr *ret)
{
	char buf[80];

	if (addr_parse(t->v[f].text, ret) < 0 || addr_is_any(ret) ||
	    addr_is_multicast(ret) || addr_is_loopback(ret))
		fault(r, t->v[f].at, "%s: '%s' is not the address of a host", leaf(f),
		      shown(t->v[f].text, buf, sizeof(buf)));
}

static void get_number(struct reader *r, const struct found *t, enum field f,
		       uint64_t min, uint64_t max, uint64_t *ret)
{
	const char *s = t->v[f].text;
	size_t len = strspn(s, "0123456789");
	char buf[80];

	*ret = 0;
	if (len > 0 && len <= 10 && !s[len])
		*ret = strtoull(s, NULL, 10);
	if (*ret < min || *ret > max)
		fault(r, t->v[f].at, "%s: '%s' is not a number from %llu to %llu",
		      leaf(f), shown(s, buf, sizeof(buf)), (unsigned long long)min,
		      (unsigned long long)max);
}

/* The length of an inside address; mask and length must agree. */
static uint8_t get_len(struct reader *r, const struct found *t, enum field f_len,
		       enum field f_mask, uint8_t family)
{
	const char *mask = t->v[f_mask].text;
	uint64_t len;
	struct addr ones;
	struct prefix p;
	char buf[80];

	get_number(r, t, f_len, 1, family == AF_INET ? 31u : 127u, &len);
	if (r->failed || !mask)
		return (uint8_t)len;
	memset(&ones, 0xff, sizeof(ones));
	ones.family = family;
	p = prefix_of(&ones, (uint8_t)len);
	if (addr_parse(mask, &ones) < 0 || !addr_equal(&ones, &p.addr))
		fault(r, t->v[f_mask].at, "%s: '%s' is not the mask of /%u",
		      leaf(f_mask), shown(mask, buf, sizeof(buf)), (unsigned int)len);
	return (uint8_t)len;
}

static void get_secret(struct reader *r, const struct found *t, struct secret **ret)
{
	const char *s = t->v[F_SECRET].text;
	size_t len = strlen(s);
	bool good = len >= AWS_KEY_MIN && len <= AWS_KEY_MAX;

	for (size_t i = 0; i < len; i++)
		good = good && s[i] >= ' ' && s[i] < 0x7f;
	if (good)
		*ret = secret_new(s, len);
	else
		fault(r, t->v[F_SECRET].at,
		      "pre_shared_key has not %d to %d printable characters",
		      AWS_KEY_MIN, AWS_KEY_MAX);
}

static void need_fields(struct reader *r, const struct found *t)
{
	for (size_t i = 0; i < F_N; i++)
		if (fields[i].needed && !t->v[i].text)
			fault(r, t->at, "this tunnel has no %s", fields[i].path);
}

static void decode_inside(struct reader *r, const struct found *t,
			  struct aws_tunnel *ret)
{
	uint8_t len;
	struct prefix net;

	get_addr(r, t, F_OUR_INSIDE, &ret->inside.addr);
	get_addr(r, t, F_INSIDE, &ret->inside_peer);
	if (r->failed)
		return;
	ret->inside.len =
		get_len(r, t, F_OUR_CIDR, F_OUR_MASK, ret->inside.addr.family);
	len = get_len(r, t, F_CIDR, F_MASK, ret->inside_peer.family);
	if (r->failed)
		return;
	net = prefix_of(&ret->inside.addr, ret->inside.len);
	if (len != ret->inside.len || !prefix_contains(&net, &ret->inside_peer))
		fault(r, t->v[F_INSIDE].at,
		      "the inside addresses %s/%u and %s/%u lie in different networks",
		      t->v[F_OUR_INSIDE].text, ret->inside.len, t->v[F_INSIDE].text,
		      len);
	else if (addr_equal(&ret->inside.addr, &ret->inside_peer))
		fault(r, t->v[F_INSIDE].at, "both ends have the inside address %s",
		      t->v[F_INSIDE].text);
}

/* AS numbers and hold time, where the connection has BGP. */
static void decode_bgp(struct reader *r, const struct found *t, struct aws_vpn *ret)
{
	if (r->no_bgp || (!t->v[F_ASN].text && !t->v[F_OUR_ASN].text))
		return;
	if (!t->v[F_ASN].text || !t->v[F_OUR_ASN].text) {
		fault(r, t->at, "this tunnel has a bgp/asn at one end only");
		return;
	}
	get_number(r, t, F_ASN, 1, ASN_MAX, &ret->asn);
	get_number(r, t, F_OUR_ASN, 1, ASN_MAX, &ret->our_asn);
	if (t->v[F_OUR_HOLD].text)
		get_number(r, t, F_OUR_HOLD, HOLD_MIN_S, HOLD_MAX_S, &ret->hold_s);
}

/* One tunnel; *ret has what belongs to the connection as this tunnel says it. */
static void decode_tunnel(struct reader *r, const struct found *t, struct aws_vpn *ret,
			  struct aws_tunnel *ret_tunnel)
{
	char buf[80];

	need_fields(r, t);
	if (r->failed)
		return;
	if (t->v[F_IPSEC_MODE].text && strcmp(t->v[F_IPSEC_MODE].text, "tunnel") != 0)
		fault(r, t->v[F_IPSEC_MODE].at, "mode: '%s' is not tunnel",
		      shown(t->v[F_IPSEC_MODE].text, buf, sizeof(buf)));
	get_addr(r, t, F_OUR_OUTSIDE, &ret->customer);
	get_addr(r, t, F_OUTSIDE, &ret_tunnel->outside);
	if (!r->failed && ret->customer.family != ret_tunnel->outside.family)
		fault(r, t->v[F_OUTSIDE].at,
		      "the outside addresses of one tunnel are of IPv4 and IPv6");
	decode_inside(r, t, ret_tunnel);
	decode_bgp(r, t, ret);
	if (!r->failed)
		get_secret(r, t, &ret_tunnel->secret);
}

/* What must hold between the two tunnels of a connection. */
static void judge(struct reader *r, const struct aws_vpn *first,
		  const struct aws_vpn *second)
{
	const struct found *t = &r->tunnels[1];
	const struct aws_tunnel *a = &first->tunnels[0];
	const struct aws_tunnel *b = &second->tunnels[1];
	struct prefix net = prefix_of(&a->inside.addr, a->inside.len);

	if (!addr_equal(&first->customer, &second->customer))
		fault(r, t->v[F_OUR_OUTSIDE].at,
		      "the tunnels of one connection have different customer gateways");
	else if (addr_equal(&a->outside, &b->outside))
		fault(r, t->v[F_OUTSIDE].at, "both tunnels go to %s",
		      t->v[F_OUTSIDE].text);
	else if (prefix_contains(&net, &b->inside.addr))
		fault(r, t->v[F_OUR_INSIDE].at,
		      "both tunnels have inside addresses of the same network");
	else if (first->asn != second->asn || first->our_asn != second->our_asn)
		fault(r, t->v[F_ASN].text ? t->v[F_ASN].at : t->at,
		      "the tunnels of one connection have different AS numbers");
}

static void swap_tunnels(struct aws_vpn *vpn)
{
	struct aws_tunnel first = vpn->tunnels[0];

	vpn->tunnels[0] = vpn->tunnels[1];
	vpn->tunnels[1] = first;
}

static void decode(struct reader *r, const char *connection, struct aws_vpn *vpn)
{
	struct aws_vpn second = {0};

	if (connection && strcmp(connection, r->id) != 0)
		fault(r, (struct place){1, 1, 0}, "this describes %s, not %s", r->id,
		      connection);
	if (r->n != AWS_TUNNELS)
		fault(r, r->end, "it has %u tunnel%s, and a VPN connection has %d",
		      r->n, r->n == 1 ? "" : "s", AWS_TUNNELS);
	if (r->failed)
		return;
	snprintf(vpn->id, sizeof(vpn->id), "%s", r->id);
	decode_tunnel(r, &r->tunnels[0], vpn, &vpn->tunnels[0]);
	decode_tunnel(r, &r->tunnels[1], &second, &second.tunnels[1]);
	if (!r->failed)
		judge(r, vpn, &second);
	vpn->tunnels[1] = second.tunnels[1];
	/* The file's order means nothing: by address, a tunnel keeps its name. */
	if (!r->failed &&
	    addr_compare(&vpn->tunnels[0].outside, &vpn->tunnels[1].outside) > 0)
		swap_tunnels(vpn);
}

static void reader_fini(struct reader *r)
{
	for (size_t i = 0; i < AWS_TUNNELS; i++) {
		for (size_t k = 0; k < F_N; k++) {
			char *text = r->tunnels[i].v[k].text;

			if (text)
				secret_wipe(text, strlen(text));
			free(text);
		}
	}
	secret_wipe(r->text, sizeof(r->text));
}

static int read_xml(const char *bytes, size_t len, const char *connection,
		    struct aws_vpn *ret, struct aws_error *err, long *ret_byte)
{
	struct reader r = {.err = err};
	struct aws_vpn vpn = {0};

	parse_xml(&r, bytes, len);
	if (!r.failed)
		decode(&r, connection, &vpn);
	reader_fini(&r);
	if (!r.failed) {
		*ret = vpn;
		return 0;
	}
	ctl_aws_fini(&vpn);
	err->line = r.fault.line;
	err->column = r.fault.column;
	*ret_byte = r.fault.byte;
	return -EINVAL;
}

/* --- JSON ---------------------------------------------------------------------------- */

static int whole(struct aws_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static int whole(struct aws_error *err, const char *fmt, ...)
{
	va_list ap;

	err->line = 0;
	err->column = 0;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

static int hex4(const char *s)
{
	char digits[5] = {s[0], s[1], s[2], s[3], '\0'};

	return (int)strtol(digits, NULL, 16);
}

/*
 * The escape or character at s (not past end) as UTF-8. Returns the bytes it takes
 * in the file. The file is JSON that jansson has read.
 */
static size_t unescape(const char *s, const char *end, char out[4], size_t *n)
{
	static const char from[] = "bfnrt";
	static const char to[] = "\b\f\n\r\t";
	const char *known;
	unsigned int c;

	*n = 1;
	out[0] = *s;
	if (*s != '\\' || end - s < 2)
		return 1;
	known = strchr(from, s[1]);
	out[0] = known ? to[known - from] : s[1];
	if (s[1] != 'u' || end - s < 6)
		return 2;
	c = (unsigned int)hex4(s + 2);
	if (c >= 0xd800 && c < 0xdc00 && end - s >= 12) {
		c = 0x10000 + ((c & 0x3ff) << 10) + ((unsigned int)hex4(s + 8) & 0x3ff);
		out[0] = (char)(0xf0 | c >> 18);
		out[1] = (char)(0x80 | (c >> 12 & 0x3f));
		out[2] = (char)(0x80 | (c >> 6 & 0x3f));
		out[3] = (char)(0x80 | (c & 0x3f));
		*n = 4;
		return 12;
	}
	if (c < 0x80) {
		out[0] = (char)c;
	} else if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		*n = 2;
	} else {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		*n = 3;
	}
	return 6;
}

/*
 * The string literal that begins at s: returns its end. When it reads as text, *ret
 * is where its byte number `byte` stands in the file.
 */
static const char *literal(const char *s, const char *end, const char *text, size_t len,
			   size_t byte, const char **ret)
{
	const char *at = NULL;
	size_t pos = 0;
	bool same = true;

	/* Ends: s grows. */
	while (s < end && *s != '"') {
		char out[4];
		size_t n;
		size_t take = unescape(s, end, out, &n);

		if (pos <= byte && byte < pos + n)
			at = s;
		same = same && pos + n <= len && memcmp(text + pos, out, n) == 0;
		pos += n;
		s += take;
	}
	if (same && pos == len)
		*ret = at ? at : s;
	return s < end ? s + 1 : end;
}

/* Turn a place in the XML, which is the string text of the file, into one of the file. */
static void place_in_json(const char *bytes, size_t size, const char *text, long byte,
			  struct aws_error *err)
{
	const char *end = bytes + size;
	const char *at = NULL;

	/* Ends: s grows. */
	for (const char *s = bytes; s < end && !at;)
		s = *s == '"' ? literal(s + 1, end, text, strlen(text),
					byte < 0 ? 0 : (size_t)byte, &at)
			      : s + 1;
	if (!at)
		return;
	err->line = 1;
	err->column = 1;
	for (const char *s = bytes; s < at; s++) {
		if (*s == '\n') {
			err->line++;
			err->column = 1;
		} else if ((*s & 0xc0) != 0x80) {
			err->column++;
		}
	}
}

static const char *configuration(const json_t *vpn)
{
	const char *text =
		json_string_value(json_object_get(vpn, "CustomerGatewayConfiguration"));

	return text && *text ? text : NULL;
}

/* The connection that is meant: its XML, NULL after a message. */
static const char *choose(const json_t *list, const char *connection,
			  struct aws_error *err)
{
	const char *chosen = NULL;
	char names[256];
	struct text t = text_init(names, sizeof(names));
	unsigned int n = 0;
	const json_t *vpn;
	size_t i;

	json_array_foreach (list, i, vpn) {
		const char *id =
			json_string_value(json_object_get(vpn, "VpnConnectionId"));

		if (!configuration(vpn) ||
		    (connection && (!id || strcmp(id, connection) != 0)))
			continue;
		chosen = configuration(vpn);
		n++;
		if (id && id_ok(id))
			text_list(&t, ", ", id);
	}
	if (n == 1)
		return chosen;
	if (n > 1)
		whole(err, "it holds %u connections: choose one of %s by --connection",
		      n, names);
	else if (connection)
		whole(err, "it holds no CustomerGatewayConfiguration of %s",
		      connection);
	else
		whole(err,
		      "it holds no VPN connection with a CustomerGatewayConfiguration");
	return NULL;
}

/* The XML within the answer of the AWS CLI, NULL after a message. */
static const char *find_xml(const json_t *root, const char *connection,
			    struct aws_error *err)
{
	const json_t *list = json_object_get(root, "VpnConnections");
	json_t *one = json_object_get(root, "VpnConnection");
	const char *text;
	json_t *wrap;

	if (json_is_string(root))
		return json_string_value(root);
	if (json_is_array(root))
		list = root;
	if (list)
		return choose(list, connection, err);
	wrap = json_array();
	json_array_append(wrap, one ? one : (json_t *)(uintptr_t)root);
	text = choose(wrap, connection, err);
	json_decref(wrap);
	return text;
}

static int read_json(const char *bytes, size_t len, const char *connection,
		     struct aws_vpn *ret, struct aws_error *err)
{
	json_error_t where;
	json_t *root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
				  &where);
	const char *xml;
	long byte = -1;
	int result = -EINVAL;

	if (!root) {
		bool cut = json_error_code(&where) == json_error_premature_end_of_input;
		char *near = strstr(where.text, " near '");

		/* What stands near it may be a secret. */
		if (near)
			*near = '\0';
		err->line = where.line > 0 ? (unsigned int)where.line : 1;
		err->column = where.column > 0 ? (unsigned int)where.column : 1;
		snprintf(err->text, sizeof(err->text), "this is no JSON: %s",
			 cut ? "the file ends here, it was cut off" : where.text);
		return -EINVAL;
	}
	xml = find_xml(root, connection, err);
	if (xml) {
		result = read_xml(xml, strlen(xml), connection, ret, err, &byte);
		if (result < 0)
			place_in_json(bytes, len, xml, byte, err);
		secret_wipe((char *)(uintptr_t)xml, strlen(xml));
	}
	json_decref(root);
	return result;
}

int ctl_aws_read(const char *bytes, size_t len, const char *connection,
		 struct aws_vpn *ret, struct aws_error *err)
{
	size_t start = len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
	long byte;

	*err = (struct aws_error){0};
	if (len > AWS_FILE_MAX)
		return whole(err, "the file is too large (1 MB at most)");
	while (start < len && isspace((unsigned char)bytes[start]))
		start++;
	if (start == len)
		return whole(err, "the file is empty");
	if (bytes[start] == '<')
		return read_xml(bytes, len, connection, ret, err, &byte);
	if (strchr("{[\"", bytes[start]))
		return read_json(bytes, len, connection, ret, err);
	err->line = 1;
	err->column = 1;
	snprintf(
		err->text, sizeof(err->text),
		"this is neither the XML of a VPN connection nor the JSON of \"aws ec2 "
		"describe-vpn-connections\" (what the console offers for download is text "
		"for people)");
	return -EINVAL;
}

void ctl_aws_fini(struct aws_vpn *vpn)
{
	for (size_t i = 0; i < AWS_TUNNELS; i++)
		secret_free(vpn->tunnels[i].secret);
	*vpn = (struct aws_vpn){0};
}
