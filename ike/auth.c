/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IKE_AUTH with pre-shared keys, both roles (RFC 7296 sections 1.2, 2.15,
 * 2.19)
 *
 * The peer's identity and its AUTH value are checked before anything else of
 * its message counts. A caller that fails gets AUTHENTICATION_FAILED and no
 * hint why; the sentence with the reason is for the people at this end. A
 * peer that fails to prove itself to us is told by a request of ours (2.21.2).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ike/conn.h"
#include "ike/constants.h"
#include "ike/exchange.h"
#include "ike/selector.h"
#include "ike/steps.h"
#include "lib/alloc.h"

/* The body of an ID payload, as AUTH covers it. */
static size_t id_body(const struct ike_id *id, uint8_t out[4 + IKE_ID_MAX])
{
	struct wbuf w = wbuf_init(out, 4 + IKE_ID_MAX);

	wbuf_u8(&w, id->type);
	wbuf_zero(&w, 3);
	wbuf_bytes(&w, id->data, id->len);
	return wbuf_len(&w);
}

/* AUTH of the end that began the IKE SA, or of the other, over its ID body. */
static int auth_value(const struct ike_sa *sa, bool of_initiator, struct ike_bytes id,
		      const struct secret *psk, uint8_t *out)
{
	const struct ike_handshake *hs = sa->hs;
	const struct ike_bytes segments[] = {
		{of_initiator ? hs->init_req : hs->init_resp,
		 of_initiator ? hs->init_req_len : hs->init_resp_len},
		{of_initiator ? hs->nr.b : hs->ni.b,
		 of_initiator ? hs->nr.len : hs->ni.len},
	};

	return ike_keymat_auth_psk(sa->suite.prf, psk->bytes, psk->len, segments, 2,
				   of_initiator ? sa->keys.pi : sa->keys.pr, id, out);
}

static void put_own_auth(struct ike_sa *sa, struct ike_build *b)
{
	uint8_t body[4 + IKE_ID_MAX];
	const struct ike_bytes id = {body, id_body(&sa->local_id, body)};
	uint8_t value[IKE_PRF_MAX];

	/* A failure leaves an AUTH that nobody accepts. */
	memset(value, 0, sizeof(value));
	(void)auth_value(sa, sa->initiator, id, sa->tun->conn->psk, value);
	ike_payload_put_auth(b, IKE_AUTH_PSK, value, ike_crypto_prf_len(sa->suite.prf));
}

static bool peer_auth_is_right(const struct ike_sa *sa, const struct ike_chain *chain,
			       struct rbuf id, const struct secret *psk)
{
	size_t len = ike_crypto_prf_len(sa->suite.prf);
	const struct ike_bytes body = {id.pos, rbuf_left(&id)};
	uint8_t want[IKE_PRF_MAX];
	bool right;

	if (chain->auth_method != IKE_AUTH_PSK || rbuf_left(&chain->auth) != len)
		return false;
	if (auth_value(sa, !sa->initiator, body, psk, want) < 0)
		return false;
	right = secret_equal(want, chain->auth.pos, len);
	secret_wipe(want, sizeof(want));
	return right;
}

static void offered_esp(const struct ike_sa *sa, char *buf, size_t cap)
{
	ike_proposal_format(&sa->tun->conn->esp_suites, buf, cap);
}

static void emit_inside(struct ike_sa *sa, const struct ike_inside *inside)
{
	struct ike_action *act =
		ike_out_add(&sa->ike->out, IKE_ACT_INSIDE, sa->tun->name);

	sa->tun->inside = *inside;
	act->sa_id = sa->own_spi;
	act->u.inside = *inside;
}

/* ---- initiator ----------------------------------------------------------- */

/* The identity we ask for, when the configuration names exactly one. */
static bool wanted_id(const struct ike_conn *conn, struct ike_id *id)
{
	const char *text = conn->cfg.remote_id;

	return text[0] && !strchr(text, '*') && ike_id_parse(text, id) == 0;
}

static bool sole_up(const struct ike_sa *sa)
{
	const struct ike_sa *other;

	for (other = sa->tun->sas; other; other = other->next)
		if (other != sa && ike_sa_is_up(other))
			return false;
	return true;
}

void ike_auth_start(struct ike_sa *sa)
{
	struct ike_conn *conn = sa->tun->conn;
	struct ike_handshake *hs = sa->hs;
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_ts_list ts;
	struct ike_build b;
	struct ike_id idr;
	uint8_t spi[IKE_ESP_SPI_LEN];
	struct wbuf w = wbuf_init(spi, sizeof(spi));

	sa->local_id = ike_conn_local_id(conn, &sa->at.local.addr);
	hs->child.spi = ike_child_pick_spi(sa->ike);
	wbuf_u32(&w, (uint32_t)hs->child.spi);
	ike_exchange_begin(sa, &b, buf, IKE_EX_AUTH, false);
	ike_payload_put_id(&b, IKE_PLD_IDI, &sa->local_id);
	if (ike_conn_is_alone(sa->ike, conn) && sole_up(sa))
		ike_payload_put_notify(&b, IKE_N_INITIAL_CONTACT, NULL, 0);
	if (wanted_id(conn, &idr))
		ike_payload_put_id(&b, IKE_PLD_IDR, &idr);
	put_own_auth(sa, &b);
	if (conn->cfg.want_inside4 || conn->cfg.want_inside6) {
		const struct ike_cp cp = {.type = IKE_CFG_REQUEST,
					  .ip4 = conn->cfg.want_inside4,
					  .ip6 = conn->cfg.want_inside6};

		ike_payload_put_cp(&b, &cp);
	}
	ike_proposal_put(&b, IKE_USE_CHILD_AUTH, &conn->esp_suites, spi, sizeof(spi),
			 0);
	ike_selector_all(&ts, true, true);
	ike_payload_put_ts(&b, IKE_PLD_TSI, &ts);
	ike_payload_put_ts(&b, IKE_PLD_TSR, &ts);
	ike_sa_move(sa, IKE_SA_AUTH_SENT);
	(void)ike_exchange_request(sa, &b, IKE_EX_AUTH);
}

/* We do not accept the peer: say why here, and to it that it is so (2.21.2). */
static void reject_peer(struct ike_sa *sa, enum ike_reason reason, uint16_t notify,
			const char *sentence)
{
	enum ike_event event = sa->tun->up ? IKE_EV_NOTICE : IKE_EV_FAILED;

	ike_sa_failed(sa, event, reason, 0, true, sentence);
	ike_info_refuse(sa, notify);
}

/* The response holds no AUTH: the peer refuses. */
static void peer_refuses(struct ike_sa *sa, const struct ike_chain *chain)
{
	const struct ike_notify *n = ike_payload_error(chain);
	char local[IKE_ID_TEXT_MAX];
	char name[40];
	char offer[IKE_SENTENCE_MAX / 3];
	uint16_t type = n ? n->type : 0;

	ike_id_format(&sa->local_id, local, sizeof(local));
	switch (type) {
	case IKE_N_AUTHENTICATION_FAILED:
		ike_sa_end(sa, IKE_REASON_AUTH, type, false,
			   "the peer refuses us (AUTHENTICATION_FAILED): it does not "
			   "know '%.120s' as ours, or the secrets differ; its log says "
			   "which",
			   local);
		break;
	case IKE_N_NO_PROPOSAL_CHOSEN:
		offered_esp(sa, offer, sizeof(offer));
		ike_sa_end(sa, IKE_REASON_PROPOSAL, type, false,
			   "the peer accepts none of our ESP suites "
			   "(NO_PROPOSAL_CHOSEN); we offered %s",
			   offer);
		break;
	default:
		ike_sa_end(sa, IKE_REASON_PEER_REFUSED, type, false,
			   "the peer refuses IKE_AUTH (%s)",
			   n ? ike_op_notify_text(type, name) : "without saying why");
		break;
	}
}

/* Is the peer who we want, and does it prove it? False: it was rejected. */
static bool peer_is_right(struct ike_sa *sa, const struct ike_chain *chain)
{
	struct ike_conn *conn = sa->tun->conn;
	char label[IKE_LABEL_MAX + 1];
	char text[IKE_SENTENCE_MAX];
	char remote[IKE_ID_TEXT_MAX];
	char want[ADDR_STRLEN];

	if (ike_id_decode(chain->idr, &sa->remote_id) < 0) {
		reject_peer(sa, IKE_REASON_SYNTAX, IKE_N_AUTHENTICATION_FAILED,
			    "the peer's identity payload is damaged");
		return false;
	}
	ike_id_format(&sa->remote_id, remote, sizeof(remote));
	if (!ike_conn_knows(conn, &sa->at.remote.addr, &sa->remote_id, label)) {
		snprintf(text, sizeof(text),
			 "the peer says it is '%.160s', but '%.160s' is expected",
			 remote,
			 conn->cfg.remote_id[0] ? conn->cfg.remote_id
						: addr_format(&conn->cfg.remote, want));
		reject_peer(sa, IKE_REASON_IDENTITY, IKE_N_AUTHENTICATION_FAILED, text);
		return false;
	}
	if (ike_id_equal(&sa->remote_id, &sa->local_id)) {
		reject_peer(sa, IKE_REASON_IDENTITY, IKE_N_AUTHENTICATION_FAILED,
			    "the peer has our own identity");
		return false;
	}
	if (!peer_auth_is_right(sa, chain, chain->idr, conn->psk)) {
		snprintf(
			text, sizeof(text),
			"'%.160s' did not prove that it has our secret: the secrets of "
			"the two ends differ",
			remote);
		reject_peer(sa, IKE_REASON_AUTH, IKE_N_AUTHENTICATION_FAILED, text);
		return false;
	}
	return true;
}

/* Authenticated, but without a child: we cannot use it. */
static void no_child(struct ike_sa *sa, enum ike_reason reason, uint16_t notify,
		     const char *sentence)
{
	ike_sa_failed(sa, sa->tun->up ? IKE_EV_NOTICE : IKE_EV_FAILED, reason, notify,
		      notify == 0, sentence);
	ike_info_refuse(sa, 0);
}

/* The other half of a /31 or /127; none with another length. */
static struct addr other_half(const struct addr *own, uint8_t len)
{
	struct addr peer = *own;
	size_t last = addr_size(own->family);

	if (!last || len + 1U != addr_bits(own->family))
		return (struct addr){0};
	peer.b[last - 1] ^= 1;
	return peer;
}

/* Why a, which the peer hands out or has itself, cannot be inside; NULL: it can. */
static const char *bad_inside(const struct ike_sa *sa, const struct addr *a)
{
	const struct ike *ike = sa->ike;

	if (!a->family)
		return NULL;
	if (!addr_is_host(a))
		return "no host can have it";
	if (addr_equal(a, &sa->at.local.addr) || addr_equal(a, &sa->at.remote.addr))
		return "it is an outer address of the tunnel";
	for (size_t i = 0; i < ike->n_home; i++)
		if (prefix_contains(&ike->home[i], a))
			return "it lies in a network behind this end";
	return NULL;
}

/* Must not be taken: the sentence in text says why. */
static bool is_refused(const struct ike_sa *sa, const struct ike_inside *inside,
		       char text[IKE_SENTENCE_MAX])
{
	const struct addr *const all[] = {&inside->own4, &inside->peer4, &inside->own6,
					  &inside->peer6};
	char a[ADDR_STRLEN];

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		const char *why = bad_inside(sa, all[i]);

		if (!why)
			continue;
		snprintf(text, IKE_SENTENCE_MAX,
			 "the peer gave an inside address that we do not take: %s, %s",
			 addr_format(all[i], a), why);
		return true;
	}
	return false;
}

/* What the responder handed out. False, with a sentence: nothing that we can use. */
static bool take_inside(struct ike_sa *sa, const struct ike_chain *chain,
			char text[IKE_SENTENCE_MAX])
{
	const struct ike_conn_config *c = &sa->tun->conn->cfg;
	struct ike_inside inside = {0};
	struct ike_cp cp = {0};

	if (!c->want_inside4 && !c->want_inside6)
		return true;
	snprintf(text, IKE_SENTENCE_MAX,
		 "the peer gave no inside address, which this tunnel needs: configure "
		 "one here, or a range there");
	if (!(chain->seen & IKE_PLD_BIT(IKE_PLD_CP)) ||
	    ike_payload_cp_decode(chain->cp, &cp) < 0 || cp.type != IKE_CFG_REPLY)
		return false;
	if (c->want_inside4) {
		inside.own4 = cp.addr4;
		inside.peer4 = other_half(&cp.addr4, cp.len4);
	}
	if (c->want_inside6) {
		inside.own6 = cp.addr6;
		inside.peer6 = other_half(&cp.addr6, cp.len6);
	}
	if ((!inside.own4.family && !inside.own6.family) ||
	    is_refused(sa, &inside, text))
		return false;
	emit_inside(sa, &inside);
	return true;
}

/* The child part of the answer. Returns false after no_child(). */
static bool take_child(struct ike_sa *sa, const struct ike_chain *chain,
		       struct ike_child_params *p)
{
	struct ike_conn *conn = sa->tun->conn;
	const struct ike_notify *n = ike_payload_error(chain);
	const uint32_t parts = IKE_PLD_BIT(IKE_PLD_SA) | IKE_PLD_BIT(IKE_PLD_TSI) |
			       IKE_PLD_BIT(IKE_PLD_TSR);
	char why[IKE_SENTENCE_MAX / 2];
	char text[IKE_SENTENCE_MAX];
	char name[40];

	if (n) {
		offered_esp(sa, why, sizeof(why));
		snprintf(
			text, sizeof(text),
			"the peer knows us but refuses the child SA (%s); we offered %s "
			"for 0.0.0.0/0 and ::/0",
			ike_op_notify_text(n->type, name), why);
		no_child(sa,
			 n->type == IKE_N_NO_PROPOSAL_CHOSEN ? IKE_REASON_PROPOSAL
			 : n->type == IKE_N_TS_UNACCEPTABLE  ? IKE_REASON_SELECTORS
			 : n->type == IKE_N_INTERNAL_ADDRESS_FAILURE
				 ? IKE_REASON_INSIDE
				 : IKE_REASON_PEER_REFUSED,
			 n->type, text);
		return false;
	}
	if ((chain->seen & parts) != parts ||
	    ike_proposal_answer(chain->sa, IKE_USE_CHILD_AUTH, &conn->esp_suites,
				&p->choice) < 0) {
		no_child(sa, IKE_REASON_PROPOSAL, 0,
			 "the peer chose an ESP suite that we did not offer");
		return false;
	}
	if (ike_child_families(chain, &p->family4, &p->family6, why, sizeof(why)) < 0) {
		no_child(sa, IKE_REASON_SELECTORS, 0, why);
		return false;
	}
	return true;
}

void ike_auth_response(struct ike_sa *sa, struct ike_chain *chain)
{
	struct ike_handshake *hs = sa->hs;
	struct ike_child_params p = {
		.spi_in = (uint32_t)hs->child.spi,
		.initiator = true,
		.ni = {hs->ni.b, hs->ni.len},
		.nr = {hs->nr.b, hs->nr.len},
	};
	const uint32_t proof = IKE_PLD_BIT(IKE_PLD_AUTH) | IKE_PLD_BIT(IKE_PLD_IDR);
	char text[IKE_SENTENCE_MAX];

	ike_exchange_answered(sa);
	if ((chain->seen & proof) != proof) {
		peer_refuses(sa, chain);
		return;
	}
	if (!peer_is_right(sa, chain) || !take_child(sa, chain, &p))
		return;
	if (!take_inside(sa, chain, text)) {
		no_child(sa, IKE_REASON_INSIDE, 0, text);
		return;
	}
	ike_sa_move(sa, IKE_SA_ESTABLISHED);
	ike_sa_start_timers(sa);
	if (!ike_child_make(sa, &p, true)) {
		ike_sa_close(sa, IKE_REASON_INTERNAL, "the child SA could not be made");
		return;
	}
	ike_sa_drop_handshake(sa);
	ike_sa_save(sa);
	ike_sa_established(sa, false);
}

/* ---- responder ----------------------------------------------------------- */

/*
 * A caller is sent away: the notify is all it hears. conn, when known, keeps
 * the sentence for the people who look at it.
 */
static void refuse(struct ike_sa *sa, struct ike_conn *conn, enum ike_reason reason,
		   uint16_t notify, const char *sentence)
{
	struct ike *ike = sa->ike;

	if (conn)
		ike_failure_set(ike_conn_failure(ike, conn), ike->now, reason,
				sentence);
	if (ratelimit_take(&ike->refusals, ike->now))
		ike_engine_event(ike, conn ? conn->cfg.name : NULL, IKE_EV_REFUSED,
				 reason, notify, true, sentence);
	ike_sa_move(sa, IKE_SA_REFUSED);
	(void)ike_exchange_respond_notify(sa, notify, NULL, 0);
}

/* Who calls? NULL: it was refused. */
static struct ike_conn *find_conn(struct ike_sa *sa, const struct ike_chain *chain,
				  char label[IKE_LABEL_MAX + 1])
{
	struct ike_id idr = {0};
	enum ike_conn_miss miss;
	struct ike_conn *near;
	struct ike_conn *conn;
	char text[IKE_SENTENCE_MAX];
	char peer[ENDPOINT_STRLEN];
	char idi_text[IKE_ID_TEXT_MAX];
	char idr_text[IKE_ID_TEXT_MAX];

	if (ike_id_decode(chain->idi, &sa->remote_id) < 0 ||
	    (chain->seen & IKE_PLD_BIT(IKE_PLD_IDR) &&
	     ike_id_decode(chain->idr, &idr) < 0)) {
		refuse(sa, NULL, IKE_REASON_SYNTAX, IKE_N_AUTHENTICATION_FAILED,
		       "a caller's identity payload is damaged");
		return NULL;
	}
	conn = ike_conn_for_caller(sa->ike, &sa->at, &sa->remote_id, &idr, label, &miss,
				   &near);
	if (conn)
		return conn;
	ike_id_format(&sa->remote_id, idi_text, sizeof(idi_text));
	ike_id_format(&idr, idr_text, sizeof(idr_text));
	endpoint_format(&sa->at.remote, peer);
	if (miss == IKE_MISS_CALLED) {
		struct ike_id ours = ike_conn_local_id(near, &sa->at.local.addr);
		char ours_text[IKE_ID_TEXT_MAX];

		ike_id_format(&ours, ours_text, sizeof(ours_text));
		snprintf(text, sizeof(text),
			 "'%.120s' from %s asks for '%.120s', but we are '%.120s'",
			 idi_text, peer, idr_text, ours_text);
	} else {
		snprintf(text, sizeof(text), "nobody is expected as '%.160s' from %s",
			 idi_text, peer);
		if (near && near->cfg.remote_id[0])
			snprintf(text + strlen(text), sizeof(text) - strlen(text),
				 "; that peer should be '%.160s'", near->cfg.remote_id);
	}
	refuse(sa, near, IKE_REASON_IDENTITY, IKE_N_AUTHENTICATION_FAILED, text);
	return NULL;
}

/* Identity, secret, suite. NULL: it was refused. */
static struct ike_conn *authenticate(struct ike_sa *sa, const struct ike_chain *chain,
				     char label[IKE_LABEL_MAX + 1])
{
	struct ike_conn *conn = find_conn(sa, chain, label);
	char text[IKE_SENTENCE_MAX];
	char id[IKE_ID_TEXT_MAX];
	char suite[IKE_SUITE_TEXT_MAX];

	if (!conn)
		return NULL;
	ike_id_format(&sa->remote_id, id, sizeof(id));
	sa->local_id = ike_conn_local_id(conn, &sa->at.local.addr);
	if (!peer_auth_is_right(sa, chain, chain->idi, conn->psk)) {
		snprintf(text, sizeof(text),
			 chain->auth_method == IKE_AUTH_PSK
				 ? "'%.160s' did not prove that it has our secret: the "
				   "secrets of the two ends differ"
				 : "'%.160s' does not authenticate by a secret",
			 id);
		refuse(sa, conn, IKE_REASON_AUTH, IKE_N_AUTHENTICATION_FAILED, text);
		return NULL;
	}
	if (ike_id_equal(&sa->remote_id, &sa->local_id)) {
		refuse(sa, conn, IKE_REASON_IDENTITY, IKE_N_AUTHENTICATION_FAILED,
		       "the caller has our own identity");
		return NULL;
	}
	if (!ike_proposal_has(&conn->ike_suites, &sa->suite)) {
		ike_suite_format(&sa->suite, suite, sizeof(suite));
		snprintf(
			text, sizeof(text),
			"'%.160s' agreed on %s, which its own connection does not allow",
			id, suite);
		refuse(sa, conn, IKE_REASON_PROPOSAL, IKE_N_NO_PROPOSAL_CHOSEN, text);
		return NULL;
	}
	if (conn->cfg.force_encap && !sa->natd.supported) {
		refuse(sa, conn, IKE_REASON_NATT, IKE_N_NO_PROPOSAL_CHOSEN,
		       "the caller speaks no NAT traversal, and this end has ESP in UDP "
		       "only");
		return NULL;
	}
	return conn;
}

/* The child's part of the answer: inside addresses, suite, selectors. */
static void put_child(struct ike_build *b, const struct ike_handshake *hs,
		      uint32_t spi_in, const struct ike_inside *inside)
{
	const struct ike_suites chosen = {.s = {hs->child.suite}, .n = 1};
	uint8_t spi[IKE_ESP_SPI_LEN];
	struct wbuf w = wbuf_init(spi, sizeof(spi));
	struct ike_ts_list ts;

	if (inside) {
		const struct ike_cp cp = {
			.type = IKE_CFG_REPLY,
			.ip4 = inside->peer4.family != 0,
			.ip6 = inside->peer6.family != 0,
			.addr4 = inside->peer4,
			.addr6 = inside->peer6,
			.len4 = 31,
			.len6 = 127,
		};

		ike_payload_put_cp(b, &cp);
	}
	wbuf_u32(&w, spi_in);
	ike_proposal_put(b, IKE_USE_CHILD_AUTH, &chosen, spi, sizeof(spi),
			 hs->child.number);
	ike_selector_all(&ts, hs->family4, hs->family6);
	ike_payload_put_ts(b, IKE_PLD_TSI, &ts);
	ike_payload_put_ts(b, IKE_PLD_TSR, &ts);
}

/* Identities are proven. Answer, with a child or why there is none. */
static void answer(struct ike_sa *sa, uint16_t child_error,
		   const struct ike_inside *inside)
{
	struct ike_handshake *hs = sa->hs;
	const struct ike_child_params p = {
		.spi_in = ike_child_pick_spi(sa->ike),
		.choice = hs->child,
		.family4 = hs->family4,
		.family6 = hs->family6,
		.ni = {hs->ni.b, hs->ni.len},
		.nr = {hs->nr.b, hs->nr.len},
	};
	bool initial_contact = hs->initial_contact;
	uint8_t buf[IKE_MESSAGE_OUT_MAX];
	struct ike_build b;

	ike_exchange_begin(sa, &b, buf, IKE_EX_AUTH, true);
	ike_payload_put_id(&b, IKE_PLD_IDR, &sa->local_id);
	put_own_auth(sa, &b);
	ike_sa_move(sa, IKE_SA_ESTABLISHED);
	ike_sa_start_timers(sa);
	if (!child_error && !ike_child_make(sa, &p, true))
		child_error = IKE_N_NO_ADDITIONAL_SAS;
	if (child_error)
		ike_payload_put_notify(&b, child_error, NULL, 0);
	else
		put_child(&b, hs, p.spi_in, inside);
	ike_sa_drop_handshake(sa);
	if (!ike_exchange_respond(sa, &b))
		return;
	if (child_error) {
		/* The IKE SA stands (2.21.2); without a child it is of no use. */
		ike_sa_close(sa, IKE_REASON_NONE, "");
		return;
	}
	ike_sa_established(sa, initial_contact);
}

/* The child part of the request. Returns 0, or the error notify to send. */
static uint16_t choose_child(struct ike_sa *sa, const struct ike_chain *chain)
{
	struct ike_handshake *hs = sa->hs;
	struct ike_conn *conn = sa->tun->conn;
	char theirs[IKE_SENTENCE_MAX / 3];
	char ours[IKE_SENTENCE_MAX / 3];
	char text[IKE_SENTENCE_MAX];

	if (ike_proposal_choose(chain->sa, IKE_USE_CHILD_AUTH, &conn->esp_suites, 0,
				&hs->child) < 0) {
		ike_proposal_format_offer(chain->sa, theirs, sizeof(theirs));
		offered_esp(sa, ours, sizeof(ours));
		snprintf(text, sizeof(text),
			 "no common ESP suite: the peer offers %s; we accept %s",
			 theirs, ours);
		ike_sa_failed(sa, IKE_EV_FAILED, IKE_REASON_PROPOSAL, 0, true, text);
		return IKE_N_NO_PROPOSAL_CHOSEN;
	}
	if (ike_child_families(chain, &hs->family4, &hs->family6, text, sizeof(text)) <
	    0) {
		ike_sa_failed(sa, IKE_EV_FAILED, IKE_REASON_SELECTORS, 0, true, text);
		return IKE_N_TS_UNACCEPTABLE;
	}
	return 0;
}

static void announce_caller(struct ike_sa *sa)
{
	struct ike_tun *tun = sa->tun;
	struct ike_action *act = ike_out_add(&sa->ike->out, IKE_ACT_CALLER, tun->name);

	act->sa_id = sa->own_spi;
	act->u.caller.template = ike_out_keep(&sa->ike->out, tun->conn->cfg.name,
					      strlen(tun->conn->cfg.name) + 1);
	act->u.caller.label =
		ike_out_keep(&sa->ike->out, tun->label, strlen(tun->label) + 1);
	act->u.caller.uplink = sa->at.uplink;
	act->u.caller.local = sa->at.local;
	act->u.caller.remote = sa->at.remote;
}

/* Does the caller ask for inside addresses, and do we give any? */
static bool asks_inside(struct ike_sa *sa, const struct ike_chain *chain)
{
	struct ike_cp cp;

	if (!sa->tun->conn->cfg.give_inside ||
	    !(chain->seen & IKE_PLD_BIT(IKE_PLD_CP)) ||
	    ike_payload_cp_decode(chain->cp, &cp) < 0 || cp.type != IKE_CFG_REQUEST)
		return false;
	sa->hs->want4 = cp.ip4;
	sa->hs->want6 = cp.ip6;
	return cp.ip4 || cp.ip6;
}

void ike_auth_request(struct ike_sa *sa, const struct ike_addrs *at,
		      struct ike_chain *chain)
{
	char label[IKE_LABEL_MAX + 1];
	struct ike_conn *conn;
	struct ike_tun *tun;
	uint16_t child_error;

	sa->at = *at; /* it may have gone over to the other port */
	conn = authenticate(sa, chain, label);
	if (!conn)
		return;
	tun = ike_tun_get(sa->ike, conn, label, NULL);
	if (!tun) {
		refuse(sa, conn, IKE_REASON_LIMIT, IKE_N_AUTHENTICATION_FAILED,
		       "the peer has as many tunnels as it may have");
		return;
	}
	ike_sa_adopt(sa, tun);
	ike_sa_move(sa, IKE_SA_AUTH_SEEN);
	sa->encap = conn->cfg.force_encap || sa->natd.local || sa->natd.remote;
	sa->hs->initial_contact =
		ike_payload_notify(chain, IKE_N_INITIAL_CONTACT) != NULL;
	if (conn->cfg.template)
		announce_caller(sa);
	child_error = choose_child(sa, chain);
	if (!child_error && asks_inside(sa, chain)) {
		struct ike_action *act =
			ike_out_add(&sa->ike->out, IKE_ACT_INSIDE_WANTED, tun->name);

		act->sa_id = sa->own_spi;
		act->u.inside_wanted.token = sa->own_spi;
		act->u.inside_wanted.want4 = sa->hs->want4;
		act->u.inside_wanted.want6 = sa->hs->want6;
		return;
	}
	answer(sa, child_error, NULL);
}

void ike_auth_inside(struct ike_sa *sa, const struct ike_inside *inside)
{
	struct ike_inside given = {0};

	if (inside && sa->hs->want4) {
		given.own4 = inside->own4;
		given.peer4 = inside->peer4;
	}
	if (inside && sa->hs->want6) {
		given.own6 = inside->own6;
		given.peer6 = inside->peer6;
	}
	if (!given.peer4.family && !given.peer6.family) {
		ike_sa_failed(
			sa, IKE_EV_FAILED, IKE_REASON_INSIDE, 0, true,
			"the peer asks for an inside address, and there is none to "
			"give");
		answer(sa, IKE_N_INTERNAL_ADDRESS_FAILURE, NULL);
		return;
	}
	emit_inside(sa, &given);
	answer(sa, 0, &given);
}
