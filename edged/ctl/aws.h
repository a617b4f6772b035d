/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * aws - the description of an AWS Site-to-Site VPN connection
 *
 * Two forms are read: the XML that the EC2 API calls CustomerGatewayConfiguration,
 * and the JSON of the AWS CLI that holds it as a string (describe-vpn-connections,
 * create-vpn-connection, or the string alone).
 *
 * Of it we take where the tunnels go, their inside addresses, the AS numbers and
 * the secrets. Its ciphers are the weakest that AWS speaks and are not looked at:
 * the preset `aws` says better ones.
 *
 * The file may come from anybody. A document type is refused, so no entity is
 * ever expanded; size, depth and the length of a value are bounded; what is
 * missing, doubled or does not fit together is refused with its place.
 */
#ifndef ED_EDGED_CTL_AWS_H
#define ED_EDGED_CTL_AWS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

struct secret;

enum aws_limits {
	AWS_FILE_MAX = 1 << 20, /* bytes */
	AWS_DEPTH_MAX = 16, /* elements in each other; AWS has 5 */
	AWS_VALUE_MAX = 256, /* bytes of a value with its NUL */
	AWS_TUNNELS = 2,
	AWS_KEY_MIN = 8, /* characters of a pre-shared key, as AWS demands */
	AWS_KEY_MAX = 64,
};

struct aws_tunnel {
	struct addr outside; /* AWS's end */
	struct prefix inside; /* ours, with host bits */
	struct addr inside_peer;
	struct secret *secret;
};

struct aws_vpn {
	char id[AWS_VALUE_MAX]; /* "vpn-0123456789abcdef0" */
	struct addr customer; /* our end, as AWS knows it */
	uint64_t asn; /* AWS's; 0: static routing */
	uint64_t our_asn; /* 0: static routing */
	uint64_t hold_s; /* BGP */
	struct aws_tunnel tunnels[AWS_TUNNELS]; /* by outside address */
};

/* Why a file is refused. */
struct aws_error {
	unsigned int line; /* 0: the file as a whole */
	unsigned int column;
	char text[512];
};

/*
 * Read len bytes. connection names the one that is meant where a file holds
 * several, else NULL.
 *
 * Returns 0 with *ret for ctl_aws_fini(), or -EINVAL with the reason in *err.
 */
int ctl_aws_read(const char *bytes, size_t len, const char *connection,
		 struct aws_vpn *ret, struct aws_error *err);

/* Wipe and free what vpn holds. */
void ctl_aws_fini(struct aws_vpn *vpn);

#endif
