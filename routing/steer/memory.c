/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/steer/memory.h"

#include <errno.h>
#include <string.h>

#include "lib/text.h"
#include "routing/steer/damping.h"
#include "routing/steer/plan.h"

enum { WORDS = 4, DIGITS_MAX = 9 };

struct word {
	const char *p;
	size_t len;
};

bool steer_memory_is(const char *p, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(p, name, len) == 0;
}

/* Split [p, end) at single blanks. Returns the number of words, WORDS + 1: more. */
static unsigned int split(const char *p, const char *end, struct word w[WORDS])
{
	unsigned int n = 0;

	/* Ends: each round moves p behind a blank or to the end. */
	while (p < end) {
		const char *blank = memchr(p, ' ', (size_t)(end - p));
		const char *stop = blank ? blank : end;

		if (n == WORDS)
			return WORDS + 1;
		w[n++] = (struct word){p, (size_t)(stop - p)};
		if (!blank)
			break;
		p = blank + 1;
	}
	return n;
}

static bool number(struct word w, uint32_t max, uint32_t *ret)
{
	uint32_t v = 0;

	if (w.len == 0 || w.len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < w.len; i++) {
		if (w.p[i] < '0' || w.p[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(w.p[i] - '0');
	}
	*ret = v;
	return v <= max;
}

static bool parse(const char *line, const char *end, struct steer_memory *m)
{
	struct word w[WORDS];
	struct word cls;
	struct word path;
	bool member;

	if (split(line, end, w) != WORDS)
		return false;
	member = steer_memory_is(w[0].p, w[0].len, "member");
	if (!member && !steer_memory_is(w[0].p, w[0].len, "penalty"))
		return false;
	cls = w[member ? 1 : 2];
	path = w[member ? 2 : 1];
	if (!cls.len || cls.len >= STEER_NAME_MAX || !path.len ||
	    path.len >= STEER_PATH_NAME_MAX)
		return false;
	if (!number(w[3], member ? STEER_WEIGHT_MAX : STEER_PENALTY_MAX, &m->number) ||
	    (member && !m->number))
		return false;
	m->kind = member ? STEER_MEMORY_MEMBER : STEER_MEMORY_PENALTY;
	m->class_name = cls.p;
	m->class_len = cls.len;
	m->path = path.p;
	m->path_len = path.len;
	return true;
}

int steer_memory_next(const char **pos, const char *end, struct steer_memory *out)
{
	/* Ends: each round moves pos behind a line feed or to the end. */
	while (*pos < end) {
		const char *line = *pos;
		const char *feed = memchr(line, '\n', (size_t)(end - line));
		const char *stop = feed ? feed : end;

		*pos = feed ? feed + 1 : end;
		if (stop == line)
			continue;
		/* The last line of a file that was cut off may be half a number. */
		return feed && parse(line, stop, out) ? 1 : -EBADMSG;
	}
	return 0;
}

void steer_memory_member(struct text *out, const char *class_name, const char *path,
			 uint8_t weight)
{
	text_add(out, "member %s %s %u\n", class_name, path, weight);
}

void steer_memory_penalty(struct text *out, const char *path, const char *class_name,
			  uint32_t penalty)
{
	text_add(out, "penalty %s %s %u\n", path, class_name, penalty);
}
