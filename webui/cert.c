/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "webui/cert.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/addr.h"
#include "lib/alloc.h"
#include "lib/secret.h"

enum { NAMES_TEXT_MAX = 4096, SERIAL_BITS = 127, BACKDATE_S = 24 * 3600 };

/* --- reading ------------------------------------------------------------------- */

static int read_text(const char *path, bool is_key, char **ret, char *why, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	char *bytes;
	ssize_t n;
	int err;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err = -errno;
		snprintf(why, size, "%s: %s", path, strerror(-err));
		if (fd >= 0)
			close(fd);
		return err;
	}
	err = !S_ISREG(st.st_mode) || st.st_size > CERT_FILE_MAX ? -EINVAL : 0;
	if (err == 0 && is_key && (st.st_mode & 007))
		err = -EPERM;
	if (err < 0) {
		snprintf(why, size,
			 err == -EPERM
				 ? "%s: everybody on this box may read this key (cure: "
				   "chmod o-rwx)"
				 : "%s is no file of PEM text",
			 path);
		close(fd);
		return err;
	}
	bytes = ed_alloc(CERT_FILE_MAX + 1);
	n = read(fd, bytes, CERT_FILE_MAX);
	close(fd);
	if (n < 0) {
		err = -errno;
		snprintf(why, size, "%s: %s", path, strerror(-err));
		free(bytes);
		return err;
	}
	*ret = bytes;
	return 0;
}

static void fingerprint_of(X509 *x, char buf[CERT_FINGERPRINT_MAX])
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	buf[0] = '\0';
	if (!X509_digest(x, EVP_sha256(), digest, &len) || len != SECRET_DIGEST_LEN)
		return;
	for (unsigned int i = 0; i < len; i++)
		snprintf(buf + (size_t)3 * i, 4, "%02X%s", digest[i],
			 i + 1 < len ? ":" : "");
}

static time_t end_of(const X509 *x)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) ? timegm(&tm) : 0;
}

/* No key is asked a passphrase for: nobody is there to type it. */
static int no_passphrase(char *buf, int size, int rw, void *ctx)
{
	(void)buf;
	(void)size;
	(void)rw;
	(void)ctx;
	return -1;
}

static int judge(struct cert *c, const char *certificate, const char *key, char *why,
		 size_t size)
{
	BIO *cert_bio = BIO_new_mem_buf(c->certificate, -1);
	BIO *key_bio = BIO_new_mem_buf(c->key, -1);
	X509 *x = PEM_read_bio_X509(cert_bio, NULL, no_passphrase, NULL);
	EVP_PKEY *k = PEM_read_bio_PrivateKey(key_bio, NULL, no_passphrase, NULL);
	int err = -EINVAL;

	if (!x) {
		snprintf(why, size, "%s holds no certificate (PEM)", certificate);
	} else if (!k) {
		snprintf(why, size, "%s holds no private key (PEM, no passphrase)",
			 key);
	} else if (X509_check_private_key(x, k) != 1) {
		snprintf(why, size, "the key %s is not that of the certificate %s", key,
			 certificate);
	} else {
		fingerprint_of(x, c->fingerprint);
		c->not_after = end_of(x);
		err = 0;
	}
	ERR_clear_error();
	EVP_PKEY_free(k);
	X509_free(x);
	BIO_free(key_bio);
	BIO_free(cert_bio);
	return err;
}

int cert_load(const char *certificate, const char *key, struct cert *ret, char *why,
	      size_t size)
{
	struct cert c = {0};
	int err = read_text(certificate, false, &c.certificate, why, size);

	if (err == 0)
		err = read_text(key, true, &c.key, why, size);
	if (err == 0)
		err = judge(&c, certificate, key, why, size);
	if (err < 0)
		cert_fini(&c);
	else
		*ret = c;
	return err;
}

void cert_fini(struct cert *c)
{
	if (c->key)
		secret_wipe(c->key, strlen(c->key));
	free(c->key);
	free(c->certificate);
	*c = (struct cert){0};
}

/* --- making ----------------------------------------------------------------------- */

static int write_text(const char *path, mode_t mode, const char *bytes, size_t len)
{
	char *temp = ed_asprintf("%s.new", path);
	int err = 0;
	int fd;

	(void)unlink(temp);
	fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0) {
		err = -errno;
		goto out;
	}
	if (fchmod(fd, mode) < 0 || write(fd, bytes, len) != (ssize_t)len ||
	    fsync(fd) < 0)
		err = errno ? -errno : -EIO;
	if (close(fd) < 0 && err == 0)
		err = -errno;
	if (err == 0 && rename(temp, path) < 0)
		err = -errno;
	if (err < 0)
		(void)unlink(temp);
out:
	free(temp);
	return err;
}

/* "DNS:branch-042,IP:10.42.0.1,...": host names and addresses only come here. */
static void alt_names(const char *const *names, size_t n, char *buf, size_t size)
{
	size_t at = (size_t)snprintf(buf, size, "DNS:localhost");
	struct addr a;

	for (size_t i = 0; i < n && at < size; i++) {
		if (strpbrk(names[i], ",= "))
			continue;
		at += (size_t)snprintf(buf + at, size - at, ",%s:%s",
				       addr_parse(names[i], &a) == 0 ? "IP" : "DNS",
				       names[i]);
	}
}

static bool extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509_add_ext(x, e, -1);

	X509_EXTENSION_free(e);
	return ok;
}

static bool fill(X509 *x, EVP_PKEY *key, const char *const *names, size_t n)
{
	X509_NAME *subject = X509_get_subject_name(x);
	const char *common = n ? names[0] : "edged";
	char alt[NAMES_TEXT_MAX];
	BIGNUM *serial = BN_new();
	bool ok;

	alt_names(names, n, alt, sizeof(alt));
	ok = serial &&
	     BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) &&
	     BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(x)) &&
	     X509_set_version(x, X509_VERSION_3) &&
	     X509_gmtime_adj(X509_getm_notBefore(x), -BACKDATE_S) &&
	     X509_time_adj_ex(X509_getm_notAfter(x), CERT_DAYS, 0, NULL) &&
	     X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC,
					(const unsigned char *)"edged", -1, -1, 0) &&
	     X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
					(const unsigned char *)common, -1, -1, 0) &&
	     X509_set_issuer_name(x, subject) && X509_set_pubkey(x, key) &&
	     extend(x, NID_subject_alt_name, alt) &&
	     extend(x, NID_basic_constraints, "critical,CA:FALSE") &&
	     extend(x, NID_key_usage, "critical,digitalSignature") &&
	     extend(x, NID_ext_key_usage, "serverAuth") &&
	     X509_sign(x, key, EVP_sha256()) > 0;
	BN_free(serial);
	return ok;
}

static int write_pair(X509 *x, EVP_PKEY *k, const char *certificate, const char *key)
{
	BIO *cert_bio = BIO_new(BIO_s_mem());
	BIO *key_bio = BIO_new(BIO_s_secmem());
	char *bytes;
	long len;
	int err = -EINVAL;

	if (!PEM_write_bio_X509(cert_bio, x) ||
	    !PEM_write_bio_PrivateKey(key_bio, k, NULL, NULL, 0, NULL, NULL))
		goto out;
	len = BIO_get_mem_data(key_bio, &bytes);
	err = write_text(key, 0600, bytes, (size_t)len);
	if (err < 0)
		goto out;
	len = BIO_get_mem_data(cert_bio, &bytes);
	err = write_text(certificate, 0644, bytes, (size_t)len);
out:
	BIO_free(key_bio);
	BIO_free(cert_bio);
	return err;
}

int cert_make(const char *certificate, const char *key, const char *const *names,
	      size_t n, char *why, size_t size)
{
	EVP_PKEY *k;
	X509 *x;
	int err = -EINVAL;

	if (access(certificate, F_OK) == 0 && access(key, F_OK) == 0)
		return 0;
	k = EVP_EC_gen("P-256");
	x = X509_new();
	if (k && x && fill(x, k, names, n))
		err = write_pair(x, k, certificate, key);
	if (err < 0)
		snprintf(why, size, "%s could not be made: %s", certificate,
			 err == -EINVAL ? "OpenSSL refused" : strerror(-err));
	ERR_clear_error();
	X509_free(x);
	EVP_PKEY_free(k);
	return err;
}
