/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages as edged might send them: each a length byte and that many bytes of
 * a message, checked and carried out on a table with a socket and two tunnels.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "edged/esp/sa.h"
#include "lib/rng.h"

static struct esp_counters counters[ESP_SLOTS_MAX];
static struct esp_table table;

static void carry_out(const void *bytes, size_t len)
{
	union {
		struct esp_hdr hdr;
		struct esp_msg_sa sa;
		struct esp_msg_socket socket;
		struct esp_msg_tunnel tunnel;
		uint8_t bytes[256];
	} m = {.bytes = {0}};
	struct esp_socket *s;
	struct esp_tunnel *t;

	if (esp_proto_check(bytes, len, 1) < 0)
		return;
	memcpy(m.bytes, bytes, len);
	switch (m.hdr.type) {
	case ESP_SOCKET_SET:
		if (!esp_table_socket(&table, m.socket.id) &&
		    esp_table_socket_add(&table, &m.socket, -1, &s) == 0)
			s->fd = open("/dev/null", O_RDWR);
		break;
	case ESP_SOCKET_DEL:
		s = esp_table_socket(&table, m.socket.id);
		if (s)
			esp_table_socket_del(&table, s);
		break;
	case ESP_TUNNEL_SET:
		if (esp_table_tunnel_add(&table, m.tunnel.slot, -1, &t) == 0)
			t->fd = open("/dev/null", O_RDWR);
		break;
	case ESP_TUNNEL_DEL:
		t = esp_table_tunnel(&table, m.tunnel.slot);
		if (t)
			esp_table_tunnel_del(&table, t);
		break;
	case ESP_SA_ADD:
		(void)esp_table_sa_add(&table, &m.sa);
		break;
	case ESP_SA_UPDATE:
		(void)esp_table_sa_update(&table, &m.sa);
		break;
	case ESP_SA_DEL:
		(void)esp_table_sa_del(&table, &m.sa);
		break;
	default:
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rng rng = rng_seeded(1);

	esp_table_init(&table, counters, &rng);
	while (size > 1) {
		size_t n = data[0] < size - 1 ? data[0] : size - 1;
		uint8_t *msg = malloc(n + 1);

		memcpy(msg, data + 1, n);
		carry_out(msg, n);
		free(msg);
		data += 1 + n;
		size -= 1 + n;
	}
	esp_table_fini(&table);
	return 0;
}
