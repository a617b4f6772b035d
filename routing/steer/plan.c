/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A call has four steps:
 *
 *   meet	match the given classes and paths with what is known; take over
 *		what survived a restart
 *   look	each living path, for each class: quality and damping
 *   choose	for each class: candidates to strategy, then whether a move that is
 *		wanted may happen now (blackout and broken promises at once, the
 *		rest when its time has come)
 *   say	a decision with its numbers for each change
 *
 * State is small: per path and class a quality and a damping. Paths that are no
 * longer given are dropped; a member that is dropped counts as dead, except when
 * nothing else lives.
 *
 * Hard cases:
 *  - All silent at once. The members stay; who shows a sign of life first gets
 *    the class, and when it is alive the usual rules go on.
 *  - All others suspect at the moment one dies: the peer restarts, or a common
 *    cause. A short wait tells; moving through every path in turn would end on
 *    the last resort.
 *  - A path's death and its replacement's bad quality in the same call: levels
 *    decide, never the order of events.
 */
#include "routing/steer/plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/text.h"
#include "routing/steer/damping.h"
#include "routing/steer/memory.h"
#include "routing/steer/strategy.h"

/* One path in one class. */
struct stand {
	struct steer_quality quality;
	struct steer_damping damping;
	enum steer_tier tier;
	uint32_t rank;
};

struct known_path {
	uint32_t id;
	char name[STEER_PATH_NAME_MAX];
	bool given; /* in this call */
	size_t index; /* there */
	bool was_alive;
	struct stand *stands; /* one a class */
};

struct known_class {
	char name[STEER_NAME_MAX];
	struct steer_member *members; /* room for STEER_PATHS_MAX + 1 at most */
	size_t cap;
	bool planned; /* a first plan was made */
	struct mono moved; /* last voluntary move, MONO_ZERO: none */
	struct mono defer; /* since when a blackout waits, or never */
};

struct steer_state {
	struct known_path *paths;
	size_t n_paths;
	struct known_class *classes;
	size_t n_classes;
	struct steer_plan plan;
	struct steer_decision *decisions;
	size_t cap_decisions;
	char *memory; /* lines read at start, taken when their path or class appears */
	size_t memory_len;
	struct mono memory_at; /* when they were written, on our clock */
};

struct steer_settings steer_settings_default(void)
{
	return (struct steer_settings){.hold_us = 15000000, .hold_max_us = 600000000};
}

static void copy_name(char *to, size_t cap, const char *from)
{
	struct text t = text_init(to, cap);

	text_add(&t, "%s", from);
}

/* --- state ------------------------------------------------------------------------ */

struct steer_state *steer_state_new(void)
{
	return ed_alloc(sizeof(struct steer_state));
}

static void free_classes(struct steer_state *st)
{
	for (size_t i = 0; i < st->n_classes; i++)
		free(st->classes[i].members);
	free(st->classes);
	free(st->plan.classes);
	st->classes = NULL;
	st->plan.classes = NULL;
	st->n_classes = 0;
	st->plan.n_classes = 0;
}

void steer_state_free(struct steer_state *st)
{
	if (!st)
		return;
	free_classes(st);
	for (size_t i = 0; i < st->n_paths; i++)
		free(st->paths[i].stands);
	free(st->paths);
	free(st->decisions);
	free(st->memory);
	free(st);
}

static uint32_t remembered_penalty(const struct steer_state *st, const char *path,
				   const char *class_name)
{
	const char *pos = st->memory;
	const char *end = pos ? pos + st->memory_len : pos;
	struct steer_memory m;
	int got;

	/* Ends: each call moves pos. */
	while (pos && (got = steer_memory_next(&pos, end, &m)) != 0) {
		if (got == 1 && m.kind == STEER_MEMORY_PENALTY &&
		    steer_memory_is(m.path, m.path_len, path) &&
		    steer_memory_is(m.class_name, m.class_len, class_name))
			return m.number;
	}
	return 0;
}

static void stand_begin(struct steer_state *st, struct stand *s, const char *path,
			const char *class_name, struct mono now)
{
	uint32_t penalty = remembered_penalty(st, path, class_name);

	*s = (struct stand){0};
	steer_quality_init(&s->quality, now);
	if (!penalty)
		return;
	s->damping.penalty = penalty;
	s->damping.at = st->memory_at;
	s->damping.suppressed = penalty > STEER_SUPPRESS_ABOVE;
	if (steer_damping_suppressed(&s->damping, now))
		steer_quality_reset(&s->quality, now, true);
}

/* --- meet ------------------------------------------------------------------------- */

static bool same_classes(const struct steer_state *st,
			 const struct steer_class *classes, size_t n)
{
	if (st->n_classes != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(st->classes[i].name, classes[i].name) != 0)
			return false;
	}
	return true;
}

static size_t find_class(const struct steer_state *st, const char *name)
{
	size_t i = 0;

	while (i < st->n_classes && strcmp(st->classes[i].name, name) != 0)
		i++;
	return i;
}

static void add_member(struct known_class *c, size_t *n, uint32_t id, const char *name,
		       size_t name_len, uint8_t weight)
{
	struct steer_member *m;

	if (*n >= STEER_PATHS_MAX)
		return;
	if (*n == c->cap) {
		c->cap = c->cap ? c->cap * 2 : 4;
		c->members = ed_realloc(c->members, c->cap, sizeof(*c->members));
	}
	m = &c->members[(*n)++];
	*m = (struct steer_member){.id = id, .weight = weight};
	memcpy(m->name, name, name_len);
}

/* What carried the class before a restart; ids are found when paths are met. */
static void remember_members(const struct steer_state *st, struct known_class *c,
			     size_t *n)
{
	const char *pos = st->memory;
	const char *end = pos ? pos + st->memory_len : pos;
	struct steer_memory m;
	int got;

	/* Ends: each call moves pos. */
	while (pos && (got = steer_memory_next(&pos, end, &m)) != 0) {
		if (got == 1 && m.kind == STEER_MEMORY_MEMBER &&
		    steer_memory_is(m.class_name, m.class_len, c->name))
			add_member(c, n, 0, m.path, m.path_len, (uint8_t)m.number);
	}
	c->planned = *n > 0;
}

/* The configuration changed (or is met first): keep what goes by the same name. */
static void meet_classes(struct steer_state *st, const struct steer_class *classes,
			 size_t n, struct mono now)
{
	struct known_class *fresh;
	struct steer_class_plan *plans;

	if (same_classes(st, classes, n))
		return;
	fresh = ed_array(n ? n : 1, sizeof(*fresh));
	plans = ed_array(n ? n : 1, sizeof(*plans));
	for (size_t p = 0; p < st->n_paths; p++) {
		struct known_path *path = &st->paths[p];
		struct stand *stands = ed_array(n ? n : 1, sizeof(*stands));

		for (size_t i = 0; i < n; i++) {
			size_t old = find_class(st, classes[i].name);

			if (old < st->n_classes)
				stands[i] = path->stands[old];
			else
				stand_begin(st, &stands[i], path->name, classes[i].name,
					    now);
		}
		free(path->stands);
		path->stands = stands;
	}
	for (size_t i = 0; i < n; i++) {
		size_t old = find_class(st, classes[i].name);

		if (old < st->n_classes) {
			fresh[i] = st->classes[old];
			plans[i] = st->plan.classes[old];
			st->classes[old].members = NULL;
			continue;
		}
		copy_name(fresh[i].name, sizeof(fresh[i].name), classes[i].name);
		fresh[i].defer = MONO_NEVER;
		copy_name(plans[i].name, sizeof(plans[i].name), classes[i].name);
		remember_members(st, &fresh[i], &plans[i].n_members);
		plans[i].members = fresh[i].members;
		plans[i].since = now;
	}
	free_classes(st);
	st->classes = fresh;
	st->plan.classes = plans;
	st->n_classes = n;
	st->plan.n_classes = n;
}

static struct known_path *find_path(struct steer_state *st, uint32_t id)
{
	for (size_t i = 0; i < st->n_paths; i++) {
		if (st->paths[i].id == id)
			return &st->paths[i];
	}
	return NULL;
}

static struct known_path *new_path(struct steer_state *st,
				   const struct steer_path *given, struct mono now)
{
	struct known_path *k;

	st->paths = ed_realloc(st->paths, st->n_paths + 1, sizeof(*st->paths));
	k = &st->paths[st->n_paths++];
	*k = (struct known_path){.id = given->id};
	copy_name(k->name, sizeof(k->name), given->name);
	k->stands = ed_array(st->n_classes ? st->n_classes : 1, sizeof(*k->stands));
	for (size_t i = 0; i < st->n_classes; i++)
		stand_begin(st, &k->stands[i], k->name, st->classes[i].name, now);
	/* A member remembered from before a restart gets its id. */
	for (size_t i = 0; i < st->n_classes; i++) {
		struct steer_class_plan *p = &st->plan.classes[i];

		for (size_t m = 0; m < p->n_members; m++) {
			if (!p->members[m].id &&
			    strcmp(p->members[m].name, k->name) == 0)
				p->members[m].id = k->id;
		}
	}
	return k;
}

static void meet_paths(struct steer_state *st, const struct steer_path *paths, size_t n,
		       struct mono now)
{
	size_t kept = 0;

	for (size_t i = 0; i < st->n_paths; i++)
		st->paths[i].given = false;
	for (size_t i = 0; i < n; i++) {
		struct known_path *k = find_path(st, paths[i].id);

		if (!k)
			k = new_path(st, &paths[i], now);
		k->given = true;
		k->index = i;
	}
	for (size_t i = 0; i < st->n_paths; i++) {
		if (!st->paths[i].given) {
			free(st->paths[i].stands);
			continue;
		}
		st->paths[kept++] = st->paths[i];
	}
	st->n_paths = kept;
}

/* --- look ------------------------------------------------------------------------- */

static bool lives(const struct steer_path *p)
{
	return p->life == STEER_ALIVE || p->life == STEER_SUSPECT;
}

static int64_t hold_of(struct stand *s, const struct steer_settings *set,
		       struct mono now)
{
	if (steer_damping_suppressed(&s->damping, now))
		return INT64_MAX;
	return steer_damping_hold_us(&s->damping, set->hold_us, set->hold_max_us, now);
}

static void look(struct steer_state *st, struct known_path *k,
		 const struct steer_path *given, const struct steer_class *classes,
		 const struct steer_settings *set, struct mono now)
{
	bool alive = lives(given);

	for (size_t i = 0; i < st->n_classes; i++) {
		struct stand *s = &k->stands[i];
		enum steer_verdict before = s->quality.verdict;

		s->tier = steer_class_tier(&classes[i], given->label, &s->rank);
		if (k->was_alive && !alive) {
			steer_damping_fall(&s->damping, now);
			steer_quality_reset(&s->quality, now, true);
		} else if (alive) {
			/* Held from when it lives again, not from when it died. */
			if (!k->was_alive && s->quality.verdict == STEER_HOLDING)
				steer_quality_reset(&s->quality, now, true);
			if (steer_quality_look(&s->quality, &classes[i],
					       &given->looks[i], hold_of(s, set, now),
					       now) &&
			    before == STEER_GOOD && s->quality.verdict == STEER_BAD)
				steer_damping_fall(&s->damping, now);
		}
	}
	k->was_alive = alive;
}

/* --- choose ----------------------------------------------------------------------- */

static bool is_member(const struct steer_class_plan *p, uint32_t id)
{
	for (size_t i = 0; i < p->n_members; i++) {
		if (p->members[i].id == id)
			return true;
	}
	return false;
}

static enum steer_grade grade_of(const struct steer_path *p, const struct stand *s)
{
	if (p->order == STEER_ORDER_DOWN)
		return lives(p) ? STEER_GRADE_ORDERED : STEER_GRADE_DEAD;
	if (p->life == STEER_PROVING)
		return STEER_GRADE_PROVING;
	if (!lives(p))
		return STEER_GRADE_DEAD;
	if (p->order == STEER_ORDER_UP)
		return STEER_GRADE_GOOD;
	switch (s->quality.verdict) {
	case STEER_GOOD:
		return STEER_GRADE_GOOD;
	case STEER_BAD:
		return STEER_GRADE_BAD;
	case STEER_UNKNOWN:
	case STEER_HOLDING:
		return STEER_GRADE_FAIR;
	}
	return STEER_GRADE_DEAD;
}

/* What one class's choice works on. */
struct choosing {
	struct steer_state *st;
	size_t class_index;
	const struct steer_class *class;
	const struct steer_path *paths;
	struct steer_class_plan *plan;
	struct known_class *known;
	struct steer_candidate candidates[STEER_PATHS_MAX]; /* as st->paths */
	struct steer_choice chosen[STEER_PATHS_MAX];
	size_t n_chosen;
	enum steer_level level;
	struct mono now;
};

static void gather(struct choosing *ch)
{
	for (size_t i = 0; i < ch->st->n_paths; i++) {
		const struct known_path *k = &ch->st->paths[i];
		const struct stand *s = &k->stands[ch->class_index];
		const struct steer_path *p = &ch->paths[k->index];

		ch->candidates[i] = (struct steer_candidate){
			.tier = s->tier,
			.grade = grade_of(p, s),
			.rank = s->rank,
			.cost = p->cost,
			.place = p->place,
			.badness = steer_quality_badness(&s->quality, ch->class),
			.rate_bps = p->rate_bps,
			.member = is_member(ch->plan, k->id),
		};
	}
	ch->n_chosen = steer_strategy_choose(ch->class->strategy, ch->candidates,
					     ch->st->n_paths, ch->chosen, &ch->level);
}

static const struct known_path *chosen_path(const struct choosing *ch, size_t i)
{
	return &ch->st->paths[ch->chosen[i].index];
}

static bool is_chosen(const struct choosing *ch, uint32_t id)
{
	for (size_t i = 0; i < ch->n_chosen; i++) {
		if (chosen_path(ch, i)->id == id)
			return true;
	}
	return false;
}

static bool same_members(const struct choosing *ch, bool *ret_weights)
{
	*ret_weights = true;
	if (ch->n_chosen != ch->plan->n_members)
		return false;
	for (size_t i = 0; i < ch->n_chosen; i++) {
		const struct steer_member *m = &ch->plan->members[i];

		if (chosen_path(ch, i)->id != m->id)
			return false;
		if (ch->chosen[i].weight != m->weight)
			*ret_weights = false;
	}
	return true;
}

/* The candidate of a member, or NULL when its path is gone. */
static const struct steer_candidate *candidate_of(const struct choosing *ch,
						  uint32_t id, size_t *ret_path)
{
	for (size_t i = 0; i < ch->st->n_paths; i++) {
		if (ch->st->paths[i].id == id) {
			*ret_path = i;
			return &ch->candidates[i];
		}
	}
	return NULL;
}

/* What made a change, and whether it may wait. */
struct cause {
	enum steer_reason reason;
	bool urgent;
	size_t path; /* index of the subject, or n_paths for none */
	const char *gone; /* name of a member whose path is not given any more */
};

/* The leaving member that weighs most decides. */
static struct cause cause_of_leaving(const struct choosing *ch)
{
	struct cause worst = {.path = ch->st->n_paths};
	enum steer_grade worst_grade = STEER_GRADE_GOOD;

	for (size_t i = 0; i < ch->plan->n_members; i++) {
		const struct steer_member *m = &ch->plan->members[i];
		const struct steer_candidate *c;
		size_t at = ch->st->n_paths;

		if (is_chosen(ch, m->id))
			continue;
		c = candidate_of(ch, m->id, &at);
		if (!c)
			return (struct cause){STEER_WHY_DOWN, true, at, m->name};
		if (c->grade < worst_grade)
			continue;
		worst_grade = c->grade;
		worst.path = at;
		switch (c->grade) {
		case STEER_GRADE_GOOD:
			break; /* something better is there: see cause_of_joining() */
		case STEER_GRADE_FAIR:
			break;
		case STEER_GRADE_BAD:
			worst.reason =
				ch->level == STEER_LEVEL_NAMED_BAD ||
						ch->level == STEER_LEVEL_UNLISTED_BAD
					? STEER_WHY_LEAST_BAD
					: STEER_WHY_SLA;
			worst.urgent = worst.reason == STEER_WHY_SLA;
			break;
		case STEER_GRADE_PROVING:
			worst.reason = STEER_WHY_DOWN;
			worst.urgent = true;
			break;
		case STEER_GRADE_ORDERED:
			worst.reason = STEER_WHY_OPERATOR;
			worst.urgent = true;
			break;
		case STEER_GRADE_DEAD:
			worst.reason = STEER_WHY_DOWN;
			worst.urgent = true;
			if (ch->paths[ch->st->paths[at].index].order ==
			    STEER_ORDER_DOWN)
				worst.reason = STEER_WHY_OPERATOR;
			break;
		}
	}
	return worst;
}

/* Nobody had to leave: why is somebody else wanted? */
static struct cause cause_of_joining(const struct choosing *ch)
{
	for (size_t i = 0; i < ch->n_chosen; i++) {
		size_t at = ch->chosen[i].index;
		const struct known_path *k = chosen_path(ch, i);
		const struct stand *s = &k->stands[ch->class_index];

		if (is_member(ch->plan, k->id))
			continue;
		if (ch->paths[k->index].order == STEER_ORDER_UP)
			return (struct cause){STEER_WHY_OPERATOR, true, at, NULL};
		/* It fell before, so it comes back. */
		if (steer_damping_penalty(&s->damping, ch->now))
			return (struct cause){STEER_WHY_BACK, false, at, NULL};
		return (struct cause){STEER_WHY_CONFIG, false, at, NULL};
	}
	return (struct cause){STEER_WHY_CONFIG, false, ch->st->n_paths, NULL};
}

static bool members_all_dead(const struct choosing *ch)
{
	for (size_t i = 0; i < ch->plan->n_members; i++) {
		size_t at;
		const struct steer_candidate *c =
			candidate_of(ch, ch->plan->members[i].id, &at);

		if (c && c->grade != STEER_GRADE_DEAD)
			return false;
	}
	return true;
}

static bool is_proving_level(enum steer_level l)
{
	return l >= STEER_LEVEL_LISTED_PROVING && l <= STEER_LEVEL_UNLISTED_PROVING;
}

static bool member_is_proving(const struct choosing *ch)
{
	for (size_t i = 0; i < ch->st->n_paths; i++) {
		if (ch->candidates[i].member &&
		    ch->candidates[i].grade == STEER_GRADE_PROVING)
			return true;
	}
	return false;
}

/* A blackout waits a moment when all that lives is suspect, too. */
static bool defer(struct choosing *ch)
{
	bool suspect = false;

	for (size_t i = 0; i < ch->st->n_paths; i++) {
		enum steer_life life = ch->paths[ch->st->paths[i].index].life;

		if (life == STEER_ALIVE)
			return false;
		suspect |= life == STEER_SUSPECT;
	}
	if (!suspect)
		return false;
	if (mono_is_never(ch->known->defer))
		ch->known->defer = ch->now;
	return mono_diff_us(ch->now, ch->known->defer) < STEER_DEFER_US;
}

static void join_names(char *buf, size_t cap, const struct steer_class_plan *p)
{
	struct text t = text_init(buf, cap);

	for (size_t i = 0; i < p->n_members; i++)
		text_list(&t, "+", p->members[i].name);
}

/* --- say -------------------------------------------------------------------------- */

static struct steer_decision *new_decision(struct steer_state *st)
{
	size_t n = st->plan.n_decisions++;

	if (n == st->cap_decisions) {
		st->cap_decisions = st->cap_decisions ? st->cap_decisions * 2 : 4;
		st->decisions = ed_realloc(st->decisions, st->cap_decisions,
					   sizeof(*st->decisions));
	}
	st->decisions[n] = (struct steer_decision){0};
	return &st->decisions[n];
}

static void adopt(struct choosing *ch, const struct cause *why)
{
	struct steer_class_plan *p = ch->plan;
	struct steer_decision *d = new_decision(ch->st);
	const struct stand *s;
	size_t n = 0;

	d->class_name = ch->known->name;
	d->reason = why->reason;
	join_names(d->from, sizeof(d->from), p);
	/* Before the members, whose name it may be, are replaced. */
	if (why->gone)
		copy_name(d->subject, sizeof(d->subject), why->gone);
	for (size_t i = 0; i < ch->n_chosen; i++) {
		const struct known_path *k = chosen_path(ch, i);

		add_member(ch->known, &n, k->id, k->name, strlen(k->name),
			   ch->chosen[i].weight);
	}
	p->members = ch->known->members;
	p->n_members = n;
	p->since = ch->now;
	p->changed = true;
	ch->st->plan.changed = true;
	join_names(d->to, sizeof(d->to), p);
	if (why->path >= ch->st->n_paths)
		return;
	copy_name(d->subject, sizeof(d->subject), ch->st->paths[why->path].name);
	s = &ch->st->paths[why->path].stands[ch->class_index];
	if (why->reason == STEER_WHY_SLA || why->reason == STEER_WHY_LEAST_BAD)
		d->evidence = s->quality.broken;
	d->penalty = steer_damping_penalty(&s->damping, ch->now);
}

static bool any_lives(const struct choosing *ch)
{
	return !is_proving_level(ch->level);
}

static struct cause find_cause(struct choosing *ch)
{
	struct cause why;

	if (!ch->known->planned || !ch->plan->n_members)
		return (struct cause){STEER_WHY_FIRST, true, ch->st->n_paths, NULL};
	if (!any_lives(ch))
		return (struct cause){STEER_WHY_SIGN, true, ch->chosen[0].index, NULL};
	why = cause_of_leaving(ch);
	if (!why.reason)
		why = cause_of_joining(ch);
	return why;
}

static bool may_move(struct choosing *ch, const struct cause *why)
{
	if (why->reason == STEER_WHY_DOWN && members_all_dead(ch) && defer(ch))
		return false;
	if (why->urgent)
		return true;
	return ch->known->moved.us == 0 ||
	       mono_diff_us(ch->now, ch->known->moved) >= STEER_VOLUNTARY_US;
}

static void decide(struct choosing *ch)
{
	struct steer_class_plan *p = ch->plan;
	struct cause why;
	bool weights;

	p->changed = false;
	p->kept = false;
	gather(ch);
	/* Nothing lives, or the former members give signs as good: keep forwarding. */
	if (!ch->n_chosen || (is_proving_level(ch->level) && member_is_proving(ch))) {
		p->kept = true;
		p->keeps = false;
		return;
	}
	p->keeps = ch->candidates[ch->chosen[0].index].grade == STEER_GRADE_GOOD;
	if (same_members(ch, &weights)) {
		ch->known->planned = true;
		ch->known->defer = MONO_NEVER;
		if (!weights) {
			why = (struct cause){STEER_WHY_WEIGHTS, true, ch->st->n_paths,
					     NULL};
			adopt(ch, &why);
		}
		return;
	}
	why = find_cause(ch);
	if (!may_move(ch, &why)) {
		p->keeps = false;
		for (size_t i = 0; i < p->n_members; i++) {
			size_t at;
			const struct steer_candidate *c =
				candidate_of(ch, p->members[i].id, &at);

			p->keeps |= c && c->grade == STEER_GRADE_GOOD;
		}
		return;
	}
	adopt(ch, &why);
	if (!why.urgent)
		ch->known->moved = ch->now;
	ch->known->planned = true;
	ch->known->defer = MONO_NEVER;
}

/* --- interface -------------------------------------------------------------------- */

static void judge_peer(struct steer_state *st, const struct steer_path *paths)
{
	st->plan.all_silent = true;
	st->plan.any_good = false;
	for (size_t i = 0; i < st->n_paths; i++) {
		const struct known_path *k = &st->paths[i];

		if (!lives(&paths[k->index]))
			continue;
		st->plan.all_silent = false;
		for (size_t c = 0; c < st->n_classes; c++)
			st->plan.any_good |= k->stands[c].quality.verdict == STEER_GOOD;
	}
}

const struct steer_plan *steer_peer(struct steer_state *st,
				    const struct steer_class *classes, size_t n_classes,
				    const struct steer_path *paths, size_t n_paths,
				    const struct steer_settings *settings,
				    struct mono now)
{
	if (n_classes > STEER_CLASSES_MAX)
		n_classes = STEER_CLASSES_MAX;
	if (n_paths > STEER_PATHS_MAX)
		n_paths = STEER_PATHS_MAX;
	meet_classes(st, classes, n_classes, now);
	meet_paths(st, paths, n_paths, now);
	for (size_t i = 0; i < st->n_paths; i++)
		look(st, &st->paths[i], &paths[st->paths[i].index], classes, settings,
		     now);
	st->plan.n_decisions = 0;
	st->plan.changed = false;
	for (size_t i = 0; i < n_classes; i++) {
		struct choosing ch = {
			.st = st,
			.class_index = i,
			.class = &classes[i],
			.paths = paths,
			.plan = &st->plan.classes[i],
			.known = &st->classes[i],
			.now = now,
		};

		decide(&ch);
	}
	st->plan.decisions = st->decisions;
	judge_peer(st, paths);
	return &st->plan;
}

const struct steer_plan *steer_last(const struct steer_state *st)
{
	return &st->plan;
}

int steer_standing(struct steer_state *st, const struct steer_settings *settings,
		   uint32_t path_id, const char *class_name, struct mono now,
		   struct steer_standing *out)
{
	struct known_path *k = find_path(st, path_id);
	size_t c = find_class(st, class_name);
	struct stand *s;

	if (!k || c == st->n_classes)
		return -ENOENT;
	s = &k->stands[c];
	*out = (struct steer_standing){
		.verdict = s->quality.verdict,
		.tier = s->tier,
		.rank = s->rank,
		.broken = s->quality.broken,
		.since = s->quality.since,
		.penalty = steer_damping_penalty(&s->damping, now),
		.suppressed = steer_damping_suppressed(&s->damping, now),
		.member = is_member(&st->plan.classes[c], path_id),
	};
	out->loss_ppm = steer_quality_loss(&s->quality, 60 * MONO_US_PER_S, &out->lost,
					   &out->judged);
	if (out->verdict == STEER_HOLDING && !mono_is_never(s->quality.clean_since)) {
		int64_t hold = hold_of(s, settings, now);
		int64_t passed = mono_diff_us(now, s->quality.clean_since);

		if (!out->suppressed && hold > passed)
			out->hold_left_us = hold - passed;
	}
	return 0;
}

void steer_state_save(const struct steer_state *st, struct mono now, struct text *out)
{
	for (size_t c = 0; c < st->n_classes; c++) {
		const struct steer_class_plan *p = &st->plan.classes[c];

		for (size_t i = 0; i < p->n_members; i++)
			steer_memory_member(out, p->name, p->members[i].name,
					    p->members[i].weight);
	}
	for (size_t i = 0; i < st->n_paths; i++) {
		const struct known_path *k = &st->paths[i];

		for (size_t c = 0; c < st->n_classes; c++) {
			uint32_t penalty =
				steer_damping_penalty(&k->stands[c].damping, now);

			if (penalty)
				steer_memory_penalty(out, k->name, st->classes[c].name,
						     penalty);
		}
	}
}

size_t steer_state_load(struct steer_state *st, const char *text, size_t len,
			int64_t age_s, struct mono now)
{
	const char *pos = text;
	struct steer_memory m;
	size_t skipped = 0;
	int got;

	free(st->memory);
	st->memory = NULL;
	st->memory_len = len < STEER_MEMORY_MAX ? len : STEER_MEMORY_MAX;
	if (st->memory_len)
		st->memory = ed_memdup(text, st->memory_len);
	st->memory_at = mono_add_us(now, age_s > 0 ? -age_s * MONO_US_PER_S : 0);
	/* Ends: each call moves pos. */
	while ((got = steer_memory_next(&pos, text + st->memory_len, &m)) != 0)
		skipped += got < 0;
	return skipped;
}
