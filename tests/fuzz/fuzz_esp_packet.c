/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An ESP packet as a peer might make it. The first byte chooses: the rest as a
 * raw UDP payload, or sealed with a known key, so that what lies behind the tag
 * is reached (TOS byte, then the insides with their trailer).
 */
#include <stdlib.h>
#include <string.h>

#include "edged/esp/merge.h"
#include "edged/esp/packet.h"

static volatile uint8_t sink;

static void on_write(void *port, const struct iovec *iov, int n)
{
	(void)port;
	for (int i = 0; i < n; i++) {
		const uint8_t *p = iov[i].iov_base;

		for (size_t k = 0; k < iov[i].iov_len; k++)
			sink ^= p[k];
	}
}

static void take(struct esp_aead *open, struct esp_merge *m, uint8_t *p, size_t len,
		 uint8_t tos)
{
	struct esp_inner in;
	uint32_t spi;
	uint32_t seq;

	if (esp_packet_kind(p, len) != ESP_KIND_ESP ||
	    esp_packet_peek(p, len, &spi, &seq) < 0 ||
	    esp_packet_open(open, p, len, &in) < 0)
		return;
	if (esp_ecn_decap(&in, tos))
		esp_merge_add(m, m, &in, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[ESP_KEY_MAX] = "fuzzfuzzfuzzfuzzfuzzfuzzfuzzfuzzsalt";
	static struct esp_aead *seal;
	static struct esp_aead *open;
	static struct esp_merge *m;
	uint8_t *p;

	if (!m) {
		seal = esp_aead_new(ESP_AES128_GCM16, key, true);
		open = esp_aead_new(ESP_AES128_GCM16, key, false);
		m = esp_merge_new(on_write);
	}
	if (size < 2 || size > 4096)
		return 0;
	if (data[0] & 1) {
		p = malloc(size - 1);
		memcpy(p, data + 1, size - 1);
		take(open, m, p, size - 1, 0);
	} else {
		size_t n = size - 2;
		size_t total = ESP_HEAD_LEN + n + ESP_TAG_LEN;

		/* The same twice: the second may join the first. */
		p = calloc(2, total);
		for (int i = 0; i < 2; i++) {
			uint8_t *q = p + (size_t)i * total;

			q[0] = 1;
			memcpy(q + ESP_HEAD_LEN, data + 2, n);
			esp_aead_seal(seal, q + ESP_AAD_LEN, q, ESP_AAD_LEN,
				      q + ESP_HEAD_LEN, n, q + ESP_HEAD_LEN + n);
			take(open, m, q, total, data[1]);
		}
	}
	esp_merge_flush(m);
	free(p);
	return 0;
}
