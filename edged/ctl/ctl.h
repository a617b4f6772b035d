/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctl - what the files of edgectl share
 *
 *	main.c		options, the command's row, exit status
 *	commands.c	the table of commands and what each does
 *	client.c	one question to the daemon and its answer
 *	columns.c	answers as tables, by tables of columns
 *	watch.c		the live view, and following events
 *	show.c		text for people: escaping, times, numbers
 *
 * Answers go to stdout, everything else to stderr. Programs get by --json what
 * the daemon sent, as it sent it.
 */
#ifndef ED_EDGED_CTL_CTL_H
#define ED_EDGED_CTL_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/mono.h"

struct loop;
struct rpc_client;

/* The exit status, documented in edgectl(1). */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_FAILED = 1,
	CTL_USAGE = 2,
	CTL_NO_DAEMON = 3,
	CTL_REFUSED = 4, /* the configuration has mistakes */
};

enum { CTL_WAIT_S = 5, CTL_JSON_FLAGS = JSON_REAL_PRECISION(16) | JSON_PRESERVE_ORDER };

/* Where text for people goes. */
struct ctl_out {
	FILE *fp;
	bool color;
	bool utc;
	unsigned int width; /* of the terminal; 0: it is none */
	unsigned int height;
};

struct ctl_options {
	const char *run;
	const char *config;
	const char *state;
	const char *dscp;
	const char *since;
	const char *kind;
	const char *limit;
	bool json;
	bool follow;
	bool wait_given;
	unsigned int wait_s;
	unsigned int given; /* bits of enum ctl_option */
};

/* Options that not every command takes. */
enum ctl_option {
	CTL_OPT_DSCP = 1,
	CTL_OPT_SINCE = 2,
	CTL_OPT_FOLLOW = 4,
	CTL_OPT_KIND = 8,
	CTL_OPT_LIMIT = 16,
};

struct ctl {
	struct ctl_options opt;
	struct ctl_out out;
	struct loop *loop;
	struct rpc_client *client;
	void (*notify)(struct ctl *c, const char *method, const json_t *params);
	bool lost; /* the connection ended */
};

struct ctl_command {
	const char *name;
	const char *args; /* as in the help */
	int min_args;
	int max_args;
	unsigned int options; /* it takes */
	enum ctl_exit (*run)(struct ctl *c, const struct ctl_command *cmd, char **args,
			     int n);
	const char *help;
};

/* The table, ended by a row without a name. */
extern const struct ctl_command ctl_commands[];

/* --- client.c ------------------------------------------------------------------- */

/*
 * Ask the daemon. Connects at the first call. On failure the reason has been
 * printed. Takes over the reference of params (may be NULL).
 *
 * Returns CTL_DONE with a new reference in *ret, or how to exit.
 */
enum ctl_exit ctl_call(struct ctl *c, const char *method, json_t *params, json_t **ret);

/* Run the loop until ctl_stop(), or until the connection ends. */
void ctl_run(struct ctl *c);
void ctl_stop(struct ctl *c);

/* Give the loop ms milliseconds. */
void ctl_pause(struct ctl *c, unsigned int ms);

void ctl_close(struct ctl *c);

/* "edgectl: ..." on stderr. */
void ctl_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* --- columns.c ------------------------------------------------------------------- */

/* The table of a list by the name of its command; nothing for an empty list. */
void ctl_print_table(const struct ctl_out *out, const char *name, const json_t *list);

/* One row with all its fields, one a line. */
void ctl_print_details(const struct ctl_out *out, const json_t *row);

/* The one screen of "edgectl status". */
void ctl_print_status(const struct ctl_out *out, const json_t *status);

/* Answers that are not one table. */
void ctl_print_classes(const struct ctl_out *out, const json_t *answer);
void ctl_print_routes(const struct ctl_out *out, const json_t *answer);
void ctl_print_ike(const struct ctl_out *out, const json_t *answer);
void ctl_print_why(const struct ctl_out *out, const json_t *answer);
void ctl_print_apply(const struct ctl_out *out, const json_t *answer);
void ctl_print_event(const struct ctl_out *out, const json_t *event);

/* --- watch.c --------------------------------------------------------------------- */

enum ctl_exit ctl_watch(struct ctl *c);
enum ctl_exit ctl_follow(struct ctl *c, json_t *params);

/* --- show.c ----------------------------------------------------------------------- */

/*
 * Copy text for a terminal: control characters, invalid UTF-8 and marks that
 * turn the writing direction become \xNN.
 */
void ctl_escape(char *buf, size_t cap, const char *text);

/* Print a text of several lines, each escaped. */
void ctl_print_lines(FILE *fp, const char *text);

/* "14:02:11", with the day when it was another one. */
void ctl_time(const struct ctl_out *out, char *buf, size_t cap, double epoch_s);

/* "6 min", "3 h 5 min", "12 d 4 h". */
void ctl_span(char *buf, size_t cap, double seconds);

/*
 * "1h", "30m", "2d", seconds since the epoch, or "2026-11-25[ 14:02[:11]]".
 *
 * Returns seconds since the epoch, or -1.
 */
int64_t ctl_since(const char *text, int64_t now_s, bool utc);

enum ctl_tone { CTL_PLAIN, CTL_GOOD, CTL_WARN, CTL_BAD, CTL_DIM };

/* How a state word is coloured; the word itself always stands there too. */
enum ctl_tone ctl_tone_of(const char *state);
const char *ctl_tone_on(const struct ctl_out *out, enum ctl_tone tone);
const char *ctl_tone_off(const struct ctl_out *out, enum ctl_tone tone);

/* What of fp is a terminal, its width, NO_COLOR, TERM; mode: always, never, auto. */
bool ctl_out_init(struct ctl_out *out, FILE *fp, const char *mode);

/* Ask the terminal for its size again. */
void ctl_out_size(struct ctl_out *out);

/* Flush. A reader that has gone is fine, a full disk is said and is CTL_FAILED. */
enum ctl_exit ctl_out_finish(const struct ctl_out *out, enum ctl_exit status);

#endif
