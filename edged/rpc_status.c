/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The status: how the site is as a whole, in a sentence, and what needs attention.
 *
 * Attention is derived from what stands now, nothing is remembered for it: it goes
 * when its cause does. Each entry says what, since when, by which number against
 * which limit, and what edged did about it. At a hub only peers of the status' own
 * rows are looked at; those that are not up come first there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "config.h"
#include "edged/config/config.h"
#include "edged/control.h"
#include "edged/dataplane/dataplane.h"
#include "edged/edged.h"
#include "edged/events.h"
#include "edged/path.h"
#include "edged/policy.h"
#include "edged/rpc_json.h"
#include "edged/steering.h"
#include "edged/store.h"
#include "lib/text.h"

enum {
	PEERS_MAX = 200, /* rows; those that are not up come first */
	PEERS_NAMED = 3, /* with more of them the sentence counts */
	ATTENTION_MAX = 50,
	SENTENCE_MAX = 512,
};

/* --- sentences --------------------------------------------------------------------- */

/* "2 of 3 uplinks up, 1 of 1 peers up", and how bad that is in a word. */
static const char *judge(const struct edged *ed, char *text, size_t size)
{
	unsigned int n_uplinks = HASH_COUNT(ed->uplinks);
	unsigned int n_peers = HASH_COUNT(ed->peers);
	unsigned int uplinks = 0;
	unsigned int peers = 0;
	unsigned int reached = 0;

	for (const struct uplink *u = ed->uplinks; u; u = u->hh.next)
		uplinks += u->state == UPLINK_UP;
	for (const struct peer *p = ed->peers; p; p = p->hh.next) {
		peers += strcmp(rpc_peer_state(p), "up") == 0;
		reached += strcmp(rpc_peer_state(p), "down") != 0;
	}
	snprintf(text, size, "%u of %u uplinks up, %u of %u peers up", uplinks,
		 n_uplinks, peers, n_peers);
	if ((uplinks == 0 && n_uplinks > 0) || (reached == 0 && n_peers > 0))
		return "down";
	return uplinks < n_uplinks || peers < n_peers ? "degraded" : "ok";
}

/* "isp1 and lte": the paths of a class as its configuration names them. */
static void add_members(struct text *t, const struct peer *p,
			const struct steer_class_plan *c)
{
	for (size_t i = 0; i < c->n_members; i++) {
		const struct tunnel *tun =
			edged_tunnel_by_slot(p->ed, c->members[i].id);

		if (i)
			text_add(t, "%s", i + 1 == c->n_members ? " and " : ", ");
		text_add(t, "%s", tun ? tun->label : c->members[i].name);
	}
	if (!c->n_members)
		text_add(t, "no path");
}

static bool same_members(const struct steer_class_plan *a,
			 const struct steer_class_plan *b)
{
	if (a->n_members != b->n_members)
		return false;
	for (size_t i = 0; i < a->n_members; i++)
		if (a->members[i].id != b->members[i].id)
			return false;
	return true;
}

/* "voice goes by isp1, bulk by isp2", or "everything goes by isp1". */
static void add_carried(struct text *t, const struct peer *p)
{
	const struct steer_plan *plan = steering_plan(p);
	bool same = true;

	if (!plan || !plan->n_classes) {
		text_add(t, "nothing is planned yet");
		return;
	}
	for (size_t i = 1; i < plan->n_classes; i++)
		same = same && same_members(&plan->classes[0], &plan->classes[i]);
	if (same) {
		text_add(t, "everything goes by ");
		add_members(t, p, &plan->classes[0]);
		return;
	}
	for (size_t i = 0; i < plan->n_classes; i++) {
		text_add(t, "%s%s %sby ", i ? ", " : "", plan->classes[i].name,
			 i ? "" : "goes ");
		add_members(t, p, &plan->classes[i]);
	}
}

static json_t *sentence_json(const struct edged *ed)
{
	char buf[SENTENCE_MAX];
	struct text t = text_init(buf, sizeof(buf));
	unsigned int uplinks = 0;
	unsigned int peers = 0;

	for (const struct uplink *u = ed->uplinks; u; u = u->hh.next)
		uplinks += u->state == UPLINK_UP;
	text_add(&t, "%u of %u uplinks are up.", uplinks, HASH_COUNT(ed->uplinks));
	if (HASH_COUNT(ed->peers) <= PEERS_NAMED) {
		for (const struct peer *p = ed->peers; p; p = p->hh.next) {
			text_add(&t, " To %s ", p->name);
			add_carried(&t, p);
			text_add(&t, ".");
		}
		return rpc_json_text(buf);
	}
	for (const struct peer *p = ed->peers; p; p = p->hh.next)
		peers += strcmp(rpc_peer_state(p), "down") != 0;
	text_add(&t, " %u of %u peers are reached.", peers, HASH_COUNT(ed->peers));
	return rpc_json_text(buf);
}

/* --- attention ------------------------------------------------------------------------ */

struct attention {
	const struct edged *ed;
	json_t *errors;
	json_t *warnings;
	unsigned int left_out;
};

/* An entry; event_kind may be NULL. Returns it, borrowed, or NULL. */
static json_t *add(struct attention *a, bool error, const char *kind,
		   const char *subject, json_t *since, const char *text,
		   const char *did, const char *event_kind)
{
	json_t *list = error ? a->errors : a->warnings;
	const json_t *event = NULL;
	json_t *entry;

	if (json_array_size(list) >= ATTENTION_MAX) {
		a->left_out++;
		json_decref(since);
		return NULL;
	}
	if (event_kind)
		event = control_recent(a->ed->control, event_kind, subject);
	entry = json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:O?}", "kind", kind,
			  "subject", rpc_json_text(subject), "severity",
			  error ? "error" : "warning", "since", since, "text",
			  rpc_json_text(text), "did", rpc_json_text(did), "event",
			  json_object_get(event, "id"));
	if (entry && !json_object_get(entry, "event"))
		json_object_set_new(entry, "event", json_null());
	json_array_append_new(list, entry);
	return entry;
}

static void look_at_uplink(struct attention *a, const struct uplink *u)
{
	char buf[SENTENCE_MAX];
	struct text t = text_init(buf, sizeof(buf));

	if (u->state == UPLINK_UP)
		return;
	text_add(&t, "uplink %s: ", u->name);
	uplink_explain(u, &t);
	add(a, u->state != UPLINK_STOPPED, "uplink", u->name, rpc_json_since(u->since),
	    buf,
	    u->state == UPLINK_STOPPED ? "carries nothing, unless it is the last way"
				       : "its tunnels are kept and come back with it",
	    EVENT_UPLINK);
}

/* A tunnel that is not up although its uplink is. */
static void look_at_tunnel(struct attention *a, const struct tunnel *t)
{
	char buf[SENTENCE_MAX];
	char did[SENTENCE_MAX];
	struct text text = text_init(buf, sizeof(buf));
	struct text done = text_init(did, sizeof(did));

	if (!t->last_failure[0] && t->state != TUNNEL_IDLE)
		return; /* the first attempt is under way */
	text_add(&text, "tunnel %s is not up: %s", t->name,
		 t->last_failure[0]  ? t->last_failure
		 : t->peer->calls_us ? "the peer has not called"
				     : "its uplink has not been there");
	if (t->state == TUNNEL_WAITING)
		text_add(&done, "%u attempts failed in a row, the next one in %lld s",
			 t->failures,
			 (long long)(mono_diff_ms(t->retry_at, mono_now()) / 1000 + 1));
	else if (t->state == TUNNEL_CONNECTING)
		text_add(&done, "attempt %u is under way", t->failures + 1);
	else
		text_add(&done, "waits for the peer to call");
	add(a, strcmp(rpc_peer_state(t->peer), "down") == 0, "tunnel", t->name,
	    rpc_json_since(t->since), buf, did, EVENT_TUNNEL);
}

static void look_at_path(struct attention *a, const struct tunnel *t)
{
	const struct config_probe *limits = &a->ed->config->probe;
	const json_t *event = control_recent(a->ed->control, EVENT_PATH, t->name);
	const char *reason = json_string_value(json_object_get(event, "reason"));
	enum steer_life life = path_life(t);
	char buf[SENTENCE_MAX];
	char did[SENTENCE_MAX];
	struct text text = text_init(buf, sizeof(buf));
	struct text done = text_init(did, sizeof(did));

	if (life == STEER_PROVING) {
		text_add(&text, "path %s answers again and has to last %.1f s", t->name,
			 (double)limits->up_proving_us / 1e6);
	} else if (life == STEER_SILENT) {
		text_add(&text, "path %s does not answer: %s (limits: %u missed and ",
			 t->name, reason ? reason : "silent",
			 (unsigned int)limits->down_missed);
		text_us(&text, limits->down_silent_us);
		text_add(&text, " of silence, or ");
		text_us(&text, limits->down_no_answer_us);
		text_add(&text, " without an answer)");
	} else {
		return;
	}
	add_carried(&done, t->peer);
	add(a, life == STEER_SILENT, "path", t->name, rpc_json_since(path_since(t)),
	    buf, did, EVENT_PATH);
}

/* "voice: delay of hub/isp1 is over its limit": a class on one path. */
static void look_at_standing(struct attention *a, const struct peer *p,
			     const struct steer_class_plan *c, const struct tunnel *t)
{
	char buf[SENTENCE_MAX];
	char did[SENTENCE_MAX];
	char subject[2 * EDGED_NAME_MAX + 2];
	struct text text = text_init(buf, sizeof(buf));
	struct text done = text_init(did, sizeof(did));
	struct steer_standing st;
	json_t *entry;

	if (path_life(t) != STEER_ALIVE || steering_standing(t, c->name, &st) < 0 ||
	    st.verdict != STEER_BAD)
		return;
	text_add(&text, "path %s breaks the promise of %s: ", t->name, c->name);
	rpc_broken_text(&text, &st.broken);
	if (st.member) {
		text_add(&done, "no path is better: %s stays on it", c->name);
	} else {
		text_add(&done, "%s goes by ", c->name);
		add_members(&done, p, c);
	}
	snprintf(subject, sizeof(subject), "%s/%s", p->name, c->name);
	entry = add(a, st.member, "class", subject, rpc_json_since(st.since), buf, did,
		    EVENT_STEER);
	if (!entry)
		return;
	json_object_set_new(entry, "path", rpc_json_text(t->name));
	json_object_set_new(entry, "evidence", rpc_evidence(&st.broken));
}

static void look_at_peer(struct attention *a, const struct peer *p)
{
	const struct steer_plan *plan = steering_plan(p);
	const struct tunnel *t;

	DL_FOREACH (p->tunnels, t) {
		if (t->uplink && t->uplink->state != UPLINK_UP)
			continue; /* said already */
		if (t->state != TUNNEL_UP)
			look_at_tunnel(a, t);
		else
			look_at_path(a, t);
		for (size_t i = 0; plan && i < plan->n_classes; i++)
			look_at_standing(a, p, &plan->classes[i], t);
	}
	if (plan && plan->all_silent)
		add(a, true, "peer", p->name, json_null(),
		    "no path to the peer answers: forwarding goes on where it was",
		    "every path is probed fast", EVENT_PEER);
}

static void look_at_machine(struct attention *a)
{
	const struct edged *ed = a->ed;
	struct store_counters store = {0};
	char buf[SENTENCE_MAX];
	char did[SENTENCE_MAX];

	if (control_zebra_needed(ed->control) && !control_zebra_connected(ed->control))
		add(a, true, "helper", "edge-zebra",
		    rpc_json_since(control_zebra_since(ed->control)),
		    "edge-zebra is away: BGP is not heard and moves do not reach the "
		    "kernel",
		    "routes stay as they were", NULL);
	if (ed->dataplane && !dp_ready(ed->dataplane))
		add(a, true, "helper", "edge-esp", rpc_json_since(ed->dataplane_since),
		    "edge-esp is away: no packet is carried",
		    "interfaces and routes stay; it is looked for all the time", NULL);
	if (ed->store)
		store = store_counters(ed->store);
	if (store.trouble[0]) {
		snprintf(buf, sizeof(buf), "history is not written: %s", store.trouble);
		snprintf(did, sizeof(did),
			 "%u rows wait in memory, %llu were left out; traffic does not "
			 "depend on it",
			 store.queued, (unsigned long long)store.left_out);
		add(a, false, "store", "store", json_null(), buf, did, EVENT_STORE);
	}
	if (ed->policy && policy_get_stats(ed->policy)->failing) {
		const struct policy_stats *s = policy_get_stats(ed->policy);

		snprintf(buf, sizeof(buf), "the kernel refuses %u rules or routes: %s",
			 s->failing, s->error);
		add(a, true, "kernel", "kernel", json_null(), buf,
		    "tried again with each look at the kernel, every 15 s", NULL);
	}
	if (ed->counts.refused)
		add(a, false, "config", ed->opt.config, json_null(),
		    "the file was refused when it was read last (edgectl check says why)",
		    "what was applied before goes on", EVENT_CONFIG);
}

static json_t *attention_json(struct edged *ed, const struct peer *const *peers,
			      size_t n, unsigned int *left_out)
{
	struct attention a = {
		.ed = ed,
		.errors = json_array(),
		.warnings = json_array(),
	};

	look_at_machine(&a);
	for (const struct uplink *u = ed->uplinks; u; u = u->hh.next)
		look_at_uplink(&a, u);
	for (size_t i = 0; i < n; i++)
		look_at_peer(&a, peers[i]);
	json_array_extend(a.errors, a.warnings);
	json_decref(a.warnings);
	*left_out = a.left_out;
	return a.errors;
}

/* --- the whole ---------------------------------------------------------------------------- */

static json_t *helper_json(const char *name, bool up, struct mono since)
{
	return json_pack("{s:s, s:b, s:o}", "name", name, "up", (int)up, "since",
			 rpc_json_since(since));
}

static json_t *helpers_json(const struct edged *ed)
{
	json_t *list = json_array();

	json_array_append_new(list, helper_json("edge-zebra",
						control_zebra_connected(ed->control),
						control_zebra_since(ed->control)));
	if (ed->dataplane && dp_carrier(ed->dataplane) == DP_USER)
		json_array_append_new(list,
				      helper_json("edge-esp", dp_ready(ed->dataplane),
						  ed->dataplane_since));
	return list;
}

static json_t *store_json(const struct edged *ed)
{
	struct store_counters c = {0};

	if (ed->store)
		c = store_counters(ed->store);
	return json_pack("{s:b, s:o, s:I, s:I, s:i, s:I}", "writable", (int)c.open,
			 "trouble", rpc_json_text(c.trouble[0] ? c.trouble : NULL),
			 "written", (json_int_t)c.written, "left_out",
			 (json_int_t)c.left_out, "queued", (int)c.queued, "commits",
			 (json_int_t)c.commits);
}

json_t *rpc_status(struct edged *ed)
{
	const json_t *last = control_recent(ed->control, EVENT_STEER, NULL);
	unsigned int left_out;
	const struct peer **peers;
	const char *state;
	char text[128];
	json_t *attention;
	json_t *status;
	size_t n;

	state = judge(ed, text, sizeof(text));
	peers = rpc_peers_pick(ed, PEERS_MAX, &n);
	attention = attention_json(ed, peers, n, &left_out);
	status = json_pack(
		"{s:i, s:o, s:s, s:s, s:o, s:o, s:i, s:s, s:o, s:I, s:b, s:o, s:o, s:o,"
		" s:o, s:i, s:o, s:o}",
		"schema", CONTROL_SCHEMA, "name", rpc_json_text(ed->name), "state",
		state, "text", text, "sentence", sentence_json(ed), "attention",
		attention, "attention_left_out", (int)left_out, "version",
		PACKAGE_VERSION, "started", rpc_json_since(ed->started), "uptime_s",
		(json_int_t)(mono_diff_us(mono_now(), ed->started) / MONO_US_PER_S),
		"helper_connected", (int)control_zebra_connected(ed->control),
		"helpers", helpers_json(ed), "store", store_json(ed), "kernel",
		rpc_kernel(ed), "uplinks", rpc_uplinks(ed), "peers_total",
		(int)HASH_COUNT(ed->peers), "peers", rpc_peers(peers, n), "paths",
		rpc_paths(peers, n));
	json_object_set_new(status, "last", last ? json_deep_copy(last) : json_null());
	free(peers);
	return status;
}
