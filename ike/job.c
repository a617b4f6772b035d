/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ike/job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ike/crypto.h"
#include "ike/engine.h"
#include "lib/alloc.h"
#include "lib/secret.h"

uint64_t ike_job_submit(struct ike *ike, uint64_t sa_id, uint16_t group,
			const uint8_t priv[IKE_DH_PRIVATE_LEN], const void *peer,
			size_t peer_len)
{
	struct ike_job *job = ed_alloc(sizeof(*job));
	struct ike_action *act;

	job->id = ++ike->next_job;
	job->sa_id = sa_id;
	job->group = group;
	memcpy(job->priv, priv, IKE_DH_PRIVATE_LEN);
	job->agree = peer != NULL;
	if (peer && peer_len && peer_len <= sizeof(job->peer)) {
		memcpy(job->peer, peer, peer_len);
		job->peer_len = peer_len;
	}
	job->err = -EIO; /* unless ike_job_run() says better */
	act = ike_out_add(&ike->out, IKE_ACT_JOB, NULL);
	act->sa_id = sa_id;
	act->u.job = job;
	return job->id;
}

void ike_job_run(struct ike_job *job)
{
	job->pub_len = ike_crypto_dh_public_len(job->group);
	job->err = ike_crypto_dh_public(job->group, job->priv, job->pub);
	if (!job->err && job->agree)
		job->err = ike_crypto_dh_shared(job->group, job->priv, job->peer,
						job->peer_len, job->shared,
						&job->shared_len);
}

void ike_job_free(struct ike_job *job)
{
	if (!job)
		return;
	secret_wipe(job, sizeof(*job));
	free(job);
}
