/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events - what changed, and why: told to the log, the database and followers
 *
 * Every change that a person may ask about later is one call of event_emit().
 * It never blocks and never fails: a store that is behind loses history, and
 * says how much, nothing else.
 *
 * kind is one of the words below, subject the name of the thing (a tunnel name,
 * an uplink, a peer, "peer/class"), from and to its states in a word each
 * (either may be NULL), reason a sentence with the numbers that decided, for
 * people. The same numbers go along as fields, for programs; their keys carry
 * the unit (delay_ms, loss_pct). Text that came from a peer is allowed in
 * reason: it is escaped where it is shown. Never a key, never a secret.
 *
 * An event's number (the answers' "id") is the microsecond it happened in: it grows.
 *
 * A decision of steering is the event of kind "steer": subject "PEER/CLASS",
 * from and to the paths ("isp1" or "isp1, lte"), numbers at least peer and class.
 *
 *	event_emit(ed, EVENT_PATH, "hub/isp1", "up", "down", "no answer for 1.0 s",
 *		   EVENT_NUMBERS(event_int("missed", 7), event_float("silent_ms", 1004)));
 */
#ifndef ED_EDGED_EVENTS_H
#define ED_EDGED_EVENTS_H

#include <stdint.h>

struct edged;

/* The kinds. New ones may come, old ones stay. */
#define EVENT_DAEMON "daemon" /* start, stop, helpers (edge-esp, edge-zebra) */
#define EVENT_CONFIG "config" /* applied, refused */
#define EVENT_UPLINK "uplink" /* carrier, address, gateway, overrides */
#define EVENT_PEER "peer" /* up, down, all paths silent */
#define EVENT_TUNNEL "tunnel" /* up, down, failures of its IKE */
#define EVENT_IKE "ike" /* rekeys, deletes, collisions */
#define EVENT_PATH "path" /* up, down, proving, quality */
#define EVENT_STEER "steer" /* a class moved: a decision */
#define EVENT_ROUTE "route" /* prefixes, guard, rules put back */
#define EVENT_STORE "store" /* the database itself */

enum event_type { EVENT_END, EVENT_INT, EVENT_FLOAT, EVENT_TEXT, EVENT_BOOL };

/* A field of an event. Texts are borrowed for the call. */
struct event_number {
	const char *key;
	enum event_type type;
	int64_t i;
	double f;
	const char *s;
};

static inline struct event_number event_int(const char *key, int64_t v)
{
	return (struct event_number){.key = key, .type = EVENT_INT, .i = v};
}

/* A value that is no number (NaN, infinite) is told as null. */
static inline struct event_number event_float(const char *key, double v)
{
	return (struct event_number){.key = key, .type = EVENT_FLOAT, .f = v};
}

static inline struct event_number event_text(const char *key, const char *v)
{
	return (struct event_number){.key = key, .type = EVENT_TEXT, .s = v};
}

static inline struct event_number event_bool(const char *key, int v)
{
	return (struct event_number){.key = key, .type = EVENT_BOOL, .i = v};
}

/* A list of fields as an argument; it ends itself. */
#define EVENT_NUMBERS(...) \
	((const struct event_number[]){__VA_ARGS__, {.type = EVENT_END}})

/*
 * Tell that subject changed. numbers ends with EVENT_END; NULL for none. Texts
 * longer than EVENT_TEXT_MAX bytes are cut.
 */
void event_emit(struct edged *ed, const char *kind, const char *subject,
		const char *from, const char *to, const char *reason,
		const struct event_number *numbers);

enum { EVENT_TEXT_MAX = 1000, EVENT_NUMBERS_MAX = 48 };

#endif
