/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/selector.h"

#include <string.h>

#include "lib/text.h"

static struct ike_ts whole(uint8_t family)
{
	struct ike_ts ts = {
		.family = family,
		.port_hi = UINT16_MAX,
		.lo = {.family = family},
		.hi = {.family = family},
	};

	memset(ts.hi.b, 0xff, addr_size(family));
	return ts;
}

void ike_selector_all(struct ike_ts_list *list, bool family4, bool family6)
{
	list->n = 0;
	if (family4)
		list->ts[list->n++] = whole(AF_INET);
	if (family6)
		list->ts[list->n++] = whole(AF_INET6);
}

bool ike_selector_covers(const struct ike_ts_list *list, uint8_t family)
{
	struct ike_ts all = whole(family);

	for (size_t i = 0; i < list->n; i++) {
		const struct ike_ts *ts = &list->ts[i];

		if (ts->family == family && ts->protocol == 0 && ts->port_lo == 0 &&
		    ts->port_hi == UINT16_MAX && addr_equal(&ts->lo, &all.lo) &&
		    addr_equal(&ts->hi, &all.hi))
			return true;
	}
	return false;
}

void ike_selector_format(const struct ike_ts_list *list, char *buf, size_t cap)
{
	struct text t = text_init(buf, cap);

	for (size_t i = 0; i < list->n; i++) {
		const struct ike_ts *ts = &list->ts[i];
		char lo[ADDR_STRLEN];
		char hi[ADDR_STRLEN];

		text_add(&t, "%s%s-%s", i ? ", " : "", addr_format(&ts->lo, lo),
			 addr_format(&ts->hi, hi));
		if (ts->protocol)
			text_add(&t, " protocol %u", ts->protocol);
		if (ts->port_lo || ts->port_hi != UINT16_MAX)
			text_add(&t, " ports %u-%u", ts->port_lo, ts->port_hi);
	}
	if (!list->n)
		text_add(&t, "none");
}
