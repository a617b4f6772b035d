/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "edged/ike_conn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "edged/config/config.h"
#include "edged/dataplane/dataplane.h"
#include "edged/edged.h"
#include "edged/ike_host.h"
#include "ike/ike.h"
#include "lib/alloc.h"
#include "lib/loop.h"
#include "lib/secret.h"

enum {
	ENCR_AES_GCM_16 = 20, /* IANA, IKEv2 transform type 1 */
	DPD_NEVER_S = 10 * 365 * 86400, /* `dpd: 0` */
};

/* The identity as the engine reads it; "" is the address of that end. */
static void id_text(const struct config_id *id, char *buf, size_t cap)
{
	switch (id->kind) {
	case CONFIG_ID_OUTER:
		buf[0] = '\0';
		return;
	case CONFIG_ID_ADDR:
		if (cap >= ADDR_STRLEN)
			addr_format(&id->addr, buf);
		return;
	case CONFIG_ID_FQDN:
	case CONFIG_ID_PATTERN:
		snprintf(buf, cap, "%s", id->name);
		return;
	}
}

static void add_suite(struct ike_suite *suites, size_t *n, struct ike_suite s)
{
	if (*n < IKE_SUITES_MAX)
		suites[(*n)++] = s;
}

/*
 * The engine wants whole suites: every cipher and group with the first PRF come
 * before anything with the second.
 */
static void ike_suites(const struct config_profile *p, struct ike_conn_config *c)
{
	for (size_t r = 0; r < p->prfs.n; r++)
		for (size_t e = 0; e < p->ike_ciphers.n; e++)
			for (size_t g = 0; g < p->groups.n; g++)
				add_suite(c->ike_suites, &c->n_ike_suites,
					  (struct ike_suite){
						  .encr = ENCR_AES_GCM_16,
						  .key_bits =
							  (uint16_t)p->ike_ciphers.v[e],
						  .prf = (uint16_t)p->prfs.v[r],
						  .group = (uint16_t)p->groups.v[g],
					  });
}

static void esp_suites(const struct config_profile *p, struct ike_conn_config *c)
{
	size_t groups = p->pfs ? p->groups.n : 1;

	for (size_t e = 0; e < p->esp_ciphers.n; e++)
		for (size_t g = 0; g < groups; g++)
			add_suite(c->esp_suites, &c->n_esp_suites,
				  (struct ike_suite){
					  .encr = ENCR_AES_GCM_16,
					  .key_bits = (uint16_t)p->esp_ciphers.v[e],
					  .group =
						  p->pfs ? (uint16_t)p->groups.v[g] : 0,
				  });
}

static uint32_t seconds(int64_t us)
{
	return (uint32_t)(us / MONO_US_PER_S);
}

/* What tunnels and templates have in common. */
static void from_peer(const struct edged *ed, const struct config_peer *p,
		      struct ike_conn_config *c)
{
	const struct config_profile *profile = &p->profile;

	ike_suites(profile, c);
	esp_suites(profile, c);
	c->force_encap = profile->encap == CONFIG_ENCAP_ALWAYS ||
			 dp_carrier(ed->dataplane) == DP_USER;
	c->ike_life_s = seconds(profile->ike_lifetime_us);
	c->child_life_s = seconds(profile->esp_lifetime_us);
	c->dpd_s = profile->dpd_us ? seconds(profile->dpd_us) : DPD_NEVER_S;
	if (!c->dpd_s)
		c->dpd_s = 1;
}

static int give(struct edged *ed, const struct ike_conn_config *c, char *why,
		size_t cap)
{
	char sentence[IKE_SENTENCE_MAX] = "";
	int err = ike_conn_set(ed->ike, loop_now(ed->loop), c, sentence);

	if (err < 0)
		snprintf(why, cap, "%s", sentence);
	return err;
}

/* Inside addresses that the file gives are not asked for. */
static bool want_inside(const struct tunnel *t)
{
	return t->conf->inside.n == 0;
}

static int set_tunnel(struct tunnel *t, const struct addr *local,
		      const struct addr *remote, char *why, size_t cap)
{
	struct edged *ed = t->ed;
	const struct secret *psk =
		config_secret(ed->config, t->peer->name, t->endpoint, t->uplink->name);
	struct ike_conn_config c = {
		.initiate = remote->family != 0,
		.uplink = t->uplink->slot,
		.local = *local,
		.remote = *remote,
	};

	if (!psk) {
		snprintf(why, cap, "secrets.yaml has no secret for %s", t->name);
		return -ENOKEY;
	}
	snprintf(c.name, sizeof(c.name), "%s", t->name);
	id_text(&t->our_id, c.local_id, sizeof(c.local_id));
	id_text(&t->peer_id, c.remote_id, sizeof(c.remote_id));
	c.psk = psk->bytes;
	c.psk_len = psk->len;
	c.want_inside4 = want_inside(t);
	c.want_inside6 = want_inside(t);
	from_peer(ed, t->peer->conf, &c);
	return give(ed, &c, why, cap);
}

int ike_conn_set_tunnel(struct tunnel *t, char *why, size_t cap)
{
	uint8_t family = t->remote.addr.family;

	if (!family || !uplink_usable(t->uplink, family)) {
		snprintf(why, cap, "no address to call from or to");
		return -EADDRNOTAVAIL;
	}
	return set_tunnel(t, &t->uplink->fam[edged_family(family)].local,
			  &t->remote.addr, why, cap);
}

int ike_conn_expect(struct tunnel *t, char *why, size_t cap)
{
	const struct addr any = {0};

	return set_tunnel(t, &any, &any, why, cap);
}

int ike_conn_set_peer(struct peer *p, char *why, size_t cap)
{
	struct edged *ed = p->ed;
	const struct secret *psk = config_secret(ed->config, p->name, "", "");
	struct ike_conn_config c = {.template = true,
				    .give_inside = true,
				    .max_tunnels = PEER_TUNNELS_MAX};
	struct config_id peer_id;
	struct config_id our_id;

	if (!psk) {
		snprintf(why, cap, "secrets.yaml has no secret for %s", p->name);
		return -ENOKEY;
	}
	config_template(ed->config, p->conf, &ed->config->uplinks.v[0], &peer_id,
			&our_id);
	snprintf(c.name, sizeof(c.name), "%s", p->name);
	id_text(&our_id, c.local_id, sizeof(c.local_id));
	id_text(&peer_id, c.remote_id, sizeof(c.remote_id));
	c.psk = psk->bytes;
	c.psk_len = psk->len;
	from_peer(ed, p->conf, &c);
	return give(ed, &c, why, cap);
}

void ike_conn_forget(struct edged *ed, const char *name)
{
	(void)ike_conn_remove(ed->ike, loop_now(ed->loop), name);
	ike_host_pump(ed);
}
