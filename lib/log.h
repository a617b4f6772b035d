/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log - one line a thing that happened: subject, what, the numbers that decided it
 *
 * Levels: error = somebody must act, warning = we coped, info = state changed,
 * debug. Lines go to standard error with systemd's <N> prefix when it is the
 * journal (JOURNAL_STREAM is set), with a local time stamp otherwise. Control
 * characters in a line are shown as \xNN: a peer's text cannot forge lines.
 * Never give it key material.
 */
#ifndef ED_LIB_LOG_H
#define ED_LIB_LOG_H

#include "lib/mono.h"
#include "lib/ratelimit.h"

enum log_level {
	LOG_LVL_ERROR = 3,
	LOG_LVL_WARN = 4,
	LOG_LVL_INFO = 6,
	LOG_LVL_DEBUG = 7
};

/* Lines above level are dropped. ident is the program's name and must live on. */
void log_open(const char *ident, enum log_level level);

/*
 * Write a line. subject names the object ("hub/isp1", "store"); NULL for the
 * program itself. LOG_LVL_ERROR also counts in log_errors().
 */
void log_write(enum log_level level, const char *subject, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* How many error lines were written: for health checks and tests. */
unsigned long log_errors(void);

#define ed_error(subject, ...) log_write(LOG_LVL_ERROR, subject, __VA_ARGS__)
#define ed_warn(subject, ...) log_write(LOG_LVL_WARN, subject, __VA_ARGS__)
#define ed_info(subject, ...) log_write(LOG_LVL_INFO, subject, __VA_ARGS__)
#define ed_debug(subject, ...) log_write(LOG_LVL_DEBUG, subject, __VA_ARGS__)

/* For what a peer can cause at will: at most what the bucket lets through. */
#define ed_warn_limited(limit, now, subject, ...)                      \
	do {                                                           \
		if (ratelimit_take(limit, now))                        \
			log_write(LOG_LVL_WARN, subject, __VA_ARGS__); \
	} while (0)

#endif
