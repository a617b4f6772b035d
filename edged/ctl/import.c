/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "edgectl import aws": the description of a VPN connection becomes a peer with
 * two tunnels and their secrets.
 *
 * Printed are two YAML documents, what belongs into edged.yaml and what belongs into
 * secrets.yaml; the second one not on a terminal, where it would stay in the
 * scrollback. With --write both files get theirs: nothing else in them changes, and
 * both change or none does. What is already there is never replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "edged/config/dryrun.h"
#include "edged/ctl/aws.h"
#include "edged/ctl/ctl.h"
#include "edged/ctl/files.h"
#include "edged/ctl/splice.h"
#include "lib/addr.h"
#include "lib/alloc.h"
#include "lib/conf_report.h"
#include "lib/conf_yaml.h"
#include "lib/secret.h"
#include "lib/text.h"

enum { NETWORKS_MAX = 64, TEXT_MAX = 512 };

#define PRESET_HOLD_S 30u

struct import {
	struct ctl *c;
	const char *file; /* the description */
	struct aws_vpn vpn;
	const char *name; /* of the peer */
	char *via;
	char *networks; /* "10.0.0.0/8, 172.16.0.0/12", NULL: none */
	struct ctl_file config;
	struct ctl_file secrets;
	struct conf_report report;
	struct conf_doc doc; /* of the configuration */
	bool parsed;
};

static void add(FILE *fp, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(FILE *fp, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(fp, fmt, ap);
	va_end(ap);
}

static FILE *text_open(char **ret, size_t *len)
{
	FILE *fp = open_memstream(ret, len);

	if (!fp)
		abort();
	return fp;
}

static void text_close(FILE *fp)
{
	if (fclose(fp) != 0)
		abort();
}

/* --- what is there already --------------------------------------------------------- */

/* The value of name in a mapping, NULL when there is none; *key is its name's node. */
static const struct conf_node *member(const struct conf_node *map, const char *name,
				      const struct conf_node **key)
{
	for (size_t i = 0; map && map->kind == CONF_MAPPING && i + 1 < map->n; i += 2) {
		if (map->child[i]->kind != CONF_SCALAR ||
		    strcmp(map->child[i]->text, name) != 0)
			continue;
		if (key)
			*key = map->child[i];
		return map->child[i + 1];
	}
	return NULL;
}

static const struct conf_node *section(const struct import *im, const char *name)
{
	return im->parsed ? member(im->doc.root, name, NULL) : NULL;
}

/* True when node is, or lists, the address a. */
static bool holds_addr(const struct conf_node *node, const struct addr *a)
{
	struct addr b;

	if (!node)
		return false;
	if (node->kind == CONF_SCALAR)
		return addr_parse(node->text, &b) == 0 && addr_equal(a, &b);
	for (size_t i = 0; node->kind == CONF_SEQUENCE && i < node->n; i++)
		if (holds_addr(node->child[i], a))
			return true;
	return false;
}

/* True when the interface has the address now. */
static bool interface_has(const char *ifname, const struct addr *a)
{
	struct ifaddrs *list;
	bool found = false;

	if (!ifname || getifaddrs(&list) < 0)
		return false;
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		struct sockaddr_storage ss = {0};
		struct endpoint e;

		if (!i->ifa_addr || strcmp(i->ifa_name, ifname) != 0)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			memcpy(&ss, i->ifa_addr, sizeof(struct sockaddr_in));
		else if (i->ifa_addr->sa_family == AF_INET6)
			memcpy(&ss, i->ifa_addr, sizeof(struct sockaddr_in6));
		else
			continue;
		if (endpoint_from_sockaddr(&ss, &e) == 0 && addr_equal(&e.addr, a))
			found = true;
	}
	freeifaddrs(list);
	return found;
}

/* The uplink whose address AWS knows: by the file, or by the interface. */
static const char *uplink_of(const struct conf_node *uplinks, const struct addr *a)
{
	for (size_t i = 0; i + 1 < uplinks->n; i += 2) {
		const struct conf_node *u = uplinks->child[i + 1];
		const struct conf_node *ifname = member(u, "interface", NULL);

		if (uplinks->child[i]->kind == CONF_SCALAR &&
		    (holds_addr(member(u, "address", NULL), a) ||
		     interface_has(ifname && ifname->kind == CONF_SCALAR ? ifname->text
									 : NULL,
				   a)))
			return uplinks->child[i]->text;
	}
	return NULL;
}

static void list_names(const struct conf_node *map, char *buf, size_t size)
{
	struct text t = text_init(buf, size);

	for (size_t i = 0; i + 1 < map->n; i += 2)
		if (map->child[i]->kind == CONF_SCALAR)
			text_list(&t, ", ", map->child[i]->text);
}

static enum ctl_exit find_via(struct import *im)
{
	const struct conf_node *uplinks = section(im, "uplinks");
	const char *via = im->c->opt.via;
	char address[ADDR_STRLEN];
	char names[256];

	if (!uplinks || uplinks->kind != CONF_MAPPING || uplinks->n == 0) {
		if (!via || !config_name_ok(via, NULL, 0)) {
			ctl_error("%s tells no uplinks: say by which one AWS knows us, "
				  "--via NAME",
				  im->c->opt.config);
			return CTL_USAGE;
		}
	} else if (!via) {
		via = uplinks->n == 2 && uplinks->child[0]->kind == CONF_SCALAR
			      ? uplinks->child[0]->text
			      : uplink_of(uplinks, &im->vpn.customer);
	} else if (!member(uplinks, via, NULL)) {
		list_names(uplinks, names, sizeof(names));
		ctl_error("--via: there is no uplink '%s' in %s (it has %s)", via,
			  im->c->opt.config, names);
		return CTL_USAGE;
	}
	if (!via) {
		list_names(uplinks, names, sizeof(names));
		ctl_error("AWS knows us as %s, which is the address of none of our "
			  "interfaces: say which uplink that is, --via %s",
			  addr_format(&im->vpn.customer, address), names);
		return CTL_USAGE;
	}
	im->via = ed_strdup(via);
	return CTL_DONE;
}

/* --networks as YAML, "10.0.0.0/8, ..."; what is no prefix is refused. */
static enum ctl_exit take_networks(struct import *im)
{
	const char *s = im->c->opt.networks;
	size_t len;
	FILE *fp;
	int n = 0;

	if (!s && im->vpn.asn == 0) {
		ctl_error("%s has no BGP: say which networks are behind it, --networks "
			  "10.0.0.0/16",
			  im->vpn.id);
		return CTL_USAGE;
	}
	if (!s)
		return CTL_DONE;
	fp = text_open(&im->networks, &len);
	/* Ends: each round takes a part and its comma. */
	while (*s && n++ < NETWORKS_MAX) {
		size_t part = strcspn(s, ", ");
		char *one = ed_strndup(s, part);
		char buf[PREFIX_STRLEN];
		struct prefix p;
		bool bad = !strchr(one, '/') || prefix_parse(one, &p) < 0;

		if (bad) {
			ctl_error(
				"--networks: '%s' is not a prefix (write 10.0.0.0/16)",
				one);
			free(one);
			text_close(fp);
			return CTL_USAGE;
		}
		add(fp, "%s\"%s\"", n > 1 ? ", " : "", prefix_format(&p, buf));
		free(one);
		s += part;
		s += strspn(s, ", ");
	}
	text_close(fp);
	return CTL_DONE;
}

/* --- the text ------------------------------------------------------------------------ */

/* Addresses stand in quotes where YAML would take their colons for its own. */
static const char *quoted(const char *text, char *buf, size_t size)
{
	snprintf(buf, size, strchr(text, ':') ? "\"%s\"" : "%s", text);
	return buf;
}

static void put_tunnel(FILE *fp, const char *name, const struct aws_tunnel *t)
{
	char a[PREFIX_STRLEN];
	char q[PREFIX_STRLEN + 2];

	add(fp, "%s: {address: %s", name,
	    quoted(addr_format(&t->outside, a), q, sizeof(q)));
	add(fp, ", inside: %s", quoted(prefix_format(&t->inside, a), q, sizeof(q)));
	add(fp, ", bgp-peer: %s}",
	    quoted(addr_format(&t->inside_peer, a), q, sizeof(q)));
}

/* A hold time other than the preset's, with the keepalive that goes with it. */
static void put_hold(FILE *fp, const struct import *im, const char *before,
		     const char *behind)
{
	unsigned long long hold = im->vpn.hold_s;

	if (hold && hold != PRESET_HOLD_S)
		add(fp, "%shold-time: %llus%s%skeepalive: %llus%s", before, hold,
		    behind, before, hold / 3, behind);
}

/* The peer, indented from column 0; its first line has room for a comment. */
static char *peer_block(const struct import *im)
{
	char address[ADDR_STRLEN];
	char *text = NULL;
	size_t len;
	FILE *fp = text_open(&text, &len);

	add(fp, "%s:  # %s\n", im->name, im->vpn.id);
	add(fp, "  preset: aws\n  via: %s  # AWS knows it as %s\n", im->via,
	    addr_format(&im->vpn.customer, address));
	if (im->vpn.asn) {
		add(fp, "  asn: %llu\n", (unsigned long long)im->vpn.asn);
		put_hold(fp, im, "  ", "\n");
	}
	if (im->networks)
		add(fp, "  networks: [%s]\n", im->networks);
	add(fp, "  tunnels:\n    ");
	put_tunnel(fp, "a", &im->vpn.tunnels[0]);
	add(fp, "\n    ");
	put_tunnel(fp, "b", &im->vpn.tunnels[1]);
	add(fp, "\n");
	text_close(fp);
	return text;
}

static char *peer_flow(const struct import *im)
{
	char *text = NULL;
	size_t len;
	FILE *fp = text_open(&text, &len);

	add(fp, "%s: {preset: aws, via: %s, ", im->name, im->via);
	if (im->vpn.asn) {
		add(fp, "asn: %llu, ", (unsigned long long)im->vpn.asn);
		put_hold(fp, im, "", ", ");
	}
	if (im->networks)
		add(fp, "networks: [%s], ", im->networks);
	add(fp, "tunnels: {");
	put_tunnel(fp, "a", &im->vpn.tunnels[0]);
	add(fp, ", ");
	put_tunnel(fp, "b", &im->vpn.tunnels[1]);
	add(fp, "}}");
	text_close(fp);
	return text;
}

/* A secret in double quotes; its characters are printable ASCII. */
static void put_secret(FILE *fp, const struct secret *s)
{
	fputc('"', fp);
	for (size_t i = 0; i < s->len; i++)
		add(fp, s->bytes[i] == '"' || s->bytes[i] == '\\' ? "\\%c" : "%c",
		    s->bytes[i]);
	fputc('"', fp);
}

/* "aws/a: ..." of tunnel i, without a line break. */
static char *secret_line(const struct import *im, size_t i)
{
	char *text = NULL;
	size_t len;
	FILE *fp = text_open(&text, &len);

	add(fp, "%s/%c: ", im->name, 'a' + (int)i);
	put_secret(fp, im->vpn.tunnels[i].secret);
	text_close(fp);
	return text;
}

/* True when the file says what we need for BGP, or none is needed. */
static bool has_bgp(const struct import *im)
{
	return im->vpn.asn == 0 || section(im, "bgp");
}

static char *bgp_lines(const struct import *im, const char *sep)
{
	bool lan = !im->parsed || section(im, "lan");

	return ed_asprintf("asn: %llu%s%s", (unsigned long long)im->vpn.our_asn,
			   lan ? sep : "", lan ? "announce: lan" : "");
}

/* --- conflicts ------------------------------------------------------------------------ */

/* "FILE:LINE:COLUMN: ..." */
static enum ctl_exit conflict(const char *file, const struct conf_node *at,
			      const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static enum ctl_exit conflict(const char *file, const struct conf_node *at,
			      const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	ctl_error("%s:%u:%u: %s", file, at->line, at->column, text);
	return CTL_REFUSED;
}

/* The peer, or our AS number, stands in the file and is another. */
static enum ctl_exit config_conflicts(const struct import *im)
{
	const struct conf_node *key = NULL;
	const struct conf_node *asn = member(section(im, "bgp"), "asn", NULL);

	if (member(section(im, "peers"), im->name, &key))
		return conflict(im->config.path, key,
				"there is a peer '%s' already: call the new one "
				"otherwise, --name NAME, or remove this one first",
				im->name);
	if (im->vpn.asn && asn && asn->kind == CONF_SCALAR &&
	    strtoull(asn->text, NULL, 10) != im->vpn.our_asn)
		return conflict(im->config.path, asn,
				"our AS number is %s here, and AWS was told %llu",
				asn->text, (unsigned long long)im->vpn.our_asn);
	return CTL_DONE;
}

static enum ctl_exit secrets_conflicts(const struct import *im,
				       const struct conf_doc *doc)
{
	const struct conf_node *root = doc->root;
	size_t len = strlen(im->name);

	for (size_t i = 0; root && root->kind == CONF_MAPPING && i + 1 < root->n;
	     i += 2) {
		const struct conf_node *key = root->child[i];

		if (key->kind == CONF_SCALAR &&
		    strncmp(key->text, im->name, len) == 0 &&
		    (key->text[len] == '/' || !key->text[len]))
			return conflict(im->secrets.path, key,
					"there is a secret for '%s' already: call the "
					"new peer otherwise, --name NAME, or remove it "
					"first",
					im->name);
	}
	return CTL_DONE;
}

/* --- writing -------------------------------------------------------------------------- */

/* What is wrong with the result, with the names that people know. */
static void print_report(struct import *im, struct conf_report *report)
{
	for (size_t i = 0; i < report->n; i++) {
		struct ctl_file *files[] = {&im->config, &im->secrets};

		for (size_t k = 0; k < ARRAY_LEN(files); k++) {
			if (strcmp(report->v[i].file, files[k]->staged) != 0)
				continue;
			free(report->v[i].file);
			report->v[i].file = ed_strdup(files[k]->path);
		}
	}
	conf_report_print(report, stderr);
}

/* The two successors must be a good configuration. */
static enum ctl_exit judge(struct import *im)
{
	const struct config_source src = {.path = im->config.staged,
					  .secrets = im->secrets.staged,
					  .dry_run = config_dryrun};
	struct conf_report report;
	struct config *config = NULL;
	int err;

	conf_report_init(&report);
	err = config_load(&src, &config, &report);
	if (err < 0) {
		print_report(im, &report);
		ctl_error("with this peer %s would have mistakes: nothing was changed",
			  im->config.path);
	}
	conf_report_fini(&report);
	config_free(config);
	return err < 0 ? CTL_REFUSED : CTL_DONE;
}

/* Add s to *bytes, which is replaced. */
static enum ctl_exit put_in(struct import *im, const struct ctl_file *f, bool secret,
			    const struct splice *s, char **bytes, size_t *len)
{
	char *more;
	size_t more_len;

	if (ctl_splice(f->path, *bytes, *len, secret, s, &im->report, &more,
		       &more_len) < 0) {
		conf_report_print(&im->report, stderr);
		ctl_error("%s cannot be added to: nothing was changed", f->path);
		return CTL_REFUSED;
	}
	secret_wipe(*bytes, *len);
	free(*bytes);
	*bytes = more;
	*len = more_len;
	return CTL_DONE;
}

static enum ctl_exit stage(struct ctl_file *f, const char *bytes, size_t len)
{
	int err = ctl_file_stage(f, bytes, len);

	if (err == 0)
		return CTL_DONE;
	ctl_error("%s cannot be written: %s", f->path, ctl_file_error(err));
	return CTL_FAILED;
}

static enum ctl_exit stage_config(struct import *im)
{
	char *block = peer_block(im);
	char *flow = peer_flow(im);
	struct splice peer = {.section = "peers", .block = block, .flow = flow};
	char *bytes = ed_memdup(im->config.bytes, im->config.len + 1);
	size_t len = im->config.len;
	enum ctl_exit status = put_in(im, &im->config, false, &peer, &bytes, &len);

	if (status == CTL_DONE && !has_bgp(im)) {
		char *lines = bgp_lines(im, "\n");
		char *bgp_block = ed_asprintf("%s\n", lines);
		char *bgp_flow = bgp_lines(im, ", ");
		struct splice bgp = {.section = "bgp",
				     .block = bgp_block,
				     .flow = bgp_flow};

		status = put_in(im, &im->config, false, &bgp, &bytes, &len);
		free(lines);
		free(bgp_block);
		free(bgp_flow);
	}
	if (status == CTL_DONE)
		status = stage(&im->config, bytes, len);
	free(bytes);
	free(block);
	free(flow);
	return status;
}

static enum ctl_exit stage_secrets(struct import *im)
{
	static const char head[] =
		"# Secrets of edged.yaml. Others must not read them.\n";
	const char *old = im->secrets.there ? im->secrets.bytes : head;
	size_t len = im->secrets.there ? im->secrets.len : sizeof(head) - 1;
	char *bytes = ed_array(len + 1, 1);
	enum ctl_exit status = CTL_DONE;

	memcpy(bytes, old, len);
	/* In { } what is added last comes first. */
	for (size_t i = 0; i < AWS_TUNNELS && status == CTL_DONE; i++) {
		char *flow = secret_line(im, i);
		char *block = ed_asprintf("%s\n", flow);
		struct splice s = {.block = block, .flow = flow};

		status = put_in(im, &im->secrets, true, &s, &bytes, &len);
		secret_wipe(flow, strlen(flow));
		secret_wipe(block, strlen(block));
		free(flow);
		free(block);
	}
	if (status == CTL_DONE)
		status = stage(&im->secrets, bytes, len);
	secret_wipe(bytes, len);
	free(bytes);
	return status;
}

/* The secrets that are there must be readable, and none of them ours. */
static enum ctl_exit look_at_secrets(struct import *im)
{
	struct conf_doc doc;
	enum ctl_exit status = CTL_DONE;
	char *path = NULL;
	const char *slash = strrchr(im->config.path, '/');
	int err;

	path = ed_asprintf("%.*ssecrets.yaml",
			   slash ? (int)(slash + 1 - im->config.path) : 0,
			   im->config.path);
	err = ctl_file_read(&im->secrets, path, CONFIG_FILE_MAX);
	if (err < 0) {
		ctl_error("%s cannot be read: %s", path, ctl_file_error(err));
		status = CTL_FAILED;
	} else if (im->secrets.there && im->secrets.len) {
		struct conf_report report;

		conf_report_init(&report);
		conf_doc_parse(&doc, path, im->secrets.bytes, im->secrets.len, true,
			       &report);
		status = secrets_conflicts(im, &doc);
		conf_doc_fini(&doc);
		conf_report_fini(&report);
	}
	free(path);
	return status;
}

static enum ctl_exit write_files(struct import *im)
{
	enum ctl_exit status;
	const char *failed;
	int err;

	if (!im->config.there) {
		ctl_error(
			"there is no %s to add to: \"edgectl init\" makes a first one",
			im->config.path);
		return CTL_FAILED;
	}
	status = config_conflicts(im);
	if (status == CTL_DONE)
		status = look_at_secrets(im);
	if (status == CTL_DONE)
		status = stage_config(im);
	if (status == CTL_DONE)
		status = stage_secrets(im);
	if (status == CTL_DONE)
		status = judge(im);
	if (status != CTL_DONE)
		return status;
	/* A secret without its peer is harmless, a peer without its secret is not. */
	err = ctl_file_commit_pair(&im->secrets, &im->config, &failed);
	if (err < 0) {
		ctl_error("%s: %s; nothing was changed", failed, ctl_file_error(err));
		return CTL_FAILED;
	}
	return CTL_DONE;
}

/* --- answers -------------------------------------------------------------------------- */

static bool may_show(const struct import *im)
{
	return im->c->opt.show_secrets || !isatty(fileno(im->c->out.fp));
}

static void put_lines(FILE *fp, const char *text, const char *indent)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		add(fp, "%s%.*s\n", indent, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

/* What belongs into edged.yaml. */
static char *config_text(const struct import *im)
{
	char *text = NULL;
	size_t len;
	FILE *fp = text_open(&text, &len);
	char *block = peer_block(im);

	add(fp, "peers:\n");
	put_lines(fp, block, "  ");
	if (!has_bgp(im)) {
		char *bgp = bgp_lines(im, "\n");

		add(fp, "bgp:\n");
		put_lines(fp, bgp, "  ");
		free(bgp);
	}
	free(block);
	text_close(fp);
	return text;
}

static void print_text(const struct import *im)
{
	FILE *fp = im->c->out.fp;
	char *text = config_text(im);

	add(fp, "# for edged.yaml\n%s", text);
	free(text);
	if (!may_show(im)) {
		add(fp,
		    "# secrets.yaml gets %s/a and %s/b: not shown on a terminal "
		    "(--write puts\n# them there, --show-secrets shows them)\n",
		    im->name, im->name);
		return;
	}
	add(fp, "---\n# for secrets.yaml\n");
	for (size_t i = 0; i < AWS_TUNNELS; i++) {
		char *line = secret_line(im, i);

		add(fp, "%s\n", line);
		secret_wipe(line, strlen(line));
		free(line);
	}
}

static void print_written(const struct import *im)
{
	add(im->c->out.fp, "%s has the peer %s (%s, via %s), %s its secrets.\n",
	    im->config.path, im->name, im->vpn.id, im->via, im->secrets.path);
	if (!im->c->opt.apply)
		add(im->c->out.fp, "Make edged use it: edgectl apply\n");
}

static json_t *tunnel_json(const struct import *im, size_t i)
{
	const struct aws_tunnel *t = &im->vpn.tunnels[i];
	char outside[ADDR_STRLEN];
	char inside[PREFIX_STRLEN];
	char peer[ADDR_STRLEN];
	char name[2] = {(char)('a' + (int)i), '\0'};

	return json_pack("{s:s, s:s, s:s, s:s}", "name", name, "address",
			 addr_format(&t->outside, outside), "inside",
			 prefix_format(&t->inside, inside), "bgp_peer",
			 addr_format(&t->inside_peer, peer));
}

static void print_answer(struct import *im, bool written)
{
	char *text = config_text(im);
	json_t *answer =
		json_pack("{s:i, s:s, s:s, s:s, s:b, s:[o, o], s:s}", "schema", 1,
			  "connection", im->vpn.id, "peer", im->name, "via", im->via,
			  "written", (int)written, "tunnels", tunnel_json(im, 0),
			  tunnel_json(im, 1), "configuration", text);

	if (!written && may_show(im)) {
		json_t *secrets = json_object();

		for (size_t i = 0; i < AWS_TUNNELS; i++) {
			const struct secret *s = im->vpn.tunnels[i].secret;
			char *key = ed_asprintf("%s/%c", im->name, 'a' + (int)i);

			json_object_set_new(secrets, key,
					    json_stringn((const char *)s->bytes,
							 s->len));
			free(key);
		}
		json_object_set_new(answer, "secrets", secrets);
	}
	ctl_print_json(im->c, answer);
	json_decref(answer);
	free(text);
}

/* --- all together --------------------------------------------------------------------- */

/* The description's bytes; "-" is standard input. */
static enum ctl_exit read_description(const char *path, char **ret, size_t *len)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO)
					: open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int err = fd < 0 ? -errno : 0;
	size_t n = 0;
	char *buf;

	if (fd < 0) {
		ctl_error("%s: %s", path, strerror(-err));
		return CTL_FAILED;
	}
	buf = ed_array(AWS_FILE_MAX + 2, 1);
	/* Ends: one byte beyond the limit at the latest. */
	while (n <= AWS_FILE_MAX) {
		ssize_t got = read(fd, buf + n, AWS_FILE_MAX + 1 - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			err = -errno;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	close(fd);
	*ret = buf;
	*len = n;
	if (err == 0)
		return CTL_DONE;
	ctl_error("%s: %s", path, strerror(-err));
	secret_wipe(buf, n);
	free(buf);
	return CTL_FAILED;
}

static enum ctl_exit read_vpn(struct import *im)
{
	struct aws_error why;
	char *bytes;
	size_t len;
	enum ctl_exit status = read_description(im->file, &bytes, &len);
	int err;

	if (status != CTL_DONE)
		return status;
	err = ctl_aws_read(bytes, len, im->c->opt.connection, &im->vpn, &why);
	secret_wipe(bytes, len);
	free(bytes);
	if (err == 0)
		return CTL_DONE;
	if (why.line)
		ctl_error("%s:%u:%u: %s", im->file, why.line, why.column, why.text);
	else
		ctl_error("%s: %s", im->file, why.text);
	return CTL_REFUSED;
}

/* The configuration as it is: a help where we only print, needed where we write. */
static enum ctl_exit read_config(struct import *im)
{
	int err = ctl_file_read(&im->config, im->c->opt.config, CONFIG_FILE_MAX);

	if (err < 0 && im->c->opt.write) {
		ctl_error("%s cannot be read: %s", im->config.path,
			  ctl_file_error(err));
		return CTL_FAILED;
	}
	if (err == 0 && im->config.there && im->config.len)
		im->parsed = conf_doc_parse(&im->doc, im->config.path, im->config.bytes,
					    im->config.len, false, &im->report) == 0;
	else
		return CTL_DONE;
	if (!im->parsed) {
		if (im->c->opt.write) {
			conf_report_print(&im->report, stderr);
			ctl_error("%s has mistakes: nothing was changed",
				  im->config.path);
		}
		conf_doc_fini(&im->doc);
		return im->c->opt.write ? CTL_REFUSED : CTL_DONE;
	}
	return CTL_DONE;
}

/* Apply and wait; for programs there is one answer, so this one is for people. */
static enum ctl_exit use(struct import *im)
{
	struct ctl *c = im->c;
	FILE *fp = c->out.fp;
	bool json = c->opt.json;
	time_t before = time(NULL);
	enum ctl_exit status;

	if (json)
		c->out.fp = stderr;
	c->opt.json = false;
	status = ctl_apply(c);
	if (status == CTL_DONE)
		status = ctl_wait_peer(c, im->name, (double)before);
	c->opt.json = json;
	c->out.fp = fp;
	return status;
}

static enum ctl_exit import(struct import *im)
{
	enum ctl_exit status;
	char why[160];

	if (!config_name_ok(im->name, why, sizeof(why))) {
		ctl_error("--name: '%s' cannot be a name: %s", im->name, why);
		return CTL_USAGE;
	}
	status = read_vpn(im);
	if (status == CTL_DONE)
		status = read_config(im);
	if (status == CTL_DONE)
		status = take_networks(im);
	if (status == CTL_DONE)
		status = find_via(im);
	if (status == CTL_DONE && im->c->opt.write)
		status = write_files(im);
	if (status != CTL_DONE)
		return status;
	if (im->c->opt.apply)
		status = use(im);
	if (im->c->opt.json)
		print_answer(im, im->c->opt.write);
	else if (im->c->opt.write)
		print_written(im);
	else
		print_text(im);
	return status;
}

enum ctl_exit ctl_import_aws(struct ctl *c, const struct ctl_command *cmd, char **args,
			     int n)
{
	struct import im = {.c = c,
			    .file = args[0],
			    .name = c->opt.name ? c->opt.name : "aws",
			    .secrets = {.secret = true}};
	enum ctl_exit status;

	(void)cmd;
	(void)n;
	if (c->opt.apply)
		c->opt.write = true;
	conf_report_init(&im.report);
	status = import(&im);
	if (im.parsed)
		conf_doc_fini(&im.doc);
	conf_report_fini(&im.report);
	ctl_file_fini(&im.config);
	ctl_file_fini(&im.secrets);
	ctl_aws_fini(&im.vpn);
	free(im.via);
	free(im.networks);
	return status;
}
