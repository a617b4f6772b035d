/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay - run a fuzz harness over files, without libFuzzer
 *
 *	replay_<name> [FILE | FOLDER]...
 *
 * Folders are walked recursively and every file in them is run, whatever its
 * name. A fault ends the process by its signal or sanitizer, after the file's
 * name was printed. Without arguments: tests/fuzz/corpus/<name>.
 *
 * Exit status: 0 when every file was run, 1 when one could not be read, or
 * when there was nothing to run (an empty run must not look green).
 */
#include <errno.h>
#include <fts.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MAX_BYTES (64u << 20)

static const char *current = "(none)";
static unsigned int ran;

/* Name the input when a harness's assert() or a sanitizer ends the process. */
static void name_input(void)
{
	if (current)
		fprintf(stderr, "# fault while running %s\n", current);
}

static int run_file(const char *path)
{
	FILE *fp = fopen(path, "rb");
	uint8_t *data;
	uint8_t *exact;
	size_t len;

	if (!fp) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	data = malloc(FILE_MAX_BYTES);
	if (!data)
		abort();
	len = fread(data, 1, FILE_MAX_BYTES, fp);
	fclose(fp);

	/* A block of exactly len bytes, so that a sanitizer sees one too many. */
	exact = malloc(len ? len : 1);
	if (!exact)
		abort();
	memcpy(exact, data, len);
	free(data);
	current = path;
	LLVMFuzzerTestOneInput(exact, len);
	current = NULL;
	free(exact);
	ran++;
	return 0;
}

static int run_tree(char *path)
{
	char *const roots[] = {path, NULL};
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int err = 0;

	if (!fts)
		return -1;
	while ((e = fts_read(fts)) != NULL) {
		if (e->fts_info == FTS_F) {
			if (run_file(e->fts_accpath) < 0)
				err = -1;
		} else if (e->fts_info == FTS_NS || e->fts_info == FTS_DNR ||
			   e->fts_info == FTS_ERR) {
			fprintf(stderr, "%s: %s\n", e->fts_path,
				strerror(e->fts_errno));
			err = -1;
		}
	}
	fts_close(fts);
	return err;
}

static void own_corpus(const char *argv0, char *path, size_t size)
{
	const char *top = getenv("ED_TOP_SRCDIR");
	const char *name = strrchr(argv0, '/');

	name = name ? name + 1 : argv0;
	if (strncmp(name, "replay_", 7) == 0)
		name += 7;
	snprintf(path, size, "%s/tests/fuzz/corpus/%s", top ? top : ".", name);
}

int main(int argc, char **argv)
{
	char corpus[4096];
	int err = 0;

	atexit(name_input);
	current = NULL;
	if (argc < 2) {
		own_corpus(argv[0], corpus, sizeof(corpus));
		err |= run_tree(corpus);
	}
	for (int i = 1; i < argc; i++)
		err |= run_tree(argv[i]);
	if (err == 0 && ran == 0) {
		fprintf(stderr, "%s: no input files\n", argv[0]);
		err = -1;
	}
	printf("1..1\n%s 1 - %u inputs run\n", err ? "not ok" : "ok", ran);
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}
