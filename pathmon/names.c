/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pathmon/pathmon.h"

#include "lib/alloc.h"

/* clang-format off */
static const char *const state_names[PM_STATES] = {
	[PM_OFF]     = "off",
	[PM_DOWN]    = "down",
	[PM_PROVING] = "proving",
	[PM_UP]      = "up",
	[PM_SUSPECT] = "suspect",
};

static const char *const cause_names[PM_CAUSES] = {
	[PM_CAUSE_STARTED]   = "started",
	[PM_CAUSE_STOPPED]   = "stopped",
	[PM_CAUSE_SEND]      = "cannot-send",
	[PM_CAUSE_ANSWER]    = "answer",
	[PM_CAUSE_PROVEN]    = "proven",
	[PM_CAUSE_MISSED]    = "missed",
	[PM_CAUSE_SILENT]    = "silent",
	[PM_CAUSE_NO_ANSWER] = "no-answer",
	[PM_CAUSE_DEAF]      = "peer-hears-nothing",
};
/* clang-format on */

const char *pm_state_name(enum pm_state s)
{
	unsigned int i = s;

	return i < ARRAY_LEN(state_names) && state_names[i] ? state_names[i]
							    : "invalid";
}

const char *pm_cause_name(enum pm_cause c)
{
	unsigned int i = c;

	return i < ARRAY_LEN(cause_names) && cause_names[i] ? cause_names[i]
							    : "invalid";
}
