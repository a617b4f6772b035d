/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "lib/alloc.h"
#include "lib/conf_report.h"
#include "lib/log.h"
#include "webui/cert.h"
#include "webui/listen.h"
#include "webui/server.h"
#include "webui/site.h"

enum { ADDRESSES_MAX = 16, NAMES_MAX = 64, WHY_MAX = 512 };

struct setup {
	struct setup_options options;
	struct site *site;
	time_t started;
	struct config_web *web; /* what is in effect */
	char *name; /* of the site, or NULL */
	struct cert cert; /* in use; certificate NULL: none */
	char *cert_path; /* its file */
	bool cert_own; /* made by us */
	char *problem; /* why the configured one is not in use, or NULL */
	const char *names[NAMES_MAX]; /* of us; they live in web, name and host */
	size_t n_names;
	char host[HOST_NAME_MAX + 1];
	dev_t dev; /* of the unix socket that is ours */
	ino_t ino;
};

static char *state_path(const struct setup *s, const char *name)
{
	return ed_asprintf("%s/%s", s->options.state, name);
}

static bool is_open(const struct config_web *w, const struct endpoint *e)
{
	return w->loopback == CONFIG_WEB_OPEN && addr_is_loopback(&e->addr);
}

static bool wants_tls(const struct config_web *w)
{
	struct endpoint e;

	for (size_t i = 0; i < w->listen.n; i++)
		if (listen_parse(w->listen.v[i], &e) == 0 && !is_open(w, &e))
			return true;
	return false;
}

/* --- reading -------------------------------------------------------------------- */

static int load(const struct setup *s, struct config_web **ret, char **ret_name)
{
	struct conf_report report;
	int err;

	conf_report_init(&report);
	err = config_load_web(s->options.config, ret, ret_name, &report);
	for (size_t i = 0; err < 0 && i < report.n; i++)
		if (report.v[i].error && report.v[i].line)
			ed_error("web", "%s:%u:%u: %s", report.v[i].file,
				 report.v[i].line, report.v[i].column,
				 report.v[i].text);
		else if (report.v[i].error) /* the file itself */
			ed_error("web", "%s: %s%s", report.v[i].file, report.v[i].text,
				 access(s->options.config, R_OK) < 0 && errno == EACCES
					 ? " (edge-webui runs as edged-web in group "
					   "edged: chgrp edged, chmod g+r)"
					 : "");
	conf_report_fini(&report);
	return err;
}

/* The names that are ours: host, site, `hosts`, and what we listen on. */
static void collect_names(struct setup *s)
{
	size_t n = 0;

	if (gethostname(s->host, sizeof(s->host) - 1) == 0 && s->host[0])
		s->names[n++] = s->host;
	if (s->name)
		s->names[n++] = s->name;
	for (size_t i = 0; i < s->web->hosts.n && n < NAMES_MAX; i++)
		s->names[n++] = s->web->hosts.v[i];
	s->n_names = n;
	site_set_names(s->site, s->names, n);
}

/* --- the certificate --------------------------------------------------------------- */

/* Names for a certificate of our own: those above, and the addresses. */
static int make_own(struct setup *s, const char *certificate, const char *key,
		    char *why)
{
	const char *all[NAMES_MAX + ADDRESSES_MAX];
	char text[ADDRESSES_MAX][ADDR_STRLEN];
	struct endpoint e;
	size_t n = 0;

	for (size_t i = 0; i < s->n_names; i++)
		all[n++] = s->names[i];
	for (size_t i = 0; i < s->web->listen.n && i < ADDRESSES_MAX; i++)
		if (listen_parse(s->web->listen.v[i], &e) == 0 && !addr_is_any(&e.addr))
			all[n++] = addr_format(&e.addr, text[i]);
	return cert_make(certificate, key, all, n, why, WHY_MAX);
}

/* What edgectl web says of a certificate that is configured and not in use. */
static void set_problem(struct setup *s, const char *why)
{
	free(s->problem);
	s->problem = why ? ed_strdup(why) : NULL;
}

static int use_certificate(struct setup *s)
{
	bool own = !s->web->certificate;
	char *certificate =
		own ? state_path(s, "tls.crt") : ed_strdup(s->web->certificate);
	char *key = own ? state_path(s, "tls.key") : ed_strdup(s->web->key);
	struct cert c = {0};
	char why[WHY_MAX] = "";
	int err = own ? make_own(s, certificate, key, why) : 0;

	if (err == 0)
		err = cert_load(certificate, key, &c, why, sizeof(why));
	if (err == 0 && s->cert.certificate &&
	    strcmp(c.certificate, s->cert.certificate) == 0) {
		cert_fini(&c); /* the one in use */
		set_problem(s, NULL);
		goto used;
	}
	if (err == 0) {
		err = server_tls(site_server(s->site), c.certificate, c.key);
		if (err < 0)
			snprintf(why, sizeof(why), "GnuTLS does not take %s",
				 certificate);
	}
	if (err < 0) {
		ed_error("tls", "%s%s", why,
			 s->cert.certificate ? "; the certificate before stays" : "");
		cert_fini(&c);
		set_problem(s, why);
		goto out;
	}
	cert_fini(&s->cert);
	s->cert = c;
	set_problem(s, NULL);
	if (c.not_after < time(NULL))
		ed_warn("tls", "the certificate %s has expired", certificate);
	ed_info("tls", "certificate %s, SHA-256 %s", certificate, c.fingerprint);
used:
	s->cert_own = own;
	free(s->cert_path);
	s->cert_path = ed_strdup(certificate);
out:
	free(certificate);
	free(key);
	return err;
}

/* --- sockets -------------------------------------------------------------------------- */

static int open_unix(struct setup *s)
{
	const char *path = s->options.socket;
	int fd = listen_unix(path);
	struct stat st;

	if (fd < 0) {
		ed_error("web", "cannot listen on %s: %s", path,
			 fd == -EADDRINUSE ? "another edge-webui answers there"
					   : strerror(-fd));
		return fd;
	}
	if (stat(path, &st) == 0) {
		s->dev = st.st_dev;
		s->ino = st.st_ino;
	}
	server_listen(site_server(s->site), fd, false);
	return 0;
}

static int open_tcp(struct setup *s)
{
	int result = 0;

	for (size_t i = 0; i < s->web->listen.n; i++) {
		const char *text = s->web->listen.v[i];
		struct endpoint e;
		int fd = listen_parse(text, &e);
		bool tls;

		if (fd == 0)
			fd = listen_tcp(&e);
		if (fd < 0) {
			result = fd;
			ed_error("web", "cannot listen on %s: %s%s", text,
				 strerror(-fd),
				 fd == -EACCES ? " (a port below 1024: take a higher "
						 "one, such as 8443)"
					       : "");
			continue;
		}
		tls = !is_open(s->web, &e);
		if (tls && !s->cert.certificate) {
			close(fd);
			continue;
		}
		server_listen(site_server(s->site), fd, tls);
		ed_info("web", "listening on %s://%s", tls ? "https" : "http", text);
	}
	return result;
}

/* --- what edgectl web reads --------------------------------------------------------- */

static json_t *listen_json(const struct setup *s)
{
	json_t *list = json_array();
	char *text;

	for (size_t i = 0; i < s->web->listen.n; i++) {
		struct endpoint e;

		if (listen_parse(s->web->listen.v[i], &e) < 0)
			continue;
		text = ed_asprintf("%s://%s", is_open(s->web, &e) ? "http" : "https",
				   s->web->listen.v[i]);
		json_array_append_new(list, json_string(text));
		free(text);
	}
	text = ed_asprintf("unix:%s", s->options.socket);
	json_array_append_new(list, json_string(text));
	free(text);
	return list;
}

static json_t *certificate_json(const struct setup *s)
{
	json_t *names = json_array();

	for (size_t i = 0; i < s->n_names; i++)
		json_array_append_new(names, json_string(s->names[i]));
	return json_pack("{s:b, s:s, s:s, s:o, s:I}", "own", s->cert_own, "path",
			 s->cert_path, "sha256", s->cert.fingerprint, "names", names,
			 "not_after", (json_int_t)s->cert.not_after);
}

static void write_report(const struct setup *s)
{
	json_t *all = json_pack("{s:i, s:i, s:I, s:o, s:o, s:s?}", "schema", 1, "pid",
				(int)getpid(), "started", (json_int_t)s->started,
				"listen", listen_json(s), "certificate",
				s->cert.certificate ? certificate_json(s) : json_null(),
				"problem", s->problem);
	char *path = state_path(s, "web.json");
	char *temp = state_path(s, "web.json.new");
	int fd =
		open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	int err = fd < 0 ? -errno : 0;

	if (err == 0 && json_dumpfd(all, fd, JSON_INDENT(1)) < 0)
		err = -EIO;
	if (fd >= 0)
		close(fd);
	if (err == 0 && rename(temp, path) < 0)
		err = -errno;
	if (err < 0)
		ed_warn("web", "%s: %s", path, strerror(-err));
	json_decref(all);
	free(temp);
	free(path);
}

/* --- start and reload ------------------------------------------------------------------- */

static bool same_listen(const struct config_web *a, const struct config_web *b)
{
	if (a->loopback != b->loopback || a->listen.n != b->listen.n)
		return false;
	for (size_t i = 0; i < a->listen.n; i++)
		if (strcmp(a->listen.v[i], b->listen.v[i]) != 0)
			return false;
	return true;
}

int setup_new(const struct setup_options *o, struct site *site, struct setup **ret)
{
	struct setup *s = ed_alloc(sizeof(*s));
	int err;

	s->options = *o;
	s->site = site;
	s->started = time(NULL);
	err = load(s, &s->web, &s->name);
	if (err == 0) {
		collect_names(s);
		err = open_unix(s);
	}
	if (err == 0 && wants_tls(s->web))
		err = use_certificate(s);
	if (err == 0)
		err = open_tcp(s);
	if (err < 0) {
		setup_free(s);
		return err;
	}
	write_report(s);
	*ret = s;
	return 0;
}

void setup_reload(struct setup *s)
{
	struct config_web *old = s->web;
	struct config_web *web;
	char *name = NULL;

	if (load(s, &web, &name) < 0) {
		ed_error("web", "the settings stay as they were");
		return;
	}
	free(s->name);
	s->web = web;
	s->name = name;
	collect_names(s);
	if (wants_tls(web))
		(void)use_certificate(s);
	if (!same_listen(old, web)) {
		server_listen_none(site_server(s->site));
		(void)open_unix(s);
		(void)open_tcp(s);
	}
	config_web_free(old);
	write_report(s);
	ed_info("web", "settings read again");
}

void setup_free(struct setup *s)
{
	struct stat st;

	if (!s)
		return;
	if (s->ino && stat(s->options.socket, &st) == 0 && st.st_dev == s->dev &&
	    st.st_ino == s->ino)
		(void)unlink(s->options.socket);
	config_web_free(s->web);
	free(s->name);
	cert_fini(&s->cert);
	free(s->cert_path);
	free(s->problem);
	free(s);
}
