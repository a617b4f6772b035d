/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/esp/packet.h"

#include <errno.h>

#include "edged/esp/checksum.h"

enum { MARKER_LEN = 4, IP4_MIN = 20, IP6_LEN = 40 };

enum { ECN_NOT_ECT, ECN_ECT1, ECN_ECT0, ECN_CE, ECN_MASK = 3 };

enum esp_kind esp_packet_kind(const uint8_t *p, size_t len)
{
	if (len == 1 && p[0] == 0xff)
		return ESP_KIND_KEEPALIVE;
	if (len <= MARKER_LEN)
		return ESP_KIND_JUNK;
	return esp_get32(p) ? ESP_KIND_ESP : ESP_KIND_IKE;
}

/* The trailer ends on a 4 byte boundary (RFC 4303 section 2.4). */
static size_t pad_len(size_t inner)
{
	return -(inner + 2) & 3;
}

size_t esp_packet_size(size_t inner)
{
	return ESP_HEAD_LEN + inner + pad_len(inner) + 2 + ESP_TAG_LEN;
}

size_t esp_packet_seal(struct esp_aead *a, uint32_t spi, uint32_t seq, uint8_t *p,
		       size_t inner, uint8_t next)
{
	size_t pad = pad_len(inner);
	uint8_t *end = p + ESP_HEAD_LEN + inner;

	esp_put32(p, spi);
	esp_put32(p + 4, seq);
	esp_put32(p + 8, 0);
	esp_put32(p + 12, seq);
	for (uint8_t i = 1; i <= pad; i++)
		*end++ = i;
	*end++ = (uint8_t)pad;
	*end++ = next;
	if (!esp_aead_seal(a, p + ESP_AAD_LEN, p, ESP_AAD_LEN, p + ESP_HEAD_LEN,
			   inner + pad + 2, end))
		return 0;
	return (size_t)(end - p) + ESP_TAG_LEN;
}

int esp_packet_peek(const uint8_t *p, size_t len, uint32_t *ret_spi, uint32_t *ret_seq)
{
	if (len < ESP_HEAD_LEN + 2 + ESP_TAG_LEN)
		return -EBADMSG;
	*ret_spi = esp_get32(p);
	*ret_seq = esp_get32(p + 4);
	return 0;
}

int esp_inner_parse(uint8_t *data, size_t len, struct esp_inner *ret)
{
	struct esp_inner in = {.data = data};

	if (len < IP4_MIN)
		return -EBADMSG;
	if (data[0] >> 4 == 4) {
		in.len = esp_get16(data + 2);
		in.tos = data[1];
		if ((data[0] & 15) * 4 < IP4_MIN || in.len < (size_t)(data[0] & 15) * 4)
			return -EBADMSG;
	} else if (data[0] >> 4 == 6 && len >= IP6_LEN) {
		in.len = IP6_LEN + (size_t)esp_get16(data + 4);
		in.tos = (uint8_t)(data[0] << 4 | data[1] >> 4);
		in.v6 = true;
	} else {
		return -EBADMSG;
	}
	if (in.len > len)
		return -EBADMSG;
	*ret = in;
	return 0;
}

int esp_packet_open(struct esp_aead *a, uint8_t *p, size_t len, struct esp_inner *ret)
{
	size_t n;
	size_t pad;
	uint8_t next;

	if (len < ESP_HEAD_LEN + 2 + ESP_TAG_LEN)
		return -EBADMSG;
	n = len - ESP_HEAD_LEN - ESP_TAG_LEN;
	if (!esp_aead_open(a, p + ESP_AAD_LEN, p, ESP_AAD_LEN, p + ESP_HEAD_LEN, n,
			   p + ESP_HEAD_LEN + n))
		return -EKEYREJECTED;
	pad = p[ESP_HEAD_LEN + n - 2];
	next = p[ESP_HEAD_LEN + n - 1];
	if (next == ESP_NH_NONE)
		return -ENODATA;
	if (pad + 2 > n || (next != ESP_NH_IPV4 && next != ESP_NH_IPV6))
		return -EBADMSG;
	if (esp_inner_parse(p + ESP_HEAD_LEN, n - 2 - pad, ret) < 0 ||
	    ret->v6 != (next == ESP_NH_IPV6))
		return -EBADMSG;
	return 0;
}

static void set_ecn(struct esp_inner *in, uint8_t ecn)
{
	size_t ihl = (size_t)(in->data[0] & 15) * 4;

	in->tos = (uint8_t)((in->tos & ~ECN_MASK) | ecn);
	if (in->v6) {
		in->data[1] = (uint8_t)((in->data[1] & ~(ECN_MASK << 4)) | ecn << 4);
	} else {
		in->data[1] = in->tos;
		esp_ip4_fix(in->data, ihl);
	}
}

bool esp_ecn_decap(struct esp_inner *in, uint8_t outer_tos)
{
	uint8_t outer = outer_tos & ECN_MASK;
	uint8_t inner = in->tos & ECN_MASK;

	/* Figure 4: the stronger mark wins; ECT(1) outside beats ECT(0) inside. */
	if (inner == ECN_NOT_ECT)
		return outer != ECN_CE;
	if (outer == ECN_CE && inner != ECN_CE)
		set_ecn(in, ECN_CE);
	else if (outer == ECN_ECT1 && inner == ECN_ECT0)
		set_ecn(in, ECN_ECT1);
	return true;
}
