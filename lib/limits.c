/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/limits.h"

#include <sys/resource.h>

void limits_open_files(unsigned long want)
{
	struct rlimit now;
	struct rlimit more = {want, want};

	if (getrlimit(RLIMIT_NOFILE, &now) < 0 || now.rlim_cur >= want)
		return;
	if (now.rlim_max > want)
		more.rlim_max = now.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &more) == 0)
		return;
	now.rlim_cur = now.rlim_max; /* who is not root gets what root has left */
	(void)setrlimit(RLIMIT_NOFILE, &now);
}

void limits_no_core(void)
{
	const struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
}
