/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * webusers - who may log in to the dashboard: the file STATE/users
 *
 *	alice:operator:$y$j9T$...	a person; the hash of the password (yescrypt)
 *	grafana:viewer:sha256=4f0c...	a bearer token for a script; its SHA-256
 *
 * One line each, `#` begins a comment line. Names are unique over both kinds.
 * Neither a password nor a token can be had from the file: passwords are hashed
 * slowly with a salt, tokens are 256 random bits, so that a fast hash is enough.
 *
 * The file belongs to the owner of its folder (STATE is edge-webui's), mode 0600.
 * It is written as a whole under another name and renamed; webusers_update() holds
 * a lock beside it, so that two writers do not lose each other's change.
 *
 * webusers_verify() is slow on purpose (about 60 ms and 16 MiB): edge-webui calls
 * it in a thread of its own.
 */
#ifndef ED_LIB_WEBUSERS_H
#define ED_LIB_WEBUSERS_H

#include <stdbool.h>
#include <stddef.h>

enum webusers_limits {
	WEBUSERS_MAX = 256, /* lines with a user or a token */
	WEBUSERS_FILE_MAX = 128 * 1024, /* bytes */
	WEBUSERS_NAME_MAX = 33, /* bytes of a name with its NUL */
	WEBUSERS_HASH_MAX = 192, /* bytes of a hash with its NUL */
	WEBUSERS_PASSWORD_MIN = 8, /* bytes */
	WEBUSERS_PASSWORD_MAX = 256, /* bytes without the NUL */
	WEBUSERS_TOKEN_MAX = 72, /* bytes of a new token with its NUL */
};

enum webusers_role {
	WEBUSERS_NONE = 0,
	WEBUSERS_VIEWER, /* sees everything */
	WEBUSERS_OPERATOR, /* and may take uplinks down, restart peers */
};

enum webusers_kind { WEBUSERS_USER = 1, WEBUSERS_TOKEN };

struct webusers_entry {
	enum webusers_kind kind;
	enum webusers_role role;
	char name[WEBUSERS_NAME_MAX];
	char hash[WEBUSERS_HASH_MAX]; /* crypt(3)'s text, or 64 hexadecimal digits */
};

struct webusers {
	size_t n;
	struct webusers_entry *v;
};

/* "viewer", "operator", "none". */
const char *webusers_role_name(enum webusers_role role);

/* The role of a word; WEBUSERS_NONE when it is neither viewer nor operator. */
enum webusers_role webusers_role(const char *word);

/*
 * True when name may name a user or token: 1 to 32 of a-z A-Z 0-9 . _ -, first a
 * letter or digit. Otherwise why says what is wrong with it.
 */
bool webusers_name_ok(const char *name, char *why, size_t size);

/* The same for a new password: its length, and no control character in it. */
bool webusers_password_ok(const char *password, char *why, size_t size);

/*
 * The entries of len bytes of a file. u is empty before; free with webusers_fini()
 * whatever comes back.
 *
 * Returns 0, or -EINVAL with a sentence that begins with the line in why. The
 * sentence never holds a hash.
 */
int webusers_parse(struct webusers *u, const char *bytes, size_t len, char *why,
		   size_t size);

/*
 * Read a file. One that does not exist has no users.
 *
 * Returns 0, -EPERM when others may read it, -EINVAL, or what open and read said,
 * each with a sentence in why; u is then empty.
 */
int webusers_load(struct webusers *u, const char *path, char *why, size_t size);

/* Free and wipe what u holds, and make it empty. */
void webusers_fini(struct webusers *u);

/* Find by name; NULL when there is none. */
const struct webusers_entry *webusers_find(const struct webusers *u, const char *name);

/*
 * Hash a password with a new salt.
 *
 * Returns 0, or -EINVAL when webusers_password_ok() refuses it or libcrypt cannot.
 */
int webusers_hash(const char *password, char hash[WEBUSERS_HASH_MAX]);

/*
 * True when password is the one of hash. hash NULL (no such user) takes as long and
 * is always false.
 */
bool webusers_verify(const char *password, const char *hash);

/* The token's entry, or NULL; takes the same time whichever one it is. */
const struct webusers_entry *webusers_token(const struct webusers *u,
					    const char *token);

/*
 * Give a user a password, and a role unless that is WEBUSERS_NONE (a user that
 * exists keeps the one it has; a new one then becomes operator).
 *
 * Returns 0; -EINVAL: a bad name or password (why says which); -EEXIST: the name is
 * a token's; -ENOSPC: there are WEBUSERS_MAX entries.
 */
int webusers_set_password(struct webusers *u, const char *name, enum webusers_role role,
			  const char *password, char *why, size_t size);

/*
 * Make a token; token gets its text, which is nowhere else and is shown once.
 *
 * Returns 0, -EINVAL, -EEXIST (the name is in use) or -ENOSPC.
 */
int webusers_add_token(struct webusers *u, const char *name, enum webusers_role role,
		       char token[WEBUSERS_TOKEN_MAX], char *why, size_t size);

/* Change the role of a user or token. Returns 0, -ENOENT or -EINVAL (no role). */
int webusers_set_role(struct webusers *u, const char *name, enum webusers_role role);

/* Remove a user or token. Returns 0 or -ENOENT. */
int webusers_remove(struct webusers *u, const char *name);

/*
 * Read path, let change() work on it, and write it when that returned 0. The folder
 * must exist; a new file gets its owner and group. edge-webui sees the new file with
 * the next request: sessions of users whose line changed end then.
 *
 * Returns what change() returned when that is not 0, or a negative errno with a
 * sentence in why.
 */
int webusers_update(const char *path, int (*change)(void *ctx, struct webusers *u),
		    void *ctx, char *why, size_t size);

#endif
