/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify - tell the service manager that this helper is ready and alive
 *
 * The protocol of sd_notify(3), spoken directly: it is the stable interface. For
 * the programs beside edged; edged itself also keeps descriptors there
 * (edged/fdstore.h). The watchdog answers from the loop: a loop that hangs in a
 * handler is seen, one that waits is not.
 *
 * Without a manager (NOTIFY_SOCKET unset) every call is a cheap no-op.
 */
#ifndef ED_LIB_NOTIFY_H
#define ED_LIB_NOTIFY_H

#include <stdint.h>

struct loop;
struct notify;

/*
 * Take in NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID and clear them, so that
 * no child sees them. Call it before privileges and name spaces change.
 */
struct notify *notify_new(void);

/* Close and free; NULL is allowed. The loop must still be there. */
void notify_free(struct notify *n);

/* The start is done; from now on loop answers the watchdog, where one is asked for. */
void notify_ready(struct notify *n, struct loop *loop);

/* The stop has begun. */
void notify_stopping(struct notify *n);

/* A line for `systemctl status`. */
void notify_status(struct notify *n, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Microseconds between two answers at most, 0 when none is asked for. */
int64_t notify_watchdog_us(const struct notify *n);

#endif
