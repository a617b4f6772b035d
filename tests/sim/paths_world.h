/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paths_world - a branch and a hub, some paths between them, in virtual time
 *
 * Both ends run the real path monitor and the real steering; only sockets, the
 * kernel and the wire are played. A direction of a path has delay, jitter, loss
 * and may be cut; packets may overtake each other. What happens follows from the
 * seed alone.
 *
 *	branch --[dir 0]--> hub      paths 0 .. n-1, probes of both ends,
 *	branch <--[dir 1]-- hub      a steady flow per class and direction
 */
#ifndef ED_TESTS_SIM_PATHS_WORLD_H
#define ED_TESTS_SIM_PATHS_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/rng.h"
#include "pathmon/path.h"
#include "routing/steer/plan.h"

enum { BRANCH, HUB, ENDS };

enum world_limits {
	WORLD_PATHS = 3,
	WORLD_CLASSES = 4,
	WORLD_QUEUE = 8192, /* packets on the wire */
	WORLD_FLOW_US = 10000, /* between two packets of a flow */
	WORLD_APPLY_US = 25000, /* from a plan to the kernel */
	WORLD_TICK_US = 1000000, /* the host hands counters over */
};

#define W_MS INT64_C(1000)
#define W_S INT64_C(1000000)

struct world_dir {
	int64_t delay_us;
	int64_t jitter_us; /* 0 to this is added, uniformly */
	uint32_t loss_ppm;
	bool cut;
};

/* One path as one end sees it. */
struct world_end_path {
	struct pm_path *pm;
	uint64_t rx_packets;
	uint64_t data_sent; /* since the last tick */
	uint32_t reflector_seq;
	uint64_t probes_sent;
	uint64_t answers_sent;
	unsigned int downs; /* up or suspect to down */
	struct mono down_at; /* last time */
	struct pm_change down; /* and why */
};

/* A flow of one class in one direction. */
struct world_flow {
	uint64_t sent;
	uint64_t lost;
	uint64_t run; /* of losses now */
	uint64_t longest; /* since world_flows_reset() */
	int member; /* path it leaves by now, -1: none */
	int next_member; /* once applied */
	struct mono apply_at;
};

struct world_end {
	struct world_end_path paths[WORLD_PATHS];
	struct steer_state *steer;
	struct world_flow flows[WORLD_CLASSES];
	unsigned int moves[WORLD_CLASSES]; /* decisions since world_moves_reset() */
	struct mono moved_at[WORLD_CLASSES];
	bool urgent;
};

struct world {
	struct rng rng;
	struct mono now;
	unsigned int n_paths;
	const struct steer_class *classes;
	unsigned int n_classes; /* 0: no steering, no flows */
	unsigned int session_of[WORLD_CLASSES]; /* whose figures judge the class */
	struct steer_settings settings;
	struct world_dir wire[WORLD_PATHS][ENDS]; /* by the sending end */
	const char *names[WORLD_PATHS];
	const char *labels[WORLD_PATHS];
	uint32_t costs[WORLD_PATHS];
	struct world_end ends[ENDS];
	bool flows_on;
	struct mono next_flow;
	struct mono next_look;
	struct mono next_tick;
	struct world_packet *queue; /* heap by time */
	unsigned int n_queue;
	uint64_t order;
};

/* Paths are off until world_start(). cfg is the same for all but metered. */
void world_init(struct world *w, uint64_t seed, unsigned int n_paths,
		const struct pm_path_config *cfg, unsigned int metered_mask);
void world_fini(struct world *w);

/* Both ends begin to probe path i. */
void world_start(struct world *w, unsigned int i);

/* Let us go by. */
void world_run(struct world *w, int64_t us);

/* Same figures for both directions. */
void world_wire(struct world *w, unsigned int path, int64_t delay_us, int64_t jitter_us,
		uint32_t loss_ppm);
void world_cut(struct world *w, unsigned int path, unsigned int from_end, bool cut);

/* Forget the longest gaps, the counts of moves. */
void world_flows_reset(struct world *w);
void world_moves_reset(struct world *w);

#endif
