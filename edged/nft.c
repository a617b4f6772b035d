/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/nft.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/alloc.h"
#include "lib/child.h"
#include "lib/log.h"
#include "lib/loop.h"

enum {
	TIMEOUT_MS = 10000,
	RETRY_US = 5 * 1000 * 1000,
	OUTPUT_MAX = 4096,
};

struct nft {
	struct loop *loop;
	nft_done done;
	void *ctx;
	struct child *running;
	struct loop_timer retry;
	json_t *current; /* runs, or failed and waits for its next try */
	json_t *next; /* newer than current */
	bool failed; /* the last one was refused: told once */
};

static struct child_spec spec_of(const char *text, bool check)
{
	static const char *const apply[] = {"nft", "-j", "-f", "-", NULL};
	static const char *const dry[] = {"nft", "-c", "-j", "-f", "-", NULL};

	return (struct child_spec){.argv = check ? dry : apply,
				   .input = text,
				   .input_len = strlen(text),
				   .timeout_ms = TIMEOUT_MS,
				   .output_max = OUTPUT_MAX};
}

/* 0, or the negative errno of a run of nft. */
static int error_of(int status)
{
	return status <= 0 ? status : -EINVAL;
}

static void run_current(struct nft *n);

static void on_retry(void *ctx, struct mono now)
{
	(void)now;
	run_current(ctx);
}

/* What is newest: the waiting batch takes the place of the present one. */
static void advance(struct nft *n)
{
	json_decref(n->current);
	n->current = n->next;
	n->next = NULL;
}

static void on_done(void *ctx, int status, const char *output, size_t len)
{
	struct nft *n = ctx;
	int err = error_of(status);
	const char *why = len ? output : strerror(-err);

	n->running = NULL;
	if (err && !n->failed)
		ed_error("nft",
			 "the packet filter was refused, the former one stays: %s",
			 why);
	else if (!err && n->failed)
		ed_info("nft", "the packet filter is in place");
	n->failed = err != 0;
	if (!err || n->next)
		advance(n);
	if (n->done)
		n->done(n->ctx, err, err ? why : "");
	if (n->current && !n->running) {
		if (err)
			loop_timer_at(n->loop, &n->retry,
				      mono_add_us(loop_now(n->loop), RETRY_US),
				      on_retry, n);
		else
			run_current(n);
	}
}

static void run_current(struct nft *n)
{
	char *text = json_dumps(n->current, JSON_COMPACT);
	struct child_spec spec = spec_of(text, false);

	loop_timer_stop(&n->retry);
	n->running = child_run(n->loop, &spec, on_done, n);
	free(text);
}

struct nft *nft_new(struct loop *loop, nft_done done, void *ctx)
{
	struct nft *n = ed_alloc(sizeof(*n));

	n->loop = loop;
	n->done = done;
	n->ctx = ctx;
	return n;
}

void nft_free(struct nft *n)
{
	if (!n)
		return;
	child_cancel(n->running);
	loop_timer_stop(&n->retry);
	json_decref(n->current);
	json_decref(n->next);
	free(n);
}

void nft_apply(struct nft *n, struct json_t *batch)
{
	json_decref(n->next);
	n->next = batch;
	if (n->running)
		return;
	advance(n);
	run_current(n);
}

bool nft_settled(const struct nft *n)
{
	return !n->current && !n->next;
}

int nft_run_wait(struct json_t *batch, bool check, char *why, size_t cap)
{
	char *text = json_dumps(batch, JSON_COMPACT);
	struct child_spec spec = spec_of(text, check);
	int err = error_of(child_run_wait(&spec, why, cap));

	if (err && !why[0])
		snprintf(why, cap, "nft: %s", strerror(-err));
	free(text);
	json_decref(batch);
	return err;
}
