/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * path - a tunnel's probes, and what they say
 *
 * The host of pathmon/: one probe target per tunnel, started when the tunnel has
 * an SA and both inside addresses, stopped when it has none. Changes of liveness
 * become events and an immediate look by steering; figures become one sample a
 * second for the history. The reflector answers the peer's probes on the same
 * inside addresses.
 *
 * Everything here may be called in any state of the tunnel, any number of times.
 */
#ifndef ED_EDGED_PATH_H
#define ED_EDGED_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/mono.h"
#include "pathmon/pathmon.h"
#include "routing/steer/plan.h"

struct edged;
struct path;
struct path_monitor;
struct store_minute;
struct tunnel;

/*
 * Open the reflector's port and the prober.
 *
 * Returns 0 with *ret for path_monitor_free(), or a negative errno after logging
 * why (the port is taken).
 */
int path_monitor_new(struct edged *ed, struct path_monitor **ret);

/* Stop all paths and free; the last minute of history is handed to the store. */
void path_monitor_free(struct path_monitor *m);

/*
 * The tunnel's SA, inside addresses, interface or settings changed: start, move,
 * reconfigure or stop its probes accordingly. Makes t->path when it is NULL.
 */
void path_update(struct tunnel *t);

/* Forget the tunnel's path: before the tunnel is freed. */
void path_free(struct tunnel *t);

/* Liveness as steering and main's routes see it; STEER_NOT_RUNNING without path. */
enum steer_life path_life(const struct tunnel *t);

/* PM_OFF without path. */
enum pm_state path_state(const struct tunnel *t);

/* When path_state() last changed; MONO_ZERO without path. */
struct mono path_since(const struct tunnel *t);

/*
 * The path behind the tunnel, for figures; NULL while it has none. Session
 * path_session() of it is the one that judges a class.
 */
struct pm_path *path_pm(const struct tunnel *t);

/* The session of the class with this index in ed->config->classes. */
unsigned int path_session(const struct tunnel *t, unsigned int class_index);

/* The seconds that the store does not have yet, or NULL; good until the loop goes on. */
const struct store_minute *path_minute(const struct tunnel *t);

/* True when enough was measured to judge the path (after a restart). */
bool path_measured(const struct tunnel *t);

#endif
