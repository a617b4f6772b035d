/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/esp/segment.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "edged/esp/checksum.h"

enum {
	TCP_MIN = 20,
	UDP_LEN = 8,
	TCP_FIN = 0x01,
	TCP_PSH = 0x08,
	TCP_CWR = 0x80,
	TCP_FLAGS_AT = 13,
	TCP_SUM_AT = 16,
	UDP_SUM_AT = 6,
};

/* The kernel left the checksum to us: the field holds the pseudo header's sum. */
static int finish_checksum(struct esp_inner *in, size_t start, size_t offset)
{
	uint16_t sum;

	if (start + offset + 2 > in->len || start > in->len)
		return -EBADMSG;
	sum = (uint16_t)~esp_fold(esp_sum(in->data + start, in->len - start, 0));
	if (!sum && offset == UDP_SUM_AT)
		sum = 0xffff; /* zero would mean "none" (RFC 768) */
	memcpy(in->data + start + offset, &sum, 2);
	return 0;
}

int esp_super_init(struct esp_super *s, const struct virtio_net_hdr *vh, uint8_t *pkt,
		   size_t len)
{
	size_t l4_len;
	int err;

	memset(s, 0, sizeof(*s));
	err = esp_inner_parse(pkt, len, &s->in);
	if (err < 0)
		return err;
	switch (vh->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		if (s->in.len > ESP_INNER_MAX)
			return -EBADMSG;
		if (vh->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
			return finish_checksum(&s->in, vh->csum_start, vh->csum_offset);
		return 0;
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		s->proto = IPPROTO_TCP;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		s->proto = IPPROTO_UDP;
		break;
	default:
		return -EBADMSG;
	}
	s->l4 = vh->csum_start;
	l4_len = s->proto == IPPROTO_TCP ? TCP_MIN : UDP_LEN;
	if (s->l4 < (s->in.v6 ? 40U : (size_t)(pkt[0] & 15) * 4) ||
	    s->l4 + l4_len > s->in.len)
		return -EBADMSG;
	if (s->proto == IPPROTO_TCP)
		l4_len = (size_t)(pkt[s->l4 + 12] >> 4) * 4;
	s->hdr = s->l4 + l4_len;
	s->mss = vh->gso_size;
	s->pos = s->hdr;
	if ((s->proto == IPPROTO_TCP && l4_len < TCP_MIN) || s->hdr >= s->in.len ||
	    !s->mss || s->hdr + s->mss > ESP_INNER_MAX)
		return -EBADMSG;
	s->id = esp_get16(pkt + 4);
	s->seq = esp_get32(pkt + s->l4 + 4);
	return 0;
}

size_t esp_super_piece_max(const struct esp_super *s)
{
	size_t whole = s->in.len;

	if (!s->proto || s->hdr + s->mss > whole)
		return whole;
	return s->hdr + s->mss;
}

static void fix_ip(struct esp_super *s, uint8_t *out, size_t len)
{
	if (s->in.v6) {
		esp_put16(out + 4, (uint16_t)(len - 40));
		return;
	}
	esp_put16(out + 2, (uint16_t)len);
	esp_put16(out + 4, s->id++);
	esp_ip4_fix(out, (size_t)(out[0] & 15) * 4);
}

static void fix_l4(struct esp_super *s, uint8_t *out, size_t len, bool first, bool last)
{
	uint8_t *l4 = out + s->l4;
	size_t l4_len = len - s->l4;
	uint8_t *field;
	uint16_t sum;

	if (s->proto == IPPROTO_TCP) {
		esp_put32(l4 + 4, s->seq);
		s->seq += (uint32_t)(len - s->hdr);
		if (!first)
			l4[TCP_FLAGS_AT] &= (uint8_t)~TCP_CWR;
		if (!last)
			l4[TCP_FLAGS_AT] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
		field = l4 + TCP_SUM_AT;
	} else {
		esp_put16(l4 + 4, (uint16_t)l4_len);
		field = l4 + UDP_SUM_AT;
	}
	field[0] = field[1] = 0;
	sum = (uint16_t)~esp_fold(
		esp_sum(l4, l4_len, esp_pseudo(out, s->in.v6, s->proto, l4_len)));
	if (!sum && s->proto == IPPROTO_UDP)
		sum = 0xffff;
	memcpy(field, &sum, 2);
}

size_t esp_super_next(struct esp_super *s, uint8_t *out)
{
	size_t first = s->pos;
	size_t n;

	if (s->pos >= s->in.len)
		return 0;
	if (!s->proto) {
		memcpy(out, s->in.data, s->in.len);
		s->pos = s->in.len;
		return s->in.len;
	}
	n = s->in.len - s->pos;
	if (n > s->mss)
		n = s->mss;
	memcpy(out, s->in.data, s->hdr);
	memcpy(out + s->hdr, s->in.data + s->pos, n);
	s->pos += n;
	fix_ip(s, out, s->hdr + n);
	fix_l4(s, out, s->hdr + n, first == s->hdr, s->pos == s->in.len);
	return s->hdr + n;
}
