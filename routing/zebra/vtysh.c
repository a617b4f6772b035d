/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/zebra/vtysh.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/alloc.h"
#include "lib/child.h"
#include "lib/log.h"
#include "lib/loop.h"
#include "lib/text.h"
#include "routing/bgp/render.h"
#include "routing/zebra/vty.h"

enum {
	TIMEOUT_MS = 15000,
	WATCH_US = 250 * 1000, /* between two looks at bgpd's socket */
	RETRY_US = 500 * 1000,
	AUDIT_US = 30 * 1000 * 1000,
	POLL_FAST_US = 1000 * 1000, /* while a session is not established */
	POLL_SLOW_US = 10 * 1000 * 1000,
	ROUNDS_MAX = 4, /* lines sent in a row without standing afterwards */
	ERROR_MAX = 512,
};

/* What runs now; one thing at a time. */
enum job { JOB_NONE = 1, JOB_READ, JOB_WRITE, JOB_POLL, JOB_HYGIENE };

struct vtysh {
	struct loop *loop;
	struct vtysh_ops ops;
	void *ctx;
	char dir[128];
	const struct rt_bgp *bgp;
	struct child *child; /* a vtysh */
	struct vty *vty; /* a question to bgpd itself */
	enum job job;
	struct loop_timer watch;
	struct stat socket; /* of the bgpd we know; st_ino 0: none */
	struct mono look_at; /* when the lines are looked at again */
	struct mono poll_at;
	bool stands;
	bool hygiene; /* wanted */
	unsigned int rounds;
	char error[ERROR_MAX];
	char said[ERROR_MAX]; /* the last error that was logged */
	json_t *summary; /* "show bgp summary json" */
	bool all_established;
};

static void next_job(struct vtysh *v);

static void look_in(struct vtysh *v, int64_t us)
{
	v->look_at = mono_add_us(loop_now(v->loop), us);
}

static void set_error(struct vtysh *v, const char *text)
{
	size_t len = strcspn(text, "\n");

	if (strlen(v->error) == len && !strncmp(v->error, text, len))
		return;
	snprintf(v->error, sizeof(v->error), "%.*s", (int)len, text);
	if (v->error[0] && strcmp(v->error, v->said) != 0) {
		ed_error("bgp", "%s", v->error);
		snprintf(v->said, sizeof(v->said), "%s", v->error);
	}
	v->ops.changed(v->ctx);
}

static void start_job(struct vtysh *v, enum job job, const char *const *argv,
		      const char *input, child_done done, size_t output_max)
{
	struct child_spec spec = {.argv = argv,
				  .input = input,
				  .input_len = input ? strlen(input) : 0,
				  .timeout_ms = TIMEOUT_MS,
				  .output_max = output_max};

	v->job = job;
	v->child = child_run(v->loop, &spec, done, v);
}

/* Ask bgpd itself: done again and again, it must cost next to nothing. */
static void start_question(struct vtysh *v, enum job job, const char *command,
			   vty_done done)
{
	char path[sizeof(v->dir) + 16];
	struct vty_spec spec = {.path = path,
				.command = command,
				.timeout_ms = TIMEOUT_MS,
				.output_max = RT_RUNNING_MAX};

	snprintf(path, sizeof(path), "%s/bgpd.vty", v->dir);
	v->job = job;
	v->vty = vty_ask(v->loop, &spec, done, v);
}

static void end_job(struct vtysh *v)
{
	v->child = NULL;
	v->vty = NULL;
	v->job = JOB_NONE;
}

/* --- lines -------------------------------------------------------------------------- */

/* vtysh's own words about the first line it did not like. */
static void refused(struct vtysh *v, const char *output)
{
	const char *line = strstr(output, "% ");
	char text[ERROR_MAX];

	if (!line)
		line = strstr(output, "line ");
	snprintf(text, sizeof(text), "bgpd refused our lines: %.*s",
		 line ? (int)strcspn(line, "\n") : 40,
		 line ? line : "(no reason told)");
	set_error(v, text);
}

static void on_written(void *ctx, int status, const char *output, size_t len)
{
	struct vtysh *v = ctx;

	(void)len;
	end_job(v);
	/* A line that stood already may fail; what counts is what stands then. */
	if (status == -ENOENT)
		set_error(v, "there is no vtysh program");
	else if (status != 0)
		refused(v, output);
	look_in(v, ++v->rounds < ROUNDS_MAX ? 0 : AUDIT_US);
	v->poll_at = loop_now(v->loop);
	next_job(v);
}

static void write_lines(struct vtysh *v, const char *text)
{
	const char *argv[] = {"vtysh", "--vty_socket", v->dir,	     "-d",
			      "bgpd",  "-f",	       "/dev/stdin", NULL};

	ed_debug("bgp", "telling bgpd:\n%s", text);
	start_job(v, JOB_WRITE, argv, text, on_written, 1 << 16);
}

static void lines_stand(struct vtysh *v)
{
	bool news = !v->stands;

	v->stands = true;
	v->rounds = 0;
	set_error(v, "");
	v->said[0] = '\0';
	look_in(v, AUDIT_US);
	if (news) {
		ed_info("bgp", "bgpd has our lines");
		v->ops.changed(v->ctx);
	}
}

static void on_running(void *ctx, int status, const char *output, size_t len)
{
	struct vtysh *v = ctx;
	struct rt_running *running;
	char why[ERROR_MAX];
	char *text;

	end_job(v);
	if (status != 0 || !v->bgp) {
		if (v->bgp && v->bgp->asn)
			set_error(v, "bgpd does not answer");
		v->stands = v->bgp && !v->bgp->asn;
		look_in(v, RETRY_US * 4);
		next_job(v);
		return;
	}
	running = rt_running_parse(output, len);
	if (rt_bgp_render(v->bgp, running, &text, why, sizeof(why)) < 0) {
		v->stands = false;
		set_error(v, why);
		look_in(v, AUDIT_US);
	} else {
		if (*text) {
			v->stands = false;
			write_lines(v, text);
		} else {
			lines_stand(v);
		}
		free(text);
	}
	rt_running_free(running);
	if (v->job == JOB_NONE)
		next_job(v);
}

static void read_lines(struct vtysh *v)
{
	start_question(v, JOB_READ, "show running-config", on_running);
}

/* --- sessions -------------------------------------------------------------------------- */

static const json_t *peer_in(const json_t *summary, const struct rt_neighbor *n)
{
	const char *family = n->peer.family == AF_INET ? "ipv4Unicast" : "ipv6Unicast";
	char buf[ADDR_STRLEN];

	return json_object_get(json_object_get(json_object_get(summary, family),
					       "peers"),
			       addr_format(&n->peer, buf));
}

static const char *state_of(const json_t *peer)
{
	const char *state = json_string_value(json_object_get(peer, "state"));

	return state ? state : "Unknown";
}

static void judge_sessions(struct vtysh *v)
{
	bool all = v->bgp && v->bgp->n_neighbors;

	for (size_t i = 0; all && i < v->bgp->n_neighbors; i++)
		all = !strcmp(state_of(peer_in(v->summary, &v->bgp->neighbors[i])),
			      "Established");
	v->all_established = all;
}

static void on_polled(void *ctx, int status, const char *output, size_t len)
{
	struct vtysh *v = ctx;
	json_t *summary = status ? NULL : json_loadb(output, len, 0, NULL);

	end_job(v);
	if (summary && !json_equal(summary, v->summary)) {
		json_decref(v->summary);
		v->summary = summary;
		judge_sessions(v);
		v->ops.changed(v->ctx);
	} else {
		json_decref(summary);
	}
	v->poll_at = mono_add_us(loop_now(v->loop),
				 v->all_established ? POLL_SLOW_US : POLL_FAST_US);
	next_job(v);
}

static void poll_sessions(struct vtysh *v)
{
	start_question(v, JOB_POLL, "show bgp summary json", on_polled);
}

struct json_t *vtysh_sessions(const struct vtysh *v)
{
	json_t *list = json_array();

	for (size_t i = 0; v->bgp && i < v->bgp->n_neighbors; i++) {
		const struct rt_neighbor *n = &v->bgp->neighbors[i];
		const json_t *peer = peer_in(v->summary, n);
		char buf[ADDR_STRLEN];
		json_t *o = json_object();

		json_object_set_new(o, "tunnel", json_string(n->tunnel));
		json_object_set_new(o, "peer", json_string(addr_format(&n->peer, buf)));
		json_object_set_new(o, "asn", json_integer(n->asn));
		json_object_set_new(o, "state", json_string(state_of(peer)));
		json_object_set_new(o, "prefixes_received",
				    json_integer(json_integer_value(
					    json_object_get(peer, "pfxRcd"))));
		json_object_set_new(o, "prefixes_sent",
				    json_integer(json_integer_value(
					    json_object_get(peer, "pfxSnt"))));
		json_object_set_new(o, "uptime_s",
				    json_integer(json_integer_value(json_object_get(
							 peer, "peerUptimeMsec")) /
						 1000));
		json_array_append_new(list, o);
	}
	return list;
}

void vtysh_forget_sessions(struct vtysh *v)
{
	json_decref(v->summary);
	v->summary = NULL;
	v->all_established = false;
	v->poll_at = loop_now(v->loop);
	if (v->job == JOB_POLL) {
		vty_cancel(v->vty); /* asked before it went */
		end_job(v);
	}
}

bool vtysh_all_established(const struct vtysh *v)
{
	return v->all_established;
}

/* --- zebra ------------------------------------------------------------------------------- */

static void on_hygiene(void *ctx, int status, const char *output, size_t len)
{
	struct vtysh *v = ctx;

	(void)len;
	end_job(v);
	if (status != 0)
		ed_warn("zebra", "its settings for groups were refused: %.*s",
			(int)strcspn(output, "\n"), output);
	next_job(v);
}

static void send_hygiene(struct vtysh *v)
{
	const char *argv[] = {"vtysh",
			      "--vty_socket",
			      v->dir,
			      "-d",
			      "zebra",
			      "-c",
			      "configure terminal",
			      "-c",
			      "zebra nexthop proto only",
			      "-c",
			      "zebra nexthop-group keep 1",
			      NULL};

	v->hygiene = false;
	start_job(v, JOB_HYGIENE, argv, NULL, on_hygiene, 4096);
}

void vtysh_zebra_hygiene(struct vtysh *v)
{
	v->hygiene = true;
	next_job(v);
}

/* --- what is next -------------------------------------------------------------------------- */

static void next_job(struct vtysh *v)
{
	struct mono now = loop_now(v->loop);

	if (v->job != JOB_NONE || !v->dir[0])
		return;
	if (v->hygiene)
		send_hygiene(v);
	else if (v->bgp && v->socket.st_ino && mono_due(v->look_at, now))
		read_lines(v);
	else if (v->bgp && v->bgp->asn && v->socket.st_ino && v->stands &&
		 mono_due(v->poll_at, now))
		poll_sessions(v);
}

/* bgpd makes its socket anew at each start. */
static void look_at_socket(struct vtysh *v)
{
	char path[sizeof(v->dir) + 16];
	struct stat st;

	snprintf(path, sizeof(path), "%s/bgpd.vty", v->dir);
	if (stat(path, &st) < 0)
		st = (struct stat){0};
	if (st.st_ino == v->socket.st_ino &&
	    st.st_ctim.tv_sec == v->socket.st_ctim.tv_sec &&
	    st.st_ctim.tv_nsec == v->socket.st_ctim.tv_nsec)
		return;
	v->socket = st;
	if (!st.st_ino)
		return;
	v->rounds = 0;
	look_in(v, 0);
	vtysh_forget_sessions(v);
	v->ops.bgpd_new(v->ctx);
}

static void on_watch(void *ctx, struct mono now)
{
	struct vtysh *v = ctx;

	look_at_socket(v);
	if (!v->socket.st_ino && v->bgp && v->bgp->asn)
		set_error(v, "bgpd is not running");
	next_job(v);
	loop_timer_at(v->loop, &v->watch, mono_add_us(now, WATCH_US), on_watch, v);
}

bool vtysh_settled(const struct vtysh *v)
{
	if (v->job == JOB_READ || v->job == JOB_WRITE)
		return false;
	return v->stands || !v->socket.st_ino;
}

const char *vtysh_error(const struct vtysh *v)
{
	return v->error;
}

void vtysh_set_dir(struct vtysh *v, const char *dir)
{
	if (!strcmp(v->dir, dir))
		return;
	snprintf(v->dir, sizeof(v->dir), "%s", dir);
	v->socket = (struct stat){0};
	v->stands = false;
	loop_timer_at(v->loop, &v->watch, loop_now(v->loop), on_watch, v);
}

void vtysh_set_bgp(struct vtysh *v, const struct rt_bgp *b, bool same)
{
	v->bgp = b;
	if (same)
		return;
	v->stands = false;
	judge_sessions(v);
	v->rounds = 0;
	/* At the next watch: tunnels come up together, and so do their lines. */
	look_in(v, 0);
}

struct vtysh *vtysh_new(struct loop *loop, const struct vtysh_ops *ops, void *ctx)
{
	struct vtysh *v = ed_alloc(sizeof(*v));

	v->loop = loop;
	v->ops = *ops;
	v->ctx = ctx;
	v->job = JOB_NONE;
	return v;
}

void vtysh_free(struct vtysh *v)
{
	if (!v)
		return;
	child_cancel(v->child);
	vty_cancel(v->vty);
	loop_timer_stop(&v->watch);
	json_decref(v->summary);
	free(v);
}
