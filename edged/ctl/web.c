/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "edgectl web": where the dashboard is, and who may log in to it. The users are a file
 * of edge-webui, which notices a change by itself; so these commands need root, or
 * edge-webui's user, and no daemon.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edged/ctl/ctl.h"
#include "lib/alloc.h"
#include "lib/secret.h"
#include "lib/webusers.h"

#define WEB_STATEDIR "/var/lib/edged-web"

enum { WHY_MAX = 256 };

/* One change of the file of users. */
struct change {
	const char *name;
	enum webusers_role role; /* WEBUSERS_NONE: not said */
	enum webusers_kind kind;
	const char *password;
	bool added; /* set_password() made the user */
	char token[WEBUSERS_TOKEN_MAX];
	char why[WHY_MAX];
};

static char *users_path(const struct ctl *c)
{
	return ed_asprintf("%s/users", c->opt.state ? c->opt.state : WEB_STATEDIR);
}

/* False after saying what is wrong. */
static bool take_role(const struct ctl *c, enum webusers_role otherwise,
		      enum webusers_role *ret)
{
	*ret = otherwise;
	if (!c->opt.role)
		return true;
	*ret = webusers_role(c->opt.role);
	if (*ret != WEBUSERS_NONE)
		return true;
	ctl_error("--role: say viewer or operator, not '%s'", c->opt.role);
	return false;
}

static enum ctl_exit apply(struct ctl *c, int (*fn)(void *ctx, struct webusers *u),
			   struct change *ch)
{
	char *path = users_path(c);
	char why[WHY_MAX] = "";
	int err = webusers_update(path, fn, ch, why, sizeof(why));

	free(path);
	if (err == 0)
		return CTL_DONE;
	if (*ch->why)
		ctl_error("%s", ch->why);
	else
		ctl_error("%s", *why ? why : strerror(-err));
	return CTL_FAILED;
}

/* --- passwords ----------------------------------------------------------------------- */

static int set_password(void *ctx, struct webusers *u)
{
	struct change *ch = ctx;
	bool added = !webusers_find(u, ch->name);
	int err = webusers_set_password(u, ch->name, ch->role, ch->password, ch->why,
					sizeof(ch->why));

	if (err == -EEXIST && !*ch->why)
		snprintf(ch->why, sizeof(ch->why), "'%s' is the name of a token",
			 ch->name);
	ch->added = added;
	return err;
}

/* Twice on a terminal, once from a file or a pipe; false after a message. */
static bool read_password(char *buf, size_t size)
{
	char again[WEBUSERS_PASSWORD_MAX + 2] = "";
	char why[WHY_MAX];
	bool same = true;

	if (!ctl_read_hidden("New password", buf, size)) {
		ctl_error("no password: type one, or give it as a line of standard "
			  "input");
		return false;
	}
	if (!webusers_password_ok(buf, why, sizeof(why))) {
		ctl_error("%s", why);
		return false;
	}
	if (isatty(STDIN_FILENO))
		same = ctl_read_hidden("The same again", again, sizeof(again)) &&
		       strcmp(buf, again) == 0;
	if (!same)
		ctl_error("the two passwords differ: nothing was changed");
	secret_wipe(again, sizeof(again));
	return same;
}

enum ctl_exit ctl_web_password(struct ctl *c, const struct ctl_command *cmd,
			       char **args, int n)
{
	/* One more than allowed: too long is noticed. */
	char password[WEBUSERS_PASSWORD_MAX + 2] = "";
	struct change ch = {.name = args[0], .password = password};
	enum ctl_exit status = CTL_USAGE;
	char why[WHY_MAX];

	(void)cmd;
	(void)n;
	if (!webusers_name_ok(args[0], why, sizeof(why))) {
		ctl_error("'%s' cannot be a user: %s", args[0], why);
		return CTL_USAGE;
	}
	if (!take_role(c, WEBUSERS_NONE, &ch.role))
		return CTL_USAGE;
	if (read_password(password, sizeof(password)))
		status = apply(c, set_password, &ch);
	secret_wipe(password, sizeof(password));
	if (status != CTL_DONE)
		return status;
	if (c->opt.json) {
		json_t *answer = json_pack("{s:i, s:s}", "schema", 1, "user", args[0]);

		ctl_print_json(c, answer);
		json_decref(answer);
	} else {
		fprintf(c->out.fp,
			ch.added ? "%s may log in now.\n"
				 : "%s has a new password; sessions with the old one "
				   "end.\n",
			args[0]);
	}
	return CTL_DONE;
}

/* --- users and tokens ------------------------------------------------------------------ */

static const char *kind_name(enum webusers_kind kind)
{
	return kind == WEBUSERS_TOKEN ? "token" : "user";
}

static int remove_entry(void *ctx, struct webusers *u)
{
	struct change *ch = ctx;
	const struct webusers_entry *e = webusers_find(u, ch->name);

	if (e && e->kind == ch->kind)
		return webusers_remove(u, ch->name);
	snprintf(ch->why, sizeof(ch->why), "there is no %s '%.40s'",
		 kind_name(ch->kind), ch->name);
	return -ENOENT;
}

static int add_token(void *ctx, struct webusers *u)
{
	struct change *ch = ctx;
	int err = webusers_add_token(u, ch->name, ch->role, ch->token, ch->why,
				     sizeof(ch->why));

	if (err == -EEXIST && !*ch->why)
		snprintf(ch->why, sizeof(ch->why), "there is a '%.40s' already",
			 ch->name);
	return err;
}

void ctl_web_names(struct ctl *c, bool tokens, void (*fn)(void *ctx, const char *name),
		   void *ctx)
{
	char *path = users_path(c);
	struct webusers u = {0};
	char why[WHY_MAX];

	if (webusers_load(&u, path, why, sizeof(why)) == 0)
		for (size_t i = 0; i < u.n; i++)
			if ((u.v[i].kind == WEBUSERS_TOKEN) == tokens)
				fn(ctx, u.v[i].name);
	webusers_fini(&u);
	free(path);
}

static enum ctl_exit list(struct ctl *c, enum webusers_kind kind)
{
	char *path = users_path(c);
	struct webusers u = {0};
	char why[WHY_MAX] = "";
	json_t *rows = json_array();
	json_t *answer;
	int err = webusers_load(&u, path, why, sizeof(why));

	for (size_t i = 0; i < u.n; i++)
		if (u.v[i].kind == kind)
			json_array_append_new(rows, json_pack("{s:s, s:s}", "name",
							      u.v[i].name, "role",
							      webusers_role_name(
								      u.v[i].role)));
	webusers_fini(&u);
	free(path);
	answer = json_pack("{s:i, s:o}", "schema", 1,
			   kind == WEBUSERS_TOKEN ? "tokens" : "users", rows);
	if (err < 0)
		ctl_error("%s", *why ? why : strerror(-err));
	else if (c->opt.json)
		ctl_print_json(c, answer);
	else
		ctl_print_table(&c->out, kind == WEBUSERS_TOKEN ? "tokens" : "users",
				rows);
	json_decref(answer);
	return err < 0 ? CTL_FAILED : CTL_DONE;
}

static enum ctl_exit remove_one(struct ctl *c, enum webusers_kind kind,
				const char *name)
{
	struct change ch = {.name = name, .kind = kind};
	enum ctl_exit status = apply(c, remove_entry, &ch);

	if (status == CTL_DONE && !c->opt.json)
		fprintf(c->out.fp, "The %s %s is removed.\n", kind_name(kind), name);
	return status;
}

static enum ctl_exit new_token(struct ctl *c, const char *name)
{
	struct change ch = {.name = name, .kind = WEBUSERS_TOKEN};
	enum ctl_exit status;
	char why[WHY_MAX];

	if (!webusers_name_ok(name, why, sizeof(why))) {
		ctl_error("'%s' cannot be a token's name: %s", name, why);
		return CTL_USAGE;
	}
	if (!take_role(c, WEBUSERS_VIEWER, &ch.role))
		return CTL_USAGE;
	status = apply(c, add_token, &ch);
	if (status == CTL_DONE && c->opt.json) {
		json_t *answer = json_pack("{s:i, s:s, s:s, s:s}", "schema", 1, "name",
					   name, "role", webusers_role_name(ch.role),
					   "token", ch.token);

		ctl_print_json(c, answer);
		json_decref(answer);
	} else if (status == CTL_DONE) {
		/* Alone on standard output, for scripts that keep it. */
		fprintf(c->out.fp, "%s\n", ch.token);
		fprintf(stderr,
			"This token (role %s) is shown once and kept nowhere.\n",
			webusers_role_name(ch.role));
	}
	secret_wipe(ch.token, sizeof(ch.token));
	return status;
}

static enum ctl_exit usage(const struct ctl_command *cmd)
{
	ctl_error("usage: edgectl %s %s", cmd->name, cmd->args);
	return CTL_USAGE;
}

enum ctl_exit ctl_web_user(struct ctl *c, const struct ctl_command *cmd, char **args,
			   int n)
{
	if (strcmp(args[0], "list") == 0 && n == 1)
		return list(c, WEBUSERS_USER);
	if (strcmp(args[0], "remove") == 0 && n == 2)
		return remove_one(c, WEBUSERS_USER, args[1]);
	return usage(cmd);
}

enum ctl_exit ctl_web_token(struct ctl *c, const struct ctl_command *cmd, char **args,
			    int n)
{
	if (strcmp(args[0], "add") == 0 && n == 2)
		return new_token(c, args[1]);
	if (c->opt.role)
		return usage(cmd);
	if (strcmp(args[0], "list") == 0 && n == 1)
		return list(c, WEBUSERS_TOKEN);
	if (strcmp(args[0], "remove") == 0 && n == 2)
		return remove_one(c, WEBUSERS_TOKEN, args[1]);
	return usage(cmd);
}

/* --- where it is ------------------------------------------------------------------------ */

static void print_where(const struct ctl *c, const json_t *answer)
{
	const json_t *listen = json_object_get(answer, "listen");
	const json_t *cert = json_object_get(answer, "certificate");
	const char *print = json_string_value(json_object_get(cert, "sha256"));
	const char *problem = json_string_value(json_object_get(answer, "problem"));
	char safe[512];
	char when[32];
	const json_t *one;
	size_t i;

	json_array_foreach (listen, i, one) {
		ctl_escape(safe, sizeof(safe),
			   json_is_string(one) ? json_string_value(one) : "?");
		fprintf(c->out.fp, "%s\n", safe);
	}
	if (print) {
		ctl_escape(safe, sizeof(safe), print);
		fprintf(c->out.fp, "certificate %s: SHA-256 %s\n",
			json_is_true(json_object_get(cert, "own")) ? "made by itself"
								   : "configured",
			safe);
	}
	if (json_is_number(json_object_get(cert, "not_after"))) {
		ctl_time(&c->out, when, sizeof(when),
			 json_number_value(json_object_get(cert, "not_after")));
		fprintf(c->out.fp, "good until %s\n", when);
	}
	if (problem) {
		ctl_escape(safe, sizeof(safe), problem);
		fprintf(c->out.fp, "The configured certificate is not in use: %s\n",
			safe);
	}
}

enum ctl_exit ctl_web(struct ctl *c, const struct ctl_command *cmd, char **args, int n)
{
	char *path =
		ed_asprintf("%s/web.json", c->opt.state ? c->opt.state : WEB_STATEDIR);
	json_error_t where;
	json_t *answer;
	enum ctl_exit status = CTL_DONE;

	(void)cmd;
	(void)args;
	(void)n;
	answer = access(path, R_OK) == 0 ? json_load_file(path, 0, &where) : NULL;
	if (answer) {
		if (c->opt.json)
			ctl_print_json(c, answer);
		else
			print_where(c, answer);
	} else if (errno == EACCES) {
		ctl_error("%s: not permitted: be root", path);
		status = CTL_FAILED;
	} else {
		ctl_error(
			"%s: edge-webui has not been started yet, or could not start: "
			"see systemctl status edge-webui",
			path);
		status = CTL_FAILED;
	}
	json_decref(answer);
	free(path);
	return status;
}
