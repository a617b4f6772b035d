/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/rpc_json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "edged/control.h"
#include "edged/events.h"
#include "lib/text.h"

json_t *rpc_json_text(const char *text)
{
	char buf[4 * EVENT_TEXT_MAX + 1];
	struct text t = text_init(buf, sizeof(buf));
	size_t len;
	json_t *js;

	if (!text)
		return json_null();
	len = strnlen(text, EVENT_TEXT_MAX);
	js = json_stringn(text, len);
	/* Cut in the middle of a character: at most three bytes belong to it. */
	for (int i = 0; !js && i < 3 && text[len] && len > 0; i++)
		js = json_stringn(text, --len);
	if (js)
		return js;
	text_escape(&t, text, strnlen(text, EVENT_TEXT_MAX));
	return json_string(buf);
}

json_t *rpc_json_lines(const char *text)
{
	json_t *js = text ? json_string(text) : json_null();

	/* Reports are escaped when they are made: this does not happen. */
	return js ? js : json_string("the messages are not UTF-8");
}

json_t *rpc_json_number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

json_t *rpc_json_ms(int64_t us)
{
	return json_real((double)us / 1000.0);
}

json_t *rpc_json_pct(uint32_t ppm)
{
	return json_real((double)ppm / 10000.0);
}

json_t *rpc_json_addr(const struct addr *a)
{
	char buf[ADDR_STRLEN];

	return a->family ? json_string(addr_format(a, buf)) : json_null();
}

json_t *rpc_json_endpoint(const struct endpoint *e)
{
	char buf[ENDPOINT_STRLEN];

	return e->addr.family ? json_string(endpoint_format(e, buf)) : json_null();
}

json_t *rpc_json_prefix(const struct prefix *p)
{
	char buf[PREFIX_STRLEN];

	return p->addr.family ? json_string(prefix_format(p, buf)) : json_null();
}

json_t *rpc_json_since(struct mono t)
{
	struct timespec ts;
	int64_t wall_ms;

	if (t.us == 0 || mono_is_never(t))
		return json_null();
	clock_gettime(CLOCK_REALTIME, &ts);
	wall_ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	return json_real((double)(wall_ms - mono_diff_ms(mono_now(), t)) / 1000.0);
}

json_t *rpc_json_answer(const char *key, json_t *list)
{
	return json_pack("{s:i, s:o}", "schema", CONTROL_SCHEMA, key, list);
}
