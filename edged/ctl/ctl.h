/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ctl - what the files of edgectl share
 *
 *	main.c		the command's row, exit status
 *	options.c	the table of options
 *	commands.c	the table of commands and what the short ones do
 *	complete.c	what could come next on a command line, for the shell
 *	import.c	"import": aws.c reads, splice.c and files.c write
 *	init.c		"init": the first configuration
 *	health.c	"health": one line and a status for monitoring systems
 *	history.c	"history": a path's past as sparklines
 *	jsonschema.c	"schema": the settings for editors
 *	answer.c	what a person types
 *	web.c		"web": users and tokens of the dashboard
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
	CTL_REFUSED = 4, /* the configuration, or the file to read, has mistakes */
};

/* The exit status of "health", as monitoring plug-ins have it. */
enum ctl_health { CTL_OK = 0, CTL_WARNING = 1, CTL_CRITICAL = 2, CTL_UNKNOWN = 3 };

enum { CTL_WAIT_S = 5, CTL_JSON_FLAGS = JSON_REAL_PRECISION(16) | JSON_PRESERVE_ORDER };

/* Where text for people goes. */
struct ctl_out {
	FILE *fp;
	bool color;
	bool utc;
	unsigned int width; /* of the terminal; 0: it is none */
	unsigned int height;
};

/* What the options said; NULL and false where they were not given. */
struct ctl_options {
	const char *run;
	const char *config;
	const char *state;
	const char *wait;
	const char *color;
	const char *dscp;
	const char *since;
	const char *kind;
	const char *limit;
	const char *name;
	const char *via;
	const char *networks;
	const char *connection;
	const char *uplinks;
	const char *lan;
	const char *peer;
	const char *inside;
	const char *role;
	bool json;
	bool utc;
	bool follow;
	bool write;
	bool apply;
	bool show_secrets;
	bool help;
	bool version;
	bool wait_given;
	unsigned int wait_s;
	unsigned int given; /* bits of enum ctl_option */
};

/* Options that not every command takes. */
enum ctl_option {
	CTL_OPT_DSCP = 1 << 0,
	CTL_OPT_SINCE = 1 << 1,
	CTL_OPT_FOLLOW = 1 << 2,
	CTL_OPT_KIND = 1 << 3,
	CTL_OPT_LIMIT = 1 << 4,
	CTL_OPT_NAME = 1 << 5,
	CTL_OPT_VIA = 1 << 6,
	CTL_OPT_NETWORKS = 1 << 7,
	CTL_OPT_CONNECTION = 1 << 8,
	CTL_OPT_WRITE = 1 << 9,
	CTL_OPT_APPLY = 1 << 10,
	CTL_OPT_SHOW_SECRETS = 1 << 11,
	CTL_OPT_UPLINKS = 1 << 12,
	CTL_OPT_LAN = 1 << 13,
	CTL_OPT_PEER = 1 << 14,
	CTL_OPT_INSIDE = 1 << 15,
	CTL_OPT_ROLE = 1 << 16,
};

/* One option. */
struct ctl_option_row {
	const char *name; /* without its dashes */
	char letter; /* 0: none */
	const char *arg; /* as in the help; NULL: it takes none */
	unsigned int bit; /* of enum ctl_option; 0: every command takes it */
	size_t offset; /* in struct ctl_options: a const char *, or a bool */
	const char *values; /* for completion, as in struct ctl_command */
	const char *help;
};

/* The table, ended by a row without a name. */
extern const struct ctl_option_row ctl_option_rows[];

struct ctl {
	struct ctl_options opt;
	struct ctl_out out;
	struct loop *loop;
	struct rpc_client *client;
	void (*notify)(struct ctl *c, const char *method, const json_t *params);
	bool lost; /* the connection ended */
};

struct ctl_command {
	const char *name; /* one word or two */
	const char *args; /* as in the help */
	const char
		*values; /* for completion: a word an argument, "up|down", "@peers" */
	int min_args;
	int max_args;
	unsigned int options; /* it takes */
	enum ctl_exit (*run)(struct ctl *c, const struct ctl_command *cmd, char **args,
			     int n);
	const char *help;
};

/* The table, ended by a row without a name. */
extern const struct ctl_command ctl_commands[];

/* --- options.c ------------------------------------------------------------------ */

/* Read the options; *ret_first is the first argument. False after saying what is wrong. */
bool ctl_options_parse(int argc, char **argv, struct ctl_options *ret, int *ret_first);

/* The command that the n words mean, and how many of them name it; NULL: none. */
const struct ctl_command *ctl_command_find(char *const *words, int n, int *ret_used);

/* Whether cmd is made of word and another one: "import aws" of import. */
bool ctl_command_below(const struct ctl_command *cmd, const char *word);

/* Say that the n words are no command, and which one is meant. */
void ctl_command_unknown(char *const *words, int n);

/* --- commands.c ------------------------------------------------------------------ */

void ctl_print_json(struct ctl *c, const json_t *v);

/* "edgectl apply", and waiting for the tunnels to peer that come up after since. */
enum ctl_exit ctl_apply(struct ctl *c);
enum ctl_exit ctl_wait_peer(struct ctl *c, const char *peer, double since);

/* The time of --since, seconds since the epoch; -1 after saying what is wrong. */
int64_t ctl_since_option(const struct ctl *c, const char *fallback);

/* --- one file each ---------------------------------------------------------------- */

enum ctl_exit ctl_import_aws(struct ctl *c, const struct ctl_command *cmd, char **args,
			     int n);
enum ctl_exit ctl_init(struct ctl *c, const struct ctl_command *cmd, char **args,
		       int n);
enum ctl_exit ctl_complete(struct ctl *c, const struct ctl_command *cmd, char **args,
			   int n);
enum ctl_exit ctl_schema(struct ctl *c, const struct ctl_command *cmd, char **args,
			 int n);
enum ctl_exit ctl_health(struct ctl *c, const struct ctl_command *cmd, char **args,
			 int n);
enum ctl_exit ctl_history(struct ctl *c, const struct ctl_command *cmd, char **args,
			  int n);

enum ctl_exit ctl_web(struct ctl *c, const struct ctl_command *cmd, char **args, int n);
enum ctl_exit ctl_web_password(struct ctl *c, const struct ctl_command *cmd,
			       char **args, int n);
enum ctl_exit ctl_web_user(struct ctl *c, const struct ctl_command *cmd, char **args,
			   int n);
enum ctl_exit ctl_web_token(struct ctl *c, const struct ctl_command *cmd, char **args,
			    int n);

/* The users of the dashboard, or its tokens. */
void ctl_web_names(struct ctl *c, bool tokens, void (*fn)(void *ctx, const char *name),
		   void *ctx);

/* --- answer.c --------------------------------------------------------------------- */

/* One line of standard input without its break, cut to size; false: there is none. */
bool ctl_read_line(char *buf, size_t size);

/* The same, asked for and not shown where a terminal is. */
bool ctl_read_hidden(const char *prompt, char *buf, size_t size);

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

/* Say nothing from now on; where the last message went is *ret (NULL: nowhere). */
void ctl_quiet(char *ret, size_t size);

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
