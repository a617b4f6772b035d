/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The intent as edge-zebra reads it: any JSON, and what is accepted reads back. */
#include <assert.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "routing/intent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *js = json_loadb((const char *)data, size, 0, NULL);
	struct rt_intent *i;
	struct rt_intent *again;
	struct rt_peer p;
	char why[256];

	if (!js)
		return 0;
	if (!rt_intent_from_json(js, &i, why, sizeof(why))) {
		json_t *out = rt_intent_to_json(i);

		assert(!rt_intent_from_json(out, &again, why, sizeof(why)));
		rt_intent_free(again);
		json_decref(out);
		rt_intent_free(i);
	}
	if (!rt_peer_from_json(js, &p, why, sizeof(why)))
		rt_peer_fini(&p);
	json_decref(js);
	return 0;
}
