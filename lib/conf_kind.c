/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kinds of values. Each parse function is strict: what it does not fully
 * understand it refuses with what would be right. Sentences go on after the
 * quoted value: "'100mb' is not a rate (write 512kbit, 100mbit or 1gbit)".
 */
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/addr.h"
#include "lib/alloc.h"
#include "lib/conf.h"
#include "lib/text.h"

struct unit {
	const char *name;
	uint64_t value;
};

static const struct unit durations[] = {
	{"us", 1},	   {"ms", 1000},       {"s", 1000000},
	{"sec", 1000000},  {"min", 60000000},  {"m", 60000000},
	{"h", 3600000000}, {"d", 86400000000}, {NULL, 0},
};

static const struct unit rates[] = {
	{"bit", 1}, {"kbit", 1000}, {"mbit", 1000000}, {"gbit", 1000000000}, {NULL, 0},
};

static const struct unit sizes[] = {
	{"kb", 1000},	       {"mb", 1000000},	    {"gb", 1000000000},
	{"tb", 1000000000000}, {"kib", 1ull << 10}, {"mib", 1ull << 20},
	{"gib", 1ull << 30},   {"tib", 1ull << 40}, {NULL, 0},
};

static const struct unit percents[] = {
	{"%", 10000},
	{NULL, 0},
};

/* --- numbers -------------------------------------------------------------- */

/* What stands for every larger number, too: it is out of every range here. */
enum { HUGE_DIGITS = 18 };
static const uint64_t huge = 1000000000000000000;

/* Digits; a number of more than 18 of them becomes huge. */
static bool digits(const char **s, uint64_t *ret)
{
	const char *start = *s;
	uint64_t v = 0;

	while (**s == '0')
		(*s)++;
	for (unsigned int n = 0; isdigit((unsigned char)**s); n++) {
		v = n < HUGE_DIGITS ? v * 10 + (uint64_t)(**s - '0') : huge;
		(*s)++;
	}
	*ret = v;
	return *s > start;
}

/*
 * "1.5" before the unit as millionths of the unit's value: whole * value, then
 * the fraction digit by digit, so that 0.1 is exact where the unit allows it.
 */
static bool scaled(const char *text, const struct unit *units, uint64_t *ret)
{
	const char *s = text;
	const char *fraction = NULL;
	const struct unit *u;
	uint64_t whole;
	uint64_t part = 0;
	uint64_t scale = 1;

	if (!digits(&s, &whole))
		return false;
	if (*s == '.') {
		fraction = ++s;
		if (!digits(&s, &part) || s - fraction > 6)
			return false;
		for (; fraction < s; fraction++)
			scale *= 10;
	}
	while (*s == ' ')
		s++;
	for (u = units; u->name; u++)
		if (strcasecmp(u->name, s) == 0)
			break;
	if (!u->name)
		return false;
	if (whole > huge / u->value) {
		*ret = huge;
		return true;
	}
	if (u->value <= UINT64_MAX / 4 / (part + 1))
		part = part * u->value / scale;
	else
		part = u->value / scale * part;
	*ret = whole * u->value + part;
	return true;
}

/* Print v in the largest unit that divides it. */
static void put_scaled(struct text *t, uint64_t v, const struct unit *units)
{
	const struct unit *best = NULL;

	for (const struct unit *u = units; u->name; u++)
		if (v % u->value == 0 && (!best || u->value > best->value))
			best = u;
	if (best)
		text_add(t, "%llu%s", (unsigned long long)(v / best->value),
			 best->name);
	else
		text_add(t, "%llu", (unsigned long long)v);
}

static bool is_off(const struct conf_row *row, const char *text)
{
	return (row->flags & CONF_OFF) && strcasecmp(text, "off") == 0;
}

static bool parse_bool(const struct conf_row *row, const char *text, void *dest,
		       struct text *why)
{
	static const char *const yes[] = {"yes", "true", "on"};
	static const char *const no[] = {"no", "false", "off"};

	(void)row;
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcasecmp(text, yes[i]) == 0) {
			*(bool *)dest = true;
			return true;
		}
		if (strcasecmp(text, no[i]) == 0)
			return true;
	}
	text_add(why, "is neither yes nor no");
	return false;
}

static void format_bool(const struct conf_row *row, const void *v, struct text *t)
{
	(void)row;
	text_add(t, "%s", *(const bool *)v ? "yes" : "no");
}

static bool parse_uint(const struct conf_row *row, const char *text, void *dest,
		       struct text *why)
{
	const char *s = text;

	if (is_off(row, text))
		return true;
	if (digits(&s, dest) && !*s)
		return true;
	if (*text == '-' && isdigit((unsigned char)text[1]))
		text_add(why, "is negative (write a number from %llu to %llu)",
			 (unsigned long long)row->min, (unsigned long long)row->max);
	else if (row->max)
		text_add(why, "is not a whole number (write one from %llu to %llu)",
			 (unsigned long long)row->min, (unsigned long long)row->max);
	else
		text_add(why, "is not a whole number");
	return false;
}

static void format_uint(const struct conf_row *row, const void *v, struct text *t)
{
	uint64_t n = *(const uint64_t *)v;

	if (n == 0 && (row->flags & CONF_OFF))
		text_add(t, "off");
	else
		text_add(t, "%llu", (unsigned long long)n);
}

/* A number alone: the usual way to forget a unit. */
static bool bare_number(const char *text)
{
	size_t n = strspn(text, "0123456789.");

	return n > 0 && !text[n];
}

/* Nothing needs no unit, and is out of range where the range begins above it. */
static bool bare_zero(const struct conf_row *row, const char *text)
{
	return row->min > 0 && !(row->flags & CONF_OFF) && *text == '0' &&
	       bare_number(text) && !text[strspn(text, "0.")];
}

/* Units as people write them elsewhere, and ours; ends with NULL. */
struct habit {
	const char *theirs;
	const char *ours;
};

/* Say which of our units is meant, where the number is good. */
static void meant(const char *text, const struct habit *habits, struct text *why)
{
	size_t n = strspn(text, "0123456789.");
	const char *unit = text + n + strspn(text + n, " ");

	if (!isdigit((unsigned char)*text) || n > 18)
		return;
	for (const struct habit *h = habits; h->theirs; h++)
		if (strcasecmp(unit, h->theirs) == 0)
			text_add(why, ", did you mean '%.*s%s'?", (int)n, text,
				 h->ours);
}

static bool parse_duration(const struct conf_row *row, const char *text, void *dest,
			   struct text *why)
{
	static const struct habit habits[] = {
		{"msec", "ms"},	 {"msecs", "ms"},   {"millis", "ms"},
		{"secs", "s"},	 {"second", "s"},   {"seconds", "s"},
		{"mins", "min"}, {"minute", "min"}, {"minutes", "min"},
		{"hr", "h"},	 {"hour", "h"},	    {"hours", "h"},
		{"day", "d"},	 {"days", "d"},	    {"usec", "us"},
		{NULL, NULL},
	};

	if (is_off(row, text) || scaled(text, durations, dest) || bare_zero(row, text))
		return true;
	if (bare_number(text)) {
		text_add(why, "has no unit (write %sms or %ss)", text, text);
		return false;
	}
	text_add(why, "is not a duration (write 150ms, 10s, 5min or 8h)");
	meant(text, habits, why);
	return false;
}

static void format_duration(const struct conf_row *row, const void *v, struct text *t)
{
	static const struct unit shown[] = {
		{"us", 1},	   {"ms", 1000},      {"s", 1000000},
		{"min", 60000000}, {"h", 3600000000}, {NULL, 0},
	};
	uint64_t n = *(const uint64_t *)v;

	if (n == 0 && (row->flags & CONF_OFF))
		text_add(t, "off");
	else if (n == 0)
		text_add(t, "0s");
	else
		put_scaled(t, n, shown);
}

static bool parse_rate(const struct conf_row *row, const char *text, void *dest,
		       struct text *why)
{
	static const struct habit habits[] = {
		{"k", "kbit"},	{"kb", "kbit"}, {"kbps", "kbit"}, {"kbits", "kbit"},
		{"m", "mbit"},	{"mb", "mbit"}, {"mbps", "mbit"}, {"mbits", "mbit"},
		{"g", "gbit"},	{"gb", "gbit"}, {"gbps", "gbit"}, {"gbits", "gbit"},
		{"bps", "bit"}, {NULL, NULL},
	};
	char unit[32];
	size_t len = strlen(text);

	/* 100Mbit/s means the same. */
	if (len > 2 && len < sizeof(unit) && strcasecmp(text + len - 2, "/s") == 0) {
		memcpy(unit, text, len - 2);
		unit[len - 2] = '\0';
		text = unit;
	}
	if (scaled(text, rates, dest) || bare_zero(row, text))
		return true;
	if (bare_number(text)) {
		text_add(why, "has no unit (write %smbit)", text);
		return false;
	}
	text_add(why, "is not a rate (write 512kbit, 100mbit or 1gbit)");
	meant(text, habits, why);
	return false;
}

static void format_rate(const struct conf_row *row, const void *v, struct text *t)
{
	(void)row;
	put_scaled(t, *(const uint64_t *)v, rates);
}

static bool parse_bytes(const struct conf_row *row, const char *text, void *dest,
			struct text *why)
{
	static const struct habit habits[] = {
		{"m", "mb"}, {"mbyte", "mb"}, {"g", "gb"},  {"gbyte", "gb"},
		{"t", "tb"}, {"tbyte", "tb"}, {NULL, NULL},
	};

	if (scaled(text, sizes, dest) || bare_zero(row, text))
		return true;
	if (bare_number(text)) {
		text_add(why, "has no unit (write %sgb)", text);
		return false;
	}
	text_add(why, "is not an amount of data (write 500mb, 10gb or 1tb)");
	meant(text, habits, why);
	return false;
}

static void format_bytes(const struct conf_row *row, const void *v, struct text *t)
{
	static const struct unit shown[] = {
		{"kb", 1000},	       {"mb", 1000000}, {"gb", 1000000000},
		{"tb", 1000000000000}, {NULL, 0},
	};

	(void)row;
	put_scaled(t, *(const uint64_t *)v, shown);
}

static bool parse_percent(const struct conf_row *row, const char *text, void *dest,
			  struct text *why)
{
	static const struct habit habits[] = {
		{"percent", "%"},
		{"pct", "%"},
		{NULL, NULL},
	};

	if (scaled(text, percents, dest) || bare_zero(row, text))
		return true;
	if (bare_number(text)) {
		text_add(why, "has no unit (write %s%%)", text);
		return false;
	}
	text_add(why, "is not a share (write 1%% or 0.5%%)");
	meant(text, habits, why);
	return false;
}

static void format_percent(const struct conf_row *row, const void *v, struct text *t)
{
	uint64_t ppm = *(const uint64_t *)v;
	char buf[32];
	size_t len;

	(void)row;
	len = (size_t)snprintf(buf, sizeof(buf), "%llu.%04llu",
			       (unsigned long long)(ppm / 10000),
			       (unsigned long long)(ppm % 10000));
	while (buf[len - 1] == '0')
		len--;
	if (buf[len - 1] == '.')
		len--;
	text_add(t, "%.*s%%", (int)len, buf);
}

/* --- words and texts ------------------------------------------------------ */

const char *conf_word(const struct conf_word *words, uint64_t value)
{
	for (const struct conf_word *w = words; w && w->word; w++)
		if (w->value == value)
			return w->word;
	return "?";
}

static bool parse_word(const struct conf_row *row, const char *text, void *dest,
		       struct text *why)
{
	const struct conf_word *near = NULL;

	for (const struct conf_word *w = row->words; w->word; w++) {
		if (strcasecmp(w->word, text) == 0) {
			*(uint64_t *)dest = w->value;
			return true;
		}
		if (!near && conf_near(text, conf_distance(text, w->word)))
			near = w;
	}
	text_add(why, "is not known here (");
	for (const struct conf_word *w = row->words; w->word; w++)
		text_add(why, "%s%s",
			 w == row->words ? ""
			 : w[1].word	 ? ", "
					 : " or ",
			 w->word);
	text_add(why, ")");
	if (near)
		text_add(why, ", did you mean '%s'?", near->word);
	return false;
}

static void format_word(const struct conf_row *row, const void *v, struct text *t)
{
	text_add(t, "%s", conf_word(row->words, *(const uint64_t *)v));
}

static bool parse_text(const struct conf_row *row, const char *text, void *dest,
		       struct text *why)
{
	(void)row;
	for (const char *s = text; *s; s++) {
		if (*s >= ' ' && *s < 0x7f)
			continue;
		text_add(why, "holds a character that is not printable ASCII");
		return false;
	}
	if (strlen(text) > 255) {
		text_add(why, "is longer than 255 characters");
		return false;
	}
	*(char **)dest = ed_strdup(text);
	return true;
}

static void format_string(const struct conf_row *row, const void *v, struct text *t)
{
	(void)row;
	text_add(t, "%s", *(char *const *)v ? *(char *const *)v : "");
}

static bool parse_path(const struct conf_row *row, const char *text, void *dest,
		       struct text *why)
{
	if (*text != '/') {
		text_add(why, "is not a full path (it begins with '/')");
		return false;
	}
	if (strlen(text) > 80) {
		text_add(why, "is longer than 80 characters");
		return false;
	}
	for (const char *s = text; *s; s++) {
		if (isalnum((unsigned char)*s) || strchr("/._-+@:", *s))
			continue;
		text_add(why, "holds a character other than a-z A-Z 0-9 / . _ - + @ :");
		return false;
	}
	return parse_text(row, text, dest, why);
}

static bool parse_ifname(const struct conf_row *row, const char *text, void *dest,
			 struct text *why)
{
	(void)row;
	if (strlen(text) >= IFNAMSIZ) {
		text_add(why,
			 "is too long for a network interface (at most %d characters)",
			 IFNAMSIZ - 1);
		return false;
	}
	for (const char *s = text; *s; s++) {
		if (isalnum((unsigned char)*s) || (s > text && strchr("._-@+", *s)) ||
		    *s == '_')
			continue;
		text_add(why, "is not the name of a network interface (see: ip link)");
		return false;
	}
	if (strcmp(text, "lo") == 0) {
		text_add(why, "is the loopback interface");
		return false;
	}
	*(char **)dest = ed_strdup(text);
	return true;
}

/* --- addresses ------------------------------------------------------------ */

/* "10.042.0.1": some programs take 042 as octal, so nobody can be sure. */
static bool leading_zero(const char *text, struct text *why)
{
	size_t len = strspn(text, "0123456789.");

	if (strchr(text, ':') || (text[len] && text[len] != '/'))
		return false;
	for (size_t i = 0; i + 1 < len; i++) {
		if (text[i] != '0' || (i && text[i - 1] != '.') || text[i + 1] == '.')
			continue;
		text_add(why, "has a number that begins with 0: write it without");
		return true;
	}
	return false;
}

/* The usual ways to write an address that is none; false: nothing known. */
static bool odd_address(const char *text, struct text *why)
{
	if (leading_zero(text, why))
		return true;
	if (*text == '[') {
		text_add(why, "is written without brackets here");
		return true;
	}
	if (strchr(text, '%')) {
		text_add(why, "names an interface after '%%': write the address alone");
		return true;
	}
	if (strstr(text, "://")) {
		text_add(why, "is a web address: write the name or address alone");
		return true;
	}
	if (strchr(text, '/')) {
		text_add(why, "has a prefix length: write the address alone");
		return true;
	}
	return false;
}

/* The IPv4 address of ::ffff:192.0.2.1; false: it is none. */
static bool unmapped(const struct addr *a, struct addr *ret)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (a->family != AF_INET6 || memcmp(a->b, mapped, sizeof(mapped)) != 0)
		return false;
	*ret = addr_from_bytes(AF_INET, a->b + 12);
	return true;
}

/* The same of a prefix, with its length; true after a message. */
static bool mapped_prefix(const struct prefix *p, struct text *why)
{
	char buf[ADDR_STRLEN];
	struct addr v4;

	if (!unmapped(&p->addr, &v4) || p->len < 96)
		return false;
	text_add(why, "is an IPv4 address written as IPv6 (write %s/%u)",
		 addr_format(&v4, buf), p->len - 96u);
	return true;
}

/* Addresses that no host has, or none that others can reach. */
static bool unusable(const struct addr *a, struct text *why)
{
	char buf[ADDR_STRLEN];
	struct addr v4;

	if (unmapped(a, &v4)) {
		text_add(why, "is an IPv4 address written as IPv6 (write %s)",
			 addr_format(&v4, buf));
		return true;
	}
	if (addr_is_any(a))
		text_add(why, "is the unspecified address");
	else if (addr_is_multicast(a))
		text_add(why, "is a multicast address");
	else if (addr_is_loopback(a))
		text_add(why, "is a loopback address");
	else if (a->family == AF_INET && a->b[0] == 0)
		text_add(why, "lies in 0.0.0.0/8, which no host has");
	else if (a->family == AF_INET && a->b[0] >= 240)
		text_add(why, "lies in 240.0.0.0/4, which no host has");
	else
		return false;
	return true;
}

static bool parse_addr(const struct conf_row *row, const char *text, void *dest,
		       struct text *why)
{
	(void)row;
	if (addr_parse(text, dest) < 0) {
		if (!odd_address(text, why))
			text_add(why, "is not an IP address (write 192.0.2.1 or "
				      "2001:db8::1)");
		return false;
	}
	return !unusable(dest, why);
}

static void format_addr(const struct conf_row *row, const void *v, struct text *t)
{
	const struct addr *a = v;
	char buf[ADDR_STRLEN];

	(void)row;
	if (a->family)
		text_add(t, "%s", addr_format(a, buf));
}

/* The first label that cannot be part of a DNS name; NULL: all can. */
static const char *bad_label(const char *text)
{
	const char *s = text;

	/* Ends: each round takes a label and its dot. */
	for (;;) {
		size_t len = strcspn(s, ".");

		if (len == 0 || len > 63 || s[0] == '-' || s[len - 1] == '-')
			return s;
		for (size_t i = 0; i < len; i++)
			if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_')
				return s;
		s += len;
		if (!*s || !s[1])
			return NULL;
		s++;
	}
}

static bool parse_host(const struct conf_row *row, const char *text, void *dest,
		       struct text *why)
{
	const char *last = strrchr(text, '.');
	struct addr a;

	(void)row;
	if (addr_parse(text, &a) == 0) {
		if (unusable(&a, why))
			return false;
		if (addr_is_link_local(&a)) {
			text_add(why, "is a link-local address");
			return false;
		}
		*(char **)dest = ed_strdup(text);
		return true;
	}
	if (odd_address(text, why))
		return false;
	last = last ? last + 1 : text;
	if (strchr(text, ':')) {
		text_add(why, "is not an IPv6 address; a port is not written here");
	} else if (*last && strspn(last, "0123456789") == strlen(last)) {
		text_add(why, "is not an IPv4 address");
	} else if (strlen(text) > 253 || bad_label(text)) {
		text_add(why, "is neither an IP address nor a DNS name");
	} else {
		*(char **)dest = ed_strdup(text);
		return true;
	}
	return false;
}

/* "10.0.0.0/255.0.0.0": say the length that is meant; false: it is no netmask. */
static bool netmask(const char *text, size_t len, const char *mask, struct text *why)
{
	struct addr a;
	uint32_t bits;
	unsigned int n = 0;

	if (addr_parse(mask, &a) < 0 || a.family != AF_INET)
		return false;
	bits = (uint32_t)a.b[0] << 24 | (uint32_t)a.b[1] << 16 | (uint32_t)a.b[2] << 8 |
	       a.b[3];
	while (n < 32 && (bits & 0x80000000u >> n))
		n++;
	if (n < 32 && bits << n)
		return false;
	text_add(why, "has a netmask (write %.*s/%u)", (int)len, text, n);
	return true;
}

/* Address and length; the length is needed. */
static bool read_prefix(const char *text, struct prefix *ret, struct text *why)
{
	const char *slash = strchr(text, '/');
	struct addr a;
	int err;

	if (!slash) {
		if (addr_parse(text, &a) == 0)
			text_add(why,
				 "has no prefix length (write %s/%d for this address "
				 "alone)",
				 text, addr_bits(a.family));
		else
			text_add(why, "is not a prefix (write 10.0.0.0/8)");
		return false;
	}
	err = prefix_parse(text, ret);
	if (err != -EINVAL)
		return true;
	if (netmask(text, (size_t)(slash - text), slash + 1, why) ||
	    leading_zero(text, why))
		return false;
	text_add(
		why,
		"is not a prefix (write an address, '/' and a length of at most 32 or, "
		"for IPv6, 128)");
	return false;
}

static bool parse_prefix(const struct conf_row *row, const char *text, void *dest,
			 struct text *why)
{
	struct prefix *p = dest;
	char buf[PREFIX_STRLEN];

	(void)row;
	if (!read_prefix(text, p, why))
		return false;
	if (prefix_parse(text, p) == -ERANGE) {
		text_add(why, "has bits set behind the length (write %s)",
			 prefix_format(p, buf));
		return false;
	}
	/* 0.0.0.0/0 and ::/0 are good prefixes, and so are their halves. */
	if (p->len < 4 && addr_is_any(&p->addr))
		return true;
	if (p->addr.family == AF_INET6 && addr_is_link_local(&p->addr)) {
		text_add(why, "is link-local: such addresses are not routed");
		return false;
	}
	if (p->addr.family == AF_INET && p->addr.b[0] == 0 && p->len < 32) {
		text_add(why, "lies in 0.0.0.0/8, which no host has");
		return false;
	}
	return !mapped_prefix(p, why) && !unusable(&p->addr, why);
}

static void format_prefix(const struct conf_row *row, const void *v, struct text *t)
{
	const struct prefix *p = v;
	char buf[PREFIX_STRLEN];

	(void)row;
	if (p->addr.family)
		text_add(t, "%s", prefix_format(p, buf));
}

static bool parse_ifaddr(const struct conf_row *row, const char *text, void *dest,
			 struct text *why)
{
	struct prefix *p = dest;
	struct prefix net;
	char host[ADDR_STRLEN];
	const char *slash = strchr(text, '/');
	struct addr last;
	uint8_t bits;

	(void)row;
	if (!read_prefix(text, p, why))
		return false;
	if ((size_t)(slash - text) >= sizeof(host))
		return false;
	memcpy(host, text, (size_t)(slash - text));
	host[slash - text] = '\0';
	if (addr_parse(host, &p->addr) < 0 || mapped_prefix(p, why) ||
	    unusable(&p->addr, why)) {
		if (!why->len)
			text_add(why, "is not an address with a length");
		return false;
	}
	net = prefix_of(&p->addr, p->len);
	bits = (uint8_t)(addr_bits(p->addr.family) - p->len);
	if (bits < 2 || p->len == 0)
		return true;
	last = bits < 32 ? addr_offset(&net.addr, (1ull << bits) - 1) : net.addr;
	if (addr_equal(&net.addr, &p->addr)) {
		text_add(why, "is the network's own address, not a host's");
		return false;
	}
	if (p->addr.family == AF_INET && addr_equal(&last, &p->addr)) {
		text_add(why, "is the network's broadcast address");
		return false;
	}
	return true;
}

static bool parse_listen(const struct conf_row *row, const char *text, void *dest,
			 struct text *why)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t len = colon ? (size_t)(colon - text) : 0;
	struct addr a;
	uint64_t port;
	const char *s;

	(void)row;
	if (len == 0 || len >= sizeof(host))
		goto bad;
	memcpy(host, text, len);
	host[len] = '\0';
	if (host[0] == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		memmove(host, host + 1, len - 1);
	} else if (strchr(host, ':')) {
		goto bad;
	}
	s = colon + 1;
	if (addr_parse(host, &a) < 0 || !digits(&s, &port) || *s || port < 1 ||
	    port > 65535)
		goto bad;
	*(char **)dest = ed_strdup(text);
	return true;

bad:
	text_add(
		why,
		"is not an address and port (write 10.0.0.1:443 or \"[fd00::1]:443\")");
	return false;
}

/* clang-format off */
#define KIND(n, ...) const struct conf_kind conf_kind_##n = { .name = #n, __VA_ARGS__ }

KIND(bool, .form = "yes or no", .size = sizeof(bool),
     .pattern = "^([Yy][Ee][Ss]|[Nn][Oo]|[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Oo][Nn]|[Oo][Ff][Ff])$",
     .parse = parse_bool, .format = format_bool);
KIND(uint, .form = "a whole number", .size = 8, .number = true,
     .pattern = "^[0-9]{1,18}$",
     .parse = parse_uint, .format = format_uint);
KIND(duration, .form = "a duration such as 150ms, 10s, 5min or 8h", .size = 8, .number = true,
     .pattern = "^[0-9]+(\\.[0-9]{1,6})? *([UuMm]?[Ss]|[Ss][Ee][Cc]|[Mm]([Ii][Nn])?|[HhDd])$",
     .parse = parse_duration, .format = format_duration);
KIND(rate, .form = "a rate such as 512kbit, 100mbit or 1gbit", .size = 8, .number = true,
     .pattern = "^[0-9]+(\\.[0-9]{1,6})? *[KkMmGg]?[Bb][Ii][Tt](/[Ss])?$",
     .parse = parse_rate, .format = format_rate);
KIND(bytes, .form = "an amount of data such as 500mb or 10gb", .size = 8, .number = true,
     .pattern = "^[0-9]+(\\.[0-9]{1,6})? *[KkMmGgTt][Ii]?[Bb]$",
     .parse = parse_bytes, .format = format_bytes);
KIND(percent, .form = "a share such as 1% or 0.5%", .size = 8, .number = true,
     .pattern = "^[0-9]+(\\.[0-9]{1,6})? *%$",
     .parse = parse_percent, .format = format_percent);
KIND(word, .form = "a word", .size = 8,
     .parse = parse_word, .format = format_word);
KIND(text, .form = "a text", .size = sizeof(char *), .string = true,
     .pattern = "^[ -~]{1,255}$", .bare = true,
     .parse = parse_text, .format = format_string);
KIND(path, .form = "a full path", .size = sizeof(char *), .string = true,
     .pattern = "^/[A-Za-z0-9/._+@:-]{0,79}$",
     .parse = parse_path, .format = format_string);
KIND(ifname, .form = "a network interface", .size = sizeof(char *), .string = true,
     .pattern = "^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,14}$",
     .parse = parse_ifname, .format = format_string);
KIND(addr, .form = "an IP address", .size = sizeof(struct addr),
     .pattern = "^([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)$",
     .parse = parse_addr, .format = format_addr);
KIND(host, .form = "an IP address or a DNS name", .size = sizeof(char *), .string = true,
     .pattern = "^[A-Za-z0-9_.:-]{1,253}$",
     .parse = parse_host, .format = format_string);
KIND(prefix, .form = "a prefix such as 10.0.0.0/8", .size = sizeof(struct prefix),
     .pattern = "^([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)/[0-9]{1,3}$",
     .parse = parse_prefix, .format = format_prefix);
KIND(ifaddr, .form = "an address with its length such as 169.254.45.42/30",
     .pattern = "^([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)/[0-9]{1,3}$",
     .size = sizeof(struct prefix), .parse = parse_ifaddr, .format = format_prefix);
KIND(listen, .form = "an address and port such as 10.0.0.1:443", .size = sizeof(char *),
     .pattern = "^([0-9]{1,3}(\\.[0-9]{1,3}){3}|\\[[0-9a-fA-F:.]+\\]):[0-9]{1,5}$",
     .string = true, .parse = parse_listen, .format = format_string);
/* clang-format on */
