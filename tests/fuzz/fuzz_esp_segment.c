/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What TUN hands over: a virtio header and a packet, cut into pieces. */
#include <stdlib.h>
#include <string.h>

#include "edged/esp/segment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtio_net_hdr vh;
	struct esp_super s;
	uint8_t *pkt;
	uint8_t *out;

	if (size < sizeof(vh) || size > 8192)
		return 0;
	memcpy(&vh, data, sizeof(vh));
	pkt = malloc(size - sizeof(vh) + 1);
	memcpy(pkt, data + sizeof(vh), size - sizeof(vh));
	if (esp_super_init(&s, &vh, pkt, size - sizeof(vh)) == 0) {
		out = malloc(esp_super_piece_max(&s));
		while (esp_super_next(&s, out))
			;
		free(out);
	}
	free(pkt);
	return 0;
}
