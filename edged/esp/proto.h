/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proto - what edged and edge-esp say to each other
 *
 * A SOCK_SEQPACKET Unix socket, DIR/esp.sock, edge-esp listening. One packet is
 * one message: a fixed structure in host byte order that begins with struct
 * esp_hdr. hdr.len is the packet's length and must fit the type exactly
 * (ESP_IKE: its fixed part and the datagram). Descriptors travel with the
 * message that names them (SCM_RIGHTS), at most one a message.
 *
 *	edged                               edge-esp
 *	  |<------------- ESP_HELLO + counters fd |  on connect
 *	  | ESP_DUMP ---------------------------->|
 *	  |<-- ESP_INFO_{SOCKET,TUNNEL+fd,SA} ... |
 *	  |<---------------------- ESP_DUMP_END   |
 *	  | ESP_SOCKET_SET + fd ----------------->|
 *	  | ESP_TUNNEL_SET + fd ----------------->|
 *	  | ESP_SA_ADD in, out ------------------>|
 *	  |<-- ESP_ACK {seq, error} for each      |
 *	  |<-- ESP_IKE, ESP_EXPIRE, ESP_MAPPING   |  at any time
 *
 * edge-esp checks every request against its own tables, as if the sender were
 * hostile: a wrong one is answered with an error, a malformed packet ends the
 * connection. A new connection replaces the old one. Without a connection
 * edge-esp works on with what it has and keeps a bounded number of IKE
 * datagrams and events for the next edged.
 *
 * The counters are a sealed memory file of ESP_SLOTS_MAX struct esp_counters,
 * indexed by slot, written by edge-esp only, read by edged without a question.
 */
#ifndef ED_EDGED_ESP_PROTO_H
#define ED_EDGED_ESP_PROTO_H

#include <stddef.h>
#include <stdint.h>

enum {
	ESP_PROTO_VERSION = 1,
	ESP_SLOTS_MAX = 10000, /* tunnels */
	ESP_SOCKETS_MAX = 256, /* uplinks and families */
	ESP_TUNNEL_SAS_MAX = 16, /* both directions, rekey overlap included */
	ESP_KEY_MAX = 36, /* AES-256 key and salt */
	ESP_IKE_MAX = 65535, /* bytes of one IKE datagram */
};

enum esp_type {
	/* edged to edge-esp */
	ESP_SOCKET_SET = 1,
	ESP_SOCKET_DEL,
	ESP_TUNNEL_SET,
	ESP_TUNNEL_DEL,
	ESP_SA_ADD,
	ESP_SA_UPDATE,
	ESP_SA_DEL,
	ESP_DUMP,
	/* edge-esp to edged */
	ESP_HELLO = 64,
	ESP_ACK,
	ESP_INFO_SOCKET,
	ESP_INFO_TUNNEL,
	ESP_INFO_SA,
	ESP_DUMP_END,
	ESP_IKE,
	ESP_EXPIRE,
	ESP_MAPPING,
};

enum esp_dir { ESP_DIR_IN = 1, ESP_DIR_OUT };

enum esp_cipher { ESP_AES128_GCM16 = 1, ESP_AES256_GCM16 };

struct esp_hdr {
	uint32_t len; /* of the whole packet */
	uint16_t type;
	uint16_t version;
	uint32_t seq; /* request's number, comes back in ESP_ACK */
	uint32_t reserved;
};

struct esp_endpoint {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t reserved;
	uint16_t port;
	uint8_t addr[16];
};

/* ESP_SOCKET_SET (with the UDP socket), ESP_INFO_SOCKET; SOCKET_DEL: id only */
struct esp_msg_socket {
	struct esp_hdr hdr;
	uint32_t id;
	struct esp_endpoint local;
};

/* ESP_TUNNEL_SET and ESP_INFO_TUNNEL (with the TUN), ESP_TUNNEL_DEL */
struct esp_msg_tunnel {
	struct esp_hdr hdr;
	uint32_t slot;
	uint32_t reserved;
};

/*
 * ESP_SA_ADD; ESP_SA_UPDATE (socket, local and remote change), ESP_SA_DEL
 * (slot, dir, spi), ESP_INFO_SA: all without key bytes.
 */
struct esp_msg_sa {
	struct esp_hdr hdr;
	uint32_t slot;
	uint32_t spi;
	uint32_t socket;
	uint8_t dir;
	uint8_t cipher;
	uint16_t reserved;
	struct esp_endpoint local;
	struct esp_endpoint remote;
	uint8_t key[ESP_KEY_MAX];
};

/* ESP_DUMP, ESP_DUMP_END */
struct esp_msg_plain {
	struct esp_hdr hdr;
};

struct esp_msg_hello {
	struct esp_hdr hdr;
	uint64_t instance; /* random; another one means every SA is new */
};

struct esp_msg_ack {
	struct esp_hdr hdr;
	int32_t error; /* 0 or a negative errno */
	uint32_t reserved;
};

struct esp_msg_ike {
	struct esp_hdr hdr;
	uint32_t socket;
	struct esp_endpoint remote;
	uint8_t bytes[]; /* hdr.len - offsetof(bytes), without the marker */
};

/* ESP_EXPIRE: hard is 1 when the SA carries nothing any more */
struct esp_msg_expire {
	struct esp_hdr hdr;
	uint32_t slot;
	uint32_t spi;
	uint8_t dir;
	uint8_t hard;
	uint16_t reserved;
};

/* ESP_MAPPING: an authenticated packet of spi came from remote */
struct esp_msg_mapping {
	struct esp_hdr hdr;
	uint32_t slot;
	uint32_t spi;
	struct esp_endpoint remote;
};

struct esp_counters {
	uint64_t rx_packets;
	uint64_t rx_bytes;
	uint64_t tx_packets;
	uint64_t tx_bytes;
	uint64_t rx_replay;
	uint64_t rx_auth;
	uint64_t rx_bad;
	uint64_t tx_dropped;
};

#define ESP_COUNTERS_SIZE (sizeof(struct esp_counters) * ESP_SLOTS_MAX)

/*
 * Check what was received in len bytes against its type: version, length and
 * direction (to_esp: one of edged's requests). Values are checked by whom they
 * concern. Returns 0 or -EBADMSG.
 */
int esp_proto_check(const void *msg, size_t len, int to_esp);

#endif
