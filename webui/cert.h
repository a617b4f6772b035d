/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cert - the certificate that browsers see: a given one, or one of our own
 *
 * Our own is made once, at the first start, for the names and addresses known then:
 * a P-256 key (mode 0600) and a certificate signed by itself, good for ten years.
 * Nobody vouches for it: people compare its fingerprint with what `edgectl web`
 * says. It stays as it is, so that browsers keep knowing it; to make another one,
 * remove the two files and restart.
 */
#ifndef ED_WEBUI_CERT_H
#define ED_WEBUI_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

enum cert_limits {
	CERT_FILE_MAX = 256 * 1024,
	CERT_DAYS = 3650,
	CERT_FINGERPRINT_MAX = 32 * 3,
};

struct cert {
	char *certificate; /* PEM, the chain */
	char *key; /* PEM */
	char fingerprint[CERT_FINGERPRINT_MAX]; /* SHA-256, "AA:BB:..." */
	time_t not_after;
};

/*
 * Read a certificate and its key, and see that they fit.
 *
 * Returns 0 with *ret for cert_fini(), or a negative errno with a sentence in why
 * (-EINVAL: no PEM, or they do not belong together; -EPERM: others may read the key).
 */
int cert_load(const char *certificate, const char *key, struct cert *ret, char *why,
	      size_t size);

/*
 * Make our own for the n names (host names and IP addresses), unless both files are
 * there. The files are written whole and renamed, the key first.
 *
 * Returns 0, or a negative errno with a sentence in why.
 */
int cert_make(const char *certificate, const char *key, const char *const *names,
	      size_t n, char *why, size_t size);

/* Free and wipe. */
void cert_fini(struct cert *c);

#endif
