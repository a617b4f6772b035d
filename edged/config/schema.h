/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schema - every setting of edged.yaml, secrets.yaml and the presets, as tables
 *
 * One row a setting: name, kind, limits, default, cost of a change, help. The
 * loader, the checks, the differences, the manual page and later completion
 * and the JSON Schema read the rows; nothing else lists settings.
 */
#ifndef ED_EDGED_CONFIG_SCHEMA_H
#define ED_EDGED_CONFIG_SCHEMA_H

#include <stddef.h>
#include <stdio.h>

#include "edged/config/config.h"
#include "lib/conf.h"

/* A preset file: a profile and a sentence about it. */
struct config_preset {
	char *description;
	struct config_profile profile;
};

extern const struct conf_schema config_schema; /* struct config */
extern const struct conf_schema config_peer_schema; /* struct config_peer */
extern const struct conf_schema config_preset_schema; /* struct config_preset */
extern const struct conf_schema config_web_schema; /* struct config_web */

/*
 * The rows that a peer shares with its preset, the same order in both, ending
 * with a row of name NULL: offsets are in struct config_preset and config_peer.
 */
extern const struct conf_row *const config_preset_rows;
extern const struct conf_row *const config_peer_profile_rows;

/* In a list of prefixes to announce: what `lan` says. */
bool config_is_lan(const struct prefix *p);

/*
 * Write the settings as the mdoc lists of edged.yaml(5): what stands between
 * the hand-written head and tail of the page.
 */
void config_manual(FILE *fp);

#endif
