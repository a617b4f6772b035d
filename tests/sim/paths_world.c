/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/paths_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/text.h"

enum packet_kind { PROBE, ANSWER, DATA };

struct world_packet {
	struct mono at;
	uint64_t order;
	enum packet_kind kind;
	uint8_t path;
	uint8_t to;
	uint8_t class;
	uint32_t seq;
	uint32_t reflector_seq;
	uint64_t stamp;
	struct pm_report report;
};

/* --- the wire ----------------------------------------------------------------- */

static bool earlier(const struct world_packet *a, const struct world_packet *b)
{
	return a->at.us != b->at.us ? a->at.us < b->at.us : a->order < b->order;
}

static void push(struct world *w, const struct world_packet *p)
{
	unsigned int i = w->n_queue++;

	assert(i < WORLD_QUEUE);
	/* Ends: i halves. */
	while (i && earlier(p, &w->queue[(i - 1) / 2])) {
		w->queue[i] = w->queue[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->queue[i] = *p;
}

static struct world_packet pop(struct world *w)
{
	struct world_packet first = w->queue[0];
	struct world_packet last = w->queue[--w->n_queue];
	unsigned int i = 0;

	/* Ends: i doubles. */
	for (;;) {
		unsigned int child = 2 * i + 1;

		if (child >= w->n_queue)
			break;
		if (child + 1 < w->n_queue &&
		    earlier(&w->queue[child + 1], &w->queue[child]))
			child++;
		if (!earlier(&w->queue[child], &last))
			break;
		w->queue[i] = w->queue[child];
		i = child;
	}
	w->queue[i] = last;
	return first;
}

/* Put a packet on the wire. False when it gets lost. */
static bool transmit(struct world *w, unsigned int from, struct world_packet *p)
{
	const struct world_dir *d = &w->wire[p->path][from];
	int64_t delay = d->delay_us;

	if (d->cut || (d->loss_ppm && rng_below(&w->rng, 1000000) < d->loss_ppm))
		return false;
	if (d->jitter_us)
		delay += rng_below(&w->rng, (uint32_t)d->jitter_us);
	p->at = mono_add_us(w->now, delay);
	p->order = w->order++;
	p->to = (uint8_t)!from;
	push(w, p);
	return true;
}

/* --- steering ------------------------------------------------------------------- */

static enum steer_life life_of(enum pm_state s)
{
	switch (s) {
	case PM_OFF:
	case PM_STATES:
		return STEER_NOT_RUNNING;
	case PM_DOWN:
		return STEER_SILENT;
	case PM_PROVING:
		return STEER_PROVING;
	case PM_SUSPECT:
		return STEER_SUSPECT;
	case PM_UP:
		return STEER_ALIVE;
	}
	return STEER_NOT_RUNNING;
}

/* ED_SIM_TRACE=1 tells every decision. */
static void trace(const struct world *w, const struct world_end *e,
		  const struct steer_decision *d)
{
	char buf[512];
	struct text t = text_init(buf, sizeof(buf));

	if (!getenv("ED_SIM_TRACE"))
		return;
	steer_decision_text(d, &t);
	fprintf(stderr, "# %9.3f s %s: %s\n", (double)w->now.us / W_S - 1000.0,
		e == &w->ends[BRANCH] ? "branch" : "hub", buf);
}

static void follow(struct world *w, struct world_end *e, const struct steer_plan *plan)
{
	for (size_t i = 0; i < plan->n_decisions; i++) {
		trace(w, e, &plan->decisions[i]);
		for (unsigned int c = 0; c < w->n_classes; c++) {
			if (strcmp(plan->decisions[i].class_name, w->classes[c].name))
				continue;
			e->moves[c]++;
			e->moved_at[c] = w->now;
		}
	}
	for (unsigned int c = 0; c < w->n_classes; c++) {
		const struct steer_class_plan *p = &plan->classes[c];

		if (!p->changed)
			continue;
		e->flows[c].next_member = p->n_members ? (int)p->members[0].id - 1 : -1;
		e->flows[c].apply_at = mono_add_us(w->now, WORLD_APPLY_US);
	}
	if (e->urgent == !plan->any_good)
		return;
	e->urgent = !plan->any_good;
	for (unsigned int i = 0; i < w->n_paths; i++)
		pm_path_urgent(e->paths[i].pm, w->now, e->urgent);
}

static void steer(struct world *w, struct world_end *e)
{
	struct steer_path paths[WORLD_PATHS];
	struct steer_measure looks[WORLD_PATHS][WORLD_CLASSES];

	if (!w->n_classes)
		return;
	for (unsigned int i = 0; i < w->n_paths; i++) {
		for (unsigned int c = 0; c < w->n_classes; c++) {
			struct pm_measure m;

			pm_path_measure(e->paths[i].pm, w->session_of[c], w->now, &m);
			looks[i][c] = (struct steer_measure){
				.answers = m.answers,
				.delay_us = m.delay_us,
				.jitter_us = m.jitter_us,
				.judged = m.judged,
				.lost = m.lost,
			};
		}
		paths[i] = (struct steer_path){
			.id = i + 1,
			.name = w->names[i],
			.label = w->labels[i],
			.life = life_of(pm_path_state(e->paths[i].pm)),
			.cost = w->costs[i],
			.place = i,
			.looks = looks[i],
		};
	}
	follow(w, e,
	       steer_peer(e->steer, w->classes, w->n_classes, paths, w->n_paths,
			  &w->settings, w->now));
}

/* --- one end ---------------------------------------------------------------------- */

/* The host hears of every change of state, and steers at once. */
static void take_changes(struct world *w, struct world_end *e, struct world_end_path *p)
{
	struct pm_change c;
	bool any = false;

	while (pm_path_change(p->pm, &c)) {
		any = true;
		if (c.to == PM_DOWN && (c.from == PM_UP || c.from == PM_SUSPECT)) {
			p->downs++;
			p->down_at = w->now;
			p->down = c;
		}
	}
	if (any)
		steer(w, e);
}

static void poll_path(struct world *w, unsigned int end, unsigned int path)
{
	struct world_end *e = &w->ends[end];
	struct world_end_path *p = &e->paths[path];
	struct world_packet pkt = {.kind = PROBE, .path = (uint8_t)path};
	struct pm_probe probe;

	if (pm_path_state(p->pm) == PM_SUSPECT)
		pm_path_rx_packets(p->pm, w->now, p->rx_packets);
	if (pm_path_poll(p->pm, w->now, &probe)) {
		pkt.seq = probe.seq;
		pkt.stamp = probe.seq ^ 0x5555;
		pm_path_report(p->pm, w->now, &pkt.report);
		pm_path_sent(p->pm, &probe, w->now, pkt.stamp);
		p->probes_sent++;
		(void)transmit(w, end, &pkt);
	}
	take_changes(w, e, p);
}

static void arrive(struct world *w, const struct world_packet *pkt)
{
	struct world_end *e = &w->ends[pkt->to];
	struct world_end_path *p = &e->paths[pkt->path];
	struct world_flow *f;

	p->rx_packets++;
	switch (pkt->kind) {
	case PROBE:
		if (pm_path_state(p->pm) == PM_OFF)
			return;
		pm_path_heard(p->pm, &pkt->report, w->now);
		{
			struct world_packet back = *pkt;

			back.kind = ANSWER;
			back.reflector_seq = p->reflector_seq++;
			pm_path_report(p->pm, w->now, &back.report);
			p->answers_sent++;
			(void)transmit(w, pkt->to, &back);
		}
		take_changes(w, e, p);
		return;
	case ANSWER:
		(void)pm_path_answer(p->pm,
				     &(struct pm_path_answer){
					     .seq = pkt->seq,
					     .stamp = pkt->stamp,
					     .has_reflector_seq = true,
					     .reflector_seq = pkt->reflector_seq,
					     .report = &pkt->report,
				     },
				     w->now);
		take_changes(w, e, p);
		return;
	case DATA:
		f = &w->ends[!pkt->to].flows[pkt->class];
		f->run = 0;
		return;
	}
}

static void send_flows(struct world *w)
{
	for (unsigned int end = 0; end < ENDS; end++) {
		for (unsigned int c = 0; c < w->n_classes; c++) {
			struct world_flow *f = &w->ends[end].flows[c];
			struct world_packet pkt = {.kind = DATA, .class = (uint8_t)c};

			if (f->next_member != f->member &&
			    mono_due(f->apply_at, w->now))
				f->member = f->next_member;
			f->sent++;
			pkt.path = (uint8_t)f->member;
			if (f->member >= 0) {
				w->ends[end].paths[f->member].data_sent++;
				if (transmit(w, end, &pkt)) {
					f->run = 0;
					continue;
				}
			}
			f->lost++;
			f->run++;
			if (f->run > f->longest)
				f->longest = f->run;
		}
	}
}

static void tick(struct world *w)
{
	for (unsigned int end = 0; end < ENDS; end++) {
		for (unsigned int i = 0; i < w->n_paths; i++) {
			struct world_end_path *p = &w->ends[end].paths[i];

			pm_path_rx_packets(p->pm, w->now, p->rx_packets);
			if (p->data_sent)
				pm_path_traffic(p->pm, w->now);
			p->data_sent = 0;
		}
	}
}

/* --- interface --------------------------------------------------------------------- */

void world_init(struct world *w, uint64_t seed, unsigned int n_paths,
		const struct pm_path_config *cfg, unsigned int metered_mask)
{
	static const char *const names[] = {"hub/isp1", "hub/isp2", "hub/lte"};
	static const char *const labels[] = {"isp1", "isp2", "lte"};

	*w = (struct world){
		.rng = rng_seeded(seed),
		.now = {1000 * W_S},
		.n_paths = n_paths,
		.settings = steer_settings_default(),
	};
	w->queue = ed_array(WORLD_QUEUE, sizeof(*w->queue));
	w->next_flow = w->now;
	w->next_look = w->now;
	w->next_tick = w->now;
	for (unsigned int i = 0; i < n_paths; i++) {
		struct pm_path_config c = *cfg;

		c.metered = metered_mask >> i & 1;
		w->names[i] = names[i];
		w->labels[i] = labels[i];
		for (unsigned int end = 0; end < ENDS; end++)
			w->ends[end].paths[i].pm = pm_path_new(&c, &w->rng);
	}
	for (unsigned int end = 0; end < ENDS; end++) {
		w->ends[end].steer = steer_state_new();
		for (unsigned int c = 0; c < WORLD_CLASSES; c++) {
			w->ends[end].flows[c].member = -1;
			w->ends[end].flows[c].next_member = -1;
		}
	}
	/* Ends do not tick in step. */
	w->next_look = mono_add_us(w->now, rng_below(&w->rng, STEER_LOOK_US));
	w->next_tick = mono_add_us(w->now, rng_below(&w->rng, WORLD_TICK_US));
}

void world_fini(struct world *w)
{
	for (unsigned int end = 0; end < ENDS; end++) {
		for (unsigned int i = 0; i < w->n_paths; i++)
			pm_path_free(w->ends[end].paths[i].pm);
		steer_state_free(w->ends[end].steer);
	}
	free(w->queue);
}

void world_start(struct world *w, unsigned int i)
{
	for (unsigned int end = 0; end < ENDS; end++)
		pm_path_start(w->ends[end].paths[i].pm,
			      mono_add_us(w->now, -(int64_t)rng_below(&w->rng, 50000)));
}

void world_wire(struct world *w, unsigned int path, int64_t delay_us, int64_t jitter_us,
		uint32_t loss_ppm)
{
	for (unsigned int end = 0; end < ENDS; end++) {
		w->wire[path][end].delay_us = delay_us;
		w->wire[path][end].jitter_us = jitter_us;
		w->wire[path][end].loss_ppm = loss_ppm;
	}
}

void world_cut(struct world *w, unsigned int path, unsigned int from_end, bool cut)
{
	w->wire[path][from_end].cut = cut;
}

void world_flows_reset(struct world *w)
{
	for (unsigned int end = 0; end < ENDS; end++) {
		for (unsigned int c = 0; c < w->n_classes; c++) {
			w->ends[end].flows[c].longest = 0;
			w->ends[end].flows[c].run = 0;
		}
	}
}

void world_moves_reset(struct world *w)
{
	for (unsigned int end = 0; end < ENDS; end++)
		memset(w->ends[end].moves, 0, sizeof(w->ends[end].moves));
}

static struct mono next_event(const struct world *w)
{
	struct mono next = w->n_queue ? w->queue[0].at : MONO_NEVER;

	for (unsigned int end = 0; end < ENDS; end++) {
		for (unsigned int i = 0; i < w->n_paths; i++)
			next = mono_min(next,
					pm_path_deadline(w->ends[end].paths[i].pm));
	}
	if (w->n_classes)
		next = mono_min(next, w->next_look);
	if (w->flows_on)
		next = mono_min(next, w->next_flow);
	return mono_min(next, w->next_tick);
}

static void step(struct world *w)
{
	while (w->n_queue && mono_due(w->queue[0].at, w->now)) {
		struct world_packet p = pop(w);

		arrive(w, &p);
	}
	for (unsigned int end = 0; end < ENDS; end++) {
		for (unsigned int i = 0; i < w->n_paths; i++) {
			if (mono_due(pm_path_deadline(w->ends[end].paths[i].pm),
				     w->now))
				poll_path(w, end, i);
		}
	}
	if (mono_due(w->next_tick, w->now)) {
		tick(w);
		w->next_tick = mono_add_us(w->next_tick, WORLD_TICK_US);
	}
	if (w->n_classes && mono_due(w->next_look, w->now)) {
		for (unsigned int end = 0; end < ENDS; end++)
			steer(w, &w->ends[end]);
		w->next_look = mono_add_us(w->next_look, STEER_LOOK_US);
	}
	if (w->flows_on && mono_due(w->next_flow, w->now)) {
		send_flows(w);
		w->next_flow = mono_add_us(w->now, WORLD_FLOW_US);
	}
}

void world_run(struct world *w, int64_t us)
{
	struct mono end = mono_add_us(w->now, us);

	/* Ends: time moves on, and each step handles all that is due. */
	for (;;) {
		struct mono next = next_event(w);

		if (!mono_before(next, end))
			break;
		w->now = mono_max(w->now, next);
		step(w);
	}
	w->now = end;
}
