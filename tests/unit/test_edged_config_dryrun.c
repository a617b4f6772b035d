/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The real nft and vtysh agree with what a good configuration becomes. Where one
 * of them is missing or may not look, config_dryrun() says so with a warning.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "edged/config/dryrun.h"
#include "lib/conf_report.h"
#include "tests/unit/cm.h"

static const char text[] =
	"name: branch:042.a_b\n"
	"lan: [10.42.0.0/24, 'fd00:42::/64']\n"
	"uplinks:\n"
	"  isp:1: {interface: eth0.100, up: 100mbit}\n"
	"  lte: {interface: wwan0, cost: 100}\n"
	"peers:\n"
	"  hub.example: {address: 198.51.100.1, asn: 65000, networks: 10.9.0.0/16,\n"
	"    accept: [10.0.0.0/8, 'fd00::/16'], hold-time: 9s}\n"
	"  aws:\n"
	"    preset: aws\n"
	"    via: lte\n"
	"    asn: 4200000001\n"
	"    tunnels:\n"
	"      a: {address: 203.0.113.12, inside: 169.254.45.42/30}\n"
	"classes:\n"
	"  voice:\n"
	"    dscp: [EF, VA, 7]\n"
	"    match:\n"
	"      - {protocol: udp, to-port: 16384-32767, from: 10.42.0.0/24}\n"
	"      - {protocol: sctp, from-port: 5060, to: 'fd00::/8'}\n"
	"      - {protocol: 51}\n"
	"      - {from: 10.42.0.0/25, to: 10.0.0.0/9}\n"
	"      - {to: 0.0.0.0/0, protocol: icmp}\n"
	"      - {protocol: icmpv6}\n"
	"bgp:\n"
	"  asn: 4200000000\n"
	"  announce: [lan, 192.0.2.0/24]\n"
	"  accept: [10.0.0.0/8, 0.0.0.0/0, '::/0', 'fc00::/7']\n"
	"  hold-time: 9s\n"
	"  restart-time: 10s\n";

static void test_programs_agree_with_a_good_file(void **state)
{
	const char *top = getenv("ED_TOP_SRCDIR");
	char presets[1024];
	char file[64];
	char second[64];
	const struct config_source src = {.path = file,
					  .secrets = second,
					  .presets = presets,
					  .dry_run = config_dryrun};
	static const char secrets[] = "hub.example: a\naws: b\n";
	struct conf_report report;
	struct config *c = NULL;
	int fd = memfd_create("config", MFD_CLOEXEC);
	int sfd = memfd_create("secrets", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(write(fd, text, sizeof(text) - 1), (ssize_t)sizeof(text) - 1);
	assert_int_equal(write(sfd, secrets, strlen(secrets)),
			 (ssize_t)strlen(secrets));
	assert_int_equal(fchmod(sfd, 0600), 0);
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	snprintf(second, sizeof(second), "/proc/self/fd/%d", sfd);
	snprintf(presets, sizeof(presets), "%s/conf/presets", top ? top : ".");
	conf_report_init(&report);
	(void)config_load(&src, &c, &report);
	if (!c)
		conf_report_print(&report, stderr);
	assert_non_null(c);
	conf_report_fini(&report);
	config_free(c);
	close(fd);
	close(sfd);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_programs_agree_with_a_good_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
