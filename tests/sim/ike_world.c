/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/sim/ike_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "lib/alloc.h"

enum {
	UPLINK = 1,
	ESP_EVERY_MS = 20,
};

static const char psk[] = "a secret of the simulation";

/* A datagram on its way, or an ESP packet (then bytes is NULL). */
struct world_packet {
	struct world_packet *prev;
	struct world_packet *next;
	struct mono at;
	int to;
	struct ike_addrs addrs; /* as the receiver sees them */
	uint8_t *bytes;
	size_t len;
	uint32_t spi;
	uint8_t key[IKE_KEYMAT_MAX];
};

static struct addr ip(const char *text)
{
	struct addr a;

	if (addr_parse(text, &a) < 0)
		abort();
	return a;
}

struct ike_conn_config world_caller(void)
{
	struct ike_conn_config c = {
		.name = "hub/isp1",
		.initiate = true,
		.uplink = UPLINK,
		.local = ip("10.0.0.2"),
		.remote = ip("198.51.100.1"),
		.local_id = "isp1.branch-042",
		.remote_id = "hub.example",
		.psk = (const uint8_t *)psk,
		.psk_len = sizeof(psk) - 1,
	};

	return c;
}

struct ike_conn_config world_answerer(void)
{
	struct ike_conn_config c = {
		.name = "branch-042",
		.template = true,
		.local_id = "hub.example",
		.remote_id = "*.branch-042",
		.psk = (const uint8_t *)psk,
		.psk_len = sizeof(psk) - 1,
		.give_inside = true,
	};

	return c;
}

static void engine_new(struct world *w, int side)
{
	struct world_side *s = &w->side[side];
	const struct ike_params params = {.rng = &s->rng};

	s->ike = ike_new(&params);
	for (size_t i = 0; i < s->n_conns; i++)
		if (ike_conn_set(s->ike, w->now, &s->conns[i], NULL) < 0)
			abort();
}

struct world *world_new(uint64_t seed)
{
	struct world *w = ed_alloc(sizeof(*w));

	w->rng = rng_seeded(seed);
	w->now = (struct mono){1000 * MONO_US_PER_S};
	w->delay_ms = 10;
	w->nat_port = 40000;
	for (int i = 0; i < 2; i++) {
		w->side[i].rng = rng_seeded(seed * 2 + 1000 + (uint64_t)i);
		engine_new(w, i);
	}
	return w;
}

void world_free(struct world *w)
{
	struct world_packet *p;
	struct world_packet *next;

	DL_FOREACH_SAFE (w->packets, p, next) {
		free(p->bytes);
		free(p);
	}
	for (int i = 0; i < 2; i++) {
		ike_free(w->side[i].ike);
		for (size_t j = 0; j < WORLD_SAVED; j++)
			free(w->side[i].saved[j].bytes);
	}
	free(w);
}

void world_conn(struct world *w, int side, const struct ike_conn_config *c)
{
	struct world_side *s = &w->side[side];
	char why[IKE_SENTENCE_MAX];
	size_t i;

	for (i = 0; i < s->n_conns; i++)
		if (strcmp(s->conns[i].name, c->name) == 0)
			break;
	s->conns[i] = *c;
	if (i == s->n_conns)
		s->n_conns++;
	if (ike_conn_set(s->ike, w->now, c, why) < 0) {
		fprintf(stderr, "# %s: %s\n", c->name, why);
		abort();
	}
	world_pump(w, side);
}

/* ---- the network --------------------------------------------------------- */

static struct mono arrival(struct world *w)
{
	int64_t us = (int64_t)w->delay_ms * MONO_US_PER_MS;

	if (w->jitter)
		us += rng_below(&w->rng, w->delay_ms * 1000 + 1);
	return mono_add_us(w->now, us);
}

static bool lost(struct world *w)
{
	return w->cut || rng_below(&w->rng, 100) < w->loss_pct;
}

/* What the receiver sees; false when the NAT has no mapping for it. */
static bool translate(const struct world *w, int from, const struct ike_addrs *sent,
		      struct ike_addrs *seen)
{
	*seen = (struct ike_addrs){.uplink = UPLINK,
				   .local = sent->remote,
				   .remote = sent->local,
				   .natt = sent->natt};
	if (!w->nat)
		return true;
	if (from == 0) {
		seen->remote.addr = ip("192.0.2.1");
		seen->remote.port =
			(uint16_t)(w->nat_port + (sent->local.port == 4500));
		return true;
	}
	seen->local.addr = ip("10.0.0.2");
	if (!addr_equal(&sent->remote.addr, &(struct addr){0}) &&
	    sent->remote.port != w->nat_port && sent->remote.port != w->nat_port + 1)
		return false;
	seen->local.port = sent->remote.port == w->nat_port ? 500 : 4500;
	return true;
}

static void put_packet(struct world *w, int from, const struct ike_addrs *sent,
		       const uint8_t *bytes, size_t len)
{
	int copies = 1 + (rng_below(&w->rng, 100) < w->dup_pct);
	struct ike_addrs seen;

	if (!translate(w, from, sent, &seen))
		return;
	for (int i = 0; i < copies; i++) {
		struct world_packet *p;

		if (lost(w))
			continue;
		p = ed_alloc(sizeof(*p));
		p->at = arrival(w);
		p->to = !from;
		p->addrs = seen;
		p->bytes = ed_memdup(bytes, len);
		p->len = len;
		DL_APPEND(w->packets, p);
	}
}

/* ---- the data plane ------------------------------------------------------ */

static void note_install(struct world *w, int side, const struct ike_esp *esp)
{
	for (size_t i = 0; i < w->n_installed; i++) {
		if (w->installed[i].side == side && w->installed[i].spi == esp->spi &&
		    memcmp(w->installed[i].key, esp->key, esp->key_len) == 0) {
			fprintf(stderr, "# SA %08x installed twice\n", esp->spi);
			abort();
		}
	}
	if (w->n_installed == sizeof(w->installed) / sizeof(w->installed[0]))
		abort();
	w->installed[w->n_installed].side = side;
	w->installed[w->n_installed].spi = esp->spi;
	memcpy(w->installed[w->n_installed].key, esp->key, IKE_KEYMAT_MAX);
	w->n_installed++;
}

static void install(struct world *w, int side, const struct ike_esp *esp)
{
	struct world_side *s = &w->side[side];

	note_install(w, side, esp);
	s->installs++;
	for (size_t i = 0; i < WORLD_SAS; i++) {
		if (s->sas[i].used)
			continue;
		s->sas[i].used = true;
		s->sas[i].esp = *esp;
		s->sas[i].order = ++w->install_order;
		return;
	}
	abort();
}

static void change(struct world_side *s, const struct ike_esp *esp, bool drop)
{
	for (size_t i = 0; i < WORLD_SAS; i++) {
		struct world_esp *e = &s->sas[i];

		if (!e->used || e->esp.dir != esp->dir || e->esp.spi != esp->spi)
			continue;
		if (drop)
			e->used = false;
		else
			e->esp.remote = esp->remote;
		return;
	}
	fprintf(stderr, "# SA %08x changed that was not there\n", esp->spi);
	abort();
}

unsigned int world_count(const struct world *w, int side, enum ike_dir dir)
{
	unsigned int n = 0;

	for (size_t i = 0; i < WORLD_SAS; i++)
		n += w->side[side].sas[i].used && w->side[side].sas[i].esp.dir == dir;
	return n;
}

static const struct world_esp *newest_out(const struct world_side *s)
{
	const struct world_esp *best = NULL;

	for (size_t i = 0; i < WORLD_SAS; i++)
		if (s->sas[i].used && s->sas[i].esp.dir == IKE_OUT &&
		    (!best || s->sas[i].order > best->order))
			best = &s->sas[i];
	return best;
}

static const struct world_esp *inbound(const struct world_side *s, uint32_t spi,
				       const uint8_t *key)
{
	for (size_t i = 0; i < WORLD_SAS; i++)
		if (s->sas[i].used && s->sas[i].esp.dir == IKE_IN &&
		    s->sas[i].esp.spi == spi &&
		    memcmp(s->sas[i].esp.key, key, IKE_KEYMAT_MAX) == 0)
			return &s->sas[i];
	return NULL;
}

bool world_sas_match(const struct world *w)
{
	for (int i = 0; i < 2; i++) {
		const struct world_esp *out = newest_out(&w->side[i]);

		if (!out || !inbound(&w->side[!i], out->esp.spi, out->esp.key))
			return false;
	}
	return true;
}

static void send_esp(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		const struct world_esp *out = newest_out(&w->side[i]);
		struct world_packet *p;

		if (!out || lost(w))
			continue;
		p = ed_alloc(sizeof(*p));
		p->at = mono_add_ms(arrival(w), rng_below(&w->rng, w->esp_late_ms + 1));
		p->to = !i;
		p->spi = out->esp.spi;
		memcpy(p->key, out->esp.key, IKE_KEYMAT_MAX);
		w->side[i].esp_sent++;
		DL_APPEND(w->packets, p);
	}
}

/* ---- the host ------------------------------------------------------------ */

static void keep_saved(struct world_side *s, uint64_t id, const uint8_t *bytes,
		       size_t len)
{
	struct world_saved *free_slot = NULL;

	for (size_t i = 0; i < WORLD_SAVED; i++) {
		struct world_saved *v = &s->saved[i];

		if (v->bytes && v->id == id) {
			free(v->bytes);
			v->bytes = bytes ? ed_memdup(bytes, len) : NULL;
			v->len = len;
			return;
		}
		if (!v->bytes && !free_slot)
			free_slot = v;
	}
	if (!bytes)
		return;
	if (!free_slot)
		abort();
	free_slot->id = id;
	free_slot->bytes = ed_memdup(bytes, len);
	free_slot->len = len;
}

static void take_event(struct world *w, int side, const struct ike_action *act)
{
	struct world_side *s = &w->side[side];

	s->events[act->u.event.event]++;
	s->last_reason = act->u.event.reason;
	snprintf(s->last_sentence, sizeof(s->last_sentence), "%s",
		 act->u.event.sentence);
	if (getenv("WORLD_VERBOSE"))
		fprintf(stderr, "# %.3f side %d %s: %s (%s): %s\n",
			(double)w->now.us / 1e6, side, act->tunnel,
			ike_event_name(act->u.event.event),
			ike_reason_name(act->u.event.reason), act->u.event.sentence);
	if (s->retry &&
	    (act->u.event.event == IKE_EV_FAILED || act->u.event.event == IKE_EV_DOWN))
		s->retry_at = mono_add_ms(w->now, 1000);
}

static void give_inside(struct world *w, int side, const struct ike_action *act)
{
	struct world_side *s = &w->side[side];
	struct ike_inside inside = {
		.own4 = ip("100.96.0.0"),
		.peer4 = ip("100.96.0.1"),
		.own6 = ip("fd00:96::"),
		.peer6 = ip("fd00:96::1"),
	};

	if (s->give.peer4.family)
		inside.peer4 = s->give.peer4;
	if (s->give.peer6.family)
		inside.peer6 = s->give.peer6;

	ike_inside_answer(s->ike, w->now, act->u.inside_wanted.token,
			  s->refuse_inside ? NULL : &inside);
}

static void carry_out(struct world *w, int side, const struct ike_action *act)
{
	struct world_side *s = &w->side[side];

	switch (act->kind) {
	case IKE_ACT_SAVE:
		keep_saved(s, act->sa_id, act->u.save.bytes, act->u.save.len);
		break;
	case IKE_ACT_FORGET:
		keep_saved(s, act->sa_id, NULL, 0);
		break;
	case IKE_ACT_SEND:
		if (!w->tap || w->tap(w, side, act->u.send.bytes, act->u.send.len))
			put_packet(w, side, &act->u.send.at, act->u.send.bytes,
				   act->u.send.len);
		break;
	case IKE_ACT_KEEPALIVE:
		s->keepalives++;
		break;
	case IKE_ACT_JOB:
		ike_job_run(act->u.job);
		ike_job_done(s->ike, w->now, act->u.job);
		break;
	case IKE_ACT_CALLER:
		s->callers++;
		snprintf(s->last_tunnel, sizeof(s->last_tunnel), "%s", act->tunnel);
		break;
	case IKE_ACT_INSIDE_WANTED:
		give_inside(w, side, act);
		break;
	case IKE_ACT_INSIDE:
		s->inside = act->u.inside;
		break;
	case IKE_ACT_SA_INSTALL:
		install(w, side, &act->u.esp);
		break;
	case IKE_ACT_SA_UPDATE:
		change(s, &act->u.esp, false);
		break;
	case IKE_ACT_SA_REMOVE:
		change(s, &act->u.esp, true);
		break;
	case IKE_ACT_EVENT:
		take_event(w, side, act);
		break;
	}
}

void world_pump(struct world *w, int side)
{
	const struct ike_action *act;

	while ((act = ike_next_action(w->side[side].ike)))
		carry_out(w, side, act);
}

void world_restart(struct world *w, int side)
{
	struct world_side *s = &w->side[side];

	ike_free(s->ike);
	engine_new(w, side);
	for (size_t i = 0; i < WORLD_SAVED; i++) {
		struct world_saved *v = &s->saved[i];
		int err = v->bytes ? ike_restore(s->ike, w->now, v->bytes, v->len) : 0;

		if (err < 0) {
			fprintf(stderr, "# restore: %d\n", err);
			abort();
		}
	}
	s->restarts++;
	world_pump(w, side);
	if (s->retry)
		s->retry_at = mono_add_ms(w->now, 1000);
}

/* ---- time ---------------------------------------------------------------- */

static struct world_packet *next_packet(struct world *w)
{
	struct world_packet *best = NULL;
	struct world_packet *p;

	DL_FOREACH (w->packets, p)
		if (!best || mono_before(p->at, best->at))
			best = p;
	return best;
}

static void deliver(struct world *w, struct world_packet *p)
{
	struct world_side *s = &w->side[p->to];

	DL_DELETE(w->packets, p);
	if (!p->bytes) {
		const struct world_esp *e = inbound(s, p->spi, p->key);

		if (e)
			ike_child_used(s->ike, w->now, p->spi);
		else
			w->side[!p->to].esp_lost++;
		if (!e && getenv("WORLD_VERBOSE"))
			fprintf(stderr, "# %.3f ESP %08x lost at side %d\n",
				(double)w->now.us / 1e6, p->spi, p->to);
	} else {
		w->delivered++;
		s->messages_in++;
		ike_input(s->ike, w->now, &p->addrs, p->bytes, p->len);
	}
	world_pump(w, p->to);
	if (p->bytes && s->messages_in == s->restart_at)
		world_restart(w, p->to);
	free(p->bytes);
	free(p);
}

static struct mono step(struct world *w, struct mono end)
{
	struct world_packet *p = next_packet(w);
	struct mono at = p ? mono_min(end, p->at) : end;

	for (int i = 0; i < 2; i++) {
		at = mono_min(at, mono_max(w->now, ike_deadline(w->side[i].ike)));
		if (w->side[i].retry_at.us)
			at = mono_min(at, w->side[i].retry_at);
	}
	if (w->esp)
		at = mono_min(at, mono_max(w->now, w->next_esp));
	w->now = at;
	for (int i = 0; i < 2; i++) {
		struct world_side *s = &w->side[i];

		if (s->retry_at.us && mono_due(s->retry_at, w->now)) {
			s->retry_at.us = 0;
			(void)ike_up(s->ike, w->now, s->conns[0].name);
			world_pump(w, i);
		}
		if (mono_due(ike_deadline(s->ike), w->now)) {
			ike_timer(s->ike, w->now);
			world_pump(w, i);
		}
	}
	if (p && mono_due(p->at, w->now))
		deliver(w, p);
	if (w->esp && mono_due(w->next_esp, w->now)) {
		send_esp(w);
		w->next_esp = mono_add_ms(w->now, ESP_EVERY_MS);
	}
	return w->now;
}

void world_run(struct world *w, int64_t ms)
{
	struct mono end = mono_add_ms(w->now, ms);

	while (mono_before(w->now, end))
		step(w, end);
}

const char *world_tunnel(const struct world *w, int side)
{
	const struct world_side *s = &w->side[side];

	return s->conns[0].template ? s->last_tunnel : s->conns[0].name;
}

struct ike_status world_status(const struct world *w, int side)
{
	struct ike_status st;

	if (ike_status_get(w->side[side].ike, world_tunnel(w, side), &st) < 0)
		memset(&st, 0, sizeof(st));
	return st;
}

bool world_run_until_up(struct world *w, int64_t ms)
{
	struct mono end = mono_add_ms(w->now, ms);

	while (mono_before(w->now, end)) {
		step(w, end);
		if (world_status(w, 0).state == IKE_UP &&
		    world_status(w, 1).state == IKE_UP && world_sas_match(w))
			return true;
	}
	return false;
}
