/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saved bytes of an IKE SA, without their checksum: it is put right here, so
 * that the fuzzer gets at what it covers.
 */
#include <stdlib.h>
#include <string.h>

#include "ike/crypto.h"
#include "tests/sim/ike_world.h"

enum { SUM_LEN = 32, INPUT_MAX = 65536 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ike_conn_config a = world_caller();
	struct world *w;
	uint8_t *bytes;

	if (size > INPUT_MAX)
		return 0;
	bytes = malloc(size + SUM_LEN);
	if (!bytes)
		abort();
	memcpy(bytes, data, size);
	if (ike_crypto_sha256(bytes, size, bytes + size) < 0)
		abort();
	w = world_new(7);
	world_conn(w, 0, &a);
	if (ike_restore(w->side[0].ike, w->now, bytes, size + SUM_LEN) == 0) {
		/* The host drops what it has no SA for. */
		while (ike_next_action(w->side[0].ike))
			;
		(void)ike_rekey_child(w->side[0].ike, w->now, a.name);
		(void)ike_rekey_ike(w->side[0].ike, w->now, a.name);
		for (int i = 0; i < 20; i++) {
			struct mono at = ike_deadline(w->side[0].ike);
			const struct ike_action *act;

			if (mono_is_never(at))
				break;
			w->now = mono_max(at, w->now);
			ike_timer(w->side[0].ike, w->now);
			while ((act = ike_next_action(w->side[0].ike)))
				if (act->kind == IKE_ACT_JOB) {
					ike_job_run(act->u.job);
					ike_job_done(w->side[0].ike, w->now,
						     act->u.job);
				}
		}
	}
	world_free(w);
	free(bytes);
	return 0;
}
