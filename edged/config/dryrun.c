/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/config/dryrun.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "edged/config/render.h"
#include "lib/addr.h"
#include "lib/alloc.h"
#include "lib/child.h"
#include "lib/text.h"
#include "routing/bgp/render.h"
#include "routing/classify/nft.h"
#include "routing/intent.h"

enum {
	OUTPUT_MAX = 2048, /* bytes of a program's words */
	TIMEOUT_MS = 10000,
	SENTENCE_MAX = 512,
};

struct asking {
	const struct config *c;
	config_say say;
	void *ctx;
};

/* The first line of what a program said, without what stands before "Error: ". */
static const char *words(char *output)
{
	char *error = strstr(output, "Error: ");
	char *s = error ? error + 7 : output;

	s[strcspn(s, "\r\n")] = '\0';
	return *s ? s : "it does not say why";
}

static void tell(const struct asking *a, bool error, const void *value,
		 const char *begin, const char *rest)
{
	char buf[SENTENCE_MAX];
	struct text t = text_init(buf, sizeof(buf));

	text_add(&t, "%s%s", begin, rest);
	a->say(a->ctx, error, value, buf);
}

/* --- nft ------------------------------------------------------------------ */

/* The status of nft -c for this batch, whose reference it takes. */
static int nft_check(json_t *batch, char *output)
{
	static const char *const argv[] = {"nft", "-c", "-j", "-f", "-", NULL};
	char *text = json_dumps(batch, JSON_COMPACT);
	const struct child_spec spec = {.argv = argv,
					.input = text,
					.input_len = strlen(text),
					.timeout_ms = TIMEOUT_MS,
					.output_max = OUTPUT_MAX};
	int status = child_run_wait(&spec, output, OUTPUT_MAX);

	free(text);
	json_decref(batch);
	return status;
}

/* True when nft was not able to look at the batch at all. */
static bool nft_unable(const char *output)
{
	return strstr(output, "Operation not permitted") ||
	       strstr(output, "must be root") ||
	       strstr(output, "cache initialization failed") ||
	       strstr(output, "Protocol not supported");
}

static struct rt_nft_uplink *uplinks_of(const struct config *c)
{
	struct rt_nft_uplink *v = ed_array(c->uplinks.n + 1, sizeof(*v));

	for (size_t i = 0; i < c->uplinks.n; i++)
		v[i] = (struct rt_nft_uplink){.ifname = c->uplinks.v[i].interface,
					      .slot = (uint32_t)i};
	return v;
}

/* nft names no place: each class alone shows which one it is. */
static void nft_blame(const struct asking *a, const struct rt_nft_uplink *uplinks,
		      char *output)
{
	const struct config *c = a->c;
	char begin[CONFIG_NAME_MAX + 64];
	char whole[OUTPUT_MAX];
	bool found = false;

	snprintf(whole, sizeof(whole), "%s", words(output));
	for (size_t i = 0; i < c->classes.n; i++) {
		struct config one = *c;
		int status;

		one.classes.v = &c->classes.v[i];
		one.classes.n = 1;
		status = nft_check(config_nft(&one, uplinks, c->uplinks.n, false, 0),
				   output);
		if (status <= 0)
			continue;
		snprintf(begin, sizeof(begin),
			 "nft refuses what class '%s' becomes: ", c->classes.v[i].name);
		tell(a, true, &c->classes.v[i], begin, words(output));
		found = true;
	}
	if (!found)
		tell(a, true, NULL, "nft refuses what the file becomes: ", whole);
}

static void ask_nft(const struct asking *a)
{
	struct rt_nft_uplink *uplinks = uplinks_of(a->c);
	char output[OUTPUT_MAX] = "";
	int status = nft_check(config_nft_alone(a->c), output);

	if (status < 0)
		tell(a, false, NULL, "nft could not be asked: ",
		     status == -ENOENT ? "it is not installed" : strerror(-status));
	else if (status > 0 && nft_unable(output))
		tell(a, false, NULL, "nft could not be asked: ", words(output));
	else if (status > 0)
		nft_blame(a, uplinks, output);
	free(uplinks);
}

/* --- FRR ------------------------------------------------------------------ */

static int vtysh_check(const char *lines, char *output)
{
	static const char *const argv[] = {"vtysh", "-C", "-f", "/dev/stdin", NULL};
	const struct child_spec spec = {.argv = argv,
					.input = lines,
					.input_len = strlen(lines),
					.timeout_ms = TIMEOUT_MS,
					.output_max = OUTPUT_MAX};

	return child_run_wait(&spec, output, OUTPUT_MAX);
}

/* The line of this number, cut out of text. */
static void line_of(const char *text, unsigned long number, char *buf, size_t size)
{
	while (number > 1 && (text = strchr(text, '\n')) != NULL) {
		text++;
		number--;
	}
	snprintf(buf, size, "%.*s", text ? (int)strcspn(text, "\n") : 0,
		 text ? text : "");
}

/* Which setting a line comes from: a peer's by the address it has in the lines. */
static const void *origin(const struct asking *a, const struct rt_bgp *b,
			  const char *line)
{
	const char *at = strstr(line, "neighbor ");
	char address[ADDR_STRLEN];

	if (!at || sscanf(at, "neighbor %45s", address) != 1)
		return &a->c->bgp.asn;
	for (size_t i = 0; i < b->n_neighbors; i++) {
		char text[ADDR_STRLEN];

		/* Of a check each neighbour has the name of its peer. */
		if (strcmp(addr_format(&b->neighbors[i].peer, text), address) == 0)
			return config_peer(a->c, b->neighbors[i].tunnel);
	}
	return &a->c->bgp.asn;
}

/* The line as it concerns people: the stand-in address would only confuse. */
static const char *shown(const char *line)
{
	line += strspn(line, " ");
	if (strncmp(line, "neighbor ", 9) != 0)
		return line;
	line += 9;
	line += strcspn(line, " ");
	return line + strspn(line, " ");
}

/* vtysh says "line 3: % Unknown command[25]: ..." for each line it refuses. */
static void vtysh_blame(const struct asking *a, const struct rt_bgp *b,
			const char *lines, const char *output)
{
	bool found = false;

	for (const char *s = output; (s = strstr(s, "line ")) != NULL; s++) {
		char *end;
		unsigned long number = strtoul(s + 5, &end, 10);
		char line[256];

		if (end == s + 5 || *end != ':')
			continue;
		line_of(lines, number, line, sizeof(line));
		tell(a, true, origin(a, b, line),
		     "FRR refuses what this becomes: ", shown(line));
		found = true;
	}
	if (!found) {
		char copy[OUTPUT_MAX];

		snprintf(copy, sizeof(copy), "%s", output);
		tell(a, true, &a->c->bgp.asn,
		     "FRR refuses what bgp becomes: ", words(copy));
	}
}

static void ask_vtysh(const struct asking *a)
{
	struct rt_intent *intent = config_intent_alone(a->c);
	char output[OUTPUT_MAX] = "";
	char why[SENTENCE_MAX] = "";
	char *lines = NULL;
	int status;

	if (rt_bgp_render(&intent->bgp, NULL, &lines, why, sizeof(why)) < 0) {
		tell(a, true, &a->c->bgp.asn, why, "");
	} else {
		status = vtysh_check(lines, output);
		if (status < 0)
			tell(a, false, &a->c->bgp.asn, "FRR could not be asked: ",
			     status == -ENOENT ? "vtysh is not installed"
					       : strerror(-status));
		else if (status > 0)
			vtysh_blame(a, &intent->bgp, lines, output);
	}
	free(lines);
	rt_intent_free(intent);
}

void config_dryrun(const struct config *c, config_say say, void *ctx)
{
	const struct asking a = {.c = c, .say = say, .ctx = ctx};

	ask_nft(&a);
	if (c->bgp.asn)
		ask_vtysh(&a);
}
