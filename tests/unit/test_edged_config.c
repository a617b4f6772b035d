/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What config_load() makes of good files: defaults, tunnels, identities, secrets,
 * differences. What it says about bad ones is in tests/golden/config/.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "edged/config/schema.h"
#include "lib/addr.h"
#include "lib/alloc.h"
#include "lib/conf.h"
#include "lib/conf_report.h"
#include "lib/secret.h"
#include "lib/text.h"
#include "tests/unit/cm.h"

static char dir[] = "/tmp/edged-config-XXXXXX";
static char presets[1024];

static const char smallest[] = "lan: 10.42.0.0/24\n"
			       "uplinks:\n"
			       "  isp1: {interface: eth0}\n"
			       "  lte:  {interface: wwan0, cost: 100}\n"
			       "peers:\n"
			       "  hub: {address: 198.51.100.1, networks: 10.0.0.0/8}\n";

static void put(const char *name, const char *text, mode_t mode)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)unlink(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* Load text with these secrets; the report's text is left in *said if not NULL. */
static struct config *load_as(const char *text, const char *secrets,
			      const char *applied, char **said)
{
	char path[256];
	const struct config_source src = {
		.path = path,
		.presets = presets,
		.hostname = "branch-042",
		.applied = applied,
		.applied_len = applied ? strlen(applied) : 0,
	};
	struct conf_report report;
	struct config *c = NULL;

	snprintf(path, sizeof(path), "%s/edged.yaml", dir);
	put("edged.yaml", text, 0644);
	put("secrets.yaml", secrets, 0600);
	conf_report_init(&report);
	(void)config_load(&src, &c, &report);
	if (said)
		*said = conf_report_text(&report);
	else if (!c)
		conf_report_print(&report, stderr);
	conf_report_fini(&report);
	return c;
}

static struct config *load(const char *text, const char *secrets)
{
	struct config *c = load_as(text, secrets, NULL, NULL);

	assert_non_null(c);
	return c;
}

/* --- what follows --------------------------------------------------------- */

static void test_smallest_file_is_complete(void **state)
{
	struct config *c = load(smallest, "hub: s\n");
	const struct config_peer *hub = config_peer(c, "hub");
	const struct config_class *voice = config_class(c, "voice");

	(void)state;
	assert_string_equal(c->name, "branch-042");
	assert_int_equal(c->uplinks.n, 2);
	assert_int_equal(config_uplink(c, "isp1")->cost, 10);
	assert_int_equal(config_uplink(c, "lte")->cost, 100);
	assert_false(config_calls_us(hub));
	assert_string_equal(hub->preset, "edged");
	assert_int_equal(hub->profile.ids, CONFIG_IDS_NAME);
	assert_int_equal(hub->profile.probe, CONFIG_PROBE_STAMP);
	assert_int_equal(hub->profile.groups.v[0], 31);
	assert_int_equal(hub->profile.ike_ciphers.v[0], 256);
	assert_true(hub->profile.pfs);
	assert_int_equal(hub->profile.esp_lifetime_us, 3600000000);
	assert_int_equal(hub->dataplane, CONFIG_DP_AUTO);
	assert_int_equal(c->classes.n, 3);
	assert_int_equal(voice->dscp.v[0], 46);
	assert_int_equal(voice->max_delay_us, 150000);
	assert_int_equal(voice->max_loss_ppm, 10000);
	assert_int_equal(voice->strategy, CONFIG_CHEAPEST);
	assert_string_equal(c->classes.v[2].name, "default");
	assert_int_equal(c->probe.interval_us, 100000);
	assert_string_equal(c->frr.socket_dir, "/run/frr");
	assert_int_equal(c->bgp.asn, 0);
	config_free(c);
}

static void test_tunnels_are_peer_by_end_point_by_uplink(void **state)
{
	struct config *c = load(
		"lan: 10.42.0.0/24\n"
		"uplinks:\n"
		"  isp1: {interface: eth0}\n"
		"  isp2: {interface: eth1}\n"
		"peers:\n"
		"  hub: {address: [198.51.100.1, hub.example.net], networks: 10.0.0.0/8,"
		" id: hub.example.net}\n"
		"  aws:\n"
		"    preset: aws\n"
		"    via: isp1\n"
		"    networks: 172.16.0.0/12\n"
		"    probe: stamp\n"
		"    tunnels:\n"
		"      a: {address: 203.0.113.12, inside: 169.254.45.42/30}\n"
		"      b: {address: 203.0.113.71, inside: 169.254.44.41/30}\n",
		"hub: s\naws: x\naws/b: y\n");
	static const char *const names[] = {"hub/isp1", "hub/isp2", "aws/a/isp1",
					    "aws/b/isp1"};
	struct config_tunnel *v;
	char text[ADDR_STRLEN];

	(void)state;
	assert_int_equal(config_tunnels(c, &v), 4);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		assert_string_equal(v[i].name, names[i]);
	assert_int_equal(v[1].our_id.kind, CONFIG_ID_FQDN);
	assert_string_equal(v[1].our_id.name, "isp2.branch-042");
	assert_int_equal(v[1].peer_id.kind, CONFIG_ID_FQDN);
	assert_string_equal(v[1].peer_id.name, "hub.example.net");
	assert_int_equal(v[1].endpoint->address.n, 2);
	assert_int_equal(v[2].our_id.kind, CONFIG_ID_OUTER);
	assert_int_equal(v[2].peer_id.kind, CONFIG_ID_OUTER);
	assert_string_equal(addr_format(&v[2].endpoint->bgp_peer.v[0], text),
			    "169.254.45.41");
	assert_string_equal(addr_format(&v[3].endpoint->bgp_peer.v[0], text),
			    "169.254.44.42");
	assert_int_equal(v[2].peer->profile.mtu, 1399);
	assert_int_equal(v[2].peer->profile.probe, CONFIG_PROBE_STAMP);
	assert_memory_equal(config_secret(c, "aws", "a", "isp1")->bytes, "x", 1);
	assert_memory_equal(config_secret(c, "aws", "b", "isp1")->bytes, "y", 1);
	assert_null(config_secret(c, "gcp", "", "isp1"));
	free(v);
	config_free(c);
}

static void test_one_identity_may_serve_all_uplinks(void **state)
{
	struct config *c =
		load("id: site.example\n"
		     "uplinks:\n"
		     "  isp1: {interface: eth0}\n"
		     "  isp2: {interface: eth1}\n"
		     "peers:\n"
		     "  hub: {address: 198.51.100.1, networks: 10.0.0.0/8}\n",
		     "hub: s\n");
	struct config_tunnel *v;

	(void)state;
	assert_int_equal(config_tunnels(c, &v), 2);
	assert_string_equal(v[0].our_id.name, "site.example");
	assert_string_equal(v[0].peer_id.name, "*.hub");
	assert_string_equal(v[1].our_id.name, "site.example");
	free(v);
	config_free(c);
}

static void test_hub_tells_its_callers_apart(void **state)
{
	struct config *c =
		load("name: hub\n"
		     "inside: [100.96.0.0/16, 'fd00:96::/48']\n"
		     "uplinks: {wan: {interface: eth0}}\n"
		     "peers:\n"
		     "  branch-042: {networks: 10.42.0.0/24}\n"
		     "  other: {networks: 10.43.0.0/24, id: other.example}\n",
		     "branch-042: s\nother: t\n");
	const struct config_peer *p = config_peer(c, "branch-042");
	char uplink[CONFIG_NAME_MAX];
	struct config_id theirs;
	struct config_id ours;
	struct config_tunnel *v;

	(void)state;
	assert_true(config_calls_us(p));
	assert_int_equal(config_tunnels(c, &v), 0);
	config_template(c, p, &c->uplinks.v[0], &theirs, &ours);
	assert_int_equal(theirs.kind, CONFIG_ID_PATTERN);
	assert_string_equal(theirs.name, "*.branch-042");
	assert_string_equal(ours.name, "wan.hub");
	assert_true(config_caller_uplink(p, "isp1.branch-042", uplink));
	assert_string_equal(uplink, "isp1");
	assert_true(config_caller_uplink(p, "isp.1.branch-042", uplink));
	assert_string_equal(uplink, "isp.1");
	assert_false(config_caller_uplink(p, ".branch-042", uplink));
	assert_false(config_caller_uplink(p, "branch-042", uplink));
	assert_false(config_caller_uplink(p, "isp1xbranch-042", uplink));
	assert_false(config_caller_uplink(p, "a b.branch-042", uplink));
	assert_false(config_caller_uplink(p, "../x.branch-042", uplink));
	p = config_peer(c, "other");
	assert_true(config_caller_uplink(p, "other.example", uplink));
	assert_string_equal(uplink, "other");
	assert_false(config_caller_uplink(p, "x.other.example", uplink));
	config_free(c);
}

static void test_default_class_is_last_and_lan_is_written_out(void **state)
{
	struct config *c = load("lan: [10.42.0.0/24, 10.42.1.0/24]\n"
				"uplinks: {isp1: {interface: eth0}}\n"
				"peers: {hub: {address: 198.51.100.1, asn: 65000}}\n"
				"classes:\n"
				"  default: {prefer: isp1}\n"
				"  voice: {dscp: EF, share: isp1}\n"
				"bgp: {asn: 65042, announce: [lan, 192.0.2.0/24]}\n",
				"hub: s\n");

	(void)state;
	assert_int_equal(c->classes.n, 2);
	assert_string_equal(c->classes.v[0].name, "voice");
	assert_int_equal(c->classes.v[0].strategy, CONFIG_SHARE);
	assert_string_equal(c->classes.v[1].name, "default");
	assert_int_equal(c->classes.v[1].strategy, CONFIG_PREFER);
	assert_int_equal(c->bgp.announce.n, 3);
	assert_int_equal(c->bgp.keepalive_us, 10000000);
	config_free(c);
}

/* --- files that are not whole --------------------------------------------- */

static void test_cut_off_file_is_refused_at_every_byte(void **state)
{
	static const char tail[] = "classes:\n"
				   "  voice: {dscp: EF}\n"
				   "probe: {interval: 50ms}\n"
				   "# the end\n";
	char whole[1024];
	char cut[1024];
	size_t len;
	struct config *c;
	char *said;

	(void)state;
	len = (size_t)snprintf(whole, sizeof(whole), "%s%s", smallest, tail);
	/* The last section is one thing that somebody may take out. */
	for (size_t n = 0; n < len; n++) {
		memcpy(cut, whole, n);
		cut[n] = '\0';
		c = load_as(cut, "hub: s\n", whole, &said);
		if (c &&
		    strcmp(whole + n, "probe: {interval: 50ms}\n# the end\n") != 0 &&
		    strcmp(whole + n, "# the end\n") != 0)
			fail_msg("cut after byte %zu, and good", n);
		assert_true(c || strlen(said) > 0);
		config_free(c);
		free(said);
	}
	c = load_as(whole, "hub: s\n", whole, &said);
	assert_non_null(c);
	assert_string_equal(said, "");
	free(said);
	config_free(c);
}

static void test_peers_behind_a_cut_are_missed(void **state)
{
	static const char dc[] =
		"  dc: {address: 198.51.100.2, networks: 172.16.0.0/12}\n";
	static const char more[] = "  x:\n"
				   "    address: 198.51.100.3\n"
				   "    networks: 192.168.0.0/16\n";
	char whole[1024];
	char less[1024];
	struct config *c;
	char *said;

	(void)state;
	snprintf(whole, sizeof(whole), "%s%s%s", smallest, dc, more);
	assert_null(load_as(smallest, "hub: s\ndc: t\n", whole, &said));
	assert_non_null(strstr(said, "cut off"));
	free(said);
	/* The last peer may go. */
	snprintf(less, sizeof(less), "%s%s", smallest, dc);
	c = load_as(less, "hub: s\ndc: t\n", whole, NULL);
	assert_non_null(c);
	config_free(c);
	/* Both, on purpose: the file is not the beginning of the former one. */
	snprintf(less, sizeof(less), "%s# no others any more\n", smallest);
	c = load_as(less, "hub: s\n", whole, NULL);
	assert_non_null(c);
	config_free(c);
}

/* --- secrets -------------------------------------------------------------- */

static void test_secrets_of_others_are_refused(void **state)
{
	static const struct {
		mode_t mode;
		uid_t uid;
		gid_t gid;
		const char *want; /* in the message; NULL: good */
	} cases[] = {
		{0600, 0, 0, NULL},
		{0640, 0, 0, NULL},
		{0400, 0, 0, NULL},
		{0644, 0, 0, "chmod o-rwx"},
		{0604, 0, 0, "chmod o-rwx"},
		{0666, 0, 0, "chmod 600"},
		{0660, 0, 0, "chmod g-w"},
		{0640, 0, 12345, "chmod 600"},
		{0600, 12345, 0, "chown root"},
	};
	char path[256];

	(void)state;
	if (geteuid() != 0)
		return; /* only root can give files away */
	snprintf(path, sizeof(path), "%s/secrets.yaml", dir);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char file[256];
		const struct config_source src = {.path = file,
						  .presets = presets,
						  .hostname = "h"};
		struct conf_report report;
		struct config *c = NULL;
		char *said;

		snprintf(file, sizeof(file), "%s/edged.yaml", dir);
		put("edged.yaml", smallest, 0644);
		put("secrets.yaml", "hub: verysecret\n", cases[i].mode);
		assert_int_equal(chown(path, cases[i].uid, cases[i].gid), 0);
		conf_report_init(&report);
		(void)config_load(&src, &c, &report);
		said = conf_report_text(&report);
		if (cases[i].want ? !strstr(said, cases[i].want) : !c)
			fail_msg("mode %o of %u:%u: %s", (unsigned int)cases[i].mode,
				 (unsigned int)cases[i].uid, (unsigned int)cases[i].gid,
				 said);
		assert_null(strstr(said, "verysecret"));
		free(said);
		config_free(c);
		conf_report_fini(&report);
	}
}

static void test_folder_that_others_write_is_refused(void **state)
{
	struct config *c;
	char *said;

	(void)state;
	assert_int_equal(chmod(dir, 0777), 0);
	c = load_as(smallest, "hub: s\n", NULL, &said);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_null(c);
	assert_non_null(strstr(said, "chmod go-w"));
	free(said);
}

static void test_link_to_a_good_file_is_good(void **state)
{
	char path[256];
	char real[256];
	char file[256];
	const struct config_source src = {.path = file,
					  .presets = presets,
					  .hostname = "h"};
	struct conf_report report;
	struct config *c = NULL;

	(void)state;
	put("edged.yaml", smallest, 0644);
	put("real.yaml", "hub: s\n", 0600);
	snprintf(file, sizeof(file), "%s/edged.yaml", dir);
	snprintf(path, sizeof(path), "%s/secrets.yaml", dir);
	snprintf(real, sizeof(real), "%s/real.yaml", dir);
	(void)unlink(path);
	assert_int_equal(symlink(real, path), 0);
	conf_report_init(&report);
	assert_int_equal(config_load(&src, &c, &report), 0);
	config_free(c);
	c = NULL;
	assert_int_equal(chmod(real, 0644), 0);
	assert_int_equal(config_load(&src, &c, &report), -EINVAL);
	conf_report_fini(&report);
	unlink(path);
}

/* --- differences ---------------------------------------------------------- */

struct heard {
	char text[4096];
	struct text t;
};

static void hear(void *ctx, const struct config_change *ch)
{
	struct heard *h = ctx;

	text_add(&h->t, "%s %s '%s' to '%s' %s %s\n",
		 ch->kind == CONFIG_ADDED     ? "new"
		 : ch->kind == CONFIG_REMOVED ? "gone"
					      : "changed",
		 ch->setting, ch->from, ch->to, ch->name, config_cost_name(ch->cost));
}

static void test_differences_are_told_object_by_object(void **state)
{
	struct config *a =
		load("lan: 10.42.0.0/24\n"
		     "uplinks:\n"
		     "  isp1: {interface: eth0}\n"
		     "  lte: {interface: wwan0, cost: 20}\n"
		     "peers:\n"
		     "  hub: {address: 198.51.100.1, networks: 10.0.0.0/8}\n"
		     "  old: {address: 198.51.100.9, networks: 10.9.0.0/16}\n"
		     "classes:\n"
		     "  voice: {dscp: EF}\n"
		     "  video: {dscp: AF41}\n",
		     "hub: s\nold: t\n");
	struct config *b =
		load("lan: [10.42.0.0/24, 10.43.0.0/24]\n"
		     "uplinks:\n"
		     "  lte: {interface: wwan0, cost: 40}\n"
		     "  isp1: {interface: eth0}\n"
		     "  isp2: {interface: eth1}\n"
		     "peers:\n"
		     "  aws: {address: 198.51.100.8, networks: 10.8.0.0/16}\n"
		     "  hub: {address: 198.51.100.2, networks: 10.0.0.0/8, mtu: 1300}\n"
		     "classes:\n"
		     "  video: {dscp: AF41, max-loss: 0.5%}\n"
		     "  voice: {dscp: EF}\n"
		     "probe: {interval: 50ms}\n",
		     "hub: u\naws: v\n");
	struct heard h;

	(void)state;
	h.t = text_init(h.text, sizeof(h.text));
	assert_int_equal(config_diff(a, a, hear, &h), 0);
	config_diff(a, b, hear, &h);
	assert_string_equal(
		h.text,
		"changed lan '10.42.0.0/24' to '[10.42.0.0/24, 10.43.0.0/24]'  live\n"
		"changed uplinks.lte.cost '20' to '40' lte live\n"
		"new uplinks.isp2 '' to '' isp2 live\n"
		"gone peers.old '' to '' old live\n"
		"changed peers.hub.mtu '1400' to '1300' hub live\n"
		"changed peers.hub.address '198.51.100.1' to '198.51.100.2' hub restarts "
		"tunnels\n"
		"new peers.aws '' to '' aws live\n"
		"changed classes.video.max-loss '0%' to '0.5%' video live\n"
		"changed classes 'one order' to 'another'  live\n"
		"changed probe.interval '100ms' to '50ms'  live\n"
		"new secrets.aws '' to '' aws restarts tunnels\n"
		"changed secrets.hub '' to '' hub restarts tunnels\n"
		"gone secrets.old '' to '' old restarts tunnels\n");
	config_free(a);
	config_free(b);
}

/* --- the table itself ----------------------------------------------------- */

static void check_rows(const struct conf_schema *schema, unsigned int depth)
{
	assert_true(depth < 6);
	for (const struct conf_row *r = schema->rows; r->name; r++) {
		if (r->flags & (CONF_INTERNAL | CONF_LATER))
			continue;
		if (!r->help || !r->help[0])
			fail_msg("%s has no help", r->name);
		if (r->sub) {
			check_rows(r->sub, depth + 1);
			continue;
		}
		if (!r->example)
			fail_msg("%s has no example", r->name);
		if (r->cost == 0)
			fail_msg("%s has no cost", r->name);
	}
}

static void test_every_setting_has_help_example_and_cost(void **state)
{
	(void)state;
	check_rows(&config_schema, 0);
	check_rows(&config_preset_schema, 0);
}

static void test_a_big_hub_loads_in_a_moment(void **state)
{
	char *text = NULL;
	char *secrets = NULL;
	size_t len;
	size_t secrets_len;
	FILE *fp = open_memstream(&text, &len);
	FILE *sp = open_memstream(&secrets, &secrets_len);
	struct config *c;

	(void)state;
	fprintf(fp,
		"name: hub\ninside: 100.64.0.0/10\nuplinks: {wan: {interface: eth0}}\n"
		"peers:\n");
	for (unsigned int i = 0; i < 5000; i++) {
		fprintf(fp, "  b%u: {networks: 10.%u.%u.0/24}\n", i, i >> 8, i & 255);
		fprintf(sp, "b%u: secret-%u\n", i, i);
	}
	fclose(fp);
	fclose(sp);
	c = load(text, secrets);
	assert_int_equal(c->peers.n, 5000);
	assert_string_equal(config_peer(c, "b4999")->name, "b4999");
	config_free(c);
	free(text);
	free(secrets);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smallest_file_is_complete),
		cmocka_unit_test(test_tunnels_are_peer_by_end_point_by_uplink),
		cmocka_unit_test(test_one_identity_may_serve_all_uplinks),
		cmocka_unit_test(test_hub_tells_its_callers_apart),
		cmocka_unit_test(test_default_class_is_last_and_lan_is_written_out),
		cmocka_unit_test(test_cut_off_file_is_refused_at_every_byte),
		cmocka_unit_test(test_peers_behind_a_cut_are_missed),
		cmocka_unit_test(test_secrets_of_others_are_refused),
		cmocka_unit_test(test_folder_that_others_write_is_refused),
		cmocka_unit_test(test_link_to_a_good_file_is_good),
		cmocka_unit_test(test_differences_are_told_object_by_object),
		cmocka_unit_test(test_every_setting_has_help_example_and_cost),
		cmocka_unit_test(test_a_big_hub_loads_in_a_moment),
	};
	static const char *const files[] = {"edged.yaml", "secrets.yaml", "real.yaml"};
	const char *top = getenv("ED_TOP_SRCDIR");
	int failed;

	snprintf(presets, sizeof(presets), "%s/conf/presets", top ? top : ".");
	if (!mkdtemp(dir))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", dir, files[i]);
		(void)unlink(path);
	}
	(void)rmdir(dir);
	return failed;
}
