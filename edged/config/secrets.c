/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * secrets.yaml: a name and its secret a line. The file is judged by the open
 * descriptor, so that nobody can swap it between the look and the reading.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "edged/config/parts.h"
#include "lib/alloc.h"
#include "lib/conf.h"
#include "lib/conf_report.h"
#include "lib/secret.h"
#include "lib/text.h"

#define SERVICE_USER "edged"

/* Who may own what we trust: root, ourselves, and the service's user. */
static bool trusted_user(uid_t uid)
{
	const struct passwd *pw;

	if (uid == 0 || uid == geteuid())
		return true;
	pw = getpwnam(SERVICE_USER);
	return pw && pw->pw_uid == uid;
}

static bool trusted_group(gid_t gid)
{
	const struct group *gr;

	if (gid == 0 || gid == getegid())
		return true;
	gr = getgrnam(SERVICE_USER);
	return gr && gr->gr_gid == gid;
}

static void file_error(struct conf_report *report, const char *path, const char *what,
		       unsigned int mode, const char *cure, const char *target)
{
	conf_report_add(report, true, path, 0, 0, NULL, 0,
			"%s (mode %04o); cure: %s %s", what, mode & 07777, cure,
			target);
}

static void check_owner(const char *path, const struct stat *st,
			struct conf_report *report)
{
	unsigned int mode = st->st_mode;
	bool group = trusted_group(st->st_gid);

	if (!trusted_user(st->st_uid))
		conf_report_add(
			report, true, path, 0, 0, NULL, 0,
			"the file belongs to user %u, who could change the secrets; "
			"cure: chown root %s",
			(unsigned int)st->st_uid, path);
	if (mode & 007)
		file_error(report, path,
			   mode & 004 ? "everybody on this box may read the secrets"
				      : "everybody on this box may change the secrets",
			   mode, group && !(mode & 020) ? "chmod o-rwx" : "chmod 600",
			   path);
	else if (mode & 020)
		file_error(report, path, "a group may change the secrets", mode,
			   group ? "chmod g-w" : "chmod 600", path);
	else if ((mode & 050) && !group)
		file_error(report, path,
			   "a group other than root and edged may read the secrets",
			   mode, "chmod 600", path);
}

/* Whoever may write the folder can put another file in this one's place. */
static void check_folder(const char *path, struct conf_report *report)
{
	char *copy = ed_strdup(path);
	const char *folder = dirname(copy);
	struct stat st;

	if (stat(folder, &st) == 0 && !(st.st_mode & S_ISVTX) &&
	    ((st.st_mode & 002) || ((st.st_mode & 020) && !trusted_group(st.st_gid))))
		file_error(report, path, "others may replace this file in its folder",
			   st.st_mode, "chmod go-w", folder);
	free(copy);
}

/* peer, peer/end point, peer/uplink or peer/end point/uplink. */
static bool name_ok(const char *name, char *why, size_t size)
{
	const char *s = name;
	unsigned int parts = 0;

	/* Ends: each round takes a part and its slash. */
	for (;;) {
		size_t len = strcspn(s, "/");
		char *part = ed_strndup(s, len);
		bool ok = config_name_ok(part, why, size);

		free(part);
		if (!ok)
			return false;
		if (++parts > 3) {
			snprintf(why, size, "it has more than three parts");
			return false;
		}
		s += len;
		if (!*s)
			return true;
		s++;
	}
}

static bool value_ok(const struct conf_node *n, const char **why)
{
	size_t len = n->kind == CONF_SCALAR && n->text ? strlen(n->text) : 0;

	*why = NULL;
	if (n->kind != CONF_SCALAR)
		*why = "is one text, not a list or a block";
	else if (len == 0)
		*why = "is empty";
	else if (len > CONFIG_SECRET_MAX)
		*why = "is too long";
	else
		for (const char *s = n->text; *s; s++)
			if ((unsigned char)*s < ' ' || *s == 0x7f)
				*why = "holds a control character";
	return !*why;
}

static bool is_known(const struct config *c, const char *name);

/* " of 'hub'"; nothing where the name may be a secret in the wrong place. */
static const char *of_name(const struct config *c, const char *key, char *buf,
			   size_t size)
{
	struct text t = text_init(buf, size);
	char name[80];

	if (is_known(c, key))
		text_add(&t, " of '%s'", conf_quote(key, name, sizeof(name)));
	return buf;
}

static void take(struct conf_doc *doc, struct config *c, const struct conf_node *key,
		 const struct conf_node *value)
{
	struct config_secret *s = &c->secrets.v[c->secrets.n];
	char name[96] = "";
	char reason[160];
	const char *why;
	bool good;

	if (key->kind != CONF_SCALAR) {
		conf_doc_error(
			doc, key->line, key->column,
			"the name of a secret must be one word: peer, or peer/tunnel");
		return;
	}
	if (value->kind == CONF_SCALAR && value->text[0] && !is_known(c, key->text) &&
	    is_known(c, value->text)) {
		conf_doc_error(doc, key->line, key->column,
			       "name and secret stand the wrong way round: write '%s: "
			       "\"...\"'",
			       value->text);
		return;
	}
	if (!name_ok(key->text, reason, sizeof(reason))) {
		conf_doc_error(doc, key->line, key->column,
			       "this is not the name of a peer or tunnel: %s", reason);
		return;
	}
	good = value_ok(value, &why);
	if (!good && !value->refused)
		conf_doc_error(doc, value->line, value->column, "the secret%s %s",
			       of_name(c, key->text, name, sizeof(name)), why);
	if (good && value->comment)
		conf_doc_warn(
			doc, value->line, value->column,
			"what stands behind '#' is a comment: put the secret%s in "
			"quotes if it belongs to it",
			of_name(c, key->text, name, sizeof(name)));
	/* A bad one is kept, empty, so that nobody says it is missing, too. */
	s->name = ed_strdup(key->text);
	s->value = secret_new(good ? value->text : "", good ? strlen(value->text) : 0);
	c->secrets.n++;
}

/* The name's first part is a peer; a second one its end point or an uplink. */
static bool is_known(const struct config *c, const char *name)
{
	size_t len = strcspn(name, "/");
	char *first = ed_strndup(name, len);
	const struct config_peer *p = config_peer(c, first);
	bool known = p && !name[len];
	char *second =
		name[len] ? ed_strndup(name + len + 1, strcspn(name + len + 1, "/"))
			  : NULL;

	if (p && second) {
		/* A caller's uplinks are its own affair. */
		known = config_calls_us(p) || config_uplink(c, second);
		for (size_t i = 0; i < p->tunnels.n; i++)
			known |= strcmp(p->tunnels.v[i].name, second) == 0;
	}
	free(first);
	free(second);
	return known;
}

static const char *nth_peer(const void *ctx, size_t i)
{
	const struct config *c = ctx;

	return c->peers.v[i].name;
}

static bool knows_peer_of(const struct config *c, const char *name)
{
	char *first = ed_strndup(name, strcspn(name, "/"));
	bool known = config_peer(c, first);

	free(first);
	return known;
}

/* A caller's uplinks are told apart by what it proves, not by secrets. */
static bool is_of_caller(const struct config *c, const char *name)
{
	size_t len = strcspn(name, "/");
	char *first = ed_strndup(name, len);
	const struct config_peer *p = config_peer(c, first);

	free(first);
	return p && name[len] && config_calls_us(p);
}

static void warn_unused(struct conf_doc *doc, const struct config *c)
{
	for (size_t i = 0; doc->root && i + 1 < doc->root->n; i += 2) {
		const struct conf_node *key = doc->root->child[i];
		const struct conf_node *value = doc->root->child[i + 1];
		const char *near;
		char name[80];

		if (key->kind == CONF_SCALAR && is_of_caller(c, key->text))
			conf_doc_warn(doc, key->line, key->column,
				      "'%s' is not used: a peer that calls us has one "
				      "secret, under its own name",
				      conf_quote(key->text, name, sizeof(name)));
		if (key->kind != CONF_SCALAR || !name_ok(key->text, NULL, 0) ||
		    is_known(c, key->text) ||
		    (value->kind == CONF_SCALAR && is_known(c, value->text)))
			continue;
		/* What is no name may be a secret: it is shown only when close to one. */
		near = config_similar(key->text, nth_peer, c, c->peers.n);
		if (near)
			conf_doc_warn(
				doc, key->line, key->column,
				"no peer or tunnel is named '%s', did you mean '%s'?",
				conf_quote(key->text, name, sizeof(name)), near);
		else if (knows_peer_of(c, key->text))
			conf_doc_warn(doc, key->line, key->column,
				      "no tunnel is named '%s'",
				      conf_quote(key->text, name, sizeof(name)));
		else
			conf_doc_warn(doc, key->line, key->column,
				      "this is the name of no peer and of no tunnel");
	}
}

static int by_name(const void *a, const void *b)
{
	const struct config_secret *x = a;
	const struct config_secret *y = b;

	return strcmp(x->name, y->name);
}

static void read_pairs(struct conf_doc *doc, struct config *c, bool known)
{
	const struct conf_node *root = doc->root;

	if (!root)
		return;
	if (root->kind != CONF_MAPPING) {
		conf_doc_error(doc, root->line, root->column,
			       "the file takes lines 'peer: secret', and nothing else");
		return;
	}
	c->secrets.v = ed_array(root->n / 2 + 1, sizeof(*c->secrets.v));
	for (size_t i = 0; i + 1 < root->n; i += 2)
		take(doc, c, root->child[i], root->child[i + 1]);
	qsort(c->secrets.v, c->secrets.n, sizeof(*c->secrets.v), by_name);
	/* A file with a mistake may have had the peer. */
	if (!doc->broken && known)
		warn_unused(doc, c);
}

/* Written by root as its own, as an editor does that puts a new file in place. */
static void hidden(const char *path, bool needed, struct conf_report *report)
{
	if (needed)
		conf_report_add(report, true, path, 0, 0, NULL, 0,
				"edged (user %u) may not read this file; cure: chown "
				"edged %s",
				(unsigned int)geteuid(), path);
	else
		conf_report_add(
			report, false, path, 0, 0, NULL, 0,
			"you may not read this file: whether every peer has a secret "
			"is not checked");
}

enum secrets_state config_read_secrets(struct config *c, const char *path, bool known,
				       bool needed, struct conf_report *report)
{
	struct conf_doc doc;
	struct stat st;
	char *bytes;
	size_t len;
	bool whole;
	int err = config_read_file(path, report, &bytes, &len, &st);

	if (err == -ENOENT)
		return SECRETS_ABSENT;
	if (err == -EACCES) {
		hidden(path, needed, report);
		return SECRETS_HIDDEN;
	}
	if (err < 0)
		return SECRETS_HIDDEN;
	check_owner(path, &st, report);
	check_folder(path, report);
	conf_doc_parse(&doc, path, bytes, len, true, report);
	secret_wipe(bytes, len);
	free(bytes);
	read_pairs(&doc, c, known);
	/* What cannot be read may have had them all. */
	whole = !doc.broken && doc.root && doc.root->kind == CONF_MAPPING;
	conf_doc_fini(&doc);
	return whole ? SECRETS_READ : SECRETS_HIDDEN;
}

const struct secret *config_secret(const struct config *c, const char *peer,
				   const char *endpoint, const char *uplink)
{
	char names[4][CONFIG_TUNNEL_NAME_MAX];
	size_t n = 0;

	if (endpoint && *endpoint) {
		snprintf(names[n++], sizeof(names[0]), "%s/%s/%s", peer, endpoint,
			 uplink);
		snprintf(names[n++], sizeof(names[0]), "%s/%s", peer, endpoint);
	}
	snprintf(names[n++], sizeof(names[0]), "%s/%s", peer, uplink);
	snprintf(names[n++], sizeof(names[0]), "%s", peer);
	for (size_t k = 0; k < n && c->secrets.n; k++) {
		const struct config_secret wanted = {.name = names[k]};
		const struct config_secret *s =
			bsearch(&wanted, c->secrets.v, c->secrets.n, sizeof(*s),
				by_name);

		if (s)
			return s->value;
	}
	return NULL;
}
