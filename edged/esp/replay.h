/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * esp_replay - the anti-replay window of one inbound SA (RFC 4303 section 3.4.3)
 *
 * ESP_REPLAY_WINDOW numbers back from the highest one that was authenticated;
 * a ring of 64-bit words, cleared a word at a time when it moves (RFC 6479).
 * Ask before the packet is opened, commit after its tag was right.
 */
#ifndef ED_EDGED_ESP_REPLAY_H
#define ED_EDGED_ESP_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

enum {
	ESP_REPLAY_WINDOW = 4096,
	/* One word more than the window: the newest one is filled only partly. */
	ESP_REPLAY_WORDS = ESP_REPLAY_WINDOW / 64 + 1,
};

struct esp_replay {
	uint32_t top; /* highest number seen, 0 for none */
	uint64_t map[ESP_REPLAY_WORDS];
};

/* True when seq may be opened: not 0, not too old, not seen. */
static inline bool esp_replay_fresh(const struct esp_replay *r, uint32_t seq)
{
	if (!seq)
		return false;
	if (seq > r->top)
		return true;
	if (r->top - seq >= ESP_REPLAY_WINDOW)
		return false;
	return !(r->map[(seq >> 6) % ESP_REPLAY_WORDS] >> (seq & 63) & 1);
}

/* Note an authenticated number that was fresh. */
static inline void esp_replay_commit(struct esp_replay *r, uint32_t seq)
{
	if (seq > r->top) {
		uint32_t from = r->top >> 6;
		uint32_t words = (seq >> 6) - from;

		if (words > ESP_REPLAY_WORDS)
			words = ESP_REPLAY_WORDS;
		/* Words may count on from the far side of a jump: all are cleared. */
		for (uint32_t i = 0; i < words; i++)
			r->map[((seq >> 6) - i) % ESP_REPLAY_WORDS] = 0;
		r->top = seq;
	}
	r->map[(seq >> 6) % ESP_REPLAY_WORDS] |= UINT64_C(1) << (seq & 63);
}

#endif
