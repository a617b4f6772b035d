/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * setup - what edged.yaml says under `web`, applied to the site
 *
 * Sockets, certificate, names. At the start everything must work; later (SIGHUP,
 * edged applied another file) what does not is logged and the old stays. The
 * certificate is read again each time, so that a renewed one is taken.
 *
 * STATE/web.json says what came of it, for `edgectl web`:
 *
 *	{"schema": 1, "pid": N, "started": SECONDS,
 *	 "listen": ["https://10.42.0.1:8443", "http://127.0.0.1:8080", "unix:PATH"],
 *	 "certificate": {"own": true, "path": PATH, "sha256": "AA:BB:...",
 *			 "names": ["branch-042", "10.42.0.1"], "not_after": SECONDS},
 *	 "problem": null}
 *
 * certificate is the one in use, null where nothing speaks TLS; problem says why the
 * configured one is not in use.
 */
#ifndef ED_WEBUI_SETUP_H
#define ED_WEBUI_SETUP_H

struct loop;
struct setup;
struct site;

struct setup_options {
	const char *config; /* edged.yaml */
	const char *state; /* folder: users, tls.crt, tls.key, web.json */
	const char *socket; /* the unix socket */
};

/* Returns 0 with *ret for setup_free(), or a negative errno after logging why. */
int setup_new(const struct setup_options *o, struct site *site, struct setup **ret);

/* Read everything again. */
void setup_reload(struct setup *s);

/* Remove the unix socket; the server has the descriptors. NULL is allowed. */
void setup_free(struct setup *s);

#endif
