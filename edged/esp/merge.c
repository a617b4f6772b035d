/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/esp/merge.h"

#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <string.h>

#include "edged/esp/checksum.h"
#include "edged/esp/segment.h"
#include "lib/alloc.h"

enum {
	FLOWS = 64, /* held at once; a power of two */
	PIECES = 64, /* of one super-packet, the kernel's limit for UDP */
	TOTAL = 65000, /* bytes of one super-packet */
	IP6_LEN = 40,
	TCP_MIN = 20,
	TCP_ACK = 0x10,
	TCP_PSH = 0x08,
	TCP_FLAGS_AT = 13,
	TCP_SUM_AT = 16,
	UDP_SUM_AT = 6,
};

/* What a packet's headers say, when it can be joined at all. */
struct shape {
	uint8_t *ip;
	bool v6;
	bool tcp;
	size_t l4;
	size_t hdr;
	size_t payload;
	uint32_t seq;
};

struct held {
	void *port; /* NULL: free */
	struct shape first;
	size_t total; /* payload bytes */
	size_t piece; /* payload bytes of each but the last */
	uint32_t next; /* TCP number that continues it */
	bool closed;
	int pieces;
	struct iovec iov[1 + PIECES];
};

struct esp_merge {
	esp_merge_write write;
	uint64_t used; /* bit a flow */
	struct held flows[FLOWS];
};

struct esp_merge *esp_merge_new(esp_merge_write write)
{
	struct esp_merge *m = ed_alloc(sizeof(*m));

	m->write = write;
	return m;
}

void esp_merge_free(struct esp_merge *m)
{
	free(m);
}

/* Make the first piece's headers those of the whole. */
static void finish(struct held *h, struct virtio_net_hdr *vh)
{
	struct shape *s = &h->first;
	uint8_t *l4 = s->ip + s->l4;
	size_t l4_len = s->hdr - s->l4 + h->total;
	uint16_t sum;

	vh->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	vh->gso_size = (uint16_t)h->piece;
	vh->hdr_len = (uint16_t)s->hdr;
	vh->csum_start = (uint16_t)s->l4;
	vh->csum_offset = s->tcp ? TCP_SUM_AT : UDP_SUM_AT;
	if (!s->tcp)
		vh->gso_type = VIRTIO_NET_HDR_GSO_UDP_L4;
	else
		vh->gso_type =
			s->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	if (s->v6) {
		esp_put16(s->ip + 4, (uint16_t)(s->hdr + h->total - IP6_LEN));
	} else {
		esp_put16(s->ip + 2, (uint16_t)(s->hdr + h->total));
		esp_ip4_fix(s->ip, s->l4);
	}
	if (!s->tcp)
		esp_put16(l4 + 4, (uint16_t)l4_len);
	/* The kernel finishes the sum from the pseudo header's. */
	sum = esp_fold(
		esp_pseudo(s->ip, s->v6, s->tcp ? IPPROTO_TCP : IPPROTO_UDP, l4_len));
	memcpy(l4 + vh->csum_offset, &sum, 2);
}

static void flush_one(struct esp_merge *m, unsigned int slot)
{
	struct held *h = &m->flows[slot];
	struct virtio_net_hdr vh = {0};

	if (!h->port)
		return;
	if (h->pieces > 1)
		finish(h, &vh);
	h->iov[0] = (struct iovec){&vh, sizeof(vh)};
	m->write(h->port, h->iov, h->pieces + 1);
	h->port = NULL;
	m->used &= ~(UINT64_C(1) << slot);
}

void esp_merge_flush(struct esp_merge *m)
{
	while (m->used)
		flush_one(m, (unsigned int)__builtin_ctzll(m->used));
}

/* False when the packet is of no flow that is ever joined. */
static bool find_flow(const struct esp_inner *in, struct shape *s)
{
	uint8_t proto;

	*s = (struct shape){.ip = in->data, .v6 = in->v6};
	if (in->v6) {
		proto = in->data[6];
		s->l4 = IP6_LEN;
	} else {
		proto = in->data[9];
		s->l4 = (size_t)(in->data[0] & 15) * 4;
		if (esp_get16(in->data + 6) & 0x3fff) /* a fragment */
			return false;
	}
	s->tcp = proto == IPPROTO_TCP;
	return (s->tcp || proto == IPPROTO_UDP) && s->l4 + 8 <= in->len;
}

/* True when it may be joined: plain headers, plain flags, a right checksum. */
static bool joinable(const struct esp_inner *in, struct shape *s)
{
	const uint8_t *l4 = s->ip + s->l4;
	size_t l4_len = in->len - s->l4;

	if (!s->v6 && s->l4 != 20)
		return false;
	if (s->tcp) {
		if (l4_len < TCP_MIN || (l4[TCP_FLAGS_AT] & ~TCP_PSH) != TCP_ACK)
			return false;
		s->hdr = s->l4 + (size_t)(l4[12] >> 4) * 4;
		s->seq = esp_get32(l4 + 4);
		if (s->hdr < s->l4 + TCP_MIN)
			return false;
	} else {
		s->hdr = s->l4 + 8;
		if (esp_get16(l4 + 4) != l4_len || !esp_get16(l4 + UDP_SUM_AT))
			return false;
	}
	if (s->hdr >= in->len)
		return false;
	s->payload = in->len - s->hdr;
	return esp_fold(esp_sum(l4, l4_len,
				esp_pseudo(s->ip, s->v6,
					   s->tcp ? IPPROTO_TCP : IPPROTO_UDP,
					   l4_len))) == 0xffff;
}

/* Same flow: addresses and ports. */
static bool same_flow(const struct held *h, void *port, const struct shape *s)
{
	const struct shape *f = &h->first;

	if (h->port != port || f->v6 != s->v6 || f->tcp != s->tcp || f->l4 != s->l4)
		return false;
	if (memcmp(f->ip + f->l4, s->ip + s->l4, 4) != 0)
		return false;
	return s->v6 ? !memcmp(f->ip + 8, s->ip + 8, 32)
		     : !memcmp(f->ip + 12, s->ip + 12, 8);
}

/* Everything that must not differ within a super-packet is equal. */
static bool same_headers(const struct shape *f, const struct shape *s)
{
	const uint8_t *a = f->ip + f->l4;
	const uint8_t *b = s->ip + s->l4;

	if (f->hdr != s->hdr)
		return false;
	if (s->v6) {
		/* version, class, flow label; hop limit */
		if (memcmp(f->ip, s->ip, 4) != 0 || f->ip[7] != s->ip[7])
			return false;
	} else if (f->ip[1] != s->ip[1] || f->ip[6] != s->ip[6] ||
		   f->ip[8] != s->ip[8]) {
		return false;
	}
	if (!s->tcp)
		return true;
	/* acknowledgement; window; options */
	return !memcmp(a + 8, b + 8, 4) && !memcmp(a + 14, b + 14, 2) &&
	       !memcmp(a + TCP_MIN, b + TCP_MIN, s->hdr - s->l4 - TCP_MIN);
}

static bool continues(const struct held *h, const struct shape *s)
{
	return !h->closed && h->pieces < PIECES && s->payload <= h->piece &&
	       h->total + s->payload + s->hdr <= TOTAL &&
	       (!s->tcp || s->seq == h->next) && same_headers(&h->first, s);
}

static void join(struct held *h, const struct shape *s)
{
	h->pieces++;
	h->iov[h->pieces] = (struct iovec){s->ip + s->hdr, s->payload};
	h->total += s->payload;
	h->next += (uint32_t)s->payload;
	if (s->payload < h->piece)
		h->closed = true;
	if (s->tcp && s->ip[s->l4 + TCP_FLAGS_AT] & TCP_PSH) {
		h->first.ip[h->first.l4 + TCP_FLAGS_AT] |= TCP_PSH;
		h->closed = true;
	}
}

static void hold(struct esp_merge *m, unsigned int slot, void *port,
		 const struct shape *s)
{
	struct held *h = &m->flows[slot];

	h->port = port;
	h->first = *s;
	h->total = h->piece = s->payload;
	h->next = s->seq + (uint32_t)s->payload;
	h->closed = s->tcp && s->ip[s->l4 + TCP_FLAGS_AT] & TCP_PSH;
	h->pieces = 1;
	h->iov[1] = (struct iovec){s->ip, s->hdr + s->payload};
	m->used |= UINT64_C(1) << slot;
}

static void write_alone(struct esp_merge *m, void *port, const struct esp_inner *in)
{
	struct virtio_net_hdr vh = {0};
	struct iovec iov[2] = {{&vh, sizeof(vh)}, {in->data, in->len}};

	m->write(port, iov, 2);
}

void esp_merge_add(struct esp_merge *m, void *port, const struct esp_inner *in,
		   bool udp)
{
	struct shape s;
	struct held *h;
	uint32_t ports;
	unsigned int slot;

	if (!find_flow(in, &s)) {
		/* A fragment may belong to any flow that is held. */
		esp_merge_flush(m);
		write_alone(m, port, in);
		return;
	}
	memcpy(&ports, s.ip + s.l4, sizeof(ports));
	slot = (ports * UINT32_C(2654435761)) >> 26 & (FLOWS - 1);
	h = &m->flows[slot];
	if ((!s.tcp && !udp) || !joinable(in, &s)) {
		flush_one(m, slot);
		write_alone(m, port, in);
		return;
	}
	if (h->port && same_flow(h, port, &s) && continues(h, &s)) {
		join(h, &s);
		return;
	}
	flush_one(m, slot);
	hold(m, slot, port, &s);
}
