/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/config/schema.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/addr.h"
#include "lib/alloc.h"
#include "lib/conf.h"
#include "lib/text.h"

/* --- kinds of this file --------------------------------------------------- */

/* RFC 2474, 2597, 3246, 5865, 8622. */
static const struct conf_word code_points[] = {
	{"BE", 0},    {"DF", 0},    {"LE", 1},	  {"CS0", 0},	{"CS1", 8},
	{"CS2", 16},  {"CS3", 24},  {"CS4", 32},  {"CS5", 40},	{"CS6", 48},
	{"CS7", 56},  {"AF11", 10}, {"AF12", 12}, {"AF13", 14}, {"AF21", 18},
	{"AF22", 20}, {"AF23", 22}, {"AF31", 26}, {"AF32", 28}, {"AF33", 30},
	{"AF41", 34}, {"AF42", 36}, {"AF43", 38}, {"VA", 44},	{"EF", 46},
	{NULL, 0},
};

/* IANA protocol numbers that have ports or that people filter by. */
static const struct conf_word protocols[] = {
	{"icmp", 1}, {"tcp", 6},     {"udp", 17},   {"gre", 47},
	{"esp", 50}, {"icmpv6", 58}, {"sctp", 132}, {NULL, 0},
};

static bool parse_code(const char *text, const struct conf_word *words, uint64_t max,
		       uint64_t *ret)
{
	char *end;
	unsigned long v;

	for (const struct conf_word *w = words; w->word; w++) {
		if (strcasecmp(w->word, text) == 0) {
			*ret = w->value;
			return true;
		}
	}
	if (!isdigit((unsigned char)text[0]) || strlen(text) > 5)
		return false;
	v = strtoul(text, &end, 10);
	if (*end || v > max)
		return false;
	*ret = v;
	return true;
}

static bool parse_dscp(const struct conf_row *row, const char *text, void *dest,
		       struct text *why)
{
	(void)row;
	if (parse_code(text, code_points, 63, dest))
		return true;
	text_add(why,
		 "is not a DSCP mark (EF, AF11 to AF43, CS0 to CS7, VA, LE, BE, or a "
		 "number from 0 to 63)");
	return false;
}

static void format_dscp(const struct conf_row *row, const void *v, struct text *t)
{
	uint64_t n = *(const uint64_t *)v;

	(void)row;
	for (const struct conf_word *w = code_points; w->word; w++) {
		if (w->value == n) {
			text_add(t, "%s", w->word);
			return;
		}
	}
	text_add(t, "%llu", (unsigned long long)n);
}

static bool parse_protocol(const struct conf_row *row, const char *text, void *dest,
			   struct text *why)
{
	(void)row;
	if (parse_code(text, protocols, 255, dest) && *(uint64_t *)dest)
		return true;
	text_add(why, "is not a protocol (tcp, udp, icmp, icmpv6, sctp, gre, esp, or a "
		      "number from 1 to 255)");
	return false;
}

static void format_protocol(const struct conf_row *row, const void *v, struct text *t)
{
	uint64_t n = *(const uint64_t *)v;
	const char *word = conf_word(protocols, n);

	(void)row;
	if (n == 0)
		return;
	if (*word == '?')
		text_add(t, "%llu", (unsigned long long)n);
	else
		text_add(t, "%s", word);
}

static bool parse_ports(const struct conf_row *row, const char *text, void *dest,
			struct text *why)
{
	uint32_t *port = dest;
	unsigned long v[2] = {0, 0};
	const char *s = text;
	char *end;
	int n;

	(void)row;
	for (n = 0; n < 2; n++) {
		if (!isdigit((unsigned char)*s) || strspn(s, "0123456789") > 5)
			break;
		v[n] = strtoul(s, &end, 10);
		s = end;
		if (*s != '-')
			break;
		s++;
	}
	if (n == 0 && s > text)
		v[1] = v[0];
	if (*s || v[0] < 1 || v[1] < 1 || v[0] > 65535 || v[1] > 65535) {
		text_add(why,
			 "is not a port or a range of ports (5060 or 16384-32767%s)",
			 strchr(text, ',') ? "; several: a match for each" : "");
		return false;
	}
	if (v[0] > v[1]) {
		text_add(why, "is a range that ends before it begins (write %lu-%lu)",
			 v[1], v[0]);
		return false;
	}
	port[0] = (uint32_t)v[0];
	port[1] = (uint32_t)v[1];
	return true;
}

static void format_ports(const struct conf_row *row, const void *v, struct text *t)
{
	const uint32_t *port = v;

	(void)row;
	if (port[0] && port[0] == port[1])
		text_add(t, "%u", port[0]);
	else if (port[0])
		text_add(t, "%u-%u", port[0], port[1]);
}

/* Names of objects and references to them. */
static bool parse_name(const struct conf_row *row, const char *text, void *dest,
		       struct text *why)
{
	char reason[160];

	(void)row;
	if (!config_name_ok(text, reason, sizeof(reason))) {
		text_add(why, "cannot be a name: %s", reason);
		return false;
	}
	*(char **)dest = ed_strdup(text);
	return true;
}

static void format_text(const struct conf_row *row, const void *v, struct text *t)
{
	(void)row;
	if (*(char *const *)v)
		text_add(t, "%s", *(char *const *)v);
}

/* An identity: a name as in DNS but with our looser rules, *.name, or an address. */
static bool parse_id(const struct conf_row *row, const char *text, void *dest,
		     struct text *why)
{
	const char *name = strncmp(text, "*.", 2) == 0 ? text + 2 : text;
	struct addr a;

	(void)row;
	if (addr_parse(text, &a) == 0) {
		*(char **)dest = ed_strdup(text);
		return true;
	}
	if (strchr(text, '@')) {
		text_add(why, "is a mail address: identities are names, *.name or IP "
			      "addresses");
		return false;
	}
	if (strchr(text, '=')) {
		text_add(why,
			 "looks like a distinguished name: certificates come with a "
			 "later version");
		return false;
	}
	if (!*name || strlen(text) >= CONFIG_ID_MAX - CONFIG_NAME_MAX) {
		text_add(why, "is empty or longer than %d characters",
			 CONFIG_ID_MAX - CONFIG_NAME_MAX - 1);
		return false;
	}
	for (const char *s = name; *s; s++) {
		if (isalnum((unsigned char)*s) || (s > name && strchr(".:_-", *s)))
			continue;
		text_add(why, "is not an identity (a name such as hub.example.net, "
			      "*.branch-042, or an IP address)");
		return false;
	}
	*(char **)dest = ed_strdup(text);
	return true;
}

/* What we prove is one name; what the peer must prove may be any of many. */
static bool parse_own_id(const struct conf_row *row, const char *text, void *dest,
			 struct text *why)
{
	if (text[0] == '*') {
		text_add(why, "stands for many names, and we are one: write it whole");
		return false;
	}
	return parse_id(row, text, dest, why);
}

/* `lan` among prefixes: family 0 and this length. */
enum { LAN_MARK = 255 };

bool config_is_lan(const struct prefix *p)
{
	return p->addr.family == 0 && p->len == LAN_MARK;
}

static bool parse_announce(const struct conf_row *row, const char *text, void *dest,
			   struct text *why)
{
	struct prefix *p = dest;

	if (strcasecmp(text, "lan") != 0 && !strpbrk(text, "./:")) {
		text_add(why, "is neither 'lan' nor a prefix such as 10.0.0.0/8");
		return false;
	}
	if (strcasecmp(text, "lan") != 0)
		return conf_kind_prefix.parse(row, text, dest, why);
	*p = (struct prefix){.len = LAN_MARK};
	return true;
}

static void format_announce(const struct conf_row *row, const void *v, struct text *t)
{
	if (config_is_lan(v))
		text_add(t, "lan");
	else
		conf_kind_prefix.format(row, v, t);
}

static bool parse_router_id(const struct conf_row *row, const char *text, void *dest,
			    struct text *why)
{
	struct addr *a = dest;

	if (!conf_kind_addr.parse(row, text, dest, why))
		return false;
	if (a->family == AF_INET)
		return true;
	text_add(why, "is not an IPv4 address, and a router id looks like one");
	return false;
}

static void format_router_id(const struct conf_row *row, const void *v, struct text *t)
{
	conf_kind_addr.format(row, v, t);
}

/* clang-format off */
static const struct conf_kind kind_dscp = {
	.name = "dscp", .form = "a DSCP mark such as EF, AF31, CS6 or 46", .size = 8,
	.pattern = "^([0-9]|[1-5][0-9]|6[0-3]|[Bb][Ee]|[Dd][Ff]|[Ll][Ee]|[Cc][Ss][0-7]|[Aa][Ff][1-4][1-3]|[Vv][Aa]|[Ee][Ff])$", .bare = true,
	.parse = parse_dscp, .format = format_dscp };
static const struct conf_kind kind_protocol = {
	.name = "protocol", .form = "a protocol such as tcp, udp or 50", .size = 8,
	.pattern = "^([0-9]{1,3}|[Ii][Cc][Mm][Pp]([Vv]6)?|[Tt][Cc][Pp]|[Uu][Dd][Pp]|[Gg][Rr][Ee]|[Ee][Ss][Pp]|[Ss][Cc][Tt][Pp])$", .bare = true,
	.parse = parse_protocol, .format = format_protocol };
static const struct conf_kind kind_ports = {
	.name = "ports", .form = "a port or a range of ports such as 16384-32767", .size = 8,
	.pattern = "^[0-9]{1,5}(-[0-9]{1,5})?$", .bare = true,
	.parse = parse_ports, .format = format_ports };
static const struct conf_kind kind_name = {
	.name = "name", .form = "a name", .size = sizeof(char *), .string = true,
	.pattern = "^[A-Za-z0-9][A-Za-z0-9.:_-]{0,62}$", .bare = true,
	.parse = parse_name, .format = format_text };
static const struct conf_kind kind_id = {
	.name = "identity", .form = "a name, *.name or an IP address", .size = sizeof(char *),
	.string = true,
	.pattern = "^(\\*\\.)?[A-Za-z0-9.:_-]{1,191}$", .bare = true,
	.parse = parse_id, .format = format_text };
static const struct conf_kind kind_own_id = {
	.name = "identity", .form = "a name or an IP address", .size = sizeof(char *),
	.string = true,
	.pattern = "^[A-Za-z0-9.:_-]{1,191}$", .bare = true,
	.parse = parse_own_id, .format = format_text };
static const struct conf_kind kind_announce = {
	.name = "prefix", .form = "a prefix such as 10.0.0.0/8, or lan",
	.size = sizeof(struct prefix),
	.pattern = "^(lan|([0-9]{1,3}(\\.[0-9]{1,3}){3}|[0-9a-fA-F:.]*:[0-9a-fA-F:.]*)/[0-9]{1,3})$",
	.parse = parse_announce, .format = format_announce };
static const struct conf_kind kind_router_id = {
	.name = "address", .form = "an IPv4 address", .size = sizeof(struct addr),
	.pattern = "^[0-9]{1,3}(\\.[0-9]{1,3}){3}$",
	.parse = parse_router_id, .format = format_router_id };
/* clang-format on */

/* --- words ---------------------------------------------------------------- */

/* clang-format off */
static const struct conf_word dataplanes[] = {
	{ "auto", CONFIG_DP_AUTO }, { "xfrm", CONFIG_DP_XFRM }, { "vti", CONFIG_DP_VTI },
	{ "user", CONFIG_DP_USER }, { NULL, 0 } };
static const struct conf_word ids[] = {
	{ "name", CONFIG_IDS_NAME }, { "address", CONFIG_IDS_ADDRESS }, { NULL, 0 } };
static const struct conf_word probes[] = {
	{ "stamp", CONFIG_PROBE_STAMP }, { "icmp", CONFIG_PROBE_ICMP },
	{ "off", CONFIG_PROBE_OFF }, { NULL, 0 } };
static const struct conf_word encaps[] = {
	{ "auto", CONFIG_ENCAP_AUTO }, { "always", CONFIG_ENCAP_ALWAYS }, { NULL, 0 } };
static const struct conf_word web_loopback[] = {
	{ "open", CONFIG_WEB_OPEN }, { "login", CONFIG_WEB_LOGIN }, { NULL, 0 } };
static const struct conf_word ciphers[] = {
	{ "aes128gcm16", 128 }, { "aes256gcm16", 256 }, { NULL, 0 } };
static const struct conf_word prfs[] = {
	{ "sha256", 5 }, { "sha384", 6 }, { "sha512", 7 }, { NULL, 0 } };
static const struct conf_word groups[] = {
	{ "x25519", 31 }, { "ecp256", 19 }, { "modp2048", 14 }, { NULL, 0 } };

#define US(n) (n)
#define MS(n) ((n) * 1000ull)
#define S(n) ((n) * 1000000ull)
#define H(n) ((n) * 3600000000ull)
#define MBIT(n) ((n) * 1000000ull)

/* --- uplinks -------------------------------------------------------------- */

#define UPLINK(m) offsetof(struct config_uplink, m)

static const struct conf_row uplink_rows[] = {
	{ "interface", CONF_ONE, &conf_kind_ifname, .offset = UPLINK(interface),
	  .flags = CONF_REQUIRED, .cost = CONFIG_COST_TUNNEL, .example = "eth0",
	  .alias = "iface if dev device nic ifname",
	  .help = "The network interface of this internet connection." },
	{ "up", CONF_ONE, &conf_kind_rate, .offset = UPLINK(up_bps),
	  .min = 1000, .max = MBIT(400000), .cost = CONFIG_COST_LIVE, .example = "20mbit",
	  .alias = "upload bandwidth rate uplink", .otherwise = "not known",
	  .help = "What it can send. share splits by it." },
	{ "down", CONF_ONE, &conf_kind_rate, .offset = UPLINK(down_bps),
	  .min = 1000, .max = MBIT(400000), .cost = CONFIG_COST_LIVE, .example = "100mbit",
	  .alias = "download downlink", .otherwise = "not known",
	  .help = "What it can receive." },
	{ "cost", CONF_ONE, &conf_kind_uint, .offset = UPLINK(cost), .fallback = "10",
	  .min = 1, .max = 1000, .cost = CONFIG_COST_LIVE, .example = "20",
	  .alias = "metric weight priority",
	  .help = "How dear it is to use. Among paths that keep a promise the cheapest is "
		  "taken." },
	{ "monthly-limit", CONF_ONE, &conf_kind_bytes, .offset = UPLINK(monthly_limit_bytes),
	  .min = 1000000, .max = 1000000000000000, .cost = CONFIG_COST_PROBE,
	  .example = "10gb", .alias = "limit quota volume", .otherwise = "not metered",
	  .help = "What may be used in a month. A metered uplink is probed sparingly, and what it "
		  "carries is counted from the first of the month on." },
	{ "address", CONF_LIST, &conf_kind_addr, .offset = UPLINK(address), .most = 2,
	  .cost = CONFIG_COST_TUNNEL, .example = "203.0.113.10", .alias = "ip source",
	  .otherwise = "the interface's first",
	  .help = "The source address to use, where the interface has several; one for each "
		  "of IPv4 and IPv6." },
	{ "gateway", CONF_LIST, &conf_kind_addr, .offset = UPLINK(gateway), .most = 2,
	  .cost = CONFIG_COST_LIVE, .example = "203.0.113.1", .alias = "gw router nexthop",
	  .otherwise = "that of the interface's default route",
	  .help = "The next router, where no default route tells it; one for each of IPv4 "
		  "and IPv6." },
	{ .name = NULL } };

static const struct conf_schema uplink_schema = {
	.what = "uplink", .rows = uplink_rows, .size = sizeof(struct config_uplink),
	.name_offset = UPLINK(name), .name_ok = config_name_ok,
	.help = "One internet connection each. Addresses and gateway come from the kernel, "
		"whoever put them there." };

/* --- presets, and what a peer may say otherwise ---------------------------- */

/* One list for both structs: AT is the offset of the profile, D(x) its default. */
#define PROFILE(m) AT + offsetof(struct config_profile, m)
#define PROFILE_ROWS \
	{ "ids", CONF_ONE, &conf_kind_word, .offset = PROFILE(ids), .words = ids, \
	  D("name") .cost = CONFIG_COST_TUNNEL, .example = "address", \
	  .help = "What both sides prove: name (<uplink>.<site>, and of the peer anything " \
		  "that ends in its name) or address (each its outer address)." }, \
	{ "ike-ciphers", CONF_LIST, &conf_kind_word, .offset = PROFILE(ike_ciphers), \
	  .words = ciphers, .most = 4, D("aes256gcm16, aes128gcm16") \
	  .cost = CONFIG_COST_TUNNEL, .example = "[aes256gcm16]", \
	  .help = "Ciphers of IKE, the preferred one first." }, \
	{ "prfs", CONF_LIST, &conf_kind_word, .offset = PROFILE(prfs), .words = prfs, \
	  .most = 4, D("sha256, sha384, sha512") .cost = CONFIG_COST_TUNNEL, \
	  .example = "[sha384]", .help = "Hashes that IKE derives keys with." }, \
	{ "groups", CONF_LIST, &conf_kind_word, .offset = PROFILE(groups), .words = groups, \
	  .most = 4, D("x25519, ecp256, modp2048") .cost = CONFIG_COST_TUNNEL, \
	  .example = "[ecp256]", .alias = "dh-groups dh", \
	  .help = "Key exchanges; the first one is tried first." }, \
	{ "esp-ciphers", CONF_LIST, &conf_kind_word, .offset = PROFILE(esp_ciphers), \
	  .words = ciphers, .most = 4, D("aes256gcm16, aes128gcm16") \
	  .cost = CONFIG_COST_TUNNEL, .example = "[aes128gcm16]", \
	  .help = "Ciphers of the tunnel's packets, the preferred one first." }, \
	{ "pfs", CONF_ONE, &conf_kind_bool, .offset = PROFILE(pfs), D("yes") \
	  .cost = CONFIG_COST_LIVE, .example = "yes", \
	  .help = "Whether each rekey of a tunnel makes a new key exchange." }, \
	{ "ike-lifetime", CONF_ONE, &conf_kind_duration, .offset = PROFILE(ike_lifetime_us), \
	  D("8h") .min = S(60), .max = H(24 * 7), .cost = CONFIG_COST_LIVE, .example = "8h", \
	  .help = "The IKE SA is rekeyed before this time is over." }, \
	{ "esp-lifetime", CONF_ONE, &conf_kind_duration, .offset = PROFILE(esp_lifetime_us), \
	  D("1h") .min = S(30), .max = H(24), .cost = CONFIG_COST_LIVE, .example = "1h", \
	  .help = "The tunnel's keys are replaced before this time is over." }, \
	{ "dpd", CONF_ONE, &conf_kind_duration, .offset = PROFILE(dpd_us), D("10s") \
	  .min = S(1), .max = H(1), .flags = CONF_OFF, .cost = CONFIG_COST_LIVE, \
	  .example = "10s", \
	  .help = "After this much silence the peer is asked whether it lives." }, \
	{ "encap", CONF_ONE, &conf_kind_word, .offset = PROFILE(encap), .words = encaps, \
	  D("auto") .cost = CONFIG_COST_TUNNEL, .example = "always", \
	  .help = "ESP in UDP where a NAT is in the way (auto), or always." }, \
	{ "mtu", CONF_ONE, &conf_kind_uint, .offset = PROFILE(mtu), D("1400") \
	  .min = 1280, .max = 9000, .cost = CONFIG_COST_LIVE, .example = "1400", \
	  .help = "Size of the largest packet in the tunnel. TCP is clamped to it." }, \
	{ "probe", CONF_ONE, &conf_kind_word, .offset = PROFILE(probe), .words = probes, \
	  D("stamp") .cost = CONFIG_COST_PROBE, .example = "icmp", \
	  .help = "How the tunnel is measured: stamp (RFC 8762, between two edged), icmp " \
		  "(echo to the peer's inside address), or off." }, \
	{ "hold-time", CONF_ONE, &conf_kind_duration, .offset = PROFILE(hold_time_us), \
	  .min = S(3), .max = S(65535), .cost = CONFIG_COST_BGP, .example = "30s", \
	  OTHERWISE("that of bgp") \
	  .help = "BGP hold time with this peer." }, \
	{ "keepalive", CONF_ONE, &conf_kind_duration, .offset = PROFILE(keepalive_us), \
	  .min = S(1), .max = S(21845), .cost = CONFIG_COST_BGP, .example = "10s", \
	  OTHERWISE("that of bgp") \
	  .help = "BGP keepalive interval with this peer." }

#define AT offsetof(struct config_preset, profile)
#define D(x) .fallback = x,
#define OTHERWISE(x) .otherwise = x,
static const struct conf_row preset_rows[] = {
	PROFILE_ROWS,
	{ "description", CONF_ONE, &conf_kind_text,
	  .offset = offsetof(struct config_preset, description), .cost = CONFIG_COST_LIVE,
	  .example = "AWS VPN",
	  .help = "What the preset is for." },
	{ .name = NULL } };
#undef AT
#undef D
#undef OTHERWISE

const struct conf_schema config_preset_schema = {
	.what = "", .rows = preset_rows, .size = sizeof(struct config_preset) };
const struct conf_row *const config_preset_rows = preset_rows;

/* --- peers ---------------------------------------------------------------- */

/* Where people write the secret first; the offset is that of any list of texts. */
#define SECRET_ROW(n, at) \
	{ n, CONF_LIST, &conf_kind_text, .offset = at, .flags = CONF_LATER | CONF_SECRET, \
	  .help = "secrets stand in secrets.yaml beside this file, not here: take the " \
		  "line out, and write 'PEER: \"...\"' there" }
#define SECRET_ROWS(at) \
	SECRET_ROW("secret", at), SECRET_ROW("psk", at), SECRET_ROW("password", at), \
	SECRET_ROW("pre-shared-key", at), SECRET_ROW("shared-secret", at)

#define ENDPOINT(m) offsetof(struct config_endpoint, m)

static const struct conf_row endpoint_rows[] = {
	{ "address", CONF_LIST, &conf_kind_host, .offset = ENDPOINT(address),
	  .most = CONFIG_ADDRESSES_MAX, .flags = CONF_REQUIRED, .cost = CONFIG_COST_TUNNEL,
	  .example = "203.0.113.12", .alias = "ip remote host addr",
	  .help = "Where it is reached. Several are tried in turn." },
	{ "inside", CONF_LIST, &conf_kind_ifaddr, .offset = ENDPOINT(inside), .most = 2,
	  .cost = CONFIG_COST_TUNNEL, .example = "169.254.45.42/30",
	  .otherwise = "asked for by configuration payload",
	  .help = "Our address in the tunnel; one for each of IPv4 and IPv6." },
	{ "bgp-peer", CONF_LIST, &conf_kind_addr, .offset = ENDPOINT(bgp_peer), .most = 2,
	  .cost = CONFIG_COST_TUNNEL, .example = "169.254.45.41", .alias = "neighbor neighbour",
	  .otherwise = "the other address of inside",
	  .help = "The peer's address in the tunnel." },
	{ "via", CONF_LIST, &kind_name, .offset = ENDPOINT(via),
	  .most = CONFIG_UPLINKS_MAX, .cost = CONFIG_COST_TUNNEL, .example = "isp1",
	  .otherwise = "the peer's via", .alias = "uplink uplinks over",
	  .help = "Uplinks that tunnels to this end point go over." },
	SECRET_ROWS(ENDPOINT(address)),
	{ .name = NULL } };

static const struct conf_schema endpoint_schema = {
	.what = "tunnel", .rows = endpoint_rows, .size = sizeof(struct config_endpoint),
	.name_offset = ENDPOINT(name), .name_ok = config_name_ok,
	.help = "End points of the peer, where it has several: each gets its own tunnels, "
		"named peer/name/uplink." };

#define PEER_UPLINK(m) offsetof(struct config_peer_uplink, m)

static const struct conf_row peer_uplink_rows[] = {
	{ "cost", CONF_ONE, &conf_kind_uint, .offset = PEER_UPLINK(cost), .fallback = "10",
	  .min = 1, .max = 1000, .cost = CONFIG_COST_LIVE, .example = "20",
	  .help = "How dear it is to send to the peer over it." },
	{ "down", CONF_ONE, &conf_kind_rate, .offset = PEER_UPLINK(down_bps),
	  .min = 1000, .max = MBIT(400000), .cost = CONFIG_COST_LIVE, .example = "100mbit",
	  .otherwise = "not known", .alias = "download",
	  .help = "What the peer can receive over it. share splits by it." },
	{ .name = NULL } };

static const struct conf_schema peer_uplink_schema = {
	.what = "uplink of the peer", .rows = peer_uplink_rows,
	.size = sizeof(struct config_peer_uplink),
	.name_offset = PEER_UPLINK(name), .name_ok = config_name_ok,
	.help = "Uplinks of a peer that calls us, as it names them, so that our classes can "
		"choose among them." };

#define PEER(m) offsetof(struct config_peer, m)
#define AT PEER(profile)
#define D(x)
#define OTHERWISE(x)

/* The profile's rows come first: config_peer_profile_rows begins there. */
static const struct conf_row peer_rows[] = {
	PROFILE_ROWS,
	{ "address", CONF_LIST, &conf_kind_host, .offset = PEER(address),
	  .most = CONFIG_ADDRESSES_MAX, .cost = CONFIG_COST_TUNNEL,
	  .example = "hub.example.net", .alias = "ip remote host addr",
	  .otherwise = "it calls us",
	  .help = "Where it is reached: IP addresses or DNS names, tried in turn. A tunnel "
		  "is built over each uplink." },
	{ "preset", CONF_ONE, &kind_name, .offset = PEER(preset), .fallback = "edged",
	  .cost = CONFIG_COST_TUNNEL, .example = "aws", .alias = "type provider",
	  .help = "The kind of peer. What the preset says can be overridden here, setting by "
		  "setting." },
	{ "id", CONF_ONE, &kind_id, .offset = PEER(id), .cost = CONFIG_COST_TUNNEL,
	  .example = "hub.example.net", .alias = "remote-id peer-id identity",
	  .otherwise = "by ids: *.<name of the peer>, or its address",
	  .help = "What the peer must prove to be." },
	{ "our-id", CONF_ONE, &kind_own_id, .offset = PEER(our_id), .cost = CONFIG_COST_TUNNEL,
	  .example = "branch-042.example.net", .alias = "local-id my-id",
	  .otherwise = "by ids: <uplink>.<name of this site>, or the uplink's address",
	  .help = "What we prove to be to this peer." },
	{ "asn", CONF_ONE, &conf_kind_uint, .offset = PEER(asn), .min = 1, .max = 4294967294,
	  .cost = CONFIG_COST_BGP, .example = "65000", .alias = "as remote-as",
	  .otherwise = "no BGP with it",
	  .help = "AS number of the peer. BGP runs over each of its tunnels." },
	{ "networks", CONF_LIST, &conf_kind_prefix, .offset = PEER(networks),
	  .most = CONFIG_PREFIXES_MAX, .cost = CONFIG_COST_LIVE, .example = "10.0.0.0/8",
	  .alias = "network routes subnets prefixes", .otherwise = "none",
	  .help = "Networks behind the peer that are routed to it without BGP." },
	{ "accept", CONF_LIST, &conf_kind_prefix, .offset = PEER(accept),
	  .most = CONFIG_PREFIXES_MAX, .cost = CONFIG_COST_LIVE, .example = "[10.0.0.0/8]",
	  .otherwise = "as in bgp",
	  .help = "Prefixes, and what lies within them, that the peer may tell by BGP." },
	{ "via", CONF_LIST, &kind_name, .offset = PEER(via),
	  .most = CONFIG_UPLINKS_MAX, .cost = CONFIG_COST_TUNNEL, .example = "isp1",
	  .alias = "over", .otherwise = "all uplinks",
	  .help = "Uplinks that tunnels to this peer go over." },
	{ "inside", CONF_LIST, &conf_kind_ifaddr, .offset = PEER(inside), .most = 2,
	  .cost = CONFIG_COST_TUNNEL, .example = "169.254.45.42/30",
	  .otherwise = "asked for by configuration payload",
	  .help = "Our address in the tunnel; one for each of IPv4 and IPv6. Needs via with "
		  "one uplink." },
	{ "bgp-peer", CONF_LIST, &conf_kind_addr, .offset = PEER(bgp_peer), .most = 2,
	  .cost = CONFIG_COST_TUNNEL, .example = "169.254.45.41", .alias = "neighbor neighbour",
	  .otherwise = "the other address of inside",
	  .help = "The peer's address in the tunnel." },
	{ "tunnels", CONF_MAP, .sub = &endpoint_schema, .offset = PEER(tunnels),
	  .most = CONFIG_ENDPOINTS_MAX, .cost = CONFIG_COST_TUNNEL,
	  .example = "a: {address: 203.0.113.12}", .alias = "endpoints end-points",
	  .otherwise = "one, at address",
	  .help = "End points, where the peer has several." },
	{ "uplinks", CONF_MAP, .sub = &peer_uplink_schema, .offset = PEER(uplinks),
	  .most = CONFIG_UPLINKS_MAX, .cost = CONFIG_COST_LIVE, .example = "isp1: {cost: 10}",
	  .otherwise = "known once it calls",
	  .help = "Uplinks of a peer that calls us, as it names them." },
	{ "dataplane", CONF_ONE, &conf_kind_word, .offset = PEER(dataplane),
	  .words = dataplanes, .cost = CONFIG_COST_TUNNEL, .example = "vti",
	  .otherwise = "that of the file",
	  .help = "How this peer's packets are encrypted." },
	{ "cert", CONF_ONE, &conf_kind_text, .offset = PEER(cert), .flags = CONF_IDLE,
	  .example = "branch-042", .cost = CONFIG_COST_LIVE, .otherwise = "none",
	  .help = "Certificate to prove ourselves with." },
	SECRET_ROWS(PEER(address)),
	{ .name = NULL } };
#undef AT
#undef D
#undef OTHERWISE

const struct conf_schema config_peer_schema = {
	.what = "peer", .rows = peer_rows, .size = sizeof(struct config_peer),
	.name_offset = PEER(name), .name_ok = config_name_ok,
	.help = "Whom we build tunnels to. A peer without address calls us, and proves to be "
		"*.<its name>." };
const struct conf_row *const config_peer_profile_rows = peer_rows;

/* --- classes -------------------------------------------------------------- */

#define MATCH(m) offsetof(struct config_match, m)

static const struct conf_row match_rows[] = {
	{ "protocol", CONF_ONE, &kind_protocol, .offset = MATCH(protocol),
	  .cost = CONFIG_COST_LIVE, .example = "udp", .alias = "proto", .otherwise = "any",
	  .help = "Protocol of the packet." },
	{ "from", CONF_ONE, &conf_kind_prefix, .offset = MATCH(from),
	  .cost = CONFIG_COST_LIVE, .example = "10.42.10.0/24", .alias = "source src",
	  .otherwise = "any", .help = "Where it comes from." },
	{ "to", CONF_ONE, &conf_kind_prefix, .offset = MATCH(to),
	  .cost = CONFIG_COST_LIVE, .example = "10.20.0.0/16", .alias = "destination dst dest",
	  .otherwise = "any", .help = "Where it goes to." },
	{ "from-port", CONF_ONE, &kind_ports, .offset = MATCH(from_port),
	  .cost = CONFIG_COST_LIVE, .example = "5060", .alias = "source-port sport src-port",
	  .otherwise = "any", .help = "Its source port. Needs protocol tcp, udp or sctp." },
	{ "to-port", CONF_ONE, &kind_ports, .offset = MATCH(to_port),
	  .cost = CONFIG_COST_LIVE, .example = "16384-32767",
	  .alias = "destination-port dport dst-port port ports",
	  .otherwise = "any", .help = "Its destination port. Needs protocol tcp, udp or sctp." },
	{ .name = NULL } };

static const struct conf_schema match_schema = {
	.what = "match", .rows = match_rows, .size = sizeof(struct config_match),
	.help = "Patterns; a packet belongs to the class when one of them fits." };

#define CLASS(m) offsetof(struct config_class, m)

static const struct conf_row class_rows[] = {
	{ "dscp", CONF_LIST, &kind_dscp, .offset = CLASS(dscp), .most = 64,
	  .cost = CONFIG_COST_LIVE, .example = "[AF31, AF32]", .alias = "tos mark",
	  .otherwise = "none", .help = "Marks of the packets that belong to the class." },
	{ "match", CONF_ITEMS, .sub = &match_schema, .offset = CLASS(match),
	  .most = CONFIG_MATCHES_MAX, .cost = CONFIG_COST_LIVE,
	  .example = "[{protocol: udp, to-port: 5060}]", .alias = "filter",
	  .otherwise = "none", .help = "Packets that belong to the class by what they are." },
	{ "max-delay", CONF_ONE, &conf_kind_duration, .offset = CLASS(max_delay_us),
	  .min = MS(1), .max = S(10), .cost = CONFIG_COST_LIVE, .example = "150ms",
	  .alias = "delay latency max-latency rtt", .otherwise = "no limit",
	  .help = "The round trip (median) may take at most this long." },
	{ "max-jitter", CONF_ONE, &conf_kind_duration, .offset = CLASS(max_jitter_us),
	  .min = US(100), .max = S(10), .cost = CONFIG_COST_LIVE, .example = "30ms",
	  .alias = "jitter", .otherwise = "no limit",
	  .help = "Consecutive round trips may differ by at most this much on average." },
	{ "max-loss", CONF_ONE, &conf_kind_percent, .offset = CLASS(max_loss_ppm),
	  .min = 100, .max = 1000000, .cost = CONFIG_COST_LIVE, .example = "1%",
	  .alias = "loss", .otherwise = "no limit",
	  .help = "At most this share of round trips may get lost." },
	{ "prefer", CONF_LIST, &kind_name, .offset = CLASS(prefer),
	  .most = CONFIG_UPLINKS_MAX, .cost = CONFIG_COST_LIVE, .example = "[isp1, isp2]",
	  .alias = "order", .otherwise = "the cheapest that keeps the limits",
	  .help = "Uplinks in order: the first one that keeps the limits is used." },
	{ "share", CONF_LIST, &kind_name, .offset = CLASS(share),
	  .most = CONFIG_UPLINKS_MAX, .cost = CONFIG_COST_LIVE, .example = "[isp1, isp2]",
	  .alias = "balance spread", .otherwise = "the cheapest that keeps the limits",
	  .help = "Uplinks that the class is spread over, by their up." },
	{ "best", CONF_LIST, &kind_name, .offset = CLASS(share), .flags = CONF_LATER,
	  .help = "'best' (the path of best quality) comes with a later version: use "
		  "'prefer', 'share', or neither of them for the cheapest path that keeps "
		  "the limits" },
	{ "last-resort", CONF_LIST, &kind_name, .offset = CLASS(last_resort),
	  .most = CONFIG_UPLINKS_MAX, .cost = CONFIG_COST_LIVE, .example = "lte",
	  .alias = "fallback backup", .otherwise = "none",
	  .help = "Uplinks used only while no other one works." },
	{ "strategy", CONF_ONE, &conf_kind_uint, .offset = CLASS(strategy),
	  .flags = CONF_INTERNAL, .cost = CONFIG_COST_LIVE },
	{ .name = NULL } };

static const struct conf_schema class_schema = {
	.what = "class", .rows = class_rows, .size = sizeof(struct config_class),
	.name_offset = CLASS(name), .name_ok = config_name_ok,
	.help = "Traffic with a promise. The first class that a packet fits is its class; "
		"default takes the rest." };

/* --- the other sections --------------------------------------------------- */

#define BGP(m) offsetof(struct config_bgp, m)

static const struct conf_row bgp_rows[] = {
	{ "asn", CONF_ONE, &conf_kind_uint, .offset = BGP(asn), .min = 1, .max = 4294967294,
	  .flags = CONF_REQUIRED, .cost = CONFIG_COST_BGP, .example = "65042",
	  .alias = "as local-as", .help = "Our AS number." },
	{ "router-id", CONF_ONE, &kind_router_id, .offset = BGP(router_id),
	  .cost = CONFIG_COST_BGP, .example = "10.42.0.1", .otherwise = "bgpd chooses",
	  .help = "Our router id." },
	{ "announce", CONF_LIST, &kind_announce, .offset = BGP(announce),
	  .most = CONFIG_PREFIXES_MAX, .cost = CONFIG_COST_LIVE, .example = "lan",
	  .alias = "advertise network networks", .otherwise = "nothing",
	  .help = "What we tell the peers: lan, prefixes, or both. Nothing else ever leaves." },
	{ "accept", CONF_LIST, &conf_kind_prefix, .offset = BGP(accept),
	  .most = CONFIG_PREFIXES_MAX, .cost = CONFIG_COST_LIVE,
	  .example = "[10.0.0.0/8, 172.16.0.0/12]", .alias = "allow import",
	  .otherwise = "10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 and fc00::/7",
	  .help = "Prefixes, and what lies within them, that peers may tell. Packets to them "
		  "never leave in clear." },
	{ "hold-time", CONF_ONE, &conf_kind_duration, .offset = BGP(hold_time_us),
	  .fallback = "30s", .min = S(3), .max = S(65535), .cost = CONFIG_COST_BGP,
	  .example = "30s", .help = "A silent BGP session ends after this time." },
	{ "keepalive", CONF_ONE, &conf_kind_duration, .offset = BGP(keepalive_us),
	  .min = S(1), .max = S(21845), .cost = CONFIG_COST_BGP, .example = "10s",
	  .otherwise = "a third of hold-time",
	  .help = "Time between two signs of life of a session." },
	{ "connect-retry", CONF_ONE, &conf_kind_duration, .offset = BGP(connect_retry_us),
	  .fallback = "5s", .min = S(1), .max = S(65535), .cost = CONFIG_COST_BGP,
	  .example = "5s", .help = "Time between two attempts to build a session." },
	{ "restart-time", CONF_ONE, &conf_kind_duration, .offset = BGP(restart_time_us),
	  .fallback = "120s", .min = S(1), .max = S(4095), .cost = CONFIG_COST_BGP,
	  .example = "120s", .alias = "graceful-restart-time graceful-restart",
	  .help = "How long peers keep our routes while our bgpd restarts." },
	{ .name = NULL } };

static const struct conf_schema bgp_schema = {
	.what = "bgp", .rows = bgp_rows,
	.help = "BGP over the tunnels, by FRR's bgpd. Without this section there is none." };

static const struct conf_row frr_rows[] = {
	{ "socket-dir", CONF_ONE, &conf_kind_path,
	  .offset = offsetof(struct config_frr, socket_dir), .fallback = "/run/frr",
	  .cost = CONFIG_COST_LIVE, .example = "/run/frr",
	  .help = "Folder with the sockets of zebra and bgpd." },
	{ .name = NULL } };

static const struct conf_schema frr_schema = {
	.what = "frr", .rows = frr_rows, .help = "Where FRR is found." };

#define PROBE(m) offsetof(struct config_probe, m)

static const struct conf_row probe_rows[] = {
	{ "interval", CONF_ONE, &conf_kind_duration, .offset = PROBE(interval_us),
	  .fallback = "100ms", .min = MS(20), .max = S(60), .cost = CONFIG_COST_LIVE,
	  .example = "100ms", .help = "Time between two probes on one path." },
	{ "metered-interval", CONF_ONE, &conf_kind_duration,
	  .offset = PROBE(metered_interval_us), .fallback = "10s", .min = MS(20), .max = S(600),
	  .cost = CONFIG_COST_LIVE, .example = "10s",
	  .help = "The same on an uplink with a monthly limit, while it carries nothing." },
	{ "metered-busy-interval", CONF_ONE, &conf_kind_duration,
	  .offset = PROBE(metered_busy_interval_us), .fallback = "200ms", .min = MS(20),
	  .max = S(600), .cost = CONFIG_COST_LIVE, .example = "200ms",
	  .help = "The same there, while traffic flows or after a missed probe." },
	{ "suspect-interval", CONF_ONE, &conf_kind_duration,
	  .offset = PROBE(suspect_interval_us), .fallback = "25ms", .min = MS(5), .max = S(10),
	  .cost = CONFIG_COST_LIVE, .example = "25ms",
	  .help = "The same after the first missed answer, until it is clear whether the path "
		  "lives." },
	{ "timeout", CONF_ONE, &conf_kind_duration, .offset = PROBE(timeout_us),
	  .fallback = "2s", .min = MS(50), .max = S(60), .cost = CONFIG_COST_PROBE,
	  .example = "2s", .help = "A probe unanswered for this long is lost." },
	{ "window", CONF_ONE, &conf_kind_duration, .offset = PROBE(window_us),
	  .fallback = "30s", .min = S(1), .max = S(600), .cost = CONFIG_COST_PROBE,
	  .example = "30s",
	  .help = "Delay, jitter and loss are those of the probes of this time." },
	{ "down-missed", CONF_ONE, &conf_kind_uint, .offset = PROBE(down_missed),
	  .fallback = "5", .min = 1, .max = 100, .cost = CONFIG_COST_LIVE, .example = "5",
	  .help = "A path is down when this many probes are missed and nothing arrived for "
		  "down-silent." },
	{ "down-silent", CONF_ONE, &conf_kind_duration, .offset = PROBE(down_silent_us),
	  .fallback = "300ms", .min = MS(50), .max = S(60), .cost = CONFIG_COST_LIVE,
	  .example = "300ms", .help = "See down-missed." },
	{ "down-no-answer", CONF_ONE, &conf_kind_duration, .offset = PROBE(down_no_answer_us),
	  .fallback = "1s", .min = MS(100), .max = S(60), .cost = CONFIG_COST_LIVE,
	  .example = "1s",
	  .help = "A path is also down when no probe was answered for this long, whatever "
		  "arrives." },
	{ "up-answers", CONF_ONE, &conf_kind_uint, .offset = PROBE(up_answers),
	  .fallback = "3", .min = 1, .max = 100, .cost = CONFIG_COST_LIVE, .example = "3",
	  .help = "A path is up again after this many answers in a row and up-proving." },
	{ "up-proving", CONF_ONE, &conf_kind_duration, .offset = PROBE(up_proving_us),
	  .fallback = "1s", .min = MS(1), .max = S(600), .cost = CONFIG_COST_LIVE,
	  .example = "1s", .help = "See up-answers." },
	{ .name = NULL } };

static const struct conf_schema probe_schema = {
	.what = "probe", .rows = probe_rows, .help = "How paths are measured and judged." };

#define STEERING(m) offsetof(struct config_steering, m)

static const struct conf_row steering_rows[] = {
	{ "hold", CONF_ONE, &conf_kind_duration, .offset = STEERING(hold_us),
	  .fallback = "10s", .min = S(1), .max = H(1), .cost = CONFIG_COST_LIVE,
	  .example = "10s",
	  .help = "A path that broke a promise must keep it this long before traffic "
		  "returns." },
	{ "hold-max", CONF_ONE, &conf_kind_duration, .offset = STEERING(hold_max_us),
	  .fallback = "10min", .min = S(1), .max = H(24), .cost = CONFIG_COST_LIVE,
	  .example = "10min", .help = "What hold grows to while a path keeps changing." },
	{ .name = NULL } };

static const struct conf_schema steering_schema = {
	.what = "steering", .rows = steering_rows,
	.help = "When traffic moves back to a path." };

#define WEB(m) offsetof(struct config_web, m)

static const struct conf_row web_rows[] = {
	{ "listen", CONF_LIST, &conf_kind_listen, .offset = WEB(listen), .most = 16,
	  .cost = CONFIG_COST_LIVE, .example = "10.42.0.1:8443", .alias = "address port",
	  .otherwise = "nowhere but its unix socket",
	  .help = "Addresses and ports of the dashboard, HTTPS." },
	{ "certificate", CONF_ONE, &conf_kind_path, .offset = WEB(certificate),
	  .cost = CONFIG_COST_LIVE, .example = "/etc/edged/web.pem", .alias = "cert crt",
	  .otherwise = "one made at the first start; edgectl web prints its fingerprint",
	  .help = "Certificate and its chain, PEM." },
	{ "key", CONF_ONE, &conf_kind_path, .offset = WEB(key), .cost = CONFIG_COST_LIVE,
	  .example = "/etc/edged/web.key", .alias = "private-key",
	  .otherwise = "that of the certificate made at the first start",
	  .help = "Its private key, PEM, readable by edge-webui's user." },
	{ "hosts", CONF_LIST, &conf_kind_host, .offset = WEB(hosts), .most = 32,
	  .cost = CONFIG_COST_LIVE, .example = "edge.branch-042.example.net",
	  .alias = "host names name", .otherwise = "none",
	  .help = "Names, and addresses in front of a NAT, under which browsers reach the "
		  "dashboard, beside its own addresses, the host's name and the site's." },
	{ "loopback", CONF_ONE, &conf_kind_word, .offset = WEB(loopback),
	  .words = web_loopback, .fallback = "open", .cost = CONFIG_COST_LIVE,
	  .example = "login",
	  .help = "What it speaks on loopback addresses: HTTP where everybody on this box sees "
		  "all without a login (open), or the same as elsewhere (login)." },
	{ .name = NULL } };

const struct conf_schema config_web_schema = {
	.what = "web", .rows = web_rows,
	.help = "The dashboard, edge-webui(8)." };

/* --- the file ------------------------------------------------------------- */

#define CONFIG(m) offsetof(struct config, m)

static const struct conf_row config_rows[] = {
	{ "name", CONF_ONE, &kind_name, .offset = CONFIG(name), .cost = CONFIG_COST_TUNNEL,
	  .example = "branch-042", .alias = "site hostname",
	  .otherwise = "the name of the host", .help = "Name of this site." },
	{ "id", CONF_ONE, &kind_id, .offset = CONFIG(id), .cost = CONFIG_COST_TUNNEL,
	  .example = "hub.example.net", .alias = "our-id local-id",
	  .otherwise = "by each peer's ids", .help = "What we prove to be to every peer." },
	{ "lan", CONF_LIST, &conf_kind_prefix, .offset = CONFIG(lan),
	  .most = CONFIG_PREFIXES_MAX, .cost = CONFIG_COST_LIVE, .example = "10.42.0.0/24",
	  .alias = "lans networks network", .otherwise = "none",
	  .help = "Networks behind this box." },
	{ "inside", CONF_LIST, &conf_kind_prefix, .offset = CONFIG(inside), .most = 2,
	  .cost = CONFIG_COST_TUNNEL, .example = "100.96.0.0/16", .otherwise = "none",
	  .help = "Range that the tunnels of peers that call us get their addresses from, /31 "
		  "each, or /127 of an IPv6 range; one range for each of IPv4 and IPv6." },
	{ "dataplane", CONF_ONE, &conf_kind_word, .offset = CONFIG(dataplane),
	  .words = dataplanes, .fallback = "auto", .cost = CONFIG_COST_TUNNEL,
	  .example = "auto",
	  .help = "How packets are encrypted: by the kernel with xfrm interfaces (xfrm) or VTI "
		  "(vti), in user space by edge-esp (user), or the first of xfrm and user that "
		  "works (auto)." },
	{ "uplinks", CONF_MAP, .sub = &uplink_schema, .offset = CONFIG(uplinks),
	  .most = CONFIG_UPLINKS_MAX, .flags = CONF_REQUIRED, .cost = CONFIG_COST_TUNNEL,
	  .example = "isp1: {interface: eth0}", .alias = "uplink wan wans interfaces",
	  .help = "Internet connections." },
	{ "peers", CONF_MAP, .sub = &config_peer_schema, .offset = CONFIG(peers),
	  .most = CONFIG_PEERS_MAX, .flags = CONF_REQUIRED, .cost = CONFIG_COST_TUNNEL,
	  .example = "hub: {address: 198.51.100.1, networks: 10.0.0.0/8}",
	  .alias = "peer hubs sites", .help = "Whom we build tunnels to." },
	{ "classes", CONF_MAP, .sub = &class_schema, .offset = CONFIG(classes),
	  .most = CONFIG_CLASSES_MAX - 1, .cost = CONFIG_COST_LIVE,
	  .example = "voice: {dscp: EF, max-loss: 1%}", .alias = "class slas sla",
	  .otherwise = "voice (EF; 150ms, 30ms, 1%), business (AF31, AF32, AF33; 300ms, 2%) "
		       "and default, each on the cheapest path that keeps its limits",
	  .help = "Traffic by its marks, and what it needs." },
	{ "bgp", CONF_SECTION, .sub = &bgp_schema, .offset = CONFIG(bgp), .help = "BGP." },
	{ "frr", CONF_SECTION, .sub = &frr_schema, .offset = CONFIG(frr), .help = "FRR." },
	{ "probe", CONF_SECTION, .sub = &probe_schema, .offset = CONFIG(probe),
	  .alias = "probes", .help = "Measuring." },
	{ "steering", CONF_SECTION, .sub = &steering_schema, .offset = CONFIG(steering),
	  .help = "Steering." },
	{ "web", CONF_SECTION, .sub = &config_web_schema, .offset = CONFIG(web),
	  .alias = "webui dashboard", .help = "Dashboard." },
	{ .name = NULL } };

const struct conf_schema config_schema = {
	.what = "", .rows = config_rows, .size = 0 };
/* clang-format on */

bool config_name_ok(const char *name, char *why, size_t size)
{
	char bad[16];

	if (!*name) {
		snprintf(why, size, "it is empty");
		return false;
	}
	if (strlen(name) >= CONFIG_NAME_MAX) {
		snprintf(why, size, "it is longer than %d characters",
			 CONFIG_NAME_MAX - 1);
		return false;
	}
	if (!isalnum((unsigned char)*name)) {
		snprintf(why, size, "it must begin with a letter or a digit");
		return false;
	}
	for (const char *s = name; *s; s++) {
		struct text t = text_init(bad, sizeof(bad));

		if (isalnum((unsigned char)*s) || strchr(".:_-", *s))
			continue;
		text_escape(&t, s, 1);
		if ((unsigned char)*s >= 0x80)
			snprintf(why, size, "only a-z A-Z 0-9 . : _ and - are allowed");
		else
			snprintf(why, size,
				 "'%s' is not allowed, only a-z A-Z 0-9 . : _ and -",
				 bad);
		return false;
	}
	return true;
}
