/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pm_prober - what the reflector needs of it; the rest is in pathmon.h
 */
#ifndef ED_PATHMON_PROBER_H
#define ED_PATHMON_PROBER_H

#include "pathmon/pathmon.h"
#include "pathmon/stamp.h"

/* A probe of the peer arrived on the target's tunnel. report may be NULL. */
void pm_target_heard(struct pm_target *t, const struct pm_report *report,
		     struct mono now);

#endif
