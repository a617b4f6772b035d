/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_job - one piece of public-key work
 *
 * A job holds copies of all it needs, so that it may run in another thread
 * while the SA it was made for changes or goes. It finds its way back by the
 * SA's id and its own number; a result nobody waits for is dropped.
 */
#ifndef ED_IKE_JOB_H
#define ED_IKE_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ike/ike.h"
#include "ike/limits.h"

struct ike_job {
	uint64_t id;
	uint64_t sa_id;
	uint16_t group;
	uint8_t priv[IKE_DH_PRIVATE_LEN];
	bool agree; /* the shared secret is wanted, not our public value alone */
	uint8_t peer[IKE_DH_PUBLIC_MAX];
	size_t peer_len;
	/* results */
	int err; /* 0, -EBADMSG for a bad value of the peer, -EIO */
	uint8_t pub[IKE_DH_PUBLIC_MAX];
	size_t pub_len;
	uint8_t shared[IKE_DH_SHARED_MAX];
	size_t shared_len;
};

/*
 * Emit a job for the SA: the public value of priv and, with peer not NULL, the
 * shared secret. A peer's value that is empty or too long is one more bad value:
 * the job comes back with -EBADMSG. Returns the job's number.
 */
uint64_t ike_job_submit(struct ike *ike, uint64_t sa_id, uint16_t group,
			const uint8_t priv[IKE_DH_PRIVATE_LEN], const void *peer,
			size_t peer_len);

#endif
