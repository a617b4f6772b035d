/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pm_mos - how a call over the path would sound (E-model, ITU-T G.107, simplified)
 *
 *	Ta   = one-way delay + playout buffer (spread, at least 20 ms) + codec delay
 *	Id   = 0.024 Ta + 0.11 (Ta - 177.3) [the latter only above 177.3]
 *	Ieff = Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl)
 *	R    = 93.2 - Id - Ieff, MOS from R
 *
 * Pure arithmetic.
 */
#ifndef ED_PATHMON_MOS_H
#define ED_PATHMON_MOS_H

#include <stdint.h>

enum pm_codec {
	PM_CODEC_G711_PLC = 1, /* with packet loss concealment */
	PM_CODEC_G711,
	PM_CODEC_G729A,
	PM_CODECS,
};

struct pm_mos_input {
	uint32_t one_way_us;
	uint32_t spread_us; /* p95 less minimum of the delay */
	uint32_t loss_ppm;
	uint32_t
		run_x100; /* mean length of a run of losses in hundredths, 100: single */
	enum pm_codec codec;
};

/* Mean opinion score in hundredths, 100 to 450. */
uint32_t pm_mos_x100(const struct pm_mos_input *in);

#endif
