/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lines that steering reads at start. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "routing/steer/memory.h"
#include "routing/steer/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *pos = (const char *)data;
	const char *end = pos + size;
	struct steer_state *st;
	struct steer_memory m;
	int got;

	while ((got = steer_memory_next(&pos, end, &m)) != 0) {
		assert(pos <= end);
		if (got != 1)
			continue;
		assert(m.path >= (const char *)data && m.path + m.path_len <= end);
		assert(m.class_len && m.class_len < STEER_NAME_MAX);
	}
	st = steer_state_new();
	(void)steer_state_load(st, (const char *)data, size, 10, (struct mono){0});
	(void)steer_peer(st,
			 &(struct steer_class){.name = "a", .strategy = STEER_PREFER},
			 1,
			 &(struct steer_path){
				 .id = 1,
				 .name = "b",
				 .label = "c",
				 .life = STEER_PROVING,
				 .looks = &(struct steer_measure){0},
			 },
			 1, &(struct steer_settings){1, 1}, (struct mono){0});
	steer_state_free(st);
	return 0;
}
