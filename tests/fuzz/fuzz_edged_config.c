/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole configuration: edged.yaml, then, behind a line "=== secrets.yaml ...",
 * its secrets. What is good must be equal to itself and build its tunnels.
 */
#include "config.h"

#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "edged/config/config.h"
#include "lib/conf_report.h"

static const char mark[] = "\n=== secrets.yaml";

/* A file without a name, read through /proc. */
static int memory_file(const uint8_t *data, size_t size, char *path, size_t cap)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || fchmod(fd, 0600) < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	snprintf(path, cap, "/proc/self/fd/%d", fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size ? memmem(data, size, mark, sizeof(mark) - 1) : NULL;
	const uint8_t *rest =
		cut ? memchr(cut + 1, '\n', size - (size_t)(cut + 1 - data)) : NULL;
	const char *top = getenv("ED_TOP_SRCDIR");
	char presets[1024];
	char file[64];
	char secrets[64];
	struct config_source src = {.path = file,
				    .secrets = secrets,
				    .presets = presets,
				    .hostname = "fuzz"};
	struct conf_report report;
	struct config *c = NULL;
	int fd;
	int secrets_fd;
	int err;

	if (size > 1 << 16)
		return 0;
	snprintf(presets, sizeof(presets), "%s/conf/presets", top ? top : ".");
	fd = memory_file(data, cut ? (size_t)(cut + 1 - data) : size, file,
			 sizeof(file));
	secrets_fd = memory_file(rest ? rest + 1 : (const uint8_t *)"hub: x\n",
				 rest ? size - (size_t)(rest + 1 - data) : 7, secrets,
				 sizeof(secrets));
	conf_report_init(&report);
	err = config_load(&src, &c, &report);
	assert(err == 0 || report.errors > 0);
	if (c) {
		struct config_tunnel *v;
		size_t n = config_tunnels(c, &v);

		for (size_t i = 0; i < n; i++)
			assert(config_secret(c, v[i].peer->name, v[i].endpoint->name,
					     v[i].uplink->name));
		assert(config_diff(c, c, NULL, NULL) == 0);
		free(v);
	}
	config_free(c);
	conf_report_fini(&report);
	close(fd);
	close(secrets_fd);
	return 0;
}
