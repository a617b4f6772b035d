/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics - /metrics: what edged measured, then what edge-webui knows of itself
 *
 * edged's families are rendered as they came (lib/promtext.h). While edged is away
 * there are only our own, with edged_up 0: the scrape itself does not fail.
 */
#ifndef ED_WEBUI_METRICS_H
#define ED_WEBUI_METRICS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "webui/auth.h"
#include "webui/server.h"
#include "webui/stream.h"

struct metrics_counters {
	bool edged_up;
	time_t started;
	uint64_t answers[6]; /* by the first digit of their status */
	struct server_counters server;
	struct auth_counters auth;
	struct stream_counters streams;
};

/*
 * The text, for free(). answer is that of metrics.get; NULL or malformed: edged
 * counts as away.
 */
char *metrics_text(const struct metrics_counters *c, const json_t *answer,
		   size_t *ret_len);

#endif
