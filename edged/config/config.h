/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config - the whole configuration as plain structs
 *
 * config_load() reads edged.yaml, the presets it names and secrets.yaml, checks
 * everything and builds one struct config, or none: a file with a mistake, an
 * empty or a cut-off file never becomes a configuration. Every setting is a row
 * of schema.c (name, type, limits, default, help, cost of a change); whoever
 * reads the structs finds defaults filled in and references proven.
 *
 * The structs know no file. They are never changed after config_load(), and
 * pointers into them are good until config_free().
 *
 * Units stand in the names: _us microseconds, _bps bits per second, _bytes,
 * _ppm parts per million. Zero means "not set" where a comment says so.
 *
 * Names of uplinks, peers, end points and classes: see CONFIG_NAME_MAX and
 * config_name_ok(). They hold no slash, so that tunnel names take apart again.
 */
#ifndef ED_EDGED_CONFIG_CONFIG_H
#define ED_EDGED_CONFIG_CONFIG_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/addr.h"

struct conf_report;
struct config_index;
struct secret;

/* Limits of a configuration; check says so when one is passed. */
enum config_limits {
	CONFIG_NAME_MAX = 64, /* bytes of a name with its NUL */
	CONFIG_TUNNEL_NAME_MAX = 192, /* peer/end point/uplink with its NUL */
	CONFIG_ID_MAX = 256, /* bytes of an identity with its NUL */
	CONFIG_UPLINKS_MAX = 64, /* the mark has 8 bits for them */
	CONFIG_CLASSES_MAX = 64, /* the mark has 8 bits for them */
	CONFIG_PEERS_MAX = 20000,
	CONFIG_ENDPOINTS_MAX = 16, /* of one peer */
	CONFIG_ADDRESSES_MAX = 8, /* of one end point */
	CONFIG_PREFIXES_MAX = 1024, /* of one list */
	CONFIG_MATCHES_MAX = 64, /* of one class */
	CONFIG_SECRET_MAX = 512, /* bytes of a secret */
	CONFIG_FILE_MAX = 8 << 20, /* bytes of a file */
};

/* Lists: v is NULL when n is 0. All have the layout of struct conf_list. */
struct config_strings {
	char **v;
	size_t n;
};

struct config_numbers {
	uint64_t *v;
	size_t n;
};

struct config_prefixes {
	struct prefix *v; /* host bits are 0 unless said otherwise */
	size_t n;
};

struct config_addrs {
	struct addr *v;
	size_t n;
};

/* One internet connection. */
struct config_uplink {
	char *name;
	char *interface; /* fits IFNAMSIZ */
	uint64_t up_bps; /* 0: not told */
	uint64_t down_bps; /* 0: not told */
	uint64_t cost; /* the cheapest is used first */
	uint64_t monthly_limit_bytes; /* 0: not metered */
	struct config_addrs address; /* source to use, at most one per family */
	struct config_addrs gateway; /* at most one per family; else the kernel's */
};

enum config_dataplane {
	CONFIG_DP_AUTO = 1, /* xfrm interface where the kernel has it, else user */
	CONFIG_DP_XFRM,
	CONFIG_DP_VTI,
	CONFIG_DP_USER,
};

enum config_ids {
	CONFIG_IDS_NAME = 1, /* <uplink>.<site>; the peer proves *.<peer> */
	CONFIG_IDS_ADDRESS, /* each side its outer address */
};

enum config_probe_kind {
	CONFIG_PROBE_STAMP = 1,
	CONFIG_PROBE_ICMP, /* echo to the peer's inside address */
	CONFIG_PROBE_OFF,
};

enum config_encap {
	CONFIG_ENCAP_AUTO = 1, /* ESP in UDP where a NAT is in the way */
	CONFIG_ENCAP_ALWAYS,
};

/*
 * How we talk to one kind of peer: what a preset file says, overridden setting
 * by setting in the peer itself.
 */
struct config_profile {
	uint64_t ids; /* enum config_ids */
	struct config_numbers ike_ciphers; /* key bits of AES-GCM-16: 128, 256 */
	struct config_numbers prfs; /* IANA: 5, 6, 7 (HMAC-SHA2-256, 384, 512) */
	struct config_numbers groups; /* IANA: 14, 19, 31; the first one is tried */
	struct config_numbers esp_ciphers; /* as ike_ciphers */
	bool pfs; /* a new key exchange for each child rekey */
	int64_t ike_lifetime_us; /* rekeyed before it ends */
	int64_t esp_lifetime_us; /* rekeyed before it ends */
	int64_t dpd_us; /* silence after which the peer is asked; 0: never */
	uint64_t encap; /* enum config_encap */
	uint64_t mtu; /* of the tunnel interface */
	uint64_t probe; /* enum config_probe_kind */
	int64_t hold_time_us; /* BGP; 0: as in bgp */
	int64_t keepalive_us; /* BGP; 0: as in bgp */
};

/* One place where a peer is reached. A peer that calls us has none. */
struct config_endpoint {
	char *name; /* "" for the only one of a peer without `tunnels` */
	struct config_strings address; /* IP addresses and DNS names, tried in turn */
	struct config_prefixes inside; /* ours with host bits, at most one per family;
					  n 0: asked for by configuration payload */
	struct config_addrs bgp_peer; /* the peer's inside address per family; the
					 other host of a /30, /31, /126, /127 where
					 the file says none */
	struct config_strings via; /* uplinks; never empty after config_load() */
	bool via_default; /* the file says none: those of the peer, or all */
};

/* An uplink of a peer that calls us, so that our classes can name it. */
struct config_peer_uplink {
	char *name;
	uint64_t cost;
	uint64_t down_bps; /* its down is our sending direction; 0: not told */
};

struct config_peer {
	char *name;
	char *preset; /* name of the preset file */
	struct config_profile profile;
	uint64_t dataplane; /* enum config_dataplane; the file's `dataplane` if unset */
	char *id; /* what it must prove, NULL: by profile.ids */
	char *our_id; /* what we prove, NULL: by profile.ids (and config.id) */
	char *cert; /* no effect yet */
	uint64_t asn; /* 0: no BGP session */
	struct config_prefixes networks; /* static routes */
	struct config_prefixes accept; /* by BGP; n 0: as bgp.accept */
	struct config_endpoints {
		struct config_endpoint *v;
		size_t n;
	} tunnels; /* its end points; n 0: it calls us */
	struct config_peer_uplinks {
		struct config_peer_uplink *v;
		size_t n;
	} uplinks; /* of a peer that calls us */
	/* As written. The end point named "" holds them; use that one. */
	struct config_strings address;
	struct config_strings via;
	struct config_prefixes inside;
	struct config_addrs bgp_peer;
};

/* One of the patterns of a class; what is unset matches everything. */
struct config_match {
	struct prefix from; /* family 0: any */
	struct prefix to; /* family 0: any */
	uint64_t protocol; /* IP protocol number, 0: any */
	uint32_t from_port[2]; /* first and last; both 0: any */
	uint32_t to_port[2];
};

enum config_strategy {
	CONFIG_CHEAPEST = 1, /* the cheapest path that keeps the promise */
	CONFIG_PREFER, /* the first of `paths` that keeps it */
	CONFIG_SHARE, /* spread over `paths` by bandwidth */
};

/* Traffic with a promise. The last class is always "default". */
struct config_class {
	char *name;
	struct config_numbers dscp; /* code points 0 to 63 */
	struct config_matches {
		struct config_match *v;
		size_t n;
	} match;
	int64_t max_delay_us; /* round trip; 0: no limit */
	int64_t max_jitter_us; /* 0: no limit */
	uint64_t max_loss_ppm; /* of round trips; 0: no limit */
	uint64_t strategy; /* enum config_strategy, derived from what is set */
	struct config_strings prefer;
	struct config_strings share;
	struct config_strings last_resort; /* used only when nothing else is left */
};

struct config_bgp {
	uint64_t asn; /* 0: no BGP at all */
	struct addr router_id; /* IPv4; family 0: the daemon chooses */
	struct config_prefixes announce; /* `lan` is written out */
	struct config_prefixes accept; /* n 0: RFC 1918 and fc00::/7 */
	int64_t hold_time_us;
	int64_t keepalive_us;
	int64_t connect_retry_us;
	int64_t restart_time_us; /* graceful restart */
};

/* Liveness and measuring of every path (edged.yaml(5), probe). */
struct config_probe {
	int64_t interval_us; /* between two probes */
	int64_t metered_interval_us; /* on an idle uplink with a monthly limit */
	int64_t metered_busy_interval_us; /* there, with traffic or a probe missed */
	int64_t suspect_interval_us; /* after the first missed answer */
	int64_t timeout_us; /* unanswered for this long is lost */
	int64_t window_us; /* figures are of the last ... */
	uint64_t down_missed; /* probes missed and */
	int64_t down_silent_us; /* nothing arrived for this long: down */
	int64_t down_no_answer_us; /* no answer for this long: down */
	uint64_t up_answers; /* answers in a row and */
	int64_t up_proving_us; /* this long without a miss: up */
};

struct config_steering {
	int64_t hold_us; /* a path must be good this long before traffic returns */
	int64_t hold_max_us; /* what that grows to while it flaps */
};

/* What edge-webui speaks on loopback addresses. */
enum config_web_loopback {
	CONFIG_WEB_OPEN = 1, /* HTTP; who is on this box sees without a login */
	CONFIG_WEB_LOGIN, /* HTTPS and a login, as on every other address */
};

struct config_secret {
	char *name; /* peer, peer/end point or tunnel */
	struct secret *value;
};

struct config {
	char *name; /* of this site; the host's name by default */
	char *id; /* what we prove where ids is name; NULL: <uplink>.<name> */
	char *text; /* the file's bytes, for source.applied of the next load */
	size_t text_len;
	struct config_prefixes lan;
	struct config_prefixes inside; /* ranges for callers, at most one per family */
	struct config_uplinks {
		struct config_uplink *v; /* in the file's order */
		size_t n;
	} uplinks;
	struct config_peers {
		struct config_peer *v; /* in the file's order */
		size_t n;
	} peers;
	struct config_classes {
		struct config_class *v; /* in the file's order, "default" last */
		size_t n;
	} classes;
	struct config_bgp bgp;
	struct config_frr {
		char *socket_dir; /* zserv.api and the *.vty sockets */
	} frr;
	uint64_t dataplane; /* enum config_dataplane */
	struct config_probe probe;
	struct config_steering steering;
	struct config_web {
		struct config_strings listen; /* ADDRESS:PORT; n 0: unix socket only */
		char *certificate; /* PEM; NULL: one of its own */
		char *key; /* PEM; set when certificate is */
		struct config_strings hosts; /* names that browsers may use */
		uint64_t loopback; /* enum config_web_loopback */
	} web; /* edge-webui's */
	struct config_secrets {
		struct config_secret *v;
		size_t n;
	} secrets; /* from secrets.yaml, by name; config_secret() finds the right one */
	struct config_index *index; /* config_peer()'s own */
};

/*
 * How a dry run says what was refused, or could not be checked (error false).
 * value is an object of the configuration or a value in it, NULL for none.
 */
typedef void (*config_say)(void *ctx, bool error, const void *value, const char *text);

/*
 * What config_load() reads and whom it asks. A dry run renders what the
 * configuration would become and lets the programs that will read it judge
 * (edged/config/dryrun.h); it runs only when nothing else is wrong.
 */
struct config_source {
	const char *path; /* edged.yaml */
	const char *secrets; /* NULL: secrets.yaml beside path */
	bool serves; /* the daemon asks: secrets that cannot be read are a mistake */
	const char *presets; /* folder; NULL: config_presets_dir() */
	const char *hostname; /* NULL: gethostname() */
	const char *applied; /* text of the configuration that runs, or NULL: a file
				that is the beginning of it was cut off */
	size_t applied_len;
	void (*dry_run)(const struct config *c, config_say say,
			void *ctx); /* or NULL */
};

/*
 * Read, check and build. Every mistake is added to report with its place; so
 * are warnings, which refuse nothing. report must be initialised
 * (conf_report_init()); the caller frees it.
 *
 * Returns 0 with *ret for config_free(), or -EINVAL with *ret untouched when
 * the report holds an error (a file that cannot be read is one, too).
 */
int config_load(const struct config_source *src, struct config **ret,
		struct conf_report *report);

/*
 * Read only what edge-webui needs of an edged.yaml: `web`, and the site's name
 * (*ret_name, for free(); NULL when the file has none). No secret is read, and a
 * mistake elsewhere in the file is edged's to report.
 *
 * Returns 0 with *ret for config_web_free(), or -EINVAL when the report holds an
 * error in `web`, or the file cannot be read or is no YAML.
 */
int config_load_web(const char *path, struct config_web **ret, char **ret_name,
		    struct conf_report *report);
void config_web_free(struct config_web *w);

/* Free c and wipe its secrets; NULL is allowed. */
void config_free(struct config *c);

/* The folder presets are read from: $EDGED_DATADIR/presets, the source or build
 * tree the program runs in, or the installed one. */
const char *config_presets_dir(void);

/*
 * True when name may be the name of an uplink, peer, end point, class or site:
 * 1 to CONFIG_NAME_MAX - 1 of a-z A-Z 0-9 . : _ -, first a letter or digit.
 * Otherwise *ret_why says what is wrong with it (why may be NULL).
 */
bool config_name_ok(const char *name, char *why, size_t size);

/* Find by name; NULL when there is none. */
const struct config_uplink *config_uplink(const struct config *c, const char *name);
const struct config_peer *config_peer(const struct config *c, const char *name);
const struct config_class *config_class(const struct config *c, const char *name);

/* True when p has no address: it calls us. */
bool config_calls_us(const struct config_peer *p);

/*
 * The secret of a tunnel: that of peer/endpoint/uplink, peer/endpoint,
 * peer/uplink, or peer, the first there is; NULL when there is none. endpoint
 * is "" where the peer has no named ones; uplink may be a caller's.
 */
const struct secret *config_secret(const struct config *c, const char *peer,
				   const char *endpoint, const char *uplink);

/* --- tunnels -------------------------------------------------------------- */

enum config_id_kind {
	CONFIG_ID_OUTER = 1, /* the outer address of that side, known when it runs */
	CONFIG_ID_ADDR,
	CONFIG_ID_FQDN,
	CONFIG_ID_PATTERN, /* name is "*.x": anything that ends in .x (x not empty) */
};

struct config_id {
	enum config_id_kind kind;
	struct addr addr; /* CONFIG_ID_ADDR */
	char name[CONFIG_ID_MAX]; /* CONFIG_ID_FQDN, CONFIG_ID_PATTERN */
};

/* One tunnel that this box builds: peer x end point x uplink. */
struct config_tunnel {
	char name[CONFIG_TUNNEL_NAME_MAX];
	const struct config_peer *peer;
	const struct config_endpoint *endpoint;
	const struct config_uplink *uplink;
	struct config_id our_id;
	struct config_id peer_id;
};

/*
 * The tunnels that c builds, in the file's order of peers, end points, uplinks.
 * Peers that call us have none here: config_template() is theirs.
 *
 * Returns their number with the array in *ret, the caller's to free() (NULL
 * when 0). It points into c.
 */
size_t config_tunnels(const struct config *c, struct config_tunnel **ret);

/* The name of a tunnel: peer/uplink, or peer/endpoint/uplink. */
void config_tunnel_name(char buf[CONFIG_TUNNEL_NAME_MAX], const char *peer,
			const char *endpoint, const char *uplink);

/*
 * What a caller must prove to be peer p, and what we prove to it when it came
 * in over uplink.
 */
void config_template(const struct config *c, const struct config_peer *p,
		     const struct config_uplink *uplink, struct config_id *ret_peer_id,
		     struct config_id *ret_our_id);

/*
 * The name of the caller's uplink that an identity proves: "isp1" of
 * "isp1.branch-042" for p's pattern "*.branch-042"; the peer's own name where
 * p has an exact identity. Returns false when identity is not p's or holds
 * something that cannot be a name.
 */
bool config_caller_uplink(const struct config_peer *p, const char *identity,
			  char buf[CONFIG_NAME_MAX]);

/* --- differences ---------------------------------------------------------- */

/* What a change costs, dearest last; a change of several is the dearest. */
enum config_cost {
	CONFIG_COST_LIVE = 1, /* nothing stops */
	CONFIG_COST_PROBE, /* probe sessions start anew */
	CONFIG_COST_BGP, /* BGP sessions restart */
	CONFIG_COST_TUNNEL, /* the object's tunnels restart */
	CONFIG_COST_DAEMON, /* takes effect when edged is started again */
};

enum config_object {
	CONFIG_OBJ_SITE = 1, /* name, id, lan, inside, dataplane, ... */
	CONFIG_OBJ_UPLINK,
	CONFIG_OBJ_PEER,
	CONFIG_OBJ_CLASS,
	CONFIG_OBJ_BGP,
	CONFIG_OBJ_FRR,
	CONFIG_OBJ_PROBE,
	CONFIG_OBJ_STEERING,
	CONFIG_OBJ_WEB,
	CONFIG_OBJ_SECRET, /* from and to are never told */
};

enum config_change_kind {
	CONFIG_ADDED = 1,
	CONFIG_REMOVED,
	CONFIG_CHANGED,
};

struct config_change {
	enum config_object object;
	enum config_change_kind kind;
	enum config_cost cost;
	const char *name; /* of the uplink, peer, class or secret; "" else */
	const char *setting; /* "uplinks.isp2.cost"; without the last part when the
				whole object is added or removed */
	const char *from; /* as one writes it, "" when it was not set */
	const char *to;
};

/*
 * Call fn for everything that differs, setting by setting, objects in the order
 * of the enum, then removed, changed and added ones in file order. Strings are
 * good during the call only. Order of uplinks, peers and classes counts for
 * classes only (the first match wins).
 *
 * Returns the number of calls.
 */
size_t config_diff(const struct config *from, const struct config *to,
		   void (*fn)(void *ctx, const struct config_change *change),
		   void *ctx);

/* "live", "restarts this tunnel", ... for people. */
const char *config_cost_name(enum config_cost cost);

#endif
