/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * login - checks passwords in a thread of its own, few at a time
 *
 * A password hash costs about 60 ms of a core and 16 MiB on purpose. One thread at
 * the lowest priority does them one after the other, at most LOGIN_RATE_MS apart
 * over time, and LOGIN_QUEUE wait: a flood of logins from however many addresses
 * costs a quarter of a core at most, and nothing of the loop's time.
 */
#ifndef ED_WEBUI_LOGIN_H
#define ED_WEBUI_LOGIN_H

#include <stdbool.h>

struct loop;
struct login;

enum login_limits {
	LOGIN_QUEUE = 16,
	LOGIN_BURST = 8,
	LOGIN_RATE_MS = 250,
};

/* NULL when there can be no thread. */
struct login *login_new(struct loop *loop);

/* Checks that wait are forgotten: done is not called. NULL is allowed. */
void login_free(struct login *l);

typedef void (*login_done)(void *ctx, bool ok);

/*
 * Check a password against a hash (NULL: no such user; takes as long, is false).
 * Both are copied, and wiped afterwards.
 *
 * Returns 0, done is called from the loop; -EBUSY: too many wait.
 */
int login_check(struct login *l, const char *password, const char *hash,
		login_done done, void *ctx);

#endif
