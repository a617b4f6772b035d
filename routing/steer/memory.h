/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * steer_memory - the lines of text in which steering survives a restart
 *
 *	member CLASS PATH WEIGHT	carried the class
 *	penalty PATH CLASS NUMBER	flap penalty
 *
 * Names hold no blanks (configuration refuses them). Anything else, comments and
 * lines of later versions included, is no line: the reader skips it.
 */
#ifndef ED_ROUTING_STEER_MEMORY_H
#define ED_ROUTING_STEER_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

enum steer_memory_kind { STEER_MEMORY_MEMBER = 1, STEER_MEMORY_PENALTY };

/* One line, as a view into the text it came from. */
struct steer_memory {
	enum steer_memory_kind kind;
	const char *class_name;
	size_t class_len;
	const char *path;
	size_t path_len;
	uint32_t number; /* weight 1 to 255, or penalty */
};

/*
 * The next line from *pos, which moves behind it. Returns 1 with *out, 0 at the
 * end, or -EBADMSG for a line that is none (blank ones are passed over).
 */
int steer_memory_next(const char **pos, const char *end, struct steer_memory *out);

/* True when the len bytes at p are name. */
bool steer_memory_is(const char *p, size_t len, const char *name);

/* Append a line. */
void steer_memory_member(struct text *out, const char *class_name, const char *path,
			 uint8_t weight);
void steer_memory_penalty(struct text *out, const char *path, const char *class_name,
			  uint32_t penalty);

#endif
