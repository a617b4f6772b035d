/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Metrics: one table of families; edge-webui renders what metrics.get says.
 *
 * Names and units are Prometheus': seconds, bytes, ratios, counters end in _total.
 * Labels are names of the configuration (tunnel, peer, uplink, class) and words of
 * ours, never an address or an SPI. A thing that nobody measures has no sample, so
 * that an absent value never reads as zero. To add a family, add its row and its
 * function.
 *
 * At a hub samples are given for the first PEERS_MAX peers, those that are not up
 * before the others, and at most TUNNELS_MAX tunnels; edged_peers and
 * edged_peers_left_out say how many there are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "config.h"
#include "edged/config/config.h"
#include "edged/control.h"
#include "edged/dataplane/dataplane.h"
#include "edged/edged.h"
#include "edged/path.h"
#include "edged/policy.h"
#include "edged/rates.h"
#include "edged/rpc_json.h"
#include "edged/steering.h"
#include "edged/store.h"
#include "edged/volumes.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/loop.h"
#include "lib/rpc.h"

enum { PEERS_MAX = 200, TUNNELS_MAX = 300, LABELS_MAX = 6 };

/* The data plane's counters of a tunnel: asked once, for several families. */
struct counted {
	bool known;
	struct dp_counters n;
};

/* What is told of, and where the samples of the family at hand go. */
struct sink {
	struct edged *ed;
	const struct peer **peers;
	size_t n_peers;
	const struct tunnel **tunnels;
	struct counted *counted; /* of these tunnels */
	size_t n_tunnels;
	json_t *samples;
};

struct label {
	const char *name;
	const char *value;
};

/* One sample; labels end with a name of NULL. suffix is NULL but in histograms. */
static void put_suffix(struct sink *s, double value, const char *suffix,
		       const struct label *labels)
{
	json_t *all = json_object();
	json_t *sample;

	for (int i = 0; labels[i].name; i++)
		json_object_set_new(all, labels[i].name,
				    rpc_json_text(labels[i].value));
	sample = json_pack("{s:o, s:f}", "labels", all, "value", value);
	if (suffix)
		json_object_set_new(sample, "suffix", json_string(suffix));
	json_array_append_new(s->samples, sample);
}

#define LABELS(...) \
	((const struct label[LABELS_MAX]){__VA_ARGS__ __VA_OPT__(, ){NULL, NULL}})
#define OF_TUNNEL(t)                                      \
	{"peer", (t)->peer->name}, {"tunnel", (t)->name}, \
	{                                                 \
		"uplink", (t)->label                      \
	}

static void put(struct sink *s, double value, const struct label *labels)
{
	put_suffix(s, value, NULL, labels);
}

/* A monotonic time as seconds since the epoch, which must be known. */
static void put_time(struct sink *s, struct mono t, const struct label *labels)
{
	json_t *v = rpc_json_since(t);

	if (json_is_number(v))
		put(s, json_number_value(v), labels);
	json_decref(v);
}

/* --- the daemon -------------------------------------------------------------------- */

static void build_info(struct sink *s)
{
	put(s, 1, LABELS({"version", PACKAGE_VERSION}));
}

static void start_time(struct sink *s)
{
	put_time(s, s->ed->started, LABELS());
}

static void cpu_seconds(struct sink *s)
{
	struct rusage r;

	if (getrusage(RUSAGE_SELF, &r) == 0)
		put(s,
		    (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
			    (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6,
		    LABELS());
}

static void resident_bytes(struct sink *s)
{
	FILE *fp = fopen("/proc/self/statm", "re");
	unsigned long pages;

	if (!fp)
		return;
	if (fscanf(fp, "%*u %lu", &pages) == 1)
		put(s, (double)pages * (double)sysconf(_SC_PAGESIZE), LABELS());
	fclose(fp);
}

/* Cumulative, as a histogram is: bucket b holds what is at most 2^b ms. */
static void put_ms_doubling(struct sink *s, const uint64_t *buckets, unsigned int n,
			    uint64_t sum_us, const struct label *labels)
{
	struct label with_le[LABELS_MAX] = {{NULL, NULL}};
	unsigned int l = 0;
	uint64_t all = 0;
	char le[24];

	while (labels[l].name) {
		with_le[l] = labels[l];
		l++;
	}
	with_le[l] = (struct label){"le", le};
	for (unsigned int b = 0; b < n; b++) {
		all += buckets[b];
		if (b + 1 < n)
			snprintf(le, sizeof(le), "%g", (double)(1u << b) / 1e3);
		else
			snprintf(le, sizeof(le), "+Inf");
		put_suffix(s, (double)all, "_bucket", with_le);
	}
	put_suffix(s, (double)sum_us / 1e6, "_sum", labels);
	put_suffix(s, (double)all, "_count", labels);
}

static void loop_late(struct sink *s)
{
	struct loop_lag lag = loop_lag(s->ed->loop);

	put_ms_doubling(s, lag.timers, LOOP_LAG_BUCKETS, lag.sum_us, LABELS());
}

static void config_applied(struct sink *s)
{
	put(s, (double)s->ed->counts.applied_us / 1e6, LABELS());
}

static void config_good(struct sink *s)
{
	put(s, !s->ed->counts.refused, LABELS());
}

static void helper_up(struct sink *s)
{
	const struct edged *ed = s->ed;

	if (control_zebra_needed(ed->control))
		put(s, control_zebra_connected(ed->control),
		    LABELS({"helper", "edge-zebra"}));
	if (ed->dataplane && dp_carrier(ed->dataplane) == DP_USER)
		put(s, dp_ready(ed->dataplane), LABELS({"helper", "edge-esp"}));
}

static struct store_counters store_now(const struct sink *s)
{
	struct store_counters none = {0};

	return s->ed->store ? store_counters(s->ed->store) : none;
}

static void store_writable(struct sink *s)
{
	put(s, store_now(s).open, LABELS());
}

static void store_queued(struct sink *s)
{
	put(s, store_now(s).queued, LABELS());
}

static void store_left_out(struct sink *s)
{
	put(s, (double)store_now(s).left_out, LABELS());
}

static void store_commits(struct sink *s)
{
	put(s, (double)store_now(s).commits, LABELS());
}

static void peers_all(struct sink *s)
{
	put(s, HASH_COUNT(s->ed->peers), LABELS());
}

static void peers_left_out(struct sink *s)
{
	put(s, (double)(HASH_COUNT(s->ed->peers) - s->n_peers), LABELS());
}

/* --- the kernel's side --------------------------------------------------------------- */

static void kernel_refused(struct sink *s)
{
	if (s->ed->policy)
		put(s, policy_get_stats(s->ed->policy)->failing, LABELS());
}

static void kernel_repaired(struct sink *s)
{
	const struct edged_counts *c = &s->ed->counts;

	put(s, (double)c->links_repaired, LABELS({"object", "link"}));
	put(s, (double)c->sas_replaced, LABELS({"object", "sa"}));
	if (s->ed->policy) {
		const struct policy_stats *p = policy_get_stats(s->ed->policy);

		put(s, (double)p->healed_rules, LABELS({"object", "rule"}));
		put(s, (double)(p->healed - p->healed_rules),
		    LABELS({"object", "route"}));
	}
}

/* --- uplinks --------------------------------------------------------------------------- */

static void uplink_up(struct sink *s)
{
	for (const struct uplink *u = s->ed->uplinks; u; u = u->hh.next)
		put(s, u->state == UPLINK_UP, LABELS({"uplink", u->name}));
}

static void uplink_cost(struct sink *s)
{
	for (const struct uplink *u = s->ed->uplinks; u; u = u->hh.next)
		put(s, (double)u->conf->cost, LABELS({"uplink", u->name}));
}

static void uplink_info(struct sink *s)
{
	for (const struct uplink *u = s->ed->uplinks; u; u = u->hh.next)
		put(s, 1, LABELS({"interface", u->ifname}, {"uplink", u->name}));
}

static void uplink_bytes(struct sink *s, bool received)
{
	const struct rates *r = control_rates(s->ed->control);
	uint64_t rx;
	uint64_t tx;

	for (const struct uplink *u = s->ed->uplinks; u; u = u->hh.next)
		if (rates_bytes(r, u->name, &rx, &tx))
			put(s, (double)(received ? rx : tx),
			    LABELS({"uplink", u->name}));
}

static void uplink_receive(struct sink *s)
{
	uplink_bytes(s, true);
}

static void uplink_transmit(struct sink *s)
{
	uplink_bytes(s, false);
}

static void uplink_limit(struct sink *s)
{
	for (const struct uplink *u = s->ed->uplinks; u; u = u->hh.next)
		if (u->conf->monthly_limit_bytes)
			put(s, (double)u->conf->monthly_limit_bytes,
			    LABELS({"uplink", u->name}));
}

static void uplink_month(struct sink *s)
{
	uint64_t bytes;

	for (const struct uplink *u = s->ed->uplinks; u; u = u->hh.next)
		if (u->conf->monthly_limit_bytes &&
		    volumes_month(s->ed->volumes, u->name, &bytes))
			put(s, (double)bytes, LABELS({"uplink", u->name}));
}

/* --- tunnels and their paths -------------------------------------------------------------- */

static void tunnel_up(struct sink *s)
{
	for (size_t i = 0; i < s->n_tunnels; i++)
		put(s, s->tunnels[i]->state == TUNNEL_UP,
		    LABELS(OF_TUNNEL(s->tunnels[i])));
}

/* Not probed, by configuration or because there is no SA: no sample. */
static void path_up(struct sink *s)
{
	for (size_t i = 0; i < s->n_tunnels; i++)
		if (path_pm(s->tunnels[i]))
			put(s, path_life(s->tunnels[i]) == STEER_ALIVE,
			    LABELS(OF_TUNNEL(s->tunnels[i])));
}

static void path_rtt(struct sink *s)
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		const struct tunnel *t = s->tunnels[i];
		struct pm_path *pm = path_pm(t);
		struct pm_totals sum;

		if (!pm)
			continue;
		pm_path_totals(pm, &sum);
		put_ms_doubling(s, sum.answers, PM_DELAY_BUCKETS, sum.delay_sum_us,
				LABELS(OF_TUNNEL(t)));
	}
}

static void path_stats(struct sink *s, double (*value)(const struct pm_stats *st))
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		struct pm_path *pm = path_pm(s->tunnels[i]);
		struct pm_stats st = {0};

		if (pm)
			pm_path_stats(pm, 0, mono_now(), &st);
		if (st.valid)
			put(s, value(&st), LABELS(OF_TUNNEL(s->tunnels[i])));
	}
}

static double jitter_of(const struct pm_stats *st)
{
	return (double)st->jitter_us / 1e6;
}

static double loss_of(const struct pm_stats *st)
{
	return (double)st->loss_ppm / 1e6;
}

static void path_jitter(struct sink *s)
{
	path_stats(s, jitter_of);
}

static void path_loss(struct sink *s)
{
	path_stats(s, loss_of);
}

static void path_mtu(struct sink *s)
{
	for (size_t i = 0; i < s->n_tunnels; i++)
		if (s->tunnels[i]->mtu)
			put(s, s->tunnels[i]->mtu, LABELS(OF_TUNNEL(s->tunnels[i])));
}

static void path_totals(struct sink *s, bool lost)
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		struct pm_path *pm = path_pm(s->tunnels[i]);
		struct pm_totals sum;

		if (!pm)
			continue;
		pm_path_totals(pm, &sum);
		put(s, (double)(lost ? sum.lost : sum.sent - sum.in_flight),
		    LABELS(OF_TUNNEL(s->tunnels[i])));
	}
}

static void probes_sent(struct sink *s)
{
	path_totals(s, false);
}

static void probes_lost(struct sink *s)
{
	path_totals(s, true);
}

static void lost_by_direction(struct sink *s)
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		const struct tunnel *t = s->tunnels[i];
		struct pm_path *pm = path_pm(t);
		struct pm_totals sum = {0};

		if (pm)
			pm_path_totals(pm, &sum);
		if (!sum.per_direction)
			continue;
		put(s, (double)sum.lost_out,
		    LABELS(OF_TUNNEL(t), {"direction", "out"}));
		put(s, (double)sum.lost_back,
		    LABELS(OF_TUNNEL(t), {"direction", "in"}));
	}
}

/* --- IKE and ESP ---------------------------------------------------------------------------- */

static void ike_established(struct sink *s)
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		const struct tunnel *t = s->tunnels[i];
		struct ike_status st;

		if (s->ed->ike && ike_status_get(s->ed->ike, t->name, &st) == 0 &&
		    st.state != IKE_DOWN)
			put_time(s, st.since, LABELS(OF_TUNNEL(t)));
	}
}

static void ike_rekeys(struct sink *s)
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		const struct tunnel *t = s->tunnels[i];

		put(s, (double)t->rekeyed_ike, LABELS(OF_TUNNEL(t), {"sa", "ike"}));
		put(s, (double)t->rekeyed_child, LABELS(OF_TUNNEL(t), {"sa", "child"}));
	}
}

static void ike_failures(struct sink *s)
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		const struct tunnel *t = s->tunnels[i];

		for (enum tunnel_failure f = 0; f < TUNNEL_FAILURES; f++)
			put(s, (double)t->failed[f],
			    LABELS(OF_TUNNEL(t), {"reason", tunnel_failure_name(f)}));
	}
}

static void callers_refused(struct sink *s)
{
	const struct edged_counts *c = &s->ed->counts;

	put(s, (double)c->callers_auth, LABELS({"reason", "auth"}));
	put(s, (double)(c->callers_refused - c->callers_auth),
	    LABELS({"reason", "refused"}));
}

/* Two directions of a counter of the data plane. */
static void counters(struct sink *s, void (*value)(const struct dp_counters *n,
						   double *in, double *out))
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		const struct tunnel *t = s->tunnels[i];
		double in;
		double out;

		if (!s->counted[i].known)
			continue;
		value(&s->counted[i].n, &in, &out);
		put(s, in, LABELS(OF_TUNNEL(t), {"direction", "in"}));
		put(s, out, LABELS(OF_TUNNEL(t), {"direction", "out"}));
	}
}

static void bytes_of(const struct dp_counters *n, double *in, double *out)
{
	*in = (double)n->rx_bytes;
	*out = (double)n->tx_bytes;
}

static void packets_of(const struct dp_counters *n, double *in, double *out)
{
	*in = (double)n->rx_packets;
	*out = (double)n->tx_packets;
}

static void sa_bytes(struct sink *s)
{
	counters(s, bytes_of);
}

static void sa_packets(struct sink *s)
{
	counters(s, packets_of);
}

static void drops(struct sink *s, bool replay)
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		const struct counted *c = &s->counted[i];

		if (c->known)
			put(s, (double)(replay ? c->n.rx_replay : c->n.rx_auth),
			    LABELS(OF_TUNNEL(s->tunnels[i])));
	}
}

static void replay_drops(struct sink *s)
{
	drops(s, true);
}

static void auth_drops(struct sink *s)
{
	drops(s, false);
}

/* --- classes ------------------------------------------------------------------------------------ */

static bool is_member(const struct steer_class_plan *c, const struct tunnel *t)
{
	for (size_t m = 0; m < c->n_members; m++)
		if (c->members[m].id == t->slot)
			return true;
	return false;
}

static void class_active(struct sink *s)
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		const struct tunnel *t = s->tunnels[i];
		const struct steer_plan *plan = steering_plan(t->peer);

		for (size_t k = 0; plan && k < plan->n_classes; k++)
			put(s, is_member(&plan->classes[k], t),
			    LABELS({"class", plan->classes[k].name}, OF_TUNNEL(t)));
	}
}

/* 0 also for a path that is silent: a promise is not kept by saying nothing. */
static void class_sla(struct sink *s)
{
	for (size_t i = 0; i < s->n_tunnels; i++) {
		const struct tunnel *t = s->tunnels[i];
		const struct steer_plan *plan = steering_plan(t->peer);

		for (size_t k = 0; plan && k < plan->n_classes; k++) {
			const char *name = plan->classes[k].name;
			struct steer_standing st;

			if (steering_standing(t, name, &st) < 0 ||
			    st.verdict == STEER_UNKNOWN)
				continue;
			put(s, path_life(t) == STEER_ALIVE && st.verdict != STEER_BAD,
			    LABELS({"class", name}, OF_TUNNEL(t)));
		}
	}
}

static void class_kept(struct sink *s)
{
	for (size_t i = 0; i < s->n_peers; i++) {
		const struct steer_plan *plan = steering_plan(s->peers[i]);

		for (size_t k = 0; plan && k < plan->n_classes; k++)
			put(s, plan->classes[k].keeps && !plan->classes[k].kept,
			    LABELS({"class", plan->classes[k].name},
				   {"peer", s->peers[i]->name}));
	}
}

static void class_switches(struct sink *s)
{
	for (size_t i = 0; i < s->n_peers; i++) {
		const struct steering_moves *moves;
		size_t n = steering_moves(s->peers[i], &moves);

		for (size_t k = 0; k < n; k++)
			put(s, (double)moves[k].count,
			    LABELS({"class", moves[k].class_name},
				   {"peer", s->peers[i]->name},
				   {"reason", steer_reason_name(moves[k].reason)}));
	}
}

/* --- the table ---------------------------------------------------------------------------------- */

/* clang-format off */
static const struct family {
	const char *name;
	const char *type;
	const char *help;
	void (*fill)(struct sink *s);
} families[] = {
	{ "edged_build_info", "gauge", "1; the version is a label", build_info },
	{ "edged_start_time_seconds", "gauge", "When the daemon was started", start_time },
	{ "edged_cpu_seconds_total", "counter", "Processor time of the daemon", cpu_seconds },
	{ "edged_resident_memory_bytes", "gauge", "Memory of the daemon", resident_bytes },
	{ "edged_event_loop_lag_seconds", "histogram", "How late the daemon's timers were called", loop_late },
	{ "edged_config_last_apply_timestamp_seconds", "gauge",
	  "When the configuration that runs was applied", config_applied },
	{ "edged_config_last_apply_successful", "gauge",
	  "1 when the file that was read last was taken, 0 when it was refused", config_good },
	{ "edged_helper_up", "gauge", "1 while the helper is there", helper_up },
	{ "edged_store_writable", "gauge", "1 while history and events reach the disk", store_writable },
	{ "edged_store_queued_rows", "gauge", "Rows that wait for the disk", store_queued },
	{ "edged_store_left_out_rows_total", "counter",
	  "Rows that were left out because the queue was full", store_left_out },
	{ "edged_store_commits_total", "counter", "Transactions written", store_commits },
	{ "edged_peers", "gauge", "Peers that are configured", peers_all },
	{ "edged_peers_left_out", "gauge", "Peers that have no samples here: too many", peers_left_out },
	{ "edged_kernel_refused", "gauge", "Rules and routes that the kernel refuses now", kernel_refused },
	{ "edged_kernel_repaired_total", "counter",
	  "Objects found missing or wrong in the kernel and put right", kernel_repaired },

	{ "edged_uplink_up", "gauge", "1 when tunnels may use the uplink", uplink_up },
	{ "edged_uplink_cost", "gauge", "Its cost as configured", uplink_cost },
	{ "edged_uplink_info", "gauge", "1; the interface is a label", uplink_info },
	{ "edged_uplink_receive_bytes_total", "counter",
	  "Bytes into the uplink's interface, all traffic", uplink_receive },
	{ "edged_uplink_transmit_bytes_total", "counter",
	  "Bytes out of the uplink's interface, all traffic", uplink_transmit },
	{ "edged_uplink_monthly_bytes", "gauge",
	  "Bytes of its interface this month, of an uplink with a monthly limit", uplink_month },
	{ "edged_uplink_monthly_limit_bytes", "gauge", "Its monthly limit as configured", uplink_limit },

	{ "edged_tunnel_up", "gauge", "1 while the tunnel has its SAs", tunnel_up },
	{ "edged_path_up", "gauge", "1 while probes of the path come back", path_up },
	{ "edged_path_rtt_seconds", "histogram", "Round trip of probes inside the tunnel", path_rtt },
	{ "edged_path_jitter_seconds", "gauge",
	  "Mean difference of consecutive round trips over the window", path_jitter },
	{ "edged_path_loss_ratio", "gauge", "Probes lost over the window, of those judged", path_loss },
	{ "edged_path_mtu_bytes", "gauge", "MTU of the tunnel's interface", path_mtu },
	{ "edged_path_probes_sent_total", "counter", "Probes sent and judged", probes_sent },
	{ "edged_path_probes_lost_total", "counter", "Probes without an answer in time", probes_lost },
	{ "edged_path_probes_lost_by_direction_total", "counter",
	  "Of the lost probes, on the way out and on the way back, where that is known", lost_by_direction },

	{ "edged_ike_sa_established_timestamp_seconds", "gauge", "Since when the IKE SA stands", ike_established },
	{ "edged_ike_rekeys_total", "counter", "Rekeys of IKE and child SAs", ike_rekeys },
	{ "edged_ike_failures_total", "counter", "Attempts to bring the tunnel up that failed", ike_failures },
	{ "edged_ike_callers_refused_total", "counter",
	  "Attempts of callers that became no tunnel", callers_refused },
	{ "edged_child_sa_bytes_total", "counter", "Bytes through the tunnel", sa_bytes },
	{ "edged_child_sa_packets_total", "counter", "Packets through the tunnel", sa_packets },
	{ "edged_child_sa_replay_drops_total", "counter", "Packets seen before or too old", replay_drops },
	{ "edged_child_sa_auth_drops_total", "counter", "Packets whose tag was wrong", auth_drops },

	{ "edged_class_path_active", "gauge", "1 when the class goes by the path", class_active },
	{ "edged_class_sla_met", "gauge", "1 when the path keeps what the class was promised", class_sla },
	{ "edged_class_promise_kept", "gauge",
	  "1 when the path that the class goes by keeps its promise", class_kept },
	{ "edged_class_switches_total", "counter", "Decisions that moved the class", class_switches },
};
/* clang-format on */

static void pick_tunnels(struct sink *s)
{
	const struct tunnel *t;

	s->tunnels = ed_array(TUNNELS_MAX, sizeof(struct tunnel *));
	for (size_t i = 0; i < s->n_peers; i++)
		DL_FOREACH (s->peers[i]->tunnels, t)
			if (s->n_tunnels < TUNNELS_MAX)
				s->tunnels[s->n_tunnels++] = t;
}

static void count_tunnels(struct sink *s)
{
	struct dataplane *dp = s->ed->dataplane;

	s->counted = ed_array(TUNNELS_MAX, sizeof(*s->counted));
	for (size_t i = 0; dp && i < s->n_tunnels; i++) {
		struct counted *c = &s->counted[i];
		uint32_t slot = s->tunnels[i]->slot;

		c->known = dp_counters(dp, slot, &c->n) == 0;
		if (c->known)
			dp_drops(dp, slot, &c->n);
	}
}

void rpc_metrics_get(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct sink s = {.ed = ctx};
	json_t *list = json_array();

	(void)params;
	s.peers = rpc_peers_pick(ctx, PEERS_MAX, &s.n_peers);
	pick_tunnels(&s);
	count_tunnels(&s);
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		s.samples = json_array();
		families[i].fill(&s);
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "name",
						      families[i].name, "type",
						      families[i].type, "help",
						      families[i].help, "samples",
						      s.samples));
	}
	free(s.counted);
	free(s.tunnels);
	free(s.peers);
	rpc_call_reply(call, rpc_json_answer("families", list));
}
