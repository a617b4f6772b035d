/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parts - what the files of this folder use of each other
 *
 * load.c reads and completes, check.c judges, secrets.c reads secrets.yaml.
 * Checks get struct conf, which knows the place of every value by its address.
 */
#ifndef ED_EDGED_CONFIG_PARTS_H
#define ED_EDGED_CONFIG_PARTS_H

#include <stdbool.h>
#include <stddef.h>

struct conf;
struct conf_report;
struct config;
struct config_web;
struct stat;

/* What is known of secrets.yaml, for the check "every peer has a secret". */
enum secrets_state {
	SECRETS_READ = 1,
	SECRETS_ABSENT, /* there is no such file */
	SECRETS_HIDDEN, /* we may not read it: nothing can be said */
};

/*
 * Read a regular file of at most CONFIG_FILE_MAX bytes; st is that of the open
 * descriptor. Messages go to report, but for -ENOENT and -EACCES.
 *
 * Returns 0 with *ret for free(), or a negative errno.
 */
int config_read_file(const char *path, struct conf_report *report, char **ret,
		     size_t *len, struct stat *st);

/*
 * Read the secrets beside a configuration into c. Permissions are those of the
 * open descriptor; mistakes go to report, and no line of the file ever does.
 * known: c's peers are all that the file has, so other names are worth a warning.
 * needed: without them nothing can run, and a file that may not be read is a mistake.
 */
enum secrets_state config_read_secrets(struct config *c, const char *path, bool known,
				       bool needed, struct conf_report *report);

/* Build c->index; names twice cannot be, the walk refused them. */
void config_index_peers(struct config *c);
void config_index_free(struct config *c);

/* Everything that takes more than one setting to judge. */
void config_check(struct conf *conf, struct config *c, enum secrets_state secrets,
		  const char *secrets_path);

/* What edge-webui alone reads. */
void config_check_web(struct conf *conf, const struct config_web *w);

/* "did you mean" among n names: the nearest one, or NULL. */
const char *config_similar(const char *name,
			   const char *(*nth)(const void *ctx, size_t i),
			   const void *ctx, size_t n);

#endif
