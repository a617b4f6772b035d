/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pathmon/mos.h"

/* Equipment impairment and robustness to loss (ITU-T G.113 appendix I). */
struct codec {
	double ie;
	double bpl;
	double delay_ms;
};

/* clang-format off */
static const struct codec codecs[PM_CODECS] = {
	/*                      Ie     Bpl    delay */
	[PM_CODEC_G711_PLC] = { 0.0,   25.1,  20.0 },
	[PM_CODEC_G711]     = { 0.0,   4.3,   20.0 },
	[PM_CODEC_G729A]    = { 11.0,  19.0,  35.0 },
};
/* clang-format on */

static double delay_impairment(double ta_ms)
{
	double id = 0.024 * ta_ms;

	if (ta_ms > 177.3)
		id += 0.11 * (ta_ms - 177.3);
	return id;
}

static double score_of_r(double r)
{
	if (r <= 0.0)
		return 1.0;
	if (r >= 100.0)
		return 4.5;
	return 1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6;
}

uint32_t pm_mos_x100(const struct pm_mos_input *in)
{
	const struct codec *c = &codecs[in->codec < PM_CODECS ? in->codec : 0];
	double buffer_ms = in->spread_us > 20000 ? in->spread_us / 1000.0 : 20.0;
	double ta_ms = in->one_way_us / 1000.0 + buffer_ms + c->delay_ms;
	double ppl = in->loss_ppm / 10000.0;
	double burst = in->run_x100 > 100 ? in->run_x100 / 100.0 : 1.0;
	double ieff = c->ie + (95.0 - c->ie) * ppl / (ppl / burst + c->bpl);
	double mos = score_of_r(93.2 - delay_impairment(ta_ms) - ieff);

	/* The polynomial dips below 1 for small R. */
	if (mos < 1.0)
		mos = 1.0;
	return (uint32_t)(mos * 100.0 + 0.5);
}
