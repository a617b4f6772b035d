/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ike_child - one child SA: an inbound and an outbound half
 *
 * A child is made with its inbound half installed. Its outbound half follows
 * at once, or, when the peer began a rekey, once the peer is known to be ready
 * (RFC 7296 section 2.8): it used the new inbound half, deleted the old child,
 * or a short time passed. A child that is replaced loses its outbound half to
 * the new one; its inbound half lingers after the Delete, so that packets on
 * their way still arrive.
 */
#ifndef ED_IKE_CHILD_SA_H
#define ED_IKE_CHILD_SA_H

#include <stdbool.h>
#include <stdint.h>

#include "ike/sa.h"

enum ike_child_state {
	IKE_CHILD_ALIVE = 1,
	IKE_CHILD_REPLACED, /* a newer one carries on; a Delete is due */
	IKE_CHILD_DELETING, /* our Delete is in flight */
	IKE_CHILD_GONE, /* deleted; the inbound half lingers */
};

struct ike_child {
	struct ike_sa *sa;
	struct ike_child *prev;
	struct ike_child *next;
	enum ike_child_state state;
	uint32_t spi_in;
	uint32_t spi_out;
	struct ike_suite suite;
	bool pfs;
	bool family4;
	bool family6;
	uint8_t key_in[IKE_KEYMAT_MAX];
	uint8_t key_out[IKE_KEYMAT_MAX];
	bool in_installed;
	bool out_installed;
	bool ours; /* we began the exchange that made it */
	bool delete_ours; /* we are the end that deletes it */
	bool rekey_now; /* wanted */
	uint32_t replaces; /* inbound SPI of the child it takes over from, or 0 */
	struct mono since;
	struct mono rekey_at;
	struct mono expire_at;
	struct mono switch_at; /* install the outbound half */
	struct mono delete_at; /* delete it ourselves, if the peer did not */
	struct mono remove_at; /* end of lingering */
	UT_hash_handle hh; /* by spi_in */
};

/* A random inbound SPI that no child has. */
uint32_t ike_child_pick_spi(struct ike *ike);

struct ike_child *ike_child_find(struct ike *ike, uint32_t spi_in);

/* The child of sa that sends to the peer with this SPI. */
struct ike_child *ike_child_find_out(struct ike_sa *sa, uint32_t spi_out);

/* The child of sa that traffic uses: alive, newest; NULL when there is none. */
struct ike_child *ike_child_current(const struct ike_sa *sa);

/* What a child is made of, beside the nonces. */
struct ike_child_params {
	uint32_t spi_in;
	struct ike_choice choice; /* suite and the peer's SPI */
	bool family4;
	bool family6;
	bool initiator; /* of the exchange that makes it */
	struct ike_bytes ni;
	struct ike_bytes nr;
	struct ike_bytes shared;
	uint32_t replaces;
};

/*
 * Make a child and install its inbound half. With out_now the outbound half
 * too. Returns NULL when keys could not be derived or there are too many.
 */
struct ike_child *ike_child_make(struct ike_sa *sa, const struct ike_child_params *p,
				 bool out_now);

/* Install the outbound half (and take that of the replaced child away). */
void ike_child_switch(struct ike_child *child);

/* It is replaced: no more rekeys of it. */
void ike_child_replaced(struct ike_child *child);

/*
 * With nothing under way an IKE SA has one child that lives. Should both ends
 * have made one, both keep the same: of the others each is deleted by the end
 * that made it.
 */
void ike_child_settle(struct ike_sa *sa);

/* Deleted by agreement: outbound half away now, inbound half after lingering. */
void ike_child_deleted(struct ike_child *child);

/* Remove both halves now and free it. */
void ike_child_end(struct ike_child *child);

/* Move all children of one IKE SA to another. */
void ike_child_move_all(struct ike_sa *from, struct ike_sa *to);

/* Outer addresses changed: tell the data plane. */
void ike_child_update_addrs(struct ike_sa *sa);

/* What is due; may free children. */
void ike_child_timers(struct ike_sa *sa);

/* When the next child of sa is due. */
struct mono ike_child_deadline(const struct ike_sa *sa);

/* Fill what the data plane needs to know of one half. */
void ike_child_esp(const struct ike_child *child, enum ike_dir dir,
		   struct ike_esp *esp);

/* Put it into the engine's table and sa's list (make and restore do). */
void ike_child_index(struct ike_sa *sa, struct ike_child *child);

#endif
