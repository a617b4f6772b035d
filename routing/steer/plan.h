/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer - which of a peer's paths carries which class
 *
 * steer_peer() is the whole decision: it looks at all paths of one peer, and
 * returns for each class the ordered members with weights. The host calls it
 * for a peer several times a second (STEER_LOOK_US) and at once when a path's
 * state changes; the cost is paths x classes of that one peer. The same code
 * serves a branch with three paths and a hub with ten thousand callers.
 *
 * Rules, in order:
 *  1. An override of the operator stands above everything.
 *  2. A dead path is left at once (blackout), whatever the hold times; only when
 *     every other one is suspect at this moment too, a quarter of a second is
 *     waited for what they turn out to be (a peer that restarts is silent on all).
 *  3. Among the living, those that keep the class's promise; of these the ones
 *     that are not last resort; of these what the strategy says.
 *  4. None keeps it: the least bad one, left only for one that is 20 % better.
 *  5. Never the last path: when nothing lives, the former members stay (all
 *     silent at once is the peer's matter), until one shows a sign of life.
 *  6. Voluntary moves (back, or to a better path) wait for the path's hold time
 *     and are at most one per class and 10 s; 1, 2 and broken promises never wait.
 *
 * A plan names paths by the caller's id (a tunnel slot) and name. State lives in
 * struct steer_state, one a peer; it keeps what is known of each path, the last
 * plan and the overrides' effect. No clock, no I/O; memory is allocated only when
 * paths or classes appear.
 */
#ifndef ED_ROUTING_STEER_PLAN_H
#define ED_ROUTING_STEER_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/mono.h"
#include "routing/steer/class.h"
#include "routing/steer/quality.h"

struct text;

enum steer_limits {
	STEER_PATHS_MAX = 64, /* of one peer; more are ignored */
	STEER_PATH_NAME_MAX = 192, /* bytes of a tunnel name with its NUL */
	STEER_LOOK_US = 250000, /* between two calls while nothing changes */
	STEER_VOLUNTARY_US = 10000000,
	STEER_DEFER_US = 250000, /* rule 2: all others are suspect */
	STEER_MEMORY_MAX = 65536, /* bytes read by steer_state_load() */
	STEER_WEIGHT_MAX = 255,
};

/* Liveness of a path, as the path monitor sees it. */
enum steer_life {
	STEER_NOT_RUNNING = 1, /* no SA, or probes cannot run */
	STEER_SILENT, /* probed, no answer */
	STEER_PROVING, /* answers, not long enough yet */
	STEER_SUSPECT, /* alive, but an answer is overdue just now */
	STEER_ALIVE,
};

/* What the operator ordered for a path's uplink. */
enum steer_order {
	STEER_ORDER_NONE = 0,
	STEER_ORDER_DOWN, /* carries nothing, unless it is the last path */
	STEER_ORDER_UP, /* counts as keeping every promise while it lives */
};

/* One path at the time of the call. */
struct steer_path {
	uint32_t id; /* stable for this path, not 0: its tunnel slot */
	const char *name; /* hub/isp1 */
	const char *label; /* uplink as classes name it: isp1 */
	enum steer_life life;
	enum steer_order order;
	uint32_t cost;
	uint32_t place; /* of the uplink in the configuration: breaks ties */
	uint64_t rate_bps; /* in our sending direction, 0: not known */
	/* One look a class, in the order of the classes given (its DSCP's session). */
	const struct steer_measure *looks;
};

struct steer_settings {
	int64_t hold_us; /* good for this long before traffic returns */
	int64_t hold_max_us; /* what that grows to while a path flaps */
};

/* hold 15 s, at most 10 min. */
struct steer_settings steer_settings_default(void);

struct steer_member {
	uint32_t id;
	uint8_t weight; /* 1 to STEER_WEIGHT_MAX */
	char name[STEER_PATH_NAME_MAX];
};

/* Why a class's members changed. */
enum steer_reason {
	STEER_WHY_FIRST = 1, /* first plan, or the class is new */
	STEER_WHY_DOWN, /* a member is silent or gone */
	STEER_WHY_SLA, /* a member breaks the promise: see evidence */
	STEER_WHY_BACK, /* a better placed path keeps the promise again */
	STEER_WHY_LEAST_BAD, /* none keeps it: the least bad */
	STEER_WHY_OPERATOR,
	STEER_WHY_CONFIG, /* class, cost or order changed, or a new path */
	STEER_WHY_WEIGHTS, /* same members, other weights */
	STEER_WHY_SIGN, /* all were silent, one shows a sign of life */
};

/* One decision with its numbers. Names are good until the next call. */
struct steer_decision {
	const char *class_name;
	enum steer_reason reason;
	char from[STEER_PATH_NAME_MAX]; /* members joined by "+", "" for none */
	char to[STEER_PATH_NAME_MAX];
	char subject[STEER_PATH_NAME_MAX]; /* the path that gave the reason, or "" */
	struct steer_evidence evidence; /* metric 0: no measured value decided */
	uint32_t penalty; /* of subject, after this */
};

struct steer_class_plan {
	char name[STEER_NAME_MAX];
	struct steer_member *members; /* first is the one that matters most */
	size_t n_members;
	bool keeps; /* the first member keeps the promise */
	bool kept; /* nothing lives: the former members were kept */
	bool changed; /* since the call before */
	struct mono since; /* of these members */
};

/* Owned by the state, good until its next call. */
struct steer_plan {
	struct steer_class_plan *classes; /* in the order of the classes given */
	size_t n_classes;
	const struct steer_decision *decisions; /* made in this call */
	size_t n_decisions;
	bool changed; /* any class changed */
	bool all_silent; /* no path lives: the peer's matter */
	bool any_good; /* a living path keeps the promise of at least one class */
};

struct steer_state;

/* The state of one peer, empty. */
struct steer_state *steer_state_new(void);

/* NULL is allowed. */
void steer_state_free(struct steer_state *st);

/*
 * Decide. classes and paths may differ from call to call; a path is known by its
 * id, a class by its name. Returns the plan, never NULL.
 */
const struct steer_plan *steer_peer(struct steer_state *st,
				    const struct steer_class *classes, size_t n_classes,
				    const struct steer_path *paths, size_t n_paths,
				    const struct steer_settings *settings,
				    struct mono now);

/* The last plan; an empty one before the first call. */
const struct steer_plan *steer_last(const struct steer_state *st);

/* How one path stands in one class: for `why`, `paths` and `classes`. */
struct steer_standing {
	enum steer_verdict verdict;
	enum steer_tier tier;
	uint32_t rank;
	struct steer_evidence broken; /* why it is, or was last, bad */
	struct mono since;
	int64_t hold_left_us; /* HOLDING: until it may be good again; 0 if suppressed */
	uint32_t penalty;
	bool suppressed; /* flapped too often, see damping */
	bool member;
	uint32_t loss_ppm; /* of the last 60 s, with its counts */
	uint32_t lost;
	uint32_t judged;
};

/* Returns 0, or -ENOENT when the last call knew no such path or class. */
int steer_standing(struct steer_state *st, const struct steer_settings *settings,
		   uint32_t path_id, const char *class_name, struct mono now,
		   struct steer_standing *out);

/* "sla", "down", ... : stable names for events and JSON; never NULL. */
const char *steer_reason_name(enum steer_reason r);

/*
 * The decision as one sentence for people: "voice moves from hub/isp1 to
 * hub/isp2: delay of hub/isp1 220 ms, limit 150 ms".
 */
void steer_decision_text(const struct steer_decision *d, struct text *out);

/*
 * --- what survives a restart ----------------------------------------------
 * Lines of text, "penalty PATH CLASS NUMBER" and "member CLASS PATH WEIGHT". The
 * host writes them beside its slots, with the age of the file at reading.
 */

/* Append st's lines to out; penalties as of now. */
void steer_state_save(const struct steer_state *st, struct mono now, struct text *out);

/*
 * Read the lines of text (len bytes) into a new st; penalties have decayed for
 * age_s. Lines that make no sense are skipped and counted: a damaged file costs
 * memory of flaps, never a start. Returns the number of lines skipped.
 */
size_t steer_state_load(struct steer_state *st, const char *text, size_t len,
			int64_t age_s, struct mono now);

#endif
