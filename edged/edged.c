/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of the start is the order of need. The control socket comes first
 * of what is outside: who cannot have it is the second edged on this run folder
 * and must not touch anything. Then the kernel's side (rules and the leak guard
 * stand before any tunnel may carry), then uplinks with their sockets, tunnels
 * with their interfaces, and only then SAs: those of an earlier process first,
 * so that nothing is negotiated that still works.
 *
 * The end keeps all of it in the kernel: links, addresses, routes, SAs. What has
 * a descriptor is with the service manager and edge-esp already.
 */
#include "edged/edged.h"

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "edged/apply.h"
#include "edged/config/config.h"
#include "edged/control.h"
#include "edged/dataplane/dataplane.h"
#include "edged/events.h"
#include "edged/fdstore.h"
#include "edged/ike_conn.h"
#include "edged/ike_host.h"
#include "edged/ike_io.h"
#include "edged/inside.h"
#include "edged/kernel_events.h"
#include "edged/overrides.h"
#include "edged/path.h"
#include "edged/policy.h"
#include "edged/resolve.h"
#include "edged/sa_host.h"
#include "edged/slots.h"
#include "edged/steer_apply.h"
#include "edged/steering.h"
#include "edged/store.h"
#include "edged/supervisor.h"
#include "edged/volumes.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/log.h"
#include "lib/nlsock.h"
#include "lib/notify.h"
#include "lib/rng.h"

/* ---- finding ---------------------------------------------------------------- */

struct uplink *edged_uplink(const struct edged *ed, const char *name)
{
	struct uplink *u;

	HASH_FIND_STR(ed->uplinks, name, u);
	return u;
}

struct peer *edged_peer(const struct edged *ed, const char *name)
{
	struct peer *p;

	HASH_FIND_STR(ed->peers, name, p);
	return p;
}

struct tunnel *edged_tunnel(const struct edged *ed, const char *name)
{
	struct tunnel *t;

	HASH_FIND_STR(ed->tunnels, name, t);
	return t;
}

struct uplink *edged_uplink_by_slot(const struct edged *ed, unsigned int slot)
{
	for (struct uplink *u = ed->uplinks; u; u = u->hh.next)
		if (u->slot == slot)
			return u;
	return NULL;
}

struct tunnel *edged_tunnel_by_slot(const struct edged *ed, unsigned int slot)
{
	struct tunnel *t;

	HASH_FIND(hh_slot, ed->tunnels_by_slot, &slot, sizeof(slot), t);
	return t;
}

/* ---- start -------------------------------------------------------------------- */

static int make_folder(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0)
		return 0;
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	ed_error("edged", "folder %s: %s", path, strerror(errno));
	return errno == EEXIST ? -ENOTDIR : -errno;
}

static int load_config(struct edged *ed)
{
	char *text = NULL;
	int err = apply_read(ed, &ed->config, &text);

	if (text)
		fputs(text, stderr);
	free(text);
	if (err < 0) {
		/* What ran before goes on: a bad file changes nothing. */
		if (apply_read_saved(ed, &ed->config, &text) == 0) {
			ed_error("edged", "%s is refused: what was applied last runs",
				 ed->opt.config);
			ed->counts.refused = true;
		} else {
			free(text);
			ed_error("edged", "%s is refused: nothing was started",
				 ed->opt.config);
			return err;
		}
		free(text);
	}
	snprintf(ed->name, sizeof(ed->name), "%s", ed->config->name);
	return 0;
}

static void on_store_notice(void *ctx, const char *from, const char *to,
			    const char *reason)
{
	event_emit(ctx, EVENT_STORE, "store", from, to, reason, NULL);
}

/* A word that differs from boot to boot; "" where there is none. */
static void read_boot_id(char *buf, size_t size)
{
	FILE *fp = fopen("/proc/sys/kernel/random/boot_id", "re");

	buf[0] = '\0';
	if (!fp)
		return;
	if (fgets(buf, (int)size, fp))
		buf[strcspn(buf, " \n")] = '\0';
	fclose(fp);
}

static void open_state(struct edged *ed)
{
	char boot_id[40];
	char path[PATH_MAX];
	struct store_params params = {.notice = on_store_notice, .ctx = ed};

	snprintf(path, sizeof(path), "%s/slots", ed->opt.state);
	ed->slots = slots_open(path);
	snprintf(path, sizeof(path), "%s/inside", ed->opt.state);
	ed->inside = inside_open(path);
	snprintf(path, sizeof(path), "%s/overrides", ed->opt.state);
	ed->overrides = overrides_open(path);
	read_boot_id(boot_id, sizeof(boot_id));
	snprintf(path, sizeof(path), "%s/volumes", ed->opt.state);
	ed->volumes = volumes_open(path, boot_id);
	snprintf(path, sizeof(path), "%s/edged.db", ed->opt.state);
	params.path = path;
	ed->store = store_open(ed->loop, &params);
}

static enum dp_carrier carrier_of(const struct config *c)
{
	switch ((enum config_dataplane)c->dataplane) {
	case CONFIG_DP_XFRM:
	case CONFIG_DP_VTI:
		return DP_KERNEL;
	case CONFIG_DP_USER:
		return DP_USER;
	case CONFIG_DP_AUTO:
		break;
	}
	return DP_AUTO;
}

static bool give_back(void *ctx, const char *name, int fd)
{
	return dp_fd_restore(ctx, name, fd) == 0;
}

static int open_dataplane(struct edged *ed)
{
	struct dp_params params = {
		.loop = ed->loop,
		.carrier = carrier_of(ed->config),
		.run_dir = ed->opt.run,
		.host = &sa_host_dp,
		.ctx = ed,
	};
	int err = dp_new(&params, &ed->dataplane);

	if (err < 0) {
		ed_error("dataplane", "cannot be opened: %s",
			 err == -EOPNOTSUPP
				 ? "this kernel has no ESP; set dataplane: user"
				 : strerror(-err));
		return err;
	}
	fdstore_take_each(ed->fdstore, "dp-", give_back, ed->dataplane);
	ed_info("dataplane", "packets are carried by %s",
		dp_carrier(ed->dataplane) == DP_KERNEL ? "the kernel" : "edge-esp");
	return 0;
}

/* The kernel's side and the parts that need nothing of each other. */
static int open_parts(struct edged *ed)
{
	int err;

	err = nlsock_open(NETLINK_ROUTE, &ed->nl);
	if (err < 0) {
		ed_error("edged", "no netlink socket: %s", strerror(-err));
		return err;
	}
	err = policy_new(ed->loop, &ed->policy);
	if (err < 0) {
		ed_error("edged", "no netlink socket for rules: %s", strerror(-err));
		return err;
	}
	policy_sysctls();
	err = open_dataplane(ed);
	if (err < 0)
		return err;
	err = ike_host_new(ed, &ed->ike_host);
	if (err < 0)
		return err;
	ed->resolver = resolver_new(ed->loop);
	err = path_monitor_new(ed, &ed->paths);
	if (err < 0)
		return err;
	err = steer_apply_new(ed, &ed->steer_apply);
	if (err < 0)
		return err;
	ed->steering = steering_new(ed);
	err = kernel_events_new(ed, &ed->kernel);
	if (err < 0)
		ed_error("edged", "no netlink socket for events: %s", strerror(-err));
	return err;
}

/* Saved SAs of tunnels we call fit whatever address the peer has today. */
static void expect_saved(struct edged *ed)
{
	char why[EDGED_SENTENCE_MAX] = "";
	struct peer *p;
	struct tunnel *t;

	for (p = ed->peers; p; p = p->hh.next)
		if (p->calls_us)
			peer_answer(p);
	for (t = ed->tunnels; t; t = t->hh.next)
		if (t->conf && ike_conn_expect(t, why, sizeof(why)) < 0)
			ed_warn(t->name, "%s", why);
}

static void make_objects(struct edged *ed)
{
	unsigned int taken;

	ike_home_set(ed->ike, ed->config->lan.v, ed->config->lan.n);
	apply_uplinks(ed);
	apply_peers(ed);
	peers_revive(ed);
	expect_saved(ed);
	taken = ike_host_restore(ed);
	if (taken)
		ed_info("ike", "%u IKE SAs taken over from before the restart", taken);
	apply_start(ed);
	steer_apply_all(ed);
	fdstore_drop_unclaimed(ed->fdstore);
}

static void on_stop(void *ctx, int signo);
static void on_hup(void *ctx, int signo);

int edged_new(const struct edged_options *opt, struct edged **ret)
{
	struct edged *ed = ed_alloc(sizeof(*ed));
	int err;

	ed->opt = *opt;
	ed->rng = ed_alloc(sizeof(*ed->rng));
	*ed->rng = rng_system();
	ed->notify = notify_new();
	ed->fdstore = fdstore_new(ed->notify);
	ed->loop = loop_new();
	ed->started = loop_now(ed->loop);
	/* One that comes during the start waits for the loop to run. */
	loop_signal_start(ed->loop, &ed->on_term, SIGTERM, on_stop, ed);
	loop_signal_start(ed->loop, &ed->on_int, SIGINT, on_stop, ed);
	loop_signal_start(ed->loop, &ed->on_hup, SIGHUP, on_hup, ed);
	err = load_config(ed);
	if (!err)
		err = make_folder(opt->run, 0755);
	/* Traffic does not wait for a disk: without state it is only forgetful. */
	if (!err && make_folder(opt->state, 0750) < 0)
		ed_error("edged", "runs without a state folder: no history, and a "
				  "restart may renumber interfaces");
	if (!err)
		err = control_new(ed, &ed->control);
	if (err < 0)
		goto fail;
	apply_save(ed);
	apply_note(ed);
	open_state(ed);
	err = open_parts(ed);
	if (err < 0)
		goto fail;
	make_objects(ed);
	*ret = ed;
	return 0;

fail:
	edged_free(ed);
	return err;
}

/* ---- run ------------------------------------------------------------------------ */

static void on_stop(void *ctx, int signo)
{
	struct edged *ed = ctx;

	ed_info("edged", "%s: stopping; tunnels and routes stay",
		signo == SIGTERM ? "SIGTERM" : "SIGINT");
	loop_stop(ed->loop);
}

static void on_hup(void *ctx, int signo)
{
	struct edged *ed = ctx;
	char *text = NULL;

	(void)signo;
	(void)edged_apply(ed, &text);
	if (text)
		fputs(text, stderr);
	free(text);
}

void edged_status(struct edged *ed)
{
	unsigned int up = 0;
	unsigned int all = 0;

	for (const struct uplink *u = ed->uplinks; u; u = u->hh.next) {
		all++;
		up += u->state == UPLINK_UP;
	}
	notify_status(ed->notify, "%u of %u uplinks up", up, all);
	control_changed(ed->control);
}

int edged_run(struct edged *ed)
{
	event_emit(ed, EVENT_DAEMON, "edged", NULL, "started", "edged " PACKAGE_VERSION,
		   NULL);
	notify_ready(ed->notify, ed->loop);
	edged_status(ed);
	loop_run(ed->loop);
	ed->stopping = true;
	notify_stopping(ed->notify);
	event_emit(ed, EVENT_DAEMON, "edged", "started", "stopped",
		   "asked to stop; tunnels and routes stay", NULL);
	return 0;
}

/* ---- end ------------------------------------------------------------------------- */

static void free_objects(struct edged *ed)
{
	struct peer *p;
	struct peer *next_p;
	struct uplink *u;
	struct uplink *next_u;

	HASH_ITER (hh, ed->peers, p, next_p)
		peer_free(p, false);
	HASH_ITER (hh, ed->uplinks, u, next_u) {
		loop_timer_stop(&u->io_retry);
		for (int f = 0; f < ED_FAMILIES; f++)
			ike_io_leave(u->io[f]);
		HASH_DEL(ed->uplinks, u);
		free(u);
	}
}

void edged_free(struct edged *ed)
{
	if (!ed)
		return;
	ed->stopping = true;
	loop_signal_stop(&ed->on_term);
	loop_signal_stop(&ed->on_int);
	loop_signal_stop(&ed->on_hup);
	steering_free(ed->steering);
	ed->steering = NULL;
	free_objects(ed);
	kernel_events_free(ed->kernel);
	steer_apply_free(ed->steer_apply);
	path_monitor_free(ed->paths);
	resolver_free(ed->resolver);
	ike_host_free(ed->ike_host);
	sa_host_fini(ed);
	dp_free(ed->dataplane);
	policy_free(ed->policy);
	/* The store's last words are an event, which nobody hears any more. */
	control_free(ed->control);
	ed->control = NULL;
	store_close(ed->store);
	ed->store = NULL;
	nlsock_free(ed->nl);
	volumes_free(ed->volumes);
	overrides_free(ed->overrides);
	inside_free(ed->inside);
	slots_free(ed->slots);
	fdstore_free(ed->fdstore);
	notify_free(ed->notify);
	config_free(ed->config);
	loop_free(ed->loop);
	free(ed->rng);
	free(ed);
}

/* ---- the operator ------------------------------------------------------------------ */

/* "taken down by alice", as an event with the same name in its numbers. */
static void tell_order(struct edged *ed, const char *kind, const char *name,
		       const char *from, const char *to, const char *done,
		       const char *by)
{
	char reason[EDGED_SENTENCE_MAX];

	snprintf(reason, sizeof(reason), "%s by %s", done, by);
	event_emit(ed, kind, name, from, to, reason,
		   EVENT_NUMBERS(event_text("by", by)));
}

int edged_uplink_set(struct edged *ed, const char *name, bool up, const char *by,
		     bool *kept)
{
	struct uplink *u = edged_uplink(ed, name);
	int err;

	if (!u)
		return -ENOENT;
	if (u->stopped == !up)
		return -EALREADY;
	err = overrides_set_uplink(ed->overrides, name, !up);
	*kept = err == 0;
	if (err < 0)
		ed_warn(name, "the order holds until the next restart only: %s",
			strerror(-err));
	tell_order(ed, EVENT_UPLINK, name, up ? "stopped" : "allowed",
		   up ? "allowed" : "stopped", up ? "brought back" : "taken down", by);
	uplink_stop(u, !up, loop_now(ed->loop));
	for (struct peer *p = ed->peers; p; p = p->hh.next)
		steering_touch(p);
	return 0;
}

int edged_peer_restart(struct edged *ed, const char *name, const char *by)
{
	struct peer *p = edged_peer(ed, name);

	if (!p)
		return -ENOENT;
	tell_order(ed, EVENT_PEER, name, NULL, "restart", "restarted", by);
	supervisor_restart(p);
	return 0;
}

int edged_peer_rekey(struct edged *ed, const char *name, const char *by)
{
	struct peer *p = edged_peer(ed, name);

	if (!p)
		return -ENOENT;
	tell_order(ed, EVENT_PEER, name, NULL, "rekey", "rekeyed", by);
	supervisor_rekey(p);
	return 0;
}
