/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tunnel's probes run while it has an SA and both ends' inside addresses. The
 * target itself lives as long as the tunnel, so that its figures stay readable
 * while the tunnel is away. Once a second every path gives a sample to the
 * history, hands the data plane's counters to liveness, and learns what the peer
 * said of itself.
 */
#include "edged/path.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "edged/config/config.h"
#include "edged/dataplane/dataplane.h"
#include "edged/edged.h"
#include "edged/events.h"
#include "edged/steering.h"
#include "edged/store.h"
#include "edged/supervisor.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "routing/owned.h"

enum path_limits {
	PATH_TICK_US = 1000000,
	/* Packets a second beyond our own probes that count as user traffic. */
	PATH_TRAFFIC_PACKETS = 5,
	PATH_MEASURED_ANSWERS = 2,
};

struct path {
	struct tunnel *t;
	struct pm_target *target; /* NULL where the peer is not probed */
	struct pm_path_config cfg;
	struct pm_place place;
	bool running;
	struct mono since;
	uint64_t sample_sent; /* totals at the last sample */
	uint64_t sample_lost;
	uint64_t tx_packets; /* the data plane's count at the last tick */
	struct store_minute minute; /* minute.path is NULL while it is empty */
};

struct path_monitor {
	struct edged *ed;
	struct pm_prober *prober;
	struct pm_reflector *reflector;
	struct loop_timer tick;
};

/* --- settings -------------------------------------------------------------- */

/* Place of an uplink in the configuration: breaks ties, the first one wins. */
static uint8_t uplink_order(const struct config *c, const struct config_uplink *u)
{
	size_t i = (size_t)(u - c->uplinks.v);

	return (uint8_t)(i < UINT8_MAX ? i : UINT8_MAX);
}

/* What we tell the peer about the uplink the tunnel leaves by. */
static void config_of_uplink(const struct tunnel *t, struct pm_path_config *cfg)
{
	const struct config_uplink *u = t->uplink ? t->uplink->conf : NULL;

	if (!u)
		return;
	cfg->metered = u->monthly_limit_bytes > 0;
	cfg->cost = (uint32_t)u->cost;
	cfg->order = uplink_order(t->ed->config, u);
	cfg->down_kbps = (uint32_t)(u->down_bps / 1000);
}

/*
 * Traffic with a promise is measured with its own DSCP: a queue that is good to EF
 * may be bad to the rest. Session 0 has DSCP 0, for all others and for people.
 */
static void add_sessions(const struct config *c, struct pm_path_config *cfg)
{
	for (size_t i = 0; i < c->classes.n && cfg->n_sessions < PM_SESSIONS_MAX; i++) {
		const struct config_class *class = &c->classes.v[i];

		if (!class->dscp.n || !class->dscp.v[0])
			continue;
		if (!class->max_delay_us && !class->max_jitter_us &&
		    !class->max_loss_ppm)
			continue;
		cfg->dscp[cfg->n_sessions++] = (uint8_t) class->dscp.v[0];
	}
}

static struct pm_path_config config_of(const struct tunnel *t)
{
	const struct config_probe *p = &t->ed->config->probe;
	struct pm_path_config cfg = pm_path_config_default();

	cfg.kind =
		t->peer->conf->profile.probe == CONFIG_PROBE_ICMP ? PM_ICMP : PM_STAMP;
	cfg.interval_us = p->interval_us;
	cfg.timeout_us = p->timeout_us;
	cfg.window_us = p->window_us;
	cfg.metered_idle_us = p->metered_interval_us;
	cfg.metered_busy_us = p->metered_busy_interval_us;
	cfg.suspect_us = p->suspect_interval_us;
	cfg.down_missed = (uint32_t)p->down_missed;
	cfg.down_quiet_us = p->down_silent_us;
	cfg.down_no_answer_us = p->down_no_answer_us;
	cfg.up_answers = (uint32_t)p->up_answers;
	cfg.up_proving_us = p->up_proving_us;
	add_sessions(t->ed->config, &cfg);
	config_of_uplink(t, &cfg);
	return cfg;
}

/* A caller's uplink is metered when the caller says so: its budget is our care too. */
static void learn_from_peer(struct path *p)
{
	struct pm_peer_info info;

	if (!p->target || !p->t->peer->calls_us)
		return;
	pm_path_peer_info(pm_target_path(p->target), &info);
	if (!info.valid || info.metered == p->cfg.metered)
		return;
	p->cfg.metered = info.metered;
	(void)pm_prober_configure(p->target, &p->cfg);
}

/* --- changes of liveness --------------------------------------------------- */

static void add_numbers(const struct pm_change *c, struct text *reason)
{
	switch (c->cause) {
	case PM_CAUSE_SILENT:
	case PM_CAUSE_NO_ANSWER:
	case PM_CAUSE_DEAF:
	case PM_CAUSE_MISSED:
		text_add(reason, "%s: %u probes missed, no answer for ",
			 pm_cause_name(c->cause), c->missed);
		text_us(reason, c->no_answer_us);
		text_add(reason, ", nothing arrived for ");
		text_us(reason, c->quiet_us);
		return;
	case PM_CAUSE_SEND:
		text_add(reason, "probes cannot be sent: %s", strerror(-c->err));
		return;
	case PM_CAUSE_STARTED:
	case PM_CAUSE_STOPPED:
	case PM_CAUSE_ANSWER:
	case PM_CAUSE_PROVEN:
	case PM_CAUSES:
		break;
	}
	text_add(reason, "%s", pm_cause_name(c->cause));
}

/*
 * Up and suspect alternate with every lost probe; only what carries traffic or
 * ceases to is worth an event and a look by steering.
 */
static bool worth_telling(const struct pm_change *c)
{
	bool carried = c->from == PM_UP || c->from == PM_SUSPECT;
	bool carries = c->to == PM_UP || c->to == PM_SUSPECT;

	return !(carried && carries);
}

static void on_changed(void *ctx, const struct pm_change *change)
{
	struct path *p = ctx;
	struct tunnel *t = p->t;
	char buf[256];
	struct text reason = text_init(buf, sizeof(buf));

	if (!worth_telling(change))
		return;
	p->since = mono_now();
	add_numbers(change, &reason);
	event_emit(t->ed, EVENT_PATH, t->name, pm_state_name(change->from),
		   pm_state_name(change->to), reason.buf,
		   EVENT_NUMBERS(event_int("missed", change->missed),
				 event_float("quiet_ms",
					     (double)change->quiet_us / 1e3),
				 event_float("no_answer_ms",
					     (double)change->no_answer_us / 1e3)));
	steering_touch(t->peer);
	supervisor_path_changed(t);
}

static bool on_rx_packets(void *ctx, uint64_t *count)
{
	struct path *p = ctx;
	struct dp_counters c;

	if (dp_counters(p->t->ed->dataplane, p->t->slot, &c) < 0)
		return false;
	*count = c.rx_packets;
	return true;
}

static const struct pm_prober_ops prober_ops = {
	.changed = on_changed,
	.rx_packets = on_rx_packets,
	.mark = RT_MARK_CHOSEN,
};

/* --- start and stop -------------------------------------------------------- */

/* The inside pair that probes use: IPv4 where there is one. */
static bool place_of(const struct tunnel *t, struct pm_place *place)
{
	for (int f = 0; f < ED_FAMILIES; f++) {
		const struct tunnel_inside *in = &t->inside[f];

		if (!in->local.family || !in->peer.family)
			continue;
		*place = (struct pm_place){
			.local = in->local,
			.peer = in->peer,
			.ifindex = (unsigned int)t->ifindex,
		};
		return true;
	}
	return false;
}

static bool same_place(const struct pm_place *a, const struct pm_place *b)
{
	return a->ifindex == b->ifindex && addr_equal(&a->local, &b->local) &&
	       addr_equal(&a->peer, &b->peer);
}

static void stop(struct path *p)
{
	if (!p->running)
		return;
	p->running = false;
	p->since = mono_now();
	if (!p->target)
		return;
	pm_reflector_remove(p->t->ed->paths->reflector, &p->place);
	pm_prober_stop(p->target);
}

static void start(struct path *p, const struct pm_place *place)
{
	struct path_monitor *m = p->t->ed->paths;
	int err;

	if (p->running && (!p->target || same_place(&p->place, place)))
		return;
	if (p->running && p->target)
		pm_reflector_remove(m->reflector, &p->place);
	if (!p->running) {
		p->since = mono_now();
		p->sample_sent = 0;
		p->sample_lost = 0;
	}
	p->place = *place;
	p->running = true;
	if (!p->target)
		return;
	if (pm_reflector_add(m->reflector, p->target, place) < 0)
		ed_warn(p->t->name, "another tunnel has the same inside addresses");
	err = pm_prober_start(p->target, place);
	if (err < 0)
		ed_warn(p->t->name, "cannot probe: %s", strerror(-err));
}

/* Make the target, or bring its settings up to date; the kind cannot change in it. */
static void configure(struct path *p)
{
	struct path_monitor *m = p->t->ed->paths;
	bool probed = p->t->peer->conf->profile.probe != CONFIG_PROBE_OFF;
	struct pm_path_config cfg = config_of(p->t);

	if (p->target && (!probed || cfg.kind != p->cfg.kind)) {
		stop(p);
		pm_prober_remove(p->target);
		p->target = NULL;
	}
	if (p->target && p->t->peer->calls_us)
		cfg.metered = p->cfg.metered;
	p->cfg = cfg;
	if (!probed)
		return;
	if (p->target)
		(void)pm_prober_configure(p->target, &cfg);
	else
		p->target = pm_prober_add(m->prober, &cfg, p);
	if (!p->target)
		ed_error(p->t->name, "too many paths to probe");
}

void path_update(struct tunnel *t)
{
	struct path *p = t->path;
	struct pm_place place;

	if (!t->ed->paths)
		return;
	if (!p) {
		p = ed_alloc(sizeof(*p));
		p->t = t;
		t->path = p;
	}
	configure(p);
	if (tunnel_has_sa(t) && t->ifindex && place_of(t, &place))
		start(p, &place);
	else
		stop(p);
	steering_touch(t->peer);
}

static void flush_minute(struct path *p)
{
	if (p->minute.path && p->t->ed->store)
		(void)store_minute(p->t->ed->store, &p->minute);
	p->minute = (struct store_minute){0};
}

void path_free(struct tunnel *t)
{
	struct path *p = t->path;

	if (!p)
		return;
	stop(p);
	flush_minute(p);
	pm_prober_remove(p->target);
	free(p);
	t->path = NULL;
}

/* --- figures --------------------------------------------------------------- */

enum pm_state path_state(const struct tunnel *t)
{
	if (!t->path || !t->path->target)
		return PM_OFF;
	return pm_path_state(pm_target_path(t->path->target));
}

enum steer_life path_life(const struct tunnel *t)
{
	const struct path *p = t->path;

	if (!p || !p->running)
		return STEER_NOT_RUNNING;
	if (!p->target) /* not probed, by configuration: the SA's word is all there is */
		return STEER_ALIVE;
	switch (path_state(t)) {
	case PM_UP:
	case PM_SUSPECT:
		return STEER_ALIVE;
	case PM_PROVING:
		return STEER_PROVING;
	case PM_DOWN:
		return STEER_SILENT;
	case PM_OFF:
	case PM_STATES:
		break;
	}
	return STEER_NOT_RUNNING;
}

struct mono path_since(const struct tunnel *t)
{
	return t->path ? t->path->since : MONO_ZERO;
}

struct pm_path *path_pm(const struct tunnel *t)
{
	return t->path && t->path->target ? pm_target_path(t->path->target) : NULL;
}

unsigned int path_session(const struct tunnel *t, unsigned int class_index)
{
	const struct config *c = t->ed->config;
	const struct config_class *class;

	if (!t->path || class_index >= c->classes.n)
		return 0;
	class = &c->classes.v[class_index];
	for (unsigned int i = 0; i < t->path->cfg.n_sessions; i++) {
		for (size_t d = 0; d < class->dscp.n; d++) {
			if (class->dscp.v[d] == t->path->cfg.dscp[i])
				return i;
		}
	}
	return 0;
}

bool path_measured(const struct tunnel *t)
{
	struct pm_path *pm = path_pm(t);
	struct pm_measure m;

	if (!pm)
		return true;
	pm_path_measure(pm, 0, mono_now(), &m);
	return path_life(t) == STEER_ALIVE && m.answers >= PATH_MEASURED_ANSWERS;
}

const struct store_minute *path_minute(const struct tunnel *t)
{
	return t->path && t->path->minute.path ? &t->path->minute : NULL;
}

/* --- once a second --------------------------------------------------------- */

static void take_sample(struct path *p, int64_t now_s, struct mono now)
{
	struct pm_path *pm = pm_target_path(p->target);
	struct store_sample *s = &p->minute.sample[now_s % STORE_MINUTE_SAMPLES];
	struct pm_totals totals;
	struct pm_measure m;

	if (p->minute.path && p->minute.minute != now_s / 60)
		flush_minute(p);
	p->minute.path = p->t->name;
	p->minute.minute = now_s / 60;
	pm_path_totals(pm, &totals);
	pm_path_measure(pm, 0, now, &m);
	*s = (struct store_sample){
		.delay_us = m.answers ? m.delay_us : UINT32_MAX,
		.p95_us = m.answers ? m.delay_p95_us : UINT32_MAX,
		.min_us = m.answers ? m.delay_min_us : UINT32_MAX,
		.max_us = m.answers ? m.delay_max_us : UINT32_MAX,
		.jitter_us = m.answers ? m.jitter_us : UINT32_MAX,
		.sent = (uint16_t)(totals.sent - p->sample_sent),
		.lost = (uint16_t)(totals.lost - p->sample_lost),
		.state = (uint8_t)pm_path_state(pm),
	};
	p->sample_sent = totals.sent;
	p->sample_lost = totals.lost;
}

/*
 * Counters of the data plane: anything received is a sign of life; more sent
 * than probes and their answers is traffic, for which a metered path is
 * probed faster.
 */
static void look_at_counters(struct path *p, uint64_t probes, struct mono now)
{
	struct pm_path *pm = pm_target_path(p->target);
	struct dp_counters c;
	uint64_t sent;

	if (dp_counters(p->t->ed->dataplane, p->t->slot, &c) < 0)
		return;
	pm_path_rx_packets(pm, now, c.rx_packets);
	sent = c.tx_packets >= p->tx_packets ? c.tx_packets - p->tx_packets : 0;
	p->tx_packets = c.tx_packets;
	if (sent > 2 * probes + PATH_TRAFFIC_PACKETS)
		pm_path_traffic(pm, now);
}

static void on_tick(void *ctx, struct mono now)
{
	struct path_monitor *m = ctx;
	int64_t now_s = time(NULL);
	struct tunnel *t;
	struct tunnel *next;

	HASH_ITER (hh, m->ed->tunnels, t, next) {
		struct path *p = t->path;
		uint64_t before;

		if (!p || !p->running || !p->target)
			continue;
		before = p->sample_sent;
		take_sample(p, now_s, now);
		look_at_counters(p, p->sample_sent - before, now);
		learn_from_peer(p);
	}
	loop_timer_at(m->ed->loop, &m->tick, mono_add_us(now, PATH_TICK_US), on_tick,
		      m);
}

int path_monitor_new(struct edged *ed, struct path_monitor **ret)
{
	struct path_monitor *m = ed_alloc(sizeof(*m));

	m->ed = ed;
	m->reflector = pm_reflector_new(ed->loop, PM_STAMP_PORT, RT_MARK_CHOSEN);
	if (!m->reflector) {
		int err = errno ? -errno : -EIO;

		ed_error("paths", "UDP port %d: %s%s", PM_STAMP_PORT, strerror(-err),
			 err == -EADDRINUSE ? " (another program has it: ss -lunp)"
			 : err == -EPERM || err == -EACCES
				 ? " (edged needs CAP_NET_ADMIN: start it as its "
				   "service does, or as root)"
				 : "");
		free(m);
		return err;
	}
	m->prober = pm_prober_new(ed->loop, ed->rng, &prober_ops);
	loop_timer_at(ed->loop, &m->tick, mono_add_us(mono_now(), PATH_TICK_US),
		      on_tick, m);
	*ret = m;
	return 0;
}

void path_monitor_free(struct path_monitor *m)
{
	struct tunnel *t;
	struct tunnel *next;

	if (!m)
		return;
	loop_timer_stop(&m->tick);
	HASH_ITER (hh, m->ed->tunnels, t, next)
		path_free(t);
	pm_prober_free(m->prober);
	pm_reflector_free(m->reflector);
	free(m);
}
