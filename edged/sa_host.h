/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sa_host - child SAs between the IKE engine and the data plane
 *
 * Downwards the engine's install, update and remove become calls of the data
 * plane; upwards its callbacks (an SA lost, a mapping that moved) become hints
 * to the engine. After a restart the children that the engine took up again are
 * compared with what the data plane still carries: what is missing is replaced,
 * what nobody knows is removed.
 */
#ifndef ED_EDGED_SA_HOST_H
#define ED_EDGED_SA_HOST_H

#include "edged/dataplane/dataplane.h"

struct edged;
struct ike_esp;
struct sa_host;

/* What the data plane calls; its ctx is the struct edged. */
extern const struct dp_host sa_host_dp;

/* Carry out an action of the engine. Failures are told to the engine and logged. */
void sa_host_install(struct edged *ed, const char *tunnel, const struct ike_esp *esp);
void sa_host_update(struct edged *ed, const char *tunnel, const struct ike_esp *esp);
void sa_host_remove(struct edged *ed, const char *tunnel, const struct ike_esp *esp);

/*
 * Remember which children were taken up from saved SAs: they are compared with
 * the data plane as soon as it is there.
 */
void sa_host_note_restored(struct edged *ed);

/* Free what note_restored() remembers. */
void sa_host_fini(struct edged *ed);

#endif
