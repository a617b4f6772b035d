/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fdstore - descriptors that the service manager keeps
 *
 * The protocol of sd_listen_fds(3), spoken directly: it is the stable interface;
 * lib/notify.h has the manager's ear. Descriptors that must outlive this process (IKE sockets,
 * TUN devices) are put into the manager's store under a name and come back in
 * LISTEN_FDS at the next start. tests/lab/keeper speaks the same.
 *
 * Without a manager (NOTIFY_SOCKET unset) every call is a cheap no-op, so
 * callers never ask.
 */
#ifndef ED_EDGED_FDSTORE_H
#define ED_EDGED_FDSTORE_H

#include <stdbool.h>
#include <stdint.h>

struct fdstore;
struct notify;

enum {
	FDSTORE_FIRST_FD = 3, /* sd_listen_fds(3): SD_LISTEN_FDS_START */
	FDSTORE_MAX =
		16384, /* descriptors taken in; FileDescriptorStoreMax= is below */
	FDSTORE_NAME_MAX = 255, /* sd_notify(3): longest FDNAME */
};

/*
 * Take in what the environment passes (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES) and
 * clear these variables, so that no child sees them. The descriptors become
 * close-on-exec. notify is borrowed.
 */
struct fdstore *fdstore_new(struct notify *notify);

/* Close what nobody took and free; NULL is allowed. The manager keeps its copies. */
void fdstore_free(struct fdstore *fs);

/*
 * The kept descriptor of that name. It is the caller's to close; the manager
 * keeps its duplicate until fdstore_remove().
 *
 * Returns the descriptor, or -ENOENT.
 */
int fdstore_take(struct fdstore *fs, const char *name);

/*
 * Offer each kept descriptor whose name begins with prefix to take(); those for
 * which it returns true are its own from then on.
 */
void fdstore_take_each(struct fdstore *fs, const char *prefix,
		       bool (*take)(void *ctx, const char *name, int fd), void *ctx);

/*
 * Give the manager a duplicate of fd under name. The same descriptor again is
 * no second one; another one under a name in use wants fdstore_remove() first.
 *
 * Returns 0, -ENOTCONN without a manager, -EINVAL for a name the protocol
 * cannot carry, -ENOSPC when the manager has told how much it keeps and that is
 * all in use (said once), or what sendmsg(2) says.
 */
int fdstore_put(struct fdstore *fs, const char *name, int fd);

/* Have the manager close what it keeps under name. */
void fdstore_remove(struct fdstore *fs, const char *name);

/*
 * Descriptors that came with the start and nobody has taken: close them and
 * have the manager forget them. Called once everything is built.
 *
 * Returns how many there were.
 */
unsigned int fdstore_drop_unclaimed(struct fdstore *fs);

#endif
