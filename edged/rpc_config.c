/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config.apply: the daemon reads its own file again, as SIGHUP makes it do. The
 * caller names no file: what runs is what the next start will read.
 */
#include <errno.h>
#include <stdlib.h>

#include "edged/config/config.h"
#include "edged/control.h"
#include "edged/edged.h"
#include "edged/rpc_json.h"
#include "lib/rpc.h"

void rpc_config_apply(void *ctx, struct rpc_call *call, const json_t *params)
{
	struct edged *ed = ctx;
	char *text = NULL;
	int changed;

	(void)params;
	changed = edged_apply(ed, &text);
	if (changed < 0)
		rpc_call_error_data(call, RPC_EREFUSED,
				    json_pack("{s:o}", "text",
					      json_string_nocheck(text ? text : "")),
				    "%s was refused, nothing has changed",
				    ed->opt.config);
	else
		rpc_call_reply(call, json_pack("{s:i, s:o, s:i, s:o}", "schema",
					       CONTROL_SCHEMA, "file",
					       rpc_json_text(ed->opt.config), "changed",
					       changed, "text",
					       text ? json_string(text) : json_null()));
	free(text);
	if (changed > 0)
		control_changed(ed->control);
}
