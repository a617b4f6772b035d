/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the last of the words could become, one candidate a line: the shell's
 * completion asks this, so that it knows what the tables know. Names come from
 * the daemon, which gets a second to answer; without it there are none.
 *
 * "@file" and "@dir" mean that the shell completes a file or a folder.
 */
#include <stdlib.h>
#include <string.h>

#include "edged/ctl/ctl.h"
#include "lib/alloc.h"

enum { ANSWER_S = 1 };

struct completion {
	struct ctl *c;
	const char *word; /* the beginning of what is wanted */
};

static void offer(const struct completion *k, const char *word)
{
	if (strncmp(word, k->word, strlen(k->word)) == 0)
		fprintf(k->c->out.fp, "%s\n", word);
}

/* Names of a list of the daemon: "uplinks", "peers", "paths", "classes", "routes". */
static void offer_names(const struct completion *k, const char *list)
{
	const char *key = strcmp(list, "routes") == 0 ? "prefix" : "name";
	char *method = ed_asprintf("%s.list", list);
	json_t *answer;
	const json_t *row;
	size_t i;

	k->c->opt.wait_s = ANSWER_S;
	if (ctl_call(k->c, method, NULL, &answer) == CTL_DONE) {
		json_array_foreach (json_object_get(answer, list), i, row) {
			const char *name = json_string_value(json_object_get(row, key));

			if (name)
				offer(k, name);
		}
		json_decref(answer);
	}
	free(method);
}

static void on_name(void *ctx, const char *name)
{
	offer(ctx, name);
}

/* The first words of the commands, or the second ones behind first. */
static void offer_commands(const struct completion *k, const char *first)
{
	const char *last = "";
	size_t last_len = 0;

	for (const struct ctl_command *row = ctl_commands; row->name; row++) {
		size_t len = strcspn(row->name, " ");
		char *word;

		if (first) {
			if (row->name[len] && strncmp(row->name, first, len) == 0 &&
			    !first[len])
				offer(k, row->name + len + 1);
			continue;
		}
		/* Rows of the same first word stand together. */
		if (len == last_len && strncmp(row->name, last, len) == 0)
			continue;
		last = row->name;
		last_len = len;
		word = ed_strndup(row->name, len);
		offer(k, word);
		free(word);
	}
}

/* One argument: "up|down", "@paths|@peers". */
static void offer_values(const struct completion *k, const char *values, size_t len)
{
	/* Ends: each round takes an alternative. */
	while (len > 0) {
		size_t n = strcspn(values, "| ");
		char *one;

		if (n > len)
			n = len;
		one = ed_strndup(values, n);
		if (strcmp(one, "@file") == 0 || strcmp(one, "@dir") == 0)
			fprintf(k->c->out.fp, "%s\n", one);
		else if (strcmp(one, "@commands") == 0)
			offer_commands(k, NULL);
		else if (strcmp(one, "@users") == 0 || strcmp(one, "@tokens") == 0)
			ctl_web_names(k->c, one[1] == 't', on_name,
				      (void *)(uintptr_t)k);
		else if (*one == '@')
			offer_names(k, one + 1);
		else
			offer(k, one);
		free(one);
		if (n < len)
			n++;
		values += n;
		len -= n;
	}
}

static void offer_argument(const struct completion *k, const struct ctl_command *cmd,
			   int at)
{
	const char *values = cmd->values;

	for (; at > 0 && *values; at--) {
		values += strcspn(values, " ");
		values += *values == ' ';
	}
	offer_values(k, values, strcspn(values, " "));
}

static void offer_options(const struct completion *k, const struct ctl_command *cmd)
{
	for (const struct ctl_option_row *r = ctl_option_rows; r->name; r++) {
		char *word;

		if (r->bit && cmd && !(r->bit & cmd->options))
			continue;
		word = ed_asprintf("--%s", r->name);
		offer(k, word);
		free(word);
	}
}

/* The option that the word is, NULL when it is none. */
static const struct ctl_option_row *option_of(const char *word)
{
	for (const struct ctl_option_row *r = ctl_option_rows; r->name; r++)
		if ((strncmp(word, "--", 2) == 0 && strcmp(word + 2, r->name) == 0) ||
		    (r->letter && word[0] == '-' && word[1] == r->letter && !word[2]))
			return r;
	return NULL;
}

enum ctl_exit ctl_complete(struct ctl *c, const struct ctl_command *self, char **args,
			   int n)
{
	struct completion k = {.c = c, .word = n > 0 ? args[n - 1] : ""};
	char **words = ed_array((size_t)n + 1, sizeof(*words));
	const struct ctl_option_row *open = NULL;
	const struct ctl_command *cmd;
	int n_words = 0;
	int used;

	(void)self;
	ctl_quiet(NULL, 0);
	for (int i = 0; i + 1 < n; i++) {
		const struct ctl_option_row *r = open ? NULL : option_of(args[i]);

		/* Where the daemon is has been said by the words themselves. */
		if (open && strcmp(open->name, "run") == 0)
			c->opt.run = args[i];
		else if (open && strcmp(open->name, "state") == 0)
			c->opt.state = args[i];
		else if (!open && !r && *args[i] != '-')
			words[n_words++] = args[i];
		open = r && r->arg ? r : NULL;
	}
	cmd = ctl_command_find(words, n_words, &used);
	if (open) {
		offer_values(&k, open->values ? open->values : "",
			     open->values ? strcspn(open->values, " ") : 0);
	} else if (*k.word == '-') {
		offer_options(&k, cmd);
	} else if (n_words == 0) {
		offer_commands(&k, NULL);
	} else {
		if (n_words == 1)
			offer_commands(&k, words[0]);
		if (cmd)
			offer_argument(&k, cmd, n_words - used);
	}
	free(words);
	return CTL_DONE;
}
