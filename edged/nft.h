/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nft - hands batches to the nft program, without ever waiting for it
 *
 * One batch runs at a time; while it runs, the newest given waits and older ones
 * are forgotten (each batch is the whole table). A refused or failed batch
 * changed nothing in the kernel; it is tried again after 5 s.
 */
#ifndef ED_EDGED_NFT_H
#define ED_EDGED_NFT_H

#include <stdbool.h>
#include <stddef.h>

struct json_t;
struct loop;
struct nft;

/* After each batch: err 0, or a negative errno with nft's own words. */
typedef void (*nft_done)(void *ctx, int err, const char *why);

/* done may be NULL. */
struct nft *nft_new(struct loop *loop, nft_done done, void *ctx);

/* Stop; what runs is cut off. NULL is allowed. */
void nft_free(struct nft *n);

/* Apply a batch (routing/classify/nft.h); takes over the reference. */
void nft_apply(struct nft *n, struct json_t *batch);

/* True when the last batch given is in the kernel. */
bool nft_settled(const struct nft *n);

/*
 * Apply a batch and wait, or with check only have it checked: for --down and
 * "edgectl check". Takes over the reference. why (cap bytes, at least 1) gets
 * nft's words.
 *
 * Returns 0, -ENOENT when there is no nft program, -EINVAL when it refused,
 * -ETIMEDOUT.
 */
int nft_run_wait(struct json_t *batch, bool check, char *why, size_t cap);

#endif
