/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person types, or a script sends in a person's place. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "edged/ctl/ctl.h"

enum { INTERRUPT = 3 }; /* Ctrl-C, where the terminal makes no signal of it */

bool ctl_read_line(char *buf, size_t size)
{
	size_t n = 0;
	char ch;

	/* A character at a time: what follows may be somebody else's. */
	for (;;) {
		ssize_t got = read(STDIN_FILENO, &ch, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if ((got <= 0 && n == 0) || ch == INTERRUPT)
			return false;
		if (got <= 0 || ch == '\n')
			break;
		if (ch != '\r' && n + 1 < size)
			buf[n++] = ch;
	}
	buf[n] = '\0';
	return true;
}

bool ctl_read_hidden(const char *prompt, char *buf, size_t size)
{
	struct termios before;
	struct termios quiet;
	bool tty = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0;
	bool good;

	if (tty) {
		quiet = before;
		/* A signal would leave the terminal without echo: Ctrl-C ends the line. */
		quiet.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
		quiet.c_cc[VEOL] = INTERRUPT;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
		/* Asked now: what was typed before has been seen, and is dropped. */
		fprintf(stderr, "%s: ", prompt);
	}
	good = ctl_read_line(buf, size);
	if (tty) {
		tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
		fputc('\n', stderr);
	}
	return good;
}
