/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From files to struct config, in this order: bytes, nodes, structs by schema,
 * presets, what follows from the rest (end points, default classes, ...),
 * secrets, checks, dry run. Each step reports all it finds; only a configuration
 * without any error is handed out, whole.
 *
 * Cut-off files. What a file lost cannot be seen in it, so three rules:
 * a block file must end with a line break (a cut in the middle of a line), no
 * setting may be without a value (a cut behind `peers:`), and a file that is the
 * beginning of the configuration that runs and lacks more than one thing is refused
 * (a cut between two lines).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "edged/config/parts.h"
#include "edged/config/schema.h"
#include "lib/addr.h"
#include "lib/alloc.h"
#include "lib/conf.h"
#include "lib/conf_report.h"
#include "lib/secret.h"
#include "lib/text.h"

/* The smallest classes that make sense: marks and limits as RFC 4594 uses them. */
static const struct {
	const char *name;
	uint64_t dscp[3];
	size_t n;
	int64_t max_delay_us;
	int64_t max_jitter_us;
	uint64_t max_loss_ppm;
} default_classes[] = {
	{"voice", {46}, 1, 150000, 30000, 10000},
	{"business", {26, 28, 30}, 3, 300000, 0, 20000},
};

/* A preset that was read; peers that name it share it. */
struct preset {
	char *name;
	struct config_preset p;
	bool good;
	struct preset *next;
};

struct loader {
	const struct config_source *src;
	struct conf_report *report;
	struct config *c;
	struct conf *conf;
	struct preset *presets;
};

/* --- files ---------------------------------------------------------------- */

static void file_refused(struct conf_report *report, const char *path, const char *why)
{
	conf_report_add(report, true, path, 0, 0, NULL, 0, "%s", why);
}

static int read_all(int fd, char **ret, size_t *len)
{
	size_t cap = 16384;
	char *buf = ed_array(cap, 1);
	size_t n = 0;

	/* Ends: at the limit at the latest. */
	for (;;) {
		ssize_t got = read(fd, buf + n, cap - n);
		char *more;

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			int err = -errno;

			secret_wipe(buf, n);
			free(buf);
			return err;
		}
		if (got == 0)
			break;
		n += (size_t)got;
		if (n > CONFIG_FILE_MAX) {
			secret_wipe(buf, n);
			free(buf);
			return -EFBIG;
		}
		if (n < cap)
			continue;
		/* Not realloc(): what it leaves behind could be a secret. */
		more = ed_array(2 * cap, 1);
		memcpy(more, buf, n);
		secret_wipe(buf, n);
		free(buf);
		buf = more;
		cap *= 2;
	}
	*ret = buf;
	*len = n;
	return 0;
}

int config_read_file(const char *path, struct conf_report *report, char **ret,
		     size_t *len, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int err;

	if (fd < 0) {
		err = -errno;
		if (err != -ENOENT && err != -EACCES)
			file_refused(report, path, strerror(-err));
		return err;
	}
	if (fstat(fd, st) < 0) {
		err = -errno;
		file_refused(report, path, strerror(-err));
	} else if (!S_ISREG(st->st_mode)) {
		err = -EINVAL;
		file_refused(report, path, "this is not a regular file");
	} else {
		err = read_all(fd, ret, len);
		if (err == -EFBIG)
			file_refused(report, path,
				     "the file is too large (8 MB at most)");
		else if (err < 0)
			file_refused(report, path, strerror(-err));
	}
	close(fd);
	return err;
}

/* The file beside path. */
static char *beside(const char *path, const char *name)
{
	char *copy = ed_strdup(path);
	const char *folder = dirname(copy);
	char *result =
		strcmp(folder, ".") == 0 && path[0] != '.'
			? ed_strdup(name)
			: ed_asprintf("%s/%s", strcmp(folder, "/") == 0 ? "" : folder,
				      name);

	free(copy);
	return result;
}

const char *config_presets_dir(void)
{
	static char dir[PATH_MAX];
	const char *env = getenv("EDGED_DATADIR");
	char exe[PATH_MAX - 64];
	ssize_t len;

	if (env && *env == '/') {
		snprintf(dir, sizeof(dir), "%s/presets", env);
		return dir;
	}
	/* In a source or build tree the program lies a few folders below the top. */
	len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (len > 0) {
		exe[len] = '\0';
		for (int up = 0; up < 4; up++) {
			char *slash = strrchr(exe, '/');

			if (!slash || slash == exe)
				break;
			*slash = '\0';
			snprintf(dir, sizeof(dir), "%s/conf/presets/edged.yaml", exe);
			if (access(dir, R_OK) == 0) {
				snprintf(dir, sizeof(dir), "%s/conf/presets", exe);
				return dir;
			}
		}
	}
	snprintf(dir, sizeof(dir), "%s/presets", ED_DATADIR);
	return dir;
}

/* --- presets -------------------------------------------------------------- */

/* The presets there are, for the sentence about one that is not; *near: what is meant. */
static void preset_names(const char *folder, const char *name, struct text *t,
			 struct text *near)
{
	unsigned int least = ~0u;
	struct dirent **list;
	int n = scandir(folder, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char *dot = strrchr(list[i]->d_name, '.');

		if (dot && dot > list[i]->d_name && strcmp(dot, ".yaml") == 0) {
			unsigned int d;

			*dot = '\0';
			text_list(t, ", ", list[i]->d_name);
			d = strcasecmp(name, list[i]->d_name) == 0
				    ? 0
				    : conf_distance(name, list[i]->d_name);
			if (d < least && conf_near(name, d)) {
				least = d;
				near->len = 0;
				text_add(near, ", did you mean '%s'?", list[i]->d_name);
			}
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static void preset_missing(struct loader *l, const struct config_peer *peer,
			   const char *folder)
{
	char names[256];
	char similar[128] = "";
	struct text t = text_init(names, sizeof(names));
	struct text near = text_init(similar, sizeof(similar));

	preset_names(folder, peer->preset, &t, &near);
	conf_error(l->conf,
		   conf_place(l->conf, &peer->preset) ? (const void *)&peer->preset
						      : (const void *)peer,
		   "preset '%s' is not known (%s has %s)%s", peer->preset, folder,
		   t.len ? names : "none", similar);
}

/* The preset a peer names, read once; NULL after a message. */
static struct preset *preset_get(struct loader *l, const struct config_peer *peer)
{
	const char *folder = l->src->presets ? l->src->presets : config_presets_dir();
	struct conf_doc doc;
	struct preset *p;
	struct conf *conf;
	struct stat st;
	char *path;
	char *bytes;
	size_t errors = l->report->errors;
	size_t len;
	int err;

	for (p = l->presets; p; p = p->next)
		if (strcmp(p->name, peer->preset) == 0)
			return p->good ? p : NULL;
	p = ed_alloc(sizeof(*p));
	p->name = ed_strdup(peer->preset);
	p->next = l->presets;
	l->presets = p;

	path = ed_asprintf("%s/%s.yaml", folder, peer->preset);
	err = config_read_file(path, l->report, &bytes, &len, &st);
	if (err == -ENOENT)
		preset_missing(l, peer, folder);
	else if (err == -EACCES)
		file_refused(l->report, path, "this preset cannot be read");
	if (err == 0) {
		conf_doc_parse(&doc, path, bytes, len, false, l->report);
		free(bytes);
		conf = conf_new(&doc);
		conf_walk(conf, &config_preset_schema, &p->p);
		conf_free(conf);
		conf_doc_fini(&doc);
		p->good = l->report->errors == errors;
	}
	free(path);
	return p->good ? p : NULL;
}

static void presets_free(struct loader *l)
{
	while (l->presets) {
		struct preset *p = l->presets;

		l->presets = p->next;
		conf_free_value(&config_preset_schema, &p->p);
		free(p->name);
		free(p);
	}
}

/* What the peer does not say itself comes from its preset. */
static void apply_preset(struct loader *l, struct config_peer *peer)
{
	const struct preset *preset = peer->preset ? preset_get(l, peer) : NULL;
	const struct conf_row *from = config_preset_rows;
	const struct conf_row *to = config_peer_profile_rows;
	static const struct config_preset defaults;

	for (; strcmp(from->name, to->name) == 0; from++, to++) {
		/* Both rows describe the same member, at two offsets. */
		struct conf_row row = *from;
		const char *src =
			preset ? (const char *)&preset->p : (const char *)&defaults;

		if (conf_place(l->conf, (char *)peer + to->offset))
			continue;
		row.offset = 0;
		conf_copy(&row, (char *)peer + to->offset, src + from->offset);
	}
}

/* --- what follows from the rest ------------------------------------------- */

static void strings_copy(struct loader *l, struct config_strings *to,
			 const struct config_strings *from)
{
	to->v = from->n ? ed_array(from->n, sizeof(*to->v)) : NULL;
	to->n = from->n;
	for (size_t i = 0; i < from->n; i++) {
		to->v[i] = ed_strdup(from->v[i]);
		conf_place_copy(l->conf, &to->v[i], &from->v[i]);
	}
	conf_place_copy(l->conf, to, from);
}

/* A peer with an address and no named end points has one without a name. */
static void only_endpoint(struct loader *l, struct config_peer *p)
{
	struct config_endpoint *e;

	if (p->address.n == 0 || p->tunnels.n)
		return;
	e = ed_alloc(sizeof(*e));
	p->tunnels.v = e;
	p->tunnels.n = 1;
	e->name = ed_strdup("");
	strings_copy(l, &e->address, &p->address);
	e->inside.v = ed_memdup(p->inside.v, p->inside.n * sizeof(*p->inside.v));
	e->inside.n = p->inside.n;
	conf_place_copy(l->conf, &e->inside, &p->inside);
	for (size_t i = 0; i < p->inside.n; i++)
		conf_place_copy(l->conf, &e->inside.v[i], &p->inside.v[i]);
	e->bgp_peer.v =
		ed_memdup(p->bgp_peer.v, p->bgp_peer.n * sizeof(*p->bgp_peer.v));
	e->bgp_peer.n = p->bgp_peer.n;
	conf_place_copy(l->conf, &e->bgp_peer, &p->bgp_peer);
	for (size_t i = 0; i < p->bgp_peer.n; i++)
		conf_place_copy(l->conf, &e->bgp_peer.v[i], &p->bgp_peer.v[i]);
}

static void endpoint_via(struct loader *l, const struct config_peer *p,
			 struct config_endpoint *e)
{
	const struct config *c = l->c;

	if (e->via.n)
		return;
	e->via_default = p->via.n == 0;
	if (p->via.n) {
		strings_copy(l, &e->via, &p->via);
		return;
	}
	e->via.v = ed_array(c->uplinks.n + 1, sizeof(*e->via.v));
	for (size_t i = 0; i < c->uplinks.n; i++)
		e->via.v[e->via.n++] = ed_strdup(c->uplinks.v[i].name);
}

/* The only other host of a /30, /31, /126 or /127; false: there is none. */
static bool other_host(const struct prefix *inside, struct addr *ret)
{
	struct prefix net = prefix_of(&inside->addr, inside->len);
	int bits = addr_bits(inside->addr.family) - inside->len;
	struct addr first = addr_offset(&net.addr, bits == 2 ? 1 : 0);
	struct addr second = addr_offset(&first, 1);

	if (bits != 1 && bits != 2)
		return false;
	if (addr_equal(&first, &inside->addr))
		*ret = second;
	else if (addr_equal(&second, &inside->addr))
		*ret = first;
	else
		return false;
	return true;
}

static void add_bgp_peer(struct loader *l, struct config_endpoint *e,
			 const struct addr *a)
{
	struct addr *v = ed_array(e->bgp_peer.n + 1, sizeof(*v));

	for (size_t i = 0; i < e->bgp_peer.n; i++) {
		v[i] = e->bgp_peer.v[i];
		conf_place_move(l->conf, &v[i], &e->bgp_peer.v[i]);
	}
	free(e->bgp_peer.v);
	e->bgp_peer.v = v;
	v[e->bgp_peer.n++] = *a;
}

static void endpoint_peers(struct loader *l, struct config_endpoint *e)
{
	for (size_t i = 0; i < e->inside.n; i++) {
		const struct prefix *in = &e->inside.v[i];
		bool told = false;
		struct addr other;

		for (size_t k = 0; k < e->bgp_peer.n; k++)
			told |= e->bgp_peer.v[k].family == in->addr.family;
		if (told)
			continue;
		if (!other_host(in, &other)) {
			conf_error(
				l->conf, in,
				"inside: the peer's address does not follow from it: add "
				"'bgp-peer: ADDRESS'");
			continue;
		}
		add_bgp_peer(l, e, &other);
	}
}

static void complete_peer(struct loader *l, struct config_peer *p)
{
	apply_preset(l, p);
	if (!p->dataplane)
		p->dataplane = l->c->dataplane;
	only_endpoint(l, p);
	for (size_t i = 0; i < p->tunnels.n; i++) {
		endpoint_via(l, p, &p->tunnels.v[i]);
		endpoint_peers(l, &p->tunnels.v[i]);
	}
}

static struct config_class *class_add(struct config *c, const char *name)
{
	struct config_class *cl = &c->classes.v[c->classes.n++];

	*cl = (struct config_class){.name = ed_strdup(name)};
	return cl;
}

/* Put the classes into an array v, and their places with them. */
static void classes_move(struct loader *l, struct config *c, struct config_class *v)
{
	for (size_t i = 0; i < c->classes.n; i++) {
		v[i] = c->classes.v[i];
		conf_place_move(l->conf, &v[i], &c->classes.v[i]);
	}
	free(c->classes.v);
	c->classes.v = v;
}

static void complete_classes(struct loader *l, struct config *c)
{
	size_t last;

	if (c->classes.n == 0) {
		c->classes.v =
			ed_array(ARRAY_LEN(default_classes) + 1, sizeof(*c->classes.v));
		for (size_t i = 0; i < ARRAY_LEN(default_classes); i++) {
			struct config_class *cl = class_add(c, default_classes[i].name);

			cl->dscp.n = default_classes[i].n;
			cl->dscp.v = ed_memdup(default_classes[i].dscp,
					       cl->dscp.n * sizeof(*cl->dscp.v));
			cl->max_delay_us = default_classes[i].max_delay_us;
			cl->max_jitter_us = default_classes[i].max_jitter_us;
			cl->max_loss_ppm = default_classes[i].max_loss_ppm;
		}
	}
	if (!config_class(c, "default")) {
		classes_move(l, c, ed_array(c->classes.n + 1, sizeof(*c->classes.v)));
		class_add(c, "default");
	}
	for (size_t i = 0; i < c->classes.n; i++) {
		struct config_class *cl = &c->classes.v[i];

		cl->strategy = cl->prefer.n  ? CONFIG_PREFER
			       : cl->share.n ? CONFIG_SHARE
					     : CONFIG_CHEAPEST;
	}
	/* The default class takes what the others leave. */
	for (last = 0; strcmp(c->classes.v[last].name, "default") != 0;)
		last++;
	if (last + 1 < c->classes.n) {
		struct config_class cl = c->classes.v[last];
		struct config_class *end = &c->classes.v[c->classes.n - 1];

		for (struct config_class *p = &c->classes.v[last]; p < end; p++) {
			*p = p[1];
			conf_place_move(l->conf, p, p + 1);
		}
		*end = cl;
	}
}

/* `lan` in announce becomes the prefixes themselves. */
static void complete_announce(struct config *c)
{
	struct config_prefixes *a = &c->bgp.announce;
	struct prefix *v;
	size_t n = 0;

	if (a->n == 0)
		return;
	v = ed_array(a->n + c->lan.n, sizeof(*v));
	for (size_t i = 0; i < a->n; i++) {
		const struct prefix *from = &a->v[i];
		size_t count = 1;

		if (config_is_lan(from)) {
			from = c->lan.v;
			count = c->lan.n;
		}
		for (size_t k = 0; k < count; k++) {
			bool there = false;

			for (size_t m = 0; m < n; m++)
				there |= prefix_equal(&v[m], &from[k]);
			if (!there)
				v[n++] = from[k];
		}
	}
	free(a->v);
	a->v = v;
	a->n = n;
}

static void complete_name(struct loader *l)
{
	char host[256] = "";
	char why[160];

	if (l->c->name || conf_place(l->conf, &l->c->name))
		return;
	if (l->src->hostname)
		snprintf(host, sizeof(host), "%s", l->src->hostname);
	else if (gethostname(host, sizeof(host) - 1) < 0)
		host[0] = '\0';
	if (!config_name_ok(host, why, sizeof(why)))
		conf_error(l->conf, NULL,
			   "the host's name cannot be the name of this site (%s): add "
			   "'name: ...'",
			   why);
	l->c->name = ed_strdup(host);
}

/* --- all together --------------------------------------------------------- */

/* The next line of text that is neither blank nor a comment: its indentation, or -1. */
static int next_indent(const char **text, size_t *left)
{
	/* Ends: each round takes a line. */
	while (*left > 0) {
		const char *end = memchr(*text, '\n', *left);
		size_t len = end ? (size_t)(end - *text) : *left;
		size_t indent = 0;
		const char *line = *text;

		*text += len + (end != NULL);
		*left -= len + (end != NULL);
		while (indent < len && (line[indent] == ' ' || line[indent] == '\t'))
			indent++;
		if (indent < len && line[indent] != '#' && line[indent] != '\r')
			return (int)indent;
	}
	return -1;
}

/*
 * True when the bytes are the beginning of what runs, and more than one thing is
 * missing behind them. One thing (the last section, peer or setting, with all in
 * it) is what people take out; so are blank lines and comments.
 */
static bool cut_off(const struct config_source *src, const char *bytes, size_t len)
{
	const char *rest;
	size_t left;
	int first;
	int indent;

	if (!src->applied || len == 0 || len >= src->applied_len ||
	    memcmp(bytes, src->applied, len) != 0)
		return false;
	rest = src->applied + len;
	left = src->applied_len - len;
	first = next_indent(&rest, &left);
	if (first < 0)
		return false;
	while ((indent = next_indent(&rest, &left)) >= 0)
		if (indent <= first)
			return true;
	return false;
}

static void load_parts(struct loader *l, const char *secrets_path)
{
	struct config *c = l->c;
	enum secrets_state secrets;

	conf_walk(l->conf, &config_schema, c);
	complete_name(l);
	for (size_t i = 0; i < c->peers.n; i++)
		complete_peer(l, &c->peers.v[i]);
	config_index_peers(c);
	secrets =
		config_read_secrets(c, secrets_path, conf_whole(l->conf) && c->peers.n,
				    l->src->serves, l->report);
	/* What a broken file seems to lack may stand behind the mistake. */
	if (conf_whole(l->conf))
		config_check(l->conf, c, secrets, secrets_path);
	complete_classes(l, c);
	complete_announce(c);
}

static void say(void *ctx, bool error, const void *value, const char *text)
{
	struct loader *l = ctx;

	if (error)
		conf_error(l->conf, value, "%s", text);
	else
		conf_warn(l->conf, value, "%s", text);
}

static void dry_run(struct loader *l)
{
	if (l->src->dry_run && l->report->errors == 0)
		l->src->dry_run(l->c, say, l);
}

static void load_bytes(struct loader *l, const char *bytes, size_t len)
{
	const struct config_source *src = l->src;
	char *secrets = src->secrets ? ed_strdup(src->secrets)
				     : beside(src->path, "secrets.yaml");
	struct conf_doc doc;

	l->c->text = ed_alloc(len + 1);
	memcpy(l->c->text, bytes, len);
	l->c->text_len = len;
	conf_doc_parse(&doc, src->path, bytes, len, false, l->report);
	l->conf = conf_new(&doc);
	if (!doc.broken && cut_off(src, bytes, len))
		conf_doc_error(
			&doc, (unsigned int)doc.n_lines, 1,
			"this is the beginning of the configuration that runs, and "
			"nothing else, as if the file were cut off here: if it is "
			"meant, add a comment");
	load_parts(l, secrets);
	dry_run(l);
	presets_free(l);
	conf_free(l->conf);
	conf_doc_fini(&doc);
	free(secrets);
}

int config_load(const struct config_source *src, struct config **ret,
		struct conf_report *report)
{
	struct loader l = {.src = src, .report = report};
	size_t errors = report->errors;
	struct stat st;
	char *bytes;
	size_t len;
	int err;

	err = config_read_file(src->path, report, &bytes, &len, &st);
	if (err == -ENOENT || err == -EACCES)
		file_refused(report, src->path, strerror(-err));
	if (err < 0)
		return -EINVAL;
	if (st.st_mode & 002)
		conf_report_add(
			report, false, src->path, 0, 0, NULL, 0,
			"everybody on this box may change this file (mode %04o); "
			"cure: chmod o-w %s",
			(unsigned int)st.st_mode & 07777, src->path);
	l.c = ed_alloc(sizeof(*l.c));
	load_bytes(&l, bytes, len);
	free(bytes);
	conf_report_sort(report, src->path);
	if (report->errors > errors) {
		config_free(l.c);
		return -EINVAL;
	}
	*ret = l.c;
	return 0;
}

/* --- what edge-webui reads --------------------------------------------------- */

static struct conf_node *child_of(const struct conf_node *map, const char *name)
{
	for (size_t i = 0; map && map->kind == CONF_MAPPING && i + 1 < map->n; i += 2)
		if (map->child[i]->text && strcmp(map->child[i]->text, name) == 0)
			return map->child[i + 1];
	return NULL;
}

static void load_web_bytes(const char *path, const char *bytes, size_t len,
			   struct config_web *w, char **ret_name,
			   struct conf_report *report)
{
	struct conf_node *root;
	struct conf_node *name;
	struct conf_doc doc;
	struct conf *conf;

	conf_doc_parse(&doc, path, bytes, len, false, report);
	/* The walk begins at `web`; what else the file holds is not looked at. */
	root = doc.root;
	doc.root = child_of(root, "web");
	conf = conf_new(&doc);
	if (doc.root && doc.root->kind != CONF_MAPPING)
		conf_doc_error(&doc, doc.root->line, doc.root->column,
			       "web takes settings, written 'name: value'");
	else
		conf_walk(conf, &config_web_schema, w);
	config_check_web(conf, w);
	name = child_of(root, "name");
	if (name && name->kind == CONF_SCALAR && config_name_ok(name->text, NULL, 0))
		*ret_name = ed_strdup(name->text);
	conf_free(conf);
	doc.root = root;
	conf_doc_fini(&doc);
}

int config_load_web(const char *path, struct config_web **ret, char **ret_name,
		    struct conf_report *report)
{
	struct config_web *w;
	size_t errors = report->errors;
	char *name = NULL;
	struct stat st;
	char *bytes;
	size_t len;
	int err;

	err = config_read_file(path, report, &bytes, &len, &st);
	if (err == -ENOENT || err == -EACCES)
		file_refused(report, path, strerror(-err));
	if (err < 0)
		return -EINVAL;
	w = ed_alloc(sizeof(*w));
	load_web_bytes(path, bytes, len, w, &name, report);
	free(bytes);
	if (report->errors > errors) {
		config_web_free(w);
		free(name);
		return -EINVAL;
	}
	*ret = w;
	*ret_name = name;
	return 0;
}

void config_web_free(struct config_web *w)
{
	if (!w)
		return;
	conf_free_value(&config_web_schema, w);
	free(w);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	config_index_free(c);
	for (size_t i = 0; i < c->secrets.n; i++) {
		free(c->secrets.v[i].name);
		secret_free(c->secrets.v[i].value);
	}
	free(c->secrets.v);
	conf_free_value(&config_schema, c);
	free(c->text);
	free(c);
}
