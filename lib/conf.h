/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf - walks a configuration file by a schema and fills plain structs
 *
 * A schema is a table with one row a setting. The walk reports every mistake
 * with its place: unknown settings ("did you mean"), wrong types, units and
 * ranges, lists and blocks in the wrong place, missing settings. It remembers
 * where each value stands, so that checks made later on the structs can name
 * the place by the value's address.
 *
 * The same rows print values as one writes them, copy, compare and free them,
 * and make the manual page. Nothing here knows any one setting.
 *
 * A struct filled by a schema must be zeroed before, and is freed by
 * conf_free_value(). A list is a pointer and a count (struct conf_list's layout).
 */
#ifndef ED_LIB_CONF_H
#define ED_LIB_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/conf_yaml.h"

struct conf;
struct conf_row;
struct conf_schema;
struct text;

struct conf_list {
	void *v;
	size_t n;
};

/* A word that stands for a number. */
struct conf_word {
	const char *word;
	uint64_t value;
};

/*
 * A kind of value that one scalar holds.
 *
 * parse writes to dest (zeroed, size bytes), or returns false with why set to
 * the rest of the sentence "'100mb' ...". Numbers are compared with the row's
 * limits by the walk.
 */
struct conf_kind {
	const char *name; /* for the manual: "duration" */
	const char *form; /* how one writes it: "150ms, 10s, 5min or 8h" */
	const char *pattern; /* the same as a regular expression of ECMA 262 */
	bool bare; /* a text that may look like a number */
	size_t size;
	bool number; /* a uint64_t or int64_t, with limits */
	bool string; /* a char * of its own */
	bool (*parse)(const struct conf_row *row, const char *text, void *dest,
		      struct text *why);
	void (*format)(const struct conf_row *row, const void *v, struct text *t);
};

enum conf_shape {
	CONF_ONE = 1, /* one value */
	CONF_LIST, /* [a, b]; a single value is a list of one */
	CONF_SECTION, /* a block of settings, part of the same struct */
	CONF_MAP, /* a block of names, each with a block of settings */
	CONF_ITEMS, /* a list of blocks; a single block is a list of one */
};

enum conf_flags {
	CONF_REQUIRED = 1, /* must be in the file */
	CONF_IDLE = 2, /* known, but without effect yet: a warning */
	CONF_LATER = 4, /* known and refused: comes with a later version */
	CONF_OFF = 8, /* a number that may be `off`, which is 0 */
	CONF_INTERNAL = 16, /* not in the file and not in the manual */
	CONF_SECRET =
		32, /* with CONF_LATER: the line is not shown, it holds a secret */
};

/* One setting. Unused members are zero. */
struct conf_row {
	const char *name;
	enum conf_shape shape;
	const struct conf_kind *kind; /* of CONF_ONE and CONF_LIST */
	const struct conf_schema *sub; /* of the others */
	size_t offset; /* in the struct */
	const char *fallback; /* the default as one writes it, NULL: none */
	const char *otherwise; /* for the manual: what holds without it and a default */
	uint64_t min; /* of a number; both 0: no limits */
	uint64_t max;
	size_t most; /* elements of a list, objects of a map; 0: one for a value */
	const struct conf_word *words; /* ends with a row of word NULL */
	unsigned int flags;
	int cost; /* of a change; the caller's enum */
	const char *alias; /* names people write for it, blank between them */
	const char *example; /* for the manual and for messages */
	const char *help; /* one sentence, or a few */
};

struct conf_schema {
	const char *what; /* what one object is called: "uplink"; "" at the top */
	const struct conf_row *rows; /* ends with a row of name NULL */
	size_t size; /* of the struct of one object, for maps and items */
	size_t name_offset; /* of the char * for its name, for maps */
	bool (*name_ok)(const char *name, char *why, size_t size);
	const char *help;
};

/* Numbers are int64_t or uint64_t; words and booleans too unless said otherwise. */
extern const struct conf_kind conf_kind_bool; /* bool: yes, no, true, false, on, off */
extern const struct conf_kind conf_kind_uint;
extern const struct conf_kind conf_kind_duration; /* microseconds */
extern const struct conf_kind conf_kind_rate; /* bits per second */
extern const struct conf_kind conf_kind_bytes;
extern const struct conf_kind conf_kind_percent; /* parts per million */
extern const struct conf_kind conf_kind_word; /* one of row->words */
extern const struct conf_kind conf_kind_text; /* char *: printable, not empty */
extern const struct conf_kind conf_kind_path; /* char *: absolute */
extern const struct conf_kind conf_kind_ifname; /* char *: network interface */
extern const struct conf_kind conf_kind_addr; /* struct addr: unicast */
extern const struct conf_kind conf_kind_host; /* char *: IP address or DNS name */
extern const struct conf_kind conf_kind_prefix; /* struct prefix: 10.0.0.0/8 */
extern const struct conf_kind conf_kind_ifaddr; /* struct prefix with host bits */
extern const struct conf_kind conf_kind_listen; /* char *: 10.0.0.1:443 */

/*
 * Begin on a parsed file. doc must outlive the walk; so must the structs whose
 * addresses conf_error() gets. Free with conf_free().
 */
struct conf *conf_new(struct conf_doc *doc);
void conf_free(struct conf *c);

/* Fill dest by schema from the whole file, then the defaults of what is missing. */
void conf_walk(struct conf *c, const struct conf_schema *schema, void *dest);

/*
 * The node a value was read from, by the address of the value in the struct
 * (for lists also of each element, for objects of the object: the name's place);
 * NULL when the file does not hold it.
 */
const struct conf_node *conf_place(const struct conf *c, const void *value);

/* True when the object's settings were no block: it was reported, nothing is known. */
bool conf_hollow(const struct conf *c, const void *object);

/* The value at `to` (an address) stands where `from` stands. */
void conf_place_copy(struct conf *c, const void *to, const void *from);

/* The value at `from` is now at `to`, and nothing is at `from` any more. */
void conf_place_move(struct conf *c, const void *to, const void *from);

/* Report about a value of the struct; about the file as a whole if it is not in it. */
void conf_error(struct conf *c, const void *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void conf_warn(struct conf *c, const void *value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* True when the file has no syntax error: what is missing is really missing. */
bool conf_whole(const struct conf *c);

/* Give dest what row's default says. */
void conf_default(const struct conf_row *row, void *base);

/* Free the values of the struct at base, as schema describes it, and zero it. */
void conf_free_value(const struct conf_schema *schema, void *base);

/* Make to's value of row a copy of from's; bases are the structs. */
void conf_copy(const struct conf_row *row, void *to, const void *from);

/* True when both structs say the same for row; of maps by name, whatever the order. */
bool conf_equal(const struct conf_row *row, const void *a, const void *b);

/* Print row's value (CONF_ONE, CONF_LIST) as one writes it; nothing if unset. */
void conf_format(const struct conf_row *row, const void *base, struct text *t);

/* The row of this name, NULL when there is none. */
const struct conf_row *conf_row(const struct conf_schema *schema, const char *name);

/* The word of a value, "?" when there is none. */
const char *conf_word(const struct conf_word *words, uint64_t value);

/*
 * How alike two names are, for "did you mean": text_distance(), but two letters
 * swapped count as one change. conf_near() says whether that is near enough.
 */
unsigned int conf_distance(const char *a, const char *b);
bool conf_near(const char *name, unsigned int distance);

/* Quote text for a message: safe, cut where it is long. Returns buf. */
char *conf_quote(const char *text, char *buf, size_t size);

#endif
