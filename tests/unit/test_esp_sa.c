/* SPDX-License-Identifier: GPL-2.0-or-later */
/* esp_table and esp_proto: what edged may ask for, and what it may not */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "edged/esp/sa.h"
#include "lib/alloc.h"
#include "lib/rng.h"
#include "tests/unit/cm.h"

static struct esp_counters counters[ESP_SLOTS_MAX];
static struct esp_table table;
static struct rng rng;

static struct esp_endpoint v4(uint8_t last, uint16_t port)
{
	return (struct esp_endpoint){.family = AF_INET,
				     .port = port,
				     .addr = {192, 0, 2, last}};
}

static int setup(void **state)
{
	struct esp_msg_socket sock = {.id = 5, .local = v4(1, 4500)};
	struct esp_socket *s;
	struct esp_tunnel *t;

	(void)state;
	rng = rng_seeded(1);
	esp_table_init(&table, counters, &rng);
	if (esp_table_socket_add(&table, &sock, open("/dev/null", O_RDWR), &s) < 0)
		return -1;
	return esp_table_tunnel_add(&table, 7, open("/dev/null", O_RDWR), &t);
}

static int teardown(void **state)
{
	(void)state;
	esp_table_fini(&table);
	return 0;
}

static struct esp_msg_sa good(enum esp_dir dir, uint32_t spi)
{
	return (struct esp_msg_sa){
		.slot = 7,
		.spi = spi,
		.socket = 5,
		.dir = (uint8_t)dir,
		.cipher = ESP_AES128_GCM16,
		.local = v4(1, 4500),
		.remote = v4(2, 4500),
	};
}

static void test_bad_requests_are_refused(void **state)
{
	struct esp_msg_sa m;

	(void)state;
#define REFUSED(change, want)                                         \
	do {                                                          \
		m = good(ESP_DIR_IN, 4097);                           \
		change;                                               \
		assert_int_equal(esp_table_sa_add(&table, &m), want); \
	} while (0)
	REFUSED(m.slot = 8, -ENOENT);
	REFUSED(m.slot = UINT32_MAX, -ENOENT);
	REFUSED(m.socket = 6, -ENOENT);
	REFUSED(m.dir = 0, -EINVAL);
	REFUSED(m.dir = 3, -EINVAL);
	REFUSED(m.cipher = 0, -EINVAL);
	REFUSED(m.spi = 255, -EINVAL);
	REFUSED(m.remote.family = AF_INET6, -EINVAL);
	REFUSED(m.remote.family = 0, -EINVAL);
	REFUSED(m.remote.port = 0, -EINVAL);
#undef REFUSED
	assert_null(table.tunnels[7]->sas);
	assert_null(esp_table_inbound(&table, 4097));
}

static void test_newest_outbound_sa_is_used(void **state)
{
	struct esp_tunnel *t = esp_table_tunnel(&table, 7);
	struct esp_msg_sa a = good(ESP_DIR_OUT, 1001);
	struct esp_msg_sa b = good(ESP_DIR_OUT, 1002);
	struct esp_msg_sa in = good(ESP_DIR_IN, 1001);

	(void)state;
	assert_int_equal(esp_table_sa_add(&table, &a), 0);
	assert_int_equal(t->out->spi, 1001);
	assert_int_equal(esp_table_sa_add(&table, &b), 0);
	assert_int_equal(t->out->spi, 1002);
	/* The same number inbound is another SA; it is not sent with. */
	assert_int_equal(esp_table_sa_add(&table, &in), 0);
	assert_int_equal(t->out->spi, 1002);
	assert_int_equal(esp_table_sa_add(&table, &b), -EEXIST);
	assert_int_equal(esp_table_sa_del(&table, &b), 0);
	assert_int_equal(t->out->spi, 1001);
	assert_int_equal(esp_table_sa_del(&table, &b), -ENOENT);
	assert_int_equal(esp_table_sa_del(&table, &a), 0);
	assert_null(t->out);
	assert_non_null(esp_table_inbound(&table, 1001));
}

static void test_update_keeps_numbers_and_window(void **state)
{
	struct esp_msg_sa m = good(ESP_DIR_IN, 3000);
	struct esp_sa *sa;

	(void)state;
	assert_int_equal(esp_table_sa_add(&table, &m), 0);
	sa = esp_table_inbound(&table, 3000);
	esp_replay_commit(&sa->replay, 500);
	sa->seq = 17;
	m.remote = v4(9, 61000);
	assert_int_equal(esp_table_sa_update(&table, &m), 0);
	assert_int_equal(sa->remote.port, 61000);
	assert_int_equal(sa->remote.addr.b[3], 9);
	assert_false(esp_replay_fresh(&sa->replay, 500));
	assert_int_equal(sa->seq, 17);
	m.spi = 3001;
	assert_int_equal(esp_table_sa_update(&table, &m), -ENOENT);
}

static void test_a_tunnel_has_a_limit_of_sas(void **state)
{
	struct esp_msg_sa m;

	(void)state;
	for (uint32_t i = 0; i < ESP_TUNNEL_SAS_MAX; i++) {
		m = good(i & 1 ? ESP_DIR_IN : ESP_DIR_OUT, 5000 + i);
		assert_int_equal(esp_table_sa_add(&table, &m), 0);
	}
	m = good(ESP_DIR_IN, 6000);
	assert_int_equal(esp_table_sa_add(&table, &m), -ENOSPC);
}

static void test_an_spi_belongs_to_one_tunnel(void **state)
{
	struct esp_msg_sa m = good(ESP_DIR_IN, 3000);
	struct esp_tunnel *t;

	(void)state;
	assert_int_equal(esp_table_tunnel_add(&table, 8, open("/dev/null", O_RDWR), &t),
			 0);
	assert_int_equal(esp_table_sa_add(&table, &m), 0);
	m.slot = 8;
	assert_int_equal(esp_table_sa_add(&table, &m), -EEXIST);
	/* It is free again with its tunnel. */
	esp_table_tunnel_del(&table, esp_table_tunnel(&table, 7));
	assert_null(esp_table_inbound(&table, 3000));
	assert_int_equal(esp_table_sa_add(&table, &m), 0);
}

static void test_soft_limits_lie_in_the_last_quarter_and_differ(void **state)
{
	struct esp_msg_sa a = good(ESP_DIR_OUT, 1001);
	struct esp_msg_sa b = good(ESP_DIR_OUT, 1002);
	const struct esp_sa *sa;

	(void)state;
	assert_int_equal(esp_table_sa_add(&table, &a), 0);
	assert_int_equal(esp_table_sa_add(&table, &b), 0);
	sa = esp_table_tunnel(&table, 7)->sas;
	assert_true(sa->soft_limit >= 0xc0000000 && sa->next->soft_limit >= 0xc0000000);
	assert_true(sa->soft_limit < 0xd0000000 && sa->next->soft_limit < 0xd0000000);
	assert_int_not_equal(sa->soft_limit, sa->next->soft_limit);
}

static void test_malformed_messages_are_refused(void **state)
{
	struct esp_msg_sa m = good(ESP_DIR_IN, 3000);
	struct esp_msg_ike ike = {0};

	(void)state;
	m.hdr = (struct esp_hdr){.len = sizeof(m),
				 .type = ESP_SA_ADD,
				 .version = ESP_PROTO_VERSION};
	assert_int_equal(esp_proto_check(&m, sizeof(m), 1), 0);
	assert_int_equal(esp_proto_check(&m, sizeof(m), 0), -EBADMSG);
	assert_int_equal(esp_proto_check(&m, sizeof(m) - 1, 1), -EBADMSG);
	assert_int_equal(esp_proto_check(&m, 3, 1), -EBADMSG);
	m.hdr.len--;
	assert_int_equal(esp_proto_check(&m, sizeof(m) - 1, 1), -EBADMSG);
	m.hdr.len++;
	m.hdr.version++;
	assert_int_equal(esp_proto_check(&m, sizeof(m), 1), -EBADMSG);
	m.hdr.version--;
	m.hdr.type = 999;
	assert_int_equal(esp_proto_check(&m, sizeof(m), 1), -EBADMSG);
	ike.hdr = (struct esp_hdr){.len = offsetof(struct esp_msg_ike, bytes),
				   .type = ESP_IKE,
				   .version = ESP_PROTO_VERSION};
	assert_int_equal(esp_proto_check(&ike, ike.hdr.len, 0), 0);
	assert_int_equal(esp_proto_check(&ike, ike.hdr.len, 1), -EBADMSG);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_bad_requests_are_refused),
		TEST(test_newest_outbound_sa_is_used),
		TEST(test_update_keeps_numbers_and_window),
		TEST(test_a_tunnel_has_a_limit_of_sas),
		TEST(test_an_spi_belongs_to_one_tunnel),
		TEST(test_soft_limits_lie_in_the_last_quarter_and_differ),
		TEST(test_malformed_messages_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
