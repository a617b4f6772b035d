/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/constants.h"
#include "ike/payload.h"
#include "lib/alloc.h"

/* clang-format off */
static const struct {
	uint16_t type;
	const char *name;
} names[] = {
	{ IKE_N_UNSUPPORTED_CRITICAL,         "UNSUPPORTED_CRITICAL_PAYLOAD" },
	{ IKE_N_INVALID_IKE_SPI,              "INVALID_IKE_SPI" },
	{ IKE_N_INVALID_MAJOR_VERSION,        "INVALID_MAJOR_VERSION" },
	{ IKE_N_INVALID_SYNTAX,               "INVALID_SYNTAX" },
	{ IKE_N_INVALID_MESSAGE_ID,           "INVALID_MESSAGE_ID" },
	{ IKE_N_INVALID_SPI,                  "INVALID_SPI" },
	{ IKE_N_NO_PROPOSAL_CHOSEN,           "NO_PROPOSAL_CHOSEN" },
	{ IKE_N_INVALID_KE_PAYLOAD,           "INVALID_KE_PAYLOAD" },
	{ IKE_N_AUTHENTICATION_FAILED,        "AUTHENTICATION_FAILED" },
	{ IKE_N_SINGLE_PAIR_REQUIRED,         "SINGLE_PAIR_REQUIRED" },
	{ IKE_N_NO_ADDITIONAL_SAS,            "NO_ADDITIONAL_SAS" },
	{ IKE_N_INTERNAL_ADDRESS_FAILURE,     "INTERNAL_ADDRESS_FAILURE" },
	{ IKE_N_FAILED_CP_REQUIRED,           "FAILED_CP_REQUIRED" },
	{ IKE_N_TS_UNACCEPTABLE,              "TS_UNACCEPTABLE" },
	{ IKE_N_INVALID_SELECTORS,            "INVALID_SELECTORS" },
	{ IKE_N_TEMPORARY_FAILURE,            "TEMPORARY_FAILURE" },
	{ IKE_N_CHILD_SA_NOT_FOUND,           "CHILD_SA_NOT_FOUND" },
	{ IKE_N_INITIAL_CONTACT,              "INITIAL_CONTACT" },
	{ IKE_N_NAT_DETECTION_SOURCE_IP,      "NAT_DETECTION_SOURCE_IP" },
	{ IKE_N_NAT_DETECTION_DESTINATION_IP, "NAT_DETECTION_DESTINATION_IP" },
	{ IKE_N_COOKIE,                       "COOKIE" },
	{ IKE_N_USE_TRANSPORT_MODE,           "USE_TRANSPORT_MODE" },
	{ IKE_N_REKEY_SA,                     "REKEY_SA" },
};
/* clang-format on */

const char *ike_payload_notify_name(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].type == type)
			return names[i].name;
	return NULL;
}

const struct ike_notify *ike_payload_notify(const struct ike_chain *chain,
					    uint16_t type)
{
	for (size_t i = 0; i < chain->n_notify; i++)
		if (chain->notify[i].type == type)
			return &chain->notify[i];
	return NULL;
}

const struct ike_notify *ike_payload_error(const struct ike_chain *chain)
{
	for (size_t i = 0; i < chain->n_notify; i++)
		if (chain->notify[i].type < IKE_N_STATUS)
			return &chain->notify[i];
	return NULL;
}

void ike_payload_put_notify(struct ike_build *b, uint16_t type, const void *data,
			    size_t len)
{
	ike_build_begin(b, IKE_PLD_NOTIFY);
	wbuf_u8(&b->w, IKE_PROTO_NONE);
	wbuf_u8(&b->w, 0);
	wbuf_u16(&b->w, type);
	wbuf_bytes(&b->w, data, len);
	ike_build_end(b);
}

void ike_payload_put_notify_esp(struct ike_build *b, uint16_t type, uint32_t spi)
{
	ike_build_begin(b, IKE_PLD_NOTIFY);
	wbuf_u8(&b->w, IKE_PROTO_ESP);
	wbuf_u8(&b->w, IKE_ESP_SPI_LEN);
	wbuf_u16(&b->w, type);
	wbuf_u32(&b->w, spi);
	ike_build_end(b);
}
