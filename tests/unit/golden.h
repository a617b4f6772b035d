/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * golden - compares what people read with a file under tests/golden/
 *
 * ED_GOLDEN=write makes the tests write the files instead.
 */
#ifndef ED_TESTS_UNIT_GOLDEN_H
#define ED_TESTS_UNIT_GOLDEN_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* True when text is what tests/golden/NAME holds; otherwise says where not. */
static inline bool golden_same(const char *name, const char *text)
{
	const char *top = getenv("ED_TOP_SRCDIR");
	const char *write = getenv("ED_GOLDEN");
	static char want[1 << 20];
	char path[1024];
	FILE *f;
	size_t n;
	size_t line = 1;

	snprintf(path, sizeof(path), "%s/tests/golden/%s", top ? top : ".", name);
	f = fopen(path, write ? "w" : "r");
	if (!f) {
		fprintf(stderr, "# %s cannot be opened\n", path);
		return false;
	}
	if (write) {
		fputs(text, f);
		return fclose(f) == 0;
	}
	n = fread(want, 1, sizeof(want) - 1, f);
	want[n] = '\0';
	fclose(f);
	if (!strcmp(want, text))
		return true;
	for (size_t i = 0; want[i] && want[i] == text[i]; i++)
		line += want[i] == '\n';
	fprintf(stderr, "# differs from %s in line %zu; now it is:\n%s\n", path, line,
		text);
	return false;
}

#endif
