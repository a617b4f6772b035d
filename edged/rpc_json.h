/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rpc_json - values as they stand in answers, and the methods' functions
 *
 * Everything returned is a new reference and never NULL.
 */
#ifndef ED_EDGED_RPC_JSON_H
#define ED_EDGED_RPC_JSON_H

#include <jansson.h>
#include <stdint.h>

#include "lib/addr.h"
#include "lib/mono.h"

struct edged;
struct peer;
struct rpc_call;
struct steer_evidence;
struct store_event;
struct text;
struct tunnel;

/*
 * Text from anywhere: NULL is null, bytes that are no UTF-8 become \xNN, and it
 * is cut at EVENT_TEXT_MAX bytes.
 */
json_t *rpc_json_text(const char *text);

/* Text of our own of any length, NULL is null. */
json_t *rpc_json_lines(const char *text);

/* A number; null when it is none (NaN, infinite). */
json_t *rpc_json_number(double v);

/* Microseconds as milliseconds, parts per million as per cent. */
json_t *rpc_json_ms(int64_t us);
json_t *rpc_json_pct(uint32_t ppm);

/* Text, or null where there is no address. */
json_t *rpc_json_addr(const struct addr *a);
json_t *rpc_json_endpoint(const struct endpoint *e);
json_t *rpc_json_prefix(const struct prefix *p);

/* A monotonic time as seconds since the epoch; null for MONO_ZERO and never. */
json_t *rpc_json_since(struct mono t);

/* {"schema": 1, key: list}. Takes over the reference of list. */
json_t *rpc_json_answer(const char *key, json_t *list);

/* --- what answers hold ------------------------------------------------------- */

/*
 * The daemon's peers as an array for free(); with more than max of them (0: no
 * limit) those that are not up come first and the rest is left out. A hub has
 * thousands: what is shown to people or pushed each second is a part.
 */
const struct peer **rpc_peers_pick(const struct edged *ed, size_t max, size_t *ret_n);

/* "up", "degraded" (some of its paths are down) or "down". */
const char *rpc_peer_state(const struct peer *p);

/* Rows of these peers, in their order. */
json_t *rpc_paths(const struct peer *const *peers, size_t n);
json_t *rpc_peers(const struct peer *const *peers, size_t n);
json_t *rpc_uplinks(struct edged *ed);
json_t *rpc_status(struct edged *ed);
json_t *rpc_event_json(const struct store_event *e);

/* Why the database did not answer, as a sentence. */
const char *rpc_store_why(int err);

/* "delay 220 ms is over 150 ms", and the same as an object or null. */
void rpc_broken_text(struct text *t, const struct steer_evidence *e);
json_t *rpc_evidence(const struct steer_evidence *e);

/* The kernel's side of policy, and what was put right since the start. */
json_t *rpc_kernel(const struct edged *ed);

/* --- methods (struct rpc_method run) ------------------------------------------ */

void rpc_paths_list(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_paths_history(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_uplinks_list(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_uplink_set(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_peers_list(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_peer_restart(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_peer_rekey(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_ike_list(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_classes_list(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_routes_list(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_why(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_config_apply(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_metrics_get(void *ctx, struct rpc_call *call, const json_t *params);
void rpc_events_list(void *ctx, struct rpc_call *call, const json_t *params);

#endif
