/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state files that are text: a damaged one costs what it held, no more, and
 * what was taken from it can be written and read again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "edged/inside.h"
#include "edged/overrides.h"
#include "edged/savefile.h"
#include "edged/slots.h"
#include "edged/tunnel.h"
#include "edged/uplink.h"
#include "lib/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];

static void first(void)
{
	int fd;

	if (path[0])
		return;
	log_open("fuzz", LOG_LVL_ERROR);
	snprintf(path, sizeof(path), "/dev/shm/edged-fuzz-XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		abort();
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tunnel_inside pair[ED_FAMILIES];
	struct overrides *o;
	struct inside *in;
	struct slots *s;
	int slot;

	first();
	if (savefile_write(path, data, size, 0600, false) < 0)
		abort();
	o = overrides_open(path);
	(void)overrides_uplink_down(o, "isp1");
	overrides_free(o);
	in = inside_open(path);
	(void)inside_find(in, "hub/isp1", pair);
	inside_forget(in, "hub/isp2");
	inside_free(in);
	s = slots_open(path);
	slot = slots_get(s, SLOT_TUNNEL, "hub/isp1");
	slots_sync(s);
	slots_free(s);
	s = slots_open(path);
	if (slot > 0 && slots_find(s, SLOT_TUNNEL, "hub/isp1") != (unsigned int)slot)
		abort();
	slots_free(s);
	(void)unlink(path);
	return 0;
}
