/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "edged/ctl/ctl.h"
#include "lib/alloc.h"

/* Length of the UTF-8 character at s, 0 when it is none; *ret is its number. */
static size_t character(const unsigned char *s, unsigned int *ret)
{
	size_t len = s[0] < 0x80	     ? 1
		     : (s[0] & 0xe0) == 0xc0 ? 2
		     : (s[0] & 0xf0) == 0xe0 ? 3
		     : (s[0] & 0xf8) == 0xf0 ? 4
					     : 0;
	unsigned int c = s[0];

	if (len == 0)
		return 0;
	if (len > 1)
		c &= 0x7fu >> len;
	for (size_t i = 1; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	*ret = c;
	return len;
}

/* Controls, and what changes how the text around it is shown. */
static bool harmful(unsigned int c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e ||
	       c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void ctl_escape(char *buf, size_t cap, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t at = 0;

	while (*s) {
		unsigned int c = 0;
		size_t len = character(s, &c);
		bool good = len > 0 && !harmful(c);
		size_t take = len ? len : 1;

		if (at + (good ? take : 4 * take) + 1 > cap)
			break;
		for (size_t i = 0; i < take; i++, s++) {
			if (good)
				buf[at++] = (char)*s;
			else
				at += (size_t)snprintf(buf + at, cap - at, "\\x%02x",
						       *s);
		}
	}
	buf[at] = '\0';
}

void ctl_print_lines(FILE *fp, const char *text)
{
	char line[2048];

	/* Line by line: the text's own newlines are wanted, nothing else is. */
	while (*text) {
		size_t len = strcspn(text, "\n");
		char *copy = ed_strndup(text, len);

		ctl_escape(line, sizeof(line), copy);
		fprintf(fp, "%s\n", line);
		free(copy);
		text += len + (text[len] == '\n');
	}
}

static bool break_down(const struct ctl_out *out, time_t t, struct tm *tm)
{
	return (out->utc ? gmtime_r(&t, tm) : localtime_r(&t, tm)) != NULL;
}

void ctl_time(const struct ctl_out *out, char *buf, size_t cap, double epoch_s)
{
	struct tm now;
	struct tm tm;

	if (!break_down(out, (time_t)epoch_s, &tm) ||
	    !break_down(out, time(NULL), &now)) {
		snprintf(buf, cap, "?");
		return;
	}
	if (tm.tm_yday == now.tm_yday && tm.tm_year == now.tm_year)
		strftime(buf, cap, "%H:%M:%S", &tm);
	else
		strftime(buf, cap, "%Y-%m-%d %H:%M:%S", &tm);
}

void ctl_span(char *buf, size_t cap, double seconds)
{
	long s = seconds > 0 ? (long)seconds : 0;

	if (s < 60)
		snprintf(buf, cap, "%ld s", s);
	else if (s < 3600)
		snprintf(buf, cap, "%ld min", s / 60);
	else if (s < 86400)
		snprintf(buf, cap, "%ld h %ld min", s / 3600, s / 60 % 60);
	else
		snprintf(buf, cap, "%ld d %ld h", s / 86400, s / 3600 % 24);
}

static int64_t unit_s(const char *unit)
{
	if (strcmp(unit, "s") == 0)
		return 1;
	if (strcmp(unit, "m") == 0 || strcmp(unit, "min") == 0)
		return 60;
	if (strcmp(unit, "h") == 0)
		return 3600;
	if (strcmp(unit, "d") == 0)
		return 86400;
	return 0;
}

int64_t ctl_since(const char *text, int64_t now_s, bool utc)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S",
					    "%Y-%m-%d %H:%M",	  "%Y-%m-%d",
					    "%H:%M:%S",		  "%H:%M"};
	char *end;
	long long n;

	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno == 0 && end != text && n >= 0 && unit_s(end) && n < 1000000000)
		return now_s - n * unit_s(end);
	if (errno == 0 && end != text && !*end && n >= 1000000000)
		return n;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		time_t now = (time_t)now_s;
		struct tm tm;

		if (!(utc ? gmtime_r(&now, &tm) : localtime_r(&now, &tm)))
			return -1;
		tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
		end = strptime(text, forms[i], &tm);
		if (!end || *end)
			continue;
		tm.tm_isdst = -1;
		return (int64_t)(utc || i == 0 ? timegm(&tm) : mktime(&tm));
	}
	return -1;
}

enum ctl_tone ctl_tone_of(const char *state)
{
	static const struct {
		const char *word;
		enum ctl_tone tone;
	} words[] = {
		{"up", CTL_GOOD},	  {"ok", CTL_GOOD},
		{"good", CTL_GOOD},	  {"chosen", CTL_GOOD},
		{"down", CTL_BAD},	  {"bad", CTL_BAD},
		{"refused", CTL_BAD},	  {"absent", CTL_BAD},
		{"no-carrier", CTL_BAD},  {"no-address", CTL_BAD},
		{"no-route", CTL_BAD},	  {"none", CTL_BAD},
		{"degraded", CTL_WARN},	  {"suspect", CTL_WARN},
		{"proving", CTL_WARN},	  {"holding", CTL_WARN},
		{"kept", CTL_WARN},	  {"waiting", CTL_DIM},
		{"connecting", CTL_WARN}, {"stopped", CTL_DIM},
		{"off", CTL_DIM},	  {"idle", CTL_DIM},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, state) == 0)
			return words[i].tone;
	return CTL_PLAIN;
}

const char *ctl_tone_on(const struct ctl_out *out, enum ctl_tone tone)
{
	if (!out->color)
		return "";
	switch (tone) {
	case CTL_PLAIN:
		break;
	case CTL_GOOD:
		return "\033[32m";
	case CTL_WARN:
		return "\033[33m";
	case CTL_BAD:
		return "\033[31m";
	case CTL_DIM:
		return "\033[2m";
	}
	return "";
}

const char *ctl_tone_off(const struct ctl_out *out, enum ctl_tone tone)
{
	return out->color && tone != CTL_PLAIN ? "\033[0m" : "";
}

void ctl_out_size(struct ctl_out *out)
{
	struct winsize ws;

	out->width = 0;
	out->height = 0;
	if (!isatty(fileno(out->fp)))
		return;
	out->width = 80;
	out->height = 24;
	if (ioctl(fileno(out->fp), TIOCGWINSZ, &ws) == 0 && ws.ws_col && ws.ws_row) {
		out->width = ws.ws_col;
		out->height = ws.ws_row;
	}
}

bool ctl_out_init(struct ctl_out *out, FILE *fp, const char *mode)
{
	const char *term = getenv("TERM");
	const char *no_color = getenv("NO_COLOR");
	bool tty = isatty(fileno(fp));

	out->fp = fp;
	ctl_out_size(out);
	if (strcmp(mode, "always") == 0)
		out->color = true;
	else if (strcmp(mode, "never") == 0)
		out->color = false;
	else if (strcmp(mode, "auto") == 0)
		out->color = tty && !(no_color && *no_color) && term && *term &&
			     strcmp(term, "dumb") != 0;
	else
		return false;
	return true;
}

enum ctl_exit ctl_out_finish(const struct ctl_out *out, enum ctl_exit status)
{
	bool failed;

	errno = 0;
	failed = fflush(out->fp) != 0 || ferror(out->fp);
	/* Who closed the pipe has seen enough. */
	if (!failed || errno == EPIPE || errno == 0)
		return status;
	ctl_error("cannot write the answer: %s", strerror(errno));
	return CTL_FAILED;
}
