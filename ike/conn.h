/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_conn - connections and the tunnels that come of them
 */
#ifndef ED_IKE_CONN_H
#define ED_IKE_CONN_H

#include "ike/engine.h"

struct ike_conn *ike_conn_find(struct ike *ike, const char *name);
struct ike_tun *ike_tun_find(struct ike *ike, const char *name);

/* May somebody call this connection from at? Identities come later. */
bool ike_conn_accepts(const struct ike_conn *conn, const struct ike_addrs *at);

/*
 * Whom a first message can mean, *n of them: all connections, but one for all that
 * take anybody with the same suites. A hub's thousand branches are mostly one, and
 * a stranger's offer is compared with few. Good until a connection changes.
 */
struct ike_conn *const *ike_conn_callees(struct ike *ike, size_t *n);

/* Our identity on this connection, when packets leave from local. */
struct ike_id ike_conn_local_id(const struct ike_conn *conn, const struct addr *local);

/* Is id one that the connection's other end may have? */
bool ike_conn_knows(const struct ike_conn *conn, const struct addr *remote,
		    const struct ike_id *id, char label[IKE_LABEL_MAX + 1]);

enum ike_conn_miss { IKE_MISS_NONE, IKE_MISS_CALLER, IKE_MISS_CALLED };

/*
 * The connection for a caller with identity idi that asks for idr (type 0:
 * whoever answers). Of several the one that names the caller most exactly.
 *
 * Returns NULL with the reason in *miss: nobody by the caller's name, or we
 * are not whom it asks for; *near is then the connection that came closest,
 * or NULL.
 */
struct ike_conn *ike_conn_for_caller(struct ike *ike, const struct ike_addrs *at,
				     const struct ike_id *idi, const struct ike_id *idr,
				     char label[IKE_LABEL_MAX + 1],
				     enum ike_conn_miss *miss, struct ike_conn **near);

/* Where the failure of a caller is noted: its tunnel, or the template. */
struct ike_failure *ike_conn_failure(struct ike *ike, struct ike_conn *conn);

/* Has no other connection the same pair of identities? (INITIAL_CONTACT) */
bool ike_conn_is_alone(struct ike *ike, const struct ike_conn *conn);

/*
 * The tunnel of a connection, for a template the one with this label, made
 * when it is new. Returns NULL when the template has too many.
 */
struct ike_tun *ike_tun_get(struct ike *ike, struct ike_conn *conn, const char *label,
			    bool *made);

/* Free every connection and tunnel; SAs are gone already. */
void ike_conn_fini(struct ike *ike);

#endif
