/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/fuzz/ike_live.h"

#include <assert.h>
#include <string.h>

#include "ike/constants.h"
#include "ike/protect.h"

/* Nothing of the world's own reaches the other side after this many messages. */
static unsigned int pass;

static bool count_down(struct world *w, int from, const uint8_t *msg, size_t len)
{
	(void)w;
	(void)from;
	(void)msg;
	(void)len;
	return pass && pass--;
}

struct world *ike_live_world(enum ike_live_stage stage, int *side)
{
	struct ike_conn_config a = world_caller();
	struct ike_conn_config b = world_answerer();
	struct world *w = world_new(42);

	a.want_inside4 = true;
	world_conn(w, 0, &a);
	world_conn(w, 1, &b);
	w->tap = count_down;
	/* Both ends have keys once the answer to the first message is in. */
	pass = stage == IKE_LIVE_INIT_SENT	 ? 0
	       : stage == IKE_LIVE_INIT_ANSWERED ? 2
	       : stage == IKE_LIVE_AUTH_SENT	 ? 2
						 : 4;
	*side = stage == IKE_LIVE_INIT_ANSWERED || stage == IKE_LIVE_UP_ANSWERER;
	if (ike_up(w->side[0].ike, w->now, a.name) < 0)
		return w;
	world_pump(w, 0);
	world_run(w, 200);
	if (stage == IKE_LIVE_REKEYING_CHILD)
		(void)ike_rekey_child(w->side[0].ike, w->now, a.name);
	if (stage == IKE_LIVE_REKEYING_IKE)
		(void)ike_rekey_ike(w->side[0].ike, w->now, a.name);
	world_pump(w, 0);
	return w;
}

struct ike_sa *ike_live_sa(struct world *w, int side)
{
	return w->side[side].ike->sas;
}

/* The responder has no keys before AUTH comes: the caller's are the same. */
static const struct ike_sa *with_keys(struct world *w, int side,
				      const struct ike_sa *sa)
{
	return sa->keyed ? sa : ike_live_sa(w, !side);
}

void ike_live_talk(struct world *w, int side, struct ike_sa *sa, uint8_t exchange,
		   bool response, uint8_t first, const uint8_t *chain, size_t len)
{
	const struct ike_sa *keyed = with_keys(w, side, sa);
	const struct ike_hdr hdr = {
		.spi_i = sa->initiator ? sa->own_spi : sa->peer_spi,
		.spi_r = sa->initiator ? sa->peer_spi : sa->own_spi,
		.exchange = exchange,
		.from_initiator = !sa->initiator,
		.response = response,
		.id = response ? sa->send_id : sa->recv_id,
	};
	struct ike_addrs at = sa->at;
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;
	size_t n;

	ike_message_begin(&b, buf, sizeof(buf), &hdr);
	if (exchange == IKE_EX_SA_INIT) {
		buf[IKE_HDR_NEXT_AT] = first;
		wbuf_bytes(&b.w, chain, len);
		n = ike_message_end(&b);
	} else {
		if (!keyed || !keyed->keyed)
			return;
		ike_protect_begin(&b, w->now.us > 0 ? (uint64_t)w->now.us : 1);
		if (wbuf_ok(&b.w))
			buf[IKE_HDR_LEN] = first;
		wbuf_bytes(&b.w, chain, len);
		n = ike_protect_end(&b, &keyed->suite,
				    sa->initiator ? keyed->keys.er : keyed->keys.ei);
	}
	if (!n)
		return;
	ike_input(w->side[side].ike, w->now, &at, buf, n);
	world_pump(w, side);
}
