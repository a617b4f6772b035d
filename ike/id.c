/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/id.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "ike/constants.h"
#include "lib/text.h"

enum { RANK_EXACT = 100000 };

struct ike_id ike_id_from_addr(const struct addr *a)
{
	struct ike_id id = {0};

	if (a->family) {
		id.type = a->family == AF_INET ? IKE_ID_IPV4 : IKE_ID_IPV6;
		id.len = (uint8_t)addr_size(a->family);
		memcpy(id.data, a->b, id.len);
	}
	return id;
}

int ike_id_parse(const char *text, struct ike_id *ret)
{
	struct ike_id id = {0};
	struct addr a;
	size_t len;

	if (addr_parse(text, &a) == 0) {
		*ret = ike_id_from_addr(&a);
		return 0;
	}
	id.type = IKE_ID_FQDN;
	if (text[0] == '@')
		text++;
	else if (strchr(text, '@'))
		id.type = IKE_ID_RFC822;
	len = strlen(text);
	if (!len || len > IKE_ID_MAX)
		return -EINVAL;
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)text[i]))
			return -EINVAL;
	id.len = (uint8_t)len;
	memcpy(id.data, text, len);
	*ret = id;
	return 0;
}

int ike_id_decode(struct rbuf body, struct ike_id *ret)
{
	struct ike_id id = {0};
	size_t len;

	id.type = rbuf_u8(&body);
	rbuf_skip(&body, 3);
	len = rbuf_left(&body);
	if (!rbuf_ok(&body) || !len || !id.type)
		return -EBADMSG;
	if (len > IKE_ID_MAX)
		return -E2BIG;
	if ((id.type == IKE_ID_IPV4 && len != 4) ||
	    (id.type == IKE_ID_IPV6 && len != 16))
		return -EBADMSG;
	id.len = (uint8_t)len;
	rbuf_bytes(&body, id.data, len);
	*ret = id;
	return 0;
}

void ike_id_format(const struct ike_id *id, char *buf, size_t cap)
{
	struct text t = text_init(buf, cap);
	char addr[ADDR_STRLEN];
	struct addr a;

	switch (id->type) {
	case 0:
		text_add(&t, "none");
		break;
	case IKE_ID_IPV4:
	case IKE_ID_IPV6:
		a = addr_from_bytes(id->type == IKE_ID_IPV4 ? AF_INET : AF_INET6,
				    id->data);
		text_add(&t, "%s", addr_format(&a, addr));
		break;
	case IKE_ID_FQDN:
	case IKE_ID_RFC822:
		text_escape(&t, id->data, id->len);
		break;
	default: /* binary: a DN, a key id, or of an unknown type */
		text_add(&t, "type %u:", id->type);
		for (uint8_t i = 0; i < id->len; i++)
			text_add(&t, "%02x", id->data[i]);
		break;
	}
}

static bool is_name(uint8_t type)
{
	return type == IKE_ID_FQDN || type == IKE_ID_RFC822;
}

static bool same_bytes(const uint8_t *a, const char *b, size_t len)
{
	return !len || strncasecmp((const char *)a, b, len) == 0;
}

bool ike_id_equal(const struct ike_id *a, const struct ike_id *b)
{
	if (a->type != b->type || a->len != b->len)
		return false;
	if (is_name(a->type))
		return same_bytes(a->data, (const char *)b->data, a->len);
	return memcmp(a->data, b->data, a->len) == 0;
}

/* Letters, digits, and what people put between them: as the names of a file. */
static bool copy_label(char label[IKE_LABEL_MAX + 1], const uint8_t *p, size_t len)
{
	if (!len || len > IKE_LABEL_MAX || !isalnum(p[0]))
		return false;
	for (size_t i = 0; i < len; i++) {
		if (!isalnum(p[i]) && p[i] != '-' && p[i] != '_' && p[i] != '.' &&
		    p[i] != ':')
			return false;
		label[i] = (char)p[i];
	}
	label[len] = '\0';
	return true;
}

bool ike_id_match(const char *pattern, const struct ike_id *id,
		  char label[IKE_LABEL_MAX + 1])
{
	const char *star = strchr(pattern, '*');
	struct ike_id want;
	size_t before;
	size_t after;

	label[0] = '\0';
	if (!star)
		return ike_id_parse(pattern, &want) == 0 && ike_id_equal(&want, id);
	if (strcmp(pattern, "*") == 0) {
		/* A name or an address is its own label where it can be one. */
		char text[IKE_LABEL_MAX + 1];

		ike_id_format(id, text, sizeof(text));
		if (!copy_label(label, (const uint8_t *)text, strlen(text)))
			label[0] = '\0';
		return true;
	}
	if (!is_name(id->type))
		return false;
	if (pattern[0] == '@')
		pattern++;
	before = (size_t)(star - pattern);
	after = strlen(star + 1);
	if (id->len <= before + after)
		return false;
	return same_bytes(id->data, pattern, before) &&
	       same_bytes(id->data + id->len - after, star + 1, after) &&
	       copy_label(label, id->data + before, id->len - before - after);
}

unsigned int ike_id_rank(const char *pattern)
{
	return (strchr(pattern, '*') ? 0 : RANK_EXACT) + (unsigned int)strlen(pattern);
}

int ike_id_check_pattern(const char *pattern)
{
	const char *star = strchr(pattern, '*');
	struct ike_id id;

	if (star && strchr(star + 1, '*'))
		return -EINVAL;
	return ike_id_parse(pattern, &id);
}
