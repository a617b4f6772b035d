/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/delay.h"

#include <stdlib.h>

#include "lib/alloc.h"

struct row {
	struct prefix key;
	unsigned int failures; /* 0: the row is free */
	struct mono last;
	struct mono until;
};

struct delay {
	struct row rows[DELAY_ADDRESSES];
};

struct delay *delay_new(void)
{
	return ed_alloc(sizeof(struct delay));
}

void delay_free(struct delay *d)
{
	free(d);
}

static struct prefix key_of(const struct addr *a)
{
	return prefix_of(a, a->family == AF_INET6 ? 64 : 32);
}

bool delay_same(const struct addr *a, const struct addr *b)
{
	struct prefix x = key_of(a);
	struct prefix y = key_of(b);

	return prefix_equal(&x, &y);
}

static struct row *find(struct delay *d, const struct addr *a)
{
	struct prefix key = key_of(a);

	for (size_t i = 0; i < DELAY_ADDRESSES; i++)
		if (d->rows[i].failures && prefix_equal(&d->rows[i].key, &key))
			return &d->rows[i];
	return NULL;
}

static bool is_old(const struct row *r, struct mono now)
{
	return mono_due(mono_add_ms(mono_max(r->last, r->until),
				    DELAY_FORGET_S * INT64_C(1000)),
			now);
}

int64_t delay_left_ms(struct delay *d, const struct addr *a, struct mono now)
{
	const struct row *r = find(d, a);

	if (!r || mono_due(r->until, now))
		return 0;
	return mono_diff_ms(r->until, now) + 1;
}

static struct row *add(struct delay *d, const struct addr *a)
{
	struct row *pick = &d->rows[0];

	for (size_t i = 0; i < DELAY_ADDRESSES; i++) {
		struct row *r = &d->rows[i];

		if (!r->failures) {
			pick = r;
			break;
		}
		if (mono_before(r->last, pick->last))
			pick = r;
	}
	*pick = (struct row){.key = key_of(a)};
	return pick;
}

void delay_failed(struct delay *d, const struct addr *a, struct mono now)
{
	struct row *r = find(d, a);
	int64_t wait_s = 1;

	if (r && is_old(r, now))
		*r = (struct row){.key = r->key};
	if (!r)
		r = add(d, a);
	r->failures++;
	r->last = now;
	if (r->failures < DELAY_FREE)
		return;
	for (unsigned int i = DELAY_FREE; i < r->failures && wait_s < DELAY_MAX_S; i++)
		wait_s *= 2;
	if (wait_s > DELAY_MAX_S)
		wait_s = DELAY_MAX_S;
	r->until = mono_add_ms(now, wait_s * 1000);
}

void delay_passed(struct delay *d, const struct addr *a)
{
	struct row *r = find(d, a);

	if (r)
		*r = (struct row){0};
}
