/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decisions as people read them. */
#include "routing/steer/plan.h"

#include "lib/text.h"

const char *steer_reason_name(enum steer_reason r)
{
	switch (r) {
	case STEER_WHY_FIRST:
		return "first";
	case STEER_WHY_DOWN:
		return "down";
	case STEER_WHY_SLA:
		return "sla";
	case STEER_WHY_BACK:
		return "back";
	case STEER_WHY_LEAST_BAD:
		return "least-bad";
	case STEER_WHY_OPERATOR:
		return "operator";
	case STEER_WHY_CONFIG:
		return "config";
	case STEER_WHY_WEIGHTS:
		return "weights";
	case STEER_WHY_SIGN:
		return "sign-of-life";
	}
	return "invalid";
}

static void ppm(struct text *out, uint32_t v)
{
	text_add(out, "%u.%u %%", v / 10000, v / 1000 % 10);
}

static void evidence(struct text *out, const struct steer_decision *d)
{
	const struct steer_evidence *e = &d->evidence;

	text_add(out, "%s of %s ", steer_metric_name(e->metric), d->subject);
	if (e->metric == STEER_LOSS) {
		ppm(out, e->value);
		text_add(out, " (%u of %u)", e->lost, e->judged);
		text_add(out, ", limit ");
		ppm(out, e->limit);
		return;
	}
	text_us(out, e->value);
	text_add(out, ", limit ");
	text_us(out, e->limit);
}

static void because(struct text *out, const struct steer_decision *d)
{
	switch (d->reason) {
	case STEER_WHY_FIRST:
		text_add(out, "first choice");
		break;
	case STEER_WHY_DOWN:
		text_add(out, "%s is down", d->subject);
		break;
	case STEER_WHY_SLA:
		if (d->evidence.metric)
			evidence(out, d);
		else
			text_add(out, "%s is held back", d->subject);
		break;
	case STEER_WHY_BACK:
		text_add(out, "%s keeps the promise again", d->subject);
		break;
	case STEER_WHY_LEAST_BAD:
		text_add(out, "no path keeps the promise, this is the least bad");
		if (d->evidence.metric) {
			text_add(out, ", ");
			evidence(out, d);
		}
		break;
	case STEER_WHY_OPERATOR:
		text_add(out, "by order of the operator");
		break;
	case STEER_WHY_CONFIG:
		text_add(out, "better placed");
		break;
	case STEER_WHY_WEIGHTS:
		text_add(out, "bandwidths changed");
		break;
	case STEER_WHY_SIGN:
		text_add(out, "all were silent, %s shows a sign of life", d->subject);
		break;
	}
}

void steer_decision_text(const struct steer_decision *d, struct text *out)
{
	if (!d->from[0])
		text_add(out, "%s takes %s: ", d->class_name, d->to);
	else if (!d->to[0])
		text_add(out, "%s leaves %s: ", d->class_name, d->from);
	else
		text_add(out, "%s moves from %s to %s: ", d->class_name, d->from,
			 d->to);
	because(out, d);
}
