/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an operator may do.
 *
 * uplink.set {name, up}, peer.restart {name} and peer.rekey {name} take "by", the
 * name of a person, from root and from edge-webui, which must give it; the event
 * says who in its reason and as its number "by". Without it the caller's user name.
 * Each answers {schema, changed}; uplink.set also {kept}: false when the order could
 * not be written and is forgotten at the next start.
 */
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "edged/control.h"
#include "edged/edged.h"
#include "edged/rpc_json.h"
#include "lib/rpc.h"

/* A person's name, with its NUL. */
enum { BY_MAX = 64 };

/* The user's name by the machine's own file: a directory service may keep us waiting. */
static void name_of(uid_t uid, char *buf, size_t size)
{
	FILE *fp = fopen("/etc/passwd", "re");
	const struct passwd *u;

	snprintf(buf, size, "user id %u", (unsigned int)uid);
	if (!fp)
		return;
	while ((u = fgetpwent(fp)) != NULL) {
		if (u->pw_uid != uid)
			continue;
		snprintf(buf, size, "%s", u->pw_name);
		break;
	}
	fclose(fp);
}

static bool is_name(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return false;
	return *text && strlen(text) < BY_MAX;
}

/* Who asks, for the event. False when the call was answered instead. */
static bool who(struct rpc_call *call, const json_t *params, char buf[BY_MAX])
{
	unsigned int roles = rpc_call_roles(call);
	const char *by;

	if (!rpc_param_str(call, params, "by", NULL, &by))
		return false;
	if (!by && (roles & CONTROL_OPERATOR)) {
		name_of(rpc_call_uid(call), buf, BY_MAX);
		return true;
	}
	if (!(roles & CONTROL_WEB)) {
		rpc_call_error(call, RPC_EDENIED,
			       "only edge-webui may say for whom it asks");
		return false;
	}
	if (!by || !is_name(by)) {
		rpc_call_error(call, RPC_EPARAMS, "\"by\" must be a person's name");
		return false;
	}
	snprintf(buf, BY_MAX, "%s", by);
	return true;
}

/* kept: NULL for what is not kept beyond a restart anyway. */
static void answer(struct edged *ed, struct rpc_call *call, int err, const char *what,
		   const char *name, const bool *kept)
{
	json_t *done;

	if (err == -ENOENT) {
		rpc_call_error(call, RPC_ENOTFOUND, "there is no %s '%s'", what, name);
		return;
	}
	if (err < 0 && err != -EALREADY) {
		rpc_call_error(call, RPC_EFAILED, "%s %s: %s", what, name,
			       strerror(-err));
		return;
	}
	control_changed(ed->control);
	done = json_pack("{s:i, s:b}", "schema", CONTROL_SCHEMA, "changed",
			 err != -EALREADY);
	if (kept)
		json_object_set_new(done, "kept", json_boolean(*kept));
	rpc_call_reply(call, done);
}

void rpc_uplink_set(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	const char *name;
	char by[BY_MAX];
	bool kept = true;
	bool up;
	int err;

	if (!rpc_param_need_str(call, params, "name", &name) ||
	    !rpc_param_bool(call, params, "up", true, &up) || !who(call, params, by))
		return;
	err = edged_uplink_set(ed, name, up, by, &kept);
	answer(ed, call, err, "uplink", name, &kept);
}

void rpc_peer_restart(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	const char *name;
	char by[BY_MAX];

	if (!rpc_param_need_str(call, params, "name", &name) || !who(call, params, by))
		return;
	answer(ed, call, edged_peer_restart(ed, name, by), "peer", name, NULL);
}

void rpc_peer_rekey(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	const char *name;
	char by[BY_MAX];

	if (!rpc_param_need_str(call, params, "name", &name) || !who(call, params, by))
		return;
	answer(ed, call, edged_peer_rekey(ed, name, by), "peer", name, NULL);
}
