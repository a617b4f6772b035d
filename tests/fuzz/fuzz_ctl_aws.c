/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The description of a VPN connection, XML or JSON. What is refused has a reason that
 * is safe to show; what is taken is whole and in order.
 */
#include "config.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "edged/ctl/aws.h"
#include "lib/secret.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct aws_error why;
	struct aws_vpn vpn;
	int err = ctl_aws_read((const char *)data, size, NULL, &vpn, &why);

	if (err < 0) {
		assert(err == -EINVAL && *why.text);
		assert((why.line == 0) == (why.column == 0));
		return 0;
	}
	assert(*vpn.id && !strpbrk(vpn.id, "\n#:\" "));
	assert((vpn.asn == 0) == (vpn.our_asn == 0));
	assert(addr_compare(&vpn.tunnels[0].outside, &vpn.tunnels[1].outside) < 0);
	for (size_t i = 0; i < AWS_TUNNELS; i++) {
		const struct aws_tunnel *t = &vpn.tunnels[i];
		struct prefix net = prefix_of(&t->inside.addr, t->inside.len);

		assert(t->secret->len >= AWS_KEY_MIN && t->secret->len <= AWS_KEY_MAX);
		for (size_t k = 0; k < t->secret->len; k++)
			assert(t->secret->bytes[k] >= ' ' &&
			       t->secret->bytes[k] < 0x7f);
		assert(prefix_contains(&net, &t->inside_peer));
		assert(t->outside.family == vpn.customer.family);
	}
	ctl_aws_fini(&vpn);
	return 0;
}
