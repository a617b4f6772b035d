/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes on until the user or the reader ends it: the live status, and
 * following events. The daemon pushes; nothing here asks again and again.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "edged/ctl/ctl.h"
#include "lib/loop.h"

/* Alternate screen without cursor, long lines cut at its edge; and back. */
#define SCREEN_ON "\033[?1049h\033[?25l\033[?7l"
#define SCREEN_OFF "\033[?7h\033[?25h\033[?1049l"

struct watch {
	struct ctl *c;
	json_t *last; /* shown */
	json_t *early; /* pushed before the first was shown */
	double seen_s; /* time of the last event printed */
	bool screen; /* on a terminal */
	bool raw; /* keys are read */
	struct termios before;
	struct loop_io keys;
	struct loop_signal resize, interrupt, term;
};

/* For the callbacks of ctl.notify; there is one. */
static struct watch watch;

/* --- output ---------------------------------------------------------------------- */

/* The reader has gone, or cannot be written to: enough. */
static void end_if_broken(struct watch *w)
{
	if (fflush(w->c->out.fp) != 0 || ferror(w->c->out.fp))
		ctl_stop(w->c);
}

static void print_line(struct watch *w, const json_t *v)
{
	json_dumpf(v, w->c->out.fp, JSON_COMPACT | CTL_JSON_FLAGS);
	fputc('\n', w->c->out.fp);
	end_if_broken(w);
}

/* The whole screen at once, each line cleared to its end, no more than fit. */
static void draw(struct watch *w)
{
	struct ctl_out to = w->c->out;
	char *text = NULL;
	size_t len = 0;
	FILE *mem = open_memstream(&text, &len);
	const char *p;

	if (!mem)
		return;
	to.fp = mem;
	ctl_print_status(&to, w->last);
	fclose(mem);
	fputs("\033[H", w->c->out.fp);
	p = text;
	for (unsigned int row = 0; *p && row + 1 < w->c->out.height; row++) {
		size_t n = strcspn(p, "\n");

		fprintf(w->c->out.fp, "%.*s\033[K\n", (int)n, p);
		p += n + (p[n] == '\n');
	}
	fputs("\033[J", w->c->out.fp);
	free(text);
	end_if_broken(w);
}

static void show(struct watch *w)
{
	if (w->c->opt.json) {
		print_line(w, w->last);
	} else if (w->screen) {
		draw(w);
	} else {
		ctl_print_status(&w->c->out, w->last);
		fputc('\n', w->c->out.fp);
		end_if_broken(w);
	}
}

/* --- the terminal ------------------------------------------------------------------ */

static void on_key(void *ctx, int fd, unsigned int events)
{
	struct watch *w = ctx;
	char key[16];
	ssize_t n = read(fd, key, sizeof(key));

	(void)events;
	if (n <= 0) {
		loop_io_stop(&w->keys);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		if (key[i] == 'q' || key[i] == 'Q' || key[i] == 3)
			ctl_stop(w->c);
}

static void on_resize(void *ctx, int signo)
{
	struct watch *w = ctx;

	(void)signo;
	ctl_out_size(&w->c->out);
	if (w->last && w->screen)
		draw(w);
}

static void on_end(void *ctx, int signo)
{
	struct watch *w = ctx;

	(void)signo;
	ctl_stop(w->c);
}

static void screen_on(struct watch *w)
{
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, &w->before) == 0) {
		raw = w->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		w->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
		if (w->raw)
			loop_io_start(w->c->loop, &w->keys, STDIN_FILENO, LOOP_READ,
				      on_key, w);
	}
	fputs(SCREEN_ON, w->c->out.fp);
	w->screen = true;
}

static void screen_off(struct watch *w)
{
	if (!w->screen)
		return;
	fputs(SCREEN_OFF, w->c->out.fp);
	fflush(w->c->out.fp);
	loop_io_stop(&w->keys);
	if (w->raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &w->before);
}

static void signals_on(struct watch *w)
{
	loop_signal_start(w->c->loop, &w->resize, SIGWINCH, on_resize, w);
	loop_signal_start(w->c->loop, &w->interrupt, SIGINT, on_end, w);
	loop_signal_start(w->c->loop, &w->term, SIGTERM, on_end, w);
}

static void signals_off(struct watch *w)
{
	loop_signal_stop(&w->resize);
	loop_signal_stop(&w->interrupt);
	loop_signal_stop(&w->term);
}

/* --- watch -------------------------------------------------------------------------- */

static void on_status(struct ctl *c, const char *method, const json_t *params)
{
	(void)c;
	if (strcmp(method, "status.changed") != 0)
		return;
	if (!watch.last) {
		json_decref(watch.early);
		watch.early = json_deep_copy(params);
		return;
	}
	json_decref(watch.last);
	watch.last = json_deep_copy(params);
	show(&watch);
}

/* How it ended: by the user, or because the daemon went away. */
static enum ctl_exit ended(struct watch *w)
{
	if (!w->c->lost)
		return CTL_DONE;
	ctl_error("edged ended the connection");
	return CTL_NO_DAEMON;
}

enum ctl_exit ctl_watch(struct ctl *c)
{
	json_t *first;
	enum ctl_exit status;

	watch = (struct watch){.c = c};
	c->notify = on_status;
	status = ctl_call(c, "status.watch", NULL, &first);
	if (status != CTL_DONE)
		return status;
	watch.last = first;
	signals_on(&watch);
	if (c->out.width && !c->opt.json)
		screen_on(&watch);
	show(&watch);
	if (watch.early)
		on_status(c, "status.changed", watch.early);
	ctl_run(c);
	screen_off(&watch);
	signals_off(&watch);
	json_decref(watch.last);
	json_decref(watch.early);
	return ended(&watch);
}

/* --- events --follow ------------------------------------------------------------------ */

static void print_event(struct watch *w, const json_t *event)
{
	double at = json_number_value(json_object_get(event, "time"));

	/* Told twice: as history and as news. */
	if (at <= w->seen_s)
		return;
	w->seen_s = at;
	if (w->c->opt.json) {
		print_line(w, event);
		return;
	}
	ctl_print_event(&w->c->out, event);
	end_if_broken(w);
}

/* News that came while history was asked for. */
static json_t *early;

static bool wanted(const struct ctl *c, const json_t *event)
{
	const char *kind = json_string_value(json_object_get(event, "kind"));

	return !c->opt.kind || (kind && strcmp(kind, c->opt.kind) == 0);
}

static void on_event(struct ctl *c, const char *method, const json_t *params)
{
	if (strcmp(method, "event") != 0 || !wanted(c, params))
		return;
	if (early)
		json_array_append_new(early, json_deep_copy(params));
	else
		print_event(&watch, params);
}

static void print_events(struct watch *w, const json_t *list)
{
	const json_t *e;
	size_t i;

	json_array_foreach (list, i, e)
		print_event(w, e);
}

enum ctl_exit ctl_follow(struct ctl *c, json_t *params)
{
	json_t *answer;
	enum ctl_exit status;

	watch = (struct watch){.c = c};
	early = json_array();
	c->notify = on_event;
	status = ctl_call(c, "events.follow", NULL, &answer);
	if (status != CTL_DONE) {
		json_decref(params);
		return status;
	}
	json_decref(answer);
	/* Without history (its disk may be full) the news are still worth it. */
	if (ctl_call(c, "events.list", params, &answer) == CTL_DONE) {
		print_events(&watch, json_object_get(answer, "events"));
		json_decref(answer);
	}
	print_events(&watch, early);
	json_decref(early);
	early = NULL;
	if (!c->client)
		return CTL_NO_DAEMON; /* said already */
	signals_on(&watch);
	ctl_run(c);
	signals_off(&watch);
	return ended(&watch);
}
