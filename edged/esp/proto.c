/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/esp/proto.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* One row a type: who sends it, and how long it is. */
/* clang-format off */
static const struct {
	uint16_t type;
	bool to_esp;
	size_t len;
} types[] = {
	{ ESP_SOCKET_SET,  true,  sizeof(struct esp_msg_socket) },
	{ ESP_SOCKET_DEL,  true,  sizeof(struct esp_msg_socket) },
	{ ESP_TUNNEL_SET,  true,  sizeof(struct esp_msg_tunnel) },
	{ ESP_TUNNEL_DEL,  true,  sizeof(struct esp_msg_tunnel) },
	{ ESP_SA_ADD,      true,  sizeof(struct esp_msg_sa) },
	{ ESP_SA_UPDATE,   true,  sizeof(struct esp_msg_sa) },
	{ ESP_SA_DEL,      true,  sizeof(struct esp_msg_sa) },
	{ ESP_DUMP,        true,  sizeof(struct esp_msg_plain) },
	{ ESP_HELLO,       false, sizeof(struct esp_msg_hello) },
	{ ESP_ACK,         false, sizeof(struct esp_msg_ack) },
	{ ESP_INFO_SOCKET, false, sizeof(struct esp_msg_socket) },
	{ ESP_INFO_TUNNEL, false, sizeof(struct esp_msg_tunnel) },
	{ ESP_INFO_SA,     false, sizeof(struct esp_msg_sa) },
	{ ESP_DUMP_END,    false, sizeof(struct esp_msg_plain) },
	{ ESP_EXPIRE,      false, sizeof(struct esp_msg_expire) },
	{ ESP_MAPPING,     false, sizeof(struct esp_msg_mapping) },
};
/* clang-format on */

int esp_proto_check(const void *msg, size_t len, int to_esp)
{
	struct esp_hdr hdr;

	if (len < sizeof(hdr))
		return -EBADMSG;
	memcpy(&hdr, msg, sizeof(hdr));
	if (hdr.len != len || hdr.version != ESP_PROTO_VERSION)
		return -EBADMSG;
	if (hdr.type == ESP_IKE)
		return !to_esp && len >= offsetof(struct esp_msg_ike, bytes) &&
				       len <= offsetof(struct esp_msg_ike, bytes) +
						       ESP_IKE_MAX
			       ? 0
			       : -EBADMSG;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == hdr.type)
			return types[i].to_esp == !!to_esp && types[i].len == len
				       ? 0
				       : -EBADMSG;
	return -EBADMSG;
}
