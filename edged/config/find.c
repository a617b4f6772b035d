/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding objects by name, and what follows from the configuration without being
 * written in it: tunnels, their names, identities.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "edged/config/config.h"
#include "edged/config/parts.h"
#include "lib/addr.h"
#include "lib/alloc.h"
#include "lib/conf.h"

/* A hub has many peers: they are found by hash. */
struct config_index {
	const struct config_peer *peer;
	UT_hash_handle hh;
};

void config_index_peers(struct config *c)
{
	for (size_t i = 0; i < c->peers.n; i++) {
		struct config_index *e = ed_alloc(sizeof(*e));

		e->peer = &c->peers.v[i];
		HASH_ADD_KEYPTR(hh, c->index, e->peer->name, strlen(e->peer->name), e);
	}
}

void config_index_free(struct config *c)
{
	struct config_index *e;
	struct config_index *tmp;

	HASH_ITER (hh, c->index, e, tmp) {
		HASH_DEL(c->index, e);
		free(e);
	}
}

const struct config_peer *config_peer(const struct config *c, const char *name)
{
	struct config_index *e;

	HASH_FIND_STR(c->index, name, e);
	return e ? e->peer : NULL;
}

const struct config_uplink *config_uplink(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->uplinks.n; i++)
		if (strcmp(c->uplinks.v[i].name, name) == 0)
			return &c->uplinks.v[i];
	return NULL;
}

const struct config_class *config_class(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->classes.n; i++)
		if (strcmp(c->classes.v[i].name, name) == 0)
			return &c->classes.v[i];
	return NULL;
}

bool config_calls_us(const struct config_peer *p)
{
	return p->tunnels.n == 0;
}

const char *config_similar(const char *name,
			   const char *(*nth)(const void *ctx, size_t i),
			   const void *ctx, size_t n)
{
	const char *best = NULL;
	unsigned int least = ~0u;

	for (size_t i = 0; i < n; i++) {
		const char *other = nth(ctx, i);
		unsigned int d = conf_distance(name, other);

		if (d < least) {
			least = d;
			best = other;
		}
	}
	return best && conf_near(name, least) ? best : NULL;
}

/* --- tunnels -------------------------------------------------------------- */

void config_tunnel_name(char buf[CONFIG_TUNNEL_NAME_MAX], const char *peer,
			const char *endpoint, const char *uplink)
{
	bool named = endpoint && *endpoint;

	snprintf(buf, CONFIG_TUNNEL_NAME_MAX, "%s%s%s/%s", peer, named ? "/" : "",
		 named ? endpoint : "", uplink);
}

static struct config_id id_from(const char *text)
{
	struct config_id id = {.kind = CONFIG_ID_FQDN};

	if (addr_parse(text, &id.addr) == 0) {
		id.kind = CONFIG_ID_ADDR;
		return id;
	}
	if (strncmp(text, "*.", 2) == 0)
		id.kind = CONFIG_ID_PATTERN;
	snprintf(id.name, sizeof(id.name), "%s", text);
	return id;
}

static struct config_id our_id(const struct config *c, const struct config_peer *p,
			       const struct config_uplink *uplink)
{
	struct config_id id = {.kind = CONFIG_ID_FQDN};

	if (p->our_id)
		return id_from(p->our_id);
	if (p->profile.ids == CONFIG_IDS_ADDRESS)
		return (struct config_id){.kind = CONFIG_ID_OUTER};
	if (c->id)
		return id_from(c->id);
	snprintf(id.name, sizeof(id.name), "%s.%s", uplink->name, c->name);
	return id;
}

static struct config_id peer_id(const struct config_peer *p)
{
	struct config_id id = {.kind = CONFIG_ID_PATTERN};

	if (p->id)
		return id_from(p->id);
	if (p->profile.ids == CONFIG_IDS_ADDRESS)
		return (struct config_id){.kind = CONFIG_ID_OUTER};
	snprintf(id.name, sizeof(id.name), "*.%s", p->name);
	return id;
}

void config_template(const struct config *c, const struct config_peer *p,
		     const struct config_uplink *uplink, struct config_id *ret_peer_id,
		     struct config_id *ret_our_id)
{
	*ret_peer_id = peer_id(p);
	*ret_our_id = our_id(c, p, uplink);
}

bool config_caller_uplink(const struct config_peer *p, const char *identity,
			  char buf[CONFIG_NAME_MAX])
{
	struct config_id id = peer_id(p);
	size_t len = strlen(identity);
	size_t tail;

	if (id.kind == CONFIG_ID_PATTERN) {
		tail = strlen(id.name) - 1;
		if (len <= tail || len - tail >= CONFIG_NAME_MAX ||
		    strcmp(identity + len - tail, id.name + 1) != 0)
			return false;
		memcpy(buf, identity, len - tail);
		buf[len - tail] = '\0';
		return config_name_ok(buf, NULL, 0);
	}
	if (id.kind == CONFIG_ID_FQDN && strcmp(id.name, identity) != 0)
		return false;
	snprintf(buf, CONFIG_NAME_MAX, "%s", p->name);
	return true;
}

size_t config_tunnels(const struct config *c, struct config_tunnel **ret)
{
	struct config_tunnel *v = NULL;
	size_t cap = 0;
	size_t n = 0;

	for (size_t i = 0; i < c->peers.n; i++) {
		const struct config_peer *p = &c->peers.v[i];

		for (size_t k = 0; k < p->tunnels.n; k++) {
			const struct config_endpoint *e = &p->tunnels.v[k];

			for (size_t u = 0; u < e->via.n; u++) {
				const struct config_uplink *up =
					config_uplink(c, e->via.v[u]);
				struct config_tunnel *t;

				if (!up)
					continue;
				if (n == cap) {
					cap = cap ? 2 * cap : 16;
					v = ed_realloc(v, cap, sizeof(*v));
				}
				t = &v[n++];
				*t = (struct config_tunnel){.peer = p,
							    .endpoint = e,
							    .uplink = up};
				t->our_id = our_id(c, p, up);
				t->peer_id = peer_id(p);
				config_tunnel_name(t->name, p->name, e->name, up->name);
			}
		}
	}
	*ret = v;
	return n;
}
