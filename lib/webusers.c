/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/webusers.h"

#include <crypt.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/alloc.h"
#include "lib/rng.h"
#include "lib/secret.h"

static const char token_mark[] = "sha256=";
/* Whoever finds one in a log or a repository knows what it is. */
static const char token_prefix[] = "edw_";

enum { TOKEN_BYTES = 32, SETTING_MAX = 128 };

const char *webusers_role_name(enum webusers_role role)
{
	switch (role) {
	case WEBUSERS_VIEWER:
		return "viewer";
	case WEBUSERS_OPERATOR:
		return "operator";
	case WEBUSERS_NONE:
		break;
	}
	return "none";
}

enum webusers_role webusers_role(const char *word)
{
	if (strcmp(word, "viewer") == 0)
		return WEBUSERS_VIEWER;
	if (strcmp(word, "operator") == 0)
		return WEBUSERS_OPERATOR;
	return WEBUSERS_NONE;
}

bool webusers_name_ok(const char *name, char *why, size_t size)
{
	size_t len = strlen(name);

	if (len == 0 || len >= WEBUSERS_NAME_MAX) {
		snprintf(why, size, "a name has 1 to %d characters",
			 WEBUSERS_NAME_MAX - 1);
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (isalnum((unsigned char)name[i]) ||
		    (i > 0 && strchr("._-", name[i])))
			continue;
		snprintf(why, size,
			 "a name is made of a-z, A-Z, 0-9, and behind the first of "
			 "them . _ -");
		return false;
	}
	return true;
}

bool webusers_password_ok(const char *password, char *why, size_t size)
{
	size_t len = strlen(password);

	if (len < WEBUSERS_PASSWORD_MIN || len > WEBUSERS_PASSWORD_MAX) {
		snprintf(why, size, "a password has %d to %d characters",
			 WEBUSERS_PASSWORD_MIN, WEBUSERS_PASSWORD_MAX);
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (!iscntrl((unsigned char)password[i]))
			continue;
		snprintf(why, size, "a password holds no control character");
		return false;
	}
	return true;
}

/* --- the file ------------------------------------------------------------- */

/* Copy what stands before sep (or all of it) to buf and move *s behind it. */
static bool take_field(const char **s, const char *end, char sep, char *buf,
		       size_t size)
{
	const char *stop = sep ? memchr(*s, sep, (size_t)(end - *s)) : end;
	size_t len = stop ? (size_t)(stop - *s) : 0;

	if (!stop || len == 0 || len >= size || memchr(*s, '\0', len))
		return false;
	memcpy(buf, *s, len);
	buf[len] = '\0';
	*s = stop + (sep != '\0');
	return true;
}

static bool is_hex64(const char *s)
{
	return strspn(s, "0123456789abcdef") == 64 && s[64] == '\0';
}

/* What crypt(3) makes: printable, no colon, no blank; "$" first since DES is out. */
static bool is_crypt(const char *s)
{
	if (*s != '$' || strlen(s) < 20)
		return false;
	for (; *s; s++)
		if (!isgraph((unsigned char)*s) || strchr(":*!\\", *s))
			return false;
	return true;
}

static const char *parse_line(const char *s, const char *end, struct webusers_entry *e)
{
	const size_t mark = sizeof(token_mark) - 1;
	char role[16];
	char why[80];

	memset(e, 0, sizeof(*e));
	if (!take_field(&s, end, ':', e->name, sizeof(e->name)) ||
	    !webusers_name_ok(e->name, why, sizeof(why)))
		return "does not begin with a name and a colon";
	if (!take_field(&s, end, ':', role, sizeof(role)))
		return "lacks the role behind the name";
	e->role = webusers_role(role);
	if (e->role == WEBUSERS_NONE)
		return "names a role that is neither viewer nor operator";
	if (!take_field(&s, end, '\0', e->hash, sizeof(e->hash)))
		return "lacks the hash behind the role, or it is too long";
	e->kind = strncmp(e->hash, token_mark, mark) == 0 ? WEBUSERS_TOKEN
							  : WEBUSERS_USER;
	if (e->kind == WEBUSERS_TOKEN)
		memmove(e->hash, e->hash + mark, sizeof(e->hash) - mark);
	if (e->kind == WEBUSERS_TOKEN ? !is_hex64(e->hash) : !is_crypt(e->hash))
		return "holds something that is no hash";
	return NULL;
}

static struct webusers_entry *append(struct webusers *u)
{
	u->v = ed_realloc(u->v, u->n + 1, sizeof(*u->v));
	memset(&u->v[u->n], 0, sizeof(*u->v));
	return &u->v[u->n++];
}

int webusers_parse(struct webusers *u, const char *bytes, size_t len, char *why,
		   size_t size)
{
	const char *s = bytes;
	const char *end = len ? bytes + len : bytes;
	unsigned int line = 0;

	/* Ends: each round takes a line. */
	while (s < end) {
		const char *stop = memchr(s, '\n', (size_t)(end - s));
		const char *wrong = NULL;
		struct webusers_entry e;

		line++;
		if (!stop) {
			snprintf(why, size, "line %u: cut off", line);
			return -EINVAL;
		}
		if (stop > s && *s != '#') {
			wrong = parse_line(s, stop, &e);
			if (!wrong && webusers_find(u, e.name))
				wrong = "gives a name a second time";
			if (!wrong && u->n == WEBUSERS_MAX)
				wrong = "is one more than there may be";
			if (!wrong)
				*append(u) = e;
			secret_wipe(&e, sizeof(e));
		}
		if (wrong) {
			snprintf(why, size, "line %u %s", line, wrong);
			return -EINVAL;
		}
		s = stop + 1;
	}
	return 0;
}

/* All bytes of a file descriptor that others may not read. */
static int read_all(int fd, char **ret, size_t *ret_len)
{
	struct stat st;
	char *buf;
	size_t len = 0;
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_mode & 077)
		return -EPERM;
	if (st.st_size > WEBUSERS_FILE_MAX)
		return -EFBIG;
	buf = ed_alloc(WEBUSERS_FILE_MAX + 1);
	/* Ends: each round reads at least a byte of a bounded file. */
	while (len <= WEBUSERS_FILE_MAX &&
	       (n = read(fd, buf + len, WEBUSERS_FILE_MAX + 1 - len)) > 0)
		len += (size_t)n;
	*ret = buf;
	*ret_len = len;
	return 0;
}

static void load_why(int err, const char *path, char *why, size_t size)
{
	if (err == -EPERM)
		snprintf(why, size,
			 "%s may be read or written by others: it is not used (cure: "
			 "chmod 600 %s)",
			 path, path);
	else if (err == -EINVAL)
		snprintf(why, size, "%s is no file", path);
	else
		snprintf(why, size, "%s: %s", path, strerror(-err));
}

int webusers_load(struct webusers *u, const char *path, char *why, size_t size)
{
	char reason[160];
	char *bytes = NULL;
	size_t len = 0;
	int fd;
	int err;

	*u = (struct webusers){0};
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 && errno == ENOENT)
		return 0;
	err = fd < 0 ? -errno : read_all(fd, &bytes, &len);
	if (fd >= 0)
		close(fd);
	if (err < 0) {
		load_why(err, path, why, size);
		return err;
	}
	err = webusers_parse(u, bytes, len, reason, sizeof(reason));
	if (err < 0) {
		snprintf(why, size, "%s: %s", path, reason);
		webusers_fini(u);
	}
	secret_wipe(bytes, len);
	free(bytes);
	return err;
}

void webusers_fini(struct webusers *u)
{
	secret_wipe(u->v, u->n * sizeof(*u->v));
	free(u->v);
	*u = (struct webusers){0};
}

const struct webusers_entry *webusers_find(const struct webusers *u, const char *name)
{
	for (size_t i = 0; i < u->n; i++)
		if (strcmp(u->v[i].name, name) == 0)
			return &u->v[i];
	return NULL;
}

/* --- passwords and tokens ------------------------------------------------- */

/* crypt_r() with its 32 KiB of work space on the heap, wiped. */
static bool crypt_to(const char *password, const char *setting, char *hash, size_t size)
{
	struct crypt_data *work = ed_alloc(sizeof(*work));
	const char *out = crypt_rn(password, setting, work, sizeof(*work));
	bool ok = out && *out != '*' && strlen(out) < size;

	if (ok)
		snprintf(hash, size, "%s", out);
	secret_wipe(work, sizeof(*work));
	free(work);
	return ok;
}

int webusers_hash(const char *password, char hash[WEBUSERS_HASH_MAX])
{
	char setting[SETTING_MAX];
	char why[80];

	/* Salt from the kernel, cost by libcrypt's default. */
	if (!webusers_password_ok(password, why, sizeof(why)) ||
	    !crypt_gensalt_rn("$y$", 0, NULL, 0, setting, sizeof(setting)) ||
	    !crypt_to(password, setting, hash, WEBUSERS_HASH_MAX))
		return -EINVAL;
	return 0;
}

bool webusers_verify(const char *password, const char *hash)
{
	char made[WEBUSERS_HASH_MAX] = "";
	char nobody[SETTING_MAX] = "";
	bool ok;

	if (strlen(password) > WEBUSERS_PASSWORD_MAX)
		return false;
	/* A salt of the same cost: who does not exist takes as long as who does. */
	if (!hash && !crypt_gensalt_rn("$y$", 0, NULL, 0, nobody, sizeof(nobody)))
		return false;
	ok = crypt_to(password, hash ? hash : nobody, made, sizeof(made));
	ok = ok && hash && strlen(hash) == strlen(made) &&
	     secret_equal(hash, made, strlen(made));
	secret_wipe(made, sizeof(made));
	return ok;
}

static void token_hash(const char *token, char hex[65])
{
	uint8_t digest[SECRET_DIGEST_LEN];

	secret_digest(token, strlen(token), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, 3, "%02x", digest[i]);
}

const struct webusers_entry *webusers_token(const struct webusers *u, const char *token)
{
	const struct webusers_entry *found = NULL;
	char hex[65];

	token_hash(token, hex);
	for (size_t i = 0; i < u->n; i++)
		if (u->v[i].kind == WEBUSERS_TOKEN &&
		    secret_equal(u->v[i].hash, hex, 64))
			found = &u->v[i];
	return found;
}

/* --- changes --------------------------------------------------------------- */

static struct webusers_entry *find_mutable(struct webusers *u, const char *name)
{
	const struct webusers_entry *e = webusers_find(u, name);

	return e ? &u->v[e - u->v] : NULL;
}

int webusers_set_password(struct webusers *u, const char *name, enum webusers_role role,
			  const char *password, char *why, size_t size)
{
	struct webusers_entry *e = find_mutable(u, name);
	char hash[WEBUSERS_HASH_MAX];

	if (!webusers_name_ok(name, why, size) ||
	    !webusers_password_ok(password, why, size))
		return -EINVAL;
	if (e && e->kind != WEBUSERS_USER) {
		snprintf(why, size, "%s is the name of a token", name);
		return -EEXIST;
	}
	if (!e && u->n >= WEBUSERS_MAX) {
		snprintf(why, size, "there are %d users and tokens already",
			 WEBUSERS_MAX);
		return -ENOSPC;
	}
	if (webusers_hash(password, hash) < 0) {
		snprintf(why, size, "the password could not be hashed");
		return -EINVAL;
	}
	if (!e) {
		e = append(u);
		e->kind = WEBUSERS_USER;
		e->role = WEBUSERS_OPERATOR;
		snprintf(e->name, sizeof(e->name), "%s", name);
	}
	if (role != WEBUSERS_NONE)
		e->role = role;
	memcpy(e->hash, hash, sizeof(e->hash));
	secret_wipe(hash, sizeof(hash));
	return 0;
}

int webusers_add_token(struct webusers *u, const char *name, enum webusers_role role,
		       char token[WEBUSERS_TOKEN_MAX], char *why, size_t size)
{
	struct rng rng = rng_system();
	uint8_t bytes[TOKEN_BYTES];
	struct webusers_entry *e;
	size_t at = sizeof(token_prefix) - 1;

	if (!webusers_name_ok(name, why, size))
		return -EINVAL;
	if (role == WEBUSERS_NONE) {
		snprintf(why, size, "a role is viewer or operator");
		return -EINVAL;
	}
	if (webusers_find(u, name)) {
		snprintf(why, size, "there is a user or token %s already", name);
		return -EEXIST;
	}
	if (u->n >= WEBUSERS_MAX) {
		snprintf(why, size, "there are %d users and tokens already",
			 WEBUSERS_MAX);
		return -ENOSPC;
	}
	rng_bytes(&rng, bytes, sizeof(bytes));
	memcpy(token, token_prefix, at);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(token + at + 2 * i, 3, "%02x", bytes[i]);
	secret_wipe(bytes, sizeof(bytes));
	e = append(u);
	e->kind = WEBUSERS_TOKEN;
	e->role = role;
	snprintf(e->name, sizeof(e->name), "%s", name);
	token_hash(token, e->hash);
	return 0;
}

int webusers_set_role(struct webusers *u, const char *name, enum webusers_role role)
{
	struct webusers_entry *e = find_mutable(u, name);

	if (!e)
		return -ENOENT;
	if (role == WEBUSERS_NONE)
		return -EINVAL;
	e->role = role;
	return 0;
}

int webusers_remove(struct webusers *u, const char *name)
{
	struct webusers_entry *e = find_mutable(u, name);

	if (!e)
		return -ENOENT;
	*e = u->v[--u->n];
	secret_wipe(&u->v[u->n], sizeof(*u->v));
	return 0;
}

/* --- writing ---------------------------------------------------------------- */

static int write_entries(const struct webusers *u, int fd)
{
	FILE *fp = fdopen(fd, "w");
	int err = 0;

	if (!fp) {
		err = -errno;
		close(fd);
		return err;
	}
	fputs("# Users and tokens of the dashboard; change it by: edgectl web\n", fp);
	for (size_t i = 0; i < u->n; i++)
		fprintf(fp, "%s:%s:%s%s\n", u->v[i].name,
			webusers_role_name(u->v[i].role),
			u->v[i].kind == WEBUSERS_TOKEN ? token_mark : "", u->v[i].hash);
	if (fflush(fp) != 0 || fsync(fileno(fp)) < 0)
		err = -errno;
	if (fclose(fp) != 0 && err == 0)
		err = -errno;
	return err;
}

/*
 * Write name in the folder, by a new file that takes its place. The folder may be
 * another user's, so nothing here follows a link or opens what is there already.
 */
static int write_file(const struct webusers *u, int folder, const char *name)
{
	char temp[64];
	struct stat st;
	int err;
	int fd;

	snprintf(temp, sizeof(temp), ".users.%d", (int)getpid());
	(void)unlinkat(folder, temp, 0);
	fd = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd < 0)
		return -errno;
	if (fstat(folder, &st) < 0 || fchmod(fd, 0600) < 0 ||
	    (geteuid() == 0 && fchown(fd, st.st_uid, st.st_gid) < 0)) {
		err = -errno;
		close(fd);
	} else {
		err = write_entries(u, fd);
	}
	if (err == 0 && renameat(folder, temp, folder, name) < 0)
		err = -errno;
	if (err < 0)
		(void)unlinkat(folder, temp, 0);
	else
		(void)fsync(folder);
	return err;
}

int webusers_update(const char *path, int (*change)(void *ctx, struct webusers *u),
		    void *ctx, char *why, size_t size)
{
	const char *slash = strrchr(path, '/');
	char *dir =
		slash ? ed_strndup(path, (size_t)(slash - path) + 1) : ed_strdup(".");
	int folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct webusers u = {0};
	int err;

	/* The folder is what writers lock: it stays, whatever is renamed in it. */
	if (folder < 0 || flock(folder, LOCK_EX) < 0) {
		err = -errno;
		snprintf(why, size, "%s: %s%s", dir, strerror(-err),
			 err == -ENOENT ? " (edge-webui makes it when it first starts)"
					: "");
		goto out;
	}
	err = webusers_load(&u, path, why, size);
	if (err == 0)
		err = change(ctx, &u);
	else
		goto out;
	if (err == 0) {
		err = write_file(&u, folder, slash ? slash + 1 : path);
		if (err < 0)
			snprintf(why, size, "%s: %s", path, strerror(-err));
	}

out:
	webusers_fini(&u);
	if (folder >= 0)
		close(folder);
	free(dir);
	return err;
}
