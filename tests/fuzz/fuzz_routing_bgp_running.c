/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bgpd's running configuration, whatever stands in it, and the way from there. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "routing/bgp/render.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rt_running *r = rt_running_parse((const char *)data, size);
	struct rt_intent *i = rt_intent_new("/x");
	char why[256];
	char *text;

	if (!rt_bgp_render(&i->bgp, r, &text, why, sizeof(why)))
		free(text);
	i->bgp.asn = 65042;
	(void)addr_parse("10.42.0.1", &i->bgp.router_id);
	if (!rt_bgp_render(&i->bgp, r, &text, why, sizeof(why)))
		free(text);
	rt_intent_free(i);
	rt_running_free(r);
	return 0;
}
