/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dryrun - lets nft and FRR judge what a configuration would become
 *
 * Nothing is changed: "nft -c" and "vtysh -C" only read. What cannot be asked
 * (no such program, no right to) is a warning. Takes some ten milliseconds and
 * waits for the programs, so it is for edgectl, not for a daemon's loop.
 */
#ifndef ED_EDGED_CONFIG_DRYRUN_H
#define ED_EDGED_CONFIG_DRYRUN_H

#include "edged/config/config.h"

/* For struct config_source: a refusal is said at the class or peer it is due to. */
void config_dryrun(const struct config *c, config_say say, void *ctx);

#endif
