/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/log.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "lib/text.h"

#define LINE_MAX_BYTES 1024

static const char *log_ident = "edged";
static enum log_level log_max = LOG_LVL_INFO;
static bool log_journal;
static unsigned long error_count;

void log_open(const char *ident, enum log_level level)
{
	log_ident = ident;
	log_max = level;
	log_journal = getenv("JOURNAL_STREAM") != NULL;
}

unsigned long log_errors(void)
{
	return error_count;
}

static const char *level_word(enum log_level level)
{
	switch (level) {
	case LOG_LVL_ERROR:
		return "error: ";
	case LOG_LVL_WARN:
		return "warning: ";
	case LOG_LVL_INFO:
	case LOG_LVL_DEBUG:
		break;
	}
	return "";
}

static void add_prefix(struct text *line, enum log_level level)
{
	struct timespec ts;
	struct tm tm;
	char stamp[32];

	if (log_journal) {
		text_add(line, "<%d>", (int)level);
		return;
	}
	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	strftime(stamp, sizeof(stamp), "%H:%M:%S", &tm);
	text_add(line, "%s.%03ld %s[%d]: ", stamp, ts.tv_nsec / 1000000, log_ident,
		 (int)getpid());
}

/* A byte that could end the line or move the cursor is shown, not sent. */
static void add_escaped(struct text *line, const char *s)
{
	for (; *s && !line->full; s++) {
		unsigned char c = (unsigned char)*s;

		if (c < 0x20 || c == 0x7f)
			text_add(line, "\\x%02x", c);
		else
			text_add(line, "%c", c);
	}
}

void log_write(enum log_level level, const char *subject, const char *fmt, ...)
{
	char message[LINE_MAX_BYTES];
	char buf[LINE_MAX_BYTES + 128];
	struct text line = text_init(buf, sizeof(buf) - 1);
	va_list ap;
	ssize_t n;

	if (level == LOG_LVL_ERROR)
		error_count++;
	if (level > log_max)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	add_prefix(&line, level);
	if (!log_journal)
		text_add(&line, "%s", level_word(level));
	if (subject) {
		add_escaped(&line, subject);
		text_add(&line, ": ");
	}
	add_escaped(&line, message);
	buf[line.len] = '\n';
	/* One write a line: lines of two processes on one file do not mix. */
	n = write(STDERR_FILENO, buf, line.len + 1);
	(void)n;
}
