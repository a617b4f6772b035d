/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Adding a peer to any file: every byte of it stays, in its order, and a file that
 * could be read can be read afterwards and has the peer.
 */
#include "config.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "edged/ctl/splice.h"
#include "lib/conf_report.h"
#include "lib/conf_yaml.h"

static const struct splice peer = {.section = "peers",
				   .block = "added-by-us:\n  via: isp1\n",
				   .flow = "added-by-us: {via: isp1}"};

/* True when the document has a peer of that name. */
static bool has_peer(const struct conf_node *root)
{
	for (size_t i = 0; root && root->kind == CONF_MAPPING && i + 1 < root->n;
	     i += 2) {
		const struct conf_node *value = root->child[i + 1];

		if (root->child[i]->kind != CONF_SCALAR ||
		    strcmp(root->child[i]->text, "peers") != 0)
			continue;
		for (size_t k = 0; value->kind == CONF_MAPPING && k < value->n; k += 2)
			if (value->child[k]->kind == CONF_SCALAR &&
			    strcmp(value->child[k]->text, "added-by-us") == 0)
				return true;
	}
	return false;
}

/* The old bytes are the beginning and the end of the new ones. */
static void check_bytes(const uint8_t *old, size_t n, const char *new, size_t m)
{
	size_t same = 0;

	assert(m > n);
	while (same < n && (char)old[same] == new[same])
		same++;
	assert(memcmp(old + same, new + same + (m - n), n - same) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conf_report report;
	struct conf_doc doc;
	char *out = NULL;
	size_t len = 0;
	int err;

	if (size > 1 << 14)
		return 0;
	conf_report_init(&report);
	err = ctl_splice("f", (const char *)data, size, false, &peer, &report, &out,
			 &len);
	assert((err == 0) == (out != NULL));
	assert(err == 0 || report.errors > 0);
	conf_report_fini(&report);
	if (!out)
		return 0;
	check_bytes(data, size, out, len);
	conf_report_init(&report);
	err = conf_doc_parse(&doc, "f", out, len, false, &report);
	assert(err == 0 && has_peer(doc.root));
	conf_doc_fini(&doc);
	conf_report_fini(&report);
	free(out);
	return 0;
}
