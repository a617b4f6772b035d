/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pathmon - is a path good?
 *
 * The whole interface of the folder. Two halves:
 *
 * pm_path (pure)	everything known about one tunnel's path: its probes in
 *			flight, its statistics per DSCP, its liveness, and when
 *			the next probe is due. Time comes in as struct mono;
 *			no clock, no socket, no allocation after pm_path_new().
 * pm_prober,		the shells: one socket per family and kind, kernel
 * pm_reflector		receive stamps, timers of lib/loop. The only impure files.
 *
 * A *session* is one DSCP of a path: delay, jitter and loss are kept apart for
 * each, as a queue that is good to EF may be bad to the rest. Liveness belongs
 * to the path: an answer with any DSCP proves it alive.
 *
 * Words and units. Delay is the round trip, the median of the window. Jitter is
 * the mean absolute difference of consecutive delays. A probe without answer
 * after the loss time-out is lost for ever, a later answer is counted as late.
 * The liveness deadline is another thing: much shorter, and a late answer
 * within it or not is a sign of life. Times are _us, loss is _ppm.
 *
 * How one runs (the host needs nothing else):
 *
 *	pr = pm_prober_new(loop, rng, &ops);
 *	rf = pm_reflector_new(loop, PM_STAMP_PORT, mark);
 *	t = pm_prober_add(pr, &config, ctx);		a tunnel was made
 *	pm_reflector_add(rf, t, &place);
 *	pm_prober_start(t, &place);			its SA is up
 *	ops.changed(ctx, change)			down, proving, up, ...
 *	pm_path_measure() -> steering, pm_path_stats() -> people
 *	pm_prober_stop(t);				its SA is gone
 */
#ifndef ED_PATHMON_PATHMON_H
#define ED_PATHMON_PATHMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/mono.h"

struct loop;
struct rng;

enum pm_limits {
	PM_STAMP_PORT = 862, /* RFC 8762 section 4.1 */
	PM_SESSIONS_MAX = 4, /* DSCPs measured apart on one path */
	PM_DELAY_BUCKETS = 15, /* 1 ms doubling to 8,192 ms, and more than that */
};

/* How a path is probed. */
enum pm_kind {
	PM_STAMP = 1, /* RFC 8762; the peer has a reflector */
	PM_ICMP, /* echo request to the peer's inside address */
};

/* Zero is no state at all. */
enum pm_state {
	PM_OFF = 1, /* not probed: no SA, or nothing can be sent. Never good */
	PM_DOWN, /* silent */
	PM_PROVING, /* probed, answers or not yet, has not shown that it lasts */
	PM_UP,
	PM_SUSPECT, /* up, an answer is overdue, probed fast: still carries traffic */
	PM_STATES,
};

/* Why the state changed. */
enum pm_cause {
	PM_CAUSE_STARTED = 1,
	PM_CAUSE_STOPPED,
	PM_CAUSE_SEND, /* probes cannot be sent (err says why) */
	PM_CAUSE_ANSWER, /* an answer came */
	PM_CAUSE_PROVEN, /* answers, for the whole proving time */
	PM_CAUSE_MISSED, /* first answer overdue */
	PM_CAUSE_SILENT, /* several missed and nothing else arrived either */
	PM_CAUSE_NO_ANSWER, /* no answer for long although other things arrive */
	PM_CAUSE_DEAF, /* the peer says that it hears nothing of us */
	PM_CAUSES,
};

/* "up", "suspect", ... for people and JSON; never NULL. */
const char *pm_state_name(enum pm_state s);

/* "silent", "no-answer", ... ; never NULL. */
const char *pm_cause_name(enum pm_cause c);

/* One change of a path's state, with the numbers that decided it. */
struct pm_change {
	enum pm_state from;
	enum pm_state to;
	enum pm_cause cause;
	uint32_t missed; /* probes overdue since the last answer */
	int64_t quiet_us; /* since anything at all arrived */
	int64_t no_answer_us; /* since the last answer, or the start */
	int err; /* negative errno for PM_CAUSE_SEND */
};

/* Settings of a path; those not zero in pm_path_config_default() must not be zero. */
struct pm_path_config {
	enum pm_kind kind;
	uint8_t n_sessions; /* 1 to PM_SESSIONS_MAX */
	uint8_t dscp[PM_SESSIONS_MAX];

	int64_t interval_us; /* between two probes of one session */
	int64_t timeout_us; /* a probe unanswered for this long is lost */
	int64_t window_us; /* pm_stats looks back this far, at most 10 minutes */

	bool metered; /* the uplink has a monthly limit */
	int64_t metered_idle_us; /* interval there without traffic */
	int64_t metered_busy_us; /* with traffic, or for a while after a miss */

	int64_t suspect_us; /* interval while a first answer is missing */
	uint32_t down_missed; /* probes missed, and ... */
	int64_t down_quiet_us; /* nothing at all arrived for this long: down */
	int64_t down_no_answer_us; /* no answer for this long: down */
	uint32_t up_answers; /* answers, and ... */
	int64_t up_proving_us; /* answered over this time: up */
	int64_t up_first_us; /* the same for a path that was just started */

	/* Told to the peer in our probes, so that it can steer its direction. */
	uint32_t cost;
	uint8_t order; /* place of the uplink in the configuration */
	uint32_t down_kbps; /* 0: not configured */
};

/*
 * STAMP, one session of DSCP 0, not metered; interval 100 ms, time-out 2 s, window
 * 60 s, metered 10 s and 200 ms, suspect 25 ms, down after 5 missed and 300 ms, or
 * 1 s without an answer, up after 3 answers over 5 s (1 s when new).
 */
struct pm_path_config pm_path_config_default(void);

/* Where probes of a path leave and where their answers must come from. */
struct pm_place {
	struct addr local; /* inside address, ours */
	struct addr peer; /* inside address of the peer */
	unsigned int ifindex;
};

/* Statistics of one session over the window, for people. */
struct pm_stats {
	bool valid; /* false: no probe was judged yet, all else is 0 */
	uint32_t sent; /* probes judged: answered or timed out */
	uint32_t lost; /* of these */
	uint32_t loss_ppm;
	uint32_t delay_us; /* median */
	uint32_t delay_p95_us;
	uint32_t delay_min_us;
	uint32_t jitter_us;
	uint32_t reordered; /* answers overtaken by a later one */
	uint32_t mos_x100; /* G.711 with concealment, 100 to 450 */
};

/* Counts of a path, all sessions, exact, since pm_path_start(). */
struct pm_totals {
	uint64_t sent; /* probes that left and were judged: answered or lost */
	uint64_t lost; /* no answer within the loss time-out */
	uint64_t in_flight;
	uint64_t late; /* answered after that: stays lost */
	uint64_t repeated; /* a second answer to the same probe */
	uint64_t forged; /* right session, wrong content: never sent, wrong stamp */
	/*
	 * Answers in time by delay, each in the first bucket that holds it (its upper
	 * end is 1 ms << i; the last one takes the rest), and the sum of all delays.
	 */
	uint64_t answers[PM_DELAY_BUCKETS];
	uint64_t delay_sum_us;
	uint64_t lost_out; /* of lost: on the way to the peer; 0 unless stateful */
	uint64_t lost_back;
	bool per_direction; /* the reflector keeps its own sequence: the two are known */
};

/*
 * What steering wants of one session: short figures for delay and jitter,
 * cumulative counts for loss (the difference of two calls is a window).
 * Probes sent faster out of suspicion are left out, they would count a burst
 * of loss several times.
 */
struct pm_measure {
	uint32_t answers; /* within the last second (longer where probes are rare) */
	uint32_t delay_us; /* median of these */
	uint32_t delay_p95_us;
	uint32_t delay_min_us;
	uint32_t delay_max_us;
	uint32_t jitter_us; /* of three times as long */
	uint64_t judged; /* since pm_path_start() */
	uint64_t lost;
};

/* What the peer said of itself in its probes or answers. */
struct pm_peer_info {
	bool valid; /* false: it never said anything (not an edged) */
	bool metered;
	uint32_t cost;
	uint8_t order;
	uint32_t down_kbps;
};

struct pm_path;

/* --- a path's figures: pure, read at any time ------------------------------ */

enum pm_state pm_path_state(const struct pm_path *p);

/* Session i of the configuration; zeros with valid false for one that is not. */
void pm_path_stats(struct pm_path *p, unsigned int i, struct mono now,
		   struct pm_stats *out);

/* Session i, for steering. */
void pm_path_measure(struct pm_path *p, unsigned int i, struct mono now,
		     struct pm_measure *out);

void pm_path_totals(const struct pm_path *p, struct pm_totals *out);

void pm_path_peer_info(const struct pm_path *p, struct pm_peer_info *out);

/* --- hints the host gives -------------------------------------------------- */

/*
 * The count of packets ever received on the tunnel (its SAs, summed over
 * rekeys; it may restart from any value). A change is a sign of life. Any
 * rhythm is right; while a path is suspect the prober asks by ops.rx_packets.
 */
void pm_path_rx_packets(struct pm_path *p, struct mono now, uint64_t count);

/* User traffic was sent on the path: a metered one is probed faster for 5 s. */
void pm_path_traffic(struct pm_path *p, struct mono now);

/* The peer has no good path: probe fast whatever the budget, until false. */
void pm_path_urgent(struct pm_path *p, struct mono now, bool urgent);

/* --- the sending shell ----------------------------------------------------- */

struct pm_prober_ops {
	/* After each change of state. May call pm_*, but not pm_prober_remove(). */
	void (*changed)(void *ctx, const struct pm_change *change);
	/*
	 * Packets received on the tunnel so far, asked while it is suspect.
	 * False when not known. May be NULL.
	 */
	bool (*rx_packets)(void *ctx, uint64_t *count);
	/*
	 * Firewall mark of the probes, 0 for none. A firewall that gives marks
	 * routes a packet anew, and then by its own idea of the interface.
	 */
	uint32_t mark;
};

struct pm_prober;
struct pm_target;

/*
 * A prober without targets; sockets open with the first one started. loop, rng
 * and ops stay the caller's and must outlive it.
 */
struct pm_prober *pm_prober_new(struct loop *loop, struct rng *rng,
				const struct pm_prober_ops *ops);

/* Ends all targets; NULL is allowed. */
void pm_prober_free(struct pm_prober *pr);

/*
 * A path to probe, in state PM_OFF; ctx is given to the ops. The target is the
 * prober's, until pm_prober_remove(). NULL when n_sessions is not in 1 to
 * PM_SESSIONS_MAX, or 65,534 targets exist.
 */
struct pm_target *pm_prober_add(struct pm_prober *pr, const struct pm_path_config *cfg,
				void *ctx);

/* End a target without calling changed(); NULL is allowed. */
void pm_prober_remove(struct pm_target *t);

/*
 * Begin to probe from place; counts and windows begin anew. A second call while
 * it runs only moves it to the new place. Returns 0 or a negative errno of the
 * socket; the target then stays off and the call may be repeated.
 */
int pm_prober_start(struct pm_target *t, const struct pm_place *place);

/* Stop probing: PM_OFF. The figures stay readable. */
void pm_prober_stop(struct pm_target *t);

/* New settings (metered, cost, interval) for a target, applied in place. */
int pm_prober_configure(struct pm_target *t, const struct pm_path_config *cfg);

/* The path behind a target, for figures and hints. */
struct pm_path *pm_target_path(struct pm_target *t);

/* Packets that reached the prober and belong to no target or came the wrong way. */
uint64_t pm_prober_strays(const struct pm_prober *pr);

/* --- the answering shell --------------------------------------------------- */

struct pm_reflector;

/*
 * A stateful STAMP reflector on UDP port. It answers only what came in by an
 * interface it was told of, from that interface's peer address. Its answers
 * carry mark (see struct pm_prober_ops). NULL when
 * neither family's socket can be had; errno says why.
 */
struct pm_reflector *pm_reflector_new(struct loop *loop, uint16_t port, uint32_t mark);

void pm_reflector_free(struct pm_reflector *rf);

/*
 * Answer probes that reach place. t may be NULL; given, the peer's probes are
 * signs of life for it and carry its report, and the place must be removed
 * before t is. One interface may have a place per family. Returns 0 or -EEXIST.
 */
int pm_reflector_add(struct pm_reflector *rf, struct pm_target *t,
		     const struct pm_place *place);

/* Forget a place; no effect when it was never added. */
void pm_reflector_remove(struct pm_reflector *rf, const struct pm_place *place);

/* Probes not answered: wrong interface, wrong source, too short. */
uint64_t pm_reflector_strays(const struct pm_reflector *rf);

#endif
