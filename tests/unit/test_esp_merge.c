/* SPDX-License-Identifier: GPL-2.0-or-later */
/* esp_super and esp_merge: what is cut is joined again, order never changes */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "edged/esp/checksum.h"
#include "edged/esp/merge.h"
#include "edged/esp/segment.h"
#include "lib/alloc.h"
#include "tests/unit/cm.h"

enum { MSS = 1386, BIG = 30000, PIECE_ROOM = 2048, PIECES = 40, WRITES = 64 };

enum { FIN = 0x01, SYN = 0x02, PSH = 0x08, ACK = 0x10, CWR = 0x80 };

struct flow {
	bool v6;
	bool udp;
	uint16_t port;
	uint32_t seq;
	uint8_t flags;
};

static size_t l4_at(const struct flow *f)
{
	return f->v6 ? 40 : 20;
}

/* A packet of payload bytes that count up; full: with a right checksum. */
static size_t build(uint8_t *p, const struct flow *f, size_t payload, bool full)
{
	size_t l4 = l4_at(f);
	size_t hdr = l4 + (f->udp ? 8 : 32);
	size_t len = hdr + payload;
	uint8_t proto = f->udp ? IPPROTO_UDP : IPPROTO_TCP;
	uint16_t sum;

	memset(p, 0, hdr);
	if (f->v6) {
		p[0] = 0x60;
		esp_put16(p + 4, (uint16_t)(len - 40));
		p[6] = proto;
		p[7] = 64;
		p[23] = 1;
		p[39] = 2;
	} else {
		p[0] = 0x45;
		esp_put16(p + 2, (uint16_t)len);
		esp_put16(p + 4, 77);
		p[6] = 0x40;
		p[8] = 64;
		p[9] = proto;
		esp_put32(p + 12, 0x0a000001);
		esp_put32(p + 16, 0x0a000002);
		esp_ip4_fix(p, 20);
	}
	esp_put16(p + l4, f->port);
	esp_put16(p + l4 + 2, 5201);
	if (f->udp) {
		esp_put16(p + l4 + 4, (uint16_t)(8 + payload));
	} else {
		esp_put32(p + l4 + 4, f->seq);
		p[l4 + 12] = 0x80;
		p[l4 + 13] = f->flags;
	}
	for (size_t i = 0; i < payload; i++)
		p[hdr + i] = (uint8_t)(i * 7 + i / 256);
	sum = full ? (uint16_t)~esp_fold(esp_sum(p + l4, len - l4,
						 esp_pseudo(p, f->v6, proto, len - l4)))
		   : esp_fold(esp_pseudo(p, f->v6, proto, len - l4));
	memcpy(p + l4 + (f->udp ? 6 : 16), &sum, 2);
	return len;
}

static struct virtio_net_hdr super_hdr(const struct flow *f)
{
	return (struct virtio_net_hdr){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = f->udp  ? VIRTIO_NET_HDR_GSO_UDP_L4
			    : f->v6 ? VIRTIO_NET_HDR_GSO_TCPV6
				    : VIRTIO_NET_HDR_GSO_TCPV4,
		.gso_size = MSS,
		.csum_start = (uint16_t)l4_at(f),
		.csum_offset = f->udp ? 6 : 16,
	};
}

static bool sums_are_right(const uint8_t *p, size_t len, const struct flow *f)
{
	size_t l4 = l4_at(f);

	if (!f->v6 && esp_fold(esp_sum(p, 20, 0)) != 0xffff)
		return false;
	return esp_fold(esp_sum(p + l4, len - l4,
				esp_pseudo(p, f->v6, f->udp ? IPPROTO_UDP : IPPROTO_TCP,
					   len - l4))) == 0xffff;
}

/* What the merger wrote. */
static struct {
	int n;
	void *port[WRITES];
	struct virtio_net_hdr vh[WRITES];
	size_t len[WRITES];
	uint8_t bytes[WRITES][66000];
} out;

static void on_write(void *port, const struct iovec *iov, int n)
{
	size_t len = 0;

	assert_true(out.n < WRITES);
	assert_int_equal(iov[0].iov_len, sizeof(struct virtio_net_hdr));
	memcpy(&out.vh[out.n], iov[0].iov_base, sizeof(struct virtio_net_hdr));
	for (int i = 1; i < n; i++) {
		assert_true(len + iov[i].iov_len <= sizeof(out.bytes[0]));
		memcpy(out.bytes[out.n] + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	out.port[out.n] = port;
	out.len[out.n++] = len;
}

static void add(struct esp_merge *m, void *port, uint8_t *p, size_t len)
{
	struct esp_inner in;

	assert_int_equal(esp_inner_parse(p, len, &in), 0);
	esp_merge_add(m, port, &in, true);
}

static const struct flow flows[] = {
	{.port = 1000, .seq = 0xfffff000, .flags = ACK | PSH},
	{.v6 = true, .port = 1001, .seq = 5, .flags = ACK | PSH},
	{.udp = true, .port = 1002},
	{.udp = true, .v6 = true, .port = 1003},
};

/* The whole way: cut, every piece a right packet, joined to what it was. */
static void test_what_is_cut_is_joined_again(void **state)
{
	static uint8_t big[66000];
	static uint8_t again[66000];
	static uint8_t pieces[PIECES][PIECE_ROOM];
	struct esp_merge *m = esp_merge_new(on_write);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(flows); i++) {
		struct virtio_net_hdr vh = super_hdr(&flows[i]);
		size_t len = build(big, &flows[i], BIG, false);
		struct esp_super s;
		int count = 0;
		size_t n;

		memcpy(again, big, len);
		out.n = 0;
		assert_int_equal(esp_super_init(&s, &vh, big, len), 0);
		assert_true(esp_super_piece_max(&s) <= PIECE_ROOM);
		while ((n = esp_super_next(&s, pieces[count]))) {
			assert_true(n <= esp_super_piece_max(&s));
			assert_true(sums_are_right(pieces[count], n, &flows[i]));
			add(m, &out, pieces[count], n);
			count++;
		}
		assert_int_equal(count, (BIG + MSS - 1) / MSS);
		esp_merge_flush(m);
		assert_int_equal(out.n, 1);
		assert_ptr_equal(out.port[0], &out);
		assert_int_equal(out.len[0], len);
		assert_int_equal(out.vh[0].gso_type, vh.gso_type);
		assert_int_equal(out.vh[0].gso_size, MSS);
		assert_int_equal(out.vh[0].csum_start, vh.csum_start);
		assert_memory_equal(out.bytes[0], again, len);
	}
	esp_merge_free(m);
}

static void test_flags_go_to_the_right_piece(void **state)
{
	static uint8_t big[66000];
	struct flow f = {.port = 9, .flags = ACK | PSH | FIN | CWR};
	struct virtio_net_hdr vh = super_hdr(&f);
	size_t len = build(big, &f, 3 * MSS, false);
	uint8_t piece[PIECE_ROOM];
	struct esp_super s;

	(void)state;
	vh.gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	assert_int_equal(esp_super_init(&s, &vh, big, len), 0);
	assert_int_equal(esp_super_next(&s, piece), 52 + MSS);
	assert_int_equal(piece[33], ACK | CWR);
	assert_int_equal(esp_get16(piece + 4), 77);
	assert_int_equal(esp_super_next(&s, piece), 52 + MSS);
	assert_int_equal(piece[33], ACK);
	assert_int_equal(esp_get16(piece + 4), 78);
	assert_int_equal(esp_super_next(&s, piece), 52 + MSS);
	assert_int_equal(piece[33], ACK | PSH | FIN);
	assert_int_equal(esp_super_next(&s, piece), 0);
}

static void test_a_plain_packet_gets_its_checksum(void **state)
{
	struct flow f = {.udp = true, .port = 53};
	struct virtio_net_hdr vh = {.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				    .csum_start = 20,
				    .csum_offset = 6};
	uint8_t p[256];
	uint8_t piece[256];
	size_t len = build(p, &f, 33, false);
	struct esp_super s;

	(void)state;
	assert_int_equal(esp_super_init(&s, &vh, p, len), 0);
	assert_int_equal(esp_super_next(&s, piece), len);
	assert_true(sums_are_right(piece, len, &f));
	assert_int_equal(esp_super_next(&s, piece), 0);
}

static void test_headers_that_do_not_fit_are_refused(void **state)
{
	/* clang-format off */
	static const struct {
		const char *name;
		struct virtio_net_hdr vh;
		size_t len;
	} cases[] = {
		{ "no packet",          { .gso_type = 0 }, 0 },
		{ "cut short",          { .gso_type = 0 }, 19 },
		{ "unknown type",       { .gso_type = 3, .gso_size = 100, .csum_start = 20 }, 552 },
		{ "pieces of nothing",  { .gso_type = 1, .gso_size = 0, .csum_start = 20 }, 552 },
		{ "start in IP header", { .gso_type = 1, .gso_size = 100, .csum_start = 19 }, 552 },
		{ "start at the end",   { .gso_type = 1, .gso_size = 100, .csum_start = 552 }, 552 },
		{ "start far behind",   { .gso_type = 5, .gso_size = 100, .csum_start = 65535 }, 552 },
		{ "sum past the end",   { .flags = 1, .csum_start = 540, .csum_offset = 11 }, 552 },
		{ "sum far past it",    { .flags = 1, .csum_start = 65535, .csum_offset = 65535 }, 552 },
		{ "piece too long",     { .gso_type = 1, .gso_size = 65535, .csum_start = 20 }, 552 },
	};
	/* clang-format on */
	struct flow f = {.port = 1, .flags = ACK};
	uint8_t p[1024];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct esp_super s;

		assert_int_equal(build(p, &f, 500, false), 552);
		if (esp_super_init(&s, &cases[i].vh, p, cases[i].len) != -EBADMSG)
			fail_msg("%s", cases[i].name);
	}
}

/* Pieces that do not continue each other are written apart, in their order. */
static void test_nothing_else_is_joined_and_order_stays(void **state)
{
	static uint8_t p[8][PIECE_ROOM];
	struct flow a = {.port = 7, .seq = 1000, .flags = ACK};
	struct esp_merge *m = esp_merge_new(on_write);
	size_t len;
	int port_a;
	int port_b;

	(void)state;
	out.n = 0;
	len = build(p[0], &a, 500, true);
	add(m, &port_a, p[0], len);
	a.seq += 500;
	len = build(p[1], &a, 500, true); /* joins */
	add(m, &port_a, p[1], len);
	a.seq += 600;
	len = build(p[2], &a, 500, true); /* a gap */
	add(m, &port_a, p[2], len);
	a.seq += 500;
	a.flags = ACK | FIN;
	len = build(p[3], &a, 10, true); /* never joined */
	add(m, &port_a, p[3], len);
	a.flags = ACK;
	len = build(p[4], &a, 500, true);
	p[4][100] ^= 1; /* a wrong checksum stays the receiver's matter */
	add(m, &port_a, p[4], len);
	len = build(p[5], &a, 500, true);
	add(m, &port_a, p[5], len);
	a.seq += 500;
	len = build(p[6], &a, 500, true); /* the same flow of another tunnel */
	add(m, &port_b, p[6], len);
	esp_merge_flush(m);
	assert_int_equal(out.n, 6);
	assert_int_equal(out.len[0], 52 + 1000);
	assert_int_equal(out.vh[0].gso_size, 500);
	assert_int_equal(out.len[1], 52 + 500);
	assert_int_equal(out.vh[1].gso_type, VIRTIO_NET_HDR_GSO_NONE);
	assert_int_equal(out.len[2], 52 + 10);
	assert_int_equal(out.bytes[3][100], p[4][100]);
	assert_ptr_equal(out.port[4], &port_a);
	assert_ptr_equal(out.port[5], &port_b);
	esp_merge_free(m);
}

static void test_fragments_pass_behind_what_came_before(void **state)
{
	static uint8_t p[2][PIECE_ROOM];
	struct flow f = {.udp = true, .port = 7};
	struct esp_merge *m = esp_merge_new(on_write);
	size_t len;

	(void)state;
	out.n = 0;
	len = build(p[0], &f, 500, true);
	add(m, &out, p[0], len);
	len = build(p[1], &f, 500, true);
	p[1][6] = 0x20; /* more fragments */
	add(m, &out, p[1], len);
	esp_merge_flush(m);
	assert_int_equal(out.n, 2);
	assert_int_equal(out.bytes[0][6], 0x40);
	assert_int_equal(out.bytes[1][6], 0x20);
	esp_merge_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_cut_is_joined_again),
		cmocka_unit_test(test_flags_go_to_the_right_piece),
		cmocka_unit_test(test_a_plain_packet_gets_its_checksum),
		cmocka_unit_test(test_headers_that_do_not_fit_are_refused),
		cmocka_unit_test(test_nothing_else_is_joined_and_order_stays),
		cmocka_unit_test(test_fragments_pass_behind_what_came_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
