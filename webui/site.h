/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * site - what edge-webui serves: puts the parts together and answers each request
 *
 *	/ and /NAME	files of the page; anybody may have them, they hold no data
 *	/api/v1/...	api.h
 *	/metrics	Prometheus
 *
 * Each request passes the same gates in this order: the Host is one of ours; what
 * changes something is JSON from our own page (or shows a token, or comes over the
 * unix socket); who makes it is known; their role reaches.
 */
#ifndef ED_WEBUI_SITE_H
#define ED_WEBUI_SITE_H

#include <stddef.h>

struct loop;
struct server;
struct site;

struct site_options {
	const char *control; /* edged's control socket */
	const char *users; /* file */
	const char *data; /* folder of the page's files */
	void (*config_changed)(void *ctx); /* edged applied another file */
	void *ctx;
};

/* Returns 0 with *ret for site_free(), or a negative errno after logging why. */
int site_new(struct loop *loop, const struct site_options *o, struct site **ret);
void site_free(struct site *s);

/* Where sockets and certificates are given to. */
struct server *site_server(struct site *s);

/* The n names (copied) under which browsers may ask, beside the addresses. */
void site_set_names(struct site *s, const char *const *names, size_t n);

#endif
