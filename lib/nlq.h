/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nlq - builds one netlink request, so that code reads like the message
 *
 * The builder remembers overflow: put everything, then give it to
 * nlsock_call(), which answers -EMSGSIZE for an overflown one.
 */
#ifndef ED_LIB_NLQ_H
#define ED_LIB_NLQ_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define NLQ_SIZE 8192

struct nlq {
	struct nlmsghdr *nlh;
	bool overflow;
	/* Some family headers hold 64 bit numbers (struct xfrm_usersa_info). */
	char buf[NLQ_SIZE] __attribute__((aligned(8)));
};

/* Start a request; returns its zeroed family header of hdr_size bytes. */
static inline void *nlq_init(struct nlq *q, uint16_t type, uint16_t flags,
			     size_t hdr_size)
{
	q->overflow = false;
	q->nlh = mnl_nlmsg_put_header(q->buf);
	q->nlh->nlmsg_type = type;
	q->nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	return mnl_nlmsg_put_extra_header(q->nlh, hdr_size);
}

static inline void nlq_put(struct nlq *q, uint16_t attr, const void *data, size_t len)
{
	if (q->overflow || !mnl_attr_put_check(q->nlh, NLQ_SIZE, attr, len, data))
		q->overflow = true;
}

static inline void nlq_u8(struct nlq *q, uint16_t attr, uint8_t v)
{
	nlq_put(q, attr, &v, sizeof(v));
}

static inline void nlq_u16(struct nlq *q, uint16_t attr, uint16_t v)
{
	nlq_put(q, attr, &v, sizeof(v));
}

static inline void nlq_u32(struct nlq *q, uint16_t attr, uint32_t v)
{
	nlq_put(q, attr, &v, sizeof(v));
}

static inline void nlq_u64(struct nlq *q, uint16_t attr, uint64_t v)
{
	nlq_put(q, attr, &v, sizeof(v));
}

/* With the NUL behind it. */
static inline void nlq_str(struct nlq *q, uint16_t attr, const char *s)
{
	nlq_put(q, attr, s, strlen(s) + 1);
}

/* An attribute without value. */
static inline void nlq_flag(struct nlq *q, uint16_t attr)
{
	nlq_put(q, attr, NULL, 0);
}

static inline struct nlattr *nlq_nest(struct nlq *q, uint16_t attr)
{
	struct nlattr *nest;

	if (q->overflow)
		return NULL;
	nest = mnl_attr_nest_start_check(q->nlh, NLQ_SIZE, attr);
	if (!nest)
		q->overflow = true;
	return nest;
}

static inline void nlq_nest_end(struct nlq *q, struct nlattr *nest)
{
	if (nest && !q->overflow)
		mnl_attr_nest_end(q->nlh, nest);
}

/* libmnl's own loops trip -Wconversion; these are the same without it. */
#define nlq_for_each(attr, nlh, offset)                                                \
	for ((attr) = mnl_nlmsg_get_payload_offset((nlh), (offset));                   \
	     mnl_attr_ok((attr), (int)((const char *)mnl_nlmsg_get_payload_tail(nlh) - \
				       (const char *)(attr)));                         \
	     (attr) = mnl_attr_next(attr))

#define nlq_for_each_nested(attr, nest)                                           \
	for ((attr) = mnl_attr_get_payload(nest);                                 \
	     mnl_attr_ok((attr), (int)((const char *)mnl_attr_get_payload(nest) + \
				       mnl_attr_get_payload_len(nest) -           \
				       (const char *)(attr)));                    \
	     (attr) = mnl_attr_next(attr))

#endif
