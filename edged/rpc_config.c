/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.apply: the daemon reads its own file again, as SIGHUP makes it do. The
 * caller names no file: what runs is what the next start will read.
 */
#include <errno.h>
#include <stdlib.h>

#include "edged/apply.h"
#include "edged/config/config.h"
#include "edged/control.h"
#include "edged/edged.h"
#include "edged/rpc_json.h"
#include "lib/rpc.h"

enum { CHANGES_MAX = 1000 }; /* told; all are applied */

static const char *kind_name(enum config_change_kind kind)
{
	switch (kind) {
	case CONFIG_ADDED:
		return "added";
	case CONFIG_REMOVED:
		return "removed";
	case CONFIG_CHANGED:
		break;
	}
	return "changed";
}

static void add_change(void *ctx, const struct config_change *change)
{
	json_t *list = ctx;
	bool whole = change->kind != CONFIG_CHANGED;

	if (json_array_size(list) == CHANGES_MAX)
		return;
	json_array_append_new(
		list, json_pack("{s:o, s:s, s:o, s:o, s:s}", "setting",
				rpc_json_text(change->setting), "kind",
				kind_name(change->kind), "from",
				whole ? json_null() : rpc_json_text(change->from), "to",
				whole ? json_string(kind_name(change->kind))
				      : rpc_json_text(change->to),
				"cost", config_cost_name(change->cost)));
}

/* What an apply would change now; empty when the file is refused. */
static json_t *changes_json(struct edged *ed)
{
	json_t *list = json_array();
	struct config *next = NULL;
	char *text = NULL;

	if (apply_read(ed, &next, &text) == 0)
		config_diff(ed->config, next, add_change, list);
	config_free(next);
	free(text);
	return list;
}

void rpc_config_apply(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	struct mono begun = mono_now();
	json_t *changes = changes_json(ed);
	char *text = NULL;
	int changed;

	(void)params;
	changed = edged_apply(ed, &text);
	if (changed < 0) {
		json_decref(changes);
		rpc_call_error_data(call, RPC_EREFUSED,
				    json_pack("{s:o}", "text", rpc_json_lines(text)),
				    "%s was refused, nothing has changed",
				    ed->opt.config);
	} else {
		rpc_call_reply(call,
			       json_pack("{s:i, s:o, s:i, s:o, s:o, s:I}", "schema",
					 CONTROL_SCHEMA, "file",
					 rpc_json_text(ed->opt.config), "changed",
					 changed, "text", rpc_json_lines(text),
					 "changes", changes, "took_ms",
					 (json_int_t)mono_diff_ms(mono_now(), begun)));
	}
	free(text);
	if (changed > 0)
		control_changed(ed->control);
}
