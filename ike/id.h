/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_id - identities (RFC 7296 section 3.5) and patterns for them
 */
#ifndef ED_IKE_ID_H
#define ED_IKE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/limits.h"
#include "lib/addr.h"
#include "lib/rbuf.h"

struct ike_id {
	uint8_t type; /* IKE_ID_..., 0: none */
	uint8_t len;
	uint8_t data[IKE_ID_MAX];
};

/*
 * Read an identity as people write it: an IP address, "user@domain", else a
 * domain name; a leading '@' forces a domain name.
 *
 * Returns 0, or -EINVAL: empty, too long, or with characters that are no
 * printable ASCII.
 */
int ike_id_parse(const char *text, struct ike_id *id);

/* The identity that is an address. */
struct ike_id ike_id_from_addr(const struct addr *a);

/*
 * From the body of an ID payload.
 *
 * Returns 0, -EBADMSG for a length that its type cannot have, -E2BIG.
 */
int ike_id_decode(struct rbuf body, struct ike_id *id);

/* Print it, escaped and cut to cap. */
void ike_id_format(const struct ike_id *id, char *buf, size_t cap);

/* Equal in type and bytes; domain names without regard to case. */
bool ike_id_equal(const struct ike_id *a, const struct ike_id *b);

/*
 * Does id match pattern? A pattern is an identity as ike_id_parse() reads it,
 * or holds one '*', which stands for one or more bytes of a domain name (or
 * of user@domain); "*" alone matches every identity. What the '*' stood for
 * is put into label, empty without one; a label holds letters, digits, '-',
 * '_' and '.', or nothing matches.
 */
bool ike_id_match(const char *pattern, const struct ike_id *id,
		  char label[IKE_LABEL_MAX + 1]);

/*
 * How exactly a pattern names somebody: more is more exact. Of two that match,
 * the higher one wins.
 */
unsigned int ike_id_rank(const char *pattern);

/* Returns 0, or -EINVAL for what no identity could match. */
int ike_id_check_pattern(const char *pattern);

#endif
