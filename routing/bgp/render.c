/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/bgp/render.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"

enum {
	MAX_PREFIXES = 100000, /* taken from one neighbour */
	RESTART_DEFAULT_S = 120, /* FRR's own, which it does not show */
	SEQ_STEP = 5,
	/*
	 * bgpd holds a new session this long back (FRR's own: 5), so that no
	 * route leaves before its route-maps; also a changed filter acts then.
	 */
	FILTER_DELAY_S = 1,
	LINE_MAX_BYTES = 512,
};

static const char filter_delay[] = "bgp route-map delay-timer ";

/* --- reading what runs ------------------------------------------------------------ */

static void add_line(struct rt_running *r, char where, const char *head,
		     const char *line)
{
	size_t n = r->n_lines++;

	if (!(n & (n - 1)))
		r->lines = ed_realloc(r->lines, n ? n * 2 : 1, sizeof(*r->lines));
	r->lines[n] = head ? ed_asprintf("%c%s|%s", where, head, line)
			   : ed_asprintf("%c%s", where, line);
}

static bool begins(const char *line, const char *with)
{
	return !strncmp(line, with, strlen(with));
}

/* "neighbor ADDR peer-group EDGED4": ADDR is ours. */
static void note_member(struct rt_running *r, const char *line)
{
	char address[ADDR_STRLEN];
	char group[8];
	struct addr a;
	size_t n = r->n_neighbors;

	if (sscanf(line, "neighbor %45s peer-group %7s", address, group) != 2 ||
	    (strcmp(group, "EDGED4") != 0 && strcmp(group, "EDGED6") != 0) ||
	    addr_parse(address, &a) < 0)
		return;
	if (!(n & (n - 1)))
		r->neighbors =
			ed_realloc(r->neighbors, n ? n * 2 : 1, sizeof(*r->neighbors));
	r->neighbors[r->n_neighbors++] = a;
}

struct place {
	char where; /* T, B, 4, 6, M; '-' for what does not matter */
	char map[LINE_MAX_BYTES]; /* M: the route-map's first line */
};

static void enter_router(struct rt_running *r, struct place *at, const char *line)
{
	unsigned long asn;
	char rest[16] = "";

	if (sscanf(line, "router bgp %lu %15s", &asn, rest) < 1 || rest[0]) {
		at->where = '-'; /* a VRF's */
		return;
	}
	r->asn = (uint32_t)asn;
	at->where = 'B';
}

static void read_top(struct rt_running *r, struct place *at, const char *line)
{
	if (begins(line, "router bgp ")) {
		enter_router(r, at, line);
	} else if (begins(line, "route-map EDGED-")) {
		at->where = 'M';
		snprintf(at->map, sizeof(at->map), "%s", line);
		add_line(r, 'M', NULL, line);
	} else if (begins(line, filter_delay)) {
		if (strtol(line + strlen(filter_delay), NULL, 10) == FILTER_DELAY_S)
			add_line(r, 'T', NULL, line);
		else
			r->foreign_delay = true;
	} else if (begins(line, "ip prefix-list EDGED-") ||
		   begins(line, "ipv6 prefix-list EDGED-")) {
		add_line(r, 'T', NULL, line);
	} else if (begins(line, "router ") || begins(line, "route-map ") ||
		   begins(line, "vrf ") || begins(line, "interface ")) {
		at->where = '-';
	}
}

static void read_line(struct rt_running *r, struct place *at, const char *line)
{
	if (!*line || *line == '!')
		return;
	if (!strcmp(line, "exit") || !strcmp(line, "end")) {
		at->where = 'T';
	} else if (at->where == 'T') {
		read_top(r, at, line);
	} else if (begins(line, "address-family ") && at->where != '-') {
		at->where = !strcmp(line, "address-family ipv4 unicast")   ? '4'
			    : !strcmp(line, "address-family ipv6 unicast") ? '6'
									   : 'X';
		r->foreign = r->foreign || at->where == 'X';
	} else if (!strcmp(line, "exit-address-family")) {
		at->where = at->where == '-' ? '-' : 'B';
	} else if (at->where == 'M') {
		add_line(r, 'M', at->map, line);
	} else if (at->where == 'B' || at->where == '4' || at->where == '6') {
		add_line(r, at->where, NULL, line);
		note_member(r, line);
	}
}

static bool is_member(const struct rt_running *r, const struct addr *a)
{
	for (size_t i = 0; i < r->n_neighbors; i++) {
		if (addr_equal(&r->neighbors[i], a))
			return true;
	}
	return false;
}

/* Lines in "router bgp" that we write, or might have written. */
static bool is_own_line(const struct rt_running *r, const char *line)
{
	static const char *const own[] = {
		"bgp router-id ",
		"bgp graceful-restart restart-time ",
		"bgp graceful-restart preserve-fw-state",
		"bgp bestpath as-path multipath-relax",
		"no bgp network import-check",
		"no bgp fast-external-failover",
		"neighbor EDGED4 ",
		"neighbor EDGED6 ",
		"no neighbor EDGED6 activate",
		"maximum-paths ",
	};
	char word[ADDR_STRLEN];
	struct addr a;

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (begins(line, own[i]))
			return true;
	}
	if (begins(line, "network ") && strstr(line, " route-map EDGED-NET"))
		return true;
	return (sscanf(line, "neighbor %45s", word) == 1 ||
		sscanf(line, "no neighbor %45s", word) == 1) &&
	       !addr_parse(word, &a) && is_member(r, &a);
}

static int by_text(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

struct rt_running *rt_running_parse(const char *text, size_t len)
{
	struct rt_running *r = ed_alloc(sizeof(*r));
	struct place at = {.where = 'T'};
	const char *end = text + (len > RT_RUNNING_MAX ? RT_RUNNING_MAX : len);
	char line[LINE_MAX_BYTES];

	/* Ends: each round moves text behind the next line break. */
	while (text < end) {
		const char *nl = memchr(text, '\n', (size_t)(end - text));
		const char *stop = nl ? nl : end;
		const char *tail = stop;

		while (text < stop && (*text == ' ' || *text == '\t'))
			text++;
		while (tail > text && isspace((unsigned char)tail[-1]))
			tail--;
		if ((size_t)(tail - text) < sizeof(line)) {
			memcpy(line, text, (size_t)(tail - text));
			line[tail - text] = '\0';
			read_line(r, &at, line);
		}
		text = stop + 1;
	}
	for (size_t i = 0; i < r->n_lines; i++) {
		if (strchr("B46", r->lines[i][0]) && !is_own_line(r, r->lines[i] + 1))
			r->foreign = true;
	}
	if (r->n_lines)
		qsort(r->lines, r->n_lines, sizeof(*r->lines), by_text);
	return r;
}

void rt_running_free(struct rt_running *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n_lines; i++)
		free(r->lines[i]);
	free(r->lines);
	free(r->neighbors);
	free(r);
}

/* --- writing ------------------------------------------------------------------------ */

struct out {
	FILE *f;
	const struct rt_bgp *bgp;
	const struct rt_running *run; /* never NULL */
	bool fresh; /* nothing of "router bgp" stands */
	char where; /* of the line to come */
	char map[LINE_MAX_BYTES]; /* M: its first line */
	bool in_router, in_af;
	char in_map[LINE_MAX_BYTES]; /* the route-map that is open, "" when none */
	char **wanted; /* every line wanted, as in run->lines; sorted at the end */
	size_t n_wanted;
};

static bool stands(const struct out *o, const char *line)
{
	if (o->fresh && strchr("B46", line[0]))
		return false;
	return o->run->n_lines &&
	       bsearch(&line, o->run->lines, o->run->n_lines, sizeof(line), by_text);
}

static void want(struct out *o, char *line)
{
	size_t n = o->n_wanted++;

	if (!(n & (n - 1)))
		o->wanted = ed_realloc(o->wanted, n ? n * 2 : 1, sizeof(*o->wanted));
	o->wanted[n] = line;
}

/* Leave the address family, or "router bgp" as well, when we are in one. */
static void leave_af(struct out *o)
{
	if (o->in_af)
		fputs(" exit-address-family\n", o->f);
	o->in_af = false;
}

static void leave_router(struct out *o)
{
	leave_af(o);
	if (o->in_router || o->in_map[0])
		fputs("exit\n", o->f);
	o->in_router = false;
	o->in_map[0] = '\0';
}

/* Into the route-map whose first line this is. */
static void enter_map(struct out *o, const char *map)
{
	if (!strcmp(o->in_map, map))
		return;
	leave_router(o);
	fprintf(o->f, "%s\n", map);
	snprintf(o->in_map, sizeof(o->in_map), "%s", map);
}

static void enter(struct out *o)
{
	if (o->where == 'M')
		return;
	if (o->where == 'T') {
		leave_router(o);
		return;
	}
	if (o->in_map[0])
		leave_router(o);
	if (!o->in_router)
		fprintf(o->f, "router bgp %u\n",
			o->bgp->asn ? o->bgp->asn : o->run->asn);
	o->in_router = true;
	if (o->where == 'B') {
		leave_af(o);
	} else if (!o->in_af) {
		fprintf(o->f, " address-family ipv%c unicast\n", o->where);
		o->in_af = true;
	}
}

/* Write a line where we stand, unless it stands already. */
static void put(struct out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void put(struct out *o, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	char *whole;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	whole = o->where == 'M' && o->map[0] ? ed_asprintf("M%s|%s", o->map, line)
					     : ed_asprintf("%c%s", o->where, line);
	if (!stands(o, whole)) {
		enter(o);
		if (o->where == 'M')
			enter_map(o, o->map[0] ? o->map : line);
		if (o->where == 'M' && o->map[0])
			fprintf(o->f, " %s\n", line);
		else if (o->where != 'M')
			fprintf(o->f, "%s%s\n",
				o->where == 'T'	  ? ""
				: o->where == 'B' ? " "
						  : "  ",
				line);
	}
	want(o, whole);
}

static const char *ip(uint8_t family)
{
	return family == AF_INET ? "ip" : "ipv6";
}

static char digit(uint8_t family)
{
	return family == AF_INET ? '4' : '6';
}

/* --- prefix lists ------------------------------------------------------------------- */

/* "T ip prefix-list NAME seq N permit P [le L]": N, when the rest is as told. */
static unsigned int standing_seq(const struct out *o, const char *list,
				 const char *content)
{
	size_t len = strlen(list);

	for (size_t i = 0; i < o->run->n_lines; i++) {
		const char *line = o->run->lines[i] + 1;
		unsigned int seq;
		int at = 0;

		if (o->run->lines[i][0] != 'T' || strncmp(line, list, len) != 0 ||
		    sscanf(line + len, " seq %u %n", &seq, &at) < 1 || !at)
			continue;
		if (!strcmp(line + len + at, content))
			return seq;
	}
	return 0;
}

/* A number that no entry of the list has, neither running nor wanted. */
static unsigned int free_seq(const struct out *o, const char *list)
{
	size_t len = strlen(list);
	unsigned int most = 0;

	for (size_t i = 0; i < o->run->n_lines + o->n_wanted; i++) {
		const char *line = i < o->run->n_lines ? o->run->lines[i]
						       : o->wanted[i - o->run->n_lines];
		unsigned int seq;

		if (line[0] == 'T' && !strncmp(line + 1, list, len) &&
		    sscanf(line + 1 + len, " seq %u", &seq) == 1 && seq > most)
			most = seq;
	}
	return most + SEQ_STEP;
}

static void put_entry(struct out *o, const char *list, const char *content)
{
	unsigned int seq = standing_seq(o, list, content);

	if (!seq)
		seq = free_seq(o, list);
	o->where = 'T';
	put(o, "%s seq %u %s", list, seq, content);
}

static void put_permit(struct out *o, const char *list, const struct prefix *p,
		       bool longer)
{
	char buf[PREFIX_STRLEN];
	char content[PREFIX_STRLEN + 32];
	uint8_t bits = addr_bits(p->addr.family);

	if (longer && p->len < bits)
		snprintf(content, sizeof(content), "permit %s le %u",
			 prefix_format(p, buf), bits);
	else
		snprintf(content, sizeof(content), "permit %s", prefix_format(p, buf));
	put_entry(o, list, content);
}

/* An empty list would permit everything: each has an entry that says no. */
static void put_never(struct out *o, const char *list, uint8_t family)
{
	put_entry(o, list,
		  family == AF_INET
			  ? "deny 255.255.255.255/32"
			  : "deny ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128");
}

static const char *list_name(char *buf, size_t cap, uint8_t family, const char *kind,
			     const struct addr *own)
{
	char a[ADDR_STRLEN];

	if (own)
		snprintf(buf, cap, "%s prefix-list EDGED-%s%c-%s", ip(family), kind,
			 digit(family), addr_format(own, a));
	else
		snprintf(buf, cap, "%s prefix-list EDGED-%s%c", ip(family), kind,
			 digit(family));
	return buf;
}

/* Permitted although something covers it that is refused: it is meant so. */
static bool within_refused(const struct rt_bgp *b, const struct prefix *p)
{
	for (size_t i = 0; i < b->refuse.n; i++) {
		const struct prefix *q = &b->refuse.v[i];

		if (q->len < p->len && prefix_covers(q, p))
			return true;
	}
	return false;
}

static void put_lists(struct out *o, uint8_t family, const char *kind,
		      const struct rt_prefixes *from, const struct addr *own,
		      bool longer)
{
	char list[128];
	bool inside = !strcmp(kind, "INSIDE");

	list_name(list, sizeof(list), family, kind, own);
	put_never(o, list, family);
	for (size_t i = 0; i < from->n; i++) {
		const struct prefix *p = &from->v[i];

		if (p->addr.family != family || (inside && !within_refused(o->bgp, p)))
			continue;
		put_permit(o, list, p, longer);
	}
}

/* --- route maps ---------------------------------------------------------------------- */

static void put_map(struct out *o, const char *name, const char *verdict, int seq)
{
	o->where = 'M';
	o->map[0] = '\0';
	put(o, "route-map %s %s %d", name, verdict, seq);
	snprintf(o->map, sizeof(o->map), "route-map %s %s %d", name, verdict, seq);
}

static void put_match(struct out *o, uint8_t family, const char *kind,
		      const struct addr *own)
{
	char list[128];

	list_name(list, sizeof(list), family, kind, own);
	/* "ip prefix-list NAME" becomes "match ip address prefix-list NAME". */
	put(o, "match %s address %s", ip(family), strchr(list, ' ') + 1);
}

static void put_next_hop(struct out *o, uint8_t family)
{
	put(o, "set %s next-hop peer-address", ip(family));
	if (family == AF_INET6)
		put(o, "set ipv6 next-hop prefer-global");
}

static const char *in_map(char *buf, size_t cap, uint8_t family, const struct addr *own)
{
	char a[ADDR_STRLEN];

	if (own)
		snprintf(buf, cap, "EDGED-IN%c-%s", digit(family), addr_format(own, a));
	else
		snprintf(buf, cap, "EDGED-IN%c", digit(family));
	return buf;
}

static void put_in(struct out *o, uint8_t family, const struct rt_prefixes *accept,
		   const struct addr *own)
{
	char name[96];

	in_map(name, sizeof(name), family, own);
	put_lists(o, family, "INSIDE", accept, own, true);
	put_lists(o, family, "ACCEPT", accept, own, true);
	put_map(o, name, "permit", 10);
	put_match(o, family, "INSIDE", own);
	put_next_hop(o, family);
	put_map(o, name, "deny", 20);
	put_match(o, family, "REFUSE", NULL);
	put_map(o, name, "permit", 30);
	put_match(o, family, "ACCEPT", own);
	put_next_hop(o, family);
}

static void put_filters(struct out *o, uint8_t family)
{
	char name[32];

	put_lists(o, family, "OUT", &o->bgp->announce, NULL, false);
	put_lists(o, family, "REFUSE", &o->bgp->refuse, NULL, true);
	snprintf(name, sizeof(name), "EDGED-OUT%c", digit(family));
	put_map(o, name, "permit", 10);
	put_match(o, family, "OUT", NULL);
	put_in(o, family, &o->bgp->accept, NULL);
	for (size_t i = 0; i < o->bgp->n_neighbors; i++) {
		const struct rt_neighbor *n = &o->bgp->neighbors[i];

		if (n->accept.n && n->peer.family == family)
			put_in(o, family, &n->accept, &n->peer);
	}
}

/* --- router bgp ----------------------------------------------------------------------- */

static bool any_line(const struct out *o, const char *with)
{
	for (size_t i = 0; i < o->run->n_lines; i++) {
		if (begins(o->run->lines[i], with))
			return true;
	}
	return false;
}

static void put_globals(struct out *o)
{
	const struct rt_bgp *b = o->bgp;
	char buf[ADDR_STRLEN];

	o->where = 'B';
	put(o, "bgp router-id %s", addr_format(&b->router_id, buf));
	put(o, "bgp bestpath as-path multipath-relax");
	put(o, "no bgp network import-check");
	/* A tunnel's interface that flaps ends no session: edged judges tunnels. */
	put(o, "no bgp fast-external-failover");
	/* Class tables forward on while bgpd is away: the peer may, too. */
	put(o, "bgp graceful-restart preserve-fw-state");
	if (b->restart_s != RESTART_DEFAULT_S ||
	    any_line(o, "Bbgp graceful-restart restart-time "))
		put(o, "bgp graceful-restart restart-time %u", b->restart_s);
}

/* A third of the hold time where nothing else is wanted, and never 0: that is off. */
static unsigned int keepalive_of(unsigned int wanted, unsigned int hold)
{
	if (!wanted)
		wanted = hold / 3;
	return wanted ? wanted : 1;
}

static void put_group(struct out *o, uint8_t family)
{
	const struct rt_bgp *b = o->bgp;
	char d = digit(family);

	o->where = 'B';
	put(o, "neighbor EDGED%c peer-group", d);
	put(o, "neighbor EDGED%c disable-connected-check", d);
	put(o, "neighbor EDGED%c timers %u %u", d,
	    keepalive_of(b->keepalive_s, b->hold_s), b->hold_s);
	put(o, "neighbor EDGED%c timers connect %u", d, b->connect_s);
	if (family == AF_INET6) {
		o->where = '4';
		put(o, "no neighbor EDGED6 activate");
		leave_af(o);
		o->where = '6';
		put(o, "neighbor EDGED6 activate");
	} else if (any_line(o, "Bno bgp default ipv4-unicast")) {
		o->where = '4';
		put(o, "neighbor EDGED4 activate");
	}
	o->where = d;
	put(o, "neighbor EDGED%c maximum-prefix %d", d, MAX_PREFIXES);
	put(o, "neighbor EDGED%c route-map EDGED-IN%c in", d, d);
	put(o, "neighbor EDGED%c route-map EDGED-OUT%c out", d, d);
	leave_af(o);
}

/* What of a name may stand in a description. */
static void plain_name(const char *from, char *to, size_t cap)
{
	size_t n = 0;

	for (; from[n] && n + 1 < cap; n++)
		to[n] = isalnum((unsigned char)from[n]) || strchr("._:/-", from[n])
				? from[n]
				: '_';
	to[n] = '\0';
}

static void put_neighbor(struct out *o, const struct rt_neighbor *n)
{
	char name[64];
	char peer[ADDR_STRLEN];
	char local[ADDR_STRLEN];
	char map[96];
	char d = digit(n->peer.family);
	unsigned int hold = n->hold_s ? n->hold_s : o->bgp->hold_s;

	addr_format(&n->peer, peer);
	plain_name(n->tunnel, name, sizeof(name));
	o->where = 'B';
	put(o, "neighbor %s remote-as %u", peer, n->asn);
	put(o, "neighbor %s peer-group EDGED%c", peer, d);
	/* By itself: members do not inherit this one from their group. */
	put(o, "neighbor %s graceful-restart", peer);
	put(o, "neighbor %s description edged %s", peer, name);
	put(o, "neighbor %s update-source %s", peer, addr_format(&n->local, local));
	if (n->hold_s || n->keepalive_s)
		put(o, "neighbor %s timers %u %u", peer,
		    keepalive_of(n->keepalive_s, hold), hold);
	if (n->accept.n) {
		o->where = d;
		put(o, "neighbor %s route-map %s in", peer,
		    in_map(map, sizeof(map), n->peer.family, &n->peer));
		leave_af(o);
	}
}

static void put_networks(struct out *o, uint8_t family)
{
	char buf[PREFIX_STRLEN];

	o->where = digit(family);
	for (size_t i = 0; i < o->bgp->announce.n; i++) {
		const struct prefix *p = &o->bgp->announce.v[i];

		if (p->addr.family == family)
			put(o, "network %s route-map EDGED-NET", prefix_format(p, buf));
	}
	put(o, "maximum-paths %u", o->bgp->max_paths);
	leave_af(o);
}

/* --- what is no longer wanted ------------------------------------------------------------ */

static bool is_wanted(const struct out *o, const char *line)
{
	return o->n_wanted &&
	       bsearch(&line, o->wanted, o->n_wanted, sizeof(line), by_text);
}

static bool wanted_neighbor(const struct rt_bgp *b, const struct addr *a)
{
	for (size_t i = 0; i < b->n_neighbors; i++) {
		if (addr_equal(&b->neighbors[i].peer, a))
			return true;
	}
	return false;
}

/* Lines of neighbours that stay, but have lost a setting of their own. */
static bool is_lone_setting(const char *line)
{
	const char *timers = strstr(line, " timers ");

	return begins(line, "neighbor ") && !begins(line, "neighbor EDGED") &&
	       ((timers && !strstr(line, " timers connect ")) ||
		strstr(line, " route-map EDGED-IN"));
}

static void drop_line(struct out *o, char where, const char *line)
{
	const char *timers = strstr(line, " timers ");

	o->where = where;
	enter(o);
	/* "no neighbor A timers" takes no numbers. */
	fprintf(o->f, "%sno %.*s\n",
		where == 'B'   ? " "
		: where == 'T' ? ""
			       : "  ",
		timers && where == 'B' ? (int)(timers - line) + 7 : (int)strlen(line),
		line);
}

static void drop_neighbors(struct out *o)
{
	char buf[ADDR_STRLEN];

	for (size_t i = 0; i < o->run->n_neighbors; i++) {
		const struct addr *a = &o->run->neighbors[i];

		if (wanted_neighbor(o->bgp, a))
			continue;
		o->where = 'B';
		enter(o);
		fprintf(o->f, " no neighbor %s\n", addr_format(a, buf));
	}
}

static bool of_gone_neighbor(const struct out *o, const char *line)
{
	char word[ADDR_STRLEN];
	struct addr a;

	return sscanf(line, "neighbor %45s", word) == 1 && !addr_parse(word, &a) &&
	       !wanted_neighbor(o->bgp, &a);
}

static void drop_stale_bgp(struct out *o)
{
	for (size_t i = 0; i < o->run->n_lines; i++) {
		const char *line = o->run->lines[i] + 1;
		char where = o->run->lines[i][0];

		if (!strchr("B46", where) || !is_own_line(o->run, line) ||
		    is_wanted(o, o->run->lines[i]) || of_gone_neighbor(o, line))
			continue;
		if ((where != 'B' && begins(line, "network ")) || is_lone_setting(line))
			drop_line(o, where, line);
		leave_af(o);
	}
}

/* "route-map NAME permit 10" without what follows the bar. */
static void drop_stale_top(struct out *o)
{
	leave_router(o);
	for (size_t i = 0; i < o->run->n_lines; i++) {
		const char *line = o->run->lines[i];

		if (line[0] == 'T' && !is_wanted(o, line))
			drop_line(o, 'T', line + 1);
		else if (line[0] == 'M' && !strchr(line, '|') && !is_wanted(o, line))
			fprintf(o->f, "no %s\n", line + 1);
	}
}

/* --- all of it ---------------------------------------------------------------------------- */

static void render_out(struct out *o)
{
	static const char *const groups[] = {"neighbor EDGED4 peer-group",
					     "neighbor EDGED6 peer-group"};

	if (o->run->asn && !o->run->foreign) {
		if (any_line(o, "B"))
			fprintf(o->f, "no router bgp %u\n", o->run->asn);
	} else {
		drop_neighbors(o);
		drop_stale_bgp(o);
		for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
			char line[64];
			const char *key = line;

			snprintf(line, sizeof(line), "B%s", groups[i]);
			if (stands(o, key))
				drop_line(o, 'B', groups[i]);
		}
	}
	drop_stale_top(o);
}

static void render_in(struct out *o)
{
	const struct rt_bgp *b = o->bgp;
	static const uint8_t families[] = {AF_INET, AF_INET6};

	o->where = 'T';
	if (!o->run->foreign_delay)
		put(o, "%s%d", filter_delay, FILTER_DELAY_S);
	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		put_filters(o, families[f]);
	put_map(o, "EDGED-NET", "permit", 10);
	o->map[0] = '\0';
	put_globals(o);
	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		put_group(o, families[f]);
	for (size_t i = 0; i < b->n_neighbors; i++)
		put_neighbor(o, &b->neighbors[i]);
	for (size_t f = 0; f < ARRAY_LEN(families); f++)
		put_networks(o, families[f]);
	if (o->n_wanted)
		qsort(o->wanted, o->n_wanted, sizeof(*o->wanted), by_text);
	if (!o->fresh) {
		drop_neighbors(o);
		drop_stale_bgp(o);
	}
	drop_stale_top(o);
}

int rt_bgp_render(const struct rt_bgp *b, const struct rt_running *running, char **ret,
		  char *why, size_t cap)
{
	static const struct rt_running none;
	struct out o = {.bgp = b, .run = running ? running : &none};
	size_t len;

	if (b->asn && o.run->asn && o.run->asn != b->asn) {
		if (o.run->foreign) {
			snprintf(
				why, cap,
				"FRR runs \"router bgp %u\", which is not edged's, and "
				"bgp.asn is %u: set bgp.asn to %u, or take that router "
				"out of FRR",
				o.run->asn, b->asn, o.run->asn);
			return -EEXIST;
		}
		o.fresh = true;
	}
	o.fresh = o.fresh || !o.run->asn;
	o.f = open_memstream(ret, &len);
	if (!o.f)
		abort(); /* no memory */
	if (b->asn && o.run->asn && o.run->asn != b->asn)
		fprintf(o.f, "no router bgp %u\n", o.run->asn);
	if (b->asn)
		render_in(&o);
	else
		render_out(&o);
	leave_router(&o);
	fclose(o.f);
	for (size_t i = 0; i < o.n_wanted; i++)
		free(o.wanted[i]);
	free(o.wanted);
	return 0;
}
