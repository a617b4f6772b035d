/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify - tell the service manager that this program is ready and alive
 *
 * The protocol of sd_notify(3), spoken directly: it is the stable interface. The
 * watchdog is answered from the loop: a loop that hangs in a handler is seen, one
 * that waits is not. A manager whose queue is full is waited for once; while it stays
 * full, messages get lost.
 *
 * Without a manager (NOTIFY_SOCKET unset) every call is a cheap no-op.
 */
#ifndef ED_LIB_NOTIFY_H
#define ED_LIB_NOTIFY_H

#include <stdint.h>

struct loop;
struct notify;

enum {
	NOTIFY_WAIT_MS = 500, /* for a manager whose queue is full */
	NOTIFY_READY_TRIES = 20,
};

/*
 * Take in NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and clear them, so that
 * no child sees them. Call it before privileges and name spaces change.
 */
struct notify *notify_new(void);

/* Close and free; NULL is allowed. The loop must still be there. */
void notify_free(struct notify *n);

/*
 * The start is done, which is waited for up to NOTIFY_READY_TRIES times as long: a
 * start whose READY=1 gets lost fails. From now on loop answers the watchdog,
 * where one is asked for.
 */
void notify_ready(struct notify *n, struct loop *loop);

/* The configuration is read again, and that is done. */
void notify_reloading(struct notify *n);
void notify_reloaded(struct notify *n);

/* The stop has begun. */
void notify_stopping(struct notify *n);

/* A line for `systemctl status`. */
void notify_status(struct notify *n, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Microseconds between two answers at most, 0 when none is asked for. */
int64_t notify_watchdog_us(const struct notify *n);

/*
 * One message in the manager's words, with a duplicate of fd unless it is -1.
 *
 * Returns 0, -ENOTCONN without a manager, -EAGAIN when its queue is full, or what
 * sendmsg(2) says.
 */
int notify_send(struct notify *n, const char *state, int fd);

#endif
