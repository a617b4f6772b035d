/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay - run a fuzz harness over files, without libFuzzer
 *
 *	replay_<name> [FILE | FOLDER]...
 *
 * Folders are walked recursively and every file in them is run, whatever its
 * name; links are followed. A fault ends the process by its signal or sanitizer,
 * after the file's name was printed. Without arguments: tests/fuzz/corpus/<name>.
 *
 * Exit status: 0 when every file was run, 1 when one could not be read, or
 * when there was nothing to run (an empty run must not look green).
 */
#include <errno.h>
#include <fts.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILE_MAX_BYTES (64u << 20)

static const char *current = "(none)";
static unsigned int ran;

/* Part of every sanitizer's runtime, of nothing else. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* Name the input when a harness's assert() or a sanitizer ends the process. */
static void name_input(void)
{
	static const char what[] = "# fault while running ";
	const char *path = current;

	if (!path)
		return;
	current = NULL;
	(void)!write(STDERR_FILENO, what, sizeof(what) - 1);
	(void)!write(STDERR_FILENO, path, strlen(path));
	(void)!write(STDERR_FILENO, "\n", 1);
}

static void on_signal(int sig)
{
	name_input();
	signal(sig, SIG_DFL);
	raise(sig);
}

/* A sanitizer says more about a bad access than we could, so that stays its own. */
static void name_at_faults(void)
{
	static const int bad[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

	atexit(name_input);
	signal(SIGABRT, on_signal);
	if (__sanitizer_set_death_callback) {
		__sanitizer_set_death_callback(name_input);
		return;
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		signal(bad[i], on_signal);
}

/* The whole file; NULL when it cannot be read. */
static uint8_t *read_file(const char *path, size_t *len)
{
	FILE *fp = fopen(path, "rb");
	size_t cap = 4096;
	uint8_t *data = malloc(cap);

	*len = 0;
	if (!data)
		abort();
	/* Ends: each round reads something, or is the last one. */
	while (fp && !feof(fp) && !ferror(fp) && *len <= FILE_MAX_BYTES) {
		if (*len == cap) {
			cap *= 2;
			data = realloc(data, cap);
			if (!data)
				abort();
		}
		*len += fread(data + *len, 1, cap - *len, fp);
	}
	if (fp && !ferror(fp) && *len <= FILE_MAX_BYTES) {
		fclose(fp);
		return data;
	}
	fprintf(stderr, "%s: %s\n", path,
		fp && !ferror(fp) ? "more than 64 MB" : strerror(errno));
	if (fp)
		fclose(fp);
	free(data);
	return NULL;
}

static int run_file(const char *path)
{
	uint8_t *exact;
	uint8_t *data;
	size_t len;

	data = read_file(path, &len);
	if (!data)
		return -1;

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

/* Whether e can be run: a file, or what is none (a pipe) where it was asked for. */
static bool is_input(const FTSENT *e)
{
	return e->fts_info == FTS_F ||
	       (e->fts_info == FTS_DEFAULT && e->fts_level == FTS_ROOTLEVEL);
}

static int run_tree(char *path)
{
	char *const roots[] = {path, NULL};
	FTS *fts = fts_open(roots, FTS_LOGICAL | FTS_NOCHDIR, NULL);
	FTSENT *e;
	int err = 0;

	if (!fts)
		return -1;
	while ((e = fts_read(fts)) != NULL) {
		if (is_input(e)) {
			if (run_file(e->fts_accpath) < 0)
				err = -1;
		} else if (e->fts_info == FTS_NS || e->fts_info == FTS_DNR ||
			   e->fts_info == FTS_ERR || e->fts_info == FTS_SLNONE) {
			fprintf(stderr, "%s: %s\n", e->fts_path,
				strerror(e->fts_errno ? e->fts_errno : ENOENT));
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

	name_at_faults();
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
