/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "edgectl init": the first configuration. What an option does not say is asked: on
 * a terminal with a proposal, otherwise standard input has an answer a line, and an
 * empty line, or none, takes the proposal. Nothing that exists is ever overwritten,
 * and nothing is written that "edgectl check" would refuse.
 */
#include <errno.h>
#include <grp.h>
#include <ifaddrs.h>
#include <libgen.h>
#include <net/if.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "edged/ctl/ctl.h"
#include "edged/ctl/files.h"
#include "lib/addr.h"
#include "lib/alloc.h"
#include "lib/conf_report.h"
#include "lib/rng.h"
#include "lib/secret.h"
#include "lib/text.h"

enum {
	ANSWER_MAX = 512, /* bytes of an answer with its NUL */
	UPLINKS_MAX = 16, /* found by themselves */
	SECRET_LEN = 32, /* characters of a secret that we make: 190 bits */
	LIST_MAX = 1024,
};

struct init {
	struct ctl *c;
	bool tty; /* somebody answers */
	char name[ANSWER_MAX];
	char uplinks[ANSWER_MAX]; /* "isp1=eth0, lte=wwan0" */
	char lan[ANSWER_MAX];
	char peer[ANSWER_MAX]; /* "hub=198.51.100.1", or "branch" */
	char networks[ANSWER_MAX];
	char inside[ANSWER_MAX];
	char secret[ANSWER_MAX];
	bool made; /* the secret is ours */
	struct ctl_file config;
	struct ctl_file secrets;
};

/* --- what this box has ------------------------------------------------------------- */

struct route {
	char interface[IFNAMSIZ];
	unsigned long metric;
};

/* The interfaces of the default routes of the main table, by metric. */
static size_t default_routes(struct route list[UPLINKS_MAX])
{
	FILE *fp = fopen("/proc/net/route", "re");
	char line[256];
	size_t n = 0;

	while (fp && fgets(line, sizeof(line), fp) && n < UPLINKS_MAX) {
		struct route r;
		unsigned long dest;
		unsigned long mask;
		size_t at = 0;
		bool known = false;

		if (sscanf(line, "%15s %lx %*x %*x %*d %*d %lu %lx", r.interface, &dest,
			   &r.metric, &mask) != 4 ||
		    dest || mask)
			continue;
		for (size_t i = 0; i < n; i++)
			known |= strcmp(list[i].interface, r.interface) == 0;
		if (known)
			continue;
		while (at < n && list[at].metric <= r.metric)
			at++;
		memmove(&list[at + 1], &list[at], (n - at) * sizeof(*list));
		list[at] = r;
		n++;
		if (n == UPLINKS_MAX - 1)
			break;
	}
	if (fp)
		fclose(fp);
	return n;
}

static bool is_mobile(const char *ifname)
{
	return strncmp(ifname, "ww", 2) == 0;
}

static void propose_uplinks(struct init *in)
{
	struct route list[UPLINKS_MAX];
	size_t n = default_routes(list);
	struct text t = text_init(in->uplinks, sizeof(in->uplinks));
	unsigned int wired = 0;
	unsigned int mobile = 0;

	for (size_t i = 0; i < n; i++) {
		bool lte = is_mobile(list[i].interface);
		char one[2 * ANSWER_MAX];

		if (lte && ++mobile > 1)
			snprintf(one, sizeof(one), "lte%u=%s", mobile,
				 list[i].interface);
		else if (lte)
			snprintf(one, sizeof(one), "lte=%s", list[i].interface);
		else
			snprintf(one, sizeof(one), "isp%u=%s", ++wired,
				 list[i].interface);
		text_list(&t, ", ", one);
	}
}

static bool is_uplink(const struct init *in, const char *ifname)
{
	const char *s = in->uplinks;
	size_t len = strlen(ifname);

	/* Ends: s grows. */
	while ((s = strchr(s, '=')) != NULL) {
		s++;
		if (strncmp(s, ifname, len) == 0 && (!s[len] || strchr(", ", s[len])))
			return true;
	}
	return false;
}

static bool is_private(const struct addr *a)
{
	static const char *const nets[] = {"10.0.0.0/8", "172.16.0.0/12",
					   "192.168.0.0/16"};

	for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
		struct prefix p;

		if (prefix_parse(nets[i], &p) == 0 && prefix_contains(&p, a))
			return true;
	}
	return false;
}

static uint8_t mask_len(const struct sockaddr *mask)
{
	const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)mask;

	return mask ? (uint8_t)__builtin_popcount(in->sin_addr.s_addr) : 32;
}

/* The private networks of interfaces that are no uplinks. */
static void propose_lan(struct init *in)
{
	struct text t = text_init(in->lan, sizeof(in->lan));
	struct ifaddrs *list = NULL;

	if (getifaddrs(&list) < 0)
		return;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		struct addr a;
		struct prefix p;
		char one[PREFIX_STRLEN];

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
		    (i->ifa_flags & (IFF_LOOPBACK | IFF_POINTOPOINT)) ||
		    is_uplink(in, i->ifa_name))
			continue;
		a = addr_from_bytes(
			AF_INET,
			&((const struct sockaddr_in *)(const void *)i->ifa_addr)
				 ->sin_addr);
		p = prefix_of(&a, mask_len(i->ifa_netmask));
		if (is_private(&a) && p.len < 31)
			text_list(&t, ", ", prefix_format(&p, one));
	}
	freeifaddrs(list);
}

/* --- asking ------------------------------------------------------------------------- */

struct question {
	const char *option; /* with its dashes */
	size_t given; /* offset of the option's text in struct ctl_options */
	size_t answer; /* offset in struct init */
	const char *text;
	bool may_be_empty;
	bool hidden; /* is not shown while it is typed, and no option gives it */
	/* Write what to propose to the answer; NULL: nothing. */
	void (*propose)(struct init *in);
	/* True when the answer is good, else why not. */
	bool (*good)(const char *answer, char *why, size_t size);
	/* False: not to be asked; NULL: always. */
	bool (*wanted)(const struct init *in);
};

/* One answer; false: nobody is there any more. */
static bool read_answer(const struct init *in, const struct question *q,
			const char *proposal, char line[ANSWER_MAX])
{
	size_t n;

	if (q->hidden)
		return ctl_read_hidden(q->text, line, ANSWER_MAX);
	if (in->tty)
		fprintf(stderr, "%s%s%s%s: ", q->text, *proposal ? " [" : "", proposal,
			*proposal ? "]" : "");
	if (!ctl_read_line(line, ANSWER_MAX))
		return false;
	for (n = strlen(line); n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t');)
		line[--n] = '\0';
	return true;
}

/* False after a message. */
static bool ask(struct init *in, const struct question *q)
{
	const char *given =
		q->hidden
			? NULL
			: *(const char *const *)((const char *)&in->c->opt + q->given);
	char *buf = (char *)in + q->answer;
	char line[ANSWER_MAX];
	char why[256];

	/* Ends: at a good answer, at the end of the input, or when nobody is there. */
	for (;;) {
		bool more = true;

		if (given) {
			snprintf(buf, ANSWER_MAX, "%s", given);
		} else {
			more = read_answer(in, q, buf, line);
			if (more && *line)
				snprintf(buf, ANSWER_MAX, "%s", line);
			secret_wipe(line, sizeof(line));
		}
		if (!*buf && q->may_be_empty)
			return true;
		if (!*buf)
			snprintf(why, sizeof(why), "an answer is needed (%s)", q->text);
		else if (q->good(buf, why, sizeof(why)))
			return true;
		ctl_error("%s: %s", q->option, why);
		if (given || !in->tty || !more)
			return false;
		buf[0] = '\0';
	}
}

/* Call fn with each part of a list; false when one is refused. */
static bool each(const char *list, bool (*fn)(const char *part, char *why, size_t size),
		 char *why, size_t size)
{
	/* Ends: each round takes a part and its comma. */
	while (*list) {
		size_t len = strcspn(list, ", ");
		char *part = ed_strndup(list, len);
		bool good = !*part || fn(part, why, size);

		free(part);
		if (!good)
			return false;
		list += len;
		list += strspn(list, ", ");
	}
	return true;
}

static bool name_good(const char *answer, char *why, size_t size)
{
	char reason[160];

	if (config_name_ok(answer, reason, sizeof(reason)))
		return true;
	snprintf(why, size, "'%s' cannot be a name: %s", answer, reason);
	return false;
}

static bool uplink_good(const char *part, char *why, size_t size)
{
	const char *equals = strchr(part, '=');
	char *name = ed_strndup(part, equals ? (size_t)(equals - part) : 0);
	bool good = equals && equals[1] && config_name_ok(name, NULL, 0);

	if (!good)
		snprintf(why, size, "'%s' is not NAME=INTERFACE (isp1=eth0)", part);
	free(name);
	return good;
}

static bool uplinks_good(const char *answer, char *why, size_t size)
{
	return each(answer, uplink_good, why, size);
}

static bool prefix_good(const char *part, char *why, size_t size)
{
	struct prefix p;

	if (strchr(part, '/') && prefix_parse(part, &p) == 0)
		return true;
	snprintf(why, size, "'%s' is not a prefix (write 10.0.0.0/8)", part);
	return false;
}

static bool prefixes_good(const char *answer, char *why, size_t size)
{
	return each(answer, prefix_good, why, size);
}

/* NAME=HOST, or NAME alone; the check of the result judges the host. */
static bool peer_good(const char *answer, char *why, size_t size)
{
	size_t len = strcspn(answer, "=");
	char *name = ed_strndup(answer, len);
	bool good = name_good(name, why, size);

	free(name);
	if (good && (!answer[len] || answer[len + 1]) && !strpbrk(answer, " \"'#{}[],"))
		return true;
	if (good)
		snprintf(why, size, "'%s' is not NAME=HOST (hub=198.51.100.1)", answer);
	return false;
}

static bool secret_good(const char *answer, char *why, size_t size)
{
	for (const char *s = answer; *s; s++) {
		if (*s >= ' ' && *s < 0x7f)
			continue;
		snprintf(why, size,
			 "only printable ASCII characters can be in a secret");
		return false;
	}
	return true;
}

static void make_secret(struct init *in)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	struct rng rng = rng_system();

	for (size_t i = 0; i < SECRET_LEN; i++)
		in->secret[i] = letters[rng_below(&rng, sizeof(letters) - 1)];
	in->secret[SECRET_LEN] = '\0';
	in->made = true;
}

static bool calls_us(const struct init *in)
{
	return !strchr(in->peer, '=');
}

/* The peer's name alone. */
static char *peer_name(const struct init *in)
{
	return ed_strndup(in->peer, strcspn(in->peer, "="));
}

static void propose_name(struct init *in)
{
	if (gethostname(in->name, sizeof(in->name) - 1) < 0 ||
	    !config_name_ok(in->name, NULL, 0))
		in->name[0] = '\0';
}

static void propose_networks(struct init *in)
{
	/* A hub usually has everything behind it, a branch never has. */
	if (!calls_us(in))
		snprintf(in->networks, sizeof(in->networks), "10.0.0.0/8");
}

static void propose_inside(struct init *in)
{
	snprintf(in->inside, sizeof(in->inside), "100.96.0.0/16");
}

#define OPT(m) offsetof(struct ctl_options, m)
#define IN(m) offsetof(struct init, m)

/* clang-format off */
static const struct question questions[] = {
	{ .option = "--name", .given = OPT(name), .answer = IN(name),
	  .text = "Name of this site", .propose = propose_name, .good = name_good },
	{ .option = "--uplinks", .given = OPT(uplinks), .answer = IN(uplinks),
	  .text = "Internet connections, NAME=INTERFACE", .propose = propose_uplinks,
	  .good = uplinks_good },
	{ .option = "--lan", .given = OPT(lan), .answer = IN(lan),
	  .text = "Networks behind this box", .propose = propose_lan,
	  .good = prefixes_good, .may_be_empty = true },
	{ .option = "--peer", .given = OPT(peer), .answer = IN(peer),
	  .text = "The other end, NAME=HOST (NAME alone: it calls us)", .good = peer_good },
	{ .option = "--networks", .given = OPT(networks), .answer = IN(networks),
	  .text = "Networks behind the other end", .propose = propose_networks,
	  .good = prefixes_good },
	{ .option = "--inside", .given = OPT(inside), .answer = IN(inside),
	  .text = "Addresses for tunnels that call us", .propose = propose_inside,
	  .good = prefixes_good, .wanted = calls_us },
	{ .option = "the secret", .answer = IN(secret),
	  .text = "Secret shared with it (empty: make one)", .good = secret_good,
	  .may_be_empty = true, .hidden = true },
};
/* clang-format on */

static bool ask_all(struct init *in)
{
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		const struct question *q = &questions[i];

		if (q->wanted && !q->wanted(in))
			continue;
		if (q->propose)
			q->propose(in);
		if (!ask(in, q))
			return false;
	}
	if (!*in->secret)
		make_secret(in);
	return true;
}

/* --- the files ----------------------------------------------------------------------- */

/* A list in brackets, each part in quotes where YAML needs them. */
static void put_list(FILE *fp, const char *list)
{
	const char *sep = "";

	fputc('[', fp);
	while (*list) {
		size_t len = strcspn(list, ", ");
		bool quote = memchr(list, ':', len) != NULL;

		if (len)
			fprintf(fp, "%s%s%.*s%s", sep, quote ? "\"" : "", (int)len,
				list, quote ? "\"" : "");
		sep = ", ";
		list += len;
		list += strspn(list, ", ");
	}
	fputc(']', fp);
}

static void put_uplinks(FILE *fp, const char *list)
{
	while (*list) {
		size_t len = strcspn(list, ", ");
		size_t name = strcspn(list, "=");

		if (len > name)
			fprintf(fp, "  %.*s: {interface: %.*s%s}\n", (int)name, list,
				(int)(len - name - 1), list + name + 1,
				is_mobile(list + name + 1) ? ", cost: 100" : "");
		list += len;
		list += strspn(list, ", ");
	}
}

static char *config_text(const struct init *in)
{
	const char *host = strchr(in->peer, '=');
	char *peer = peer_name(in);
	char *text = NULL;
	size_t len;
	FILE *fp = open_memstream(&text, &len);

	if (!fp)
		abort();
	fprintf(fp, "# Every setting is explained in edged.yaml(5); secrets are in "
		    "secrets.yaml.\n");
	fprintf(fp, "name: %s\n", in->name);
	if (*in->lan) {
		fputs("lan: ", fp);
		put_list(fp, in->lan);
		fputc('\n', fp);
	}
	if (calls_us(in)) {
		fputs("inside: ", fp);
		put_list(fp, in->inside);
		fputc('\n', fp);
	}
	fputs("uplinks:\n", fp);
	put_uplinks(fp, in->uplinks);
	fprintf(fp, "peers:\n  %s: {", peer);
	if (host)
		fprintf(fp, strchr(host, ':') ? "address: \"%s\", " : "address: %s, ",
			host + 1);
	fputs("networks: ", fp);
	put_list(fp, in->networks);
	fputs("}\n", fp);
	if (fclose(fp) != 0)
		abort();
	free(peer);
	return text;
}

static char *secrets_text(const struct init *in)
{
	char *peer = peer_name(in);
	char *text = NULL;
	size_t len;
	FILE *fp = open_memstream(&text, &len);

	if (!fp)
		abort();
	fprintf(fp, "# Secrets of edged.yaml. Others must not read them.\n%s: \"",
		peer);
	for (const char *s = in->secret; *s; s++)
		fprintf(fp, *s == '"' || *s == '\\' ? "\\%c" : "%c", *s);
	fputs("\"\n", fp);
	if (fclose(fp) != 0)
		abort();
	free(peer);
	return text;
}

/* Nothing is there yet, and the folder is. */
static bool look(struct init *in, const char *secrets)
{
	const char *const paths[] = {in->c->opt.config, secrets};
	struct ctl_file *files[] = {&in->config, &in->secrets};

	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		int err = ctl_file_read(files[i], paths[i], CONFIG_FILE_MAX);

		if (err == 0 && !files[i]->there)
			continue;
		if (err == 0 || err == -EFBIG || err == -EINVAL)
			ctl_error("%s is there already: nothing was changed", paths[i]);
		else
			ctl_error("%s: %s", paths[i], strerror(-err));
		return false;
	}
	return true;
}

/* The folder of the files, as the package makes it. */
static bool make_folder(const char *path)
{
	char *copy = ed_strdup(path);
	const char *folder = dirname(copy);
	const struct group *gr = getgrnam("edged");
	bool good = mkdir(folder, 0750) == 0;

	if (good && gr && geteuid() == 0)
		good = chown(folder, 0, gr->gr_gid) == 0;
	else if (!good && errno == EEXIST)
		good = true;
	if (!good)
		ctl_error("%s: %s", folder, strerror(errno));
	free(copy);
	return good;
}

static enum ctl_exit stage(struct ctl_file *f, const char *text)
{
	int err = ctl_file_stage(f, text, strlen(text));

	if (err == 0)
		return CTL_DONE;
	ctl_error("%s cannot be written: %s", f->path, ctl_file_error(err));
	return CTL_FAILED;
}

/* What the answers make must be a good configuration. */
static enum ctl_exit judge(struct init *in)
{
	const struct config_source src = {.path = in->config.staged,
					  .secrets = in->secrets.staged};
	struct conf_report report;
	struct config *config = NULL;
	int err;

	conf_report_init(&report);
	err = config_load(&src, &config, &report);
	for (size_t i = 0; err < 0 && i < report.n; i++)
		if (report.v[i].error)
			ctl_error("%s", report.v[i].text);
	if (err < 0)
		ctl_error("these answers make no configuration: nothing was written");
	conf_report_fini(&report);
	config_free(config);
	return err < 0 ? CTL_REFUSED : CTL_DONE;
}

static enum ctl_exit write_files(struct init *in)
{
	char *config = config_text(in);
	char *secrets = secrets_text(in);
	enum ctl_exit status = stage(&in->config, config);
	const char *failed;
	int err;

	if (status == CTL_DONE)
		status = stage(&in->secrets, secrets);
	if (status == CTL_DONE)
		status = judge(in);
	if (status == CTL_DONE) {
		err = ctl_file_commit_pair(&in->secrets, &in->config, &failed);
		if (err < 0) {
			ctl_error("%s: %s; nothing was written", failed,
				  ctl_file_error(err));
			status = CTL_FAILED;
		}
	}
	secret_wipe(secrets, strlen(secrets));
	free(secrets);
	free(config);
	return status;
}

static void tell(const struct init *in)
{
	FILE *fp = in->c->out.fp;
	char *peer = peer_name(in);

	if (in->c->opt.json) {
		json_t *answer =
			json_pack("{s:i, s:s, s:s, s:s, s:b}", "schema", 1, "config",
				  in->config.path, "secrets", in->secrets.path, "peer",
				  peer, "secret_made", (int)in->made);

		ctl_print_json(in->c, answer);
		json_decref(answer);
	} else {
		fprintf(fp, "%s and %s are written.\n", in->config.path,
			in->secrets.path);
		if (in->made)
			fprintf(fp,
				"The secret was made here: %s needs the same one, copy it "
				"from the second file.\n",
				peer);
		fprintf(fp, "Start edged: systemctl start edged\n");
	}
	free(peer);
}

enum ctl_exit ctl_init(struct ctl *c, const struct ctl_command *cmd, char **args, int n)
{
	struct init in = {.c = c,
			  .tty = isatty(STDIN_FILENO),
			  .secrets = {.secret = true}};
	const char *slash = strrchr(c->opt.config, '/');
	char *secrets = ed_asprintf("%.*ssecrets.yaml",
				    slash ? (int)(slash + 1 - c->opt.config) : 0,
				    c->opt.config);
	enum ctl_exit status = CTL_FAILED;

	(void)cmd;
	(void)args;
	(void)n;
	if (look(&in, secrets)) {
		status = ask_all(&in) ? CTL_DONE : CTL_USAGE;
		if (status == CTL_DONE && !make_folder(c->opt.config))
			status = CTL_FAILED;
		if (status == CTL_DONE)
			status = write_files(&in);
		if (status == CTL_DONE)
			tell(&in);
	}
	secret_wipe(in.secret, sizeof(in.secret));
	ctl_file_fini(&in.config);
	ctl_file_fini(&in.secrets);
	free(secrets);
	return status;
}
