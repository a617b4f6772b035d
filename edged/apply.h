/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * apply - makes the objects of the daemon fit a configuration
 *
 * At the start there are none, and everything is made; at an apply what is no
 * longer configured goes first, what stays is given its part of the new file,
 * what is new is made. Only what a difference names restarts.
 */
#ifndef ED_EDGED_APPLY_H
#define ED_EDGED_APPLY_H

struct config;
struct edged;

/*
 * Read opt.config. A file that is the beginning of what runs, or ran last, was cut
 * off and is refused. Messages go to *ret_text (malloc'd, NULL when there are none).
 *
 * Returns 0 with *ret, or -EINVAL.
 */
int apply_read(const struct edged *ed, struct config **ret, char **ret_text);

/*
 * The configuration that was good last (STATE/applied.yaml), with the secrets that
 * lie beside opt.config: for a start with a bad file.
 *
 * Returns 0 with *ret, or a negative errno when there is none or it is not good.
 */
int apply_read_saved(const struct edged *ed, struct config **ret, char **ret_text);

/* Keep ed->config's text as the one that was good last. */
void apply_save(const struct edged *ed);

/* ed->config runs from now on: for ed->counts. */
void apply_note(struct edged *ed);

/* Uplinks of ed->config, judged by what the kernel says of them. */
void apply_uplinks(struct edged *ed);

/* Peers and tunnels of ed->config; nothing is started yet. */
void apply_peers(struct edged *ed);

/* Let the supervisor look at every tunnel. */
void apply_start(struct edged *ed);

#endif
