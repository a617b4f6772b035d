/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routing/classify/dscp.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/alloc.h"

enum { DSCP_COUNT = 64 };

/* clang-format off */
static const char *const names[DSCP_COUNT] = {
	[0] = "CS0", [1] = "LE",
	[8] = "CS1", [10] = "AF11", [12] = "AF12", [14] = "AF13",
	[16] = "CS2", [18] = "AF21", [20] = "AF22", [22] = "AF23",
	[24] = "CS3", [26] = "AF31", [28] = "AF32", [30] = "AF33",
	[32] = "CS4", [34] = "AF41", [36] = "AF42", [38] = "AF43",
	[40] = "CS5", [44] = "VA", [46] = "EF", [48] = "CS6", [56] = "CS7",
};
/* clang-format on */

int rt_dscp_parse(const char *text)
{
	char *end;
	unsigned long v;

	for (int i = 0; i < DSCP_COUNT; i++) {
		if (names[i] && !strcasecmp(names[i], text))
			return i;
	}
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	v = strtoul(text, &end, 10);
	return errno || *end || v >= DSCP_COUNT ? -EINVAL : (int)v;
}

const char *rt_dscp_name(uint8_t dscp)
{
	return dscp < DSCP_COUNT ? names[dscp] : NULL;
}
