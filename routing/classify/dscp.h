/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dscp - names of the code points of the DS field
 *
 * RFC 2474 (CS0 to CS7), RFC 2597 (AF11 to AF43), RFC 3246 (EF), RFC 5865
 * (VA), RFC 8622 (LE). Upper and lower case are the same.
 */
#ifndef ED_ROUTING_CLASSIFY_DSCP_H
#define ED_ROUTING_CLASSIFY_DSCP_H

#include <stdint.h>

/*
 * Read "EF", "af31", or a number from 0 to 63.
 *
 * Returns the code point, or -EINVAL.
 */
int rt_dscp_parse(const char *text);

/* The name of a code point, or NULL when it has none. */
const char *rt_dscp_name(uint8_t dscp);

#endif
